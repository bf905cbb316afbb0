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
from eldercare.documents.crosscheck import AGREE, CONFLICT, OPEN, Finding, promised, standing
from eldercare.inputs.load import City, Project

NOT_CHECKED = "not checked"
COLUMNS = ["check", "city", "compares", "result", "verdict", "what follows"]


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
    more = (
        ""
        if old is None
        else f" In existing estates, at {old['value']:g} m² per 100, the same area is reached at {old_size:,.0f} households; whether the minimum holds there is not said."
    )
    return [
        Finding(
            city.city_id,
            f"{least['value']:g} m² at least against {ratio['value']:g} m² per 100 households in new estates",
            f"both are equal at {size:,.0f} households",
            AGREE,
            f"Below {size:,.0f} households the minimum decides, above it the ratio: an estate of {size / 3:,.0f} households "
            f"must give three times what the ratio asks.{more}",
            {"households": size, "households_existing": old_size},
        )
    ]


def restated_targets(project: Project, city: City) -> list[Finding]:
    """Promises that the document says again: whether value, bound, year and scope are the same."""
    rows = city.targets.set_index("target_id", drop=False)
    again = rows[rows["restates"].isin(rows.index)]
    if again.empty:
        return []
    names = {"value": "value", "bound": "bound", "target_year": "year", "scope": "scope"}
    differing, damaged, broken = [], [], 0
    for _, row in again.iterrows():
        first = rows.loc[row["restates"]]
        parts = [name for name in names if str(row[name]) != str(first[name])]
        hurt = bool(row["suspect"] or first["suspect"])
        broken += "value" in parts and not hurt
        if parts:
            said = ", ".join(f"{names[p]} {_plain(first[p])}, then {_plain(row[p])}" for p in parts)
            differing.append(f"“{row['quote_zh']}”{' (damaged)' if hurt else ''}: {said}")
        elif hurt:
            damaged.append(f"“{row['quote_zh']}” as “{first['quote_zh']}”")
    speaks = f". Damaged, and the same value elsewhere: {'; '.join(damaged)}" if damaged else ""
    return [
        Finding(
            city.city_id,
            f"{len(again)} figures that the document says again, against where it said them first",
            f"{len(again) - len(differing)} are the same in all; {len(differing)} differ"
            f"{': ' + '; '.join(differing) if differing else ''}{speaks}",
            CONFLICT if broken else OPEN if differing else AGREE,
            "None is added up: the first statement is measured or tracked, the others are linked to it. "
            + (
                "Where a bound or a year differs, each row keeps its own."
                if differing
                else "Nothing is open."
            ),
            {"again": len(again), "differing": len(differing), "other_value": broken},
        )
    ]


def _plain(value) -> str:
    if isinstance(value, float):
        return "none" if math.isnan(value) else f"{value:.10g}"
    return str(value).replace("_", " ")


def targets_for_two_years(project: Project, city: City) -> list[Finding]:
    """The same quantity promised for two years: whether the later year asks for more, on the same
    base.
    """
    rows = city.targets[(city.targets["kind"] == "target") & city.targets["target_year"].notna()]
    rows = rows[[is_usable(row) for _, row in rows.iterrows()]] if len(rows) else rows
    more: list[str] = []
    same: list[str] = []
    less: list[str] = []
    other: list[str] = []
    for _, group in rows.groupby("indicator", sort=False):
        group = group.sort_values("target_year", kind="stable").drop_duplicates("target_year")
        for (_, early), (_, late) in zip(list(group.iterrows()), list(group.iterrows())[1:]):
            values = f"{early['label_en']}: {early['value']:.10g} in {early['target_year']:.0f}, {late['value']:.10g} in {late['target_year']:.0f}"
            if early["denominator"] != late["denominator"]:
                other.append(f"{values} (of {early['denominator']}, then of {late['denominator']})")
            else:
                (
                    more
                    if late["value"] > early["value"]
                    else less
                    if late["value"] < early["value"]
                    else same
                ).append(values)
    if not (more or same or less or other):
        return []
    parts = [
        ("more later", more),
        ("the same in both", same),
        ("less later", less),
        ("on another base", other),
    ]
    return [
        Finding(
            city.city_id,
            "promises of one quantity for two years (body and annex, or two stages)",
            ". ".join(
                f"{words}, {len(found)}: {'; '.join(found)}" for words, found in parts if found
            ),
            CONFLICT if less else OPEN if same or other else AGREE,
            (
                "Where both years have the same figure, the later year adds nothing: the nearer deadline decides. "
                if same
                else ""
            )
            + (
                "Where the base changes, the two figures do not stand on one path. "
                if other
                else ""
            )
            + (
                "Where the later figure is higher, both are kept, each with its year."
                if more
                else ""
            ),
            {"more": len(more), "same": len(same), "less": len(less), "other_base": len(other)},
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
        f"{early['label_en']} and {late['label_en']}"
        for (_, early), (_, late) in zip(list(rows.iterrows()), list(rows.iterrows())[1:])
        if late["first"] <= early["last"]
    ]
    names = "; ".join(f"{row.label_en} (“{row.quote_zh}”)" for row in over.itertuples())
    return [
        Finding(
            city.city_id,
            f"the {len(rows)} stages of the plan against its day of issue, {date[0]}-{date[1]:02d}-{date[2]:02d}",
            f"{len(over)} were over{': ' + names if names else ''}; {len(begun)} had begun; "
            f"{len(overlaps)} share a month with the stage before{': ' + '; '.join(overlaps) if overlaps else ''}",
            CONFLICT if len(over) else AGREE,
            "A stage that was over cannot be promised: it is a report of what was done, and is stated only."
            if len(over)
            else "No stage lies wholly before the document.",
            {
                "stages": len(rows),
                "over": len(over),
                "begun": len(begun),
                "overlaps": len(overlaps),
            },
        )
    ]


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
            f"{len(rows)} deadlines in months against the day of issue, {date[0]}-{date[1]:02d}-{date[2]:02d}",
            f"{len(at_once)} fall into the month of issue or before it, {left} days from the day of issue or less",
            OPEN if len(at_once) else AGREE,
            "What is due so soon had been decided before: as promises they say little."
            if len(at_once)
            else "Every deadline leaves a month or more.",
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
    shown = "; ".join(
        f"{row.label_en}, {row.value:.0%} of {total:.0f} = {part:g}"
        for row, part in zip(rows.itertuples(), parts)
    )
    broken = [part for part in parts if part != int(part)]
    reported = sorted(
        {f"{round(part)} of {total:.0f} = {round(part) / total:.1%}" for part in broken}
    )
    return [
        Finding(
            city.city_id,
            f"shares of institutions against the {total:.0f} institutions of {stock['year']:.0f}",
            shown,
            CONFLICT if broken else AGREE,
            f"No whole number of {total:.0f} gives these shares ({'; '.join(reported)}); they are whole only for a multiple of {step}. "
            f"So {total:.0f} is not what they are shares of, or they are rounded: a report must give both numbers."
            if broken
            else "All are whole.",
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
            f"“{levels['quote_zh']}” against “{towns['quote_zh']}” with an institution, both {towns['target_year']:.0f}",
            f"the network covers {levels['value']:.0f} levels; {towns['value']:.0%} of towns have an institution, so up to {1 - towns['value']:.0%} have none",
            OPEN if towns["value"] < 1 else AGREE,
            "Covered cannot mean that a home stands there; the share of towns is what can be tracked.",
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
            "promises against the years in which they are due",
            f"{len(without)} of {len(rows)} promises name no year ({len(without) / len(rows):.0%})",
            OPEN if len(without) else AGREE,
            "Without a year they can be met but never missed; no year is put in for them."
            if len(without)
            else "Each has its year.",
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
    """All checks as one table: what each compares, its result, and what follows."""
    rows = []
    for name, findings in check_all(project).items():
        check = name.replace("_", " ")
        for found in findings:
            city = project.city(found.city_id).name_en
            rows.append((check, city, found.compares, found.result, found.verdict, found.follows))
        if not findings:
            rows.append(
                (
                    check,
                    "none",
                    "",
                    "no city has the rows that this check compares",
                    NOT_CHECKED,
                    "",
                )
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def verdict_counts(project: Project) -> pd.DataFrame:
    """How many findings agree, conflict or stay open, and how many checks found no rows: one row.

    Returns : table checks, findings, agree, conflict, open, absent
    """
    table = consistency_table(project)
    names = {"agree": AGREE, "conflict": CONFLICT, "open": OPEN, "absent": NOT_CHECKED}
    counts = {name: int((table["verdict"] == verdict).sum()) for name, verdict in names.items()}
    told = {"checks": len(CHECKS), "findings": len(table) - counts["absent"]}
    return pd.DataFrame([{**told, **counts}])
