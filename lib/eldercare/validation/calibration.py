"""How wide a range must be: errors of the back-test by size of area, fitted on one half and tried on the other."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import spearmanr
from scipy.stats import t as student_t

from eldercare.engine.quantity import quantity
from eldercare.validation.accuracy import (
    SIZE_EDGES,
    SIZE_LABELS,
    THRESHOLDS,
    Setting,
    blind,
    half_of,
    national_errors,
    people_from,
    younger,
)

INNER, OUTER = 0.8, 0.95
HEAVIEST, LIGHTEST = 2.0, 200.0
CALIBRATED = (60, 65, 80)
# How many of the areas a range may hold when it is tried on the other half, for it to be called right.
ASKED = {"in_80": (0.75, 0.85), "in_95": (0.92, 0.97)}
PROVINCES_FROM, NATION_FROM = 20_000_000, 1_000_000_000


def log_errors(setting: Setting, predicted: np.ndarray) -> np.ndarray:
    """ln(observed / projected): array dims area, threshold."""
    return np.log(setting.observed / predicted)


@quantity(name="error_spread", unit="ratio", of=("back_test",))
def fit_spread(errors: np.ndarray, sizes: pd.Series) -> tuple[pd.DataFrame, float]:
    """Spread of the log error by size class and threshold, and the weight of its tails.

    Defined as::  the 80 % range of scale x Student's t with `freedom` degrees holds 80 % of the errors
                  of the class; freedom is such that its 95 % range holds 95 % of all errors

    Returns : (table of scales, size classes by thresholds; degrees of freedom)
    """
    inner = {
        size: np.quantile(np.abs(errors[(sizes == size).to_numpy()]), INNER, axis=0)
        for size in SIZE_LABELS
        if (sizes == size).any()
    }
    table = pd.DataFrame.from_dict(inner, orient="index", columns=list(THRESHOLDS))
    scaled = np.abs(errors) / table.loc[sizes.astype(str)].to_numpy()
    wanted = float(np.quantile(scaled[:, [THRESHOLDS.index(age) for age in CALIBRATED]], OUTER))

    def ratio(freedom: float) -> float:
        return student_t.ppf((1 + OUTER) / 2, freedom) / student_t.ppf((1 + INNER) / 2, freedom)

    wanted = min(max(wanted, ratio(LIGHTEST)), ratio(HEAVIEST))
    freedom = brentq(lambda nu: ratio(nu) - wanted, HEAVIEST * 0.99, LIGHTEST * 1.01)
    return table / student_t.ppf((1 + INNER) / 2, freedom), float(freedom)


def coverage(
    errors: np.ndarray, sizes: pd.Series, scales: pd.DataFrame, freedom: float
) -> pd.DataFrame:
    """Share of areas whose outcome lies within the 80 % and the 95 % range, by size class and threshold."""
    rows = []
    for size in [*SIZE_LABELS, "all"]:
        here = np.ones(len(sizes), bool) if size == "all" else (sizes == size).to_numpy()
        if not here.any():
            continue
        scale = scales.loc[sizes[here].astype(str)].to_numpy()
        for column, age in enumerate(THRESHOLDS):
            if age not in CALIBRATED:
                continue
            distance = np.abs(errors[here, column]) / scale[:, column]
            rows.append(
                {
                    "size": size,
                    "from_age": age,
                    "areas": int(here.sum()),
                    "in_80": (distance <= student_t.ppf((1 + INNER) / 2, freedom)).mean(),
                    "in_95": (distance <= student_t.ppf((1 + OUTER) / 2, freedom)).mean(),
                }
            )
    return pd.DataFrame(rows)


def cross_coverage(setting: Setting, predicted: np.ndarray) -> pd.DataFrame:
    """Coverage on each half of the provinces with the spread fitted on the other, and on itself."""
    errors, sizes = log_errors(setting, predicted), setting.areas["size"]
    first = half_of(setting)
    parts = []
    for name, fitted, tried in (
        ("fitted", None, None),
        ("first half", ~first, first),
        ("second half", first, ~first),
    ):
        fit_rows = np.ones(len(sizes), bool) if fitted is None else fitted
        try_rows = np.ones(len(sizes), bool) if tried is None else tried
        scales, freedom = fit_spread(errors[fit_rows], sizes[fit_rows])
        here = sizes[try_rows]
        parts.append(coverage(errors[try_rows], here, scales, freedom).assign(tried_on=name))
    return pd.concat([*parts, _pooled(parts[1], parts[2])], ignore_index=True)


def _pooled(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Both halves together, each with the spread fitted on the other."""
    both = pd.concat([first, second])
    weighted = both.assign(in_80=both["in_80"] * both["areas"], in_95=both["in_95"] * both["areas"])
    sums = (
        weighted.groupby(["size", "from_age"], sort=False)[["areas", "in_80", "in_95"]]
        .sum()
        .reset_index()
    )
    return sums.assign(
        in_80=sums["in_80"] / sums["areas"],
        in_95=sums["in_95"] / sums["areas"],
        tried_on="other half",
    )


def error_table(setting: Setting, people: np.ndarray) -> pd.DataFrame:
    """The fitted spread as `data/china/projection_error.csv` holds it.

    Counties and prefectures by size, from all areas together; provinces, from all of them, stand for whatever has
    `PROVINCES_FROM` people and more. Of the nation there is one error, which is taken for its spread. No part is
    surer than the whole: a spread below the nation's is raised to it. Below 60 (`from_age` 0) it is that of people
    of 10 to 59, of whom the nation's error is not known apart; their errors correlate with those of 60 and over.

    people  : as `accuracy.blind` gives them
    Returns : table size_from, from_age, scale [share, of ten years], freedom, correlation
    """
    every, sizes = setting.every, setting.areas["size"]
    below = blind(setting, count=younger)
    errors = np.log(people_from(every.counted) / people)
    young = np.log(younger(every.counted) / below)
    scales, freedom = fit_spread(errors[setting.rows], sizes)
    reach = student_t.ppf((1 + INNER) / 2, freedom)
    scales.insert(0, 0, [_within(young[setting.rows][sizes == size]) for size in scales.index])
    scales[0] /= reach
    scales.index = [int(dict(zip(SIZE_LABELS, SIZE_EDGES))[size]) for size in scales.index]
    provinces = every.codes % 10000 == 0
    both = np.column_stack([young, errors])[provinces]
    scales.loc[PROVINCES_FROM] = [_within(column) / reach for column in both.T]
    scales.loc[NATION_FROM] = [0.0, *np.abs(np.log1p(national_errors(setting)))]
    scales = scales.clip(lower=scales.loc[NATION_FROM], axis=1)
    scales.loc[NATION_FROM, 0] = scales.loc[NATION_FROM, THRESHOLDS[0]]
    rank = spearmanr(young[setting.rows, 0], errors[setting.rows, 0]).statistic
    rows = [
        {
            "size_from": size,
            "from_age": age,
            "scale": round(value, 4),
            "freedom": round(freedom, 2),
            "correlation": round(2 * np.sin(np.pi * rank / 6), 2),
        }
        for size, line in scales.iterrows()
        for age, value in line.items()
    ]
    return pd.DataFrame(rows)


def coverage_ranges(cover: pd.DataFrame) -> pd.DataFrame:
    """What `cross_coverage` found on both halves together, and between which two shares the halves lie.

    Returns : table from_age, size, series (in_80, in_95), low, central, high [share]
    """
    keys = ["from_age", "size", "series"]
    long = cover.melt(["tried_on", "size", "from_age"], list(ASKED), var_name="series")
    wide = long.pivot(index=keys, columns="tried_on", values="value")
    halves = wide[["first half", "second half"]]
    ends = {"low": halves.min(axis=1), "central": wide["other half"], "high": halves.max(axis=1)}
    places = {size: place for place, size in enumerate(dict.fromkeys(cover["size"]))}
    table = pd.DataFrame(ends).reset_index().assign(unit="share")
    return table.sort_values(
        keys, key=lambda column: column.map(lambda word: places.get(word, word))
    )


def errors_by_size(setting: Setting, predicted: np.ndarray, age: int) -> pd.DataFrame:
    """What was counted over what was projected, less 1, of each area, and the 80 % range from each size on.

    Returns : table series (level of the area; `80 % range, low` and `high`), adcode, people, value
    """
    column = THRESHOLDS.index(age)
    people = setting.areas["population"].to_numpy()
    beyond = setting.observed[:, column] / predicted[:, column] - 1
    areas, codes = setting.areas["level"], setting.areas["adcode"].astype(str)
    dots = pd.DataFrame({"series": areas, "adcode": codes, "people": people, "value": beyond})
    scales, freedom = fit_spread(log_errors(setting, predicted), setting.areas["size"])
    reach = scales.iloc[:, column].to_numpy() * student_t.ppf((1 + INNER) / 2, freedom)
    starts = dict(zip(SIZE_LABELS, SIZE_EDGES))
    start = np.maximum([starts[size] for size in scales.index], people.min())
    steps = [
        pd.DataFrame(
            {"series": f"80 % range, {end}", "adcode": "", "people": start, "value": value}
        )
        for end, value in (("low", np.exp(-reach) - 1), ("high", np.exp(reach) - 1))
    ]
    return pd.concat([dots, *steps], ignore_index=True).assign(unit="share")


def _within(errors: np.ndarray) -> float:
    return float(np.quantile(np.abs(errors), INNER))


def province_table(setting: Setting, predicted: np.ndarray) -> pd.DataFrame:
    """How the back-test did in each province, as `data/china/projection_error_province.csv` holds it.

    The range tried on a province is fitted on the areas of all others. Counties and prefectures together.

    Returns : table adcode, from_age, areas, bias, median, mean, high (90th percentile) of the absolute error
              [share], in_80 [share of the areas whose outcome the 80 % range held]
    """
    errors, sizes = log_errors(setting, predicted), setting.areas["size"]
    provinces = setting.areas["province"].to_numpy()
    rows = []
    for province in np.unique(provinces):
        here = provinces == province
        scales, freedom = fit_spread(errors[~here], sizes[~here])
        reach = student_t.ppf((1 + INNER) / 2, freedom) * scales.reindex(sizes[here]).to_numpy()
        off = (predicted / setting.observed - 1)[here]
        for column, age in enumerate(THRESHOLDS):
            if age in CALIBRATED:
                rows.append(
                    {
                        "adcode": province,
                        "from_age": age,
                        "areas": int(here.sum()),
                        "bias": np.median(off[:, column]),
                        **_sizes_of(np.abs(off[:, column])),
                        "in_80": (np.abs(errors[here, column]) <= reach[:, column]).mean(),
                    }
                )
    return pd.DataFrame(rows).round(4)


def level_table(setting: Setting, predicted: np.ndarray) -> pd.DataFrame:
    """Errors of the model that projects, by level.

    Returns : table level, from_age, areas, bias, median, mean, high (90th percentile) of the absolute error [share]
    """
    rows = []
    for level, part in setting.areas.groupby("level"):
        off = (predicted / setting.observed - 1)[part.index]
        for column, age in enumerate(THRESHOLDS):
            error = off[:, column]
            found = {"bias": np.median(error), **_sizes_of(np.abs(error))}
            rows.append({"level": level, "from_age": age, "areas": len(part), **found})
    return pd.DataFrame(rows)


def _sizes_of(error: np.ndarray) -> dict[str, float]:
    return {"median": np.median(error), "mean": error.mean(), "high": np.quantile(error, 0.9)}
