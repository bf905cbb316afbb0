"""The shelf: all notebooks and reports as pages that open from disk, with neither network nor server."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import nbformat
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from eldercare.app.pages import LANGUAGE_TAGS, TEMPLATES, Page, marked, notebook_page, report_page
from eldercare.inputs.load import City, Project
from eldercare.reporting.charts import FONT, write_whole

GENERATOR = "eldercare"
HOME = {"en": "index.html", "zh": "index.zh.html"}
OTHER = {"en": "zh", "zh": "en"}
REPORT_KINDS = ("html", "docx", "xlsx")
PROMISES = "00_promises"
PREFIX = "site_"


@dataclass(frozen=True)
class _Shelf:
    """What all pages share: the words of both languages, the notebooks' pages and the reports' files."""

    project: Project
    words: dict[str, dict[str, str]]
    notebooks: list[Page]
    reports: dict[str, Path]
    report_pages: list[Page]
    environment: Environment


def build_site(project: Project, output: Path, reports: Path | None = None) -> Path:
    """Build the site from the executed notebooks into a folder, whole or not at all; returns its first page.

    output  : a new or empty folder, or one that holds such a site, which is replaced
    reports : folder with the reports, `<city_id>_<language>.html`, `.docx` and `.xlsx`; without it the
              site says that there are none
    Raises  : ValueError if a notebook was not executed; OSError if the folder cannot be written or holds
              something else
    """
    output = Path(output).resolve()
    check_output(output)
    shelf = _read_shelf(project, reports)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".site-", dir=output.parent) as beside:
            fresh, old = Path(beside) / "site", Path(beside) / "old"
            _write_shelf(shelf, fresh)
            _swap(fresh, output, old)
    except OSError as error:
        raise OSError(
            f"the site cannot be written to {output}: {error.strerror or error}"
        ) from error
    return output / HOME["en"]


def _swap(fresh: Path, output: Path, old: Path) -> None:
    """Put the fresh site in the place of the older one; whatever happens, one of the two stands there."""
    if output.exists():
        os.replace(output, old)
    try:
        os.replace(fresh, output)
    except BaseException:
        if old.exists():
            os.replace(old, output)
        raise


def check_output(output: Path) -> None:
    """Only an empty folder or an older site is replaced, never anybody's files.

    Raises : OSError that says what stands in the way
    """
    if not output.exists():
        return
    if not output.is_dir():
        raise OSError(f"the site cannot be written to {output}: it is a file, not a folder")
    first = output / HOME["en"]
    mark = f'name="generator" content="{GENERATOR}"'
    ours = first.is_file() and mark in first.read_text("utf-8", errors="replace")
    if any(output.iterdir()) and not ours:
        raise OSError(
            f"{output} holds files that are no site of this project; name a new or an empty folder"
        )


def _read_shelf(project: Project, reports: Path | None) -> _Shelf:
    words = {language: _words(project, language) for language in HOME}
    figures = {path.read_bytes(): path.stem for path in (project.root / "figures").glob("*.png")}
    books = {path.stem: path for path in sorted((project.root / "notebooks").glob("*.ipynb"))}
    paths = {name: f"{name}.html" for name in books}
    notebooks = [
        notebook_page(nbformat.read(book, as_version=4), paths[name], words["en"], paths, figures)
        for name, book in books.items()
    ]
    files = (
        {path.name: path for path in sorted(reports.iterdir()) if path.is_file()} if reports else {}
    )
    named = {
        name: path
        for name, path in files.items()
        if any(
            name == _report_name(city, language, kind)
            for city in project.cities
            for language in HOME
            for kind in REPORT_KINDS
        )
    }
    pages = [
        report_page(path.read_text("utf-8"), f"reports/{name}", language, words[language])
        for name, path in named.items()
        for language in HOME
        if name.endswith(f"_{language}.html")
    ]
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html", "html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["marked"] = marked
    return _Shelf(project, words, notebooks, named, pages, environment)


def _words(project: Project, language: str) -> dict[str, str]:
    """The words of the site in a language, by their name without the prefix."""
    rows = project.phrases[project.phrases["phrase_id"].str.startswith(PREFIX)]
    return dict(zip(rows["phrase_id"].str.removeprefix(PREFIX), rows[language]))


def _report_name(city_id: str, language: str, kind: str) -> str:
    return f"{city_id}_{language}.{kind}"


def _write_shelf(shelf: _Shelf, folder: Path) -> None:
    for part in ("", "figures", "reports"):
        (folder / part).mkdir()
    for language in HOME:
        _write(folder, HOME[language], _index_html(shelf, language))
    for page in [*shelf.notebooks, *shelf.report_pages]:
        _write(folder, page.path, _page_html(shelf, page))
        for name, picture in page.pictures.items():
            write_whole(folder / "figures" / name, picture)
            table = (shelf.project.root / "figures" / name).with_suffix(".csv")
            if table.is_file():
                shutil.copyfile(table, folder / "figures" / table.name)
    for name, path in shelf.reports.items():
        if path.suffix != ".html":
            shutil.copyfile(path, folder / "reports" / name)
    shutil.copyfile(TEMPLATES / "style.css", folder / "style.css")
    shutil.copytree(FONT.parent, folder / "fonts")


def _write(folder: Path, name: str, html: str) -> None:
    write_whole(folder / name, html.encode())


def _shell(shelf: _Shelf, language: str, up: str = "") -> dict:
    """What the frame of a page needs; `up` leads from the page's folder to the site's."""
    other = OTHER[language]
    return {
        "words": shelf.words[language],
        "tag": LANGUAGE_TAGS[language],
        "other_tag": LANGUAGE_TAGS[other],
        "home": HOME[language],
        "other_page": HOME[other],
        "generator": GENERATOR,
        "up": up,
    }


def _page_html(shelf: _Shelf, page: Page) -> str:
    up = "../" * page.path.count("/")
    row = shelf.notebooks if page in shelf.notebooks else []
    place = row.index(page) if row else 0
    shell = _shell(shelf, page.language, up)
    twin = page.path.replace(f"_{page.language}.html", f"_{OTHER[page.language]}.html")
    if twin in {one.path for one in shelf.report_pages}:
        shell["other_page"] = twin
    return shelf.environment.get_template("page.html.j2").render(
        **shell,
        page=page,
        notebooks=shelf.notebooks,
        previous=row[place - 1] if place else None,
        next=row[place + 1] if place + 1 < len(row) else None,
    )


def _index_html(shelf: _Shelf, language: str) -> str:
    words = shelf.words[language]
    lines = [(page, words.get(f"notebook_{Path(page.path).stem}")) for page in shelf.notebooks]
    names = {name for page in shelf.notebooks for name in page.pictures}
    promises = {
        "picture": f"figures/{PROMISES}.png",
        "table": f"figures/{PROMISES}.csv",
        "alt": words["promises_alt"],
    }
    return shelf.environment.get_template("index.html.j2").render(
        **_shell(shelf, language),
        notebooks=lines,
        entries=_entries(shelf),
        promises=promises if f"{PROMISES}.png" in names else None,
        reports=_report_rows(shelf, language),
    )


def _entries(shelf: _Shelf) -> list[dict[str, str]]:
    """All headings and figures of all pages, to be searched from the first page."""
    return [
        {
            "href": f"{page.path}#{place}",
            "page": page.title,
            "text": text,
            "tag": LANGUAGE_TAGS[page.language],
        }
        for page in [*shelf.notebooks, *shelf.report_pages]
        for place, text in [*page.headings, *page.figures]
    ]


def _report_rows(shelf: _Shelf, language: str) -> list[dict]:
    """One row a city with a report: its names, and the links in each language."""
    rows = []
    for city in shelf.project.cities.values():
        links = [_report_links(shelf, city, written, language) for written in HOME]
        if any(links):
            names = {"en": city.name_en, "zh": city.name_zh}
            rows.append(
                {
                    "name": names[language],
                    "other_name": names[OTHER[language]],
                    "plan_year": city.plan_year,
                    "other_tag": LANGUAGE_TAGS[OTHER[language]],
                    "languages": links,
                }
            )
    return rows


def _report_links(shelf: _Shelf, city: City, written: str, language: str) -> list[dict[str, str]]:
    words = shelf.words[language]
    name = {"en": city.name_en, "zh": city.name_zh}[language]
    found = [
        kind for kind in REPORT_KINDS if _report_name(city.city_id, written, kind) in shelf.reports
    ]
    return [
        {
            "href": f"reports/{_report_name(city.city_id, written, kind)}",
            "text": words[f"report_{kind}"],
            "label": ", ".join([words[f"report_{kind}"], name, words[f"report_{written}"]]),
        }
        for kind in found
    ]
