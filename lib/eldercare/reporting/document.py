"""The city report as a Word document, from the same blocks and pictures as its page."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import docx
from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from eldercare.reporting.blocks import Block, Bullets, Figure, Heading, Paragraph, Table, text_width

# Names of fonts that Word has wherever it shows Chinese: for text, and for headings.
FONTS = {"en": ("Calibri", "SimSun", "SimHei"), "zh": ("Times New Roman", "SimSun", "SimHei")}
TAGS = {"en": "en-GB", "zh": "zh-CN"}
MARGIN, PAGE = Cm(2.2), (Cm(21), Cm(29.7))
PICTURE = Cm(16.2)
TEXT_SIZE, TABLE_SIZE, NOTE_SIZE = Pt(10.5), Pt(8.5), Pt(9)
INK, HEAD = RGBColor(0x1B, 0x2A, 0x41), "F1F4F8"
NARROWEST, WIDEST = 8, 26


def word_document(
    blocks: Sequence[Block], pictures: Sequence[tuple[bytes, str]], code: str
) -> bytes:
    """The blocks as a DOCX file.

    pictures : PNG and alternative text of each figure, in order
    code     : the language
    """
    document = docx.Document()
    _set_up(document, code)
    waiting = iter(pictures)
    for block in blocks:
        if isinstance(block, Heading):
            document.add_heading(block.text, level=block.level - 1)
            if block.level == 1:
                document.core_properties.title = block.text
        elif isinstance(block, Paragraph):
            _paragraph(document, block)
        elif isinstance(block, Bullets):
            for item in block.items:
                document.add_paragraph(item, style="List Bullet")
        elif isinstance(block, Table):
            _table(document, block)
        else:
            _picture(document, block, waiting)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _set_up(document: Document, code: str) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = PAGE
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = MARGIN
    properties = document.core_properties
    properties.author, properties.comments, properties.language = "", "", TAGS[code]
    latin, body, heading = FONTS[code]
    for name in ("Normal", "Title", "Heading 1", "Caption", "List Bullet"):
        style = document.styles[name]
        style.font.name, style.font.color.rgb = latin, INK
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        fonts.set(qn("w:eastAsia"), heading if name in ("Title", "Heading 1") else body)
    document.styles["Normal"].font.size = TEXT_SIZE
    document.styles["Normal"].paragraph_format.space_after = Pt(4)
    document.styles["Title"].font.size, document.styles["Heading 1"].font.size = Pt(18), Pt(13)
    document.styles["Caption"].font.size = NOTE_SIZE
    language = (
        document.styles["Normal"]
        .element.get_or_add_rPr()
        .makeelement(qn("w:lang"), {qn("w:val"): TAGS["en"], qn("w:eastAsia"): TAGS["zh"]})
    )
    document.styles["Normal"].element.rPr.append(language)
    _page_number(section.footer.paragraphs[0])


def _page_number(paragraph) -> None:
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    paragraph._p.append(field)


def _paragraph(document: Document, block: Paragraph) -> None:
    paragraph = document.add_paragraph()
    run = paragraph.add_run(block.text)
    run.bold = block.style == "lead"
    if block.style == "note":
        run.font.size = NOTE_SIZE


def _table(document: Document, block: Table) -> None:
    caption = document.add_paragraph(block.caption, style="Caption")
    caption.paragraph_format.keep_with_next = True
    table = document.add_table(rows=0, cols=len(block.columns), style="Table Grid")
    widths = _widths(block)
    for column, width in zip(table.columns, widths):
        column.width = width
    for number, cells in enumerate((block.columns, *block.rows)):
        row = table.add_row()
        properties = row._tr.get_or_add_trPr()
        properties.append(OxmlElement("w:cantSplit"))
        if number == 0:
            properties.append(OxmlElement("w:tblHeader"))
        for cell, text, width in zip(row.cells, cells, widths):
            cell.width = width
            run = cell.paragraphs[0].add_run(text)
            run.font.size, run.bold = TABLE_SIZE, number == 0
            cell.paragraphs[0].paragraph_format.space_after = Pt(0)
            if number == 0:
                _shade(cell)
    document.add_paragraph().paragraph_format.space_after = Pt(0)


def _widths(block: Table) -> list[int]:
    """Widths of the columns, by their longest texts, which add up to the width of the page's text."""
    longest = [max(map(text_width, column)) for column in zip(block.columns, *block.rows)]
    weights = [min(max(width, NARROWEST), WIDEST) for width in longest]
    return [int((PAGE[0] - 2 * MARGIN) * weight / sum(weights)) for weight in weights]


def _shade(cell) -> None:
    shade = OxmlElement("w:shd")
    shade.set(qn("w:val"), "clear")
    shade.set(qn("w:fill"), HEAD)
    cell._tc.get_or_add_tcPr().append(shade)


def _picture(document: Document, block: Figure, waiting: Iterator[tuple[bytes, str]]) -> None:
    picture, words = next(waiting)
    shape = document.add_picture(io.BytesIO(picture), width=PICTURE)
    shape._inline.docPr.set("descr", words)
    document.paragraphs[-1].paragraph_format.keep_with_next = True
    caption = document.add_paragraph(block.caption, style="Caption")
    caption.alignment = WD_ALIGN_PARAGRAPH.CENTER
