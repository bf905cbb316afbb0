"""Every assumption is drawn from a stream of its own, with the three values as its percentiles."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from eldercare.inputs.dated import places_in_force
from eldercare.inputs.draws import (
    choose_rows,
    draw_assumptions,
    independent_stream,
    quantile,
    stream_name,
    uniform_stream,
)
from eldercare.inputs.load import nation_as_city

DRAWS = 128
EMPTY = {"city_id": "", "age_band": "", "sex": "", "severity": "", "setting": "", "bed_type": ""}


def rows_of(**columns) -> pd.DataFrame:
    """Rows of an assumption as assumptions.csv has them; keys not given are empty."""
    table = pd.DataFrame(columns)
    filled = {**EMPTY, "year_from": np.nan, "unit": "ratio", "price_year": np.nan, "shape": "fixed"}
    for column, value in filled.items():
        if column not in table:
            table[column] = value
    return table


def assert_same_draws(one, other, leave_out=()):
    for name in set(one.rows["assumption"]) - set(leave_out):
        assert np.array_equal(one[name].values, other[name].values, equal_nan=True), name


def test_a_stream_depends_on_its_name_only():
    first = uniform_stream("occupancy", DRAWS).copy()
    uniform_stream("wage", DRAWS)
    uniform_stream.cache_clear()
    assert np.array_equal(uniform_stream("occupancy", DRAWS), first)
    assert not np.array_equal(uniform_stream("wage", DRAWS), first)


@pytest.mark.parametrize("stream", [uniform_stream, independent_stream])
def test_a_stream_has_one_point_in_each_equal_slice(stream):
    slices = np.floor(stream("occupancy", DRAWS) * DRAWS)
    assert sorted(slices) == list(range(DRAWS))


def test_the_second_half_of_the_draws_mirrors_the_first(project):
    drawn = draw_assumptions(project, project.city("lincang"), draws=DRAWS)
    for row in drawn.rows[drawn.rows["shape"] == "normal"].to_dict("records"):
        if (
            row["high"] - row["central"] != row["central"] - row["low"]
            or drawn[row["assumption"]].ndim > 1
        ):
            continue
        values = drawn[row["assumption"]].values
        assert values[: DRAWS // 2] + values[DRAWS // 2 :] == pytest.approx(
            2 * row["central"], abs=1e-9
        ), row["assumption"]
    numbers = uniform_stream("occupancy", DRAWS)
    assert numbers[: DRAWS // 2] + numbers[DRAWS // 2 :] == pytest.approx(1)


def test_mirrored_draws_find_the_middle_of_a_sum_sooner():
    names = [f"name {number}" for number in range(20)]
    errors = {
        source: [
            abs(np.median(np.exp(sum(source(f"{n}|{k}", 256) for n in names) - 10)) - 1)
            for k in range(16)
        ]
        for source in (uniform_stream, independent_stream)
    }
    assert np.mean(errors[uniform_stream]) < np.mean(errors[independent_stream]) / 2


def test_two_streams_go_together_by_chance_only():
    names = [f"name {number}" for number in range(12)]
    together = np.corrcoef([uniform_stream(name, 1024) for name in names])
    assert np.abs(together - np.eye(len(names))).max() < 0.15


@pytest.mark.parametrize("draws", [0, 1, 3, 100, 1000])
def test_a_number_of_draws_that_is_no_power_of_two_is_refused(draws):
    with pytest.raises(ValueError, match="power of two"):
        uniform_stream("occupancy", draws)


@pytest.mark.parametrize("shape", ["normal", "lognormal", "triangular"])
@pytest.mark.parametrize("values", [(2.0, 3.0, 7.0), (0.2, 0.9, 1.0)])
def test_low_central_and_high_are_the_10th_50th_and_90th_percentile(shape, values):
    assert quantile(np.array([0.1, 0.5, 0.9]), *values, shape) == pytest.approx(values)


@pytest.mark.parametrize("shape", ["normal", "lognormal", "triangular"])
def test_a_draw_never_falls_as_its_probability_rises(shape):
    drawn = quantile(np.linspace(0.001, 0.999, 999), 2.0, 3.0, 7.0, shape)
    assert (np.diff(drawn) >= 0).all()


def test_a_fixed_assumption_is_the_same_in_all_draws():
    assert set(quantile(np.linspace(0.01, 0.99, 9), 5.0, 5.0, 5.0, "fixed")) == {5.0}


def test_the_draws_of_the_project_have_their_percentiles(project):
    drawn = draw_assumptions(project, draws=1024)
    row = drawn.rows.set_index("assumption").loc["target_occupancy"]
    found = np.quantile(drawn["target_occupancy"], [0.1, 0.5, 0.9])
    assert found == pytest.approx([row["low"], row["central"], row["high"]], rel=0.003)


def test_a_share_stays_between_0_and_1(project):
    values = {"low": [0.7], "central": [0.95], "high": [1.0]}
    table = rows_of(assumption=["share"], unit=["share"], shape=["normal"], **values)
    drawn = draw_assumptions(replace(project, assumptions=table), draws=DRAWS)["share"]
    assert drawn.max() == 1
    assert drawn.min() > 0


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        (lambda rows: rows.iloc[::-1], None),
        (lambda rows: rows[rows["assumption"] != "bed_life"], "bed_life"),
        (
            lambda rows: pd.concat(
                [rows_of(assumption=["aaa"], low=[1], central=[1], high=[1]), rows]
            ),
            None,
        ),
        (
            lambda rows: rows.assign(high=rows["high"].mask(rows["assumption"] == "bed_life", 99)),
            "bed_life",
        ),
    ],
    ids=["rows reordered", "a row removed", "a row added", "a row changed"],
)
def test_other_draws_do_not_move(project, change, moved):
    changed = replace(project, assumptions=change(project.assumptions).reset_index(drop=True))
    for city in (None, project.city("lincang")):
        before = draw_assumptions(project, city, draws=DRAWS)
        after = draw_assumptions(changed, city, draws=DRAWS)
        assert_same_draws(before, after, leave_out=[moved])


def test_a_national_draw_is_shared_by_all_cities(project):
    drawn = [draw_assumptions(project, city, draws=DRAWS) for city in project.cities.values()]
    own = {name for city in project.cities.values() for name in city.assumptions["assumption"]}
    own |= set(project.place_assumptions["assumption"])
    for other in drawn[1:]:
        assert_same_draws(drawn[0], other, leave_out=own)
    assert "target_occupancy" not in own


def with_scenario(project, **columns):
    return replace(project, scenarios={"other": rows_of(**columns)})


def central(rows, assumption):
    return rows.set_index("assumption").loc[assumption, ["central", "chosen_from"]].tolist()


def test_a_scenario_goes_before_the_city_and_the_city_before_the_nation(project):
    city = project.city("lincang")
    national = project.assumptions.set_index("assumption").loc["caregiver_wage", "central"]
    own = city.assumptions.set_index("assumption").loc["caregiver_wage", "central"]
    assert central(choose_rows(project, None), "caregiver_wage") == [national, "nation"]
    assert central(choose_rows(project, city), "caregiver_wage") == [own, "city"]
    other = with_scenario(
        project, assumption=["caregiver_wage"], low=[1.0], central=[1.0], high=[1.0]
    )
    assert central(choose_rows(other, city, "other"), "caregiver_wage") == [1.0, "scenario"]
    assert central(choose_rows(other, city), "caregiver_wage") == [own, "city"]


def place_factor(project, city, name="setting_use_share_place_factor", setting="institution"):
    rows = choose_rows(project, city)
    rows = rows[(rows["assumption"] == name) & (rows["setting"] == setting)]
    return rows.iloc[0]


def test_a_province_goes_before_the_level_and_both_before_the_nation(project):
    lincang, shangqiu = (
        place_factor(project, project.city(one)) for one in ("lincang", "shangqiu")
    )
    assert lincang["city_id"] == "530000" and lincang["chosen_from"] == "place"
    assert lincang["central"] < 1 == shangqiu["central"]
    of_level = {
        place: place_factor(project, city, "adl_prevalence_place_factor", "")["high"]
        for place, city in (
            ("county", project.city("shengzhou")),
            ("prefecture", project.city("lincang")),
            ("province", replace(nation_as_city(), adcode=530000)),
            ("nation", nation_as_city()),
        )
    }
    assert (
        of_level["county"] > of_level["prefecture"] > of_level["province"] > of_level["nation"] == 1
    )


def test_what_a_city_has_counted_itself_it_does_not_differ_from(project):
    sanming = project.city("sanming")
    assert place_factor(project, sanming)[["low", "central", "high"]].tolist() == [1, 1, 1]
    assert place_factor(project, sanming, setting="home_service")["high"] > 1
    without = replace(sanming, assumptions=sanming.assumptions.iloc[:0])
    assert place_factor(project, without)["city_id"] == "350000"


def test_two_places_differ_from_the_nation_each_by_itself(project):
    one, other = (
        draw_assumptions(project, project.city(name), draws=1024)["adl_prevalence_place_factor"]
        for name in ("lincang", "shangqiu")
    )
    assert abs(np.corrcoef(np.log(one), np.log(other))[0, 1]) < 0.1


def test_a_scenario_for_one_city_is_for_that_city_alone(project):
    columns = {"assumption": ["bed_life"] * 2, "city_id": ["lincang", ""]}
    other = with_scenario(project, **columns, low=[1.0, 2.0], central=[1.0, 2.0], high=[1.0, 2.0])
    assert central(choose_rows(other, project.city("lincang"), "other"), "bed_life") == [
        1.0,
        "scenario",
    ]
    assert central(choose_rows(other, project.city("sanming"), "other"), "bed_life") == [
        2.0,
        "scenario",
    ]


def test_a_scenario_keeps_the_draws_of_all_it_does_not_name(project):
    city = project.city("lincang")
    other = with_scenario(project, assumption=["bed_life"], low=[9.0], central=[9.0], high=[9.0])
    before, after = (draw_assumptions(other, city, name, DRAWS) for name in ("baseline", "other"))
    assert_same_draws(before, after, leave_out=["bed_life"])
    assert set(after["bed_life"].values) == {9.0}


def test_an_unknown_scenario_is_told_with_those_there_are(project):
    with pytest.raises(KeyError, match="no scenario “other”; there are: baseline"):
        choose_rows(project, None, "other")


def years_apart(project, **columns):
    table = rows_of(low=columns["central"], high=columns["central"], **columns)
    return draw_assumptions(replace(project, assumptions=table), draws=2)


def in_year(drawn, name, years):
    """Draws in each year, by the rule that the chain follows."""
    array = drawn[name]
    if "year_from" not in array.dims:
        return array
    ordered = array.transpose("year_from", ..., "draw")
    places = places_in_force(ordered.values, array["year_from"].values, years, name)
    return ordered.isel(year_from=places).rename(year_from="year")


def test_the_row_in_force_is_the_latest_that_has_begun(project):
    starts = [np.nan, 2025, 2030]
    drawn = years_apart(project, assumption=["fee"] * 3, year_from=starts, central=[1.0, 2.0, 3.0])
    found = in_year(drawn, "fee", [2020, 2024, 2025, 2029, 2030, 2050]).isel(draw=0)
    assert found.values.tolist() == [1, 1, 2, 2, 3, 3]


def test_a_year_before_the_first_row_is_refused(project):
    drawn = years_apart(project, assumption=["fee"], year_from=[2025.0], central=[2.0])
    with pytest.raises(KeyError, match="no row for the year 2024"):
        in_year(drawn, "fee", [2024, 2025])


def test_rows_of_other_places_may_begin_in_other_years_and_none_is_left_open(project):
    starts, places = [np.nan, np.nan, 2026], ["home_service", "institution", "institution"]
    drawn = years_apart(
        project, assumption=["fee"] * 3, setting=places, year_from=starts, central=[1.0, 2.0, 3.0]
    )
    found = in_year(drawn, "fee", [2020, 2026, 2030]).isel(draw=0).transpose("setting", "year")
    assert found.values.tolist() == [[1, 1, 1], [2, 3, 3]]
    late = years_apart(
        project,
        assumption=["fee"] * 2,
        setting=places[:2],
        year_from=[np.nan, 2026],
        central=[1.0, 2.0],
    )
    with pytest.raises(KeyError, match="no row for the year 2025"):
        in_year(late, "fee", [2025, 2026])


def test_an_assumption_without_years_holds_in_all(project):
    drawn = years_apart(project, assumption=["fee"], central=[2.0])
    assert set(in_year(drawn, "fee", [1990, 2050]).values) == {2.0}


def test_a_scenario_without_a_year_goes_before_a_dated_row_of_the_city(project):
    own = project.city("lincang").assumptions.set_index("assumption")
    assert own.loc["insurance_coverage", "year_from"].notna().any()
    other = with_scenario(
        project, assumption=["insurance_coverage"], low=[0.5], central=[0.5], high=[0.5]
    )
    drawn = draw_assumptions(other, project.city("lincang"), "other", 2)
    assert set(in_year(drawn, "insurance_coverage", [2030]).values.flat) == {0.5}


def test_the_rows_of_two_years_share_one_stream(project):
    rows = project.city("lincang").assumptions
    names = {
        stream_name(row)
        for row in rows[rows["assumption"] == "insurance_coverage"].to_dict("records")
    }
    assert names == {"insurance_coverage|lincang|||||"}
