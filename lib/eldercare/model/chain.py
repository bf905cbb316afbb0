"""The whole path for one city, from its inputs to labelled results - block by block over draws."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.engine.arrays import DRAW, Array, label, labelled
from eldercare.engine.quantity import DECLARED, Calculation
from eldercare.engine.storage import let_go, room_for
from eldercare.inputs.checks import age_band_limits
from eldercare.inputs.dated import BY_YEAR, places_in_force
from eldercare.inputs.draws import DEFAULT_DRAWS, Assumptions, draw_assumptions
from eldercare.inputs.load import BASELINE, NATION, China, City, Project
from eldercare.inputs.schema import ADL, BED_TYPES, DEFINITIONS
from eldercare.model import beds, costs, financing, flow, need, services, settings, workforce  # noqa: F401 - each declares its quantities
from eldercare.model import population as population_step
from eldercare.model.area import Area, rates_of
from eldercare.model.base import BASE_YEAR
from eldercare.model.family import error_scores
from eldercare.model.registered import area_of_city

LAST_YEAR = 2050
BLOCK, WORKERS = 1024, 2
QUANTILES = {"low": 0.1, "central": 0.5, "high": 0.9}
TOTAL = "total"
DECISIONS = {"beds_opened": 1, "beds_closed": -1, "beds_converted": 1}  # rows of capacity.csv


@dataclass(frozen=True)
class CityResult:
    """What the chain says of one city under one scenario.

    values : Dataset, variables named after their indicators, dims draw, year and what a step adds;
             `measure` is `need` (everyone whose family cannot care has a place) or `use` (today's habits)
    inputs : where the chain of the city began; quantities that `values` lacks are worked out from it
    """

    city: City
    scenario: str
    values: xr.Dataset
    inputs: CityInputs = field(repr=False)

    @property
    def assumptions(self) -> Assumptions:
        """The rows in force and their draws."""
        return self.inputs.assumptions

    @property
    def census_base(self) -> np.ndarray:
        """Array [person]  dims sex, age: the census of 2020 by single age."""
        return self.inputs.area.base

    @cached_property
    def calculation(self) -> Calculation:
        """All quantities of the result, worked out when asked for, all draws at once."""
        return Calculation(self.inputs)

    def quantity(self, name: str) -> xr.DataArray:
        """A declared quantity in all draws, whether it is kept in `values` or only on the way to it, or an assumption.

        Raises : KeyError if no quantity of the name is declared, and no assumption has it
        """
        if name in self.values:
            return self.values[name]
        if name not in DECLARED and name in self.assumptions:
            return self.assumptions[name]
        if name not in DECLARED:
            raise KeyError(f"no quantity “{name}” is declared")
        found = label(self.calculation[name], self.inputs.years)
        return found.sel(year=self.values["year"].values) if "year" in found.dims else found

    @property
    def price_year(self) -> int:
        """The year in whose prices all money is told (assumption `results_price_year`)."""
        return int(self.assumptions["results_price_year"].values[0])

    def price(self, name: str) -> xr.DataArray:
        """An assumption in yuan, brought to the price year of the results."""
        level = self.calculation["price_level"]
        return label(self.inputs.price(name, level), self.inputs.years)

    def table(self, indicator: str, years=None, **where) -> pd.DataFrame:
        """Low, central, high of an indicator by year (10th, 50th, 90th percentile of the draws)."""
        array = self.values[indicator].sel(where) if where else self.values[indicator]
        if years is not None:
            array = array.sel(year=[year for year in years if year in array["year"].values])
        return summarise(array)


def summarise(array: xr.DataArray, mean: bool = False) -> pd.DataFrame:
    """Table with a row for each year and key, and columns low, central, high; before them the mean, if wanted."""
    order = [dim for dim in array.dims if dim != "draw"]
    values = np.quantile(array.transpose("draw", *order).values, list(QUANTILES.values()), axis=0)
    coords = {dim: array[dim].values for dim in order}
    parts = {
        name: xr.DataArray(values[i], dims=order, coords=coords) for i, name in enumerate(QUANTILES)
    }
    if mean:
        parts = {"mean": array.astype(float).mean("draw", skipna=False), **parts}
    if not order:
        return pd.DataFrame([{name: part.item() for name, part in parts.items()}])
    return xr.Dataset(parts).to_dataframe().reset_index()[[*order, *parts]]


def with_total(array: xr.DataArray, dim: str) -> xr.DataArray:
    """The parts along a dim and, as a further label of it, all of them together in each draw.

    Defined as::  total = sum of the parts in each draw

    so that the means of the parts add up to that of the total, which middles and ends of ranges do not.
    """
    array = array.astype(float)
    return xr.concat([array, array.sum(dim, skipna=False).expand_dims({dim: [TOTAL]})], dim)


def first_year(city: City) -> int:
    """The first year of a city's results: that of its earliest measured promise, at the latest the census year."""
    measured = city.targets[
        (city.targets["follow_up"] == "measured") & (city.targets["kind"] == "target")
    ]
    return int(min([BASE_YEAR, *measured["target_year"].dropna()]))


def stock_of_beds(city: City) -> pd.Series | None:
    """The latest published count of beds of all kinds, as a row of capacity.csv; None if there is none."""
    if city.capacity is None:
        return None
    rows = city.capacity[
        (city.capacity["indicator"] == "beds_total") & (city.capacity["bed_type"] == "")
    ]
    return None if rows.empty else rows.sort_values("year", kind="stable").iloc[-1]


class CityInputs:
    """What a city's chain starts from, by name: the assumptions in force and the facts of the area.

    `x_bands`, `x_middle` and `x_until` are of the assumption x: its bands of age, its central values as a
    table, the last year it has a row for.
    """

    def __init__(
        self,
        china: China,
        city: City,
        area: Area,
        assumptions: Assumptions,
        last_year: int = LAST_YEAR,
        measures: tuple[str, ...] = settings.MEASURES,
    ):
        self.china, self.city, self.area, self.assumptions = china, city, area, assumptions
        self.years = np.arange(first_year(city) - 1, last_year + 1)
        self.measures, self.definition, self.rates = measures, ADL, rates_of(china)
        self.single_age = need.national_ages(china)
        self.households = settings.households(china, city.adcode)
        self.households_nation = settings.households(china, NATION)
        self.census_households = services.census_row(china, city.adcode)
        self.stock_of_beds = counted_stock(city)
        self.decided_changes = decided_changes(city, self.years)
        self.projection_error = _projection_error(assumptions, area)

    @cached_property
    def people_between_censuses(self) -> np.ndarray:
        """Array [person]  dims year (up to 2019), sex, age."""
        years = range(int(self.years[0]), BASE_YEAR)
        return population_step.history(self.china, self.area, years).values

    @cached_property
    def price_years(self) -> np.ndarray:
        """All years from the first to the last in whose prices something is told."""
        printed = self.assumptions.rows["price_year"].dropna()
        told = [*printed, *self.years, self.assumptions["results_price_year"].values[0]]
        return np.arange(int(min(told)), int(max(told)) + 1)

    def with_draws(self, assumptions: Assumptions) -> CityInputs:
        """The same city with other draws; what rests on none is not made again."""
        other = copy(self)
        other.__dict__.pop("price_years", None)
        other.people_between_censuses = self.people_between_censuses
        other.assumptions = assumptions
        other.projection_error = _projection_error(assumptions, self.area)
        return other

    def counted_by(self, definition: str) -> CityInputs:
        """The same with need of care counted by a definition (see `need.care_need`)."""
        other = copy(self)
        other.definition = definition
        return other

    def block(self, rows: slice) -> CityInputs:
        """The same with some of the draws only."""
        return self.with_draws(self.assumptions.block(rows))

    def __getitem__(self, name: str) -> Any:
        if name in FACTS:
            return getattr(self, name)
        about, _, what = name.rpartition("_")
        if what == "bands" and about in self.assumptions:
            return tuple(_by_age(self.assumptions[about]["age_band"].values))
        if what == "middle" and about in self.assumptions:
            return self._middle(about)
        if what == "until" and about in self.assumptions:
            drawn = self.assumptions[about]
            base = int(self.assumptions["results_price_year"].values[0])
            return int(drawn["year_from"].values[-1]) if "year_from" in drawn.dims else base
        return self._in_force(name, self._drawn(name))

    def holds(self, condition: str, year: int = BASE_YEAR, **keys: str) -> bool:
        """Whether a condition of `Quantity.only` holds for this area, in a year, at some labels of dims."""
        dim, equals, label_wanted = condition.partition("=")
        if equals:
            return keys.get(dim, label_wanted) == label_wanted
        return {
            "before_2020": year < BASE_YEAR,
            "from_2020": year >= BASE_YEAR,
            "gap_known": self.area.gap_known,
            "gap_derived": not self.area.gap_known,
            "stock_known": self.stock_of_beds is not None,
            "counted_by_share": self.definition in need.BY_SHARE,
            **{name: self.definition == name for name in DEFINITIONS},
        }[condition]

    def price(self, name: str, level: Array) -> Array:
        """An assumption in yuan, brought to the price year of the results.

        Defined as::  price as printed / price level of its price year, that of the results being 1

        level : array [ratio]  dims price_year, draw
        """
        drawn = self._drawn(name)
        printed = self.assumptions.price_year(name)
        printed = _ordered(printed).transpose(*[dim for dim in drawn.dims if dim != DRAW])
        place = printed.values.astype(int) - int(self.price_years[0])
        return self._in_force(name, Array(drawn.dims, drawn.values / level.values[place]))

    def _drawn(self, name: str) -> Array:
        array = _ordered(self.assumptions[name]).variable
        rest = [dim for dim in array.dims if dim not in (DRAW, "year_from")]
        order = [*(["year_from"] if "year_from" in array.dims else []), *rest, DRAW]
        array = array.transpose(*order)
        return Array(array.dims, np.ascontiguousarray(array.values))

    def _in_force(self, name: str, drawn: Array) -> Array:
        """Draws in force in each year, of an assumption that may change by year."""
        if name not in BY_YEAR:
            return drawn
        past = name.startswith("known_")
        dim, years = ("price_year", self.price_years) if past else ("year", self.years)
        if "year_from" not in drawn.dims:
            return drawn.set_dims({dim: len(years), **drawn.sizes})
        begun = self.assumptions[name]["year_from"].values
        places = places_in_force(drawn.values, begun, years, name)
        return Array((dim, *drawn.dims[1:]), drawn.values[places])

    def _middle(self, name: str) -> pd.DataFrame:
        rows = self.assumptions.rows[self.assumptions.rows["assumption"] == name]
        table = rows.pivot_table("central", "age_band", "severity")
        return table.loc[_by_age(table.index), list(need.LIMITED)]


def inputs_of(
    project: Project,
    city: City,
    scenario: str = BASELINE,
    draws: int = DEFAULT_DRAWS,
    last_year: int = LAST_YEAR,
) -> CityInputs:
    """Where the chain of a city starts, with the draws and the area of its result.

    Raises : KeyError for an unknown scenario
    """
    assumptions = draw_assumptions(project, city, scenario, draws)
    area = area_of_city(project, city, scenario, min(draws, BLOCK))
    last = last_needed(city, assumptions, last_year)
    inputs = CityInputs(project.china, city, area, assumptions, last)
    return inputs.counted_by(project.definition)


FACTS = (
    "area",
    "census_households",
    "decided_changes",
    "definition",
    "households",
    "households_nation",
    "measures",
    "people_between_censuses",
    "price_years",
    "projection_error",
    "rates",
    "single_age",
    "stock_of_beds",
    "years",
)


def _projection_error(assumptions: Assumptions, area: Area) -> np.ndarray:
    return error_scores(area.line, area.error_correlation, assumptions)


def _by_age(bands: Iterable[str]) -> list[str]:
    return sorted(bands, key=lambda band: age_band_limits(band)[0])


def _ordered(array: xr.DataArray) -> xr.DataArray:
    """The same array with its bands of age from the youngest on."""
    if "age_band" not in array.dims:
        return array
    return array.sel(age_band=_by_age(array["age_band"].values))


def counted_stock(city: City) -> beds.Stock | None:
    """Beds of all kinds that a city counted last; None where no count is in its folder."""
    row = stock_of_beds(city)
    return None if row is None else beds.Stock(float(row["value"]), int(row["year"]))


def decided_changes(city: City, years: np.ndarray) -> np.ndarray:
    """Beds of institutions that what is decided adds or takes in each year, by type and of no type.

    Defined as::  opened - closed, and converted, which are taken from general beds

    Source  : capacity.csv, rows beds_opened, beds_closed, beds_converted with their year and type
    Returns : array [bed]  dims year, bed type (the last of them none)
    """
    out = np.zeros((len(years), len(BED_TYPES) + 1))
    rows = [] if city.capacity is None else city.capacity.to_dict("records")
    for row in rows:
        place = int(row["year"]) - int(years[0])
        if row["indicator"] not in DECISIONS or not 0 <= place < len(years):
            continue
        of_type = [*BED_TYPES, ""].index(row["bed_type"])
        out[place, of_type] += DECISIONS[row["indicator"]] * row["value"]
        if row["indicator"] == "beds_converted":
            out[place, BED_TYPES.index("general")] -= row["value"]
    return out


def quantities_kept(project: Project) -> list[str]:
    """What a result keeps: each declared quantity that has a row in indicators.csv."""
    return [name for name in sorted(project.indicators["indicator"]) if name in DECLARED]


def run_city(
    project: Project,
    city_id: str,
    scenario: str = BASELINE,
    draws: int = DEFAULT_DRAWS,
    block: int = BLOCK,
    last_year: int = LAST_YEAR,
    names: Iterable[str] | None = None,
) -> CityResult:
    """Run the chain for one city.

    last_year : where the results end;  names : the quantities to keep, else those of indicators.csv
    Raises    : KeyError for an unknown city, scenario or quantity
    """
    city = project.city(city_id)
    whole = inputs_of(project, city, scenario, draws, last_year)
    kept = list(quantities_kept(project) if names is None else names)
    values: dict[str, np.ndarray] = {}
    dims: dict[str, tuple] = {}

    step = block if draws <= block else block // WORKERS  # as many draws at once as in one block

    def work_through(start: int) -> None:
        rows = slice(start, min(start + step, draws))
        calculation = Calculation(whole.block(rows))
        for name in kept:
            array = calculation[name]
            if name not in values:
                dims[name] = array.dims
                values[name] = room_for((*array.shape[:-1], draws), on_disk=draws > block)
            values[name][..., rows] = array.values
            let_go(values[name])

    first, *others = range(0, draws, step)
    work_through(first)  # which makes room for all
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work_through, others))
    arrays = {name: Array(dims[name], values[name]) for name in kept}
    dataset = labelled(arrays, whole.years).sel(year=slice(first_year(city), last_year))
    return CityResult(city, scenario, dataset, whole)


def last_needed(city: City, assumptions: Assumptions, last_year: int) -> int:
    """The last year to calculate for results up to a year: a training programme must come to its end."""
    programme = int(assumptions["programme_last_year"].max())
    return max(last_year, first_year(city) + 1, programme)


def age_structure(
    project: Project, city_id: str, years=(2020, 2035, 2050), draws: int = DEFAULT_DRAWS
) -> pd.DataFrame:
    """People by single age and sex in some years, the middle of the draws of the result.

    Returns : table year, sex, age, central
    """
    inputs = inputs_of(project, project.city(city_id), BASELINE, draws)
    people = label(Calculation(inputs)["population"], inputs.years).sel(year=list(years))
    return summarise(people)[["year", "sex", "age", "central"]]
