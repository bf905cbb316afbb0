"""The city report: what a city will need, whether its promises are enough, what it costs, how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from eldercare.analysis.affordability import payer_shares
from eldercare.analysis.assumption_log import OWN
from eldercare.analysis.compare import (
    ROUNDING,
    compare_head_counts,
    compare_policy,
    influence,
    verdicts,
)
from eldercare.analysis.decomposition import ageing_and_judgement
from eldercare.analysis.definitions import middles_by_definition
from eldercare.analysis.plan import (
    ALL_COUNTIES,
    COUNTY_DRAWS,
    PLAN_YEARS,
    amount,
    county_table,
    mean_range,
    plan_table,
)
from eldercare.analysis.recommendations import SURE, recommend, to_measure_first
from eldercare.analysis.sensitivity import YEAR
from eldercare.inputs.load import NATION, Project
from eldercare.model.base import province_of
from eldercare.model.chain import (
    BASE_YEAR,
    LAST_YEAR,
    QUANTILES,
    CityResult,
    stock_of_beds,
    summarise,
)
from eldercare.model.counts import usable_counts
from eldercare.model.registered import registered_over_resident
from eldercare.reporting.blocks import Block, Bullets, Figure, Heading, Paragraph, Table
from eldercare.reporting.language import Language, sentence_case
from eldercare.reporting.tables import (
    action_rows,
    action_sentence,
    county_rows,
    plan_tables,
    policy_rows,
    promises,
)

LEFT_OUT = (
    "destitute",
    "disability",
    "family_time",
    "insurance_at_home",
    "land",
    "public_building",
    "staff_awards",
)
NOT_COLLECTED = ("family_beds", "meals", "city_and_counties")
NEED, USE = {"measure": "need"}, {"measure": "use"}
MONEY_YEARS = (YEAR,)
NURSING = ["nursing", "dementia"]
LIMITED = ["mild", "moderate", "severe"]
RATES = ("share", "per_year")
UNSURE = 0.2
AGES_MISSED = (60, 80)
BEDS = "beds_total_needed"
MOST = 5
MOVED = {"beds": "result_beds", "yearly_cost": "result_cost"}
POPULATION_TABLES = ("census_2020", "census_2010", "wpp_death_rates", "life_expectancy")
BUDGET = "general_budget_expenditure"

# The numbers that a phrase names: phrase, name, quantity, unit, year, where (a list is summed).
TOLD: tuple[tuple[str, str, str, str, int, Mapping[str, Any]], ...] = (
    ("answer_lead", "beds", "beds_total_needed", "bed", YEAR, NEED),
    ("answer_lead", "beds_late", "beds_total_needed", "bed", LAST_YEAR, NEED),
    ("answer_lead", "workers", "caregivers_total_needed", "worker", YEAR, NEED),
    ("answer_lead", "workers_late", "caregivers_total_needed", "worker", LAST_YEAR, NEED),
    ("answer_lead", "cost", "cost_total", "yuan", YEAR, NEED),
    ("answer_lead", "cost_late", "cost_total", "yuan", LAST_YEAR, NEED),
    ("answer_people", "middle", "population_60_plus", "person", YEAR, {}),
    ("answer_people", "late", "population_60_plus", "person", LAST_YEAR, {}),
    ("answer_people", "oldest", "population_80_plus", "person", YEAR, {}),
    ("answer_people", "oldest_late", "population_80_plus", "person", LAST_YEAR, {}),
    ("answer_need", "middle", "care_need", "person", YEAR, {"severity": LIMITED}),
    ("answer_need", "late", "care_need", "person", LAST_YEAR, {"severity": LIMITED}),
    ("answer_need", "severe", "care_need", "person", YEAR, {"severity": "severe"}),
    ("answer_need", "severe_late", "care_need", "person", LAST_YEAR, {"severity": "severe"}),
    ("answer_beds", "nursing", "beds_needed", "bed", YEAR, {**NEED, "bed_type": NURSING}),
    ("answer_beds", "use", "beds_total_needed", "bed", YEAR, USE),
    ("answer_caregivers", "stock", "caregivers_stock", "worker", YEAR, {"path": "today"}),
    ("text_people", "dementia", "people_with_dementia", "person", YEAR, {}),
    (
        "text_caregivers_in_post",
        "stock",
        "caregivers_stock",
        "worker",
        BASE_YEAR,
        {"path": "today"},
    ),
    ("text_caregivers_in_post", "use", "caregivers_total_needed", "worker", BASE_YEAR, USE),
    ("text_money", "cost", "cost_total", "yuan", YEAR, NEED),
)
# The same of means, which stand beside parts.
TOLD_AS_MEANS = (
    ("text_beds", "day_care", "day_care_places_needed", "place", YEAR, NEED),
    ("text_caregivers", "programme", "caregivers_stock", "worker", YEAR, {"path": "programme"}),
)
# The parts and their total that a phrase names: dim, quantity, unit, where.
PARTS = {
    "text_people": ("severity", "care_need", "person", {}),
    "text_beds": ("bed_type", "beds_needed", "bed", NEED),
    "text_caregivers": ("workplace", "caregivers_needed", "worker", NEED),
}
# Sections of paragraphs and a figure.
PLAIN_SECTIONS = {
    "people": ("text_people",),
    "beds": ("text_beds",),
    "caregivers": ("text_caregivers", "text_caregivers_in_post"),
}


@dataclass(frozen=True)
class Facts:
    """What all sections are written from: the results of a city and the language."""

    project: Project
    result: CityResult
    words: Language

    @property
    def city(self) -> str:
        """The city's name."""
        return self.words.city(self.project, self.result.city)

    @property
    def price_year(self) -> int:
        """The year in whose prices money is told."""
        return self.result.price_year

    def row(self, indicator: str, year: int, **where) -> pd.Series:
        """Low, central and high of an indicator in a year; a list among `where` is summed over."""
        return range_in(self.result, indicator, year, **where)

    def told(self, indicator: str, year: int, unit: str, **where) -> str:
        """The same as text."""
        return self.words.range(self.row(indicator, year, **where), unit)

    def told_mean(self, indicator: str, year: int, unit: str, **where) -> str:
        """The mean with its range as text, for parts that stand beside their total."""
        return self.words.range(
            mean_range(amount(self.result, indicator, {"year": year, **where})), unit
        )

    def say(self, phrase_id: str, **more) -> str:
        """A phrase with the years, the numbers of `TOLD`, `TOLD_AS_MEANS` and `PARTS`, and more."""
        said = {"year": YEAR, "last": LAST_YEAR, "base_year": BASE_YEAR, "city": self.city}
        for rows, tell in ((TOLD, self.told), (TOLD_AS_MEANS, self.told_mean)):
            for phrase, name, quantity, unit, year, where in rows:
                if phrase == phrase_id:
                    said[name] = tell(quantity, year, unit, **where)
        if phrase_id in PARTS:
            said |= self._parts(*PARTS[phrase_id])
        return self.words.phrase(phrase_id, **{**said, **more})

    def _parts(self, dim: str, quantity: str, unit: str, where: dict) -> dict[str, str]:
        """Means of the parts of a quantity and their total, which they add up to."""
        names = LIMITED if dim == "severity" else list(self.result.values[dim].values)
        items = [
            self.words.phrase(
                "part_item",
                name=self.words.of(dim, name),
                value=self.told_mean(quantity, YEAR, unit, **where, **{dim: name}),
            )
            for name in names
        ]
        total = self.told_mean(quantity, YEAR, unit, **where, **{dim: names})
        return {"parts": self.words.join("items_join", items), "total": total}


def range_in(result: CityResult, indicator: str, year: int, **where) -> pd.Series:
    """Low, central and high of an indicator in a year; where a key has a list, its parts are summed in each draw.

    Returns : Series low, central, high
    """
    array = amount(result, indicator, where)
    return summarise(array.sel(year=[year])).iloc[0]


def build_report(
    project: Project, result: CityResult, moved: pd.DataFrame, words: Language
) -> dict[str, tuple[Block, ...]]:
    """The report of a city in a language, section by section, the answer first.

    moved   : what moves the results of that city (`sensitivity.tornado`)
    Returns : blocks by section: answer, actions, promise, plan, people, beds, caregivers, money, moves, limits, sources
    """
    facts = Facts(project, result, words)
    of_beds = moved[moved["headline"] == "beds"]
    actions = recommend(project, result, of_beds)
    return {
        "answer": _answer(facts, next_answers(facts, of_beds, actions)),
        "actions": _actions(facts, actions),
        "promise": _promise(facts),
        "plan": _plan(facts),
        **{section: _plain(facts, section) for section in PLAIN_SECTIONS},
        "money": _money(facts),
        "moves": _moves(facts, moved),
        "limits": _limits(facts),
        "sources": _sources(facts, moved),
    }


def report_title(facts: Facts) -> str:
    """The title of the report."""
    return facts.words.phrase("report_title", city=facts.city, first=BASE_YEAR, last=LAST_YEAR)


def _heading(facts: Facts, section: str) -> Heading:
    return Heading(2, facts.words.phrase(f"heading_{section}"))


def _answer(facts: Facts, more: Sequence[str]) -> tuple[Block, ...]:
    shares = payer_shares(facts.result, YEAR)
    targets = promises(facts.words, verdicts(facts.project, facts.result))
    found = {name: int((targets["found"] == name).sum()) for name in ("always", "never", "depends")}
    verdict = (
        facts.say("answer_promises", count=len(targets), **found)
        if len(targets)
        else facts.say("answer_no_promise")
    )
    base = facts.row("population_60_plus", BASE_YEAR)["central"]
    points = [
        *(_promise_sentence(facts, row) for row in targets.to_dict("records")),
        facts.say("answer_people", base=facts.words.counted(base, "person")),
        facts.say("answer_need"),
        facts.say("answer_beds", stock=stock_words(facts)),
        facts.say("answer_caregivers"),
        facts.say(
            "answer_money",
            families=facts.words.range(shares.loc["families"], "share"),
            budget=facts.words.range(shares.loc["city_budget"], "share"),
        ),
    ]
    registered = registered_words(facts)
    name = "report_note_registered" if registered else "report_note"
    note = facts.say(name, census_year=BASE_YEAR, price_year=facts.price_year)
    return (
        Heading(1, report_title(facts)),
        Paragraph(note, "note"),
        *(Paragraph(told, "note") for told in (*registered, facts.words.counted_by) if told),
        _heading(facts, "answer"),
        Paragraph(first_answer(facts), "lead"),
        Paragraph(facts.say("answer_lead"), "lead"),
        Paragraph(verdict, "lead"),
        Bullets(tuple(more)),
        Bullets(tuple(points)),
    )


def first_answer(facts: Facts) -> str:
    """What holds under every definition and both ways of counting, and what makes the rise, in means."""
    result, words = facts.result, facts.words
    people = middles_by_definition(result, YEAR)
    beds = ageing_and_judgement(result, YEAR)
    beds["used"] = float(amount(result, BEDS, {**USE, "year": YEAR}).mean())
    told = {name: words.counted(value, "bed") for name, value in beds.items()}
    ends = {"least": people.min(), "most": people.max()}
    told |= {name: words.counted(float(value), "person") for name, value in ends.items()}
    return facts.say("answer_first", **told)


def next_answers(facts: Facts, spread: pd.DataFrame, actions: pd.DataFrame) -> list[str]:
    """What to do first, what to measure first, how far the method missed this place, what to read next."""
    words, result = facts.words, facts.result
    told = []
    if len(actions):
        told.append(facts.say("answer_do", action=action_sentence(words, actions.iloc[0])))
    measured = to_measure_first(facts.project, result, spread)
    if measured:
        left = 1 - np.sqrt(1 - min(measured["share_of_spread"], 1))
        name = words.label(measured["assumption"])
        told.append(facts.say("answer_measure", factor=name, narrower=words.percent(left)))
    errors = facts.project.china.projection_error_area.set_index(["adcode", "from_age"])
    missed = errors["signed_error"]
    if (result.city.adcode, AGES_MISSED[0]) in missed.index:
        off = {
            f"off_{age}": words.percent(missed[result.city.adcode, age], 1, signed=True)
            for age in AGES_MISSED
        }
        told.append(facts.say("answer_missed", **off))
    else:
        told.append(facts.say("answer_missed_unknown"))
    return [*told, facts.say("answer_read")]


def city_answer(facts: Facts) -> str:
    """The answer of a city in a few sentences, for a page that holds many; see `first_answer`, `next_answers`."""
    spread = influence(facts.result, BEDS, YEAR, most=len(facts.result.assumptions.rows))
    actions = recommend(facts.project, facts.result, spread)
    told = next_answers(facts, spread, actions)[:-1]  # what to read next is said once for all
    return facts.words.join_sentences([first_answer(facts), *told])


def _actions(facts: Facts, actions: pd.DataFrame) -> tuple[Block, ...]:
    """What to do, by rule: nothing that the range does not support."""
    rules = facts.project.recommendations
    text = facts.say("text_actions", count=len(actions), rules=len(rules), sure=f"{SURE:.0%}")
    table = (action_rows(facts.words, actions),) if len(actions) else ()
    return (_heading(facts, "actions"), Paragraph(text), *table)


def stock_words(facts: Facts) -> str:
    """The existing beds and the year they were counted, or that they are not collected here."""
    stock = stock_of_beds(facts.result.city)
    if stock is None:
        return facts.words.phrase("not_available")
    value = facts.words.counted(float(stock["value"]), "bed")
    return facts.words.phrase("year_and_value", value=value, year=int(stock["year"]))


def _label(facts: Facts, row: Mapping) -> str:
    return sentence_case(facts.words.text(row, "label"))


def _promise_sentence(facts: Facts, row: dict) -> str:
    words = facts.words
    return words.phrase(
        "answer_promise",
        label=_label(facts, row),
        year=row["target_year"],
        promised=words.value_with_unit(row["promised"], row["unit"]),
        need=words.range({end: row[f"need_{end}"] for end in QUANTILES}, row["unit"]),
        short=row["short"],
        turned=row["turned"] if row["inside"] else "",
    ).rstrip()


def _promise(facts: Facts) -> tuple[Block, ...]:
    words = facts.words
    promised = promises(words, verdicts(facts.project, facts.result)).to_dict("records")
    rows = [_promise_row(facts, row) for row in promised]
    columns = ("item", "year", "promised", "need", "use", "belief", "gap")
    table = Table(
        words.phrase("caption_promise"),
        tuple(words.phrase(f"column_{name}") for name in columns),
        tuple(rows),
    )
    note = words.phrase("promise_note", draws=facts.result.assumptions.draws)
    own: list[Block] = []
    if promised:
        items = [
            words.phrase("definition_item", label=_label(facts, row), definition=row["definition"])
            for row in promised
        ]
        definitions = words.phrase("definition_note", items=words.join("items_join", items))
        own = [table, Paragraph(definitions, "note")]
    policy = policy_rows(words, compare_policy(facts.project, facts.result))
    notes = (Paragraph(note, "note"), Paragraph(words.phrase("policy_note"), "note"))
    return (_heading(facts, "promise"), *own, policy, *notes)


def _promise_row(facts: Facts, row: dict) -> tuple[str, ...]:
    words, unit = facts.words, row["unit"]
    name = _label(facts, row)
    if unit != "share":
        name = words.phrase("row_name", name=name, unit=words.of("unit", unit))
    need = {end: row[f"need_{end}"] for end in QUANTILES}
    return (
        name,
        str(row["target_year"]),
        words.value(row["promised"], unit),
        words.range(need, "share" if unit == "share" else "plain"),
        words.value(row["use"], unit),
        row["short"],
        row["gap"],
    )


def _caption(facts: Facts, name: str) -> Figure:
    return Figure(
        facts.words.phrase(
            f"caption_{name}", first=int(facts.result.values["year"][0]), last=LAST_YEAR
        )
    )


def _plan(facts: Facts) -> tuple[Block, ...]:
    """What is needed in each year of the plan, in tables, and what of it is not collected here."""
    words = facts.words
    plan = plan_table(facts.result)
    decided = stock_of_beds(facts.result.city)
    known = "plan_no_stock" if decided is None else "plan_stock"
    missing = words.join("list_join", [words.of("plan_missing", name) for name in NOT_COLLECTED])
    text = facts.say("text_plan", first=PLAN_YEARS[0])
    notes = (facts.say(known, stock=stock_words(facts)), facts.say("plan_note", items=missing))
    return (
        _heading(facts, "plan"),
        Paragraph(text),
        *plan_tables(words, plan),
        *_counties(facts),
        *(Paragraph(note, "note") for note in notes),
    )


def _counties(facts: Facts) -> tuple[Block, ...]:
    """Each county of a prefecture; nothing for a county or a place of registered people."""
    table, words = county_table(facts.project, facts.result), facts.words
    if table.empty:
        return ()
    names = {
        code: facts.city if code == ALL_COUNTIES else words.area(facts.project.china, code)
        for code in table["adcode"].unique()
    }
    off = (table["factor"] - 1).abs().max()
    note = words.phrase("county_note", draws=COUNTY_DRAWS, most=words.percent(off, 1))
    return (county_rows(words, table, names), Paragraph(note, "note"))


def _plain(facts: Facts, section: str) -> tuple[Block, ...]:
    texts = [Paragraph(facts.say(phrase_id)) for phrase_id in PLAIN_SECTIONS[section]]
    return (_heading(facts, section), *texts, _caption(facts, section))


def left_out(words: Language) -> str:
    """What is in no sum of money, in one paragraph."""
    return words.phrase(
        "text_left_out",
        items=words.join("items_join", [words.of("left_out", name) for name in LEFT_OUT]),
    )


def _money(facts: Facts) -> tuple[Block, ...]:
    words, shares = facts.words, payer_shares(facts.result, YEAR)
    rows = []
    for payer in facts.result.values["payer"].values:
        cells = [
            facts.told_mean("payment", year, "plain", measure="need", payer=payer)
            for year in MONEY_YEARS
        ]
        share = words.range(shares.loc[payer], "share")
        rows.append((words.of("payer", payer), *cells, share))
    total = [facts.told_mean("cost_total", year, "plain", measure="need") for year in MONEY_YEARS]
    rows.append((words.phrase("total"), *total, words.percent(1.0)))
    columns = [words.phrase("column_cost", year=year) for year in MONEY_YEARS]
    table = Table(
        words.phrase("caption_money"),
        (words.phrase("column_payer"), *columns, words.phrase("column_share", year=YEAR)),
        tuple(rows),
    )
    text = facts.say("text_money")
    notes = (Paragraph(left_out(words), "note"), Paragraph(_budget(facts)))
    return (_heading(facts, "money"), Paragraph(text), table, *notes, _caption(facts, "payers"))


def _budget(facts: Facts) -> str:
    """What the city would pay beside the general budget of the last year published, in that year's prices."""
    words, capacity = facts.words, facts.result.city.capacity
    known = capacity[capacity["indicator"] == BUDGET] if capacity is not None else pd.DataFrame()
    if known.empty:
        return words.phrase("text_no_budget")
    last = known.sort_values("year", kind="stable").iloc[-1]
    level = facts.result.quantity("price_level_by_year").sel(year=last["year"])
    paid = facts.result.values["payment"].sel(measure="need", payer="city_budget", year=[YEAR])
    share = summarise(paid * level / last["value"]).iloc[0]
    return words.phrase(
        "text_budget",
        known_year=int(last["year"]),
        budget=words.counted(float(last["value"]), "yuan"),
        year=YEAR,
        share=words.range(share, "share"),
    ) + words.figure_note(last["note"])


def largest_moves(moved: pd.DataFrame) -> pd.DataFrame:
    """The assumptions with the largest share of the spread of beds and of yearly cost, each by its row of the largest swing."""
    parts = [
        moved[moved["headline"] == name].sort_values(
            "share_of_spread", ascending=False, kind="stable"
        )
        for name in MOVED
    ]
    return pd.concat([part.drop_duplicates("assumption").head(MOST) for part in parts])


def _moves(facts: Facts, moved: pd.DataFrame) -> tuple[Block, ...]:
    words = facts.words
    rows = []
    for row in largest_moves(moved).to_dict("records"):
        name = words.told(row)["factor"]
        ends = [words.number(row[end]) for end in ("at_low", "at_high")]
        share = words.percent(row["share_of_spread"])
        rows.append(
            (name, words.phrase(MOVED[row["headline"]]), share, _factor_range(words, row), *ends)
        )
    columns = ("factor", "result", "spread", "factor_range", "result_low", "result_high")
    table = Table(
        words.phrase("caption_moves", year=YEAR),
        tuple(words.phrase(f"column_{name}") for name in columns),
        tuple(rows),
    )
    return (_heading(facts, "moves"), Paragraph(words.phrase("text_moves")), table)


def _factor_range(words: Language, row: dict) -> str:
    if not np.isfinite(row["low"]):
        return words.phrase("range_of_error")
    form = words.percent if row["unit"] in RATES else words.given
    text = words.phrase("low_to_high", low=form(row["low"]), high=form(row["high"]))
    return words.with_unit(text, row["unit"])


def _limits(facts: Facts) -> tuple[Block, ...]:
    say, rows = facts.words.phrase, facts.result.assumptions.rows
    items = _basis(facts)
    items += [] if facts.result.city.source_id else [say("limit_document")]
    for row in compare_head_counts(facts.result).to_dict("records"):
        census = facts.words.counted(row["census_value"], "person")
        items.append(
            say(
                _head_count(row["signed_difference"]),
                quote=row["quote_zh"],
                census_year=BASE_YEAR,
                census=census,
                difference=f"{abs(row['signed_difference']):.1%}",
            )
        )
    stock = stock_of_beds(facts.result.city)
    items += [
        say("limit_need"),
        say("limit_places"),
        say("limit_stock") if stock is None else say("limit_stock_known", stock=stock_words(facts)),
        say(
            "limit_assumptions",
            count=len(rows),
            **{basis: int((rows["basis"] == basis).sum()) for basis in ("guess", "analogy")},
        ),
        say("limit_costs"),
        say("limit_range"),
    ]
    return (_heading(facts, "limits"), Bullets(tuple(items)))


def _basis(facts: Facts) -> list[str]:
    """Whom the population counts, and on what its change rests."""
    change = facts.words.change_basis(facts.project, facts.result.city.adcode)
    return registered_words(facts) or [facts.words.phrase("limit_basis"), change]


def registered_words(facts: Facts) -> list[str]:
    """That the people are the registered ones, and how many of them stand for a resident; empty for residents."""
    city, draws = facts.result.city, facts.result.assumptions.draws
    ratios = registered_over_resident(facts.project, city, draws, [BASE_YEAR])
    if ratios.empty:
        return []
    ratio = ratios.set_index("age").at["60+", "ratio"]
    return [facts.words.phrase("limit_basis_registered", year=BASE_YEAR, ratio=f"{ratio:.2f}")]


def _head_count(difference: float) -> str:
    if abs(difference) < ROUNDING:
        return "limit_head_count_equal"
    return "limit_head_count_higher" if difference > 0 else "limit_head_count_lower"


def sources_in_use(project: Project, result: CityResult) -> list[str]:
    """Ids of all sources that the city's document, stock, assumptions and population rest on, sorted."""
    city = result.city
    ids = {city.source_id, *city.targets["source_id"], *result.assumptions.rows["source_id"]}
    ids |= set(city.capacity["source_id"]) if city.capacity is not None else set()
    ids |= {source for named in project.table_rows["source_ids"] for source in named.split()}
    whole = [city.adcode, city.adcode // 100 * 100, province_of(city.adcode), NATION]
    counts = usable_counts(project.china.counts)
    ids |= {*counts.loc[counts["adcode"].isin(whole), "source_id"]}
    ids |= {*city.population_by_age["source_id"]}
    return [source for source in project.sources["source_id"] if source in ids]


def main_sources(facts: Facts, moved: pd.DataFrame) -> list[str]:
    """Ids of the sources behind the report's own numbers: document, censuses, stock, what moves the results."""
    city, rows = facts.result.city, facts.result.assumptions.rows
    of_tables = facts.project.table_rows.set_index("rows")["source_ids"]
    ids = [city.source_id, *" ".join(of_tables[list(POPULATION_TABLES)]).split()]
    if city.capacity is not None:
        ids += list(
            city.capacity.loc[city.capacity["indicator"].isin(["beds_total", BUDGET]), "source_id"]
        )
    names = set(largest_moves(moved)["assumption"])
    ids += list(
        rows.loc[rows["assumption"].isin(names) | (rows["chosen_from"] == "city"), "source_id"]
    )
    known = set(sources_in_use(facts.project, facts.result)) - {OWN}
    return [source for source in dict.fromkeys(ids) if source in known]


def _sources(facts: Facts, moved: pd.DataFrame) -> tuple[Block, ...]:
    words = facts.words
    table = facts.project.sources.set_index("source_id")
    items = []
    for source in main_sources(facts, moved):
        row = table.loc[source]
        parts = [
            _title(words, row),
            words.phrases.get(f"issuer_{source}", row["issuer"]),
            row["document_number"],
        ]
        entry = words.join("list_join", [part for part in parts if part])
        items.append(
            words.phrase("source_dated", entry=entry, date=row["issued_on"])
            if row["issued_on"]
            else entry
        )
    text = words.phrase(
        "text_sources", count=len(set(sources_in_use(facts.project, facts.result)) - {OWN})
    )
    return (_heading(facts, "sources"), Paragraph(text), Bullets(tuple(items)))


def _title(words: Language, row: pd.Series) -> str:
    """Title of a source, marked as a title if it is in the report's language."""
    own = row[f"title_{words.code}"]
    return (
        words.phrase("source_title", title=own)
        if own and "《" not in own
        else words.text(row, "title")
    )
