"""The tables of `data/world/`: people in care abroad and in China by age, with the population they
belong to; and what the UN put in and what came out for other countries, to try the engine by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa

from eldercare.files import file_sha256
from eldercare.inputs.checks import table_faults
from eldercare.inputs.published import unknown
from eldercare.inputs.reading import read_table
from eldercare.inputs.schema import DataFault, Fault

ROLES = ("test", "recipients", "beds", "need", "profile", "roll_out", "china")
TRUST = ("A", "B", "C", "D")
YEAR = pa.Column(
    float,
    [
        pa.Check.in_range(1950, 2100, error="must be from 1950 to 2100; write four digits"),
        pa.Check(lambda years: years % 1 == 0, error="must be a whole number"),
    ],
)
FILLED = pa.Column(str, pa.Check.str_length(min_value=1, error="must not be empty"))
NOT_NEGATIVE = pa.Column(float, pa.Check.ge(0, error="must not be negative: it is a count"))
_ABOVE_ZERO = pa.Check.gt(0, error="must be above 0: without a count leave it out")
COUNT, COUNT_OR_EMPTY = pa.Column(float, _ABOVE_ZERO), pa.Column(float, _ABOVE_ZERO, nullable=True)


def age_band(text: str) -> tuple[int, float]:
    """First age and age after the last of a band: `67-74`, `90+`, `[85,90)`, `[95,Inf]`, `all`,
    `total`, `83`.

    Returns : int, float [year]; the second is infinite where the band has no end
    Raises  : ValueError if the text names no band
    """
    plain = str(text).strip().lower().replace("–", "-").replace("years", "").replace(" ", "")
    if plain in ("all", "total"):
        return 0, np.inf
    found = re.fullmatch(
        r"(?:age_)?\[?(\d+)(?:(\+|_plus|plus|(?:and|or)(?:over|older)|,inf[\])])|[-_](\d+)|,(\d+)\))?",
        plain,
    )
    if not found:
        raise ValueError(
            f"“{text}” is no age band; write it like 67-74, 90+, [85,90), 83, all or total"
        )
    first, open_end, last, after = found.groups()
    if open_end:
        return int(first), np.inf
    end = int(after) if after else int(last or first) + 1
    if end <= int(first):
        raise ValueError(f"“{text}” is no age band: it ends before it begins")
    return int(first), end


def _is_band(text: str) -> bool:
    try:
        return bool(age_band(text))
    except ValueError:
        return False


def _bands(texts: pd.Series) -> pd.Series:
    return texts.map(_is_band).astype(bool)


def _one_of(values: Iterable[str]) -> pa.Column:
    allowed = sorted(values)
    return pa.Column(
        str, pa.Check.isin(allowed, error=f"must be one of: {', '.join(map(str, allowed))}")
    )


def _population(name: str, last: int) -> pa.DataFrameSchema:
    groups = [f"age_{age}_{age + 4}" for age in range(60, last, 5)] + [f"age_{last}_plus"]
    return pa.DataFrameSchema(
        {
            "place": FILLED,
            "year": YEAR,
            **dict.fromkeys(groups, NOT_NEGATIVE),
            "unit": _one_of(["person"]),
            "source_id": FILLED,
        },
        unique=["place", "year"],
        name=name,
    )


SERIES = pa.DataFrameSchema(
    {
        "series": FILLED,
        "place": FILLED,
        "place_en": FILLED,
        "place_zh": FILLED,
        "population_place": FILLED,
        "role": _one_of(ROLES),
        "first_year": YEAR,
        **dict.fromkeys(("counted_en", "counted_zh", "weak_point_en", "weak_point_zh"), FILLED),
    },
    unique=["series"],
    name="care_use_series.csv",
)
CARE_USE = pa.DataFrameSchema(
    {
        "series": FILLED,
        "year": YEAR,
        "age": pa.Column(
            str, pa.Check(_bands, error="must be an age band like 67-74, 90+, all or total")
        ),
        "value": COUNT,
        "unit": _one_of(["person", "bed"]),
        "trust": _one_of(TRUST),
        "source_id": FILLED,
        "locator": pa.Column(str),
    },
    unique=["series", "year", "age"],
    name="care_use.csv",
)
DEPARTEMENT_CARE_USE = pa.DataFrameSchema(
    {
        "place": FILLED,
        "place_name": FILLED,
        "year": YEAR,
        "home_service": COUNT_OR_EMPTY,
        "institution": COUNT_OR_EMPTY,
        "unit": _one_of(["person"]),
        "source_id": FILLED,
    },
    unique=["place", "year"],
    name="departement_care_use.csv",
)
SEX, AGE = _one_of(("male", "female")), pa.Column(float, pa.Check.in_range(0, 100))
PERIOD = {"period_from": YEAR, "period_to": YEAR}
WPP2019 = {
    name: pa.DataFrameSchema(
        {"place": FILLED, **columns, "source_id": FILLED},
        unique=["place", *key],
        name=f"{name}.csv",
    )
    for name, key, columns in (
        (
            "wpp2019_population",
            ("year", "sex", "age"),
            {"year": YEAR, "sex": SEX, "age": AGE, "thousand_persons_1_july": NOT_NEGATIVE},
        ),
        (
            "wpp2019_death_rate",
            ("sex", "period_from", "age_from"),
            {
                "sex": SEX,
                **PERIOD,
                "age_from": AGE,
                "mx": pa.Column(float, pa.Check.gt(0, error="must be above 0")),
            },
        ),
        (
            "wpp2019_input",
            ("indicator", "period_from", "age_from"),
            {
                "indicator": FILLED,
                **PERIOD,
                "age_from": pa.Column(float, nullable=True),
                "value": pa.Column(float),
            },
        ),
    )
}
EMULATION_ITEMS = ("published", "given", "rate", "driver", "stand_in")
EMULATION = pa.DataFrameSchema(
    {
        "emulator": FILLED,
        "item": _one_of(EMULATION_ITEMS),
        "part": pa.Column(str),
        "year": YEAR,
        "value": COUNT,
        "unit": _one_of(["person", "worker", "index", "share"]),
        "source_id": FILLED,
        "locator": FILLED,
    },
    unique=["emulator", "item", "part", "year"],
    name="emulation.csv",
)
TABLES = {
    "care_use_series": SERIES,
    "care_use": CARE_USE,
    "population": _population("population.csv", 100),
    "departement_care_use": DEPARTEMENT_CARE_USE,
    "departement_population": _population("departement_population.csv", 95),
    **WPP2019,
    "emulation": EMULATION,
}


@dataclass(frozen=True, eq=False)
class World:
    """People in care and population of other countries, of China, and of départements of France.

    care_use_series : one row a series of comparable counts: place, role in the back-test, who is
                      counted, weak point
    care_use        : people in care by series, year and age [person], with trust and source
    population      : people of 60 and over by place, year and age; five-year points
    departement_care_use, departement_population : the same of départements, every year
    wpp2019_population, wpp2019_death_rate, wpp2019_input : World Population Prospects 2019 of other
                      countries, five-year ages
    emulation       : what others published of the years to come, and the inputs they printed
    """

    care_use_series: pd.DataFrame
    care_use: pd.DataFrame
    population: pd.DataFrame
    departement_care_use: pd.DataFrame
    departement_population: pd.DataFrame
    wpp2019_population: pd.DataFrame
    wpp2019_death_rate: pd.DataFrame
    wpp2019_input: pd.DataFrame
    emulation: pd.DataFrame

    def users(self, *roles: str, whole: bool = False) -> pd.DataFrame:
        """People in care of the series with one of these roles: tidy series, place, year, age,
        value, trust.

        whole : with the years before `first_year`, in which a scheme was still spreading
        """
        about = self.care_use_series[self.care_use_series["role"].isin(roles)]
        rows = self.care_use.merge(about[["series", "place", "first_year"]], on="series")
        kept = rows if whole else rows[rows["year"] >= rows["first_year"]]
        return kept[["series", "place", "year", "age", "value", "trust"]].reset_index(drop=True)

    def people(self) -> pd.DataFrame:
        """Population of every year between the points, straight in logarithms: tidy place, year,
        age, value.
        """
        names = self.care_use_series.set_index("place")["population_place"].drop_duplicates()
        parts = []
        for place, source in names.items():
            rows = self.population[self.population["place"] == source].set_index("year")
            counts = rows.filter(like="age_").astype(float)
            years = np.arange(counts.index.min(), counts.index.max() + 1)
            logs = np.log(np.maximum(counts, 1e-9))
            found = {age: np.exp(np.interp(years, counts.index, logs[age])) for age in counts}
            parts.append(pd.DataFrame(found).assign(place=place, year=years))
        return _long(pd.concat(parts))

    def wpp2019(self, place: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """Population, death rates and inputs of one country, as the engine's test takes them."""
        population, death_rates, inputs = (
            table[table["place"] == place].drop(columns=["place", "source_id"])
            for table in (self.wpp2019_population, self.wpp2019_death_rate, self.wpp2019_input)
        )
        return population, death_rates, inputs

    def departement_users(self, setting: str) -> pd.DataFrame:
        """Recipients of 60 and over of the départements, `home_service` or `institution`: tidy
        place, year, age, value.
        """
        rows = self.departement_care_use.dropna(subset=[setting])
        return rows[["place", "year"]].assign(age="60+", value=rows[setting])

    def departement_people(self) -> pd.DataFrame:
        """Population of the départements at the end of each year, when recipients are counted.

        Returns : tidy frame place, year, age, value [person]
        """
        ends = self.departement_population.assign(year=self.departement_population["year"] - 1)
        return _long(ends)


def _long(wide: pd.DataFrame) -> pd.DataFrame:
    ages = [name for name in wide if name.startswith("age_")]
    return wide.melt(["place", "year"], ages, "age", "value")


@dataclass(frozen=True)
class State:
    """The files of a folder by what they hold: folders of the same files are equal, wherever they lie."""

    folder: Path = field(compare=False)
    files: tuple[tuple[str, str], ...]


def state_of(folder: Path) -> State:
    """What lies in a folder now; a folder within it by its name alone."""
    held = ((path.name, file_sha256(path) if path.is_file() else "") for path in folder.glob("*"))
    return State(folder, tuple(sorted(held)))


def load_world(root: Path) -> World:
    """The tables of `data/world/`, read again only if one has changed.

    Raises : DataFault with all faults of all tables together
    """
    return _load_world(state_of(Path(root) / "data" / "world"))


@lru_cache(maxsize=4)
def _load_world(state: State) -> World:
    folder = state.folder
    faults: list[Fault] = []
    tables = {}
    for name, table_schema in TABLES.items():
        shown = f"world/{name}.csv"
        path = folder / f"{name}.csv"
        try:
            if not path.is_file():
                raise DataFault([Fault(shown, None, None, "the file is missing")])
            tables[name] = read_table(path, table_schema, shown)
        except DataFault as fault:
            faults += fault.faults
    known = [f"{name}.csv" for name in TABLES]
    faults += table_faults(folder, "world/", known, workbooks=False)
    if faults:
        raise DataFault(faults)
    for name in tables:
        columns = ("year", "first_year", "period_from", "period_to")
        whole = {column: int for column in columns if column in tables[name]}
        tables[name] = tables[name].astype(whole)
    faults = _unmatched_faults(
        **{name: table for name, table in tables.items() if name not in WPP2019}
    )
    if faults:
        raise DataFault(faults)
    return World(**tables)


def _unmatched_faults(
    care_use_series, care_use, population, departement_care_use, departement_population, emulation
) -> list[Fault]:
    """Counts of no series or of a year without population, series of no place, units that are not
    of one kind, inputs of nothing that was published.
    """
    file = "world/care_use.csv"
    faults = unknown(
        care_use, file, "series", set(care_use_series["series"]), "series of care_use_series.csv"
    )
    faults += unknown(
        care_use_series,
        "world/care_use_series.csv",
        "population_place",
        set(population["place"]),
        "place of population.csv",
    )
    faults += unknown(
        departement_care_use,
        "world/departement_care_use.csv",
        "place",
        set(departement_population["place"]),
        "place of departement_population.csv",
    )
    published = set(emulation.loc[emulation["item"] == "published", "emulator"])
    told = "emulator with a row of item published"
    faults += unknown(emulation, "world/emulation.csv", "emulator", published, told)
    spans = population.groupby("place")["year"].agg(["min", "max"])
    places = care_use_series.set_index("series")["population_place"]
    for row, cells in zip(care_use.index, care_use.to_dict("records")):
        place = places.get(cells["series"])
        if place not in spans.index:
            continue
        first, last = spans.loc[place]
        if not first <= cells["year"] <= last:
            years = f"from {first} to {last}, the years of {place} in population.csv"
            problem = f"{cells['year']} must be {years}"
            faults.append(Fault(file, row + 2, "year", problem))
    mixed = care_use.groupby("series")["unit"].transform("nunique") > 1
    faults += [
        Fault(file, row + 2, "unit", "the rows of one series must have one unit")
        for row in care_use.index[mixed]
    ]
    return faults


def world_faults(sources: pd.DataFrame, world: World) -> list[Fault]:
    """Rows whose source_id has no row in sources.csv."""
    known = set(sources["source_id"])
    return [
        fault
        for name in TABLES
        if name != "care_use_series"
        for fault in unknown(
            getattr(world, name), f"world/{name}.csv", "source_id", known, "source of sources.csv"
        )
    ]
