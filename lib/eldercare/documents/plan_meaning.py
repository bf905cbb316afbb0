"""What a figure of a plan says: its unit, quantity, year and kind, by the words around it.

The words are rows of `data/plan_words.csv`; the order of rows decides, the first that fits is
taken.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from eldercare.documents.numerals import Figure

_YEAR = r"(?:20\d\d|二[〇零○O][一二三四五][〇零一二三四五六七八九])"
_CHINESE_DIGITS = str.maketrans("〇零○O一二三四五六七八九", "0000123456789")
_YEARS = re.compile(
    rf"(?P<first>{_YEAR})年?(?:-+|至|到)(?P<last>{_YEAR})年"
    rf"|(?P<year>{_YEAR})年度?(?P<end>底前|底|末前?|以?前|年底前|之前)?"
    r"|(?P<five>“?十(?P<which>[二三四五六])五”?)(?:规划)?(?:期?末|期间|时期)"
    r"|(?<!\d)(?<!\d年)(?P<month>1[0-2]|[1-9])月(?:底|末|份|[上中下]旬)?前?"
    r"|(?P<own>(?<![\d一二三四五六七八九十两几])年内|今年|本年度?内?|当年|(?<![每全上去])年底前?|(?<![每全上去])年末)"
)
_PAST = re.compile(r"(?:截至|截止|比|较|与|相比)[到在]?$")
_FIVE = {"二": 2015.0, "三": 2020.0, "四": 2025.0, "五": 2030.0, "六": 2035.0}
OPENING = 8
_STOCK = re.compile("截至|截止|(?<!实)现有|已有|已建成|已达|目前|共有|现状")
_MONEY = re.compile("补贴|补助|津贴|奖励|奖补|资助|标准|给予")
_THRESHOLD = re.compile(r"^(?:及以上|\(含\)以上|以上)(?:床位)?的?(?!$)[^,。;达]{2,}")
_VERBS = re.compile("建立|配备|完成|开展|设立|提供|实现|达到|建成|建有|通过|并|进行|能够|启动|用于")
_PER_PERSON = "名|人|位"


@dataclass(frozen=True)
class YearSaid:
    """A year that a text names: where, which, whether 底前 follows, and whether it is told as past or
    the plan's own.
    """

    start: int
    end: int
    year: float
    before_end: bool
    past: bool
    own: bool


def years_said(text: str, issued: float) -> list[YearSaid]:
    """The years of a compact text: printed, of a five-year plan (十四五 is 2025), or the plan's own
    (年内).
    """
    found = []
    for match in _YEARS.finditer(text):
        said = match["last"] or match["year"]
        if match["own"] or match["month"]:
            year = issued
        elif match["five"]:
            year = _FIVE[match["which"]]
        else:
            year = float(said.translate(_CHINESE_DIGITS))
        before = text[max(0, match.start() - 6) : match.start()]
        found.append(
            YearSaid(
                match.start(), match.end(), year,
                bool(match["end"] and "前" in match["end"]) or (match["own"] or "").endswith("前"),
                bool(_PAST.search(before)) or _is_over(match, year, before, text, issued), bool(match["own"] or match["month"]),
            )
        )  # fmt: skip
    return found


def _is_over(match: re.Match, year: float, before: str, text: str, issued: float) -> bool:
    """Whether a year is told as gone by: 2014年末 in a plan of 2015, or 2015年以来."""
    ended = year < issued and match["end"] in ("底", "末") and not re.search("[到至争]$", before)
    return ended or text[match.end() : match.end() + 2] == "以来"


def clause_of(text: str, start: int, end: int, marks: str = ",;。:!?…") -> tuple[int, int]:
    """Start and end of the clause between punctuation marks; those within brackets do not part."""
    depth, first = 0, 0
    for at in range(start - 1, -1, -1):
        depth += text[at] in ")”》"
        depth -= text[at] in "(“《"
        if text[at] in marks and depth <= 0:
            first = at + 1
            break
    depth, last = 0, len(text)
    for at in range(end, len(text)):
        depth += text[at] in "(“《"
        depth -= text[at] in ")”》"
        if text[at] in marks and depth <= 0:
            last = at
            break
    return first, last


@dataclass(frozen=True)
class Quantity:
    """What `plan_words.csv` calls a figure; empty where no row fits."""

    indicator: str = ""
    label_en: str = ""
    denominator: str = ""
    measured_by: str = ""


class Words:
    """The rows of `plan_words.csv`, ready to be looked up."""

    def __init__(self, table: pd.DataFrame):
        rows = table.to_dict("records")
        self.signs = {
            sign: row["unit"]
            for row in rows
            if row["kind"] in ("sign", "counter")
            for sign in row["pattern"].split("|")
        }
        self.counters = {
            sign for row in rows if row["kind"] == "counter" for sign in row["pattern"].split("|")
        }
        self.nouns = [
            (re.compile(row["pattern"]), row["unit"], row["label_en"])
            for row in rows
            if row["kind"] == "noun"
        ]
        self.quantities = [
            (re.compile(row["pattern"]), row["unit"], _quantity(row))
            for row in rows
            if row["kind"] == "quantity"
        ]

    @cached_property
    def all_signs(self) -> tuple[str, ...]:
        """The measure words, as `numerals.figures` takes them."""
        return tuple(self.signs)

    def counted(self, phrase: str) -> tuple[str, str]:
        """Unit and English name of what a phrase ends with: of the nouns in it the last, the
        longest of these.
        """
        best = max(
            (
                (match.end(), len(match[0]), -order, unit, name)
                for order, (pattern, unit, name) in enumerate(self.nouns)
                for match in pattern.finditer(phrase)
            ),
            default=None,
        )
        return (best[3], best[4]) if best else ("", "")

    def quantity(self, phrase: str, unit: str) -> Quantity:
        """The first quantity of that unit whose words stand in the phrase."""
        for pattern, of_unit, quantity in self.quantities:
            if of_unit == unit and pattern.search(phrase):
                return quantity
        return Quantity()


def _quantity(row: dict) -> Quantity:
    return Quantity(row["indicator"], row["label_en"], row["denominator"], row["measured_by"])


def unit_of(figure: Figure, text: str, words: Words) -> tuple[str, str, str]:
    """Unit, English name and the reason for both, of a figure of a compact text."""
    first, last = clause_of(text, figure.start, figure.end)
    before, after = text[first : figure.start], text[figure.end : last]
    unit = words.signs.get(figure.sign, "")
    if unit == "yuan":
        return _money_unit(before, after), "", "元"
    ratio = _ratio_unit(unit, before, words)
    if ratio:
        return ratio, "", "每千, 每万 or 每百 before it"
    if unit == "square_metre" and re.search(r"每百户|每100户", before):
        return "square_metre_per_100_households", "", "每百户 before it"
    if figure.sign == "级" and (
        re.match("(?:养老|服务|管理|工作|政府)*(?:网络|体系|联动|平台|机制|分别)", after)
        or re.search(r"、[^、,。]{1,8}$|[市县区镇乡村)]$", before)
    ):
        return "count", "levels", "levels of government or of a network"
    if figure.sign == "张" and (
        re.search("[卡券证票单]”?$", before)
        or re.match("(?:以上)?[^,。、]{0,6}[卡券证票单]", after)
    ):
        return "count", "cards", "cards are counted"
    if figure.sign == "次" or "学时小时".find(figure.sign or "-") >= 0:
        return _rhythm_unit(figure, before, unit)
    if unit == "household":
        return _household_unit(before), "", "户"
    if figure.sign in words.counters or not figure.sign:
        return _noun_unit(figure, before, after, words)
    return unit, "", figure.sign


def _ratio_unit(unit: str, before: str, words: Words) -> str:
    """The unit of a figure per hundred, thousand or ten thousand people."""
    base = re.search(r"每(?P<base>百|千|万|100|1000|10000)(?P<who>名|人|位|个)?[^每]*$", before)
    if not base:
        return ""
    what = before[base.start() :]
    if re.search("每百张|每百户|每100张|每100户", what):
        return ""
    size = {"100": "百", "1000": "千", "10000": "万"}.get(base["base"], base["base"])
    if re.search("床位?", what) and unit in ("bed", "count"):
        return {"千": "bed_per_1000_persons", "万": "bed_per_10000_persons"}.get(size, "")
    if "托" in what:
        return "place_per_1000_persons" if size == "千" else ""
    if unit in ("person", "count") and re.search("护理|护士|医生|医师|社工|社会工作|人员", what):
        return {"万": "worker_per_10000_persons", "百": "worker_per_100_persons"}.get(
            size, "worker"
        )
    return ""


def _money_unit(before: str, after: str) -> str:
    near = before[-22:] + "元" + after[:8]
    month, year = re.search(r"每?月(?!\d*日)|/月", near), re.search("每年|/年|年均|年人均", near)
    if re.search(r"每(?:张|床|个床位|床位)|每张|/(?:张|床)|张床位?[·/]", near):
        return "yuan_per_bed_month" if re.search("每月|/月|·月", near) else "yuan_per_bed"
    person = re.search(rf"每(?:{_PER_PERSON}|名?老年?人)|人均|/人|人[·/]月|人每月", near)
    if month and person or re.search("每月", near):
        return "yuan_per_person_month"
    if person:
        return "yuan_per_person"
    if re.search("每户|/户|户均", near):
        return "yuan_per_household"
    if re.search("每小时|/小时", near):
        return "yuan_per_hour"
    if re.search("每平方米|/平方米", near):
        return "yuan_per_square_metre"
    return "yuan_per_year" if year and not re.search("投资|投入", near) else "yuan"


def _household_unit(before: str) -> str:
    if re.search("(?:各|每个?)(?:乡镇|镇|乡|街道|村)", before):
        return "household_per_town"
    return "per_year_household" if re.search("每年|年均", before) else "household"


def _rhythm_unit(figure: Figure, before: str, unit: str) -> tuple[str, str, str]:
    period = re.search(r"每(半年|年|季度?|月|周|天|日)", before)
    if figure.sign == "次":
        return ("times_per_year" if period else "count"), "", "次"
    if period and period[1] in ("月", "年"):
        return {"月": "hour_per_month", "年": "hour_per_year"}[period[1]], "", "hours a period"
    return unit, "", figure.sign


def _noun_unit(figure: Figure, before: str, after: str, words: Words) -> tuple[str, str, str]:
    """The unit of 家, 个, 所, 处 or of a lost sign, by the noun that is counted: after it, else before
    it.
    """
    phrase = re.sub(r"^(?:\([^)]*\))?(?:及?以上|以下|左右|以内|余|多)", "", after)
    phrase = _VERBS.split(phrase)[0] or phrase
    first = re.split(r"[、“]" if phrase[:1] != "“" else "、", phrase)[0]
    for part, where in ((first[:26], "after"), (before[-26:], "before"), (phrase[:26], "after")):
        unit, name = words.counted(part)
        if unit:
            return unit, name, f"what is counted stands {where} it: {name}"
    return "count", "", "nothing known is counted"


def year_of(
    figure_at: int, text: str, said: list[YearSaid], carried: float, heading: float, goals: bool
) -> tuple[float, str]:
    """Year in which a figure is due, and how that is known: its own clause, its sentence, its
    paragraph, a heading.

    carried : the year named first in a part of goals;  heading : the year that the heading names
    goals   : whether the part is one of goals: there a year holds to the end of its paragraph,
              elsewhere only if the paragraph opens with it (时间节点:2018年)
    """
    before = [one for one in said if one.start < figure_at and not one.past]
    if before:
        last = before[-1]
        near = not re.search("[。!?]", text[last.end : figure_at])
        if near or goals or last.own or last.start <= OPENING:
            return last.year, "named before it" if near else "named earlier in the paragraph"
    first, end = clause_of(text, figure_at, figure_at)
    inside = [one for one in said if figure_at < one.start < end and not one.past]
    if inside:
        return inside[0].year, "named in its clause"
    _, last_of_sentence = clause_of(text, figure_at, figure_at, "。;!?")
    later = [one for one in said if figure_at < one.start < last_of_sentence and not one.past]
    if later and "每年" in text[first:end]:
        return later[0].year, "named after it, the end of what is done each year"
    past = [one for one in said if one.start < figure_at and one.past]
    if past:
        return past[-1].year, "named before it, as a state reached"
    if not math.isnan(heading):
        return heading, "named by the heading"
    if not math.isnan(carried):
        return carried, "named first in this part"
    return math.nan, "no year is named"


def kind_of(unit: str, figure: Figure, text: str, first: int) -> str:
    """target, stock or standard, by the unit and the words of the clause."""
    clause = text[first : figure.start]
    if _STOCK.search(re.split("[。;]", text[max(0, first - 12) : figure.start])[-1]):
        return "stock"
    if unit in ("grade", "times_per_year") or unit.startswith(("square_metre", "hour_per")):
        return "standard"
    if unit.startswith("yuan") and (unit != "yuan" or _MONEY.search(clause)):
        return "standard"
    if unit in ("bed", "person") and _THRESHOLD.match(text[figure.end :]):
        return "standard"
    return "standard" if figure.sign in ("年", "周岁", "岁", "天", "日", "工作日") else "target"


# Which printed numbers of a plan count something, and which only name, rank or date.

_REACHES = re.compile(
    r"(?:达到?|至|建成|建有|建设|新建|新增|增加到?|超过?|选树|改造|完成|培育|培训|打造|不少于|不低于|”|比例|占比|覆盖率)$"
)
_MAKES = re.compile(
    r"(?:至少|各|均|有|建成|建设|设立|设置|配备|配置|打造|培育|建立|确保|新建|创建|引进|与|要与)$"
)
_DONE_ONCE = re.compile(r"(?:开展|组织|上报|进行|召开|举办|组织开展)$")
_AGE_RULE = re.compile(
    "津贴|补贴|免费|体检|筛查|优待|享受|建立|发放|给予|纳入|巡访|探访|评估|减免|办理"
)
_DURATION = re.compile(
    r"(?:满|不少于|不低于|至少|连续|期限|任期|为期|周期|有效期|服务期|每|未来|内|满|用|分|近|为)$|^(?:内|以上|时间|左右|行动|计划|攻坚|提升|倍增|期|规划|滚动)"
)


def counts_something(figure: Figure, text: str) -> bool:
    """Whether a printed figure of a compact text is a figure of the plan, and no date, name, rank
    or mere “a”.
    """
    before, after = (
        text[max(0, figure.start - 12) : figure.start],
        text[figure.end : figure.end + 12],
    )
    return not _is_no_figure(figure, text, before, after)


def _is_no_figure(figure: Figure, text: str, before: str, after: str) -> bool:
    sign, printed = figure.sign, text[figure.start : figure.end]
    if before.endswith(("每", "共印", "印发", "抄送", "每个")) or after.startswith(
        ("年代", "世纪")
    ):
        return True
    if sign in ("年", "周年") and (
        figure.value > 100 or not _DURATION.search(before[-4:]) and not _DURATION.match(after)
    ):
        return True
    if sign in ("天", "日") and not re.search(
        "内|不超过|至少|不少于|不低于", before[-6:] + after[:3]
    ):
        return True
    if sign in ("期", "站", "点", "片", "本") and not printed[0].isdecimal():
        return True
    if sign == "级":
        return (
            figure.bound == "exactly"
            and math.isnan(figure.high)
            and not _is_counted_level(before, after)
        )
    if sign in ("岁", "周岁"):
        return _only_names_a_group(figure, text)
    if printed.startswith("一") and figure.value == 1:
        return not _one_counts(figure, before, after)
    if figure.how == "lost":
        return not _is_lost_unit(figure, before, after)
    return sign == "大" and not printed[0].isdecimal() and figure.value in (18, 19, 20)


def _is_counted_level(before: str, after: str) -> bool:
    return bool(
        re.search(r"、[^、,。]{1,6}$|[市县区省乡镇村]$", before)
        or re.match(
            "网络|联动|体系|平台|服务|管理|照护|属|分别|医疗|老年|养老|中医|综合|公立|专科|医院",
            after,
        )
    )


def _one_counts(figure: Figure, before: str, after: str) -> bool:
    """Whether 一个 is a count: with a bound, or after a verb that makes something; else it is a mere
    “a”.
    """
    if figure.bound not in ("exactly", "about"):
        return True
    if figure.sign == "次":
        return bool(_DONE_ONCE.search(before))
    return (
        figure.sign in "所家处座名"
        and bool(_MAKES.search(before))
        or bool(re.search(r"(?:至少|各|均)[^,。、]{0,4}$", before))
    )


def _is_lost_unit(figure: Figure, before: str, after: str) -> bool:
    if figure.value >= 10_000 and re.search(
        "(?:人数|人次|户数|床位数?|数量)[^,。;、]{0,6}$", before
    ):
        return True  # 参保人数突破50万 counts what its label says
    return (
        0 < figure.value <= 100_000
        and not 1900 <= figure.value <= 2100
        and bool(_REACHES.search(before))
        and (not after or after[0] in "。,;、“)")
    )


def _only_names_a_group(figure: Figure, text: str) -> bool:
    """Whether an age only says whose figure another one gives; alone with a rule it is a figure."""
    first, last = clause_of(text, figure.start, figure.end, "。;!?")
    rest = text[first : figure.start] + text[figure.end : last]
    if "寿命" in rest:
        return False
    if re.search(r"\d+(?:\.\d+)?(?:%|元|万|人|张|名|次)|百分之|全覆盖", rest):
        return True
    return not _AGE_RULE.search(rest)
