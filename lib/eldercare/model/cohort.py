"""Cohort component: carry a population forward by its rates, whatever country or area they are of.

Two versions of the same arithmetic stand here. `project` is plain NumPy and the reference;
`project_compiled` does the work for many draws at once, fused into one loop, and must agree with it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit


def next_step(
    counts: np.ndarray,
    survival: np.ndarray,
    fertility: np.ndarray,
    male_births: float,
    growth: np.ndarray | None = None,
    migrants: np.ndarray | None = None,
) -> np.ndarray:
    """One step on, as long as an age class is wide (a year, or five).

    Defined as::  N(x+1) = N(x) S(x) growth(x+1) + migrants(x+1)
                  births = sum over x(fertility(x) (W(x) at the start + W(x) at the end) / 2)
                  N(0)   = births of the sex x S(birth) growth(0) + migrants(0)

    counts      : array [person]  dims …, sex (male, female), age class, the last one open
    survival    : array [share]   dims …, sex, age class + 1: births, then each class into the next,
                  last the open class into itself
    fertility   : array [birth per woman and step]  dims …, age class
    growth      : array [ratio]   dims …, sex, age class: net migration as a factor
    migrants    : array [person]  dims …, sex, age class: net migrants of the step, at its end
    Returns     : array [person]  dims of counts
    """
    after = np.empty_like(counts)
    after[..., 1:] = counts[..., :-1] * survival[..., 1:-1]
    after[..., -1] += counts[..., -1] * survival[..., -1]
    after[..., 0] = 0
    if growth is not None:
        after[..., 1:] *= growth[..., 1:]
    if migrants is not None:
        after[..., 1:] += migrants[..., 1:]
    women = (counts[..., 1, :] + after[..., 1, :]) / 2
    births = (women * fertility).sum(axis=-1)
    newborn = (
        np.stack([births * male_births, births * (1 - male_births)], axis=-1) * survival[..., 0]
    )
    if growth is not None:
        newborn = newborn * growth[..., 0]
    after[..., 0] = newborn if migrants is None else newborn + migrants[..., 0]
    return after


def project(
    base: np.ndarray,
    survival,
    fertility: np.ndarray,
    male_births: np.ndarray,
    growth: np.ndarray | None = None,
    migrants: np.ndarray | None = None,
) -> np.ndarray:
    """Carry a population forward step by step.

    base        : array [person]  dims …, sex (male, female), age class, at the start of step 0
    survival    : function of the step's number, giving the ratios of `next_step`
    fertility   : array [birth per woman and step]  dims step, …, age class
    male_births : array [share]  dims step
    growth      : array [ratio]  dims …, sex, age class, the same in all steps
    migrants    : array [person]  dims step, …, sex, age class
    Returns     : array [person]  dims step + 1, …, sex, age class: at the start of each step and the end
    Raises      : ValueError if a count is negative or not a number
    """
    if not (np.isfinite(base).all() and (base >= 0).all()):
        raise ValueError(f"the base population has {_first_fault(base)}")
    steps = [np.asarray(base, float)]
    for step in range(len(male_births)):
        moved = None if migrants is None else migrants[step]
        steps.append(
            next_step(steps[-1], survival(step), fertility[step], male_births[step], growth, moved)
        )
    return np.stack(steps)


def _first_fault(base: np.ndarray) -> str:
    place = np.argwhere(~np.isfinite(base) | (base < 0))[0]
    sex = ("men", "women")[place[-2]]
    value = base[tuple(place)]
    kind = "no number" if not np.isfinite(value) else f"a negative count ({value:g})"
    return f"{kind} for {sex} of age {place[-1]}"


def _compiled(**options) -> Callable[[Callable], Callable]:
    """numba's `njit`, what it compiles kept for the next run where there is a folder to keep it in."""

    def decorate(function: Callable) -> Callable:
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError:  # a read-only checkout and no home: compiled anew in each run
            return njit(**options)(function)

    return decorate


@_compiled(nogil=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def _run(base, ratios, level, weight, growth, phase, fertility, shape, male_births, edges, out):
    draws, sexes, ages = base.shape
    now = np.empty((sexes, ages))
    then = np.empty((sexes, ages))
    together = out.shape[2] == 1
    for draw in range(draws):
        now[:] = base[draw]
        _count_bands(now, together, edges, out[draw, 0])
        for year in range(male_births.shape[0]):
            births = 0.0
            for turn in range(sexes):
                sex = 1 - turn
                start = now[sex]
                end = then[sex]
                grown = growth[phase[year], draw, sex]
                low = ratios[year, sex, level[year, sex, draw]]
                high = ratios[year, sex, level[year, sex, draw] + 1]
                up = weight[year, sex, draw]
                down = 1.0 - up
                for age in range(1, ages):
                    end[age] = start[age - 1] * (down * low[age] + up * high[age]) * grown[age]
                end[ages - 1] += (
                    start[ages - 1] * (down * low[ages] + up * high[ages]) * grown[ages - 1]
                )
                if sex == 1:
                    for age in range(1, ages):
                        births += shape[year, age] * (start[age] + end[age])
                    births *= 0.5 * fertility[year, draw]
                part = male_births[year] if sex == 0 else 1.0 - male_births[year]
                end[0] = births * part * (down * low[0] + up * high[0]) * grown[0]
            _count_bands(then, together, edges, out[draw, year + 1])
            now, then = then, now


@_compiled(nogil=True, inline="always")
def _count_bands(counts, together, edges, out):
    for sex in range(len(out)):
        for band in range(out.shape[1]):
            total = 0.0
            for age in range(edges[band], edges[band + 1]):
                total += counts[sex, age]
                if together:
                    total += counts[1, age]
            out[sex, band] = total


def project_compiled(
    base: np.ndarray,
    ratios: np.ndarray,
    level: np.ndarray,
    weight: np.ndarray,
    growth: np.ndarray,
    fertility: np.ndarray,
    shape: np.ndarray,
    male_births: np.ndarray,
    band: np.ndarray | None = None,
    out: np.ndarray | None = None,
    phase: np.ndarray | None = None,
    by_sex: bool = True,
) -> np.ndarray:
    """`project` for many draws, compiled; survivorship is read off a grid of levels as it goes.

    Draws may as well be areas: all that differs between them is in the arguments.

    base          : array [person]  dims draw, sex, age
    ratios        : array [share]   dims year, sex, level, age + 1 (see `lifetable.SurvivalGrid`)
    level, weight : arrays          dims year, sex, draw: level below and weight of the level above
    growth        : array [ratio]   dims draw, sex, age: net migration as a factor, the same in all years; or with
                    the phase as first dim
    fertility     : array [birth per woman]  dims year, draw: total fertility
    shape         : array [share]   dims year, age: the part of total fertility that falls on each age
    male_births   : array [share]   dims year
    band          : for each age the number of the band it is counted in, rising; without it each age its own
    out           : where to write it, if it is there already
    phase         : for each year the number of its phase, if the growth has phases
    by_sex        : False adds both sexes up
    Returns       : array [person]  dims draw, year + 1, sex (one, if they are added up), band
    """
    band = np.arange(base.shape[-1]) if band is None else np.asarray(band)
    if out is None:
        sexes = base.shape[1] if by_sex else 1
        out = np.empty((base.shape[0], len(male_births) + 1, sexes, int(band.max()) + 1))
    if phase is None:
        growth, phase = growth[None], np.zeros(len(male_births))
    edges = np.searchsorted(band, np.arange(int(band.max()) + 2))
    floats = [
        np.ascontiguousarray(array, dtype=float)
        for array in (base, ratios, weight, growth, fertility, shape)
    ]
    base, ratios, weight, growth, fertility, shape = floats
    _run(
        base,
        ratios,
        np.ascontiguousarray(level, dtype=np.int64),
        weight,
        growth,
        np.asarray(phase, dtype=np.int64),
        fertility,
        shape,
        np.asarray(male_births, float),
        edges.astype(np.int64),
        out,
    )
    return out


@_compiled(nogil=True)
def sum_bands(counts, edges, out):
    """Sum both sexes over bands of age; in the order in which NumPy's `add.reduceat` sums so few.

    counts : array  dims draw, year, sex, age;  out : array  dims draw, year, band
    edges  : first age of each band, and the end
    """
    draws, years, bands = out.shape
    for draw in range(draws):
        for year in range(years):
            men, women = counts[draw, year, 0], counts[draw, year, 1]
            for band in range(bands):
                start = edges[band]
                rest = 0.0
                for age in range(start + 1, edges[band + 1]):
                    rest += men[age] + women[age]
                out[draw, year, band] = men[start] + women[start] + rest


@_compiled(nogil=True)
def multiply_bands(counts, factor, band):
    """Multiply counts by single age, in place, by the factor of the band each age lies in.

    counts : array  dims draw, year, sex, age;  factor : array  dims draw, year, band
    band   : for each age the number of its band
    """
    draws, years, sexes, ages = counts.shape
    for draw in range(draws):
        for year in range(years):
            for sex in range(sexes):
                for age in range(ages):
                    counts[draw, year, sex, age] *= factor[draw, year, band[age]]


@_compiled(nogil=True, error_model="numpy")
def put_errors(people, error, kind, stays, up, rest, pull, out):
    """People with an error, drawn together about a middle.

    Defined as::  out = (stays + up people error) / (rest + pull people error); nobody stays nobody

    people, out           : arrays [person]  dims draw, year, band
    error                 : array [ratio]    dims draw, year, kind
    kind                  : for each band the number of its kind of error
    stays, up, rest, pull : arrays  dims year, band; 0, 1, 1, 0 draw nothing together
    """
    draws, years, bands = people.shape
    for draw in range(draws):
        for year in range(years):
            for band in range(bands):
                before = people[draw, year, band]
                found = before * error[draw, year, kind[band]]
                drawn = (stays[year, band] + up[year, band] * found) / (
                    rest[year, band] + pull[year, band] * found
                )
                out[draw, year, band] = drawn if before > 0.0 else 0.0
