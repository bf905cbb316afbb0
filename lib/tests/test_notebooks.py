"""The notebooks of both languages as committed: executed, whole, light, and without a result typed by hand."""

import shutil

import nbformat
import notebook_checks as checks
import pandas as pd
import pytest
from conftest import ROOT

from eldercare.app.book import check_figure_data, notebook_paths
from eldercare.inputs.load import find_root
from eldercare.reporting.language import LANGUAGES, edition, load_language

FIGURES = {code: edition(ROOT / "figures", code) for code in LANGUAGES}
PATHS = {(code, path.stem): path for code in LANGUAGES for path in notebook_paths(ROOT, code)}
BOOKS = {one: nbformat.read(path, as_version=4) for one, path in PATHS.items()}
NAMES = [name for code, name in BOOKS if code == LANGUAGES[0]]

each_notebook = pytest.mark.parametrize("one", BOOKS, ids="_".join)
each_name = pytest.mark.parametrize("name", NAMES)
each_language = pytest.mark.parametrize("code", LANGUAGES)


def test_there_are_notebooks_and_each_has_its_number():
    assert len(NAMES) >= 8
    numbers = [int(name[:2]) for name in NAMES if name[:2].isdigit()]
    assert numbers == list(range(len(numbers)))


def test_every_notebook_is_there_in_every_language():
    assert set(BOOKS) == {(code, name) for code in LANGUAGES for name in NAMES}


@each_name
def test_the_code_is_the_same_in_every_language_byte_for_byte(name):
    """And so are the cells' ids, tags and order: words alone differ."""
    english, chinese = (BOOKS[code, name].cells for code in LANGUAGES)
    assert [(cell.id, cell.cell_type, cell.metadata) for cell in english] == [
        (cell.id, cell.cell_type, cell.metadata) for cell in chinese
    ]
    for one, other in zip(english, chinese):
        assert (one.source == other.source) == (one.cell_type == "code"), one.id


@pytest.fixture(scope="module")
def cited(project):
    """What is cited as it stands: sources, the places in them that rows of assumptions name, and the short names of
    published series.
    """
    titles = project.sources[["title_en", "title_zh", "issuer"]].to_numpy().ravel()
    own = [city.assumptions for city in project.cities.values()]
    places = pd.concat([project.assumptions, *own])["locator"]
    series = project.china.published_care_need["series"].str.replace("_", " ")
    return {*titles, *places, *series}


@each_name
def test_no_english_is_left_in_a_chinese_notebook(name, cited):
    assert checks.english(BOOKS["zh", name], cited) == []


@each_notebook
def test_a_notebook_is_a_sound_notebook(one):
    nbformat.validate(BOOKS[one])
    assert BOOKS[one].cells[0].cell_type == "markdown"
    assert BOOKS[one].cells[0].source.startswith("# ")


@each_notebook
@pytest.mark.parametrize("check", checks.OF_A_BOOK, ids=lambda check: check.__name__)
def test_a_notebook_has_nothing_wrong(one, check):
    assert check(BOOKS[one]) == []


@pytest.mark.parametrize(
    "name",
    ["README.md", "README.zh.md", "data/README.md", "data/phrases.csv", "data/indicators.csv"],
)
def test_no_text_says_that_nobody_published_what_is_not_collected_here(name):
    assert checks.said_to_be_unpublished((ROOT / name).read_text(encoding="utf-8")) == []


@each_notebook
def test_a_notebook_is_under_500_kb(one):
    assert checks.too_heavy(PATHS[one]) == []


@each_language
def test_every_picture_has_a_twin_table_and_every_table_a_picture(code):
    assert len(list(FIGURES[code].glob("*.png"))) >= 12
    assert checks.figures_without_twin(FIGURES[code]) == []


@each_language
def test_every_figure_is_named_in_exactly_one_notebook(code):
    books = {name: BOOKS[code, name] for name in NAMES}
    assert checks.figures_not_named_once(FIGURES[code], books) == []


@each_notebook
def test_a_notebook_shows_as_many_pictures_as_it_has_figures(one):
    code, name = one
    number = name[:2] if name[:2].isdigit() else name
    assert len(checks.pictures(BOOKS[one])) == len(list(FIGURES[code].glob(f"{number}_*.png")))


def test_the_figures_of_every_language_have_the_same_numbers(tmp_path):
    for path in FIGURES["en"].glob("*.csv"):
        shutil.copy(path, tmp_path)
    assert check_figure_data(tmp_path, FIGURES["zh"]) == []


def test_figures_holds_pictures_and_tables_only():
    files = [path for path in (ROOT / "figures").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".png", ".csv"}
    assert {path.parent for path in files} == set(FIGURES.values())


def test_a_run_speaks_the_language_of_its_setting_else_of_its_folder(project, monkeypatch):
    monkeypatch.delenv("ELDERCARE_LANGUAGE", raising=False)
    monkeypatch.delenv("ELDERCARE_PROJECT", raising=False)
    for code in LANGUAGES:
        monkeypatch.chdir(edition(ROOT / "notebooks", code))
        assert find_root() == ROOT and load_language(project).code == code
    monkeypatch.setenv("ELDERCARE_LANGUAGE", "en")
    assert load_language(project).code == "en"
