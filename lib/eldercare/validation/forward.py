"""How the projection from the census of 2020 stands beside what has been counted since."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eldercare.inputs.draws import DEFAULT_DRAWS, draw_assumptions
from eldercare.inputs.load import Project
from eldercare.model.areas import settled_area
from eldercare.model.population import people_in, project_area

LEVELS = (0.1, 0.5, 0.9)


def compare_counts(
    project: Project, counts: pd.DataFrame | None = None, draws: int = DEFAULT_DRAWS
) -> pd.DataFrame:
    """Counts of older people, or their share of all people, beside the projection and its 80 % range.

    The nation's level was chosen with sight of its counts; nothing else was.

    counts  : table date, adcode, indicator (population_60_plus, share_65_plus …), value; without it data/china/counts.csv
    Returns : its columns, and year, from_age, mean, low, central, high [unit of the count], error (central over
              counted, less 1) and held (whether the range held the count)
    """
    counts = project.china.counts if counts is None else counts
    years = counts["date"].str[:4].astype(int)
    table = counts.assign(
        year=years, from_age=counts["indicator"].str.split("_").str[1].astype(int)
    )
    drawn, found = draw_assumptions(project, draws=draws), []
    for code, part in table.groupby("adcode"):
        area = settled_area(project, int(code), draws=draws)
        last = max(2021, int(part["year"].max()))
        people = project_area(project.china, area, drawn, last)
        for place, row in part.iterrows():
            then = people.sel(year=row["year"])
            values = people_in(then, row["from_age"]).values
            if row["indicator"].startswith("share"):
                values = values / people_in(then, 0).values
            low, central, high = np.quantile(values, LEVELS)
            found.append((place, values.mean(), low, central, high))
    columns = ["place", "mean", "low", "central", "high"]
    beside = pd.DataFrame(found, columns=columns).set_index("place")
    both = table.join(beside)
    return both.assign(
        error=both["central"] / both["value"] - 1,
        held=(both["low"] <= both["value"]) & (both["value"] <= both["high"]),
    )
