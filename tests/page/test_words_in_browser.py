"""A page of another language in a browser: every word that can be read is that language's."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Chromium, chromium
from page_words import said_by_page
from people import table_model, table_of
from run_pages import digits_run, values_run

import clearprop as cp
from clearprop.data import Dataset
from clearprop.files.models import Model
from clearprop.layers import ACTIVATIONS
from clearprop.optimizers import OPTIMIZERS
from clearprop.page import pack
from clearprop.page.languages import words_in
from clearprop.preprocessing import ArrayRecipe, ClassTarget, Preprocessing
from clearprop.report import RunPage, page_data
from clearprop.training import History

pytestmark = pytest.mark.browser

PLACEHOLDER = re.compile(r"\{\w+\}")
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


def _array(name: str, role: str, of: str | None = None) -> dict[str, Any]:
    numbers = np.array([0, 1, np.inf], "<f4")
    return {
        "name": name,
        "role": role,
        "of": of,
        "shape": [3],
        "rows": 1,
        "columns": 3,
        "bad": 1,
        "low": 0.0,
        "high": 1.0,
        "counts": [1, 1],
        "norm": 1.0,
        "zeros": 0.5,
        "data": b64encode(numbers.tobytes()).decode("ascii"),
    }


PROGRAM = {
    "name": "1",
    "state": "failed",
    "why": "",
    "note": "",
    "printed": "2",
    "findings": [],
    "rows": [
        {"seconds": n, "cost": 2.0 - n, "ratios": {"W": 0.1}, "norms": {"G": 1.0}, "zeros": {}}
        for n in range(2)
    ],
    "lists": {"C": {"first": 0, "values": [2, 1]}},
    "arrays": [
        *[_array("W", "parameter"), _array("G", "gradient", "W")],
        *[_array("A", "activation"), _array("X", "array")],
    ],
    "counters": {"N": 2},
    "verdict": {
        "passed": False,
        "line": {"number": 3},
        "told": "",
        "rows": [{"parameter": "W", "verdict": "wrong"}],
    },
}
"""A watched program, as its server tells it."""

PROGRAM_SECTIONS = {
    "cost": ".plot-line",
    "verdict": "p.bad",
    "parameters": ".program-card",
    "flow": ".plot-line",
    "activations": ".program-card",
    "gradients": ".program-card",
    "printed": "pre:not(:empty)",
}
"""The sections of its page, and what is there as soon as they are drawn."""


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


def test_every_word_of_a_page_is_said(
    browser: Chromium, data: dict[str, Any], tmp_path: Path
) -> None:
    """In a language without Latin letters none is left, but in names, code and data."""
    seen = texts_of_all_runs(browser, page_without_letters(tmp_path, data))
    assert sum(UNSAID in text for text in seen) > 150
    classes = [name for name in cp.__all__ if name[0].isupper()]
    columns = ["age", "city", "born", "size", "years", "Oslo", "Bergen", "no", "yes", "price"]
    runs = ["digits", "prices", "run", "digit", "kind", "SVG", "PNG", "CSV", "clearprop", "min"]
    names = [*classes, *ACTIVATIONS, *OPTIMIZERS, *TOY_DATA, *columns, *runs]
    known = set(LATIN.findall(" ".join(names)))
    assert {text for text in seen if set(LATIN.findall(text)) - known} == set()


def test_every_word_of_a_program_s_page_is_said(browser: Chromium, tmp_path: Path) -> None:
    data = {"format": 1, "live": None, "runs": [], "program": PROGRAM}
    browser.open(page_without_letters(tmp_path, data))
    for section, drawn in PROGRAM_SECTIONS.items():
        browser.find(f"#{section}")
        browser.run("document.getElementById(arguments[0]).scrollIntoView()", section)
        browser.find(f"#{section} {drawn}")
    seen = browser.run(COLLECT, CODE)
    assert browser.errors() == []
    assert sum(UNSAID in text for text in seen) > 20
    assert {text for text in seen if set(LATIN.findall(text)) - {"clearprop"}} == set()


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


def page_without_letters(folder: Path, data: dict[str, Any]) -> Path:
    """Write a page in a language that has no Latin letter."""
    words = {said.text: _unsaid(said.text) for said in said_by_page() if said.text is not None}
    text = pack(data, title="1").replace('"words":{}', f'"words":{json.dumps(words)}')
    page = folder / "page.html"
    page.write_text(text, encoding="utf-8")
    return page


def _unsaid(text: str) -> str:
    return re.sub(r"\{\w+\}|[A-Za-z]", lambda one: one[0] if len(one[0]) > 1 else UNSAID, text)


def _pattern(text: str) -> re.Pattern[str]:
    """Return a pattern for a text with any values in it."""
    return re.compile(".+".join(map(re.escape, PLACEHOLDER.split(text))), re.DOTALL)


def _bare(text: str) -> list[str]:
    """Return the words of a text, without the names of its values."""
    return re.findall(r"\w+", PLACEHOLDER.sub("", text))
