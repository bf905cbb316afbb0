"""What commands and faults say: English stands in the code, other languages in data/messages.csv.

A message is looked up by its English when it is printed. A row stands for all messages that differ in its places
({1}, {2}) only; what stands in a place is told in the language too where a row says how, and as it stands where it is
a name, a number or a cell of a table.
"""

from __future__ import annotations

import csv
import locale
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TextIO

from eldercare.files import find_root

LANGUAGES = ("en", "zh")
SETTING = "ELDERCARE_LANGUAGE"
LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")
TABLE = "messages.csv"
PLACE = re.compile(r"\{\d+\}")
# Where a fault stands, before what is wrong; it is taken off first, since the rest may begin with a place.
_AT_ROW = re.compile(
    r"(?P<file>.+?), row (?P<row>\d+)(?:, column (?P<column>[^:]+))?: (?P<rest>.+)"
)
# Where a message may end and the next begin: after a sentence, or before what is added to one.
_SEAM = re.compile(r"(?<=[.?!]) (?=\S)|(?=; )|(?=, )|(?=  \[)|(?= \()|(?= and \d+ more)|(?<=[:;] )")
_ENGLISH, _QUOTED = re.compile("[A-Za-z]{2,} [a-z]{2,}"), re.compile("“[^”]*”")
# Rows for the place of a fault and what is wrong there; the last parts whatever has a colon and no row of its own.
ROW, COLUMN, PARTED = "{1}, row {2}", "{1}, column {2}", "{1}: {2}"
_SPOKEN: ContextVar[str] = ContextVar("spoken", default="")


class Row(NamedTuple):
    """A row of the table: its English without the places, and the text in the language."""

    between: tuple[str, ...]
    text: str


def language_of_run() -> str:
    """Code of the language a run speaks: that of the command, else $ELDERCARE_LANGUAGE, else that of the notebooks in
    whose folder it starts, as `notebooks/zh`, else English.
    """
    return _SPOKEN.get() or os.environ.get(SETTING) or _of_folder() or LANGUAGES[0]


def language_of_command(asked: str = "") -> str:
    """Code of the language a command speaks: the one asked for, else as a run, but the system's before English.

    Notebooks do not ask the system: what a folder holds is in the language of the folder.
    """
    return asked or os.environ.get(SETTING) or _of_folder() or _of_system() or LANGUAGES[0]


def _of_folder() -> str:
    *_, folder, name = ("", *Path.cwd().parts)
    return name if folder == "notebooks" and name in LANGUAGES else ""


def _of_system() -> str:
    set_to = next(filter(None, map(os.environ.get, LOCALES)), "") or locale.getlocale()[0] or ""
    return (
        "zh" if set_to.lower().startswith(("zh", "chinese")) else ""
    )  # Windows: Chinese (Simplified)


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """What is said and worded inside is in the language of that code."""
    before = _SPOKEN.set(code)
    try:
        yield
    finally:
        _SPOKEN.reset(before)


def say(text: object = "", file: TextIO | None = None, end: str = "\n") -> None:
    """Print a message in the language of the run."""
    print(told(str(text)), file=file or sys.stdout, end=end, flush=end != "\n")


def told(text: str, code: str = "") -> str:
    """A message, of one line or several, in the language of that code (default: that of the run).

    What no row stands for is told in English.
    """
    rows = _rows(code or language_of_run())
    return "\n".join(_line(line, rows) for line in text.split("\n")) if rows else text


def _rows(code: str) -> dict[str, Row]:
    if code not in LANGUAGES[1:]:
        return {}
    try:
        return _read(find_root() / "data" / TABLE, code)
    except (OSError, KeyError, ValueError, csv.Error):
        pass
    try:  # outside a project, or in one whose table is damaged: that of the project this library lies in
        return _read(Path(__file__).parents[2] / "data" / TABLE, code)
    except (OSError, KeyError, ValueError, csv.Error):
        return {}


@lru_cache(maxsize=4)
def _read(path: Path, code: str) -> dict[str, Row]:
    """The rows by their English, those with most words of their own first."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        texts = {row["en"]: row[code] for row in csv.DictReader(file)}
    rows = {text: Row(tuple(PLACE.split(text)), other) for text, other in texts.items() if other}
    if not {ROW, COLUMN, PARTED} <= rows.keys():
        raise KeyError(f"{path} has no row for the place of a fault")
    return dict(sorted(rows.items(), key=lambda row: -len("".join(row[1].between))))


def _line(line: str, rows: dict[str, Row]) -> str:
    text = line.strip()
    before, _, after = line.partition(text) if text else (line, "", "")
    return f"{before}{_of_fault(text, rows) or _found(text, rows) or _parted(text, rows)}{after}"


def _of_fault(text: str, rows: dict[str, Row]) -> str:
    """A fault with its file and row; empty if it is none."""
    at = _AT_ROW.fullmatch(text)
    if at is None:
        return ""
    place = _filled(rows[ROW].text, [at["file"], at["row"]])
    if at["column"]:
        place = _filled(rows[COLUMN].text, [place, at["column"]])
    return _filled(rows[PARTED].text, [place, _line(at["rest"], rows)])


def _parted(text: str, rows: dict[str, Row]) -> str:
    """What is no message itself: its two parts with a colon between, or the parts of a list that are words."""
    first, colon, rest = text.partition(": ")
    if colon and rest:
        return _filled(rows[PARTED].text, [_line(first, rows), _line(rest, rows)])
    parts = [
        rows[one].text if one in rows and re.search(r"\W", one) else one for one in text.split(", ")
    ]
    return ", ".join(parts)


def _found(text: str, rows: dict[str, Row]) -> str | None:
    """A text in the language: a row's, or one message after the other; None if it is no message."""
    if not re.search("[A-Za-z]", text):
        return None
    whole = _of_a_row(text, rows)
    if whole is not None and not _is_english(whole):
        return whole
    for seam in _SEAM.finditer(text):
        rest = _of_a_row(text[seam.end() :].lstrip(), rows)
        if rest is not None and not _is_english(rest):
            first = text[: seam.start()]
            return f"{_found(first, rows) or _parted(first, rows)}{rest}"
    return whole


def _is_english(text: str) -> bool:
    """Whether some English is left in a text beside what is quoted."""
    return bool(_ENGLISH.search(_QUOTED.sub("", text)))


def _of_a_row(text: str, rows: dict[str, Row]) -> str | None:
    """A text told by the row that fits it best: the first that leaves no English, else the first of all."""
    if text in rows and len(rows[text].between) == 1:
        return rows[text].text
    best = None
    for english, row in rows.items():
        cells = None if english == PARTED else _cells(text, row.between)
        if cells is None:
            continue
        told_by = _filled(row.text, [_cell(cell, row, at, rows) for at, cell in enumerate(cells)])
        if not _is_english(told_by):
            return told_by
        best = best or told_by
    return best


def _cells(text: str, between: tuple[str, ...]) -> list[str] | None:
    """What stands in the places of a row, the shortest that fits; None if the text is none of the row's."""
    first, last = between[0], between[-1]
    if not (text.startswith(first) and text.endswith(last)):
        return None
    if any(part not in text for part in between):
        return None
    found = re.fullmatch("(.*?)".join(map(re.escape, between)), text)
    return list(found.groups()) if found else None


def _cell(cell: str, row: Row, at: int, rows: dict[str, Row]) -> str:
    """What stands in a place: a message in the language, and what a planner wrote as it stands."""
    quoted = row.between[at].endswith("“") and row.between[at + 1].startswith("”")
    return cell if quoted else _line(cell, rows)


def _filled(text: str, cells: list[str]) -> str:
    return PLACE.sub(lambda place: cells[int(place[0][1:-1]) - 1], text)
