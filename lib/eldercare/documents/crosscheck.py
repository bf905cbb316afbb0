"""Holds the figures of a plan against the census and against what stands.

Each check takes a city and gives what it found; all figures come from rows of the tables. A city that
lacks the rows of a check gives nothing.   See also: consistency, the plan against itself
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

import pandas as pd

from eldercare.analysis.compare import is_usable
from eldercare.inputs.load import City, Project
from eldercare.model import population
from eldercare.model.area import CENSUS_YEARS, describe_area

AGREE, CONFLICT, OPEN = "agrees", "conflicts", "open"
CLOSE = 0.02


@dataclass(frozen=True)
class Finding:
    """What one check found in one city.

    numbers : the figures behind the result, by name
    verdict : agrees, conflicts, open (the documents do not say enough)
    """

    city_id: str
    compares: str
    result: str
    verdict: str
    follows: str
    numbers: dict[str, float] = field(default_factory=dict)


def promised(city: City, indicator: str, kind: str = "target") -> pd.Series | None:
    """The first usable row of an indicator that is no restatement; None if there is none."""
    rows = city.targets
    rows = rows[
        (rows["indicator"] == indicator) & (rows["kind"] == kind) & (rows["restates"] == "")
    ]
    return next((row for _, row in rows.iterrows() if is_usable(row)), None)


def standing(city: City, indicator: str, year: float | None = None) -> pd.Series | None:
    """The row of capacity.csv of a year, or the latest; None if there is none."""
    if city.capacity is None:
        return None
    rows = city.capacity[city.capacity["indicator"] == indicator].sort_values("year", kind="stable")
    rows = rows if year is None else rows[rows["year"] == year]
    return None if rows.empty else rows.iloc[-1]


def older_people(project: Project, city: City, years) -> dict[str, float]:
    """Counts of people of 60 and over: both censuses, residents of years between them, the
    registered.
    """
    area = describe_area(project.china, city.adcode)
    counts = (
        {} if area.earlier is None else {f"census of {CENSUS_YEARS[0]}": area.earlier[:, 60:].sum()}
    )
    between = [int(year) for year in years if CENSUS_YEARS[0] < year < CENSUS_YEARS[1]]
    path = population.history(project.china, area, between) if between else None
    if path is not None:
        people = population.people_in(path, 60)
        counts |= {
            f"residents at the end of {year}": float(people.sel(year=year)) for year in between
        }
    counts[f"census of {CENSUS_YEARS[1]}"] = area.base[:, 60:].sum()
    if city.capacity is not None:
        rows = city.capacity[city.capacity["indicator"] == "population_60_plus_registered"]
        counts |= {f"registered in {row.year:.0f}": row.value for row in rows.itertuples()}
    return {name: round(float(count)) for name, count in counts.items()}


def _against(implied: float, counts: dict[str, float]) -> str:
    return "; ".join(
        f"{name}: {count:,} ({implied / count - 1:+.0%} against it)"
        for name, count in counts.items()
    )


def beds_imply_people(project: Project, city: City) -> list[Finding]:
    """Beds promised over beds per 1,000 gives the older people the plan had in mind."""
    beds, ratio = promised(city, "beds_total"), promised(city, "beds_per_1000_older_people")
    if beds is None or ratio is None or beds["target_year"] != ratio["target_year"]:
        return []
    year = int(beds["target_year"])
    counts = older_people(project, city, (year - 1, year))
    implied = beds["value"] / ratio["value"] * 1000
    nearest = min(counts, key=lambda name: abs(counts[name] / implied - 1))
    rates = {name: beds["value"] / count * 1000 for name, count in counts.items()}
    shown = "; ".join(f"{rate:.1f} per 1,000 on {name}" for name, rate in rates.items())
    same_year = [rates[name] for name in rates if name.endswith(str(year))]
    short = any(rate < ratio["value"] for rate in same_year)
    return [
        Finding(
            city.city_id,
            f"{beds['value']:,.0f} beds, and {ratio['value']:g} beds per 1,000 older people, both for {year}",
            f"together they imply {implied:,.0f} older people. {_against(implied, counts)}",
            CONFLICT if short else OPEN,
            f"The nearest count is {nearest}, so the plan calculated with residents of its day rather than of its deadline, "
            f"or rounded. The same beds are {shown}: whoever keeps the number of beds misses the ratio by {year}."
            if short
            else f"The nearest count is {nearest}. The same beds are {shown}.",
            {"implied": implied, **counts},
        )
    ]


def stock_implies_people(project: Project, city: City) -> list[Finding]:
    """A published stock of beds over its own published ratio gives the older people it was divided
    by.
    """
    beds, ratio = standing(city, "beds_total"), standing(city, "beds_per_1000_older_people")
    if beds is None or ratio is None or beds["year"] != ratio["year"]:
        return []
    year = int(beds["year"])
    counts = older_people(project, city, (year - 1, year))
    implied = beds["value"] / ratio["value"] * 1000
    nearest = min(counts, key=lambda name: abs(counts[name] / implied - 1))
    own = counts.get(f"registered in {year}")
    beside = (
        ""
        if own is None
        else f"Divided by the registered count of the same year the beds are {beds['value'] / own * 1000:.1f} per 1,000. "
    )
    return [
        Finding(
            city.city_id,
            f"{beds['value']:,.0f} beds that stood in {year}, and {ratio['value']:g} per 1,000 printed beside them",
            f"the ratio implies {implied:,.0f} older people. {_against(implied, counts)}",
            OPEN if own is None else AGREE if abs(own / implied - 1) < CLOSE else CONFLICT,
            f"{beside}The printed ratio comes nearest to {nearest}. The beds are used, the ratio is not.",
            {
                "implied": implied,
                "per_1000_own": math.nan if own is None else beds["value"] / own * 1000,
                **counts,
            },
        )
    ]


def new_beds_reach_total(project: Project, city: City) -> list[Finding]:
    """Beds that stood in the year before, and the new ones, against the promised total."""
    total, new = promised(city, "beds_total"), promised(city, "beds_new")
    if total is None or new is None or total["target_year"] != new["target_year"]:
        return []
    stock = standing(city, "beds_total", total["target_year"] - 1)
    if stock is None:
        return []
    reached = stock["value"] + new["value"]
    spare = reached - total["value"]
    return [
        Finding(
            city.city_id,
            f"beds of {stock['year']:.0f} and new beds of {new['target_year']:.0f} against the promised total",
            f"{stock['value']:,.0f} + {new['value']:,.0f} = {reached:,.0f}; promised {total['value']:,.0f}",
            AGREE if spare >= 0 else CONFLICT,
            f"The new beds reach the total if at most {spare:,.0f} beds close in the year."
            if spare >= 0
            else f"The new beds leave {-spare:,.0f} beds wanting.",
            {"reached": reached, "spare": spare},
        )
    ]


def yearly_reaches_total(project: Project, city: City) -> list[Finding]:
    """A number of homes a year against the number in all, and the years the document leaves for it."""
    yearly, total = promised(city, "home_adaptations_per_year"), promised(city, "home_adaptations")
    if (
        yearly is None
        or total is None
        or city.plan_year is None
        or math.isnan(total["target_year"])
    ):
        return []
    years = total["value"] / yearly["value"]
    first = total["target_year"] - years + 1
    left = (total["target_year"] - city.plan_year + 1) * yearly["value"]
    return [
        Finding(
            city.city_id,
            f"{yearly['value']:g} homes a year against {total['value']:,.0f} in all by {total['target_year']:.0f}",
            f"{total['value']:,.0f} takes {years:g} years, so it began in {first:.0f}; from the document's year "
            f"{city.plan_year} on only {left:,.0f} can be reached",
            AGREE if first >= city.plan_year else OPEN,
            f"The total counts the years from {first:.0f} on, the five-year plan and not the document; "
            f"{total['value'] - left:,.0f} homes must have been adapted before its year."
            if first < city.plan_year
            else "Both say the same.",
            {"years": years, "first_year": first, "from_plan_year": left},
        )
    ]


def private_and_government(project: Project, city: City) -> list[Finding]:
    """A floor for private institutions against a ceiling for government-run beds."""
    private, public = (
        promised(city, "private_institution_share"),
        promised(city, "government_run_bed_share"),
    )
    if private is None or public is None:
        return []
    beds = 1 - public["value"]
    same = math.isclose(private["value"], beds)
    return [
        Finding(
            city.city_id,
            f"private institutions {private['value']:.0%} or more against government-run beds {public['value']:.0%} or less",
            f"a ceiling of {public['value']:.0%} for government-run beds leaves at least {beds:.0%} of beds to others; "
            f"the floor for private institutions is {private['value']:.0%}",
            OPEN,
            ("The figures mirror each other" if same else "The figures differ")
            + ", but one counts institutions and the other beds: they say the same only if homes are equally large, and "
            "homes built by government and run privately (公建民营) fall under neither. Neither can be put in place of the other.",
            {"private": private["value"], "beds_of_others": beds},
        )
    ]


def childcare_places(project: Project, city: City) -> list[Finding]:
    """Childcare places per 1,000 people, in places and for each child under 3."""
    ratio = promised(city, "childcare_places_per_1000_population")
    if ratio is None:
        return []
    base = describe_area(project.china, city.adcode).base
    places = ratio["value"] * base.sum() / 1000
    children = {f"census of {CENSUS_YEARS[1]}": base[:, :3].sum()}
    own = promised(city, "population_under_3", "stock")
    if own is not None:
        children["the document"] = own["value"]
    shown = "; ".join(
        f"{count:,.0f} children under 3 ({name}): one place for {count / places:.0f}"
        for name, count in children.items()
    )
    return [
        Finding(
            city.city_id,
            f"{ratio['value']:g} places per 1,000 people against the children under 3",
            f"{places:,.0f} places on {base.sum():,.0f} residents of {CENSUS_YEARS[1]}. {shown}",
            OPEN,
            "The base is all people, not children: with fewer births the same ratio serves a larger share of them. "
            "Whether residents or the registered are meant is not said.",
            {"places": places, **children},
        )
    ]


def head_counts(project: Project, city: City) -> list[Finding]:
    """The document's own counts of people against the census."""
    base = describe_area(project.china, city.adcode).base
    out = []
    for indicator, ages in (
        ("population_60_plus", slice(60, None)),
        ("population_under_3", slice(0, 3)),
    ):
        row = promised(city, indicator, "stock")
        if row is None:
            continue
        census = float(base[:, ages].sum())
        gap = row["value"] / census - 1
        same = abs(gap) < CLOSE / 4
        out.append(
            Finding(
                city.city_id,
                f"{row['label_en']}: the document's count against the census of {CENSUS_YEARS[1]}",
                f"{row['value']:,.0f} against {census:,.0f} residents ({gap:+.1%})",
                AGREE if same else OPEN,
                "The same to the document's rounding: the document counts residents (常住人口)."
                if same
                else "More than rounding: whom the document counts is not said. The census is used, the document's figure is kept as printed.",
                {"document": row["value"], "census": census},
            )
        )
    return out


def damaged_counts(project: Project, city: City) -> list[Finding]:
    """Counts of people that lost a character: as printed and as read, against all registered
    people.
    """
    registered = standing(city, "population_registered")
    rows = city.targets[
        (city.targets["unit"] == "person")
        & (city.targets["suspect"] != "")
        & (city.targets["reading"] != "")
    ]
    out = []
    for _, row in rows.iterrows():
        number = re.match(r"[\d.]+", row["reading"])
        if registered is None or not number:
            continue
        read, people = float(number[0]), registered["value"]
        fits = read <= people
        out.append(
            Finding(
                city.city_id,
                f"“{row['quote_zh']}” against the registered population of {registered['year']:.0f}",
                f"as printed {row['value']:,.0f} is {row['value'] / people:.2%} of {people:,.0f}; as read {read:,.0f} is {read / people:.0%}",
                OPEN,
                (
                    "The reading fits a promise for the whole city, the printed figure does not; "
                    if fits
                    else "Neither fits; "
                )
                + "the row keeps the printed value, and no calculation takes either.",
                {"printed_share": row["value"] / people, "read_share": read / people},
            )
        )
    return out


def licensed_institutions(project: Project, city: City) -> list[Finding]:
    """Institutions that are to hold a licence against those that stand."""
    licensed, stock = promised(city, "institutions_licensed"), standing(city, "institutions")
    if licensed is None or stock is None:
        return []
    share = licensed["value"] / stock["value"]
    return [
        Finding(
            city.city_id,
            f"{licensed['value']:.0f} licensed institutions in {licensed['target_year']:.0f} against the {stock['value']:.0f} that stood in {stock['year']:.0f}",
            f"{share:.0%} would hold a licence",
            OPEN,
            f"{stock['value'] - licensed['value']:.0f} institutions would stay without one. Shares “of institutions” mean very different "
            "numbers according to which of the two is counted, and the document does not say.",
            {"share": share},
        )
    ]


def kinds_of_institutions(project: Project, city: City) -> list[Finding]:
    """All institutions against those built by government and run privately, and the private ones."""
    total, run, own = (
        promised(city, f"institutions{kind}", "stock")
        for kind in ("", "_government_built_privately_run", "_private")
    )
    if total is None or run is None or own is None:
        return []
    rest = total["value"] - run["value"] - own["value"]
    return [
        Finding(
            city.city_id,
            f"{total['value']:.0f} institutions against {run['value']:.0f} publicly built and privately run (公建民营) and {own['value']:.0f} private",
            f"{rest:.0f} are neither, {rest / total['value']:.0%}",
            OPEN if rest >= 0 else CONFLICT,
            "The three are printed in different sections; that the rest is run by government is likely, but not said.",
            {"rest": rest},
        )
    ]


CHECKS = (
    beds_imply_people,
    stock_implies_people,
    new_beds_reach_total,
    yearly_reaches_total,
    private_and_government,
    childcare_places,
    head_counts,
    damaged_counts,
    licensed_institutions,
    kinds_of_institutions,
)
