"""The model file: what comes back is what was saved."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from drawn_models import drawn_networks, small_model
from hypothesis import given
from safetensors.numpy import load_file
from small_training import small_network, two_classes

import clearprop as cp
from clearprop.core.parameters import Array, Parameter, Params
from clearprop.core.trace import Trace
from clearprop.errors import ModelFileError, OutputError, UsageError
from clearprop.network import Network


@given(drawn_networks())
def test_every_kind_of_network_comes_back_with_every_bit(net: Network) -> None:
    with TemporaryDirectory() as folder:
        path, again = Path(folder, "model.safetensors"), Path(folder, "again.safetensors")
        cp.save(path, net)
        twin = cp.load(path).network
        cp.save(again, twin)
        assert path.read_bytes() == again.read_bytes()
        raw = load_file(path)
    assert (twin.layers, twin.loss, twin.input_shape) == (net.layers, net.loss, net.input_shape)
    assert (twin.dtype, twin.seed) == (net.dtype, net.seed)
    X = np.random.RandomState(0).standard_normal((5, *net.input_shape))
    np.testing.assert_array_equal(twin.logits(X), net.logits(X))
    every: Mapping[str, Array] = {**net.parameters, **net.state}
    assert raw.keys() == every.keys()
    for name, array in every.items():
        assert raw[name].dtype == net.dtype
        np.testing.assert_array_equal(raw[name], array)


def test_recipe_class_names_and_summary_travel_along(tmp_path: Path) -> None:
    model = small_model()
    cp.save(tmp_path / "model.safetensors", model)
    again = cp.load(tmp_path / "model.safetensors")
    assert again.preprocessing == model.preprocessing
    assert again.class_names == ("männlich", "weiblich")
    assert again.training["settings"] == {"layers": [2], "l2": 0.0}
    assert math.isnan(again.training["loss"])
    assert again.version == cp.__version__


def test_a_network_alone_has_neither_recipe_nor_classes(tmp_path: Path) -> None:
    cp.save(tmp_path / "model.safetensors", small_network())
    model = cp.load(tmp_path / "model.safetensors")
    assert model.preprocessing is None
    assert model.class_names is None
    assert model.training == {}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_seed_trains_to_the_same_file(tmp_path: Path, dtype: str) -> None:
    X, y = two_classes()
    for name in ("first", "second"):
        net = small_network(cp.Dense(5), cp.BatchNorm(), cp.ReLU(), cp.Dropout(0.3), dtype=dtype)
        cp.Trainer(epochs=4, batch_size=5).fit(net, X, y, validation=0.2)
        cp.save(tmp_path / name, net)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    other = small_network(cp.Dense(5), cp.BatchNorm(), cp.ReLU(), cp.Dropout(0.3), dtype=dtype)
    cp.Trainer(epochs=4, batch_size=5, seed=1).fit(other, X, y, validation=0.2)
    cp.save(tmp_path / "third", other)
    assert (tmp_path / "third").read_bytes() != (tmp_path / "first").read_bytes()


@dataclass(frozen=True)
class Shift(cp.Layer):
    by: float

    def build(self, in_shape: tuple[int, ...]) -> cp.Built:
        return cp.Built(in_shape, {"s": Parameter(in_shape, cp.Zeros())})

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        return x + params["s"] + self.by

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        np.sum(dy, axis=0, out=grads["s"])
        return dy


@dataclass(frozen=True)
class Twos(cp.Initializer):
    def draw(self, random_state: np.random.RandomState, shape: tuple[int, ...]) -> Array:
        return np.full(shape, 2.0)


@dataclass(frozen=True)
class AbsoluteError(cp.Loss):
    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        return np.abs(logits - y).sum(axis=1), np.sign(logits - y)


def test_parts_of_ones_own_come_back_where_they_are_named(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    net = Network([Shift(0.5), cp.Dense(1, Twos())], loss=AbsoluteError(), input_shape=(3,))
    cp.save(path, net)
    twin = cp.load(path, custom=[Shift, Twos, AbsoluteError]).network
    assert twin.layers == net.layers
    assert twin.loss == AbsoluteError()
    np.testing.assert_array_equal(twin.logits(np.ones((1, 3))), [[9.0]])
    with pytest.raises(ModelFileError, match="no type 'Shift'"):
        cp.load(path, custom=[Twos, AbsoluteError])


@dataclass(frozen=True)
class Unsaveable(cp.Layer):
    function: object

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        return x

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        return dy


def test_what_can_not_be_described_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    net = small_network(Unsaveable(print))
    with pytest.raises(UsageError, match="can't be saved"):
        cp.save(tmp_path / "model.safetensors", net)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_can_not_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.safetensors"
    cp.save(path, small_network(seed=1))
    before = path.read_bytes()

    def no_space(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", no_space)
    with pytest.raises(OutputError, match=r"model\.safetensors can't be written: No space left"):
        cp.save(path, small_network(seed=2))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OutputError, match="nowhere"):
        cp.save(tmp_path / "nowhere" / "model.safetensors", small_network())
