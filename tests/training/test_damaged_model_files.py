"""Files that are no model: one kind of error, and nothing allocated that they only claim."""

import json
import struct
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from drawn_models import small_model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

import clearprop as cp
from clearprop.errors import ModelFileError
from clearprop.files.tensors import open_tensors, save_tensors

Description = dict[str, Any]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "model.safetensors"
    cp.save(path, small_model())
    return path


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    return tmp_path / "odd.safetensors"


def assert_refused(path: Path, message: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError, match=message) as caught:
            cp.load(path)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()
    assert path.name in str(caught.value)


def changed(whole: Path, change: Callable[[Description], None]) -> Description:
    description = deepcopy(open_tensors(whole, "model").description)
    change(description)
    return description


def put(value: Any, *path: str | int) -> Callable[[Description], None]:
    def change(description: Any) -> None:
        *inner, last = path
        for key in inner:
            description = description[key]
        description[last] = value

    return change


def drop(*path: str) -> Callable[[Description], None]:
    def change(description: Any) -> None:
        *inner, last = path
        for key in inner:
            description = description[key]
        del description[last]

    return change


def nested(depth: int) -> Any:
    layer: Any = {"type": "ReLU"}
    for _ in range(depth):
        layer = {"type": "Residual", "layers": [layer]}
    return layer


LAYERS = ("network", "layers")
ODD: dict[str, tuple[Callable[[Description], None], str]] = {
    "a later format": (put(2, "format"), "of format 2, .*reads format 1.*Upgrade"),
    "no format": (drop("format"), "of format None"),
    "no network": (drop("network"), "damaged: it does not say its 'network'"),
    "no training": (drop("training"), "damaged: it does not say its 'training'"),
    "a network that is text": (put("big", "network"), "damaged"),
    "an unknown layer": (put("Dence", *LAYERS, 0, "type"), "no type 'Dence'. Did you mean 'Dense'"),
    "an unknown field": (put(1, *LAYERS, 0, "width"), "no field 'width'"),
    "a loss for a layer": (put({"type": "MeanSquaredError"}, *LAYERS, 2), "damaged"),
    "a layer for a loss": (put({"type": "ReLU"}, "network", "loss"), "damaged"),
    "text for a loss": (put("loss", "network", "loss"), "damaged"),
    "a layer for an initializer": (put({"type": "ReLU"}, *LAYERS, 0, "init"), "damaged"),
    "a number for an initializer": (put(3, *LAYERS, 0, "init"), "damaged"),
    "no layers": (put([], *LAYERS), "contradicts itself"),
    "layers that are a number": (put(5, *LAYERS), "damaged"),
    "a layer that is a number": (put(5, *LAYERS, 2), "Layer 2 is no layer"),
    "layers that are one": (put({"type": "ReLU"}, *LAYERS), "damaged"),
    "very many units": (put(10**12, *LAYERS, 0, "units"), "contradicts itself: .*'0.W' as float32"),
    "no units": (put(0, *LAYERS, 0, "units"), "damaged"),
    "units of text": (put("2", *LAYERS, 0, "units"), "damaged"),
    "units of a list": (put([2], *LAYERS, 0, "units"), "damaged"),
    "a wide input": (put([10**12], "network", "input_shape"), "contradicts itself"),
    "a negative input": (put([-3], "network", "input_shape"), "odd"),
    "an endless input": (put([float("inf")], "network", "input_shape"), "damaged"),
    "an input of text": (put("three", "network", "input_shape"), "damaged"),
    "no input": (put([], "network", "input_shape"), "odd"),
    "half precision": (put("float16", "network", "dtype"), "computes in 'float16'"),
    "another precision": (put("float64", "network", "dtype"), "as float64 .*holds float32"),
    "a structured dtype": (put([["a", "f4"]], "network", "dtype"), "damaged"),
    "a seed of text": (put("x", "network", "seed"), "damaged"),
    "a negative seed": (put(-1, "network", "seed"), "damaged"),
    "a deep network": (put(nested(300), *LAYERS, 2), "odd"),
    "a recipe of a number": (put(7, "preprocessing"), "damaged"),
    "half a recipe": (drop("preprocessing", "target"), "damaged"),
    "a recipe for other inputs": (put(None, "preprocessing", "inputs"), "damaged"),
    "more classes than outputs": (
        put(["a", "b", "c"], "preprocessing", "target", "class_names"),
        "needs 3 outputs, its network has 1",
    ),
    "training that is a number": (put(7, "training"), "damaged"),
}


@pytest.mark.parametrize("what", ODD)
def test_a_description_that_can_not_be_is_refused(whole: Path, odd: Path, what: str) -> None:
    change, message = ODD[what]
    save_tensors(odd, load_file(whole), changed(whole, change))
    assert_refused(odd, message)


def test_a_recipe_for_samples_of_another_shape_is_refused(odd: Path) -> None:
    net = cp.Network([cp.Dense(1)], loss=cp.BinaryCrossEntropy(), input_shape=(2,))
    cp.save(odd, cp.Model(net, small_model().preprocessing))
    assert_refused(odd, r"makes samples of shape \(3,\), its network takes \(2,\)")


def test_arrays_that_do_not_fit_the_layers_are_refused(whole: Path, odd: Path) -> None:
    arrays, description = load_file(whole), changed(whole, lambda _: None)
    W = arrays["0.W"]
    save_tensors(odd, arrays | {"0.W": W.T.copy()}, description)
    assert_refused(odd, r"'0.W' as float32 \(3, 2\), it holds float32 \(2, 3\)")
    save_tensors(odd, arrays | {"9.W": W}, description)
    assert_refused(odd, r"'9.W' as float32 None, it holds float32 \(3, 2\)")
    save_tensors(odd, arrays | {"0.W": W.astype(np.float64)}, description)
    assert_refused(odd, "it holds float64")
    del arrays["0.W"]
    save_tensors(odd, arrays, description)
    assert_refused(odd, "it holds None None")


LINEAR = {"linear/0.W": np.zeros((3, 1), np.float32), "linear/0.b": np.zeros(1, np.float32)}
"""The arrays of a linear model that the network has to beat."""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"linear/0.W": np.zeros((1, 3), np.float32)}, r"needs? 'linear/0.W' as float32 \(3, 1\)"),
        ({"linear/0.W": np.zeros((3, 1))}, r"'linear/0.W' as float32 .* it holds float64"),
        ({"linear/0.W": None}, r"'linear/0.W' as float32 \(3, 1\), it holds None None"),
        ({"linear/0.b": np.zeros((0,), np.float32)}, r"'linear/0.b' .*, it holds float32 \(0,\)"),
        ({"linear/0.b": np.zeros((1, 1), np.float32)}, r"'linear/0.b' as float32 \(1,\)"),
        ({"linear/1.W": np.zeros((3, 1), np.float32)}, "'linear/1.W' as float32 None"),
        ({"linear/": np.zeros((3, 1), np.float32)}, "'linear/' as float32 None"),
        ({"linear/\x1b[2J": np.zeros(1, np.float32)}, "as float32 None"),
    ],
)
def test_a_linear_model_that_does_not_fit_is_refused(
    whole: Path, odd: Path, change: dict[str, Any], message: str
) -> None:
    arrays = {
        name: array
        for name, array in (load_file(whole) | LINEAR | change).items()
        if array is not None
    }
    save_tensors(odd, arrays, changed(whole, lambda _: None))
    assert_refused(odd, message)


def test_a_linear_model_of_a_claimed_size_is_never_made(whole: Path, odd: Path) -> None:
    """A description claims a wide input, and the arrays of the linear model claim to fit it."""
    description = changed(whole, put([10**12], "network", "input_shape"))
    save_tensors(odd, load_file(whole) | LINEAR, description)
    assert_refused(odd, "contradicts itself")


def test_a_linear_model_lies_beside_the_network(whole: Path, odd: Path) -> None:
    W = np.array([[1], [-2], [0.5]], np.float32)
    save_tensors(odd, load_file(whole) | LINEAR | {"linear/0.W": W}, changed(whole, lambda _: None))
    model = cp.load(odd)
    assert model.linear is not None
    X = np.eye(3, dtype=np.float32)
    np.testing.assert_array_equal(model.linear.logits(X), W)
    assert cp.load(whole).linear is None


@pytest.mark.parametrize(
    "constant",
    [
        *(None, "half", 0.5, [], [0.5], [0.2, 0.3, 0.5], ["a", 0.5], [np.nan, 0.5], [-0.5, 1.5]),
        *([True, False], [1, 0], [[0.5], [0.5]], {"0": 0.5}, [np.inf, 0.0]),
    ],
    ids=str,
)
def test_shares_that_can_not_be_are_not_known(whole: Path, odd: Path, constant: Any) -> None:
    save_tensors(odd, load_file(whole), changed(whole, put(constant, "training", "constant")))
    assert cp.load(odd).constant is None


@pytest.mark.parametrize("name", ["0.W", "1.running_mean", "linear/0.W", "linear/0.b"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(
    whole: Path, odd: Path, name: str, value: float
) -> None:
    arrays = load_file(whole) | {name: array.copy() for name, array in LINEAR.items()}
    arrays[name].flat[0] = value
    save_tensors(odd, arrays, changed(whole, lambda _: None))
    assert_refused(odd, f"'{name}' holds numbers that are not finite")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ('{"a":' * 100_000, "is no JSON"),
        ('{"kind": "model", "format": ' + "1" * 5000 + "}", "is no JSON"),
        ("[]", "is no clearprop model file"),
        ("null", "is no clearprop model file"),
        ('{"kind": "checkpoint"}', "says it is 'checkpoint'"),
    ],
    ids=lambda text: text[:12],
)
def test_a_description_that_is_no_object_is_refused(odd: Path, text: str, message: str) -> None:
    save_file({"a": np.zeros(1)}, odd, {"clearprop": text})
    assert_refused(odd, message)


def test_other_safetensors_files_are_refused(odd: Path) -> None:
    save_file({"a": np.zeros(1)}, odd)
    assert_refused(odd, "no description")
    save_file({"a": np.zeros(1, np.int64)}, odd)
    assert_refused(odd, "'a' is of type I64")


def header(entries: object, body: bytes = b"") -> bytes:
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + body


CLAIM = {"dtype": "F64", "shape": [10**12], "data_offsets": [0, 8 * 10**12]}
NO_MODELS: dict[str, bytes] = {
    "empty": b"",
    "text": b"accuracy,loss\n0.5,0.1\n",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "a pickle": b"\x80\x04\x95" + bytes(100),
    "a header longer than the file": struct.pack("<Q", 10**9) + b"{}",
    "an endless header": struct.pack("<Q", 2**64 - 1) + b"{}",
    "a header that is no JSON": header(b"{]"),
    "a header that is no text": header(b"\xff\xfe{}"),
    "a deep header": header(b'{"a":' * 50_000),
    "huge arrays": header({"a": CLAIM}, bytes(64)),
    "arrays beyond the end": header(
        {"a": {"dtype": "F64", "shape": [1], "data_offsets": [8, 16]}}, bytes(8)
    ),
    "a shape that overflows": header(
        {"a": {"dtype": "F64", "shape": [2**62, 8], "data_offsets": [0, 0]}}
    ),
    "small numbers": header(
        {"a": {"dtype": "F8_E4M3", "shape": [1], "data_offsets": [0, 1]}}, b"1"
    ),
    "two in one place": header(
        {
            "a": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]},
            "b": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]},
        },
        bytes(8),
    ),
}


@pytest.mark.parametrize("what", NO_MODELS)
def test_what_is_no_model_is_refused(odd: Path, what: str) -> None:
    odd.write_bytes(NO_MODELS[what])
    assert_refused(odd, "odd")


def test_no_file_and_a_folder_are_refused(odd: Path) -> None:
    assert_refused(odd, "There is no model file")
    odd.mkdir()
    assert_refused(odd, "is a folder")


def test_a_file_cut_anywhere_is_refused(whole: Path, odd: Path) -> None:
    data = whole.read_bytes()
    for length in {*range(0, len(data), 29), len(data) - 1}:
        odd.write_bytes(data[:length])
        with pytest.raises(ModelFileError, match=r"odd\.safetensors"):
            cp.load(odd)


_edits = st.lists(st.tuples(st.floats(0, 0.99999), st.binary(max_size=3)), min_size=1, max_size=4)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(edits=_edits, insert=st.booleans())
def test_changed_bytes_load_or_are_refused(
    whole: Path, edits: list[tuple[float, bytes]], insert: bool
) -> None:
    data = bytearray(whole.read_bytes())
    for share, piece in edits:
        place = int(share * len(data))
        data[place : place if insert else place + len(piece)] = piece
    with TemporaryDirectory() as folder:
        path = Path(folder, "changed.safetensors")
        path.write_bytes(data)
        load_or_refuse(path)


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_changed_values_in_the_description_load_or_are_refused(
    whole: Path, data: st.DataObject
) -> None:
    description: Any = open_tensors(whole, "model").description
    inside = description
    while True:
        keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(inside[key], dict | list) or not inside[key] or data.draw(st.booleans()):
            break
        inside = inside[key]
    inside[key] = data.draw(_values)
    with TemporaryDirectory() as folder:
        path = Path(folder, "changed.safetensors")
        save_tensors(path, load_file(whole), description)
        load_or_refuse(path)


def load_or_refuse(path: Path) -> None:
    with suppress(ModelFileError):  # and no other
        net = cp.load(path).network
        assert np.isfinite(net.parameters.data).all()
