"""All areas at once: the same numbers as one by one, sums that add up, and the same on a cluster."""

from dataclasses import replace

import numpy as np
import pytest
from dask.distributed import Client
from scipy.special import ndtr
from scipy.stats import t as student_t

from eldercare.inputs.draws import draw_assumptions
from eldercare.inputs.load import NATION
from eldercare.model import area_names, areas, counts, family, population
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
    other = areas.national_assumptions(project, "need_met", DRAWS)
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


@pytest.mark.parametrize("code", [NINGXIA, YINCHUAN, HELAN])
@pytest.mark.parametrize("age", [60, 65])
@pytest.mark.parametrize("year", [2025, 2030])
def test_error_and_assumptions_together_are_as_wide_as_the_back_test_was_wrong(
    project, china, code, age, year
):
    """Neither the error alone nor one range on top of the other."""
    drawn = draw_assumptions(project, draws=1024)
    area = areas.settled_area(project, code, until=counts.NO_COUNTS)
    people = population.people_in(
        population.project_area(china, area, drawn, year).sel(year=year), age
    ).values
    low, high = np.quantile(people, [0.1, 0.9])
    reach = student_t.ppf(0.9, area.error_freedom) * np.sqrt(
        (year + 1 - population.CENSUS_DATE) / 10
    )
    assert np.log(high / low) / 2 == pytest.approx(area.error_scale[age] * reach, rel=0.12)
    assert area.error_left[year - 2020, age // 5] < area.error_scale[age] * np.sqrt(year - 2020)


def test_where_the_assumptions_are_wider_than_the_test_was_wrong_nothing_is_left(project, china):
    drawn = draw_assumptions(project, draws=DRAWS)
    area = replace(describe_area(china, NINGXIA), error_scale=np.full(101, 1e-4))
    people = areas._people(area, areas.rates_of(china), drawn, 2030)
    assert (population.error_left(area, drawn, people) == 0).all()


def test_a_family_errs_together_by_the_weights_of_its_lines(china):
    upward = family.lines(china)
    assert [one for one, _ in upward[HELAN]] == [NATION, NINGXIA, YINCHUAN, HELAN]
    for line in upward.values():
        assert sum(weight**2 for _, weight in line) == pytest.approx(1)
    drawn = {code: np.random.default_rng(code).normal(size=20_000) for code, _ in upward[HELAN]}
    streams = {family.stream_of(code): ndtr(values) for code, values in drawn.items()}
    younger = {family.stream_of(code, True): ndtr(values[::-1]) for code, values in drawn.items()}
    source = Streams({**streams, **younger})
    scores = {code: family.error_scores(upward[code], 0.6, source) for code in drawn}
    spreads = {code: family._mean_scale(china, people) for code, people in people_of(china).items()}
    for part, whole in ((HELAN, YINCHUAN), (YINCHUAN, NINGXIA), (NINGXIA, NATION)):
        found = np.corrcoef(scores[part][0], scores[whole][0])[0, 1]
        assert found == pytest.approx(min(1, spreads[whole] / spreads[part]), abs=0.03)
    both = np.corrcoef(scores[HELAN])[0, 1]
    assert both == pytest.approx(0.6, abs=0.03)
    assert scores[HELAN].std(axis=1) == pytest.approx([1, 1], abs=0.03)


class Streams(dict):
    """Numbers by the name of their stream, in place of the assumptions' own."""

    def uniform(self, name):
        return self[name]


def people_of(china):
    return {
        code: describe_area(china, code).base.sum() for code in (NATION, NINGXIA, YINCHUAN, HELAN)
    }


def test_the_nation_is_a_member_its_provinces_make_it_up_before_they_are_scaled(
    project, china, assumptions
):
    """Within half a per cent at 60 and over up to 2050: before, 1.1 % at 60 and over and 2.1 % at 80 and over."""
    factor = areas._factor_of_parts(china, assumptions, NATION, 2050, None)
    nation = describe_area(china, NATION)
    whole = areas._people(nation, areas.rates_of(china), assumptions, 2050).mean(axis=0)
    for age in (60, 65, 80):
        parts = (whole / factor)[:, age // 5 :].sum(axis=1)
        assert parts == pytest.approx(whole[:, age // 5 :].sum(axis=1), rel=0.005)


def test_an_extreme_area_is_told_why_its_figures_need_caution(summary, china):
    told = areas.cautions(areas.means_of(summary), china)
    rows = china.areas.xs(2020, level="year").reindex(told.index)
    assert (told["assigned_code"] == (rows["code_kind"] == "assigned")).all()
    island = rows.index[rows["population"] < 5000]
    assert len(island) and told.loc[island, "few_people"].all()
    assert not told.loc[NINGXIA].any()


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
    assert area_names.find_area(china, "530900") == 530900
    assert area_names.find_area(china, "临沧市") == 530900
    assert area_names.find_area(china, "临沧") == 530900


def test_an_unknown_code_or_name_is_refused_by_name(china):
    with pytest.raises(KeyError, match="999999 is no area of the census of 2020"):
        area_names.find_area(china, "999999")
    with pytest.raises(KeyError, match="“Atlantis”"):
        area_names.find_area(china, "Atlantis")


def test_a_name_that_is_not_unique_lists_the_candidates_with_code_and_province(china):
    with pytest.raises(
        KeyError,
        match=r"“鼓楼区” is not unique.*320106 鼓楼区 \(南京市, 江苏省, county\).*350102 鼓楼区 \(福州市, 福建省",
    ):
        area_names.find_area(china, "鼓楼区")
