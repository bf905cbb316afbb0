"""The engine: a quantity is declared once, and all that is told of it follows from its declaration."""

from __future__ import annotations

import inspect
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from eldercare.engine import arrays, quantity
from eldercare.engine.arrays import (
    DRAW,
    Array,
    greatest,
    label,
    labels_of,
    least,
    name_labels,
    over_year,
    part,
    product,
    side_by_side,
    sum_over,
    sum_product,
)
from eldercare.engine.quantity import DECLARED, PRICE_LEVEL, Calculation, Price, upstream
from eldercare.model import chain
from eldercare.model.base import AGES, SEXES

KNOWN_STOCK, NO_STOCK = "sanming", "lincang"
DRAWS = 16  # so many that a cap does not hide in all of them what moves


# --- arrays ------------------------------------------------------------------------------------


def array(dims, *values):
    return Array((*dims, DRAW), np.array(values, float))


def test_a_part_is_found_by_its_label():
    beds = array(["bed_type"], [1, 2], [3, 4], [5, 6])
    assert part(beds, bed_type="dementia").values.tolist() == [5, 6]
    assert part(beds, bed_type="dementia").dims == (DRAW,)
    assert part(beds, bed_type=["nursing", "dementia"]).values.tolist() == [[3, 4], [5, 6]]
    assert part(beds, bed_type=["dementia", "general"]).values.tolist() == [[5, 6], [1, 2]]
    assert part(beds, bed_type=["general", "nursing", "dementia"]) is not None


def test_a_part_of_people_with_a_limitation_is_not_that_of_all_people():
    """How long a dim is tells which labels it has."""
    everyone = array(["severity"], [1], [2], [3], [4])
    limited = array(["severity"], [2], [3], [4])
    assert part(everyone, severity="mild").item() == part(limited, severity="mild").item() == 2
    with pytest.raises(ValueError):
        part(limited, severity="none")


def test_a_label_that_is_not_there_is_refused():
    beds = array(["bed_type"], [1], [2], [3])
    with pytest.raises(ValueError):
        part(beds, bed_type="wooden")
    with pytest.raises(ValueError):
        part(beds, bed_type=["general", "wooden"])
    with pytest.raises(KeyError, match="no labels are known for the dim “bed_type” of length 2"):
        part(array(["bed_type"], [1], [2]), bed_type="general")
    with pytest.raises(KeyError, match="no labels are known for the dim “colour”"):
        labels_of("colour", 3)


def test_two_sets_of_labels_of_one_length_are_refused(monkeypatch):
    monkeypatch.setattr(arrays, "LABELS", {"bed_type": [("general", "nursing", "dementia")]})
    name_labels("bed_type", ("general", "nursing", "dementia"))  # said again
    with pytest.raises(ValueError, match="two sets of labels of the dim “bed_type”"):
        name_labels("bed_type", ("oak", "pine", "steel"))


def test_side_by_side_puts_parts_in_the_order_of_their_labels():
    one, other = array(["year"], [1, 2], [3, 4]), array([], 9, 8)
    found = side_by_side({"general": one, "nursing": other, "dementia": one}, "bed_type")
    assert found.dims == ("year", "bed_type", DRAW)
    assert found.values[0].tolist() == [[1, 2], [9, 8], [1, 2]]
    assert found.values[1].tolist() == [[3, 4], [9, 8], [3, 4]]  # a part without years in each


def test_side_by_side_refuses_names_that_are_no_labels():
    one = array([], 1)
    for names in (["general", "nursing"], ["nursing", "general", "dementia"], ["a", "b", "c"]):
        with pytest.raises(KeyError):
            side_by_side(dict.fromkeys(names, one), "bed_type")


def test_a_missing_value_stays_missing():
    gone = array(["year"], [np.nan, 1], [2, 3])
    assert np.isnan(sum_over(gone, "year").values[0]) and sum_over(gone, "year").values[1] == 4
    assert np.isnan(over_year(gone).values[:, 0]).all()  # also of the year after it
    assert np.isnan(least(gone, 0.0).values[0, 0]) and np.isnan(greatest(gone, 0.0).values[0, 0])
    parts = dict.fromkeys(("general", "nursing", "dementia"), gone)
    assert np.isnan(side_by_side(parts, "bed_type").values[0, :, 0]).all()
    people = array(["year", "sex", "age"], [[[np.nan, 1], [1, 1]]])
    assert np.isnan(sum_product(people, Array(("age",), [0.0, 1.0])).values[0, 0])


def test_over_a_year_is_the_mean_of_both_its_ends():
    stock = array(["year"], [1, 10], [3, 20], [7, 60])
    assert over_year(stock).values.tolist() == [[1, 10], [2, 15], [5, 40]]
    assert stock.values.tolist() == [[1, 10], [3, 20], [7, 60]], "what is given stays"
    counts = Array(("year", DRAW), np.array([[1], [2]]))
    assert over_year(counts).values.tolist() == [[1], [1.5]]
    behind = over_year(stock.transpose(DRAW, "year"))
    assert behind.dims == (DRAW, "year") and behind.values.tolist() == [[1, 2, 5], [10, 15, 40]]


def test_people_times_rates_is_the_sum_over_sex_and_age():
    chance = np.random.default_rng(3)
    people = Array((DRAW, "year", "sex", "age"), chance.uniform(1, 9, (3, 2, 2, 4)))
    by_age = Array(("age",), chance.uniform(0, 1, 4))
    drawn = Array(("severity", "sex", "age", DRAW), chance.uniform(0, 1, (2, 2, 4, 3)))
    plain = sum_product(people, by_age)
    assert plain.dims == ("year", DRAW)
    assert plain.values == pytest.approx(np.einsum("dysa,a->yd", people.values, by_age.values))
    further = sum_product(people.transpose("year", "sex", "age", DRAW), drawn)
    assert further.dims == ("year", "severity", DRAW)
    assert further.values == pytest.approx(np.einsum("dysa,vsad->yvd", people.values, drawn.values))


def test_a_product_keeps_each_value_in_its_place():
    years, types = array(["year"], [1, 2], [3, 4]), array(["bed_type"], [1, 1], [10, 10], [0, 2])
    found = product(years, types, ("bed_type", "year"))
    assert found.dims == ("bed_type", "year", DRAW)
    assert found.values.tolist() == [[[1, 2], [3, 4]], [[10, 20], [30, 40]], [[0, 4], [0, 8]]]


def test_labels_are_attached_at_the_border():
    found = label(array(["year", "bed_type"], [[1, 2], [3, 4], [5, 6]]), [2030])
    assert found.dims == (DRAW, "year", "bed_type")
    assert found.sel(year=2030, bed_type="dementia").values.tolist() == [5, 6]
    assert "year" not in label(array(["bed_type"], [1], [2], [3]), [2030]).coords
    with pytest.raises(KeyError):
        label(array(["bed_type"], [1], [2]), [2030])


# --- declaring ---------------------------------------------------------------------------------


class Told(dict):
    """Assumptions and facts of a test; a price is what is printed over the level."""

    def price(self, name, level):
        return self[name] / level


@pytest.fixture
def declared(monkeypatch):
    """A set of declarations of a test's own."""
    fresh = {}
    monkeypatch.setattr(quantity, "DECLARED", fresh)
    monkeypatch.setattr(quantity, "OF_RESULTS", {})
    upstream.cache_clear()
    yield fresh
    upstream.cache_clear()


CALLS: list[str] = []


def declare_beds():
    """Made up: people and a share give residents, residents and a price give a cost."""
    CALLS.clear()

    @quantity.quantity(unit="person", dims=("year",))
    def residents(people: Array, entry_share: Array) -> Array:
        """Residents.

        Defined as::  people x share
        """
        CALLS.append("residents")
        return people * entry_share

    @quantity.quantity(unit="ratio")
    def price_level(growth: Array) -> Array:
        """Level of prices.  Defined as::  1 + growth"""
        CALLS.append("price_level")
        return 1 + growth

    @quantity.quantity(unit="yuan per year", dims=("year",))
    def cost(residents: Array, bed_price: Price) -> Array:
        """Cost.  Defined as::  residents x price"""
        CALLS.append("cost")
        return residents * bed_price

    @quantity.quantity(unit="yuan per year", dims=("year",))
    def cost_and_half(cost: Array, residents: Array) -> Array:
        """Cost and half of it.

        Defined as::  one = cost;
                      all = one
                      and half of it
        """
        return cost * 1.5 + 0 * residents


def given():
    return Told(
        people=array(["year"], [100, 200], [300, 400]),
        entry_share=array([], 0.5, 0.25),
        growth=array([], 0.0, 1.0),
        bed_price=array([], 10, 10),
    )


def test_a_quantity_is_what_its_function_says(declared):
    declare_beds()
    one = declared["cost"]
    assert (one.unit, one.dims, one.inputs) == (
        "yuan per year",
        ("year",),
        ("residents", "bed_price"),
    )
    assert one.home == "test_quantity.cost"
    assert (declared["residents"].meaning, declared["residents"].formula) == (
        "Residents.",
        "people x share",
    )
    assert declared["cost_and_half"].formula == "one = cost; all = one and half of it"


def test_a_calculation_finds_a_quantity_from_what_is_given(declared):
    declare_beds()
    found = Calculation(given())["cost"]
    assert found.dims == ("year", DRAW)
    assert found.values.tolist() == [[500, 250], [1500, 500]]


def test_each_quantity_is_worked_out_once(declared):
    declare_beds()
    calculation = Calculation(given())
    for name in ("cost_and_half", "cost", "residents", "cost_and_half"):
        calculation[name]
    assert sorted(CALLS) == ["cost", "price_level", "residents"]
    assert calculation["cost"] is calculation["cost"]


def test_a_price_brings_the_price_level_with_it(declared):
    declare_beds()
    assert declared["cost"].prices == {"bed_price"}
    assert declared["cost"].made_of == ("residents", "bed_price", PRICE_LEVEL)
    assert declared["residents"].made_of == declared["residents"].inputs
    assert upstream("cost") >= {PRICE_LEVEL, "growth"}
    assert not upstream("residents") & {PRICE_LEVEL, "growth"}


def test_upstream_gives_quantities_assumptions_and_facts(declared):
    declare_beds()
    assert upstream("residents") == {"residents", "people", "entry_share"}
    assert upstream("cost") == {
        *("cost", "residents", "people", "entry_share"),
        *("bed_price", "price_level", "growth"),
    }
    assert upstream("people") == {"people"}


def test_upstream_is_found_anew_after_a_further_declaration(declared):
    declare_beds()
    assert upstream("cost_of_all") == {"cost_of_all"}

    @quantity.quantity(unit="yuan per year", dims=("year",))
    def cost_of_all(cost: Array) -> Array:
        return cost

    assert upstream("cost_of_all") == {"cost_of_all"} | upstream("cost")


def test_what_is_made_of_results_is_declared_but_not_worked_out_by_a_calculation(declared):
    declare_beds()

    @quantity.quantity("share", of=("cost", "residents[year=2030]"), name="chance_of_budget")
    def compare_budgets(result: dict, budget: float) -> float:
        """Chance.  Defined as::  share of draws in which cost <= budget"""
        return float(np.mean(result["cost"] <= budget))

    assert compare_budgets({"cost": np.array([1, 3])}, 2) == 0.5
    found = quantity.find_quantity("chance_of_budget")
    assert found.inputs == ("cost", "residents[year=2030]") and "chance_of_budget" not in declared
    assert (found.home, found.unit) == ("test_quantity.compare_budgets", "share")
    assert upstream("chance_of_budget") == {"chance_of_budget"} | upstream("cost")
    with pytest.raises(KeyError, match="no quantity “chance”; there are: chance_of_budget, cost"):
        quantity.find_quantity("chance")


def test_a_part_of_a_quantity_is_asked_for_by_its_labels():
    asked = quantity.split_asked("beds_needed[bed_type=nursing,measure=use]")
    assert asked == ("beds_needed", {"bed_type": "nursing", "measure": "use"})
    assert quantity.split_asked("beds_needed") == ("beds_needed", {})
    with pytest.raises(ValueError, match="is not written as name"):
        quantity.split_asked("beds needed")


def test_a_condition_that_does_not_hold_leaves_an_input_out(declared):
    declare_beds()

    @quantity.quantity(
        unit="person",
        dims=("year",),
        only={"residents": "measure=use", "guests": "measure=need"},
        not_moved_by=("entry_share",),
    )
    def everyone(residents: Array, guests: Array) -> Array:
        return residents + guests

    assert upstream("everyone") == {"everyone", "residents", "guests", "people"}
    use = upstream("everyone", lambda condition: condition == "measure=use")
    assert use == {"everyone", "residents", "people"}


def test_kept_if_drops_exactly_what_rests_on_a_moved_name(declared):
    declare_beds()
    calculation = Calculation(given())
    calculation["cost_and_half"]
    everything = {*declared, *given()} - {"bed_price"}  # a price is asked for anew by each
    assert set(calculation.known) == everything
    assert set(calculation.kept_if([])) == everything
    assert everything - set(calculation.kept_if(["growth"])) == {
        *("growth", "price_level", "cost", "cost_and_half")
    }
    assert everything - set(calculation.kept_if(["bed_price"])) == {"cost", "cost_and_half"}
    assert set(calculation.kept_if(["people", "growth"])) == {"entry_share"}


def test_what_is_kept_is_taken_and_the_rest_found_anew(declared):
    declare_beds()
    before = Calculation(given())
    before["cost"]
    moved = given() | {"bed_price": array([], 20, 20)}
    moved = Told(moved)
    after = Calculation(moved, before.kept_if(["bed_price"]))
    CALLS.clear()
    assert after["cost"].values.tolist() == (2 * before["cost"]).values.tolist()
    assert CALLS == ["cost"] and after["residents"] is before["residents"]


def test_dims_other_than_those_declared_are_refused_with_the_name(declared):
    @quantity.quantity(unit="person", dims=("year", "bed_type"))
    def residents(people: Array) -> Array:
        return people

    with pytest.raises(ValueError, match=r"“residents” has the dims .*year.*declared are .*bed_t"):
        Calculation(given())["residents"]


def test_draws_that_are_lacking_are_refused(declared):
    @quantity.quantity(unit="person", dims=("year",))
    def residents(people: Array) -> Array:
        return people.isel({DRAW: 0})

    with pytest.raises(ValueError, match="residents"):
        Calculation(given())["residents"]


def test_dims_come_in_the_order_declared_whatever_the_formula_gives(declared):
    @quantity.quantity(unit="person", dims=("bed_type", "year"))
    def residents(people: Array) -> Array:
        return people.set_dims({"bed_type": 3, **people.sizes}).transpose(DRAW, "year", "bed_type")

    assert Calculation(given())["residents"].dims == ("bed_type", "year", DRAW)


def test_a_quantity_of_one_name_in_two_modules_is_refused(declared):
    declare_beds()

    def residents(people: Array) -> Array:
        return people

    residents.__module__ = ModuleType("another").__name__
    with pytest.raises(ValueError, match="the quantity “residents” is declared twice"):
        quantity.quantity(unit="person", dims=("year",))(residents)
    declare_beds()  # a module that is loaded anew declares its own again


def test_a_joined_quantity_is_its_parts_side_by_side(declared):
    declare_beds()
    parts = {"general": "residents", "nursing": "people", "dementia": "cost"}
    quantity.joined("all_of_it", "person", ("year", "bed_type"), parts, "All.\n\nDefined as::  all")
    one = declared["all_of_it"]
    assert one.inputs == ("residents", "people", "cost")
    assert one.only == {
        "residents": "bed_type=general",
        "people": "bed_type=nursing",
        "cost": "bed_type=dementia",
    }
    assert (one.meaning, one.formula, one.home) == ("All.", "all", "test_quantity.all_of_it")
    calculation = Calculation(given())
    found = calculation["all_of_it"]
    assert found.dims == ("year", "bed_type", DRAW)
    for name, source in parts.items():
        assert part(found, bed_type=name).equals(calculation[source])


def test_a_joined_quantity_whose_parts_are_no_labels_is_refused(declared):
    declare_beds()
    parts = {"oak": "residents", "pine": "people", "steel": "cost"}
    quantity.joined("wrong", "person", ("year", "bed_type"), parts, "")
    with pytest.raises(KeyError, match="are not the labels of the dim “bed_type”"):
        Calculation(given())["wrong"]


def test_unknown_names_raise_a_key_error(declared):
    declare_beds()
    with pytest.raises(KeyError, match="wooden_beds"):
        Calculation(given())["wooden_beds"]
    lacking = Told(given())
    del lacking["people"]
    with pytest.raises(KeyError, match="people"):
        Calculation(lacking)["cost"]


# --- the declarations of the chain -------------------------------------------------------------


@pytest.fixture(scope="module")
def inputs(project):
    """Where the chain of two cities starts: one with a known stock of beds, one without."""
    found = {
        name: chain.inputs_of(project, project.city(name), draws=DRAWS)
        for name in (KNOWN_STOCK, NO_STOCK)
    }
    assert found[KNOWN_STOCK].stock_of_beds and found[NO_STOCK].stock_of_beds is None
    return found


def known_units(project):
    return dict(zip(project.assumptions["assumption"], project.assumptions["unit"]))


def test_names_of_quantities_assumptions_and_facts_never_collide(project):
    assumptions = set(project.assumptions["assumption"])
    assert set(DECLARED) & assumptions == set()
    assert set(chain.FACTS) & (set(DECLARED) | assumptions) == set()


def test_every_name_a_quantity_is_made_of_is_known(project):
    assumptions = set(project.assumptions["assumption"])
    known = {*DECLARED, *assumptions, *chain.FACTS}
    known |= {f"{name}_{what}" for name in assumptions for what in ("bands", "middle", "until")}
    for name, one in DECLARED.items():
        assert set(one.made_of) <= known, name
        assert len(set(one.inputs)) == len(one.inputs), name
        assert set(one.only) <= set(one.made_of), name
        assert set(one.not_moved_by) <= upstream_of_inputs(one), name


def upstream_of_inputs(one):
    return frozenset().union(*map(upstream, one.made_of))


def test_no_quantity_rests_on_itself():
    for name, one in DECLARED.items():
        assert name not in upstream_of_inputs(one)


def test_money_is_taken_as_a_price_and_nothing_else_is(project):
    """Else it would stand in prices of the year it is printed in."""
    units = known_units(project)
    for name, one in DECLARED.items():
        money = {taken for taken in one.inputs if units.get(taken, "").startswith("yuan")}
        assert money == one.prices, name
        assert (PRICE_LEVEL in one.made_of) == bool(money) or PRICE_LEVEL in one.inputs, name


def test_each_function_takes_as_many_as_are_declared():
    for name, one in DECLARED.items():
        inspect.signature(one.function).bind(*one.inputs)
        assert one.name == name and one.meaning and one.formula or name in NO_FORMULA, name


NO_FORMULA = {"dementia_prevalence_by_age"}  # each age has the rate of its band


def test_the_labels_of_a_kept_quantity_s_dims_are_known(project, inputs):
    calculation = Calculation(inputs[KNOWN_STOCK])
    sizes = {"year": len(inputs[KNOWN_STOCK].years)}
    kept = chain.quantities_kept(project)
    assert kept and set(kept) <= set(DECLARED)
    for name in kept:
        found = calculation[name]
        assert found.dims == (*DECLARED[name].dims, DRAW)
        for dim in DECLARED[name].dims:
            if dim == "year":
                assert found.sizes[dim] == sizes[dim], name
            else:
                assert len(labels_of(dim, found.sizes[dim])) == found.sizes[dim], name


def test_every_indicator_is_a_declared_quantity(project):
    assert set(project.indicators["indicator"]) <= set(DECLARED)


@pytest.mark.parametrize("name", [KNOWN_STOCK, NO_STOCK])
def test_every_quantity_is_found_in_its_dims(inputs, name):
    calculation = Calculation(inputs[name])
    for one in DECLARED.values():
        found = calculation[one.name]
        assert found.dims == (*one.dims, DRAW) and found.sizes[DRAW] == DRAWS, one.name
    assert part(calculation["population"], sex=SEXES[0], age=int(AGES[0])).dims == ("year", DRAW)


def test_a_result_gives_what_is_kept_and_what_is_on_the_way(project):
    with pytest.raises(KeyError, match="wooden_beds"):
        chain.run_city(project, NO_STOCK, draws=DRAWS, names=["wooden_beds"])
    result = chain.run_city(project, NO_STOCK, draws=DRAWS, names=["beds_needed"])
    with pytest.raises(KeyError, match="no quantity “wooden_beds” is declared"):
        result.quantity("wooden_beds")
    assert (
        result.quantity("target_occupancy").sizes[DRAW] == DRAWS
    )  # an assumption can be asked for too
    way = result.quantity("residents")
    assert list(result.values) == ["beds_needed"] and way.dims == (
        DRAW,
        "measure",
        "year",
        "bed_type",
    )
    assert way["year"].equals(result.values["year"])


def test_unknown_names_of_a_city_raise_a_key_error(inputs):
    calculation = Calculation(inputs[NO_STOCK])
    for name in ("wooden_beds", "wooden_bands", "wooden_until", "x_middle"):
        with pytest.raises(KeyError):
            calculation[name]


def test_what_is_made_of_an_assumption_s_rows(inputs):
    given = inputs[NO_STOCK]
    assert given["dementia_prevalence_bands"][0].startswith("60")
    assert list(given["adl_prevalence_middle"].columns) == ["mild", "moderate", "severe"]
    assert given["adl_prevalence"].sizes["age_band"] == len(given["adl_prevalence_middle"])
    assert given["known_price_growth_until"] > 2020


# --- reality against the declaration -----------------------------------------------------------

# What is taken a whole year, or far enough to be felt.
MOVES = {
    "results_price_year": lambda value: value - 2,
    "building_programme_first_year": lambda value: value + 1,
    "programme_first_year": lambda value: value + 1,
    "programme_last_year": lambda value: value + 1,
}
OUTSIDE_INSTITUTIONS = [
    "day_care_cost",
    "day_care_places_per_user",
    "home_care_hours",
    "home_care_price",
    "public_share_of_community_care",
]
# Assumptions that a quantity's declared inputs rest on and that do not move it, and why.
IDLE: dict[tuple[str, ...], tuple[list[str], str]] = {
    ("scheme_payment_institution",): (
        OUTSIDE_INSTITUTIONS,
        "of all settings, institutions are taken",
    ),
    ("caregiver_flow", "caregivers_stock", "training_intake"): (
        [
            "setting_use_drift",
            "setting_use_share",
            "setting_use_share_place_factor",
            "setting_use_share_place_persistence",
        ],
        "of both measures, the programme takes the need",
    ),
    (
        *("admissions", "home_adaptations_needed", "insurance_benefit_full"),
        *("mean_length_of_stay", "respite_beds_needed"),
    ): (
        ["dementia_prevalence", "dementia_prevalence_drift", "dementia_without_limitation_share"],
        "of all in need, those with a limitation are taken",
    ),
    ("dementia_beds_per_10000_needed",): (
        ["nursing_bed_share"],
        "a cap that binds in draws in which hardly any nursing bed is needed",
    ),
    ("beds_decided",): (
        [
            *("census_count_error", "family_care_gap_growth", "life_expectancy_improvement"),
            *("life_expectancy_published_gap_continuation", "migration_continuation"),
            *("migration_persistence", "national_change_continuation"),
            "setting_use_drift",
        ],
        "the mix of types is that of the year of the count, which lies before what these move",
    ),
    ("beds_decided", "beds_left_empty"): (
        ["setting_use_share_place_persistence"],
        "a city that has counted its own use has no level of its place that could fade",
    ),
    (
        *("building_cost_needed", "cost", "cost_total"),
        *("insurance_benefit_full", "public_running", "running_cost_needed"),
    ): (
        ["price_growth"],
        "to the year in whose prices results are told, growth of prices is published",
    ),
}
IDLE_PAIRS = {(one, name) for ones, (names, _) in IDLE.items() for one in ones for name in names}


def moved_values(name, unit, values):
    """A little higher (a high share a little lower)."""
    if name in MOVES:
        return MOVES[name](values)
    if unit in ("share", "per_year"):
        return np.where(values > 0.5, values * 0.97, values * 1.03 + 0.004)
    return values * 1.02 + 0.01


def moved(given, name):
    """The same city with one assumption moved, in its rows and in its draws."""
    drawn = given.assumptions
    rows, here = drawn.rows.copy(), drawn.rows["assumption"] == name
    unit = rows.loc[here, "unit"].iloc[0]
    for column in ("low", "central", "high"):
        rows.loc[here, column] = moved_values(name, unit, rows.loc[here, column].to_numpy())
    now = drawn[name].copy(data=moved_values(name, unit, drawn[name].values))
    changed = replace(drawn, rows=rows, _arrays={**drawn._arrays, name: now})
    last = int(given.years[-1])
    return chain.CityInputs(given.china, given.city, given.area, changed, last, given.measures)


def all_values(given, known=None):
    calculation = Calculation(given, known)
    return {name: calculation[name].values for name in DECLARED}


@pytest.fixture(scope="module")
def movements(inputs):
    """For each city and assumption, the quantities that change when it is moved."""
    found = {}
    for city, given in inputs.items():
        before = all_values(given)
        known = {one: given[one] for one in ("people_between_censuses", "adl_prevalence_middle")}
        for name in sorted(set(given.assumptions.rows["assumption"])):
            # Slow to find, and of the censuses and of the rows of one assumption alone.
            after = all_values(moved(given, name), None if name == "adl_prevalence" else known)
            found[city, name] = {
                one
                for one in DECLARED
                if not np.array_equal(before[one], after[one], equal_nan=True)
            }
    return found


def told(given, name, one):
    """Whether a quantity is told to rest on an assumption in this area, in some year."""
    return any(
        name in upstream(one, lambda condition, year=year: given.holds(condition, year))
        for year in (2019, 2035)
    )


@pytest.mark.parametrize("city", [KNOWN_STOCK, NO_STOCK])
def test_an_assumption_moves_nothing_that_is_not_told_to_rest_on_it(inputs, movements, city):
    """Of all quantities, those on the way too."""
    wrong = [
        f"{name} moves {one}"
        for (where, name), changed in movements.items()
        if where == city
        for one in sorted(changed)
        if name not in upstream(one) or not told(inputs[city], name, one)
    ]
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("city", [KNOWN_STOCK, NO_STOCK])
def test_an_assumption_moves_all_kept_quantities_told_to_rest_on_it(
    project, inputs, movements, city
):
    wrong = [
        f"{name} does not move {one}"
        for (where, name), changed in movements.items()
        if where == city
        for one in chain.quantities_kept(project)
        if one not in changed and (one, name) not in IDLE_PAIRS and told(inputs[city], name, one)
    ]
    assert wrong == [], "\n".join(wrong)


def test_what_is_told_to_be_idle_is_idle_in_both_cities(movements):
    wrong = [
        f"{name} moves {one} in {city}"
        for one, name in sorted(IDLE_PAIRS)
        for city in (KNOWN_STOCK, NO_STOCK)
        if one in movements[city, name]
    ]
    assert wrong == [], "\n".join(wrong)


def test_a_programme_of_building_moves_something_only_where_the_stock_is_known(movements):
    for name in (
        "building_programme_first_year",
        "building_programme_years",
        "institution_share_of_beds",
    ):
        assert movements[NO_STOCK, name] == set()
        assert "beds_built" in movements[KNOWN_STOCK, name]


@pytest.mark.parametrize(
    "name", ["target_occupancy", "caregiver_wage", "setting_need_share", "fertility_path"]
)
def test_what_is_kept_after_a_move_is_what_a_whole_run_gives(inputs, name):
    """`kept_if` saves a what-if desk the rest of the work, and changes no number."""
    given = inputs[KNOWN_STOCK]
    before = Calculation(given)
    for one in DECLARED:
        before[one]
    after = moved(given, name)
    short, whole = Calculation(after, before.kept_if([name])), Calculation(after)
    assert name not in short.known and len(short.known) > 20
    for one in DECLARED:
        assert np.array_equal(short[one].values, whole[one].values, equal_nan=True), one


def test_an_input_that_is_not_told_would_be_found(inputs, monkeypatch):
    """With the occupancy left out of what beds are told to rest on, a move of it shows."""
    given = inputs[NO_STOCK]
    changed = all_values(moved(given, "target_occupancy"))["beds_needed"]
    assert not np.array_equal(changed, all_values(given)["beds_needed"])
    one = DECLARED["beds_needed"]
    monkeypatch.setitem(DECLARED, "beds_needed", replace(one, inputs=("residents",)))
    upstream.cache_clear()
    try:
        assert not told(given, "target_occupancy", "beds_needed")
    finally:
        upstream.cache_clear()
