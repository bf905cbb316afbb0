"""Which quantity a printed number is, and its trace: numbers of the figures' twin tables and of the summary tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from eldercare.analysis.compare import compare_targets
from eldercare.analysis.sensitivity import headlines
from eldercare.documents.consistency import months
from eldercare.inputs.draws import DEFAULT_DRAWS
from eldercare.inputs.load import BASELINE, Project, file_rows
from eldercare.model.chain import BASE_YEAR, QUANTILES, TOTAL, CityResult, run_city, stock_of_beds
from eldercare.model.costs import COST_GROUPS
from eldercare.reporting.lineage import made_of
from eldercare.reporting.origins import CENSUS
from eldercare.reporting.report import LIMITED, summed
from eldercare.reporting.results import HEADLINES
from eldercare.reporting.trace import (
    Place,
    assumption_node,
    formula_of,
    function_name,
    inputs_of,
    meaning_of,
    node_of,
    own_keys,
    place_of,
    row_of,
    table_node,
)
from eldercare.reporting.tree import Node, Trace, Value

ASSUMPTIONS = "data/assumptions.csv"
SHOWN_YEAR = 2035
RANGE = ("low", "central", "high")


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
        """The run of a city under a scenario."""
        key = (city_id, scenario)
        if key not in self.results:
            self.results[key] = run_city(self.project, city_id, scenario, self.draws)
        return self.results[key]

    def place(self, city_id: str, year: int | None, scenario: str = BASELINE, **keys: str) -> Place:
        """A city's place; the nation's for an empty name."""
        if city_id:
            key = ("place", city_id, scenario)
            if key not in self.made:
                self.made[key] = place_of(self.project, self.result(city_id, scenario), None)
            return self.made[key].at(year, **keys)
        rows = self.project.assumptions
        return Place(self.project, None, None, BASELINE, rows[rows["city_id"] == ""], year, keys)

    def quantity(
        self, city_id: str, name: str, year: int | None, scenario: str = BASELINE, **keys: str
    ) -> Node:
        """The node of a quantity."""
        return node_of(self.place(city_id, year, scenario, **keys), name, self.made)

    def rows(
        self,
        name: str,
        file: str,
        what: str,
        values: tuple[Value, ...] = (),
        sources: str = "",
        **cells: str,
    ) -> Node:
        """The rows of a file in which some cells stand.  Raises: LookupError if there are none"""
        table = file_rows(self.project.root, file)
        found = table[(table[list(cells)] == pd.Series(cells)).all(axis=1)] if cells else table
        row = row_of(self.project, file, found, what, "", sources)
        shown = values or (Value("rows", len(found), len(found), len(found), "count"),)
        return Node(name, "table", "", what, "", "", lambda: shown, (row,), ())

    def made_from(
        self, name: str, tag: str, inputs: list[Node], values: tuple[Value, ...] = ()
    ) -> Node:
        """A node of a quantity of the lineage, with inputs beside those of the lineage."""
        about = made_of(name)
        place = self.place("", None)
        quantities, _, tables = inputs_of(about, place)
        given = {node.name for node in inputs}
        below = [node_of(place, one, self.made) for one in quantities if one not in given]
        below += [table_node(place, one) for one in tables]
        meaning, formula = (
            meaning_of(self.project, name, about),
            formula_of(self.project, name, about),
        )
        return Node(
            name,
            "quantity",
            tag,
            meaning,
            formula,
            function_name(about),
            lambda: values,
            (),
            (*inputs, *below),
        )

    def target(self, city_id: str, target_id: str) -> Node:
        """The row of a promise, with its printed value."""
        row = self.project.city(city_id).targets.set_index("target_id").loc[target_id]
        value = (Value("", row["value"], row["value"], row["value"], row["unit"]),)
        what = f"“{row['quote_zh']}”"
        return self.rows(
            "promised", f"data/cities/{city_id}/targets.csv", what, value, target_id=target_id
        )

    def stock(self, city_id: str) -> Node:
        """The row of the existing beds."""
        row = stock_of_beds(self.project.city(city_id))
        value = (Value("", row["value"], row["value"], row["value"], "bed"),)
        file, year = f"data/cities/{city_id}/capacity.csv", f"{row['year']:.0f}"
        return self.rows(
            "stock", file, "existing beds", value, indicator="beds_total", bed_type="", year=year
        )


Cells = Mapping[str, str]
Rule = Callable[[Tracer, Cells, str], Node]


def trace_twin(
    project: Project, figure: str, row: int, column: str = "central", tracer: Tracer | None = None
) -> Trace:
    """Where a number of a figure's twin table comes from.

    figure  : as `05_bed_types`
    row     : as a spreadsheet numbers it, the first below the header is 2
    column  : the number's column
    Raises  : KeyError for a figure without a rule, LookupError for a number that leads to no row
    """
    if figure not in FIGURES:
        raise KeyError(f"no rule says where the numbers of figures/{figure}.csv are from")
    cells = file_rows(project.root, f"figures/{figure}.csv").loc[row].to_dict()
    return _sound(FIGURES[figure](tracer or Tracer(project), cells, column))


def trace_answer(
    project: Project, city_id: str, quantity: str, year: int, tracer: Tracer | None = None
) -> Trace:
    """Where a cell of the summary of notebook 00 comes from; quantity is one of `HEADLINES`, or `stock`."""
    tracer = tracer or Tracer(project)
    if quantity == "stock":
        return _sound(tracer.stock(city_id))
    indicator, where = HEADLINES[quantity]
    return _sound(tracer.quantity(city_id, indicator, year, **where))


def trace_promise(
    project: Project, city_id: str, target_id: str, column: str, tracer: Tracer | None = None
) -> Trace:
    """Where a number of the table of promises comes from; column: promised, low, central, high, use or chance."""
    cells = {"city_id": city_id, "target_id": target_id}
    return _sound(_promise(tracer or Tracer(project), cells, column))


def _sound(root: Node) -> Trace:
    found = Trace(root)
    if not found.rows():
        raise LookupError(f"{root.head()} leads to no row of data/")
    return found


def indicator(
    name: str,
    series: Mapping[str, tuple[str, dict]] | None = None,
    year: int | None = None,
    **fixed,
) -> Rule:
    """Rule of a twin whose rows are an indicator by city, year and keys.

    series : what each value of the column `series` is, else need, today's use, promised, stock
    """
    kinds = {
        "need": (name, {}),
        "middle": (name, {}),
        "today's use": (name, {"measure": "use"}),
        **(series or {}),
    }

    def rule(tracer: Tracer, cells: Cells, _column: str) -> Node:
        label, city_id = cells.get("series", "need"), cells["city_id"]
        if label == "promised":
            return tracer.target(city_id, _target_of(tracer, cells, name))
        if label == "stock":
            return tracer.stock(city_id)
        quantity, keys = kinds[label]
        own = {key: cells[key] for key in own_keys(quantity) & set(cells)}
        when = int(cells["year"]) if "year" in cells else year
        return tracer.quantity(
            city_id, quantity, when, cells.get("scenario", BASELINE), **{**fixed, **keys, **own}
        )

    return rule


def _target_of(tracer: Tracer, cells: Cells, measured_by: str) -> str:
    table = compare_targets(tracer.project, tracer.result(cells["city_id"]))
    rows = table[
        (table["measured_by"] == measured_by) & (table["target_year"].astype(str) == cells["year"])
    ]
    fits = rows[
        [math.isclose(value, float(cells["central"]), rel_tol=1e-3) for value in rows["promised"]]
    ]
    if fits.empty:
        raise LookupError(
            f"no promise of {cells['city_id']} says {cells['central']} for {cells['year']}"
        )
    return fits["target_id"].iloc[0]


def _promise(tracer: Tracer, cells: Cells, column: str) -> Node:
    city_id = cells["city_id"]
    table = compare_targets(tracer.project, tracer.result(city_id)).set_index("target_id")
    row, promised = table.loc[cells["target_id"]], tracer.target(city_id, cells["target_id"])
    if column in ("promised", "target_year"):
        return promised
    measure = "use" if column == "use" else "need"
    needed = tracer.quantity(city_id, row["measured_by"], int(row["target_year"]), measure=measure)
    if column != "chance":
        return needed
    value = (Value("", row["chance"], row["chance"], row["chance"], "share"),)
    return tracer.made_from(
        "chance_of_promise", f"{city_id} {row['target_year']}", [promised, needed], value
    )


def influence(name: str, year: int = SHOWN_YEAR) -> Rule:
    """Rule of a twin that tells how an assumption moves an indicator."""

    def rule(tracer: Tracer, cells: Cells, _column: str) -> Node:
        result = tracer.quantity(cells["city_id"], name, year)
        own = _assumption(tracer, cells["city_id"], cells["assumption"].partition(" (")[0])
        return tracer.made_from(
            "influence", f"{cells['city_id']} {cells['assumption']}", [own, result]
        )

    return rule


def _assumption(tracer: Tracer, city_id: str, name: str) -> Node:
    """The assumption's rows in force; the error of projection is no row but a table."""
    if name == "projection_error":
        return table_node(tracer.place(city_id, SHOWN_YEAR), "projection_error")
    return assumption_node(tracer.place(city_id, SHOWN_YEAR), name)


def _headline(tracer: Tracer, cells: Cells, _column: str = "") -> Node:
    """The indicator of a headline of the sensitivity tables and of the what-if desk."""
    one = next(
        one
        for one in headlines(tracer.project.city(cells["city_id"]))
        if one.name == cells["headline"]
    )
    return tracer.quantity(cells["city_id"], one.indicator, int(cells.get("year") or one.year))


def _tornado(tracer: Tracer, cells: Cells, column: str) -> Node:
    own = _assumption(tracer, cells["city_id"], cells["assumption"])
    if column in RANGE:
        return own
    return tracer.made_from(
        "one_at_a_time",
        f"{cells['city_id']} {cells['assumption']}",
        [own, _headline(tracer, cells)],
    )


def _steps(tracer: Tracer, cells: Cells, _column: str) -> Node:
    steps = file_rows(tracer.project.root, "data/assumption_steps.csv")
    names = steps.loc[steps["step"] == cells["step"], "assumption"]
    own = [_assumption(tracer, cells["city_id"], name) for name in names]
    return tracer.made_from(
        "share_of_variance", f"{cells['city_id']} {cells['step']}", [*own, _headline(tracer, cells)]
    )


def _bases(tracer: Tracer, cells: Cells, _column: str) -> Node:
    return tracer.rows(
        "rows of the assumptions",
        ASSUMPTIONS,
        "rows that rest on " + cells["basis"],
        basis=cells["basis"],
    )


def _timeline(tracer: Tracer, cells: Cells, _column: str) -> Node:
    city = tracer.project.city(cells["city_id"])
    file, series = f"data/cities/{city.city_id}/targets.csv", cells["series"]
    if series == "issued":
        return tracer.rows(series, "data/sources.csv", "day of issue", source_id=city.source_id)
    if series == "without year":
        return tracer.rows(
            series, file, "promises without a year", kind="target", restates="", target_year=""
        )
    if series == "promise":
        year = str(int(float(cells["start"])) - 1)
        return tracer.rows(
            series, file, "promises due", kind="target", restates="", target_year=year
        )
    if series == "goal of a year":
        goals = {"kind": "milestone", "unit": "year", "restates": ""}
        year = str(int(float(cells["start"])) - 1)
        return tracer.rows(series, file, series, value=year, target_year=year, **goals)
    dated = months(city, stages=series == "stage")
    ends = [math.isclose(last / 12, float(cells["end"]), abs_tol=0.006) for last in dated["last"]]
    starts = [
        series != "stage" or math.isclose((first - 1) / 12, float(cells["start"]), abs_tol=0.006)
        for first in dated["first"]
    ]
    here = dated[[both == (True, True) for both in zip(starts, ends)]]
    nodes = [
        tracer.rows(series, file, f"“{row.quote_zh}”", target_id=row.target_id)
        for row in here.itertuples()
    ]
    if not nodes:
        raise LookupError(f"no {series} of {city.city_id} ends at {cells['end']}")
    count = (Value("rows", len(nodes), len(nodes), len(nodes), "count"),)
    return Node(series, "table", city.city_id, series, "", "", lambda: count, (), tuple(nodes))


def _prevalence(tracer: Tracer, cells: Cells, _column: str) -> Node:
    band = cells["series"].removeprefix("published band ")
    if band == cells["series"]:
        return tracer.quantity("", "limitation_prevalence", None)
    cut = {"assumption": "adl_prevalence", "age_band": band, "severity": cells["severity"]}
    return tracer.rows("adl_prevalence", ASSUMPTIONS, f"rate of {band}", **cut)


def _sum_of(tracer: Tracer, cells: Cells, name: str, key: str, labels, **where) -> Node:
    """Parts of a quantity taken together in each draw."""
    city_id, year = cells["city_id"], int(cells["year"])
    drawn = summed(tracer.result(city_id), name, year=year, **where, **{key: list(labels)}).values
    unit = tracer.project.indicators.set_index("indicator")["unit"][name]
    value = (
        Value(
            "",
            *(float(end) for end in np.quantile(drawn, list(QUANTILES.values()))),
            unit,
            float(drawn.mean()),
        ),
    )
    parts = tuple(tracer.quantity(city_id, name, year, **where, **{key: label}) for label in labels)
    first = parts[0]
    return Node(
        name,
        "quantity",
        f"{city_id} {year}",
        first.meaning,
        f"sum over {key} ({name})",
        first.made_by,
        lambda: value,
        (),
        parts,
    )


def parts_of(name: str, key: str, **where) -> Rule:
    """Rule of a twin whose rows are the parts of an indicator, and `total`."""
    alone = indicator(name, **where)

    def rule(tracer: Tracer, cells: Cells, column: str) -> Node:
        if cells[key] != TOTAL:
            return alone(tracer, cells, column)
        return _sum_of(
            tracer,
            cells,
            name,
            key,
            tracer.result(cells["city_id"]).values[key].values.tolist(),
            **where,
        )

    return rule


def _cost_group(tracer: Tracer, cells: Cells, _column: str) -> Node:
    groups = COST_GROUPS.values() if cells["group"] == TOTAL else [COST_GROUPS[cells["group"]]]
    return _sum_of(
        tracer,
        cells,
        "cost",
        "cost_item",
        [item for items in groups for item in items],
        measure="need",
    )


def _report_people(tracer: Tracer, cells: Cells, column: str) -> Node:
    if cells["series"] != "limited":
        return indicator(f"population_{cells['series']}")(
            tracer, {**cells, "series": "need"}, column
        )
    return _sum_of(tracer, cells, "care_need", "severity", LIMITED)


def _lever(tracer: Tracer, cells: Cells, _column: str) -> Node:
    return tracer.quantity(cells["city_id"], f"{cells['lever']}_that_pays", SHOWN_YEAR)


def _childcare(tracer: Tracer, cells: Cells, _column: str) -> Node:
    names = {
        "wanted": "childcare_places_wanted",
        "used at the enrolment seen": "childcare_places_used",
    }
    if cells["series"] in names:
        return tracer.quantity(cells["city_id"], names[cells["series"]], int(cells["year"]))
    table = compare_targets(tracer.project, tracer.result(cells["city_id"]))
    target = table.loc[table["measured_by"] == "childcare_places_per_1000_used", "target_id"].iloc[
        0
    ]
    people = tracer.quantity(cells["city_id"], "population_total", int(cells["year"]))
    promised = tracer.target(cells["city_id"], target)
    return tracer.made_from(
        "childcare_places_promised", f"{cells['city_id']} {cells['year']}", [promised, people]
    )


def _back_test(tracer: Tracer, cells: Cells, _column: str) -> Node:
    if not cells.get("adcode"):
        return tracer.made_from("error_spread", cells.get("size", ""), [])
    counted = tracer.rows(
        "counted",
        "data/china/census_area.csv",
        "people counted",
        (),
        CENSUS,
        adcode=cells["adcode"],
    )
    return tracer.made_from("back_test", cells["adcode"], [counted])


FIGURES: dict[str, Rule] = {
    "00_beds": indicator("beds_total_needed"),
    "00_promises": _promise,
    "01_promises": _promise,
    "01_timeline": _timeline,
    "02_bases": _bases,
    "02_steps": _steps,
    "02_tornado_beds": _tornado,
    "02_tornado_cost": _tornado,
    "03_people_60_plus": indicator("population_60_plus"),
    "03_people_80_plus": indicator("population_80_plus"),
    "03_pyramids": indicator("population"),
    "04_prevalence": _prevalence,
    "04_care_need": parts_of("care_need", "severity"),
    "04_dementia": indicator("people_with_dementia"),
    "04_definitions": indicator("people_by_definition"),
    "04_healthy_years": indicator("health_expectancy", year=BASE_YEAR),
    "05_beds_per_1000": indicator("beds_per_1000_needed"),
    "05_bed_types": parts_of("beds_needed", "bed_type", measure="need"),
    "05_nursing_share": indicator("nursing_bed_share_needed"),
    "05_nursing_share_of_all": indicator("nursing_bed_share_of_all_needed"),
    "05_two_methods": indicator(
        "", {"by ratio": ("beds_institution_needed", {}), "by flow": ("beds_from_flow", {})}
    ),
    "05_causes": indicator("change_by_cause"),
    "05_influence": influence("beds_total_needed"),
    "05_scenarios": indicator("beds_total_needed"),
    "06_certified": indicator("caregivers_per_10000_needed"),
    "06_workplaces": parts_of("caregivers_needed", "workplace", measure="need"),
    "06_per_100": indicator(
        "caregivers_per_100_needed",
        {
            "needed": ("caregivers_per_100_needed", {}),
            "in post": ("caregivers_in_post_per_100", {"path": "today"}),
        },
    ),
    "09_what_if": _headline,
    "06_supply": indicator(
        "caregivers_stock",
        {
            "needed": ("caregivers_total_needed", {}),
            "in post, today's training": ("caregivers_stock", {"path": "today"}),
            "in post, programme": ("caregivers_stock", {"path": "programme"}),
        },
    ),
    "07_cost_items": _cost_group,
    "07_payers": parts_of("payment", "payer", measure="need"),
    "07_affordability": _lever,
    "07_childcare": _childcare,
    "07_influence": influence("cost_total"),
    "city_report_people": _report_people,
    "city_report_payers": parts_of("payment", "payer", measure="need"),
    "city_report_beds": indicator(
        "beds_total_needed", {"use": ("beds_total_needed", {"measure": "use"})}
    ),
    "city_report_caregivers": indicator(
        "caregivers_stock",
        {
            "needed": ("caregivers_total_needed", {}),
            "today": ("caregivers_stock", {"path": "today"}),
            "programme": ("caregivers_stock", {"path": "programme"}),
        },
    ),
    "08_error_by_size": _back_test,
    "08_coverage": _back_test,
}
