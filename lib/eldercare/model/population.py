"""Who lives here: population of an area by single age and sex at the ends of years."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr

from eldercare.engine.arrays import DRAW, Array, name_labels, part, sum_product
from eldercare.engine.quantity import quantity
from eldercare.inputs.checks import age_band_limits
from eldercare.inputs.draws import Z90, Assumptions
from eldercare.inputs.load import China
from eldercare.model.area import (
    CENSUS_YEARS,
    FIRST_RATE_YEAR,
    Area,
    Rates,
    rates_of,
    survivors_without_migration,
)
from eldercare.model.base import AGES, OPEN_AGE, SEXES, shift_reference_date
from eldercare.model.cohort import (
    multiply_bands,
    next_step,
    project_compiled,
    put_errors,
    sum_bands,
)
from eldercare.model.family import ERROR_STREAM, error_scores, heavy_tailed, rest_of_width, t90

CENSUS_TO_YEAR_END = 61 / 366
CENSUS_DATE = 2021 - CENSUS_TO_YEAR_END
OLDER, ADULT = 60, 15
PHASE = 5
MARKS = (0, 1, 3, 8, 15, 22, 30)
BAND_WIDTH = 5
BAND_OF_AGE = np.minimum(AGES // BAND_WIDTH, OPEN_AGE // BAND_WIDTH)
BANDS = np.arange(0, OPEN_AGE + 1, BAND_WIDTH)
AGE_GROUPS = {
    "total": (0, OPEN_AGE),
    "under_3": (0, 2),
    "60_plus": (60, OPEN_AGE),
    "65_plus": (65, OPEN_AGE),
    "80_plus": (80, OPEN_AGE),
}


def change_rate(area: Area, assumptions: Assumptions) -> np.ndarray:
    """Change of cohorts per year beyond survival (mostly migration) in the first ten years, by draw, sex and age.

    Defined as::  rate = kept_nation x nation + kept x facts

    the nation's as seen 2010-2020, and what the facts of the area's census say (`facts.facts_change`). What the
    area or its province saw in the ten years before has no part in it: for areas it could not be tried, and for
    provinces it made the back-test no better beside the facts. The same rule, ten years earlier, is what the
    back-test tries (`validation.accuracy.blind`).

    Source : assumptions `national_change_continuation`, `migration_continuation`
    """
    kept = assumptions["migration_continuation"].values[:, None, None]
    kept_nation = assumptions["national_change_continuation"].values[:, None, None]
    return kept_nation * area.change_nation + kept * area.change_facts


def growth_in_phases(
    area: Area, assumptions: Assumptions, years: int, national: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Change of cohorts as a factor, in phases: ten years as the back-test tried them, then five years each.

    Defined as::  growth = exp(kept_nation x nation + kept x left x facts)
                  left   = 1 in the first ten years, then persistence^(years beyond ten, mid-phase / 10)

    so that what sets an area apart from the nation fades, and no newcomers' district doubles for ever.

    years    : how many
    national : as `national_growth` gives it, if it is there already
    Returns : array [ratio] dims phase, draw, sex, age; phase of each year
    Source  : assumptions as in `change_rate`, and `migration_persistence`
    """
    passed = np.arange(years)
    phase = np.where(passed < 10, 0, passed // PHASE - 1)
    beyond = np.arange(phase.max() + 1)
    middle = np.where(beyond > 0, (beyond - 0.5) * PHASE / 10, 0.0)
    persistence = assumptions["migration_persistence"].values
    left = assumptions["migration_continuation"].values * persistence ** middle[:, None]
    local = np.exp(left[:, :, None] * area.change_facts)
    national = national_growth(area, assumptions) if national is None else national
    return local[:, :, None] * national, phase


def national_growth(area: Area, assumptions: Assumptions) -> np.ndarray:
    """The nation's change of cohorts as a factor; dims draw, sex, age."""
    kept = assumptions["national_change_continuation"].values
    return np.exp(kept[:, None, None] * area.change_nation)


def error_factor(area: Area, assumptions: Assumptions, years, people: np.ndarray) -> np.ndarray:
    """Factor by which people of a five-year age may differ from the projection, by draw, year and age.

    Defined as::  factor = settled x people with error / people (see `people_with_error`)
                  error = exp(count error(age) + T left(age, year))

    T is Student's t at the score of the area's error, which it shares in part with the areas above it, and which
    those below 60 share in part with those above (`family`). `left` is what the ranges of the assumptions leave of
    the spread that made the ranges of the back-test hold (`error_left`): both together are as wide as the back-test was wrong. The error of the census
    count is there from the first day. `settled` makes the area add up with those beside it, and keeps its mean
    where the error of such a kind would raise it: the middle comes to lie a little below the mean (see
    `areas.settled_area`). Where counts since the census are known, they leave the part `kept` of the range about the
    `middle` (see `counts`).

    people  : array [person]  dims draw, year, five-year age: without error
    Returns : array [ratio]  dims draw, year, five-year age
    Source  : data/china/projection_error.csv; assumption `census_count_error`.   See also: people_with_error
    """
    places = np.asarray(years) - 2020
    error, kind = errors = _errors(area, assumptions, places)
    factor = error[..., kind]
    if area.kept is not None:
        found = _drawn_together(area, places, people, errors)
        np.divide(found, people, out=factor, where=people > 0)
    return factor if area.settled is None else factor * area.settled[places]


def people_with_error(area: Area, assumptions: Assumptions, people: np.ndarray) -> np.ndarray:
    """People as `error_factor` makes them, but not yet settled, so that they do not add up yet.

    Defined as::  people with error = people x error, and where counts since the census are known
                  r = people x error / middle;  r after = 1 + kept (r - 1), or 1 / (1 - kept (r - 1)) if kept < 0

    which both stay above 0 for kept from -1 to 1.

    people  : array [person]  dims draw, year (2020 …), five-year age: without error
    Returns : array [person]  the same dims
    """
    places = np.arange(people.shape[1])
    return _drawn_together(area, places, people, _errors(area, assumptions, places))


def _errors(
    area: Area, assumptions: Assumptions, places: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Errors that differ, as factors with the dims draw, year, kind, and the kind of each five-year age."""
    left = area.error_left
    if left is None:
        left = whole_error(area, 2020 + np.arange(places.max() + 1))
    scores = error_scores(area.line, area.error_correlation, assumptions)
    drawn = heavy_tailed(scores, area.error_freedom)
    band, counted = _count_error(assumptions)
    both = np.stack([BANDS < OLDER, band])
    kinds, kind = np.unique(np.concatenate([left[places], both]), axis=1, return_inverse=True)
    younger, which = kinds[-2:].astype(int)
    grown = drawn[younger].T[:, None] * kinds[:-2]
    return np.exp(grown + counted[:, None, which]), kind


def _drawn_together(area: Area, places, people: np.ndarray, errors: tuple) -> np.ndarray:
    """People times error, of which counts since the census leave the part `kept` about the `middle`.

    May bind: a part kept below 0 has another form than one above (see `people_with_error`).
    """
    middle = kept = np.ones(people.shape[1:])
    if area.middle is not None and area.kept is not None:
        anyone = area.middle[places] > 0
        middle = np.where(anyone, area.middle[places], 1.0)
        kept = np.where(anyone, area.kept[places], 1.0)
    up, down, out = np.maximum(kept, 0), np.maximum(-kept, 0), np.empty(people.shape)
    put_errors(people, *errors, middle * (1 - up), up, 1 - down, down / middle, out)
    return out


def _count_error(assumptions: Assumptions) -> tuple[np.ndarray, np.ndarray]:
    """Which error of the count each five-year age has, and these errors; dims draw, error."""
    counted = assumptions["census_count_error"]
    band = _band_with_error(tuple(counted["age_band"].values.tolist()))
    return band, counted.transpose("draw", "age_band").values


@lru_cache(maxsize=4)
def _band_with_error(names: tuple[str, ...]) -> np.ndarray:
    limits = np.array([age_band_limits(name) for name in names])
    return ((limits[:, :1] <= BANDS) & (limits[:, 1:] >= BANDS)).argmax(axis=0)


def whole_error(area: Area, years) -> np.ndarray:
    """Spread of the back-test's errors by year and five-year age, whatever the assumptions make up of it.

    Defined as::  scale(age) x root(years passed since the census / 10)
    """
    passed = np.sqrt((np.asarray(years) + 1 - CENSUS_DATE) / 10)
    return passed[:, None] * area.error_scale[BANDS]


def error_left(area: Area, assumptions: Assumptions, people: np.ndarray) -> np.ndarray:
    """What the ranges of the assumptions leave of the spread of the back-test's errors.

    Defined as::  sum over ages from x(people x left) / people from x
                      = whole(x) x rest(z x spread of ln people from x / (q x whole(x)))

    for each age x that the back-test was held to, and for all of 15-59; z and q are the 90th percentiles of the
    normal and of Student's distribution, `rest` is `family.rest_of_width`. So the 80 % range of the people from
    each of these ages on is as wide as the back-test was wrong. Between some years (`MARKS`) the spread of the
    assumptions goes in a straight line. May bind: where the assumptions alone are wider than the back-test was
    wrong, nothing is left and their range stands.

    people  : array [person]  dims draw, year, five-year age: without error
    Returns : array [share]  dims year, five-year age
    """
    years = people.shape[1]
    whole = whole_error(area, 2020 + np.arange(years))
    marks = np.unique([*(mark for mark in MARKS if mark < years), years - 1])
    band, counted = _count_error(assumptions)
    counted_people = people[:, marks] * np.exp(counted)[:, None, band]
    mean = people.mean(axis=0)
    per_unit = Z90 / t90(area.error_freedom)

    def wanted(start: int, end: int = len(BANDS)) -> np.ndarray:
        inside = (np.arange(len(BANDS)) >= start) & (np.arange(len(BANDS)) < end)
        total = counted_people @ inside.astype(float)
        spread = total.std(axis=0) / np.maximum(total.mean(axis=0), 1e-9)
        known = per_unit * np.interp(np.arange(years), marks, spread)
        share = known / np.maximum(whole[:, start], 1e-9)
        return whole[:, start] * rest_of_width(share, area.error_freedom)

    old = OLDER // BAND_WIDTH
    steps = np.flatnonzero(np.diff(area.error_scale[BANDS])) + 1
    starts = np.unique([old, *steps[steps > old]])
    left = np.empty_like(whole)
    # Of 15 and over, so that births since the census, and fertility with them, move nobody else.
    left[:, :old] = wanted(ADULT // BAND_WIDTH, old)[:, None]
    beyond, end = np.zeros(years), len(BANDS)
    for start in starts[::-1]:
        here = np.maximum(mean[:, start:end].sum(axis=1), 1e-9)
        own = wanted(start) * mean[:, start:].sum(axis=1) - beyond
        left[:, start:end] = np.maximum(own / here, 0)[:, None]
        beyond, end = beyond + left[:, start] * here, start
    return left


def log_spread(area: Area, assumptions: Assumptions, people: np.ndarray) -> np.ndarray:
    """How wide the range of people with error is before any count: one standard deviation of ln(people).

    Defined as::  spread² = (coefficient of variation of people)² + deviation(count error)² + (t z left(age, year))²

    with t z the 90th percentile of Student's distribution over that of the normal, so that the 80 % range of the
    error is kept where its tails are heavier than the normal's, and left as in `error_left`.

    people  : array [person]  dims draw, year (2020 …), five-year age: without error
    Returns : array [share]  dims year, five-year age
    """
    left = area.error_left
    if left is None:
        left = whole_error(area, 2020 + np.arange(people.shape[1]))
    grown = t90(area.error_freedom) / Z90 * left[: people.shape[1]]
    band, counted = _count_error(assumptions)
    mean = people.mean(axis=0)
    square = np.einsum("dtb,dtb->tb", people, people) / len(people)
    varied = np.divide(square, mean**2, out=np.ones_like(mean), where=mean > 0) - 1
    return np.sqrt(np.maximum(varied, 0) + counted.std(axis=0)[band] ** 2 + grown**2)


def in_bands(counts: np.ndarray) -> np.ndarray:
    """People of both sexes by five-year age, from counts with the dims draw, year, sex, single age."""
    out = np.empty((*counts.shape[:2], len(BANDS)))
    sum_bands(counts, np.append(BANDS, counts.shape[-1]), out)
    return out


def life_expectancy_paths(rates: Rates, assumptions: Assumptions, years) -> np.ndarray:
    """Life expectancy of the nation at birth [year] by year, sex and draw.

    Defined as::  e0 = published, as far as it is; later that of WPP + kept x the last published gap to it
                  + z x spread(year)

    All areas are projected with it: with what their provinces are above or below it (`expectancy_gap`), the
    back-test was further off at every age (notebook 08).

    Source : assumptions `life_expectancy_published_gap_continuation` (kept), `life_expectancy_improvement`
    """
    index = np.asarray(years) - FIRST_RATE_YEAR
    z = assumptions["life_expectancy_improvement"].values
    spread = rates.spread[index] - rates.spread[2020 - FIRST_RATE_YEAR]
    kept = assumptions["life_expectancy_published_gap_continuation"].values
    beyond = rates.published_gap[index][:, None, None] * kept
    return rates.life_expectancy[index][..., None] + beyond + np.maximum(spread, 0)[..., None] * z


def survival_places(
    rates: Rates, assumptions: Assumptions, years: np.ndarray, longer_life: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Where on the grid of life tables each draw stands in each year: (level, weight), dims year, sex, draw.

    longer_life : False keeps the life expectancy of 2020 in all years
    """
    index = years - FIRST_RATE_YEAR
    if longer_life:
        targets = life_expectancy_paths(rates, assumptions, years)
    else:
        index = np.full(len(years), 2020 - FIRST_RATE_YEAR)
        targets = life_expectancy_paths(rates, assumptions, [2020]).repeat(len(years), axis=0)
    found = [rates.grid.locate(i, target) for i, target in zip(index, targets)]
    return np.stack([level for level, _ in found]), np.stack([weight for _, weight in found])


def carry(
    area: Area,
    rates: Rates,
    assumptions: Assumptions,
    last_year: int,
    places: tuple[np.ndarray, np.ndarray],
    band: np.ndarray | None = None,
    longer_life: bool = True,
    change: np.ndarray | None = None,
    out: np.ndarray | None = None,
    national: np.ndarray | None = None,
    by_sex: bool = True,
) -> np.ndarray:
    """From the census to the end of `last_year`, without the error of projection.

    places  : as `survival_places` gives them
    band    : for each age the band it is counted in; without it single ages
    change  : array [per year]  dims draw, sex, age, in place of `change_rate`
    national : as in `growth_in_phases`
    by_sex  : as in `cohort.project_compiled`
    Returns : array [person]  dims draw, year (2020 …), sex, age or band
    """
    years = np.arange(2021, last_year + 1)
    index = years - FIRST_RATE_YEAR
    if change is None:
        growth, phase = growth_in_phases(area, assumptions, len(years), national)
        change = change_rate(area, assumptions)
    else:
        growth, phase = np.exp(change)[None], np.zeros(len(years))
    local = area.fertility_ratio ** assumptions["fertility_local_persistence"].values
    first = to_year_end(area.base, local, rates, change)
    path = 1 + rates.fertility_spread[index][:, None] * assumptions["fertility_path"].values
    total = rates.fertility[index].sum(axis=1)
    # A slice: years on end need no copy of their life tables.
    years_on_end: Any = slice(index[0], index[-1] + 1)
    standard = years_on_end if longer_life else np.full(len(index), 2020 - FIRST_RATE_YEAR)
    return project_compiled(
        first,
        rates.grid.ratios[standard],
        *places,
        growth,
        total[:, None] * np.maximum(path, 0.1) * local,
        rates.fertility[index] / total[:, None],
        rates.male_births[index],
        band,
        out,
        phase,
        by_sex,
    )


def project_area(
    china: China, area: Area, assumptions: Assumptions, last_year: int = 2050
) -> xr.DataArray:
    """Population at the ends of the years 2020 to `last_year`.

    Returns : array [person]  dims draw, year, sex, age
    Raises  : ValueError if the last year is before 2021 or after the UN's projections in use
    Source  : census of 2020; World Population Prospects 2024; assumptions of migration,
              fertility and life expectancy
    """
    counts = projected_counts(rates_of(china), area, assumptions, last_year)
    return xr.DataArray(
        counts,
        dims=("draw", "year", "sex", "age"),
        name="population",
        coords={
            "draw": np.arange(len(counts)),
            "year": np.arange(2020, last_year + 1),
            "sex": list(SEXES),
            "age": AGES,
        },
    )


def projected_counts(
    rates: Rates, area: Area, drawn, last_year: int, out: np.ndarray | None = None
) -> np.ndarray:
    """Population at the ends of the years 2020 to `last_year`, with the error of projection.

    drawn   : Assumptions, or a mapping of those that this rests on (see `DRAWN`), with the score of the error
    out     : where to write it, if it is there already
    Returns : array [person]  dims draw, year, sex, age
    """
    check_horizon(rates, last_year, f"area {area.adcode}")
    places = survival_places(rates, drawn, np.arange(2021, last_year + 1))
    counts = carry(area, rates, drawn, last_year, places, out=out)
    factor = error_factor(area, drawn, np.arange(2020, last_year + 1), in_bands(counts))
    multiply_bands(counts, factor, BAND_OF_AGE)
    return counts


DRAWN = (
    "census_count_error",
    "fertility_local_persistence",
    "fertility_path",
    "life_expectancy_improvement",
    "life_expectancy_published_gap_continuation",
    "migration_continuation",
    "migration_persistence",
    "national_change_continuation",
)


# Who is 60 or older before 2080 was born before the census: no fertility moves their number.
FERTILITY = ("fertility_local_persistence", "fertility_path")


@quantity(
    unit="person",
    dims=("year", "sex", "age"),
    only={
        "people_between_censuses": "before_2020",
        **dict.fromkeys(("projection_error", *DRAWN), "from_2020"),
    },
    more=DRAWN,
)
def population(
    area: Area,
    rates: Rates,
    people_between_censuses: np.ndarray,
    projection_error: np.ndarray,
    census_count_error_bands: tuple[str, ...],
    years: np.ndarray,
    *drawn: Array,
) -> Array:
    """People by sex and single age at the ends of years; before 2020 between the censuses, the same in all draws.

    Defined as::  people(x+1, t+1) = people(x, t) x survivorship(x, t) x exp(change rate(x)), times the factor of error
                  births(t) = sum over ages(women x fertility of the age) x local level

    See also: change_rate, life_expectancy_paths, error_factor, history
    """
    named: dict[str, Any] = dict(zip(DRAWN, drawn))
    bands = {"age_band": list(census_count_error_bands)}
    named["census_count_error"] = xr.DataArray(named["census_count_error"], coords=bands)
    named[ERROR_STREAM] = projection_error
    before = len(people_between_censuses)
    out = np.empty((projection_error.shape[-1], len(years), len(SEXES), len(AGES)))
    out[:, :before] = people_between_censuses
    projected_counts(rates, area, named, int(years[-1]), out[:, before:])
    return Array((DRAW, "year", "sex", "age"), out)


@quantity(unit="person", dims=("year", "age_group"))
def people_by_age_group(population: Array) -> Array:
    """People of both sexes in groups of age that overlap: all, under 3, 60 and over, 65 and over, 80 and over.

    Defined as::  sum over sex and ages of the group(people)
    """
    limits = np.array(list(AGE_GROUPS.values()))
    inside = (AGES[:, None] >= limits[:, 0]) & (AGES[:, None] <= limits[:, 1])
    return sum_product(population, Array(("age", "age_group"), inside.astype(float)))


@quantity(unit="person", dims=("year",))
def population_total(people_by_age_group: Array) -> Array:
    """People of all ages.

    Defined as::  sum over sex and ages(people)
    """
    return part(people_by_age_group, age_group="total")


@quantity(unit="person", dims=("year",))
def population_under_3(people_by_age_group: Array) -> Array:
    """Children under 3.

    Defined as::  sum over sex and ages from 0 to 2(people)
    """
    return part(people_by_age_group, age_group="under_3")


@quantity(unit="person", dims=("year",), not_moved_by=FERTILITY)
def population_60_plus(people_by_age_group: Array) -> Array:
    """People of 60 and over.

    Defined as::  sum over sex and ages from 60(people)
    """
    return part(people_by_age_group, age_group="60_plus")


@quantity(unit="person", dims=("year",), not_moved_by=FERTILITY)
def population_65_plus(people_by_age_group: Array) -> Array:
    """People of 65 and over.

    Defined as::  sum over sex and ages from 65(people)
    """
    return part(people_by_age_group, age_group="65_plus")


@quantity(unit="person", dims=("year",), not_moved_by=FERTILITY)
def population_80_plus(people_by_age_group: Array) -> Array:
    """People of 80 and over.

    Defined as::  sum over sex and ages from 80(people)
    """
    return part(people_by_age_group, age_group="80_plus")


def check_horizon(rates: Rates, last_year: int, what: str) -> None:
    """Refuse a last year that is not after the base or that the rates do not reach.

    Raises : ValueError
    """
    if not 2021 <= last_year <= int(rates.years[-1]):
        raise ValueError(
            f"{what} cannot be projected to {last_year}: the base is 2020, the rates end in {rates.years[-1]}"
        )


def growth_parts(
    china: China, area: Area, assumptions: Assumptions, first_age: int, year: int
) -> dict[str, float]:
    """What makes the people from an age on more by some year: those already there, longer life, net migration.

    Each part is the mean over the draws of what a run gains by adding it: first the people of 2020
    with the death rates of 2020 and no migration, then longer life, then the change of cohorts.

    Returns : people in 2020, and the three parts, which add up to the people of the year
    """
    rates = rates_of(china)
    years = np.arange(2021, year + 1)
    none = np.zeros_like(change_rate(area, assumptions))

    def people(longer_life: bool, change: np.ndarray | None) -> np.ndarray:
        places = survival_places(rates, assumptions, years, longer_life)
        return in_bands(carry(area, rates, assumptions, year, places, None, longer_life, change))

    def older(bands: np.ndarray) -> np.ndarray:
        return (bands * factor)[..., first_age <= BANDS].sum(axis=-1).mean(axis=0)

    # The error, and what counts make of it, is that of the whole projection in all three.
    whole = people(True, None)
    factor = error_factor(area, assumptions, [2020, *years], whole)
    ageing, longer = (float(older(people(life, none))[-1]) for life in (False, True))
    start, *_, everything = map(float, older(whole))
    return {
        "people in 2020": start,
        "ageing of those there": ageing - start,
        "longer life": longer - ageing,
        "net migration": everything - longer,
    }


@quantity(unit="year")
def expectancy_gap_of_2020(area: Area, life_expectancy_error_known: Array) -> Array:
    """Years by which an area lives longer than the nation, where its province published the year 2020.

    Defined as::  gap published for 2020 + error
    """
    return area.life_expectancy_gap + life_expectancy_error_known


@quantity(unit="year")
def expectancy_gap_derived(
    area: Area, life_expectancy_gap_persistence: Array, life_expectancy_error_derived: Array
) -> Array:
    """Years by which an area lives longer than the nation, where its province did not publish the year 2020.

    Defined as::  persistence x gap last published + error
    """
    return (
        life_expectancy_gap_persistence * area.life_expectancy_gap + life_expectancy_error_derived
    )


@quantity(
    unit="year",
    only={"expectancy_gap_of_2020": "gap_known", "expectancy_gap_derived": "gap_derived"},
)
def expectancy_gap(
    area: Area, expectancy_gap_of_2020: Array, expectancy_gap_derived: Array
) -> Array:
    """Years by which an area lives longer than the nation.

    Defined as::  of 2020 where it is published, else derived
    """
    return expectancy_gap_of_2020 if area.gap_known else expectancy_gap_derived


def expectancy_gap_of(area: Area, assumptions) -> np.ndarray:
    """Draws of `expectancy_gap`."""
    if area.gap_known:
        return expectancy_gap_of_2020(area, assumptions["life_expectancy_error_known"]).values
    names = ("life_expectancy_gap_persistence", "life_expectancy_error_derived")
    return expectancy_gap_derived(area, *(assumptions[name] for name in names)).values


def to_year_end(
    base: np.ndarray, fertility: np.ndarray, rates: Rates, change: np.ndarray
) -> np.ndarray:
    """From the census of 1 November 2020 to 31 December 2020.

    base      : array [person]  dims sex, age
    fertility : array [ratio]   dims draw: level of fertility over the nation's
    change    : array [per year]  dims draw, sex, age
    Returns   : array [person]  dims draw, sex, age
    """
    fraction = CENSUS_TO_YEAR_END
    index = 2020 - FIRST_RATE_YEAR
    survival = rates.grid.survival(index, rates.life_expectancy[index][:, None])
    births = (base[1] * rates.fertility[index]).sum() * fertility * fraction
    male = rates.male_births[index]
    moved = np.exp(change * fraction)
    counts = shift_reference_date(base, fraction) * survival[..., 1:] ** fraction * moved
    born = np.stack([births * male, births * (1 - male)], axis=-1)
    counts[..., 0] += born * moved[..., 0]
    return counts


def history(china: China, area: Area, years) -> xr.DataArray:
    """Population at the ends of years between the two censuses, without draws.

    Each cohort of 2010 is carried forward and meets the census of 2020 exactly: what survival leaves
    unexplained is spread evenly over the ten years. From the day of the census, 1 November, to the end
    of a year there are two months of births, of deaths and of the unexplained change, as in `to_year_end`.
    May bind: who would be over 100 in 2020 is counted in the open class.

    Returns : array [person]  dims year, sex, age
    Raises  : ValueError for a year before 2010 or after 2020
    """
    first, last = CENSUS_YEARS
    outside = [year for year in years if not first <= year <= last]
    if outside:
        raise ValueError(
            f"only years between the censuses of {first} and {last} can be interpolated, not {outside[0]}"
        )
    rates = rates_of(china)
    closed = survivors_without_migration(rates, area.earlier, area.life_expectancy_gap)
    correction = np.where(closed > 0, area.base / np.maximum(closed, 1e-9), 1.0)
    counts, ends = area.earlier[None], {}
    for year in range(first, last + 1):
        index, passed = year - FIRST_RATE_YEAR, year - first
        target = (rates.life_expectancy[index] + area.life_expectancy_gap)[:, None]
        survival = rates.grid.survival(index, target)
        change = correction[:, np.minimum(AGES + last - year, OPEN_AGE)]
        if year in years:
            now = counts[0] * change ** (passed / (last - first))
            part = survival[0, :, 1:] ** CENSUS_TO_YEAR_END * change ** (
                CENSUS_TO_YEAR_END / (last - first)
            )
            ends[year] = shift_reference_date(now, CENSUS_TO_YEAR_END) * part
            ends[year][:, 0] += CENSUS_TO_YEAR_END * now[:, 0]
        counts = next_step(counts, survival, rates.fertility[index], rates.male_births[index])
    return xr.DataArray(
        np.array([ends[year] for year in years]),
        dims=("year", "sex", "age"),
        name="population",
        coords={"year": list(years), "sex": list(SEXES), "age": AGES},
    )


def people_in(population: xr.DataArray, first_age: int, last_age: int = OPEN_AGE) -> xr.DataArray:
    """People [person] from one age to another, both included, of both sexes."""
    return population.sel(age=slice(first_age, last_age)).sum(["sex", "age"], skipna=False)


name_labels("sex", SEXES)
name_labels("age", tuple(AGES.tolist()))
name_labels("age_group", tuple(AGE_GROUPS))
