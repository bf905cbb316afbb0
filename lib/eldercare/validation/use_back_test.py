"""How wrong it was to carry use on: people in care of one year predicted from the rates of an
earlier one.

All functions take tidy frames `place, year, age, value`, see `care_rates`: any places, years and
age bands.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from eldercare.validation.care_rates import (
    AGES,
    ENOUGH_BANDS,
    Series,
    all_series,
    borrowed_curves,
    longevity_gain,
    rate_curve,
)

HORIZONS = (5, 10, 15)
# Pairs so many years longer or shorter than a horizon count for it: horizons do not overlap.
WINDOW = 2
INNER = 0.8
# Pairs up to so many times as long or as short tell the range of a horizon.
SIMILAR = 1.5
FEWEST_PLACES = 3
DRIFT = "learned_drift"
FROZEN = "frozen_by_age"
COLUMNS = [
    "series",
    "place",
    "first_year",
    "year",
    "horizon",
    "bands",
    "actual",
    "way",
    "predicted",
]


def back_test(
    users: pd.DataFrame,
    population: pd.DataFrame,
    lenders: list[str] | None = None,
    profile: np.ndarray | None = None,
) -> pd.DataFrame:
    """People in care predicted for every pair of years of every series, in five plain ways.

    Defined as::  frozen_by_age        = sum over bands of U1 c·P2 / c·P1
                  frozen_65, frozen_80 = U1 P2(65+) / P1(65+),  U1 P2(80+) / P1(80+)
                  healthy_ageing       = frozen_by_age x c(a - g h)·P2 / c(a)·P2
                  no_change            = U1

    with U1 the people in care of the first year, P1, P2 the populations, c the age profile (the
    place's own, or borrowed, see `borrowed_curves`), g the yearly gain of life expectancy at 65 and
    h the years between.

    users, population : tidy frames place, year, age, value [person]
    lenders : places to borrow an age profile from (default: all others that have one)
    profile : age profile to borrow instead; array [share] dims age, see `mean_curve`
    Returns : tidy frame series, place, first_year, year, horizon, bands, actual, way, predicted
    """
    every = all_series(users, population)
    borrowed = borrowed_curves(every, lenders)
    rows: list[dict] = []
    for series in every:
        gain = longevity_gain(series.people)
        years = sorted(series.counts)
        for first in years:
            for year in (later for later in years if later > first and series.edges(first, later)):
                shape = borrowed[series.place] if profile is None else profile
                rows += _pair(series, first, year, shape, gain)
    return pd.DataFrame(rows, columns=COLUMNS)


def _pair(series: Series, first: int, year: int, borrowed: np.ndarray, gain: float) -> list[dict]:
    edges = series.edges(first, year)
    earlier, later = np.nan_to_num(series.people[first]), np.nan_to_num(series.people[year])
    counted, inside = series.bands(first, edges)
    own = rate_curve(series, first)
    curve = borrowed if own is None else own
    total, horizon = counted.sum(), year - first
    frozen = float((counted * ((inside * later) @ curve) / ((inside * earlier) @ curve)).sum())
    old = edges[0] <= AGES
    younger = np.exp(np.interp(AGES - gain * horizon, AGES, np.log(curve)))
    ways = {
        FROZEN: frozen,
        "frozen_65": total * later[65:].sum() / earlier[65:].sum(),
        "frozen_80": total * later[80:].sum() / earlier[80:].sum(),
        "healthy_ageing": frozen * (younger * later)[old].sum() / (curve * later)[old].sum(),
        "no_change": total,
    }
    about = {
        "series": series.name,
        "place": series.place,
        "first_year": first,
        "year": year,
        "horizon": horizon,
        "bands": len(edges),
        "actual": series.bands(year, edges)[0].sum(),
    }
    return [{**about, "way": way, "predicted": float(found)} for way, found in ways.items()]


def frozen_pairs(tested: pd.DataFrame) -> pd.DataFrame:
    """The pairs of years under frozen rates by age, with `yearly`: ln(actual / predicted) / horizon
    [per year].
    """
    pairs = tested[tested["way"] == FROZEN]
    log = np.log(pairs["actual"] / pairs["predicted"])
    return pairs.assign(log=log, yearly=log / pairs["horizon"])


def place_drifts(pairs: pd.DataFrame) -> pd.Series:
    """How fast use at given ages fell or rose in each place, by all its pairs of years.

    Defined as::  drift = mean over series of (sum of ln(actual / frozen) / sum of horizons),
                          weighted by the years a series spans

    pairs   : see `frozen_pairs`
    Returns : drift by place [per year]
    """
    series = pairs.groupby(["place", "series"]).agg(
        log=("log", "sum"), years=("horizon", "sum"), span=("horizon", "max")
    )
    series["weighted"] = series["log"] / series["years"] * series["span"]
    sums = series.groupby("place")[["weighted", "span"]].sum()
    return (sums["weighted"] / sums["span"]).rename("drift")


def expected_drift(pairs: pd.DataFrame, horizon: float) -> tuple[float, float, float]:
    """Drift to expect, over some years, of a place that is none of these: low, central, high [per
    year].

    Defined as::  central = mean of drift over places
                  reach   = quantile of |yearly - central| over pairs of similar length,
                            each place alike, at 80 % (1 + 1 / places)

    The level above 80 % is that of conformal prediction: with it a place drawn like the others lies
    inside in eight of ten cases, however few the others are. Similar is up to half as long again,
    or all pairs where fewer than three places have such.

    pairs  : see `frozen_pairs`
    Raises : ValueError with fewer than three places
    """
    number = pairs["place"].nunique()
    if number < FEWEST_PLACES:
        raise ValueError(
            f"a drift is learned from {FEWEST_PLACES} places or more; there are {number}"
        )
    central = float(place_drifts(pairs).mean())
    reach = _reach(pairs, central, horizon)
    return central - reach, central, central + reach


def _reach(pairs: pd.DataFrame, central: float, horizon: float) -> float:
    similar = pairs[pairs["horizon"].between(horizon / SIMILAR, horizon * SIMILAR)]
    if similar["place"].nunique() < FEWEST_PLACES:
        similar = pairs
    weight = 1 / similar.groupby("place")["yearly"].transform("size").to_numpy()
    away = (similar["yearly"] - central).abs().to_numpy()
    order = np.argsort(away, kind="stable")
    below = np.cumsum(weight[order]) / weight.sum()
    level = min(INNER * (1 + 1 / similar["place"].nunique()), 1.0)
    return float(away[order][min(int((below < level - 1e-9).sum()), len(away) - 1)])


def with_learned_drift(tested: pd.DataFrame, teachers: pd.DataFrame | None = None) -> pd.DataFrame:
    """The frame of `back_test` with the way that learns: frozen rates times the drift of all other
    places.

    Defined as::  predicted = frozen rates by age x exp(drift h)
                  low, high = the same with the ends of the range of the drift

    The drift of a place is never learned from the place itself, whichever of its series; with fewer
    than three other places there is none to learn.

    tested   : see `back_test`
    teachers : such a frame of the places to learn from; by default those tested
    Returns  : the frame with rows of the way `learned_drift`, and columns low, high (NaN
               elsewhere)
    """
    pairs, parts = frozen_pairs(tested), []
    taught = pairs if teachers is None else frozen_pairs(teachers)
    for place in pairs["place"].unique():
        own, others = pairs[pairs["place"] == place], taught[taught["place"] != place]
        if others["place"].nunique() < FEWEST_PLACES:
            continue
        drift = float(place_drifts(others).mean())
        for horizon, rows in own.groupby("horizon"):
            middle = rows["predicted"] * np.exp(drift * horizon)
            wide = np.exp(_reach(others, drift, horizon) * horizon)
            parts.append(
                rows.assign(way=DRIFT, predicted=middle, low=middle / wide, high=middle * wide)
            )
    return pd.concat([tested, *parts], ignore_index=True).drop(
        columns=["log", "yearly"], errors="ignore"
    )


def near_horizon(tested: pd.DataFrame, horizons: tuple[int, ...] = HORIZONS) -> pd.DataFrame:
    """The pairs near a horizon, with its years in `near` and the error, predicted over actual less
    1, in `error`.
    """
    parts = [
        tested[(tested["horizon"] - years).abs() <= WINDOW].assign(near=years) for years in horizons
    ]
    near = pd.concat(parts)
    return near.assign(error=near["predicted"] / near["actual"] - 1)


def error_table(
    tested: pd.DataFrame, horizons: tuple[int, ...] = HORIZONS, by: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Errors by way and horizon, each place counting alike: means over its pairs, then over
    places.

    tested  : see `back_test` and `with_learned_drift`
    by      : further columns to part by, as `place`
    Returns : tidy frame way, near, place_count, pairs, mean_error, mean_absolute_error, coverage
              (each place alike), coverage_of_pairs (each pair alike); coverage only where a way
              has a range
    """
    near = near_horizon(tested, horizons)
    if "low" not in near:
        near = near.assign(low=np.nan, high=np.nan)
    inside = (near["actual"] >= near["low"]) & (near["actual"] <= near["high"])
    near = near.assign(absolute=near["error"].abs(), inside=inside.where(near["low"].notna()))
    near = near.astype({"inside": float})
    keys = list(dict.fromkeys(["way", "near", *by]))
    whole = near.groupby(keys, sort=False)
    each = near.groupby(list(dict.fromkeys([*keys, "place"])), sort=False)
    means = each[["error", "absolute", "inside"]].mean().groupby(keys, sort=False).mean()
    return pd.DataFrame(
        {
            "place_count": whole["place"].nunique(),
            "pairs": whole.size(),
            "mean_error": means["error"],
            "mean_absolute_error": means["absolute"],
            "coverage": means["inside"],
            "coverage_of_pairs": whole["inside"].mean(),
        }
    ).reset_index()


def place_ratios(users: pd.DataFrame, population: pd.DataFrame, curve: np.ndarray) -> pd.DataFrame:
    """People in care of a place against what the age profile gives, the mean of all places being 1.

    Defined as::  ratio = (U / c·P) / (sum of U / sum of c·P over the places of the year)

    users, population : tidy frames place, year, age, value [person]
    curve             : age profile of the whole, see `mean_curve`
    Returns : tidy frame place, year, ratio
    """
    rows = []
    for series in all_series(users, population):
        for year in series.counts:
            edges = series.edges(year)
            counted, inside = series.bands(year, edges)
            expected = (inside.any(axis=0) * np.nan_to_num(series.people[year])) @ curve
            rows.append((series.place, year, counted.sum(), expected))
    table = pd.DataFrame(rows, columns=["place", "year", "users", "expected"])
    whole = table.groupby("year")[["users", "expected"]].transform("sum")
    ratio = (table["users"] / table["expected"]) / (whole["users"] / whole["expected"])
    return table[["place", "year"]].assign(ratio=ratio)


def persistence(ratios: pd.DataFrame, years: int = 10) -> pd.DataFrame:
    """How much of a place's deviation from the mean is left after some years.

    Defined as::  slope of ln ratio(t + years) on ln ratio(t) over places

    ratios  : see `place_ratios`
    Returns : table first_year, place_count, share_slope, correlation, half_width: of the first
              year, half the distance of the 10th and 90th percentile of ln ratio
    """
    logs = np.log(ratios.pivot(index="place", columns="year", values="ratio"))
    rows = []
    for first in logs.columns.intersection(logs.columns - years):
        both = logs[[first, first + years]].dropna().to_numpy()
        if len(both) < ENOUGH_BANDS:
            continue
        low, high = np.quantile(both[:, 0], [(1 - INNER) / 2, (1 + INNER) / 2])
        rows.append(
            {
                "first_year": int(first),
                "place_count": len(both),
                "share_slope": np.polyfit(both[:, 0], both[:, 1], 1)[0],
                "correlation": np.corrcoef(both.T)[0, 1],
                "half_width": (high - low) / 2,
            }
        )
    return pd.DataFrame(rows)
