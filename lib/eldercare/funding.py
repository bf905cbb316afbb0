"""What the care costs in a year, and who pays it. All money is in prices of one year."""

from __future__ import annotations

import numpy as np
import xarray as xr

from .arrays import join
from .beds import HEAVY
from .caregivers import MONTHS
from .draws import Assumptions
from .load import age_band_limits
from .population import people_in_bands

COST_ITEMS = ("building", "institution_running", "home_care", "day_care", "old_age_allowance", "home_adaptation")
PAYERS = ("families", "city_budget", "province_and_centre", "welfare_lottery", "insurance")
AT_HOME = ("family", "home_service", "day_care")


def results_price_year(assumptions: Assumptions) -> int:
    """The year in whose prices all money is told (assumption `results_price_year`)."""
    return int(assumptions["results_price_year"].values[0])


def price(assumptions: Assumptions, name: str) -> xr.DataArray:
    """A unit price brought to the price year of the results.

    Defined as::  price = price as printed x (1 + price growth)^(price year of results - price year of the row)

    Source : the assumption named, `price_growth`, `results_price_year`
    """
    passed = results_price_year(assumptions) - assumptions.price_year(name)
    return assumptions[name] * (1 + assumptions["price_growth"]) ** passed


def pay_per_worker(assumptions: Assumptions, years) -> xr.DataArray:
    """Yearly cost of one care worker to the employer [yuan], growing in real terms.

    Defined as::  pay(t) = 12 x wage x (1 + on-cost) x (1 + wage growth)^(t - price year of results)

    Returns : array [yuan per worker and year]  dims draw, year
    Source  : assumptions `caregiver_wage`, `wage_on_cost`, `wage_growth`
    """
    passed = xr.DataArray(
        np.asarray(years) - results_price_year(assumptions), dims="year", coords={"year": years}
    )
    monthly = price(assumptions, "caregiver_wage") * (1 + assumptions["wage_on_cost"])
    return MONTHS * monthly * (1 + assumptions["wage_growth"]) ** passed


def building_cost(built: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Cost of building [yuan per year].  Defined as::  sum over bed types(beds built x cost per bed)

    Source : assumption `building_cost`
    """
    return (built * price(assumptions, "building_cost")).sum("bed_type", skipna=False)


def institution_running_cost(workers: xr.DataArray, pay: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Cost of running institutions [yuan per year].  Defined as::  workers x pay / pay's share of running cost

    Source : assumption `pay_share_of_running_cost`
    """
    return workers * pay / assumptions["pay_share_of_running_cost"]


def old_age_allowance_cost(population: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Old-age allowances [yuan per year], an entitlement that does not depend on care.

    Defined as::  12 x sum over bands(people x coverage x allowance a month)

    population : array [person]  dims draw, year, sex, age
    Source     : assumptions `old_age_allowance`, `old_age_allowance_coverage`
    """
    rate = price(assumptions, "old_age_allowance")
    bands = {band: age_band_limits(band) for band in rate["age_band"].values}
    total = (people_in_bands(population, bands) * rate).sum("age_band", skipna=False)
    return MONTHS * total * assumptions["old_age_allowance_coverage"]


def home_adaptations(by_place: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Homes that need adapting: hard-up people with moderate or severe limitation who live at home.

    by_place : array [person]  dims draw, measure, year, severity, setting
    Returns  : array [household]  dims draw, measure, year
    Source   : assumption `adaptation_need_share`
    """
    at_home = by_place.sel(severity=list(HEAVY), setting=list(AT_HOME)).sum(["severity", "setting"], skipna=False)
    return at_home * assumptions["adaptation_need_share"]


def cost(parts: dict[str, xr.DataArray]) -> xr.DataArray:
    """Put the items of cost side by side.  Returns: array [yuan per year]  dims draw, measure, year, cost_item"""
    ordered = {item: parts[item] for item in COST_ITEMS}
    return join(ordered, "cost_item").transpose("draw", "measure", "year", "cost_item")


def subsidies(
    costs: xr.DataArray, built: xr.DataArray, by_bed_type: xr.DataArray, assumptions: Assumptions
) -> xr.DataArray:
    """Public money in each item of cost: subsidies never exceed the cost they go to.

    Building and running are subsidised by the bed, care at home and in day care by a share,
    allowances and adaptations are public altogether.

    built       : array [bed per year]  dims draw, measure, year, bed_type
    by_bed_type : array [person]  dims draw, measure, year, bed_type: residents
    Returns     : array [yuan per year]  dims of costs
    Source      : assumptions `building_subsidy`, `operating_subsidy`, `public_share_of_community_care`
    """
    per_bed = price(assumptions, "building_subsidy") * built.sum("bed_type", skipna=False)
    per_month = (price(assumptions, "operating_subsidy") * by_bed_type).sum("bed_type", skipna=False) * MONTHS
    share = assumptions["public_share_of_community_care"]
    item = costs.sel
    parts = {
        "building": per_bed,
        "institution_running": per_month,
        "home_care": item(cost_item="home_care", drop=True) * share,
        "day_care": item(cost_item="day_care", drop=True) * share,
        "old_age_allowance": item(cost_item="old_age_allowance", drop=True),
        "home_adaptation": item(cost_item="home_adaptation", drop=True),
    }
    return xr.ufuncs.minimum(cost(parts), costs)


def insurance_benefit(by_place: xr.DataArray, assumptions: Assumptions, years) -> xr.DataArray:
    """Long-term-care insurance benefits for severe cases [yuan per year], where a plan is in force.

    Defined as::  12 x severe cases in the setting x coverage(year) x benefit a month

    Returns : array [yuan per year]  dims draw, measure, year, setting (home_service, institution)
    Source  : assumptions `insurance_benefit`, `insurance_coverage`
    """
    settings = list(assumptions["insurance_benefit"]["setting"].values)
    severe = by_place.sel(severity="severe", setting=settings, drop=True)
    covered = severe * assumptions.in_year("insurance_coverage", years)
    return MONTHS * covered * price(assumptions, "insurance_benefit")


def payments(
    costs: xr.DataArray, public: xr.DataArray, benefits: xr.DataArray, assumptions: Assumptions
) -> xr.DataArray:
    """Who pays: the payers' sums add up to the cost in every draw.

    Insurance pays its benefit as far as public money leaves something to pay; of the public money
    the province with the centre and the welfare lottery bear their shares and the city the rest;
    families pay what is left.

    costs, public : array [yuan per year]  dims draw, measure, year, cost_item
    benefits      : array [yuan per year]  dims draw, measure, year, setting
    Returns       : array [yuan per year]  dims draw, measure, year, payer
    Source        : assumptions `province_share_of_subsidies`, `lottery_share_of_subsidies`
    """
    left = costs - public
    home = xr.ufuncs.minimum(
        benefits.sel(setting="home_service", drop=True), left.sel(cost_item="home_care", drop=True)
    )
    institution = xr.ufuncs.minimum(
        benefits.sel(setting="institution", drop=True), left.sel(cost_item="institution_running", drop=True)
    )
    insurance = home + institution
    public_total = public.sum("cost_item", skipna=False)
    province = assumptions["province_share_of_subsidies"]
    lottery = xr.ufuncs.minimum(assumptions["lottery_share_of_subsidies"], 1 - province)
    shares = {
        "families": costs.sum("cost_item", skipna=False) - public_total - insurance,
        "city_budget": public_total * (1 - province - lottery),
        "province_and_centre": public_total * province,
        "welfare_lottery": public_total * lottery,
        "insurance": insurance,
    }
    ordered = {payer: shares[payer] for payer in PAYERS}
    return join(ordered, "payer").transpose("draw", "measure", "year", "payer")
