"""What stands beside care: rooms in residential estates (社区养老服务用房) and places for children under 3
(托位).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from eldercare.engine.arrays import Array, least
from eldercare.engine.quantity import quantity
from eldercare.inputs.load import NATION, China

PER_100_HOUSEHOLDS = 100
PER_1000 = 1_000
PLACES_PER_CHILD = 1  # a child holds one place
CENSUS_YEAR = 2020
COUNTED = ["households", "urban", "population"]


def census_row(china: China, adcode: int) -> pd.Series:
    """Households, urban people and all people of an area at the census of 2020; of the nation, the
    sum of its provinces.
    """
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


@quantity(unit="household", dims=("year",))
def urban_households(census_households: pd.Series, population_total: Array) -> Array:
    """Urban households of an area by year, household size and urban share held as in the census of
    2020.

    Defined as::  households(t) = households(2020) x urban share x people(t) / people(2020)
    """
    households, urban, people = (float(census_households[column]) for column in COUNTED)
    return population_total * (households * urban / people**2)


@quantity(unit="square metre", dims=("year",))
def premises_area_needed(
    urban_households: Array,
    premises_area_new: Array,
    premises_area_existing: Array,
    urban_new_estate_share: Array,
) -> Array:
    """Area that the rule asks of all urban estates together; the least size of one can only raise
    it.

    Defined as::  area = households / 100 x (new share x area new + (1 - new share) x area existing)
    """
    new = urban_new_estate_share
    per_100 = new * premises_area_new + (1 - new) * premises_area_existing
    return urban_households / PER_100_HOUSEHOLDS * per_100


@quantity(unit="place", dims=("year",))
def childcare_places_used(population_under_3: Array, childcare_enrolment: Array) -> Array:
    """Childcare places that children take up.

    Defined as::  children under 3 x enrolment x one place each
    """
    return population_under_3 * childcare_enrolment * PLACES_PER_CHILD


@quantity(unit="place", dims=("year",))
def childcare_places_wanted(population_under_3: Array, childcare_wanted_share: Array) -> Array:
    """Childcare places that families say they want.

    Defined as::  children under 3 x share x one place each
    """
    return population_under_3 * childcare_wanted_share * PLACES_PER_CHILD


@quantity(unit="place per 1,000 person", dims=("year",))
def childcare_places_per_1000_used(childcare_places_used: Array, population_total: Array) -> Array:
    """Childcare places used per 1,000 people.

    Defined as::  places used / people x 1,000
    """
    return childcare_places_used / population_total * PER_1000


@quantity(unit="place", dims=("year",), of=("population_total",))
def childcare_places_promised(population: Array, per_1000: float) -> Array:
    """Places that a promise per 1,000 people comes to.

    Defined as::  places = people x places per 1,000 / 1,000

    population : array [person]
    per_1000   : number [place per 1,000 person]
    Returns    : array [place]  the same dims
    """
    return population * per_1000 / PER_1000


def filled_share(used: Array, places: Array) -> Array:
    """How full the places are.  Defined as::  share = least(places used, places) / places

    used, places : array [place]
    Returns      : array [share]  0 to 1
    """
    return least(used, places) / places
