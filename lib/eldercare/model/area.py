"""What is known of one area: its base, the level of its mortality and fertility, who comes and goes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from eldercare.inputs.draws import Z90
from eldercare.inputs.load import NATION, China
from eldercare.model.base import AGES, SEXES, base_population, national_population, province_of
from eldercare.model.boundaries import compare_censuses
from eldercare.model.cohort import next_step
from eldercare.model.facts import change_beyond, facts_change, laid_on_ages
from eldercare.model.family import Line, error_spread, lines
from eldercare.model.lifetable import WIDE_GRID, SurvivalGrid, survival_grid, yearly_rates

CENSUS_YEARS = (2010, 2020)
FIRST_RATE_YEAR = 2010
FIRST_PUBLISHED_YEAR = 2020


@dataclass(frozen=True)
class Rates:
    """The nation's rates by calendar year, which every area takes over at a level of its own.

    grid            : survivorship ratios by year, sex, level
    life_expectancy : array [year]  dims year, sex: the UN's central figure, from 2020 at the level of the
                      national statistics as long as these reach
    published_gap   : array [year]  dims year: in later years, what the last of them was above the UN's; else 0
    spread          : array [year]  dims year, sex: one standard deviation of its 80 % range
    fertility       : array [birth per woman and year]  dims year, age (single)
    fertility_spread: array [share]  dims year: one standard deviation, relative
    male_births     : array [share]  dims year
    """

    years: np.ndarray
    grid: SurvivalGrid
    life_expectancy: np.ndarray
    published_gap: np.ndarray
    spread: np.ndarray
    fertility: np.ndarray
    fertility_spread: np.ndarray
    male_births: np.ndarray


@dataclass(frozen=True)
class Area:
    """What is known of one area before any draw.

    base             : array [person]  dims sex, age: at the census of 2020
    earlier          : array [person]  dims sex, age: in 2010 within the boundary of 2020, see `boundaries`
    life_expectancy_gap : years above the nation; `gap_known` tells whether of 2020 or derived
    change_facts     : array [per year]  dims age: change of cohorts by which the area differs from the nation, as
                       its facts of 2020 say, see `facts`
    change_nation    : array [per year]  dims sex, age: change of the nation's cohorts 2010-2020 that survival leaves
                       unexplained
    fertility_ratio  : the area's child-woman ratio over the nation's
    error_scale      : array [share]  dims age: spread of the error of a ten-year projection, see `calibration`
    error_freedom    : degrees of freedom of that error's distribution
    error_correlation : of the errors below 60 with those of 60 and over
    line             : the areas above it and itself, with the weights of their latent errors, see `family`
    error_left       : array [share]  dims year, five-year age: what of that spread the ranges of the assumptions do
                       not make up already, see `areas.settled_area`; None: the whole spread
    settled          : array [ratio]  dims year, five-year age: by which the area and those beside it are made to add
                       up, and the error keeps the mean, see `areas.settled_area`; None if projected by itself
    middle, kept     : arrays [person], [share]  dims year, five-year age: where counts since the census draw people
                       together, and which part of their range is left, see `counts`; None without counts
    """

    adcode: int
    base: np.ndarray
    earlier: np.ndarray
    life_expectancy_gap: float
    gap_known: bool
    change_facts: np.ndarray
    change_nation: np.ndarray
    fertility_ratio: float
    error_scale: np.ndarray
    error_freedom: float
    error_correlation: float
    line: Line
    error_left: np.ndarray | None = None
    settled: np.ndarray | None = None
    middle: np.ndarray | None = None
    kept: np.ndarray | None = None


@lru_cache(maxsize=2)
def rates_of(tables: China) -> Rates:
    """The nation's rates 2010-2050 from World Population Prospects 2024, made once for a set of tables."""
    deaths = tables.wpp_death_rate.pivot_table("mx", ["period_from", "sex"], "age_from")
    periods = deaths.index.get_level_values(0).unique().to_numpy()
    mx = np.array([[deaths.loc[(p, sex)].to_numpy() for sex in SEXES] for p in periods])
    annual = tables.wpp_annual.set_index(["indicator", "sex", "year"])
    years = np.arange(FIRST_RATE_YEAR, 2052)
    rates = yearly_rates(mx, periods, years)
    grid = survival_grid(rates, deaths.columns.to_numpy(), years, WIDE_GRID)

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
    male = ratio / (1 + ratio)
    within, beyond = _published_gap(
        tables, years, (expectancy * np.stack([male, 1 - male], axis=1)).sum(axis=1)
    )
    return Rates(
        years,
        grid,
        expectancy + within[:, None],
        beyond,
        spread,
        total[:, None] * _fertility_pattern(tables, years),
        deviation("total_fertility_rate", "both") / total,
        male,
    )


def _published_gap(
    tables: China, years: np.ndarray, expectancy: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Years by which the national statistics are above the UN's life expectancy of both sexes.

    Between published years the gap goes in a straight line. The UN's figure of both sexes is the mean of men
    and women, weighted as births are.

    Returns : (from 2020 to the last published year, else 0; after it the last gap, else 0), dims year
    """
    published = _official_life_expectancy(tables)[NATION]
    known = sorted(year for year in published if year >= FIRST_PUBLISHED_YEAR)
    gaps = [published[year] - expectancy[year - FIRST_RATE_YEAR] for year in known]
    gap = np.interp(years, known, gaps)
    reached = (years >= FIRST_PUBLISHED_YEAR) & (years <= known[-1])
    return np.where(reached, gap, 0.0), np.where(years > known[-1], gaps[-1], 0.0)


def _fertility_pattern(tables: China, years: np.ndarray) -> np.ndarray:
    """Share of total fertility that falls on each single age; dims year, age; sums to 1."""
    table = tables.wpp_fertility
    starts = table["age"].str.split("-").str[0].astype(int)
    wide = table.assign(age=starts).pivot_table("percent_of_tfr", "year", "age").reindex(years)
    pattern = np.zeros((len(years), len(AGES)))
    for start in wide.columns:
        pattern[:, start : start + 5] = wide[start].to_numpy()[:, None] / 5
    return pattern / pattern.sum(axis=1, keepdims=True)


def life_expectancy_gap(china: China, adcode: int) -> tuple[float, int]:
    """Years by which the area's province lives longer than the nation, and the year that is known for."""
    official = _official_life_expectancy(china)
    here, nation = official.get(province_of(adcode), {}), official[NATION]
    known = [year for year in (2020, 2010, 2000) if year in here and year in nation]
    if adcode == NATION or not known:
        return 0.0, 2020
    return here[known[0]] - nation[known[0]], known[0]


@lru_cache(maxsize=2)
def _official_life_expectancy(china: China) -> dict[int, dict[int, float]]:
    """Official life expectancy of both sexes by area and year."""
    table = china.life_expectancy
    table = table[(table["sex"] == "both") & (table["kind"] == "official")]
    out: dict[int, dict[int, float]] = {}
    for row in table.itertuples():
        out.setdefault(int(row.adcode), {})[int(row.year)] = float(row.life_expectancy)
    return out


def survivors_without_migration(rates: Rates, earlier: np.ndarray, gap: float) -> np.ndarray:
    """Who of the census of 2010, and of births since, would be alive in 2020 without migration."""
    counts = earlier[None]
    for year in range(*CENSUS_YEARS):
        index = year - FIRST_RATE_YEAR
        target = (rates.life_expectancy[index] + gap)[:, None]
        survival = rates.grid.survival(index, target)
        counts = next_step(counts, survival, rates.fertility[index], rates.male_births[index])
    return counts[0]


@lru_cache(maxsize=2)
def national_change(china: China) -> np.ndarray:
    """Change of the nation's cohorts per year 2010-2020 that its survival leaves unexplained; dims sex, age.

    See `facts.change_beyond`; laid on the ages people had in the middle of the ten years.
    """
    earlier, later = (national_population(china, year) for year in CENSUS_YEARS)
    expected = survivors_without_migration(rates_of(china), earlier, 0.0)
    return laid_on_ages(change_beyond(later, expected))


def describe_area(china: China, adcode: int) -> Area:
    """Gather what the two censuses and the official life tables say of one area.

    Raises : KeyError if the census of 2020 has no such area
    """
    base = base_population(china, adcode, 2020)
    if base is None:
        raise KeyError(f"{adcode} is no area of the census of 2020")
    gap, gap_year = life_expectancy_gap(china, adcode)
    whole = adcode == NATION
    return Area(
        adcode,
        base,
        compare_censuses(china).start.sel(area=adcode).values,
        gap,
        gap_year == 2020,
        np.zeros(len(AGES)) if whole else facts_change(china).sel(area=adcode).values,
        national_change(china),
        child_woman_ratio(base) / child_woman_ratio(national_population(china, 2020)),
        *error_spread(china, base.sum()),
        lines(china)[adcode],
    )


def child_woman_ratio(counts: np.ndarray) -> float:
    """Children under 5 over women of 20 to 44; counts: dims sex, age."""
    return counts[:, :5].sum() / counts[1, 20:45].sum()
