"""Scenarios are compared on common draws: what neither of them names cancels out."""

import numpy as np
import pytest
from conftest import ROOT

from eldercare.app import cli
from eldercare.inputs.load import BASELINE
from eldercare.model.chain import run_city
from eldercare.reporting import scenario_report

NAMES = ("need_met", "policy_90_7_3", "healthier", "fewer_families", "better_use_of_beds")


def test_the_scenarios_a_planner_asks_for_are_there(project):
    assert set(NAMES) <= set(project.scenarios)


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_moves_need_or_use(project, results, name):
    other = run_city(project, "lincang", name, 64).values
    assert not np.array_equal(
        other["beds_total_needed"], results["lincang"].values["beds_total_needed"]
    )


def test_the_difference_is_taken_draw_by_draw(project, results):
    table = scenario_report.scenario_table(project, BASELINE, "better_use_of_beds", "lincang", 64)
    other = run_city(project, "lincang", "better_use_of_beds", 64)
    need = {"measure": "need", "year": 2035}
    gap = other.values["beds_total_needed"].sel(need) - results["lincang"].values[
        "beds_total_needed"
    ].sel(need)
    row = table[
        (table["quantity"] == "beds needed")
        & (table["series"] == "difference")
        & (table["year"] == 2035)
    ].iloc[0]
    assert [row["low"], row["central"], row["high"]] == pytest.approx(
        np.quantile(gap.values.astype(float), [0.1, 0.5, 0.9]), rel=1e-4
    )
    workers = table[
        (table["quantity"] == "care workers needed") & (table["series"] == "difference")
    ]
    assert (workers[["low", "central", "high"]] == 0).all(axis=None)


def test_the_command_shows_both_and_the_difference_and_writes_table_and_picture(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("ELDERCARE_PROJECT", str(ROOT))
    asked = [
        "compare",
        "baseline",
        "fewer_families",
        "--city",
        "lincang",
        "--draws",
        "64",
        "--output",
        str(tmp_path),
    ]
    assert cli.main(asked) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {series}" in shown for series in ("baseline", "fewer_families", "difference"))
    assert {path.name for path in tmp_path.iterdir()} == {
        f"compare_baseline_fewer_families_lincang.{kind}" for kind in ("csv", "png")
    }


def test_an_unknown_name_is_told_in_plain_words(monkeypatch, capsys):
    monkeypatch.setenv("ELDERCARE_PROJECT", str(ROOT))
    assert cli.main(["compare", "baseline", "utopia", "--city", "lincang", "--draws", "64"]) == 2
    assert "no scenario “utopia”; there are: baseline" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "fault", "words"),
    [
        (("baseline", "need_met", "atlantis"), KeyError, "no city “atlantis”"),
        (("baseline", "baseline", "lincang"), ValueError, "cannot be compared with itself"),
    ],
)
def test_what_cannot_be_compared_is_refused(project, asked, fault, words):
    with pytest.raises(fault, match=words):
        scenario_report.scenario_table(project, *asked, 64)
