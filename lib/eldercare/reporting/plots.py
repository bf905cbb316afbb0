"""Figures from tidy tables: lines with ranges, layers, bars, ranges, pyramids, dots, a line of
time.

Each takes the project, a tidy table and the figure's name; further arguments are those of `Sheet`.
Columns
are named: `panel` divides the table into panels, `hue` into colours.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import Image
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from eldercare.inputs.load import Project
from eldercare.model.chain import TOTAL
from eldercare.reporting.blocks import text_width
from eldercare.reporting.sheet import INK, MARK, MOST, PALETTE, SOFT, Sheet

LAYERS = [*PALETTE, SOFT, INK]
LINE_STYLES = ("-", "--", "-.", ":")
FORMS = ("side", "stacked", "running")
REPORT: dict[str, Any] = {"width": 7.2, "height": 2.6, "source": ""}  # a figure in a city's report
MARKS: dict[str, dict[str, Any]] = {
    "promised": {"marker": "D", "markersize": 7, "color": MARK},
    "stock": {"marker": "s", "markersize": 6, "color": INK},
}
STROKE: dict[str, Any] = {
    "marker": "|",
    "markersize": 13,
    "markeredgewidth": 2,
    "color": INK,
    "linestyle": "none",
}
LANE_HEIGHT, STAGE_STEP, LETTERS_A_YEAR = 1.12, 0.095, 14
MOMENTS: dict[str, dict[str, Any]] = {
    "deadline": {"height": 0, "color": INK, "marker": "|", "markersize": 11},
    "goal of a year": {"height": 0.17, "color": PALETTE[1], "marker": "^", "markersize": 6},
    "issued": {"height": 0, "color": MARK, "marker": "D", "markersize": 7, "zorder": 4},
}


def colour_of(number: int) -> str:
    """Colour of a line or bar by its number; they begin again after the last, see `style_of`."""
    return PALETTE[number % len(PALETTE)]


def style_of(number: int) -> str:
    """Line of a number; when the colours begin again it is another one, so that no two of 24 look
    alike.
    """
    return LINE_STYLES[(number + number // len(PALETTE)) % len(LINE_STYLES)]


def band(
    project: Project,
    table: pd.DataFrame,
    name: str,
    panel: str = "city_id",
    hue: str = "series",
    x: str = "year",
    middle: str = "central",
    missing: Sequence[str] = (),
    reference: Mapping[str, float] | None = None,
    log: bool = False,
    marker: str = "",
    **sheet: Any,
) -> Image:
    """Lines with their 80 % ranges, a colour a series; what was promised and the existing beds are
    marks.

    table     : panel, hue, x, the middle; low and high, where there are any
    missing   : series of which a panel says that it has none, as "stock"
    reference : levels that are drawn across, by name
    marker    : of each point of a line, where few years are known
    """
    drawn = Sheet(project, table, name, panel, **sheet)
    lines = [kind for kind in drawn.first(hue) if kind not in MARKS]
    numbers = [end for end in ("low", middle, "high") if end in table]
    for axis, part in drawn.panels():
        for number, kind in enumerate(lines):
            rows = part[part[hue] == kind] if hue else part
            rows = rows.astype(
                dict.fromkeys([x, *numbers], float)
            )  # an empty frame beside it has none
            look: dict[str, Any] = {"color": MARK if "promised" in str(kind) else colour_of(number)}
            if "low" in rows:
                ends = rows["low"], rows["high"]
                axis.fill_between(rows[x], *ends, alpha=0.18, linewidth=0, **look)
            (line,) = axis.plot(rows[x], rows[middle], style_of(number), marker=marker, **look)
            drawn.tell(hue if len(lines) > 1 else "", kind, line)
        marks = part[part[hue].isin(list(MARKS))] if hue else part.iloc[:0]
        for year, value, kind in marks[[x, middle, hue]].to_numpy():
            _mark(axis, drawn, str(kind), year, value)
        for kind, value in (reference or {}).items():
            line = axis.axhline(value, color=MARK, linewidth=1, linestyle=":")
            drawn.tell("reference", kind, line)
        unknown = [kind for kind in missing if kind not in set(marks[hue])]
        text = "\n".join(drawn.words.phrase(f"{kind}_unknown") for kind in unknown)
        axis.text(0.03, 0.96, text, transform=axis.transAxes, fontsize=7.5, color=INK, va="top")
        if log:
            axis.set_yscale("log")
        elif part[numbers].min(axis=None) >= 0:
            axis.set_ylim(bottom=0)
        drawn.dress(axis.xaxis, x, part)
        drawn.dress(axis.yaxis, middle, part)
    if len(numbers) > 1:
        drawn.shade()
    return drawn.publish([hue, panel, x], numbers)


def _mark(axis: Axes, drawn: Sheet, kind: str, year: float, value: float) -> None:
    """A promise in its year, with a line across; beds that were counted before the first year stand
    at it.
    """
    year = max(year, axis.dataLim.x0)
    (mark,) = axis.plot(year, value, linestyle="none", zorder=5, **MARKS[kind])
    drawn.tell("series", kind, mark)
    if kind == "promised":
        axis.axhline(value, color=MARK, linewidth=0.8, linestyle=":", zorder=1)


def stack(
    project: Project, table: pd.DataFrame, name: str, hue: str, panel: str = "city_id", **sheet: Any
) -> Image:
    """Means of parts one on the other by year, so that they add up to the mean of all; `total` is
    not drawn.

    table : panel, hue, year, mean, low, central, high, as `Results.parts` gives it
    """
    drawn = Sheet(project, table, name, panel, **sheet)
    kinds = [kind for kind in drawn.first(hue) if kind != TOTAL]
    layers: list[Any] = []
    for axis, part in drawn.panels():
        wide = part.pivot_table("mean", "year", hue)[kinds]
        colours = [LAYERS[number % len(LAYERS)] for number in range(len(kinds))]
        look: dict[str, Any] = {"colors": colours, "alpha": 0.85, "linewidth": 0}
        layers = axis.stackplot(wide.index, wide.to_numpy().T, **look)
        axis.margins(x=0)
        axis.set_ylim(bottom=0)
        drawn.dress(axis.xaxis, "year", part)
        drawn.dress(axis.yaxis, "mean", part)
    for kind, layer in list(zip(kinds, layers))[::-1]:
        drawn.tell(hue, kind, layer)
    return drawn.publish([hue, panel, "year"], ["mean", "low", "central", "high"])


def bars(
    project: Project,
    table: pd.DataFrame,
    name: str,
    rows: Sequence[str],
    value: str = "value",
    panel: str = "city_id",
    hue: str = "",
    form: str = "side",
    start: str = "",
    accent: Sequence[str] = (),
    note: str = "",
    **sheet: Any,
) -> Image:
    """Bars across, a row for each of some keys in the order of the table.

    form   : side by side; stacked, with the sum at the end; running, each from where the last one
             ended
    start  : column in which a bar begins, else 0
    accent : first keys of rows that stand out; running bars begin anew there
    note   : column of what is written behind a bar, a text or a number
    """
    if form not in FORMS:
        raise ValueError(f"“{form}” is no form of bars; there are: {', '.join(FORMS)}")
    drawn = Sheet(project, table, name, panel, **sheet)
    kinds = drawn.first(hue)
    for axis, part in drawn.panels():
        part = part.assign(place=drawn.rows(axis, part, rows), accented=part[rows[0]].isin(accent))
        laid = _laid(part, value, form, start)
        for number, kind in enumerate(kinds):
            here = laid[laid[hue] == kind] if hue else laid
            look: dict[str, Any] = {"color": LAYERS[number % len(LAYERS)]}
            look["hatch"] = "///" if number >= len(LAYERS) else None
            if hue:
                drawn.tell(hue, kind, plt.Rectangle((0, 0), 1, 1, **look))
            else:
                look["color"] = _colours(here, INK if form == "running" else MARK)
            axis.barh(here["y"], here["width"], here["height"], here["base"], **look)
        if start:
            axis.axvline(part[start].iloc[0], color=INK, linewidth=0.8)
        drawn.dress(axis.xaxis, value, part)
        told = note or ("top" if form == "stacked" else "")
        for row in laid.drop_duplicates("place", keep="last").to_dict("records") if told else ():
            drawn.write(axis, row["top"], row["place"], row[told])
        axis.margins(x=0.2 if told else 0.05)
    return drawn.publish([hue, panel, *rows], [value], upright=False)


def _laid(part: pd.DataFrame, value: str, form: str, start: str) -> pd.DataFrame:
    """Where each bar lies: columns y, height, base, width, top."""
    size = part[value] - (part[start] if start else 0.0)
    within = part.groupby("place")
    base = part[start] if start else pd.Series(0.0, part.index)
    place, height = part["place"].astype(float), pd.Series(0.8, part.index)
    if form == "stacked":
        base = within[value].cumsum() - size
    elif form == "running":
        base = part.groupby(part["accented"].cumsum())[value].cumsum() - size
    elif not start:
        height = 0.8 / within[value].transform("size")
        place = place + (within.cumcount() + 0.5) * height - 0.4
    top = np.maximum(base, base + size)
    return part.assign(y=place, height=height, base=base, width=size, top=top)


def _colours(laid: pd.DataFrame, accent: str) -> list[str]:
    """Without a series: what rises and what falls, and rows that stand out."""
    signs = zip(laid["width"] < 0, laid["accented"])
    return [accent if accented else PALETTE[int(falls)] for falls, accented in signs]


def ranges(
    project: Project,
    table: pd.DataFrame,
    name: str,
    rows: Sequence[str],
    panel: str = "city_id",
    hue: str = "",
    over: str = "",
    marks: Sequence[str] = (),
    note: str = "",
    reference: Mapping[str, float | tuple[float, float]] | None = None,
    log: bool = False,
    shaded: str = "range",
    **sheet: Any,
) -> Image:
    """A dot and its 80 % range across, a row for each of some keys in the order of the table.

    over      : column of which all is told as a share
    marks     : further columns, each drawn as a stroke
    note      : column of texts at the right end; of a row with a `chance` under one half they stand
                out
    shaded    : series that the legend calls the bars
    reference : levels or spans that are drawn upwards, by name
    """
    drawn = Sheet(project, table, name, panel, **sheet)
    kinds = drawn.first(hue)
    spread = min(0.17 * len(kinds), 0.8)
    for axis, part in drawn.panels():
        part = part.assign(place=drawn.rows(axis, part, rows).astype(float))
        shown = part[["low", "central", "high", *marks]].div(part[over] if over else 1.0, axis=0)
        for number, kind in enumerate(kinds):
            here = part[hue] == kind if hue else part["place"] >= 0
            y = part.loc[here, "place"] + spread * ((number + 0.5) / len(kinds) - 0.5)
            low, central, high = (shown.loc[here, end] for end in ("low", "central", "high"))
            axis.hlines(y, low, high, color=colour_of(number), linewidth=5, alpha=0.35)
            (dot,) = axis.plot(central, y, "o", color=colour_of(number), markersize=5)
            drawn.tell(hue, kind, dot)
        for mark in marks:
            (stroke,) = axis.plot(shown[mark], part["place"], **STROKE)
            drawn.tell("series", mark, stroke)
        for kind, level in (reference or {}).items():
            if isinstance(level, tuple):
                line: Any = axis.axvspan(*level, color=SOFT, alpha=0.2, linewidth=0)
            else:
                line = axis.axvline(level, color=MARK, linewidth=1.5)
            drawn.tell("reference", kind, line)
        for row in part.to_dict("records") if note else ():
            colour = MARK if row.get("chance", 1) < 0.5 else INK
            axis.text(
                1.01,
                row["place"],
                row[note],
                transform=axis.get_yaxis_transform(),
                va="center",
                fontsize=8,
                color=colour,
            )
        if log:
            axis.set_xscale("log")
            axis.xaxis.set_major_locator(LogLocator(2))
            axis.xaxis.set_minor_locator(NullLocator())
        drawn.dress(axis.xaxis, "central", part.assign(unit="share") if over else part)
    drawn.shade(shaded)
    numbers = ["low", "central", "high", *marks]
    return drawn.publish([hue, panel, *rows], numbers, upright=False)


def pyramid(
    project: Project, table: pd.DataFrame, name: str, panel: str = "city_id", **sheet: Any
) -> Image:
    """People by age and sex in some years, men to the left; the table has every fifth age.

    table : panel, year, sex, age, central, as `chain.age_structure` gives it
    """
    keys = [panel, "year", "sex", "age"]
    fifth = table.loc[table["age"] % 5 == 0, [*keys, "central"]]
    drawn = Sheet(project, table, name, panel, height=3.1, twin=fifth, **sheet)
    years = drawn.first("year")
    for axis, part in drawn.panels():
        for number, year in enumerate(years):
            for sex, sign in (("male", -1), ("female", 1)):
                here = part[(part["year"] == year) & (part["sex"] == sex)].sort_values("age")
                ages, people = here["age"], sign * here["central"]
                if number == 0:
                    axis.fill_betweenx(ages, 0, people, color=SOFT, alpha=0.35, linewidth=0)
                (line,) = axis.plot(people, ages, color=colour_of(number), linewidth=1.2)
                drawn.drawn[str(year)] = line
        axis.xaxis.set_major_formatter(
            FuncFormatter(lambda value, _: drawn.words.given(abs(value)))
        )
        axis.xaxis.set_major_locator(MaxNLocator(5))
        axis.axhline(60, color=MARK, linewidth=0.7, linestyle=":")
        axis.set_ylim(0, 100)
    return drawn.publish(keys, ["central"])


def dots(
    project: Project,
    table: pd.DataFrame,
    name: str,
    x: str,
    y: str = "value",
    hue: str = "series",
    steps: Sequence[str] = (),
    most: float = math.inf,
    **sheet: Any,
) -> Image:
    """One dot a row, a colour a series, against a size on a log scale.

    steps : series that are drawn as steps from their x on
    most  : dots further from 0 are drawn there, and the figure says how many
    """
    drawn = Sheet(project, table, name, "", **sheet)
    for axis, part in drawn.panels():
        kinds = drawn.first(hue)
        for number, kind in enumerate(kinds):
            here = part[part[hue] == kind].sort_values(x)
            if kind in steps:
                ends = [*here[x], part[x].max()], [*here[y], here[y].iloc[-1]]
                shown: Any = axis.step(*ends, where="post", color=MARK, linewidth=1.6)[0]
            else:
                values = here[y].clip(-most, most)
                shown = axis.scatter(here[x], values, 9, colour_of(number), alpha=0.55, linewidth=0)
            drawn.tell(hue, kind, shown)
        axis.axhline(0, color=INK, linewidth=0.8, zorder=1)
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(10, subs=(1, 3)))
        axis.xaxis.set_minor_locator(NullLocator())
        drawn.dress(axis.xaxis, x, part.drop(columns="unit"))
        drawn.dress(axis.yaxis, y, part)
        outside = int((part[y].abs() > most).sum())
        if outside:
            drawn.notes.append(
                drawn.words.phrase("figure_beyond", count=outside, most=f"{most:.0%}")
            )
    return drawn.publish([hue, x], [y])


def timeline(project: Project, table: pd.DataFrame, name: str, **sheet: Any) -> Image:
    """One lane a plan, in the order of issue: stages above the line, promises on it, the measured
    ones named below.

    table : city_id, series (issued, stage, deadline, goal of a year, promise, without year), label,
            start, end, value, as `tracking.timeline_table` gives it; label_zh, where the labels are
            told in Chinese too
    """
    twin = table[["city_id", "series", "label", "start", "end", "value"]].copy()
    for end in (
        "start",
        "end",
    ):  # as text, since a year with a fraction must not be rounded to a whole one
        twin[end] = ["" if pd.isna(moment) else f"{moment:.2f}" for moment in table[end]]
    order = table[table["series"] == "issued"].sort_values("start")["city_id"].tolist()
    high = LANE_HEIGHT * max(len(order[:MOST]), 1) + 0.7
    drawn = Sheet(project, table, name, "", height=high, twin=twin, **sheet)
    if len(order) > MOST:
        drawn.notes.append(drawn.words.phrase("figure_first", shown=MOST, all=len(order)))
        order = order[:MOST]
    for axis, _ in drawn.panels():
        first, last = int(table["start"].min()), int(table["end"].max()) + 1
        axis.set(xlim=(first + 0.1, last + 0.9), xticks=range(first, last + 1))
        axis.set(ylim=(len(order) - 0.38, -0.5), yticks=range(len(order)))
        axis.grid(axis="y", visible=False)
        plans = [table[table["city_id"] == city_id] for city_id in order]
        axis.set_yticklabels([_plan_words(drawn, rows) for rows in plans])
        for lane, rows in enumerate(plans):
            _draw_plan(axis, drawn, rows, lane)
    return drawn.publish([], [])


def _plan_words(drawn: Sheet, rows: pd.DataFrame) -> str:
    counts = rows.groupby("series")["value"].sum()
    without = counts.get("without year", 0)
    told = {
        "city": drawn.part("city_id", rows["city_id"].iloc[0]),
        "day": rows.loc[rows["series"] == "issued", "label"].iloc[0],
        "promises": counts.get("promise", 0) + without,
        "without": without,
        "dates": counts.get("deadline", 0) + counts.get("goal of a year", 0),
    }
    return "\n".join(
        drawn.words.phrase(f"timeline_{line}", **told) for line in ("plan", "promises", "dates")
    )


def _draw_plan(axis: Axes, drawn: Sheet, rows: pd.DataFrame, lane: int) -> None:
    rows = rows.dropna(subset=["start"])
    rows = rows.assign(told=rows["label_zh"] if drawn.words.code == "zh" else rows["label"])
    axis.plot([rows["start"].min(), rows["end"].max()], [lane, lane], color=SOFT, zorder=1)
    for step, stage in enumerate(rows[rows["series"] == "stage"].to_dict("records")):
        y, ends = lane - 0.44 + step * STAGE_STEP, [stage["start"], stage["end"]]
        (bar,) = axis.plot(ends, [y, y], color=PALETTE[2], linewidth=5, solid_capstyle="butt")
        axis.text(ends[1] + 0.06, y, stage["told"], va="center", fontsize=6.5, color=INK)
        drawn.tell("series", "stage", bar)
    for kind, look in MOMENTS.items():
        here = rows.loc[rows["series"] == kind, "start"]
        if len(here):
            heights = [lane - look["height"]] * len(here)
            style = {key: item for key, item in look.items() if key != "height"}
            (mark,) = axis.plot(here, heights, linestyle="none", **style)
            drawn.tell("series", kind, mark)
    promises = rows[rows["series"] == "promise"]
    ends = [*promises["start"].iloc[1:] - 0.2, axis.get_xlim()[1]]
    for promise, end in zip(promises.to_dict("records"), ends):
        _draw_promises(axis, drawn, promise, lane, end)


def _draw_promises(axis: Axes, drawn: Sheet, promise: dict, lane: int, end: float) -> None:
    at, count = promise["start"], promise["value"]
    axis.scatter(at, lane, s=150 + 9 * count, color=PALETTE[0], zorder=3, linewidth=0)
    look: dict[str, Any] = {
        "marker": "o",
        "color": PALETTE[0],
        "markersize": 9,
        "linestyle": "none",
    }
    drawn.tell("series", "promise", plt.Line2D([], [], **look))
    middle: dict[str, Any] = {"ha": "center", "va": "center", "color": "white", "zorder": 5}
    axis.text(at, lane, str(count), fontsize=8, fontweight="bold", **middle)
    width = max(12, int((end - at - 0.22) * LETTERS_A_YEAR))
    lines = [
        textwrap.fill(label, max(6, width * len(label) // text_width(label)))
        for label in promise["told"].split("; ")
        if label
    ]
    below: dict[str, Any] = {"va": "top", "color": INK, "linespacing": 1.15}
    axis.text(at + 0.22, lane + 0.05, "\n".join(lines), fontsize=7, **below)
