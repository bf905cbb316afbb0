"""The log of assumptions: what each row rests on, how old that is, what it moves, and what to
measure first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from eldercare.analysis.sensitivity import MAIN, Sensitivity, headlines, value_of_information
from eldercare.engine.quantity import DECLARED
from eldercare.inputs.draws import DEFAULT_DRAWS
from eldercare.inputs.load import Project
from eldercare.inputs.schema import ASSUMPTION_KEYS, BASES, STEPS
from eldercare.model.chain import QUANTILES, run_city, summarise

OWN = "own_judgement"
OLD, NOTED = 10, 0.01
GUESS, UNDOCUMENTED, STAND_IN = "guess", "undocumented", "stand_in"
GUESSES = (GUESS, UNDOCUMENTED)
Found = Mapping[str, Sensitivity]


def tied_ranges(
    project: Project, indicator: str, year: int, measure: str = "need", draws: int = DEFAULT_DRAWS
) -> pd.DataFrame:
    """How much wider a range is because rows of one survey or one judgement are drawn together.

    Returns : table city_id, indicator, year, measure, low, central, high, apart_low, apart_central,
              apart_high (drawn each by itself), unit, share_wider (of the 80 % range)
    """
    tied = project.correlations["assumption_b"] == ""
    loose = replace(project, correlations=project.correlations[~tied].reset_index(drop=True))
    rows = []
    for city_id in project.cities:
        told, apart = (
            summarise(
                run_city(one, city_id, draws=draws, last_year=year, names=[indicator])
                .quantity(indicator)
                .sel(year=[year], measure=measure)
            ).iloc[0]
            for one in (project, loose)
        )
        wider = (told["high"] - told["low"]) / (apart["high"] - apart["low"]) - 1
        row = {"city_id": city_id, "indicator": indicator, "year": year, "measure": measure}
        row |= {end: told[end] for end in QUANTILES}
        row |= {f"apart_{end}": apart[end] for end in QUANTILES}
        unit = DECLARED[indicator].unit.replace(" ", "_")
        rows.append({**row, "unit": unit, "share_wider": wider})
    return pd.DataFrame(rows)


def source_years(project: Project) -> pd.Series:
    """Year in which each source was issued, by source_id; NaN where it is not known."""
    issued = project.sources.set_index("source_id")["issued_on"]
    return pd.to_numeric(issued.str[:4], errors="coerce")


def rests_on(row: pd.Series) -> str:
    """What a row rests on: its basis; `undocumented` without a document and a place in it, which is
    a guess too.
    """
    if row["basis"] == GUESS:
        return GUESS
    if row["source_id"] == OWN or row["locator"] in ("", "none"):
        return UNDOCUMENTED
    return STAND_IN if row["basis"] == "analogy" else row["basis"]


def age_told(age: float, source_id: str) -> str:
    """Age of a source in years, in bold over ten; a dash where it is not known, nothing of own
    judgement.
    """
    if source_id == OWN:
        return ""
    if not np.isfinite(age):
        return "–"
    return f"**{age:.0f}**" if age > OLD else f"{age:.0f}"


def largest_totals(found: Found) -> pd.DataFrame:
    """Total index of each assumption on the main headlines, the largest over the cities.

    Returns : table, index assumption, a column a headline
    """
    table = pd.concat([one.table[one.table["kind"] == "assumption"] for one in found.values()])
    table = table[table["headline"].isin(MAIN)]
    table = table.assign(assumption=table["group"].str.split(" + ", regex=False))
    table = table.explode("assumption")
    return table.pivot_table("total", "assumption", "headline", aggfunc="max")[list(MAIN)]


def log_rows(project: Project, found: Found) -> pd.DataFrame:
    """All rows of the assumptions, of the nation and the cities, with step, age of the source and
    largest total index.

    Returns : the rows with columns keys, rests_on, step, age (years), age_told, largest, and
              share_… for each main headline, empty up to one per cent; guesses first, then by the
              largest index
    """
    own = [city.assumptions for city in project.cities.values() if len(city.assumptions)]
    rows = pd.concat([project.assumptions, *own], ignore_index=True)
    totals = largest_totals(found).reindex(rows["assumption"]).fillna(0.0)
    years = source_years(project)
    steps = project.assumption_steps.set_index("assumption")["step"]
    rows["keys"] = rows[list(ASSUMPTION_KEYS)].agg(" ".join, axis=1).str.split().str.join(" ")
    rows["rests_on"] = [rests_on(row) for _, row in rows.iterrows()]
    rows["locator"] = rows["locator"].replace("none", "")
    rows["step"] = rows["assumption"].map(steps).fillna("")
    rows["age"] = years.max() - rows["source_id"].map(years)
    rows["age_told"] = [age_told(*one) for one in zip(rows["age"], rows["source_id"])]
    for name in MAIN:
        share = pd.Series(totals[name].to_numpy())
        rows[f"share_{name}"] = share.astype(object).where(share > NOTED, "")
    rows["largest"] = totals.max(axis=1).to_numpy()
    first = ~rows["rests_on"].isin(GUESSES)
    order = rows["basis"].map({basis: place for place, basis in enumerate(reversed(BASES))})
    by = ["_first", "largest", "_order", "assumption", "city_id"]
    rows = rows.assign(_first=first, _order=order)
    rows = rows.sort_values(by, ascending=[True, False, True, True, True], kind="stable")
    return rows.drop(columns=["_first", "_order"]).reset_index(drop=True)


def log_counts(project: Project, found: Found) -> pd.DataFrame:
    """How much of the variance rests on guesses, old sources, and figures of other places: one row.

    Returns : table weighty, guessed, guessed_names, old, years, as_of, old_names, stand_in,
              stand_in_names
    """
    rows = log_rows(project, found)
    weighty = rows[rows["largest"] > NOTED].drop_duplicates("assumption")
    guessed = weighty[weighty["rests_on"].isin(GUESSES)]
    old, borrowed = rows[rows["age"] > OLD], rows[rows["rests_on"] == STAND_IN]
    told = {
        "weighty": len(weighty),
        "guessed": len(guessed),
        "guessed_names": list(guessed["assumption"]),
        "old": len(old),
        "years": OLD,
        "as_of": f"{source_years(project).max():.0f}",
        "old_names": sorted(old["assumption"].unique()),
        "stand_in": len(borrowed),
        "stand_in_names": sorted(borrowed["assumption"].unique()),
    }
    return pd.DataFrame([told])


def guess_shares(project: Project, found: Found) -> pd.DataFrame:
    """How much of the variance of each main headline rests on guesses, by the first-order index.

    Defined as::  sum over assumptions(index x part of its rows with a range that are guesses)

    Returns : table headline, share (mean of the cities), share_low, share_high (of a city)
    """
    rows = project.assumptions[project.assumptions["shape"] != "fixed"]
    guessed = rows.apply(rests_on, axis=1).isin(GUESSES).groupby(rows["assumption"]).mean()
    tables = []
    for one in found.values():
        table = one.table[(one.table["kind"] == "assumption") & one.table["headline"].isin(MAIN)]
        parts = [guessed.reindex(name.split(" + ")).fillna(0.0).mean() for name in table["group"]]
        tables.append((table["first_order"] * parts).groupby(table["headline"]).sum())
    each = pd.DataFrame(tables)[list(MAIN)]
    told = {"share": each.mean(), "share_low": each.min(), "share_high": each.max()}
    return pd.DataFrame(told).rename_axis("headline").reset_index()


def basis_counts(project: Project) -> pd.DataFrame:
    """How many national rows there are, how many are guesses, how many have a figure behind them:
    one row.

    Returns : table total, guesses, share_of_guesses, documented, city_rows
    """
    counts = project.assumptions["basis"].value_counts()
    total, guesses = int(counts.sum()), int(counts.get(GUESS, 0))
    told = {
        "total": total,
        "guesses": guesses,
        "share_of_guesses": guesses / total,
        "documented": int(counts.get("measured", 0) + counts.get("published", 0)),
        "city_rows": sum(len(city.assumptions) for city in project.cities.values()),
    }
    return pd.DataFrame([told])


def own_rows(project: Project) -> pd.DataFrame:
    """How many rows of its own each city has, and of which assumptions.  Returns: table city_id,
    rows, names
    """
    rows = [
        (city_id, len(city.assumptions), list(city.assumptions["assumption"].unique()))
        for city_id, city in project.cities.items()
    ]
    return pd.DataFrame(rows, columns=["city_id", "rows", "names"])


def step_table(found: Found, headline: str) -> pd.DataFrame:
    """Total index of each step, all its assumptions together, a row a step, a column a city."""
    columns = {}
    for city_id, one in found.items():
        table = one.table[(one.table["kind"] == "step") & (one.table["headline"] == headline)]
        columns[city_id] = table.set_index("group")["total"]
    table = pd.DataFrame(columns).fillna(0.0)
    return table.loc[[step for step in STEPS if step in table.index and step != "childcare"]]


def step_totals(found: Found) -> pd.DataFrame:
    """`step_table` of all main headlines, one under the other."""
    tables = {headline: step_table(found, headline) for headline in MAIN}
    return pd.concat(tables, names=["headline", "step"]).rename_axis(columns="city_id")


def strongest(found: Found, most: int = 4) -> pd.DataFrame:
    """The assumptions with the largest share of the spread of every headline, promises included.

    Returns : table city_id, headline, names (those that go together), share_alone,
              share_with_others
    """
    rows = []
    for city_id, one in found.items():
        table = one.table[one.table["kind"] == "assumption"]
        for headline in one.outcomes:
            top = table[(table["headline"] == headline) & (table["total"] > NOTED)]
            top = top.sort_values("first_order", ascending=False, kind="stable").head(most)
            rows += [
                (city_id, headline, row.group.split(" + "), row.first_order, row.total)
                for row in top.itertuples()
            ]
    columns = ["city_id", "headline", "names", "share_alone", "share_with_others"]
    return pd.DataFrame(rows, columns=columns)


def _units(project: Project, city_id: str) -> dict[str, str]:
    units = project.indicators.set_index("indicator")["unit"]
    return {one.name: units[one.indicator] for one in headlines(project.city(city_id))}


def to_measure(project: Project, found: Found) -> pd.DataFrame:
    """What a city should measure first, and how much narrower each main headline would be told: its
    to-do list.

    Returns : table city_id, headline, to_do, assumption, unit, now_value, then_value,
              together_value (widths of ranges)
    """
    widths = {f"width_{when}": f"{when}_value" for when in ("now", "then", "together")}
    parts = []
    for city_id, one in found.items():
        table = value_of_information(project, one).rename(columns=widths)
        table = table[table["headline"].isin(MAIN) & (table["first_order"] > NOTED)]
        parts.append(table.assign(unit=table["headline"].map(_units(project, city_id))))
    table = pd.concat(parts, ignore_index=True)
    place = {name: number for number, name in enumerate(sorted(MAIN))}
    cities = {city_id: number for number, city_id in enumerate(found)}
    order = table["city_id"].map(cities) * len(MAIN) + table["headline"].map(place)
    return table.loc[order.sort_values(kind="stable").index].reset_index(drop=True)


def first_to_measure(project: Project, found: Found, headline: str = "beds") -> pd.DataFrame:
    """One row a city: what to measure first for a headline and by how much its range would narrow.

    Returns : table city_id, headline, unit, names, now_value, together_value
    """
    table = to_measure(project, found)
    groups = table[table["headline"] == headline].groupby("city_id", sort=False)
    names = groups["assumption"].agg(list).rename("names")
    return groups.last().drop(columns=["assumption"]).join(names).reset_index()


def raising(
    project: Project, tables: Mapping[str, pd.DataFrame], headline: str, most: int = 3
) -> pd.DataFrame:
    """How much higher a headline would be if one row were at that end of its range which raises it.

    tables  : by city_id, as `sensitivity.tornado` gives them
    Returns : table city_id, headline, assumption, keys, unit, value (at the end), central, more,
              more_unit
    """

    def rows() -> Iterator[dict]:
        for city_id, table in tables.items():
            kept = table[(table["headline"] == headline) & (table["unit"] != "")].head(most)
            for row in kept.to_dict("records"):
                end = "high" if row["at_high"] >= row["at_middle"] else "low"
                yield {
                    "city_id": city_id,
                    **{name: row[name] for name in ("headline", "assumption", "keys", "unit")},
                    "value": row[end],
                    "central": row["central"],
                    "more": row[f"at_{end}"] - row["at_middle"],
                    "more_unit": _units(project, city_id)[headline],
                }

    return pd.DataFrame(rows())
