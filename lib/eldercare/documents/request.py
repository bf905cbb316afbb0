"""What a city is asked to measure first, and what it answered: the sheets of a workbook, and the
rows of its tables that are made of them.

The sheets are made anew when an answer is read, so that a header or a unit that was changed shows.
A county's figure enters the tables of its city as a part of a sum: the tables know the city alone.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from openpyxl.utils import get_column_letter

from eldercare.analysis.assumption_log import to_measure
from eldercare.analysis.plan import PLAN, counties_of
from eldercare.analysis.sensitivity import Sensitivity, headlines
from eldercare.documents.new_city import allowed_words, meaning
from eldercare.documents.progress import as_of, progress_template
from eldercare.inputs import schema
from eldercare.inputs.draws import choose_rows
from eldercare.inputs.load import City, Project
from eldercare.inputs.published import DECIDED, listed
from eldercare.inputs.reading import SheetCells, how_to_write, iso_date, workbook_sheets
from eldercare.inputs.schema import ASSUMPTION_KEYS, DataFault, Fault
from eldercare.model.base import BASE_YEAR

TABLES = ("capacity", "population", "progress", "assumptions")
NOW = ("now_low", "now_central", "now_high")
ENDS = ("low", "central", "high")
CITED = ("source_id", "locator", "note")
# The columns of each sheet, and which of them are to be filled in.
COLUMNS = {
    "capacity": ("code", "county", "indicator", "name", "definition", "bed_type", "year", "value",
                 "unit", *CITED),
    "population": ("code", "county", "age", "date", "value", "unit", "basis", "kind", "source_id",
                   "note"),
    "progress": ("target_id", "name", "reported_on", "scope", "value", "unit", *CITED),
    "assumptions": ("assumption", "name", "definition", *ASSUMPTION_KEYS, "year_from", "unit", *NOW,
                    *ENDS, "price_year", "basis", *CITED),
    "sources": ("source_id", "title_zh", "title_en", "issuer", "document_number", "issued_on",
                "url", "licence", "note"),
}  # fmt: skip
FILLED = {
    "capacity": {"bed_type", "year", "value", *CITED},
    "population": {"date", "value", "basis", "kind", "source_id", "note"},
    "progress": {"reported_on", "scope", "value", *CITED},
    "assumptions": {*ENDS, "price_year", "basis", *CITED},
    "sources": set(COLUMNS["sources"]),
}
NUMBERS = {"year", "value", "price_year", *ENDS}
FIRST = ("headline", "rank", "assumption", "name", "definition", "narrower")
NEEDED_OF_SOURCE = ("title_zh", "issuer", "issued_on")


@dataclass(frozen=True)
class Sheet:
    """A sheet of the request: its title and headers in both languages, its rows, and which cells are to be filled in."""

    name: str
    title: str
    columns: tuple[str, ...]
    headers: list[str]
    rows: list[dict]
    filled: frozenset[str] = frozenset()
    words: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """A row for a table of the city, and where it was read: the sheet as faults name it, the cells by column."""

    table: str
    sheet: str
    row: dict
    cells: dict[str, str]

    def fault(self, column: str, problem: str) -> Fault:
        """A fault of the cell that a column was read from, that of the figure for one without a cell."""
        cells = self.cells
        cell = cells.get(column) or cells.get("value") or cells.get("central") or cells["source_id"]
        return Fault(f"{self.sheet}, cell {cell}", None, None, problem)


@dataclass(frozen=True)
class Answers:
    """What a workbook that came back says: rows for the tables, sources, and all that is wrong in it."""

    city_id: str
    rows: list[Answer]
    sources: list[dict]
    faults: list[Fault]


class _Words:
    """Phrases and words of the tables in both languages, the Chinese first."""

    def __init__(self, project: Project):
        self.phrases = project.phrases.set_index("phrase_id")
        self.said = {
            (row.column, row.word): (row.en, row.zh) for row in project.column_guide.itertuples()
        }
        self.to_do = dict(zip(project.phrases["en"], project.phrases["zh"]))

    def both(self, phrase_id: str) -> str:
        return f"{self.phrases.at[phrase_id, 'zh']} {self.phrases.at[phrase_id, 'en']}"

    def header(self, column: str, sheet: str = "") -> str:
        """What heads a column; the `basis` of a count is whom it counts, another than that of an assumption."""
        column = "population_basis" if (sheet, column) == ("population", "basis") else column
        own = f"asked_{column}"
        return self.both(own if own in self.phrases.index else f"column_{column}")

    def word(self, column: str, word: str) -> str:
        return f"{meaning(column, word, self.said, self.phrases)[1]} {word}".strip() if word else ""

    def unit(self, unit: str) -> str:
        return self.both(f"unit_{unit}")

    def done(self, to_do: str) -> str:
        return f"{self.to_do.get(to_do, '')} {to_do}".strip()


def places(project: Project, city: City) -> dict[int, str]:
    """The city and, of a prefecture, its counties as they are today: name by code, the city first.

    Counties of the census that were joined since stand as the one that they became.
    """
    areas, changes = project.china.areas, project.china.code_changes
    found = {city.adcode: str(areas.loc[(city.adcode, BASE_YEAR), "name"])}
    for code in counties_of(project, city.adcode):
        became = changes[(changes["adcode"] == code) & (changes["note"] == "")]
        if len(became) == 1:
            found[int(became["new_adcode"].iloc[0])] = str(became["new_name"].iloc[0])
        else:
            found[code] = str(areas.loc[(code, BASE_YEAR), "name"])
    return found


def request(project: Project, city_id: str, found: Sensitivity | None = None) -> list[Sheet]:
    """The sheets of a request: what to measure first, then a sheet for each table, then the sources.

    found   : how much each assumption moves the headlines (`sensitivity`), by which the assumptions
              are chosen and put in order; without it the sheets of an answer, with all assumptions
    Returns : Sheets in their order
    Raises  : KeyError for an unknown city
    """
    city, words = project.city(city_id), _Words(project)
    order, sheets = None, []
    if found is not None:
        table = to_measure(project, {city_id: found})
        main = [one.name for one in headlines(city)]
        table = table.sort_values(
            "headline", key=lambda names: names.map(main.index), kind="stable"
        )
        order = list(dict.fromkeys(table["assumption"]))
        rows = _first_rows(project, words, table)
        headers = [words.header(column) for column in FIRST]
        sheets.append(Sheet("first", words.both("sheet_first"), FIRST, headers, rows))
    rows_of = {
        "capacity": _capacity_rows(project, city, words),
        "population": _population_rows(project, city, words),
        "progress": _progress_rows(project, city, words),
        "assumptions": _assumption_rows(project, city, words, order),
        "sources": [
            {
                "source_id": f"{city_id}_collected",
                "title_zh": words.phrases.at["asked_about", "zh"].format(city=city.name_zh),
                "title_en": words.phrases.at["asked_about", "en"].format(city=city.name_en),
                "licence": "not stated",
            }
        ],
    }
    for name, rows in rows_of.items():
        columns = COLUMNS[name]
        table = getattr(schema, name.upper())
        lists = {
            column: [words.word(column, word) for word in allowed]
            for column in FILLED[name] & set(table.columns)
            if (allowed := allowed_words(table.columns[column]))
        }
        sheets.append(
            Sheet(
                name,
                words.both(f"sheet_{name}"),
                columns,
                [words.header(column, name) for column in columns],
                rows,
                frozenset(FILLED[name]),
                lists,
            )
        )
    return sheets


def about(project: Project, city_id: str) -> Sheet:
    """The first sheet, in both languages; its first line names the city, by which an answer is known."""
    words = _Words(project)
    city = project.city(city_id)
    told: dict[str, dict] = {
        "asked_first": {"sheet": words.both("sheet_first")},
        "asked_fixed": {},
        "asked_units": {},
        "asked_county_rule": {},
        "asked_rows": {},
        "asked_range": {},
        "asked_source": {"sheet": words.both("sheet_sources")},
        "asked_known": {"year": as_of(project), "census_year": BASE_YEAR},
        "asked_take": {},
    }
    lines = [
        {"line": str(words.phrases.at[name, language]).format(**of)}
        for language in ("zh", "en")
        for name, of in told.items()
    ]
    title = str(words.phrases.at["sheet_readme", "zh"])
    return Sheet("about", title, ("line",), [_title(words, city)], lines)


def _title(words: _Words, city: City) -> str:
    told = [
        words.phrases.at["asked_about", language].format(city=name)
        for language, name in (("zh", city.name_zh), ("en", city.name_en))
    ]
    return f"{' '.join(told)} [{city.city_id}]"


def _first_rows(project: Project, words: _Words, table: pd.DataFrame) -> list[dict]:
    steps = project.assumption_steps.set_index("assumption")
    return [
        {
            "headline": words.both(f"headline_{row.headline}"),
            "rank": float(row.rank),
            "assumption": row.assumption,
            "name": f"{steps.at[row.assumption, 'label_zh']} {steps.at[row.assumption, 'label_en']}",
            "definition": words.done(row.to_do),
            "narrower": 1 - row.then_value / row.now_value,
        }
        for row in table.itertuples()
    ]


def _capacity_rows(project: Project, city: City, words: _Words) -> list[dict]:
    rows = []
    every = places(project, city)
    facts = project.facts[project.facts["asked"] != ""]
    decided = facts["indicator"].isin(DECIDED)
    for fact in pd.concat([facts[~decided], facts[decided]]).itertuples():
        asked = every if fact.asked == "county" else {city.adcode: every[city.adcode]}
        rows += [
            {
                "code": float(code),
                "county": name,
                "indicator": fact.indicator,
                "name": words.both(f"fact_{fact.indicator}"),
                "definition": f"{fact.definition_zh} {fact.definition}",
                "unit": words.unit(fact.unit),
            }
            for code, name in asked.items()
        ]
    return rows


def _ages() -> list[str]:
    """The ages that the plan tells people by, and all together."""
    ends = [name for name in PLAN["people"] if name.endswith("_plus")]
    return [schema.ALL_AGES, *(name.replace("_plus", "+") for name in ends)]


def _population_rows(project: Project, city: City, words: _Words) -> list[dict]:
    basis = words.word("basis", city.population_basis)
    return [
        {
            "code": float(code), "county": name, "age": age, "unit": words.unit("person"),
            "basis": basis,
        }
        for age in _ages()
        for code, name in places(project, city).items()
    ]  # fmt: skip


def _progress_rows(project: Project, city: City, words: _Words) -> list[dict]:
    labels = city.targets.set_index("target_id")
    return [
        {
            "target_id": row["target_id"],
            "name": f"{row['note']} {labels.at[row['target_id'], 'label_en']}",
            "scope": words.word("scope", row["scope"]),
            "unit": words.unit(row["unit"]),
        }
        for row in progress_template(project, city.city_id).to_dict("records")
    ]


def _assumption_rows(
    project: Project, city: City, words: _Words, order: list[str] | None
) -> list[dict]:
    """Rows in force of what the city can measure, in the order of the value of knowing them."""
    rows, steps = choose_rows(project, city), project.assumption_steps.set_index("assumption")
    local = list(steps.index[steps["local"] == "yes"]) if order is None else order
    rows = rows[rows["assumption"].isin(local) & rows["year_from"].isna()]
    rows = rows[rows["low"] < rows["high"]]  # what is settled is not asked
    rows = rows.sort_values("assumption", key=lambda names: names.map(local.index), kind="stable")
    return [
        {
            **{name: row[name] for name in ("assumption", *ASSUMPTION_KEYS)},
            "name": f"{steps.at[row['assumption'], 'label_zh']} {steps.at[row['assumption'], 'label_en']}",
            "definition": words.done(steps.at[row["assumption"], "to_do"]),
            "unit": words.unit(row["unit"]),
            **{now: row[end] for now, end in zip(NOW, ENDS)},
        }
        for row in rows.to_dict("records")
    ]


def answers(project: Project, path: Path) -> Answers:
    """What a filled-in request says, each cell checked; what is wrong is told by sheet and cell.

    Raises : DataFault if the file is no workbook, or no request of a city of this project
    """
    found, words = workbook_sheets(path), _Words(project)
    first = next(iter(found.values()))
    title = first.rows[0][0] if first.rows and first.rows[0] else ""
    named = {_title(words, city): city for city in project.cities.values()}
    if title not in named:
        problem = (
            f"“{title}” names no city of this project as data-request does; there are: "
            f"{', '.join(named)}"
        )
        where = f"{path.name}, sheet “{next(iter(found))}”, cell A1"
        raise DataFault([Fault(where, None, None, problem)], "nothing was taken")
    city = named[title]
    reader = _Reader(project, city, path.name, words)
    for sheet in request(project, city.city_id):
        if sheet.title not in found:
            there = ", ".join(found)
            problem = f"the sheet “{sheet.title}” is missing; there are: {there}"
            reader.faults.append(Fault(path.name, None, None, problem))
            continue
        reader.read(sheet, found[sheet.title])
    return reader.done()


class _Reader:
    """Reads the sheets of an answer one after the other, and keeps what is wrong until all are read."""

    def __init__(self, project: Project, city: City, file: str, words: _Words):
        self.project, self.city, self.file, self.words = project, city, file, words
        self.places = places(project, city)
        self.units = project.facts.set_index("indicator")
        self.faults: list[Fault] = []
        self.found: dict[str, list[Answer]] = {}
        self.asked: dict[str, list[Answer]] = {}

    def at(self, title: str) -> str:
        """A sheet as faults name it."""
        return f"{self.file}, sheet “{title}”"

    def tell(self, sheet: Sheet, cell: str, problem: str) -> None:
        """Keep a fault of a cell."""
        self.faults.append(Fault(f"{self.at(sheet.title)}, cell {cell}", None, None, problem))

    def read(self, sheet: Sheet, cells: SheetCells) -> None:
        """Read one sheet: nothing of it where its headers were changed, else all rows without a fault."""
        before = len(self.faults)
        for merged in cells.merged:
            self.tell(sheet, merged, "these cells are merged; part them, one value a cell")
        head = cells.rows[0] if cells.rows else []
        for place, header in enumerate(sheet.headers):
            there = head[place] if place < len(head) else ""
            if there != header:
                cell = f"{get_column_letter(place + 1)}1"
                problem = f"the header “{there}” was changed; it must be “{header}”"
                self.tell(sheet, cell, problem)
        if len(self.faults) > before:
            return
        rows, asked = [], []
        for number, values in enumerate(cells.rows[1:], start=2):
            at = {
                name: f"{get_column_letter(place)}{number}"
                for place, name in enumerate(sheet.columns, start=1)
            }
            row = dict(zip(sheet.columns, [*values, *[""] * len(sheet.columns)]))
            if not any(row.values()):
                continue
            one = Answer(sheet.name, self.at(sheet.title), row, at)
            asked.append(one)
            said = self._is_answered(sheet, row, at, cells.formulas)
            if said and (checked := self._checked(sheet, one, cells.formulas)):
                rows.append(checked)
        self.asked[sheet.name], self.found[sheet.name] = asked, rows

    def _is_answered(self, sheet: Sheet, row: dict, at: dict, formulas: dict) -> bool:
        values = ENDS if sheet.name == "assumptions" else ("value",)
        if sheet.name == "sources":
            return bool(row["source_id"])
        return any(row[name] or at[name] in formulas for name in values)

    def _checked(self, sheet: Sheet, one: Answer, formulas: dict) -> Answer | None:
        """The row with words and numbers as the tables hold them; None with its faults told where it has any."""
        before, row = len(self.faults), dict(one.row)
        for name, cell in one.cells.items():
            if cell in formulas and (name in sheet.filled or name in ("code", "unit")):
                problem = (
                    f"“{formulas[cell]}” is a formula; write its value (copy, paste as values)"
                )
                self.tell(sheet, cell, problem)
                row[name] = ""
                continue
            try:
                row[name] = self._value(sheet, name, row)
            except ValueError as error:
                self.tell(sheet, cell, str(error))
        if len(self.faults) == before and sheet.name != "sources":
            for name, problem in self._missing(sheet, row):
                self.tell(sheet, one.cells[name], problem)
        return replace(one, row=row) if len(self.faults) == before else None

    def _value(self, sheet: Sheet, name: str, row: dict) -> str | float:
        text = row[name]
        if name in NUMBERS and name in sheet.filled:
            return _number(text, name)
        if name in sheet.words and text:
            return _word(text, sheet.words[name])
        if name in ("reported_on", "date", "issued_on"):
            return iso_date(text)
        if name in ("code", "county"):
            return self._county(name, text, row["code"])
        if name == "unit":
            return self._unit(sheet, text, row)
        if name == "indicator" and text not in (
            known := list(self.units.index[self.units["asked"] != ""])
        ):
            raise ValueError(f"“{text}” is not asked here; there are: {listed(known)}")
        return text

    def _county(self, name: str, text: str, code: str) -> str:
        """A code that is the city's or a county's, and the name that goes with it."""
        known = {str(one): told for one, told in self.places.items()}
        if code not in known:
            if name == "county":
                return text  # told at the code
            there = ", ".join(f"{one} {told}" for one, told in known.items())
            raise ValueError(
                f"“{text}” is no county of {self.city.name_zh or self.city.name_en}; there are: {there}"
            )
        if name == "county" and text != known[code]:
            raise ValueError(f"“{text}” must be {known[code]}, the name of {code}")
        return text

    def _unit(self, sheet: Sheet, text: str, row: dict) -> str:
        """The unit as the tables write it, if the cell still holds what it was sent with."""
        unit = self._unit_asked(sheet, row)
        if unit and text != (asked := self.words.unit(unit)):
            raise ValueError(
                f"“{text}” where {asked} is asked; write the value in that unit, and the unit as it was"
            )
        return unit

    def _unit_asked(self, sheet: Sheet, row: dict) -> str:
        if sheet.name == "population":
            return "person"
        if sheet.name == "capacity":
            return str(self.units["unit"].get(row["indicator"], ""))
        if sheet.name == "progress":
            return str(self.city.targets.set_index("target_id")["unit"].get(row["target_id"], ""))
        of_nation = self.project.assumptions.drop_duplicates("assumption")
        return str(of_nation.set_index("assumption")["unit"].get(row["assumption"], ""))

    def _missing(self, sheet: Sheet, row: dict) -> list[tuple[str, str]]:
        """What an answered row lacks, and a year before the data: column and problem."""
        found = []
        if not row["source_id"]:
            sources = self.words.both("sheet_sources")
            found.append(("source_id", f"is empty; name a source, a row of the sheet “{sources}”"))
        needed = {"capacity": ("year",), "population": ("date", "basis", "kind"),
                  "progress": ("reported_on", "scope"), "assumptions": ("basis",)}  # fmt: skip
        for name in needed[sheet.name]:
            if row[name] == "" or (name == "year" and math.isnan(row[name])):
                found.append((name, "is empty, and the row has a value"))
        if sheet.name == "capacity" and row["year"] < BASE_YEAR:
            problem = (
                f"“{row['year']:g}” lies before the data, which begin with the census of {BASE_YEAR}; "
                "an older count goes into capacity.csv by hand"
            )
            found.append(("year", problem))
        if (
            sheet.name == "capacity"
            and self.units.at[row["indicator"], "asked"] == "city"
            and row["code"] != str(self.city.adcode)
        ):
            problem = f"{row['indicator']} is asked of the city as a whole, {self.city.adcode}"
            found.append(("code", problem))
        plan = self.city.plan_year
        if sheet.name == "progress" and plan and row["reported_on"][:4] < str(plan):
            day = row["reported_on"]
            if day:
                found.append(("reported_on", f"“{day}” lies before the plan of {plan}"))
        if sheet.name == "assumptions":
            one = [end for end in ENDS if math.isnan(row[end])]
            if one not in ([], ["low", "high"]):
                problem = "give central alone, or low, central and high"
                found.append((one[0], f"is empty; {problem}"))
        return found

    def done(self) -> Answers:
        """All rows for the tables, the counties' added up, and the sources that they name."""
        rows: list[Answer] = []
        faulty = {fault.file.partition(", cell")[0] for fault in self.faults}
        for name, keys in (
            ("capacity", ("indicator", "bed_type", "year")),
            ("population", ("date", "age", "basis")),
        ):
            whole = self.at(self.words.both(f"sheet_{name}")) not in faulty
            rows += self._added_up(name, keys, whole)
        rows += [_plain(one, "progress") for one in self.found.get("progress", [])]
        rows += [self._of_assumption(one) for one in self.found.get("assumptions", [])]
        sources = self._sources(rows)
        return Answers(self.city.city_id, rows, sources, self.faults)

    def _added_up(self, name: str, keys: tuple[str, ...], whole: bool) -> list[Answer]:
        """Rows of the city: its own, or the sum of its counties.

        whole : whether no row of the sheet was left out for a fault, so that a missing county is missing
        """
        groups: dict[tuple, list[Answer]] = defaultdict(list)
        for one in self.found.get(name, []):
            groups[tuple(one.row[key] for key in keys)].append(one)
        rows = []
        for group in groups.values():
            own = [one for one in group if one.row["code"] == str(self.city.adcode)]
            parts = [one for one in group if one not in own]
            if self._repeated(name, group):
                continue
            if parts and not own:
                if self._lacks(name, parts, whole):
                    continue
                rows.append(self._sum(name, parts))
            elif own:
                self._compare(name, own[0], parts)
                rows.append(_plain(own[0], name, self.city.city_id))
        return rows

    def _repeated(self, name: str, group: list[Answer]) -> bool:
        seen: dict[str, Answer] = {}
        again = [one for one in group if seen.setdefault(one.row["code"], one) is not one]
        for one in again:
            first = seen[one.row["code"]].cells["value"]
            problem = f"{one.row['county']} is counted in {first} already; keep one"
            self.faults.append(one.fault("value", problem))
        return bool(again)

    def _lacks(self, name: str, parts: list[Answer], whole: bool) -> bool:
        """Whether parts of a sum are missing or of several sources, which is told."""
        first = parts[0]
        for column in ("source_id", *(("kind",) if name == "population" else ())):
            other = next((one for one in parts if one.row[column] != first.row[column]), None)
            if other is not None:
                problem = (
                    f"“{other.row[column]}” and “{first.row[column]}” ({first.cells[column]}) in one "
                    "sum of counties; a sum has one"
                )
                self.faults.append(other.fault(column, problem))
                return True
        if first.row.get("indicator") in DECIDED:
            return False
        there = {one.row["code"] for one in parts}
        missing = [code for code in self.places if str(code) not in {str(self.city.adcode), *there}]
        if missing and whole:
            same = "indicator" if name == "capacity" else "age"
            rows = {(one.row["code"], one.row[same]): one for one in self.asked[name][::-1]}
            for code in missing:
                empty = rows.get((str(code), first.row[same]), first)
                problem = (
                    f"{self.places[code]} has no value, and the counties of {first.row[same]} are added "
                    "up; fill it in, 0 if there is none, or the row of the whole city alone"
                )
                self.faults.append(empty.fault("value", problem))
        return bool(missing)

    def _sum(self, name: str, parts: list[Answer]) -> Answer:
        total = sum(one.row["value"] for one in parts)
        told = "; ".join(f"{one.row['county']} {one.row['value']:.12g}" for one in parts)
        notes = dict.fromkeys(one.row["note"] for one in parts if one.row["note"])
        note = "; ".join([f"sum of {len(parts)} counties: {told}", *notes])
        locators = dict.fromkeys(one.row["locator"] for one in parts if one.row.get("locator"))
        row = {**parts[0].row, "value": total, "note": note, "locator": "; ".join(locators)}
        return _plain(replace(parts[0], row=row), name, self.city.city_id)

    def _compare(self, name: str, own: Answer, parts: list[Answer]) -> None:
        """Tell a row of the whole city that is not the sum of all its counties, or less than of some."""
        total = sum(one.row["value"] for one in parts)
        value, every = own.row["value"], len(parts) == len(self.places) - 1
        if parts and (value < total or (every and value != total)):
            problem = (
                f"“{value:.12g}” of the whole city, and its counties are {total:.12g} together"
            )
            self.faults.append(own.fault("value", problem))

    def _of_assumption(self, one: Answer) -> Answer:
        """A row of assumptions: without a range it is fixed, else of the shape of the row in force."""
        row = dict(one.row)
        rows = choose_rows(self.project, self.city)
        same = rows["assumption"] == row["assumption"]
        for key in ASSUMPTION_KEYS:
            same &= rows[key] == row[key]
        shapes = [shape for shape in rows.loc[same, "shape"] if shape != "fixed"]
        if math.isnan(row["low"]) or row["low"] == row["high"]:
            row.update(low=row["central"], high=row["central"], shape="fixed")
        else:
            row["shape"] = shapes[0] if shapes else "triangular"
        return _plain(replace(one, row=row), "assumptions", self.city.city_id)

    def _sources(self, rows: list[Answer]) -> list[dict]:
        """Sources that rows name and the project does not know yet; what they lack is told."""
        known = set(self.project.sources["source_id"])
        sheet = self.words.both("sheet_sources")
        if "sources" not in self.found:
            return []
        given = {one.row["source_id"]: one for one in self.found["sources"]}
        told: dict[str, Answer] = {}
        for one in rows:
            source = one.row["source_id"]
            if source in given:
                told[source] = given[source]
            elif source not in known:
                problem = f"“{source}” is no source of the sheet “{sheet}” nor of sources.csv; add a row there"
                self.faults.append(one.fault("source_id", problem))
        for source, one in told.items():
            for name in NEEDED_OF_SOURCE if source not in known else ():
                if not one.row[name]:
                    self.faults.append(one.fault(name, f"is empty, and {source} is named"))
        return [one.row for one in told.values()]


def _plain(one: Answer, table: str, city_id: str = "") -> Answer:
    """An answer with the columns of its table alone, in their order."""
    row = {**one.row, "city_id": city_id}
    columns = getattr(schema, table.upper()).columns
    return replace(one, row={name: row.get(name, "") for name in columns})


def _number(text: str, column: str) -> float:
    if not text:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not np.isfinite(value):
        raise ValueError(
            f"“{text}” is not a number; {how_to_write(text.rstrip('人张所元个户'), column)}"
        )
    return value


def _word(text: str, allowed: list[str]) -> str:
    """The word of the tables that a cell means: itself, its Chinese, or both as the list offers them."""
    for both in allowed:
        chinese, _, word = both.rpartition(" ")
        if text in (both, chinese, word):
            return word
    raise ValueError(f"“{text}” must be one of: {', '.join(allowed)}")
