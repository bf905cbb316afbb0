"""Chinese on figures needs no font of the machine: every label is drawn with glyphs, none as blank
boxes.
"""

import base64
import io
import re
import warnings
from functools import cache
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from fontTools.ttLib import TTFont
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

import eldercare
from eldercare.app import export
from eldercare.reporting.sheet import FONT, FONTS, set_style

NO_GLYPH = "\ue000"  # of the private use area: no font of the project has it
SIZE, DPI = 16, 72
AT_ONCE, COARSE = 40, 30


def all_labels(project):
    """Every text that may stand on a figure or in a report, in both languages."""
    tables = [
        project.indicators,
        project.assumption_steps,
        *(city.targets for city in project.cities.values()),
    ]
    texts = [
        text for table in tables for column in ("label_en", "label_zh") for text in table[column]
    ]
    texts += [text for column in ("en", "zh") for text in project.phrases[column]]
    texts += [name for city in project.cities.values() for name in (city.name_en, city.name_zh)]
    return sorted({text.replace("$", "") for text in texts if text})


@pytest.fixture(scope="module")
def labels(project):
    found = all_labels(project)
    assert len(found) > 700
    return found


@cache
def font_of_report():
    return font_manager.get_font([str(FONT), font_manager.findfont(FONTS[1])])


def picture(text):
    """Pixels of a text in the fonts of the report; a character without a glyph is a box."""
    font = font_of_report()
    font.set_size(SIZE, DPI)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if NO_GLYPH in text else "error")
        font.set_text(text)
    font.draw_glyphs_to_bitmap()
    return np.array(font.get_image())


@cache
def boxes(count):
    return picture(NO_GLYPH * count)


def same(one, other):
    return one.shape == other.shape and np.array_equal(one, other)


def test_the_font_is_part_of_the_library():
    assert FONT.is_relative_to(Path(eldercare.__file__).parent)
    assert FT2Font(FONT).family_name == FONTS[0]
    assert (FONT.parent / "OFL.txt").is_file()


def test_every_label_is_drawn_without_a_warning_of_a_missing_glyph(labels):
    set_style()
    with warnings.catch_warnings(), plt.rc_context({"font.family": FONTS}):
        warnings.simplefilter("error")
        for start in range(0, len(labels), AT_ONCE):
            figure = plt.figure(dpi=COARSE)
            for place, label in enumerate(labels[start : start + AT_ONCE]):
                figure.text(0, place / AT_ONCE, label)
            figure.canvas.draw()
            plt.close(figure)


def test_the_warning_is_given_for_a_character_that_no_font_has():
    set_style()
    figure = plt.figure()
    figure.text(0, 0, NO_GLYPH)
    with (
        pytest.warns(UserWarning, match="Glyph .* missing"),
        plt.rc_context({"font.family": FONTS}),
    ):
        figure.savefig(io.BytesIO(), format="png")
    plt.close(figure)


def test_no_label_looks_like_as_many_blank_boxes(labels):
    assert [label for label in labels if same(picture(label), boxes(len(label)))] == []


def test_no_character_of_a_label_looks_like_a_blank_box(labels):
    box = boxes(1)
    characters = sorted({sign for label in labels for sign in label if not sign.isspace()})
    assert sum("\u4e00" <= sign <= "\u9fff" for sign in characters) > 300
    assert [sign for sign in characters if same(picture(sign), box)] == []


def test_a_blank_box_is_seen_as_one():
    assert same(picture("\ue001" * 3 + NO_GLYPH), boxes(4))
    assert not same(picture("养老床位"), boxes(4))


def test_the_page_carries_the_glyphs_of_its_own_text_and_no_others():
    text = "护理型床位 16,400"
    font = TTFont(io.BytesIO(export.font_with(text)))
    assert set(map(ord, text)) <= set(font.getBestCmap()) and len(font.getBestCmap()) == len(
        set(text)
    )


def test_the_template_names_no_font_file_and_no_address():
    template = Path(export.TEMPLATE).read_text("utf-8")
    assert re.findall(r"url\((?!data:)", template) == [] and "http" not in template


def test_the_font_is_the_same_at_every_run():
    assert base64.b64encode(export.font_with("床位")) == base64.b64encode(export.font_with("床位"))
