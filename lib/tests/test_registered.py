"""A city that knows only its registered people by age: the same chain, and the basis is told wherever a number is."""

import io

import numpy as np
import openpyxl
import pytest
from conftest import DataCopy
from report_checks import cells
from test_data_faults import assert_told, told

import eldercare as ec
from eldercare import load_project
from eldercare.analysis.compare import compare_targets
from eldercare.analysis.sensitivity import tornado
from eldercare.inputs.draws import draw_assumptions
from eldercare.model.population import people_in, project_area
from eldercare.model.registered import area_of_city, registered_area, registered_over_resident
from eldercare.reporting import report, workbook
from eldercare.reporting.language import load_language

DRAWS = 64
CITY, FILE = "cities/lincang/city.csv", "cities/lincang/population_by_age.csv"
HEADER = ["date", "age", "sex", "value", "unit", "source_id", "note"]
TABLE = {"0-14": 480_000, "15-59": 1_600_000, "60-64": 110_000, "65-79": 220_000, "80+": 52_000}


def write(copy, rows=None, basis="registered", day="2022-12-31"):
    header, cells = copy.rows(CITY)
    if "population_basis" not in header:
        copy.write(CITY, [[*header, "population_basis"], [*cells, basis]])
    table = TABLE if rows is None else rows
    lines = [
        [day, age, "", str(value), "person", "own_judgement", ""] for age, value in table.items()
    ]
    copy.write(FILE, [HEADER, *lines])


@pytest.fixture(scope="module")
def registered(tmp_path_factory):
    copy = DataCopy(tmp_path_factory.mktemp("registered") / "project", ("lincang",))
    write(copy)
    return load_project(copy.root)


def test_the_projection_meets_the_table_by_age(registered):
    city = registered.city("lincang")
    area = area_of_city(registered, city, draws=DRAWS)
    people = project_area(registered.china, area, draw_assumptions(registered, draws=DRAWS), 2030)
    mean = people.mean("draw").sel(year=2022)
    for ages, counted in TABLE.items():
        first, _, last = ages.removesuffix("+").partition("-")
        if int(first) >= 15:  # who was born after the census is projected
            found = float(people_in(mean, int(first), int(last or 100)))
            assert found == pytest.approx(counted, rel=0.002)


def test_nobody_registered_is_taken_to_move_and_no_resident_count_moves_them(registered):
    area = registered_area(registered, registered.city("lincang"), draws=DRAWS)
    assert not area.change_facts.any()
    assert area.kept is None


def test_the_basis_is_told_by_the_city_s_name_in_both_languages(registered, project):
    city = registered.city("lincang")
    assert city.name_en == "Lincang (registered people)"
    assert city.name_zh == "临沧市（户籍人口）"
    assert project.city("lincang").name_en == "Lincang"


def test_a_promise_stands_beside_the_ratio_of_registered_people_to_residents(registered, results):
    result = ec.run(registered, ["lincang"], draws=DRAWS)["lincang"]
    table = compare_targets(registered, result)
    assert len(table) >= 3
    assert set(table["population_basis"]) == {"registered"}
    assert table["registered_over_resident"].between(0.7, 1.6).all()
    ratios = registered_over_resident(registered, result.city, DRAWS, [2022])
    assert (ratios["ratio"] == ratios["registered"] / ratios["resident"]).all()
    of_older = ratios.set_index("age").at["60+", "registered"]
    assert of_older == pytest.approx(382_000, rel=0.002)
    resident = compare_targets(registered, results["lincang"])
    assert set(resident["population_basis"]) == {"resident"}
    assert resident["registered_over_resident"].isna().all()


def test_a_report_and_its_workbook_name_the_basis_and_the_ratio(registered):
    result = ec.run(registered, ["lincang"], draws=DRAWS)["lincang"]
    moved = tornado(registered, "lincang")
    ratio = registered_over_resident(registered, result.city, DRAWS, [2020])
    for code, basis in (("en", "registered people"), ("zh", "户籍人口")):
        words = load_language(registered, code)
        facts = report.Facts(registered, result, words)
        [told_once] = report.registered_words(facts)
        assert basis in told_once
        assert f"{ratio.set_index('age').at['60+', 'ratio']:.2f}" in told_once
        sections = report.build_report(registered, result, moved, words)
        assert basis in cells(sections["answer"][0])[0]
        for name in ("answer", "limits"):
            assert told_once in [text for block in sections[name] for text in cells(block)]
        book = openpyxl.load_workbook(io.BytesIO(workbook.workbook(facts)))
        assert told_once in [cell.value for row in book.worksheets[0].iter_rows() for cell in row]


def test_a_city_of_registered_people_needs_its_table_and_the_table_needs_the_word(small_copy):
    write(small_copy)
    (small_copy.data / FILE).unlink()
    assert told(small_copy) == [f"{FILE}: is needed: population_basis in city.csv is registered"]
    write(small_copy)
    header, cells = small_copy.rows(CITY)
    small_copy.write(CITY, [header, [*cells[:-1], "resident"]])
    [line] = told(small_copy)
    assert "is read only where population_basis in city.csv is registered" in line


@pytest.mark.parametrize(
    ("rows", "day", "row", "column", "words"),
    [
        ({"0-14": 1, "20-59": 1, "60+": 1}, "2022-12-31", 3, "age", "a gap in ages after 14"),
        ({"0-14": 1, "10-59": 1, "60+": 1}, "2022-12-31", 3, "age", "an overlap in ages after 14"),
        ({"0-14": 1, "15-59": 1}, "2022-12-31", 3, "age", "a gap in ages after 59"),
        (TABLE, "2022-06-30", 2, "date", "must be the end of a year"),
        (TABLE, "2019-12-31", 2, "date", "not after the census"),
        (TABLE, "2098-12-31", 2, "date", "still to come"),
    ],
)
def test_a_faulty_table_by_age_is_told(small_copy, rows, day, row, column, words):
    write(small_copy, rows, day=day)
    assert_told(told(small_copy), FILE, row, column, words)


def test_an_unknown_basis_of_a_city_is_told(small_copy):
    write(small_copy, basis="hukou")
    assert_told(told(small_copy), CITY, 2, "population_basis", "must be one of")


def test_a_city_without_the_column_counts_residents(project):
    assert {city.population_basis for city in project.cities.values()} == {"resident"}
    area = area_of_city(project, project.city("lincang"), draws=DRAWS)
    assert np.isfinite(area.settled).all()
