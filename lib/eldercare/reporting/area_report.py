"""The projection of any area of the census as a table and a picture, without a city folder."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from eldercare.inputs.draws import draw_assumptions
from eldercare.inputs.load import Project
from eldercare.model.areas import QUANTITIES, area_inputs, cautions, level_table, project_areas
from eldercare.reporting.charts import (
    INK,
    PALETTE,
    SOFT,
    dress_years,
    set_style,
    twin_text,
    write_picture,
    write_whole,
)
from eldercare.reporting.present import range_text
from eldercare.reporting.wording import language

SHOWN_YEARS = (2020, 2025, 2030, 2035, 2040, 2050)


def area_table(project: Project, code: int, draws: int) -> pd.DataFrame:
    """People in total, of 60, 65, 80 and 85 and over, at the ends of the years 2020-2050.

    Returns : table quantity, year, low, central, high (80 % range), caution (see `areas.cautions`)
    """
    inputs = area_inputs(project.china, [code])
    summary = project_areas(inputs, project.china, draw_assumptions(project, draws=draws))
    told = cautions(summary, project.china).loc[code]
    caution = " ".join(told.index[told.to_numpy(bool)])
    return level_table(summary, code, summary["year"].values).assign(caution=caution)


def area_text(project: Project, code: int, table: pd.DataFrame) -> str:
    """The table in words: name, level, province, and a line a quantity for some years."""
    facts = project.china.areas.loc[(code, 2020)]
    labels = project.indicators.set_index("indicator")["label_en"]
    lines = [f"{code} {facts['name']} ({facts.level}, {facts.province}): middle (80 % range)"]
    words = language(project, "en")
    lines.append(words.change_basis(project, code))
    lines += [words.of("caution", one) for one in table["caution"].iloc[0].split()]
    for quantity in QUANTITIES:
        label = labels.get(quantity, quantity.replace("_", " "))
        rows = table[table["quantity"] == quantity].set_index("year")
        lines.append(label)
        lines += [
            f"  {year}  {range_text(*rows.loc[year, ['low', 'central', 'high']])}"
            for year in SHOWN_YEARS
        ]
    return "\n".join(lines)


def write_area(project: Project, code: int, table: pd.DataFrame, folder: Path) -> list[Path]:
    """Write `area_<code>.csv` and `.png` into a folder, each whole or not at all; returns their paths.

    Raises : FileNotFoundError if the folder is not there
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}; make it first")
    facts = project.china.areas.loc[(code, 2020)]
    set_style()
    figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.2))
    for axis, quantity in zip(
        axes, ("population_60_plus", "population_80_plus", "population_total")
    ):
        rows = table[table["quantity"] == quantity]
        axis.fill_between(
            rows["year"], rows["low"], rows["high"], color=PALETTE[0], alpha=0.2, linewidth=0
        )
        axis.plot(rows["year"], rows["central"], color=PALETTE[0])
        label = project.indicators.set_index("indicator").loc[quantity]
        axis.set_title(f"{label['label_en']}\n{label['label_zh']}")
        axis.set_ylim(bottom=0)
        dress_years(axis)
    figure.suptitle(f"{facts['name']} ({code}, {facts.province})", x=0.01, ha="left", color=INK)
    basis = language(project, "en").phrase("change_facts")
    figure.text(
        0.01,
        0.01,
        f"Source: census of 2020; WPP 2024; own projection, 80 % range.\n{basis}",
        fontsize=7,
        color=SOFT,
    )
    figure.tight_layout(rect=(0, 0.07, 1, 1))
    paths = [folder / f"area_{code}.csv", folder / f"area_{code}.png"]
    write_whole(paths[0], twin_text(table).encode())
    write_picture(paths[1], figure)
    return paths
