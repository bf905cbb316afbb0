"""A plan is read by rules: sentences as plans write them, each with what they say."""

import math
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT

from eldercare.documents import document_lines, plan_text, read_plan
from eldercare.documents.numerals import compact, figures
from eldercare.documents.plan_meaning import Words
from eldercare.inputs import ledger, reading, schema

TABLE = reading.read_table(ROOT / "data" / "plan_words.csv", schema.PLAN_WORDS)
WORDS = Words(TABLE)


def draft(*lines: str, year: int | None = 2021) -> pd.DataFrame:
    numbered = [document_lines.Line(text, f"line {n}") for n, text in enumerate(lines, start=1)]
    return read_plan.draft_targets(numbered, "x", "x_plan", TABLE, year)


def said(sentence: str) -> list[tuple]:
    rows = draft("一、主要任务", f"(一)任务。{sentence}")
    years = [None if math.isnan(year) else int(year) for year in rows["target_year"]]
    return [
        (pytest.approx(v), u, b, y) for v, u, b, y in zip(rows.value, rows.unit, rows.bound, years)
    ]


NUMBERS = [
    ("床位1,200张以上", 1200, None, "张", "at_least"),
    ("床位2，500张", 2500, None, "张", "exactly"),
    ("床位4 564张", 4564, None, "张", "exactly"),
    ("１２０张床位", 120, None, "张", "exactly"),
    ("八成以上", 0.8, None, "%", "at_least"),
    ("八成五", 0.85, None, "%", "exactly"),
    ("过半数的村", 0.5, None, "%", "at_least"),
    ("三分之二以上", 2 / 3, None, "%", "at_least"),
    ("百分之九十五点五", 0.955, None, "%", "exactly"),
    ("百分之百", 1, None, "%", "exactly"),
    ("提高5个百分点", 0.05, None, "个百分点", "exactly"),
    ("三点五万张", 35_000, None, "张", "exactly"),
    ("一千二百张", 1200, None, "张", "exactly"),
    ("不少于壹拾贰家", 12, None, "家", "at_least"),
    ("近百张床位", 100, None, "张", "about"),
    ("上千户", 1000, None, "户", "at_least"),
    ("年营业收入超亿元企业", 1e8, None, "元", "at_least"),
    ("20余家", 20, None, "家", "at_least"),
    ("十余家", 10, None, "家", "at_least"),
    ("两三家", 2, 3, "家", "about"),
    ("1—2所", 1, 2, "所", "exactly"),
    ("10~12家", 10, 12, "家", "exactly"),
    ("3到5所", 3, 5, "所", "exactly"),
    ("5-10万元", 50_000, 100_000, "元", "exactly"),
    ("50%-60%", 0.5, 0.6, "%", "exactly"),
    ("由30%提高到50%以上", 0.5, None, "%", "at_least"),
    ("床位数翻两番", 4, None, "番", "exactly"),
    ("增加2倍", 2, None, "倍", "exactly"),
    ("不超过50%", 0.5, None, "%", "at_most"),
    ("控制在10%以内", 0.1, None, "%", "at_most"),
    ("参保率≥90%", 0.9, None, "%", "at_least"),
    ("占比达到55％左右", 0.55, None, "%", "about"),
    ("力争达到25%", 0.25, None, "%", "about"),
    ("约30个", 30, None, "个", "about"),
    ("连续工作已满5年", 5, None, "年", "at_least"),
    ("3.100户以上", 100, None, "户", "at_least"),
    ("3千多名", 3000, None, "名", "at_least"),
    ("1.2万余张", 12_000, None, "张", "at_least"),
    ("数百名", 100, None, "名", "at_least"),
    ("八九成的村", 0.8, 0.9, "%", "about"),
    ("1/3以上的村", 1 / 3, None, "%", "at_least"),
    ("不足10%", 0.1, None, "%", "at_most"),
    ("最低每月200元", 200, None, "元", "at_least"),
    ("上限500元", 500, None, "元", "at_most"),
    ("一刻钟", 15, None, "刻钟", "exactly"),
    ("90%（含）以上", 0.9, None, "%", "at_least"),
    ("建筑面积350㎡", 350, None, "平方米", "exactly"),
]


@pytest.mark.parametrize(("phrase", "low", "high", "sign", "bound"), NUMBERS)
def test_a_number_is_read_with_its_sign_its_range_and_its_bound(phrase, low, high, sign, bound):
    read = [one for one in figures(compact(phrase), WORDS.all_signs) if one.sign]
    assert [(one.value, one.sign, one.bound) for one in read] == [(pytest.approx(low), sign, bound)]
    assert read[0].high == pytest.approx(math.nan if high is None else high, nan_ok=True)


@pytest.mark.parametrize(
    ("phrase", "low"), [(case[0], case[1]) for case in NUMBERS if case[4] != "about"]
)
def test_the_check_of_a_ledger_reads_the_same_numbers(phrase, low):
    skipped = ("翻", "3.100", "1/3", "八九成")
    if not any(word in phrase for word in skipped):
        values = [one.value for one in ledger.printed_numbers(phrase)]
        assert any(math.isclose(value, low) for value in values), values


SENTENCES = {
    "养老机构护理型床位占比达到55%以上,床位总量达到4.5万张。": [
        (0.55, "share", "at_least", None),
        (45_000, "bed", "exactly", None),
    ],
    "每百户不低于20平方米配建养老服务用房。": [
        (20, "square_metre_per_100_households", "at_least", None)
    ],
    "到“十四五”末,每千名老年人拥有床位45张,每万名老年人拥有护理员不少于25名。": [
        (45, "bed_per_1000_persons", "exactly", 2025),
        (25, "worker_per_10000_persons", "at_least", 2025),
    ],
    "到2020年和2025年,护理型床位占比分别达到40%和60%。": [
        (0.4, "share", "exactly", 2020),
        (0.6, "share", "exactly", 2025),
    ],
    "2021年、2022年、2023年分别新增养老床位300张、400张、500张。": [
        (300, "bed", "exactly", 2021),
        (400, "bed", "exactly", 2022),
        (500, "bed", "exactly", 2023),
    ],
    "到2023年,街道中心、社区站点覆盖率分别达到100%和90%。": [
        (1, "share", "exactly", 2023),
        (0.9, "share", "exactly", 2023),
    ],
    "护理型床位比例由2020年的38%提高到2025年的55%。": [(0.55, "share", "exactly", 2025)],
    "每张床位补助1万元,每张床位每月补贴不低于150元。": [
        (10_000, "yuan_per_bed", "exactly", None),
        (150, "yuan_per_bed_month", "at_least", None),
    ],
    "每人每月不低于50元,每小时20元,每户补助2000元。": [
        (50, "yuan_per_person_month", "at_least", None),
        (20, "yuan_per_hour", "exactly", None),
        (2000, "yuan_per_household", "exactly", None),
    ],
    "完成投资1.87亿元。": [(187_000_000, "yuan", "exactly", None)],
    "新建农村幸福院50所,评定三星级以上养老机构30家,引进养老企业3家以上。": [
        (50, "facility", "exactly", None),
        (3, "grade", "at_least", None),
        (30, "institution", "exactly", None),
        (3, "count", "at_least", None),
    ],
    "建成3个省级无障碍社区,发放爱心卡4.05万张以上。": [
        (3, "count", "exactly", None),
        (40_500, "count", "at_least", None),
    ],
    "二级及以上综合性医院设立老年医学科的比例达到60%。": [
        (2, "grade", "at_least", None),
        (0.6, "share", "exactly", None),
    ],
    "建立市、县、乡三级养老服务网络。": [(3, "count", "exactly", None)],
    "打造15分钟养老服务圈。": [(15, "minute", "exactly", None)],
    "每千人口拥有3岁以下婴幼儿托位数4.5个。": [(4.5, "place_per_1000_persons", "exactly", None)],
    "甲服务知晓率、乙服务满意率均达90%。": [
        (0.9, "share", "exactly", None),
        (0.9, "share", "exactly", None),
    ],
    "每年支持200户,到2025年共改造1000户。": [
        (200, "per_year_household", "exactly", 2025),
        (1000, "household", "exactly", 2025),
    ],
    # coverage in words
    "实现农村养老服务全覆盖。": [(1, "share", "exactly", None)],
    "养老服务设施全面覆盖城市社区和90%以上村,养老服务覆盖所有居家老年人。": [
        (1, "share", "exactly", None),
        (0.9, "share", "at_least", None),
        (1, "share", "exactly", None),
    ],
    "所有养老机构均能提供医疗卫生服务,困难家庭应改尽改。": [
        (1, "share", "exactly", None),
        (1, "share", "exactly", None),
    ],
    "2023年底前,每个县至少建有1所特困供养机构。": [
        (1, "share", "exactly", 2023),
        (1, "institution", "at_least", 2023),
    ],
    # grades and ages
    "养老机构按1-6级照护登记,分为三类服务对象。": [
        (1, "grade", "exactly", None),
        (3, "grade", "exactly", None),
    ],
    "对80周岁以上老年人发放高龄津贴。": [(80, "year", "at_least", None)],
    "65周岁以上老年人家庭医生签约率达90%。": [(0.9, "share", "exactly", None)],
    # milestones, deadlines, rhythms
    "到2025年,养老服务体系更加健全,安全水平明显提升。": [(2025, "year", "exactly", 2025)],
    "2024年6月底前,完成设施规划编制。": [(6, "month", "at_most", 2024)],
    "12月底前开展评定。": [(12, "month", "at_most", 2021)],
    "每月至少探访一次,实行“一月一报送”。": [
        (12, "times_per_year", "at_least", None),
        (12, "times_per_year", "exactly", None),
    ],
    # what is no figure
    "依据《关于2017年十条措施的通知》(闽政办〔2017〕67号),统一管理,进一步完善,打造一批品牌。": [],
    "开展“三社三化”建设,拨打12349热线,由第三方评估,提供24小时服务。": [],
    "护理员与老年人配比不低于1:4。": [],
}


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_says_its_figures_and_no_other(sentence):
    assert said(sentence) == SENTENCES[sentence]


def test_lost_units_and_dates_run_together_are_marked_and_never_repaired():
    rows = draft("一、任务", "年内取得许可的养老机构达到20", "(一)部署阶段(20217月)。动员。")
    assert list(rows["value"]) == [20, 7] and list(rows["unit"]) == ["institution", "month"]
    assert (rows["suspect"] != "").all() and (rows["confidence"] == "doubtful").all()
    assert (rows["measured_by"] == "").all()


def test_what_is_there_already_is_a_stock_with_its_year_and_no_promise():
    rows = draft("一、现状", "截至2020年底,全市60周岁以上老年人口35.6万人,养老床位1.2万张。")
    assert list(rows["kind"]) == ["stock", "stock"] and list(rows["base_year"]) == [2020, 2020]
    assert rows["target_year"].isna().all()
    assert (
        list(rows["measured_by"]) == ["", ""] or rows["measured_by"].iloc[0] == "population_60_plus"
    )


def test_a_year_holds_in_its_sentence_and_through_a_part_of_goals():
    goals = draft("二、工作目标", "到2020年,全面建成养老服务体系。", "每千名老年人床位45张。")
    assert list(goals["target_year"]) == [2020, 2020]
    tasks = draft(
        "三、任务", "(一)床位。完善设施规划和布局,到2025年,覆盖率达到90%。支持二级以上医院办养老。"
    )
    assert tasks["target_year"].iloc[0] == 2025 and math.isnan(tasks["target_year"].iloc[1])
    annex = draft("附件1", "2024年重点工作清单", "1", "建成食堂30家。")
    assert list(annex["target_year"]) == [2024] and annex["locator"].iloc[0] == "附件1第1项"


def test_item_numbers_before_a_figure_are_no_part_of_it():
    rows = draft("一、任务", "4.开展培训。", "5.12家养老机构完成改造。", "①新建街道中心10个;")
    assert [(v, u) for v, u in zip(rows.value, rows.unit)] == [
        (12, "institution"),
        (10, "facility"),
    ]


def test_rows_stand_in_order_and_are_linked_to_what_said_it_first():
    rows = draft(
        "二、目标", "养老机构护理型床位占比达到55%。", "三、任务", "养老机构护理型床位占比达到55%。"
    )
    assert list(rows["target_id"]) == ["x_010", "x_020"]
    assert list(rows["restates"]) == ["", "x_010"]
    assert list(rows["locator"]) == ["二、目标", "三、任务"]
    assert (rows["decision"] == "").all() and (rows["reason"] != "").all()


def test_a_measured_row_is_one_that_can_run():
    rows = draft("二、目标", "到2025年,养老机构护理型床位占比55%,护理型床位占养老总床位的50%。")
    assert list(rows["measured_by"]) == [
        "nursing_bed_share_needed",
        "nursing_bed_share_of_all_needed",
    ]
    assert list(rows["denominator"]) == ["institution beds", "local eldercare beds"]
    without = draft("二、任务", "养老机构护理型床位占比55%。")
    assert list(without["follow_up"]) == ["tracked"]


TEXT = [
    "某市人民政府办公室关于加快发展养老服务业的实施意见",
    "一、工作目标",
    "到2025年,每千名老年人拥有养老床位数45张以上,护理型床位占比达到55%以上。",
    "二、主要任务",
    "(一)设施。新建街道养老服务中心12个,实现社区养老服务全覆盖,到2025年底完成。",
]


def write_word(path: Path) -> None:
    from docx import Document

    document = Document()
    for line in TEXT:
        document.add_paragraph(line)
    document.save(str(path))


def write_page(path: Path) -> None:
    body = "".join(f"<p>{line}</p>" for line in TEXT)
    path.write_bytes(f"<html><style>p{{}}</style><body>{body}</body></html>".encode("gb18030"))


def write_wrapped(path: Path) -> None:
    lines = [*TEXT, *(f"(二)要求。{'各地要切实加强组织领导和统筹协调' * 4}。" for _ in range(4))]
    wrapped = [line[at : at + 24] for line in lines for at in range(0, len(line), 24)]
    path.write_text("\n".join(wrapped), "utf-8")


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("plan.docx", write_word),
        ("plan.html", write_page),
        ("wrapped.txt", write_wrapped),
        ("gbk.txt", lambda path: path.write_bytes("\n".join(TEXT).encode("gb18030"))),
    ],
)
def test_word_files_web_pages_and_wrapped_text_say_the_same_as_plain_text(tmp_path, name, write):
    write(tmp_path / name)
    lines = document_lines.document_lines(tmp_path / name)
    rows = read_plan.draft_targets(lines, "x", "x_plan", TABLE, 2021)
    plain = draft(*TEXT)
    assert list(zip(rows.value, rows.unit)) == list(zip(plain.value, plain.unit))
    assert len(plain) == 4


def test_a_pdf_is_read_page_by_page_and_a_scan_is_refused(tmp_path):
    pypdf = pytest.importorskip("pypdf")
    writer = pypdf.PdfWriter()
    writer.add_blank_page(200, 200)
    writer.write(tmp_path / "scan.pdf")
    with pytest.raises(ValueError, match="holds no text.*scan.*OCR"):
        document_lines.document_lines(tmp_path / "scan.pdf")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    with pytest.raises(ValueError, match="cannot be read as a PDF"):
        document_lines.document_lines(tmp_path / "broken.pdf")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("plan.doc", b"x", "save the document as one of these"),
        ("plan.docx", b"x", "no Word document"),
        ("plan.txt", b"  \n", "it is a scan or empty"),
    ],
)
def test_a_document_that_cannot_be_read_says_what_to_do(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=words):
        document_lines.document_lines(tmp_path / name)


def test_a_table_of_indicators_is_read_with_the_years_of_its_columns(tmp_path):
    from docx import Document

    document = Document()
    document.add_paragraph("一、发展目标")
    document.add_paragraph(
        "全市养老服务发展的主要指标见下表,各县(市、区)要对照落实,确保完成,并及时报告进展情况。"
    )
    rows = [
        ["序号", "指标名称", "单位", "2020年", "2025年"],
        ["1", "养老机构护理型床位占比", "%", "48", "≥55"],
    ]
    table = document.add_table(rows=2, cols=5)
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            table.cell(at, column).text = cell
    document.save(str(tmp_path / "plan.docx"))
    lines = document_lines.document_lines(tmp_path / "plan.docx")
    read = read_plan.draft_targets(lines, "x", "x_plan", TABLE, 2021)
    assert list(read["value"]) == [0.48, 0.55] and list(read["bound"]) == ["exactly", "at_least"]
    assert list(read["kind"]) == ["stock", "target"] and read["target_year"].iloc[1] == 2025


def test_what_a_document_says_of_itself_goes_to_its_source():
    lines = [
        document_lines.Line(TEXT[0], ""),
        document_lines.Line("某政办发〔2021〕7号", ""),
        document_lines.Line("2021年3月5日", ""),
    ]
    said_of_itself = plan_text.about(lines)
    assert said_of_itself["document_number"] == "某政办发〔2021〕7号"
    assert (said_of_itself["issued_on"], plan_text.issue_year(lines)) == ("2021-03-05", 2021)
    assert said_of_itself["title_zh"] == TEXT[0]


@pytest.mark.parametrize(
    ("column", "cell", "check"),
    [
        ("bound", "at_most", "bound"),
        ("bound", "exactly", "bound"),
        ("target_year", 2024, "year"),
        ("target_year", 2031, "year"),
    ],
)
def test_a_wrong_bound_or_year_of_a_ledger_is_found(column, cell, check):
    rows = draft(*TEXT).iloc[:1].copy()
    text = "\n".join(TEXT)
    assert read_plan.year_and_bound_findings(rows, text, WORDS) == []
    rows[column] = cell
    assert [found[1] for found in read_plan.year_and_bound_findings(rows, text, WORDS)] == [check]


def test_the_words_of_plans_name_quantities_and_units_that_there_are(project):
    quantities = TABLE[TABLE["kind"] == "quantity"]
    known = set(project.indicators["indicator"])
    assert set(quantities["measured_by"]) - {""} <= known
    units = project.indicators.set_index("indicator")["unit"]
    measured = quantities[quantities["measured_by"] != ""]
    assert list(measured["unit"]) == [units[name] for name in measured["measured_by"]]
