"""Figures of what moves the answer: one assumption at a time, and the shares of the steps."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from IPython.display import Image
from matplotlib.ticker import FuncFormatter, MaxNLocator

from eldercare.analysis.assumption_log import step_table
from eldercare.analysis.sensitivity import MAIN, Sensitivity
from eldercare.inputs.load import Project
from eldercare.reporting.charts import INK, PALETTE, WIDTH, _finish, publish, short_number


def tornados(
    project: Project,
    tables: dict[str, pd.DataFrame],
    headline: str,
    name: str,
    title: str,
    unit: str,
    source: str,
    most: int = 7,
) -> Image:
    """One panel a city: the headline with each row of the assumptions at its low and its high, all else at the middle.

    tables : by city_id, as `sensitivity.tornado` gives them
    """
    columns = 2
    rows = int(np.ceil(len(tables) / columns))
    figure, axes = plt.subplots(
        rows, columns, figsize=(WIDTH * 1.25, 3.0 * rows + 0.6), squeeze=False
    )
    twins = []
    for axis in axes.flat[len(tables) :]:
        axis.set_visible(False)
    for axis, (city_id, table) in zip(axes.flat, tables.items()):
        city = project.cities[city_id]
        part = table[table["headline"] == headline].head(most)
        twins.append(part.assign(city_id=city_id))
        _one_tornado(axis, part.iloc[::-1].reset_index(drop=True))
        axis.set_title(f"{city.name_en}  {city.name_zh}")
        axis.set_xlabel(unit)
    handles = [plt.Rectangle((0, 0), 1, 1, color=PALETTE[number]) for number in (0, 1)]
    _finish(figure, title, source, handles, ["assumption at its high", "assumption at its low"])
    keys = [
        "city_id",
        "headline",
        "assumption",
        "keys",
        "unit",
        "low",
        "central",
        "high",
        "at_low",
        "at_middle",
        "at_high",
    ]
    return publish(
        project,
        name,
        figure,
        pd.concat(twins)[keys],
        f"{title}. The longest bar of each city is its largest lever.",
    )


def _one_tornado(axis, part: pd.DataFrame) -> None:
    middle = part["at_middle"].iloc[0]
    for place, row in enumerate(part.itertuples()):
        for value, colour in ((row.at_low, PALETTE[1]), (row.at_high, PALETTE[0])):
            axis.barh(place, value - middle, left=middle, color=colour, height=0.7)
    axis.axvline(middle, color=INK, linewidth=0.8)
    axis.set_yticks(range(len(part)), [_label(row) for row in part.itertuples()])
    axis.tick_params(axis="y", labelsize=7.5)
    axis.xaxis.set_major_formatter(FuncFormatter(short_number))
    axis.xaxis.set_major_locator(MaxNLocator(5))
    axis.grid(axis="y", visible=False)
    sns.despine(ax=axis, left=True)


def _label(row) -> str:
    if row.unit == "":
        return row_words(row)
    return (
        f"{row_words(row)}\n{value_words(row.low, row.unit)} to {value_words(row.high, row.unit)}"
    )


def step_shares(
    project: Project, found: dict[str, Sensitivity], name: str, title: str, source: str
) -> Image:
    """One panel a headline: total index of each step, a bar a city."""
    figure, axes = plt.subplots(1, len(MAIN), figsize=(WIDTH, 3.4), sharex=True, sharey=True)
    twins = []
    for axis, headline in zip(axes, MAIN):
        table = step_table(found, headline)
        height = 0.8 / table.shape[1]
        for number, city_id in enumerate(table.columns):
            places = np.arange(len(table)) + (number - (table.shape[1] - 1) / 2) * height
            label = project.cities[city_id].name_en
            axis.barh(
                places,
                table[city_id] * 100,
                height=height,
                color=PALETTE[number % len(PALETTE)],
                label=label,
            )
        axis.set_yticks(range(len(table)), table.index)
        axis.set_title(headline_words(headline).replace("million yuan a year", "yearly cost"))
        axis.set_xlabel("per cent of the variance")
        axis.grid(axis="y", visible=False)
        sns.despine(ax=axis, left=True)
        long = (
            table.rename_axis("step")
            .reset_index()
            .melt("step", var_name="city_id", value_name="value")
        )
        twins.append(long.assign(headline=headline))
    axes[0].invert_yaxis()
    handles, labels = axes[0].get_legend_handles_labels()
    _finish(figure, title, source, handles, labels)
    twin = pd.concat(twins)[["city_id", "headline", "step", "value"]]
    return publish(project, name, figure, twin, f"{title}. One panel for each headline.")


def row_words(row) -> str:
    """Name of a row of the assumptions in words."""
    name = row.assumption.replace("_", " ").replace("adl ", "ADL ")
    return f"{name} ({row.keys.replace('_', ' ')})" if row.keys else name


def value_words(value: float, unit: str) -> str:
    """An assumption's value with its unit; shares and yearly rates in per cent."""
    if unit == "share":
        return f"{value * 100:.3g} %"
    return f"{value * 100 + 0:.2g} % a year" if unit == "per_year" else f"{value:.4g}"


HEADLINE_WORDS = {
    "beds": "beds",
    "nursing_beds": "nursing beds",
    "caregivers": "care workers",
    "yearly_cost": "million yuan a year",
}


def headline_words(name: str) -> str:
    """A main headline in words."""
    return HEADLINE_WORDS[name]
