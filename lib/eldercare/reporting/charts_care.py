"""Figures of care need and beds, each with its twin table."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from IPython.display import Image
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from eldercare.analysis.decomposition import FACTORS, OUTCOMES
from eldercare.analysis.definitions import ORDER, definition_table
from eldercare.inputs.checks import age_band_limits
from eldercare.inputs.load import Project
from eldercare.model.base import AGES
from eldercare.model.chain import CityResult
from eldercare.model.need import LIMITED, severity_curves, survey_weights
from eldercare.reporting.charts import (
    INK,
    MARK,
    MEANS,
    PALETTE,
    SOFT,
    WIDTH,
    _alt,
    _city_title,
    _dress,
    _finish,
    _grid,
    publish,
    short_number,
)
from eldercare.reporting.language import load_language

FACTOR_LABELS = {
    "start": "beds of 2020\n(as full as seen)",
    "ageing": "ageing",
    "longer_life": "longer life",
    "drift": "drift",
    "places": "use to need",
    "occupancy": "fuller beds",
    "unit_cost": "unit cost",
    "end": "need",
}
LAST_SHOWN = 100
PALE = "#c9d3df"
BY_AGE_LOOK = {"color": PALETTE[0], "label": "rates by age, the city's own ages"}
ONE_SHARE_LOOK = {"color": PALE, "hatch": "///", "label": "one share of all 60+, not age-adjusted"}
MEASURE_LOOK = {"need": ("need", PALETTE[0], 4, "o", 5), "use": ("use", INK, 1.5, "|", 9)}


def prevalence(project: Project, name: str, title: str, source: str) -> Image:
    """The smooth rates by single age beside the published cells: any limitation, then each severity."""
    rows = project.assumptions[project.assumptions["assumption"] == "adl_prevalence"]
    central = rows.pivot_table("central", "age_band", "severity").sort_index()
    curves = severity_curves(central, survey_weights(project.china))
    curves = {"any limitation": sum(curves.values()), **curves}
    cells = {
        "any limitation": rows.groupby("age_band", as_index=False)["central"].sum(),
        **dict(iter(rows.groupby("severity"))),
    }
    figure, axes = _grid(len(curves), columns=4, height=2.8, width=WIDTH * 3 / 4)
    ages = AGES[(AGES >= 65) & (AGES <= LAST_SHOWN)]
    drawn, twins = {}, []
    for axis, (part, curve), colour in zip(axes, curves.items(), (INK, *PALETTE)):
        (drawn["smooth rate"],) = axis.plot(ages, curve[ages], color=colour)
        for row in cells[part].to_dict("records"):
            drawn["published: mean of the band"] = _mark_band(axis, row)
            twins.append(
                {
                    "part": part,
                    "series": "published",
                    "age": row["age_band"],
                    "value": row["central"],
                }
            )
        twins += [
            {"part": part, "series": "smooth", "age": str(age), "value": curve[age]}
            for age in ages[::5]
        ]
        axis.set_title(part)
        axis.set_ylim(bottom=0)
        axis.set_xlabel("age  年龄")
        axis.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        sns.despine(ax=axis)
    axes[0].set_ylabel("share of people\n失能率")
    _finish(figure, title, source, list(drawn.values()), list(drawn))
    alt = f"{title}. One panel for each of: {', '.join(curves)}."
    return publish(project, name, figure, pd.DataFrame(twins), alt)


def _mark_band(axis, row: dict):
    low, high = age_band_limits(row["age_band"])
    (line,) = axis.plot(
        [low, min(high, LAST_SHOWN)], [row["central"]] * 2, color=MARK, linewidth=2.2
    )
    return line


def definitions(
    project: Project, results: dict[str, CityResult], year: int, name: str, title: str, source: str
) -> Image:
    """One panel a city: people in need of care under five definitions, hatched where not age-adjusted."""
    figure, axes = _grid(len(results), height=2.3)
    twins, drawn = [], {}
    for axis, (city_id, result) in zip(axes, results.items()):
        table = definition_table(
            project, city_id, (year,), result.assumptions.draws, result.scenario
        )
        table = table.set_index("definition").loc[list(ORDER)[::-1]]
        for place, row in enumerate(table.itertuples()):
            look = BY_AGE_LOOK if row.age_adjusted else ONE_SHARE_LOOK
            drawn[look["label"]] = axis.barh(
                place, row.central, edgecolor=SOFT, linewidth=0.4, **look
            )
            words = f" {row.share_of_60_plus * 100:.1f} %"
            axis.text(row.central, place, words, va="center", fontsize=7.5, color=INK)
        axis.set_yticks(range(len(table)), table.index if axis in axes[::3] else [""] * len(table))
        axis.set_xlim(0, table["central"].max() * 1.22)
        _dress_across(axis, result)
        twins.append(table.reset_index().assign(city_id=city_id))
    axes[-1].set_xlabel("people 人")
    order = sorted(drawn, reverse=True)
    _finish(figure, title, source, [drawn[label] for label in order], order)
    twin = pd.concat(twins)[["city_id", "definition", "year", "low", "central", "high"]]
    return publish(project, name, figure, twin, _alt(title, results))


def _dress_across(axis, result: CityResult) -> None:
    """Dress of a panel whose quantity runs across."""
    axis.set_title(_city_title(result))
    axis.xaxis.set_major_formatter(FuncFormatter(short_number))
    axis.xaxis.set_major_locator(MaxNLocator(4))
    axis.grid(axis="y", visible=False)
    sns.despine(ax=axis, left=True)


def healthy_years(
    project: Project,
    results: dict[str, CityResult],
    tables: pd.DataFrame,
    age: int,
    name: str,
    title: str,
    source: str,
) -> Image:
    """Years to live from an age on, divided by limitation: one bar for men and women of each city, means, which add up."""
    table = tables[tables["age"] == age]
    figure, axis = plt.subplots(figsize=(WIDTH, 0.36 * 2 * len(results) + 1.6))
    labels, drawn = {}, {}
    for number, city_id in enumerate(reversed(list(results))):
        for shift, (sex, words) in enumerate((("female", "women 女"), ("male", "men 男"))):
            place = number * 2.4 + shift
            part = table[(table["city_id"] == city_id) & (table["sex"] == sex)].set_index("state")[
                "mean"
            ]
            _draw_years(axis, place, part, drawn)
            labels[place] = f"{results[city_id].city.name_en}, {words}"
    axis.set_yticks(list(labels), list(labels.values()))
    axis.set_xlabel(f"years from age {age} on, {MEANS}  {age}岁预期寿命，均值")
    axis.set_xlim(0, table["mean"].max() * 1.27)
    axis.grid(axis="y", visible=False)
    sns.despine(ax=axis, left=True)
    _finish(figure, title, source, list(drawn.values()), list(drawn))
    twin = table[["city_id", "age", "sex", "state", "mean", "low", "central", "high"]]
    return publish(project, name, figure, twin, _alt(title, results))


def _draw_years(axis, place: float, part: pd.Series, drawn: dict) -> None:
    left = 0.0
    for state, colour in zip(("none", *LIMITED), (PALE, PALETTE[4], PALETTE[1], MARK)):
        label = "without limitation" if state == "none" else state
        drawn[label] = axis.barh(place, part[state], left=left, color=colour, height=0.85)
        left += part[state]
    words = f"{left:.1f}, of these {part[list(LIMITED)].sum():.1f} with a limitation"
    axis.text(left + 0.1, place, words, va="center", fontsize=7.5, color=INK)


def two_methods(
    project: Project, results: dict[str, CityResult], name: str, title: str, source: str
) -> Image:
    """One panel a city: beds in institutions by ratio and by flow, need, with their ranges."""
    figure, axes = _grid(len(results))
    drawn, twins = {}, []
    for axis, result in zip(axes, results.values()):
        for colour, style, (label, indicator) in zip(
            PALETTE,
            ("-", "--"),
            (("by ratio", "beds_institution_needed"), ("by flow", "beds_from_flow")),
        ):
            table = result.table(indicator, measure="need")
            band = axis.fill_between(
                table["year"], table["low"], table["high"], color=colour, alpha=0.18, linewidth=0
            )
            drawn[f"80 % range, {label}"] = band
            (drawn[label],) = axis.plot(
                table["year"], table["central"], color=colour, linestyle=style
            )
            twins.append(table.assign(city_id=result.city.city_id, series=label))
        _dress(axis, result)
    axes[0].set_ylabel("beds in institutions\n机构养老床位")
    _finish(figure, title, source, list(drawn.values()), list(drawn))
    return publish(
        project,
        name,
        figure,
        pd.concat(twins)[["city_id", "series", "year", "low", "central", "high"]],
        _alt(title, results),
    )


def causes(
    project: Project,
    results: dict[str, CityResult],
    tables: pd.DataFrame,
    year: int,
    name: str,
    title: str,
    source: str,
) -> Image:
    """One panel a city: from the beds of 2020, as full as seen, to need in a year, cause by cause; means, which add up."""
    rows = tables[(tables["outcome"] == OUTCOMES[0]) & (tables["year"] == year)]
    parts = ["start", *(factor for factor in FACTORS if factor != "unit_cost"), "end"]
    figure, axes = _grid(len(results), height=2.9)
    for axis, (city_id, result) in zip(axes, results.items()):
        _draw_causes(axis, rows[rows["city_id"] == city_id].set_index("part")["mean"], parts)
        axis.set_title(_city_title(result))
    axes[0].set_ylabel(f"beds, with day care\n养老床位 ({MEANS})")
    _finish(figure, f"{title}, 2020 to {year}", source)
    twin = rows[rows["part"].isin(parts)][
        ["city_id", "year", "part", "mean", "low", "central", "high"]
    ]
    return publish(
        project, name, figure, twin.rename(columns={"mean": "value"}), _alt(title, results)
    )


def _draw_causes(axis, means: pd.Series, parts: list[str]) -> None:
    reached = 0.0
    for place, part in enumerate(parts):
        whole = part in ("start", "end")
        bottom = 0.0 if whole else reached
        colour = INK if whole else (PALETTE[0] if means[part] >= 0 else PALETTE[1])
        axis.bar(place, means[part], bottom=bottom, color=colour, width=0.7)
        reached = bottom + means[part]
        axis.annotate(
            short_number(float(f"{means[part]:.2g}")),
            (place, max(bottom, reached)),
            ha="center",
            va="bottom",
            fontsize=7,
            color=INK,
            xytext=(0, 1),
            textcoords="offset points",
        )
    axis.set_xticks(
        range(len(parts)), [FACTOR_LABELS[part] for part in parts], rotation=35, ha="right"
    )
    axis.yaxis.set_major_formatter(FuncFormatter(short_number))
    axis.set_ylim(0, axis.get_ylim()[1] * 1.12)
    axis.grid(axis="x", visible=False)
    sns.despine(ax=axis)


def scenarios(
    project: Project,
    runs: dict[str, dict[str, CityResult]],
    year: int,
    name: str,
    title: str,
    source: str,
) -> Image:
    """One panel a city: beds needed under each scenario with its range, and use where it differs."""
    results = next(iter(runs.values()))
    figure, axes = _grid(len(results), columns=3, height=2.6)
    drawn, twins = {}, []
    for axis, (city_id, result) in zip(axes, results.items()):
        for place, (scenario, one) in enumerate(reversed(runs.items())):
            for measure in MEASURE_LOOK:
                row = (
                    one[city_id]
                    .table("beds_total_needed", [year], measure=measure)
                    .iloc[0]
                    .to_dict()
                )
                _draw_range(axis, place, row, measure, drawn)
                twins.append({"city_id": city_id, "scenario": scenario, **row, "measure": measure})
        english = load_language(project, "en")
        words = [english.part("scenario", name).split(":")[0] for name in reversed(runs)]
        axis.set_yticks(range(len(runs)), words if axis in axes[::3] else [""] * len(runs))
        axis.set_xlim(left=0)
        _dress_across(axis, result)
    axes[-1].set_xlabel(f"beds in {year}, institutions and day care  养老床位")
    _finish(figure, title, source, list(drawn.values()), list(drawn))
    twin = pd.DataFrame(twins)[["city_id", "scenario", "measure", "year", "low", "central", "high"]]
    return publish(project, name, figure, twin, _alt(title, results))


def _draw_range(axis, place: int, row: dict, measure: str, drawn: dict) -> None:
    label, colour, width, marker, size = MEASURE_LOOK[measure]
    axis.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=width, alpha=0.35)
    (drawn[label],) = axis.plot(
        row["central"], place, marker=marker, color=colour, linestyle="none", markersize=size
    )
