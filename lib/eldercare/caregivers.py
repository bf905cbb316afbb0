"""Care workers that the care takes, in institutions, in day care and at home."""

from __future__ import annotations

import xarray as xr

from .arrays import join
from .draws import Assumptions

WORKPLACES = ("institution", "day_care", "home_service")
MONTHS = 12


def caregivers_in_institutions(residents: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Care workers on the payroll of institutions.

    Defined as::  workers = sum over severity(residents / residents per worker)

    The ratios are of people on the payroll and cover all shifts: no shift factor is applied.

    residents : array [person]  dims …, severity   Returns : array [worker]  dims …
    Source    : assumption `residents_per_caregiver`
    """
    return (residents / assumptions["residents_per_caregiver"]).sum("severity", skipna=False)


def caregivers_in_day_care(users: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Care workers in day care.  Defined as::  workers = users / users per worker

    Source : assumption `day_care_users_per_caregiver`
    """
    return users / assumptions["day_care_users_per_caregiver"]


def home_care_hours(users: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Hours of care brought into homes in a year.

    Defined as::  hours = 12 x sum over severity(users x hours a month)

    users : array [person]  dims …, severity   Returns : array [hour per year]  dims …
    Source: assumption `home_care_hours`
    """
    return MONTHS * (users * assumptions["home_care_hours"]).sum("severity", skipna=False)


def caregivers_at_home(hours: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Full-time equivalents for home care.  Defined as::  workers = hours / hours a worker gives in a year

    Source : assumption `caregiver_hours_per_year`
    """
    return hours / assumptions["caregiver_hours_per_year"]


def caregivers(by_place: xr.DataArray, assumptions: Assumptions) -> xr.DataArray:
    """Care workers by workplace.

    by_place : array [person]  dims draw, measure, year, severity, setting
    Returns  : array [worker]  dims draw, measure, year, workplace
    """
    hours = home_care_hours(by_place.sel(setting="home_service", drop=True), assumptions)
    parts = dict(zip(WORKPLACES, [
        caregivers_in_institutions(by_place.sel(setting="institution", drop=True), assumptions),
        caregivers_in_day_care(by_place.sel(setting="day_care", drop=True).sum("severity", skipna=False), assumptions),
        caregivers_at_home(hours, assumptions),
    ]))
    return join(parts, "workplace").transpose("draw", "measure", "year", "workplace")
