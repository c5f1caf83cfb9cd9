"""Text from outside is shown, and neither obeyed nor hidden."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.core.printable import printable, printable_json

ANY_TEXT = st.text(st.characters(codec=None))  # lone surrogates, too

ORDINARY = (
    *(
        "plain text, 100% [bold] {x} \\x1b",
        "Größe",
        "名前",
        "κλάση",
        "класс",
        "수량",
        "ชื่อ",
        "हिन्दी",
    ),
    *("می‌خواهم", "क्‍ष", "שָׁלוֹם", "عدد", "é"),
    *("🐱", "👨‍👩‍👧", "❤️", "👍🏽", "🇫🇷", "1️⃣", "🫨"),
)
"""Texts of many scripts; the last emoji is younger than some Pythons' tables."""


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays(text):
    assert printable(text) == text
    assert printable(text, one_line=True) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b31mred", r"\x9b31mred"),
        ("a\x7f\x08b\r", r"a\x7f\x08b\x0d"),
        ("photo\u202egpj.exe", r"photo\u202egpj.exe"),
        ("\u2066\u2069\u200e\u200f\u061c", r"\u2066\u2069\u200e\u200f\u061c"),
        ("cat\u200b", r"cat\u200b"),
        ("a\u200db", r"a\u200db"),
        ("é\u200d\u200dé", r"é\u200d\u200dé"),
        ("\ufeffx\u00ad", r"\ufeffx\xad"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("p\udcff \ud800", r"p\udcff \ud800"),
        ("\ue000\U000e0041\U0010ffff", r"\ue000\U000e0041\U0010ffff"),
        ("\u3164", r"\u3164"),
    ],
)
def test_what_is_obeyed_or_hidden_is_shown_by_its_code_point(text, shown):
    assert printable(text) == shown


@given(ANY_TEXT)
def test_nothing_obeyed_or_hidden_comes_through(text):
    shown = printable(text, one_line=True)
    shown.encode("utf-8")
    joiners = {"\u200c", "\u200d"}
    for character in set(shown) - joiners:
        assert unicodedata.category(character) not in {"Cc", "Cs", "Co", "Zl", "Zp"}
        assert unicodedata.bidirectional(character) not in {
            *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        }
    assert printable(shown) == shown


@given(ANY_TEXT)
def test_lines_and_tabs_stay_in_a_text_and_not_in_a_line(text):
    assert printable(f"a\n\tb{text}").startswith("a\n\tb")
    assert "\n" not in printable(f"{text}\n", one_line=True)


@given(st.dictionaries(ANY_TEXT, ANY_TEXT))
def test_json_means_the_same(value):
    written = printable_json(json.dumps(value, ensure_ascii=False, indent=1))
    # Two lone surrogates that stand together are one character in JSON.
    expected = json.loads(json.dumps(value))
    assert json.loads(written) == expected
    assert printable(written) == written
