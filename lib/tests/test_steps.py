"""The steps after the population: nobody is lost, the sums add up, and known totals are met."""

import numpy as np
import pytest
import xarray as xr
from given import calculation_of, drawn, told

from eldercare.engine.arrays import part
from eldercare.engine.quantity import Calculation
from eldercare.inputs.draws import draw_assumptions
from eldercare.inputs.load import nation_as_city
from eldercare.model import beds, chain, need, settings

# China CDC, survey of 2018: any limitation in daily living, per cent.
ANY_LIMITATION_2018 = {"65-74": 3.78, "75-84": 9.74, "85+": 42.28}
BANDS = list(ANY_LIMITATION_2018)


@pytest.fixture(scope="module")
def steps(project):
    """Lincang, step by step, in full precision."""
    city = project.city("lincang")
    return calculation_of(project, city, draw_assumptions(project, city, draws=64))


def band_means(china, curve):
    weights = need.survey_weights(china)
    limits = [need.age_band_limits(band) for band in BANDS]
    return [
        np.average(curve[low : high + 1], weights=weights[low : high + 1]) for low, high in limits
    ]


@pytest.mark.parametrize("severity", need.LIMITED)
def test_smooth_prevalence_has_the_published_rate_in_each_band(project, china, severity):
    rows = project.assumptions.query("assumption == 'adl_prevalence' and severity == @severity")
    rates = rows.set_index("age_band").loc[BANDS, "central"].to_numpy()
    curve = need.smooth_prevalence(BANDS, rates, need.survey_weights(china))
    assert band_means(china, curve) == pytest.approx(rates, rel=1e-6)
    assert (np.diff(curve[65:98]) > 0).all()
    assert set(curve[97:]) == {curve[97]}


def test_all_severities_together_have_the_published_rate_of_any_limitation(project, china):
    rows = project.assumptions[project.assumptions["assumption"] == "adl_prevalence"]
    fixed = draw_assumptions(project, draws=2)
    central = {key: rates["central"].to_numpy() for key, rates in rows.groupby("severity")}
    assert set(central) == set(need.LIMITED) == set(fixed["adl_prevalence"]["severity"].values)
    curves = [
        need.smooth_prevalence(BANDS, central[s], need.survey_weights(china)) for s in need.LIMITED
    ]
    found = 100 * np.array(band_means(china, sum(curves)))
    assert found == pytest.approx(list(ANY_LIMITATION_2018.values()), abs=0.02)


def test_people_by_severity_add_up_to_all_of_60_and_over(steps):
    severity = steps["people_by_severity"]
    assert severity.sum("severity").values == pytest.approx(steps["population_60_plus"].values)
    assert severity.min() > 0


def test_nobody_below_60_counts_as_in_need(steps):
    prevalence = told(steps, "limitation_prevalence")
    assert prevalence.sel(age=slice(0, 59)).sum() == 0
    assert prevalence.sel(age=60).min() > 0


def test_a_drift_of_nought_is_no_drift_and_begins_in_the_year_of_the_survey(steps):
    drift = steps["adl_prevalence_drift"]
    factor = need.adl_drift(drift, np.array([2018, 2019]))
    assert set(factor.isel(year=0).values) == {1.0}
    assert factor.isel(year=1).values == pytest.approx(1 + drift.values)
    assert set(need.adl_drift(drift * 0, np.array([2018, 2019])).values.ravel()) == {1.0}


def test_places_of_care_add_up_to_the_people(steps):
    found = told(steps, "people_by_severity_and_setting").sum("setting")
    people = told(steps, "people_by_severity")
    assert set(found["measure"].values) == set(settings.MEASURES)
    for measure in settings.MEASURES:
        one = found.sel(measure=measure).transpose(*people.dims)
        assert one.values == pytest.approx(people.values)


def test_shares_that_come_to_more_than_everyone_are_cut_down():
    # Home service, day care, institution.
    outside = drawn([[[0.9, 0.0, 0.6]]], "severity", "setting")
    no_change = drawn([1.0]), drawn([[1.0]], "year")
    place = drawn([[[1.0] * 3]], "year", "setting")
    need_shares = drawn([[[[0.3, 0.0, 0.2]]]], "year", "severity", "setting")
    shares = settings.setting_shares(
        outside, place, no_change[1], need_shares, *no_change, settings.MEASURES
    )
    assert shares.sum("setting").values == pytest.approx(1)
    assert part(shares, measure="use").values.ravel() == pytest.approx([0, 0.6, 0, 0.4])
    assert part(shares, measure="need", setting="family").values == pytest.approx(0.5)


def test_residents_by_bed_type_add_up_to_the_residents(steps):
    inside = told(steps, "people_by_severity_and_setting").sel(setting="institution")
    assert told(steps, "residents").sum("bed_type").values == pytest.approx(
        inside.sum("severity").values
    )


def test_beds_times_occupancy_are_the_residents(steps):
    found = steps["beds_needed"] * steps["target_occupancy"]
    assert found.values == pytest.approx(steps["residents"].values)


@pytest.mark.parametrize("occupancy", [0.0, -0.2, 1.01, 75.0])
def test_an_occupancy_outside_0_to_1_is_refused(occupancy):
    with pytest.raises(ValueError, match="occupancy"):
        beds.beds_at_occupancy(drawn([100, 100]), drawn([0.8, occupancy]))


def test_full_beds_are_as_many_as_residents():
    assert beds.beds_at_occupancy(drawn([100]), drawn([1])).item() == 100


def test_more_severe_people_never_need_fewer_nursing_beds(steps):
    def special(residents):
        known = {"residents_by_severity": residents}
        by_type = Calculation(steps.given, known)["residents"]
        return part(by_type, bed_type=["nursing", "dementia"]).sum("bed_type").values

    before = told(steps, "residents_by_severity")
    moved = before.copy()
    moved.loc[{"severity": "severe"}] += 0.5 * moved.sel(severity="mild", drop=True)
    moved.loc[{"severity": "mild"}] *= 0.5
    assert (special(moved.variable) > special(before.variable)).all()


def beds_built(counts, stock):
    """Beds to be built a year, of general beds needed from 2020 on; all that stand are in
    institutions.
    """
    found = beds.bed_programme(
        drawn([[[[count] for count in counts]]], "measure", "year", "bed_type"),
        None if stock is None else beds.Stock(stock, 2020),
        np.arange(2020, 2020 + len(counts)),
        bed_life=drawn([25]),
        building_programme_years=drawn([2]),
        building_programme_first_year=drawn([2021]),
        institution_share_of_beds=drawn([1]),
    )
    return beds.beds_built(found).values.ravel()


def test_beds_built_are_growth_renewal_and_the_gap_while_the_programme_lasts():
    found = beds_built((100, 110, 105, 105), 60.0)
    assert np.isnan(found[0])
    # 60 stand, 100 are needed: half of the gap of 40 is closed by 2021, all by 2022; a 25th part
    # wears out.
    assert found[1:] == pytest.approx([110 - 20 - 60 + 60 / 25, 105 - 90 + 90 / 25, 105 / 25])


@pytest.mark.parametrize(
    "stock, built",
    [(None, [14, 0]), (100.0, [14, 0]), (120.0, [0, 0]), (500.0, [0, 0])],
    ids=["unknown", "enough", "a little more than enough", "more than enough"],
)
def test_no_gap_is_closed_where_none_is_known_and_none_is_built_beyond_need(stock, built):
    assert beds_built((100, 110, 105), stock)[1:] == pytest.approx(built)


def test_the_items_of_cost_add_up(steps):
    found = steps["cost"].sum("cost_item", skipna=False).values
    assert found == pytest.approx(steps["cost_total"].values, nan_ok=True)


def test_the_payers_together_pay_the_cost(project, steps):
    found = told(steps, "payment").sum("payer", skipna=False)
    total = told(steps, "cost_total")
    assert found.values == pytest.approx(total.values, rel=1e-12, nan_ok=True)
    first = chain.first_year(project.city("lincang"))
    assert np.isfinite(found.sel(year=slice(first + 1, None))).all()


def test_the_stored_payers_together_pay_the_stored_cost(results):
    for result in results.values():
        found = result.values["payment"].sum("payer", skipna=False).values
        assert found == pytest.approx(result.values["cost_total"].values, rel=1e-5, nan_ok=True)


class Printed(dict):
    """Assumptions of which each is printed in prices of 2022."""

    def price_year(self, _name):
        return xr.DataArray(2022.0)


class MadeInputs(chain.CityInputs):
    """Where a chain starts, without an area."""

    def __init__(self, assumptions, price_years):
        self.assumptions, self.price_years = assumptions, np.array(price_years)


def test_a_price_is_brought_to_the_year_of_the_results():
    one = {
        name: xr.DataArray([value], dims="draw")
        for name, value in {
            "fee": 100.0,
            "known_price_growth": 0.1,
            "price_growth": 0.7,
            "results_price_year": 2024.0,
        }.items()
    }
    inputs = MadeInputs(Printed(one), [2022, 2023, 2024, 2025])
    level = Calculation(inputs)["price_level"]
    assert inputs.price("fee", level).item() == pytest.approx(121)


def test_today_s_use_of_institutions_is_that_of_the_nation(project):
    nation = calculation_of(
        project, nation_as_city(), draw_assumptions(project, draws=256), last_year=2024
    )
    used = told(nation, "residents_by_severity").sel(measure="use", year=2024).sum("severity")
    older = told(nation, "population_60_plus").sel(year=2024)
    share = 100 * (used / older).median("draw").item()
    # Bulletin on ageing of 2024: 2.30 million residents among 310 million people of 60 and over.
    assert share == pytest.approx(0.74, abs=0.05)


def test_need_is_never_less_than_use_in_the_middle(results):
    for result in results.values():
        table = result.table("beds_total_needed").pivot(
            index="year", columns="measure", values="central"
        )
        assert (table["need"] > table["use"]).all()


# Below zero where more beds stand than are needed.
MAY_BE_NEGATIVE = {"beds_beyond_decided"}
# Not known before the count of what stands, nor where none is collected.
FROM_THE_COUNT_ON = {
    "beds_decided",
    "residents_and_waiting",
    "beds_left_empty",
    "beds_beyond_decided",
}


def test_nothing_is_negative(results):
    for result in results.values():
        for name, array in result.values.data_vars.items():
            below = (array < 0).any()
            assert not below or name in MAY_BE_NEGATIVE, f"{result.city.city_id}: {name}"


def test_only_what_is_built_is_unknown_in_the_first_year(results):
    built = {
        "beds_built",
        "beds_built_by_kind",
        "cost",
        "cost_total",
        "building_cost_needed",
        "payment",
    }
    for result in results.values():
        holes = {name for name, array in result.values.data_vars.items() if array.isnull().any()}
        assert holes <= built | FROM_THE_COUNT_ON
        for name in FROM_THE_COUNT_ON:
            known = ~result.values[name].isnull().all(
                [d for d in result.values[name].dims if d != "year"]
            )
            assert (known.values[:-1] <= known.values[1:]).all()
        later = result.values.isel(year=slice(1, None)).drop_vars(FROM_THE_COUNT_ON)
        assert not any(array.isnull().any() for array in later.data_vars.values())
