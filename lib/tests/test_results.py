"""The one object over cities: tidy tables, single numbers, promises, traces, a workbook."""

import numpy as np
import pandas as pd
import pytest
from conftest import DRAWS

import eldercare as ec
from eldercare.reporting import tables
from eldercare.reporting.language import load_language


@pytest.fixture(scope="module")
def found(project):
    return ec.run(project, cities=["lincang", "chishui"], draws=DRAWS)


def test_a_run_gives_results_by_city(found):
    assert isinstance(found, ec.Results) and list(found) == ["lincang", "chishui"]
    assert found["lincang"].assumptions.draws == DRAWS


def test_a_summary_is_a_tidy_table_with_unit_and_label(found):
    table = found.summary("beds_needed", by="bed_type", years=[2030, 2035], measure="need")
    assert list(table) == [
        *("city_id", "year", "bed_type", "mean", "low", "central", "high", "unit", "label")
    ]
    assert len(table) == 2 * 2 * 3 and set(table["unit"]) == {"bed"}
    assert (
        table["label"].unique().tolist() == ["Beds needed in institutions"]
        or (table["label"].str.len() > 5).all()
    )
    assert (table["low"] <= table["central"]).all() and (table["central"] <= table["high"]).all()
    chinese = found.summary("beds_needed", years=[2035], measure="need", language="zh")
    assert chinese["label"].str.contains("床位").all()


def test_parts_left_out_are_summed_and_means_of_parts_add_up(found):
    parts = found.summary("beds_needed", by="bed_type", years=[2035], measure="need")
    whole = found.summary("beds_needed", years=[2035], measure="need")
    known = found.summary("beds_institution_needed", years=[2035], measure="need")
    assert parts.groupby("city_id", sort=False)["mean"].sum().to_numpy() == pytest.approx(
        whole["mean"].to_numpy()
    )
    columns = ["mean", "low", "central", "high"]
    assert whole[columns].to_numpy() == pytest.approx(known[columns].to_numpy(), rel=1e-5)


def test_without_a_measure_both_stand_one_under_the_other(found):
    table = found.summary("beds_total_needed", years=[2035])
    assert table["measure"].tolist() == ["use", "need"] * 2


def test_a_quantity_that_the_result_does_not_keep_can_be_asked_for_too(found):
    table = found.summary("pay_per_worker", years=[2024, 2035])
    assert (table["central"] > 10_000).all()
    assert set(table["unit"]) == {"yuan per worker and year"}


def test_one_number_is_need_unless_use_is_asked_for(found):
    result = found["lincang"].values["beds_total_needed"].sel(year=2035).astype(float)
    for where, measure in (({}, "need"), ({"measure": "use"}, "use")):
        one = found.at("lincang", "beds_total_needed", 2035, **where)
        wanted = np.quantile(result.sel(measure=measure), [0.1, 0.5, 0.9])
        assert one[["low", "central", "high"]].tolist() == pytest.approx(wanted.tolist())


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda r: r.summary("beds"), "no quantity “beds”"),
        (lambda r: r.summary("beds_needed", by="payer"), "has no “payer”; it has: measure"),
        (lambda r: r.summary("beds_needed", bed_type="wooden"), "“wooden” is no bed_type"),
        (lambda r: r.summary("beds_needed", language="fr"), "no language “fr”; there are: en, zh"),
        (lambda r: r.at("nowhere", "beds_needed", 2035), "no result of “nowhere”"),
        (lambda r: r.at("lincang", "beds_needed", 2090), "2090 is not among the years"),
    ],
)
def test_what_is_not_there_is_refused_in_plain_words(found, ask, said):
    with pytest.raises(KeyError, match=said):
        ask(found)


def test_a_table_is_a_row_a_city_and_a_column_a_year(found):
    table = found.table("population_60_plus", [2025, 2035])
    assert table.index.tolist() == ["Lincang", "Chishui"] and list(table) == ["2025", "2035"]
    assert table["2035"].str.match(r"[\d,]+ \([\d,]+ to [\d,]+\)").all()


def test_targets_are_those_of_all_cities(project, found):
    table = found.targets()
    assert set(table["city_id"]) <= set(found)
    one = ec.compare_targets(project, found["lincang"])
    own = table[table["city_id"] == "lincang"].drop(columns="city_id")
    assert own["target_id"].tolist() == one["target_id"].tolist()


def test_a_trace_is_that_of_the_result(found):
    root = found.trace("lincang", "beds_total_needed", 2035).root
    told = found.at("lincang", "beds_total_needed", 2035)
    assert root.values[0].central == pytest.approx(told["central"])


def test_a_workbook_holds_every_quantity_and_every_promise(found, tmp_path):
    path = found.to_excel(tmp_path / "all.xlsx")
    sheets = pd.read_excel(path, sheet_name=None)
    assert set(sheets["results"]["quantity"]) == set(found["lincang"].values.data_vars)
    assert len(sheets["targets"]) == len(found.targets())
    with pytest.raises(ValueError, match="let the name end in .xlsx"):
        found.to_excel(tmp_path / "all.csv")


# Tidy frames as notebooks tell them


def test_all_parts_together_stand_below_the_parts_if_wanted(found):
    ask = {"by": "bed_type", "years": [2035], "measure": "need"}
    table = found.summary("beds_needed", total=True, **ask)
    assert table["bed_type"].tolist()[3::4] == ["total", "total"]
    whole = found.summary("beds_needed", years=[2035], measure="need")
    total = table[table["bed_type"] == "total"]
    columns = ["mean", "low", "central", "high"]
    assert total[columns].to_numpy() == pytest.approx(whole[columns].to_numpy(), rel=1e-5)


def test_an_assumption_can_be_asked_for_like_a_quantity(found):
    table = found.summary("target_occupancy")
    assert list(table) == ["city_id", "mean", "low", "central", "high", "unit", "label"]
    assert set(table["unit"]) == {"share"} and table["central"].between(0.5, 1).all()
    assert table["label"].iloc[0] == found.words.label("target_occupancy")


def test_rows_come_as_the_table_has_them_and_what_is_known_has_no_brackets(found):
    rows = [
        ("lincang", 2035, 1.0, 5.0),
        ("chishui", 2050, 13286.0, 13286.0),
        ("chishui", 2025, 1, 5),
    ]
    table = pd.DataFrame(rows, columns=["city_id", "year", "low", "high"])
    table = table.assign(central=table["high"], part="x", unit="bed", label="Beds")
    wide = tables.wide(found.words, table, ["city_id", "year"], "part")
    assert wide.index.tolist() == [("Lincang", 2035), ("Chishui", 2050), ("Chishui", 2025)]
    assert wide["x"].tolist() == ["5 (1 to 5)", "13,286", "5 (1 to 5)"]
    assert wide.columns.name == "Beds (beds)"
    alone = tables.wide(found.words, table.drop(columns=["low", "high"]), "year", "part")
    assert alone["x"].tolist() == ["5", "13,300", "5"]


def test_rows_are_told_by_the_phrase_that_one_of_their_columns_names(found):
    table = pd.DataFrame({"city_id": ["lincang"], "plan_year": [2022], "known": ["nothing"]})
    said = found.words.sentences("training_{known}", table)
    assert said == found.words.sentences("training_nothing", table) and "Lincang" in said[0]


def test_first_and_last_year_and_rows_side_by_side(found):
    table = found.summary("population_60_plus", years=[2020, 2030, 2035])
    ends = tables.from_to(table)
    assert ends["first_year"].tolist() == [2020, 2020] and ends["year"].tolist() == [2035, 2035]
    assert ends["first_value"].tolist() == table["central"].tolist()[::3]
    causes = pd.DataFrame({"city_id": ["a", "a", "b", "b"], "part": [*"wxyz"], "change": range(4)})
    side = tables.numbered(causes.assign(year=2035), ["part", "change"])
    assert side["part_2"].tolist() == ["x", "z"] and side["change_1"].tolist() == [0, 2]
    assert found.words.signed(1480, "bed") == "+1,480 beds"
    assert found.words.signed(-687, "bed") == "−687 beds"


@pytest.mark.parametrize("code", ["en", "zh"])
def test_the_rows_used_are_those_in_force_with_their_labels(project, found, code):
    words, result = load_language(project, code), found["lincang"]
    table = tables.assumptions_used(words, result, "adl_prevalence", "target_occupancy")
    rows = result.assumptions.rows
    rows = rows[rows["assumption"].isin(["adl_prevalence", "target_occupancy"])]
    assert table.iloc[:, 0].tolist() == [words.label(name) for name in rows["assumption"]]
    assert len(tables.assumptions_used(words, result)) == len(result.assumptions.rows)
