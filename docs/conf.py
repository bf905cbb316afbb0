"""How Sphinx makes the site; eldercare.app.site lays the notebooks and reports beside these pages."""

import csv
import importlib
import re
import textwrap
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.search.en import SearchEnglish

import eldercare
from eldercare.engine.quantity import DECLARED

PACKAGES = re.search(r"inputs -> .*", eldercare.__doc__)[0].split(" -> ")
TITLES = {"en": "Eldercare planning notebooks", "zh": "养老规划笔记本"}
WORDS = {  # of the look, for pages in Chinese
    "Search": "搜索",
    "On this page": "本页内容",
    "Skip to content": "跳到正文",
    "Back to top": "回到顶部",
    "Next": "下一篇",
    "Previous": "上一篇",
    "Made with ": "制作工具：",
}


def chain_picture() -> str:
    """The steps of the chain as an SVG, from left to right, with an arrow where a quantity of one takes one of another."""
    importlib.import_module("eldercare.model.chain")
    step = {one.name: one.home.split(".")[0] for one in DECLARED.values()}
    takes: dict[str, set[str]] = {name: set() for name in step.values()}
    for one in DECLARED.values():
        takes[step[one.name]] |= {step[n] for n in one.inputs if n in step} - {step[one.name]}
    column: dict[str, int] = {}
    for name in TopologicalSorter(takes).static_order():
        column[name] = 1 + max((column[below] for below in takes[name]), default=-1)
    rows: Counter[int] = Counter()
    at: dict[str, tuple[int, int]] = {}
    for name, place in column.items():
        at[name] = (20 + place * 170, 20 + rows[place] * 80)
        rows[place] += 1
    lines = [
        f'<path d="M{at[below][0] + 130} {at[below][1] + 25} C{at[below][0] + 150} {at[below][1] + 25} '
        f'{at[name][0] - 20} {at[name][1] + 25} {at[name][0]} {at[name][1] + 25}" class="arrow"/>'
        for name in sorted(takes)
        for below in sorted(takes[name])
    ]
    counts = Counter(step.values())
    boxes = [
        f'<rect x="{x}" y="{y}" width="130" height="50" rx="6"/>'
        f'<text x="{x + 65}" y="{y + 22}">{name}</text>'
        f'<text x="{x + 65}" y="{y + 39}" class="small">{counts[name]} quantities</text>'
        for name, (x, y) in sorted(at.items())
    ]
    style = (
        "rect{fill:#eef3f7;stroke:#33566e}.arrow{fill:none;stroke:#7a93a5;stroke-width:1.5}"
        "text{font:15px sans-serif;text-anchor:middle;fill:#1c2b36}.small{font-size:11px}"
    )
    size = f"0 0 {max(x for x, _ in at.values()) + 150} {max(y for _, y in at.values()) + 70}"
    inside = "".join([*lines, *boxes])
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}"><style>{style}</style>{inside}</svg>'


def chain_table() -> str:
    """All declared quantities in the order of the steps, as a table: name, unit, what it is, what it is made of."""
    importlib.import_module("eldercare.model.chain")
    lines = ["| quantity | unit | what it is | made of |", "| --- | --- | --- | --- |"]
    for one in DECLARED.values():
        made_of = ", ".join(f"`{name}`" for name in one.inputs)
        meaning = one.meaning.replace("|", "/")
        lines.append(f"| `{one.home}` | {one.unit} | {meaning} | {made_of} |")
    return "\n".join(lines)


def speed_table() -> str:
    """What `benchmarks/measure.py --record` has recorded, as a table; a sentence as long as that is nothing."""
    with (Path(__file__).parent / "how_to" / "speed.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    if not rows:
        return "Nothing is recorded yet."
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


(Path(__file__).parent / "_static" / "chain.svg").write_text(chain_picture(), "utf-8")
project = html_title = TITLES["en"]
language, html_theme, html_search_language = "en", "furo", "both"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.apidoc"]
templates_path, html_static_path, html_extra_path = ["_templates"], ["_static"], ["files"]
exclude_patterns = ["api/modules.rst", "api/eldercare.rst", "files"]
html_css_files = ["site.css"]
html_theme_options = {"top_of_page_buttons": []}
chinese_sidebar = [f"sidebar/{part}.html" for part in ("brand", "search", "chinese")]
html_sidebars = {"**zh": chinese_sidebar, "zh/**": chinese_sidebar}
html_copy_source = html_show_copyright = html_show_sphinx = html_permalinks = False
html_use_index = html_domain_indices = False
html_show_search_summary = False  # it would be fetched, which a browser refuses a page from disk
default_role = "code"

nb_execution_mode, nb_ipywidgets_js = "off", {}
myst_enable_extensions = ["amsmath", "dollarmath", "substitution"]
myst_heading_anchors = 3
myst_substitutions = {
    "packages": "\n".join(
        f"1. [{name}](api/eldercare.{name}.rst): {importlib.import_module(f'eldercare.{name}').__doc__}"
        for name in PACKAGES
    ),
    "quantities": chain_table(),
    "speed": speed_table(),
}

apidoc_modules = [{"path": str(Path(eldercare.__file__).parent), "destination": "api"}]
apidoc_module_first, apidoc_automodule_options = True, {"members"}
autodoc_member_order, autodoc_preserve_defaults = "bysource", True
add_module_names = toc_object_entries = False


class SearchBoth(SearchEnglish):
    """English words, and of Chinese, which sets no spaces, every two characters side by side."""

    lang = "both"
    js_splitter_code = r"""
var splitQuery = function (query) {
  const word = /(?=([\u3400-\u9fff]{2}))|(?:(?![\u3400-\u9fff])[\p{Letter}\p{Number}_])+/gu;
  return Array.from(query.matchAll(word), function (match) { return match[0] || match[1]; });
};"""

    def split(self, input: str) -> list[str]:
        """The words of a text, as `splitQuery` finds them in what is searched for."""
        found = re.finditer(r"(?=([\u3400-\u9fff]{2}))|[^\W\u3400-\u9fff]+", input)
        return [match[0] or match[1] for match in found]


def formula(translator, node):
    """A formula as MathML, which a browser sets without a script."""
    display = "block" if isinstance(node, nodes.math_block) else "inline"
    translator.body.append(convert(node.astext(), display=display))
    raise nodes.SkipNode


def short_titles(app, docname, source):
    """A page of the library is named after its package, a part of it after its module."""
    if docname.startswith("api/"):
        text = source[0].replace("Submodules\n----------\n", "")
        source[0] = re.sub(
            r"^eldercare\.(?:\w+\.)?(.+) (?:package|module)$", r"\1", text, flags=re.M
        )


def _escaped(match):
    return match[1] or "\\" + match[2]


def keep_layout(app, what, name, obj, options, lines):
    """Docstrings are plain text: what is laid out in columns stays so, the rest is paragraphs."""
    blocks = "\n".join(lines).strip().split("\n\n")
    for place, block in enumerate(blocks):
        if re.search(r"^ | : |::", block, re.MULTILINE):
            blocks[place] = ".. code-block:: text\n\n" + textwrap.indent(block, "   ")
        else:
            blocks[place] = re.sub(r"(`[^`]*`)|([*|\\]|_(?!\w))", _escaped, block)
    lines[:] = "\n\n".join(blocks).splitlines() + [""]


def is_chinese(pagename):
    """Whether a page is in Chinese: its name ends with zh, or it lies in the folder zh."""
    return pagename.endswith("zh") or pagename.startswith("zh/")


def choose_language(app, pagename, templatename, context, doctree):
    """A page leads to itself in the other language where it has such a twin, else to that language's first page."""
    chinese = is_chinese(pagename)
    home = "index" if chinese else "index.zh"
    renamed = re.sub("(en|zh)$", "en" if chinese else "zh", pagename)
    moved = pagename.removeprefix("zh/") if chinese else f"zh/{pagename}"
    ending = pagename.removesuffix(".zh") if chinese else f"{pagename}.zh"
    twins = [name for name in (renamed, moved, ending) if name != pagename and name in app.env.found_docs]
    context["twin"] = (twins or [home])[0]
    if chinese:
        context["language"], context["docstitle"] = "zh-Hans", TITLES["zh"]
        context["master_doc"] = "index.zh"
        context["chinese_pages"] = [
            (name, title.astext())
            for name, title in sorted(
                app.env.titles.items(), key=lambda one: (one[0].startswith("reports/"), one[0])
            )
            if is_chinese(name)
        ]
        if pagename == "index.zh":
            context["prev"] = None
        context["_"] = context["gettext"] = lambda text, **_: WORDS.get(text, text)


def setup(app):
    """What is our own in the making of a page."""
    app.add_search_language(SearchBoth)
    app.add_html_math_renderer("mathml", (formula, None), (formula, None))
    app.connect("source-read", short_titles)
    app.connect("autodoc-process-docstring", keep_layout)
    app.connect("html-page-context", choose_language)


html_math_renderer = "mathml"
