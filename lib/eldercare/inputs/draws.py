"""Assumptions as draws: every belief becomes a set of equally likely values, before anything is
run.

Each row of the assumptions has a stream of its own, seeded by its name and keys: a scrambled
Sobol sequence in one dimension, put in an order of its own. So a draw of one assumption never
moves because another was added, removed or changed, and two scenarios differ only by what they say.
Rows that go together (`data/correlations.csv`) take the order of their streams from one another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import ndtri
from scipy.stats import qmc

from eldercare.inputs.correlations import correlation_groups, judgements, stream_name
from eldercare.inputs.dated import carry_on
from eldercare.inputs.load import BASELINE, NATION, City, Project
from eldercare.inputs.schema import ASSUMPTION_KEYS, BED_TYPES, SETTINGS, SEVERITIES

Source = Callable[[str, int], np.ndarray]
Z90 = float(ndtri(0.9))
DEFAULT_DRAWS = 1024
LAYERS = ("nation", "place", "city", "scenario")
OF_PLACE = "_place_factor"


@lru_cache(maxsize=4096)
def independent_stream(name: str, draws: int) -> np.ndarray:
    """Evenly spread numbers in (0, 1) that belong to one name alone.

    name    : what the stream belongs to, e.g. `target_occupancy||||||`
    draws   : how many, a power of two
    Returns : array [share], one of each of `draws` equal slices of (0, 1), in an order of its own
    Raises  : ValueError if draws is not a power of two
    Source  : Owen, A. (1998), scrambling Sobol’ points; scipy.stats.qmc.Sobol
    """
    points, generator = _points(name, draws)
    return generator.permutation(points)


@lru_cache(maxsize=4096)
def uniform_stream(name: str, draws: int) -> np.ndarray:
    """Evenly spread numbers in (0, 1) that belong to one name alone, in pairs that mirror each
    other.

    Draw i + draws / 2 of every stream is 1 - draw i: what one draw overstates its partner
    understates, so that the middle of a result needs half the draws or fewer.

    name, draws, Raises : as in `independent_stream`
    Returns : array [share], one of each of `draws` equal slices of (0, 1)
    Source  : Hammersley, J. and Morton, K. (1956), antithetic variates
    """
    return _mirrored(*_points(name, draws))


def other_scrambling(number: int) -> Source:
    """A source like `uniform_stream` with another scrambling: how far two of them differ is the
    error of the draws.
    """
    return lambda name, draws: _mirrored(*_points(f"{number}|{name}", draws))


def _mirrored(points: np.ndarray, generator) -> np.ndarray:
    draws = len(points)
    half = generator.permutation(points[: draws // 2])
    half = np.where(generator.random(draws // 2) < 0.5, 1 - half, half)
    return np.concatenate([half, 1 - half])


def _points(name: str, draws: int):
    """Scrambled Sobol points of one dimension in rising order, and the generator, seeded by the
    name, that made them.
    """
    if draws < 2 or draws & (draws - 1):
        raise ValueError(
            f"draws must be a power of two, at least 2, for Sobol points; {draws} is not"
        )
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    generator = np.random.default_rng(seed)
    points = qmc.Sobol(1, scramble=True, rng=generator).random(draws)[:, 0]
    return np.sort(np.clip(points, 1e-9, 1 - 1e-9)), generator


def quantile(
    uniform: np.ndarray, low: float, central: float, high: float, shape: str
) -> np.ndarray:
    """Values of an assumption at given probabilities.

    The three given values are the 10th, 50th and 90th percentile of the result, whatever the shape:
    `normal` and `lognormal` have a width of their own on either side of the central value,
    `triangular` is bounded, its density falling in a straight line on either side.

    uniform : array [share]   Returns : array, same dims, in the unit of the row
    """
    if shape == "fixed":
        return np.full_like(uniform, central)
    if shape == "triangular":
        upper = uniform > 0.5
        tail = np.where(upper, 1 - uniform, uniform)
        reach = (1 - np.sqrt(2 * tail)) / (1 - np.sqrt(0.2))
        return central + np.where(upper, high - central, low - central) * reach
    if shape == "lognormal":
        return np.exp(quantile(uniform, np.log(low), np.log(central), np.log(high), "normal"))
    z = ndtri(uniform) / Z90
    return central + np.where(z > 0, high - central, central - low) * z


def choose_rows(project: Project, city: City | None, scenario: str = BASELINE) -> pd.DataFrame:
    """The rows in force: scenario before city, city before place, place before nation, in each year
    from which they hold. Of a place's rows that of its province goes before that of its level.

    A row of a higher layer takes the place of all rows below it with the same keys, from the year
    it begins (`year_from`; without one, from the start); before that year the rows below stay in
    force.

    What a city has counted itself it does not differ from: where it has rows of its own of an
    assumption, the factor by which a place differs from the nation in it (`…_place_factor`) is 1.

    city    : None for the nation's rows alone
    Returns : rows of the assumptions with the columns `chosen_from` (scenario, city, place, nation)
              and `stream_city` (see `correlations.stream_name`)
    Raises  : KeyError for an unknown scenario
    """
    own = _with_rows(project, city, scenario)
    names = () if city is None else _names_of_place(project, city.adcode)
    rows = _chosen(project, names, own, scenario).copy()
    if city is not None:
        apart = _differs_by_place(project, rows) & (rows["stream_city"] != city.city_id)
        rows.loc[apart, "stream_city"] = str(city.adcode)
    return rows


def touches(project: Project, city: City | None, scenario: str) -> bool:
    """Whether a scenario has a row that is in force for a city; the baseline has none.

    Raises : KeyError for an unknown scenario
    """
    return bool(choose_rows(project, city, scenario)["chosen_from"].eq("scenario").any())


def _with_rows(project: Project, city: City | None, scenario: str) -> City | None:
    """The city if there are rows for it alone, of its own or of a scenario; all others are alike."""
    told = project.scenarios.get(scenario)
    if city is None or not (
        len(city.assumptions) or told is not None and city.city_id in set(told["city_id"])
    ):
        return None
    return city


def _differs_by_place(project: Project, rows: pd.DataFrame) -> pd.Series:
    """Which rows are of an assumption that differs from place to place."""
    return rows["assumption"].isin(project.place_assumptions["assumption"])


@lru_cache(maxsize=128)
def _chosen(
    project: Project, names: tuple[str, ...], city: City | None, scenario: str
) -> pd.DataFrame:
    """`choose_rows` where `place_assumptions` speak of a place by some names, before it has streams of its own.

    city : one that there are rows for (`_with_rows`); None for any other place
    """
    national, table = project.assumptions, project.place_assumptions
    layers = [(national[national["city_id"] == ""], "nation")]
    layers += [(table[table["city_id"] == name], "place") for name in names]
    if city is not None:
        layers.append((city.assumptions, "city"))
    if scenario != BASELINE:
        if scenario not in project.scenarios:
            known = ", ".join([BASELINE, *project.scenarios])
            raise KeyError(f"no scenario “{scenario}”; there are: {known}")
        rows = project.scenarios[scenario]
        here = rows["city_id"].isin(["", city.city_id if city else ""])
        layers.append((rows[here].sort_values("city_id", kind="stable"), "scenario"))
    stacked = pd.concat([rows.assign(chosen_from=name) for rows, name in layers], ignore_index=True)
    stacked["stream_city"] = _city_of_stream(stacked)
    keys = ["assumption", *ASSUMPTION_KEYS, "year_from"]
    chosen = stacked.drop_duplicates(keys, keep="last")
    chosen = chosen[~_is_overruled(chosen)]
    if city is not None:
        chosen = _without_factors(chosen, city.assumptions)
    return chosen.sort_values(keys, kind="stable", na_position="first").reset_index(drop=True)


def _names_of_place(project: Project, adcode: int) -> tuple[str, ...]:
    """Under which names `place_assumptions` speak of an area: its level, then its province, then
    itself.
    """
    level = "nation" if adcode == NATION else "county" if adcode % 100 else "prefecture"
    level = "province" if adcode % 10_000 == 0 and adcode != NATION else level
    table = project.place_assumptions
    names = dict.fromkeys((level, str(adcode // 10_000 * 10_000), str(adcode)))
    known = set(table["city_id"])
    return tuple(name for name in names if name in known)


def _without_factors(rows: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """Rows in which the factor of a place is 1 for whatever the city has rows of its own of."""
    rows = rows.copy()
    of_place = rows["assumption"].str.endswith(OF_PLACE) & rows["chosen_from"].isin(LAYERS[:2])
    for place, row in rows[of_place].iterrows():
        same = own["assumption"] == row["assumption"].removesuffix(OF_PLACE)
        for key in filter(row.get, ASSUMPTION_KEYS):
            same &= own[key] == row[key]
        if same.any():
            rows.loc[place, ["low", "central", "high", "shape"]] = 1.0, 1.0, 1.0, "fixed"
    return rows


def _city_of_stream(rows: pd.DataFrame) -> np.ndarray:
    """City whose stream a row draws from: of a scenario's row, that of the row below with the same
    keys. An assumption that differs from place to place has a stream of its own for each.
    """
    keys = ["assumption", *ASSUMPTION_KEYS]
    of_scenario = (rows["chosen_from"] == "scenario").to_numpy()
    below = rows[~of_scenario].drop_duplicates(keys, keep="last").set_index(keys)["city_id"]
    found = below.reindex(pd.MultiIndex.from_frame(rows[keys])).to_numpy()
    return np.where(of_scenario & ~pd.isna(found), found, rows["city_id"])


def _is_overruled(rows: pd.DataFrame) -> pd.Series:
    """Rows below a layer that holds for the same keys from the same year or earlier."""
    layer = rows["chosen_from"].map({name: place for place, name in enumerate(LAYERS)})
    start = rows["year_from"].fillna(0)
    overruled = pd.Series(False, index=rows.index)
    for upper in range(1, len(LAYERS)):
        above = rows[layer == upper].assign(start=start)
        first = above.groupby(["assumption", *ASSUMPTION_KEYS])["start"].min()
        own_key = pd.MultiIndex.from_frame(rows[["assumption", *ASSUMPTION_KEYS]])
        from_year = first.reindex(own_key).to_numpy()
        overruled |= (layer < upper) & (start >= from_year)
    return overruled


@dataclass(frozen=True, eq=False)
class Assumptions:
    """The rows in force for one city and scenario, and their draws.

    rows  : table, as `choose_rows` gives it
    draws : number of draws
    total_draws, rows_of_all : of a block, how many draws there are in all and which these are
    streams_used : names of `uniform` that a run has asked for, by this block or another of the same
                   draws
    """

    rows: pd.DataFrame
    draws: int
    _arrays: dict[str, xr.DataArray]
    _price_years: dict[str, xr.DataArray]
    total_draws: int
    rows_of_all: slice
    _source: Source = uniform_stream
    streams_used: dict[str, None] = field(default_factory=dict, compare=False)

    def uniform(self, name: str) -> np.ndarray:
        """Evenly spread numbers in (0, 1) that belong to a name which is no row, e.g. an error of
        projection.
        """
        self.streams_used[name] = None
        return self._source(name, self.total_draws)[self.rows_of_all]

    def __getitem__(self, assumption: str) -> xr.DataArray:
        """Draws of one assumption: dims draw and the keys its rows have (severity, setting …).

        An assumption with rows from several years has the dim `year_from` as well.
        """
        if assumption not in self._arrays:
            raise KeyError(f"no assumption “{assumption}” in assumptions.csv")
        return self._arrays[assumption]

    def __contains__(self, assumption: str) -> bool:
        return assumption in self._arrays

    def price_year(self, assumption: str) -> xr.DataArray:
        """Year in whose prices an assumption is printed; dims are its keys."""
        return self._price_years[assumption]

    def block(self, rows: slice) -> Assumptions:
        """The same assumptions with some of the draws only."""
        count = len(range(*rows.indices(self.draws)))
        if count == self.draws:
            return self
        arrays = {name: array.isel(draw=rows) for name, array in self._arrays.items()}
        return Assumptions(
            self.rows,
            count,
            arrays,
            self._price_years,
            self.total_draws,
            rows,
            self._source,
            self.streams_used,
        )


def correlated_streams(
    project: Project, rows: pd.DataFrame, draws: int, source: Source
) -> dict[str, np.ndarray]:
    """The streams of the rows in force that go together, by name; rows outside a group are not in
    it.

    Defined as::  pairs: z = L n,  n = standard normal deviates of the members' own streams (the nation's first, then by name),
                  L L' = the matrix of correlations (Cholesky)
                  one judgement: z = root(r) s + root(1 - r) n,  s = deviates of the stream they share

    a Gaussian copula: each member keeps its own numbers and takes the order of its z, so that it
    still has one number in each equal slice of (0, 1). The first of a group of pairs keeps its own
    order as well; a member of one judgement has the same draws whoever else is of it.

    Returns : arrays [share] by name, dims draw
    Source  : data/correlations.csv; Iman, R. and Conover, W. (1982), inducing rank correlation
    """
    named = [(stream_name(row), row) for row in rows.to_dict("records")]
    out = {}
    for _, shared, names, tied in judgements(project.correlations, named):
        common = np.sqrt(tied) * ndtri(source(shared, draws))
        for name in names if len(names) > 1 else ():
            own = source(name, draws)
            out[name] = _in_order_of(common + np.sqrt(1 - tied) * ndtri(own), own)
    for names, matrix in correlation_groups(project.correlations, named):
        apart = [source(name, draws) for name in names]
        joint = np.linalg.cholesky(matrix) @ ndtri(apart)
        for name, stream, order in zip(names, apart, joint):
            out[name] = _in_order_of(order, stream)
    return out


def _in_order_of(order: np.ndarray, stream: np.ndarray) -> np.ndarray:
    """The numbers of a stream, the least where `order` is least, and so on."""
    return np.sort(stream)[np.argsort(np.argsort(order, kind="stable"), kind="stable")]


def draw_assumptions(
    project: Project,
    city: City | None = None,
    scenario: str = BASELINE,
    draws: int = DEFAULT_DRAWS,
    source: Source = uniform_stream,
    together: bool = True,
) -> Assumptions:
    """Draw every assumption in force, all draws before the run.

    source   : gives the evenly spread numbers of a name
    together : whether rows of correlations.csv go together; else each row's numbers are those of
               the source
    """
    rows = choose_rows(project, city, scenario)
    apart = _differs_by_place(project, rows)
    if source is uniform_stream and together and not _tied_to_places(project):
        own = _with_rows(project, city, scenario)
        arrays, price_years = _drawn_in_common(project, own, scenario, draws)
        of_place = _drawn_rows(project, rows[apart], draws, source, together=False)
        arrays, price_years = arrays | of_place[0], price_years | of_place[1]
    else:
        arrays, price_years = _drawn_rows(project, rows, draws, source, together)
    return Assumptions(rows, draws, arrays, price_years, draws, slice(None), source)


def _tied_to_places(project: Project) -> bool:
    """Whether what differs from place to place goes together with anything."""
    table = project.correlations
    tied = {*table["assumption_a"], *table["assumption_b"]}
    return not tied.isdisjoint(project.place_assumptions["assumption"])


@lru_cache(maxsize=16)
def _drawn_in_common(
    project: Project, city: City | None, scenario: str, draws: int
) -> tuple[dict[str, xr.DataArray], dict[str, xr.DataArray]]:
    """`_drawn_rows` of all that does not differ from place to place; city: as in `_chosen`."""
    rows = _chosen(project, (), city, scenario)
    alike = rows[~_differs_by_place(project, rows)]
    return _drawn_rows(project, alike, draws, uniform_stream, together=True)


def _drawn_rows(
    project: Project, rows: pd.DataFrame, draws: int, source: Source, together: bool
) -> tuple[dict[str, xr.DataArray], dict[str, xr.DataArray]]:
    """Draws of each assumption that has rows here, and the price years of those in yuan."""
    streams = correlated_streams(project, rows, draws, source) if together else {}
    groups: dict[str, list[dict]] = {}
    for row in rows.to_dict("records"):
        groups.setdefault(row["assumption"], []).append(row)
    arrays, price_years = {}, {}
    for name, group in groups.items():
        alone = source is uniform_stream and not any(stream_name(row) in streams for row in group)
        arrays[name] = (
            _draw_alone(_Rows(group), draws) if alone else _draw_one(group, draws, source, streams)
        )
        if group[0]["price_year"] == group[0]["price_year"]:
            price_years[name] = _label_price_years(_Rows(group))
    return arrays, price_years


class _Rows:
    """Rows as the key of a cache: what many cities share is drawn once."""

    def __init__(self, rows: list[dict]):
        self.rows = rows
        self.text = repr(rows)

    def __hash__(self) -> int:
        return hash(self.text)

    def __eq__(self, other) -> bool:
        return self.text == other.text


@lru_cache(maxsize=1024)
def _draw_alone(rows: _Rows, draws: int) -> xr.DataArray:
    return _draw_one(rows.rows, draws, uniform_stream, {})


@lru_cache(maxsize=1024)
def _label_price_years(rows: _Rows) -> xr.DataArray:
    years = np.array([[row["price_year"]] for row in rows.rows])
    return _label(rows.rows, years).isel(draw=0, drop=True)


def _draw_one(
    rows: list[dict], draws: int, source: Source, streams: dict[str, np.ndarray]
) -> xr.DataArray:
    values = []
    for row in rows:
        name = stream_name(row)
        values.append(drawn_values(row, streams[name] if name in streams else source(name, draws)))
    return _label(rows, np.array(values))


def drawn_values(row: Mapping, uniform: np.ndarray) -> np.ndarray:
    """Values of a row at given probabilities; a share never passes 0 or 1."""
    drawn = quantile(uniform, row["low"], row["central"], row["high"], row["shape"])
    return np.clip(drawn, 0, 1) if row["unit"] == "share" else drawn


def _label(rows: list[dict], values: np.ndarray) -> xr.DataArray:
    """Array with the dim draw and a dim for each key the rows have; values: one row a row, a column
    a draw.
    """
    keys = [key for key in ASSUMPTION_KEYS if any(row[key] for row in rows)]
    if any(row["year_from"] == row["year_from"] for row in rows):
        rows = [{**row, "year_from": int(np.nan_to_num(row["year_from"]))} for row in rows]
        keys.append("year_from")
    draw = {"draw": np.arange(values.shape[1])}
    if not keys:
        return xr.DataArray(values[0], dims="draw", coords=draw)
    levels = [_in_order(key, {row[key] for row in rows}) for key in keys]
    out = np.full((values.shape[1], *map(len, levels)), np.nan)
    for number, row in enumerate(rows):
        places = (level.index(row[key]) for key, level in zip(keys, levels))
        at: tuple[slice | int, ...] = (slice(None), *places)
        out[at] = values[number]
    if keys[-1] == "year_from":
        carry_on(out)
    return xr.DataArray(out, dims=("draw", *keys), coords={**draw, **dict(zip(keys, levels))})


def _in_order(key: str, labels) -> list:
    order = {"severity": SEVERITIES, "setting": SETTINGS, "bed_type": BED_TYPES}.get(key)
    return sorted(labels, key=order.index) if order else sorted(labels)
