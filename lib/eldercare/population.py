"""Who lives here: population by single age and sex, from the census to year ends, by cohort component."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import xarray as xr
from scipy.interpolate import PchipInterpolator

from .arrays import sum_product
from .draws import Z90, Assumptions
from .lifetable import OPEN_AGE, SurvivalGrid, survival_grid, yearly_rates
from .load import NATION, China
from .schema import AGE_GROUP_START

AGES = np.arange(OPEN_AGE + 1)
SEXES = ("male", "female")
CENSUS_YEARS = (2010, 2020)
CENSUS_TO_YEAR_END = 61 / 366
FIRST_RATE_YEAR = 2010
GROUPS_85 = (85, 90, 95, 100)
LAST_MIGRATION_AGE = 85


@dataclass(frozen=True)
class Rates:
    """The nation's rates by calendar year, which every area takes over at a level of its own.

    grid            : survivorship ratios by year, sex, level
    life_expectancy : array [year]  dims year, sex: the UN's central figure
    spread          : array [year]  dims year, sex: one standard deviation of its 80 % range
    fertility       : array [birth per woman and year]  dims year, age (single)
    fertility_spread: array [share]  dims year: one standard deviation, relative
    male_births     : array [share]  dims year
    """

    years: np.ndarray
    grid: SurvivalGrid
    life_expectancy: np.ndarray
    spread: np.ndarray
    fertility: np.ndarray
    fertility_spread: np.ndarray
    male_births: np.ndarray


@dataclass(frozen=True)
class Area:
    """What is known of one area before any draw.

    base             : array [person]  dims sex, age: at the census of 2020
    earlier          : array [person]  dims sex, age: at the census of 2010, or None
    life_expectancy_gap : years above the nation; `gap_known` tells whether of 2020 or derived
    migration        : array [per year]  dims sex, age: net migration of 2010-2020, area's own
    migration_province : the same of the province
    fertility_ratio  : the area's child-woman ratio over the nation's
    """

    adcode: int
    base: np.ndarray
    earlier: np.ndarray | None
    life_expectancy_gap: float
    gap_known: bool
    migration: np.ndarray
    migration_province: np.ndarray
    fertility_ratio: float


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


@lru_cache(maxsize=2)
def national_rates(china: _Key) -> Rates:
    """The nation's rates 2010-2050 from World Population Prospects 2024."""
    tables = china.tables
    deaths = tables.wpp_death_rate.pivot_table("mx", ["period_from", "sex"], "age_from")
    periods = deaths.index.get_level_values(0).unique().to_numpy()
    mx = np.array([[deaths.loc[(p, sex)].to_numpy() for sex in SEXES] for p in periods])
    annual = tables.wpp_annual.set_index(["indicator", "sex", "year"])
    years = np.arange(FIRST_RATE_YEAR, 2052)
    grid = survival_grid(yearly_rates(mx, periods, years), deaths.columns.to_numpy(), years)

    def series(indicator: str, sex: str, column: str) -> np.ndarray:
        return annual.loc[(indicator, sex)][column].reindex(years).to_numpy(float)

    def deviation(indicator: str, sex: str) -> np.ndarray:
        width = series(indicator, sex, "high80") - series(indicator, sex, "low80")
        return np.nan_to_num(width) / (2 * Z90)

    expectancy = np.stack([series("life_expectancy_at_birth", s, "central") for s in SEXES], axis=1)
    spread = np.stack([deviation("life_expectancy_at_birth", s) for s in SEXES], axis=1)
    total = series("total_fertility_rate", "both", "central")
    ratio = series("sex_ratio_at_birth", "both", "central")
    ratio = np.where(ratio > 10, ratio / 100, ratio)
    return Rates(
        years, grid, expectancy, spread,
        total[:, None] * _fertility_pattern(tables, years),
        deviation("total_fertility_rate", "both") / total,
        ratio / (1 + ratio),
    )


def _fertility_pattern(tables: China, years: np.ndarray) -> np.ndarray:
    """Share of total fertility that falls on each single age; dims year, age; sums to 1."""
    table = tables.wpp_fertility
    starts = table["age"].str.split("-").str[0].astype(int)
    wide = table.assign(age=starts).pivot_table("percent_of_tfr", "year", "age").reindex(years)
    pattern = np.zeros((len(years), len(AGES)))
    for start in wide.columns:
        pattern[:, start : start + 5] = wide[start].to_numpy()[:, None] / 5
    return pattern / pattern.sum(axis=1, keepdims=True)


class _Key:
    """Lets the national tables be the key of a cache: they are loaded once and never changed."""

    def __init__(self, tables: China):
        self.tables = tables

    def __hash__(self) -> int:
        return id(self.tables)

    def __eq__(self, other) -> bool:
        return self.tables is other.tables


def rates_of(china: China) -> Rates:
    """The nation's rates, made once for a set of tables."""
    return national_rates(_Key(china))


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
    return _national_pattern(_Key(china), year)


@lru_cache(maxsize=8)
def _national_pattern(key: _Key, year: int) -> np.ndarray:
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
    return _base_population(_Key(china), adcode, year)


@lru_cache(maxsize=4096)
def _base_population(key: _Key, adcode: int, year: int) -> np.ndarray | None:
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


def life_expectancy_gap(china: China, adcode: int) -> tuple[float, int]:
    """Years by which the area's province lives longer than the nation, and the year that is known for."""
    table = china.life_expectancy
    table = table[(table["sex"] == "both") & (table["kind"] == "official")]
    here = table[table["adcode"] == province_of(adcode)].set_index("year")["life_expectancy"]
    nation = table[table["adcode"] == NATION].set_index("year")["life_expectancy"]
    known = [year for year in (2020, 2010, 2000) if year in here.index and year in nation.index]
    if adcode == NATION or not known:
        return 0.0, 2020
    return float(here[known[0]] - nation[known[0]]), known[0]


def closed_survivors(rates: Rates, earlier: np.ndarray, gap: float) -> np.ndarray:
    """Who of the census of 2010, and of births since, would be alive in 2020 without migration."""
    counts = earlier[None]
    for year in range(*CENSUS_YEARS):
        index = year - FIRST_RATE_YEAR
        target = (rates.life_expectancy[index] + gap)[:, None]
        survival = rates.grid.survival(index, target)
        counts = _next_year(counts, survival, None, rates.fertility[index], rates.male_births[index])
    return counts[0]


def _next_year(counts, survival, growth, fertility, male_births):
    """One year on; counts dims draw, sex, age; survival dims draw, sex, 102; growth a factor by age."""
    after = np.empty_like(counts)
    after[..., 1:] = counts[..., :-1] * survival[..., 1:-1]
    after[..., -1] += counts[..., -1] * survival[..., -1]
    after[..., 0] = 0
    if growth is not None:
        after[..., 1:] *= growth[..., 1:]
    women = (counts[..., 1, :] + after[..., 1, :]) / 2
    births = (women * fertility).sum(axis=-1)
    newborn = np.stack([births * male_births, births * (1 - male_births)], axis=-1)
    after[..., 0] = newborn * survival[..., 0]
    if growth is not None:
        after[..., 0] *= growth[..., 0]
    return after


def _cohort_change(china: China, rates: Rates, adcode: int) -> np.ndarray | None:
    """Net migration rate per year by sex and age, from what survival leaves unexplained 2010-2020.

    The nation's own unexplained remainder is taken off, which holds differences in how well the
    two censuses counted each age, and mortality differing from the tables.
    """
    own = _unexplained(china, rates, adcode)
    if own is None:
        return None
    return own - _unexplained(china, rates, NATION)


@lru_cache(maxsize=512)
def _unexplained_cached(key: _Key, adcode: int) -> np.ndarray | None:
    china, rates = key.tables, rates_of(key.tables)
    earlier, later = (base_population(china, adcode, year) for year in CENSUS_YEARS)
    if earlier is None or later is None:
        return None
    gap, _ = life_expectancy_gap(china, adcode)
    expected = closed_survivors(rates, earlier, gap)
    edges = np.arange(0, LAST_MIGRATION_AGE + 1, 5)
    observed_sum = np.add.reduceat(later, edges, axis=1)
    expected_sum = np.add.reduceat(expected, edges, axis=1)
    rate = np.log((observed_sum + 1) / (expected_sum + 1)) / 10
    middle_of_stay = np.maximum(edges + 2.5 - 5, 0)
    return np.stack([np.interp(AGES, middle_of_stay, row) for row in rate])


def _unexplained(china: China, rates: Rates, adcode: int) -> np.ndarray | None:
    return _unexplained_cached(_Key(china), adcode)


def describe_area(china: China, adcode: int) -> Area:
    """Gather what the two censuses and the official life tables say of one area.

    Raises : KeyError if the census of 2020 has no such area
    """
    rates = rates_of(china)
    base = base_population(china, adcode, 2020)
    if base is None:
        raise KeyError(f"{adcode} is no area of the census of 2020")
    gap, gap_year = life_expectancy_gap(china, adcode)
    province = _cohort_change(china, rates, province_of(adcode))
    own = _cohort_change(china, rates, adcode)
    nation = base_population(china, NATION, 2020)

    def child_woman_ratio(counts: np.ndarray) -> float:
        return counts[:, :5].sum() / counts[1, 20:45].sum()

    return Area(
        adcode, base, base_population(china, adcode, 2010), gap, gap_year == 2020,
        province if own is None else own, province,
        child_woman_ratio(base) / child_woman_ratio(nation),
    )


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


def project(
    base: np.ndarray, survival, growth: np.ndarray, fertility: np.ndarray, male_births: np.ndarray
) -> np.ndarray:
    """Cohort component: carry a population forward, a year at a time.

    base        : array [person]  dims draw, sex (male, female), age 0..100+, at the start of year 0
    survival    : function of the year's index, giving ratios  dims draw, sex, 102
                  (births, ages 0..99, 100 and over; see `lifetable.survival_ratios`)
    growth      : array [ratio]  dims draw, sex, age: factor of net migration in a year
    fertility   : array [birth per woman]  dims year, draw, age
    male_births : array [share]  dims year
    Returns     : array [person]  dims draw, year, sex, age: at the start of each year and the end
    """
    years = len(male_births)
    out = np.empty((base.shape[0], years + 1, *base.shape[1:]))
    out[:, 0] = base
    for index in range(years):
        out[:, index + 1] = _next_year(
            out[:, index], survival(index), growth, fertility[index], male_births[index]
        )
    return out


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
    """
    if area.earlier is None:
        return None
    rates = rates_of(china)
    closed = closed_survivors(rates, area.earlier, area.life_expectancy_gap)
    correction = np.clip((area.base + 1) / (closed + 1), 0.05, 20)
    paths = [area.earlier]
    counts = area.earlier[None]
    for year in range(*CENSUS_YEARS):
        index = year - FIRST_RATE_YEAR
        target = (rates.life_expectancy[index] + area.life_expectancy_gap)[:, None]
        counts = _next_year(
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
