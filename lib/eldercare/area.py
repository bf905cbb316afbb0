"""What is known of one area: its base, the level of its mortality and fertility, who comes and goes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .base import AGES, SEXES, TablesKey, base_population, province_of
from .cohort import next_year
from .draws import Z90
from .lifetable import SurvivalGrid, survival_grid, yearly_rates
from .load import NATION, China

CENSUS_YEARS = (2010, 2020)
FIRST_RATE_YEAR = 2010
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


@lru_cache(maxsize=2)
def national_rates(china: TablesKey) -> Rates:
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


def rates_of(china: China) -> Rates:
    """The nation's rates, made once for a set of tables."""
    return national_rates(TablesKey(china))


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
        counts = next_year(counts, survival, None, rates.fertility[index], rates.male_births[index])
    return counts[0]


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
def _unexplained_cached(key: TablesKey, adcode: int) -> np.ndarray | None:
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
    return _unexplained_cached(TablesKey(china), adcode)


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
