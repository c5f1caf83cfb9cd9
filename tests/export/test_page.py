"""A model as a page of its own: it works from disk, and answers what a person gives it."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Chromium, chromium
from page_words import PAGE, said_in
from people import table_model, table_of
from script_cases import HOSTILE, dense_case, picture_case, table_cases, values_case

import clearprop as cp
from clearprop.errors import UnknownNameError, UsageError
from clearprop.exports.target import Ran
from clearprop.exports.web.node import run_script
from clearprop.exports.web.page import page_text
from clearprop.exports.web.script import script_text
from clearprop.files.models import Model
from clearprop.network import Network
from clearprop.page import LANGUAGES, module_texts
from clearprop.page.languages import words_in
from clearprop.preprocessing import ClassTarget, PictureRecipe, Preprocessing

DIGITS = tuple("0123456789")
LARGEST = 400_000  # bytes of the page of digits
STROKES = {
    "0": [
        [(50, 15), (30, 25), (25, 50), (32, 78), (50, 86), (68, 78), (75, 50), (70, 25), (50, 15)]
    ],
    "3": [[(32, 20), (55, 15), (68, 28), (50, 48), (70, 64), (58, 84), (32, 80)]],
    "4": [[(60, 85), (60, 15), (28, 62), (76, 62)]],
}
"""Digits as a pen draws them, in hundredths of the sheet."""


def untrained() -> Model:
    """Return a network of the size that ``clearprop train digits`` has, which knows nothing."""
    layers = [
        *(cp.Flatten(), cp.Dense(256), cp.ReLU(), cp.Dropout(0.2)),
        *(cp.Dense(128), cp.ReLU(), cp.Dropout(0.2), cp.Dense(10)),
    ]
    loss = cp.SoftmaxCrossEntropy()
    net = Network(layers, loss=loss, input_shape=(8, 8), seed=0, dtype="float32")
    recipe = PictureRecipe.fit(cp.load_data("digits").X)
    return Model(net, Preprocessing(recipe, ClassTarget(DIGITS, "digit")))


@pytest.fixture(scope="module")
def digits() -> Model:
    model, data = untrained(), cp.load_data("digits")
    assert model.preprocessing is not None
    X = model.preprocessing.inputs.transform(data.X, "float32")
    trainer = cp.Trainer(optimizer=cp.Adam(0.002), epochs=12, batch_size=32, seed=0)
    trainer.fit(model.network, X, data.y)
    return model


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as started:
        yield started


def written(folder: Path, model: Model, language: str = "en", title: str = "a model") -> Path:
    path = folder / "page.html"
    path.write_text(page_text(model, title=title, language=language), encoding="utf-8")
    return path


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_digits_is_small(language: str) -> None:
    assert len(page_text(untrained(), title="digits", language=language).encode()) < LARGEST


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("kind", ["dense", "convolution", "table", "robust table", "values"])
def test_the_modules_in_a_page_compute_what_python_does(tmp_path: Path, kind: str) -> None:
    table, robust = table_cases()
    cases = {"dense": dense_case(), "convolution": picture_case(tmp_path), "table": table}
    case = {**cases, "robust table": robust, "values": values_case()}[kind]
    found = run_script(written(tmp_path, case.model), case.rows, is_page=True)
    assert isinstance(found, Ran)
    largest = np.abs(case.logits).max()
    np.testing.assert_allclose(found.logits, case.logits, rtol=0, atol=1e-5 * largest)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_another_page_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>No model</p>", encoding="utf-8")
    with pytest.raises(UsageError, match="is no page of one model"):
        run_script(tmp_path / "page.html", np.zeros((1, 2)), is_page=True)


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
@pytest.mark.parametrize("kind", ["pictures", "rows"])
def test_a_page_brings_a_translation_of_every_text_that_it_says(kind: str, language: str) -> None:
    model = dense_case().model if kind == "pictures" else table_model()
    text = page_text(model, title="x", language=language)
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text)
    script = re.search(r'<script type="module">\n(.*)\n</script>', text, re.DOTALL)
    assert data
    assert script
    words = json.loads(data[1])["words"]
    said = {
        one.text
        for name in module_texts(f"view/alone_{kind}.js")
        if f"// {name}\n" in script[1] and name != "view/words.js"
        for one in said_in((PAGE / name).read_text(encoding="utf-8"), name)
        if one.text and re.sub(r"\W", "", one.text) in re.sub(r"\W", "", script[1])
    }
    assert len(said) > 15
    assert said & words_in(language).keys() <= words.keys()
    assert len(words) < 120  # and not those of the whole page


def test_an_unknown_language_is_told() -> None:
    with pytest.raises(UnknownNameError, match="There is no language 'xx'"):
        page_text(table_model(), title="x", language="xx")


@pytest.mark.browser
@pytest.mark.parametrize("digit", STROKES)
def test_a_drawn_digit_is_classified_from_disk_without_a_network(
    browser: Chromium, digits: Model, tmp_path: Path, digit: str
) -> None:
    browser.open(written(tmp_path, digits, title="digits"))
    assert browser.text("h1") == "digits"
    draw(browser, STROKES[digit])
    browser.until(lambda: browser.text(".answer-said strong") == digit, f"{digit} is not seen")
    browser.find(".look canvas.heated")  # and what the answer hangs on
    assert browser.run("return location.protocol") == "file:"
    assert browser.run("return performance.getEntriesByType('resource').length") == 0
    assert not browser.errors()


@pytest.mark.browser
def test_a_small_drawing_aside_is_brought_to_the_middle(
    browser: Chromium, digits: Model, tmp_path: Path
) -> None:
    browser.open(written(tmp_path, digits))
    small = [[(x / 2 + 45, y / 2 + 5) for x, y in stroke] for stroke in STROKES["0"]]
    draw(browser, small)
    browser.until(lambda: browser.text(".answer-said strong") == "0", "0 is not seen")


@pytest.mark.browser
def test_a_digit_is_drawn_by_keys(browser: Chromium, digits: Model, tmp_path: Path) -> None:
    browser.open(written(tmp_path, digits))
    browser.find(".pad").send_keys(" ", "\ue015" * 8)
    browser.find(".answer-said strong")


@pytest.mark.browser
def test_a_row_gets_the_probabilities_of_python(browser: Chromium, tmp_path: Path) -> None:
    model = table_model()
    browser.open(written(tmp_path, model))
    row = {"age": 31.5, "city": "Oslo", "born": "2000-01-03", "size": 0.25}
    fields = browser.all(".row-field")
    assert [one.find_element("css selector", ".row-name").text for one in fields] == list(row)
    for field, value in zip(fields, row.values(), strict=True):
        browser.run(
            "arguments[0].value = arguments[1]; for (const one of ['input', 'change'])"
            " arguments[0].dispatchEvent(new Event(one, { bubbles: true }));",
            field.find_element("css selector", "label input, label select"),
            str(value),
        )
    expected = [f"{share:.1%}" for share in model.predict_proba(table_of([row]))[0]]
    shares = "return [...document.querySelectorAll('.bar-value')].map((one) => one.textContent)"
    browser.until(lambda: browser.run(shares) == expected, f"the shares are not {expected}")
    assert "10 to 40" in browser.text(".row-fields")
    assert not browser.errors()


@pytest.mark.browser
def test_numbers_are_pasted(browser: Chromium, tmp_path: Path) -> None:
    case = values_case()
    browser.open(written(tmp_path, case.model))
    assert "an array of 2 × 3 numbers" in browser.text(".page-head")
    field = browser.find("textarea.numbers")
    row = case.rows[0]
    field.send_keys("1, two")
    browser.says("[role=alert]", 'Number 2 is "two", expected a number')
    field.clear()
    field.send_keys("1 2")
    browser.says(".answer-said", "Found 2 numbers, expected 6")
    field.clear()
    field.send_keys(json.dumps(row.tolist()).replace("], [", "]\n["))
    expected = float(case.model.predict(row[np.newaxis])[0])

    def is_there() -> bool:
        said: Any = browser.text(".answer-said strong").replace(",", "")
        return bool(said) and abs(float(said) - expected) <= 1e-3 * abs(expected)

    browser.until(is_there, f"the answer is not {expected}")
    browser.says(".answer-notes", "It hangs most on the numbers at these places:")
    assert not browser.errors()


@pytest.mark.browser
def test_hostile_names_are_text(browser: Chromium, tmp_path: Path) -> None:
    net = Network([cp.Flatten(), cp.Dense(6)], loss=cp.SoftmaxCrossEntropy(), input_shape=(4, 4))
    recipe = Preprocessing(PictureRecipe((4, 4), 1), ClassTarget(HOSTILE, HOSTILE[1]))
    browser.open(written(tmp_path, Model(net, recipe), title=HOSTILE[2]))
    assert browser.text("h1") == HOSTILE[2]
    assert browser.driver.title == HOSTILE[2]
    assert HOSTILE[1] in browser.text(".page-head")
    assert not browser.errors()


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["pictures", "rows", "numbers"])
def test_a_page_fits_a_phone(tmp_path: Path, digits: Model, kind: str) -> None:
    models = {"pictures": digits, "rows": table_model(), "numbers": values_case().model}
    with chromium() as browser:
        size = {"width": 375, "height": 700, "deviceScaleFactor": 2, "mobile": True}
        browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.open(written(tmp_path, models[kind], language="es"))
        browser.find(".own")
        assert browser.run("return document.documentElement.scrollWidth") <= 375
        assert browser.run("return document.documentElement.lang") == "es"
        browser.says(".page-head", "Todo se calcula en esta página")


@pytest.mark.browser
def test_a_page_that_was_cut_says_so(browser: Chromium, tmp_path: Path) -> None:
    path = written(tmp_path, table_model())
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub('"model":"[^"]{400}', '"model":"', text), encoding="utf-8")
    browser.open(path)
    browser.says(".error", "The model can't be opened in this page")


@pytest.mark.browser
def test_a_module_runs_in_a_browser_and_in_a_worker(tmp_path: Path) -> None:
    case = values_case()
    (tmp_path / "model.js").write_text(script_text(case.model), encoding="utf-8")
    (tmp_path / "worker.js").write_text(
        'import { predict } from "./model.js";\n'
        "onmessage = ({ data }) => postMessage(predict(data));",
        encoding="utf-8",
    )
    rows = json.dumps(case.rows.reshape(len(case.rows), -1).tolist())
    page = tmp_path / "asks.html"
    page.write_text(
        '<!doctype html><script type="module">\nimport { predict } from "./model.js";\n'
        'const worker = new Worker("./worker.js", { type: "module" });\n'
        f"const rows = {rows};\n"
        "worker.onmessage = ({ data }) => (window.found = [predict(rows), data]);\n"
        "worker.postMessage(rows);\n</script>",
        encoding="utf-8",
    )
    with chromium("--allow-file-access-from-files") as browser:  # as if a server had them
        browser.open(page)
        found = browser.until(lambda: browser.run("return window.found"), "nothing is answered")
    for answers in found:
        np.testing.assert_allclose(answers, case.model.predict(case.rows), rtol=1e-9)


@pytest.mark.browser
def test_the_page_with_a_camera_in_the_documents_answers(tmp_path: Path) -> None:
    document = Path(__file__).parents[2] / "docs" / "exports-web.md"
    example = re.search(
        r"```html camera\.html\n(.*?)\n```", document.read_text(encoding="utf-8"), re.DOTALL
    )
    assert example
    (tmp_path / "camera.html").write_text(example[1], encoding="utf-8")
    (tmp_path / "digits.js").write_text(script_text(untrained()), encoding="utf-8")
    with chromium(
        "--allow-file-access-from-files",  # as if a server had them
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
    ) as browser:
        browser.open(tmp_path / "camera.html")
        browser.until(
            lambda: re.fullmatch(r"\d, \d+%", browser.text("#answer")), "nothing is answered"
        )
        assert not browser.errors()


def draw(browser: Chromium, strokes: list[list[tuple[float, float]]]) -> None:
    """Draw on the sheet with a pen that goes from place to place."""
    from selenium.webdriver import ActionChains

    pad = browser.find(".pad")
    width, height = pad.size["width"], pad.size["height"]
    for stroke in strokes:
        places = [
            (round((x - 50) * width / 100), round((y - 50) * height / 100)) for x, y in stroke
        ]
        pen = ActionChains(browser.driver, duration=5)
        pen.move_to_element_with_offset(pad, *places[0]).click_and_hold()
        for place in places[1:]:
            pen.move_to_element_with_offset(pad, *place)
        pen.release().perform()
