"""The UN's own inputs put through the engine: five-year ages, five-year steps, as the UN calculates them."""

from __future__ import annotations

import numpy as np
import pandas as pd

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

    Any country's inputs will do, in the layout of data/china/wpp2019_*.csv. The total of net
    migrants is given; their ages are not, and the inputs cannot give them: what the populations and
    death rates before the base leave unexplained (`implied_migration`) is migration and rounding
    together, of a few years which may hold a wave that does not come again. So the ages are the mean
    of all periods before the base that the tables hold, and nobody is taken to move at
    `OLDEST_MIGRANT` and over, where the remainder is more rounding than moves; the rest is brought to
    the total given. How the ages of migrants change after the base, and who of the old does move,
    stays unknown: a country of large migration may differ by it. Migrants come at the end of a step.

    population  : table year, sex, age (single, the last one open), and the count in the last column;
                  with the base year and, for the ages of migrants, the years five, ten … years before it
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
    migrants = _migrants(counts, death_rates, inputs, base_year, periods)
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
    that one difference away; without it the single ages of the base go on as they are. Migrants come
    at the end of each five years, evenly over the ages of their class.

    Arguments and result as of `project_published`.
    """
    single = _by_age(population)
    counts = {year: _in_classes(ages) for year, ages in single.items()}
    periods = _periods(counts, base_year, last_year)
    migrants = _migrants(counts, death_rates, inputs, base_year, periods)
    width = np.diff([*CLASSES, OPEN_AGE + 1])
    now, paths = single[base_year], [counts[base_year]]
    for period, moved in zip(periods, migrants):
        lx = survivors(_rates(death_rates, period), RATE_STARTS)
        if stationary:
            lived = person_years(lx)[:, : OPEN_AGE + 1]
            now = np.repeat(_in_classes(now) / _in_classes(lived), width, axis=1) * lived
        births = np.repeat(_fertility(inputs, period) / WIDTH, width)
        ratio = _input(inputs, "sex_ratio_at_birth", period)
        survival = survival_ratios(lx)
        steps = project(
            now,
            lambda _, table=survival: table,
            np.tile(births, (WIDTH, 1)),
            np.full(WIDTH, ratio / (1 + ratio)),
        )
        now = steps[-1] + np.repeat(moved / width, width, axis=1)
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


def implied_migration(
    earlier: np.ndarray, later: np.ndarray, ratios: np.ndarray, total: float | None
) -> np.ndarray:
    """Net migrants by sex and age class that a population five years apart leaves unexplained.

    Defined as::  M(x+5) = N(x+5, later) - N(x, earlier) S(x)

    and for the youngest, whose births are not known here, what is left of the total, divided by
    sex as in the next class; without a total as many as in the next class.

    Returns : array [person]  dims sex, age class
    """
    expected = np.zeros_like(earlier)
    expected[:, 1:] = earlier[:, :-1] * ratios[:, 1:-1]
    expected[:, -1] += earlier[:, -1] * ratios[:, -1]
    out = later - expected
    next_class = out[:, 1]
    if total is None or next_class.sum() == 0:
        out[:, 0] = next_class
    else:
        out[:, 0] = (total - out[:, 1:].sum()) * next_class / next_class.sum()
    return out


def _migrants(counts, death_rates, inputs, base_year: int, periods) -> np.ndarray:
    """Net migrants by step, sex and age class: the totals as given, ages as before the base, of the old none."""
    totals = np.array(
        [_input(inputs, "net_migration_thousand_per_5_years", period) for period in periods]
    )
    seen = _migrants_before(counts, death_rates, inputs, base_year)
    if seen is None:
        seen = np.where(CLASSES < OLDEST_MIGRANT, counts[base_year], 0.0)
    if abs(seen.sum()) > 0.2 * np.abs(seen).sum():
        return totals[:, None, None] * seen / seen.sum()
    pattern = np.abs(seen) / max(np.abs(seen).sum(), 1e-9)
    return seen + (totals - seen.sum())[:, None, None] * pattern


def _migrants_before(counts, death_rates, inputs, base_year: int) -> np.ndarray | None:
    """Mean of the net migrants of all five-year periods before the base; None if there is none.

    Nobody of `OLDEST_MIGRANT` and over is among them: their numbers go to the younger ages, in the same proportions.
    """
    known = set(death_rates["period_from"])
    found: list[np.ndarray] = []
    period = base_year - WIDTH
    while period in counts and period in known:
        ratios = five_year_ratios(_rates(death_rates, period), RATE_STARTS)
        total = _input_if_there(inputs, "net_migration_thousand_per_5_years", period)
        found.append(implied_migration(counts[period], counts[period + WIDTH], ratios, total))
        period -= WIDTH
    if not found:
        return None
    return np.where(CLASSES < OLDEST_MIGRANT, np.mean(found, axis=0), 0.0)


def _by_age(population: pd.DataFrame) -> dict[int, np.ndarray]:
    """Single ages of every year; arrays [person] dims sex, age."""
    table = population.rename(columns={population.columns[-1]: "count"})
    if (table["count"] < 0).any() or table["count"].isna().any():
        row = table[(table["count"] < 0) | table["count"].isna()].iloc[0]
        raise ValueError(
            f"the population of {row.year}, {row.sex}, age {row.age} is {row['count']}; it must be a count"
        )
    out = {}
    for year, rows in table.groupby("year"):
        wide = rows.pivot_table("count", "sex", "age", aggfunc="sum").reindex(
            index=list(SEXES), columns=SINGLE
        )
        if wide.isna().any(axis=None):
            sex, age = wide.isna().stack().idxmax()
            raise ValueError(f"the population of {year} has no {sex}s of age {age}")
        if len(rows) != wide.size:
            raise ValueError(
                f"the population of {year} has {len(rows)} rows; ages 0 to 100 of both sexes are {wide.size}"
            )
        out[int(year)] = wide.to_numpy(float)
    return out


def _in_classes(single: np.ndarray) -> np.ndarray:
    return np.add.reduceat(single, CLASSES, axis=-1)


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
    found = _input_if_there(inputs, indicator, period)
    if found is None:
        raise ValueError(f"the inputs have no {indicator} for the period from {period}")
    return found


def _input_if_there(inputs: pd.DataFrame, indicator: str, period: int) -> float | None:
    rows = inputs[(inputs["indicator"] == indicator) & (inputs["period_from"] == period)]
    if rows.empty:
        return None
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
