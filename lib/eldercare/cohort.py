"""Cohort component: carry a population forward by its rates, whatever country they are of."""

from __future__ import annotations

import numpy as np


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
        out[:, index + 1] = next_year(
            out[:, index], survival(index), growth, fertility[index], male_births[index]
        )
    return out


def next_year(counts, survival, growth, fertility, male_births):
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
