"""Figures and sentences of the back-test of use, from tidy frames; words are rows of
data/phrases.csv.
"""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from IPython.display import Image
from matplotlib.ticker import FuncFormatter, MaxNLocator

from eldercare.inputs.load import Project
from eldercare.reporting.charts import INK, MARK, WIDTH, _finish, colour_of, publish
from eldercare.reporting.language import Language, load_language
from eldercare.validation.use_back_test import DRIFT, FROZEN
from eldercare.validation.use_findings import ASKED_COVERAGE, ASKED_ERROR


def ranges(
    project: Project,
    table: pd.DataFrame,
    name: str,
    rows: str,
    panel: str = "",
    hue: str = "",
    marks: Sequence[str] = (),
) -> Image:
    """A dot and its range across, a row for each of some keys in the order of the table, a panel
    for each of another.

    table : the keys, low, central, high [share]; further columns in `marks`, each drawn as a stroke
    """
    words = load_language(project)
    panels = list(dict.fromkeys(table[panel])) if panel else [""]
    labels = list(dict.fromkeys(table[rows]))
    kinds = list(dict.fromkeys(table[hue])) if hue else [""]
    figure, axes = plt.subplots(
        1, len(panels), figsize=(WIDTH, 1.3 + 0.34 * len(labels)), sharey=True, squeeze=False
    )
    drawn: dict = {}
    for axis, key in zip(axes.flat, panels):
        here = table[table[panel] == key] if panel else table
        for number, kind in enumerate(kinds):
            part = here[here[hue] == kind] if hue else here
            places = [labels.index(label) for label in part[rows]]
            places = [place + (number - (len(kinds) - 1) / 2) * 0.24 for place in places]
            label = words.part(hue, kind) if hue else words.phrase(f"figure_{name}_dot")
            axis.hlines(places, part["low"], part["high"], colour_of(number), alpha=0.45, lw=4)
            drawn[label] = axis.scatter(
                part["central"], places, s=26, color=colour_of(number), zorder=3
            )
            for mark in marks:
                drawn[words.part("column", mark)] = axis.scatter(
                    part[mark], places, s=90, marker="|", linewidth=2, color=MARK, zorder=4
                )
        axis.axvline(0, color=INK, linewidth=0.8)
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:g}%"))
        axis.xaxis.set_major_locator(MaxNLocator(5 if panel else 9))
        axis.set_yticks(range(len(labels)), [words.part(rows, label) for label in labels])
        axis.grid(axis="y", visible=False)
        axis.set_title(words.part(panel, str(key)) if panel else "")
        sns.despine(ax=axis)
    axes[0, 0].set_ylim(len(labels) - 0.5, -0.5)
    axes[0, len(panels) // 2].set_xlabel(words.phrase(f"figure_{name}_axis"))
    keys = [key for key in (rows, panel, hue) if key]
    return _written(
        project, words, name, figure, drawn, table[[*keys, "low", "central", "high", *marks]]
    )


def band(project: Project, table: pd.DataFrame, name: str, hue: str = "series") -> Image:
    """Lines by year with their ranges, a colour a series; table: hue, year, low, central, high."""
    words = load_language(project)
    figure, axis = plt.subplots(figsize=(WIDTH, 3.6))
    drawn: dict = {}
    for number, (kind, part) in enumerate(table.groupby(hue, sort=False)):
        colour = colour_of(number)
        axis.fill_between(part["year"], part["low"], part["high"], color=colour, alpha=0.18, lw=0)
        (drawn[words.part(hue, kind)],) = axis.plot(
            part["year"], part["central"], color=colour, marker="o", markersize=4
        )
    axis.set_ylim(bottom=0)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.yaxis.set_major_formatter(FuncFormatter(words.given))
    axis.set_ylabel(words.phrase(f"figure_{name}_axis"))
    sns.despine(ax=axis)
    return _written(
        project, words, name, figure, drawn, table[[hue, "year", "low", "central", "high"]]
    )


def _written(
    project: Project, words: Language, name: str, figure, drawn: dict, twin: pd.DataFrame
) -> Image:
    title = words.phrase(f"figure_{name}")
    source = words.phrase(f"figure_{name}_source")
    _finish(figure, title, source, list(drawn.values()), list(drawn))
    return publish(project, name, figure, twin, words.phrase(f"figure_{name}_alt", title=title))


def places_named(project: Project, words: Language, table: pd.DataFrame) -> pd.DataFrame:
    """The table with the names of its places in the language, in place of their codes."""
    about = project.world.care_use_series.drop_duplicates("place").to_dict("records")
    names = {row["place"]: words.text(row, "place") for row in about}
    return table.assign(place=table["place"].map(names))


def answer_sentences(
    words: Language, ways: pd.DataFrame, coarser: pd.DataFrame, cover: pd.DataFrame, horizon: int
) -> list[str]:
    """How wrong frozen rates were, how wrong the learned drift, the best of the other ways, and the
    ranges.

    ways, coarser, cover : see `errors_by_way`, `coarser_closer`, `coverage_by_horizon` of
                           use_findings
    """
    late = (
        ways[ways["near"] == horizon]
        .assign(share_asked=ASKED_ERROR)
        .set_index("method", drop=False)
    )
    others = late.drop(index=[DRIFT, FROZEN]).sort_values("share_absolute")
    low, high = ASKED_COVERAGE
    asked = cover.assign(share_asked_low=low, share_asked_high=high)
    told = asked["as_asked"].map({True: "use_covered", False: "use_not_covered"})
    return [
        *words.sentences("use_frozen", late.loc[[FROZEN]]),
        *words.sentences("use_learned", late.loc[[DRIFT]]),
        *words.sentences("use_other_way", others.head(1)),
        *words.sentences("use_coarser", coarser),
        *[words.sentences(name, asked.loc[[row]])[0] for row, name in told.items()],
    ]


def told(words: Language, table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Some columns of a tidy table as texts under their names: shares in per cent, `range` and
    `expected` of     low, central and high; what is not there stays empty."""
    cells = {
        words.part("column", column): [
            _cell(words, column, row) for row in table.to_dict("records")
        ]
        for column in columns
    }
    return pd.DataFrame(cells)


def _cell(words: Language, column: str, row: dict) -> str:
    if column in ("range", "expected"):
        return words.range(row, "share")
    cell = row[column]
    if isinstance(cell, float) and np.isnan(cell):
        return ""
    if isinstance(cell, str):
        return words.part(column, cell)
    if column.startswith("share") or column == "drift":
        return words.percent(cell)
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)


def absolute_errors(words: Language, ways: pd.DataFrame) -> pd.DataFrame:
    """Mean absolute error of each way, a column a horizon, in per cent; see
    `use_findings.errors_by_way`.
    """
    head = words.part("column", "method")
    told_ways = pd.DataFrame(
        {
            head: [words.part("method", method) for method in ways["method"]],
            "near": [words.part("near", str(near)) for near in ways["near"]],
            "text": ways["share_absolute"].map(words.percent),
        }
    )
    wide = told_ways.pivot_table("text", head, "near", aggfunc="first", sort=False)
    return wide.rename_axis(columns=words.part("column", "share_absolute"))


def factors(table: pd.DataFrame) -> pd.DataFrame:
    """The place factors as sentences want them: the half-width as a factor, slopes as shares."""
    return table.rename(
        columns={name: f"share_{name}" for name in ("slope", "slope_low", "slope_high")}
    ).assign(factor=np.exp(table["half_width"]).map("{:.2f}".format))


def local_row(table: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """The row of the learned drift at a horizon, with the error of frozen rates beside it."""
    late = table[table["near"] == horizon].set_index("method")["mean_absolute_error"]
    row = table[(table["near"] == horizon) & (table["method"] == DRIFT)]
    return row.assign(
        share_absolute=late[DRIFT], share_frozen=late[FROZEN], share_inside=row["coverage"]
    )
