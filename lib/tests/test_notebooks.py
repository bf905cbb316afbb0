"""The notebooks as committed: executed, whole, light, and without a result typed by hand."""

import nbformat
import notebook_checks as checks
import pytest
from conftest import ROOT

FIGURES = ROOT / "figures"
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
BOOKS = {path.stem: nbformat.read(path, as_version=4) for path in PATHS}

each_notebook = pytest.mark.parametrize("name", BOOKS)


def test_there_are_notebooks_and_each_has_its_number():
    assert len(BOOKS) >= 8
    numbers = [int(name[:2]) for name in BOOKS if name[:2].isdigit()]
    assert numbers == list(range(len(numbers)))


@each_notebook
def test_a_notebook_is_a_sound_notebook(name):
    nbformat.validate(BOOKS[name])
    assert BOOKS[name].cells[0].cell_type == "markdown"
    assert BOOKS[name].cells[0].source.startswith("# ")


@each_notebook
@pytest.mark.parametrize("check", checks.OF_A_BOOK, ids=lambda check: check.__name__)
def test_a_notebook_has_nothing_wrong(name, check):
    assert check(BOOKS[name]) == []


@pytest.mark.parametrize(
    "name", ["README.md", "data/README.md", "data/phrases.csv", "data/indicators.csv"]
)
def test_no_text_says_that_nobody_published_what_is_not_collected_here(name):
    assert checks.said_to_be_unpublished((ROOT / name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_is_under_500_kb(path):
    assert checks.too_heavy(path) == []


def test_every_picture_has_a_twin_table_and_every_table_a_picture():
    assert len(list(FIGURES.glob("*.png"))) >= 12
    assert checks.figures_without_twin(FIGURES) == []


def test_every_figure_is_named_in_exactly_one_notebook():
    assert checks.figures_not_named_once(FIGURES, BOOKS) == []


@each_notebook
def test_a_notebook_shows_as_many_pictures_as_it_has_figures(name):
    number = name[:2] if name[:2].isdigit() else name
    assert len(checks.pictures(BOOKS[name])) == len(list(FIGURES.glob(f"{number}_*.png")))


def test_figures_holds_pictures_and_tables_only():
    assert {path.suffix for path in FIGURES.iterdir()} == {".png", ".csv"}
