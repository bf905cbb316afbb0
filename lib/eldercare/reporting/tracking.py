"""Follows the promises that only reports can judge: the straight path to each, what was reported, what need asks.

A straight path runs from a known base to the promise. The base is a stock that the tables give for the
quantity, or else the first report; where neither is known, no path is drawn. Figures of the province are
shown as what is known, and judge no promise of the city.
"""

from __future__ import annotations

import math
from calendar import month_name
from functools import partial

import numpy as np
import pandas as pd

from eldercare.analysis.compare import is_usable
from eldercare.documents.consistency import issued, months
from eldercare.inputs.load import City, Project
from eldercare.inputs.schema import PROGRESS, REPORT_SCOPES, is_to_come
from eldercare.model.chain import CityResult
from eldercare.reporting.language import load_language
from eldercare.reporting.present import (
    range_text,
    sentence_case,
    text_money,
    text_number,
    text_percent,
)

ON_TRACK, BEHIND, MET, NO_REPORT = "on track", "behind", "met", "no report"
NO_PATH, NOT_JUDGED = "no path", "not judged"
STATUSES = (MET, ON_TRACK, BEHIND, NO_REPORT, NO_PATH, NOT_JUDGED)
NONE_FOUND = "none found"
# Units of which there are only whole ones.
WHOLE = frozenset(
    {"bed", "count", "facility", "household", "institution", "person", "place", "worker"}
)
COLUMNS = [
    "city_id",
    "target_id",
    "label_en",
    "unit",
    "promised",
    "target_year",
    "base",
    "base_at",
    "reported",
    "reported_at",
    "on_path",
    "status",
    "need_low",
    "need",
    "need_high",
    "covers_need",
]


def as_of(project: Project) -> int:
    """The year up to which the project can know anything: that of its newest source or report, this year at most."""
    dates = [
        *project.sources["issued_on"],
        *(text for city in project.cities.values() for text in city.progress["reported_on"]),
    ]
    return max(int(text[:4]) for text in dates if text and not is_to_come(text))


def moment(date: str) -> float:
    """A date as a year with a fraction; a year alone is its end, a month alone the end of the month.

    So a report of 2023 comes after one of 2023-06-30; `check` tells two values for one day.
    """
    year, month, day = (list(map(int, date.split("-"))) + [0, 0])[:3]
    if not month:
        return year + 1.0
    return year + (month / 12 if not day else (month - 1) / 12 + day / 372)


def _is_end(at: float) -> bool:
    return abs(at - round(at)) < 1e-6


def when(at: float) -> str:
    """A moment in words: `end of 2023`, or the month that it lies in or ends, `February 2023`."""
    if _is_end(at):
        return f"end of {round(at) - 1}"
    month = math.ceil((at - math.floor(at)) * 12 - 1e-6)
    return f"{month_name[month]} {math.floor(at)}"


def followed(city: City) -> pd.DataFrame:
    """Promises that a report can judge: tracked or measured, once each, and again where a restatement has another year."""
    rows = city.targets
    first = rows.set_index("target_id")["target_year"]
    years = rows["restates"].map(first)
    again = (rows["restates"] != "") & (rows["target_year"] != years) & rows["target_year"].notna()
    kept = (rows["follow_up"] == "tracked") | (
        (rows["follow_up"] == "measured") & (rows["kind"] == "target")
    )
    return rows[kept & ((rows["restates"] == "") | again)]


def reports(city: City, row: pd.Series, scope: str = "city") -> list[tuple[float, float]]:
    """Moment and value of each report on a promise or on what it restates, the earliest first."""
    same = {row["target_id"], row["restates"]} - {""}
    same |= set(city.targets.loc[city.targets["restates"].isin(same), "target_id"])
    table = city.progress
    table = table[
        table["target_id"].isin(same) & table["value"].notna() & (table["scope"] == scope)
    ]
    return sorted(
        {(moment(report.reported_on), float(report.value)) for report in table.itertuples()}
    )


def base_of(
    city: City, row: pd.Series, found: list[tuple[float, float]]
) -> tuple[float, float] | None:
    """Where the straight path begins: a known stock of the quantity, else the first of several reports."""
    stocks = city.targets[
        (city.targets["indicator"] == row["indicator"]) & (city.targets["kind"] == "stock")
    ]
    known = [
        (year + 1, value)
        for year, value in zip(stocks["base_year"], stocks["value"])
        if not math.isnan(year)
    ]
    if city.capacity is not None:
        # A published ratio may be of other people than the promise: only counts begin a path.
        counts = ~city.capacity["unit"].str.endswith("persons") & (
            city.capacity["unit"] == row["unit"]
        )
        stood = city.capacity[(city.capacity["indicator"] == row["indicator"]) & counts]
        known += list(zip(stood["year"] + 1, stood["value"]))
    deadline = row["target_year"] + 1
    known = sorted(base for base in known if math.isnan(deadline) or base[0] < deadline)
    begins = len(found) > 1 and (math.isnan(deadline) or found[0][0] < deadline)
    return known[-1] if known else found[0] if begins else None


def on_path(base: tuple[float, float], promised: float, target_year: float, at: float) -> float:
    """Where the straight path from the base to the promise stands at a moment.

    Defined as::  base + (promised - base) x (at - base_at) / (end of target_year - base_at), held at both ends
    """
    return float(np.interp(at, [base[0], target_year + 1], [base[1], promised]))


def status(
    row: pd.Series, found: list[tuple[float, float]], base: tuple[float, float] | None
) -> str:
    """On track, behind, met, no report - or no path where base or year are not known, not judged where damaged."""
    if not found:
        return NO_REPORT
    if not is_usable(row):
        return NOT_JUDGED
    at, value = found[-1]
    sign = -1 if row["bound"] == "at_most" or row["kind"] == "milestone" else 1
    if sign * value >= sign * row["value"]:
        return MET
    if at >= row["target_year"] + 1:
        return BEHIND
    if base is None or math.isnan(row["target_year"]) or base[0] >= at:
        return NO_PATH
    return (
        ON_TRACK
        if sign * value >= sign * on_path(base, row["value"], row["target_year"], at)
        else BEHIND
    )


def _need_at(
    result: CityResult | None, row: pd.Series, at: float, value: float
) -> tuple[float, float, float, float]:
    """Low, middle and high need in the year of a report, and the chance that what was reported covers it."""
    year = math.ceil(at) - 1
    if result is None or row["follow_up"] != "measured" or year not in result.values["year"].values:
        return (math.nan,) * 4
    array = result.values[row["measured_by"]].sel(year=year)
    array = array.sel(measure="need") if "measure" in array.dims else array
    draws = array.values.astype(float)
    return (*np.quantile(draws, [0.1, 0.5, 0.9]), float((draws <= value).mean()))


def tracking_table(project: Project, results: dict[str, CityResult] | None = None) -> pd.DataFrame:
    """Each followed promise with its last report, where the straight path stood then, and what need asked for.

    results : what the chain says, for the promises that it measures; without them need stays empty
    Returns : table with a row for each promise, the columns of `COLUMNS`
    """
    rows = []
    for city in project.cities.values():
        for _, row in followed(city).iterrows():
            found = reports(city, row)
            base = base_of(city, row, found)
            at, value = found[-1] if found else (math.nan, math.nan)
            path = (
                bool(found)
                and base is not None
                and not math.isnan(row["target_year"])
                and base[0] < at
            )
            need = (
                _need_at((results or {}).get(city.city_id), row, at, value)
                if found
                else (math.nan,) * 4
            )
            rows.append(
                (
                    city.city_id,
                    row["target_id"],
                    row["label_en"],
                    row["unit"],
                    row["value"],
                    row["target_year"],
                    *((base[1], base[0]) if base else (math.nan, math.nan)),
                    value,
                    at,
                    on_path(base, row["value"], row["target_year"], at) if path else math.nan,
                    status(row, found, base),
                    *need,
                )
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def status_counts(project: Project) -> pd.DataFrame:
    """How many followed promises of each city are met, on track, behind, without report …"""
    table = tracking_table(project)
    counts = pd.crosstab(table["city_id"], table["status"]).reindex(
        columns=list(STATUSES), fill_value=0
    )
    counts.index = [project.city(city_id).name_en for city_id in counts.index]
    counts.columns.name = None
    return counts


def past_promises(project: Project) -> pd.DataFrame:
    """Followed promises whose year is over, with the outcome that was found: of the city, its prefecture or its province, or none.

    Returns : table city_id, target_id, label_en, follow_up, promised, year, outcome, known_of, source
    """
    rows, now = [], as_of(project)
    for city in project.cities.values():
        for _, row in followed(city)[followed(city)["target_year"] < now].iterrows():
            form = text_percent if row["unit"] == "share" else text_number
            outcome, known_of = NONE_FOUND, ""
            for scope in reversed(REPORT_SCOPES):  # the nearest last
                found = reports(city, row, scope)
                if found:
                    said = [
                        f"{form(value)} {'at the' if _is_end(at) else 'in'} {when(at)}"
                        for at, value in found
                    ]
                    outcome, known_of = "; ".join(said), scope
            sources = city.progress.loc[
                city.progress["target_id"].isin([row["target_id"], row["restates"]]), "source_id"
            ]
            rows.append(
                (
                    city.city_id,
                    row["target_id"],
                    sentence_case(row["label_en"]),
                    row["follow_up"],
                    form(row["value"]),
                    int(row["target_year"]),
                    outcome,
                    known_of,
                    ", ".join(sorted(set(sources) - {""})) if known_of else "",
                )
            )
    columns = [
        "city_id",
        "target_id",
        "label_en",
        "follow_up",
        "promised",
        "year",
        "outcome",
        "known_of",
        "source",
    ]
    return pd.DataFrame(rows, columns=columns)


def past_shown(project: Project) -> pd.DataFrame:
    """The past promises that are measured, and those of which anything was found; the others are only counted."""
    table = past_promises(project)
    table = table[(table["follow_up"] == "measured") | (table["known_of"] != "")]
    table = table.assign(city=[project.city(city_id).name_en for city_id in table["city_id"]])
    shown = table[
        ["city", "label_en", "follow_up", "promised", "year", "outcome", "known_of", "source"]
    ]
    return shown.rename(
        columns={"label_en": "promise", "follow_up": "follow-up", "known_of": "found of the"}
    ).reset_index(drop=True)


def outcome_sentence(project: Project) -> str:
    """For how many promises whose year is over an outcome was found, of the city and of what it is a part of."""
    table = past_promises(project)
    counts = table["known_of"].value_counts()
    return (
        f"Of {len(table)} promises (tracked or measured, each counted once) whose year was over before {as_of(project)}, an outcome "
        f"was found of the city for {int(counts.get('city', 0))}, of its prefecture only for {int(counts.get('prefecture', 0))}, "
        f"of its province only for {int(counts.get('province', 0))}, and none for {int(counts.get('', 0))}. "
        "What is of a prefecture or a province judges no promise of its city."
    )


def progress_template(project: Project, city_id: str) -> pd.DataFrame:
    """A row of progress.csv for each tracked promise of a city, its value left empty.

    Raises : KeyError for an unknown city
    """
    rows = project.city(city_id).targets
    rows = rows[(rows["follow_up"] == "tracked") & (rows["restates"] == "")]
    table = pd.DataFrame("", index=range(len(rows)), columns=list(PROGRESS.columns))
    table["target_id"], table["unit"], table["scope"] = (
        list(rows["target_id"]),
        list(rows["unit"]),
        "city",
    )
    table["note"] = [_reminder(row) for _, row in rows.iterrows()]
    return table


def _reminder(row: pd.Series) -> str:
    value = _value_text(row) + (
        f" to {text_number(row['value_high'])}" if not math.isnan(row["value_high"]) else ""
    )
    year = "" if math.isnan(row["target_year"]) else f", {row['target_year']:.0f}"
    damaged = f"; damaged: {row['suspect']}" if row["suspect"] else ""
    return f"{row['label_zh']}: promised {row['bound'].replace('_', ' ')} {value}{year}{damaged}"


def tracking_shown(project: Project, results: dict[str, CityResult]) -> pd.DataFrame:
    """The followed promises of which a base or a report is known, in words a planner uses.

    Returns : table with promise, base, last report, straight path at that time, status, and the need of that year
    """
    rows = []
    for row in tracking_table(project, results).to_dict("records"):
        if math.isnan(row["base"]) and math.isnan(row["reported"]):
            continue
        form = text_percent if row["unit"] == "share" else partial(_read, unit=row["unit"])
        rounded = text_percent if row["unit"] == "share" else text_number
        rows.append(
            {
                "city": project.city(row["city_id"]).name_en,
                "promise": sentence_case(row["label_en"]),
                "promised": form(row["promised"])
                + (
                    ", no year"
                    if math.isnan(row["target_year"])
                    else f" by {row['target_year']:.0f}"
                ),
                "base": _at_end(form, row["base"], row["base_at"]),
                "reported": NO_REPORT
                if math.isnan(row["reported"])
                else _at_end(form, row["reported"], row["reported_at"]),
                "straight path": "" if math.isnan(row["on_path"]) else form(row["on_path"]),
                "status": row["status"],
                "needed then": ""
                if math.isnan(row["need"])
                else range_text(row["need_low"], row["need"], row["need_high"], rounded),
            }
        )
    columns = [
        "city",
        "promise",
        "promised",
        "base",
        "reported",
        "straight path",
        "status",
        "needed then",
    ]
    return pd.DataFrame(rows, columns=columns)


def _read(value: float, unit: str) -> str:
    """A number as a planner reads it: whole beds, people and so on, a ratio with four digits at most."""
    whole = abs(value) >= 100 or unit in WHOLE and abs(value) >= 10
    return f"{value:,.0f}" if whole else f"{value:.4g}"


def _at_end(form, value: float, at: float) -> str:
    return (
        NONE_FOUND if math.isnan(value) else f"{form(value)} ({when(at).removeprefix('end of ')})"
    )


def timeline_table(project: Project) -> pd.DataFrame:
    """All plans in time: day of issue, stages, deadlines, and promises by the year in which they are due.

    Returns : table city_id, series (issued, stage, deadline, promise, without year), label, start, end, value,
              label_zh; start and end are years with a fraction, value counts; a restatement is not counted
    """
    rows, chinese = [], load_language(project, "zh")
    for city in project.cities.values():
        date = issued(project, city)
        if city.targets.empty or date is None:
            continue
        day = moment("-".join(map(str, date)))
        printed = "-".join(f"{part:02d}" for part in date)
        rows.append((city.city_id, "issued", printed, day, day, 1, printed))
        for stage in months(city, stages=True).itertuples():
            ends = (stage.first - 1) / 12, stage.last / 12
            rows.append((city.city_id, "stage", stage.label_en, *ends, 1, stage.label_zh))
        rows += _counted(city, "deadline", months(city, stages=False)["last"] / 12)
        goals = city.targets[
            (city.targets["kind"] == "milestone")
            & (city.targets["unit"] == "year")
            & (city.targets["restates"] == "")
        ]
        goals = goals[goals["value"] == goals["target_year"]]
        rows += _counted(city, "goal of a year", goals["target_year"] + 1)
        promises = city.targets[
            (city.targets["kind"] == "target") & (city.targets["restates"] == "")
        ]
        measured = promises[promises["follow_up"] == "measured"]
        labels = {
            year + 1: (
                "; ".join(f"{_value_text(row)}: {row.label_en}" for row in part.itertuples()),
                "; ".join(
                    f"{chinese.value_with_unit(row.value, row.unit)}：{row.label_zh}"
                    for row in part.itertuples()
                ),
            )
            for year, part in measured.groupby("target_year")
        }
        rows += _counted(city, "promise", promises["target_year"].dropna() + 1, labels)
        rows.append(
            (
                city.city_id,
                "without year",
                "",
                math.nan,
                math.nan,
                int(promises["target_year"].isna().sum()),
                "",
            )
        )
    columns = ["city_id", "series", "label", "start", "end", "value", "label_zh"]
    return pd.DataFrame(rows, columns=columns)


def _value_text(row) -> str:
    if row.unit == "yuan":
        return text_money(row.value)
    return text_percent(row.value) if row.unit == "share" else text_number(row.value)


def _counted(
    city: City, series: str, moments: pd.Series, labels: dict | None = None
) -> list[tuple]:
    counts = moments.value_counts().sort_index()
    return [
        (
            city.city_id,
            series,
            (labels or {}).get(at, ("", ""))[0],
            at,
            at,
            int(count),
            (labels or {}).get(at, ("", ""))[1],
        )
        for at, count in counts.items()
    ]
