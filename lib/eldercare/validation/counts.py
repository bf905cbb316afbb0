"""Counts since the census beside the projection, and whether a projection that learns from them foresees the next."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eldercare.engine.quantity import quantity
from eldercare.inputs.draws import DEFAULT_DRAWS
from eldercare.inputs.load import NATION, Project, nation_as_city
from eldercare.inputs.schema import ages_meant
from eldercare.model.areas import counted_beside, national_assumptions, settled_area
from eldercare.model.base import province_of
from eldercare.model.chain import QUANTILES
from eldercare.model.counts import ALL_COUNTS, NO_COUNTS, SURPRISE, usable_counts
from eldercare.model.population import people_in, project_area

LAST_OF_TEST = "2022-12-31"
KEPT = ["adcode", "date", "age", "sex", "unit", "basis", "kind", "trust", "file", "row"]


def compare_counts(project: Project, adcodes=None, draws: int = DEFAULT_DRAWS) -> pd.DataFrame:
    """Every count since the census beside what is projected of the same people without and with counts.

    Defined as::  ratio = counted / mean projected with counts

    which of registered people (户籍), who move no projection, says how many of them stand for a resident.

    adcodes : the areas; without them all that have counts
    Returns : table, a row a count: adcode, area, date, age, from_age, sex, unit, basis, kind, trust, file, row, counted, then
              low, central, high, mean without counts, the same with a suffix `_with` with them, chance (share of the
              draws without counts as far out as the count), used, held (by the 80 % range without counts),
              surprising (a chance below `SURPRISE`), ratio
    """
    counts = project.china.counts
    rows = counts if adcodes is None else counts[counts["adcode"].isin(list(adcodes))]
    assumptions = national_assumptions(project, draws=draws)
    without = counted_beside(project.china, assumptions, rows)
    with_counts = counted_beside(project.china, assumptions, rows, ALL_COUNTS)
    table = rows[KEPT].assign(counted=rows["value"])
    table.insert(1, "area", [_name(project, int(code)) for code in table["adcode"]])
    for suffix, found in (("", without), ("_with", with_counts)):
        for name, level in QUANTILES.items():
            table[name + suffix] = [float(np.quantile(one.drawn, level)) for one in found]
        table[f"mean{suffix}"] = [float(one.drawn.mean()) for one in found]
    table["from_age"] = [ages_meant(age)[0] for age in table["age"]]
    resident = table["basis"] == "resident"
    table["chance"] = np.where(resident, [one.chance for one in without], np.nan)
    table["used"] = table.index.isin(usable_counts(counts).index)
    table["held"] = (table["low"] <= table["counted"]) & (table["counted"] <= table["high"])
    table["surprising"] = table["chance"] < SURPRISE
    table["ratio"] = table["counted"] / table["mean_with"]
    return table.astype({"adcode": int}).reset_index(drop=True)


def predict_later(
    project: Project, until: str = LAST_OF_TEST, draws: int = DEFAULT_DRAWS
) -> pd.DataFrame:
    """Counts after a day, as a projection foresees them that knows none, and one that knows those up to the day.

    until   : the last day of counts that are known
    Returns : table, a row a later count of residents and way (`known`: none, up to the day): adcode, area, date, age,
              counted, mean, low, high, error (mean / counted - 1), inside (of the 80 % range), own_counts (whether
              the area itself has a count up to the day)
    """
    usable = usable_counts(project.china.counts)
    known, later = usable[usable["date"] <= until], usable[usable["date"] > until]
    assumptions, parts = national_assumptions(project, draws=draws), []
    for name, day in (("none", NO_COUNTS), (f"to {until}", until)):
        found = counted_beside(project.china, assumptions, later, day)
        mean = np.array([one.drawn.mean() for one in found])
        low, high = (
            np.array([np.quantile(one.drawn, level) for one in found])
            for level in (QUANTILES["low"], QUANTILES["high"])
        )
        counted = later["value"].to_numpy()
        part = later[["adcode", "date", "age"]].assign(
            known=name,
            counted=counted,
            mean=mean,
            low=low,
            high=high,
            error=mean / counted - 1,
            inside=(low <= counted) & (counted <= high),
            own_counts=later["adcode"].isin(known["adcode"]),
        )
        part.insert(1, "area", [_name(project, int(code)) for code in part["adcode"]])
        parts.append(part.astype({"adcode": int}))
    return pd.concat(parts, ignore_index=True)


def sum_up_later(later: pd.DataFrame) -> pd.DataFrame:
    """Errors and coverage of `predict_later`, by the way, the age and the year.

    Returns : table known, age, year, counts, share_median, share_mean, share_worst,
              signed_bias (median), share_held
    """
    rows = later.assign(year=later["date"].str[:4].astype(int), size=later["error"].abs())
    return (
        rows.groupby(["age", "year", "known"])
        .agg(
            counts=("error", "size"),
            share_median=("size", "median"),
            share_mean=("size", "mean"),
            share_worst=("size", "max"),
            signed_bias=("error", "median"),
            share_held=("inside", "mean"),
        )
        .reset_index()
    )


@quantity(
    name="moved_by_counts",
    unit="ratio",
    of=("census_all_areas", "change_weights", "projection_error", "counts"),
)
def before_and_after(
    project: Project,
    adcode: int,
    ages=(60, 65, 80),
    years=None,
    draws: int = DEFAULT_DRAWS,
    relative: bool = False,
) -> pd.DataFrame:
    """The projection of an area without and with counts since the census, and what was counted at ends of years.

    Defined as::  people projected, or counted / mean of people projected without counts - 1

    ages     : from which on people are counted
    relative : told as a share of the mean without counts, less 1, in which what counts do can be seen
    Returns  : table area, counts (without, with, counted), age, year, mean, low, central, high, unit [person or share]
    """
    assumptions, parts = national_assumptions(project, draws=draws), []
    for name, until in (("without", NO_COUNTS), ("with", ALL_COUNTS)):
        area = settled_area(project, adcode, draws=draws, until=until)
        population = project_area(project.china, area, assumptions)
        years = population["year"].values if years is None else list(years)
        for age in ages:
            people = people_in(population.sel(year=years), age).transpose("draw", "year").values
            values = {key: np.quantile(people, level, axis=0) for key, level in QUANTILES.items()}
            values["mean"] = people.mean(axis=0)
            parts.append(pd.DataFrame({"counts": name, "age": f"{age}+", "year": years, **values}))
    rows = usable_counts(project.china.counts)
    shown = rows["age"].isin([f"{age}+" for age in ages]) & rows["date"].str.endswith("-12-31")
    rows = rows[shown & (rows["adcode"] == adcode) & (rows["sex"] == "")].assign(counts="counted")
    rows = rows[rows["unit"] == "person"].assign(year=lambda row: row["date"].str[:4].astype(int))
    rows = rows[rows["year"].isin(years)]
    values = dict.fromkeys(("mean", *QUANTILES), rows["value"])
    columns = ["counts", "age", "year", "mean", *QUANTILES]
    table = pd.concat([*parts, rows.assign(**values)], ignore_index=True)[columns]
    table.insert(0, "area", _name(project, adcode))
    if relative:
        before = table[table["counts"] == "without"].set_index(["age", "year"])["mean"]
        known = before.loc[pd.MultiIndex.from_frame(table[["age", "year"]])].to_numpy()
        table[["mean", *QUANTILES]] = table[["mean", *QUANTILES]].div(known, axis=0) - 1
    return table.assign(unit="share" if relative else "person")


def told_counts(table: pd.DataFrame) -> pd.DataFrame:
    """`compare_counts` with its columns named as tables and sentences tell them."""
    names = {"counted": "counted_value", "mean": "projected_value", "mean_with": "learned_value"}
    return table.rename(columns={**names, "ratio": "ratio_counted"}).assign(
        signed_before=table["mean"] / table["counted"] - 1,
        signed_after=table["mean_with"] / table["counted"] - 1,
    )


def sum_up_counts(table: pd.DataFrame) -> pd.DataFrame:
    """What `compare_counts` says of the projection that knows no count, in one row.

    Returns : table counts [number], share_held, share_error (median, without sign)
    """
    used = table[table["used"]]
    error = (used["mean"] / used["counted"] - 1).abs().median()
    row = {"counts": len(used), "share_held": used["held"].mean(), "share_error": error}
    return pd.DataFrame([row])


def whole_areas(project: Project) -> list[int]:
    """The nation and the provinces of the project's cities."""
    return [NATION, *sorted({province_of(city.adcode) for city in project.cities.values()})]


def _name(project: Project, adcode: int) -> str:
    """The area's name in Chinese, which `Language` tells in the reader's."""
    if adcode == NATION:
        return nation_as_city().name_zh
    return str(project.china.areas.loc[(adcode, 2020), "name"])
