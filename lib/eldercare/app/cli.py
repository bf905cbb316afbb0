"""`python -m eldercare …`: the commands behind make.

A command imports what it needs when it runs, so that the help and a mistyped word answer at once.
"""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from eldercare.app.spoken_help import InOrder, language_option
from eldercare.files import DEFINITION, find_root, print_no_more, write_whole
from eldercare.messages import (
    LANGUAGES,
    SETTING,
    language_of_command,
    language_of_run,
    say,
    speaking,
)

if TYPE_CHECKING:
    from eldercare.inputs.load import Project

PROGRAM = "python -m eldercare"
REPORTS = "reports"
REQUEST = "资料收集清单.xlsx"
FAULT, INTERRUPTED = 2, 130
# Said by the help without the library; tests hold them to draws.DEFAULT_DRAWS and drafts.CONFIDENCES.
DRAWS = 1024
CONFIDENCES = ("sure", "likely", "doubtful")

FILE = click.Path(path_type=Path)
output_folder = click.option(
    "--output", type=FILE, metavar="DIR", help="Folder for a table and a picture as well."
)
draws_option = click.option(
    "--draws", type=int, default=DRAWS, help=f"A power of two (default {DRAWS})."
)
CITY_HELP = "Name of a folder in data/cities."
passed_on = click.argument(
    "arguments",
    nargs=-1,
    type=click.UNPROCESSED,
    metavar="[ARGS]...",
    help="Passed on, as --no-browser.",
)
NO_UPDATES = "jupyterlab.handlers.announcements.NeverCheckForUpdate"
# What a page may load: nothing of another host, as the icons that Voilà's page would fetch.
ONLY_FROM_HERE = (
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'self'"
)


def main(arguments: list[str] | None = None) -> int:
    """Run one command in the language asked for; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a console that has no Chinese signs
    with speaking(language_of_command(_asked(arguments))):
        return _run(arguments)


def _asked(arguments: list[str]) -> str:
    """The language that --lang asks for, wherever it stands: what is wrong before it is told in it too."""
    for word, after in zip(arguments, [*arguments[1:], ""]):
        code = after if word == "--lang" else word.removeprefix("--lang=")
        if word.startswith("--lang") and code in LANGUAGES:
            return code
    return ""


def _run(arguments: list[str]) -> int:
    """Run one command. A fault in the data is told in plain words, without a traceback."""
    try:
        code = commands.main(arguments, PROGRAM, standalone_mode=False) or 0
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # who read has heard enough, as `| head`
        print_no_more()
        return 0
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        say(shown.getvalue(), sys.stderr, end="")
        return error.exit_code
    except click.Abort:
        say("Interrupted.", sys.stderr)
        return INTERRUPTED
    except (OSError, KeyError, ValueError) as error:  # DataFault is a ValueError
        message = error.args[0] if isinstance(error, KeyError) else error
        say(message, sys.stderr)
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            print_no_more()
        return FAULT


@click.group(
    cls=InOrder,
    params=[language_option()],
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--definition",
    metavar="NAME",
    help="How all that is calculated counts need of care, as “fifth national survey” (default: any ADL limitation).",
)
def commands(definition: str | None) -> None:
    """Eldercare planning notebooks for Chinese cities."""
    if definition:
        os.environ[DEFINITION] = definition  # for the kernels of notebooks as well


def _project(being_written: Path | None = None) -> Project:
    from eldercare.inputs import load

    return load.load_project(find_root(), being_written, cities=())


def _tell_written(paths: list[Path]) -> None:
    say("Written: " + ", ".join(path.name for path in paths))


@commands.command()
@click.option(
    "--city",
    "cities",
    multiple=True,
    metavar="CITY",
    help=f"Only the notebooks that show cities, with this one; may be repeated. {CITY_HELP}",
)
def run(cities: tuple[str, ...]) -> int:
    """Run all notebooks and write figures/."""
    from eldercare.app import book

    project = _project()
    for city in cities:
        project.city(city)  # says which there are, before anything is run
    failed = book.execute_all(project.root, cities)
    if failed:
        names = ", ".join(path.name for path in failed)
        say(f"{len(failed)} notebooks failed: {names}", sys.stderr)
        return 1
    say(
        "Begin reading with notebooks/00_summary.ipynb; "
        "the figures and their tables are in figures/."
    )
    return 0


@commands.command()
def test() -> int:
    """Run all that CI runs."""
    from eldercare.app import book

    return book.run_tests(_project().root)


@commands.command(context_settings={"ignore_unknown_options": True})
@passed_on
def lab(arguments: tuple[str, ...]) -> int:
    """Open JupyterLab on the project."""
    root = find_root()
    settings = Path(__file__).with_name("lab_settings")
    before = os.environ.get("JUPYTER_CONFIG_PATH")
    return _module(
        "jupyterlab",
        f"--ServerApp.root_dir={root}",
        "--LabApp.default_url=/lab",
        "--LabApp.extension_manager=readonly",
        f"--LabApp.check_for_updates_class={NO_UPDATES}",
        *arguments,
        JUPYTER_CONFIG_PATH=os.pathsep.join(filter(None, [str(settings), before])),
    )


@commands.command(context_settings={"ignore_unknown_options": True})
@passed_on
def desk(arguments: tuple[str, ...]) -> int:
    """Open the what-if desk as an app in the browser."""
    book = _notebooks() / "09_what_if.ipynb"
    headers = {"headers": {"Content-Security-Policy": ONLY_FROM_HERE}}
    settings = f"--Voila.tornado_settings={headers!r}"
    return _module("voila", str(book), settings, *arguments, **{SETTING: language_of_run()})


@commands.command()
def bench() -> int:
    """Measure speed and memory (benchmarks/measure.py measures single figures)."""
    return subprocess.run(
        [sys.executable, find_root() / "benchmarks" / "measure.py"], check=False
    ).returncode


def _notebooks() -> Path:
    """The folder of the notebooks in the language of the run."""
    from eldercare.reporting.language import edition

    return edition(find_root() / "notebooks", language_of_run())


def _module(name: str, *arguments: str, **environment: str) -> int:
    command = [sys.executable, "-m", name, *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode


@commands.command()
def check() -> None:
    """Read and check the data only."""
    from eldercare.documents import drafts
    from eldercare.inputs.checks import unread

    project = _project()
    say(
        f"The data are in order: {len(project.cities)} cities, "
        f"{len(project.assumptions)} national assumptions."
    )
    for name in unread(project.root / "data"):
        say(f"{name} is no table and is not read.")
    for city in project.cities:
        rows = drafts.waiting(project, city)
        if rows:
            say(
                f"cities/{city}/{drafts.DRAFT}: {rows} drafted rows wait and count for nothing until "
                f"they are confirmed ({PROGRAM} read-plan --confirm --city {city})."
            )


@commands.command("new-city")
@click.argument(
    "area",
    metavar="CODE|NAME",
    help="Six-digit code of the census of 2020, or a name: Chinese, pinyin or English, with the province or without.",
)
@click.option(
    "--id", "city_id", metavar="NAME", help="Name of its folder (default: from its name)."
)
def new_city(area: str, city_id: str | None) -> None:
    """Set up the folder of a new city: its tables, a guide to their columns, its row of sources.csv."""
    from eldercare.app import plans
    from eldercare.documents import new_city as folders
    from eldercare.model.area_names import find_area, what_became

    project = _project()
    code = find_area(project.china, area)
    city = city_id or folders.city_id_of(project, code)
    files = folders.city_files(project, code, city)
    plans.write_files(project.root / "data", files)
    row = project.china.areas.loc[(code, 2020)]
    say(
        f"{code} {row['name']} ({row['province']}, {row['level']}): folder data/cities/{city}/ is set up."
    )
    for became in filter(None, what_became(project.china, code).split("; ")):
        say(f"Since the census: {became}. The projection is of the area of 2020.")
    say(
        f"What each column holds: data/cities/{city}/{folders.GUIDE}. Its document is {city}_plan in data/sources.csv.\n"
        f"Next: {PROGRAM} read-plan FILE --city {city}"
    )


@commands.command("read-plan")
@click.argument(
    "document",
    required=False,
    type=FILE,
    metavar="[FILE]",
    help="The document: txt, html, docx or pdf.",
)
@click.option("--city", required=True, metavar="CITY", help=CITY_HELP)
@click.option("--confirm", is_flag=True, help="Move the rows decided on into targets.csv.")
@click.option(
    "--accept",
    multiple=True,
    type=click.Choice(CONFIDENCES),
    help="With --confirm: accept the undecided rows of this confidence too; may be repeated.",
)
@click.option("--again", is_flag=True, help="Replace a draft that waits.")
def read_plan(
    document: Path | None, city: str, confirm: bool, accept: tuple[str, ...], again: bool
) -> None:
    """Draft a city's ledger of targets from its document (txt, html, docx, pdf), for you to confirm."""
    from eldercare.app import plans

    if confirm == bool(document):
        raise ValueError("name the document to be read, or give --confirm, one of the two")
    if confirm:
        plans.confirm(_project(), city, accept, PROGRAM)
    else:
        assert document is not None
        plans.draft(_project(), document, city, again, PROGRAM)


@commands.command("verify-targets")
@click.option(
    "--documents",
    required=True,
    type=FILE,
    metavar="DIR",
    help="Folder with the documents (txt, html, docx, pdf).",
)
def verify_targets(documents: Path) -> int:
    """Hold the ledgers of targets against the documents they were read from."""
    from eldercare.documents import read_plan as ledgers

    project = _project()
    findings = ledgers.verify_all(project, documents)
    for row in findings.itertuples():
        parts = row.city_id, row.target_id, row.check, row.finding
        say(": ".join(part for part in parts if part))
    if len(findings):
        say(
            f"{len(findings)} findings; a row, an exception or a document must be mended.",
            sys.stderr,
        )
        return 1
    targets = [city.targets for city in project.cities.values() if len(city.targets)]
    say(
        f"The ledgers agree with the documents: {sum(map(len, targets))} figures "
        f"of {len(targets)} cities."
    )
    return 0


@commands.command("progress-template")
@click.argument("city", metavar="CITY", help=CITY_HELP)
@click.option(
    "--output",
    type=FILE,
    metavar="FILE",
    help="File to write, whole or not at all (default: print).",
)
def progress_template(city: str, output: Path | None) -> None:
    """Write a row of progress.csv for each tracked promise of a city."""
    from eldercare.documents import progress
    from eldercare.inputs.reading import find_table, has_rows

    report = find_root() / "data" / "cities" / city / "progress.csv"
    empty = report.is_file() and not report.stat().st_size  # `> progress.csv` makes it so
    there = None if output is None else find_table(output)
    # `new-city` makes it with a header alone, which may be filled; a workbook is never filled.
    if there is not None and (there != output or has_rows(there)):
        raise ValueError(
            f"{there.name} is there already and is not overwritten: reports in it would be lost. "
            "Write to another file and copy over the rows that are new"
        )
    table = progress.progress_template(_project(report if empty else None), city)
    if table.empty:
        say(
            f"Nothing of {city} is to be judged by reports: no promise in its targets.csv is tracked. "
            "Nothing was written.",
            sys.stderr,
        )
        return
    text = table.to_csv(index=False, lineterminator="\n")
    if output is None:
        # A file that a redirect makes is UTF-8 as all tables are, whatever the console's signs.
        if sys.stdout.isatty():
            sys.stdout.write(text)
        else:
            sys.stdout.buffer.write(text.encode())
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    write_whole(output, text.encode())
    say(
        f"{len(table)} rows written; fill in reported_on, value and source_id. "
        "Rows left without a value count as no report."
    )


@commands.command("data-request")
@click.argument("city", metavar="CITY", help=CITY_HELP)
@click.option(
    "--output",
    type=FILE,
    metavar="FILE",
    default=REQUEST,
    help=f"Workbook to write, never over another (default: {REQUEST}).",
)
def data_request(city: str, output: Path) -> None:
    """Write a workbook that asks a city for what is worth most to measure, by county of a prefecture."""
    from eldercare.app import plans

    plans.ask(_project(), city, output, PROGRAM)


@commands.command()
@click.argument("file", type=FILE, metavar="FILE", help="A request that came back filled in.")
@click.option(
    "--replace", is_flag=True, help="Replace rows that are there already (default: keep)."
)
def take(file: Path, replace: bool) -> None:
    """Check a filled-in request cell by cell, and move it into the city's tables, all or nothing."""
    from eldercare.app import plans

    plans.take(_project(), file, replace, PROGRAM)


@commands.command()
@click.argument("area", metavar="CODE", help="Six-digit census code, or a name.")
@output_folder
@draws_option
def area(area: str, output: Path | None, draws: int) -> None:
    """Project any county, prefecture or province of the census."""
    from eldercare.model.area_names import find_area
    from eldercare.reporting import area_report

    project = _project()
    code = find_area(project.china, area)
    table = area_report.area_table(project, code, draws)
    print(area_report.area_text(project, code, table))
    print(area_report.area_targets(project, code, draws))
    if output:
        _tell_written(area_report.write_area(project, code, table, output))


@commands.command()
@click.option(
    "--output",
    required=True,
    type=FILE,
    metavar="DIR",
    help="A new folder, or that of an interrupted run, which then goes on.",
)
@click.option("--province", metavar="CODE|NAME", help="One province and all below it.")
@click.option("--under", metavar="CODE|NAME", help="One area and all below it.")
@click.option("--scenario", default="baseline", help="A scenario (default: baseline).")
@draws_option
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Scheduler of a Dask cluster, tcp://HOST:PORT (default: two processes of this machine).",
)
def areas(
    output: Path,
    province: str | None,
    under: str | None,
    scenario: str,
    draws: int,
    scheduler: str | None,
) -> int:
    """Run the whole chain for all areas of the census into Parquet files: people add up, need to money is an area at a time."""
    from eldercare.app import nation
    from eldercare.inputs.load import NATION
    from eldercare.model.area_names import find_area

    if province and under:
        raise ValueError("give --province or --under, not both")
    project = _project()
    named = province or under
    code = find_area(project.china, named) if named else NATION
    if province and code % 10_000:
        raise ValueError(f"“{province}” is no province; for another area give --under {code}")
    try:
        table = nation.run_areas(project, output, code, scenario, draws, scheduler, _tell_blocks)
    except KeyboardInterrupt:
        say("Interrupted. What is written is whole; the same command goes on.", sys.stderr)
        return INTERRUPTED
    print(nation.told(project, output, table))
    return 0


@commands.command("areas-table")
@click.argument("folder", type=FILE, metavar="DIR", help="Folder of a finished run of areas.")
def areas_table(folder: Path) -> None:
    """Write docs/areas.csv.gz, which the site's page of areas shows, from the folder of a finished run over all areas."""
    from eldercare.app import lookup

    _tell_written(lookup.write_table(_project(), folder))


def _tell_blocks(done: int, of: int) -> None:
    if sys.stderr.isatty() or done == of:
        end = "\n" if done == of else "\r"
        say(f"{done} of {of} blocks are there", sys.stderr, end)


@commands.command()
def calibrate() -> None:
    """Fit the weights of facts and the ranges to 2010 and 2020 anew: four tables of data/china/."""
    from eldercare.validation import accuracy, calibration, errors

    project = _project()
    setting = accuracy.prepare(project.china)
    people = accuracy.blind(setting)
    tables = {
        "change_weights": accuracy.weights_table(setting),
        "projection_error": calibration.error_table(setting, people),
        "projection_error_area": errors.area_table(setting, accuracy.cross_predict(setting)),
        "projection_error_province": calibration.province_table(setting, people[setting.rows]),
    }
    for name, table in tables.items():
        path = project.root / "data" / "china" / f"{name}.csv"
        write_whole(path, table.to_csv(index=False, lineterminator="\n").encode())
    say(f"{len(tables)} tables written, from {len(setting.areas)} areas; see notebook 08.")


@commands.command()
@click.argument(
    "one", metavar="A", help="A scenario: baseline, or a file of data/scenarios without .csv."
)
@click.argument("other", metavar="B", help="Another, to set beside it.")
@click.option("--city", required=True, metavar="CITY", help=CITY_HELP)
@output_folder
@draws_option
def compare(one: str, other: str, city: str, output: Path | None, draws: int) -> None:
    """Two scenarios for one city on common draws: both and the difference."""
    from eldercare.reporting import scenario_report

    project = _project()
    table = scenario_report.scenario_table(project, one, other, city, draws)
    print(scenario_report.scenario_text(project, table, city))
    if output:
        _tell_written(scenario_report.write_scenarios(project, table, city, output))


@commands.command()
@click.argument("city", required=False, metavar="[CITY]", help=CITY_HELP)
@click.option(
    "--lang",
    metavar="LANGUAGE",
    help=f"Language of the report, {', '.join(LANGUAGES)} (default: both).",
)
@click.option("--all", "every", is_flag=True, help="All cities.")
@click.option("--output", type=FILE, metavar="DIR", help="Folder to write to (default: reports/).")
def report(city: str | None, lang: str | None, every: bool, output: Path | None) -> int:
    """Write the report of a city as page, Word document and workbook."""
    from eldercare.app import export

    project = _project()
    if every == bool(city):
        known = ", ".join(sorted(project.cities))
        raise ValueError(f"name a city or give --all, one of the two; cities: {known}")
    cities = [city] if city else sorted(project.cities)
    folder = output or project.root / REPORTS
    try:
        written, failed = export.write_reports(
            project, cities, [lang] if lang else list(LANGUAGES), folder
        )
    except KeyboardInterrupt:
        say(
            "Interrupted. Reports that were finished are there; of the others nothing was written.",
            sys.stderr,
        )
        return INTERRUPTED
    for name, error in failed.items():
        say(f"The report {name} failed; nothing of it was written.\n{error}", sys.stderr)
    if written:
        names = ", ".join(path.name for path in written)
        say(f"{len(written)} files written to {os.path.relpath(folder)}: {names}")
    return 1 if failed else 0


@commands.command()
@click.option(
    "--output",
    type=FILE,
    metavar="DIR",
    help="A new folder, or that of an older site (default: site/).",
)
@click.option(
    "--reports", type=FILE, metavar="DIR", help="Reports written before (default: write all anew)."
)
def site(output: Path | None, reports: Path | None) -> int:
    """Build the pages of all notebooks and reports, which open from disk."""
    from eldercare.app import export
    from eldercare.app import site as pages

    project = _project()
    output = output or project.root / "site"
    pages.check_output(output)
    with tempfile.TemporaryDirectory() as fresh:
        if reports is None:
            try:
                _, failed = export.write_reports(
                    project, sorted(project.cities), LANGUAGES, Path(fresh)
                )
            except KeyboardInterrupt:
                say("Interrupted. The site is as it was.", sys.stderr)
                return INTERRUPTED
            for name, error in failed.items():
                say(f"The report {name} failed; the site is as it was.\n{error}", sys.stderr)
            if failed:
                return 1
        first = pages.build_site(project, output, reports or Path(fresh))
    say(f"Open {os.path.relpath(first)} in a browser.")
    return 0
