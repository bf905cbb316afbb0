"""What the care costs in a year, item by item. All money is in prices of one year."""

from __future__ import annotations

from functools import reduce
from operator import add

import numpy as np
import xarray as xr

from eldercare.engine.arrays import (
    DRAW,
    Array,
    least,
    name_labels,
    over_year,
    part,
    sum_over,
    sum_product,
)
from eldercare.engine.quantity import Price, joined, quantity
from eldercare.inputs.checks import age_band_limits
from eldercare.model.base import AGES
from eldercare.model.beds import HEAVY
from eldercare.model.population import FERTILITY
from eldercare.model.workforce import MONTHS

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
# Items as a figure of the cost shows them; the names are the keys of its table.
COST_GROUPS = {
    "building": tuple(BUILDING_ITEMS.values()),
    "care workers' pay": ("care_worker_pay",),
    "nurses, managers": ("nurse_and_manager_pay",),
    "other running": ("other_running",),
    "home care": ("home_care",),
    "day care": ("day_care",),
    "allowances": ("old_age_allowance", "service_subsidy"),
    "training, premises, adaptations": ("training", "premises", "home_adaptation"),
}
AT_HOME = ("family", "home_service", "day_care")
HOMES_PER_PERSON = 1  # a limited person lives in one home


def level_by_year(
    published: np.ndarray, later: Array, price_years: np.ndarray, until: int, base: int
) -> Array:
    """What grows by year, that of the base year being 1: by what is published until a year, then by
    what is drawn.

    Defined as::  level(t) = level(t - 1) x (1 + growth(t))

    published : array [per year]  dims price_year, draw
    Returns   : array [ratio]  dims price_year, draw
    """
    growth = np.where((price_years <= until)[:, None], published, later.values)
    grown = np.log1p(growth).cumsum(axis=0)
    return Array(("price_year", DRAW), np.exp(grown - grown[base - int(price_years[0])]))


@quantity(unit="ratio", dims=("price_year",))
def price_level(
    known_price_growth: Array,
    price_growth: Array,
    known_price_growth_until: int,
    results_price_year: Array,
    price_years: np.ndarray,
) -> Array:
    """Price level of some years, that of the price year of the results being 1.

    Defined as::  level(t) = level(t - 1) x (1 + growth(t)),  growth as published where it is, later `price_growth`

    So only what is still to come is drawn: a price of the past is brought forward by what prices
        did.
    """
    base = int(results_price_year.values[0])
    return level_by_year(
        known_price_growth.values, price_growth, price_years, known_price_growth_until, base
    )


@quantity(unit="ratio", dims=("year",))
def price_level_by_year(price_level: Array, price_years: np.ndarray, years: np.ndarray) -> Array:
    """Price level of the years of the results, that of their price year being 1.

    Defined as::  price level of the year
    """
    return Array(("year", DRAW), price_level.values[years - int(price_years[0])])


@quantity(unit="ratio", dims=("year",))
def pay_growth(
    known_pay_growth: Array,
    wage_growth: Array,
    known_pay_growth_until: int,
    results_price_year: Array,
    price_years: np.ndarray,
    years: np.ndarray,
) -> Array:
    """Pay beyond prices, that of the price year of the results being 1; care by the hour follows
    it.

    Defined as::  level(t) = level(t - 1) x (1 + growth(t)),  growth as published where it is, later `wage_growth`

    So pay of the past is what it was, whatever is drawn for the years to come.
    """
    level = level_by_year(
        known_pay_growth.values,
        wage_growth,
        price_years,
        known_pay_growth_until,
        int(results_price_year.values[0]),
    )
    return Array(("year", DRAW), level.values[years - int(price_years[0])])


@quantity(unit="yuan per worker and year", dims=("year",))
def pay_per_worker(
    caregiver_wage: Price,
    caregiver_wage_place_factor: Array,
    wage_on_cost: Array,
    pay_growth: Array,
) -> Array:
    """Yearly cost of one care worker to the employer, growing in real terms.

    Defined as::  pay(t) = 12 x wage x factor of the place x (1 + on-cost) x growth of pay since the price year of results

    The factor tells the pay of the province from the nation's; where the city has a wage of its own
    it is 1.
    """
    monthly = caregiver_wage * caregiver_wage_place_factor
    return pay_growth * (MONTHS * monthly * (1 + wage_on_cost))


@quantity(unit="yuan per year", dims=("measure", "year", "kind"))
def cost_as_new(beds_built_by_type_and_kind: Array, building_cost: Price) -> Array:
    """What the beds built would cost if all were new, by kind.

    Defined as::  sum over bed types(beds x cost of a new bed)
    """
    return sum_over(beds_built_by_type_and_kind * building_cost, "bed_type")


@quantity(unit="yuan per year", dims=("measure", "year"))
def cost_of_new_building(cost_as_new: Array) -> Array:
    """Cost of new beds.

    Defined as::  sum over bed types(new beds x cost of a new bed)
    """
    return part(cost_as_new, kind="new")


@quantity(unit="yuan per year", dims=("measure", "year"))
def cost_of_rebuilding(cost_as_new: Array, rebuilding_cost_ratio: Array) -> Array:
    """Cost of rebuilding beds that wore out.

    Defined as::  sum over bed types(rebuilt beds x cost of a new bed) x cost ratio
    """
    return part(cost_as_new, kind="rebuilt") * rebuilding_cost_ratio


@quantity(unit="yuan per year", dims=("measure", "year"))
def cost_of_conversion(cost_as_new: Array, conversion_cost_ratio: Array) -> Array:
    """Cost of converting buildings of another use.

    Defined as::  sum over bed types(converted beds x cost of a new bed) x cost ratio
    """
    return part(cost_as_new, kind="converted") * conversion_cost_ratio


@quantity(unit="yuan per year", dims=("measure", "year"))
def cost_of_care_worker_pay(caregivers_in_institutions: Array, pay_per_worker: Array) -> Array:
    """Pay of the care workers of institutions.

    Defined as::  care workers over the year x pay
    """
    return over_year(caregivers_in_institutions) * pay_per_worker


@quantity(unit="yuan per year", dims=("measure", "year"))
def institution_running_cost(
    cost_of_care_worker_pay: Array, pay_share_of_running_cost: Array
) -> Array:
    """Cost of running institutions in all.

    Defined as::  pay of care workers / pay's share of running cost
    """
    return cost_of_care_worker_pay / pay_share_of_running_cost


@quantity(unit="yuan per year", dims=("measure", "year"))
def cost_of_nurse_and_manager_pay(
    nurses_and_managers: Array,
    pay_per_worker: Array,
    staff_wage_ratio: Array,
    institution_running_cost: Array,
    cost_of_care_worker_pay: Array,
) -> Array:
    """Pay of nurses and managers of institutions.

    Defined as::  least(their number over the year x pay x wage ratio, running cost - pay of care workers)
    """
    beside = sum_over(over_year(nurses_and_managers), "staff") * pay_per_worker * staff_wage_ratio
    return least(beside, institution_running_cost - cost_of_care_worker_pay)


@quantity(unit="yuan per year", dims=("measure", "year"))
def cost_of_other_running(
    institution_running_cost: Array,
    cost_of_care_worker_pay: Array,
    cost_of_nurse_and_manager_pay: Array,
) -> Array:
    """All else of running institutions.

    Defined as::  running cost - pay of care workers - pay of nurses and managers
    """
    return institution_running_cost - cost_of_care_worker_pay - cost_of_nurse_and_manager_pay


@quantity(unit="yuan per year", dims=("measure", "year"))
def cost_of_home_care(
    home_care_hours_needed: Array, home_care_price: Price, pay_growth: Array
) -> Array:
    """Cost of care brought into homes.

    Defined as::  hours over the year x price of an hour x growth of pay
    """
    return over_year(home_care_hours_needed) * home_care_price * pay_growth


@quantity(unit="yuan per year", dims=("measure", "year"))
def cost_of_day_care(
    day_care_places_needed: Array, day_care_cost: Price, pay_growth: Array
) -> Array:
    """Cost of running day care.

    Defined as::  12 x places over the year x cost of a place a month x growth of pay
    """
    return over_year(day_care_places_needed) * MONTHS * day_care_cost * pay_growth


@quantity(
    unit="yuan per year",
    dims=("measure", "year"),
    only={
        "premises_area_needed": "measure=need",
        "premises_cost": "measure=need",
        "premises_life": "measure=need",
    },
)
def cost_of_premises(
    premises_area_needed: Array,
    premises_cost: Price,
    premises_life: Array,
    measures: tuple[str, ...],
) -> Array:
    """Cost of fitting out community premises, spread over the years they last; today's habits add
    none.

    Defined as::  cost = area over the year x cost of a square metre / years until fitted out anew
    """
    needed = over_year(premises_area_needed) * premises_cost / premises_life
    return by_measure({"use": needed * 0.0, "need": needed}, measures)


@quantity(
    unit="yuan per year",
    dims=("measure", "year"),
    only={"training_intake_today": "measure=use", "training_intake_programme": "measure=need"},
)
def cost_of_training(
    training_intake_today: Array,
    training_intake_programme: Array,
    training_cost: Price,
    measures: tuple[str, ...],
) -> Array:
    """Cost of training: today's path belongs to today's habits, the programme to need.

    Defined as::  cost = people taken into training x cost of training one
    """
    trained = {"use": training_intake_today, "need": training_intake_programme}
    return by_measure(trained, measures) * training_cost


def by_measure(values: dict[str, Array], measures: tuple[str, ...]) -> Array:
    """What differs by measure, for the measures wanted; dims measure, then those of the values."""
    found = [values[measure] for measure in measures]
    return Array(("measure", *found[0].dims), np.stack([one.values for one in found]))


@quantity(unit="yuan per year", dims=("year",), not_moved_by=FERTILITY)
def old_age_allowances(
    population: Array,
    old_age_allowance: Price,
    old_age_allowance_bands: tuple[str, ...],
    old_age_allowance_coverage: Array,
) -> Array:
    """Old-age allowances, an entitlement that does not depend on care.

    Defined as::  12 x sum over bands(people over the year x coverage x allowance a month)
    """
    limits = np.array([age_band_limits(band) for band in old_age_allowance_bands])
    inside = (AGES[:, None] >= limits[:, 0]) & (AGES[:, None] <= limits[:, 1])
    people = over_year(sum_product(population, Array(("age", "age_band"), inside.astype(float))))
    return MONTHS * sum_over(people * old_age_allowance, "age_band") * old_age_allowance_coverage


@quantity(unit="yuan per year", dims=("measure", "year"))
def cost_of_old_age_allowance(old_age_allowances: Array, measures: tuple[str, ...]) -> Array:
    """Old-age allowances, the same under use and need.

    Defined as::  old-age allowances
    """
    return by_measure(dict.fromkeys(measures, old_age_allowances), measures)


@quantity(unit="yuan per year", dims=("year",))
def service_subsidies(
    population_60_plus: Array, service_subsidy: Price, service_subsidy_share: Array
) -> Array:
    """Service, nursing and combined subsidies (养老服务补贴、护理补贴、综合补贴) to hard-up older people.

    Paid to persons as the old-age allowance is; what they buy with it stands in what families pay.

    Defined as::  12 x people of 60 and over, over the year x share who draw one x subsidy a month
    """
    return MONTHS * (over_year(population_60_plus) * service_subsidy_share) * service_subsidy


@quantity(unit="yuan per year", dims=("measure", "year"))
def cost_of_service_subsidy(service_subsidies: Array, measures: tuple[str, ...]) -> Array:
    """Service subsidies, the same under use and need.

    Defined as::  service subsidies
    """
    return by_measure(dict.fromkeys(measures, service_subsidies), measures)


@quantity(unit="household", dims=("measure", "year"))
def home_adaptations_needed(
    people_by_severity_and_setting: Array, adaptation_need_share: Array
) -> Array:
    """Homes that need adapting: hard-up people with moderate or severe limitation who live at home.

    Defined as::  homes = people with moderate or severe limitation at home x share x one home a person
    """
    at_home = part(people_by_severity_and_setting, severity=list(HEAVY), setting=list(AT_HOME))
    return sum_over(at_home, "severity", "setting") * adaptation_need_share * HOMES_PER_PERSON


@quantity(unit="yuan per year", dims=("measure", "year"))
def cost_of_home_adaptation(
    home_adaptations_needed: Array, adaptation_years: Array, adaptation_cost: Price
) -> Array:
    """Cost of adapting homes, spread over the years an adaptation lasts.

    Defined as::  cost = homes over the year / years x cost of one
    """
    return over_year(home_adaptations_needed) / adaptation_years * adaptation_cost


joined(
    "cost",
    "yuan per year",
    ("measure", "year", "cost_item"),
    {item: f"cost_of_{item}" for item in COST_ITEMS},
    """Cost in a year by item.

    Defined as::  all items side by side

    What runs over the year is paid for the people, workers and places over the year (see `arrays.over_year`),
    not for those of its last day; what is built and who is trained are counts of the year as they are.
    """,
)


@quantity(unit="yuan per year", dims=("measure", "year"))
def cost_total(cost: Array) -> Array:
    """Yearly cost of all items.

    Defined as::  sum over items(cost)
    """
    return sum_over(cost, "cost_item")


@quantity(unit="yuan per year", dims=("measure", "year"))
def cost_total_nominal(cost_total: Array, price_level_by_year: Array) -> Array:
    """Yearly cost of a year in that year's own prices.

    Defined as::  nominal(t) = real(t) x price level(t)
    """
    return cost_total * price_level_by_year


@quantity(unit="yuan per year", dims=("measure", "year"))
def building_cost_needed(
    cost_of_new_building: Array, cost_of_rebuilding: Array, cost_of_conversion: Array
) -> Array:
    """Cost of building in the year.

    Defined as::  cost of new, rebuilt and converted beds
    """
    return cost_of_new_building + cost_of_rebuilding + cost_of_conversion


@quantity(
    unit="yuan per year",
    dims=("measure", "year"),
    more=tuple(f"cost_of_{item}" for item in COST_ITEMS if item not in BUILDING_ITEMS.values()),
)
def running_cost_needed(*items: Array) -> Array:
    """Yearly cost of all but building.

    Defined as::  sum over all items but building(cost)
    """
    return reduce(add, items)


def present_value(real: xr.DataArray, rate: float, first_year: int, last_year: int) -> xr.DataArray:
    """What a stream of real costs is worth at the beginning of its first year, the year itself
    undiscounted.

    Defined as::  value = sum over years(cost(t) / (1 + rate)^(t - first year))

    real    : array [yuan per year]  dims year and others
    rate    : real discount rate a year
    Returns : array [yuan]  the dims of real without year
    Raises  : ValueError if the years are not all there
    """
    window = real.sel(year=slice(first_year, last_year))
    if window.sizes["year"] != last_year - first_year + 1:
        raise ValueError(f"the years {first_year} to {last_year} are not all calculated")
    return (window / (1 + rate) ** (window["year"] - first_year)).sum("year", skipna=False)


name_labels("cost_item", COST_ITEMS)
