"""Facts of a census that foretell how the cohorts of an area will change, and what each of them weighs.

The weights are those of a robust regression across the areas of China, from facts of 2010 to the change of
2010-2020 (`validation.accuracy.fit_weights`). That crosses one decade in space, from some provinces to the
others, and not in time: nothing here shows that they hold for a second decade. They say how an area differs
from the nation; the nation's own change has a range of its own (assumption `national_change_continuation`).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import xarray as xr
from scipy.interpolate import PchipInterpolator

from eldercare.inputs.load import China
from eldercare.model.base import AGES, OPEN_AGE, base_populations

GROUPS = np.arange(0, 86, 5)
FIRST_GROUP = 10
BETWEEN = 10
MEN, WOMEN = 0, 1


def facts_of(counts: np.ndarray, rows: pd.DataFrame) -> pd.DataFrame:
    """The facts of areas: shares of people, and logarithms of ratios, so that a doubling counts the same everywhere.

    counts  : array [person]  dims area, sex, age: at a census
    rows    : their rows of census_area.csv
    Returns : table  rows areas, columns facts [share or logarithm]; not a number where nobody is in a group
    """
    both = counts.sum(axis=1)
    people = both.sum(axis=1)

    def from_to(first: int, last: int = OPEN_AGE) -> np.ndarray:
        return both[:, first : last + 1].sum(axis=1)

    def men_per_woman(first: int, last: int) -> np.ndarray:
        sexes = counts[:, :, first : last + 1].sum(axis=2)
        return sexes[:, MEN] / sexes[:, WOMEN]

    household = rows["household_population"] / rows["households"]
    with np.errstate(divide="ignore", invalid="ignore"):
        return pd.DataFrame(
            {
                "urban_share": (rows["urban"] / rows["population"]).to_numpy(float),
                "household_size": np.log(household.to_numpy(float)),
                "share_15_24": from_to(15, 24) / people,
                "share_45_59": from_to(45, 59) / people,
                "share_60_plus": np.log(from_to(60) / people),
                "oldest_of_older": np.log(from_to(75) / from_to(65)),
                "men_per_woman_45_64": np.log(men_per_woman(45, 64)),
                "children_per_woman": np.log(from_to(0, 4) / counts[:, WOMEN, 20:45].sum(axis=1)),
            },
            index=rows.index,
        )


@lru_cache(maxsize=4)
def fact_differences(china: China, year: int) -> pd.DataFrame:
    """Facts of all areas of a census less those of the nation, the mean of its provinces by people.

    Returns : table  index adcode, columns facts
    """
    everyone = base_populations(china, year)
    known = everyone.isel(area=np.isfinite(everyone.values).all(axis=(1, 2)))
    codes = [int(code) for code in known["area"].values]
    facts = facts_of(known.values, china.areas.xs(year, level="year").loc[codes])
    provinces = facts.index % 10000 == 0
    people = known.values.sum(axis=(1, 2))[provinces]
    return facts - (facts[provinces] * people[:, None]).sum() / people.sum()


def bounded(differences: pd.DataFrame, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Differences as far as the regression has seen them; a fact that an area does not have says nothing.

    May bind: a development zone, an atoll or a campus is told as if it were the most unusual of those seen.
    """
    return np.nan_to_num(np.clip(differences.to_numpy(float), low, high))


def beyond_seen(china: China) -> pd.Series:
    """Whether some fact of an area in 2020 lies beyond what the regression has seen, or is not to be had; by adcode."""
    table = china.change_weights.set_index("fact")
    known = fact_differences(china, 2020)[list(table.index)]
    return ~((known >= table["low"]) & (known <= table["high"])).all(axis=1)


@lru_cache(maxsize=2)
def facts_change(china: China) -> xr.DataArray:
    """Change of cohorts per year by which an area differs from the nation, as its facts of 2020 say.

    Defined as::  change(age) = sum over facts(weight(fact, age) x difference of the fact from the nation's)

    men and women alike; the weights are by five-year groups of the age reached after ten years.

    Returns : array [per year]  dims area, age
    Source  : data/china/change_weights.csv
    """
    table = china.change_weights.set_index("fact")
    differences = fact_differences(china, 2020)[list(table.index)]
    known = bounded(differences, table["low"].to_numpy(), table["high"].to_numpy())
    weights = table[[f"age_{group}" for group in GROUPS[GROUPS >= FIRST_GROUP]]].to_numpy()
    rates = np.zeros((len(known), len(GROUPS)))
    rates[:, GROUPS >= FIRST_GROUP] = known @ weights
    return xr.DataArray(
        laid_on_ages(rates),
        dims=("area", "age"),
        coords={"area": differences.index.to_numpy(), "age": AGES},
    )


def laid_on_ages(rates: np.ndarray) -> np.ndarray:
    """Rates of five-year groups, of the age reached after ten years, on the ages people had half-way.

    rates   : array [per year]  last dim the groups 0-4 to 85 and over
    Returns : array [per year]  last dim single age
    """
    half_way = np.maximum(GROUPS + 2.5 - BETWEEN / 2, 0)
    curve = PchipInterpolator(half_way[1:], rates[..., 1:], axis=-1)
    return curve(np.clip(AGES, half_way[1], half_way[-1]))


def change_beyond(later: np.ndarray, expected: np.ndarray, first_group: int = 0) -> np.ndarray:
    """Change of cohorts per year that survival leaves unexplained, by five-year group of the age reached.

    Defined as::  change = ln(counted at the later census / survivors expected of the earlier) / 10

    It holds migration, mortality other than the tables, and how well the two censuses counted.

    later, expected : arrays [person]  last dim single age
    first_group     : younger groups have no change
    Returns         : array [per year]  last dim the groups 0-4 to 85 and over
    """
    groups = [np.add.reduceat(counts, GROUPS, axis=-1) + 1 for counts in (later, expected)]
    return np.where(first_group > GROUPS, 0.0, np.log(groups[0] / groups[1]) / BETWEEN)
