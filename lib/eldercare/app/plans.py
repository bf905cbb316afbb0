"""What `read-plan` does and says: drafts a ledger, and moves what a planner has decided on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from eldercare.documents import drafts, new_city, plan_text
from eldercare.documents.document_lines import document_lines
from eldercare.documents.read_plan import draft_targets
from eldercare.files import write_whole
from eldercare.inputs.load import Project, file_sha256
from eldercare.messages import say


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
