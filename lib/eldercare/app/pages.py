"""A notebook or a report as the body of a page: formulas as MathML, tables to be read aloud, code folded."""

from __future__ import annotations

import base64
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import nbformat
from bs4 import BeautifulSoup, NavigableString, Tag
from latex2mathml.converter import convert
from markupsafe import Markup
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

TEMPLATES = Path(__file__).parent / "site_templates"
LANGUAGE_TAGS = {"en": "en", "zh": "zh-Hans"}
# Widgets and scripts of an output stay blank without a kernel, so the words beside them are taken.
SHOWN_KINDS = ["text/html", "text/markdown", "image/png", "text/plain"]
HAN = r"\u3400-\u9fff"
MARKS = r"\u3001-\u303f\uff01-\uff5e"
CHINESE = re.compile(rf"[{HAN}](?:[{HAN}{MARKS}\u2014\d.,%+ -]*[{HAN}{MARKS}])?")
NUMBER = re.compile(r"[-−+]?[\d,.]+(?: ?%)?|not available|")
UNMARKED = {"math", "script", "style", "title"}
RANGE = re.compile(
    r"\([-−]?[\d.,]+(?:\s?%)? to [-−]?[\d.,]+(?:\s?%)?\)|（[\d.%万亿]+—[\d.%万亿]+\w?）"
)
PER_CENT = re.compile(r"(?<=\d) (?=%)")
BOUND = {"pre", "code", *UNMARKED}
KEPT = {"rowspan", "colspan", "scope", "id"}
SHORT_LABEL, SHORT_KEY, WORDY_CELL, MANY_COLUMNS = 80, 6, 36, 7


@dataclass(frozen=True)
class Page:
    """One page: its body, what can be jumped to, and the pictures that it shows, by file name."""

    path: str
    title: str
    language: str
    body: str
    headings: list[tuple[str, str]]
    figures: list[tuple[str, str]]
    pictures: dict[str, bytes] = field(default_factory=dict, repr=False)


def notebook_page(
    book: nbformat.NotebookNode,
    path: str,
    words: dict[str, str],
    notebooks: dict[str, str],
    figures: dict[bytes, str],
) -> Page:
    """The page of an executed notebook.

    path      : of the page in the site; its stem is the notebook's
    notebooks : path of each notebook's page by the notebook's name without ending. Links lead there, and a
                table's cell that holds nothing but such a name becomes a link; a link to a file that the
                site does not have becomes plain words
    figures   : name of the figure by the bytes of its picture, to set its table of numbers beside it
    Raises    : ValueError if a code cell was never run, or if there is no title
    """
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    if any(cell.execution_count is None for cell in code):
        name = PurePosixPath(path).stem
        raise ValueError(f"{name}: a cell has not been run; make run first, then make site")
    pictures = _name_pictures(book, PurePosixPath(path).stem, figures)
    exporter = HTMLExporter(
        template_name="basic",
        template_file="notebook.html.j2",
        extra_template_paths=[str(TEMPLATES)],
        filters={"markdown2html": _markdown},
    )
    exporter.config.NbConvertBase.display_data_priority = SHOWN_KINDS
    html, _ = exporter.from_notebook_node(book, resources={"words": words})
    soup = BeautifulSoup(html, "html.parser")
    _mend_links(soup, notebooks)
    return _page(soup, path, "en", words, pictures)


def report_page(html: str, path: str, language: str, words: dict[str, str]) -> Page:
    """The page of a report: what stands in its `main`, or else in its `body`, without its own dress.

    Raises : ValueError if there is no title
    """
    soup = BeautifulSoup(html, "html.parser")
    inner = soup.main or soup.body or soup
    for tag in inner.find_all(["script", "style", "nav"]):
        tag.decompose()
    soup = BeautifulSoup(inner.decode_contents(), "html.parser")
    _mend_links(soup, {})
    return _page(soup, path, language, words, {})


def marked(text: str) -> Markup:
    """English text as HTML with its Chinese words marked, so that they are read aloud and set as Chinese."""
    return _in_spans(text, CHINESE, "lang", LANGUAGE_TAGS["zh"])


def _in_spans(text: str, pattern: re.Pattern, name: str, value: str) -> Markup:
    out, end = Markup(), 0
    for match in pattern.finditer(text):
        out += text[end : match.start()] + Markup('<span {}="{}">{}</span>').format(
            name, value, match[0]
        )
        end = match.end()
    return out + text[end:]


class _FormulaRenderer(IPythonRenderer):
    """Markdown whose formulas become MathML, which a browser sets without a script."""

    def inline_math(self, body: str) -> str:
        return convert(body)

    def block_math(self, body: str) -> str:
        return f'<span class="formula">{convert(body, display="block")}</span>'

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(rf"\begin{{{name}}}{body}\end{{{name}}}")


def _markdown(source: str) -> str:
    return MarkdownWithMath(
        renderer=_FormulaRenderer(escape=False, exclude_anchor_links=True)
    ).render(source)


def _mend_links(soup: BeautifulSoup, notebooks: dict[str, str]) -> None:
    for link in soup.find_all("a", href=True):
        target, _, place = str(link["href"]).partition("#")
        name = PurePosixPath(target).stem
        if target.endswith(".ipynb") and name in notebooks:
            link["href"] = notebooks[name] + (f"#{place}" if place else "")
        elif target and not re.match(r"https?:|mailto:|data:|figures/", target):
            link.unwrap()
    for cell in soup.find_all("td"):
        name = cell.get_text(strip=True)
        if name in notebooks and not cell.a:
            link = soup.new_tag("a", href=notebooks[name], string=name)
            cell.clear()
            cell.append(link)


def _name_pictures(book, stem: str, figures: dict[bytes, str]) -> dict[str, bytes]:
    """Give each picture of the outputs a file of its own, the figure's if it is one; returns the files."""
    pictures: dict[str, bytes] = {}
    for cell in book.cells:
        for output in cell.get("outputs", []):
            picture = base64.b64decode(output.get("data", {}).get("image/png", ""))
            if picture:
                name = figures.get(picture)
                output.metadata["picture"] = name or f"{stem}_{len(pictures) + 1}"
                output.metadata["has_table"] = name is not None
                pictures[output.metadata["picture"] + ".png"] = picture
    return pictures


def _page(soup: BeautifulSoup, path: str, language: str, words: dict[str, str], pictures) -> Page:
    if soup.h1 is None:
        raise ValueError(
            f"{PurePosixPath(path).stem}: there is no title, a line that begins with #"
        )
    for heading in soup.find_all("h1")[1:]:
        heading.name = "h2"
    headings = _name_headings(soup)
    for number, formula in enumerate(soup.select("span.formula"), 1):
        around = formula.parent
        if (
            around
            and around.name == "p"
            and around.get_text(strip=True) == formula.get_text(strip=True)
        ):
            around.unwrap()
        _make_region(formula, f"{words['formula']} {number}")
    for number, table in enumerate(soup.find_all("table"), 1):
        label = _label_of(table, f"{words['table']} {number}")
        _mend_table(table)
        _make_region(table.wrap(soup.new_tag("div", attrs={"class": "table"})), label)
    for number, image in enumerate(soup.find_all("img"), 1):
        (image.find_parent("figure") or image)["id"] = f"figure-{number}"
    images = enumerate(soup.find_all("img"), 1)
    figures = [(f"figure-{number}", str(image.get("alt", ""))) for number, image in images]
    _bind_numbers(soup)
    if language == "en":
        _mark_chinese(soup)
    title = soup.h1.get_text(" ", strip=True)
    return Page(path, title, language, str(soup), headings, figures, pictures)


def _name_headings(soup: BeautifulSoup) -> list[tuple[str, str]]:
    """Give each heading a place of its own to jump to; returns place and words of those below the title."""
    seen: Counter[str] = Counter()
    found = []
    for heading in soup.find_all(re.compile("^h[1-6]$")):
        words = heading.get_text(" ", strip=True)
        place = re.sub(r"\W+", "-", words.lower()).strip("-") or "part"
        seen[place] += 1
        if seen[place] > 1:
            place = f"{place}-{seen[place]}"
        heading["id"] = place
        if heading.name in ("h2", "h3"):
            found.append((place, words))
    return found


def _make_region(tag: Tag, label: str) -> None:
    """A part that may be wider than the page scrolls by itself, by keyboard as well, and says what it is."""
    tag.attrs |= {"tabindex": "0", "role": "region", "aria-label": label}


def _label_of(table: Tag, number: str) -> str:
    """What a table is called: its caption, or its number with the short line or the heading above it."""
    if table.caption:
        return table.caption.get_text(" ", strip=True)
    above = table.find_previous(["h1", "h2", "h3", "h4", "table", "p"])
    if above and "label" in above.get_attribute_list("class"):
        return f"{number}: {above.get_text(' ', strip=True)[:SHORT_LABEL]}"
    heading = table.find_previous(re.compile("^h[1-6]$"))
    return f"{number}: {heading.get_text(' ', strip=True)}" if heading else number


def _mend_table(table: Tag) -> None:
    for tag in [table, *table.find_all(True)]:
        if tag.name not in ("a", "span", "img"):
            tag.attrs = {name: value for name, value in tag.attrs.items() if name in KEPT}
    for style in (table.parent or table).find_all("style", recursive=False):
        style.decompose()
    if table.thead:
        _join_head(table.thead)
        _set_numbers_right(table, table.thead)
    if (
        max((len(row.find_all(["th", "td"])) for row in table.find_all("tr")), default=0)
        >= MANY_COLUMNS
    ):
        table["class"] = "wide"
    for cell in table.find_all("th"):
        if not cell.get_text(strip=True):
            cell.name = "td"
            continue
        side, span = ("col", "colspan") if cell.find_parent("thead") else ("row", "rowspan")
        cell["scope"] = cell.get("scope") or (
            f"{side}group" if int(str(cell.get(span, "1"))) > 1 else side
        )

    for cell in table.select("tbody > tr > *"):
        length = len(cell.get_text(strip=True))
        if length > WORDY_CELL and cell.name == "td":
            cell["class"] = "words"
        elif length > SHORT_KEY and cell.name == "th":
            cell["class"] = "key"


def _join_head(head: Tag) -> None:
    """pandas sets the names of the keys in a row of their own below the columns: one row says both."""
    rows = head.find_all("tr")
    cells = [row.find_all(["th", "td"]) for row in rows]
    if len(rows) != 2 or len(cells[0]) != len(cells[1]):
        return
    pairs = list(zip(*cells))
    if any(
        above.has_attr("colspan") or (above.get_text(strip=True) and below.get_text(strip=True))
        for above, below in pairs
    ):
        return
    for above, below in pairs:
        if not above.get_text(strip=True):
            above.replace_with(below)
    rows[1].decompose()


def _set_numbers_right(table: Tag, top: Tag) -> None:
    """Columns of bare numbers stand right; counted from the right, for keys that span rows stand left."""
    bodies = [row.find_all("td")[::-1] for row in table.select("tbody tr")]
    head = top.find_all("tr")[-1].find_all(["th", "td"])[::-1]
    for place in range(min((len(cells) for cells in bodies), default=0)):
        column = [cells[place] for cells in bodies]
        texts = [cell.get_text(strip=True) for cell in column]
        if any(texts) and all(NUMBER.fullmatch(text) for text in texts) and place < len(head):
            for cell in [head[place], *column]:
                cell["class"] = "number"


def _bind_numbers(soup: BeautifulSoup) -> None:
    """A range in brackets, and a number with its per cent sign, stay on one line."""
    for pattern, bind in (
        (PER_CENT, lambda text: [NavigableString(PER_CENT.sub("\u00a0", text))]),
        (RANGE, lambda text: _parsed(_in_spans(text, RANGE, "class", "whole"))),
    ):
        for text in soup.find_all(string=pattern):
            if not text.find_parent(BOUND):
                text.replace_with(*bind(text))


def _parsed(html: str) -> list:
    return BeautifulSoup(html, "html.parser").contents


def _mark_chinese(soup: BeautifulSoup) -> None:
    for text in soup.find_all(string=CHINESE):
        if text.find_parent(UNMARKED) or text.find_parent(lang=re.compile("^zh")):
            continue
        text.replace_with(*_parsed(marked(text)))
    for image in soup.find_all("img", alt=CHINESE):
        image["lang"] = LANGUAGE_TAGS["zh"]
