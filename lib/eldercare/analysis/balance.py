"""Need beside the existing beds: empty, missing and missing nursing beds; a city can have all
three. And waiting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.analysis.compare import is_usable
from eldercare.inputs.load import City
from eldercare.model import beds as bed_step
from eldercare.model import flow
from eldercare.model.chain import QUANTILES, CityResult, stock_of_beds, summarise
from eldercare.model.workforce import MONTHS

BALANCE = ("standing", "empty", "missing", "missing_nursing")
SPECIAL = ["nursing", "dementia"]


def nursing_share(city: City) -> tuple[float, int, str] | None:
    """Share of nursing beds in the stock of institutions: as published, else as the city promised
    it.

    A promised share of all beds, day care counted in, says nothing of institutions alone and is
    left out.

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
    """Empty, missing and missing nursing beds: need of a year beside the stock as it was last
    counted.

    Defined as::  empty   = stock x (1 - occupancy observed)
                  missing = max(0, beds needed, institutions and day care - stock), like with like:
                            the published stock counts both
                  missing nursing = max(0, nursing and dementia-care beds needed
                            - stock of institutions x share of nursing beds)

    Returns : table quantity (standing, empty, missing, missing_nursing), low, central, high [bed];
              NaN where no stock (or no share of nursing beds) is on record
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


def bed_balances(results: Mapping[str, CityResult], years: Sequence[int]) -> pd.DataFrame:
    """`bed_balance` of all cities in some years.  Returns: its table, with city_id, year and unit"""
    tables = [
        bed_balance(result, year).assign(city_id=city_id, year=year, unit="bed")
        for city_id, result in results.items()
        for year in years
    ]
    return pd.concat(tables, ignore_index=True)


def balance_of_stock(results: Mapping[str, CityResult], year: int) -> pd.DataFrame:
    """The middle of each balance beside the stock it rests on, a row a city.

    Returns : table city_id, year, known (unknown: no stock is collected; else where the share of
              nursing beds is from: published, promised, none), counted_given, stock_year,
              empty_value, missing_value, missing_nursing_value, share, share_year, unit
    """
    rows = []
    for city_id, result in results.items():
        stock, share = stock_of_beds(result.city), nursing_share(result.city)
        row = {"city_id": city_id, "year": year, "known": "unknown", "unit": "bed"}
        if stock is not None:
            middle = bed_balance(result, year).set_index("quantity")["central"]
            row |= {f"{name}_value": middle[name] for name in BALANCE[1:]}
            row |= {"counted_given": float(stock["value"]), "stock_year": int(stock["year"])}
            row["known"] = "none" if share is None else share[2]
            row |= {} if share is None else {"share": share[0], "share_year": share[1]}
        rows.append(row)
    return pd.DataFrame(rows)


def use_beside_stock(results: Mapping[str, CityResult], year: int) -> pd.DataFrame:
    """Today's use of institutions, and the use that a city's own beds would hold at the occupancy
    observed.

    Returns : table city_id, year, share (of people of 60 and over, middle), chosen (whose rates:
              nation, place or city), known (yes or no), counted_given [bed], stock_year, person_value (of
              those beds), share_of_stock, unit
    """
    rows = []
    for city_id, result in results.items():
        used = result.quantity("share_by_setting").sel(measure="use", setting="institution")
        rows_in_force = result.assumptions.rows.query("setting == 'institution'").set_index(
            "assumption"
        )["chosen_from"]
        own = (rows_in_force.loc["setting_use_share"] == "city").any()
        chosen = "city" if own else rows_in_force.loc["setting_use_share_place_factor"]
        row = {"city_id": city_id, "year": year, "known": "no", "chosen": chosen, "unit": "person"}
        row["share"] = float(np.median(used.sel(year=year)))
        stock = stock_of_beds(result.city)
        if stock is not None:
            occupancy = np.median(result.assumptions["observed_occupancy"])
            then = max(int(stock["year"]), int(result.values["year"].values[0]))
            older = np.median(result.values["population_60_plus"].sel(year=then))
            held = float(stock["value"]) * occupancy
            row |= {"counted_given": float(stock["value"]), "stock_year": int(stock["year"])}
            row |= {"known": "yes", "person_value": held, "share_of_stock": held / older}
        rows.append(row)
    return pd.DataFrame(rows)


def occupancy_for_waiting(results: Mapping[str, CityResult], year: int) -> pd.DataFrame:
    """The fullest that one home of the usual size can be with the waiting standard kept, if need is
    met.

    Returns : table city_id, year, mean, low, central, high, unit [share]
    Source  : `flow.occupancy_for_waiting`
    """
    tables = []
    for city_id, result in results.items():
        one = result.assumptions
        stay = result.quantity("mean_length_of_stay").sel(year=[year], measure="need")
        share = flow.occupancy_for_waiting(
            np.rint(one["beds_per_institution"].values)[:, None],
            stay.transpose("draw", "year").values,
            one["waiting_standard"].values[:, None] / MONTHS,
            one["waiting_standard_share"].values[:, None],
        )
        found = summarise(stay.transpose("draw", "year").copy(data=share), mean=True)
        tables.append(found.assign(city_id=city_id, unit="share"))
    return pd.concat(tables, ignore_index=True)


def queue_check(result: CityResult, year: int) -> pd.DataFrame:
    """The queue formula beside a queue simulated, for one home of the usual size, at middle values.

    Returns : table of one row: counted_bed_given, month_given, share (placed in time), person_value
              and share_full by the formula; admitted_given, simulated_value [person],
              simulated_bed_given, signed_person and signed_bed (against the formula), unit
    """
    one = result.assumptions
    beds = int(np.rint(np.median(one["beds_per_institution"])))
    stay = float(np.median(result.quantity("mean_length_of_stay").sel(year=year, measure="need")))
    months, share = (
        float(np.median(one[name])) for name in ("waiting_standard", "waiting_standard_share")
    )
    wait = months / MONTHS
    load = beds * float(flow.occupancy_for_waiting(beds, stay, wait, share))
    enough = flow.simulated_beds(load, stay, wait, share, "notebook")
    record = flow.simulate_queue(load, beds, stay, wait, "notebook")
    row = {"counted_bed_given": beds, "month_given": months, "share": share, "unit": "person"}
    row |= {"person_value": load, "share_full": load / beds, "admitted_given": record.admitted}
    row |= {"simulated_value": record.residents, "signed_person": record.residents / load - 1}
    row |= {"simulated_bed_given": enough, "signed_bed": enough / beds - 1}
    return pd.DataFrame([row])
