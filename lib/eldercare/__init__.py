"""Older people, care, beds, care workers and money of a Chinese city, from its census and its own plan.

    import eldercare as ec
    project = ec.load_project()
    results = ec.run(project)

The modules stand in one line, each importing only from its left:
arrays, schema, correlations, dated, reading, checks, load, ledger, draws, lifetable, base, boundaries, cohort, area, population, areas, wpp, accuracy, calibration, base_methods, need, health, definitions, places, beds, flow, caregivers, supply, premises, childcare,
funding, payers, affordability, money, chain, compare, balance, decomposition, sensitivity, origins, lineage,
present, present_population, present_accuracy, present_care, present_beds, present_workforce, present_money, present_sensitivity, tree, trace, crosscheck, consistency, comparable, tracking, charts, charts_accuracy, charts_care, charts_money, charts_promises, charts_sensitivity, blocks, wording, report, charts_report, twins, area_report, scenario_report, what_if, present_what_if, charts_what_if, desk, book, workbook, document, export, bench, pages, site, cli.
"""

from .chain import age_structure, run, run_city
from .compare import compare_all, compare_head_counts, compare_targets, influence
from .load import load_project
from .trace import trace

__all__ = [
    "age_structure", "compare_all", "compare_head_counts", "compare_targets", "influence",
    "load_project", "run", "run_city", "trace",
]
