"""People in care matched to the population they come from: counts by any age bands, and their age
profile.

All functions take tidy frames `place, year, age, value` of people in care and of the population (a
column `series` may part counts of one place that are not comparable, a column `sex` is summed), of
any places, years and age bands. Nothing is told of a place but these, so that a place never seen
before can be tried as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from eldercare.inputs.world import age_band

AGES = np.arange(111)
# Older people begin here; whoever is in care and younger follows no count of them.
OLDER = 60
# A band of people in care that ends here or below holds few older people and follows no count of
# them.
YOUNGER = 70
# Bands from which on a place has an age profile of its own.
ENOUGH_BANDS = 3
# Within an open last age group each further age has this share of the one before: mortality near
# age 90.
THINNING = 0.85


def people_from(bands: pd.DataFrame) -> dict[int, float]:
    """People in care from an age on, for each age at which the bands of one year can be parted.

    Bands may overlap (a total beside its parts): what follows from the others is worked out from
    the oldest down.
    """
    edges = [(*age_band(age), value) for age, value in zip(bands["age"], bands["value"])]
    known = {first: value for first, end, value in edges if np.isinf(end)}
    closed = sorted((edge for edge in edges if np.isfinite(edge[1])), key=lambda edge: -edge[1])
    if not known and closed:
        known[int(closed[0][1])] = 0.0
    for _ in closed:
        for first, end, value in closed:
            if end in known and first not in known:
                known[first] = known[int(end)] + value
            elif first in known and end not in known:
                known[int(end)] = known[first] - value
    return known


def single_ages(bands: pd.DataFrame) -> np.ndarray:
    """People of one place and year by single age; the ages of a band are alike, of an open band
    ever fewer.

    bands   : table age, value; totals beside their parts are not counted twice
    Returns : array [person]  dims age (0 to 110); NaN below the first band and below 60
    """
    since = people_from(bands)
    edges = sorted(since)
    out = np.full(len(AGES), np.nan)
    for first, end in zip(edges, [*edges[1:], len(AGES)]):
        ages = AGES[first:end]
        weight = THINNING ** (ages - first) if first == edges[-1] else np.ones(len(ages))
        out[ages] = (since[first] - since.get(end, 0.0)) * weight / weight.sum()
    out[:OLDER] = np.nan
    return out


@dataclass(frozen=True, eq=False)
class Series:
    """Comparable counts of one place, and its population.

    counts : for each year people in care from an age on, see `people_from`
    people : for each year array [person]  dims age
    last   : for each year the first age of the population's open last band, inside which nothing
             can be parted
    """

    name: str
    place: str
    counts: dict[int, dict[int, float]]
    people: dict[int, np.ndarray]
    last: dict[int, int]

    def edges(self, *years: int) -> list[int]:
        """Ages at which the counts of these years can be parted and matched to the population."""
        start = int(np.isnan(self.people[years[0]]).sum())
        shared = set.intersection(*(set(self.counts[year]) for year in years))
        last = min(self.last[year] for year in years)
        known = sorted(age for age in shared if age <= last)
        while len(known) > 1 and known[0] < start and known[1] <= YOUNGER:
            known.pop(0)
        return known

    def bands(self, year: int, edges: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """People in care of a year between edges, and their shares of the ages: arrays dims band;
        band, age.
        """
        since = np.array([self.counts[year][edge] for edge in edges] + [0.0])
        ends = [*edges[1:], len(AGES)]
        inside = np.array([(first <= AGES) & (end > AGES) for first, end in zip(edges, ends)])
        return since[:-1] - since[1:], inside


def all_series(users: pd.DataFrame, population: pd.DataFrame) -> list[Series]:
    """The series of a tidy frame with the years whose population is known; places without any are
    left out.
    """
    users = users.assign(series=users["series"] if "series" in users else users["place"])
    users = users.groupby(["series", "place", "year", "age"], as_index=False)["value"].sum()
    population = population.groupby(["place", "year", "age"], as_index=False)["value"].sum()
    people = {key: single_ages(part) for key, part in population.groupby(["place", "year"])}
    bands = population.groupby(["place", "year"])["age"].unique()
    last = {key: max(age_band(age)[0] for age in ages) for key, ages in bands.items()}
    out = []
    for (name, place), part in users[users["value"] > 0].groupby(["series", "place"]):
        counts = {
            int(year): people_from(rows)
            for year, rows in part.groupby("year")
            if (place, year) in people
        }
        if counts:
            years = [year for where, year in people if where == place]
            known = {int(year): people[place, year] for year in years}
            ends = {int(year): last[place, year] for year in years}
            out.append(Series(str(name), str(place), counts, known, ends))
    return out


def rate_curve(series: Series, year: int) -> np.ndarray | None:
    """Share of people in care by single age: straight in logarithms between the mean ages of the
    bands.

    Returns : array [share]  dims age, the last band's beyond its mean age; None with fewer than
              three bands
    """
    edges = series.edges(year)
    if len(edges) < ENOUGH_BANDS:
        return None
    counted, inside = series.bands(year, edges)
    people = np.nan_to_num(series.people[year])
    each = (people * inside).sum(axis=1)
    if not (counted > 0).all() or not (each > 0).all():
        return None
    middle = (people * inside * AGES).sum(axis=1) / each + 0.5
    logs = np.log(counted / each)
    slope = (logs[1] - logs[0]) / (middle[1] - middle[0])
    below = np.minimum(AGES + 0.5 - middle[0], 0) * max(slope, 0)
    return np.exp(np.interp(AGES + 0.5, middle, logs) + below)


def borrowed_curves(every: list[Series], lenders: list[str] | None = None) -> dict[str, np.ndarray]:
    """For each place the mean age profile of the other places that have one of their own; flat if
    none has.

    lenders : places to borrow from (default: all)
    Returns : arrays [share]  dims age; only their shape has a meaning
    """
    own: dict[str, list[np.ndarray]] = {}
    for series in every:
        curves = [rate_curve(series, year) for year in series.counts]
        logs = [np.log(curve / curve[80]) for curve in curves if curve is not None]
        if logs and (lenders is None or series.place in lenders):
            own.setdefault(series.place, []).append(np.mean(logs, axis=0))
    means = {place: np.mean(curves, axis=0) for place, curves in own.items()}
    out = {}
    for place in {series.place for series in every}:
        others = [curve for lender, curve in means.items() if lender != place]
        out[place] = np.exp(np.mean(others, axis=0)) if others else np.ones(len(AGES))
    return out


def longevity_gain(people: dict[int, np.ndarray]) -> float:
    """Years that life expectancy at 65 gained in a year, from how cohorts of the population
    dwindled.

    Defined as::  S(a) = P(a + 5 to a + 9, t + 5) / P(a to a + 4, t)
                  e65  = 5 (1 + S(65) + S(65) S(70) + ...),   gain = slope of e65 on t

    Survival is that of the counts: it holds migration of old people, which is small between
    countries.

    people  : for each year array [person]  dims age
    Returns : [year per year], 0 where no two years lie five apart
    """
    years, found = [], []
    for year in sorted(people):
        if year + 5 not in people:
            continue
        first, then = np.nan_to_num(people[year]), np.nan_to_num(people[year + 5])
        starts = np.arange(65, 95, 5)
        before = np.array([first[age : age + 5].sum() for age in starts])
        after = np.array([then[age + 5 : age + 10].sum() for age in starts])
        if not (before > 0).all() or not after.any():
            continue
        years.append(year)
        found.append(5 * (1 + np.cumprod(np.clip(after / before, 0, 1)).sum()))
    return float(np.polyfit(years, found, 1)[0]) if len(years) > 1 else 0.0


def mean_curve(users: pd.DataFrame, population: pd.DataFrame) -> np.ndarray:
    """Mean age profile of all series and years that have one; array [share] dims age."""
    found = [rate_curve(one, year) for one in all_series(users, population) for year in one.counts]
    logs = [np.log(curve) for curve in found if curve is not None]
    if not logs:
        raise ValueError(f"no count has {ENOUGH_BANDS} age bands or more")
    return np.exp(np.mean(logs, axis=0))
