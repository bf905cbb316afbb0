"""Tables and sentences of money, of places for children and of premises, as a planner reads them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from eldercare.analysis.affordability import level_that_pays
from eldercare.analysis.compare import PUBLIC_PAYERS, compare_money, compare_targets
from eldercare.inputs.load import Project
from eldercare.inputs.schema import ASSUMPTION_KEYS
from eldercare.model import services
from eldercare.model.chain import CityResult
from eldercare.model.costs import present_value
from eldercare.reporting.present import (
    NOT_AVAILABLE,
    range_text,
    row_keys,
    text_millions,
    text_number,
    text_percent,
)
from eldercare.reporting.present_workforce import row_value, spread_text, table_by_city
from eldercare.reporting.report import payer_shares

NOT_KNOWN = "not known"
RATES = ("high", "low")
LEVELS = {
    "operating subsidy, yuan per occupied bed and month": "subsidy",
    "insurance premium, yuan per resident and year": "premium",
    "co-payment, share of the cost of running care": "co_payment",
}


def nominal_table(results: dict[str, CityResult], years) -> pd.DataFrame:
    """Yearly cost in million yuan in constant prices and in those of each year, if need is met."""
    rows = []
    for result in results.values():
        real = result.values["cost_total"].sel(measure="need")
        own = result.quantity("cost_total_nominal").sel(measure="need")
        for label, array in ((f"prices of {result.price_year}", real), ("prices of the year", own)):
            cells = {year: spread_text(array.sel(year=year), text_millions) for year in years}
            rows.append({"city": result.city.name_en, "in": label, **cells})
    return pd.DataFrame(rows).set_index(["city", "in"])


def present_value_table(results: dict[str, CityResult], measure: str = "need") -> pd.DataFrame:
    """What the whole stream of costs is worth at the start of the programme, in million yuan."""

    def row(result: CityResult) -> dict:
        first, last = (int(row_value(result, f"programme_{end}_year")) for end in ("first", "last"))
        stream = result.values["cost_total"].sel(measure=measure).astype(float)
        rates = [row_value(result, "discount_rate", column) for column in RATES]
        return {
            f"{first}-{end}, at {text_percent(rate)}": spread_text(
                present_value(stream, rate, first, end), text_millions
            )
            for end in (last, int(stream["year"].values[-1]))
            for rate in rates
        }

    return table_by_city(results, row)


def national_money_table(project: Project) -> pd.DataFrame:
    """Public money of the nation at today's use beside the sums published, in billion yuan (see `compare_money`)."""
    table = compare_money(project)
    published = [
        _billions(row.published)
        if row.published_low == row.published_high
        else f"{_billions(row.published)} ({_billions(row.published_low)} to {_billions(row.published_high)})"
        for row in table.itertuples()
    ]
    return pd.DataFrame(
        {
            "public money": table["definition"],
            "year": table["year"],
            "published, billion yuan": published,
            "calculated": [
                range_text(row.low, row.central, row.high, _billions) for row in table.itertuples()
            ],
            "calculated over published": [f"{ratio:.2f}" for ratio in table["ratio"]],
            "why": table["note"],
        }
    )


def zero_rows(project: Project, results: dict[str, CityResult], year: int) -> pd.DataFrame:
    """What the money of a year takes as zero, for which cities, and why: nothing is zero only for want of a row."""
    steps, found = project.assumption_steps, {}
    for result in results.values():
        rows = result.assumptions.rows
        begun = rows[rows["year_from"].fillna(0) <= year].drop_duplicates(
            ["assumption", *ASSUMPTION_KEYS], keep="last"
        )
        money = begun["assumption"].isin(steps.loc[steps["step"] == "funding", "assumption"])
        for row in begun[money & (begun["low"] == 0) & (begun["high"] == 0)].to_dict("records"):
            found.setdefault((row["assumption"], row_keys(row), row["note"]), []).append(
                result.city.name_en
            )
    return pd.DataFrame(
        [
            {"assumption": name, "for": keys, "in": ", ".join(cities), "why": note}
            for (name, keys, note), cities in found.items()
        ],
        columns=["assumption", "for", "in", "why"],
    )


def _billions(yuan: float) -> str:
    return text_number(yuan / 1e9)


def _known(result: CityResult, indicator: str) -> tuple[int, float, str] | None:
    """Latest year, value and note of an indicator of capacity.csv that falls into the years calculated."""
    table = result.city.capacity
    if table is None:
        return None
    rows = table[
        (table["indicator"] == indicator) & table["year"].isin(result.values["year"].values)
    ]
    rows = rows.sort_values("year")
    return (
        None
        if rows.empty
        else (int(rows["year"].iloc[-1]), float(rows["value"].iloc[-1]), rows["note"].iloc[-1])
    )


def burden_table(results: dict[str, CityResult], year: int) -> pd.DataFrame:
    """What the city pays over its general budget, and all that is spent over GDP; not known where it is not.

    The first column is of the last year whose budget is known, in that year's prices; the second sets the
    cost of a later year against the same budget, as if it had not grown beyond prices.
    """
    wanted = {
        "city's payment over general budget spending": (
            "general_budget_expenditure",
            "city_budget",
        ),
        "whole cost over GDP": ("gdp", None),
    }
    rows = []
    for result in results.values():
        for label, (indicator, payer) in wanted.items():
            known = _known(result, indicator)
            money = (
                result.values["payment"].sel(measure="need", payer=payer)
                if payer
                else (result.values["cost_total"].sel(measure="need"))
            )
            cells = {
                "of the year": NOT_KNOWN,
                "in that year": NOT_KNOWN,
                f"cost of {year}, same budget": NOT_KNOWN,
                "note on the figure it is held against": "",
            }
            if known:
                last, amount, note = known
                level = result.quantity("price_level_by_year").sel(year=last)
                shares = [money.sel(year=when) * level / amount for when in (last, year)]
                cells = dict(
                    zip(
                        cells,
                        [last, *(spread_text(share, _fine_percent) for share in shares), note],
                    )
                )
            rows.append({"city": result.city.name_en, "share": label, **cells})
    return pd.DataFrame(rows).set_index(["city", "share"])


def _fine_percent(share: float) -> str:
    return f"{share * 100:.2g} %"


def affordability_table(
    results: dict[str, CityResult], year: int, probabilities=(0.5, 0.8, 0.95)
) -> pd.DataFrame:
    """The least level at which the care of a year is paid for, by how sure one wants to be."""
    rows = []
    for result in results.values():
        for label, kind in LEVELS.items():
            form = text_percent if kind == "co_payment" else text_number
            cells = {
                f"paid for with {p:.0%}".replace("%", " %"): form(
                    level_that_pays(result, kind, year, p)
                )
                for p in probabilities
            }
            rows.append({"city": result.city.name_en, "level": label, **cells})
    return pd.DataFrame(rows).set_index(["city", "level"])


def adaptation_table(project: Project, results: dict[str, CityResult]) -> pd.DataFrame:
    """Home adaptations promised a year: what they cost, and the homes that need it in the promise's year."""
    rows = []
    for result in results.values():
        table = result.city.targets
        promised = table[
            table["indicator"].isin(["home_adaptations_per_year", "home_adaptations"])
            & (table["restates"] == "")
        ]
        for row in promised.to_dict("records"):
            homes = result.values["home_adaptations_needed"].sel(measure="need")
            reached = row["target_year"] in homes["year"].values
            one = result.price("adaptation_cost")
            rows.append(
                {
                    "city": result.city.name_en,
                    "promise": row["label_en"],
                    "by": "no year"
                    if math.isnan(row["target_year"])
                    else f"{row['target_year']:.0f}",
                    "homes": text_number(row["value"]),
                    "million yuan": spread_text(one * row["value"], text_millions),
                    "homes that need it": spread_text(homes.sel(year=row["target_year"]))
                    if reached
                    else NOT_AVAILABLE,
                }
            )
    return pd.DataFrame(rows)


def premises_table(results: dict[str, CityResult], year: int) -> pd.DataFrame:
    """Area of community premises the rule asks for, and how many of the least size that is at most."""

    def row(result: CityResult) -> dict:
        area = result.values["premises_area_needed"].sel(year=year)
        least = row_value(result, "premises_area_minimum")
        reach = services.households_per_premises(row_value(result, "premises_area_existing"), least)
        cost = result.values["cost"].sel(year=year, measure="need", cost_item="premises")
        return {
            "square metres": spread_text(area),
            "premises at most": spread_text(area / least),
            "least size": text_number(least),
            "households each, existing estates": text_number(reach),
            "million yuan a year": spread_text(cost, text_millions),
        }

    return table_by_city(results, row)


def with_childcare_promise(project: Project, results: dict[str, CityResult]) -> CityResult:
    """The first city that promised childcare places in a ratio to its people; the first of all if none did."""
    found = [
        result
        for result in results.values()
        if (
            compare_targets(project, result)["measured_by"] == "childcare_places_per_1000_used"
        ).any()
    ]
    return [*found, *results.values()][0]


def childcare_table(project: Project, result: CityResult, years) -> pd.DataFrame:
    """Places for children under 3 that a city's promise comes to, beside those used and wanted."""
    table = compare_targets(project, result)
    per_1000 = table.loc[table["measured_by"] == "childcare_places_per_1000_used", "promised"]
    if per_1000.empty:
        return pd.DataFrame()
    values = result.values
    places = services.childcare_places_promised(values["population_total"], float(per_1000.iloc[0]))
    used = values["childcare_places_used"]
    parts = {
        "children under 3": (values["population_under_3"], text_number),
        "places promised": (places, text_number),
        "places used": (used, text_number),
        "places wanted": (values["childcare_places_wanted"], text_number),
        "promised places filled": (services.filled_share(used, places), text_percent),
    }
    return pd.DataFrame(
        {
            year: {
                label: spread_text(array.sel(year=year), form)
                for label, (array, form) in parts.items()
            }
            for year in years
        }
    )


def childcare_sentence(project: Project, result: CityResult, year: int) -> str:
    """Whether the promised places would be filled in a year."""
    table = childcare_table(project, result, [year])
    if table.empty:
        return f"{result.city.name_en} promised no places for children under 3."
    at = table[year]
    return (
        f"{result.city.name_en}, {year}: the promise comes to {at['places promised']} places; "
        f"at the enrolment seen, {at['places used']} are used, so that {at['promised places filled']} "
        "of them are filled; "
        f"families say they want {at['places wanted']}."
    )


def who_pays_sentences(results: dict[str, CityResult], year: int) -> list[str]:
    """How much of the cost of a year families, the public purse and insurance bear, if need is met.

    Shares are those of the means, as in the report (`payer_shares`), with their range over the draws.
    """
    out = []
    for result in results.values():
        paid = result.values["payment"].sel(year=year, measure="need")
        share, of_means = paid / paid.sum("payer"), payer_shares(result, year)["central"]
        bearers = {
            "families": ["families"],
            "public": list(PUBLIC_PAYERS),
            "city": ["city_budget"],
            "insurance": ["insurance"],
        }
        part = {}
        for name, who in bearers.items():
            low, high = np.quantile(share.sel(payer=who).sum("payer"), [0.1, 0.9])
            part[name] = range_text(low, of_means[who].sum(), high, text_percent)
        cost = result.values["cost_total"].sel(year=year, measure="need")
        out.append(
            f"{result.city.name_en}, {year}: {spread_text(cost, text_millions)} million yuan; "
            f"of its mean families bear {part['families']}, public money {part['public']} (of it the city's budget {part['city']}), "
            f"long-term-care insurance {part['insurance']}."
        )
    return out
