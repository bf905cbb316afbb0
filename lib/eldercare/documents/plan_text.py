"""A policy document as passages of text: each with its place, its heading and the year its heading
names.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from eldercare.documents.document_lines import ANNEX, HEAD, ITEM, PART, SUB_ITEM, Line
from eldercare.documents.numerals import compact

_LABEL = re.compile(r"^[\[【]([^\]】]{1,40})[\]】]")
_NUMBER_ALONE = re.compile(r"^\d{1,3}$")
_ABOUT = re.compile(
    "网站标识码|公网安备|网安备|ICP备|版权所有|浏览|索引号|发布日期|发布时间|公开日期|成文日期|生成日期|信息来源|信息索引"
    "|发文字号|统一编号|主题分类|联系电话|邮编|^#"
)


@dataclass(frozen=True)
class Passage:
    """A paragraph, compact, without its number.

    locator : the headings above it, as 三(一)2;  place : its line, page or paragraph in the file
    year    : the year that the heading of its part names (NaN if none);  section : counts the main
              parts
    goals   : whether its part is one of goals, whose paragraphs share the year named first
    body    : whether a main part has begun
    """

    text: str
    locator: str
    place: str
    year: float
    section: int
    goals: bool
    body: bool


class _Outline:
    """The headings above the line that is read."""

    def __init__(self) -> None:
        self.head, self.part, self.item, self.annex, self.title = "", "", "", "", ""
        self.number, self.section = 0, 0
        self.year, self.goals, self.body, self.annex_lines = math.nan, False, False, 0

    def locator(self) -> str:
        if self.annex:
            return self.annex + (f"第{self.item}项" if self.item else self.head and f" {self.head}")
        if not self.head and not self.part:
            return "标题" if not self.body else "正文"
        if self.part or self.item:
            return (self.head or "") + (f"({self.part})" if self.part else "") + self.item
        return f"{self.head}、{self.title}" if self.title else self.head


def passages(lines: list[Line]) -> list[Passage]:
    """The paragraphs of a document in their order, each below its headings."""
    texts = [compact(line.text) for line in lines]
    outline, found = _Outline(), []
    # A few sentences without a heading are all of the plan's body.
    outline.body = not any(
        HEAD.match(text) or PART.match(text) or _LABEL.match(text) for text in texts
    )
    for at, (line, text) in enumerate(zip(lines, texts)):
        if not text or (_ABOUT.search(text) and len(text) < 90):
            continue
        text = _enter(outline, text, texts, at)
        if text:
            found.append(
                Passage(
                    text, outline.locator(), line.place, outline.year, outline.section,
                    outline.goals, outline.body,
                )
            )  # fmt: skip
    return found


def _enter(outline: _Outline, text: str, texts: list[str], at: int) -> str:
    """Move the outline on by the line's heading; the text without its number, empty if nothing is
    left.
    """
    label = _LABEL.match(text)
    if label and "…" not in label[1]:
        return _enter_label(outline, label[1], texts, at) or text[label.end() :]
    annex, head, part = ANNEX.match(text), HEAD.match(text), PART.match(text)
    if annex and len(text) < 40 and not text.startswith("附件下载"):
        outline.annex, outline.head, outline.part, outline.item = f"附件{annex[1]}", "", "", ""
        outline.section, outline.annex_lines, outline.goals = outline.section + 1, 3, False
        outline.year = _year_of_title(text)
        return ""
    if outline.annex_lines:
        outline.annex_lines -= 1
        if len(text) < 60 and math.isnan(outline.year):
            outline.year = _year_of_title(text)
    if outline.annex and _NUMBER_ALONE.match(text):
        outline.item = text
        return ""
    if head:
        outline.head, outline.part, outline.item, outline.number = head[1] or head[2], "", "", 0
        text = text[head.end() :]
        outline.title = re.split(r"[\]】。:,]", text)[0][:16]
        outline.section, outline.body = outline.section + 1, True
        outline.goals = "目标" in outline.title or "指标" in outline.title
        return text
    if part:
        outline.part, outline.item, outline.number = part[1] or part[2], "", 0
        outline.section, outline.body = outline.section + 1, True
        outline.goals = "目标" in text[:20] or outline.goals and "目标" in outline.title
        return text[part.end() :]
    return _enter_item(outline, text, texts, at)


def _enter_label(outline: _Outline, label: str, texts: list[str], at: int) -> str:
    """Move the outline on by an editor's label before a quoted passage, as [二、工作目标]; always the
    empty text.
    """
    section = outline.section
    _enter(outline, label, texts, at)
    if outline.section == section:  # a label without a number
        outline.head, outline.title, outline.part, outline.item = label, "", "", ""
        outline.section, outline.body = section + 1, True
    outline.goals = outline.goals or "目标" in label or "指标" in label
    return ""


def _enter_item(outline: _Outline, text: str, texts: list[str], at: int) -> str:
    item, below = ITEM.match(text), SUB_ITEM.match(text)
    if item:
        number = int(item[1])
        sure = not text[item.end()].isdecimal() if len(text) > item.end() else False
        follows = number == outline.number + 1 and (
            number > 1 or any(later.startswith("2.") for later in texts[at + 1 : at + 40])
        )
        if sure or text[item.end() :].startswith("20") or follows:
            outline.number, outline.item = number, item[1]
            outline.section += not outline.goals
            return text[item.end() :]
    return text[below.end() :] if below else text


def _year_of_title(text: str) -> float:
    """The one year that a heading names; a period of years is none."""
    years = re.findall(r"(20\d\d)年", text)
    period = re.search(r"20\d\d年?[-至到]20\d\d", text)
    return float(years[0]) if len(set(years)) == 1 and not period else math.nan


def issue_year(lines: list[Line]) -> float:
    """The year in which a document was issued, from its number or the first full date; NaN if it
    has none.
    """
    texts = [compact(line.text) for line in lines]
    tries = (
        (r"^\D{0,8}(20\d\d)年\d{1,2}月\d{1,2}日\D{0,8}$", texts),
        (r"(?:发布|成文|印发|公开|posted)\D{0,6}(20\d\d)[-年]", texts[:60]),
        (r"[〔\[(【](20\d\d)[〕\])】]第?\d+号", texts[:12]),
        (r"(20\d\d)[-年]\d{1,2}[-月]\d{1,2}", texts[:60]),
        (r"(20\d\d)[-年]", texts[:30]),
    )
    for pattern, where in tries:
        for text in where:
            found = re.search(pattern, text)
            if found:
                return float(found[1])
    return math.nan


def about(lines: list[Line]) -> dict[str, str]:
    """Title, number and date of a document as its first lines print them, for its row of
    sources.csv; what is there.
    """
    texts = [compact(line.text) for line in lines[:60]]
    text = " ".join(texts)
    title = next(
        (
            one
            for one in texts
            if re.search("意见|方案|规划|办法|通知|计划|决定|措施|行动", one)
            and len(one) < 120
            and "。" not in one
        ),
        "",
    )
    # A number behind 《…》 is that of another document.
    number = re.search(
        r"(?<!《)[一-鿿]{1,6}[〔\[【(]20\d\d[〕\])】]第?\d+号",
        re.sub("《[^》]*》[(（]?[^)）]*", "《", text),
    )
    date = re.search(r"(20\d\d)[年-](\d{1,2})[月-](\d{1,2})", text)
    return {
        "title_zh": re.sub(r"\([^()]*(?:号|\d{4})[^()]*\)$", "", title),
        "document_number": number[0] if number else "",
        "issued_on": "-".join(part.zfill(2) for part in date.groups()) if date else "",
    }


_NO_PROMISE = (
    ("other_document", r"《[^》]*》|[一-鿿]{0,6}[〔【\[(]20\d\d[〕】\])]第?\d+号"),
    (
        "date_of_document",
        r"20\d\d年\d{1,2}月\d{1,2}日(?!前)|20\d\d-\d{1,2}-\d{1,2}(?: ?\d\d:\d\d(?::\d\d)?)?",
    ),
    ("telephone", r"\d{3,4}-\d{7,8}|(?<!\d)1\d{10}(?!\d)"),
    ("name", r"“?十[二三四五六]五”?(?=规划|时期)"),
)


def no_promises(lines: list[Line]) -> list[tuple[str, str]]:
    """Phrases whose numbers are surely no promise, and why: item numbers, dates, numbers and titles
    of documents.
    """
    found: dict[str, str] = {}
    for line in lines:
        text = compact(line.text)
        for head in (HEAD, PART, ITEM, SUB_ITEM):
            match = head.match(text)
            if match and not text[match.end() : match.end() + 1].isdecimal():
                found.setdefault(text[: match.end() + 4], "item_number")
        for reason, pattern in _NO_PROMISE:
            for match in re.finditer(pattern, text):
                if re.search(r"[\d一二三四五六七八九十]", match[0]):
                    found.setdefault(match[0], reason)
    return list(found.items())
