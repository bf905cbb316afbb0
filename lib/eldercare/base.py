"""The population an area starts from: single ages at the moment of a census."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.interpolate import PchipInterpolator

from .load import NATION, China
from .schema import AGE_GROUP_START

OPEN_AGE = 100
AGES = np.arange(OPEN_AGE + 1)
SEXES = ("male", "female")
GROUPS_85 = (85, 90, 95, 100)


def single_ages(groups: np.ndarray, starts: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """Split age groups into single ages after the pattern of a larger population.

    The area's population below each age is a monotone curve (PCHIP) of the pattern's population
    below that age, through the bounds of the groups. So every group keeps its total, and small
    and large cohorts of the pattern (the famine of 1959-61, the births after 1962) stay sharp.

    groups  : array [person]  dims …, age group; groups begin at `starts`, the last one open
    pattern : array [person]  dims …, single age 0..100 (100 and over)
    Returns : array [person]  dims …, single age
    """
    flat_groups = groups.reshape(-1, groups.shape[-1])
    flat_pattern = np.broadcast_to(pattern, (*groups.shape[:-1], pattern.shape[-1])).reshape(-1, pattern.shape[-1])
    out = np.empty_like(flat_pattern, dtype=float)
    for row, (counts, shape) in enumerate(zip(flat_groups, flat_pattern)):
        below = np.concatenate([[0.0], np.cumsum(shape)])
        knots = below[[*starts, len(shape)]]
        total = np.concatenate([[0.0], np.cumsum(counts)])
        out[row] = np.diff(PchipInterpolator(knots, total)(below))
    return out.reshape(*groups.shape[:-1], -1)


def at_later_date(counts: np.ndarray, fraction: float) -> np.ndarray:
    """Regroup single ages to a date a fraction of a year later, without deaths or births.

    Within an age the people are spread by a monotone curve through the cumulated population,
    not evenly, so that the edge between a small and a large cohort moves and does not blur.
    Age 0 then holds only those born before the first date.

    counts : array [person] last dim single age, 100 and over last   Returns : the same dims
    """
    edges = np.arange(counts.shape[-1] + 1)
    below = np.concatenate([np.zeros_like(counts[..., :1]), np.cumsum(counts, axis=-1)], axis=-1)
    curve = PchipInterpolator(edges, below, axis=-1)
    cut = np.concatenate([[0.0], edges[1:-1] - fraction])
    values = np.concatenate([curve(cut), below[..., -1:]], axis=-1)
    return np.diff(values, axis=-1)


class TablesKey:
    """Lets the national tables be the key of a cache: they are loaded once and never changed."""

    def __init__(self, tables: China):
        self.tables = tables

    def __hash__(self) -> int:
        return id(self.tables)

    def __eq__(self, other) -> bool:
        return self.tables is other.tables


def province_of(adcode: int) -> int:
    """Code of the province an area lies in; the nation's own code for the nation."""
    return adcode if adcode == NATION else adcode // 10000 * 10000


def census_groups(china: China, adcode: int, year: int) -> np.ndarray | None:
    """Counts [person] dims sex, age group at one census; None where the area has no such census."""
    if adcode == NATION:
        codes = china.census["area"].values
        provinces = codes[codes % 10000 == 0]
        return china.census.sel(area=provinces, census_year=year).sum("area").values
    if adcode not in china.census["area"].values:
        return None
    counts = china.census.sel(area=adcode, census_year=year).values
    return None if np.isnan(counts).any() else counts


def national_pattern(china: China, year: int) -> np.ndarray:
    """The nation by single age at the census moment; dims sex, age.

    The table counts the mean population of the twelve months before the census, about half a
    year earlier; it is moved on by that half year.
    """
    return _national_pattern(TablesKey(china), year)


@lru_cache(maxsize=8)
def _national_pattern(key: TablesKey, year: int) -> np.ndarray:
    china = key.tables
    table = china.single_age[china.single_age["year"] == year]
    mean = table.pivot_table("mean_population", "sex", "age").loc[list(SEXES)].to_numpy()
    moved = at_later_date(mean, 0.5)
    moved[:, 0] = mean[:, 0]
    return moved


def base_population(china: China, adcode: int, year: int) -> np.ndarray | None:
    """Population by sex and single age at a census: dims sex, age; None without that census.

    The 19 age groups keep their totals; 85 and over is divided as in the province, single ages
    after the nation's pattern (see `single_ages`).
    """
    return _base_population(TablesKey(china), adcode, year)


@lru_cache(maxsize=4096)
def _base_population(key: TablesKey, adcode: int, year: int) -> np.ndarray | None:
    china = key.tables
    groups = census_groups(china, adcode, year)
    if groups is None:
        return None
    table = china.province_age
    here = table[(table["adcode"] == province_of(adcode)) & (table["year"] == year)]
    old = here[here["age_from"] >= 85].pivot_table("population", "sex", "age_from")
    old = old.reindex(index=SEXES, columns=GROUPS_85).fillna(0).to_numpy() + 1e-6
    divided = groups[:, -1:] * old / old.sum(axis=1, keepdims=True)
    starts = np.array([*AGE_GROUP_START[:-1], *GROUPS_85])
    pattern = np.maximum(national_pattern(china, year), 1e-9)
    return single_ages(np.concatenate([groups[:, :-1], divided], axis=1), starts, pattern)
