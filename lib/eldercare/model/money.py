"""All of the money of some draws: the items of cost, and who pays them."""

from __future__ import annotations

import xarray as xr

from eldercare.engine.arrays import over_year, sum_over
from eldercare.inputs.draws import Assumptions
from eldercare.model import caregivers as caregiver_step
from eldercare.model import funding, payers, premises


def cost_parts(
    population: xr.DataArray,
    by_place: xr.DataArray,
    out: dict,
    by_kind: xr.DataArray,
    assumptions: Assumptions,
) -> dict[str, xr.DataArray]:
    """Each item of cost [yuan per year]; dims draw, measure, year.

    What runs over the year is paid for the people, workers and places over the year (see `arrays.over_year`),
    not for those of its last day; what is built and who is trained are counts of the year as they are.

    out : the arrays of the steps before, by indicator
    """
    years, measures = population["year"].values, list(by_place["measure"].values)
    by_place = over_year(by_place)
    growth, pay = funding.pay_growth(assumptions, years), funding.pay_per_worker(assumptions, years)
    hours = caregiver_step.home_care_hours(
        by_place.sel(setting="home_service", drop=True), assumptions
    )
    workers = over_year(out["caregivers_needed"].sel(workplace="institution", drop=True))
    staff = caregiver_step.staff_beside(workers, assumptions)
    training = funding.training_cost(
        _by_measure(out["training_intake"]).sel(measure=measures), assumptions
    )
    area = over_year(out["premises_area_needed"]).expand_dims(measure=measures)
    rooms = funding.premises_cost(area, assumptions)
    allowance = funding.old_age_allowance_cost(population, assumptions)
    subsidy = funding.service_subsidy_cost(over_year(out["population_60_plus"]), assumptions)
    return {
        **funding.building_costs(by_kind, assumptions),
        **funding.institution_running_costs(workers, staff, pay, assumptions),
        "home_care": funding.home_care_cost(hours, growth, assumptions),
        "day_care": funding.day_care_cost(
            over_year(out["day_care_places_needed"]), growth, assumptions
        ),
        "premises": rooms.where(rooms["measure"] == "need", 0.0),
        "training": training,
        "old_age_allowance": allowance.expand_dims(measure=measures),
        "service_subsidy": subsidy.expand_dims(measure=measures),
        "home_adaptation": funding.home_adaptation_cost(
            over_year(out["home_adaptations_needed"]), assumptions
        ),
    }


def _by_measure(intake: xr.DataArray) -> xr.DataArray:
    """People trained: today's path belongs to today's use, the programme to need."""
    labels = {"today": "use", "programme": "need"}
    return intake.rename(path="measure").assign_coords(
        measure=[labels[path] for path in intake["path"].values]
    )


def costs(
    population: xr.DataArray,
    by_place: xr.DataArray,
    out: dict,
    by_kind: xr.DataArray,
    assumptions: Assumptions,
) -> dict[str, xr.DataArray]:
    """Costs by indicator, and what they rest on.

    population : array [person]  dims draw, year, sex, age
    by_place   : array [person]  dims draw, measure, year, severity, setting
    out        : the arrays of the steps before, by indicator
    by_kind    : array [bed per year]  dims draw, measure, year, bed_type, kind
    """
    homes = funding.home_adaptations(by_place, assumptions)
    area = premises.premises_area(out["urban_households"], assumptions)
    known = {**out, "home_adaptations_needed": homes, "premises_area_needed": area}
    cost = funding.cost(cost_parts(population, by_place, known, by_kind, assumptions))
    building = cost.sel(cost_item=list(funding.BUILDING_ITEMS.values()))
    return {
        "home_adaptations_needed": homes,
        "premises_area_needed": area,
        "cost": cost,
        "cost_total": cost.pipe(sum_over, "cost_item"),
        "building_cost_needed": building.pipe(sum_over, "cost_item"),
    }


def payers_of(
    cost: xr.DataArray,
    by_kind: xr.DataArray,
    by_place: xr.DataArray,
    residents: xr.DataArray,
    older: xr.DataArray,
    assumptions: Assumptions,
) -> dict[str, xr.DataArray]:
    """Who pays, by indicator.

    cost      : array [yuan per year]  dims draw, measure, year, cost_item
    by_kind   : array [bed per year]  dims draw, measure, year, bed_type, kind
    by_place  : array [person]  dims draw, measure, year, severity, setting
    residents : array [person]  dims draw, measure, year, bed_type
    older     : array [person]  dims draw, year: people of 60 and over
    """
    years = cost["year"].values
    by_place, residents, older = over_year(by_place), over_year(residents), over_year(older)
    public_part = payers.public_place_part(residents, older, assumptions)
    public = payers.subsidies(cost, by_kind, residents, assumptions, public_part)
    left = payers.running_left(cost, public)
    benefits = payers.insurance_benefit(by_place, assumptions)
    insurance = payers.insurance_paid(benefits, left, assumptions, years)
    vouchers = payers.voucher_paid(by_place, left - insurance, assumptions, years)
    schemes = insurance + vouchers
    running = [name for items in payers.ITEMS_OF.values() for name in items]
    return {
        "public_running": public.sel(cost_item=running).pipe(sum_over, "cost_item"),
        "scheme_payment": schemes.pipe(sum_over, "setting"),
        "scheme_payment_institution": schemes.sel(setting="institution", drop=True),
        "insurance_benefit_full": benefits.pipe(sum_over, "setting"),
        "payment": payers.payments(cost, public, insurance, vouchers, assumptions),
    }
