"""Who lives here: population of an area by single age and sex at the ends of years."""

from __future__ import annotations

import numpy as np
import xarray as xr

from .area import CENSUS_YEARS, FIRST_RATE_YEAR, Area, Rates, closed_survivors, rates_of
from .arrays import sum_product
from .base import AGES, OPEN_AGE, SEXES, at_later_date
from .cohort import next_year, project
from .draws import Assumptions
from .load import China

CENSUS_TO_YEAR_END = 61 / 366


def migration_rate(area: Area, assumptions: Assumptions) -> np.ndarray:
    """Net migration per year and person, by draw, sex and age.

    Defined as::  rate = continuation x (w own + (1 - w) province), w = P / (P + shrinkage)

    with P the area's population: a small area's own pattern is noisy and counts less.
    Source : assumptions `migration_continuation`, `migration_shrinkage`
    """
    people = area.base.sum()
    weight = people / (people + assumptions["migration_shrinkage"].values)
    mixed = (
        weight[:, None, None] * area.migration
        + (1 - weight)[:, None, None] * area.migration_province
    )
    return assumptions["migration_continuation"].values[:, None, None] * mixed


def life_expectancy_paths(area: Area, rates: Rates, assumptions: Assumptions, years) -> np.ndarray:
    """Life expectancy at birth [year] by year, sex and draw.

    Defined as::  e0 = e0(nation, WPP) + gap(province) + error + z x spread(year)

    Source : assumptions `life_expectancy_improvement`, `life_expectancy_error_known` or `…_derived`,
             `life_expectancy_gap_persistence`
    """
    index = np.asarray(years) - FIRST_RATE_YEAR
    if area.gap_known:
        gap = area.life_expectancy_gap + assumptions["life_expectancy_error_known"].values
    else:
        kept = assumptions["life_expectancy_gap_persistence"].values
        gap = kept * area.life_expectancy_gap + assumptions["life_expectancy_error_derived"].values
    z = assumptions["life_expectancy_improvement"].values
    spread = rates.spread[index] - rates.spread[2020 - FIRST_RATE_YEAR]
    return rates.life_expectancy[index][..., None] + gap + np.maximum(spread, 0)[..., None] * z


def project_area(china: China, area: Area, assumptions: Assumptions, last_year: int = 2050) -> xr.DataArray:
    """Population at the ends of the years 2020 to `last_year`.

    Returns : array [person]  dims draw, year, sex, age
    Source  : census of 2020; World Population Prospects 2024; assumptions of migration,
              fertility and life expectancy
    """
    rates = rates_of(china)
    growth_rate = migration_rate(area, assumptions)
    first = _to_year_end(area, rates, assumptions, growth_rate)
    years = np.arange(2021, last_year + 1)
    targets = life_expectancy_paths(area, rates, assumptions, years)
    index = years - FIRST_RATE_YEAR
    local = area.fertility_ratio ** assumptions["fertility_local_persistence"].values
    path = 1 + rates.fertility_spread[index][:, None] * assumptions["fertility_path"].values
    level = np.maximum(path, 0.1) * local
    fertility = rates.fertility[index][:, None, :] * level[..., None]
    counts = project(
        first, lambda i: rates.grid.survival(index[i], targets[i]),
        np.exp(growth_rate), fertility, rates.male_births[index],
    )
    return xr.DataArray(
        counts, dims=("draw", "year", "sex", "age"), name="population",
        coords={"draw": assumptions["migration_continuation"]["draw"], "year": np.arange(2020, last_year + 1), "sex": list(SEXES), "age": AGES},
    )


def _to_year_end(area: Area, rates: Rates, assumptions: Assumptions, growth_rate: np.ndarray) -> np.ndarray:
    """From the census of 1 November 2020 to 31 December 2020; dims draw, sex, age."""
    fraction = CENSUS_TO_YEAR_END
    moved = at_later_date(area.base, fraction)
    index = 2020 - FIRST_RATE_YEAR
    target = life_expectancy_paths(area, rates, assumptions, [2020])[0]
    survival = rates.grid.survival(index, target)
    local = area.fertility_ratio ** assumptions["fertility_local_persistence"].values
    births = (area.base[1] * rates.fertility[index]).sum() * local * fraction
    male = rates.male_births[index]
    counts = moved * survival[..., 1:] ** fraction
    counts[..., 0] += np.stack([births * male, births * (1 - male)], axis=-1)
    return counts * np.exp(growth_rate * fraction)


def history(china: China, area: Area, years) -> xr.DataArray | None:
    """Population at the ends of years between the two censuses, without draws.

    Each cohort of the census of 2010 is carried forward and meets the census of 2020 exactly:
    what survival leaves unexplained is spread evenly over the ten years.

    Returns : array [person]  dims year, sex, age; None where the area has no census of 2010
    Raises  : ValueError for a year before 2010
    """
    if any(year < CENSUS_YEARS[0] for year in years):
        raise ValueError(f"years before the census of {CENSUS_YEARS[0]} cannot be interpolated: {min(years)}")
    if area.earlier is None:
        return None
    rates = rates_of(china)
    closed = closed_survivors(rates, area.earlier, area.life_expectancy_gap)
    correction = np.where(closed > 0, area.base / np.maximum(closed, 1e-9), 1.0)
    paths = [area.earlier]
    counts = area.earlier[None]
    for year in range(*CENSUS_YEARS):
        index = year - FIRST_RATE_YEAR
        target = (rates.life_expectancy[index] + area.life_expectancy_gap)[:, None]
        counts = next_year(
            counts, rates.grid.survival(index, target), None, rates.fertility[index], rates.male_births[index]
        )
        passed = year + 1 - CENSUS_YEARS[0]
        ahead = np.minimum(AGES + 10 - passed, OPEN_AGE)
        paths.append(counts[0] * correction[:, ahead] ** (passed / 10))
    ends = [at_later_date(paths[year - 2010], CENSUS_TO_YEAR_END) for year in years]
    for year, counts in zip(years, ends):
        counts[:, 0] += CENSUS_TO_YEAR_END * paths[year - 2010][:, 0]
    return xr.DataArray(
        np.array(ends), dims=("year", "sex", "age"), name="population",
        coords={"year": list(years), "sex": list(SEXES), "age": AGES},
    )


def people_in_bands(population: xr.DataArray, bands: dict[str, tuple[int, int]]) -> xr.DataArray:
    """People [person] of both sexes in bands of age.

    population : array [person]  dims draw, year, sex, age
    bands      : first and last age of each band, both included, by name
    Returns    : array [person]  dims draw, year, age_band
    """
    limits = np.array(list(bands.values()))
    inside = (AGES[:, None] >= limits[:, 0]) & (AGES[:, None] <= limits[:, 1])
    member = xr.DataArray(
        inside.astype(float), dims=("age", "age_band"), coords={"age": AGES, "age_band": list(bands)}
    )
    return sum_product(population, member)


def people_in(population: xr.DataArray, first_age: int, last_age: int = OPEN_AGE) -> xr.DataArray:
    """People [person] from one age to another, both included, of both sexes."""
    return population.sel(age=slice(first_age, last_age)).sum(["sex", "age"], skipna=False)
