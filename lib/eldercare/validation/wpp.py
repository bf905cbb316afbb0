"""The UN's own inputs put through the engine: five-year ages, five-year steps, as the UN calculates them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eldercare.inputs.world import World
from eldercare.model.base import SEXES
from eldercare.model.cohort import project
from eldercare.model.lifetable import (
    OPEN_AGE,
    abridged_probability,
    person_years,
    survival_ratios,
    survivors,
)

WIDTH = 5
CLASSES = np.arange(0, 101, WIDTH)
RATE_STARTS = np.array([0, 1, *range(5, 101, 5)])
SINGLE = np.arange(OPEN_AGE + 1)
SPAN = np.diff([*CLASSES, OPEN_AGE + 1])
THRESHOLDS = (0, 60, 65, 80)
OLDEST_MIGRANT = 65


def five_year_ratios(mx: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Survivorship ratios between five-year age classes over five years, from abridged death rates.

    Defined as::  nLx = ndx / nmx;  S_b = 5L0 / 5 l0;  S(x) = 5L(x+5) / 5L(x);
                  S(100+) = S(95 and over into 100+) = T100 / T95

    mx      : array [per person-year]  dims sex, age group (0, 1, 5, 10 … 100)
    Returns : array [share]  dims sex, 22: births, classes 0-4 … 95-99 into the next, 100 and over
    Source  : Preston, Heuveline and Guillot (2001), Demography, chapters 3 and 6
    """
    survivors = np.cumprod(1 - abridged_probability(mx, starts), axis=-1)
    survivors = np.concatenate([np.ones((*mx.shape[:-1], 1)), survivors], axis=-1)
    lived = (survivors[..., :-1] - survivors[..., 1:]) / mx[..., :-1]
    lived = np.concatenate([lived, survivors[..., -1:] / mx[..., -1:]], axis=-1)
    lived = np.concatenate([lived[..., :1] + lived[..., 1:2], lived[..., 2:]], axis=-1)
    open_ratio = lived[..., -1:] / (lived[..., -2:-1] + lived[..., -1:])
    return np.concatenate(
        [lived[..., :1] / WIDTH, lived[..., 1:-1] / lived[..., :-2], open_ratio, open_ratio],
        axis=-1,
    )


def project_published(
    population: pd.DataFrame,
    death_rates: pd.DataFrame,
    inputs: pd.DataFrame,
    base_year: int,
    last_year: int,
) -> pd.DataFrame:
    """Carry a published population forward with its published death rates, fertility and migration.

    Any country's inputs will do, in the layout of data/china/wpp2019_*.csv or, with ages in five-year
    classes, of data/world/wpp2019_*.csv. The total of net migrants is given; their ages and sexes are
    not, and the inputs cannot give them: what the populations and death rates before the base leave
    unexplained is migration and rounding together, of years which may hold a wave that does not come
    again. So they are those of a model (`migrant_shares`), the same for every country and step. Where
    a country's migrants are of other ages, or mostly of one sex, the result differs by that, and the
    more the larger its migration. Migrants come at the end of a step.

    population  : table year, sex, age and the count in the last column, with the base year; ages are
                  single, 0 … 100 and over, or the first ages of classes, 0, 5 … 100 and over
    death_rates : table sex, period_from, period_to, age_from, mx; five-year periods
    inputs      : table indicator, period_from, period_to, age_from, value, with the indicators
                  total_fertility_rate, sex_ratio_at_birth, percent_of_tfr (by age) and
                  net_migration_thousand_per_5_years (in the unit of the population)
    Returns     : table year, sex, age (0, 5 … 100), population: the base and every five years after
    Raises      : ValueError if a year, a period or an age is missing, a count is negative, or a death
                  rate is above 2 or falls from age 60 on
    """
    counts = {year: _in_classes(single) for year, single in _by_age(population).items()}
    periods = _periods(counts, base_year, last_year)
    rates = {period: _rates(death_rates, period) for period in periods}
    ratios = [five_year_ratios(rates[period], RATE_STARTS) for period in periods]
    migrants = _migrants(inputs, periods)
    fertility = np.array([_fertility(inputs, period) for period in periods])
    ratio = np.array([_input(inputs, "sex_ratio_at_birth", period) for period in periods])
    paths = project(
        counts[base_year],
        lambda step: ratios[step],
        fertility,
        ratio / (1 + ratio),
        migrants=migrants,
    )
    years = [base_year, *(period + WIDTH for period in periods)]
    index = pd.MultiIndex.from_product([years, SEXES, CLASSES], names=["year", "sex", "age"])
    return pd.Series(paths.ravel(), index=index, name="population").reset_index()


def _periods(counts: dict, base_year: int, last_year: int) -> list[int]:
    if base_year not in counts:
        raise ValueError(
            f"the population has no year {base_year}; it has {', '.join(map(str, counts))}"
        )
    if last_year <= base_year:
        raise ValueError(f"the last year, {last_year}, is not after the base, {base_year}")
    return list(range(base_year, last_year, WIDTH))


def project_published_yearly(
    population: pd.DataFrame,
    death_rates: pd.DataFrame,
    inputs: pd.DataFrame,
    base_year: int,
    last_year: int,
    stationary: bool = False,
) -> pd.DataFrame:
    """The same inputs through yearly steps by single age, as the areas of China are projected.

    The UN lets a five-year class survive as if it were spread over its ages as in a stationary
    population. With `stationary` the people are spread so again before every five years, which takes
    that one difference away; without it the single ages of the base go on as they are; classes are
    spread evenly over their ages. So are migrants, who come at the end of each five years.

    Arguments and result as of `project_published`.
    """
    single = _by_age(population)
    periods = _periods(single, base_year, last_year)
    now = single[base_year]
    paths = [_in_classes(now)]
    for period, moved in zip(periods, _migrants(inputs, periods)):
        lx = survivors(_rates(death_rates, period), RATE_STARTS)
        if stationary:
            lived = person_years(lx)[:, : OPEN_AGE + 1]
            now = np.repeat(_in_classes(now) / _in_classes(lived), SPAN, axis=1) * lived
        births = np.repeat(_fertility(inputs, period) / WIDTH, SPAN)
        ratio = _input(inputs, "sex_ratio_at_birth", period)
        survival = survival_ratios(lx)
        steps = project(
            now,
            lambda _, table=survival: table,
            np.tile(births, (WIDTH, 1)),
            np.full(WIDTH, ratio / (1 + ratio)),
        )
        now = steps[-1] + _over_ages(moved)
        paths.append(_in_classes(now))
    years = [base_year, *(period + WIDTH for period in periods)]
    index = pd.MultiIndex.from_product([years, SEXES, CLASSES], names=["year", "sex", "age"])
    return pd.Series(np.array(paths).ravel(), index=index, name="population").reset_index()


def compare_published(projected: pd.DataFrame, population: pd.DataFrame) -> pd.DataFrame:
    """Relative difference of a projection from the figures published, by year and age from which people are counted.

    projected : as `project_published` gives it   population : as it takes it
    Returns   : table, a row a year after the base, a column for each of `THRESHOLDS`
    """
    published = population.rename(columns={population.columns[-1]: "population"})
    rows = {}
    for year in sorted(set(projected["year"]) & set(published["year"]))[1:]:
        sums = [
            [
                one.loc[(one["year"] == year) & (one["age"] >= age), "population"].sum()
                for age in THRESHOLDS
            ]
            for one in (projected, published)
        ]
        rows[int(year)] = np.array(sums[0]) / np.array(sums[1]) - 1
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(THRESHOLDS))


def compare_countries(world: World, base_year: int, last_year: int) -> pd.DataFrame:
    """Largest relative difference from the UN's figures in any year after the base, of other countries.

    Returns : table, a row a country of data/world/wpp2019_*.csv, a column for each of `THRESHOLDS`
    """
    rows = {}
    for place in world.wpp2019_population["place"].unique():
        tables = world.wpp2019(place)
        projected = project_published(*tables, base_year, last_year)
        rows[place] = compare_published(projected, tables[0]).abs().max()
    return pd.DataFrame(rows).T.rename_axis("place").rename_axis(columns="from_age")


def migrant_shares() -> np.ndarray:
    """Shares of net migrants by age class at the end of a five-year step, the same for both sexes.

    Defined as::  m(x) = 0.02 e^(-0.1 x) + 0.06 e^(-0.1 (x - 20) - e^(-0.4 (x - 20))) + 0.003

    for the age x at the move; moves are spread evenly over the five years. Nobody is taken to move
    who is `OLDEST_MIGRANT` or over at the end: the constant term, made for rates within a country,
    would make one migrant in nine older.

    Returns : array [share]  dims age class; the sum is 1
    Source  : Rogers and Castro (1981), Model Migration Schedules, IIASA RR-81-30: the standard
              schedule in its simplified form. The UN names simplified schedules of these authors
              among the sources of its age patterns (World Population Prospects 2010, net migrants
              by age and sex)
    """
    labour = SINGLE + 0.5 - 20
    moves = 0.02 * np.exp(-0.1 * (SINGLE + 0.5)) + 0.003
    moves += 0.06 * np.exp(-0.1 * labour - np.exp(-0.4 * labour))
    # Who moved at x and a half is of x … x + 5 at the end: of the first and the last age half as often.
    aged = np.convolve(moves, [0.1, 0.2, 0.2, 0.2, 0.2, 0.1])[: OPEN_AGE + 1]
    shares = np.where(CLASSES < OLDEST_MIGRANT, _in_classes(aged), 0.0)
    return shares / shares.sum()


def _migrants(inputs: pd.DataFrame, periods: list[int]) -> np.ndarray:
    """Net migrants by step, sex and age class: the totals given, half of them of each sex."""
    totals = [_input(inputs, "net_migration_thousand_per_5_years", period) for period in periods]
    shares = np.tile(migrant_shares() / len(SEXES), (len(SEXES), 1))
    return np.array(totals)[:, None, None] * shares


def _by_age(population: pd.DataFrame) -> dict[int, np.ndarray]:
    """Single ages of every year, classes spread evenly over theirs; arrays [person] dims sex, age."""
    table = population.rename(columns={population.columns[-1]: "count"})
    if (table["count"] < 0).any() or table["count"].isna().any():
        row = table[(table["count"] < 0) | table["count"].isna()].iloc[0]
        raise ValueError(
            f"the population of {row.year}, {row.sex}, age {row.age} is {row['count']}; it must be a count"
        )
    out = {}
    for year, rows in table.groupby("year"):
        ages = CLASSES if rows["age"].isin(CLASSES).all() else SINGLE
        wide = rows.pivot_table("count", "sex", "age", aggfunc="sum").reindex(
            index=list(SEXES), columns=ages
        )
        if wide.isna().any(axis=None):
            sex, age = wide.isna().stack().idxmax()
            raise ValueError(f"the population of {year} has no {sex}s of age {age}")
        if len(rows) != wide.size:
            raise ValueError(
                f"the population of {year} has {len(rows)} rows; ages 0 to 100 of both sexes are {wide.size}"
            )
        counts = wide.to_numpy(float)
        out[int(year)] = counts if ages is SINGLE else _over_ages(counts)
    return out


def _in_classes(single: np.ndarray) -> np.ndarray:
    return np.add.reduceat(single, CLASSES, axis=-1)


def _over_ages(classes: np.ndarray) -> np.ndarray:
    return np.repeat(classes / SPAN, SPAN, axis=-1)


def _rates(death_rates: pd.DataFrame, period: int) -> np.ndarray:
    rows = death_rates[death_rates["period_from"] == period]
    if rows.empty:
        raise ValueError(f"the death rates have no period from {period}")
    wide = rows.pivot_table("mx", "sex", "age_from").reindex(index=list(SEXES), columns=RATE_STARTS)
    mx = wide.to_numpy(float)
    check_death_rates(mx, wide.columns.to_numpy(), f"from {period}")
    return mx


def check_death_rates(mx: np.ndarray, starts: np.ndarray, where: str) -> None:
    """Refuse death rates that cannot be: not positive, above 2, or falling from age 60 on.

    Raises : ValueError naming the age
    """
    for sex, row in zip(SEXES, mx):
        if np.isnan(row).any():
            raise ValueError(
                f"there is no death rate of {sex}s at age {starts[np.isnan(row)][0]} {where}"
            )
        bad = ~(row > 0) | (row > 2)
        if bad.any():
            age = starts[bad][0]
            raise ValueError(
                f"death rate of {sex}s at age {age} {where} is {row[bad][0]:g}; it must be above 0 and at most 2"
            )
        old = np.diff(row) <= 0
        falling = old & (starts[1:] > 60)
        if falling.any():
            raise ValueError(
                f"death rates of {sex}s {where} do not increase at age {starts[1:][falling][0]}"
            )


def _input(inputs: pd.DataFrame, indicator: str, period: int) -> float:
    rows = inputs[(inputs["indicator"] == indicator) & (inputs["period_from"] == period)]
    if rows.empty:
        raise ValueError(f"the inputs have no {indicator} for the period from {period}")
    if rows["value"].isna().any():
        raise ValueError(f"the inputs have no number for {indicator} in the period from {period}")
    return float(rows["value"].iloc[0])


def _fertility(inputs: pd.DataFrame, period: int) -> np.ndarray:
    """Births per woman in a step of five years, by age class."""
    total = _input(inputs, "total_fertility_rate", period)
    rows = inputs[(inputs["indicator"] == "percent_of_tfr") & (inputs["period_from"] == period)]
    if rows.empty:
        raise ValueError(f"the inputs have no percent_of_tfr for the period from {period}")
    shares = (
        rows.set_index(rows["age_from"].astype(int))["value"].reindex(CLASSES).fillna(0).to_numpy()
    )
    return total * shares / shares.sum()
