"""Tables read as text, so that each fault is named by file, row and column as the planner sees them in a spreadsheet.

Only a table without a fault becomes numbers.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa

from eldercare.inputs.schema import DataFault, Fault


def _read_text(path: Path, shown: str) -> str:
    raw = path.read_bytes()
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


def _to_cells(text: str, shown: str) -> pd.DataFrame:
    rows = list(csv.reader(text.splitlines(keepends=True)))
    start = next(number for number, row in enumerate(rows) if row)
    header = rows[start]
    body = {number: row for number, row in enumerate(rows[start + 1 :], start=start) if row}
    faults = [
        Fault(shown, number + 2, None, f"has {len(row)} cells where the header has {len(header)}")
        for number, row in body.items()
        if len(row) != len(header)
    ]
    doubled = sorted({name for name in header if header.count(name) > 1})
    faults += [Fault(shown, 1, name, "stands twice in the header") for name in doubled]
    if faults:
        raise DataFault(faults)
    return pd.DataFrame(list(body.values()), index=list(body), columns=header, dtype=str)


def _to_numbers(
    cells: pd.DataFrame, schema: pa.DataFrameSchema, shown: str
) -> tuple[pd.DataFrame, list[Fault]]:
    faults: list[Fault] = []
    table = pd.DataFrame(index=cells.index)
    for name, column in schema.columns.items():
        text = cells[name].str.strip()
        if str(column.dtype) != "float64":
            table[name] = text.astype(object)
            continue
        numbers = pd.to_numeric(text.where(text != "", None), errors="coerce").astype(float)
        for row in text.index[(text != "") & ~np.isfinite(numbers)]:
            faults.append(
                Fault(
                    shown,
                    row + 2,
                    name,
                    f"“{text[row]}” is not a number; write digits and a decimal point",
                )
            )
        if not column.nullable:
            for row in text.index[text == ""]:
                faults.append(Fault(shown, row + 2, name, "is empty; a number is needed"))
        table[name] = numbers
    return table, faults


def _check_faults(table: pd.DataFrame, schema: pa.DataFrameSchema, shown: str) -> list[Fault]:
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
                column, problem = case.column, f"“{case.failure_case}” {case.check}"
            else:
                column, problem = str(case.check).split("|", 1)
            if (row, column, problem) not in seen and case.check != "not_nullable":
                seen.add((row, column, problem))
                faults.append(Fault(shown, row, column, problem))
    return faults


def _without_unique(schema: pa.DataFrameSchema) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(schema.columns, checks=schema.checks, name=schema.name)


def read_table(path: Path, schema: pa.DataFrameSchema, shown: str | None = None) -> pd.DataFrame:
    """Read one CSV file and check it against its schema.

    path    : the file
    schema  : one of the schemas of this module
    shown   : the name the planner knows the file by (default: the path's last part)
    Returns : table with text columns as str and number columns as float
    Raises  : DataFault with every fault of the file, each with row and column as in a spreadsheet
    """
    shown = shown or path.name
    cells = _to_cells(_read_text(path, shown), shown)
    missing = [name for name in schema.columns if name not in cells.columns]
    extra = [name for name in cells.columns if name not in schema.columns]
    faults = [Fault(shown, 1, name, "this column is missing") for name in missing]
    faults += [
        Fault(shown, 1, name, f"this column is unknown; known are: {', '.join(schema.columns)}")
        for name in extra
    ]
    if faults:
        raise DataFault(faults)
    table, faults = _to_numbers(cells, schema, shown)
    faulty_rows = {fault.row for fault in faults}
    faults += [
        f for f in _check_faults(table, schema, shown) if f.row not in faulty_rows or f.column
    ]
    if faults:
        raise DataFault(sorted(faults, key=lambda f: (f.row or 0, f.column or "")))
    return table.reset_index(drop=True)
