"""The library keeps its shape: packages in one line, few readers, small modules and functions."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import eldercare
from eldercare.app import book

FOLDER = Path(eldercare.__file__).parent
LIB = FOLDER.parent
TREES = {
    path.relative_to(FOLDER).with_suffix("").as_posix(): ast.parse(path.read_text("utf-8"))
    for path in sorted(FOLDER.rglob("*.py"))
}
MODULES = [name for name in TREES if not name.endswith(("__init__", "__main__"))]
# Not more than there are: a package that grows sideways must first shrink elsewhere. Twelve is the
# aim: analysis has grown to it by the plan and by what to do, which a report to decide by needs.
MOST_MODULES = {
    "inputs": 10, "engine": 3, "model": 21, "analysis": 12, "validation": 9, "documents": 12,
    "reporting": 14, "app": 10,
}  # fmt: skip
MOST_LINES, MOST_OF_A_FUNCTION = 670, 76
READERS = {
    "files",
    "messages",
    "engine/storage",
    "inputs/load",
    "inputs/reading",
    "inputs/ledger",
    "inputs/world",
    "documents/document_lines",
    "documents/drafts",
    "app/book",
    "app/lookup",
    "app/nation",
    "app/site",
}
IN_MEMORY = {"PIL.Image.open"}  # plots makes its pictures small before it writes them
READING = {"open", "loadtxt", "genfromtxt", "fromfile", "memmap", "load_dataset"}

each_module = pytest.mark.parametrize("module", MODULES)


def functions(tree: ast.AST):
    return [
        node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]


def is_reading(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    return (name in READING or name.startswith("read_")) and ast.unparse(call.func) not in IN_MEMORY


def reading_calls(tree: ast.AST) -> list[str]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and is_reading(node)]
    return [f"line {call.lineno}: {ast.unparse(call.func)}" for call in calls]


def test_packages_import_only_from_those_below_them():
    found = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=LIB, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout


def test_the_line_of_packages_names_each_one_and_is_told_by_the_docstring():
    folders = {path.parent.name for path in FOLDER.glob("*/__init__.py")}
    told = re.search(r"inputs -> .*", eldercare.__doc__)[0].split(" -> ")
    text = (LIB / "pyproject.toml").read_text("utf-8")
    held = re.findall(r'"(\w+)"', re.search(r"layers = \[(.*?)\]", text)[1])
    assert set(told) == folders == set(MOST_MODULES)
    assert told == held[::-1]


def test_layout_faults_and_types_are_told_before_any_test_is_run(monkeypatch):
    asked = []
    monkeypatch.setattr(book, "_module", lambda command, _folder: asked.append(command) or 1)
    monkeypatch.setattr(book, "_pytest", lambda *_: pytest.fail("the tests were run"))
    assert book.run_tests(LIB.parent) == 1
    assert asked == [book.STATIC_CHECKS[0]] and {one[0] for one in book.STATIC_CHECKS} == {
        "ruff",
        "mypy",
    }


@pytest.mark.parametrize("package", MOST_MODULES)
def test_a_package_has_few_modules(package):
    found = [name for name in MODULES if name.startswith(f"{package}/")]
    assert len(found) <= MOST_MODULES[package]


@pytest.mark.parametrize("module", sorted(set(MODULES) - READERS))
def test_a_module_that_is_no_reader_opens_no_file(module):
    assert reading_calls(TREES[module]) == []


def test_the_check_of_reading_sees_the_usual_ways():
    tree = ast.parse("open(p)\np.read_text()\npd.read_csv(p)\nnp.loadtxt(p)\nxr.open(p)\nwrite(p)")
    assert len(reading_calls(tree)) == 5


@each_module
def test_a_module_is_no_longer_than_the_longest_may_be(module):
    assert len((FOLDER / f"{module}.py").read_text("utf-8").splitlines()) <= MOST_LINES


@each_module
def test_a_function_is_no_longer_than_the_longest_may_be(module):
    sizes = {node.name: node.end_lineno - node.lineno + 1 for node in functions(TREES[module])}
    assert {name: size for name, size in sizes.items() if size > MOST_OF_A_FUNCTION} == {}


@pytest.mark.parametrize("module", TREES)
def test_every_module_and_public_function_says_what_it_is(module):
    tree = TREES[module]
    owners = [
        tree,
        *(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_"),
    ]
    members = [node for owner in owners for node in owner.body]
    named = [node for node in members if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    silent = [node.name for node in named if node.name[0] != "_" and not ast.get_docstring(node)]
    assert silent == []
    assert ast.get_docstring(tree) or module == "__main__"


@each_module
def test_no_formula_is_computed_from_a_machine_s_clock_or_chance(module):
    names = {
        ast.unparse(node) for node in ast.walk(TREES[module]) if isinstance(node, ast.Attribute)
    }
    seeded = {"np.random.default_rng", "np.random"} if module == "inputs/draws" else set()
    assert not [
        name for name in names - seeded if re.match(r"np\.random|random\.|time\.|datetime\.", name)
    ]


def test_what_the_package_offers_exists():
    assert all(callable(getattr(eldercare, name)) for name in eldercare.__all__)
    with pytest.raises(AttributeError):
        _ = eldercare.no_such_thing
