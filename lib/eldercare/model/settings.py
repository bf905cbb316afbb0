"""Care settings: at home by the family, at home with services, in day care, in an institution.

Two measures are kept apart all the way down the chain. `use` is what people take up if the habits
of today are carried on, at the level of the place and with the drift that is taken to go on; `need`
is by a rule: what would be taken up if everyone with a limitation or dementia whose family cannot
care had a place.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from eldercare.engine.arrays import (
    DRAW,
    Array,
    greatest,
    least,
    part,
    product,
    side_by_side,
    sum_over,
)
from eldercare.engine.quantity import quantity
from eldercare.inputs.load import NATION, China
from eldercare.inputs.schema import SETTINGS, SEVERITIES
from eldercare.model import need

MEASURES = ("use", "need")
CENSUS_YEAR = 2020
USE_YEAR = 2024  # of the count of residents that `setting_use_share` is fitted to
DECADE = 10
PEOPLE_ALONE, PEOPLE_IN_COUPLE = 1, 2  # people of 65 and over in such a household
HOUSEHOLD_COLUMNS = [
    "one_person_households",
    "households_with_one_65plus",
    "households_with_two_65plus",
]
OLDER_IN_HOUSEHOLDS = [*HOUSEHOLD_COLUMNS[1:], "households_with_three_plus_65plus"]
SEEN_AT_HOME = 0.5  # share of people of 65 and over from which households say how they live


@lru_cache(maxsize=4096)
def households(china: China, adcode: int) -> pd.Series | None:
    """Households of an area at the census of 2020 by how many people of 65 and over live in them.

    Returns : row with one_person_households, households_with_one_65plus, households_with_two_65plus
              and people_65_plus; None where the census table has none, or where fewer than half of
              all people of 65 and over live in them
    """
    table = _home_table(china)
    codes = table.index[table["province"]] if adcode == NATION else [adcode]
    if not set(codes) <= set(table.index):
        return None
    row = table.loc[codes].drop(columns="province").astype(float).sum(skipna=False)
    known = not row[HOUSEHOLD_COLUMNS].isna().any()
    # A garrison or a camp: its few households do not say how its older people live.
    if not known or row["in_households"] < SEEN_AT_HOME * row["people_65_plus"]:
        return None
    return row.drop("in_households")


@lru_cache(maxsize=2)
def _home_table(china: China) -> pd.DataFrame:
    """Households and people of 65 and over of all areas, and how many of these live in households, at the least."""
    table = china.areas.xs(CENSUS_YEAR, level="year")
    with_older = table[OLDER_IN_HOUSEHOLDS].astype(float).fillna(0)
    people = china.census.sel(census_year=CENSUS_YEAR, age_group=slice(65, None))
    people = people.sum(["sex", "age_group"], skipna=False).sel(area=table.index.to_numpy())
    return table[HOUSEHOLD_COLUMNS].assign(
        people_65_plus=people.values,
        in_households=with_older.to_numpy() @ np.array([1.0, 2.0, 3.0]),
        province=table["level"] == "province",
    )


def share_living_alone(home: pd.Series, lone_share: Array) -> Array:
    """Share of people of 65 and over who live alone.

    Defined as::  least(households with one x lone share, one-person households) / people 65+

    The census table prints how many people of 65 and over a household has, not who else lives
    there: the share is an assumption, and wide.
    """
    lone = least(home["households_with_one_65plus"] * lone_share, home["one_person_households"])
    return PEOPLE_ALONE * lone / home["people_65_plus"]


def share_in_couples(home: pd.Series, couple_share: Array) -> Array:
    """Share of people of 65 and over who live with a spouse or other of 65 and over only.

    Defined as::  2 x households with two x couple share / people 65+
    """
    couples = home["households_with_two_65plus"] * couple_share
    return PEOPLE_IN_COUPLE * couples / home["people_65_plus"]


@quantity(unit="ratio")
def family_care_gap(
    households: pd.Series | None,
    households_nation: pd.Series,
    lone_share_of_one_older_households: Array,
    couple_share_of_two_older_households: Array,
    spouse_care_gap_weight: Array,
    family_care_gap_strength: Array,
) -> Array:
    """Factor by which a city's need for services outside the family differs from the nation's.

    Defined as::  gap = (index of the city / index of the nation)^strength,
                  index = share living alone + weight x share living with a spouse of 65+ only

    1 for the nation and where the census has no households that say it (see `households`). See also:
    share_living_alone, share_in_couples
    """

    def index(home: pd.Series) -> Array:
        alone = share_living_alone(home, lone_share_of_one_older_households)
        couples = share_in_couples(home, couple_share_of_two_older_households)
        return alone + spouse_care_gap_weight * couples

    if households is None:
        return family_care_gap_strength * 0.0 + 1.0
    return (index(households) / index(households_nation)) ** family_care_gap_strength


@quantity(unit="ratio", dims=("year",))
def family_care_growth(family_care_gap_growth: Array, years: np.ndarray) -> Array:
    """Factor by which need outside the family grows because families can care for less.

    Defined as::  (1 + growth)^(year - 2020), 1 before 2020

    May bind: before the year of the census nothing has grown.
    """
    passed = np.maximum(years - CENSUS_YEAR, 0)[:, None]
    return Array(("year", DRAW), (1 + family_care_gap_growth.values) ** passed)


@quantity(unit="share", dims=("year", "severity", "setting"))
def need_shares(setting_need_share: Array, dementia_without_limitation: Array) -> Array:
    """Share of people of each severity whom the nation's families cannot care for, by the setting
    they need.

    Defined as::  with a limitation: share of the setting
                  without: share of the setting + share of them with dementia x share of the setting at mild limitation

    The rule: need is of people with a limitation, and of people with dementia who have none yet,
    who need as people with a mild limitation do. The share of all others is 0, but for a pattern
    that a policy gives to everyone.
    """
    early = product(
        part(setting_need_share, severity="mild"), dementia_without_limitation, ("year", "setting")
    )
    dims = ("year", "severity", "setting", DRAW)
    sizes = {"year": early.sizes["year"], **setting_need_share.sizes}
    out = setting_need_share.set_dims(sizes).transpose(*dims).values.copy()
    out[:, SEVERITIES.index("none")] += early.values
    return Array(dims, out)


@quantity(unit="ratio", dims=("year",))
def use_drift(setting_use_drift: Array, years: np.ndarray) -> Array:
    """Factor by which the share of people of equal age and severity who use care has moved since it
    was counted.

    Defined as::  (1 + drift)^(year - 2024), 1 before

    Carried on without a drift, use was too high in every country where it could be tried (see
    `validation.use_back_test`): the range is wider the further ahead. May bind: before the year of
    the count nothing has drifted.
    """
    passed = np.maximum(years - USE_YEAR, 0)[:, None]
    return Array(("year", DRAW), (1 + setting_use_drift.values) ** passed)


@quantity(unit="ratio", dims=("year", "setting"))
def use_of_place(
    setting_use_share_place_factor: Array,
    setting_use_share_place_persistence: Array,
    years: np.ndarray,
) -> Array:
    """Factor by which use in a place differs from the nation's at equal age and severity.

    Defined as::  factor of 2024 ^ (persistence ^ ((year - 2024) / 10)), that of 2024 before

    So a place comes nearer to the nation by the years, as those of France did: what is left of a
    deviation after ten years is the persistence. Deviations that arise anew are left to the drift.
    May bind: before the year of the count a place differs as then.
    """
    passed = np.maximum(years - USE_YEAR, 0) / DECADE
    left = setting_use_share_place_persistence.values ** passed[:, None, None]
    return Array(("year", "setting", DRAW), setting_use_share_place_factor.values**left)


@quantity(
    unit="share",
    dims=("measure", "year", "severity", "setting"),
    only={
        "setting_use_share": "measure=use",
        "use_of_place": "measure=use",
        "use_drift": "measure=use",
        "need_shares": "measure=need",
        "family_care_gap": "measure=need",
        "family_care_growth": "measure=need",
    },
)
def setting_shares(
    setting_use_share: Array,
    use_of_place: Array,
    use_drift: Array,
    need_shares: Array,
    family_care_gap: Array,
    family_care_growth: Array,
    measures: tuple[str, ...],
) -> Array:
    """Share of people of each severity in each setting; the family has the rest.

    Defined as::  use = share of the setting x factor of the place x drift
                  need = share of the setting x gap x growth
                  family = 1 - the others

    Where the draws of the other settings come to more than everyone, they are cut down in
    proportion and nobody is left to the family. Sums to 1 over setting.
    """
    outside = {
        "use": (setting_use_share, use_of_place * use_drift),
        "need": (need_shares, family_care_gap * family_care_growth),
    }
    dims = ("measure", "year", "severity", "setting")
    sizes = {**setting_use_share.sizes, **use_drift.sizes}
    shape = (len(measures), sizes["year"], sizes["severity"], len(SETTINGS), sizes[DRAW])
    out = np.empty(shape)
    for place, measure in enumerate(measures):
        one = product(*outside[measure], dims[1:])
        one /= greatest(sum_over(one, "setting"), 1.0)
        out[place, ..., 1:, :] = one.transpose(*dims[1:], DRAW).values
        out[place, ..., 0, :] = 1 - sum_over(one, "setting").values
    return Array((*dims, DRAW), out)


@quantity(
    unit="person",
    dims=("measure", "year", "severity", "setting"),
    only={
        "people_by_severity": "measure=need",
        "population_60_plus": "measure=use",
        "limited_by_adl": "measure=use",
    },
)
def people_by_severity_and_setting(
    people_by_severity: Array,
    population_60_plus: Array,
    limited_by_adl: Array,
    setting_shares: Array,
    measures: tuple[str, ...],
) -> Array:
    """People of 60 and over by severity and care setting.

    Defined as::  people x share of the setting

    Need is of the people that the definition of the run counts. Use is by limitation in daily
    living whatever the definition: its shares are fitted to the people who are in care, and how
    need is counted moves none of these.
    """
    people = {
        "need": people_by_severity,
        "use": need.people_by_severity(population_60_plus, limited_by_adl),
    }
    return setting_shares * side_by_side({name: people[name] for name in measures}, "measure")


@quantity(unit="person", dims=("measure", "year", "setting"))
def people_by_setting(people_by_severity_and_setting: Array) -> Array:
    """People of 60 and over by care setting.

    Defined as::  sum over severity(people)
    """
    return sum_over(people_by_severity_and_setting, "severity")


@quantity(unit="person", dims=("measure", "year", "severity"))
def residents_by_severity(people_by_severity_and_setting: Array) -> Array:
    """Residents of institutions by severity.

    Defined as::  people whose setting is an institution
    """
    return part(people_by_severity_and_setting, setting="institution")


@quantity(unit="share", dims=("measure", "year", "setting"))
def share_by_setting(people_by_setting: Array, population_60_plus: Array) -> Array:
    """Share of people of 60 and over in each care setting.

    Defined as::  people of the setting / people of 60 and over
    """
    return people_by_setting / population_60_plus


@quantity(unit="share")
def older_living_alone(
    households: pd.Series | None, lone_share_of_one_older_households: Array
) -> Array:
    """Share of people of 65 and over who live alone; NaN where the census has no households.

    Defined as::  least(households with one x lone share, one-person households) / people 65+
    """
    if households is None:
        return lone_share_of_one_older_households * np.nan
    return share_living_alone(households, lone_share_of_one_older_households)


@quantity(unit="person", dims=("year",))
def people_living_alone(population_65_plus: Array, older_living_alone: Array) -> Array:
    """People of 65 and over who live alone (独居), their share held as in the census of 2020.

    Defined as::  people of 65 and over x share living alone
    """
    return population_65_plus * older_living_alone


@quantity(unit="share")
def older_in_couples(
    households: pd.Series | None, couple_share_of_two_older_households: Array
) -> Array:
    """Share of people of 65 and over who live with a spouse or other of 65 and over only; NaN as
    above.

    Defined as::  2 x households with two x couple share / people 65+
    """
    if households is None:
        return couple_share_of_two_older_households * np.nan
    return share_in_couples(households, couple_share_of_two_older_households)


def people_by_service_class(by_severity: Array, grades: pd.DataFrame) -> dict[str, Array]:
    """People by the class of service that a document's care grades lead to.

    by_severity : array [person]  dims …, severity: all of 60 and over
    grades      : table with severity and service_class (data/china/care_grade.csv)
    Returns     : arrays [person]  dims …, by class; sum to all
    Source      : Sanming 2017, 三(一)2: grades 1-3 home and community, 4-5 institutions first,
                  6 nursing institutions first
    """
    return {
        name: sum_over(part(by_severity, severity=list(rows["severity"])), "severity")
        for name, rows in grades.groupby("service_class", sort=False)
    }
