"""The city report: the answer first, the same numbers in both languages, all words from the tables."""

import ast
import re
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from conftest import DRAWS, ROOT
from figure_cells import draw
from report_checks import SECTIONS, all_blocks, cells, numbers

import eldercare as ec
from eldercare.analysis import (
    affordability,
    balance,
    comparable,
    compare,
    decomposition,
    plan,
    sensitivity,
    supply,
)
from eldercare.analysis.compare import PROJECTION_ERROR
from eldercare.analysis.sensitivity import tornado
from eldercare.app import lookup, site
from eldercare.documents import consistency, progress
from eldercare.engine.quantity import DECLARED
from eldercare.inputs import schema, world
from eldercare.inputs.load import file_rows
from eldercare.inputs.schema import DataFault
from eldercare.model import boundaries, chain, costs, settings, workforce
from eldercare.reporting import language, report, tables
from eldercare.reporting.blocks import Bullets, Figure, Heading, Paragraph, Table, html
from eldercare.reporting.results import HEADLINES
from eldercare.validation import accuracy, base_methods, calibration, counts, errors, use_back_test

CITIES = ("lincang", "sanming", "chishui")
MODULES = (
    "reporting/language", "reporting/tables", "reporting/report", "reporting/plots", "reporting/sheet", "reporting/workbook",
    "reporting/document", "app/export", "reporting/blocks",
)  # fmt: skip
CHINESE = re.compile(r"[\u3400-\u9fff]")
SENTENCE = re.compile(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}")


def facts_of(project, results, city_id, code):
    return report.Facts(project, results[city_id], language.load_language(project, code))


def both(project, result):
    moved = tornado(project, result.city.city_id)
    return {
        code: report.build_report(project, result, moved, language.load_language(project, code))
        for code in language.LANGUAGES
    }


@pytest.fixture(scope="module")
def documents(project, results):
    """Reports by city and language, with few draws."""
    return {city_id: both(project, results[city_id]) for city_id in CITIES}


@pytest.fixture(scope="module")
def words(project):
    return {code: language.load_language(project, code) for code in language.LANGUAGES}


each_city = pytest.mark.parametrize("city_id", CITIES)
each_language = pytest.mark.parametrize("code", language.LANGUAGES)


@each_city
@each_language
def test_the_answer_comes_first_and_no_section_is_missing(documents, city_id, code):
    document = documents[city_id][code]
    assert list(document) == SECTIONS
    title, _, heading, first, lead, *_ = document["answer"]
    assert (title.level, heading.level, first.style, lead.style) == (1, 2, "lead", "lead")
    assert {"2035", "2050"} <= set(re.findall(r"\d{4}", lead.text))
    assert "2035" in first.text and len(document["answer"][6].items) == 4
    kinds = [type(block) for block in all_blocks(document)]
    more = {"chishui": 0, "lincang": 2, "sanming": 3}  # promises, counties, beds counted
    assert (kinds.count(Figure), kinds.count(Table)) == (4, 11 + more[city_id])


def without_labels(texts, project, city, words):
    """Texts without the labels and units in them, which may hold numbers said in words in the other language."""
    column = f"label_{words.code}"
    labels = [
        *words.labels.values(),
        *city.targets[column].map(report.sentence_case),
        *project.china.policy_targets[column].map(report.sentence_case),
        *city.targets["quote_zh"],
    ]
    labels += [text for name, text in words.phrases.items() if name.startswith("unit_")]
    out = []
    for text in texts:
        for label in sorted(set(labels), key=len, reverse=True):
            text = text.replace(label, "#") if len(label) > 3 else text
        out.append(text)
    return out


@each_city
def test_both_languages_say_the_same_numbers_block_by_block(
    documents, project, results, words, city_id
):
    pairs = list(
        zip(*(all_blocks(documents[city_id][code]) for code in language.LANGUAGES), strict=True)
    )
    checked = 0
    for blocks in pairs[:-1]:
        assert type(blocks[0]) is type(blocks[1])
        if isinstance(blocks[0], Heading):
            continue
        texts = [
            without_labels(cells(block), project, results[city_id].city, words[code])
            for code, block in zip(words, blocks)
        ]
        for en, zh in zip(*texts, strict=True):
            assert numbers(en) == numbers(zh), (en, zh)
            checked += len(numbers(en))
    assert checked > 200


@each_city
def test_each_report_keeps_to_its_language(documents, results, city_id):
    quotes = list(results[city_id].city.targets["quote_zh"])
    for code, wrong in (("en", CHINESE), ("zh", SENTENCE)):
        texts = [
            text
            for name, section in documents[city_id][code].items()
            if name != "sources"
            for block in section
            for text in cells(block)
        ]
        for quote in quotes:
            texts = [text.replace(quote, "") for text in texts]
        assert [text for text in texts if wrong.search(text)] == []


@each_city
def test_the_plan_adds_up_and_tells_each_column_in_one_unit(project, results, words, city_id):
    table = plan.plan_table(results[city_id])
    means = table.pivot_table("central", "year", "column")
    for columns in plan.PLAN.values():
        for place, name in enumerate(columns):
            if name.endswith("_all") and name != "bed_all":
                before = list(columns)[:place]
                assert means[before].sum(axis=1).values == pytest.approx(means[name].values)
    beds = ["bed_general", "bed_nursing", "bed_dementia"]
    assert means[beds].sum(axis=1).values == pytest.approx(means["bed_all"].values)
    for code, told in words.items():
        shown = tables.plan_tables(told, table)
        years = [str(year) for year in plan.PLAN_YEARS]
        assert all([row[0] for row in one.rows] == years for one in shown)
        people = shown[0]
        sizes = {"en": ("(people)", 1), "zh": ("（万人）", 1e4)}[code]
        if city_id != "chishui":
            assert sizes[0] in people.columns[1]
            first = float(re.split(r"[ （]", people.rows[0][1])[0].replace(",", "")) * sizes[1]
            assert first == pytest.approx(means.loc[2026, "60_plus"], rel=5e-3)
    has_stock = city_id == "sanming"
    assert table.loc[table["table"] == "supply", "central"].notna().all() == has_stock
    if has_stock:
        supply = means[["decided", "beyond"]].sum(axis=1).values
        assert supply == pytest.approx(means["bed_all"].values)
        taken = means[["placed", "left_empty"]].sum(axis=1).values
        assert taken == pytest.approx(means["decided"].values)
        assert (table.loc[table["column"] == "waiting", "low"] >= 0).all()


def test_the_counties_of_a_prefecture_add_up_to_it_and_a_county_has_none(project, results, words):
    table = plan.county_table(project, results["lincang"])
    assert plan.county_table(project, results["chishui"]).empty
    means = table.pivot_table("central", "adcode", ["column", "year"])
    assert len(means) == 9
    assert means.drop(plan.ALL_COUNTIES).sum().values == pytest.approx(
        means.loc[plan.ALL_COUNTIES].values
    )
    assert (abs(table["factor"] - 1) < 0.03).all()
    assert (table["low"] <= table["central"]).all() and (table["central"] <= table["high"]).all()
    names = {code: str(code) for code in means.index}
    shown = tables.county_rows(words["zh"], table, names)
    assert shown.rows[-1][0] == "0" and shown.rows[-1][-1] == "100%"
    beds = means["bed_total", 2035].drop(plan.ALL_COUNTIES).sort_values(ascending=False)
    assert [row[0] for row in shown.rows[:-1]] == [str(code) for code in beds.index]


def test_a_column_is_told_to_one_step_whatever_the_language(words):
    told = {
        code: one.column_scale([41230.0, 812345.0, np.nan], "person") for code, one in words.items()
    }
    assert told == {"en": (1, 100), "zh": (1e4, 100)}
    row = {"low": 38149.0, "central": 41230.0, "high": 44871.0}
    assert words["en"].column_cell(row, "person", told["en"]) == "41,200 (38,100 to 44,900)"
    assert words["zh"].column_cell(row, "person", told["zh"]) == "4.12（3.81—4.49）"
    assert words["zh"].column_head("x", "person", 1e4) == "x（万人）"
    assert words["en"].column_cell(dict.fromkeys(row, 7.0), "bed", (1, 1)) == "7"
    assert (
        words["en"].column_cell(dict.fromkeys(row, np.nan), "bed", (1, 1)) == "not collected here"
    )
    share = {"low": 0.571, "central": 0.68, "high": 0.79}
    assert words["zh"].column_cell(share, "share", (1, 1)) == "68（57—79）"


@each_city
def test_each_measured_promise_has_its_row_and_its_sentence(
    documents, project, results, words, city_id
):
    verdicts = compare.verdicts(project, results[city_id])
    for code, document in documents[city_id].items():
        promises = tables.promises(words[code], verdicts)
        table = document["promise"][1]
        points = document["answer"][-1].items
        for place, row in enumerate(promises.to_dict("records")):
            assert table.rows[place][1] == str(row["target_year"])
            assert table.rows[place][5] == row["short"]
            assert row["short"] in points[place]
        assert len(promises) == 0 or len(table.rows) == len(promises)


def test_a_city_that_promised_nothing_measured_says_so(documents, project):
    assert len(ec.compare_targets(project, ec.run_city(project, "chishui", draws=2))) == 0
    for code, said in (
        ("en", "no target that can be measured"),
        ("zh", "未提出可与需求对照测算的目标"),
    ):
        assert said in documents["chishui"][code]["answer"][5].text


def test_the_stock_is_told_where_it_is_published_and_nowhere_else(documents):
    told = {city_id: documents[city_id]["zh"]["answer"][-1].items[-3] for city_id in CITIES}
    assert "现有养老床位数：1.33万张（2016年）" in told["sanming"]
    assert (
        "现有养老床位数：未收录" in told["lincang"] and "现有养老床位数：未收录" in told["chishui"]
    )


def test_a_folder_with_city_csv_only_has_a_report(small_copy):
    small_copy.add_city("kunming", 530100)
    project = ec.load_project(small_copy.root)
    documents = both(project, ec.run_city(project, "kunming", draws=DRAWS))
    assert documents["zh"]["answer"][0].text.startswith("昆明市")
    assert "Kunming" in documents["en"]["answer"][0].text
    assert {row[1] for row in documents["en"]["promise"][1].rows} == {"nation", "province"}
    assert "未收录该市（县）规划文件" in " ".join(documents["zh"]["limits"][1].items)


@pytest.mark.parametrize(
    ("value", "en", "zh"),
    [
        (26, "26", "26"),
        (1.924, "1.92", "1.92"),
        (4550.4, "4,550", "4550"),
        (9996, "10,000", "1.00万"),
        (16437, "16,400", "1.64万"),
        (1_234_567, "1.23 million", "123万"),
        (456_000_000, "456 million", "4.56亿"),
        (4.56e9, "4.56 billion", "45.6亿"),
        (0, "0", "0"),
        (np.nan, "not collected here", "未收录"),
    ],
)
def test_numbers_are_written_as_each_language_does(words, value, en, zh):
    assert (words["en"].number(value), words["zh"].number(value)) == (en, zh)


def test_a_range_keeps_to_one_unit_so_that_it_cannot_be_misread(words):
    row = {"low": 4330, "central": 7230, "high": 12400}
    assert words["zh"].range(row, "worker") == "7230人（4330—12400人）"
    assert words["en"].range(row, "bed") == "7,230 beds (4,330 to 12,400)"
    assert (
        words["zh"].range({"low": 0, "central": 2.02e7, "high": 1.3e8}, "yuan")
        == "2020万元（0—13000万元）"
    )
    assert words["zh"].range(dict.fromkeys(row, np.nan), "bed") == "未收录"


def test_a_count_is_rounded_once_and_few_are_told_as_whole_ones(words):
    row = {"low": 96.6, "central": 4574.6, "high": 8415.4}
    assert words["en"].range(row, "worker") == "4,570 (97 to 8,420)"
    assert (
        words["en"].counted(97.2, "bed") == "97 beds"
        and words["zh"].counted(4574.6, "worker") == "4570人"
    )


def test_shares_and_chances_are_told_in_per_cent(words):
    assert [words["en"].percent(share) for share in (0.668, 0.0773, 0.0028, 0)] == [
        "67%",
        "7.7%",
        "0.28%",
        "0%",
    ]
    assert [words["zh"].chance(share) for share in (0.004, 0.13, 0.998)] == [
        "不足1%",
        "13%",
        "超过99%",
    ]
    assert [words["en"].chance(share) for share in (0.004, 0.13, 0.998)] == [
        "under 1%",
        "13%",
        "over 99%",
    ]


def test_an_unknown_language_is_refused_with_those_there_are(project):
    with pytest.raises(KeyError, match="no language “fr”; there are: en, zh"):
        language.load_language(project, "fr")


def test_a_phrase_that_is_not_there_is_told(words):
    with pytest.raises(KeyError, match="has no phrase “nowhere”"):
        words["en"].phrase("nowhere")


def test_text_of_the_tables_cannot_become_markup():
    assert html(Paragraph("a < b & <script>")) == "<p>a &lt; b &amp; &lt;script&gt;</p>"
    assert "<i>" not in html(Table("<i>", ("<i>",), (("<i>", "<i>"),))) + html(Bullets(("<i>",)))


@pytest.mark.parametrize("name", ["people", "beds", "caregivers", "payers"])
def test_a_figure_has_the_same_numbers_in_both_languages_and_says_what_it_shows(
    project, results, words, name, tmp_path, monkeypatch
):
    made = {}
    for code in language.LANGUAGES:
        monkeypatch.setenv("ELDERCARE_FIGURES", str(tmp_path))
        told = ec.Results(project, {"sanming": results["sanming"]}, words[code])
        known = {"project": project, "results": told, "words": words[code]}
        made[code] = draw(f"city_report_{name}", **known)["figure"]
    folders = [language.edition(tmp_path, code) for code in made]
    twins = {(folder / f"city_report_{name}.csv").read_text("utf-8") for folder in folders}
    assert len(twins) == 1 and made["en"].data != made["zh"].data
    assert "Sanming" in made["en"].alt and "三明市" in made["zh"].alt
    if name == "beds":
        assert {line.split(",")[1] for line in twins.pop().splitlines()} >= {
            "need",
            "use",
            "promised",
            "stock",
        }


@pytest.mark.parametrize("cell", ["{city}需要", "{city}有{beds}张", "{city有床位", "{}有床位"])
def test_a_phrase_whose_languages_differ_is_told_with_its_row(small_copy, cell):
    row = small_copy.find("phrases.csv", phrase_id="count_bed")
    small_copy.change("phrases.csv", row, zh=cell)
    small_copy.change("phrases.csv", row + 1, en="{number} and {more}")
    with pytest.raises(DataFault) as told:
        ec.load_project(small_copy.root)
    assert [(fault.file, fault.row, fault.column) for fault in told.value.faults] == [
        ("phrases.csv", row, "zh"),
        ("phrases.csv", row + 1, "zh"),
    ]
    assert "same names in braces" in str(told.value)


def test_the_phrases_are_sorted():
    ids = list(file_rows(ROOT, "data/phrases.csv")["phrase_id"])
    assert ids == sorted(ids)


def test_each_assumption_has_a_label_of_its_own_in_both_languages(project):
    steps = project.assumption_steps
    assert set(steps["assumption"]) >= set(project.assumptions["assumption"])
    assert steps["label_en"].is_unique and steps["label_zh"].is_unique
    assert all(CHINESE.search(label) for label in steps["label_zh"])
    assert not any(CHINESE.search(label) for label in steps["label_en"])


def code_of(module):
    return ast.parse((Path(report.__file__).parents[1] / f"{module}.py").read_text("utf-8"))


def literals(tree, errors=True):
    """Texts in code, without docstrings; with `errors` false also without messages of errors."""
    left_out = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef))
        and isinstance(node.body[0], ast.Expr)
    }
    if not errors:
        raised = [node for node in ast.walk(tree) if isinstance(node, ast.Raise)]
        left_out |= {id(part) for node in raised for part in ast.walk(node)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in left_out
    ]


@pytest.mark.parametrize("module", MODULES)
def test_no_word_of_the_report_stands_in_code(module):
    texts = literals(code_of(module), errors=False)
    assert [text for text in texts if CHINESE.search(text) or SENTENCE.search(text)] == []


def test_the_search_for_words_in_code_finds_them():
    tree = ast.parse(
        '"""A doc string here."""\nx = "existing beds"\ny = f"{x}张"\nraise ValueError("this is told")'
    )
    assert literals(tree, errors=False) == ["existing beds", "张"]


def notebook_code(path):
    """All code of a notebook as one tree."""
    cells = nbformat.read(path, as_version=4).cells
    return ast.parse("\n".join(cell.source for cell in cells if cell.cell_type == "code"))


NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
REASONS = {reason.replace(" ", "_") for reason in boundaries.REASONS} | {
    "kept",
    "its_code_is_gone_in_2020",
}
METHODS = (
    *base_methods.METHODS, "the nation's, same census", "the province's, census before", "ours",
    "no change", "constant growth", "Hamilton-Perry", "closed, national death rates",
    errors.NO_RIVAL, "all four",
)  # fmt: skip
SIZES_OF_AREAS = (
    *accuracy.SIZE_LABELS, "prefecture", "county", "all", "no county redrawn", "some county redrawn",
)  # fmt: skip
WAYS = (
    "frozen_by_age", "frozen_65", "frozen_80", "healthy_ageing", "no_change", "learned_drift",
)  # fmt: skip
CHOICES = (
    "residents", "with_recipients", "with_roll_out", "without_pandemic", "official_tables",
    "with_beds", "steep_profile", "flat_profile",
)  # fmt: skip
VERDICTS = (
    "enough", "likely", "unlikely", "short", "whole_not_said", "alone", "other_whole", "lower_bound",
    "no_count", "no_towns", "basis_not_said", "only_unit", "alone_basis_not_said",
)  # fmt: skip


def told(word):
    """A word of a table as the name of a phrase has it."""
    return re.sub(r"\W+", "_", word)


def series_of_figures(project):
    """All series that a figure's table has."""
    tables = [pd.read_csv(path) for path in (project.root / "figures").glob("*.csv")]
    return {name for table in tables if "series" in table for name in table["series"]} | {
        *("halves", "in_80", "in_95", "middle", "range", "use")
    }


def family_members(project, results):
    """The words that each family of phrases may be put together with."""
    values = results["lincang"].values
    return {
        "assumption": (PROJECTION_ERROR,),
        "balance": ("unknown", "published", "promised", "none"),
        "flow": ("before", "stock", *workforce.FLOWS),
        "grade": (*workforce.GRADES, "senior_and_above"),
        "household": settings.households(project.china, chain.NATION).index,
        "outcome": decomposition.OUTCOMES,
        "part": (
            *decomposition.FACTORS,
            *decomposition.GROWTH,
            *(f"start_{name}" for name in decomposition.OUTCOMES),
            "start",
            "end",
            "any_limitation",
            *schema.SEVERITIES,
        ),
        "scenario": ("baseline", *project.scenarios),
        "service_class": project.china.care_grades["service_class"],
        "staff": ("care_workers", *workforce.STAFF),
        "standard": ("plan", "strict_over_lenient", *workforce.STANDARDS),
        "state": ("all", "limited", *schema.SEVERITIES),
        "training": ("ahead", "past", "nothing"),
        "use": ("yes", "no"),
        "basis": schema.BASES,
        "bed_type": (*schema.BED_TYPES, "respite", "day_care"),
        "bound": schema.BOUNDS,
        "counts": ("without", "with", "counted"),
        "caution": ("assigned_code", "few_people", "unusual_facts", "very_old", "far_change"),
        "known": ("none", "to_2022_12_31"),
        "plan": [column for columns in plan.PLAN.values() for column in columns],
        "policy": schema.POLICY_STATUSES,
        "set_by": ("nation", "province"),
        "plan_of": plan.PLAN,
        "plan_missing": report.NOT_COLLECTED,
        "chosen": ("nation", "place", "city", "scenario"),
        "column": (
            "trial",
            "tried_on",
            "known",
            "what",
            "calculated_range",
            "figures",
            "stated",
            "tracked",
        ),  # names of axes of analyses
        "count": language.COUNTED,
        "definition": (
            *tables.DEFINITIONS_OF_NEED,
            "none",
            *(name.replace(" ", "_") for name in schema.DEFINITIONS),
        ),
        "fact": project.facts["indicator"],
        "follow_up": schema.FOLLOW_UPS,
        "issuer": project.sources["source_id"],
        "kind": schema.KINDS,
        "left_out": report.LEFT_OUT,
        "measure": values["measure"].values,
        "burden": affordability.BURDENS,
        "childcare": ("children", "promised", "used", "wanted", "filled"),
        "head_count": ("equal", "other"),
        "quantity": (
            *balance.BALANCE,
            *supply.CERTIFIED,
            *DECLARED,
            *comparable.SHARES,
            *(name for name, _ in comparable.RATIOS.values()),
            "nursing_beds_of_institutions",
            "homes_per_1000",
            "homes_a_year_per_1000",
            "childcare_places_per_100",
            "cost_total_nominal",
        ),  # fmt: skip
        "area": ("China",),
        "note": {
            told(note)
            for table in (
                project.assumptions,
                *(city.assumptions for city in project.cities.values()),
                *(city.capacity for city in project.cities.values() if city.capacity is not None),
            )
            for note in table["note"]
        },
        "to_do": map(told, project.assumption_steps["to_do"]),
        "check": [check.__name__ for check in consistency.CHECKS],
        "finding": ("agrees", "conflicts", "open", "not_checked"),
        **{
            family: {
                told(word) for city in project.cities.values() for word in city.targets[column]
            }
            for family, column in (
                ("because", "follow_up_reason"),
                ("denominator", "denominator"),
                ("reading", "reading"),
                ("scope", "scope"),
                ("suspect", "suspect"),
            )
        },
        "headline": (*HEADLINES, *sensitivity.MAIN),
        "how": ("same_whole", "floor", "residents_60_plus", "as_printed", "unit", "children"),
        "known_of": schema.REPORT_SCOPES,
        "level": (*affordability.UNITS_OF_LEVELS, "province", "prefecture", "county", "all"),
        "likely_reason": errors.REASONS,
        "method": [re.sub(r"\W+", "_", name) for name in METHODS],
        "rests_on": ("guess", "undocumented", "stand_in", *schema.BASES),
        "size": [re.sub(r"\W+", "_", name) for name in SIZES_OF_AREAS],
        "status": progress.STATUSES,
        "step": schema.STEPS,
        "trial": [f"without_{name}" for name in (*project.china.change_weights["fact"], "any")]
        + ["as_projected"],
        "tried_on": [trial.replace(" ", "_") for trial in errors.TRIALS],
        "verdict": VERDICTS,
        "what": ("median_error", "closer"),
        "path": values["path"].values,
        "reason": REASONS,
        "payer": (*values["payer"].values, "all", "public"),
        "population_basis": schema.POPULATION_BASES,
        "range": (*language.COUNTED, "plain", "with_unit"),
        "setting": schema.SETTINGS,
        "severity": schema.SEVERITIES,
        "sex": ("male", "female"),
        "counted": ("by_age", "by_share"),
        "end": ("at_high", "at_low"),
        "group": map(told, costs.COST_GROUPS),
        "lever": affordability.UNITS_OF_LEVELS,
        "reference": (
            *calibration.ASKED,
            "promised",
            "wanted_chance",
            "OECD_average_2016",
            "as_counted",
            "no_change",
        ),
        "series": map(told, series_of_figures(project)),
        "promised": ("unknown",),
        "stock": ("unknown",),
        "unit": (*schema.UNITS, *project.world.emulation["unit"]),
        "workplace": values["workplace"].values,
        "near": map(str, use_back_test.HORIZONS),
        "about": project.world.emulation["emulator"],
        "emulated": ("printed", "stand_in", "missing"),
        "emulator": project.world.emulation["emulator"],
        "national": counts.NATIONAL,
        "why": counts.NATIONAL,
        "tied": ("yes", "no"),
        "choice": CHOICES,
        "place": project.world.care_use_series["place"],
        "role": world.ROLES,
        "way": WAYS,
    }


def test_every_phrase_is_used_and_none_is_missing(project, results, words):
    # tidy frames name their columns where they are made
    modules = sorted(Path(report.__file__).parents[1].rglob("*.py"))
    trees = [ast.parse(path.read_text("utf-8")) for path in modules]
    texts = {text for tree in trees for text in literals(tree)}
    texts |= {text for path in NOTEBOOKS for text in literals(notebook_code(path))}
    beginnings = {text for text in texts if text.endswith("_")}
    families = {name: set(words) for name, words in family_members(project, results).items()}
    unused = []
    for name in words["en"].phrases:
        if name.startswith((site.PREFIX, lookup.PREFIX)) or name in texts:
            continue
        family = next(
            (
                family
                for family in families
                if name.startswith(f"{family}_")
                and name.removeprefix(f"{family}_") in families[family]
            ),
            None,
        )
        figure = re.fullmatch(r"figure_(.*?)(_axis|_across|_source|_alt)?", name)
        put_together = (figure is not None and figure[1] in texts) or any(
            name.startswith(one) and name.removeprefix(one) in texts for one in beginnings
        )
        if (
            family is None
            and not put_together
            and not (name.startswith("series_") and name.removeprefix("series_") in texts)
        ):
            unused.append(name)
    assert unused == []
    needed = {
        f"{family}_{word}"
        for family in (
            "bed_type",
            "bound",
            "kind",
            "payer",
            "severity",
            "unit",
            "workplace",
            "basis",
            "fact",
            "population_basis",
        )
        for word in families[family]
    }
    assert needed - set(words["en"].phrases) == set()
