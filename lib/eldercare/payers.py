"""Who pays: subsidies, long-term-care insurance, care vouchers, and what is left to families."""

from __future__ import annotations

import numpy as np
import xarray as xr

from .arrays import join, sum_over
from .beds import BEDS_PER_RESIDENT, HEAVY
from .caregivers import MONTHS
from .draws import Assumptions
from .funding import STAFF_ITEMS, price

PAYERS = ("families", "city_budget", "province_and_centre", "welfare_lottery", "insurance")
ITEMS_OF = {"home_service": ("home_care",), "day_care": ("day_care",), "institution": STAFF_ITEMS}
RUNNING = tuple(ITEMS_OF)
PUBLIC_WHOLLY = ("premises", "training", "old_age_allowance", "home_adaptation")


def building_subsidy(by_kind: xr.DataArray, assumptions: Assumptions) -> dict[str, xr.DataArray]:
    """Subsidy of new and of converted beds; rebuilding a worn-out bed is not subsidised.

    Defined as::  new        = new beds x subsidy of a bed + new dementia-care beds x their own subsidy
                  conversion = the same of converted beds, the subsidy of a bed times the ratio

    by_kind : array [bed per year]  dims draw, measure, year, bed_type, kind
    Returns : array [yuan per year]  dims draw, measure, year, for the items new_building and conversion
    Source  : assumptions `building_subsidy`, `conversion_subsidy_ratio`, `dementia_bed_subsidy`
    """
    rate, special = price(assumptions, "building_subsidy"), price(assumptions, "dementia_bed_subsidy")
    ratios = {
        "new": ("new_building", 1),
        "converted": ("conversion", assumptions["conversion_subsidy_ratio"]),
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
    return MONTHS * (beds * price(assumptions, "operating_subsidy")).pipe(sum_over, "bed_type")


def subsidies(
    costs: xr.DataArray, by_kind: xr.DataArray, by_bed_type: xr.DataArray, assumptions: Assumptions
) -> xr.DataArray:
    """Public money in each item of cost: subsidies never exceed the cost they go to.

    Building and running are subsidised by the bed, care at home and in day care by a share; allowances,
    adaptations, training and premises are public altogether. The running subsidy goes to the items of
    running in proportion to them.

    costs       : array [yuan per year]  dims draw, measure, year, cost_item
    by_kind     : array [bed per year]  dims draw, measure, year, bed_type, kind
    by_bed_type : array [person]  dims draw, measure, year, bed_type: residents
    Returns     : array [yuan per year]  dims of costs
    Source      : `building_subsidy`, `operating_subsidy`; assumption `public_share_of_community_care`
    """
    order = list(costs["cost_item"].values)
    out = (costs * _public_shares(order, assumptions)).transpose(*costs.dims)
    values, place = out.values, order.index
    for item, money in building_subsidy(by_kind, assumptions).items():
        values[..., place(item)] = np.minimum(
            money.transpose(*costs.dims[:-1]).values, costs.values[..., place(item)]
        )
    staff = [place(name) for name in STAFF_ITEMS]
    running = costs.values[..., staff]
    total = running.sum(axis=-1)
    subsidy = operating_subsidy(by_bed_type, assumptions).transpose(*costs.dims[:-1]).values
    share = np.minimum(subsidy / np.where(total > 0, total, 1.0), 1.0)
    values[..., staff] = running * share[..., None]
    return out


def _public_shares(order: list[str], assumptions: Assumptions) -> xr.DataArray:
    """Share of an item of cost that is public by rule; 0 where a subsidy by the bed decides."""
    community = assumptions["public_share_of_community_care"]
    shares = {name: xr.zeros_like(community) for name in order}
    shares |= {name: community for name in ("home_care", "day_care")}
    shares |= {name: xr.ones_like(community) for name in PUBLIC_WHOLLY}
    return join({name: shares[name] for name in order}, "cost_item")


def insurance_benefit(by_place: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Long-term-care insurance benefits if every severe case in paid care drew them.

    Defined as::  12 x severe cases in the setting x benefit a month

    by_place : array [person]  dims draw, measure, year, severity, setting
    Returns  : array [yuan per year]  dims draw, measure, year, setting (home_service, institution)
    Source   : assumption `insurance_benefit`
    """
    settings = list(assumptions["insurance_benefit"]["setting"].values)
    severe = by_place.sel(severity="severe", setting=settings, drop=True)
    return MONTHS * severe * price(assumptions, "insurance_benefit")


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
    """What insurance pays, where a plan is in force: never more than is left to pay.

    Defined as::  least(full benefits x coverage(year), cost left)

    benefits : array [yuan per year]  dims draw, measure, year, setting: as if everyone drew them
    left     : array [yuan per year]  dims draw, measure, year, setting (see `running_left`)
    Returns  : array [yuan per year]  dims of left
    Source   : assumption `insurance_coverage`
    """
    covered = benefits * assumptions.in_year("insurance_coverage", years)
    parts = {
        place: xr.ufuncs.minimum(covered.sel(setting=place, drop=True), left.sel(setting=place, drop=True))
        if place in covered["setting"].values
        else 0 * left.sel(setting=place, drop=True)
        for place in RUNNING
    }
    return join(parts, "setting")


def voucher_paid(by_place: xr.DataArray, left: xr.DataArray, assumptions: Assumptions, years) -> xr.DataArray:
    """What care vouchers (养老服务消费补贴) pay, after subsidies and insurance.

    Defined as::  users = people with moderate or severe limitation in the place x take-up(year)
                  paid  = users x least(12 x cap a month, cover x cost left for one user a year)

    by_place : array [person]  dims draw, measure, year, severity, setting
    left     : array [yuan per year]  dims draw, measure, year, setting: after subsidies and insurance
    Returns  : array [yuan per year]  dims of left; never more than is left
    Source   : assumptions `voucher_cap`, `voucher_cover`, `voucher_take_up`
    """
    people = by_place.sel(setting=list(RUNNING)).pipe(sum_over, "severity")
    users = by_place.sel(severity=list(HEAVY), setting=list(RUNNING)).pipe(sum_over, "severity")
    one = left / people.where(people > 0, 1.0)
    cover = assumptions["voucher_cover"]
    one = xr.ufuncs.minimum(one * cover, MONTHS * price(assumptions, "voucher_cap"))
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
    province = assumptions["province_share_of_subsidies"]
    lottery = xr.ufuncs.minimum(assumptions["lottery_share_of_subsidies"], 1 - province)
    shares = {
        "families": costs.pipe(sum_over, "cost_item") - subsidy - insured - voucher,
        "city_budget": subsidy * (1 - province - lottery),
        "province_and_centre": subsidy * province + voucher,
        "welfare_lottery": subsidy * lottery,
        "insurance": insured,
    }
    ordered = {payer: shares[payer] for payer in PAYERS}
    return join(ordered, "payer").transpose("draw", "measure", "year", "payer")
