"""The same quantity promised by different plans, put on one base where their words allow it.

A ratio is converted only where the document says what it is a ratio of, or where a count can be divided
by the residents of the year; elsewhere the row says why it cannot be compared.
"""

from __future__ import annotations

import pandas as pd

from eldercare.analysis.compare import is_usable
from eldercare.model.chain import CityResult
from eldercare.reporting.present import text_number, text_percent

COLUMNS = ["quantity", "city", "year", "as printed", "of what", "on one base", "how", "comparable"]
OLDER = "residents of 60 and over"
YES, ALONE = "yes", "no: no other city promises it"

SHARES = {
    "nursing beds (护理型床位)": ("nursing_bed_share",),
    "lottery money for eldercare (彩票公益金)": ("lottery_share_for_eldercare",),
    "communities with a facility (社区)": (
        "community_coverage_facilities",
        "community_coverage_day_care",
        "subdistrict_coverage_home_care_centres",
    ),
    "towns with a facility (乡镇)": (
        "township_coverage_facilities",
        "township_coverage_institutions",
    ),
    "villages with a facility (村)": ("rural_coverage_facilities",),
    "institutions with medical service (医养结合)": ("institutions_with_medical_service_share",),
    "care workers trained before the job (岗前培训)": ("caregiver_prejob_training_share",),
    "towns with a school for older people (老年学校)": ("township_share_with_older_people_school",),
}


def _rows(results: dict[str, CityResult], indicators) -> list[tuple[CityResult, pd.Series]]:
    found = []
    for result in results.values():
        table = result.city.targets
        rows = table[
            table["indicator"].isin(indicators)
            & (table["kind"] == "target")
            & (table["restates"] == "")
        ]
        found += [(result, row) for _, row in rows.iterrows() if is_usable(row)]
    return found


def _line(quantity, result, row, on_base="", how="", comparable="") -> tuple:
    year = "none" if pd.isna(row["target_year"]) else f"{row['target_year']:.0f}"
    printed = text_percent(row["value"]) if row["unit"] == "share" else text_number(row["value"])
    if pd.notna(row["value_high"]):
        printed += f" to {text_number(row['value_high'])}"
    unit = "" if row["unit"] == "share" else " " + row["unit"].replace("_", " ")
    return (
        quantity,
        result.city.name_en,
        year,
        printed + unit,
        row["denominator"],
        on_base,
        how,
        comparable,
    )


def residents(result: CityResult, indicator: str, year: float) -> float | None:
    """The middle count of residents of a year; None for a year that is not calculated."""
    array = result.values[indicator]
    if pd.isna(year) or int(year) not in array["year"].values:
        return None
    return float(array.sel(year=int(year)).median())


def share_lines(results: dict[str, CityResult]) -> list[tuple]:
    """Shares: comparable only where two cities say it of the same whole."""
    lines = []
    for quantity, indicators in SHARES.items():
        rows = _rows(results, indicators)
        cities = {}
        for result, row in rows:
            cities.setdefault((row["indicator"], row["denominator"]), set()).add(
                result.city.city_id
            )
        for result, row in rows:
            others = cities[row["indicator"], row["denominator"]] - {result.city.city_id}
            lines.append(
                _line(
                    quantity,
                    result,
                    row,
                    *_share_verdict(row, others, len(set().union(*cities.values()))),
                )
            )
    return lines


def _share_verdict(row: pd.Series, others: set[str], cities: int) -> tuple[str, str, str]:
    if "not said" in row["denominator"]:
        return "", "", "no: the document does not say of which"
    if others:
        return text_percent(row["value"]), "as printed: the same whole", YES
    return "", "", ALONE if cities < 2 else "no: the others speak of another whole or another thing"


def nursing_floor_lines(results: dict[str, CityResult]) -> list[tuple]:
    """What a nursing share of all beds says at least of institution beds."""
    return [
        _line(
            "nursing beds, of institution beds",
            result,
            row,
            f"{text_percent(row['value'])} or more",
            "institution beds are a part of all beds: if nursing beds stand in institutions only, their share there can only be higher",
            "only as a lower bound",
        )
        for result, row in _rows(results, ["nursing_bed_share"])
        if row["measured_by"] == "nursing_bed_share_of_all_needed"
    ]


def ratio_lines(results: dict[str, CityResult]) -> list[tuple]:
    """Ratios to older people or to all people, and counts divided by the residents of the year."""
    counts = [("beds per 1,000", result, row) for result, row in _rows(results, ["beds_total"])]
    for result, row in _rows(results, ["home_adaptations", "home_adaptations_per_year"]):
        one_year = "per_year" in row["indicator"] or row["scope"].startswith("annex_")
        counts.append(
            (f"homes adapted{' a year' if one_year else ' in all'}, per 1,000", result, row)
        )
    cities = {
        quantity: {r.city.city_id for q, r, _ in counts if q == quantity}
        for quantity, _, _ in counts
    }
    lines = [
        _count_line(quantity, result, row, len(cities[quantity]))
        for quantity, result, row in counts
    ]
    for result, row in _rows(results, ["home_adaptations_pilot_per_town"]):
        lines.append(
            _line(
                "homes adapted in all, per 1,000",
                result,
                row,
                "",
                "",
                "no: the number of towns is not in the document",
            )
        )
    for indicator, quantity, per in (
        ("beds_per_1000_older_people", "beds per 1,000", 1),
        ("dementia_beds_per_10000_older_people", "dementia beds per 1,000", 10),
        ("certified_caregivers_per_10000_older_people", "certified care workers per 1,000", 10),
    ):
        for result, row in _rows(results, [indicator]):
            how = (
                "as printed"
                if per == 1
                else f"{row['value']:g} per 10,000 = {row['value'] / per:g} per 1,000"
            )
            verdict = "no: age and basis of the older people are not said" + (
                "" if per == 1 else "; only the unit is converted"
            )
            lines.append(
                _line(
                    quantity,
                    result,
                    row,
                    f"{row['value'] / per:g} per 1,000 older people",
                    how,
                    verdict,
                )
            )
    return lines + _childcare_lines(results)


def _count_line(quantity: str, result: CityResult, row: pd.Series, cities: int) -> tuple:
    year = result.city.plan_year if "per_year" in row["indicator"] else row["target_year"]
    people = residents(result, "population_60_plus", year)
    if people is None:
        return _line(quantity, result, row, "", "", "no: no count of older people for its year")
    rate = row["value"] / people * 1000
    how = f"{row['value']:,.0f} / {people:,.0f} {OLDER} in {int(year)} x 1,000"
    return _line(
        quantity,
        result,
        row,
        f"{text_number(rate)} per 1,000 {OLDER}",
        how,
        YES if cities > 1 else ALONE,
    )


def _childcare_lines(results: dict[str, CityResult]) -> list[tuple]:
    lines = []
    for result, row in _rows(results, ["childcare_places_per_1000_population"]):
        people, children = (
            residents(result, name, row["target_year"])
            for name in ("population_total", "population_under_3")
        )
        if people is None or children is None:
            continue
        places = row["value"] * people / 1000
        how = f"{row['value']:g} x {people:,.0f} residents / 1,000 = {places:,.0f} places; / {children:,.0f} children under 3 x 100"
        lines.append(
            _line(
                "childcare places per 100 children under 3",
                result,
                row,
                f"{text_number(places / children * 100)} per 100 children",
                how,
                f"{ALONE}; resident or registered is not said",
            )
        )
    return lines


def comparable_table(results: dict[str, CityResult]) -> pd.DataFrame:
    """Quantities that more than one plan names, or that need a conversion, with the conversion and the verdict.

    Returns : table with a row for each promise: as printed, of what, on one base, how, comparable
    """
    lines = share_lines(results) + nursing_floor_lines(results) + ratio_lines(results)
    return (
        pd.DataFrame(lines, columns=COLUMNS)
        .sort_values("quantity", kind="stable")
        .reset_index(drop=True)
    )
