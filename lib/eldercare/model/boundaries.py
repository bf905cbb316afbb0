"""Which areas can be followed from the census of 2010 to that of 2020, and whose change stands in for the others.

Equal codes are not equal places: codes are reused, and boundaries move. What a moved boundary brings
or takes would be told as migration between the censuses, and learned from as such, so an area's own change
counts only where both censuses speak of the same land. The projection from 2020 on rests on none of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.inputs.load import NATION, China
from eldercare.model.base import (
    AGES,
    OPEN_AGE,
    SEXES,
    base_population,
    base_populations,
    province_of,
)

START, END = 2010, 2020
BOUNDARY_TOLERANCE = 0.001
# Counts of 2010 nearer than this to the matched total lend a prefecture their ages; else its province does.
PATTERN_TOLERANCE = 0.25
# Doubled or halved beside the area above it. What does so in ten years on an unmoved boundary is two districts
# exchanged in the tables of 2010, land moved between districts, or a new town: none goes on for thirty years.
IMPLAUSIBLE_CHANGE = np.log(2)
MATCHED_GROUPS = ((0, 60), (60, 65), (65, OPEN_AGE + 1))
OWN, MATCHED, PREFECTURE, PROVINCE = BASES = ("own", "matched", "prefecture", "province")
NO_CODE = "its code is not in the census of 2010"
RENAMED = "its name changed"
MOVED = "its boundary moved"
PREFECTURE_MOVED = "the boundary of its prefecture moved"
NO_TABLE = "no table of matched boundaries"
NOT_PLAUSIBLE = "its people doubled or halved beside the area above it"
REASONS = NO_CODE, RENAMED, MOVED, PREFECTURE_MOVED, NO_TABLE, NOT_PLAUSIBLE


def comparable_areas(china: China) -> pd.DataFrame:
    """Which areas of the census of 2010 can be followed to 2020, and why the others cannot.

    A prefecture has kept its boundary if the population of both years equals, within 0.1 %, that of
    the table with matched boundaries; a county if code and name are the same in both censuses and
    its prefecture has kept its boundary (or has no prefecture row); a province if its code stands.

    Returns : table adcode, name, level, kept, reason; one row an area of 2010
    """
    matched = china.matched_boundary.set_index("adcode").to_dict("index")
    rows, later = (china.areas.xs(year, level="year") for year in (START, END))
    official = rows.index[rows["code_kind"] == "official"]
    start, end = (table[["name", "population"]].to_dict("index") for table in (rows, later))
    reasons = {code: _reason(code, start, end, matched) for code in official}
    moved = {code for code, reason in reasons.items() if reason == MOVED}
    for code, reason in reasons.items():
        if not reason and code % 100 and code // 100 * 100 in moved:
            reasons[code] = PREFECTURE_MOVED
    out = rows.loc[list(reasons), ["name", "level"]].assign(reason=pd.Series(reasons))
    out["kept"] = out["reason"] == ""
    return out.reset_index()


def _reason(code: int, rows: dict, later: dict, matched: dict) -> str:
    if code not in later:
        return "its code is gone in 2020"
    if rows[code]["name"] != later[code]["name"]:
        return RENAMED
    if code % 100 or code % 10000 == 0:
        return ""
    if code not in matched:
        return NO_TABLE
    for year, table in ((START, rows), (END, later)):
        if (
            abs(matched[code][f"population_{year}"] / table[code]["population"] - 1)
            > BOUNDARY_TOLERANCE
        ):
            return MOVED
    return ""


@dataclass(frozen=True)
class Comparison:
    """The two censuses made comparable, for the nation and all areas of the census of 2020.

    bases : table with the index adcode: basis, change_of, reason, see `compare_censuses`
    start : array [person]  dims area, sex, age: who lived in 2010 within the boundary of 2020
    """

    bases: pd.DataFrame
    start: xr.DataArray


@lru_cache(maxsize=2)
def compare_censuses(china: China) -> Comparison:
    """Whose change of cohorts 2010-2020 each area is given between the censuses, and the people of 2010 with it.

    `own`        its own: it kept its boundary, or is a province or the nation
    `matched`    a prefecture's own, its people of 2010 brought to the boundary of 2020 by the table of matched
                 boundaries: totals of under 60, 60 to 64 and 65 and over are the table's, the ages within
                 them those of the counts of 2010 that come nearest
    `prefecture` its prefecture's: the county was merged, renamed or given another code, lies in a prefecture
                 whose boundary moved, or changed in a way that is not plausible beside the area above it
    `province`   its province's, where no prefecture can stand in

    `change_of` is the code of the area whose change it is, `reason` why it is not the area's own. The start of
    an area with another's change is that which makes its cohorts change as the other's did.
    """
    counted, ends = (_counts_by_code(china, year) for year in (START, END))
    why_not = comparable_areas(china).set_index("adcode")["reason"]
    rows, starts = {NATION: (OWN, NATION, "")}, {NATION: counted[NATION]}
    for code in sorted(ends, key=_level):
        if code != NATION:
            reason = why_not.get(code, NO_CODE)
            rows[code], starts[code] = _compare_one(
                china, code, reason, counted, ends, rows, starts
            )
    bases = pd.DataFrame.from_dict(
        rows, orient="index", columns=["basis", "change_of", "reason"]
    ).rename_axis("adcode")
    start = xr.DataArray(
        np.stack([starts[code] for code in rows]),
        dims=("area", "sex", "age"),
        coords={"area": list(rows), "sex": list(SEXES), "age": AGES},
    )
    return Comparison(bases, start)


def _counts_by_code(china: China, year: int) -> dict[int, np.ndarray]:
    """Census counts of the nation and of all areas that the census has; dims sex, age."""
    every = base_populations(china, year)
    found = {
        int(code): counts
        for code, counts in zip(every["area"].values, every.values)
        if np.isfinite(counts).all()
    }
    return {NATION: base_population(china, NATION, year), **found}


def _level(code: int) -> tuple[int, int]:
    return (0 if code % 10000 == 0 else 1 if code % 100 == 0 else 2), code


def _compare_one(
    china: China, code: int, reason: str, counted, ends, rows, starts
) -> tuple[tuple, np.ndarray]:
    """The row of an area, and its people of 2010; the areas above it must be in `rows` and `starts`."""
    own = counted.get(code)
    if code % 10000 == 0:
        return (OWN, code, ""), own
    if code % 100 == 0 and reason:
        matched = _matched_start(china, code, ends[code], counted)
        if matched is not None:
            return (MATCHED, code, reason), matched
    above = code // 100 * 100 if code % 100 and code // 100 * 100 in rows else province_of(code)
    if not reason:
        growth = [
            np.log(ends[one].sum() / start.sum())
            for one, start in ((code, own), (above, starts[above]))
        ]
        if abs(growth[0] - growth[1]) <= IMPLAUSIBLE_CHANGE:
            return (OWN, code, ""), own
        reason = NOT_PLAUSIBLE
    change_of = rows[above][1]
    basis = PROVINCE if change_of % 10000 == 0 else PREFECTURE
    return (basis, change_of, reason), _start_like(ends[code], starts[above], ends[above])


def _start_like(end: np.ndarray, above_start: np.ndarray, above_end: np.ndarray) -> np.ndarray:
    """People of 2010 such that each cohort of the area changed as that of the area above it; dims sex, age."""
    ahead = np.minimum(AGES + END - START, OPEN_AGE)
    share = np.divide(
        end, above_end, out=np.full_like(end, end.sum() / above_end.sum()), where=above_end > 0
    )
    return above_start * share[:, ahead]


def _matched_start(china: China, code: int, end: np.ndarray, counted) -> np.ndarray | None:
    """People of 2010 of a prefecture within its boundary of 2020; None where the table lacks it; dims sex, age."""
    rows = china.matched_boundary.set_index("adcode")
    if code not in rows.index or not np.isfinite(rows.loc[code].drop("name").astype(float)).all():
        return None
    row = rows.loc[code]
    pattern = _pattern_of_start(china, code, float(row["population_2010"]), counted)
    out = np.empty_like(pattern)
    for (first, after), growth in zip(MATCHED_GROUPS, _growth_of_groups(row)):
        wanted = end[:, first:after].sum() / growth
        out[:, first:after] = pattern[:, first:after] * wanted / pattern[:, first:after].sum()
    return out


def _growth_of_groups(row: pd.Series) -> np.ndarray:
    """People of 2020 over those of 2010 by the groups of `MATCHED_GROUPS`, both within the matched boundary."""
    people = {}
    for year in (START, END):
        older, oldest = (row[f"percent_{age}_plus_{year}"] for age in (60, 65))
        people[year] = row[f"population_{year}"] * np.array([100 - older, older - oldest, oldest])
    return people[END] / people[START]


def _pattern_of_start(china: China, code: int, wanted: float, counted) -> np.ndarray:
    """Counts of 2010 for the ages of a prefecture: under its code, its name, or of its counties, else the province's."""
    start, end = (china.areas.xs(year, level="year") for year in (START, END))
    here = start[start["province"] == end.at[code, "province"]]
    called = {name: int(one) for one, name in here["name"].items()}
    inside = end["name"][(end.index // 100 == code // 100) & (end.index != code)]
    county_codes = [called[name] for name in inside if name in called]
    old_name = end.at[code, "name"].removesuffix("市") + "地区"
    found = [counted[one] for one in (code, called.get(old_name)) if one in counted]
    found += [sum(counted[one] for one in county_codes)] if county_codes else []
    distance = [abs(np.log(counts.sum() / wanted)) for counts in found]
    if found and min(distance) <= np.log1p(PATTERN_TOLERANCE):
        return found[int(np.argmin(distance))]
    return counted[province_of(code)]
