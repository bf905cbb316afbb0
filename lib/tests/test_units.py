"""Units: every formula of the chain gives the same amount when every unit is changed.

A formula whose units do not fit (people added to beds, a month taken for a year) gives another amount
as soon as its inputs are told in other units. So each is called twice: with inputs as they are in a
city, and with each multiplied by what its unit changes by, as its declaration, data/assumptions.csv or
(for the few formulas that are no quantity) its docstring tells it. Changes that are large both ways
make a part wake up that a least or greatest of two hides.
"""

import inspect
import re
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from eldercare.analysis import affordability, definitions, health
from eldercare.engine.arrays import DRAW, Array, least, part, sum_over
from eldercare.engine.quantity import DECLARED, Calculation, Price, Quantity
from eldercare.inputs import schema
from eldercare.inputs.schema import SEVERITIES
from eldercare.model import beds, chain, costs, financing, flow, need, services, settings, workforce

CITY, DRAWS = "lincang", 4
MODULES = (need, settings, beds, flow, workforce, services, costs, financing)
OTHER_MODULES = (health, definitions, affordability)
SINGULAR = {
    "persons": "person",
    "resident": "person",
    "user": "person",
    "households": "household",
    "times": "",
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
LARGE = (1e4, 1e-4)  # by these each unit changes alone: what a cap hides comes to light
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
HOME_UNITS = {
    "one_person_households": "household",
    "households_with_one_65plus": "household",
    "households_with_two_65plus": "household",
    "people_65_plus": "person",
}
AREA_UNITS = {
    "middle": "person",
    "base": "person",
    "earlier": "person",
    "life_expectancy_gap": "year",
}
CENSUS_UNITS = {"households": "household", "urban": "person", "population": "person"}
FACT_UNITS = {  # facts with a unit; None are places on a scale, labels, or pure numbers
    "area": AREA_UNITS,
    "census_households": CENSUS_UNITS,
    "decided_changes": "bed",
    "definition": None,
    "households": HOME_UNITS,
    "households_nation": HOME_UNITS,
    "measures": None,
    "people_between_censuses": "person",
    "price_years": None,
    "projection_error": None,
    "rates": None,
    "single_age": "person",
    "stock_of_beds": {"beds": "bed"},
    "years": None,
}
STOCK = beds.Stock(9000.0, 2025)  # no count of Lincang's is in its folder
YEAR_BY_YEAR = "steps through the years one by one, and what happens in a step is a count"
# Words of units that stay as they are in a formula, or change as another does, and why.
COUNTED = {
    "bed_programme": ({"year"}, YEAR_BY_YEAR),
    "beds_built": ({"year"}, YEAR_BY_YEAR),
    "beds_built_by_type_and_kind": ({"year"}, YEAR_BY_YEAR),
    "training_today": ({"year"}, YEAR_BY_YEAR),
    "workforce_today": ({"year"}, YEAR_BY_YEAR),
    "workforce_programme": ({"year"}, YEAR_BY_YEAR),
    "caregiver_flow": ({"year"}, YEAR_BY_YEAR),
    "training_intake_today": ({"year"}, YEAR_BY_YEAR),
    "training_intake_programme": ({"year"}, YEAR_BY_YEAR),
    "residents_and_waiting": ({"year"}, YEAR_BY_YEAR),
}
SAME = {
    "beds_total_needed": (
        {"place": "bed"},
        "beds and places of day care, which Chinese statistics count together",
    ),
    **dict.fromkeys(
        ("training_intake_today", "training_intake_programme"),
        ({"worker": "person"}, "who is trained is a person first, and a worker afterwards"),
    ),
}
EXEMPT: dict[str, str] = {}  # quantities that cannot be told in other units, and why
# Formulas that are no quantities: their docstrings tell the units of what they take and give.
COUNTED_BY = {
    health.person_years_from_ratios: {"year"},
    health.years_from: {"year"},
    flow.waiting_chance: {"person", "bed"},
    flow.beds_for_waiting: {"person", "bed"},
    flow.occupancy_for_waiting: {"person", "bed"},
}
NO_QUANTITY = {
    "survey_weights": "reads a table",
    "national_ages": "reads a table",
    "households": "reads a table",
    "census_row": "reads a table",
    "smooth_prevalence": "shares, from shares and weights of which only the mix counts",
    "severity_curves": "puts curves side by side",
    "spread_over_ages": "a pure number, from shares and shares",
    "drift_since": "a pure number",
    "share_living_alone": "within `family_care_gap`",
    "share_in_couples": "within `family_care_gap`",
    "beds_at_occupancy": "within `beds_needed`, `respite_beds_needed` and `beds_from_flow`",
    "workers_at_ratio": "within `caregivers_in_institutions` and both standards",
    "turnover_rates": "shares, from shares",
    "level_by_year": "a pure number",
    "by_measure": "puts arrays side by side",
    "present_value": "a sum over yearly amounts, each of one year",
    "health_expectancy": "puts formulas side by side",
    "health_of_cities": "puts cities one under the other",
    "with_limitation": "sums parts of a table",
    "definitions_of_cities": "puts cities one under the other",
    "service_classes": "puts cities one under the other",
    "variants_side_by_side": "puts cities and variants one under the other",
    "prevalence_in_year": "a share times a pure number",
    "middles_by_definition": "reads formulas from what a result keeps",
    "calculations_by_definition": "puts formulas side by side",
    "definition_table": "puts formulas side by side",
    "national_care_need": "puts formulas side by side",
    "compare_with_published": "puts formulas side by side",
    "fit_table": "a table of shares",
    "prevalence_table": "a table of shares",
    "follow_capacity": "within `residents_and_waiting`",
    "simulate_queue": "events simulated: its length is tested against the formula",
    "simulated_beds": "a search over `simulate_queue`",
    "chance_paid_for": "a share of draws",
    "adaptations": "puts cities one under the other",
    "burdens": "puts cities one under the other",
    "childcare": "puts quantities side by side",
    "in_whole_parts": "whole numbers, from values of which only the mix counts",
    "break_even_level": "a search over the three formulas of what pays",
    "break_even_levels": "puts cities one under the other",
    "payer_shares": "shares of one sum",
    "premises": "puts cities one under the other",
    "present_values": "puts cities one under the other",
    "spread": "ends of draws",
    "value_in_force": "reads a row",
    "who_bears": "puts cities one under the other",
    "with_childcare_promise": "chooses a city",
    "zero_rows": "puts cities one under the other",
    "solve_level": "a search, in any unit",
    "full_time_equivalents": "hours over hours",
}


def words_of(unit):
    """Words of a unit above and below, each in the singular: `bed_per_1000_persons` has bed above, person below."""
    above, *below = [
        [SINGULAR.get(word, word) for word in re.findall(r"[a-z]+", side) if word not in PURE]
        for side in re.split(r"\bper\b", unit.replace("_", " "))
    ]
    return [word for word in above if word], [word for side in below for word in side if word]


def factor(unit, counted=frozenset(), same=None, factors=FACTORS):
    """How a number changes when its unit does: `yuan per bed and month` by yuan / (bed x month)."""
    if unit in YEARLY:
        return 1.0
    total = 1.0
    for words, sign in zip(words_of(unit), (1, -1)):
        for word in words:
            word = (same or {}).get(word, word)
            total *= 1 if word in counted else factors[word] ** sign
    return total


def size_of(unit):
    """`1,000` in `bed per 1,000 person`; 1 where a unit has no number."""
    return int("".join(re.findall(r"\d", unit)) or 1)


def alike(one, other):
    """Whether two ways of writing a unit say the same: `bed per 1,000 person` and `bed_per_1000_persons`."""
    return size_of(one) == size_of(other) and all(
        Counter(mine) == Counter(theirs) for mine, theirs in zip(words_of(one), words_of(other))
    )


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
    assert alike("bed per 1,000 person", "bed_per_1000_persons")
    assert not alike("bed per 1,000 person", "bed_per_10000_persons")
    assert not alike("bed per year", "bed")


@pytest.fixture(scope="module")
def city(project):
    """What the chain of a city takes and gives, with a stock of beds beside, so that the gap to it is there."""
    found = chain.inputs_of(project, project.city(CITY), draws=DRAWS)
    return Calculation(found, {"stock_of_beds": STOCK})


@pytest.fixture(scope="module")
def unit_of(project):
    rows = project.assumptions.groupby("assumption")["unit"].agg(set)
    assert [name for name, units in rows.items() if len(units) > 1] == [], "one unit each"
    return {name: min(units) for name, units in rows.items()} | RATES


def rescaled(value, unit, by):
    """The same amount in other units; by: the factor of a unit."""
    if unit is None or value is None:
        return value
    if isinstance(unit, str):
        return value * by(unit)
    if isinstance(value, pd.Series):
        assert set(value.index) == set(unit)
        return value * pd.Series(unit).map(by)[value.index]
    changed = {field: getattr(value, field) * by(one) for field, one in unit.items()}
    return value._replace(**changed) if isinstance(value, tuple) else replace(value, **changed)


def unit_of_input(name, unit_of):
    """What the unit of an input is told to be; None of what stays as it is."""
    if name in DECLARED:
        return DECLARED[name].unit
    if name in FACT_UNITS:
        return FACT_UNITS[name]
    if name in unit_of:
        return None if name in DATES else unit_of[name]
    about, _, what = name.rpartition("_")
    return unit_of[about] if what == "middle" else None  # bands and last years are no amounts


def amounts(value):
    return np.ravel(value.values if isinstance(value, Array) else value)


def patched(patch, by):
    """The constants that have a unit, in other units, wherever a module has them."""
    for name, module in list(sys.modules.items()):
        for constant, unit in CONSTANTS.items():
            if name.startswith(("eldercare.model", "eldercare.analysis")) and hasattr(
                module, constant
            ):
                patch.setattr(module, constant, getattr(module, constant) * by(unit))


def held(function, inputs, scaled, result_unit, by):
    """Whether a formula gives the same amount after its inputs and the constants changed their units."""
    before = amounts(function(*inputs))
    assert np.isfinite(before).any()
    with pytest.MonkeyPatch.context() as patch:
        patched(patch, by)
        try:
            after = amounts(function(*scaled))
        except ValueError:  # an amount that cannot be, as a life of 200 years
            return False
    return bool(after == pytest.approx(before * by(result_unit), rel=1e-6, nan_ok=True))


def fits(one, city, unit_of, counted=frozenset(), same=None, large=LARGE):
    """Whether the units of a quantity fit, whatever its inputs are told in."""
    level = city["price_level"]
    inputs = [
        city.given.price(name, level) if name in one.prices else city[name] for name in one.inputs
    ]
    units = [unit_of_input(name, unit_of) for name in one.inputs]
    alone = [
        dict.fromkeys(FACTORS, 1.0) | {word: by}
        for word in words_in(one.unit, *units)
        for by in large
    ]
    for factors in (FACTORS, *alone):

        def by(unit, factors=factors):
            return factor(unit, counted, same, factors)

        scaled = [rescaled(value, unit, by) for value, unit in zip(inputs, units)]
        if not held(one.function, inputs, scaled, one.unit, by):
            return False
    return True


def words_in(*units):
    """All words of some units, in order."""
    told = [one for unit in units for one in (unit.values() if isinstance(unit, dict) else [unit])]
    found = {
        word for one in told if one and one not in YEARLY for side in words_of(one) for word in side
    }
    return sorted(found)


def leeway(name):
    """What is let pass in one formula: words that stay, and words that change as another does."""
    return COUNTED.get(name, (frozenset(),))[0], SAME.get(name, ({},))[0]


@pytest.mark.parametrize("name", [name for name in DECLARED if name not in EXEMPT])
def test_a_quantity_s_units_fit(city, unit_of, name):
    assert fits(DECLARED[name], city, unit_of, *leeway(name))


def test_units_fit_where_no_stock_of_beds_is_known(city, unit_of):
    without = Calculation(city.given)
    assert without["stock_of_beds"] is None
    assert fits(DECLARED["bed_programme"], without, unit_of, *leeway("bed_programme"))


@pytest.mark.parametrize("name", sorted({*EXEMPT, *COUNTED, *SAME}))
def test_what_is_let_pass_would_not_pass_as_it_is(city, unit_of, name):
    counted, same = leeway(name)
    if counted:
        assert not fits(DECLARED[name], city, unit_of, frozenset(), same), "not in COUNTED then"
    if same:
        assert not fits(DECLARED[name], city, unit_of, counted), "not in SAME then"
    if name in EXEMPT:
        assert not fits(DECLARED[name], city, unit_of), "not in EXEMPT then"


def test_few_formulas_are_let_pass():
    assert len(EXEMPT) <= 2 and len({*COUNTED, *SAME}) <= 12
    assert {*EXEMPT, *COUNTED, *SAME} <= set(DECLARED)
    assert all(EXEMPT.values()) and all(why for _, why in [*COUNTED.values(), *SAME.values()])


def test_every_fact_is_told_to_have_a_unit_or_none():
    assert set(FACT_UNITS) == set(chain.FACTS)
    assert set(DATES) | set(RATES) <= set().union(*(one.inputs for one in DECLARED.values()))


def test_declared_units_are_made_of_the_units_the_tables_know():
    known = {word for unit in schema.UNITS for side in words_of(unit) for word in side}
    for name, one in DECLARED.items():
        above, below = words_of(one.unit)
        assert {*above, *below} <= known, name
        assert above or below or one.unit in PURE & schema.UNITS, name


def test_a_quantity_has_the_unit_of_its_row_in_indicators(project):
    """What is counted over a year may be told without “per year”: its label says so."""
    told = dict(zip(project.indicators["indicator"], project.indicators["unit"]))
    wrong = [
        f"{name}: declared “{DECLARED[name].unit}”, in indicators.csv “{unit}”"
        for name, unit in told.items()
        if name in DECLARED
        and not alike(DECLARED[name].unit.removesuffix(" per year"), unit)
        and not alike(DECLARED[name].unit, unit)
    ]
    assert wrong == [], "\n".join(wrong)


def people_added_to_beds(residents: Array, beds_needed: Array) -> Array:
    return sum_over(residents + beds_needed, "bed_type")


def month_taken_for_year(people_by_severity_and_setting: Array, home_care_hours: Array) -> Array:
    users = part(people_by_severity_and_setting, setting="home_service")
    return sum_over(users * home_care_hours, "severity")


def price_of_another_thing(beds_built: Array, adaptation_cost: Price) -> Array:
    return beds_built * adaptation_cost


def hidden_by_a_cap(beds_institution_needed: Array, population_total: Array) -> Array:
    """Beds are fewer than people, so that the wrong part never shows in a city."""
    return least(beds_institution_needed, population_total)


def stock_added_to_people(population_60_plus: Array, stock_of_beds: beds.Stock) -> Array:
    return population_60_plus + stock_of_beds.beds


WRONG = {
    people_added_to_beds: ("bed", ()),
    month_taken_for_year: ("hour per year", ()),
    price_of_another_thing: ("yuan per year", ("adaptation_cost",)),
    hidden_by_a_cap: ("bed", ()),
    stock_added_to_people: ("person", ()),
}


@pytest.mark.parametrize("function", WRONG, ids=lambda function: function.__name__)
def test_a_wrong_unit_is_found(city, unit_of, function):
    unit, prices = WRONG[function]
    inputs = tuple(inspect.signature(function).parameters)
    wrong = Quantity(
        function.__name__, unit, ("measure", "year"), function, inputs, frozenset(prices)
    )
    assert not fits(wrong, city, unit_of)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("beds_needed", "person"),
        ("home_care_hours_needed", "hour per month"),
        ("beds_per_1000_needed", "bed"),
        ("payment", "yuan"),
        ("premises_area_needed", "household"),
    ],
)
def test_a_wrongly_declared_unit_is_found(city, unit_of, name, wrong):
    assert fits(DECLARED[name], city, unit_of)
    assert not fits(replace(DECLARED[name], unit=wrong), city, unit_of)


def test_a_part_hidden_by_a_cap_is_found_by_the_large_changes_alone(city, unit_of):
    wrong = Quantity(
        "hidden_by_a_cap",
        "bed",
        ("measure", "year"),
        hidden_by_a_cap,
        ("beds_institution_needed", "population_total"),
    )
    assert fits(wrong, city, unit_of, large=()) and not fits(wrong, city, unit_of)


# --- formulas that are no quantities -----------------------------------------------------------

GRADES = pd.DataFrame(
    {"severity": list(SEVERITIES), "service_class": ["home", "home", "institution", "nursing"]}
)
SIZES = {"year": 2, "sex": 2, "age": 101, "closed_age": 102, "severity": 4, "limited": 3, DRAW: 4}
PLAIN = (DRAW,)
FORMULAS = {  # and the dims of what they take
    need.by_sex: {"rates": ("limited", "age", DRAW), "ratio": PLAIN, "ages": ("sex", "age")},
    settings.people_by_service_class: {"by_severity": ("year", "severity", DRAW)},
    beds.institution_part: {"stock": ()},
    beds.empty_beds: {"stock": (), "occupancy": PLAIN},
    beds.missing_beds: {"needed": ("year", DRAW), "stock": ()},
    flow.waiting_chance: {"load": PLAIN, "beds": PLAIN, "stay": PLAIN, "wait": ()},
    flow.beds_for_waiting: {"load": PLAIN, "stay": PLAIN, "wait": (), "share": ()},
    flow.occupancy_for_waiting: {"beds": PLAIN, "stay": PLAIN, "wait": (), "share": ()},
    workforce.next_year: {"stock": PLAIN, "left_before": PLAIN, "trained": PLAIN},
    workforce.stock_without_training: {"stock": PLAIN, "left": PLAIN},
    workforce.required_training: {"goal": PLAIN, "stock": PLAIN, "left": PLAIN},
    workforce.training_that_keeps_growth: {"stock": PLAIN},
    services.premises_of_estate: {"households": PLAIN, "per_100": (), "minimum": ()},
    services.households_per_premises: {"per_100": (), "minimum": ()},
    services.childcare_places_promised: {"population": ("year", DRAW), "per_1000": ()},
    services.filled_share: {"used": PLAIN, "places": PLAIN},
    affordability.break_even_subsidy: {
        "cost": PLAIN,
        "others": PLAIN,
        "residents": PLAIN,
        "fee": PLAIN,
    },
    affordability.break_even_premium: {"benefits": PLAIN, "people": PLAIN},
    affordability.break_even_co_payment: {"cost": PLAIN, "others": PLAIN},
    health.person_years_from_ratios: {"ratios": (DRAW, "closed_age")},
    health.years_from: {"lived": (DRAW, "age"), "rates": (DRAW, "age")},
}
# Of labelled or named dims; all else takes plain arrays of numbers.
NAMED = {
    settings.people_by_service_class,
    beds.empty_beds,
    beds.missing_beds,
    services.childcare_places_promised,
    services.filled_share,
}


def units_of(function):
    """Units of a formula's inputs and result, as its docstring tells them."""
    found = re.findall(
        r"^\s*([\w, ]+?)\s*:\s*(?:array|arrays|number) \[([^\]]+)\]", function.__doc__, re.MULTILINE
    )
    units = {name.strip(): unit for names, unit in found for name in names.split(",")}
    return units, units.pop("Returns")


def made_up(dims, unit, chance):
    """An array of named dims; shares and ratios are small, all else is large."""
    low, high = (0.05, 0.2) if unit in ("share", "ratio") else (50, 500)
    names = {"limited": "severity", "closed_age": "age"}
    values = chance.uniform(low, high, [SIZES[dim] for dim in dims])
    return Array([names.get(dim, dim) for dim in dims], values)


def called(function, inputs):
    """The formula's result in one row; what else it asks for is given."""
    rates = workforce.TurnoverRates(*(np.array([value] * 4) for value in (0.3, 0.05, 0.4)))
    more = {
        "institution_share_of_beds": Array((DRAW,), np.full(4, 0.8)),
        "years": 3,
        "rates": rates,
        "growth": np.full(4, 0.08),
        "probability": 0.8,
        "grades": GRADES,
        "age": 65,
    }
    given = {
        name: value
        if function in NAMED and value.ndim
        else value.values
        if value.ndim
        else value.values.item()
        for name, value in inputs.items()
    }
    names = list(inspect.signature(function).parameters)
    found = function(**{name: given[name] if name in given else more[name] for name in names})
    parts = found.values() if isinstance(found, dict) else [found]
    return np.concatenate([amounts(one) for one in parts])


def formula_fits(function, dims):
    counted, chance = COUNTED_BY.get(function, frozenset()), np.random.default_rng(5)
    units, result_unit = units_of(function)
    assert set(dims) <= set(units), "the docstring tells the unit of each input"
    inputs = {name: made_up(those, units[name], chance) for name, those in dims.items()}

    def by(unit):
        return factor(unit, counted)

    def by_name(*values):
        return called(function, dict(zip(inputs, values)))

    scaled = [value * by(units[name]) for name, value in inputs.items()]
    return held(by_name, list(inputs.values()), scaled, result_unit, by)


@pytest.mark.parametrize("function", FORMULAS, ids=lambda function: function.__name__)
def test_a_formula_s_units_fit(function):
    assert formula_fits(function, FORMULAS[function])


def test_units_of_the_definitions_of_need_fit(city, unit_of):
    """They ask a calculation for what they need, by name."""

    class Told(dict):
        def __init__(self, by):
            self.by = by

        def __getitem__(self, name):
            return rescaled(city[name], unit_of_input(name, unit_of), self.by)

    before, after = (
        definitions.people_by_definition(Told(by)) for by in (lambda unit: 1.0, factor)
    )
    assert units_of(definitions.people_by_definition)[1] == "person"
    for name in schema.DEFINITIONS:
        assert amounts(after[name]) == pytest.approx(amounts(before[name]) * factor("person"))


def test_every_formula_is_checked_or_says_why_not():
    tested = {function.__name__ for function in FORMULAS} | {"people_by_definition"}
    tested |= {*NO_QUANTITY, *DECLARED}
    for module in (*MODULES, *OTHER_MODULES):
        own = {
            name
            for name, value in vars(module).items()
            if callable(value)
            and getattr(value, "__module__", "") == module.__name__
            and name[0] != "_"
            and not isinstance(value, type)
        }
        assert own - tested == set(), module.__name__


def test_a_wrong_unit_in_a_docstring_is_found():
    def wrong(users, share):
        """users : array [person]
        share : array [share]
        Returns : array [hour per year]
        """
        return users * share

    assert not formula_fits(wrong, {"users": PLAIN, "share": PLAIN})
