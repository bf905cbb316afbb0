"""`python -m eldercare …`: the commands behind make."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from eldercare.app import bench, book, export, site
from eldercare.inputs import ledger
from eldercare.inputs.draws import DEFAULT_DRAWS, draw_assumptions
from eldercare.inputs.load import find_root, load_project
from eldercare.inputs.schema import DataFault
from eldercare.model import areas
from eldercare.reporting import area_report, scenario_report, tracking
from eldercare.reporting.charts import write_whole
from eldercare.reporting.wording import LANGUAGES
from eldercare.validation import accuracy, calibration

REPORTS = "reports"
INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code. A fault in the data is told in plain words, without a traceback."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return options.action(options) or 0
    except (DataFault, OSError, KeyError, ValueError) as error:
        message = error.args[0] if isinstance(error, KeyError) else error
        print(message, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="eldercare", description="Eldercare planning notebooks for Chinese cities"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, action, words in (
        ("run", _run, "run all notebooks and write figures/"),
        ("test", _test, "run all that CI runs"),
        ("lab", _lab, "open JupyterLab on the notebooks"),
        ("desk", _desk, "open the what-if desk as an app in the browser"),
        ("bench", _bench, "measure speed and memory"),
        ("check", _check, "read and check the data only"),
    ):
        commands.add_parser(name, help=words).set_defaults(action=action)
    verify = commands.add_parser(
        "verify-targets",
        help="hold the ledgers of targets against the documents they were read from",
    )
    verify.add_argument(
        "--documents",
        required=True,
        type=Path,
        metavar="DIR",
        help="folder with the documents as text files",
    )
    verify.set_defaults(action=_verify_targets)
    template = commands.add_parser(
        "progress-template", help="write a row of progress.csv for each tracked promise of a city"
    )
    template.add_argument("city", metavar="CITY", help="name of a folder in data/cities")
    template.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="file to write, whole or not at all (default: print)",
    )
    template.set_defaults(action=_progress_template)
    _add_area_commands(commands)
    _add_compare_command(commands)
    _add_report_command(commands)
    _add_site_command(commands)
    return parser


def _add_area_commands(commands) -> None:
    area = commands.add_parser(
        "area", help="project any county, prefecture or province of the census"
    )
    area.add_argument("area", metavar="CODE", help="six-digit census code, or a name")
    area.add_argument(
        "--output", type=Path, metavar="DIR", help="folder for a table and a picture as well"
    )
    area.set_defaults(action=_area)
    areas_ = commands.add_parser(
        "areas", help="project all areas of the census, adding up, into a Parquet file"
    )
    areas_.add_argument("--output", required=True, type=Path, metavar="FILE")
    areas_.set_defaults(action=_areas)
    calibrate = commands.add_parser(
        "calibrate", help="fit the ranges to the back-test anew: data/china/projection_error.csv"
    )
    calibrate.set_defaults(action=_calibrate)
    for command in (area, areas_):
        command.add_argument(
            "--draws",
            type=int,
            default=DEFAULT_DRAWS,
            help=f"a power of two (default {DEFAULT_DRAWS})",
        )


def _add_compare_command(commands) -> None:
    compare = commands.add_parser(
        "compare", help="two scenarios for one city on common draws: both and the difference"
    )
    compare.add_argument(
        "one", metavar="A", help="a scenario: baseline, or a file of data/scenarios without .csv"
    )
    compare.add_argument("other", metavar="B")
    compare.add_argument(
        "--city", required=True, metavar="CITY", help="name of a folder in data/cities"
    )
    compare.add_argument(
        "--output", type=Path, metavar="DIR", help="folder for a table and a picture as well"
    )
    compare.add_argument(
        "--draws", type=int, default=DEFAULT_DRAWS, help=f"a power of two (default {DEFAULT_DRAWS})"
    )
    compare.set_defaults(action=_compare)


def _add_site_command(commands) -> None:
    shelf = commands.add_parser(
        "site", help="build the pages of all notebooks and reports, which open from disk"
    )
    shelf.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="a new folder, or that of an older site (default: site/)",
    )
    shelf.add_argument(
        "--reports",
        type=Path,
        metavar="DIR",
        help="reports written before (default: write all anew)",
    )
    shelf.set_defaults(action=_site)


def _add_report_command(commands) -> None:
    report = commands.add_parser(
        "report", help="write the report of a city as page, Word document and workbook"
    )
    report.add_argument("city", nargs="?", metavar="CITY", help="name of a folder in data/cities")
    report.add_argument(
        "--lang", metavar="LANGUAGE", help=f"{' or '.join(LANGUAGES)} (default: both)"
    )
    report.add_argument("--all", action="store_true", help="all cities")
    report.add_argument(
        "--output", type=Path, metavar="DIR", help="folder to write to (default: reports/)"
    )
    report.set_defaults(action=_report)


def _run(_options) -> int:
    root = find_root()
    load_project(root)
    failed = book.execute_all(root)
    if failed:
        print(
            f"{len(failed)} notebooks failed: {', '.join(path.name for path in failed)}",
            file=sys.stderr,
        )
        return 1
    print(
        "Begin reading with notebooks/00_summary.ipynb; the figures and their tables are in figures/."
    )
    return 0


def _test(_options) -> int:
    root = find_root()
    load_project(root)
    return book.run_tests(root)


def _lab(_options) -> int:
    return subprocess.run(
        [sys.executable, "-m", "jupyterlab", str(find_root() / "notebooks")], check=False
    ).returncode


def _desk(_options) -> int:
    notebook = find_root() / "notebooks" / "09_what_if.ipynb"
    return subprocess.run([sys.executable, "-m", "voila", str(notebook)], check=False).returncode


def _bench(_options) -> None:
    bench.run_bench(find_root())


def _check(_options) -> None:
    project = load_project(find_root())
    print(
        f"The data are in order: {len(project.cities)} cities, {len(project.assumptions)} national assumptions."
    )


def _area(options) -> None:
    project = load_project(find_root())
    code = areas.find_area(project.china, options.area)
    table = area_report.area_table(project, code, options.draws)
    print(area_report.area_text(project, code, table))
    if options.output:
        written = area_report.write_area(project, code, table, options.output)
        print("Written: " + ", ".join(path.name for path in written))


def _areas(options) -> None:
    project = load_project(find_root())
    inputs = areas.area_inputs(project.china)
    summary = areas.project_areas(
        inputs, project.china, draw_assumptions(project, draws=options.draws)
    )
    areas.write_summary(summary, project.china, options.output)
    print(f"{inputs.sizes['area']} areas written to {options.output.name}.")


def _compare(options) -> None:
    project = load_project(find_root())
    table = scenario_report.scenario_table(
        project, options.one, options.other, options.city, options.draws
    )
    print(scenario_report.scenario_text(project, table, options.city))
    if options.output:
        written = scenario_report.write_scenarios(project, table, options.city, options.output)
        print("Written: " + ", ".join(path.name for path in written))


def _calibrate(_options) -> None:
    root = find_root()
    china = load_project(root).china
    setting = accuracy.prepare(china)
    predicted, _ = accuracy.cross_predict(setting)
    table = calibration.error_table(setting, predicted)
    path = root / "data" / "china" / "projection_error.csv"
    write_whole(path, table.to_csv(index=False, lineterminator="\n").encode())
    print(f"{len(table)} rows written, from {len(setting.areas)} areas; see notebook 08.")


def _verify_targets(options) -> int:
    project = load_project(find_root())
    findings = ledger.verify_all(project, options.documents)
    for row in findings.itertuples():
        print(
            ": ".join(part for part in (row.city_id, row.target_id, row.check, row.finding) if part)
        )
    if len(findings):
        print(
            f"{len(findings)} findings; a row, an exception or a document must be mended.",
            file=sys.stderr,
        )
        return 1
    targets = [city.targets for city in project.cities.values() if len(city.targets)]
    print(
        f"The ledgers agree with the documents: {sum(map(len, targets))} figures of {len(targets)} cities."
    )
    return 0


def _progress_template(options) -> None:
    table = tracking.progress_template(load_project(find_root()), options.city)
    if table.empty:
        print(
            f"Nothing of {options.city} is to be judged by reports: no promise in its targets.csv is tracked. Nothing was written.",
            file=sys.stderr,
        )
        return
    text = table.to_csv(index=False, lineterminator="\n")
    if options.output is None:
        sys.stdout.write(text)
        return
    options.output.parent.mkdir(parents=True, exist_ok=True)
    write_whole(options.output, text.encode())
    print(
        f"{len(table)} rows written; fill in reported_on, value and source_id. Rows left without a value count as no report."
    )


def _site(options) -> int:
    project = load_project(find_root())
    output = options.output or project.root / "site"
    site.check_output(output)
    with tempfile.TemporaryDirectory() as fresh:
        if options.reports is None:
            try:
                _, failed = export.write_reports(
                    project, sorted(project.cities), LANGUAGES, Path(fresh)
                )
            except KeyboardInterrupt:
                print("Interrupted. The site is as it was.", file=sys.stderr)
                return INTERRUPTED
            for name, error in failed.items():
                print(f"The report {name} failed; the site is as it was.\n{error}", file=sys.stderr)
            if failed:
                return 1
        first = site.build_site(project, output, options.reports or Path(fresh))
    print(f"Open {os.path.relpath(first)} in a browser.")
    return 0


def _report(options) -> int:
    project = load_project(find_root())
    if options.all == bool(options.city):
        raise ValueError(
            f"name a city or give --all, one of the two; cities: {', '.join(sorted(project.cities))}"
        )
    cities = sorted(project.cities) if options.all else [options.city]
    folder = options.output or project.root / REPORTS
    try:
        written, failed = export.write_reports(
            project, cities, [options.lang] if options.lang else LANGUAGES, folder
        )
    except KeyboardInterrupt:
        print(
            "Interrupted. Reports that were finished are there; of the others nothing was written.",
            file=sys.stderr,
        )
        return INTERRUPTED
    for name, error in failed.items():
        print(f"The report {name} failed; nothing of it was written.\n{error}", file=sys.stderr)
    if written:
        print(
            f"{len(written)} files written to {os.path.relpath(folder)}: {', '.join(path.name for path in written)}"
        )
    return 1 if failed else 0
