"""What only shows when tables are laid side by side: every fault of a city's folder, in the words of the tables.

What passes here must run; what cannot run is told with file, row, column, and the values that would be right.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from eldercare.inputs.correlations import correlation_faults
from eldercare.inputs.dated import dated_faults
from eldercare.inputs.published import (
    by_age_faults,
    capacity_faults,
    count_faults,
    listed,
    progress_faults,
    to_come_faults,
    told,
    unknown,
    unknown_source,
)
from eldercare.inputs.schema import ASSUMPTION_KEYS, FIRST_YEAR, MAY_BE_NEGATIVE, Fault

# A promise is held against the end of its year: the censuses reach back to 2010, of which a year's growth is
# needed before, the projection reaches to 2050.
FIRST_PROMISE, LAST_PROMISE = 2011, 2050
FIRST_CALENDAR_YEAR = 1900
MONEY_YEARS = 2020, LAST_PROMISE
PUBLISHED_MONEY = ("eldercare_services", "insurance", "old_age_welfare")
CITY_FILES = frozenset(
    f"{name}.csv"
    for name in (
        "city",
        "targets",
        "targets_draft",
        "capacity",
        "assumptions",
        "progress",
        "exceptions",
        "population",
        "population_by_age",
    )
)
TABLES = frozenset(
    {".csv", ".tsv", ".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".et", ".numbers", ".parquet"}
)
LEFT_BEHIND = frozenset({"columns.md", "Thumbs.db", "desktop.ini"})
CITY_ID = re.compile(r"[a-z][a-z0-9_]*")
MEASURED_KINDS = ("target", "stock")
# Names of the numbers that are told first (`sensitivity.headlines`): a promise of that name could not be told from them.
TAKEN_IDS = ("beds", "nursing_beds", "caregivers", "yearly_cost")
BASELINE = "baseline"
NAMED_BASELINE = "baseline is the name of the run without a scenario; give the file another name"
NAMED_OTHERWISE = (
    "a city's folder is called by small letters, digits and _, beginning with a letter"
)
# Folders, the endings of those of their files that are read, and what to do with other tables.
UNREAD = (
    ("cities", (), "a table of a city lies in the city's folder, as cities/lincang/targets.csv"),
    ("scenarios", (".csv",), "a scenario is a file that ends in .csv; save it as “CSV UTF-8”"),
)
# What a step uses beside rows: the spread of the back-test, `population.error_factor`.
NO_ROW = "projection_error"
# What something is divided by, and rates at which something happens.
DIVISORS = frozenset(
    {
        "adl_onset_rate",
        "adl_prevalence",
        "caregiver_entry_share",
        "pay_share_of_running_cost",
        "target_occupancy",
    }
)
# Shares of one whole, and the key that parts it: more than all of it cannot be given out.
PARTS_OF_ONE = {
    "adl_prevalence": "severity",
    "setting_need_share": "setting",
    "setting_use_share": "setting",
}
# Kinds of area that rows of places may hold for.
AREA_LEVELS = ("nation", "province", "prefecture", "county")
# A value so many times off the nation's is in another unit.
FAR = 100
# How far a normal range is drawn at the most, over the distance to its 10th percentile: one draw in 10,000.
FARTHEST_DRAW = 3.72 / 1.28
# Of what may be negative, that of which a row that begins at 0 or above says that it is not: factors and durations;
# of changes by year it says nothing, nor of what `either_sign` of assumption_steps.csv names, as a gap that may close
# and open the other way.
NEGATIVE_IF_SAID = frozenset({"ratio", "year"})


def cross_faults(project) -> list[Fault]:
    """All that does not fit between the tables of a project.

    project : load.Project, read and checked table by table
    """
    faults = _assumption_faults(project) + _name_faults(project.cities.values())
    faults += _place_faults(project)
    faults += count_faults(project)
    faults += to_come_faults(project.sources, "sources.csv", "issued_on")
    for name, table in project.scenarios.items():
        file = f"scenarios/{name}.csv"
        if name == BASELINE:
            faults.append(Fault(file, None, None, NAMED_BASELINE))
        faults += unknown(table, file, "city_id", project.cities, "city", empty=True)
        faults += _override_faults(project, table, file)
    for city in project.cities.values():
        at = f"cities/{city.city_id}"
        faults += _city_faults(project, city, f"{at}/city.csv")
        faults += target_faults(project, city.targets, f"{at}/targets.csv")
        faults += _override_faults(project, city.assumptions, f"{at}/assumptions.csv")
        if city.capacity is not None:
            faults += capacity_faults(project, city, f"{at}/capacity.csv")
        faults += progress_faults(project, city, f"{at}/progress.csv")
        faults += by_age_faults(city, f"{at}/population_by_age.csv")
        faults += unknown_source(project, city.population_by_age, f"{at}/population_by_age.csv")
    return faults


def _place_faults(project) -> list[Fault]:
    """Rows of places: as those of a city, and each of a level or of a province of the census."""
    table, file = project.place_assumptions, "china/place_assumptions.csv"
    areas = project.china.areas
    provinces = areas.index.get_level_values(0)[areas["level"] == "province"].unique()
    known = {*AREA_LEVELS, *map(str, provinces)}
    faults = unknown(table, file, "city_id", known, "level of area or code of a province")
    return faults + _override_faults(project, table, file)


def table_faults(folder: Path, at: str, known: Collection[str], workbooks: bool) -> list[Fault]:
    """Tables of a folder that nobody would read: of an unknown name, twice there, or folders where a file should be.

    at : the folder as a planner knows it;  known : names of the tables that are read there
    workbooks : whether a workbook may stand in place of a table
    """
    faults = []
    for path in sorted(folder.glob("*")):
        stands_for = path.stem + ".csv" if workbooks and path.suffix == ".xlsx" else path.name
        problem = ""
        if path.is_dir():
            if stands_for in known:
                problem = "is a folder, and a table must be a file"
        elif stands_for not in known and _is_table(path):
            nearest = _nearest(path, known, workbooks)
            problem = f"no table has this name here, so it would not be read; {nearest}there are: {listed(known)}"
        elif path.name != stands_for and (folder / stands_for).is_file() and _is_table(path):
            problem = f"{stands_for} lies beside it: which of the two holds is not known; keep one"
        if problem:
            faults.append(Fault(f"{at}{path.name}", None, None, problem))
    return faults


def file_faults(folder: Path) -> list[Fault]:
    """Tables in a city's folder that nobody would read, and a name of a folder that files cannot be called by."""
    at = f"cities/{folder.name}"
    faults = table_faults(folder, f"{at}/", CITY_FILES, workbooks=True)
    if not CITY_ID.fullmatch(folder.name):
        faults.append(Fault(at, None, None, NAMED_OTHERWISE))
    return faults


def loose_faults(data: Path) -> list[Fault]:
    """Tables in `cities/` that lie in no city's folder, and scenarios that are no CSV: nobody would read them."""
    return [
        Fault(f"{folder}/{path.name}", None, None, problem)
        for folder, read, problem in UNREAD
        for path in sorted((data / folder).glob("*"))
        if path.is_file() and path.suffix not in read and _is_table(path)
    ]


def unread(data: Path) -> list[str]:
    """What else lies in the folders of cities and scenarios and is not read, as documents, notes and folders of tables."""
    folders = [*sorted((data / "cities").glob("*/")), data / "scenarios"]
    return [
        path.relative_to(data).as_posix() + ("/" if path.is_dir() else "")
        for folder in folders
        if not folder.name.startswith((".", "_")) and folder.is_dir()
        for path in sorted(folder.iterdir())
        if (path.is_dir() or not _is_table(path)) and not _is_left_behind(path)
    ]


def _is_left_behind(path: Path) -> bool:
    """Whether a file is what editors and systems keep for themselves, or the guide of `new-city`."""
    return path.name.startswith((".", "~", "__")) or path.name in LEFT_BEHIND


def _nearest(path: Path, known: Collection[str], workbooks: bool) -> str:
    """The table that a file is most probably meant to be."""
    stem = path.name.split(".")[0].lower()
    stem = re.sub(r"\s*(?:\(\d+\)|（\d+）|- ?(?:copy|副本)).*$", "", stem)
    names = [name.removesuffix(".csv") for name in sorted(known)]
    near = difflib.get_close_matches(stem, names, n=1, cutoff=0.6)
    ending = ".xlsx" if workbooks and path.suffix.lower() == ".xlsx" else ".csv"
    return f"rename it {near[0]}{ending} if that is what it is; " if near else ""


def _is_table(path: Path) -> bool:
    """Whether a file looks like a table that somebody meant to be read; copies that an editor keeps do not."""
    kinds = [suffix.lower() for suffix in path.suffixes]
    return not path.name.startswith((".", "~")) and (
        kinds[-1:] == [".txt"] and ".csv" in kinds or bool(TABLES & set(kinds[-1:]))
    )


def _name_faults(cities) -> list[Fault]:
    """Two cities of one name: in the tables they would be one."""
    first: dict[str, str] = {}
    problem = "“{}” is the name of {} too; tell the two apart, as Chaoyang (Liaoning)"
    return [
        Fault(f"cities/{city.city_id}/city.csv", 2, "name_en", problem.format(city.name_en, of))
        for city in cities
        if (of := first.setdefault(city.name_en, city.city_id)) != city.city_id
    ]


def _assumption_faults(project) -> list[Fault]:
    faults = _value_faults(project, project.assumptions, "assumptions.csv") + _step_faults(project)
    faults += _age_gap_faults(project.assumptions, "assumptions.csv")
    faults += unknown_source(project, project.correlations, "correlations.csv")
    named = project.table_rows.assign(source_ids=project.table_rows["source_ids"].str.split())
    named, known = named.explode("source_ids").dropna(), set(project.sources["source_id"])
    faults += unknown(named, "table_rows.csv", "source_ids", known, "source of sources.csv")
    china = project.china
    for name, table in (
        ("published_care_need", china.published_care_need),
        ("published_money", china.published_money),
        ("published_services", china.published_services),
        ("care_grade", china.care_grades),
    ):
        faults += unknown_source(project, table, f"china/{name}.csv")
    for file, table in china.counts.groupby("file", sort=False):
        faults += unknown_source(project, table.set_axis(table["row"] - 2), file)
    tables = {"assumptions.csv": project.assumptions}
    tables |= {
        f"cities/{name}/assumptions.csv": city.assumptions for name, city in project.cities.items()
    }
    tables |= {f"scenarios/{name}.csv": table for name, table in project.scenarios.items()}
    faults += _money_faults(china.published_money) + dated_faults(project.assumptions, tables)
    own = [city.assumptions for city in project.cities.values()]
    return faults + correlation_faults(project.correlations, project.assumptions, own)


def _step_faults(project) -> list[Fault]:
    """Assumptions that a step uses and no row gives, and rows that belong to no step or to a city."""
    table, steps = project.assumptions, project.assumption_steps
    file, of_steps = "assumptions.csv", "assumption of assumption_steps.csv"
    missing = ~steps["assumption"].isin({*table["assumption"], NO_ROW})
    problem = "“{assumption}” has no row in assumptions.csv, and a step uses it"
    faults = told(steps, "assumption_steps.csv", ("assumption", missing, problem))
    if len(steps):
        faults += unknown(table, file, "assumption", set(steps["assumption"]), of_steps)
    problem = "“{city_id}” must be empty: these rows are the nation's; a city's stand in cities/{city_id}/assumptions.csv"
    own = table["assumption"].map(steps.set_index("assumption")["unit"]).fillna("")
    other = (own != "") & (own != table["unit"])
    unit = "“{unit}” must be {own}, the unit of {assumption} in assumption_steps.csv"
    faults += told(table.assign(own=own), file, ("unit", other, unit))
    return faults + told(table, file, ("city_id", table["city_id"] != "", problem))


def _money_faults(table: pd.DataFrame) -> list[Fault]:
    """Published money that no sum of the chain stands beside."""
    first, last = MONEY_YEARS
    return told(
        table,
        "china/published_money.csv",
        (
            "series",
            ~table["series"].isin(PUBLISHED_MONEY),
            f"“{{series}}” must be one of: {', '.join(PUBLISHED_MONEY)}",
        ),
        ("unit", table["unit"] != "yuan_per_year", "“{unit}” must be yuan_per_year"),
        (
            "year",
            ~table["year"].between(first, last),
            f"{{year}} must be from {first} to {last}: the nation is calculated for these years",
        ),
    )


def _override_faults(project, table: pd.DataFrame, file: str) -> list[Fault]:
    """Rows of a city or a scenario: each must be of a kind that the nation has, so that it takes a row's place."""
    faults = _value_faults(project, table, file)
    of_nation = project.assumptions[project.assumptions["city_id"] == ""]
    national = dict(list(of_nation.groupby("assumption")))
    faults += unknown(table, file, "assumption", national, "assumption of assumptions.csv")
    for row, cells in zip(table.index, table.to_dict("records")):
        if cells["assumption"] not in national:
            continue
        found = _against_nation(cells, national[cells["assumption"]])
        faults += [Fault(file, row + 2, column, problem) for column, problem in found]
    # One cell, one fault: the nation's rule and that of the unit may both find it.
    return list({(fault.row, fault.column): fault for fault in reversed(faults)}.values())[::-1]


def _value_faults(project, table: pd.DataFrame, file: str) -> list[Fault]:
    """What is wrong with rows of assumptions whosesoever they are."""
    faults = unknown_source(project, table, file) + _divisor_faults(project, table, file)
    return faults + _calendar_faults(table, file) + _whole_faults(project, table, file)


def _whole_faults(project, table: pd.DataFrame, file: str) -> list[Fault]:
    """Rows by which the shares of one whole add up to more than all of it; a scenario's rows for each of its cities."""
    faults = []
    problem = "with this row the shares of {} by {} add up to {:g}, more than the whole; they must be 1 at most"
    for city_id in sorted(set(table["city_id"])) or [""]:
        city = project.cities.get(city_id)
        own = table[table["city_id"] == city_id].assign(at=lambda rows: rows.index + 2.0)
        rows = pd.concat([project.assumptions, *([city.assumptions] if city else []), own])
        rows = rows.drop_duplicates(["assumption", *ASSUMPTION_KEYS], keep="last")
        for name, part in PARTS_OF_ONE.items():
            others = [key for key in ASSUMPTION_KEYS if key != part]
            for _, group in rows[rows["assumption"] == name].groupby(others):
                total = group["central"].sum()
                at = group["at"].dropna() if total > 1 else []
                said = problem.format(name, part, total)
                faults += [Fault(file, int(row), "central", said) for row in at]
    return faults


def _against_nation(cells: dict, nation: pd.DataFrame) -> list[tuple[str, str]]:
    """What a row has that the nation's rows of the assumption have not: column and problem."""
    name, unit, found = cells["assumption"], cells["unit"], []
    keys = {tuple(one) for one in nation[list(ASSUMPTION_KEYS)].to_numpy(str)}
    if tuple(cells[key] for key in ASSUMPTION_KEYS) not in keys:
        shown = "; ".join(sorted(_keys_text(one) for one in keys))
        unheard = [key for key in ASSUMPTION_KEYS if cells[key] not in set(nation[key])]
        column = [*unheard, ASSUMPTION_KEYS[0]][0]
        found.append((column, f"“{name}” has no row with these keys; there are: {shown}"))
    if unit not in set(nation["unit"]):
        problem = f"“{unit}” must be {listed(set(nation['unit']))}, as in assumptions.csv"
        return [*found, ("unit", problem)]
    if unit == "share" or not (nation["low"] > 0).all():
        return found
    free = unit.startswith("yuan") and cells["high"] == 0
    if not free and not _least(cells) > 0:
        return [*found, ("low", _below_zero(cells))]
    least, most = nation["central"].min() / FAR, nation["central"].max() * FAR
    if not free and not least <= cells["central"] <= most:
        shown = f"{nation['central'].min():g} to {nation['central'].max():g}"
        problem = f"“{cells['central']:g}” is more than {FAR} times off the nation's {shown}; see that it is in {unit}"
        found.append(("central", problem))
    return found


def _least(cells: dict) -> float:
    """The lowest value that a row is drawn with: triangle and bell reach beyond their 10th percentile."""
    reach = {"triangular": 1 / (1 - 0.2**0.5), "normal": FARTHEST_DRAW}.get(cells["shape"], 1)
    return cells["central"] - (cells["central"] - cells["low"]) * reach


def _below_zero(cells: dict, rule: str = "must be above 0") -> str:
    least = _least(cells)
    if cells["low"] > 0:
        return f"with “{cells['low']:g}” the range of this row reaches down to {least:.3g}, which {rule}; write a higher low, or shape lognormal"
    return f"“{cells['low']:g}” {rule}"


def _divisor_faults(project, table: pd.DataFrame, file: str) -> list[Fault]:
    """What is divided by, whose draws would reach 0, and amounts whose draws would lie below."""
    steps, faults = project.assumption_steps, []
    may_turn = set(steps.loc[steps["either_sign"] == "yes", "assumption"])
    for row, cells in zip(table.index, table.to_dict("records")):
        unit = cells["unit"]
        may_be = unit in MAY_BE_NEGATIVE | {"share"}
        may_be &= (
            unit not in NEGATIVE_IF_SAID or cells["low"] < 0 or cells["assumption"] in may_turn
        )
        if cells["assumption"] in DIVISORS and not _least(cells) > 0:
            faults.append(Fault(file, row + 2, "low", _below_zero(cells)))
        elif not may_be and _least(cells) < 0:
            faults.append(Fault(file, row + 2, "low", _below_zero(cells, "must not be below 0")))
    return faults


def _keys_text(keys: tuple[str, ...]) -> str:
    filled = [f"{name}={key}" for name, key in zip(ASSUMPTION_KEYS, keys) if key]
    return " ".join(filled) or "none but empty ones"


def _calendar_faults(table: pd.DataFrame, file: str) -> list[Fault]:
    """Years of the calendar that the projection does not reach."""
    latest, ends = date.today().year + 1, ("low", "central", "high")
    unknown_prices = (table["price_year"] < FIRST_YEAR) | (table["price_year"] > latest)

    def out_of_reach(column: str) -> pd.Series:
        years = (table["unit"] == "year") & (table[column] > FIRST_CALENDAR_YEAR)
        return years & ~table[column].between(FIRST_PROMISE, LAST_PROMISE)

    wrong = {column: out_of_reach(column) for column in ends}
    wrong["year_from"] = table["year_from"] > LAST_PROMISE
    reach = f"must be a year from {FIRST_PROMISE} to {LAST_PROMISE}, which the projection reaches"
    problem = (
        f"“{{price_year:g}}” must be from {FIRST_YEAR} to {latest}: prices are known up to today"
    )
    return told(
        table,
        file,
        *((column, rows, f"“{{{column}:g}}” {reach}") for column, rows in wrong.items()),
        ("price_year", unknown_prices, problem),
    )


def _city_faults(project, city, file: str) -> list[Fault]:
    faults = []
    if city.source_id and city.source_id not in set(project.sources["source_id"]):
        problem = f"“{city.source_id}” is no known source of sources.csv; add a row there, or leave it empty"
        faults.append(Fault(file, 2, "source_id", problem))
    if np.nan_to_num(city.plan_year or 0) > date.today().year:
        problem = f"“{city.plan_year}” is still to come; this is the year in which the document was issued"
        faults.append(Fault(file, 2, "plan_year", problem))
    counted = project.china.census.sel(census_year=2020)
    known = counted["area"].values[np.isfinite(counted.values).all(axis=(1, 2))]
    if city.adcode not in known:
        problem = f"{city.adcode} is no area of the census of 2020; see data/china/census_area.csv"
        if (city.adcode, 2010) in project.china.areas.index:
            problem += ", it was one of 2010 only"
        faults.append(Fault(file, 2, "adcode", problem))
    elif (city.adcode, 2020) not in project.china.areas.index:
        problem = f"{city.adcode} has people in china/census_age_sex.csv and no row of 2020 in china/census_area.csv; add it there"
        faults.append(Fault(file, 2, "adcode", problem))
    return faults


def target_faults(project, table: pd.DataFrame, file: str) -> list[Fault]:
    """All that does not fit in a city's ledger of targets, or in rows on their way to it."""
    ids, first = table["target_id"], table["restates"]
    again = first.map(dict(zip(ids, first))).fillna("")
    faults = unknown_source(project, table, file)
    faults += told(
        table,
        file,
        (
            "target_id",
            ids.isin(TAKEN_IDS),
            "“{target_id}” is the name of a result; write for example x_{target_id}",
        ),
        (
            "restates",
            (first != "") & (~first.isin(ids) | (first == ids)),
            "“{restates}” is no other target_id of this file",
        ),
        (
            "restates",
            (first != ids) & (again != ""),
            "“{restates}” restates another row itself; write the row that comes first, which restates none",
        ),
        (
            "value_high",
            table["value_high"] < table["value"],
            "“{value_high:g}” must not be below value, {value:g}",
        ),
        (
            "base_year",
            table["base_year"] > table["target_year"],
            "“{base_year:g}” lies after target_year, {target_year:g}; a promise starts before it is due",
        ),
    )
    return faults + _measured_faults(project, table[table["follow_up"] == "measured"], file)


def _measured_faults(project, table: pd.DataFrame, file: str) -> list[Fault]:
    """Why measured rows cannot be held against a quantity of the chain."""
    indicators, year, value = project.indicators, table["target_year"], table["value"]
    none = value.isna() & (table["suspect"] == "")
    due = f"a measured promise needs a year from {FIRST_PROMISE} to {LAST_PROMISE}, else it is tracked or stated"
    early_or_late = (table["kind"] == "target") & ~year.between(FIRST_PROMISE, LAST_PROMISE)
    faults = told(
        table,
        file,
        (
            "kind",
            ~table["kind"].isin(MEASURED_KINDS),
            f"“{{kind}}” cannot be measured; must be one of: {listed(MEASURED_KINDS)}, or follow_up tracked or stated",
        ),
        ("target_year", early_or_late & year.isna(), f"is empty; {due}"),
        (
            "target_year",
            early_or_late & year.notna(),
            f"“{{target_year:g}}” is out of reach; {due}",
        ),
        ("value", none, "is empty; a measured row needs a number"),
        ("value", value <= 0, "“{value:g}” must be above 0: nothing can be held against it"),
    )
    by_name = indicators.set_index("indicator")
    for row, cells in zip(table.index, table.to_dict("records")):
        found = _measure_faults(by_name, cells)
        faults += [Fault(file, row + 2, column, problem) for column, problem in found]
    return faults


def _measure_faults(indicators: pd.DataFrame, cells: dict) -> list[tuple[str, str]]:
    """A quantity that a row cannot be held against, with those that it could be: column and problem."""
    name, single = cells["measured_by"], indicators[indicators["parts"] == ""]
    allowed = single
    if cells["kind"] == "stock":
        allowed = single[(single["step"] == "population") & (single["unit"] == "person")]
    if name in allowed.index:
        return _base_faults(indicators, single, cells)
    there = listed(allowed.index)
    if name not in indicators.index:
        what = "indicator of indicators.csv"
        why = f"is no known {what}; there are: {there}"
    elif name in single.index:
        why = f"is no count of people; must be one of: {there}"
    else:
        parts = indicators.at[name, "parts"]
        why = f"has no single number, it is told by {parts}; must be one of: {there}"
    return [("measured_by", f"“{name}” {why}")]


def _base_faults(
    indicators: pd.DataFrame, single: pd.DataFrame, cells: dict
) -> list[tuple[str, str]]:
    """A unit or a denominator that is not the quantity's own, and the quantities that it would be right for."""
    name, unit, base = cells["measured_by"], cells["unit"], cells["denominator"]
    own = indicators.loc[name]
    if unit != own["unit"]:
        fitting = listed(single.index[single["unit"] == unit])
        problem = f"“{unit}” must be {own['unit']}, the unit of {name}; in {unit} are: {fitting}"
        return [("unit", problem)]
    if cells["kind"] != "target" or _on_base(single, name, base):
        return []
    served = {one for other in _siblings(single, name) for one in _denominators(single.loc[other])}
    shown = listed(f"“{one}”" if one else "(empty)" for one in served)
    problem = f"“{base}” is nothing that {name} is a ratio to; must be one of: {shown}, or follow_up tracked or stated"
    return [("denominator", problem)]


def _siblings(single: pd.DataFrame, name: str) -> list[str]:
    """The quantity and those that are the same on another base: of its step, in its unit and its plain unit."""
    same = ["step", "unit", "plain_unit"]
    alike = (single[same] == single.loc[name, same]).all(axis=1) & (single["denominators"] != "")
    return [one for one in single.index if one == name or alike[one]]


def _on_base(single: pd.DataFrame, name: str, base: str) -> str:
    """The quantity itself if it is a ratio to the base, else the one other that is; empty if there is none."""
    fitting = [one for one in _siblings(single, name) if base in _denominators(single.loc[one])]
    return name if name in fitting else fitting[0] if len(fitting) == 1 else ""


def on_promised_base(indicators: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """Rows of a ledger with `measured_by` on the base of their denominator: a share of all beds is held against one.

    indicators : indicators.csv;  targets : rows of a ledger in which `cross_faults` finds nothing
    """
    single = indicators[indicators["parts"] == ""].set_index("indicator")
    out = targets.copy()
    for row in targets.index[(targets["follow_up"] == "measured") & (targets["kind"] == "target")]:
        out.at[row, "measured_by"] = _on_base(
            single, targets.at[row, "measured_by"], targets.at[row, "denominator"]
        )
    return out


def _denominators(indicator: pd.Series) -> list[str]:
    return indicator["denominators"].split("; ")


def _age_gap_faults(table: pd.DataFrame, file: str) -> list[Fault]:
    faults: list[Fault] = []
    banded = table[table["age_band"] != ""]
    keys = ["assumption", "city_id", "sex", "severity", "setting", "bed_type", "year_from"]
    for _, group in banded.groupby(keys, dropna=False, sort=False):
        bands = []
        for index, band in group["age_band"].items():
            try:
                bands.append((*age_band_limits(band), index))
            except ValueError as error:
                faults.append(Fault(file, index + 2, "age_band", str(error)))
        bands.sort()
        for (_, end, _), (start, _, index) in zip(bands, bands[1:]):
            word = "a gap" if start > end + 1 else "an overlap"
            problem = f"{word} in ages: the band before ends at {end}, this one starts at {start}"
            faults += [Fault(file, index + 2, "age_band", problem)] if start != end + 1 else []
    return faults


def age_band_limits(band: str) -> tuple[int, int]:
    """First and last age of a band written as 65-74 or 85+ (the last then is 120)."""
    found = re.fullmatch(r"([0-9]{1,3})(?:\+|-([0-9]{1,3}))", band)
    low, high = (int(found[1]), int(found[2] or 120)) if found else (1, 0)
    if low > high:
        raise ValueError(f"“{band}” is no age band; write 65-74 or 85+")
    return low, high
