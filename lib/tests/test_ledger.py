"""The check of a ledger of targets against its document, on phrases made up for the purpose."""

import hashlib
import re
from types import SimpleNamespace

import pandas as pd
import pytest
from conftest import ROOT

from eldercare.inputs import ledger

README = ROOT / "data" / "README.md"

DOCUMENT = """一、目标
(一)床位。到2030年底，全镇新建床位120张 以上，护理型床位占比达 45 %。
(二)人员。每千名老人配备护理员3名，所有养老院岗前培训；每月检查两次。
2.改造。每村选择2 — 4户改造，9月底前完成，实行“三分类”，总投资1.5亿元。
"""
ROWS = [
    ("x_010", 12, None, "month", "到2030年底", ""),
    ("x_020", 120, None, "bed", "新建床位120张以上", ""),
    ("x_030", 0.45, None, "share", "护理型床位占比达45%", ""),
    ("x_040", 3, None, "person", "护理员3名", ""),
    ("x_050", 1, None, "share", "所有养老院岗前培训", ""),
    ("x_060", 24, None, "times_per_year", "每月检查两次", ""),
    ("x_070", 2, 4, "household", "每村选择2-4户", ""),
    ("x_080", 9, None, "month", "9月底前完成", ""),
    ("x_090", 3, None, "count", "三分类", ""),
    ("x_100", 150_000_000, None, "yuan", "总投资1.5亿元", ""),
]
COLUMNS = ["target_id", "value", "value_high", "unit", "quote_zh", "suspect"]


def table(rows=ROWS):
    return pd.DataFrame(rows, columns=COLUMNS)


def exceptions(*phrases):
    return pd.DataFrame({"phrase": list(phrases)}, dtype=object)


def findings(rows=ROWS, phrases=("2.改造",), text=DOCUMENT):
    found = ledger.verify_targets(table(rows), exceptions(*phrases), text)
    return [(row.target_id, row.check) for row in found.itertuples()]


def changed(target_id, **cells):
    rows = table()
    for column, cell in cells.items():
        rows.loc[rows["target_id"] == target_id, column] = cell
    return rows


def values(phrase):
    return [number.value for number in ledger.printed_numbers(phrase)]


def test_spacing_full_width_forms_and_dashes_do_not_count():
    assert ledger.normalise("床位 １２０张\n（ 2—4 户）") == ledger.normalise("床位120张(2-4户)")


@pytest.mark.parametrize(
    ("phrase", "said"),
    [
        ("床位120张", [120]),
        ("老人1.25万人", [12_500]),
        ("补助5百万元", [5_000_000]),
        ("占35.5%", [0.355]),
        ("出生率8‰", [0.008]),
        ("百分之五十以上", [0.5]),
        ("三分之二", [2 / 3]),
        ("提高5个百分点", [0.05]),
        ("两级", [2]),
        ("四职级", [4]),
        ("十二家", [12]),
        ("二十所", [20]),
        ("一百零五户", [105]),
        ("三万二千人", [32_000]),
        ("亿元", [100_000_000]),
        ("千人以上", [1_000]),
        ("二〇三〇年", [2030]),
        ("一刻钟", [15]),
        ("2018年4月", [2018, 4]),
        ("第三方", []),
        ("统一服务，进一步提高", []),
        ("“十四五”期间", []),
        ("", []),
    ],
)
def test_a_phrase_says_its_numbers_in_base_units(phrase, said):
    assert values(phrase) == pytest.approx(said)


@pytest.mark.parametrize(
    ("phrase", "low", "high"),
    [
        ("1—5户", 1, 5),
        ("1 - 2 所", 1, 2),
        ("1-3级", 1, 3),
        ("5-10万元", 50_000, 100_000),
        ("50～60%", 0.5, 0.6),
        ("3%至5%", 0.03, 0.05),
        ("三到五家", 3, 5),
        ("2020年3月至5月", 3, 5),
    ],
)
def test_a_range_has_a_lower_and_an_upper_end(phrase, low, high):
    ranges = [
        (number.value, number.high) for number in ledger.printed_numbers(phrase) if number.high
    ]
    assert ranges == [pytest.approx((low, high))]


@pytest.mark.parametrize(
    "word", ["全覆盖", "所有街道", "每个县", "各乡镇", "均建有", "都有", "愿改尽改"]
)
def test_a_word_of_full_coverage_is_the_whole_share(word):
    assert any(number.is_share and number.value == 1 for number in ledger.printed_numbers(word))


def test_a_faultless_ledger_has_no_finding():
    assert findings() == []


@pytest.mark.parametrize("row", [0, 1, 2, 3, 5, 6, 7, 8, 9])
def test_a_figure_without_a_row_is_found_with_its_place(row):
    rows = ROWS[:row] + ROWS[row + 1 :]
    found = ledger.verify_targets(table(rows), exceptions("2.改造"), DOCUMENT)
    assert set(found["check"]) == {"number"}
    assert found["finding"].str.contains(r"line [234], “….*\[.+\].*…”").all()


def test_an_item_number_without_an_exception_is_found():
    assert findings(phrases=()) == [("", "number")]


def test_section_heads_and_one_of_any_kind_are_no_figures():
    assert findings([], (), "三、 机构\n(二)人员。建立一个平台，按每百户配建，由第三方办理。") == []


@pytest.mark.parametrize(
    "numeral", ["三个", "两级", "十二名", "四同步", "五个方面", "一年", "百分之十"]
)
def test_a_chinese_numeral_that_counts_something_needs_a_row(numeral):
    assert findings([], (), f"落实{numeral}要求") == [("", "number")]


@pytest.mark.parametrize(
    ("target_id", "wrong"),
    [("x_020", 121), ("x_030", 45), ("x_040", 1000), ("x_060", 2), ("x_080", 10), ("x_100", 1.5)],
)
def test_a_value_that_the_phrase_does_not_say_is_found(target_id, wrong):
    assert findings(changed(target_id, value=wrong)) == [(target_id, "value")]


def test_a_count_cannot_be_read_from_a_percentage():
    assert findings(changed("x_030", unit="bed")) == [("x_030", "value")]


@pytest.mark.parametrize("high", [5, 2, None])
def test_a_wrong_or_missing_upper_end_of_a_range_is_found(high):
    assert findings(changed("x_070", value_high=high)) == [("x_070", "value")]


def test_an_empty_value_is_found():
    assert findings(changed("x_040", value=None)) == [("x_040", "value")]


def test_a_quote_that_is_not_in_the_document_is_found():
    assert ("x_040", "quote") in findings(changed("x_040", quote_zh="护理人员3名"))


def test_a_quote_that_cuts_a_number_does_not_stand_in_the_document():
    assert ("x_020", "quote") in findings(changed("x_020", quote_zh="20张以上", value=20))


def test_digits_of_two_table_cells_are_two_numbers():
    rows = [("x_010", 100, None, "household", "100户", "")]
    assert findings(rows, ("民政局 8",), "民政局\n8\n100户") == []
    assert ("x_010", "quote") in findings(
        [("x_010", 8100, None, "household", "8100户", "")], (), "8\n100户"
    )


def test_a_row_out_of_the_order_of_the_document_is_found():
    assert findings([ROWS[0], ROWS[7], *ROWS[1:7], *ROWS[8:]]) == [("x_080", "order")]


def test_a_phrase_said_twice_may_have_a_row_at_either_place():
    again = ("x_110", 3, None, "person", "护理员3名", "")
    assert findings([*ROWS, again], text=DOCUMENT + "再配护理员3名。") == []


def test_a_damaged_figure_keeps_its_value_as_printed():
    rows = [("x_010", 7, None, "month", "20177月", "year and month run together")]
    assert findings(rows, (), "部署阶段(20177月)") == []
    assert findings([("x_010", 8, *rows[0][2:])], (), "部署阶段(20177月)") == [("x_010", "value")]


def test_an_exception_that_is_not_in_the_document_is_found():
    assert findings(phrases=("2.改造", "3.检查")) == [("", "exception")]


def test_an_exception_must_not_hide_the_figure_of_a_row():
    assert findings(phrases=("2.改造", "床位120张")) == [("x_020", "exception")]


@pytest.fixture
def project(tmp_path):
    sha = hashlib.sha256(DOCUMENT.encode()).hexdigest()
    sources = pd.DataFrame({"source_id": ["x_plan"], "title_zh": ["某镇养老计划"], "sha256": [sha]})
    city = SimpleNamespace(targets=table().assign(source_id="x_plan"), source_id="x_plan")
    folder = tmp_path / "data" / "cities" / "x"
    folder.mkdir(parents=True)
    (folder / "exceptions.csv").write_text(
        "phrase,reason,note\n2.改造,item_number,\n", encoding="utf-8"
    )
    return SimpleNamespace(root=tmp_path, sources=sources, cities={"x": city}, city={"x": city}.get)


def test_a_document_is_found_by_its_content_whatever_its_name(project, tmp_path):
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "other.txt").write_bytes(b"1")
    (documents / "any name.txt").write_bytes(DOCUMENT.encode())
    assert ledger.verify_city(project, "x", documents).empty


def test_a_missing_document_is_told_by_title_and_sha256(project, tmp_path):
    found = ledger.verify_all(project, tmp_path)
    assert list(found.columns) == ["city_id", "target_id", "check", "finding"]
    assert found["check"].tolist() == ["document"]
    assert "某镇养老计划" in found["finding"][0]
    assert project.sources["sha256"][0] in found["finding"][0]


def test_a_folder_that_is_not_there_is_told(project, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        ledger.verify_city(project, "x", tmp_path / "nowhere")


def test_the_readme_of_the_data_counts_the_rows_of_each_ledger():
    said = re.findall(
        r"^\| (\w+) \d{4} \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$",
        README.read_text("utf-8"),
        re.M,
    )
    counted = []
    for folder in sorted((README.parent / "cities").iterdir()):
        rows, exceptions = (
            pd.read_csv(folder / name, dtype=str, keep_default_na=False)
            for name in ("targets.csv", "exceptions.csv")
        )
        damaged = rows[rows["suspect"] != ""]
        counts = (
            len(rows),
            (rows["restates"] != "").sum(),
            len(damaged),
            (damaged["reading"] != "").sum(),
            len(exceptions),
        )
        counted.append((folder.name.capitalize(), *map(str, counts)))
    assert sorted(said) == counted
