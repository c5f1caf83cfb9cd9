"""Predictions from pictures and arrays as they are, in the page's engine as in Python."""

from typing import Any

import numpy as np
import PIL
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from random_networks import randomized
from recipe_models import assert_predicts_alike, model_of
from twins import assert_close, in_base64

import clearprop as cp
from clearprop.data import Dataset
from clearprop.data.pictures.depth import Depth
from clearprop.files.models import Model
from clearprop.network import Network
from clearprop.preprocessing import (
    ArrayRecipe,
    ClassTarget,
    Coverage,
    Likeness,
    PictureRecipe,
    PowerScale,
    Preprocessing,
    ValueTarget,
)


@pytest.mark.skipif(
    int(PIL.__version__.partition(".")[0]) < 13,
    reason="older Pillows always resample across first, which a page does not",
)
@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(1, 12), st.integers(1, 12),
    st.sampled_from(["L", "RGB", "LA", "RGBA"]), st.sampled_from([1, 3]), st.integers(0, 1000),
)  # fmt: skip
@settings(max_examples=60)
def test_pictures_of_any_size(
    engine: Any,
    tmp_path_factory: pytest.TempPathFactory,
    width: int,
    height: int,
    wanted_width: int,
    wanted_height: int,
    mode: str,
    channels: int,
    seed: int,
) -> None:
    path = tmp_path_factory.getbasetemp() / "picture.png"
    shape = (height, width, len(mode) if mode != "RGB" else 3)
    shape = shape[:2] if mode == "L" else shape
    levels = np.random.RandomState(seed).randint(0, 256, shape).astype(np.uint8)
    if mode in ("LA", "RGBA"):
        levels[::2, :, -1], levels[:, ::3, -1] = 255, 0
    image = Image.fromarray(levels)
    image.save(path)
    rgba = {"width": width, "height": height, "rgba": list(image.convert("RGBA").tobytes())}
    look = Likeness.fit(np.zeros((1, 2, 2), np.uint8))
    size = (wanted_height, wanted_width)
    model = model_of(PictureRecipe(size, channels, Depth(0, 1023), look))
    found = assert_predicts_alike(engine, model, [path], [rgba])
    pixels = np.array(found["prepared"]) * 255
    assert np.abs(pixels - np.round(pixels)).max() < 1e-9


def test_a_picture_without_all_its_pixels_is_told(engine: Any, node_error: type[Exception]) -> None:
    model = in_base64(model_of(PictureRecipe((2, 2), 1)))
    rows = [{"width": 2, "height": 2, "rgba": [0] * 15}]
    with pytest.raises(node_error, match=r"2 x 2 pixels has 16 numbers \(RGBA\), found 15"):
        engine.ask(ask="predicted", model=model, rows=rows)


@pytest.mark.parametrize("several", [False, True])
def test_rows_of_arrays(engine: Any, several: bool) -> None:
    x = np.random.RandomState(0).standard_normal((5, 2, 3))
    recipe = ArrayRecipe.fit(x) if several else ArrayRecipe((2, 3), (0.5,), (2.0,))
    rows = x.reshape(5, -1).tolist()
    found = assert_predicts_alike(engine, model_of(recipe), x, rows)
    assert_close(found["restored"], x)


@pytest.mark.parametrize(
    ("rows", "message"),
    [([[1, 2]], "Row 1 has 2 numbers, expected 3"), ([[1, 2, None]], "Number 3 of row 1 is null")],
)
def test_an_array_that_does_not_fit_is_told(
    engine: Any, node_error: type[Exception], rows: Any, message: str
) -> None:
    model = in_base64(model_of(ArrayRecipe((3,), (0.0,), (1.0,))))
    with pytest.raises(node_error, match=message):
        engine.ask(ask="predicted", model=model, rows=rows)


def test_a_model_without_a_recipe_takes_prepared_rows(engine: Any) -> None:
    layers = [cp.Dense(2)]
    net = Network(layers, loss=cp.MeanSquaredError(), input_shape=(3,))
    randomized(net, np.random.RandomState(0))
    x = np.arange(6.0).reshape(2, 3)
    found = engine.ask(ask="predicted", model=in_base64(net), rows=x.tolist())
    assert_close(found["answers"], net.predict(x))
    assert found["probabilities"] is None
    assert engine.ask(ask="encoded", model=in_base64(net), truth=[0.5, 2]) == [0.5, 2]


def test_a_network_of_classes_without_a_recipe_gives_probabilities(engine: Any) -> None:
    net = Network([cp.Dense(3)], loss=cp.SoftmaxCrossEntropy(), input_shape=(3,))
    found = engine.ask(ask="probabilities", model=in_base64(net), logits=[1, 2, 3], n=1)
    assert_close(found, net.loss.predict_proba(np.array([[1.0, 2.0, 3.0]])))


def test_a_loss_without_probabilities_says_so(engine: Any, node_error: type[Exception]) -> None:
    model = model_of(ArrayRecipe((3,), (0.0,), (1.0,)), loss=cp.MulticlassHinge())
    with pytest.raises(node_error, match="MulticlassHinge gives no probabilities"):
        engine.ask(ask="probabilities", model=in_base64(model), logits=[1, 2, 3], n=1)
    found = engine.ask(ask="predicted", model=in_base64(model), rows=[[1, 2, 3]])
    assert found["probabilities"] is None


@pytest.mark.parametrize("threshold", [None, 0.2, 0.9])
@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize("loss", [cp.BinaryCrossEntropy(), cp.SoftmaxCrossEntropy()], ids=repr)
def test_two_classes_by_threshold_and_temperature(
    engine: Any, threshold: float | None, positive: int, loss: cp.Loss
) -> None:
    target = ClassTarget(("no", "yes"), None, threshold, positive, temperature=1.7)
    outputs = 1 if isinstance(loss, cp.BinaryCrossEntropy) else 2
    net = Network([cp.Dense(outputs)], loss=loss, input_shape=(2,))
    randomized(net, np.random.RandomState(1))
    recipe = ArrayRecipe((2,), (0.0,), (1.0,))
    model = Model(net, Preprocessing(recipe, target))
    x = np.random.RandomState(2).standard_normal((40, 2))
    found = engine.ask(ask="predicted", model=in_base64(model), rows=x.tolist())
    assert_close(found["probabilities"], model.predict_proba(x))
    assert engine.ask(ask="encoded", model=in_base64(model), truth=[1, 0]) == [1, 0]
    assert [target.class_names[int(one)] for one in found["answers"]] == model.predict(x).tolist()


SCALES = [
    None,
    PowerScale(0.0, 0, 3.0, (0.0, 60.0)),
    PowerScale(0.4, 0, 3.0, (0.0, 60.0)),
    PowerScale(-0.5, 1, 2.0, (-50.0, 60.0)),
    PowerScale(0.0, 1, 2.0, (-50.0, 60.0)),
    PowerScale(2.5, 1, 2.0, (-50.0, 60.0)),
]


@pytest.mark.parametrize("scale", SCALES, ids=repr)
@pytest.mark.parametrize("within", [False, True])
def test_values_on_their_own_scale(engine: Any, scale: PowerScale | None, within: bool) -> None:
    bounds = {"low": (-0.8,), "high": (0.9,)} if within else {}
    target = ValueTarget((0.3,), (1.8,), "price", scale, **bounds)
    recipe = ArrayRecipe((2,), (0.0,), (1.0,))
    model = model_of(recipe, target, cp.MeanSquaredError())
    model.network.parameters["3.b"][...] = 0
    x = 2 * np.random.RandomState(2).standard_normal((40, 2))
    logits = model.network.logits(x)
    assert logits.min() < -1 < 1 < logits.max()
    found = engine.ask(ask="predicted", model=in_base64(model), rows=x.tolist())
    assert_close(found["answers"], model.predict(x))
    has_negative = scale is None or scale.shift == 1
    truth = np.array([-7.0, 0.0, 0.5, 17.0] if has_negative else [0.1, 0.5, 3.0, 17.0])
    encoded = engine.ask(ask="encoded", model=in_base64(model), truth=truth.tolist())
    dataset = Dataset("made", "array", np.zeros((4, 2)), truth, None, target_name="price")
    assert_close(encoded, target.encode(dataset))


@pytest.mark.parametrize("loss", [cp.MeanSquaredError(), cp.PoissonDeviance()], ids=repr)
def test_several_values(engine: Any, loss: cp.Loss) -> None:
    target = ValueTarget((0.3, -2.0), (1.8, 0.5), None, coverage=Coverage(0.9, 100, 1.5))
    model = model_of(ArrayRecipe((2,), (0.0,), (1.0,)), target, loss)
    x = np.random.RandomState(2).standard_normal((9, 2))
    found = engine.ask(ask="predicted", model=in_base64(model), rows=x.tolist())
    assert_close(found["answers"], model.predict(x))


@pytest.mark.parametrize(
    "levels", [(0.1, 0.5, 0.9), (0.2, 0.4, 0.6), (0.6, 0.7, 0.9), (0.1, 0.2, 0.3)]
)
def test_the_median_of_quantiles(engine: Any, levels: tuple[float, ...]) -> None:
    net = Network([cp.Dense(3)], loss=cp.Quantiles(levels), input_shape=(2,))
    randomized(net, np.random.RandomState(0))
    recipe = Preprocessing(ArrayRecipe((2,), (0.0,), (1.0,)), ValueTarget((0.3,), (2.0,), None))
    model = Model(net, recipe)
    x = np.random.RandomState(2).standard_normal((9, 2))
    found = engine.ask(ask="predicted", model=in_base64(model), rows=x.tolist())
    assert_close(found["answers"], model.predict(x))
