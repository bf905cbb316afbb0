"""What if: the assumptions that matter most for a city, moved one by one, and what becomes of its answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.analysis.sensitivity import MAIN, headlines, tornado
from eldercare.engine.quantity import Calculation
from eldercare.files import as_it_was_if_it_fails, write_whole
from eldercare.inputs.correlations import stream_name
from eldercare.inputs.draws import (
    DEFAULT_DRAWS,
    Assumptions,
    choose_rows,
    correlated_streams,
    draw_assumptions,
    drawn_values,
    uniform_stream,
)
from eldercare.inputs.load import BASELINE, Project, load_project
from eldercare.inputs.schema import ASSUMPTION_KEYS, ASSUMPTIONS
from eldercare.model.chain import QUANTILES, CityInputs, first_year
from eldercare.model.registered import area_of_city
from eldercare.reporting.language import load_language

MOST = 10
ENDS_OF_SLIDER = (0.01, 0.99)
MEASURES = ("need",)
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
KEYS = ["assumption", *ASSUMPTION_KEYS, "year_from"]


@dataclass(frozen=True)
class Lever:
    """An assumption that can be moved: its row, and how far.

    row       : the row in force, as `draws.choose_rows` gives it
    place     : its label in that table
    first, last : ends of the slider: 1st and 99th percentile of the row
    """

    row: Mapping
    place: int
    first: float
    last: float

    @property
    def name(self) -> str:
        """Assumption and keys, as `setting_need_share severe institution`."""
        return " ".join(
            [self.row["assumption"], *(self.row[key] for key in ASSUMPTION_KEYS if self.row[key])]
        )

    @property
    def central(self) -> float:
        """The value of the row."""
        return float(self.row["central"])

    def holds(self, value: float) -> bool:
        """Whether the lever can be put to a value."""
        return self.first <= value <= self.last

    def moved(self, value: float) -> dict:
        """The row with another central value; its range moves along: by the ratio if lognormal, else by the difference."""
        row = dict(self.row)
        for end in ("low", "high"):
            if row["shape"] == "lognormal":
                row[end] = row[end] * value / self.central
            else:
                row[end] = row[end] + value - self.central
            if row["unit"] == "share":
                row[end] = float(np.clip(row[end], 0, 1))
        row["central"] = float(value)
        return row


@dataclass(frozen=True)
class Outcome:
    """The headlines of one state of the levers.

    years  : array [year]
    paths  : low, central, high by headline: array  dims end, year, in the headline's unit, if need is met
    chance : of each measured promise being enough, by target_id
    """

    years: np.ndarray
    paths: dict[str, np.ndarray]
    chance: dict[str, float]

    def in_year(self, headline: str, year: int) -> np.ndarray:
        """Low, central, high of a headline in a year."""
        return self.paths[headline][:, int(np.flatnonzero(self.years == year)[0])]


def levers(
    project: Project, city_id: str, scenario: str = BASELINE, most: int = MOST
) -> list[Lever]:
    """The rows that move the main headlines of a city most, taken from `sensitivity.tornado`.

    Ranked by the largest swing of a headline over its middle, the row from its low to its high.
    """
    table = tornado(project, city_id, scenario)
    table = table[table["headline"].isin(MAIN) & (table["unit"] != "")]
    swing = (
        (table["swing"] / table["at_middle"].abs())
        .groupby([table["assumption"], table["keys"]])
        .max()
    )
    first = swing.sort_values(ascending=False, kind="stable").head(most).index
    rows = choose_rows(project, project.city(city_id), scenario).to_dict("index")
    by_name = {
        (row["assumption"], " ".join(row[key] for key in ASSUMPTION_KEYS if row[key])): (place, row)
        for place, row in rows.items()
    }
    return [_lever(*by_name[key]) for key in first]


def _lever(place: int, row: dict) -> Lever:
    return Lever(row, place, *map(float, drawn_values(row, np.array(ENDS_OF_SLIDER))))


class Desk:
    """One city under one scenario, with levers that can be moved; what no move touches is not calculated again."""

    def __init__(
        self, project: Project, city_id: str, scenario: str = BASELINE, draws: int = DEFAULT_DRAWS
    ):
        self.project, self.city, self.scenario = project, project.city(city_id), scenario
        self.levers = levers(project, city_id, scenario)
        self._drawn = draw_assumptions(project, self.city, scenario, draws)
        together = correlated_streams(project, self._drawn.rows, draws, uniform_stream)
        streams = {lever.name: stream_name(lever.row) for lever in self.levers}
        self._numbers = {
            name: together[stream] if stream in together else uniform_stream(stream, draws)
            for name, stream in streams.items()
        }
        self._headlines = headlines(self.city)
        self._kept: dict[str, Any] = {}
        self.values = {lever.name: lever.central for lever in self.levers}
        self.assumptions = self._drawn
        area = area_of_city(project, self.city, scenario, draws)
        inputs = CityInputs(project.china, self.city, area, self._drawn, measures=MEASURES)
        self._inputs = inputs.counted_by(project.definition)
        self.baseline = self.outcome = self._calculate()
        self._first = dict(self._kept)

    def move(self, name: str, value: float) -> Outcome:
        """Set a lever and calculate anew.  Raises: KeyError for an unknown lever"""
        if name not in self.values:
            raise KeyError(f"no lever “{name}”; there are: {', '.join(self.values)}")
        self.values[name] = float(value)
        lever = next(lever for lever in self.levers if lever.name == name)
        self.assumptions = self._with_lever(lever, float(value))
        self._kept = Calculation(self._inputs, self._kept).kept_if({lever.row["assumption"]})
        self.outcome = self._calculate()
        return self.outcome

    def reset(self) -> Outcome:
        """All levers back to where they stood."""
        self.values = {lever.name: lever.central for lever in self.levers}
        self.assumptions, self._kept, self.outcome = self._drawn, dict(self._first), self.baseline
        return self.outcome

    def moved_rows(self) -> pd.DataFrame:
        """The rows of the levers that do not stand where they stood; columns as in assumptions.csv."""
        rows = [
            lever.moved(self.values[lever.name])
            for lever in self.levers
            if self.values[lever.name] != lever.central
        ]
        return pd.DataFrame(rows, columns=self._drawn.rows.columns)

    def _with_lever(self, lever: Lever, value: float) -> Assumptions:
        """The assumptions as they are with one lever moved, on the draws of the baseline."""
        row, rows, name = lever.moved(value), self.assumptions.rows.copy(), lever.row["assumption"]
        rows.loc[lever.place, ["low", "central", "high"]] = row["low"], row["central"], row["high"]
        arrays = dict(self.assumptions._arrays)
        arrays[name] = _with_row(arrays[name], row, self._numbers[lever.name])
        return replace(self.assumptions, rows=rows, _arrays=arrays)

    def _calculate(self) -> Outcome:
        calculation = Calculation(self._inputs.with_draws(self.assumptions), self._kept)
        outcome = self._outcome(calculation)
        self._kept = calculation.known
        return outcome

    def _outcome(self, calculation: Calculation) -> Outcome:
        years = calculation["years"]
        shown = years >= first_year(self.city)
        paths = {
            one.name: _path(one.if_need_met(calculation)[shown])
            for one in self._headlines
            if one.promised is None
        }
        chance = {
            one.name: float((one.value(calculation) >= 0).mean())
            for one in self._headlines
            if one.promised is not None
        }
        return Outcome(years[shown], paths, chance)


def _with_row(array: xr.DataArray, row: Mapping, numbers: np.ndarray) -> xr.DataArray:
    """Draws of an assumption with those of one row taken anew."""
    out = array.copy()
    place = {key: row[key] for key in ASSUMPTION_KEYS if row[key]}
    if "year_from" in array.dims:
        place["year_from"] = int(np.nan_to_num(row["year_from"]))
    out.loc[place] = drawn_values(row, numbers).reshape(-1, *[1] * (array.ndim - 1 - len(place)))
    return out


def _path(values: np.ndarray) -> np.ndarray:
    """Low, central, high in all years; dims end, year.  values : dims year, draw"""
    return np.quantile(values, list(QUANTILES.values()), axis=-1)


class NameTaken(ValueError):
    """There is a scenario of that name already, which may be written over."""


def save_scenario(desk: Desk, name: str, overwrite: bool = False) -> Project:
    """Write the levers as `data/scenarios/<name>.csv`, which `compare` and all notebooks take; whole or not at all.

    The rows hold for the desk's city. Those of the scenario that the desk began with go along, so that
    the file stands for itself.

    overwrite : write over a scenario of that name
    Returns : the project with the new scenario
    Raises  : ValueError if the name does not suit or no lever was moved, NameTaken if there is one of that name;
              DataFault if a row has a fault, and the file is then as it was
    """
    folder = desk.project.root / "data" / "scenarios"
    path = folder / f"{name}.csv"
    words = load_language(desk.project)
    if not NAME.fullmatch(name):
        raise ValueError(words.phrase("save_bad_name", name=name))
    if name == BASELINE:
        raise ValueError(words.phrase("save_taken", name=name))
    moved = desk.moved_rows()
    if moved.empty:
        raise ValueError(words.phrase("save_not_moved"))
    if path.exists() and not overwrite:
        raise NameTaken(words.phrase("save_taken", name=name))
    moved = moved.assign(
        city_id=desk.city.city_id,
        basis="guess",
        source_id="own_judgement",
        locator="none",
        note=f"moved at the what-if desk; before it: {desk.scenario}",
    )
    begun = desk.project.scenarios.get(desk.scenario)
    rows = moved if begun is None else pd.concat([begun, moved])
    rows = rows.drop_duplicates([*KEYS, "city_id"], keep="last")[list(ASSUMPTIONS.columns)]
    folder.mkdir(exist_ok=True)
    with as_it_was_if_it_fails(path):
        write_whole(path, rows.to_csv(index=False, lineterminator="\n").encode())
        return load_project(desk.project.root)


def paths_table(desks: Mapping[str, Desk]) -> pd.DataFrame:
    """The main headlines of desks by year, as they open.

    Returns : table city_id, headline, year, low, central, high
    """
    parts = [
        pd.DataFrame(dict(zip(QUANTILES, desk.baseline.paths[headline]))).assign(
            city_id=city_id, headline=headline, year=desk.baseline.years
        )
        for city_id, desk in desks.items()
        for headline in MAIN
    ]
    return pd.concat(parts, ignore_index=True)


def lever_table(desks: Mapping[str, Desk]) -> pd.DataFrame:
    """The levers of each city, the strongest first: where the assumption stands, and how far it can be moved.

    Returns : table city_id, rank, assumption, keys, unit, central, first_value, last_value
    """
    rows = [
        {
            "city_id": city_id,
            "rank": rank,
            "assumption": lever.row["assumption"],
            "keys": " ".join(lever.row[key] for key in ASSUMPTION_KEYS if lever.row[key]),
            "unit": lever.row["unit"],
            "central": lever.central,
            "first_value": lever.first,
            "last_value": lever.last,
        }
        for city_id, desk in desks.items()
        for rank, lever in enumerate(desk.levers, start=1)
    ]
    return pd.DataFrame(rows)
