"""How wrong the projection would have been: the census of 2010 carried to 2020, and met by the census of 2020.

What is tried is what projects (`population.change_rate`): the nation's survival and change, what the
facts of the area's census weigh (`facts`), and parts scaled to the whole above them. Nothing enters here that does not enter there, and the other way round.

The weights of the facts, and the level of the decade that goes with them, are fitted on the areas of all other
provinces (`cross_predict`). So one decade is crossed in space, not in time: a province is predicted from what
happened in the others in the same ten years. How far the nation itself was off stands apart
(`national_errors`): that is one number, and nothing was fitted to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from eldercare.engine.quantity import quantity
from eldercare.inputs.load import NATION, China
from eldercare.model.base import (
    AGES,
    SEXES,
    base_populations,
    national_pattern,
    province_of,
    single_ages,
)
from eldercare.model.boundaries import END, START, comparable_areas
from eldercare.model.cohort import project_compiled
from eldercare.model.facts import (
    FIRST_GROUP,
    GROUPS,
    bounded,
    change_beyond,
    fact_differences,
    laid_on_ages,
)
from eldercare.model.family import above
from eldercare.model.lifetable import ALPHA_GRID, SurvivalGrid, survival_grid

STEPS = END - START
THRESHOLDS = (60, 65, 75, 80, 85)
SIZE_EDGES = (0, 1e5, 3e5, 6e5, 1.5e6, 4e6, np.inf)
SIZE_LABELS = (
    "under 100,000",
    "100,000-300,000",
    "300,000-600,000",
    "600,000-1.5 million",
    "1.5-4 million",
    "over 4 million",
)
JUDGED = (60, 65, 80)
# How strongly weights are drawn to zero, in areas of mean size; from 30 to 300 no median moves by more than 0.3.
PENALTY = 100.0
FURTHEST_SEEN = 0.005
FEWEST_AREAS = 20
ROBUST, NORMAL_SPREAD, ROUNDS = 1.345, 1.4826, 8
WITH_CHANGE = GROUPS >= FIRST_GROUP


def death_rates_known(china: China) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The nation's death rates of 2000-2019 as they looked in 2010, and the years and ages they are for.

    Logarithms of the rates of the censuses of 2000 and 2010 are joined in a straight line and carried
    on; from 90 on the fall is that of ages 85 to 89, since the oldest ages are few. The level of the
    rates does not matter here, only how fast they fall: see `remainder`.

    Returns : array [per person-year] dims year, sex, age group; years; first ages of the groups
    """
    table = china.province_age[china.province_age["adcode"] == NATION]
    logs = {}
    for year in (2000, START):
        rows = table[table["year"] == year]
        deaths = rows.pivot_table("deaths", "sex", "age_from").loc[list(SEXES)]
        people = rows.pivot_table("population", "sex", "age_from").loc[list(SEXES)]
        logs[year] = np.log(deaths.to_numpy() / people.to_numpy())
        starts = deaths.columns.to_numpy()
    slope = (logs[START] - logs[2000]) / (START - 2000)
    slope[:, starts >= 90] = slope[:, starts == 85]
    years = np.arange(2000, END)
    return np.exp(logs[START] + slope * (years - START + 0.5)[:, None, None]), years, starts


@dataclass(frozen=True)
class Setting:
    """All that is calculated once for a back-test of all areas of the census of 2010.

    areas    : table of the areas that can be compared, one row each: prefectures and counties
    rows     : their places among all areas
    base, observed : arrays [person]  dims area, sex, age and area, threshold, of those compared: census of 2010,
               and people from 60, 65, 75, 80, 85 on in 2020
    grid     : survivorship 2000-2019 as known in 2010
    nation   : array [per year]  dims sex, age: change of the nation's cohorts 2000-2010 that survival leaves
               unexplained
    every    : all areas, compared or not, provinces too
    """

    areas: pd.DataFrame
    rows: np.ndarray
    base: np.ndarray
    observed: np.ndarray
    grid: SurvivalGrid
    nation: np.ndarray
    every: Everyone


@dataclass(frozen=True)
class Everyone:
    """All areas of the census of 2010.

    codes, parents, provinces : dims area;  fitted : whether the regression may learn from it
    base, counted : arrays [person]  dims area, sex, age: 2010, and 2020 (not a number where the code is gone)
    facts    : table  rows areas: facts of 2010 less the nation's
    alpha    : array  dims area: level of mortality as a Brass shift, 0 being the nation's
    """

    codes: np.ndarray
    parents: np.ndarray
    provinces: np.ndarray
    fitted: np.ndarray
    base: np.ndarray
    counted: np.ndarray
    facts: pd.DataFrame
    alpha: np.ndarray


def prepare(china: China, life_expectancy: bool = False) -> Setting:
    """Gather what a back-test needs, of all areas of the census of 2010.

    life_expectancy : give each area the life expectancy of its province as published for 2000, which the
                      projection does not do, to see what that would do
    """
    mx, years, starts = death_rates_known(china)
    grid = survival_grid(mx, starts, years)
    every = base_populations(china, START)
    known = every.isel(area=np.isfinite(every.values).all(axis=(1, 2)))
    codes = known["area"].values
    provinces = np.array([province_of(int(code)) for code in codes])
    shift = dict.fromkeys(provinces.tolist(), 0.0)
    if life_expectancy:
        shift = {code: _shift_of(china, grid, code) for code in shift}
    kept = comparable_areas(china).set_index("adcode")
    compared = kept["kept"].reindex(codes).fillna(False).to_numpy(bool) & (codes % 10000 != 0)
    everyone = Everyone(
        codes,
        np.array([above(int(code), set(codes.tolist())) for code in codes]),
        provinces,
        compared,
        known.values,
        base_populations(china, END).reindex(area=codes).values,
        fact_differences(china, START).loc[codes],
        np.array([shift[code] for code in provinces]),
    )
    rows = np.flatnonzero(compared)
    areas = kept.loc[codes[rows], ["name", "level", "reason", "kept"]].reset_index()
    areas["population"] = known.values[rows].sum(axis=(1, 2))
    areas["province"] = provinces[rows]
    areas["size"] = pd.cut(areas["population"], SIZE_EDGES, labels=SIZE_LABELS, right=False)
    observed = people_from(everyone.counted[rows])
    nation = remainder(china, grid)
    return Setting(areas, rows, known.values[rows], observed, grid, nation, everyone)


def people_from(counts: np.ndarray) -> np.ndarray:
    """People from each threshold on: dims …, threshold, from counts with the dims …, sex, age."""
    return np.stack([counts[..., age:].sum(axis=(-2, -1)) for age in THRESHOLDS], axis=-1)


def younger(counts: np.ndarray) -> np.ndarray:
    """People of 10 to 59: dims …, one; those born since the census before are not part of the test."""
    return counts[..., FIRST_GROUP : THRESHOLDS[0]].sum(axis=(-2, -1))[..., None]


def province_at(china: China, code: int, year: int) -> np.ndarray:
    """A province or the nation by single age from the province tables; dims sex, age."""
    table = china.province_age
    rows = table[(table["adcode"] == code) & (table["year"] == year)]
    wide = rows.pivot_table("population", "sex", "age_from").loc[list(SEXES)].fillna(0)
    return single_ages(
        wide.to_numpy(float),
        wide.columns.to_numpy(),
        np.maximum(national_pattern(china, year), 1e-9),
    )


def remainder(china: China, grid: SurvivalGrid) -> np.ndarray:
    """Change of the nation's cohorts 2000-2010, per year, that survival leaves unexplained; dims sex, age.

    Defined as in `facts.change_beyond`; those born since 2000 have none.
    """
    earlier, later = province_at(china, NATION, 2000), province_at(china, NATION, START)
    still = np.ones((1, *earlier.shape))
    expected = _carry(earlier[None], grid, np.arange(STEPS), np.zeros(1), still)[0]
    return laid_on_ages(change_beyond(later, expected, FIRST_GROUP))


def _shift_of(china: China, grid: SurvivalGrid, code: int) -> float:
    """Brass shift of a province by its life expectancy above or below the nation's, as published for 2000."""
    table = china.life_expectancy
    rows = table[
        (table["year"] == 2000) & (table["sex"] == "both") & (table["kind"] == "official")
    ].set_index("adcode")["life_expectancy"]
    ladder = grid.life_expectancy[START - int(grid.years[0])].mean(axis=0)
    level = np.interp(0.0, ALPHA_GRID, ladder) + rows[code] - rows[NATION]
    return float(np.interp(-level, -ladder, ALPHA_GRID))


def _carry(base, grid: SurvivalGrid, steps, alpha: np.ndarray, growth: np.ndarray) -> np.ndarray:
    """Carry many areas over some years; alpha: level of mortality of each, as a Brass shift."""
    place = np.clip(
        (alpha - ALPHA_GRID[0]) / (ALPHA_GRID[1] - ALPHA_GRID[0]), 0, len(ALPHA_GRID) - 1.001
    )
    level = np.broadcast_to(place.astype(int), (len(steps), 2, len(alpha)))
    weight = np.broadcast_to(place - place.astype(int), level.shape)
    none = np.zeros((len(steps), len(alpha)))
    out = project_compiled(
        base,
        grid.ratios[steps],
        level,
        weight,
        growth,
        none,
        np.zeros((len(steps), base.shape[-1])),
        np.full(len(steps), 0.5),
    )
    return out[:, -1]


def _projected(setting: Setting, rows: np.ndarray, change: np.ndarray) -> np.ndarray:
    """People of 2020 by single age of some of all areas; change: [per year] dims area, sex, age."""
    steps = np.arange(START, END) - int(setting.grid.years[0])
    every = setting.every
    return _carry(every.base[rows], setting.grid, steps, every.alpha[rows], np.exp(change))


@dataclass(frozen=True)
class Weights:
    """What the facts weigh, and the level of the decade.

    low, high : arrays  dims fact: differences of a fact from the nation's that the regression has seen
    level     : array [per year]  dims five-year group: what areas like the nation had
    of_facts  : array [per year]  dims fact, five-year group: of a unit of the fact
    """

    low: np.ndarray
    high: np.ndarray
    level: np.ndarray
    of_facts: np.ndarray


def fit_weights(facts: pd.DataFrame, change: np.ndarray, people: np.ndarray) -> Weights:
    """Robust ridge regression of what changed on the facts of the census before, one for each five-year group.

    Defined as::  least of  sum over areas(s h (change - level - facts x weights)^2) + penalty x sum(weights^2)

    with the facts in units of their spread, s the root of the area's people over its mean, and h the weight of
    Huber, below 1 for areas further off than 1.345 spreads: a moved boundary or a new prison counts little.

    facts  : table  rows areas: facts less the nation's
    change : array [per year]  dims area, five-year group: beyond survival and the change of the nation
    Source : Huber, P. J. (1964), robust estimation of a location parameter; Hoerl and Kennard (1970), ridge regression
    """
    values = facts.to_numpy(float)
    finite = np.where(np.isfinite(values), values, np.nan)
    ends = [FURTHEST_SEEN, 1 - FURTHEST_SEEN]
    low, high = np.nanquantile(finite, ends, axis=0) if len(facts.columns) else np.empty((2, 0))
    seen = bounded(facts, low, high)
    spread = seen.std(axis=0)
    design = np.column_stack([np.ones(len(seen)), seen / spread])
    drawn = PENALTY * np.eye(design.shape[1])
    drawn[0, 0] = 0
    size = np.sqrt(people) / np.sqrt(people).mean()
    found = np.zeros((design.shape[1], len(GROUPS)))
    for group in np.flatnonzero(WITH_CHANGE):
        trust = size
        for _ in range(ROUNDS):
            weighted = design * trust[:, None]
            slopes = np.linalg.solve(weighted.T @ design + drawn, weighted.T @ change[:, group])
            off = np.abs(change[:, group] - design @ slopes)
            reach = ROBUST * NORMAL_SPREAD * np.median(off)
            trust = size * np.minimum(1, reach / np.maximum(off, 1e-12))
        found[:, group] = slopes
    return Weights(low, high, found[0], found[1:] / spread[:, None])


def blind(setting: Setting, facts=None, count=people_from) -> np.ndarray:
    """People from each threshold on in 2020, as projected from 2010 without sight of the province's own outcome.

    Defined as::  change = nation + level + sum over facts(weight x difference of the fact from the nation's)

    weights and level fitted on the areas of all other provinces. Parts are scaled to the whole above them, by
    five-year age.

    facts   : names of the facts in use; without them all
    count   : which people are counted, from counts with the dims area, sex, age
    Returns : array [person]  dims area (all of the census), threshold (or what is counted)
    """
    every = setting.every
    known = every.facts if facts is None else every.facts[list(facts)]
    beyond, people = _beyond_nation(setting), every.base.sum(axis=(1, 2))
    out = np.empty((len(every.codes), count(every.base[:1]).shape[-1]))
    for province in np.unique(every.provinces):
        inside = every.provinces == province
        used, here = every.fitted & ~inside, np.flatnonzero(inside)
        fit = fit_weights(known[used], beyond[used], people[used])
        rates = fit.level + bounded(known.iloc[here], fit.low, fit.high) @ fit.of_facts
        change = setting.nation + laid_on_ages(rates)[:, None]
        out[here] = count(_settled(_projected(setting, here, change), every, here))
    return out


def _beyond_nation(setting: Setting) -> np.ndarray:
    """Change of cohorts 2010-2020 beyond survival and the nation's change of 2000-2010; dims area, five-year group."""
    every = setting.every
    usual = np.broadcast_to(setting.nation, every.base.shape)
    expected = _projected(setting, np.arange(len(every.codes)), usual)
    return change_beyond(every.counted.sum(axis=1), expected.sum(axis=1), FIRST_GROUP)


def _settled(counts: np.ndarray, every: Everyone, rows: np.ndarray) -> np.ndarray:
    """Areas of one province scaled so that parts make up the whole above them, in each five-year age."""
    bands = np.arange(0, AGES[-1] + 1, 5)
    out, codes, parents = counts.copy(), every.codes[rows], every.parents[rows]
    for whole in sorted(range(len(rows)), key=lambda one: -_roundness(int(codes[one]))):
        parts = np.flatnonzero(parents == codes[whole])
        if len(parts):
            wanted, found = (
                np.add.reduceat(one.sum(axis=0), bands)
                for one in (out[whole], out[parts].sum(axis=0))
            )
            ratio = np.divide(wanted, found, out=np.ones_like(wanted), where=found > 0)
            out[parts] *= ratio[np.minimum(AGES // 5, len(bands) - 1)]
    return out


def _roundness(code: int) -> int:
    return (code % 10000 == 0) + (code % 100 == 0)


def half_of(setting: Setting) -> np.ndarray:
    """Which half of the provinces an area lies in: True for every second province in the order of codes."""
    provinces = sorted(setting.areas["province"].unique())
    return setting.areas["province"].isin(provinces[::2]).to_numpy()


@quantity(
    name="back_test",
    unit="person",
    of=(
        "census_all_areas",
        "wpp_death_rates",
        "wpp_life_expectancy",
        "wpp_fertility",
        "wpp_fertility_pattern",
        "life_expectancy",
    ),
)
def cross_predict(setting: Setting) -> np.ndarray:
    """Projections of 2020, each province left out in its turn.

    Defined as::  census of 2010 carried to 2020 by weights of other provinces; error = ln(counted / projected)

    Returns : array [person]  dims area (compared), threshold
    """
    return blind(setting)[setting.rows]


def weights_table(setting: Setting) -> pd.DataFrame:
    """The weights fitted on all areas, as `data/china/change_weights.csv` holds them.

    Returns : table fact, low, high, age_10 … age_85 [per year and unit of the fact]
    """
    every, used = setting.every, setting.every.fitted
    people = every.base[used].sum(axis=(1, 2))
    fit = fit_weights(every.facts[used], _beyond_nation(setting)[used], people)
    table = pd.DataFrame({"fact": every.facts.columns, "low": fit.low, "high": fit.high})
    columns = [f"age_{group}" for group in GROUPS[WITH_CHANGE]]
    weights = pd.DataFrame(fit.of_facts[:, WITH_CHANGE], columns=columns)
    return pd.concat([table, weights], axis=1).round(6)


def slopes(setting: Setting, people: np.ndarray) -> pd.DataFrame:
    """How much of the change that facts foretold came, in each province left out: slope of found on foretold.

    people  : as `blind` gives them
    Returns : table province, from_age, areas, slope [ratio]; provinces of 20 areas and more
    """
    every = setting.every
    usual = np.broadcast_to(setting.nation, every.base.shape)
    none = people_from(_projected(setting, np.arange(len(every.codes)), usual))[setting.rows]
    foretold, found = np.log(people[setting.rows] / none), np.log(setting.observed / none)
    rows = []
    for province, part in setting.areas.groupby("province"):
        if len(part) >= FEWEST_AREAS:
            for age in JUDGED:
                column = THRESHOLDS.index(age)
                line = np.polyfit(foretold[part.index, column], found[part.index, column], 1)
                rows.append((province, age, len(part), line[0]))
    return pd.DataFrame(rows, columns=["province", "from_age", "areas", "slope"])


def national_errors(setting: Setting) -> pd.Series:
    """Projected over counted, less 1, of the nation: its survival and change of 2000-2010 carried on, nothing fitted.

    Returns : by threshold [share]
    """
    every = setting.every
    provinces = every.codes % 10000 == 0
    base = every.base[provinces].sum(axis=0)[None]
    steps = np.arange(START, END) - int(setting.grid.years[0])
    found = _carry(base, setting.grid, steps, np.zeros(1), np.exp(setting.nation)[None])
    counted = people_from(every.counted[provinces].sum(axis=0))
    return pd.Series(people_from(found)[0] / counted - 1, index=list(THRESHOLDS))


def benchmark_projections(china: China, setting: Setting) -> dict[str, np.ndarray]:
    """Plain projections of 2020 to be better than; array [person] dims area, threshold each.

    `no change`, `constant growth` (of the province 2000-2010), `Hamilton-Perry` (the province's ratios of
    2000-2010), `closed, national death rates` (level of the official life expectancy of 2010, falling as
    seen from 2000 to 2010), and the same with the raw census deaths, which are known to be too few.
    """
    still = np.stack([setting.base[..., age:].sum(axis=(1, 2)) for age in THRESHOLDS], axis=1)
    growth, ratios = {}, {}
    for code in setting.areas["province"].unique():
        earlier, later = province_at(china, code, 2000), province_at(china, code, START)
        growth[code] = people_from(later) / people_from(earlier)
        ratios[code] = _ten_year_ratios(earlier, later)
    closed = {
        "closed, national death rates": _closed(setting, official_level(china, setting.grid)),
        "closed, raw census deaths": _closed(setting, np.zeros(2)),
    }
    classes = np.add.reduceat(setting.base, np.arange(0, 101, 5), axis=2)
    moved = np.array(
        [_move(one, ratios[code]) for one, code in zip(classes, setting.areas["province"])]
    )
    return {
        "no change": still,
        "constant growth": still * np.array([growth[code] for code in setting.areas["province"]]),
        "Hamilton-Perry": np.stack(
            [moved[..., age // 5 :].sum(axis=(1, 2)) for age in THRESHOLDS], axis=1
        ),
        **closed,
    }


def official_level(china: China, grid: SurvivalGrid) -> np.ndarray:
    """Brass shift of men and women that brings the census death rates of 2010 to the official life expectancy."""
    table = china.life_expectancy
    rows = table[
        (table["adcode"] == NATION) & (table["year"] == START) & (table["kind"] == "official")
    ]
    official = rows.set_index("sex")["life_expectancy"]
    ladders = grid.life_expectancy[START - int(grid.years[0])]
    return np.array(
        [np.interp(-official[sex], -ladder, ALPHA_GRID) for sex, ladder in zip(SEXES, ladders)]
    )


def _closed(setting: Setting, alpha: np.ndarray) -> np.ndarray:
    """Without migration, all areas with the same level of mortality; alpha: of men and women."""
    steps = np.arange(START, END) - int(setting.grid.years[0])
    growth = np.ones_like(setting.base)
    both = [
        _carry(setting.base, setting.grid, steps, np.full(len(setting.base), one), growth)
        for one in alpha
    ]
    ended = np.stack([both[sex][:, sex] for sex in range(len(SEXES))], axis=1)
    return np.stack([ended[..., age:].sum(axis=(1, 2)) for age in THRESHOLDS], axis=1)


def _ten_year_ratios(earlier: np.ndarray, later: np.ndarray) -> np.ndarray:
    edges = np.arange(0, 101, 5)
    first, second = np.add.reduceat(earlier, edges, axis=1), np.add.reduceat(later, edges, axis=1)
    ratio = np.ones_like(second)
    ratio[:, 2:-1] = second[:, 2:-1] / first[:, :-3]
    ratio[:, -1] = second[:, -1] / first[:, -3:].sum(axis=1)
    return ratio


def _move(classes: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    out = np.zeros_like(classes)
    out[:, 2:-1] = classes[:, :-3] * ratio[:, 2:-1]
    out[:, -1] = classes[:, -3:].sum(axis=1) * ratio[:, -1]
    return out
