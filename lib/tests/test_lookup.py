"""The page on which any area is looked up: what it shows is what a run says, and anybody can use it."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import page_checks as checks
import pandas as pd
import pytest
from conftest import DRAWS, ROOT

from eldercare.app import lookup, nation, site
from eldercare.inputs.load import BASELINE, NATION
from eldercare.reporting.language import LANGUAGES, load_language

NINGXIA, YINCHUAN, XINGQING, LINCANG, ATOLL = 640000, 640100, 640104, 530900, 460392
SAMPLE = (NATION, NINGXIA, YINCHUAN, XINGQING)
MOST_BYTES = 3_000_000
AS_NEAR = 0.006  # three digits
TWO_GULOUS = (320106, 350102)
FEW = {
    0: (NATION,),
    NATION: (320000, 350000, 460000, 530000),
    320000: (320100,),
    320100: TWO_GULOUS[:1],
    350000: (350100,),
    350100: TWO_GULOUS[1:],
    460000: (460300,),
    460300: (ATOLL,),
    530000: (LINCANG,),
}


@pytest.fixture(scope="module")
def committed():
    path = ROOT / "docs" / lookup.TABLE
    if not path.is_file():
        pytest.skip("no table of areas is committed: the site has no page of them")
    return pd.read_csv(path, keep_default_na=False)


@pytest.fixture(scope="module")
def table(project):
    """The figures of a few areas and all above them, with few draws."""
    tables = [
        nation.block_table(project, nation.Block(whole, codes), BASELINE, DRAWS).to_pandas()
        for whole, codes in FEW.items()
    ]
    codes = [code for codes in FEW.values() for code in codes]
    told = pd.DataFrame(
        {"area": codes, "caution": ["few_people" * (code == ATOLL) for code in codes]}
    )
    return lookup.compact(pd.concat(tables), told)


@pytest.fixture(scope="module")
def shelf(project, table, tmp_path_factory):
    """A site of one notebook and the pages of these areas."""
    root = tmp_path_factory.mktemp("shelf")
    shutil.copytree(ROOT / "docs", root / "docs", ignore=shutil.ignore_patterns("arch*"))
    table.to_csv(root / "docs" / lookup.TABLE, index=False)
    (root / "docs" / lookup.RUN).write_text(f'{{"draws": {DRAWS}}}', "utf-8")
    start, settings = (root / "docs" / name for name in ("index.md.j2", "conf.py"))
    start.write_text(start.read_text("utf-8").replace("architecture\n", "how_to/city\n"), "utf-8")
    settings.write_text(settings.read_text("utf-8") + "\napidoc_modules = []\n", "utf-8")
    for folder, names in (("notebooks", "03_population.ipynb"), ("figures", "0[03]_*")):
        (root / folder).mkdir()
        for path in (ROOT / folder).glob(names):
            shutil.copy(path, root / folder)
    return site.build_site(replace(project, root=root), root / "site").parent


def test_the_table_has_every_area_with_every_figure_it_shows(committed, china):
    table = committed
    census = china.areas.xs(2020, level="year").index
    assert set(table["area"]) == {NATION, *census}
    assert len(table) == len(lookup.SHOWN) * (len(census) + 1)
    assert list(table.columns) == [*lookup.KEYS, *map(str, lookup.YEARS)]
    cells = table[list(map(str, lookup.YEARS))].stack()
    assert cells.str.fullmatch(r"[\d.]+ [\d.]+ [\d.]+").all()


def test_the_largest_and_the_smallest_figures_are_written_out(table):
    """Trillions of yuan of the nation were written 1.73e+12, which nobody saw while no whole run was at hand."""
    area = int(table.at[0, "area"])
    rows = pd.DataFrame(
        [
            (area, name, variant, year, 0.000012345, 3.0, 1.7345e12)
            for name, variant in lookup.SHOWN
            for year in lookup.YEARS
        ],
        columns=["area", "indicator", "variant", "year", "low", "central", "high"],
    )
    written = lookup.compact(rows, pd.DataFrame({"area": [area], "caution": [""]}))
    assert set(written[list(map(str, lookup.YEARS))].stack()) == {"0.0000123 3 1730000000000"}


def test_a_page_of_all_areas_and_what_it_reads_is_small(project, committed, shelf):
    read = [shelf / name for name in (*site.AREAS.values(), "_static/areas.js")]
    packed = lookup.packed(project, committed)
    assert sum(path.stat().st_size for path in read) + len(packed) <= MOST_BYTES


@pytest.mark.parametrize("code", SAMPLE)
def test_a_sample_of_areas_calculated_anew_has_the_figures_of_the_table(project, committed, code):
    """A table that an older state of the data left behind fails here: run `areas`, then `areas-table`."""
    draws = json.loads((ROOT / "docs" / lookup.RUN).read_text("utf-8"))["draws"]
    above = next(one.whole for one in nation.blocks_of(project) if code in one.codes)
    block = nation.Block(above, (code,))
    rows = nation.block_table(project, block, BASELINE, draws).to_pandas()
    told = pd.DataFrame({"area": [code], "caution": [""]})
    anew, there = (
        ends_of(one) for one in (lookup.compact(rows, told), committed[committed["area"] == code])
    )
    assert there == pytest.approx(anew, rel=AS_NEAR)


def ends_of(table):
    cells = table[list(map(str, lookup.YEARS))].to_numpy().ravel()
    return np.array([float(number) for cell in cells for number in cell.split()])


@pytest.mark.parametrize("name", site.AREAS.values())
def test_a_page_of_areas_is_small_asks_nobody_and_has_nothing_wrong(shelf, browser, name):
    weight = sum((shelf / one).stat().st_size for one in (name, lookup.PACKED, "_static/areas.js"))
    assert weight <= MOST_BYTES
    for check in checks.OF_A_FILE:
        assert check(shelf / name) == [], check.__name__
    assert checks.in_browser(browser, shelf / name) == []


@pytest.fixture
def page(shelf, browser):
    """The English page with its table read; what it says or asks is kept."""
    window = browser.new_page(viewport={"width": 1280, "height": 900})
    window.said = []
    window.on("console", lambda message: window.said.append(message.text))
    window.on("pageerror", lambda error: window.said.append(str(error)))
    window.on(
        "request",
        lambda request: request.url.startswith(checks.OWN) or window.said.append(request.url),
    )
    yield window
    assert window.said == []
    window.close()


def opened(window, shelf, language, place=""):
    window.goto((shelf / site.AREAS[language]).as_uri() + place)
    window.wait_for_selector("html[data-areas=ready]")
    return window


@pytest.mark.parametrize("asked", ["Lincang", "lin cang", "临沧", "临沧市", str(LINCANG)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_area_is_found_by_name_or_code_in_either_language(page, shelf, language, asked):
    opened(page, shelf, language)
    page.fill("#areas-name", asked)
    page.press("#areas-name", "Enter")
    assert str(LINCANG) in page.inner_text("#areas-shown h2")
    assert page.evaluate("document.activeElement.tagName") == "H2"
    assert page.locator("#areas-shown table").count() == 3  # the area, its province, the nation
    assert page.url.endswith(f"#{LINCANG}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_shows_the_figures_of_the_table_as_the_reports_write_them(
    page, shelf, project, table, language
):
    words = load_language(project, language)
    opened(page, shelf, language, f"#{LINCANG}")
    shown = (
        page.locator("#areas-shown table")
        .first.locator("tbody tr")
        .evaluate_all(
            "rows => rows.map(row => [...row.cells].slice(1).map(cell => cell.textContent))"
        )
    )
    mine = table[table["area"] == LINCANG]
    units = project.indicators.set_index("indicator")["unit"]
    for cells, row in zip(shown, mine.to_dict("records"), strict=True):
        for cell, year in zip(cells, lookup.YEARS, strict=True):
            low, central, high = map(float, row[str(year)].split())
            ends = {"low": low, "central": central, "high": high}
            if units[row["indicator"].partition("[")[0]] != "yuan_per_year":
                ends = {end: round(value) if value < 100 else value for end, value in ends.items()}
            assert cell == words.range(ends), (row, year)


def test_names_that_several_areas_have_are_listed_with_where_they_lie(page, shelf):
    opened(page, shelf, "zh")
    page.fill("#areas-name", "鼓楼区")
    told = page.locator("#areas-list button").all_inner_texts()
    assert len(told) == 2 and all(any(str(code) in text for text in told) for code in TWO_GULOUS)
    assert "南京" in next(text for text in told if str(TWO_GULOUS[0]) in text)
    page.focus("#areas-name")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert "鼓楼区" in page.inner_text("#areas-shown h2")


def test_what_is_no_area_is_told_to_who_hears_the_page(page, shelf):
    opened(page, shelf, "en")
    page.fill("#areas-name", "Atlantis")
    assert page.inner_text("#areas-found[role=status]") == "No area found."
    page.press("#areas-name", "Enter")
    assert page.locator("#areas-shown table").count() == 0
    page.fill("#areas-name", "<b>")
    assert page.locator("#areas-list b").count() == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_area_that_is_shown_says_its_cautions_and_basis_and_bars_nobody(
    page, shelf, project, language
):
    words = load_language(project, language)
    opened(page, shelf, language, f"#{ATOLL}")
    shown = page.inner_text("#areas-shown")
    assert words.of("caution", "few_people") in shown
    assert words.change_basis(project, ATOLL) in shown
    assert checks.barriers(page) == []
    assert checks.too_wide(page) == []
    page.set_viewport_size({"width": checks.NARROW, "height": 800})
    assert checks.too_wide(page) == []


def test_the_start_pages_lead_to_the_page_of_areas(shelf):
    for language, name in site.HOME.items():
        assert checks.read(shelf / name).find("a", href=site.AREAS[language])


def test_a_table_is_written_from_a_finished_run_of_all_areas_alone(project, tmp_path):
    (tmp_path / nation.RECORD).write_text(
        '{"under": 640100, "scenario": "baseline", "definition": "any ADL limitation", "draws": 64, "made_from": ""}',
        "utf-8",
    )
    with pytest.raises(ValueError, match="holds no finished run .*under, made_from"):
        lookup.write_table(project, tmp_path)


def test_every_phrase_of_the_page_is_used(project):
    names = project.phrases["phrase_id"]
    names = names[names.str.startswith(lookup.PREFIX)].str.removeprefix(lookup.PREFIX)
    text = "".join(
        path.read_text("utf-8")
        for path in (ROOT / "docs" / "areas.md.j2", ROOT / "docs" / "_static" / "areas.js")
    )
    used = {*re.findall(r"words\.(\w+)", text), "nation", "row"}
    assert set(names) == used - {"script"}
