"""The page's words in other languages: whole catalogues, and no English in a page of another."""

import ctypes
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from babel import Locale
from browser import Chromium, chromium
from click.testing import CliRunner
from page_words import (
    catalogue_paths,
    read_catalogue,
    said_by_page,
    said_in,
)
from people import table_model, table_of
from run_pages import digits_run, values_run

import clearprop as cp
from clearprop.cli import cli
from clearprop.data import Dataset
from clearprop.errors import UnknownNameError
from clearprop.files.models import Model
from clearprop.layers import ACTIVATIONS
from clearprop.optimizers import OPTIMIZERS
from clearprop.page import LANGUAGES, language_of_system, pack
from clearprop.page.languages import words_in
from clearprop.preprocessing import ArrayRecipe, ClassTarget, Preprocessing
from clearprop.report import RunPage, page_data
from clearprop.training import History

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


# In a browser

COLLECT = """
const found = [];
const kinds = NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT;
const nodes = document.createTreeWalker(document.body, kinds);
while (nodes.nextNode()) {
  const node = nodes.currentNode;
  const isText = node.nodeType === Node.TEXT_NODE;
  if ((isText ? node.parentElement : node).closest(arguments[0])) continue;
  if (isText) found.push(node.data);
  else for (const name of ["aria-label", "title", "alt"]) found.push(node.getAttribute(name) ?? "");
}
return [...new Set(found.map((text) => text.trim()).filter(Boolean))];
"""
# Code, formulas, and settings by their names in commands.
CODE = "script, code, .mono, .settings, .comparison thead"
TOY_DATA = ("planar", "moons", "spirals", "blobs", "linear")
LATIN = re.compile("[A-Za-z]{2,}")
UNSAID = "\u0436"  # a letter of no language of the page, for those of its English words


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    """Runs of pictures, of values, of two features, of a table."""
    moons = cp.load_data("moons")
    layers = [cp.Dense(3), cp.Tanh(), cp.Dense(2)]
    network = cp.Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(2,), seed=1)
    recipe = Preprocessing(ArrayRecipe.fit(moons.X), ClassTarget(("1", "2"), "3"))
    plane = _run(Model(network, recipe, {}), samples=("train", moons), train=moons)
    rows = [{"age": 20 + n, "city": "Oslo", "born": "2000-01-01", "size": n} for n in range(6)]
    kinds = Dataset("people", "table", table_of(rows), np.arange(6) % 2, ("no", "yes"))
    people = _run(table_model(), samples=("validation", kinds))
    found: dict[str, Any] = page_data([digits_run().page, values_run().page, plane, people])
    for run in found["runs"]:
        run["doctor"], run["samples"]["sources"] = None, None
        run["report"].pop("notes", None)
    return found


def _run(model: Model, **others: Any) -> RunPage:
    return RunPage(
        name="run", command="clearprop train", model=model, history=History(), report={}, **others
    )


def texts_of_all_runs(browser: Chromium, page: Path) -> set[str]:
    """Return what can be read in a page, everything in it opened that can be."""
    browser.open(page)
    browser.find(".page-head h1")
    found: set[str] = set()
    for place in range(len(browser.all(".run-choice button"))):
        browser.all(".run-choice button")[place].click()
        for panel in [one.get_attribute("id") for one in browser.all(".group .panel")]:
            browser.until(lambda panel=panel: browser.run(SHOW, panel), f"{panel} is not made")
        found |= set(browser.run(COLLECT, CODE))
        browser.run(OPEN)
        found |= set(browser.run(COLLECT, CODE))
    assert browser.errors() == []
    return found


SHOW = """
const panel = document.getElementById(arguments[0]);
if (panel === null) return true; // it has nothing to show of this run
panel.scrollIntoView({ behavior: "instant" });
return panel.querySelector(".panel-body.made") !== null;
"""
OPEN = """
for (const one of document.querySelectorAll("details:not([open]) > summary")) one.click();
for (const one of document.querySelectorAll("#matrices form > button")) one.click();
for (const one of document.querySelectorAll("#own-input [role=group] button")) one.click();
const data = document.querySelector(".play-field select[name=data]");
if (data !== null) {
  data.value = "own";
  data.dispatchEvent(new Event("change", { bubbles: true }));
}
const rate = document.querySelector(".play-field input[name=rate]");
if (rate !== null) {
  rate.value = "-1";
  rate.dispatchEvent(new Event("change", { bubbles: true }));
}
"""


@pytest.mark.browser
def test_every_word_of_a_page_is_said(
    browser: Chromium, data: dict[str, Any], tmp_path: Path
) -> None:
    """In a language without Latin letters none is left, but in names, code and data."""
    words = {said.text: _unsaid(said.text) for said in SAID}
    text = pack(data, title="runs").replace('"words":{}', f'"words":{json.dumps(words)}')
    page = tmp_path / "page.html"
    page.write_text(text, encoding="utf-8")
    seen = texts_of_all_runs(browser, page)
    assert sum(UNSAID in text for text in seen) > 150
    classes = [name for name in cp.__all__ if name[0].isupper()]
    columns = ["age", "city", "born", "size", "years", "Oslo", "Bergen", "no", "yes", "price"]
    runs = ["digits", "prices", "run", "digit", "kind", "SVG", "PNG", "CSV", "clearprop", "min"]
    names = [*classes, *ACTIVATIONS, *OPTIMIZERS, *TOY_DATA, *columns, *runs]
    known = set(LATIN.findall(" ".join(names)))
    assert {text for text in seen if set(LATIN.findall(text)) - known} == set()


@pytest.mark.browser
def test_no_english_is_left_in_a_spanish_page(
    browser: Chromium, data: dict[str, Any], tmp_path: Path
) -> None:
    words = words_in("es")
    page = tmp_path / "page.html"
    page.write_text(pack(data, title="runs", language="es"), encoding="utf-8")
    seen = texts_of_all_runs(browser, page)
    assert browser.run("return document.documentElement.lang") == "es"
    assert {"Entrenamiento", "Capas y pesos", "La orden que lo repite", "Probabilidades"} <= seen
    english = [_pattern(text) for text, told in words.items() if _bare(text) != _bare(told)]
    seen -= {"yes"}  # a class of the table
    assert {text for text in seen if any(one.fullmatch(text) for one in english)} == set()
    spanish = [_pattern(told) for told in words.values()]
    assert sum(any(one.fullmatch(text) for one in spanish) for text in seen) > 150


def _unsaid(text: str) -> str:
    return re.sub(r"\{\w+\}|[A-Za-z]", lambda one: one[0] if len(one[0]) > 1 else UNSAID, text)


def _pattern(text: str) -> re.Pattern[str]:
    """Return a pattern for a text with any values in it."""
    return re.compile(".+".join(map(re.escape, PLACEHOLDER.split(text))), re.DOTALL)


def _bare(text: str) -> list[str]:
    """Return the words of a text, without the names of its values."""
    return re.findall(r"\w+", PLACEHOLDER.sub("", text))


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
