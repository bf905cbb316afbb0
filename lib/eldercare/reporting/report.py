"""The city report: what a city will need, whether its promises are enough, what it costs, how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.analysis.compare import compare_head_counts, compare_targets
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
from eldercare.reporting.lineage import quantities_below
from eldercare.reporting.origins import TABLES
from eldercare.reporting.present import DEFINITIONS_OF_NEED, sentence_case
from eldercare.reporting.present_sensitivity import OWN
from eldercare.reporting.wording import Language

LEFT_OUT = (
    "destitute",
    "disability",
    "family_time",
    "insurance_at_home",
    "land",
    "public_building",
    "staff_awards",
)
MONEY_YEARS = (2025, YEAR, LAST_YEAR)
NURSING = ["nursing", "dementia"]
LIMITED = ["mild", "moderate", "severe"]
RATES = ("share", "per_year")
HALF, SURE, UNSURE = 0.5, 0.8, 0.2
MOST = 5
ROUNDING = 0.005
MOVED = {"beds": "result_beds", "yearly_cost": "result_cost"}
POPULATION_TABLES = ("census_2020", "census_2010", "wpp_death_rates", "life_expectancy")
BUDGET = "general_budget_expenditure"


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
            mean_range(summed(self.result, indicator, year=year, **where)), unit
        )


def range_in(result: CityResult, indicator: str, year: int, **where) -> pd.Series:
    """Low, central and high of an indicator in a year; where a key has a list, its parts are summed in each draw.

    Returns : Series low, central, high
    """
    array = summed(result, indicator, **where)
    return summarise(array.sel(year=[year])).iloc[0]


def mean_range(array: xr.DataArray) -> pd.Series:
    """Low, mean and high of draws; the mean stands where else the middle does, so that parts add up.

    array   : array  dims draw
    Returns : Series low, central (the mean), high
    """
    ends = np.quantile(array.values, list(QUANTILES.values())).tolist()
    return pd.Series(dict(zip(QUANTILES, ends)) | {"central": float(array.astype(float).mean())})


def summed(result: CityResult, indicator: str, **where) -> xr.DataArray:
    """An indicator at some keys, summed over those keys that have a list."""
    array = result.values[indicator].sel(where)
    lists = [key for key, label in where.items() if isinstance(label, list)]
    return array.astype(float).sum(lists, skipna=False) if lists else array


def build_report(
    project: Project, result: CityResult, moved: pd.DataFrame, words: Language
) -> dict[str, tuple[Block, ...]]:
    """The report of a city in a language, section by section, the answer first.

    moved   : what moves the results of that city (`sensitivity.tornado`)
    Returns : blocks by section: answer, promise, people, beds, caregivers, money, moves, limits, sources
    """
    facts = Facts(project, result, words)
    return {
        "answer": _answer(facts),
        "promise": _promise(facts),
        "people": _people(facts),
        "beds": _beds(facts),
        "caregivers": _caregivers(facts),
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


def _answer(facts: Facts) -> tuple[Block, ...]:
    say = facts.words.phrase
    years = {"year": YEAR, "last": LAST_YEAR, "base_year": BASE_YEAR}
    lead = say(
        "answer_lead",
        city=facts.city,
        **years,
        **_pair("beds", facts, "beds_total_needed", "bed"),
        **_pair("workers", facts, "caregivers_total_needed", "worker"),
        **_pair("cost", facts, "cost_total", "yuan"),
    )
    shares = payer_shares(facts.result, YEAR)
    promises = compare_targets(facts.project, facts.result)
    enough = int((promises["chance"] >= HALF).sum())
    verdict = (
        say("answer_promises", count=len(promises), enough=enough)
        if len(promises)
        else say("answer_no_promise", city=facts.city)
    )
    points = [_promise_sentence(facts, row) for row in promises.to_dict("records")]
    points += [
        say(
            "answer_people",
            **years,
            base=facts.words.counted(_middle(facts, "population_60_plus"), "person"),
            **_pair("middle", facts, "population_60_plus", "person", late="late"),
            **_pair("oldest", facts, "population_80_plus", "person"),
        ),
        say(
            "answer_need",
            **years,
            **_pair("middle", facts, "care_need", "person", late="late", severity=LIMITED),
            **_pair("severe", facts, "care_need", "person", severity="severe"),
        ),
        say(
            "answer_beds",
            **years,
            nursing=facts.told("beds_needed", YEAR, "bed", measure="need", bed_type=NURSING),
            use=facts.told("beds_total_needed", YEAR, "bed", measure="use"),
            stock=stock_words(facts),
        ),
        say(
            "answer_caregivers",
            **years,
            stock=facts.told("caregivers_stock", YEAR, "worker", path="today"),
        ),
        say(
            "answer_money",
            **years,
            **{
                name: facts.words.range(shares.loc[payer], "share")
                for name, payer in (("families", "families"), ("budget", "city_budget"))
            },
        ),
    ]
    registered = registered_words(facts)
    name = "report_note_registered" if registered else "report_note"
    note = say(name, census_year=BASE_YEAR, price_year=facts.price_year)
    return (
        Heading(1, report_title(facts)),
        Paragraph(note, "note"),
        *(Paragraph(told, "note") for told in registered),
        _heading(facts, "answer"),
        Paragraph(lead, "lead"),
        Paragraph(verdict, "lead"),
        Bullets(tuple(points)),
    )


def _pair(
    name: str, facts: Facts, indicator: str, unit: str, late: str = "", **where
) -> dict[str, str]:
    """A quantity in the middle and in the last year, under a name and that name with `_late`."""
    if "measure" in facts.result.values[indicator].dims:
        where = {"measure": "need", **where}
    return {
        name: facts.told(indicator, YEAR, unit, **where),
        late or f"{name}_late": facts.told(indicator, LAST_YEAR, unit, **where),
    }


def _middle(facts: Facts, indicator: str) -> float:
    return float(facts.row(indicator, BASE_YEAR)["central"])


def stock_words(facts: Facts) -> str:
    """The existing beds and the year they were counted, or that they are not collected here."""
    stock = stock_of_beds(facts.result.city)
    if stock is None:
        return facts.words.phrase("not_available")
    value = facts.words.counted(float(stock["value"]), "bed")
    return facts.words.phrase("year_and_value", value=value, year=int(stock["year"]))


def payer_shares(result: CityResult, year: int) -> pd.DataFrame:
    """What part of the yearly cost each payer bears if need is met: of the mean, with the range over the draws.

    The parts are those of the means, which stand beside them, and whole per cents that add up to 100; a mean of
    ratios is another number and adds up with no money.

    Returns : table low, central, high, indexed by payer
    """
    paid = result.values["payment"].sel(year=year, measure="need").astype(float)
    means = paid.mean("draw").transpose("payer").to_series()
    ranges = paid / paid.sum("payer")
    out = pd.DataFrame({payer: mean_range(ranges.sel(payer=payer)) for payer in means.index}).T
    return out.assign(central=np.array(in_whole_parts(means)) / 100)


def in_whole_parts(values: Iterable[float], whole: int = 100) -> list[int]:
    """Whole parts of 100 in proportion to values, which add up: what is lost by cutting goes to the largest rests."""
    values = np.asarray(list(values), float)
    exact = values / values.sum() * whole
    parts = np.floor(exact).astype(int)
    largest = np.argsort(parts - exact, kind="stable")[: whole - parts.sum()]
    parts[largest] += 1
    return parts.tolist()


def verdict(chance: float) -> str:
    """Name of the phrase that says whether a promise is enough, by its chance."""
    if chance >= HALF:
        return "verdict_enough" if chance >= SURE else "verdict_likely"
    return "verdict_unlikely" if chance >= UNSURE else "verdict_short"


def _label(facts: Facts, row: Mapping) -> str:
    return sentence_case(facts.words.text(row, "label"))


def _promise_sentence(facts: Facts, row: dict) -> str:
    words = facts.words
    return words.phrase(
        "answer_promise",
        label=_label(facts, row),
        year=row["target_year"],
        promised=words.value_with_unit(row["promised"], row["unit"]),
        need=words.range(row, row["unit"]),
        chance=words.chance(row["chance"]),
        verdict=words.phrase(verdict(row["chance"])),
    )


def _promise(facts: Facts) -> tuple[Block, ...]:
    words = facts.words
    promises = compare_targets(facts.project, facts.result).to_dict("records")
    rows = [_promise_row(facts, row) for row in promises] + _headline_rows(facts)
    columns = ("item", "year", "promised", "need", "use", "chance", "gap")
    table = Table(
        words.phrase("caption_promise"),
        tuple(words.phrase(f"column_{name}") for name in columns),
        tuple(rows),
    )
    notes = [Paragraph(words.phrase("promise_note", draws=facts.result.assumptions.draws), "note")]
    if promises:
        items = [
            words.phrase(
                "definition_item", label=_label(facts, row), definition=_definition(facts, row)
            )
            for row in promises
        ]
        notes.append(
            Paragraph(
                words.phrase("definition_note", items=words.join("items_join", items)), "note"
            )
        )
    return (_heading(facts, "promise"), table, *notes)


def _definition(facts: Facts, row: dict) -> str:
    below = quantities_below(row["measured_by"])
    names = [name for name in DEFINITIONS_OF_NEED if name in below] or ["none"]
    return facts.words.join("names_join", [facts.words.of("definition", name) for name in names])


def _promise_row(facts: Facts, row: dict) -> tuple[str, ...]:
    words, unit = facts.words, row["unit"]
    name = _label(facts, row)
    if unit != "share":
        name = words.phrase("row_name", name=name, unit=words.of("unit", unit))
    need = words.range(
        {end: row[end] for end in ("low", "central", "high")},
        "share" if unit == "share" else "plain",
    )
    gap = words.counted(abs(row["plain_gap"]), row["plain_unit"])
    return (
        name,
        str(row["target_year"]),
        words.value(row["promised"], unit),
        need,
        words.value(row["use"], unit),
        words.chance(row["chance"]),
        words.phrase("gap_over" if row["plain_gap"] >= 0 else "gap_short", amount=gap),
    )


def _headline_rows(facts: Facts) -> list[tuple[str, ...]]:
    """Beds, nursing beds, care workers and cost in two years, whether or not anything was promised."""
    words = facts.words
    items = (
        (words.label("beds_total_needed"), "beds_total_needed", "bed", {}),
        (words.phrase("item_nursing_beds"), "beds_needed", "bed", {"bed_type": NURSING}),
        (words.label("caregivers_total_needed"), "caregivers_total_needed", "worker", {}),
        (words.label("cost_total"), "cost_total", "yuan", {}),
    )
    none, dash = words.phrase("no_promise"), words.phrase("not_applicable")
    return [
        (
            words.phrase("row_name", name=label, unit=words.of("unit", unit)),
            str(year),
            none,
            facts.told(indicator, year, "plain", measure="need", **where),
            words.number(facts.row(indicator, year, measure="use", **where)["central"]),
            dash,
            dash,
        )
        for label, indicator, unit, where in items
        for year in (YEAR, LAST_YEAR)
    ]


def _parts(facts: Facts, family: str, indicator: str, names, unit: str, **where) -> dict[str, str]:
    """Means of the parts of a quantity and their total, which they add up to, under the names of a phrase."""
    told = {
        name: facts.told_mean(indicator, YEAR, unit, **where, **{family: name}) for name in names
    }
    items = [
        facts.words.phrase("part_item", name=facts.words.of(family, name), value=value)
        for name, value in told.items()
    ]
    total = facts.told_mean(indicator, YEAR, unit, **where, **{family: list(names)})
    return {"parts": facts.words.join("items_join", items), "total": total}


def _caption(facts: Facts, name: str) -> Figure:
    return Figure(
        facts.words.phrase(
            f"caption_{name}", first=int(facts.result.values["year"][0]), last=LAST_YEAR
        )
    )


def _people(facts: Facts) -> tuple[Block, ...]:
    text = facts.words.phrase(
        "text_people",
        year=YEAR,
        **_parts(facts, "severity", "care_need", LIMITED, "person"),
        dementia=facts.told("people_with_dementia", YEAR, "person"),
    )
    return (_heading(facts, "people"), Paragraph(text), _caption(facts, "people"))


def _beds(facts: Facts) -> tuple[Block, ...]:
    types = facts.result.values["bed_type"].values
    text = facts.words.phrase(
        "text_beds",
        year=YEAR,
        **_parts(facts, "bed_type", "beds_needed", types, "bed", measure="need"),
        day_care=facts.told_mean("day_care_places_needed", YEAR, "place", measure="need"),
    )
    return (_heading(facts, "beds"), Paragraph(text), _caption(facts, "beds"))


def _caregivers(facts: Facts) -> tuple[Block, ...]:
    places = facts.result.values["workplace"].values
    text = facts.words.phrase(
        "text_caregivers",
        year=YEAR,
        **_parts(facts, "workplace", "caregivers_needed", places, "worker", measure="need"),
        programme=facts.told_mean("caregivers_stock", YEAR, "worker", path="programme"),
    )
    beside = facts.words.phrase(
        "text_caregivers_in_post",
        year=BASE_YEAR,
        stock=facts.told("caregivers_stock", BASE_YEAR, "worker", path="today"),
        use=facts.told("caregivers_total_needed", BASE_YEAR, "worker", measure="use"),
    )
    return (
        _heading(facts, "caregivers"),
        Paragraph(text),
        Paragraph(beside),
        _caption(facts, "caregivers"),
    )


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
    text = words.phrase(
        "text_money", year=YEAR, cost=facts.told("cost_total", YEAR, "yuan", measure="need")
    )
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
        name = words.label(row["assumption"])
        if row["keys"]:
            name = words.phrase("assumption_name", name=name, keys=words.keys(row["keys"].split()))
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
        census = facts.words.counted(row["census_2020"], "person")
        items.append(
            say(
                _head_count(row["difference"]),
                quote=row["quote_zh"],
                census_year=BASE_YEAR,
                census=census,
                difference=f"{abs(row['difference']):.1%}",
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
    ids |= {source for table in TABLES.values() for source in table.sources.split()}
    whole = [city.adcode, city.adcode // 100 * 100, province_of(city.adcode), NATION]
    counts = usable_counts(project.china.counts)
    ids |= {*counts.loc[counts["adcode"].isin(whole), "source_id"]}
    ids |= {*city.population_by_age["source_id"]}
    return [source for source in project.sources["source_id"] if source in ids]


def main_sources(facts: Facts, moved: pd.DataFrame) -> list[str]:
    """Ids of the sources behind the report's own numbers: document, censuses, stock, what moves the results."""
    city, rows = facts.result.city, facts.result.assumptions.rows
    ids = [
        city.source_id,
        *(source for name in POPULATION_TABLES for source in TABLES[name].sources.split()),
    ]
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
