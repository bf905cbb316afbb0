"""The four figures of the city report, with all words in the language of the report."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
import xarray as xr
from IPython.display import Image
from matplotlib.ticker import FuncFormatter, MultipleLocator

from eldercare.analysis.compare import compare_targets
from eldercare.inputs.load import Project
from eldercare.model.chain import (
    BASE_YEAR,
    LAST_YEAR,
    TOTAL,
    CityResult,
    stock_of_beds,
    summarise,
    summarise_parts,
)
from eldercare.reporting.charts import INK, MARK, PALETTE, SOFT, colour_of, publish, set_style
from eldercare.reporting.language import Language
from eldercare.reporting.report import LIMITED, summed

SIZE = (7.2, 2.75)
STYLES = ("-", "--", "-.")
FONTS = ["Notebook Sans SC", "DejaVu Sans"]
YEARS_APART, LEGEND_COLUMNS = 5, 5
DPI = 150
COLUMNS = ["city_id", "series", "year", "low", "central", "high"]
NEED = {"measure": "need"}
BOX = {"facecolor": "white", "edgecolor": "none", "pad": 2}


def people(project: Project, result: CityResult, words: Language, name: str) -> Image:
    """Residents of 60 and over, of 80 and over, and those with limitations, with their ranges."""
    series = {
        "60_plus": result.values["population_60_plus"],
        "80_plus": result.values["population_80_plus"],
        "limited": summed(result, "care_need", severity=LIMITED),
    }
    return _lines(project, result, words, name, "people", series)


def beds(project: Project, result: CityResult, words: Language, name: str) -> Image:
    """Beds needed and beds at today's use with their ranges; targets and existing beds as marks."""
    values = result.values["beds_total_needed"]
    series = {measure: values.sel(measure=measure) for measure in ("need", "use")}
    return _lines(project, result, words, name, "beds", series, _mark_beds(project, result))


def caregivers(project: Project, result: CityResult, words: Language, name: str) -> Image:
    """Care workers needed, and those in post with today's training and with the programme."""
    stock = result.values["caregivers_stock"]
    series = {
        "needed": result.values["caregivers_total_needed"].sel(NEED),
        "today": stock.sel(path="today"),
        "programme": stock.sel(path="programme"),
    }
    return _lines(project, result, words, name, "caregivers", series)


def payers(project: Project, result: CityResult, words: Language, name: str) -> Image:
    """Yearly cost by payer if need is met, the means one on the other."""
    figure, axis = _axis(words, "money")
    table = summarise_parts(result.values["payment"].sel(NEED), "payer")
    wide = table[table["payer"] != TOTAL].pivot_table("mean", "year", "payer", sort=False)
    layers = axis.stackplot(
        wide.index, wide.to_numpy().T, colors=[*PALETTE, SOFT], alpha=0.85, linewidth=0
    )
    axis.margins(x=0)
    labels = [words.of("payer", payer) for payer in wide.columns]
    _legend(axis, dict(zip(labels[::-1], layers[::-1])))
    twin = table.assign(city_id=result.city.city_id)[
        ["city_id", "payer", "year", "mean", "low", "central", "high"]
    ]
    alt = _alt(project, result, words, "payers", result.values["cost_total"].sel(NEED), "yuan")
    return _publish(project, name, figure, twin, alt)


def _axis(words: Language, label: str):
    set_style()
    mpl.rcParams.update({"font.family": FONTS, "savefig.dpi": DPI})
    figure, axis = plt.subplots(figsize=SIZE)
    axis.set_title(words.phrase(f"axis_{label}"), fontsize=9, color=INK)
    axis.yaxis.set_major_formatter(FuncFormatter(words.given))
    axis.xaxis.set_major_locator(MultipleLocator(YEARS_APART))
    sns.despine(ax=axis)
    return figure, axis


def _lines(
    project, result, words, name, label: str, series: Mapping[str, xr.DataArray], marks=()
) -> Image:
    figure, axis = _axis(words, label)
    drawn, twins = {}, []
    for number, (kind, array) in enumerate(series.items()):
        table = summarise(array)
        axis.fill_between(
            table["year"],
            table["low"],
            table["high"],
            color=colour_of(number),
            alpha=0.18,
            linewidth=0,
        )
        (drawn[words.of("series", kind)],) = axis.plot(
            table["year"],
            table["central"],
            color=colour_of(number),
            linestyle=STYLES[number % len(STYLES)],
        )
        twins.append(table.assign(series=kind))
    for mark in marks:
        (drawn[words.of("series", mark["series"])],) = axis.plot(
            mark["year"], mark["central"], **MARKS[mark["series"]]
        )
        twins.append(pd.DataFrame([{**mark, "low": mark["central"], "high": mark["central"]}]))
    drawn[words.of("series", "range")] = plt.Rectangle((0, 0), 1, 1, color=SOFT, alpha=0.3)
    axis.set_ylim(bottom=0)
    axis.margins(x=0.02)
    _legend(axis, drawn)
    if label == "beds":
        _say_what_is_missing(axis, words, {mark["series"] for mark in marks})
    twin = pd.concat(twins).assign(city_id=result.city.city_id)[COLUMNS]
    first = next(iter(series.values()))
    alt = _alt(
        project,
        result,
        words,
        label,
        first,
        {"people": "person", "beds": "bed", "caregivers": "worker"}[label],
    )
    return _publish(project, name, figure, twin, alt)


MARKS = {
    "promised": {"marker": "D", "markersize": 7, "color": MARK, "linestyle": "none", "zorder": 5},
    "stock": {"marker": "s", "markersize": 6, "color": INK, "linestyle": "none", "zorder": 5},
}


def _mark_beds(project: Project, result: CityResult) -> list[dict]:
    table = compare_targets(project, result)
    rows = table[table["measured_by"] == "beds_total_needed"]
    marks = [
        {"series": "promised", "year": int(row.target_year), "central": float(row.promised)}
        for row in rows.itertuples()
    ]
    stock = stock_of_beds(result.city)
    if stock is not None:
        marks.append(
            {"series": "stock", "year": int(stock["year"]), "central": float(stock["value"])}
        )
    return marks


def _say_what_is_missing(axis, words: Language, there: set[str]) -> None:
    lines = [
        words.phrase(phrase)
        for kind, phrase in (("promised", "promise_unknown"), ("stock", "stock_unknown"))
        if kind not in there
    ]
    axis.text(
        0.02,
        0.96,
        "\n".join(lines),
        transform=axis.transAxes,
        fontsize=8,
        color=INK,
        va="top",
        linespacing=1.6,
        bbox=BOX,
    )


def _legend(axis, drawn: Mapping) -> None:
    axis.legend(
        list(drawn.values()),
        list(drawn),
        loc="upper center",
        bbox_to_anchor=(0.5, -0.13),
        ncols=LEGEND_COLUMNS,
    )


def _alt(project, result, words, label: str, array: xr.DataArray, unit: str) -> str:
    table = summarise(array).set_index("year")["central"]
    base, late = (words.counted(float(table[year]), unit) for year in (BASE_YEAR, LAST_YEAR))
    return words.phrase(
        f"alt_{label}",
        city=words.city(project, result.city),
        first=BASE_YEAR,
        last=LAST_YEAR,
        base=base,
        late=late,
    )


def _publish(project: Project, name: str, figure, twin: pd.DataFrame, alt: str) -> Image:
    figure.tight_layout()
    return publish(project, name, figure, twin, alt)
