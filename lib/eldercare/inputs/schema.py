"""What every table of `data/` must look like, and how a fault in one is told."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from string import Formatter

import pandas as pd
import pandera.pandas as pa

from eldercare import messages

UNITS = frozenset((
    "person", "bed", "household", "institution", "facility", "place", "share", "ratio", "year",
    "month", "minute", "count", "yuan", "square_metre", "square_metre_per_100_households",
    "bed_per_1000_persons", "bed_per_10000_persons", "worker", "worker_per_10000_persons",
    "place_per_1000_persons", "household_per_town", "per_year_household", "times_per_year",
    "grade", "per_year", "standard_deviation", "hour_per_month", "hour_per_year",
    "user_per_worker", "resident_per_worker", "place_per_user", "yuan_per_bed",
    "yuan_per_bed_month", "yuan_per_worker_month", "yuan_per_hour", "yuan_per_place_month",
    "yuan_per_person_month", "yuan_per_household", "yuan_per_person", "yuan_per_year", "birth",
    "birth_per_woman", "worker_per_100_persons", "hour_per_person_month", "hour_per_worker_year",
    "yuan_per_square_metre",
))  # fmt: skip
SEVERITIES = ("none", "mild", "moderate", "severe")
# How need of care may be counted, the narrowest first; the default is that of the survey of limitations by age.
ADL = "any ADL limitation"
DEFINITIONS = (
    "census question", "severe ADL limitation", ADL, "fifth national survey", "ADL or IADL",
)  # fmt: skip
SETTINGS = ("family", "home_service", "day_care", "institution")
POLICY_STATUSES = ("in_force", "draft", "past")
BED_TYPES = ("general", "nursing", "dementia")
SHAPES = ("fixed", "normal", "lognormal", "triangular")
BASES = ("measured", "published", "expert", "analogy", "guess")
BOUNDS = ("at_least", "at_most", "exactly", "about")
FOLLOW_UPS = ("measured", "tracked", "stated")
KINDS = ("target", "stock", "standard", "milestone")
STEPS = ("population", "need", "places", "beds", "caregivers", "funding", "childcare")
POPULATION_BASES = ("resident", "registered")
COUNT_KINDS = ("census", "register", "sample_survey")
TRUSTS = ("good", "fair", "doubtful")
ALL_AGES = "total"
CENSUS_DAY = date(2020, 11, 1)
ASKED_OF = ("county", "city")
REPORT_SCOPES = ("city", "prefecture", "province")
ASSUMPTION_KEYS = ("age_band", "sex", "severity", "setting", "bed_type")
FIRST_YEAR, LAST_YEAR = 1990, 2100


# Columns of dates.
DATES = ("issued_on", "reported_on")


@dataclass(frozen=True)
class Fault:
    """One thing wrong in one place of one file."""

    file: str
    row: int | None
    column: str | None
    problem: str

    def __str__(self) -> str:
        place = self.file if self.row is None else f"{self.file}, row {self.row}"
        if self.column:
            place = f"{place}, column {self.column}"
        return f"{place}: {self.problem}"


class DataFault(ValueError):
    """All faults found in the data, told at once; nothing is calculated on a faulty table."""

    def __init__(self, faults: list[Fault], so: str = "nothing was calculated"):
        self.faults = list(faults)
        count = len(self.faults)
        head = f"1 fault in the data; {so}.\n"
        head = head if count == 1 else f"{count} faults in the data; {so}.\n"
        super().__init__(head + "\n".join(f"  {fault}" for fault in self.faults))

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the faults, without the library's own lines of code."""
        return messages.told(str(self)).splitlines()


def _one_of(values) -> pa.Check:
    allowed = sorted(values)
    shown = ", ".join(word or "(empty)" for word in allowed)
    return pa.Check.isin(allowed, error=f"must be one of: {shown}")


def _between(low: float, high: float, hint: str) -> pa.Check:
    return pa.Check.in_range(low, high, error=f"must be from {low:g} to {high:g}; {hint}")


_TEXT = pa.Column(str)
_FILLED = pa.Column(str, pa.Check.str_length(min_value=1, error="must not be empty"))
_NUMBER = pa.Column(float)
_NUMBER_OR_EMPTY = pa.Column(float, nullable=True)
_UNIT = pa.Column(str, _one_of(UNITS))
_WHOLE = pa.Check(lambda numbers: numbers % 1 == 0, error="must be a whole number")
_A_YEAR = [_between(FIRST_YEAR, LAST_YEAR, "write the year in four digits"), _WHOLE]
_YEAR, _YEAR_OR_EMPTY = pa.Column(float, _A_YEAR), pa.Column(float, _A_YEAR, nullable=True)
_COUNT = pa.Column(float, pa.Check.ge(0, error="must not be negative: it is a count"))


def is_date(text: str) -> bool:
    """Whether a text is a day, a month or a year of the calendar, as 2024-12-31, 2024-12 or 2024, or empty."""
    parts = text.split("-")
    if not text:
        return True
    if [len(part) for part in parts] != [4, 2, 2][: len(parts)] or not all(
        part.isdecimal() for part in parts
    ):
        return False
    try:
        return FIRST_YEAR <= date(*map(int, [*parts, "1", "1"][:3])).year <= LAST_YEAR
    except ValueError:
        return False


def day_meant(text: str) -> date:
    """The day that a sound date names; a month alone is its last day, a year alone its last."""
    year, month, day = [*map(int, text.split("-")), 0, 0][:3]
    month, whole = month or 12, not day
    return date(year, month, monthrange(year, month)[1] if whole else day)


def is_to_come(text: str) -> bool:
    """Whether a date lies wholly after today: the year or month that runs has begun and may be named."""
    return text > date.today().isoformat()[: len(text)]


_DATE = pa.Column(
    str,
    pa.Check(
        lambda texts: texts.map(is_date).astype(bool),
        error="must be a date of the calendar like 2024-12-31, 2024-12 or 2024",
    ),
)


def _optional_one_of(values) -> pa.Column:
    return pa.Column(str, _one_of([*values, ""]))


Rule = Callable[[pd.DataFrame], pd.Series]
# What these count may be below zero: changes, errors, deviations. Nothing else is ever drawn below.
MAY_BE_NEGATIVE = frozenset(["per_year", "ratio", "standard_deviation", "year"])
COUNTED = ("person", "bed", "household", "institution", "facility", "place", "count", "yuan")


def _is_pattern(text: str) -> bool:
    try:
        return bool(text) and bool(re.compile(text))
    except re.error:
        return False


def _row_check(check: Rule, column: str, problem: str) -> pa.Check:
    """A check of whole rows whose fault is told at one column."""
    return pa.Check(check, error=f"{column}|{problem}")


def _rules(*rules: tuple[str, Rule, str]) -> list[pa.Check]:
    """Checks of whole rows: the column at which a fault is told, what must hold, and the problem if it does not."""
    return [_row_check(holds, column, problem) for column, holds, problem in rules]


def _share_in_bounds(*columns: str) -> list[pa.Check]:
    def check(column: str) -> Rule:
        return lambda t: (t["unit"] != "share") | t[column].isna() | t[column].between(0, 1)

    problem = "a share must be from 0 to 1; write 55 % as 0.55"
    return _rules(*((column, check(column), problem) for column in columns))


def _count_not_negative(*columns: str) -> list[pa.Check]:
    def check(column: str) -> Rule:
        return lambda t: ~(t["unit"].isin(COUNTED) & (t[column] < 0))

    problem = "must not be negative: it is a count"
    return _rules(*((column, check(column), problem) for column in columns))


# What a column holds in whatever table it stands; a table names those of its own that hold something else.
COLUMNS = {
    **dict.fromkeys(("assumption", "city_id", "indicator", "source_id", "target_id"), _FILLED),
    **dict.fromkeys(("label_en", "label_zh", "definition", "quote_zh", "step"), _FILLED),
    **dict.fromkeys(("low", "central", "high"), _NUMBER),
    **dict.fromkeys(DATES, _DATE),
    **dict.fromkeys(("year_from", "price_year", "base_year", "target_year"), _YEAR_OR_EMPTY),
    **dict.fromkeys(("value", "value_high"), _NUMBER_OR_EMPTY),
    "basis": pa.Column(str, _one_of(BASES)),
    "bed_type": _optional_one_of(BED_TYPES),
    "setting": _optional_one_of(SETTINGS),
    "severity": _optional_one_of(SEVERITIES),
    "sex": _optional_one_of(["male", "female"]),
    "unit": _UNIT,
    "year": _YEAR,
}


def _table(name: str, columns: str, unique: str, checks=(), **own: pa.Column) -> pa.DataFrameSchema:
    """The schema of a table: its columns in their order, text where nothing else is said (see `COLUMNS`)."""
    of_table = {column: {**COLUMNS, **own}.get(column, _TEXT) for column in columns.split()}
    return pa.DataFrameSchema(of_table, list(checks), unique=unique.split(), name=name)


SOURCES = _table(
    "sources.csv",
    "source_id title_zh title_en issuer document_number issued_on url sha256 licence note",
    "source_id",
    url=pa.Column(
        str, pa.Check.str_matches(r"^(https?://\S+)?$", error="must be a web address, or empty")
    ),
    sha256=pa.Column(
        str,
        pa.Check.str_matches(
            r"^([0-9a-f]{64})?$", error="must be the 64 signs of the file's SHA-256, or empty"
        ),
    ),
)

INDICATORS = _table(
    "indicators.csv",
    "indicator label_en label_zh unit step parts denominators plain_base plain_per plain_unit definition",
    "indicator",
    plain_per=_NUMBER_OR_EMPTY,
    plain_unit=_optional_one_of(UNITS),
)

ASSUMPTIONS = _table(
    "assumptions.csv",
    "assumption city_id age_band sex severity setting bed_type year_from low central high unit "
    "price_year shape basis source_id locator note",
    "assumption city_id age_band sex severity setting bed_type year_from",
    [
        *_rules(
            (
                "low",
                lambda t: (t["low"] <= t["central"]) & (t["central"] <= t["high"]),
                "low, central and high must not fall: low <= central <= high",
            )
        ),
        *_share_in_bounds("low", "central", "high"),
        *_rules(
            (
                "low",
                lambda t: (t["shape"] != "lognormal") | (t["low"] > 0),
                "a lognormal range must begin above 0",
            ),
            (
                "low",
                lambda t: (t["shape"] != "fixed") | (t["low"] == t["high"]),
                "shape fixed needs low = central = high",
            ),
            (
                "shape",
                lambda t: (t["shape"] == "fixed") | (t["low"] != t["high"]),
                "low = high is no range; its shape must be fixed",
            ),
            (
                "shape",
                lambda t: (t["shape"] != "normal") | t["unit"].isin(MAY_BE_NEGATIVE),
                "a normal range has no bounds, but a share or a count has; use triangular or lognormal",
            ),
            (
                "price_year",
                lambda t: ~t["unit"].str.startswith("yuan") | t["price_year"].notna(),
                "money needs a price_year",
            ),
        ),
    ],
    city_id=_TEXT,
    shape=pa.Column(str, _one_of(SHAPES)),
)

CORRELATIONS = _table(
    "correlations.csv",
    "assumption_a keys_a assumption_b keys_b correlation basis source_id note",
    "assumption_a keys_a assumption_b keys_b",
    assumption_a=_FILLED,
    assumption_b=_TEXT,
    correlation=pa.Column(
        float, pa.Check.in_range(-1, 1, False, False, error="must be above -1 and below 1")
    ),
)


def placeholders(text: str) -> set[str] | None:
    """Names in braces in a phrase; None if a brace is left open."""
    try:
        return {name for _, name, *_ in Formatter().parse(text) if name is not None}
    except ValueError:
        return None


def _same_placeholders(table: pd.DataFrame) -> pd.Series:
    pairs = [(placeholders(row.en), placeholders(row.zh)) for row in table.itertuples()]
    return pd.Series(
        [en == zh and en is not None and "" not in en for en, zh in pairs], table.index, dtype=bool
    )


_BRACES = "both languages must have the same names in braces, each brace closed, as in {city}"
# Words in both languages, neither empty.
_ALIKE, _WORDED = _rules(("zh", _same_placeholders, _BRACES)), {"en": _FILLED, "zh": _FILLED}
PHRASES = _table(
    "phrases.csv", "phrase_id en zh", "phrase_id", _ALIKE, phrase_id=_FILLED, **_WORDED
)
MESSAGES = _table("messages.csv", "en zh", "en", _ALIKE, **_WORDED)

FACTS = _table(
    "facts.csv",
    "indicator unit least_per_resident most_per_resident population_basis definition definition_zh asked",
    "indicator",
    asked=_optional_one_of(ASKED_OF),
    definition_zh=_FILLED,
    least_per_resident=_NUMBER_OR_EMPTY,
    most_per_resident=_NUMBER_OR_EMPTY,
    population_basis=pa.Column(str, _one_of([*POPULATION_BASES, "either", ""])),
)

TABLE_ROWS = _table(
    "table_rows.csv",
    "rows facts file cells source_ids note every_area",
    "rows",
    every_area=pa.Column(str, _one_of(["yes", "no"])),
    **dict.fromkeys(("rows", "facts", "file", "note"), _FILLED),
)

ASSUMPTION_STEPS = _table(
    "assumption_steps.csv",
    "assumption label_en label_zh step unit local to_do either_sign",
    "assumption",
    _rules(
        (
            "to_do",
            lambda t: (t["local"] == "yes") == (t["to_do"] != ""),
            "an assumption that a city can measure, and no other, says what to do",
        )
    ),
    step=pa.Column(str, _one_of(STEPS)),
    unit=_optional_one_of(UNITS),
    local=pa.Column(str, _one_of(["yes", "no"])),
    either_sign=_optional_one_of(["yes"]),
)

CITY = pa.DataFrameSchema(
    {
        "city_id": _FILLED,
        "name_en": _TEXT,
        "name_zh": _TEXT,
        "adcode": pa.Column(float, [_between(110000, 659999, "the six-digit census code"), _WHOLE]),
        "plan_year": _YEAR_OR_EMPTY,
        "population_basis": pa.Column(str, _one_of([*POPULATION_BASES, ""]), required=False),
        "source_id": _TEXT,
        "note": _TEXT,
    },
    unique=["city_id"],
    name="city.csv",
)

TARGETS = _table(
    "targets.csv",
    "target_id indicator label_en label_zh value value_high unit bound denominator base_year "
    "target_year scope kind restates follow_up measured_by follow_up_reason source_id locator "
    "quote_zh suspect reading note",
    "target_id",
    [
        *_share_in_bounds("value", "value_high"),
        *_count_not_negative("value", "value_high"),
        *_rules(
            (
                "measured_by",
                lambda t: (t["follow_up"] == "measured") == (t["measured_by"] != ""),
                "a measured row, and no other, names in measured_by what it is measured by",
            ),
            (
                "follow_up_reason",
                lambda t: (t["follow_up"] == "measured") | (t["follow_up_reason"] != ""),
                "a row that is tracked or stated gives the reason in follow_up_reason",
            ),
        ),
    ],
    bound=pa.Column(str, _one_of(BOUNDS)),
    kind=pa.Column(str, _one_of(KINDS)),
    follow_up=pa.Column(str, _one_of(FOLLOW_UPS)),
    locator=_FILLED,
)

DECISIONS = ("accept", "mend", "drop", "")
TARGETS_DRAFT = _table(
    "targets_draft.csv",
    f"decision confidence reason place figure {' '.join(TARGETS.columns)}",
    "target_id",
    TARGETS.checks,
    decision=pa.Column(str, _one_of(DECISIONS)),
    **{name: TARGETS.columns[name] for name in ("bound", "kind", "follow_up", "locator")},
)

CAPACITY = _table(
    "capacity.csv",
    "city_id indicator bed_type year value unit population_basis source_id locator note",
    "city_id indicator bed_type year population_basis",
    _share_in_bounds("value"),
    value=_COUNT,
    population_basis=_optional_one_of(POPULATION_BASES),
)

PROGRESS = _table(
    "progress.csv",
    "target_id reported_on scope value unit source_id locator note",
    "target_id reported_on scope",
    [
        *_share_in_bounds("value"),
        *_count_not_negative("value"),
        *_rules(
            *(
                (
                    name,
                    lambda t, name=name: t["value"].isna() | (t[name] != ""),
                    "a row with a value needs it; a row of the template without a value may stay empty",
                )
                for name in ("reported_on", "scope", "source_id")
            )
        ),
    ],
    scope=_optional_one_of(REPORT_SCOPES),
    source_id=_TEXT,
)

PUBLISHED_CARE_NEED = _table(
    "published_care_need.csv",
    "series definition_en definition_zh first_age year low central high unit source_id locator note_en note_zh",
    "series year",
    _rules(
        (
            "central",
            lambda t: (t["low"] <= t["central"]) & (t["central"] <= t["high"]),
            "must be low <= central <= high",
        )
    ),
    series=_FILLED,
    first_age=pa.Column(float, _between(0, 100, "an age")),
    locator=_FILLED,
)


def ages_meant(text: str) -> tuple[int, int]:
    """First and last age of a count: `total`, 60+ or 60-64; the last of an open one is 120.

    Raises : ValueError if it is none of these
    """
    if text == ALL_AGES:
        return 0, 120
    first, dash, last = text.removesuffix("+").partition("-")
    limits = [first, last] if dash and not text.endswith("+") else [first]
    if not all(part.isdecimal() for part in limits) or not (dash or text.endswith("+")):
        raise ValueError(f"“{text}” is no age; write total, 60+ or 60-64")
    low, high = int(first), int(last) if dash else 120
    if not 0 <= low <= high <= 120:
        raise ValueError(f"“{text}” is no age; the first must not be above the last, nor 120")
    return low, high


def is_age(text: str) -> bool:
    """Whether a text is an age that people are counted in (see `ages_meant`)."""
    try:
        ages_meant(text)
    except ValueError:
        return False
    return True


_DAY = pa.Column(
    str,
    pa.Check(
        lambda texts: texts.map(lambda text: len(text) == 10 and is_date(text)).astype(bool),
        error="must be a day like 2023-12-31",
    ),
)
_AGE = pa.Column(
    str, pa.Check(lambda texts: texts.map(is_age).astype(bool), error="must be total, 60+ or 60-64")
)
_COUNTED = {
    "date": _DAY,
    "age": _AGE,
    "value": pa.Column(float, pa.Check.gt(0, error="must be above 0: it is a count")),
}
_OF_PEOPLE = {
    **_COUNTED,
    "unit": pa.Column(str, _one_of(["person", "share"])),
    "basis": pa.Column(str, _one_of(POPULATION_BASES)),
    "kind": pa.Column(str, _one_of(COUNT_KINDS)),
}
COUNTS = _table(
    "counts.csv",
    "adcode date age sex value unit basis kind trust source_id note",
    "adcode date age sex unit basis",
    _share_in_bounds("value"),
    adcode=pa.Column(float, [_between(100000, 659999, "the six-digit census code"), _WHOLE]),
    trust=pa.Column(str, _one_of(TRUSTS)),
    **_OF_PEOPLE,
)
POPULATION = _table(
    "population.csv",
    "date age sex value unit basis kind trust source_id note",
    "date age sex unit basis",
    _share_in_bounds("value"),
    trust=pa.Column(str, _one_of([*TRUSTS, ""]), required=False),
    **_OF_PEOPLE,
)
_YEAR_END = pa.Check.str_matches(
    r"^\d{4}-12-31$", error="must be the end of a year, like 2023-12-31"
)
POPULATION_BY_AGE = _table(
    "population_by_age.csv",
    "date age sex value unit source_id note",
    "date age sex",
    **{**_COUNTED, "date": pa.Column(str, _YEAR_END)},
    unit=pa.Column(str, _one_of(["person"])),
)

POLICY_TARGETS = _table(
    "policy_targets.csv",
    "target_id adcode label_en label_zh value value_high unit bound target_year status measured_by "
    "source_id quote_zh note",
    "target_id",
    [
        *_share_in_bounds("value", "value_high"),
        *_rules(
            (
                "measured_by",
                lambda t: (t["measured_by"] != "") | (t["note"] != ""),
                "a target that no quantity of an area measures says why in note",
            )
        ),
    ],
    adcode=pa.Column(float, [_between(100000, 659999, "the six-digit census code"), _WHOLE]),
    value=_NUMBER,
    bound=pa.Column(str, _one_of(BOUNDS)),
    target_year=_YEAR,
    status=pa.Column(str, _one_of(POLICY_STATUSES)),
)

# A condition compares sums and products of names and numbers; several hold together.
_TERM = r"(?:[a-z][a-z0-9_]*|\d+(?:\.\d+)?)"
_AMOUNT = rf"{_TERM}(?: [-+*/] {_TERM})*"
_CONDITION = rf"{_AMOUNT} (?:<|>|<=|>=) {_AMOUNT}"
RECOMMENDATIONS = _table(
    "recommendations.csv",
    "rule condition condition_en condition_zh amount year text_en text_zh body_en body_zh "
    "budget_en budget_zh",
    "rule",
    rule=_FILLED,
    condition=pa.Column(
        str,
        pa.Check.str_matches(
            rf"^{_CONDITION}(?: and {_CONDITION})*$",
            error="must compare names and numbers, as in “waiting > 0.1 * decided and in_post < at_all”",
        ),
    ),
    **dict.fromkeys(
        (
            *("condition_en", "condition_zh", "amount", "text_en", "text_zh"),
            *("body_en", "body_zh", "budget_en", "budget_zh"),
        ),
        _FILLED,
    ),
)

CARE_GRADE = _table(
    "care_grade.csv",
    "severity first_grade last_grade service_class label_en label_zh source_id locator quote_zh note",
    "severity",
    _rules(
        (
            "last_grade",
            lambda t: t["first_grade"] <= t["last_grade"],
            "must not lie before first_grade",
        )
    ),
    severity=pa.Column(str, _one_of(SEVERITIES)),
    **dict.fromkeys(("first_grade", "last_grade"), _NUMBER),
    **dict.fromkeys(("service_class", "locator"), _FILLED),
)

AGE_GROUPS = ("0", "1_4", *(f"{a}_{a + 4}" for a in range(5, 85, 5)), "85_plus")
AGE_GROUP_START = (0, 1, *range(5, 90, 5))

CENSUS_AGE_SEX = _table(
    "census_age_sex.csv",
    "adcode year sex " + " ".join(f"age_{group}" for group in AGE_GROUPS),
    "adcode year sex",
    **dict.fromkeys(("adcode", "year"), _NUMBER),
    sex=pa.Column(str, _one_of(["male", "female"])),
    **dict.fromkeys((f"age_{group}" for group in AGE_GROUPS), _COUNT),
)

NATIONAL_COLUMNS = _table(
    "columns.csv",
    "file column key holds may_be_empty",
    "file column",
    holds=pa.Column(str, _one_of(["text", "number", "amount"])),
    **dict.fromkeys(("file", "column"), _FILLED),
    **dict.fromkeys(("key", "may_be_empty"), _optional_one_of(["yes"])),
)


def national_table(name: str, columns: pd.DataFrame) -> pa.DataFrameSchema:
    """The schema of a national table, from its rows of `columns.csv`: an amount is a number not below zero."""
    held = {}
    for row in columns.itertuples():
        empty = row.may_be_empty == "yes"
        not_negative = pa.Check.ge(0, error="must not be below 0")
        held[row.column] = (
            (_TEXT if empty else _FILLED)
            if row.holds == "text"
            else pa.Column(float, [not_negative] * (row.holds == "amount"), nullable=empty)
        )
    unique = list(columns.loc[columns["key"] == "yes", "column"])
    return pa.DataFrameSchema(held, unique=unique, name=f"{name}.csv")


COLUMN_GUIDE = _table(
    "column_guide.csv",
    "column word en zh",
    "column word",
    **dict.fromkeys(("column", "en", "zh"), _FILLED),
)

PLAN_WORDS = _table(
    "plan_words.csv",
    "kind pattern unit indicator label_en denominator measured_by note",
    "kind pattern unit",
    _rules(
        (
            "indicator",
            lambda t: (t["kind"] != "quantity") | (t["indicator"] != ""),
            "a row of kind quantity names its indicator",
        )
    ),
    kind=pa.Column(str, _one_of(["sign", "counter", "noun", "quantity"])),
    pattern=pa.Column(
        str, pa.Check(_is_pattern, element_wise=True, error="must be a regular expression")
    ),
    **dict.fromkeys(("indicator", "label_en"), _TEXT),
)

EXCEPTIONS = pa.DataFrameSchema(
    {
        "phrase": pa.Column(str, pa.Check.str_length(min_value=1, error="must not be empty")),
        "reason": pa.Column(str),
        "note": pa.Column(str),
    },
    unique=["phrase"],
    name="exceptions.csv",
)
