"""Counts since the census beside the projection, whether a projection that learns from them foresees the next, and
the nation beside all that is published of it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from eldercare.analysis.compare import public_money
from eldercare.analysis.definitions import people_by_definition
from eldercare.engine.arrays import Array, part, sum_over
from eldercare.engine.quantity import Calculation, quantity
from eldercare.inputs.draws import DEFAULT_DRAWS
from eldercare.inputs.load import NATION, Project, area_as_city, nation_as_city
from eldercare.inputs.schema import ages_meant
from eldercare.model.areas import counted_beside, national_assumptions, settled_area
from eldercare.model.base import AGES, province_of
from eldercare.model.chain import BASE_YEAR, QUANTILES, inputs_of
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


# How the figures published of the nation are met: by need, by today's habits, or neither; and whether a
# row or the projection was fitted to what was published, so that agreement proves nothing.
NATIONAL: dict[str, tuple[str, bool]] = {
    "people_60_plus": ("", True),
    "people_65_plus": ("", True),
    "limited": ("", False),
    "limited_65": ("", False),
    "disabled_by_survey": ("", True),
    "limited_or_dependent": ("", True),
    "residents": ("use", True),
    "beds_of_residents": ("use", True),
    "beds_all": ("need", False),
    "nursing_bed_share": ("use", False),
    "caregivers": ("", True),
    "allowance_recipients": ("", True),
    "old_age_welfare": ("use", True),
    "eldercare_services": ("use", False),
    "insured": ("use", False),
    "insurance": ("use", True),
}
# Which of them others' estimates of people in need of care stand beside, by their definition.
ESTIMATES = {
    "cheng_2024": "limited",
    "gong_2022": "limited",
    "jamda_2023": "limited_65",
    "zhang_2025": "limited_65",
    "nhsa_2025": "disabled_by_survey",
    "drc_2022": "limited_or_dependent",
}
FIRST_YEAR, LAST_YEAR_PUBLISHED = 2020, 2025
# A figure farther off is told with its reason; beds and care workers already when half as far.
OFF, CLOSER, OLDER = 0.2, 0.1, 65
BEDS_AND_WORKERS = ["beds_all", "beds_of_residents", "caregivers"]
NATION_DRAWS = 256


def published_of_nation(project: Project) -> pd.DataFrame:
    """All that is published of the nation for the years since the census, one under the other.

    Returns : table national (the figure), year, published, unit, source_id, note_en, note_zh
    Source  : data/china/counts.csv, published_care_need.csv, published_services.csv,
              published_money.csv; data/world/care_use.csv
    """
    china = project.china
    people = usable_counts(china.counts).query("adcode == @NATION and age in ['60+', '65+']")
    people = people.assign(
        national="people_" + people["age"].str.removesuffix("+") + "_plus",
        year=people["date"].str[:4].astype(int),
        published=people["value"],
        note_en="",
        note_zh="",
    )
    need = china.published_care_need
    need = need.assign(national=need["series"].map(ESTIMATES)).dropna(subset=["national"])
    rest = pd.concat([china.published_services, china.published_money])
    rest = pd.concat([need, rest.assign(national=rest["series"])])
    parts = [people, rest.rename(columns={"central": "published"})]
    if project.world is not None:
        users = project.world.care_use
        homes = users[users["series"] == "china_residents"].assign(
            national="residents", note_en="", note_zh=""
        )
        parts.insert(2, homes.rename(columns={"value": "published"}))
    columns = ["national", "year", "published", "unit", "source_id", "note_en", "note_zh"]
    table = pd.concat([part[columns] for part in parts], ignore_index=True)
    table = table[table["year"].between(FIRST_YEAR, LAST_YEAR_PUBLISHED)]
    order = {name: place for place, name in enumerate(NATIONAL)}
    return table.sort_values(
        ["national", "year", "source_id"],
        key=lambda column: column.map(order) if column.name == "national" else column,
        ignore_index=True,
    )


def national_figures(calculation: Calculation) -> dict[str, Array]:
    """What the chain says of an area of each figure published of the nation; sums add up over areas.

    Defined as::  beds_of_residents    = residents with today's habits / occupancy observed
                  allowance_recipients = people of 80 and over x coverage of the allowance
                  insured              = severe cases in paid care with today's habits x share that insurance pays
                  nursing beds and beds in institutions apart, for their share; all else a quantity

    Returns : arrays [person, bed, worker or yuan of the year]  dims year, draw
    """
    people = people_by_definition(calculation)
    young = (np.arange(len(AGES)) < OLDER)[:, None]
    rates = calculation["limitation_prevalence"]
    known = calculation.kept_if({"limitation_prevalence"})
    older = Calculation(
        calculation.given,
        {**known, "limitation_prevalence": rates.copy(data=np.where(young, 0.0, rates.values))},
    )
    residents = part(calculation["residents_in_institutions"], measure="use")
    severe = part(
        calculation["people_by_severity_and_setting"], measure="use", severity="severe",
        setting=["home_service", "day_care", "institution"],
    )  # fmt: skip
    beds = part(calculation["beds_needed"], measure="use")
    money = public_money(calculation)
    level = calculation["price_level_by_year"]
    return {
        "people_60_plus": calculation["population_60_plus"],
        "people_65_plus": calculation["population_65_plus"],
        "limited": people["any ADL limitation"],
        "limited_65": sum_over(older["limited_by_adl"], "severity"),
        "disabled_by_survey": people["fifth national survey"],
        "limited_or_dependent": people["ADL or IADL"],
        "residents": residents,
        "beds_of_residents": residents / calculation["observed_occupancy"],
        "beds_all": part(calculation["beds_total_needed"], measure="need"),
        "nursing_beds": sum_over(part(beds, bed_type=["nursing", "dementia"]), "bed_type"),
        "institution_beds": sum_over(beds, "bed_type"),
        "caregivers": part(calculation["caregivers_stock"], path="today"),
        "allowance_recipients": calculation["population_80_plus"]
        * calculation["old_age_allowance_coverage"],
        "insured": sum_over(severe, "setting") * calculation["insurance_coverage_in_force"],
        **{name: amount * level for name, amount in money.items()},
    }


@quantity(name="nation_beside_published", unit="ratio", of=())
def reconcile_nation(project: Project, draws: int = NATION_DRAWS) -> pd.DataFrame:
    """The chain run for the nation, and for each province and summed, beside what is published.

    Defined as::  ratio = middle of ours / published;
                  off: farther from 1 than `OFF`, of beds and care workers than `CLOSER`

    But for the factors of their places the draws of all provinces are those of the nation, so that they are
    summed draw by draw.

    Returns : table national, year, measure, published, low, central, high (the nation), provinces (middle of
              their sum), ratio, ratio_provinces, tied (a row of ours was fitted to it: `yes` or `no`), off (of the
              sum of the provinces or of the nation), unit, source_id, note_en, note_zh
    """
    table = published_of_nation(project)
    last = int(table["year"].max())
    areas = project.china.areas.xs(BASE_YEAR, level="year")
    codes = areas.index[areas["level"] == "province"]
    nation, years = _area_figures(project, NATION, draws, last)
    whole: dict[str, np.ndarray] = {}
    for code in codes:
        found, _ = _area_figures(project, int(code), draws, last)
        whole = {name: whole.get(name, 0.0) + values for name, values in found.items()}
    rows = []
    for row in table.to_dict("records"):
        place = row["year"] - years
        ends = np.quantile(_one(nation, row["national"])[place], list(QUANTILES.values()))
        measure, tied = NATIONAL[row["national"]]
        rows.append(
            {
                **row,
                "measure": measure,
                **dict(zip(QUANTILES, ends)),
                "provinces": float(np.median(_one(whole, row["national"])[place])),
                "tied": "yes" if tied else "no",
            }
        )
    out = pd.DataFrame(rows)
    for name, ours in (("ratio", "central"), ("ratio_provinces", "provinces")):
        out[name] = out[ours] / out["published"]
    bound = np.where(out["national"].isin(BEDS_AND_WORKERS), CLOSER, OFF)
    out["off"] = (out[["ratio", "ratio_provinces"]] - 1).abs().max(axis=1) > bound
    out["unit"] = out["unit"].replace({"yuan_per_year": "yuan"})
    out.attrs["areas"] = len(codes)
    return out


def sum_up_nation(table: pd.DataFrame) -> pd.DataFrame:
    """How many of the published figures are met, in one row.

    table   : see `reconcile_nation`
    Returns : count, near (not off), tied, free (not tied), free_near, first_year, last_year, share_off, share_closer; areas,
              signed_least, signed_most: how far the sum of the provinces lies from the nation
    """
    near, tied = ~table["off"], table["tied"] == "yes"
    apart = table["provinces"] / table["central"] - 1
    row = {
        "count": len(table),
        "near": int(near.sum()),
        "tied": int(tied.sum()),
        "free": int((~tied).sum()),
        "free_near": int((near & ~tied).sum()),
        "first_year": int(table["year"].min()),
        "last_year": int(table["year"].max()),
        "share_off": OFF,
        "share_closer": CLOSER,
        "areas": table.attrs["areas"],
        "signed_least": apart.min(),
        "signed_most": apart.max(),
    }
    return pd.DataFrame([row])


def off_in_nation(table: pd.DataFrame) -> pd.DataFrame:
    """The figures that are off, with the key of the reason (`because`), and ours as value.

    table : see `reconcile_nation`
    """
    off = table[table["off"]]
    return off.assign(
        value=off["central"], published_value=off["published"], because="why_" + off["national"]
    )


def _area_figures(
    project: Project, code: int, draws: int, last: int
) -> tuple[dict[str, np.ndarray], int]:
    """Figures of an area without rows of its own, dims year, draw, and their first year."""
    inputs = inputs_of(project, area_as_city(code), draws=draws, last_year=last)
    figures = national_figures(Calculation(inputs))
    return {name: array.values for name, array in figures.items()}, int(inputs.years[0])


def _one(figures: dict[str, np.ndarray], name: str) -> np.ndarray:
    if name == "nursing_bed_share":
        return figures["nursing_beds"] / figures["institution_beds"]
    return figures[name]
