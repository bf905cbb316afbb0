"""Older people, care, beds, care workers and money of a Chinese city, from its census and its own plan.

    import eldercare as ec
    project = ec.load_project()
    results = ec.run(project)

The modules stand in one line, each importing only from its left:
arrays, schema, load, ledger, draws, lifetable, base, cohort, area, population, need, health, definitions, places, beds, flow,
caregivers, funding, chain, compare, balance, decomposition, present, present_care, present_beds, crosscheck, consistency, comparable, tracking, charts, charts_care, charts_promises, book, bench, cli.
"""

from .chain import age_structure, run, run_city
from .compare import compare_all, compare_head_counts, compare_targets, influence
from .load import load_project

__all__ = [
    "age_structure", "compare_all", "compare_head_counts", "compare_targets", "influence",
    "load_project", "run", "run_city",
]
