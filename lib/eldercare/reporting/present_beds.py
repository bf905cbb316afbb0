"""Beds as a reader meets them: what stands against need, the two methods, the causes of change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from eldercare.analysis.balance import BALANCE, bed_balance, nursing_share
from eldercare.analysis.compare import influence
from eldercare.analysis.decomposition import FACTOR_WORDS, FACTORS, OUTCOMES, decompose
from eldercare.inputs.load import Project
from eldercare.model import flow
from eldercare.model.chain import CityResult, stock_of_beds
from eldercare.model.workforce import MONTHS
from eldercare.reporting.present import (
    NOT_AVAILABLE,
    mean_head,
    mean_text,
    part_table,
    range_text,
    text_number,
    text_percent,
)
from eldercare.reporting.present_care import spread_text

BALANCE_WORDS = {
    "standing": "existing beds",
    "empty": "empty beds",
    "missing": "missing beds",
    "missing_nursing": "missing nursing beds",
}
START = {
    OUTCOMES[0]: "beds of the users of 2020 at the occupancy observed, mean",
    OUTCOMES[1]: "today's use, 2020, mean",
}
NO_PART = {OUTCOMES[0]: ("unit_cost",), OUTCOMES[1]: ("occupancy",)}


def balance_table(results: dict[str, CityResult], years=(2025, 2035)) -> pd.DataFrame:
    """Empty, missing and missing nursing beds of each city; what stands is the last published count."""
    rows = []
    for result in results.values():
        tables = {year: bed_balance(result, year).set_index("quantity") for year in years}
        for name in BALANCE:
            cells = {
                year: text_number(one.loc[name, "central"], 5)
                if name == "standing"
                else range_text(*one.loc[name])
                for year, one in tables.items()
            }
            rows.append({"city": result.city.name_en, "quantity": BALANCE_WORDS[name], **cells})
    return pd.DataFrame(rows).set_index(["city", "quantity"])


def balance_sentences(results: dict[str, CityResult], year: int) -> list[str]:
    """What the three numbers say, or why they cannot be told."""
    out = []
    for result in results.values():
        stock, name = stock_of_beds(result.city), result.city.name_en
        if stock is None:
            out.append(
                f"{name}: empty, missing and missing nursing beds are {NOT_AVAILABLE}: the existing beds are not collected "
                f"here; put their count into data/cities/{result.city.city_id}/capacity.csv."
            )
            continue
        table = bed_balance(result, year).set_index("quantity")["central"]
        share = nursing_share(result.city)
        basis = (
            ""
            if share is None
            else f" (with the {text_percent(share[0])} nursing beds {share[2]} for {share[1]})"
        )
        out.append(
            f"{name}: of {text_number(stock['value'], 5)} beds ({int(stock['year'])}) about "
            f"{text_number(table['empty'])} are empty; in {year} about {text_number(table['missing'])} beds are "
            f"missing, and {text_number(table['missing_nursing'])} nursing beds{basis}. Empty beds do not fill "
            "the gap where they are of the wrong kind or in the wrong place."
        )
    return out


def flow_table(results: dict[str, CityResult], year: int) -> pd.DataFrame:
    """Beds in institutions by both methods, need, and the waiting standard's own occupancy."""
    rows = {}
    for result in results.values():
        ratio, other = _both_methods(result, year)
        stay = (
            result.values["mean_length_of_stay"].sel(year=year, measure="need").values.astype(float)
        )
        one = result.assumptions
        wait = one["waiting_standard"].values / MONTHS
        share = one["waiting_standard_share"].values
        pool = np.rint(one["beds_per_institution"].values)
        rows[result.city.name_en] = {
            "admissions a year": spread_text(
                result.values["admissions"].sel(year=year, measure="need").values
            ),
            "years of stay": spread_text(stay),
            "beds by flow": spread_text(other),
            "beds by ratio": spread_text(ratio),
            "flow over ratio": spread_text(other / ratio),
            "occupancy aimed at": spread_text(one["target_occupancy"].values, text_percent),
            "occupancy that waiting allows, one home": spread_text(
                flow.occupancy_for_waiting(pool, stay, wait, share), text_percent
            ),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _both_methods(result: CityResult, year: int) -> tuple[np.ndarray, np.ndarray]:
    names = ("beds_institution_needed", "beds_from_flow")
    return tuple(
        result.values[name].sel(year=year, measure="need").values.astype(float) for name in names
    )


def flow_sentences(results: dict[str, CityResult], year: int) -> list[str]:
    """How far the two methods lie apart, and which assumption does it."""
    out = []
    for result in results.values():
        ratio, other = _both_methods(result, year)
        apart = np.median(other / ratio) - 1
        values = result.values
        both = (values["beds_from_flow"] / values["beds_institution_needed"]).astype(float)
        top = influence(
            replace(result, values=values.assign(flow_over_ratio=both)),
            "flow_over_ratio",
            year,
            most=2,
        )
        words = " and ".join(
            f"{row.assumption.replace('_', ' ')} ({text_percent(row.share_of_spread)})"
            for row in top.itertuples()
        )
        direction = "more" if apart >= 0 else "fewer"
        words_apart = (
            f"{abs(apart) * 100:.0f} % {direction} beds than"
            if abs(apart) >= 0.005
            else "as many beds as"
        )
        out.append(
            f"{result.city.name_en}: flow asks for {words_apart} the ratio "
            f"in {year}; "
            f"most of the spread between the two goes with {words}."
        )
    return out


def queue_sentences(results: dict[str, CityResult], year: int) -> list[str]:
    """The queue formula beside a queue simulated, for one home of the usual size."""
    result = next(iter(results.values()))
    one = result.assumptions
    beds = int(np.rint(np.median(one["beds_per_institution"])))
    stay = float(np.median(result.values["mean_length_of_stay"].sel(year=year, measure="need")))
    months, share = (
        float(np.median(one["waiting_standard"])),
        float(np.median(one["waiting_standard_share"])),
    )
    wait = months / MONTHS
    load = beds * float(flow.occupancy_for_waiting(beds, stay, wait, share))
    played = flow.simulated_beds(load, stay, wait, share, "notebook")
    record = flow.simulate_queue(load, beds, stay, wait, "notebook")
    return [
        f"A home of {beds} beds keeps the standard ({text_percent(share)} placed within {months:g} months) with "
        f"{text_number(load)} residents, {text_percent(load / beds)} full.",
        f"Played through with {record.admitted:,} people, {beds} beds hold {text_number(record.residents)} residents "
        f"({(record.residents / load - 1) * 100:+.1f} %), and {played} beds keep the standard "
        f"({(played / beds - 1) * 100:+.1f} %).",
        "So waiting alone would let beds be fuller than aimed at: the target occupancy leaves room for turnover, "
        "choice and small homes, not for the queue.",
    ]


def decompositions(
    project: Project, results: dict[str, CityResult], years=(2035, 2050)
) -> pd.DataFrame:
    """`decompose` for all cities: each promise's year after 2020, and the years given."""
    parts = []
    for city_id, result in results.items():
        table = result.city.targets
        due = table.loc[
            (table["follow_up"] == "measured") & (table["kind"] == "target"), "target_year"
        ].dropna()
        wanted = sorted({int(year) for year in due if year > 2020} | set(years))
        table = decompose(project, city_id, wanted, result.scenario, result.assumptions.draws)
        parts.append(table.assign(city_id=city_id))
    return pd.concat(parts, ignore_index=True)


def decomposition_table(
    tables: pd.DataFrame, results: dict[str, CityResult], outcome: str
) -> pd.DataFrame:
    """Start, each cause and end of an outcome, beds or million yuan a year: means, which add up."""
    unit = 1.0 if outcome == OUTCOMES[0] else 1e6
    rows = []
    for (city_id, year), part in tables[tables["outcome"] == outcome].groupby(
        ["city_id", "year"], sort=False
    ):
        means = part.set_index("part")["mean"] / unit
        causes = {
            FACTOR_WORDS[name]: _signed(means[name])
            for name in FACTORS
            if name not in NO_PART[outcome]
        }
        rows.append(
            {
                "city": results[city_id].city.name_en,
                "year": year,
                START[outcome]: text_number(means["start"]),
                **causes,
                "need, mean": text_number(means["end"]),
            }
        )
    return pd.DataFrame(rows).set_index(["city", "year"])


def _signed(value: float) -> str:
    return "0" if value == 0 else f"{'+' if value > 0 else '−'}{text_number(abs(value))}"


def largest_cause_sentences(
    tables: pd.DataFrame, results: dict[str, CityResult], year: int
) -> list[str]:
    """For each city what does most to beds between 2020 and a year."""
    rows = tables[(tables["outcome"] == OUTCOMES[0]) & (tables["year"] == year)]
    out = []
    for city_id, part in rows.groupby("city_id", sort=False):
        means = part.set_index("part")["mean"]
        order = means[list(FACTORS)].sort_values(key=abs, ascending=False)
        words = ", ".join(
            f"{FACTOR_WORDS[name]} {_signed(order[name])}" for name in order.index[:3]
        )
        out.append(
            f"{results[city_id].city.name_en}: from {text_number(means['start'])} beds (users of 2020, beds as full as seen) to "
            f"{text_number(means['end'])} (need in {year}, beds as full as aimed at), means of the draws: {words}."
        )
    return out


def bed_table(result: CityResult, years) -> pd.DataFrame:
    """Beds needed by type and in all, with respite beds and day-care places beside them, one column a year; means."""
    table = part_table(result, "beds_needed", "bed_type", years, measure="need")
    for label, indicator in (
        ("respite, beside", "respite_beds_needed"),
        ("day-care places", "day_care_places_needed"),
    ):
        drawn = result.values[indicator].sel(measure="need")
        cells = {
            mean_head(year): mean_text(drawn.sel(year=year).values)
            for year in years
            if year in drawn["year"].values
        }
        table.loc[label] = [cells[head] for head in table.columns]
    return table
