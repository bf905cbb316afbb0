"""The what-if desk: its levers come from the sensitivity, what it shows is what a saved scenario
gives.
"""

import numpy as np
import pytest

from eldercare.analysis import sensitivity
from eldercare.app import desk
from eldercare.inputs.load import load_project
from eldercare.model import chain
from eldercare.reporting import scenario_report, what_if
from eldercare.reporting.language import load_language

CITY = "shengzhou"
DRAWS = 64


@pytest.fixture(scope="module")
def at_desk(project):
    return what_if.Desk(project, CITY, draws=DRAWS)


@pytest.fixture
def fresh(at_desk):
    at_desk.reset()
    yield at_desk
    at_desk.reset()


def test_the_levers_are_those_with_the_largest_swing(project, at_desk):
    table = sensitivity.tornado(project, CITY)
    table = table[table["headline"].isin(sensitivity.MAIN) & (table["unit"] != "")]
    swing = (
        (table["swing"] / table["at_middle"])
        .groupby(table["assumption"] + " " + table["keys"])
        .max()
    )
    largest = swing.sort_values(ascending=False).index[: what_if.MOST].str.strip()
    assert {lever.name for lever in at_desk.levers} == set(largest)
    assert len(at_desk.levers) == what_if.MOST


def test_the_baseline_of_the_desk_is_the_run_of_the_notebooks(project, at_desk):
    result = chain.run_city(project, CITY, draws=DRAWS)
    wanted = (
        result.table("beds_total_needed", measure="need")[["low", "central", "high"]].to_numpy().T
    )
    assert at_desk.baseline.paths["beds"] == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("place", range(what_if.MOST))
def test_a_lever_put_back_gives_the_baseline_again(fresh, place):
    lever = fresh.levers[place]
    moved = fresh.move(lever.name, lever.last)
    assert any(
        not np.allclose(moved.paths[name], fresh.baseline.paths[name], rtol=1e-3)
        for name in sensitivity.MAIN
    )
    back = fresh.move(lever.name, lever.central)
    for name in sensitivity.MAIN:
        assert back.paths[name] == pytest.approx(fresh.baseline.paths[name])
    assert back.chance == fresh.baseline.chance


@pytest.mark.parametrize("city_id", ["chishui", "lincang", "sanming", "shangqiu", "shengzhou"])
def test_every_lever_can_be_put_to_its_ends_alone_and_with_all_others(project, city_id):
    desk = what_if.Desk(project, city_id)
    for end in ("first", "last"):
        for lever in desk.levers:
            desk.reset()
            desk.move(lever.name, getattr(lever, end))
        for lever in desk.levers:
            moved = desk.move(lever.name, getattr(lever, end))
        assert all(np.isfinite(path).all() for path in moved.paths.values())


def test_fuller_beds_take_fewer_beds_and_no_fewer_workers(fresh):
    fresh.move("target_occupancy", 0.9)
    assert (fresh.outcome.paths["beds"] < fresh.baseline.paths["beds"]).all()
    assert fresh.outcome.paths["caregivers"] == pytest.approx(fresh.baseline.paths["caregivers"])


def test_a_saved_scenario_gives_what_the_desk_shows(full_copy):
    project = load_project(full_copy.root)
    own = what_if.Desk(project, CITY, draws=DRAWS)
    for lever, part in zip(own.levers, (0.2, 0.7, 0.6, 0.9)):
        own.move(lever.name, lever.first + part * (lever.last - lever.first))
    after = what_if.save_scenario(own, "tried_out")
    assert "tried_out" in after.scenarios
    result = chain.run_city(after, CITY, "tried_out", DRAWS)
    for name, indicator in (("beds", "beds_total_needed"), ("yearly_cost", "cost_total")):
        wanted = result.table(indicator, measure="need")[["low", "central", "high"]].to_numpy().T
        assert own.outcome.paths[name] == pytest.approx(wanted, rel=1e-4), name
    elsewhere = chain.run_city(after, "lincang", "tried_out", DRAWS)
    untouched = chain.run_city(after, "lincang", draws=DRAWS)
    assert elsewhere.values.equals(untouched.values)


def test_a_desk_begun_with_a_scenario_saves_its_rows_too(project, full_copy):
    file = "scenarios/better_use_of_beds.csv"
    (full_copy.data / "scenarios").mkdir()
    (full_copy.data / file).write_bytes((project.root / "data" / file).read_bytes())
    project = load_project(full_copy.root)
    own = what_if.Desk(project, CITY, "better_use_of_beds", DRAWS)
    lever = own.levers[0]
    own.move(lever.name, lever.first)
    after = what_if.save_scenario(own, "both")
    assert len(after.scenarios["both"]) >= len(project.scenarios["better_use_of_beds"])
    result = chain.run_city(after, CITY, "both", DRAWS)
    wanted = (
        result.table("beds_total_needed", measure="need")[["low", "central", "high"]].to_numpy().T
    )
    assert own.outcome.paths["beds"] == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("baseline", "already"),
        ("Two words", "small letters"),
        ("../up", "small letters"),
        ("", "small letters"),
    ],
)
def test_a_name_that_does_not_suit_is_refused(fresh, name, words):
    fresh.move("target_occupancy", 0.8)
    with pytest.raises(ValueError, match=words):
        what_if.save_scenario(fresh, name)


def test_nothing_moved_is_nothing_to_save(fresh):
    with pytest.raises(ValueError, match="no assumption was moved"):
        what_if.save_scenario(fresh, "same_again")


def test_an_unknown_lever_is_told_with_those_there_are(fresh):
    with pytest.raises(KeyError, match="no lever “luck”; there are: "):
        fresh.move("luck", 1)


def test_the_picture_changes_with_the_levers_and_comes_back(fresh):
    picture = desk.DeskPicture(fresh.baseline, load_language(fresh.project))
    first = picture.png(fresh.baseline, 2035)
    assert picture.png(fresh.move("target_occupancy", 0.9), 2035) != first
    assert picture.png(fresh.baseline, 2050) != first
    assert picture.png(fresh.reset(), 2035) == first


def test_the_view_moves_saves_and_resets(full_copy):
    project = load_project(full_copy.root)
    desks = {CITY: what_if.Desk(project, CITY, draws=DRAWS)}
    view = desk.DeskView(project, desks, DRAWS)
    assert len(view.levers.children) == what_if.MOST
    before = view.picture.value
    slider, typed = view.levers.children[0].children[1].children
    slider.value = slider.max
    assert typed.value == pytest.approx(slider.max, rel=1e-3)
    assert view.picture.value != before
    view.name.value = "from_the_view"
    view.save.click()
    assert "data/scenarios/from_the_view.csv" in view.message.value
    assert "from_the_view" in view.scenario.options
    assert (
        view.scenario.value == "baseline"
        and view.levers.children[0].children[1].children[0].value == slider.max
    )
    first = (full_copy.data / "scenarios/from_the_view.csv").read_text("utf-8")
    slider.value = slider.min
    assert view.over.disabled
    view.save.click()
    assert "already. Write over it?" in view.message.value and not view.over.disabled
    assert (full_copy.data / "scenarios/from_the_view.csv").read_text("utf-8") == first
    view.over.click()
    assert "data/scenarios/from_the_view.csv" in view.message.value and view.over.disabled
    assert (full_copy.data / "scenarios/from_the_view.csv").read_text("utf-8") != first
    view.back.click()
    assert view.picture.value == before
    assert "text/plain" in view._repr_mimebundle_()
    assert view._repr_mimebundle_()["text/plain"] == view.words.phrase("desk_still")


def test_a_typed_value_moves_the_lever_or_is_told_to_lie_outside(project):
    view = desk.DeskView(project, {CITY: what_if.Desk(project, CITY, draws=DRAWS)}, DRAWS)
    slider, typed = view.levers.children[0].children[1].children
    typed.value = (slider.min + slider.max) / 2
    assert slider.value == pytest.approx((slider.min + slider.max) / 2)
    stays, typed.value = slider.value, slider.max * 3
    assert "lies outside" in view.message.value and slider.value == stays
    assert typed.value == pytest.approx(stays, rel=1e-3)


def test_labels_tell_the_levers_of_each_city_apart_in_both_languages(project):
    for city_id in project.cities:
        levers = what_if.levers(project, city_id)
        for code in ("en", "zh"):
            words = load_language(project, code)
            assert len({desk._label(words, lever) for lever in levers}) == len(levers)


def test_a_scenario_that_does_not_touch_a_city_says_so(full_copy):
    (full_copy.data / "scenarios").mkdir()
    rows = full_copy.rows("assumptions.csv")
    row = rows[full_copy.find("assumptions.csv", assumption="target_occupancy") - 1]
    cells = {**dict(zip(rows[0], row)), "city_id": "lincang"}
    full_copy.write("scenarios/of_lincang.csv", [rows[0], list(cells.values())])
    project = load_project(full_copy.root)
    words = load_language(project)
    said = scenario_report.untouched(project, "of_lincang", CITY, words)
    assert "of_lincang has no row that holds for Shengzhou" in said
    assert scenario_report.untouched(project, "of_lincang", "lincang", words) == ""
    table = scenario_report.scenario_table(project, "baseline", "of_lincang", CITY, 16)
    assert said in scenario_report.scenario_text(project, table, CITY)
