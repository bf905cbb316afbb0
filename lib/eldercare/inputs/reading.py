"""Tables read as text, so that each fault is named by file, row and column as the planner sees them in a spreadsheet.

Only a table without a fault becomes numbers.
"""

from __future__ import annotations

import csv
import difflib
import io
import os
import re
import unicodedata
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pandera.pandas as pa

from eldercare.files import file_sha256
from eldercare.inputs.schema import DATES, UNITS, DataFault, Fault

if TYPE_CHECKING:
    from openpyxl import Workbook

csv.field_size_limit(10_000_000)  # a cell may hold a long note
WORKBOOK = ".xlsx"
# What spreadsheets and web pages leave in cells for a line that goes on.
_BREAKS_IN_CELLS = str.maketrans(dict.fromkeys("\v\f\x85\u2028\u2029", " "))
# Blanks and unseen signs about a text, which web pages and other programs leave there.
_EDGES = re.compile(r"^[\s\u200b-\u200f\u2060\ufeff]+|[\s\u200b-\u200f\u2060\ufeff]+$")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
# Excel writes a date with slashes, China also with points and signs.
_DATE_PARTS = re.compile(r"(\d{4})[/.年](\d{1,2})(?:[/.月](\d{1,2})日?)?月?(?: 0?0:00(?::00)?)?")

UTF_16 = b"\xff\xfe", b"\xfe\xff"
OTHER_SEPARATORS = {
    ";": "semicolons",
    "\t": "tabs",
    "；": "full-width semicolons",
    "，": "full-width commas",
}
LARGE = {"万": 10_000, "亿": 100_000_000}
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)")
# By which column the units of a row are known, the file that says so, and the units by what stands in that column.
Units = tuple[str, str, Mapping[str, Collection[str]]]


def empty_table(schema: pa.DataFrameSchema) -> pd.DataFrame:
    """A table of no rows with the columns of a schema, numbers as float: what a file with a header alone says."""
    return pd.DataFrame(
        {
            name: pd.Series(dtype=float if _is_number(column) else object)
            for name, column in schema.columns.items()
        }
    )


def _is_number(column: pa.Column) -> bool:
    return str(column.dtype) == "float64"


def _read_text(path: Path, shown: str) -> str:
    raw = path.read_bytes()
    if raw.startswith(UTF_16) or b"\0" in raw[:100]:
        problem = "the file is UTF-16 (what Excel calls “Unicode Text”); save it as “CSV UTF-8”"
        raise DataFault([Fault(shown, None, None, problem)])
    if not raw.removeprefix(b"\xef\xbb\xbf").strip():
        raise DataFault([Fault(shown, None, None, "the file is empty; a header row is needed")])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            raw.decode("gb18030")
            hint = "it looks like GBK (what Excel writes in China)"
        except UnicodeDecodeError:
            hint = "its encoding is not known"
        problem = f"the file is not UTF-8: {hint}; save it as “CSV UTF-8”"
        raise DataFault([Fault(shown, None, None, problem)]) from None


def _filled(row: list[str]) -> int:
    """How many cells of a row there are up to the last that holds something."""
    return max((place for place, cell in enumerate(row, start=1) if cell.strip()), default=0)


def plain_text(text: str) -> str:
    """A text without the blanks and unseen signs about it."""
    return text.strip() if text.isascii() else _EDGES.sub("", text)


def _to_cells(text: str, shown: str) -> pd.DataFrame:
    """The cells as text, the index 2 less than the row of a spreadsheet.

    Blank rows and empty columns after the last, which spreadsheets leave behind, hold nothing and are dropped.
    """
    try:
        rows = list(csv.reader(io.StringIO(text.translate(_BREAKS_IN_CELLS), newline="")))
    except csv.Error as error:
        raise DataFault([Fault(shown, None, None, f"cannot be read as CSV: {error}")]) from None
    if text.count('"') % 2 and any("\n" in cell for cell in rows[-1]):
        problem = "a quotation mark opens a cell here, or above, and none closes it: what follows would go unread; close it, or write it twice"
        raise DataFault([Fault(shown, len(rows), None, problem)])
    return _cells_of_rows(rows, shown)


def _cells_of_rows(rows: list[list[str]], shown: str) -> pd.DataFrame:
    start = next((number for number, row in enumerate(rows) if _filled(row)), None)
    if start is None:
        raise DataFault([Fault(shown, None, None, "the file is empty; a header row is needed")])
    header = [plain_text(name) for name in rows[start][: _filled(rows[start])]]
    _refuse_other_separators(header, shown)
    width = len(header)
    body = {
        number: row for number, row in enumerate(rows[start + 1 :], start=start) if _filled(row)
    }
    faults = [
        Fault(shown, number + 2, None, f"has {len(row)} cells where the header has {width}")
        for number, row in body.items()
        if len(row) < width or _filled(row) > width
    ]
    doubled = sorted({name for name in header if header.count(name) > 1 and name.strip()})
    faults += [Fault(shown, 1, name, "stands twice in the header") for name in doubled]
    faults += [
        Fault(
            shown,
            number + 2,
            name,
            f"holds a control character (code {ord(sign[0])}); retype the cell",
        )
        for number, row in body.items()
        for name, cell in zip(header, row)
        if (sign := _CONTROLS.search(cell))
    ]
    faults += [
        Fault(shown, 1, None, f"the {place}. column has no name")
        for place, name in enumerate(header, start=1)
        if not name.strip()
    ]
    if faults:
        raise DataFault(faults)
    return pd.DataFrame(
        [row[:width] for row in body.values()], index=list(body), columns=header, dtype=str
    )


def _refuse_other_separators(header: list[str], shown: str) -> None:
    if len(header) > 1:
        return
    for sign, name in OTHER_SEPARATORS.items():
        if sign in header[0]:
            problem = f"its cells are parted by {name}; save it as “CSV UTF-8”, parted by commas"
            raise DataFault([Fault(shown, 1, None, problem)])


def find_table(path: Path) -> Path | None:
    """The file that holds a table: the CSV file of that name, or a workbook (.xlsx) in its place; None if neither."""
    return next((one for one in (path, path.with_suffix(WORKBOOK)) if one.is_file()), None)


def _cells(path: Path, shown: str) -> tuple[pd.DataFrame, str]:
    """The cells of a table, and the name by which its file is told: the workbook's where one stands in its place."""
    found = find_table(path) or path
    if found.suffix == WORKBOOK:
        shown = str(Path(shown).with_suffix(WORKBOOK).as_posix())
        return _cells_of_rows(_workbook_rows(found, shown), shown), shown
    return _to_cells(_read_text(found, shown), shown), shown


@dataclass(frozen=True)
class SheetCells:
    """A sheet as it was filled in: the text of each cell, which cells hold a formula, which ranges are merged."""

    rows: list[list[str]]
    formulas: dict[str, str]
    merged: list[str]


def workbook_sheets(path: Path) -> dict[str, SheetCells]:
    """All sheets of a workbook by title, with what a table may not hold told apart and not calculated.

    Raises : DataFault if the file is no workbook
    """
    book = _opened(path, path.name)
    return {
        sheet.title: SheetCells(
            [[plain_text(_workbook_cell(cell)) for cell in row] for row in sheet.values],
            {
                cell.coordinate: str(getattr(cell.value, "text", cell.value))
                for row in sheet.iter_rows()
                for cell in row
                if cell.data_type == "f"
            },
            sorted(str(one) for one in sheet.merged_cells.ranges),
        )
        for sheet in book.worksheets
    }


def _opened(path: Path, shown: str, **how: bool) -> Workbook:
    import zipfile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        return load_workbook(path, **how)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, OSError):
        problem = "cannot be opened as a workbook; save it anew as .xlsx or as “CSV UTF-8”"
        raise DataFault([Fault(shown, None, None, problem)]) from None


def _workbook_rows(path: Path, shown: str) -> list[list[str]]:
    """The rows of the first sheet of a workbook, as text."""
    book = _opened(path, shown, read_only=True, data_only=True)
    rows = [[_workbook_cell(cell) for cell in row] for row in book.worksheets[0].values]
    book.close()
    width = max(map(_filled, rows), default=0)
    return [[*row, *[""] * (width - len(row))] for row in rows]


def _workbook_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value).translate(_BREAKS_IN_CELLS)


def read_cells(path: Path, shown: str | None = None) -> pd.DataFrame:
    """All cells of a table as text, each row numbered as a spreadsheet does (the header is row 1)."""
    cells, _ = _cells(path, shown or path.name)
    return cells.set_axis(cells.index + 2)


def has_rows(path: Path) -> bool:
    """Whether a table has a row below its header; false for an empty file."""
    return bool(path.stat().st_size) and not read_cells(path).empty


def how_to_write(text: str, column: str) -> str:
    """What would be right in place of a text that is no number, if it can be told what was meant."""
    plain = unicodedata.normalize("NFKC", text).replace(" ", "")
    year = re.fullmatch(r"((?:19|20|21)\d\d)(\D.*)", plain)
    if "year" in column and year:
        return f"write the year, {year[1]}"
    joined = plain.replace(",", "")
    if re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?", plain):
        return f"write {joined} without the comma"
    number, sign = joined[:-1], joined[-1:]
    if NUMBER.fullmatch(number) and sign == "%":
        return f"write {float(number) / 100:.12g}"
    if NUMBER.fullmatch(number) and sign in LARGE:
        return f"write {float(number) * LARGE[sign]:.12g}"
    if NUMBER.fullmatch(plain):
        return f"write {plain}, in half-width digits without spaces"
    if re.fullmatch(r"[-+]?\d+,\d+", plain):
        return f"write {plain.replace(',', '.')} with a decimal point"
    return "write digits and a decimal point"


def _to_numbers(
    cells: pd.DataFrame, schema: pa.DataFrameSchema, shown: str
) -> tuple[pd.DataFrame, list[Fault]]:
    faults: list[Fault] = []
    table = pd.DataFrame(index=cells.index)
    for name, column in schema.columns.items():
        text = cells[name].map(plain_text)
        if not _is_number(column):
            if name in DATES:
                text = text.map(iso_date)
            table[name] = text.astype(object)
            continue
        numbers = pd.to_numeric(text.where(text != "", None), errors="coerce").astype(float)
        for row in text.index[(text != "") & ~np.isfinite(numbers)]:
            faults.append(
                Fault(
                    shown,
                    row + 2,
                    name,
                    f"“{text[row]}” is not a number; {how_to_write(text[row], name)}",
                )
            )
        if not column.nullable:
            for row in text.index[text == ""]:
                faults.append(Fault(shown, row + 2, name, "is empty; a number is needed"))
        table[name] = numbers
    return table, faults


def iso_date(text: str) -> str:
    """A date as Excel or a Chinese text writes it (2024/12/31, 2024年12月31日) as 2024-12-31; another as it stands."""
    parts = _DATE_PARTS.fullmatch(text)
    return "-".join(part.zfill(2) for part in parts.groups() if part) if parts else text


def _check_faults(
    table: pd.DataFrame,
    schema: pa.DataFrameSchema,
    shown: str,
    unread: set[int],
    units: Units | None,
) -> list[Fault]:
    """Faults of the numbers and words; rows in `unread` have a cell that is no number and are not compared within."""
    faults: list[Fault] = []
    keys = list(schema.unique or [])
    if keys:
        for row in table.index[table.duplicated(keys, keep="first")]:
            key = ", ".join(
                f"{k}={table.at[row, k]}" for k in keys if table.at[row, k] not in ("", None)
            )
            faults.append(
                Fault(shown, row + 2, keys[0], f"the key ({key}) stands in the table already")
            )
    try:
        _without_unique(schema).validate(table, lazy=True)
    except pa.errors.SchemaErrors as errors:
        seen = set()
        for case in errors.failure_cases.itertuples():
            row = None if pd.isna(case.index) else int(case.index) + 2
            if case.schema_context == "Column":
                column = case.column
                problem = f"“{case.failure_case}” {case.check}"
                if column == "unit" and row is not None:
                    problem = _unit_problem(table.loc[row - 2], case.check, units)
            else:
                column, problem = str(case.check).split("|", 1)
                if row in unread:
                    continue
            if (row, column, problem) not in seen and case.check != "not_nullable":
                seen.add((row, column, problem))
                faults.append(Fault(shown, row, column, problem))
    return faults


def _unit_problem(cells: pd.Series, otherwise: str, units: Units | None) -> str:
    """An unknown unit, with the units that its row may have; where that is not known, the one most alike first."""
    written = cells["unit"]
    if set(otherwise.removeprefix("must be one of: ").split(", ")) != UNITS:
        return f"“{written}” {otherwise}"
    if units is not None:
        key, file, known = units
        fitting = known.get(cells[key])
        if fitting:
            return f"“{written}” must be {'/'.join(sorted(fitting))}, the unit of {cells[key]} in {file}"
    alike = difflib.get_close_matches(written, sorted(UNITS), n=1)
    if not alike:
        return f"“{written}” {otherwise}"
    return f"“{written}” must be one of: {', '.join([*alike, *sorted(UNITS - set(alike))])}"


def _without_unique(schema: pa.DataFrameSchema) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(schema.columns, checks=schema.checks, name=schema.name)


# Sound tables by what their file holds, the last used at the end: a table is checked once a process, not once a
# load. The schema stands beside, so that no other takes its place in memory.
_SOUND: OrderedDict[tuple, tuple[pa.DataFrameSchema, pd.DataFrame]] = OrderedDict()
_MOST_SOUND = 256


def read_table(
    path: Path,
    schema: pa.DataFrameSchema,
    shown: str | None = None,
    may_be_empty: bool = False,
    units: Units | None = None,
) -> pd.DataFrame:
    """Read one table (a CSV file, or a workbook in its place) and check it against its schema.

    path    : the file
    schema  : one of the schemas of this module
    shown   : the name the planner knows the file by (default: the path's last part)
    may_be_empty : whether a header alone is a sound table, which says that there is nothing to say
    units   : key column, file that says so, and the units allowed by key: told where a unit is not known at all
    Returns : table with text columns as str and number columns as float; the index is 2 less than the row of a
              spreadsheet, with gaps where blank rows were dropped
    Raises  : DataFault with every fault of the file, each with row and column as in a spreadsheet
    """
    found = find_table(path)
    if found is None or not os.access(found, os.R_OK):  # told where its cells are read
        return _read_table(path, schema, shown, may_be_empty, units)
    key = file_sha256(found), found.suffix, id(schema), may_be_empty
    if key not in _SOUND:
        _SOUND[key] = schema, _read_table(path, schema, shown, may_be_empty, units)
    _SOUND.move_to_end(key)
    while len(_SOUND) > _MOST_SOUND:
        _SOUND.popitem(last=False)
    return _SOUND[key][1].copy()


def _read_table(
    path: Path,
    schema: pa.DataFrameSchema,
    shown: str | None,
    may_be_empty: bool,
    units: Units | None,
) -> pd.DataFrame:
    cells, shown = _cells(path, shown or path.name)
    left_out = [name for name, column in schema.columns.items() if not column.required]
    cells = cells.assign(**{name: "" for name in left_out if name not in cells.columns})
    missing = [name for name in schema.columns if name not in cells.columns]
    extra = [name for name in cells.columns if name not in schema.columns]
    hint = f"; unknown in its place: {', '.join(extra)}" if extra else ""
    faults = [Fault(shown, 1, name, f"this column is missing{hint}") for name in missing]
    faults += [
        Fault(shown, 1, name, f"this column is unknown; known are: {', '.join(schema.columns)}")
        for name in extra
    ]
    if cells.empty and not may_be_empty:
        faults.append(Fault(shown, 2, None, "there is a header and no row below it"))
    if faults:
        raise DataFault(faults)
    return sound_rows(cells, schema, shown, units)


def sound_rows(
    cells: pd.DataFrame, schema: pa.DataFrameSchema, shown: str, units: Units | None = None
) -> pd.DataFrame:
    """Cells as a table checked against its schema; the index is 2 less than the row of a spreadsheet.

    Raises : DataFault with every fault
    """
    if cells.empty:
        return empty_table(schema)
    table, faults = _to_numbers(cells, schema, shown)
    unread = {fault.row for fault in faults if fault.row is not None}
    faults += _check_faults(table, schema, shown, unread, units)
    if faults:
        raise DataFault(sorted(faults, key=lambda f: (f.row or 0, f.column or "")))
    return table
