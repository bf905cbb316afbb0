"""The whole path for one city: population, need, places, beds, caregivers, money - block by block over draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.engine.arrays import sum_over
from eldercare.inputs.draws import DEFAULT_DRAWS, Assumptions, draw_assumptions
from eldercare.inputs.load import BASELINE, China, City, Project
from eldercare.model import beds as bed_step
from eldercare.model import caregivers as caregiver_step
from eldercare.model import childcare, flow, money, need, places, premises, supply
from eldercare.model import population as population_step
from eldercare.model.area import Area
from eldercare.model.areas import settled_area

BASE_YEAR = 2020
LAST_YEAR = 2050
BLOCK = 1024
HEAD_COUNTS = {
    "population_total": (0, 100),
    "population_60_plus": (60, 100),
    "population_65_plus": (65, 100),
    "population_80_plus": (80, 100),
    "population_under_3": (0, 2),
}
QUANTILES = {"low": 0.1, "central": 0.5, "high": 0.9}
TOTAL = "total"


@dataclass(frozen=True)
class CityResult:
    """What the chain says of one city under one scenario.

    values : Dataset, variables named after their indicators, dims draw, year and what a step adds;
             `measure` is `need` (everyone whose family cannot care has a place) or `use` (today's habits)
    census_base : array [person]  dims sex, age: the census of 2020 by single age
    """

    city: City
    scenario: str
    assumptions: Assumptions
    census_base: np.ndarray
    values: xr.Dataset

    def table(self, indicator: str, years=None, **where) -> pd.DataFrame:
        """Low, central, high of an indicator by year (10th, 50th, 90th percentile of the draws)."""
        array = self.values[indicator].sel(where) if where else self.values[indicator]
        if years is not None:
            array = array.sel(year=[year for year in years if year in array["year"].values])
        return summarise(array)


def summarise(array: xr.DataArray) -> pd.DataFrame:
    """Table with a row for each year and key, and columns low, central, high."""
    order = [dim for dim in array.dims if dim != "draw"]
    values = np.quantile(array.transpose("draw", *order).values, list(QUANTILES.values()), axis=0)
    coords = {dim: array[dim].values for dim in order}
    parts = {
        name: xr.DataArray(values[i], dims=order, coords=coords) for i, name in enumerate(QUANTILES)
    }
    return xr.Dataset(parts).to_dataframe().reset_index()[[*order, *QUANTILES]]


def summarise_parts(array: xr.DataArray, dim: str) -> pd.DataFrame:
    """`summarise` of parts and of all of them together, with the mean, by which parts add up to their total.

    Defined as::  total = sum of the parts in each draw;  mean(total) = sum of the means of the parts

    which middles and ends of ranges do not do.

    dim     : the dim whose labels are the parts
    Returns : table with a row for each year and key, and columns mean, low, central, high; `total` in the
              column of the dim is all parts together
    """
    array = array.astype(float)
    both = xr.concat([array, array.sum(dim, skipna=False).expand_dims({dim: [TOTAL]})], dim)
    table = summarise(both)
    keys = [column for column in table.columns if column not in QUANTILES]
    means = both.mean("draw", skipna=False).transpose(*keys).values.ravel()
    table.insert(len(keys), "mean", means)
    return table


def first_year(city: City) -> int:
    """The first year of a city's results: that of its earliest measured promise, at the latest the census year."""
    measured = city.targets[
        (city.targets["follow_up"] == "measured") & (city.targets["kind"] == "target")
    ]
    return int(min([BASE_YEAR, *measured["target_year"].dropna()]))


def stock_of_beds(city: City) -> pd.Series | None:
    """The latest published count of beds of all kinds, as a row of capacity.csv; None if there is none."""
    if city.capacity is None:
        return None
    rows = city.capacity[
        (city.capacity["indicator"] == "beds_total") & (city.capacity["bed_type"] == "")
    ]
    return None if rows.empty else rows.sort_values("year").iloc[-1]


def run_city(
    project: Project,
    city_id: str,
    scenario: str = BASELINE,
    draws: int = DEFAULT_DRAWS,
    block: int = BLOCK,
) -> CityResult:
    """Run the chain for one city.

    Raises : KeyError for an unknown city or scenario
    """
    city = project.city(city_id)
    assumptions = draw_assumptions(project, city, scenario, draws)
    area = settled_area(project, city.adcode, scenario, min(draws, BLOCK))
    values: dict[str, np.ndarray] = {}
    template = None
    for start in range(0, draws, block):
        rows = slice(start, min(start + block, draws))
        with xr.set_options(arithmetic_join="exact"):
            part = run_block(project.china, city, area, assumptions.block(rows))
        template = template if template is not None else part
        for name, array in part.data_vars.items():
            if name not in values:
                values[name] = np.empty((draws, *array.shape[1:]), dtype=np.float32)
            values[name][rows] = array.values
    dataset = xr.Dataset(
        {name: (template[name].dims, values[name]) for name in values},
        coords={name: coord for name, coord in template.coords.items() if name != "draw"},
    )
    return CityResult(city, scenario, assumptions, area.base, dataset)


def run_to_cost(
    project: Project,
    city_id: str,
    scenario: str = BASELINE,
    draws: int = DEFAULT_DRAWS,
    last_year: int = LAST_YEAR,
) -> CityResult:
    """`run_city` up to the cost and to a year: the same numbers on the same draws, without what no headline rests on.

    Raises : KeyError for an unknown city or scenario
    """
    city = project.city(city_id)
    assumptions, area = (
        draw_assumptions(project, city, scenario, draws),
        settled_area(project, city.adcode, scenario, min(draws, BLOCK)),
    )
    last = max(last_year, first_year(city) + 1, int(assumptions["programme_last_year"].max()))
    with xr.set_options(arithmetic_join="exact"):
        values = reckon(project.china, city, area, assumptions, last).values
    del values["urban_households"]
    return CityResult(
        city,
        scenario,
        assumptions,
        area.base,
        _dataset(values).sel(year=slice(first_year(city), last_year)),
    )


def run(
    project: Project, scenario: str = BASELINE, draws: int = DEFAULT_DRAWS, cities=None
) -> dict[str, CityResult]:
    """Run the chain for all cities of the project, or some.  Returns: results by city_id"""
    return {
        city_id: run_city(project, city_id, scenario, draws) for city_id in cities or project.cities
    }


def iterate(
    project: Project, scenario: str = BASELINE, draws: int = DEFAULT_DRAWS
) -> Iterator[CityResult]:
    """The same one city after the other, for when all at once would not fit into memory."""
    for city_id in project.cities:
        yield run_city(project, city_id, scenario, draws)


@dataclass(frozen=True)
class Reckoned:
    """Some of the draws of a city up to cost, before it is known who pays.

    values     : arrays by indicator, dims draw, year and what a step adds
    population : array [person]  dims draw, year, sex, age
    needing    : head counts and people in need of care, by indicator; they are in `values` too
    prevalence, shares, by_place, by_kind : what the steps hand on (see `need.adl_prevalence`,
                 `places.setting_shares`, `places.people_by_setting`, `beds.built_by_kind`)
    """

    values: dict[str, xr.DataArray]
    population: xr.DataArray
    needing: dict[str, xr.DataArray]
    prevalence: xr.DataArray
    shares: xr.DataArray
    by_place: xr.DataArray
    by_kind: xr.DataArray


def reckon(
    china: China,
    city: City,
    area: Area,
    assumptions: Assumptions,
    last_year: int = LAST_YEAR,
    population: xr.DataArray | None = None,
    prevalence: xr.DataArray | None = None,
    needing: dict[str, xr.DataArray] | None = None,
    shares: xr.DataArray | None = None,
) -> Reckoned:
    """From the population to the cost: all that the headlines and the promises need.

    population, prevalence, needing, shares : as an earlier call gave them, where no assumption they rest on
                has changed; with shares of one measure only, all that follows is of that measure
    """
    people = (
        project_population(china, city, area, assumptions, last_year)
        if population is None
        else population
    )
    years = people["year"].values
    prevalence = need.adl_prevalence(china, assumptions) if prevalence is None else prevalence
    needing = people_in_need(people, prevalence, assumptions) if needing is None else needing
    shares = shares_of_places(china, city, assumptions, years) if shares is None else shares
    out = dict(needing)
    by_severity = need.by_severity(out["population_60_plus"], out["care_need"])
    by_place = places.people_by_setting(by_severity, shares)
    out |= _beds_and_caregivers(by_place, out, assumptions)
    out |= _workforce(out, assumptions)
    out["urban_households"] = premises.urban_households(
        premises.census_row(china, city.adcode), out["population_total"]
    )
    built, by_kind = _building(out, city, assumptions)
    out |= built
    out |= money.costs(people, by_place, out, by_kind, assumptions)
    out |= childcare.childcare(out["population_under_3"], out["population_total"], assumptions)
    return Reckoned(out, people, needing, prevalence, shares, by_place, by_kind)


def people_in_need(
    population: xr.DataArray, prevalence: xr.DataArray, assumptions: Assumptions
) -> dict[str, xr.DataArray]:
    """Head counts, people with limitations and people with dementia, by indicator; dims draw, year (and severity)."""
    years = population["year"].values
    limited = need.care_need(
        population,
        prevalence,
        need.drift(assumptions, "adl_prevalence_drift", years, need.SURVEY_YEAR),
        need.drift_of_oldest(assumptions, years),
    )
    dementia = need.people_with_dementia(
        population,
        need.dementia_prevalence(assumptions),
        need.drift(assumptions, "dementia_prevalence_drift", years, need.DEMENTIA_YEAR),
    )
    return {**_head_counts(population), "care_need": limited, "people_with_dementia": dementia}


def run_block(
    china: China, city: City, area: Area, assumptions: Assumptions, last_year: int = LAST_YEAR
) -> xr.Dataset:
    """All steps for some of the draws, up to a year; dims draw first, then year."""
    found = reckon(china, city, area, assumptions, last_year)
    out = found.values | _beyond_cost(china, found, assumptions)
    del out["urban_households"]
    return _dataset(out).sel(year=slice(first_year(city), None))


def with_quantities(
    china: China, found: Reckoned, assumptions: Assumptions, names
) -> dict[str, xr.DataArray]:
    """The quantities up to cost by indicator; where one of the names is not among them, all others too."""
    return (
        found.values
        if set(names) <= set(found.values)
        else found.values | _beyond_cost(china, found, assumptions)
    )


def _beyond_cost(
    china: China, found: Reckoned, assumptions: Assumptions
) -> dict[str, xr.DataArray]:
    """What no headline rests on: places of care, the second estimate of beds, and who pays."""
    values, by_place = found.values, found.by_place
    residents = by_place.sel(setting="institution", drop=True)
    onset = flow.onset_rates(need.national_ages(china), found.prevalence, assumptions)
    cases = flow.new_cases(found.population, onset)
    older = values["population_60_plus"]
    return {
        "people_by_setting": by_place.pipe(sum_over, "severity"),
        "respite_beds_needed": _respite_beds(by_place, assumptions),
        "caregivers_by_standard": caregiver_step.caregivers_by_standard(residents, assumptions),
        **_beds_from_flow(by_place, values["care_need"], cases, found.shares, assumptions),
        **money.payers_of(
            values["cost"], found.by_kind, by_place, values["residents"], older, assumptions
        ),
    }


def _dataset(arrays: dict[str, xr.DataArray]) -> xr.Dataset:
    """Arrays of the same labels as one Dataset; what a dim is called is compared once, not for each pair.

    Raises : ValueError if two arrays label a dim differently
    """
    coords: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        for dim in array.dims:
            values = array[dim].values
            if not np.array_equal(coords.setdefault(dim, values), values):
                raise ValueError(
                    f"“{name}” labels the dim “{dim}” differently from the arrays before it"
                )
    return xr.Dataset(
        {name: array.transpose("draw", ...).variable for name, array in arrays.items()}, coords
    )


def shares_of_places(china: China, city: City, assumptions: Assumptions, years) -> xr.DataArray:
    """Share of people of each severity in each place of care in a city (see `places.setting_shares`)."""
    gap = places.family_care_gap(china, city.adcode, assumptions) * places.family_care_growth(
        assumptions, years
    )
    return places.setting_shares(assumptions, gap)


def project_population(
    china: China, city: City, area: Area, assumptions: Assumptions, last_year: int = LAST_YEAR
) -> xr.DataArray:
    """From the year before the first wanted to the last; before 2020 between the censuses, the same in all draws.

    Returns : array [person]  dims draw, year, sex, age
    """
    ahead = population_step.project_area(china, area, assumptions, last_year)
    before = population_step.history(china, area, range(first_year(city) - 1, BASE_YEAR))
    values = np.empty(
        (ahead.sizes["draw"], before.sizes["year"] + ahead.sizes["year"], *ahead.shape[2:])
    )
    values[:, : before.sizes["year"]], values[:, before.sizes["year"] :] = (
        before.values,
        ahead.values,
    )
    years = np.concatenate([before["year"].values, ahead["year"].values])
    return xr.DataArray(values, dims=ahead.dims, coords={**ahead.coords, "year": years})


def _head_counts(population: xr.DataArray) -> dict[str, xr.DataArray]:
    counts = population_step.people_in_bands(population, HEAD_COUNTS)
    return {name: counts.sel(age_band=name, drop=True) for name in HEAD_COUNTS}


def _beds_and_caregivers(by_place, needing, assumptions) -> dict[str, xr.DataArray]:
    older = needing["population_60_plus"]
    by_bed_type = bed_step.residents_by_bed_type(
        by_place.sel(setting="institution", drop=True), assumptions
    )
    beds_needed = bed_step.beds(by_bed_type, assumptions["target_occupancy"])
    day_users = by_place.sel(setting="day_care", drop=True).pipe(sum_over, "severity")
    day_places = bed_step.day_care_places(day_users, assumptions)
    institution_beds = beds_needed.pipe(sum_over, "bed_type")
    special = beds_needed.sel(bed_type=["nursing", "dementia"]).pipe(sum_over, "bed_type")
    workers = caregiver_step.caregivers(by_place, assumptions)
    certified = workers.pipe(sum_over, "workplace") * assumptions["caregiver_certified_share"]
    total = institution_beds + day_places
    return {
        "residents": by_bed_type,
        "beds_needed": beds_needed,
        "day_care_places_needed": day_places,
        "beds_institution_needed": institution_beds,
        "beds_total_needed": total,
        "beds_per_1000_needed": total / older * 1e3,
        "nursing_bed_share_needed": special / institution_beds,
        "nursing_bed_share_of_all_needed": special / total,
        "dementia_beds_per_10000_needed": beds_needed.sel(bed_type="dementia", drop=True)
        / older
        * 1e4,
        "caregivers_needed": workers,
        "caregivers_total_needed": workers.pipe(sum_over, "workplace"),
        "caregivers_per_10000_needed": certified / older * 1e4,
    }


def _respite_beds(by_place, assumptions) -> xr.DataArray:
    at_home = by_place.sel(setting=["family", "home_service"]).pipe(sum_over, "setting")
    return bed_step.respite_beds(at_home, assumptions)


def _beds_from_flow(by_place, limited, cases, shares, assumptions) -> dict[str, xr.DataArray]:
    """The second estimate of beds: from those who newly need care and how long they stay."""
    admitted = flow.admissions(cases, limited, shares.sel(setting="institution", drop=True))
    by_ratio = by_place.sel(setting="institution", drop=True)
    residents = flow.residents_two_ways(by_ratio, admitted, assumptions)
    return {
        "admissions": admitted.pipe(sum_over, "severity"),
        "mean_length_of_stay": flow.mean_stay(admitted, assumptions),
        "beds_from_flow": bed_step.beds(residents, assumptions["target_occupancy"]),
    }


def _building(
    out, city: City, assumptions: Assumptions
) -> tuple[dict[str, xr.DataArray], xr.DataArray]:
    """Beds built, and by bed type and kind; the stock counts day-care places too, so its institution part is taken."""
    stock, years = stock_of_beds(city), out["beds_needed"]["year"].values
    year, part = int(years[0]), None
    if stock is not None:
        year = int(np.clip(stock["year"], years[0], years[-1]))
        part = bed_step.institution_part(float(stock["value"]), assumptions)
    parts = bed_step.building(out["beds_needed"], part, year, assumptions)
    by_kind = bed_step.built_by_kind(parts["built"], parts["worn"], assumptions)
    return {
        "beds_built": parts["built"].pipe(sum_over, "bed_type"),
        "beds_built_by_kind": by_kind.pipe(sum_over, "bed_type"),
    }, by_kind


def _workforce(out, assumptions: Assumptions) -> dict[str, xr.DataArray]:
    """Care workers in post and in training, beside those needed."""
    needed = out["caregivers_total_needed"]
    paths = supply.workforce(
        out["population_60_plus"], needed.sel(measure="need", drop=True), assumptions
    )
    return {
        "caregivers_per_100_needed": caregiver_step.caregivers_per_100(
            needed, out["population_65_plus"]
        ),
        "caregivers_stock": paths["stock"],
        "caregiver_flow": paths["flow"].sel(path="programme", drop=True),
        "training_intake": paths["intake"],
    }


def age_structure(
    project: Project, city_id: str, years=(2020, 2035, 2050), draws: int = DEFAULT_DRAWS
) -> pd.DataFrame:
    """People by single age and sex in some years, the middle of the draws of the result.

    Returns : table year, sex, age, central
    """
    city = project.city(city_id)
    area = settled_area(project, city.adcode, BASELINE, draws)
    assumptions = draw_assumptions(project, city, BASELINE, draws)
    ahead = population_step.project_area(project.china, area, assumptions, LAST_YEAR).sel(
        year=list(years)
    )
    return summarise(ahead)[["year", "sex", "age", "central"]]
