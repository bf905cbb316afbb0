"""Why the answer changes: the rise from today's use to tomorrow's need, divided among its causes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.inputs.draws import DEFAULT_DRAWS, Assumptions, draw_assumptions
from eldercare.inputs.load import BASELINE, Project
from eldercare.model import beds as bed_step
from eldercare.model import caregivers as caregiver_step
from eldercare.model import funding, need, places
from eldercare.model import population as population_step
from eldercare.model.area import FIRST_RATE_YEAR, Area, Rates, rates_of
from eldercare.model.areas import settled_area
from eldercare.model.base import AGES
from eldercare.model.chain import BASE_YEAR, QUANTILES

FACTORS = ("ageing", "longer_life", "drift", "places", "occupancy", "unit_cost")
OUTCOMES = ("beds", "cost_of_care")
FACTOR_WORDS = {
    "ageing": "more older people (ageing)",
    "longer_life": "longer life",
    "drift": "drift of prevalence",
    "places": "places of care, from use to need",
    "occupancy": "fuller beds",
    "unit_cost": "unit cost",
}


def shapley(
    factors: Sequence[str], value: Callable[[frozenset], np.ndarray]
) -> dict[str, np.ndarray]:
    """Each factor's share in the whole change, whatever the order in which factors are switched on.

    Defined as::  share(i) = sum over sets S without i of |S|! (n - |S| - 1)! / n! x (value(S + i) - value(S))

    value   : the outcome with the factors of a set switched on, a number or array
    Returns : contributions by factor; they add up to value(all) - value(none)
    Source  : Shapley, L. S. (1953), a value for n-person games
    """
    count = len(factors)
    known = {
        frozenset(chosen): value(frozenset(chosen))
        for size in range(count + 1)
        for chosen in combinations(factors, size)
    }
    out = {}
    for factor in factors:
        out[factor] = sum(
            factorial(len(chosen))
            * factorial(count - len(chosen) - 1)
            / factorial(count)
            * (known[chosen | {factor}] - outcome)
            for chosen, outcome in known.items()
            if factor not in chosen
        )
    return out


def at_first_mortality(
    population: xr.DataArray, area: Area, rates: Rates, assumptions: Assumptions
) -> xr.DataArray:
    """The older people there would be had mortality stayed as in the first year, all else as projected.

    Defined as::  N'(t+1, x+1) = N'(t, x) S(t0, x) g(t, x),  g(t, x) = N(t+1, x+1) / (N(t, x) S(t, x))

    population : array [person]  dims draw, year, sex, age
    Returns    : the same dims; sound from the age that nobody passes who was not yet born to it: 60 and over
    """
    years = population["year"].values
    counts = population.transpose("draw", "year", "sex", "age").values
    out = counts.copy()
    targets = population_step.life_expectancy_paths(area, rates, assumptions, years)
    first = rates.grid.survival(years[0] - FIRST_RATE_YEAR, targets[0])
    for step in range(1, len(years)):
        survival = rates.grid.survival(years[step] - FIRST_RATE_YEAR, targets[step])
        out[:, step] = (
            counts[:, step]
            * _carried(out[:, step - 1], first)
            / _carried(counts[:, step - 1], survival)
        )
    return population.copy(data=out)


def _carried(counts: np.ndarray, survival: np.ndarray) -> np.ndarray:
    """Survivors a year on, without migration; births are left at 1, so that age 0 stays as it is."""
    after = np.ones_like(counts)
    after[..., 1:] = counts[..., :-1] * survival[..., 1:-1]
    after[..., -1] += counts[..., -1] * survival[..., -1]
    return np.maximum(after, 1e-9)


class Switchboard:
    """Beds and cost with each cause as in the base year or as in a later year; the parts are made once.

    The causes are the names of `FACTORS`. Without any, the outcome is that of the base year: today's use,
    at the occupancy observed; with all, need in the later year at the target occupancy.
    """

    def __init__(
        self,
        project: Project,
        adcode: int,
        assumptions: Assumptions,
        population: xr.DataArray,
        frozen: xr.DataArray,
        year: int,
    ):
        self.assumptions, self.year = assumptions, year
        self._prevalence = need.adl_prevalence(project.china, assumptions)
        gap = places.family_care_gap(project.china, adcode, assumptions)
        growth = places.family_care_growth(assumptions, [year]).isel(year=0, drop=True)
        self._shares = places.setting_shares(assumptions, gap * growth)
        start = population.sel(year=[BASE_YEAR])
        later, still = population.sel(year=[year]), frozen.sel(year=[year])
        longer = (later / still).assign_coords(year=[BASE_YEAR])
        self._people = {
            (False, False): start,
            (False, True): start * longer,
            (True, False): still,
            (True, True): later,
        }
        self._made: dict[tuple, xr.DataArray] = {}
        self._cared: dict[tuple, dict[str, xr.DataArray]] = {}
        parts = funding.pay_per_worker, funding.pay_growth
        self._pay = {
            one: tuple(part(assumptions, [one]).isel(year=0, drop=True) for part in parts)
            for one in (BASE_YEAR, year)
        }
        self._day_price = caregiver_step.MONTHS * funding.price(assumptions, "day_care_cost")
        self._hour_price = funding.price(assumptions, "home_care_price")

    def _by_severity(self, on: frozenset) -> xr.DataArray:
        key = ("ageing" in on, "longer_life" in on, "drift" in on)
        if key not in self._made:
            people = self._people[key[:2]]
            years = [self.year if key[2] else BASE_YEAR]
            here = people["year"].values
            factor = need.drift(self.assumptions, "adl_prevalence_drift", years, need.SURVEY_YEAR)
            oldest = need.drift_of_oldest(self.assumptions, years)
            moved = [array.assign_coords(year=here) for array in (factor, oldest)]
            limited = need.care_need(people, self._prevalence, *moved)
            older = population_step.people_in(people, need.FIRST_AGE)
            self._made[key] = need.by_severity(older, limited).isel(year=0, drop=True)
        return self._made[key]

    def _care(self, on: frozenset) -> dict[str, xr.DataArray]:
        """Residents, day-care places, care workers and hours at home; made once for each mix that matters."""
        key = tuple(name in on for name in FACTORS[:4])
        if key not in self._cared:
            measure, one = "need" if "places" in on else "use", self.assumptions
            by_place = self._by_severity(on) * self._shares.sel(measure=measure, drop=True)
            inside, day, at_home = (
                by_place.sel(setting=setting, drop=True)
                for setting in ("institution", "day_care", "home_service")
            )
            self._cared[key] = {
                "residents": inside.sum("severity", skipna=False),
                "day_care_places": bed_step.day_care_places(day.sum("severity", skipna=False), one),
                "workers": caregiver_step.caregivers_in_institutions(inside, one),
                "hours": caregiver_step.home_care_hours(at_home, one),
            }
        return self._cared[key]

    def outcomes(self, on: frozenset) -> np.ndarray:
        """Beds (with day-care places) and yearly cost of care; dims outcome, draw."""
        care = self._care(on)
        occupancy = self.assumptions[
            "target_occupancy" if "occupancy" in on else "observed_occupancy"
        ]
        beds = bed_step.beds(care["residents"], occupancy) + care["day_care_places"]
        cost = self._cost(care, self.year if "unit_cost" in on else BASE_YEAR)
        return np.stack([part.transpose("draw").values for part in (beds, cost)])

    def _cost(self, care: dict[str, xr.DataArray], year: int) -> xr.DataArray:
        now, growth = self._pay[year]
        places_cost = care["day_care_places"] * self._day_price
        at_home = care["hours"] * self._hour_price
        running = care["workers"] * now / self.assumptions["pay_share_of_running_cost"]
        return running + (at_home + places_cost) * growth


def decompose(
    project: Project,
    city_id: str,
    years: Sequence[int],
    scenario: str = BASELINE,
    draws: int = DEFAULT_DRAWS,
) -> pd.DataFrame:
    """The rise of beds and of the cost of care from 2020 to each year, divided among its causes.

    On the draws of the result, so that the end is the mean of its need. The start is the beds that those
    whom today's habits bring take in 2020 at the occupancy observed (elsewhere use is at the target
    occupancy, as need is), the end is need in the later year at the target occupancy. Cost of care is running institutions, home care and day care:
    building and allowances are not in it, and it is for the people of the year's last day; so occupancy moves beds only. Unit cost moves cost only.

    Returns : table outcome, year, part (start, the factors, end), mean, low, central, high;
              the means add up: start + factors = end, as they do in every draw
    """
    city = project.city(city_id)
    assumptions = draw_assumptions(project, city, scenario, draws)
    area, rates = settled_area(project, city.adcode, scenario, draws), rates_of(project.china)
    population = population_step.project_area(project.china, area, assumptions, max(years))
    frozen = at_first_mortality(population, area, rates, assumptions)
    older = {"age": AGES[AGES >= need.FIRST_AGE]}
    population, frozen = population.sel(older), frozen.sel(older)
    rows = []
    for year in years:
        board = Switchboard(project, city.adcode, assumptions, population, frozen, year)
        parts = {"start": board.outcomes(frozenset()), **shapley(FACTORS, board.outcomes)}
        parts["end"] = board.outcomes(frozenset(FACTORS))
        rows += [
            {
                "outcome": outcome,
                "year": year,
                "part": part,
                "mean": values[index].mean(),
                **dict(zip(QUANTILES, np.quantile(values[index], list(QUANTILES.values())))),
            }
            for part, values in parts.items()
            for index, outcome in enumerate(OUTCOMES)
        ]
    return pd.DataFrame(rows)
