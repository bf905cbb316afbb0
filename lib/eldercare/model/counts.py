"""A population that learns: counts since the census move the projection of an area and of its family.

The error of a projection is taken to walk: what it gains in a year is independent of the year before, is alike for
cohorts born near to each other, and is shared along the family by its weights (see `family`). Under these covariances a count, itself in error, moves the logarithm of people as a Kalman filter does:

    gain = C (S + R)^-1,   shift = gain x ln(counted / projected),   variance kept = V - gain C'

with S the covariance of what was counted, C that of an area's people with it, R the counts' own errors, V the area's
variance before. So the middle moves towards the count, the range narrows near it and widens ahead of it, and an area
without counts learns from those above and beside it. Draws are moved and drawn together, none is made anew: without
counts everything is as before. The width that a range has before counts is `population.log_spread`.
Source: Evensen, G. (2009), Data assimilation: the ensemble Kalman filter, chapters 3 and 9.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from eldercare.inputs.draws import Z90, Assumptions
from eldercare.inputs.load import NATION
from eldercare.inputs.schema import ages_meant
from eldercare.model.base import AGES, BASE_YEAR, SEXES, province_of
from eldercare.model.family import Line
from eldercare.model.population import BANDS

ALL_COUNTS, NO_COUNTS = "9999-12-31", ""
COHORTS_APART = 10
SURPRISE = 0.01


def usable_counts(counts: pd.DataFrame, until: str = ALL_COUNTS) -> pd.DataFrame:
    """The counts that move a projection: of residents, not doubtful, up to a day.

    A share is left out where the people themselves are counted: both are of one survey.

    counts : `China.counts`   until : the last day, as 2022-12-31
    """
    rows = counts[(counts["basis"] == "resident") & (counts["trust"] != "doubtful")]
    rows = rows[rows["date"] <= until].sort_values("unit", kind="stable")
    twice = rows.duplicated(["adcode", "date", "age", "sex"]) & (rows["unit"] == "share")
    return rows[~twice].sort_index()


def count_error(row: Mapping, assumptions: Assumptions) -> float:
    """One standard deviation [share] of the error of a count, by its kind.

    Source : assumptions `count_error_census`, `count_error_register`, `count_error_sample_survey` and
             `count_error_sample_survey_nation`
    """
    name = f"count_error_{row['kind']}"
    if row["kind"] == "sample_survey" and row["adcode"] == NATION:
        name += "_nation"
    low, high = np.quantile(assumptions[name].values, [0.1, 0.9])
    return float(high - low) / (2 * Z90)


@dataclass(frozen=True, eq=False)
class Counted:
    """One count beside what was projected for it without counts.

    row      : the count, as `China.counts` has it
    drawn    : array [person or share]  dims draw: what the draws say of it
    weights  : array [share]  dims year, five-year age: by how much ln(what is counted) moves with ln(people)
    spread   : array [share]  dims year, five-year age: of the area's people, see `population.log_spread`
    """

    row: Mapping
    drawn: np.ndarray
    weights: np.ndarray
    spread: np.ndarray

    @property
    def log_ratio(self) -> float:
        """ln(counted / mean of the draws)."""
        return float(np.log(self.row["value"] / self.drawn.mean()))

    @property
    def chance(self) -> float:
        """Share of the draws at least as far out as the count, on both sides together."""
        above = (self.drawn >= self.row["value"]).mean()
        return float(2 * min(above, 1 - above))


def meet(row: Mapping, people: np.ndarray, spread: np.ndarray) -> Counted:
    """Hold a count against a projection.

    Between the ends of two years people go in a straight line.

    people : array [person]  dims draw, year (2020 …), sex, age: without counts, up to the year of the count
    spread : array [share]  dims year, five-year age
    """
    day = date.fromisoformat(row["date"])
    begins, ends = date(day.year, 1, 1), date(day.year + 1, 1, 1)
    # Years since the end of 2020; the weeks between the census and that end count as it.
    passed = max(day.year - 1 - BASE_YEAR + ((day - begins).days + 1) / (ends - begins).days, 0.0)
    first, part = int(passed), passed % 1
    first_age, last_age = ages_meant(row["age"])
    ages = (first_age <= AGES) & (last_age >= AGES)
    sexes = [place for place, sex in enumerate(SEXES) if row["sex"] in ("", sex)]
    drawn: np.ndarray | float = 0.0
    weights, whole = np.zeros(spread.shape), np.zeros(spread.shape)
    of_all: np.ndarray | float = 0.0
    for year, share in ((first, 1 - part), (first + 1, part)):
        if not share:
            continue
        here = people[:, year][:, sexes].sum(axis=1)
        drawn = drawn + share * here[:, ages].sum(axis=-1)
        of_all = of_all + share * here.sum(axis=-1)
        in_bands = np.add.reduceat(here.mean(axis=0) * ages, BANDS)
        weights[year] = share * in_bands / in_bands.sum()
        # Children of the census and those born since are taken as known (see `areas.counted_beside`).
        uncertain = here.mean(axis=0) * (BANDS[year // BANDS[1] + 2] <= AGES)
        whole[year] = share * np.add.reduceat(uncertain, BANDS) / here.mean(axis=0).sum()
    if row["unit"] == "share":
        drawn, weights = drawn / of_all, weights - whole
    return Counted(row, np.asarray(drawn), weights, spread)


class Evidence:
    """All counts together: what they say of any area."""

    def __init__(self, counted: list[Counted], lines: Mapping[int, Line], assumptions: Assumptions):
        """Bring the counts into one system.

        lines  : of each area, as `family.lines` gives them
        Source : assumption `projection_error_cohort_correlation`
        """
        self.all_lines = lines
        near = float(assumptions["projection_error_cohort_correlation"].values[0])
        self.reach_of_cohorts = COHORTS_APART / -np.log(near)
        self.codes = np.array([int(one.row["adcode"]) for one in counted])
        self.lines = [self.line(int(code)) for code in self.codes]
        last = max(int(np.flatnonzero(one.weights.any(axis=1)).max()) for one in counted)
        self.reach = np.stack([self._reach(one, last + 1) for one in counted])
        self.log_ratio = np.array([one.log_ratio for one in counted])
        errors = np.array([count_error(one.row, assumptions) for one in counted])
        self.covariance = np.diag(errors**2)
        everything = _Solved(np.arange(len(counted)), np.empty(0), np.empty(0), self.reach)
        for place, (one, line) in enumerate(zip(counted, self.lines)):
            gained = self._covariance(line, one.spread, everything)
            self.covariance[place] += (gained * one.weights).sum(axis=(1, 2))
        self._solved: dict[int, _Solved] = {}

    def line(self, code: int) -> dict[int, float]:
        """Weights of the latent errors that an area's error is made of, by the code of each (see `family`)."""
        return dict(self.all_lines[code])

    def of(
        self, code: int, spread: np.ndarray, people: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """By what counts move the mean of an area's people, and which part of its range they leave.

        Taken are the counts of the nation and of the area's own province and all within it: other provinces have
        nothing in common with it but the nation, and speak for that only where it has no counts. In the draws all ages of an area
        err together; the part kept at an age is such that the range of all people of that age and over is the one
        after the counts. It is below 0 where older people, who were not counted by themselves, may be more only if
        those of this age are fewer.

        spread  : array [share]  dims year, five-year age: of the area's people without counts
        people  : array [person]  dims year, five-year age: their mean
        Returns : (array [ratio], array [share])  dims year, five-year age
        """
        about = self._about(province_of(code))
        gained = self._covariance(self.line(code), spread, about)
        of_older = _and_over(gained * people).reshape(len(about.rows), -1)
        # Not `@`: a product so small takes longer to hand to other threads than to do.
        weighed = np.einsum("op,pk->ok", about.inverse, of_older)
        explained = (weighed * of_older).sum(axis=0).reshape(spread.shape)
        before = self._variance_and_over(spread, people)
        known = np.divide(explained, before, out=np.zeros_like(before), where=before > 0)
        alone = people * spread
        width = np.sqrt(np.clip(1 - known, 0, 1)) * _and_over(alone)
        own_width = width - np.concatenate([width[:, 1:], 0 * width[:, :1]], axis=1)
        kept = np.divide(own_width, alone, out=np.ones_like(alone), where=alone > 0)
        return np.exp(np.tensordot(about.weighed, gained, 1)), np.clip(kept, -1, 1)

    def _about(self, province: int) -> _Solved:
        """The counts that speak of the areas of a province, solved once."""
        if province not in self._solved:
            own = np.array([province_of(int(other)) == province for other in self.codes])
            whole = self.codes == NATION
            alone = province != NATION and whole.any()
            rows = np.flatnonzero(own | (whole if alone else self.codes % 10000 == 0))
            inverse = np.linalg.inv(self.covariance[np.ix_(rows, rows)])
            weighed = inverse @ self.log_ratio[rows]
            self._solved[province] = _Solved(rows, inverse, weighed, self.reach[rows])
        return self._solved[province]

    def _variance_and_over(self, spread: np.ndarray, people: np.ndarray) -> np.ndarray:
        """Variance [person²] of the people of each age and over without counts; dims year, five-year age."""
        alike = np.exp(-np.abs(BANDS[:, None] - BANDS) / self.reach_of_cohorts)
        counted_years = self.reach.shape[-1]
        made = np.arange(counted_years) <= np.arange(len(spread))[:, None]
        early = _steps_of_cohorts(spread, counted_years) * made[:, None, :] * people[..., None]
        later = _steps(spread)
        later[:counted_years] = 0
        pairs = np.cumsum(later[:, :, None] * later[:, None, :], axis=0)
        pairs *= people[:, :, None] * people[:, None, :]
        pairs = (pairs + early @ np.swapaxes(early, 1, 2)) * alike
        both = _and_over(np.swapaxes(_and_over(pairs), 1, 2))
        return np.diagonal(both, axis1=1, axis2=2)

    def _covariance(
        self, line: Mapping[int, float], spread: np.ndarray, about: _Solved
    ) -> np.ndarray:
        """Covariance of ln(an area's people) with what is counted; dims count, year, five-year age."""
        steps = _steps_of_cohorts(spread, self.reach.shape[-1])
        shared = np.array([_correlation(line, self.lines[row]) for row in about.rows])
        return (about.reach[:, : len(spread)] * steps).sum(axis=-1) * shared[:, None, None]

    def _reach(self, one: Counted, steps_of_error: int) -> np.ndarray:
        """What one count has to do with people of any year and age; dims year, five-year age, year of the error.

        Defined as::  sum over ages counted(weight x correlation of the two cohorts x the cohort's step of error),
                      of errors up to the earlier of the two years
        """
        years, steps = np.arange(len(one.spread)), _steps_of_cohorts(one.spread, steps_of_error)
        born = BANDS - years[:, None]
        out = np.zeros(steps.shape)
        for year in np.flatnonzero(one.weights.any(axis=1)):
            apart = np.abs(born[..., None] - born[year])
            alike = np.exp(-apart / self.reach_of_cohorts) * one.weights[year]
            met = np.arange(steps_of_error) <= np.minimum(years, year)[:, None]
            out += (alike @ steps[year]) * met[:, None, :]
        return out


@dataclass(frozen=True, eq=False)
class _Solved:
    """Counts that speak of a province: their places, the inverse of their covariance, and what follows from it."""

    rows: np.ndarray
    inverse: np.ndarray
    weighed: np.ndarray
    reach: np.ndarray


def _steps(spread: np.ndarray) -> np.ndarray:
    """What the error gains in each year, as a standard deviation; dims year, five-year age."""
    variance = np.maximum.accumulate(spread**2, axis=0)
    return np.sqrt(np.diff(variance, axis=0, prepend=0))


def _steps_of_cohorts(spread: np.ndarray, steps_of_error: int) -> np.ndarray:
    """The step of error of each year at the age that a cohort then had; dims year, five-year age, year of the error.

    An error that was made before a cohort was old does not grow with the age it has come to.
    """
    steps = _steps(spread)
    passed = np.arange(len(spread))[:, None, None] - np.arange(steps_of_error)
    then = np.clip((BANDS[:, None] + BANDS[1] // 2 - passed) // BANDS[1], 0, None)
    then = np.minimum(then, np.arange(len(BANDS))[:, None])
    known = np.minimum(np.arange(steps_of_error), len(spread) - 1)
    return steps[known, then]


def _and_over(values: np.ndarray) -> np.ndarray:
    """Sum over an age and all above it; the last dim is the five-year age."""
    return np.cumsum(values[..., ::-1], axis=-1)[..., ::-1]


def _correlation(one: Mapping[int, float], other: Mapping[int, float]) -> float:
    """Correlation of the errors of two areas: by the latent errors that both rest on."""
    return sum(weight * other[code] for code, weight in one.items() if code in other)
