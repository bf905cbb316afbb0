"""The folder of a new city: its tables with headers, a guide to their columns, and its row of
sources.csv.
"""

from __future__ import annotations

import csv
import io
import re

import pandas as pd
import pandera.pandas as pa

from eldercare.inputs import schema
from eldercare.inputs.checks import CITY_ID
from eldercare.inputs.load import Project
from eldercare.model.area_names import latin_name

TABLES = ("targets", "capacity", "population", "assumptions", "progress", "exceptions")
GUIDE = "columns.md"


def city_id_of(project: Project, code: int) -> str:
    """A name for the folder, from the area's name in latin letters; with the province where that is
    taken.
    """
    plain = re.sub(r"[^a-z0-9]+", "_", latin_name(project.china, code).lower()).strip("_")
    if plain not in project.cities:
        return plain
    province = latin_name(project.china, code // 10000 * 10000).lower().replace(" ", "_")
    return f"{plain}_{province}"


def city_files(project: Project, code: int, city_id: str) -> dict[str, str]:
    """The files of a new city, by their path below `data/`, `sources.csv` with its new row among
    them.

    code   : six-digit code of the census of 2020;  city_id : name of the folder
    Raises : ValueError if the folder's name is no name of a city, or the city or area is there
             already
    """
    if not CITY_ID.fullmatch(city_id):
        raise ValueError(
            f"“{city_id}” is no name of a city's folder: small letters, digits and _, beginning with a letter"
        )
    for other in project.cities.values():
        if other.city_id == city_id:
            raise ValueError(f"data/cities/{city_id} is there already; give another name with --id")
        if other.adcode == code:
            raise ValueError(f"{code} is there already, as data/cities/{other.city_id}")
    source_id = f"{city_id}_plan"
    name_zh = str(project.china.areas.loc[(code, 2020), "name"])
    english = latin_name(project.china, code)
    if any(other.name_en == english for other in project.cities.values()):
        english = f"{english} ({latin_name(project.china, code // 10000 * 10000)})"
    row = {
        "city_id": city_id, "name_en": english, "name_zh": name_zh,
        "adcode": str(code), "source_id": source_id,
    }  # fmt: skip
    at = f"cities/{city_id}"
    files = {f"{at}/city.csv": csv_text(list(schema.CITY.columns), [row])}
    for name in TABLES:
        files[f"{at}/{name}.csv"] = csv_text(list(_schema(name).columns), [])
    files[f"{at}/{GUIDE}"] = column_guide(project)
    files["sources.csv"] = with_source(
        project,
        source_id,
        note=f"document of {city_id}: write title, issuer, number, date and address",
    )
    return files


def with_source(project: Project, source_id: str, **cells: str) -> str:
    """`sources.csv` with a row for a source: new, or the empty cells of the row that is there
    filled in.
    """
    rows = project.sources.fillna("").to_dict("records")
    there = next((row for row in rows if row["source_id"] == source_id), None)
    if there is None:
        rows.append({"source_id": source_id, **cells})
        rows.sort(key=lambda row: row["source_id"])
    else:
        there.update({name: cell for name, cell in cells.items() if not there[name]})
    return csv_text(list(schema.SOURCES.columns), rows)


def csv_text(columns: list[str], rows: list[dict]) -> str:
    """Rows as the text of a CSV file, numbers without a needless point."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({name: cell_text(cell) for name, cell in row.items()} for row in rows)
    return buffer.getvalue()


def cell_text(value: object) -> str:
    """A cell as the text of a CSV file: a number without a needless point, nothing for what is not known."""
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.12g}"
    return "" if value is None else str(value)


def _schema(name: str) -> pa.DataFrameSchema:
    table: pa.DataFrameSchema = getattr(schema, name.upper())
    return table


def column_guide(project: Project) -> str:
    """What each column of a city's tables holds and which words it may have, in both languages.

    The tables, their columns and words are those of the schemas; the meanings are rows of
    `column_guide.csv` and, for units, bounds and bases, of `phrases.csv`. A column that means something
    else in one table stands there with the table's name, as `population.basis`.
    """
    said = {(row.column, row.word): (row.en, row.zh) for row in project.column_guide.itertuples()}
    phrases = project.phrases.set_index("phrase_id")
    lines = ["# The tables of a city", ""]
    for name in ("city", *TABLES, "targets_draft"):
        lines += [
            f"## {name}.csv",
            "",
            "| column | meaning | 含义 | words |",
            "| --- | --- | --- | --- |",
        ]
        for column, rule in _schema(name).columns.items():
            here = f"{name}.{column}"
            en, zh = said.get((here, ""), said.get((column, ""), (column, "")))
            of_all_units = column == "unit" and here not in {one for one, _ in said}
            words = "" if of_all_units else _words_text(column, rule, said, phrases)
            lines.append(f"| `{column}` | {en} | {zh} | {words} |")
        lines.append("")
    lines += ["## Units", "", "| unit | meaning | 含义 |", "| --- | --- | --- |"]
    for unit in sorted(schema.UNITS):
        en, zh = meaning("unit", unit, said, phrases)
        lines.append(f"| `{unit}` | {en} | {zh} |")
    return "\n".join(lines) + "\n"


def allowed_words(rule: pa.Column) -> list[str]:
    """The words that a column of a table may hold, none where any text may stand."""
    return [
        word
        for check in rule.checks
        for word in check.statistics.get("allowed_values", ())
        if isinstance(word, str) and word
    ]


def _words_text(column: str, rule: pa.Column, said: dict, phrases: pd.DataFrame) -> str:
    told = []
    for word in allowed_words(rule):
        en, zh = meaning(column, word, said, phrases)
        told.append(f"`{word}`" + (f" {en} {zh}" if zh else ""))
    return "; ".join(told)


def meaning(column: str, word: str, said: dict, phrases: pd.DataFrame) -> tuple[str, str]:
    """A word of a column in both languages; empty where no table says it."""
    key = f"{column}_{word}"
    if (column, word) in said:
        return said[column, word]
    if key in phrases.index:
        return str(phrases.at[key, "en"]), str(phrases.at[key, "zh"])
    return "", ""
