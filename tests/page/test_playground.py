"""The playground: a network trains in the page, on toy data, own points or a run's data."""

import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from browser import Chromium, chromium
from numpy.typing import NDArray
from PIL import Image

import clearprop as cp
from clearprop.files.models import Model
from clearprop.page import pack
from clearprop.preprocessing import ArrayRecipe, ClassTarget, Preprocessing
from clearprop.report import RunPage, page_data
from clearprop.training import History

pytestmark = pytest.mark.browser

ENTER, LEFT, RIGHT, DELETE = "\ue007", "\ue012", "\ue014", "\ue017"
CSV = "length,width,kind\n0,0,small\n0.2,0.1,small\n3,3,<b>large</b>\n3.2,3.1,<b>large</b>\n"


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as started:
        yield started


def model_of_moons() -> Model:
    moons = cp.load_data("moons")
    layers = [cp.Dense(6), cp.Tanh(), cp.Dense(2)]
    net = cp.Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(2,), seed=1)
    recipe = Preprocessing(ArrayRecipe.fit(moons.X), ClassTarget(moons.class_names, "moon"))
    return Model(net, recipe, {})


def page_of_moons(folder: Path, **others: object) -> Path:
    told = {"name": "moons", "command": "clearprop train moons", "model": model_of_moons()}
    run = RunPage(**(told | others), history=History(), report={})
    path = folder / "page.html"
    path.write_text(pack(page_data([run]), title="moons"), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def model() -> Model:
    return model_of_moons()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run without its training data: there is toy data."""
    return page_of_moons(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def page_with_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    moons = cp.load_data("moons")
    test = moons.take(np.arange(0, 400, 10))
    return page_of_moons(tmp_path_factory.mktemp("data"), samples=("test", test), train=moons)


@pytest.fixture(autouse=True)
def no_errors(browser: Chromium) -> Iterator[None]:
    yield
    assert not browser.errors()


def test_training_lowers_the_loss_and_goes_on_until_it_is_paused(
    browser: Chromium, page: Path
) -> None:
    _open(browser, page)
    assert _epoch(browser) == 0
    before = _loss(browser)
    pictures = _plane(browser)
    _press(browser, "Train")
    browser.until(lambda: _epoch(browser) >= 30, "it does not train")
    _press(browser, "Pause")
    assert _loss(browser) < 0.5 * before
    assert not np.array_equal(_plane(browser), pictures)
    still = browser.text(".play-status")
    browser.driver.execute_async_script(
        "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))"
    )
    assert browser.text(".play-status") == still


def test_an_update_and_a_reset_repeat_by_the_seed(browser: Chromium, page: Path) -> None:
    _open(browser, page)
    start = browser.text(".play-status")
    told = []
    for _ in range(2):
        for _ in range(3):
            _press(browser, "One update")
        told.append(browser.text(".play-status"))
        _press(browser, "Reset")
        assert browser.text(".play-status") == start
    assert told[0] == told[1] != start
    _set(browser, "seed", "5")
    assert browser.text(".play-status") != start


def test_layers_and_activation_make_another_network(browser: Chromium, page: Path) -> None:
    _open(browser, page)
    label = "return document.querySelector('.units').getAttribute('aria-label')"
    assert "2, 8, 8, 1 units" in browser.run(label)
    before = _plane(browser)
    _set(browser, "layers", "5,4,3")
    assert "2, 5, 4, 3, 1 units" in browser.run(label)
    assert not np.array_equal(_plane(browser), before)
    before = _plane(browser)
    _set(browser, "activation", "relu")
    assert not np.array_equal(_plane(browser), before)
    _set(browser, "layers", "")
    assert "2, 1 units" in browser.run(label)


def test_a_rate_of_zero_stops_and_another_goes_on_from_there(browser: Chromium, page: Path) -> None:
    _open(browser, page)
    _press(browser, "One update")
    moved = _plane(browser)
    _set(browser, "rate", "0")
    _press(browser, "One update")
    np.testing.assert_array_equal(_plane(browser), moved)
    assert _epoch(browser) == 0
    _set(browser, "rate", "0.5")
    _press(browser, "One update")
    assert not np.array_equal(_plane(browser), moved)


def test_a_setting_that_can_not_be_is_told_and_changes_nothing(
    browser: Chromium, page: Path
) -> None:
    _open(browser, page)
    before = browser.text(".play-status")
    _set(browser, "batch", "2.5")
    browser.says(".play-form", 'Found "2.5", expected a whole number from 1 to 5,000')
    assert browser.find("[name=batch]").get_attribute("aria-invalid") == "true"
    assert browser.text(".play-status") == before
    _set(browser, "batch", "16")
    assert browser.find("[name=batch]").get_attribute("aria-invalid") is None


def test_a_training_that_diverges_is_told(browser: Chromium, page: Path) -> None:
    _open(browser, page)
    for name, value in (("data", "linear"), ("optimizer", "sgd"), ("rate", "100")):
        _set(browser, name, value)
    _set(browser, "activation", "relu")
    _press(browser, "Train")
    browser.says(".play > .play-told", "lower the learning rate, and reset")
    assert browser.find(".play-controls .primary").text == "Train"


@pytest.mark.parametrize("data", ["planar", "spirals", "blobs", "linear"])
def test_every_toy_data_set_is_learned(browser: Chromium, page: Path, data: str) -> None:
    _open(browser, page)
    _set(browser, "data", data)
    before = _loss(browser)
    _press(browser, "Train")
    browser.until(lambda: _epoch(browser) >= 20, "it does not train")
    _press(browser, "Pause")
    assert _loss(browser) < 0.8 * before


def test_a_unit_is_shown_on_a_click_and_by_its_name(browser: Chromium, page: Path) -> None:
    from selenium.webdriver import ActionChains

    _open(browser, page)
    answer = _plane(browser)
    units = browser.find(".units")
    across = units.size["width"] * (1.5 / 4 - 1 / 2)  # the second of four columns
    down = 18 + 24 - units.size["height"] / 2  # the first unit
    clicking = ActionChains(browser.driver, duration=10)
    clicking.move_to_element_with_offset(units, int(across), int(down)).click().perform()
    clicked = _plane(browser)
    assert not np.array_equal(clicked, answer)
    assert browser.run(_CHOSEN) == "layer 1, unit 1"
    _choose(browser, "the answer")
    np.testing.assert_array_equal(_plane(browser), answer)
    _choose(browser, "layer 1, unit 1")
    np.testing.assert_array_equal(_plane(browser), clicked)


def test_own_points_are_set_by_clicks_and_keys_and_learned(browser: Chromium, page: Path) -> None:
    _open(browser, page)
    _set(browser, "data", "own")
    browser.says(".play > .play-told", "Set points of two classes or more")
    plane = browser.find(".play .plane")
    browser.run("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })", plane)
    plane.click()
    browser.says(".play > .play-told", "Set points of two classes or more")
    _press(browser, "2")
    plane.send_keys(RIGHT * 8, ENTER)
    assert browser.text(".play > .play-told") == ""
    _press(browser, "Train")
    browser.until(lambda: "100.0% right" in browser.text(".play-status"), "it does not learn")
    _press(browser, "Pause")
    plane.send_keys(DELETE)  # the point that was set last
    browser.says(".play > .play-told", "Set points of two classes or more")
    _press(browser, "+ class")
    plane.send_keys(LEFT * 16, ENTER)
    assert browser.text(".play > .play-told") == ""
    assert _point_hues(browser) == 2  # classes 1 and 3


def test_points_are_pasted(browser: Chromium, page: Path) -> None:
    _open(browser, page)
    _set(browser, "data", "own")
    browser.run("document.querySelector('.play-points details').open = true")
    browser.find(".play-points textarea").send_keys(CSV)
    _press(browser, "Take these points")
    assert _tools(browser) == ["small", "<b>large</b>"] or _tools(browser) == [
        "<b>large</b>",
        "small",
    ]
    assert browser.text(".play .plane-across") == "length"
    assert not browser.all(".play-points b")  # a class's name is text
    _press(browser, "One update")
    assert _epoch(browser) == 1  # four points are one batch


def test_two_columns_of_a_wide_table_are_chosen(browser: Chromium, page: Path) -> None:
    _open(browser, page)
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
    path = page_of_moons(tmp_path, model=model, train=data)
    _open(browser, path)
    _set(browser, "data", "own")
    _press(browser, "This run's samples")
    assert _tools(browser) == sorted(iris.class_names)
    assert [browser.text(f".play .plane-{axis}") for axis in ("across", "up")] == ["x1", "x2"]
    browser.all(".play-columns select")[0].send_keys("x4")
    browser.says(".play .plane-across", "x4")
    low, high = (float(browser.text(f".play .plane-{side}")) for side in ("left", "right"))
    margin = 0.12 * np.ptp(X[:, 3])
    assert (low, high) == pytest.approx((X[:, 3].min() - margin, X[:, 3].max() + margin), abs=0.01)


def test_points_are_dropped_and_bad_ones_refused(browser: Chromium, page: Path) -> None:
    _open(browser, page)
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
    _open(browser, page)
    browser.drop(".play", "mine.csv", CSV.encode())
    browser.until(lambda: len(_tools(browser)) == 2, "the file is not read")
    _set(browser, "layers", "3")
    _set(browser, "noise", "0.1")
    told = browser.text(".play-status")
    points = _points(browser)
    _press(browser, "Keep in the address")
    address = browser.run("return location.hash")
    _open(browser, page)
    assert browser.find("[name=layers]").get_property("value") == "8,8"
    _open(browser, page, address)
    assert browser.find("[name=layers]").get_property("value") == "3"
    assert browser.text(".play-status") == told
    np.testing.assert_array_equal(_points(browser), points)


def test_an_address_that_can_not_be_is_told(browser: Chromium, page: Path) -> None:
    _open(browser, page, "#playground?rate=fast&layers=3&data=run")
    browser.says(".play > .play-told", 'rate: Found "fast", expected a number from 0 to 100')
    assert browser.find("[name=layers]").get_property("value") == "3"
    assert browser.find("[name=data]").get_property("value") == "moons"  # no run's data is here


def test_a_file_keeps_a_playground(browser: Chromium, page: Path, tmp_path: Path) -> None:
    _open(browser, page)
    browser.drop(".play", "mine.csv", CSV.encode())
    browser.until(lambda: len(_tools(browser)) == 2, "the file is not read")
    _set(browser, "optimizer", "momentum")
    told, points = browser.text(".play-status"), _points(browser)
    _press(browser, "Save settings")
    kept = browser.saved("playground.json")
    assert json.loads(kept)["optimizer"] == "momentum"
    (tmp_path / "playground.json").write_bytes(kept)
    _open(browser, page)
    browser.find(".play-keep input").send_keys(str(tmp_path / "playground.json"))
    browser.until(lambda: browser.text(".play-status") == told, "the file is not opened")
    np.testing.assert_array_equal(_points(browser), points)
    browser.drop(".play", "other.json", b'{"a": 1}')
    browser.says(".play > .play-told", "no file of a playground's settings")


def test_a_run_goes_on_from_its_own_weights_on_its_data(
    browser: Chromium, page_with_data: Path, model: Model
) -> None:
    moons = cp.load_data("moons")
    x = model.preprocessing.inputs.transform(moons.X, np.float32).astype(np.float64)
    loss, _ = model.network.loss_and_gradient(x, moons.y)
    _open(browser, page_with_data)
    assert browser.find("[name=data]").get_property("value") == "run"
    assert math.isclose(_loss(browser), loss, rel_tol=5e-3)  # three digits are written
    boundary = _picture(browser, "#boundary .plane-answers")
    _press(browser, "Train")
    browser.until(lambda: _epoch(browser) >= 20, "it does not train")
    _press(browser, "Pause")
    assert _loss(browser) < 0.8 * loss
    np.testing.assert_array_equal(  # other panels show the run's network, as it is
        _picture(browser, "#boundary .plane-answers"), boundary
    )
    _set(browser, "start", "new")
    _set(browser, "layers", "4")
    assert _epoch(browser) == 0


def test_the_boundary_of_a_run_is_where_python_answers_otherwise(
    browser: Chromium, page_with_data: Path, model: Model
) -> None:
    browser.open(page_with_data)
    browser.show("boundary")
    picture = _picture(browser, "#boundary .plane-answers").astype(int)
    side = len(picture)
    ends = {
        where: float(browser.text(f"#boundary .plane-{where}"))
        for where in ("left", "right", "bottom", "top")
    }
    steps = (np.arange(side) + 0.5) / side
    across = ends["left"] + steps * (ends["right"] - ends["left"])
    up = ends["top"] + steps * (ends["bottom"] - ends["top"])
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    shares = model.predict_proba(grid)
    is_blue = picture[..., 2].ravel() > picture[..., 0].ravel()
    clear = np.abs(shares[:, 0] - 0.5) > 0.02  # the ends are written with three digits
    assert clear.mean() > 0.9
    np.testing.assert_array_equal(is_blue[clear], shares[clear, 0] > 0.5)


def test_the_answer_at_a_place_is_read_by_keys(
    browser: Chromium, page_with_data: Path, model: Model
) -> None:
    browser.open(page_with_data)
    browser.show("boundary")
    browser.find("#boundary .plane").send_keys(RIGHT * 3)
    told = browser.text("#boundary [role=status]")
    x1, x2 = (float(told.split(f"{name} ")[1].split(",")[0].split(":")[0]) for name in ("x1", "x2"))
    share = model.predict_proba(np.array([[x1, x2]]))[0].max()
    name = model.predict(np.array([[x1, x2]]))[0]
    assert told.split(": ")[1].split()[0] == name
    assert float(told.split()[-1].removesuffix("%")) / 100 == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("part", [".play-plane", ".play-units", ".play-curve"])
def test_what_is_drawn_is_saved_as_svg_and_png(browser: Chromium, page: Path, part: str) -> None:
    _open(browser, page)
    if part != ".play-curve":  # which is there as soon as the panel is
        browser.until(lambda: _colours(browser, f"{part} canvas") > 20, "it is not drawn")
    svg, png = browser.find(part).find_elements("css selector", "button.save")
    name = {
        ".play-plane": "decision-boundary",
        ".play-units": "network",
        ".play-curve": "loss",
    }[part]
    _click(browser, svg)
    root = ElementTree.fromstring(browser.saved(f"{name}.svg"))  # noqa: S314 - our own page wrote it
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    every = list(root.iter())
    assert len(every) > 2
    assert not any(one.get("class") or one.get("style") for one in every)
    written = "".join(root.itertext())
    assert ("training" in written) == (part == ".play-curve")  # what its lines are
    _click(browser, png)
    picture = Image.open(io.BytesIO(browser.saved(f"{name}.png"))).convert("RGB")
    assert picture.width == pytest.approx(3 * float(root.get("width")), abs=1)
    colours = picture.getcolors(2**24)
    assert colours is not None
    assert len(colours) > 20  # not an empty sheet


_CHOSEN = "return document.querySelector('.play-plane select').selectedOptions[0].textContent"


def _open(browser: Chromium, page: Path, address: str = "") -> None:
    browser.open(page, address)
    browser.show("playground")


def _press(browser: Chromium, text: str) -> None:
    """Click on the button with a text."""
    buttons = browser.all("#playground button")
    _click(browser, next(one for one in buttons if one.text == text))


def _click(browser: Chromium, element: object) -> None:
    browser.run("arguments[0].click()", element)


def _set(browser: Chromium, name: str, value: str) -> None:
    """Set one of the fields, as a person leaves it."""
    script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change'))"
    browser.run(script, browser.find(f".play-form [name={name}]"), value)


def _choose(browser: Chromium, text: str) -> None:
    options = browser.find(".play-plane select").find_elements("css selector", "option")
    next(one for one in options if one.text == text).click()


def _tools(browser: Chromium) -> list[str]:
    """Return the names of the classes that a click can set."""
    buttons = browser.all(".play-points .choices button")
    return [one.get_property("textContent") for one in buttons][:-2]


def _epoch(browser: Chromium) -> int:
    return int(browser.text(".play-status").split()[1].strip(":").replace(",", ""))


def _loss(browser: Chromium) -> float:
    return float(browser.text(".play-status").split("loss ")[1].split(", ")[0])


def _picture(browser: Chromium, selector: str) -> NDArray[np.uint8]:
    """Return what a canvas shows, RGBA."""
    browser.find(selector)
    script = """
        const canvas = document.querySelector(arguments[0]);
        const { width, height } = canvas;
        const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
        return [width, height, [...data]];
    """
    width, height, levels = browser.run(script, selector)
    return np.array(levels, np.uint8).reshape(height, width, 4)


def _colours(browser: Chromium, selector: str) -> int:
    return len(np.unique(_picture(browser, selector).reshape(-1, 4), axis=0))


def _plane(browser: Chromium) -> NDArray[np.uint8]:
    return _picture(browser, ".play .plane-answers")


def _points(browser: Chromium) -> NDArray[np.uint8]:
    return _picture(browser, ".play .plane-points")


def _point_hues(browser: Chromium) -> int:
    """Count the colours of whole points, each of more than a few pixels."""
    picture = _points(browser)
    seen = picture[picture[..., 3] == 255][:, :3]
    colours, counts = np.unique(seen, axis=0, return_counts=True)
    paper = (colours > 240).all(axis=1)  # the line around each
    return int(np.count_nonzero((counts > 10) & ~paper))
