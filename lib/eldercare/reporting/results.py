"""What a run says of all its cities: one object to filter, tabulate, trace and export."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from eldercare.analysis.compare import compare_targets
from eldercare.engine.quantity import DECLARED
from eldercare.inputs.draws import DEFAULT_DRAWS
from eldercare.inputs.load import BASELINE, Project
from eldercare.model.chain import CityResult, run_city, summarise
from eldercare.reporting.language import Language, load_language
from eldercare.reporting.tables import wide
from eldercare.reporting.trace import trace
from eldercare.reporting.trace_view import Trace


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
        **where,
    ) -> pd.DataFrame:
        """A quantity as a tidy table: one row a city, year and part.

        by      : dims that are kept apart, e.g. "bed_type"; those not named, nor fixed by `where`, are summed
        measure : "need" or "use"; without it both, one under the other
        where   : labels to keep, e.g. setting="institution"
        Returns : table city_id, year, measure, the dims of `by`, mean, low, central, high, unit, label
        Raises  : KeyError for an unknown quantity, city, dim, label or language
        """
        kept = [by] if isinstance(by, str) else list(by)
        tables = []
        for city_id, result in self.items():
            array = self._wanted(result, quantity, kept, measure, where)
            if years is not None and "year" in array.dims:
                known = [year for year in years if year in array["year"].values]
                array = array.sel(year=known)
            table = summarise(array)
            means = array.mean("draw").to_series().rename("mean")
            keys = [column for column in table if column in array.dims]
            table = table.merge(means.reset_index(), on=keys) if keys else table.assign(mean=means)
            tables.append(table.assign(city_id=city_id))
        if not tables:
            raise KeyError("there is no city in these results")
        whole = pd.concat(tables, ignore_index=True)
        order = [name for name in ("city_id", "year", "measure", *kept) if name in whole]
        columns = [*dict.fromkeys(order), "mean", "low", "central", "high"]
        unit, label = self._words(quantity, language)
        return whole[columns].assign(unit=unit, label=label)

    def _wanted(self, result: CityResult, quantity: str, kept: list[str], measure, where: dict):
        array = result.quantity(quantity).astype(float)
        wanted = {**where, **({"measure": measure} if measure and "measure" in array.dims else {})}
        unknown = [name for name in (*kept, *wanted) if name not in array.dims]
        if unknown:
            raise KeyError(f"{quantity} has no “{unknown[0]}”; it has: {', '.join(array.dims[1:])}")
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
        return DECLARED[quantity].unit, DECLARED[quantity].meaning.rstrip(".")

    def at(self, city_id: str, quantity: str, year: int, **where) -> pd.Series:
        """One number with its range: mean, low, central, high, unit, label; need is meant where no measure is named.

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
        """A quantity as a reader meets it: a row a city (and part), a column a year, `middle (low to high)`."""
        kept = [by] if isinstance(by, str) else list(by)
        found = self.summary(quantity, kept, years, measure, **where)
        return wide(self.words, found, ["city_id", *kept], middle=middle)

    def targets(self) -> pd.DataFrame:
        """Each promise that a quantity measures beside its need, of all cities (see `compare_targets`)."""
        tables = [
            compare_targets(self.project, result).assign(city_id=city_id)
            for city_id, result in self.items()
        ]
        table = pd.concat(tables, ignore_index=True)
        return table[["city_id", *(column for column in table if column != "city_id")]]

    def trace(self, city_id: str, quantity: str, year: int, **keys: str) -> Trace:
        """Where a number comes from (see `trace.trace`)."""
        return trace(city_id, quantity, year, project=self.project, result=self[city_id], **keys)

    def to_excel(self, path: str | Path) -> Path:
        """All quantities of the results and all promises as a workbook, tidy tables a sheet.

        Returns : the path;  Raises : ValueError if the name does not end in .xlsx
        """
        path = Path(path)
        if path.suffix != ".xlsx":
            raise ValueError(f"“{path.name}” is no workbook: let the name end in .xlsx")
        names = sorted(
            set.intersection(*(set(result.values.data_vars) for result in self.values()))
        )
        tables = [self._tidy(name) for name in names]
        with pd.ExcelWriter(path) as book:
            pd.concat(tables, ignore_index=True).to_excel(book, sheet_name="results", index=False)
            self.targets().to_excel(book, sheet_name="targets", index=False)
        return path

    def _tidy(self, quantity: str) -> pd.DataFrame:
        dims = next(iter(self.values())).values[quantity].dims
        parts = [dim for dim in dims if dim not in ("draw", "year", "measure")]
        table = self.summary(quantity, by=parts)
        told = [" ".join(map(str, row)) for row in table[parts].itertuples(index=False)]
        table.insert(0, "quantity", quantity)
        return table.drop(columns=parts).assign(part=told)


def run(
    project: Project,
    cities: Iterable[str] | None = None,
    draws: int = DEFAULT_DRAWS,
    scenario: str = BASELINE,
) -> Results:
    """Run the chain for all cities of the project, or some.

    Raises : KeyError for an unknown city or scenario
    """
    return Results(
        project,
        {
            city_id: run_city(project, city_id, scenario, draws)
            for city_id in cities or project.cities
        },
    )
