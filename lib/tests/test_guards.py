"""The guards themselves: each finds the fault it is there for."""

import copy

import nbformat
import notebook_checks as checks
import pytest
from conftest import ROOT

from eldercare.app import book

TABLE = "city_id,year,central\nlincang,2030,123.4\nlincang,2035,150\n"


@pytest.fixture
def twins(tmp_path):
    """Two folders with the same figure and twin: what is committed, and what a new run wrote."""
    folders = tmp_path / "committed", tmp_path / "fresh"
    for folder in folders:
        folder.mkdir()
        (folder / "05_beds.csv").write_text(TABLE, "utf-8")
        (folder / "05_beds.png").write_bytes(b"picture")
    return folders


def test_equal_twins_are_no_difference(twins):
    assert book.check_figure_data(*twins) == []


def test_a_changed_number_is_found_with_its_row(twins):
    (twins[1] / "05_beds.csv").write_text(TABLE.replace("123.4", "123.5"), "utf-8")
    assert book.check_figure_data(*twins) == [
        "figures/05_beds.csv, row 2: committed “lincang,2030,123.4”, now “lincang,2030,123.5”"
    ]


def test_one_number_of_very_many_may_be_rounded_otherwise(twins):
    rows = "".join(f"chishui,{year},{year}.5\n" for year in range(1000, 7000))
    for folder, number in zip(twins, ("9353000", "9354000")):
        (folder / "05_beds.csv").write_text(f"{TABLE}lincang,2050,{number}\n{rows}", "utf-8")
    assert book.check_figure_data(*twins) == []
    text = (twins[1] / "05_beds.csv").read_text("utf-8")
    for changed in (
        text.replace("9354000", "9355000"),
        text.replace("lincang,2050", "lincang,2051"),
        text.replace("1000.5", "1001.5"),
    ):
        (twins[1] / "05_beds.csv").write_text(changed, "utf-8")
        assert book.check_figure_data(*twins)


def test_a_row_more_or_less_is_found(twins):
    (twins[1] / "05_beds.csv").write_text(TABLE + "lincang,2050,9\n", "utf-8")
    assert book.check_figure_data(*twins) == ["figures/05_beds.csv: committed 3 rows, now 4"]
    assert book.check_figure_data(*twins[::-1]) == ["figures/05_beds.csv: committed 4 rows, now 3"]


def test_a_twin_that_no_notebook_writes_any_more_is_found(twins):
    (twins[1] / "05_beds.csv").unlink()
    assert book.check_figure_data(*twins) == [
        "figures/05_beds.csv: committed, but no notebook writes it"
    ]


def test_a_twin_that_is_not_committed_is_found(twins):
    (twins[1] / "05_new.csv").write_text(TABLE, "utf-8")
    assert book.check_figure_data(*twins) == [
        "figures/05_new.csv: written by a notebook, but not committed"
    ]


def test_the_twins_of_the_chinese_edition_are_compared_too(twins):
    for folder, central in zip(twins, ("123.4", "123.5")):
        (folder / "zh").mkdir()
        (folder / "zh" / "05_beds.csv").write_text(TABLE.replace("123.4", central), "utf-8")
    (line,) = book.check_figure_data(*twins)
    assert line.startswith("figures/zh/05_beds.csv, row 2: ")


def test_a_picture_without_a_twin_is_found(twins):
    (twins[0] / "05_alone.png").write_bytes(b"picture")
    assert book.check_figure_data(*twins) == [
        "figures/05_alone.png: a picture without a twin table"
    ]
    assert checks.figures_without_twin(twins[0]) == ["05_alone"]


@pytest.fixture(scope="module")
def committed():
    return nbformat.read(ROOT / "notebooks" / "05_beds.ipynb", as_version=4)


@pytest.fixture
def damaged(committed):
    """A copy of a committed notebook, to be damaged."""
    return copy.deepcopy(committed)


def picture_of(notebook):
    return checks.pictures(notebook)[0]


def clear_outputs(notebook):
    for cell in checks.code_cells(notebook):
        cell.outputs = []


def clear_one_output(notebook):
    cell = next(cell for cell in checks.code_cells(notebook) if cell.outputs)
    cell.outputs = []


def swap_order(notebook):
    first, second, *_ = checks.code_cells(notebook)
    first.execution_count, second.execution_count = second.execution_count, first.execution_count


def never_run(notebook):
    for cell in checks.code_cells(notebook):
        cell.execution_count = None


def run_twice(notebook):
    for cell in checks.code_cells(notebook):
        cell.execution_count += 20


def add_output(*arguments, **fields):
    def damage(notebook):
        checks.code_cells(notebook)[-1].outputs.append(nbformat.v4.new_output(*arguments, **fields))

    return damage


def add_code(source):
    def damage(notebook):
        notebook.cells.append(nbformat.v4.new_code_cell(source))

    return damage


def add_words(source):
    def damage(notebook):
        notebook.cells.append(nbformat.v4.new_markdown_cell(source))

    return damage


def take_words(notebook):
    picture_of(notebook).metadata.pop("image/png")


DAMAGES = {
    "all outputs cleared": (clear_outputs, checks.without_output),
    "one output cleared": (clear_one_output, checks.without_output),
    "cells executed out of order": (swap_order, checks.not_executed_in_order),
    "cells never executed": (never_run, checks.not_executed_in_order),
    "cells executed a second time": (run_twice, checks.not_executed_in_order),
    "a warning": (add_output("stream", name="stderr", text="UserWarning: old"), checks.complaints),
    "an error": (add_output("error", ename="KeyError", evalue="", traceback=[]), checks.complaints),
    "a path of the machine": (add_output("stream", text="/home/me/data"), checks.machine_paths),
    "an axes object": (
        add_output("execute_result", data={"text/plain": "<Axes: >"}),
        checks.unrepeatable,
    ),
    "inline svg": (
        add_output("display_data", data={"image/svg+xml": "<svg/>"}),
        checks.unrepeatable,
    ),
    "a function": (add_code("def double(x):\n    return 2 * x"), checks.definitions),
    "a class": (add_code("class City:\n    pass"), checks.definitions),
    "a path": (add_code("open('data/assumptions.csv')"), checks.paths),
    "a path of Windows": (add_code("place = 'data\\\\cities'"), checks.paths),
    "a long cell": (add_code("x = 1\n" * (checks.MOST_LINES + 1)), checks.too_large),
    "too many cells": (
        lambda notebook: notebook.cells.extend(notebook.cells * 2),
        checks.too_large,
    ),
    "a mark for nbval": (add_code("# NBVAL_IGNORE_OUTPUT\n1"), checks.excuses),
    "a picture without words": (take_words, checks.pictures_without_words),
    "a count in the text": (add_words("Lincang needs 12,345 beds."), checks.typed_results),
    "a ratio in the text": (add_words("That is 32.5 beds."), checks.typed_results),
    "a figure nobody published": (
        add_words("No city publishes its own."),
        checks.unpublished_figures,
    ),
}


@pytest.mark.parametrize(("damage", "check"), DAMAGES.values(), ids=DAMAGES)
def test_a_damage_to_a_notebook_is_found(damaged, committed, damage, check):
    damage(damaged)
    assert len(check(damaged)) > len(check(committed))


@pytest.mark.parametrize(
    "words", ["2020 to 2050, ages 60–64", "$0.5 x$", "per 1,000 or 10,000", "80 %"]
)
def test_years_ages_formulas_and_bases_of_ratios_are_no_typed_results(words):
    assert (
        checks.typed_results(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(words)]))
        == []
    )


def test_a_heavy_notebook_is_found(tmp_path):
    path = tmp_path / "00_heavy.ipynb"
    path.write_bytes(b" " * checks.MOST_BYTES)
    assert checks.too_heavy(path) == ["00_heavy.ipynb has 500,000 bytes"]


def test_a_figure_named_twice_or_never_is_found(twins):
    cell = nbformat.v4.new_code_cell('paths("05_beds")')
    one = nbformat.v4.new_notebook(cells=[cell])
    assert checks.figures_not_named_once(twins[0], {"05": one}) == []
    assert checks.figures_not_named_once(twins[0], {"05": one, "00": one}) == [
        "05_beds: ['05', '00']"
    ]
    assert checks.figures_not_named_once(twins[0], {}) == ["05_beds: []"]
