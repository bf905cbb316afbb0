"""A policy document as passages of text: each with its place, its heading and the year its heading names."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from eldercare.documents.numerals import compact

KINDS = ".txt, .html, .htm, .docx, .pdf"
LEAST_CHARACTERS = 40
_CHINESE = "[一二三四五六七八九十百]+"
_HEAD = re.compile(rf"^[\[【]?({_CHINESE})[、.]|^(第{_CHINESE}[章篇部])")
_PART = re.compile(rf"^\(({_CHINESE})\)[、.]?|^(第{_CHINESE}[节条])")
_ITEM = re.compile(r"^(\d{1,2})(?:[.、](?=\D|20\d\d年)|\.(?=\d))")
_SUB_ITEM = re.compile(r"^\((\d{1,2})\)[、.]?")
_ANNEX = re.compile(r"^附(?:件|表)(\d*):?(?=$|[^.\d])")
_NUMBER_ALONE = re.compile(r"^\d{1,3}$")
_ABOUT = re.compile(
    "网站标识码|公网安备|网安备|ICP备|版权所有|浏览|索引号|发布日期|发布时间|公开日期|成文日期|生成日期|信息来源|信息索引"
    "|发文字号|统一编号|主题分类|联系电话|邮编|^#"
)
_ENDS = "。;:!?》)”"


@dataclass(frozen=True)
class Line:
    """A line of a document and where it stands, in a planner's words."""

    text: str
    place: str


@dataclass(frozen=True)
class Passage:
    """A paragraph, compact, without its number.

    locator : the headings above it, as 三(一)2;  place : its line, page or paragraph in the file
    year    : the year that the heading of its part names (NaN if none);  section : counts the main parts
    goals   : whether its part is one of goals, whose paragraphs share the year named first
    body    : whether a main part has begun
    """

    text: str
    locator: str
    place: str
    year: float
    section: int
    goals: bool
    body: bool


def document_lines(path: Path) -> list[Line]:
    """The lines of a text, web page, Word document or PDF, blank ones left out.

    Raises : ValueError in a planner's words if the file cannot be read or holds no text (a scan)
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; name the document to be read")
    reader = {
        ".txt": _text_lines, ".html": _page_lines, ".htm": _page_lines,
        ".docx": _word_lines, ".pdf": _pdf_lines,
    }.get(path.suffix.lower())  # fmt: skip
    if reader is None:
        raise ValueError(f"{path.name} is no {KINDS}; save the document as one of these")
    lines = [line for line in reader(path) if line.text.strip()]
    if sum(len("".join(line.text.split())) for line in lines) < LEAST_CHARACTERS:
        raise ValueError(
            f"{path.name} holds no text (fewer than {LEAST_CHARACTERS} characters): it is a scan or empty. "
            "Find the document as web page or Word file, or have its text recognised (OCR) and save it as .txt"
        )
    return lines


def _decoded(path: Path) -> str:
    raw = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030", "utf-16"):
        if encoding == "utf-16" or not raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            try:
                return raw.decode(encoding)
            except UnicodeDecodeError:
                continue
    raise ValueError(f"{path.name}: its encoding is not known; save it as UTF-8")


def _numbered(texts: list[str], word: str) -> list[Line]:
    return [Line(text, f"{word} {number}") for number, text in enumerate(texts, start=1)]


def _text_lines(path: Path) -> list[Line]:
    return _unwrapped(_with_told_tables(_numbered(_decoded(path).splitlines(), "line")))


def _page_lines(path: Path) -> list[Line]:
    from bs4 import BeautifulSoup

    page = BeautifulSoup(_decoded(path), "html.parser")
    for part in page(["script", "style", "noscript", "nav", "header", "footer"]):
        part.decompose()
    for broken in page("br"):
        broken.replace_with("\n")
    for table in page("table"):
        rows = [
            [cell.get_text(" ", strip=True) for cell in row(["td", "th"])] for row in table("tr")
        ]
        if _years_of(rows):
            table.replace_with("\n" + "\n".join(_told_rows(rows)) + "\n")
    blocks = ["p", "div", "li", "td", "th", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "table"]
    for block in page(blocks):
        block.insert_before("\n")
        block.append("\n")
    return _numbered([text for text in page.get_text().splitlines() if text.strip()], "paragraph")


def _word_lines(path: Path) -> list[Line]:
    import zipfile

    from docx import Document
    from docx.opc.exceptions import PackageNotFoundError
    from docx.table import Table

    try:
        document = Document(str(path))
    except (PackageNotFoundError, zipfile.BadZipFile, KeyError):
        raise ValueError(f"{path.name} is no Word document (.docx); save it anew in Word") from None
    texts: list[str] = []
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            rows = [[cell.text.strip() for cell in row.cells] for row in block.rows]
            if _years_of(rows):
                texts += _told_rows(rows)
                continue
            for row in rows:
                texts += [line for cell in dict.fromkeys(row) for line in cell.splitlines()]
        else:
            texts += block.text.splitlines() or [""]
    return _numbered(texts, "paragraph")


def _years_of(rows: list[list[str]]) -> dict[int, str]:
    """The columns of a table of indicators that are of a year, by their place."""
    header = rows[0] if rows else []
    found = {at: re.search(r"20\d\d", cell) for at, cell in enumerate(header) if len(cell) < 20}
    return {at: match[0] for at, match in found.items() if match}


def _told_rows(rows: list[list[str]]) -> list[str]:
    """A table of indicators as sentences, one a cell: its label, the year of its column, its figure with the unit."""
    years, header, told = _years_of(rows), rows[0], []
    unit_at = next((at for at, cell in enumerate(header) if "单位" in cell), None)
    label_at = next(
        (at for at, cell in enumerate(header) if re.search("指标|名称|项目|内容", cell)), 0
    )
    last = max(years.values())
    for row in rows[1:]:
        if len(row) < len(header):
            continue
        label = re.sub(r"\s", "", row[label_at])
        within = re.search(r"[(（]([^()（）]{1,6})[)）]$", label)
        unit = row[unit_at] if unit_at is not None else ""
        unit = unit or (within[1] if within else "")
        label = label[: within.start()] if within and unit == within[1] else label
        for at, year in years.items():
            cell = re.sub(r"\s", "", row[at])
            if re.search(r"\d", cell):
                sign = (
                    unit
                    if re.fullmatch(r"[≥≤><＞＜约]?[\d.,]+", cell) and unit not in ("-", "—")
                    else ""
                )
                told.append(f"{'到' if year == last else '截至'}{year}年,{label}{cell}{sign}。")
    return told


_UNIT_CELL = re.compile(r"[%‰张个人户家岁所名处]|万[张人元]|人次|平方米|小时|分钟|张/千人|人/万人")
_NUMBER_CELL = re.compile(r"[≥≤><≧≦约]?\d[\d.,]*%?(?:以上|以下)?|[-—–/]")


def _with_told_tables(lines: list[Line]) -> list[Line]:
    """Lines in which the rows of a table of indicators, its cells parted by spaces, are told as sentences."""
    told: list[Line] = []
    header: list[str] = []
    for line in lines:
        cells = re.split(r"\s+", unicodedata.normalize("NFKC", line.text).strip())
        years = [cell for cell in cells if re.fullmatch(r"20\d\d年?(?:目标值?|实际值?)?", cell)]
        if years and any("指标" in cell for cell in cells):
            header = ["指标", "单位", *years]
            continue
        row = _cells_of_row(cells, len(header) - 2) if header else None
        if row is None:
            header = header if not line.text.strip() else []
            told.append(line)
            continue
        told += [Line(text, line.place) for text in _told_rows([header, row])]
    return told


def _cells_of_row(cells: list[str], years: int) -> list[str] | None:
    """Label, unit and the figures of the years; None if the line is no such row."""
    if len(cells) > 2 and re.fullmatch(r"\d{1,2}", cells[0]):
        cells = cells[1:]
    numbers = [cell for cell in cells[1:] if _NUMBER_CELL.fullmatch(cell)]
    unit = next((cell for cell in cells[1:] if _UNIT_CELL.fullmatch(cell)), "")
    if not re.match("[一-鿿]{3}", cells[0]) or not 0 < len(numbers) <= years:
        return None
    return [cells[0], unit, *["-"] * (years - len(numbers)), *numbers]


def _pdf_lines(path: Path) -> list[Line]:
    try:
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError
    except ImportError:
        raise ValueError(
            f"{path.name}: a PDF is read by the package pypdf, which is not installed; "
            "save the document as .docx or .txt, or run `make environment`"
        ) from None
    try:
        pages = [page.extract_text() or "" for page in PdfReader(str(path)).pages]
    except (PyPdfError, OSError, ValueError, KeyError):
        raise ValueError(
            f"{path.name} cannot be read as a PDF; it may be damaged or locked"
        ) from None
    lines = [
        Line(text, f"page {number}")
        for number, page in enumerate(pages, start=1)
        for text in page.splitlines()
        if not re.fullmatch(r"[-—\s\d/第页共]*", text)
    ]
    return _unwrapped(_with_told_tables(lines), always=True)


def _unwrapped(lines: list[Line], always: bool = False) -> list[Line]:
    """Lines that a fixed width broke, joined again; a text whose lines are paragraphs stays as it is."""
    filled = [line for line in lines if line.text.strip()]
    widths = sorted(len(line.text.strip()) for line in filled)
    if len(widths) < 8:
        return lines
    most = widths[int(0.9 * len(widths))]
    full = [line for line in filled if len(line.text.strip()) >= 0.85 * most]
    cut = [line for line in full if line.text.strip()[-1] not in _ENDS]
    if not always and not (
        most <= 60 and len(full) > 0.35 * len(filled) and len(cut) > 0.6 * len(full)
    ):
        return lines
    joined: list[Line] = []
    open_line = False
    for line in lines:
        text = line.text.strip()
        if open_line and text and not _starts_anew(compact(text)):
            joined[-1] = Line(joined[-1].text + text, joined[-1].place)
        elif text:
            joined.append(Line(text, line.place))
        open_line = len(text) >= 0.8 * most and not text.endswith(tuple("。;:!?"))
    return joined


def _starts_anew(text: str) -> bool:
    return any(head.match(text) for head in (_HEAD, _PART, _SUB_ITEM, _ANNEX)) or bool(
        re.match(r"^\d{1,2}[.、]\D", text)
    )


class _Outline:
    """The headings above the line that is read."""

    def __init__(self) -> None:
        self.head, self.part, self.item, self.annex, self.title = "", "", "", "", ""
        self.number, self.section = 0, 0
        self.year, self.goals, self.body, self.annex_lines = math.nan, False, False, 0

    def locator(self) -> str:
        if self.annex:
            return self.annex + (f"第{self.item}项" if self.item else self.head and f" {self.head}")
        if not self.head and not self.part:
            return "标题" if not self.body else "正文"
        if self.part or self.item:
            return (self.head or "") + (f"({self.part})" if self.part else "") + self.item
        return f"{self.head}、{self.title}" if self.title else self.head


def passages(lines: list[Line]) -> list[Passage]:
    """The paragraphs of a document in their order, each below its headings."""
    texts = [compact(line.text) for line in lines]
    outline, found = _Outline(), []
    for at, (line, text) in enumerate(zip(lines, texts)):
        if not text or (_ABOUT.search(text) and len(text) < 90):
            continue
        text = _enter(outline, text, texts, at)
        if text:
            found.append(
                Passage(
                    text, outline.locator(), line.place, outline.year, outline.section,
                    outline.goals, outline.body,
                )
            )  # fmt: skip
    return found


def _enter(outline: _Outline, text: str, texts: list[str], at: int) -> str:
    """Move the outline on by the line's heading; the text without its number, empty if nothing is left."""
    annex, head, part = _ANNEX.match(text), _HEAD.match(text), _PART.match(text)
    if annex and len(text) < 40 and not text.startswith("附件下载"):
        outline.annex, outline.head, outline.part, outline.item = f"附件{annex[1]}", "", "", ""
        outline.section, outline.annex_lines, outline.goals = outline.section + 1, 3, False
        outline.year = _year_of_title(text)
        return ""
    if outline.annex_lines:
        outline.annex_lines -= 1
        if len(text) < 60 and math.isnan(outline.year):
            outline.year = _year_of_title(text)
    if outline.annex and _NUMBER_ALONE.match(text):
        outline.item = text
        return ""
    if head:
        outline.head, outline.part, outline.item, outline.number = head[1] or head[2], "", "", 0
        text = text[head.end() :]
        outline.title = re.split(r"[\]】。:,]", text)[0][:16]
        outline.section, outline.body = outline.section + 1, True
        outline.goals = "目标" in outline.title or "指标" in outline.title
        return re.sub(rf"^{re.escape(outline.title)}[\]】]", "", text)
    if part:
        outline.part, outline.item, outline.number = part[1] or part[2], "", 0
        outline.section, outline.body = outline.section + 1, True
        outline.goals = "目标" in text[:20] or outline.goals and "目标" in outline.title
        return text[part.end() :]
    return _enter_item(outline, text, texts, at)


def _enter_item(outline: _Outline, text: str, texts: list[str], at: int) -> str:
    item, below = _ITEM.match(text), _SUB_ITEM.match(text)
    if item:
        number = int(item[1])
        sure = not text[item.end()].isdecimal() if len(text) > item.end() else False
        follows = number == outline.number + 1 and (
            number > 1 or any(later.startswith("2.") for later in texts[at + 1 : at + 40])
        )
        if sure or text[item.end() :].startswith("20") or follows:
            outline.number, outline.item = number, item[1]
            outline.section += not outline.goals
            return text[item.end() :]
    return text[below.end() :] if below else text


def _year_of_title(text: str) -> float:
    """The one year that a heading names; a period of years is none."""
    years = re.findall(r"(20\d\d)年", text)
    period = re.search(r"20\d\d年?[-至到]20\d\d", text)
    return float(years[0]) if len(set(years)) == 1 and not period else math.nan


def issue_year(lines: list[Line]) -> float:
    """The year in which a document was issued, from its number or the first full date; NaN if it has none."""
    texts = [compact(line.text) for line in lines]
    tries = (
        (r"^\D{0,8}(20\d\d)年\d{1,2}月\d{1,2}日\D{0,8}$", texts),
        (r"(?:发布|成文|印发|公开|posted)\D{0,6}(20\d\d)[-年]", texts[:60]),
        (r"[〔\[(【](20\d\d)[〕\])】]第?\d+号", texts[:12]),
        (r"(20\d\d)[-年]\d{1,2}[-月]\d{1,2}", texts[:60]),
        (r"(20\d\d)[-年]", texts[:30]),
    )
    for pattern, where in tries:
        for text in where:
            found = re.search(pattern, text)
            if found:
                return float(found[1])
    return math.nan


def about(lines: list[Line]) -> dict[str, str]:
    """Title, number and date of a document as its first lines print them, for its row of sources.csv; what is there."""
    texts = [compact(line.text) for line in lines[:60]]
    text = " ".join(texts)
    title = next(
        (
            one
            for one in texts
            if re.search("意见|方案|规划|办法|通知|计划|决定|措施|行动", one)
            and len(one) < 120
            and "。" not in one
        ),
        "",
    )
    # A number behind 《…》 is that of another document.
    number = re.search(
        r"(?<!《)[一-鿿]{1,6}[〔\[【(]20\d\d[〕\])】]第?\d+号",
        re.sub("《[^》]*》[(（]?[^)）]*", "《", text),
    )
    date = re.search(r"(20\d\d)[年-](\d{1,2})[月-](\d{1,2})", text)
    return {
        "title_zh": re.sub(r"\([^()]*(?:号|\d{4})[^()]*\)$", "", title),
        "document_number": number[0] if number else "",
        "issued_on": "-".join(part.zfill(2) for part in date.groups()) if date else "",
    }


_NO_PROMISE = (
    ("other_document", r"《[^》]*》|[一-鿿]{0,6}[〔【\[(]20\d\d[〕】\])]第?\d+号"),
    (
        "date_of_document",
        r"20\d\d年\d{1,2}月\d{1,2}日(?!前)|20\d\d-\d{1,2}-\d{1,2}(?: ?\d\d:\d\d(?::\d\d)?)?",
    ),
    ("telephone", r"\d{3,4}-\d{7,8}|(?<!\d)1\d{10}(?!\d)"),
    ("name", r"“?十[二三四五六]五”?(?=规划|时期)"),
)


def no_promises(lines: list[Line]) -> list[tuple[str, str]]:
    """Phrases whose numbers are surely no promise, and why: item numbers, dates, numbers and titles of documents."""
    found: dict[str, str] = {}
    for line in lines:
        text = compact(line.text)
        for head in (_HEAD, _PART, _ITEM, _SUB_ITEM):
            match = head.match(text)
            if match and not text[match.end() : match.end() + 1].isdecimal():
                found.setdefault(text[: match.end() + 4], "item_number")
        for reason, pattern in _NO_PROMISE:
            for match in re.finditer(pattern, text):
                if re.search(r"[\d一二三四五六七八九十]", match[0]):
                    found.setdefault(match[0], reason)
    return list(found.items())


def document_text(path: Path) -> str:
    """The text of a document of any kind, a line a paragraph."""
    return "\n".join(line.text for line in document_lines(path))
