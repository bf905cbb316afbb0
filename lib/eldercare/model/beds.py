"""Beds that care in institutions takes, by type, and places in day care."""

from __future__ import annotations

import numpy as np
import xarray as xr

from eldercare.engine.arrays import join, sum_over
from eldercare.inputs.draws import Assumptions
from eldercare.inputs.schema import BED_TYPES

HEAVY = ("moderate", "severe")
KINDS_OF_BUILDING = ("new", "rebuilt", "converted")
BEDS_PER_RESIDENT = 1  # a resident holds one bed


def residents_by_bed_type(residents: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Residents by the type of bed they need.

    Defined as::  dementia = residents x `dementia_share_of_residents` x `dementia_bed_share`
                  nursing  = sum over severity(residents x `nursing_bed_share`) - dementia
                  general  = the rest
    (a dementia-care bed is a nursing bed with more; it is taken out of the nursing beds, so the types add up)

    How many residents have dementia is what homes counted, not a ratio of two surveys of the whole population:
    who enters a home is chosen by need. So the prevalence among all people moves those with dementia, not the
    beds. May bind: in draws in which hardly any nursing bed is needed, dementia beds are no more than these.

    residents : array [person]  dims draw, measure, year, severity
    Returns   : array [person]  dims draw, measure, year, bed_type; sums to all residents
    Source    : assumptions `dementia_share_of_residents`, `dementia_bed_share`, `nursing_bed_share`
    """
    total = residents.pipe(sum_over, "severity")
    nursing_all = (residents * assumptions["nursing_bed_share"]).pipe(sum_over, "severity")
    wanted = total * assumptions["dementia_share_of_residents"] * assumptions["dementia_bed_share"]
    dementia = xr.ufuncs.minimum(wanted, nursing_all)
    parts = [total - nursing_all, nursing_all - dementia, dementia]
    return join(dict(zip(BED_TYPES, parts)), "bed_type").transpose(
        "draw", "measure", "year", "bed_type"
    )


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


def institution_part(stock: float, assumptions: Assumptions) -> float:
    """Beds of institutions in a stock that counts beds and places of communities too, as Chinese statistics do.

    Defined as::  stock x institutions' share of all beds

    A stock is a fact: it is divided as the nation's was counted, the same in every draw, under need and use.

    stock   : number [bed]
    Returns : number [bed]
    Source  : assumption `institution_share_of_beds`
    """
    return stock * float(assumptions["institution_share_of_beds"].values[0])


def building(
    beds_needed: xr.DataArray,
    stock: xr.DataArray | float | None,
    stock_year: int,
    assumptions: Assumptions,
) -> dict[str, xr.DataArray]:
    """Beds that stand, wear out and are built, year by year.

    Defined as::  worn(t)     = standing(t-1) / life
                  wanted(t)   = needed(t) - gap x the part of the programme's years still to come
                  built(t)    = max(0, wanted(t) - standing(t-1) + worn(t))
                  standing(t) = standing(t-1) - worn(t) + built(t)
                  gap         = max(0, needed(t0) - stock), in all bed types together

    So the programme, which begins in its first year, closes the gap to the stock evenly over its years, growth
    of need is met as it comes, worn beds are rebuilt where they are needed, and beds beyond need wear out
    unreplaced. May bind: where the stock is above need nothing is built, and there is no gap.

    A step is a year, so beds worn and built in it count as beds.

    beds_needed : array [bed]  dims draw, measure, year, bed_type
    stock       : number [bed]  of institutions, standing in the stock year t0, spread over the types as
                  need is; None where it is not collected here: need is then taken to be met at t0, so that the
                  gap is left out, not taken for need itself
    Returns     : array [bed]  standing, worn, built, by name; dims of beds_needed;
                  built and worn are not defined (NaN) up to t0, standing not before it
    Source      : capacity.csv; assumptions `bed_life`, `building_programme_years`, `building_programme_first_year`
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
    before = max(stock_year, int(assumptions["building_programme_first_year"].values[0]) - 1)
    out["standing"][start] = standing
    for place in range(start + 1, len(years)):
        worn = standing / life
        left = gap * (1 - max(years[place] - before, 0) / length).clip(min=0)
        built = (needed.values[place] - left - standing + worn).clip(min=0)
        standing = standing - worn + built
        out["standing"][place], out["worn"][place], out["built"][place] = standing, worn, built
    return {
        name: needed.copy(data=values).transpose(*beds_needed.dims) for name, values in out.items()
    }


def beds_to_build(
    beds_needed: xr.DataArray,
    stock: xr.DataArray | float | None,
    stock_year: int,
    assumptions: Assumptions,
) -> xr.DataArray:
    """Beds to be built in each year: growth of need, renewal, and closing the gap to the stock.

    beds_needed, stock, stock_year : as in `building`, which says how
    Returns : array [bed]  dims of beds_needed; not defined (NaN) up to the stock year
    """
    return building(beds_needed, stock, stock_year, assumptions)["built"]


def built_by_kind(
    built: xr.DataArray, worn: xr.DataArray, assumptions: Assumptions
) -> xr.DataArray:
    """Beds built in a year by how: new, rebuilt where they wore out, or converted from another use.

    Defined as::  renewed = least(built, worn);  converted = renewed x conversion share
                  rebuilt = renewed - converted;  new = built - renewed

    May bind: no more is renewed than wore out, nor than is built.

    built, worn : array [bed per year]  as `building` gives them
    Returns : array [bed per year]  dims of built, then kind (new, rebuilt, converted); sums to built
    Source  : assumption `conversion_share_of_renewal`
    """
    renewed = xr.ufuncs.minimum(built, worn)
    converted = renewed * assumptions["conversion_share_of_renewal"]
    return join(
        dict(zip(KINDS_OF_BUILDING, (built - renewed, renewed - converted, converted))), "kind"
    )


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
