"""The story of an ageing city in tables and sentences: when growth is fastest, and what it is made of."""

from __future__ import annotations

import pandas as pd

from eldercare.inputs.load import Project
from eldercare.model.chain import BASE_YEAR, CityResult
from eldercare.model.population import growth_parts
from eldercare.model.registered import area_of_city
from eldercare.reporting.present import text_number


def fastest_growth_sentences(
    results: dict[str, CityResult], indicator: str, words: str
) -> list[str]:
    """For each city the year in which the middle of an indicator grows most, and by how many."""
    out = []
    for result in results.values():
        middle = result.table(indicator).set_index("year")["central"]
        growth = middle[middle.index >= BASE_YEAR].diff().dropna()
        year = int(growth.idxmax())
        share = growth[year] / middle[year - 1] * 100
        out.append(
            f"{result.city.name_en}: {words} grow fastest in {year}, by {text_number(growth[year])} "
            f"({share:.1f} %) in the year; the middle is highest in {int(middle.idxmax())}."
        )
    return out


def growth_table(
    project: Project, results: dict[str, CityResult], first_age: int, years
) -> pd.DataFrame:
    """What makes the older people more: ageing of those there, longer life, net migration; a row a city and year.

    Means of the draws of the result, so that a row adds up to its total.
    """
    rows = []
    for result in results.values():
        drawn = result.assumptions
        area = area_of_city(project, result.city, result.scenario, drawn.total_draws)
        for year in years:
            parts = growth_parts(project.china, area, drawn, first_age, year)
            cells = {f"{name}, mean": text_number(value) for name, value in parts.items()}
            total = text_number(sum(parts.values()))
            rows.append(
                {
                    "city": result.city.name_en,
                    "year": year,
                    **cells,
                    f"people {first_age}+, mean": total,
                }
            )
    return pd.DataFrame(rows).set_index(["city", "year"])
