"""Holds year and bound of a ledger's rows against the document, beside what `inputs.ledger` checks.

Only what the document prints decides: a row whose figure has a bound word of its own must have that
    bound,
and a row with a year must have it from its sentence, its paragraph, its part or the document's own
year.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import pandas as pd

from eldercare.documents.document_lines import Line, document_text
from eldercare.documents.numerals import bound_of, compact, figures
from eldercare.documents.plan_meaning import Words, clause_of, unit_of, years_said
from eldercare.documents.plan_text import Passage, issue_year, passages
from eldercare.inputs import ledger
from eldercare.inputs.load import Project

# 力争 and words of hope are weighed by the reader; only what stands at the figure itself is held.
_FIRM = ("at_least", "at_most")
# Words that a reader may take for a bound; where one stands by, the row's reading holds.
_SOFT = re.compile("[争底前限超上下内可以含]")


def verify_all(project: Project, documents: Path) -> pd.DataFrame:
    """Findings on the ledgers of all cities, as `ledger.verify_all`, with year and bound checked
    too.
    """
    words = Words(project.plan_words)

    def more(targets: pd.DataFrame, text: str) -> list[tuple[str, str, str]]:
        return year_and_bound_findings(targets, text, words)

    return ledger.verify_all(project, documents, document_text, more)


def year_and_bound_findings(
    targets: pd.DataFrame, text: str, words: Words
) -> list[tuple[str, str, str]]:
    """Rows whose year or bound the document does not print: target_id, year or bound, and what is
    wrong.

    targets : rows of targets.csv in their order;  text : the document, a line a paragraph
    """
    lines = [Line(line, f"line {n}") for n, line in enumerate(text.splitlines(), start=1)]
    parts, issued = passages(lines), issue_year(lines)
    findings = []
    for row in targets.to_dict("records"):
        if row["suspect"] or row["unit"] in ("month", "times_per_year", "grade", "year"):
            continue
        quote = compact(row["quote_zh"])
        places = [
            (part, at)
            for part in parts
            for at in [part.text.find(quote)]
            if at >= 0 and row["locator"] and quote
        ]
        if not places:
            continue  # told by the check of quotes
        bounds = {
            bound for part, at in places for bound in _bounds(row, part, at, len(quote), words)
        }
        if bounds and row["bound"] not in bounds:
            said = " or ".join(sorted(bounds))
            findings.append(
                (row["target_id"], "bound", f"bound is {row['bound']}, but “{quote}” says {said}")
            )
        findings += _year_finding(row, quote, places, parts, issued)
    return findings


def _bounds(row: dict, part: Passage, at: int, length: int, words: Words) -> set[str]:
    """The bounds that the document gives the row's figure; none where it prints no word at it."""
    found = set()
    for figure in figures(part.text, words.all_signs):
        inside = at <= figure.start and figure.end <= at + length
        if not inside or not math.isclose(figure.value, row["value"], rel_tol=1e-6):
            continue
        if unit_of(figure, part.text, words)[0] != row["unit"]:
            continue
        bound = bound_of(part.text, figure.start, figure.end, "exactly")
        if bound in _FIRM:
            found.add(bound)
        elif row["bound"] not in _FIRM or not _SOFT.search(part.text[at : at + length + 4]):
            found |= {"exactly", "about"}
    return found


def _year_finding(
    row: dict, quote: str, places: list[tuple[Passage, int]], parts: list[Passage], issued: float
) -> list[tuple[str, str, str]]:
    """The year of a promise, if its clause names another or the document names it nowhere above the
    row.
    """
    year = row["target_year"]
    if math.isnan(year):
        return []
    near: set[float] = set()
    named: set[float] = {issued}
    for part, at in places:
        first, last = clause_of(part.text, at, at + len(quote))
        said = years_said(part.text, issued)
        near |= {one.year for one in said if first <= one.start < last and not one.past}
        before = parts[: parts.index(part) + 1]
        named |= {one.year for earlier in before for one in years_said(earlier.text, issued)}
        named.add(part.year)
    if near and year not in near:
        told = " or ".join(f"{one:.0f}" for one in sorted(near))
        return [
            (
                row["target_id"],
                "year",
                f"target_year is {year:.0f}, but its clause in the document says {told}",
            )
        ]
    if year not in named:
        told = ", ".join(f"{one:.0f}" for one in sorted(named) if not math.isnan(one))
        return [
            (
                row["target_id"], "year",
                f"target_year is {year:.0f}, which the document names nowhere before “{quote}”; it names {told}",
            )
        ]  # fmt: skip
    return []
