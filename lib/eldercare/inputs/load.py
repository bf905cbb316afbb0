"""Reads `data/`: the only module that does. What leaves it is checked and labelled."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.files import DEFINITION, file_sha256, find_root
from eldercare.inputs import schema
from eldercare.inputs.checks import (
    cross_faults,
    file_faults,
    loose_faults,
    on_promised_base,
    table_faults,
)
from eldercare.inputs.reading import Units, empty_table, find_table, read_cells, read_table
from eldercare.inputs.schema import DataFault, Fault
from eldercare.inputs.world import State, World, load_world, state_of, world_faults

BASELINE = "baseline"
NATION = 100000
PLACES = "china/place_assumptions.csv"
# Names the cities that notebooks show and calculate, where not all are asked for.
CITIES = "ELDERCARE_CITIES"
Loaded = TypeVar("Loaded")
# National tables with a schema of their own; the others are described by `china/columns.csv`.
NATIONAL_SCHEMAS = {
    "policy_targets": schema.POLICY_TARGETS,
    "published_care_need": schema.PUBLISHED_CARE_NEED,
    "published_money": schema.PUBLISHED_CARE_NEED,
    "published_services": schema.PUBLISHED_CARE_NEED,
    "care_grade": schema.CARE_GRADE,
    "counts": schema.COUNTS,
}


@dataclass(frozen=True, eq=False)
class City:
    """A city as its folder tells it; `capacity` is None where no file says what stands there.

    population_basis  : whom its population counts, `resident` (常住) or `registered` (户籍)
    population_by_age : registered people by age, where there is nothing else to start from
    """

    city_id: str
    adcode: int
    name_en: str
    name_zh: str
    plan_year: int | None
    source_id: str
    targets: pd.DataFrame
    capacity: pd.DataFrame | None
    assumptions: pd.DataFrame
    progress: pd.DataFrame
    population_basis: str = "resident"
    population_by_age: pd.DataFrame = field(
        default_factory=lambda: empty_table(schema.POPULATION_BY_AGE)
    )


@lru_cache(maxsize=1)
def nation_as_city() -> City:
    """The nation as a city without a document, so that the chain can be run for it: no stock and no rows of its own."""
    none = {
        name: empty_table(table)
        for name, table in (
            ("targets", schema.TARGETS),
            ("assumptions", schema.ASSUMPTIONS),
            ("progress", schema.PROGRESS),
        )
    }
    return City("china", NATION, "China", "全国", None, "", capacity=None, **none)


def area_as_city(adcode: int, name_en: str = "", name_zh: str = "") -> City:
    """Any area as a city without a document, its code in place of an id; the nation as `nation_as_city`."""
    nation = nation_as_city()
    if adcode == NATION:
        return nation
    return replace(nation, city_id=str(adcode), adcode=adcode, name_en=name_en, name_zh=name_zh)


@dataclass(frozen=True, eq=False)
class China:
    """The national tables: two censuses of all areas, deaths, the UN's projections.

    census          : array [person]  dims area, census_year, sex, age_group (1 November)
    areas           : one row an area and census: name, level, province, households
    matched_boundary : totals of prefectures in both censuses with the boundaries made equal
    province_age    : population and deaths of the twelve months before the census, by age to 100+
    single_age      : the nation by single age, mean population and deaths
    life_expectancy : official life expectancy at birth
    projection_error : spread of the error of a ten-year projection, by size of area and age
    projection_error_province : how the back-test did in each province
    projection_error_area : how far the back-test missed each area
    policy_targets  : targets of the nation and of provinces that any area is held against
    change_weights : what each fact of a census adds to the change of cohorts, by age
    wpp_annual, wpp_death_rate, wpp_fertility : World Population Prospects 2024, China
    wpp2019_population, wpp2019_death_rate, wpp2019_input : World Population Prospects 2019, China: what the
                      UN put in and what came out, to try the engine by (`wpp`)
    published_care_need : what others estimated for the nation, to compare with
    published_money : public money for older people of the nation as published, to compare with
    published_services : beds, care workers, recipients and insured people of the nation as published
    counts          : counts of people since the census, the nation's table and then the cities' own, with the
                      file and the row each stands in
    area_names      : pinyin, traditional signs and English of the areas' names
    code_changes    : what became since of areas of the census of 2020
    care_grades     : the care grades of one city's document and the services they lead to
    """

    census: xr.DataArray
    areas: pd.DataFrame
    matched_boundary: pd.DataFrame
    province_age: pd.DataFrame
    single_age: pd.DataFrame
    life_expectancy: pd.DataFrame
    projection_error: pd.DataFrame
    projection_error_province: pd.DataFrame
    projection_error_area: pd.DataFrame
    policy_targets: pd.DataFrame
    change_weights: pd.DataFrame
    wpp_annual: pd.DataFrame
    wpp_death_rate: pd.DataFrame
    wpp_fertility: pd.DataFrame
    wpp2019_population: pd.DataFrame
    wpp2019_death_rate: pd.DataFrame
    wpp2019_input: pd.DataFrame
    published_care_need: pd.DataFrame
    published_money: pd.DataFrame
    published_services: pd.DataFrame
    care_grades: pd.DataFrame
    counts: pd.DataFrame
    area_names: pd.DataFrame
    code_changes: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Project:
    """Everything that `data/` says, checked: the one thing the calculations start from.

    place_assumptions : rows that hold for a province or for all areas of a level, which `city_id` names by its
                        code or as `county`
    world : counts of people in care to test use by; None in a project without `data/world/`
    definition : by which of `schema.DEFINITIONS` need of care is counted
    """

    root: Path
    sources: pd.DataFrame
    indicators: pd.DataFrame
    assumptions: pd.DataFrame
    scenarios: dict[str, pd.DataFrame]
    cities: dict[str, City]
    china: China = field(repr=False)
    correlations: pd.DataFrame = field(default_factory=lambda: empty_table(schema.CORRELATIONS))
    assumption_steps: pd.DataFrame = field(
        default_factory=lambda: empty_table(schema.ASSUMPTION_STEPS)
    )
    phrases: pd.DataFrame = field(default_factory=lambda: empty_table(schema.PHRASES))
    facts: pd.DataFrame = field(default_factory=lambda: empty_table(schema.FACTS))
    plan_words: pd.DataFrame = field(default_factory=lambda: empty_table(schema.PLAN_WORDS))
    column_guide: pd.DataFrame = field(default_factory=lambda: empty_table(schema.COLUMN_GUIDE))
    table_rows: pd.DataFrame = field(default_factory=lambda: empty_table(schema.TABLE_ROWS))
    place_assumptions: pd.DataFrame = field(default_factory=lambda: empty_table(schema.ASSUMPTIONS))
    world: World | None = field(default=None, repr=False)
    recommendations: pd.DataFrame = field(
        default_factory=lambda: empty_table(schema.RECOMMENDATIONS)
    )
    definition: str = schema.ADL

    def counted_by(self, definition: str) -> Project:
        """The same project with need of care counted by a definition.  Raises: KeyError for an unknown one"""
        if definition not in schema.DEFINITIONS:
            known = ", ".join(schema.DEFINITIONS)
            raise KeyError(f"no definition of care need “{definition}”; there are: {known}")
        return replace(self, definition=definition)

    def city(self, city_id: str) -> City:
        """The city of that name; KeyError with the names there are, if there is none."""
        if city_id not in self.cities:
            raise KeyError(f"no city “{city_id}”; there are: {', '.join(sorted(self.cities))}")
        return self.cities[city_id]


def load_project(
    root: Path | None = None, being_written: Path | None = None, cities: Iterable[str] | None = None
) -> Project:
    """Read and check all of `data/`, and go on with all cities or some.

    being_written : a table that a command is about to fill and that does not count yet (a redirect has
                    made it, empty, before the command begins)
    cities  : those to go on with, all if none is named; without it those of $ELDERCARE_CITIES, parted by blanks
    Returns : Project
    Raises  : DataFault with all faults of all files together, those of cities left out among them;
              KeyError for an unknown city, or an unknown definition in $ELDERCARE_DEFINITION
    """
    if cities is None:
        cities = os.environ.get(CITIES, "").replace(",", " ").split()
    root = Path(root) if root else find_root()
    data = root / "data"
    reader = _Reader(data, being_written)
    sources = reader.read("sources.csv", schema.SOURCES)
    indicators = reader.read("indicators.csv", schema.INDICATORS)
    facts = reader.read("facts.csv", schema.FACTS)
    assumptions = reader.read("assumptions.csv", schema.ASSUMPTIONS)
    correlations = reader.rows_if_any("correlations.csv", schema.CORRELATIONS)
    steps = reader.rows_if_any("assumption_steps.csv", schema.ASSUMPTION_STEPS)
    phrases = reader.read("phrases.csv", schema.PHRASES)
    reader.rows_if_any("messages.csv", schema.MESSAGES)
    plan_words = reader.rows_if_any("plan_words.csv", schema.PLAN_WORDS)
    guide = reader.rows_if_any("column_guide.csv", schema.COLUMN_GUIDE)
    table_rows = reader.read("table_rows.csv", schema.TABLE_ROWS)
    recommendations = reader.rows_if_any("recommendations.csv", schema.RECOMMENDATIONS)
    units = _units(assumptions, indicators, facts)
    of_places = reader.rows_if_any(PLACES, schema.ASSUMPTIONS, units["assumptions"])
    scenarios = {
        path.stem: reader.rows_if_any(
            f"scenarios/{path.name}", schema.ASSUMPTIONS, units["assumptions"]
        )
        for path in sorted((data / "scenarios").glob("*.csv"))
    }
    every = _load_cities(reader, data, units)
    of_project = [name for name in reader.known if "/" not in name]
    reader.faults += table_faults(data, "", of_project, workbooks=True)
    counted = {name: _counts_of_city(reader, city) for name, city in every.items()}
    china, world = _nation_and_world(reader, root)
    own = [rows for rows in counted.values() if len(rows)]
    if own:
        china = replace(china, counts=pd.concat([china.counts, *own], ignore_index=True))
    project = Project(
        root,
        sources,
        indicators,
        assumptions,
        scenarios,
        every,
        china,
        correlations,
        steps,
        phrases,
        facts,
        plan_words,
        guide,
        table_rows,
        of_places,
        world,
        recommendations,
    )
    faults = cross_faults(project) + ([] if world is None else world_faults(sources, world))
    if faults:
        raise DataFault(faults)
    chosen = _as_promised(project).counted_by(os.environ.get(DEFINITION) or schema.ADL)
    named = {city_id: chosen.city(city_id) for city_id in sorted(set(cities))}
    return replace(chosen, cities=named) if named else chosen


def _nation_and_world(reader: _Reader, root: Path) -> tuple[China, World | None]:
    """The national tables and those of the world; what is wrong in them ends the reading with all that was found."""
    data = reader.data
    china = reader.unless_faulty(load_china, root)
    world = reader.unless_faulty(load_world, root) if (data / "world").is_dir() else None
    if china is not None:
        files = _national_files(data, reader.known)
        reader.faults += table_faults(data / "china", "china/", files, workbooks=False)
    reader.finish()
    assert china is not None  # else a fault has ended the reading
    return china, world


def _as_promised(project: Project) -> Project:
    """The project with cities that are told by whom they count, and targets on the base of their denominator."""
    cities = {
        city_id: _named_by_basis(
            project, replace(city, targets=on_promised_base(project.indicators, city.targets))
        )
        for city_id, city in project.cities.items()
    }
    return replace(project, cities=cities)


def _named_by_basis(project: Project, city: City) -> City:
    """A city whose names say that its people are the registered ones, wherever they are told."""
    if city.population_basis == "resident":
        return city
    phrase = project.phrases.set_index("phrase_id").loc["city_registered"]
    census_name = str(project.china.areas.loc[(city.adcode, 2020), "name"])
    return replace(
        city,
        name_en=phrase["en"].format(city=city.name_en),
        name_zh=phrase["zh"].format(city=city.name_zh or census_name),
    )


class _Reader:
    """Reads tables one after the other and keeps their faults until all are read."""

    def __init__(self, data: Path, being_written: Path | None = None):
        self.data, self.being_written = data, being_written
        self.faults: list[Fault] = []
        self.known: set[str] = set()

    def read(self, name: str, table_schema, units: Units | None = None) -> pd.DataFrame:
        """A table that must be there, with a row or more."""
        self.known.add(name)
        if find_table(self.data / name) is None:
            self.faults.append(Fault(name, None, None, "the file is missing"))
            return empty_table(table_schema)
        return self._read(name, table_schema, False, units)

    def read_if_there(
        self, name: str, table_schema, units: Units | None = None
    ) -> pd.DataFrame | None:
        """A table that may be missing or have no row; None if it is missing."""
        self.known.add(name)
        if self.data / name == self.being_written or find_table(self.data / name) is None:
            return None
        return self._read(name, table_schema, True, units)

    def rows_if_any(self, name: str, table_schema, units: Units | None = None) -> pd.DataFrame:
        """A table that may be missing or have no row, which is then empty."""
        table = self.read_if_there(name, table_schema, units)
        return empty_table(table_schema) if table is None else table

    def _read(
        self, name: str, table_schema, may_be_empty: bool, units: Units | None
    ) -> pd.DataFrame:
        path = self.data / name
        try:
            return read_table(path, table_schema, name, may_be_empty, units)
        except DataFault as fault:
            self.faults += fault.faults
            return empty_table(table_schema)

    def unless_faulty(self, load: Callable[[Path], Loaded], root: Path) -> Loaded | None:
        """Tables that another reader reads together; None where they have faults, which are kept."""
        try:
            return load(root)
        except DataFault as fault:
            self.faults += fault.faults
            return None

    def finish(self) -> None:
        if self.faults:
            raise DataFault(self.faults)


def _units(
    assumptions: pd.DataFrame, indicators: pd.DataFrame, facts: pd.DataFrame
) -> dict[str, Units]:
    """The units that rows of a city's tables may have, by table: those of the nation's row, the quantity or the fact."""
    single = indicators[indicators["parts"] == ""]
    return {
        name: (key, file, table.groupby(key)["unit"].agg(set).to_dict())
        for name, key, file, table in (
            ("assumptions", "assumption", "assumptions.csv", assumptions),
            (
                "targets",
                "measured_by",
                "indicators.csv",
                single.rename(columns={"indicator": "measured_by"}),
            ),
            ("capacity", "indicator", "facts.csv", facts),
        )
    }


def _load_city(reader: _Reader, folder: Path, units: dict[str, Units]) -> City:
    """The city of a folder; a table with a header alone says as little as a table that is not there."""
    at = f"cities/{folder.name}"
    about = reader.read(f"{at}/city.csv", schema.CITY)

    def read_or_empty(name, units=None):
        return reader.rows_if_any(f"{at}/{name}.csv", getattr(schema, name.upper()), units)

    targets, assumptions, counted = (
        read_or_empty(name, units[name]) for name in ("targets", "assumptions", "capacity")
    )
    of_targets = targets.groupby("target_id")["unit"].agg(set).to_dict()
    progress = read_or_empty("progress", ("target_id", "targets.csv", of_targets))
    read_or_empty("exceptions")
    by_age = read_or_empty("population_by_age")
    capacity = None if counted.empty else counted
    if len(about) != 1:
        if not about.empty:
            reader.faults.append(Fault(f"{at}/city.csv", None, None, "must have exactly one row"))
        return City(folder.name, 0, "", "", None, "", targets, capacity, assumptions, progress)
    row = about.iloc[0]
    if row.city_id != folder.name:
        problem = f"“{row.city_id}” must be the name of its folder, {folder.name}"
        reader.faults.append(Fault(f"{at}/city.csv", 2, "city_id", problem))
    owned = {"assumptions.csv": assumptions} | (
        {} if capacity is None else {"capacity.csv": capacity}
    )
    for name, table in owned.items():
        for index in table.index[table["city_id"] != folder.name]:
            problem = (
                f"“{table.at[index, 'city_id']}” must be {folder.name}: the file is that city's"
            )
            reader.faults.append(Fault(f"{at}/{name}", index + 2, "city_id", problem))
    plan_year = None if np.isnan(row.plan_year) else int(row.plan_year)
    name = row.name_en or folder.name.capitalize()
    return City(
        folder.name,
        int(row.adcode),
        name,
        row.name_zh,
        plan_year,
        row.source_id,
        targets,
        capacity,
        assumptions,
        progress,
        row.population_basis or "resident",
        by_age,
    )


def _load_cities(reader: _Reader, data: Path, units: dict[str, Units]) -> dict[str, City]:
    """All cities with a folder; the faults of their files, and of what lies beside them, go to the reader."""
    folders = sorted(
        path
        for path in (data / "cities").glob("*")
        if path.is_dir() and not path.name.startswith((".", "__"))
    )
    cities = {
        folder.name: _load_city(reader, folder, units)
        for folder in folders
        if find_table(folder / "city.csv")
    }
    reader.faults += loose_faults(data)
    for folder in folders:
        reader.faults += file_faults(folder)
        if folder.name not in cities:
            reader.faults.append(
                Fault(f"cities/{folder.name}/city.csv", None, None, "the file is missing")
            )
    return cities


def _counts_of_city(reader: _Reader, city: City) -> pd.DataFrame:
    """A city's own counts of people since the census, as rows of `China.counts`; trusted where nothing else is said."""
    file = f"cities/{city.city_id}/population.csv"
    rows = reader.rows_if_any(file, schema.POPULATION)
    return _placed(
        rows.assign(adcode=float(city.adcode), trust=rows["trust"].replace("", "good")), file
    )


def _placed(rows: pd.DataFrame, file: str) -> pd.DataFrame:
    """Rows with the file and the row that they stand in."""
    return rows.assign(file=file, row=rows.index + 2)


def load_china(root: Path) -> China:
    """The national tables under `data/china/`, read again only if one has changed.

    Raises : DataFault with all faults of all its tables together
    """
    return _load_china(state_of(Path(root) / "data" / "china"))


@lru_cache(maxsize=4)
def _load_china(state: State) -> China:
    folder = state.folder
    faults: list[Fault] = []
    tables = _national_tables(folder, faults)
    tables |= {
        name: _checked(folder / f"{name}.csv", table_schema, faults)
        for name, table_schema in NATIONAL_SCHEMAS.items()
    }
    census = _load_census(folder / "census_age_sex.csv", faults)
    if faults or census is None:
        raise DataFault(faults)
    return China(
        census=census,
        areas=tables["census_area"].set_index(["adcode", "year"]),
        matched_boundary=tables["census_matched_boundary"],
        province_age=tables["province_population_deaths"],
        single_age=tables["china_single_age"],
        life_expectancy=tables["life_expectancy"],
        projection_error=tables["projection_error"],
        projection_error_province=tables["projection_error_province"],
        projection_error_area=tables["projection_error_area"],
        policy_targets=tables["policy_targets"],
        change_weights=tables["change_weights"],
        wpp_annual=tables["wpp2024_annual"],
        wpp_death_rate=tables["wpp2024_death_rate"],
        wpp_fertility=tables["wpp2024_fertility_pattern"],
        wpp2019_population=tables["wpp2019_population"],
        wpp2019_death_rate=tables["wpp2019_death_rate"],
        wpp2019_input=tables["wpp2019_input"],
        published_care_need=tables["published_care_need"].astype({"first_age": int, "year": int}),
        published_money=tables["published_money"].astype({"year": int}),
        published_services=tables["published_services"].astype({"year": int}),
        care_grades=tables["care_grade"],
        counts=_placed(tables["counts"], "china/counts.csv"),
        area_names=tables["area_name"],
        code_changes=tables["code_change"],
    )


def _national_files(data: Path, asked: Iterable[str]) -> list[str]:
    """Names of the files of `data/china/` that are read: those of `columns.csv`, those with a schema, those asked for."""
    described = read_cells(data / "china" / "columns.csv", "china/columns.csv").get("file", [])
    names = [*described, *NATIONAL_SCHEMAS, "census_age_sex", "columns"]
    here = [name.removeprefix("china/") for name in asked if name.startswith("china/")]
    return [*{f"{name}.csv": None for name in names}, *here]


def _national_tables(folder: Path, faults: list[Fault]) -> dict[str, pd.DataFrame]:
    """The national tables that `columns.csv` describes, each held to its rows there; their faults are added."""
    columns = _checked(folder / "columns.csv", schema.NATIONAL_COLUMNS, faults)
    return {
        str(name): _national_table(folder / f"{name}.csv", rows, faults)
        for name, rows in columns.groupby("file", sort=False)
    }


def _national_table(path: Path, columns: pd.DataFrame, faults: list[Fault]) -> pd.DataFrame:
    """One national table: read at once if it is sound, else cell by cell to tell what is wrong."""
    table_schema = schema.national_table(path.stem, columns)
    is_text = columns["holds"] == "text"
    numbers = list(columns.loc[~is_text, "column"])
    filled = list(columns.loc[columns["may_be_empty"] == "", "column"])
    try:
        # Only an empty cell of a number is none: “NaN” and “NA” are no numbers, and may be words.
        table = pd.read_csv(
            path,
            encoding="utf-8-sig",
            keep_default_na=False,
            na_values={name: [""] for name in numbers},
            dtype=dict.fromkeys(columns.loc[is_text, "column"], str),
            skip_blank_lines=False,
        )
        values = table[numbers].to_numpy(float)
        amounts = table[list(columns.loc[columns["holds"] == "amount", "column"])]
        sound = list(table) == list(columns["column"]) and len(table) > 0
        sound &= not np.isinf(values).any() and not (amounts < 0).any(axis=None)
        sound &= not (table[filled].isna() | (table[filled] == "")).any(axis=None)
        sound &= not table.duplicated(table_schema.unique).any()
    except (OSError, ValueError, TypeError, KeyError):
        sound = False
    if sound:
        return table
    table = _checked(path, table_schema, faults)
    whole = [name for name in numbers if (table[name] % 1 == 0).all()]
    return table.astype(dict.fromkeys(whole, int))


def _checked(path: Path, table_schema, faults: list[Fault]) -> pd.DataFrame:
    """A national table; where it has faults, they are added and the table is empty."""
    shown = f"china/{path.name}"
    try:
        if not path.is_file():
            raise DataFault([Fault(shown, None, None, "the file is missing")])
        return read_table(path, table_schema, shown, table_schema is schema.COUNTS)
    except DataFault as fault:
        faults += fault.faults
        return empty_table(table_schema)


def _load_census(path: Path, faults: list[Fault]) -> xr.DataArray | None:
    """array [person]  dims area, census_year, sex, age_group; NaN where an area has no such census

    None if the table has faults, which are added.
    """
    columns = [f"age_{group}" for group in schema.AGE_GROUPS]
    try:
        table = pd.read_csv(path, encoding="utf-8-sig")
        counts = table[columns].to_numpy(float)
        sound = np.isfinite(counts).all() and (counts >= 0).all()
        sound &= not table.duplicated(["adcode", "year", "sex"]).any()
        sound &= table["sex"].isin(["male", "female"]).all()
    except (OSError, ValueError, KeyError):
        sound = False
    if not sound:
        table = _checked(path, schema.CENSUS_AGE_SEX, faults)
        if table.empty:
            return None
    array = table.set_index(["adcode", "year", "sex"])[columns].to_xarray().to_array("age_group")
    array = array.rename(adcode="area", year="census_year")
    array["age_group"] = list(schema.AGE_GROUP_START)
    array = array.sel(sex=["male", "female"])
    return (
        array.transpose("area", "census_year", "sex", "age_group")
        .astype(float)
        .rename("population")
    )


def _file(root: Path, file: str) -> Path:
    """The file of a table, or the workbook in its place."""
    path = Path(root) / file
    return find_table(path) or path


def file_rows(root: Path, file: str) -> pd.DataFrame:
    """All rows of a table of the project as text, numbered as a spreadsheet does (the header is row 1).

    file : path from the project's folder, as `data/assumptions.csv`
    """
    path = _file(root, file)
    return _file_rows(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _file_rows(path: Path, _changed_at: int) -> pd.DataFrame:
    return read_cells(path)


def row_numbers(root: Path, file: str) -> dict[tuple, int]:
    """Row number of each row of a table of assumptions, by assumption, city, keys and the year it begins (0 for none)."""
    path = _file(root, file)
    return _row_numbers(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _row_numbers(path: Path, changed_at: int) -> dict[tuple, int]:
    table = _file_rows(path, changed_at)
    starts = pd.to_numeric(table["year_from"]).fillna(0.0)
    keys = table[["assumption", "city_id", *schema.ASSUMPTION_KEYS]].itertuples(
        index=False, name=None
    )
    return {(*key, start): number for key, start, number in zip(keys, starts, table.index)}


@lru_cache(maxsize=64)
def _sha256(path: Path, _changed_at: int) -> str:
    return file_sha256(path)


def passport(root: Path, file: str) -> str:
    """SHA-256 of a file of the project, calculated anew only when the file has changed."""
    path = _file(root, file)
    return _sha256(path, path.stat().st_mtime_ns)
