"""Beds that care in institutions takes, by type, and places in day care."""

from __future__ import annotations

import xarray as xr

from .arrays import join
from .draws import Assumptions
from .schema import BED_TYPES

HEAVY = ("moderate", "severe")


def residents_by_bed_type(residents: xr.DataArray, dementia_share: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Residents by the type of bed they need.

    Defined as::  dementia = dementia share x `dementia_bed_share` x residents with moderate or severe limitation
                  nursing  = sum over severity(residents x `nursing_bed_share`) - dementia
                  general  = the rest
    (a dementia-care bed is a nursing bed with more; it is taken out of the nursing beds, so the three add up)

    residents      : array [person]  dims draw, measure, year, severity
    dementia_share : array [share]  dims draw, year: of residents with moderate or severe limitation
    Returns        : array [person]  dims draw, measure, year, bed_type; sums to all residents
    """
    total = residents.sum("severity", skipna=False)
    nursing_all = (residents * assumptions["nursing_bed_share"]).sum("severity", skipna=False)
    heavy = residents.sel(severity=list(HEAVY)).sum("severity", skipna=False)
    dementia = xr.ufuncs.minimum(heavy * dementia_share * assumptions["dementia_bed_share"], nursing_all)
    parts = [total - nursing_all, nursing_all - dementia, dementia]
    return join(dict(zip(BED_TYPES, parts)), "bed_type").transpose("draw", "measure", "year", "bed_type")


def beds(residents: xr.DataArray, target_occupancy: xr.DataArray) -> xr.DataArray:
    """Beds that must stand so that the residents have one and some stay free.

    Defined as::  beds = residents / occupancy

    residents        : array [person]  any dims with draw
    target_occupancy : array [share]  dims draw
    Returns          : array [bed]  the dims of residents
    Raises           : ValueError if an occupancy is outside (0, 1]
    Source           : assumption `target_occupancy`.  See also: residents_by_bed_type
    """
    if bool((target_occupancy <= 0).any() | (target_occupancy > 1).any()):
        raise ValueError("occupancy must be above 0 and at most 1")
    return residents / target_occupancy


def day_care_places(users: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Places in day care.  Defined as::  places = users x places per user

    users : array [person]   Returns : array [place], the same dims
    Source: assumption `day_care_places_per_user`
    """
    return users * assumptions["day_care_places_per_user"]


def beds_to_build(
    beds_needed: xr.DataArray, stock: float | None, stock_year: int, assumptions: Assumptions
) -> xr.DataArray:
    """Beds to be built in each year: growth of need, renewal, and closing today's gap where it is known.

    Defined as::  built(t) = max(0, needed(t) - needed(t-1)) + needed(t-1) / life
                             + max(0, needed(t0) - stock) / programme years, in the programme's years

    beds_needed : array [bed]  dims draw, measure, year, bed_type
    stock       : beds of all types that stood in the stock year t0, or None where nobody published
                  them: the gap is then left out, not taken for zero beds
    Returns     : array [bed per year]  dims of beds_needed; the first year is not defined (NaN)
    Source      : capacity.csv; assumptions `bed_life`, `building_programme_years`
    """
    before = beds_needed.shift(year=1)
    built = (beds_needed - before).clip(min=0) + before / assumptions["bed_life"]
    if stock is not None:
        needed = beds_needed.sel(year=stock_year, drop=True)
        total = needed.sum("bed_type")
        gap = (total - stock).clip(min=0) * needed / total
        passed = beds_needed["year"] - stock_year
        length = assumptions["building_programme_years"]
        built = built + xr.where((passed >= 1) & (passed <= length), gap / length, 0.0)
    return built.transpose(*beds_needed.dims)
