"""The picture of the what-if desk: four headlines by year, the baseline kept behind them as a ghost."""

from __future__ import annotations

import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import PIL.Image
from IPython.display import Image
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from eldercare.inputs.load import Project
from eldercare.model.chain import QUANTILES
from eldercare.reporting.charts import INK, PALETTE, SOFT, _finish, dress_years, publish
from eldercare.reporting.what_if import Desk, Outcome

PANELS = {
    "beds": "Beds needed, institutions and day care",
    "nursing_beds": "Nursing and dementia-care beds needed",
    "caregivers": "Care workers needed",
    "yearly_cost": "Yearly cost, yuan",
}
SIZE, DOTS = (9.6, 5.2), 90
ROOM = 1.35


class DeskPicture:
    """A figure that is drawn once and then only as far as the levers change it."""

    def __init__(self, baseline: Outcome):
        self._baseline = baseline
        self._figure = Figure(SIZE, dpi=DOTS, layout="tight")
        self._canvas = FigureCanvasAgg(self._figure)
        self._axes = dict(zip(PANELS, self._figure.subplots(2, 2, sharex=True).flat))
        self._moving = {}
        for name, axis in self._axes.items():
            low, central, high = baseline.paths[name]
            axis.fill_between(baseline.years, low, high, color=SOFT, alpha=0.25, linewidth=0)
            axis.plot(baseline.years, central, color=SOFT, linestyle="--")
            band = axis.fill_between(
                baseline.years, low, high, color=PALETTE[0], alpha=0.25, linewidth=0, animated=True
            )
            (line,) = axis.plot(baseline.years, central, color=PALETTE[0], animated=True)
            dot = axis.errorbar(
                baseline.years[:1], [0], [[0], [0]], fmt="o", color=INK, capsize=3, animated=True
            )
            self._moving[name] = (band, line, dot)
            axis.set_title(PANELS[name])
            dress_years(axis)
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


def default_state(
    project: Project, desks: dict[str, Desk], name: str, title: str, source: str
) -> Image:
    """The state in which the desk opens, one line a city, for those who read without a kernel.

    Returns : the picture; its twin has city_id, headline, year, low, central, high
    """
    figure, axes = plt.subplots(2, 2, figsize=(10.5, 6.2), sharex=True)
    twins, drawn = [], {}
    for axis, (headline, words) in zip(axes.flat, PANELS.items()):
        for number, (city_id, desk) in enumerate(desks.items()):
            years, path = desk.baseline.years, desk.baseline.paths[headline]
            colour = PALETTE[number % len(PALETTE)]
            axis.fill_between(years, path[0], path[2], color=colour, alpha=0.15, linewidth=0)
            (drawn[desk.city.name_en],) = axis.plot(years, path[1], color=colour)
            table = pd.DataFrame(dict(zip(QUANTILES, path)))
            twins.append(table.assign(city_id=city_id, headline=headline, year=years))
        axis.set_yscale("log")
        axis.set_title(f"{words} (log scale)")
        dress_years(axis)
    _finish(figure, title, source, list(drawn.values()), list(drawn))
    columns = ["city_id", "headline", "year", *QUANTILES]
    return publish(
        project,
        name,
        figure,
        pd.concat(twins)[columns],
        f"{title}. Four panels: {', '.join(PANELS.values())}.",
    )
