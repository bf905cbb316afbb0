"""A second road to the number of beds: who newly needs one, how long it is kept, and how long one waits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import simpy
import xarray as xr
from scipy.stats import poisson

from eldercare.engine.arrays import sum_over, sum_product
from eldercare.inputs.draws import Assumptions, independent_stream
from eldercare.inputs.schema import SEVERITIES
from eldercare.model.need import LIMITED

MONTHS = 12
WARM_UP = 0.1
NEVER = 1e-12
HALVINGS = 40
FIRST_ONSET = 65
ARRIVALS = 8192


def onset_rates(
    ages: np.ndarray, prevalence: xr.DataArray, assumptions: Assumptions
) -> xr.DataArray:
    """Yearly rate at which people without a limitation get one, by age; it doubles in some years of age.

    Defined as::  rate(x) = level x 2^(x / doubling), from 65 on; the level is set so that the mean over
                  the nation's people of 65 and over without a limitation is the published rate

    ages       : array [person]  dims sex, age: the nation in 2020 (`need.national_ages`)
    prevalence : array [share]  dims draw, severity, sex, age
    Returns    : array [per year]  dims draw, sex, age: already times the share without a limitation
    Source     : assumptions `adl_onset_rate`, `adl_onset_doubling`
    """
    well = 1 - prevalence.pipe(sum_over, "severity")
    age = prevalence["age"]
    shape = xr.where(
        age >= FIRST_ONSET, 2 ** ((age - FIRST_ONSET) / assumptions["adl_onset_doubling"]), 0.0
    )
    without = well.where(age >= FIRST_ONSET, 0.0) * xr.DataArray(ages, dims=("sex", "age"))
    mean = (without * shape).sum(["sex", "age"], skipna=False) / without.sum(
        ["sex", "age"], skipna=False
    )
    return well * shape * assumptions["adl_onset_rate"] / mean


def new_cases(population: xr.DataArray, rates: xr.DataArray) -> xr.DataArray:
    """People of 65 and over in whom a limitation in daily living sets in during a year.

    Defined as::  cases = sum over sex and age(people x share without a limitation x onset rate)

    population : array [person]  dims draw, year, sex, age
    rates      : array [per year]  as `onset_rates` gives them
    Returns    : array [person per year]  dims draw, year
    """
    ages = {"age": slice(FIRST_ONSET, None)}
    return sum_product(population.sel(ages), rates.sel(ages)).transpose("draw", "year")


def admissions(
    cases: xr.DataArray, limited: xr.DataArray, institution_share: xr.DataArray
) -> xr.DataArray:
    """People who enter an institution in a year because of a limitation, by severity.

    Defined as::  admissions = cases x (limited of the severity / all limited) x share in institutions

    cases             : array [person per year]  dims draw, year
    limited           : array [person]  dims draw, year, severity (mild, moderate, severe)
    institution_share : array [share]  dims measure, draw, severity (and year)
    Returns           : array [person per year]  dims draw, measure, year, severity
    """
    mix = limited / limited.pipe(sum_over, "severity")
    share = institution_share.sel(severity=list(LIMITED))
    return (cases * mix * share).transpose("draw", "measure", "year", "severity")


def residents_from_flow(admitted: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Residents that a steady flow of admissions keeps up (Little's law).

    Defined as::  residents = admissions x length of stay

    admitted : array [person per year]  dims …, severity
    Returns  : array [person]  the same dims
    Source   : assumption `length_of_stay`; Little, J. (1961), L = lambda W
    """
    return admitted * assumptions["length_of_stay"]


def residents_two_ways(
    by_ratio: xr.DataArray, admitted: xr.DataArray, assumptions: Assumptions
) -> xr.DataArray:
    """Residents by flow; those without a limitation, whose onset nobody measures, stand as by ratio.

    by_ratio : array [person]  dims draw, measure, year, severity: residents as shares of people give them
    admitted : array [person per year]  dims draw, measure, year, severity
    Returns  : array [person]  dims draw, measure, year: all residents, by flow
    """
    limited = residents_from_flow(admitted, assumptions).pipe(sum_over, "severity")
    return limited + by_ratio.sel(severity=SEVERITIES[0], drop=True)


def waiting_chance(load, beds, stay, wait):
    """Chance that who asks for a bed waits longer than a time, in a queue for one pool of beds.

    Defined as::  P(wait > t) = C exp(-(beds - load) t / stay),  C = B / (1 - load (1 - B) / beds),
                  B = load^beds / beds! / sum over k <= beds(load^k / k!)

    load       : array [person]  residents asked for: admissions x stay
    beds       : array [bed]  whole numbers
    stay, wait : array [year]
    Returns    : array [share]  1 where beds do not exceed the load
    Source  : Erlang, A. K. (1917), delay formula
    """
    load, beds = np.broadcast_arrays(np.asarray(load, float), np.asarray(beds, float))
    blocked = poisson.pmf(beds, load) / np.maximum(poisson.cdf(beds, load), NEVER)
    free = np.maximum(beds - load, NEVER)
    delayed = blocked / np.maximum(1 - load / beds * (1 - blocked), NEVER)
    return np.where(beds > load, np.minimum(delayed, 1) * np.exp(-free * wait / stay), 1.0)


def beds_for_waiting(load, stay, wait, share):
    """Fewest beds in one pool with which the waiting standard is kept.

    load       : array [person]
    stay, wait : array [year]
    share      : number [share]  part that waits no longer
    Returns : array [bed]  whole numbers: the least for which P(wait > t) <= 1 - share
    Source  : assumptions `waiting_standard`, `waiting_standard_share`.   See also: waiting_chance
    """
    load = np.asarray(load, float)
    low, high = np.floor(load), np.ceil(load + 6 * np.sqrt(load) + 6)
    while (high - low > 1).any():
        middle = np.where(high - low > 1, np.floor((low + high) / 2), high)
        enough = waiting_chance(load, middle, stay, wait) <= 1 - share
        high, low = np.where(enough, middle, high), np.where(enough, low, middle)
    return high


def occupancy_for_waiting(beds, stay, wait, share):
    """The fullest that a pool of beds can be with the waiting standard kept.

    Defined as::  load / beds for the greatest load with P(wait > t) <= 1 - share

    beds       : array [bed]  whole numbers
    stay, wait : array [year]
    share      : number [share]  as in `beds_for_waiting`
    Returns : array [share]  the smaller the pool, the more of it must stay free
    """
    beds, stay = np.broadcast_arrays(np.asarray(beds, float), np.asarray(stay, float))
    low, high = np.zeros_like(beds), beds.copy()
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        kept = waiting_chance(middle, beds, stay, wait) <= 1 - share
        low, high = np.where(kept, middle, low), np.where(kept, high, middle)
    return low / beds


def mean_stay(admitted: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Length of stay over all severities.  Defined as::  sum(admissions x stay) / sum(admissions)

    admitted : array [person per year]  dims …, severity
    Returns  : array [year]  dims …
    """
    kept = residents_from_flow(admitted, assumptions).pipe(sum_over, "severity")
    return kept / admitted.pipe(sum_over, "severity")


@dataclass(frozen=True)
class QueueRecord:
    """What a played-through queue showed: mean residents [person] and the share that waited too long."""

    residents: float
    waited_longer: float
    admitted: int


def simulate_queue(
    load: float, beds: int, stay: float, wait: float, name: str, arrivals: int = ARRIVALS
) -> QueueRecord:
    """Play a pool of beds through, event by event: people ask at random, wait in line, stay, and leave.

    load, stay, wait : as in `waiting_chance`; arrivals : a power of two
    name    : seeds the chance, so that a run repeats
    Returns : QueueRecord of all but the first tenth
    Source  : discrete-event simulation with simpy; times between arrivals and stays are exponential
    """
    between = -np.log(independent_stream(f"{name}|between", arrivals)) * stay / load
    stays = -np.log(independent_stream(f"{name}|stay", arrivals)) * stay
    world = simpy.Environment()
    pool = simpy.Resource(world, capacity=int(beds))
    began, ended, waited = np.zeros(arrivals), np.zeros(arrivals), np.zeros(arrivals)

    def person(number: int):
        asked = world.now
        with pool.request() as request:
            yield request
            began[number], waited[number] = world.now, world.now - asked
            yield world.timeout(stays[number])
        ended[number] = world.now

    def asking():
        for number in range(arrivals):
            yield world.timeout(between[number])
            world.process(person(number))

    world.process(asking())
    world.run()
    first, last = np.cumsum(between)[[int(arrivals * WARM_UP), -1]]
    inside = np.clip(np.minimum(ended, last) - np.maximum(began, first), 0, None)
    late = waited[int(arrivals * WARM_UP) :] > wait
    return QueueRecord(inside.sum() / (last - first), float(late.mean()), arrivals)


def simulated_beds(
    load: float, stay: float, wait: float, share: float, name: str, arrivals: int = ARRIVALS
) -> int:
    """Fewest beds with which the waiting standard is kept when the queue is played through.

    Returns : whole number [bed], to hold beside `beds_for_waiting`
    """
    low, high = int(load), int(np.ceil(load + 6 * np.sqrt(load) + 6))
    while high - low > 1:
        middle = (low + high) // 2
        enough = simulate_queue(load, middle, stay, wait, name, arrivals).waited_longer <= 1 - share
        low, high = (low, middle) if enough else (middle, high)
    return high
