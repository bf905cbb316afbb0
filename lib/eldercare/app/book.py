"""Runs the notebooks and checks that what they show is what is committed."""

from __future__ import annotations

import csv
import math
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import nbformat
import pandas as pd
from jupyter_core.paths import jupyter_runtime_dir
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from tqdm import tqdm

from eldercare import messages
from eldercare.files import write_whole
from eldercare.inputs.load import CITIES
from eldercare.reporting.language import LANGUAGES, edition, language_of_run
from eldercare.reporting.sheet import NUMBERS, TWIN_DIGITS

TIMEOUT = 600
WORKERS = 2
# One number in so many may lie so near the border of two roundings that machines differ on it.
ROUNDED_OTHERWISE = 1 / 4000
# What only a notebook calls that shows cities.
OF_CITIES = ("ec.run(", "ec.run_city(", "sensitivities(", "open_desks(")
# Run in lib/ before all else, the quickest first: each is mended in a minute.
STATIC_CHECKS = (
    ("ruff", "check", ".", "../benchmarks"),
    ("ruff", "format", "--check", ".", "../benchmarks"),
    ("mypy", "eldercare", "../benchmarks"),
)


def notebook_paths(root: Path, code: str) -> list[Path]:
    """The notebooks of a language in reading order: the numbered ones, then the city report."""
    return sorted(edition(root / "notebooks", code).glob("*.ipynb"))


def notebook_map(root: Path) -> pd.DataFrame:
    """All notebooks of the run's language in reading order, with the title and the question that their first cells
    state.
    """
    rows = []
    for path in notebook_paths(root, language_of_run()):
        first = nbformat.read(path, as_version=4).cells[0].source
        title, _, text = first.partition("\n")
        question = re.sub(r"^\*\*.*?\*\*|\*", "", text.strip().split("\n")[0]).strip()
        rows.append({"notebook": path.stem, "title": title.lstrip("# "), "question": question})
    return pd.DataFrame(rows)


def execute_cells(
    book: nbformat.NotebookNode,
    folder: Path,
    before_cell: Callable[..., None] | None = None,
    **environment: str,
) -> None:
    """Run the cells of a notebook, which then holds their outputs.

    folder      : where the kernel starts
    before_cell : called before each cell; what it raises ends the run
    environment : variables of the kernel beside those of this process
    Raises      : CellExecutionError if a cell fails
    """
    _make_room_for_kernels()
    client = NotebookClient(
        book,
        timeout=TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
        on_cell_start=before_cell,
        extra_arguments=["--IPKernelApp.log_level=40"],
    )
    client.execute(env={**os.environ, **environment})


def _make_room_for_kernels() -> None:
    """A folder for the files by which a kernel is reached, where the usual one below the home cannot be written."""
    try:
        Path(jupyter_runtime_dir()).mkdir(parents=True, exist_ok=True)
        if os.access(jupyter_runtime_dir(), os.W_OK):
            return
    except OSError:
        pass
    os.environ["JUPYTER_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="eldercare-")


def execute(path: Path, cities: Iterable[str] = ()) -> None:
    """Run one notebook from its first cell, for some cities or all, in the language of its folder, and write it back,
    whole or not at all.

    Nothing of the run but its outputs is kept: no times, no version of the machine's Python, so
    that running it again leaves the file as it is.

    Raises : CellExecutionError if a cell fails; the file is then unchanged
    """
    book = nbformat.read(path, as_version=4)
    asked = {CITIES: " ".join(cities), "ELDERCARE_LANGUAGE": ""}
    execute_cells(book, path.parent, None, **asked)
    _drop_live_views(book)
    book.metadata["language_info"] = {"name": "python"}
    book.metadata["kernelspec"] = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    write_whole(path, (nbformat.writes(book).rstrip("\n") + "\n").encode())


def _drop_live_views(book: nbformat.NotebookNode) -> None:
    """Take out what only a running kernel can show; its names are new at every run."""
    book.metadata.pop("widgets", None)
    for cell in book.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)


def shows_cities(path: Path) -> bool:
    """Whether a notebook runs cities or reads what they promised; the others are of the nation and the world."""
    text = path.read_text(encoding="utf-8")
    return any(word in text for word in OF_CITIES)


def execute_all(root: Path, cities: Iterable[str] = ()) -> list[Path]:
    """Run all notebooks in both languages, two at a time, with a progress bar; returns those that failed.

    cities : run only the notebooks that show cities, for these; all notebooks and cities if none is named
    """
    paths = [path for code in LANGUAGES for path in notebook_paths(root, code)]
    paths = [path for path in paths if not cities or shows_cities(path)]
    failed = []
    with ThreadPoolExecutor(WORKERS) as pool, tqdm(total=len(paths), unit="notebook") as bar:
        waiting = {pool.submit(execute, path, cities): path for path in paths}
        for done in as_completed(waiting):
            path = waiting[done]
            told = path.relative_to(root / "notebooks").as_posix()
            bar.set_postfix_str(told)
            bar.update()
            error = done.exception()
            if error is not None:
                failed.append(path)
                shown = str(error) if isinstance(error, CellExecutionError) else repr(error)
                tqdm.write(messages.told(f"{told} failed; it was left as it was.\n{shown}"))
    return sorted(failed)


def check_figure_data(expected: Path, found: Path) -> list[str]:
    """Differences between the committed figure twins, of both languages, and those of a new run, one line each.

    Results are kept in single precision, and another processor may put a number at the border of
    two roundings on the other side. A few numbers of all (`ROUNDED_OTHERWISE`) may therefore differ
    by one unit of their last digit; where more do, something has changed and all are told.
    """
    committed, fresh = (
        {path.relative_to(folder).as_posix() for path in folder.rglob("*.csv")}
        for folder in (expected, found)
    )
    lines = [
        f"figures/{name}: committed, but no notebook writes it"
        for name in sorted(committed - fresh)
    ]
    lines += [
        f"figures/{name}: written by a notebook, but not committed"
        for name in sorted(fresh - committed)
    ]
    borders: list[str] = []
    count = 0
    for name in sorted(committed & fresh):
        old = (expected / name).read_text(encoding="utf-8").splitlines()
        new = (found / name).read_text(encoding="utf-8").splitlines()
        heads = next(csv.reader(old[:1]), [])
        count += len(old) * len(set(heads) & set(NUMBERS))
        for number, (before, after) in enumerate(zip(old, new), start=1):
            if before != after:
                told = f"figures/{name}, row {number}: committed “{before}”, now “{after}”"
                if _rounded_otherwise(heads, before, after):
                    borders.append(told)
                else:
                    lines.append(told)
                    break
        else:
            if len(old) != len(new):
                lines.append(f"figures/{name}: committed {len(old)} rows, now {len(new)}")
    if len(borders) > count * ROUNDED_OTHERWISE:
        lines += borders
    lines += [
        f"figures/{path.relative_to(expected).as_posix()}: a picture without a twin table"
        for path in sorted(expected.rglob("*.png"))
        if not path.with_suffix(".csv").is_file()
    ]
    return lines


def _rounded_otherwise(heads: list[str], before: str, after: str) -> bool:
    """Whether two rows differ in results alone, and in each by one unit of the last digit."""
    old, new = next(csv.reader([before])), next(csv.reader([after]))
    return len(old) == len(new) and all(
        a == b
        or (head in NUMBERS and _is_number(a) and _is_number(b) and _off_by_one(float(a), float(b)))
        for head, a, b in zip(heads, old, new)
    )


def _off_by_one(one: float, other: float) -> bool:
    """Whether two numbers differ by no more than one unit of the last digit that a table keeps."""
    digit = math.floor(math.log10(max(abs(one), abs(other)))) - TWIN_DIGITS + 1
    return abs(one - other) < 1.5 * 10.0**digit


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def run_tests(root: Path) -> int:
    """All that CI runs: layout and types, unit tests, strict nbval over the notebooks, figure
    twins.

    Layout and types come first and end the run if they fail, so that nobody waits for the rest.

    Returns : exit code
    """
    if any(_module(command, root / "lib") for command in STATIC_CHECKS):
        return 1
    settings = [
        "-c",
        str(root / "lib" / "pyproject.toml"),
        "--rootdir",
        str(root),
        "-p",
        "no:cacheprovider",
        "-q",
    ]
    # File by file, so that what the tests of a file share, as the site, is made once.
    workers = ["-n", str(WORKERS), "--dist", "loadfile"]
    unit = _pytest([*settings, str(root / "lib" / "tests"), *workers])
    with tempfile.TemporaryDirectory() as folder:
        books = _pytest(
            [
                *settings,
                "--nbval",
                "--nbval-current-env",
                "--nbval-cell-timeout",
                str(TIMEOUT),
                *workers,
                str(root / "notebooks"),
            ],
            ELDERCARE_FIGURES=folder,
            ELDERCARE_LANGUAGE="",  # each edition has that of its folder
        )
        differences = check_figure_data(root / "figures", Path(folder))
    for line in differences:
        messages.say(line)
    messages.say(
        f"figure twins: {'unchanged' if not differences else f'{len(differences)} differences'}"
    )
    return 1 if unit or books or differences else 0


def _module(command: tuple[str, ...], folder: Path) -> int:
    return subprocess.run([sys.executable, "-m", *command], cwd=folder, check=False).returncode


def _pytest(arguments: list[str], **environment: str) -> int:
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode
