"""What every table of `data/` must look like, and how a fault in one is told."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from string import Formatter

import pandas as pd
import pandera.pandas as pa

UNITS = frozenset(
    [
        "person",
        "bed",
        "household",
        "institution",
        "facility",
        "place",
        "share",
        "ratio",
        "year",
        "month",
        "minute",
        "count",
        "yuan",
        "square_metre",
        "square_metre_per_100_households",
        "bed_per_1000_persons",
        "bed_per_10000_persons",
        "worker",
        "worker_per_10000_persons",
        "place_per_1000_persons",
        "household_per_town",
        "per_year_household",
        "times_per_year",
        "grade",
        "per_year",
        "standard_deviation",
        "hour_per_month",
        "hour_per_year",
        "user_per_worker",
        "resident_per_worker",
        "place_per_user",
        "yuan_per_bed",
        "yuan_per_bed_month",
        "yuan_per_worker_month",
        "yuan_per_hour",
        "yuan_per_place_month",
        "yuan_per_person_month",
        "yuan_per_household",
        "yuan_per_person",
        "yuan_per_year",
        "birth",
        "birth_per_woman",
        "worker_per_100_persons",
        "hour_per_person_month",
        "hour_per_worker_year",
        "yuan_per_square_metre",
    ]
)
SEVERITIES = ("none", "mild", "moderate", "severe")
SETTINGS = ("family", "home_service", "day_care", "institution")
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
REPORT_SCOPES = ("city", "prefecture", "province")
ASSUMPTION_KEYS = ("age_band", "sex", "severity", "setting", "bed_type")
FIRST_YEAR, LAST_YEAR = 1990, 2100


@dataclass(frozen=True)
class Fault:
    """One thing wrong in one place of one file."""

    file: str
    row: int | None
    column: str | None
    problem: str

    def __str__(self) -> str:
        place = self.file
        if self.row is not None:
            place += f", row {self.row}"
        if self.column:
            place += f", column {self.column}"
        return f"{place}: {self.problem}"


class DataFault(ValueError):
    """All faults found in the data, told at once; nothing is calculated on a faulty table."""

    def __init__(self, faults: list[Fault]):
        self.faults = list(faults)
        count = len(self.faults)
        head = f"{count} fault{'s' if count > 1 else ''} in the data; nothing was calculated.\n"
        super().__init__(head + "\n".join(f"  {fault}" for fault in self.faults))

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the faults, without the library's own lines of code."""
        return str(self).splitlines()


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
_COUNT_OR_EMPTY = pa.Column(
    float, pa.Check.ge(0, error="must not be negative: it is a count"), nullable=True
)


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


def _in_order(table: pd.DataFrame) -> pd.Series:
    return (table["low"] <= table["central"]) & (table["central"] <= table["high"])


def _row_check(check, column: str, problem: str) -> pa.Check:
    """A check of whole rows whose fault is told at one column."""
    return pa.Check(check, error=f"{column}|{problem}")


def _share_in_bounds(*columns: str) -> list[pa.Check]:
    def check(column: str):
        return lambda table: (
            (table["unit"] != "share") | table[column].isna() | table[column].between(0, 1)
        )

    problem = "a share must be from 0 to 1; write 55 % as 0.55"
    return [_row_check(check(column), column, problem) for column in columns]


def _lognormal_positive(table: pd.DataFrame) -> pd.Series:
    return (table["shape"] != "lognormal") | (table["low"] > 0)


def _fixed_is_one_value(table: pd.DataFrame) -> pd.Series:
    return (table["shape"] != "fixed") | (table["low"] == table["high"])


def _range_is_no_single_value(table: pd.DataFrame) -> pd.Series:
    return (table["shape"] == "fixed") | (table["low"] != table["high"])


def _normal_has_no_bounds(table: pd.DataFrame) -> pd.Series:
    return (table["shape"] != "normal") | ~table["unit"].isin(
        ["share", "person", "bed", "worker", "household"]
    )


def _money_has_price_year(table: pd.DataFrame) -> pd.Series:
    return ~table["unit"].str.startswith("yuan") | table["price_year"].notna()


def _count_not_negative(*columns: str) -> list[pa.Check]:
    counts = ["person", "bed", "household", "institution", "facility", "place", "count", "yuan"]

    def check(column: str):
        return lambda table: ~(table["unit"].isin(counts) & (table[column] < 0))

    return [
        _row_check(check(column), column, "must not be negative: it is a count")
        for column in columns
    ]


SOURCES = pa.DataFrameSchema(
    {
        "source_id": _FILLED,
        "title_zh": _TEXT,
        "title_en": _TEXT,
        "issuer": _TEXT,
        "document_number": _TEXT,
        "issued_on": _DATE,
        "url": _TEXT,
        "sha256": _TEXT,
        "licence": _TEXT,
        "note": _TEXT,
    },
    unique=["source_id"],
    name="sources.csv",
)

INDICATORS = pa.DataFrameSchema(
    {
        "indicator": _FILLED,
        "label_en": _FILLED,
        "label_zh": _FILLED,
        "unit": _UNIT,
        "step": _FILLED,
        "parts": _TEXT,
        "denominators": _TEXT,
        "plain_base": _TEXT,
        "plain_per": _NUMBER_OR_EMPTY,
        "plain_unit": _optional_one_of(UNITS),
        "definition": _FILLED,
    },
    unique=["indicator"],
    name="indicators.csv",
)

ASSUMPTIONS = pa.DataFrameSchema(
    {
        "assumption": _FILLED,
        "city_id": _TEXT,
        "age_band": _TEXT,
        "sex": _optional_one_of(["male", "female"]),
        "severity": _optional_one_of(SEVERITIES),
        "setting": _optional_one_of(SETTINGS),
        "bed_type": _optional_one_of(BED_TYPES),
        "year_from": _YEAR_OR_EMPTY,
        "low": _NUMBER,
        "central": _NUMBER,
        "high": _NUMBER,
        "unit": _UNIT,
        "price_year": _YEAR_OR_EMPTY,
        "shape": pa.Column(str, _one_of(SHAPES)),
        "basis": pa.Column(str, _one_of(BASES)),
        "source_id": _FILLED,
        "locator": _TEXT,
        "note": _TEXT,
    },
    checks=[
        _row_check(_in_order, "low", "low, central and high must not fall: low <= central <= high"),
        *_share_in_bounds("low", "central", "high"),
        _row_check(_lognormal_positive, "low", "a lognormal range must begin above 0"),
        _row_check(_fixed_is_one_value, "low", "shape fixed needs low = central = high"),
        _row_check(
            _range_is_no_single_value, "shape", "low = high is no range; its shape must be fixed"
        ),
        _row_check(
            _normal_has_no_bounds,
            "shape",
            "a normal range has no bounds, but a share or a count has; use triangular or lognormal",
        ),
        _row_check(_money_has_price_year, "price_year", "money needs a price_year"),
    ],
    unique=["assumption", "city_id", *ASSUMPTION_KEYS, "year_from"],
    name="assumptions.csv",
)

CORRELATIONS = pa.DataFrameSchema(
    {
        "assumption_a": _FILLED,
        "keys_a": _TEXT,
        "assumption_b": _FILLED,
        "keys_b": _TEXT,
        "correlation": pa.Column(
            float,
            pa.Check.in_range(
                -1, 1, include_min=False, include_max=False, error="must be above -1 and below 1"
            ),
        ),
        "basis": pa.Column(str, _one_of(BASES)),
        "source_id": _FILLED,
        "note": _TEXT,
    },
    unique=["assumption_a", "keys_a", "assumption_b", "keys_b"],
    name="correlations.csv",
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
PHRASES = pa.DataFrameSchema(
    {"phrase_id": _FILLED, "en": _FILLED, "zh": _FILLED},
    checks=[_row_check(_same_placeholders, "zh", _BRACES)],
    unique=["phrase_id"],
    name="phrases.csv",
)

FACTS = pa.DataFrameSchema(
    {
        "indicator": _FILLED,
        "unit": _UNIT,
        "least_per_resident": _NUMBER_OR_EMPTY,
        "most_per_resident": _NUMBER_OR_EMPTY,
        "population_basis": pa.Column(str, _one_of([*POPULATION_BASES, "either", ""])),
        "definition": _FILLED,
    },
    unique=["indicator"],
    name="facts.csv",
)

ASSUMPTION_STEPS = pa.DataFrameSchema(
    {
        "assumption": _FILLED,
        "label_en": _FILLED,
        "label_zh": _FILLED,
        "step": pa.Column(str, _one_of(STEPS)),
        "local": pa.Column(str, _one_of(["yes", "no"])),
        "to_do": _TEXT,
    },
    checks=[
        _row_check(
            lambda t: (t["local"] == "yes") == (t["to_do"] != ""),
            "to_do",
            "an assumption that a city can measure, and no other, says what to do",
        )
    ],
    unique=["assumption"],
    name="assumption_steps.csv",
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

TARGETS = pa.DataFrameSchema(
    {
        "target_id": _FILLED,
        "indicator": _FILLED,
        "label_en": _FILLED,
        "label_zh": _FILLED,
        "value": _NUMBER_OR_EMPTY,
        "value_high": _NUMBER_OR_EMPTY,
        "unit": _UNIT,
        "bound": pa.Column(str, _one_of(BOUNDS)),
        "denominator": _TEXT,
        "base_year": _YEAR_OR_EMPTY,
        "target_year": _YEAR_OR_EMPTY,
        "scope": _TEXT,
        "kind": pa.Column(str, _one_of(KINDS)),
        "restates": _TEXT,
        "follow_up": pa.Column(str, _one_of(FOLLOW_UPS)),
        "measured_by": _TEXT,
        "follow_up_reason": _TEXT,
        "source_id": _FILLED,
        "locator": _FILLED,
        "quote_zh": _FILLED,
        "suspect": _TEXT,
        "reading": _TEXT,
        "note": _TEXT,
    },
    checks=[
        *_share_in_bounds("value", "value_high"),
        *_count_not_negative("value", "value_high"),
        _row_check(
            lambda t: (t["follow_up"] == "measured") == (t["measured_by"] != ""),
            "measured_by",
            "a measured row, and no other, names in measured_by what it is measured by",
        ),
        _row_check(
            lambda t: (t["follow_up"] == "measured") | (t["follow_up_reason"] != ""),
            "follow_up_reason",
            "a row that is tracked or stated gives the reason in follow_up_reason",
        ),
    ],
    unique=["target_id"],
    name="targets.csv",
)

CAPACITY = pa.DataFrameSchema(
    {
        "city_id": _FILLED,
        "indicator": _FILLED,
        "bed_type": _optional_one_of(BED_TYPES),
        "year": _YEAR,
        "value": pa.Column(float, pa.Check.ge(0, error="must not be negative: it is a count")),
        "unit": _UNIT,
        "population_basis": _optional_one_of(POPULATION_BASES),
        "source_id": _FILLED,
        "locator": _TEXT,
        "note": _TEXT,
    },
    checks=_share_in_bounds("value"),
    unique=["city_id", "indicator", "bed_type", "year", "population_basis"],
    name="capacity.csv",
)

PROGRESS = pa.DataFrameSchema(
    {
        "target_id": _FILLED,
        "reported_on": _DATE,
        "scope": _optional_one_of(REPORT_SCOPES),
        "value": _NUMBER_OR_EMPTY,
        "unit": _UNIT,
        "source_id": _TEXT,
        "locator": _TEXT,
        "note": _TEXT,
    },
    checks=[
        *_share_in_bounds("value"),
        *_count_not_negative("value"),
        *[
            _row_check(
                lambda t, name=name: t["value"].isna() | (t[name] != ""),
                name,
                "a row with a value needs it; a row of the template without a value may stay empty",
            )
            for name in ("reported_on", "scope", "source_id")
        ],
    ],
    unique=["target_id", "reported_on", "scope"],
    name="progress.csv",
)

PUBLISHED_CARE_NEED = pa.DataFrameSchema(
    {
        "series": _FILLED,
        "definition": _FILLED,
        "first_age": pa.Column(float, _between(0, 100, "an age")),
        "year": _YEAR,
        "low": _NUMBER,
        "central": _NUMBER,
        "high": _NUMBER,
        "unit": _UNIT,
        "source_id": _FILLED,
        "locator": _FILLED,
        "note": _TEXT,
    },
    checks=[_row_check(_in_order, "central", "must be low <= central <= high")],
    unique=["series", "year"],
    name="published_care_need.csv",
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
    "sex": _optional_one_of(["male", "female"]),
    "value": pa.Column(float, pa.Check.gt(0, error="must be above 0: it is a count")),
}
_COUNT = {
    **_COUNTED,
    "unit": pa.Column(str, _one_of(["person", "share"])),
    "basis": pa.Column(str, _one_of(POPULATION_BASES)),
    "kind": pa.Column(str, _one_of(COUNT_KINDS)),
}
COUNTS = pa.DataFrameSchema(
    {
        "adcode": pa.Column(float, [_between(100000, 659999, "the six-digit census code"), _WHOLE]),
        **_COUNT,
        "trust": pa.Column(str, _one_of(TRUSTS)),
        "source_id": _FILLED,
        "note": _TEXT,
    },
    checks=_share_in_bounds("value"),
    unique=["adcode", "date", "age", "sex", "unit", "basis"],
    name="counts.csv",
)
POPULATION = pa.DataFrameSchema(
    {**_COUNT, "source_id": _FILLED, "note": _TEXT},
    checks=_share_in_bounds("value"),
    unique=["date", "age", "sex", "unit", "basis"],
    name="population.csv",
)
POPULATION_BY_AGE = pa.DataFrameSchema(
    {
        **_COUNTED,
        "date": pa.Column(
            str,
            pa.Check.str_matches(
                r"^\d{4}-12-31$", error="must be the end of a year, like 2023-12-31"
            ),
        ),
        "unit": pa.Column(str, _one_of(["person"])),
        "source_id": _FILLED,
        "note": _TEXT,
    },
    unique=["date", "age", "sex"],
    name="population_by_age.csv",
)

CARE_GRADE = pa.DataFrameSchema(
    {
        "severity": pa.Column(str, _one_of(SEVERITIES)),
        "first_grade": _NUMBER,
        "last_grade": _NUMBER,
        "service_class": _FILLED,
        "label_en": _FILLED,
        "label_zh": _FILLED,
        "source_id": _FILLED,
        "locator": _FILLED,
        "quote_zh": _FILLED,
        "note": _TEXT,
    },
    checks=[
        _row_check(
            lambda t: t["first_grade"] <= t["last_grade"],
            "last_grade",
            "must not lie before first_grade",
        )
    ],
    unique=["severity"],
    name="care_grade.csv",
)

AGE_GROUPS = ("0", "1_4", *(f"{a}_{a + 4}" for a in range(5, 85, 5)), "85_plus")
AGE_GROUP_START = (0, 1, *range(5, 90, 5))

CENSUS_AGE_SEX = pa.DataFrameSchema(
    {
        "adcode": _NUMBER,
        "year": _NUMBER,
        "sex": pa.Column(str, _one_of(["male", "female"])),
        **{
            f"age_{group}": pa.Column(
                float, pa.Check.ge(0, error="must not be negative: it is a count")
            )
            for group in AGE_GROUPS
        },
    },
    unique=["adcode", "year", "sex"],
    name="census_age_sex.csv",
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
