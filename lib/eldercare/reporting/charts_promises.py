"""All plans on one time line: when each was issued, its stages, its deadlines, and what is due in which year."""

from __future__ import annotations

import textwrap

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from IPython.display import Image
from matplotlib.ticker import FixedLocator

from eldercare.documents.progress import timeline_table
from eldercare.inputs.load import Project
from eldercare.reporting.charts import (
    INK,
    MARK,
    PALETTE,
    SOFT,
    WIDTH,
    _finish,
    nothing_to_draw,
    publish,
)

LANE, STAGE_STEP, LETTERS_A_YEAR = 1.0, 0.095, 14


def timeline(project: Project, name: str, title: str, source: str) -> Image:
    """One lane a plan, in the order of issue: stages above the line, promises on it, the measured ones named below."""
    table = timeline_table(project)
    if table.empty:
        return publish(
            project,
            name,
            nothing_to_draw(title, "no plan with a day of issue and promises is on record"),
            table,
            title,
        )
    order = table[table["series"] == "issued"].sort_values("start")["city_id"].tolist()
    figure, axis = plt.subplots(figsize=(WIDTH, 1.12 * max(len(order), 1) + 1.3))
    drawn = {}
    _dress_years(axis, table)
    for lane, city_id in enumerate(reversed(order)):
        _draw_plan(axis, table[table["city_id"] == city_id], lane * LANE, drawn)
    axis.set_yticks(
        [lane * LANE for lane in range(len(order))],
        [_lane_label(project, table, one) for one in reversed(order)],
    )
    axis.set_ylim(-0.62, (len(order) - 1) * LANE + 0.5)
    _finish(figure, title, source, list(drawn.values()), list(drawn))
    names = ", ".join(project.city(city_id).name_en for city_id in order)
    alt = f"{title}. One lane for each of: {names}. The dates and counts are in the twin table."
    twin = table.assign(
        **{end: [_moment_text(value) for value in table[end]] for end in ("start", "end")}
    )
    return publish(project, name, figure, twin, alt)


def _moment_text(moment: float) -> str:
    """A moment of the twin table as text, since a year with a fraction must not be rounded to a whole one."""
    return "" if pd.isna(moment) else f"{moment:.2f}"


def _lane_label(project: Project, table: pd.DataFrame, city_id: str) -> str:
    city, rows = project.city(city_id), table[table["city_id"] == city_id]
    counts = rows.groupby("series")["value"].sum()
    day = rows.loc[rows["series"] == "issued", "label"].iloc[0]
    without = counts.get("without year", 0)
    dates = counts.get("deadline", 0) + counts.get("goal of a year", 0)
    return (
        f"{city.name_en}  {city.name_zh}\nissued {day}\n{counts.get('promise', 0) + without} promises, "
        f"{without} without a year\n{dates} dated deadlines and goals"
    )


def _draw_plan(axis, rows: pd.DataFrame, y: float, drawn: dict) -> None:
    parts = {name: part for name, part in rows.groupby("series")}  # noqa: C416 - it has `keys`
    dated = rows.dropna(subset=["start"])
    axis.plot(
        [dated["start"].min(), dated["end"].max()], [y, y], color=SOFT, linewidth=1.2, zorder=1
    )
    for step, stage in enumerate(parts.get("stage", rows.iloc[:0]).itertuples()):
        height = y + 0.44 - step * STAGE_STEP
        (drawn["stage 阶段"],) = axis.plot(
            [stage.start, stage.end],
            [height, height],
            color=PALETTE[2],
            linewidth=5,
            solid_capstyle="butt",
        )
        axis.text(stage.end + 0.06, height, stage.label, va="center", fontsize=6.5, color=INK)
    for series, words, colour, marker, size in (
        ("deadline", "deadline 时限", INK, "|", 11),
        ("goal of a year", "goal of a year 年度目标", PALETTE[1], "^", 6),
    ):
        part = parts.get(series)
        if part is not None:
            below = y if series == "deadline" else y + 0.17
            (drawn[words],) = axis.plot(
                part["start"],
                [below] * len(part),
                marker=marker,
                markersize=size,
                color=colour,
                linestyle="none",
                zorder=2,
            )
    issue = parts["issued"].iloc[0]
    (drawn["issued 印发"],) = axis.plot(
        issue["start"], y, marker="D", markersize=7, color=MARK, linestyle="none", zorder=4
    )
    promises = parts.get("promise", rows.iloc[:0])
    ends = [*promises["start"].iloc[1:] - 0.2, axis.get_xlim()[1]]
    for promise, end in zip(promises.itertuples(), ends):
        _draw_promises(axis, promise, y, end, drawn)


def _draw_promises(axis, promise, y: float, end: float, drawn: dict) -> None:
    axis.scatter(
        promise.start, y, s=150 + 9 * promise.value, color=PALETTE[0], zorder=3, linewidth=0
    )
    drawn["promises due, and how many 到期承诺数"] = plt.Line2D(
        [], [], marker="o", color=PALETTE[0], markersize=9, linestyle="none"
    )
    axis.text(
        promise.start,
        y,
        str(promise.value),
        ha="center",
        va="center",
        color="white",
        fontsize=8,
        fontweight="bold",
        zorder=5,
    )
    left = promise.start + 0.22
    width = max(12, int((end - left) * LETTERS_A_YEAR))
    lines = [textwrap.fill(label, width) for label in promise.label.split("; ") if label]
    axis.text(
        left,
        y - 0.05,
        "\n".join(lines),
        ha="left",
        va="top",
        fontsize=7,
        color=INK,
        linespacing=1.15,
    )


def _dress_years(axis, table: pd.DataFrame) -> None:
    first, last = int(table["start"].min()), int(table["end"].max()) + 1
    axis.set_xlim(first + 0.1, last + 0.9)
    axis.xaxis.set_major_locator(FixedLocator(range(first, last + 1)))
    axis.set_xlabel("beginning of the year 年初; what is due in a year stands at its end")
    axis.grid(axis="y", visible=False)
    axis.tick_params(axis="y", length=0)
    sns.despine(ax=axis, left=True)
