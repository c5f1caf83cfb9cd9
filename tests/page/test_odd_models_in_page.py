"""Pages of odd models open: those of earlier versions, of very many classes, and those it can't."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Chromium, chromium
from run_pages import written_page

import clearprop as cp
from clearprop.core.trace import Trace
from clearprop.data import Dataset
from clearprop.data.pictures.backbone import Backbone
from clearprop.files.models import Model, load
from clearprop.layers import Layer
from clearprop.preprocessing import (
    ArrayRecipe,
    ClassTarget,
    Coverage,
    FeatureRecipe,
    Preprocessing,
)
from clearprop.report import RunPage
from clearprop.training import History

pytestmark = pytest.mark.browser

SAVED = Path(__file__).parents[1] / "saved"
MODELS = sorted(
    path.relative_to(SAVED).as_posix()
    for path in SAVED.glob("*/*.safetensors")
    if not path.stem.endswith("checkpoint")
)
MANY = 10_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as started:
        yield started


@pytest.fixture(autouse=True)
def no_errors(browser: Chromium) -> Iterator[None]:
    yield
    assert browser.errors() == []
    assert browser.all(".panel .error") == []


def _opened(browser: Chromium, folder: Path, model: Model, **others: Any) -> None:
    told = {"name": "odd", "command": "clearprop train", "model": model, "history": History()}
    given = {"report": {}} | others
    browser.open(written_page(folder / "odd.html", RunPage(**told, **given)))
    browser.find(".page-head h1")


def _seen(browser: Chromium) -> dict[str, str]:
    """Bring every panel into the window, and return what it says."""
    found: dict[str, str] = {}
    ids = browser.run("return [...document.querySelectorAll('.panel')].map((one) => one.id)")
    for panel in ids:
        script = (
            "const one = document.getElementById(arguments[0]);"
            "one?.scrollIntoView({ behavior: 'instant' });"
            "return one === null ? '' : one.querySelector('.made') && one.textContent"
        )
        browser.until(
            lambda script=script, panel=panel: browser.run(script, panel) is not None,
            f"{panel} is not made",
        )
        found[panel] = browser.run(script, panel)
    return found


@pytest.mark.parametrize("name", MODELS)
def test_every_model_that_was_ever_saved_is_shown(
    browser: Chromium, tmp_path: Path, name: str
) -> None:
    model = load(SAVED / name)
    _opened(browser, tmp_path, model)
    said = _seen(browser)
    assert {"drawing", "matrices", "histograms", "own-input", "playground"} <= set(said)
    assert "undefined" not in "".join(said.values())
    browser.says(".facts", f"{model.network.parameters.data.size}")


@pytest.mark.parametrize("features", [2, 3])
def test_ten_thousand_classes_are_shown(browser: Chromium, tmp_path: Path, features: int) -> None:
    names = tuple(f"kind {k}" for k in range(MANY))
    X = np.random.RandomState(0).standard_normal((400, features)).astype(np.float32)
    X = X.astype(np.float64)  # as a page has them
    data = Dataset("many", "array", X, np.arange(400) * (MANY // 400), names)
    net = cp.Network(
        [cp.Dense(8), cp.ReLU(), cp.Dense(MANY)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(features,),
        seed=0,
        dtype="float64",
    )
    recipe = ArrayRecipe((features,), (0.0,) * features, (1.0,) * features)
    target = ClassTarget(names, "kind", coverage=Coverage(0.9, 100, 9.0))
    model = Model(net, Preprocessing(recipe, target))
    _opened(browser, tmp_path, model, samples=("test", data), train=data)
    _seen(browser)
    browser.show("activations")
    held = int(model.predict_set(X[:1]).sum())
    browser.says("#activations .certainty", f"and {held - 20:,} more")
    shown = np.unique(np.linspace(0, 399, 300).astype(np.int64))
    wrong = int((model.predict(X[shown]) != np.array(names)[data.y[shown]]).sum())
    browser.show("answers")
    browser.says("#answers h4", f"{wrong} mistakes")
    assert len(browser.all("#answers ol li")) == 30
    browser.show("projection")
    browser.says("#projection .legend", "and 270 more")
    if features == 2:
        browser.show("boundary")
        browser.says("#boundary .legend", f"and {MANY - 30:,} more")


@dataclass(frozen=True)
class Halving(Layer):
    """A layer of one's own."""

    def forward(self, params: Any, x: Any, trace: Trace) -> Any:
        return x / 2

    def backward(self, params: Any, dy: Any, trace: Trace, grads: Any) -> Any:
        return dy / 2


def test_a_layer_of_ones_own_is_named(browser: Chromium, tmp_path: Path) -> None:
    layers = [cp.Dense(3), Halving(), cp.Dense(2)]
    net = cp.Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(2,))
    recipe = ArrayRecipe((2,), (0.0,), (1.0,))
    model = Model(net, Preprocessing(recipe, ClassTarget(("a", "b"), "kind")))
    X = np.zeros((4, 2))
    data = Dataset("rows", "array", X, np.arange(4) % 2, ("a", "b"))
    _opened(browser, tmp_path, model, samples=("test", data))
    said = browser.text(".page-head .error")
    assert "can't be opened in this page" in said
    assert 'a part of the type "Halving"' in said
    assert "Use the model in Python." in said
    assert set(_seen(browser)) == {"curves"}


def test_features_of_a_pretrained_network_are_named(browser: Chromium, tmp_path: Path) -> None:
    backbone = Backbone("some.onnx", "0" * 64, (8, 8), "nchw", "0-1", "features", 6)
    recipe = FeatureRecipe((8, 8), 3, None, None, backbone, ArrayRecipe((6,), (0.0,), (1.0,)))
    net = cp.Network([cp.Dense(2)], loss=cp.SoftmaxCrossEntropy(), input_shape=(6,))
    model = Model(net, Preprocessing(recipe, ClassTarget(("a", "b"), "kind")))
    _opened(browser, tmp_path, model)
    assert "the features that a pretrained network makes" in browser.text(".page-head .error")
    assert set(_seen(browser)) == {"curves"}


def test_that_a_run_was_interrupted_is_said(browser: Chromium, tmp_path: Path) -> None:
    net = cp.Network([cp.Dense(2)], loss=cp.SoftmaxCrossEntropy(), input_shape=(2,))
    history = History([{"epoch": epoch, "loss": 1.0} for epoch in (1, 2, 3)])
    page = RunPage(
        name="cut",
        command="clearprop train",
        model=Model(net),
        history=history,
        report={"stopped": "interrupted"},
    )
    browser.open(written_page(tmp_path / "cut.html", page))
    browser.says(".facts", "3; interrupted")
