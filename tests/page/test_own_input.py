"""One's own input in a page: drawn, dropped or filled in, it gets the answer that Python gives."""

import base64
import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Chromium, chromium
from numpy.typing import NDArray
from people import table_model, table_of
from PIL import Image

import clearprop as cp
from clearprop.data.pictures.files import read_pictures
from clearprop.files.models import Model
from clearprop.page import pack
from clearprop.preprocessing import ClassTarget, Likeness, PictureRecipe, Preprocessing, ValueTarget
from clearprop.report import RunPage, page_data
from clearprop.training import History

pytestmark = pytest.mark.browser

DIGITS = tuple("0123456789")
MARKUP = '<img src="x" onerror="document.title = 1">'
SHOWN = 0.0005 + 1e-9  # shares are written with three digits


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Model, Path]:
    """A network that has not learned anything, and whose answers are far from even."""
    layers = [cp.Flatten(), cp.Dense(20), cp.Tanh(), cp.Dense(10)]
    net = cp.Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(8, 8), seed=2)
    look = Likeness((78.0, 30.0), (10.0, 8.0), (95.0, 30.0), (0.0, 0.0), 1.0)  # light on dark
    recipe = PictureRecipe((8, 8), 1, likeness=look)
    model = Model(net, Preprocessing(recipe, ClassTarget(DIGITS, "digit")), {})
    return model, _page(model, tmp_path_factory.mktemp("digits"))


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> tuple[Model, Path]:
    layers = [cp.Conv2D(4, 3), cp.ReLU(), cp.Flatten(), cp.Dense(2)]
    net = cp.Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(12, 10, 3), seed=1)
    target = ClassTarget((MARKUP, "no"), "kind")
    model = Model(net, Preprocessing(PictureRecipe((12, 10), 3), target), {})
    return model, _page(model, tmp_path_factory.mktemp("colours"))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> tuple[Model, Path]:
    model = table_model()
    return model, _page(model, tmp_path_factory.mktemp("people"))


def test_a_drawn_digit_gets_the_answer_that_python_gives(
    browser: Chromium, digits: tuple[Model, Path], tmp_path: Path
) -> None:
    from selenium.webdriver import ActionChains

    model, page = digits
    _open(browser, page)
    pad = browser.find(".pad")
    pen = ActionChains(browser.driver, duration=10)
    pen.move_to_element_with_offset(pad, -60, -80).click_and_hold()
    for across, down in ((60, -80), (20, 0), (-10, 90)):
        pen.move_to_element_with_offset(pad, across, down)
    pen.release().perform()
    shares = _shares(browser, DIGITS)
    sheet = tmp_path / "sheet.png"
    sheet.write_bytes(_pixels_of(browser, ".pad canvas"))
    pixels = read_pictures([sheet], size=(8, 8), channels=1).pixels
    assert pixels.max() > 100  # something was drawn
    np.testing.assert_allclose(shares, model.predict_proba(pixels)[0], rtol=0, atol=SHOWN)
    said = browser.find(".answer-said strong").text
    assert said == model.predict(pixels)[0]
    given = Image.open(io.BytesIO(_pixels_of(browser, ".look-picture canvas"))).convert("L")
    np.testing.assert_array_equal(np.asarray(given), pixels[0])
    assert not browser.errors()


def test_what_the_answer_hangs_on_is_shown_over_the_picture(
    browser: Chromium, digits: tuple[Model, Path]
) -> None:
    _open(browser, digits[1])
    _draw_by_keys(browser)
    heat = Image.open(io.BytesIO(_pixels_of(browser, ".look canvas.heated"))).convert("RGB")
    red, _, blue = np.moveaxis(np.asarray(heat).astype(int), 2, 0)
    assert heat.size == (8, 8)
    assert (red - blue).max() > 150  # orange somewhere
    assert (red - blue).min() < 60  # and not everywhere


def test_a_digit_is_drawn_taken_back_and_cleared_by_keys(
    browser: Chromium, digits: tuple[Model, Path]
) -> None:
    _open(browser, digits[1])
    empty = _pixels_of(browser, ".pad canvas")
    _draw_by_keys(browser)
    first = _pixels_of(browser, ".pad canvas")
    assert first != empty
    _draw_by_keys(browser)
    assert _pixels_of(browser, ".pad canvas") != first
    browser.find(".pad").send_keys("\ue003")  # Backspace
    assert _pixels_of(browser, ".pad canvas") == first
    browser.find(".pad").send_keys("\ue017")  # Delete
    assert _pixels_of(browser, ".pad canvas") == empty
    browser.says(".answer-said", "as soon as there is a picture")


def test_a_drawing_is_brought_to_the_size_of_training_pictures(
    browser: Chromium, digits: tuple[Model, Path], tmp_path: Path
) -> None:
    samples = np.zeros((5, 8, 8), np.uint8)
    samples[:, :, 3:5] = 255  # from top to bottom
    dataset = cp.Dataset("bars", "pictures", samples, np.arange(5) % 10, DIGITS)
    page = _page(digits[0], tmp_path, samples=("test", dataset))
    _open(browser, page)
    _draw_by_keys(browser)
    browser.find(".look-picture canvas")
    moved = _grey(_pixels_of(browser, ".look-picture canvas"))
    browser.find(".own-in input[type=checkbox]").click()
    browser.until(
        lambda: not np.array_equal(_grey(_pixels_of(browser, ".look-picture canvas")), moved),
        "the drawing is not given as it is",
    )
    still = _grey(_pixels_of(browser, ".look-picture canvas"))
    # The bars are 8 points high, and what was drawn is wider than high.
    assert np.ptp(np.flatnonzero(moved.max(axis=0) > 40)) == 7
    assert np.ptp(np.flatnonzero(still.max(axis=0) > 40)) < 7


def test_a_dropped_picture_gets_the_answer_that_python_gives(
    browser: Chromium, colours: tuple[Model, Path], tmp_path: Path
) -> None:
    model, page = colours
    _open(browser, page)
    picture = tmp_path / "photo.png"
    noise = np.random.RandomState(0).randint(0, 256, (33, 47, 3)).astype(np.uint8)
    Image.fromarray(noise).save(picture)
    browser.drop(".drop", "photo.png", picture.read_bytes())
    shares = _shares(browser, (MARKUP, "no"))
    pixels = read_pictures([picture], size=(12, 10)).pixels
    np.testing.assert_allclose(shares, model.predict_proba(pixels)[0], rtol=0, atol=SHOWN)
    given = Image.open(io.BytesIO(_pixels_of(browser, ".look-picture canvas"))).convert("RGB")
    np.testing.assert_array_equal(np.asarray(given), pixels[0])
    assert browser.driver.title != "1"  # the class's name is text
    assert not browser.errors()


def test_a_turned_photo_with_transparent_parts_is_read_as_python_reads_it(
    browser: Chromium, colours: tuple[Model, Path], tmp_path: Path
) -> None:
    _open(browser, colours[1])
    random = np.random.RandomState(1)
    turned = Image.Exif()
    turned[0x0112] = 6
    noise = random.randint(0, 256, (30, 20, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "turned.jpg", exif=turned, quality=95)
    glass = random.randint(0, 256, (12, 10, 4)).astype(np.uint8)
    glass[..., 3] = np.where(glass[..., 3] > 99, 255, 0)
    Image.fromarray(glass).save(tmp_path / "glass.png")
    for name, levels in (("turned.jpg", 3), ("glass.png", 0)):  # decoders of JPEG may differ
        browser.drop(".drop", name, (tmp_path / name).read_bytes())
        pixels = read_pictures([tmp_path / name], size=(12, 10)).pixels
        browser.until(
            lambda pixels=pixels, levels=levels: _is_near(browser, pixels[0], levels),
            f"{name} is not read as in Python",
        )


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("huge.png", "huge", "huge.png has 400 megapixels, more than the 100"),
        ("cut.png", "cut", "cut.png can't be decoded"),
        ("drawing.svg", "svg", "drawing.svg is no picture that this page reads"),
        ("empty.png", "empty", "empty.png is no picture"),
    ],
)
def test_what_can_not_be_read_is_refused_with_a_sentence(
    browser: Chromium, colours: tuple[Model, Path], name: str, content: str, said: str
) -> None:
    _open(browser, colours[1])
    browser.drop(".drop", name, _bad_file(content))
    browser.says(".own-in .play-told", said)
    assert not browser.all(".look-picture canvas")


@pytest.mark.slow
def test_a_picture_of_100_megapixels_is_read(
    browser: Chromium, colours: tuple[Model, Path], tmp_path: Path
) -> None:
    _open(browser, colours[1])
    picture = tmp_path / "large.png"
    Image.new("1", (10_000, 10_000), 1).save(picture)
    field = browser.find(".drop input")
    field.send_keys(str(picture))
    browser.says(".own-note", "large.png, 10000 × 10000, was made smaller to 2048")
    browser.until(
        lambda: _is_near(browser, np.full((12, 10, 3), 255, np.uint8), 0), "it is not white"
    )


def test_a_picture_unlike_those_of_training_is_told_and_can_be_turned(
    browser: Chromium, digits: tuple[Model, Path]
) -> None:
    _open(browser, digits[1])
    _press(browser, "Choose")
    written = io.BytesIO()
    black_on_white = np.full((8, 8), 255, np.uint8)
    black_on_white[1:7, 2:6] = 0
    Image.fromarray(black_on_white).save(written, "PNG")
    browser.drop(".drop", "scan.png", written.getvalue())
    browser.says(".answer-notes", "Light and dark are the other way round")
    browser.find(".own-in > label input").click()
    browser.until(
        lambda: "other way round" not in browser.text(".answer-notes"), "it is still held against"
    )
    given = _grey(_pixels_of(browser, ".look-picture canvas"))
    np.testing.assert_array_equal(given, 255 - black_on_white)


def test_without_a_camera_that_is_said_when_it_is_asked_for(
    browser: Chromium, colours: tuple[Model, Path]
) -> None:
    _open(browser, colours[1])
    _press(browser, "Camera")
    assert browser.text(".camera-box [role=status]") == ""
    _press(browser, "Use the camera")
    browser.says(".camera-box [role=status]", "choose a picture instead")
    assert not browser.find(".camera").is_displayed()


def test_a_picture_is_taken_with_the_camera_on_a_click_alone(colours: tuple[Model, Path]) -> None:
    with chromium(
        "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"
    ) as browser:
        _open(browser, colours[1])
        asked = "return (window.asked ??= 0, window.asked)"
        browser.run(
            "const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);"
            "window.asked = 0;"
            "navigator.mediaDevices.getUserMedia = (what) => (window.asked++, real(what));"
        )
        _press(browser, "Camera")
        assert browser.run(asked) == 0
        _press(browser, "Use the camera")
        browser.until(
            lambda: browser.run("return document.querySelector('.camera').videoWidth > 0"),
            "the camera shows nothing",
        )
        assert browser.run(asked) == 1
        track = "return document.querySelector('.camera').srcObject"
        assert browser.run(f"{track} !== null")
        _press(browser, "Take the picture")
        browser.find(".look-picture canvas")
        assert browser.run(f"{track} === null")  # let go
        assert not browser.errors()


def test_a_row_gets_the_probabilities_that_python_gives(
    browser: Chromium, people: tuple[Model, Path]
) -> None:
    model, page = people
    _open(browser, page)
    for row in (
        {"age": 31.5, "city": "Oslo", "born": "2000-01-03", "size": 0.25},
        {"age": None, "city": "", "born": None, "size": -2.0},
    ):
        for name, value in row.items():
            _fill(browser, name, "" if value is None else str(value))
        expected = model.predict_proba(table_of([row]))[0]
        browser.until(
            lambda expected=expected: np.allclose(
                _shares(browser, ("no", "yes")), expected, rtol=0, atol=SHOWN
            ),
            f"{row} has other probabilities than {expected}",
        )
    assert not browser.errors()


def test_how_the_answer_changes_by_column_is_shown(
    browser: Chromium, people: tuple[Model, Path]
) -> None:
    _open(browser, people[1])
    _fill(browser, "size", "1")
    browser.until(lambda: len(browser.all(".effect-list li")) == 3, "not every column is shown")
    names = {one.text for one in browser.all(".effect-name")}
    assert names == {"age", "city", "born"}  # of size, no range is known
    assert " at Oslo" in browser.text(".effect-list")


def test_a_slider_sets_its_cell(browser: Chromium, people: tuple[Model, Path]) -> None:
    _open(browser, people[1])
    browser.find('[aria-label="age, as a slider"]').send_keys("\ue010")  # End
    assert _cell(browser, "age").get_property("value") == "40"


def test_cells_that_can_not_be_are_told(browser: Chromium, people: tuple[Model, Path]) -> None:
    _open(browser, people[1])
    browser.says(".answer-said", "Correct size")  # nothing is known that could stand there
    _fill(browser, "size", "1")
    browser.until(lambda: "Correct" not in browser.text(".answer-said"), "there is no answer")
    _fill(browser, "age", "old")
    browser.says(".answer-said", "Correct age")
    browser.says(".row-fields", 'age is "old", expected a number such as 20')
    _fill(browser, "age", "99")
    browser.says(".row-fields", "Outside of what training had")


def test_a_value_is_answered_on_its_own_scale(browser: Chromium, tmp_path: Path) -> None:
    layers = [cp.Dense(3), cp.Tanh(), cp.Dense(1)]
    recipe = cp.preprocessing.ArrayRecipe((2,), (1.0, -1.0), (2.0, 0.5))
    net = cp.Network(layers, loss=cp.MeanSquaredError(), input_shape=(2,), seed=3)
    model = Model(net, Preprocessing(recipe, ValueTarget((100.0,), (20.0,), "price")), {})
    _open(browser, _page(model, tmp_path))
    _fill(browser, "x1", "2.5")
    _fill(browser, "x2", "-0.75")
    expected = float(model.predict(np.array([[2.5, -0.75]]))[0])
    browser.until(
        lambda: abs(float(browser.find(".answer-said strong").text) - expected) < 0.01,
        f"the answer is not {expected}",
    )
    assert browser.text(".answer-said").startswith("price")


def _page(model: Model, folder: Path, **others: Any) -> Path:
    run = RunPage(
        name="run", command="clearprop train", model=model, history=History(), report={}, **others
    )
    path = folder / "page.html"
    path.write_text(pack(page_data([run]), title="run"), encoding="utf-8")
    return path


def _open(browser: Chromium, page: Path) -> None:
    browser.open(page)
    browser.show("own-input")


def _press(browser: Chromium, text: str) -> None:
    """Click on the button with a text."""
    buttons = browser.all("#own-input button")
    next(one for one in buttons if one.text == text).click()


def _draw_by_keys(browser: Chromium) -> None:
    """Draw a line to the right, and one down from its end."""
    right, down = "\ue014", "\ue015"
    browser.find(".pad").send_keys(" ", right * 8, down * 3, " ", right)


def _pixels_of(browser: Chromium, selector: str) -> bytes:
    """Return what a canvas shows, as a PNG."""
    browser.find(selector)
    address = browser.run("return document.querySelector(arguments[0]).toDataURL()", selector)
    return base64.b64decode(address.partition(",")[2])


def _grey(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"))


def _is_near(browser: Chromium, pixels: NDArray[np.uint8], levels: int) -> bool:
    """Whether the picture that the network gets is the expected one, up to some levels."""
    if not browser.all(".look-picture canvas"):
        return False
    given = Image.open(io.BytesIO(_pixels_of(browser, ".look-picture canvas"))).convert("RGB")
    return np.abs(np.asarray(given).astype(int) - pixels).max() <= levels


def _shares(browser: Chromium, class_names: tuple[str, ...]) -> list[float]:
    """Return the probabilities that the bars tell, after their names are looked at."""
    browser.find(".answer .bar-value")
    names, values = (
        browser.run(
            "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)",
            f".answer .bar-{kind}",
        )
        for kind in ("name", "value")
    )
    assert tuple(names) == class_names
    return [float(value.removesuffix("%")) / 100 for value in values]


def _cell(browser: Chromium, name: str) -> Any:
    fields = browser.all(".row-field")
    field = next(
        one for one in fields if one.find_element("css selector", ".row-name").text == name
    )
    return field.find_element("css selector", "label input, label select")


def _fill(browser: Chromium, name: str, value: str) -> None:
    """Set a cell, as a person leaves it."""
    script = "arguments[0].value = arguments[1]; for (const one of ['input', 'change'])"
    script += " arguments[0].dispatchEvent(new Event(one, { bubbles: true }));"
    browser.run(script, _cell(browser, name), value)


def _bad_file(kind: str) -> bytes:
    if kind == "svg":
        return b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"
    if kind == "empty":
        return b""
    if kind == "cut":
        written = io.BytesIO()
        Image.new("RGB", (64, 64), "red").save(written, "PNG")
        return written.getvalue()[:60]
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            struct.pack(">I", len(header)) + chunk + struct.pack(">I", zlib.crc32(chunk)),
        )
    )
