"""Who needs care: people by severity of limitation in daily living, and people with dementia."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import xarray as xr
from scipy.interpolate import PchipInterpolator
from scipy.optimize import root
from scipy.special import expit, logit

from eldercare.engine.arrays import join, sum_over, sum_product
from eldercare.inputs.checks import age_band_limits
from eldercare.inputs.draws import Assumptions
from eldercare.inputs.load import China
from eldercare.inputs.schema import SEVERITIES
from eldercare.model.base import AGES, SEXES, TablesKey

LIMITED = SEVERITIES[1:]
SURVEY_YEAR = 2018
DEMENTIA_YEAR = 2020
FIRST_AGE = 60
KNOTS = np.array([69.5, 79.0, 89.0])
LAST_KNOT = 97.0
MOST_LIMITED = 0.97
OLDEST_OLD = 85


def survey_weights(china: China) -> np.ndarray:
    """The nation by single age in 2020, both sexes: the mix that a band's published rate is a mean of."""
    return national_ages(china).sum(axis=0)


def national_ages(china: China) -> np.ndarray:
    """The nation by sex and single age in 2020.  Returns: array [person]  dims sex, age"""
    return _national_ages(TablesKey(china))


@lru_cache(maxsize=4)
def _national_ages(key: TablesKey) -> np.ndarray:
    table = key.tables.single_age
    table = table[table["year"] == 2020]
    return table.pivot_table("mean_population", "sex", "age").loc[list(SEXES), AGES].to_numpy(float)


@lru_cache(maxsize=256)
def _smooth_once(bands: tuple, rates: tuple, weights: bytes) -> np.ndarray:
    """`smooth_prevalence`, solved once for the same rates."""
    return smooth_prevalence(list(bands), np.array(rates), np.frombuffer(weights))


def smooth_prevalence(bands: list[str], rates: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Prevalence at single ages whose means over the bands are the published rates.

    Defined as::  logit p(x) is a monotone cubic (PCHIP) through knots in the middle of each band, on with
    the outer slopes, level from age 97; the knots are solved so that, over each band,
    sum(w(x) p(x)) / sum(w(x)) is the band's rate

    bands   : three bands from age 65, e.g. 65-74, 75-84, 85+
    rates   : array [share]  one a band
    weights : array [person]  dims age
    Returns : array [share]  dims age, below 1; not defined below 65 (see `adl_prevalence`)
    Raises  : ValueError if no such curve exists
    """
    members = [(low <= AGES) & (high >= AGES) for low, high in map(age_band_limits, bands)]

    def means(knots: np.ndarray) -> np.ndarray:
        curve = expit(_logit_curve(knots))
        return np.array([np.average(curve[m], weights=weights[m]) for m in members])

    solved = root(lambda k: np.log(means(k)) - np.log(rates), logit(rates), tol=1e-10)
    if not solved.success:
        raise ValueError(f"no smooth curve has the rates {rates} in the bands {bands}")
    return expit(_logit_curve(solved.x))


def _logit_curve(knots: np.ndarray) -> np.ndarray:
    """Logits at all ages through those at the knots. May bind: before the first and after the last knot it goes on straight."""
    curve = PchipInterpolator(KNOTS, knots)
    first, last = KNOTS[0], KNOTS[-1]
    below = np.minimum(AGES - first, 0) * curve(first, 1)
    above = np.clip(np.minimum(AGES, LAST_KNOT) - last, 0, None) * curve(last, 1)
    return curve(np.clip(AGES, first, last)) + below + above


def severity_curves(rates: pd.DataFrame, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Prevalence of mild, moderate and severe limitation at single ages from 65.

    Fitted are the nested groups (any limitation; moderate or severe; severe), each rising with age;
    a severity is the difference of two, so that all together never pass 1.

    rates   : table [share]  one row a band in order of age, one column a severity
    Returns : array [share] for each severity, dims age
    """
    nested = rates[list(LIMITED)].iloc[:, ::-1].cumsum(axis=1).iloc[:, ::-1]
    bands, mix = tuple(rates.index), np.asarray(weights, float).tobytes()
    curves = {name: _smooth_once(bands, tuple(nested[name]), mix) for name in LIMITED}
    return {
        "mild": curves["mild"] - curves["moderate"],
        "moderate": curves["moderate"] - curves["severe"],
        "severe": curves["severe"],
    }


def _central_rates(assumptions: Assumptions) -> pd.DataFrame:
    rows = assumptions.rows[assumptions.rows["assumption"] == "adl_prevalence"]
    table = rows.pivot_table("central", "age_band", "severity")
    return table.loc[sorted(table.index, key=lambda band: age_band_limits(band)[0])]


def _spread_over_ages(drawn: xr.DataArray, central: pd.Series) -> np.ndarray:
    """Ratio of a draw to the central rate, from the bands to single ages; dims draw, age.

    May bind: before the middle of the first band and after that of the last the ratio is the band's own.
    """
    bands = list(central.index)
    middle = [(low + min(high, 95)) / 2 for low, high in map(age_band_limits, bands)]
    ratio = np.log(drawn.sel(age_band=bands).values / central.to_numpy())
    place = np.clip(np.searchsorted(middle, AGES, side="right") - 1, 0, len(bands) - 2)
    width = np.diff(middle)[place]
    weight = np.clip((AGES - np.array(middle)[place]) / width, 0, 1)
    return np.exp(ratio[:, place] * (1 - weight) + ratio[:, place + 1] * weight)


def adl_prevalence(china: China, assumptions: Assumptions) -> xr.DataArray:
    """Share of people with a limitation in activities of daily living, in the year of the survey.

    From 65 the published rates by age, made smooth (`severity_curves`); from 60 to 64 the rate of
    65-74 times a ratio; below 60 none is counted. The survey prints the sexes only over all ages: at
    each age they differ by one ratio, and together they have the rate of both (see `by_sex`).

    Returns : array [share]  dims draw, severity (mild, moderate, severe), sex, age
    Source  : assumptions `adl_prevalence`, `adl_prevalence_ratio_60_64`, `adl_prevalence_sex_ratio`
    """
    drawn, central = assumptions["adl_prevalence"], _central_rates(assumptions)
    curves = severity_curves(central, survey_weights(china))
    sixties = assumptions["adl_prevalence_ratio_60_64"].values[:, None]
    out = np.zeros((assumptions.draws, len(LIMITED), len(AGES)))
    for index, severity in enumerate(LIMITED):
        of_severity = drawn.sel(severity=severity)
        out[:, index] = curves[severity] * _spread_over_ages(of_severity, central[severity])
        first_band = of_severity.sel(age_band=central.index[0]).values[:, None]
        out[:, index, FIRST_AGE:65] = sixties * first_band
    out[..., :FIRST_AGE] = 0
    out = by_sex(out, assumptions["adl_prevalence_sex_ratio"].values, national_ages(china))
    out /= np.maximum(out.sum(axis=1, keepdims=True) / MOST_LIMITED, 1)
    return xr.DataArray(
        out,
        dims=("draw", "severity", "sex", "age"),
        coords={"draw": drawn["draw"], "severity": list(LIMITED), "sex": list(SEXES), "age": AGES},
    )


def by_sex(rates: np.ndarray, ratio: np.ndarray, ages: np.ndarray) -> np.ndarray:
    """Rates of men and women from those of both, the women's being `ratio` times the men's at each age.

    Defined as::  men(x) = both(x) / (m(x) + ratio f(x)), with m, f the shares of the sexes in the nation

    rates   : array [share]  dims draw, severity, age
    ratio   : array [ratio]  dims draw
    ages    : array [person]  dims sex, age
    Returns : array [share]  dims draw, severity, sex, age
    """
    men, women = ages / ages.sum(axis=0)
    ratio = ratio[:, None, None]
    of_men = rates / (men + ratio * women)
    return np.stack([of_men, ratio * of_men], axis=2)


def dementia_prevalence(assumptions: Assumptions) -> xr.DataArray:
    """Share of people with dementia by age band, each age with its band's rate.

    Returns : array [share]  dims draw, age
    Source  : assumption `dementia_prevalence`
    """
    drawn = assumptions["dementia_prevalence"]
    out = np.zeros((assumptions.draws, len(AGES)))
    for band in drawn["age_band"].values:
        low, high = age_band_limits(band)
        out[:, low : high + 1] = drawn.sel(age_band=band).values[:, None]
    return xr.DataArray(out, dims=("draw", "age"), coords={"draw": drawn["draw"], "age": AGES})


def drift(assumptions: Assumptions, name: str, years, survey_year: int) -> xr.DataArray:
    """Factor by which a prevalence has moved since its survey: (1 + drift)^(year - survey year).

    Returns : array [ratio]  dims draw, year
    """
    passed = xr.DataArray(np.asarray(years) - survey_year, dims="year", coords={"year": years})
    return (1 + assumptions[name]) ** passed


def drift_of_oldest(assumptions: Assumptions, years) -> xr.DataArray:
    """Further factor for people of 85 and over, whose prevalence need not move with that of the younger.

    Returns : array [ratio]  dims draw, year
    Source  : assumption `adl_prevalence_drift_85_plus`
    """
    return drift(assumptions, "adl_prevalence_drift_85_plus", years, SURVEY_YEAR)


def care_need(
    population: xr.DataArray,
    prevalence: xr.DataArray,
    factor: xr.DataArray,
    of_oldest: xr.DataArray | None = None,
) -> xr.DataArray:
    """People with a limitation in daily living, by severity (Sullivan's method: age rates x ages).

    Defined as::  sum over sex and age(people x prevalence) x factor, from 85 on x the further factor

    population : array [person]  dims draw, year, sex, age
    prevalence : array [share]  dims draw, severity, sex, age
    factor     : array [ratio]  dims draw, year (see `drift`)
    of_oldest  : array [ratio]  dims draw, year (see `drift_of_oldest`); without it the same for all ages
    Returns    : array [person]  dims draw, year, severity
    """

    def part(first: int, last: int) -> xr.DataArray:
        ages = {"age": slice(first, last)}
        return sum_product(population.sel(ages), prevalence.sel(ages))

    oldest = part(OLDEST_OLD, AGES[-1])
    total = part(FIRST_AGE, OLDEST_OLD - 1) + (oldest if of_oldest is None else oldest * of_oldest)
    return (total * factor).transpose("draw", "year", "severity")


def people_with_dementia(
    population: xr.DataArray, prevalence: xr.DataArray, factor: xr.DataArray
) -> xr.DataArray:
    """People with dementia, whatever their limitation.

    Defined as::  sum over sex and age(people x prevalence) x factor

    population : array [person]  dims draw, year, sex, age
    prevalence : array [share]  dims draw, age
    factor     : array [ratio]  dims draw, year (see `drift`)
    Returns    : array [person]  dims draw, year
    """
    return (sum_product(population, prevalence) * factor).transpose("draw", "year")


def by_severity(older: xr.DataArray, limited: xr.DataArray) -> xr.DataArray:
    """People of 60 and over by severity, those without limitation included.

    older   : array [person]  dims draw, year: all people of 60 and over
    limited : array [person]  dims draw, year, severity (mild, moderate, severe)
    Returns : array [person]  dims draw, year, severity; sums to all people of 60 and over
    """
    parts = {severity: limited.sel(severity=severity, drop=True) for severity in LIMITED}
    well = older - limited.pipe(sum_over, "severity")
    return join({"none": well, **parts}, "severity").transpose("draw", "year", "severity")
