"""Tables and sentences of care workers, as a planner reads them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from eldercare.analysis.compare import compare_targets
from eldercare.inputs.load import Project
from eldercare.model import workforce
from eldercare.model.chain import CityResult
from eldercare.reporting.present import (
    NOT_AVAILABLE,
    mean_head,
    mean_text,
    range_text,
    text_number,
    text_percent,
)


def row_value(result: CityResult, assumption: str, column: str = "central") -> float:
    """One of the three values of an assumption that has one row."""
    rows = result.assumptions.rows
    return float(rows.loc[rows["assumption"] == assumption, column].iloc[0])


def spread_text(array: xr.DataArray, form=text_number) -> str:
    """`central (low to high)` of the draws of one number."""
    low, central, high = np.quantile(array.values, [0.1, 0.5, 0.9])
    return range_text(low, central, high, form)


def table_by_city(results: dict[str, CityResult], row) -> pd.DataFrame:
    """One row a city, as `row` gives it for a result."""
    return pd.DataFrame.from_dict(
        {r.city.name_en: row(r) for r in results.values()}, orient="index"
    )


def standard_table(results: dict[str, CityResult], year: int) -> pd.DataFrame:
    """Care workers in institutions in a year under the strict, the plan's and the lenient standard."""

    def row(result: CityResult) -> dict:
        at = result.values["caregivers_by_standard"].sel(year=year, measure="need")
        plan = result.values["caregivers_needed"].sel(
            year=year, measure="need", workplace="institution"
        )
        strict, lenient = at.sel(standard="strict"), at.sel(standard="lenient")
        return {
            "strict": spread_text(strict),
            "as calculated here": spread_text(plan),
            "lenient": spread_text(lenient),
            "strict over lenient": text_number(float((strict / lenient).median())),
        }

    return table_by_city(results, row)


def staff_table(results: dict[str, CityResult], year: int) -> pd.DataFrame:
    """Nurses and managers beside the care workers of institutions and day care in a year, if need is met."""

    def row(result: CityResult) -> dict:
        workers = result.values["caregivers_needed"].sel(
            year=year, measure="need", workplace=["institution", "day_care"]
        )
        workers = workers.sum("workplace")
        staff = result.quantity("nurses_and_managers_with_day_care").sel(year=year, measure="need")
        return {
            "care workers": spread_text(workers),
            **{name: spread_text(staff.sel(staff=name)) for name in workforce.STAFF},
        }

    return table_by_city(results, row)


def grade_table(results: dict[str, CityResult], year: int) -> pd.DataFrame:
    """Certified care workers by grade in a year, if need is met and the grades are as they should be; means, which add up."""

    def row(result: CityResult) -> dict:
        grades = result.quantity("certified_by_grade").sel(year=year, measure="need")
        upper = grades.sel(grade=["senior", "technician"]).sum("grade") / grades.sum("grade")
        return {
            "certified, mean": mean_text(grades.sum("grade", skipna=False)),
            **{f"{name}, mean": mean_text(grades.sel(grade=name)) for name in workforce.GRADES},
            "senior and above, middle": spread_text(upper, text_percent),
        }

    return table_by_city(results, row)


def ratio_table(results: dict[str, CityResult], years) -> pd.DataFrame:
    """Care workers per 100 people of 65 and over: needed, taken up, in post; the OECD's average beside."""
    rows = []
    for result in results.values():
        in_post = result.quantity("caregivers_in_post_per_100").sel(path="today")
        ratio = result.values["caregivers_per_100_needed"]
        for label, array in (
            ("needed", ratio.sel(measure="need")),
            ("today's use", ratio.sel(measure="use")),
            ("in post", in_post),
        ):
            cells = {year: spread_text(array.sel(year=year)) for year in years}
            rows.append({"city": result.city.name_en, "per 100 people 65+": label, **cells})
        oecd = text_number(row_value(result, "oecd_caregivers_per_100"))
        rows.append(
            {
                "city": result.city.name_en,
                "per 100 people 65+": "OECD, 2016",
                **dict.fromkeys(years, oecd),
            }
        )
    return pd.DataFrame(rows).set_index(["city", "per 100 people 65+"])


def supply_table(results: dict[str, CityResult], years) -> pd.DataFrame:
    """Care workers needed and in post on both paths, and the people taken into training, by year."""
    rows = []
    for result in results.values():
        values = result.values
        needed = values["caregivers_total_needed"].sel(measure="need")
        today, programme = (values["caregivers_stock"].sel(path=path) for path in workforce.PATHS)
        wanted = {
            "needed": needed,
            "in post, today's training": today,
            "missing, draw by draw": (needed - today).clip(min=0),
            "in post, programme": programme,
            "trained a year today": values["training_intake"].sel(path="today"),
            "trained a year, programme": values["training_intake"].sel(path="programme"),
        }
        for label, array in wanted.items():
            cells = {year: spread_text(array.sel(year=year)) for year in years}
            rows.append({"city": result.city.name_en, "care workers": label, **cells})
    return pd.DataFrame(rows).set_index(["city", "care workers"])


def intake_sentences(results: dict[str, CityResult]) -> list[str]:
    """How many people each city must train a year to close the gap by the end of the programme."""
    out = []
    for result in results.values():
        first, last = (int(row_value(result, f"programme_{end}_year")) for end in ("first", "last"))
        intake = result.values["training_intake"].sel(year=last)
        today, programme = (intake.sel(path=path) for path in workforce.PATHS)
        out.append(
            f"{result.city.name_en}: to close the gap by {last}, {spread_text(programme)} people a year "
            f"must be taken into training from {first} on; "
            f"today it is about {text_number(float(today.median()))}."
        )
    return out


def flow_table(result: CityResult, years) -> pd.DataFrame:
    """Care workers of the year before, those who come and go, and those in post, as means."""
    stock = result.values["caregivers_stock"].sel(path="programme").astype(float).mean("draw")
    flow = result.values["caregiver_flow"].astype(float).mean("draw")
    rows = {}
    for year in years:
        parts = {name: float(flow.sel(year=year, flow=name)) for name in workforce.FLOWS}
        parts |= {
            "in post the year before": float(stock.sel(year=year - 1)),
            "in post": float(stock.sel(year=year)),
        }
        rows[mean_head(year)] = {name: f"{round(value):,}" for name, value in parts.items()}
    order = ["in post the year before", *workforce.FLOWS, "in post"]
    return pd.DataFrame(rows).loc[order]


def trained_by_promise_year(result: CityResult, start: int, goal_year: int) -> xr.DataArray:
    """Workers to train each year after `start` so that need is met in `goal_year`; dims draw."""
    values, drawn = result.values, result.assumptions
    rates = workforce.turnover_rates(
        *(drawn[f"caregiver_{name}_share"].variable for name in ("leaving", "retirement", "return"))
    )
    stock = values["caregivers_stock"].sel(path="today")
    before = stock.sel(year=start - 1).values.astype(float)
    goal = (
        values["caregivers_total_needed"].sel(measure="need", year=goal_year).values.astype(float)
    )
    trained = workforce.required_training(
        goal,
        stock.sel(year=start).values.astype(float),
        before * rates.leaving,
        rates,
        goal_year - start,
    )
    return xr.DataArray(trained, dims="draw") / result.assumptions["caregiver_entry_share"]


def promise_year_table(project: Project, results: dict[str, CityResult]) -> pd.DataFrame:
    """Training that would meet need by the last year a city's plan promises anything measured for."""

    def row(result: CityResult) -> dict:
        years = compare_targets(project, result)["target_year"]
        goal, start = (int(years.max()) if len(years) else 0), result.city.plan_year or 0
        first = int(result.values["year"][0]) + 1
        if start < max(workforce.STOCK_YEAR, first) or goal <= start:
            reason = "the year is past" if goal else "nothing measured was promised"
            return {
                "plan": start,
                "promise's year": goal or NOT_AVAILABLE,
                "to train a year": reason,
                "today": "",
            }
        today = result.values["training_intake"].sel(path="today", year=goal)
        wanted = trained_by_promise_year(result, start, goal)
        return {
            "plan": start,
            "promise's year": goal,
            "to train a year": spread_text(wanted),
            "today": spread_text(today),
        }

    return table_by_city(results, row)


def certified_promise_table(project: Project, results: dict[str, CityResult]) -> pd.DataFrame:
    """The promise of certified care workers in heads, beside all who are in post."""
    rows = []
    for result in results.values():
        table, own = compare_targets(project, result), result.city.targets
        for row in table[table["measured_by"] == "caregivers_per_10000_needed"].to_dict("records"):
            people = result.values["population_60_plus"].sel(year=row["target_year"])
            heads = people * (row["promised"] / workforce.PER_10000)
            share = own.loc[own["indicator"] == "senior_caregiver_share", "value"]
            upper = spread_text(heads * float(share.iloc[0])) if len(share) else NOT_AVAILABLE
            post = result.values["caregivers_stock"].sel(path="today", year=row["target_year"])
            needed = result.values["caregivers_per_10000_needed"].sel(
                measure="need", year=row["target_year"]
            )
            rows.append(
                {
                    "city": result.city.name_en,
                    "year": row["target_year"],
                    "promised, certified per 10,000": text_number(row["promised"]),
                    "that is": spread_text(heads),
                    "of them senior and above": upper,
                    "in post, certified or not": spread_text(post),
                    "certified needed per 10,000": spread_text(needed),
                }
            )
    return pd.DataFrame(rows)


def standard_and_post_sentences(results: dict[str, CityResult], year: int) -> list[str]:
    """Care workers that the staffing ratios ask for at today's use, beside those in post: two things, in means."""
    out = []
    for result in results.values():
        by_ratio = float(
            result.values["caregivers_total_needed"]
            .sel(measure="use", year=year)
            .astype(float)
            .mean()
        )
        in_post = float(
            result.values["caregivers_stock"].sel(path="today", year=year).astype(float).mean()
        )
        out.append(
            f"{result.city.name_en}, end of {year}: the staffing ratios ask for {text_number(by_ratio)} care workers for those who use care "
            f"today; {text_number(in_post)} are estimated to be in post, {text_percent(in_post / by_ratio)} of them. "
            "The ratios say what the care should have, the posts what there is; the difference is a shortage, not an error of addition."
        )
    return out
