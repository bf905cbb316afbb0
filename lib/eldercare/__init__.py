"""Older people, care, beds, care workers and money of a Chinese city, from its census and its own
plan.

    import eldercare as ec
    project = ec.load_project()
    results = ec.run(project)

The packages stand in one line, each importing only from those before it (pyproject.toml holds them
to it)::

    inputs -> engine -> model -> analysis -> validation -> documents -> reporting -> app
"""

import importlib

_HOMES = {
    "analysis.compare": ("compare_all", "compare_head_counts", "compare_targets", "influence"),
    "inputs.load": ("load_project",),
    "inputs.schema": ("DataFault",),
    "model.chain": ("age_structure", "run_city"),
    "reporting.results": ("Results", "run"),
    "reporting.trace": ("trace",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str):
    """What the package offers is imported when it is first asked for, so that a command starts at
    once.
    """
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
