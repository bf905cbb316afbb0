"""A quantity is declared once: its name, its unit, its dims, and by the names of its parameters
what it is made of.

    @quantity(unit="bed", dims=("measure", "year"))
    def beds_total_needed(beds_institution_needed: Array, day_care_places_needed: Array) -> Array:

The name is its row in indicators.csv where it is one. A parameter is a quantity, an assumption or a
fact of the area; a `Price` is an assumption brought to the price year of the results. All else
follows: what a number is traced to, which assumptions move it, what must be worked out anew.

What an analysis makes of whole results (a chance, causes, a back-test) is declared by the same
`quantity`, at the function where its formula stands; that takes results rather than arrays, so `of`
names what it is made of, and no `Calculation` works it out.

Own code rather than Apache Hamilton, whose functions have the same form: prices brought to one
year, conditions under which an input counts, and what a what-if desk keeps would each need an
adapter to it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from eldercare.engine.arrays import DRAW, Array, side_by_side

Price = Array  # an assumption in yuan, in prices of the year of the results
PRICE_LEVEL = "price_level"
Formula = TypeVar("Formula", bound=Callable[..., Any])
ASKED = re.compile(r"(\w+)(?:\[(.+)\])?")


@dataclass(frozen=True)
class Quantity:
    """What is declared of a quantity.

    inputs : names of its parameters, in their order;  prices : those that are a `Price`
    only   : inputs that matter under a condition alone, as {"setting_use_share": "measure=use"}; a
             condition is a label of a dim or a fact of the area or year, which `given.holds` knows
    not_moved_by : what its inputs rest on and it does not
    at     : inputs taken at one place alone, as {"population_60_plus": "year=2020"}, for a trace to
             tell
    """

    name: str
    unit: str
    dims: tuple[str, ...]
    function: Callable[..., Array]
    inputs: tuple[str, ...]
    prices: frozenset[str] = frozenset()
    only: Mapping[str, str] = field(default_factory=dict)
    not_moved_by: tuple[str, ...] = ()
    at: Mapping[str, str] = field(default_factory=dict)

    @property
    def made_of(self) -> tuple[str, ...]:
        """All it takes, the price level among them where it takes a price."""
        return (*self.inputs, *((PRICE_LEVEL,) if self.prices else ()))

    @property
    def meaning(self) -> str:
        """The first line of its docstring, without the formula."""
        text = inspect.cleandoc(self.function.__doc__ or "")
        return " ".join(text.split("\n\n")[0].split("Defined as::")[0].split())

    @property
    def formula(self) -> str:
        """What its docstring says after “Defined as::”."""
        return formula_in(self.function)

    @property
    def home(self) -> str:
        """`beds.beds_total_needed`: module and function in which the formula stands."""
        return f"{self.function.__module__.rpartition('.')[2]}.{self.function.__name__}"


def formula_in(function: Callable) -> str:
    """What a docstring says after “Defined as::” or “Paid for if::”, in one line; empty without either."""
    text = inspect.cleandoc(function.__doc__ or "")
    found = re.search(r"(?:Defined as|Paid for if)::(.*?)(?:\n\s*\n|\n\w+ *:|$)", text, re.DOTALL)
    return "; ".join(_joined(found[1])) if found else ""


def _joined(text: str) -> list[str]:
    """Lines of a formula; one that goes on from the line before is joined to it."""
    lines: list[str] = []
    for line in filter(None, (" ".join(line.split()) for line in text.split("\n"))):
        if lines and not re.match(r"\w[\w()+ -]* =", line):
            lines[-1] += " " + line
        else:
            lines.append(line)
    return [line.rstrip(";,") for line in lines]


def split_asked(text: str) -> tuple[str, dict[str, str]]:
    """Name and labels of a quantity asked for as `beds_needed[bed_type=nursing,measure=use]`."""
    found = ASKED.fullmatch(text)
    if not found:
        raise ValueError(f"“{text}” is not written as name[dim=label,...]")
    return found[1], dict(pair.split("=") for pair in found[2].split(",")) if found[2] else {}


DECLARED: dict[str, Quantity] = {}  # those that a Calculation works out
OF_RESULTS: dict[str, Quantity] = {}  # those that an analysis makes of whole results


def find_quantity(name: str) -> Quantity:
    """What is declared under a name.  Raises: KeyError if nothing is"""
    if name in DECLARED:
        return DECLARED[name]
    if name in OF_RESULTS:
        return OF_RESULTS[name]
    known = ", ".join(sorted({*DECLARED, *OF_RESULTS}))
    raise KeyError(f"no quantity “{name}”; there are: {known}")


def quantity(
    unit: str,
    dims: tuple[str, ...] = (),
    only: Mapping[str, str] | None = None,
    more: tuple[str, ...] = (),
    not_moved_by: tuple[str, ...] = (),
    at: Mapping[str, str] | None = None,
    of: tuple[str, ...] | None = None,
    name: str = "",
) -> Callable[[Formula], Formula]:
    """Declare the function below as a quantity; dims are those beside the draws.

    more : names of further inputs, which the function takes as its last ones, all together
    of   : for what is made of whole results: the names of what it is made of, `name[dim=label]` for
           a part, names of rows of data/table_rows.csv among them; not what differs from case to
           case
    name : where the function is called otherwise
    """

    def declare(function: Formula) -> Formula:
        taken = inspect.signature(function).parameters
        prices = frozenset(name for name, one in taken.items() if one.annotation == "Price")
        own = [name for name, one in taken.items() if one.kind is not one.VAR_POSITIONAL]
        inputs = (*own, *more) if of is None else of
        rest = only or {}, not_moved_by, at or {}
        made = Quantity(name or function.__name__, unit, dims, function, inputs, prices, *rest)
        _add(made, DECLARED if of is None else OF_RESULTS)
        return function

    return declare


def joined(name: str, unit: str, dims: tuple[str, ...], parts: Mapping[str, str], doc: str) -> None:
    """Declare a quantity that is others side by side, along the last of its dims; parts: input by
    label.
    """

    inputs = tuple(dict.fromkeys(parts.values()))

    def join(*arrays: Array) -> Array:
        named = dict(zip(inputs, arrays))
        return side_by_side({label: named[taken] for label, taken in parts.items()}, dims[-1])

    join.__doc__, join.__name__ = doc, name
    frame = inspect.currentframe()
    join.__module__ = frame.f_back.f_globals["__name__"] if frame and frame.f_back else __name__
    only = {one: f"{dims[-1]}={label}" for label, one in parts.items()}
    _add(Quantity(name, unit, dims, join, inputs, frozenset(), only))


def _add(one: Quantity, among: dict[str, Quantity] | None = None) -> None:
    before = DECLARED.get(one.name) or OF_RESULTS.get(one.name)
    if before and before.function.__module__ != one.function.__module__:
        raise ValueError(f"the quantity “{one.name}” is declared twice")
    (DECLARED if among is None else among)[one.name] = one
    upstream.cache_clear()


@lru_cache(maxsize=4096)
def upstream(name: str, holds: Callable[[str], bool] | None = None) -> frozenset[str]:
    """All names that something rests on - quantities, assumptions, facts -, its own among them.

    holds : whether a condition holds (see `Quantity.only`); without it under any condition
    """
    if name not in DECLARED and name not in OF_RESULTS:
        return frozenset({name})
    one = find_quantity(name)
    below = [
        upstream(split_asked(taken)[0], holds)
        for taken in one.made_of
        if holds is None or taken not in one.only or holds(one.only[taken])
    ]
    return frozenset({name}).union(*below) - set(one.not_moved_by)


class Calculation:
    """Quantities worked out when asked for, from what is given, each of them once.

    given : `given[name]` for assumptions and facts; `given.price(name, level)` for assumptions in
            yuan
    """

    def __init__(self, given: Any, known: Mapping[str, Any] | None = None):
        self.given = given
        self.known: dict[str, Any] = dict(known or {})

    def __getitem__(self, name: str) -> Any:
        if name not in self.known:
            self.known[name] = self._found(name)
        return self.known[name]

    def _found(self, name: str) -> Any:
        if name not in DECLARED:
            return self.given[name]
        one = DECLARED[name]
        value = one.function(*[self._input(one, taken) for taken in one.inputs])
        if not isinstance(value, Array):
            return value
        if {*value.dims} != {*one.dims, DRAW}:
            raise ValueError(f"“{name}” has the dims {value.dims}; declared are {one.dims}")
        return value.transpose(*one.dims, DRAW)

    def _input(self, one: Quantity, taken: str) -> Any:
        if taken in one.prices:
            return self.given.price(taken, self[PRICE_LEVEL])
        return self[taken]

    def kept_if(self, moved: Iterable[str]) -> dict[str, Any]:
        """What is known already and does not rest on any of these names."""
        moved = set(moved)
        return {name: value for name, value in self.known.items() if not moved & upstream(name)}
