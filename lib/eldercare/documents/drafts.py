"""Rows on their way to a city's tables: a drafted ledger, of which nothing counts before a planner
has accepted its row, and the answers to a request.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from eldercare.documents.new_city import cell_text, csv_text
from eldercare.documents.read_plan import DRAFT_COLUMNS
from eldercare.documents.request import ENDS, TABLES, Answer, Answers
from eldercare.inputs import schema
from eldercare.inputs.checks import target_faults
from eldercare.inputs.load import Project
from eldercare.inputs.reading import (
    empty_table,
    find_table,
    plain_text,
    read_cells,
    read_table,
    sound_rows,
)
from eldercare.inputs.schema import DataFault, Fault

DRAFT = "targets_draft.csv"
CONFIDENCES = ("sure", "likely", "doubtful")


@dataclass(frozen=True)
class Confirmed:
    """What a confirmation makes of the files of a city: the text of each (None: the file goes), and
    how many rows.
    """

    files: dict[str, str | None]
    accepted: int
    mended: int
    dropped: int
    waiting: int


def waiting(project: Project, city_id: str) -> int:
    """How many drafted rows of a city wait for a decision or for their confirmation."""
    path = find_table(_folder(project, city_id) / DRAFT)
    return 0 if path is None else len(read_cells(path, f"cities/{city_id}/{path.name}"))


def draft_text(draft: pd.DataFrame) -> str:
    """The text of `targets_draft.csv`; its mark at the beginning lets Excel show Chinese."""
    return "\ufeff" + csv_text(DRAFT_COLUMNS, draft.to_dict("records"))


def measured_where_it_can_be(project: Project, draft: pd.DataFrame) -> pd.DataFrame:
    """The draft, with rows that cannot be held against a quantity tracked by reports instead."""
    out = draft.copy()
    table = out[list(schema.TARGETS.columns)].reset_index(drop=True)
    faults = target_faults(_with_any_source(project, table), table, DRAFT)
    for row in {fault.row - 2 for fault in faults if fault.row is not None}:
        if out["follow_up"].iat[row] == "measured":
            at = out.index[row]
            out.loc[at, ["follow_up", "measured_by"]] = ["tracked", ""]
            out.loc[at, "follow_up_reason"] = "needs reported progress"
    return out


def _with_any_source(project: Project, table: pd.DataFrame) -> Project:
    """The project as it is when the sources of a draft have their rows."""
    from dataclasses import replace

    missing = set(table["source_id"]) - set(project.sources["source_id"])
    rows = pd.DataFrame({"source_id": sorted(missing)})
    return replace(project, sources=pd.concat([project.sources, rows]))


def confirm(project: Project, city_id: str, accept: Collection[str] = ()) -> Confirmed:
    """Move the decided rows of a draft into `targets.csv`.

    accept : confidences whose undecided rows are accepted as they stand
    Raises : DataFault with every fault of the accepted rows, by their row in the draft; nothing is
             moved then
    """
    path = find_table(_folder(project, city_id) / DRAFT)
    at = f"cities/{city_id}/{DRAFT}"
    if path is None:
        raise FileNotFoundError(
            f"no {at}; write one with read-plan FILE --city {city_id}, then decide on its rows"
        )
    at = f"cities/{city_id}/{path.name}"
    cells = read_cells(path, at).fillna("")
    cells["decision"] = cells["decision"].str.strip().str.lower()
    undecided = (cells["decision"] == "") & cells["confidence"].isin(accept)
    cells.loc[undecided, "decision"] = "accept"
    decided = cells[cells["decision"] != ""]
    taken = sound_rows(
        decided[decided["decision"] != "drop"].set_axis(
            decided.index[decided["decision"] != "drop"] - 2
        ),
        schema.TARGETS_DRAFT,
        at,
    )
    dropped, left = decided[decided["decision"] == "drop"], cells[cells["decision"] == ""]
    _refuse_workbook(project, city_id)
    table = _joined(project, city_id, taken, set(cells["target_id"]))
    faults = target_faults(project, table, at)
    if faults:
        raise DataFault(faults)
    files: dict[str, str | None] = {
        f"cities/{city_id}/targets.csv": csv_text(
            list(schema.TARGETS.columns), _in_order(table).to_dict("records")
        ),
        at: None,
    }
    if len(left):  # a workbook goes, and what waits is a CSV file again
        files[f"cities/{city_id}/{DRAFT}"] = draft_text(left)
    if len(dropped):
        files[f"cities/{city_id}/exceptions.csv"] = with_exceptions(
            project, city_id,
            [(_phrase_of(row), "not_a_promise") for _, row in dropped.iterrows()],
            "dropped from the draft",
        )  # fmt: skip
    mended = int((taken["decision"] == "mend").sum()) if len(taken) else 0
    return Confirmed(files, len(taken) - mended, mended, len(dropped), len(left))


def _refuse_workbook(project: Project, city_id: str) -> None:
    """A ledger kept as a workbook is not written to: it would be there twice."""
    path = find_table(_folder(project, city_id) / "targets.csv")
    if path is not None and path.suffix != ".csv":
        raise ValueError(
            f"cities/{city_id}/{path.name} stands in place of targets.csv: save it as “CSV UTF-8” under "
            "that name, take the workbook away, and confirm again"
        )


def _joined(project: Project, city_id: str, taken: pd.DataFrame, drafted: set[str]) -> pd.DataFrame:
    """The ledger with the accepted rows; a link to a row that was not accepted is taken out."""
    ledger = project.city(city_id).targets
    new = taken[list(schema.TARGETS.columns)] if len(taken) else empty_table(schema.TARGETS)
    both = set(ledger["target_id"]) & set(new["target_id"])
    if both:
        raise ValueError(
            f"{', '.join(sorted(both))}: in cities/{city_id}/targets.csv already; "
            "give the drafted rows other names in target_id, or drop them"
        )
    known = set(ledger["target_id"]) | set(new["target_id"])
    new = new.assign(
        restates=new["restates"].where(
            new["restates"].isin(known | {""}) | ~new["restates"].isin(drafted), ""
        )
    )
    return pd.concat([ledger.set_axis(ledger.index + 100_000), new])


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Rows by the number at the end of their names: the order of the document."""
    number = table["target_id"].str.extract(r"(\d+)$")[0].astype(float)
    return (
        table.assign(_number=number).sort_values("_number", kind="stable").drop(columns="_number")
    )


def has_exceptions(project: Project, city_id: str) -> bool:
    """Whether somebody has listed exceptions of a city already."""
    path = find_table(_folder(project, city_id) / "exceptions.csv")
    return path is not None and not read_cells(path).empty


def with_plan_year(project: Project, city_id: str, year: float) -> dict[str, str | None]:
    """`city.csv` with the year of the document where it names none yet; nothing to write where it
    does.
    """
    path = _folder(project, city_id) / "city.csv"
    if project.city(city_id).plan_year is not None or not path.is_file() or math.isnan(year):
        return {}
    rows = read_cells(path).fillna("").to_dict("records")
    rows[0]["plan_year"] = f"{year:.0f}"
    return {f"cities/{city_id}/city.csv": csv_text(list(rows[0]), rows)}


def with_exceptions(
    project: Project, city_id: str, phrases: Iterable[tuple[str, str]], note: str
) -> str:
    """`exceptions.csv` of a city with more phrases whose numbers are no promise: pairs of phrase
    and reason.
    """
    path = find_table(_folder(project, city_id) / "exceptions.csv")
    rows: list[dict] = []
    if path is not None:
        rows = read_table(path, schema.EXCEPTIONS, may_be_empty=True).to_dict("records")
    there = {row["phrase"] for row in rows}
    rows += [
        {"phrase": phrase, "reason": reason, "note": note}
        for phrase, reason in dict(phrases).items()
        if phrase not in there
    ]
    return csv_text(list(schema.EXCEPTIONS.columns), rows)


def _phrase_of(row: pd.Series) -> str:
    """A phrase around a drafted figure, short so that it covers no other."""
    quote, figure = row["quote_zh"], row["figure"]
    start = quote.find(figure) if figure else -1
    return quote[max(0, start - 4) : start + len(figure)] if start >= 0 else quote


def _folder(project: Project, city_id: str) -> Path:
    project.city(city_id)
    return project.root / "data" / "cities" / city_id


@dataclass(frozen=True)
class Joined:
    """The tables of a city with answers taken in: their texts, what happened to which row, and from
    which answer each row of a file is.
    """

    files: dict[str, str | None]
    told: list[str]
    origins: dict[tuple[str, int], Answer]


def joined(given: Answers, tables: dict[str, pd.DataFrame], again: bool) -> Joined:
    """The tables of a city with the rows that were answered; a row that is there stays, or is replaced if asked.

    tables : the cells of the city's tables as they stand, by name;  again : replace what is there
    """
    files: dict[str, str | None] = {}
    told: list[str] = []
    origins: dict[tuple[str, int], Answer] = {}
    for name in TABLES:
        rows = [one for one in given.rows if one.table == name]
        if not rows:
            continue
        file = f"cities/{given.city_id}/{name}.csv"
        table = getattr(schema, name.upper())
        columns = list(dict.fromkeys([*tables[name].columns, *table.columns]))
        kept = tables[name].reindex(columns=columns).fillna("").to_dict("records")
        place = {_key(row, table): number for number, row in enumerate(kept)}
        changed = False
        for one in rows:
            row = {column: cell_text(one.row.get(column, "")) for column in columns}
            at = place.setdefault(_key(row, table), len(kept))
            if at == len(kept):
                kept.append(row)
                verb = "added"
            else:
                other = _differs(kept[at], row, table)
                if not other:
                    told.append(f"{file}, row {at + 2}: there already: {_shown(row, table)}")
                    continue
                verb = f"replaced ({other})" if again else f"kept as it was ({other})"
                if again:
                    kept[at] = row
            told.append(f"{file}, row {at + 2}: {verb}: {_shown(row, table)}")
            if verb == "added" or again:
                changed = True
                origins[file, at + 2] = one
        if changed:
            files[file] = csv_text(columns, kept)
    return Joined(files, told, origins)


def city_tables(folder: Path) -> dict[str, pd.DataFrame]:
    """The cells of the tables of a city that answers go into, as they stand, by name.

    Raises : ValueError where a workbook stands in place of one: it would be there twice
    """
    tables = {}
    for name in TABLES:
        found = find_table(folder / f"{name}.csv")
        if found is not None and found.suffix != ".csv":
            raise ValueError(
                f"cities/{folder.name}/{found.name} stands in place of {name}.csv: save it as "
                "“CSV UTF-8” under that name, take the workbook away, and take again"
            )
        empty = empty_table(getattr(schema, name.upper()))
        tables[name] = empty if found is None else read_cells(found)
    return tables


def cell_of(fault: Fault, done: Joined) -> Fault:
    """A fault of a row that an answer made, told by the sheet and cell that it was read from."""
    one = done.origins.get((fault.file, fault.row or 0))
    return fault if one is None else one.fault(fault.column or "", fault.problem)


def _key(row: dict, table) -> tuple:
    return tuple(_comparable(row.get(name, "")) for name in table.unique)


def _comparable(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return plain_text(text)


def _differs(old: dict, new: dict, table) -> str:
    """The figures in which two rows of a key differ, old and new; empty if in none."""
    names = [name for name in (*ENDS, "value", "unit") if name in table.columns]
    return ", ".join(
        f"{name} {old[name] or '-'} → {new[name] or '-'}"
        for name in names
        if _comparable(old[name]) != _comparable(new[name])
    )


def _shown(row: dict, table) -> str:
    keys = [row[name] for name in table.unique if row.get(name) and name != "city_id"]
    return " ".join([*keys, row.get("value") or row.get("central", "")])
