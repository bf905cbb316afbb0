"""How it is shown what a number is made of: a tree as text and as HTML."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape

import numpy as np

from eldercare.reporting.language import significant

SHORT = 12
MOST_PARTS = 12


@dataclass(frozen=True)
class Value:
    """Low, central and high of a quantity or of a part of it, all the same where there is no range;
    the mean where it is printed.
    """

    part: str
    low: float
    central: float
    high: float
    unit: str
    mean: float = math.nan

    def __str__(self) -> str:
        number = _form(self.central)
        if self.low != self.high:
            number += f" ({_form(self.low)} to {_form(self.high)})"
        return " ".join(filter(None, (self.part, number, self.unit)))


def _form(value: float) -> str:
    return f"{value:.3g}" if 0 < abs(value) < 0.01 else plain_number(value)


def plain_number(value: float, digits: int = 3) -> str:
    """A number to some significant digits, thousands set apart: a trace is not told in millions."""
    if not np.isfinite(value):
        return "not available"
    rounded = significant(value, digits)
    if abs(rounded) >= 10 ** (digits - 1) or rounded == int(rounded):
        return f"{round(rounded):,}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{decimals}f}"


@dataclass(frozen=True)
class Row:
    """Rows of a file, what they say, and where that is from."""

    file: str
    rows: str
    what: str
    value: str
    source_id: str
    title: str
    locator: str
    sha256: str

    def __str__(self) -> str:
        said = " ".join(filter(None, (self.what, self.value)))
        place = f", {self.locator}" if self.locator not in ("", "none") else ""
        word = "row" if self.rows.isdigit() else "rows"
        return (
            f"{said} | {self.file}, {word} {self.rows} | {self.source_id}: {self.title}{place} "
            f"| SHA-256 {self.sha256[:SHORT]}"
        )


@dataclass(frozen=True, repr=False)
class Node:
    """One quantity, assumption or table of a trace, and what it is made of.

    calculate : gives the values when they are asked for; a tree of many nodes is quickly made
                without them
    """

    name: str
    kind: str
    tag: str = ""
    meaning: str = ""
    formula: str = ""
    made_by: str = ""
    calculate: Callable[[], tuple[Value, ...]] = tuple
    rows: tuple[Row, ...] = ()
    inputs: tuple[Node, ...] = ()

    def __repr__(self) -> str:
        return f"Node({self.kind} {self.name} {self.tag})"

    @cached_property
    def values(self) -> tuple[Value, ...]:
        """Low, central and high of the quantity, or of each of its parts; empty where the result
        holds none.
        """
        return self.calculate()

    def head(self) -> str:
        """The line a reader sees first."""
        if self.kind != "quantity":
            return f"{self.kind} {self.name}"
        told, more = list(map(str, self.values[:MOST_PARTS])), len(self.values) - MOST_PARTS
        told += [f"and {more} more"] if more > 0 else []
        return f"{self.name} [{self.tag}]" + (f": {'; '.join(told)}" if told else "")

    def lines(self) -> list[str]:
        """What stands below the first line, without the inputs."""
        told = [self.meaning] if self.meaning and self.kind == "quantity" else []
        sign = "" if " = " in self.formula else "= "
        told += [f"{sign}{self.formula}   ({self.made_by})"] if self.formula else []
        return told + [str(row) for row in self.rows]


@dataclass(frozen=True, repr=False)
class Trace:
    """Where a number comes from: a tree down to rows of `data/`.

    Shown in a notebook it folds out; `text()` gives it as text, `rows()` only the rows it ends in.
    """

    root: Node

    def nodes(self) -> Iterator[Node]:
        """Each node once, from the root down."""
        seen, waiting = set(), [self.root]
        while waiting:
            node = waiting.pop(0)
            if id(node) not in seen:
                seen.add(id(node))
                yield node
                waiting += node.inputs

    def rows(self) -> list[Row]:
        """All rows of `data/` that the number rests on, each once, sorted by file and row."""
        return sorted(
            {row for node in self.nodes() for row in node.rows},
            key=lambda row: (row.file, row.rows, row.what),
        )

    def text(self, depth: int | None = None) -> str:
        """The tree as text; deeper levels than `depth` are counted, not shown."""
        lines: list[str] = []
        self._write(self.root, 0, depth, lines, set())
        rows = self.rows()
        lines.append(f"in all {len(rows)} entries from {len({row.file for row in rows})} files")
        return "\n".join(lines)

    def _write(
        self, node: Node, level: int, depth: int | None, lines: list[str], seen: set
    ) -> None:
        indent = "  " * level
        key = (node.kind, node.name, node.tag)
        if key in seen and (node.inputs or node.rows):
            lines.append(f"{indent}{node.head()} (see above)")
            return
        seen.add(key)
        lines.append(indent + node.head())
        lines += [f"{indent}    {line}" for line in node.lines()]
        if depth is not None and level >= depth and node.inputs:
            _, *below = Trace(node).nodes()
            kinds = Counter(one.kind for one in below)
            lines.append(
                f"{indent}  … {kinds['quantity']} quantities, {kinds['assumption']} assumptions "
                f"and {kinds['table']} tables below"
            )
            return
        for one in node.inputs:
            self._write(one, level + 1, depth, lines, seen)

    def html(self) -> str:
        """The tree as HTML that folds out, without script, style or anything that changes from run
        to run.
        """
        return "<div>" + self._fold(self.root, set(), True) + "</div>"

    def _fold(self, node: Node, seen: set, is_open: bool = False) -> str:
        key = (node.kind, node.name, node.tag)
        if key in seen and node.inputs:
            return f"<div><b>{escape(node.head())}</b> (see above)</div>"
        seen.add(key)
        told = "".join(f"<div>{escape(line)}</div>" for line in node.lines())
        below = "".join(f"<li>{self._fold(one, seen)}</li>" for one in node.inputs)
        inner = told + (f"<ul>{below}</ul>" if below else "")
        return f"<details{' open' if is_open else ''}><summary><b>{escape(node.head())}</b></summary>{inner}</details>"

    def _repr_html_(self) -> str:
        return self.html()

    def __repr__(self) -> str:
        return f"Trace of {self.root.head()}"

    __str__ = text
