"""The site: every page opens from disk, can be read by anyone on any window, and asks no other
host.
"""

import dataclasses
import shutil
from pathlib import Path

import nbformat
import page_checks as checks
import pytest
from conftest import ROOT
from test_structure import MOST_MODULES

from eldercare.app import book, cli, export, lookup, pages, site
from eldercare.inputs import load
from eldercare.reporting.language import edition, load_language

CITY = "lincang"
BOOKS = {
    code: [edition(Path(), code) / f"{path.stem}.html" for path in book.notebook_paths(ROOT, code)]
    for code in site.HOME
}
NOTEBOOKS = {code: [path.as_posix() for path in paths] for code, paths in BOOKS.items()}
REPORTS = [f"reports/{CITY}_{language}.html" for language in site.HOME]
WRITTEN = [
    path.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
    for path in sorted((ROOT / "docs").rglob("*.md"))
]
AREAS = site.AREAS.values() if (ROOT / "docs" / lookup.TABLE).is_file() else ()
LIBRARY = [f"api/eldercare.{package}.html" for package in MOST_MODULES]
PAGES = [
    *site.HOME.values(),
    *AREAS,
    *NOTEBOOKS["en"],
    *NOTEBOOKS["zh"],
    *REPORTS,
    *WRITTEN,
    *LIBRARY,
    "search.html",
]
TAGS = {"en": "en", "zh": "zh-Hans"}
REPORT = """<!DOCTYPE html>
<html lang="{tag}"><head><title>{title}</title><style>h1 {{ color: red }}</style></head>
<body><h1>{title}</h1><h2>{title}</h2>
<table><tr><th>{title}</th></tr><tr><td>16,400 (11,100 to 23,600)</td></tr></table></body></html>
"""
TITLES = {"en": "Lincang", "zh": "临沧市"}

each_page = pytest.mark.parametrize("name", PAGES)


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """A folder with the reports of one city, the Chinese page a true one, and a file that is none."""
    folder = tmp_path_factory.mktemp("reports")
    report = nbformat.read(ROOT / "notebooks" / "zh" / export.NOTEBOOK, as_version=4)
    stand_in = REPORT.format(title=TITLES["en"], tag="en")
    texts = {"en": stand_in, "zh": export.page(report, TITLES["zh"], "zh", [])}
    for language, text in texts.items():
        (folder / f"{CITY}_{language}.html").write_text(text, "utf-8")
        for kind in ("docx", "xlsx"):
            (folder / f"{CITY}_{language}.{kind}").write_bytes(b"a document")
    (folder / "notes.txt").write_text("not a report", "utf-8")
    return folder


@pytest.fixture(scope="module")
def built(project, reports, tmp_path_factory):
    """The site of the committed notebooks."""
    return site.build_site(project, tmp_path_factory.mktemp("shelf") / "site", reports).parent


@pytest.fixture
def few_notebooks(project, tmp_path):
    """A project with one notebook and without the pages of the library, to be built often."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("arch*"))
    start, settings = (tmp_path / "docs" / name for name in ("index.md.j2", "conf.py"))
    start.write_text(start.read_text("utf-8").replace("architecture\n", ""), "utf-8")
    settings.write_text(settings.read_text("utf-8") + "\napidoc_modules = []\n", "utf-8")
    for folder, names in (("notebooks", "03_population.ipynb"), ("figures", "0[03]_*")):
        for part in (edition(Path(folder), code) for code in site.HOME):
            (tmp_path / part).mkdir()
            for path in (ROOT / part).glob(names):
                shutil.copy(path, tmp_path / part)
    return dataclasses.replace(project, root=tmp_path)


def test_there_is_a_page_for_every_notebook_report_and_package_and_nothing_else(built):
    found = sorted(path.relative_to(built).as_posix() for path in built.rglob("*.html"))
    assert found == sorted(PAGES)
    documents = {path.name for path in (built / "reports").iterdir() if path.suffix != ".html"}
    assert documents == {
        f"{CITY}_{language}.{kind}" for language in site.HOME for kind in ("docx", "xlsx")
    }


@each_page
@pytest.mark.parametrize("check", checks.OF_A_FILE, ids=lambda check: check.__name__)
def test_a_page_has_nothing_wrong(built, name, check):
    assert check(built / name) == []


@each_page
def test_a_page_opens_from_disk_on_any_window(built, browser, name):
    assert checks.in_browser(browser, built / name) == []


BAD_PAGE = """<!DOCTYPE html>
<html lang="en"><title>Bad</title><meta name="viewport" content="width=device-width">
<body><main><h1>Bad</h1><nav>Pages</nav><img src="https://example.org/a.png">
<p style="width:2000px;color:#ddd">Wide</p><table style="width:2000px"><tr><td>Wide</td></tr></table>
<script>console.log("said"); undefined_name()</script></main></body></html>"""


def test_the_look_in_the_browser_sees_each_fault(browser, tmp_path):
    path = tmp_path / "bad.html"
    path.write_text(BAD_PAGE, "utf-8")
    found = "\n".join(checks.in_browser(browser, path))
    for fault in (
        "console: said",
        "error: undefined_name",
        "asks: https",
        "too wide at 1280",
        "too wide at 360",
        "image-alt",
        "color-contrast",
        "printed: Pages",
        "cut on paper",
    ):
        assert fault in found


@pytest.mark.parametrize(
    ("home", "words", "page"),
    [
        ("en", "dementia", "04_care_need.html"),
        ("en", "population projection", "03_population.html"),
        ("zh", "养老", REPORTS[1]),
        ("zh", "床位", REPORTS[1]),
        ("zh", "护理型床位", "zh/05_beds.html"),
        ("en", "护理型床位", "05_beds.html"),
    ],
)
def test_the_search_finds_words_of_both_languages(built, browser, home, words, page):
    window = browser.new_page()
    said = []
    window.on("console", lambda message: said.append(message.text))
    window.on("pageerror", lambda error: said.append(str(error)))
    window.goto((built / site.HOME[home]).as_uri())
    window.fill("input[name=q]", words)
    window.press("input[name=q]", "Enter")
    window.wait_for_selector(".search-summary:not(:empty)")  # said when the last result is there
    found = window.locator("#search-results li a").evaluate_all("links => links.map(a => a.href)")
    assert any(address.split("#")[0].split("?")[0].endswith(page) for address in found)
    assert said == []
    window.close()


def test_the_search_tells_that_nothing_was_found(built, browser):
    window = browser.new_page()
    window.goto((built / "search.html").as_uri() + "?q=枇杷")
    window.wait_for_selector(".search-summary:not(:empty)")
    assert window.locator("#search-results li").count() == 0
    window.close()


def test_every_figure_of_a_notebook_stands_beside_its_numbers(built):
    for code, names in BOOKS.items():
        for name in names:
            figures = checks.read(built / name).find_all("figure")
            tables = {
                (built / name.parent / figure.figcaption.a["href"]).resolve() for figure in figures
            }
            start = name.stem[:2] if name.stem[:2].isdigit() else name.stem
            folder = edition(built / "figures", code)
            assert tables == {path.resolve() for path in folder.glob(f"{start}_*.csv")}, name


@pytest.mark.parametrize("code", site.HOME)
def test_the_notebooks_form_a_row(built, code):
    for before, after in zip(BOOKS[code], BOOKS[code][1:]):
        following, leading = (
            checks.read(built / page).find("link", rel=way)["href"]
            for page, way in ((before, "next"), (after, "prev"))
        )
        assert (following, leading) == (after.name, before.name)


def test_each_page_of_a_notebook_leads_to_itself_in_the_other_language(built):
    for english, chinese in zip(NOTEBOOKS["en"], NOTEBOOKS["zh"]):
        there, back = (checks.read(built / name) for name in (english, chinese))
        assert there.select_one(".twin a[hreflang]")["href"] == chinese
        assert back.select_one(".twin a[hreflang]")["href"] == f"../{english}"
        assert (there.html["lang"], back.html["lang"]) == (TAGS["en"], TAGS["zh"])


@pytest.mark.parametrize(("language", "other"), [("en", "zh"), ("zh", "en")])
def test_each_first_page_has_its_language_and_leads_to_the_other(built, language, other):
    page = checks.read(built / site.HOME[language])
    assert page.html["lang"] == TAGS[language]
    assert page.select_one(".twin a[hreflang]")["href"] == site.HOME[other]
    assert TITLES[language] in page.tbody.th.get_text()
    assert {link["href"] for link in page.tbody.find_all("a")} == {
        f"reports/{CITY}_{written}.{kind}" for written in site.HOME for kind in site.REPORT_KINDS
    }


def test_a_report_leads_to_itself_in_the_other_language(built):
    for language, other in (("en", "zh"), ("zh", "en")):
        page = checks.read(built / f"reports/{CITY}_{language}.html")
        assert page.html["lang"] == TAGS[language]
        assert page.select_one(".twin a[hreflang]")["href"] == f"{CITY}_{other}.html"


def test_every_phrase_of_the_site_is_used(project):
    names = project.phrases["phrase_id"][project.phrases["phrase_id"].str.startswith(site.PREFIX)]
    names = names.str.removeprefix(site.PREFIX)
    text = (ROOT / "docs" / "index.md.j2").read_text("utf-8")
    unused = [
        name
        for name in names
        if f"words.{name}" not in text and not name.startswith(("notebook_", "report_"))
    ]
    assert unused == []


def test_the_pages_hold_nothing_of_the_machine(built):
    """Neither a path of the project, of the build or of the library's install, nor a name of the
    user.
    """
    texts = [path for path in built.rglob("*") if path.suffix in (".html", ".js", ".css", ".inv")]
    for path in texts:
        text = path.read_text("utf-8", errors="replace")
        for place in (str(ROOT), str(built.parent), str(Path.home()), "site-packages"):
            assert place not in text, path


def test_built_again_the_site_has_the_same_bytes(few_notebooks, reports, tmp_path):
    folders = [
        site.build_site(few_notebooks, tmp_path / name / "site", reports).parent
        for name in ("one", "another")
    ]
    one, another = (
        {
            path.relative_to(folder): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        for folder in folders
    )
    assert one == another


def test_a_site_without_reports_says_so(few_notebooks, tmp_path):
    first = site.build_site(few_notebooks, tmp_path / "site")
    assert "No reports have been written yet." in first.read_text("utf-8")
    found = sorted(
        path.relative_to(first.parent).as_posix() for path in first.parent.rglob("0*.html")
    )
    assert found == ["03_population.html", "zh/03_population.html"]


def test_an_older_site_is_replaced_whole_and_nothing_is_left_beside_it(few_notebooks, tmp_path):
    output = tmp_path / "new" / "site"
    first = site.build_site(few_notebooks, output)
    (output / "old.html").write_text("old", "utf-8")
    assert site.build_site(few_notebooks, output) == first
    assert not (output / "old.html").exists()
    assert [path.name for path in output.parent.iterdir()] == ["site"]


def test_a_build_that_fails_leaves_the_older_site_as_it_was(few_notebooks, tmp_path, monkeypatch):
    first = site.build_site(few_notebooks, tmp_path / "new" / "site")
    before = first.read_bytes()

    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(site, "finished", full)
    with pytest.raises(OSError, match="cannot be written to .*no space left"):
        site.build_site(few_notebooks, first.parent)
    assert first.read_bytes() == before
    assert [path.name for path in first.parents[1].iterdir()] == ["site"]


def test_what_sphinx_warns_of_is_told_and_no_site_is_written(few_notebooks, tmp_path):
    page = few_notebooks.root / "docs" / "how_to" / "city.md"
    page.write_text("# A city\n\n[lost](no_such_page.md)\n", "utf-8")
    with pytest.raises(ValueError, match=r"^how_to/city.md:3: WARNING: .*no_such_page"):
        site.build_site(few_notebooks, tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_a_swap_that_fails_puts_the_older_site_back(tmp_path):
    output = tmp_path / "site"
    output.mkdir()
    (output / "index.html").write_text("old", "utf-8")
    with pytest.raises(FileNotFoundError):
        site._swap(tmp_path / "not there", output, tmp_path / "old")
    assert (output / "index.html").read_text("utf-8") == "old"


@pytest.fixture
def command(few_notebooks, tmp_path, monkeypatch):
    """The command on a project with one notebook; what it is given goes before the folder to write
    to.
    """
    monkeypatch.setattr(load, "load_project", lambda *_, **__: few_notebooks)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ELDERCARE_PROJECT", str(tmp_path))
    return lambda *arguments: cli.main(["site", *map(str, arguments)])


def test_the_command_says_where_to_begin(command, reports, tmp_path, capsys):
    assert command("--reports", reports) == 0
    assert capsys.readouterr().out == f"Open {Path('site') / 'index.html'} in a browser.\n"
    assert (tmp_path / "site" / "reports" / f"{CITY}_zh.html").is_file()


def test_a_report_that_fails_is_told_and_no_site_is_written(command, tmp_path, monkeypatch, capsys):
    failed = [], {"lincang_zh": ValueError("a cell failed")}
    monkeypatch.setattr(export, "write_reports", lambda *_: failed)
    assert command() == 1
    assert "lincang_zh failed; the site is as it was.\na cell failed" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_an_interruption_leaves_the_site_as_it_was(command, tmp_path, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(export, "write_reports", interrupted)
    assert command() == cli.INTERRUPTED
    assert capsys.readouterr().err == "Interrupted. The site is as it was.\n"
    assert not (tmp_path / "site").exists()


def test_a_folder_with_other_files_is_not_touched(few_notebooks, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "index.html").write_text("my own page", "utf-8")
    with pytest.raises(OSError, match="no site of this project"):
        site.build_site(few_notebooks, folder)
    assert [path.name for path in folder.iterdir()] == ["index.html"]


def test_a_folder_that_cannot_be_written_is_told_without_a_traceback(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ELDERCARE_PROJECT", str(ROOT))
    (tmp_path / "file").write_text("", "utf-8")
    assert cli.main(["site", "--output", str(tmp_path / "file")]) == 2
    assert "it is a file, not a folder" in capsys.readouterr().err


@pytest.fixture(scope="module")
def words(project):
    return load_language(project, "en")


def dressed(words, *cells):
    notebook = nbformat.v4.new_notebook(cells=cells)
    site._dress(notebook, "10_title", {}, words)
    return notebook.cells


def test_a_notebook_that_was_not_run_is_refused(words):
    with pytest.raises(ValueError, match="10_title: a cell has not been run"):
        dressed(words, nbformat.v4.new_code_cell("1 + 1"))


def test_a_picture_that_is_no_figure_is_refused(words):
    cell = nbformat.v4.new_code_cell("figure", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("display_data", data={"image/png": "AAAA"})]
    with pytest.raises(ValueError, match="10_title: a picture is not in figures/"):
        dressed(words, cell)


def test_a_widget_says_where_it_works(words):
    data = {
        "text/plain": "VBox(children=())",
        "application/vnd.jupyter.widget-view+json": {"model_id": "1"},
    }
    cell = nbformat.v4.new_code_cell("desk()", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("display_data", data=data)]
    (output,) = dressed(words, cell)[0].outputs
    assert "Jupyter only" in output.data["text/html"] and "text/plain" not in output.data


def test_a_notebook_without_a_title_is_refused(few_notebooks, tmp_path):
    path = few_notebooks.root / "notebooks" / "04_untitled.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), path)
    with pytest.raises(ValueError, match="04_untitled"):
        site.build_site(few_notebooks, tmp_path / "site")


def test_a_formula_is_mathml(built):
    formulas = checks.read(built / "03_population.html").select(".math-wrapper math")
    assert formulas and formulas[0]["display"] == "block"


def page_of(html, tag="en"):
    return pages.finished(
        f'<html lang="{tag}"><body><h1>Title</h1>{html}</body></html>', ["05_beds"]
    )


@pytest.mark.parametrize(
    "words_of_a_range", ["10 (5 to 20)", "55 % (-3 % to 60 %)", "1.64万张（1.13万—2.36万张）"]
)
def test_a_range_stays_on_one_line(words_of_a_range):
    assert '<span class="whole">' in page_of(f"<p>{words_of_a_range}</p>")


def test_words_of_the_other_language_are_marked():
    page = page_of("<p>older people (老年人, 60岁及以上) here</p>")
    assert 'older people (<span lang="zh-Hans">老年人, 60岁及以上</span>) here' in page
    page = page_of("<p>见《Older people here》</p>", "zh-Hans")
    assert '《<span lang="en">Older people here</span>》' in page


def test_a_report_loses_its_own_dress():
    text = pages.report_source(REPORT.format(title="Lincang", tag="en"))
    assert text.startswith("# Lincang\n\n## Lincang\n\n```{raw} html\n<table>")
    assert "style" not in text


def test_a_name_of_a_notebook_in_a_table_leads_to_it():
    page = page_of("<table><tr><td>05_beds</td><td>05_beds and more</td></tr></table>")
    assert '<a href="05_beds.html">05_beds</a>' in page and page.count("<a ") == 1


@pytest.mark.parametrize(
    "name", [site.HOME["zh"], "01_targets.html", "zh/05_beds.html", REPORTS[1]]
)
def test_chinese_shows_on_a_machine_without_a_chinese_font(built, browser, name):
    """Chinese is written in the font that lies beside the pages."""
    page = browser.new_page()
    page.goto((built / name).as_uri())
    assert page.evaluate(
        "document.fonts.ready.then(() => [...document.fonts].map(font => font.status))"
    ) == ["loaded"]
    page.close()
