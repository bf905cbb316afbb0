"""Reads `data/`: the only module that does. What leaves it is checked and labelled."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.inputs import schema
from eldercare.inputs.checks import cross_faults, file_faults, loose_faults, on_promised_base
from eldercare.inputs.reading import Units, empty_table, find_table, read_cells, read_table
from eldercare.inputs.schema import DataFault, Fault
from eldercare.inputs.world import World, load_world, world_faults

BASELINE = "baseline"
NATION = 100000


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


def area_as_city(adcode: int, name_en: str, name_zh: str, city_id: str = "") -> City:
    """An area as a city without a document, so that the chain can be run for it: no stock and no rows of its own."""
    none = {
        name: empty_table(table)
        for name, table in (
            ("targets", schema.TARGETS),
            ("assumptions", schema.ASSUMPTIONS),
            ("progress", schema.PROGRESS),
        )
    }
    return City(city_id or str(adcode), adcode, name_en, name_zh, None, "", capacity=None, **none)


def nation_as_city() -> City:
    """The nation as a city (see `area_as_city`)."""
    return area_as_city(NATION, "China", "全国", "china")


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
    care_grades: pd.DataFrame
    counts: pd.DataFrame
    area_names: pd.DataFrame
    code_changes: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Project:
    """Everything that `data/` says, checked: the one thing the calculations start from.

    world : counts of people in care to test use by; None in a project without `data/world/`
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
    world: World | None = field(default=None, repr=False)
    recommendations: pd.DataFrame = field(
        default_factory=lambda: empty_table(schema.RECOMMENDATIONS)
    )

    def city(self, city_id: str) -> City:
        """The city of that name; KeyError with the names there are, if there is none."""
        if city_id not in self.cities:
            raise KeyError(f"no city “{city_id}”; there are: {', '.join(sorted(self.cities))}")
        return self.cities[city_id]


def find_root(start: Path | None = None) -> Path:
    """The project folder: $ELDERCARE_PROJECT, or the nearest folder upwards with data/indicators.csv."""
    named = os.environ.get("ELDERCARE_PROJECT")
    if named:
        return Path(named)
    start = Path(start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "data" / "indicators.csv").is_file():
            return folder
    raise FileNotFoundError(
        "no folder with data/indicators.csv here or above; start in the project's folder, "
        "or name it in the environment variable ELDERCARE_PROJECT"
    )


def load_project(root: Path | None = None, being_written: Path | None = None) -> Project:
    """Read and check all of `data/`.

    being_written : a table that a command is about to fill and that does not count yet (a redirect has
                    made it, empty, before the command begins)
    Returns : Project
    Raises  : DataFault with all faults of all files together
    """
    root = Path(root) if root else find_root()
    data = root / "data"
    reader = _Reader(data, being_written)
    sources = reader.read("sources.csv", schema.SOURCES)
    indicators = reader.read("indicators.csv", schema.INDICATORS)
    facts = reader.read("facts.csv", schema.FACTS)
    assumptions = reader.read("assumptions.csv", schema.ASSUMPTIONS)
    correlations, steps = (
        reader.read_if_there(f"{name}.csv", table)
        for name, table in (
            ("correlations", schema.CORRELATIONS),
            ("assumption_steps", schema.ASSUMPTION_STEPS),
        )
    )
    phrases = reader.read("phrases.csv", schema.PHRASES)
    plan_words = reader.rows_if_any("plan_words.csv", schema.PLAN_WORDS)
    guide = reader.rows_if_any("column_guide.csv", schema.COLUMN_GUIDE)
    table_rows = reader.read("table_rows.csv", schema.TABLE_ROWS)
    recommendations = reader.rows_if_any("recommendations.csv", schema.RECOMMENDATIONS)
    units = _units(assumptions, indicators, facts)
    scenarios = {
        path.stem: reader.rows_if_any(
            f"scenarios/{path.name}", schema.ASSUMPTIONS, units["assumptions"]
        )
        for path in sorted((data / "scenarios").glob("*.csv"))
    }
    cities = _load_cities(reader, data, units)
    counted = {name: _counts_of_city(reader, city) for name, city in cities.items()}
    reader.finish()
    china = load_china(root)
    own = [rows for rows in counted.values() if len(rows)]
    if own:
        china = replace(china, counts=pd.concat([china.counts, *own], ignore_index=True))
    world = load_world(root) if (data / "world").is_dir() else None
    project = Project(
        root,
        sources,
        indicators,
        assumptions,
        scenarios,
        cities,
        china,
        empty_table(schema.CORRELATIONS) if correlations is None else correlations,
        empty_table(schema.ASSUMPTION_STEPS) if steps is None else steps,
        phrases,
        facts,
        plan_words,
        guide,
        table_rows,
        world,
        recommendations,
    )
    faults = cross_faults(project) + ([] if world is None else world_faults(sources, world))
    if faults:
        raise DataFault(faults)
    chosen = {
        city_id: _named_by_basis(
            project, replace(city, targets=on_promised_base(indicators, city.targets))
        )
        for city_id, city in cities.items()
    }
    return replace(project, cities=chosen)


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

    def read(self, name: str, table_schema, units: Units | None = None) -> pd.DataFrame:
        """A table that must be there, with a row or more."""
        if find_table(self.data / name) is None:
            self.faults.append(Fault(name, None, None, "the file is missing"))
            return empty_table(table_schema)
        return self._read(name, table_schema, False, units)

    def read_if_there(
        self, name: str, table_schema, units: Units | None = None
    ) -> pd.DataFrame | None:
        """A table that may be missing or have no row; None if it is missing."""
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
    """A city's own counts of people since the census, as rows of `China.counts`."""
    file = f"cities/{city.city_id}/population.csv"
    rows = reader.rows_if_any(file, schema.POPULATION)
    return _placed(rows.assign(adcode=float(city.adcode), trust="good"), file)


def _placed(rows: pd.DataFrame, file: str) -> pd.DataFrame:
    """Rows with the file and the row that they stand in."""
    return rows.assign(file=file, row=rows.index + 2)


@lru_cache(maxsize=4)
def load_china(root: Path) -> China:
    """The national tables under `data/china/`."""
    folder = Path(root) / "data" / "china"
    _check_columns(folder)
    areas = pd.read_csv(folder / "census_area.csv").set_index(["adcode", "year"])
    return China(
        census=_load_census(folder / "census_age_sex.csv"),
        areas=areas,
        matched_boundary=pd.read_csv(folder / "census_matched_boundary.csv"),
        province_age=pd.read_csv(folder / "province_population_deaths.csv"),
        single_age=pd.read_csv(folder / "china_single_age.csv"),
        life_expectancy=pd.read_csv(folder / "life_expectancy.csv"),
        projection_error=pd.read_csv(folder / "projection_error.csv"),
        projection_error_province=pd.read_csv(folder / "projection_error_province.csv"),
        projection_error_area=pd.read_csv(folder / "projection_error_area.csv"),
        policy_targets=_checked(folder / "policy_targets.csv", schema.POLICY_TARGETS),
        change_weights=pd.read_csv(folder / "change_weights.csv"),
        wpp_annual=pd.read_csv(folder / "wpp2024_annual.csv"),
        wpp_death_rate=pd.read_csv(folder / "wpp2024_death_rate.csv"),
        wpp_fertility=pd.read_csv(folder / "wpp2024_fertility_pattern.csv"),
        wpp2019_population=pd.read_csv(folder / "wpp2019_population.csv"),
        wpp2019_death_rate=pd.read_csv(folder / "wpp2019_death_rate.csv"),
        wpp2019_input=pd.read_csv(folder / "wpp2019_input.csv"),
        published_care_need=_checked(
            folder / "published_care_need.csv", schema.PUBLISHED_CARE_NEED
        ).astype({"first_age": int, "year": int}),
        published_money=_checked(folder / "published_money.csv", schema.PUBLISHED_CARE_NEED).astype(
            {"year": int}
        ),
        care_grades=_checked(folder / "care_grade.csv", schema.CARE_GRADE),
        counts=_placed(_checked(folder / "counts.csv", schema.COUNTS), "china/counts.csv"),
        area_names=pd.read_csv(folder / "area_name.csv", keep_default_na=False),
        code_changes=pd.read_csv(folder / "code_change.csv", keep_default_na=False),
    )


def _check_columns(folder: Path) -> None:
    """Every national table that no schema describes has the columns that `columns.csv` names.

    Raises : DataFault with each file or column that is missing
    """
    faults = []
    for name, wanted in pd.read_csv(folder / "columns.csv").groupby("file")["column"]:
        path, shown = folder / f"{name}.csv", f"china/{name}.csv"
        if not path.is_file():
            faults.append(Fault(shown, None, None, "the file is missing"))
            continue
        try:
            there = list(pd.read_csv(path, nrows=0, encoding="utf-8-sig").columns)
        except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError):
            there = list(read_cells(path, shown).columns)  # tells what is wrong with the file
        new = [column for column in there if column not in set(wanted)]
        hint = f"; unknown in its place: {', '.join(new)}" if new else ""
        faults += [
            Fault(shown, 1, column, f"this column is missing{hint}")
            for column in wanted
            if column not in there
        ]
    if faults:
        raise DataFault(faults)


def _checked(path: Path, table_schema) -> pd.DataFrame:
    return read_table(path, table_schema, f"china/{path.name}")


def _load_census(path: Path) -> xr.DataArray:
    """array [person]  dims area, census_year, sex, age_group; NaN where an area has no such census"""
    columns = [f"age_{group}" for group in schema.AGE_GROUPS]
    try:
        table = pd.read_csv(path, encoding="utf-8-sig")
        counts = table[columns].to_numpy(float)
        sound = np.isfinite(counts).all() and (counts >= 0).all()
        sound &= not table.duplicated(["adcode", "year", "sex"]).any()
        sound &= table["sex"].isin(["male", "female"]).all()
    except (ValueError, KeyError):
        sound = False
    if not sound:
        table = read_table(path, schema.CENSUS_AGE_SEX, f"china/{path.name}")
    array = table.set_index(["adcode", "year", "sex"])[columns].to_xarray().to_array("age_group")
    array = array.rename(adcode="area", year="census_year")
    array["age_group"] = list(schema.AGE_GROUP_START)
    array = array.sel(sex=["male", "female"])
    return (
        array.transpose("area", "census_year", "sex", "age_group")
        .astype(float)
        .rename("population")
    )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file of `data/`, as a passport names it."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


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
