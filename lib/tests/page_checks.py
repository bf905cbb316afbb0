"""What a page of the site must be; each check gives a list of what is wrong, empty if nothing is."""

import functools
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page

WIDE, NARROW = 1280, 360
UPRIGHT, ACROSS = 688, 1016
CONTRAST, FIRST_ROWS = "color-contrast", 6
OWN = ("file:", "data:")
ANCESTORS_THAT_SCROLL = ".table-wrapper, .math-wrapper, figure a"
ON_SCREEN = "nav, footer, .mobile-header, .sidebar-drawer, .toc-drawer, .twin, .skip-to-content"


@functools.cache
def read(path: Path) -> BeautifulSoup:
    """A page, read once: no check may change it."""
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


@functools.cache
def places(path: Path) -> list[str]:
    return [tag["id"] for tag in read(path).find_all(id=True)]


def links_to_nowhere(path: Path) -> list[str]:
    """Links to a file that is not there, or to a place that the page does not have."""
    found = []
    for tag in read(path).find_all(["a", "img", "link"]):
        address = tag.get("href") or tag.get("src") or ""
        parts = urlsplit(address)
        if parts.scheme in ("http", "https", "data"):
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        place = unquote(parts.fragment)
        if not target.is_file() or (place and place not in places(target)):
            found.append(address)
    return found


def fetched_from_elsewhere(path: Path) -> list[str]:
    soup = read(path)
    fetched = [tag.get("src") or tag.get("href") for tag in soup.select("[src], link[href]")]
    return [address for address in fetched if re.match(r"(https?:)?//", address)]


def pictures_without_words(path: Path) -> list[str]:
    return [
        image["src"][:80]
        for image in read(path).find_all("img")
        if not image.get("alt", "").strip()
    ]


def unfolded_code(path: Path) -> list[str]:
    soup = read(path)
    code = soup.select(".cell_input pre")
    bare = [str(tag)[:80] for tag in code if not tag.find_parent("details")]
    return bare + [str(tag)[:80] for tag in soup.select("details[open]")]


def headings_out_of_order(path: Path) -> list[str]:
    """A page has one title, and no heading skips a rank."""
    soup = read(path)
    main = soup.select_one("[role=main]")
    ranks = [int(tag.name[1]) for tag in main.find_all(re.compile("^h[1-6]$"))]
    skipped = [
        f"h{below} after h{above}" for above, below in zip(ranks, ranks[1:]) if below > above + 1
    ]
    return (
        skipped
        if ranks.count(1) == 1 and ranks[0] == 1
        else [*skipped, f"titles: {ranks.count(1)}"]
    )


def tables_without_heads(path: Path) -> list[str]:
    """Tables whose heads do not say what they head, or that cannot be scrolled by keyboard."""
    found = []
    for table in read(path).find_all("table"):
        box = table.find_parent(class_="table-wrapper") or {}
        if not all(box.get(name) for name in ("tabindex", "role", "aria-label")):
            found.append(f"no box: {table.get_text(' ', strip=True)[:60]}")
        found += [f"no scope: {cell}" for cell in table.find_all("th") if not cell.get("scope")]
    return found


def formulas_left_as_text(path: Path) -> list[str]:
    texts = read(path).find_all(string=re.compile(r"\$[^$]*[\\^_][^$]*\$"))
    return [text.strip()[:80] for text in texts if not text.find_parent(["code", "pre", "script"])]


def names_twice(path: Path) -> list[str]:
    names = places(path)
    return sorted({name for name in names if names.count(name) > 1})


def chinese_not_marked(path: Path) -> list[str]:
    """Chinese words that a screen reader would take for the page's other language."""
    found = []
    for text in read(path).body.find_all(string=re.compile(r"[\u3400-\u9fff]")):
        marked = text.find_parent(lang=True)
        if not marked["lang"].startswith("zh") and not text.find_parent(["script", "math", "code"]):
            found.append(text.strip()[:40])
    return found


OF_A_FILE = (
    links_to_nowhere,
    fetched_from_elsewhere,
    pictures_without_words,
    unfolded_code,
    headings_out_of_order,
    tables_without_heads,
    formulas_left_as_text,
    names_twice,
    chinese_not_marked,
)


def in_browser(browser: Browser, path: Path) -> list[str]:
    """What goes wrong when a page is opened from disk on a wide and a narrow window, and printed."""
    found = []
    page = browser.new_page(viewport={"width": WIDE, "height": 900})
    page.on("console", lambda message: found.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: found.append(f"error: {error}"))
    page.on("requestfailed", lambda request: found.append(f"not found: {request.url}"))
    page.on(
        "request",
        lambda request: request.url.startswith(OWN) or found.append(f"asks: {request.url}"),
    )
    page.goto(path.as_uri())
    found += too_wide(page) + barriers(page, {"rules": {CONTRAST: {"enabled": False}}})
    page.set_viewport_size({"width": NARROW, "height": 800})
    found += too_wide(page) + barriers(page, {"runOnly": ["scrollable-region-focusable"]})
    page.emulate_media(media="print")
    shown = page.locator(f":is({ON_SCREEN}):visible").all_inner_texts()
    found += [f"printed: {text}" for text in shown] + cut_on_paper(page)
    page.emulate_media(media="screen")
    found += faint(page)
    page.close()
    return found


def too_wide(page: Page) -> list[str]:
    """Parts that reach beyond the window, other than within a box that scrolls by itself."""
    root = "document.documentElement"
    beyond = page.evaluate(f"{root}.scrollWidth - {root}.clientWidth")
    if beyond <= 0:
        return []
    parts = page.evaluate(
        "boxes => [...document.querySelectorAll('body *')]"
        ".filter(part => part.getBoundingClientRect().right > innerWidth + 1 && !part.closest(boxes))"
        ".map(part => part.outerHTML.slice(0, 80))",
        ANCESTORS_THAT_SCROLL,
    )
    return [f"{beyond} px too wide at {page.viewport_size['width']} px: {parts[:3]}"]


def cut_on_paper(page: Page) -> list[str]:
    """Tables wider than a sheet of A4 less its margins: upright, and across for those of many
    columns.
    """
    found = []
    for width, tables in ((UPRIGHT, "table:not(.wide)"), (ACROSS, "table.wide")):
        page.set_viewport_size({"width": width, "height": 900})
        found += page.evaluate(
            "([tables, width]) => [...document.querySelectorAll(tables)]"
            ".filter(table => table.getBoundingClientRect().right > width + 1)"
            ".map(table => `cut on paper: ${table.textContent.slice(0, 60)}`)",
            [tables, width],
        )
    return found


def faint(page: Page) -> list[str]:
    """Words that stand out too little; of a table only the first rows, for all are dressed alike."""
    further = f"tbody tr:nth-child(n + {FIRST_ROWS})"
    page.evaluate("rows => document.querySelectorAll(rows).forEach(row => row.remove())", further)
    return barriers(page, {"runOnly": [CONTRAST]})


def barriers(page: Page, options: dict | None = None) -> list[str]:
    """Serious and critical findings of axe-core."""
    # preload reads the style sheet by XMLHttpRequest, which a browser refuses a page from disk.
    result = Axe().run(
        page, options={"resultTypes": ["violations"], "preload": False, **(options or {})}
    )
    return [
        f"axe, {one['impact']}, {one['id']}: {one['nodes'][0]['html'][:100]} ({len(one['nodes'])})"
        for one in result.response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
