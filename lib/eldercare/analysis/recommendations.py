"""What to do first: rules of data/recommendations.csv held against the draws of a city's plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.analysis.assumption_log import GUESSES
from eldercare.analysis.compare import compare_policy
from eldercare.analysis.plan import PLAN, amount, mean_range, plan_unit
from eldercare.engine.quantity import quantity
from eldercare.inputs.load import Project
from eldercare.inputs.schema import DataFault, Fault
from eldercare.model.chain import CityResult, stock_of_beds

FILE = "recommendations.csv"
SURE = 0.8  # a rule whose condition holds in fewer of the draws is not supported by its range
COLUMNS = {name: one for columns in PLAN.values() for name, one in columns.items()}
GUESS_SHARE = "guess_share"
NURSING = "nursing_bed_share_needed"


def to_measure_first(
    project: Project, result: CityResult, spread: pd.DataFrame
) -> dict[str, Any] | None:
    """The assumption that makes most of the spread of the beds needed among those that a city can measure.

    spread  : table assumption, share_of_spread of the beds (`compare.influence` or `sensitivity.tornado`)
    Returns : assumption, share_of_spread, is_guess; None where none of them moves the beds
    """
    steps = project.assumption_steps.set_index("assumption")["local"]
    local = spread[spread["assumption"].map(steps).eq("yes")]
    if local.empty:
        return None
    first = local.sort_values("share_of_spread", ascending=False, kind="stable").iloc[0]
    rows = result.assumptions.rows
    bases = rows.loc[rows["assumption"] == first["assumption"], "basis"]
    share = {"share_of_spread": float(first["share_of_spread"])}
    return {"assumption": first["assumption"], **share, "is_guess": bool(bases.isin(GUESSES).any())}


def _nursing_target(project: Project, result: CityResult, year: int) -> float:
    """The share of nursing beds that nation or province ask for by a year, the last of them."""
    table = compare_policy(project, result)
    rows = table[(table["measured_by"] == NURSING) & (table["target_year"] <= year)]
    return float(rows.sort_values("target_year")["promised"].iloc[-1]) if len(rows) else np.nan


def _beds_counted(_project: Project, result: CityResult, _year: int) -> float:
    return 0.0 if stock_of_beds(result.city) is None else 1.0


def _day_care_counted(_project: Project, result: CityResult, _year: int) -> np.ndarray | float:
    """Places of day care in the stock, which counts beds of all kinds."""
    stock = stock_of_beds(result.city)
    share = result.assumptions["institution_share_of_beds"].values
    return np.nan if stock is None else float(stock["value"]) * (1 - share)


# Names of conditions beside the columns of the plan: what a city has or lacks, and the unit.
OTHERS: dict[str, tuple[Callable[[Project, CityResult, int], np.ndarray | float], str]] = {
    "beds_counted": (_beds_counted, "count"),
    "day_care_counted": (_day_care_counted, "place"),
    "target_nursing_share": (_nursing_target, "share"),
}


def names_in(condition: str) -> list[str]:
    """The names of a condition, without its `and`."""
    return [name for name in re.findall(r"[a-z][a-z0-9_]*", condition) if name != "and"]


def check_rules(rules: pd.DataFrame) -> None:
    """Raise DataFault with each name of the rules that is no column of the plan nor one of `OTHERS`."""
    known = {*COLUMNS, *OTHERS, GUESS_SHARE}
    faults = [
        Fault(
            FILE, place + 2, column, f"“{name}” is no amount; there are: {', '.join(sorted(known))}"
        )
        for place, row in enumerate(rules.to_dict("records"))
        for column in ("condition", "amount")
        for name in names_in(row[column])
        if name not in known
    ]
    if faults:
        raise DataFault(faults)


def _drawn(project: Project, result: CityResult, name: str, year: int, found):
    if name == GUESS_SHARE:
        return found["share_of_spread"] if found and found["is_guess"] else 0.0
    if name in OTHERS:
        return OTHERS[name][0](project, result, year)
    what, where = COLUMNS[name]
    return amount(result, what, {**where, "year": year}).values


def _unit(name: str) -> str:
    if name in COLUMNS:
        return plan_unit(COLUMNS[name][0])
    return "share" if name == GUESS_SHARE else OTHERS[name][1]


def holds(condition: str, drawn: Mapping[str, np.ndarray | float], draws: int) -> float:
    """Share of draws in which a condition holds; an amount that is not collected here fulfils none.

    drawn : what its names stand for, a number or one a draw
    """
    table = pd.DataFrame({name: np.broadcast_to(value, draws) for name, value in drawn.items()})
    known = table.notna().all(axis=1)
    return float((table.eval(condition, engine="python").astype(bool) & known).mean())


@quantity(name="share_of_draws_a_rule_holds", unit="share", of=())
def recommend(project: Project, result: CityResult, spread: pd.DataFrame) -> pd.DataFrame:
    """The rules whose condition a city's own range supports, the most urgent (first in the table) first.

    Defined as::  recommended if share of draws in which the condition holds >= 0.8

    spread  : see `to_measure_first`
    Returns : the rows of recommendations.csv that are recommended, with share [of draws], low,
              central (the mean), high, unit of the amount, and factor (the assumption to measure)
    Raises  : DataFault if a rule names an amount that there is not
    """
    rules, draws = project.recommendations, result.assumptions.draws
    check_rules(rules)
    found = to_measure_first(project, result, spread)
    rows = []
    for rule in rules.to_dict("records"):
        year = int(rule["year"])
        names = {*names_in(rule["condition"]), rule["amount"]}
        drawn = {name: _drawn(project, result, name, year, found) for name in names}
        asked = {name: drawn[name] for name in names_in(rule["condition"])}
        share = holds(rule["condition"], asked, draws)
        told = xr.DataArray(np.broadcast_to(drawn[rule["amount"]], draws), dims="draw")
        if share < SURE or not np.isfinite(told).all():
            continue
        unit = _unit(rule["amount"])
        more = {"share": share, "unit": unit, "factor": found["assumption"] if found else ""}
        rows.append({**rule, "year": year, **more, **mean_range(told)})
    columns = [*rules.columns, "share", "unit", "factor", "low", "central", "high"]
    return pd.DataFrame(rows, columns=columns)
