"""The parts a report is made of - headings, paragraphs, lists, tables, figures - and how a notebook
shows them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from IPython.display import HTML, Image, display


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the title."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; style `lead` is the answer, `note` stands below a table or a title."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table of texts; the first column names the row."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Figure:
    """The place of a figure and the words below it; the picture comes from `plots`."""

    caption: str


Block = Heading | Paragraph | Bullets | Table | Figure


def html(block: Block) -> str:
    """A block as HTML, all text escaped; of a figure the caption."""
    if isinstance(block, Heading):
        return f"<h{block.level}>{escape(block.text)}</h{block.level}>"
    if isinstance(block, Paragraph):
        kind = f' class="{block.style}"' if block.style else ""
        return f"<p{kind}>{escape(block.text)}</p>"
    if isinstance(block, Bullets):
        return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in block.items)}</ul>"
    if isinstance(block, Figure):
        return f'<p class="caption">{escape(block.caption)}</p>'
    return _table(block)


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.columns)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in row[1:])}</tr>'
        for row in table.rows
    )
    return f"<table><caption>{escape(table.caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def text_width(text: str) -> int:
    """Width of a text in Latin letters; a Chinese character is two wide."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def show(blocks: Sequence[Block], *images: Image) -> None:
    """Show blocks in a notebook, the pictures in the order of their places."""
    waiting: Iterator[Image] = iter(images)
    text = ""
    for block in blocks:
        if isinstance(block, Figure):
            if text:
                display(HTML(text))
            display(next(waiting))
            text = ""
        text += html(block)
    display(HTML(text))
