"""The same people under several definitions of care need, and the nation beside what others
estimated.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from eldercare.engine.arrays import Array, label, part, sum_over
from eldercare.engine.quantity import DECLARED, Calculation, quantity
from eldercare.inputs.checks import age_band_limits
from eldercare.inputs.draws import DEFAULT_DRAWS
from eldercare.inputs.load import BASELINE, Project, nation_as_city
from eldercare.inputs.schema import ADL, DEFINITIONS
from eldercare.model import settings
from eldercare.model.base import AGES
from eldercare.model.chain import QUANTILES, TOTAL, CityResult, inputs_of, summarise
from eldercare.model.need import BY_AGE, BY_SHARE, LIMITED, severity_curves, survey_weights

# What care may be taken to be: scenario and measure.
VARIANTS = (
    (BASELINE, "use"),
    (BASELINE, "need"),
    ("peer_use", "need"),
    ("policy_90_7_3", "need"),
    ("policy_96_4", "need"),
)
VARIED = ("beds_total_needed", "caregivers_total_needed", "cost_total")


@quantity(
    unit="person",
    dims=("year", "definition"),
    of=(
        "population_60_plus",
        "limited_by_adl",
        "limited_by_adl[severity=severe]",
        *BY_SHARE.values(),
    ),
    only={
        "limited_by_adl": f"definition={ADL}",
        "limited_by_adl[severity=severe]": "definition=severe ADL limitation",
        **{row: f"definition={name}" for name, row in BY_SHARE.items()},
    },
)
def people_by_definition(calculation: Calculation | Mapping[str, Array]) -> dict[str, Array]:
    """People of 60 and over in need of care under each definition; how many people there are stays
    the same.

    Defined as::  by age: sum of severities; else people of 60 and over x share of the definition

    Where a source prints rates by age they meet the city's own ages; where it prints one share of
    all people of 60 and over, that share is applied, and is not age-adjusted.

    Returns    : arrays [person]  dims year, draw, by definition, the narrowest first
    Source     : `need.limited_by_adl`, assumptions `care_need_share_census_question`,
                 `care_need_share_fifth_survey`, `care_need_share_adl_or_iadl`
    """
    older, limited = calculation["population_60_plus"], calculation["limited_by_adl"]
    parts = {name: older * calculation[row] for name, row in BY_SHARE.items()}
    parts |= {
        name: sum_over(part(limited, severity=list(which)), "severity")
        for name, which in BY_AGE.items()
    }
    return {name: parts[name] for name in DEFINITIONS}


def calculations_by_definition(calculation: Calculation) -> dict[str, Calculation]:
    """The chain of a city once more under each definition of care need (see `need.care_need`), on
    what it leaves as it is.

    Returns : by definition, the narrowest first
    """
    kept = calculation.kept_if({"definition"})
    return {name: Calculation(calculation.given.counted_by(name), kept) for name in DEFINITIONS}


def middles_by_definition(result: CityResult, year: int) -> pd.Series:
    """The middle of the people in need of care in a year under each definition (see
    `people_by_definition`), from what a result keeps.

    Returns : Series [person] by definition
    """
    # What a run by limitation in daily living keeps as `care_need` are these very people.
    kept = "care_need" if result.inputs.definition == ADL else "limited_by_adl"
    asked = {"population_60_plus": "population_60_plus", "limited_by_adl": kept}
    known = {
        name: result.quantity(one).sel(year=[year]).transpose(..., "draw").variable
        for name, one in asked.items()
    }
    known |= {row: result.quantity(row).variable for row in BY_SHARE.values()}
    people = people_by_definition(known)
    return pd.Series({name: float(np.median(one.values)) for name, one in people.items()})


def definition_table(
    project: Project,
    city_id: str,
    years=(2020, 2035, 2050),
    draws: int = DEFAULT_DRAWS,
    scenario: str = BASELINE,
) -> pd.DataFrame:
    """The definitions side by side for a city, on the draws of its result.

    Returns : table definition, age_adjusted, year, low, central, high [person], share_of_60_plus,
              population_60_plus
    """
    inputs = inputs_of(project, project.city(city_id), scenario, draws, max(years))
    calculation = Calculation(inputs)
    people, older = people_by_definition(calculation), calculation["population_60_plus"]
    rows = []
    for name, array in people.items():
        for year in years:
            place = year - int(inputs.years[0])
            counts, everyone = array.values[place], older.values[place]
            low, central, high = np.quantile(counts, list(QUANTILES.values()))
            rows.append(
                {
                    "definition": name,
                    "age_adjusted": name in BY_AGE,
                    "year": year,
                    "low": low,
                    "central": central,
                    "high": high,
                    "share_of_60_plus": np.median(counts / everyone),
                    "population_60_plus": np.median(everyone),
                }
            )
    return pd.DataFrame(rows)


def national_care_need(
    project: Project, years, first_age: int, draws: int = DEFAULT_DRAWS
) -> pd.DataFrame:
    """People of the nation with any limitation in daily living from an age on.

    Returns : table year, low, central, high [person]
    """
    inputs = inputs_of(project, nation_as_city(), BASELINE, draws, max(years))
    calculation = Calculation(inputs)
    young = (np.arange(len(AGES)) < first_age)[:, None]
    rates = calculation["limitation_prevalence"]
    older = rates.copy(data=np.where(young, 0.0, rates.values))
    calculation = Calculation(inputs, {**calculation.known, "limitation_prevalence": older})
    limited = sum_over(calculation["limited_by_adl"], "severity").values
    wanted = [year - int(inputs.years[0]) for year in years]
    low, central, high = np.quantile(limited[wanted], list(QUANTILES.values()), axis=-1)
    return pd.DataFrame({"year": list(years), "low": low, "central": central, "high": high})


def compare_with_published(project: Project, draws: int = DEFAULT_DRAWS) -> pd.DataFrame:
    """What others calculated for the nation beside this model's any limitation, of the same ages
    and year.

    Returns : table series, definition_en, definition_zh, first_age, year, published, low, central,
              high [person], ratio (ours over theirs), note_en, note_zh
    """
    table = project.china.published_care_need
    table = table[table["unit"] == "person"]
    parts = []
    for first_age, rows in table.groupby("first_age"):
        years = sorted(set(rows["year"]))
        ours = national_care_need(project, years, int(first_age), draws)
        parts.append(rows.merge(ours, on="year", suffixes=("_published", "")))
    out = pd.concat(parts).rename(columns={"central_published": "published"})
    out["ratio"] = out["central"] / out["published"]
    columns = [
        "series",
        "definition_en",
        "definition_zh",
        "first_age",
        "year",
        "published",
        "low",
        "central",
        "high",
        "ratio",
        "note_en",
        "note_zh",
    ]
    return out[columns].sort_values(["first_age", "series", "year"]).reset_index(drop=True)


def fit_table(project: Project) -> pd.DataFrame:
    """The smooth curve beside the published cells: the curve's mean over each band, at the nation's
    ages.

    Returns : table age_band, severity, published, fitted [share]
    """
    rows = project.assumptions[project.assumptions["assumption"] == "adl_prevalence"]
    central = rows.pivot_table("central", "age_band", "severity").sort_index()
    weights = survey_weights(project.china)
    curves = severity_curves(central, weights)
    out = []
    for band in central.index:
        low, high = age_band_limits(band)
        inside = (low <= AGES) & (high >= AGES)
        for severity in LIMITED:
            fitted = np.average(curves[severity][inside], weights=weights[inside])
            out.append(
                {
                    "age_band": band,
                    "severity": severity,
                    "published": central.loc[band, severity],
                    "fitted": fitted,
                }
            )
    return pd.DataFrame(out)


def prevalence_table(project: Project, last_age: int = 100) -> pd.DataFrame:
    """The smooth rates, every fifth age, beside the published cells, each at both ends of its band.

    Returns : table part (any limitation, then each severity), series (published, smooth), age (a
              band or an age), at, value [share]; a row without a value ends each band
    """
    rows = project.assumptions[project.assumptions["assumption"] == "adl_prevalence"]
    central = rows.pivot_table("central", "age_band", "severity").sort_index()
    curves = severity_curves(central, survey_weights(project.china))
    whole = "any limitation"
    curves = {whole: np.sum(list(curves.values()), axis=0), **curves}
    cells = {whole: central.sum(axis=1), **central}
    out = []
    for part_of, curve in curves.items():
        ages = AGES[(AGES >= 65) & (last_age >= AGES) & (AGES % 5 == 0)]
        out += [(part_of, "smooth", str(age), age, curve[age]) for age in ages]
        for band, value in cells[part_of].items():
            low, high = age_band_limits(band)
            ends = ((low, value), (min(high, last_age), value), (last_age, np.nan))
            out += [(part_of, "published", band, at, value_at) for at, value_at in ends]
    columns = ["part", "series", "age", "at", "value"]
    return pd.DataFrame(out, columns=columns).assign(unit="share")


def definitions_of_cities(
    project: Project, results: Mapping[str, CityResult], year: int
) -> pd.DataFrame:
    """`definition_table` of all cities in a year, on the draws of their results.

    Returns : its table with city_id and unit; age_adjusted is `yes` or `no`
    """
    tables = []
    for city_id, result in results.items():
        draws, scenario = result.assumptions.draws, result.scenario
        table = definition_table(project, city_id, (year,), draws, scenario)
        tables.append(table.assign(city_id=city_id, unit="person"))
    whole = pd.concat(tables, ignore_index=True)
    return whole.assign(age_adjusted=np.where(whole["age_adjusted"], "yes", "no"))


def variants_side_by_side(runs: Mapping[str, Mapping[str, CityResult]], year: int) -> pd.DataFrame:
    """Beds, care workers and yearly cost by what care is taken to be: today's habits carried on,
    need by the rule, use at the rates of peers, and the patterns of policies.

    runs    : results by scenario, those of `VARIANTS` among them
    Returns : table city_id, indicator, scenario, measure, year, low, central, high, unit, rule_value
              (the middle of need by the rule)
    """
    rows = []
    for scenario, measure in VARIANTS:
        for city_id, result in runs[scenario].items():
            for indicator in VARIED:
                told = result.quantity(indicator).sel(measure=measure, year=year).astype(float)
                row = {"city_id": city_id, "indicator": indicator, "scenario": scenario}
                ends = dict(zip(QUANTILES, told.quantile([*QUANTILES.values()]).values))
                unit = DECLARED[indicator].unit.replace(" ", "_")
                rows.append({**row, "measure": measure, "year": year, **ends, "unit": unit})
    table = pd.DataFrame(rows)
    rule = table[(table["scenario"] == BASELINE) & (table["measure"] == "need")]
    rule = rule.rename(columns={"central": "rule_value"})
    keys = ["city_id", "indicator"]
    return table.merge(rule[[*keys, "rule_value"]], on=keys).sort_values(keys, kind="stable")


def service_classes(project: Project, results: Mapping[str, CityResult], year: int) -> pd.DataFrame:
    """The care grades of one document applied to every city (see
    `settings.people_by_service_class`).

    Returns : table city_id, year, service_class (`total` is all of 60 and over), mean, low,
              central, high, unit
    """
    tables = []
    for city_id, result in results.items():
        people = result.calculation["people_by_severity"]
        parts = settings.people_by_service_class(people, project.china.care_grades)
        parts[TOTAL] = sum_over(people, "severity")
        for name, array in parts.items():
            found = summarise(label(array, result.inputs.years).sel(year=[year]), mean=True)
            tables.append(found.assign(city_id=city_id, service_class=name, unit="person"))
    return pd.concat(tables, ignore_index=True)
