"""The lines of a document: text, web page, Word file or PDF, each line with its place."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from eldercare.documents.numerals import compact

KINDS = ".txt, .html, .htm, .docx, .pdf"
LEAST_CHARACTERS = 40
_ENDS = "。;:!?》)”"
# How headings and items begin: 一、 (一) 1. (1) 附件1.
_CHINESE = "[一二三四五六七八九十百]+"
HEAD = re.compile(rf"^({_CHINESE})[、.]|^(第{_CHINESE}[章篇部])")
PART = re.compile(rf"^\(({_CHINESE})\)[、.]?|^(第{_CHINESE}[节条])")
ITEM = re.compile(r"^(\d{1,2})(?:[.、](?=\D|20\d\d年)|\.(?=\d))")
SUB_ITEM = re.compile(r"^\((\d{1,2})\)[、.]?")
ANNEX = re.compile(r"^附(?:件|表)(\d*):?(?=$|[^.\d])")


@dataclass(frozen=True)
class Line:
    """A line of a document and where it stands, in a planner's words."""

    text: str
    place: str


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
    """A table of indicators as sentences, one a cell: its label, the year of its column, its figure
    with the unit.
    """
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
    """Lines in which the rows of a table of indicators, its cells parted by spaces, are told as
    sentences.
    """
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
    """Lines that a fixed width broke, joined again; a text whose lines are paragraphs stays as it
    is.
    """
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
    return any(head.match(text) for head in (HEAD, PART, SUB_ITEM, ANNEX)) or bool(
        re.match(r"^\d{1,2}[.、]\D", text)
    )


def document_text(path: Path) -> str:
    """The text of a document of any kind, a line a paragraph."""
    return "\n".join(line.text for line in document_lines(path))
