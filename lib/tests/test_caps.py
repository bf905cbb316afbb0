"""A cap or a clip hides an error: with every assumption at its middle none binds, unless its docstring says why it may."""

import inspect
import sys

import numpy as np
import pytest
import xarray as xr

from eldercare.analysis import affordability
from eldercare.inputs.draws import draw_assumptions
from eldercare.model import (
    areas,
    beds,
    caregivers,
    chain,
    childcare,
    flow,
    funding,
    money,
    need,
    payers,
    places,
    population,
    premises,
    supply,
)

STEPS = (
    need,
    places,
    beds,
    flow,
    caregivers,
    supply,
    premises,
    childcare,
    funding,
    payers,
    money,
    chain,
    population,
    affordability,
)
WHY = "May bind"


def changed(before, after, limits=()) -> bool:
    """Whether a cap changed a value; a missing one is none.  What is divided by max(x, 1) is cut only where x is above 1."""
    if any(np.ndim(limit) == 0 and limit == 1 for limit in limits):
        return bool((after > 1 + 1e-9).any())
    return bool((abs(after - before) > 1e-9 * (1 + abs(before))).any())


class Watch:
    """Stands in for a function that caps, and notes which function of the steps it was called from where it changed a value."""

    def __init__(self, real, found):
        self.real, self.found = real, found

    def __getattr__(self, name):
        return getattr(self.real, name)

    def __call__(self, *arguments, **named):
        out = self.real(*arguments, **named)
        given = (
            arguments[1]
            if self.real.__name__ in ("maximum", "minimum") and np.ndim(arguments[0]) == 0
            else arguments[0]
        )
        frame = sys._getframe(1)
        home = inspect.getmodule(frame)
        if home in STEPS:
            self.found.setdefault((home.__name__, frame.f_code.co_name), []).append(
                changed(given, out, arguments[1:] if self.real.__name__ == "maximum" else ())
            )
        return out


@pytest.fixture(scope="module")
def bound(project):
    """Functions of the steps that cap something, and whether any of their caps changed a value at central assumptions."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xr.DataArray, "clip", _method(xr.DataArray.clip, found))
        for name in ("minimum", "maximum", "clip"):
            patch.setattr(np, name, Watch(getattr(np, name), found))
        for name in ("minimum", "maximum"):
            patch.setattr(xr.ufuncs, name, Watch(getattr(xr.ufuncs, name), found))
        for city in project.cities.values():
            drawn = draw_assumptions(
                project, city, draws=2, source=lambda name, draws: np.full(draws, 0.5)
            )
            chain.run_block(
                project.china, city, areas.settled_area(project, city.adcode, draws=2), drawn
            )
    return {place: any(binding) for place, binding in found.items()}


def _method(real, found):
    def clip(self, *arguments, **named):
        out = real(self, *arguments, **named)
        frame = sys._getframe(1)
        home = inspect.getmodule(frame)
        if home in STEPS:
            found.setdefault((home.__name__, frame.f_code.co_name), []).append(
                changed(self, out, [named.get("min")] if named.get("min") == 1 else ())
            )
        return out

    return clip


def test_the_watch_sees_the_caps_of_the_steps(bound):
    assert len(bound) >= 5
    assert any(place[0].endswith(".beds") for place in bound)


def test_no_cap_binds_at_central_values_unless_its_docstring_says_why(bound):
    functions = {
        (module.__name__, name): value
        for module in STEPS
        for name, value in vars(module).items()
        if inspect.isfunction(value)
    }
    silent = [
        f"{home}.{name}"
        for (home, name), binds in bound.items()
        if binds and WHY not in (getattr(functions.get((home, name)), "__doc__", "") or "")
    ]
    assert sorted(silent) == [], "\n".join(sorted(silent))
