"""Checks a city's ledger of targets against the document that it was read from.

The documents are no part of the project; whoever holds them can hold every row of
`targets.csv` against the text: is it quoted right, read right, in order, and is none missing.
A phrase is looked for without regard to spacing, full-width forms and kinds of dash.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from eldercare.files import file_sha256
from eldercare.inputs.load import Project
from eldercare.inputs.reading import find_table, read_table
from eldercare.inputs.schema import EXCEPTIONS

FINDING_COLUMNS = ["target_id", "check", "finding"]
CONTEXT = 12

_DASHES = re.compile("[‐‑‒–—―−─━﹘~〜]")
_UNSEEN = re.compile("[\u200b-\u200f\u2060\ufeff]")
_GAP = r"[^\S\n]*"  # a line end parts two numbers: the cells of a table stand below each other
_NUMERALS = "〇零一二三四五六七八九十百千万亿两壹贰叁肆伍陆柒捌玖拾佰仟萬"
CHINESE = f"[{_NUMERALS}]+(?:点[〇零一二三四五六七八九]+)?"
# "1.2024年" is item 1, not a decimal; 1,200 and 1 200 are one number, 2018,100 are two.
DIGITS = r"(?:(?<!\d)\d{1,3}(?:[, ]\d{3})+(?![\d,])|\d+)(?:\.(?!\d{4}年)\d+)?"
_SIGNS = rf"(?:{_GAP}(?P<scale>[十百千]?[万亿]|[百千]|刻钟))?(?:{_GAP}(?P<per>%|‰|个?百分点))?"
_NO_ORDINAL = f"(?<![第{_NUMERALS}])"
_NO_SET_WORD = "(?!(?<=[统唯单同进])一|一(?:[定体般些批切律样旦贯致步]|方面|次性)|十[一二三四五]五)"
_TENTHS = "(?P<tenths>[一二两三四五六七八九1-9])成(?P<part>[半一二三四五六七八九]?)"
_NO_TENTHS = "(?![立为员果效熟本长功就品套都绩型因形])"  # 建成, 成立, 成员 count no tenths
_TOKEN = re.compile(
    rf"(?P<below>{CHINESE}){_GAP}分之{_GAP}(?P<above>{DIGITS}|{CHINESE})"
    rf"|{_TENTHS}{_NO_TENTHS}|(?P<half>过半数?|半数|一半)"
    rf"|(?:(?P<digits>{DIGITS})|{_NO_ORDINAL}{_NO_SET_WORD}(?P<chinese>{CHINESE})){_SIGNS}"
)
_UPPER_END = re.compile(rf"{_GAP}-+{_GAP}{DIGITS}{_SIGNS}")
_TO = re.compile(r"[年月日级岁%个家所张人户]*\s*(?:-+|至|到)\s*(?:\d{4}年)?")
_MEASURE = re.compile(
    rf"{_GAP}(?:职级|星级|分类|方面|阶段|同步|[个家所张级类次项条名户场人元岁年月季日星台站座处间辆倍天周])"
)
_NO_COUNT = re.compile(
    "一个(?!月|百分点)|(?<=每)[百千万]+(?![百千万])"
)  # "a", and the base of a ratio
_ALL = re.compile("(?<![平人户])均|都|所有|[全每各凡]|一律|一切|逐[一个户]|普遍|应.?应?尽.|愿.尽.")
_YEAR_END = re.compile("年[底末内]")
_PERIOD = re.compile("半年|[日天周月季年]")
_PERIODS = {"半年": 2, "日": 365, "天": 365, "周": 52, "月": 12, "季": 4, "年": 1}
_SCALES = {"十": 10, "百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000}
_PER = {"%": 0.01, "‰": 0.001, "百分点": 0.01, "个百分点": 0.01}
_FIGURES = {
    "〇": 0,
    "零": 0,
    "两": 2,
    **{sign: n for n, sign in enumerate("一二三四五六七八九", 1)},
}
_FORMAL = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟萬", "一二三四五六七八九十百千万")


@dataclass(frozen=True)
class PrintedNumber:
    """A number as a phrase prints it.

    value    : in base units: 1.38万 is 13800, 25% is 0.25, a word like 所有 is 1
    high     : the upper end where it begins a range, else None
    is_share : whether it is a part of a whole (%, ‰, 分之, a word of full coverage)
    follows  : the two characters after it, which tell what it counts
    text, start, end : what is printed, and where in the phrase
    """

    value: float
    high: float | None
    is_share: bool
    follows: str
    text: str
    start: int
    end: int


def fold(text: str) -> str:
    """The text in half-width forms with one kind of dash and of line end; ㎡ and m² are 平方米."""
    plain = re.sub("㎡|m²|平米", "平方米", text)
    folded = _DASHES.sub("-", unicodedata.normalize("NFKC", plain))
    return _UNSEEN.sub("", folded.replace("\r\n", "\n"))


def normalise(text: str) -> str:
    """The text without white space, in half-width forms and with one kind of dash."""
    return "".join(fold(text).split())


def printed_numbers(phrase: str) -> list[PrintedNumber]:
    """The numbers that a Chinese phrase says, in the order in which they are printed.

    Arabic and Chinese numerals alike. A range gives its lower end (with `high`) and its upper end.
    Words of full coverage count as the share 1, 八成 as 0.8, 过半 as 0.5. Ordinals (第三方) and set words
    (统一) do not count. A comma before three digits sets thousands apart (1,200), any other ends a
    number.
    """
    text = fold(phrase)
    numbers = [_number(match, text) for match in _TOKEN.finditer(text)]
    for index, (low, high) in enumerate(zip(numbers, numbers[1:])):
        if _TO.fullmatch(text[low.end : high.start]) and low.value < high.value:
            numbers[index] = replace(
                low, high=high.value if low.is_share == high.is_share else None
            )
    numbers += [_said(match, 1.0, is_share=True) for match in _ALL.finditer(text)]
    return sorted(numbers, key=lambda number: number.start)


def _number(match: re.Match, text: str) -> PrintedNumber:
    if match["tenths"] or match["half"]:
        return _said(match, tenths(match["tenths"], match["part"]), is_share=True)
    numeral, base = match["above"] or match["digits"] or match["chinese"], match["below"] or "一"
    signs = match
    if match["digits"] and not match["scale"] and not match["per"]:
        # In 5-10万 and 50-60% the sign stands once for both ends.
        signs = _UPPER_END.match(text, match.end()) or match
    value = plain_value(numeral) / (plain_value(base) or 1) * _PER.get(signs["per"], 1)
    if signs["scale"] == "刻钟":
        value *= 15
    else:
        value *= math.prod(_SCALES[word] for word in signs["scale"] or "")
    follows = text[signs.end() :].lstrip()[:2]
    return _said(match, value, is_share=bool(match["below"] or signs["per"]), follows=follows)


def _said(
    match: re.Match, value: float, is_share: bool = False, follows: str = ""
) -> PrintedNumber:
    return PrintedNumber(value, None, is_share, follows, match[0], *match.span())


def tenths(whole: str | None, part: str | None) -> float:
    """八成 is 0.8, 八成五 and 八成半 are 0.85; without a word (半数, 过半, 一半) it is a half."""
    if not whole:
        return 0.5
    more = 0.05 if part == "半" else plain_value(part) / 100 if part else 0
    return plain_value(whole) / 10 + more


def plain_value(numeral: str) -> float:
    """The number that digits (with or without thousands set apart) or Chinese numerals say."""
    if numeral[0].isdecimal():
        return float(re.sub("[, ]", "", numeral))
    numeral, point, decimals = numeral.translate(_FORMAL).partition("点")
    if point:
        digits = "".join(str(_FIGURES[sign]) for sign in decimals)
        return plain_value(numeral) + float(f"0.{digits}")
    if all(sign in _FIGURES for sign in numeral):
        return float("".join(str(_FIGURES[sign]) for sign in numeral))
    total, section, figure = 0, 0, None
    for sign in numeral:
        if sign in _FIGURES:
            figure = _FIGURES[sign]
        elif sign in "万亿":
            total = (total + section + (figure or 0) or 1) * _SCALES[sign]
            section, figure = 0, None
        else:
            section += (figure or 1) * _SCALES[sign]
            figure = None
    return float(total + section + (figure or 0))


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-9 * max(1.0, abs(one), abs(other))


def _readings(phrase: str, unit: str, suspect: bool) -> list[PrintedNumber]:
    """The numbers of the phrase that a row of that unit may take as its value."""
    text, numbers = fold(phrase), printed_numbers(phrase)
    plain = [number for number in numbers if not number.is_share]
    if suspect:
        return numbers + _run_together(text)
    if unit == "share":
        return [number for number in numbers if number.is_share]
    if unit == "month":
        months = [number for number in plain if number.follows.startswith(("月", "个月"))]
        return months + [_said(match, 12.0) for match in _YEAR_END.finditer(text)]
    if unit == "times_per_year":
        once = [_said(match, float(_PERIODS[match[0]])) for match in _PERIOD.finditer(text)]
        times = [
            replace(number, value=number.value * each.value) for each in once for number in plain
        ]
        return once + times if once else plain
    return numbers if unit == "ratio" else plain


def _run_together(text: str) -> list[PrintedNumber]:
    """Years, and months and days after the first year, in dates that lost their signs, as 20177月."""
    return [
        _said(run, float(run[0][at : at + size]))
        for run in re.finditer(r"\d{5,}", text)
        for size in (1, 2, 4)
        for at in range(0 if size == 4 else 4, len(run[0]) - size + 1)
    ]


def _matching(phrase: str, value: float, unit: str, suspect: bool) -> list[PrintedNumber]:
    return [
        number for number in _readings(phrase, unit, suspect) if math.isclose(number.value, value)
    ]


def _value_findings(value: float, high: float, unit: str, phrase: str, suspect: bool) -> list[str]:
    if math.isnan(value):
        return [f"value is empty; “{phrase}” must give a number, or the row goes"]
    printed = sorted({number.value for number in _readings(phrase, unit, suspect)})[:8]
    said = " or ".join(f"{number:.10g}" for number in printed) or f"no number for the unit {unit}"
    matching = _matching(phrase, value, unit, suspect)
    if not matching:
        return [f"value is {value:.10g}, but “{phrase}” says {said}"]
    if math.isnan(high):
        ends = [number.high for number in matching]
        if None not in ends:
            return [f"value_high is empty, but “{phrase}” gives a range up to {ends[0]:.10g}"]
    elif high <= value:
        return [f"value_high is {high:.10g}; it must be above the value {value:.10g}"]
    elif not _matching(phrase, high, unit, suspect):
        return [f"value_high is {high:.10g}, but “{phrase}” says {said}"]
    return []


def _occurrences(phrase: str, text: str, cut_numbers: bool = False) -> list[tuple[int, int]]:
    """Start and end of each place of the folded text where the phrase stands, however spaced.

    A phrase that would begin or end inside a number does not stand there, unless `cut_numbers`.
    """
    # Spacing is free, but 1 00 is not 100: between two digits it stays as the phrase has it.
    signs = re.sub(r"(?<!\d) | (?!\d)", "", " ".join(fold(phrase).split()))
    if not signs:
        return []
    pieces = re.findall(r"[\d ]+|[^\d ]", signs)
    pattern = r"\s*".join(re.escape(piece).replace(r"\ ", r"\s+") for piece in pieces)
    if not cut_numbers:
        before = r"(?<!\d)(?<!\d\.)" if signs[0].isdecimal() else ""
        after = r"(?!\d|\.\d)" if signs[-1].isdecimal() else ""
        pattern = f"{before}{pattern}{after}"
    return [match.span(1) for match in re.finditer(f"(?=({pattern}))", text)]


def _document_numbers(text: str) -> list[tuple[int, int]]:
    """Start and end of each number of a folded document that must be in a row or an exception."""
    places = []
    for match in _TOKEN.finditer(text):
        if match["below"] or match["tenths"] or match["half"]:
            places.append(match.span())
        elif match["digits"]:
            places.append(match.span("digits"))
        elif (
            match["scale"] or match["per"] or _MEASURE.match(text, match.end())
        ) and not _NO_COUNT.match(text, match.start()):
            places.append(match.span("chinese"))
    return places


def _out_of_order(places: list[list[tuple[int, int]]]) -> list[int]:
    """Rows left over when as many rows as possible stand in the order of the document.

    Rows whose quotes overlap speak of one phrase and may come in either order.
    """
    steps = [(row, start, end) for row, spans in enumerate(places) for start, end in spans]
    length: list[int] = []
    before: list[int | None] = []
    for index, (row, _, end) in enumerate(steps):
        earlier = [
            other for other in range(index) if steps[other][0] < row and steps[other][1] < end
        ]
        best = max(earlier, key=lambda other: length[other], default=None)
        length.append(1 + (length[best] if best is not None else 0))
        before.append(best)
    in_order = set()
    step = max(range(len(steps)), key=lambda index: length[index], default=None)
    while step is not None:
        in_order.add(steps[step][0])
        step = before[step]
    return [row for row, spans in enumerate(places) if spans and row not in in_order]


def _hidden(figures: list[tuple[str, list[int]]], spans: list[tuple[int, int]]) -> list[str]:
    """Rows whose figure lies wholly within an exception, so that their loss would not be seen."""
    return [
        target_id
        for target_id, starts in figures
        if starts and all(any(first <= at < last for first, last in spans) for at in starts)
    ]


def _place(text: str, start: int, end: int) -> str:
    line = text.count("\n", 0, start) + 1
    before = "".join(text[:start].split()[-CONTEXT:])[-CONTEXT:]
    after = "".join(text[end : end + 20 * CONTEXT].split())[:CONTEXT]
    return f"line {line}, “…{before}[{''.join(text[start:end].split())}]{after}…”"


def _exception_findings(
    phrases, figures, text: str, covered: list[tuple[int, int]]
) -> list[tuple[str, str, str]]:
    """Exceptions that do not stand in the document or hide a row; their places are added to
    `covered`.
    """
    findings = []
    for phrase in phrases:
        found = _occurrences(phrase, text)
        covered += found
        if not found:
            findings.append(("", "exception", f"“{phrase}” does not stand in the document"))
        for target_id in dict.fromkeys(_hidden(figures, found)):
            shown = " ".join(phrase.split())
            problem = f"the exception “{shown}” holds this row's figure; shorten it, or drop row or exception"
            findings.append((target_id, "exception", problem))
    return findings


def verify_targets(targets: pd.DataFrame, exceptions: pd.DataFrame, text: str) -> pd.DataFrame:
    """Hold a ledger against the text of its document.

    targets    : rows of targets.csv in their order
    exceptions : rows of exceptions.csv: phrases whose numbers are no promise
    text       : the document
    Returns    : one row a finding: target_id (empty for the document's own numbers), check
                 (quote, value, order, exception or number), finding; no rows where all is well
    """
    text = fold(text)
    numbers = _document_numbers(text)
    number_starts = {start for start, _ in numbers}
    values, highs = (pd.to_numeric(targets[name]) for name in ("value", "value_high"))
    suspects = targets["suspect"].fillna("") != ""
    findings, places, figures = [], [], []
    rows = zip(targets["target_id"], targets["quote_zh"], targets["unit"], values, highs, suspects)
    for target_id, quote, unit, value, high, suspect in rows:
        places.append(_occurrences(quote, text, cut_numbers=suspect))
        if not places[-1]:
            findings.append((target_id, "quote", f"“{quote}” does not stand in the document"))
        problems = _value_findings(value, high, unit, quote, suspect)
        findings += [(target_id, "value", problem) for problem in problems]
        figures += [
            (target_id, [start + n.start for n in readings if start + n.start in number_starts])
            for start, end in places[-1]
            for readings in [_matching(text[start:end], value, unit, suspect)]
        ]
    for row in _out_of_order(places):
        problem = f"stands out of order: {_place(text, *places[row][0])}"
        findings.append((targets["target_id"].iloc[row], "order", problem))
    covered = [span for spans in places for span in spans]
    findings += _exception_findings(exceptions["phrase"], figures, text, covered)
    for start, end in numbers:
        if not any(first <= start and end <= last for first, last in covered):
            problem = f"stands in no row and no exception: {_place(text, start, end)}"
            findings.append(("", "number", problem))
    return pd.DataFrame(findings, columns=FINDING_COLUMNS, dtype=object)


def _utf_8_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no UTF-8 text; save it as UTF-8") from None


def verify_city(
    project: Project,
    city_id: str,
    documents: Path,
    text_of: Callable[[Path], str] = _utf_8_text,
    more: Callable[[pd.DataFrame, str], list[tuple[str, str, str]]] = lambda targets, text: [],
) -> pd.DataFrame:
    """Hold a city's ledger against its document, found in a folder by the sha256 of sources.csv.

    documents : folder with the documents, under any names
    text_of   : reads a document;  more : further checks of rows against the text
    Returns   : findings as of `verify_targets`; a document that is not there is a finding too
    """
    city = project.city(city_id)
    if not Path(documents).is_dir():
        raise FileNotFoundError(f"no folder {documents}; name the folder that holds the documents")
    files = {
        file_sha256(path): path for path in sorted(Path(documents).iterdir()) if path.is_file()
    }
    path = project.root / "data" / "cities" / city_id / "exceptions.csv"
    exceptions = pd.DataFrame({"phrase": []})
    if find_table(path):
        exceptions = read_table(
            path, EXCEPTIONS, f"cities/{city_id}/exceptions.csv", may_be_empty=True
        )
    findings = [pd.DataFrame(columns=FINDING_COLUMNS, dtype=object)]
    for source_id, rows in city.targets.groupby("source_id", sort=False):
        source = project.sources.set_index("source_id").loc[source_id]
        document = files.get(source["sha256"].lower())
        if document is None:
            problem = (
                f"no file of {documents} is the document {source_id}, {source['title_zh']}: its sha256 is "
                f"{source['sha256'] or 'not given in sources.csv'} (saving a file anew can change it)"
            )
            findings.append(pd.DataFrame([("", "document", problem)], columns=FINDING_COLUMNS))
        else:
            text = text_of(document)
            findings.append(verify_targets(rows, exceptions, text))
            found = more(rows, text)
            findings.append(pd.DataFrame(found, columns=FINDING_COLUMNS, dtype=object))
    return pd.concat(findings, ignore_index=True)


def verify_all(
    project: Project,
    documents: Path,
    text_of: Callable[[Path], str] = _utf_8_text,
    more: Callable[[pd.DataFrame, str], list[tuple[str, str, str]]] = lambda targets, text: [],
) -> pd.DataFrame:
    """Findings of all cities that have targets, as of `verify_city`, with the city_id in front."""
    columns = ["city_id", *FINDING_COLUMNS]
    tables = [
        verify_city(project, name, documents, text_of, more).assign(city_id=name)
        for name in sorted(project.cities)
    ]
    return pd.concat([pd.DataFrame(columns=columns, dtype=object), *tables], ignore_index=True)
