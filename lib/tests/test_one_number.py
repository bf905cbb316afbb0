"""One number for one thing: what is printed in several places is the same, and parts add up to
their total.
"""

import inspect
import re
from dataclasses import replace

import figure_cells
import numpy as np
import pandas as pd
import pytest
from report_checks import SIZES

import eldercare as ec
from eldercare.analysis import (
    affordability,
    compare,
    decomposition,
    definitions,
    health,
    plan,
    sensitivity,
    supply,
)
from eldercare.inputs.draws import DEFAULT_DRAWS
from eldercare.model import chain
from eldercare.reporting import language, report, tables, what_if
from eldercare.reporting.results import run_scenarios

CITIES, YEAR = ("sanming", "shangqiu"), 2035
TO_ROUNDING = 6e-4
RANGE = ["low", "central", "high"]


@pytest.fixture(scope="module")
def results(project):
    return ec.run(project, cities=CITIES)


@pytest.fixture(scope="module")
def twins(project, results, tmp_path_factory):
    """The twin tables of the figures of care, money, reports and the desk, by name."""
    folder = tmp_path_factory.mktemp("figures")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ELDERCARE_FIGURES", str(folder))
        draw_all(project, results)
    return {FIGURES[path.stem]: pd.read_csv(path) for path in folder.glob("*.csv")}


FIGURES = {
    "00_beds": "beds",
    "03_people_60_plus": "older",
    "04_dementia": "dementia",
    "04_care_need": "care_need",
    "04_definitions": "definitions",
    "04_healthy_years": "lives",
    "05_bed_types": "bed_types",
    "05_causes": "causes",
    "05_scenarios": "scenarios",
    "06_workplaces": "workplaces",
    "07_payers": "payers",
    "07_cost_items": "cost_items",
    "02_tornado_beds": "tornado",
    "09_what_if": "desk",
    "city_report_people": "report_people",
    "city_report_beds": "report_beds",
    "city_report_caregivers": "report_caregivers",
    "city_report_payers": "report_payers",
}


def draw_all(project, results):
    few = replace(
        project,
        cities={city_id: project.cities[city_id] for city_id in CITIES},
        scenarios={"better_use_of_beds": project.scenarios["better_use_of_beds"]},
    )
    one = ec.Results(few, {"shangqiu": results["shangqiu"]}, results.words)
    known = {
        "project": few,
        "results": results,
        "words": results.words,
        "lives": health.health_of_cities(results, 2020),
        "desks": {city_id: what_if.Desk(project, city_id) for city_id in CITIES},
    }
    for name in FIGURES:
        figure_cells.draw(name, **{**known, **({"results": one} if "report" in name else {})})


# The same quantity, city, year, measure and statistic


def cells(results, indicator, city_id, years, **where):
    return results[city_id].table(indicator, years, **where)[RANGE].to_numpy().ravel()


SAME = [
    ("beds", {"series": "need"}, "beds_total_needed", {"measure": "need"}),
    ("beds", {"series": "today's use"}, "beds_total_needed", {"measure": "use"}),
    (
        "scenarios",
        {"scenario": "baseline", "measure": "need"},
        "beds_total_needed",
        {"measure": "need"},
    ),
    (
        "scenarios",
        {"scenario": "baseline", "measure": "use"},
        "beds_total_needed",
        {"measure": "use"},
    ),
    ("desk", {"headline": "beds"}, "beds_total_needed", {"measure": "need"}),
    ("desk", {"headline": "caregivers"}, "caregivers_total_needed", {"measure": "need"}),
    ("desk", {"headline": "yearly_cost"}, "cost_total", {"measure": "need"}),
    ("dementia", {}, "people_with_dementia", {}),
    ("older", {}, "population_60_plus", {}),
    ("report_people", {"series": "60_plus"}, "population_60_plus", {}),
    ("report_beds", {"series": "need"}, "beds_total_needed", {"measure": "need"}),
    ("report_beds", {"series": "use"}, "beds_total_needed", {"measure": "use"}),
    ("report_caregivers", {"series": "needed"}, "caregivers_total_needed", {"measure": "need"}),
    ("definitions", {"definition": "severe ADL limitation"}, "care_need", {"severity": "severe"}),
    ("payers", {"payer": "families"}, "payment", {"measure": "need", "payer": "families"}),
    ("report_payers", {"payer": "families"}, "payment", {"measure": "need", "payer": "families"}),
    ("report_payers", {"payer": "total"}, "cost_total", {"measure": "need"}),
    ("payers", {"payer": "total"}, "cost_total", {"measure": "need"}),
    ("cost_items", {"group": "total"}, "cost_total", {"measure": "need"}),
    ("bed_types", {"bed_type": "total"}, "beds_institution_needed", {"measure": "need"}),
    ("workplaces", {"workplace": "total"}, "caregivers_total_needed", {"measure": "need"}),
]


@pytest.mark.parametrize(
    ("twin", "rows", "indicator", "where"), SAME, ids=lambda value: str(value)[:40]
)
def test_a_number_printed_in_several_places_is_the_same(
    twins, results, twin, rows, indicator, where
):
    table = twins[twin]
    for column, value in rows.items():
        table = table[table[column] == value]
    for city_id, part in table.groupby("city_id"):
        part = part[part["year"].between(2020, 2050)].sort_values("year")
        assert len(part)
        wanted = cells(results, indicator, city_id, part["year"].tolist(), **where)
        assert part[RANGE].to_numpy().ravel() == pytest.approx(wanted, rel=TO_ROUNDING)


def test_the_tornado_of_every_headline_is_centred_at_the_headline(project, results, twins):
    for city_id, result in results.items():
        table = sensitivity.tornado(project, city_id)
        for headline in sensitivity.headlines(project.city(city_id)):
            centre = table.loc[table["headline"] == headline.name, "at_middle"].unique()
            assert centre == pytest.approx(
                [np.median(headline.value(result.calculation))], rel=1e-5
            ), headline.name
        shown = twins["tornado"].query("city_id == @city_id")["at_middle"].unique()
        middle = result.table("beds_total_needed", [YEAR], measure="need")["central"].item()
        assert shown == pytest.approx([middle], rel=TO_ROUNDING)


def test_the_causes_begin_and_end_at_the_result(results, twins):
    for city_id, result in results.items():  # noqa: B007, PERF102 - the query asks for it
        part = twins["causes"].query("city_id == @city_id").set_index("part")
        beds = result.values["beds_total_needed"]
        ends = beds.sel(measure="need", year=YEAR).astype(float)
        assert part.loc["end", "value"] == pytest.approx(ends.mean().item(), rel=TO_ROUNDING)
        assert part.loc["end", RANGE].to_numpy(float) == pytest.approx(
            np.quantile(ends, [0.1, 0.5, 0.9]), rel=TO_ROUNDING
        )


def test_definitions_and_lives_are_those_of_the_draws_of_the_result(project, results):
    for city_id, result in results.items():
        table = definitions.definition_table(project, city_id, (YEAR,)).set_index("definition")
        whole = np.quantile(
            result.values["care_need"].sel(year=YEAR).astype(float).sum("severity"), [0.1, 0.5, 0.9]
        )
        assert table.loc["any ADL limitation", RANGE].to_numpy(float) == pytest.approx(
            whole, rel=1e-5
        )
        older = result.table("population_60_plus", [YEAR])["central"].item()
        assert table["population_60_plus"].unique() == pytest.approx([older], rel=1e-5)
        own = health.health_expectancy(result.inputs, 2020)
        shown = health.health_of_cities({city_id: result}, 2020)
        assert shown[own.columns].equals(own)


@pytest.mark.parametrize(
    "function",
    [
        chain.run_city,
        chain.age_structure,
        definitions.definition_table,
        definitions.compare_with_published,
        definitions.national_care_need,
        decomposition.decompose,
        run_scenarios,
        what_if.Desk,
    ],
    ids=lambda function: function.__name__,
)
def test_nothing_is_run_again_with_another_number_of_draws(function):
    assert inspect.signature(function).parameters["draws"].default == DEFAULT_DRAWS


def test_a_run_to_an_earlier_year_gives_the_numbers_of_the_whole_run(project, results):
    short, whole = chain.run_city(project, "sanming", last_year=YEAR), results["sanming"]
    for name, array in short.values.items():
        other = whole.values[name].sel(year=array["year"])
        assert np.allclose(
            array.values, other.transpose(*array.dims).values, rtol=1e-5, atol=1e-4, equal_nan=True
        ), name


# Parts and totals

PARTS = {
    "care_need": "severity",
    "bed_types": "bed_type",
    "workplaces": "workplace",
    "payers": "payer",
    "cost_items": "group",
    "report_payers": "payer",
}


@pytest.mark.parametrize("twin", PARTS)
def test_the_means_of_the_parts_of_a_figure_add_up_to_its_total(twins, twin):
    table, key = twins[twin], PARTS[twin]
    total = table[table[key] == "total"].set_index(["city_id", "year"])["mean"]
    parts = table[table[key] != "total"].groupby(["city_id", "year"])["mean"].sum()
    assert len(total) and parts.reindex(total.index).to_numpy() == pytest.approx(
        total.to_numpy(), rel=TO_ROUNDING
    )


def test_every_figure_with_parts_has_a_total_to_hold_them_against(twins):
    """A figure with means is one whose parts are stacked; none may lack the total."""
    stacked = {name for name, table in twins.items() if "mean" in table and "state" not in table}
    assert stacked == set(PARTS)


def test_the_years_of_life_add_up(twins):
    wide = twins["lives"].pivot_table("mean", ["city_id", "sex"], "state")
    parts = wide[["none", "mild", "moderate", "severe"]].sum(axis=1)
    assert parts.to_numpy() == pytest.approx(wide["all"].to_numpy(), rel=TO_ROUNDING)


def test_the_causes_add_up(twins):
    wide = twins["causes"].pivot_table("value", "city_id", "part")
    causes = wide[[part for part in decomposition.FACTORS if part in wide]].sum(axis=1)
    assert (wide["start"] + causes).to_numpy() == pytest.approx(
        wide["end"].to_numpy(), rel=2 * TO_ROUNDING
    )


def printed_tables(project, results):
    """Tables in which parts stand beside a total, as notebooks tell them: whose heads say mean."""
    words, one = results.words, results["shangqiu"]
    at = {"years": [YEAR], "measure": "need"}
    parts = {
        "payment": ("payer", {}),
        "beds_needed": ("bed_type", {}),
        "people_by_setting": ("setting", {}),
        "certified_by_grade": ("grade", {}),
    }
    for name, (dim, where) in parts.items():
        table = results.summary(name, by=dim, total=True, **at, **where)
        yield name, tables.wide(words, table, columns=dim, middle="mean").T
    classes = definitions.service_classes(project, results, YEAR)
    yield "classes", tables.wide(words, classes, columns="service_class", middle="mean").T
    for age in (60, 80):
        growth = decomposition.growth_of_people(project, results, age, [YEAR, 2050])
        told = tables.wide(words, growth, ["city_id", "year"], "part", middle="mean")
        yield f"growth {age}", told.T
    flows = supply.stock_and_flows(one, [2026, YEAR])
    out = flows["flow"].isin(["leaving", "retiring"])
    flows["mean"] = flows["mean"].where(~out, -flows["mean"])
    yield "flow", tables.wide(words, flows, "flow", middle="mean")
    changes = decomposition.decompositions(project, results, [YEAR])
    for outcome, table in changes.groupby("outcome"):
        told = tables.wide(words, table, ["city_id", "year"], "part", middle="mean")
        yield outcome, told.T


def test_printed_parts_add_up_to_the_printed_total_and_say_that_they_are_means(project, results):
    for name, table in printed_tables(project, results):
        words = [*map(str, table.index), *map(str, table.columns)]
        assert any("mean" in word for word in words), name
        for column in table:
            *parts, total = (printed_money(cell) for cell in table[column])
            assert sum(parts) == pytest.approx(total, rel=0.005), (name, column)


def test_the_start_of_the_causes_says_at_which_occupancy(results):
    words = results.words
    beds, cost = (words.part("part", f"start_{outcome}") for outcome in decomposition.OUTCOMES)
    assert "observed" in beds and "observed" not in cost


def printed_money(cell) -> float:
    """The first number of a cell, a large unit multiplied out."""
    number, unit = re.match(r"(-?[\d.,]+)\s*(million|billion|万|亿)?", cell).groups()
    return float(number.replace(",", "")) * SIZES.get(unit, 1)


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ([62.6, 11.7, 10.3, 5.1, 10.3], [63, 12, 10, 5, 10]),
        ([1, 1, 1], [34, 33, 33]),
        ([2, 0], [100, 0]),
    ],
)
def test_whole_parts_add_up_and_each_is_one_of_the_two_next_to_the_exact(values, parts):
    found = affordability.in_whole_parts(values)
    assert sum(found) == 100
    assert all(abs(part - 100 * value / sum(values)) < 1 for part, value in zip(found, values))
    assert sorted(found) == sorted(parts)


@pytest.mark.parametrize("code", language.LANGUAGES)
def test_care_workers_needed_and_in_post_are_told_by_the_same_measure(project, results, code):
    words = language.load_language(project, code)
    facts = report.Facts(project, results["shangqiu"], words)
    text = report._plain(facts, "caregivers")[1].text
    need = results["shangqiu"].values["caregivers_total_needed"].sel(measure="need", year=YEAR)
    post = results["shangqiu"].values["caregivers_stock"].sel(path="programme", year=YEAR)
    for array in (need, post):
        assert words.range(plan.mean_range(array.astype(float)), "worker") in text
    assert {"en": "a mean as well", "zh": "在岗人数均值"}[code] in text


@pytest.mark.parametrize("code", language.LANGUAGES)
def test_parts_of_the_report_add_up(project, results, code):
    result = results["shangqiu"]
    words = language.load_language(project, code)
    facts = report.Facts(project, result, words)
    *_, table = (block for block in report._money(facts) if hasattr(block, "rows"))
    assert words.phrase("column_share", year=YEAR) in table.columns
    shares = [float(re.search(r"[\d.]+", row[-1])[0]) for row in table.rows]
    assert sum(shares[:-1]) == shares[-1] == 100
    for column in range(1, 1 + len(report.MONEY_YEARS)):
        *parts, total = (printed_money(row[column]) for row in table.rows)
        assert sum(parts) == pytest.approx(total, rel=0.005)
        if table.columns[column] == words.phrase("column_cost", year=YEAR):
            assert [100 * part / total for part in parts] == pytest.approx(shares[:-1], abs=1)
    answer = report._answer(facts, ())[-1].items[-1]
    assert all(table.rows[place][-1] in answer for place in (0, 1))
    for year in report.MONEY_YEARS:
        payments = result.values["payment"].sel(measure="need", year=year).astype(float)
        parts = sum(
            plan.mean_range(payments.sel(payer=payer))["central"]
            for payer in payments["payer"].values
        )
        total = plan.mean_range(result.values["cost_total"].sel(measure="need", year=year))[
            "central"
        ]
        assert parts == pytest.approx(total, rel=1e-5)
        assert words.range(
            plan.mean_range(result.values["cost_total"].sel(measure="need", year=year)), "plain"
        ) in {cell for row in table.rows for cell in row}


# What moves the answer


@pytest.fixture(scope="module")
def found(project):
    return sensitivity.sensitivity(project, "sanming", runs=32)


def test_no_first_order_index_is_above_the_total_and_none_is_cut_off(found):
    table = found.table
    assert (table["first_order"] <= table["total"]).all()
    assert (table["first_order"] >= 0).all()


def test_first_order_cannot_pass_total_whatever_the_runs():
    chance = np.random.default_rng(3)
    f_a, f_b = chance.normal(size=(2, 3, 16))
    f_ab, f_ba = chance.normal(size=(2, 5, 3, 16))
    first, total = sensitivity.indices(f_a, f_b, f_ab, f_ba)
    assert (first <= total).all() and (first < 0).any()


def test_what_does_nothing_with_others_has_no_noise_between_first_and_total():
    chance = np.random.default_rng(4)
    (a, b), (c, d) = chance.normal(size=(2, 2, 64))
    first, total = sensitivity.indices(
        (a + c)[None], (b + d)[None], (b + c)[None, None], (a + d)[None, None]
    )
    assert first == pytest.approx(total, rel=1e-12)


def test_every_notebook_and_the_report_name_the_same_first_and_the_same_share(
    project, results, found
):
    result = results["sanming"]
    moved = sensitivity.tornado(project, "sanming")
    for headline, indicator in (
        ("beds", "beds_total_needed"),
        ("caregivers", "caregivers_total_needed"),
        ("yearly_cost", "cost_total"),
    ):
        told = compare.influence(result, indicator, YEAR, most=4).set_index("assumption")[
            "share_of_spread"
        ]
        table = found.table[
            (found.table["headline"] == headline) & (found.table["kind"] == "assumption")
        ]
        table = table.sort_values("first_order", ascending=False).set_index("group")["first_order"]
        assert list(table.index[:4]) == list(told.index)
        assert table[told.index].to_numpy() == pytest.approx(told.to_numpy(), abs=0.002)
        if headline in report.MOVED:
            rows = report.largest_moves(moved)
            assert list(rows.loc[rows["headline"] == headline, "assumption"])[:4] == list(
                told.index
            )


def test_the_error_of_projection_is_named_first_where_it_moves_most(results):
    for result in results.values():
        table = compare.influence(result, "population_60_plus", YEAR, most=3)
        assert table["assumption"].iloc[0] == compare.PROJECTION_ERROR
        assert table["effect"].iloc[0] > 0
        everything = compare.influence(result, "population_60_plus", YEAR, most=999)[
            "share_of_spread"
        ].sum()
        assert everything == pytest.approx(1, abs=0.1)


def test_shares_of_the_spread_are_found_where_the_truth_is_known(results):
    """Two assumptions with 9 and 1 parts of the variance, in the draws of a result."""
    assumptions = results["sanming"].assumptions
    one, other = (
        compare.normal_scores(assumptions[name].values) for name in ("target_occupancy", "bed_life")
    )
    parts = compare.spread_parts(assumptions, np.exp(3 * one - other))
    shares = {name: part.added.var() for name, part in parts.items()}
    assert shares["target_occupancy"] == pytest.approx(0.9, abs=0.02)
    assert shares["bed_life"] == pytest.approx(0.1, abs=0.02)
    assert (
        max(share for name, share in shares.items() if name not in ("target_occupancy", "bed_life"))
        < 0.01
    )


def test_too_few_draws_say_so_in_plain_words(project):
    few = ec.run_city(project, "sanming", draws=64)
    with pytest.raises(ValueError, match="take at least .* draws"):
        compare.influence(few, "beds_total_needed", YEAR)


def test_the_width_that_knowing_narrows_is_the_range_of_the_result(project, results, found):
    table = sensitivity.value_of_information(project, found)
    row = results["sanming"].table("beds_total_needed", [YEAR], measure="need").iloc[0]
    width = table.loc[table["headline"] == "beds", "width_now"].unique()
    assert width == pytest.approx([row["high"] - row["low"]], rel=1e-5)


def test_the_payers_told_are_those_of_the_same_cost(results):
    shares = affordability.who_bears(results, YEAR).set_index(["city_id", "payer"])["central"]
    for city_id, result in results.items():
        told = affordability.payer_shares(result, YEAR)["central"]
        assert told.sum() == pytest.approx(1)
        one = shares[city_id]
        whole = one["families"] + one["public"] + one["insurance"]
        assert whole == pytest.approx(1) and one["public"] >= one["city_budget"]
        paid = result.values["payment"].sel(measure="need", year=YEAR).astype(float)
        cost = result.values["cost_total"].sel(measure="need", year=YEAR)
        assert paid.sum("payer").values == pytest.approx(cost.values, rel=1e-5)
        assert one["families"] == pytest.approx(
            (paid.sel(payer="families").mean() / cost.mean()).item(), abs=0.01
        )
