"""Drafts a ledger of targets from a policy document, for a planner to confirm, and holds a ledger
against it.

Rules alone, in the order of the document. Each row says how sure it is and why; nothing drafted
counts before it is confirmed (`drafts`).

Of a ledger year and bound are held against the document, beside what `inputs.ledger` checks. Only
what the document prints decides: a row whose figure has a bound word of its own must have that
bound, and a row with a year must have it from its sentence, its paragraph, its part or the
document's own year.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from eldercare.documents.document_lines import Line, document_text
from eldercare.documents.numerals import Figure, bound_of, compact, figures
from eldercare.documents.plan_meaning import (
    Quantity,
    Words,
    YearSaid,
    clause_of,
    counts_something,
    kind_of,
    unit_of,
    year_of,
    years_said,
)
from eldercare.documents.plan_text import Passage, issue_year, passages
from eldercare.documents.worded import worded_figures
from eldercare.inputs import ledger
from eldercare.inputs.checks import FIRST_PROMISE, LAST_PROMISE
from eldercare.inputs.load import Project
from eldercare.inputs.schema import TARGETS_DRAFT

DRAFT_COLUMNS = list(TARGETS_DRAFT.columns)
_TITLES = re.compile("《[^》]*》|〔[^〕]*〕")
SURE, LIKELY, DOUBTFUL = "sure", "likely", "doubtful"
LONGEST_QUOTE = 60
LONGEST_PLAN = 5
_HIDDEN = (
    r"《[^》]*》|〔[^〕]{0,12}〕?第?\d*号?|\([^()]{0,8}[发办字函政][^()]{0,6}[\[〔【(]?20\d\d[^()]{0,12}号\)"
    r"|20\d\d年\d{1,2}月\d{1,2}日(?!前)|\d{1,2}:\d\d(?::\d\d)?|\d{3,4}-\d{7,8}|(?<!\d)1\d{10}(?!\d)"
    r"|(?:十[八九]|二十)(?:大|届)|[7全]?[×x*]?24小时|\d+\+\d*|[A-Za-z]\d+|\d+[A-Za-z]+"
    r"|四个(?:全面|意识|自信|伟大)|两个(?:确立|维护|一百年|大局)|五位一体|三个代表|一把手"
    r"|第[一二三四五六七八九十百\d]+[条款项批次轮届期方类产]|“?十[二三四五六]五”?"
    r"|“(?!一[月季周年日]一)(?:一|双|三|四|五|六|七|八|九|十|两){1,2}[^”\d类星级职张同等档项个]{1,6}”"
    r"|“(?!一[月季周年日]一)[^”]{0,3}[一二三四五六七八九十两][^”一二三四五六七八九十两]{1,3}[、,]?[一二三四五六七八九十两][^”]{0,8}”"
)


@dataclass
class Found:
    """A figure on its way to a row: what it says and how it is known."""

    start: int
    end: int
    value: float
    unit: str
    bound: str
    kind: str
    year: float = math.nan
    high: float = math.nan
    sure: str = LIKELY
    why: list[str] = field(default_factory=list)
    name: str = ""
    suspect: str = ""
    weak: str = ""
    label: str = ""
    worded: bool = False


def draft_targets(
    lines: list[Line],
    city_id: str,
    source_id: str,
    table: pd.DataFrame,
    plan_year: float | None = None,
) -> pd.DataFrame:
    """The ledger of a document as rules read it.

    lines     : of `document_lines.document_lines`;  table : plan_words.csv
    plan_year : the year that 年内 means (default: the year of issue, read from the document)
    Returns   : rows in the order of the document, columns of `DRAFT_COLUMNS`; `decision` is empty
    """
    words, issued = Words(table), plan_year or issue_year(lines)
    rows: list[dict] = []
    carried, section = math.nan, -1
    for passage in passages(lines):
        if passage.section != section:
            carried, section = math.nan, passage.section
        said = years_said(_TITLES.sub(_blank, passage.text), issued)
        for found in _in_passage(passage, words, said, carried, issued):
            rows.append(_row(found, passage, words))
        ahead = [one for one in said if not one.past and not one.own]
        if ahead and (passage.goals or passage.text.endswith(":")) and ahead[0].start < 20:
            # Of several years the last of the plan's own; 2035 beside 2020 is an outlook.
            carried = max(one.year for one in ahead if one.year <= ahead[0].year + LONGEST_PLAN)
    return _ledger(rows, city_id, source_id)


def _in_passage(
    passage: Passage, words: Words, said: list[YearSaid], carried: float, issued: float
) -> list[Found]:
    """The figures of a passage, printed and in words, in their order."""
    text = _hide(passage.text)
    read = [
        found
        for figure in figures(text, words.all_signs)
        if (found := _read(figure, text, words)) is not None
    ]
    taken = [(one.start, one.end) for one in read]
    worded = worded_figures(text, passage.text, said, taken, issued, passage.body)
    for word in worded:
        read.append(Found(**{**vars(word), "why": [word.why]}, worded=True))
    hidden = [(one.start, one.end) for one in worded if one.weak in ("rhythm", "grades")]
    read = [one for one in read if one.worded or not _within(one, hidden)]
    for one in read:
        if math.isnan(one.year) and one.unit != "year" or one.weak == "age":
            one.year, how = year_of(one.start, text, said, carried, passage.year, passage.goals)
            one.why.append(f"year: {how}")
            if one.kind == "target" and how.endswith("a state reached"):
                one.kind = "stock"
    _respectively(text, read, said)
    read += _shared_by_several(text, read)
    return sorted(read, key=lambda one: (one.start, one.end))


def _within(one: Found, spans: list[tuple[int, int]]) -> bool:
    return any(first <= one.start and one.end <= last for first, last in spans)


def _hide(text: str) -> str:
    """Titles, numbers of documents, dates and slogans taken out, each sign by another of no
    meaning.
    """
    return re.sub(_HIDDEN, _blank, text)


def _blank(match: re.Match) -> str:
    return "□" * len(match[0])


def _read(figure: Figure, text: str, words: Words) -> Found | None:
    """A printed figure as a row; None where it counts nothing that a plan promises."""
    if not counts_something(figure, text):
        return None
    unit, name, why = unit_of(figure, text, words)
    first, _ = clause_of(text, figure.start, figure.end)
    found = Found(
        figure.start, figure.end, figure.value, unit, figure.bound,
        kind_of(unit, figure, text, first), high=figure.high, why=[f"unit: {why}"], name=name,
    )  # fmt: skip
    found.sure = SURE if figure.sign and why != "nothing known is counted" else DOUBTFUL
    if figure.how == "lost":
        found.weak, found.suspect = "lost unit", "measure word after the figure lost"
        found.why.append("no measure word is printed; whether digits are lost too cannot be seen")
    elif figure.sign in ("岁", "周岁"):
        found.weak, found.sure = "age", DOUBTFUL
    elif unit == "grade":
        found.weak = "grades"
    elif (
        figure.sign in ("%", "家", "个", "人") and figure.end == len(text) and text[-1] not in "。;"
    ) and "。" in text:
        found.suspect = "text stops after the figure without punctuation: characters may be lost"
    if figure.how in ("times", "vague", "points"):
        found.sure = LIKELY if found.sure == SURE else found.sure
    return found


def _respectively(text: str, read: list[Found], said: list[YearSaid]) -> None:
    """分别, 各: of years and figures named in equal number, the first year has the first figure, and
    so on.
    """
    for match in re.finditer("分别|(?<=年)各", text):
        first, _ = clause_of(text, match.start(), match.end(), "。;!?")
        _, last = clause_of(text, match.start(), match.end(), "。;!?")
        years = [one for one in said if first <= one.start < match.start() and not one.past]
        ahead = [
            one
            for one in read
            if match.end() <= one.start < last and one.unit not in ("year", "month")
        ]
        for one in ahead:
            one.weak = one.weak or "respectively"
        if len(years) > 1 and len(ahead) >= len(years) and len(ahead) % len(years) == 0:
            for at, one in enumerate(ahead):
                one.year = years[at % len(years)].year
                one.why.append("year: of 分别")


_RATES = re.compile(r"([^,。;:、]{2,30}?率)(?=[、和及与])")


def _shared_by_several(text: str, read: list[Found]) -> list[Found]:
    """One figure for several rates (甲率、乙率均达90%): a row for each rate ahead of the last."""
    more = []
    for one in read:
        first, _ = clause_of(text, one.start, one.end)
        ahead = text[first : one.start]
        if (
            one.unit != "share"
            or one.worded
            or "分别" in ahead
            or not re.search("率[^率]{0,4}$", ahead)
        ):
            continue
        for rate in _RATES.finditer(ahead):
            if not any(first <= other.start < one.start for other in read if other is not one):
                copy = replace(
                    one,
                    why=[*one.why, f"one figure for several rates: {rate[1]}"],
                    sure=LIKELY,
                    label=rate[1],
                )
                more.append(copy)
    return more


def _row(found: Found, passage: Passage, words: Words) -> dict:
    """A row of the draft, still without its id."""
    text = passage.text
    first, last = clause_of(text, found.start, found.end)
    phrase = text[first:last]
    quantity = _quantity(found, text, first, last, words)
    measured = _measured(quantity.measured_by, found)
    follow = (
        "measured" if measured else "tracked" if found.kind in ("target", "stock") else "stated"
    )
    suffix = "" if found.kind != "milestone" else "deadline"
    fallback = found.name or suffix or found.unit.replace("_", " ")
    return {
        "confidence": found.sure,
        "reason": "; ".join(found.why) + (f"; kind: {found.weak}" if found.weak else ""),
        "place": passage.place,
        "figure": text[found.start : found.end],
        "indicator": quantity.indicator or re.sub(r"\W+", "_", fallback.lower()),
        "label_en": quantity.label_en or f"{fallback} (write what is counted)",
        "label_zh": found.label or phrase[:LONGEST_QUOTE],
        "value": found.value,
        "value_high": found.high,
        "unit": found.unit,
        "bound": found.bound,
        "denominator": quantity.denominator or ("whole not read" if found.unit == "share" else ""),
        "base_year": found.year if found.kind == "stock" else math.nan,
        "target_year": found.year if found.kind != "stock" else math.nan,
        "scope": "city",
        "kind": found.kind,
        "restates": "",
        "follow_up": follow,
        "measured_by": measured,
        "follow_up_reason": "" if measured else _reason(found),
        "locator": passage.locator,
        "quote_zh": _quote(text, found),
        "suspect": found.suspect,
        "reading": "",
        "note": "",
    }


def _quantity(found: Found, text: str, first: int, last: int, words: Words) -> Quantity:
    """What the figure is of: a share first by what follows it (90%以上村), else by its clause, else
    its sentence.
    """
    if found.label:
        return words.quantity(found.label, found.unit)
    if found.unit != "share":
        return words.quantity(text[first:last], found.unit)
    wide, _ = clause_of(text, found.start, found.end, "。;!?")
    own_rate = "率" in text[first : found.start]
    parts = [text[found.start if found.weak == "coverage" else found.end : last], text[first:last]]
    if re.search("(?:率|占比|比例|比重)[^率比]{0,6}$", text[first : found.start]):
        parts = [text[first : found.start], *parts]
    if not own_rate:
        parts.append(text[wide:last])
    for part in parts:
        quantity = words.quantity(part, found.unit)
        if quantity.indicator:
            return quantity
    return Quantity()


def _measured(name: str, found: Found) -> str:
    """The quantity of the chain, where the row can be held against it: a sound promise with a year
    in reach.
    """
    if name.startswith("population_") != (found.kind == "stock") or found.value <= 0:
        return ""
    sound = not found.suspect or found.unit == "share"  # of a share only the bound may be lost
    in_reach = FIRST_PROMISE <= found.year <= LAST_PROMISE
    return name if found.kind in ("target", "stock") and in_reach and sound else ""


def _reason(found: Found) -> str:
    told = {
        "milestone": "date of a task, no quantity",
        "standard": "a rule, not a quantity to reach",
        "stock": "what is there already",
    }
    return told.get(found.kind, "needs reported progress")


def _quote(text: str, found: Found) -> str:
    """The clause of a figure, with the one before where it is short, cut to a length that is read
    at a glance.
    """
    first, last = clause_of(text, found.start, found.end)
    if found.start - first < 3 and first > 1 and text[first - 1] in ",:":
        first, _ = clause_of(text, first - 1, first - 1)
    first = max(first, found.start - LONGEST_QUOTE // 2)
    last = min(last, max(found.end + LONGEST_QUOTE // 2, found.end))
    return text[first:last].lstrip("],;:、…").rstrip("[,;:、…")


def _ledger(rows: list[dict], city_id: str, source_id: str) -> pd.DataFrame:
    """Rows with ids in tens, linked to the first that says the same."""
    first_said: dict[tuple, str] = {}
    for number, row in enumerate(rows, start=1):
        row["target_id"] = f"{city_id}_{10 * number:03d}"
        row["source_id"], row["decision"] = source_id, ""
        key = (row["indicator"], row["value"], row["unit"], row["measured_by"])
        named = row["label_en"].endswith(")") is False and row["kind"] == "target"
        if named and key in first_said and row["unit"] != "year":
            row["restates"] = first_said[key]
        elif named:
            first_said[key] = row["target_id"]
    return pd.DataFrame(rows, columns=DRAFT_COLUMNS)


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
