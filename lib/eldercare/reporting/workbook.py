"""The numbers of the city report as a workbook: what it holds, the plan, targets, results by year, assumptions, what stands, sources; and the workbook by which a
city is asked for what it can measure."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence

import openpyxl
import pandas as pd
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from eldercare.analysis.compare import compare_targets
from eldercare.analysis.plan import ALL_COUNTIES, PLAN_YEARS, amount, county_table, plan_table
from eldercare.documents.request import Sheet
from eldercare.model.chain import BASE_YEAR, QUANTILES, summarise
from eldercare.reporting.blocks import text_width
from eldercare.reporting.language import sentence_case, significant
from eldercare.reporting.report import (
    LIMITED,
    NURSING,
    Facts,
    registered_words,
    report_title,
    sources_in_use,
)

FONT = {"en": "Calibri", "zh": "Microsoft YaHei"}
HEAD = PatternFill("solid", fgColor="F1F4F8")
# Of a request: cells to be filled in, and how many rows below may be.
TO_FILL = PatternFill("solid", fgColor="FFF8DC")
SPARE = 20
WIDEST, NARROWEST, MARGIN = 60, 8, 2
DIGITS = 12
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
RESULTS = (
    "population_total",
    "population_60_plus",
    "population_65_plus",
    "population_80_plus",
    "care_need",
    "people_with_dementia",
    "people_by_setting",
    "beds_total_needed",
    "beds_needed",
    "day_care_places_needed",
    "nursing_bed_share_needed",
    "beds_per_1000_needed",
    "caregivers_total_needed",
    "caregivers_needed",
    "caregivers_stock",
    "cost_total",
    "payment",
)
SUMS = {"care_need": {"severity": LIMITED}, "beds_needed": {"bed_type": NURSING}}
TARGET_COLUMNS = (
    "target_id",
    "item",
    "value",
    "unit",
    "bound",
    "year",
    "kind",
    "follow_up",
    "indicator",
    "need_low",
    "need_central",
    "need_high",
    "use_value",
    "chance",
    "damaged",
    "quote",
    "locator",
    "source",
)
PLAN_COLUMNS = ("table", "indicator", "unit", "end", *map(str, PLAN_YEARS))
COUNTY_COLUMNS = ("code", "county", "indicator", "year", "low", "mean", "high", "unit")
RESULT_COLUMNS = ("indicator", "part", "measure", "year", "low", "central", "high", "unit")
ASSUMPTION_COLUMNS = (
    "assumption",
    "name",
    "keys",
    "low",
    "central",
    "high",
    "unit",
    "price_year",
    "basis",
    "chosen",
    "source",
    "locator",
)
CAPACITY_COLUMNS = (
    "item",
    "year",
    "value",
    "unit",
    "population_basis",
    "note",
    "source",
    "locator",
)
SOURCE_COLUMNS = ("source", "title", "issuer", "document_number", "issued_on", "url")
Value = str | float | int | None


def workbook(facts: Facts) -> bytes:
    """The workbook as an XLSX file: real numbers, frozen headers, filters, units in a column."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    _readme(book.create_sheet(facts.words.phrase("sheet_readme")), facts)
    for name, columns, rows in (
        ("plan", PLAN_COLUMNS, _plan(facts)),
        ("counties", COUNTY_COLUMNS, _counties(facts)),
        ("targets", TARGET_COLUMNS, _targets(facts)),
        ("results", RESULT_COLUMNS, _results(facts)),
        ("assumptions", ASSUMPTION_COLUMNS, _assumptions(facts)),
        ("capacity", CAPACITY_COLUMNS, _capacity(facts)),
        ("sources", SOURCE_COLUMNS, _sources(facts)),
    ):
        _fill(book.create_sheet(facts.words.phrase(f"sheet_{name}")), facts, columns, rows)
    book.properties.title, book.properties.creator = report_title(facts), ""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def put(cell: Cell, value: Value) -> None:
    """Put a value into a cell; text that looks like the beginning of a formula stays text."""
    cell.value = value
    if isinstance(value, str) and value.startswith(FORMULA_SIGNS):
        cell.data_type = "s"
        cell.quotePrefix = True


def _fill(
    sheet: Worksheet, facts: Facts, columns: Sequence[str], rows: Iterable[Sequence[Value]]
) -> None:
    head = [
        int(name) if name.isdecimal() else facts.words.phrase(f"column_{name}") for name in columns
    ]
    _lay(sheet, [head, *rows], FONT[facts.words.code])


def _lay(sheet: Worksheet, table: Sequence[Sequence[Value]], face: str) -> None:
    """A table on a sheet, its header frozen, filtered and set apart, columns as wide as what they hold."""
    for number, cells in enumerate(table, start=1):
        for place, value in enumerate(cells, start=1):
            cell = sheet.cell(number, place)
            put(cell, value)
            cell.font = Font(name=face, bold=number == 1)
            if isinstance(value, float):
                cell.number_format = "#,##0" if abs(value) >= 100 else "0.00##"
            if number == 1:
                cell.fill = HEAD
                cell.alignment = Alignment(wrap_text=True, vertical="top")
    for place in range(1, len(table[0]) + 1):
        width = max(_width(row[place - 1]) for row in table)
        sheet.column_dimensions[get_column_letter(place)].width = min(
            max(width + MARGIN, NARROWEST), WIDEST
        )
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions


def request_book(sheets: Sequence[Sheet]) -> bytes:
    """The request to a city as an XLSX file: a sheet each, the cells to be filled in coloured, with lists of words."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for one in sheets:
        sheet = book.create_sheet(one.title)
        rows = [[_asked(row.get(name)) for name in one.columns] for row in one.rows]
        _lay(sheet, [one.headers, *rows], FONT["zh"])
        for cells in sheet.iter_rows():
            for cell in cells:
                cell.alignment = Alignment(wrap_text=True, vertical="top")
        last = len(rows) + 1
        for letter, name in zip(map(get_column_letter, range(1, 99)), one.columns):
            if name == "narrower":
                for cell in sheet[letter][1:]:
                    cell.number_format = "0%"
            if name in one.filled:
                for number in range(2, last + SPARE + 1):
                    sheet[f"{letter}{number}"].fill = TO_FILL
            if name in one.words:
                offered = DataValidation("list", f'"{",".join(one.words[name])}"', allow_blank=True)
                offered.add(f"{letter}2:{letter}{last + SPARE}")
                sheet.add_data_validation(offered)
    book.properties.title, book.properties.creator = sheets[0].headers[0], ""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _asked(value: Value) -> Value:
    """A cell of the request: a number whole where it is, so that a code has no thousands; no empty text."""
    if not isinstance(value, float):
        return value or None
    return int(value) if value == int(value) else value


def _width(value: Value) -> int:
    return text_width(f"{value:,.0f}" if isinstance(value, float) else str(value or ""))


def _readme(sheet: Worksheet, facts: Facts) -> None:
    say, result = facts.words.phrase, facts.result
    basis = say("readme_basis", census_year=BASE_YEAR)
    lines = [
        (say("readme_about"), None),
        (say("readme_purpose", title=report_title(facts)), None),
        (say("readme_range", draws=result.assumptions.draws), None),
        (say("readme_need"), None),
        *((told, None) for told in registered_words(facts) or [basis]),
        (say("readme_money", price_year=facts.price_year), None),
        (say("readme_empty"), None),
        (say("readme_sheets"), None),
        *(
            (say(f"sheet_{name}"), say(f"readme_{name}"))
            for name in (
                "plan",
                "counties",
                "targets",
                "results",
                "assumptions",
                "capacity",
                "sources",
            )
        ),
    ]
    bold = {1, 1 + [text for text, _ in lines].index(say("readme_sheets"))}
    for number, cells in enumerate(lines, start=1):
        for place, value in enumerate(cells, start=1):
            put(sheet.cell(number, place), value)
            sheet.cell(number, place).font = Font(name=FONT[facts.words.code], bold=number in bold)
            sheet.cell(number, place).alignment = Alignment(wrap_text=True, vertical="top")
    sheet.column_dimensions["A"].width = sheet.column_dimensions["B"].width = WIDEST
    sheet.freeze_panes = "A2"


def _number(value: float, unit: str = "") -> float | int | None:
    """A number for a cell, a year without a thousands separator; empty where nothing is known."""
    if pd.isna(value) or not math.isfinite(value):
        return None
    return (
        int(value) if unit == "year" and value == int(value) else significant(float(value), DIGITS)
    )


def _year(value: float) -> int | None:
    return int(value) if pd.notna(value) else None


def _plan(facts: Facts) -> list[list[Value]]:
    """The plan year by year as it can be pasted into one: rows an indicator, columns a year."""
    words = facts.words
    plan = plan_table(facts.result)
    rows: list[list[Value]] = []
    for (table, column), cells in plan.groupby(["table", "column"], sort=False):
        unit = cells["unit"].iloc[0]
        name = words.phrase(f"plan_{column}")
        about = [words.of("plan_of", table), name, words.of("unit", unit)]
        for end in ("low", "central", "high"):
            told = words.phrase("column_mean" if end == "central" else f"column_{end}")
            rows.append([*about, told, *(_number(value) for value in cells[end])])
    return rows


def _counties(facts: Facts) -> list[list[Value]]:
    """The counties of a prefecture, a row a county, indicator and year."""
    words, china = facts.words, facts.project.china
    return [
        [
            None if row["adcode"] == ALL_COUNTIES else int(row["adcode"]),
            facts.city if row["adcode"] == ALL_COUNTIES else words.area(china, row["adcode"]),
            words.phrase(f"plan_{row['column']}"),
            int(row["year"]),
            *(_number(row[end]) for end in QUANTILES),
            words.of("unit", row["unit"]),
        ]
        for row in county_table(facts.project, facts.result).to_dict("records")
    ]


def _targets(facts: Facts) -> list[list[Value]]:
    words = facts.words
    measured = compare_targets(facts.project, facts.result).set_index("target_id")
    rows = []
    for row in facts.result.city.targets.to_dict("records"):
        need = measured.loc[row["target_id"]] if row["target_id"] in measured.index else None
        found = (
            [None] * 5
            if need is None
            else [_number(need[name]) for name in (*QUANTILES, "use", "chance")]
        )
        rows.append(
            [
                row["target_id"],
                sentence_case(words.text(row, "label")),
                _number(row["value"], row["unit"]),
                words.of("unit", row["unit"]),
                words.of("bound", row["bound"]),
                _year(row["target_year"]),
                words.of("kind", row["kind"]),
                words.of("follow_up", row["follow_up"]),
                words.label(row["measured_by"]) if row["measured_by"] else None,
                *found,
                words.phrase("yes" if row["suspect"] else "no"),
                row["quote_zh"],
                row["locator"],
                row["source_id"],
            ]
        )
    return rows


def _results(facts: Facts) -> list[list[Value]]:
    units = facts.project.indicators.set_index("indicator")["unit"]
    rows = []
    for name in RESULTS:
        tables = [summarise(facts.result.values[name])]
        tables += [summarise(amount(facts.result, name, SUMS[name]))] if name in SUMS else []
        label, unit = facts.words.label(name), facts.words.of("unit", units[name])
        for table in tables:
            rows += [
                _result_row(facts, name, label, unit, row)
                for row in _in_order(table).to_dict("records")
            ]
    return rows


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    keys = [column for column in table.columns if column not in (*QUANTILES, "year")]
    return table.sort_values([*keys, "year"], kind="stable") if keys else table


def _result_row(facts: Facts, name: str, label: str, unit: str, row: dict) -> list[Value]:
    words = facts.words
    families = [key for key in row if key not in (*QUANTILES, "year", "measure")]
    parts = [words.of(family, row[family]) for family in families]
    if not families and name in SUMS:
        parts = [words.phrase(f"sum_{name}")]
    measure = words.of("measure", row.get("measure", ""))
    return [
        label,
        words.join("names_join", parts) or None,
        measure or None,
        int(row["year"]),
        *(_number(row[end]) for end in QUANTILES),
        unit,
    ]


def _assumptions(facts: Facts) -> list[list[Value]]:
    words = facts.words
    return [
        [
            words.label(row["assumption"]),
            row["assumption"],
            words.row_keys(row) or None,
            *(_number(row[end], row["unit"]) for end in QUANTILES),
            words.of("unit", row["unit"]),
            _year(row["price_year"]),
            words.of("basis", row["basis"]),
            words.of("chosen", row["chosen_from"]),
            row["source_id"],
            None if row["locator"] in ("", "none") else row["locator"],
        ]
        for row in facts.result.assumptions.rows.to_dict("records")
    ]


def _capacity(facts: Facts) -> list[list[Value]]:
    """All rows of the city's capacity.csv with their notes as they are: the page points to them."""
    words, table = facts.words, facts.result.city.capacity
    if table is None:
        return []
    return [
        [
            words.phrases.get(f"fact_{row['indicator']}", row["indicator"]),
            _year(row["year"]),
            _number(row["value"]),
            words.of("unit", row["unit"]),
            words.of("population_basis", row["population_basis"]) or None,
            *(row[name] or None for name in ("note", "source_id", "locator")),
        ]
        for row in table.to_dict("records")
    ]


def _sources(facts: Facts) -> list[list[Value]]:
    words, table = facts.words, facts.project.sources.set_index("source_id")
    rows = []
    for source in sources_in_use(facts.project, facts.result):
        row = table.loc[source]
        issuer = words.phrases.get(f"issuer_{source}", row["issuer"])
        rows.append(
            [
                source,
                words.text(row, "title"),
                issuer,
                *(row[name] or None for name in ("document_number", "issued_on", "url")),
            ]
        )
    return rows
