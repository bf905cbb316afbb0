"""Words and numbers in one language, from data/phrases.csv and the labels of the tables."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path

import numpy as np
import pandas as pd

from eldercare.documents.crosscheck import Saying
from eldercare.inputs.load import NATION, China, City, Project
from eldercare.inputs.schema import ADL, ASSUMPTION_KEYS
from eldercare.messages import LANGUAGES, language_of_run
from eldercare.model.area_names import latin_names
from eldercare.model.base import province_of
from eldercare.model.chain import BASE_YEAR

# A number of this size and above is told in large units: millions and billions, or tens of thousands and hundreds of millions.
SIZES = {"en": (1e6, 1e9), "zh": (1e4, 1e8)}
THOUSANDS = {"en": ",", "zh": ""}
DIGITS = 3
FAR_ABOVE = 1e5
ENDS = ("low", "central", "high")
# Columns of tidy tables whose numbers are in the unit of the row, and those that name something as it is written.
IN_UNIT = (*ENDS, "mean", "value", "promised", "use")
AS_WRITTEN = ("source_id", "target_id", "printed", "notebook")
COUNTED = frozenset({"bed", "household", "person", "place", "worker", "yuan"})
WHOLE = COUNTED - {"yuan"}
KEYS = ("sex", "severity", "setting", "bed_type")


def significant(value: float, digits: int = 3) -> float:
    """A number rounded to some significant digits; 0 and NaN stay as they are."""
    if not np.isfinite(value) or value == 0:
        return value
    return float(f"{value:.{digits - 1}e}")


def sentence_case(label: str) -> str:
    """A label with a capital first letter and the rest as it stands."""
    return label[:1].upper() + label[1:]


@dataclass(frozen=True)
class Language:
    """A language of the report: its phrases, its labels, and how it writes numbers.

    code    : en or zh
    phrases : text with names in braces, by phrase_id
    labels  : of indicators and of assumptions, by name
    cities  : names of the cities, by city_id
    areas   : names of the areas of the census in this language, by the Chinese name
    counted_by : by which definition the project counts need of care, in a sentence; empty if by the default
    """

    code: str
    phrases: Mapping[str, str] = field(repr=False)
    labels: Mapping[str, str] = field(repr=False)
    cities: Mapping[str, str] = field(default_factory=dict, repr=False)
    areas: Mapping[str, str] = field(default_factory=dict, repr=False)
    counted_by: str = ""

    def phrase(self, phrase_id: str, **values) -> str:
        """A phrase with its names filled in.  Raises: KeyError if data/phrases.csv has no such phrase"""
        if phrase_id not in self.phrases:
            raise KeyError(f"data/phrases.csv has no phrase “{phrase_id}”")
        return self.phrases[phrase_id].format(**values)

    def label(self, name: str) -> str:
        """Label of an indicator or an assumption."""
        return self.labels[name]

    def of(self, family: str, word: str) -> str:
        """The phrase for a word of the tables, as `of("unit", "bed")`; empty for an empty cell."""
        return self.phrase(f"{family}_{word}") if word else ""

    def part(self, dim: str, word) -> str:
        """A label of a dim as a reader meets it: a city's name, a phrase of the family, else the word itself."""
        if dim == "city_id":
            return self.cities.get(word, word)
        if dim in ("area", "province"):
            return self.areas.get(word, word)
        if dim == "from_age":
            return self.phrase("age_from", first=word)
        for name in (re.sub(r"\W+", "_", f"{dim}_{word}"), word):
            if name in self.phrases:
                return self.phrases[name]
        if dim in AS_WRITTEN:
            return str(word)
        return self.labels.get(word, str(word).replace("_", " "))

    def sentences(self, phrase_id: str, table: pd.DataFrame) -> list[str]:
        """A phrase for each row of a tidy table, which fills its names (see `told`).

        phrase_id : may name a column itself, as `balance_{known}`, where some rows are told in other words
        """
        return [
            self.phrase(phrase_id.format(**row), **self.told(row))
            for row in table.to_dict("records")
        ]

    def say(self, one: Saying) -> str:
        """What is to be said, with its values in words; those of a list one after the other, of a row its label."""
        return self.phrase(
            one.phrase_id, **{name: self._said(value) for name, value in one.values.items()}
        )

    def _said(self, value):
        if isinstance(value, Saying):
            return self.say(value)
        if isinstance(value, list):
            return self.join("items_join", [self._said(part) for part in value])
        if isinstance(value, tuple):
            return self.part(*value)
        return self.text(value, "label") if isinstance(value, dict) else value

    def told(self, row: dict) -> dict:
        """The cells of a row of a tidy table as a reader meets them.

        A number of the columns mean, low, central, high, value, promised, use or of one that ends in `_value`
        is told in the unit of the row (column `unit`), of `change…` with its sign as well, of one that ends
        in `_given` as it was given; of a column `share…` or `chance…` in per cent, of `signed…` in per cent
        with its sign, of `ratio…` without a unit; a year as it is; sayings one after the other. `range` and `mean_range` are made of low,
        central or mean, and high, and so is `need_range` of need_low, need_central, need_high; `label` of
        label_en and label_zh, as any other such pair, `factor` of assumption and keys. Keys are told by their labels, those with a
        number behind their name (`part_2`) as well; the rest stands as it is.
        """
        unit = row.get("unit", "plain")
        told = {name: self._cell(name, cell, unit) for name, cell in row.items()}
        if {"low", "mean", "high"} <= row.keys():
            told["mean_range"] = self.range({**row, "central": row["mean"]}, unit)
        for name in [name for name in row if name.endswith("central")]:
            before = name.removesuffix("central")
            ends = {end: row.get(before + end, math.nan) for end in ENDS}
            told[f"{before}range"] = "" if row[name] == "" else self.range(ends, unit)
        for name in [name.removesuffix("_en") for name in row if name.endswith("_en")]:
            if f"{name}_zh" in row:
                text = self.text(row, name)
                told[name] = sentence_case(text) if name == "label" else text
        if {"assumption", "keys"} <= row.keys():
            name = told["factor"] = told["assumption"]
            if row["keys"]:
                told["factor"] = self.phrase("assumption_name", name=name, keys=told["keys"])
        return told

    def _cell(self, name: str, cell, unit: str):
        if isinstance(cell, tuple):
            return self.join_sentences([self.say(one) for one in cell])
        if isinstance(cell, list):
            return self.join("list_join", [self.part(name, one) for one in cell])
        if isinstance(cell, str):
            numbered = re.sub(r"_\d+$", "", name)
            return self.keys(cell.split()) if name == "keys" else self.part(numbered, cell)
        if name.endswith("_given"):
            return self.percent(cell) if unit == "share" else self.given(cell)
        if name in IN_UNIT or name.endswith("_value"):
            return self.value_with_unit(cell, unit)
        if name.startswith("change"):
            return self.signed(cell, unit)
        if name in ("year", "year_from") or name.endswith("_year"):
            return f"{cell:.0f}" if np.isfinite(cell) else self.phrase("not_applicable")
        if name.startswith("chance"):
            return self.chance(cell)
        if name.startswith("signed"):
            return self.percent(cell, 1, signed=True)
        if name.startswith("share"):
            return self.percent(cell)
        if name.startswith("ratio"):
            return self.number(cell)
        return self.part(name, cell) if name == "from_age" else cell

    def text(self, row: Mapping, column: str) -> str:
        """The cell of a pair of columns, as label_en and label_zh; that of the other language where it is empty."""
        other = LANGUAGES[1 - LANGUAGES.index(self.code)]
        return row[f"{column}_{self.code}"] or row[f"{column}_{other}"]

    def city(self, project: Project, city: City) -> str:
        """Name of a city; its name in the census where its folder gives none."""
        own = city.name_en if self.code == LANGUAGES[0] else city.name_zh
        return own or str(project.china.areas.loc[(city.adcode, BASE_YEAR), "name"])

    def area(self, china: China, code: int) -> str:
        """Name of an area of the census of 2020."""
        return self.part("area", str(china.areas.loc[(code, BASE_YEAR), "name"]))

    def change_basis(self, project: Project, adcode: int) -> str:
        """What the area's net migration rests on, and how well the ranges held in its province when put to the test."""
        china, province = project.china, province_of(adcode)
        rows = china.projection_error_province
        rows = rows[rows["adcode"] == province].set_index("from_age")
        text = [self.phrase("change_facts")]
        if adcode != NATION:
            name = self.area(china, province)
            parts = {f"held_{age}": f"{rows.at[age, 'in_80'] * 100:.0f}" for age in rows.index}
            errors = {f"error_{age}": f"{rows.at[age, 'median'] * 100:.1f}" for age in rows.index}
            count = str(int(rows["areas"].iloc[0]))
            text.append(self.phrase("province_held", province=name, areas=count, **parts, **errors))
        return self.join_sentences(text)

    def join_sentences(self, sentences: list[str]) -> str:
        """Whole sentences one after the other."""
        return (" " if self.code == LANGUAGES[0] else "").join(sentences)

    def row_keys(self, row: Mapping) -> str:
        """What a row of the assumptions holds for: its keys and the year from which it does."""
        keys = [self.keys([row[key] for key in ASSUMPTION_KEYS])]
        if np.isfinite(row["year_from"]):
            keys.append(self.phrase("from_year", year=f"{row['year_from']:.0f}"))
        return self.join("names_join", [key for key in keys if key])

    def figure_note(self, note: str) -> str:
        """That a table's row has a note on its figure; notes are in one language, so readers are told where it stands."""
        if not note:
            return ""
        place = self.phrase("note_in_table", sheet=self.phrase("sheet_capacity"))
        return self.phrase("text_figure_note", note=place)

    def join(self, kind: str, parts: list[str]) -> str:
        """Parts put one after the other by a phrase such as `list_join`."""
        return (
            reduce(lambda one, other: self.phrase(kind, one=one, other=other), parts)
            if parts
            else ""
        )

    def number(self, value: float, size: float | None = None) -> str:
        """Three significant digits, large numbers in the units of the language; a phrase where nothing is known.

        size : unit to tell it in, 1 or one of those of the language; by default that which suits it
        """
        if not np.isfinite(value):
            return self.phrase("not_available")
        rounded = significant(float(value), DIGITS)
        size = self._size(rounded) if size is None or rounded == 0 else size
        if size > 1:
            name = "large_number" if size == SIZES[self.code][0] else "very_large_number"
            return self.phrase(name, number=self._digits(significant(rounded / size, DIGITS)))
        few = abs(rounded) < 10 ** (DIGITS - 1) and value != int(value)
        return (
            self._digits(rounded) if few else f"{rounded:,.0f}".replace(",", THOUSANDS[self.code])
        )

    def _size(self, rounded: float) -> float:
        return max((size for size in SIZES[self.code] if abs(rounded) >= size), default=1)

    def _digits(self, value: float) -> str:
        decimals = max(0, DIGITS - 1 - math.floor(math.log10(abs(value))))
        return f"{value:,.{decimals}f}".replace(",", THOUSANDS[self.code])

    def numbers(self, row: Mapping) -> dict[str, str]:
        """Low, central and high of a range, all in the large unit that suits the smallest of them, or in the next
        where the others are far above it.
        """
        known = [significant(float(row[end]), DIGITS) for end in ENDS]
        size = min((self._size(value) for value in known if value), default=1)
        if size > 1 and max(map(abs, known)) >= FAR_ABOVE * size:
            size = SIZES[self.code][-1]
        return {end: self.number(row[end], size) for end in ENDS}

    def column_scale(self, middles: Iterable[float], unit: str) -> tuple[float, float]:
        """In what size a column of a table is told, and to what step its numbers are rounded.

        The size is that of the language which suits the middle one of them; the step gives the
        smallest three digits, and no less than one of what is counted.
        """
        known = sorted(abs(value) for value in middles if np.isfinite(value) and value)
        if not known:
            return 1, 1
        step = 10.0 ** (math.floor(math.log10(known[0])) - DIGITS + 1)
        return self._size(known[len(known) // 2]), max(step, 1.0) if unit in COUNTED else step

    def column_head(self, name: str, unit: str, size: float) -> str:
        """The head of such a column: its name with its size and unit."""
        if unit == "share":
            return self.phrase("row_name", name=name, unit="%")
        told = self.of("unit", unit)
        if size > 1:
            phrase = "unit_large" if size == SIZES[self.code][0] else "unit_very_large"
            told = self.phrase(phrase, unit=told)
        return self.phrase("row_name", name=name, unit=told)

    def column_cell(self, row: Mapping, unit: str, scale: tuple[float, float]) -> str:
        """The middle and the range of such a column, without its unit; what has no range stands alone."""
        size, step = (0.01, 0.01) if unit == "share" else scale
        if not np.isfinite(row["central"]):
            return self.phrase("not_available")
        decimals = max(0, round(math.log10(size / step)))
        texts = {end: f"{round(row[end] / step) * step / size + 0.0:,.{decimals}f}" for end in ENDS}
        told = {end: text.replace(",", THOUSANDS[self.code]) for end, text in texts.items()}
        same = told["low"] == told["high"]
        return told["central"] if same else self.phrase("range_plain", **told)

    def given(self, value: float, _position=None) -> str:
        """A number as it was given, without needless zeros: beside an axis, or of an assumption."""
        if not np.isfinite(value):
            return self.phrase("not_available")
        large, very_large = SIZES[self.code]
        for size, phrase_id in ((very_large, "very_large_number"), (large, "large_number")):
            if abs(value) >= size:
                return self.phrase(phrase_id, number=f"{value / size:g}")
        return f"{value:,g}".replace(",", THOUSANDS[self.code])

    def percent(self, share: float, decimals: int | None = None, signed: bool = False) -> str:
        """A share in per cent: whole ones, below ten two significant digits, or so many decimals.

        signed : with a plus before what is more than nothing; what is told as zero has no sign
        """
        if not np.isfinite(share):
            return self.phrase("not_available")
        percent = share * 100
        if decimals is not None:
            text = f"{percent:.{decimals}f}"
        else:
            text = f"{significant(percent, 2):g}" if abs(percent) < 10 else f"{percent:.0f}"
        text = text if float(text) else text.lstrip("-")
        return f"{'+' if signed and float(text) > 0 else ''}{text}%"

    def chance(self, share: float) -> str:
        """A chance in per cent; draws cannot tell more than under one and over 99 in a hundred."""
        if share < 0.01:
            return self.phrase("chance_low")
        return self.phrase("chance_high") if share > 0.99 else f"{share * 100:.0f}%"

    def value(self, value: float, unit: str) -> str:
        """A number of a unit without the unit; shares and yearly rates in per cent, years as they are."""
        if unit in ("share", "per_year"):
            return self.percent(value)
        return f"{value:g}" if unit == "year" and np.isfinite(value) else self.number(value)

    def value_with_unit(self, value: float, unit: str) -> str:
        """The same with its unit behind it."""
        if unit in COUNTED or not np.isfinite(value):
            return self.counted(value, unit)
        return self.with_unit(self.value(value, unit), unit)

    def signed(self, value: float, unit: str) -> str:
        """A change with its sign and unit."""
        sign = "" if not value else "+" if value > 0 else "−"
        return f"{sign}{self.value_with_unit(abs(value), unit)}"

    def with_unit(self, text: str, unit: str) -> str:
        """A number or range with its unit; per cent need none."""
        if unit in ("share", "plain"):
            return text
        return (
            self.phrase("per_year_text", number=text)
            if unit == "per_year"
            else self.phrase("with_unit", number=text, unit=self.of("unit", unit))
        )

    def counted(self, value: float, unit: str) -> str:
        """So many beds, people, homes, places, care workers or yuan."""
        if not np.isfinite(value):
            return self.number(value)
        return self.phrase(f"count_{unit}", number=self.number(_whole(value, unit)))

    def range(self, row: pd.Series | Mapping, unit: str = "plain") -> str:
        """The middle and, in brackets, low and high, of a row with these three; with its unit.

        unit : bed, person, worker, yuan, another of the closed list, or plain for none
        """
        if not np.isfinite(row["central"]):
            return self.number(math.nan)
        if f"range_{unit}" in self.phrases:
            return self.phrase(
                f"range_{unit}", **self.numbers({end: _whole(row[end], unit) for end in ENDS})
            )
        if unit == "share":
            return self.phrase("range_plain", **{end: self.percent(row[end]) for end in ENDS})
        return self.phrase("range_with_unit", **self.numbers(row), unit=self.of("unit", unit))

    def keys(self, words: list[str]) -> str:
        """Age band, sex, severity, place of care and type of bed of a row, in words, one after the other."""
        return self.join("names_join", [self._key(word) for word in words if word])

    def _key(self, word: str) -> str:
        if word[0].isdigit():
            first, _, last = word.rstrip("+").partition("-")
            return (
                self.phrase("age_range", first=first, last=last)
                if last
                else self.phrase("age_from", first=first)
            )
        return next(self.of(family, word) for family in KEYS if f"{family}_{word}" in self.phrases)


def _whole(value: float, unit: str) -> float:
    """Few beds, people and so on are told as whole ones; many are rounded once, to three digits, later."""
    return round(value) if unit in WHOLE and abs(value) < 10 ** (DIGITS - 1) else value


def edition(folder: Path, code: str) -> Path:
    """The part of `notebooks/` or `figures/` in a language: English lies in the folder itself, others in one of theirs."""
    return folder if code == LANGUAGES[0] else folder / code


def load_language(project: Project, code: str = "") -> Language:
    """The language of that code; without one that of the run.

    Raises : KeyError with the languages there are, for an unknown one
    """
    code = code or language_of_run()
    if code not in LANGUAGES:
        raise KeyError(f"no language “{code}”; there are: {', '.join(LANGUAGES)}")
    labels = {
        **dict(zip(project.indicators["indicator"], project.indicators[f"label_{code}"])),
        **dict(
            zip(project.assumption_steps["assumption"], project.assumption_steps[f"label_{code}"])
        ),
    }
    phrases = dict(zip(project.phrases["phrase_id"], project.phrases[code]))
    for row in project.china.care_grades.to_dict("records"):
        phrases[f"service_class_{row['service_class']}"] = row[f"label_{code}"]
    abroad = [] if project.world is None else project.world.care_use_series.to_dict("records")
    phrases |= {f"place_{row['place']}": row[f"place_{code}"] for row in abroad}
    for city in project.cities.values():
        for row in city.targets.to_dict("records"):
            told = {"label": row[f"label_{code}"], "year": f"{row['target_year']:.0f}"}
            labels[row["target_id"]] = phrases["promise_of_year"].format(**told)
    areas = latin_names(project.china) if code == LANGUAGES[0] else {}
    words = Language(code, phrases, labels, areas=areas)
    cities = {city_id: words.city(project, city) for city_id, city in project.cities.items()}
    counted_by = ""
    if project.definition != ADL:
        phrases["definition_care_need"] = words.part("definition", project.definition)
        counted_by = words.phrase("definition_of_run", definition=phrases["definition_care_need"])
    return replace(words, cities=cities, counted_by=counted_by)
