"""Tidy frames as a reader meets them: wide tables of texts, lists of sentences."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from IPython.display import Markdown

from eldercare.reporting.language import Language


def wide(
    words: Language,
    table: pd.DataFrame,
    rows: str | Sequence[str] = "city_id",
    columns: str = "year",
    middle: str = "central",
    unit: str | None = None,
) -> pd.DataFrame:
    """A tidy frame with a row for each of some keys, a column for each of another: `middle (low to high)`.

    table  : columns low, high, the middle, unit and the keys, as `Results.summary` gives it
    middle : `central`, or `mean` where parts stand beside a total; a head of means says so
    unit   : told with each cell, as "bed"; without it the numbers stand alone
    """
    keys = [rows] if isinstance(rows, str) else list(rows)
    told = table.assign(
        text=[
            words.range({**row, "central": row[middle]}, unit or _bare(row["unit"]))
            for row in table.to_dict("records")
        ]
    )
    for key in (*keys, columns):
        if not pd.api.types.is_numeric_dtype(told[key]):
            told[key] = [words.part(key, word) for word in told[key]]
    out = told.pivot_table("text", keys, columns, aggfunc="first", sort=False)
    out = out.fillna(words.phrase("not_available"))
    heads = [words.phrase(f"head_{middle}", head=head) for head in out.columns]
    return out.set_axis(heads, axis=1).rename_axis([words.part("column", key) for key in keys])


def _bare(unit: str) -> str:
    return unit if unit == "share" else "plain"


def say(*sentences: str) -> Markdown:
    """Sentences as a list that a notebook renders; they are outputs, so the tests guard their figures."""
    return Markdown("\n".join(f"- {sentence}" for sentence in sentences))


def markdown(table: pd.DataFrame) -> Markdown:
    """A table of long texts as Markdown: nothing is cut, and it weighs half of what a data frame does."""
    rows = [list(table.columns), ["---"] * table.shape[1], *table.astype(str).to_numpy().tolist()]
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return Markdown("\n".join(f"| {' | '.join(row)} |" for row in cells))
