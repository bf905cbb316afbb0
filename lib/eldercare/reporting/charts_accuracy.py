"""Figures of the back-test: errors against the size of an area, and how often the ranges held."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from IPython.display import Image
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from scipy.stats import t as student_t

from eldercare.inputs.load import Project
from eldercare.reporting.charts import (
    INK,
    MARK,
    PALETTE,
    SOFT,
    WIDTH,
    _finish,
    publish,
    short_number,
)
from eldercare.validation.accuracy import SIZE_EDGES, SIZE_LABELS, THRESHOLDS, Setting
from eldercare.validation.calibration import INNER, fit_spread, log_errors

LEVELS = (("county", "county 县", PALETTE[4], 7), ("prefecture", "prefecture 地级", PALETTE[0], 16))
MOST_ERROR = 0.5
JUDGED = (60, 65, 80)


def errors_by_size(
    project: Project,
    setting: Setting,
    predicted: np.ndarray,
    age: int,
    name: str,
    title: str,
    source: str,
) -> Image:
    """One dot an area: what was counted over what was projected, against the size; the 80 % band as steps."""
    column = THRESHOLDS.index(age)
    beyond = setting.observed[:, column] / predicted[:, column] - 1
    people = setting.areas["population"].to_numpy()
    figure, axis = plt.subplots(figsize=(WIDTH, 4.6))
    drawn = {}
    for level, label, colour, size in LEVELS:
        here = (setting.areas["level"] == level).to_numpy()
        drawn[label] = axis.scatter(
            people[here],
            np.clip(beyond[here], -MOST_ERROR, MOST_ERROR),
            s=size,
            color=colour,
            alpha=0.55,
            linewidth=0,
            zorder=2,
        )
    band = _band(setting, predicted, column, people)
    for row in band.itertuples():
        for end in (row.low, row.high):
            (drawn["80 % range of the size class"],) = axis.plot(
                [row.start, row.end], [end, end], color=MARK, linewidth=1.6, zorder=3
            )
    axis.axhline(0, color=INK, linewidth=0.8, zorder=1)
    axis.set_xscale("log")
    axis.set_xlim(people.min() * 0.9, people.max() * 1.1)
    axis.set_ylim(-MOST_ERROR * 1.04, MOST_ERROR * 1.04)
    axis.xaxis.set_major_locator(FixedLocator([1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7]))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(short_number))
    axis.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _=None: f"{value * 100:+.0f} %" if value else "0")
    )
    axis.set_xlabel("people in 2010 (常住人口)")
    axis.set_ylabel(f"counted in 2020 against projected,\npeople of {age} and over")
    outside = int((np.abs(beyond) > MOST_ERROR).sum())
    if outside:
        axis.set_title(
            f"{outside} area{'s' if outside > 1 else ''} beyond ±{MOST_ERROR * 100:.0f} % drawn at the edge",
            fontsize=8,
            color=SOFT,
        )
    sns.despine(ax=axis)
    _finish(figure, title, source, list(drawn.values()), list(drawn))
    dots = pd.DataFrame(
        {
            "series": setting.areas["level"],
            "adcode": setting.areas["adcode"].astype(str),
            "people": people,
            "value": beyond,
        }
    )
    steps = [
        pd.DataFrame(
            {
                "series": f"80 % range, {end}",
                "adcode": "",
                "people": band["start"],
                "value": band[end],
            }
        )
        for end in ("low", "high")
    ]
    alt = f"{title}. One dot for each of {len(people)} areas; the larger the area, the smaller the error."
    return publish(project, name, figure, pd.concat([dots, *steps]), alt)


def _band(setting: Setting, predicted: np.ndarray, column: int, people: np.ndarray) -> pd.DataFrame:
    """The 80 % range of each size class, of counted over projected less 1: table start, end, low, high."""
    scales, freedom = fit_spread(log_errors(setting, predicted), setting.areas["size"])
    reach = scales.iloc[:, column] * student_t.ppf((1 + INNER) / 2, freedom)
    edges = dict(zip(SIZE_LABELS, zip(SIZE_EDGES[:-1], SIZE_EDGES[1:])))
    start, end = zip(*(edges[size] for size in scales.index))
    return pd.DataFrame(
        {
            "start": np.maximum(start, people.min()),
            "end": np.minimum(end, people.max()),
            "low": np.exp(-reach.to_numpy()) - 1,
            "high": np.exp(reach.to_numpy()) - 1,
        }
    )


def coverage(project: Project, cover: pd.DataFrame, name: str, title: str, source: str) -> Image:
    """One panel an age: share of areas whose outcome the ranges held, by size class, tried on the other half."""
    sizes = [*SIZE_LABELS, "all"]
    figure, axes = plt.subplots(1, len(JUDGED), figsize=(WIDTH, 3.6), sharey=True)
    drawn = {}
    for axis, age in zip(axes, JUDGED):
        rows = cover[cover["from_age"] == age]
        for inside, share, low, high, colour in (
            ("in_80", 0.8, 0.75, 0.85, PALETTE[0]),
            ("in_95", 0.95, 0.92, 0.97, PALETTE[2]),
        ):
            words = f"{share * 100:.0f} % range"
            drawn[f"asked of the {words}"] = axis.axvspan(
                low, high, color=colour, alpha=0.13, linewidth=0
            )
            halves = rows[rows["tried_on"].isin(["first half", "second half"])]
            drawn[f"{words}, one half"] = axis.scatter(
                halves[inside],
                [sizes.index(size) for size in halves["size"]],
                marker="|",
                s=45,
                color=colour,
                alpha=0.8,
                linewidth=1.3,
            )
            both = rows[rows["tried_on"] == "other half"]
            drawn[f"{words}, both"] = axis.scatter(
                both[inside],
                [sizes.index(size) for size in both["size"]],
                s=34,
                color=colour,
                zorder=3,
            )
        axis.set_title(f"{age} and over  {age}岁及以上")
        axis.set_xlim(0.6, 1.005)
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _=None: f"{value * 100:.0f} %"))
        axis.set_yticks(range(len(sizes)), sizes)
        sns.despine(ax=axis)
    axes[0].invert_yaxis()
    axes[0].set_ylabel("people in the area, 2010")
    axes[1].set_xlabel(
        "areas whose count of 2020 lay within the range fitted on the other half of the provinces"
    )
    _finish(figure, title, source, list(drawn.values()), list(drawn))
    twin = cover[["tried_on", "size", "from_age", "areas", "in_80", "in_95"]]
    return publish(
        project,
        name,
        figure,
        twin,
        f"{title}. Size classes from top to bottom; the shares are in the twin table.",
    )
