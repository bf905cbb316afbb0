"""Rival ways to split age groups into single ages, held against tables whose single ages are known.

Chosen is `base.single_ages`, a monotone curve after the pattern of a larger population: the nation
by single age, of the same census. Here it is tried under a handicap: its pattern is the nation of
the census ten years before, carried ten years, so that it does not know the truth it is measured
by. Even so it keeps the small cohorts of 1959-61 beside the large ones of 1962-63; what knows only
the groups (even, spline, penalised composite link) makes one slope of both, and would bring the
wave of people who turn 60 from 2022 on years too early or too late. See `compare_methods` for the
figures.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.interpolate import PchipInterpolator

from eldercare.inputs.load import NATION, China
from eldercare.inputs.schema import AGE_GROUP_START
from eldercare.model.base import AGES, GROUPS_85, OPEN_AGE, SEXES, single_ages
from eldercare.model.cohort import project
from eldercare.model.lifetable import survival_ratios, survivors
from eldercare.validation.accuracy import death_rates_known

STARTS = np.array(AGE_GROUP_START)
TRUE_YEARS = (2010, 2020)
BETWEEN = 10
LAST_KNOWN_AGE = 84
PENALTIES = 10.0 ** np.arange(0, 8)
MOST_ROUNDS, CLOSE_ENOUGH = 60, 1e-7
LARGE_COHORT, SMALL_COHORT = (1962, 1963), (1959, 1961)
METHODS = ("even", "spline", "penalised composite link", "pattern of ten years before")


def even(groups: np.ndarray) -> np.ndarray:
    """The same number at every single age of a group.

    groups  : array [person]  dims sex, age group; groups begin at `STARTS`, the last one open
    Returns : array [person]  dims sex, single age 0..100
    """
    width = np.diff([*STARTS, OPEN_AGE + 1])
    return np.repeat(groups / width, width, axis=-1)


def spline(groups: np.ndarray) -> np.ndarray:
    """A monotone cubic (PCHIP) through the cumulated population, without any pattern.

    groups  : array [person]  dims sex, age group   Returns : array [person]  dims sex, single age
    """
    below = np.concatenate([np.zeros_like(groups[..., :1]), np.cumsum(groups, axis=-1)], axis=-1)
    curve = PchipInterpolator([*STARTS, OPEN_AGE + 1], below, axis=-1)
    return np.diff(curve(np.arange(OPEN_AGE + 2)), axis=-1)


def penalised_composite_link(groups: np.ndarray) -> np.ndarray:
    """The smoothest single ages, on the log scale, whose sums could be the groups.

    Defined as::  groups ~ Poisson(C exp(b)),  penalty = lambda / 2 x sum of squared second differences of b

    with C the matrix that adds single ages up; lambda has the smallest AIC of `PENALTIES`.

    groups  : array [person]  dims sex, age group   Returns : array [person]  dims sex, single age
    Source  : Rizzi, Gampe and Eilers (2015), American Journal of Epidemiology 182 (2), 138-147
    """
    return np.stack(
        [
            min((_smooth(row, penalty) for penalty in PENALTIES), key=lambda fit: fit[1])[0]
            for row in groups
        ]
    )


def _smooth(counts: np.ndarray, penalty: float) -> tuple[np.ndarray, float]:
    """Single ages under one penalty, by iteratively reweighted least squares, and their AIC."""
    width = np.diff([*STARTS, OPEN_AGE + 1])
    adds_up = np.repeat(np.eye(len(counts)), width, axis=1)
    second = np.diff(np.eye(len(AGES)), 2, axis=0)
    rough = penalty * second.T @ second
    log = np.log(np.maximum(np.repeat(counts / width, width), 1e-3))
    for _ in range(MOST_ROUNDS):
        single = np.exp(log)
        sums = adds_up @ single
        slope = adds_up * single
        weighted = slope.T / sums
        new = np.linalg.solve(weighted @ slope + rough, weighted @ (counts - sums + slope @ log))
        moved = np.abs(new - log).max()
        log = new
        if moved < CLOSE_ENOUGH:
            break
    single = np.exp(log)
    sums = adds_up @ single
    slope = adds_up * single
    weighted = slope.T / sums
    freedom = np.trace(np.linalg.solve(weighted @ slope + rough, weighted @ slope))
    deviance = 2 * (counts * np.log(np.maximum(counts, 1e-9) / sums) - (counts - sums)).sum()
    return single, deviance + 2 * freedom


def true_table(china: China, year: int) -> np.ndarray:
    """The nation by single age as its table has it; array [person] dims sex, age."""
    table = china.single_age[china.single_age["year"] == year]
    return table.pivot_table("mean_population", "sex", "age").loc[list(SEXES)].to_numpy(float)


def pattern_of_ten_years_before(china: China, year: int) -> np.ndarray:
    """The nation of the census before, carried ten years without migration; array [person] dims
    sex, age.

    Those born since are not known: below age 10 the pattern is flat, the groups themselves rule
        there.
    """
    mx, years, starts = death_rates_known(china)
    ratios = survival_ratios(survivors(mx, starts))
    first = year - BETWEEN - int(years[0])
    none = np.zeros((BETWEEN, len(AGES)))
    carried = project(
        true_table(china, year - BETWEEN),
        lambda step: ratios[first + step],
        none,
        np.full(BETWEEN, 0.5),
    )
    pattern = carried[-1]
    pattern[:, :BETWEEN] = pattern[:, BETWEEN : BETWEEN + 1]
    return pattern


def split_all(china: China, year: int) -> dict[str, np.ndarray]:
    """The nation's groups of a census split again by each method; arrays [person] dims sex, age."""
    groups = np.add.reduceat(true_table(china, year), STARTS, axis=1)
    ours = single_ages(groups, STARTS, pattern_of_ten_years_before(china, year))
    return dict(
        zip(METHODS, (even(groups), spline(groups), penalised_composite_link(groups), ours))
    )


def cohort_ratio(counts: np.ndarray, year: int) -> float:
    """People born in 1962-63 over those born in 1959-61, each per year of birth.

    The table stands at about 1 May: of those born in a year, most are still of the lower of two
        ages.

    counts : array [person]  dims sex, age
    """
    both = counts.sum(axis=0)
    ages = [
        np.arange(year - last - 1, year - first) for first, last in (LARGE_COHORT, SMALL_COHORT)
    ]
    return float(both[ages[0]].mean() / both[ages[1]].mean())


def compare_methods(china: China) -> pd.DataFrame:
    """Each method against the nation's single ages of 2010 and 2020.

    Returns : table year, method, error (mean absolute percentage error by sex and single age 0-84),
              error_40_64 (the same at the ages of the famine and the boom), ratio (cohorts of
              1962-63 over those of 1959-61), ratio_true
    """
    rows = []
    for year in TRUE_YEARS:
        truth = true_table(china, year)
        for method, counts in split_all(china, year).items():
            error = np.abs(counts / truth - 1)
            rows.append(
                {
                    "year": year,
                    "method": method,
                    "error": error[:, : LAST_KNOWN_AGE + 1].mean(),
                    "error_40_64": error[:, 40:65].mean(),
                    "ratio": cohort_ratio(counts, year),
                    "ratio_true": cohort_ratio(truth, year),
                }
            )
    return pd.DataFrame(rows)


def compare_open_interval(china: China) -> pd.DataFrame:
    """Division of 85 and over: the nation's shares, or the province's own of the census before.

    Both are held against the province's shares of the census itself, men and women apart.

    Returns : table year, method, age_from (85, 90, 95, 100), error (mean absolute difference of the
              share over provinces and sexes)
    """
    shares = {
        year: _shares_of_85_plus(china, year) for year in (TRUE_YEARS[0] - BETWEEN, *TRUE_YEARS)
    }
    parts = []
    for year in TRUE_YEARS:
        truth = shares[year].drop(index=NATION, level="adcode")
        sexes = truth.index.get_level_values("sex")
        nation = shares[year].loc[NATION].loc[sexes].to_numpy()
        before = shares[year - BETWEEN].reindex(truth.index).to_numpy()
        for method, found in (
            ("the nation's, same census", nation),
            ("the province's, census before", before),
        ):
            error = np.nanmean(np.abs(found - truth.to_numpy()), axis=0)
            parts.append(
                pd.DataFrame(
                    {"year": year, "method": method, "age_from": GROUPS_85, "error": error}
                )
            )
    return pd.concat(parts, ignore_index=True)


def _shares_of_85_plus(china: China, year: int) -> pd.DataFrame:
    table = china.province_age
    rows = table[(table["year"] == year) & (table["age_from"] >= GROUPS_85[0])]
    wide = (
        rows.pivot_table("population", ["adcode", "sex"], "age_from")
        .reindex(columns=GROUPS_85)
        .fillna(0)
    )
    return wide.div(wide.sum(axis=1), axis=0)
