"""Where each quantity comes from: the function that makes it, and the quantities, assumptions and tables it takes.

The table is declared by hand and held against reality by a test: an assumption that is not in a
quantity's lineage never moves it, and one that is does.
"""

from __future__ import annotations

from functools import lru_cache

from eldercare.analysis import affordability, compare, decomposition, definitions, sensitivity
from eldercare.model import (
    area,
    areas,
    base,
    beds,
    caregivers,
    chain,
    childcare,
    flow,
    funding,
    health,
    lifetable,
    money,
    need,
    payers,
    places,
    population,
    premises,
    supply,
)
from eldercare.reporting.origins import Inputs, Made, split_input
from eldercare.validation import accuracy, calibration

POPULATION = {
    "census_base": Made(
        base.base_population,
        tables="census_2020 single_age province_oldest",
        formula="age groups of the census, 85 and over divided as in the province, in single ages after the nation’s pattern",
    ),
    "expectancy_gap": Made(
        population.expectancy_gap,
        tables="life_expectancy",
        when={
            "gap_known": Inputs(assumptions="life_expectancy_error_known"),
            "gap_derived": Inputs(
                assumptions="life_expectancy_error_derived life_expectancy_gap_persistence"
            ),
        },
        formula="gap = gap published for 2020 + error; where none is, persistence x gap last published + error",
    ),
    "life_expectancy_paths": Made(
        population.life_expectancy_paths,
        "expectancy_gap",
        tables="wpp_life_expectancy life_expectancy",
        when={
            "from_2021": Inputs(
                assumptions="life_expectancy_improvement life_expectancy_published_gap_continuation"
            )
        },
    ),
    "survivorship": Made(
        lifetable.survival_ratios, "life_expectancy_paths", tables="wpp_death_rates"
    ),
    "cohort_change_2010_2020": Made(
        area.cohort_changes,
        tables="census_2010 census_2020 census_province census_nation matched_boundary wpp_death_rates life_expectancy",
    ),
    "change_rate": Made(
        population.change_rate,
        "cohort_change_2010_2020 census_base",
        "migration_continuation migration_shrinkage change_difference_bound national_change_continuation",
    ),
    "projection_spread": Made(
        calibration.error_table,
        tables="projection_error",
        formula="spread by size of area and age, with which the ranges of the back-test hold",
    ),
    "error_factor": Made(
        population.error_factor, "projection_spread settled_factor", "census_count_error"
    ),
    "settled_factor": Made(
        areas.settled_area,
        "change_rate survivorship",
        tables="census_all_areas",
        formula="mean of the area above / sum of the means of its parts, all without error, from the nation down",
    ),
    "people_between_censuses": Made(
        population.history,
        "expectancy_gap_published",
        tables="census_2010 census_2020 single_age_2010 wpp_death_rates",
        formula="cohorts of 2010 carried on; what survival leaves unexplained is spread evenly up to 2020",
    ),
    "expectancy_gap_published": Made(
        area.life_expectancy_gap,
        tables="life_expectancy",
        formula="gap = life expectancy of the province - that of the nation, in the last year both are published",
    ),
    "people_counted": Made(
        population.carry,
        when={
            "before_2020": Inputs("people_between_censuses"),
            "from_2020": Inputs("census_base survivorship change_rate error_factor"),
        },
        formula="people(x+1, t+1) = people(x, t) x survivorship(x, t) x exp(change rate(x)); times the factor of error",
    ),
    "people_born": Made(
        population.carry,
        when={
            "before_2020": Inputs("people_between_censuses"),
            "from_2020": Inputs(
                "census_base survivorship change_rate error_factor",
                "fertility_path fertility_local_persistence",
                "wpp_fertility wpp_fertility_pattern",
            ),
        },
        formula="births(t) = sum over ages(women x fertility of the age) x local level, then carried on as those counted",
    ),
    "population": Made(
        population.project_area,
        "people_counted people_born",
        formula="those counted in 2020 + those born since",
    ),
    "population_total": Made(
        population.people_in_bands, "population", formula="sum over sex and ages(people)"
    ),
    "population_under_3": Made(
        population.people_in_bands, "people_born", formula="sum over sex and ages(people)"
    ),
    "population_60_plus": Made(
        population.people_in_bands, "people_counted", formula="sum over sex and ages(people)"
    ),
    "population_65_plus": Made(
        population.people_in_bands, "people_counted", formula="sum over sex and ages(people)"
    ),
    "population_80_plus": Made(
        population.people_in_bands, "people_counted", formula="sum over sex and ages(people)"
    ),
}

CARE = {
    "adl_prevalence": Made(
        need.adl_prevalence,
        assumptions="adl_prevalence adl_prevalence_ratio_60_64 adl_prevalence_sex_ratio",
        tables="single_age",
        formula="smooth rates by age whose means are the published bands; 60 to 64: ratio x band 65-74; women = ratio x men",
        keys="severity",
    ),
    "adl_drift": Made(
        need.drift, assumptions="adl_prevalence_drift", formula="(1 + drift)^(year - 2018)"
    ),
    "adl_drift_of_oldest": Made(
        need.drift_of_oldest,
        assumptions="adl_prevalence_drift_85_plus",
        formula="(1 + drift of the oldest)^(year - 2018)",
    ),
    "care_need": Made(
        need.care_need,
        "people_counted adl_prevalence adl_drift adl_drift_of_oldest",
        keys="severity",
    ),
    "dementia_prevalence": Made(
        need.dementia_prevalence,
        assumptions="dementia_prevalence",
        formula="each age has the rate of its band",
    ),
    "dementia_drift": Made(
        need.drift, assumptions="dementia_prevalence_drift", formula="(1 + drift)^(year - 2020)"
    ),
    "people_with_dementia": Made(
        need.people_with_dementia,
        "people_counted dementia_prevalence dementia_drift",
        formula="sum over ages(people x prevalence) x factor",
    ),
    "people_by_severity": Made(
        need.by_severity,
        "population_60_plus care_need",
        formula="none = people of 60 and over - those with a limitation; the others as reckoned",
        keys="severity",
    ),
    "people_without_younger": Made(
        places.people_without_younger,
        assumptions="lone_share_of_one_older_households couple_share_of_two_older_households",
        tables="households households_nation census_2020",
    ),
    "family_care_gap": Made(
        places.family_care_gap,
        "people_without_younger",
        "spouse_care_gap_weight family_care_gap_strength",
    ),
    "family_care_growth": Made(
        places.family_care_growth, when={"from_2021": Inputs(assumptions="family_care_gap_growth")}
    ),
    "setting_shares": Made(
        places.setting_shares,
        when={
            "measure=need": Inputs("family_care_gap family_care_growth", "setting_need_share"),
            "measure=use": Inputs(assumptions="setting_use_share"),
        },
        keys="severity setting",
    ),
    "people_by_setting": Made(
        places.people_by_setting,
        "people_by_severity setting_shares",
        formula="people of each severity x share of the setting",
        keys="setting",
    ),
    "people_by_definition": Made(
        definitions.people_by_definition,
        "population_60_plus",
        when={
            "definition=severe ADL limitation": Inputs("care_need[severity=severe]"),
            "definition=any ADL limitation": Inputs("care_need"),
            **{
                f"definition={name}": Inputs(assumptions=row)
                for name, row in definitions.BY_SHARE.items()
            },
        },
        formula="by age: sum of severities; else people of 60 and over x share of the definition",
    ),
    "health_expectancy": Made(
        health.health_expectancy,
        "survivorship adl_prevalence adl_drift adl_drift_of_oldest",
        formula="sum over ages from x(person-years x share in the state) / those alive at x",
        keys="state sex",
    ),
}

BEDS = {
    "residents": Made(
        beds.residents_by_bed_type,
        "people_by_setting[setting=institution]",
        "nursing_bed_share dementia_bed_share dementia_share_of_residents",
        keys="bed_type",
    ),
    "respite_beds_needed": Made(
        beds.respite_beds, "people_by_setting", "respite_time_share target_occupancy"
    ),
    "beds_needed": Made(beds.beds, "residents", "target_occupancy", keys="bed_type"),
    "day_care_places_needed": Made(
        beds.day_care_places, "people_by_setting", "day_care_places_per_user"
    ),
    "beds_institution_needed": Made(
        chain.run_block,
        "people_by_setting[setting=institution]",
        "target_occupancy",
        formula="sum over bed types(beds needed) = people in institutions / occupancy",
    ),
    "beds_total_needed": Made(
        chain.run_block,
        "beds_institution_needed day_care_places_needed",
        formula="beds in institutions + day-care places",
    ),
    "beds_per_1000_needed": Made(
        chain.run_block,
        "beds_total_needed population_60_plus",
        formula="beds / people of 60 and over x 1,000",
    ),
    "nursing_bed_share_needed": Made(
        chain.run_block,
        "people_by_setting[setting=institution]",
        "nursing_bed_share",
        formula="(nursing + dementia-care beds) / beds in institutions = sum(residents x nursing share) / residents",
    ),
    "nursing_bed_share_of_all_needed": Made(
        chain.run_block,
        "people_by_setting[setting=institution] beds_total_needed",
        "nursing_bed_share target_occupancy",
        formula="sum(residents x nursing share) / occupancy / (beds in institutions + places in day care)",
    ),
    "dementia_beds_per_10000_needed": Made(
        chain.run_block,
        "beds_needed population_60_plus",
        formula="dementia-care beds / people of 60 and over x 10,000",
    ),
    "new_cases": Made(flow.new_cases, "population_65_plus care_need", "adl_onset_rate"),
    "admissions": Made(flow.admissions, "new_cases care_need setting_shares"),
    "mean_length_of_stay": Made(flow.mean_stay, "admissions", "length_of_stay"),
    "residents_from_flow": Made(
        flow.residents_two_ways,
        "people_by_setting admissions",
        "length_of_stay",
        formula="sum over severity(admissions x length of stay) + residents without a limitation",
    ),
    "beds_from_flow": Made(beds.beds, "residents_from_flow", "target_occupancy"),
    "beds_built_by_type": Made(
        beds.building,
        "beds_needed",
        "bed_life",
        when={
            "stock_known": Inputs(
                "",
                "building_programme_years building_programme_first_year institution_share_of_beds",
                "stock_of_beds",
            )
        },
    ),
    "beds_built": Made(
        chain.run_block, "beds_built_by_type", formula="sum over bed types(beds built)"
    ),
    "beds_built_by_kind": Made(
        beds.built_by_kind, "beds_built_by_type", "conversion_share_of_renewal", keys="kind"
    ),
}

WORKERS = {
    "caregivers_in_institutions": Made(
        caregivers.caregivers_in_institutions,
        "people_by_setting[setting=institution]",
        "residents_per_caregiver",
    ),
    "caregivers_in_day_care": Made(
        caregivers.caregivers_in_day_care,
        "people_by_setting[setting=day_care]",
        "day_care_users_per_caregiver",
    ),
    "home_care_hours": Made(
        caregivers.home_care_hours, "people_by_setting[setting=home_service]", "home_care_hours"
    ),
    "caregivers_at_home": Made(
        caregivers.caregivers_at_home, "home_care_hours", "caregiver_hours_per_year"
    ),
    "caregivers_needed": Made(
        caregivers.caregivers,
        when={
            "workplace=institution": Inputs("caregivers_in_institutions"),
            "workplace=day_care": Inputs("caregivers_in_day_care"),
            "workplace=home_service": Inputs("caregivers_at_home"),
        },
        formula="institutions + day care + home care, by workplace",
    ),
    "caregivers_by_standard": Made(
        caregivers.caregivers_by_standard,
        "people_by_setting[setting=institution]",
        when={
            "standard=strict": Inputs(assumptions="residents_per_caregiver_strict"),
            "standard=lenient": Inputs(assumptions="residents_per_caregiver_lenient"),
        },
    ),
    "caregivers_total_needed": Made(
        chain.run_block, "caregivers_needed", formula="sum over workplaces(care workers)"
    ),
    "caregivers_per_10000_needed": Made(
        chain.run_block,
        "caregivers_total_needed population_60_plus",
        "caregiver_certified_share",
        formula="care workers x certified share / people of 60 and over x 10,000",
    ),
    "caregivers_per_100_needed": Made(
        caregivers.caregivers_per_100, "caregivers_total_needed population_65_plus"
    ),
    "first_stock": Made(
        supply.first_stock, "population_60_plus[year=2020]", "caregiver_stock_per_10000"
    ),
    "trained_today": Made(
        supply.trained_today,
        "first_stock",
        "caregiver_stock_growth caregiver_leaving_share caregiver_retirement_share caregiver_return_share",
    ),
    "trained_by_programme": Made(
        supply.trained_to_reach,
        "first_stock trained_today caregivers_total_needed[measure=need]",
        "programme_first_year programme_last_year",
        formula="(goal - stock without training) / what is left of one trained in each year",
    ),
    "caregivers_stock": Made(
        supply.next_year,
        "first_stock",
        "caregiver_stock_growth caregiver_leaving_share caregiver_retirement_share caregiver_return_share",
        when={
            "path=today": Inputs("trained_today"),
            "path=programme": Inputs("trained_by_programme"),
        },
    ),
    "caregiver_flow": Made(supply.next_year, "caregivers_stock[path=programme]", keys="flow"),
    "training_intake": Made(
        chain.run_block,
        assumptions="caregiver_entry_share",
        when={
            "path=today": Inputs("trained_today"),
            "path=programme": Inputs("trained_by_programme"),
        },
        formula="trained a year / share of the trained who take up care work",
    ),
    "caregivers_in_post_per_100": Made(
        caregivers.caregivers_per_100, "caregivers_stock population_65_plus"
    ),
}

PRICES = "known_price_growth price_growth results_price_year"
OTHER_ITEMS = [
    item
    for item in funding.COST_ITEMS
    if item not in (*funding.BUILDING_ITEMS.values(), *funding.STAFF_ITEMS)
]
COSTS = {
    "building_costs": Made(
        funding.building_costs,
        "beds_built_by_kind",
        f"building_cost rebuilding_cost_ratio conversion_cost_ratio {PRICES}",
    ),
    "pay_per_worker": Made(
        funding.pay_per_worker,
        assumptions=f"caregiver_wage wage_on_cost known_pay_growth wage_growth {PRICES}",
    ),
    "pay_growth": Made(
        funding.pay_growth, assumptions="known_pay_growth wage_growth results_price_year"
    ),
    "staff_beside": Made(
        caregivers.staff_beside,
        "caregivers_needed[workplace=institution]",
        "nurses_per_caregiver managers_per_caregiver",
    ),
    "institution_running_costs": Made(
        funding.institution_running_costs,
        "caregivers_needed[workplace=institution] pay_per_worker staff_beside",
        "pay_share_of_running_cost staff_wage_ratio",
    ),
    "home_care_cost": Made(
        funding.home_care_cost, "home_care_hours pay_growth", f"home_care_price {PRICES}"
    ),
    "day_care_cost": Made(
        funding.day_care_cost, "day_care_places_needed pay_growth", f"day_care_cost {PRICES}"
    ),
    "urban_households": Made(premises.urban_households, "population_total", tables="households"),
    "premises_area_needed": Made(
        premises.premises_area,
        "urban_households",
        "premises_area_new premises_area_existing urban_new_estate_share",
    ),
    "premises_cost": Made(
        funding.premises_cost,
        when={
            "measure=need": Inputs("premises_area_needed", f"premises_cost premises_life {PRICES}")
        },
        formula="area x cost of a square metre / years until fitted out anew; at today’s use no premises are added",
    ),
    "training_cost": Made(
        funding.training_cost,
        assumptions=f"training_cost {PRICES}",
        when={
            "measure=use": Inputs("training_intake[path=today]"),
            "measure=need": Inputs("training_intake[path=programme]"),
        },
    ),
    "old_age_allowance_cost": Made(
        funding.old_age_allowance_cost,
        "people_counted",
        f"old_age_allowance old_age_allowance_coverage {PRICES}",
    ),
    "service_subsidy_cost": Made(
        funding.service_subsidy_cost,
        "population_60_plus",
        f"service_subsidy service_subsidy_share {PRICES}",
    ),
    "home_adaptations_needed": Made(
        funding.home_adaptations, "people_by_setting", "adaptation_need_share"
    ),
    "home_adaptation_cost": Made(
        funding.home_adaptation_cost,
        "home_adaptations_needed",
        f"adaptation_years adaptation_cost {PRICES}",
    ),
    "cost": Made(
        funding.cost,
        when={
            **{
                f"cost_item={item}": Inputs("building_costs")
                for item in funding.BUILDING_ITEMS.values()
            },
            **{
                f"cost_item={item}": Inputs("institution_running_costs")
                for item in funding.STAFF_ITEMS
            },
            **{f"cost_item={item}": Inputs(f"{item}_cost") for item in OTHER_ITEMS},
        },
        formula="all items side by side",
    ),
    "cost_total": Made(chain.run_block, "cost", formula="sum over items(cost)"),
    "building_cost_needed": Made(
        chain.run_block, "building_costs", formula="sum over new, rebuilt and converted beds(cost)"
    ),
}

PAYING = {
    "building_subsidy": Made(
        payers.building_subsidy,
        "beds_built_by_kind",
        f"building_subsidy conversion_subsidy_ratio dementia_bed_subsidy {PRICES}",
    ),
    "operating_subsidy": Made(payers.operating_subsidy, "residents", f"operating_subsidy {PRICES}"),
    "public_place_part": Made(
        payers.public_place_part, "residents population_60_plus", "public_place_share"
    ),
    "subsidies": Made(
        payers.subsidies,
        "cost building_subsidy operating_subsidy public_place_part",
        "public_share_of_community_care",
        formula="least(subsidies of the item, cost of the item); places paid whole: their cost",
    ),
    "public_running": Made(
        payers.subsidies,
        "operating_subsidy public_place_part institution_running_costs home_care_cost day_care_cost",
        "public_share_of_community_care",
        formula="places paid whole, and subsidies of running institutions, home care and day care, never more than their cost",
    ),
    "insurance_benefit": Made(
        payers.insurance_benefit, "people_by_setting", f"insurance_benefit {PRICES}"
    ),
    "insurance_benefit_full": Made(payers.insurance_benefit, "insurance_benefit"),
    "running_left": Made(
        payers.running_left,
        when={
            "setting=institution": Inputs(
                "institution_running_costs operating_subsidy public_place_part"
            ),
            "setting=home_service": Inputs("home_care_cost", "public_share_of_community_care"),
            "setting=day_care": Inputs("day_care_cost", "public_share_of_community_care"),
        },
        formula="cost of running - subsidies, by place of care",
    ),
    "insurance_paid": Made(
        payers.insurance_paid,
        "insurance_benefit running_left",
        "insurance_coverage insurance_system_coverage",
    ),
    "voucher_paid": Made(
        payers.voucher_paid,
        "people_by_setting running_left insurance_paid",
        f"voucher_cap voucher_cover voucher_take_up {PRICES}",
    ),
    "scheme_payment": Made(
        money.payers_of, "insurance_paid voucher_paid", formula="insurance + vouchers"
    ),
    "scheme_payment_institution": Made(
        money.payers_of,
        "insurance_paid[setting=institution] voucher_paid[setting=institution]",
        formula="insurance + vouchers, for residents of institutions",
    ),
    "payment": Made(
        payers.payments,
        "cost subsidies insurance_paid voucher_paid",
        "province_share_of_subsidies lottery_share_of_subsidies",
        formula="subsidies shared among city, province and lottery; insurance; vouchers; families the rest",
        keys="payer",
    ),
    "affordable_fee": Made(funding.price, assumptions=f"affordable_fee {PRICES}"),
    "subsidy_that_pays": Made(
        affordability.subsidy_that_pays,
        "institution_running_costs scheme_payment_institution residents affordable_fee",
    ),
    "premium_that_pays": Made(
        affordability.premium_that_pays, "insurance_benefit_full population_total"
    ),
    "co_payment_that_pays": Made(
        affordability.co_payment_that_pays,
        "institution_running_costs home_care_cost day_care_cost public_running scheme_payment",
    ),
}

BESIDE = {
    "childcare_places_used": Made(
        childcare.childcare_places_used, "population_under_3", "childcare_enrolment"
    ),
    "childcare_places_wanted": Made(
        childcare.childcare_places_wanted, "population_under_3", "childcare_wanted_share"
    ),
    "childcare_places_per_1000_used": Made(
        chain.run_block,
        "childcare_places_used population_total",
        formula="places used / people x 1,000",
    ),
    "childcare_places_promised": Made(childcare.childcare_places_promised, "population_total"),
    "chance_of_promise": Made(compare.compare_targets),
    "influence": Made(compare.influence),
    "one_at_a_time": Made(
        sensitivity.tornado,
        formula="the headline with one row at its low or its high and all else at the middle",
    ),
    "share_of_variance": Made(
        sensitivity.sensitivity,
        formula="total Sobol index of the assumptions of a step, pick and freeze",
    ),
    "change_by_cause": Made(
        decomposition.decompose,
        "people_by_severity setting_shares day_care_places_needed",
        "target_occupancy observed_occupancy",
        keys="part",
        formula="mean effect of a cause over all orders in which the causes are switched on (Shapley)",
    ),
    "back_test": Made(
        accuracy.cross_predict,
        tables="census_all_areas wpp_death_rates wpp_life_expectancy wpp_fertility wpp_fertility_pattern life_expectancy",
        formula="census of 2010 carried to 2020 with what was known in 2010; error = ln(counted / projected)",
    ),
    "error_spread": Made(calibration.fit_spread, "back_test"),
}

LINEAGE: dict[str, Made] = {**POPULATION, **CARE, **BEDS, **WORKERS, **COSTS, **PAYING, **BESIDE}


def made_of(name: str) -> Made:
    """How a quantity is made.  Raises: KeyError for an unknown quantity"""
    if name not in LINEAGE:
        raise KeyError(
            f"no quantity “{name}”; known are the indicators of indicators.csv and those of eldercare.lineage"
        )
    return LINEAGE[name]


@lru_cache(maxsize=512)
def quantities_below(name: str) -> frozenset[str]:
    """All quantities that a quantity rests on under any condition, itself included."""
    about = made_of(name)
    texts = [text for part in (about, *about.when.values()) for text in part.quantities.split()]
    return frozenset({name}).union(*(quantities_below(split_input(text)[0]) for text in texts))


@lru_cache(maxsize=512)
def assumptions_below(name: str) -> frozenset[str]:
    """All assumptions that a quantity rests on under any condition."""
    parts = (
        part
        for one in quantities_below(name)
        for part in (made_of(one), *made_of(one).when.values())
    )
    return frozenset(word for part in parts for word in part.assumptions.split())


@lru_cache(maxsize=512)
def keys_of(name: str) -> frozenset[str]:
    """Keys that a quantity or anything it is made of may be asked by: measure, bed_type, path …"""
    about = made_of(name)
    found = own_parts(name)
    for text in (
        text for part in (about, *about.when.values()) for text in part.quantities.split()
    ):
        below, fixed = split_input(text)
        found |= keys_of(below) - set(fixed)
    return found


def own_parts(name: str) -> frozenset[str]:
    """Keys that the parts of a quantity itself are told apart by."""
    about = made_of(name)
    return frozenset(
        {at.partition("=")[0] for at in about.when if "=" in at} | set(about.keys.split())
    )
