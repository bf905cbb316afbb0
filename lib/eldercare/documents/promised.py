"""Which printed numbers of a plan count something, and which only name, rank or date."""

from __future__ import annotations

import math
import re

from eldercare.documents.numerals import Figure
from eldercare.documents.plan_meaning import clause_of

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
    """Whether a printed figure of a compact text is a figure of the plan, and no date, name, rank or mere “a”."""
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
    """Whether 一个 is a count: with a bound, or after a verb that makes something; else it is a mere “a”."""
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
