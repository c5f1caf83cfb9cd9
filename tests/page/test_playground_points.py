"""The playground: own points, set, pasted or dropped, and where they and its settings are kept."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import playground
import pytest
from browser import Chromium
from numpy.typing import NDArray

import clearprop as cp
from clearprop.files.models import Model
from clearprop.preprocessing import ArrayRecipe, ClassTarget, Preprocessing

pytestmark = pytest.mark.browser

ENTER, LEFT, RIGHT, DELETE = "\ue007", "\ue012", "\ue014", "\ue017"
CSV = "length,width,kind\n0,0,small\n0.2,0.1,small\n3,3,<b>large</b>\n3.2,3.1,<b>large</b>\n"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run without its training data: there is toy data."""
    return playground.page_of_moons(tmp_path_factory.mktemp("plain"))


@pytest.fixture(autouse=True)
def no_errors(browser: Chromium) -> Iterator[None]:
    yield
    assert not browser.errors()


def test_own_points_are_set_by_clicks_and_keys_and_learned(browser: Chromium, page: Path) -> None:
    playground.opened(browser, page)
    playground.fill(browser, "data", "own")
    browser.says(".play > .play-told", "Set points of two classes or more")
    plane = browser.find(".play .plane")
    browser.run("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })", plane)
    plane.click()
    browser.says(".play > .play-told", "Set points of two classes or more")
    playground.press(browser, "2")
    plane.send_keys(RIGHT * 8, ENTER)
    assert browser.text(".play > .play-told") == ""
    playground.press(browser, "Train")
    browser.until(lambda: "100.0% right" in browser.text(".play-status"), "it does not learn")
    playground.press(browser, "Pause")
    plane.send_keys(DELETE)  # the point that was set last
    browser.says(".play > .play-told", "Set points of two classes or more")
    playground.press(browser, "+ class")
    plane.send_keys(LEFT * 16, ENTER)
    assert browser.text(".play > .play-told") == ""
    assert _point_hues(browser) == 2  # classes 1 and 3


def test_points_are_pasted(browser: Chromium, page: Path) -> None:
    playground.opened(browser, page)
    playground.fill(browser, "data", "own")
    browser.run("document.querySelector('.play-points details').open = true")
    browser.find(".play-points textarea").send_keys(CSV)
    playground.press(browser, "Take these points")
    assert _tools(browser) == ["small", "<b>large</b>"] or _tools(browser) == [
        "<b>large</b>",
        "small",
    ]
    assert browser.text(".play .plane-across") == "length"
    assert not browser.all(".play-points b")  # a class's name is text
    playground.press(browser, "One update")
    assert playground.epoch(browser) == 1  # four points are one batch


def test_two_columns_of_a_wide_table_are_chosen(browser: Chromium, page: Path) -> None:
    playground.opened(browser, page)
    rows = [f"{n},{n % 2},{10 * n},{'odd' if n % 2 else 'even'}" for n in range(8)]
    wide = "\n".join(["id,parity,tens,kind", *rows, "9,,,odd"])
    browser.drop(".play", "wide.csv", wide.encode())
    browser.says(".play .plane-up", "parity")
    browser.says(".play-points .play-told", "1 line is left out: a cell is empty or no number.")
    assert _tools(browser) == ["even", "odd"]
    before = _points(browser)
    choice = browser.all(".play-columns select")[1]
    assert choice.text.split("\n") == ["id", "parity", "tens"]
    choice.send_keys("tens")
    browser.says(".play .plane-up", "tens")
    assert browser.text(".play .plane-across") == "id"
    assert not np.array_equal(_points(browser), before)
    browser.all(".play-columns select")[2].send_keys("parity")  # which is a class, too
    browser.until(lambda: _tools(browser) == ["0", "1"], "the class is not another column")
    browser.drop(".play", "mine.csv", CSV.encode())
    browser.says(".play .plane-across", "length")
    assert not browser.find(".play-columns").is_displayed()  # there is nothing to choose


def test_two_columns_of_a_runs_samples_are_chosen(browser: Chromium, tmp_path: Path) -> None:
    iris = cp.load_data("iris")
    recipe = ArrayRecipe.fit(np.column_stack(list(iris.X.columns.values())))
    net = cp.Network([cp.Dense(3)], loss=cp.SoftmaxCrossEntropy(), input_shape=(4,), seed=1)
    X = np.column_stack(list(iris.X.columns.values()))
    data = cp.Dataset("iris", "array", X, iris.y, iris.class_names)
    model = Model(net, Preprocessing(recipe, ClassTarget(iris.class_names, "species")))
    path = playground.page_of_moons(tmp_path, model=model, train=data)
    playground.opened(browser, path)
    playground.fill(browser, "data", "own")
    playground.press(browser, "This run's samples")
    assert _tools(browser) == sorted(iris.class_names)
    assert [browser.text(f".play .plane-{axis}") for axis in ("across", "up")] == ["x1", "x2"]
    browser.all(".play-columns select")[0].send_keys("x4")
    browser.says(".play .plane-across", "x4")
    low, high = (float(browser.text(f".play .plane-{side}")) for side in ("left", "right"))
    margin = 0.12 * np.ptp(X[:, 3])
    assert (low, high) == pytest.approx((X[:, 3].min() - margin, X[:, 3].max() + margin), abs=0.01)


def test_points_are_dropped_and_bad_ones_refused(browser: Chromium, page: Path) -> None:
    playground.opened(browser, page)
    browser.drop(".play", "mine.csv", CSV.encode())
    browser.until(lambda: len(_tools(browser)) == 2, "the file is not read")
    assert browser.find("[name=data]").get_property("value") == "own"
    browser.says(".play-status", "epoch 0")
    browser.drop(".play", "bad.csv", b"1,2,a\n3,many,b")
    browser.says(".play-points .play-told", 'Line 2, cell 2 is "many", expected a number')
    browser.drop(".play", "long.csv", b"1" * 1_000_001)
    browser.says(".play-points .play-told", "long.csv has 1,000,001 bytes, expected at most")
    assert browser.text(".play .plane-across") == "length"  # the good ones are still there


def test_the_address_keeps_a_playground(browser: Chromium, page: Path) -> None:
    playground.opened(browser, page)
    browser.drop(".play", "mine.csv", CSV.encode())
    browser.until(lambda: len(_tools(browser)) == 2, "the file is not read")
    playground.fill(browser, "layers", "3")
    playground.fill(browser, "noise", "0.1")
    told = browser.text(".play-status")
    points = _points(browser)
    playground.press(browser, "Keep in the address")
    address = browser.run("return location.hash")
    playground.opened(browser, page)
    assert browser.find("[name=layers]").get_property("value") == "8,8"
    playground.opened(browser, page, address)
    assert browser.find("[name=layers]").get_property("value") == "3"
    assert browser.text(".play-status") == told
    np.testing.assert_array_equal(_points(browser), points)


def test_an_address_that_can_not_be_is_told(browser: Chromium, page: Path) -> None:
    playground.opened(browser, page, "#playground?rate=fast&layers=3&data=run")
    browser.says(".play > .play-told", 'rate: Found "fast", expected a number from 0 to 100')
    assert browser.find("[name=layers]").get_property("value") == "3"
    assert browser.find("[name=data]").get_property("value") == "moons"  # no run's data is here


def test_a_file_keeps_a_playground(browser: Chromium, page: Path, tmp_path: Path) -> None:
    playground.opened(browser, page)
    browser.drop(".play", "mine.csv", CSV.encode())
    browser.until(lambda: len(_tools(browser)) == 2, "the file is not read")
    playground.fill(browser, "optimizer", "momentum")
    told, points = browser.text(".play-status"), _points(browser)
    playground.press(browser, "Save settings")
    kept = browser.saved("playground.json")
    assert json.loads(kept)["optimizer"] == "momentum"
    (tmp_path / "playground.json").write_bytes(kept)
    playground.opened(browser, page)
    browser.find(".play-keep input").send_keys(str(tmp_path / "playground.json"))
    browser.until(lambda: browser.text(".play-status") == told, "the file is not opened")
    np.testing.assert_array_equal(_points(browser), points)
    browser.drop(".play", "other.json", b'{"a": 1}')
    browser.says(".play > .play-told", "no file of a playground's settings")


def _tools(browser: Chromium) -> list[str]:
    """Return the names of the classes that a click can set."""
    buttons = browser.all(".play-points .choices button")
    return [one.get_property("textContent") for one in buttons][:-2]


def _points(browser: Chromium) -> NDArray[np.uint8]:
    return playground.picture(browser, ".play .plane-points")


def _point_hues(browser: Chromium) -> int:
    """Count the colours of whole points, each of more than a few pixels."""
    picture = _points(browser)
    seen = picture[picture[..., 3] == 255][:, :3]
    colours, counts = np.unique(seen, axis=0, return_counts=True)
    paper = (colours > 240).all(axis=1)  # the line around each
    return int(np.count_nonzero((counts > 10) & ~paper))
