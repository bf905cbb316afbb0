"""The plan: what a city needs year by year, column by column, with means that add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.engine.quantity import DECLARED
from eldercare.inputs.load import City, Project
from eldercare.inputs.schema import BED_TYPES
from eldercare.model.areas import area_inputs
from eldercare.model.beds import CONSTRUCTION_TYPES
from eldercare.model.chain import LAST_YEAR, QUANTILES, CityResult, run_city
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


# What is told of each county: column, quantity, where.
COUNTY_PLAN: dict[str, Column] = {
    "60_plus": ("population_60_plus", {}),
    "bed_total": ("beds_total_needed", NEED),
    "care_workers": ("caregivers_total_needed", NEED),
    "cost_all": ("cost_total", NEED),
}
COUNTY_YEARS = (2030, 2035)
COUNTY_DRAWS = 128
ALL_COUNTIES = 0


def counties_of(project: Project, adcode: int) -> list[int]:
    """Codes of the counties of a prefecture, in order; none of an area without parts."""
    areas = area_inputs(project.china)
    return sorted(areas["area"].values[areas["parent"].values == adcode].tolist())


@lru_cache(maxsize=8)
def _run_counties(project: Project, city: City, scenario: str) -> dict[int, CityResult]:
    """The counties of a prefecture by code, each run on the assumptions of the prefecture."""
    names = [quantity for quantity, _ in COUNTY_PLAN.values()]
    found = {}
    for code in counties_of(project, city.adcode) if city.population_basis == "resident" else []:
        county = replace(city, adcode=code, capacity=None)
        alone = replace(project, cities={city.city_id: county})
        found[code] = run_city(
            alone, city.city_id, scenario, COUNTY_DRAWS, last_year=COUNTY_YEARS[-1], names=names
        )
    return found


def county_table(project: Project, result: CityResult) -> pd.DataFrame:
    """Each county of a prefecture through the whole chain, on the assumptions of the prefecture.

    Defined as::  told(county) = own result x mean of the prefecture / sum of the means of its counties

    so that the means add up. The ranges are each county's own and do not.

    Returns : table adcode (`ALL_COUNTIES` for the prefecture), column, year, low, central (the mean),
              high, unit, factor (by which the counties were scaled); empty without counties, or
              where the people are registered ones
    """
    counties = _run_counties(project, result.city, result.scenario)
    codes = list(counties)
    found = {ALL_COUNTIES: result, **counties} if codes else {}
    rows = []
    for column, (quantity, where) in COUNTY_PLAN.items():
        for year in COUNTY_YEARS:
            ends = {
                code: mean_range(amount(one, quantity, {**where, "year": year}))
                for code, one in found.items()
            }
            parts = sum(ends[code]["central"] for code in codes)
            factor = ends[ALL_COUNTIES]["central"] / parts if codes else np.nan
            for code, told in ends.items():
                scale = 1.0 if code == ALL_COUNTIES else factor
                key = {"adcode": code, "column": column, "year": year}
                rows.append({**key, **told * scale, "unit": plan_unit(quantity), "factor": factor})
    columns = ["adcode", "column", "year", *QUANTILES, "unit", "factor"]
    return pd.DataFrame(rows, columns=columns)
