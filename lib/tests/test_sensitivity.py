"""What moves the answer: indices that are right where the truth is known, and say the same at every
run.
"""

import numpy as np
import pytest
from conftest import ROOT

from eldercare.analysis import assumption_log as words
from eldercare.analysis import sensitivity as step
from eldercare.inputs.draws import independent_stream
from eldercare.model.chain import run_city

RUNS = 64
OF_ISHIGAMI = {"x1": (0.3139, 0.5576), "x2": (0.4424, 0.4424), "x3": (0.0, 0.2437)}


@pytest.fixture(scope="module")
def found(project):
    return step.sensitivity(project, "lincang", runs=RUNS)


@pytest.fixture(scope="module")
def model(project):
    return step.Model(project, "lincang", draws=64)


@pytest.fixture(scope="module")
def tornado(project):
    return step.tornado(project, "lincang")


def ishigami(x):
    return np.sin(x[0]) + 7 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0])


def test_the_indices_of_the_ishigami_function_are_found_to_0_02():
    """First-order and total index in closed form; Ishigami and Homma (1990), a = 7, b = 0.1."""
    draws = 2**15
    one, other = (
        np.array([source(name, draws) for name in OF_ISHIGAMI]) * 2 * np.pi - np.pi
        for source in (independent_stream, step.second_stream)
    )
    exchanged = []
    for place in range(3):
        mixed = one.copy()
        mixed[place] = other[place]
        exchanged.append(ishigami(mixed)[None])
    first, total = step.indices(ishigami(one)[None], ishigami(other)[None], np.array(exchanged))
    wanted = np.array(list(OF_ISHIGAMI.values())).T
    assert np.abs(first[0] - wanted[0]).max() < 0.02
    assert np.abs(total[0] - wanted[1]).max() < 0.02


def test_an_outcome_that_never_moves_has_no_index():
    still = np.ones((1, 8))
    first, total = step.indices(still, still, np.ones((2, 1, 8)))
    assert (first == 0).all() and (total == 0).all()


def test_every_headline_and_promise_has_indices_over_at_least_30_assumptions(project, found):
    table = found.table[found.table["kind"] == "assumption"]
    assert table["group"].nunique() >= 30
    assert step.PROJECTION_ERROR in set(table["group"])
    assert set(step.MAIN) < set(found.outcomes) == set(table["headline"])
    assert any(name.startswith("lincang_") for name in found.outcomes)
    assert np.isfinite(table[["first_order", "total"]].to_numpy()).all()


def test_the_headline_is_that_of_the_chain(project, model):
    values = model.run(model.draw(RUNS))
    result = run_city(project, "lincang", draws=RUNS)
    for headline, found in zip(model.headlines, values):
        assert found == pytest.approx(headline.value(result.calculation), rel=1e-5, abs=1e-5)


def test_an_exchange_moves_the_group_and_nothing_else(model):
    one, other = model.draw(8), model.draw(8, step.second_stream)
    both = step.exchange(one, other, [("bed_life",), (step.PROJECTION_ERROR,)])
    assert both["bed_life"].values.tolist() == [*other["bed_life"].values, *one["bed_life"].values]
    assert both.uniform(model.error_name).tolist() == [
        *one.uniform(model.error_name),
        *other.uniform(model.error_name),
    ]
    for name in set(one.rows["assumption"]) - {"bed_life"}:
        assert np.array_equal(
            both[name].values, np.concatenate([one[name].values] * 2), equal_nan=True
        ), name


def test_runs_end_to_end_give_what_they_give_alone(model):
    one, other = model.draw(8), model.draw(8, step.second_stream)
    groups = [("adl_prevalence",), (step.PROJECTION_ERROR,)]
    together = model.run(step.exchange(one, other, groups))
    alone = [model.run(step.exchange(one, other, [group])) for group in groups]
    assert together == pytest.approx(np.concatenate(alone, axis=1), rel=1e-9)


def test_what_a_headline_does_not_use_has_no_index(found):
    totals = found.table.set_index(["headline", "group"])["total"]
    for group in ("caregiver_wage", "home_care_hours", "building_cost"):
        assert totals[("beds", group)] == 0
    assert totals[("beds", "setting_need_share")] > 0.1
    assert totals[("yearly_cost", "caregiver_wage")] > 0


def test_the_indices_of_the_steps_cover_the_variance(found):
    steps = found.table[found.table["kind"] == "step"].groupby("headline")["total"].sum()
    assert (steps[list(step.MAIN)] > 0.8).all()


def test_assumptions_that_go_together_are_one_group(project):
    tied = project.correlations.iloc[:1].assign(assumption_b="bed_life")
    groups = step.groups_of(
        type("P", (), {"correlations": tied}), ["adl_prevalence", "bed_life", "bed_x"]
    )
    assert groups == [("adl_prevalence", "bed_life"), ("bed_x",)]


def test_every_assumption_has_its_step_and_what_a_city_can_do(project):
    steps = project.assumption_steps
    assert set(project.assumptions["assumption"]) <= set(steps["assumption"])
    assert set(steps["assumption"]) - set(project.assumptions["assumption"]) == {
        step.PROJECTION_ERROR
    }


def test_one_at_a_time_the_middle_is_the_middle_and_the_ends_are_told(tornado):
    beds = tornado[tornado["headline"] == "beds"]
    assert beds["at_middle"].nunique() == 1
    row = beds[beds["assumption"] == "target_occupancy"].iloc[0]
    assert row["at_low"] > row["at_middle"] > row["at_high"]
    unmoved = beds[beds["assumption"] == "caregiver_wage"].iloc[0]
    assert unmoved["at_low"] == pytest.approx(unmoved["at_middle"])
    assert beds["swing"].is_monotonic_decreasing


def test_knowing_an_assumption_narrows_the_range_and_knowing_more_narrows_it_more(project, found):
    table = step.value_of_information(project, found)
    assert set(table["headline"]) == set(found.outcomes)
    assert (table["width_then"] <= table["width_now"]).all()
    assert (table["width_together"] <= table["width_then"] + 1e-9).all()
    assert (table["to_do"] != "").all()


def test_the_sampling_error_compares_low_central_and_high(project):
    table = step.sampling_error(project, "lincang", 64, 3, 256)
    assert set(table["end"]) == {"low", "central", "high", "chance"}
    assert (table["error"].abs() < 0.5).all()
    assert (table["spread"] <= table["largest"]).all()
    assert (table.loc[table["end"] != "chance", "spread"] > 0).all()


def test_the_log_names_every_row_and_every_weak_one_in_bold(project, found):
    rows = words.log_rows(project, {"lincang": found})
    own = sum(len(city.assumptions) for city in project.cities.values())
    assert len(rows) == len(project.assumptions) + own
    weighty = rows[rows["largest"] > 0.01]
    documented = (
        (weighty["basis"] != "guess")
        & (weighty["source_id"] != "own_judgement")
        & ~weighty["locator"].isin(["", "none"])
    )
    assert (documented | weighty["rests_on"].isin(words.GUESSES)).all()
    assert rows["rests_on"].isin(words.GUESSES).tolist() == sorted(
        rows["rests_on"].isin(words.GUESSES), reverse=True
    )
    assert (rows["step"] != "").all()


def test_the_age_of_a_source_is_told_in_bold_when_it_is_old(project):
    assert words.age_told(11, "x") == "**11**"
    assert words.age_told(10, "x") == "10"
    assert words.age_told(float("nan"), "x") == "–"
    assert words.source_years(project)["qingdao_wage_2019"] == 2019


def test_the_figures_of_the_notebook_are_there():
    for name in ("02_bases", "02_steps", "02_tornado_beds", "02_tornado_cost"):
        assert (ROOT / "figures" / f"{name}.csv").is_file()
