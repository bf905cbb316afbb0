"""A second estimate of beds: who newly needs one, how long it is kept, and how long one waits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import simpy
from scipy.stats import poisson

from eldercare.engine.arrays import (
    DRAW,
    Array,
    name_labels,
    part,
    product,
    side_by_side,
    sum_over,
    sum_product,
)
from eldercare.engine.quantity import quantity
from eldercare.inputs.draws import independent_stream
from eldercare.model.base import AGES
from eldercare.model.beds import BEDS_PER_RESIDENT, Stock, beds_at_occupancy, institution_part
from eldercare.model.need import LIMITED
from eldercare.model.population import FERTILITY

WARM_UP = 0.1
NEVER = 1e-12
HALVINGS = 40
FIRST_ONSET = 65
ARRIVALS = 8192
PLACES_IN_LINE = ("placed", "waiting")


@quantity(unit="per year", dims=("sex", "age"))
def onset_rates(
    limitation_prevalence: Array,
    single_age: np.ndarray,
    adl_onset_rate: Array,
    adl_onset_doubling: Array,
) -> Array:
    """Yearly rate at which people without a limitation get one, by age, times the share without
    one.

    Defined as::  rate(x) = level x 2^((x - 65) / doubling) x share without a limitation, from 65 on

    The level is set so that the mean over the nation's people of 65 and over without a limitation
    is the published rate.
    """
    older = AGES >= FIRST_ONSET
    without = 1 - sum_over(limitation_prevalence, "severity").values[:, older]
    shape = 2 ** ((AGES[older, None] - FIRST_ONSET) / adl_onset_doubling.values)
    weighted = without * single_age[:, older, None]
    mean = (weighted * shape).sum(axis=(0, 1)) / weighted.sum(axis=(0, 1))
    out = np.zeros((2, len(AGES), len(mean)))
    out[:, older] = without * shape * adl_onset_rate.values / mean
    return Array(("sex", "age", DRAW), out)


@quantity(unit="person per year", dims=("year",), not_moved_by=FERTILITY)
def new_cases(population: Array, onset_rates: Array) -> Array:
    """People of 65 and over in whom a limitation in daily living sets in during a year.

    Defined as::  cases = sum over sex and age(people x share without a limitation x onset rate)
    """
    return sum_product(population, onset_rates)


@quantity(
    unit="person per year", dims=("measure", "year", "severity"), only={"care_need": "measure=need"}
)
def admissions_by_severity(
    new_cases: Array,
    limited_by_adl: Array,
    care_need: Array,
    setting_shares: Array,
    measures: tuple[str, ...],
) -> Array:
    """People who enter an institution in a year because of a limitation, by severity.

    Defined as::  admissions = cases x (people of the severity / all limited in daily living) x share in institutions

    Need is of the people that the definition of the run counts: a wider one has as many more cases
    as people. Use is by limitation in daily living (see `settings.people_by_severity_and_setting`).
    """
    people = {"need": care_need, "use": limited_by_adl}
    people_counted = side_by_side({name: people[name] for name in measures}, "measure")
    mix = people_counted / sum_over(limited_by_adl, "severity")
    share = part(setting_shares, setting="institution", severity=list(LIMITED))
    return product(new_cases * mix, share, ("measure", "year", "severity"))


@quantity(unit="person per year", dims=("measure", "year"))
def admissions(admissions_by_severity: Array) -> Array:
    """People who enter an institution in a year because of a limitation.

    Defined as::  sum over severity(admissions)
    """
    return sum_over(admissions_by_severity, "severity")


@quantity(unit="person", dims=("measure", "year"))
def limited_residents_from_flow(admissions_by_severity: Array, length_of_stay: Array) -> Array:
    """Residents with a limitation that a steady flow of admissions keeps up (Little's law).

    Defined as::  residents = sum over severity(admissions x length of stay)

    Source : Little, J. (1961), L = lambda W
    """
    return sum_over(admissions_by_severity * length_of_stay, "severity")


@quantity(unit="year", dims=("measure", "year"))
def mean_length_of_stay(limited_residents_from_flow: Array, admissions: Array) -> Array:
    """Length of stay over all severities.

    Defined as::  sum over severity(admissions x stay) / sum over severity(admissions)
    """
    return limited_residents_from_flow / admissions


@quantity(unit="person", dims=("measure", "year"))
def residents_from_flow(limited_residents_from_flow: Array, residents_by_severity: Array) -> Array:
    """Residents by flow; those without a limitation, whose onset nobody measures, are taken as by
    share.

    Defined as::  residents = those with a limitation by flow + those without one by share
    """
    return limited_residents_from_flow + part(residents_by_severity, severity="none")


@quantity(unit="bed", dims=("measure", "year"))
def beds_from_flow(residents_from_flow: Array, target_occupancy: Array) -> Array:
    """Beds needed in institutions, counted from admissions and length of stay.

    Defined as::  beds = residents from flow x one bed each / occupancy
    """
    return beds_at_occupancy(residents_from_flow, target_occupancy)


@quantity(unit="ratio", dims=("measure", "year"))
def flow_over_ratio(beds_from_flow: Array, beds_institution_needed: Array) -> Array:
    """Beds in institutions by flow over those by ratio.

    Defined as::  beds by flow / beds by ratio
    """
    return beds_from_flow / beds_institution_needed


def _start(stock: Stock, years: np.ndarray) -> int:
    """Place of the year of the count among the years; the nearest where it is none of them."""
    return int(np.clip(stock.year, years[0], years[-1]) - years[0])


@quantity(
    unit="bed",
    dims=("measure", "year", "bed_type"),
    only=dict.fromkeys(
        ("beds_needed", "stock_of_beds", "decided_changes", "institution_share_of_beds"),
        "stock_known",
    ),
)
def beds_decided(
    beds_needed: Array,
    stock_of_beds: Stock | None,
    decided_changes: np.ndarray,
    institution_share_of_beds: Array,
    years: np.ndarray,
) -> Array:
    """Beds of institutions under what is decided: those counted, and openings, closures and
    conversions in their years.

    Defined as::  beds(t0) = stock x share of institutions, by type as need is
                  beds(t) = greatest(0, beds(t-1) + changes of the type + changes of no type x share of the type(t-1))

    Nothing is built for need and nothing wears out, which is what `bed_programme` adds. Not defined
    (NaN) before the count, and where no count is collected here. May bind: no more beds of a type
    close than exist.

    Source : capacity.csv of the city, rows beds_total, beds_opened, beds_closed, beds_converted
    """
    needed = beds_needed.transpose("year", "measure", "bed_type", DRAW).values
    out = np.full(needed.shape, np.nan)
    dims = ("year", "measure", "bed_type", DRAW)
    if stock_of_beds is None:
        return Array(dims, out)
    start = _start(stock_of_beds, years)
    first = needed[start]
    stock = institution_part(stock_of_beds.beds, institution_share_of_beds)
    out[start] = stock * (first / first.sum(axis=1, keepdims=True))
    for place in range(start + 1, len(years)):
        before = out[place - 1]
        whole = before.sum(axis=1, keepdims=True)
        share = np.divide(before, whole, out=np.full_like(before, np.nan), where=whole > 0)
        *typed, of_no_type = decided_changes[place]
        spread = np.where(whole > 0, of_no_type * share, of_no_type / len(typed))
        out[place] = (before + np.array(typed)[:, None] + spread).clip(min=0)
    return Array(dims, out)


def follow_capacity(asked, stay, beds, placed, waiting):
    """Who has a bed and who waits for one, year by year, under a path of capacity.

    Defined as::  left(t) = exp(-1 year / stay(t))
                  staying = least(placed(t-1) x left, beds(t))
                  line = placed(t-1) x left - staying + waiting(t-1) x left + asked x stay x (1 - left)
                  placed(t) = staying + least(line, beds(t) - staying)
                  waiting(t) = line - those admitted

    So nobody is placed without a bed, the line is never below zero, who loses a bed joins the line,
    and with beds enough those placed settle at asked x stay (Little's law). May bind: where there
    are beds enough all who ask are placed.

    asked           : array [person per year]  dims year and others: who asks for a bed in the year
    stay            : array [year]  the same dims; who waits gives up at the same rate
    beds            : array [bed]  the same dims, a bed a person
    placed, waiting : array [person]  the dims but year: at the end of the year before the first
    Returns         : array [person]  dims placed or waiting, then those of asked
    """
    left = np.exp(-1 / stay)
    new = asked * stay * (1 - left)
    out = np.empty((len(PLACES_IN_LINE), *np.broadcast_shapes(new.shape, beds.shape)))
    for year in range(len(new)):
        staying = np.minimum(placed * left[year], beds[year])
        line = (placed + waiting) * left[year] - staying + new[year]
        admitted = np.minimum(line, beds[year] - staying)
        out[:, year] = placed, waiting = staying + admitted, line - admitted
    return out


@quantity(
    unit="person",
    dims=("measure", "year", "bed_type", "line"),
    only=dict.fromkeys(
        ("residents", "beds_decided", "mean_length_of_stay", "stock_of_beds"), "stock_known"
    ),
)
def residents_and_waiting(
    residents: Array,
    beds_decided: Array,
    mean_length_of_stay: Array,
    stock_of_beds: Stock | None,
    years: np.ndarray,
) -> Array:
    """People in a bed and people who wait for one, by the type of bed, under what is decided.

    Defined as::  asked(t) = residents by share(t) / length of stay(t)
                  placed, waiting = `follow_capacity`(asked, length of stay, beds decided)

    In the year of the count the line is what residents by share are above the beds. Every bed can
    be filled. Not defined (NaN) before it, and where no count of beds is collected here. May bind:
    where there are beds enough nobody waits.
    """
    dims = ("year", "measure", "bed_type", DRAW)
    wanted = residents.transpose(*dims).values
    out = np.full((len(PLACES_IN_LINE), *wanted.shape), np.nan)
    if stock_of_beds is not None:
        start = _start(stock_of_beds, years)
        room = beds_decided.transpose(*dims).values / BEDS_PER_RESIDENT
        stay = mean_length_of_stay.transpose("year", "measure", DRAW).values[:, :, None]
        placed = np.minimum(wanted[start], room[start])
        out[:, start] = placed, wanted[start] - placed
        later = slice(start + 1, None)
        asked = wanted[later] / stay[later]
        out[:, later] = follow_capacity(asked, stay[later], room[later], *out[:, start])
    return Array(("line", *dims), out)


@quantity(
    unit="bed",
    dims=("measure", "year", "bed_type"),
    only=dict.fromkeys(("beds_decided", "residents_and_waiting"), "stock_known"),
)
def beds_left_empty(beds_decided: Array, residents_and_waiting: Array) -> Array:
    """Beds that nobody lives in under what is decided, by type.

    Defined as::  beds decided - people placed x one bed each
    """
    taken = part(residents_and_waiting, line="placed") * BEDS_PER_RESIDENT
    full = np.isclose(taken.values, beds_decided.values, equal_nan=True)  # but for rounding
    return (beds_decided - taken) * np.where(full, 0.0, 1.0)


@quantity(
    unit="bed",
    dims=("measure", "year"),
    only=dict.fromkeys(("beds_institution_needed", "beds_decided"), "stock_known"),
)
def beds_beyond_decided(beds_institution_needed: Array, beds_decided: Array) -> Array:
    """Beds of institutions needed beyond what is decided; below zero where more exist than needed.

    Defined as::  beds needed in institutions - sum over bed types(beds decided)
    """
    return beds_institution_needed - sum_over(beds_decided, "bed_type")


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


@dataclass(frozen=True)
class QueueRecord:
    """What a simulated queue showed: mean residents [person] and the share that waited too long."""

    residents: float
    waited_longer: float
    admitted: int


def simulate_queue(
    load: float, beds: int, stay: float, wait: float, name: str, arrivals: int = ARRIVALS
) -> QueueRecord:
    """Simulate a pool of beds, event by event: people ask at random, wait in line, stay, and leave.

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
    """Fewest beds with which the waiting standard is kept when the queue is simulated.

    Returns : whole number [bed], to hold beside `beds_for_waiting`
    """
    low, high = int(load), int(np.ceil(load + 6 * np.sqrt(load) + 6))
    while high - low > 1:
        middle = (low + high) // 2
        enough = simulate_queue(load, middle, stay, wait, name, arrivals).waited_longer <= 1 - share
        low, high = (low, middle) if enough else (middle, high)
    return high


name_labels("line", PLACES_IN_LINE)
