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


def told(table: pd.DataFrame, file: str, *rules: tuple[str, Iterable[bool], str]) -> list[Fault]:
    """Faults of the rows of which something is true: column, where it is, and the problem with the row's cells in braces."""
    return [
        Fault(file, table.index[place] + 2, column, problem.format_map(table.iloc[place]))
        for column, wrong, problem in rules
        for place in np.flatnonzero(np.fromiter(wrong, bool, len(table)))
    ]


def listed(values: Iterable[str]) -> str:
    """Words one after the other, sorted; none where there are none."""
    return ", ".join(sorted(values)) or "none"


def unknown(table, file: str, column: str, known, what: str, empty: bool = False) -> list[Fault]:
    """Cells that name nothing there is; sources are many and are not listed."""
    there = "" if what == "source of sources.csv" else f"; there are: {listed(known)}"
    wrong = [value not in known and not (empty and value == "") for value in table[column]]
    if not any(wrong):
        return []
    near = [difflib.get_close_matches(value, list(known), n=1) for value in table[column]]
    hint = table.assign(near=[f"; nearest is {close[0]}" if close else "" for close in near])
    return told(hint, file, (column, wrong, f"“{{{column}}}” is no known {what}{{near}}{there}"))


def unknown_source(project, table, file: str, empty: bool = False) -> list[Fault]:
    """Rows whose source_id has no row in sources.csv."""
    return unknown(
        table, file, "source_id", set(project.sources["source_id"]), "source of sources.csv", empty
    )


def to_come_faults(table: pd.DataFrame, file: str, column: str) -> list[Fault]:
    """Dates after today: nothing is known of them, and the newest date says up to when promises are judged."""
    problem = f"“{{{column}}}” is still to come; see the year, today is {date.today()}"
    return told(table, file, (column, map(is_to_come, table[column]), problem))


def _unit_faults(table, file: str, key: str, units: pd.Series, told_in: str) -> list[Fault]:
    """Units that are others than that of what their rows are about."""
    both = table.assign(wanted=table[key].map(units.to_dict()).fillna(table["unit"]))
    problem = f"“{{unit}}” must be {{wanted}}, the unit of {{{key}}} in {told_in}"
    return told(both, file, ("unit", both["unit"] != both["wanted"], problem))


def capacity_faults(project, city, file: str) -> list[Fault]:
    """All that does not fit in what stands in a city."""
    table = city.capacity
    faults = unknown_source(project, table, file)
    faults += _impossible_faults(project, city, file) + _second_count_faults(project, table, file)
    units = project.facts.set_index("indicator")["unit"]
    faults += unknown(table, file, "indicator", set(units.index), "indicator of facts.csv")
    faults += _unit_faults(table, file, "indicator", units, "facts.csv")
    return faults + told(
        table,
        file,
        (
            "year",
            table["year"] > date.today().year,
            "“{year:g}” is still to come; this file holds what was counted",
        ),
        (
            "bed_type",
            table["bed_type"] != "",
            "“{bed_type}” is not taken up: beds are known of all types together; leave it empty, and give nursing_bed_share",
        ),
        (
            "value",
            (table["value"] == 0) & (table["unit"] != "bed"),
            "must be above 0: it is something to divide by; leave the row out if it is not known",
        ),
    )


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
    faults += _unit_faults(table, file, "target_id", units, "targets.csv")
    named = table["target_id"]
    problem = "no report judges “{target_id}”: its row in targets.csv must be a promise with follow_up tracked or measured"
    wrong = named.isin(units.index) & ~named.isin(judged)
    return faults + told(table, file, ("target_id", wrong, problem))
