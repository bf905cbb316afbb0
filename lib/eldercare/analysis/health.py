"""Years of life with and without care need, by Sullivan's method."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from eldercare.engine.quantity import Calculation, quantity
from eldercare.model.area import FIRST_RATE_YEAR
from eldercare.model.base import AGES, OPEN_AGE, SEXES
from eldercare.model.chain import QUANTILES, CityInputs, CityResult
from eldercare.model.need import LIMITED, OLDEST_OLD
from eldercare.model.population import expectancy_gap_of, life_expectancy_paths


def person_years_from_ratios(ratios: np.ndarray) -> np.ndarray:
    """Person-years lived at each age, L(0..99) and T(100), of one born, from survivorship ratios.

    Defined as::  L(0) = S(birth);  L(x+1) = L(x) S(x);  T(100) = L(99) S(99) / (1 - S(100+))

    ratios  : array [share]  last dim 102 (see `lifetable.survival_ratios`)
    Returns : array [year]  last dim age 0..100, the last for all of 100 and over; sums to life expectancy
    """
    lived = np.cumprod(ratios[..., : OPEN_AGE + 1], axis=-1)
    lived[..., OPEN_AGE] /= 1 - ratios[..., OPEN_AGE + 1]
    return lived


def years_from(age: int, lived: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Years to be lived in a state from an age on, by those who reach it (Sullivan's method).

    Defined as::  sum over x >= age(L(x) rate(x)) / l(age),  l(age) = root of (L(age-1) L(age))

    lived   : array [year]  last dim age 0..100
    rates   : array [share]  last dim age 0..100
    Returns : array [year]  without the last dim
    Source  : Sullivan, D. F. (1971), a single index of mortality and morbidity
    """
    alive = np.sqrt(lived[..., age - 1] * lived[..., age])
    return (lived * rates)[..., age:].sum(axis=-1) / alive


@quantity(
    unit="year",
    dims=("age", "sex", "state"),
    of=(
        "expectancy_gap",
        "limitation_prevalence",
        "adl_drift",
        "adl_drift_of_oldest",
        "life_expectancy_improvement",
        "life_expectancy_published_gap_continuation",
        "wpp_death_rates",
        "wpp_life_expectancy",
        "life_expectancy",
    ),
)
def health_expectancy(
    inputs: CityInputs, year: int, ages: tuple[int, ...] = (60, 65)
) -> pd.DataFrame:
    """Life expectancy of an area at some ages: all years, those without a limitation, those with one.

    Defined as::  sum over ages from x(person-years x share in the state) / those alive at x

    Returns : table age, sex, state (all, none, mild, moderate, severe), mean, low, central, high [year];
              the means of the states add up to that of all
    Source  : the area's life table (`population.life_expectancy_paths`, `expectancy_gap`), `need.limitation_prevalence`
    """
    rates = inputs.rates
    nation = life_expectancy_paths(rates, inputs.assumptions, [year])[0]
    target = nation + expectancy_gap_of(inputs.area, inputs.assumptions)
    lived = person_years_from_ratios(rates.grid.survival(year - FIRST_RATE_YEAR, target))
    prevalence = prevalence_in_year(inputs, year)
    everyone = np.ones_like(lived)
    rows = []
    for age in ages:
        parts = {"all": years_from(age, lived, everyone)}
        parts |= {
            name: years_from(age, lived, prevalence[:, index]) for index, name in enumerate(LIMITED)
        }
        parts["none"] = parts["all"] - sum(parts[name] for name in LIMITED)
        for state in ("all", "none", *LIMITED):
            for number, sex in enumerate(SEXES):
                low, central, high = np.quantile(parts[state][:, number], list(QUANTILES.values()))
                mean = parts[state][:, number].mean()
                ends = {"mean": mean, "low": low, "central": central, "high": high}
                rows.append({"age": age, "sex": sex, "state": state, **ends})
    return pd.DataFrame(rows)


def prevalence_in_year(inputs: CityInputs, year: int) -> np.ndarray:
    """Prevalence with its drift until a year.  Returns: array [share]  dims draw, severity, sex, age"""
    calculation, place = Calculation(inputs), year - int(inputs.years[0])
    moved, oldest = (
        calculation[name].values[place] for name in ("adl_drift", "adl_drift_of_oldest")
    )
    factor = moved * np.where((AGES >= OLDEST_OLD)[:, None], oldest, 1.0)
    rates = calculation["limitation_prevalence"].values * factor
    return np.minimum(np.moveaxis(rates, -1, 0), 1.0)


def health_of_cities(results: Mapping[str, CityResult], year: int) -> pd.DataFrame:
    """`health_expectancy` of all cities.  Returns: its table, with city_id and unit"""
    tables = [
        health_expectancy(result.inputs, year).assign(city_id=city_id, unit="year")
        for city_id, result in results.items()
    ]
    return pd.concat(tables, ignore_index=True)


def with_limitation(table: pd.DataFrame) -> pd.DataFrame:
    """Means of years to live: in all, without and with a limitation of any severity, and of these severe.

    table   : as `health_of_cities` gives it
    Returns : table city_id, age, sex, state (all, none, limited, severe), mean, unit
    """
    keys = ["city_id", "age", "sex"]
    limited = table[table["state"].isin(LIMITED)].groupby(keys, as_index=False, sort=False)
    limited = limited["mean"].sum().assign(state="limited", unit="year")
    order = ("all", "none", "limited", "severe")
    whole = pd.concat([table, limited])[[*keys, "state", "mean", "unit"]]
    return pd.concat([whole[whole["state"] == state] for state in order], ignore_index=True)
