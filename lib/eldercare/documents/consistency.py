"""Holds the promises of a plan against each other, and gathers all checks in one table.

A check that no city has the rows for says so in the table; none fails for want of a city.
See also: crosscheck, the plan against the census and against what stands
"""

from __future__ import annotations

import calendar
import math
from fractions import Fraction

import pandas as pd

from eldercare.analysis.compare import is_usable
from eldercare.documents import crosscheck
from eldercare.documents.crosscheck import (
    AGREE,
    CONFLICT,
    OPEN,
    Finding,
    Saying,
    promised,
    say,
    standing,
)
from eldercare.inputs.load import City, Project

NOT_CHECKED = "not checked"
COLUMNS = ["check", "city_id", "compares", "found", "finding", "follows"]


def premises(project: Project, city: City) -> list[Finding]:
    """From which size of an estate the ratio, and below which the minimum area, decides."""
    least, ratio = (
        promised(city, "premises_area_minimum", "standard"),
        promised(city, "premises_area_per_100_households_new", "standard"),
    )
    if least is None or ratio is None:
        return []
    size = least["value"] / ratio["value"] * 100
    old = promised(city, "premises_area_per_100_households_existing", "standard")
    old_size = math.nan if old is None else least["value"] / old["value"] * 100
    more = [] if old is None else [say("premises_existing", old=old["value"], size=old_size)]
    return [
        Finding(
            city.city_id,
            say("premises_compared", least=least["value"], ratio=ratio["value"]),
            (say("premises_found", size=size),),
            AGREE,
            (say("premises_follow", size=size, third=size / 3), *more),
            {"households": size, "households_existing": old_size},
        )
    ]


def restated_targets(project: Project, city: City) -> list[Finding]:
    """Promises that the document says again: whether value, bound, year and scope are the same."""
    rows = city.targets.set_index("target_id", drop=False)
    again = rows[rows["restates"].isin(rows.index)]
    if again.empty:
        return []
    differing, damaged, broken = [], [], 0
    for _, row in again.iterrows():
        first = rows.loc[row["restates"]]
        compared = ("value", "bound", "target_year", "scope")
        parts = [name for name in compared if str(row[name]) != str(first[name])]
        hurt, quote = bool(row["suspect"] or first["suspect"]), row["quote_zh"]
        broken += "value" in parts and not hurt
        if parts:
            said = [_changed(name, first[name], row[name]) for name in parts]
            phrase = "restated_one_damaged" if hurt else "restated_one"
            differing.append(say(phrase, quote=quote, parts=said))
        elif hurt:
            damaged.append(say("restated_as", quote=quote, first=first["quote_zh"]))
    counts = {"same": len(again) - len(differing), "differing": len(differing)}
    return [
        Finding(
            city.city_id,
            say("restated_compared", again=len(again)),
            (
                say("restated_found", **counts),
                *([say("restated_differing", figures=differing)] if differing else []),
                *([say("restated_damaged", figures=damaged)] if damaged else []),
            ),
            CONFLICT if broken else OPEN if differing else AGREE,
            (say("restated_kept"), say("restated_own") if differing else say("restated_settled")),
            {"again": len(again), "differing": len(differing), "other_value": broken},
        )
    ]


def _changed(name: str, first, again) -> Saying:
    ends = {"first": _plain(name, first), "again": _plain(name, again)}
    return say("restated_part", part=say(f"restated_{name}"), **ends)


def _plain(name: str, value) -> Saying | tuple[str, str] | str:
    if isinstance(value, float):
        return say("restated_none") if math.isnan(value) else f"{value:.10g}"
    return name, value


def targets_for_two_years(project: Project, city: City) -> list[Finding]:
    """The same quantity promised for two years: whether the later year asks for more, on the same
    base.
    """
    rows = city.targets[(city.targets["kind"] == "target") & city.targets["target_year"].notna()]
    rows = rows[[is_usable(row) for _, row in rows.iterrows()]] if len(rows) else rows
    found: dict[str, list[Saying]] = {"more": [], "same": [], "less": [], "other": []}
    for _, group in rows.groupby("indicator", sort=False):
        group = group.sort_values("target_year", kind="stable").drop_duplicates("target_year")
        pairs = list(group.iterrows())
        for (_, early), (_, late) in zip(pairs, pairs[1:]):
            values = {"first": early["value"], "second": late["value"]}
            years = {"first_year": early["target_year"], "second_year": late["target_year"]}
            kind = "more" if late["value"] > early["value"] else "same"
            kind = "less" if late["value"] < early["value"] else kind
            kind = kind if early["denominator"] == late["denominator"] else "other"
            found[kind].append(say("two_years_one", label=dict(early), **values, **years))
    if not any(found.values()):
        return []
    same, other, more = found["same"], found["other"], found["more"]
    follows = (
        *([say("two_years_nearer")] if same else []),
        *([say("two_years_apart")] if other else []),
        *([say("two_years_kept")] if more else []),
    )
    return [
        Finding(
            city.city_id,
            say("two_years_compared"),
            tuple(
                say(f"two_years_{kind}", count=len(promises), promises=promises)
                for kind, promises in found.items()
                if promises
            ),
            CONFLICT if found["less"] else OPEN if same or other else AGREE,
            follows,
            {f"{kind}_base" if kind == "other" else kind: len(of) for kind, of in found.items()},
        )
    ]


def issued(project: Project, city: City) -> tuple[int, int, int] | None:
    """Year, month and day on which the city's document was issued; None if not known to the day."""
    dates = project.sources.set_index("source_id")["issued_on"]
    parts = str(dates.get(city.source_id, "")).split("-")
    if len(parts) != 3:
        return None
    year, month, day = map(int, parts)
    return year, month, day


def months(city: City, stages: bool) -> pd.DataFrame:
    """Dated milestones in months: the stages of a plan, or its deadlines; with columns first and
    last.

    Returns : table with `first` and `last`, months counted from year 0 (12 x year + month)
    """
    rows = city.targets
    rows = rows[
        (rows["kind"] == "milestone")
        & (rows["unit"] == "month")
        & (rows["restates"] == "")
        & rows["target_year"].notna()
    ]
    rows = rows[rows["indicator"].str.startswith("stage_") == stages]
    rows = rows[[is_usable(row) for _, row in rows.iterrows()]] if len(rows) else rows
    first = 12 * rows["target_year"] + rows["value"]
    return rows.assign(
        first=first, last=12 * rows["target_year"] + rows["value_high"].fillna(rows["value"])
    )


def stages_before_issue(project: Project, city: City) -> list[Finding]:
    """Stages that were over, or under way, when the document was issued; stages that overlap."""
    date, rows = issued(project, city), months(city, stages=True)
    if date is None or rows.empty:
        return []
    now = 12 * date[0] + date[1]
    over, begun = rows[rows["last"] < now], rows[(rows["first"] < now) & (rows["last"] >= now)]
    overlaps = [
        say("stages_pair", early=dict(early), late=dict(late))
        for (_, early), (_, late) in zip(list(rows.iterrows()), list(rows.iterrows())[1:])
        if late["first"] <= early["last"]
    ]
    names = [
        say("stages_one", label=dict(row), quote=row["quote_zh"]) for _, row in over.iterrows()
    ]
    counts = {"over": len(over), "begun": len(begun), "overlaps": len(overlaps)}
    return [
        Finding(
            city.city_id,
            say("stages_compared", stages=len(rows), date=_day(date)),
            (
                say("stages_found", **counts),
                *([say("stages_over", stages=names)] if names else []),
                *([say("stages_overlapping", pairs=overlaps)] if overlaps else []),
            ),
            CONFLICT if names else AGREE,
            (say("stages_reported") if names else say("stages_ahead"),),
            {"stages": len(rows), **counts},
        )
    ]


def _day(date: tuple[int, int, int]) -> str:
    return "{}-{:02d}-{:02d}".format(*date)


def deadlines_at_once(project: Project, city: City) -> list[Finding]:
    """Deadlines in or before the month in which the document was issued."""
    date, rows = issued(project, city), months(city, stages=False)
    if date is None or rows.empty:
        return []
    now = 12 * date[0] + date[1]
    at_once = rows[rows["last"] <= now]
    left = calendar.monthrange(date[0], date[1])[1] - date[2]
    return [
        Finding(
            city.city_id,
            say("deadlines_compared", deadlines=len(rows), date=_day(date)),
            (say("deadlines_found", at_once=len(at_once), left=left),),
            OPEN if len(at_once) else AGREE,
            (say("deadlines_decided") if len(at_once) else say("deadlines_later"),),
            {"deadlines": len(rows), "at_once": len(at_once), "days_left": left},
        )
    ]


def whole_institutions(project: Project, city: City) -> list[Finding]:
    """Shares of institutions that are no whole number of the institutions that stand."""
    stock, rows = standing(city, "institutions"), city.targets
    rows = rows[
        (rows["denominator"] == "eldercare institutions")
        & (rows["unit"] == "share")
        & (rows["restates"] == "")
        & (rows["value"] < 1)
    ]
    rows = rows[[is_usable(row) for _, row in rows.iterrows()]] if len(rows) else rows
    if stock is None or rows.empty:
        return []
    total = stock["value"]
    shares = [Fraction(value).limit_denominator(100) for value in rows["value"]]
    step = math.lcm(*(share.denominator for share in shares))
    parts = [float(share * int(total)) for share in shares]
    shown = [
        say("whole_one", label=dict(row), share=row["value"], total=total, part=part)
        for (_, row), part in zip(rows.iterrows(), parts)
    ]
    broken = [part for part in parts if part != int(part)]
    nearest = [
        say("whole_nearest", part=part, total=total, share=part / total)
        for part in sorted({round(part) for part in broken})
    ]
    not_whole = say("whole_broken", total=total, nearest=nearest, step=step)
    return [
        Finding(
            city.city_id,
            say("whole_compared", total=total, year=stock["year"]),
            (say("whole_found", shares=shown),),
            CONFLICT if broken else AGREE,
            (not_whole if broken else say("whole_all"),),
            {"institutions": total, "broken": len(broken), "multiple": step},
        )
    ]


def network_and_towns(project: Project, city: City) -> list[Finding]:
    """A network said to reach every level against the share of towns that get an institution."""
    levels, towns = (
        promised(city, "eldercare_network_levels"),
        promised(city, "township_coverage_institutions"),
    )
    if levels is None or towns is None or levels["target_year"] != towns["target_year"]:
        return []
    return [
        Finding(
            city.city_id,
            say(
                "network_compared",
                levels=levels["quote_zh"],
                towns=towns["quote_zh"],
                year=towns["target_year"],
            ),
            (
                say(
                    "network_found",
                    levels=levels["value"],
                    towns=towns["value"],
                    rest=1 - towns["value"],
                ),
            ),
            OPEN if towns["value"] < 1 else AGREE,
            (say("network_follow"),),
            {"levels": levels["value"], "towns": towns["value"]},
        )
    ]


def promises_without_year(project: Project, city: City) -> list[Finding]:
    """Promises that name no year in which they are due."""
    rows = city.targets[(city.targets["kind"] == "target") & (city.targets["restates"] == "")]
    if rows.empty:
        return []
    without = rows[rows["target_year"].isna()]
    return [
        Finding(
            city.city_id,
            say("no_year_compared"),
            (
                say(
                    "no_year_found",
                    without=len(without),
                    promises=len(rows),
                    share=len(without) / len(rows),
                ),
            ),
            OPEN if len(without) else AGREE,
            (say("no_year_follow") if len(without) else say("no_year_all"),),
            {"promises": len(rows), "without_year": len(without)},
        )
    ]


CHECKS = (
    *crosscheck.CHECKS,
    premises,
    restated_targets,
    targets_for_two_years,
    stages_before_issue,
    deadlines_at_once,
    whole_institutions,
    network_and_towns,
    promises_without_year,
)


def check_all(project: Project) -> dict[str, list[Finding]]:
    """What each check found, by its name; an empty list where no city has the rows for it."""
    return {
        check.__name__: [
            found for city in project.cities.values() for found in check(project, city)
        ]
        for check in CHECKS
    }


def consistency_table(project: Project) -> pd.DataFrame:
    """All checks as one table: what each compares, what it found, and what follows, as sayings.

    Returns : table check, city_id, compares, found, finding, follows
    """
    rows: list[tuple] = []
    for check, findings in check_all(project).items():
        for one in findings:
            said = (one.compares,), one.result, one.verdict, one.follows
            rows.append((check, one.city_id, *said))
        if not findings:
            rows.append((check, "", (), (say("check_no_rows"),), NOT_CHECKED, ()))
    return pd.DataFrame(rows, columns=COLUMNS)


def verdict_counts(project: Project) -> pd.DataFrame:
    """How many findings agree, conflict or stay open, and how many checks found no rows: one row.

    Returns : table checks, findings, agree, conflict, open, absent
    """
    table = consistency_table(project)
    names = {"agree": AGREE, "conflict": CONFLICT, "open": OPEN, "absent": NOT_CHECKED}
    counts = {name: int((table["finding"] == verdict).sum()) for name, verdict in names.items()}
    told = {"checks": len(CHECKS), "findings": len(table) - counts["absent"]}
    return pd.DataFrame([{**told, **counts}])
