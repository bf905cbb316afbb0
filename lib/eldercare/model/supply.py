"""Care workers year by year: in post, trained, returning, leaving, retiring, and how many to train."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from eldercare.inputs.draws import Assumptions
from eldercare.model.caregivers import PER_10000

FLOWS = ("trained", "returning", "leaving", "retiring")
PATHS = ("today", "programme")
STOCK_YEAR = 2020


@dataclass(frozen=True)
class Rates:
    """Yearly shares of those in post, one value a draw.

    leaving, retiring : array [share]  of the stock of the year before; together at most 1
    returning         : array [share]  of those who left in the year before
    """

    leaving: np.ndarray
    retiring: np.ndarray
    returning: np.ndarray


def rates_of_change(assumptions: Assumptions) -> Rates:
    """The rates of an area, from the assumptions.

    Source : assumptions `caregiver_leaving_share`, `caregiver_retirement_share`, `caregiver_return_share`
    """
    leaving = assumptions["caregiver_leaving_share"].values
    retiring = np.minimum(assumptions["caregiver_retirement_share"].values, 1 - leaving)
    return Rates(leaving, retiring, assumptions["caregiver_return_share"].values)


def next_year(
    stock: np.ndarray, left_before: np.ndarray, trained: np.ndarray, rates: Rates
) -> dict[str, np.ndarray]:
    """One year on.

    Defined as::  stock(t+1) = stock(t) + trained + returning - leaving - retiring
                  returning  = return share x those who left in t
                  leaving    = leaving share x stock(t);  retiring = retirement share x stock(t)

    stock, left_before, trained : array [worker]
    Returns : array [worker]  the new `stock` and the four flows, by name
    """
    flows = {
        "trained": trained,
        "returning": rates.returning * left_before,
        "leaving": rates.leaving * stock,
        "retiring": rates.retiring * stock,
    }
    new = stock + flows["trained"] + flows["returning"] - flows["leaving"] - flows["retiring"]
    return {"stock": new, **flows}


def stock_without_training(
    stock: np.ndarray, left: np.ndarray, rates: Rates, years: int
) -> np.ndarray:
    """Care workers still or again in post after some years in which nobody is trained.

    stock, left : array [worker]  `left` is who left in the year of the stock
    Returns     : array [worker]
    """
    for _ in range(years):
        step = next_year(stock, left, np.zeros_like(stock), rates)
        stock, left = step["stock"], step["leaving"]
    return stock


def trained_to_reach(
    goal: np.ndarray, stock: np.ndarray, left: np.ndarray, rates: Rates, years: int
) -> np.ndarray:
    """Workers to be trained in each of some years so that the stock then is the goal.

    The stock after n years is straight in the number trained a year, so the answer is closed::

        trained = (goal - stock without training) / (what is left of one trained in each year)

    goal, stock, left : array [worker]; `left` is who left in the year of the stock
    Returns : array [worker]  a year; 0 where the stock without training is enough
    Raises  : ValueError for less than one year
    """
    if years < 1:
        raise ValueError(f"a goal must lie ahead; it is {years} years away")
    rest = stock_without_training(stock, left, rates, years)
    of_one, left_of_one = np.zeros_like(stock), np.zeros_like(stock)
    for _ in range(years):
        step = next_year(of_one, left_of_one, np.ones_like(stock), rates)
        of_one, left_of_one = step["stock"], step["leaving"]
    return np.maximum(goal - rest, 0) / of_one


def first_stock(older: np.ndarray, assumptions: Assumptions) -> np.ndarray:
    """Care workers in post in the census year, which are not collected here for any city: the nation's ratio stands in.

    Defined as::  stock = people of 60 and over x care workers per 10,000 of them in the nation / 10,000

    older   : array [person]  people of 60 and over in 2020
    Returns : array [worker]
    Source  : assumption `caregiver_stock_per_10000`
    """
    return older * assumptions["caregiver_stock_per_10000"].values / PER_10000


def trained_today(stock: np.ndarray, growth: np.ndarray, rates: Rates) -> np.ndarray:
    """Workers newly trained a year that keep a stock growing at a rate, the intake of today.

    Defined as::  trained = stock (1 - (1 - leaving - retiring) / (1 + g) - return x leaving / (1 + g)^2)

    stock   : array [worker]
    Returns : array [worker]  a year
    """
    stays = 1 - rates.leaving - rates.retiring
    came_back = rates.returning * rates.leaving
    return stock * (1 - stays / (1 + growth) - came_back / (1 + growth) ** 2)


def workforce(
    older: xr.DataArray, needed: xr.DataArray, assumptions: Assumptions
) -> dict[str, xr.DataArray]:
    """Care workers in post and how they come and go, on two paths.

    Up to 2020 the stock grows at the rate seen nationally. After it, on the path `today` as many are
    trained each year as in 2020; on the path `programme` one number a year, from the first to the last
    year of the programme, closes the gap to what is needed, and after it the stock follows the need.

    older   : array [person]  dims draw, year: people of 60 and over
    needed  : array [worker]  dims draw, year: care workers if need is met
    Returns : `stock` [worker] dims draw, year, path; `flow` [worker] dims draw, year, path, flow;
              `intake` [person] dims draw, year, path: people taken into training
    Source  : assumptions `caregiver_stock_per_10000`, `caregiver_stock_growth`, `caregiver_entry_share`,
              `programme_first_year`, `programme_last_year`, and those of `rates_of_change`
    """
    years = older["year"].values
    rates = rates_of_change(assumptions)
    growth = assumptions["caregiver_stock_growth"].values
    base = first_stock(older.sel(year=STOCK_YEAR).values, assumptions)
    today = trained_today(base, growth, rates)
    wanted = needed.transpose("year", "draw").values
    window = [int(assumptions[f"programme_{end}_year"].values[0]) for end in ("first", "last")]
    paths = {path: _path(years, base, growth, today, rates, wanted, window, path) for path in PATHS}
    coords = {"draw": older["draw"].values, "year": years, "path": list(PATHS)}
    stock, trained = (
        np.array([paths[path][name] for path in PATHS]) for name in ("stock", "trained")
    )
    flow = np.array([[paths[path][name] for name in FLOWS] for path in PATHS])
    order = ("path", "year", "draw")
    labelled = {
        "stock": xr.DataArray(stock, dims=order, coords=coords),
        "flow": xr.DataArray(
            flow, dims=("path", "flow", "year", "draw"), coords={**coords, "flow": list(FLOWS)}
        ),
        "intake": xr.DataArray(
            trained / assumptions["caregiver_entry_share"].values, dims=order, coords=coords
        ),
    }
    return {name: array.transpose("draw", "year", "path", ...) for name, array in labelled.items()}


def _path(years, base, growth, today, rates, wanted, window, path) -> dict[str, np.ndarray]:
    """One path: stock and flows, dims year, draw."""
    first, last = window
    names = ("stock", *FLOWS)
    out = {name: np.empty((len(years), len(base))) for name in names}
    constant = None
    step = _year_before(years[0], base, growth, rates)
    for index, year in enumerate(years):
        stock, left = step["stock"], step["leaving"]
        if year <= STOCK_YEAR:
            trained = trained_today(base * (1 + growth) ** (year - STOCK_YEAR), growth, rates)
        elif path == "today" or year < first:
            trained = today
        elif year <= last:
            if constant is None:
                goal = wanted[np.flatnonzero(years == last)[0]]
                constant = trained_to_reach(goal, stock, left, rates, last - year + 1)
            trained = constant
        else:
            trained = np.maximum(wanted[index] - stock_without_training(stock, left, rates, 1), 0)
        step = next_year(stock, left, trained, rates)
        for name in names:
            out[name][index] = step[name]
    return out


def _year_before(
    year: int, base: np.ndarray, growth: np.ndarray, rates: Rates
) -> dict[str, np.ndarray]:
    """Stock and leavers of the year before the first, on the way up to the stock of 2020."""
    stock = base * (1 + growth) ** (float(year) - 1 - STOCK_YEAR)
    return {"stock": stock, "leaving": rates.leaving * stock / (1 + growth)}
