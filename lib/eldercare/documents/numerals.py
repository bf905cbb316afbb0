"""Figures as plans write them: a number with its sign, its bound, its range, and where it stands.

`inputs.ledger` reads numbers; this module reads what a figure means in its phrase. All of it works
on folded text without white space (`compact`).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from eldercare.inputs.ledger import CHINESE, DIGITS, fold, plain_value, tenths

_CIRCLED = {sign: f"({n})" for n, sign in enumerate("①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳", 1)}
_SCALES = {"十": 10, "百": 100, "千": 1e3, "万": 1e4, "亿": 1e8}
_SCALE = r"(?:[十百千]?[万亿]|[百千](?=[万亿张户人名家个所元份次场处套间辆多余]))"
_NOT_BEFORE = r"(?<![第\d.〔\[A-Za-z])(?<!第\d)"
# 统一, 进一步, 一批, 一系列, 十四五 are words, not counts.
_SET_WORD = (
    r"(?!(?<=[统唯单同进之专万不合如第逐惟])一|一(?:[定体般些批切律样旦贯致步系并同直流线律键站]|方面|次性|系列"
    r"|带一路|体化|是)|十[一二三四五]五|十分|千方百计|万[众家物古]|[四三]化|两[岸化会]|八项规定)"
)
_VAGUE_PAIR = "一两|二三|两三|三四|三五|四五|五六|六七|七八|八九"
_BETWEEN = "(?:-+|至|到)"
_WORDS_BEFORE = {
    "at_least": "不少于|不低于|不小于|不得少于|不得低于|不得小于|不应少于|不应低于|至少|最少|最低|超过|突破"
    "|大于|多于|高于|超|≥|>|逾|>=|≧|下限|(?<=[年已])满",
    "at_most": "不超过|不高于|不多于|不大于|不得超过|不得高于|不得多于|不应超过|最多|至多|最高|小于|少于|低于|≤|<|<=|≦|不足|不到|上限|封顶|控制在",
    "about": "大约|约|接近|将近|近|力争|争取|左右",
}
_FREE = ("至少", "最少", "不少于", "不低于", "最多", "至多", "不超过")
_WORDS_AFTER = {
    "at_least": r"(?:\(含[^)]{0,6}\))?(?:及其?|或者?)?以上|余|多(?![样元种层方])|\+|上(?=[。,;]|$)|起(?=[。,;]|$)",
    "at_most": r"(?:\(含[^)]{0,6}\))?(?:及其?|或者?)?(?:以下|以内|之内|内(?![地设部外容]))",
    "about": "左右|上下|前后",
}
_CLAUSE = re.compile(r"[,;。:!?]")
# 争取上级资金 gets money; it hopes for nothing.
_STRIVE = re.compile("力争|争取(?!上级|中央|国家|省|项目|资金|政策|列入|纳入|社会|各级)")
_FROM = re.compile(r"(?:从|由)[^,。;]{0,14}$")
_RISES = re.compile(
    r"[^,。;]{0,8}?(?:提高|提升|增加|增长|上升|扩大|下降|降低|减少|增至|升至|降至|调整)"
)


@dataclass(frozen=True)
class Figure:
    """A figure of a phrase.

    value, high : in base units (1.38万 is 13800, 25% is 0.25); high is NaN without a range
    sign        : the measure word, as 张 or %; empty where none is printed
    bound       : at_least, at_most, exactly or about
    how         : empty, or what is unusual: points, tenths, times, vague, lost (no sign is printed)
    start, end  : where it stands in the compact text, bound words left out
    """

    value: float
    high: float
    sign: str
    bound: str
    how: str
    start: int
    end: int


def compact(text: str) -> str:
    """The text folded, without white space except between two digits, circled numbers as (1)."""
    for sign, number in _CIRCLED.items():
        text = text.replace(sign, number)
    return re.sub(r"(?<!\d)\s+|\s+(?!\d)", "", fold(text).replace("...", "…"))


def _pattern(signs: tuple[str, ...]) -> re.Pattern:
    """A number with its sign, and the forms that need none: tenths, halves, fractions, doublings."""
    sign = "|".join(map(re.escape, sorted(signs, key=len, reverse=True)))
    one = rf"(?:{DIGITS}|{CHINESE})"
    return re.compile(
        rf"(?P<below>{CHINESE})分之(?P<above>{one})(?:{_BETWEEN}(?:{CHINESE}分之)?(?P<above2>{one}))?"
        r"|(?P<tenths>[一二两三四五六七八九1-9])成(?P<part>[半一二三四五六七八九]?)(?P<over>多|以上|左右)?"
        r"(?![立为员果效熟本长功就品套都绩型因形])"
        r"|(?P<pairtenths>[一二三四五六七八九]{2})成(?![立为员果效熟])"
        r"|(?<![\d/])(?P<part_of>\d{1,2})/(?P<whole>\d{1,2})(?=以上|的|左右|以内)"
        r"|(?P<half>过半数?|半数|一半)"
        r"|翻(?P<double>[一两二三几]?)番"
        rf"|{_NOT_BEFORE}{_SET_WORD}"
        rf"(?:(?P<pair>{_VAGUE_PAIR})(?P<pairscale>[十百千万]*)"
        rf"|(?P<low>{DIGITS}|(?<![{'〇零一二三四五六七八九十百千万亿两'}]){CHINESE})(?P<vague>余|多|来|几)?"
        rf"(?P<scale>{_SCALE})?(?P<late>余|多)?)"
        rf"(?P<sign1>{sign})?"
        rf"(?:(?:\(含\))?{_BETWEEN}(?P<high>{one})(?P<scale2>{_SCALE})?(?=(?P<sign2>{sign})))?"
        rf"(?P<sign>(?<=[十百千万亿余多几\d\w])(?:{sign}))?"
    )


# A decimal of what is counted whole is an item number that runs into its figure: 3.100户 is 3 and
# 100户.
_WHOLE_SIGNS = frozenset("张户家所个处名人位座间支台")
_A_RATE = re.compile("每|均|比")
_BARE = re.compile(r"(?<=[超近上过口])(?P<low>[百千万亿]{1,2})(?P<sign>[人元户张])")


def figures(text: str, signs: tuple[str, ...]) -> list[Figure]:
    """The figures of a compact text in the order in which they stand.

    signs : the measure words by which a number is known to count something
    """
    found = []
    for match in _pattern(signs).finditer(text):
        figure = _without_item(_figure(match), text)
        if figure is not None and not _is_start_of_change(text, figure):
            found.append(figure)
    taken = [(one.start, one.end) for one in found]
    for match in _BARE.finditer(text):
        if not any(first <= match.start() < last for first, last in taken):
            value = math.prod(_SCALES[word] for word in match["low"])
            found.append(Figure(value, math.nan, match["sign"], "exactly", "", *match.span()))
    found.sort(key=lambda one: one.start)
    return [replace(one, bound=bound_of(text, one.start, one.end, one.bound)) for one in found]


def _figure(match: re.Match) -> Figure | None:
    start, end = match.span()
    if match["below"]:
        base = plain_value(match["below"])
        value = plain_value(match["above"]) / base
        high = plain_value(match["above2"]) / base if match["above2"] else math.nan
        return Figure(value, high, "%", "exactly", "words", start, end)
    if match["tenths"] or match["half"]:
        value = round(tenths(match["tenths"], match["part"]), 10)
        over = "at_least" if (match["half"] or "").startswith("过") else "exactly"
        more = len(match["over"] or "")
        return Figure(value, math.nan, "%", over, "tenths", start, end - more)
    if match["pairtenths"]:
        low, high = (plain_value(one) / 10 for one in match["pairtenths"])
        return Figure(low, high, "%", "about", "tenths", start, end) if low < high else None
    if match["part_of"]:
        value = float(match["part_of"]) / float(match["whole"] or 1)
        return Figure(value, math.nan, "%", "exactly", "words", start, end) if value < 1 else None
    if match["double"] is not None:
        times = plain_value(match["double"] or "一") if match["double"] != "几" else 1.0
        return Figure(2.0**times, math.nan, "番", "exactly", "times", start, end)
    return _counted(match, start, end)


def _counted(match: re.Match, start: int, end: int) -> Figure | None:
    sign = match["sign"] or match["sign2"] or match["sign1"] or ""
    if match["sign2"] and not match["sign"]:
        end += len(match["sign2"])
    scale = _times(match["scale"])
    if match["pair"]:
        more = math.prod(_SCALES[word] for word in match["pairscale"])
        low, high = (plain_value(one) * more for one in match["pair"])
        return Figure(low, high, sign, "about", "vague", start, end) if sign else None
    if not match["low"].strip("十百千万亿") and match["low"] not in ("十", "百"):
        return None  # 万名 is a way of speaking; where it is a bound, `_BARE` reads it
    low = plain_value(match["low"]) * scale
    if not sign and not match["low"][0].isdecimal():
        return None
    high = math.nan
    if match["high"]:
        scale2 = _times(match["scale2"])
        if not match["scale"] and not match["sign1"]:
            low *= scale2  # in 5-10万元 the sign stands once for both ends
        high = plain_value(match["high"]) * scale2
        if not low < high:
            return None
    if sign == "刻钟":
        low *= 15
    part = {"%": 100, "‰": 1000}.get(sign) or (100 if "百分点" in sign else 1)
    vague = match["vague"] or match["late"]
    bound = "exactly" if not vague else "about" if vague == "来" else "at_least"
    how = "points" if "百分点" in sign else "vague" if vague else "" if sign else "lost"
    low, high = (round(one / part, 10) for one in (low, high))
    return Figure(low, high, sign, bound, how, start, end)


def _without_item(figure: Figure | None, text: str) -> Figure | None:
    """The figure without an item number that runs into it."""
    if figure is None or figure.sign not in _WHOLE_SIGNS or figure.value == int(figure.value):
        return figure
    printed = re.match(r"(\d{1,2})\.(\d{2,})", text[figure.start : figure.end])
    clause = _CLAUSE.split(text[: figure.start])[-1]
    if not printed or _A_RATE.search(clause) or re.match(r"[\d.]+[万亿]", text[figure.start :]):
        return figure
    return replace(figure, value=float(printed[2]), start=figure.start + len(printed[1]) + 1)


def _times(scale: str | None) -> float:
    return math.prod(_SCALES[word] for word in scale or "")


def _is_start_of_change(text: str, figure: Figure) -> bool:
    """Whether it is where a change starts: in 由30%提高到50% the promise is the second."""
    return bool(
        _FROM.search(text[max(0, figure.start - 16) : figure.start])
        and _RISES.match(text[figure.end : figure.end + 14])
    )


def bound_of(text: str, start: int, end: int, otherwise: str = "exactly") -> str:
    """How a figure of a compact text is bounded: at_least, at_most, exactly or about.

    Words before it (不少于, 至少, 约) and after it (以上, 以内, 左右) decide. 力争 makes a bare figure `about`
    as far as its sentence goes; a bound word of the figure's own comes first.
    """
    after = text[end : end + 12]
    for bound, words in _WORDS_AFTER.items():
        if re.match(rf"(?:{words})", after):
            return bound
    before = _CLAUSE.split(text[max(0, start - 24) : start])[-1]
    for bound, words in _WORDS_BEFORE.items():
        free = "|".join(one for one in words.split("|") if one in _FREE)
        near = rf"(?<![不未得])(?:{words})(?:到|达到|达|为|在|有|于)?(?:每[月年人床户名张]{{1,4}})?\(?$"
        if re.search(near, before):
            return bound
        if free and re.search(rf"(?:{free})[^\d、]{{0,8}}$", before):
            return bound
    if otherwise != "exactly":
        return otherwise
    if before.endswith(("上", "过", "几", "数")) and text[start : start + 1] in "十百千万亿":
        return "at_least"
    sentence = re.split(r"[。;!?]", text[:start])[-1]
    return "about" if _STRIVE.search(sentence) else "exactly"
