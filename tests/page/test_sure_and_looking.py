"""How sure an answer is, and where a network looks, stand in the page as Python says them."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Chromium, chromium
from PIL import Image
from run_pages import MARKUP, written_page

import clearprop as cp
from clearprop.core.printable import readable
from clearprop.data import Dataset
from clearprop.experiment.epochs_kept import KeptEpochs
from clearprop.files.models import Model
from clearprop.preprocessing import (
    ArrayRecipe,
    ClassTarget,
    Coverage,
    PictureRecipe,
    Preprocessing,
    ValueTarget,
)
from clearprop.report import RunPage
from clearprop.training import History

pytestmark = pytest.mark.browser

NAMES = ("a", MARKUP, "c")
ROWS = 12


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as started:
        yield started


@pytest.fixture(autouse=True)
def no_errors(browser: Chromium) -> Iterator[None]:
    yield
    assert browser.errors() == []
    assert browser.all("p.error") == []


def _opened(browser: Chromium, folder: Path, model: Model, panel: str, **others: Any) -> None:
    told = {"name": "sure", "command": "clearprop train", "model": model, "history": History()}
    given = {"report": {}} | others
    browser.open(written_page(folder / "sure.html", RunPage(**told, **given)))
    browser.find(".page-head h1")
    browser.show(panel)


def _facts(browser: Chromium, selector: str) -> dict[str, str]:
    """Return what is told of an answer, by name."""
    browser.find(f"{selector} .certainty dd")
    pairs = browser.run(
        "return [...document.querySelectorAll(arguments[0])].map((row) => "
        "[row.querySelector('dt').textContent, row.querySelector('dd').textContent])",
        f"{selector} .certainty > div",
    )
    return dict(pairs)


def _table(y: Any, names: tuple[str, ...] | None, width: int = 3) -> Dataset:
    X = np.random.RandomState(0).standard_normal((ROWS, width)).astype(np.float32)
    return Dataset("rows", "array", X.astype(np.float64), y, names)


def _recipe(width: int, target: Any) -> Preprocessing:
    return Preprocessing(ArrayRecipe((width,), (0.0,) * width, (1.0,) * width), target)


@pytest.mark.parametrize("score", [0.8, -3.0])
def test_a_set_of_classes_is_pythons(browser: Chromium, tmp_path: Path, score: float) -> None:
    net = cp.Network([cp.Dense(3)], loss=cp.SoftmaxCrossEntropy(), input_shape=(3,), seed=3)
    target = ClassTarget(NAMES, "kind", temperature=2.5, coverage=Coverage(0.9, 40, score))
    model, data = Model(net, _recipe(3, target)), _table(np.arange(ROWS) % 3, NAMES)
    held, shares = model.predict_set(data.X), model.predict_proba(data.X)
    places = [k for k in np.argsort(-shares[0], kind="stable") if held[0, k]]
    expected = ", ".join(NAMES[k] for k in places) or "(none)"
    _opened(browser, tmp_path, model, "activations", samples=("test", data))
    truth = "holds" if held[0, data.y[0]] else "does not hold"
    assert _facts(browser, "#activations") == {"90% set": f"{expected}, which {truth} the truth"}
    browser.show("own-input")  # it begins with the sample that is shown
    assert _facts(browser, "#own-input") == {"90% set": expected}
    assert "Sets hold the true class of 90% of all rows" in browser.text("#own-input .certainty")
    assert not browser.all(".certainty img")


def test_an_earlier_epoch_promises_nothing(browser: Chromium, tmp_path: Path) -> None:
    net = cp.Network([cp.Dense(3)], loss=cp.SoftmaxCrossEntropy(), input_shape=(3,), seed=3)
    target = ClassTarget(NAMES, "kind", coverage=Coverage(0.9, 40, 0.5))
    model, data = Model(net, _recipe(3, target)), _table(np.arange(ROWS) % 3, NAMES)
    kept = [(0, np.zeros(net.parameters.data.size, np.float32))]
    _opened(browser, tmp_path, model, "own-input", samples=("test", data), kept=kept)
    browser.says("#own-input .certainty", "Sets hold the true class of 90%")
    browser.find(".timeline").send_keys("\ue012")  # left
    browser.says("#own-input .certainty", "An earlier epoch promises nothing")
    assert "Sets hold" not in browser.text("#own-input .certainty")
    browser.show("activations")
    browser.says("#activations .certainty", "An earlier epoch promises nothing")


def test_an_interval_and_quantiles_are_pythons(browser: Chromium, tmp_path: Path) -> None:
    loss = cp.Quantiles((0.1, 0.5, 0.9))
    net = cp.Network([cp.Dense(3)], loss=loss, input_shape=(3,), seed=3)
    target = ValueTarget((100.0,), (20.0,), "price", coverage=Coverage(0.8, 40, 0.25))
    model = Model(net, _recipe(3, target))
    data = _table(np.full(ROWS, 1e4), None)
    low, high = model.predict_interval(data.X)[0]
    told = {"80% interval": f"{low:.5g} to {high:.5g}"}
    several = zip(("0.1", "0.5", "0.9"), model.predict_quantiles(data.X)[0], strict=True)
    told |= {f"quantile {level}": f"{value:.5g}" for level, value in several}
    report = {
        "temperature": {"temperature": 1.25, "samples": 7},
        "test": {
            "score": "mae",
            "mae": 3.0,
            "samples": ROWS,
            "coverage": {"promised": 0.8, "measured": 0.75, "samples": 12, "between": [0.5, 1.0]},
        },
    }
    _opened(browser, tmp_path, model, "own-input", samples=("test", data), report=report)
    assert _facts(browser, "#own-input") == told
    browser.show("activations")
    told["80% interval"] += ", which does not hold the truth"
    assert _facts(browser, "#activations") == told
    facts = browser.text(".facts")
    assert "75.0% of 12 samples, by chance 50.0% to 100.0%; promised 80%" in facts
    assert "1.25, fitted to 7 samples" in facts


def test_where_convolutions_speak_for_the_answer_is_pythons(
    browser: Chromium, tmp_path: Path
) -> None:
    layers = [cp.Conv2D(6), cp.ReLU(), cp.GlobalAveragePool2D(), cp.Dense(3)]
    net = cp.Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(9, 7), seed=2)
    model = Model(net, Preprocessing(PictureRecipe((9, 7), 1), ClassTarget(NAMES, "kind")))
    X = np.zeros((2, 9, 7), np.uint8)  # dark, so that the picture's own light is nowhere
    X[0, 2:4, 3:5], X[1, 6:8, 1:3] = 1, 2
    data = Dataset("dots", "pictures", X, np.arange(2), NAMES)
    _opened(browser, tmp_path, model, "activations", samples=("test", data))
    expected = cp.class_activation(model, X)[0]
    assert expected.max() > 0
    browser.until(
        lambda: len(browser.all("#activations .look canvas.heated")) == 2, "there are no two maps"
    )
    address = browser.run(
        "return [...document.querySelectorAll('#activations canvas.heated')].at(-1).toDataURL()"
    )
    drawn = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGB")
    usual = np.sort(expected, axis=None)[int(0.995 * (expected.size - 1))]
    shares = np.minimum(1, expected / usual)
    np.testing.assert_allclose(np.asarray(drawn)[..., 0] / 255, shares, rtol=0, atol=0.01)


def test_a_dense_network_has_no_such_map(browser: Chromium, tmp_path: Path) -> None:
    layers = [cp.Flatten(), cp.Dense(3)]
    net = cp.Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(9, 7), seed=2)
    model = Model(net, Preprocessing(PictureRecipe((9, 7), 1), ClassTarget(NAMES, "kind")))
    data = Dataset("dots", "pictures", np.ones((2, 9, 7), np.uint8), np.arange(2), NAMES)
    _opened(browser, tmp_path, model, "activations", samples=("test", data))
    browser.find("#activations canvas.heated")
    assert len(browser.all("#activations .look")) == 2


def test_an_epoch_has_the_statistics_that_batch_norm_had_then(
    browser: Chromium, tmp_path: Path
) -> None:
    data = _table(np.arange(ROWS) % 3, NAMES)
    layers = [cp.Dense(8), cp.BatchNorm(), cp.Tanh(), cp.Dense(3)]
    net = cp.Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(3,), seed=3)
    keeping = KeptEpochs()
    cp.Trainer(epochs=2, batch_size=4).fit(net, data.X, data.y, callbacks=[keeping])
    kept = [(epoch, numbers.copy()) for epoch, numbers in keeping.kept]
    # What the network keeps in the end is of another kind, which would show in any epoch.
    net.state.data[...] = 4.0
    model = Model(net, _recipe(3, ClassTarget(NAMES, "kind")))
    then = net.copy()
    numbers = kept[1][1]
    size = net.parameters.data.size
    then.parameters.data[...] = numbers[:size].astype(np.float16)
    then.state.data[...] = numbers[size:]
    expected = then.predict_proba(data.X)[0].max()
    assert abs(expected - net.predict_proba(data.X)[0].max()) > 0.01
    _opened(browser, tmp_path, model, "activations", samples=("test", data), kept=kept)
    slider = browser.find(".timeline")
    slider.send_keys("\ue012\ue012")  # left, from the model behind epoch 2
    browser.says(".bench-epochs output", "epoch 1")
    browser.says("#activations .sample-answer", f"{100 * expected:.1f}%")
    slider.send_keys("\ue014\ue014")
    browser.says("#activations .sample-answer", f"{100 * net.predict_proba(data.X)[0].max():.1f}%")


def test_layers_of_values_are_coloured_by_them(browser: Chromium, tmp_path: Path) -> None:
    net = cp.Network([cp.Dense(4), cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(3,))
    model = Model(net, _recipe(3, ValueTarget((0.0,), (1.0,), "price")))
    data = _table(np.linspace(5, 16, ROWS), None)
    _opened(browser, tmp_path, model, "projection", samples=("test", data))
    assert browser.text("#projection .legend") == f"≤ {readable(5.0)}≥ {readable(16.0)}"
    address = browser.run("return document.querySelector('#projection canvas').toDataURL()")
    drawn = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
    colours = {colour for count, colour in drawn.getcolors(2**20) if count > 25 and colour[3] > 190}
    assert len(colours) > 5  # of twelve points, no two of the same value
