"""Which quantity a printed number is, and its trace: numbers of the figures' tables and of the
summary tables.

FIGURES says it for each figure: `name[dim=label]`, or that by the cells of the column `series`.
    City, year,
scenario and the labels of the quantity's dims are read from the row itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from eldercare.analysis.compare import compare_targets
from eldercare.analysis.sensitivity import headlines
from eldercare.documents.consistency import months
from eldercare.engine.quantity import split_asked
from eldercare.inputs.draws import DEFAULT_DRAWS
from eldercare.inputs.load import BASELINE, Project, file_rows
from eldercare.model.chain import BASE_YEAR, QUANTILES, TOTAL, CityResult, run_city, stock_of_beds
from eldercare.model.costs import COST_GROUPS
from eldercare.reporting.results import HEADLINES
from eldercare.reporting.trace import (
    Place,
    assumption_node,
    node_of,
    own_keys,
    place_of,
    row_of,
    table_node,
)
from eldercare.reporting.trace_view import Node, Trace, Value

ASSUMPTIONS = "data/assumptions.csv"
CENSUS = "census_2010_county_tables census_2020_county_tables"
SHOWN_YEAR = 2035
RANGE = ("low", "central", "high")


def one(number: float, unit: str) -> tuple[Value, ...]:
    return (Value("", number, number, number, unit),)


def count(number: int) -> tuple[Value, ...]:
    return (Value("rows", number, number, number, "count"),)


AREAS, COUNTS = "data/china/census_area.csv", "data/china/counts.csv"


@dataclass(repr=False)
class Tracer:
    """Traces many numbers of one project: runs and nodes are made once.

    results : runs by (city, scenario); those missing are made with `draws`
    """

    project: Project
    results: dict[tuple[str, str], CityResult] = field(default_factory=dict)
    draws: int = DEFAULT_DRAWS
    made: dict = field(default_factory=dict)

    def result(self, city_id: str, scenario: str = BASELINE) -> CityResult:
        key = (city_id, scenario)
        if key not in self.results:
            self.results[key] = run_city(self.project, city_id, scenario, self.draws)
        return self.results[key]

    def place(self, city_id: str, year: int | None, scenario: str = BASELINE, **keys: str) -> Place:
        """A city's place; the nation's for an empty name."""
        if city_id:
            return place_of(self.project, self.result(city_id, scenario), year, **keys)
        rows = self.project.assumptions
        return Place(self.project, None, None, BASELINE, rows[rows["city_id"] == ""], year, keys)

    def quantity(
        self, city_id: str, name: str, year: int | None, scenario=BASELINE, **keys
    ) -> Node:
        return node_of(self.place(city_id, year, scenario, **keys), name, self.made)

    def asked(self, asked: str, cells: Mapping[str, str]) -> Node:
        """The quantity that a row of a table tells; the label `total` is all parts of a dim
        together.
        """
        name, keys = split_asked(asked)
        keys |= {key: cells[key] for key in own_keys(name) & set(cells)}
        where = cells["city_id"], name, int(cells.get("year") or BASE_YEAR)
        dims = [key for key, label in keys.items() if label == TOTAL]
        if not dims:
            return self.quantity(*where, cells.get("scenario", BASELINE), **keys)
        labels = self.result(where[0]).quantity(name)[dims[0]].values
        keys = {key: label for key, label in keys.items() if key not in dims}
        return self.sum_of(*where, dims[0], labels, **keys)

    def sum_of(self, city_id: str, name: str, year: int, dim: str, labels, **keys: str) -> Node:
        """Parts of a quantity taken together in each draw."""
        drawn = self.result(city_id).quantity(name).sel({"year": year, dim: list(labels), **keys})
        drawn = drawn.astype(float).sum(dim).values
        parts = [self.quantity(city_id, name, year, **keys, **{dim: label}) for label in labels]
        ends = np.quantile(drawn, list(QUANTILES.values()))
        value = (Value("", *map(float, ends), parts[0].values[0].unit, float(drawn.mean())),)
        told = {"tag": f"{city_id} {year}", "formula": f"sum over {dim} ({name})"}
        return replace(parts[0], calculate=lambda: value, inputs=tuple(parts), **told)

    def rows(self, name: str, file: str, what: str, values=(), sources: str = "", **cells) -> Node:
        """The rows of a file in which some cells stand.  Raises: LookupError if there are none"""
        table = file_rows(self.project.root, file)
        found = table[(table[list(cells)] == pd.Series(cells)).all(axis=1)]
        row = row_of(self.project, file, found, what, "", sources)
        shown = values or count(len(found))
        return Node(name, "table", meaning=what, calculate=lambda: shown, rows=(row,))

    def made_from(self, name: str, tag: str, given=(), values=(), city_id: str = "") -> Node:
        """What an analysis makes of results, with what it was made of in this case."""
        node = self.quantity(city_id, name, None)
        others = [below for below in node.inputs if below.name not in {one.name for one in given}]
        return replace(node, tag=tag, calculate=lambda: values, inputs=(*given, *others))

    def target(self, city_id: str, target_id: str) -> Node:
        """The row of a promise, with its printed value."""
        row = self.project.city(city_id).targets.set_index("target_id").loc[target_id]
        file, value = f"data/cities/{city_id}/targets.csv", one(row["value"], row["unit"])
        return self.rows("promised", file, f"“{row['quote_zh']}”", value, target_id=target_id)

    def stock(self, city_id: str) -> Node:
        """The row of the existing beds."""
        row = stock_of_beds(self.project.city(city_id))
        cells = {"indicator": "beds_total", "bed_type": "", "year": f"{row['year']:.0f}"}
        file, value = f"data/cities/{city_id}/capacity.csv", one(row["value"], "bed")
        return self.rows("stock", file, "existing beds", value, **cells)

    def assumption(self, city_id: str, name: str) -> Node:
        """The assumption's rows in force; the error of projection is no row but a table."""
        leaf = table_node if name == "projection_error" else assumption_node
        return leaf(self.place(city_id, SHOWN_YEAR), name)


Cells = Mapping[str, str]
Rule = Callable[[Tracer, Cells, str], Node]


def trace_figure(
    project: Project, figure: str, row: int, column: str = "central", tracer: Tracer | None = None
) -> Trace:
    """Where a number of a figure's table comes from.

    figure  : as `05_bed_types`
    row     : as a spreadsheet numbers it, the first below the header is 2
    column  : the number's column
    Raises  : KeyError for a figure without a rule, LookupError for a number that leads to no row
    """
    if figure not in FIGURES:
        raise KeyError(f"no rule says where the numbers of figures/{figure}.csv are from")
    cells = file_rows(project.root, f"figures/{figure}.csv").loc[row].to_dict()
    tracer, rule = tracer or Tracer(project), FIGURES[figure]
    if callable(rule):
        return _sound(rule(tracer, cells, column))
    return _sound(_by_series(tracer, cells, rule))


def trace_answer(
    project: Project, city_id: str, quantity: str, year: int, tracer: Tracer | None = None
) -> Trace:
    """Where a cell of the summary table of notebook 00 comes from; quantity is one of `HEADLINES`,
    or `stock`.
    """
    tracer = tracer or Tracer(project)
    if quantity == "stock":
        return _sound(tracer.stock(city_id))
    indicator, where = HEADLINES[quantity]
    return _sound(tracer.quantity(city_id, indicator, year, **where))


def trace_promise(
    project: Project, city_id: str, target_id: str, column: str, tracer: Tracer | None = None
) -> Trace:
    """Where a number of the table of promises comes from; column: promised, low, central, high, use
    or chance.
    """
    cells = {"city_id": city_id, "target_id": target_id}
    return _sound(_promise(tracer or Tracer(project), cells, column))


def _sound(root: Node) -> Trace:
    found = Trace(root)
    if not found.rows():
        raise LookupError(f"{root.head()} leads to no row of data/")
    return found


def _by_series(tracer: Tracer, cells: Cells, rule: str | Mapping[str, str]) -> Node:
    """A quantity, one for each series; where a figure has but one, its need, its use and what it is
    held against.
    """
    series = cells.get("series", "need")
    by_series = {"need": rule} if isinstance(rule, str) else rule
    first = split_asked(next(iter(by_series.values())))[0]
    if series == "promised":
        return tracer.target(cells["city_id"], _target_of(tracer, cells, first))
    if series == "stock":
        return tracer.stock(cells["city_id"])
    used = f"{first}[measure=use]"
    usual = {"middle": first, "today's use": used, "use": used}
    return tracer.asked({**usual, **by_series}[series], cells)


def _target_of(tracer: Tracer, cells: Cells, measured_by: str) -> str:
    table = compare_targets(tracer.project, tracer.result(cells["city_id"]))
    due = table["target_year"].astype(str) == cells["year"]
    near = np.isclose(table["promised"], float(cells["central"]), rtol=1e-3, atol=0)
    fits = table[(table["measured_by"] == measured_by) & due & near]
    if fits.empty:
        raise LookupError(f"no promise of {cells['city_id']} says {cells['central']}")
    return fits["target_id"].iloc[0]


def _promise(tracer: Tracer, cells: Cells, column: str) -> Node:
    city_id = cells["city_id"]
    table = compare_targets(tracer.project, tracer.result(city_id)).set_index("target_id")
    row, promised = table.loc[cells["target_id"]], tracer.target(city_id, cells["target_id"])
    if column in ("promised", "target_year"):
        return promised
    measure, year = "use" if column == "use" else "need", int(row["target_year"])
    needed = tracer.quantity(city_id, row["measured_by"], year, measure=measure)
    if column != "chance":
        return needed
    value = one(row["chance"], "share")
    return tracer.made_from("chance_of_promise", f"{city_id} {year}", [promised, needed], value)


def _headline(tracer: Tracer, cells: Cells, _column: str = "") -> Node:
    """The indicator of a headline of the sensitivity tables and of the what-if desk."""
    named = {one.name: one for one in headlines(tracer.project.city(cells["city_id"]))}
    found = named[cells["headline"]]
    return tracer.quantity(cells["city_id"], found.indicator, int(cells.get("year") or found.year))


def influence(name: str) -> Rule:
    """Rule of a table that tells how an assumption moves an indicator."""

    def rule(tracer: Tracer, cells: Cells, _column: str) -> Node:
        city_id, told = cells["city_id"], cells["assumption"]
        own = tracer.assumption(city_id, told.partition(" (")[0])
        moved = tracer.quantity(city_id, name, SHOWN_YEAR)
        return tracer.made_from("influence", f"{city_id} {told}", [own, moved])

    return rule


def _tornado(tracer: Tracer, cells: Cells, column: str) -> Node:
    own = tracer.assumption(cells["city_id"], cells["assumption"])
    if column in RANGE:
        return own
    tag = f"{cells['city_id']} {cells['assumption']}"
    return tracer.made_from("one_at_a_time", tag, [own, _headline(tracer, cells)])


def _steps(tracer: Tracer, cells: Cells, _column: str) -> Node:
    steps = tracer.project.assumption_steps
    names = steps.loc[steps["step"] == cells["step"], "assumption"]
    given = [tracer.assumption(cells["city_id"], name) for name in names]
    tag = f"{cells['city_id']} {cells['step']}"
    return tracer.made_from("share_of_variance", tag, [*given, _headline(tracer, cells)])


def _bases(tracer: Tracer, cells: Cells, _column: str) -> Node:
    what = "rows that rest on " + cells["basis"]
    return tracer.rows("rows of the assumptions", ASSUMPTIONS, what, basis=cells["basis"])


def _timeline(tracer: Tracer, cells: Cells, _column: str) -> Node:
    city, series = tracer.project.city(cells["city_id"]), cells["series"]
    file = f"data/cities/{city.city_id}/targets.csv"
    if series == "issued":
        return tracer.rows(series, "data/sources.csv", "day of issue", source_id=city.source_id)
    year = str(int(float(cells["start"])) - 1) if cells["start"] else ""
    wanted = {
        "without year": {"kind": "target", "target_year": ""},
        "promise": {"kind": "target", "target_year": year},
        "goal of a year": {"kind": "milestone", "unit": "year", "value": year, "target_year": year},
    }
    if series in wanted:
        return tracer.rows(series, file, series, restates="", **wanted[series])
    dated = months(city, stages=series == "stage")
    here = np.isclose(dated["last"] / 12, float(cells["end"]), rtol=0, atol=0.006)
    if series == "stage":
        here &= np.isclose((dated["first"] - 1) / 12, float(cells["start"]), rtol=0, atol=0.006)
    nodes = [
        tracer.rows(series, file, f"“{row.quote_zh}”", target_id=row.target_id)
        for row in dated[here].itertuples()
    ]
    if not nodes:
        raise LookupError(f"no {series} of {city.city_id} ends at {cells['end']}")
    number = count(len(nodes))
    return Node(series, "table", city.city_id, calculate=lambda: number, inputs=tuple(nodes))


def _prevalence(tracer: Tracer, cells: Cells, _column: str) -> Node:
    if cells["series"] != "published":
        return tracer.quantity("", "limitation_prevalence", None)
    cut = {"assumption": "adl_prevalence", "age_band": cells["age"]}
    if cells["part"] != "any limitation":
        cut["severity"] = cells["part"]
    table = tracer.project.assumptions
    rates = table.loc[(table[list(cut)] == pd.Series(cut)).all(axis=1), "central"]
    value = one(rates.sum(), "share")
    return tracer.rows("adl_prevalence", ASSUMPTIONS, f"rate of {cells['age']}", value, **cut)


def _cost_group(tracer: Tracer, cells: Cells, _column: str) -> Node:
    groups = COST_GROUPS.values() if cells["group"] == TOTAL else [COST_GROUPS[cells["group"]]]
    items = [item for group in groups for item in group]
    where = cells["city_id"], "cost", int(cells["year"]), "cost_item"
    return tracer.sum_of(*where, items, measure="need")


def _lever(tracer: Tracer, cells: Cells, _column: str) -> Node:
    return tracer.quantity(cells["city_id"], f"break_even_{cells['lever']}", SHOWN_YEAR)


def _childcare(tracer: Tracer, cells: Cells, _column: str) -> Node:
    names = {
        "wanted": "childcare_places_wanted",
        "used at the enrolment seen": "childcare_places_used",
    }
    if cells["series"] in names:
        return tracer.asked(names[cells["series"]], cells)
    city_id = cells["city_id"]
    table = compare_targets(tracer.project, tracer.result(city_id)).set_index("measured_by")
    target = table.loc[["childcare_places_per_1000_used"], "target_id"].iloc[0]
    given = [tracer.target(city_id, target), tracer.asked("population_total", cells)]
    tag = f"{city_id} {cells['year']}"
    return tracer.made_from("childcare_places_promised", tag, given, city_id=city_id)


def _back_test(tracer: Tracer, cells: Cells, _column: str) -> Node:
    if not cells.get("adcode"):
        return tracer.made_from("error_spread", cells.get("size", ""))
    file, code = "data/china/census_area.csv", cells["adcode"]
    counted = tracer.rows("counted", file, "people counted", (), CENSUS, adcode=code)
    return tracer.made_from("back_test", code, [counted])


def _use(tracer: Tracer, _cells: Cells, _column: str) -> Node:
    """The back-test of use rests on all counts of people in care and their population."""
    counts = tracer.rows("care_use", "data/world/care_use.csv", "people in care by age")
    people = tracer.rows("population", "data/world/population.csv", "people of 60 and over")
    made = "use_back_test.with_learned_drift"
    what = "people in care of a later year, predicted from an earlier one and from other countries"
    return Node("use_back_test", "quantity", "", what, "", made, tuple, (), (counts, people))


def _variant(tracer: Tracer, cells: Cells, _column: str) -> Node:
    where = cells["city_id"], cells["indicator"], int(cells["year"]), cells["scenario"]
    return tracer.quantity(*where, measure=cells["measure"])


def _counts(tracer: Tracer, cells: Cells, _column: str) -> Node:
    if cells["counts"] != "counted":
        return tracer.made_from("moved_by_counts", cells["area"])
    names = file_rows(tracer.project.root, AREAS)
    code = names.loc[names["name"] == cells["area"], "adcode"].iloc[:1].tolist() or ["100000"]
    found = tracer.rows("counts", COUNTS, "residents counted", adcode=code[0], basis="resident")
    return tracer.made_from("moved_by_counts", cells["area"], [found])


SUPPLY = {
    "needed": "caregivers_total_needed",
    **dict.fromkeys(("in post, today's training", "today"), "caregivers_stock[path=today]"),
    **dict.fromkeys(("in post, programme", "programme"), "caregivers_stock[path=programme]"),
}
FIGURES: dict[str, str | Mapping[str, str] | Rule] = {
    "00_beds": "beds_total_needed",
    "00_promises": _promise,
    "01_promises": _promise,
    "01_timeline": _timeline,
    "02_bases": _bases,
    "02_steps": _steps,
    "02_tornado_beds": _tornado,
    "02_tornado_cost": _tornado,
    "03_people_60_plus": "population_60_plus",
    "03_people_80_plus": "population_80_plus",
    "03_pyramids": "population",
    "03_counts": _counts,
    "04_prevalence": _prevalence,
    "04_care_need": "care_need",
    "04_dementia": "people_with_dementia",
    "04_definitions": "people_by_definition",
    "04_healthy_years": "health_expectancy",
    "05_beds_per_1000": "beds_per_1000_needed",
    "05_bed_types": "beds_needed[measure=need]",
    "05_nursing_share": "nursing_bed_share_needed",
    "05_nursing_share_of_all": "nursing_bed_share_of_all_needed",
    "05_two_methods": {"by ratio": "beds_institution_needed", "by flow": "beds_from_flow"},
    "05_causes": "change_by_cause",
    "05_influence": influence("beds_total_needed"),
    "05_scenarios": "beds_total_needed",
    "05_variants": _variant,
    "06_certified": "caregivers_per_10000_needed",
    "06_workplaces": "caregivers_needed[measure=need]",
    "06_per_100": {
        "needed": "caregivers_per_100_needed",
        "in post": "caregivers_in_post_per_100[path=today]",
    },
    "06_supply": SUPPLY,
    "07_cost_items": _cost_group,
    "07_payers": "payment[measure=need]",
    "07_affordability": _lever,
    "07_childcare": _childcare,
    "07_influence": influence("cost_total"),
    "08_error_by_size": _back_test,
    "08_coverage": _back_test,
    "09_what_if": _headline,
    **dict.fromkeys(("10_china", "10_countries", "10_drifts", "10_errors"), _use),
    "city_report_people": {
        "60_plus": "population_60_plus",
        "80_plus": "population_80_plus",
        "limited": "care_need[severity=total]",
    },
    "city_report_payers": "payment[measure=need]",
    "city_report_beds": "beds_total_needed",
    "city_report_caregivers": SUPPLY,
}
