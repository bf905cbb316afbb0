"""Assumptions, arrays and cities that a test makes up."""

from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.engine.arrays import DRAW, Array, labelled
from eldercare.engine.quantity import Calculation
from eldercare.inputs import schema
from eldercare.inputs.checks import cross_faults, on_promised_base
from eldercare.inputs.draws import Assumptions
from eldercare.inputs.load import City
from eldercare.model.area import describe_area
from eldercare.model.chain import LAST_YEAR, CityInputs


def drawn(values, *dims: str) -> Array:
    """An array as the model takes it, draws last, from numbers whose first dim is the draws."""
    return Array((DRAW, *dims), np.asarray(values, float)).transpose(*dims, DRAW)


def calculation_of(project, city: City, assumptions: Assumptions, last_year=LAST_YEAR):
    """The chain of a city, in full precision; its area as the censuses tell it, not settled with
    the others.
    """
    area = describe_area(project.china, city.adcode)
    return Calculation(CityInputs(project.china, city, area, assumptions, last_year))


def told(calculation: Calculation, name: str) -> xr.DataArray:
    """A quantity of a calculation with the labels of its dims."""
    return labelled({name: calculation[name]}, calculation["years"])[name]


SAID = {  # cells that a row of a table of a city must have, whatever it says
    "targets": {
        "indicator": "x",
        "label_en": "x",
        "label_zh": "x",
        "unit": "bed",
        "bound": "at_least",
        "scope": "city",
        "kind": "target",
        "follow_up": "measured",
        "source_id": "own_judgement",
        "locator": "x",
        "quote_zh": "x",
        "target_year": 2030,
        "value": 1000,
    },
    "capacity": {
        "indicator": "beds_total",
        "year": 2020,
        "value": 1000,
        "unit": "bed",
        "source_id": "own_judgement",
    },
    "progress": {
        "reported_on": "2024-12-31",
        "scope": "city",
        "value": 900,
        "unit": "bed",
        "source_id": "own_judgement",
    },
    "assumptions": {
        "low": 0.7,
        "central": 0.8,
        "high": 0.9,
        "unit": "share",
        "shape": "triangular",
        "basis": "guess",
        "source_id": "own_judgement",
    },
}


def rows_of(table: str, city_id: str, *rows: dict) -> pd.DataFrame:
    """Rows of a table of a city, with the cells named and else what `SAID` has; numbers as numbers."""
    schema_ = getattr(schema, table.upper())
    said = [{"city_id": city_id, **SAID[table], **row} for row in rows]
    out = {}
    for name, column in schema_.columns.items():
        number = str(column.dtype) == "float64"
        out[name] = pd.Series(
            [row.get(name, np.nan if number else "") for row in said],
            dtype=float if number else object,
        )
    return pd.DataFrame(out)


def made_city(
    city_id: str,
    adcode: int,
    plan_year: int | None = None,
    name_en: str = "",
    source_id: str = "",
    **tables,
) -> City:
    """A city as its folder would tell it; tables are lists of rows by name (targets, capacity,
    assumptions, progress).
    """
    made = {name: rows_of(name, city_id, *tables.get(name, ())) for name in SAID}
    made["capacity"] = made["capacity"] if "capacity" in tables else None
    return City(city_id, adcode, name_en or city_id.capitalize(), "", plan_year, source_id, **made)


def with_cities(project, *cities: City):
    """The project with these cities alone, and the quantities their promises are held against."""
    chosen = {
        city.city_id: replace(city, targets=on_promised_base(project.indicators, city.targets))
        if not cross_faults(replace(project, cities={city.city_id: city}))
        else city
        for city in cities
    }
    return replace(project, cities=chosen)


def faults_of(project, *cities: City, **changed) -> list:
    """What `check` would tell of a project of these cities alone."""
    return cross_faults(replace(project, cities={city.city_id: city for city in cities}, **changed))
