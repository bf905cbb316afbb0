"""Who needs care: people by severity of limitation in daily living, and people with dementia."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.interpolate import PchipInterpolator
from scipy.optimize import root
from scipy.special import expit, logit

from eldercare.engine.arrays import DRAW, Array, part, side_by_side, sum_over, sum_product
from eldercare.engine.quantity import quantity
from eldercare.inputs.checks import age_band_limits
from eldercare.inputs.load import China
from eldercare.inputs.schema import ADL, SEVERITIES
from eldercare.model.base import AGES, SEXES
from eldercare.model.population import FERTILITY

LIMITED = SEVERITIES[1:]
# Definitions with a rate by age, and the severities they count; of the others a source prints one share.
BY_AGE = {"severe ADL limitation": ("severe",), ADL: LIMITED}
BY_SHARE = {
    "census question": "care_need_share_census_question",
    "fifth national survey": "care_need_share_fifth_survey",
    "ADL or IADL": "care_need_share_adl_or_iadl",
}
SURVEY_YEAR = 2018
DEMENTIA_YEAR = 2020
FIRST_AGE = 60
KNOTS = np.array([69.5, 79.0, 89.0])
LAST_KNOT = 97.0
MOST_LIMITED = 0.97
OLDEST_OLD = 85


def survey_weights(china: China) -> np.ndarray:
    """The nation by single age in 2020, both sexes: the mix that a band's published rate is a mean
    of.
    """
    return national_ages(china).sum(axis=0)


@lru_cache(maxsize=4)
def national_ages(china: China) -> np.ndarray:
    """The nation by sex and single age in 2020.  Returns: array [person]  dims sex, age"""
    table = china.single_age
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
    """Logits at all ages through those at the knots. May bind: before the first and after the last
    knot it goes on straight.
    """
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


def spread_over_ages(drawn: np.ndarray, central: pd.DataFrame) -> np.ndarray:
    """Ratio of a draw to the central rate, from the bands to single ages.

    May bind: before the middle of the first band and after that of the last the ratio is the band's
              own.

    drawn   : array [share]  dims age band, severity, draw;  central : table [share]  the same rows
              and columns
    Returns : array [ratio]  dims severity, age, draw
    """
    middle = [(low + min(high, 95)) / 2 for low, high in map(age_band_limits, central.index)]
    ratio = np.log(drawn / central.to_numpy()[..., None]).swapaxes(0, 1)
    place = np.clip(np.searchsorted(middle, AGES, side="right") - 1, 0, len(middle) - 2)
    weight = np.clip((AGES - np.array(middle)[place]) / np.diff(middle)[place], 0, 1)[:, None]
    return np.exp(ratio[:, place] * (1 - weight) + ratio[:, place + 1] * weight)


@quantity(unit="share", dims=("severity", "sex", "age"))
def limitation_prevalence(
    adl_prevalence: Array,
    adl_prevalence_middle: pd.DataFrame,
    adl_prevalence_ratio_60_64: Array,
    adl_prevalence_sex_ratio: Array,
    adl_prevalence_place_factor: Array,
    single_age: np.ndarray,
) -> Array:
    """Share of people with a limitation in activities of daily living, in the year of the survey.

    From 65 the published rates by age, made smooth (`severity_curves`); from 60 to 64 the rate of
    65-74 times a ratio; below 60 none is counted. The survey prints the sexes only over all ages:
    at each age they differ by one ratio, and together they have the rate of both (see `by_sex`).

    Defined as::  prevalence(x) = factor of the place x smooth curve through the published rates, women's = ratio x men's

    What one survey found for the nation holds for no place exactly: the factor is 1 in the middle,
    and the wider the smaller the area; for the nation, and a place with a survey of its own, it is 1.

    Returns : array [share]  dims severity (mild, moderate, severe), sex, age, draw
    """
    central = adl_prevalence_middle
    curves = severity_curves(central, single_age.sum(axis=0))
    out = spread_over_ages(adl_prevalence.values, central)
    out *= np.stack([curves[severity] for severity in LIMITED])[..., None]
    out[:, FIRST_AGE:65] = (adl_prevalence_ratio_60_64.values * adl_prevalence.values[0])[:, None]
    out[:, :FIRST_AGE] = 0
    out = by_sex(out, adl_prevalence_sex_ratio.values, single_age)
    out *= adl_prevalence_place_factor.values
    out /= np.maximum(out.sum(axis=0) / MOST_LIMITED, 1)
    return Array(("severity", "sex", "age", DRAW), out)


def by_sex(rates: np.ndarray, ratio: np.ndarray, ages: np.ndarray) -> np.ndarray:
    """Rates of men and women from those of both, the women's being `ratio` times the men's at each
    age.

    Defined as::  men(x) = both(x) / (m(x) + ratio f(x)), with m, f the shares of the sexes in the nation

    rates   : array [share]  dims severity, age, draw
    ratio   : array [ratio]  dims draw
    ages    : array [person]  dims sex, age
    Returns : array [share]  dims severity, sex, age, draw
    """
    men, women = (ages / ages.sum(axis=0))[..., None]
    of_men = rates / (men + ratio * women)
    return np.stack([of_men, ratio * of_men], axis=1)


@quantity(unit="share", dims=("age",))
def dementia_prevalence_by_age(
    dementia_prevalence: Array, dementia_prevalence_bands: tuple[str, ...]
) -> Array:
    """Share of people with dementia by single age.

    Defined as::  share(x) = rate of the band that x lies in

    Returns : array [share]  dims age, draw
    """
    out = np.zeros((len(AGES), dementia_prevalence.sizes[DRAW]))
    for place, band in enumerate(dementia_prevalence_bands):
        low, high = age_band_limits(band)
        out[low : high + 1] = dementia_prevalence.values[place]
    return Array(("age", DRAW), out)


def drift_since(growth: Array, years: np.ndarray, survey_year: int) -> Array:
    """Factor by which a prevalence has moved since its survey.

    Defined as::  factor(t) = (1 + drift)^(t - survey year)

    Returns : array [ratio]  dims year, draw
    """
    return Array(("year", DRAW), (1 + growth.values) ** (years - survey_year)[:, None])


@quantity(unit="ratio", dims=("year",))
def adl_drift(adl_prevalence_drift: Array, years: np.ndarray) -> Array:
    """Factor by which limitation at an age has moved since the survey.

    Defined as::  factor(t) = (1 + drift)^(t - year of the survey)
    """
    return drift_since(adl_prevalence_drift, years, SURVEY_YEAR)


@quantity(unit="ratio", dims=("year",))
def adl_drift_of_oldest(adl_prevalence_drift_85_plus: Array, years: np.ndarray) -> Array:
    """Further factor for people of 85 and over, whose prevalence need not move with that of the
    younger.

    Defined as::  factor(t) = (1 + drift)^(t - year of the survey)
    """
    return drift_since(adl_prevalence_drift_85_plus, years, SURVEY_YEAR)


@quantity(unit="ratio", dims=("year",))
def dementia_drift(dementia_prevalence_drift: Array, years: np.ndarray) -> Array:
    """Factor by which dementia at an age has moved since the survey.

    Defined as::  factor(t) = (1 + drift)^(t - year of the survey)
    """
    return drift_since(dementia_prevalence_drift, years, DEMENTIA_YEAR)


@quantity(unit="person", dims=("year", "severity"), not_moved_by=FERTILITY)
def limited_by_adl(
    population: Array, limitation_prevalence: Array, adl_drift: Array, adl_drift_of_oldest: Array
) -> Array:
    """People with a limitation in daily living, by severity (Sullivan's method: age rates x ages).

    Defined as::  sum over sex and age(people x prevalence) x drift, from 85 on x the further drift

    population : array [person]  dims year, sex, age, draw
    Returns    : array [person]  dims year, severity (mild, moderate, severe), draw
    """
    rates = limitation_prevalence.transpose("severity", "sex", "age", DRAW).values
    oldest = (AGES >= OLDEST_OLD)[:, None]
    both = np.stack([np.where(oldest, 0.0, rates), np.where(oldest, rates, 0.0)])
    dims = ("part", "severity", "sex", "age", DRAW)
    younger, oldest = sum_product(population, Array(dims, both)).transpose("part", ...)
    return (younger + oldest * adl_drift_of_oldest) * adl_drift


@quantity(
    unit="person",
    dims=("year", "severity"),
    only={
        "population_60_plus": "counted_by_share",
        **{row: name for name, row in BY_SHARE.items()},
    },
    more=tuple(BY_SHARE.values()),
)
def care_need(
    limited_by_adl: Array, population_60_plus: Array, definition: str, *shares: Array
) -> Array:
    """People in need of care, by severity, under the definition that the run counts by.

    Defined as::  by age: limited in daily living, of the severities of the definition, the others 0;
                  else: limited in daily living x people of 60 and over x share of the definition / all limited

    By default all with a limitation in daily living are counted. Where a source prints one share of
    all people of 60 and over, the mix of severities stays that of the survey by age, because it
    prints none, and the share is not age-adjusted.

    definition : one of `schema.DEFINITIONS`
    shares     : arrays [share]  of the definitions of `BY_SHARE`, in their order
    """
    if definition in BY_AGE:
        counted = [float(one in BY_AGE[definition]) for one in LIMITED]
        return limited_by_adl * Array(("severity",), np.array(counted))
    share = dict(zip(BY_SHARE, shares))[definition]
    return limited_by_adl * (population_60_plus * share / sum_over(limited_by_adl, "severity"))


@quantity(unit="person", dims=("year",), not_moved_by=FERTILITY)
def people_with_dementia(
    population: Array, dementia_prevalence_by_age: Array, dementia_drift: Array
) -> Array:
    """People with dementia, whatever their limitation.

    Defined as::  sum over sex and age(people x prevalence) x drift
    """
    return sum_product(population, dementia_prevalence_by_age) * dementia_drift


@quantity(unit="share", dims=("year",))
def dementia_without_limitation(
    people_with_dementia: Array, people_by_severity: Array, dementia_without_limitation_share: Array
) -> Array:
    """Share of people of 60 and over without a limitation in daily living who have dementia.

    Defined as::  people with dementia x share of them without limitation / people without limitation
    """
    free = part(people_by_severity, severity="none")
    return people_with_dementia * dementia_without_limitation_share / free


@quantity(unit="person", dims=("year", "severity"))
def people_by_severity(population_60_plus: Array, care_need: Array) -> Array:
    """People of 60 and over by severity, those without limitation included; sums to all of 60 and
    over.

    Defined as::  without = people of 60 and over - those with a limitation
    """
    limited = {name: care_need.isel(severity=place) for place, name in enumerate(LIMITED)}
    without = population_60_plus - sum_over(care_need, "severity")
    return side_by_side({"none": without, **limited}, "severity")
