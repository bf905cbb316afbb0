"""Why the answer changes: the rise from today's habits to tomorrow's need, divided among its causes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.engine.arrays import DRAW, Array, label, part, sum_over
from eldercare.engine.quantity import Calculation, quantity
from eldercare.inputs.draws import DEFAULT_DRAWS, Assumptions
from eldercare.inputs.load import BASELINE, Project
from eldercare.model import beds as bed_step
from eldercare.model import costs, need, workforce
from eldercare.model import population as population_step
from eldercare.model.area import FIRST_RATE_YEAR, Area, Rates
from eldercare.model.base import AGES
from eldercare.model.chain import BASE_YEAR, QUANTILES, TOTAL, CityResult, inputs_of
from eldercare.model.registered import area_of_city

FACTORS = ("ageing", "longer_life", "drift", "places", "occupancy", "unit_cost")
OUTCOMES = ("beds", "cost_of_care")
UNITS = {"beds": "bed", "cost_of_care": "yuan_per_year"}
NO_PART = {"beds": "unit_cost", "cost_of_care": "occupancy"}
GROWTH = ("people_of_2020", "ageing_of_people", "longer_life", "net_migration")


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
    targets = population_step.life_expectancy_paths(rates, assumptions, years)
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

    The causes are the names of `FACTORS`. Without any, the outcome is that of the base year: today's habits,
    at the occupancy observed; with all, need in the later year at the target occupancy.

    population, frozen : array [person]  dims draw, year (from 2020), sex, age
    """

    def __init__(
        self, calculation: Calculation, population: np.ndarray, frozen: np.ndarray, year: int
    ):
        self.calculation, self.year = calculation, year
        start, later, still = (
            population[:, 0],
            population[:, year - BASE_YEAR],
            frozen[:, year - BASE_YEAR],
        )
        older = AGES >= need.FIRST_AGE
        longer = np.divide(later, still, out=np.zeros_like(later), where=older)
        self._people = {
            (False, False): np.where(older, start, 0.0),
            (False, True): start * longer,
            (True, False): np.where(older, still, 0.0),
            (True, True): np.where(older, later, 0.0),
        }
        self._made: dict[tuple, Array] = {}
        self._cared: dict[tuple, dict[str, Array]] = {}

    def _at(self, name: str, year: int) -> Array:
        """A quantity in one year."""
        return self.calculation[name].isel(year=year - int(self.calculation["years"][0]))

    def _price(self, name: str) -> Array:
        return self.calculation.given.price(name, self.calculation["price_level"])

    def _by_severity(self, on: frozenset, measure: str) -> Array:
        key = ("ageing" in on, "longer_life" in on, "drift" in on, measure)
        if key not in self._made:
            people = Array((DRAW, "year", "sex", "age"), self._people[key[:2]][:, None])
            year = self.year if key[2] else BASE_YEAR
            drifts = [self._at(name, year) for name in ("adl_drift", "adl_drift_of_oldest")]
            one = self.calculation
            limited = need.limited_by_adl(people, one["limitation_prevalence"], *drifts)
            older = population_step.people_by_age_group(people)
            everyone = part(older, age_group="60_plus")
            if measure == "need":
                shares = [one[row] for row in need.BY_SHARE.values()]
                limited = need.care_need(limited, everyone, one["definition"], *shares)
            self._made[key] = need.people_by_severity(everyone, limited).isel(year=0)
        return self._made[key]

    def _care(self, on: frozenset) -> dict[str, Array]:
        """Residents, day-care places, care workers and hours at home; made once for each mix that matters."""
        key = tuple(name in on for name in FACTORS[:4])
        if key not in self._cared:
            measure, one = "need" if "places" in on else "use", self.calculation
            year = self.year if measure == "need" else BASE_YEAR
            shares = part(self._at("setting_shares", year), measure=measure)
            by_setting = shares * self._by_severity(on, measure)
            inside = part(by_setting, setting="institution")
            people = sum_over(by_setting, "severity")
            self._cared[key] = {
                "residents": sum_over(inside, "severity"),
                "places": bed_step.day_care_places_needed(people, one["day_care_places_per_user"]),
                "workers": workforce.workers_at_ratio(inside, one["residents_per_caregiver"]),
                "hours": workforce.home_care_hours_needed(
                    by_setting, one["home_care_hours"], one["care_per_user"].isel(year=0)
                ),
            }
        return self._cared[key]

    def outcomes(self, on: frozenset) -> np.ndarray:
        """Beds (with day-care places) and yearly cost of care; dims outcome, draw."""
        care = self._care(on)
        occupancy = "target_occupancy" if "occupancy" in on else "observed_occupancy"
        inside = bed_step.beds_at_occupancy(care["residents"], self.calculation[occupancy])
        beds = bed_step.beds_total_needed(inside, care["places"])
        cost = self._cost(care, self.year if "unit_cost" in on else BASE_YEAR)
        return np.stack([beds.values, cost.values])

    def _cost(self, care: dict[str, Array], year: int) -> Array:
        pay, growth = self._at("pay_per_worker", year), self._at("pay_growth", year)
        share = self.calculation["pay_share_of_running_cost"]
        more = self._at("care_per_user", year)  # which is 1 in the first year, as in `_care`
        running = costs.institution_running_cost(care["workers"] * more * pay, share)
        in_day_care = care["places"] * (workforce.MONTHS * self._price("day_care_cost"))
        at_home = care["hours"] * more * self._price("home_care_price")
        return running + (at_home + in_day_care) * growth


@quantity(
    name="change_by_cause",
    unit="that of the outcome",
    dims=("year", "part"),
    of=(
        "people_by_severity",
        "setting_shares",
        "day_care_places_needed",
        "target_occupancy",
        "observed_occupancy",
    ),
)
def decompose(
    project: Project,
    city_id: str,
    years: Sequence[int],
    scenario: str = BASELINE,
    draws: int = DEFAULT_DRAWS,
) -> pd.DataFrame:
    """The rise of beds and of the cost of care from 2020 to each year, divided among its causes.

    Defined as::  mean effect of a cause over all orders in which the causes are switched on (`shapley`)

    On the draws of the result, so that the end is the mean of its need. The start is the beds that those
    whom today's habits bring take in 2020 at the occupancy observed (elsewhere use is at the target
    occupancy, as need is), the end is need in the later year at the target occupancy. Cost of care is running institutions, home care and day care:
    building and allowances are not in it, and it is for the people of the year's last day; so occupancy moves beds only. Unit cost moves cost only.

    Returns : table outcome, year, part (start, the factors, end), mean, low, central, high;
              the means add up: start + factors = end, as they do in every draw
    """
    inputs = inputs_of(project, project.city(city_id), scenario, draws, max(years))
    calculation = Calculation(inputs)
    population = label(calculation["population"], inputs.years).sel(year=slice(BASE_YEAR, None))
    frozen = at_first_mortality(population, inputs.area, inputs.rates, inputs.assumptions)
    rows = []
    for year in years:
        board = Switchboard(calculation, population.values, frozen.values, year)
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


@quantity(
    name="rise_by_ageing_and_judgement", unit="bed", dims=("part",), of=("beds_total_needed",)
)
def ageing_and_judgement(result: CityResult, year: int) -> dict[str, float]:
    """The rise from today's habits to the need of a year, in two causes: people, and what counts as need.

    Defined as::  ageing = mean of (use(t) - use(t0), need(t) - need(t0))
                  judgement = mean of (need(t0) - use(t0), need(t) - use(t))

    `shapley` of two causes, from what the result keeps; both at the target occupancy, in means, so
    that start + ageing + judgement = end. The families that can care for less are in ageing.

    Returns : start, ageing, judgement, end [bed]
    """
    first = max(BASE_YEAR, int(result.values["year"][0]))
    means = result.values["beds_total_needed"].mean("draw").sel(year=[first, year])
    (use, later_use), (need_now, later_need) = (
        means.sel(measure=measure).values.tolist() for measure in ("use", "need")
    )
    return {
        "start": use,
        "ageing": (later_use - use + later_need - need_now) / 2,
        "judgement": (need_now - use + later_need - later_use) / 2,
        "end": later_need,
    }


def decompositions(
    project: Project, results: Mapping[str, CityResult], years: Sequence[int]
) -> pd.DataFrame:
    """`decompose` for all cities: the year of each promise after 2020, and the years given.

    Returns : table as `decompose` gives it, without causes that cannot move an outcome, with city_id and unit
    """
    parts = []
    for city_id, result in results.items():
        table = result.city.targets
        is_due = (table["follow_up"] == "measured") & (table["kind"] == "target")
        due = table.loc[is_due, "target_year"].dropna()
        wanted = sorted({int(year) for year in due if year > BASE_YEAR} | set(years))
        table = decompose(project, city_id, wanted, result.scenario, result.assumptions.draws)
        parts.append(table.assign(city_id=city_id))
    whole = pd.concat(parts, ignore_index=True)
    whole = whole[whole["part"] != whole["outcome"].map(NO_PART)]
    return whole.assign(unit=whole["outcome"].map(UNITS))


def largest_causes(changes: pd.DataFrame, outcome: str, year: int, most: int = 3) -> pd.DataFrame:
    """What does most to an outcome between 2020 and a year, by `decompositions`; means of the draws.

    Returns : table city_id, year, part, change, unit, start_value, end_value; the strongest first
    """
    rows = changes[(changes["outcome"] == outcome) & (changes["year"] == year)]
    ends = rows.pivot(index="city_id", columns="part", values="mean")[["start", "end"]]
    causes = rows[rows["part"].isin(FACTORS)].rename(columns={"mean": "change"})
    causes = causes.sort_values("change", key=abs, ascending=False, kind="stable")
    top = causes.groupby("city_id", sort=False).head(most).sort_values("city_id", kind="stable")
    columns = ["city_id", "year", "part", "change", "unit"]
    return top[columns].merge(ends.add_suffix("_value"), on="city_id")


def growth_of_people(
    project: Project, results: Mapping[str, CityResult], first_age: int, years: Sequence[int]
) -> pd.DataFrame:
    """What makes the people from an age on more: ageing of those there, longer life, net migration.

    Means of the draws of the result, so that the parts add up to their total (see `population.growth_parts`).

    Returns : table city_id, year, part, mean, unit
    """
    rows = []
    for city_id, result in results.items():
        drawn = result.assumptions
        area = area_of_city(project, result.city, result.scenario, drawn.total_draws)
        for year in years:
            found = population_step.growth_parts(project.china, area, drawn, first_age, year)
            parts = dict(zip(GROWTH, found.values()), **{TOTAL: sum(found.values())})
            rows += [
                {"city_id": city_id, "year": year, "part": part, "mean": mean, "unit": "person"}
                for part, mean in parts.items()
            ]
    return pd.DataFrame(rows)


def fastest_growth(table: pd.DataFrame) -> pd.DataFrame:
    """For each city the year in which the middle of a tidy table of all years grows most.

    Returns : table city_id, year, value (of the growth), share (of the year before), peak_year (of the
              highest middle), unit, label
    """
    rows = []
    for city_id, years in table[table["year"] >= BASE_YEAR].groupby("city_id", sort=False):
        middle = years.set_index("year")["central"]
        growth = middle.diff()
        year = int(growth.idxmax())
        told = {"value": growth[year], "share": growth[year] / middle[year - 1]}
        told |= {"peak_year": int(middle.idxmax()), **years.iloc[0][["unit", "label"]]}
        rows.append({"city_id": city_id, "year": year, **told})
    return pd.DataFrame(rows)
