"""Every area of China at once: the same projection for counties, prefectures and provinces, adding up.

The rule by which they add up: the nation is projected by itself; its provinces are scaled, in each year
and five-year age, so that their means sum to its mean; the prefectures of a province and the counties of
a prefecture likewise. Only then is the error of projection put on, which keeps every mean (see
`population.error_factor`). So means add up exactly; medians and ranges of parts never do.

How the errors of a family go together stands in `family`: each area, the nation among them, has one latent
standard normal draw (`family.stream_of(code)`); the score of an area's error is the sum over its line of the
weights of `family.lines(china)[code]` times those draws (`family.error_scores`); `population.error_factor` makes of the score a
factor on people, by year and five-year age, whose spread is `Area.error_left`.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.inputs.draws import DEFAULT_DRAWS, Assumptions, choose_rows, draw_assumptions
from eldercare.inputs.load import BASELINE, NATION, China, Project
from eldercare.model.area import (
    Area,
    Rates,
    child_woman_ratio,
    describe_area,
    national_change,
    rates_of,
)
from eldercare.model.base import BASE_YEAR, base_populations, national_population, province_of
from eldercare.model.counts import ALL_COUNTS, NO_COUNTS, Counted, Evidence, meet, usable_counts
from eldercare.model.facts import beyond_seen, facts_change
from eldercare.model.family import above, error_spread, lines
from eldercare.model.population import (
    BAND_OF_AGE,
    BANDS,
    carry,
    check_horizon,
    error_left,
    log_spread,
    national_growth,
    people_with_error,
    projected_counts,
    survival_places,
)

QUANTITIES = {
    "population_total": 0,
    "population_60_plus": 60,
    "population_65_plus": 65,
    "population_80_plus": 80,
    "population_85_plus": 85,
}
STATISTICS = ("mean", "low", "central", "high")
LEVELS = (0.1, 0.5, 0.9)
LAST_YEAR = 2050
LONGEST_LINE = 4
FEW_PEOPLE, VERY_OLD, FAR_CHANGE = 20_000, 0.3, 2.0
WORKERS = 2


def area_inputs(china: China, codes=None) -> xr.Dataset:
    """What the censuses and life tables say of many areas, ready to be projected.

    codes   : the areas; without them all areas of the census of 2020
    Returns : Dataset with the dim area, sorted by code: base [sex, age], change_facts [age],
              fertility_ratio, error_scale [age], error_freedom, error_correlation, line_codes, line_weights
              (see `family`), province, parent (the area above), and `asked`: whether it is one of the codes;
              the areas above them and beside those, which all must add up, are there too
    """
    every = _area_inputs(china)
    if codes is None:
        return every
    known, parents = every["area"].values, every["parent"].values
    asked = np.isin(known, list(codes))
    needed = asked.copy()
    above = set(parents[asked])
    while above - {NATION}:
        needed |= np.isin(parents, list(above - {NATION})) | np.isin(known, list(above))
        above = {parent for code, parent in zip(known, parents) if code in above}
    return every.assign(asked=("area", asked)).isel(area=np.flatnonzero(needed))


@lru_cache(maxsize=2)
def _area_inputs(china: China) -> xr.Dataset:
    everyone = base_populations(china, 2020)
    everyone = everyone.isel(area=np.isfinite(everyone.values).all(axis=(1, 2)))
    known = [int(code) for code in everyone["area"].values]
    provinces = [province_of(code) for code in known]
    reference = child_woman_ratio(national_population(china, 2020))
    spreads = [error_spread(china, counts.sum()) for counts in everyone.values]
    found = lines(china)
    # Lines are of two to four areas; the shorter ones are filled up with their first, at no weight.
    upward = [((NATION, 0.0),) * (LONGEST_LINE - len(found[c])) + found[c] for c in known]
    return xr.Dataset(
        {
            "base": everyone,
            "change_facts": (("area", "age"), facts_change(china).sel(area=known).values),
            "fertility_ratio": (
                "area",
                [child_woman_ratio(counts) / reference for counts in everyone.values],
            ),
            "error_scale": (("area", "age"), np.array([scale for scale, _, _ in spreads])),
            "error_freedom": ("area", [freedom for _, freedom, _ in spreads]),
            "error_correlation": ("area", [correlation for _, _, correlation in spreads]),
            "province": ("area", provinces),
            "parent": ("area", [above(code, set(known)) for code in known]),
            "line_codes": (
                ("area", "step"),
                np.array([[code for code, _ in one] for one in upward]),
            ),
            "line_weights": (
                ("area", "step"),
                np.array([[part for _, part in one] for one in upward]),
            ),
            "asked": ("area", np.ones(len(known), bool)),
            "change_nation": (("sex", "age"), national_change(china)),
        },
        coords={"area": known},
    )


def project_areas(
    inputs: xr.Dataset,
    china: China,
    assumptions: Assumptions,
    last_year: int = LAST_YEAR,
    until: str = ALL_COUNTS,
) -> xr.DataArray:
    """Project many areas and sum them up: mean, low, central, high of each quantity and year.

    With Dask-backed inputs, chunked by whole provinces (see `chunk_by_province`), the work is left to
    Dask and gives the same numbers; else two threads share the provinces.

    inputs  : as `area_inputs` gives them
    until   : the last day of counts since the census that are used (see `counts`)
    Returns : array [person]  dims area (those asked for), quantity, year, statistic (10th, 50th, 90th percentile,
              and the mean)
    Raises  : ValueError if the last year is before 2021 or after the UN's projections in use
    """
    rates = rates_of(china)
    check_horizon(rates, last_year, "the areas")
    evidence = _evidence(china, assumptions, until)
    shared = _factor_of_parts(china, assumptions, NATION, max(last_year, LAST_YEAR), evidence)
    settings: dict[str, Any] = {
        "rates": rates,
        "assumptions": assumptions,
        "last_year": last_year,
        "of_provinces": shared[: last_year - 2019],
        "evidence": evidence,
    }
    if inputs.chunks:
        sizes = tuple(
            int(inputs["asked"].values[inputs["province"].values == code].sum())
            for code in _provinces(inputs)
        )
        template = _empty_result(inputs, last_year).chunk({"area": sizes})
        return xr.map_blocks(_project_families, inputs, kwargs=settings, template=template)
    groups = [
        inputs.isel(area=np.flatnonzero(inputs["province"].values == code))
        for code in _provinces(inputs)
    ]
    groups.sort(key=lambda group: -group.sizes["area"])
    with ThreadPoolExecutor(WORKERS) as pool:
        done = list(pool.map(lambda group: _project_families(group, **settings), groups))
    return xr.concat(done, "area").sel(area=inputs["area"].values[inputs["asked"].values])


def chunk_by_province(inputs: xr.Dataset) -> xr.Dataset:
    """The same inputs as Dask arrays, a chunk for each province, so that parts and sums stay together."""
    sizes = [int((inputs["province"].values == code).sum()) for code in _provinces(inputs)]
    return inputs.chunk({"area": tuple(sizes)})


def settled_area(
    project: Project,
    adcode: int,
    scenario: str = BASELINE,
    draws: int = DEFAULT_DRAWS,
    until: str = ALL_COUNTS,
) -> Area:
    """An area as `area.describe_area` tells it, with the factor `settled` by which it adds up with the areas beside it.

    Its error is what the ranges of the assumptions leave of the back-test's (`population.error_left`).

    Defined as::  settled = mean of the area above, settled / sum of the means of its parts
                            x mean of people / mean of people with error

    by year and five-year age, the means without error but for the last, and as counts since the census move them
    (see `counts`). It is that of the national assumptions: a city with rows of its own is projected with these, and
    then differs from its part of the whole by what they say.

    draws   : of the assumptions whose means add up exactly
    until   : the last day of counts that are used; `counts.NO_COUNTS` for none
    Returns : Area
    Raises  : KeyError if the census of 2020 has no such area, or for an unknown scenario
    """
    return _settled(project.china, _of_population(project, scenario, draws), adcode, until)


def settled_family(
    project: Project,
    whole: int,
    scenario: str = BASELINE,
    draws: int = DEFAULT_DRAWS,
    until: str = ALL_COUNTS,
) -> Iterator[Area]:
    """`settled_area` of each area directly below one, in the order of their codes, each projected but once."""
    china, assumptions = project.china, _of_population(project, scenario, draws)
    evidence = _evidence(china, assumptions, until)
    families = _below(china, assumptions, whole, LAST_YEAR, evidence)
    rows = range(len(families.codes))
    people = [families.people(row) for row in rows]
    parts = reduce(np.add, [families.learned(row, own)[1] for row, own in zip(rows, people)])
    factor = _factor_of_whole(china, assumptions, whole, LAST_YEAR, evidence, parts)
    for row, own in zip(rows, people):
        learned, mean = families.learned(row, own)
        area = replace(
            describe_area(china, int(families.codes[row])),
            error_left=learned.error_left,
            middle=learned.middle,
            kept=learned.kept,
        )
        yield _keep(area, assumptions, own, mean, factor)


def parts_of(china: China) -> dict[int, list[int]]:
    """The codes directly below each area that has any, the nation's provinces first."""
    inputs = _area_inputs(china)
    found: dict[int, list[int]] = {}
    for code, whole in zip(inputs["area"].values.tolist(), inputs["parent"].values.tolist()):
        found.setdefault(whole, []).append(code)
    return dict(sorted(found.items()))


def _of_population(project: Project, scenario: str, draws: int) -> Assumptions:
    """The nation's assumptions: those of the baseline where a scenario leaves the population as it is."""
    same = scenario != BASELINE and _population_rows(project, scenario) == _population_rows(
        project, BASELINE
    )
    return national_assumptions(project, BASELINE if same else scenario, draws)


@lru_cache(maxsize=32)
def _population_rows(project: Project, scenario: str) -> str:
    """The national rows that a population rests on, as text; most scenarios leave them as they are."""
    steps = project.assumption_steps.set_index("assumption")["step"]
    rows = choose_rows(project, None, scenario)
    return (
        rows[rows["assumption"].map(steps).fillna("population") == "population"]
        .drop(columns=["chosen_from", "note"])
        .to_csv()
    )


@lru_cache(maxsize=256)
def _settled(
    china: China, assumptions: Assumptions, adcode: int, until: str, last_year: int = LAST_YEAR
) -> Area:
    """An area as of `settled_area`, settled up to a year."""
    before = _before_counts(china, assumptions, adcode, LAST_YEAR)
    people = _people_of(china, assumptions, adcode, last_year)
    evidence, factor = _evidence(china, assumptions, until), np.ones((1, 1))
    if adcode != NATION:
        (*_, (whole, _), _own) = lines(china)[adcode]
        factor = _factor_of_parts(china, assumptions, whole, LAST_YEAR, evidence)
    area, mean = _learned(before, evidence)
    return _keep(area, assumptions, people, mean, factor)


def _keep(
    area: Area, assumptions: Assumptions, people: np.ndarray, mean: np.ndarray, factor: np.ndarray
) -> Area:
    """The area with what keeps the mean of its people, as counts moved it, when the error comes, and the factor."""
    found = people_with_error(area, assumptions, people).mean(axis=0)
    years = slice(len(found))
    return replace(area, settled=factor[years] * _ratio(mean[years], found))


def keep_mean(area: Area, rates: Rates, assumptions: Assumptions, places: tuple) -> Area:
    """An area that is no part of a family, with `settled` by which the error of projection keeps its mean.

    places : as `population.survival_places` gives them, to 2050
    """
    people = _people(area, rates, assumptions, LAST_YEAR, places)
    area = replace(area, error_left=error_left(area, assumptions, people))
    return _keep(area, assumptions, people, people.mean(axis=0), np.ones((1, 1)))


@lru_cache(maxsize=4)
def _evidence(china: China, assumptions: Assumptions, until: str) -> Evidence | None:
    """The counts up to a day beside what is projected without any; None if there are none."""
    rows = usable_counts(china.counts, until)
    if rows.empty:
        return None
    return Evidence(counted_beside(china, assumptions, rows), lines(china), assumptions)


def counted_beside(
    china: China, assumptions: Assumptions, rows: pd.DataFrame, until: str = NO_COUNTS
) -> list[Counted]:
    """Counts beside what is projected of the same people, by default without any count.

    rows    : of `China.counts`
    Returns : one a row, in the order of the rows
    Raises  : KeyError if the census of 2020 has no such area
    """
    rates, found = rates_of(china), {}
    for code, part in rows.groupby("adcode"):
        last = max(int(part["date"].max()[:4]), 2021)
        check_horizon(rates, last, f"area {code}")
        area = _settled(china, assumptions, int(code), until, last)
        people = _with_known_births(china, projected_counts(rates, area, assumptions, last))
        spread = _before_counts(china, assumptions, int(code), LAST_YEAR).spread
        for index, row in zip(part.index, part.to_dict("records")):
            found[index] = meet(row, people, spread)
    return [found[index] for index in rows.index]


def _with_known_births(china: China, people: np.ndarray) -> np.ndarray:
    """People with those born from 2020 on as the UN has births, so that a share of all moves nobody by fertility.

    Defined as::  people born in a year = people born in 2019 x births of the nation in the year / in 2019

    people : array [person]  dims draw, year (2020 …), sex, age
    """
    table = china.wpp_annual
    births = table[(table["indicator"] == "births") & (table["sex"] == "both")]
    by_year = births.set_index("year")["central"]
    people = people.copy()
    for place in range(people.shape[1]):
        for age in range(place + 1):
            share = by_year[BASE_YEAR + place - age] / by_year[BASE_YEAR - 1]
            people[:, place, :, age] = people[:, 0, :, 1] * share
    return people


@dataclass(frozen=True, eq=False)
class _BeforeCounts:
    """What counts of any day find: small beside the draws, which need not be made again for another day's.

    area         : with its error, which is what the ranges of the assumptions leave of the back-test's
    mean, spread : arrays [person], [share]  dims year, five-year age: of the draws, see `population.log_spread`
    """

    area: Area
    mean: np.ndarray
    spread: np.ndarray


def _met_by_counts(area: Area, assumptions: Assumptions, people: np.ndarray) -> _BeforeCounts:
    """people : array [person]  dims draw, year, five-year age: without error"""
    area = replace(area, error_left=error_left(area, assumptions, people))
    return _BeforeCounts(area, people.mean(axis=0), log_spread(area, assumptions, people))


@lru_cache(maxsize=512)
def _before_counts(
    china: China, assumptions: Assumptions, code: int, last_year: int
) -> _BeforeCounts:
    people = _people_of(china, assumptions, code, last_year)
    return _met_by_counts(describe_area(china, code), assumptions, people)


def _learned(before: _BeforeCounts, evidence: Evidence | None) -> tuple[Area, np.ndarray]:
    """An area with what counts leave of its range, and its mean as they move it; dims year, five-year age."""
    if evidence is None:
        return before.area, before.mean
    moved, kept = evidence.of(before.area.adcode, before.spread, before.mean)
    return replace(before.area, middle=before.mean, kept=kept), before.mean * moved


@lru_cache(maxsize=2 * WORKERS)
def _people_of(china: China, assumptions: Assumptions, code: int, last_year: int) -> np.ndarray:
    area, rates = describe_area(china, code), rates_of(china)
    return _people(area, rates, assumptions, last_year, *_shared(china, assumptions, last_year))


@lru_cache(maxsize=8)
def _shared(china: China, assumptions: Assumptions, last_year: int) -> tuple[tuple, np.ndarray]:
    """Places on the survival grid and the nation's change of cohorts: the same for every area."""
    places = survival_places(rates_of(china), assumptions, np.arange(2021, last_year + 1))
    return places, national_growth(describe_area(china, NATION), assumptions)


def _people(
    area: Area,
    rates: Rates,
    assumptions: Assumptions,
    last_year: int,
    places=None,
    national: np.ndarray | None = None,
) -> np.ndarray:
    """People of both sexes by draw, year end and five-year age, without error."""
    places = places or survival_places(rates, assumptions, np.arange(2021, last_year + 1))
    settings: dict[str, Any] = {"band": BAND_OF_AGE, "national": national, "by_sex": False}
    return carry(area, rates, assumptions, last_year, places, **settings)[:, :, 0]


@lru_cache(maxsize=4)
def national_assumptions(
    project: Project, scenario: str = BASELINE, draws: int = DEFAULT_DRAWS
) -> Assumptions:
    """The nation's assumptions, drawn once, so that what counts say is worked out once too."""
    return draw_assumptions(project, None, scenario, draws)


@lru_cache(maxsize=64)
def _factor_of_parts(
    china: China, assumptions: Assumptions, code: int, last_year: int, evidence: Evidence | None
) -> np.ndarray:
    """By what the areas directly below one are scaled so that all add up to the nation; dims year, five-year age."""

    def mean(part: int) -> np.ndarray:
        return _learned(_before_counts(china, assumptions, part, last_year), evidence)[1]

    with ThreadPoolExecutor(WORKERS) as pool:
        parts = reduce(np.add, pool.map(mean, parts_of(china)[code]))
    return _factor_of_whole(china, assumptions, code, last_year, evidence, parts)


def _below(
    china: China, assumptions: Assumptions, code: int, last_year: int, evidence: Evidence | None
) -> _Families:
    """The areas directly below one."""
    inputs = area_inputs(china)
    inputs = inputs.isel(area=np.flatnonzero(inputs["parent"].values == code))
    return _Families(inputs, rates_of(china), assumptions, last_year, evidence)


def _factor_of_whole(
    china: China,
    assumptions: Assumptions,
    code: int,
    last_year: int,
    evidence: Evidence | None,
    parts: np.ndarray,
) -> np.ndarray:
    """`_factor_of_parts` from the means of the parts together."""
    whole = _learned(_before_counts(china, assumptions, code, last_year), evidence)[1]
    factor = _ratio(whole, parts)
    if code == NATION:
        return factor
    (*_, (above_it, _), _own) = lines(china)[code]
    return _factor_of_parts(china, assumptions, above_it, last_year, evidence) * factor


def _ratio(whole: np.ndarray, parts: np.ndarray) -> np.ndarray:
    return np.divide(whole, parts, out=np.ones_like(whole), where=parts > 0)


def _provinces(inputs: xr.Dataset) -> list[int]:
    return sorted({int(code) for code in inputs["province"].values})


def _empty_result(inputs: xr.Dataset, last_year: int) -> xr.DataArray:
    coords = {
        "area": inputs["area"].values[inputs["asked"].values],
        "quantity": list(QUANTITIES),
        "year": np.arange(2020, last_year + 1),
        "statistic": list(STATISTICS),
    }
    shape = [len(values) for values in coords.values()]
    return xr.DataArray(np.zeros(shape), dims=tuple(coords), coords=coords, name="population")


def _project_families(
    inputs: xr.Dataset,
    rates: Rates,
    assumptions: Assumptions,
    last_year: int,
    of_provinces: np.ndarray,
    evidence: Evidence | None,
) -> xr.DataArray:
    """Areas of some provinces: each family of parts is scaled to the whole above it."""
    out = _empty_result(inputs, last_year)
    families = _Families(inputs, rates, assumptions, last_year, evidence)
    for row in np.flatnonzero(families.facts["parent"] == NATION):
        _settle(families, int(row), families.people(int(row)), of_provinces, out)
    return out


def _settle(
    families: _Families, row: int, people: np.ndarray, factor: np.ndarray, out: xr.DataArray
) -> None:
    """Write down one area and scale its parts to it, down to the smallest.

    people : array [person]  dims draw, year, five-year age: without error, not yet scaled by the factor
    """
    parts = families.parts(row)
    below = [families.people(part) for part in parts]
    if parts:
        means = [families.learned(part, own)[1] for part, own in zip(parts, below)]
        of_parts = factor * _ratio(families.learned(row, people)[1], reduce(np.add, means))
    if families.facts["asked"][row]:
        place = int(families.facts["asked"][:row].sum())
        out.values[place] = families.summary(row, people, factor)
    for part, own in zip(parts, below):
        _settle(families, part, own, of_parts, out)


class _Families:
    """Areas of a run, what they share, and the places on the survival grid, which provinces share."""

    def __init__(
        self,
        inputs: xr.Dataset,
        rates: Rates,
        assumptions: Assumptions,
        last_year: int,
        evidence: Evidence | None,
    ):
        self.facts = {name: array.values for name, array in inputs.data_vars.items()}
        self.codes = inputs["area"].values
        self.rates, self.assumptions = rates, assumptions
        self.years = np.arange(2020, last_year + 1)
        self.places = survival_places(rates, assumptions, self.years[1:])
        self.national = national_growth(self.area(0), assumptions)
        self.evidence = evidence
        self._known: dict[int, tuple[Area, np.ndarray]] = {}

    def parts(self, row: int) -> list[int]:
        """Rows of the areas directly below one."""
        return [int(part) for part in np.flatnonzero(self.facts["parent"] == self.codes[row])]

    def people(self, row: int) -> np.ndarray:
        """People of both sexes by draw, year end and five-year age, without error."""
        last = int(self.years[-1])
        settings = self.rates, self.assumptions, last, self.places, self.national
        return _people(self.area(row), *settings)

    def learned(self, row: int, people: np.ndarray) -> tuple[Area, np.ndarray]:
        """`_learned` of a row, once."""
        if row not in self._known:
            before = _met_by_counts(self.area(row), self.assumptions, people)
            self._known[row] = _learned(before, self.evidence)
        return self._known[row]

    def summary(self, row: int, people: np.ndarray, factor: np.ndarray) -> np.ndarray:
        """People with the area's error, scaled to its place in the family (see `settled_area`), in statistics.

        Returns : array [person]  dims quantity, year, statistic
        """
        area, mean = self.learned(row, people)
        found = people_with_error(area, self.assumptions, people)
        scale = factor * _ratio(mean, found.mean(axis=0))
        counted = np.array(list(QUANTITIES.values()))[:, None] <= BANDS
        # A product of matrices for each year: summing the few ages of each draw by themselves takes five times as long.
        summed = (counted * scale[:, None]) @ found.transpose(1, 2, 0)
        means = summed.mean(axis=-1)
        ranges = np.quantile(summed, LEVELS, axis=-1, overwrite_input=True)
        return np.stack([means, *ranges], axis=-1).swapaxes(0, 1)

    def area(self, row: int) -> Area:
        """The area of a row, as `area.describe_area` tells it, as far as it is projected from."""
        fact = {name: values[row] for name, values in self.facts.items() if name != "change_nation"}
        line = zip(fact["line_codes"].tolist(), fact["line_weights"].tolist())
        return Area(
            int(self.codes[row]),
            fact["base"],
            np.empty(0),
            0.0,
            True,
            fact["change_facts"],
            self.facts["change_nation"],
            float(fact["fertility_ratio"]),
            fact["error_scale"],
            float(fact["error_freedom"]),
            float(fact["error_correlation"]),
            tuple(line),
        )


def cautions(means: pd.DataFrame, china: China) -> pd.DataFrame:
    """What a reader of an area's figures must know: where they are further from experience than those of others.

    `assigned_code`  a development zone or the like, without a code of its own in the official list
    `few_people`     fewer than 20,000 in 2020: one barracks, campus or camp moves the figures
    `unusual_facts`  a fact beyond what the regression has seen, taken as if it were the most unusual seen
    `very_old`       more than three in ten aged 80 and over in the last year
    `far_change`     people more than doubled, or fewer than half, in the last year

    means   : table [person]  rows areas, columns (quantity, year)
    Returns : table [yes or no]  rows areas, a column for each
    """
    total, oldest = means["population_total"], means["population_80_plus"].iloc[:, -1]
    last = total.iloc[:, -1]
    growth = last / total.iloc[:, 0]
    rows = china.areas.xs(2020, level="year").reindex(last.index)
    return pd.DataFrame(
        {
            "assigned_code": rows["code_kind"] == "assigned",
            "few_people": total.iloc[:, 0] < FEW_PEOPLE,
            "unusual_facts": beyond_seen(china).reindex(last.index),
            "very_old": oldest / last > VERY_OLD,
            "far_change": (growth > FAR_CHANGE) | (growth < 1 / FAR_CHANGE),
        }
    )


def means_of(summary: xr.DataArray) -> pd.DataFrame:
    """The means of a summary as `cautions` takes them."""
    return summary.sel(statistic="mean", drop=True).to_series().unstack(["quantity", "year"])


def level_table(summary: xr.DataArray, code: int, years) -> pd.DataFrame:
    """The summary of one area: a row a quantity and year."""
    table = (
        summary.sel(area=code, year=list(years))
        .to_dataset("statistic")
        .to_dataframe()
        .reset_index()
    )
    return table[["quantity", "year", "low", "central", "high"]]
