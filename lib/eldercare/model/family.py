"""Nation, provinces, prefectures and counties as one family: who is part of whom, and how they err together.

Each area has a latent error of its own, a standard normal draw that belongs to its code alone (`stream_of`).
The error of an area's projection rests on those of its line, from the nation down to itself (`line_of`)::

    score(area) = r score(area above) + root(1 - r^2) own draw,   r = scale(area above) / scale(area), at most 1
    score(nation) = its own draw

with scale the spread of the back-test's errors for areas of such a size. So what an area is unsure of, its
parts are unsure of too, all in one direction, and each adds what is its own; a county that is as sure as its
prefecture errs exactly as it does. Whoever learns the error of one area (a new count) learns by these weights
of the areas above it, beside it and below it. People below 60 err in part as those of 60 and over do, and in
part by a latent error of their own (`error_scores`).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri
from scipy.stats import t as student_t

from eldercare.inputs.draws import Z90
from eldercare.inputs.load import NATION, China
from eldercare.model.base import AGES, base_populations, national_population, province_of

ERROR_STREAM = "projection_error"
LARGEST_ERROR = 6.0
SCORES = np.linspace(-6, 6, 8001)
SHARES = np.linspace(0, 1, 41)
ERROR_AGES = (60, 65, 80)

Line = tuple[tuple[int, float], ...]


def above(code: int, known) -> int:
    """The area that counts an area as a part: its prefecture if the census has it, else its province; the nation."""
    wholes = [
        one
        for one in (code // 100 * 100, province_of(code))
        if one in known and one not in (code, NATION)
    ]
    return wholes[0] if wholes else NATION


@lru_cache(maxsize=2)
def lines(china: China) -> dict[int, Line]:
    """For the nation and each area of the census of 2020 the codes from the nation down to it, with their weights.

    The squares of the weights add up to 1, so that a score is a standard normal draw whatever the line.
    """
    everyone = base_populations(china, 2020)
    totals = everyone.sum(["sex", "age"], skipna=False).to_series().dropna()
    people = {NATION: national_population(china, 2020).sum(), **totals.to_dict()}
    scales = {code: _mean_scale(china, count) for code, count in people.items()}
    found: dict[int, Line] = {NATION: ((NATION, 1.0),)}
    for code in sorted(set(people) - {NATION}, key=lambda one: (one % 10000 > 0, one % 100 > 0)):
        whole = above(code, people)
        shared = min(1.0, scales[whole] / scales[code])
        upper = tuple((one, weight * shared) for one, weight in found[whole])
        found[code] = (*upper, (code, float(np.sqrt(1 - shared**2))))
    return found


def _mean_scale(china: China, people: float) -> float:
    scale = error_spread(china, people)[0]
    return float(np.mean([scale[age] for age in ERROR_AGES]))


def stream_of(code: int, younger: bool = False) -> str:
    """Name of the stream of numbers that the latent error of an area is drawn from."""
    return f"{ERROR_STREAM}{'_younger' if younger else ''}|{code}"


def error_scores(line: Line, correlation: float, assumptions) -> np.ndarray:
    """Standard normal scores of an area's error at 60 and over, and below 60, from the latent errors of its line.

    Defined as::  older   = sum over the line(weight x latent error)
                  younger = c older + root(1 - c^2) x sum over the line(weight x latent error of the younger)

    correlation : c, of both errors in the back-test
    Returns     : array  dims (older, younger), draw
    """
    if ERROR_STREAM in assumptions:
        return assumptions[ERROR_STREAM]
    older, apart = (
        np.sum(
            [
                weight * ndtri(assumptions.uniform(stream_of(code, younger)))
                for code, weight in line
                if weight
            ],
            axis=0,
        )
        for younger in (False, True)
    )
    return np.stack([older, correlation * older + np.sqrt(1 - correlation**2) * apart])


def heavy_tailed(score: np.ndarray, freedom: float) -> np.ndarray:
    """Student's t at the place of a standard normal score, cut at `LARGEST_ERROR` either way.

    Read off a table of 8,001 scores, to five digits: the quantile itself takes as long as the projection.
    """
    return np.interp(score, SCORES, _tails(freedom))


@lru_cache(maxsize=16)
def t90(freedom: float) -> float:
    """90th percentile of Student's distribution, as `Z90` is that of the normal."""
    return float(student_t.ppf(0.9, freedom))


@lru_cache(maxsize=4)
def _tails(freedom: float) -> np.ndarray:
    return np.clip(student_t.ppf(ndtr(SCORES), freedom), -LARGEST_ERROR, LARGEST_ERROR)


def rest_of_width(known: np.ndarray, freedom: float) -> np.ndarray:
    """How wide an error must be that makes up a range of 80 % together with a normal one that is known.

    Defined as::  the 80 % range of (rest x T / q + known x Z / z) has half-width 1

    T by Student's t with `freedom`, Z normal, q and z their 90th percentiles. The root of 1 - known^2 would be too
    little: the middle of Student's distribution is narrower than its tails.

    known   : half-width of the normal part over that of the whole; from 1 on nothing is left
    Returns : array [share of the half-width], the same dims
    """
    return np.interp(known, SHARES, _rests(freedom))


@lru_cache(maxsize=4)
def _rests(freedom: float) -> np.ndarray:
    places = (np.arange(4000) + 0.5) / 4000
    heavy = student_t.ppf(places, freedom) / student_t.ppf(0.9, freedom)

    def held(rest: float, known: float) -> float:
        ends = (np.array([[1.0], [-1.0]]) - rest * heavy) * Z90 / known
        return float(np.subtract(*ndtr(ends)).mean()) - 0.8

    inner = [brentq(held, 0.0, 1.5, args=(known,)) for known in SHARES[1:-1]]
    return np.array([1.0, *inner, 0.0])


def error_spread(china: China, people: float) -> tuple[np.ndarray, float, float]:
    """Spread of the error of a ten-year projection by age, for an area of so many people, and its tails.

    Returns : (array [share] dims age, degrees of freedom, correlation of the errors below and above 60), from
              data/china/projection_error.csv
    """
    return _error_of_size(china, max(size for size in _sizes(china) if size <= people))


@lru_cache(maxsize=2)
def _sizes(china: China) -> tuple[int, ...]:
    return tuple(map(int, china.projection_error["size_from"].unique()))


@lru_cache(maxsize=32)
def _error_of_size(china: China, size_from: int) -> tuple[np.ndarray, float, float]:
    table = china.projection_error
    rows = table[table["size_from"] == size_from].sort_values("from_age")
    place = np.clip(np.searchsorted(rows["from_age"], AGES, side="right") - 1, 0, None)
    first = rows.iloc[0]
    return rows["scale"].to_numpy()[place], float(first["freedom"]), float(first["correlation"])
