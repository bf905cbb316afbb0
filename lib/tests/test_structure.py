"""The library keeps its shape: imports go one way, one module reads the data, and it stays small."""

import ast
import re
from pathlib import Path

import pytest

import eldercare

FOLDER = Path(eldercare.__file__).parent
TREES = {path.stem: ast.parse(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.py"))}
ORDER = re.search(r"only from its left:(.*?)\.\s", eldercare.__doc__, re.DOTALL)[1].replace(",", " ").split()
EXEMPT = {"__init__", "__main__"}
BESIDE = {"ledger": {"schema", "load", "reading"}}
READERS = {"load", "reading", "book", "bench", "ledger", "site"}
IN_MEMORY = {"PIL.Image.open"}  # charts makes its pictures small before it writes them
READING = {"open", "loadtxt", "genfromtxt", "fromfile", "memmap", "load_dataset"}

each_module = pytest.mark.parametrize("module", TREES)


def own_imports(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            inside = node.level or (node.module or "").split(".")[0] == "eldercare"
            path = (node.module or "").removeprefix("eldercare").strip(".")
            if inside:
                found |= {path.split(".")[0]} if path else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("eldercare.")}
    return found


def functions(tree: ast.AST):
    return [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def is_reading(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    return (name in READING or name.startswith("read_")) and ast.unparse(call.func) not in IN_MEMORY


def reading_calls(tree: ast.AST) -> list[str]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and is_reading(node)]
    return [f"line {call.lineno}: {ast.unparse(call.func)}" for call in calls]


def test_every_module_has_its_place_in_the_line():
    assert len(ORDER) == len(set(ORDER)) >= 16
    assert set(TREES) == {*ORDER, *EXEMPT, *BESIDE}


@each_module
def test_a_module_imports_only_from_its_left(module):
    if module in EXEMPT:
        allowed = set(ORDER)
    else:
        allowed = BESIDE[module] if module in BESIDE else set(ORDER[: ORDER.index(module)])
    assert own_imports(TREES[module]) <= allowed


def test_the_check_of_imports_sees_every_way_to_import():
    lines = "from . import a", "from .b import x", "from eldercare.c import x", "import eldercare.d, numpy"
    assert own_imports(ast.parse("\n".join(lines))) == {"a", "b", "c", "d"}


@pytest.mark.parametrize("module", sorted(set(TREES) - READERS))
def test_a_module_that_is_no_reader_opens_no_file(module):
    assert reading_calls(TREES[module]) == []


def test_the_check_of_reading_sees_the_usual_ways():
    tree = ast.parse("open(p)\np.read_text()\npd.read_csv(p)\nnp.loadtxt(p)\nxr.open(p)\nwrite(p)")
    assert len(reading_calls(tree)) == 5


@each_module
def test_a_module_has_at_most_450_lines(module):
    assert len((FOLDER / f"{module}.py").read_text("utf-8").splitlines()) <= 450


@each_module
def test_a_function_has_at_most_45_lines(module):
    sizes = {node.name: node.end_lineno - node.lineno + 1 for node in functions(TREES[module])}
    assert {name: size for name, size in sizes.items() if size > 45} == {}


@each_module
def test_every_module_and_public_function_says_what_it_is(module):
    tree = TREES[module]
    owners = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_")]
    members = [node for owner in owners for node in owner.body]
    named = [node for node in members if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    silent = [node.name for node in named if node.name[0] != "_" and not ast.get_docstring(node)]
    assert silent == []
    assert ast.get_docstring(tree) or module == "__main__"


@pytest.mark.parametrize("module", sorted(set(TREES) - {"bench"}))
def test_no_formula_is_computed_from_a_machine_s_clock_or_chance(module):
    names = {ast.unparse(node) for node in ast.walk(TREES[module]) if isinstance(node, ast.Attribute)}
    seeded = {"np.random.default_rng", "np.random"} if module == "draws" else set()
    assert not [name for name in names - seeded if re.match(r"np\.random|random\.|time\.|datetime\.", name)]


def test_what_the_package_offers_exists():
    assert all(callable(getattr(eldercare, name)) for name in eldercare.__all__)
