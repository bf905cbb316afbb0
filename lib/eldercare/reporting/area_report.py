"""The projection of any area of the census as a table and a picture, without a city folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from eldercare.analysis.compare import compare_policy
from eldercare.inputs.draws import draw_assumptions
from eldercare.inputs.load import Project, area_as_city
from eldercare.messages import told
from eldercare.model.areas import (
    QUANTITIES,
    area_inputs,
    cautions,
    level_table,
    means_of,
    project_areas,
)
from eldercare.model.chain import run_city
from eldercare.reporting import plots
from eldercare.reporting.language import load_language

SHOWN = ("population_60_plus", "population_80_plus", "population_total")
SHOWN_YEARS = (2020, 2025, 2030, 2035, 2040, 2050)


def area_table(project: Project, code: int, draws: int) -> pd.DataFrame:
    """People in total, of 60, 65, 80 and 85 and over, at the ends of the years 2020-2050.

    Returns : table quantity, year, low, central, high (80 % range), caution (see `areas.cautions`)
    """
    inputs = area_inputs(project.china, [code])
    summary = project_areas(inputs, project.china, draw_assumptions(project, draws=draws))
    told = cautions(means_of(summary), project.china).loc[code]
    caution = " ".join(told.index[told.to_numpy(bool)])
    return level_table(summary, code, summary["year"].values).assign(caution=caution)


def area_text(project: Project, code: int, table: pd.DataFrame) -> str:
    """The table in words: name, level, province, and a line a quantity for some years."""
    facts = project.china.areas.loc[(code, 2020)]
    words = load_language(project)
    level = words.of("level", facts.level)
    head = f"{code} {facts['name']} ({level}, {facts.province}): middle (80% range)"
    lines = [told(head, words.code), words.change_basis(project, code)]
    lines += [words.of("caution", one) for one in table["caution"].iloc[0].split()]
    for quantity in QUANTITIES:
        rows = table[table["quantity"] == quantity].set_index("year")
        lines.append(words.part("quantity", quantity))
        lines += [f"  {year}  {words.range(rows.loc[year])}" for year in SHOWN_YEARS]
    return "\n".join(lines)


def area_targets(project: Project, code: int, draws: int) -> str:
    """The targets of nation and province held against an area, a line each, by the whole chain."""
    words = load_language(project)
    city = area_as_city(code, words.area(project.china, code))
    names = project.china.policy_targets["measured_by"]
    indicators = project.indicators.set_index("indicator")["plain_base"]
    wanted = {name for name in names if name}
    wanted |= {base for base in indicators[sorted(wanted)] if base}
    alone = replace(project, cities={city.city_id: city})
    result = run_city(alone, city.city_id, draws=draws, names=sorted(wanted))
    table = compare_policy(project, result)
    table = table.assign(status=[words.of("policy", status) for status in table["status"]])
    told = [words.counted_by] if words.counted_by else []
    return "\n".join([*told, *words.sentences("area_target", table)])


def write_area(project: Project, code: int, table: pd.DataFrame, folder: Path) -> list[Path]:
    """Write `area_<code>.csv` and `.png` into a folder, each whole or not at all; returns their paths.

    Raises : FileNotFoundError if the folder is not there
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}; make it first")
    facts = project.china.areas.loc[(code, 2020)]
    words = load_language(project)
    shown = table[table["quantity"].isin(SHOWN)]
    shown = shown.set_index("quantity").loc[list(SHOWN)].reset_index()
    plots.band(
        project,
        shown,
        f"area_{code}",
        panel="quantity",
        hue="",
        words=words,
        title=f"{facts['name']} ({code}, {facts.province})",
        source=words.phrase("figure_area_source", basis=words.phrase("change_facts")),
        twin=table,
        folder=folder,
    )
    return [folder / f"area_{code}.csv", folder / f"area_{code}.png"]
