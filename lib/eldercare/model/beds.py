"""Beds that care in institutions takes, by type, and places in day care."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eldercare.engine.arrays import DRAW, Array, least, name_labels, part, side_by_side, sum_over
from eldercare.engine.quantity import quantity
from eldercare.inputs.schema import BED_TYPES

HEAVY = ("moderate", "severe")
CONSTRUCTION_TYPES = ("new", "rebuilt", "converted")
CHANGES = ("existing", "retired", "constructed")
BEDS_PER_RESIDENT = 1  # a resident holds one bed
PER_1000, PER_10000 = 1_000, 10_000


class Stock(NamedTuple):
    """Beds of all kinds that a statistic counts at the end of a year."""

    beds: float
    year: int


@quantity(unit="person", dims=("measure", "year"))
def residents_in_institutions(residents_by_severity: Array) -> Array:
    """Residents of institutions.

    Defined as::  sum over severity(residents)
    """
    return sum_over(residents_by_severity, "severity")


@quantity(unit="person", dims=("measure", "year"))
def residents_in_nursing_beds(residents_by_severity: Array, nursing_bed_share: Array) -> Array:
    """Residents who need a nursing bed, those in dementia care among them.

    Defined as::  sum over severity(residents x nursing bed share)
    """
    return sum_over(residents_by_severity * nursing_bed_share, "severity")


@quantity(unit="person", dims=("measure", "year", "bed_type"))
def residents(
    residents_in_institutions: Array,
    residents_in_nursing_beds: Array,
    dementia_share_of_residents: Array,
    dementia_bed_share: Array,
) -> Array:
    """Residents by the type of bed they need; sums to all residents.

    Defined as::  dementia = residents x dementia share of residents x dementia bed share
                  nursing = sum over severity(residents x nursing bed share) - dementia
                  general = the rest

    A dementia-care bed is a nursing bed with more; it is taken out of the nursing beds, so the
    types add up. How many residents have dementia is what homes counted, not a ratio of two surveys
    of the whole population: who enters a home is chosen by need. So the prevalence among all people
    moves those with dementia, not the
    beds. May bind: in draws in which hardly any nursing bed is needed, dementia beds are no more
                    than these.
    """
    total, nursing_all = residents_in_institutions, residents_in_nursing_beds
    dementia = least(total * dementia_share_of_residents * dementia_bed_share, nursing_all)
    parts = (total - nursing_all, nursing_all - dementia, dementia)
    return side_by_side(dict(zip(BED_TYPES, parts)), "bed_type")


@quantity(unit="bed", dims=("measure", "year", "bed_type"))
def beds_needed(residents: Array, target_occupancy: Array) -> Array:
    """Beds needed in institutions so that the residents have one and some stay free.

    Defined as::  beds = residents x one bed each / occupancy
    """
    return beds_at_occupancy(residents, target_occupancy)


def beds_at_occupancy(residents: Array, occupancy: Array) -> Array:
    """Beds in which these residents leave a share free.

    Defined as::  beds = residents x one bed each / occupancy

    Raises : ValueError if an occupancy is outside (0, 1]
    """
    if bool((occupancy.values <= 0).any() | (occupancy.values > 1).any()):
        raise ValueError("occupancy must be above 0 and at most 1")
    return residents * (BEDS_PER_RESIDENT / occupancy)


@quantity(unit="place", dims=("measure", "year"))
def day_care_places_needed(people_by_setting: Array, day_care_places_per_user: Array) -> Array:
    """Places in day care.

    Defined as::  places = people in day care x places per user
    """
    return part(people_by_setting, setting="day_care") * day_care_places_per_user


@quantity(unit="bed", dims=("measure", "year"))
def beds_institution_needed(residents_in_institutions: Array, target_occupancy: Array) -> Array:
    """Beds needed in institutions, of all types.

    Defined as::  beds = residents in institutions x one bed each / occupancy
    """
    return beds_at_occupancy(residents_in_institutions, target_occupancy)


@quantity(unit="bed", dims=("measure", "year"))
def beds_total_needed(beds_institution_needed: Array, day_care_places_needed: Array) -> Array:
    """Beds in institutions and places in day care.

    Defined as::  beds in institutions + places in day care
    """
    return beds_institution_needed + day_care_places_needed


@quantity(unit="bed per 1,000 person", dims=("measure", "year"))
def beds_per_1000_needed(beds_total_needed: Array, population_60_plus: Array) -> Array:
    """Beds and places per 1,000 people of 60 and over.

    Defined as::  beds / people of 60 and over x 1,000
    """
    return beds_total_needed / population_60_plus * PER_1000


@quantity(unit="share", dims=("measure", "year"))
def nursing_bed_share_needed(
    residents_in_nursing_beds: Array, residents_in_institutions: Array
) -> Array:
    """Share of nursing beds, dementia care among them, in the beds of institutions.

    Defined as::  residents in nursing and dementia-care beds / residents in institutions
    """
    return residents_in_nursing_beds / residents_in_institutions


@quantity(unit="share", dims=("measure", "year"))
def nursing_bed_share_of_all_needed(
    residents_in_nursing_beds: Array, target_occupancy: Array, beds_total_needed: Array
) -> Array:
    """Share of nursing beds, dementia care among them, in beds of all kinds.

    Defined as::  (nursing + dementia-care beds) / (beds in institutions + places in day care)
    """
    return beds_at_occupancy(residents_in_nursing_beds, target_occupancy) / beds_total_needed


@quantity(unit="bed per 10,000 person", dims=("measure", "year"))
def dementia_beds_per_10000_needed(beds_needed: Array, population_60_plus: Array) -> Array:
    """Dementia-care beds per 10,000 people of 60 and over.

    Defined as::  dementia-care beds / people of 60 and over x 10,000
    """
    return part(beds_needed, bed_type="dementia") / population_60_plus * PER_10000


@quantity(unit="bed", dims=("measure", "year"))
def respite_beds_needed(
    people_by_severity_and_setting: Array, respite_time_share: Array, target_occupancy: Array
) -> Array:
    """Beds for short stays, so that a family that cares can rest; beside the beds of residents.

    Defined as::  beds = people with moderate or severe limitation at home x part of the year / occupancy

    At home are those cared for by the family or with services at home.
    """
    at_home = part(
        people_by_severity_and_setting, severity=list(HEAVY), setting=["family", "home_service"]
    )
    staying = sum_over(at_home, "severity", "setting") * respite_time_share
    return beds_at_occupancy(staying, target_occupancy)


def institution_part(stock: float, institution_share_of_beds: Array) -> float:
    """Beds of institutions in a stock that counts beds and places of communities too, as Chinese
    statistics do.

    Defined as::  stock x institutions' share of all beds

    A stock is a fact: it is divided as the nation's was counted, the same in every draw, under need
                       and use.

    stock   : number [bed]
    Returns : number [bed]
    """
    return stock * float(institution_share_of_beds.values[0])


@quantity(
    unit="bed",
    dims=("change", "measure", "year", "bed_type"),
    only=dict.fromkeys(
        (
            "stock_of_beds",
            "building_programme_years",
            "building_programme_first_year",
            "institution_share_of_beds",
        ),
        "stock_known",
    ),
)
def bed_programme(
    beds_needed: Array,
    stock_of_beds: Stock | None,
    years: np.ndarray,
    bed_life: Array,
    building_programme_years: Array,
    building_programme_first_year: Array,
    institution_share_of_beds: Array,
) -> Array:
    """Beds of institutions that exist, are retired and are constructed, year by year.

    Defined as::  retired(t) = existing(t-1) / life
                  wanted(t) = needed(t) - gap x the part of the programme's years still to come
                  constructed(t) = greatest(0, wanted(t) - existing(t-1) + retired(t))
                  existing(t) = existing(t-1) - retired(t) + constructed(t)
                  gap = greatest(0, needed(t0) - stock), in all bed types together

    So the programme, which begins in its first year, closes the gap to the stock evenly over its
    years, growth of need is met as it comes, worn beds are rebuilt where they are needed, and beds
    beyond need wear out
    unreplaced. May bind: where the stock is above need nothing is built, and there is no gap.

    A step is a year, so beds retired and constructed in it count as beds. The stock, of the stock
    year t0, is spread over the types as need is; where it is not collected here, need is taken to
    be met at t0, so that the gap is left out, not taken for need itself. Constructed and retired
    are not defined (NaN) up to t0, existing not before it.
    """
    needed = beds_needed.transpose("year", "measure", "bed_type", DRAW).values
    start = (
        0
        if stock_of_beds is None
        else int(np.clip(stock_of_beds.year, years[0], years[-1]) - years[0])
    )
    first = needed[start]
    known: float | np.ndarray = 1.0
    if stock_of_beds is not None:
        stock = institution_part(stock_of_beds.beds, institution_share_of_beds)
        known = stock / first.sum(axis=1, keepdims=True)
    existing = first * known
    gap = (first - existing).clip(min=0)
    out = np.full((len(CHANGES), *needed.shape), np.nan)
    out[0, start] = existing
    before = max(int(years[start]), int(building_programme_first_year.values[0]) - 1)
    for place in range(start + 1, len(years)):
        retired = existing / bed_life.values
        left = gap * (1 - max(years[place] - before, 0) / building_programme_years.values).clip(
            min=0
        )
        constructed = (needed[place] - left - existing + retired).clip(min=0)
        existing = existing - retired + constructed
        out[:, place] = existing, retired, constructed
    return Array(("change", "year", "measure", "bed_type", DRAW), out)


@quantity(unit="bed per year", dims=("measure", "year"))
def beds_built(bed_programme: Array) -> Array:
    """Beds to be built in each year: growth of need, renewal, and closing the gap to the stock.

    Defined as::  sum over bed types(beds constructed)
    """
    return sum_over(part(bed_programme, change="constructed"), "bed_type")


@quantity(unit="bed per year", dims=("measure", "year", "bed_type", "kind"))
def beds_built_by_type_and_kind(bed_programme: Array, conversion_share_of_renewal: Array) -> Array:
    """Beds built in a year by how: new, rebuilt where they wore out, or converted from another use.

    Defined as::  renewed = least(constructed, retired)
                  converted = renewed x conversion share
                  rebuilt = renewed - converted
                  new = constructed - renewed

    May bind: no more is renewed than wore out, nor than is built. Sums to the beds constructed.
    """
    constructed, retired = (
        part(bed_programme, change=change) for change in ("constructed", "retired")
    )
    renewed = least(constructed, retired)
    converted = renewed * conversion_share_of_renewal
    parts = (constructed - renewed, renewed - converted, converted)
    return side_by_side(dict(zip(CONSTRUCTION_TYPES, parts)), "kind")


@quantity(unit="bed per year", dims=("measure", "year", "kind"))
def beds_built_by_kind(beds_built_by_type_and_kind: Array) -> Array:
    """Beds built in a year by how: new, rebuilt or converted.

    Defined as::  sum over bed types(beds built)
    """
    return sum_over(beds_built_by_type_and_kind, "bed_type")


def empty_beds(stock: float, occupancy: Array) -> Array:
    """Beds that exist and are empty.  Defined as::  empty = stock x (1 - occupancy)

    stock     : number [bed]
    occupancy : array [share]  dims draw
    Returns   : array [bed]  dims draw
    Source    : capacity.csv; assumption `observed_occupancy`
    """
    return stock * (1 - occupancy)


def missing_beds(needed, stock):
    """Beds that are needed and do not exist.  Defined as::  missing = greatest(0, needed - stock)

    needed, stock : array [bed]  both of the same kinds of bed
    Returns       : array [bed]  dims of needed
    """
    return (needed - stock).clip(min=0)


name_labels("kind", CONSTRUCTION_TYPES)
name_labels("change", CHANGES)
