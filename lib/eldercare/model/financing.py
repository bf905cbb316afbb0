"""Who pays: subsidies, long-term-care insurance, care vouchers, and what is left to families."""

from __future__ import annotations

import numpy as np

from eldercare.engine.arrays import (
    Array,
    greatest,
    least,
    name_labels,
    over_year,
    part,
    side_by_side,
    sum_over,
)
from eldercare.engine.quantity import Price, joined, quantity
from eldercare.inputs.schema import SETTINGS
from eldercare.model.beds import BEDS_PER_RESIDENT, HEAVY
from eldercare.model.costs import COST_ITEMS
from eldercare.model.workforce import MONTHS

PAYERS = ("families", "city_budget", "province_and_centre", "welfare_lottery", "insurance")
RUNNING = SETTINGS[1:]
PUBLIC_WHOLLY = ("premises", "training", "old_age_allowance", "service_subsidy", "home_adaptation")


@quantity(unit="yuan per year", dims=("measure", "year"))
def subsidy_of_new_building(
    beds_built_by_type_and_kind: Array, building_subsidy: Price, dementia_bed_subsidy: Price
) -> Array:
    """Subsidy of new beds.

    Defined as::  new beds x subsidy of a bed + new dementia-care beds x their own subsidy
    """
    beds = part(beds_built_by_type_and_kind, kind="new")
    of_dementia = part(beds, bed_type="dementia")
    return sum_over(beds, "bed_type") * building_subsidy + of_dementia * dementia_bed_subsidy


@quantity(unit="yuan per year", dims=("measure", "year"))
def subsidy_of_conversion(
    beds_built_by_type_and_kind: Array,
    building_subsidy: Price,
    conversion_subsidy_ratio: Array,
    dementia_bed_subsidy: Price,
) -> Array:
    """Subsidy of converted beds; rebuilding a worn-out bed is not subsidised.

    Defined as::  converted beds x subsidy of a bed x ratio + converted dementia-care beds x their own subsidy
    """
    beds = part(beds_built_by_type_and_kind, kind="converted")
    of_dementia = part(beds, bed_type="dementia")
    as_new = sum_over(beds, "bed_type") * building_subsidy
    return as_new * conversion_subsidy_ratio + of_dementia * dementia_bed_subsidy


@quantity(unit="person", dims=("measure", "year", "bed_type"))
def residents_over_year(residents: Array) -> Array:
    """Residents over the year, by the type of bed.

    Defined as::  mean of the ends of the year before and of the year
    """
    return over_year(residents)


@quantity(unit="yuan per year", dims=("measure", "year"))
def operating_subsidies(residents_over_year: Array, operating_subsidy: Price) -> Array:
    """Subsidy of running institutions, for occupied beds.

    Defined as::  12 x sum over bed types(residents over the year x one bed each x subsidy of a bed a month)
    """
    beds = residents_over_year * BEDS_PER_RESIDENT
    return MONTHS * sum_over(beds * operating_subsidy, "bed_type")


@quantity(unit="share", dims=("measure", "year"))
def public_place_part(
    residents_over_year: Array, population_60_plus: Array, public_place_share: Array
) -> Array:
    """Part of the residents whose place the public purse pays whole: the destitute (特困) and
    government-run homes.

    They are as many if need is met as with today's habits, so their part is the smaller the more
    residents there are.

    Defined as::  least(people of 60 and over x share in such places / residents, 1)
    """
    residents = sum_over(residents_over_year, "bed_type")
    supported = over_year(population_60_plus) * public_place_share
    positive = residents.copy(data=np.where(residents.values > 0, residents.values, 1.0))
    return least(supported / positive, 1.0)


@quantity(unit="share", dims=("measure", "year"))
def public_share_of_institutions(
    institution_running_cost: Array, operating_subsidies: Array, public_place_part: Array
) -> Array:
    """Share of the cost of running institutions that is public: places paid whole, and the running
    subsidy.

    Defined as::  part + (1 - part) x least(running subsidy / cost, 1)
    """
    running = institution_running_cost
    positive = running.copy(data=np.where(running.values > 0, running.values, 1.0))
    covered = least(operating_subsidies / positive, 1.0)
    return public_place_part + (1 - public_place_part) * covered


@quantity(unit="yuan per year", dims=("measure", "year"))
def public_in_new_building(subsidy_of_new_building: Array, cost_of_new_building: Array) -> Array:
    """Public money in new beds.

    Defined as::  least(subsidy, cost)
    """
    return least(subsidy_of_new_building, cost_of_new_building)


@quantity(unit="yuan per year", dims=("measure", "year"))
def public_in_rebuilding(cost_of_rebuilding: Array) -> Array:
    """Public money in rebuilding worn-out beds, which is not subsidised.

    Defined as::  0
    """
    return cost_of_rebuilding * 0.0


@quantity(unit="yuan per year", dims=("measure", "year"))
def public_in_conversion(subsidy_of_conversion: Array, cost_of_conversion: Array) -> Array:
    """Public money in converted beds.

    Defined as::  least(subsidy, cost)
    """
    return least(subsidy_of_conversion, cost_of_conversion)


@quantity(unit="yuan per year", dims=("measure", "year"))
def public_in_care_worker_pay(
    cost_of_care_worker_pay: Array, public_share_of_institutions: Array
) -> Array:
    """Public money in the pay of care workers of institutions.

    Defined as::  cost x public share
    """
    return cost_of_care_worker_pay * public_share_of_institutions


@quantity(unit="yuan per year", dims=("measure", "year"))
def public_in_nurse_and_manager_pay(
    cost_of_nurse_and_manager_pay: Array, public_share_of_institutions: Array
) -> Array:
    """Public money in the pay of nurses and managers of institutions.

    Defined as::  cost x public share
    """
    return cost_of_nurse_and_manager_pay * public_share_of_institutions


@quantity(unit="yuan per year", dims=("measure", "year"))
def public_in_other_running(
    cost_of_other_running: Array, public_share_of_institutions: Array
) -> Array:
    """Public money in all else of running institutions.

    Defined as::  cost x public share
    """
    return cost_of_other_running * public_share_of_institutions


@quantity(unit="yuan per year", dims=("measure", "year"))
def public_in_home_care(cost_of_home_care: Array, public_share_of_community_care: Array) -> Array:
    """Public money in care at home.

    Defined as::  cost x public share
    """
    return cost_of_home_care * public_share_of_community_care


@quantity(unit="yuan per year", dims=("measure", "year"))
def public_in_day_care(cost_of_day_care: Array, public_share_of_community_care: Array) -> Array:
    """Public money in day care.

    Defined as::  cost x public share
    """
    return cost_of_day_care * public_share_of_community_care


joined(
    "subsidies",
    "yuan per year",
    ("measure", "year", "cost_item"),
    {
        item: f"cost_of_{item}" if item in PUBLIC_WHOLLY else f"public_in_{item}"
        for item in COST_ITEMS
    },
    """Public money in each item of cost: subsidies never exceed the cost they go to.

    Building and running are subsidised by the bed, care at home and in day care by a share; allowances,
    service subsidies, adaptations, training and premises are public altogether, and so is the running of
    places paid whole. The running subsidy goes to the items of running in proportion to them.

    Defined as::  public money of all items, side by side
    """,
)


@quantity(unit="yuan per year", dims=("measure", "year"))
def public_running(
    institution_running_cost: Array,
    public_share_of_institutions: Array,
    public_in_home_care: Array,
    public_in_day_care: Array,
) -> Array:
    """Public money in running care.

    Defined as::  running of institutions x public share + public money in home care and in day care
    """
    inside = institution_running_cost * public_share_of_institutions
    return inside + public_in_home_care + public_in_day_care


@quantity(unit="yuan per year", dims=("measure", "year", "setting"))
def insurance_benefits(people_by_severity_and_setting: Array, insurance_benefit: Price) -> Array:
    """Long-term-care insurance benefits if every severe case in paid care drew them, by setting.

    Defined as::  12 x severe cases in the setting, over the year x benefit a month
    """
    severe = part(people_by_severity_and_setting, severity="severe", setting=list(RUNNING))
    return MONTHS * over_year(severe) * insurance_benefit


@quantity(unit="yuan per year", dims=("measure", "year"))
def insurance_benefit_full(insurance_benefits: Array) -> Array:
    """Benefits if every severe case in paid care drew the insurance.

    Defined as::  sum over settings(full benefits)
    """
    return sum_over(insurance_benefits, "setting")


@quantity(unit="share", dims=("year",))
def insurance_coverage_in_force(
    insurance_coverage: Array, insurance_system_coverage: Array
) -> Array:
    """Share of the full benefits that insurance pays: an area's own plan until the national system
    overtakes it.

    Defined as::  greatest(coverage of the area's plan(year), coverage of the national system(year))

    May bind: it is the choice of the greater, not a cap.
    """
    return greatest(insurance_coverage, insurance_system_coverage)


@quantity(unit="yuan per year", dims=("measure", "year"))
def home_care_left(cost_of_home_care: Array, public_in_home_care: Array) -> Array:
    """Cost of care at home that subsidies leave.

    Defined as::  cost - public money
    """
    return cost_of_home_care - public_in_home_care


@quantity(unit="yuan per year", dims=("measure", "year"))
def day_care_left(cost_of_day_care: Array, public_in_day_care: Array) -> Array:
    """Cost of day care that subsidies leave.

    Defined as::  cost - public money
    """
    return cost_of_day_care - public_in_day_care


@quantity(unit="yuan per year", dims=("measure", "year"))
def institution_left(institution_running_cost: Array, public_share_of_institutions: Array) -> Array:
    """Cost of running institutions that subsidies leave.

    Defined as::  running of institutions x (1 - public share)
    """
    return institution_running_cost * (1 - public_share_of_institutions)


joined(
    "running_left",
    "yuan per year",
    ("measure", "year", "setting"),
    {
        "home_service": "home_care_left",
        "day_care": "day_care_left",
        "institution": "institution_left",
    },
    """Cost of running care that subsidies leave, by care setting.

    Defined as::  what is left in home care, day care and institutions, side by side
    """,
)


@quantity(unit="yuan per year", dims=("measure", "year", "setting"))
def insurance_paid(
    insurance_benefits: Array, insurance_coverage_in_force: Array, running_left: Array
) -> Array:
    """What insurance pays: never more than is left to pay.

    Defined as::  least(full benefits x coverage(year), cost left)
    """
    return least(insurance_benefits * insurance_coverage_in_force, running_left)


@quantity(unit="yuan per year", dims=("measure", "year", "setting"))
def voucher_paid(
    people_by_severity_and_setting: Array,
    running_left: Array,
    insurance_paid: Array,
    voucher_cover: Array,
    voucher_cap: Price,
    voucher_take_up: Array,
) -> Array:
    """What care vouchers (养老服务消费补贴) pay, after subsidies and insurance; never more than is left.

    Defined as::  users = people with moderate or severe limitation in the setting x take-up(year)
                  paid = users x least(12 x cap a month, cover x cost left for one user a year)

    May bind: the cap a month is the scheme's own.
    """
    inside = over_year(part(people_by_severity_and_setting, setting=list(RUNNING)))
    people = sum_over(inside, "severity").values
    heavy = sum_over(part(inside, severity=list(HEAVY)), "severity")
    left = running_left - insurance_paid
    one = left / left.copy(data=np.where(people > 0, people, 1.0))
    one = least(one * voucher_cover, MONTHS * voucher_cap)
    return least(heavy * voucher_take_up * one, left)


@quantity(unit="yuan per year", dims=("measure", "year"))
def scheme_payment(insurance_paid: Array, voucher_paid: Array) -> Array:
    """Insurance and vouchers in running care.

    Defined as::  sum over settings(insurance + vouchers)
    """
    return sum_over(insurance_paid + voucher_paid, "setting")


@quantity(
    unit="yuan per year",
    dims=("measure", "year"),
    at={"insurance_paid": "setting=institution", "voucher_paid": "setting=institution"},
)
def scheme_payment_institution(insurance_paid: Array, voucher_paid: Array) -> Array:
    """Insurance and vouchers in running institutions.

    Defined as::  insurance + vouchers, for residents of institutions
    """
    return part(insurance_paid + voucher_paid, setting="institution")


@quantity(unit="yuan per year", dims=("measure", "year", "payer"))
def payment(
    cost: Array,
    subsidies: Array,
    insurance_paid: Array,
    voucher_paid: Array,
    province_share_of_subsidies: Array,
    lottery_share_of_subsidies: Array,
) -> Array:
    """Who pays: the payers' sums add up to the cost in every draw.

    Of the subsidies the province with the centre and the welfare lottery bear their shares and the
    city the rest; vouchers are money of the centre and the province; families pay what is left.

    Defined as::  families = cost - subsidies - insurance - vouchers
                  province and centre = subsidies x their share + vouchers
                  lottery = subsidies x its share
                  city = the rest of the subsidies
    """
    insured, voucher = sum_over(insurance_paid, "setting"), sum_over(voucher_paid, "setting")
    subsidy = sum_over(subsidies, "cost_item")
    province = province_share_of_subsidies
    lottery = least(lottery_share_of_subsidies, 1 - province)
    shares = {
        "families": sum_over(cost, "cost_item") - subsidy - insured - voucher,
        "city_budget": subsidy * (1 - province - lottery),
        "province_and_centre": subsidy * province + voucher,
        "welfare_lottery": subsidy * lottery,
        "insurance": insured,
    }
    return side_by_side(shares, "payer")


name_labels("payer", PAYERS)
