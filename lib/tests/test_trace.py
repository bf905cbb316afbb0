"""Every printed number leads back to rows of data/; what it is told to rest on is what the model
follows.
"""

import hashlib
import html.parser
import random
import re
from dataclasses import replace

import nbformat
import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from figure_origins import FIGURES, Tracer, trace_answer, trace_figure, trace_promise

import eldercare as ec
from eldercare import trace as trace_of
from eldercare.engine.quantity import DECLARED, OF_RESULTS, split_asked, upstream
from eldercare.inputs.load import file_rows
from eldercare.model.chain import FACTS
from eldercare.reporting.language import load_language
from eldercare.reporting.results import HEADLINES
from eldercare.reporting.tables import promises
from eldercare.reporting.trace import formula_of, node_of, place_of, rows_behind
from eldercare.reporting.trace_view import Trace

CITY, YEAR, DRAWS, NUMBERS, SEED = "lincang", 2035, 64, 300, 20240918
KEYS_OF_FIGURES = {"year", "target_year", "age", "adcode", "from_age", "start", "end"}
SAMPLE = (
    "adl_prevalence",
    "caregiver_wage",
    "dementia_bed_share",
    "family_care_gap_growth",
    "fertility_path",
    "home_care_hours",
    "migration_continuation",
    "premises_cost",
    "setting_need_share",
    "target_occupancy",
)
CANCELS = {  # enters above and below alike, moves parts of a sum only, or is left out by a cap
    "beds_built": {"dementia_bed_share"},
    "beds_built_by_kind": {"dementia_bed_share"},
    "public_running": {"caregiver_wage", "dementia_bed_share"},
    "scheme_payment": {"dementia_bed_share"},
    "scheme_payment_institution": {"dementia_bed_share"},
}


SIMPLIFIED = {
    "beds_institution_needed",
    "beds_total_needed",
    "beds_per_1000_needed",
    "nursing_bed_share_needed",
}


@pytest.fixture(scope="module")
def result(project):
    return ec.run_city(project, CITY, draws=DRAWS)


@pytest.fixture(scope="module")
def tracer(project):
    """Runs as the notebooks make them, so that values can be compared with what is printed."""
    return Tracer(project)


def indicators(project):
    return list(project.indicators["indicator"])


def test_every_indicator_is_declared_and_every_quantity_has_a_formula(project):
    assert set(indicators(project)) <= set(DECLARED)
    assert [name for name in (*DECLARED, *OF_RESULTS) if not formula_of(project, name)] == []


def test_what_is_made_of_results_is_told_once_and_of_names_that_exist(project):
    known = {
        *DECLARED,
        *OF_RESULTS,
        *project.assumptions["assumption"],
        *project.table_rows["rows"],
    }
    assert len(OF_RESULTS) > 12 and not set(OF_RESULTS) & {*DECLARED, *FACTS}
    for name, one in OF_RESULTS.items():
        assert {split_asked(text)[0] for text in one.inputs} <= known, name
        assert set(one.only) <= set(one.inputs), name


def test_the_facts_of_an_area_come_from_rows_that_are_there(project):
    assert set(" ".join(project.table_rows["facts"]).split()) <= set(FACTS)
    own = {"definition", "measures", "price_years", "years"}  # of the run, not of the data
    assert {fact for fact in FACTS if not rows_behind(project, fact)} == own
    for row in project.table_rows.itertuples():
        path = "data/" + row.file.format(city=CITY)
        if row.every_area == "no" and not (ROOT / path).is_file():
            continue  # a table that a city may have
        columns = file_rows(ROOT, path).columns
        assert {cell.partition("=")[0] for cell in row.cells.split("; ") if cell} <= {*columns}
        assert row.source_ids or "source_id" in columns


def moved(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """The rows with one assumption a little higher (a high share a little lower)."""
    here, out = rows["assumption"] == name, rows.copy()
    for column in ("low", "central", "high"):
        value = rows.loc[here, column]
        up = np.where(value > 0.5, value * 0.97, value * 1.03 + 0.004)
        share = rows.loc[here, "unit"].isin(["share", "per_year"])
        out.loc[here, column] = np.where(share, up, value * 1.02 + 0.01)
    return out


def run_with(project, name: str):
    city = project.city(CITY)
    city = replace(city, assumptions=moved(city.assumptions, name))
    changed = replace(
        project, assumptions=moved(project.assumptions, name), cities={**project.cities, CITY: city}
    )
    return ec.run_city(changed, CITY, draws=DRAWS).values


def assumptions_below(place, name: str, made: dict) -> set[str]:
    """Names of all assumptions in the trace of a quantity."""
    return {
        one.name for one in Trace(node_of(place, name, made)).nodes() if one.kind == "assumption"
    }


@pytest.fixture(scope="module")
def made():
    """Nodes that the traces of one place share."""
    return {}


@pytest.mark.parametrize("name", SAMPLE)
def test_an_assumption_moves_exactly_what_it_is_told_to_move(project, result, made, name):
    after = run_with(project, name)
    place = place_of(project, result, YEAR)
    for indicator in indicators(project):
        before, then = (values[indicator].sel(year=YEAR) for values in (result.values, after))
        where = {
            key: label
            for key, label in (("measure", "need"), ("path", "programme"))
            if key in before.dims
        }
        pair = before.sel(where).values, then.sel(where).values
        same = np.array_equal(*pair, equal_nan=True)
        if (
            indicator in SIMPLIFIED
        ):  # told as a formula in which the bed types cancel, which they do up to rounding
            same = np.allclose(*pair, rtol=1e-6, atol=0, equal_nan=True)
        told = name in assumptions_below(place.at(**where), indicator, made)
        assert told or same, f"{name} moves {indicator}, and its trace does not say so"
        idle = same and name not in CANCELS.get(indicator, set())
        assert not (told and idle), f"{name} does not move {indicator}, though its trace says so"


def test_need_and_use_rest_on_shares_of_their_own(project, result):
    for measure, own, other in (
        ("need", "setting_need_share", "setting_use_share"),
        ("use", "setting_use_share", "setting_need_share"),
    ):
        place = place_of(project, result, YEAR, measure=measure)
        below = assumptions_below(place, "beds_needed", {})
        assert own in below and other not in below


def test_a_trace_says_formula_values_rows_sources_and_the_hash_of_the_file(project, result):
    found = ec.trace(CITY, "beds_needed", YEAR, project=project, result=result, bed_type="nursing")
    expected = result.table("beds_needed", [YEAR], measure="need", bed_type="nursing").iloc[0]
    (value,) = found.root.values
    assert [value.low, value.central, value.high] == pytest.approx(
        expected[["low", "central", "high"]].tolist()
    )
    assert "beds = residents x one bed each / occupancy" in found.root.formula
    (row,) = next(node for node in found.nodes() if node.name == "target_occupancy").rows
    there = file_rows(ROOT, row.file).loc[int(row.rows)]
    assert there["assumption"] == "target_occupancy"
    assert (there["source_id"], there["locator"]) == (row.source_id, row.locator)
    assert row.sha256 == hashlib.sha256((ROOT / row.file).read_bytes()).hexdigest()


def test_a_row_told_is_the_row_of_the_file(project, result):
    found = ec.trace(CITY, "cost_total", YEAR, project=project, result=result)
    single = [
        (node, row) for node in found.nodes() if node.kind == "assumption" for row in node.rows
    ]
    assert len(single) > 60
    for node, row in single:
        there = file_rows(ROOT, row.file).loc[int(row.rows)]
        assert there["assumption"] == node.name
        assert (there["source_id"], there["locator"]) == (row.source_id, row.locator)


def test_a_city_s_own_row_is_told_from_the_city_s_file(project, result):
    found = ec.trace(CITY, "cost_total", YEAR, project=project, result=result)
    files = {
        row.file for node in found.nodes() if node.name == "caregiver_wage" for row in node.rows
    }
    assert files == {f"data/cities/{CITY}/assumptions.csv"}


def test_a_year_between_the_censuses_rests_on_both_and_on_no_assumption_of_migration(project):
    result = ec.run_city(project, "sanming", draws=2)
    found = ec.trace("sanming", "population_60_plus", 2017, project=project, result=result)
    assert "migration_continuation" not in {node.name for node in found.nodes()}
    assert {"census_2010", "census_2020"} <= {node.name for node in found.nodes()}


def test_text_and_html_are_the_same_at_every_run_and_hold_no_path_of_a_machine(project, result):
    one, two = (
        ec.trace(CITY, "cost_total", YEAR, project=project, result=result) for _ in range(2)
    )
    assert one.text() == two.text() and one.html() == two.html() == one._repr_html_()
    assert str(ROOT) not in one.text() and "<script" not in one.html()
    assert len(one.text(depth=1).splitlines()) < len(one.text().splitlines())
    assert one.html().count("<details") == one.html().count("</details>") > 50


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"city_id": "nowhere"}, "no city"),
        ({"quantity": "beds"}, "no quantity"),
        ({"year": 2090}, "2090 is not calculated"),
        ({"bed_type": "wooden"}, "“wooden” is no bed_type"),
        ({"payer": "families"}, "has no key payer"),
    ],
)
def test_what_is_not_there_is_refused_in_plain_words(project, result, arguments, said):
    asked = {"city_id": CITY, "quantity": "beds_needed", "year": YEAR, **arguments}
    with pytest.raises(KeyError, match=re.escape(said)):
        trace_of(**asked, project=project, result=result)


def test_a_number_whose_row_is_gone_is_not_traced(small_copy):
    project = ec.load_project(small_copy.root)
    result = ec.run_city(project, CITY, draws=2)
    row = small_copy.find("assumptions.csv", assumption="target_occupancy")
    small_copy.change("assumptions.csv", row, assumption="other_name")
    with pytest.raises(
        LookupError, match="target_occupancy stands in no row of data/assumptions.csv"
    ):
        ec.trace(CITY, "beds_needed", YEAR, project=project, result=result)


def test_a_number_whose_source_is_unknown_is_not_traced(small_copy):
    project = ec.load_project(small_copy.root)
    result = ec.run_city(project, CITY, draws=2)
    row = small_copy.find("assumptions.csv", assumption="target_occupancy")
    small_copy.change("assumptions.csv", row, source_id="hearsay")
    with pytest.raises(LookupError, match="no source “hearsay”"):
        ec.trace(CITY, "beds_needed", YEAR, project=project, result=result)


def test_a_figure_without_a_rule_is_not_traced(project):
    with pytest.raises(KeyError, match="no rule says where"):
        trace_figure(project, "99_unknown", 2)


def numbers_of_figures() -> dict[str, list[tuple[int, str]]]:
    """Row and column of each number of the committed tables of figures that is no key, by figure."""
    out = {}
    for path in sorted((ROOT / "figures").glob("*.csv")):
        table = file_rows(ROOT, f"figures/{path.name}")
        out[path.stem] = [
            (row, column)
            for column in table
            if column not in KEYS_OF_FIGURES
            for row in table.index[pd.to_numeric(table[column], errors="coerce").notna()]
        ]
    return out


def test_every_figure_has_a_rule():
    assert set(numbers_of_figures()) <= set(FIGURES)


def chosen_numbers() -> list[tuple[str, int, str]]:
    """Some of each figure and the rest from all, the same at every run."""
    chance, by_figure = random.Random(SEED), numbers_of_figures()
    each = [
        (figure, *cell)
        for figure, found in by_figure.items()
        for cell in chance.sample(found, min(5, len(found)))
    ]
    others = [(figure, *cell) for figure, found in by_figure.items() for cell in found]
    return (each + chance.sample(others, NUMBERS))[:NUMBERS]


def test_300_numbers_of_the_figures_lead_to_rows_with_a_source(project, tracer):
    numbers, untraced, wrong = chosen_numbers(), [], []
    assert len(numbers) == NUMBERS
    for figure, row, column in numbers:
        try:
            found = trace_figure(project, figure, row, column, tracer)
        except (KeyError, LookupError) as error:
            untraced.append(f"{figure}, row {row}, {column}: {error}")
            continue
        assert all(one.source_id and len(one.sha256) == 64 for one in found.rows())
        printed = float(file_rows(ROOT, f"figures/{figure}.csv").at[row, column])
        if not agrees(found, column, printed):
            wrong.append(
                f"{figure}, row {row}, {column}: printed {printed:g}, traced to {found.root.head()}"
            )
    assert untraced == []
    assert wrong == []


def agrees(found, column: str, printed: float) -> bool:
    """Whether the traced value is the printed one, to its four digits; true where the tree's root
    holds no value.
    """
    if len(found.root.values) != 1:
        return True
    (value,) = found.root.values
    return getattr(value, column, value.central) == pytest.approx(printed, rel=6e-4, abs=1e-9)


class _Cells(html.parser.HTMLParser):
    """The cells of the tables in a notebook's output, row by row."""

    def __init__(self):
        super().__init__()
        self.rows, self.inside = [], False

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        self.inside = tag in ("td", "th")
        if self.inside:
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.inside and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip("\n ")


def summary_cells(project) -> list[tuple[str, str, int, str]]:
    """City, quantity, year and text of each cell of the summary table of notebook 00 as committed."""
    book = nbformat.read(ROOT / "notebooks" / "00_summary.ipynb", as_version=4)
    cell = next(cell for cell in book.cells if "results.headlines" in cell.source)
    parser = _Cells()
    parser.feed(cell.outputs[0]["data"]["text/html"])
    cities = {city.name_en: city.city_id for city in project.cities.values()}
    years = [
        int(text)
        for text in next(row for row in parser.rows if any(text.isdigit() for text in row))
        if text.isdigit()
    ]
    words = load_language(project)
    names = {words.part("headline", name): name for name in HEADLINES}
    out, city = [], ""
    for row in parser.rows:
        city = cities[row[0]] if row and row[0] in cities else city
        label = row[-len(years) - 1] if len(row) > len(years) else ""
        if label in names:
            out += [
                (city, names[label], year, text) for year, text in zip(years, row[-len(years) :])
            ]
    return out


def test_the_summary_table_leads_to_rows_and_says_the_traced_values(project, tracer):
    found = summary_cells(project)
    assert len(found) == len(project.cities) * 3 * len(HEADLINES)
    words, wrong = load_language(project), []
    for city_id, name, year, text in found:
        (value,) = trace_answer(project, city_id, name, year, tracer).root.values
        said = words.range(vars(value))
        if text != said:
            wrong.append(f"{city_id}, {name}, {year}: “{text}”, traced to {said}")
    assert wrong == []


def test_the_existing_beds_lead_to_rows(project, tracer):
    stock = ec.Results(project, {one: tracer.result(one) for one in project.cities}).stock()
    for row in stock.dropna().to_dict("records"):
        (value,) = trace_answer(project, row["city_id"], "stock", 2035, tracer).root.values
        assert value.central == row["value"]


def test_the_table_of_promises_leads_to_the_printed_phrase_and_to_the_need(project, tracer):
    for city_id in project.cities:
        for row in ec.compare_targets(project, tracer.result(city_id)).to_dict("records"):
            for column in ("promised", "low", "central", "high", "use", "chance"):
                found = trace_promise(project, city_id, row["target_id"], column, tracer)
                (value,) = found.root.values
                assert getattr(value, column, value.central) == pytest.approx(row[column])
            assert any("targets.csv" in one.file for one in found.rows())


def test_a_chance_names_the_definition_of_need_it_depends_on(project):
    names = {
        "beds_total_needed": "ADL", "dementia_beds_per_10000_needed": "ADL",
        "people_with_dementia": "dementia", "population_60_plus": "nobody",
    }  # fmt: skip
    table = pd.DataFrame({"measured_by": list(names), "plain_gap": 1.0, "plain_unit": "bed"})
    told = promises(load_language(project), table)["definition"]
    assert all(word in text for word, text in zip(names.values(), told))
    assert "care_need" in upstream("cost_total")
