"""Promises that plans make without a measured figure: coverage in words, deadlines, rhythms,
grades, damaged dates.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from eldercare.documents.plan_meaning import YearSaid, clause_of
from eldercare.inputs.ledger import plain_value

_AREA = (
    r"(?:设区市|市辖区|行政村|建制村|自然村|城乡社区|城市社区|街道|乡镇|乡|镇|县|区|社区|村|市县|地区|小区|居住区|机构"
    r"|养老|老年|老人|医院|医疗|护理|公办|民办|备案|建成|特困|困难|失能|从业|工作人员|集中供养|符合条件|新建|人员|家庭|二级|三级|户)"
)
_COVER = re.compile(
    r"全(?:面|部)?覆盖(?!面|率)"
    r"|覆盖[^,。;、]{0,6}?(?:所有|全部|全体)|覆盖全[市县区省镇乡域民体]"
    r"|(?:全部|全域|全员|全市域)[^,。;]{0,6}覆盖(?!面|率)"
    rf"|(?:所有|全部)(?={_AREA})(?!制)"
    rf"|每(?:一?个|一)?(?={_AREA})(?!一?[百千万\d])"
    r"|[应愿能][^,。;、]?[^,。;、]?尽[^,。;、的管快可力]"
    r"|(?:惠及|面向)(?:全体|所有|全部)"
    r"|全面(?:贯彻)?(?:落实|建立|推行|实行|实施|推广)(?=[^,。;]{2,40}(?:政策|清单|制度|标准|规定|优惠|监管|机制|办法))"
    rf"|(?<!化)(?:县|区|乡镇|镇|街道|社区|村|\))\)?全面(?:落地|建成|建立|配备|开展|普及|达标)"
)
_NEARLY = re.compile(r"基本$|基本(?:实现|达到|完成)[^,。;]{0,16}$")
_NO_COVER = re.compile("扩大|提高|探索|扩面|面$")
_MONTH = re.compile(
    r"(?:(?P<year>20\d\d)年)?(?<![\d./-])(?P<month>1[0-2]|0?[1-9])月(?!\d{1,2}日(?!前))(?:\d{1,2}日|份)?"
    r"(?:\)?(?:-+|至|到)(?P<year2>20\d\d年)?(?P<high>1[0-2]|[1-9])月)?(?P<end>(?:[上中下]旬|底|末|初)?(?:之前|以前|前)?)"
)
_RUN = re.compile(
    r"(?<!\d)(?P<year>20[12]\d)(?P<month>1[0-2]|[1-9])(?:20[12]\d(?P<high>1[0-2]|[1-9]))?月"
)
_RUN_YEARS = re.compile(r"(?<!\d)(20[12]\d20[12]\d)(?=年)")
_PERIOD = re.compile(r"(?P<first>20\d\d)年?(?:-+|至)(?P<last>20\d\d)年")
_EVERY = {
    "半年": 2,
    "季度": 4,
    "季": 4,
    "年度": 1,
    "年": 1,
    "月": 12,
    "周": 52,
    "星期": 52,
    "日": 365,
    "天": 365,
}
_DOES = (
    "探访|巡访|走访|上报|报送|督查|督导|检查|评估|通报|巡查|体检|报告|调度|会商|监测|巡视|回访|考核|抽查|协调|研究|联系|调研"
    "|健康管理|召开|组织|开展|安排|公布|发布|培训|轮训|探视|排查|演练"
)
_EACH = re.compile(
    r"(?:每个?|一)(?P<every>半年|季度|季|年度|年|月|周|星期|日|天)(?![均度内])(?:不少于|至少|定期|各|要|应|原则上|底前|底|\d{1,2}[日号]前?)*"
    rf"(?:[^,。;、一]{{0,14}}?(?P<times>[一二两三四五六\d]+)(?:-\d+)?次|(?:一|进行|内)?(?:{_DOES}))"
)
_OF_THE_YEAR = re.compile(
    r"年度(?=[^,。;]{0,4}(?:考核|评估|工作方案|检查|报告|审计|评定|评议))|年(?:审|检)(?![计阅])"
)
_MONTHLY_RATE = re.compile(
    r"(?<![\d每一])(?P<every>月|周|年|季度)(?:探访|巡访|走访|体检)(?=率|制度|服务)"
)
_CHAINED = re.compile(r"(?<=[^,。;“]{2})一(?:通报|报送|督查|协调|排名|总结)")
_SEVERAL = re.compile(
    r"(?P<low>[一二三四五六七八九])(?P<sign>星|级)(?:、[一二三四五六七八九](?P=sign)){1,4}级?"
)
_LEADS = re.compile(r"(?:^|[,。;:(]|[至到于在]|力争|争取|确保|计划|--)$")
_TO_COME = re.compile(
    "形成|建立|建成|完善|实现|启动|完成|提升|提高|健全|解决|改善|推进|落地|基本|初步|全面|开展|发展|优化|达到|构建|推动|畅通|进行|评估|实施"
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:%|[张家所个户名人处台])")


@dataclass(frozen=True)
class Worded:
    """A promise in words: `weak` is its kind (coverage, deadline, milestone, rhythm, grades,
    damaged date).
    """

    start: int
    end: int
    value: float
    unit: str
    bound: str
    kind: str
    weak: str
    why: str
    sure: str = "likely"
    year: float = math.nan
    high: float = math.nan
    suspect: str = ""


def worded_figures(
    text: str,
    printed: str,
    said: list[YearSaid],
    taken: list[tuple[int, int]],
    issued: float,
    body: bool,
) -> list[Worded]:
    """All promises of a passage that no measured figure tells.

    text    : the passage, compact, titles and slogans hidden;  printed : the same with them
    said    : its years;  taken : where its figures stand;  issued : the year that a bare month
              means
    body    : whether a main part of the document has begun
    """
    coverage = _coverage(text)
    found = [*coverage, *_months(text, issued, body), *_rhythms(text), *_grades(text)]
    found += _periods(printed, body)
    return found + (_milestones(text, said, taken, found) if body else [])


def _coverage(text: str) -> list[Worded]:
    """Words of full coverage as the share 1, once a clause for each whole that is covered."""
    found: list[Worded] = []
    for match in _COVER.finditer(text):
        first, last = clause_of(text, match.start(), match.end())
        if any(
            first <= one.start < last and "、" not in _plain(text[one.end : match.start()])
            for one in found
        ):
            continue
        if re.match(r"[^,。;、]{0,3}\d+(?:\.\d+)?%", text[match.end() :]):
            continue  # 覆盖全市50%以上 is a figure
        clause = text[first:last]
        if _NO_COVER.search(text[max(first, match.start() - 4) : match.start()]):
            continue
        word = match[0]
        if word.startswith("每") and re.search("元|补|平方米", clause):
            continue  # 每户补助2000元 is a rate
        if word.startswith(("所有", "全部", "每")) and len(clause) - (match.start() - first) < 8:
            continue
        weak_words = word != "全面覆盖" and word.startswith(("全面", "每", "全部", "惠及", "面向"))
        bound = "about" if _NEARLY.search(text[first : match.start()]) else "exactly"
        why = f"full coverage in words ({word}), coded 100 %"
        sure = "doubtful" if weak_words else "likely"
        found.append(
            Worded(match.start(), match.end(), 1.0, "share", bound, "target", "coverage", why, sure)
        )
    return found


def _plain(text: str) -> str:
    """A text without what stands in brackets."""
    return re.sub(r"\([^)]*\)?", "", text)


def _months(text: str, issued: float, body: bool) -> list[Worded]:
    """Deadlines in months; a month without a year is one of the plan's own year."""
    found = []
    for match in _RUN.finditer(text):
        suspect = "date run together, characters lost: the digits before 月 are read as the month"
        found.append(
            Worded(
                match.start(), match.end(), float(match["month"]), "month", "exactly", "milestone",
                "damaged date", "a date run together", "doubtful", float(match["year"]),
                float(match["high"] or math.nan), suspect,
            )
        )  # fmt: skip
    for match in _MONTH.finditer(text):
        if not body or any(one.start <= match.start() < one.end for one in found):
            continue
        after = text[match.end() : match.end() + 6]
        if re.match("起|施行|实施之日|出生|印发", after) or text[: match.start()].endswith("个"):
            continue
        said = list(re.finditer(r"(20\d\d)年(?!\d*月)", text[: match.start()]))
        year = float(match["year"]) if match["year"] else issued
        if (
            not match["year"]
            and said
            and not re.search("[。;]", text[said[-1].end() : match.start()])
        ):
            year = float(said[-1][1])
        bound = "at_most" if match["end"].endswith("前") else "exactly"
        found.append(
            Worded(
                match.start(), match.end(), float(match["month"]), "month", bound, "milestone",
                "deadline", "a month with a task", "likely", year, float(match["high"] or math.nan),
            )
        )  # fmt: skip
    return found


def _rhythms(text: str) -> list[Worded]:
    """How often something is done in a year: 每月一次, 一季一督查, 年审."""
    found = []
    for match in _EACH.finditer(text):
        times = plain_value(match["times"]) if match["times"] else 1.0
        clause_end = clause_of(text, match.start(), match.end())[1]
        if not match["times"] and re.search(r"\d", text[match.end() : clause_end]):
            continue  # 每年开展培训500人 counts people a year
        if re.search("元|万|亿", match[0]) or text[: match.start()].endswith("逐"):
            continue
        value = times * _EVERY[match["every"]]
        bound = (
            "at_least"
            if re.search("至少|不少于|以上", match[0] + text[match.end() :][:2])
            else "exactly"
        )
        found.append(_rhythm(match.start(), match.end(), value, bound, match[0]))
        for more in _CHAINED.finditer(text, match.end(), match.end() + 5):
            found.append(
                _rhythm(match.start(), more.end(), value, bound, text[match.start() : more.end()])
            )
    for match in _MONTHLY_RATE.finditer(text):
        value = float(_EVERY[match["every"]])
        found.append(_rhythm(match.start(), match.end(), value, "exactly", match[0], "doubtful"))
    for match in _OF_THE_YEAR.finditer(text):
        found.append(_rhythm(match.start(), match.end(), 1.0, "exactly", match[0], "doubtful"))
    return found


def _rhythm(
    start: int, end: int, value: float, bound: str, word: str, sure: str = "likely"
) -> Worded:
    why = f"a rhythm ({word}), times a year"
    return Worded(start, end, value, "times_per_year", bound, "standard", "rhythm", why, sure)


def _grades(text: str) -> list[Worded]:
    """Several grades named in a row: 三星、四星、五星 is 3 to 5."""
    return [
        Worded(
            match.start(), match.end(), plain_value(match["low"]), "grade", "exactly", "standard",
            "grades", "grades named in a row", high=plain_value(re.findall("[一二三四五六七八九]", match[0])[-1]),
        )
        for match in _SEVERAL.finditer(text)
    ]  # fmt: skip


def _periods(printed: str, body: bool) -> list[Worded]:
    """The period of a plan in its title, and the same with its dash lost."""
    if body:
        return []
    found = [
        Worded(
            match.start(), match.end(), float(match["first"]), "year", "exactly", "milestone",
            "milestone", "the period of the plan", year=float(match["last"]), high=float(match["last"]),
        )
        for match in _PERIOD.finditer(printed)
        if re.search("计划|方案|规划|行动|意见", printed)
    ]  # fmt: skip
    for match in _RUN_YEARS.finditer(printed):
        suspect = "two years run together, dash lost"
        found.append(
            Worded(
                match.start(), match.end() + 1, float(match[1]), "year", "exactly", "milestone",
                "damaged date", "two years run together", "doubtful", float(match[1][4:]), suspect=suspect,
            )
        )  # fmt: skip
    return found


def _milestones(
    text: str, said: list[YearSaid], taken: list[tuple[int, int]], others: list[Worded]
) -> list[Worded]:
    """Goals with a year and no figure: the first clause after the year holds none."""
    found = []
    if not re.search("[,。;]", text):
        return []  # a title
    # 建成覆盖全市的平台 is a goal besides: what describes a thing takes nothing from it.
    others = [one for one in others if one.weak != "coverage" or "的" not in text[one.end :][:6]]
    spans = [*taken, *((one.start, one.end) for one in others)]
    for at, one in enumerate(said):
        if (
            one.past
            or one.own
            or not _LEADS.search(text[: one.start])
            or text[one.end : one.end + 1] in "至-"
        ):
            continue
        if text[one.end : one.end + 3].lstrip("度")[:1].isdecimal() or re.match(
            r"\d", text[one.end :]
        ):
            continue
        begin = one.end + (text[one.end : one.end + 1] in (",", "、", "，"))
        _, last = clause_of(text, begin, begin, ",;。!?")
        follow = text[begin:last]
        held = any(begin <= first < last for first, _ in spans) or _NUMBER.search(follow)
        nested = at + 1 < len(said) and said[at + 1].start < last
        if held or nested or len(follow) < 4:
            continue
        if not re.search("[到至]$", text[: one.start]) and not _TO_COME.search(
            text[begin : last + 30]
        ):
            continue
        bound = "at_most" if one.before_end else "exactly"
        found.append(
            Worded(
                one.start, last, one.year, "year", bound, "milestone", "milestone",
                "a goal with a year and no figure", "likely", one.year,
            )
        )  # fmt: skip
    return found
