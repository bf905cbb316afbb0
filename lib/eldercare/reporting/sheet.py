"""The sheet a figure is drawn on: style, panels, words, legend; and how it is written with its
table.

A figure has a name, as `05_bed_types`. Its words are phrases: figure_<name> is the title,
figure_<name>_source the source, where it is not that of most figures, and figure_<name>_axis what
an axis tells, where it is not the label of the table; words of panels, series and rows are those of
the tables (see `Language.part`).
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
from matplotlib.ticker import FuncFormatter, MaxNLocator

from eldercare.files import write_whole
from eldercare.inputs.load import Project
from eldercare.model.chain import BASE_YEAR, TOTAL
from eldercare.reporting.blocks import text_width
from eldercare.reporting.language import Language, edition, load_language, significant

FONT = Path(__file__).parent / "fonts" / "NotebookSansSC-Regular.otf"
FONTS = ["Notebook Sans SC", "DejaVu Sans"]
INK, SOFT, MARK = "#1b2a41", "#8d99ae", "#c1121f"
PALETTE = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"]
MOST = 12  # panels or colours on one figure; with more of them nothing can be read
WIDTH, PIXELS = 10.5, 1155
TWIN_DIGITS = 4
LABEL_WIDTH, NAME_WIDTH, LETTERS_AN_INCH = 34, 60, 11
NUMBERS = ("mean", "low", "central", "high", "value")


def set_style() -> None:
    """Fonts, colours and sizes of all figures; Chinese text needs no font on the machine."""
    sns.set_theme(style="whitegrid", palette=PALETTE)
    known = {(font.name, font.weight) for font in font_manager.fontManager.ttflist}
    if (FONTS[0], 400) not in known:
        font_manager.fontManager.addfont(FONT)
    if (FONTS[0], 700) not in known:  # the same glyphs stand for bold ones, or they were missed
        look: dict[str, Any] = {"style": "normal", "variant": "normal", "weight": 700}
        look |= {"stretch": "normal", "size": "scalable"}
        bold = font_manager.FontEntry(fname=str(FONT), name=FONTS[0], **look)
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
    code: str,
    folder: Path | None = None,
) -> Image:
    """Write a figure and its table as <name>.png and <name>.csv, each whole or not at all, and show
    the figure.

    twin   : the numbers in the figure; rounded to four significant digits and sorted here
    alt    : what the figure shows, for a reader who cannot see it
    code   : language of the figure
    folder : by default $ELDERCARE_FIGURES, else `figures/` of the project, of these the language's part
    """
    figures = Path(os.environ.get("ELDERCARE_FIGURES") or project.root / "figures")
    folder = folder or edition(figures, code)
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    dots = PIXELS / figure.get_size_inches()[0]
    figure.savefig(buffer, format="png", dpi=dots, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    picture = _lighter(buffer)
    write_whole(folder / f"{name}.png", picture)
    write_whole(folder / f"{name}.csv", figure_data_text(twin).encode())
    return Image(data=picture, format="png", alt=alt)


def _lighter(buffer: io.BytesIO) -> bytes:
    """The same picture with a palette of 96 colours: a third of the weight in the notebook."""
    out = io.BytesIO()
    buffer.seek(0)
    pixels = (plt.imread(buffer)[..., :3] * 255).round().astype(np.uint8)
    few = PIL.Image.fromarray(pixels).quantize(96, method=PIL.Image.Quantize.MEDIANCUT)
    few.save(out, "png", optimize=True)
    return out.getvalue()


def figure_data_text(table: pd.DataFrame) -> str:
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
        self.notes: list[str] = [self.words.counted_by] if self.words.counted_by else []
        self.labels: list[str] = []
        self.drawn: dict[str, Any] = {}
        keys = self.first(panel) if panel and len(table) else [""]
        across = min(columns, len(keys)) if panel else 1
        rows = math.ceil(len(keys) / across)
        wide = width * across / columns if panel else width
        self.letters = int(LETTERS_AN_INCH * wide / across)
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
        """The values of a column in their order, at most twelve; if there are more, the figure says
        so.
        """
        values = list(dict.fromkeys(self.table[column])) if column else [""]
        if len(values) > MOST:
            self.notes.append(self.words.phrase("figure_first", shown=MOST, all=len(values)))
        return values[:MOST]

    def part(self, column: str, value: object) -> str:
        """A value of a column in words; that of the middle where there is no column."""
        return self.words.part(column or "series", str(value) if column else "middle")

    def tell(self, column: str, value: object, handle: Any) -> None:
        """Take what was drawn for a value of a column into the legend."""
        self.drawn[self.part(column, value)] = handle

    def shade(self, kind: str = "range") -> None:
        """Take the shading of ranges into the legend."""
        self.tell("series", kind, plt.Rectangle((0, 0), 1, 1, color=SOFT, alpha=0.3))

    def panels(self) -> Iterator[tuple[Axes, pd.DataFrame]]:
        """Each panel, with its title, and its rows of the table."""
        if self.table.empty:
            (axis,) = self.axes.values()
            axis.set_axis_off()
            axis.text(0, 0.5, self.words.phrase("figure_nothing"), va="center")
            return
        for key, axis in self.axes.items():
            if self.panel:
                title = self.part(self.panel, key)
                axis.set_title(textwrap.fill(title[:1].upper() + title[1:], self.letters))
            sns.despine(ax=axis)
            yield axis, self.table[self.table[self.panel] == key] if self.panel else self.table

    def dress(self, axis: Axis, column: str, part: pd.DataFrame) -> None:
        """Marks of an axis: years and ages as they are, shares in per cent, other numbers as the
        language writes them.
        """
        many = 7 if len(self.axes) == 1 else 4
        if column in ("year", "age", "at"):
            axis.set_major_locator(MaxNLocator(many, integer=True, steps=[1, 2, 5, 10]))
            return
        share = column == "chance" or ("unit" in part and part["unit"].iloc[0] == "share")
        axis.set_major_formatter(FuncFormatter(self._percent if share else self.words.given))
        if axis.get_scale() == "linear" and isinstance(axis, XAxis):
            axis.set_major_locator(MaxNLocator(many))

    def rows(self, axis: Axes, part: pd.DataFrame, keys: Sequence[str]) -> pd.Series:
        """The place of each row of a panel, from the top, its name beside it; not again where the
        panel left of it has the same.
        """
        own = [key if key in part else f"{key}_en" for key in keys]
        places = part.groupby(own, sort=False).ngroup()
        first = part.loc[~places.duplicated()]
        labels = [self._row(row, keys) for row in first.to_dict("records")]
        spec = axis.get_subplotspec()
        if spec is None or spec.is_first_col():
            self.labels = labels
        elif labels == self.labels:
            labels = [""] * len(labels)
        axis.set_yticks(range(len(labels)), labels, fontsize=7 if "assumption" in keys else 8)
        axis.set_ylim(len(labels) - 0.5, -0.5)
        axis.grid(axis="y", visible=False)
        return places

    def _row(self, row: dict, keys: Sequence[str]) -> str:
        words = self.words
        if "assumption" not in keys:
            told = [self._cell(row, key) for key in keys]
            return words.join("list_join", [told[0][:1].upper() + told[0][1:], *told[1:]])
        name = words.part("assumption", row["assumption"])
        if row.get("keys"):
            keys_told = words.keys(row["keys"].split())
            name = words.phrase("assumption_name", name=name, keys=keys_told)
        lines = [textwrap.fill(name, NAME_WIDTH)]
        if row.get("unit") and "high" in row:
            form = words.percent if row["unit"] in ("share", "per_year") else words.given
            ends = {end: form(row[end]) for end in ("low", "high")}
            lines.append(words.with_unit(words.phrase("low_to_high", **ends), row["unit"]))
        return "\n".join(lines)

    def _cell(self, row: dict, key: str) -> str:
        if key != "label":
            return self.part(key, row[key])
        text = self.words.text(row, key)
        return text[:1].upper() + text[1:]

    def write(self, axis: Axes, x: float, y: float, told: str | float) -> None:
        """A text, or a number, behind the end of a bar."""
        text = told if isinstance(told, str) else self.words.number(told)
        look: dict[str, Any] = {"va": "center", "fontsize": 7.5, "color": INK}
        axis.annotate(text, (x, y), (2, 0), textcoords="offset points", **look)

    @staticmethod
    def _percent(value: float, _position: object = None) -> str:
        return f"{value * 100:g}%"

    def publish(self, keys: Sequence[str], numbers: Sequence[str], upright: bool = True) -> Image:
        """The finished figure with its table: the keys, the city first, and the numbers.

        upright : whether the numbers run upwards, not across
        """
        label = self._own("axis")
        if not label and {"label", "unit"} <= set(self.table) and len(self.table):
            label = textwrap.fill(str(self.table["label"].iloc[0]), LABEL_WIDTH)
        first, last = next(iter(self.axes.values())), list(self.axes.values())[-1]
        across = self._own("across") if upright else label
        last.set_xlabel(textwrap.fill(across, int(1.3 * self.letters)))
        first.set_ylabel(label if upright else "")
        self._finish()
        city = ["city_id"] if "city_id" in self.table else []
        order = list(dict.fromkeys([*city, *filter(None, keys)]))
        twin = self.table[[*order, *numbers]] if self.twin is None else self.twin
        alt = self._alt(next(iter(keys), ""))
        code = self.words.code
        return publish(self.project, self.name, self.figure, twin, alt, code, self.folder)

    def _finish(self) -> None:
        """Room for title, legend and source, and these."""
        wide, high = self.figure.get_size_inches()
        inch, labels = 1 / high, list(self.drawn)
        widest = max((text_width(label) for label in labels), default=1)
        across = max(1, min(len(labels), int(wide / (0.55 + 0.062 * widest))))
        below = 0.3 + 0.17 * math.ceil(len(labels) / across)
        self.figure.tight_layout(rect=(0, below * inch, 1, 1 - 0.3 * inch))
        look: dict[str, Any] = {"ha": "left", "color": INK, "fontsize": 12, "fontweight": "bold"}
        self.figure.text(0.01, 1 - 0.05 * inch, self.title, va="top", **look)
        if labels:
            place: dict[str, Any] = {"loc": "lower right", "bbox_to_anchor": (1, 0.2 * inch)}
            handles = list(self.drawn.values())
            self.figure.legend(handles, labels, ncols=across, borderaxespad=0.2, **place)
        source = self.words.phrase("source_line", source=self.source) if self.source else ""
        line = "   ".join([source, *dict.fromkeys(self.notes)])
        self.figure.text(0.01, 0.05 * inch, line, fontsize=7, color=SOFT, ha="left")

    def _alt(self, series: str) -> str:
        """What the figure shows: by a phrase of its own, of cities with the first series, or all
        together, at both ends; else its panels.
        """
        if f"figure_{self.name}_alt" not in self.words.phrases:
            shown = [self.part(self.panel, key) for key in self.axes] if self.panel else []
            names = {"title": self.title, "name": self.name}
            if not shown:
                return self.words.phrase("figure_alt", **names)
            panels = self.words.join("list_join", shown)
            return self.words.phrase("figure_alt_panels", panels=panels, **names)
        if "city_id" not in self.table:
            return self.words.phrase(f"figure_{self.name}_alt", title=self.title)
        kinds = list(self.table[series])
        rows = self.table[self.table[series] == (TOTAL if TOTAL in kinds else kinds[0])]
        rows = rows[rows["year"] >= BASE_YEAR].iloc[[0, -1]]
        base, late = (self.words.value_with_unit(*row) for row in rows[["central", "unit"]].values)
        city, (first, last) = self.part("city_id", rows["city_id"].iloc[0]), rows["year"]
        ends = {"first": first, "last": last, "base": base, "late": late}
        return self.words.phrase(f"figure_{self.name}_alt", city=city, **ends)
