"""The page of a run in a browser: what it says of runs and of their answers, to everybody."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Chromium
from panels import choose, opened, press, show_all, texts
from run_pages import COMMAND, MARKUP, Shown, digits_run, planar_run, values_run, written_page
from sklearn.metrics import confusion_matrix

from clearprop.core.printable import readable

pytestmark = pytest.mark.browser

LEFT, ENTER, TAB = "\ue012", "\ue007", "\ue004"


@pytest.fixture(scope="module")
def page(digits: Shown, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_page(tmp_path_factory.mktemp("digits") / "digits.html", digits.page)


@pytest.fixture(autouse=True)
def no_errors(browser: Chromium) -> Iterator[None]:
    yield
    assert browser.errors() == []
    assert browser.all("p.error") == []


def test_the_head_says_what_the_run_is(browser: Chromium, page: Path, digits: Shown) -> None:
    browser.open(page)
    assert browser.text("h1") == "digits"
    assert browser.text(".headline-number") == "91.3%"
    assert "always the same answer 10.0%" in browser.text(".headline-rivals")
    facts = dict(zip(texts(browser, ".facts dt"), texts(browser, ".facts dd"), strict=True))
    assert facts["Data"] == "digits"
    assert facts["Samples"] == "800 for training, 200 for the test"
    assert facts["Parameters"] == readable(digits.network.parameters.data.size)
    assert facts["Epochs"] == "6, the best is 5"
    assert facts["Training time"] == "1 min 15 s"
    assert "A note about the data." in browser.text(".overview")
    rows = dict(
        re.findall(
            r"(\w+ ?\w*)\|(.*)",
            "\n".join(
                browser.run(
                    "return [...document.querySelectorAll('.settings tr')].map("
                    "(row) => [...row.cells].map((cell) => cell.textContent).join('|'))"
                )
            ),
        )
    )
    assert rows["layers"] == "24, 12"
    assert rows["learning rate"] == "0.01"


def test_the_command_is_copied(browser: Chromium, page: Path) -> None:
    browser.open(page)
    assert browser.text(".command-text") == COMMAND
    browser.run(
        "Object.defineProperty(navigator, 'clipboard', "
        "{ value: { writeText: async (text) => { window.copied = text; } } })"
    )
    browser.find(".copy").click()
    browser.says(".copy", "Copied")
    assert browser.run("return window.copied") == COMMAND


def test_where_nothing_may_be_copied_the_command_is_chosen(browser: Chromium, page: Path) -> None:
    browser.open(page)
    browser.run("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    browser.find(".copy").click()
    browser.says(".copy", "Chosen")
    assert browser.run("return getSelection().toString()") == COMMAND


def test_curves_have_the_history_s_numbers(browser: Chromium, page: Path, digits: Shown) -> None:
    opened(browser, page, "curves")
    browser.find("#curves .plot-line")
    history = digits.page.history
    assert texts(browser, "#curves h4") == ["loss", "accuracy", "learning rate"]
    legend = "#curves figure:first-child .legend"
    last = [history["loss"][-1], history["validation_loss"][-1]]
    assert texts(browser, f"{legend} output") == [readable(one) for one in last]
    press(browser, "#curves figure:first-child svg.plot-lines", LEFT, LEFT)
    there = [history["loss"][3], history["validation_loss"][3]]
    browser.says("#curves .plot-where", "epoch 4")
    assert texts(browser, f"{legend} output") == [readable(one) for one in there]
    assert texts(browser, "#curves figure:first-child .plot-marked") == ["best"]
    said = browser.find("#curves svg.plot-lines").get_attribute("aria-label")
    assert said.startswith("loss; epoch 1 to 6; training from ")


def test_curves_and_the_network_are_saved(browser: Chromium, page: Path) -> None:
    opened(browser, page, "curves")
    browser.find("#curves .plot-line")
    for button in browser.all("#curves figure:first-child .saving button"):
        button.click()
    saved = browser.saved("loss.svg").decode()
    words = re.findall(r"<text[^>]*>([^<]+)</text>", saved)
    assert words[:3] == ["loss", "training", "validation"]
    assert saved.count("<polyline") == 2
    assert browser.saved("loss.png").startswith(b"\x89PNG")
    browser.show("drawing")
    browser.find("#drawing line.weight")
    browser.find("#drawing .saving button").click()
    assert browser.saved("network.svg").count(b"<line") == 2 * 12 * 12 + 12 * 10
    assert browser.all(".offstage") == []


def test_the_doctor_s_finding_is_shown(browser: Chromium, page: Path) -> None:
    opened(browser, page, "findings")
    assert browser.text("#findings .finding-said") == f"Overfitting. {MARKUP}"
    assert "Drop some." in browser.text("#findings li")
    assert browser.text("#findings code") == "clearprop train digits --dropout 0.3"


def confusion_shown(browser: Chromium) -> Any:
    rows = browser.run(
        "return [...document.querySelectorAll('#answers .confusion tbody tr')].map((row) => "
        "[...row.querySelectorAll('td')].map((cell) => Number(cell.textContent.replace('·', '0'))))"
    )
    return np.array(rows)


def test_mistakes_and_confusion(browser: Chromium, page: Path, digits: Shown) -> None:
    opened(browser, page, "answers")
    browser.find("#answers .confusion")
    said = digits.network.predict(digits.x)
    expected = confusion_matrix(digits.truth, said, labels=range(10))
    np.testing.assert_array_equal(confusion_shown(browser), expected)
    wrong = np.flatnonzero(said != digits.truth)
    shares = digits.network.predict_proba(digits.x)[wrong, said[wrong]]
    assert browser.text("#answers h4") == f"{len(wrong)} mistakes, the surest first"
    surest = wrong[shares.argmax()]
    first = browser.text("#answers .mistake")
    assert first == (
        f"true {digits.truth[surest]}said {said[surest]} {100 * shares.max():.0f}%row {surest + 1}"
    )
    browser.find("#answers .mistake").click()
    assert browser.run("return document.querySelector('.sample-number').value") == str(surest)
    cell = browser.find("#answers .confusion tbody tr:first-child button")
    cell.click()
    browser.says("#answers h4", f"0 answered as 0: {expected[0, 0]}")


def test_the_timeline_shows_the_network_of_an_epoch(
    browser: Chromium, page: Path, digits: Shown
) -> None:
    opened(browser, page, "answers")
    browser.find("#answers .confusion")
    assert browser.text(".bench-epochs output") == "the model"
    for place in (3, 2, 1, 0):
        press(browser, ".timeline", LEFT)
        browser.says(".bench-epochs output", f"epoch {digits.kept[place][0]}")
        said = digits.network_after(place).predict(digits.x)
        right = int((said == digits.truth).sum())
        browser.says("#answers .panel-body p", f"{right} of 200 embedded samples")
        expected = confusion_matrix(digits.truth, said, labels=range(10))
        np.testing.assert_array_equal(confusion_shown(browser), expected)
    browser.find(".play-epochs").click()  # to the end, where it stops by itself
    browser.says(".bench-epochs output", "the model")
    browser.until(
        lambda: browser.find(".play-epochs").get_attribute("aria-label") == "Play the epochs",
        "it still plays",
    )


def test_values_are_compared_with_their_truth(browser: Chromium, tmp_path: Path) -> None:
    shown = values_run()
    opened(browser, written_page(tmp_path / "values.html", shown.page), "answers")
    answers = shown.page.model.predict(shown.x).ravel()
    error = np.abs(answers - shown.truth).mean()
    browser.says("#answers p", f"The mean absolute error of 50 samples is {readable(error)}.")
    browser.show("activations")
    browser.says(".sample-answer", f"The network says {readable(answers[0])}")
    browser.show("flow")
    browser.find("#flow .bars")


def test_runs_are_compared_and_chosen(browser: Chromium, digits: Shown, tmp_path: Path) -> None:
    other = digits_run("other", seed=1)
    browser.open(written_page(tmp_path / "both.html", digits.page, other.page))
    rows = browser.run(
        "return [...document.querySelectorAll('#comparison tbody tr')].map("
        "(row) => [...row.cells].map((cell) => cell.textContent))"
    )
    assert [row[0] for row in rows] == ["digits", "other"]
    assert [row[-1] for row in rows] == ["0", "1"]  # the seed, in which alone they differ
    browser.find("#comparison .plot-line")
    last = [readable(one.page.history["validation_loss"][-1]) for one in (digits, other)]
    assert texts(browser, "#comparison .legend output") == last
    choose(browser, "#comparison select", "accuracy")
    last = [readable(one.page.history["accuracy"][-1]) for one in (digits, other)]
    assert texts(browser, "#comparison .legend output") == last
    assert browser.text("h1") == "digits"
    browser.all(".run-name")[1].click()
    browser.says("h1", "other")
    browser.show("answers")
    browser.find("#answers .confusion")
    expected = confusion_matrix(other.truth, other.network.predict(other.x), labels=range(10))
    np.testing.assert_array_equal(confusion_shown(browser), expected)


def test_names_that_are_markup_stay_text(browser: Chromium, tmp_path: Path) -> None:
    shown = planar_run()
    browser.open(written_page(tmp_path / "markup.html", shown.page))
    assert browser.text("h1") == MARKUP
    show_all(browser)
    browser.says("#answers .confusion th", MARKUP)
    assert browser.all("#page img, #page script, #page b") == []
    assert browser.run("return document.title") == MARKUP


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_overflows_at_the_width_of_a_phone(
    browser: Chromium, page: Path, digits: Shown, tmp_path: Path, theme: str
) -> None:
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": False}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    themes = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", themes)
    try:
        for one in (page, written_page(tmp_path / "two.html", planar_run().page, digits.page)):
            browser.open(one)
            show_all(browser)
            whole, seen = browser.run(
                "const { scrollWidth, clientWidth } = document.documentElement;"
                "return [scrollWidth, clientWidth]"
            )
            assert whole == seen
            for selector in (
                "body",
                ".faint",
                ".note",
                ".contents a",
                "button",
                ".bad, .good",
                "a",
            ):
                for element in browser.all(selector)[:3]:
                    assert contrast(browser, element) >= 4.5, selector
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def contrast(browser: Chromium, element: Any) -> float:
    """Return the contrast of a text with what lies behind it, as WCAG 2 defines it."""
    ink, paper = browser.run(
        """
        const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
        let behind = arguments[0];
        while (behind && (numbers(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) {
          behind = behind.parentElement;
        }
        const paper = getComputedStyle(behind ?? document.body).backgroundColor;
        return [numbers(getComputedStyle(arguments[0]).color), numbers(paper)];
        """,
        element,
    )

    def luminance(colour: list[float]) -> float:
        share = np.array(colour[:3]) / 255
        linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    dark, light = sorted((luminance(ink), luminance(paper)))
    return (light + 0.05) / (dark + 0.05)


def test_everything_is_reached_by_the_keyboard(browser: Chromium, page: Path) -> None:
    browser.open(page)
    show_all(browser)
    browser.run("scrollTo(0, 0); document.activeElement.blur()")
    missing = browser.run(
        "return [...document.querySelectorAll('#page :is(button, select, input, a, [onclick])')]"
        ".filter((one) => one.tabIndex < 0 && !one.disabled && one.offsetParent).length"
    )
    assert missing == 0
    unnamed = browser.run(
        """
        const parts = "#page :is(button, select, input, svg[role], canvas)";
        return [...document.querySelectorAll(parts)]
          .filter((one) => one.offsetParent && !one.ariaLabel && !one.textContent.trim())
          .filter((one) => !one.labels?.length && !one.closest("[aria-label], [aria-hidden]"))
          .map((one) => one.outerHTML);
        """
    )
    assert unnamed == []
    browser.find(".contents a").send_keys(TAB, ENTER)
    assert browser.run("return location.hash") == "#network"


def test_headings_go_down_one_by_one(browser: Chromium, page: Path) -> None:
    browser.open(page)
    show_all(browser)
    levels = [
        int(one[1])
        for one in browser.run(
            "return [...document.querySelectorAll('#page :is(h1, h2, h3, h4, h5, h6)')]"
            ".map((one) => one.tagName)"
        )
    ]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))


def test_a_model_that_the_page_can_not_open_is_said_and_the_rest_shown(
    browser: Chromium, digits: Shown, tmp_path: Path
) -> None:
    def cut(data: dict[str, Any]) -> None:
        data["runs"][0]["model"] = data["runs"][0]["model"][:4000]

    browser.open(written_page(tmp_path / "cut.html", digits.page, change=cut))
    assert "The model can't be opened in this page: " in browser.text(".page-head .error")
    browser.show("curves")
    browser.find("#curves .plot-line")
    assert browser.all("#matrices") == []
    browser.run("document.querySelector('.error').remove()")  # that it is there was the test
