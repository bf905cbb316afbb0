"""Labelled arrays put side by side, which every step after the population does."""

from __future__ import annotations

import numpy as np
import xarray as xr


def join(parts: dict[str, xr.DataArray], dim: str) -> xr.DataArray:
    """Put arrays side by side along a new last dim, labelled by the names of the parts.

    Parts may lack dims that others have; they are repeated along them.  (xarray.concat does the
    same and checks more, at ten times the cost for arrays of this size.)

    Returns : array  dims of the parts, then `dim`
    Raises  : ValueError if two parts label a dim differently
    """
    arrays = list(parts.values())
    coords: dict[str, xr.Variable] = {}
    for array in arrays:
        labels = array.coords.variables
        for name in array.dims:
            own = labels[name] if name in labels else array[name].variable
            known = coords.setdefault(name, own)
            if known is not own and not np.array_equal(known.values, own.values):
                raise ValueError(f"the parts of “{dim}” label the dim “{name}” differently")
    shape = [len(values) for values in coords.values()]
    out = np.empty((len(arrays), *shape))
    for index, array in enumerate(arrays):
        ordered = array.transpose(*[name for name in coords if name in array.dims]).values
        place = tuple(slice(None) if name in array.dims else None for name in coords)
        out[index] = ordered[place]
    return xr.DataArray(
        np.moveaxis(out, 0, -1), dims=(*coords, dim), coords={**coords, dim: list(parts)}
    )


def sum_over(array: xr.DataArray, *dims: str) -> xr.DataArray:
    """Sum over one or more short dims; a missing value stays missing.

    (numpy adds along a short last dim number by number; layer by layer it is five to ten times quicker.)

    Returns : array in the unit of `array`  its dims but those named
    """
    values, kept = array.values, list(array.dims)
    for dim in dims:
        layers = np.moveaxis(values, kept.index(dim), 0)
        kept.remove(dim)
        values = layers[0] + layers[1] if len(layers) > 1 else layers[0].copy()
        for layer in layers[2:]:
            values += layer
    labels = array.coords.variables
    return xr.DataArray(
        values, dims=kept, coords={name: labels[name] for name in kept if name in labels}
    )


def over_year(array: xr.DataArray) -> xr.DataArray:
    """Who or what there is over a year, from what there is at its end and at the end of the year before.

    Defined as::  over(t) = (end(t - 1) + end(t)) / 2;  the first year has its own end

    Returns : array in the unit of `array`  the same dims, year among them
    """
    place = array.dims.index("year")
    ends = np.moveaxis(array.values, place, 0)
    out = ends.astype(float)
    out[1:] = (ends[1:] + ends[:-1]) / 2
    return array.copy(data=np.moveaxis(out, 0, place))


def sum_product(
    people: xr.DataArray, rates: xr.DataArray, over: tuple[str, ...] = ("sex", "age")
) -> xr.DataArray:
    """Sum of people times rates over sex and age, as one product of matrices a draw.

    people  : array [person]  dims draw, year, sex, age
    rates   : array  dims draw (or none), one further dim, and some of those summed over
    Returns : array  dims draw, year, the further dim of the rates
    """
    kept = [dim for dim in people.dims if dim not in over]
    further = [dim for dim in rates.dims if dim not in over and dim not in kept]
    table = rates.expand_dims({dim: people.coords[dim] for dim in over if dim not in rates.dims})
    table = table.transpose(
        *[dim for dim in ("draw",) if dim in rates.dims], *over, *further
    ).values
    left = people.transpose(*kept, *over).values
    left = left.reshape(*left.shape[: len(kept)], -1)
    lead = table.shape[:1] if "draw" in rates.dims else ()
    right = table.reshape(*lead, left.shape[-1], *table.shape[len(lead) + len(over) :])
    single = not further
    product = left @ (right[..., None] if single else right)
    labels = {**rates.coords.variables, **people.coords.variables}
    coords = {dim: labels[dim] for dim in (*kept, *further) if dim in labels}
    return xr.DataArray(
        product[..., 0] if single else product, dims=(*kept, *further), coords=coords
    )
