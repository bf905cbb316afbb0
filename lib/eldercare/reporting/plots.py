"""Figures from tidy tables, each written with its table: the same numbers, rounded and sorted.

A figure has a name, as `05_bed_types`. Its words are phrases: figure_<name> is the title, figure_<name>_source
the source, where it is not that of most figures, and figure_<name>_axis what an axis tells, where it is not
the label of the table; words of panels, series and rows are those of the tables (see `Language.part`).
"""

from __future__ import annotations

import io
import math
import os
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import PIL.Image
import seaborn as sns
from IPython.display import Image
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from eldercare.files import write_whole
from eldercare.inputs.load import Project
from eldercare.model.chain import BASE_YEAR, TOTAL
from eldercare.reporting.blocks import text_width
from eldercare.reporting.language import Language, load_language, significant

FONT = Path(__file__).parent / "fonts" / "NotebookSansSC-Regular.otf"
FONTS = ["Notebook Sans SC", "DejaVu Sans"]
INK, SOFT, MARK = "#1b2a41", "#8d99ae", "#c1121f"
PALETTE = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"]
LAYERS = [*PALETTE, SOFT, INK]
LINE_STYLES = ("-", "--", "-.", ":")
MARKS: dict[str, dict[str, Any]] = {
    "promised": {"marker": "D", "markersize": 7, "color": MARK},
    "stock": {"marker": "s", "markersize": 6, "color": INK},
}
STROKE: dict[str, Any] = {
    "marker": "|",
    "markersize": 13,
    "markeredgewidth": 2,
    "color": INK,
    "linestyle": "none",
}
MOST = 12  # panels or colours on one figure; with more of them nothing can be read
WIDTH, PIXELS = 10.5, 1155
TWIN_DIGITS, NOTE_DIGITS = 4, 2
LABEL_WIDTH, TITLE_WIDTH = 34, 44
REPORT: dict[str, Any] = {"width": 7.2, "height": 2.6, "source": ""}  # a figure in a city's report
NUMBERS = ("mean", "low", "central", "high", "value")
FORMS = ("side", "stacked", "running")


def colour_of(number: int) -> str:
    """Colour of a line or bar by its number; they begin again after the last, see `style_of`."""
    return PALETTE[number % len(PALETTE)]


def style_of(number: int) -> str:
    """Line of a number; when the colours begin again it is another one, so that no two of 24 look alike."""
    return LINE_STYLES[(number + number // len(PALETTE)) % len(LINE_STYLES)]


def set_style() -> None:
    """Fonts, colours and sizes of all figures; Chinese text needs no font on the machine."""
    sns.set_theme(style="whitegrid", palette=PALETTE)
    known = {(font.name, font.weight) for font in font_manager.fontManager.ttflist}
    if (FONTS[0], 400) not in known:
        font_manager.fontManager.addfont(FONT)
    if (FONTS[0], 700) not in known:  # the same glyphs stand for bold ones, or they were missed
        bold = font_manager.FontEntry(
            fname=str(FONT), name=FONTS[0], style="normal", variant="normal", weight=700
        )
        font_manager.fontManager.ttflist.append(bold)
    sizes: dict[Any, Any] = {
        "axes.titlesize": 10,
        "axes.labelsize": 9,
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
    }
    mpl.rcParams.update({"font.family": FONTS, "font.size": 9, "legend.fontsize": 8, **sizes})
    colours: dict[Any, Any] = {
        "axes.edgecolor": SOFT,
        "grid.color": "#e3e6ea",
        "hatch.color": "white",
    }
    mpl.rcParams.update({"axes.titlelocation": "left", "legend.frameon": False, **colours})


def publish(
    project: Project,
    name: str,
    figure: Figure,
    twin: pd.DataFrame,
    alt: str,
    folder: Path | None = None,
) -> Image:
    """Write a figure and its table as <name>.png and <name>.csv, each whole or not at all, and show the figure.

    twin   : the numbers in the figure; rounded to four significant digits and sorted here
    alt    : what the figure shows, for a reader who cannot see it
    folder : by default $ELDERCARE_FIGURES, else `figures/` of the project
    """
    folder = folder or Path(os.environ.get("ELDERCARE_FIGURES") or project.root / "figures")
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    dots = PIXELS / figure.get_size_inches()[0]
    figure.savefig(buffer, format="png", dpi=dots, bbox_inches="tight", metadata={"Software": None})
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
    few = PIL.Image.fromarray(pixels).quantize(96, method=PIL.Image.Quantize.MEDIANCUT)
    few.save(out, "png", optimize=True)
    return out.getvalue()


def twin_text(table: pd.DataFrame) -> str:
    """A figure's table as CSV text: keys sorted, numbers with four significant digits."""
    out = table.copy()
    for column in out.columns:
        if pd.api.types.is_float_dtype(out[column]):
            out[column] = [_plain(significant(value, TWIN_DIGITS)) for value in out[column]]
    keys = [column for column in out.columns if column not in NUMBERS]
    return str(out.sort_values(keys, kind="stable").to_csv(index=False, lineterminator="\n"))


def _plain(value: float) -> str:
    return np.format_float_positional(value, trim="-") if np.isfinite(value) else "not available"


class Sheet:
    """A figure with a panel for each value of a column, its legend and its words.

    panel   : column of the table; empty for one panel
    columns : panels side by side;  height, width : of a panel, of the figure [inch]
    title, source : instead of the phrases of the name; without a source none is told
    filled  : what the braces of the title are filled with
    twin    : the figure's table, where it is not the keys and numbers drawn
    """

    def __init__(
        self,
        project: Project,
        table: pd.DataFrame,
        name: str,
        panel: str = "city_id",
        words: Language | None = None,
        columns: int = 3,
        height: float = 2.7,
        width: float = WIDTH,
        title: str = "",
        source: str | None = None,
        filled: Mapping[str, object] | None = None,
        twin: pd.DataFrame | None = None,
        folder: Path | None = None,
    ):
        set_style()
        self.project, self.table, self.name, self.panel = project, table, name, panel
        self.words, self.twin, self.folder = words or load_language(project), twin, folder
        self.filled = filled or {}
        self.title = title or self.words.phrase(f"figure_{name}", **self.filled)
        usual = self._own("source") or self.words.phrase("figure_source")
        self.source = usual if source is None else source
        self.notes: list[str] = []
        self.labels: list[str] = []
        self.drawn: dict[str, Any] = {}
        keys = self.first(panel) if panel and len(table) else [""]
        across = min(columns, len(keys)) if panel else 1
        rows = math.ceil(len(keys) / across)
        wide = width * across / columns if panel else width
        self.figure, grid = plt.subplots(
            rows, across, figsize=(wide, height * rows + 0.6), squeeze=False
        )
        for axis in grid.flat[len(keys) :]:
            axis.set_visible(False)
        self.axes: dict[Any, Axes] = dict(zip(keys, grid.flat))

    def _own(self, part: str) -> str:
        name = f"figure_{self.name}_{part}"
        return self.words.phrase(name, **self.filled) if name in self.words.phrases else ""

    def first(self, column: str) -> list[Any]:
        """The values of a column in their order, at most twelve; if there are more, the figure says so."""
        values = list(dict.fromkeys(self.table[column])) if column else [""]
        if len(values) > MOST:
            self.notes.append(self.words.phrase("figure_first", shown=MOST, all=len(values)))
        return values[:MOST]

    def part(self, column: str, value: object) -> str:
        """A value of a column in words; that of the middle where there is no column."""
        return (
            self.words.part(column, str(value)) if column else self.words.part("series", "middle")
        )

    def panels(self) -> Iterator[tuple[Axes, pd.DataFrame]]:
        """Each panel, with its title, and its rows of the table."""
        if self.table.empty:
            (axis,) = self.axes.values()
            axis.set_axis_off()
            axis.text(0, 0.5, self.words.phrase("figure_nothing"), va="center")
            return
        for key, axis in self.axes.items():
            if self.panel:
                axis.set_title(textwrap.fill(self.part(self.panel, key), TITLE_WIDTH))
            sns.despine(ax=axis)
            yield axis, self.table[self.table[self.panel] == key] if self.panel else self.table

    def dress(self, axis: Axis, column: str, part: pd.DataFrame) -> None:
        """Marks of an axis: years and ages as they are, shares in per cent, other numbers as the language writes them."""
        many = 7 if len(self.axes) == 1 else 4
        if column in ("year", "age"):
            axis.set_major_locator(MaxNLocator(many, integer=True, steps=[1, 2, 5, 10]))
            return
        share = column == "chance" or ("unit" in part and part["unit"].iloc[0] == "share")
        axis.set_major_formatter(FuncFormatter(self._percent if share else self.words.given))
        if axis.get_scale() == "linear" and isinstance(axis, XAxis):
            axis.set_major_locator(MaxNLocator(many))

    def rows(self, axis: Axes, part: pd.DataFrame, keys: Sequence[str]) -> pd.Series:
        """The place of each row of a panel, from the top, its name beside it; not again where all panels have the same."""
        own = [key if key in part else f"{key}_en" for key in keys]
        places = part.groupby(own, sort=False).ngroup()
        first = part.loc[~places.duplicated()]
        labels = [self._row(row, keys) for row in first.to_dict("records")]
        self.labels = self.labels or labels
        spec = axis.get_subplotspec()
        if labels == self.labels and spec is not None and not spec.is_first_col():
            labels = [""] * len(labels)
        axis.set_yticks(range(len(labels)), labels)
        axis.set_ylim(len(labels) - 0.5, -0.5)
        axis.grid(axis="y", visible=False)
        return places

    def _row(self, row: dict, keys: Sequence[str]) -> str:
        words = self.words
        if "assumption" not in keys:
            told = [
                words.text(row, key) if key == "label" else self.part(key, row[key]) for key in keys
            ]
            return words.join("list_join", [text[:1].upper() + text[1:] for text in told])
        name = words.part("assumption", row["assumption"])
        if row.get("keys"):
            keys_told = words.keys(row["keys"].split())
            name = words.phrase("assumption_name", name=name, keys=keys_told)
        lines = [textwrap.fill(name, TITLE_WIDTH)]
        if row.get("unit") and "high" in row:
            ends = {end: words.value(row[end], row["unit"]) for end in ("low", "high")}
            lines.append(words.with_unit(words.phrase("low_to_high", **ends), row["unit"]))
        return "\n".join(lines)

    @staticmethod
    def _percent(value: float, _position: object = None) -> str:
        return f"{value * 100:g}%"

    def publish(self, keys: Sequence[str], numbers: Sequence[str], upright: bool = True) -> Image:
        """The finished figure with its table: the keys, the city first, and the numbers.

        upright : whether the numbers run upwards, not across
        """
        label = self._own("axis")
        if not label and "label" in self.table and len(self.table):
            label = textwrap.fill(str(self.table["label"].iloc[0]), LABEL_WIDTH)
        first, last = next(iter(self.axes.values())), list(self.axes.values())[-1]
        last.set_xlabel(self._own("across") if upright else label)
        first.set_ylabel(label if upright else "")
        self._finish()
        order = sorted(dict.fromkeys(filter(None, keys)), key=lambda key: key != "city_id")
        twin = self.table[[*order, *numbers]] if self.twin is None else self.twin
        alt = self._alt(keys[0])
        return publish(self.project, self.name, self.figure, twin, alt, self.folder)

    def _finish(self) -> None:
        """Room for title, legend and source, and these."""
        wide, high = self.figure.get_size_inches()
        inch, labels = 1 / high, list(self.drawn)
        widest = max((text_width(label) for label in labels), default=1)
        across = max(1, min(len(labels), int(wide / (0.55 + 0.062 * widest))))
        below = 0.3 + 0.17 * math.ceil(len(labels) / across)
        self.figure.tight_layout(rect=(0, below * inch, 1, 1 - 0.3 * inch))
        place: dict[str, Any] = {
            "x": 0.01,
            "ha": "left",
            "color": INK,
            "fontsize": 12,
            "fontweight": "bold",
        }
        self.figure.text(y=1 - 0.05 * inch, va="top", s=self.title, **place)
        if labels:
            self.figure.legend(
                list(self.drawn.values()),
                labels,
                loc="lower right",
                ncols=across,
                bbox_to_anchor=(1, 0.2 * inch),
                borderaxespad=0.2,
            )
        source = self.words.phrase("source_line", source=self.source) if self.source else ""
        line = " ".join([source, *dict.fromkeys(self.notes)])
        self.figure.text(0.01, 0.05 * inch, line, fontsize=7, color=SOFT, ha="left")

    def _alt(self, series: str) -> str:
        """What the figure shows: by a phrase of its own the first series, or all together, at both ends; else its panels."""
        if f"figure_{self.name}_alt" not in self.words.phrases:
            shown = [self.part(self.panel, key) for key in self.axes] if self.panel else []
            names = {"title": self.title, "name": self.name}
            if not shown:
                return self.words.phrase("figure_alt", **names)
            panels = self.words.join("list_join", shown)
            return self.words.phrase("figure_alt_panels", panels=panels, **names)
        kinds = list(self.table[series])
        rows = self.table[self.table[series] == (TOTAL if TOTAL in kinds else kinds[0])]
        rows = rows[rows["year"] >= BASE_YEAR].iloc[[0, -1]]
        base, late = (self.words.value_with_unit(*row) for row in rows[["central", "unit"]].values)
        city, (first, last) = self.part("city_id", rows["city_id"].iloc[0]), rows["year"]
        ends = {"first": first, "last": last, "base": base, "late": late}
        return self.words.phrase(f"figure_{self.name}_alt", city=city, **ends)


def band(
    project: Project,
    table: pd.DataFrame,
    name: str,
    panel: str = "city_id",
    hue: str = "series",
    x: str = "year",
    middle: str = "central",
    missing: Sequence[str] = (),
    reference: Mapping[str, float] | None = None,
    log: bool = False,
    **sheet: Any,
) -> Image:
    """Lines with their 80 % ranges, a colour a series; what was promised and the existing beds are marks.

    table     : panel, hue, x, the middle; low and high, where there are any
    missing   : series of which a panel says that it has none, as "stock"
    reference : levels that are drawn across, by series
    """
    drawn = Sheet(project, table, name, panel, **sheet)
    lines = [kind for kind in drawn.first(hue) if kind not in MARKS]
    ends = [end for end in ("low", middle, "high") if end in table]
    for axis, part in drawn.panels():
        for number, kind in enumerate(lines):
            rows = part[part[hue] == kind] if hue else part
            word = drawn.part(hue if len(lines) > 1 else "", kind)
            look: dict[str, Any] = {"color": MARK if "promised" in str(kind) else colour_of(number)}
            if "low" in rows:
                axis.fill_between(
                    rows[x], rows["low"], rows["high"], alpha=0.18, linewidth=0, **look
                )
            (drawn.drawn[word],) = axis.plot(
                rows[x], rows[middle], linestyle=style_of(number), **look
            )
        marks = part[part[hue].isin(list(MARKS))] if hue else part.iloc[:0]
        for year, value, kind in marks[[x, middle, hue]].to_numpy():
            _mark(axis, drawn, str(kind), year, value)
        for kind, value in (reference or {}).items():
            line = axis.axhline(value, color=MARK, linewidth=1, linestyle=":")
            drawn.drawn[drawn.part("series", kind)] = line
        unknown = [kind for kind in missing if kind not in set(marks[hue])]
        text = "\n".join(drawn.words.phrase(f"{kind}_unknown") for kind in unknown)
        axis.text(0.03, 0.96, text, transform=axis.transAxes, fontsize=7.5, color=INK, va="top")
        if log:
            axis.set_yscale("log")
        elif part[ends].min(axis=None) >= 0:
            axis.set_ylim(bottom=0)
        drawn.dress(axis.xaxis, x, part)
        drawn.dress(axis.yaxis, middle, part)
    if len(ends) > 1:
        shade = plt.Rectangle((0, 0), 1, 1, color=SOFT, alpha=0.3)
        drawn.drawn[drawn.part("series", "range")] = shade
    return drawn.publish([hue, panel, x], ends)


def _mark(axis: Axes, drawn: Sheet, kind: str, year: float, value: float) -> None:
    """A promise in its year, with a line across; beds that were counted before the first year stand at it."""
    year = max(year, axis.dataLim.x0)
    (mark,) = axis.plot(year, value, linestyle="none", zorder=5, **MARKS[kind])
    drawn.drawn[drawn.part("series", kind)] = mark
    if kind == "promised":
        axis.axhline(value, color=MARK, linewidth=0.8, linestyle=":", zorder=1)


def stack(
    project: Project, table: pd.DataFrame, name: str, hue: str, panel: str = "city_id", **sheet: Any
) -> Image:
    """Means of parts one on the other by year, so that they add up to the mean of all; `total` is not drawn.

    table : panel, hue, year, mean, low, central, high, as `Results.parts` gives it
    """
    drawn = Sheet(project, table, name, panel, **sheet)
    kinds = [kind for kind in drawn.first(hue) if kind != TOTAL]
    layers: list[Any] = []
    for axis, part in drawn.panels():
        wide = part.pivot_table("mean", "year", hue)[kinds]
        colours = [LAYERS[number % len(LAYERS)] for number in range(len(kinds))]
        layers = axis.stackplot(
            wide.index, wide.to_numpy().T, colors=colours, alpha=0.85, linewidth=0
        )
        axis.margins(x=0)
        axis.set_ylim(bottom=0)
        drawn.dress(axis.xaxis, "year", part)
        drawn.dress(axis.yaxis, "mean", part)
    pairs = list(zip(kinds, layers))[::-1]
    drawn.drawn = {drawn.part(hue, kind): layer for kind, layer in pairs}
    return drawn.publish([hue, panel, "year"], ["mean", "low", "central", "high"])


def bars(
    project: Project,
    table: pd.DataFrame,
    name: str,
    rows: Sequence[str],
    value: str = "value",
    panel: str = "city_id",
    hue: str = "",
    form: str = "side",
    start: str = "",
    accent: Sequence[str] = (),
    note: str = "",
    **sheet: Any,
) -> Image:
    """Bars across, a row for each of some keys in the order of the table.

    form   : side by side; stacked, with the sum at the end; running, each from where the last one ended
    start  : column in which a bar begins, else 0
    accent : first keys of rows that stand out; running bars begin anew there
    note   : column of what is written behind a bar, a text or a number
    """
    if form not in FORMS:
        raise ValueError(f"“{form}” is no form of bars; there are: {', '.join(FORMS)}")
    drawn = Sheet(project, table, name, panel, **sheet)
    kinds = drawn.first(hue)
    for axis, part in drawn.panels():
        laid = _laid(
            part.assign(place=drawn.rows(axis, part, rows)), rows[0], value, form, start, accent
        )
        for number, kind in enumerate(kinds):
            here = laid[laid[hue] == kind] if hue else laid
            colour = LAYERS[number % len(LAYERS)]
            colours = colour if hue else _colours(here, form)
            hatch = "///" if number >= len(LAYERS) else None
            axis.barh(
                here["y"], here["width"], here["height"], here["base"], color=colours, hatch=hatch
            )
            if hue:
                box = plt.Rectangle((0, 0), 1, 1, facecolor=colour, hatch=hatch)
                drawn.drawn[drawn.part(hue, kind)] = box
        if start:
            axis.axvline(part[start].iloc[0], color=INK, linewidth=0.8)
        drawn.dress(axis.xaxis, value, part)
        ends = laid.groupby("place").agg(
            {"top": "max", **dict.fromkeys([note] if note else [], "last")}
        )
        if form == "stacked":
            note, ends = note or "top", ends
        for place, row in ends.iterrows() if note else ():
            text = (
                row[note]
                if isinstance(row[note], str)
                else drawn.words.number(significant(row[note], NOTE_DIGITS))
            )
            axis.annotate(
                text,
                (row["top"], place),
                (2, 0),
                textcoords="offset points",
                va="center",
                fontsize=7.5,
                color=INK,
            )
        axis.margins(x=0.2 if note else 0.05)
    return drawn.publish([hue, panel, *rows], [value], upright=False)


def _laid(part, first, value, form, start, accent) -> pd.DataFrame:
    """Where each bar lies: columns y, height, base, width, top, and whether it stands out."""
    size = part[value] - (part[start] if start else 0.0)
    within = part.groupby("place")
    accented = part[first].isin(list(accent))
    base = part[start] if start else pd.Series(0.0, part.index)
    place, height = part["place"].astype(float), pd.Series(0.8, part.index)
    if form == "stacked":
        base = within[value].cumsum() - size
    elif form == "running":
        base = part.groupby(accented.cumsum())[value].cumsum() - size
    elif not start:
        height = 0.8 / within[value].transform("size")
        place = place + (within.cumcount() + 0.5) * height - 0.4
    top = np.maximum(base, base + size)
    return part.assign(y=place, height=height, base=base, width=size, top=top, accented=accented)


def _colours(laid: pd.DataFrame, form: str) -> list[str]:
    """Without a series: what rises and what falls, and rows that stand out."""
    out = INK if form == "running" else MARK
    signs = zip(laid["width"] < 0, laid["accented"])
    return [out if accented else PALETTE[int(falls)] for falls, accented in signs]


def ranges(
    project: Project,
    table: pd.DataFrame,
    name: str,
    rows: Sequence[str],
    panel: str = "city_id",
    hue: str = "",
    over: str = "",
    marks: Sequence[str] = (),
    note: str = "",
    reference: Mapping[str, float | tuple[float, float]] | None = None,
    log: bool = False,
    **sheet: Any,
) -> Image:
    """A dot and its 80 % range across, a row for each of some keys in the order of the table.

    over      : column of which all is told as a share
    marks     : further columns, each drawn as a stroke
    note      : column of texts at the right end; of a row with a `chance` under one half they stand out
    reference : levels or spans that are drawn upwards, by series
    """
    drawn = Sheet(project, table, name, panel, **sheet)
    kinds = drawn.first(hue)
    for axis, part in drawn.panels():
        part = part.assign(place=drawn.rows(axis, part, rows).astype(float))
        shown = part[["low", "central", "high", *marks]].div(part[over] if over else 1.0, axis=0)
        for number, kind in enumerate(kinds):
            here = part[hue] == kind if hue else part["place"] >= 0
            y = part.loc[here, "place"] + 0.34 * ((number + 0.5) / len(kinds) - 0.5)
            low, central, high = (shown.loc[here, end] for end in ("low", "central", "high"))
            axis.hlines(y, low, high, color=colour_of(number), linewidth=5, alpha=0.35)
            (dot,) = axis.plot(central, y, "o", color=colour_of(number), markersize=5)
            drawn.drawn[drawn.part(hue, kind)] = dot
        for mark in marks:
            (stroke,) = axis.plot(shown[mark], part["place"], **STROKE)
            drawn.drawn[drawn.part("series", mark)] = stroke
        for kind, level in (reference or {}).items():
            if isinstance(level, tuple):
                line: Any = axis.axvspan(*level, color=SOFT, alpha=0.2, linewidth=0)
            else:
                line = axis.axvline(level, color=MARK, linewidth=1.5)
            drawn.drawn[drawn.part("series", kind)] = line
        for row in part.to_dict("records") if note else ():
            colour = MARK if row.get("chance", 1) < 0.5 else INK
            axis.text(
                1.01,
                row["place"],
                row[note],
                transform=axis.get_yaxis_transform(),
                va="center",
                fontsize=8,
                color=colour,
            )
        if log:
            axis.set_xscale("log")
            axis.xaxis.set_major_locator(LogLocator(2))
            axis.xaxis.set_minor_locator(NullLocator())
        drawn.dress(axis.xaxis, "central", part.assign(unit="share") if over else part)
    shade = plt.Rectangle((0, 0), 1, 1, color=SOFT, alpha=0.5)
    drawn.drawn[drawn.part("series", "range")] = shade
    numbers = ["low", "central", "high", *marks]
    return drawn.publish([hue, panel, *rows], numbers, upright=False)


def pyramid(
    project: Project, table: pd.DataFrame, name: str, panel: str = "city_id", **sheet: Any
) -> Image:
    """People by age and sex in some years, men to the left; the table has every fifth age.

    table : panel, year, sex, age, central, as `chain.age_structure` gives it
    """
    keys = [panel, "year", "sex", "age"]
    fifth = table.loc[table["age"] % 5 == 0, [*keys, "central"]]
    drawn = Sheet(project, table, name, panel, height=3.1, twin=fifth, **sheet)
    years = drawn.first("year")
    for axis, part in drawn.panels():
        for number, year in enumerate(years):
            for sex, sign in (("male", -1), ("female", 1)):
                here = part[(part["year"] == year) & (part["sex"] == sex)].sort_values("age")
                ages, people = here["age"], sign * here["central"]
                if number == 0:
                    axis.fill_betweenx(ages, 0, people, color=SOFT, alpha=0.35, linewidth=0)
                (line,) = axis.plot(people, ages, color=colour_of(number), linewidth=1.2)
                drawn.drawn[str(year)] = line
        axis.xaxis.set_major_formatter(
            FuncFormatter(lambda value, _: drawn.words.given(abs(value)))
        )
        axis.xaxis.set_major_locator(MaxNLocator(5))
        axis.axhline(60, color=MARK, linewidth=0.7, linestyle=":")
        axis.set_ylim(0, 100)
    return drawn.publish(keys, ["central"])


def dots(
    project: Project,
    table: pd.DataFrame,
    name: str,
    x: str,
    y: str = "value",
    hue: str = "series",
    steps: Sequence[str] = (),
    most: float = math.inf,
    **sheet: Any,
) -> Image:
    """One dot a row, a colour a series, against a size on a log scale.

    steps : series that are drawn as steps from their x on
    most  : dots further from 0 are drawn there, and the figure says how many
    """
    drawn = Sheet(project, table, name, "", **sheet)
    for axis, part in drawn.panels():
        kinds = drawn.first(hue)
        for number, kind in enumerate(kinds):
            here = part[part[hue] == kind].sort_values(x)
            if kind in steps:
                ends = [*here[x], part[x].max()], [*here[y], here[y].iloc[-1]]
                shown: Any = axis.step(*ends, where="post", color=MARK, linewidth=1.6)[0]
            else:
                values = here[y].clip(-most, most)
                shown = axis.scatter(here[x], values, 9, colour_of(number), alpha=0.55, linewidth=0)
            drawn.drawn[drawn.part(hue, kind)] = shown
        axis.axhline(0, color=INK, linewidth=0.8, zorder=1)
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(10, subs=(1, 3)))
        axis.xaxis.set_minor_locator(NullLocator())
        drawn.dress(axis.xaxis, x, part.drop(columns="unit"))
        drawn.dress(axis.yaxis, y, part)
        outside = int((part[y].abs() > most).sum())
        if outside:
            drawn.notes.append(
                drawn.words.phrase("figure_beyond", count=outside, most=f"{most:.0%}")
            )
    return drawn.publish([hue, x], [y])


LANE_HEIGHT, STAGE_STEP, LETTERS_A_YEAR = 1.12, 0.095, 14
MOMENTS: dict[str, dict[str, Any]] = {
    "deadline": {"height": 0, "color": INK, "marker": "|", "markersize": 11},
    "goal of a year": {"height": 0.17, "color": PALETTE[1], "marker": "^", "markersize": 6},
    "issued": {"height": 0, "color": MARK, "marker": "D", "markersize": 7, "zorder": 4},
}


def timeline(project: Project, table: pd.DataFrame, name: str, **sheet: Any) -> Image:
    """One lane a plan, in the order of issue: stages above the line, promises on it, the measured ones named below.

    table : city_id, series (issued, stage, deadline, goal of a year, promise, without year), label, start, end,
            value, as `tracking.timeline_table` gives it; label_zh, where the labels are told in Chinese too
    """
    twin = table[["city_id", "series", "label", "start", "end", "value"]].copy()
    for end in (
        "start",
        "end",
    ):  # as text, since a year with a fraction must not be rounded to a whole one
        twin[end] = ["" if pd.isna(moment) else f"{moment:.2f}" for moment in table[end]]
    order = table[table["series"] == "issued"].sort_values("start")["city_id"].tolist()
    high = LANE_HEIGHT * max(len(order[:MOST]), 1) + 0.7
    drawn = Sheet(project, table, name, "", height=high, twin=twin, **sheet)
    if len(order) > MOST:
        drawn.notes.append(drawn.words.phrase("figure_first", shown=MOST, all=len(order)))
        order = order[:MOST]
    for axis, _ in drawn.panels():
        first, last = int(table["start"].min()), int(table["end"].max()) + 1
        axis.set(xlim=(first + 0.1, last + 0.9), xticks=range(first, last + 1))
        axis.set(ylim=(len(order) - 0.38, -0.5), yticks=range(len(order)))
        axis.grid(axis="y", visible=False)
        plans = [table[table["city_id"] == city_id] for city_id in order]
        axis.set_yticklabels([_plan_words(drawn, rows) for rows in plans])
        for lane, rows in enumerate(plans):
            _draw_plan(axis, drawn, rows, lane)
    return drawn.publish([], [])


def _plan_words(drawn: Sheet, rows: pd.DataFrame) -> str:
    counts = rows.groupby("series")["value"].sum()
    without = counts.get("without year", 0)
    told = {
        "city": drawn.part("city_id", rows["city_id"].iloc[0]),
        "day": rows.loc[rows["series"] == "issued", "label"].iloc[0],
        "promises": counts.get("promise", 0) + without,
        "without": without,
        "dates": counts.get("deadline", 0) + counts.get("goal of a year", 0),
    }
    return "\n".join(
        drawn.words.phrase(f"timeline_{line}", **told) for line in ("plan", "promises", "dates")
    )


def _draw_plan(axis: Axes, drawn: Sheet, rows: pd.DataFrame, lane: int) -> None:
    rows = rows.dropna(subset=["start"])
    rows = rows.assign(told=rows["label_zh"] if drawn.words.code == "zh" else rows["label"])
    axis.plot([rows["start"].min(), rows["end"].max()], [lane, lane], color=SOFT, zorder=1)
    for step, stage in enumerate(rows[rows["series"] == "stage"].to_dict("records")):
        y, ends = lane - 0.44 + step * STAGE_STEP, [stage["start"], stage["end"]]
        (bar,) = axis.plot(ends, [y, y], color=PALETTE[2], linewidth=5, solid_capstyle="butt")
        axis.text(ends[1] + 0.06, y, stage["told"], va="center", fontsize=6.5, color=INK)
        drawn.drawn[drawn.part("series", "stage")] = bar
    for kind, look in MOMENTS.items():
        here = rows.loc[rows["series"] == kind, "start"]
        if len(here):
            heights = [lane - look["height"]] * len(here)
            style = {key: item for key, item in look.items() if key != "height"}
            (mark,) = axis.plot(here, heights, linestyle="none", **style)
            drawn.drawn[drawn.part("series", kind)] = mark
    promises = rows[rows["series"] == "promise"]
    ends = [*promises["start"].iloc[1:] - 0.2, axis.get_xlim()[1]]
    for promise, end in zip(promises.to_dict("records"), ends):
        _draw_promises(axis, drawn, promise, lane, end)


def _draw_promises(axis: Axes, drawn: Sheet, promise: dict, lane: int, end: float) -> None:
    at, count = promise["start"], promise["value"]
    axis.scatter(at, lane, s=150 + 9 * count, color=PALETTE[0], zorder=3, linewidth=0)
    look: dict[str, Any] = {
        "marker": "o",
        "color": PALETTE[0],
        "markersize": 9,
        "linestyle": "none",
    }
    drawn.drawn[drawn.part("series", "promise")] = plt.Line2D([], [], **look)
    middle: dict[str, Any] = {"ha": "center", "va": "center", "color": "white", "zorder": 5}
    axis.text(at, lane, str(count), fontsize=8, fontweight="bold", **middle)
    width = max(12, int((end - at - 0.22) * LETTERS_A_YEAR))
    lines = [textwrap.fill(label, width) for label in promise["told"].split("; ") if label]
    below: dict[str, Any] = {"va": "top", "color": INK, "linespacing": 1.15}
    axis.text(at + 0.22, lane + 0.05, "\n".join(lines), fontsize=7, **below)
