"""Places for children under 3 (托位): used, wanted, promised, and how full the promise would be."""

from __future__ import annotations

import xarray as xr

from eldercare.inputs.draws import Assumptions

PER_1000 = 1_000
PLACES_PER_CHILD = 1  # a child holds one place


def childcare_places_used(children: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Places that children take up.  Defined as::  children under 3 x enrolment x one place each

    children : array [person]
    Returns  : array [place]  the same dims
    Source   : assumption `childcare_enrolment`
    """
    return children * assumptions["childcare_enrolment"] * PLACES_PER_CHILD


def childcare_places_wanted(children: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Places that families say they want.  Defined as::  children under 3 x share x one place each

    children : array [person]
    Returns  : array [place]  the same dims
    Source   : assumption `childcare_wanted_share`
    """
    return children * assumptions["childcare_wanted_share"] * PLACES_PER_CHILD


def childcare_places_promised(population: xr.DataArray, per_1000: float) -> xr.DataArray:
    """Places that a promise per 1,000 people comes to.

    Defined as::  places = people x places per 1,000 / 1,000

    population : array [person]
    per_1000   : number [place per 1,000 person]
    Returns    : array [place]  the same dims
    """
    return population * per_1000 / PER_1000


def filled_share(used: xr.DataArray, places: xr.DataArray) -> xr.DataArray:
    """How full the places are.  Defined as::  share = least(places used, places) / places

    used, places : array [place]
    Returns      : array [share]  0 to 1
    """
    return xr.ufuncs.minimum(used, places) / places


def childcare(
    children: xr.DataArray, population: xr.DataArray, assumptions: Assumptions
) -> dict[str, xr.DataArray]:
    """What the chain keeps of it, by indicator; dims draw, year."""
    used = childcare_places_used(children, assumptions)
    return {
        "childcare_places_used": used,
        "childcare_places_wanted": childcare_places_wanted(children, assumptions),
        "childcare_places_per_1000_used": used / population * PER_1000,
    }
