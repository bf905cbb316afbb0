"""Life tables: from death rates by age group to the share of each age that lives another year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

LAST_AGE = 120
OPEN_AGE = 100
ALPHA_GRID = np.linspace(-2.2, 1.2, 137)
# So far that what-if levers of life expectancy at either end, in the last of the draws, are on the
# grid.
WIDE_GRID = np.concatenate([np.linspace(-3.4, -2.225, 48), ALPHA_GRID, np.linspace(1.225, 1.6, 16)])


def abridged_probability(mx: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Probability of dying within each age group.

    Defined as::  nqx = n nMx / (1 + (n - nax) nMx)
    with nax = n/2 - n^2/12 (nMx - k), k the growth of the rate with age (Greville 1943),
    and, below 5, the a-values of Coale and Demeny for low mortality.

    mx      : array [per person-year]  last dim: age groups, the last one open
    starts  : first age of each group
    Returns : array [share], one fewer in the last dim (the open group is left out)
    """
    width = np.diff(starts)
    rate = np.asarray(mx, float)[..., :-1]
    growth = np.gradient(np.log(np.maximum(mx, 1e-12)), starts + 2.5, axis=-1)[..., :-1]
    lived = width / 2 - width**2 / 12 * (rate - growth)
    lived[..., starts[:-1] == 0] = 0.06 + 2.8 * rate[..., starts[:-1] == 0]
    lived[..., starts[:-1] == 1] = 1.5
    return np.clip(width * rate / (1 + (width - lived) * rate), 0, 1 - 1e-9)


def survivors(mx: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Survivors l(x) at exact single ages 0 to 121, l(0) = 1.

    Between the ages of the groups the cumulative hazard -ln l(x) is a monotone cubic (PCHIP),
    beyond the last it grows by the rate of the open group.

    mx      : array [per person-year]  last dim: age groups that begin at `starts`
    Returns : array [share]  last dim: exact age 0..121
    """
    starts = np.asarray(starts)
    hazard = np.cumsum(-np.log1p(-abridged_probability(mx, starts)), axis=-1)
    hazard = np.concatenate([np.zeros_like(hazard[..., :1]), hazard], axis=-1)
    ages = np.arange(LAST_AGE + 2)
    inside = ages[ages <= starts[-1]]
    curve = PchipInterpolator(starts, hazard, axis=-1)(inside)
    beyond = ages[ages > starts[-1]] - starts[-1]
    tail = hazard[..., -1:] + np.asarray(mx)[..., -1:] * beyond
    return np.exp(-np.concatenate([curve, tail], axis=-1))


def person_years(lx: np.ndarray) -> np.ndarray:
    """Person-years lived at each single age, L(x), from survivors at exact ages.

    Deaths are spread as under a constant force within the year; in the first year of life those
    who die live a tenth of it, as where infant mortality is low.

    lx : array [share] last dim exact ages 0..121   Returns : array [year] last dim ages 0..120
    """
    upper, lower = lx[..., :-1], lx[..., 1:]
    deaths = upper - lower
    force = np.log(np.maximum(upper, 1e-300) / np.maximum(lower, 1e-300))
    lived = np.where(force > 1e-12, deaths / np.maximum(force, 1e-12), upper)
    lived[..., 0] = lower[..., 0] + 0.1 * deaths[..., 0]
    return lived


def life_expectancy(lx: np.ndarray) -> np.ndarray:
    """Life expectancy at birth [year] from survivors at exact ages (last dim)."""
    return person_years(lx).sum(axis=-1)


def shift_level(lx: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Survivors at another level of mortality, of the same age pattern.

    Defined as::  logit l'(x) = alpha + logit l(x), with logit l = ½ ln((1 - l) / l)

    alpha   : array, one new dim before the last; above 0 means more deaths
    Returns : array [share]  dims of lx with alpha before the ages
    Source  : Brass, W. (1971), relational model of two parameters, slope 1
    """
    inner = np.clip(lx[..., None, :], 1e-300, 1 - 1e-15)
    odds = (1 - inner) / inner * np.exp(2 * np.asarray(alpha)[:, None])
    shifted = 1 / (1 + odds)
    shifted[..., 0] = 1.0
    return shifted


def survival_ratios(lx: np.ndarray) -> np.ndarray:
    """Share of each age that is alive a year later (survivorship ratios).

    Defined as::  S_b = L(0)/l(0);  S(x) = L(x+1)/L(x);  S(100+) = T(101)/T(100)

    Returns : array [share]  last dim 102: births, then ages 0..99, then 100 and over
    """
    lived = person_years(lx)
    total_open = lived[..., OPEN_AGE:].sum(axis=-1)
    birth = lived[..., :1]
    single = lived[..., 1 : OPEN_AGE + 1] / np.maximum(lived[..., :OPEN_AGE], 1e-300)
    last = (lived[..., OPEN_AGE + 1 :].sum(axis=-1) / np.maximum(total_open, 1e-300))[..., None]
    return np.concatenate([birth, single, last], axis=-1)


@dataclass(frozen=True)
class SurvivalGrid:
    """Survivorship ratios of a standard life table at many levels, to be read off by life
    expectancy.

    years           : the years, one standard a year
    life_expectancy : array [year]   dims year, sex, level (falling along level)
    ratios          : array [share]  dims year, sex, level, age (102, see `survival_ratios`)
    """

    years: np.ndarray
    life_expectancy: np.ndarray
    ratios: np.ndarray

    def locate(self, year_index: int, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Level below and weight of the level above for a life expectancy wanted.

        target  : array [year]  dims sex, draw   Returns : (level, weight), the same dims
        Raises  : ValueError if a life expectancy lies outside the grid
        """
        level = np.empty(target.shape, dtype=np.intp)
        weight = np.empty(target.shape)
        for sex in range(target.shape[0]):
            ladder = self.life_expectancy[year_index, sex]
            if target[sex].min() < ladder[-1] or target[sex].max() > ladder[0]:
                raise ValueError(
                    f"life expectancy {target[sex].min():.1f} to {target[sex].max():.1f} in "
                    f"{self.years[year_index]} is outside {ladder[-1]:.1f} to {ladder[0]:.1f}"
                )
            place = (
                len(ladder)
                - 2
                - np.clip(
                    np.searchsorted(ladder[::-1], target[sex], side="right") - 1, 0, len(ladder) - 2
                )
            )
            level[sex] = place
            weight[sex] = (ladder[place] - target[sex]) / (ladder[place] - ladder[place + 1])
        return level, weight

    def survival(self, year_index: int, target: np.ndarray) -> np.ndarray:
        """Survivorship ratios at the life expectancy wanted.

        target : array [year] dims sex, draw   Returns : array [share] dims draw, sex, age (102)
        """
        level, weight = self.locate(year_index, target)
        out = np.empty((target.shape[1], target.shape[0], self.ratios.shape[-1]))
        for sex in range(target.shape[0]):
            table = self.ratios[year_index, sex]
            share = weight[sex][:, None]
            out[:, sex] = table[level[sex]] * (1 - share) + table[level[sex] + 1] * share
        return out


def survival_grid(
    mx: np.ndarray, starts: np.ndarray, years: np.ndarray, levels: np.ndarray = ALPHA_GRID
) -> SurvivalGrid:
    """Build the grid from death rates by year, sex and age group (dims year, sex, age group)."""
    shifted = shift_level(survivors(mx, starts), levels)
    return SurvivalGrid(np.asarray(years), life_expectancy(shifted), survival_ratios(shifted))


def yearly_rates(mx: np.ndarray, periods: np.ndarray, years: np.ndarray) -> np.ndarray:
    """Death rates for single calendar years from those of five-year periods.

    Logarithms of the rates are joined in straight lines between the middles of the periods.

    mx      : array [per person-year]  dims period, sex, age group
    periods : first year of each period   years : the years wanted
    Returns : array [per person-year]  dims year, sex, age group
    """
    middle = np.asarray(periods) + 2.5
    wanted = np.clip(np.asarray(years) + 0.5, middle[0], middle[-1])
    place = np.clip(np.searchsorted(middle, wanted, side="right") - 1, 0, len(middle) - 2)
    weight = (wanted - middle[place]) / (middle[place + 1] - middle[place])
    log = np.log(mx)
    shape = (-1, *[1] * (mx.ndim - 1))
    return np.exp(log[place] * (1 - weight.reshape(shape)) + log[place + 1] * weight.reshape(shape))
