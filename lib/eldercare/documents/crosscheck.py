"""Holds the figures of a plan against the census and against what stands.

Each check takes a city and gives what it found; all figures come from rows of the tables. A city that
lacks the rows of a check gives nothing.   See also: consistency, the plan against itself
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from eldercare.analysis.compare import is_usable
from eldercare.inputs.load import City, Project
from eldercare.model import population
from eldercare.model.area import CENSUS_YEARS, describe_area

AGREE, CONFLICT, OPEN = "agrees", "conflicts", "open"
CLOSE = 0.02
Counts = dict[tuple[str, int], float]


@dataclass(frozen=True)
class Saying:
    """What is to be said, in no language yet; `Language.say` tells it.

    phrase_id : of data/phrases.csv
    values    : what fills its names: numbers, words as they are printed, rows with a label in both languages, a
                column with a word of it, other sayings, lists of these
    """

    phrase_id: str
    values: Mapping[str, object] = field(default_factory=dict)


def say(phrase_id: str, **values) -> Saying:
    """A saying of a phrase and what fills it."""
    return Saying(phrase_id, values)


@dataclass(frozen=True)
class Finding:
    """What one check found in one city.

    compares, result, follows : what it holds against what, what came out, and what follows, sentence by sentence
    verdict : agrees, conflicts, open (the documents do not say enough)
    numbers : the figures behind the result, by name
    """

    city_id: str
    compares: Saying
    result: tuple[Saying, ...]
    verdict: str
    follows: tuple[Saying, ...]
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


def older_people(project: Project, city: City, years) -> Counts:
    """Counts of people of 60 and over, by kind and year: both censuses, residents of years between them, the
    registered.
    """
    area = describe_area(project.china, city.adcode)
    counts: Counts = {}
    if area.earlier is not None:
        counts["census", CENSUS_YEARS[0]] = area.earlier[:, 60:].sum()
    between = [int(year) for year in years if CENSUS_YEARS[0] < year < CENSUS_YEARS[1]]
    path = population.history(project.china, area, between) if between else None
    if path is not None:
        people = population.people_in(path, 60)
        counts |= {("residents", year): float(people.sel(year=year)) for year in between}
    counts["census", CENSUS_YEARS[1]] = area.base[:, 60:].sum()
    if city.capacity is not None:
        rows = city.capacity[city.capacity["indicator"] == "population_60_plus_registered"]
        counts |= {("registered", int(row.year)): row.value for row in rows.itertuples()}
    return {name: round(float(count)) for name, count in counts.items()}


def _people(name: tuple[str, int]) -> Saying:
    kind, year = name
    return say(f"people_{kind}", year=year)


def _against(implied: float, counts: Counts) -> list[Saying]:
    return [
        say("people_against", people=_people(name), count=count, gap=implied / count - 1)
        for name, count in counts.items()
    ]


def _named(counts: Counts) -> dict[str, float]:
    return {f"{kind}_{year}": count for (kind, year), count in counts.items()}


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
    shown = [say("beds_rate", rate=rate, people=_people(name)) for name, rate in rates.items()]
    short = any(rate < ratio["value"] for (_, of), rate in rates.items() if of == year)
    told = {"nearest": _people(nearest), "rates": shown, "year": year}
    return [
        Finding(
            city.city_id,
            say("beds_imply_compared", beds=beds["value"], ratio=ratio["value"], year=year),
            (say("beds_imply_found", implied=implied, counts=_against(implied, counts)),),
            CONFLICT if short else OPEN,
            (say("beds_imply_short", **told) if short else say("beds_imply_met", **told),),
            {"implied": implied, **_named(counts)},
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
    own = counts.get(("registered", year))
    rate = math.nan if own is None else beds["value"] / own * 1000
    beside = [] if own is None else [say("stock_implies_own", rate=rate)]
    return [
        Finding(
            city.city_id,
            say("stock_implies_compared", beds=beds["value"], ratio=ratio["value"], year=year),
            (say("stock_implies_found", implied=implied, counts=_against(implied, counts)),),
            OPEN if own is None else AGREE if abs(own / implied - 1) < CLOSE else CONFLICT,
            (*beside, say("stock_implies_follow", nearest=_people(nearest))),
            {"implied": implied, "per_1000_own": rate, **_named(counts)},
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
    sums = {"stock": stock["value"], "new": new["value"], "total": total["value"]}
    return [
        Finding(
            city.city_id,
            say("new_beds_compared", stock_year=stock["year"], year=new["target_year"]),
            (say("new_beds_found", reached=reached, **sums),),
            AGREE if spare >= 0 else CONFLICT,
            (
                say("new_beds_spare", spare=spare)
                if spare >= 0
                else say("new_beds_short", short=-spare),
            ),
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
    told = {"total": total["value"], "first": first, "left": left}
    before = say("yearly_before", first=first, before=total["value"] - left)
    return [
        Finding(
            city.city_id,
            say(
                "yearly_compared",
                yearly=yearly["value"],
                total=total["value"],
                year=total["target_year"],
            ),
            (say("yearly_found", years=years, plan_year=city.plan_year, **told),),
            AGREE if first >= city.plan_year else OPEN,
            (before if first < city.plan_year else say("yearly_same"),),
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
    told = {"private": private["value"], "public": public["value"]}
    mirror = math.isclose(private["value"], beds)
    return [
        Finding(
            city.city_id,
            say("private_compared", **told),
            (say("private_found", beds=beds, **told),),
            OPEN,
            (say("private_mirror") if mirror else say("private_differ"), say("private_follow")),
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
    children = {("census", CENSUS_YEARS[1]): base[:, :3].sum()}
    own = promised(city, "population_under_3", "stock")
    if own is not None:
        children["document", city.plan_year or 0] = own["value"]
    shown = [
        say("places_one", count=count, people=_people(name), each=count / places)
        for name, count in children.items()
    ]
    told = {"places": places, "people": base.sum(), "year": CENSUS_YEARS[1]}
    return [
        Finding(
            city.city_id,
            say("places_compared", ratio=ratio["value"]),
            (say("places_found", children=shown, **told),),
            OPEN,
            (say("places_follow"),),
            {"places": places, **{kind: count for (kind, _), count in children.items()}},
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
                say("head_counts_compared", label=dict(row), year=CENSUS_YEARS[1]),
                (say("head_counts_found", document=row["value"], census=census, gap=gap),),
                AGREE if same else OPEN,
                (say("head_counts_same") if same else say("head_counts_other"),),
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
        shares = {"printed_share": row["value"] / people, "read_share": read / people}
        fits = say("damaged_fits") if read <= people else say("damaged_neither")
        out.append(
            Finding(
                city.city_id,
                say("damaged_compared", quote=row["quote_zh"], year=registered["year"]),
                (say("damaged_found", printed=row["value"], people=people, read=read, **shares),),
                OPEN,
                (fits, say("damaged_kept")),
                shares,
            )
        )
    return out


def licensed_institutions(project: Project, city: City) -> list[Finding]:
    """Institutions that are to hold a licence against those that stand."""
    licensed, stock = promised(city, "institutions_licensed"), standing(city, "institutions")
    if licensed is None or stock is None:
        return []
    share = licensed["value"] / stock["value"]
    counts = {"licensed": licensed["value"], "stock": stock["value"]}
    years = {"year": licensed["target_year"], "stock_year": stock["year"]}
    return [
        Finding(
            city.city_id,
            say("licensed_compared", **counts, **years),
            (say("licensed_found", share=share),),
            OPEN,
            (say("licensed_follow", rest=stock["value"] - licensed["value"]),),
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
            say("kinds_compared", total=total["value"], run=run["value"], own=own["value"]),
            (say("kinds_found", rest=rest, share=rest / total["value"]),),
            OPEN if rest >= 0 else CONFLICT,
            (say("kinds_follow"),),
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
