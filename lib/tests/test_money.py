"""Care workers, money and who pays: published examples, conservation, monotony."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from given import calculation_of, drawn, made_city, told
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from eldercare.analysis import affordability, compare
from eldercare.engine.arrays import DRAW, Array, labelled, part, sum_over
from eldercare.engine.quantity import PRICE_LEVEL, Calculation
from eldercare.inputs import checks, dated, load, schema
from eldercare.inputs.draws import draw_assumptions
from eldercare.inputs.schema import BED_TYPES, SETTINGS, SEVERITIES
from eldercare.model import chain, costs, financing, services, workforce
from eldercare.model.beds import CONSTRUCTION_TYPES

CENT = 0.01
DRAWS = 128  # random inputs in one example of hypothesis
SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.floats(-6, 9)
LABELS = {
    "severity": SEVERITIES,
    "setting": SETTINGS,
    "bed_type": BED_TYPES,
    "kind": CONSTRUCTION_TYPES,
}
MONEY = (
    "cost",
    "cost_total",
    "payment",
    "public_running",
    "scheme_payment",
    "insurance_benefit_full",
)
quickly = settings(max_examples=30, deadline=None, derandomize=True)


class Told(dict):
    """Assumptions as a test tells them; prices are of the year of the results."""

    def price(self, name, level):
        return self[name]


def chain_of(**values):
    """The chain from these assumptions and quantities on."""
    return Calculation(Told(values), {PRICE_LEVEL: None, **values})


def one(value):
    """A number in the only draw."""
    return drawn([value])


def by(dim, labels=None, **values):
    """Numbers along a dim, in the only draw; nothing at the labels not told."""
    labels = labels or LABELS[dim]
    assert set(values) <= set(labels)
    return drawn([[values.get(label, 0.0) for label in labels]], dim)


def amount(value, **labels):
    """A number at the labels told and nothing at the others, of one measure, year and draw."""
    where = [LABELS[dim].index(label) for dim, label in labels.items()]
    array = np.zeros((1, 1, 1, *(len(LABELS[dim]) for dim in labels)))
    array[(0, 0, 0, *where)] = value
    return drawn(array, "measure", "year", *labels)


# ---- published examples, each beside its page


def test_hangzhou_pays_25_hours_at_60_yuan_that_is_1500_a_month():
    hours = workforce.home_care_hours_needed(
        amount(1, severity="severe", setting="home_service"),
        by("severity", severe=25),
        drawn([[1.0]], "year"),
    )
    cost = costs.cost_of_home_care(hours, home_care_price=one(60), pay_growth=one(1))
    assert cost.item() / 12 == pytest.approx(1_500)  # and 35 hours 2,100
    assert cost.item() / 12 * 35 / 25 == pytest.approx(2_100)


def test_hangzhou_pays_50_yuan_a_day_in_an_institution_that_is_1500_in_30_days():
    people = amount(1, severity="severe", setting="institution")
    found = financing.insurance_benefits(
        people, by("setting", financing.RUNNING, institution=50 * 30)
    )
    assert part(found, setting="institution").item() == pytest.approx(12 * 1_500)
    assert financing.insurance_benefit_full(found).item() == pytest.approx(12 * 1_500)


def test_a_post_kept_day_and_night_takes_4_2_workers_at_40_hours():
    assert workforce.full_time_equivalents(168, 40) == pytest.approx(4.2)
    assert pytest.approx(0.1076, abs=1e-4) == 224 / 2_080  # paid absence of the textbook
    assert pytest.approx(4.65, abs=0.01) == 4.2 * 1.1076


def test_zhengzhou_asks_one_worker_for_10_self_caring_5_partly_3_fully_dependent(project):
    inputs = calculation_of(
        project, load.nation_as_city(), draw_assumptions(project, draws=2)
    ).given
    residents = amount(20, severity="none") + amount(10, severity="mild")
    residents = residents + amount(15, severity="moderate") + amount(9, severity="severe")
    found = Calculation(inputs, {"residents_by_severity": residents.isel(draw=[0, 0])})
    by_standard = found["caregivers_by_standard"]
    strict, lenient = (
        part(by_standard, standard=standard).values.ravel() for standard in workforce.STANDARDS
    )
    assert strict == pytest.approx([2 + 1 + 3 + 3] * 2)
    # Fujian 1:10 and 1:4, nursing-type beds 1:6
    assert lenient == pytest.approx([3 + 15 / 6 + 9 / 4] * 2)


def test_jingzhou_s_500_beds_cost_130_89_million():
    found = chain_of(
        beds_built_by_type_and_kind=amount(500, bed_type="nursing", kind="new"),
        building_cost=by("bed_type", nursing=261_780),
        rebuilding_cost_ratio=one(0.7),
        conversion_cost_ratio=one(0.4),
    )
    assert found["cost_of_new_building"].item() == pytest.approx(130.89e6)
    assert found["cost_of_rebuilding"].item() == found["cost_of_conversion"].item() == 0


def test_fujian_s_2400_yuan_a_year_for_a_nursing_bed_are_200_a_month(project):
    rows = project.city("sanming").assumptions
    row = rows[(rows["assumption"] == "operating_subsidy") & (rows["bed_type"] == "nursing")].iloc[
        0
    ]
    assert row["central"] * 12 == 2_400
    found = financing.operating_subsidies(
        amount(1, bed_type="nursing"), by("bed_type", nursing=200)
    )
    assert found.item() == 2_400


def test_lincang_grants_10000_for_an_own_and_5000_for_a_leased_bed():
    beds = amount(1, bed_type="dementia", kind="new")
    found = chain_of(
        beds_built_by_type_and_kind=beds + amount(1, bed_type="dementia", kind="converted"),
        building_subsidy=one(10_000),
        conversion_subsidy_ratio=one(0.5),
        dementia_bed_subsidy=one(0),
    )
    assert found["subsidy_of_new_building"].item() == 10_000
    assert found["subsidy_of_conversion"].item() == 5_000


def test_a_person_of_80_gets_720_yuan_a_year_in_shengzhou(project):
    assumptions = draw_assumptions(project, project.city("shengzhou"), draws=2)
    rate = assumptions["old_age_allowance"].sel(age_band="80-89")
    assert 12 * rate.values == pytest.approx([720, 720])


def test_voucher_of_2026_covers_half_at_home_two_fifths_in_an_institution_and_at_most_800():
    places = financing.RUNNING
    people = sum(amount(1, severity="moderate", setting=place) for place in places)
    left = drawn([[[[12 * fee for fee in (1_000, 3_000, 4_500)]]]], "measure", "year", "setting")
    found = financing.voucher_paid(
        people,
        running_left=left,
        insurance_paid=left * 0.0,
        voucher_cover=by("setting", places, home_service=0.5, day_care=0.5, institution=0.4),
        voucher_cap=one(800),
        voucher_take_up=one(1),
    )
    assert found.values.ravel() / 12 == pytest.approx([500, 800, 800])


def test_lincang_s_premises_20_square_metres_per_100_households_and_300_at_least():
    assert services.premises_of_estate([0, 500, 1_500, 2_000], 20, 300) == pytest.approx(
        [0, 300, 300, 400]
    )
    assert services.premises_of_estate([1_000, 2_000, 4_000], 15, 300) == pytest.approx(
        [300, 300, 600]
    )
    assert services.households_per_premises(20, 300) == 1_500
    assert services.households_per_premises(15, 300) == 2_000


def test_3_places_per_1000_people_of_lincang_are_6774():
    people = one(2_257_991)
    assert services.childcare_places_promised(people, 3).item() == pytest.approx(6_774, abs=0.5)


def test_lincang_adapts_200_homes_a_year_1000_in_five_years(project):
    table = project.city("lincang").targets
    printed = {name: set(rows["value"]) for name, rows in table.groupby("indicator")}
    assert printed["home_adaptations_per_year"] == {200} and printed["home_adaptations"] == {
        200 * 5
    }


def test_the_national_stock_of_care_workers_and_its_growth_are_those_printed(project):
    rows = project.assumptions.set_index("assumption")
    assert (
        pytest.approx(rows.at["caregiver_stock_per_10000", "central"], abs=0.1)
        == 378_900 / 264.02e6 * 1e4
    )
    assert (
        pytest.approx(rows.at["caregiver_stock_growth", "high"], abs=0.001)
        == (378.9 / 194.1) ** (1 / 6) - 1
    )
    assert rows.at["training_cost", "central"] == 280 * 10 + (500 + 2_000) / 2


def test_a_hundred_next_year_are_92_59_today_at_8_per_cent():
    stream = xr.DataArray([0.0, 100.0], dims="year", coords={"year": [2025, 2026]})
    assert costs.present_value(stream, 0.08, 2025, 2026).item() == pytest.approx(92.59, abs=0.005)
    with pytest.raises(ValueError, match="not all calculated"):
        costs.present_value(stream, 0.08, 2025, 2030)


def test_money_of_the_price_year_is_the_same_in_both_prices():
    years = np.array([2024, 2025, 2026])
    level = costs.price_level(
        known_price_growth=drawn([[0, 0, 0]], "price_year"),
        price_growth=one(0.1),
        known_price_growth_until=2024,
        results_price_year=one(2024),
        price_years=years,
    )
    found = costs.cost_total_nominal(
        drawn([[100, 100]], "year"), costs.price_level_by_year(level, years, years[[0, 2]])
    )
    assert found.values.ravel() == pytest.approx([100, 121])


# ---- who pays: to the cent, never below zero (hypothesis: 30 examples of 128 draws a test)


def random_case(seed, size):
    """Costs, beds, people and assumptions of any size, 128 draws, of one measure and year."""
    chance = np.random.default_rng(seed)

    def array(scale=1.0, **labels):
        values = chance.lognormal(0, 3, [1, 1, *map(len, labels.values()), DRAWS]) * scale
        values *= chance.random(values.shape) > 0.1
        return Array(("measure", "year", *labels, DRAW), values)

    def row(scale=1.0, share=False, **labels):
        shape = [1, *map(len, labels.values()), DRAWS]
        values = chance.random(shape) if share else chance.lognormal(0, 2, shape) * scale
        return Array(("year", *labels, DRAW), values)

    cost = array(10.0**size, cost_item=costs.COST_ITEMS)
    by_item = {item: part(cost, cost_item=item) for item in costs.COST_ITEMS}
    return {
        "building_subsidy": row(5e3),
        "dementia_bed_subsidy": row(5e3),
        "conversion_subsidy_ratio": row(share=True),
        "operating_subsidy": row(100, bed_type=BED_TYPES),
        "public_share_of_community_care": row(share=True),
        "insurance_benefit": row(1e3, setting=financing.RUNNING),
        "insurance_coverage": row(share=True),
        "insurance_system_coverage": row(share=True),
        "public_place_share": row(share=True),
        "voucher_cap": row(800),
        "voucher_cover": row(share=True, setting=financing.RUNNING),
        "voucher_take_up": row(share=True),
        "province_share_of_subsidies": row(share=True),
        "lottery_share_of_subsidies": row(share=True),
        **{f"cost_of_{item}": money for item, money in by_item.items()},
        "institution_running_cost": sum(by_item[item] for item in costs.STAFF_ITEMS),
        "residents": array(10, bed_type=BED_TYPES),
        "population_60_plus": row(50),
        "beds_built_by_type_and_kind": array(10, bed_type=BED_TYPES, kind=CONSTRUCTION_TYPES),
        "people_by_severity_and_setting": array(10, severity=SEVERITIES, setting=SETTINGS),
    }


def settle(case):
    found = chain_of(**case)
    return SimpleNamespace(
        total=sum_over(found["cost"], "cost_item").values,
        costs=found["cost"].values,
        public=found["subsidies"].values,
        left=found["running_left"].values,
        insurance=found["insurance_paid"].values,
        vouchers=found["voucher_paid"].values,
        paid=found["payment"],
        families=part(found["payment"], payer="families").values,
    )


@quickly
@given(SEEDS, SIZES)
def test_the_payers_pay_the_cost_to_the_cent_and_nobody_less_than_nought(seed, size):
    found = settle(random_case(seed, size))
    room = np.maximum(1e-12 * found.total, 1e-9)  # rounding of a sum of large numbers
    assert (abs(sum_over(found.paid, "payer").values - found.total) <= room).all()
    assert (found.paid.values >= -room[:, :, None]).all()


@quickly
@given(SEEDS, SIZES)
def test_nobody_pays_more_than_there_is_to_pay(seed, size):
    found = settle(random_case(seed, size))
    assert (found.public <= found.costs).all() and (found.public >= 0).all()
    room = 1e-9 * (1 + found.left)
    assert (found.insurance + found.vouchers <= found.left + room).all()
    assert min(found.insurance.min(), found.vouchers.min()) >= 0


@quickly
@given(
    SEEDS,
    SIZES,
    st.sampled_from(
        [
            "operating_subsidy",
            "insurance_benefit",
            "insurance_system_coverage",
            "voucher_cap",
            "voucher_take_up",
        ]
    ),
)
def test_more_help_never_costs_families_more(seed, size, name):
    case = random_case(seed, size)
    before = settle(case)
    most = 1 if name.endswith(("up", "coverage")) else np.inf
    after = settle({**case, name: np.minimum(case[name] * 1.5, most)})
    assert (after.families <= before.families + 1e-9 * (1 + before.total)).all()


@quickly
@given(SEEDS, SIZES)
def test_running_costs_add_up_whatever_the_staff(seed, size):
    chance = np.random.default_rng(seed)
    workers = Array(("measure", "year", DRAW), 10.0**size * chance.random((1, 1, DRAWS)))
    pay = Array(("year", DRAW), chance.random((1, DRAWS)) * 5)
    ratio = Array((DRAW,), chance.random(DRAWS) * 5)
    share = Array((DRAW,), chance.uniform(0.2, 1, DRAWS))
    found = chain_of(
        caregivers_in_institutions=workers,
        nurses_and_managers=workers * Array(("staff", DRAW), chance.random((2, DRAWS)) * 2),
        pay_per_worker=pay,
        pay_share_of_running_cost=share,
        staff_wage_ratio=ratio,
    )
    parts = [found[f"cost_of_{item}"].values for item in costs.STAFF_ITEMS]
    assert sum(parts) == pytest.approx((workers * pay / share).values)
    assert min(item.min() for item in parts) >= -1e-9 * 10.0**size


# ---- care workers year by year


def random_rates(chance, count=DRAWS):
    leaving = chance.uniform(0, 0.9, count)
    return workforce.TurnoverRates(
        leaving,
        np.minimum(chance.uniform(0, 0.2, count), 1 - leaving),
        chance.uniform(0, 0.9, count),
    )


@quickly
@given(SEEDS, SIZES, st.integers(1, 30))
def test_the_solved_intake_meets_the_goal_and_nobody_is_lost(seed, size, years):
    chance = np.random.default_rng(seed)
    rates, scale = random_rates(chance), 10.0**size
    stock, left = scale * chance.random((2, DRAWS))
    goal = scale * 3 * chance.random(DRAWS)
    trained = workforce.required_training(goal, stock, left, rates, years)
    rest = workforce.stock_without_training(stock, left, rates, years)
    assert (trained >= 0).all()
    for _ in range(years):
        step = workforce.next_year(stock, left, trained, rates)
        came, went = step["trained"] + step["returning"], step["leaving"] + step["retiring"]
        assert step["stock"] == pytest.approx(stock + came - went, rel=1e-12, abs=1e-12 * scale)
        assert min(step[name].min() for name in ("stock", *workforce.FLOWS)) >= -1e-12 * scale
        stock, left = step["stock"], step["leaving"]
    assert stock == pytest.approx(np.maximum(goal, rest), rel=1e-9, abs=1e-9 * scale)


@quickly
@given(SEEDS, st.floats(0, 0.2))
def test_today_s_intake_keeps_the_stock_growing(seed, growth):
    chance = np.random.default_rng(seed)
    rates, stock = random_rates(chance), 100 * chance.random(DRAWS) + 1
    trained = workforce.training_that_keeps_growth(stock, growth, rates)
    before = stock / (1 + growth)
    left = rates.leaving * before / (1 + growth)
    assert (trained >= -1e-9).all()
    assert workforce.next_year(before, left, trained, rates)["stock"] == pytest.approx(stock)


def test_the_closed_form_agrees_with_a_search():
    rates = workforce.TurnoverRates(*(np.array([value]) for value in (0.3, 0.05, 0.4)))
    stock, left = np.array([300.0]), np.array([80.0])

    def missing(trained):
        now, gone = stock, left
        for _ in range(11):
            step = workforce.next_year(now, gone, np.array([trained]), rates)
            now, gone = step["stock"], step["leaving"]
        return 1_000 - now[0]

    searched = brentq(missing, 0, 5_000, xtol=1e-9)
    assert workforce.required_training(np.array([1_000.0]), stock, left, rates, 11)[
        0
    ] == pytest.approx(searched)


def test_a_goal_must_lie_ahead():
    rates = random_rates(np.random.default_rng(1), 1)
    with pytest.raises(ValueError, match="ahead"):
        workforce.required_training(np.ones(1), np.ones(1), np.ones(1), rates, 0)


def test_the_more_leave_the_more_must_be_trained():
    shares = np.linspace(0.1, 0.6, 20)
    rates = workforce.TurnoverRates(shares, np.full(20, 0.05), np.full(20, 0.4))
    trained = workforce.required_training(
        np.full(20, 900.0), np.full(20, 300.0), np.full(20, 80.0), rates, 10
    )
    assert (np.diff(trained) > 0).all()


def test_the_stored_workforce_adds_up_in_every_city_and_meets_need_by_the_end_of_the_programme(
    results,
):
    for result in results.values():
        values = result.values
        stock, flow = (
            values["caregivers_stock"].sel(path="programme").astype(float),
            values["caregiver_flow"].astype(float),
        )
        came = flow.sel(flow=["trained", "returning"]).sum("flow") - flow.sel(
            flow=["leaving", "retiring"]
        ).sum("flow")
        later = stock.isel(year=slice(1, None))
        assert later.values == pytest.approx(
            (stock.shift(year=1) + came).isel(year=slice(1, None)).values, rel=1e-5
        )
        needed = values["caregivers_total_needed"].sel(measure="need")
        assert (stock.sel(year=2035) >= needed.sel(year=2035) * (1 - 1e-5)).all()
        assert (stock.sel(year=2050) >= needed.sel(year=2050) * (1 - 1e-5)).all()


def test_certified_workers_by_grade_add_up_and_the_strict_standard_takes_no_fewer(results):
    for result in results.values():
        workers = result.values["caregivers_total_needed"].sel(measure="need", year=2035)
        grades = result.quantity("certified_by_grade").sel(measure="need", year=2035)
        certified = workers * result.assumptions["caregiver_certified_share"]
        assert grades.sum("grade").values == pytest.approx(certified.values)
        assert (grades >= 0).all()
        standard = result.values["caregivers_by_standard"]
        assert (standard.sel(standard="strict") >= standard.sel(standard="lenient")).all()


# ---- affordability


def brute_force(paid_for, probability, levels):
    return next(level for level in levels if paid_for(level).mean() >= probability)


@pytest.mark.parametrize("probability", [0.05, 0.5, 0.8, 0.95, 1.0])
def test_the_premium_is_that_of_brute_force(probability):
    chance = np.random.default_rng(3)
    benefits, people = chance.lognormal(15, 0.4, 1_000), chance.uniform(2e5, 3e5, 1_000)
    found = affordability.break_even_premium(benefits, people, probability)
    levels = np.geomspace(1, 1_000, 200_000)
    assert found == pytest.approx(
        brute_force(lambda x: people * x >= benefits, probability, levels), rel=1e-3
    )


@pytest.mark.parametrize("kind", ["subsidy", "premium", "co_payment"])
def test_the_level_of_a_city_is_that_of_sorting_and_rises_with_the_probability(results, kind):
    for result in results.values():
        levels = [
            affordability.break_even_level(result, kind, 2035, p)
            for p in (0.1, 0.4, 0.6, 0.8, 0.95, 1)
        ]
        assert (np.diff(levels) >= 0).all() and levels[-1] > levels[0] >= 0
        need = result.values.sel(measure="need", year=2035).astype(float)
        running = need["cost"].sel(cost_item=list(costs.STAFF_ITEMS)).sum("cost_item")
        if kind == "premium":
            wanted = need["insurance_benefit_full"] / need["population_total"]
        elif kind == "subsidy":
            beds = need["residents"].sum("bed_type") * 12
            fee = result.price("affordable_fee")
            wanted = (running - need["scheme_payment_institution"]) / beds - fee
        else:
            care = running + need["cost"].sel(cost_item=["home_care", "day_care"]).sum("cost_item")
            wanted = 1 - (need["public_running"] + need["scheme_payment"]) / care
        ordered = np.sort(np.maximum(wanted.values, 0))
        brute = ordered[int(np.ceil(0.8 * len(ordered))) - 1]
        assert affordability.break_even_level(result, kind, 2035, 0.8) == pytest.approx(
            brute, rel=1e-3
        )


@quickly
@given(SEEDS, st.floats(0.01, 1))
def test_the_level_pays_with_the_probability_and_a_little_less_does_not(seed, probability):
    wanted = np.random.default_rng(seed).lognormal(3, 2, DRAWS)
    found = affordability.solve_level(lambda level: level >= wanted, probability)
    assert (found >= wanted).mean() >= probability
    assert (found * (1 - 1e-6) >= wanted).mean() < probability


@pytest.mark.parametrize("probability", [0, -0.1, 1.01])
def test_a_probability_outside_0_to_1_is_refused(probability):
    with pytest.raises(ValueError, match="probability"):
        affordability.solve_level(lambda level: np.array([True]), probability)


def test_what_no_level_pays_is_told():
    with pytest.raises(ValueError, match="no level"):
        affordability.solve_level(lambda level: np.array([False]), 0.8)


# ---- the cities


def money_of(project, city, assumptions):
    """The money of a city in full precision, of the years of its results."""
    found = calculation_of(project, city, assumptions)
    money = labelled({name: found[name] for name in MONEY}, found["years"])
    return money.sel(year=slice(chain.first_year(city), None))


@pytest.fixture(scope="module")
def blocks(project):
    """The money of all cities in full precision."""
    return {
        city_id: money_of(project, city, draw_assumptions(project, city, draws=16))
        for city_id, city in project.cities.items()
    }


def test_in_every_draw_year_and_city_the_payers_pay_the_cost_to_the_cent(blocks):
    for block in blocks.values():
        gap = abs(block["payment"].sum("payer", skipna=False) - block["cost_total"])
        assert gap.values.max() < CENT / 2  # nor is any missing
        assert block["payment"].values.min() > -CENT / 2
        items = abs(block["cost"].sum("cost_item", skipna=False) - block["cost_total"])
        assert items.values.max() < CENT / 2


def test_no_voucher_is_paid_before_2026_and_some_in_it(blocks):
    shengzhou = blocks["chishui"]["scheme_payment"].sel(measure="need")
    assert (shengzhou.sel(year=2025) == 0).all() and (shengzhou.sel(year=2026) > 0).all()


def test_a_plan_of_the_area_stands_until_the_national_system_overtakes_it(project):
    def rows(name, by_year):
        shares = [{"low": share, "central": share, "high": share} for share in by_year.values()]
        return [
            {"assumption": name, "shape": "fixed", "year_from": year, **share}
            for year, share in zip(by_year, shares)
        ]

    own = rows("insurance_coverage", {np.nan: 0.0, 2025: 0.5})
    system = rows("insurance_system_coverage", {np.nan: 0.0, 2026: 0.2, 2030: 0.8})
    adcode = project.city("lincang").adcode
    city = made_city("planned", adcode, assumptions=[*own, *system])
    found = told(
        calculation_of(project, city, draw_assumptions(project, city, draws=2)),
        "insurance_coverage_in_force",
    )
    at = found.isel(draw=0).sel(year=[2020, 2025, 2026, 2029, 2030, 2050])
    assert at.values == pytest.approx([0, 0.5, 0.5, 0.5, 0.8, 0.8])


def test_in_every_area_insurance_pays_from_2026_on_and_ever_more_of_the_full_benefits(
    blocks, foreign_block
):
    for name, block in {**blocks, "foreign": foreign_block}.items():
        paid = block["payment"].sel(payer="insurance")
        assert (paid.sel(year=slice(2027, None)).median("draw") > 0).all(), name
        assert (
            paid.sel(year=2035, measure="need").quantile([0.1, 0.9], "draw").diff("quantile") > 0
        ).all(), name
        share = paid / block["insurance_benefit_full"]
        later = share.sel(year=[2027, 2030, 2035], measure="use").mean("draw").values
        assert (np.diff(later) > 0).all() and later[-1] < 1, name
    assert float(blocks["chishui"]["payment"].sel(payer="insurance", year=2025).max()) == 0


@pytest.fixture(scope="module")
def foreign_block(project):
    """A city without a folder: nothing but the nation's rows."""
    wuhan = replace(load.nation_as_city(), city_id="wuhan", adcode=420100)
    return money_of(project, wuhan, draw_assumptions(project, wuhan, draws=16))


def test_payers_follow_rows_by_year_of_every_assumption_that_may_have_them(project):
    city = project.city("lincang")
    assumptions = draw_assumptions(project, city, draws=2)
    before, chosen = money_of(project, city, assumptions), assumptions.rows
    by_year = set(dated.BY_YEAR) - {
        "known_pay_growth",
        "known_price_growth",
    }  # what is published of the past does not begin in 2040
    rows = chosen[chosen["assumption"].isin(by_year)].drop_duplicates(
        ["assumption", *schema.ASSUMPTION_KEYS], keep="last"
    )
    later = rows.assign(
        year_from=2040.0,
        low=rows["low"] * 0.8,
        central=rows["central"] * 0.8,
        high=rows["high"] * 0.8,
    )
    changed = replace(
        project,
        scenarios={
            **project.scenarios,
            "later": later[list(project.assumptions.columns)].assign(city_id=""),
        },
    )
    assumptions = draw_assumptions(changed, city, "later", draws=2)
    assert by_year <= {
        name for name in set(rows["assumption"]) if "year_from" in assumptions[name].dims
    }
    after = money_of(project, city, assumptions)
    for block in (before, after):
        gap = abs(block["payment"].sum("payer", skipna=False) - block["cost_total"])
        assert gap.values.max() < CENT / 2
    same = slice(2021, 2039)
    assert after["payment"].sel(year=same).values == pytest.approx(
        before["payment"].sel(year=same).values, rel=1e-9
    )
    assert (after["payment"] != before["payment"]).sel(year=2045, measure="need").all("draw").all()


def test_the_destitute_in_homes_are_as_many_whatever_the_measure_and_their_places_are_paid_whole(
    blocks,
):
    for block in blocks.values():
        public = block["public_running"].sel(year=2035)
        assert (public.sel(measure="need") >= public.sel(measure="use")).all()
    found = financing.public_place_part(
        amount(10, bed_type="nursing"), drawn([[1_000]], "year"), one(0.004)
    )
    assert found.item() == pytest.approx(0.4)


def test_subsidies_of_11_97_million_at_155_yuan_are_22_billion():
    found = costs.service_subsidies(
        drawn([[310.31e6]], "year"),
        service_subsidy=one(155),
        service_subsidy_share=one(11.966 / 310.31),
    )
    assert found.item() == pytest.approx(22.26e9, rel=0.001)


@pytest.fixture(scope="module")
def national_money(project):
    return compare.compare_money(project, draws=128)


def test_the_nation_s_public_money_is_near_the_published_sums(project, national_money):
    published = project.china.published_money
    assert list(national_money["series"]) == list(published["series"]) and set(
        published["series"]
    ) == set(checks.PUBLISHED_MONEY)
    assert national_money["ratio"].between(0.6, 1.6).all()
    assert (national_money["low"] < national_money["high"]).all()


def test_no_public_money_of_the_nation_is_in_two_sums_or_in_none(project):
    nation = load.nation_as_city()
    found = calculation_of(project, nation, draw_assumptions(project, nation, draws=2))
    sums = compare.public_money(found)
    families = part(found["payment"], measure="use", payer="families")
    year = 2024 - int(found["years"][0])
    assert (sum(sums.values()) + families).isel(year=year).values == pytest.approx(
        part(found["cost_total"], measure="use").isel(year=year).values
    )


def test_lincang_s_promise_of_places_is_met_and_not_filled(results):
    values = results["lincang"].values.sel(year=2025)
    places = services.childcare_places_promised(values["population_total"], 3)
    filled = services.filled_share(values["childcare_places_used"], places)
    assert 0.4 < float(filled.median()) < 0.9 and float(filled.max()) <= 1
    assert (values["childcare_places_wanted"] > values["childcare_places_used"]).all()


def test_a_premium_of_the_size_printed_pays_the_benefits_of_hangzhou_s_rules(results):
    # Hangzhou asks 90 yuan a person and year; Shengzhou, in the same province, is older.
    assert 45 < affordability.break_even_level(results["shengzhou"], "premium", 2025, 0.5) < 180
