"""The whole chain for many areas, block by block on the processes of a machine or of a cluster, into Parquet.

A block is the areas directly below one (`model.areas.settled_family`). The processes are those of a Dask cluster,
on this machine unless a scheduler is named: a block whose process dies is given to another. What a block says comes
back as the bytes of a Parquet file, which is put into its place whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import dask
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xarray as xr
from distributed import Client, KilledWorker, LocalCluster, as_completed

from eldercare import messages
from eldercare.engine.arrays import DRAW, Array, labels_of
from eldercare.engine.quantity import Calculation
from eldercare.files import write_whole
from eldercare.inputs.draws import (
    DEFAULT_DRAWS,
    Assumptions,
    choose_rows,
    draw_assumptions,
    independent_stream,
)
from eldercare.inputs.load import BASELINE, NATION, Project, area_as_city, nation_as_city, passport
from eldercare.inputs.schema import ADL
from eldercare.model import areas, chain
from eldercare.model.area import Area
from eldercare.reporting.language import load_language

FILE = "areas.parquet"
# Readers of Parquet pass over what begins with a line.
RECORD, AREAS, SUMS, FRESH, LOCK = "_run.json", "_areas.csv", "_sums.parquet", "_fresh", "_lock"
MADE_FROM, CHANGED = "made_from", "the data or the formulas have changed since"
# Tables of data/ that move no number.
WORDS = (
    "phrases.csv",
    "messages.csv",
    "sources.csv",
    "plan_words.csv",
    "column_guide.csv",
    "table_rows.csv",
)
FORMULAS = ("inputs", "engine", "model")
CAUTIOUS = ("population_total", "population_80_plus")
TOLD = (
    "population_60_plus",
    "population_80_plus",
    "people_with_dementia",
    "beds_total_needed",
    "caregivers_total_needed",
    "cost_total",
)
TOLD_YEAR = 2035
PROCESSES = 2
# A process keeps the memory it has: given back after each array, as is Dask's habit, half the time goes on asking anew.
ENVIRONMENT = {
    "MALLOC_ARENA_MAX": 1,
    "MALLOC_MMAP_THRESHOLD_": 2**25,
    "MALLOC_TRIM_THRESHOLD_": 2**29,
    "OMP_NUM_THREADS": 1,
    "OPENBLAS_NUM_THREADS": 1,
}
PATIENCE = 20  # seconds until a scheduler answers
STATISTICS = ("mean", "low", "central", "high")
# Facts that are the same for all areas; all others, and what rests on them, are worked out for each.
COMMON = ("households_nation", "measures", "price_years", "rates", "single_age", "years")
MEASURE = "measure"
NOT_ADDED = ("share", "ratio", "year")
WORDED = ("variant", "indicator", "unit")


@dataclass(frozen=True)
class Block:
    """The areas asked for that lie directly below one; `whole` is 0 for the nation itself."""

    whole: int
    codes: tuple[int, ...]

    @property
    def path(self) -> str:
        """Where its rows stand in the folder of a run."""
        return f"under={self.whole}/{FILE}"


def blocks_of(project: Project, under: int = NATION) -> list[Block]:
    """The blocks of an area and all below it, so that the area's own figures stand beside the sums."""
    parts = areas.parts_of(project.china)
    if under == NATION:
        own, wholes = Block(0, (NATION,)), list(parts)
    else:
        above = next(whole for whole, codes in parts.items() if under in codes)
        own, wholes = Block(above, (under,)), [under, *parts.get(under, [])]
    return [own, *(Block(whole, tuple(parts[whole])) for whole in wholes if whole in parts)]


class _Shared:
    """What areas of a run have in common, worked out once: all that rests on no fact or draw of their own."""

    def __init__(self, project: Project, scenario: str, draws: int):
        self.project, self.scenario, self.draws = project, scenario, draws
        self.names = chain.quantities_kept(project)
        self.first: chain.CityInputs | None = None
        self.kept: dict[frozenset[str], dict[str, Any]] = {}

    def calculation(self, area: Area) -> Calculation:
        """The chain of an area, equal to that of `chain.run_city` in every bit."""
        city = area_as_city(area.adcode)
        assumptions = draw_assumptions(self.project, city, self.scenario, self.draws)
        last = chain.last_needed(city, assumptions, areas.LAST_YEAR)
        inputs = chain.CityInputs(self.project.china, city, area, assumptions, last)
        inputs = inputs.counted_by(self.project.definition)
        self.first = first = self.first or inputs
        if not all(np.array_equal(first[name], inputs[name]) for name in ("years", "price_years")):
            return Calculation(inputs)
        moved = frozenset(differing(first.assumptions, assumptions))
        found = Calculation(inputs, self.kept.get(moved))
        if moved not in self.kept:
            for name in self.names:
                found[name]  # noqa: B018 - works it out
            about = {f"{name}_{what}" for name in moved for what in ("bands", "middle", "until")}
            self.kept[moved] = found.kept_if({*moved, *about, *chain.FACTS} - {*COMMON})
        return found


def differing(one: Assumptions, other: Assumptions) -> list[str]:
    """Names of the assumptions whose draws are not the same."""
    names = {*one.rows["assumption"], *other.rows["assumption"]}
    return [
        name
        for name in names
        if name not in one or name not in other or not _same(one[name], other[name])
    ]


def _same(one: xr.DataArray, other: xr.DataArray) -> bool:
    return one is other or one.dims == other.dims and one.equals(other)


@lru_cache(maxsize=1)
def _shared(project: Project, scenario: str, draws: int) -> _Shared:
    return _Shared(project, scenario, draws)


def block_table(project: Project, block: Block, scenario: str, draws: int) -> pa.Table:
    """The whole chain for the areas of a block.

    Returns : table area, scenario, variant (the measure; empty where a quantity has none), year, indicator
              (`beds_needed[bed_type=nursing]` for a part), mean, low, central, high (80 % range), unit
    """
    shared = _shared(project, scenario, draws)
    if block.whole:
        family = areas.settled_family(project, block.whole, scenario, draws)
    else:
        family = iter([areas.settled_area(project, NATION, scenario, draws)])
    tables = [
        _area_table(shared.calculation(area), shared)
        for area in family
        if area.adcode in block.codes
    ]
    return pa.concat_tables(tables).unify_dictionaries()


def _area_table(calculation: Calculation, shared: _Shared) -> pa.Table:
    years = calculation.given.years
    from_base = slice(int(np.searchsorted(years, areas.BASE_YEAR)), None)
    units = shared.project.indicators.set_index("indicator")["unit"]
    keys, numbers = [], []
    for name in shared.names:
        array = calculation[name]
        if "year" in array.dims:
            array = array.isel(year=from_base)
        if np.isnan(array.values).all():  # what rests on a count that this area has not collected
            continue
        for labels, part in _series(array):
            variant = labels.pop(MEASURE, "")
            told = ",".join(f"{dim}={label}" for dim, label in labels.items())
            keys.append((variant, f"{name}[{told}]" if told else name, units[name]))
            numbers.append(summarised(part))
    years = years[from_base]
    rows = len(years)
    variant, indicator, unit = (_repeated(column, rows) for column in zip(*keys))
    return pa.table(
        {
            "area": np.full(rows * len(keys), calculation.given.area.adcode, np.int32),
            "scenario": _repeated([shared.scenario], rows * len(keys)),
            "variant": variant,
            "year": np.tile(years.astype(np.int16), len(keys)),
            "indicator": indicator,
            **{name: np.concatenate(part) for name, part in zip(STATISTICS, zip(*numbers))},
            "unit": unit,
        }
    )


def _repeated(words: Iterable[str], times: int) -> pa.DictionaryArray:
    known, places = np.unique(np.array(list(words), dtype=object), return_inverse=True)
    numbers = np.repeat(places.astype(np.int16), times)
    return pa.DictionaryArray.from_arrays(numbers, pa.array(known.tolist(), pa.string()))


def _series(array: Array) -> Iterator[tuple[dict[str, str], np.ndarray]]:
    """Each part of an array by year and draw, with its labels."""
    further = [dim for dim in array.dims if dim not in ("year", DRAW)]
    array = array.transpose(*further, "year", DRAW)
    for place in np.ndindex(*array.shape[:-2]):
        named = zip(further, place)
        labels = {str(dim): str(labels_of(dim, array.sizes[dim])[i]) for dim, i in named}
        yield labels, array.values[place]


def summarised(values: np.ndarray) -> tuple[np.ndarray, ...]:
    """Mean of the draws, and their low, central and high as `chain.summarise` tells them; dims row.

    The draws are kept in single precision, as `chain.run_city` keeps them: sorted so, they take a third of the time.
    """
    ordered = np.sort(values.astype(np.float32), axis=-1)
    ends = []
    for share in chain.QUANTILES.values():
        place = share * (values.shape[-1] - 1)
        below, part = int(place), place - int(place)
        low, high = ordered[:, below], ordered[:, min(below + 1, values.shape[-1] - 1)]
        step = high - low
        end = low + step * np.float64(part) if part < 0.5 else high - step * np.float64(1 - part)
        ends.append(end.astype(np.float32))
    return values.mean(axis=-1), *ends


def block_bytes(project: Project, block: Block, scenario: str, draws: int) -> bytes:
    """`block_table` as a Parquet file."""
    return _as_parquet(block_table(project, block, scenario, draws))


def _unpacked(packed: bytes) -> Project:
    return pickle.loads(zlib.decompress(packed))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Only one run at a time writes into a folder; the lock goes with the process that holds it.

    Raises : OSError if another run is writing there
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = sqlite3.connect(folder / LOCK, timeout=0, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
        yield
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise OSError(f"{folder} cannot be written to: {error}") from error
        raise OSError(
            f"another run is writing into {folder}; wait for it or name another folder"
        ) from error
    finally:
        lock.close()


@contextmanager
def _client(scheduler: str | None) -> Iterator[Client]:
    """A client of the scheduler at an address, or of processes of this machine alone.

    Raises : OSError if no scheduler answers there
    """
    if scheduler is None:
        with (
            dask.config.set({"distributed.nanny.pre-spawn-environ": ENVIRONMENT}),
            LocalCluster(
                n_workers=PROCESSES,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address=":0",
                memory_limit=0,
                silence_logs=50,
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = Client(scheduler, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise OSError(
            f"no scheduler answers at {scheduler} within {PATIENCE} seconds: start one with "
            "`dask scheduler`, workers with `dask worker ADDRESS`, and give its address (tcp://HOST:8786)"
        ) from error
    with client:
        yield client


def record(project: Project, under: int, scenario: str, draws: int) -> dict[str, Any]:
    """By what a run is known again: what was asked, and the data and formulas it is made from."""
    data, code = project.root / "data", Path(__file__).parents[1]
    files = [(data, path) for path in sorted(data.glob("**/*.csv")) if path.name not in WORDS]
    files += [(code, path) for name in FORMULAS for path in sorted(code.glob(f"{name}/*.py"))]
    hashes = [
        f"{path.relative_to(top).as_posix()} {passport(path.parent, path.name)}"
        for top, path in files
    ]
    made_from = hashlib.sha256("\n".join(hashes).encode()).hexdigest()
    asked = {"under": under, "scenario": scenario, "definition": project.definition}
    return {**asked, "draws": draws, MADE_FROM: made_from}


def held(folder: Path) -> dict[str, Any]:
    """Which run a folder holds, as `record` tells it; empty if none."""
    path = folder / RECORD
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}


def _begin(folder: Path, record: dict[str, Any]) -> None:
    """Note in a folder which run it holds.

    Raises : ValueError if it holds another run, or files of something else
    """
    before = held(folder)
    if before:
        other = [name for name in record if before.get(name) != record[name]]
        if other:
            told = "; ".join(
                CHANGED if name == MADE_FROM else f"{name} {before.get(name)}, not {record[name]}"
                for name in other
            )
            raise ValueError(f"{folder} holds another run: {told}; name a new folder")
    elif [one for one in folder.iterdir() if not one.name.startswith(LOCK)]:
        raise ValueError(f"{folder} holds files that are no run; name a new or an empty folder")
    else:
        write_whole(folder / RECORD, json.dumps(record, indent=1).encode())


def run_areas(
    project: Project,
    folder: Path,
    under: int = NATION,
    scenario: str = BASELINE,
    draws: int = DEFAULT_DRAWS,
    scheduler: str | None = None,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> pd.DataFrame:
    """Run the whole chain for an area and all below it, into a folder of Parquet files, one a block.

    What the folder holds of the same run is not run again, so that an interrupted run goes on where it stopped.

    under     : code of the area
    scheduler : address of a Dask cluster; without it the processes of this machine
    tell      : told how many blocks of how many are there, after each
    Returns   : `sums_beside` of the run; it stands in the folder as well, and the names and cautions of the areas
    Raises    : OSError if another run is writing there, no scheduler answers, a block dies wherever it is run, or the
                disk is full; ValueError if the folder holds anything else; KeyError for an unknown scenario
    """
    choose_rows(project, None, scenario)
    independent_stream("", draws)  # what cannot be run is told before anything is written
    blocks = blocks_of(project, under)
    with _alone(folder):
        _begin(folder, record(project, under, scenario, draws))
        missing = [block for block in blocks if not (folder / block.path).is_file()]
        tell(len(blocks) - len(missing), len(blocks))
        if missing:
            with _client(scheduler) as client:
                found = _run_blocks(client, project, missing, scenario, draws)
                for done, (block, content) in enumerate(found, len(blocks) - len(missing) + 1):
                    _put(folder, block.path, content)
                    tell(done, len(blocks))
        table = sums_beside(folder, blocks)
        _put(folder, AREAS, areas_told(project, folder, blocks).to_csv(index=False).encode())
        _put(folder, SUMS, _as_parquet(pa.Table.from_pandas(table, preserve_index=False)))
    return table


def _run_blocks(
    client: Client, project: Project, blocks: list[Block], scenario: str, draws: int
) -> Iterator[tuple[Block, bytes]]:
    """Blocks and what they say, as they are done; the largest are begun first."""
    packed = client.submit(_unpacked, zlib.compress(pickle.dumps(project), 1), pure=False)
    blocks = sorted(blocks, key=lambda block: -len(block.codes))
    futures = {
        client.submit(block_bytes, packed, block, scenario, draws, pure=False): block
        for block in blocks
    }
    done = as_completed(futures)
    for future in done:
        block = futures.pop(future)
        try:
            content = future.result()
        except KilledWorker as error:
            raise OSError(
                f"the areas under {block.whole} were given up: each process that took them died "
                "(is there memory enough?); what is written is whole, and the same command goes on"
            ) from error
        yield block, content
        future.release()


def _put(folder: Path, name: str, content: bytes) -> None:
    """A file of a run, whole or not there; what is half written is named so that no reader takes it for Parquet.

    Raises : OSError that says what to do, if it cannot be written
    """
    path, fresh = folder / name, folder / FRESH
    try:
        path.parent.mkdir(exist_ok=True)
        write_whole(fresh, content)
        os.replace(fresh, path)
    except OSError as error:
        fresh.with_name(fresh.name + ".part").unlink(missing_ok=True)
        raise OSError(
            f"{path} cannot be written: {error.strerror or error}; what is written is whole: "
            "make room and repeat the command, which goes on from there"
        ) from error


def _as_parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue().to_pybytes()


def adds_up(unit: str) -> bool:
    """Whether parts in a unit may be added: heads, beds, money; not shares, ratios, years and rates."""
    return unit == "yuan_per_year" or unit not in NOT_ADDED and "_per_" not in unit


def sums_beside(folder: Path, blocks: list[Block]) -> pd.DataFrame:
    """What the parts of each area come to beside its own figure, by their means.

    People are scaled so that they add up (see `areas`). From need to money each area is calculated for itself, with
    its own households and its own draws of what differs from place to place: its parts need not add up to it.

    Returns : table under, variant, year, indicator, unit, own, parts, ratio (parts / own); only what may be added,
              and is written for the area and for each of its parts
    """
    keys = ["variant", "year", "indicator", "unit"]
    wholes = {block.whole for block in blocks}
    own: dict[int, pd.DataFrame] = {}
    found = []
    for block in blocks:
        rows = pq.read_table(
            folder / block.path, columns=["area", "mean", *keys], partitioning=None
        ).to_pandas()
        rows = rows[rows["unit"].map(adds_up).to_numpy(bool)].astype(dict.fromkeys(WORDED, str))
        for code in wholes.intersection(block.codes):
            own[code] = rows[rows["area"] == code].rename(columns={"mean": "own"})
        if block.whole not in own:
            continue
        groups = rows.groupby(keys, sort=False, observed=True)["mean"]
        parts = groups.sum().rename("parts")[groups.size() == len(block.codes)]
        beside = own[block.whole].merge(parts.reset_index(), on=keys)
        found.append(beside.assign(under=block.whole))
    if not found:
        return pd.DataFrame(columns=["under", *keys, "own", "parts", "ratio"])
    table = pd.concat(found, ignore_index=True)
    table["ratio"] = table["parts"] / table["own"].where(table["own"] != 0)
    return table[["under", *keys, "own", "parts", "ratio"]]


def areas_told(project: Project, folder: Path, blocks: list[Block]) -> pd.DataFrame:
    """The areas of a run: table area, name, level, province, under, caution (see `areas.cautions`)."""
    shown = list(CAUTIOUS)
    found: list[pd.DataFrame] = []
    under: dict[int, int] = {}
    for block in blocks:
        table = pq.read_table(
            folder / block.path,
            columns=["area", "year", "indicator", "mean"],
            filters=[("indicator", "in", shown)],
            partitioning=None,
        ).to_pandas()
        found.append(table)
        under |= dict.fromkeys(block.codes, block.whole)
    means = pd.concat(found).astype({"indicator": str})
    means = means.pivot_table("mean", ["area"], ["indicator", "year"])
    told = areas.cautions(means, project.china)
    words = told.apply(lambda row: " ".join(told.columns[row.to_numpy(bool)]), axis=1)
    names = project.china.areas.xs(2020, level="year").reindex(told.index)
    return pd.DataFrame(
        {
            "area": told.index,
            "name": names["name"].fillna(nation_as_city().name_zh),
            "level": names["level"].fillna("nation"),
            "province": names["province"],
            "under": [under[code] for code in told.index],
            "caution": words,
        }
    ).reset_index(drop=True)


def told(project: Project, folder: Path, table: pd.DataFrame) -> str:
    """What was run, and how far the sums of the parts are from the figures of the whole, in words."""
    words = load_language(project)
    count = len(pd.read_csv(folder / AREAS, usecols=["area"]))
    lines = [f"{count} areas written to {folder.name}: need to money an area at a time."]
    if project.definition != ADL:
        lines.append(f"Need of care counted by: {project.definition}.")
    if not table.empty:
        whole = table["under"].iloc[0]
        rows = table[(table["under"] == whole) & (table["year"] == TOLD_YEAR)]
        rows = rows[rows["indicator"].isin(TOLD)].astype({"indicator": str, "variant": str})
        lines.append(
            f"What lies directly under {whole} together, over its own figure, {TOLD_YEAR}:"
        )
        rows = rows.sort_values("indicator", key=lambda names: names.map(TOLD.index))
        for row in rows.itertuples():
            name = words.label(row.indicator), words.of("measure", row.variant)
            lines.append(f"  {words.join('names_join', [*filter(None, name)])}: {row.ratio:.4f}")
    return messages.told("\n".join(lines), words.code)
