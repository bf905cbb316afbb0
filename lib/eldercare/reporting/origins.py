"""What a lineage is written with, and the rows of `data/` that quantities start from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Inputs:
    """What something takes: names set apart by blanks; `name[key=value]` fixes a key of a quantity."""

    quantities: str = ""
    assumptions: str = ""
    tables: str = ""


@dataclass(frozen=True)
class Made:
    """How a quantity is made.

    by   : the function; its docstring holds the formula
    formula : where the docstring holds none
    keys : keys its parts are told apart by, beside those of the conditions
    not_moved_by : what its inputs rest on and it does not
    when : further inputs under a condition: `key=value` holds unless the key has another value,
           other conditions are those that `chain.CityInputs.holds` knows
    """

    by: Callable
    quantities: str = ""
    assumptions: str = ""
    tables: str = ""
    when: Mapping[str, Inputs] = field(default_factory=dict)
    formula: str = ""
    keys: str = ""
    not_moved_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rows:
    """Some rows of a file of `data/`.

    where   : cells a row must have; {area}, {prefecture}, {province}, {provinces}, {city}, {year}, {size} stand for the place's
    sources : ids in sources.csv; empty where the rows name their own in source_id
    note    : what the rows are
    partial : whether some areas have no row, in which case other inputs speak for them
    """

    file: str
    where: Mapping[str, str]
    sources: str = ""
    note: str = ""
    partial: bool = False


CENSUS = "census_2010_county_tables census_2020_county_tables"
AGES_FILE, AREA_FILE, ANNUAL = (
    "china/census_age_sex.csv",
    "china/census_area.csv",
    "china/wpp2024_annual.csv",
)
TABLES = {
    "census_2020": Rows(
        AGES_FILE,
        {"adcode": "{area}", "year": "2020"},
        "census_2020_county_tables",
        "people by age and sex",
    ),
    "census_2010": Rows(
        AGES_FILE,
        {"adcode": "{area}", "year": "2010"},
        "census_2010_county_tables",
        "people by age and sex",
        partial=True,
    ),
    "census_province": Rows(
        AGES_FILE, {"adcode": "{province}"}, CENSUS, "people of the province by age and sex"
    ),
    "census_nation": Rows(
        AGES_FILE, {"adcode": "{provinces}"}, CENSUS, "all provinces, which make the nation"
    ),
    "census_all_areas": Rows(AGES_FILE, {}, CENSUS, "all areas of both censuses"),
    "matched_boundary": Rows(
        "china/census_matched_boundary.csv",
        {"adcode": "{area} {prefecture}"},
        CENSUS,
        "both censuses within one boundary, of the prefecture",
        partial=True,
    ),
    "households": Rows(
        AREA_FILE,
        {"adcode": "{area}", "year": "2020"},
        "census_2020_county_tables",
        "households of the area",
    ),
    "households_nation": Rows(
        AREA_FILE,
        {"adcode": "{provinces}", "year": "2020"},
        "census_2020_county_tables",
        "households of all provinces",
    ),
    "single_age": Rows(
        "china/china_single_age.csv",
        {"year": "2020"},
        "census_single_age",
        "the nation by single age",
    ),
    "single_age_2010": Rows(
        "china/china_single_age.csv",
        {"year": "2010"},
        "census_single_age",
        "the nation by single age",
    ),
    "province_oldest": Rows(
        "china/province_population_deaths.csv",
        {"adcode": "{province}", "year": "2020"},
        "census_province_deaths",
        "people of the province from 85 on by age",
    ),
    "life_expectancy": Rows(
        "china/life_expectancy.csv",
        {"adcode": "{province} 100000", "sex": "both", "kind": "official"},
        "life_expectancy_official",
        "life expectancy of province and nation",
    ),
    "wpp_death_rates": Rows(
        "china/wpp2024_death_rate.csv", {}, "wpp_2024", "death rates by period, sex and age"
    ),
    "wpp_life_expectancy": Rows(
        ANNUAL,
        {"indicator": "life_expectancy_at_birth"},
        "wpp_2024",
        "life expectancy with its 80 % range",
    ),
    "wpp_fertility": Rows(
        ANNUAL,
        {"indicator": "total_fertility_rate sex_ratio_at_birth"},
        "wpp_2024",
        "children per woman, boys per girl",
    ),
    "wpp_fertility_pattern": Rows(
        "china/wpp2024_fertility_pattern.csv", {}, "wpp_2024", "fertility by age of the mother"
    ),
    "projection_error": Rows(
        "china/projection_error.csv",
        {"size_from": "{size}"},
        f"{CENSUS} wpp_2024",
        "spread of the back-test's errors, written by `python -m eldercare calibrate`",
    ),
    "counts": Rows(
        "china/counts.csv",
        {"adcode": "{area} {prefecture} {province} 100000", "basis": "resident"},
        "",
        "residents counted since the census in the area and what it is a part of",
        partial=True,
    ),
    "counts_of_city": Rows(
        "cities/{city}/population.csv",
        {"basis": "resident"},
        "",
        "residents counted since the census, by the city's own table",
        partial=True,
    ),
    "registered_by_age": Rows(
        "cities/{city}/population_by_age.csv", {}, "", "registered people by age", partial=True
    ),
    "stock_of_beds": Rows(
        "cities/{city}/capacity.csv",
        {"indicator": "beds_total", "bed_type": ""},
        "",
        "existing beds",
    ),
}

INPUT = re.compile(r"^(\w+)(?:\[(.+)\])?$")


def split_input(text: str) -> tuple[str, dict[str, str]]:
    """Name and fixed keys of an input written as `name[key=value]`."""
    name, fixed = INPUT.match(text).groups()
    return name, dict(pair.split("=") for pair in fixed.split(",")) if fixed else {}
