"""How wrong the projection would have been: the census of 2010 carried to 2020, and met by the census of 2020.

Only what could have been known in 2010 goes in: the province tables of 2000 and 2010 with their
deaths, and of each area the census of 2010 with its crude death rate and its towns.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

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
from eldercare.model.boundaries import END, START, kept_areas
from eldercare.model.cohort import project_compiled
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
PROVINCE_WEIGHTS = np.linspace(0, 1, 6)
DEATH_INDEX_WEIGHTS = np.linspace(0, 1, 5)
URBAN_WEIGHTS = np.linspace(0, 1, 5)
LAST_CHANGE_AGE = 85
URBAN_AGES = slice(60, 70)


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
    """All that is calculated once for a back-test of many areas.

    areas    : table of the areas, one row each, in the order of the arrays
    base     : array [person]  dims area, sex, age: census of 2010
    observed : array [person]  dims area, threshold: people from 60, 65, 75, 80, 85 on in 2020
    grid     : survivorship 2000-2019 as known in 2010
    nation, province : arrays [per year] dims sex, age and area, sex, age: change of cohorts 2000-2010
                       that survival leaves unexplained
    urban    : array [share]  dims area: urban share less that of the province
    urban_slope : change of cohorts in ten years for each unit of urban share, across provinces 2000-2010
    death_index : array [ratio]  dims area: crude death rate over that of the nation at the area's ages
    """

    areas: pd.DataFrame
    base: np.ndarray
    observed: np.ndarray
    grid: SurvivalGrid
    nation: np.ndarray
    province: np.ndarray
    urban: np.ndarray
    urban_slope: float
    death_index: np.ndarray

    def of(self, rows: np.ndarray) -> Setting:
        """The same for some of the areas."""
        return replace(
            self,
            areas=self.areas[rows].reset_index(drop=True),
            base=self.base[rows],
            observed=self.observed[rows],
            province=self.province[rows],
            urban=self.urban[rows],
            death_index=self.death_index[rows],
        )


def prepare(china: China, level: str | None = None) -> Setting:
    """Gather what a back-test needs, for all areas that kept their boundary or those of one level."""
    kept = kept_areas(china)
    areas = kept[kept["kept"] & (kept["level"] != "province")]
    areas = areas if level is None else areas[areas["level"] == level]
    areas = areas.sort_values("adcode").reset_index(drop=True)
    mx, years, starts = death_rates_known(china)
    grid = survival_grid(mx, starts, years)
    codes = areas["adcode"].tolist()
    base = base_populations(china, START).sel(area=codes).values
    ended = base_populations(china, END).sel(area=codes).values
    observed = np.stack([ended[..., age:].sum(axis=(1, 2)) for age in THRESHOLDS], axis=1)
    nation = remainder(china, grid, NATION)
    every = sorted(
        {province_of(int(code)) for code in china.province_age["adcode"].unique()} - {NATION}
    )
    changes = {code: remainder(china, grid, code) for code in every}
    facts = china.areas.xs(START, level="year")
    urban = facts["urban"] / facts["population"]
    areas["population"] = base.sum(axis=(1, 2))
    areas["province"] = [province_of(code) for code in codes]
    areas["size"] = pd.cut(areas["population"], SIZE_EDGES, labels=SIZE_LABELS, right=False)
    return Setting(
        areas,
        base,
        observed,
        grid,
        nation,
        np.array([changes[province_of(code)] for code in codes]),
        np.array([urban[code] - urban[province_of(code)] for code in codes]),
        urban_slope({code: changes[code] - nation for code in every}, urban, facts["population"]),
        death_index(china, grid, codes, base),
    )


def _people_from(counts: np.ndarray) -> np.ndarray:
    return np.array([counts[..., age:].sum() for age in THRESHOLDS])


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


def remainder(china: China, grid: SurvivalGrid, code: int) -> np.ndarray:
    """Change of cohorts 2000-2010, per year, that the nation's survival leaves unexplained; dims sex, age.

    It holds migration, mortality other than the nation's tables, and how well the censuses counted.
    """
    earlier, later = province_at(china, code, 2000), province_at(china, code, START)
    steps = np.arange(STEPS)
    expected = _carry(earlier[None], grid, steps, np.zeros(1), np.ones((1, *earlier.shape)))[0]
    edges = np.arange(0, LAST_CHANGE_AGE + 1, 5)
    rate = (
        np.log(
            (np.add.reduceat(later, edges, axis=1) + 1)
            / (np.add.reduceat(expected, edges, axis=1) + 1)
        )
        / STEPS
    )
    rate[:, edges < STEPS] = 0
    return np.stack([np.interp(AGES, np.maximum(edges - 2.5, 0), row) for row in rate])


def urban_slope(changes: dict[int, np.ndarray], urban: pd.Series, population: pd.Series) -> float:
    """Slope of the ten-year change of cohorts at 60-69 on the urban share, across provinces 2000-2010."""
    codes = sorted(changes)
    change = [STEPS * changes[code][:, URBAN_AGES].mean() for code in codes]
    return float(np.polyfit(urban[codes], change, 1, w=np.sqrt(population[codes]))[0])


def death_index(china: China, grid: SurvivalGrid, codes: list[int], base: np.ndarray) -> np.ndarray:
    """Crude death rate of 2010 over what the nation's rates give at the area's ages, the nation's being 1."""
    index = START - int(grid.years[0])
    middle = len(ALPHA_GRID) // 2
    dying = 1 - grid.ratios[index, :, middle, 1:]
    expected = (base * dying).sum(axis=(1, 2)) / base.sum(axis=(1, 2)) * 1e3
    printed = (
        china.areas.xs(START, level="year")["crude_death_rate_permille"]
        .reindex(codes)
        .to_numpy(float)
    )
    ratio = np.where(printed > 0, printed / expected, np.nan)
    people = base.sum(axis=(1, 2))
    nation = np.nansum(ratio * people) / people[np.isfinite(ratio)].sum()
    return np.where(np.isfinite(ratio), ratio / nation, 1.0)


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


def predict(
    setting: Setting, province_weight: float, death_index_weight: float, urban_weight: float
) -> np.ndarray:
    """People from each threshold on in 2020, as projected from 2010.

    Defined as::  change  = nation + w (province - nation) + u slope (urban share - province's) / 10
                  alpha   = ½ v ln(death index)

    with w, v, u the weights: how much of a province's own past change goes on, how far the area's
    crude death rate is believed, and how far the pull of towns seen between provinces holds within.

    Returns : array [person]  dims area, threshold
    """
    change = setting.nation + province_weight * (setting.province - setting.nation)
    change = change + (urban_weight * setting.urban_slope * setting.urban / STEPS)[:, None, None]
    alpha = 0.5 * death_index_weight * np.log(setting.death_index)
    steps = np.arange(START, END) - int(setting.grid.years[0])
    ended = _carry(setting.base, setting.grid, steps, alpha, np.exp(change))
    return np.stack([ended[..., age:].sum(axis=(1, 2)) for age in THRESHOLDS], axis=1)


def half_of(setting: Setting) -> np.ndarray:
    """Which half of the provinces an area lies in: True for every second province in the order of codes."""
    provinces = sorted(setting.areas["province"].unique())
    return setting.areas["province"].isin(provinces[::2]).to_numpy()


def choose_weights(setting: Setting, rows: np.ndarray) -> tuple[float, float, float]:
    """The three weights with the smallest median errors of 60+, 65+ and 80+ over some of the areas."""
    wanted = [THRESHOLDS.index(age) for age in (60, 65, 80)]
    part = setting.of(rows)
    best, least = (0.0, 0.0, 0.0), np.inf
    for weights in itertools.product(PROVINCE_WEIGHTS, DEATH_INDEX_WEIGHTS, URBAN_WEIGHTS):
        error = np.abs(predict(part, *weights) / part.observed - 1)
        score = np.median(error[:, wanted], axis=0).sum()
        if score < least - 1e-9:
            (province, deaths, urban), least = weights, score
            best = float(province), float(deaths), float(urban)
    return best


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
def cross_predict(setting: Setting) -> tuple[np.ndarray, dict[str, tuple[float, float, float]]]:
    """Projections of 2020 in which each half of the provinces has the weights chosen on the other.

    Defined as::  census of 2010 carried to 2020 with what was known in 2010; error = ln(counted / projected)
    """
    first = half_of(setting)
    weights = {
        "first half": choose_weights(setting, ~first),
        "second half": choose_weights(setting, first),
    }
    out = np.where(
        first[:, None],
        predict(setting, *weights["first half"]),
        predict(setting, *weights["second half"]),
    )
    return out, weights


def rivals(china: China, setting: Setting) -> dict[str, np.ndarray]:
    """Plain projections of 2020 to be better than; array [person] dims area, threshold each.

    `no change`, `constant growth` (of the province 2000-2010), `Hamilton-Perry` (the province's ratios of
    2000-2010), `closed, national death rates` (level of the official life expectancy of 2010, falling as
    seen from 2000 to 2010), and the same with the raw census deaths, which are known to be too few.
    """
    still = np.stack([setting.base[..., age:].sum(axis=(1, 2)) for age in THRESHOLDS], axis=1)
    growth, ratios = {}, {}
    for code in setting.areas["province"].unique():
        earlier, later = province_at(china, code, 2000), province_at(china, code, START)
        growth[code] = _people_from(later) / _people_from(earlier)
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
