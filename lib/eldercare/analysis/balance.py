"""Need beside what stands: empty beds, missing beds, missing nursing beds; a city can have all three."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.analysis.compare import is_usable
from eldercare.inputs.load import City
from eldercare.model import beds as bed_step
from eldercare.model.chain import QUANTILES, CityResult, stock_of_beds

BALANCE = ("standing", "empty", "missing", "missing_nursing")
SPECIAL = ["nursing", "dementia"]


def nursing_share(city: City) -> tuple[float, int, str] | None:
    """Share of nursing beds in the stock of institutions: as published, else as the city promised it.

    A promised share of all beds, day care counted in, says nothing of institutions alone and is left out.

    Returns : share, year and `published` or `promised`; None where there is neither
    """
    if city.capacity is not None:
        rows = city.capacity[city.capacity["indicator"] == "nursing_bed_share"]
        if len(rows):
            last = rows.sort_values("year", kind="stable").iloc[-1]
            return float(last["value"]), int(last["year"]), "published"
    table = city.targets
    rows = table[
        (table["indicator"] == "nursing_bed_share")
        & (table["kind"] == "target")
        & table["target_year"].notna()
        & (table["measured_by"] != "nursing_bed_share_of_all_needed")
    ]
    rows = rows[[is_usable(row) for _, row in rows.iterrows()]] if len(rows) else rows
    if rows.empty:
        return None
    last = rows.sort_values("target_year").iloc[-1]
    return float(last["value"]), int(last["target_year"]), "promised"


def bed_balance(result: CityResult, year: int) -> pd.DataFrame:
    """Empty, missing and missing nursing beds: need of a year beside the stock as it was last counted.

    Defined as::  empty   = stock x (1 - occupancy observed)
                  missing = max(0, beds needed, institutions and day care - stock), like with like:
                            the published stock counts both
                  missing nursing = max(0, nursing and dementia-care beds needed
                            - stock of institutions x share of nursing beds)

    Returns : table quantity (standing, empty, missing, missing_nursing), low, central, high [bed]; NaN where
              no stock (or no share of nursing beds) is on record
    Source  : capacity.csv; targets.csv; assumption `observed_occupancy`
    """
    stock = stock_of_beds(result.city)
    unknown = np.array([np.nan])
    parts = dict.fromkeys(BALANCE, unknown)
    if stock is not None:
        standing = float(stock["value"])
        total = _need(result, "beds_total_needed", year)
        parts["standing"] = np.array([standing])
        parts["empty"] = bed_step.empty_beds(
            standing, result.assumptions["observed_occupancy"].variable
        ).values
        parts["missing"] = bed_step.missing_beds(total, standing).values
        share = nursing_share(result.city)
        if share is not None:
            needed = (
                _need(result, "beds_needed", year)
                .sel(bed_type=SPECIAL)
                .sum("bed_type", skipna=False)
            )
            nursing = share[0] * bed_step.institution_part(
                standing, result.assumptions["institution_share_of_beds"].variable
            )
            parts["missing_nursing"] = bed_step.missing_beds(needed, nursing).values
    rows = [
        {"quantity": name, **dict(zip(QUANTILES, np.quantile(values, list(QUANTILES.values()))))}
        for name, values in parts.items()
    ]
    return pd.DataFrame(rows)


def _need(result: CityResult, indicator: str, year: int) -> xr.DataArray:
    return result.values[indicator].sel(year=year, measure="need").astype(float)
