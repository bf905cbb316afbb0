"""Care workers: how many the care takes, in institutions, day care and homes, and how many there
are year by year.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eldercare.engine.arrays import DRAW, Array, greatest, name_labels, part, side_by_side, sum_over
from eldercare.engine.quantity import joined, quantity

WORKPLACES = ("institution", "day_care", "home_service")
STANDARDS = ("strict", "lenient")
GRADES = ("junior", "intermediate", "senior", "technician")
STAFF = ("nurses", "managers")
FLOWS = ("trained", "returning", "leaving", "retiring")
PATHS = ("today", "programme")
STOCK_YEAR = 2020
RATIO_YEAR = 2024  # from which care per user grows: the price year, and about that of the ratios
MONTHS = 12
PER_100, PER_10000 = 100, 10_000


@quantity(unit="ratio", dims=("year",))
def care_per_user(care_per_user_growth: Array, years: np.ndarray) -> Array:
    """Factor by which the care that a user of equal severity is given has grown since the ratios
    were read.

    Defined as::  (1 + growth)^(year - 2024), 1 before

    May bind: before the year of the ratios nothing has grown.
    """
    passed = np.maximum(years - RATIO_YEAR, 0)[:, None]
    return Array(("year", DRAW), (1 + care_per_user_growth.values) ** passed)


@quantity(unit="worker", dims=("measure", "year"))
def caregivers_in_institutions(
    residents_by_severity: Array, residents_per_caregiver: Array, care_per_user: Array
) -> Array:
    """Care workers on the payroll of institutions.

    Defined as::  workers = sum over severity(residents / residents per worker) x growth of care per user

    The ratios are of people on the payroll and cover all shifts: no shift factor is applied.
    """
    return workers_at_ratio(residents_by_severity, residents_per_caregiver) * care_per_user


def workers_at_ratio(residents: Array, residents_per_worker: Array) -> Array:
    """Care workers that residents take.  Defined as::  sum over severity(residents / residents per worker)"""
    return sum_over(residents / residents_per_worker, "severity")


@quantity(unit="worker", dims=("measure", "year"))
def caregivers_in_day_care(
    people_by_setting: Array, day_care_users_per_caregiver: Array, care_per_user: Array
) -> Array:
    """Care workers in day care.

    Defined as::  workers = people in day care / users per worker x growth of care per user
    """
    users = part(people_by_setting, setting="day_care")
    return users / day_care_users_per_caregiver * care_per_user


@quantity(unit="hour per year", dims=("measure", "year"))
def home_care_hours_needed(
    people_by_severity_and_setting: Array, home_care_hours: Array, care_per_user: Array
) -> Array:
    """Hours of care brought into homes in a year.

    Defined as::  hours = 12 x sum over severity(people with services at home x hours a month) x growth of care per user
    """
    users = part(people_by_severity_and_setting, setting="home_service")
    return MONTHS * sum_over(users * home_care_hours, "severity") * care_per_user


@quantity(unit="worker", dims=("measure", "year"))
def caregivers_at_home(home_care_hours_needed: Array, caregiver_hours_per_year: Array) -> Array:
    """Care workers for care at home, as full-time equivalents.

    Defined as::  workers = hours / hours a worker gives in a year
    """
    return home_care_hours_needed / caregiver_hours_per_year


joined(
    "caregivers_needed",
    "worker",
    ("measure", "year", "workplace"),
    {
        "institution": "caregivers_in_institutions",
        "day_care": "caregivers_in_day_care",
        "home_service": "caregivers_at_home",
    },
    """Care workers needed by workplace.

    Defined as::  institutions, day care and care at home, side by side
    """,
)


@quantity(unit="worker", dims=("measure", "year"))
def caregivers_total_needed(caregivers_needed: Array) -> Array:
    """Care workers needed in all workplaces.

    Defined as::  sum over workplaces(care workers)
    """
    return sum_over(caregivers_needed, "workplace")


@quantity(unit="worker per 10,000 person", dims=("measure", "year"))
def caregivers_per_10000_needed(
    caregivers_total_needed: Array, caregiver_certified_share: Array, population_60_plus: Array
) -> Array:
    """Certified care workers per 10,000 people of 60 and over.

    Defined as::  care workers x certified share / people of 60 and over x 10,000
    """
    return caregivers_total_needed * caregiver_certified_share / population_60_plus * PER_10000


@quantity(unit="worker per 100 person", dims=("measure", "year"))
def caregivers_per_100_needed(caregivers_total_needed: Array, population_65_plus: Array) -> Array:
    """Care workers per 100 people of 65 and over, as the OECD counts them.

    Defined as::  care workers / people of 65 and over x 100
    """
    return caregivers_total_needed / population_65_plus * PER_100


@quantity(unit="worker", dims=("measure", "year"))
def caregivers_by_strict_standard(
    residents_by_severity: Array, residents_per_caregiver_strict: Array
) -> Array:
    """Care workers of institutions under the strict published standard.

    Defined as::  workers = sum over severity(residents / residents per worker of the standard)
    """
    return workers_at_ratio(residents_by_severity, residents_per_caregiver_strict)


@quantity(unit="worker", dims=("measure", "year"))
def caregivers_by_lenient_standard(
    residents_by_severity: Array, residents_per_caregiver_lenient: Array
) -> Array:
    """Care workers of institutions under the lenient published standard.

    Defined as::  workers = sum over severity(residents / residents per worker of the standard)
    """
    return workers_at_ratio(residents_by_severity, residents_per_caregiver_lenient)


joined(
    "caregivers_by_standard",
    "worker",
    ("measure", "year", "standard"),
    {"strict": "caregivers_by_strict_standard", "lenient": "caregivers_by_lenient_standard"},
    """Care workers of institutions under the strict and the lenient published standard.

    Defined as::  both standards, side by side

    The standard of the plan in force (assumption `residents_per_caregiver`) lies between or beside them.
    """,
)


@quantity(unit="ratio", dims=("measure", "year"))
def strict_over_lenient_standard(
    caregivers_by_strict_standard: Array, caregivers_by_lenient_standard: Array
) -> Array:
    """Care workers of institutions by the strict standard over those by the lenient one.

    Defined as::  workers by the strict standard / workers by the lenient standard
    """
    return caregivers_by_strict_standard / caregivers_by_lenient_standard


def _staff_beside(workers: Array, nurses: Array, managers: Array) -> Array:
    """Nurses and managers beside care workers, so many for each."""
    return side_by_side({"nurses": workers * nurses, "managers": workers * managers}, "staff")


@quantity(unit="worker", dims=("measure", "year", "staff"))
def nurses_and_managers(
    caregivers_in_institutions: Array, nurses_per_caregiver: Array, managers_per_caregiver: Array
) -> Array:
    """Nurses and managers beside the care workers of institutions.

    Defined as::  nurses = care workers x nurses for each
                  managers = care workers x managers for each
    """
    return _staff_beside(caregivers_in_institutions, nurses_per_caregiver, managers_per_caregiver)


@quantity(unit="worker", dims=("measure", "year", "staff"))
def nurses_and_managers_with_day_care(
    caregivers_in_institutions: Array,
    caregivers_in_day_care: Array,
    nurses_per_caregiver: Array,
    managers_per_caregiver: Array,
) -> Array:
    """Nurses and managers beside the care workers of institutions and of day care.

    Defined as::  nurses = care workers x nurses for each
                  managers = care workers x managers for each
    """
    workers = caregivers_in_institutions + caregivers_in_day_care
    return _staff_beside(workers, nurses_per_caregiver, managers_per_caregiver)


@quantity(unit="worker", dims=("measure", "year", "grade"))
def certified_by_grade(
    caregivers_total_needed: Array,
    caregiver_certified_share: Array,
    grade_share_intermediate: Array,
    grade_share_senior: Array,
    grade_share_technician: Array,
) -> Array:
    """Care workers who should hold a certificate, by grade from junior (初级工) to technician (技师).

    Defined as::  certified = workers x certified share
                  grade = certified x share of the grade
                  junior = the rest
    """
    shares = [grade_share_intermediate, grade_share_senior, grade_share_technician]
    junior = 1 - (shares[0] + shares[1] + shares[2])
    certified = caregivers_total_needed * caregiver_certified_share
    parts = {grade: certified * share for grade, share in zip(GRADES, [junior, *shares])}
    return side_by_side(parts, "grade")


@quantity(unit="share", dims=("measure", "year"))
def senior_share_of_certified(certified_by_grade: Array) -> Array:
    """Share of the certified care workers who are senior (高级工) or technicians (技师).

    Defined as::  (senior + technician) / sum over grades(certified)
    """
    upper = sum_over(part(certified_by_grade, grade=["senior", "technician"]), "grade")
    return upper / sum_over(certified_by_grade, "grade")


def full_time_equivalents(hours_per_week: float, hours_of_one: float) -> float:
    """Workers it takes to keep one post filled.

    Defined as::  equivalents = hours of the post / hours of one worker

    A post filled day and night has 168 hours a week; at 40 hours a worker that is 4.2, before
    leave. Payroll ratios of residents per worker cover shifts already and are never multiplied by
    it.
    """
    return hours_per_week / hours_of_one


@dataclass(frozen=True)
class TurnoverRates:
    """Yearly shares of those in post, one value a draw.

    leaving, retiring : array [share]  of the stock of the year before; together at most 1
    returning         : array [share]  of those who left in the year before
    """

    leaving: np.ndarray
    retiring: np.ndarray
    returning: np.ndarray


def turnover_rates(leaving: Array, retiring: Array, returning: Array) -> TurnoverRates:
    """The yearly shares of an area; who leaves and who retires are never more than all."""
    leaves = leaving.values
    return TurnoverRates(leaves, np.minimum(retiring.values, 1 - leaves), returning.values)


def next_year(
    stock: np.ndarray, left_before: np.ndarray, trained: np.ndarray, rates: TurnoverRates
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
    stock: np.ndarray, left: np.ndarray, rates: TurnoverRates, years: int
) -> np.ndarray:
    """Care workers still or again in post after some years in which nobody is trained.

    stock, left : array [worker]  `left` is who left in the year of the stock
    Returns     : array [worker]
    """
    for _ in range(years):
        step = next_year(stock, left, np.zeros_like(stock), rates)
        stock, left = step["stock"], step["leaving"]
    return stock


def required_training(
    goal: np.ndarray, stock: np.ndarray, left: np.ndarray, rates: TurnoverRates, years: int
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


def training_that_keeps_growth(
    stock: np.ndarray, growth: np.ndarray, rates: TurnoverRates
) -> np.ndarray:
    """Workers newly trained a year that keep a stock growing at a rate, the intake of today.

    Defined as::  trained = stock (1 - (1 - leaving - retiring) / (1 + g) - return x leaving / (1 + g)^2)

    stock   : array [worker]
    Returns : array [worker]  a year
    """
    stays = 1 - rates.leaving - rates.retiring
    came_back = rates.returning * rates.leaving
    return stock * (1 - stays / (1 + growth) - came_back / (1 + growth) ** 2)


@quantity(unit="worker", at={"population_60_plus": f"year={STOCK_YEAR}"})
def baseline_workforce(
    population_60_plus: Array, caregiver_stock_per_10000: Array, years: np.ndarray
) -> Array:
    """Care workers in post in 2020, who are not collected here for any city: the nation's ratio
    stands in.

    Defined as::  stock = people of 60 and over x care workers per 10,000 of them in the nation / 10,000
    """
    older = population_60_plus.isel(year=STOCK_YEAR - int(years[0]))
    return older * caregiver_stock_per_10000 / PER_10000


@quantity(unit="worker per year")
def training_today(
    baseline_workforce: Array,
    caregiver_stock_growth: Array,
    caregiver_leaving_share: Array,
    caregiver_retirement_share: Array,
    caregiver_return_share: Array,
) -> Array:
    """Workers newly trained a year in 2020, the intake of today.

    Defined as::  trained = stock (1 - (1 - leaving - retiring) / (1 + g) - return x leaving / (1 + g)^2)
    """
    rates = turnover_rates(
        caregiver_leaving_share, caregiver_retirement_share, caregiver_return_share
    )
    stock, growth = baseline_workforce.values, caregiver_stock_growth.values
    return Array((DRAW,), training_that_keeps_growth(stock, growth, rates))


@quantity(unit="worker", dims=("flow", "year"))
def workforce_today(
    baseline_workforce: Array,
    training_today: Array,
    caregiver_stock_growth: Array,
    caregiver_leaving_share: Array,
    caregiver_retirement_share: Array,
    caregiver_return_share: Array,
    years: np.ndarray,
) -> Array:
    """Care workers in post and their flows if as many are trained each year as in 2020.

    Defined as::  stock(t+1) = stock(t) + trained + returning - leaving - retiring

    Up to 2020 the stock grows at the rate seen nationally.
    """
    rates = turnover_rates(
        caregiver_leaving_share, caregiver_retirement_share, caregiver_return_share
    )
    base, growth = baseline_workforce.values, caregiver_stock_growth.values

    def trained(place: int, stock: np.ndarray, left: np.ndarray) -> np.ndarray:
        return training_today.values

    return _year_by_year(years, base, growth, rates, trained)


@quantity(unit="worker", dims=("flow", "year"), at={"caregivers_total_needed": "measure=need"})
def workforce_programme(
    baseline_workforce: Array,
    training_today: Array,
    caregivers_total_needed: Array,
    programme_first_year: Array,
    programme_last_year: Array,
    caregiver_stock_growth: Array,
    caregiver_leaving_share: Array,
    caregiver_retirement_share: Array,
    caregiver_return_share: Array,
    years: np.ndarray,
) -> Array:
    """Care workers in post and their flows if a programme closes the gap to what is needed.

    Defined as::  stock(t+1) = stock(t) + trained + returning - leaving - retiring
                  trained in the programme = (goal - stock without training) / what is left of one trained in each year

    Up to 2020 the stock grows at the rate seen nationally; from then to the programme as many are
    trained as in 2020; in the programme one number a year, from its first to its last year; after
    it the stock follows the need.
    """
    rates = turnover_rates(
        caregiver_leaving_share, caregiver_retirement_share, caregiver_return_share
    )
    base, growth = baseline_workforce.values, caregiver_stock_growth.values
    wanted = part(caregivers_total_needed, measure="need").values
    first, last = (
        int(end.values[0]) - int(years[0]) for end in (programme_first_year, programme_last_year)
    )
    constant: list[np.ndarray] = []

    def trained(place: int, stock: np.ndarray, left: np.ndarray) -> np.ndarray:
        if place < first:
            return training_today.values
        if place > last:
            rest = stock_without_training(stock, left, rates, 1)
            return np.maximum(wanted[place] - rest, 0)
        if not constant:
            constant.append(required_training(wanted[last], stock, left, rates, last - place + 1))
        return constant[0]

    return _year_by_year(years, base, growth, rates, trained)


def _year_by_year(years, base, growth, rates: TurnoverRates, trained) -> Array:
    """Stock and flows of all years; trained : workers newly trained in a year after 2020."""
    out = np.empty((1 + len(FLOWS), len(years), len(base)))
    stock = base * (1 + growth) ** (float(years[0]) - 1 - STOCK_YEAR)
    left = rates.leaving * stock / (1 + growth)
    for place, year in enumerate(years):
        if year <= STOCK_YEAR:
            before = base * (1 + growth) ** (float(year) - STOCK_YEAR)
            new = training_that_keeps_growth(before, growth, rates)
        else:
            new = trained(place, stock, left)
        step = next_year(stock, left, new, rates)
        stock, left = step["stock"], step["leaving"]
        for row, name in enumerate(("stock", *FLOWS)):
            out[row, place] = step[name]
    return Array(("flow", "year", DRAW), out)


joined(
    "workforce",
    "worker",
    ("flow", "year", "path"),
    {"today": "workforce_today", "programme": "workforce_programme"},
    """Care workers in post and their flows on both paths.

    Defined as::  today's training and the programme, side by side
    """,
)


@quantity(unit="worker", dims=("year", "path"))
def caregivers_stock(workforce: Array) -> Array:
    """Care workers in post.

    Defined as::  stock(t+1) = stock(t) + trained + returning - leaving - retiring
    """
    return part(workforce, flow="stock")


@quantity(unit="worker per year", dims=("year", "flow"))
def caregiver_flow(workforce_programme: Array) -> Array:
    """Care workers who are trained, return, leave and retire in a year of the programme.

    Defined as::  flows of the programme, by kind
    """
    return workforce_programme.isel(flow=slice(1, None))


@quantity(unit="worker", dims=("measure", "year"))
def caregivers_missing(caregivers_total_needed: Array, workforce_today: Array) -> Array:
    """Care workers needed who are not in post with today's training, draw by draw.

    Defined as::  max(0, care workers needed - care workers in post with today's training)
    """
    return greatest(caregivers_total_needed - part(workforce_today, flow="stock"), 0.0)


@quantity(unit="person per year", dims=("year",))
def training_intake_today(workforce_today: Array, caregiver_entry_share: Array) -> Array:
    """People taken into training in a year if as many are trained as in 2020.

    Defined as::  trained a year / share of the trained who take up care work
    """
    return part(workforce_today, flow="trained") / caregiver_entry_share


@quantity(unit="person per year", dims=("year",))
def training_intake_programme(workforce_programme: Array, caregiver_entry_share: Array) -> Array:
    """People taken into training in a year by the programme.

    Defined as::  trained a year / share of the trained who take up care work
    """
    return part(workforce_programme, flow="trained") / caregiver_entry_share


joined(
    "training_intake",
    "person per year",
    ("year", "path"),
    {"today": "training_intake_today", "programme": "training_intake_programme"},
    """People taken into training in a year.

    Defined as::  today's training and the programme, side by side
    """,
)


@quantity(unit="worker per 100 person", dims=("year", "path"))
def caregivers_in_post_per_100(caregivers_stock: Array, population_65_plus: Array) -> Array:
    """Care workers in post per 100 people of 65 and over.

    Defined as::  care workers in post / people of 65 and over x 100
    """
    return caregivers_stock / population_65_plus * PER_100


name_labels("workplace", WORKPLACES)
name_labels("standard", STANDARDS)
name_labels("grade", GRADES)
name_labels("staff", STAFF)
name_labels("flow", ("stock", *FLOWS), FLOWS)
name_labels("path", PATHS)
