"""Tidy frames as a reader meets them: wide tables of texts, lists of sentences."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from IPython.display import Markdown

from eldercare.engine.quantity import upstream
from eldercare.model.chain import CityResult
from eldercare.reporting.blocks import Table
from eldercare.reporting.language import ENDS, Language, significant

DIGITS_OF_ROWS = 4
DEFINITIONS_OF_NEED = ("care_need", "people_with_dementia", "childcare_places_used")


def wide(
    words: Language,
    table: pd.DataFrame,
    rows: str | Sequence[str] = "city_id",
    columns: str = "year",
    middle: str = "central",
    unit: str | None = None,
    phrase: str = "",
) -> pd.DataFrame:
    """A tidy frame with a row for each of some keys, a column for each of another: `middle (low to
    high)`.

    What all rows are of, their label and unit, stands in the corner.

    table  : columns low, high, the middle, unit and the keys, as `Results.summary` gives it;
             without low and high, or where they are the same, the middle stands alone
    middle : `central`, or `mean` where parts stand beside a total; a head of means says so
    unit   : told with each cell, as "bed"; without it the numbers stand alone
    phrase : what each cell says, filled from its row, where it is not a range
    """
    keys = [rows] if isinstance(rows, str) else list(rows)
    text = words.sentences(phrase, table) if phrase else _ranges(words, table, middle, unit)
    told = table.assign(text=text)
    for key in (*keys, columns):
        if key == "from_age" or not pd.api.types.is_numeric_dtype(told[key]):
            told[key] = [words.part(key, word) for word in told[key]]
    out = told.pivot_table("text", keys, columns, aggfunc="first", sort=False)
    out = out.reindex(told.drop_duplicates(keys).set_index(keys).index)  # as the rows come
    out = out.fillna(words.phrase("not_available"))
    heads = [words.phrase(f"head_{middle}", head=head) for head in out.columns]
    index = [words.part("column", key) for key in keys]
    corner = _corner(words, table)
    return out.set_axis(heads, axis=1).rename_axis(index).rename_axis(columns=corner or None)


def _corner(words: Language, table: pd.DataFrame) -> str:
    """Label and unit of a tidy frame in which all rows have the same; empty where they differ or
    have none.
    """
    told = [*table.get("label", pd.Series(dtype=str)).unique()]
    units = [f"unit_{unit}" for unit in table["unit"].unique() if unit != "share"]
    if len(told) == len(units) == 1 and units[0] in words.phrases:
        return words.phrase("row_name", name=told[0], unit=words.phrase(units[0]))
    return told[0] if len(told) == 1 else ""


def _ranges(words: Language, table: pd.DataFrame, middle: str, unit: str | None) -> list[str]:
    return [_cell(words, row, middle, unit) for row in table.to_dict("records")]


def _cell(words: Language, row: dict, middle: str, unit: str | None) -> str:
    unit = unit or ("share" if row["unit"] == "share" else "plain")
    if "low" not in row:
        return words.value_with_unit(row[middle], unit)
    if row["low"] == row["high"] and unit == "plain":
        return words.given(row[middle])
    return words.range({**row, "central": row[middle]}, unit)


def say(*sentences: str) -> Markdown:
    """Sentences as a list that a notebook renders; they are outputs, so the tests guard their
    figures.
    """
    return Markdown("\n".join(f"- {sentence}" for sentence in sentences))


def markdown(table: pd.DataFrame) -> Markdown:
    """A table of long texts as Markdown: nothing is cut, and it weighs half of what a data frame
    does.
    """
    rows = [list(table.columns), ["---"] * table.shape[1], *table.astype(str).to_numpy().tolist()]
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return Markdown("\n".join(f"| {' | '.join(row)} |" for row in cells))


def listed(
    words: Language, table: pd.DataFrame, columns: Sequence[str], index: Sequence[str] = ()
) -> pd.DataFrame:
    """Some columns of a tidy frame, a row each, their cells told as in a sentence (see
    `Language.told`).

    columns : names of columns, or of what is made of several, as `range`;  index : those that head
              the rows
    """
    names = [*index, *columns]
    told = pd.DataFrame([words.told(row) for row in table.to_dict("records")], columns=names)
    heads = [words.part("column", name) for name in names]
    told = told.set_axis(heads, axis=1)
    return told.set_index(heads[: len(index)]) if index else told


def named(words: Language, table: pd.DataFrame, decimals: int | None = None) -> pd.DataFrame:
    """A frame of numbers with the labels of its rows and columns; their dims are the names of its
    axes.

    decimals : the numbers are shares and told in per cent with so many decimals; a cell without one
               stays empty
    """
    if decimals is not None:
        table = table.map(lambda share: "" if pd.isna(share) else words.percent(share, decimals))
    for axis in (0, 1):
        labels = table.axes[axis]
        told = [
            [words.part(name or "column", word) for word in labels.get_level_values(level)]
            for level, name in enumerate(labels.names)
        ]
        heads = [words.part("column", name) if name else None for name in labels.names]
        new = pd.MultiIndex.from_arrays(told) if len(told) > 1 else pd.Index(told[0])
        table = table.set_axis(new.set_names(heads), axis=axis)
    return table


def promises(words: Language, table: pd.DataFrame) -> pd.DataFrame:
    """Promises beside their need (`Results.targets`), with the gap and the definition of need in
    words.

    Returns : the table with columns gap and definition, its low, central, high called need_low …
    """
    gaps, definitions = [], []
    for row in table.to_dict("records"):
        amount = words.counted(abs(row["plain_gap"]), row["plain_unit"])
        name = "gap_over" if row["plain_gap"] >= 0 else "gap_short"
        gaps.append(words.phrase(name, amount=amount))
        below = upstream(row["measured_by"])
        found = [one for one in DEFINITIONS_OF_NEED if one in below] or ["none"]
        definitions.append(words.join("names_join", [words.of("definition", one) for one in found]))
    table = table.assign(gap=gaps, definition=definitions)
    return table.rename(columns={end: f"need_{end}" for end in ENDS})


def plan_tables(words: Language, plan: pd.DataFrame) -> list[Table]:
    """The plan (`analysis.plan.plan_table`) as tables with a row a year, each column in one unit.

    A table of which nothing is collected here is left out.
    """
    out = []
    for name, rows in plan.groupby("table", sort=False):
        if rows["central"].isna().all():
            continue
        heads, columns = [words.part("column", "year")], [[str(one) for one in _years(rows)]]
        for column, cells in rows.groupby("column", sort=False):
            unit = cells["unit"].iloc[0]
            scale = words.column_scale(cells["central"], unit)
            heads.append(words.column_head(words.phrase(f"plan_{column}"), unit, scale[0]))
            told = [words.column_cell(row, unit, scale) for row in cells.to_dict("records")]
            columns.append(told)
        caption = words.phrase("plan_caption", number=len(out) + 1, of=words.of("plan_of", name))
        out.append(Table(caption, tuple(heads), tuple(zip(*columns))))
    return out


def _years(rows: pd.DataFrame) -> list[int]:
    return list(dict.fromkeys(rows["year"]))


def show_whole() -> None:
    """Let notebooks show long cells and all rows of a table."""
    options = {"max_colwidth": 160, "max_rows": 400, "max_columns": 30, "width": 200}
    for name, value in options.items():
        pd.set_option(f"display.{name}", value)


def from_to(table: pd.DataFrame, keys: Sequence[str] = ("city_id",)) -> pd.DataFrame:
    """The rows of the last year of a tidy frame, with first_year and first_value of its first year
    beside.
    """
    groups = table.groupby(list(keys), sort=False)
    first, last = groups.first(), groups.last()
    return last.assign(first_year=first["year"], first_value=first["central"]).reset_index()


def numbered(table: pd.DataFrame, columns: Sequence[str], key: str = "city_id") -> pd.DataFrame:
    """One row a city: `columns` of its first row as part_1, of its second as part_2, and so on."""
    place = table.groupby(key).cumcount() + 1
    side = table.assign(place=place).pivot(index=key, columns="place", values=list(columns))
    side.columns = [f"{column}_{number}" for column, number in side.columns]
    rest = table.drop(columns=list(columns)).drop_duplicates(key).set_index(key)
    return rest.join(side.infer_objects()).reset_index()


def assumptions_used(words: Language, result: CityResult, *names: str) -> pd.DataFrame:
    """The rows of the assumptions that some step used for a city, with range, basis and source.

    names : of assumptions; all in force, if none is named
    """
    rows = result.assumptions.rows
    rows = rows[rows["assumption"].isin(names)] if names else rows
    told = [
        {
            "assumption": words.label(row["assumption"]),
            "keys": words.row_keys(row),
            **{end: words.given(significant(row[end], DIGITS_OF_ROWS)) for end in ENDS},
            "unit": words.of("unit", row["unit"]),
            "basis": words.of("basis", row["basis"]),
            "chosen": words.of("chosen", row["chosen_from"]),
            "source": row["source_id"],
        }
        for row in rows.to_dict("records")
    ]
    table = pd.DataFrame(told)
    return table.set_axis([words.part("column", name) for name in table], axis=1)
