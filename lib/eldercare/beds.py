"""Beds that care in institutions takes, by type, and places in day care."""

from __future__ import annotations

import numpy as np
import xarray as xr

from .arrays import join, sum_over
from .draws import Assumptions
from .schema import BED_TYPES

HEAVY = ("moderate", "severe")
KINDS_OF_BUILDING = ("new", "rebuilt", "converted")
BEDS_PER_RESIDENT = 1  # a resident holds one bed


def residents_by_bed_type(
    residents: xr.DataArray, dementia_share: xr.DataArray, assumptions: Assumptions
) -> xr.DataArray:
    """Residents by the type of bed they need.

    Defined as::  dementia = dementia share x `dementia_bed_share` x residents with moderate or severe
                             limitation
                  nursing  = sum over severity(residents x `nursing_bed_share`) - dementia
                  general  = the rest
    (a dementia-care bed is a nursing bed with more; it is taken out of the nursing beds, so the three add up)

    residents      : array [person]  dims draw, measure, year, severity
    dementia_share : array [share]  dims draw, year: of residents with moderate or severe limitation
    Returns        : array [person]  dims draw, measure, year, bed_type; sums to all residents
    """
    total = residents.pipe(sum_over, "severity")
    nursing_all = (residents * assumptions["nursing_bed_share"]).pipe(sum_over, "severity")
    heavy = residents.sel(severity=list(HEAVY)).pipe(sum_over, "severity")
    dementia = xr.ufuncs.minimum(heavy * dementia_share * assumptions["dementia_bed_share"], nursing_all)
    parts = [total - nursing_all, nursing_all - dementia, dementia]
    return join(dict(zip(BED_TYPES, parts)), "bed_type").transpose("draw", "measure", "year", "bed_type")


def beds(residents: xr.DataArray, target_occupancy: xr.DataArray) -> xr.DataArray:
    """Beds that must stand so that the residents have one and some stay free.

    Defined as::  beds = residents x one bed each / occupancy

    residents        : array [person]  any dims with draw
    target_occupancy : array [share]  dims draw
    Returns          : array [bed]  the dims of residents
    Raises           : ValueError if an occupancy is outside (0, 1]
    Source           : assumption `target_occupancy`.  See also: residents_by_bed_type
    """
    if bool((target_occupancy <= 0).any() | (target_occupancy > 1).any()):
        raise ValueError("occupancy must be above 0 and at most 1")
    return residents * (BEDS_PER_RESIDENT / target_occupancy)


def day_care_places(users: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Places in day care.  Defined as::  places = users x places per user

    users   : array [person]
    Returns : array [place]  the same dims
    Source  : assumption `day_care_places_per_user`
    """
    return users * assumptions["day_care_places_per_user"]


def respite_beds(at_home: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Beds for short stays, so that a family that cares can rest; beside the beds of residents.

    Defined as::  beds = people with moderate or severe limitation at home x part of the year / occupancy

    at_home : array [person]  dims …, severity: cared for by the family or at home with services
    Returns : array [bed]  dims …
    Source  : assumptions `respite_time_share`, `target_occupancy`
    """
    heavy = at_home.sel(severity=list(HEAVY)).pipe(sum_over, "severity")
    return beds(heavy * assumptions["respite_time_share"], assumptions["target_occupancy"])


def institution_part(stock: float, institution_beds: xr.DataArray, total_beds: xr.DataArray) -> xr.DataArray:
    """Beds of institutions in a stock that counts day-care places too, as Chinese statistics do.

    Defined as::  stock x beds needed in institutions / beds needed of all kinds

    stock                        : number [bed]
    institution_beds, total_beds : array [bed]  dims draw, measure, in the year of the stock
    Returns                      : array [bed]  dims draw, measure
    """
    return stock * institution_beds / total_beds


def building(
    beds_needed: xr.DataArray, stock: xr.DataArray | float | None, stock_year: int, assumptions: Assumptions
) -> dict[str, xr.DataArray]:
    """Beds that stand, wear out and are built, year by year.

    Defined as::  worn(t)     = standing(t-1) / life
                  wanted(t)   = needed(t) - gap x the part of the programme's years still to come
                  built(t)    = max(0, wanted(t) - standing(t-1) + worn(t))
                  standing(t) = standing(t-1) - worn(t) + built(t)
                  gap         = max(0, needed(t0) - stock), in all bed types together

    So the programme closes the gap to the stock evenly over its years, growth of need is met as it
    comes, worn beds are rebuilt where they are needed, and beds beyond need wear out unreplaced.

    A step is a year, so beds worn and built in it count as beds.

    beds_needed : array [bed]  dims draw, measure, year, bed_type
    stock       : number [bed]  of institutions, standing in the stock year t0, spread over the types as
                  need is; None where nobody published them: need is then taken to be met at t0, so that the
                  gap is left out, not taken for need itself
    Returns     : array [bed]  standing, worn, built, by name; dims of beds_needed;
                  built and worn are not defined (NaN) up to t0, standing not before it
    Source      : capacity.csv; assumptions `bed_life`, `building_programme_years`
    """
    years, order = beds_needed["year"].values, ("draw", "measure", "bed_type")
    needed = beds_needed.transpose("year", *order)
    first = needed.sel(year=stock_year, drop=True)
    known = 1.0 if stock is None else stock / first.pipe(sum_over, "bed_type")
    standing = (first * known).transpose(*order).values
    gap = (first.values - standing).clip(min=0)
    life, length = (
        assumptions[name].values[:, None, None] for name in ("bed_life", "building_programme_years")
    )
    out = {name: np.full(needed.shape, np.nan) for name in ("standing", "worn", "built")}
    start = int(np.flatnonzero(years == stock_year)[0])
    out["standing"][start] = standing
    for place in range(start + 1, len(years)):
        worn = standing / life
        left = gap * (1 - (years[place] - stock_year) / length).clip(min=0)
        built = (needed.values[place] - left - standing + worn).clip(min=0)
        standing = standing - worn + built
        out["standing"][place], out["worn"][place], out["built"][place] = standing, worn, built
    return {name: needed.copy(data=values).transpose(*beds_needed.dims) for name, values in out.items()}


def beds_to_build(
    beds_needed: xr.DataArray, stock: xr.DataArray | float | None, stock_year: int, assumptions: Assumptions
) -> xr.DataArray:
    """Beds to be built in each year: growth of need, renewal, and closing the gap to the stock.

    beds_needed, stock, stock_year : as in `building`, which says how
    Returns : array [bed]  dims of beds_needed; not defined (NaN) up to the stock year
    """
    return building(beds_needed, stock, stock_year, assumptions)["built"]


def built_by_kind(built: xr.DataArray, worn: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Beds built in a year by how: new, rebuilt where they wore out, or converted from another use.

    Defined as::  renewed = least(built, worn);  converted = renewed x conversion share
                  rebuilt = renewed - converted;  new = built - renewed

    built, worn : array [bed per year]  as `building` gives them
    Returns : array [bed per year]  dims of built, then kind (new, rebuilt, converted); sums to built
    Source  : assumption `conversion_share_of_renewal`
    """
    renewed = xr.ufuncs.minimum(built, worn)
    converted = renewed * assumptions["conversion_share_of_renewal"]
    return join(dict(zip(KINDS_OF_BUILDING, (built - renewed, renewed - converted, converted))), "kind")


def empty_beds(stock: float, occupancy: xr.DataArray) -> xr.DataArray:
    """Beds that stand and are empty.  Defined as::  empty = stock x (1 - occupancy)

    stock     : number [bed]
    occupancy : array [share]  dims draw
    Returns   : array [bed]  dims draw
    Source    : capacity.csv; assumption `observed_occupancy`
    """
    return stock * (1 - occupancy)


def missing_beds(needed: xr.DataArray, stock: xr.DataArray | float) -> xr.DataArray:
    """Beds that are needed and do not stand.  Defined as::  missing = max(0, needed - stock)

    needed, stock : array [bed]  both of the same kinds of bed
    Returns       : array [bed]  dims of needed
    """
    return (needed - stock).clip(min=0)
