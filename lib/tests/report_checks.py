"""What the tests of the report share: numbers read back from its text, and the blocks of a report."""

import re

from eldercare.reporting.blocks import Bullets, Table

SIZES = {"million": 1e6, "billion": 1e9, "万": 1e4, "亿": 1e8}
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?:\s*(?:million|billion|万|亿))?")

SECTIONS = [
    "answer",
    "promise",
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
        found.append(round(float(re.sub(r"[^\d.]", "", word)) * size, 6))
    return sorted(found)


def cells(block):
    """The texts of a block."""
    if isinstance(block, Table):
        return [block.caption, *block.columns, *(cell for row in block.rows for cell in row)]
    if isinstance(block, Bullets):
        return list(block.items)
    return [getattr(block, "text", None) or block.caption]


def all_blocks(document):
    return [block for section in document.values() for block in section]
