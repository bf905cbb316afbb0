"""The steps after the population: nobody is lost, the sums add up, and known totals are met."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from eldercare.inputs.draws import draw_assumptions
from eldercare.inputs.load import NATION
from eldercare.model import area as area_step
from eldercare.model import beds, chain, funding, need, places, population

# China CDC, survey of 2018: any limitation in daily living, per cent.
ANY_LIMITATION_2018 = {"65-74": 3.78, "75-84": 9.74, "85+": 42.28}
BANDS = list(ANY_LIMITATION_2018)


def chain_until_places(project, city, adcode, draws, last_year):
    china = project.china
    assumptions = draw_assumptions(project, city, draws=draws)
    people = population.project_area(
        china, area_step.describe_area(china, adcode), assumptions, last_year
    )
    years = people["year"].values
    factor = need.drift(assumptions, "adl_prevalence_drift", years, need.SURVEY_YEAR)
    limited = need.care_need(people, need.adl_prevalence(china, assumptions), factor)
    older = population.people_in(people, 60)
    severity = need.by_severity(older, limited)
    gap = places.family_care_gap(china, adcode, assumptions)
    by_place = places.people_by_setting(severity, places.setting_shares(assumptions, gap))
    return SimpleNamespace(
        assumptions=assumptions,
        people=people,
        limited=limited,
        severity=severity,
        by_place=by_place,
        older=older,
        residents=by_place.sel(setting="institution", drop=True),
    )


@pytest.fixture(scope="module")
def steps(project):
    """Lincang, step by step, in full precision."""
    city = project.city("lincang")
    return chain_until_places(project, city, city.adcode, 64, 2050)


@pytest.fixture(scope="module")
def block(project, steps):
    """All results of Lincang in full precision."""
    city = project.city("lincang")
    area = area_step.describe_area(project.china, city.adcode)
    return chain.run_block(project.china, city, area, steps.assumptions)


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
    assert steps.severity.sum("severity").values == pytest.approx(steps.older.values)
    assert steps.severity.values.min() > 0


def test_nobody_below_60_counts_as_in_need(project, china, steps):
    prevalence = need.adl_prevalence(china, steps.assumptions)
    assert prevalence.sel(age=slice(0, 59)).sum() == 0
    assert prevalence.sel(age=60).min() > 0


def test_a_drift_of_nought_is_no_drift_and_begins_in_the_year_of_the_survey(steps):
    factor = need.drift(steps.assumptions, "adl_prevalence_drift", [2018, 2019], 2018)
    assert set(factor.sel(year=2018).values) == {1.0}
    yearly = 1 + steps.assumptions["adl_prevalence_drift"].values
    assert factor.sel(year=2019).values == pytest.approx(yearly)


def test_places_of_care_add_up_to_the_people(steps):
    found = steps.by_place.sum("setting").transpose("measure", "draw", "year", "severity").values
    assert found == pytest.approx(np.stack([steps.severity.values] * 2))


def test_shares_that_come_to_more_than_everyone_are_cut_down():
    outside = xr.DataArray(
        [[0.9, 0.6, 0.0]],
        dims=("draw", "setting"),
        coords={"setting": ["home_service", "institution", "day_care"]},
    )
    shares = places.setting_shares(
        {"setting_use_share": outside, "setting_need_share": outside / 3}
    )
    assert shares.sum("setting").values == pytest.approx(1)
    assert shares.sel(measure="use").values.ravel() == pytest.approx([0, 0.6, 0, 0.4])
    assert shares.sel(measure="need", setting="family").values == pytest.approx(0.5)


def test_residents_by_bed_type_add_up_to_the_residents(steps, block):
    assert block["residents"].sum("bed_type").values == pytest.approx(
        steps.residents.sum("severity").values
    )


def test_beds_times_occupancy_are_the_residents(steps, block):
    found = block["beds_needed"] * steps.assumptions["target_occupancy"]
    assert found.transpose(*block["residents"].dims).values == pytest.approx(
        block["residents"].values
    )


@pytest.mark.parametrize("occupancy", [0.0, -0.2, 1.01, 75.0])
def test_an_occupancy_outside_0_to_1_is_refused(occupancy):
    one = xr.DataArray([100.0, 100.0], dims="draw")
    with pytest.raises(ValueError, match="occupancy"):
        beds.beds(one, xr.DataArray([0.8, occupancy], dims="draw"))


def test_full_beds_are_as_many_as_residents():
    one = xr.DataArray([100.0], dims="draw")
    assert beds.beds(one, xr.DataArray([1.0], dims="draw")).item() == 100


def test_more_severe_people_never_need_fewer_nursing_beds(steps):
    def special(residents):
        by_type = beds.residents_by_bed_type(residents, steps.assumptions)
        return by_type.sel(bed_type=["nursing", "dementia"]).sum("bed_type").values

    moved = steps.residents.copy()
    moved.loc[{"severity": "severe"}] += 0.5 * moved.sel(severity="mild", drop=True)
    moved.loc[{"severity": "mild"}] *= 0.5
    assert (special(moved) > special(steps.residents)).all()


def made_up_beds(*counts):
    years = range(2020, 2020 + len(counts))
    array = xr.DataArray(np.array(counts, float), dims="year", coords={"year": list(years)})
    return array.expand_dims(draw=[0], measure=["need"], bed_type=["general"]).transpose(
        "draw", "measure", "year", "bed_type"
    )


BUILDING = {
    "bed_life": xr.DataArray([25.0], dims="draw"),
    "building_programme_years": xr.DataArray([2.0], dims="draw"),
    "building_programme_first_year": xr.DataArray([2021.0], dims="draw"),
}


def test_beds_built_are_growth_renewal_and_the_gap_while_the_programme_lasts():
    found = beds.beds_to_build(
        made_up_beds(100, 110, 105, 105), 60.0, 2020, BUILDING
    ).values.ravel()
    assert np.isnan(found[0])
    # 60 stand, 100 are needed: half of the gap of 40 is closed by 2021, all by 2022; a 25th part wears out.
    assert found[1:] == pytest.approx([110 - 20 - 60 + 60 / 25, 105 - 90 + 90 / 25, 105 / 25])


@pytest.mark.parametrize(
    "stock, built",
    [(None, [14, 0]), (100.0, [14, 0]), (500.0, [0, 0])],
    ids=["unknown", "enough", "more than enough"],
)
def test_no_gap_is_closed_where_none_is_known_and_none_is_built_beyond_need(stock, built):
    found = beds.beds_to_build(made_up_beds(100, 110, 105), stock, 2020, BUILDING).values.ravel()
    assert found[1:] == pytest.approx(built)


def test_the_items_of_cost_add_up(block):
    found = block["cost"].sum("cost_item", skipna=False).values
    assert found == pytest.approx(block["cost_total"].values, nan_ok=True)


def test_the_payers_together_pay_the_cost(block):
    found = block["payment"].sum("payer", skipna=False).values
    assert found == pytest.approx(block["cost_total"].values, rel=1e-12, nan_ok=True)
    assert np.isfinite(found[:, :, 1:]).all()


def test_the_stored_payers_together_pay_the_stored_cost(results):
    for result in results.values():
        found = result.values["payment"].sum("payer", skipna=False).values
        assert found == pytest.approx(result.values["cost_total"].values, rel=1e-5, nan_ok=True)


def test_a_price_is_brought_to_the_year_of_the_results():
    class Made(dict):
        def price_year(self, _name):
            return xr.DataArray(2022.0)

    one = {
        name: xr.DataArray([value], dims="draw")
        for name, value in {
            "fee": 100.0,
            "known_price_growth": 0.1,
            "price_growth": 0.7,
            "results_price_year": 2024.0,
        }.items()
    }
    assert funding.price(Made(one), "fee").item() == pytest.approx(121)


def test_today_s_use_of_institutions_is_that_of_the_nation(project):
    nation = chain_until_places(project, None, NATION, 256, 2024)
    used = nation.residents.sel(measure="use", year=2024).sum("severity")
    share = 100 * (used / nation.older.sel(year=2024)).median("draw").item()
    # Bulletin on ageing of 2024: 2.30 million residents among 310 million people of 60 and over.
    assert share == pytest.approx(0.74, abs=0.05)


def test_need_is_never_less_than_use_in_the_middle(results):
    for result in results.values():
        table = result.table("beds_total_needed").pivot(
            index="year", columns="measure", values="central"
        )
        assert (table["need"] > table["use"]).all()


def test_nothing_is_negative(results):
    for result in results.values():
        for name, array in result.values.data_vars.items():
            assert not (array < 0).any(), f"{result.city.city_id}: {name}"


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
        assert holes <= built
        later = result.values.isel(year=slice(1, None))
        assert not any(array.isnull().any() for array in later.data_vars.values())
