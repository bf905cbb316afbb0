"""A cap or a clip hides an error: with every assumption at its middle none binds, unless its docstring says why it may."""

import inspect
import sys
from contextlib import contextmanager
from types import ModuleType

import numpy as np
import pytest
import xarray as xr
from numpy._core import _methods

from eldercare.analysis import affordability
from eldercare.engine import arrays
from eldercare.engine.arrays import Array
from eldercare.engine.quantity import DECLARED, Calculation
from eldercare.inputs.draws import draw_assumptions
from eldercare.model import (
    areas,
    beds,
    chain,
    costs,
    financing,
    flow,
    need,
    population,
    services,
    settings,
    workforce,
)

STEPS = (
    need,
    settings,
    beds,
    flow,
    workforce,
    services,
    costs,
    financing,
    chain,
    population,
    affordability,
)
WHY = "May bind"
CLIP = _methods._clip.__code__  # what np.clip and the method of an array, labelled or not, come to
BETWEEN = ("numpy", "xarray", "eldercare.engine.arrays")  # between a cap and the formula it is in


def changed(before, after, limits=()) -> bool:
    """Whether a cap changed a value; a missing one is none.  What is divided by max(x, 1) is cut only where x is above 1."""
    if any(np.ndim(limit) == 0 and limit is not None and limit == 1 for limit in limits):
        return bool((after > 1 + 1e-9).any())
    return bool((abs(after - before) > 1e-9 * (1 + abs(before))).any())


def outer(frame):
    """The frame of the formula from which a cap was called: the first outside `BETWEEN`."""
    while frame is not None:
        home = frame.f_globals.get("__name__", "")
        if not any(home == name or home.startswith(f"{name}.") for name in BETWEEN):
            return frame
        frame = frame.f_back
    return None


class Watch:
    """Notes for each formula of some modules whether a cap in it changed a value."""

    def __init__(self, steps):
        self.steps = {module.__name__ for module in steps}
        self.found, self._clipped = {}, []

    def note(self, frame, before, after, limits=()):
        frame = outer(frame)
        if frame is not None and frame.f_globals.get("__name__") in self.steps:
            place = (frame.f_globals["__name__"], frame.f_code.co_qualname)
            self.found.setdefault(place, []).append(changed(before, after, limits))

    def profile(self, frame, event, given_back):
        """Sees every way to clip, that of an array's own method too, which cannot be replaced."""
        if frame.f_code is not CLIP:
            return
        if event == "call":
            self._clipped.append((np.array(frame.f_locals["a"]), frame.f_locals["min"]))
        elif event == "return":
            before, low = self._clipped.pop()
            if given_back is not None:
                self.note(frame.f_back, before, given_back, [low])


class Numpy:
    """Numpy as a module sees it, with watched functions in the place of those that cap."""

    def __init__(self, watch):
        self.minimum, self.maximum = Noted(np.minimum, watch), Noted(np.maximum, watch)

    def __getattr__(self, name):
        return getattr(np, name)


class Noted:
    """Stands in for a function that caps, and tells the watch where it was called from."""

    def __init__(self, real, watch):
        self.real, self.watch = real, watch

    def __getattr__(self, name):
        return getattr(self.real, name)

    def __call__(self, *arguments, **named):
        out = self.real(*arguments, **named)
        given = arguments[1] if np.ndim(arguments[0]) == 0 else arguments[0]
        limits = arguments[1:] if self.real.__name__ == "maximum" else ()
        self.watch.note(sys._getframe(1), given, out, limits)
        return out


@contextmanager
def watched(*steps):
    """Watches the caps of some modules as long as it lasts."""
    watch, before = Watch(steps), sys.getprofile()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("minimum", "maximum"):
            patch.setattr(xr.ufuncs, name, Noted(getattr(xr.ufuncs, name), watch))
        for module in (*steps, arrays):
            if hasattr(module, "np"):
                patch.setattr(module, "np", Numpy(watch))
        sys.setprofile(watch.profile)
        try:
            yield watch.found
        finally:
            sys.setprofile(before)


@pytest.fixture(scope="module")
def bound(project):
    """Functions of the steps that cap something, and whether any of their caps changed a value at central assumptions."""
    with watched(*STEPS) as found:
        for city in project.cities.values():
            drawn = draw_assumptions(
                project, city, draws=2, source=lambda name, draws: np.full(draws, 0.5)
            )
            area = areas.settled_area(project, city.adcode, draws=2)
            calculation = Calculation(chain.CityInputs(project.china, city, area, drawn))
            for name in DECLARED:
                calculation[name]
    return {place: any(binding) for place, binding in found.items()}


CAPS = {
    "np.minimum": "np.minimum(x, {})",
    "np.minimum, the limit first": "np.minimum({}, x)",
    "np.maximum": "-np.maximum(-x, -{})",
    "np.clip": "np.clip(x, None, {})",
    "a method": "x.clip(max={})",
    "a method in place": "x.clip(max={}, out=x)",
    "least": "least(Array('draw', x), {})",
    "greatest": "greatest(Array('draw', -x), -{})",
    "a method with a name for its dim": "Array('draw', x).clip(max={})",
    "a method with labels": "xr.DataArray(x, dims='draw').clip(max={})",
    "within a function within": "(lambda: x.clip(max={}))()",
}


@pytest.mark.parametrize("text", CAPS.values(), ids=CAPS)
def test_the_watch_sees_every_way_to_cap(text):
    made = ModuleType("made_up_step")
    source = "from eldercare.engine.arrays import Array, least, greatest\nimport numpy as np, xarray as xr\n"
    source += (
        f"def idle(x):\n    return {text.format(9)}\ndef binds(x):\n    return {text.format(2)}\n"
    )
    exec(source, vars(made))
    with watched(made) as found:
        for name in ("idle", "binds"):
            vars(made)[name](np.array([1.0, 2.0, 3.0]))
    told = {}
    for (_, name), binding in found.items():
        told[name.split(".")[0]] = any(binding)
    assert told == {"idle": False, "binds": True}


def test_the_watch_leaves_everything_as_it_was():
    def all_of_it():
        return beds.np, arrays.np, xr.ufuncs.minimum, xr.ufuncs.maximum, sys.getprofile()

    before = all_of_it()
    with watched(beds):
        assert not any(now is then for now, then in zip(all_of_it(), before))
    assert all_of_it() == before


def test_a_missing_value_is_no_cap_that_binds():
    missing = np.array([np.nan, 1.0])
    assert not changed(missing, np.minimum(missing, 2.0))
    assert not changed(Array("draw", missing), np.minimum(Array("draw", missing), 2.0))
    assert changed(missing, np.minimum(missing, 0.5))


def test_the_watch_sees_the_caps_of_the_steps(bound):
    assert len(bound) >= 5
    seen = {(home.rpartition(".")[2], name) for home, name in bound}
    assert seen >= {
        ("beds", "bed_programme"),  # a method of an array
        ("beds", "residents"),  # `least`
        ("settings", "setting_shares"),  # `greatest`
        ("settings", "family_care_growth"),  # np.maximum
        ("financing", "insurance_paid"),
    }


def doc_of(home, name):
    """The docstring of the formula, of the one it is within, or nothing."""
    value = sys.modules[home]
    for word in name.split(".<locals>")[0].split("."):
        value = getattr(value, word, None)
    return inspect.getdoc(value) or ""


def test_no_cap_binds_at_central_values_unless_its_docstring_says_why(bound):
    silent = [
        f"{home}.{name}"
        for (home, name), binds in bound.items()
        if binds and WHY not in doc_of(home, name)
    ]
    assert sorted(silent) == [], "\n".join(sorted(silent))
