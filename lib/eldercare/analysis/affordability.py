"""At what subsidy, premium or co-payment the care is paid for with a wanted probability."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from eldercare.engine.quantity import PRICE_LEVEL, quantity
from eldercare.model.beds import BEDS_PER_RESIDENT
from eldercare.model.workforce import MONTHS

STEPS = 200


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
def subsidy_that_pays(
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
def premium_that_pays(benefits: np.ndarray, people: np.ndarray, probability: float) -> float:
    """Premium a resident and year that pays the benefits of insurance if all severe cases draw them.

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
def co_payment_that_pays(cost: np.ndarray, others: np.ndarray, probability: float) -> float:
    """Share of the cost of running care that families must bear beside subsidies, insurance and vouchers.

    Paid for if::  cost x co-payment + others >= cost

    cost, others : array [yuan per year]
    Returns      : number [share]
    """
    return solve_level(lambda level: cost * level + others >= cost, probability, high=1.0)
