"""Care workers that the care takes, in institutions, in day care and at home."""

from __future__ import annotations

import xarray as xr

from eldercare.engine.arrays import join, sum_over
from eldercare.inputs.draws import Assumptions

WORKPLACES = ("institution", "day_care", "home_service")
STANDARDS = ("strict", "lenient")
GRADES = ("junior", "intermediate", "senior", "technician")
STAFF = ("nurses", "managers")
MONTHS = 12
PER_100, PER_10000 = 100, 10_000


def caregivers_in_institutions(residents: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Care workers on the payroll of institutions.

    Defined as::  workers = sum over severity(residents / residents per worker)

    The ratios are of people on the payroll and cover all shifts: no shift factor is applied.

    residents : array [person]  dims …, severity
    Returns   : array [worker]  dims …
    Source    : assumption `residents_per_caregiver`
    """
    return (residents / assumptions["residents_per_caregiver"]).pipe(sum_over, "severity")


def caregivers_in_day_care(users: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Care workers in day care.  Defined as::  workers = users / users per worker

    users   : array [person]
    Returns : array [worker]  the same dims
    Source  : assumption `day_care_users_per_caregiver`
    """
    return users / assumptions["day_care_users_per_caregiver"]


def home_care_hours(users: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Hours of care brought into homes in a year.

    Defined as::  hours = 12 x sum over severity(users x hours a month)

    users   : array [person]  dims …, severity
    Returns : array [hour per year]  dims …
    Source  : assumption `home_care_hours`
    """
    return MONTHS * (users * assumptions["home_care_hours"]).pipe(sum_over, "severity")


def caregivers_at_home(hours: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Full-time equivalents for home care.  Defined as::  workers = hours / hours a worker gives in a year

    hours   : array [hour per year]
    Returns : array [worker]  the same dims
    Source  : assumption `caregiver_hours_per_year`
    """
    return hours / assumptions["caregiver_hours_per_year"]


def caregivers(by_place: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Care workers by workplace.

    by_place : array [person]  dims draw, measure, year, severity, setting
    Returns  : array [worker]  dims draw, measure, year, workplace
    """
    hours = home_care_hours(by_place.sel(setting="home_service", drop=True), assumptions)
    parts = dict(
        zip(
            WORKPLACES,
            [
                caregivers_in_institutions(
                    by_place.sel(setting="institution", drop=True), assumptions
                ),
                caregivers_in_day_care(
                    by_place.sel(setting="day_care", drop=True).pipe(sum_over, "severity"),
                    assumptions,
                ),
                caregivers_at_home(hours, assumptions),
            ],
        )
    )
    return join(parts, "workplace").transpose("draw", "measure", "year", "workplace")


def caregivers_by_standard(residents: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Care workers of institutions under the strict and the lenient published standard, side by side.

    Defined as::  workers = sum over severity(residents / residents per worker of the standard)

    The standard of the plan in force (assumption `residents_per_caregiver`) lies between or beside them.

    residents : array [person]  dims draw, measure, year, severity
    Returns   : array [worker]  dims draw, measure, year, standard
    Source    : assumptions `residents_per_caregiver_strict`, `residents_per_caregiver_lenient`
    """
    parts = {
        standard: (residents / assumptions[f"residents_per_caregiver_{standard}"]).pipe(
            sum_over, "severity"
        )
        for standard in STANDARDS
    }
    return join(parts, "standard")


def staff_beside(workers: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Nurses and managers beside the care workers of institutions and day care.

    Defined as::  nurses = care workers x nurses for each;  managers = care workers x managers for each

    workers : array [worker]  dims draw, measure, year: care workers in institutions and day care
    Returns : array [worker]  dims draw, measure, year, staff
    Source  : assumptions `nurses_per_caregiver`, `managers_per_caregiver`
    """
    return join(
        {staff: workers * assumptions[f"{staff}_per_caregiver"] for staff in STAFF}, "staff"
    )


def certified_by_grade(workers: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Care workers who should hold a certificate, by grade from junior (初级工) to technician (技师).

    Defined as::  certified = workers x certified share;  grade = certified x share of the grade,
    junior = the rest

    workers : array [worker]  dims draw, measure, year: care workers of all workplaces
    Returns : array [worker]  dims draw, measure, year, grade; sums to the certified
    Source  : assumptions `caregiver_certified_share`, `grade_share_intermediate`, `grade_share_senior`,
              `grade_share_technician`
    """
    shares = {grade: assumptions[f"grade_share_{grade}"] for grade in GRADES[1:]}
    shares = {"junior": 1 - sum(shares.values()), **shares}
    certified = workers * assumptions["caregiver_certified_share"]
    return join({grade: certified * shares[grade] for grade in GRADES}, "grade")


def caregivers_per_100(workers: xr.DataArray, people: xr.DataArray) -> xr.DataArray:
    """Care workers per 100 people of 65 and over, as the OECD counts them.

    Defined as::  ratio = workers / people x 100

    workers : array [worker]
    people  : array [person]  people of 65 and over
    Returns : array [worker per 100 person]
    """
    return workers / people * PER_100


def full_time_equivalents(hours_per_week: float, hours_of_one: float) -> float:
    """Workers it takes to keep one post filled.

    Defined as::  equivalents = hours of the post / hours of one worker

    A post filled day and night has 168 hours a week; at 40 hours a worker that is 4.2, before leave.
    Payroll ratios of residents per worker cover shifts already and are never multiplied by it.
    """
    return hours_per_week / hours_of_one
