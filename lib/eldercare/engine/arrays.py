"""Arrays with named dims and no labels (`xarray.Variable`), draws last; labels are attached at the
border.

What the places along a dim stand for is told once, by `name_labels`; how long a dim is tells which
of its sets of labels an array has (people by severity with or without those who have no
limitation).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from eldercare.inputs.schema import BED_TYPES, SETTINGS, SEVERITIES

Array = xr.Variable
DRAW = "draw"
LABELS: dict[Hashable, list[tuple]] = {}


def name_labels(dim: str, *sets: tuple) -> None:
    """Say what the places along a dim stand for; sets of labels of one dim differ in length."""
    known = LABELS.setdefault(dim, [])
    known += [one for one in sets if one not in known]
    if len({len(one) for one in known}) < len(known):
        raise ValueError(f"two sets of labels of the dim “{dim}” have the same length")


def labels_of(dim: Hashable, size: int) -> tuple:
    """What the places along a dim of this length stand for.  Raises: KeyError if nobody has said"""
    for one in LABELS.get(dim, ()):
        if len(one) == size:
            return one
    raise KeyError(f"no labels are known for the dim “{dim}” of length {size}")


def part(array: Array, **where) -> Array:
    """Where along its dims an array is taken: a label drops the dim, a list of labels keeps it."""
    index: dict[str, Any] = {}
    for dim, wanted in where.items():
        known = labels_of(dim, array.sizes[dim])
        if isinstance(wanted, str | int):
            index[dim] = known.index(wanted)
        elif list(wanted) == list(known):
            continue
        else:
            places = [known.index(label) for label in wanted]
            run = range(places[0], places[0] + len(places))
            index[dim] = slice(run.start, run.stop) if places == list(run) else places
    return array.isel(index)


def sum_over(array: Array, *dims: str) -> Array:
    """Sum over some dims; a missing value stays missing."""
    axes = tuple(array.dims.index(dim) for dim in dims)
    return Array([dim for dim in array.dims if dim not in dims], array.values.sum(axis=axes))


def _draw(array: Array) -> tuple[str, ...]:
    return (DRAW,) if DRAW in array.dims else ()


def side_by_side(parts: Mapping[str, Array], dim: str) -> Array:
    """Arrays side by side along a new dim, the last before the draws; parts that lack a dim are
    repeated along it.

    Raises : KeyError if the names of the parts are no set of labels of the dim
    """
    names, arrays = tuple(parts), list(parts.values())
    if names != labels_of(dim, len(names)):
        raise KeyError(f"{names} are not the labels of the dim “{dim}”")
    sizes: dict[Hashable, int] = {}
    for array in arrays:
        sizes |= array.sizes
    dims = [one for one in sizes if one != DRAW] + [DRAW]
    shape = [sizes.get(one, 1) for one in dims]
    out = np.empty((*shape[:-1], len(arrays), shape[-1]))
    for place, array in enumerate(arrays):
        out[..., place, :] = array.set_dims(dict(zip(dims, shape))).transpose(*dims).values
    return Array((*dims[:-1], dim, DRAW), out)


def product(one: Array, other: Array, dims: tuple[str, ...]) -> Array:
    """The product of two arrays of which neither has all dims, in the order given, draws last."""
    sizes = {**one.sizes, **other.sizes}
    shape = {dim: sizes[dim] for dim in (*dims, DRAW)}
    left, right = (array.set_dims(shape).transpose(*shape).values for array in (one, other))
    return Array(tuple(shape), left * right)


def over_year(array: Array) -> Array:
    """Who or what there is over a year, from what there is at its end and at the end of the year
    before.

    Defined as::  over(t) = (end(t - 1) + end(t)) / 2;  the first year has its own end
    """
    before = array.isel(year=slice(None, -1)).values
    out = array.values.astype(float)
    later = Array(array.dims, out).isel(year=slice(1, None)).values  # a view
    later += before
    later /= 2
    return Array(array.dims, out)


def least(one, other) -> Array:
    """The smaller of two, place by place."""
    return xr.ufuncs.minimum(one, other)


def greatest(one, other) -> Array:
    """The greater of two, place by place."""
    return xr.ufuncs.maximum(one, other)


def sum_product(people: Array, rates: Array, over: tuple[str, ...] = ("sex", "age")) -> Array:
    """Sum of people times rates over sex and age, as one product of matrices a draw.

    people  : array [person]  dims draw, year, sex, age
    rates   : array  dims draw (or none), further dims, and some of those summed over
    Returns : array  dims year, the further dims of the rates, draw
    """
    further = [dim for dim in rates.dims if dim not in (*over, DRAW)]
    drawn = DRAW in rates.dims
    full = rates.set_dims({**rates.sizes, **{dim: people.sizes[dim] for dim in over}})
    table = full.transpose(*_draw(rates), *over, *further).values
    left = people.transpose(DRAW, "year", *over).values
    left = left.reshape(*left.shape[:2], -1)
    right = table.reshape(*table.shape[:drawn], left.shape[-1], -1)
    out = np.ascontiguousarray(np.moveaxis(left @ right, 0, -1))
    shape = (out.shape[0], *(rates.sizes[dim] for dim in further), out.shape[-1])
    return Array(("year", *further, DRAW), out.reshape(shape))


def labelled(arrays: Mapping[str, Array], years) -> xr.Dataset:
    """The border: arrays with the labels of their dims, draws first and numbered."""
    coords: dict[Hashable, np.ndarray] = {"year": np.asarray(years)}
    for name, array in arrays.items():
        for dim, size in array.sizes.items():
            if dim == DRAW:
                coords.setdefault(dim, np.arange(size))
            elif dim not in coords:
                coords[dim] = np.array(labels_of(dim, size))
            if len(coords[dim]) != size:
                raise ValueError(f"“{name}” has {size} places along the dim “{dim}”, others differ")
    return xr.Dataset({name: one.transpose(DRAW, ...) for name, one in arrays.items()}, coords)


def label(array: Array, years) -> xr.DataArray:
    """`labelled` of one array."""
    return labelled({"": array}, years)[""]


name_labels("severity", SEVERITIES, SEVERITIES[1:])
name_labels("setting", SETTINGS, SETTINGS[1:])
name_labels("bed_type", BED_TYPES)
name_labels("measure", ("use", "need"), ("need",))
