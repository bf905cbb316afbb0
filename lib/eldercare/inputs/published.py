"""What does not fit in a city's capacity.csv and progress.csv: figures that cannot be, dates to come, contradictions."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import date

import numpy as np
import pandas as pd

from eldercare.inputs.schema import Fault, day_meant, is_to_come

# Units of Chinese tables that a figure may be printed in: 万, 亿.
PRINTED_IN = {10_000: "万", 100_000_000: "亿"}


def rows_where(table: pd.DataFrame, wrong: Iterable[bool]) -> list[int]:
    """The index of the rows of which something is true."""
    return list(table.index[np.asarray(wrong, bool)])


def listed(values: Iterable[str]) -> str:
    """Words one after the other, sorted; none where there are none."""
    return ", ".join(sorted(values)) or "none"


def unknown(table, file: str, column: str, known, what: str, empty: bool = False) -> list[Fault]:
    """Cells that name nothing there is; sources are many and are not listed."""
    there = "" if what == "source of sources.csv" else f"; there are: {listed(known)}"

    def near(value: str) -> str:
        close = difflib.get_close_matches(value, list(known), n=1)
        return f"; nearest is {close[0]}" if close else ""

    wrong = [value not in known and not (empty and value == "") for value in table[column]]
    return [
        Fault(
            file,
            row + 2,
            column,
            f"“{table.at[row, column]}” is no known {what}{near(table.at[row, column])}{there}",
        )
        for row in rows_where(table, wrong)
    ]


def unknown_source(project, table, file: str, empty: bool = False) -> list[Fault]:
    """Rows whose source_id has no row in sources.csv."""
    return unknown(
        table, file, "source_id", set(project.sources["source_id"]), "source of sources.csv", empty
    )


def to_come_faults(table: pd.DataFrame, file: str, column: str) -> list[Fault]:
    """Dates after today: nothing is known of them, and the newest date says up to when promises are judged."""
    return [
        Fault(
            file,
            row + 2,
            column,
            f"“{text}” is still to come; see the year, today is {date.today()}",
        )
        for row, text in table[column].items()
        if is_to_come(text)
    ]


def _unit_fault(
    units: pd.Series, cells: dict, key: str, told_in: str, file: str, row: int
) -> list[Fault]:
    """A unit that is another than that of what the row is about."""
    wanted = units.get(cells[key], cells["unit"])
    if cells["unit"] == wanted:
        return []
    problem = f"“{cells['unit']}” must be {wanted}, the unit of {cells[key]} in {told_in}"
    return [Fault(file, row + 2, "unit", problem)]


def capacity_faults(project, city, file: str) -> list[Fault]:
    """All that does not fit in what stands in a city."""
    table = city.capacity
    faults = unknown_source(project, table, file)
    faults += _impossible_faults(project, city, file) + _second_count_faults(project, table, file)
    units = project.facts.set_index("indicator")["unit"]
    faults += unknown(table, file, "indicator", set(units.index), "indicator of facts.csv")
    for row, cells in zip(table.index, table.to_dict("records")):
        faults += _unit_fault(units, cells, "indicator", "facts.csv", file, row)
        if cells["year"] > date.today().year:
            faults.append(
                Fault(
                    file,
                    row + 2,
                    "year",
                    f"“{cells['year']:g}” is still to come; this file holds what was counted",
                )
            )
        if cells["bed_type"]:
            told = "is not taken up: beds are known of all types together"
            faults.append(
                Fault(
                    file,
                    row + 2,
                    "bed_type",
                    f"“{cells['bed_type']}” {told}; leave it empty, and give nursing_bed_share",
                )
            )
        if cells["value"] == 0 and cells["unit"] != "bed":
            faults.append(
                Fault(
                    file,
                    row + 2,
                    "value",
                    "must be above 0: it is something to divide by; leave the row out if it is not known",
                )
            )
    return faults


def _impossible_faults(project, city, file: str) -> list[Fault]:
    """Counts and money that no city of so many residents has, by the bounds per resident of facts.csv.

    The bounds are wide, so that no true figure of any year or place is told; they are there for a figure that was
    copied in 万 or 亿, or with a digit too many.
    """
    census, facts = project.china.census, project.facts.set_index("indicator")
    if city.adcode not in census["area"].values:
        return []
    residents = float(census.sel(area=city.adcode, census_year=2020).sum(skipna=False))
    faults = []
    for row, cells in zip(city.capacity.index, city.capacity.to_dict("records")):
        name, value = cells["indicator"], cells["value"]
        if name not in facts.index or cells["unit"] != facts.at[name, "unit"] or not value:
            continue
        least = np.nan_to_num(facts.at[name, "least_per_resident"])
        most = np.nan_to_num(facts.at[name, "most_per_resident"], nan=np.inf)
        each = value / residents
        if np.isnan(each) or least <= each <= most:
            continue
        bound = f"below {least:g}" if each < least else f"above {most:g}"
        problem = f"“{value:,.12g}” is {each:.3g} for each of the {residents:,.0f} residents of the census of 2020, {bound}"
        problem += "".join(
            f"; if it is printed in {sign}{'元' if cells['unit'] == 'yuan' else ''}, multiply it by {size:,}"
            for size, sign in PRINTED_IN.items()
            if each < least and least <= each * size <= most
        )
        faults.append(Fault(file, row + 2, "value", problem))
    return faults


def _second_count_faults(project, table: pd.DataFrame, file: str) -> list[Fault]:
    """Rows that tell a fact of a year again, with another basis, where the fact is of one basis or of no people."""
    single = project.facts.loc[project.facts["population_basis"] != "either", "indicator"]
    counted = table[table["indicator"].isin(single)]
    keys = ["city_id", "indicator", "bed_type", "year"]
    faults = []
    for row in counted.index[counted.duplicated(keys, keep="first")]:
        same = (counted[keys] == counted.loc[row, keys]).all(axis=1)
        first = counted.index[same][0] + 2
        problem = f"a second count of {counted.at[row, 'indicator']} in {counted.at[row, 'year']:.0f}, which stands in row {first} too; keep one, whatever its population_basis"
        if counted.at[row, "population_basis"] != counted.at[first - 2, "population_basis"]:
            faults.append(Fault(file, row + 2, "population_basis", problem))
    return faults


def _contradicting_faults(city, file: str) -> list[Fault]:
    """Reports of one promise, or of what restates it, that give two values for the same day.

    A month alone is its last day and a year alone its last, as `tracking.moment` takes them: 2023 and 2023-12-31
    are the same day, 2023 and 2023-06-30 are two, the later of which is that of the year.
    """
    first_of = city.targets.set_index("target_id")["restates"]
    seen: dict = {}
    faults: list[Fault] = []
    for row, cells in zip(city.progress.index, city.progress.to_dict("records")):
        if np.isnan(cells["value"]) or not cells["reported_on"]:
            continue
        promise = first_of.get(cells["target_id"], "") or cells["target_id"]
        key = promise, cells["scope"], cells["unit"], day_meant(cells["reported_on"])
        at, date_told, value = seen.setdefault(key, (row + 2, cells["reported_on"], cells["value"]))
        if value != cells["value"]:
            problem = f"“{cells['reported_on']}” is the same day as {date_told} of row {at}, with {cells['value']:g} and {value:g} for one promise; a year or month alone is its end"
            faults.append(Fault(file, row + 2, "reported_on", problem))
    return faults


def progress_faults(project, city, file: str) -> list[Fault]:
    """All that does not fit in what was reported on a city's promises."""
    table, units = city.progress, city.targets.set_index("target_id")["unit"]
    judged = city.targets[
        ~city.targets["kind"].eq("stock") & city.targets["follow_up"].isin(["tracked", "measured"])
    ]["target_id"]
    faults = (
        unknown(table, file, "target_id", set(units.index), "target of targets.csv")
        if len(table)
        else []
    )
    faults += unknown_source(project, table, file, empty=True)
    faults += to_come_faults(table, file, "reported_on") + _contradicting_faults(city, file)
    for row, cells in zip(table.index, table.to_dict("records")):
        faults += _unit_fault(units, cells, "target_id", "targets.csv", file, row)
        if cells["target_id"] in units.index and cells["target_id"] not in set(judged):
            problem = f"no report judges “{cells['target_id']}”: its row in targets.csv must be a promise with follow_up tracked or measured"
            faults.append(Fault(file, row + 2, "target_id", problem))
    return faults
