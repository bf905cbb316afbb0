"""What the tests of the report share: numbers read back from its text, and the blocks of a report."""

import re

from eldercare.reporting.blocks import Bullets, Table

SIZES = {"million": 1e6, "billion": 1e9, "万": 1e4, "亿": 1e8}
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?:\s*(?:million|billion|万|亿))?")

SECTIONS = [
    "answer",
    "actions",
    "promise",
    "plan",
    "people",
    "beds",
    "caregivers",
    "money",
    "moves",
    "limits",
    "sources",
]


def numbers(text):
    """All numbers of a text without sign, large units multiplied out, sorted."""
    found = []
    for word in NUMBER.findall(text):
        size = next((factor for sign, factor in SIZES.items() if sign in word), 1)
        found.append(float(f"{float(re.sub(r'[^0-9.]', '', word)) * size:.10g}"))
    return sorted(found)


def scaled_cells(table):
    """The texts of a table whose columns each have one unit, with the size of the unit put to each number."""
    sizes = [
        next((sign for sign in SIZES if f"({sign}" in head or f"（{sign}" in head), "")
        for head in table.columns
    ]
    scaled = [
        re.sub(r"(\d)(?![\d.,])", rf"\g<1>{size}", cell)
        for row in table.rows
        for cell, size in zip(row, sizes)
    ]
    return [table.caption, *table.columns, *scaled]


def cells(block):
    """The texts of a block."""
    if isinstance(block, Table) and any(sign in head for head in block.columns for sign in SIZES):
        return scaled_cells(block)
    if isinstance(block, Table):
        return [block.caption, *block.columns, *(cell for row in block.rows for cell in row)]
    if isinstance(block, Bullets):
        return list(block.items)
    return [getattr(block, "text", None) or block.caption]


def all_blocks(document):
    return [block for section in document.values() for block in section]
