"""Figures: no label over a title, words and legends for many cities, numbers as the table has them."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from figure_cells import draw
from matplotlib.text import Text

import eldercare as ec
from eldercare.reporting import plots
from eldercare.reporting.language import LANGUAGES, load_language

YEAR = 2035
YEARS = range(2020, 2051)


def is_title(child, axis) -> bool:
    return isinstance(child, Text) and child.get_text() == axis.get_title("left") != ""


def overlaps(figure) -> list[tuple[str, str]]:
    """Labels and titles whose boxes lie over each other."""
    figure.canvas.draw()
    shown = [axis for axis in figure.axes if axis.get_visible()]
    titles = [
        *(text for axis in shown for text in axis.get_children() if is_title(text, axis)),
        *(text for text in figure.texts if text.get_text()),
    ]
    labels = [
        text for axis in shown for text in (axis.xaxis.label, axis.yaxis.label) if text.get_text()
    ]
    return [
        (label.get_text(), title.get_text())
        for label in labels
        for title in titles
        if label.get_window_extent().overlaps(title.get_window_extent())
    ]


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("ELDERCARE_FIGURES", str(tmp_path))
    return tmp_path


@pytest.fixture
def drawn(monkeypatch, folder):
    """The figures that are published, kept open."""
    found, close = [], plt.close
    monkeypatch.setattr(plt, "close", found.append)
    yield found
    close("all")


@pytest.fixture(scope="module")
def told(project, results):
    return ec.Results(project, results)


def cities(count, **more):
    """A table of as many cities with two series."""
    return pd.DataFrame(
        [
            {"city_id": f"city {city:02d}", "series": series, "year": year, **more}
            | {"low": 1.0, "central": 2.0 + city, "high": 30.0, "unit": "bed"}
            for city in range(count)
            for series in ("need", "today's use")
            for year in YEARS
        ]
    )


def legend(figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_no_label_lies_over_a_title_on_figures_of_several_panels(project, told, drawn):
    known = {"project": project, "results": told, "words": told.words}
    for name in (
        "05_two_methods",
        "04_prevalence",
        "06_supply",
        "06_per_100",
        "07_cost_items",
        "07_affordability",
        "03_people_60_plus",
    ):
        draw(name, **known)
    assert [overlaps(figure) for figure in drawn] == [[]] * 7


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_longest_name_of_a_quantity_lies_over_no_title_of_a_panel(project, drawn, code):
    words = load_language(project, code)
    longest = sorted(map(words.label, project.indicators["indicator"]), key=len)[-3:]
    for label in longest:
        table = cities(5, label=label)
        plots.band(project, table[table["year"] > 2048], "00_beds", words=words)
    assert [overlaps(figure) for figure in drawn] == [[]] * 3


def test_a_label_that_is_too_long_is_found(project, drawn):
    table = cities(5, label="beds and more words than a panel is high " * 5)
    plots.band(project, table, "03_people_60_plus")
    drawn[0].axes[0].set_ylabel(table["label"][0])
    assert overlaps(drawn[0]) != []


def test_of_more_than_twelve_cities_the_first_are_drawn_the_table_has_all_and_the_figure_says_so(
    project, drawn, folder
):
    plots.band(project, cities(14), "00_beds")
    shown = [axis.get_title("left") for axis in drawn[0].axes if axis.get_visible()]
    assert shown == [f"City {number:02d}" for number in range(12)]
    assert "Of 14, the first 12 are drawn" in drawn[0].texts[-1].get_text()
    assert pd.read_csv(folder / "00_beds.csv")["city_id"].nunique() == 14


def test_twelve_cities_have_twelve_lines_that_differ(project, drawn):
    table = cities(12)
    plots.band(project, table[table["series"] == "need"], "00_beds", panel="", hue="city_id")
    looks = {(line.get_color(), line.get_linestyle()) for line in drawn[0].axes[0].lines}
    assert len(looks) == 12 and len(legend(drawn[0])) == 13
    assert len({plots.colour_of(number) + plots.style_of(number) for number in range(24)}) == 24


def test_the_words_of_a_figure_are_those_of_the_language_and_its_table_is_the_same(
    project, drawn, folder
):
    tables = set()
    places = {"en": folder, "zh": folder / "zh"}
    for code, title, use in (
        ("en", "Beds needed", "today's habits carried on"),
        ("zh", "养老床位", "沿用现有"),
    ):
        plots.band(project, cities(2), "00_beds", words=load_language(project, code))
        assert title in drawn[-1].texts[0].get_text() and use in legend(drawn[-1])[1]
        tables.add((places[code] / "00_beds.csv").read_text("utf-8"))
    assert len(tables) == 1


def test_stacked_bars_end_at_the_sum_and_running_ones_at_the_last_row(project, drawn):
    table = pd.DataFrame(
        {"part": ["start", "ageing", "drift", "end"], "value": [10.0, 5.0, -3.0, 12.0]}
    )
    ends = {"form": "running", "accent": ["start", "end"], "panel": ""}
    plots.bars(project, table, "02_bases", ["part"], **ends)
    bars = drawn[0].axes[0].patches
    assert [(bar.get_x(), bar.get_width()) for bar in bars] == [(0, 10), (10, 5), (15, -3), (0, 12)]
    table = table.assign(row="one", value=[1.0, 2.0, 3.0, 4.0])
    plots.bars(project, table, "02_bases", ["row"], hue="part", form="stacked", panel="")
    assert [bar.get_x() for bar in drawn[1].axes[0].patches] == [0, 1, 3, 6]
    with pytest.raises(ValueError, match="is no form of bars"):
        plots.bars(project, table, "02_bases", ["row"], form="round")


def test_an_empty_table_gives_a_figure_that_says_so(project, drawn):
    plots.band(project, cities(1).iloc[:0], "00_beds")
    assert drawn[0].axes[0].texts[0].get_text() == "There is nothing on record to draw."


def test_a_panel_without_a_stock_says_so_and_a_mark_stands_in_its_year(project, drawn):
    table = cities(2)
    stock = table.iloc[[0]].assign(series="stock", year=2030, central=9.0)
    plots.band(project, pd.concat([table, stock]), "00_beds", missing=["stock"])
    one, other = (axis for axis in drawn[0].axes if axis.get_visible())
    marks = [line for line in one.lines if line.get_marker() == "s"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in marks] == [(2030, 9.0)]
    assert "not collected here" in other.texts[0].get_text()
    assert "not collected here" not in one.texts[0].get_text()


def test_a_figure_of_no_city_is_told_by_its_own_words(project, folder):
    words = load_language(project)
    table = pd.DataFrame({"series": "counted", "year": [2013, 2020], "central": [3.0, 2.0]})
    shown = plots.band(project, table.assign(unit="person"), "10_china", panel="", marker="o")
    title = words.phrase("figure_10_china")
    assert shown.alt == words.phrase("figure_10_china_alt", title=title)
