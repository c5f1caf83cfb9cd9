"""The probe, and all who look through it: they find layers inside containers by their own names."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from own_container import Branches

import clearprop as cp
from clearprop.core.parameters import Array, Params
from clearprop.core.trace import Trace
from clearprop.doctor.treatment import treated
from clearprop.doctor.watching import find_origin, watch
from clearprop.errors import DataError, ShapeError, UsageError
from clearprop.layers import Built
from clearprop.network.probe import Backward, Forward, LossPass, Watcher, watched


@dataclass(frozen=True)
class Plain(cp.Layer):
    """y = x, right."""

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        return x.copy()

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        return dy.copy()


class ChangesX(Plain):
    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        x += 1
        return x.copy()


class ChangesDy(Plain):
    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        dy *= 2
        return dy.copy()


class Lost(Plain):
    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        return x + np.nan


class LostBack(Plain):
    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        return dy + np.nan


class WrongShape(Plain):
    def build(self, in_shape: tuple[int, ...]) -> Built:
        return Built((in_shape[0] + 1,))


CONTAINERS = {
    "1.1": lambda bad: cp.Sequential((cp.Tanh(), bad)),
    "1.0": lambda bad: cp.Residual((bad, cp.Tanh())),
    "1.1.0": lambda bad: cp.Residual((cp.Tanh(), cp.Sequential((bad,)))),
    "1.0.1": lambda bad: cp.Sequential((cp.Residual((cp.Tanh(), bad)), cp.Tanh())),
    "1.right": lambda bad: Branches(cp.Tanh(), bad),
    "1.left.0": lambda bad: Branches(cp.Residual((bad,)), cp.Tanh()),
    "1.1.left": lambda bad: cp.Residual((cp.Tanh(), Branches(bad, cp.Tanh()))),
}
"""Containers by the name that a layer inside them has."""

X = np.random.RandomState(0).standard_normal((5, 3))
Y = np.arange(5) % 2


def network(inside: cp.Layer) -> cp.Network:
    return cp.Network(
        [cp.Dense(3), inside, cp.Dense(2)], loss=cp.SoftmaxCrossEntropy(), input_shape=(3,)
    )


def around(name: str, bad: cp.Layer) -> cp.Network:
    return network(CONTAINERS[name](bad))


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize(("bad", "verb"), [(ChangesX(), "forward"), (ChangesDy(), "backward")])
def test_who_writes_into_its_arguments_is_named_itself(name: str, bad: cp.Layer, verb: str) -> None:
    notes = cp.check_gradients(around(name, bad), X, Y).notes
    blamed = [note for note in notes if "writes into" in note]
    assert len(blamed) == 1
    assert blamed[0].startswith(f"{verb} of layer {name}, {bad}, writes into ")


def test_a_container_that_writes_itself_is_named() -> None:
    class Careless(cp.Residual):
        def forward(self, params: Params, x: Array, trace: Trace) -> Array:
            y = super().forward(params, x, trace)
            x += 1
            return y

    notes = cp.check_gradients(network(Careless((cp.Tanh(),))), X, Y).notes
    assert [note[:20] for note in notes if "writes into" in note] == ["forward of layer 1, "]


@pytest.mark.parametrize("name", CONTAINERS)
def test_who_first_gives_numbers_that_are_none_is_named_itself(name: str) -> None:
    with pytest.raises(DataError, match=f"It starts in layer {name}, Lost"):
        cp.check_gradients(around(name, Lost()), X, Y)
    for bad, operation in ((Lost(), "forward"), (LostBack(), "backward")):
        origin = find_origin(around(name, bad), X, Y)
        assert origin is not None
        assert (origin.operation, origin.layer) == (operation, name)
        assert origin.kind == type(bad).__name__


@pytest.mark.parametrize("name", ["1.1", "1.1.0"])
def test_who_gives_a_wrong_shape_is_named_itself(name: str) -> None:
    net = cp.Network(
        [cp.Dense(3), CONTAINERS[name](WrongShape()), cp.Flatten()],
        loss=cp.MeanSquaredError(),
        input_shape=(3,),
    )
    with pytest.raises(ShapeError, match=f"Layer {name}, WrongShape"):
        cp.gradcheck.watching.watch(
            cp.gradcheck.watching.Passes(net, X, net.targets(np.ones((5, 4))))
        )


class Everything(Watcher):
    def __init__(self) -> None:
        self.told: list[Forward | Backward | LossPass] = []

    def forward(self, done: Forward) -> None:
        self.told.append(done)

    def backward(self, done: Backward) -> None:
        self.told.append(done)

    def loss(self, done: LossPass) -> None:
        self.told.append(done)


def test_a_watched_step_is_the_network_s_own_and_is_told_in_order() -> None:
    net = network(Branches(cp.Residual((cp.Dense(4), cp.BatchNorm())), cp.Dense(4)))
    everything = Everything()
    loss, gradient = watched(net, everything).loss_and_gradient(X, Y)
    expected, right = net.loss_and_gradient(X, Y)
    assert loss == expected
    np.testing.assert_array_equal(gradient.data, right.data)
    layers = [one for one in everything.told if not isinstance(one, LossPass)]
    forward = [one for one in layers if isinstance(one, Forward)]
    inside = ["1.left.0", "1.left.1", "1.left", "1.right", "1"]
    assert [one.name for one in forward] == ["0", *inside, "2"]
    back = ["2", "1.left.1", "1.left.0", "1.left", "1.right", "1", "0"]
    assert [one.name for one in layers if isinstance(one, Backward)] == back
    assert forward[0].y is not forward[2].x
    by_name = {one.name: one for one in forward}
    np.testing.assert_array_equal(by_name["1.left"].x, by_name["0"].y)
    assert by_name["1.left"].params.keys() == {"P"}
    assert by_name["1.left.1"].params.keys() >= {"gamma", "running_mean"}
    for one in layers:
        if isinstance(one, Backward):
            for key, grad in one.grads.items():
                np.testing.assert_array_equal(grad, right[f"{one.name}.{key}"])


class TestAContainerOfOnesOwn:
    def test_trains_is_saved_and_loaded_and_checked(self, tmp_path: Path) -> None:
        net = network(Branches(cp.Residual((cp.Dense(4), cp.BatchNorm())), cp.Dense(4)))
        history = cp.Trainer(epochs=5).fit(net, X, Y)
        assert history["loss"][-1] < history["loss"][0]
        assert not np.allclose(net.state["1.left.1.running_mean"], 0)
        cp.save(tmp_path / "own.safetensors", net)
        same = cp.load(tmp_path / "own.safetensors", custom=[Branches]).network
        np.testing.assert_array_equal(same.predict(X), net.predict(X))
        assert cp.check_gradients(net, X, Y)

    def test_needs_fields_named_as_its_layers(self) -> None:
        class Odd(Branches):
            def inner(self) -> Mapping[str, cp.Layer]:
                return {"left": self.left, "other": self.right}

        with pytest.raises(UsageError, match=r"Odd has no field 'other'.* with_inner\(\)"):
            network(Odd(cp.Tanh(), cp.Tanh())).summary()

    def test_may_build_its_layers_as_it_likes(self) -> None:
        class Alike(Branches):
            def build(self, in_shape: tuple[int, ...]) -> cp.Built:
                return self.left.build(in_shape)

        rows = network(Alike(cp.Tanh(), cp.Tanh())).summary().rows
        assert [row.name for row in rows] == ["0", "1", "1.left", "2"]

    def test_has_its_inner_layers_in_the_table(self) -> None:
        net = network(Branches(cp.Residual((cp.Dense(4), cp.Tanh())), cp.Dense(4)))
        rows = {row.name: row for row in net.summary().rows}
        names = ["0", "1", "1.left", "1.left.0", "1.left.1", "1.right", "2"]
        assert list(rows) == names
        assert rows["1"].layer == "Branches"
        assert rows["1"].parameters == 0
        assert rows["1.left"].shapes == {"P": (3, 4)}
        assert rows["1.right"].output_shape == (4,)
        assert net.summary().parameters == net.parameters.data.size

    def test_is_walked_inside(self) -> None:
        net = network(Branches(cp.Residual((cp.Dense(4), cp.Tanh())), cp.Dense(4)))
        text = str(cp.walk(net, X[:2], Y[:2]))
        assert "layer 1 gives it" in text
        assert cp.walk(net, X[:2], Y[:2])["1.right.y"].array.shape == (2, 4)

    def test_is_examined_and_treated_inside(self) -> None:
        net = network(Branches(cp.Sequential((cp.Dense(4), cp.Tanh())), cp.Dense(4)))
        names = [one.name for one in watch(net, X, Y, training=True)]
        assert names == ["0", "1.left.0", "1.left.1", "1.left", "1.right", "1", "2"]
        cured = treated(net, {"activation": "relu", "batch_norm": True, "init": "zeros"})
        _, *after = cured.layers[1].inner()["left"].inner().values()
        assert after == [cp.BatchNorm(), cp.ReLU()]
        assert not cured.parameters["1.right.W"].any()
