"""On a figure of several panels no label of an axis lies over a title."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from eldercare.analysis.decomposition import FACTORS, OUTCOMES
from eldercare.reporting import charts, charts_care, charts_money

YEAR = 2035


def overlaps(figure) -> list[tuple[str, str]]:
    """Labels and titles whose boxes lie over each other."""
    figure.canvas.draw()
    shown = [axis for axis in figure.axes if axis.get_visible()]
    titles = [text for text in [*(axis.title for axis in shown), *figure.texts] if text.get_text()]
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
def drawn(monkeypatch, tmp_path):
    """What lies over each other on the figures that were published, and how many these were."""
    found, close = [], plt.close
    monkeypatch.setenv("ELDERCARE_FIGURES", str(tmp_path))

    def look(figure=None):
        found.append(overlaps(figure))
        close(figure)

    charts.set_style()
    monkeypatch.setattr(plt, "close", look)
    yield found
    close("all")


def means_of_causes(results) -> pd.DataFrame:
    parts = ["start", *FACTORS, "end"]
    return pd.DataFrame(
        [
            {"city_id": city, "outcome": OUTCOMES[0], "year": YEAR, "part": part, "mean": 20_000.0}
            | {"low": 0.0, "central": 0.0, "high": 0.0}
            for city in results
            for part in parts
        ]
    )


def test_no_label_lies_over_a_title_on_figures_of_several_panels(project, results, drawn):
    said = project, results
    charts_care.causes(*said, means_of_causes(results), YEAR, "x", "x", "x")
    charts_care.two_methods(*said, "x", "x", "x")
    charts_care.prevalence(project, "x", "x", "x")
    charts_money.supply(*said, "x", "x", "x")
    charts_money.ratios(*said, "x", "x", "x")
    charts_money.cost_groups(*said, "x", "x", "x")
    charts_money.affordability(*said, YEAR, "x", "x", "x")
    charts.paths(*said, "population_60_plus", "x", "x", "x")
    assert drawn == [[]] * 8


def test_the_name_of_no_quantity_lies_over_the_title_of_its_panel(project, results, drawn):
    for indicator in project.indicators["indicator"]:
        figure, axes = charts._grid(len(results))
        for axis, result in zip(axes, results.values()):
            charts._dress(axis, result)
        axes[0].set_ylabel(charts._axis_label(project, indicator, charts.MEANS))
        charts._finish(figure, "x", "x")
        plt.close(figure)
    assert [pairs for pairs in drawn if pairs] == []


def test_a_label_that_is_too_long_is_found(results, drawn):
    figure, axes = charts._grid(len(results))
    charts._dress(axes[0], next(iter(results.values())))
    axes[0].set_ylabel("beds, institutions and day care, and more words than a panel is high " * 2)
    charts._finish(figure, "x", "x")
    plt.close(figure)
    assert drawn[0] != []
