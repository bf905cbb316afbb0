"""Figures drawn as the notebooks draw them: a cell is run with other cities, in the folder of a
test.
"""

import re

import nbformat
from conftest import ROOT

BOOKS = [nbformat.read(path, as_version=4) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]


def draw(name, **known):
    """Run the cell that draws a figure, after the imports of its notebook.

    known   : what earlier cells made, as project and results
    Returns : the names there are after it
    """
    for book in BOOKS:
        cells = [cell.source for cell in book.cells if cell.cell_type == "code"]
        for source in cells:
            if f'"{name}"' in source and "plots." in source:
                names = {"display": lambda *_shown: None}
                exec(re.sub(r"(?m)^(?!import |from ).*$", "", "\n".join(cells)), names)
                names |= known
                exec(re.sub(r"(?m)^blocks\.show.*$", "", source), names)
                return names
    raise LookupError(f"no cell of the notebooks draws {name}")
