"""What the cost of care is held against: payers, budgets, promises, and the level at which it is
paid for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.analysis.compare import PUBLIC_PAYERS, promises_of
from eldercare.engine.quantity import PRICE_LEVEL, quantity
from eldercare.inputs.load import Project
from eldercare.inputs.schema import ASSUMPTION_KEYS
from eldercare.model import services
from eldercare.model.beds import BEDS_PER_RESIDENT
from eldercare.model.chain import QUANTILES, CityResult
from eldercare.model.costs import STAFF_ITEMS, present_value
from eldercare.model.workforce import MONTHS

STEPS = 200
PROBABILITIES = (0.5, 0.8, 0.95)
UNITS_OF_LEVELS = {
    "subsidy": "yuan_per_bed_month",
    "premium": "yuan_per_person",
    "co_payment": "share",
}
BEARERS = {
    "families": ["families"],
    "public": list(PUBLIC_PAYERS),
    "city_budget": ["city_budget"],
    "insurance": ["insurance"],
}
# What is set beside what: the payer (all, if none is named) and the row of capacity.csv.
BURDENS = {"city_budget": ("city_budget", "general_budget_expenditure"), "all": ("", "gdp")}
CHILDCARE = "childcare_places_per_1000_used"
ADAPTATIONS = ("home_adaptations", "home_adaptations_per_year")
Results = Mapping[str, CityResult]


def spread(array: xr.DataArray, before: str = "") -> dict[str, float]:
    """Low, central and high of the draws of one number; a word may stand before their names."""
    ends = np.quantile(array.values, list(QUANTILES.values()))
    return {f"{before}{name}": float(end) for name, end in zip(QUANTILES, ends)}


def value_in_force(result: CityResult, assumption: str, column: str = "central") -> float:
    """One of the three values of an assumption that has one row."""
    rows = result.assumptions.rows
    return float(rows.loc[rows["assumption"] == assumption, column].iloc[0])


def chance_paid_for(paid_for: Callable[[float], np.ndarray], level: float) -> float:
    """Share of draws in which the money suffices at a level."""
    return float(np.mean(paid_for(level)))


def solve_level(
    paid_for: Callable[[float], np.ndarray], probability: float, low: float = 0.0, high: float = 1.0
) -> float:
    """The least level at which the money suffices in at least a share of the draws.

    Halves an interval at whose upper end the share is reached and at whose lower end it is not; the
    upper end is doubled until it is. More money must never make it suffice in fewer draws.

    paid_for    : for a level, whether the money suffices in each draw
    probability : wanted share of the draws, above 0 and at most 1
    low, high   : where to begin
    Returns     : the level, in the unit `paid_for` takes; `low` if that suffices already
    Raises      : ValueError if the probability is outside (0, 1], or no level suffices
    """
    if not 0 < probability <= 1:
        raise ValueError(f"the probability must be above 0 and at most 1; it is {probability}")
    if chance_paid_for(paid_for, low) >= probability:
        return low
    for _ in range(STEPS):
        if chance_paid_for(paid_for, high) >= probability:
            break
        high *= 2
    else:
        raise ValueError("no level pays for it with that probability")
    while high - low > 1e-9 * max(abs(high), 1e-9):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (
            (low, middle) if chance_paid_for(paid_for, middle) >= probability else (middle, high)
        )
    return high


@quantity(
    unit="yuan per bed and month",
    of=(
        "institution_running_cost",
        "scheme_payment_institution",
        "residents",
        PRICE_LEVEL,
        "affordable_fee",
    ),
)
def break_even_subsidy(
    cost: np.ndarray, others: np.ndarray, residents: np.ndarray, fee: np.ndarray, probability: float
) -> float:
    """Operating subsidy of an occupied bed at which families can pay the rest.

    Paid for if::  12 x residents x (fee that families can pay + one bed each x subsidy) + others >= cost

    Residents of places paid whole count here as all others: the public purse then pays the fee.

    cost, others : array [yuan per year]  running institutions; insurance and vouchers in them
    residents    : array [person]
    fee          : array [yuan per person and month]
    Returns      : number [yuan per bed and month]
    """

    def paid_for(level: float) -> np.ndarray:
        return MONTHS * residents * (fee + BEDS_PER_RESIDENT * level) + others >= cost

    return solve_level(paid_for, probability, high=1000.0)


@quantity(unit="yuan per person and year", of=("insurance_benefit_full", "population_total"))
def break_even_premium(benefits: np.ndarray, people: np.ndarray, probability: float) -> float:
    """Premium a resident and year that pays the benefits of insurance if all severe cases draw
    them.

    Paid for if::  residents x premium >= benefits

    benefits : array [yuan per year]
    people   : array [person]
    Returns  : number [yuan per person and year]
    """
    return solve_level(lambda level: people * level >= benefits, probability, high=100.0)


@quantity(
    unit="share",
    of=(
        "institution_running_cost",
        "cost_of_home_care",
        "cost_of_day_care",
        "public_running",
        "scheme_payment",
    ),
)
def break_even_co_payment(cost: np.ndarray, others: np.ndarray, probability: float) -> float:
    """Share of the cost of running care that families must bear beside subsidies, insurance and
    vouchers.

    Paid for if::  cost x co-payment + others >= cost

    cost, others : array [yuan per year]
    Returns      : number [share]
    """
    return solve_level(lambda level: cost * level + others >= cost, probability, high=1.0)


def break_even_level(result: CityResult, kind: str, year: int, probability: float) -> float:
    """Subsidy, premium or co-payment at which the care of a year is paid for with a probability.

    kind    : subsidy, premium or co_payment
    Returns : number [yuan per bed and month, yuan per person and year, share]
    """
    at = {name: array.sel(year=year) for name, array in result.values.data_vars.items()}
    need = {
        name: array.sel(measure="need").astype(float)
        for name, array in at.items()
        if "measure" in array.dims
    }
    cost = need["cost"]
    running = cost.sel(cost_item=list(STAFF_ITEMS)).sum("cost_item").values
    if kind == "subsidy":
        return break_even_subsidy(
            running,
            need["scheme_payment_institution"].values,
            need["residents"].sum("bed_type").values,
            result.price("affordable_fee").values,
            probability,
        )
    if kind == "premium":
        people = at["population_total"].values.astype(float)
        return break_even_premium(need["insurance_benefit_full"].values, people, probability)
    care = running + cost.sel(cost_item=["home_care", "day_care"]).sum("cost_item").values
    others = (need["public_running"] + need["scheme_payment"]).values
    return break_even_co_payment(care, others, probability)


def break_even_levels(
    results: Results, year: int, probabilities: Iterable[float] = PROBABILITIES
) -> pd.DataFrame:
    """The least level at which the care of a year is paid for, by how sure one wants to be.

    Returns : table city_id, level, share_sure, value, unit
    """
    chances = list(probabilities)
    rows = [
        (city_id, kind, chance, break_even_level(result, kind, year, chance), unit)
        for city_id, result in results.items()
        for kind, unit in UNITS_OF_LEVELS.items()
        for chance in chances
    ]
    return pd.DataFrame(rows, columns=["city_id", "level", "share_sure", "value", "unit"])


def in_whole_parts(values: Iterable[float], whole: int = 100) -> list[int]:
    """Whole parts of 100 in proportion to values, which add up: what is lost by cutting goes to the
    largest rests.
    """
    values = np.asarray(list(values), float)
    exact = values / values.sum() * whole
    parts = np.floor(exact).astype(int)
    largest = np.argsort(parts - exact, kind="stable")[: whole - parts.sum()]
    parts[largest] += 1
    return parts.tolist()


def payer_shares(result: CityResult, year: int) -> pd.DataFrame:
    """What part of the yearly cost each payer bears if need is met: of the mean, with the range
    over the draws.

    The parts are those of the means, which stand beside them, and whole per cents that add up to
    100; a mean of ratios is another number and adds up with no money.

    Returns : table low, central, high, indexed by payer
    """
    paid = result.values["payment"].sel(year=year, measure="need").astype(float)
    means = paid.mean("draw").transpose("payer").to_series()
    ranges = paid / paid.sum("payer")
    out = pd.DataFrame({payer: spread(ranges.sel(payer=payer)) for payer in means.index}).T
    return out.assign(central=np.array(in_whole_parts(means)) / 100)


def who_bears(results: Results, year: int) -> pd.DataFrame:
    """How much of the mean cost of a year families, the public purse and insurance bear, if need is
    met.

    Returns : table city_id, payer (families, public, of it the city's budget, insurance), low,
              central, high, unit
    """
    rows = []
    for city_id, result in results.items():
        paid = result.values["payment"].sel(year=year, measure="need")
        share, of_means = paid / paid.sum("payer"), payer_shares(result, year)["central"]
        for name, who in BEARERS.items():
            ends = spread(share.sel(payer=who).sum("payer"))
            rows.append({"city_id": city_id, "payer": name, **ends, "central": of_means[who].sum()})
    return pd.DataFrame(rows).assign(unit="share")


def present_values(results: Results, measure: str = "need") -> pd.DataFrame:
    """What the whole stream of costs is worth at the start of the programme, at both ends of the
    discount rate.

    Returns : table city_id, first, last, share_rate, low, central, high, unit
    """
    rows = []
    for city_id, result in results.items():
        first, last = (
            int(value_in_force(result, f"programme_{end}_year")) for end in ("first", "last")
        )
        stream = result.values["cost_total"].sel(measure=measure).astype(float)
        for end in (last, int(stream["year"].values[-1])):
            for rate in (value_in_force(result, "discount_rate", one) for one in ("high", "low")):
                window = {"first": first, "last": end, "share_rate": rate}
                worth = spread(present_value(stream, rate, first, end))
                rows.append({"city_id": city_id, **window, **worth, "unit": "yuan"})
    return pd.DataFrame(rows)


def _known(result: CityResult, indicator: str) -> pd.Series | None:
    """Latest row of an indicator of capacity.csv that falls into the years calculated."""
    table = result.city.capacity
    if table is None:
        return None
    calculated = table["year"].isin(result.values["year"].values)
    rows = table[(table["indicator"] == indicator) & calculated].sort_values("year")
    return None if rows.empty else rows.iloc[-1]


def burdens(results: Results, year: int) -> pd.DataFrame:
    """What the city pays over its general budget, and all that is spent over GDP; NaN where they
    are not known.

    now_… is of the last year whose budget is known, in that year's prices; later_… sets the cost of
    a later year against the same budget, as if it had not grown beyond prices.

    Returns : table city_id, burden, known_year, now_low …, later_year, later_low …, note, unit
    """
    rows = []
    for city_id, result in results.items():
        for name, (payer, indicator) in BURDENS.items():
            known = _known(result, indicator)
            money = result.values["payment" if payer else "cost_total"].sel(measure="need")
            money = money.sel(payer=payer) if payer else money
            row = {"city_id": city_id, "burden": name, "known_year": math.nan, "note": ""}
            row |= {f"{when}central": math.nan for when in ("now_", "later_")}
            if known is not None:
                last = int(known["year"])
                level = result.quantity("price_level_by_year").sel(year=last) / known["value"]
                row |= {"known_year": last, "note": known["note"]}
                row |= spread(money.sel(year=last) * level, "now_")
                row |= spread(money.sel(year=year) * level, "later_")
            rows.append({**row, "later_year": year, "unit": "share"})
    return pd.DataFrame(rows)


def zero_rows(project: Project, results: Results, year: int) -> pd.DataFrame:
    """What the money of a year takes as zero, for which cities, and why: nothing is zero only for
    want of a row.

    Returns : table city_id and the columns of the rows in force
    """
    steps = project.assumption_steps
    money = set(steps.loc[steps["step"] == "funding", "assumption"])
    found = []
    for city_id, result in results.items():
        rows = result.assumptions.rows
        begun = rows[rows["year_from"].fillna(0) <= year]
        begun = begun.drop_duplicates(["assumption", *ASSUMPTION_KEYS], keep="last")
        none = (begun["low"] == 0) & (begun["high"] == 0) & begun["assumption"].isin(money)
        found.append(begun[none].assign(city_id=city_id))
    return pd.concat(found, ignore_index=True)


def adaptations(results: Results) -> pd.DataFrame:
    """Home adaptations promised: what they cost, and the homes that need one in the promise's year.

    Returns : table city_id, label_en, label_zh, target_year, value and need_low … [household],
              money_low … [yuan]
    """
    rows = []
    for result in results.values():
        table = result.city.targets
        promised = table["indicator"].isin(ADAPTATIONS) & (table["restates"] == "")
        homes = result.values["home_adaptations_needed"].sel(measure="need")
        for _, row in table[promised].iterrows():
            reached = row["target_year"] in homes["year"].values
            needed = spread(homes.sel(year=row["target_year"]), "need_") if reached else {}
            money = spread(result.price("adaptation_cost") * row["value"], "money_")
            told = row[["label_en", "label_zh", "target_year", "value", "unit"]]
            blank = {"need_central": math.nan}
            rows.append({"city_id": result.city.city_id, **told, **blank, **needed, **money})
    return pd.DataFrame(rows)


def premises(results: Results, year: int) -> pd.DataFrame:
    """Area of community premises the rule asks for, and how many of the least size that is at most.

    Returns : table city_id, area_low … [square metre], count_low …, least_value [square metre],
              households_value, cost_low … [yuan]
    """
    rows = []
    for city_id, result in results.items():
        area = result.values["premises_area_needed"].sel(year=year)
        least = value_in_force(result, "premises_area_minimum")
        per_100 = value_in_force(result, "premises_area_existing")
        cost = result.values["cost"].sel(year=year, measure="need", cost_item="premises")
        sizes = {
            "least_value": least,
            "households_value": services.households_per_premises(per_100, least),
        }
        ranges = spread(area, "area_") | spread(area / least, "count_") | spread(cost, "cost_")
        rows.append({"city_id": city_id, **ranges, **sizes})
    return pd.DataFrame(rows)


def _childcare_promised(result: CityResult) -> float | None:
    rows = promises_of(result.city)
    rows = rows[rows["measured_by"] == CHILDCARE]
    return None if rows.empty else float(rows["value"].iloc[0])


def with_childcare_promise(results: Results) -> CityResult:
    """The first city that promised childcare places in a ratio to its people; the first of all if
    none did.
    """
    found = [one for one in results.values() if _childcare_promised(one) is not None]
    return [*found, *results.values()][0]


def childcare(result: CityResult, years: Iterable[int]) -> pd.DataFrame:
    """Places for children under 3 that a city's promise comes to, beside those used and wanted.

    Returns : table city_id, year, childcare (what), low, central, high, unit; empty if the city
              promised none
    """
    per_1000 = _childcare_promised(result)
    if per_1000 is None:
        return pd.DataFrame(columns=["city_id", "year", "childcare", *QUANTILES, "unit"])
    values = result.values
    used, population = values["childcare_places_used"], values["population_total"].variable
    places = services.childcare_places_promised(population, per_1000)
    filled = services.filled_share(used.variable, places)
    parts = {
        "children": (values["population_under_3"], "person"),
        "promised": (used.copy(data=places.transpose(*used.dims)), "place"),
        "used": (used, "place"),
        "wanted": (values["childcare_places_wanted"], "place"),
        "filled": (used.copy(data=filled.transpose(*used.dims)), "share"),
    }
    rows = [
        {"year": year, "childcare": name, **spread(array.sel(year=year)), "unit": unit}
        for name, (array, unit) in parts.items()
        for year in years
    ]
    return pd.DataFrame(rows).assign(city_id=result.city.city_id)
