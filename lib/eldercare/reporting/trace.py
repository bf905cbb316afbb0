"""What a number is made of: formula, inputs with their values, and so on down to rows of `data/` with their source.

All of it is read from the declarations (`engine.quantity`) and, for the facts of an area, from
data/table_rows.csv: no list here says what rests on what.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from itertools import product

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.analysis import (  # noqa: F401 - each declares what it makes of results
    affordability,
    compare,
    decomposition,
    definitions,
    health,
    sensitivity,
)
from eldercare.engine.quantity import DECLARED, OF_RESULTS, find_quantity, split_asked, upstream
from eldercare.inputs.draws import DEFAULT_DRAWS
from eldercare.inputs.load import (
    BASELINE,
    PLACES,
    City,
    Project,
    file_rows,
    load_project,
    passport,
    row_numbers,
)
from eldercare.inputs.schema import ASSUMPTION_KEYS
from eldercare.model.chain import BASE_YEAR, FACTS, QUANTILES, CityResult, run_city
from eldercare.reporting.trace_view import Node, Row, Trace, Value, plain_number
from eldercare.validation import calibration, counts  # noqa: F401 - they and `accuracy` declare too

ABOUT_AN_ASSUMPTION = ("bands", "middle", "until")
PASSED_ON = {"measure", "path"}  # keys that come down from what a quantity is made of
UNTOLD = {"age", "price_year"}  # dims with too many places to tell a value for each
MOST_LOCATORS, MOST_RUNS = 3, 6  # more places or runs of rows than these are counted, not named


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

    def holds(self, condition: str) -> bool:
        """Whether a condition of a declaration holds here."""
        key, equals, wanted = condition.partition("=")
        if equals:
            return self.keys.get(key, wanted) == wanted
        if self.result is None:
            return True
        return self.result.inputs.holds(condition, BASE_YEAR if self.year is None else self.year)

    def of(self, name: str) -> Place:
        """The place as a quantity knows it: with its own keys, and without what it does not rest on."""
        keys = {key: value for key, value in self.keys.items() if key in own_keys(name)}
        left_out = self.left_out | set(find_quantity(name).not_moved_by)
        return replace(self, keys=keys, left_out=left_out)

    @property
    def tag(self) -> str:
        """City, year and keys in one line."""
        scenario = self.scenario if self.scenario != BASELINE else ""
        parts = [self.city.city_id if self.city else "", scenario, str(self.year or "")]
        parts += [f"{key}={value}" for key, value in sorted(self.keys.items())]
        return " ".join(filter(None, parts))


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

    quantity : an indicator, or a quantity between, e.g. `beds_needed`
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
        reach = f"there are {known[0]} to {known[-1]}"
        raise KeyError(f"{year} is not calculated for {city_id}; {reach}")
    own = own_keys(quantity)
    if set(keys) - own:
        wrong, there = (", ".join(sorted(names)) for names in (set(keys) - own, own))
        raise KeyError(f"{quantity} has no key {wrong}; it has: {there or 'none'}")
    found = Trace(node_of(place_of(project, result, year, **keys), quantity))
    _ = found.root.values  # a label that is not there is refused now
    return found


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
    one, place = find_quantity(name), place.of(name)
    key = (name, place.tag, place.left_out)
    if key not in made:
        quantities, assumptions, tables = inputs_of(place, name)
        below = [node_of(at, asked, made) for at, asked in quantities]
        below += [_leaf(place, asked, made, assumption_node) for asked in assumptions]
        below += [_leaf(place, asked, made, table_node) for asked in tables]
        words = meaning_of(place.project, name), formula_of(place.project, name), one.home
        values = partial(values_of, place, name)
        made[key] = Node(name, "quantity", place.tag, *words, values, inputs=tuple(below))
    return made[key]


def _leaf(place: Place, name: str, made: dict, maker) -> Node:
    own = place.rows[place.rows["assumption"] == name]
    dated = maker is assumption_node and own["year_from"].notna().any()
    city = place.city.city_id if place.city else ""
    key = (maker.__name__, name, city, place.scenario, place.year if dated else None)
    if key not in made:
        made[key] = maker(place, name)
    return made[key]


def inputs_of(place: Place, name: str) -> tuple[list[tuple[Place, str]], list[str], list[str]]:
    """What a quantity takes at a place: quantities, each at its own place; assumptions; rows of tables."""
    one = find_quantity(name)
    quantities: list[tuple[Place, str]] = []
    assumptions: dict[str, None] = {}
    tables: dict[str, None] = {}
    for taken in sorted(one.made_of, key=lambda taken: taken in one.only):
        if taken in place.left_out or taken in one.only and not place.holds(one.only[taken]):
            continue
        asked, keys = split_asked(f"{taken}[{one.at[taken]}]" if taken in one.at else taken)
        if asked in DECLARED or asked in OF_RESULTS:
            year = int(keys.pop("year", 0)) or None
            quantities.append((place.at(year, **keys), asked))
        elif behind := rows_behind(place.project, asked):
            tables |= dict.fromkeys(rows for rows in behind if not _has_none(place, rows))
        elif asked not in FACTS:
            about, _, what = asked.rpartition("_")
            assumptions[about if what in ABOUT_AN_ASSUMPTION else asked] = None
    return quantities, list(assumptions), list(tables)


@lru_cache(maxsize=512)
def own_keys(name: str) -> frozenset[str]:
    """Keys that a quantity may be asked by: its dims, those its inputs differ by, and what these pass on."""
    one = find_quantity(name)
    parts = {*one.dims, *(at.partition("=")[0] for at in one.only.values() if "=" in at)}
    below = {dim for taken in upstream(name) & set(DECLARED) for dim in DECLARED[taken].dims}
    return frozenset(parts - {"year", "price_year"} | below & PASSED_ON)


def formula_of(project: Project, name: str) -> str:
    """The formula in the docstring of the function, else the indicator's definition."""
    return find_quantity(name).formula or _indicator(project, name).get("definition", "")


def meaning_of(project: Project, name: str) -> str:
    """The label of an indicator in both languages; of other quantities the first line of the function's docstring."""
    labels = _indicator(project, name)
    if labels:
        return f"{labels['label_en']} {labels['label_zh']}"
    return find_quantity(name).meaning


def _indicator(project: Project, name: str) -> dict:
    rows = project.indicators[project.indicators["indicator"] == name]
    return rows.iloc[0].to_dict() if len(rows) else {}


def values_of(place: Place, name: str) -> tuple[Value, ...]:
    """Low, central and high of a quantity at a place, for each part it has; empty where the result does not hold it."""
    array = _array_of(place, name)
    if array is None:
        return ()
    for key, value in place.keys.items():
        if key in array.dims:
            if value not in array[key].values:
                known = ", ".join(map(str, array[key].values))
                raise KeyError(f"“{value}” is no {key} of {name}; there are: {known}")
            array = array.sel({key: value})
    unit = _indicator(place.project, name).get("unit") or DECLARED[name].unit.replace(" ", "_")
    rest = [dim for dim in array.dims if dim != "draw"]
    stacked = array.transpose("draw", *rest).values.reshape(array.sizes["draw"], -1)
    parts = [
        " ".join(f"{dim}={part}" for dim, part in zip(rest, labels))
        for labels in product(*(array[dim].values for dim in rest))
    ]
    ranges = np.quantile(stacked, list(QUANTILES.values()), axis=0).T
    means = stacked.mean(axis=0, dtype=float)
    return tuple(
        Value(part, float(low), float(central), float(high), unit, float(mean))
        for part, (low, central, high), mean in zip(parts, ranges, means)
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
    begun = rows.assign(begun=rows["year_from"].fillna(0)).query("begun <= @place.year")
    return begun[begun["begun"] == begun.groupby(list(ASSUMPTION_KEYS))["begun"].transform("max")]


def assumption_node(place: Place, name: str) -> Node:
    """The rows of an assumption that are in force, each with file, row, basis and source.

    Raises : LookupError if a row stands in no file
    """
    rows = tuple(assumption_row(place, row) for row in _in_force(place, name).to_dict("records"))
    return Node(name, "assumption", rows=rows)


def assumption_row(place: Place, row: dict) -> Row:
    """One row of the assumptions where it stands.  Raises: LookupError if it stands in no file"""
    at = row.get("chosen_from", "nation")
    file = {
        "nation": "data/assumptions.csv",
        "city": f"data/cities/{place.city.city_id if place.city else ''}/assumptions.csv",
        "place": f"data/{PLACES}",
        "scenario": f"data/scenarios/{place.scenario}.csv",
    }[at]
    cells = (row["assumption"], row["city_id"], *(row[key] for key in ASSUMPTION_KEYS))
    start = float(np.nan_to_num(row["year_from"]))
    number = row_numbers(place.project.root, file).get((*cells, start))
    if number is None:
        raise LookupError(f"the row of {' '.join(filter(None, cells))} stands in no row of {file}")
    found = file_rows(place.project.root, file).loc[[number]]
    words = " ".join(row[key] for key in ASSUMPTION_KEYS if row[key])
    prices = f", prices of {row['price_year']:.0f}" if pd.notna(row["price_year"]) else ""
    low, central, high = (_short(row[end]) for end in ("low", "central", "high"))
    ends = f"{central} ({low} to {high})"
    value = f"{ends} {row['unit']}{prices}, {row['basis']}"
    return row_of(place.project, file, found, words, value)


def _short(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 1000 else plain_number(value, 4)


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
        raise LookupError(
            f"no source “{unknown[0]}” in sources.csv; row {found.index[0]} of {file} names it"
        )
    names = [titles.at[one, "title_en"] or titles.at[one, "title_zh"] for one in named]
    column = next((column for column in ("locator", "source") if column in found), None)
    at = list(dict.fromkeys(found[column])) if column else []
    locator = "; ".join(filter(None, at)) if len(at) <= MOST_LOCATORS else ""
    source = " + ".join(named), " + ".join(names), locator
    return Row(file, _numbers(found.index), what, value, *source, passport(project.root, file))


def _numbers(index: pd.Index) -> str:
    """`4, 7-9`: row numbers with runs drawn together."""
    numbers = np.asarray(index)
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1)
    shown = [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs[:MOST_RUNS]]
    left = sum(map(len, runs[MOST_RUNS:]))
    return ", ".join(shown) + (f" and {left} more" if left else "")


@lru_cache(maxsize=8)
def table_rows(project: Project) -> dict[str, dict[str, str]]:
    """The rows of data/table_rows.csv by their name: which rows of which file a fact comes from."""
    return project.table_rows.set_index("rows").to_dict("index")


def rows_behind(project: Project, name: str) -> list[str]:
    """Names of the rows of tables that a fact comes from, or that are called so."""
    rows = table_rows(project)
    return [one for one, cells in rows.items() if name == one or name in cells["facts"].split()]


def _has_none(place: Place, name: str) -> bool:
    """Whether a table that does not hold all areas has no row for the place."""
    lacks_some = table_rows(place.project)[name]["every_area"] == "no"
    return lacks_some and _rows_at(place, name)[1].empty


def _rows_at(place: Place, name: str) -> tuple[str, pd.DataFrame]:
    """File, and those of its rows that a place takes."""
    about, blanks = table_rows(place.project)[name], _blanks(place)
    file = "data/" + about["file"].format(**blanks)
    if about["every_area"] == "no" and not (place.project.root / file).is_file():
        return file, pd.DataFrame()
    table = file_rows(place.project.root, file)
    kept = pd.Series(True, index=table.index)
    for cell in filter(None, about["cells"].split("; ")):
        column, _, text = cell.partition("=")
        kept &= table[column].isin(text.format(**blanks).split() or [""])
    return file, table[kept]


def table_node(place: Place, name: str) -> Node:
    """The rows of a table of `data/` that a quantity takes at a place.

    Raises : LookupError if there are none
    """
    about = table_rows(place.project)[name]
    file, rows = _rows_at(place, name)
    row = row_of(place.project, file, rows, about["note"], "", about["source_ids"])
    return Node(name, "table", meaning=about["note"], rows=(row,))


def _blanks(place: Place) -> dict[str, str]:
    """What the place fills into the cells wanted of a table."""
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
