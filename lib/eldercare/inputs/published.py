"""What does not fit in a city's capacity.csv, progress.csv and population.csv: figures that cannot be, dates to come,
contradictions."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from eldercare.inputs.schema import CENSUS_DAY, Fault, ages_meant, day_meant, is_to_come

NATION = 100000
DAYS_OF_A_YEAR = 365.25
# By how much death rates fall for each year of life expectancy: about one part in eleven at the level of China today.
FALL_OF_A_YEAR = 0.09
# So much more than births and survival give may be a count's own error; beyond it the count is of something else.
MORE_THAN_POSSIBLE = 0.03
# Units of Chinese tables that a figure may be printed in: 万, 亿.
PRINTED_IN = {10_000: "万", 100_000_000: "亿"}
# Rows of capacity.csv that may be of years to come: decisions, which change the beds counted before.
DECIDED = ("beds_opened", "beds_closed", "beds_converted")
_NOT_AFTER_COUNT = (
    "“{year:g}” must be after the year of the count of beds that it changes, which a row beds_total "
    "without bed_type gives; what happened before is in the count"
)


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


def _counted_in(table) -> float:
    """The year of the latest count of beds; NaN without one."""
    return table.loc[(table["indicator"] == "beds_total") & (table["bed_type"] == ""), "year"].max()


def capacity_faults(project, city, file: str) -> list[Fault]:
    """All that does not fit in what stands in a city."""
    table = city.capacity
    faults = unknown_source(project, table, file)
    faults += _impossible_faults(project, city, file) + _second_count_faults(project, table, file)
    units = project.facts.set_index("indicator")["unit"]
    faults += unknown(table, file, "indicator", set(units.index), "indicator of facts.csv")
    faults += _unit_faults(table, file, "indicator", units, "facts.csv")
    decided = table["indicator"].isin(DECIDED)
    return faults + told(
        table,
        file,
        (
            "year",
            (table["year"] > date.today().year) & ~decided,
            "“{year:g}” is still to come; this file holds what was counted, and of what is to come "
            f"only {', '.join(DECIDED)}",
        ),
        ("year", decided & ~(table["year"] > _counted_in(table)), _NOT_AFTER_COUNT),
        (
            "bed_type",
            table["indicator"].eq("beds_converted")
            & ~table["bed_type"].isin(["nursing", "dementia"]),
            "“{bed_type}” must be nursing or dementia: what the general beds become",
        ),
        (
            "bed_type",
            (table["bed_type"] != "") & ~decided,
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


def count_faults(project) -> list[Fault]:
    """All that does not fit in counts of people since the census, the nation's and the cities'.

    Rows of different files that count the same people on the same day are told too.
    """
    counts = project.china.counts
    known = {NATION, *project.china.census["area"].values.tolist()}
    faults: list[Fault] = []
    for cells in counts.to_dict("records"):
        found = _day_problems(cells["date"])
        if cells["adcode"] not in known:
            problem = f"{cells['adcode']:.0f} is no area of the census; see china/census_area.csv"
            found.append(("adcode", problem))
        elif not found and cells["basis"] == "resident":
            found += _impossible_count(project.china, cells)
        faults += [Fault(cells["file"], cells["row"], column, text) for column, text in found]
    keys = ["adcode", "date", "age", "sex", "unit", "basis"]
    repeated = counts[counts.duplicated(keys, keep=False)]
    for _, same in repeated.groupby(keys, sort=False):
        first = same.iloc[0]
        for other in same.iloc[1:].itertuples():
            problem = f"the same people are counted for {other.date} in {first.file}, row {first.row}, too; keep one"
            faults.append(Fault(other.file, other.row, "date", problem))
    for _, together in counts.groupby(["adcode", "date", "sex", "unit", "basis"], sort=False):
        faults += _larger_than_whole(together.to_dict("records"))
    return faults


def _day_problems(day: str) -> list[tuple[str, str]]:
    if is_to_come(day):
        return [("date", f"“{day}” is still to come; see the year, today is {date.today()}")]
    if date.fromisoformat(day) <= CENSUS_DAY:
        return [("date", f"“{day}” is not after the census of {CENSUS_DAY}, which is the base")]
    return []


def _larger_than_whole(rows: list[dict]) -> list[Fault]:
    """Counts above another count of the same day whose ages hold all of theirs, as the total."""
    faults = []
    for part in rows:
        first, last = ages_meant(part["age"])
        for whole in rows:
            low, high = ages_meant(whole["age"])
            if low <= first and last <= high and part["value"] > whole["value"]:
                problem = f"“{part['value']:,.12g}” of {part['age']} is more than the {whole['value']:,.12g} of {whole['age']} in row {whole['row']} of {whole['file']}, which they are a part of"
                faults.append(Fault(part["file"], part["row"], "value", problem))
    return faults


def _impossible_count(china, cells: dict) -> list[tuple[str, str]]:
    """A count above what births and survival since the census give, by more than `MORE_THAN_POSSIBLE`.

    An area that grew faster than the nation from 2010 to 2020 may have gone on to; for a share of all people one that
    shrank may too, since those who leave are young.
    """
    nation, adcode = _survival(china), int(cells["adcode"])
    sexes = [place for place, sex in enumerate(nation.sexes) if cells["sex"] in ("", sex)]
    people = _single_ages(china, nation, adcode)
    if not np.isfinite(people).all():
        return []
    years = (date.fromisoformat(cells["date"]) - CENSUS_DAY).days / DAYS_OF_A_YEAR
    longer = nation.lives.get(adcode // 10000 * 10000, nation.lives[NATION]) - nation.lives[NATION]
    alive = (people * np.exp(-nation.rates * np.exp(-FALL_OF_A_YEAR * longer) * years))[sexes]
    possible = _people_at(alive, ages_meant(cells["age"]), years)
    growth = float(nation.growth.get(adcode, 0.0))
    if cells["unit"] == "share":
        possible /= _people_at(alive, (0, 120), years)
        growth = abs(growth)
    possible *= np.exp(max(growth, 0.0) * years)
    for size, sign in PRINTED_IN.items():
        if (
            cells["unit"] == "person"
            and cells["value"] * size / 2 <= possible < cells["value"] * size * 2
        ):
            problem = f"“{cells['value']:,.12g}” of the {possible:,.0f} there can be; if it is printed in {sign}, multiply it by {size:,}"
            return [("value", problem)]
    more = cells["value"] / possible - 1
    if more <= MORE_THAN_POSSIBLE:
        return []
    shown = f"{possible:.4f}" if cells["unit"] == "share" else f"{possible:,.0f}"
    problem = f"“{cells['value']:,.12g}” is {more:.1%} more than the {shown} that births and survival since the census of 2020 make possible (3 % may be its own error); see age, unit and basis"
    return [("value", problem)]


class _Survival(NamedTuple):
    """What of the nation's tables a count is held against; dims sex, age (0-100) or by adcode."""

    sexes: list[str]
    pattern: np.ndarray
    rates: np.ndarray
    lives: pd.Series
    growth: pd.Series


@lru_cache(maxsize=2)
def _survival(china) -> _Survival:
    table = china.single_age[china.single_age["year"] == CENSUS_DAY.year]
    sexes = ["male", "female"]
    mean = table.pivot_table("mean_population", "sex", "age").loc[sexes].to_numpy(float)
    # The table counts the mean of the twelve months before the census: half a year later half of an age is the next.
    pattern = (mean + np.concatenate([mean[:, :1], mean[:, :-1]], axis=1)) / 2
    table = china.wpp_death_rate
    period = table.loc[table["period_from"] <= CENSUS_DAY.year, "period_from"].max()
    rates = table[table["period_from"] == period].pivot_table("mx", "sex", "age_from").loc[sexes]
    ages = np.arange(mean.shape[1])
    place = np.searchsorted(rates.columns.to_numpy(), ages, side="right") - 1
    table = china.life_expectancy
    official = (table["year"] == CENSUS_DAY.year) & (table["kind"] == "official")
    lives = table[official & (table["sex"] == "both")].set_index("adcode")["life_expectancy"]
    people = china.areas["population"].unstack("year")
    nation = people[people.index % 10000 == 0].sum()
    growth = np.log(people[2020] / people[2010] / (nation[2020] / nation[2010])) / 10
    return _Survival(sexes, pattern, rates.to_numpy()[:, place], lives, growth.fillna(0.0))


def _single_ages(china, nation: _Survival, adcode: int) -> np.ndarray:
    """People of the census of 2020, each age group divided as the nation's; dims sex, age; NaN where there is none."""
    census = china.census.sel(census_year=CENSUS_DAY.year, sex=nation.sexes)
    provinces = census["area"].values % 10000 == 0
    groups = (
        census.isel(area=provinces).sum("area").values
        if adcode == NATION
        else census.sel(area=adcode).values
    )
    starts, ages = census["age_group"].values, np.arange(nation.pattern.shape[1])
    group = np.searchsorted(starts, ages, side="right") - 1
    return nation.pattern * (groups / np.add.reduceat(nation.pattern, starts, axis=1))[:, group]


def _people_at(alive: np.ndarray, ages: tuple[int, int], years: float) -> float:
    """People of some ages so many years after the census: those still alive, and as many births as before it.

    alive : array [person]  dims sex, age on the day of the census
    """
    below = np.concatenate([[0.0], np.cumsum(alive.sum(axis=0))])
    first, last = ages[0] - years, ages[1] + 1 - years
    edges = np.arange(len(below))
    # Who was born after the census stands below age 0 on its day, as many a year as were of age 0.
    born = alive[:, 0].sum() * (min(max(last, -years), 0.0) - min(max(first, -years), 0.0))
    return float(np.interp(last, edges, below) - np.interp(first, edges, below) + born)


def by_age_faults(city, file: str) -> list[Fault]:
    """What does not fit in a city's registered people by age: a missing table, two days, ages that do not join."""
    table = city.population_by_age
    if city.population_basis != "registered":
        if table.empty:
            return []
        problem = "is read only where population_basis in city.csv is registered; write it there, or leave the file out"
        return [Fault(file, None, None, problem)]
    if table.empty:
        problem = "is needed: population_basis in city.csv is registered"
        return [Fault(file, None, None, problem)]
    days, first_day, sexes = table["date"], table["date"].iloc[0], table["sex"]
    early = days <= CENSUS_DAY.isoformat()
    mixed = set(sexes) not in ({""}, {"male", "female"})
    last_kind = (sexes == sexes.iloc[-1]) & ~sexes.eq(sexes.iloc[-1]).cumsum().gt(1)
    one_day = f"“{{date}}” must be {first_day}, as in the first row: one table is of one day"
    faults = to_come_faults(table, file, "date") + told(
        table,
        file,
        ("date", early, f"“{{date}}” is not after the census of {CENSUS_DAY}"),
        ("date", ~early & (days != first_day), one_day),
        ("sex", mixed & last_kind, "must be empty in all rows, or male and female in all"),
    )
    for _, rows in table.groupby("sex", sort=False):
        bands = sorted((*ages_meant(age), row) for row, age in rows["age"].items())
        joined = zip([(0, -1, bands[0][2]), *bands], [*bands, (121, 121, bands[-1][2])])
        for (_, end, above), (start, _, row) in joined:
            if start != end + 1:
                kind = "a gap" if start > end + 1 else "an overlap"
                problem = f"{kind} in ages after {end}; the ages must join from 0 to an open last one, as 0-14, 15-59, 60+"
                at = row if start < 121 else above
                faults.append(Fault(file, at + 2, "age", problem))
    return faults
