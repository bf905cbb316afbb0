"""Promises beside needs: the gap, and the chance that what was promised is enough."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import ndtri
from scipy.stats import rankdata

from eldercare.engine.arrays import Array, part, sum_over
from eldercare.engine.quantity import Calculation, quantity
from eldercare.inputs.draws import Assumptions
from eldercare.inputs.ledger import printed_numbers
from eldercare.inputs.load import NATION, City, Project, nation_as_city
from eldercare.model.base import province_of
from eldercare.model.chain import BASE_YEAR, QUANTILES, CityResult, inputs_of, summarise
from eldercare.model.population import AGE_GROUPS
from eldercare.model.registered import registered_over_resident
from eldercare.model.services import childcare_places_promised

PROJECTION_ERROR = "projection_error"
TARGET_COLUMNS = [
    "city_id",
    "target_id",
    "label_en",
    "label_zh",
    "measured_by",
    "target_year",
    "unit",
    "promised",
    "low",
    "central",
    "high",
    "use",
    "gap",
    "chance",
    "plain_gap",
    "plain_low",
    "plain_high",
    "plain_unit",
]


PUBLIC_PAYERS = ("city_budget", "province_and_centre", "welfare_lottery")
WELFARE_ITEMS = ("old_age_allowance", "service_subsidy")
MONEY_DRAWS = 256
ROUNDING = 0.005


def is_usable(row) -> bool:
    """Whether a target's value may enter a calculation: printed whole, or the row's reading says the same value.

    A reading with another number (61 printed, 610000 read) is told, but neither of the two is calculated with.
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
    rows = table[
        (table["follow_up"] == "measured") & (table["kind"] == "target") & (table["restates"] == "")
    ]
    return rows[[is_usable(row) for _, row in rows.iterrows()]] if len(rows) else rows


def example_city(project: Project) -> str:
    """The city that the report's notebook shows unless one is named: the first that promised something measured."""
    promised = [city.city_id for city in project.cities.values() if len(promises_of(city))]
    return [*promised, *project.cities][0]


@quantity(name="chance_of_promise", unit="share", of=())
def compare_targets(project: Project, result: CityResult) -> pd.DataFrame:
    """For each measured promise: the need in its year, the gap, and the chance that it is enough.

    Defined as::  gap = promised - need;  chance = share of draws in which need <= promised

    The gap is told in plain units too (beds, people): a ratio times what it is a ratio of. A city whose people are
    the registered ones has the ratio of these to residents of 60 and over in the promise's year beside each promise.

    Returns : table with one row a promise; `low, central, high` is the need, `use` what today's
              habits would take up (both in the promise's unit); empty where the city has none
    """
    indicators = project.indicators.set_index("indicator")
    years = sorted({int(year) for year in measured_targets(result)["target_year"]})
    from_base = [max(year, BASE_YEAR) for year in years] or [BASE_YEAR]
    ratios = registered_over_resident(project, result.city, result.assumptions.draws, from_base)
    of_older = ratios[ratios["age"] == "60+"].set_index("year")["ratio"]
    rows = [
        _compare_one(result, row, indicators.loc[row["measured_by"]])
        for _, row in measured_targets(result).iterrows()
    ]
    table = pd.DataFrame(rows, columns=TARGET_COLUMNS)
    told = [of_older.get(max(year, BASE_YEAR), np.nan) for year in table["target_year"]]
    return table.assign(
        population_basis=result.city.population_basis,
        registered_over_resident=np.array(told, float),
    )


def compare_policy(project: Project, result: CityResult) -> pd.DataFrame:
    """The area beside the targets of the nation and of its province that a quantity measures.

    Such a target is set for all areas together; how this one stands to it is told as if it were its own.

    Returns : table as of `compare_targets`, with adcode (who set it), status and source_id, by year
    """
    table, adcode = project.china.policy_targets, result.city.adcode
    known = result.values["year"].values
    here = table["adcode"].isin({NATION, province_of(adcode)}) & (table["measured_by"] != "")
    table = table[here & table["target_year"].between(known[0], known[-1])]
    table = table.sort_values("target_year", kind="stable")
    indicators = project.indicators.set_index("indicator")
    rows = [
        {
            **_compare_one(result, row, indicators.loc[row["measured_by"]]),
            **{name: row[name] for name in ("adcode", "status", "source_id")},
        }
        for _, row in table.iterrows()
    ]
    return pd.DataFrame(rows, columns=[*TARGET_COLUMNS, "adcode", "status", "source_id"])


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
        "city_id": result.city.city_id,
        "target_id": target["target_id"],
        "label_en": target["label_en"],
        "label_zh": target["label_zh"],
        "measured_by": target["measured_by"],
        "target_year": year,
        "unit": target["unit"],
        "promised": target["value"],
        "low": low,
        "central": central,
        "high": high,
        "use": float(np.median(use)),
        "gap": float(np.median(gap)),
        "chance": float((gap >= 0).mean()),
        "plain_gap": plain[1],
        "plain_low": plain[0],
        "plain_high": plain[2],
        "plain_unit": plain_unit,
    }


def _in_year(result: CityResult, indicator: str, year: int, measure: str) -> np.ndarray:
    array = result.quantity(indicator).sel(year=year)
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

    Returns : table with a row for each stock row of targets.csv that a head count of the chain measures; kind is
              `equal` where the two differ by no more than the document's rounding, else `other`
    """
    table = result.city.targets
    rows = table[
        (table["follow_up"] == "measured") & (table["kind"] == "stock") & (table["restates"] == "")
    ]
    out = []
    for _, row in rows.iterrows():
        if not is_usable(row):
            continue
        census = _census_count(result, row["measured_by"])
        out.append(
            {
                "target_id": row["target_id"],
                "indicator": row["measured_by"],
                "document": row["value"],
                "quote_zh": row["quote_zh"],
                "census_year": BASE_YEAR,
                "census_value": census,
                "unit": "person",
                "signed_difference": row["value"] / census - 1,
            }
        )
    columns = ["target_id", "indicator", "document", "quote_zh", "census_year", "census_value"]
    table = pd.DataFrame(out, columns=[*columns, "unit", "signed_difference"])
    table.insert(0, "city_id", result.city.city_id)
    near = table["signed_difference"].astype(float).abs() < ROUNDING
    return table.assign(kind=np.where(near, "equal", "other"))


def _census_count(result: CityResult, indicator: str) -> float:
    base = result.census_base
    first, last = AGE_GROUPS[indicator.removeprefix("population_")]
    return float(base[:, first : last + 1].sum())


def compare_money(project: Project, draws: int = MONEY_DRAWS) -> pd.DataFrame:
    """Public money of the nation at today's use beside the sums published, in the prices of their year.

    Defined as::  old_age_welfare    = old-age allowances + service subsidies
                  eldercare_services = what city, province, centre and lottery pay - old_age_welfare
                  insurance          = what long-term-care insurance pays
                  ratio              = central value of it / central value published

    Returns : table series, definition, year, published_low, published_central, published_high, low, central, high
              [yuan per year], unit, ratio, note
    Source  : data/china/published_money.csv
    """
    table, nation = project.china.published_money, nation_as_city()
    inputs = inputs_of(project, nation, draws=draws)
    calculation = Calculation(inputs)
    sums = _public_money(calculation)
    level = calculation["price_level_by_year"]
    rows = []
    for row in table.to_dict("records"):
        ours = (sums[row["series"]] * level).values[row["year"] - int(inputs.years[0])]
        low, central, high = np.quantile(ours, list(QUANTILES.values()))
        rows.append(
            {
                "series": row["series"],
                "definition": row["definition"],
                "year": row["year"],
                "published_low": row["low"],
                "published_central": row["central"],
                "published_high": row["high"],
                "low": low,
                "central": central,
                "high": high,
                "unit": "yuan",
                "ratio": central / row["central"],
                "note": row["note"],
            }
        )
    return pd.DataFrame(rows)


def _public_money(calculation: Calculation) -> dict[str, Array]:
    """Sums of public money at today's use by the series of published_money.csv; dims year, draw."""
    paid, cost = (part(calculation[name], measure="use") for name in ("payment", "cost"))
    welfare = sum_over(part(cost, cost_item=list(WELFARE_ITEMS)), "cost_item")
    return {
        "old_age_welfare": welfare,
        "eldercare_services": sum_over(part(paid, payer=list(PUBLIC_PAYERS)), "payer") - welfare,
        "insurance": part(paid, payer="insurance"),
    }


@quantity(unit="share", of=())
def influence(
    result: CityResult, indicator: str, year: int, measure: str = "need", most: int = 8
) -> pd.DataFrame:
    """Which assumptions move a result most: the share of its spread that goes with each, all its rows together.

    Defined as::  share = variance of what an assumption adds / variance of the result    (see `spread_parts`)

    The error of projection, which is no row, is one of them. The effect is in the result's unit: its median
    in the fifth of draws where the assumption is highest less its median in the fifth where it is lowest;
    of an assumption with several rows, along the mixture of them that moves the result.

    Returns : table assumption, share_of_spread, effect; the strongest first
    """
    outcome = _in_year(result, indicator, year, measure)
    rows = []
    for name, spread in spread_parts(result.assumptions, outcome).items():
        low, high = np.quantile(spread.along, [0.2, 0.8])
        upper, lower = outcome[spread.along >= high], outcome[spread.along <= low]
        effect = np.median(upper) - np.median(lower)
        rows.append({"assumption": name, "share_of_spread": spread.added.var(), "effect": effect})
    table = pd.DataFrame(rows, columns=["assumption", "share_of_spread", "effect"])
    return (
        table.sort_values("share_of_spread", ascending=False, kind="stable")
        .head(most)
        .reset_index(drop=True)
    )


@dataclass(frozen=True)
class SpreadPart:
    """What an assumption adds to the normal score of a result in each draw, and the draws' place along it, low to high."""

    added: np.ndarray
    along: np.ndarray


def spread_parts(assumptions: Assumptions, outcome: np.ndarray) -> dict[str, SpreadPart]:
    """The spread of a result divided among the assumptions behind it, from the draws that made the result.

    Defined as::  z(result) = sum over rows of b z(row) + rest,  z = normal score of the rank, standard deviation 1

    by least squares over all rows at once, so that no row is credited with what others happened to do in
    these draws. The variance of an assumption's part is its first-order index on that scale; what assumptions
    do only together is in the rest.

    outcome : array  dims draw
    Returns : by assumption, with an entry for each stream that is no row (as `projection_error`); no entry
              for what is the same in all draws
    Raises  : ValueError if there are not twice as many draws as uncertain rows
    Source  : Saltelli, A. and Marivoet, J. (1990), standardized rank regression coefficients
    """
    names, scores, solver = _row_scores(assumptions, tuple(sorted(assumptions.streams_used)))
    if len(outcome) < 2 * len(names):
        raise ValueError(
            f"what moves a result cannot be told from {len(outcome)} draws of {len(names)} uncertain rows; "
            f"take at least {2 * len(names)} draws"
        )
    slopes = solver @ normal_scores(outcome)
    out = {}
    for name in dict.fromkeys(names):
        mine = [place for place, other in enumerate(names) if other == name]
        added = scores[:, mine] @ slopes[mine]
        together = scores[:, mine].sum(axis=1)
        along = together if len(mine) == 1 else added * np.sign(added @ together)
        out[name] = SpreadPart(added, along)
    return out


def normal_scores(values: np.ndarray, among: np.ndarray | None = None) -> np.ndarray:
    """Standard normal deviates at the ranks of values, in standard deviations; 0 where all are the same.

    among : the values among which they are ranked, if others; between two of them the rank runs straight
    """
    known = np.sort(values if among is None else among)
    shares = (rankdata(known) - 0.5) / len(known)
    scores = ndtri(shares)
    width = scores.std()
    if width == 0 or np.ptp(known) == 0:
        return np.zeros(np.shape(values))
    return np.interp(values, known, scores / width)


# All headlines of a city rest on the same rows, so the least squares of a city are prepared once.
@lru_cache(maxsize=8)
def _row_scores(
    assumptions: Assumptions, streams: tuple[str, ...]
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Name of the assumption and normal scores of each uncertain row or stream; their pseudo-inverse.

    Returns : names; array  dims draw, row; array  dims row, draw
    """
    drawn = [
        (name, values)
        for name in sorted(assumptions.rows["assumption"].unique())
        for values in _columns(assumptions[name])
    ]
    drawn += [(stream.partition("|")[0], assumptions.uniform(stream)) for stream in streams]
    names: list[str] = []
    columns: dict[tuple[str, bytes], np.ndarray] = {}
    for name, values in drawn:
        if not np.isfinite(values).all() or np.ptp(values) == 0:
            continue
        scores = normal_scores(values)
        if (
            columns.setdefault((name, scores.tobytes()), scores) is scores
        ):  # rows of two years share their draws
            names.append(name)
    scores = np.stack(list(columns.values()), axis=1)
    cutoff = np.finfo(float).eps * max(scores.shape)
    return names, scores, np.linalg.pinv(scores, rcond=cutoff)


def _columns(drawn: xr.DataArray) -> np.ndarray:
    return drawn.transpose("draw", ...).values.reshape(drawn.sizes["draw"], -1).T


def promised_places(result: CityResult) -> pd.DataFrame:
    """Places for children under 3 that a promised ratio comes to in each year, and those of the year of the promise.

    Returns : table series (`promised ratio`, `promised`), year, low, central, high [place]; empty without one
    """
    targets = measured_targets(result)
    targets = targets[targets["measured_by"] == "childcare_places_per_1000_used"].head(1)
    parts = [pd.DataFrame(columns=["series", "year", "low", "central", "high"])]
    for row in targets.itertuples():
        people = result.values["population_total"]
        places = childcare_places_promised(people.variable, float(row.value))
        table = summarise(people.copy(data=places.values))
        parts.append(table.assign(series="promised ratio"))
        parts.append(table[table["year"] == row.target_year].assign(series="promised"))
    return pd.concat(parts[1:] or parts, ignore_index=True)
