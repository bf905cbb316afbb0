"""What moves the answer, as a reader meets it: the log of assumptions, the list of what to measure, sentences."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eldercare.analysis.sensitivity import MAIN, PROJECTION_ERROR, Sensitivity, value_of_knowing
from eldercare.inputs.load import City, Project
from eldercare.inputs.schema import BASES, STEPS
from eldercare.reporting.present import row_keys, text_number, text_percent

OWN = "own_judgement"
OLD, NOTED = 10, 0.01
HEADLINE_WORDS = {
    "beds": "beds",
    "nursing_beds": "nursing beds",
    "caregivers": "care workers",
    "yearly_cost": "million yuan a year",
}
GUESS, STAND_IN = "**guess**", "**stand-in**"


def headline_words(name: str) -> str:
    """A main headline in words."""
    return HEADLINE_WORDS[name]


def promise_words(city: City, name: str) -> str:
    """A headline in words, a promise by the label of its row."""
    if name in HEADLINE_WORDS:
        return HEADLINE_WORDS[name].replace("million yuan a year", "yearly cost")
    row = city.targets.set_index("target_id").loc[name]
    return f"promise for {row['target_year']:.0f}: {row['label_en']}"


def largest_totals(found: dict[str, Sensitivity]) -> pd.DataFrame:
    """Total index of each assumption on the main headlines, the largest over the cities.

    Returns : table, index assumption, a column a headline
    """
    parts = [one.table[one.table["kind"] == "assumption"] for one in found.values()]
    table = pd.concat(parts)
    table = table[table["headline"].isin(MAIN)]
    table = table.assign(assumption=table["group"].str.split(" + ", regex=False)).explode(
        "assumption"
    )
    return table.pivot_table("total", "assumption", "headline", aggfunc="max")[list(MAIN)]


def source_years(project: Project) -> pd.Series:
    """Year in which each source was issued, by source_id; NaN where it is not known."""
    issued = project.sources.set_index("source_id")["issued_on"]
    return pd.to_numeric(issued.str[:4], errors="coerce")


def named_basis(row: pd.Series) -> str:
    """What a row rests on; without a document and a place in it, it is a guess, in bold."""
    if row["basis"] == "guess" or row["source_id"] == OWN or row["locator"] in ("", "none"):
        return GUESS if row["basis"] == "guess" else f"{GUESS} ({row['basis']}, no document)"
    return f"{STAND_IN} (another place’s figure)" if row["basis"] == "analogy" else row["basis"]


def log_rows(project: Project, found: dict[str, Sensitivity]) -> pd.DataFrame:
    """All rows of the assumptions, of the nation and the cities, with step, age of the source and largest total index.

    Returns : the rows with columns named (what it rests on), step, age (years), and one for each main
              headline; guesses first, then by the largest index
    """
    own = [city.assumptions for city in project.cities.values() if len(city.assumptions)]
    rows = pd.concat([project.assumptions, *own], ignore_index=True)
    totals = largest_totals(found).reindex(rows["assumption"]).fillna(0.0)
    years = source_years(project)
    rows["named"] = [named_basis(row) for _, row in rows.iterrows()]
    rows["step"] = (
        rows["assumption"].map(project.assumption_steps.set_index("assumption")["step"]).fillna("")
    )
    rows["age"] = years.max() - rows["source_id"].map(years)
    rows[list(MAIN)] = totals.to_numpy()
    rows["largest"] = totals.max(axis=1).to_numpy()
    first = ~rows["named"].str.startswith(GUESS)
    order = rows["basis"].map({basis: place for place, basis in enumerate(reversed(BASES))})
    return (
        rows.assign(_first=first, _order=order)
        .sort_values(
            ["_first", "largest", "_order", "assumption", "city_id"],
            ascending=[True, False, True, True, True],
            kind="stable",
        )
        .drop(columns=["_first", "_order"])
        .reset_index(drop=True)
    )


def log_table(project: Project, found: dict[str, Sensitivity]) -> pd.DataFrame:
    """The log of assumptions as a reader meets it (see `log_rows`)."""
    rows = log_rows(project, found)
    out = pd.DataFrame(
        {
            "assumption": rows["assumption"].str.replace("_", " "),
            "for": [row_keys(row, row["city_id"]) for row in rows.to_dict("records")],
            "central (low to high)": [
                f"{row.central:.4g}"
                if row.low == row.high
                else f"{row.central:.4g} ({row.low:.4g} to {row.high:.4g})"
                for row in rows.itertuples()
            ],
            "unit": rows["unit"].str.replace("_", " "),
            "rests on": rows["named"],
            "source": [
                source if source != OWN else "own judgement" for source in rows["source_id"]
            ],
            "place": rows["locator"].replace("none", ""),
            "age": [text_age(age, source) for age, source in zip(rows["age"], rows["source_id"])],
            "used by": rows["step"],
        }
    )
    for name in MAIN:
        out[HEADLINE_WORDS[name].removesuffix(" a year")] = [
            text_index(value) for value in rows[name]
        ]
    return out.rename(columns={"million yuan": "cost"})


def text_age(age: float, source_id: str) -> str:
    """Age of a source in years; over ten years in bold."""
    if source_id == OWN:
        return ""
    if not np.isfinite(age):
        return "not known"
    return f"**{age:.0f}**" if age > OLD else f"{age:.0f}"


def text_index(total: float) -> str:
    """A total index in per cent; under 1 % a dot."""
    return "·" if total <= NOTED else text_percent(total)


def log_sentences(project: Project, found: dict[str, Sensitivity]) -> list[str]:
    """How much of the variance rests on guesses, old sources, and figures of other places."""
    rows = log_rows(project, found)
    noted = rows[rows["largest"] > NOTED].drop_duplicates("assumption")
    guessed = noted[noted["named"].str.startswith(GUESS)]
    names = ", ".join(name.replace("_", " ") for name in guessed["assumption"])
    old, borrowed = rows[rows["age"] > OLD], rows[rows["named"].str.startswith(STAND_IN)]
    return [
        f"{len(noted)} assumptions have a total index above 1 % of a headline of some city; {len(guessed)} of them rest, "
        f"wholly or in some row, on **guesses**: {names}.",
        f"{len(old)} rows rest on a source older than {OLD} years (as of {source_years(project).max():.0f}, the year of "
        f"the newest source): {_names(old)}.",
        f"{len(borrowed)} rows take over another place’s figure: {_names(borrowed)}.",
        f"The error of the projection itself ({PROJECTION_ERROR.replace('_', ' ')}) is no row: it comes from the back-test.",
    ]


def _names(rows: pd.DataFrame) -> str:
    return (
        ", ".join(name.replace("_", " ") for name in sorted(rows["assumption"].unique())) or "none"
    )


def step_table(found: dict[str, Sensitivity], headline: str) -> pd.DataFrame:
    """Total index of each step, all its assumptions together, a row a step, a column a city."""
    columns = {
        city_id: one.table[
            (one.table["kind"] == "step") & (one.table["headline"] == headline)
        ].set_index("group")["total"]
        for city_id, one in found.items()
    }
    table = pd.DataFrame(columns).fillna(0.0)
    return table.loc[[step for step in STEPS if step in table.index and step != "childcare"]]


def step_table_in_words(project: Project, found: dict[str, Sensitivity]) -> pd.DataFrame:
    """`step_table` of all main headlines in per cent."""
    parts = {}
    for headline in MAIN:
        table = step_table(found, headline).rename(
            columns={c: project.cities[c].name_en for c in found}
        )
        parts[HEADLINE_WORDS[headline].replace("million yuan a year", "yearly cost")] = table.map(
            text_percent
        )
    return pd.concat(parts, names=["headline", "step"])


def index_table_in_words(
    project: Project, found: dict[str, Sensitivity], most: int = 4
) -> pd.DataFrame:
    """The assumptions with the largest share of the spread of every headline, promises included: alone (with others)."""
    rows = []
    for city_id, one in found.items():
        table = one.table[one.table["kind"] == "assumption"]
        for headline in one.outcomes:
            top = table[(table["headline"] == headline) & (table["total"] > NOTED)]
            top = top.sort_values("first_order", ascending=False, kind="stable").head(most)
            cells = [
                f"{r.group.replace('_', ' ')} {text_percent(r.first_order)} ({text_percent(r.total)})"
                for r in top.itertuples()
            ]
            city = project.cities[city_id]
            rows.append(
                {
                    "city": city.name_en,
                    "headline": promise_words(city, headline),
                    "moves with: share of the spread, alone (with others)": "; ".join(cells),
                }
            )
    return pd.DataFrame(rows)


def to_do_table(project: Project, found: dict[str, Sensitivity]) -> pd.DataFrame:
    """What a city should measure first, and how much narrower each main headline would be told: its to-do list."""
    rows = []
    for city_id, one in found.items():
        table = value_of_knowing(project, one)
        for headline, part in table[table["headline"].isin(MAIN)].groupby("headline", sort=False):
            scale = 1e6 if headline == "yearly_cost" else 1
            rows += [
                {
                    "city": project.cities[city_id].name_en,
                    "headline": headline_words(headline),
                    "measure": row.to_do,
                    "instead of": row.assumption.replace("_", " "),
                    "width now": text_number(row.width_now / scale),
                    "width then": text_number(row.width_then / scale),
                    "with those above": text_number(row.width_together / scale),
                }
                for row in part[part["first_order"] > NOTED].itertuples()
            ]
    return pd.DataFrame(rows)


def to_do_sentences(
    project: Project, found: dict[str, Sensitivity], headline: str = "beds"
) -> list[str]:
    """One sentence a city: what to measure first and by how much the range would narrow."""
    out = []
    for city_id, one in found.items():
        table = value_of_knowing(project, one)
        part = table[(table["headline"] == headline) & (table["first_order"] > NOTED)]
        if part.empty:
            continue
        names = ", ".join(name.replace("_", " ") for name in part["assumption"])
        last = part.iloc[-1]
        out.append(
            f"{project.cities[city_id].name_en}: measured locally, {names} would narrow the range of {headline_words(headline)} "
            f"from {text_number(last['width_now'])} to {text_number(last['width_together'])}."
        )
    return out


def tornado_sentences(
    project: Project, tables: dict[str, pd.DataFrame], headline: str, most: int = 3
) -> list[str]:
    """What happens to a headline if one row of the assumptions were at its low or high, in planner's units."""
    out = []
    for city_id, table in tables.items():
        rows = table[(table["headline"] == headline) & (table["unit"] != "")].head(most)
        parts = []
        for row in rows.itertuples():
            upward = row.at_high >= row.at_middle
            end = "high" if upward else "low"
            more = (row.at_high if upward else row.at_low) - row.at_middle
            parts.append(
                f"{row_words(row)} were {value_words(getattr(row, end), row.unit)} instead of "
                f"{value_words(row.central, row.unit)}: {amount_words(more, headline)} more"
            )
        out.append(f"{project.cities[city_id].name_en}: if " + "; if ".join(parts) + ".")
    return out


def row_words(row) -> str:
    """Name of a row of the assumptions in words."""
    name = row.assumption.replace("_", " ").replace("adl ", "ADL ")
    return f"{name} ({row.keys.replace('_', ' ')})" if row.keys else name


def value_words(value: float, unit: str) -> str:
    """An assumption's value with its unit; shares and yearly rates in per cent."""
    if unit == "share":
        return f"{value * 100:.3g} %"
    return f"{value * 100 + 0:.2g} % a year" if unit == "per_year" else f"{value:.4g}"


def amount_words(amount: float, headline: str) -> str:
    """An amount of a headline in planner's units."""
    return f"{text_number(amount / (1e6 if headline == 'yearly_cost' else 1))} {headline_words(headline)}"
