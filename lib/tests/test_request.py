"""A request to a city goes out as a workbook, is filled in and comes back as rows of its tables; what
is wrong in it is told by sheet and cell, and then nothing is taken.
"""

import shutil

import openpyxl
import pytest
from conftest import DataCopy

from eldercare.app import cli
from eldercare.documents import request
from eldercare.inputs.load import load_project

CAPACITY, PEOPLE, REPORTS = "现状数据 What stands", "人口 People", "落实情况 Reports"
ASSUMED, SOURCES = "假设 Assumptions", "资料来源 Sources"
SOURCE = "lincang_collected"
CITY = "530900"


def run(copy, monkeypatch, capsys, *words) -> tuple[int, str]:
    monkeypatch.setenv("ELDERCARE_PROJECT", str(copy.root))
    code = cli.main([str(word) for word in words])
    printed = capsys.readouterr()
    return code, printed.out + printed.err


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """A project of Lincang and the workbook that its city is sent."""
    copy = DataCopy(tmp_path_factory.mktemp("sent") / "project", ("lincang",))
    path = copy.root / "资料收集清单.xlsx"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ELDERCARE_PROJECT", str(copy.root))
        assert cli.main(["data-request", "lincang", "--output", str(path)]) == 0
    return copy, path


@pytest.fixture
def desk(sent, tmp_path):
    """A project and a workbook of its own, which a test may fill in."""
    copy, path = sent
    own = DataCopy(tmp_path / "project", ("lincang",))
    shutil.copy(path, own.root / path.name)
    return own, own.root / path.name


class Filled:
    """A workbook that is filled in by the keys of its rows."""

    def __init__(self, path):
        self.path, self.book = path, openpyxl.load_workbook(path)
        sheets = {sheet.name: sheet.columns for sheet in self._asked()}
        self.columns = {
            title: sheets[name]
            for title, name in (
                (CAPACITY, "capacity"), (PEOPLE, "population"), (REPORTS, "progress"),
                (ASSUMED, "assumptions"), (SOURCES, "sources"),
            )
        }  # fmt: skip

    def _asked(self):
        return [
            request.Sheet(name, "", columns, [], []) for name, columns in request.COLUMNS.items()
        ]

    def cell(self, title: str, number: int, column: str):
        return self.book[title].cell(number, self.columns[title].index(column) + 1)

    def row(self, title: str, **keys) -> int:
        """The first row with these keys in which nothing is filled in yet."""
        for number in range(2, self.book[title].max_row + 1):
            here = {name: str(self.cell(title, number, name).value or "") for name in keys}
            if here == keys and not self.written(title, number):
                return number
        raise LookupError(f"{title} has no row of {keys} left")

    def written(self, title: str, number: int) -> bool:
        name = "central" if title == ASSUMED else "value"
        return self.cell(title, number, name).value is not None

    def put(self, title: str, number: int, **cells) -> str:
        for name, value in cells.items():
            self.cell(title, number, name).value = value
        return self.cell(title, number, next(iter(cells))).coordinate

    def fill(self, title: str, keys: dict, **cells) -> str:
        return self.put(title, self.row(title, **keys), **cells)

    def source(self, **cells) -> None:
        self.put(SOURCES, 2, issuer="临沧市民政局", issued_on=2025, **cells)

    def save(self) -> None:
        self.book.save(self.path)


def counties(filled: Filled) -> list[str]:
    sheet = filled.book[CAPACITY]
    codes = dict.fromkeys(str(row[0]) for row in sheet.iter_rows(min_row=2, values_only=True))
    return [code for code in codes if code not in (CITY, "None")]


def beds_by_county(filled: Filled, value: int = 500, year: int = 2024) -> None:
    for code in counties(filled):
        keys = {"code": code, "indicator": "beds_total"}
        filled.fill(CAPACITY, keys, value=value, year=year, source_id=SOURCE)


def test_the_request_asks_first_for_what_narrows_the_results_most(sent):
    copy, path = sent
    book = openpyxl.load_workbook(path)
    first = list(book["先测什么 Measure first"].iter_rows(min_row=2, values_only=True))
    asked = list(
        dict.fromkeys(r[0] for r in book[ASSUMED].iter_rows(min_row=2, values_only=True) if r[0])
    )
    assert first[0][2] == asked[0] and {row[2] for row in first} >= set(asked)
    worth = [row[5] for row in first if row[0] == first[0][0]]
    assert worth == sorted(worth, reverse=True) and 0 < worth[0] < 1
    codes = counties(Filled(path))
    assert len(codes) == 8 and book[CAPACITY]["D2"].value.startswith("养老床位总数 Beds")
    assert all(len(sheet.title) <= 31 for sheet in book)


def test_a_request_is_not_written_over_answers(sent, monkeypatch, capsys):
    copy, path = sent
    before = path.read_bytes()
    code, told = run(copy, monkeypatch, capsys, "data-request", "lincang", "--output", path)
    assert code == 2 and "not overwritten" in told and path.read_bytes() == before


def test_a_request_comes_back_as_rows_of_the_city_s_tables(desk, monkeypatch, capsys):
    copy, path = desk
    filled = Filled(path)
    filled.source()
    beds_by_county(filled)
    opened = {"code": "530921", "indicator": "beds_opened"}
    filled.fill(CAPACITY, opened, value=120, year=2027, bed_type="护理型", source_id=SOURCE)
    people = {"code": CITY, "age": "60+"}
    filled.fill(PEOPLE, people, value=372000, date="2024/12/31", kind="register", source_id=SOURCE)
    report = {"target_id": "lincang_070"}
    filled.fill(REPORTS, report, value=0.7, reported_on=2024, source_id=SOURCE)
    factor = {"assumption": "adl_prevalence_place_factor"}
    filled.fill(ASSUMED, factor, low=0.9, central=1.1, high=1.3, basis="实测", source_id=SOURCE)
    filled.save()

    code, told = run(copy, monkeypatch, capsys, "take", path)
    assert code == 0, told
    assert "capacity.csv, row 36: added: beds_total 2024 4000" in told, told
    project = load_project(copy.root)
    city = project.city("lincang")
    beds = city.capacity.set_index("indicator").loc["beds_total"]
    assert (beds["value"], beds["year"], beds["source_id"]) == (4000, 2024, SOURCE)
    assert beds["note"].startswith("sum of 8 counties: 临翔区 500; ")
    new = city.capacity.set_index("indicator").loc["beds_opened"]
    assert (new["bed_type"], new["value"], new["year"]) == ("nursing", 120, 2027)
    mine = project.china.counts[project.china.counts["adcode"] == 530900].iloc[-1]
    assert (mine["date"], mine["value"], mine["kind"]) == ("2024-12-31", 372000, "register")
    assert city.progress.iloc[-1]["target_id"] == "lincang_070"
    own = city.assumptions.set_index("assumption").loc["adl_prevalence_place_factor"]
    assert (own["low"], own["central"], own["high"], own["basis"]) == (0.9, 1.1, 1.3, "measured")
    known = project.sources.set_index("source_id").loc[SOURCE]
    assert known["issuer"] == "临沧市民政局" and known["issued_on"] == "2025"
    assert run(copy, monkeypatch, capsys, "check")[0] == 0

    tables = copy.data / "cities/lincang/capacity.csv"
    kept = tables.read_bytes()
    code, told = run(copy, monkeypatch, capsys, "take", path)
    assert code == 0 and "there already: beds_total 2024 4000" in told
    assert tables.read_bytes() == kept

    number = next(
        n for n in range(2, 99) if str(filled.cell(CAPACITY, n, "code").value) == "530902"
    )
    filled.put(CAPACITY, number, value=600)
    filled.save()
    code, told = run(copy, monkeypatch, capsys, "take", path)
    assert code == 0 and "kept as it was (value 4000 → 4100): beds_total 2024" in told
    assert "with --replace" in told and tables.read_bytes() == kept
    code, told = run(copy, monkeypatch, capsys, "take", path, "--replace")
    assert code == 0 and "replaced (value 4000 → 4100): beds_total 2024 4100" in told
    assert load_project(copy.root).city("lincang").capacity["value"].isin([4100]).any()


def beds(code: str, cells: dict):
    def damage(filled: Filled) -> str:
        keys = {"code": code, "indicator": "beds_opened"}
        return filled.fill(CAPACITY, keys, **cells, source_id=SOURCE)

    return damage


def other_county(filled: Filled) -> str:
    keys = {"code": "530921", "indicator": "institutions"}
    row = filled.row(CAPACITY, **keys)
    filled.put(CAPACITY, row, value=9, year=2024, source_id=SOURCE)
    return filled.put(CAPACITY, row, code=530702, county="古城区")


def other_unit(filled: Filled) -> str:
    keys = {"code": CITY, "age": "65+"}
    cells = {"date": "2024-12-31", "kind": "register", "source_id": SOURCE}
    return filled.fill(PEOPLE, keys, unit="万人", value=25.1, **cells)


def in_ten_thousands(filled: Filled) -> str:
    cells = {"date": "2024-12-31", "kind": "register", "source_id": SOURCE}
    return filled.fill(PEOPLE, {"code": CITY, "age": "60+"}, value="37.2万人", **cells)


def printed_in_ten_thousands(filled: Filled) -> str:
    cells = {"date": "2024-12-31", "kind": "register", "source_id": SOURCE}
    return filled.fill(PEOPLE, {"code": CITY, "age": "80+"}, value=4.8, **cells)


def no_source(filled: Filled) -> str:
    keys = {"code": CITY, "indicator": "institutions"}
    row = filled.row(CAPACITY, **keys)
    filled.put(CAPACITY, row, value=60, year=2024)
    return filled.cell(CAPACITY, row, "source_id").coordinate


def formula(filled: Filled) -> str:
    keys = {"code": "530921", "indicator": "beds_total"}
    return filled.fill(CAPACITY, keys, value="=H3+H4", year=2024, source_id=SOURCE)


def merged(filled: Filled) -> str:
    filled.book[REPORTS].merge_cells("E3:E4")
    return "E3:E4"


def header(filled: Filled) -> str:
    return filled.put(SOURCES, 1, issuer="单位")


def half_a_range(filled: Filled) -> str:
    row = filled.row(ASSUMED, assumption="adl_prevalence_place_factor")
    filled.put(ASSUMED, row, low=0.9, central=1.1, basis="measured", source_id=SOURCE)
    return filled.cell(ASSUMED, row, "high").coordinate


def no_word(filled: Filled) -> str:
    row = filled.row(ASSUMED, assumption="setting_need_share")
    filled.put(ASSUMED, row, central=0.1, source_id=SOURCE)
    return filled.put(ASSUMED, row, basis="听说")


def missing_county(filled: Filled) -> str:
    beds_by_county(filled)
    row = next(n for n in range(2, 99) if str(filled.cell(CAPACITY, n, "code").value) == "530923")
    filled.put(CAPACITY, row, value=None)
    return filled.cell(CAPACITY, row, "value").coordinate


# Sheet, what is done to it, and what is told of the cell.
FAULTS = {
    "another county": (CAPACITY, other_county, "“530702” is no county of 临沧市; there are: 530900"),
    "a text": (CAPACITY, beds(CITY, {"value": "many", "year": 2027}), "“many” is not a number"),
    "before the data": (
        CAPACITY, beds("530922", {"year": 2015, "value": 100}), "“2015” lies before the data",
    ),
    "no source": (CAPACITY, no_source, "is empty; name a source, a row of the sheet “资料来源"),
    "a formula": (CAPACITY, formula, "“=H3+H4” is a formula; write its value"),
    "another unit": (PEOPLE, other_unit, "“万人” where 人 people is asked"),
    "ten thousands": (PEOPLE, in_ten_thousands, "“37.2万人” is not a number; write 372000"),
    "merged cells": (REPORTS, merged, "these cells are merged"),
    "a changed header": (SOURCES, header, "the header “单位” was changed; it must be “发布单位 Issuer”"),
    "half a range": (ASSUMED, half_a_range, "is empty; give central alone, or low, central and high"),
    "an unknown word": (ASSUMED, no_word, "“听说” must be one of: 借用其他地区 analogy"),
}  # fmt: skip


def state(copy) -> dict:
    return {path: path.read_bytes() for path in copy.data.rglob("*.csv")}


def test_all_faults_of_a_workbook_are_told_together_by_sheet_and_cell(desk, monkeypatch, capsys):
    copy, path = desk
    filled, wanted = Filled(path), []
    filled.source()
    for sheet, damage, words in FAULTS.values():
        wanted.append(f"{path.name}, sheet “{sheet}”, cell {damage(filled)}: {words}")
    filled.save()
    before = state(copy)
    code, told = run(copy, monkeypatch, capsys, "take", path)
    assert code == 2 and f"{len(wanted)} faults in the data; nothing was taken" in told, told
    assert [words for words in wanted if words not in told] == [], told
    assert state(copy) == before


@pytest.mark.parametrize(
    ("sheet", "damage", "words"),
    [
        (
            CAPACITY,
            missing_county,
            "永德县 has no value, and the counties of beds_total are added up",
        ),
        (PEOPLE, printed_in_ten_thousands, "if it is printed in 万, multiply it by 10,000"),
    ],
)
def test_what_shows_only_beside_other_rows_is_told_by_its_cell_too(
    desk, monkeypatch, capsys, sheet, damage, words
):
    copy, path = desk
    filled = Filled(path)
    filled.source()
    cell = damage(filled)
    filled.save()
    before = state(copy)
    code, told = run(copy, monkeypatch, capsys, "take", path)
    assert code == 2 and f"sheet “{sheet}”, cell {cell}: " in told and words in told, told
    assert "nothing was taken" in told and state(copy) == before


def test_a_file_that_is_no_request_is_told(desk, monkeypatch, capsys):
    copy, path = desk
    book = openpyxl.Workbook()
    book.active["A1"] = "something else"
    book.save(path)
    code, told = run(copy, monkeypatch, capsys, "take", path)
    assert code == 2 and "names no city of this project" in told and "[lincang]" in told
    path.write_bytes(b"no workbook")
    code, told = run(copy, monkeypatch, capsys, "take", path)
    assert code == 2 and "cannot be opened as a workbook" in told


def test_nothing_is_written_if_one_file_cannot_be(desk, monkeypatch, capsys):
    copy, path = desk
    filled = Filled(path)
    filled.source()
    beds_by_county(filled)
    filled.save()
    before = state(copy)
    from eldercare.app import plans

    whole = plans.write_whole

    def full(file, content):
        if file.name == "sources.csv" and copy.root in file.parents:
            raise OSError(5, "Input/output error")
        whole(file, content)

    monkeypatch.setattr(plans, "write_whole", full)
    code, told = run(copy, monkeypatch, capsys, "take", path)
    assert code == 2 and "Input/output error" in told and state(copy) == before


def test_counties_that_were_joined_since_the_census_are_asked_as_they_are_today(project):
    names = request.places(project, project.city("sanming"))
    assert names[350404] == "三元区" and 350402 not in names and len(names) == 1 + 11
    assert list(request.places(project, project.city("chishui"))) == [520381]
