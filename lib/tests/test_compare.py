"""Promises beside needs: the chance and the gap on results made up for the purpose."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from eldercare.analysis import compare
from eldercare.model.chain import run_city
from eldercare.reporting.language import load_language
from eldercare.reporting.tables import promises

NEED, OLDER = 30.0, 50_000.0
YEAR = 2030


@pytest.fixture
def made_up(project, results):
    """A result whose need of beds per 1,000 people is 30, more or less, with one promise about it."""
    model = project.city("sanming").targets.query("target_id == 'sanming_030'").iloc[0]
    spread = np.linspace(-6, 6, 101)
    by_measure = ("draw", "measure", "year")
    values = xr.Dataset(
        {
            "beds_per_1000_needed": (
                by_measure,
                np.stack([spread + NEED, spread / 6 + 9], 1)[..., None],
            ),
            "population_60_plus": (("draw", "year"), np.full((101, 1), OLDER)),
            "beds_total_needed": (by_measure, np.full((101, 2, 1), NEED * OLDER / 1000)),
        },
        coords={"measure": ["need", "use"], "year": [YEAR]},
    )

    def make(*rows):
        plain = {**model, "target_year": YEAR, "suspect": "", "reading": "", "restates": ""}
        told = [{**plain, "target_id": f"t_{number}", **row} for number, row in enumerate(rows)]
        city = replace(project.city("sanming"), targets=pd.DataFrame(told, columns=model.index))
        return replace(results["sanming"], values=values, city=city)

    return make


def compared(project, result):
    return compare.compare_targets(project, result).set_index("target_id")


@pytest.mark.parametrize(
    ("promise", "chance"), [(300.0, 1.0), (3.0, 0.0)], ids=["far above", "far below"]
)
def test_the_chance_is_sure_where_promise_and_need_lie_far_apart(project, made_up, promise, chance):
    row = compared(project, made_up({"value": promise})).loc["t_0"]
    assert row["chance"] == chance
    assert row["gap"] == pytest.approx(promise - NEED)


def test_the_chance_is_the_share_of_draws_with_no_more_need_than_promised(project, made_up):
    row = compared(project, made_up({"value": NEED})).loc["t_0"]
    assert row["chance"] == pytest.approx(51 / 101)
    assert row["gap"] == pytest.approx(0)
    assert [row["low"], row["central"], row["high"]] == pytest.approx([25.2, 30, 34.8])
    assert row["use"] == pytest.approx(9)


def test_the_plain_gap_is_the_gap_of_the_ratio_times_its_base(project, made_up):
    row = compared(project, made_up({"value": 32.0})).loc["t_0"]
    assert row["plain_gap"] == pytest.approx((32 - NEED) * OLDER / 1000)
    assert row["plain_unit"] == "bed"
    assert [row["plain_low"], row["plain_high"]] == pytest.approx([-140, 340])


def test_a_gap_in_beds_is_plain_already(project, made_up):
    result = made_up({"value": 1600, "unit": "bed", "measured_by": "beds_total_needed"})
    row = compared(project, result).loc["t_0"]
    assert row["plain_gap"] == row["gap"] == pytest.approx(100)


def test_the_sentence_says_promise_need_chance_and_gap(project, made_up):
    words = load_language(project)

    def said(value):
        table = promises(words, compare.compare_targets(project, made_up({"value": value})))
        return words.sentences("promise_told", table.assign(city_id="sanming"))

    [few] = said(3.0)
    assert "Sanming promised for 2030" in few and ", 3 beds per 1,000 people. Needed: " in few
    assert "Needed: 30 (25.2 to 34.8) beds per 1,000 people" in few
    assert "enough is under 1% (1,350 beds short)" in few
    [many] = said(300.0)
    assert "enough is over 99% (13,500 beds over)" in many


def test_a_damaged_figure_without_a_reading_is_not_compared(project, made_up):
    damaged = {"suspect": "a digit is lost"}
    rows = damaged, {**damaged, "reading": "32"}, {"value": np.nan}, {}
    assert list(compared(project, made_up(*rows)).index) == ["t_1", "t_3"]


def test_a_figure_said_again_is_compared_once(project, made_up):
    assert list(compared(project, made_up({}, {"restates": "t_0"})).index) == ["t_0"]


@pytest.mark.parametrize(
    "changes", [{"kind": "stock"}, {"kind": "standard"}, {"follow_up": "tracked"}]
)
def test_what_is_no_measured_promise_is_not_compared(project, made_up, changes):
    assert compared(project, made_up(changes)).empty


def head_counts(made_up, *rows):
    stock = {
        "kind": "stock",
        "measured_by": "population_60_plus",
        "unit": "person",
        "base_year": 2020,
    }
    return compare.compare_head_counts(made_up(*({**stock, **row} for row in rows)))


def test_a_head_count_of_the_document_stands_beside_the_census(made_up, results):
    census = results["sanming"].census_base[:, 60:].sum()
    table = head_counts(made_up, {"value": census * 1.1})
    assert table["census_value"].tolist() == pytest.approx([census])
    assert table["signed_difference"].tolist() == pytest.approx([0.1])


def test_a_damaged_head_count_without_a_reading_is_not_compared(made_up):
    table = head_counts(made_up, {"value": 5.0, "suspect": "a digit is lost"}, {"value": 463_000.0})
    assert table["target_id"].tolist() == ["t_1"]


def test_a_head_count_said_again_is_compared_once(made_up):
    table = head_counts(made_up, {"value": 463_000.0}, {"value": 463_000.0, "restates": "t_0"})
    assert table["target_id"].tolist() == ["t_0"]


def test_a_city_without_promises_has_none_compared(project, made_up):
    result = made_up()
    assert compare.compare_targets(project, result).empty
    assert compare.compare_all(project, {"sanming": result}).empty


def test_every_measured_promise_of_the_project_is_compared_in_its_own_unit(project, results):
    units = project.indicators.set_index("indicator")["unit"]
    table = compare.compare_all(project, results)
    assert len(table) >= 10
    assert table["unit"].tolist() == units.loc[table["measured_by"]].tolist()
    assert table["chance"].between(0, 1).all()
    assert (table[["promised", "central", "high"]] > 0).all(axis=None)
    assert (table["low"] >= 0).all()  # nothing is built where the stock is enough


def test_influence_names_what_moves_a_result_and_nothing_else(project):
    table = compare.influence(run_city(project, "lincang"), "beds_total_needed", 2035, most=200)
    share = table.set_index("assumption")["share_of_spread"]
    assert share.is_monotonic_decreasing
    assert share.index[:5].str.match("setting_need_share|target_occupancy").any()
    assert "results_price_year" not in share.index
    effect = table.set_index("assumption")["effect"]
    assert effect["target_occupancy"] < 0
