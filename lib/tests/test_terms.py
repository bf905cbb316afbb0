"""The glossary: one word for one thing, in both editions of the notebooks, the reports' phrases and the labels."""

import re

import nbformat
import pytest
from conftest import ROOT

from eldercare.app.book import notebook_paths
from eldercare.inputs.load import file_rows

ROWS = [
    [cell.strip() for cell in line.strip("| ").split("|")]
    for line in (ROOT / "docs" / "terms.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and " · " in line
][1:]
TERMS = {row[1]: (row[2], row[3].split(", ") if len(row) > 3 else []) for row in ROWS}


@pytest.fixture(scope="module")
def chinese(project):
    """All Chinese that is written by hand, by where it stands."""
    texts = {"README.zh.md": (ROOT / "README.zh.md").read_text("utf-8")}
    for path in notebook_paths(ROOT, "zh"):
        cells = nbformat.read(path, as_version=4).cells
        words = [cell.source for cell in cells if cell.cell_type == "markdown"]
        texts[f"notebooks/zh/{path.name}"] = "\n".join(words)
    for name, table, key, column in (
        ("phrases", project.phrases, "phrase_id", "zh"),
        ("indicators", project.indicators, "indicator", "label_zh"),
        *(
            ("recommendations", project.recommendations, "rule", column)
            for column in project.recommendations.columns
            if column.endswith("_zh")
        ),
        ("assumption_steps", project.assumption_steps, "assumption", "label_zh"),
    ):
        texts |= {f"{name}.csv, {row[key]}": row[column] for row in table.to_dict("records")}
    said = file_rows(ROOT, "data/messages.csv")
    return texts | {f"messages.csv, {row}": text for row, text in said["zh"].items()}


def test_every_term_has_a_word_in_both_languages():
    assert len(TERMS) == len(ROWS) > 20
    assert all(english and chinese for english, (chinese, _) in TERMS.items())


@pytest.mark.parametrize("english", TERMS)
def test_a_term_is_used_and_no_other_word_for_it(chinese, english):
    word, others = TERMS[english]
    assert any(word in text for text in chinese.values())
    found = [(place, other) for place, text in chinese.items() for other in others if other in text]
    assert found == []


def test_habits_carried_on_have_one_name_in_english(project):
    """What stands in the last column is Chinese; that once called "today's use" has one name too."""
    texts = {name: (ROOT / name).read_text("utf-8") for name in ("README.md", "docs/terms.md")}
    for path in notebook_paths(ROOT, "en"):
        cells = nbformat.read(path, as_version=4).cells
        words = [cell.source for cell in cells if cell.cell_type == "markdown"]
        texts[f"notebooks/{path.name}"] = "\n".join(words)
    for name in ("phrases", "recommendations", "indicators", "assumptions"):
        texts[f"{name}.csv"] = "\n".join(map(str, getattr(project, name).to_numpy().ravel()))
    name = "today's habits carried on"
    assert name in TERMS and name in texts["phrases.csv"]
    found = [place for place, text in texts.items() if re.search("today['’]s use", text)]
    assert found == []
