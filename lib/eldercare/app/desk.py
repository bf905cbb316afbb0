"""The what-if desk in a notebook: choose a city, move its assumptions, see what becomes of the
answers.
"""

from __future__ import annotations

import html
import io

import ipywidgets as widgets
import numpy as np
import PIL.Image
import seaborn as sns
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

from eldercare.analysis.sensitivity import MAIN, YEAR
from eldercare.inputs.draws import DEFAULT_DRAWS
from eldercare.inputs.load import BASELINE, Project
from eldercare.messages import told
from eldercare.model.chain import QUANTILES
from eldercare.reporting import sheet
from eldercare.reporting.language import LANGUAGES, Language, load_language
from eldercare.reporting.scenario_report import untouched
from eldercare.reporting.what_if import Desk, Lever, NameTaken, Outcome, save_scenario

STEPS = 100
STYLE = (
    "<style>.eldercare-answers {position: sticky; top: 0; align-self: flex-start}"
    ".eldercare-lever-box {line-height: 1.3; margin-bottom: 2px} .eldercare-answers th {text-align: left}</style>"
)
SIZE, DOTS = (9.6, 5.2), 90
ROOM = 1.35


class DeskPicture:
    """A figure that is drawn once and then only as far as the levers change it."""

    def __init__(self, baseline: Outcome, words: Language):
        sheet.set_style()
        self._baseline = baseline
        self._figure = Figure(SIZE, dpi=DOTS, layout="tight")
        self._canvas = FigureCanvasAgg(self._figure)
        self._axes = dict(zip(MAIN, self._figure.subplots(2, 2, sharex=True).flat))
        self._moving = {}
        for name, axis in self._axes.items():
            low, central, high = baseline.paths[name]
            axis.fill_between(baseline.years, low, high, color=sheet.SOFT, alpha=0.25, linewidth=0)
            axis.plot(baseline.years, central, color=sheet.SOFT, linestyle="--")
            band = axis.fill_between(
                baseline.years,
                low,
                high,
                color=sheet.PALETTE[0],
                alpha=0.25,
                linewidth=0,
                animated=True,
            )
            (line,) = axis.plot(baseline.years, central, color=sheet.PALETTE[0], animated=True)
            dot = axis.errorbar(
                baseline.years[:1],
                [0],
                [[0], [0]],
                fmt="o",
                color=sheet.INK,
                capsize=3,
                animated=True,
            )
            self._moving[name] = (band, line, dot)
            axis.set_title(words.of("headline", name))
            axis.yaxis.set_major_formatter(FuncFormatter(words.given))
            axis.xaxis.set_major_locator(MultipleLocator(10))
            sns.despine(ax=axis)
        self._draw_ground(baseline)

    def _draw_ground(self, outcome: Outcome) -> None:
        """All that stays: axes and ghost, with room for the outcome."""
        for name, axis in self._axes.items():
            top = max(self._baseline.paths[name].max(), outcome.paths[name].max())
            axis.set_ylim(0, top * ROOM)
        self._canvas.draw()
        self._ground = self._canvas.copy_from_bbox(self._figure.bbox)

    def png(self, outcome: Outcome, year: int) -> bytes:
        """The outcome before the baseline, the year marked, as a PNG."""
        if any(outcome.paths[name].max() > axis.get_ylim()[1] for name, axis in self._axes.items()):
            self._draw_ground(outcome)
        self._canvas.restore_region(self._ground)
        for name, axis in self._axes.items():
            band, line, (dot, _, (bar,)) = self._moving[name]
            low, central, high = outcome.paths[name]
            edge = np.concatenate(
                [
                    np.column_stack([outcome.years, low]),
                    np.column_stack([outcome.years, high])[::-1],
                ]
            )
            band.set_verts([edge])
            line.set_ydata(central)
            least, middle, most = outcome.in_year(name, year)
            dot.set_data([year], [middle])
            bar.set_segments([[(year, least), (year, most)]])
            for artist in (band, line, bar, dot):
                axis.draw_artist(artist)
        out = io.BytesIO()
        pixels = np.asarray(self._canvas.buffer_rgba())[..., :3]
        PIL.Image.fromarray(pixels).save(out, "png", compress_level=1)
        return out.getvalue()


class DeskView(widgets.VBox):
    """The desk on the screen. Without a kernel a sentence stands in its place, so that a stored
    notebook stays the same.
    """

    def __init__(self, project: Project, desks: dict[str, Desk], draws: int = DEFAULT_DRAWS):
        self.project, self.draws = project, draws
        self.words = load_language(project)
        self._desks = {(city_id, BASELINE): desk for city_id, desk in desks.items()}
        say = self.words.phrase
        names = {
            f"{desk.city.name_en} {desk.city.name_zh}".strip(): city_id
            for city_id, desk in desks.items()
        }
        self.city = widgets.Dropdown(options=list(names.items()), description=say("desk_city"))
        self.scenario = widgets.Dropdown(
            options=[BASELINE, *project.scenarios], description=say("desk_scenario")
        )
        years = [
            int(year) for year in next(iter(desks.values())).baseline.years if year >= YEAR - 15
        ]
        self.year = widgets.SelectionSlider(
            options=years, value=YEAR, description=say("desk_year"), continuous_update=False
        )
        self.levers = widgets.VBox()
        self.picture = widgets.Image(format="png")
        self.figures, self.message = widgets.HTML(), widgets.HTML()
        self.name = widgets.Text(placeholder="fuller_beds", description=say("desk_name"))
        self.save = widgets.Button(description=say("desk_save"), icon="save")
        self.over = widgets.Button(description=say("desk_write_over"), icon="save", disabled=True)
        self.back = widgets.Button(description=say("desk_reset"), icon="undo")
        self.picture.add_class("eldercare-picture")
        for chooser in (self.city, self.scenario):
            chooser.observe(lambda _change: self.choose(), "value")
        self.year.observe(lambda _change: self.show(), "value")
        self.save.on_click(lambda _button: self.save_levers())
        self.over.on_click(lambda _button: self.save_levers(overwrite=True))
        self.name.observe(lambda _change: setattr(self.over, "disabled", True), "value")
        self.back.on_click(lambda _button: self.reset())
        top = widgets.HBox([self.city, self.scenario, self.year])
        bottom = widgets.HBox([self.name, self.save, self.over, self.back])
        right = widgets.VBox([self.picture, self.figures])
        right.add_class("eldercare-answers")
        middle = widgets.HBox([self.levers, right])
        super().__init__([widgets.HTML(STYLE), top, middle, bottom, self.message])
        self.choose()

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        return {**bundle, "text/plain": self.words.phrase("desk_still")} if bundle else bundle

    @property
    def desk(self) -> Desk:
        """The desk of the chosen city and scenario, made when it is first asked for."""
        key = (self.city.value, self.scenario.value)
        if key not in self._desks:
            self._desks[key] = Desk(self.project, *key, self.draws)
        return self._desks[key]

    def choose(self) -> None:
        """Show the chosen city: its levers, where they stand, and its picture."""
        desk = self.desk
        self._drawing = DeskPicture(desk.baseline, self.words)
        self.levers.children = [self._slider(lever) for lever in desk.levers]
        self._say(untouched(self.project, self.scenario.value, self.city.value, self.words))
        self.show()

    def _slider(self, lever: Lever) -> widgets.VBox:
        """A lever: its label in both languages, a slider, and a field to type a value into."""
        label = "<br>".join(_label(load_language(self.project, code), lever) for code in LANGUAGES)
        slider = widgets.FloatSlider(
            value=self.desk.values[lever.name],
            min=lever.first,
            max=lever.last,
            step=(lever.last - lever.first) / STEPS,
            readout=False,
            continuous_update=False,
            layout=widgets.Layout(width="20em"),
        )
        typed = widgets.FloatText(
            value=_shown(slider.value), continuous_update=False, layout=widgets.Layout(width="6em")
        )
        slider.add_class("eldercare-lever")
        slider.observe(lambda change: self.move(lever, change["new"], typed), "value")
        typed.observe(lambda change: self._type(lever, change["new"], slider, typed), "value")
        return widgets.VBox(
            [
                widgets.HTML(f"<div class='eldercare-lever-box'>{label}</div>"),
                widgets.HBox([slider, typed]),
            ]
        )

    def _type(
        self, lever: Lever, value: float, slider: widgets.FloatSlider, typed: widgets.FloatText
    ) -> None:
        """A value was typed: the lever takes it, or it is said why not."""
        if value == _shown(slider.value):
            return
        if lever.holds(value):
            slider.value = value
            return
        shown = {"first": lever.first, "last": lever.last, "stays": slider.value}
        told = {name: f"{number:.4g}" for name, number in shown.items()}
        typed.value = _shown(slider.value)
        self._say(self.words.phrase("desk_outside_range", value=f"{value:g}", **told))

    def _say(self, text: str) -> None:
        self.message.value = f"<p>{html.escape(text)}</p>" if text else ""

    def move(self, lever: Lever, value: float, typed: widgets.FloatText) -> None:
        """A lever was moved on the screen."""
        typed.value = _shown(value)
        self._say("")
        self.desk.move(lever.name, value)
        self.show()

    def show(self) -> None:
        """Picture and figures of the state of the desk."""
        desk = self.desk
        self.picture.value = self._drawing.png(desk.outcome, self.year.value)
        self.figures.value = f"<p>{self.words.phrase('desk_legend')}</p>" + figures_of(
            desk, self.year.value
        )

    def reset(self) -> None:
        """All levers of the city back to where they stood."""
        self.desk.reset()
        self.choose()

    def save_levers(self, overwrite: bool = False) -> None:
        """Write the levers as a scenario file, or say why not; over one of that name only when asked to."""
        name, chosen = self.name.value.strip(), self.scenario.value
        self.over.disabled = True
        try:
            self.project = save_scenario(self.desk, name, overwrite)
        except NameTaken:
            self.over.disabled = False
            self._say(self.words.phrase("desk_overwrite", name=name))
            return
        except (ValueError, OSError) as error:  # DataFault is a ValueError
            self._say(told(str(error), self.words.code))
            return
        # A desk that began with the scenario written over would show what it was.
        self._desks = {key: desk for key, desk in self._desks.items() if key[1] != name}
        self.scenario.options = [BASELINE, *self.project.scenarios]
        self.scenario.value = chosen
        if chosen == name:
            self.choose()
        self.message.value = (
            f"<p>{self.words.phrase('desk_written', name=name)} "
            f"<code>python -m eldercare compare baseline {name} --city {self.city.value}</code></p>"
        )


def _label(words: Language, lever: Lever) -> str:
    """What a lever moves, for whom and from when, and its unit, as no other lever is called."""
    name, keys = words.label(lever.row["assumption"]), words.row_keys(lever.row)
    told = words.phrase("assumption_name", name=name, keys=keys) if keys else name
    return html.escape(words.join("names_join", [told, words.of("unit", lever.row["unit"])]))


def _shown(value: float) -> float:
    """A value with the digits that a reader needs."""
    return float(f"{value:.4g}")


def figures_of(desk: Desk, year: int) -> str:
    """Headlines of a year and the chances of the promises, now and before, as two tables of HTML."""
    words = load_language(desk.project)
    rows = [
        f"<tr><th scope='row'>{words.of('headline', name)}</th><td>{_range(words, desk.outcome, name, year)}</td>"
        f"<td>{_range(words, desk.baseline, name, year)}</td></tr>"
        for name in MAIN
    ]
    moved = words.join("list_join", [str(year), words.phrase("desk_as_moved")])
    before = words.phrase("desk_before")
    head = f"<tr><th></th><th scope='col'>{moved}</th><th scope='col'>{before}</th></tr>"
    return f"<table>{head}{''.join(rows)}</table>{_chances(desk, words)}"


def _range(words: Language, outcome: Outcome, name: str, year: int) -> str:
    return words.range(dict(zip(QUANTILES, outcome.in_year(name, year))))


def _chances(desk: Desk, words: Language) -> str:
    if not desk.outcome.chance:
        return f"<p>{words.phrase('desk_no_promise')}</p>"
    rows = [
        f"<tr><th scope='row'>{html.escape(words.label(name))}</th>"
        f"<td>{words.chance(chance)}</td><td>{words.chance(desk.baseline.chance[name])}</td></tr>"
        for name, chance in desk.outcome.chance.items()
    ]
    parts = {part: words.phrase(f"desk_{part}") for part in ("chance", "as_moved", "before")}
    head = "<tr><th>{chance}</th><th scope='col'>{as_moved}</th><th scope='col'>{before}</th></tr>".format(
        **parts
    )
    return f"<table>{head}{''.join(rows)}</table>"


def open_desks(project: Project, draws: int = DEFAULT_DRAWS) -> dict[str, Desk]:
    """A desk for each city of the project under the baseline.  Returns: by city_id"""
    return {city_id: Desk(project, city_id, BASELINE, draws) for city_id in project.cities}
