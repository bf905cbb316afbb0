"""Care need, care settings and beds: known totals, conservation, two methods, and causes that add up."""

from itertools import permutations

import numpy as np
import pytest
import xarray as xr
from given import calculation_of, drawn, faults_of, made_city, told
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as number_arrays

from eldercare.analysis import balance, decomposition, definitions, health
from eldercare.engine.arrays import label, part
from eldercare.engine.quantity import Calculation
from eldercare.inputs.draws import draw_assumptions
from eldercare.inputs.load import nation_as_city
from eldercare.model import beds, chain, flow, need, population, workforce
from eldercare.model import settings as setting_step
from eldercare.model.area import FIRST_RATE_YEAR

ROWS = 200  # inputs in each example of the property tests: 60 examples make 12,000
LIMITED = list(need.LIMITED)
MANY = settings(max_examples=60, deadline=None)


@pytest.fixture(scope="module")
def nation(project):
    return calculation_of(project, nation_as_city(), draw_assumptions(project, draws=256))


@pytest.fixture(scope="module")
def lincang(project):
    city = project.city("lincang")
    return calculation_of(project, city, draw_assumptions(project, city, draws=64))


def people_arrays(*shape):
    return number_arrays(float, (ROWS, *shape), elements=st.floats(0, 1e7, width=32))


def share_arrays(*shape):
    return number_arrays(float, (ROWS, *shape), elements=st.floats(0, 1, width=32))


# Care need


def test_at_every_age_more_people_have_a_limitation_than_at_the_age_before_and_never_all(
    project, china
):
    rows = project.assumptions[project.assumptions["assumption"] == "adl_prevalence"]
    central = rows.pivot_table("central", "age_band", "severity").sort_index()
    curves = need.severity_curves(central, need.survey_weights(china))
    older = slice(65, 98)
    severe, heavy = curves["severe"], curves["severe"] + curves["moderate"]
    for nested in (severe, heavy, heavy + curves["mild"]):
        assert (np.diff(nested[older]) > 0).all() and nested.max() < 1
    assert min(curve[65:].min() for curve in curves.values()) > 0


def test_no_draw_has_more_limited_people_than_people(nation):
    total = told(nation, "limitation_prevalence").sum("severity")
    assert total.max() <= need.MOST_LIMITED + 1e-12
    assert total.sel(age=slice(0, 59)).max() == 0


def test_the_ratio_of_the_sexes_gives_back_the_survey_s_totals(project, china):
    # China CDC Weekly 2023, table 2, any limitation 2018: men 9.47, women 12.49 per cent.
    rows = project.assumptions.set_index("assumption")
    ratio = rows.loc["adl_prevalence_sex_ratio", "central"]
    central = rows.loc["adl_prevalence"].pivot_table("central", "age_band", "severity").sort_index()
    curve = sum(need.severity_curves(central, need.survey_weights(china)).values())
    ages = need.national_ages(china)
    men, women = need.by_sex(curve[None, :, None], np.array([ratio]), ages)[0, ..., 0]
    found = np.average(women[65:], weights=ages[1, 65:]) / np.average(
        men[65:], weights=ages[0, 65:]
    )
    assert found == pytest.approx(12.49 / 9.47, rel=0.01)
    both = (men * ages[0] + women * ages[1]) / ages.sum(axis=0)
    assert both[65:] == pytest.approx(curve[65:])


def test_the_nation_of_2020_has_between_15_and_21_million_people_of_65_with_a_limitation(project):
    table = definitions.national_care_need(project, [2020, 2050], 65).set_index("year")
    assert 15e6 < table.loc[2020, "central"] < 21e6
    # Zhang and others 2025: 58.64 million in 2050 with rates rising to 15.05 %; ours stay flat at each age.
    assert 0.75 * 58.64e6 < table.loc[2050, "central"] < 1.25 * 58.64e6


def test_every_definition_counts_the_same_people_and_the_narrow_ones_fewer_in_need(project):
    table = definitions.definition_table(project, "lincang", (2035,), draws=64).set_index(
        "definition"
    )
    assert table["population_60_plus"].nunique() == 1
    order = table.loc[
        ["severe ADL limitation", "any ADL limitation", "fifth national survey", "ADL or IADL"]
    ]
    assert order["central"].is_monotonic_increasing
    assert list(table.index[table["age_adjusted"]]) == [
        "severe ADL limitation",
        "any ADL limitation",
    ]


def test_a_drift_of_the_oldest_moves_nobody_else(nation):
    people = told(nation, "population").sel(year=[2020, 2030]).isel(draw=slice(0, 4)).variable
    rates = people.isel(year=0).set_dims({"severity": len(LIMITED), **people.isel(year=0).sizes})
    rates = rates.copy(data=np.full(rates.shape, 0.1))
    factor = drawn(np.ones((4, 2)), "year")
    plain = need.limited_by_adl(people, rates, factor, factor)
    moved = need.limited_by_adl(people, rates, factor, factor * 2)
    oldest = 0.1 * people.isel(age=slice(need.OLDEST_OLD, None)).sum(["sex", "age"])
    for place in range(len(LIMITED)):
        difference = (moved - plain).isel(severity=place).transpose(*oldest.dims)
        assert difference.values == pytest.approx(oldest.values)


# Years of life


def test_years_lived_add_up_to_life_expectancy(lincang):
    inputs, rates = lincang.given, lincang["rates"]
    target = population.life_expectancy_paths(rates, inputs.assumptions, [2020])[0]
    lived = health.person_years_from_ratios(rates.grid.survival(2020 - FIRST_RATE_YEAR, target))
    assert lived.sum(axis=-1) == pytest.approx(target.T, abs=0.02)


def test_years_with_and_without_limitation_are_all_years(lincang):
    table = health.health_expectancy(lincang.given, 2020, (60, 65))
    wide = table.pivot_table("central", ["age", "sex"], "state")
    # Middles of draws need not add up: years with and without a limitation move against each other.
    assert wide[["none", *LIMITED]].sum(axis=1).values == pytest.approx(wide["all"].values, abs=0.2)
    assert (wide.xs("female", level="sex")["all"] > wide.xs("male", level="sex")["all"]).all()


def test_sullivan_with_everyone_limited_is_life_expectancy_and_with_nobody_nought():
    lived = np.linspace(1, 0.1, 101)
    assert health.years_from(60, lived, np.zeros(101)) == 0
    assert health.years_from(60, lived, np.ones(101)) == pytest.approx(
        lived[60:].sum() / np.sqrt(lived[59] * lived[60])
    )


# Care settings


def test_the_family_care_gap_of_the_nation_is_one_and_that_of_lonelier_cities_above(project):
    assumptions = draw_assumptions(project, draws=64)
    gap = {
        city.city_id: told(calculation_of(project, city, assumptions), "family_care_gap")
        for city in (nation_as_city(), *project.cities.values())
    }
    assert gap.pop("china").values == pytest.approx(1)
    assert gap["lincang"].median() > 1 > gap["shangqiu"].median()
    assert all(one.min() > 0.8 and one.max() < 1.25 for one in gap.values())


def test_people_without_younger_ones_are_no_more_than_all(project, china):
    for city in project.cities.values():
        home = setting_step.households(china, city.adcode)
        rows = draw_assumptions(project, city, draws=64)
        parts = (
            setting_step.share_living_alone(
                home, rows["lone_share_of_one_older_households"].variable
            ),
            setting_step.share_in_couples(
                home, rows["couple_share_of_two_older_households"].variable
            ),
        )
        assert (sum(parts) < 1).all() and all((part > 0).all() for part in parts)


def test_use_drifts_from_the_year_of_the_count_and_a_place_comes_nearer_to_the_nation():
    years = np.array([2020, 2024, 2034])
    drift = setting_step.use_drift(drawn([-0.02]), years)
    assert drift.values[:, 0] == pytest.approx([1, 1, 0.98**10])
    of_place = setting_step.use_of_place(
        drawn([[0.64]], "setting"), drawn([[0.5]], "setting"), years
    )
    # Half of the deviation is left after ten years, in logarithms.
    assert of_place.values[:, 0, 0] == pytest.approx([0.64, 0.64, 0.8])


def test_need_is_of_people_with_a_limitation_or_dementia_alone(project):
    rows = draw_assumptions(project, project.city("lincang"), draws=16)
    shares = rows["setting_need_share"].variable
    assert (shares.isel(severity=0) == 0).all()
    early = drawn(np.full((16, 1), 0.03), "year")
    found = setting_step.need_shares(shares, early)
    mild = part(shares, severity="mild").transpose("setting", "draw").values
    assert part(found, severity="none").values[0] == pytest.approx(0.03 * mild)
    assert part(found, severity="severe").values[0] == pytest.approx(
        part(shares, severity="severe").transpose("setting", "draw").values
    )


def test_care_for_a_user_grows_from_the_year_of_the_ratios():
    years = np.array([2020, 2024, 2034])
    grown = workforce.care_per_user(drawn([0.016]), years).values[:, 0]
    assert grown == pytest.approx([1, 1, 1.016**10])


def test_the_range_of_use_is_wider_the_further_ahead(project):
    shares = chain.run_city(project, "shangqiu", draws=256, names=["share_by_setting"]).values
    inside = shares["share_by_setting"].sel(measure="use", setting="institution")
    ends = np.log(inside.quantile([0.1, 0.9], "draw")).diff("quantile").squeeze()
    assert ends.sel(year=2035) > 1.1 * ends.sel(year=2024)
    assert ends.sel(year=2050) > 1.1 * ends.sel(year=2035)


@MANY
@given(people_arrays(4), share_arrays(4, 3))
def test_nobody_is_lost_or_invented_on_the_way_to_a_place(people, outside):
    one = drawn(outside, "severity", "setting")
    gap, growth = drawn(np.full(ROWS, 1.3)), drawn(np.ones((ROWS, 1)), "year")
    place = drawn(np.full((ROWS, 1, 3), 1.2), "year", "setting")
    needed = drawn(outside[:, None], "year", "severity", "setting")
    shares = setting_step.setting_shares(
        one, place, growth * 0.9, needed, gap, growth, setting_step.MEASURES
    )
    by_severity = drawn(people[:, None], "year", "severity")
    by_setting = setting_step.people_by_severity_and_setting(
        by_severity,
        by_severity.sum("severity"),
        by_severity.isel(severity=slice(1, None)),
        shares,
        setting_step.MEASURES,
    )
    found = by_setting.sum("setting").transpose("measure", "draw", "year", "severity").values
    assert found == pytest.approx(np.stack([people[:, None]] * 2), abs=1e-12 * max(people.max(), 1))
    assert by_setting.min() >= -1e-6 * max(people.max(), 1)


def test_every_severity_has_its_class_of_service(china):
    people = drawn([[70, 20, 7, 3]], "severity")
    classes = setting_step.people_by_service_class(people, china.care_grades)
    # Sanming 2017, 三(一)2: grades 1-3 home and community, 4-5 institutions first, 6 nursing institutions first.
    assert {name: count.item() for name, count in classes.items()} == {
        "home_and_community": 90,
        "institution": 7,
        "nursing_institution": 3,
    }
    grades = china.care_grades
    assert sorted(set(zip(grades["first_grade"], grades["last_grade"]))) == [(1, 3), (4, 5), (6, 6)]


@pytest.mark.parametrize(
    "scenario, inside, beside",
    # Peers: geometric means of users at the ages of China, see sources.csv, peer_care_use.
    [("policy_90_7_3", 3.0, 7.0), ("policy_96_4", 4.0, 3.0), ("peer_use", 1.26, 3.5)],
)
def test_a_policy_pattern_gives_the_nation_its_shares(project, nation, scenario, inside, beside):
    assumptions = draw_assumptions(project, None, scenario, 256)
    # The people are those of the baseline, and families care for as much as in the census year.
    growth = nation["family_care_growth"]
    known = {
        "people_by_severity": nation["people_by_severity"],
        "family_care_growth": growth.copy(data=np.ones(growth.shape)),
    }
    pattern = Calculation(calculation_of(project, nation_as_city(), assumptions).given, known)
    people = told(pattern, "people_by_setting").sel(measure="need", year=2024)
    older = told(nation, "population_60_plus").sel(year=2024)
    share = 100 * (people / older).median("draw")
    assert share.sel(setting="institution").item() == pytest.approx(inside, abs=0.15)
    assert share.sel(setting=["home_service", "day_care"]).sum().item() == pytest.approx(
        beside, abs=0.35
    )


EFFECT = {
    "drift_abroad": (-1, 0),
    "more_care_per_user": (0, 0),
    "peer_use": (0, -1),
    "healthier": (-1, -1),
    "frailer_85_plus": (1, 1),
    "fewer_families": (0, 1),
    "better_use_of_beds": (-1, -1),
    "need_met": (1, 0),
    "policy_90_7_3": (0, 1),
    "policy_96_4": (0, 1),
}


def test_every_scenario_has_a_known_effect(project):
    assert set(project.scenarios) == set(EFFECT)


@pytest.mark.parametrize("scenario", EFFECT)
def test_a_scenario_moves_what_it_is_said_to_move_and_no_head_count(project, scenario):
    before = chain.run_city(project, "lincang", draws=32).values
    after = chain.run_city(project, "lincang", scenario, draws=32).values
    assert (before["population_60_plus"] == after["population_60_plus"]).all()
    for measure, sign in zip(setting_step.MEASURES, EFFECT[scenario]):
        change = (
            (after - before)["beds_total_needed"].sel(measure=measure, year=2040).median().item()
        )
        assert np.sign(round(change, 1)) == sign


# Beds


@MANY
@given(people_arrays(4), share_arrays(), share_arrays(4), share_arrays())
def test_residents_by_bed_type_are_all_residents_and_none_is_negative(
    residents, dementia, nursing, dementia_bed
):
    rows = {
        "nursing_bed_share": drawn(nursing, "severity"),
        "dementia_bed_share": drawn(dementia_bed),
        "dementia_share_of_residents": drawn(dementia),
    }
    people = drawn(residents[:, None, None], "measure", "year", "severity")
    by_type = Calculation(rows, {"residents_by_severity": people})["residents"]
    assert by_type.sum("bed_type").transpose("draw", ...).values == pytest.approx(
        residents.sum(axis=-1)[:, None, None], rel=1e-9
    )
    assert by_type.min() >= -1e-6 * max(residents.max(), 1)


def programme(needed, stock, years, **rows):
    """Beds year by year of an area all of whose counted beds are in institutions."""
    rows = {"institution_share_of_beds": np.ones_like(rows["bed_life"]), **rows}
    stock = None if stock is None else beds.Stock(stock, 2020)
    return beds.bed_programme(
        needed, stock, np.array(years), **{name: drawn(values) for name, values in rows.items()}
    )


@MANY
@given(
    number_arrays(float, (ROWS, 6), elements=st.floats(0, 1e5)),
    st.floats(0, 2e5) | st.none(),
    st.floats(15, 60),
    st.integers(1, 15),
)
def test_beds_that_stand_follow_from_those_before(needed, stock, life, length):
    built_and_worn = programme(
        drawn((needed + 1)[:, None, :, None], "measure", "year", "bed_type"),
        stock,
        range(2020, 2026),
        bed_life=np.full(ROWS, life),
        building_programme_years=np.full(ROWS, length),
        building_programme_first_year=np.full(ROWS, 2022),
    )
    out = {
        name: part(built_and_worn, change=name).squeeze().transpose("draw", "year").values
        for name in beds.CHANGES
    }
    existing, retired, constructed = (
        out[name][:, start:] for name, start in zip(beds.CHANGES, (0, 1, 1))
    )
    assert existing[:, 1:] == pytest.approx(existing[:, :-1] - retired + constructed)
    assert (existing >= 0).all() and (constructed >= 0).all() and (retired >= 0).all()
    kinds = beds.beds_built_by_type_and_kind(
        built_and_worn.isel(year=slice(1, None)), drawn(np.full(ROWS, 0.3))
    )
    assert kinds.sum("kind").squeeze().transpose("draw", "year").values == pytest.approx(
        constructed
    )
    assert kinds.min() >= -1e-6


def test_once_the_programme_is_over_need_is_met():
    years = range(2020, 2041)
    needed = drawn(np.linspace(100, 160, 21)[None, None, :, None], "measure", "year", "bed_type")
    existing = part(
        programme(
            needed,
            40.0,
            years,
            bed_life=[30],
            building_programme_years=[10],
            building_programme_first_year=[2026],
        ),
        change="existing",
    )
    gap = label((needed - existing).isel(measure=0, bed_type=0), years).squeeze(drop=True)
    assert gap.sel(year=slice(2020, 2025)).values == pytest.approx(60)
    assert (gap.diff("year").sel(year=slice(2026, 2035)) < 0).all()
    assert gap.sel(year=slice(2035, None)).values == pytest.approx(0)


@MANY
@given(number_arrays(float, ROWS, elements=st.floats(0, 1e6)), share_arrays(), st.floats(0, 1e6))
def test_empty_and_missing_beds_are_never_negative_nor_more_than_there_are(
    needed, occupancy, stock
):
    empty = beds.empty_beds(stock, drawn(occupancy))
    missing = beds.missing_beds(drawn(needed), stock)
    assert (empty >= 0).all() and (empty <= stock + 1e-6).all()
    assert (missing >= 0).all() and (missing.values <= needed).all()


def test_more_severe_cases_never_need_fewer_nursing_beds(project):
    rows = calculation_of(project, nation_as_city(), draw_assumptions(project, draws=64)).given
    mix = np.array([40.0, 30.0, 20.0, 10.0])
    for step in (0.0, 5.0, 20.0):
        more = mix + np.array([-step, 0, 0, step])
        special = []
        for one in (mix, more):
            people = np.broadcast_to(one, (64, 1, 1, 4))
            known = {"residents_by_severity": drawn(people, "measure", "year", "severity")}
            residents = Calculation(rows, known)["residents"]
            special.append(part(residents, bed_type=["nursing", "dementia"]).sum("bed_type"))
        assert (special[1] >= special[0] - 1e-9).all()


def test_a_city_without_a_stock_has_no_gap_and_sanming_has_all_three(results):
    for city_id, result in results.items():
        table = balance.bed_balance(result, 2035).set_index("quantity")["central"]
        assert table.isna().all() == (city_id != "sanming")
    assert (
        table := balance.bed_balance(results["sanming"], 2035).set_index("quantity")["central"]
    ).min() > 0
    # 13,286 beds of 2016; 38.8 % occupied as in the province of 2020.
    assert table["empty"] == pytest.approx(13286 * (1 - 0.388), rel=0.01)


def test_missing_beds_count_day_care_as_the_stock_does(results):
    result = results["sanming"]
    total = result.values["beds_total_needed"].sel(measure="need", year=2035).values
    missing = balance.bed_balance(result, 2035).set_index("quantity").loc["missing", "central"]
    assert missing == pytest.approx(np.median(np.maximum(total - 13286, 0)), rel=1e-4)


# The second method


def test_residents_are_admissions_times_stay():
    admitted = drawn([[[[10, 20, 30]]]], "measure", "year", "severity")
    stay = drawn([[3, 2, 1]], "severity")
    found = [
        flow.limited_residents_from_flow(
            admitted.isel(severity=[place]), stay.isel(severity=[place])
        ).item()
        for place in range(3)
    ]
    assert found == pytest.approx([30, 40, 30])
    residents = flow.limited_residents_from_flow(admitted, stay)
    assert residents.item() == pytest.approx(sum(found))
    mean = flow.mean_length_of_stay(residents, flow.admissions(admitted))
    assert mean.item() == pytest.approx(100 / 60)


def test_the_nation_s_onset_has_the_published_rate(nation):
    prevalence, rates = told(nation, "limitation_prevalence"), told(nation, "onset_rates")
    older = (
        xr.DataArray(nation["single_age"], dims=("sex", "age"))
        .assign_coords({dim: rates[dim] for dim in ("sex", "age")})
        .sel(age=slice(65, None))
    )
    cases = (older * rates.sel(age=slice(65, None))).sum(["sex", "age"])
    without = (older * (1 - prevalence.sum("severity")).sel(age=slice(65, None))).sum(
        ["sex", "age"]
    )
    assert (cases / without).values == pytest.approx(nation["adl_onset_rate"].values)


@pytest.mark.parametrize("beds_of_home, stay", [(20, 1.5), (60, 2.3), (127, 3.0)])
def test_the_queue_formula_agrees_with_a_queue_played_through(beds_of_home, stay):
    load = beds_of_home * float(flow.occupancy_for_waiting(beds_of_home, stay, 0.25, 0.9))
    assert float(flow.beds_for_waiting(load * 0.999, stay, 0.25, 0.9)) == beds_of_home
    played = flow.simulated_beds(load, stay, 0.25, 0.9, "test", 8192)
    assert abs(played - beds_of_home) <= max(1, 0.05 * beds_of_home)
    record = flow.simulate_queue(load, beds_of_home, stay, 0.25, "test", 8192)
    assert record.residents == pytest.approx(load, rel=0.05)


def test_erlang_s_delay_formula_gives_the_textbook_value():
    # Two erlangs on three servers: C(3, 2) = 4/9 of those who ask must wait at all.
    assert float(flow.waiting_chance(2.0, 3, 1.0, 0.0)) == pytest.approx(4 / 9)


def test_a_larger_pool_can_be_fuller_and_a_harder_standard_asks_for_more_beds():
    full = flow.occupancy_for_waiting(np.array([20, 50, 127, 500]), 2.3, 0.25, 0.9)
    assert (np.diff(full) > 0).all() and full.max() < 1
    assert (
        flow.beds_for_waiting(100.0, 2.3, 0.25, 0.99)
        >= flow.beds_for_waiting(100.0, 2.3, 0.25, 0.9)
        > 100
    )


def test_both_methods_lead_to_beds_of_the_same_size(results):
    for result in results.values():
        ratio, other = (
            result.table(name, [2035], measure="need")["central"].item()
            for name in ("beds_institution_needed", "beds_from_flow")
        )
        assert 0.6 < other / ratio < 1.6


# Why it changes


@settings(max_examples=60, deadline=None)
@given(number_arrays(float, (16, 4), elements=st.floats(-1e6, 1e6)))
def test_shapley_s_shares_add_up_and_are_the_mean_over_all_orders(values):
    names = ("a", "b", "c", "d")
    code = {name: 1 << place for place, name in enumerate(names)}

    def value(chosen):
        return values[sum(code[name] for name in chosen)]

    shares = decomposition.shapley(names, value)
    assert sum(shares.values()) == pytest.approx(values[15] - values[0], abs=1e-6)
    orders = list(permutations(names))
    for name in names:
        steps = [
            value(frozenset(o[: o.index(name) + 1])) - value(frozenset(o[: o.index(name)]))
            for o in orders
        ]
        assert shares[name] == pytest.approx(np.mean(steps, axis=0), abs=1e-6)


@pytest.fixture(scope="module")
def causes(project):
    return decomposition.decompose(project, "lincang", [2025, 2050], draws=32)


def test_the_causes_add_up_exactly(causes):
    wide = causes.pivot_table("mean", "part", ["outcome", "year"])
    found = wide.loc["start"] + wide.loc[list(decomposition.FACTORS)].sum()
    assert found.values == pytest.approx(wide.loc["end"].values, rel=1e-12)


def test_the_causes_end_where_the_chain_does(project, causes):
    values = (
        chain.run_city(project, "lincang", draws=32).values["beds_total_needed"].sel(measure="need")
    )
    wide = causes[causes["outcome"] == "beds"].pivot_table("mean", "part", "year")
    for year in (2025, 2050):
        assert wide.loc["end", year] == pytest.approx(values.sel(year=year).mean().item(), rel=1e-4)


def test_the_causes_of_cost_begin_and_end_near_the_chain_s_running_cost(project, causes):
    """Near, not at: the chain pays for the people over a year, the causes are told of its last day."""
    items = ["care_worker_pay", "nurse_and_manager_pay", "other_running", "home_care", "day_care"]
    running = (
        chain.run_city(project, "lincang", draws=32)
        .values["cost"]
        .sel(cost_item=items)
        .sum("cost_item")
        .mean("draw")
    )
    wide = causes[causes["outcome"] == "cost_of_care"].pivot_table("mean", "part", "year")
    for year in (2025, 2050):
        assert wide.loc["start", year] == pytest.approx(
            running.sel(year=2020, measure="use").item(), rel=0.03
        )
        assert wide.loc["end", year] == pytest.approx(
            running.sel(year=year, measure="need").item(), rel=0.03
        )


def test_occupancy_moves_no_cost_and_unit_cost_no_beds(causes):
    wide = causes.pivot_table("mean", "part", ["outcome", "year"])
    assert wide.loc["occupancy", "cost_of_care"].abs().max() < 1
    assert wide.loc["unit_cost", "beds"].abs().max() == 0
    assert (wide.loc["ageing"] > 0).all() and (wide.loc["longer_life"] > 0).all()


# Beds under what is decided

PEOPLE_65, ADMITTED, STAY = 20000.0, 0.012, 2.5  # 65+ x admission rate x length of stay: 600 places


def followed(beds, people=PEOPLE_65, years=60, placed=0.0, waiting=0.0):
    beds = np.broadcast_to(np.asarray(beds, float), years)
    asked = np.broadcast_to(people * ADMITTED, years)
    return flow.follow_capacity(asked, np.full(years, STAY), beds, placed, waiting)


def test_people_times_admission_rate_times_stay_is_the_demand_that_a_capacity_path_meets():
    """Made-up inputs, by the equations of care-home demand simulators."""
    demand = PEOPLE_65 * ADMITTED * STAY
    placed, waiting = followed(1000)
    assert placed[-1] == pytest.approx(demand) and not waiting.any()
    path = np.r_[np.full(30, 400), np.full(30, 550)]
    placed, waiting = followed(path)
    assert placed[[29, 59]] == pytest.approx([400, 550])
    assert (placed + waiting)[[29, 59]] == pytest.approx(demand, rel=1e-4)
    one_year = demand * (1 - np.exp(-1 / STAY))
    assert placed[0] == pytest.approx(one_year)


def test_who_loses_a_bed_joins_the_line_and_comes_back_when_one_opens():
    path = np.r_[np.full(30, 700), [300], np.full(20, 700)]
    placed, waiting = followed(path, years=51)
    assert placed[30] == 300 and waiting[30] == pytest.approx(300, rel=1e-3)
    assert placed[31] == pytest.approx(600, rel=1e-3) and waiting[31] == 0


@MANY
@given(st.lists(st.floats(0, 1e4), min_size=5, max_size=5), st.floats(0.2, 9), st.floats(0, 1e4))
def test_nobody_is_placed_without_a_bed_and_no_line_is_below_zero(beds, stay, asked):
    beds = np.array(beds)
    placed, waiting = flow.follow_capacity(
        np.full(5, asked), np.full(5, stay), beds, min(beds[0], 50.0), 20.0
    )
    assert (placed <= beds + 1e-9).all() and (placed >= 0).all() and (waiting >= -1e-9).all()
    room = placed < beds - 1e-6
    assert waiting[room] == pytest.approx(0, abs=1e-6)


def test_decided_openings_and_closures_change_the_counted_beds_in_their_years(project):
    rows = [
        {"year": 2022, "value": 1000},
        {"indicator": "beds_opened", "year": 2027, "value": 120, "bed_type": "nursing"},
        {"indicator": "beds_closed", "year": 2028, "value": 50},
        {"indicator": "beds_converted", "year": 2029, "value": 60, "bed_type": "dementia"},
    ]
    city = made_city("x", 530900, capacity=rows)
    assert faults_of(project, city) == []
    found = calculation_of(project, city, draw_assumptions(project, city, draws=8))
    beds_ = told(found, "beds_decided").sel(measure="need")
    start = beds_.sel(year=2022).sum("bed_type")
    whole = beds_.sum("bed_type")
    assert np.isnan(beds_.sel(year=2021)).all()
    for year, change in ((2026, 0), (2027, 120), (2028, 70), (2029, 70), (2050, 70)):
        assert (whole.sel(year=year) - start).values == pytest.approx(change)
    step = beds_.sel(year=2029) - beds_.sel(year=2028)
    assert step.sel(bed_type="dementia").values == pytest.approx(60)
    line = told(found, "residents_and_waiting").sel(year=slice(2022, None))
    assert (line >= -1e-9).all()
    assert (line.sel(line="placed") <= told(found, "beds_decided").sel(year=line.year) + 1e-6).all()
    gap = told(found, "beds_beyond_decided").sel(measure="need", year=2030)
    needed = told(found, "beds_institution_needed").sel(measure="need", year=2030)
    assert (gap + whole.sel(year=2030)).values == pytest.approx(needed.values)


def test_who_lives_alone_is_a_share_of_those_of_65_and_over(lincang):
    alone, older = told(lincang, "people_living_alone"), told(lincang, "population_65_plus")
    assert (alone / older).sel(year=2035).values == pytest.approx(
        lincang["older_living_alone"].values
    )


def test_running_cost_and_building_are_all_cost(lincang):
    parts = told(lincang, "running_cost_needed") + told(lincang, "building_cost_needed")
    assert parts.values == pytest.approx(told(lincang, "cost_total").values, nan_ok=True)
