"""Where a number comes from: formula, inputs with their values, and so on down to rows of `data/` with their source."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.engine.quantity import DECLARED, formula_in
from eldercare.inputs.draws import DEFAULT_DRAWS
from eldercare.inputs.load import (
    BASELINE,
    City,
    Project,
    file_rows,
    load_project,
    passport,
    row_numbers,
)
from eldercare.inputs.schema import ASSUMPTION_KEYS
from eldercare.model.chain import BASE_YEAR, QUANTILES, CityResult, run_city
from eldercare.reporting.lineage import keys_of, made_of, own_parts
from eldercare.reporting.origins import TABLES, Made, split_input
from eldercare.reporting.present import range_text, text_number
from eldercare.reporting.tree import Node, Row, Trace, Value, no_values

UNTOLD = {"age", "price_year"}  # dims with too many places to tell a value for each


@dataclass(frozen=True, repr=False)
class Place:
    """Of which city, year and keys a quantity is asked.

    rows : the assumptions in force;  result : None for the nation's own quantities
    """

    project: Project
    city: City | None
    result: CityResult | None
    scenario: str
    rows: pd.DataFrame
    year: int | None
    keys: Mapping[str, str] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()

    def at(self, year: int | None = None, **keys: str) -> Place:
        """The same place with another year or other keys."""
        return replace(self, year=year or self.year, keys={**self.keys, **keys})

    def without(self, names: Iterable[str]) -> Place:
        """The same place for what does not rest on some assumptions that its inputs rest on."""
        return replace(self, left_out=self.left_out | set(names))

    def holds(self, condition: str) -> bool:
        """Whether a condition of the lineage holds here."""
        key, equals, wanted = condition.partition("=")
        if equals:
            return self.keys.get(key, wanted) == wanted
        if self.result is None:
            return True
        return self.result.inputs.holds(condition, BASE_YEAR if self.year is None else self.year)

    def only(self, keys: frozenset[str]) -> Place:
        """The same place with some of its keys."""
        return replace(self, keys={key: value for key, value in self.keys.items() if key in keys})

    @property
    def tag(self) -> str:
        """City, year and keys in one line."""
        parts = [
            self.city.city_id if self.city else "",
            self.scenario if self.scenario != BASELINE else "",
        ]
        parts += [str(self.year) if self.year else ""] + [
            f"{key}={value}" for key, value in sorted(self.keys.items())
        ]
        return " ".join(part for part in parts if part)


def trace(
    city_id: str,
    quantity: str,
    year: int,
    project: Project | None = None,
    result: CityResult | None = None,
    scenario: str = BASELINE,
    draws: int = DEFAULT_DRAWS,
    **keys: str,
) -> Trace:
    """Where a number of a city comes from, as a tree: formula, inputs, rows of `data/`, source, SHA-256 of the file.

    quantity : an indicator, or a quantity between (see `lineage`), e.g. `beds_needed`
    result   : the run to take values from; without it the city is run with `draws`
    keys     : e.g. measure="use" (else need), bed_type="nursing"
    Returns  : Trace, with `text()`, `html()`; a notebook shows the latter
    Raises   : KeyError for an unknown city, quantity, year or key
    """
    project = project or load_project()
    project.city(city_id)
    result = result or run_city(project, city_id, scenario, draws)
    known = result.values["year"].values
    if year not in known:
        raise KeyError(
            f"{year} is not calculated for {city_id}; there are {known[0]} to {known[-1]}"
        )
    own = own_keys(quantity)
    if set(keys) - own:
        raise KeyError(
            f"{quantity} has no key {', '.join(sorted(set(keys) - own))}; it has: {', '.join(sorted(own)) or 'none'}"
        )
    values_of(place_of(project, result, year, **keys), quantity)
    return Trace(node_of(place_of(project, result, year, **keys), quantity))


def place_of(project: Project, result: CityResult, year: int | None, **keys: str) -> Place:
    """The place of a result; need is meant where no measure is named."""
    city = result.city
    keys = {"measure": "need", **keys}
    return Place(project, city, result, result.scenario, result.assumptions.rows, year, keys)


def node_of(place: Place, name: str, made: dict | None = None) -> Node:
    """The node of a quantity and all below it.

    made   : nodes made before, by name and place, so that a quantity met twice is one node
    Raises : KeyError for an unknown quantity or key
    """
    made = {} if made is None else made
    about = made_of(name)
    place = place.only(keys_of(name)).without(about.not_moved_by)
    key = (name, place.tag, place.left_out)
    if key not in made:
        quantities, assumptions, tables = inputs_of(about, place)
        below = [_input_node(place, one, made) for one in quantities]
        below += [_leaf(place, one, made, assumption_node) for one in assumptions]
        below += [
            _leaf(place, one, made, table_node) for one in tables if not _has_none(place, one)
        ]
        made[key] = Node(
            name,
            "quantity",
            place.tag,
            meaning_of(place.project, name, about),
            formula_of(place.project, name, about),
            function_name(about),
            partial(values_of, place, name),
            (),
            tuple(below),
        )
    return made[key]


def _leaf(place: Place, name: str, made: dict, maker) -> Node:
    dated = (
        maker is assumption_node
        and place.rows.loc[place.rows["assumption"] == name, "year_from"].notna().any()
    )
    city = place.city.city_id if place.city else ""
    key = (maker.__name__, name, city, place.scenario, place.year if dated else None)
    if key not in made:
        made[key] = maker(place, name)
    return made[key]


def _input_node(place: Place, text: str, made: dict) -> Node:
    name, keys = split_input(text)
    year = int(keys.pop("year", place.year or 0)) or None
    return node_of(place.at(year, **keys), name, made)


def inputs_of(about: Made, place: Place) -> tuple[list[str], list[str], list[str]]:
    """Names of the quantities, assumptions and tables that something takes at a place."""
    parts = [about, *(more for condition, more in about.when.items() if place.holds(condition))]
    found = (
        [
            name
            for part in parts
            for name in getattr(part, kind).split()
            if name not in place.left_out
        ]
        for kind in ("quantities", "assumptions", "tables")
    )
    return tuple(list(dict.fromkeys(names)) for names in found)


def assumptions_below(place: Place, name: str) -> set[str]:
    """Names of all assumptions that a quantity rests on at a place, directly or through its inputs."""
    found, seen, waiting = set(), set(), [(place, name)]
    while waiting:
        at, one = waiting.pop()
        about = made_of(one)
        at = at.only(keys_of(one)).without(about.not_moved_by)
        if (one, at.tag, at.left_out) in seen:
            continue
        seen.add((one, at.tag, at.left_out))
        quantities, assumptions, _ = inputs_of(about, at)
        found |= set(assumptions)
        for text in quantities:
            below, keys = split_input(text)
            year = int(keys.pop("year", at.year or 0)) or None
            waiting.append((at.at(year, **keys), below))
    return found


def own_keys(name: str) -> frozenset[str]:
    """Keys that a quantity may be asked by; measure and path come down from what it is made of."""
    return own_parts(name) | (keys_of(name) & {"measure", "path"})


def function_name(about: Made) -> str:
    """`beds.beds`: module and function that make a quantity."""
    return f"{about.by.__module__.rpartition('.')[2]}.{about.by.__qualname__}"


def formula_of(project: Project, name: str, about: Made) -> str:
    """The formula of the lineage, else that in the docstring of the function, else the indicator's definition."""
    if about.formula:
        return about.formula
    found = formula_in(about.by)
    if found:
        return found
    rows = project.indicators[project.indicators["indicator"] == name]
    return str(rows["definition"].iloc[0]) if len(rows) else ""


def meaning_of(project: Project, name: str, about: Made) -> str:
    """The label of an indicator in both languages; of other quantities the first line of the function's docstring."""
    rows = project.indicators[project.indicators["indicator"] == name]
    if len(rows):
        return f"{rows['label_en'].iloc[0]} {rows['label_zh'].iloc[0]}"
    return inspect.cleandoc(about.by.__doc__ or "").split("\n")[0].split("  Defined as")[0]


def values_of(place: Place, name: str) -> tuple[Value, ...]:
    """Low, central and high of a quantity at a place, for each part it has; empty where the result does not hold it."""
    array = _array_of(place, name)
    if array is None:
        return ()
    for key, value in place.keys.items():
        if key in array.dims:
            if value not in array[key].values:
                raise KeyError(
                    f"“{value}” is no {key} of {name}; there are: {', '.join(map(str, array[key].values))}"
                )
            array = array.sel({key: value})
    units = place.project.indicators.set_index("indicator")["unit"]
    declared = DECLARED[name].unit.replace(" ", "_") if name in DECLARED else ""
    unit = units.get(name, declared)
    rest = [dim for dim in array.dims if dim != "draw"]
    stacked = array.transpose("draw", *rest).values.reshape(array.sizes["draw"], -1)
    labels = pd.MultiIndex.from_product([array[dim].values for dim in rest]) if rest else [()]
    ranges = np.quantile(stacked, list(QUANTILES.values()), axis=0).T
    return tuple(
        Value(
            " ".join(f"{dim}={part}" for dim, part in zip(rest, label)),
            *map(float, numbers),
            unit,
            float(mean),
        )
        for label, numbers, mean in zip(labels, ranges, stacked.mean(axis=0, dtype=float))
    )


def _array_of(place: Place, name: str) -> xr.DataArray | None:
    """A declared quantity in the year asked; none of those by single age or by price year."""
    if place.result is None or name not in DECLARED or {*DECLARED[name].dims} & UNTOLD:
        return None
    array = place.result.quantity(name)
    return array.sel(year=place.year) if "year" in array.dims and place.year else array


def _in_force(place: Place, name: str) -> pd.DataFrame:
    """Rows of an assumption in force in the year: of those with year_from, the latest begun."""
    rows = place.rows[place.rows["assumption"] == name]
    if rows.empty:
        raise LookupError(f"no row of the assumptions is called “{name}”")
    if place.year is None or rows["year_from"].isna().all():
        return rows
    begun = rows[rows["year_from"].fillna(0) <= place.year]
    last = begun.groupby(list(ASSUMPTION_KEYS))["year_from"].transform(
        lambda years: years.fillna(0).max()
    )
    return begun[begun["year_from"].fillna(0) == last]


def assumption_node(place: Place, name: str) -> Node:
    """The rows of an assumption that are in force, each with file, row, basis and source.

    Raises : LookupError if a row stands in no file
    """
    rows = tuple(assumption_row(place, row) for row in _in_force(place, name).to_dict("records"))
    return Node(name, "assumption", "", "", "", "", no_values, rows, ())


def assumption_row(place: Place, row: dict) -> Row:
    """One row of the assumptions where it stands.  Raises: LookupError if it stands in no file"""
    at = row.get("chosen_from", "nation")
    file = {
        "nation": "data/assumptions.csv",
        "city": f"data/cities/{place.city.city_id if place.city else ''}/assumptions.csv",
        "scenario": f"data/scenarios/{place.scenario}.csv",
    }[at]
    cells = (row["assumption"], row["city_id"], *(row[key] for key in ASSUMPTION_KEYS))
    number = row_numbers(place.project.root, file).get(
        (*cells, float(np.nan_to_num(row["year_from"])))
    )
    if number is None:
        raise LookupError(f"the row of {' '.join(filter(None, cells))} stands in no row of {file}")
    found = file_rows(place.project.root, file).loc[[number]]
    words = " ".join(row[key] for key in ASSUMPTION_KEYS if row[key])
    prices = (
        f", prices of {row['price_year']:.0f}" if row["price_year"] == row["price_year"] else ""
    )
    value = f"{range_text(row['low'], row['central'], row['high'], _short)} {row['unit']}{prices}, {row['basis']}"
    return row_of(place.project, file, found, words, value)


def _short(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 1000 else text_number(value, 4)


def row_of(
    project: Project, file: str, found: pd.DataFrame, what: str, value: str = "", sources: str = ""
) -> Row:
    """Rows of a file with source, locator and SHA-256 of the file.

    found   : rows as `load.file_rows` numbers them; they name their source, or `sources` does
    Raises  : LookupError if there is no row, or a source that sources.csv does not know
    """
    if found.empty:
        raise LookupError(f"{what}: no row of {file}")
    named = sources.split() or sorted(set(found["source_id"]))
    titles = project.sources.set_index("source_id")
    unknown = [one for one in named if one not in titles.index]
    if unknown:
        raise LookupError(f"{file}, row {found.index[0]}: no source “{unknown[0]}” in sources.csv")
    names = [titles.at[one, "title_en"] or titles.at[one, "title_zh"] for one in named]
    column = next((column for column in ("locator", "source") if column in found), None)
    places_ = list(dict.fromkeys(found[column])) if column else []
    locator = "; ".join(filter(None, places_)) if len(places_) <= 3 else ""
    return Row(
        file,
        _numbers(found.index),
        what,
        value,
        " + ".join(named),
        " + ".join(names),
        locator,
        passport(project.root, file),
    )


def _numbers(index: pd.Index) -> str:
    """`4, 7-9`: row numbers with runs drawn together."""
    numbers = np.asarray(index)
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1)
    shown = [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]
    return ", ".join(shown[:6]) + (
        f" and {len(numbers) - sum(map(len, runs[:6]))} more" if len(shown) > 6 else ""
    )


def _has_none(place: Place, name: str) -> bool:
    """Whether a table that does not hold all areas has no row for the place."""
    return TABLES[name].partial and _table_rows(place, name)[1].empty


def _table_rows(place: Place, name: str) -> tuple[str, pd.DataFrame]:
    """File, and those of its rows that a place takes."""
    about, facts = TABLES[name], _facts(place)
    file = "data/" + about.file.format(**facts)
    if about.partial and not (place.project.root / file).is_file():
        return file, pd.DataFrame()
    table = file_rows(place.project.root, file)
    kept = pd.Series(True, index=table.index)
    for column, text in about.where.items():
        kept &= table[column].isin(text.format(**facts).split() or [""])
    return file, table[kept]


def table_node(place: Place, name: str) -> Node:
    """The rows of a table of `data/` that a quantity takes at a place.

    Raises : LookupError if there are none
    """
    about = TABLES[name]
    file, rows = _table_rows(place, name)
    row = row_of(place.project, file, rows, about.note, "", about.sources)
    return Node(name, "table", "", about.note, "", "", no_values, (row,), ())


def _facts(place: Place) -> dict[str, str]:
    """What the place fills into the rows wanted of a table."""
    adcode = place.city.adcode if place.city else 100000
    areas = place.project.china.areas
    provinces = areas.index.get_level_values(0)[areas["level"] == "province"].unique()
    sizes = np.unique(place.project.china.projection_error["size_from"])
    people = place.result.census_base.sum() if place.result else sizes.max()
    return {
        "area": str(adcode),
        "prefecture": str(adcode // 100 * 100),
        "province": str(adcode // 10000 * 10000),
        "provinces": " ".join(map(str, provinces)),
        "city": place.city.city_id if place.city else "",
        "size": str(int(sizes[sizes <= people].max())),
    }
