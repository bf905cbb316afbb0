"""Who needs care: people by severity of limitation in daily living, and people with dementia."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.optimize import root

from .arrays import join, sum_product
from .base import AGES
from .draws import Assumptions
from .load import China, age_band_limits
from .schema import SEVERITIES

LIMITED = SEVERITIES[1:]
SURVEY_YEAR = 2018
DEMENTIA_YEAR = 2020
FIRST_AGE = 60
KNOTS = np.array([69.5, 79.0, 89.0])
LAST_KNOT = 97.0


def survey_weights(china: China) -> np.ndarray:
    """The nation by single age in 2020, both sexes: the mix that a band's published rate is a mean of."""
    table = china.single_age[china.single_age["year"] == 2020]
    return table.groupby("age")["mean_population"].sum().reindex(AGES).to_numpy(float)


def smooth_prevalence(bands: list[str], rates: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Prevalence at single ages whose means over the bands are the published rates.

    Defined as::  ln p(x) runs in straight lines between knots in the middle of each band, on with
    the outer slopes, level from age 97; the knots are solved so that, over each band,
    sum(w(x) p(x)) / sum(w(x)) is the band's rate

    bands   : three bands from age 65, e.g. 65-74, 75-84, 85+
    rates   : array [share]  one a band
    weights : array [person]  dims age
    Returns : array [share]  dims age; not defined below 65 (see `adl_prevalence`)
    Raises  : ValueError if no such curve exists
    """
    members = [(AGES >= low) & (AGES <= high) for low, high in map(age_band_limits, bands)]

    def means(log_knots: np.ndarray) -> np.ndarray:
        curve = np.exp(_log_curve(log_knots))
        return np.array([np.average(curve[m], weights=weights[m]) for m in members])

    solved = root(lambda k: np.log(means(k)) - np.log(rates), np.log(rates), tol=1e-10)
    if not solved.success:
        raise ValueError(f"no smooth curve has the rates {rates} in the bands {bands}")
    return np.exp(_log_curve(solved.x))


def _log_curve(log_knots: np.ndarray) -> np.ndarray:
    inner = np.interp(AGES, KNOTS, log_knots)
    first = (log_knots[1] - log_knots[0]) / (KNOTS[1] - KNOTS[0])
    last = (log_knots[2] - log_knots[1]) / (KNOTS[2] - KNOTS[1])
    below = AGES < KNOTS[0]
    above = AGES > KNOTS[2]
    inner[below] = log_knots[0] + first * (AGES[below] - KNOTS[0])
    inner[above] = log_knots[2] + last * (np.minimum(AGES[above], LAST_KNOT) - KNOTS[2])
    return inner


def _central_by_band(assumptions: Assumptions, name: str, **keys) -> tuple[list[str], np.ndarray]:
    rows = assumptions.rows[assumptions.rows["assumption"] == name]
    for key, value in keys.items():
        rows = rows[rows[key] == value]
    rows = rows.assign(start=[age_band_limits(band)[0] for band in rows["age_band"]]).sort_values("start")
    return list(rows["age_band"]), rows["central"].to_numpy(float)


def _spread_over_ages(drawn: xr.DataArray, bands: list[str], central: np.ndarray) -> np.ndarray:
    """Ratio of a draw to the central rate, from the bands to single ages; dims draw, age."""
    middle = [(low + min(high, 95)) / 2 for low, high in map(age_band_limits, bands)]
    ratio = np.log(drawn.sel(age_band=bands).values / central)
    place = np.clip(np.searchsorted(middle, AGES, side="right") - 1, 0, len(bands) - 2)
    width = np.diff(middle)[place]
    weight = np.clip((AGES - np.array(middle)[place]) / width, 0, 1)
    return np.exp(ratio[:, place] * (1 - weight) + ratio[:, place + 1] * weight)


def adl_prevalence(china: China, assumptions: Assumptions) -> xr.DataArray:
    """Share of people with a limitation in activities of daily living, in the year of the survey.

    From 65 the published rates by age, made smooth (`smooth_prevalence`); from 60 to 64 the
    rate of 65-74 times a ratio; below 60 none is counted.

    Returns : array [share]  dims draw, severity (mild, moderate, severe), age
    Source  : assumptions `adl_prevalence`, `adl_prevalence_ratio_60_64`
    """
    weights = survey_weights(china)
    drawn = assumptions["adl_prevalence"]
    sixties = assumptions["adl_prevalence_ratio_60_64"].values[:, None]
    out = np.zeros((assumptions.draws, len(LIMITED), len(AGES)))
    for index, severity in enumerate(LIMITED):
        bands, central = _central_by_band(assumptions, "adl_prevalence", severity=severity)
        curve = smooth_prevalence(bands, central, weights)
        spread = _spread_over_ages(drawn.sel(severity=severity), bands, central)
        out[:, index] = curve * spread
        first_band = drawn.sel(severity=severity, age_band=bands[0]).values[:, None]
        out[:, index, FIRST_AGE:65] = sixties * first_band
    out[..., :FIRST_AGE] = 0
    return xr.DataArray(
        np.minimum(out, 0.95), dims=("draw", "severity", "age"),
        coords={"draw": drawn["draw"], "severity": list(LIMITED), "age": AGES},
    )


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


def care_need(population: xr.DataArray, prevalence: xr.DataArray, factor: xr.DataArray) -> xr.DataArray:
    """People with a limitation in daily living, by severity (Sullivan's method: age rates x ages).

    population : array [person]  dims draw, year, sex, age
    prevalence : array [share]  dims draw, severity, age
    factor     : array [ratio]  dims draw, year (see `drift`)
    Returns    : array [person]  dims draw, year, severity
    """
    return (sum_product(population, prevalence) * factor).transpose("draw", "year", "severity")


def people_with_dementia(population: xr.DataArray, prevalence: xr.DataArray, factor: xr.DataArray) -> xr.DataArray:
    """People with dementia, whatever their limitation.  Returns: array [person]  dims draw, year"""
    return (sum_product(population, prevalence) * factor).transpose("draw", "year")


def by_severity(older: xr.DataArray, limited: xr.DataArray) -> xr.DataArray:
    """People of 60 and over by severity, those without limitation included.

    older   : array [person]  dims draw, year: all people of 60 and over
    limited : array [person]  dims draw, year, severity (mild, moderate, severe)
    Returns : array [person]  dims draw, year, severity; sums to all people of 60 and over
    """
    parts = {severity: limited.sel(severity=severity, drop=True) for severity in LIMITED}
    well = older - limited.sum("severity", skipna=False)
    return join({"none": well, **parts}, "severity").transpose("draw", "year", "severity")
