"""Follows the promises that only reports can judge: the straight path to each, what was reported,
what need asks.

A straight path runs from a known base to the promise. The base is a stock that the tables give for
the quantity, or else the first report; where neither is known, no path is drawn. Figures of the
province are shown as what is known, and judge no promise of the city.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from eldercare.analysis.compare import is_usable
from eldercare.documents.consistency import issued, months
from eldercare.inputs.load import City, Project
from eldercare.inputs.schema import PROGRESS, REPORT_SCOPES, is_to_come
from eldercare.model.chain import QUANTILES, CityResult

ON_TRACK, BEHIND, MET, NO_REPORT = "on_track", "behind", "met", "no_report"
NO_PATH, NOT_JUDGED = "no_path", "not_judged"
STATUSES = (MET, ON_TRACK, BEHIND, NO_REPORT, NO_PATH, NOT_JUDGED)
NAMES = ["target_id", "label_en", "label_zh", "unit", "target_year"]
UNKNOWN = (math.nan, math.nan)


def as_of(project: Project) -> int:
    """The year up to which the project can know anything: that of its newest source or report, this
    year at most.
    """
    dates = [
        *project.sources["issued_on"],
        *(text for city in project.cities.values() for text in city.progress["reported_on"]),
    ]
    return max(int(text[:4]) for text in dates if text and not is_to_come(text))


def moment(date: str) -> float:
    """A date as a year with a fraction; a year alone is its end, a month alone the end of the
    month.

    So a report of 2023 comes after one of 2023-06-30; `check` tells two values for one day.
    """
    year, month, day = (list(map(int, date.split("-"))) + [0, 0])[:3]
    if not month:
        return year + 1.0
    return year + (month / 12 if not day else (month - 1) / 12 + day / 372)


def _is_end(at: float) -> bool:
    return abs(at - round(at)) < 1e-6


def when(at: float) -> str:
    """A moment as reports are dated: the year at whose end it is, or the month it lies in or ends,
    as 2023-02.
    """
    if math.isnan(at):
        return ""
    if _is_end(at):
        return f"{round(at) - 1}"
    return f"{math.floor(at)}-{math.ceil((at - math.floor(at)) * 12 - 1e-6):02d}"


def followed(city: City) -> pd.DataFrame:
    """Promises that a report can judge: tracked or measured, once each, and again where a
    restatement has another year.
    """
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
    """Where the straight path begins: a known stock of the quantity, else the first of several
    reports.
    """
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
    """`on_track`, `behind`, `met`, `no_report` - or no path where base or year are not known, not
    judged where damaged.
    """
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


def _need_at(result: CityResult | None, row: pd.Series, at: float, value: float) -> tuple:
    """Low, middle and high need in the year of a report, and the chance that what was reported
    covers it.

    Four empty texts where need is not known.
    """
    year = math.ceil(at) - 1
    if result is None or row["follow_up"] != "measured" or year not in result.values["year"].values:
        return ("",) * 4
    array = result.values[row["measured_by"]].sel(year=year)
    array = array.sel(measure="need") if "measure" in array.dims else array
    draws = array.values.astype(float)
    return (*np.quantile(draws, list(QUANTILES.values())), float((draws <= value).mean()))


def tracking_table(project: Project, results: dict[str, CityResult] | None = None) -> pd.DataFrame:
    """Each followed promise with its last report, where the straight path stood then, and what need
    asked for.

    results : what the chain says, for the promises that it measures; without them need stays empty
    Returns : table city_id, target_id, label_en, label_zh, unit, target_year, promised_given,
              base_given, base_at, reported_given, reported_at, on_path_value, status, need_low,
              need_central, need_high, covers_need; moments as `when` tells them
    """
    rows = [
        {"city_id": city.city_id, **row[NAMES], **_tracked(city, row, results or {})}
        for city in project.cities.values()
        for _, row in followed(city).iterrows()
    ]
    return pd.DataFrame(rows)


def _tracked(city: City, row: pd.Series, results: dict[str, CityResult]) -> dict:
    found = reports(city, row)
    base = base_of(city, row, found)
    at, value = found[-1] if found else UNKNOWN
    begun, amount = base or UNKNOWN
    known = not math.isnan(row["target_year"]) and begun < at  # both are known
    path = on_path((begun, amount), row["value"], row["target_year"], at) if known else ""
    needs = _need_at(results.get(city.city_id), row, at, value) if found else ("",) * 4
    return {
        "promised_given": row["value"],
        "base_given": amount,
        "base_at": when(begun),
        "reported_given": value,
        "reported_at": when(at),
        "on_path_value": path,
        "status": status(row, found, base),
        **dict(zip(("need_low", "need_central", "need_high", "covers_need"), needs)),
    }


def status_counts(project: Project) -> pd.DataFrame:
    """How many followed promises of each city are met, on track, behind, without report …"""
    table = tracking_table(project)
    counts = pd.crosstab(table["city_id"], table["status"])
    return counts.reindex(columns=list(STATUSES), fill_value=0).rename_axis(columns="status")


def past_promises(project: Project) -> pd.DataFrame:
    """Followed promises whose year is over, with the outcomes that were found: of the city, its
    prefecture or its province.

    Returns : table city_id, target_id, label_en, label_zh, unit, target_year, follow_up, promised,
              known_of, value, reported_at, source_id; a row for each outcome, and one without for a
              promise of which none is known
    """
    rows, now = [], as_of(project)
    for city in project.cities.values():
        for _, row in followed(city)[followed(city)["target_year"] < now].iterrows():
            told = {"city_id": city.city_id, **row[[*NAMES, "follow_up"]], "promised": row["value"]}
            # of the nearest that reported
            scope, found = next(
                ((one, known) for one in REPORT_SCOPES if (known := reports(city, row, one))),
                ("", [UNKNOWN]),
            )
            same = city.progress["target_id"].isin([row["target_id"], row["restates"]])
            sources = ", ".join(sorted(set(city.progress.loc[same, "source_id"]) - {""}))
            for at, value in found:
                outcome = {"known_of": scope, "value": value, "reported_at": when(at)}
                rows.append({**told, **outcome, "source_id": sources if scope else ""})
    columns = ["city_id", *NAMES, "follow_up", "promised", "known_of", "value", "reported_at"]
    return pd.DataFrame(rows, columns=[*columns, "source_id"])


def outcome_counts(project: Project) -> pd.DataFrame:
    """For how many promises whose year is over an outcome was found, and of whom: one row.

    Returns : table year, promises, city, prefecture, province, none
    """
    known = past_promises(project).drop_duplicates(["city_id", "target_id"])["known_of"]
    counts = {scope: int((known == scope).sum()) for scope in REPORT_SCOPES}
    told = {"year": as_of(project), "promises": len(known), **counts}
    return pd.DataFrame([{**told, "none": int((known == "").sum())}])


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
    value = _value_text(row)
    if not math.isnan(row["value_high"]):
        value += f" to {_rounded(row['value_high'])}"
    year = "" if math.isnan(row["target_year"]) else f", {row['target_year']:.0f}"
    damaged = f"; damaged: {row['suspect']}" if row["suspect"] else ""
    return f"{row['label_zh']}: promised {row['bound'].replace('_', ' ')} {value}{year}{damaged}"


def timeline_table(project: Project) -> pd.DataFrame:
    """All plans in time: day of issue, stages, deadlines, and promises by the year in which they
    are due.

    Returns : table city_id, series (issued, stage, deadline, promise, without year), label, start,
              end, value, label_zh; start and end are years with a fraction, value counts; a
              restatement is not counted
    """
    rows = []
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
                "; ".join(f"{row.label_zh}：{_value_in_chinese(row)}" for row in part.itertuples()),
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
        return f"{_rounded(row.value / 1e6)} million yuan"
    return f"{row.value * 100:.0f} %" if row.unit == "share" else _rounded(row.value)


def _value_in_chinese(row) -> str:
    if row.unit == "yuan":
        return f"{_rounded(row.value / 1e4).replace(',', '')}万元"
    return (
        f"{row.value * 100:.0f}%" if row.unit == "share" else _rounded(row.value).replace(",", "")
    )


def _rounded(value: float) -> str:
    return f"{float(f'{value:.2e}'):,.10g}"


def _counted(
    city: City, series: str, moments: pd.Series, labels: dict | None = None
) -> list[tuple]:
    counts = moments.value_counts().sort_index()
    return [
        (city.city_id, series, told[0], at, at, int(count), told[1])
        for at, count in counts.items()
        for told in [(labels or {}).get(at, ("", ""))]
    ]
