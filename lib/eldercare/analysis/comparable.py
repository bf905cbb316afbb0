"""The same quantity promised by different plans, put on one base where their words allow it.

A ratio is converted only where the document says what it is a ratio of, or where a count can be
divided by the residents of the year; elsewhere the row says why it cannot be compared.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from eldercare.analysis.compare import is_usable
from eldercare.inputs.load import City, Project
from eldercare.inputs.schema import FOLLOW_UPS
from eldercare.model.chain import CityResult

PER_1000, PER_100 = 1000, 100
NOT_SAID = "not said"
YES, ALONE = "yes", "alone"
# Which rows of targets.csv speak of one thing; their labels are phrases.
SHARES = {
    "nursing_beds": ("nursing_bed_share",),
    "lottery_money": ("lottery_share_for_eldercare",),
    "communities": (
        "community_coverage_facilities",
        "community_coverage_day_care",
        "subdistrict_coverage_home_care_centres",
    ),
    "towns": ("township_coverage_facilities", "township_coverage_institutions"),
    "villages": ("rural_coverage_facilities",),
    "medical_service": ("institutions_with_medical_service_share",),
    "trained_before_the_job": ("caregiver_prejob_training_share",),
    "schools": ("township_share_with_older_people_school",),
}
# Ratios to older people, with what makes them one of a thousand.
RATIOS = {
    "beds_per_1000_older_people": ("beds_per_1000", 1),
    "dementia_beds_per_10000_older_people": ("dementia_beds_per_1000", 10),
    "certified_caregivers_per_10000_older_people": ("certified_per_1000", 10),
}
COUNTED = ("beds_total", "home_adaptations", "home_adaptations_per_year")
COLUMNS = ["quantity", "city_id", "target_year", "printed", "unit", "denominator"]
Promise = tuple[CityResult, pd.Series]


def comparable_table(results: dict[str, CityResult]) -> pd.DataFrame:
    """Quantities that more than one plan names, or that need a conversion, with the conversion and
    the verdict.

    Returns : table with a row for each promise: quantity, city_id, target_year, printed, unit,
              denominator as printed, value (on one base, empty where there is none) and base_unit,
              how, people (by whom it was divided), verdict
    """
    lines = [*_shares(results), *_floors(results), *_counts(results), *_ratios(results)]
    lines += _childcare(results)
    columns = [*COLUMNS, "value", "base_unit", "how", "people", "verdict"]
    table = pd.DataFrame(lines, columns=columns)
    return table.sort_values("quantity", kind="stable").reset_index(drop=True)


def _promised(results: dict[str, CityResult], indicators: Iterable[str]) -> list[Promise]:
    found = []
    for result in results.values():
        table = ledger(result.city)
        first = (table["kind"] == "target") & (table["restates"] == "")
        rows = table[first & table["indicator"].isin(indicators)]
        found += [(result, row) for _, row in rows.iterrows() if is_usable(row)]
    return found


def _line(quantity: str, promise: Promise, verdict: str, value="", how="", people="") -> dict:
    result, row = promise
    unit = "share" if row["unit"] == "share" else "plain"
    told = {"value": value, "base_unit": unit, "how": how, "people": people, "verdict": verdict}
    return {**row, "quantity": quantity, "city_id": result.city.city_id, **told}


def residents(result: CityResult, indicator: str, year: float) -> float | None:
    """The middle count of residents of a year; None for a year that is not calculated."""
    array = result.values[indicator]
    if pd.isna(year) or int(year) not in array["year"].values:
        return None
    return float(array.sel(year=int(year)).median())


def _shares(results: dict[str, CityResult]) -> Iterator[dict]:
    """Shares: comparable only where two cities say it of the same whole."""
    for quantity, indicators in SHARES.items():
        promises = _promised(results, indicators)
        said = [(r["indicator"], r["denominator"], result.city.city_id) for result, r in promises]
        alone = len({city_id for *_, city_id in said}) < 2
        for promise, (indicator, whole, city_id) in zip(promises, said):
            others = {city for one, of, city in said if (one, of) == (indicator, whole)}
            if NOT_SAID in whole:
                yield _line(quantity, promise, "whole_not_said")
            elif others - {city_id}:
                yield _line(quantity, promise, YES, promise[1]["value"], "same_whole")
            else:
                yield _line(quantity, promise, ALONE if alone else "other_whole")


def _floors(results: dict[str, CityResult]) -> Iterator[dict]:
    """What a nursing share of all beds says at least of institution beds."""
    for promise in _promised(results, ["nursing_bed_share"]):
        if promise[1]["measured_by"] == "nursing_bed_share_of_all_needed":
            share = promise[1]["value"]
            yield _line("nursing_beds_of_institutions", promise, "lower_bound", share, "floor")


def _counts(results: dict[str, CityResult]) -> Iterator[dict]:
    """Counts divided by the residents of 60 and over of the year."""
    promises = _promised(results, COUNTED)
    names = []
    for _, row in promises:
        yearly = "per_year" in row["indicator"] or row["scope"].startswith("annex_")
        homes = "homes_a_year_per_1000" if yearly else "homes_per_1000"
        names.append("beds_per_1000" if row["indicator"] == "beds_total" else homes)
    cities = {(name, result.city.city_id) for name, (result, _) in zip(names, promises)}
    for name, (result, row) in zip(names, promises):
        year = result.city.plan_year if "per_year" in row["indicator"] else row["target_year"]
        people = residents(result, "population_60_plus", float(year or math.nan))
        if people is None:
            yield _line(name, (result, row), "no_count")
            continue
        verdict = ALONE if sum(name == one for one, _ in cities) < 2 else YES
        rate = row["value"] / people * PER_1000
        yield _line(name, (result, row), verdict, rate, "residents_60_plus", f"{people:,.0f}")
    for promise in _promised(results, ["home_adaptations_pilot_per_town"]):
        yield _line("homes_per_1000", promise, "no_towns")


def _ratios(results: dict[str, CityResult]) -> Iterator[dict]:
    """Ratios to older people of whom neither age nor basis is said."""
    for indicator, (quantity, per) in RATIOS.items():
        for promise in _promised(results, [indicator]):
            verdict, how = ("basis_not_said", "as_printed") if per == 1 else ("only_unit", "unit")
            yield _line(quantity, promise, verdict, promise[1]["value"] / per, how)


def _childcare(results: dict[str, CityResult]) -> Iterator[dict]:
    """Places promised per 1,000 residents, for each 100 children under 3."""
    for result, row in _promised(results, ["childcare_places_per_1000_population"]):
        people, children = (
            residents(result, name, row["target_year"]) or math.nan
            for name in ("population_total", "population_under_3")
        )
        if math.isfinite(people / children):
            rate = row["value"] * people / PER_1000 / children * PER_100
            told = ("alone_basis_not_said", rate, "children", f"{children:,.0f}")
            yield _line("childcare_places_per_100", (result, row), *told)


def ledger_counts(project: Project) -> pd.DataFrame:
    """How many figures each document holds, by what can be done with them; a row a city."""
    rows = {}
    for city in project.cities.values():
        table = city.targets
        kinds = {name: int((table["follow_up"] == name).sum()) for name in FOLLOW_UPS}
        marks = {name: int((table[name] != "").sum()) for name in ("suspect", "restates")}
        rows[city.city_id] = {"figures": len(table), **kinds, **marks}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("city_id")


def ledger(city: City) -> pd.DataFrame:
    """Every figure of a city's document in its order, as printed; its reason told by the quantity
    that measures it.

    A damaged figure is marked ✗; where the row's reading confirms the printed value, the mark is
    (✗).

    Returns : the rows of targets.csv with columns printed, usable, because; ids without the city's
              name
    """
    table = city.targets
    high = [f"–{value:.10g}" if np.isfinite(value) else "" for value in table["value_high"]]
    usable = [is_usable(row) for _, row in table.iterrows()]
    marks = [
        "" if suspect == "" else " (✗)" if whole else " ✗"
        for suspect, whole in zip(table["suspect"], usable)
    ]
    return table.assign(
        target_id=table["target_id"].str.removeprefix(f"{city.city_id}_"),
        restates=table["restates"].str.removeprefix(f"{city.city_id}_"),
        printed=[f"{v:.10g}{end}{mark}" for v, end, mark in zip(table["value"], high, marks)],
        usable=np.where(usable, "yes", "no"),
        year=table["target_year"].fillna(table["base_year"]),
        because=table["measured_by"].where(table["measured_by"] != "", table["follow_up_reason"]),
    )
