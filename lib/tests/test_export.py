"""The report as files, read back: the same numbers in page, document, workbook and figure twins;
whole or not at all.
"""

import dataclasses
import io
import os
import re
import zipfile
from pathlib import Path

import docx
import openpyxl
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from conftest import DRAWS, ROOT
from docx.oxml.ns import qn
from report_checks import SIZES, numbers

import eldercare as ec
from eldercare.analysis import sensitivity
from eldercare.app import cli, export
from eldercare.reporting import language, report
from eldercare.reporting.blocks import Figure, Table
from eldercare.reporting.language import significant
from eldercare.reporting.workbook import FORMULA_SIGNS, put, workbook

CITY = "lincang"
LANGUAGES = language.LANGUAGES
each_language = pytest.mark.parametrize("code", LANGUAGES)


@pytest.fixture(scope="module")
def folder(project, tmp_path_factory):
    """The report of one city in both languages, in all formats."""
    out = tmp_path_factory.mktemp("reports")
    written, failed = export.write_reports(project, [CITY], LANGUAGES, out)
    assert failed == {}
    assert (
        sorted(written)
        == sorted(out.iterdir())
        == sorted(out / f"{CITY}_{code}.{kind}" for code in LANGUAGES for kind in export.FORMATS)
    )
    return out


@pytest.fixture(scope="module")
def facts(project):
    result = ec.run_city(project, CITY)
    return {
        code: report.Facts(project, result, language.load_language(project, code))
        for code in LANGUAGES
    }


@pytest.fixture(scope="module")
def blocks(project, facts):
    moved = sensitivity.tornado(project, CITY)
    found = {
        code: report.build_report(project, one.result, moved, one.words)
        for code, one in facts.items()
    }
    return {
        code: [block for section in document.values() for block in section]
        for code, document in found.items()
    }


@pytest.fixture(scope="module")
def pages(folder):
    return {
        code: BeautifulSoup((folder / f"{CITY}_{code}.html").read_text("utf-8"), "html.parser")
        for code in LANGUAGES
    }


@pytest.fixture(scope="module")
def documents(folder):
    return {code: docx.Document(folder / f"{CITY}_{code}.docx") for code in LANGUAGES}


@pytest.fixture(scope="module")
def books(folder):
    return {code: openpyxl.load_workbook(folder / f"{CITY}_{code}.xlsx") for code in LANGUAGES}


@pytest.fixture(scope="module")
def results(books):
    """The sheet of results of each language as a table with the columns of the sheet."""
    out = {}
    for code, book in books.items():
        head, *rows = book.worksheets[4].iter_rows(values_only=True)
        names = ["indicator", "part", "measure", "year", "low", "central", "high", "unit"]
        assert len(head) == len(names)
        out[code] = pd.DataFrame(rows, columns=names)
    return out


def tables_of(blocks):
    return [
        [list(table.columns), *map(list, table.rows)]
        for table in blocks
        if isinstance(table, Table)
    ]


@each_language
def test_the_page_is_one_file_that_fetches_nothing_and_runs_nothing(pages, folder, code):
    page = pages[code]
    assert page.html["lang"] == {"en": "en-GB", "zh": "zh-CN"}[code]
    assert page.title.text == page.h1.text and len(page.find_all("h1")) == 1
    assert not page.find_all(["script", "link", "iframe", "object", "base"])
    assert [tag for tag in page.find_all(src=True) if not tag["src"].startswith("data:")] == []
    assert page.find_all(href=True) == []
    assert not [name for tag in page.find_all(True) for name in tag.attrs if name.startswith("on")]
    assert (folder / f"{CITY}_{code}.html").stat().st_size < 500_000


@each_language
def test_each_picture_says_in_words_what_it_shows(pages, documents, code):
    said = [image["alt"] for image in pages[code].find_all("img")]
    shapes = documents[code].inline_shapes
    assert len(said) == 4 and all(len(text) > 20 for text in said)
    assert [shape._inline.docPr.get("descr") for shape in shapes] == said


@each_language
def test_page_and_document_hold_the_tables_of_the_report(pages, documents, blocks, code):
    expected = tables_of(blocks[code])
    of_page = [
        [[cell.text for cell in row.find_all(["th", "td"])] for row in table.find_all("tr")]
        for table in pages[code].find_all("table")
    ]
    of_document = [
        [[cell.text for cell in row.cells] for row in table.rows]
        for table in documents[code].tables
    ]
    assert of_page == of_document == expected


@each_language
def test_page_and_document_hold_all_text_of_the_report(pages, documents, blocks, code):
    of_page = pages[code].main.get_text("\n").splitlines()
    of_document = [paragraph.text for paragraph in documents[code].paragraphs]
    for block in blocks[code]:
        if isinstance(block, Table):
            continue
        for text in getattr(block, "items", None) or [
            block.caption if isinstance(block, Figure) else block.text
        ]:
            assert text in of_page and text in of_document


@each_language
def test_a_table_has_a_caption_and_named_rows_and_columns(pages, documents, code):
    for table in pages[code].find_all("table"):
        assert table.caption.text and all(
            cell["scope"] == "col" for cell in table.thead.find_all("th")
        )
        assert all(row.th["scope"] == "row" for row in table.tbody.find_all("tr"))
    for table in documents[code].tables:
        repeated = [
            row._tr.trPr is not None and row._tr.trPr.find(qn("w:tblHeader")) is not None
            for row in table.rows
        ]
        assert repeated == [True] + [False] * (len(table.rows) - 1)


@each_language
def test_the_document_names_fonts_that_show_chinese(documents, code):
    for name in ("Normal", "Title", "Heading 1", "List Bullet"):
        fonts = documents[code].styles[name].element.rPr.rFonts
        assert fonts.get(qn("w:eastAsia")) in ("SimSun", "SimHei") and fonts.get(qn("w:ascii"))
    assert (
        documents[code].styles["Normal"].element.rPr.find(qn("w:lang")).get(qn("w:eastAsia"))
        == "zh-CN"
    )


@each_language
def test_the_report_prints_on_four_to_eight_pages(folder, browser, code):
    """Eight, not six: the plan year by year, which a bureau copies from, takes two to three of its own."""
    page = browser.new_page()
    page.goto((folder / f"{CITY}_{code}.html").as_uri())
    printed = page.pdf(prefer_css_page_size=True)
    page.close()
    assert 4 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 8


@each_language
def test_the_workbook_has_its_sheets_with_frozen_headers_and_filters(books, facts, code):
    book = books[code]
    expected = [
        facts[code].words.phrase(f"sheet_{name}")
        for name in (
            "readme",
            "plan",
            "counties",
            "targets",
            "results",
            "assumptions",
            "capacity",
            "sources",
        )
    ]
    assert book.sheetnames == expected and "README" in book.sheetnames[0]
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref == sheet.dimensions
        assert all(cell.value for cell in sheet[1])


@each_language
def test_numbers_are_numbers_and_each_has_a_unit(books, code):
    for sheet, first, last, unit in (
        (books[code].worksheets[4], 4, 6, 7),
        (books[code].worksheets[5], 3, 5, 6),
    ):
        for row in sheet.iter_rows(min_row=2, values_only=True):
            assert (
                all(isinstance(value, (int, float)) for value in row[first : last + 1])
                and row[unit]
            )


@each_language
def test_the_note_that_the_page_points_to_stands_in_the_workbook(books, facts, blocks, code):
    words, capacity = facts[code].words, facts[code].result.city.capacity
    sheet = books[code][words.phrase("sheet_capacity")]
    head, *rows = sheet.iter_rows(values_only=True)
    rows = [dict(zip(head, row)) for row in rows]
    for column, name in (("note", "note"), ("source", "source_id"), ("year", "year")):
        shown = [row[words.phrase(f"column_{column}")] or "" for row in rows]
        assert shown == list(capacity[name])
    budget = words.of("fact", report.BUDGET)
    last = [row for row in rows if row[words.phrase("column_item")] == budget][-1]
    assert "too low" in last[words.phrase("column_note")]
    texts = [getattr(block, "text", "") for block in blocks[code]]
    assert any(
        words.counted(last[words.phrase("column_value")], "yuan") in text
        and words.phrase("note_in_table", sheet=sheet.title) in text
        for text in texts
    )


def test_a_city_of_which_nothing_is_published_has_a_sheet_that_is_empty(project, facts):
    one = facts["en"]
    bare = dataclasses.replace(one.result.city, capacity=None)
    packed = workbook(dataclasses.replace(one, result=dataclasses.replace(one.result, city=bare)))
    sheet = openpyxl.load_workbook(io.BytesIO(packed))[one.words.phrase("sheet_capacity")]
    assert sheet.max_row == 1


def test_both_workbooks_hold_the_same_numbers(books):
    for one, other in zip(*(book.worksheets[1:] for book in books.values()), strict=True):
        pair = [
            [
                [cell for cell in row if isinstance(cell, (int, float))]
                for row in sheet.iter_rows(values_only=True)
            ]
            for sheet in (one, other)
        ]
        assert pair[0] == pair[1]


def chosen(table, words, indicator, measure="", part=None):
    """Rows of the results of an indicator, by year."""
    rows = table[
        (table["indicator"] == words.label(indicator))
        & (table["measure"].fillna("") == (words.of("measure", measure)))
    ]
    rows = rows[rows["part"].isna()] if part is None else rows[rows["part"] == part]
    return rows.set_index("year")


@each_language
def test_the_plan_of_the_report_says_what_the_workbook_says(books, blocks, code):
    """The sheet has a row an indicator and end; the report a column an indicator, rounded."""
    head, *rows = books[code].worksheets[1].iter_rows(values_only=True)
    table = pd.DataFrame(rows, columns=head).iloc[:, 1:]
    compared = 0
    shown = [one for one in blocks[code] if isinstance(one, Table) and len(one.rows) == 7]
    for one in shown:
        for heading, cells in list(zip(one.columns, zip(*one.rows)))[1:]:
            name = re.sub(r"\s*[(（][^(（]*[)）]$", "", heading)
            found = table[table.iloc[:, 0] == name].iloc[:3, 3:]
            size = next((SIZES[sign] for sign in SIZES if re.search(rf"[(（]{sign}", heading)), 1)
            percent = 100 if heading.endswith(("(%)", "（%）")) else 1
            for cell, (low, mean, high) in zip(cells, found.T.itertuples(index=False)):
                told = [number * size for number in numbers(cell)]
                if len(told) == 3 and not percent > 1:
                    step = max(0.006 * mean, 1)  # three digits of the smallest middle of the column
                    assert told == pytest.approx(sorted([low, mean, high]), rel=0, abs=step)
                    compared += 1
    assert compared > 150


TWINS = (
    ("03_people_60_plus", "population_60_plus", {}),
    ("03_people_80_plus", "population_80_plus", {}),
    ("city_report_people", "population_60_plus", {"60_plus": ""}),
    ("city_report_beds", "beds_total_needed", {"need": "need", "use": "use"}),
)


@each_language
@pytest.mark.parametrize(("figure", "indicator", "series"), TWINS)
def test_the_workbook_says_what_the_figures_say(results, facts, code, figure, indicator, series):
    twin = pd.read_csv(ROOT / "figures" / f"{figure}.csv")
    twin = twin[twin["city_id"] == CITY]
    series = series or dict.fromkeys(twin["series"].unique(), "")
    compared = 0
    for name, measure in series.items():
        found = chosen(results[code], facts[code].words, indicator, measure)
        for row in twin[twin["series"] == name].itertuples():
            ends = found.loc[row.year, ["low", "central", "high"]]
            assert [significant(value, 4) for value in ends] == pytest.approx(
                [row.low, row.central, row.high], rel=1e-9
            )
            compared += 1
    assert compared >= 31


def test_the_share_of_each_payer_says_what_the_figure_says(results, facts):
    twin = pd.read_csv(ROOT / "figures" / "city_report_payers.csv")
    for row in twin[
        twin["year"].isin((2025, 2035, 2050)) & (twin["payer"] != "total")
    ].itertuples():
        found = chosen(
            results["en"],
            facts["en"].words,
            "payment",
            "need",
            facts["en"].words.of("payer", row.payer),
        ).loc[row.year]
        assert [significant(found[end], 4) for end in ("low", "central", "high")] == pytest.approx(
            [row.low, row.central, row.high]
        )


@pytest.mark.parametrize("text", [sign + "HYPERLINK(1)" for sign in FORMULA_SIGNS])
def test_text_that_begins_like_a_formula_stays_text(text):
    book = openpyxl.Workbook()
    put(book.active["A1"], text)
    packed = io.BytesIO()
    book.save(packed)
    cell = openpyxl.load_workbook(packed).active["A1"]
    assert (cell.data_type, cell.quotePrefix) == ("s", True) and cell.value.strip() == text.strip()
    assert b"<f>" not in zipfile.ZipFile(packed).read("xl/worksheets/sheet1.xml")


def test_no_cell_of_a_workbook_is_a_formula_whatever_the_data_say(facts):
    one = facts["en"]
    targets = one.result.city.targets.assign(
        quote_zh="=1+1", label_en="@SUM(A1)", locator="-2+3", source_id="+x"
    )
    city = dataclasses.replace(one.result.city, targets=targets)
    packed = workbook(dataclasses.replace(one, result=dataclasses.replace(one.result, city=city)))
    cells = [
        cell
        for sheet in openpyxl.load_workbook(io.BytesIO(packed))
        for row in sheet.iter_rows()
        for cell in row
    ]
    assert [cell for cell in cells if cell.data_type == "f"] == []
    assert sum(cell.value == "=1+1" for cell in cells) == len(targets)


@each_language
def test_written_again_a_file_is_the_same_bytes(project, folder, facts, blocks, code):
    again = export.without_times(workbook(facts[code]))
    assert again == (folder / f"{CITY}_{code}.xlsx").read_bytes()
    page = BeautifulSoup((folder / f"{CITY}_{code}.html").read_text("utf-8"), "html.parser")
    shown = [
        (export.base64.b64decode(image["src"].partition(",")[2]), image["alt"])
        for image in page.find_all("img")
    ]
    document = export.without_times(export.word_document(blocks[code], shown, code))
    assert document == (folder / f"{CITY}_{code}.docx").read_bytes()


def test_no_file_names_a_machine_a_person_or_a_time(folder):
    for path in folder.iterdir():
        parts = [path.read_bytes()]
        if path.suffix != ".html":
            packed = zipfile.ZipFile(path)
            assert {entry.date_time for entry in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            parts = [
                packed.read(name) for name in packed.namelist() if name.endswith((".xml", ".rels"))
            ]
            assert b"dcterms:created" not in packed.read("docProps/core.xml")
        assert not [part for part in parts if os.fsencode(ROOT) in part or b"/tmp/" in part]


def made(project, answer, words, formats, stop):
    """Contents that take no kernel to make."""
    return {kind: f"{answer.result()} {words.code}".encode() for kind in formats}


@pytest.fixture
def quick(monkeypatch):
    """Reports without any calculation."""
    monkeypatch.setattr(export, "_answer", lambda project, city_id, stop: city_id)
    monkeypatch.setattr(export, "_files", made)


def test_all_reports_all_cities_both_languages(quick, tmp_path, project, capsys):
    assert cli.main(["report", "--all", "--output", str(tmp_path / "new" / "folder")]) == 0
    names = {
        f"{city_id}_{code}.{kind}"
        for city_id in project.cities
        for code in LANGUAGES
        for kind in export.FORMATS
    }
    assert {path.name for path in (tmp_path / "new" / "folder").iterdir()} == names
    shown = capsys.readouterr()
    assert (
        f"{len(names)} files written" in shown.out
        and f"{len(names) // 3}/{len(names) // 3}" in shown.err
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["atlantis", "--lang", "zh"], "没有城市“atlantis”；现有：chishui, lincang"),
        (["lincang", "--lang", "fr"], "no language “fr”; there are: en, zh"),
        ([], "name a city or give --all, one of the two; cities: chishui, lincang"),
        (["lincang", "--all"], "one of the two"),
    ],
)
def test_what_is_unknown_is_told_with_what_is_known(quick, tmp_path, capsys, arguments, said):
    assert cli.main(["report", *arguments, "--output", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "out").exists()


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_folder_that_cannot_be_written_is_told_before_anything_is_calculated(
    monkeypatch, tmp_path, capsys, below
):
    monkeypatch.setattr(export, "run_city", lambda *_: pytest.fail("the city was calculated"))
    (tmp_path / "file").write_text("no folder", "utf-8")
    target = tmp_path / "file" / below
    assert cli.main(["report", CITY, "--lang", "en", "--output", str(target)]) == 2
    message = capsys.readouterr().err
    assert (
        f"reports cannot be written to {target}" in message
        and "--output" in message
        and "Traceback" not in message
    )


def test_files_are_written_together_or_not_at_all(tmp_path, monkeypatch):
    old = tmp_path / "a.html"
    old.write_bytes(b"old")
    write = Path.write_bytes

    def full(path, content):
        write(path, content[:1])
        if content == b"bad":
            raise OSError("no space left")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="no space left"):
        export.write_together({old: b"new", tmp_path / "b.docx": b"bad"})
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.html", b"old")]


def test_an_interrupted_run_leaves_whole_reports_only_and_says_so(monkeypatch, tmp_path, capsys):
    done = []

    def interrupted(waiting):
        done.append(next(iter(waiting)))
        done[0].result()
        yield done[0]
        raise KeyboardInterrupt

    monkeypatch.setattr(export, "_answer", lambda project, city_id, stop: city_id)
    monkeypatch.setattr(export, "_files", made)
    monkeypatch.setattr(export, "as_completed", interrupted)
    assert cli.main(["report", "--all", "--output", str(tmp_path)]) == 130
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"chishui_en.{kind}" for kind in sorted(export.FORMATS)
    ]
    assert "Interrupted" in capsys.readouterr().err


def test_after_an_interruption_no_further_cell_is_run(project):
    stop = export.threading.Event()
    stop.set()
    with pytest.raises(export.Stopped):
        export.run_notebook(project, CITY, "en", export._stopper(stop))


def test_a_report_that_fails_is_named_and_the_others_are_written(
    quick, monkeypatch, tmp_path, capsys
):
    def failing(project, answer, words, formats, stop):
        if answer.result() == CITY:
            raise ValueError("a cell failed")
        return made(project, answer, words, formats, stop)

    monkeypatch.setattr(export, "_files", failing)
    assert cli.main(["report", "--all", "--lang", "zh", "--output", str(tmp_path)]) == 1
    assert f"报告{CITY}_zh生成失败，未写入任何内容。\na cell failed" in capsys.readouterr().err
    assert not list(tmp_path.glob(f"{CITY}*")) and (tmp_path / "sanming_zh.docx").is_file()


def test_a_notebook_without_parameters_is_refused(project, tmp_path):
    (tmp_path / "notebooks").mkdir()
    text = (
        (ROOT / "notebooks" / export.NOTEBOOK)
        .read_text("utf-8")
        .replace(f'"{export.PARAMETERS}"', '"other"')
    )
    (tmp_path / "notebooks" / export.NOTEBOOK).write_text(text, "utf-8")
    with pytest.raises(ValueError, match="exactly one cell must have the tag"):
        export.run_notebook(dataclasses.replace(project, root=tmp_path), CITY, "en")


def test_a_small_run_has_the_same_shape(project):
    result = ec.run_city(project, "chishui", draws=DRAWS)
    book = openpyxl.load_workbook(
        io.BytesIO(workbook(report.Facts(project, result, language.load_language(project, "zh"))))
    )
    assert len(book.worksheets) == 8
