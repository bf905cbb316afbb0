"""What `read-plan`, `data-request` and `take` do and say: draft a ledger, ask a city for what it can
measure, and move what a planner has decided on or answered into the tables."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pandas as pd

from eldercare.analysis.sensitivity import sensitivity
from eldercare.documents import drafts, new_city, plan_text, request
from eldercare.documents.document_lines import document_lines
from eldercare.documents.read_plan import draft_targets
from eldercare.files import as_it_was_if_it_fails, file_sha256, write_whole
from eldercare.inputs.load import Project, load_project
from eldercare.inputs.schema import DataFault, Fault
from eldercare.messages import say
from eldercare.reporting.workbook import request_book


def draft(project: Project, document: Path, city: str, again: bool, program: str) -> None:
    """Draft the ledger of a city from its document, and say what comes next."""
    if city not in project.cities:
        known = ", ".join(sorted(project.cities))
        raise ValueError(
            f"no city “{city}”; there are: {known}; set up another with {program} new-city CODE|NAME"
        )
    wait = drafts.waiting(project, city)
    if wait and not again:
        raise ValueError(
            f"data/cities/{city}/{drafts.DRAFT} holds {wait} rows that wait: confirm them "
            f"({program} read-plan --confirm --city {city}), or give --again to replace them"
        )
    lines = document_lines(document)
    about = project.city(city)
    source = about.source_id or f"{city}_plan"
    table = draft_targets(lines, city, source, project.plan_words, about.plan_year)
    if table.empty:
        say(f"{document.name} holds no figure that a plan could promise; nothing was written.")
        return
    table = drafts.measured_where_it_can_be(project, table)
    sources = new_city.with_source(
        project, source, sha256=file_sha256(document), **plan_text.about(lines)
    )
    files = {
        f"cities/{city}/{drafts.DRAFT}": drafts.draft_text(table),
        "sources.csv": sources,
        **drafts.with_plan_year(project, city, plan_text.issue_year(lines)),
    }
    if not drafts.has_exceptions(project, city):
        files[f"cities/{city}/exceptions.csv"] = drafts.with_exceptions(
            project, city, plan_text.no_promises(lines), "found by read-plan"
        )
    write_files(project.root / "data", files)
    counts = table["confidence"].value_counts()
    told = ", ".join(f"{counts.get(word, 0)} {word}" for word in drafts.CONFIDENCES)
    measured = int((table["follow_up"] == "measured").sum())
    say(
        f"{len(table)} figures drafted ({told}; {measured} can be measured against need): "
        f"data/cities/{city}/{drafts.DRAFT}\n"
        "Dates, item numbers and names of documents stand in exceptions.csv.\n"
        "None counts yet. Open it in a spreadsheet, hold each row against its quote, and write accept, "
        "mend (after changing its cells) or drop in the column decision.\n"
        f"Next: {program} read-plan --confirm --city {city}"
    )


def confirm(project: Project, city: str, accept: tuple[str, ...], program: str) -> None:
    """Move the decided rows of a draft into the ledger, and say how many."""
    done = drafts.confirm(project, city, accept)
    if not done.accepted + done.mended + done.dropped:
        raise ValueError(
            f"no row of data/cities/{city}/{drafts.DRAFT} is decided on: write accept, mend or drop in the "
            "column decision, or give --accept sure"
        )
    write_files(project.root / "data", done.files)
    say(
        f"{done.accepted} rows accepted, {done.mended} mended, {done.dropped} dropped; {done.waiting} wait.\n"
        f"Next: {program} report {city}"
    )


def write_files(data: Path, files: Mapping[str, str | None]) -> None:
    """Write tables below `data/`, each whole or not at all; one of None goes."""
    for name, text in files.items():
        path = data / name
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())


def ask(project: Project, city: str, path: Path, program: str) -> None:
    """Write the workbook that asks a city for what it can measure, and say what comes next."""
    if path.exists():
        raise ValueError(
            f"{path.name} is there already and is not overwritten: answers in it would be lost. "
            "Name another file with --output"
        )
    project.city(city)
    sheets = request.request(project, city, sensitivity(project, city))
    content = request_book([request.about(project, city), *sheets])
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)
    counts = ", ".join(f"{len(one.rows)} {one.name}" for one in sheets)
    say(f"Written: {path.name} (rows: {counts}).\nFilled in: {program} take {path.name}")


def take(project: Project, path: Path, again: bool, program: str) -> None:
    """Move the answers of a filled-in request into the tables of its city, all or nothing.

    The tables are first made and checked in a copy of the data, so that what is written passes `check`.

    again  : replace rows that are there already
    Raises : DataFault with all faults of the workbook, by sheet and cell
    """
    given = request.answers(project, path)
    folder = project.root / "data" / "cities" / given.city_id
    done = drafts.joined(given, drafts.city_tables(folder), again)
    files = dict(done.files)
    used = {one.row["source_id"] for one in done.origins.values()}
    for source in given.sources:
        if source["source_id"] in used - set(project.sources["source_id"]):
            files["sources.csv"] = new_city.with_source(project, **source)
            project = _knowing(project, source)
    faults = given.faults + [
        drafts.cell_of(fault, done)
        for fault in (_faults_with(project.root, files) if files else [])
    ]
    if faults:
        raise DataFault(faults, "nothing was taken")
    with ExitStack() as together:
        for name in files:
            together.enter_context(as_it_was_if_it_fails(project.root / "data" / name))
        write_files(project.root / "data", files)
    for line in done.told:
        say(line)
    if not done.told:
        say(f"{path.name} holds no answer; nothing was written.")
    elif not files:
        say("Nothing was written; rows that are there are replaced with --replace.")
    else:
        say(f"Written: {', '.join(files)}.\nNext: {program} report {given.city_id}")


def _knowing(project: Project, source: Mapping[str, str]) -> Project:
    """The project with one more source, so that a next one is put beside it."""
    rows = pd.concat([project.sources, pd.DataFrame([source])], ignore_index=True).fillna("")
    return replace(project, sources=rows)


def _faults_with(root: Path, files: Mapping[str, str | None]) -> list[Fault]:
    """What `check` would say if the files were written: tried on a copy of the data."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        shutil.copytree(root / "data", data)
        write_files(data, files)
        try:
            load_project(Path(folder), cities=())
        except DataFault as fault:
            return fault.faults
    return []
