"""All areas at once: the same numbers as one by one, sums that add up, and the same on a cluster."""

import numpy as np
import pytest
from dask.distributed import Client
from scipy.stats import t as student_t

from eldercare.inputs.draws import draw_assumptions
from eldercare.inputs.load import NATION
from eldercare.model import areas, counts, population
from eldercare.model.area import describe_area

NINGXIA, HAINAN, YINCHUAN, HELAN = 640000, 460000, 640100, 640122
DRAWS = 64


@pytest.fixture(scope="module")
def assumptions(project):
    return draw_assumptions(project, draws=DRAWS)


@pytest.fixture(scope="module")
def inputs(china):
    codes = [
        code
        for code in areas.area_inputs(china)["area"].values
        if code // 10000 in (NINGXIA // 10000, HAINAN // 10000)
    ]
    return areas.area_inputs(china, codes)


@pytest.fixture(scope="module")
def summary(inputs, china, assumptions):
    return areas.project_areas(inputs, china, assumptions)


def statistics(counts, first_age):
    people = population.people_in(counts, first_age).transpose("year", "draw").values
    return np.stack([people.mean(axis=1), *np.quantile(people, areas.LEVELS, axis=1)], axis=1)


@pytest.mark.parametrize("code", [NINGXIA, YINCHUAN, HELAN])
@pytest.mark.parametrize("alone", [True, False])
def test_an_area_is_the_same_among_all_areas_asked_for_alone_and_in_the_chain(
    project, china, assumptions, summary, alone, code
):
    one = population.project_area(
        china, areas.settled_area(project, code, draws=DRAWS), assumptions
    )
    if alone:
        summary = areas.project_areas(areas.area_inputs(china, [code]), china, assumptions)
        assert list(summary["area"].values) == [code]
    for quantity, age in areas.QUANTITIES.items():
        found = summary.sel(area=code, quantity=quantity).transpose("year", "statistic").values
        assert np.allclose(found, statistics(one, age), rtol=1e-9)


def test_a_city_of_the_chain_is_the_area_of_its_code(project, china, results):
    codes = {city_id: result.city.adcode for city_id, result in results.items()}
    drawn = draw_assumptions(project, draws=DRAWS)
    own = population_rows(project)
    summary = areas.project_areas(areas.area_inputs(china, list(codes.values())), china, drawn)
    for city_id, code in codes.items():
        if city_id not in own:
            found = results[city_id].values["population_80_plus"].sel(year=slice(2020, None)).values
            wanted = summary.sel(area=code, quantity="population_80_plus")
            assert found.mean(axis=0) == pytest.approx(
                wanted.sel(statistic="mean").values, rel=1e-5
            )
            assert np.quantile(found, 0.9, axis=0) == pytest.approx(
                wanted.sel(statistic="high").values, rel=1e-5
            )


def population_rows(project):
    """Cities with rows of their own for the population; they rightly differ from their part of the whole."""
    steps = project.assumption_steps.set_index("assumption")["step"]
    return {
        city.city_id
        for city in project.cities.values()
        if (steps.reindex(city.assumptions["assumption"]) == "population").any()
    }


def test_a_scenario_that_leaves_the_population_alone_settles_it_as_the_baseline_does(project):
    one, other = (
        areas.settled_area(project, YINCHUAN, scenario, DRAWS).settled
        for scenario in ("baseline", "need_met")
    )
    assert one is other
    other = areas._national(project, "need_met", DRAWS)
    assert np.array_equal(
        one, areas._settled(project.china, other, YINCHUAN, counts.ALL_COUNTS).settled
    )


def test_the_provinces_add_up_to_the_nation_in_the_mean(project, china, assumptions):
    provinces = [code for code in areas.area_inputs(china)["area"].values if code % 10000 == 0]
    summary = areas.project_areas(areas.area_inputs(china, provinces), china, assumptions)
    nation = population.project_area(
        china, areas.settled_area(project, NATION, draws=DRAWS), assumptions
    )
    for quantity, age in areas.QUANTITIES.items():
        found = summary.sel(quantity=quantity, statistic="mean").sum("area").values
        assert found == pytest.approx(
            population.people_in(nation, age).mean("draw").values, rel=1e-9
        )


def test_the_range_of_an_area_is_the_one_the_back_test_fitted(project, china):
    """With all assumptions at their middle the range at 60+ is the error's own, whatever family it stands in."""
    name = population.error_stream(YINCHUAN)
    numbers = (np.arange(512) + 0.5) / 512
    drawn = draw_assumptions(
        project,
        draws=512,
        source=lambda one, draws: numbers if one == name else np.full(draws, 0.5),
    )
    area = areas.settled_area(project, YINCHUAN)
    people = population.people_in(
        population.project_area(china, area, drawn).sel(year=2035), 60
    ).values
    low, high = np.quantile(people, [0.1, 0.9])
    scale = (
        area.error_scale[[60, 65, 75, 80, 85]]
        * student_t.ppf(0.9, area.error_freedom)
        * np.sqrt((2036 - population.CENSUS_DATE) / 10)
    )
    assert 2 * scale.min() <= np.log(high / low) <= 2 * scale.max()


def test_the_counties_of_a_prefecture_add_up_to_it_in_the_mean(inputs, summary):
    codes = inputs["area"].values
    parts = codes[(codes // 100 == YINCHUAN // 100) & (codes != YINCHUAN)]
    mean = summary.sel(statistic="mean")
    assert len(parts) > 3
    assert np.allclose(mean.sel(area=parts).sum("area"), mean.sel(area=YINCHUAN), rtol=1e-9)


@pytest.mark.parametrize("province", [NINGXIA, HAINAN])
def test_what_lies_directly_under_a_province_adds_up_to_it_in_the_mean(inputs, summary, province):
    parts = inputs["area"].values[inputs["parent"].values == province]
    mean = summary.sel(statistic="mean")
    assert np.allclose(mean.sel(area=parts).sum("area"), mean.sel(area=province), rtol=1e-9)


def test_the_range_is_not_zero_wide_at_the_base_and_widens(summary):
    low, high = (
        summary.sel(statistic=one, quantity=["population_60_plus", "population_80_plus"], drop=True)
        for one in ("low", "high")
    )
    nobody = (low <= 0).any("year")  # an island has nobody of 80
    width = np.log(high.where(~nobody) / low.where(~nobody))
    assert int(nobody.sum()) <= 1
    assert ((width.sel(year=2020) > 0.001) | nobody).all()
    assert ((width.sel(year=2050) > width.sel(year=2020)) | nobody).all()


def test_no_number_is_missing_and_the_middle_lies_within(summary):
    assert np.isfinite(summary.values).all()
    assert (summary.sel(statistic="low") <= summary.sel(statistic="central")).all()
    assert (summary.sel(statistic="central") <= summary.sel(statistic="high")).all()


def test_a_cluster_of_two_worker_processes_gives_the_same_numbers(
    inputs, china, assumptions, summary
):
    settings = {
        "n_workers": 2,
        "threads_per_worker": 1,
        "processes": True,
        "dashboard_address": None,
        "host": "127.0.0.1",
    }
    with Client(**settings) as client:
        found = areas.project_areas(areas.chunk_by_province(inputs), china, assumptions)
        assert found.chunks
        found = client.compute(found).result()
        assert len(client.scheduler_info()["workers"]) == 2
    assert np.array_equal(found.values, summary.values)
    assert (found["area"].values == summary["area"].values).all()


@pytest.mark.parametrize("last_year", [2010, 2019, 2100])
def test_a_horizon_before_the_base_or_beyond_the_rates_is_refused(
    china, inputs, assumptions, last_year
):
    with pytest.raises(ValueError, match=str(last_year)):
        population.project_area(china, describe_area(china, NINGXIA), assumptions, last_year)
    with pytest.raises(ValueError, match=str(last_year)):
        areas.project_areas(inputs, china, assumptions, last_year)


def test_an_area_is_found_by_code_by_name_and_by_the_beginning_of_its_name(china):
    assert areas.find_area(china, "530900") == 530900
    assert areas.find_area(china, "临沧市") == 530900
    assert areas.find_area(china, "临沧") == 530900


def test_an_unknown_code_or_name_is_refused_by_name(china):
    with pytest.raises(KeyError, match="999999 is no area of the census of 2020"):
        areas.find_area(china, "999999")
    with pytest.raises(KeyError, match="“Atlantis”"):
        areas.find_area(china, "Atlantis")


def test_a_name_that_is_not_unique_lists_the_candidates_with_code_and_province(china):
    with pytest.raises(
        KeyError,
        match=r"“鼓楼区” is not unique.*320106 鼓楼区 \(江苏省, county\).*350102 鼓楼区 \(福建省",
    ):
        areas.find_area(china, "鼓楼区")
