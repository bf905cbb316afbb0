"""The levers of the what-if desk as a reader meets them."""

from __future__ import annotations

import pandas as pd

from eldercare.inputs.load import Project
from eldercare.reporting.present import text_number
from eldercare.reporting.what_if import Desk


def lever_table(project: Project, desks: dict[str, Desk]) -> pd.DataFrame:
    """For each city its levers, the strongest first: the assumption, where it stands, and how far it can be moved."""
    labels = project.assumption_steps.set_index("assumption")["label_en"]
    rows = {}
    for desk in desks.values():
        for rank, lever in enumerate(desk.levers, start=1):
            keys = lever.name.removeprefix(lever.row["assumption"]).strip()
            ends = " to ".join(text_number(end) for end in (lever.first, lever.last))
            rows[desk.city.name_en, rank] = {
                "assumption": labels[lever.row["assumption"]],
                "for": keys.replace("_", " "),
                "unit": lever.row["unit"].replace("_", " "),
                "now": text_number(lever.central),
                "slider": ends,
            }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["city", "rank"])
