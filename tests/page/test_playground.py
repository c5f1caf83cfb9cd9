"""The playground: a network trains in the page, on toy data or a run's, and is drawn."""

import io
import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import playground
import pytest
from browser import Chromium
from PIL import Image

import clearprop as cp
from clearprop.files.models import Model

pytestmark = pytest.mark.browser

RIGHT = "\ue014"


@pytest.fixture(scope="module")
def model() -> Model:
    return playground.model_of_moons()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run without its training data: there is toy data."""
    return playground.page_of_moons(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def page_with_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    moons = cp.load_data("moons")
    test = moons.take(np.arange(0, 400, 10))
    return playground.page_of_moons(
        tmp_path_factory.mktemp("data"), samples=("test", test), train=moons
    )


@pytest.fixture(autouse=True)
def no_errors(browser: Chromium) -> Iterator[None]:
    yield
    assert not browser.errors()


def test_training_lowers_the_loss_and_goes_on_until_it_is_paused(
    browser: Chromium, page: Path
) -> None:
    playground.opened(browser, page)
    assert playground.epoch(browser) == 0
    before = _loss(browser)
    pictures = playground.plane(browser)
    playground.press(browser, "Train")
    browser.until(lambda: playground.epoch(browser) >= 30, "it does not train")
    playground.press(browser, "Pause")
    assert _loss(browser) < 0.5 * before
    assert not np.array_equal(playground.plane(browser), pictures)
    still = browser.text(".play-status")
    browser.driver.execute_async_script(
        "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))"
    )
    assert browser.text(".play-status") == still


def test_an_update_and_a_reset_repeat_by_the_seed(browser: Chromium, page: Path) -> None:
    playground.opened(browser, page)
    start = browser.text(".play-status")
    told = []
    for _ in range(2):
        for _ in range(3):
            playground.press(browser, "One update")
        told.append(browser.text(".play-status"))
        playground.press(browser, "Reset")
        assert browser.text(".play-status") == start
    assert told[0] == told[1] != start
    playground.fill(browser, "seed", "5")
    assert browser.text(".play-status") != start


def test_layers_and_activation_make_another_network(browser: Chromium, page: Path) -> None:
    playground.opened(browser, page)
    label = "return document.querySelector('.units').getAttribute('aria-label')"
    assert "2, 8, 8, 1 units" in browser.run(label)
    before = playground.plane(browser)
    playground.fill(browser, "layers", "5,4,3")
    assert "2, 5, 4, 3, 1 units" in browser.run(label)
    assert not np.array_equal(playground.plane(browser), before)
    before = playground.plane(browser)
    playground.fill(browser, "activation", "relu")
    assert not np.array_equal(playground.plane(browser), before)
    playground.fill(browser, "layers", "")
    assert "2, 1 units" in browser.run(label)


def test_a_rate_of_zero_stops_and_another_goes_on_from_there(browser: Chromium, page: Path) -> None:
    playground.opened(browser, page)
    playground.press(browser, "One update")
    moved = playground.plane(browser)
    playground.fill(browser, "rate", "0")
    playground.press(browser, "One update")
    np.testing.assert_array_equal(playground.plane(browser), moved)
    assert playground.epoch(browser) == 0
    playground.fill(browser, "rate", "0.5")
    playground.press(browser, "One update")
    assert not np.array_equal(playground.plane(browser), moved)


def test_a_setting_that_can_not_be_is_told_and_changes_nothing(
    browser: Chromium, page: Path
) -> None:
    playground.opened(browser, page)
    before = browser.text(".play-status")
    playground.fill(browser, "batch", "2.5")
    browser.says(".play-form", 'Found "2.5", expected a whole number from 1 to 5,000')
    assert browser.find("[name=batch]").get_attribute("aria-invalid") == "true"
    assert browser.text(".play-status") == before
    playground.fill(browser, "batch", "16")
    assert browser.find("[name=batch]").get_attribute("aria-invalid") is None


def test_a_training_that_diverges_is_told(browser: Chromium, page: Path) -> None:
    playground.opened(browser, page)
    for name, value in (("data", "linear"), ("optimizer", "sgd"), ("rate", "100")):
        playground.fill(browser, name, value)
    playground.fill(browser, "activation", "relu")
    playground.press(browser, "Train")
    browser.says(".play > .play-told", "lower the learning rate, and reset")
    assert browser.find(".play-controls .primary").text == "Train"


@pytest.mark.parametrize("data", ["planar", "spirals", "blobs", "linear"])
def test_every_toy_data_set_is_learned(browser: Chromium, page: Path, data: str) -> None:
    playground.opened(browser, page)
    playground.fill(browser, "data", data)
    before = _loss(browser)
    playground.press(browser, "Train")
    browser.until(lambda: playground.epoch(browser) >= 20, "it does not train")
    playground.press(browser, "Pause")
    assert _loss(browser) < 0.8 * before


def test_a_unit_is_shown_on_a_click_and_by_its_name(browser: Chromium, page: Path) -> None:
    from selenium.webdriver import ActionChains

    playground.opened(browser, page)
    answer = playground.plane(browser)
    units = browser.find(".units")
    across = units.size["width"] * (1.5 / 4 - 1 / 2)  # the second of four columns
    down = 18 + 24 - units.size["height"] / 2  # the first unit
    clicking = ActionChains(browser.driver, duration=10)
    clicking.move_to_element_with_offset(units, int(across), int(down)).click().perform()
    clicked = playground.plane(browser)
    assert not np.array_equal(clicked, answer)
    assert browser.run(_CHOSEN) == "layer 1, unit 1"
    _choose(browser, "the answer")
    np.testing.assert_array_equal(playground.plane(browser), answer)
    _choose(browser, "layer 1, unit 1")
    np.testing.assert_array_equal(playground.plane(browser), clicked)


def test_a_run_goes_on_from_its_own_weights_on_its_data(
    browser: Chromium, page_with_data: Path, model: Model
) -> None:
    moons = cp.load_data("moons")
    x = model.preprocessing.inputs.transform(moons.X, np.float32).astype(np.float64)
    loss, _ = model.network.loss_and_gradient(x, moons.y)
    playground.opened(browser, page_with_data)
    assert browser.find("[name=data]").get_property("value") == "run"
    assert math.isclose(_loss(browser), loss, rel_tol=5e-3)  # three digits are written
    boundary = playground.picture(browser, "#boundary .plane-answers")
    playground.press(browser, "Train")
    browser.until(lambda: playground.epoch(browser) >= 20, "it does not train")
    playground.press(browser, "Pause")
    assert _loss(browser) < 0.8 * loss
    np.testing.assert_array_equal(  # other panels show the run's network, as it is
        playground.picture(browser, "#boundary .plane-answers"), boundary
    )
    playground.fill(browser, "start", "new")
    playground.fill(browser, "layers", "4")
    assert playground.epoch(browser) == 0


def test_the_boundary_of_a_run_is_where_python_answers_otherwise(
    browser: Chromium, page_with_data: Path, model: Model
) -> None:
    browser.open(page_with_data)
    browser.show("boundary")
    picture = playground.picture(browser, "#boundary .plane-answers").astype(int)
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
    playground.opened(browser, page)
    if part != ".play-curve":  # which is there as soon as the panel is
        browser.until(lambda: _colours(browser, f"{part} canvas") > 20, "it is not drawn")
    svg, png = browser.find(part).find_elements("css selector", "button.save")
    name = {
        ".play-plane": "decision-boundary",
        ".play-units": "network",
        ".play-curve": "loss",
    }[part]
    playground.click(browser, svg)
    root = ElementTree.fromstring(browser.saved(f"{name}.svg"))  # noqa: S314 - our own page wrote it
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    every = list(root.iter())
    assert len(every) > 2
    assert not any(one.get("class") or one.get("style") for one in every)
    written = "".join(root.itertext())
    assert ("training" in written) == (part == ".play-curve")  # what its lines are
    playground.click(browser, png)
    picture = Image.open(io.BytesIO(browser.saved(f"{name}.png"))).convert("RGB")
    assert picture.width == pytest.approx(3 * float(root.get("width")), abs=1)
    colours = picture.getcolors(2**24)
    assert colours is not None
    assert len(colours) > 20  # not an empty sheet


_CHOSEN = "return document.querySelector('.play-plane select').selectedOptions[0].textContent"


def _choose(browser: Chromium, text: str) -> None:
    options = browser.find(".play-plane select").find_elements("css selector", "option")
    next(one for one in options if one.text == text).click()


def _loss(browser: Chromium) -> float:
    return float(browser.text(".play-status").split("loss ")[1].split(", ")[0])


def _colours(browser: Chromium, selector: str) -> int:
    return len(np.unique(playground.picture(browser, selector).reshape(-1, 4), axis=0))
