"""A city is a folder: one more or one less moves nothing in the others; one row moves what rests on
it.
"""

import shutil

import numpy as np
import pytest
from conftest import DRAWS

from eldercare import compare_head_counts, load_project, run, run_city
from eldercare.analysis import comparable
from eldercare.model.costs import BUILDING_ITEMS
from eldercare.reporting.tables import promises, wide

REST_ON_BUILDING_COST = {"building_cost_needed", "cost", "cost_total", "payment"}


def assert_same(one, other, leave_out=frozenset()):
    names = set(one.values.data_vars)
    assert names == set(other.values.data_vars)
    for name in names - leave_out:
        assert np.array_equal(one.values[name].values, other.values[name].values, equal_nan=True), (
            name
        )


@pytest.mark.parametrize(
    "adcode", [310115, 540121, 620000], ids=["district", "small county", "province"]
)
def test_a_city_with_nothing_but_its_census_code_runs(small_copy, adcode):
    small_copy.add_city("sixth", adcode)
    project = load_project(small_copy.root)
    results = run(project, draws=DRAWS)
    words = results.words
    answers = wide(words, results.headlines([2025, 2035, 2050]), ["city_id", "headline"])
    told = answers.loc[("Sixth", "people of 60 and over")]
    assert told.str.match(r"[\d,]+ \([\d,]+ to [\d,]+\)|[\d.]+ million").all()
    assert np.isnan(results.stock().set_index("city_id").at["sixth", "value"])
    assert "sixth" not in set(promises(words, results.targets())["city_id"])
    assert compare_head_counts(results["sixth"]).empty
    assert comparable.ledger_counts(project).loc["sixth", "figures"] == 0


def test_another_city_leaves_the_numbers_of_the_others_alone(full_copy, results):
    full_copy.add_city("sixth", 310115)
    found = run(load_project(full_copy.root), draws=DRAWS)
    assert set(found) == {*results, "sixth"}
    for city_id, result in results.items():
        assert_same(result, found[city_id])


def test_a_city_less_leaves_the_numbers_of_the_others_alone(full_copy, results):
    shutil.rmtree(full_copy.data / "cities/lincang")
    found = run(load_project(full_copy.root), draws=DRAWS)
    assert set(found) == set(results) - {"lincang"}
    for city_id, result in found.items():
        assert_same(result, results[city_id])


def test_the_cost_of_a_bed_moves_what_rests_on_it_and_nothing_else(full_copy, results):
    row = full_copy.find("assumptions.csv", assumption="building_cost", bed_type="general")
    full_copy.change("assumptions.csv", row, low="190000", central="228558", high="284000")
    found = run_city(load_project(full_copy.root), "lincang", draws=DRAWS)
    assert_same(results["lincang"], found, leave_out=REST_ON_BUILDING_COST)
    for name in REST_ON_BUILDING_COST:
        assert not np.array_equal(
            results["lincang"].values[name], found.values[name], equal_nan=True
        ), name
    building = list(BUILDING_ITEMS.values())
    costs = [
        result.values["cost"].drop_sel(cost_item=building) for result in (results["lincang"], found)
    ]
    assert np.array_equal(*costs, equal_nan=True)


def test_a_row_of_one_city_leaves_the_other_cities_alone(full_copy, results):
    row = full_copy.find("cities/lincang/assumptions.csv", assumption="caregiver_wage")
    full_copy.change("cities/lincang/assumptions.csv", row, high="9000")
    found = run(load_project(full_copy.root), draws=DRAWS)
    for city_id in set(results) - {"lincang"}:
        assert_same(results[city_id], found[city_id])
    costs = [result["lincang"].values["cost_total"] for result in (results, found)]
    assert not np.array_equal(*costs, equal_nan=True)


def test_the_block_size_does_not_move_a_number(project, results):
    assert_same(results["lincang"], run_city(project, "lincang", draws=DRAWS, block=DRAWS // 4))


def test_an_unknown_city_is_told_with_those_there_are(project):
    with pytest.raises(KeyError, match="no city “atlantis”; there are: chishui, lincang"):
        run_city(project, "atlantis", draws=DRAWS)
