"""Who pays: subsidies, long-term-care insurance, care vouchers, and what is left to families."""

from __future__ import annotations

import numpy as np
import xarray as xr

from eldercare.engine.arrays import join, sum_over
from eldercare.inputs.draws import Assumptions
from eldercare.model.beds import BEDS_PER_RESIDENT, HEAVY
from eldercare.model.caregivers import MONTHS
from eldercare.model.funding import STAFF_ITEMS, price

PAYERS = ("families", "city_budget", "province_and_centre", "welfare_lottery", "insurance")
ITEMS_OF = {"home_service": ("home_care",), "day_care": ("day_care",), "institution": STAFF_ITEMS}
RUNNING = tuple(ITEMS_OF)
PUBLIC_WHOLLY = ("premises", "training", "old_age_allowance", "service_subsidy", "home_adaptation")


def building_subsidy(by_kind: xr.DataArray, assumptions: Assumptions) -> dict[str, xr.DataArray]:
    """Subsidy of new and of converted beds; rebuilding a worn-out bed is not subsidised.

    Defined as::  new        = new beds x subsidy of a bed + new dementia-care beds x their own subsidy
                  conversion = the same of converted beds, the subsidy of a bed times the ratio

    by_kind : array [bed per year]  dims draw, measure, year, bed_type, kind
    Returns : array [yuan per year]  dims draw, measure, year, for the items new_building and conversion
    Source  : assumptions `building_subsidy`, `conversion_subsidy_ratio`, `dementia_bed_subsidy`
    """
    years = by_kind["year"].values
    rate, special = (
        price(assumptions, name, years) for name in ("building_subsidy", "dementia_bed_subsidy")
    )
    ratios = {
        "new": ("new_building", 1),
        "converted": ("conversion", assumptions.in_year("conversion_subsidy_ratio", years)),
    }
    parts = {}
    for kind, (item, ratio) in ratios.items():
        beds = by_kind.sel(kind=kind, drop=True)
        of_dementia = beds.sel(bed_type="dementia", drop=True)
        parts[item] = beds.pipe(sum_over, "bed_type") * rate * ratio + of_dementia * special
    return parts


def operating_subsidy(by_bed_type: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Subsidy of running institutions, for occupied beds.

    Defined as::  12 x sum over bed types(residents x one bed each x subsidy of a bed a month)

    by_bed_type : array [person]  dims draw, measure, year, bed_type: residents
    Returns     : array [yuan per year]  dims draw, measure, year
    Source      : assumption `operating_subsidy`
    """
    beds = by_bed_type * BEDS_PER_RESIDENT
    rate = price(assumptions, "operating_subsidy", beds["year"].values)
    return MONTHS * (beds * rate).pipe(sum_over, "bed_type")


def public_place_part(
    by_bed_type: xr.DataArray, older: xr.DataArray, assumptions: Assumptions
) -> xr.DataArray:
    """Part of the residents whose place the public purse pays whole: the destitute (特困) and government-run homes.

    They are as many if need is met as at today's use, so their part is the smaller the more residents there are.

    Defined as::  least(people of 60 and over x share in such places / residents, 1)

    by_bed_type : array [person]  dims draw, measure, year, bed_type: residents
    older       : array [person]  dims draw, year
    Returns     : array [share]  dims draw, measure, year
    Source      : assumption `public_place_share`
    """
    residents = by_bed_type.pipe(sum_over, "bed_type")
    supported = older * assumptions.in_year("public_place_share", older["year"].values)
    part = xr.ufuncs.minimum(supported / residents.where(residents > 0, 1.0), 1.0)
    return part.transpose(*residents.dims)


def subsidies(
    costs: xr.DataArray,
    by_kind: xr.DataArray,
    by_bed_type: xr.DataArray,
    assumptions: Assumptions,
    public_part: xr.DataArray | float = 0.0,
) -> xr.DataArray:
    """Public money in each item of cost: subsidies never exceed the cost they go to.

    Building and running are subsidised by the bed, care at home and in day care by a share; allowances,
    service subsidies, adaptations, training and premises are public altogether, and so is the running of
    places paid whole. The running subsidy goes to the items of running in proportion to them.

    Defined as::  running of institutions = cost x (part + (1 - part) x least(running subsidy / cost, 1))

    costs       : array [yuan per year]  dims draw, measure, year, cost_item
    by_kind     : array [bed per year]  dims draw, measure, year, bed_type, kind
    by_bed_type : array [person]  dims draw, measure, year, bed_type: residents
    public_part : array [share]  dims draw, measure, year: of the residents (see `public_place_part`)
    Returns     : array [yuan per year]  dims of costs
    Source      : `building_subsidy`, `operating_subsidy`; assumption `public_share_of_community_care`
    """
    order, years = list(costs["cost_item"].values), costs["year"].values
    out = (costs * _public_shares(order, assumptions, years)).transpose(*costs.dims)
    values, place = out.values, order.index
    for item, money in building_subsidy(by_kind, assumptions).items():
        values[..., place(item)] = np.minimum(
            money.transpose(*costs.dims[:-1]).values, costs.values[..., place(item)]
        )
    staff = [place(name) for name in STAFF_ITEMS]
    running = costs.values[..., staff]
    total = running.sum(axis=-1)
    subsidy = operating_subsidy(by_bed_type, assumptions).transpose(*costs.dims[:-1]).values
    whole = np.asarray(public_part)
    share = whole + (1 - whole) * np.minimum(subsidy / np.where(total > 0, total, 1.0), 1.0)
    values[..., staff] = running * share[..., None]
    return out


def _public_shares(order: list[str], assumptions: Assumptions, years) -> xr.DataArray:
    """Share of an item of cost that is public by rule; 0 where a subsidy by the bed decides."""
    community = assumptions.in_year("public_share_of_community_care", years)
    shares = {name: xr.zeros_like(community) for name in order}
    shares |= dict.fromkeys(("home_care", "day_care"), community)
    shares |= {name: xr.ones_like(community) for name in PUBLIC_WHOLLY}
    return join({name: shares[name] for name in order}, "cost_item")


def insurance_benefit(by_place: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Long-term-care insurance benefits if every severe case in paid care drew them.

    Defined as::  12 x severe cases in the setting x benefit a month

    by_place : array [person]  dims draw, measure, year, severity, setting
    Returns  : array [yuan per year]  dims draw, measure, year, setting: those that rows of the assumption name
    Source   : assumption `insurance_benefit`
    """
    settings = list(assumptions["insurance_benefit"]["setting"].values)
    severe = by_place.sel(severity="severe", setting=settings, drop=True)
    return MONTHS * severe * price(assumptions, "insurance_benefit", by_place["year"].values)


def insurance_coverage(assumptions: Assumptions, years) -> xr.DataArray:
    """Share of the full benefits that insurance pays: an area's own plan until the national system overtakes it.

    Defined as::  greatest(coverage of the area's plan(year), coverage of the national system(year))

    May bind: it is the choice of the greater, not a cap.

    Returns : array [share]  dims draw, and year where rows begin in a year
    Source  : assumptions `insurance_coverage`, `insurance_system_coverage`
    """
    own, system = (
        assumptions.in_year(f"insurance_{name}", years) for name in ("coverage", "system_coverage")
    )
    return xr.ufuncs.maximum(own, system)


def running_left(costs: xr.DataArray, public: xr.DataArray) -> xr.DataArray:
    """Cost of running care that subsidies leave, by place of care.

    Defined as::  sum over the items of a place(cost - public)

    costs, public : array [yuan per year]  dims draw, measure, year, cost_item
    Returns       : array [yuan per year]  dims draw, measure, year, setting
    """
    left = costs - public
    parts = {
        place: left.sel(cost_item=list(items)).pipe(sum_over, "cost_item")
        for place, items in ITEMS_OF.items()
    }
    return join(parts, "setting")


def insurance_paid(
    benefits: xr.DataArray, left: xr.DataArray, assumptions: Assumptions, years
) -> xr.DataArray:
    """What insurance pays: never more than is left to pay.

    Defined as::  least(full benefits x coverage(year), cost left)

    benefits : array [yuan per year]  dims draw, measure, year, setting: as if everyone drew them
    left     : array [yuan per year]  dims draw, measure, year, setting (see `running_left`)
    Returns  : array [yuan per year]  dims of left
    Raises   : KeyError if `insurance_benefit` has no row for a place of running care
    Source   : see `insurance_coverage`
    """
    covered = (benefits * insurance_coverage(assumptions, years)).transpose(*left.dims)
    parts = {
        place: xr.ufuncs.minimum(
            covered.sel(setting=place, drop=True), left.sel(setting=place, drop=True)
        )
        for place in RUNNING
    }
    return join(parts, "setting")


def voucher_paid(
    by_place: xr.DataArray, left: xr.DataArray, assumptions: Assumptions, years
) -> xr.DataArray:
    """What care vouchers (养老服务消费补贴) pay, after subsidies and insurance.

    Defined as::  users = people with moderate or severe limitation in the place x take-up(year)
                  paid  = users x least(12 x cap a month, cover x cost left for one user a year)

    May bind: the cap a month is the scheme's own.

    by_place : array [person]  dims draw, measure, year, severity, setting
    left     : array [yuan per year]  dims draw, measure, year, setting: after subsidies and insurance
    Returns  : array [yuan per year]  dims of left; never more than is left
    Source   : assumptions `voucher_cap`, `voucher_cover`, `voucher_take_up`
    """
    people = by_place.sel(setting=list(RUNNING)).pipe(sum_over, "severity")
    users = by_place.sel(severity=list(HEAVY), setting=list(RUNNING)).pipe(sum_over, "severity")
    one = left / people.where(people > 0, 1.0)
    cover = assumptions.in_year("voucher_cover", years)
    one = xr.ufuncs.minimum(one * cover, MONTHS * price(assumptions, "voucher_cap", years))
    paid = users * assumptions.in_year("voucher_take_up", years) * one
    return xr.ufuncs.minimum(paid, left).transpose(*left.dims).sel(setting=list(RUNNING))


def payments(
    costs: xr.DataArray,
    public: xr.DataArray,
    insurance: xr.DataArray,
    vouchers: xr.DataArray,
    assumptions: Assumptions,
) -> xr.DataArray:
    """Who pays: the payers' sums add up to the cost in every draw.

    Of the subsidies the province with the centre and the welfare lottery bear their shares and the city
    the rest; vouchers are money of the centre and the province; families pay what is left.

    costs, public       : array [yuan per year]  dims draw, measure, year, cost_item
    insurance, vouchers : array [yuan per year]  dims draw, measure, year, setting
    Returns             : array [yuan per year]  dims draw, measure, year, payer
    Source              : assumptions `province_share_of_subsidies`, `lottery_share_of_subsidies`
    """
    insured = insurance.pipe(sum_over, "setting")
    voucher = vouchers.pipe(sum_over, "setting")
    subsidy = public.pipe(sum_over, "cost_item")
    years = costs["year"].values
    province = assumptions.in_year("province_share_of_subsidies", years)
    lottery = xr.ufuncs.minimum(
        assumptions.in_year("lottery_share_of_subsidies", years), 1 - province
    )
    shares = {
        "families": costs.pipe(sum_over, "cost_item") - subsidy - insured - voucher,
        "city_budget": subsidy * (1 - province - lottery),
        "province_and_centre": subsidy * province + voucher,
        "welfare_lottery": subsidy * lottery,
        "insurance": insured,
    }
    ordered = {payer: shares[payer] for payer in PAYERS}
    return join(ordered, "payer").transpose("draw", "measure", "year", "payer")
