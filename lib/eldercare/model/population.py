"""Who lives here: population of an area by single age and sex at the ends of years."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.stats import t as student_t

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
    closed_survivors,
    rates_of,
)
from eldercare.model.base import AGES, OPEN_AGE, SEXES, at_later_date, province_of
from eldercare.model.cohort import draw_together, multiply_bands, next_step, project_compiled

CENSUS_TO_YEAR_END = 61 / 366
CENSUS_DATE = 2021 - CENSUS_TO_YEAR_END
LARGEST_ERROR = 6.0
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
    """Change of cohorts per year beyond survival (mostly migration), by draw, sex and age.

    Defined as::  rate = kept_nation x nation + kept x (province + w difference),  w = P / (P + shrinkage)
                  difference = own - province, at most `change_difference_bound` either way

    with P the area's population: a small area's own pattern is noisy and counts less. May bind: the change of
    ten years at one age may be a new campus, a barracks or a prison, which does not grow on for thirty.
    Source : assumptions `national_change_continuation`, `migration_continuation`, `migration_shrinkage`,
             `change_difference_bound`
    """
    people = area.base.sum()
    weight = (people / (people + assumptions["migration_shrinkage"].values))[:, None, None]
    bound = assumptions["change_difference_bound"].values[:, None, None]
    difference = np.clip(area.change - area.change_province, -bound, bound)
    mixed = area.change_province + weight * difference
    kept = assumptions["migration_continuation"].values[:, None, None]
    kept_nation = assumptions["national_change_continuation"].values[:, None, None]
    return kept_nation * area.change_nation + kept * mixed


def error_factor(area: Area, assumptions: Assumptions, years, people: np.ndarray) -> np.ndarray:
    """Factor by which people of a five-year age may differ from the projection, by draw, year and age.

    Defined as::  factor = settled error, drawn together about the middle (see `cohort.draw_together`)
                  error = exp(count error(age) + T scale(age) sqrt(years passed / 10))

    T is drawn from Student's t, once for all areas of a province: they err together, each by a scale of
    its own. Scale and degrees of freedom are those that made the ranges of the back-test hold
    (`calibration`). The error of the census count is there from the first day. `settled` makes the area add
    up with those beside it, and keeps its mean where the error of such a kind would raise it: the middle
    comes to lie a little below the mean (see `areas.settled_area`). Where counts since the census are known, they
    leave the part `kept` of the range about the `middle` (see `counts`).

    people  : array [person]  dims draw, year, five-year age: without error
    Returns : array [ratio]  dims draw, year, five-year age
    Source  : data/china/projection_error.csv; assumption `census_count_error`
    """
    factor, level = _error_levels(area, assumptions, years, BANDS)
    factor = factor[..., level]
    if area.middle is not None and area.kept is not None:
        draw_together(
            factor, people, *(fact[: factor.shape[1]] for fact in (area.middle, area.kept))
        )
    return factor if area.settled is None else factor * area.settled[: factor.shape[1]]


def _error_levels(
    area: Area, assumptions: Assumptions, years, ages: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Error alone by level, dims draw, year, level, and the level of each age; few ages differ from the one before."""
    stream = assumptions.uniform(error_stream(area.adcode))
    drawn = np.clip(student_t.ppf(stream, area.error_freedom), -LARGEST_ERROR, LARGEST_ERROR)
    passed = np.sqrt((np.asarray(years) + 1 - CENSUS_DATE) / 10)
    counted = assumptions["census_count_error"]
    bands = list(counted["age_band"].values)
    limits = np.array([age_band_limits(band) for band in bands])
    band = ((limits[:, :1] <= ages) & (ages <= limits[:, 1:])).argmax(axis=0)
    scales, level = np.unique(np.stack([area.error_scale[ages], band]), axis=1, return_inverse=True)
    grown = drawn[:, None, None] * passed[:, None] * scales[0]
    count_error = counted.transpose("draw", "age_band").values[:, None, scales[1].astype(int)]
    return np.exp(grown + count_error), level


def log_spread(area: Area, assumptions: Assumptions, people: np.ndarray) -> np.ndarray:
    """How wide the range of people with error is before any count: one standard deviation of ln(people).

    Defined as::  spread² = (coefficient of variation of people)² + deviation(count error)²
                            + (t z scale(age))² years passed / 10,  t z = 90th percentile of T / of the normal

    so that the 80 % range of the error is kept where its tails are heavier than the normal's.

    people  : array [person]  dims draw, year (2020 …), five-year age: without error
    Returns : array [share]  dims year, five-year age
    """
    passed = (np.arange(2020, 2020 + people.shape[1]) + 1 - CENSUS_DATE) / 10
    scale = student_t.ppf(0.9, area.error_freedom) / Z90 * area.error_scale[BANDS]
    counted = assumptions["census_count_error"]
    limits = np.array([age_band_limits(band) for band in counted["age_band"].values])
    band = ((limits[:, :1] <= BANDS) & (limits[:, 1:] >= BANDS)).argmax(axis=0)
    count_error = counted.transpose("draw", "age_band").values.std(axis=0)[band]
    mean = people.mean(axis=0)
    square = np.einsum("dtb,dtb->tb", people, people) / len(people)
    varied = np.divide(square, mean**2, out=np.ones_like(mean), where=mean > 0) - 1
    return np.sqrt(np.maximum(varied, 0) + count_error**2 + scale**2 * passed[:, None])


def error_stream(adcode: int) -> str:
    """Name of the stream that the error of an area's projection is drawn from: that of its province."""
    return f"projection_error|{province_of(adcode)}"


def in_bands(counts: np.ndarray) -> np.ndarray:
    """People of both sexes by five-year age, from counts with the dims …, sex, single age."""
    return np.add.reduceat(counts[..., 0, :] + counts[..., 1, :], BANDS, axis=-1)


def life_expectancy_paths(area: Area, rates: Rates, assumptions: Assumptions, years) -> np.ndarray:
    """Life expectancy at birth [year] by year, sex and draw.

    Defined as::  e0 = e0(nation) + gap(province) + error + z x spread(year)
                  e0(nation) = published, as far as it is; later that of WPP + kept x the last published gap to it

    Source : assumptions `life_expectancy_published_gap_continuation` (kept), `life_expectancy_improvement`,
             `life_expectancy_error_known` or `…_derived`, `life_expectancy_gap_persistence`
    """
    index = np.asarray(years) - FIRST_RATE_YEAR
    gap = expectancy_gap_of(area, assumptions)
    z = assumptions["life_expectancy_improvement"].values
    spread = rates.spread[index] - rates.spread[2020 - FIRST_RATE_YEAR]
    kept = assumptions["life_expectancy_published_gap_continuation"].values
    beyond = rates.published_gap[index][:, None, None] * kept
    return (
        rates.life_expectancy[index][..., None]
        + beyond
        + gap
        + np.maximum(spread, 0)[..., None] * z
    )


def survival_places(
    area: Area, rates: Rates, assumptions: Assumptions, years: np.ndarray, longer_life: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Where on the grid of life tables each draw stands in each year: (level, weight), dims year, sex, draw.

    longer_life : False keeps the life expectancy of 2020 in all years
    """
    index = years - FIRST_RATE_YEAR
    if longer_life:
        targets = life_expectancy_paths(area, rates, assumptions, years)
    else:
        index = np.full(len(years), 2020 - FIRST_RATE_YEAR)
        targets = life_expectancy_paths(area, rates, assumptions, [2020]).repeat(len(years), axis=0)
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
) -> np.ndarray:
    """From the census to the end of `last_year`, without the error of projection.

    places  : as `survival_places` gives them
    band    : for each age the band it is counted in; without it single ages
    change  : array [per year]  dims draw, sex, age, in place of `change_rate`
    Returns : array [person]  dims draw, year (2020 …), sex, age or band
    """
    years = np.arange(2021, last_year + 1)
    index = years - FIRST_RATE_YEAR
    # Up to the end of the year of the census the change seen before it goes on whole, as in `history`.
    seen = (area.change_nation + area.change)[None] if change is None else change
    change = change_rate(area, assumptions) if change is None else change
    gap = expectancy_gap_of(area, assumptions)
    local = area.fertility_ratio ** assumptions["fertility_local_persistence"].values
    first = to_year_end(area.base, gap, local, rates, seen)
    path = 1 + rates.fertility_spread[index][:, None] * assumptions["fertility_path"].values
    total = rates.fertility[index].sum(axis=1)
    standard = index if longer_life else np.full(len(index), 2020 - FIRST_RATE_YEAR)
    return project_compiled(
        first,
        rates.grid.ratios[standard],
        *places,
        np.exp(change),
        total[:, None] * np.maximum(path, 0.1) * local,
        rates.fertility[index] / total[:, None],
        rates.male_births[index],
        band,
        out,
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

    drawn   : Assumptions, or a mapping of those that this rests on (see `DRAWN`)
    out     : where to write it, if it is there already
    Returns : array [person]  dims draw, year, sex, age
    """
    check_horizon(rates, last_year, f"area {area.adcode}")
    places = survival_places(area, rates, drawn, np.arange(2021, last_year + 1))
    counts = carry(area, rates, drawn, last_year, places, out=out)
    factor = error_factor(area, drawn, np.arange(2020, last_year + 1), in_bands(counts))
    multiply_bands(counts, factor, BAND_OF_AGE)
    return counts


DRAWN = (
    "census_count_error",
    "change_difference_bound",
    "expectancy_gap",
    "fertility_local_persistence",
    "fertility_path",
    "life_expectancy_improvement",
    "life_expectancy_published_gap_continuation",
    "migration_continuation",
    "migration_shrinkage",
    "national_change_continuation",
)


# Who is 60 or older before 2080 was born before the census: no fertility moves their number.
FERTILITY = ("fertility_local_persistence", "fertility_path")


class _Drawn(dict):
    """The draws that the projection rests on, and the stream of its error."""

    def uniform(self, name: str) -> np.ndarray:
        return self["projection_error"]


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
    named = _Drawn(zip(DRAWN, drawn))
    bands = {"age_band": list(census_count_error_bands)}
    named["census_count_error"] = xr.DataArray(named["census_count_error"], coords=bands)
    named["projection_error"] = projection_error
    before = len(people_between_censuses)
    out = np.empty((len(projection_error), len(years), len(SEXES), len(AGES)))
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
        places = survival_places(area, rates, assumptions, years, longer_life)
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
    """Draws of `expectancy_gap` from assumptions, or from a mapping that holds it already."""
    if "expectancy_gap" in assumptions:
        return assumptions["expectancy_gap"].values
    if area.gap_known:
        return expectancy_gap_of_2020(area, assumptions["life_expectancy_error_known"]).values
    names = ("life_expectancy_gap_persistence", "life_expectancy_error_derived")
    return expectancy_gap_derived(area, *(assumptions[name] for name in names)).values


def to_year_end(
    base: np.ndarray, gap: np.ndarray, fertility: np.ndarray, rates: Rates, change: np.ndarray
) -> np.ndarray:
    """From the census of 1 November 2020 to 31 December 2020.

    base      : array [person]  dims sex, age
    gap       : array [year]    dims draw: life expectancy above the nation's
    fertility : array [ratio]   dims draw: level of fertility over the nation's
    change    : array [per year]  dims draw, sex, age
    Returns   : array [person]  dims draw, sex, age
    """
    fraction = CENSUS_TO_YEAR_END
    index = 2020 - FIRST_RATE_YEAR
    survival = rates.grid.survival(index, rates.life_expectancy[index][:, None] + gap)
    births = (base[1] * rates.fertility[index]).sum() * fertility * fraction
    male = rates.male_births[index]
    counts = at_later_date(base, fraction) * survival[..., 1:] ** fraction
    counts[..., 0] += np.stack([births * male, births * (1 - male)], axis=-1)
    return counts * np.exp(change * fraction)


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
    closed = closed_survivors(rates, area.earlier, area.life_expectancy_gap)
    correction = np.where(closed > 0, area.base / np.maximum(closed, 1e-9), 1.0)
    counts, ends = area.earlier[None], {}
    for year in range(first, last + 1):
        index, passed = year - FIRST_RATE_YEAR, year - first
        target = (rates.life_expectancy[index] + area.life_expectancy_gap)[:, None]
        survival = rates.grid.survival(index, target)
        change = correction[:, np.minimum(AGES + last - year, OPEN_AGE)]
        now = counts[0] * change ** (passed / (last - first))
        part = survival[0, :, 1:] ** CENSUS_TO_YEAR_END * change ** (
            CENSUS_TO_YEAR_END / (last - first)
        )
        ends[year] = at_later_date(now, CENSUS_TO_YEAR_END) * part
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
