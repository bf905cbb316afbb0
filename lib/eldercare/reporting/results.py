"""What a run says of all its cities: one object to filter, tabulate, trace and export."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import xarray as xr

from eldercare.analysis.compare import compare_all, influence, verdicts_of_cities
from eldercare.engine.quantity import DECLARED
from eldercare.inputs.draws import DEFAULT_DRAWS
from eldercare.inputs.load import BASELINE, Project
from eldercare.model.chain import (
    LAST_YEAR,
    CityResult,
    run_city,
    stock_of_beds,
    summarise,
    with_total,
)
from eldercare.reporting.language import Language, load_language
from eldercare.reporting.tables import wide
from eldercare.reporting.trace import trace
from eldercare.reporting.trace_view import Trace

# What is told first of a city: name of the row, quantity, and where.
HEADLINES: dict[str, tuple[str, dict]] = {
    "population_60_plus": ("population_60_plus", {}),
    "population_80_plus": ("population_80_plus", {}),
    "severe": ("care_need", {"severity": "severe"}),
    "beds_need": ("beds_total_needed", {"measure": "need"}),
    "beds_use": ("beds_total_needed", {"measure": "use"}),
    "caregivers": ("caregivers_total_needed", {"measure": "need"}),
    "cost": ("cost_total", {"measure": "need"}),
}


class Results(dict[str, CityResult]):
    """The results of some cities under one scenario, by city_id.

    project : what they were run from
    words   : the language they are told in
    """

    def __init__(
        self, project: Project, results: Mapping[str, CityResult], words: Language | None = None
    ):
        super().__init__(results)
        self.project = project
        self.words = words or load_language(project)

    def summary(
        self,
        quantity: str,
        by: str | Sequence[str] = (),
        years: Iterable[int] | None = None,
        measure: str | None = None,
        language: str = "",
        total: bool = False,
        **where,
    ) -> pd.DataFrame:
        """A quantity, or an assumption, as a tidy table: one row a city, year and part.

        by      : dims that are kept apart, e.g. "bed_type"; those not named, nor fixed by `where`,
                  are summed
        measure : "need" or "use"; without it both, one under the other
        total   : whether all parts together stand below them, as the part `total` of the first dim
                  of `by`
        where   : labels to keep, e.g. setting="institution"
        Returns : table city_id, year, measure, the dims of `by`, mean, low, central, high, unit,
                  label; its attrs say of which quantity it is (`quantity`) and what was asked for
                  (`where`), and by which definition need of care is counted (`definition`)
        Raises  : KeyError for an unknown quantity, city, dim, label or language
        """
        kept = [by] if isinstance(by, str) else list(by)
        tables = []
        for city_id, result in self.items():
            array = self._wanted(result, quantity, kept, measure, where)
            if years is not None and "year" in array.dims:
                known = [year for year in years if year in array["year"].values]
                array = array.sel(year=known)
            array = with_total(array, kept[0]) if total else array
            tables.append(summarise(array, mean=True).assign(city_id=city_id))
        if not tables:
            raise KeyError("there is no city in these results")
        whole = pd.concat(tables, ignore_index=True)
        order = [name for name in ("city_id", "year", "measure", *kept) if name in whole]
        columns = [*dict.fromkeys(order), "mean", "low", "central", "high"]
        unit, label = self._words(quantity, language)
        whole = whole[columns].assign(unit=unit, label=label)
        where = {**where, "measure": measure or ""}
        whole.attrs = {"quantity": quantity, "where": where, "definition": self.project.definition}
        return whole

    def _wanted(self, result: CityResult, quantity: str, kept: list[str], measure, where: dict):
        array = result.quantity(quantity).astype(float)
        wanted = {**where, **({"measure": measure} if measure and "measure" in array.dims else {})}
        unknown = [name for name in (*kept, *wanted) if name not in array.dims]
        if unknown:
            raise KeyError(
                f"{quantity} has no “{unknown[0]}”; it has: {', '.join(map(str, array.dims[1:]))}"
            )
        for dim, label in wanted.items():
            labels = [label] if isinstance(label, str | int) else label
            missing = [one for one in labels if one not in array[dim].values]
            if missing:
                known = ", ".join(map(str, array[dim].values))
                raise KeyError(f"“{missing[0]}” is no {dim} of {quantity}; there are: {known}")
        array = array.sel(wanted)
        summed = [d for d in array.dims if d not in ("draw", "year", "measure", *kept)]
        return array.sum(summed, skipna=False)

    def _words(self, quantity: str, language: str) -> tuple[str, str]:
        words = load_language(self.project, language) if language else self.words
        rows = self.project.indicators.set_index("indicator")
        if quantity in rows.index:
            return rows.at[quantity, "unit"], words.label(quantity)
        if quantity in DECLARED:
            told = words.phrases.get(f"quantity_{quantity}")
            return DECLARED[quantity].unit, told or DECLARED[quantity].meaning.rstrip(".")
        rows = next(iter(self.values())).assumptions.rows
        return rows.loc[rows["assumption"] == quantity, "unit"].iloc[0], words.label(quantity)

    def influences(
        self, quantity: str, year: int, most: int = 1, measure: str = "need"
    ) -> pd.DataFrame:
        """What moves a quantity most in each city (see `compare.influence`).

        Returns : table city_id, year, assumption, share_of_spread, change, unit, label; the
                  strongest first
        """
        unit, label = self._words(quantity, "")
        tables = [
            influence(result, quantity, year, measure, most).assign(city_id=city_id, year=year)
            for city_id, result in self.items()
        ]
        whole = pd.concat(tables, ignore_index=True).rename(columns={"effect": "change"})
        whole = whole[["city_id", "year", "assumption", "share_of_spread", "change"]]
        return whole.assign(unit=unit, label=label)

    def at(self, city_id: str, quantity: str, year: int, **where) -> pd.Series:
        """One number with its range: mean, low, central, high, unit, label; need is meant where no
        measure is named.

        Raises : KeyError for an unknown city, quantity, year or label
        """
        if city_id not in self:
            raise KeyError(f"no result of “{city_id}”; there are: {', '.join(self)}")
        one = Results(self.project, {city_id: self[city_id]})
        measure = where.pop("measure", "need")
        table = one.summary(quantity, years=[year], measure=measure, **where)
        if table.empty:
            raise KeyError(f"{year} is not among the years of {city_id}")
        return table.iloc[0].drop("city_id")

    def table(
        self,
        quantity: str,
        years: Iterable[int],
        by: str | Sequence[str] = (),
        measure: str | None = "need",
        middle: str = "central",
        **where,
    ) -> pd.DataFrame:
        """A quantity as a reader meets it: a row a city (and part), a column a year, `middle (low
        to high)`.
        """
        kept = [by] if isinstance(by, str) else list(by)
        found = self.summary(quantity, kept, years, measure, **where)
        return wide(self.words, found, ["city_id", *kept], middle=middle)

    def series(self, series: Mapping[str, tuple[str, Mapping]]) -> pd.DataFrame:
        """Several quantities one under the other, for a figure: the summary of each, named in the
        column `series`.

        series : quantity and what of it is wanted (`by` and the like, see `summary`), by name
        """
        tables = {
            name: self.summary(quantity, **where) for name, (quantity, where) in series.items()
        }
        whole = pd.concat([table.assign(series=name) for name, table in tables.items()])
        whole.attrs = {"series": {name: table.attrs for name, table in tables.items()}}
        return whole

    def lines(self, quantity: str, use: bool = False, stock: bool = False, **where) -> pd.DataFrame:
        """A quantity by year as a figure's series: need, today's habits, and what was promised or
        exists of it.

        use, stock : whether today's habits carried on, and the existing beds of the city, are told too
        Returns    : table as of `series`; a promise and a stock are rows of one year with low =
                     central = high
        """
        names = {"need": "need", **({"today's use": "use"} if use else {})}
        table = self.series(
            {name: (quantity, {"measure": kind, **where}) for name, kind in names.items()}
        )
        promised = self.targets()
        promised = promised[promised["measured_by"] == quantity]
        marks = [
            (row.city_id, "promised", row.target_year, row.promised)
            for row in promised.itertuples()
        ]
        for city_id, result in self.items() if stock else ():
            row = stock_of_beds(result.city)
            if row is not None:
                marks.append((city_id, "stock", int(row["year"]), float(row["value"])))
        told = pd.DataFrame(marks, columns=["city_id", "series", "year", "central"])
        words = {name: table[name].iloc[0] for name in ("unit", "label")}
        told = told.assign(low=told["central"], high=told["central"], **words)
        whole = pd.concat([table, told], ignore_index=True) if marks else table
        whole.attrs = table.attrs
        return whole

    def parts(
        self, quantity: str, dim: str, groups: Mapping[str, Sequence[str]] | None = None, **where
    ) -> pd.DataFrame:
        """Parts of a quantity by year and all together, with the means, by which parts add up.

        groups  : labels of the dim that are taken together, by name, in the order wanted; without
                  it each alone
        Returns : table city_id, year, the dim with `total`, mean, low, central, high, unit, label
        """
        tables = []
        for city_id, result in self.items():
            array = self._wanted(result, quantity, [dim], None, where)
            if groups:
                sums = [
                    array.sel({dim: list(labels)}).sum(dim, skipna=False)
                    for labels in groups.values()
                ]
                array = xr.concat(sums, dim).assign_coords({dim: list(groups)})
            array = with_total(array, dim)
            tables.append(summarise(array, mean=True).assign(city_id=city_id))
        unit, label = self._words(quantity, "")
        whole = pd.concat(tables, ignore_index=True).dropna(subset="mean")
        whole = whole.assign(unit=unit, label=label)
        whole.attrs = {"quantity": quantity, "where": where}
        return whole

    def targets(self) -> pd.DataFrame:
        """Each promise that a quantity measures beside its need, of all cities (see
        `compare_targets`).
        """
        return compare_all(self.project, self)

    def verdicts(self) -> pd.DataFrame:
        """The same with what each verdict rests on: definitions, variants, and what would turn it
        (see `compare.verdicts`).
        """
        return verdicts_of_cities(self.project, self)

    def headlines(self, years: Iterable[int]) -> pd.DataFrame:
        """People, need, beds, care workers and money of all cities, one under the other (see
        `HEADLINES`).

        Returns : table as `summary` gives it, with a column `headline`
        """
        tables = [
            self.summary(quantity, years=years, **where).assign(headline=name)
            for name, (quantity, where) in HEADLINES.items()
        ]
        table = pd.concat(tables, ignore_index=True)
        place = {city_id: number for number, city_id in enumerate(self)}
        return table.sort_values("city_id", key=lambda ids: ids.map(place), kind="stable")

    def stock(self) -> pd.DataFrame:
        """The existing beds of each city and the year they were counted; NaN where no count is
        collected here.

        Returns : table city_id, value, year, unit
        """
        known = {city_id: stock_of_beds(result.city) for city_id, result in self.items()}
        rows = [
            (city_id, math.nan, math.nan) if row is None else (city_id, row["value"], row["year"])
            for city_id, row in known.items()
        ]
        return pd.DataFrame(rows, columns=["city_id", "value", "year"]).assign(unit="bed")

    def trace(self, city_id: str, quantity: str, year: int, **keys: str) -> Trace:
        """Where a number comes from (see `trace.trace`)."""
        return trace(city_id, quantity, year, self.project, self[city_id], **keys)  # type: ignore[arg-type]  # keys are dims

    def to_excel(self, path: str | Path) -> Path:
        """All quantities of the results and all promises as a workbook, tidy tables a sheet; each row
        says by which definition need of care is counted.

        Returns : the path;  Raises : ValueError if the name does not end in .xlsx
        """
        path = Path(path)
        if path.suffix != ".xlsx":
            raise ValueError(f"“{path.name}” is no workbook: let the name end in .xlsx")
        kept = (set(map(str, result.values.data_vars)) for result in self.values())
        names = sorted(set.intersection(*kept))
        tables = [self._tidy(name) for name in names]
        with pd.ExcelWriter(path) as book:
            for name, table in (
                ("results", pd.concat(tables, ignore_index=True)),
                ("targets", self.targets()),
            ):
                table = table.assign(definition=self.project.definition)
                table.to_excel(book, sheet_name=name, index=False)
        return path

    def _tidy(self, quantity: str) -> pd.DataFrame:
        dims = next(iter(self.values())).values[quantity].dims
        parts = [str(dim) for dim in dims if dim not in ("draw", "year", "measure")]
        table = self.summary(quantity, by=parts)
        told = [" ".join(map(str, row)) for row in table[parts].itertuples(index=False)]
        table.insert(0, "quantity", quantity)
        return table.drop(columns=parts).assign(part=told)


def run(
    project: Project,
    cities: Iterable[str] | None = None,
    draws: int = DEFAULT_DRAWS,
    scenario: str = BASELINE,
    definition: str = "",
) -> Results:
    """Run the chain for all cities of the project, or some.

    definition : by which definition need of care is counted (see `need.care_need`), if not by that
                 of the project, which is $ELDERCARE_DEFINITION or “any ADL limitation”
    Raises     : KeyError for an unknown city, scenario or definition
    """
    project = project.counted_by(definition or project.definition)
    return Results(
        project,
        {
            city_id: run_city(project, city_id, scenario, draws)
            for city_id in cities or project.cities
        },
    )


def run_scenarios(
    project: Project,
    names: Iterable[str] = (),
    draws: int = DEFAULT_DRAWS,
    last_year: int = LAST_YEAR,
) -> dict[str, Results]:
    """Results of all cities under some scenarios (all, if none is named), by scenario, up to a
    year.

    Raises : KeyError for an unknown scenario
    """
    cities = list(project.cities)
    return {
        name: Results(
            project,
            {one: run_city(project, one, name, draws, last_year=last_year) for one in cities},
        )
        for name in names or (BASELINE, *project.scenarios)
    }
