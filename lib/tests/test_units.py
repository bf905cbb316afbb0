"""Units: every formula of the steps gives the same amount when every unit is changed.

A formula whose units do not fit (people added to beds, a month taken for a year) gives another amount
as soon as its inputs are told in other units. So each is called twice: with inputs and assumptions as
they are, and with each multiplied by what its unit, as docstring and data tell it, changes by.
"""

import inspect
import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from given import Given

from eldercare.analysis import affordability, definitions
from eldercare.inputs.draws import draw_assumptions
from eldercare.inputs.schema import BED_TYPES, SETTINGS, SEVERITIES
from eldercare.model import (
    beds,
    caregivers,
    childcare,
    flow,
    funding,
    health,
    need,
    payers,
    places,
    premises,
    supply,
)

WORDS = {
    "persons": "person",
    "resident": "person",
    "user": "person",
    "households": "household",
    "metre": "metre",
}
FACTORS = {
    "yuan": 7.3,
    "person": 3.1,
    "bed": 2.7,
    "worker": 1.9,
    "hour": 5.3,
    "year": 2.3,
    "month": 1.7,
    "place": 4.1,
    "household": 3.7,
    "metre": 0.6,
}
CONSTANTS = {
    "MONTHS": "month per year",
    "BEDS_PER_RESIDENT": "bed per person",
    "PEOPLE_ALONE": "person per household",
    "PEOPLE_IN_COUPLE": "person per household",
    "HOMES_PER_PERSON": "household per person",
    "PLACES_PER_CHILD": "place per person",
}
PURE = {"share", "ratio", "count", "square", "and"}
# Growth by the year of the calendar, and places in a range: pure numbers.
YEARLY = {"per_year", "standard_deviation"}
RATES = {"adl_onset_rate": "per year"}  # a rate of events, not of growth
# Years of the calendar and of age, which are places on a scale that stays.
DATES = {
    "results_price_year",
    "building_programme_first_year",
    "programme_first_year",
    "programme_last_year",
    "adl_onset_doubling",
}
# What a formula counts one by one, or steps through year by year, has no other unit.
COUNTED = {
    beds.building: {"year"},
    beds.beds_to_build: {"year"},
    health.person_years_from_ratios: {"year"},
    health.years_from: {"year"},
    flow.waiting_chance: {"person", "bed"},
    flow.beds_for_waiting: {"person", "bed"},
    flow.occupancy_for_waiting: {"person", "bed"},
}
MODULES = (
    need,
    health,
    definitions,
    places,
    beds,
    flow,
    caregivers,
    supply,
    premises,
    childcare,
    funding,
    payers,
    affordability,
)
EXEMPT = {
    "survey_weights": "reads a table",
    "national_ages": "reads a table",
    "households": "reads a table",
    "smooth_prevalence": "shares, from shares and weights of which only the mix counts",
    "severity_curves": "puts curves side by side",
    "adl_prevalence": "a share, from shares and ratios",
    "dementia_prevalence": "a share, put at its ages",
    "drift": "a pure number",
    "drift_of_oldest": "a pure number",
    "prevalence_in_year": "a share times a pure number",
    "health_expectancy": "puts formulas side by side",
    "limited_from": "puts formulas side by side",
    "definition_table": "puts formulas side by side",
    "national_care_need": "puts formulas side by side",
    "beside_published": "puts formulas side by side",
    "fit_table": "a table of shares",
    "family_care_gap": "a pure number",
    "family_care_growth": "a pure number",
    "simulate_queue": "events played through: its length is tested against the formula",
    "simulated_beds": "a search over `simulate_queue`",
    "price": "a price times a pure number",
    "insurance_coverage": "the greater of two shares",
    "census_row": "reads a table",
    "pay_growth": "a pure number",
    "nominal": "money times a pure number",
    "present_value": "a sum over yearly amounts, each of one year",
    "cost": "puts arrays side by side",
    "caregivers": "puts formulas side by side",
    "workforce": "puts formulas side by side",
    "childcare": "puts formulas side by side",
    "rates_of_change": "puts rows side by side",
    "chance_paid_for": "a share of draws",
    "solve_level": "a search, in any unit",
    "full_time_equivalents": "hours over hours",
}


def factor(unit, counted=frozenset()):
    """How a number changes when its unit does: `yuan per bed and month` by yuan / (bed x month)."""
    if unit in YEARLY:
        return 1.0
    above, *below = [
        re.findall(r"[a-z]+", part) for part in re.split(r"\bper\b", unit.replace("_", " "))
    ]
    total = 1.0
    for words, power in ((above, 1), *((part, -1) for part in below)):
        for word in (WORDS.get(word, word) for word in words if word not in PURE):
            total *= 1 if word in counted else FACTORS[word] ** power
    return total


def units_of(function):
    """Units of a formula's inputs and result, as its docstring tells them."""
    text = function.__doc__
    if function is beds.beds_to_build:
        text = beds.building.__doc__.replace("Returns", "given") + text
    found = re.findall(
        r"^\s*([\w, ]+?)\s*:\s*(?:array|arrays|number) \[([^\]]+)\]", text, re.MULTILINE
    )
    units = {name.strip(): unit for names, unit in found for name in names.split(",")}
    return units, units.pop("Returns")


def test_the_reading_of_units_is_sound():
    assert (
        factor("yuan per bed and month")
        == factor("yuan_per_bed_month")
        == pytest.approx(7.3 / 2.7 / 1.7)
    )
    assert factor("share") == 1 and factor("square_metre_per_100_households") == pytest.approx(
        0.6 / 3.7
    )
    with pytest.raises(KeyError):
        factor("furlong per fortnight")


YEARS = [2029, 2030]
HOME = pd.Series(
    {
        "one_person_households": 900.0,
        "households_with_one_65plus": 700.0,
        "households_with_two_65plus": 500.0,
        "people_65_plus": 2000.0,
    }
)
HOME_UNITS = ["household", "household", "household", "person"]
GRADES = pd.DataFrame(
    {"severity": list(SEVERITIES), "service_class": ["home", "home", "institution", "nursing"]}
)
LABELS = {
    "draw": range(4),
    "measure": ["use", "need"],
    "year": YEARS,
    "sex": ["male", "female"],
    "age": range(101),
    "severity": list(SEVERITIES),
    "setting": list(SETTINGS),
    "bed_type": list(BED_TYPES),
    "kind": list(funding.BUILDING_ITEMS),
    "cost_item": list(funding.COST_ITEMS),
    "staff": list(caregivers.STAFF),
    "place": list(payers.RUNNING),
    "limited": list(need.LIMITED),
    "closed_age": range(102),
}
PEOPLE, AGED = ("draw", "year", "sex", "age"), ("draw", "severity", "sex", "age")
OUTSIDE = ("draw", "measure", "year", "severity", "setting")
FLOW, CARE = ("draw", "measure", "year"), ("draw", "measure", "year", "severity")
PLAIN = ("draw",)
FORMULAS = {
    need.by_sex: {"rates": ("draw", "limited", "age"), "ratio": PLAIN, "ages": ("sex", "age")},
    need.care_need: {
        "population": PEOPLE,
        "prevalence": AGED,
        "factor": ("draw", "year"),
        "of_oldest": ("draw", "year"),
    },
    need.people_with_dementia: {
        "population": PEOPLE,
        "prevalence": ("draw", "age"),
        "factor": ("draw", "year"),
    },
    need.by_severity: {"older": ("draw", "year"), "limited": ("draw", "year", "limited")},
    health.person_years_from_ratios: {"ratios": ("draw", "closed_age")},
    health.years_from: {"lived": ("draw", "age"), "rates": ("draw", "age")},
    definitions.people_by_definition: {
        "population": PEOPLE,
        "limited": ("draw", "year", "limited"),
    },
    places.people_without_younger: {},
    places.setting_shares: {"gap": PLAIN},
    places.people_by_setting: {
        "people": ("draw", "year", "severity"),
        "shares": ("measure", "draw", "severity", "setting"),
    },
    places.people_by_service_class: {"by_severity": ("draw", "year", "severity")},
    beds.residents_by_bed_type: {"residents": CARE},
    beds.beds: {"residents": FLOW, "target_occupancy": PLAIN},
    beds.day_care_places: {"users": FLOW},
    beds.respite_beds: {"at_home": CARE},
    beds.institution_part: {"stock": ()},
    beds.building: {"beds_needed": (*FLOW, "bed_type"), "stock": ()},
    beds.beds_to_build: {"beds_needed": (*FLOW, "bed_type"), "stock": ()},
    beds.built_by_kind: {"built": (*FLOW, "bed_type"), "worn": (*FLOW, "bed_type")},
    beds.empty_beds: {"stock": (), "occupancy": PLAIN},
    beds.missing_beds: {"needed": FLOW, "stock": ()},
    flow.onset_rates: {"ages": ("sex", "age"), "prevalence": AGED},
    flow.new_cases: {"population": PEOPLE, "rates": ("draw", "sex", "age")},
    flow.admissions: {
        "cases": ("draw", "year"),
        "limited": ("draw", "year", "limited"),
        "institution_share": ("measure", "draw", "severity"),
    },
    flow.residents_from_flow: {"admitted": CARE},
    flow.residents_two_ways: {"by_ratio": CARE, "admitted": (*FLOW, "limited")},
    flow.mean_stay: {"admitted": (*FLOW, "limited")},
    flow.waiting_chance: {"load": PLAIN, "beds": PLAIN, "stay": PLAIN, "wait": ()},
    flow.beds_for_waiting: {"load": PLAIN, "stay": PLAIN, "wait": (), "share": ()},
    flow.occupancy_for_waiting: {"beds": PLAIN, "stay": PLAIN, "wait": (), "share": ()},
    caregivers.caregivers_in_institutions: {"residents": CARE},
    caregivers.caregivers_in_day_care: {"users": FLOW},
    caregivers.home_care_hours: {"users": CARE},
    caregivers.caregivers_at_home: {"hours": FLOW},
    caregivers.caregivers_by_standard: {"residents": CARE},
    caregivers.staff_beside: {"workers": FLOW},
    caregivers.certified_by_grade: {"workers": FLOW},
    caregivers.caregivers_per_100: {"workers": FLOW, "people": FLOW},
    supply.next_year: {"stock": PLAIN, "left_before": PLAIN, "trained": PLAIN},
    supply.stock_without_training: {"stock": PLAIN, "left": PLAIN},
    supply.trained_to_reach: {"goal": PLAIN, "stock": PLAIN, "left": PLAIN},
    supply.first_stock: {"older": PLAIN},
    supply.trained_today: {"stock": PLAIN},
    premises.premises_of_estate: {"households": PLAIN, "per_100": (), "minimum": ()},
    premises.households_per_premises: {"per_100": (), "minimum": ()},
    premises.premises_area: {"households": ("draw", "year")},
    childcare.childcare_places_used: {"children": PLAIN},
    childcare.childcare_places_wanted: {"children": PLAIN},
    childcare.childcare_places_promised: {"population": PLAIN, "per_1000": ()},
    childcare.filled_share: {"used": PLAIN, "places": PLAIN},
    funding.pay_per_worker: {},
    funding.building_costs: {"by_kind": (*FLOW, "bed_type", "kind")},
    funding.institution_running_costs: {
        "workers": FLOW,
        "staff": (*FLOW, "staff"),
        "pay": ("draw", "year"),
    },
    funding.home_care_cost: {"hours": FLOW, "growth": ("draw", "year")},
    funding.day_care_cost: {"places": FLOW, "growth": ("draw", "year")},
    funding.premises_cost: {"area": FLOW},
    funding.training_cost: {"trained": FLOW},
    funding.old_age_allowance_cost: {"population": ("draw", "year", "sex", "age")},
    funding.service_subsidy_cost: {"older": ("draw", "year")},
    funding.home_adaptations: {"by_place": (*CARE, "setting")},
    funding.home_adaptation_cost: {"homes": FLOW},
    payers.building_subsidy: {"by_kind": (*FLOW, "bed_type", "kind")},
    payers.operating_subsidy: {"by_bed_type": (*FLOW, "bed_type")},
    payers.subsidies: {
        "costs": (*FLOW, "cost_item"),
        "by_kind": (*FLOW, "bed_type", "kind"),
        "by_bed_type": (*FLOW, "bed_type"),
        "public_part": FLOW,
    },
    payers.public_place_part: {"by_bed_type": (*FLOW, "bed_type"), "older": ("draw", "year")},
    payers.insurance_benefit: {"by_place": (*CARE, "setting")},
    payers.running_left: {"costs": (*FLOW, "cost_item"), "public": (*FLOW, "cost_item")},
    payers.insurance_paid: {"benefits": (*FLOW, "place"), "left": (*FLOW, "place")},
    payers.voucher_paid: {"by_place": (*CARE, "setting"), "left": (*FLOW, "place")},
    payers.payments: {
        "costs": (*FLOW, "cost_item"),
        "public": (*FLOW, "cost_item"),
        "insurance": (*FLOW, "place"),
        "vouchers": (*FLOW, "place"),
    },
    affordability.subsidy_that_pays: {
        "cost": PLAIN,
        "others": PLAIN,
        "residents": PLAIN,
        "fee": PLAIN,
    },
    affordability.premium_that_pays: {"benefits": PLAIN, "people": PLAIN},
    affordability.co_payment_that_pays: {"cost": PLAIN, "others": PLAIN},
}
PLAIN_ARRAYS = {supply, affordability, premises, health, need, flow}
LABELLED = {
    premises.premises_area,
    need.care_need,
    need.people_with_dementia,
    need.by_severity,
    flow.new_cases,
    flow.onset_rates,
    flow.admissions,
    flow.residents_from_flow,
    flow.residents_two_ways,
    flow.mean_stay,
}
DIMS = {"place": "setting", "limited": "severity", "closed_age": "age"}


def made_up(dims, unit, chance):
    """An array of labelled dims; shares and ratios are small, all else is large."""
    labels = {DIMS.get(dim, dim): list(LABELS[dim]) for dim in dims}
    low, high = (0.05, 0.2) if unit in ("share", "ratio") else (50, 500)
    values = chance.uniform(low, high, [len(v) for v in labels.values()])
    return xr.DataArray(
        values, dims=list(labels), coords={k: v for k, v in labels.items() if k != "draw"}
    )


def called(function, inputs, assumptions):
    """The formula's result for labelled inputs; what else it asks for is given."""
    rates = supply.Rates(*(np.array([value] * 4) for value in (0.3, 0.05, 0.4)))
    more = {
        "assumptions": assumptions,
        "years": 3 if function.__module__.endswith("supply") else YEARS,
        "rates": rates,
        "growth": 0.08,
        "probability": 0.8,
        "grades": GRADES,
        "stock_year": YEARS[0],
        "age": 65,
        "home": HOME,
    }
    names = list(inspect.signature(function).parameters)
    if (
        function.__module__ in {module.__name__ for module in PLAIN_ARRAYS}
        and function not in LABELLED
    ):
        inputs = {
            name: value.values if value.ndim else value.item() for name, value in inputs.items()
        }
    found = function(**{name: inputs[name] if name in inputs else more[name] for name in names})
    parts = found.values() if isinstance(found, dict) else [found]
    return np.concatenate([np.ravel(part) for part in parts])


@pytest.mark.parametrize("function", FORMULAS, ids=lambda function: function.__name__)
def test_a_formula_s_units_fit(project, monkeypatch, function):
    counted = COUNTED.get(function, frozenset())
    drawn = draw_assumptions(project, project.city("lincang"), draws=4)
    unit_of = dict(zip(drawn.rows["assumption"], drawn.rows["unit"])) | RATES
    units, result_unit = units_of(function)
    chance = np.random.default_rng(5)
    assert set(FORMULAS[function]) <= set(units), "the docstring tells the unit of each input"
    inputs = {name: made_up(dims, units[name], chance) for name, dims in FORMULAS[function].items()}
    before = called(function, inputs, drawn)
    used = {
        name: array * (1 if name in DATES else factor(unit_of[name], counted))
        for name, array in drawn._arrays.items()
    }
    for module in MODULES:
        for constant, unit in CONSTANTS.items():
            if hasattr(module, constant):
                monkeypatch.setattr(
                    module, constant, getattr(module, constant) * factor(unit, counted)
                )
    monkeypatch.setitem(globals(), "HOME", HOME * [factor(unit) for unit in HOME_UNITS])
    scaled = {name: array * factor(units[name], counted) for name, array in inputs.items()}
    after = called(function, scaled, Given(used, drawn._price_years))
    assert np.isfinite(before).any()
    assert after == pytest.approx(before * factor(result_unit, counted), rel=1e-6, nan_ok=True)


def test_every_formula_is_checked_or_says_why_not():
    tested = {function.__name__ for function in FORMULAS} | set(EXEMPT)
    for module in MODULES:
        own = {
            name
            for name, value in vars(module).items()
            if callable(value)
            and getattr(value, "__module__", "") == module.__name__
            and name[0] != "_"
            and not isinstance(value, type)
        }
        left = (
            own - tested - {"urban_households", "results_price_year", "price_level"}
        )  # a price level has no unit
        assert left == set(), f"{module.__name__}: {left}"


def test_a_wrong_unit_is_found(project, monkeypatch):
    def wrong(users, assumptions):
        """users : array [person]
        Returns : array [hour per year]
        """
        return (users * assumptions["home_care_hours"]).sum("severity")

    monkeypatch.setitem(FORMULAS, wrong, {"users": CARE})
    with pytest.raises(AssertionError):
        test_a_formula_s_units_fit(project, monkeypatch, wrong)
