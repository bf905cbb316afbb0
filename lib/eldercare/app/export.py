"""The city report as files: one self-contained page, a Word document, a workbook - all whole or
none.
"""

from __future__ import annotations

import base64
import io
import os
import re
import tempfile
import threading
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path

import nbformat
import pandas as pd
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter
from tqdm import tqdm

from eldercare.analysis.sensitivity import tornado
from eldercare.app.book import WORKERS, execute_cells
from eldercare.inputs.load import Project
from eldercare.model.chain import CityResult, run_city
from eldercare.reporting.blocks import Block, html
from eldercare.reporting.document import TAGS, word_document
from eldercare.reporting.language import Language, load_language
from eldercare.reporting.report import Facts, build_report, report_title
from eldercare.reporting.sheet import FONT
from eldercare.reporting.workbook import workbook

NOTEBOOK = "city_report.ipynb"
PARAMETERS = "parameters"
TEMPLATE = Path(__file__).parent / "report_templates" / "report.html.j2"
FORMATS = ("html", "docx", "xlsx")
LATIN = "".join(map(chr, range(0x20, 0x7F)))
Answer = tuple[CityResult, pd.DataFrame]


class Stopped(Exception):
    """A run was given up because another one was interrupted."""


def write_report(
    project: Project, city_id: str, code: str, folder: Path, formats: Sequence[str] = FORMATS
) -> list[Path]:
    """Write the report of a city in a language: `<city_id>_<language>.html`, `.docx`, `.xlsx`;
    returns their paths.

    The page is the notebook `city_report`, executed with the city and the language; the document
    has the same blocks and pictures, the workbook the same numbers. All files are written, or none.

    Raises : KeyError for an unknown city or language; OSError if the folder cannot be written
    """
    written, failed = write_reports(project, [city_id], [code], folder, formats)
    for error in failed.values():
        raise error
    return written


def write_reports(
    project: Project,
    cities: Sequence[str],
    codes: Sequence[str],
    folder: Path,
    formats: Sequence[str] = FORMATS,
) -> tuple[list[Path], dict[str, BaseException]]:
    """Write the reports of some cities in some languages, two at a time, with a progress bar (see
    `write_report`).

    Returns : paths of what was written, and by report what went wrong; an interruption is passed
              on, and the reports not finished by then are not written
    """
    words = {code: load_language(project, code) for code in codes}
    for city_id in cities:
        project.city(city_id)
    check_folder(folder)
    stop = threading.Event()
    written: list[Path] = []
    failed: dict[str, BaseException] = {}
    with (
        ThreadPoolExecutor(WORKERS) as pool,
        tqdm(total=len(cities) * len(codes), unit="report") as bar,
    ):
        try:
            answers = {city_id: pool.submit(_answer, project, city_id, stop) for city_id in cities}
            waiting = {
                pool.submit(
                    _files, project, answers[city_id], words[code], formats, stop
                ): f"{city_id}_{code}"
                for city_id in cities
                for code in codes
            }
            for done in as_completed(waiting):
                name = waiting[done]
                bar.set_postfix_str(name)
                error = done.exception()
                if error is None:
                    written += write_together(
                        {
                            folder / f"{name}.{kind}": content
                            for kind, content in done.result().items()
                        }
                    )
                else:
                    failed[name] = error
                bar.update()
        except KeyboardInterrupt:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return sorted(written), failed


def check_folder(folder: Path) -> None:
    """Make the folder of the reports and try whether files can be written there.

    Raises : OSError that names the folder and says what to do
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = error.strerror or error
        raise OSError(
            f"reports cannot be written to {folder}: {reason}; name a folder you can write to with --output"
        ) from None


def write_together(contents: dict[Path, bytes]) -> list[Path]:
    """Write files so that all of them are there whole, or none of them is changed."""
    parts = {path: path.with_name(path.name + ".part") for path in contents}
    try:
        for path, content in contents.items():
            parts[path].write_bytes(content)
    except BaseException:
        for part in parts.values():
            part.unlink(missing_ok=True)
        raise
    for path, part in parts.items():
        os.replace(part, path)
    return list(contents)


def _answer(project: Project, city_id: str, stop: threading.Event) -> Answer:
    if stop.is_set():
        raise Stopped
    return run_city(project, city_id), tornado(project, city_id)


def _files(
    project: Project,
    answer: Future[Answer],
    words: Language,
    formats: Sequence[str],
    stop: threading.Event,
) -> dict[str, bytes]:
    """The contents of a report's files by format."""
    result, moved = answer.result()
    facts = Facts(project, result, words)
    blocks = [
        block
        for section in build_report(project, result, moved, words).values()
        for block in section
    ]
    out: dict[str, bytes] = {}
    if {"html", "docx"} & set(formats):
        book = run_notebook(project, result.city.city_id, words.code, _stopper(stop))
        if "html" in formats:
            out["html"] = page(book, report_title(facts), words.code, blocks).encode()
        if "docx" in formats:
            out["docx"] = without_times(word_document(blocks, pictures(book), words.code))
    if "xlsx" in formats:
        out["xlsx"] = without_times(workbook(facts))
    return out


def _stopper(stop: threading.Event) -> Callable[..., None]:
    def before_cell(**_cell) -> None:
        if stop.is_set():
            raise Stopped

    return before_cell


def run_notebook(
    project: Project, city_id: str, code: str, before_cell: Callable[..., None] | None = None
) -> nbformat.NotebookNode:
    """The notebook of the city report, executed for a city and a language; its figures go to a
    folder that is removed.

    Raises : ValueError if a cell fails, or if no cell is tagged `parameters`
    """
    path = project.root / "notebooks" / NOTEBOOK
    book = nbformat.read(path, as_version=4)
    tagged = [cell for cell in book.cells if PARAMETERS in cell.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise ValueError(f"notebooks/{NOTEBOOK}: exactly one cell must have the tag “{PARAMETERS}”")
    tagged[0].source = f"city = {city_id!r}\nlanguage = {code!r}"
    with tempfile.TemporaryDirectory() as figures:
        try:
            execute_cells(
                book,
                path.parent,
                before_cell,
                ELDERCARE_FIGURES=figures,
                ELDERCARE_PROJECT=str(project.root),
            )
        except CellExecutionError as error:
            raise ValueError(f"notebooks/{NOTEBOOK}: {error.ename}: {error.evalue}") from error
    return book


def pictures(book: nbformat.NotebookNode) -> list[tuple[bytes, str]]:
    """PNG and alternative text of the pictures a notebook shows."""
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    return [
        (base64.b64decode(output.data["image/png"]), output.metadata["image/png"]["alt"])
        for output in outputs
        if "image/png" in output.get("data", {})
    ]


def page(book: nbformat.NotebookNode, title: str, code: str, blocks: Sequence[Block]) -> str:
    """An executed report as one HTML file without code: style, font and pictures are inside,
    nothing is fetched.
    """
    text = LATIN + "".join(map(html, blocks))
    resources = {
        "title": title,
        "language": TAGS[code],
        "font": base64.b64encode(font_with(text)).decode(),
    }
    return HTMLExporter(template_file=str(TEMPLATE)).from_notebook_node(book, resources=resources)[
        0
    ]


def font_with(text: str) -> bytes:
    """The shipped font with no other glyphs than a text needs, as WOFF."""
    font = TTFont(FONT, recalcTimestamp=False)
    options = Options()
    options.flavor, options.layout_features = "woff", []
    subsetter = Subsetter(options)
    subsetter.populate(text=text)
    subsetter.subset(font)
    font.flavor = "woff"
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def without_times(packed: bytes) -> bytes:
    """The same DOCX or XLSX file without any time of the machine: written again, it is the same
    bytes.
    """
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(packed)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = re.sub(
                    rb"<dcterms:(created|modified)\b.*?</dcterms:\1>", b"", content, flags=re.DOTALL
                )
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, content)
    return out.getvalue()
