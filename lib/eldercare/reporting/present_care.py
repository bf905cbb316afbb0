"""Care need and places of care as a reader meets them: rounded tables and sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from eldercare.analysis import health
from eldercare.analysis.definitions import ORDER, beside_published, definition_table, fit_table
from eldercare.inputs.draws import DEFAULT_DRAWS
from eldercare.inputs.load import BASELINE, Project
from eldercare.model import settings
from eldercare.model.chain import LAST_YEAR, TOTAL, CityResult, run_city, stock_of_beds
from eldercare.model.need import LIMITED
from eldercare.reporting.present import (
    NOT_AVAILABLE,
    mean_text,
    range_text,
    text_number,
    text_percent,
)

SCENARIO_WORDS = {
    BASELINE: "baseline",
    "need_met": "use rises to need",
    "policy_90_7_3": "policy pattern 90-7-3",
    "policy_96_4": "policy pattern 96-4",
    "healthier": "healthier: the fall of 2011-18 goes on",
    "frailer_85_plus": "frailer from 85 on",
    "fewer_families": "families can care for less",
    "better_use_of_beds": "beds kept fuller",
}


def definitions_in_words(
    project: Project, results: dict[str, CityResult], year: int
) -> pd.DataFrame:
    """People in need of care under five definitions, a row a definition, a column a city."""
    columns = {}
    for city_id, result in results.items():
        table = definition_table(
            project, city_id, (year,), result.assumptions.draws, result.scenario
        )
        table = table.set_index("definition")
        columns[result.city.name_en] = {
            name: f"{text_number(row.central)} ({row.share_of_60_plus * 100:.1f} %)"
            for name, row in table.iterrows()
        }
        adjusted = table["age_adjusted"]
    out = pd.DataFrame(columns).loc[list(ORDER)]
    out.insert(
        0,
        "age-adjusted",
        ["yes" if adjusted[name] else "no: one share for all ages" for name in out.index],
    )
    return out


def fit_in_words(project: Project) -> pd.DataFrame:
    """The published rates beside the means of the smooth curve over the same ages, in per cent."""
    table = fit_table(project)
    cells = [f"{row.published * 100:.2f} / {row.fitted * 100:.2f}" for row in table.itertuples()]
    return table.assign(cell=cells).pivot_table("cell", "age_band", "severity", aggfunc="first")[
        list(LIMITED)
    ]


def health_tables(project: Project, results: dict[str, CityResult], year: int) -> pd.DataFrame:
    """Years of life with and without care need for all cities (see `health.health_expectancy`).

    Returns : table city_id, age, sex, state, mean, low, central, high
    """
    parts = []
    for city_id, result in results.items():
        table = health.health_expectancy(result.inputs, year)
        parts.append(table.assign(city_id=city_id))
    return pd.concat(parts, ignore_index=True)


def health_in_words(tables: pd.DataFrame, results: dict[str, CityResult]) -> pd.DataFrame:
    """One row a city, age and sex: years to live, without a limitation, with one, of these severe; means, which add up."""
    rows = []
    for (city_id, age, sex), part in tables.groupby(["city_id", "age", "sex"], sort=False):
        states = part.set_index("state")["mean"]
        rows.append(
            {
                "city": results[city_id].city.name_en,
                "from age": age,
                "sex": sex,
                "years to live, mean": f"{states['all']:.1f}",
                "without limitation, mean": f"{states['none']:.1f}",
                "with a limitation, mean": f"{states[list(LIMITED)].sum():.1f}",
                "of these severe, mean": f"{states['severe']:.2f}",
            }
        )
    return pd.DataFrame(rows).set_index(["city", "from age", "sex"])


def unable_sentence(project: Project) -> str:
    """What others found for the nation: years unable to care for oneself from 60 on."""
    table = project.china.published_care_need
    men, women = (
        table.loc[table["series"] == f"wang_{sex}", "central"].item() for sex in ("men", "women")
    )
    return (
        f"Beside it: by the census question people of 60 live {men:g} (men) and {women:g} (women) years unable "
        "to care for themselves (nation, Lee-Carter and Sullivan): more than severe, less than any limitation."
    )


def published_in_words(project: Project) -> pd.DataFrame:
    """The nation by this model beside what others estimated, in millions."""
    table = beside_published(project)
    return pd.DataFrame(
        {
            "series": table["series"],
            "definition": table["definition"],
            "ages": [f"{a}+" for a in table["first_age"]],
            "year": table["year"],
            "published": [text_number(v / 1e6) for v in table["published"]],
            "any ADL limitation here": [
                range_text(r.low / 1e6, r.central / 1e6, r.high / 1e6) for r in table.itertuples()
            ],
            "here over published": [f"{ratio:.2f}" for ratio in table["ratio"]],
            "why": table["note"],
        }
    )


def family_in_words(project: Project, results: dict[str, CityResult]) -> pd.DataFrame:
    """What the census says of households, and the factor on need that follows from it."""
    rows = {}
    for result in results.values():
        home, drawn = result.inputs.households, result.assumptions
        alone = settings.share_living_alone(
            home, drawn["lone_share_of_one_older_households"].variable
        )
        couples = settings.share_in_couples(
            home, drawn["couple_share_of_two_older_households"].variable
        )
        gap = result.quantity("family_care_gap").values
        rows[result.city.name_en] = {
            "people 65+": text_number(home["people_65_plus"]),
            "households with one 65+": text_number(home["households_with_one_65plus"]),
            "households with two 65+": text_number(home["households_with_two_65plus"]),
            **{
                f"living {name}": range_text(
                    *np.quantile(values, [0.1, 0.5, 0.9]), form=text_percent
                )
                for name, values in (
                    ("alone", alone.values),
                    ("with spouse of 65+ only", couples.values),
                )
            },
            "family care gap": range_text(*np.quantile(gap, [0.1, 0.5, 0.9])),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def service_class_table(
    project: Project, results: dict[str, CityResult], year: int
) -> pd.DataFrame:
    """The care grades of Sanming's document applied to every city, beside use and need of institutions."""
    rows = {}
    for result in results.values():
        people = result.quantity("people_by_severity").sel(year=year).transpose(..., "draw")
        classes = settings.people_by_service_class(people.variable, project.china.care_grades)
        labels = project.china.care_grades.drop_duplicates("service_class").set_index(
            "service_class"
        )["label_en"]
        cells = {
            f"{labels[name]}, mean": mean_text(people_of.values)
            for name, people_of in classes.items()
        }
        cells["people of 60 and over, mean"] = mean_text(people.values.sum(axis=0))
        inside = result.values["people_by_setting"].sel(year=year, setting="institution")
        cells |= {
            f"in institutions, {measure}, middle": text_number(
                float(np.median(inside.sel(measure=measure)))
            )
            for measure in settings.MEASURES
        }
        rows[result.city.name_en] = cells
    return pd.DataFrame.from_dict(rows, orient="index")


def use_sentences(results: dict[str, CityResult], year: int) -> list[str]:
    """Today's use as the model has it, and as a city's own stock would give it where that is known."""
    out = []
    for result in results.values():
        older = result.values["population_60_plus"].sel(year=year)
        used = (
            result.values["people_by_setting"].sel(year=year, setting="institution", measure="use")
            / older
        )
        own = result.assumptions.rows.query(
            "assumption == 'setting_use_share' and setting == 'institution'"
        )
        layer = "its province" if (own["chosen_from"] == "city").any() else "the nation"
        words = (
            f"{result.city.name_en}: {np.median(used) * 100:.2f} % of people 60+ in institutions in {year}, "
            f"rates of {layer}"
        )
        stock = stock_of_beds(result.city)
        if stock is None:
            out.append(f"{words}; its own beds and residents: {NOT_AVAILABLE}.")
            continue
        residents = float(stock["value"]) * np.median(result.assumptions["observed_occupancy"])
        then = max(int(stock["year"]), int(result.values["year"].values[0]))
        share = residents / np.median(result.values["population_60_plus"].sel(year=then))
        out.append(
            f"{words}. Its own {text_number(stock['value'], 5)} beds ({int(stock['year'])}) at the occupancy of "
            f"its province would hold {text_number(residents)} people, {share * 100:.2f} % of people 60+: "
            "the count holds more than "
            "institutions, so the rate of the province stands."
        )
    return out


def scenario_results(
    project: Project,
    names: Sequence[str] = (),
    draws: int = DEFAULT_DRAWS,
    last_year: int = LAST_YEAR,
) -> dict[str, dict[str, CityResult]]:
    """Some scenarios (all, if none is named) for all cities, by scenario, on the draws of the result, up to a year."""
    there = {BASELINE, *project.scenarios}
    return {
        name: {
            city_id: run_city(project, city_id, name, draws, last_year=last_year)
            for city_id in project.cities
        }
        for name in names
        or [*(one for one in SCENARIO_WORDS if one in there), *sorted(there - set(SCENARIO_WORDS))]
    }


def scenario_words(name: str) -> str:
    """What a scenario is called; one that a planner saved is called by its own name."""
    return SCENARIO_WORDS.get(name, name.replace("_", " "))


def scenario_table(
    runs: dict[str, dict[str, CityResult]], indicator: str, year: int, **where
) -> pd.DataFrame:
    """Middle value of an indicator under each scenario, a row a scenario, a column a city."""
    return pd.DataFrame(
        {
            result.city.name_en: {
                scenario_words(name): text_number(
                    one[city_id].table(indicator, [year], **where)["central"].item()
                )
                for name, one in runs.items()
            }
            for city_id, result in next(iter(runs.values())).items()
        }
    )


def setting_with_share(results: dict[str, CityResult], year: int, measure: str) -> pd.DataFrame:
    """People of 60 and over by place of care and in all, with the share of all: means, which add up."""
    rows = {}
    for result in results.values():
        people = result.values["people_by_setting"].sel(year=year, measure=measure)
        older = result.values["population_60_plus"].sel(year=year).astype(float)
        rows[result.city.name_en] = {
            f"{setting}, mean": f"{mean_text(part.values)}; {float(part.mean() / older.mean()) * 100:.1f} %"
            for setting, part in (
                (name, people.sel(setting=name).astype(float)) for name in people["setting"].values
            )
        }
        rows[result.city.name_en][f"{TOTAL}, mean"] = mean_text(older.values)
    return pd.DataFrame.from_dict(rows, orient="index")


def spread_text(values: np.ndarray, form=text_number) -> str:
    """`central (low to high)` of draws."""
    return range_text(*np.quantile(values, [0.1, 0.5, 0.9]), form=form)
