"""Where care happens: at home by the family, at home with services, in day care, in an institution.

Two measures are kept apart all the way down the chain. `use` is what people take up if today's
habits go on; `need` is what would be taken up if everyone whose family cannot care had a place.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.engine.arrays import join, sum_over
from eldercare.inputs.draws import Assumptions
from eldercare.inputs.load import NATION, China
from eldercare.inputs.schema import SETTINGS
from eldercare.model.base import TablesKey

MEASURES = ("use", "need")
SHARE_OF_MEASURE = {"use": "setting_use_share", "need": "setting_need_share"}
CENSUS_YEAR = 2020
PEOPLE_ALONE, PEOPLE_IN_COUPLE = 1, 2  # people of 65 and over in such a household
HOUSEHOLD_COLUMNS = [
    "one_person_households",
    "households_with_one_65plus",
    "households_with_two_65plus",
]


def households(china: China, adcode: int) -> pd.Series | None:
    """Households of an area at the census of 2020 by how many people of 65 and over live in them.

    Returns : row with one_person_households, households_with_one_65plus, households_with_two_65plus and
              people_65_plus; None where the census table has none
    """
    return _households(TablesKey(china), adcode)


@lru_cache(maxsize=4096)
def _households(key: TablesKey, adcode: int) -> pd.Series | None:
    china = key.tables
    table = china.areas.xs(CENSUS_YEAR, level="year")
    codes = table.index[table["level"] == "province"] if adcode == NATION else [adcode]
    if not set(codes) <= set(table.index):
        return None
    row = table.loc[codes, HOUSEHOLD_COLUMNS].astype(float).sum(skipna=False)
    people = china.census.sel(area=list(codes), census_year=CENSUS_YEAR, age_group=slice(65, None))
    row["people_65_plus"] = float(people.sum(skipna=False))
    return None if row.isna().any() else row


def people_without_younger(home: pd.Series, assumptions: Assumptions) -> dict[str, xr.DataArray]:
    """Share of people of 65 and over who live alone, and who live with a spouse or other of 65 and over only.

    Defined as::  alone  = least(households with one x lone share, one-person households) / people 65+
                  couple = 2 x households with two x couple share / people 65+

    The census table prints how many people of 65 and over a household has, not who else lives there:
    the two shares are assumptions, and wide.

    Returns : array [share]  alone, couple, by name; dims draw
    Source  : assumptions `lone_share_of_one_older_households`, `couple_share_of_two_older_households`
    """
    people = home["people_65_plus"]
    lone = home["households_with_one_65plus"] * assumptions["lone_share_of_one_older_households"]
    couple = (
        home["households_with_two_65plus"] * assumptions["couple_share_of_two_older_households"]
    )
    lone = lone.clip(max=home["one_person_households"])
    return {"alone": PEOPLE_ALONE * lone / people, "couple": PEOPLE_IN_COUPLE * couple / people}


def family_care_gap(china: China, adcode: int, assumptions: Assumptions) -> xr.DataArray:
    """Factor by which a city's need for services outside the family differs from the nation's.

    Defined as::  gap = (index of the city / index of the nation)^strength,
                  index = share living alone + weight x share living with a spouse of 65+ only

    Returns : array [ratio]  dims draw; 1 for the nation and where the census has no households
    Source  : census of 2020; assumptions `spouse_care_gap_weight`, `family_care_gap_strength`.
              See also: people_without_younger
    """

    def index(home: pd.Series) -> xr.DataArray:
        parts = people_without_younger(home, assumptions)
        return parts["alone"] + assumptions["spouse_care_gap_weight"] * parts["couple"]

    home = households(china, adcode)
    strength = assumptions["family_care_gap_strength"]
    if home is None:
        return xr.ones_like(strength)
    return (index(home) / index(households(china, NATION))) ** strength


def family_care_growth(assumptions: Assumptions, years) -> xr.DataArray:
    """Factor by which need outside the family grows because families can care for less.

    Defined as::  (1 + growth)^(year - 2020), 1 before 2020

    May bind: before the year of the census nothing has grown.

    Returns : array [ratio]  dims draw, year
    Source  : assumption `family_care_gap_growth`
    """
    passed = np.maximum(np.asarray(years) - CENSUS_YEAR, 0)
    return (1 + assumptions["family_care_gap_growth"]) ** xr.DataArray(
        passed, dims="year", coords={"year": years}
    )


def setting_shares(assumptions: Assumptions, gap: xr.DataArray | float = 1.0) -> xr.DataArray:
    """Share of people of each severity in each setting; the family has the rest.

    Defined as::  outside the family = share of the setting, for need x gap;  family = 1 - the others

    Where the draws of the other settings come to more than everyone, they are cut down in
    proportion and nobody is left to the family.

    gap     : array [ratio]  dims draw, or draw and year (see `family_care_gap`, `family_care_growth`)
    Returns : array [share]  dims measure, draw, severity, setting (and year); sums to 1 over setting
    Source  : assumptions `setting_use_share`, `setting_need_share`
    """
    both = {}
    for measure in MEASURES:
        outside = assumptions[SHARE_OF_MEASURE[measure]]
        outside = outside * gap if measure == "need" else outside
        outside = outside / outside.pipe(sum_over, "setting").clip(min=1)
        parts = {setting: outside.sel(setting=setting, drop=True) for setting in SETTINGS[1:]}
        both[measure] = join({"family": 1 - outside.pipe(sum_over, "setting"), **parts}, "setting")
    return join(both, "measure")


def people_by_setting(people: xr.DataArray, shares: xr.DataArray) -> xr.DataArray:
    """People by severity and place of care.

    Defined as::  people x share of the place

    people  : array [person]  dims draw, year, severity
    shares  : array [share]  dims measure, draw, severity, setting
    Returns : array [person]  dims draw, measure, year, severity, setting
    """
    return (people * shares).transpose("draw", "measure", "year", "severity", "setting")


def people_by_service_class(by_severity: xr.DataArray, grades: pd.DataFrame) -> xr.DataArray:
    """People by the class of service that a document's care grades lead to.

    by_severity : array [person]  dims …, severity: all of 60 and over
    grades      : table with severity and service_class (data/china/care_grade.csv)
    Returns     : array [person]  dims …, service_class; sums to all
    Source      : Sanming 2017, 三(一)2: grades 1-3 home and community, 4-5 institutions first,
                  6 nursing institutions first
    """
    parts = {
        name: by_severity.sel(severity=list(rows["severity"])).pipe(sum_over, "severity")
        for name, rows in grades.groupby("service_class", sort=False)
    }
    return join(parts, "service_class")
