"""What the errors of the back-test say: by kind and size of area, against plainer ways, and where."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from eldercare.inputs.load import China, Project
from eldercare.model.base import province_of
from eldercare.validation.accuracy import END, SIZE_LABELS, START, THRESHOLDS, Setting, blind

JUDGED = (60, 65, 80)
WORST_AGE = 65
PEOPLE_MOVED, PROVINCE_OFF, FEW_PEOPLE = 0.15, 0.08, 100_000
# In this order; the first that holds is told.
REASONS = ("boundary", "migration", "province", "few_people", "not_known")
# What was asked of the ranges: share of areas held, and in how many of a hundred at least and at most.
ASKED = {"in_80": (0.8, 0.75, 0.85), "in_95": (0.95, 0.92, 0.97)}
TRIALS = ("fitted", "first half", "second half", "other half")
NO_RIVAL = "closed, raw census deaths"


def errors(setting: Setting, predicted: np.ndarray) -> np.ndarray:
    """Projected over counted, less 1: array [share] dims area, threshold."""
    return predicted / setting.observed - 1


def groups_of_areas(setting: Setting) -> dict[str, np.ndarray]:
    """Rows of the areas by kind and by size class; the same area is in several groups."""
    level, size = setting.areas["level"], setting.areas["size"]
    groups = {"prefecture": level == "prefecture", "county": level == "county"}
    groups |= {label: size == label for label in SIZE_LABELS}
    return {name: rows.to_numpy() for name, rows in groups.items()} | {
        "all": np.ones(len(level), bool)
    }


def error_table(
    error: np.ndarray, groups: Mapping[str, np.ndarray], ages: tuple[int, ...] = THRESHOLDS
) -> pd.DataFrame:
    """Errors of groups of areas: half are off by less, one in ten by more; bias is the median with its sign.

    Above 0 the bias says that too many were projected.

    error   : array [share]  dims area, threshold
    groups  : rows of the areas by name
    Returns : table size (name of the group), areas, from_age, share_error, signed_bias, share_high (90th percentile), unit
    """
    rows = []
    for name, here in groups.items():
        for age in ages:
            part = error[here, THRESHOLDS.index(age)]
            size = np.abs(part)
            rows.append(
                {
                    "size": name,
                    "areas": int(here.sum()),
                    "from_age": age,
                    "share_error": np.median(size),
                    "signed_bias": np.median(part),
                    "share_high": np.quantile(size, 0.9),
                }
            )
    return pd.DataFrame(rows).assign(unit="share")


def rival_table(
    setting: Setting, predicted: np.ndarray, others: Mapping[str, np.ndarray], level: str
) -> pd.DataFrame:
    """Median absolute error of each way to project, and the share of areas in which ours is closer.

    `all four` counts the areas in which ours is closer than the four benchmark_projections at once; the raw census
    deaths, known to be too few, are shown but are not one of the four.

    Returns : table, index method, columns (what: median_error or closer, from_age) [share]
    """
    here = (setting.areas["level"] == level).to_numpy()
    columns = [THRESHOLDS.index(age) for age in JUDGED]
    ours = np.abs(errors(setting, predicted))[here][:, columns]
    rows, beaten = {"ours": [*np.median(ours, axis=0), *[np.nan] * 3]}, np.ones_like(ours, bool)
    for name, other in others.items():
        theirs = np.abs(errors(setting, other))[here][:, columns]
        closer = ours < theirs
        beaten &= closer | (name == NO_RIVAL)
        rows[name] = [*np.median(theirs, axis=0), *closer.mean(axis=0)]
    rows["all four"] = [*[np.nan] * 3, *beaten.mean(axis=0)]
    heads = pd.MultiIndex.from_product(
        [["median_error", "closer"], JUDGED], names=["what", "from_age"]
    )
    return (
        pd.DataFrame.from_dict(rows, orient="index").set_axis(heads, axis=1).rename_axis("method")
    )


def hardest_rival(
    setting: Setting, predicted: np.ndarray, others: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """The rival that comes closest at people of 65 and over of prefectures: one row method, share_closer."""
    closer = rival_table(setting, predicted, others, "prefecture")["closer"][WORST_AGE]
    closer = closer.drop(index=["ours", "all four", NO_RIVAL])
    return pd.DataFrame([{"method": closer.idxmin(), "share_closer": closer.min()}])


def held_by_all(cover: pd.DataFrame) -> pd.DataFrame:
    """How often the ranges tried on the other half held, over people from 60, 65 and 80 on.

    Returns : table asked [share], low, central, high (lowest, middle, highest), unit
    """
    tried = cover[(cover["tried_on"] == "other half") & (cover["size"] == "all")]
    rows = [
        (asked, tried[name].min(), tried[name].median(), tried[name].max(), "share")
        for name, (asked, *_) in ASKED.items()
    ]
    return pd.DataFrame(rows, columns=["share_asked", "low", "central", "high", "unit"])


def missed_targets(cover: pd.DataFrame) -> pd.DataFrame:
    """Where the ranges tried on the other half miss what was asked of them (`ASKED`).

    Returns : table share_asked, share_least, share_most, rows, within, missed (table size, from_age, share_held)
    """
    tried = cover[cover["tried_on"] == "other half"]
    out = []
    for name, (asked, least, most) in ASKED.items():
        missed = tried[(tried[name] < least) | (tried[name] > most)]
        table = missed[["size", "from_age", name]].rename(columns={name: "share_held"})
        counts = {"rows": len(tried), "within": len(tried) - len(missed)}
        ends = {"share_asked": asked, "share_least": least, "share_most": most}
        out.append({**ends, **counts, "missed": table})
    return pd.DataFrame(out)


def coverage_shares(cover: pd.DataFrame, inside: str) -> pd.DataFrame:
    """Share of areas whose outcome the range held, by size class and trial; `inside` is in_80 or in_95.

    Returns : table, index size, columns (from_age, tried_on)
    """
    wide = cover.pivot_table(inside, "size", ["from_age", "tried_on"])
    sizes = [*SIZE_LABELS, "all"]
    return wide.loc[sizes, [(age, trial) for age in JUDGED for trial in TRIALS]]


def kept_counts(kept: pd.DataFrame) -> pd.DataFrame:
    """How many areas of the census of 2010 could be followed, and why the others could not, by level.

    kept    : table of `boundaries.comparable_areas`
    Returns : table, index reason (kept first), columns province, prefecture, county, all
    """
    reason = kept["reason"].where(kept["reason"] != "", "kept")
    table = kept.assign(reason=reason).groupby(["reason", "level"]).size().unstack(fill_value=0)
    table = table[["province", "prefecture", "county"]]
    table = table.assign(all=table.sum(axis=1))
    others = table.drop(index="kept").sort_values("all", ascending=False, kind="stable")
    return table.loc[["kept", *others.index]].rename_axis(columns="level")


def city_errors(
    project: Project, kept: pd.DataFrame, setting: Setting, predicted: np.ndarray
) -> pd.DataFrame:
    """The project's cities: projected from 2010 and counted in 2020; or why there is no comparison.

    Returns : table city_id, reason (empty where compared), from_age, projected_value, counted_value [person],
              signed_error [share], unit
    """
    status, error, rows = kept.set_index("adcode")["reason"], errors(setting, predicted), []
    for city_id, city in project.cities.items():
        place = np.flatnonzero(setting.areas["adcode"] == city.adcode)
        if not len(place):
            reason = status.get(city.adcode, "its code is not in the census of 2010")
            rows.append({"city_id": city_id, "reason": reason})
            continue
        for age in JUDGED:
            at = place[0], THRESHOLDS.index(age)
            found = {"projected_value": predicted[at], "counted_value": setting.observed[at]}
            told = {"from_age": age, **found, "signed_error": error[at]}
            rows.append({"city_id": city_id, "reason": "", **told})
    columns = ["city_id", "reason", "from_age", "projected_value", "counted_value", "signed_error"]
    return pd.DataFrame(rows, columns=columns).assign(unit="person")


def area_table(setting: Setting, predicted: np.ndarray) -> pd.DataFrame:
    """How far the back-test missed each area, as `data/china/projection_error_area.csv` holds it.

    Returns : table adcode, from_age, signed_error [share] of the count of 2020
    """
    error = errors(setting, predicted)
    tables = [
        pd.DataFrame({"adcode": setting.areas["adcode"], "from_age": age, "signed_error": column})
        for age, column in zip(JUDGED, error[:, [THRESHOLDS.index(age) for age in JUDGED]].T)
    ]
    return pd.concat(tables).sort_values(["adcode", "from_age"]).round(4)


def redrawn(china: China, setting: Setting) -> np.ndarray:
    """Whether an area is a county of a prefecture some of whose counties came, went or changed their name.

    Counties of a prefecture that kept its own boundary can still have exchanged land; a new, vanished or
    renamed neighbour is the sign of it that the censuses themselves give.

    Returns : array [yes or no]  dims area
    """
    names = china.areas["name"].reset_index()
    names = names[names["adcode"] % 100 != 0].assign(prefecture=lambda rows: rows["adcode"] // 100)
    listed = names.groupby(["prefecture", "year"])[["adcode", "name"]].apply(
        lambda rows: frozenset(rows.itertuples(index=False, name=None))
    )
    by_year = listed.unstack()
    changed = by_year.index[by_year[START] != by_year[END]]
    codes = setting.areas["adcode"]
    return ((codes % 100 != 0) & (codes // 100).isin(changed)).to_numpy()


def redrawn_groups(china: China, setting: Setting) -> dict[str, np.ndarray]:
    """The counties in prefectures without and with redrawn counties: rows of the areas by name."""
    county, moved = (setting.areas["level"] == "county").to_numpy(), redrawn(china, setting)
    return {"no county redrawn": county & ~moved, "some county redrawn": county & moved}


def worst_areas(
    china: China, setting: Setting, predicted: np.ndarray, count: int = 20
) -> pd.DataFrame:
    """The areas with the largest errors of people of 65 and over, and the likely reason by a stated rule.

    The first that holds: the whole population changed by more than 15 % in a prefecture some of whose
    counties have another code or name than in 2010 (`boundary`, see `redrawn`); it changed so elsewhere
    (`migration`); the median error of the province's areas is over 8 % (`province`); fewer than 100,000
    people (`few_people`); else `not_known`. The rule names what goes with the error; it proves no cause.

    Returns : table area, province, people_value, signed_change, signed_error, signed_province, likely_reason, unit
    """
    error = errors(setting, predicted)[:, THRESHOLDS.index(WORST_AGE)]
    areas, codes = setting.areas, setting.areas["adcode"]
    later = china.areas["population"].xs(END, level="year").reindex(codes).to_numpy(float)
    change = later / areas["population"].to_numpy() - 1
    off = pd.Series(error).groupby(areas["province"].to_numpy()).transform("median").to_numpy()
    changed = np.abs(change) > PEOPLE_MOVED
    few = areas["population"] < FEW_PEOPLE
    tests = [changed & redrawn(china, setting), changed, np.abs(off) > PROVINCE_OFF, few]
    provinces = china.areas["name"].xs(START, level="year")
    table = pd.DataFrame(
        {
            "area": areas["name"],
            "province": [provinces[province_of(int(code))] for code in codes],
            "people_value": areas["population"],
            "signed_change": change,
            "signed_error": error,
            "signed_province": off,
            "likely_reason": np.select(tests, REASONS[:-1], REASONS[-1]),
            "unit": "person",
        }
    )
    return table.iloc[np.argsort(-np.abs(error), kind="stable")[:count]].reset_index(drop=True)


def province_errors(china: China, setting: Setting, predicted: np.ndarray) -> pd.DataFrame:
    """Median error of people of 65 and over by province, largest first.

    Returns : table province, areas, signed_error, share_off (median of the errors without sign)
    """
    error = pd.Series(errors(setting, predicted)[:, THRESHOLDS.index(WORST_AGE)])
    by = error.groupby(setting.areas["province"].to_numpy())
    names = china.areas["name"].xs(START, level="year")
    table = pd.DataFrame(
        {
            "province": [names[code] for code in by.groups],
            "areas": by.size(),
            "signed_error": by.median(),
            "share_off": by.apply(lambda part: part.abs().median()),
        }
    )
    order = -table["signed_error"].abs()
    return table.loc[order.sort_values(kind="stable").index].reset_index(drop=True)


def fact_errors(setting: Setting, level: str) -> pd.DataFrame:
    """Median absolute error as projected, without each fact of the census in turn, and without any.

    Returns : table, index trial, columns from_age [share]
    """
    here = {level: (setting.areas["level"] == level).to_numpy()}
    facts = list(setting.every.facts.columns)
    trials = {"as_projected": facts}
    trials |= {f"without_{one}": [name for name in facts if name != one] for one in facts}
    rows = {}
    for name, used in {**trials, "without_any": []}.items():
        error = errors(setting, blind(setting, used)[setting.rows])
        rows[name] = error_table(error, here).set_index("from_age")["share_error"]
    return pd.DataFrame(rows).T.rename_axis("trial")


def provinces_held(china: China) -> pd.DataFrame:
    """How the back-test did in each province, the one whose ranges held least at 65 and over first.

    Returns : table province, areas, from_age, signed_bias, share_error, share_high, share_held, unit
    """
    names = {
        "bias": "signed_bias",
        "median": "share_error",
        "high": "share_high",
        "in_80": "share_held",
    }
    table = china.projection_error_province.rename(columns=names)
    worst = table[table["from_age"] == WORST_AGE].sort_values(["share_held", "adcode"])["adcode"]
    table["province"] = table["adcode"].map(china.areas["name"].xs(END, level="year"))
    order = table["adcode"].map({code: place for place, code in enumerate(worst)})
    table = table.assign(order=order).sort_values(["order", "from_age"]).reset_index(drop=True)
    kept = [
        "province",
        "areas",
        "from_age",
        "signed_bias",
        "share_error",
        "share_high",
        "share_held",
    ]
    return table[kept].assign(unit="share")
