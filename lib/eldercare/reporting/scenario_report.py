"""Two scenarios side by side for one city, on common draws: both, and the difference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from eldercare import messages
from eldercare.inputs.draws import touches
from eldercare.inputs.load import BASELINE, Project
from eldercare.model.chain import QUANTILES, run_city
from eldercare.reporting import plots
from eldercare.reporting.language import Language, load_language

QUANTITIES = {
    "beds needed": ("beds_total_needed", "need", 1),
    "beds used": ("beds_total_needed", "use", 1),
    "care workers needed": ("caregivers_total_needed", "need", 1),
    "care workers with today's habits carried on": ("caregivers_total_needed", "use", 1),
    "yearly cost of need, million yuan": ("cost_total", "need", 1e6),
    "yearly cost of use, million yuan": ("cost_total", "use", 1e6),
}
SHOWN_YEARS = (2025, 2030, 2035, 2050)
DIFFERENCE = "difference"


def scenario_table(
    project: Project, one: str, other: str, city_id: str, draws: int
) -> pd.DataFrame:
    """Both scenarios and `other` less `one`, which is taken draw by draw: what neither names
    cancels out.

    Returns : table quantity, series (the two scenarios, difference), year, low, central, high
    Raises  : KeyError for an unknown city or scenario; ValueError if both are the same
    """
    if one == other:
        raise ValueError(f"“{one}” cannot be compared with itself; name two scenarios")
    first, second = (run_city(project, city_id, name, draws) for name in (one, other))
    rows = []
    for quantity, (indicator, measure, _) in QUANTITIES.items():
        values = [
            result.values[indicator]
            .sel(measure=measure)
            .transpose("draw", "year")
            .values.astype(float)
            for result in (first, second)
        ]
        for series, drawn in zip((one, other, DIFFERENCE), [*values, values[1] - values[0]]):
            ends = np.quantile(drawn, list(QUANTILES.values()), axis=0)
            rows += [
                {
                    "quantity": quantity,
                    "series": series,
                    "year": int(year),
                    **dict(zip(QUANTILES, column)),
                }
                for year, column in zip(first.values["year"].values, ends.T)
            ]
    return pd.DataFrame(rows)


def scenario_text(project: Project, table: pd.DataFrame, city_id: str) -> str:
    """The table in words for some years."""
    words = load_language(project)
    head = f"{words.part('city_id', city_id)}: middle (80% range)"
    lines = [messages.told(head, words.code)]
    lines += [words.counted_by] if words.counted_by else []
    named = [name for name in table["series"].unique() if name not in (DIFFERENCE, BASELINE)]
    lines += [told for name in named if (told := untouched(project, name, city_id, words))]
    for quantity, (*_, scale) in QUANTITIES.items():
        lines.append(messages.told(quantity, words.code))
        part = table[table["quantity"] == quantity]
        for series, rows in part.groupby("series", sort=False):
            by_year = rows.set_index("year")[list(QUANTILES)] / scale
            cells = [f"{y}: {words.range(by_year.loc[y])}" for y in SHOWN_YEARS]
            lines.append(f"  {messages.told(series, words.code):<20} " + "   ".join(cells))
    return "\n".join(lines)


def untouched(project: Project, scenario: str, city_id: str, words: Language) -> str:
    """That a scenario has no row for a city; empty if it has one, or is the baseline."""
    if scenario == BASELINE or touches(project, project.city(city_id), scenario):
        return ""
    city = words.part("city_id", city_id)
    return words.phrase("untouched_by_scenario", scenario=scenario, city=city)


def write_scenarios(
    project: Project, table: pd.DataFrame, city_id: str, folder: Path
) -> list[Path]:
    """Write `compare_<one>_<other>_<city>.csv` and `.png` into a folder, each whole or not at all;
    returns their paths.

    Raises : FileNotFoundError if the folder is not there
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}; make it first")
    one, other = [name for name in table["series"].unique() if name != DIFFERENCE]
    words = load_language(project)
    among = table["series"] == DIFFERENCE
    panel = table["quantity"] + among.map({True: f", {DIFFERENCE}", False: ""})
    panel = panel.map(lambda text: messages.told(text, words.code))
    name = f"compare_{one}_{other}_{city_id}"
    scale = table["quantity"].map({quantity: size for quantity, (*_, size) in QUANTITIES.items()})
    ends = {end: table[end] / scale for end in QUANTILES}
    plots.band(
        project,
        table.assign(panel=panel, **ends).sort_values("panel", key=lambda _: among, kind="stable"),
        name,
        panel="panel",
        columns=len(QUANTITIES),
        words=words,
        width=2.9 * len(QUANTITIES),
        title=words.phrase(
            "figure_compare", city=words.part("city_id", city_id), one=one, other=other
        ),
        twin=table,
        folder=folder,
    )
    return [folder / f"{name}.{kind}" for kind in ("csv", "png")]
