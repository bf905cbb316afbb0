"""A city of one's own: found by name, its folder set up, its plan drafted, confirmed and held
against need.
"""

import csv

import pytest
from conftest import DataCopy

import eldercare as ec
from eldercare.app import cli
from eldercare.documents import drafts, new_city
from eldercare.inputs import load, schema
from eldercare.model.area_names import find_area, latin_name, what_became

# The sentences that hold figures of the opening part of 镇政办发〔2015〕212号.
ZHENJIANG = """镇江市人民政府办公室关于加快发展养老服务业的实施意见 (镇政办发〔2015〕212号, posted 2015-12-11)
[二、工作目标] 到2020年,全面建成以居家为基础、社区为依托、机构为补充、信息为支撑,功能完善、服务优良、覆盖城乡的社会养老服务体系
养老服务设施全面覆盖城市社区和90%以上村,生活照料、医疗护理、精神慰藉、紧急救援等养老服务覆盖所有居家老年人。
每千名老年人拥有养老床位数45张以上。护理型床位占养老服务总床位比例达50%以上。
"""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("镇江", 321100), (" 镇江市 ", 321100), ("鎮江", 321100), ("江苏镇江", 321100),
        ("江苏省镇江市", 321100), ("Zhenjiang", 321100), ("Zhenjiang City", 321100),
        ("zhenjiang shi", 321100), ("Zhenjiang, Jiangsu", 321100), ("３２１１００", 321100),
        ("苏州", 320500), ("朝阳区 北京", 110105), ("Chaoyang District, Beijing", 110105),
        ("北京", 110000), ("Harbin", 230100), ("Inner Mongolia", 150000), ("Lu'an", 341500),
        ("Shaanxi", 610000), ("浦东新区", 310115), ("镇江新区", 321190), ("350402", 350402),
    ],
)  # fmt: skip
def test_an_area_is_found_however_it_is_written(china, text, code):
    assert find_area(china, text) == code


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Suzhou", r"320500 苏州市 \(江苏省, prefecture\), 341300 宿州市 \(安徽省"),
        ("朝阳区", r"110105 朝阳区 \(北京市, 北京市, county\), 220104 朝阳区 \(长春市, 吉林省"),
        ("吉林", r"220000 吉林省 .*220200 吉林市"),
        (
            "350404",
            r"350404 \(三元区\) was formed in 2021.*350402 梅列区, 350403 三元区.*350400 三明市",
        ),
        ("3211", "has not six digits"),
        ("110221", "no area of the census of 2020"),
        ("Zhengjiang", r"nearest are: 321100 镇江市"),
        ("Atlantis", "no area of the census of 2020 is called “Atlantis”"),
    ],
)
def test_a_name_that_may_be_several_or_none_lists_what_was_meant(china, text, words):
    with pytest.raises(KeyError, match=words):
        find_area(china, text)


def test_what_became_of_an_area_since_the_census_is_said(china):
    assert what_became(china, 350402) == "all of it became 350404 三元区 in 2021"
    assert what_became(china, 321100) == ""


def test_every_area_of_the_census_has_its_name_in_other_letters(china):
    assert set(china.areas["name"]) == set(china.area_names["name"])
    assert (china.area_names["pinyin"] != "").all()
    assert latin_name(china, 321100) == "Zhenjiang"


def test_every_code_that_was_given_up_is_one_of_the_census(china):
    codes = set(china.areas.xs(2020, level="year").index)
    assert set(china.code_changes["adcode"]) <= codes
    assert set(china.code_changes["year"]) <= set(range(2020, 2025))


def test_the_guide_says_each_column_and_each_allowed_word_in_both_languages(project):
    said = {row.column for row in project.column_guide.itertuples()}
    columns = {
        column
        for name in ("city", *new_city.TABLES, "targets_draft")
        for column in getattr(schema, name.upper()).columns
    }
    assert columns <= said
    guide = new_city.column_guide(project)
    assert "`at_least` at least 不低于" in guide and "`bed` | beds | 张" in guide
    of_counts = guide.partition("## population.csv")[2].partition("## assumptions.csv")[0]
    for words in ("`census` a census 普查", "`registered` registered people", "`fair`", "`share`"):
        assert words in of_counts
    assert "whom the count counts" in of_counts and "how it is known" not in of_counts
    assert all(f"`{word}`" in guide for word in (*schema.KINDS, *schema.SHAPES, *schema.BASES))


@pytest.mark.parametrize(
    ("code", "city_id", "words"),
    [
        (321100, "2zhen", "no name of a city's folder"),
        (321100, "sanming", "there already; give another name"),
        (350400, "other", "as data/cities/sanming"),
    ],
)
def test_a_folder_that_cannot_be_is_refused(project, code, city_id, words):
    with pytest.raises(ValueError, match=words):
        new_city.city_files(project, code, city_id)


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    """The walk-through of docs/how_to/city.md up to the confirmed ledger, on a copy of the data;
    what was printed.
    """
    copy = DataCopy(tmp_path_factory.mktemp("walk") / "project", ("lincang",))
    document = copy.root / "zhenjiang_2015.txt"
    document.write_text(ZHENJIANG, "utf-8")
    return copy, document


def run(copy, monkeypatch, capsys, *words) -> tuple[int, str]:
    monkeypatch.setenv("ELDERCARE_PROJECT", str(copy.root))
    code = cli.main(list(words))
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def rows(copy, name) -> list[dict]:
    with (copy.data / "cities/zhenjiang" / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_walk_through_of_zhenjiang(walk, monkeypatch, capsys):
    copy, document = walk
    code, told = run(copy, monkeypatch, capsys, "new-city", "镇江")
    assert code == 0 and "321100 镇江市 (江苏省, prefecture)" in told
    assert told.rstrip().endswith("read-plan FILE --city zhenjiang")
    assert not rows(copy, "targets.csv") and not rows(copy, "population.csv")

    code, told = run(copy, monkeypatch, capsys, "read-plan", str(document), "--city", "zhenjiang")
    assert code == 0 and told.startswith(
        "6 figures drafted (3 sure, 3 likely, 0 doubtful; 2 can be"
    )
    assert told.rstrip().endswith("read-plan --confirm --city zhenjiang")
    assert not rows(copy, "targets.csv"), "nothing drafted counts before it is confirmed"
    drafted = rows(copy, "targets_draft.csv")
    read = [(row["value"], row["unit"], row["bound"], row["target_year"]) for row in drafted]
    assert read == [
        ("2020", "year", "exactly", "2020"), ("1", "share", "exactly", "2020"),
        ("0.9", "share", "at_least", "2020"), ("1", "share", "exactly", "2020"),
        ("45", "bed_per_1000_persons", "at_least", "2020"), ("0.5", "share", "at_least", "2020"),
    ]  # fmt: skip

    code, told = run(copy, monkeypatch, capsys, "check")
    assert code == 0 and "6 drafted rows wait" in told
    code, told = run(copy, monkeypatch, capsys, "read-plan", str(document), "--city", "zhenjiang")
    assert code == 2 and "--again to replace" in told
    code, told = run(copy, monkeypatch, capsys, "read-plan", "--confirm", "--city", "zhenjiang")
    assert code == 2 and "write accept, mend or drop" in told

    decide(copy, {0: "drop", 1: "accept", 4: "mend"}, {4: {"label_en": "Beds"}})
    code, told = run(copy, monkeypatch, capsys, "read-plan", "--confirm", "--city", "zhenjiang")
    assert code == 0 and told.startswith("1 rows accepted, 1 mended, 1 dropped; 3 wait.")
    assert [row["target_id"] for row in rows(copy, "targets.csv")] == [
        "zhenjiang_020",
        "zhenjiang_050",
    ]
    assert any(row["note"] == "dropped from the draft" for row in rows(copy, "exceptions.csv"))

    accept = ["--accept", "sure", "--accept", "likely"]
    code, told = run(
        copy, monkeypatch, capsys, "read-plan", "--confirm", "--city", "zhenjiang", *accept
    )
    assert code == 0 and told.startswith("3 rows accepted, 0 mended, 0 dropped; 0 wait.")
    assert told.rstrip().endswith("report zhenjiang")
    ids = [row["target_id"] for row in rows(copy, "targets.csv")]
    assert ids == [f"zhenjiang_0{n}0" for n in (2, 3, 4, 5, 6)]
    assert not (copy.data / "cities/zhenjiang/targets_draft.csv").exists()

    code, told = run(copy, monkeypatch, capsys, "verify-targets", "--documents", str(copy.root))
    assert [line for line in told.splitlines() if line.startswith("zhenjiang")] == []
    project = ec.load_project(copy.root)
    assert project.city("zhenjiang").plan_year == 2015
    source = project.sources.set_index("source_id").loc["zhenjiang_plan"]
    assert source["document_number"] == "镇政办发〔2015〕212号"
    assert source["sha256"] == load.file_sha256(document)
    results = ec.run(project, cities=["zhenjiang"], draws=64)
    measured = ec.compare_targets(project, results["zhenjiang"])
    assert set(measured["target_id"]) == {"zhenjiang_050", "zhenjiang_060"}


def decide(copy, decisions: dict[int, str], cells: dict[int, dict[str, str]]) -> None:
    """Write decisions and changed cells into the draft of Zhenjiang, as a planner would."""
    table = rows(copy, "targets_draft.csv")
    for number, row in enumerate(table):
        row.update({"decision": decisions.get(number, ""), **cells.get(number, {})})
    with (copy.data / "cities/zhenjiang/targets_draft.csv").open(
        "w", encoding="utf-8-sig", newline=""
    ) as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)


def test_a_mended_row_with_a_fault_moves_nothing_and_is_told_with_its_row(
    small_copy, monkeypatch, capsys
):
    small_copy.add_city("zhenjiang", 321100)
    document = small_copy.root / "plan.txt"
    document.write_text(ZHENJIANG, "utf-8")
    assert (
        run(small_copy, monkeypatch, capsys, "read-plan", str(document), "--city", "zhenjiang")[0]
        == 0
    )
    decide(small_copy, {4: "mend", 5: "accept"}, {4: {"unit": "beds"}})
    code, told = run(
        small_copy, monkeypatch, capsys, "read-plan", "--confirm", "--city", "zhenjiang"
    )
    assert code == 2
    assert (
        "cities/zhenjiang/targets_draft.csv, row 6, column unit: “beds” must be one of: bed" in told
    )
    assert not (small_copy.data / "cities/zhenjiang/targets.csv").exists()
    decide(small_copy, {4: "yes"}, {})
    code, told = run(
        small_copy, monkeypatch, capsys, "read-plan", "--confirm", "--city", "zhenjiang"
    )
    assert (
        code == 2 and "column decision: “yes” must be one of: (empty), accept, drop, mend" in told
    )


def test_confidences_of_the_command_are_those_of_the_draft():
    assert cli.CONFIDENCES == drafts.CONFIDENCES and cli.DEFINITION == load.DEFINITION


def test_a_template_of_reports_may_be_redirected_into_its_place_and_overwrites_nothing(
    small_copy, monkeypatch, capsys
):
    report = small_copy.data / "cities/lincang/progress.csv"
    kept = report.read_bytes()
    words = ["progress-template", "lincang", "--output", str(report)]
    code, told = run(small_copy, monkeypatch, capsys, *words)
    assert code == 2 and "not overwritten" in told and report.read_bytes() == kept
    report.write_bytes(b"")  # what `> progress.csv` does before the command begins
    code, told = run(small_copy, monkeypatch, capsys, "progress-template", "lincang")
    assert code == 0 and told.startswith("target_id,reported_on,scope,value,unit")


def test_an_unknown_city_is_told_with_the_command_that_sets_one_up(small_copy, monkeypatch, capsys):
    document = small_copy.root / "plan.txt"
    document.write_text(ZHENJIANG, "utf-8")
    code, told = run(
        small_copy, monkeypatch, capsys, "read-plan", str(document), "--city", "nowhere"
    )
    assert code == 2 and "no city “nowhere”" in told and "new-city CODE|NAME" in told
    code, told = run(small_copy, monkeypatch, capsys, "read-plan", "--city", "lincang")
    assert code == 2 and "name the document to be read, or give --confirm" in told
