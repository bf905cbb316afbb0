"""All areas at once: the same numbers as one by one, sums that add up, and the same on a cluster."""

import numpy as np
import pytest
from dask.distributed import Client

from eldercare import areas, population
from eldercare.area import describe_area
from eldercare.draws import draw_assumptions

NINGXIA, HAINAN, YINCHUAN = 640000, 460000, 640100
DRAWS = 64


@pytest.fixture(scope="module")
def assumptions(project):
    return draw_assumptions(project, draws=DRAWS)


@pytest.fixture(scope="module")
def inputs(china):
    codes = [code for code in areas.area_inputs(china)["area"].values if code // 10000 in (NINGXIA // 10000, HAINAN // 10000)]
    return areas.area_inputs(china, codes)


@pytest.fixture(scope="module")
def summary(inputs, china, assumptions):
    return areas.project_areas(inputs, china, assumptions)


def statistics(counts, first_age):
    people = population.people_in(counts, first_age).transpose("year", "draw").values
    return np.stack([people.mean(axis=1), *np.quantile(people, areas.LEVELS, axis=1)], axis=1)


@pytest.mark.parametrize("alone", [True, False])
def test_a_province_among_all_areas_is_the_province_by_itself(china, assumptions, summary, alone):
    one = population.project_area(china, describe_area(china, NINGXIA), assumptions)
    if alone:
        summary = areas.project_areas(areas.area_inputs(china, [NINGXIA]), china, assumptions)
    for quantity, age in areas.QUANTITIES.items():
        found = summary.sel(area=NINGXIA, quantity=quantity).transpose("year", "statistic").values
        assert np.allclose(found, statistics(one, age), rtol=1e-9)


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
        summary.sel(statistic=one, quantity=["population_60_plus", "population_80_plus"], drop=True) for one in ("low", "high")
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


def test_a_cluster_of_two_worker_processes_gives_the_same_numbers(inputs, china, assumptions, summary):
    settings = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None, "host": "127.0.0.1"}
    with Client(**settings) as client:
        found = areas.project_areas(areas.chunk_by_province(inputs), china, assumptions)
        assert found.chunks
        found = client.compute(found).result()
        assert len(client.scheduler_info()["workers"]) == 2
    assert np.array_equal(found.values, summary.values)
    assert (found["area"].values == summary["area"].values).all()


@pytest.mark.parametrize("last_year", [2010, 2019, 2100])
def test_a_horizon_before_the_base_or_beyond_the_rates_is_refused(china, inputs, assumptions, last_year):
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
    with pytest.raises(KeyError, match=r"“鼓楼区” is not unique.*320106 鼓楼区 \(江苏省, county\).*350102 鼓楼区 \(福建省"):
        areas.find_area(china, "鼓楼区")
