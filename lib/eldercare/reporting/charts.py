"""Figures, each written with its twin table: the same numbers, rounded and sorted, which tests compare."""

from __future__ import annotations

import io
import os
import textwrap
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import PIL.Image
import seaborn as sns
from IPython.display import Image
from matplotlib import font_manager
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, MultipleLocator, NullLocator

from eldercare.analysis.compare import compare_all, compare_targets
from eldercare.inputs.load import Project
from eldercare.model.base import AGES
from eldercare.model.chain import BASE_YEAR, TOTAL, CityResult, stock_of_beds, summarise_parts
from eldercare.reporting.present import sentence_case, significant, text_chance

FONT = Path(__file__).parent / "fonts" / "NotebookSansSC-Regular.otf"
INK, SOFT, MARK = "#1b2a41", "#8d99ae", "#c1121f"
PALETTE = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"]
LEGEND_COLUMNS = 6
LINE_STYLES = ("-", "--", "-.", ":")
WIDTH = 10.5
TWIN_DIGITS = 4
MEANS = "mean of the draws"
LABEL_WIDTH = 34


def colour_of(number: int) -> str:
    """Colour of a line or layer by its number; they begin again after the last, see `style_of`."""
    return PALETTE[number % len(PALETTE)]


def style_of(number: int) -> str:
    """Line of a number: full, then, when the colours begin again, dashed and so on, so that no two look alike."""
    return LINE_STYLES[number // len(PALETTE) % len(LINE_STYLES)]


def set_style() -> None:
    """Fonts, colours and sizes of all figures; Chinese text needs no font on the machine."""
    sns.set_theme(style="whitegrid", palette=PALETTE)
    _register_font()
    mpl.rcParams.update(
        {
            "font.family": ["DejaVu Sans", "Notebook Sans SC"],
            "font.size": 9,
            "axes.titlesize": 10,
            "axes.labelsize": 9,
            "axes.edgecolor": SOFT,
            "axes.titlelocation": "left",
            "grid.color": "#e3e6ea",
            "xtick.labelsize": 8,
            "ytick.labelsize": 8,
            "legend.fontsize": 8,
            "legend.frameon": False,
            "figure.dpi": 100,
            "savefig.dpi": 110,
            "svg.hashsalt": "eldercare",
        }
    )


def _register_font() -> None:
    """Make the shipped font known, as normal and as bold, so that no glyph and no weight is missed."""
    known = {(font.name, font.weight) for font in font_manager.fontManager.ttflist}
    if ("Notebook Sans SC", 400) not in known:
        font_manager.fontManager.addfont(FONT)
    if ("Notebook Sans SC", 700) not in known:
        bold = font_manager.FontEntry(
            fname=str(FONT),
            name="Notebook Sans SC",
            style="normal",
            variant="normal",
            weight=700,
            stretch="normal",
            size="scalable",
        )
        font_manager.fontManager.ttflist.append(bold)


def figures_folder(project: Project) -> Path:
    """Where figures go: $ELDERCARE_FIGURES, else `figures/` of the project."""
    return Path(os.environ.get("ELDERCARE_FIGURES") or project.root / "figures")


def publish(project: Project, name: str, figure, twin: pd.DataFrame, alt: str) -> Image:
    """Write a figure and its twin table, and show the figure.

    name : as `03_older_people`; figures/<name>.png and figures/<name>.csv are written whole or not at all
    twin : the numbers in the figure; rounded to four significant digits and sorted here
    alt  : what the figure shows, for a reader who cannot see it
    """
    folder = figures_folder(project)
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    picture = _lighter(buffer)
    write_whole(folder / f"{name}.png", picture)
    write_whole(folder / f"{name}.csv", twin_text(twin).encode())
    return Image(data=picture, format="png", alt=alt)


def _lighter(buffer: io.BytesIO) -> bytes:
    """The same picture with a palette of 96 colours: a third of the weight in the notebook."""
    out = io.BytesIO()
    buffer.seek(0)
    pixels = (plt.imread(buffer)[..., :3] * 255).round().astype(np.uint8)
    PIL.Image.fromarray(pixels).quantize(96, method=PIL.Image.Quantize.MEDIANCUT).save(
        out, "png", optimize=True
    )
    return out.getvalue()


def twin_text(table: pd.DataFrame) -> str:
    """A twin table as CSV text: keys sorted, numbers with four significant digits."""
    out = table.copy()
    for column in out.columns:
        if pd.api.types.is_float_dtype(out[column]):
            out[column] = [_plain(significant(value, TWIN_DIGITS)) for value in out[column]]
    keys = [
        column
        for column in out.columns
        if column not in ("mean", "low", "central", "high", "value")
    ]
    return out.sort_values(keys, kind="stable").to_csv(index=False, lineterminator="\n")


def _plain(value: float) -> str:
    if not np.isfinite(value):
        return "not available"
    return np.format_float_positional(value, trim="-")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    os.replace(part, path)


def write_picture(path: Path, figure) -> None:
    """Write a figure as PNG, whole or not at all, and close it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    plt.close(figure)
    write_whole(path, buffer.getvalue())


def _grid(count: int, columns: int = 3, height: float = 2.7, width: float = WIDTH):
    columns = min(columns, max(count, 1))
    rows = int(np.ceil(max(count, 1) / columns))
    figure, axes = plt.subplots(
        rows, columns, figsize=(width * columns / 3, height * rows + 0.6), squeeze=False
    )
    for axis in axes.flat[count:]:
        axis.set_visible(False)
    return figure, list(axes.flat[:count])


def _finish(figure, title: str, source: str, handles=None, labels=None) -> None:
    inch = 1 / figure.get_size_inches()[1]
    figure.tight_layout(rect=(0, 0.55 * inch, 1, 1 - 0.3 * inch))
    figure.text(
        0.01, 1 - 0.05 * inch, title, ha="left", va="top", fontsize=12, fontweight="bold", color=INK
    )
    if handles:
        figure.legend(
            handles,
            labels,
            loc="lower right",
            ncols=min(len(handles), LEGEND_COLUMNS),
            bbox_to_anchor=(1, 0.2 * inch),
            borderaxespad=0.2,
        )
    figure.text(0.01, 0.05 * inch, f"Source: {source}", fontsize=7, color=SOFT, ha="left")


def nothing_to_draw(title: str, words: str):
    """A figure that says why there is nothing to draw."""
    figure, axis = plt.subplots(figsize=(WIDTH, 1.4))
    axis.set_axis_off()
    axis.text(0, 0.5, words, fontsize=9, color=INK, va="center")
    figure.text(0.01, 0.98, title, ha="left", va="top", fontsize=12, fontweight="bold", color=INK)
    return figure


def short_number(value: float, _position=None) -> str:
    """A number on an axis: thousands as k, millions as m, thousands of millions as bn."""
    if value == 0:
        return "0"
    for size, mark in ((1e9, " bn"), (1e6, " m"), (1e3, " k")):
        if abs(value) >= size:
            return f"{value / size:g}{mark}"
    return f"{value:g}"


def _city_title(result: CityResult) -> str:
    return f"{result.city.name_en}  {result.city.name_zh}".strip()


def _axis_label(project: Project, indicator: str, unit: str = "") -> str:
    row = project.indicators.set_index("indicator").loc[indicator]
    words = textwrap.fill(row["label_en"], LABEL_WIDTH)
    return "\n".join([words, row["label_zh"], *([f"({unit})"] if unit else [])])


def paths(
    project: Project,
    results: dict[str, CityResult],
    indicator: str,
    name: str,
    title: str,
    source: str,
    with_use: bool = False,
    targets: bool = True,
    stock: bool = False,
    **where,
) -> Image:
    """One panel a city: the range and the middle of an indicator by year, promises and stock as marks."""
    figure, axes = _grid(len(results))
    twins, drawn = [], {}
    for axis, result in zip(axes, results.values()):
        selections = (
            {"need": where}
            if not with_use
            else {"need": {**where, "measure": "need"}, "today's use": {**where, "measure": "use"}}
        )
        for number, (label, selection) in enumerate(selections.items()):
            table = result.table(indicator, **selection)
            colour = colour_of(number)
            drawn["80 % range" if number == 0 else f"80 % range, {label}"] = axis.fill_between(
                table["year"], table["low"], table["high"], color=colour, alpha=0.2, linewidth=0
            )
            (drawn[label if with_use else "middle"],) = axis.plot(
                table["year"],
                table["central"],
                color=colour,
                linestyle="-" if number == 0 else "--",
            )
            twins.append(table.assign(city_id=result.city.city_id, series=label))
        if targets:
            twins += _mark_targets(project, axis, result, indicator, drawn)
        if stock:
            twins += _mark_stock(axis, result, drawn)
        _dress(axis, result)
    axes[0].set_ylabel(_axis_label(project, indicator))
    _finish(figure, title, source, list(drawn.values()), list(drawn))
    columns = ["city_id", "series", "year", "low", "central", "high"]
    return publish(project, name, figure, pd.concat(twins)[columns], _alt(title, results))


def _dress(axis, result: CityResult) -> None:
    axis.set_title(_city_title(result))
    axis.set_ylim(bottom=0)
    dress_years(axis)


def dress_years(axis) -> None:
    """Axes of a panel whose years run across: short numbers upwards, a mark every ten years, no frame."""
    axis.yaxis.set_major_formatter(FuncFormatter(short_number))
    axis.xaxis.set_major_locator(MultipleLocator(10))
    sns.despine(ax=axis)


def _mark_targets(project, axis, result, indicator, drawn) -> list[pd.DataFrame]:
    table = compare_targets(project, result)
    out = []
    for row in table[table["measured_by"] == indicator].to_dict("records"):
        (drawn["promised"],) = axis.plot(
            row["target_year"],
            row["promised"],
            marker="D",
            markersize=7,
            color=MARK,
            linestyle="none",
            zorder=5,
        )
        axis.axhline(row["promised"], color=MARK, linewidth=0.8, linestyle=":", zorder=1)
        out.append(_one_value(result, "promised", row["target_year"], row["promised"]))
    return out


def _mark_stock(axis, result, drawn) -> list[pd.DataFrame]:
    stock = stock_of_beds(result.city)
    if stock is None:
        axis.text(
            0.03,
            0.94,
            "stock of beds: not available",
            transform=axis.transAxes,
            fontsize=7.5,
            color=SOFT,
            va="top",
        )
        return []
    year = max(int(stock["year"]), int(result.values["year"].values[0]))
    (drawn["existing beds"],) = axis.plot(
        year, stock["value"], marker="s", markersize=6, color=INK, linestyle="none", zorder=5
    )
    return [_one_value(result, "stock", int(stock["year"]), float(stock["value"]))]


def _one_value(result, series: str, year: int, value: float) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "city_id": result.city.city_id,
                "series": series,
                "year": year,
                "low": value,
                "central": value,
                "high": value,
            }
        ]
    )


def stacks(
    project: Project,
    results: dict[str, CityResult],
    indicator: str,
    dim: str,
    name: str,
    title: str,
    source: str,
    parts=None,
    **where,
) -> Image:
    """One panel a city: the means of an indicator's parts, one on the other, by year; so they add up to the mean of all."""
    figure, axes = _grid(len(results))
    twins, handles, labels = [], [], []
    for axis, result in zip(axes, results.values()):
        array = result.values[indicator].sel(where)
        table = summarise_parts(array.sel({dim: list(parts)}) if parts else array, dim)
        table = table[table["mean"].notna()]
        wide = table[table[dim] != TOTAL].pivot_table("mean", "year", dim, sort=False)
        wide = wide[list(parts)] if parts else wide
        colours = [colour_of(number) for number in range(wide.shape[1])]
        layers = axis.stackplot(
            wide.index, wide.to_numpy().T, colors=colours, alpha=0.85, linewidth=0
        )
        handles, labels = layers, [str(part).replace("_", " ") for part in wide.columns]
        twins.append(table.assign(city_id=result.city.city_id))
        _dress(axis, result)
        axis.margins(x=0)
    axes[0].set_ylabel(_axis_label(project, indicator, MEANS))
    _finish(figure, title, source, handles, labels)
    columns = ["city_id", dim, "year", "mean", "low", "central", "high"]
    return publish(project, name, figure, pd.concat(twins)[columns], _alt(title, results))


def pyramids(
    project: Project,
    results: dict[str, CityResult],
    populations: dict,
    name: str,
    title: str,
    source: str,
) -> Image:
    """One panel a city: people by age and sex in some years, men to the left.

    populations : table by city_id with columns year, sex, age, central (see `chain.age_structure`)
    """
    figure, axes = _grid(len(results), height=3.1)
    drawn, twins = {}, []
    for axis, result in zip(axes, results.values()):
        table = populations[result.city.city_id]
        for number, (year, part) in enumerate(table.groupby("year")):
            for sex, sign in (("male", -1), ("female", 1)):
                values = part[part["sex"] == sex].set_index("age")["central"].reindex(AGES)
                if number == 0:
                    axis.fill_betweenx(
                        AGES, 0, sign * values, color=SOFT, alpha=0.35, linewidth=0, step="mid"
                    )
                (line,) = axis.plot(sign * values, AGES, color=colour_of(number), linewidth=1.2)
                drawn[str(year)] = line
        twins.append(table.assign(city_id=result.city.city_id))
        axis.set_title(_city_title(result))
        axis.xaxis.set_major_formatter(
            FuncFormatter(lambda value, _=None: short_number(abs(value)))
        )
        axis.xaxis.set_major_locator(MaxNLocator(5))
        axis.axhline(60, color=MARK, linewidth=0.7, linestyle=":")
        axis.set_ylim(0, 100)
        sns.despine(ax=axis)
    axes[0].set_ylabel("Age  年龄\nmen 男 left, women 女 right")
    _finish(figure, title, source, list(drawn.values()), list(drawn))
    twin = pd.concat(twins)[["city_id", "year", "sex", "age", "central"]]
    return publish(project, name, figure, twin[twin["age"] % 5 == 0], _alt(title, results))


def promises(
    project: Project, results: dict[str, CityResult], name: str, title: str, source: str
) -> Image:
    """One row a promise: the need as a share of what was promised, with its range; the line is 100 %."""
    table = compare_all(project, results)
    figure, axis = plt.subplots(figsize=(WIDTH, 0.42 * max(len(table), 1) + 1.6))
    names = {result.city.city_id: result.city.name_en for result in results.values()}
    rows = table.iloc[::-1].reset_index(drop=True)
    for place, row in rows.iterrows():
        scale = 100 / row["promised"]
        enough = row["chance"] >= 0.5
        axis.plot(
            [row["low"] * scale, row["high"] * scale],
            [place, place],
            color=PALETTE[0],
            linewidth=5,
            alpha=0.35,
            solid_capstyle="butt",
        )
        axis.plot(row["central"] * scale, place, marker="o", color=PALETTE[0], markersize=7)
        axis.plot(
            row["use"] * scale, place, marker="|", color=INK, markersize=13, markeredgewidth=2
        )
        words = f"{text_chance(row['chance'])} chance it is enough"
        axis.text(
            1.01,
            place,
            words,
            transform=axis.get_yaxis_transform(),
            va="center",
            fontsize=8,
            color=INK if enough else MARK,
        )
    axis.axvline(100, color=MARK, linewidth=1.5)
    axis.set_yticks(
        range(len(rows)),
        [
            f"{names[r.city_id]} {r.target_year}: {sentence_case(r.label_en)}"
            for r in rows.itertuples()
        ],
    )
    axis.set_xlabel(
        "need in per cent of the promise (right of the red line: more is needed than was promised)"
    )
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _=None: f"{value:g} %"))
    axis.xaxis.set_major_locator(FixedLocator([25, 50, 100, 200, 400, 800]))
    axis.xaxis.set_minor_locator(NullLocator())
    handles = [
        plt.Line2D([], [], color=PALETTE[0], linewidth=5, alpha=0.35),
        plt.Line2D([], [], color=PALETTE[0], marker="o", linestyle="none"),
        plt.Line2D(
            [], [], color=INK, marker="|", markersize=12, markeredgewidth=2, linestyle="none"
        ),
        plt.Line2D([], [], color=MARK),
    ]
    sns.despine(ax=axis)
    _finish(
        figure, title, source, handles, ["80 % range of need", "need", "today's use", "promised"]
    )
    twin = table[
        [
            "city_id",
            "target_id",
            "target_year",
            "promised",
            "low",
            "central",
            "high",
            "use",
            "chance",
        ]
    ]
    return publish(
        project, name, figure, twin, f"{title}. One row for each of {len(table)} promises."
    )


def bases(project: Project, rows: pd.DataFrame, name: str, title: str, source: str) -> Image:
    """How many assumptions rest on what: measured, published, expert, analogy, guess, by step."""
    order = ["measured", "published", "expert", "analogy", "guess"]
    counts = rows.groupby("basis").size().reindex(order).fillna(0).astype(int)
    figure, axis = plt.subplots(figsize=(WIDTH * 0.7, 2.4))
    axis.barh(
        order[::-1],
        counts[order[::-1]],
        color=[MARK if b == "guess" else PALETTE[0] for b in order[::-1]],
    )
    for place, basis in enumerate(order[::-1]):
        axis.text(counts[basis] + 0.4, place, str(counts[basis]), va="center", fontsize=9)
    axis.set_xlabel("rows of the assumptions")
    axis.grid(axis="y", visible=False)
    sns.despine(ax=axis)
    _finish(figure, title, source)
    twin = counts.rename("value").rename_axis("basis").reset_index()
    return publish(project, name, figure, twin, title)


def influences(
    project: Project,
    tables: dict[str, pd.DataFrame],
    results,
    name: str,
    title: str,
    unit: str,
    source: str,
) -> Image:
    """One panel a city: how far the result moves between the lowest and the highest fifth of an assumption."""
    figure, axes = _grid(len(results), columns=2, height=2.6, width=WIDTH * 1.5)
    twins = []
    for axis, result in zip(axes, results.values()):
        table = tables[result.city.city_id].iloc[::-1]
        colours = [PALETTE[0] if effect >= 0 else PALETTE[1] for effect in table["effect"]]
        axis.barh(table["assumption"].str.replace("_", " "), table["effect"], color=colours)
        axis.axvline(0, color=INK, linewidth=0.8)
        axis.set_title(_city_title(result))
        axis.xaxis.set_major_formatter(FuncFormatter(short_number))
        axis.xaxis.set_major_locator(MaxNLocator(4))
        axis.grid(axis="y", visible=False)
        sns.despine(ax=axis, left=True)
        twins.append(tables[result.city.city_id].assign(city_id=result.city.city_id))
    axes[-1].set_xlabel(unit)
    _finish(figure, title, source)
    twin = pd.concat(twins)[["city_id", "assumption", "share_of_spread", "effect"]]
    return publish(project, name, figure, twin, _alt(title, results))


def _alt(title: str, results: dict[str, CityResult]) -> str:
    names = ", ".join(result.city.name_en for result in results.values())
    return f"{title}. One panel for each of: {names}. The numbers are in the twin table, from {BASE_YEAR} on."
