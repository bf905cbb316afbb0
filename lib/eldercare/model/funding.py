"""What the care costs in a year, item by item. All money is in prices of one year."""

from __future__ import annotations

import numpy as np
import xarray as xr

from eldercare.engine.arrays import join, over_year, sum_over
from eldercare.inputs.checks import age_band_limits
from eldercare.inputs.dated import pick_years
from eldercare.inputs.draws import Assumptions
from eldercare.model.beds import HEAVY
from eldercare.model.caregivers import MONTHS
from eldercare.model.population import people_in_bands

BUILDING_ITEMS = {"new": "new_building", "rebuilt": "rebuilding", "converted": "conversion"}
STAFF_ITEMS = ("care_worker_pay", "nurse_and_manager_pay", "other_running")
COST_ITEMS = (
    *BUILDING_ITEMS.values(),
    *STAFF_ITEMS,
    "home_care",
    "day_care",
    "premises",
    "training",
    "old_age_allowance",
    "service_subsidy",
    "home_adaptation",
)
AT_HOME = ("family", "home_service", "day_care")
HOMES_PER_PERSON = 1  # a limited person lives in one home


def results_price_year(assumptions: Assumptions) -> int:
    """The year in whose prices all money is told (assumption `results_price_year`)."""
    return int(assumptions["results_price_year"].values[0])


def price(assumptions: Assumptions, name: str, years=None) -> xr.DataArray:
    """A unit price brought to the price year of the results.

    Defined as::  price as printed / price level of its price year, that of the results being 1

    years   : of a price whose rows begin in a year (`year_from`), the years it is wanted for
    Returns : array in the unit of the assumption  its dims; with years, year instead of year_from
    Source  : the assumption named, and those of `price_level`
    """
    printed = assumptions.price_year(name).astype(int)
    constant = assumptions[name] / price_level(assumptions, np.unique(printed.values)).sel(
        year=printed
    ).drop_vars("year")
    return constant if years is None else pick_years(constant, years, name)


def price_level(assumptions: Assumptions, years) -> xr.DataArray:
    """Price level of some years, that of the price year of the results being 1.

    Defined as::  level(t) = level(t - 1) x (1 + growth(t)),  growth as published where it is, later `price_growth`

    So only what is still to come is drawn: a price of the past is brought forward by what prices did.

    Returns : array [ratio]  dims draw, year
    Source  : assumptions `known_price_growth`, `price_growth`, `results_price_year`
    """
    return _level(assumptions, years, "known_price_growth", "price_growth")


def _level(assumptions: Assumptions, years, known: str, later: str) -> xr.DataArray:
    """What grows by year, that of the price year of the results being 1: by what is published, then by what is drawn."""
    base, published = results_price_year(assumptions), assumptions[known]
    last_known = int(published["year_from"].values[-1]) if "year_from" in published.dims else base
    span = np.arange(min(base, *map(int, years)), max(base, *map(int, years)) + 1)
    year = xr.DataArray(span, dims="year", coords={"year": span})
    growth = xr.where(year <= last_known, pick_years(published, span, known), assumptions[later])
    grown = np.log1p(growth).cumsum("year")
    return np.exp(grown - grown.sel(year=base, drop=True)).sel(year=[int(one) for one in years])


def pay_per_worker(assumptions: Assumptions, years) -> xr.DataArray:
    """Yearly cost of one care worker to the employer [yuan], growing in real terms.

    Defined as::  pay(t) = 12 x wage x (1 + on-cost) x growth of pay since the price year of results

    Returns : array [yuan per worker and year]  dims draw, year
    Source  : assumptions `caregiver_wage`, `wage_on_cost`, those of `pay_growth`
    """
    monthly = price(assumptions, "caregiver_wage") * (1 + assumptions["wage_on_cost"])
    return MONTHS * monthly * pay_growth(assumptions, years)


def pay_growth(assumptions: Assumptions, years) -> xr.DataArray:
    """Pay beyond prices, that of the price year of the results being 1; care by the hour follows it.

    Defined as::  level(t) = level(t - 1) x (1 + growth(t)),  growth as published where it is, later `wage_growth`

    So pay of the past is what it was, whatever is drawn for the years to come.

    Returns : array [ratio]  dims draw, year
    Source  : assumptions `known_pay_growth`, `wage_growth`, `results_price_year`
    """
    return _level(assumptions, years, "known_pay_growth", "wage_growth")


def building_costs(by_kind: xr.DataArray, assumptions: Assumptions) -> dict[str, xr.DataArray]:
    """Cost of building by kind.

    Defined as::  cost = sum over bed types(beds x cost of a new bed) x cost ratio of the kind

    by_kind : array [bed per year]  dims draw, measure, year, bed_type, kind (see `beds.built_by_kind`)
    Returns : array [yuan per year]  dims draw, measure, year, for each item of building
    Source  : assumptions `building_cost`, `rebuilding_cost_ratio`, `conversion_cost_ratio`
    """
    as_new = (by_kind * price(assumptions, "building_cost")).pipe(sum_over, "bed_type")
    ratios = {
        "new": 1,
        "rebuilt": assumptions["rebuilding_cost_ratio"],
        "converted": assumptions["conversion_cost_ratio"],
    }
    return {
        item: as_new.sel(kind=kind, drop=True) * ratios[kind]
        for kind, item in BUILDING_ITEMS.items()
    }


def institution_running_costs(
    workers: xr.DataArray, staff: xr.DataArray, pay: xr.DataArray, assumptions: Assumptions
) -> dict[str, xr.DataArray]:
    """Cost of running institutions: pay of care workers, pay of nurses and managers, all else.

    Defined as::  total = care workers x pay / pay's share of running cost
                  nurses and managers = least(their number x pay x wage ratio, total - care workers x pay)
                  other = the rest

    workers : array [worker]  care workers in institutions
    staff   : array [worker]  dims of workers, then staff: nurses and managers beside them
    pay     : array [yuan per worker and year]  dims draw, year
    Returns : array [yuan per year]  the dims of workers, for each of the three
    Source  : assumptions `pay_share_of_running_cost`, `staff_wage_ratio`
    """
    care = workers * pay
    total = care / assumptions["pay_share_of_running_cost"]
    beside = staff.pipe(sum_over, "staff") * pay * assumptions["staff_wage_ratio"]
    beside = xr.ufuncs.minimum(beside, total - care)
    return dict(zip(STAFF_ITEMS, [care, beside, total - care - beside]))


def home_care_cost(
    hours: xr.DataArray, growth: xr.DataArray, assumptions: Assumptions
) -> xr.DataArray:
    """Cost of care brought into homes.  Defined as::  hours x price of an hour x growth of pay

    hours   : array [hour per year]
    growth  : array [ratio]  dims draw, year
    Returns : array [yuan per year]  the dims of hours
    Source  : assumption `home_care_price`
    """
    return hours * price(assumptions, "home_care_price") * growth


def day_care_cost(
    places: xr.DataArray, growth: xr.DataArray, assumptions: Assumptions
) -> xr.DataArray:
    """Cost of running day care.  Defined as::  12 x places x cost of a place a month x growth of pay

    places  : array [place]
    growth  : array [ratio]  dims draw, year
    Returns : array [yuan per year]  the dims of places
    Source  : assumption `day_care_cost`
    """
    return places * MONTHS * price(assumptions, "day_care_cost") * growth


def premises_cost(area: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Cost of fitting out community premises, spread over the years they last.

    Defined as::  cost = area x cost of a square metre / years until fitted out anew

    area    : array [square metre]
    Returns : array [yuan per year]  the dims of area
    Source  : assumptions `premises_cost`, `premises_life`
    """
    return area * price(assumptions, "premises_cost") / assumptions["premises_life"]


def training_cost(trained: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Cost of training.  Defined as::  cost = people taken into training x cost of training one

    trained : array [person per year]
    Returns : array [yuan per year]  the dims of trained
    Source  : assumption `training_cost`
    """
    return trained * price(assumptions, "training_cost")


def old_age_allowance_cost(population: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Old-age allowances, an entitlement that does not depend on care.

    Defined as::  12 x sum over bands(people over the year x coverage x allowance a month)

    population : array [person]  dims draw, year, sex, age
    Returns    : array [yuan per year]  dims draw, year
    Source     : assumptions `old_age_allowance`, `old_age_allowance_coverage`
    """
    years = population["year"].values
    rate = price(assumptions, "old_age_allowance", years)
    bands = {band: age_band_limits(band) for band in rate["age_band"].values}
    total = (over_year(people_in_bands(population, bands)) * rate).pipe(sum_over, "age_band")
    return MONTHS * total * assumptions.in_year("old_age_allowance_coverage", years)


def service_subsidy_cost(older: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Service, nursing and combined subsidies (养老服务补贴、护理补贴、综合补贴) to hard-up older people.

    Paid to persons as the old-age allowance is; what they buy with it stands in what families pay.

    Defined as::  12 x people of 60 and over x share who draw one x subsidy a month

    older   : array [person]  dims draw, year
    Returns : array [yuan per year]  dims draw, year
    Source  : assumptions `service_subsidy`, `service_subsidy_share`
    """
    years = older["year"].values
    drawing = older * assumptions.in_year("service_subsidy_share", years)
    return MONTHS * drawing * price(assumptions, "service_subsidy", years)


def home_adaptations(by_place: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Homes that need adapting: hard-up people with moderate or severe limitation who live at home.

    Defined as::  homes = people with moderate or severe limitation at home x share x one home a person

    by_place : array [person]  dims draw, measure, year, severity, setting
    Returns  : array [household]  dims draw, measure, year
    Source   : assumption `adaptation_need_share`
    """
    at_home = by_place.sel(severity=list(HEAVY), setting=list(AT_HOME)).pipe(
        sum_over, "severity", "setting"
    )
    return at_home * assumptions["adaptation_need_share"] * HOMES_PER_PERSON


def home_adaptation_cost(homes: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Cost of adapting homes, spread over the years an adaptation lasts.

    Defined as::  cost = homes / years x cost of one

    homes   : array [household]
    Returns : array [yuan per year]  the dims of homes
    Source  : assumptions `adaptation_years`, `adaptation_cost`
    """
    return homes / assumptions["adaptation_years"] * price(assumptions, "adaptation_cost")


def cost(parts: dict[str, xr.DataArray]) -> xr.DataArray:
    """Put the items of cost side by side.

    Returns : array [yuan per year]  dims draw, measure, year, cost_item
    """
    ordered = {item: parts[item] for item in COST_ITEMS}
    return join(ordered, "cost_item").transpose("draw", "measure", "year", "cost_item")


def nominal(real: xr.DataArray, assumptions: Assumptions, years) -> xr.DataArray:
    """Money of a year in that year's own prices.

    Defined as::  nominal(t) = real(t) x price level(t)

    real    : array [yuan per year]  dims draw, year and others
    Returns : array [yuan per year]  the dims of real
    Source  : assumptions of `price_level`
    """
    return real * price_level(assumptions, years)


def present_value(real: xr.DataArray, rate: float, first_year: int, last_year: int) -> xr.DataArray:
    """What a stream of real costs is worth at the beginning of its first year, the year itself undiscounted.

    Defined as::  value = sum over years(cost(t) / (1 + rate)^(t - first year))

    real    : array [yuan per year]  dims year and others
    rate    : real discount rate a year
    Returns : array [yuan]  the dims of real without year
    Raises  : ValueError if the years are not all there
    """
    window = real.sel(year=slice(first_year, last_year))
    if window.sizes["year"] != last_year - first_year + 1:
        raise ValueError(f"the years {first_year} to {last_year} are not all reckoned")
    return (window / (1 + rate) ** (window["year"] - first_year)).pipe(sum_over, "year")
