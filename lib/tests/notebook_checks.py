"""What a committed notebook must be; each check gives a list of what is wrong, empty if nothing is."""

import ast
import html
import re
from collections.abc import Iterable
from pathlib import Path

from nbformat import NotebookNode

MOST_CELLS, MOST_LINES, MOST_BYTES = 25, 15, 500_000
MACHINE_PATH = re.compile(r"/(?:root|home|tmp|work|Users|private|var)/|[A-Za-z]:\\")
MARKER = re.compile(r"nbval[-_ ](?:ignore|skip|raises|check|test)", re.IGNORECASE)
NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+")
BASE_OF_A_RATIO = r"\b10?,000\b"
NO_RESULT = re.compile(rf"\$\$.*?\$\$|\$[^$]+\$|`[^`]*`|{BASE_OF_A_RATIO}", re.DOTALL)

# What a Chinese page may hold in Latin letters: code and formulas, names of rows, files and addresses, titles in
# italics, short forms (ADL, UN), and these names of people, methods and programs.
AS_CODE = re.compile(
    r"\$\$.*?\$\$|\$[^$]+\$|`[^`]*`|\*[A-Z][^*]*\*|[A-Za-z0-9./<>-]*[_/.][A-Za-z0-9_./<>-]+",
    re.DOTALL,
)
WORD = re.compile(r"[A-Za-z]*[a-z]{3}[A-Za-z]*")
NAMES = {
    "Brass", "Carter", "Dong", "Erlang", "Excel", "Hamilton", "Jupyter", "JupyterLab", "Lee", "Lei", "Perry", "Smith",
    "Sullivan", "Tayman", "Wilson", "Word", "doi", "logit",
}  # fmt: skip

# What is not collected here may well be published: nobody has looked everywhere.
UNPUBLISHED = re.compile(
    r"(nobody|no one|no city|no county|none) (has )?publish|(not|never) published|is published for few|not yet been|未公布|没有公布",
    re.IGNORECASE,
)


def code_cells(book: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in book.cells if cell.cell_type == "code"]


def outputs(book: NotebookNode) -> list[NotebookNode]:
    return [output for cell in code_cells(book) for output in cell.outputs]


def pictures(book: NotebookNode) -> list[NotebookNode]:
    return [
        one
        for one in outputs(book)
        if any(kind.startswith("image/") for kind in one.get("data", {}))
    ]


def shown_text(book: NotebookNode) -> list[str]:
    """All text of the outputs; a picture's bytes are none."""
    texts = []
    for output in outputs(book):
        texts += [output.get("text", ""), *output.get("traceback", [])]
        texts += [
            str(value) for kind, value in output.get("data", {}).items() if kind != "image/png"
        ]
    return texts


def must_show(cell: NotebookNode) -> bool:
    """Whether a code cell ends in an expression or calls print or display."""
    tree = ast.parse(cell.source)
    calls = {getattr(node.func, "id", "") for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return bool(calls & {"print", "display"}) or isinstance(tree.body[-1], ast.Expr)


def definitions(book: NotebookNode) -> list[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    nodes = [node for cell in code_cells(book) for node in ast.walk(ast.parse(cell.source))]
    return [ast.unparse(node).splitlines()[0] for node in nodes if isinstance(node, kinds)]


def paths(book: NotebookNode) -> list[str]:
    """Texts in code cells with a slash, a backslash or the name of a table."""
    found = []
    for cell in code_cells(book):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found += [node.value] if re.search(r"[/\\]|\.csv\b", node.value) else []
    return found


def too_large(book: NotebookNode) -> list[str]:
    long = [
        f"cell {number} has {lines} lines"
        for number, cell in enumerate(book.cells)
        if cell.cell_type == "code" and (lines := len(cell.source.splitlines())) > MOST_LINES
    ]
    return long + ([f"{len(book.cells)} cells"] if len(book.cells) > MOST_CELLS else [])


def not_executed_in_order(book: NotebookNode) -> list[str]:
    counts = [cell.execution_count for cell in code_cells(book)]
    return [] if counts == list(range(1, len(counts) + 1)) else [f"executed as {counts}"]


def without_output(book: NotebookNode) -> list[str]:
    silent = [cell.source for cell in code_cells(book) if must_show(cell) and not cell.outputs]
    return silent if outputs(book) else [*silent, "no output at all"]


def complaints(book: NotebookNode) -> list[str]:
    """Errors and what went to stderr."""
    return [
        one.ename if one.output_type == "error" else one.text
        for one in outputs(book)
        if one.output_type == "error" or (one.output_type == "stream" and one.name == "stderr")
    ]


def machine_paths(book: NotebookNode) -> list[str]:
    return [match[0] for text in shown_text(book) for match in MACHINE_PATH.finditer(text)]


def excuses(book: NotebookNode) -> list[str]:
    """Marks that keep nbval from comparing a cell."""
    tags = [tag for cell in book.cells for tag in cell.metadata.get("tags", [])]
    return [text for text in [*tags, *(cell.source for cell in book.cells)] if MARKER.search(text)]


def unrepeatable(book: NotebookNode) -> list[str]:
    """Outputs that differ at every run: inline SVG, an axes object."""
    kinds = [
        kind for output in outputs(book) for kind in output.get("data", {}) if "svg+xml" in kind
    ]
    words = re.compile(r"svg\+xml|<svg|<Axes|<[\w.]+ at 0x")
    return kinds + [match[0] for text in shown_text(book) for match in words.finditer(text)]


def pictures_without_words(book: NotebookNode) -> list[str]:
    alts = [output.metadata.get("image/png", {}).get("alt", "") for output in pictures(book)]
    return [
        f"picture {number} has no alt text" for number, alt in enumerate(alts, 1) if not alt.strip()
    ]


def typed_results(book: NotebookNode) -> list[str]:
    """Numbers in Markdown that look like results: with a thousands separator or a decimal point."""
    texts = [NO_RESULT.sub("", cell.source) for cell in book.cells if cell.cell_type == "markdown"]
    return [match[0] for text in texts for match in NUMBER.finditer(text)]


def said_to_be_unpublished(text: str) -> list[str]:
    return [match[0] for match in UNPUBLISHED.finditer(text)]


def unpublished_figures(book: NotebookNode) -> list[str]:
    return [said for cell in book.cells for said in said_to_be_unpublished(cell.source)]


def english(book: NotebookNode, cited: Iterable[str] = ()) -> list[str]:
    """English words of a Chinese notebook, in its Markdown, tables, sentences and the words of its pictures; a trace,
    which names quantities, formulas and rows as the code has them, is left out.

    cited : what stands as it is in its source
    """
    texts = [cell.source for cell in book.cells if cell.cell_type == "markdown"]
    for output in outputs(book):
        data = output.get("data", {})
        shown = data.get("text/markdown") or data.get("text/html") or data.get("text/plain", "")
        shown = re.sub(r"<style.*?</style>|<IPython[^>]*>|<[^>]+>", " ", shown, flags=re.DOTALL)
        alt = output.metadata.get("image/png", {}).get("alt", "") if data else ""
        printed = output.get("text", "")
        texts += ["" if "SHA-256" in printed else printed, html.unescape(shown), alt]
    for quote in sorted(filter(None, cited), key=len, reverse=True):
        whole = re.compile(rf"(?<![A-Za-z_]){re.escape(quote)}(?![A-Za-z_])")
        texts = [whole.sub(" ", text) for text in texts]
    plain = [AS_CODE.sub(" ", text) for text in texts]
    return sorted({word for text in plain for word in WORD.findall(text)} - NAMES)


def too_heavy(path: Path) -> list[str]:
    size = path.stat().st_size
    return [f"{path.name} has {size:,} bytes"] if size >= MOST_BYTES else []


def figures_without_twin(folder: Path) -> list[str]:
    """Pictures without a table of the same name, and tables without a picture."""
    png, csv = ({path.stem for path in folder.glob(f"*.{kind}")} for kind in ("png", "csv"))
    return sorted(png ^ csv)


def figures_not_named_once(folder: Path, books: dict[str, NotebookNode]) -> list[str]:
    """Figures that no notebook names, or more than one."""
    sources = {
        name: "\n".join(cell.source for cell in code_cells(book)) for name, book in books.items()
    }
    naming = {
        stem: [
            name
            for name, source in sources.items()
            if re.search(rf"[\"']{re.escape(stem)}[\"']", source)
        ]
        for stem in sorted({path.stem for path in folder.glob("*.*")})
    }
    return [f"{stem}: {names}" for stem, names in naming.items() if len(names) != 1]


OF_A_BOOK = (
    definitions,
    paths,
    too_large,
    not_executed_in_order,
    without_output,
    complaints,
    machine_paths,
    excuses,
    unrepeatable,
    pictures_without_words,
    typed_results,
    unpublished_figures,
)
