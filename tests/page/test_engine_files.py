"""Model files in the page's engine: what is refused, and the names of all that is known."""

import base64
import json
import struct
from inspect import isabstract
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twins import bytes_of, in_base64

import clearprop as cp
from clearprop import layers, losses, optimizers
from clearprop.configuration import classes_in
from clearprop.core import initializers, schedules
from clearprop.files.models import Model
from clearprop.network import Network
from clearprop.preprocessing import ArrayRecipe, ClassTarget, Preprocessing
from clearprop.preprocessing.recipe import RECIPE_TYPES


def small_model() -> Model:
    net = Network(
        [cp.Dense(2), cp.BatchNorm(), cp.Dense(2)], loss=cp.SoftmaxCrossEntropy(), input_shape=(3,)
    )
    recipe = ArrayRecipe((3,), (0.0,), (1.0,))
    return Model(net, Preprocessing(recipe, ClassTarget(("a", "b"), None)), {"epoch": float("nan")})


DATA = bytes_of(small_model())
LENGTH = struct.unpack("<Q", DATA[:8])[0]


def changed(change: Any) -> bytes:
    """Return the model file with another header."""
    header = json.loads(DATA[8 : 8 + LENGTH])
    change(header)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + DATA[8 + LENGTH :]


def described(change: Any) -> bytes:
    """Return the model file with another description."""

    def within(header: Any) -> None:
        description = json.loads(header["__metadata__"]["clearprop"])
        change(description)
        header["__metadata__"]["clearprop"] = json.dumps(description)

    return changed(within)


NO_PICTURES = {"type": "PictureRecipe", "size": [2, 2], "channels": 2}


def opened(engine: Any, data: bytes) -> Any:
    return engine.ask(ask="layerNames", model=base64.b64encode(data).decode())


def test_places_of_layers_are_named_inside_containers(engine: Any) -> None:
    inside = cp.Residual((cp.Dense(3), cp.Blend(cp.Tanh())))
    net = Network([inside, cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(3,))
    places = ["0", "0.0", "0.1", "0.1.activation", "1"]
    assert opened(engine, bytes_of(net)) == places
    found = engine.ask(
        ask="trained", model=in_base64(net), x=[1, 2, 3], y=[1], n=1, updates=0,
        optimizer={"name": "sgd"},
    )  # fmt: skip
    assert found["places"] == places


def test_weights_of_float32_are_widened(engine: Any) -> None:
    net = Network([cp.Dense(2)], loss=cp.MeanSquaredError(), input_shape=(3,), dtype=np.float32)
    found = engine.ask(
        ask="trained", model=in_base64(net), x=[1, 2, 3], y=[0, 0], n=1, updates=0,
        optimizer={"name": "sgd"},
    )  # fmt: skip
    assert found["parameters"] == net.parameters.data.astype(np.float64).tolist()


def test_a_description_with_nan_is_read(engine: Any) -> None:
    assert b"NaN" in DATA
    assert opened(engine, DATA) == ["0", "1", "2"]


@given(st.integers(0, len(DATA) - 1))
def test_a_file_that_is_cut_short_is_refused(
    engine: Any, node_error: type[Exception], length: int
) -> None:
    with pytest.raises(node_error, match=r"bytes|no JSON"):
        opened(engine, DATA[:length])


@given(st.binary(max_size=200))
def test_bytes_of_anything_else_are_refused(
    engine: Any, node_error: type[Exception], data: bytes
) -> None:
    with pytest.raises(node_error, match=r"model file|description"):
        opened(engine, data)


def _set(name: str, **claims: Any) -> Any:
    return lambda header: header[name].update(claims)


def _describe(text: str) -> Any:
    return lambda header: header["__metadata__"].update(clearprop=text)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (DATA + b"\0", r"The model file has \d+ bytes, its arrays end at"),
        (struct.pack("<Q", 2**62) + DATA[8:], "too few for the header"),
        (struct.pack("<Q", 2) + b"{]", "The header of the model file is no JSON"),
        (struct.pack("<Q", 2) + b"\xff\xff", "The header of the model file is no JSON"),
        (struct.pack("<Q", 2) + b"[]", "The header of the model file is no object of JSON"),
        (changed(_set("0.W", dtype=None)), 'The array "0.W" is of type null'),
        (changed(_describe("{")), "The description of the model file is no JSON"),
        (changed(_describe("3")), "The description of the model file is no object of JSON"),
        (changed(_set("0.W", data_offsets=[0, 2**40])), 'The array "0.W" claims'),
        (changed(_set("0.W", data_offsets=[8, 56])), 'The array "0.W" claims'),
        (changed(_set("0.W", shape=[3, 3])), 'The array "0.W" claims'),
        (changed(_set("0.W", shape=[-3, -2])), 'The array "0.W" claims'),
        (changed(_set("0.W", shape=[2**60, 0])), 'The array "0.W" claims'),
        (changed(_set("0.W", shape="32")), 'The array "0.W" claims'),
        (changed(_set("0.W", data_offsets=None)), 'The array "0.W" claims'),
        (changed(_set("0.W", dtype="F16")), 'The array "0.W" is of type F16; a model file holds'),
        (changed(_set("0.W", dtype="toString")), "is of type toString"),
        (
            changed(_set("0.W", shape=[2, 3])),
            r'need an array \[3,2\] as "0.W", it holds an array \[2,3\]',
        ),
        (changed(lambda header: header.pop("__metadata__")), "no description"),
        (described(lambda it: it.update(kind="plan")), "it is a plan, expected a model"),
        (described(lambda it: it.update(format=2)), "of format 2, this page reads format 1"),
        (
            described(lambda it: it["network"]["layers"][1].update(type="Softsign")),
            'a part of the type "Softsign", which a page can\'t compute: it knows clearprop\'s own',
        ),
        (
            described(lambda it: it["network"]["layers"].pop()),
            r'its layers need nothing as "2.W", it holds an array \[2,2\]',
        ),
        (
            described(lambda it: it["network"]["layers"].append({"type": "Dense", "units": 2**40})),
            r'its layers need an array \[2,1099511627776\] as "3.W", it holds nothing',
        ),
        (described(lambda it: it["network"]["loss"].update(type="constructor")), '"constructor"'),
        (
            described(lambda it: it["preprocessing"]["inputs"].update(type="FeatureRecipe")),
            "takes the features that a pretrained network makes of pictures",
        ),
        (
            described(lambda it: it["preprocessing"]["inputs"].update(mean=[1, 2])),
            r"Found 2 means and 1 standard deviations for samples of shape \[3\]",
        ),
        (
            described(lambda it: it["preprocessing"].update(inputs=NO_PICTURES)),
            r"Pictures of size \[2,2\] with 2 channels can't be; expected 1 or 3",
        ),
        (
            described(lambda it: it["network"].update(input_shape=[3, 1])),
            r"Layer 0: Dense\(2\) takes flat samples .* \[3,1\]. Put a Flatten before it",
        ),
    ],
)  # fmt: skip
def test_a_file_that_contradicts_itself_is_refused(
    engine: Any, node_error: type[Exception], data: bytes, message: str
) -> None:
    with pytest.raises(node_error, match=message):
        opened(engine, data)


def test_numbers_that_are_not_finite_are_refused(engine: Any, node_error: type[Exception]) -> None:
    model = small_model()
    model.network.parameters["2.b"][1] = np.inf
    with pytest.raises(node_error, match=r'The array "2.b" holds numbers that are not finite'):
        opened(engine, bytes_of(model))


def _names(package: Any, base: type) -> set[str]:
    return {kind.__name__ for kind in classes_in(vars(package), base) if not isabstract(kind)}


def test_the_page_knows_every_part_that_a_model_file_may_hold(engine: Any) -> None:
    """A new layer, loss or recipe needs its twin, or a word here that it can have none."""
    known = engine.ask(ask="names")
    assert set(known["layers"]) == _names(layers, layers.Layer)
    assert set(known["losses"]) == _names(losses, losses.Loss)
    assert set(known["initializers"]) == _names(initializers, initializers.Initializer)
    public = {name for name in _names(schedules, schedules.Schedule) if not name.startswith("_")}
    assert set(known["schedules"]) == public
    assert set(known["recipes"]) == RECIPE_TYPES.keys() - {"FeatureRecipe", "Backbone"}
    # A search along lines has no update that follows from one gradient.
    assert set(known["optimizers"]) == optimizers.OPTIMIZERS.keys() - {"lbfgs"}
