"""Promises beside needs: the chance and the gap on results made up for the purpose."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import norm

from eldercare.analysis import compare, decomposition, definitions
from eldercare.engine.arrays import part, sum_over
from eldercare.engine.quantity import Calculation
from eldercare.inputs import load
from eldercare.inputs.load import nation_as_city
from eldercare.inputs.schema import ASSUMPTION_KEYS
from eldercare.model.chain import inputs_of, run_city
from eldercare.reporting.language import load_language
from eldercare.reporting.results import run
from eldercare.reporting.tables import marks, promises, together

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
        table = promises(words, compare.verdicts(project, made_up({"value": value})))
        return words.sentences("promise_told", table.assign(city_id="sanming"))

    [few] = said(3.0)
    assert "Sanming promised for 2030" in few and ", 3 beds per 1,000 people. Needed: " in few
    assert "Needed: 30 (25.2 to 34.8) beds per 1,000 people" in few
    assert "(1,350 beds short); not enough under any definition" in few
    assert "enough is under 10%" in few
    [many] = said(300.0)
    assert "(13,500 beds over); enough under every definition" in many
    assert "enough is over 90%" in many


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


# Verdicts: what they rest on


def chances(*shares, target="t_0"):
    """Chances of a promise by definition and variant, made up."""
    rows = [
        ("lincang", target, "definition", f"way_{place}", share, share >= compare.EVEN)
        for place, share in enumerate(shares)
    ]
    columns = ["city_id", "target_id", "kind", "variant", "chance", "enough"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize(
    ("shares", "found", "agreed"),
    [
        ((0.95, 0.99), "always", True),
        ((0.55, 0.99), "always", False),
        ((0.0, 0.18), "never", True),
        ((0.0, 0.4), "never", False),
        ((0.45, 0.55), "depends", True),
        ((0.0, 0.91), "depends", False),
    ],
)
def test_a_verdict_says_whether_it_holds_whatever_is_believed(shares, found, agreed):
    row = compare.judge(chances(*shares)).iloc[0]
    assert (row["found"], row["agreed"]) == (found, agreed)
    assert (row["chance_lowest"], row["chance_highest"]) == (min(shares), max(shares))
    assert (row["ways"], row["ways_enough"]) == (2, sum(share >= 0.5 for share in shares))
    assert sorted([*row["enough_under"], *row["short_under"]]) == ["way_0", "way_1"]


def test_promises_are_judged_one_by_one():
    both = pd.concat([chances(0.9, 0.8), chances(0.1, 0.2, target="t_1")])
    assert compare.judge(both).set_index("target_id")["found"].to_dict() == {
        "t_0": "always",
        "t_1": "never",
    }


def test_the_own_definition_gives_the_chance_that_is_told(project, results):
    for city_id in ("sanming", "shengzhou"):
        told = compare.compare_targets(project, results[city_id]).set_index("target_id")["chance"]
        found = compare.chances_by_variant(project, results[city_id])
        own = found[found["variant"] == "any ADL limitation"].set_index("target_id")["chance"]
        pd.testing.assert_series_equal(own, told)


def test_a_narrower_definition_leaves_fewer_beds_needed_and_a_wider_one_more(project, results):
    found = compare.chances_by_variant(project, results["sanming"])
    beds = found[found["target_id"] == "sanming_020"].set_index("variant")["chance"]
    order = ["severe ADL limitation", "any ADL limitation", "fifth national survey", "ADL or IADL"]
    assert beds[order].is_monotonic_decreasing and beds[order].nunique() > 2


def test_the_need_of_a_definition_has_its_people(project, results):
    base = Calculation(results["lincang"].inputs)
    wanted = definitions.people_by_definition(base)
    for name, one in definitions.calculations_by_definition(base).items():
        counted = sum_over(one["care_need"], "severity")
        np.testing.assert_allclose(counted.values, wanted[name].transpose(*counted.dims).values)
        older = sum_over(one["people_by_severity"], "severity")
        np.testing.assert_allclose(older.values, base["population_60_plus"].values)


def test_scenarios_of_how_need_is_met_are_no_variants_of_need(project, results):
    found = compare.scenarios_of_need(project, results["lincang"].inputs)
    assert "policy_96_4" in found and "healthier" in found
    assert "better_use_of_beds" not in found and "need_met" not in found


class MadeUp(dict):
    """Draws of two assumptions of which the first moves need ten times as much."""

    def __init__(self, draws=512):
        points = (np.arange(draws) + 0.5) / draws
        mixed = np.random.default_rng(1).permutation(points)
        axes = {"dims": "draw", "coords": {"draw": np.arange(draws)}}
        super().__init__(
            strong=xr.DataArray(norm.ppf(points) * 0.1 + 1, **axes),
            weak=xr.DataArray(norm.ppf(mixed) * 0.1 + 1, **axes),
        )
        blank = dict.fromkeys(ASSUMPTION_KEYS, "")
        self.rows = pd.DataFrame([{"assumption": name, **blank, "unit": "share"} for name in self])
        self.streams_used = frozenset()
        self.draws = draws

    __hash__ = object.__hash__


def test_the_turning_point_is_where_the_middle_of_need_meets_the_promise():
    made = MadeUp()
    need = 100 * made["strong"].values + 10 * made["weak"].values
    promised = 100 * 1.05 + 10  # met by the middle where the first is 1.05
    row = compare.turning_point(made, need, promised, ["strong", "weak"])
    assert (row["assumption"], row["inside"], row["turn_unit"]) == ("strong", True, "share")
    assert row["turn"] == pytest.approx(1.05, abs=0.004)
    assert row["turn_low"] < row["turn_central"] < row["turn"] < row["turn_high"]


def test_what_lies_beyond_the_range_does_not_turn_it_and_is_said_so():
    made = MadeUp()
    need = 100 * made["strong"].values + 10 * made["weak"].values
    row = compare.turning_point(made, need, 100 * 1.2 + 10, ["strong", "weak"])
    assert (row["assumption"], row["inside"]) == ("strong", False)


def test_without_enough_draws_no_assumption_is_named(results):
    need = np.arange(8.0)
    few = results["lincang"].assumptions.block(slice(0, 8))
    assert compare.turning_point(few, need, 3.0, few.rows["assumption"])["assumption"] == ""


@pytest.mark.parametrize("code", ["en", "zh"])
def test_no_chance_on_a_guess_is_told_finer_than_in_tens(project, results, code):
    words = load_language(project, code)
    table = compare.verdicts_of_cities(project, results)
    told = promises(words, table)
    for row in told.to_dict("records"):
        assert not re.search(r"(?<!\d)[1-9]%", row["span"])
        numbers = re.findall(r"(\d+)%", row["span"])
        assert row["agreed"] or all(number.endswith("0") for number in numbers)
    [sentence] = together(words, told)
    assert f"{len(told)}" in sentence and together(words, told.head(0)) == []
    found = pd.concat([compare.chances_by_variant(project, one) for one in results.values()])
    shown = marks(words, found, told)
    assert shown.shape == (len(told), found["variant"].nunique())
    assert set(np.unique(shown.to_numpy())) == {"✓", "✗"}


# The same under a definition for the whole run


WIDER = "fifth national survey"


def _middle(array, place):
    return np.median(part(array, measure="need").isel(year=place).values)


def test_a_run_by_another_definition_has_its_people_and_need_follows(project):
    inputs = inputs_of(project, nation_as_city(), draws=64)
    own, wider = Calculation(inputs), Calculation(inputs.counted_by(WIDER))
    limited, counted = (sum_over(one["care_need"], "severity") for one in (own, wider))
    place = 2024 - int(inputs.years[0])
    millions = [np.median(one.isel(year=place).values) / 1e6 for one in (limited, counted)]
    assert millions == [pytest.approx(20, abs=2), pytest.approx(35, abs=2)]
    row = project.assumptions.set_index("assumption").loc["care_need_share_fifth_survey"]
    older = own["population_60_plus"].values
    np.testing.assert_allclose(counted.values, older * row["central"])
    # Of people with a limitation the same share has no family that can care.
    factor = (counted / limited).values[:, None]
    for name in ("residents_by_severity", "admissions_by_severity"):
        before, after = (part(one[name], measure="need") for one in (own, wider))
        severities = slice(before.sizes["severity"] - 3, None)
        before, after = (one.isel(severity=severities).values for one in (before, after))
        np.testing.assert_allclose(after, before * factor)
    for name in ("beds_total_needed", "caregivers_total_needed", "cost_total", "beds_from_flow"):
        before, after = (one[name] for one in (own, wider))
        assert _middle(after, place) > 1.4 * _middle(before, place)
        # Who is in care today is counted, however need is.
        np.testing.assert_array_equal(*(part(one, measure="use").values for one in (before, after)))


def test_a_whole_run_by_a_definition_is_its_column_of_the_promises(project):
    by_default = run(project, ["sanming"], draws=64)
    named = run(project, ["sanming"], draws=64, definition=project.definition)
    wider = run(project, ["sanming"], draws=64, definition=WIDER)
    for name, values in by_default["sanming"].values.items():
        np.testing.assert_array_equal(values.values, named["sanming"].values[name].values)
    column = compare.chances_by_variant(project, by_default["sanming"])
    column = column[column["variant"] == WIDER].set_index("target_id")["chance"]
    told = wider.targets().set_index("target_id")["chance"]
    pd.testing.assert_series_equal(told, column[told.index])
    again = compare.chances_by_variant(wider.project, wider["sanming"])
    again = again[again["variant"] == WIDER].set_index("target_id")["chance"]
    pd.testing.assert_series_equal(again, column)
    causes = decomposition.decompose(wider.project, "sanming", [2035], draws=64)
    ends = causes[causes["part"] == "end"].set_index("outcome")["mean"]
    assert ends["beds"] == pytest.approx(wider.at("sanming", "beds_total_needed", 2035)["mean"])
    assert wider.summary("cost_total").attrs["definition"] == WIDER
    column = promises(load_language(wider.project), wider.targets())["definition"]
    assert column.str.contains(WIDER).any() and WIDER in load_language(wider.project).counted_by
    assert load_language(project).counted_by == ""


def test_an_unknown_definition_is_told_with_those_there_are(project, monkeypatch):
    told = "no definition of care need “wide”; there are: census question, severe ADL limitation, "
    with pytest.raises(KeyError, match=told):
        run(project, ["sanming"], definition="wide")
    monkeypatch.setenv(load.DEFINITION, "wide")
    with pytest.raises(KeyError, match=told):
        load.load_project(project.root)
    monkeypatch.setenv(load.DEFINITION, WIDER)
    assert load.load_project(project.root).definition == WIDER
