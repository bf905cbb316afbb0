"""The command line: good data are told to be good, a fault in plain words, and the exit code says
which.
"""

import os
import subprocess
import sys

import pytest
from conftest import ROOT

from eldercare.app import book, cli
from eldercare.inputs.draws import DEFAULT_DRAWS
from eldercare.inputs.load import load_project
from eldercare.reporting.language import LANGUAGES


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
    assert done.stderr.startswith("2 faults in the data; nothing was calculated.\n")
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
    monkeypatch.setattr(book, "execute_all", lambda *_: pytest.fail("the notebooks were run"))
    assert cli.main(["run"]) == 2
    assert "nothing was calculated" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fly"], "No such command 'fly'"),
        (["fly"], "There are: run, test, lab, desk"),
        (["reprot", "--all"], "Did you mean 'report'?"),
        (["report", "--al"], "Did you mean"),
        (["report", "lincang", "sanming"], "unexpected extra argument (sanming)"),
        (["areas"], "Missing option '--output'"),
        (["compare", "baseline", "--city", "lincang"], "Missing argument 'B'"),
        (["area", "嵊州", "--draws", "many"], "'many' is not a valid integer"),
    ],
)
def test_a_mistyped_command_is_told_with_the_way_to_the_help(arguments, said, capsys):
    assert cli.main(arguments) == 2
    told = capsys.readouterr()
    assert said in told.err and "--help' for help" in told.err and told.out == ""


def test_without_a_command_the_list_is_shown(capsys):
    assert cli.main([]) == 2
    told = capsys.readouterr().err
    assert all(name in told for name in cli.commands.commands)


@pytest.mark.parametrize("command", [[], *([name] for name in cli.commands.commands)])
def test_each_help_is_whole(command, capsys):
    assert cli.main([*command, "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "..." not in told.replace("[ARGS]...", "")
    shown = [cli.commands.commands[name] for name in command] or cli.commands.commands.values()
    assert all(" ".join(one.help.split()) in told for one in shown)
    said = [item.help for one in shown for item in one.params if command]
    assert all(said) and all(words in told for words in said)


def test_the_help_says_the_numbers_and_languages_of_the_library():
    assert (cli.DRAWS, cli.LANGUAGES) == (DEFAULT_DRAWS, LANGUAGES)


def test_the_help_needs_no_part_of_the_library_that_calculates():
    heavy = "numpy", "pandas", "xarray", "matplotlib", "dask", "numba", "nbformat"
    code = (
        "import sys\nfrom eldercare.app import cli\ncli.main(['--help'])\n"
        f"sys.exit(', '.join(sys.modules.keys() & {set(heavy)}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_an_interrupted_command_says_so(monkeypatch, capsys):
    def interrupted(root, cities):
        raise KeyboardInterrupt

    monkeypatch.setenv("ELDERCARE_PROJECT", str(ROOT))
    monkeypatch.setattr(book, "execute_all", interrupted)
    assert cli.main(["run"]) == cli.INTERRUPTED
    assert "Interrupted" in capsys.readouterr().err


def test_one_setting_names_the_cities_that_notebooks_go_on_with(monkeypatch):
    monkeypatch.setenv("ELDERCARE_CITIES", "shengzhou, lincang")
    assert list(load_project(ROOT).cities) == ["lincang", "shengzhou"]
    assert list(load_project(ROOT, cities=["sanming"]).cities) == ["sanming"]
    monkeypatch.setenv("ELDERCARE_CITIES", "nowhere")
    with pytest.raises(KeyError, match="no city “nowhere”; there are: chishui"):
        load_project(ROOT)
    assert len(load_project(ROOT, cities=()).cities) > 2


def test_one_city_is_run_by_the_notebooks_that_show_cities(monkeypatch, capsys):
    asked = []
    monkeypatch.setenv("ELDERCARE_PROJECT", str(ROOT))
    monkeypatch.setattr(book, "execute", lambda path, cities: asked.append((path.stem, *cities)))
    assert cli.main(["run", "--city", "nowhere"]) == 2 and not asked
    assert cli.main(["run", "--city", "lincang"]) == 0
    assert {city for _, city in asked} == {"lincang"}
    shown = {path.stem for path in book.notebook_paths(ROOT, "en")} - {name for name, _ in asked}
    assert shown == {"08_accuracy", "10_use_accuracy", "11_nation"}
