"""Every area of China at once: the same projection for counties, prefectures and provinces, adding up.

The rule by which they add up: a province is projected on its own; its prefectures are scaled, in
each draw, year and five-year age, so that they sum to it; the counties of a prefecture likewise.
The mean of the draws then adds up exactly; medians and ranges of parts never do.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from .area import Area, Rates, child_woman_ratio, cohort_changes, error_spread, life_expectancy_gap, rates_of
from .base import AGES, base_population, base_populations, province_of
from .draws import Assumptions
from .load import NATION, China
from .population import carry, check_horizon, error_factor, survival_places

BAND_WIDTH = 5
BAND_OF_AGE = np.minimum(AGES // BAND_WIDTH, 100 // BAND_WIDTH)
BANDS = np.arange(0, 101, BAND_WIDTH)
QUANTITIES = {"population_total": 0, "population_60_plus": 60, "population_65_plus": 65,
              "population_80_plus": 80, "population_85_plus": 85}
STATISTICS = ("mean", "low", "central", "high")
LEVELS = (0.1, 0.5, 0.9)
WORKERS = 2


def area_inputs(china: China, codes=None) -> xr.Dataset:
    """What the censuses and life tables say of many areas, ready to be projected.

    codes   : the areas; without them all areas of the census of 2020
    Returns : Dataset with the dim area, sorted by province: base, change, change_province [sex, age],
              gap, gap_known, fertility_ratio, error_scale [age], error_freedom, province, parent
    """
    everyone = base_populations(china, 2020)
    everyone = everyone.isel(area=np.isfinite(everyone.values).all(axis=(1, 2)))
    every = [int(code) for code in everyone["area"].values]
    if codes is not None:
        everyone = everyone.sel(area=sorted(codes))
    known = [int(code) for code in everyone["area"].values]
    provinces = [province_of(code) for code in known]
    changes = cohort_changes(china)
    nation = changes.sel(area=NATION).values
    of_province = changes.sel(area=provinces).values - nation
    own = changes.sel(area=known).values - nation
    own = np.where(np.isnan(own), of_province, own)
    gaps = {code: life_expectancy_gap(china, code) for code in set(provinces)}
    reference = child_woman_ratio(base_population(china, NATION, 2020))
    spreads = [error_spread(china, counts.sum()) for counts in everyone.values]
    one = {"area": known}
    return xr.Dataset(
        {
            "base": everyone, "change": (("area", "sex", "age"), own),
            "change_province": (("area", "sex", "age"), of_province),
            "gap": ("area", [gaps[code][0] for code in provinces]),
            "gap_known": ("area", [gaps[code][1] == 2020 for code in provinces]),
            "fertility_ratio": ("area", [child_woman_ratio(counts) / reference for counts in everyone.values]),
            "error_scale": (("area", "age"), np.array([scale for scale, _ in spreads])),
            "error_freedom": ("area", [freedom for _, freedom in spreads]),
            "province": ("area", provinces), "parent": ("area", _parents(known, every)),
            "change_nation": (("sex", "age"), nation),
        },
        coords=one,
    )


def _parents(codes: list[int], every: list[int]) -> list[int]:
    """The area each belongs to, or 0: its prefecture if the census has it, else its province.

    Where only some of the parts of a whole are asked for, they are projected on their own: scaled
    to the whole they would get the people of the parts that are not there.
    """
    there = set(every)
    above = {code: _whole(code, there) for code in every}
    asked = set(codes)
    complete = {
        whole for whole in asked if all(code in asked for code, parent in above.items() if parent == whole)
    }
    return [above[code] if above[code] in complete else 0 for code in codes]


def _whole(code: int, there: set[int]) -> int:
    wholes = [parent for parent in (code // 100 * 100, province_of(code)) if parent in there and parent != code]
    return wholes[0] if wholes else 0


def project_areas(inputs: xr.Dataset, china: China, assumptions: Assumptions, last_year: int = 2050) -> xr.DataArray:
    """Project many areas and sum them up: mean, low, central, high of each quantity and year.

    With Dask-backed inputs, chunked by whole provinces (see `chunk_by_province`), the work is left to
    Dask and gives the same numbers; else two threads share the provinces.

    inputs  : as `area_inputs` gives them
    Returns : array [person]  dims area, quantity, year, statistic (10th, 50th, 90th percentile, and the mean)
    Raises  : ValueError if the last year is before 2021 or after the UN's projections in use
    """
    rates = rates_of(china)
    check_horizon(rates, last_year, "the areas")
    settings = {"rates": rates, "assumptions": assumptions, "last_year": last_year}
    if inputs.chunks:
        template = _empty_result(inputs, last_year).chunk({"area": inputs.chunks["area"]})
        return xr.map_blocks(_project_families, inputs, kwargs=settings, template=template)
    groups = [inputs.isel(area=np.flatnonzero(inputs["province"].values == code)) for code in _provinces(inputs)]
    groups.sort(key=lambda group: -group.sizes["area"])
    with ThreadPoolExecutor(WORKERS) as pool:
        done = list(pool.map(lambda group: _project_families(group, **settings), groups))
    return xr.concat(done, "area").sel(area=inputs["area"].values)


def chunk_by_province(inputs: xr.Dataset) -> xr.Dataset:
    """The same inputs as Dask arrays, a chunk for each province, so that parts and sums stay together."""
    sizes = [int((inputs["province"].values == code).sum()) for code in _provinces(inputs)]
    return inputs.chunk({"area": tuple(sizes)})


def _provinces(inputs: xr.Dataset) -> list[int]:
    return sorted({int(code) for code in inputs["province"].values})


def _empty_result(inputs: xr.Dataset, last_year: int) -> xr.DataArray:
    coords = {
        "area": inputs["area"].values, "quantity": list(QUANTITIES),
        "year": np.arange(2020, last_year + 1), "statistic": list(STATISTICS),
    }
    shape = [len(values) for values in coords.values()]
    return xr.DataArray(np.zeros(shape), dims=tuple(coords), coords=coords, name="population")


def _project_families(inputs: xr.Dataset, rates: Rates, assumptions: Assumptions, last_year: int) -> xr.DataArray:
    """Areas of some provinces: each family of parts is scaled to the whole above it, if that is here."""
    out = _empty_result(inputs, last_year)
    settings = _Settings(inputs, rates, assumptions, last_year)
    for row in np.flatnonzero(~np.isin(settings.facts["parent"], settings.codes)):
        _settle(settings, int(row), settings.project(int(row)), out)
    return out


def _settle(settings: _Settings, row: int, counts: np.ndarray, out: xr.DataArray) -> None:
    """Write down one area and scale its parts to it, down to the smallest."""
    out.values[row] = _summary(counts)
    parts = np.flatnonzero(settings.facts["parent"] == settings.codes[row])
    if not len(parts):
        return
    family = [settings.project(int(part)) for part in parts]
    whole = np.sum(family, axis=0)
    factor = np.divide(counts, whole, out=np.ones_like(counts), where=whole > 0)
    for part, own in zip(parts, family):
        _settle(settings, int(part), own * factor, out)


def _summary(counts: np.ndarray) -> np.ndarray:
    """dims quantity, year, statistic, from counts by draw, year and five-year age"""
    rows = []
    for first in QUANTITIES.values():
        people = np.ascontiguousarray(counts[..., first // BAND_WIDTH :].sum(axis=-1).T)
        rows.append(np.stack([people.mean(axis=1), *np.quantile(people, LEVELS, axis=1)], axis=-1))
    return np.stack(rows)


class _Settings:
    """What the areas of a run share, and the places on the survival grid, which provinces share."""

    def __init__(self, inputs: xr.Dataset, rates: Rates, assumptions: Assumptions, last_year: int):
        self.facts = {name: array.values for name, array in inputs.data_vars.items()}
        self.codes = inputs["area"].values
        self.rates, self.assumptions = rates, assumptions
        self.years = np.arange(2020, last_year + 1)
        self.places: dict[tuple[float, bool], tuple] = {}

    def project(self, row: int) -> np.ndarray:
        """People of both sexes by draw, year end and five-year age, as `population.project_area` reckons."""
        area = self.area(row)
        key = (area.life_expectancy_gap, area.gap_known)
        if key not in self.places:
            self.places[key] = survival_places(area, self.rates, self.assumptions, self.years[1:])
        last_year = int(self.years[-1])
        counts = carry(area, self.rates, self.assumptions, last_year, self.places[key], BAND_OF_AGE)
        return (counts[:, :, 0] + counts[:, :, 1]) * error_factor(area, self.assumptions, self.years, BANDS)

    def area(self, row: int) -> Area:
        fact = {name: values[row] for name, values in self.facts.items() if name != "change_nation"}
        return Area(
            int(self.codes[row]), fact["base"], None, float(fact["gap"]), bool(fact["gap_known"]),
            fact["change"], fact["change_province"], self.facts["change_nation"],
            float(fact["fertility_ratio"]), fact["error_scale"], float(fact["error_freedom"]),
        )


def write_summary(summary: xr.DataArray, china: China, path: Path) -> None:
    """Write the summary of all areas as Parquet, whole or not at all: a row an area, quantity and year."""
    table = summary.to_dataset("statistic").to_dataframe().reset_index()
    names = china.areas.xs(2020, level="year")[["name", "level", "province"]]
    table = table.join(names, on="area").rename(columns={"area": "adcode"})
    numbers = list(STATISTICS)
    table[numbers] = table[numbers].round(1)
    part = path.with_name(path.name + ".part")
    table[["adcode", "name", "level", "province", "quantity", "year", *numbers]].to_parquet(part, index=False)
    part.replace(path)


def find_area(china: China, text: str) -> int:
    """The code of an area, from its code or its name.

    Raises : KeyError, with the candidates if a name is not unique, or if there is none
    """
    names = china.areas.xs(2020, level="year")
    if text.isdigit():
        if int(text) in names.index:
            return int(text)
        raise KeyError(f"{text} is no area of the census of 2020")
    found = names[names["name"] == text]
    if found.empty:
        found = names[names["name"].str.startswith(text)]
    if len(found) == 1:
        return int(found.index[0])
    if found.empty:
        raise KeyError(f"no area of the census of 2020 is called “{text}”")
    listed = ", ".join(f"{code} {row['name']} ({row.province}, {row.level})" for code, row in found.head(20).iterrows())
    raise KeyError(f"“{text}” is not unique; write the code: {listed}")


def level_table(summary: xr.DataArray, code: int, years) -> pd.DataFrame:
    """The summary of one area: a row a quantity and year."""
    table = summary.sel(area=code, year=list(years)).to_dataset("statistic").to_dataframe().reset_index()
    return table[["quantity", "year", "low", "central", "high"]]
