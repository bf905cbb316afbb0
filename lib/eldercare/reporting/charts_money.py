"""Figures of care workers and money."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import xarray as xr
from IPython.display import Image
from matplotlib.ticker import FuncFormatter

from eldercare.analysis.affordability import level_that_pays
from eldercare.analysis.compare import compare_targets
from eldercare.inputs.load import Project
from eldercare.model.chain import TOTAL, CityResult, summarise, summarise_parts
from eldercare.model.services import childcare_places_promised
from eldercare.reporting.charts import (
    INK,
    MARK,
    MEANS,
    PALETTE,
    SOFT,
    WIDTH,
    _alt,
    _dress,
    _finish,
    _grid,
    colour_of,
    publish,
    style_of,
)

PROBABILITY = 0.8
LEVELS = {
    "operating subsidy, yuan per occupied bed and month": "subsidy",
    "insurance premium, yuan per resident and year": "premium",
    "co-payment, share of the cost of running care": "co_payment",
}
GROUPS = {
    "building": ("new_building", "rebuilding", "conversion"),
    "care workers' pay": ("care_worker_pay",),
    "nurses, managers": ("nurse_and_manager_pay",),
    "other running": ("other_running",),
    "home care": ("home_care",),
    "day care": ("day_care",),
    "allowances": ("old_age_allowance", "service_subsidy"),
    "training, premises, adaptations": ("training", "premises", "home_adaptation"),
}
COLOURS = [*PALETTE, SOFT, INK]
CHANCES = np.arange(0.05, 1.0, 0.05)


def _lines(
    project: Project,
    results: dict[str, CityResult],
    series,
    name,
    title,
    source,
    label,
    unit_line=None,
) -> Image:
    """One panel a city: for each series, which `series` gives by name, its middle and its range."""
    figure, axes = _grid(len(results))
    twins, drawn = [], {}
    for axis, result in zip(axes, results.values()):
        for number, (words, array) in enumerate(series(result).items()):
            table = summarise(array)
            colour = colour_of(number)
            drawn[f"80 % range, {words}"] = axis.fill_between(
                table["year"], table["low"], table["high"], color=colour, alpha=0.15, linewidth=0
            )
            (drawn[words],) = axis.plot(
                table["year"], table["central"], color=colour, linestyle=["-", "--", "-."][number]
            )
            twins.append(table.assign(city_id=result.city.city_id, series=words))
        if unit_line:
            words, value = unit_line(result)
            drawn[words] = axis.axhline(value, color=MARK, linewidth=1, linestyle=":")
        _dress(axis, result)
    axes[0].set_ylabel(label)
    kept = {words: handle for words, handle in drawn.items() if not words.startswith("80 %")}
    shade = plt.Rectangle((0, 0), 1, 1, color=SOFT, alpha=0.3)
    _finish(figure, title, source, [*kept.values(), shade], [*kept, "80 % range"])
    twin = pd.concat(twins)[["city_id", "series", "year", "low", "central", "high"]]
    return publish(project, name, figure, twin, _alt(title, results))


def supply(
    project: Project, results: dict[str, CityResult], name: str, title: str, source: str
) -> Image:
    """One panel a city: care workers needed, and in post on both paths."""

    def series(result: CityResult) -> dict:
        stock = result.values["caregivers_stock"]
        return {
            "needed": result.values["caregivers_total_needed"].sel(measure="need"),
            "in post, today's training": stock.sel(path="today"),
            "in post, programme": stock.sel(path="programme"),
        }

    return _lines(project, results, series, name, title, source, "care workers\n养老护理员")


def ratios(
    project: Project, results: dict[str, CityResult], name: str, title: str, source: str
) -> Image:
    """One panel a city: care workers per 100 people of 65 and over, with the OECD's average."""

    def series(result: CityResult) -> dict:
        values = result.values
        post = result.quantity("caregivers_in_post_per_100").sel(path="today")
        needed = values["caregivers_per_100_needed"]
        return {
            "needed": needed.sel(measure="need"),
            "today's use": needed.sel(measure="use"),
            "in post": post,
        }

    def oecd(result: CityResult) -> tuple[str, float]:
        return "OECD average, 2016", float(result.assumptions["oecd_caregivers_per_100"].median())

    label = "care workers per 100 people 65+\n每百名65岁及以上老年人护理员"
    return _lines(project, results, series, name, title, source, label, oecd)


def cost_groups(
    project: Project, results: dict[str, CityResult], name: str, title: str, source: str
) -> Image:
    """One panel a city: the means of the groups of cost, one on the other, if need is met; so they add up to that of all."""
    figure, axes = _grid(len(results))
    twins, layers = [], []
    for axis, result in zip(axes, results.values()):
        cost = result.values["cost"].sel(measure="need")
        groups = {
            group: cost.sel(cost_item=list(items)).sum("cost_item", skipna=False)
            for group, items in GROUPS.items()
        }
        stacked = xr.concat(list(groups.values()), "group").assign_coords(group=list(groups))
        table = summarise_parts(stacked, "group")
        wide = table[table["group"] != TOTAL].pivot_table("mean", "year", "group", sort=False)[
            list(GROUPS)
        ]
        layers = axis.stackplot(
            wide.index, wide.to_numpy().T, colors=COLOURS, alpha=0.85, linewidth=0
        )
        twins.append(table.assign(city_id=result.city.city_id))
        _dress(axis, result)
        axis.margins(x=0)
    axes[0].set_ylabel(f"yuan a year, {MEANS}\n年度费用（元，均值）")
    _finish(figure, title, source)
    handles = [plt.Rectangle((0, 0), 1, 1, color=layer.get_facecolor()[0]) for layer in layers]
    figure.legend(handles, list(GROUPS), loc="lower right", ncols=1, bbox_to_anchor=(0.97, 0.1))
    twin = pd.concat(twins)[["city_id", "group", "year", "mean", "low", "central", "high"]]
    return publish(project, name, figure, twin, _alt(title, results))


def affordability(
    project: Project, results: dict[str, CityResult], year: int, name: str, title: str, source: str
) -> Image:
    """One panel a lever: how sure one can be that the care is paid for at a level, a line a city."""
    figure, axes = plt.subplots(1, len(LEVELS), figsize=(WIDTH, 3.6), sharey=True)
    twins, lines = [], {}
    for axis, (label, kind) in zip(axes, LEVELS.items()):
        for number, result in enumerate(results.values()):
            levels = [level_that_pays(result, kind, year, float(chance)) for chance in CHANCES]
            shown = np.array(levels) * (100 if kind == "co_payment" else 1)
            (lines[result.city.name_en],) = axis.plot(
                shown, CHANCES * 100, color=colour_of(number), linestyle=style_of(number)
            )
            twins.append(
                pd.DataFrame(
                    {
                        "city_id": result.city.city_id,
                        "lever": kind,
                        "chance": CHANCES.round(2),
                        "value": levels,
                    }
                )
            )
        axis.axhline(PROBABILITY * 100, color=MARK, linewidth=0.9, linestyle=":")
        first, _, second = label.partition(", ")
        axis.set_title(first)
        axis.set_xlabel(second.replace("share", "per cent"))
        sns.despine(ax=axis)
    axes[0].yaxis.set_major_formatter(FuncFormatter(lambda value, _=None: f"{value:g} %"))
    axes[0].set_ylabel("chance that the care is paid for")
    _finish(figure, title, source, list(lines.values()), list(lines))
    words = f"{title}. Three panels: subsidy, premium, co-payment; a line for each of {', '.join(lines)}."
    return publish(project, name, figure, pd.concat(twins), words)


def childcare(project: Project, result: CityResult, name: str, title: str, source: str) -> Image:
    """Places for children under 3 that the promise comes to, beside those used and wanted."""
    table = compare_targets(project, result)
    promised = table[table["measured_by"] == "childcare_places_per_1000_used"].head(1)
    values = result.values
    series = {
        "wanted": values["childcare_places_wanted"],
        "used at the enrolment seen": values["childcare_places_used"],
    }
    for row in promised.itertuples():
        series["promised ratio"] = childcare_places_promised(
            values["population_total"], float(row.promised)
        )
    figure, axis = plt.subplots(figsize=(WIDTH * 0.62, 3.4))
    twins, lines = [], {}
    for number, (words, array) in enumerate(series.items()):
        part = summarise(array)
        colour = MARK if words == "promised ratio" else colour_of(number)
        axis.fill_between(
            part["year"], part["low"], part["high"], color=colour, alpha=0.15, linewidth=0
        )
        (lines[words],) = axis.plot(part["year"], part["central"], color=colour)
        twins.append(part.assign(city_id=result.city.city_id, series=words))
    for row in promised.itertuples():
        height = float(series["promised ratio"].sel(year=row.target_year).median())
        axis.plot(row.target_year, height, marker="D", color=MARK)
    _dress(axis, result)
    axis.set_ylabel("places\n3岁以下婴幼儿托位")
    shade = plt.Rectangle((0, 0), 1, 1, color=SOFT, alpha=0.3)
    _finish(figure, title, source, [*lines.values(), shade], [*lines, "80 % range"])
    twin = pd.concat(twins)[["city_id", "series", "year", "low", "central", "high"]]
    return publish(
        project,
        name,
        figure,
        twin,
        f"{title}: wanted, used and promised by year. Bands are 80 % ranges.",
    )
