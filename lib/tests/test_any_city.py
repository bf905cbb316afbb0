"""A city of any level, with any plan that `check` passes, runs from the census to report and desk;
what cannot run is told.
"""

import ast
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT
from figure_cells import draw
from given import faults_of, made_city, rows_of, with_cities
from report_checks import SECTIONS

import eldercare as ec
from eldercare.analysis import affordability, balance, comparable, sensitivity, supply
from eldercare.documents import consistency
from eldercare.documents import progress as tracking
from eldercare.inputs import checks, schema
from eldercare.inputs.load import load_project
from eldercare.inputs.reading import read_table
from eldercare.reporting import language, report, what_if
from eldercare.reporting.results import run_scenarios
from eldercare.reporting.tables import wide

DRAWS = 16
PLACES = {  # all levels: what they are is said in data/china/census_area.csv
    "shanghai": 310000,
    "henan": 410000,
    "tibet": 540000,
    "wuhan": 420100,
    "dongguan": 441900,
    "sansha": 460300,
    "pudong": 310115,
    "chongqing_county": 500229,
    "gaize": 542526,
    "suzhou_park": 320571,
    "datong_zone": 140290,
    "xiantao": 429004,
}
BEDS = {"target_id": "x_1", "indicator": "beds_total", "measured_by": "beds_total_needed"}
OCCUPANCY = {"assumption": "target_occupancy"}


@pytest.fixture(scope="module")
def twelve(project):
    return with_cities(
        project,
        *(
            made_city(name, code, 2013 + number, targets=[{**BEDS, "target_year": 2016 + number}])
            for number, (name, code) in enumerate(PLACES.items())
        ),
    )


@pytest.fixture(scope="module")
def results_of_twelve(twelve):
    return ec.run(twelve, draws=DRAWS)


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ELDERCARE_FIGURES", str(tmp_path_factory.mktemp("figures")))
        yield


def test_twelve_places_of_all_levels_have_no_fault(project, twelve):
    assert len(twelve.cities) == 12 and faults_of(project, *twelve.cities.values()) == []


def test_twelve_cities_of_all_levels_fill_every_table(twelve, results_of_twelve, figures):
    results = results_of_twelve
    names = {city.name_en for city in twelve.cities.values()}
    assert set(ec.compare_all(twelve, results)["city_id"]) == set(results)
    words = results.words
    answers = wide(words, results.headlines([2025, 2050]), ["city_id", "headline"])
    missing = results.table("caregivers_missing", [2025, 2050])
    for table in (answers, missing):
        assert set(table.index.get_level_values(0)) == names
    for table in (results.targets(), results.stock(), affordability.burdens(results, 2035)):
        assert set(table["city_id"]) == set(results)
    assert set(affordability.who_bears(results, 2035)["city_id"]) == set(results)
    assert set(supply.training_for_promises(twelve, results)["city_id"]) == set(results)
    assert len(comparable.comparable_table(results)) == 12
    assert (
        words.sentences("balance_{known}", balance.balance_of_stock(results, 2035))
        and len(consistency.verdict_counts(twelve)) == 1
        and tracking.status_counts(twelve).shape[0] == 12
    )
    draw("07_affordability", project=twelve, results=results)


@pytest.mark.parametrize(
    "name", ["chongqing_county", "henan", "gaize", "suzhou_park", "datong_zone"]
)
def test_a_number_of_any_place_leads_back_to_rows(twelve, results_of_twelve, name):
    found = ec.trace(
        name, "cost_total", 2035, project=twelve, result=results_of_twelve[name], measure="need"
    )
    assert found.rows() and found.text(depth=4)


@pytest.mark.parametrize("code", ["en", "zh"])
@pytest.mark.parametrize(("name", "adcode"), [("wuhan", 420100), ("henan", 410000)])
def test_a_city_with_nothing_but_city_csv_has_a_report(project, name, adcode, code):
    alone = with_cities(project, made_city(name, adcode))
    result = ec.run_city(alone, name, draws=DRAWS)
    document = report.build_report(
        alone, result, sensitivity.tornado(alone, name), language.load_language(alone, code)
    )
    assert set(document) == set(SECTIONS)
    assert all(document.values())


@pytest.mark.parametrize("year", range(2013, 2027))
def test_a_plan_of_any_year_runs_with_a_promise_in_its_year_and_after_it(project, year):
    rows = [{**BEDS, "target_id": f"x_{due}", "target_year": due} for due in (year, year + 5)]
    beside = [
        {
            "target_id": "x_a",
            "indicator": "home_adaptations",
            "unit": "household",
            "follow_up": "tracked",
            "follow_up_reason": "x",
            "target_year": due,
        }
        for due in (float("nan"),)
    ]
    one = with_cities(
        project,
        made_city("x", 420100, year, targets=[*rows, *beside], capacity=[{"year": year - 1}]),
    )
    assert faults_of(project, *one.cities.values()) == []
    results = {"x": ec.run_city(one, "x", draws=8)}
    assert list(ec.compare_targets(one, results["x"])["target_year"]) == [year, year + 5]
    assert (
        len(supply.training_for_promises(one, results))
        == len(affordability.adaptations(results))
        == 1
    )
    assert (
        len(balance.balance_of_stock(results, 2035)) == 1
        and comparable.comparable_table(results).shape[0] >= 2
    )
    model = sensitivity.Model(one, "x", draws=8)
    assert model.run(model.draw(8)).shape == (4 + 2, 8)


def test_every_single_quantity_can_measure_a_promise_and_no_other(project):
    single = project.indicators[project.indicators["parts"] == ""]
    rows = [
        {
            "target_id": f"x_{row.indicator}",
            "measured_by": row.indicator,
            "unit": row.unit,
            "value": 0.5 if row.unit == "share" else 10,
            "denominator": row.denominators.split("; ")[0],
        }
        for row in single.itertuples()
    ]
    one = with_cities(project, made_city("x", 420100, 2022, targets=rows))
    assert faults_of(project, *one.cities.values()) == []
    result = ec.run_city(one, "x", draws=8)
    assert len(ec.compare_targets(one, result)) == len(rows)
    for row in project.indicators.itertuples():
        assert set(result.values[row.indicator].dims) - {"draw", "year", "measure"} == set(
            filter(None, row.parts.split())
        )
    desk = what_if.Desk(one, "x", draws=8)
    assert len(desk.baseline.chance) == len(rows)


def test_head_counts_are_what_a_counted_row_may_be_measured_by(project):
    from eldercare.model.population import AGE_GROUPS

    rows = [
        {
            "target_id": f"x_{name}",
            "kind": "stock",
            "unit": "person",
            "measured_by": name,
            "target_year": float("nan"),
        }
        for name in (f"population_{group}" for group in AGE_GROUPS)
    ]
    one = with_cities(project, made_city("x", 420100, targets=rows))
    assert faults_of(project, *one.cities.values()) == []
    assert len(ec.compare_head_counts(ec.run_city(one, "x", draws=8))) == len(rows)


def test_names_of_results_are_no_names_of_promises(project):
    assert (
        tuple(one.name for one in sensitivity.headlines(made_city("x", 420100))) == checks.TAKEN_IDS
    )


def test_the_denominator_chooses_the_quantity(project, results):
    def measured(denominator, name="nursing_bed_share_needed"):
        row = {
            "target_id": "x_1",
            "unit": "share",
            "value": 0.3,
            "measured_by": name,
            "denominator": denominator,
        }
        return (
            with_cities(project, made_city("x", 420100, targets=[row]))
            .cities["x"]
            .targets["measured_by"]
            .item()
        )

    assert (
        measured("institution beds")
        == measured("institution beds", "nursing_bed_share_of_all_needed")
        == "nursing_bed_share_needed"
    )
    assert (
        measured("local eldercare beds")
        == measured("all beds")
        == "nursing_bed_share_of_all_needed"
    )
    values = results["shangqiu"].values.sel(year=2020, measure="need")
    special = values["beds_needed"].sel(bed_type=["nursing", "dementia"]).sum("bed_type")
    everything = values["beds_institution_needed"] + values["day_care_places_needed"]
    needed = (
        ec.compare_targets(project, results["shangqiu"])
        .set_index("target_year")
        .loc[2020, "central"]
    )
    assert needed == pytest.approx(float((special / everything).median()), rel=1e-5)


TARGET_FAULTS = [
    ({"unit": "share", "value": 0.3}, "unit", "must be bed"),
    ({"measured_by": "nursing_bed_share_needed", "value": 60000}, "unit", "must be share"),
    (
        {
            "measured_by": "nursing_bed_share_needed",
            "unit": "share",
            "value": 0.5,
            "denominator": "beds of hospitals",
        },
        "denominator",
        "“local eldercare beds”",
    ),
    (
        {"measured_by": "nursing_bed_share_needed", "unit": "share", "value": 0.5},
        "denominator",
        "“institution beds”",
    ),
    ({"denominator": "older people"}, "denominator", "(empty)"),
    ({"measured_by": "happiness"}, "measured_by", "beds_total_needed"),
    ({"measured_by": "beds_needed"}, "measured_by", "bed_type; must be one of: admissions"),
    ({"measured_by": "care_need", "unit": "person"}, "measured_by", "people_with_dementia"),
    ({"kind": "stock"}, "measured_by", "population_60_plus"),
    ({"kind": "standard"}, "kind", "must be one of: stock, target"),
    ({"kind": "milestone"}, "kind", "must be one of: stock, target"),
    ({"target_year": float("nan")}, "target_year", "from 2011 to 2050"),
    ({"target_year": 2060}, "target_year", "from 2011 to 2050"),
    ({"target_year": 2005}, "target_year", "from 2011 to 2050"),
    ({"value": float("nan")}, "value", "needs a number"),
    ({"value": 0}, "value", "above 0"),
    ({"value_high": 10}, "value_high", "must not be below value"),
    ({"restates": "x_9"}, "restates", "no other target_id"),
    ({"restates": "x_1"}, "restates", "no other target_id"),
    ({"source_id": "hearsay"}, "source_id", "no known source"),
    ({"target_id": "beds"}, "target_id", "name of a result"),
    ({"base_year": 2031}, "base_year", "“2031” lies after target_year, 2030"),
]
CAPACITY_FAULTS = [
    (
        {"indicator": "bed_total"},
        "indicator",
        "there are: beds_closed, beds_converted, beds_opened, beds_per_1000",
    ),
    ({"unit": "person"}, "unit", "must be bed"),
    ({"year": 2099}, "year", "still to come"),
    ({"bed_type": "nursing"}, "bed_type", "nursing_bed_share"),
    ({"indicator": "beds_opened", "year": 2030}, "year", "must be after the year of the count"),
    ({"indicator": "beds_converted", "year": 2030}, "bed_type", "must be nursing or dementia"),
    ({"indicator": "gdp", "unit": "yuan", "value": 0}, "value", "above 0"),
    ({"value": 3e6}, "value", "“3,000,000” is 0.241 for each of the 12,447,718 residents of the"),
    (
        {"indicator": "gdp", "unit": "yuan", "value": 1.56e8},
        "value",
        "in 万元, multiply it by 10,000",
    ),
    (
        {"indicator": "gdp", "unit": "yuan", "value": 15616},
        "value",
        "亿元, multiply it by 100,000,000",
    ),
    (
        {"indicator": "general_budget_expenditure", "unit": "yuan", "value": 1e13},
        "value",
        "above 200000",
    ),
    (
        {"indicator": "general_budget_revenue", "unit": "yuan", "value": 1.2e7},
        "value",
        "if it is printed in 万元, multiply",
    ),
    (
        {"indicator": "population_resident", "unit": "person", "value": 1233},
        "value",
        "below 0.15; if it is printed in 万, multiply it by 10,000",
    ),
    ({"indicator": "population_registered", "unit": "person", "value": 9e7}, "value", "above 3"),
    ({"source_id": "hearsay"}, "source_id", "no known source"),
]
ASSUMPTION_FAULTS = [
    ({"assumption": "ocupancy"}, "assumption", "target_occupancy"),
    ({**OCCUPANCY, "age_band": "60-69"}, "age_band", "none but empty ones"),
    ({**OCCUPANCY, "severity": "severe"}, "severity", "none but empty ones"),
    ({**OCCUPANCY, "unit": "ratio"}, "unit", "must be share"),
    ({**OCCUPANCY, "low": 0, "central": 0.5}, "low", "above 0"),
    ({**OCCUPANCY, "low": 0.2, "central": 0.8}, "low", "reaches down to"),
    ({"assumption": "pay_share_of_running_cost", "low": 0, "central": 0.5}, "low", "above 0"),
    ({**OCCUPANCY, "year_from": 2030}, "year_from", "leave it empty"),
    ({"assumption": "insurance_coverage", "year_from": 2080}, "year_from", "2050"),
    (
        {
            "assumption": "programme_last_year",
            "low": 2080,
            "central": 2080,
            "high": 2080,
            "unit": "year",
            "shape": "fixed",
        },
        "low",
        "2050",
    ),
    (
        {
            "assumption": "caregiver_hours_per_year",
            "low": 1,
            "central": 2,
            "high": 3,
            "unit": "hour_per_worker_year",
        },
        "central",
        "100 times",
    ),
    ({**OCCUPANCY, "source_id": "hearsay"}, "source_id", "no known source"),
    ({**OCCUPANCY, "price_year": 2099}, "price_year", "must be from 1990 to"),
    ({**OCCUPANCY, "price_year": 1989}, "price_year", "must be from 1990 to"),
    (
        {"assumption": "adl_prevalence", "age_band": "85+", "severity": "severe"},
        "central",
        "by severity add up to 1.1193",
    ),
    (
        {"assumption": "setting_need_share", "setting": "home_service", "severity": "severe"},
        "central",
        "by setting add up to 1.29",
    ),
    (
        {
            "assumption": "setting_use_share",
            "setting": "institution",
            "severity": "mild",
            "central": 0.95,
            "high": 0.97,
        },
        "central",
        "add up to 1.04",
    ),
]
PROGRESS_FAULTS = [
    ({"target_id": "x_9"}, "target_id", "x_1"),
    ({"target_id": "x_2", "unit": "person"}, "target_id", "tracked or measured"),
    ({"target_id": "x_1", "unit": "share", "value": 0.4}, "unit", "must be bed"),
    ({"target_id": "x_1", "source_id": "hearsay"}, "source_id", "no known source"),
    ({"target_id": "x_1", "reported_on": "2098-12-31"}, "reported_on", "still to come"),
    ({"target_id": "x_1", "reported_on": "2098-12"}, "reported_on", "still to come"),
    ({"target_id": "x_1", "reported_on": "2098"}, "reported_on", "still to come"),
]
CASES = [
    (table, *case)
    for table, cases in (
        ("targets", TARGET_FAULTS),
        ("capacity", CAPACITY_FAULTS),
        ("assumptions", ASSUMPTION_FAULTS),
        ("progress", PROGRESS_FAULTS),
    )
    for case in cases
]


@pytest.mark.parametrize(("table", "row", "column", "words"), CASES)
def test_a_row_that_cannot_run_is_told_with_what_would_be_right(project, table, row, column, words):
    stock = {
        "target_id": "x_2",
        "kind": "stock",
        "unit": "person",
        "measured_by": "population_60_plus",
    }
    tables = {"targets": [BEDS, stock]}
    tables[table] = [{**BEDS, **row}] if table == "targets" else [row]
    found = [
        fault
        for fault in faults_of(project, made_city("x", 420100, **tables))
        if fault.column == column
    ]
    assert any(words in fault.problem for fault in found), found
    assert {(fault.file, fault.row) for fault in found} == {(f"cities/x/{table}.csv", 2)}


def test_no_true_figure_of_any_area_is_taken_for_an_impossible_one(project):
    others_in_2010 = {
        230108,
        500111,
    }  # Pingfang and Dazu: in 2010 their codes were other districts'
    counted = project.china.census.sum(["sex", "age_group"], skipna=False)
    older = project.china.census.sel(age_group=slice(60, None)).sum(
        ["sex", "age_group"], skipna=False
    )
    bounds = project.facts.set_index("indicator")
    for name, people in (("population_resident", counted), ("population_60_plus_resident", older)):
        each = (people / counted.sel(census_year=2020)).values
        least, most = bounds.loc[name, ["least_per_resident", "most_per_resident"]]
        wrong = np.isfinite(each) & ((each < least) | (each > most))
        assert set(counted["area"].values[wrong.any(axis=1)]) <= others_in_2010


@pytest.mark.parametrize(
    ("indicator", "unit", "one", "other", "told"),
    [
        ("beds_total", "bed", "", "resident", True),
        ("population_resident", "person", "", "registered", True),
        ("population_under_3", "person", "resident", "registered", False),
    ],
)
def test_a_second_count_of_a_year_is_told_whatever_people_it_is_said_to_be_of(
    project, indicator, unit, one, other, told
):
    value = {"bed": 5000, "person": 4e5 if "under" in indicator else 12e6}[unit]
    row = {"indicator": indicator, "unit": unit, "value": value}
    rows = [{**row, "population_basis": basis} for basis in (one, other)]
    found = faults_of(project, made_city("x", 420100, capacity=[*rows, {**rows[0], "year": 2019}]))
    assert [(fault.row, fault.column) for fault in found] == [(3, "population_basis")] * told
    assert all("stands in row 2 too" in fault.problem for fault in found)


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("2023", "2023-12-31", True),
        ("2023", "2023-12", True),
        ("2024-02", "2024-02-29", True),
        ("2023", "2023-06-30", False),
        ("2023-02", "2023-02-14", False),
    ],
)
def test_two_values_of_one_day_are_told_and_of_two_days_are_in_order(project, one, other, told):
    again = {**BEDS, "target_id": "x_2", "restates": "x_1"}
    rows = [
        {"target_id": "x_1", "reported_on": one, "value": 900},
        {"target_id": "x_2", "reported_on": other, "value": 800},
    ]
    city = made_city("x", 420100, targets=[BEDS, again], progress=rows)
    found = faults_of(project, city)
    assert [(fault.row, fault.column) for fault in found] == [(3, "reported_on")] * told
    if not told:
        assert [value for _, value in tracking.reports(city, city.targets.iloc[0])] == [800, 900]


def test_a_source_that_is_still_to_be_issued_is_told_and_moves_nothing(project):
    sources = project.sources.assign(issued_on=["2098", *project.sources["issued_on"][1:]])
    late = made_city(
        "x", 420100, targets=[BEDS], progress=[{"target_id": "x_1", "reported_on": "2097"}]
    )
    found = faults_of(project, late, sources=sources)
    assert [(fault.file, fault.row, fault.column) for fault in found] == [
        ("sources.csv", 2, "issued_on"),
        ("cities/x/progress.csv", 2, "reported_on"),
    ]
    known = tracking.as_of(replace(project, cities={}))
    assert tracking.as_of(replace(project, sources=sources, cities={"x": late})) == known


@pytest.mark.parametrize(
    ("adcode", "words"),
    [
        (100000, "no area"),
        (420000, None),
        (211422, None),
        (999999, "no area"),
        (500222, "2010 only"),
    ],
)
def test_an_area_that_the_census_of_2020_has_not_is_told(project, adcode, words):
    found = faults_of(project, made_city("x", adcode))
    assert (words is None) == (found == []) and all(words in fault.problem for fault in found)


def test_a_source_and_a_name_of_a_city_are_checked(project):
    found = faults_of(project, made_city("x", 420100, source_id="hearsay"))
    assert [(fault.file, fault.column) for fault in found] == [("cities/x/city.csv", "source_id")]
    twins = faults_of(
        project,
        made_city("one", 110105, name_en="Chaoyang"),
        made_city("two", 211300, name_en="Chaoyang"),
    )
    assert [(fault.file, fault.column) for fault in twins] == [("cities/two/city.csv", "name_en")]


def test_a_scenario_for_a_city_that_is_not_there_or_called_baseline_is_told(project):
    rows = rows_of("assumptions", "atlantis", OCCUPANCY)
    found = faults_of(
        project,
        made_city("x", 420100),
        scenarios={"other": rows, "baseline": rows.assign(city_id="")},
    )
    assert [(fault.file, fault.column) for fault in found] == [
        ("scenarios/other.csv", "city_id"),
        ("scenarios/baseline.csv", None),
    ]
    assert "there are: x" in found[0].problem


def test_an_assumption_without_a_row_or_in_the_wrong_file_is_told(project):
    table = project.assumptions
    found = faults_of(
        project,
        made_city("x", 420100),
        assumptions=table[table["assumption"] != "bed_life"].reset_index(drop=True),
    )
    assert ("assumption_steps.csv", "assumption") in {
        (fault.file, fault.column) for fault in found if "bed_life" in fault.problem
    }
    found = faults_of(
        project,
        made_city("x", 420100),
        assumptions=table.assign(city_id=["x", *[""] * (len(table) - 1)]),
    )
    assert "cities/x/assumptions.csv" in next(
        fault.problem for fault in found if fault.column == "city_id"
    )


@pytest.mark.parametrize(
    ("table", "column", "cell"),
    [
        ("targets", "target_year", "2030.5"),
        ("capacity", "year", "2020.5"),
        ("progress", "reported_on", "2024-13-01"),
        ("progress", "reported_on", "2023-02-29"),
        ("progress", "reported_on", "24-01-01"),
        ("progress", "reported_on", "9999"),
    ],
)
def test_a_year_or_day_that_the_calendar_has_not_is_told(tmp_path, table, column, cell):
    row = rows_of(table, "x", BEDS if table == "targets" else {"target_id": "x_1"}).astype(object)
    row.loc[0, column] = cell
    row.to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(schema.DataFault, match=f"row 2, column {column}: "):
        read_table(tmp_path / "x.csv", getattr(schema, table.upper()))


def test_two_counts_of_one_year_are_told(tmp_path):
    rows_of("capacity", "x", {}, {"value": 900, "source_id": "census_2020_county_tables"}).to_csv(
        tmp_path / "x.csv", index=False
    )
    with pytest.raises(schema.DataFault, match="stands in the table already"):
        read_table(tmp_path / "x.csv", schema.CAPACITY)


@pytest.mark.parametrize("name", ["target.csv", "Targets.csv", "Targets.xlsx", "targets.csv.txt"])
def test_a_table_that_nobody_would_read_is_told(tmp_path, name):
    folder = tmp_path / "cities" / "x"
    folder.mkdir(parents=True)
    for kept in (name, ".~lock.targets.csv#", "~$targets.xlsx", "notes.txt"):
        (folder / kept).touch()
    assert [fault.file for fault in checks.file_faults(folder)] == [f"cities/x/{name}"]


def test_tables_beside_the_folders_and_scenarios_of_another_kind_are_told(tmp_path):
    for path in ("cities/x.csv", "scenarios/other.xlsx", "scenarios/other.csv"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    assert [fault.file for fault in checks.loose_faults(tmp_path)] == [
        "cities/x.csv",
        "scenarios/other.xlsx",
    ]


@pytest.mark.parametrize("name", ["New City", "新城", "2wuhan", "a-b"])
def test_a_folder_with_an_odd_name_is_told(tmp_path, name):
    (tmp_path / name).mkdir()
    assert [fault.file for fault in checks.file_faults(tmp_path / name)] == [f"cities/{name}"]


def test_a_foreign_city_alone_loads_beside_what_an_editor_leaves(small_copy):
    small_copy.add_city("wuhan", 420100)
    shutil.rmtree(small_copy.data / "cities/lincang")
    (small_copy.data / "cities/.ipynb_checkpoints").mkdir()
    assert list(load_project(small_copy.root).cities) == ["wuhan"]


def cells_of(path) -> list[str]:
    return [
        "".join(cell["source"])
        for cell in json.loads(path.read_text("utf-8"))["cells"]
        if cell["cell_type"] == "code"
    ]


def test_no_cell_names_a_city(project):
    names = {
        name
        for city in project.cities.values()
        for name in (city.city_id, city.name_en, city.name_zh)
    }
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for source in cells_of(path):
            assert [name for name in names if name in source] == [], path.name


def test_the_cells_of_four_notebooks_run_for_a_foreign_city_alone(project, monkeypatch, figures):
    alone = with_cities(
        project, made_city("wuhan", 420100, 2020, targets=[{**BEDS, "target_year": 2025}])
    )
    found = ec.run(alone, draws=512)
    monkeypatch.setattr(ec, "load_project", lambda: alone)
    monkeypatch.setattr(ec, "run", lambda _project: found)
    for name in ("00_summary", "01_targets", "06_caregivers", "07_funding"):
        place = {"display": lambda *_shown: None}
        for source in cells_of(ROOT / f"notebooks/{name}.ipynb"):
            exec(compile(ast.parse(source), name, "exec"), place)


def test_a_scenario_that_a_planner_saved_is_shown_beside_the_others(project):
    own = rows_of("assumptions", "x", {**OCCUPANCY, "low": 0.8, "central": 0.85})
    one = replace(with_cities(project, made_city("x", 420100)), scenarios={"my_own": own})
    runs = run_scenarios(one, draws=8, last_year=2035)
    assert list(runs) == ["baseline", "my_own"]
    words = runs["my_own"].words
    assert [words.part("scenario", name) for name in runs] == ["baseline", "my own"]


def test_shares_of_one_whole_are_added_up_in_the_nation_s_table_too(project):
    table = project.assumptions
    worst = table["assumption"].eq("setting_need_share") & table["severity"].eq("severe")
    found = faults_of(
        project,
        made_city("x", 420100),
        assumptions=table.assign(central=table["central"] + 0.2 * worst),
    )
    assert {
        fault.row
        for fault in found
        if "setting_need_share by setting add up to 1.41" in fault.problem
    } == set(table.index[worst] + 2)
