"""The population an area starts from: single ages at the moment of a census."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import xarray as xr
from scipy.interpolate import PchipInterpolator

from eldercare.inputs.load import NATION, China
from eldercare.inputs.schema import AGE_GROUP_START

BASE_YEAR = 2020  # of the census that projections start from
OPEN_AGE = 100
AGES = np.arange(OPEN_AGE + 1)
SEXES = ("male", "female")
GROUPS_85 = (85, 90, 95, 100)


def single_ages(groups: np.ndarray, starts: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """Split age groups into single ages after the pattern of a larger population.

    The area's population below each age is a monotone curve (PCHIP) of the pattern's population
    below that age, through the bounds of the groups. So every group keeps its total, and small
    and large cohorts of the pattern (the famine of 1959-61, the births after 1962) stay sharp.

    groups  : array [person]  dims …, sex, age group; groups begin at `starts`, the last one open
    pattern : array [person]  dims sex, single age 0..100 (100 and over)
    Returns : array [person]  dims …, sex, single age
    """
    out = np.empty((*groups.shape[:-1], pattern.shape[-1]))
    for sex in range(pattern.shape[0]):
        below = np.concatenate([[0.0], np.cumsum(pattern[sex])])
        knots = below[[*starts, pattern.shape[-1]]]
        counts = groups[..., sex, :]
        total = np.concatenate(
            [np.zeros_like(counts[..., :1]), np.cumsum(counts, axis=-1)], axis=-1
        )
        out[..., sex, :] = np.diff(PchipInterpolator(knots, total, axis=-1)(below), axis=-1)
    return np.maximum(out, 0)


def shift_reference_date(counts: np.ndarray, fraction: float) -> np.ndarray:
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


def province_of(adcode: int) -> int:
    """Code of the province an area lies in; the nation's own code for the nation."""
    return adcode if adcode == NATION else adcode // 10000 * 10000


@lru_cache(maxsize=8)
def national_pattern(china: China, year: int) -> np.ndarray:
    """The nation by single age at the census moment; dims sex, age.

    The table counts the mean population of the twelve months before the census, about half a
    year earlier; it is moved on by that half year.
    """
    table = china.single_age[china.single_age["year"] == year]
    mean = table.pivot_table("mean_population", "sex", "age").loc[list(SEXES)].to_numpy()
    moved = shift_reference_date(mean, 0.5)
    moved[:, 0] = mean[:, 0]
    return moved


def base_population(china: China, adcode: int, year: int) -> np.ndarray | None:
    """Population by sex and single age at a census: dims sex, age; None without that census.

    The 19 age groups keep their totals; 85 and over is divided as in the province, single ages
    after the nation's pattern (see `single_ages`).
    """
    if adcode == NATION:
        return national_population(china, year)
    everyone = base_populations(china, year)
    if adcode not in everyone["area"].values:
        return None
    counts = everyone.sel(area=adcode).values
    return None if np.isnan(counts).any() else counts


@lru_cache(maxsize=4)
def national_population(china: China, year: int) -> np.ndarray:
    """The nation by sex and single age at a census, the sum of its provinces; dims sex, age."""
    everyone = base_populations(china, year)
    provinces = everyone.sel(area=everyone["area"].values % 10000 == 0)
    return provinces.sum("area", skipna=True).values


@lru_cache(maxsize=4)
def base_populations(china: China, year: int) -> xr.DataArray:
    """`base_population` of all areas: array [person] dims area, sex, age; NaN without that census."""
    groups = china.census.sel(census_year=year)
    codes = groups["area"].values
    table = china.province_age
    rows = table[(table["year"] == year) & (table["age_from"] >= GROUPS_85[0])]
    old = (
        rows.pivot_table("population", ["adcode", "sex"], "age_from")
        .reindex(columns=GROUPS_85)
        .fillna(0)
        + 1e-6
    )
    shares = old.div(old.sum(axis=1), axis=0)
    by_area = np.stack(
        [shares.xs(sex, level="sex").loc[codes // 10000 * 10000].to_numpy() for sex in SEXES],
        axis=1,
    )
    counts = groups.values
    divided = np.concatenate([counts[..., :-1], counts[..., -1:] * by_area], axis=-1)
    starts = np.array([*AGE_GROUP_START[:-1], *GROUPS_85])
    known = np.isfinite(divided).all(axis=(1, 2))
    out = np.full((len(codes), len(SEXES), OPEN_AGE + 1), np.nan)
    out[known] = single_ages(
        divided[known], starts, np.maximum(national_pattern(china, year), 1e-9)
    )
    return xr.DataArray(
        out,
        dims=("area", "sex", "age"),
        coords={"area": codes, "sex": list(SEXES), "age": AGES},
        name="population",
    )
