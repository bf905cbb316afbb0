"""What the back-test of use says of the counts at hand: by country, by choice of counts, for need,
France, China; and what others' projections give from their own printed inputs.

All give tidy frames with low, central, high and unit, as results do.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from eldercare.inputs.world import World
from eldercare.validation.care_rates import all_series, longevity_gain, mean_curve
from eldercare.validation.use_back_test import (
    DRIFT,
    FROZEN,
    HORIZONS,
    back_test,
    error_table,
    expected_drift,
    frozen_pairs,
    near_horizon,
    persistence,
    place_drifts,
    place_ratios,
    with_learned_drift,
)

# What was asked of the learned drift before it was tried: mean absolute error after ten years, and
# of ranges of 80 % the share of outcomes inside.
ASKED_HORIZON, ASKED_ERROR, ASKED_COVERAGE = 10, 0.09, (0.7, 0.88)
PANDEMIC = (2020, 2022)
CHINA_FIRST, CHINA_LATE = 2013, 2020
SETTINGS = {"institution": "france_recipients", "home_service": "france_home_recipients"}
TEN_YEARS = 10
EXPECTED = ("expected_low", "expected_central", "expected_high")
# Whose age profile series with totals only borrow, by their role; else that of the residents of
# homes.
LENDERS = {"need": "profile", "profile": "profile", "recipients": "recipients"}


def tested_use(world: World) -> pd.DataFrame:
    """All pairs of years of the residents of homes, predicted in all ways; see
    `with_learned_drift`.
    """
    return with_learned_drift(back_test(world.users("test"), world.people()))


def series_table(world: World) -> pd.DataFrame:
    """One row a series: years, counts, age bands, trust of its rows, share_drift [per year] where
    it has two years or more.
    """
    roles = world.care_use_series["role"].unique()
    users = world.users(*roles)
    parts = []
    for role in roles:
        lender = LENDERS.get(role, "test")
        tested = frozen_pairs(back_test(world.users(role, lender), world.people()))
        own = world.care_use_series.loc[world.care_use_series["role"] == role, "series"]
        parts.append(tested[tested["series"].isin(own)])
    sums = pd.concat(parts).groupby("series")[["log", "horizon"]].sum()
    about = users.groupby("series").agg(
        first=("year", "min"),
        last=("year", "max"),
        years=("year", "nunique"),
        bands=("age", "nunique"),
        trust=("trust", lambda letters: ", ".join(sorted(set(letters)))),
    )
    about["share_drift"] = sums["log"] / sums["horizon"]
    return world.care_use_series.merge(about.reset_index(), on="series")


def errors_by_way(tested: pd.DataFrame) -> pd.DataFrame:
    """Errors of each way by horizon: mean over countries, and the lowest and highest mean of a
    country.

    Returns : way, near, place_count, pairs, low, central, high, share_absolute, unit
    """
    each = error_table(tested, by=("place",)).groupby(["way", "near"])["mean_error"]
    ends = each.agg(low="min", high="max").reset_index()
    means = error_table(tested).rename(
        columns={"mean_error": "central", "mean_absolute_error": "share_absolute"}
    )
    return means.merge(ends, on=["way", "near"]).assign(unit="share")


def answer(ways: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """How wrong frozen rates were, how wrong the learned drift, and the closest of the other ways.

    ways    : see `errors_by_way`
    Returns : a row of it each, with share_asked of the drift and the `phrase` that tells it
    """
    late = ways[ways["near"] == horizon].sort_values("share_absolute").set_index("way", drop=False)
    others = late.index.drop([FROZEN, DRIFT])
    phrases = ["use_frozen", "use_learned", "use_other_way"]
    rows = late.loc[[FROZEN, DRIFT, others[0]]]
    return rows.reset_index(drop=True).assign(phrase=phrases, share_asked=ASKED_ERROR)


def coarser_closer(tested: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """In how many countries the rate of people 65+ as a whole, held, was closer than rates by age;
    one row.
    """
    each = error_table(tested, (horizon,), by=("place",))
    wide = each.pivot(index="place", columns="way", values="mean_absolute_error")
    closer = int((wide["frozen_65"] < wide[FROZEN]).sum())
    return pd.DataFrame([{"near": horizon, "place_count": len(wide), "closer": closer}])


def errors_by_place(tested: pd.DataFrame, way: str, horizon: int) -> pd.DataFrame:
    """Errors of one way after some years by country: mean, lowest and highest of its pairs of
    years.
    """
    near = near_horizon(tested[tested["way"] == way], (horizon,))
    found = near.groupby("place", sort=False)["error"].agg(low="min", central="mean", high="max")
    return found.reset_index().assign(way=way, unit="share").sort_values("central")


def coverage_by_horizon(tested: pd.DataFrame) -> pd.DataFrame:
    """Share of outcomes within the 80 % range of the learned drift, each country and each pair
    alike; `phrase` tells whether it is within what was asked.
    """
    table = error_table(tested[tested["way"] == DRIFT])
    low, high = ASKED_COVERAGE
    inside = table["coverage"].round(2).between(low, high)
    return pd.DataFrame(
        {
            "near": table["near"],
            "place_count": table["place_count"],
            "pairs": table["pairs"],
            "share_of_places": table["coverage"],
            "share_of_pairs": table["coverage_of_pairs"],
            "share_asked_low": low,
            "share_asked_high": high,
            "phrase": inside.map({True: "use_covered", False: "use_not_covered"}),
        }
    )


def drifts_by_place(tested: pd.DataFrame) -> pd.DataFrame:
    """Yearly drift of each country, and the range that the other countries gave for it over ten
    years.

    Returns : place, own, low, central, high [share a year], unit
    """
    pairs = frozen_pairs(tested)
    rows = []
    for place, drift in place_drifts(pairs).sort_values().items():
        low, central, high = expected_drift(pairs[pairs["place"] != place], TEN_YEARS)
        rows.append((place, drift, low, central, high))
    columns = ["place", "own", "low", "central", "high"]
    return pd.DataFrame(rows, columns=columns).assign(unit="share")


def longevity_by_place(world: World) -> pd.DataFrame:
    """Years that life expectancy at 65 gained in ten years by the population used; see
    `longevity_gain`.
    """
    series = {one.place: one for one in all_series(world.users("test"), world.people())}
    gains = {place: TEN_YEARS * longevity_gain(one.people) for place, one in series.items()}
    return pd.DataFrame({"place": list(gains), "gain": list(gains.values())})


def drift_abroad(tested: pd.DataFrame) -> pd.DataFrame:
    """The drift that a further place may expect over each horizon, from all countries at hand
    [share a year].
    """
    pairs = frozen_pairs(tested)
    rows = [(horizon, *expected_drift(pairs, horizon)) for horizon in HORIZONS]
    return pd.DataFrame(rows, columns=["near", "low", "central", "high"]).assign(unit="share")


def by_choice_of_counts(world: World) -> pd.DataFrame:
    """What the learned drift and its error become with other counts, or another age profile for
    totals.

    Returns : choice, place_count, expected_low, expected_central, expected_high (drift a year over
              ten years), and after ten years share_frozen (mean error of frozen rates),
              share_absolute and share_inside of the learned drift
    """
    residents, people = world.users("test"), world.people()
    recipients = world.users("recipients")
    france = recipients[recipients["series"] == SETTINGS["institution"]]
    calm = ~residents["year"].between(*PANDEMIC)
    counts = {
        "residents": (residents, None),
        "with_recipients": (pd.concat([residents, france]), None),
        "with_roll_out": (world.users("test", whole=True), None),
        "without_pandemic": (residents[calm], None),
        "official_tables": (residents[residents["trust"] == "A"], None),
        "with_beds": (world.users("test", "beds"), None),
        "steep_profile": (residents, residents[residents["place"] == "NO"]),
        "flat_profile": (residents, residents[residents["place"] == "US"]),
    }
    rows = []
    for choice, (users, lender) in counts.items():
        profile = None if lender is None else mean_curve(lender, people)
        tested = with_learned_drift(back_test(users, people, profile=profile))
        pairs = frozen_pairs(tested)
        table = error_table(tested, (TEN_YEARS,)).set_index("way")
        rows.append(
            {
                "choice": choice,
                "place_count": pairs["place"].nunique(),
                **dict(zip(EXPECTED, expected_drift(pairs, TEN_YEARS))),
                "share_frozen": table.at[FROZEN, "mean_error"],
                "share_absolute": table.at[DRIFT, "mean_absolute_error"],
                "share_inside": table.at[DRIFT, "coverage"],
            }
        )
    return pd.DataFrame(rows).assign(unit="share")


def need_errors(world: World) -> pd.DataFrame:
    """Errors of frozen rates by age for assessed need while rules stood, by country, all pairs of
    four years and more.
    """
    tested = back_test(world.users("need", "profile"), world.people())
    far = tested[(tested["way"] == FROZEN) & (tested["horizon"] > min(HORIZONS) - 2)]
    far = far.assign(error=far["predicted"] / far["actual"] - 1)
    found = far.groupby("place").agg(
        first=("first_year", "min"),
        last=("year", "max"),
        pairs=("error", "size"),
        low=("error", "min"),
        central=("error", "mean"),
        high=("error", "max"),
    )
    return found.reset_index().assign(unit="share")


def local_ratios(world: World, setting: str) -> pd.DataFrame:
    """Use of each département against the nation's at its ages; see `place_ratios`."""
    users = world.users("recipients")
    curve = mean_curve(users[users["series"] == SETTINGS[setting]], world.people())
    first = users["year"].min()
    rows = world.departement_users(setting)
    return place_ratios(rows[rows["year"] >= first], world.departement_people(), curve)


def place_factor(world: World) -> pd.DataFrame:
    """How far use of a place lies from its nation's, and how much of that is left after ten years.

    Defined as::  half_width = half the distance of the 10th and 90th percentile of ln ratio
                  slope      = of ln ratio on that ten years before, over départements

    with means and ends over first years.

    Returns : setting, place_count, half_width, ratio_apart (that as a factor), share_slope_low,
              share_slope, share_slope_high, correlation
    """
    rows = []
    for setting in SETTINGS:
        found = persistence(local_ratios(world, setting), TEN_YEARS)
        rows.append(
            {
                "setting": setting,
                "place_count": int(found["place_count"].max()),
                "half_width": (half_width := found["half_width"].mean()),
                "ratio_apart": np.exp(half_width),
                "share_slope_low": found["share_slope"].min(),
                "share_slope": found["share_slope"].mean(),
                "share_slope_high": found["share_slope"].max(),
                "correlation": found["correlation"].mean(),
            }
        )
    return pd.DataFrame(rows)


def local_errors(world: World, setting: str = "institution") -> pd.DataFrame:
    """Errors for départements by horizon, the drift learned from the other départements.

    Returns : near, share_absolute and share_inside of the learned drift, share_frozen: mean
              absolute error of frozen rates by age
    """
    users = world.users("recipients")
    curve = mean_curve(users[users["series"] == SETTINGS[setting]], world.people())
    rows = world.departement_users(setting)
    rows = rows[rows["year"] >= users["year"].min()]
    tested = with_learned_drift(back_test(rows, world.departement_people(), profile=curve))
    table = error_table(tested).set_index(["way", "near"])
    learned, absolute = table.loc[DRIFT], table["mean_absolute_error"]
    return pd.DataFrame(
        {
            "share_absolute": absolute[DRIFT],
            "share_frozen": absolute[FROZEN],
            "share_inside": learned["coverage"],
        }
    ).reset_index()


def china_path(world: World, first: int = CHINA_FIRST) -> pd.DataFrame:
    """China's residents as counted since a year, and as carried on from that year.

    Returns : series (counted, frozen_by_age, learned_drift), year, low, central, high, unit
    """
    users = pd.concat([world.users("test"), world.users("china")])
    tested = with_learned_drift(back_test(users, world.people()))
    own = tested[(tested["place"] == "CN") & (tested["first_year"] == first)]
    base = world.users("china").set_index("year")["value"].loc[first]
    parts = []
    for series in ("counted", FROZEN, DRIFT):
        rows = own[own["way"] == (FROZEN if series == "counted" else series)]
        middle = rows["actual"] if series == "counted" else rows["predicted"]
        low, high = (rows[end].fillna(middle) for end in ("low", "high"))
        part = pd.DataFrame({"year": rows["year"], "low": low, "central": middle, "high": high})
        start = pd.DataFrame({"year": [first], "low": [base], "central": [base], "high": [base]})
        parts.append(pd.concat([start, part]).assign(series=series))
    return pd.concat(parts, ignore_index=True).assign(unit="person")


def china_drifts(world: World) -> pd.DataFrame:
    """Yearly change of China's residents at given ages from some years to the last, beside the
    range from abroad.

    Returns : first_year, year, first_value, last_value, share_frozen (frozen rates by age against
              the first count), share_yearly (what happened), share_low, share_central, share_high
              (from abroad), unit
    """
    users = pd.concat([world.users("test"), world.users("china")])
    pairs = frozen_pairs(back_test(users, world.people()))
    counted = world.users("china").set_index("year")["value"]
    own = pairs[(pairs["place"] == "CN") & (pairs["year"] == counted.index.max())]
    rows = []
    for pair in own[own["first_year"].isin((CHINA_FIRST, CHINA_LATE))].to_dict("records"):
        abroad = expected_drift(pairs[pairs["place"] != "CN"], pair["horizon"])
        rows.append(
            {
                "first_year": pair["first_year"],
                "year": pair["year"],
                "first_value": counted[pair["first_year"]],
                "last_value": pair["actual"],
                "share_frozen": pair["predicted"] / counted[pair["first_year"]] - 1,
                "share_yearly": pair["yearly"],
                **dict(zip(("share_low", "share_central", "share_high"), abroad)),
            }
        )
    return pd.DataFrame(rows).assign(unit="person")


def emulated(world: World) -> pd.DataFrame:
    """What others published of the years to come, made again from the inputs they printed.

    Defined as::  value = sum over parts(rate x driver of the year),
                  rate as printed, else what is given in the first year / driver of that year

    driver  : users of a service, or people of an age; where the publisher's own is not at hand another
              stands in, and the row says so
    Returns : emulator, year, published, value [unit], ratio (value / published), signed (less 1),
              known (`printed`, `stand_in` where some driver stands in, `missing` without a driver),
              unit; value is NaN where an input is not collected here
    Source  : data/world/emulation.csv
    """
    rows = []
    for _, inputs in world.emulation.groupby("emulator", sort=False):
        printed = inputs[inputs["item"] == "published"]
        for published in printed.to_dict("records"):
            value = _held(inputs, published["year"])
            stands_in = "stand_in" if (inputs["item"] == "stand_in").any() else "printed"
            row = {name: published[name] for name in ("emulator", "year", "unit")}
            row |= {"published": published["value"], "value": value}
            rows.append({**row, "known": "missing" if np.isnan(value) else stands_in})
    table = pd.DataFrame(rows)
    ratio = table["value"] / table["published"]
    return table.assign(ratio=ratio, signed=ratio - 1)


def _held(inputs: pd.DataFrame, year: int) -> float:
    """Rates of the first year held, times what drives them in a later one; NaN if a driver is missing."""
    drivers = inputs[inputs["item"].isin(["driver", "stand_in"])]
    drivers = drivers.set_index(["part", "year"])["value"]
    total = 0.0
    for row in inputs[inputs["item"].isin(["given", "rate"])].to_dict("records"):
        later, first = ((row["part"], one) for one in (year, row["year"]))
        if later not in drivers.index or (row["item"] == "given" and first not in drivers.index):
            return np.nan
        rate = row["value"] / (drivers[first] if row["item"] == "given" else 1.0)
        total += rate * drivers[later]
    return total or np.nan
