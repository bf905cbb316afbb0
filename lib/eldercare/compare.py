"""Promises beside needs: the gap, and the chance that what was promised is enough."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import rankdata

from .chain import HEAD_COUNTS, QUANTILES, CityResult
from .ledger import printed_numbers
from .load import City, Project

TARGET_COLUMNS = [
    "city_id", "target_id", "label_en", "label_zh", "measured_by", "target_year", "unit", "promised",
    "low", "central", "high", "use", "gap", "chance", "plain_gap", "plain_low", "plain_high", "plain_unit",
]


def is_usable(row) -> bool:
    """Whether a target's value may enter a calculation: printed whole, or the row's reading says the same value.

    A reading with another number (61 printed, 610000 read) is told, but neither of the two is reckoned with.
    """
    if not np.isfinite(row["value"]) or row["suspect"] == "":
        return bool(np.isfinite(row["value"]))
    return any(np.isclose(number.value, row["value"]) for number in printed_numbers(row["reading"]))


def measured_targets(result: CityResult) -> pd.DataFrame:
    """The promises of a result's city that a quantity of the chain measures (see `promises_of`)."""
    return promises_of(result.city)


def promises_of(city: City) -> pd.DataFrame:
    """The city's promises that a quantity of the chain measures, each once, in the order of the document."""
    table = city.targets
    rows = table[(table["follow_up"] == "measured") & (table["kind"] == "target") & (table["restates"] == "")]
    return rows[[is_usable(row) for _, row in rows.iterrows()]] if len(rows) else rows


def compare_targets(project: Project, result: CityResult) -> pd.DataFrame:
    """For each measured promise: the need in its year, the gap, and the chance that it is enough.

    Defined as::  gap = promised - need;  chance = share of draws in which need <= promised

    The gap is told in plain units too (beds, people): a ratio times what it is a ratio of.

    Returns : table with one row a promise; `low, central, high` is the need, `use` what today's
              habits would take up (both in the promise's unit); empty where the city has none
    """
    indicators = project.indicators.set_index("indicator")
    rows = [
        _compare_one(result, row, indicators.loc[row["measured_by"]])
        for _, row in measured_targets(result).iterrows()
    ]
    return pd.DataFrame(rows, columns=TARGET_COLUMNS)


def _compare_one(result: CityResult, target: pd.Series, indicator: pd.Series) -> dict:
    year = int(target["target_year"])
    need = _in_year(result, target["measured_by"], year, "need")
    use = _in_year(result, target["measured_by"], year, "use")
    gap = target["value"] - need
    if indicator["plain_base"]:
        base = _in_year(result, indicator["plain_base"], year, "need")
        plain_gap, plain_unit = gap * base / indicator["plain_per"], indicator["plain_unit"]
    else:
        plain_gap, plain_unit = gap, target["unit"]
    low, central, high = np.quantile(need, list(QUANTILES.values()))
    plain = np.quantile(plain_gap, list(QUANTILES.values()))
    return {
        "city_id": result.city.city_id, "target_id": target["target_id"],
        "label_en": target["label_en"], "label_zh": target["label_zh"],
        "measured_by": target["measured_by"], "target_year": year, "unit": target["unit"],
        "promised": target["value"], "low": low, "central": central, "high": high,
        "use": float(np.median(use)), "gap": float(np.median(gap)), "chance": float((gap >= 0).mean()),
        "plain_gap": plain[1], "plain_low": plain[0], "plain_high": plain[2], "plain_unit": plain_unit,
    }


def _in_year(result: CityResult, indicator: str, year: int, measure: str) -> np.ndarray:
    array = result.values[indicator].sel(year=year)
    if "measure" in array.dims:
        array = array.sel(measure=measure)
    return array.values.astype(float)


def compare_all(project: Project, results: dict[str, CityResult]) -> pd.DataFrame:
    """`compare_targets` for all cities, one below the other."""
    parts = [compare_targets(project, result) for result in results.values()]
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=TARGET_COLUMNS)


def compare_head_counts(result: CityResult) -> pd.DataFrame:
    """The document's own head counts beside the census: what both count, and by how much they differ.

    Returns : table with a row for each stock row of targets.csv that a head count of the chain measures
    """
    table = result.city.targets
    rows = table[(table["follow_up"] == "measured") & (table["kind"] == "stock") & (table["restates"] == "")]
    out = []
    for _, row in rows.iterrows():
        if not is_usable(row):
            continue
        census = _census_count(result, row["measured_by"])
        out.append({
            "target_id": row["target_id"], "indicator": row["measured_by"], "document": row["value"],
            "quote_zh": row["quote_zh"], "census_2020": census, "difference": row["value"] / census - 1,
        })
    columns = ["target_id", "indicator", "document", "quote_zh", "census_2020", "difference"]
    return pd.DataFrame(out, columns=columns)


def _census_count(result: CityResult, indicator: str) -> float:
    base = result.census_base
    first, last = HEAD_COUNTS[indicator]
    return float(base[:, first : last + 1].sum())


def influence(result: CityResult, indicator: str, year: int, measure: str = "need", most: int = 8) -> pd.DataFrame:
    """Which assumptions move a result most: the share of its spread that goes with each.

    Defined as::  share = squared rank correlation of an assumption's draws with the result's

    and the effect in the result's unit: its median in the fifth of draws where the assumption is
    highest less its median in the fifth where it is lowest.

    Returns : table assumption, share_of_spread, effect; the strongest first
    """
    outcome = _in_year(result, indicator, year, measure)
    order = rankdata(outcome)
    rows = []
    for name in sorted(result.assumptions.rows["assumption"].unique()):
        drawn = result.assumptions[name]
        if "year_from" in drawn.dims:
            drawn = drawn.isel(year_from=-1, drop=True)
        stacked = drawn.stack(key=[dim for dim in drawn.dims if dim != "draw"]) if drawn.ndim > 1 else drawn
        for label, values in _columns(name, stacked):
            if np.ptp(values) == 0:
                continue
            share = np.corrcoef(rankdata(values), order)[0, 1] ** 2
            low, high = np.quantile(values, [0.2, 0.8])
            effect = np.median(outcome[values >= high]) - np.median(outcome[values <= low])
            rows.append({"assumption": label, "share_of_spread": share, "effect": effect})
    table = pd.DataFrame(rows).sort_values("share_of_spread", ascending=False, kind="stable")
    return table.head(most).reset_index(drop=True)


def _columns(name: str, drawn: xr.DataArray):
    if drawn.ndim == 1:
        yield name, drawn.values
        return
    for key in range(drawn.sizes["key"]):
        one = drawn.isel(key=key)
        labels = one["key"].item()
        labels = labels if isinstance(labels, tuple) else (labels,)
        yield f"{name} ({', '.join(map(str, labels))})", one.values
