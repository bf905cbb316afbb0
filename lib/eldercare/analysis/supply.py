"""Care workers in post beside those needed and promised, and the training it takes to have them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.analysis.compare import compare_targets
from eldercare.inputs.load import Project
from eldercare.model import workforce
from eldercare.model.chain import QUANTILES, CityResult, summarise

UNIT = "worker"
PER_10000 = "caregivers_per_10000_needed"
CERTIFIED = (
    "promised_per_10000",
    "needed_per_10000",
    "promised_heads",
    "promised_senior",
    "in_post",
)


def ratios_and_posts(results: Mapping[str, CityResult], year: int) -> pd.DataFrame:
    """Care workers that the staffing ratios ask for with today's habits, beside those in post: two
    things, in means.

    Returns : table city_id, year, ratio_value, post_value, share (in post of those asked for), unit
    """
    rows = []
    for city_id, result in results.items():
        asked = result.quantity("caregivers_total_needed").sel(measure="use", year=year)
        post = result.quantity("caregivers_stock").sel(path="today", year=year)
        row = {"ratio_value": float(asked.mean()), "post_value": float(post.mean())}
        rows.append({"city_id": city_id, "year": year, **row, "unit": UNIT})
    table = pd.DataFrame(rows)
    return table.assign(share=table["post_value"] / table["ratio_value"])


def programme_intake(results: Mapping[str, CityResult]) -> pd.DataFrame:
    """People to be taken into training a year so that the gap is closed by the end of the
    programme.

    Returns : table city_id, first_year, year (the last one), mean, low, central, high, today_value,
              unit
    """
    tables = []
    for city_id, result in results.items():
        first, last = (
            int(np.median(result.assumptions[f"programme_{end}_year"])) for end in ("first", "last")
        )
        intake = result.quantity("training_intake").sel(year=[last])
        today = float(np.median(intake.sel(path="today")))
        table = summarise(intake.sel(path="programme"), mean=True)
        tables.append(table.assign(city_id=city_id, first_year=first, today_value=today))
    return pd.concat(tables, ignore_index=True).assign(unit="person")


def stock_and_flows(result: CityResult, years: list[int]) -> pd.DataFrame:
    """Care workers in post the year before, who come and go, and those in post, by the programme;
    means.

    Returns : table year, flow (before, the flows, stock), mean, unit; before + trained + returning
              - leaving - retiring = stock
    """
    stock = result.quantity("caregivers_stock").sel(path="programme").mean("draw")
    flows = result.quantity("caregiver_flow").mean("draw")
    parts = {name: flows.sel(flow=name) for name in workforce.FLOWS}
    parts = {"before": stock.shift(year=1), **parts, "stock": stock}
    rows = [
        {"flow": name, "year": year, "mean": float(part.sel(year=year)), "unit": UNIT}
        for name, part in parts.items()
        for year in years
    ]
    return pd.DataFrame(rows)


def trained_by_year(result: CityResult, start: int, goal_year: int) -> xr.DataArray:
    """People to take into training each year after `start` so that need is met in `goal_year`; dims
    draw.
    """
    drawn = result.assumptions
    rates = workforce.turnover_rates(
        *(drawn[f"caregiver_{name}_share"].variable for name in ("leaving", "retirement", "return"))
    )
    stock = result.quantity("caregivers_stock").sel(path="today").astype(float)
    goal = result.quantity("caregivers_total_needed").sel(measure="need", year=goal_year)
    trained = workforce.required_training(
        goal.values.astype(float),
        stock.sel(year=start).values,
        stock.sel(year=start - 1).values * rates.leaving,
        rates,
        goal_year - start,
    )
    return xr.DataArray(trained, dims="draw") / drawn["caregiver_entry_share"]


def training_for_promises(project: Project, results: Mapping[str, CityResult]) -> pd.DataFrame:
    """Training that would meet need by the last year a city's plan promises anything measured for.

    Returns : table city_id, plan_year, year, known (ahead, past, or nothing: no promise that is
              measured), low, central, high, use_low, use_central, use_high (today's intake), unit
    """
    rows = []
    for city_id, result in results.items():
        years = compare_targets(project, result)["target_year"]
        goal, start = (int(years.max()) if len(years) else 0), result.city.plan_year or 0
        first = max(workforce.STOCK_YEAR, int(result.values["year"][0]) + 1)
        row = {"city_id": city_id, "plan_year": start or np.nan, "year": goal or np.nan}
        row["known"] = "past" if goal else "nothing"
        if start >= first and goal > start:
            today = result.quantity("training_intake").sel(path="today", year=goal)
            wanted = summarise(trained_by_year(result, start, goal)).iloc[0]
            row |= {"known": "ahead", **wanted, **summarise(today).iloc[0].add_prefix("use_")}
        rows.append(row)
    ends = [f"{name}{end}" for name in ("", "use_") for end in QUANTILES]
    columns = ["city_id", "plan_year", "year", "known", *ends]
    return pd.DataFrame(rows, columns=columns).assign(unit="person")


def certified_promises(project: Project, results: Mapping[str, CityResult]) -> pd.DataFrame:
    """The promise of certified care workers in heads, beside all who are in post.

    Returns : table city_id, year, quantity (as in `CERTIFIED`), low, central, high, unit;
              empty if no city promised any
    """
    rows = []
    for city_id, result in results.items():
        promises = compare_targets(project, result)
        for promise in promises[promises["measured_by"] == PER_10000].to_dict("records"):
            told = _certified(result, promise["target_year"], promise["promised"])
            keys = {"city_id": city_id, "year": promise["target_year"]}
            rows += [
                {**keys, "quantity": name, "unit": unit, **summarise(array).iloc[0]}
                for name, (array, unit) in told.items()
            ]
    columns = ["city_id", "year", "quantity", "low", "central", "high", "unit"]
    return pd.DataFrame(rows, columns=columns)


def _certified(result: CityResult, year: int, promised: float) -> dict[str, tuple]:
    people = result.quantity("population_60_plus").sel(year=year)
    needed = result.quantity(PER_10000).sel(measure="need", year=year)
    post = result.quantity("caregivers_stock").sel(path="today", year=year)
    heads = people * (promised / workforce.PER_10000)
    own = result.city.targets
    share = own.loc[own["indicator"] == "senior_caregiver_share", "value"]
    upper = heads * (float(share.iloc[0]) if len(share) else np.nan)
    per = "worker_per_10000_persons"
    ratios = [(xr.full_like(needed, promised), per), (needed, per)]
    return dict(zip(CERTIFIED, [*ratios, *((count, UNIT) for count in (heads, upper, post))]))
