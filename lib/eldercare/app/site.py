"""The site: the pages of docs/, all notebooks and all reports, made by Sphinx to open from disk."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

import nbformat
import pandas as pd
from jinja2 import Template

from eldercare.app import lookup
from eldercare.app.book import notebook_paths
from eldercare.app.pages import finished, report_source
from eldercare.inputs.load import Project
from eldercare.reporting.language import Language, edition, load_language
from eldercare.reporting.sheet import FONT

HOME = {"en": "index.html", "zh": "index.zh.html"}
AREAS = {"en": "areas.html", "zh": "areas.zh.html"}
REPORT_KINDS = ("html", "docx", "xlsx")
PREFIX = "site_"
FIGURE = (
    '<figure><a href="{place}.png"><img src="{place}.png" alt="{alt}"></a>'
    '<figcaption>{caption} <a href="{place}.csv">{numbers}</a></figcaption></figure>'
)
MARK = 'content="eldercare" name="generator"'
WIDGET = "application/vnd.jupyter.widget-view+json"


def build_site(project: Project, output: Path, reports: Path | None = None) -> Path:
    """Build the site from the executed notebooks into a folder, whole or not at all; returns its
    first page.

    output  : a new or empty folder, or one that holds such a site, which is replaced
    reports : folder with the reports, `<city_id>_<language>.html`, `.docx` and `.xlsx`; without it
              the site says that there are none
    Raises  : ValueError if a notebook was not executed, or with all that Sphinx warns of; OSError
              if the folder cannot be written or holds something else
    """
    output = Path(output).resolve()
    check_output(output)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".site-", dir=output.parent) as beside:
            source, fresh, old = (Path(beside) / name for name in ("source", "site", "old"))
            books = _lay_out(project, reports, source)
            _run_sphinx(source, fresh)
            for page in fresh.rglob("*.html"):
                page.write_text(finished(page.read_text("utf-8"), books), "utf-8")
            _swap(fresh, output, old)
    except OSError as error:
        raise OSError(
            f"the site cannot be written to {output}: {error.strerror or error}"
        ) from error
    return output / HOME["en"]


def check_output(output: Path) -> None:
    """Only an empty folder or an older site is replaced, never anybody's files.

    Raises : OSError that says what stands in the way
    """
    if output.exists() and not output.is_dir():
        raise OSError(f"the site cannot be written to {output}: it is a file, not a folder")
    first = output / HOME["en"]
    ours = first.is_file() and MARK in first.read_text("utf-8", errors="replace")
    if output.exists() and any(output.iterdir()) and not ours:
        raise OSError(
            f"{output} holds files that are no site of this project; name a new or an empty folder"
        )


def _swap(fresh: Path, output: Path, old: Path) -> None:
    """Put the fresh site in the place of the older one; whatever happens, one of the two stands
    there.
    """
    if output.exists():
        os.replace(output, old)
    try:
        os.replace(fresh, output)
    except BaseException:
        if old.exists():
            os.replace(old, output)
        raise


def _run_sphinx(source: Path, fresh: Path) -> None:
    paths = [str(path) for path in (source.parent / "doctrees", source, fresh)]
    options = ["-W", "--keep-going", "-q", "--no-color", "-d", *paths]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ValueError(done.stderr.replace(f"{source}{os.sep}", ""))
    (
        fresh / ".buildinfo"
    ).unlink()  # a hash of settings, the library's place on this machine among them


def _lay_out(project: Project, reports: Path | None, source: Path) -> list[str]:
    """Write what Sphinx reads: docs/, notebooks, reports and both start pages; returns the
    notebooks' names.
    """
    shutil.copytree(project.root / "docs", source)
    files = source / "files"
    shutil.copytree(project.root / "figures", files / "figures")
    shutil.copytree(FONT.parent, files / "fonts")
    for folder in (source / "reports", files / "reports"):
        folder.mkdir()
    books = {code: notebook_paths(project.root, code) for code in HOME}
    for code, paths in books.items():
        words, folder = load_language(project, code), edition(source, code)
        folder.mkdir(exist_ok=True)
        figures = {
            path.read_bytes(): os.path.relpath(path.with_suffix(""), edition(files, code))
            for path in edition(files / "figures", code).glob("*.png")
        }
        for path in paths:
            book = nbformat.read(path, as_version=4)
            _dress(book, path.stem, figures, words)
            nbformat.write(book, folder / path.name)
    written = {
        city: {language: _written(reports, f"{city}_{language}") for language in HOME}
        for city in project.cities
    }
    for path in [path for pair in written.values() for paths in pair.values() for path in paths]:
        if path.suffix == ".html":
            page = source / "reports" / f"{path.stem}.md"
            page.write_text(report_source(path.read_text("utf-8")), "utf-8")
        else:
            shutil.copy(path, files / "reports")
    terms = source / "terms.md"
    if terms.is_file():
        labels = _labels(project)
        terms.write_text(terms.read_text("utf-8").replace("{{ indicators }}", labels), "utf-8")
    _lay_out_areas(project, source, files)
    start = Template((source / "index.md.j2").read_text("utf-8"), trim_blocks=True)
    phrases = project.phrases[project.phrases["phrase_id"].str.startswith(PREFIX)]
    for language, name in HOME.items():
        text = start.render(
            language=language,
            words=dict(zip(phrases["phrase_id"].str.removeprefix(PREFIX), phrases[language])),
            notebooks=[edition(Path(), language) / path.stem for path in books[language]],
            figures=edition(Path("figures"), language).as_posix(),
            cities=[
                city for city in project.cities.values() if any(written[city.city_id].values())
            ],
            written=written,
            areas=(source / lookup.TABLE).is_file(),
        )
        (source / name).with_suffix(".md").write_text(text, "utf-8")
    return [path.stem for path in books["en"]]


def _labels(project: Project) -> str:
    """The labels of all quantities in both languages, as a table."""
    lines = ["| quantity | English | 中文 |", "| --- | --- | --- |"]
    for row in project.indicators.to_dict("records"):
        lines.append(f"| `{row['indicator']}` | {row['label_en']} | {row['label_zh']} |")
    return "\n".join(lines)


def _lay_out_areas(project: Project, source: Path, files: Path) -> None:
    """Write the pages on which any area is looked up, and the script that holds their table; none without a table."""
    if not (source / lookup.TABLE).is_file():
        return
    table = pd.read_csv(source / lookup.TABLE, keep_default_na=False)
    (files / lookup.PACKED).write_text(lookup.packed(project, table), "utf-8")
    draws = json.loads((source / lookup.RUN).read_text("utf-8"))["draws"]
    page = Template((source / "areas.md.j2").read_text("utf-8"))
    for language, name in AREAS.items():
        text = page.render(words=lookup.words(project, language, draws))
        (source / name).with_suffix(".md").write_text(text, "utf-8")


def _written(reports: Path | None, stem: str) -> list[Path]:
    """The files of a report that are there."""
    paths = [reports / f"{stem}.{kind}" for kind in REPORT_KINDS] if reports else []
    return [path for path in paths if path.is_file()]


def _dress(
    book: nbformat.NotebookNode, stem: str, figures: dict[bytes, str], words: Language
) -> None:
    """Fold the code of a notebook, and set each figure beside its numbers.

    figures : by its bytes, where a picture lies, seen from the notebook's page
    Raises : ValueError if a code cell was never run, or a picture is none of the figures
    """
    for cell in (cell for cell in book.cells if cell.cell_type == "code"):
        if cell.execution_count is None:
            raise ValueError(f"{stem}: a cell has not been run; make run first, then make site")
        cell.metadata.tags = ["hide-input"]
        code = words.phrase("page_code")
        cell.metadata.mystnb = {"code_prompt_show": code, "code_prompt_hide": code}
        for place, output in enumerate(cell.outputs):
            data, text = output.get("data", {}), output.get("text", "").strip()
            if "image/png" in data:
                picture = figures.get(base64.b64decode(data["image/png"]))
                if picture is None:
                    raise ValueError(f"{stem}: a picture is not in figures/; make run first")
                told = {
                    part: words.phrase(f"page_figure_{part}", name=Path(picture).name)
                    for part in ("caption", "numbers")
                }
                alt = escape(output.metadata["image/png"]["alt"])
                html = FIGURE.format(place=Path(picture).as_posix(), alt=alt, **told)
            elif WIDGET in data:
                html = f"<p>{words.phrase('page_widget')}</p>"
            elif text and "\n" not in text:
                html = f'<p class="label">{escape(text)}</p>'
            else:
                continue
            cell.outputs[place] = nbformat.v4.new_output("display_data", {"text/html": html})
