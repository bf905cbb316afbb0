"""`python -m eldercare …`: the commands behind make."""

from __future__ import annotations

import argparse
import subprocess
import sys

from . import bench, book
from .load import find_root, load_project
from .schema import DataFault


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code. A fault in the data is told in plain words, without a traceback."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return options.action(options) or 0
    except (DataFault, FileNotFoundError, KeyError) as error:
        message = error.args[0] if isinstance(error, KeyError) else error
        print(message, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="eldercare", description="Eldercare planning notebooks for Chinese cities")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, action, words in (
        ("run", _run, "run all notebooks and write figures/"),
        ("test", _test, "run all that CI runs"),
        ("lab", _lab, "open JupyterLab on the notebooks"),
        ("bench", _bench, "measure speed and memory"),
        ("check", _check, "read and check the data only"),
    ):
        commands.add_parser(name, help=words).set_defaults(action=action)
    return parser


def _run(_options) -> int:
    root = find_root()
    load_project(root)
    failed = book.execute_all(root)
    if failed:
        print(f"{len(failed)} notebooks failed: {', '.join(path.name for path in failed)}", file=sys.stderr)
        return 1
    print("Begin reading with notebooks/00_summary.ipynb; the figures and their tables are in figures/.")
    return 0


def _test(_options) -> int:
    root = find_root()
    load_project(root)
    return book.run_tests(root)


def _lab(_options) -> int:
    return subprocess.run([sys.executable, "-m", "jupyterlab", str(find_root() / "notebooks")], check=False).returncode


def _bench(_options) -> None:
    bench.run_bench(find_root())


def _check(_options) -> None:
    project = load_project(find_root())
    print(f"The data are in order: {len(project.cities)} cities, {len(project.assumptions)} national assumptions.")
