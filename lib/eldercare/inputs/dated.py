"""Assumptions whose rows begin in a year: which may, what is in force when, and the faults of such
rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from eldercare.inputs.schema import ASSUMPTION_KEYS, Fault

BY_YEAR = (
    "building_subsidy",
    "conversion_subsidy_ratio",
    "dementia_bed_subsidy",
    "insurance_benefit",
    "insurance_coverage",
    "insurance_system_coverage",
    "known_pay_growth",
    "known_price_growth",
    "lottery_share_of_subsidies",
    "old_age_allowance",
    "old_age_allowance_coverage",
    "operating_subsidy",
    "province_share_of_subsidies",
    "public_place_share",
    "public_share_of_community_care",
    "service_subsidy",
    "service_subsidy_share",
    "voucher_cap",
    "voucher_cover",
    "voucher_take_up",
)


def dated_faults(national: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> list[Fault]:
    """Rows that begin in a year: of an assumption that does not change by year, or with nothing in
    force before.

    A year without a row must be told: it would be neither zero nor anything else.

    national : all rows of assumptions.csv;  tables : rows by file, the national ones among them
    """
    national = national[national["city_id"] == ""]
    keys, faults = ["assumption", *ASSUMPTION_KEYS], []
    for file, table in tables.items():
        both = pd.concat([national, table])
        from_start = set(
            both.loc[both["year_from"].isna(), keys].itertuples(index=False, name=None)
        )
        for index, row in table[table["year_from"].notna()].iterrows():
            if row["assumption"] not in BY_YEAR:
                allowed = ", ".join(BY_YEAR)
                problem = f"“{row['assumption']}” is the same in all years: leave it empty; by year may change {allowed}"
                faults.append(Fault(file, index + 2, "year_from", problem))
            elif tuple(row[keys]) not in from_start:
                problem = "nothing is in force before that year: add a row with the same keys and an empty year_from"
                faults.append(Fault(file, index + 2, "year_from", problem))
    return faults


def carry_on(values: np.ndarray) -> None:
    """Fill the years in which a key has no new row with its last one, in place; the last dim is
    year_from.

    Rows of other keys may begin in other years.
    """
    for step in range(1, values.shape[-1]):
        values[..., step] = np.where(
            np.isnan(values[..., step]), values[..., step - 1], values[..., step]
        )


def places_in_force(values: np.ndarray, begun: np.ndarray, years, name: str) -> np.ndarray:
    """Where along `year_from` each year finds its row: the latest not after the year.

    values : array  dims year_from first, draws last;  begun : the years of `year_from`
    name   : what the assumption is called
    Raises : KeyError if a year lies before the first row of a key
    """
    place = np.searchsorted(begun, np.asarray(years), side="right") - 1
    one = values[..., 0].reshape(len(begun), -1)
    missing = (place < 0) | (np.isnan(one[np.maximum(place, 0)]) & ~np.isnan(one[-1])).any(axis=1)
    if missing.any():
        raise KeyError(
            f"assumption “{name}” has no row for the year {np.asarray(years)[missing][0]}"
        )
    return place
