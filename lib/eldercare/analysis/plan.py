"""The plan: what a city needs year by year, column by column, with means that add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.engine.quantity import DECLARED
from eldercare.inputs.schema import BED_TYPES
from eldercare.model.beds import CONSTRUCTION_TYPES
from eldercare.model.chain import LAST_YEAR, QUANTILES, CityResult
from eldercare.model.financing import PAYERS
from eldercare.model.need import LIMITED
from eldercare.model.workforce import WORKPLACES

# The years of a five-year plan, one by one, and two beyond.
PLAN_YEARS = (*range(2026, 2031), 2035, LAST_YEAR)
NEED, USE = {"measure": "need"}, {"measure": "use"}
LIMITED_LIST, TYPES, KINDS = list(LIMITED), list(BED_TYPES), list(CONSTRUCTION_TYPES)
PLACED, WAITING = {**NEED, "line": "placed"}, {**NEED, "line": "waiting"}
ALONE = {"path": "today"}
# Table, column, quantity, where; a list of labels is summed over. Those of one table that end in
# `_all` are the sum of the columns before them.
Column = tuple[str, Mapping[str, Any]]
PLAN: dict[str, dict[str, Column]] = {
    "people": {
        "60_plus": ("population_60_plus", {}),
        "65_plus": ("population_65_plus", {}),
        "80_plus": ("population_80_plus", {}),
        "living_alone": ("people_living_alone", {}),
        "dementia": ("people_with_dementia", {}),
    },
    "limited": {
        **{name: ("care_need", {"severity": name}) for name in LIMITED},
        "limited_all": ("care_need", {"severity": LIMITED_LIST}),
    },
    "beds": {
        **{f"bed_{name}": ("beds_needed", {**NEED, "bed_type": name}) for name in BED_TYPES},
        "bed_all": ("beds_institution_needed", NEED),
        "nursing_share": ("nursing_bed_share_needed", NEED),
        "day_care": ("day_care_places_needed", NEED),
    },
    "supply": {
        "decided": ("beds_decided", {**NEED, "bed_type": TYPES}),
        "beyond": ("beds_beyond_decided", NEED),
        "placed": ("residents_and_waiting", {**PLACED, "bed_type": TYPES}),
        "waiting": ("residents_and_waiting", {**WAITING, "bed_type": TYPES}),
        "left_empty": ("beds_left_empty", {**NEED, "bed_type": TYPES}),
        "left_empty_use": ("beds_left_empty", {**USE, "bed_type": TYPES}),
    },
    "building": {
        **{f"beds_{name}": ("beds_built_by_kind", {**NEED, "kind": name}) for name in KINDS},
        "beds_all": ("beds_built", NEED),
        "respite": ("respite_beds_needed", NEED),
        "adapted": ("home_adaptations_needed", NEED),
        "premises": ("premises_area_needed", {}),
    },
    "workers": {
        **{f"at_{name}": ("caregivers_needed", {**NEED, "workplace": name}) for name in WORKPLACES},
        "at_all": ("caregivers_total_needed", NEED),
        "in_post": ("caregivers_stock", ALONE),
        "to_train": ("training_intake", {"path": "programme"}),
    },
    "money": {
        "investment": ("building_cost_needed", NEED),
        "running": ("running_cost_needed", NEED),
        "cost_all": ("cost_total", NEED),
    },
    "payers": {
        **{f"by_{name}": ("payment", {**NEED, "payer": name}) for name in PAYERS},
        "by_all": ("cost_total", NEED),
    },
}
STOCK_NEEDED = "supply"


def amount(result: CityResult, quantity: str, where: Mapping[str, Any]) -> xr.DataArray:
    """A quantity at some labels, summed over those dims of which a list of labels is named."""
    array = result.quantity(quantity).sel(where)
    lists = [dim for dim, label in where.items() if isinstance(label, list)]
    return array.astype(float).sum(lists, skipna=False) if lists else array.astype(float)


def mean_range(array: xr.DataArray) -> pd.Series:
    """Low, mean and high of draws; the mean stands where else the middle does, so that parts add up.

    array   : array  dims draw
    Returns : Series low, central (the mean), high
    """
    ends = np.quantile(array.values, list(QUANTILES.values())).tolist()
    return pd.Series(dict(zip(QUANTILES, ends)) | {"central": float(array.astype(float).mean())})


def plan_unit(quantity: str) -> str:
    """The unit of a quantity as its column heads it: what is counted over a year is a count of the year."""
    return DECLARED[quantity].unit.removesuffix(" per year").replace(" ", "_")


def plan_table(result: CityResult, years: Sequence[int] = PLAN_YEARS) -> pd.DataFrame:
    """The plan of a city: every column of `PLAN` in every year.

    Returns : table table, column, year, low, central (the mean, by which parts add up), high, unit;
              NaN where what a quantity rests on is not collected here
    """
    rows = []
    for table, columns in PLAN.items():
        for column, (quantity, where) in columns.items():
            array = amount(result, quantity, where)
            for year in years:
                ends = mean_range(array.sel(year=year))
                key = {"table": table, "column": column, "year": year}
                rows.append({**key, **ends, "unit": plan_unit(quantity)})
    return pd.DataFrame(rows)
