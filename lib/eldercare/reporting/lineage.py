"""What a number rests on: the declarations of the chain, and by hand what is made of results.

A quantity of the chain is told from its declaration (`engine.quantity`). By hand are only the tables of
`data/` behind each fact of an area, and what the analysis makes of results.
"""

from __future__ import annotations

from functools import lru_cache

from eldercare.analysis import (
    affordability,
    compare,
    decomposition,
    definitions,
    health,
    sensitivity,
)
from eldercare.engine.arrays import LABELS
from eldercare.engine.quantity import DECLARED, PRICE_LEVEL, Quantity, upstream
from eldercare.model import chain, services
from eldercare.reporting.origins import Inputs, Made, split_input
from eldercare.validation import accuracy, calibration

DEATHS = "wpp_death_rates wpp_life_expectancy life_expectancy"
BIRTHS = "wpp_fertility wpp_fertility_pattern"
TABLES_OF = {
    "area": "census_2020 census_2010 census_province census_nation census_all_areas matched_boundary "
    "province_oldest single_age life_expectancy projection_error counts counts_of_city registered_by_age",
    "census_households": "households",
    "households": "households",
    "households_nation": "households_nation",
    "people_between_censuses": f"census_2010 census_2020 single_age_2010 {DEATHS} {BIRTHS}",
    "projection_error": "projection_error",
    "rates": f"{DEATHS} {BIRTHS}",
    "single_age": "single_age",
    "stock_of_beds": "stock_of_beds",
}
ABOUT_AN_ASSUMPTION = ("bands", "middle", "until")

BESIDE = {
    "people_by_definition": Made(
        definitions.people_by_definition,
        "population_60_plus",
        when={
            "definition=severe ADL limitation": Inputs("care_need[severity=severe]"),
            "definition=any ADL limitation": Inputs("care_need"),
            **{
                f"definition={name}": Inputs(assumptions=row)
                for name, row in definitions.BY_SHARE.items()
            },
        },
        formula="by age: sum of severities; else people of 60 and over x share of the definition",
    ),
    "health_expectancy": Made(
        health.health_expectancy,
        "expectancy_gap limitation_prevalence adl_drift adl_drift_of_oldest",
        "life_expectancy_improvement life_expectancy_published_gap_continuation",
        tables=DEATHS,
        formula="sum over ages from x(person-years x share in the state) / those alive at x",
        keys="state sex",
    ),
    "subsidy_that_pays": Made(
        affordability.subsidy_that_pays,
        f"institution_running_cost scheme_payment_institution residents {PRICE_LEVEL}",
        "affordable_fee",
    ),
    "premium_that_pays": Made(
        affordability.premium_that_pays, "insurance_benefit_full population_total"
    ),
    "co_payment_that_pays": Made(
        affordability.co_payment_that_pays,
        "institution_running_cost cost_of_home_care cost_of_day_care public_running scheme_payment",
    ),
    "childcare_places_promised": Made(services.childcare_places_promised, "population_total"),
    "chance_of_promise": Made(compare.compare_targets),
    "influence": Made(compare.influence),
    "one_at_a_time": Made(
        sensitivity.tornado,
        formula="the headline with one row at its low or its high and all else at the middle",
    ),
    "share_of_variance": Made(
        sensitivity.sensitivity,
        formula="total Sobol index of the assumptions of a step, pick and freeze",
    ),
    "change_by_cause": Made(
        decomposition.decompose,
        "people_by_severity setting_shares day_care_places_needed",
        "target_occupancy observed_occupancy",
        keys="part",
        formula="mean effect of a cause over all orders in which the causes are switched on (Shapley)",
    ),
    "back_test": Made(
        accuracy.cross_predict,
        tables="census_all_areas wpp_death_rates wpp_life_expectancy wpp_fertility wpp_fertility_pattern life_expectancy",
        formula="census of 2010 carried to 2020 with what was known in 2010; error = ln(counted / projected)",
    ),
    "error_spread": Made(calibration.fit_spread, "back_test"),
}


def made_of(name: str) -> Made:
    """How a quantity is made.  Raises: KeyError for an unknown quantity"""
    if name in BESIDE:
        return BESIDE[name]
    if name not in DECLARED:
        raise KeyError(f"no quantity “{name}”; there are: {', '.join(sorted(DECLARED))}")
    return declared(DECLARED[name])


def declared(one: Quantity) -> Made:
    """What the declaration of a quantity says of how it is made."""
    always, when = [], {}
    for taken in one.made_of:
        (when.setdefault(one.only[taken], []) if taken in one.only else always).append(taken)
    whole = _inputs(one, always)
    return Made(
        one.function,
        whole.quantities,
        whole.assumptions,
        whole.tables,
        {condition: _inputs(one, names) for condition, names in when.items()},
        one.formula,
        " ".join(dim for dim in one.dims if dim in LABELS),
        one.not_moved_by,
    )


def _inputs(one: Quantity, names: list[str]) -> Inputs:
    quantities = [
        f"{name}[{one.at[name]}]" if name in one.at else name for name in names if name in DECLARED
    ]
    rest = [name for name in names if name not in DECLARED and name not in chain.FACTS]
    tables = [table for name in names for table in TABLES_OF.get(name, "").split()]
    return Inputs(
        " ".join(quantities),
        " ".join(dict.fromkeys(map(about_assumption, rest))),
        " ".join(dict.fromkeys(tables)),
    )


def about_assumption(name: str) -> str:
    """The assumption that a fact such as `adl_prevalence_middle` is of; other names as they are."""
    whole, _, what = name.rpartition("_")
    return whole if what in ABOUT_AN_ASSUMPTION else name


@lru_cache(maxsize=512)
def quantities_below(name: str) -> frozenset[str]:
    """All quantities that a quantity rests on under any condition, itself included."""
    if name in DECLARED:
        return frozenset(upstream(name)) & frozenset(DECLARED)
    about = made_of(name)
    texts = [text for part in (about, *about.when.values()) for text in part.quantities.split()]
    return frozenset({name}).union(*(quantities_below(split_input(text)[0]) for text in texts))


@lru_cache(maxsize=512)
def keys_of(name: str) -> frozenset[str]:
    """Keys by which a quantity, or the inputs it passes them on to, may be asked: its dims, measure and path."""
    below = [DECLARED[one].dims for one in quantities_below(name) if one in DECLARED]
    passed = {dim for dims in below for dim in dims} & {"measure", "path"}
    return own_parts(name) | passed


def own_parts(name: str) -> frozenset[str]:
    """Keys that the parts of a quantity itself are told apart by."""
    about = made_of(name)
    return frozenset(
        {at.partition("=")[0] for at in about.when if "=" in at} | set(about.keys.split())
    )
