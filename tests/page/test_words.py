"""The page's words in other languages: all are in each catalogue, and the system's is found."""

import ctypes
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from babel import Locale
from click.testing import CliRunner
from page_words import catalogue_paths, read_catalogue, said_by_page, said_in, said_in_python

from clearprop.cli import cli
from clearprop.errors import UnknownNameError
from clearprop.page import LANGUAGES, language_of_system, pack
from clearprop.page.languages import words_in

OTHERS = [language for language in LANGUAGES if language != "en"]
PLACEHOLDER = re.compile(r"\{\w+\}")
SAID = [said for said in said_by_page() if said.text is not None]


# What the modules say


def test_texts_are_found_however_they_are_written() -> None:
    code = """
        /** say("of a comment") */
        // say("of another")
        export function say(text) {}
        make("p", {}, say("plain, with a comma")); // say("at the end")
        say(
          "on lines: " +
            "{one}, " +
            "two",
          { one: say("within (another)"), two: [1, 2] },
        );
        `${say("in a template")} say`;
        say('Found "{found}"', { found });
        sayCount(rows[f(1, 2)].length, "{count} row", "{count} rows", { side });
        say(isOne ? "one of them" : "or the other", {});
        say(text);
        say(`${word} of two`);
    """
    found = [(said.text, said.line) for said in said_in(code, "x.js")]
    assert found == [
        ("plain, with a comma", 5),
        ("on lines: {one}, two", 6),
        ("within (another)", 10),
        ("in a template", 12),
        ('Found "{found}"', 13),
        ("{count} row", 14),
        ("{count} rows", 14),
        ("one of them", 15),
        ("or the other", 15),
        (None, 16),
        (None, 17),
    ]


def test_texts_are_found_in_python() -> None:
    code = """
say = words.say  # say("of a comment")
page(say("plain"), words.say(
    "on {one} "
    "and two", one=say('within')))
say(text)
word = say("one") if one else say("other")
"""
    found = [(said.text, said.line) for said in said_in_python(code, "x.py")]
    assert found == [
        ("plain", 3),
        ("on {one} and two", 3),
        ("within", 5),
        (None, 6),
        ("one", 7),
        ("other", 7),
    ]


def test_every_text_is_a_literal() -> None:
    assert [said for said in said_by_page() if said.text is None] == []


def test_the_modules_say_much() -> None:
    assert len({said.module for said in SAID}) > 40
    assert len({said.text for said in SAID}) > 300


# Catalogues


def test_there_is_a_catalogue_for_each_language() -> None:
    assert [path.parts[-3] for path in catalogue_paths()] == sorted(OTHERS)


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_has_every_text_and_no_other(language: str) -> None:
    """Else: python tests/page/page_words.py, and translate."""
    messages = {one.id: one for one in _catalogue(language) if one.id}
    assert messages.keys() == {said.text for said in SAID}
    assert [text for text, one in messages.items() if not one.string or one.fuzzy] == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_values_of_its_text(language: str) -> None:
    for message in _catalogue(language):
        assert sorted(PLACEHOLDER.findall(message.id)) == sorted(
            PLACEHOLDER.findall(message.string)
        ), message.string


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_ends_as_its_text_does(language: str) -> None:
    """A sentence ends as one, a word does not, and no blank is lost that joins it with others."""
    stops = {"。": ".", "？": "?", "：": ":"}
    for message in _catalogue(language):
        if message.id:
            last = message.string[-1]
            expected, found = message.id[-1], stops.get(last, last)
            assert (expected in ".:?") == (found in ".:?"), message.string
            assert message.string == message.string.strip(), message.string


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    """Else: python tests/page/page_words.py."""
    assert words_in(language) == {one.id: one.string for one in _catalogue(language) if one.id}


def test_the_chinese_of_taiwan_is_no_simplified_one() -> None:
    """Characters that only one of both scripts has, among the most frequent of the page's words."""
    simplified, traditional = (
        "".join(words_in("zh_CN").values()),
        "".join(words_in("zh_TW").values()),
    )
    assert not set("权样层网络据个类输应为这损数误选择设轮") & set(traditional)
    assert not set("權樣層網絡據個類輸應為這損數誤選擇設輪") & set(simplified)
    for there, here in (("数据", "資料"), ("概率", "機率"), ("保存", "儲存"), ("文件", "檔案")):
        assert there in simplified
        assert here in traditional


def test_english_needs_no_words() -> None:
    assert words_in("en") == {}


@pytest.mark.parametrize("language", ["fr", "es_MX", "../es", ""])
def test_another_language_is_refused_in_a_sentence(language: str) -> None:
    with pytest.raises(UnknownNameError, match=r"There is no language .* Known: en, es, zh_CN, zh"):
        words_in(language)
    with pytest.raises(UnknownNameError, match="There is no language"):
        pack({"format": 1, "live": None, "runs": []}, title="x", language=language)


# The system's language


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "POSIX"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "est_EE"}, "en"),
        ({"LANG": "es"}, "es"),
        ({"LANG": "es_MX.UTF-8"}, "es"),
        ({"LANG": "es-419"}, "es"),
        ({"LANG": "ES_es@euro"}, "es"),
        ({"LANG": "zh"}, "zh_CN"),
        ({"LANG": "zh_CN.GB18030"}, "zh_CN"),
        ({"LANG": "zh_SG.UTF-8"}, "zh_CN"),
        ({"LANG": "zh_TW.UTF-8"}, "zh_TW"),
        ({"LANG": "zh_HK"}, "zh_TW"),
        ({"LANG": "zh_MO.UTF-8"}, "zh_TW"),
        ({"LANG": "zh-Hant"}, "zh_TW"),
        ({"LANG": "zh-Hant-HK"}, "zh_TW"),
        ({"LANG": "zh-Hans-HK"}, "zh_CN"),
        ({"LANG": "zhx_TW"}, "en"),
        ({"LC_MESSAGES": "es_ES", "LANG": "zh_CN"}, "es"),
        ({"LC_ALL": "zh_TW", "LC_MESSAGES": "es_ES", "LANG": "en_US"}, "zh_TW"),
        ({"LC_ALL": "", "LANG": "es_AR"}, "es"),
        ({"LC_NUMERIC": "es_ES", "LANG": "en_US"}, "en"),
        ({"LANGUAGE": "es:en", "LANG": "en_US.UTF-8"}, "es"),
        ({"LANGUAGE": "fr:zh_TW:es", "LANG": "fr_FR.UTF-8"}, "zh_TW"),
        ({"LANGUAGE": "en:es", "LANG": "es_ES.UTF-8"}, "en"),
        ({"LANGUAGE": "fr:de", "LANG": "es_ES.UTF-8"}, "en"),
        ({"LANGUAGE": "", "LANG": "es_ES.UTF-8"}, "es"),
        ({"LANGUAGE": "es"}, "es"),
        ({"LANGUAGE": "es", "LC_ALL": "C"}, "en"),
        ({"LANGUAGE": "es", "LC_ALL": "C.UTF-8"}, "es"),
        ({"LANGUAGE": ":::", "LANG": "es_ES"}, "en"),
    ],
)
def test_the_system_s_language_is_what_its_environment_asks_for(
    environment: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set_environment(monkeypatch, environment)
    assert language_of_system() == language


@pytest.mark.parametrize(
    ("code", "language"),
    [(0x080A, "es"), (0x0404, "zh_TW"), (0x0804, "zh_CN"), (0x0407, "en"), (0xFFFF, "en")],
)
def test_on_windows_its_own_setting_is_asked(
    code: int, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Windows:
        class kernel32:  # noqa: N801 - as Windows has it
            GetUserDefaultUILanguage = staticmethod(lambda: code)

    _set_environment(monkeypatch, {})
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "windll", Windows, raising=False)
    assert language_of_system() == language
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    assert language_of_system() == "en"


@pytest.mark.slow
def test_a_run_where_spanish_is_spoken_writes_a_spanish_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set_environment(monkeypatch, {"LANG": "es_ES.UTF-8"})
    folder = tmp_path / "iris"
    settings = ["--layers", "4", "--test", "0.2", "--validation", "0.2", "--l2", "0"]
    _run_command("train", "iris", "--epochs", "5", *settings, "--out", str(folder))
    assert _language_of(folder / "report.html") == "es"
    _run_command("report", str(folder), "--language", "zh_TW")
    assert _language_of(folder / "report.html") == "zh-Hant"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_brings_the_words_of_its_language(language: str) -> None:
    text = pack({"format": 1, "live": None, "runs": []}, title="x", language=language)
    found = re.search(r'<html lang="([\w-]+)">', text)
    assert found
    assert Locale.parse(found[1], sep="-").language == language[:2]
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text)
    assert data
    assert json.loads(data[1])["words"] == words_in(language)


def _catalogue(language: str) -> Any:
    return read_catalogue(next(path for path in catalogue_paths() if path.parts[-3] == language))


def _set_environment(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def _run_command(*arguments: str) -> None:
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output


def _language_of(page: Path) -> str:
    found = re.search(r'<html lang="([\w-]+)">', page.read_text(encoding="utf-8"))
    assert found
    return found[1]
