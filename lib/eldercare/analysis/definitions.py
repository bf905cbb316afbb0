"""The same people under several definitions of care need, and the nation beside what others reckoned."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.inputs.checks import age_band_limits
from eldercare.inputs.draws import DEFAULT_DRAWS, Assumptions, draw_assumptions
from eldercare.inputs.load import BASELINE, NATION, Project
from eldercare.model.areas import settled_area
from eldercare.model.base import AGES
from eldercare.model.health import QUANTILES
from eldercare.model.need import (
    FIRST_AGE,
    LIMITED,
    SURVEY_YEAR,
    adl_prevalence,
    care_need,
    drift,
    drift_of_oldest,
    severity_curves,
    survey_weights,
)
from eldercare.model.population import people_in, project_area

BY_SHARE = {
    "census question": "care_need_share_census_question",
    "fifth national survey": "care_need_share_fifth_survey",
    "ADL or IADL": "care_need_share_adl_or_iadl",
}
BY_AGE = {"severe ADL limitation": ("severe",), "any ADL limitation": LIMITED}
ORDER = (
    "census question",
    "severe ADL limitation",
    "any ADL limitation",
    "fifth national survey",
    "ADL or IADL",
)


def limited_from(
    population: xr.DataArray, project: Project, assumptions: Assumptions, first_age: int = FIRST_AGE
) -> xr.DataArray:
    """People with a limitation in daily living from an age on.

    Returns : array [person]  dims draw, year, severity
    """
    years = population["year"].values
    older = population.where(population["age"] >= first_age, 0.0)
    return care_need(
        older,
        adl_prevalence(project.china, assumptions),
        drift(assumptions, "adl_prevalence_drift", years, SURVEY_YEAR),
        drift_of_oldest(assumptions, years),
    )


def people_by_definition(
    population: xr.DataArray, limited: xr.DataArray, assumptions: Assumptions
) -> dict[str, xr.DataArray]:
    """People of 60 and over in need of care under each definition; how many people there are stays the same.

    Where a source prints rates by age they meet the city's own ages; where it prints one share of all
    people of 60 and over, that share is applied, and is not age-adjusted.

    population : array [person]  dims draw, year, sex, age
    limited    : array [person]  dims draw, year, severity
    Returns    : arrays [person]  dims draw, year, by definition, the narrowest first
    Source     : assumptions `adl_prevalence`, `care_need_share_census_question`,
                 `care_need_share_fifth_survey`, `care_need_share_adl_or_iadl`
    """
    older = people_in(population, FIRST_AGE)
    parts = {name: older * assumptions[row] for name, row in BY_SHARE.items()}
    parts |= {
        name: limited.sel(severity=list(which)).sum("severity", skipna=False)
        for name, which in BY_AGE.items()
    }
    return {name: parts[name] for name in ORDER}


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
    city = project.city(city_id)
    assumptions = draw_assumptions(project, city, scenario, draws)
    population = project_area(
        project.china, settled_area(project, city.adcode, draws=draws), assumptions, max(years)
    )
    population = population.sel(year=list(years))
    people = people_by_definition(
        population, limited_from(population, project, assumptions), assumptions
    )
    older = people_in(population, FIRST_AGE)
    rows = []
    for name, array in people.items():
        for year in years:
            counts, everyone = array.sel(year=year).values, older.sel(year=year).values
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
    assumptions = draw_assumptions(project, None, BASELINE, draws)
    population = project_area(
        project.china, settled_area(project, NATION, draws=draws), assumptions, max(years)
    )
    limited = limited_from(population.sel(year=list(years)), project, assumptions, first_age).sum(
        "severity"
    )
    low, central, high = np.quantile(limited.values, list(QUANTILES.values()), axis=0)
    return pd.DataFrame({"year": list(years), "low": low, "central": central, "high": high})


def beside_published(project: Project, draws: int = DEFAULT_DRAWS) -> pd.DataFrame:
    """What others reckoned for the nation beside this model's any limitation, of the same ages and year.

    Returns : table series, definition, first_age, year, published, low, central, high [person],
              ratio (ours over theirs)
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
        "definition",
        "first_age",
        "year",
        "published",
        "low",
        "central",
        "high",
        "ratio",
        "note",
    ]
    return out[columns].sort_values(["first_age", "series", "year"]).reset_index(drop=True)


def fit_table(project: Project) -> pd.DataFrame:
    """The smooth curve beside the published cells: the curve's mean over each band, at the nation's ages.

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
