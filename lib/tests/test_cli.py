"""The command line: good data are told to be good, a fault in plain words, and the exit code says which."""

import os
import subprocess
import sys

import pytest
from conftest import ROOT

from eldercare.app import cli


def run_check(root):
    return subprocess.run(
        [sys.executable, "-m", "eldercare", "check"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, "ELDERCARE_PROJECT": str(root), "PYTHONUTF8": "1"},
    )


def test_good_data_are_in_order(project):
    done = run_check(ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"The data are in order: {len(project.cities)} cities")


def test_a_fault_is_told_without_a_traceback(small_copy):
    small_copy.change("assumptions.csv", 4, unit="beds")
    small_copy.change("cities/lincang/capacity.csv", 2, value="many")
    done = run_check(small_copy.root)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("2 faults in the data; nothing was reckoned.\n")
    assert "  assumptions.csv, row 4, column unit: “beds” must be one of" in done.stderr
    assert (
        "  cities/lincang/capacity.csv, row 2, column value: “many” is not a number" in done.stderr
    )
    assert "Traceback" not in done.stderr


def test_a_missing_file_is_told_without_a_traceback(small_copy, monkeypatch, capsys):
    (small_copy.data / "indicators.csv").unlink()
    monkeypatch.setenv("ELDERCARE_PROJECT", str(small_copy.root))
    assert cli.main(["check"]) == 2
    assert "indicators.csv: the file is missing" in capsys.readouterr().err


def test_outside_a_project_it_says_where_to_start(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("ELDERCARE_PROJECT", raising=False)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["check"]) == 2
    assert "start in the project's folder" in capsys.readouterr().err


def test_nothing_runs_on_faulty_data(small_copy, monkeypatch, capsys):
    small_copy.change("assumptions.csv", 4, unit="beds")
    monkeypatch.setenv("ELDERCARE_PROJECT", str(small_copy.root))
    monkeypatch.setattr(cli.book, "execute_all", lambda root: pytest.fail("the notebooks were run"))
    assert cli.main(["run"]) == 2
    assert "nothing was reckoned" in capsys.readouterr().err


def test_an_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["fly"])
    assert left.value.code == 2
    assert "invalid choice" in capsys.readouterr().err
