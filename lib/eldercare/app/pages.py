"""What pages need that Sphinx does not do: tables to be read aloud, Chinese words marked, reports
as its source.
"""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, NavigableString, Tag

HAN, MARKS = r"\u3400-\u9fff", r"\u3001-\u303f\uff01-\uff5e"
OTHER_WORDS = {
    "en": re.compile(rf"[{HAN}](?:[{HAN}{MARKS}\u2014\d.,%+ -]*[{HAN}{MARKS}])?"),
    "zh-Hans": re.compile(r"[A-Za-z]+(?:[ ,\u2019'-]+[A-Za-z]+)+[.?]?"),
}
RANGE = re.compile(
    r"\([-−]?[\d.,]+(?:\s?%)? to [-−]?[\d.,]+(?:\s?%)?\)|（[\d.%万亿]+—[\d.%万亿]+\w?）"
    r"|[-−]?\d[\d.,]* %"
)
NUMBER = re.compile(r"[-−+]?[\d,.]+(?:\s?%)?|not available|")
UNMARKED = ["math", "script", "style", "title", "svg"]
MANY_COLUMNS = 7


def report_source(html: str) -> str:
    """A report as Markdown: its headings as headings, all between them as it is, without its own
    dress.
    """
    soup = BeautifulSoup(html, "html.parser")
    inner = soup.main or soup.body
    for tag in inner.find_all(["script", "style"]):
        tag.decompose()
    parts = []
    for tag in inner.find_all(True, recursive=False):
        if re.fullmatch("h[1-6]", tag.name):
            parts.append(f"{'#' * int(tag.name[1])} {tag.get_text(' ', strip=True)}")
        else:
            parts.append(f"```{{raw}} html\n{str(tag).replace('</t', ' </t')}\n```")
    return "\n\n".join(parts)


def finished(html: str, notebooks: list[str]) -> str:
    """A page with what a reader who hears it or looks at it on a phone needs besides.

    notebooks : a table's cell that holds nothing but such a name leads to the notebook's page
    """
    soup = BeautifulSoup(html, "html.parser")
    own = soup.html["lang"]
    table_name, formula_name = ("Table", "Formula") if own == "en" else ("表", "公式")
    for title in soup.find_all("h1")[1:]:
        title.name = "h2"
    for caption in soup.select("p.caption[role]"):
        del caption["role"]
    for number, table in enumerate(soup.find_all("table"), 1):
        _mend_table(table)
        box = table.find_parent(class_="table-wrapper") or table.wrap(
            soup.new_tag("div", attrs={"class": "table-wrapper"})
        )
        heading = table.caption or table.find_previous(re.compile("^h[1-6]$"))
        _make_region(box, f"{table_name} {number}: {heading.get_text(' ', strip=True)}")
        for cell in table.find_all("td", string=notebooks):
            cell.string.wrap(soup.new_tag("a", href=f"{cell.string}.html"))
    for number, formula in enumerate(soup.select(".math-wrapper"), 1):
        _make_region(formula, f"{formula_name} {number}")
    _wrap(soup, RANGE, "class", "whole")
    _wrap(soup, OTHER_WORDS[own], "lang", "zh-Hans" if own == "en" else "en")
    return str(soup)


def _make_region(tag: Tag, label: str) -> None:
    """A part that may be wider than the page scrolls by itself, by keyboard as well, and says what
    it is.
    """
    tag.attrs |= {"tabindex": "0", "role": "region", "aria-label": label}


def _mend_table(table: Tag) -> None:
    """Heads say what they head, columns of numbers stand right, a table of many columns is printed
    across.
    """
    for tag in [table, *table.find_all(["tr", "th", "td"])]:
        for name in ("border", "style", "valign"):
            tag.attrs.pop(name, None)
    rows = [row.find_all(["th", "td"]) for row in table.find_all("tr")]
    if max(map(len, rows)) >= MANY_COLUMNS:
        table["class"] = [*table.get("class", []), "wide"]
    for cell in table.find_all("th"):
        if not cell.get_text(strip=True):
            cell.name = "td"
        else:
            side, span = ("col", "colspan") if cell.find_parent("thead") else ("row", "rowspan")
            cell["scope"] = f"{side}group" if int(cell.get(span, 1)) > 1 else side
    # Counted from the right, for heads that span rows stand left.
    columns = zip(*(row[::-1] for row in rows if row and row[-1].find_parent("tbody")))
    for place, column in enumerate(columns):
        texts = [cell.get_text(strip=True) for cell in column]
        if any(texts) and all(map(NUMBER.fullmatch, texts)):
            for cell in [*column, *(row[::-1][place] for row in rows if len(row) > place)]:
                cell["class"] = "number"


def _wrap(soup: BeautifulSoup, pattern: re.Pattern, name: str, value: str) -> None:
    """Set what a pattern finds in the words of a page into a span of its own."""
    for text in soup.html.find_all(string=pattern):
        if type(text) is not NavigableString:  # a comment
            continue
        if text.find_parent([*UNMARKED, "pre", "code"] if name == "class" else UNMARKED):
            continue
        if name == "lang" and text.find_parent(lang=True)["lang"] == value:
            continue
        parts, end = [], 0
        for match in pattern.finditer(text):
            span = soup.new_tag("span", attrs={name: value}, string=match[0])
            parts += [text[end : match.start()], span]
            end = match.end()
        text.replace_with(*filter(None, [*parts, text[end:]]))
