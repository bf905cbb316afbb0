"""Rooms for eldercare in residential estates (社区养老服务用房): area by households, and its least size."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.inputs.draws import Assumptions
from eldercare.inputs.load import NATION, China

PER_100_HOUSEHOLDS = 100
CENSUS_YEAR = 2020
COUNTED = ["households", "urban", "population"]


def census_row(china: China, adcode: int) -> pd.Series:
    """Households, urban people and all people of an area at the census of 2020; of the nation, the sum of its provinces."""
    table = china.areas.xs(CENSUS_YEAR, level="year")
    codes = table.index[table["level"] == "province"] if adcode == NATION else [adcode]
    return table.loc[codes, COUNTED].astype(float).sum(skipna=False)


def premises_of_estate(households: np.ndarray, per_100: float, minimum: float) -> np.ndarray:
    """Area one estate must provide [square metre].

    Defined as::  area = greatest(households / 100 x area per 100 households, least area)

    households : array [household]
    per_100    : number [square metre per 100 household]
    minimum    : number [square metre]
    Returns    : array [square metre]; 0 for an estate without households
    """
    area = np.maximum(np.asarray(households, float) / PER_100_HOUSEHOLDS * per_100, minimum)
    return np.where(np.asarray(households) > 0, area, 0.0)


def households_per_premises(per_100: float, minimum: float) -> float:
    """Households from which the ratio asks for more than the least area.

    Defined as::  households = least area / area per 100 households x 100

    per_100 : number [square metre per 100 household]
    minimum : number [square metre]
    Returns : number [household]
    """
    return minimum / per_100 * PER_100_HOUSEHOLDS


def urban_households(area: pd.Series, population: xr.DataArray) -> xr.DataArray:
    """Urban households of an area by year, household size and urban share held as in the census of 2020.

    Defined as::  households(t) = households(2020) x urban share x people(t) / people(2020)

    area       : the area's row of the census table of 2020
    population : array [person]  dims draw, year
    Returns    : array [household]  dims draw, year
    """
    return population * (
        float(area["households"]) * float(area["urban"]) / float(area["population"]) ** 2
    )


def premises_area(households: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Area that the rule asks of all urban estates together; the least size of one can only raise it.

    Defined as::  area = households / 100 x (new share x area new + (1 - new share) x area existing)

    households : array [household]  dims draw, year
    Returns    : array [square metre]  dims draw, year
    Source     : assumptions `premises_area_new`, `premises_area_existing`, `urban_new_estate_share`
    """
    new = assumptions["urban_new_estate_share"]
    per_100 = (
        new * assumptions["premises_area_new"] + (1 - new) * assumptions["premises_area_existing"]
    )
    return households / PER_100_HOUSEHOLDS * per_100
