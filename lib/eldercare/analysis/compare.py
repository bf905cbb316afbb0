"""Promises beside needs: the gap, the chance that what was promised is enough, and what the verdict rests on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

from eldercare.analysis.definitions import calculations_by_definition
from eldercare.engine.arrays import Array, part, sum_over
from eldercare.engine.quantity import Calculation, quantity, upstream
from eldercare.inputs.draws import Assumptions
from eldercare.inputs.ledger import printed_numbers
from eldercare.inputs.load import BASELINE, NATION, City, Project, nation_as_city
from eldercare.inputs.schema import ASSUMPTION_KEYS
from eldercare.model.base import province_of
from eldercare.model.chain import (
    BASE_YEAR,
    QUANTILES,
    CityInputs,
    CityResult,
    inputs_of,
    last_needed,
    summarise,
)
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
# A promise is called enough from an even chance on; one chance is told where the variants lie no farther apart.
EVEN, AGREED = 0.5, 0.2
USE = "use"
NO_TURN = {"assumption": "", "keys": "", "inside": False, "turn_unit": ""} | dict.fromkeys(
    ("turn", *(f"turn_{end}" for end in QUANTILES)), np.nan
)


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
    return _below(compare_targets(project, result) for result in results.values())


def _below(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Tables of promises one below the other; of none that has a promise, the columns alone."""
    tables = list(parts) or [pd.DataFrame(columns=TARGET_COLUMNS)]
    kept = [table for table in tables if len(table)] or tables[:1]
    return pd.concat(kept, ignore_index=True)


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
    """Public money of the nation with today's habits beside the sums published, in the prices of their year.

    Defined as::  old_age_welfare    = old-age allowances + service subsidies
                  eldercare_services = what city, province, centre and lottery pay - old_age_welfare
                  insurance          = what long-term-care insurance pays
                  ratio              = central value of it / central value published

    Returns : table series, item_en, item_zh, year, published_low, published_central, published_high, low, central, high
              [yuan per year], unit, ratio, note_en, note_zh
    Source  : data/china/published_money.csv
    """
    table, nation = project.china.published_money, nation_as_city()
    inputs = inputs_of(project, nation, draws=draws)
    calculation = Calculation(inputs)
    sums = public_money(calculation)
    level = calculation["price_level_by_year"]
    rows = []
    for row in table.to_dict("records"):
        ours = (sums[row["series"]] * level).values[row["year"] - int(inputs.years[0])]
        low, central, high = np.quantile(ours, list(QUANTILES.values()))
        rows.append(
            {
                "series": row["series"],
                "item_en": row["definition_en"],
                "item_zh": row["definition_zh"],
                "year": row["year"],
                "published_low": row["low"],
                "published_central": row["central"],
                "published_high": row["high"],
                "low": low,
                "central": central,
                "high": high,
                "unit": "yuan",
                "ratio": central / row["central"],
                "note_en": row["note_en"],
                "note_zh": row["note_zh"],
            }
        )
    return pd.DataFrame(rows)


def public_money(calculation: Calculation) -> dict[str, Array]:
    """Sums of public money with today's habits by the series of published_money.csv; dims year, draw."""
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


@quantity(name="chance_by_variant", unit="share", of=())
def chances_by_variant(project: Project, result: CityResult) -> pd.DataFrame:
    """The chance that each measured promise is enough under each definition of care need and each variant of it.

    Defined as::  chance = share of draws in which need, so counted, <= promised

    Definitions : those of `definitions.people_by_definition`, with the result's own settings
    Variants    : today's habits carried on; and, of a result of the baseline, every scenario that moves who needs
                  care outside the family
    Returns     : table city_id, target_id, kind (definition or variant), variant, chance, enough (from an even
                  chance on); the draws are those of the result
    """
    rows = measured_targets(result)
    asked = tuple(
        zip(rows["target_id"], rows["measured_by"], rows["target_year"].astype(int), rows["value"])
    )
    found = _chances(project, result.inputs, result.scenario, asked) if asked else []
    columns = ["target_id", "kind", "variant", "chance"]
    table = pd.DataFrame(found, columns=columns).assign(city_id=result.city.city_id)
    return table[["city_id", *columns]].assign(enough=table["chance"] >= EVEN)


# Reports in two languages, their workbook and the notebook ask for the same of the same result.
@lru_cache(maxsize=32)
def _chances(project: Project, inputs: CityInputs, scenario: str, asked: tuple) -> list[tuple]:
    last = last_needed(inputs.city, inputs.assumptions, max(BASE_YEAR, *(row[2] for row in asked)))
    own = CityInputs(project.china, inputs.city, inputs.area, inputs.assumptions, last)
    own = own.counted_by(inputs.definition)
    base = Calculation(own)
    ways = [
        ("definition", name, one, "need") for name, one in calculations_by_definition(base).items()
    ]
    ways.append(("variant", USE, base, USE))
    for name in scenarios_of_need(project, own) if scenario == BASELINE else ():
        moved = set(project.scenarios[name]["assumption"])
        other = inputs_of(project, inputs.city, name, inputs.assumptions.draws, last)
        ways.append(("variant", name, Calculation(other, base.kept_if(moved)), "need"))
    first = int(own.years[0])
    rows = []
    for kind, variant, calculation, measure in ways:
        for target_id, measured_by, year, value in asked:
            array = calculation[measured_by]
            array = part(array, measure=measure) if "measure" in array.dims else array
            chance = float((array.values[year - first] <= value).mean())
            rows.append((target_id, kind, variant, chance))
    return rows


def scenarios_of_need(project: Project, inputs: CityInputs) -> list[str]:
    """Scenarios that move who needs care outside the family: variants of need, not of how it is met."""
    last = int(inputs.years[-1])
    rests_on = upstream(
        "people_by_severity_and_setting", lambda told: inputs.holds(told, last, measure="need")
    )
    return [
        name
        for name, rows in sorted(project.scenarios.items())
        if rests_on & set(rows["assumption"])
    ]


def judge(chances: pd.DataFrame) -> pd.DataFrame:
    """What the chances of each promise say together.

    chances : as `chances_by_variant` gives them
    Returns : table city_id, target_id, ways, ways_enough (how many of them), enough_under, short_under (lists of
              variants), chance_lowest, chance_highest, agreed (no farther apart than `AGREED`), found: `always`,
              `never`, or `depends`
    """
    rows = []
    for (city_id, target_id), one in chances.groupby(["city_id", "target_id"], sort=False):
        enough = one["chance"] >= EVEN
        span = one["chance"].min(), one["chance"].max()
        found = "always" if enough.all() else "depends" if enough.any() else "never"
        rows.append(
            {
                "city_id": city_id,
                "target_id": target_id,
                "ways": len(one),
                "ways_enough": int(enough.sum()),
                "enough_under": one.loc[enough, "variant"].tolist(),
                "short_under": one.loc[~enough, "variant"].tolist(),
                "chance_lowest": span[0],
                "chance_highest": span[1],
                "agreed": bool(span[1] - span[0] <= AGREED),
                "found": found,
            }
        )
    columns = ["city_id", "target_id", "ways", "ways_enough", "enough_under", "short_under"]
    return pd.DataFrame(
        rows, columns=[*columns, "chance_lowest", "chance_highest", "agreed", "found"]
    )


def verdicts(project: Project, result: CityResult) -> pd.DataFrame:
    """`compare_targets` with what each verdict rests on: `judge` of its chances, and what would turn it.

    Returns : the columns of `compare_targets`, of `judge` and of `turning_point`
    """
    targets = compare_targets(project, result)
    judged = judge(chances_by_variant(project, result)).drop(columns="city_id")
    turns = [
        turning_point(
            result.assumptions,
            _in_year(result, row["measured_by"], row["target_year"], "need"),
            row["promised"],
            upstream(row["measured_by"]),
        )
        for row in targets.to_dict("records")
    ]
    turned = pd.DataFrame(turns, columns=list(NO_TURN), index=targets.index)
    return targets.merge(judged, on="target_id", how="left", sort=False).join(turned)


def verdicts_of_cities(project: Project, results: dict[str, CityResult]) -> pd.DataFrame:
    """`verdicts` for all cities, one below the other."""
    return _below(verdicts(project, result) for result in results.values())


def turning_point(
    assumptions: Assumptions, need: np.ndarray, promised: float, names: Iterable[str]
) -> dict:
    """The one assumption that turns a verdict first: where the middle of need would meet the promise.

    Defined as::  t = z(promised among need) / standard deviation of what the assumption adds (see `spread_parts`);
                  turn = the row's draws at the normal deviate t x correlation(row, what the assumption adds)

    It is the assumption that adds most. Its rows move together, along the mixture of them that moves need; other
    assumptions stay as drawn. The row told is the one that goes most with the mixture.

    need    : array  dims draw
    names   : what need rests on (`quantity.upstream`)
    Returns : assumption, keys, turn (the value of the row), turn_low, turn_central, turn_high (the row's own range),
              turn_unit, inside (whether t lies within the 80 % range); without an assumption where the draws are
              too few to tell, or nothing moves need
    """
    try:
        parts = spread_parts(assumptions, need)
    except ValueError:  # too few draws
        return dict(NO_TURN)
    known = sorted(set(parts) & set(assumptions.rows["assumption"]) & set(names))
    widths = {name: parts[name].added.std() for name in known}
    name = max(known, key=lambda one: widths[one], default="")
    if not name or not widths[name]:
        return dict(NO_TURN)
    wanted = float(normal_scores(np.array([promised]), among=need)[0]) / widths[name]
    drawn = _columns(assumptions[name])
    moving = [place for place, row in enumerate(drawn) if np.ptp(row)]
    scores = [normal_scores(drawn[place]) for place in moving]
    with_it = np.array([np.corrcoef(score, parts[name].added)[0, 1] for score in scores])
    most = int(np.argmax(np.abs(with_it)))
    row = _row_of(assumptions, name, moving[most])
    values = drawn[moving[most]]
    ends = np.quantile(values, list(QUANTILES.values()))
    return {
        "assumption": name,
        "keys": " ".join(str(row[key]) for key in ASSUMPTION_KEYS if row[key]),
        "inside": bool(abs(wanted) <= ndtri(QUANTILES["high"])),
        "turn_unit": row["unit"],
        "turn": float(np.quantile(values, ndtr(wanted * with_it[most]))),
        **dict(zip(("turn_low", "turn_central", "turn_high"), ends)),
    }


def _row_of(assumptions: Assumptions, name: str, place: int) -> pd.Series:
    """The row in force whose draws stand at a place of `_columns`."""
    array = assumptions[name].transpose("draw", ...)
    dims = [dim for dim in array.dims if dim != "draw"]
    rows = assumptions.rows[assumptions.rows["assumption"] == name]
    labels = np.unravel_index(place, [array.sizes[dim] for dim in dims]) if dims else ()
    for dim, at in zip(dims, labels):
        label = array[dim].values[at]
        column = rows[dim].astype(float) if dim == "year_from" else rows[dim]
        chosen = rows[column == label]
        rows = chosen if len(chosen) else rows
    return rows.iloc[0]
