"""The area of a city: its residents, or the registered people (户籍) where a city has only these by age."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd

from eldercare.inputs.draws import DEFAULT_DRAWS, Assumptions, draw_assumptions
from eldercare.inputs.load import BASELINE, City, Project
from eldercare.inputs.schema import ages_meant
from eldercare.model.area import Area, Rates, child_woman_ratio, describe_area, rates_of
from eldercare.model.areas import LAST_YEAR, keep_mean, settled_area
from eldercare.model.base import AGES, BASE_YEAR, SEXES, national_population
from eldercare.model.family import error_spread
from eldercare.model.population import (
    CENSUS_TO_YEAR_END,
    carry,
    people_in,
    project_area,
    survival_places,
)

REGISTERED = "registered"
ROUNDS = 20
RATIO_AGES = {"total": 0, "60+": 60, "65+": 65, "80+": 80}


def area_of_city(
    project: Project, city: City, scenario: str = BASELINE, draws: int = DEFAULT_DRAWS
) -> Area:
    """The people that a city's chain starts from, by `population_basis` of its city.csv.

    Returns : `areas.settled_area` for residents, `registered_area` for registered people
    Raises  : KeyError if the census of 2020 has no such area, or for an unknown scenario
    """
    if city.population_basis == REGISTERED:
        return registered_area(project, city, scenario, draws)
    return settled_area(project, city.adcode, scenario, draws)


@lru_cache(maxsize=16)
def registered_area(
    project: Project, city: City, scenario: str = BASELINE, draws: int = DEFAULT_DRAWS
) -> Area:
    """A city by its registered people, so that its projection meets their table by age.

    Defined as::  base(x) = residents of the census(x) x registered / residents projected, at the age that x has on
                  the day of the table

    Registered people are projected as residents are, with the survival and fertility of the province, but nobody is
    taken to move: how the registers gain and lose by moves is not known here. Within a band of the table single ages
    are those of the residents. They are no part of the family of areas and no count of residents moves them. Who was
    born after the census is projected, whatever the table says.

    Source  : population_by_age.csv of the city
    Raises  : KeyError as of `area_of_city`
    """
    china, rates = project.china, rates_of(project.china)
    assumptions = draw_assumptions(project, None, scenario, draws)
    residents = describe_area(china, city.adcode)
    area = replace(residents, change_facts=np.zeros_like(residents.change_facts))
    ratio = _ratio_of_base(area, rates, assumptions, city.population_by_age)
    base = area.base * ratio
    # The people of 2010 were ten years younger: they are changed as the same cohorts of 2020 are.
    ten_years_on = ratio[:, np.minimum(AGES + 10, AGES[-1])]
    scale, freedom, correlation = error_spread(china, base.sum())
    area = replace(
        area,
        base=base,
        earlier=area.earlier * ten_years_on,
        fertility_ratio=child_woman_ratio(base)
        / child_woman_ratio(national_population(china, 2020)),
        error_scale=scale,
        error_freedom=freedom,
        error_correlation=correlation,
    )
    places = survival_places(rates, assumptions, np.arange(2021, LAST_YEAR + 1))
    return keep_mean(area, rates, assumptions, places)


def _ratio_of_base(
    area: Area, rates: Rates, assumptions: Assumptions, table: pd.DataFrame
) -> np.ndarray:
    """By how much registered people are more than residents at the census, so that the table is met; dims sex, age.

    It is found by going back and forth: a band of the table and single ages at the census do not quite meet, since
    the census lies two months before the end of its year.
    """
    last = int(table["date"].iloc[0][:4])
    passed = last - BASE_YEAR
    places = survival_places(rates, assumptions, np.arange(2021, max(last, 2021) + 1))
    bands = []
    for row in table.itertuples():
        first, end = ages_meant(str(row.age))
        sexes = [row.sex in ("", sex) for sex in SEXES]
        bands.append((np.outer(sexes, (first <= AGES) & (end >= AGES)), float(row.value)))
    ratio, later = np.ones_like(area.base), np.minimum(AGES + passed, AGES[-1])
    for _ in range(ROUNDS):
        now = replace(area, base=area.base * ratio)
        people = carry(now, rates, assumptions, max(last, 2021), places)[:, passed].mean(axis=0)
        step = np.ones_like(ratio)
        for inside, counted in bands:
            there = people[inside].sum()
            step[inside] = counted / there if there > 0 else 1.0
        after = step[:, later]
        next_age = step[:, np.minimum(later + 1, AGES[-1])]
        ratio = ratio * (after * (1 - CENSUS_TO_YEAR_END) + next_age * CENSUS_TO_YEAR_END)
    return ratio


def registered_over_resident(
    project: Project, city: City, draws: int = DEFAULT_DRAWS, years=(2020, 2035)
) -> pd.DataFrame:
    """How many registered people stand for a resident, without which no promise to residents may be held against them.

    Defined as::  ratio = mean of registered people / mean of residents

    Returns : table age, year, registered, resident [person], ratio; empty for a city of residents
    """
    columns = ["age", "year", "registered", "resident", "ratio"]
    if city.population_basis != REGISTERED:
        return pd.DataFrame(columns=columns)
    assumptions = draw_assumptions(project, draws=draws)
    registered, resident = (
        project_area(project.china, area, assumptions, max(max(years), 2021))
        for area in (
            registered_area(project, city, draws=draws),
            settled_area(project, city.adcode, draws=draws),
        )
    )
    rows = []
    for age, first in RATIO_AGES.items():
        for year in years:
            one, other = (
                float(people_in(population.sel(year=year), first).mean())
                for population in (registered, resident)
            )
            rows.append((age, year, one, other, one / other))
    return pd.DataFrame(rows, columns=columns)
