"""A bad layer inside a container is named itself: by check and command, doctor and walk."""

from dataclasses import dataclass

import numpy as np
import pytest
from click.testing import CliRunner
from own_container import Branches

import clearprop as cp
from clearprop.cli import cli
from clearprop.doctor.case import Case
from clearprop.errors import DivergedError, ShapeError
from clearprop.training.samples import checked_samples


@dataclass(frozen=True)
class Scale(cp.Layer):
    """y = w x, right."""

    def build(self, in_shape):
        return cp.Built(in_shape, {"w": cp.Parameter(in_shape, cp.Constant(1.5))})

    def forward(self, params, x, trace):
        trace["x"] = x
        return x * params["w"]

    def backward(self, params, dy, trace, grads):
        grads["w"][...] = (dy * trace["x"]).sum(axis=0)
        return dy * params["w"]


class WrongDw(Scale):
    def backward(self, params, dy, trace, grads):
        grads["w"][...] = (dy * trace["x"]).mean(axis=0)
        return dy * params["w"]


class WrongDx(Scale):
    def backward(self, params, dy, trace, grads):
        return super().backward(params, dy, trace, grads) * 2


class NoDx(Scale):
    def backward(self, params, dy, trace, grads):
        super().backward(params, dy, trace, grads)


class SummedDx(Scale):
    def backward(self, params, dy, trace, grads):
        return super().backward(params, dy, trace, grads).sum(axis=1)


class InvertedMask(cp.ReLU):
    def backward(self, params, dy, trace, grads):
        return dy * (trace["y"] <= 0)


class Halved(cp.Residual):
    """A container whose own backward is wrong: the block gets half of dy."""

    def backward(self, params, dy, trace, grads):
        return super().backward(params, dy / 2, trace, grads)


class Logarithm(cp.Layer):
    """Of numbers that may be negative."""

    def forward(self, params, x, trace):
        with np.errstate(invalid="ignore"):
            return np.log(x - 9)

    def backward(self, params, dy, trace, grads):
        return dy


class NotANumberBack(cp.Layer):
    """Right but on the way back."""

    def forward(self, params, x, trace):
        return 1 * x

    def backward(self, params, dy, trace, grads):
        return np.nan * dy


class Narrow(cp.Layer):
    """Of another shape than it says."""

    def forward(self, params, x, trace):
        return x[:, :1]

    def backward(self, params, dy, trace, grads):
        return dy


CONTAINERS = {
    "1": lambda bad: bad,
    "1.1": lambda bad: cp.Residual((cp.Dense(3), bad)),
    "1.0": lambda bad: cp.Sequential((bad, cp.Dense(3))),
    "1.1.0": lambda bad: cp.Residual((cp.Dense(3), cp.Sequential((bad, cp.Tanh())))),
    "1.right": lambda bad: Branches(cp.Dense(3), bad),
    "1.left.0": lambda bad: Branches(cp.Residual((bad, cp.Dense(3))), cp.Tanh()),
}
X = np.random.RandomState(0).standard_normal((12, 3))
Y = (X[:, 0] > 0).astype(float)


def network(layer):
    net = cp.Network(
        [cp.Dense(3), layer, cp.Dense(1)], loss=cp.BinaryCrossEntropy(), input_shape=(3,)
    )
    net.parameters.data[...] += 0.3 * np.random.RandomState(1).standard_normal(
        net.parameters.data.size
    )
    return net


inside = pytest.mark.parametrize(("name", "make"), CONTAINERS.items(), ids=CONTAINERS)


def of_class(value):
    return type(value).__name__ if isinstance(value, cp.Layer) else ""


@inside
@pytest.mark.parametrize("bad", [WrongDx(), InvertedMask(), NotANumberBack()], ids=of_class)
def test_the_check_names_the_layer_whose_dx_is_wrong(name, make, bad):
    report = cp.check_gradients(network(make(bad)), X, Y)
    assert report.origin.startswith(f"The error begins in backward of layer {name}, {bad}: ")
    assert report.headline.endswith(report.origin)
    assert not any("adds to the gradient" in note for note in report.notes)


@inside
def test_the_check_of_a_layer_names_the_one_inside(name, make):
    report = cp.check_layer(make(WrongDx()), (3,))
    place = name.replace("1", "0", 1)
    assert f"layer {place}, " in report.origin if "." in name else not report.origin


@inside
def test_the_first_wrong_gradient_names_the_layer_inside(name, make):
    report = cp.check_gradients(network(make(WrongDw())), X, Y)
    assert [row.parameter for row in report.wrong] == [f"{name}.w"]
    assert not report.origin


def test_a_container_is_blamed_for_what_it_gives_to_those_inside():
    report = cp.check_gradients(network(Halved((cp.Dense(3), cp.Tanh()))), X, Y)
    assert "layer 1, " in report.origin
    assert report.origin.endswith("the dy that it gives to layer 1.1 is not right.")


def test_a_loss_is_blamed_for_its_dlogits():
    class Doubled(cp.Loss):
        def each(self, logits, y):
            return np.square(logits - y).sum(axis=1), logits - y

    net = cp.Network([cp.Dense(3), cp.Dense(1)], loss=Doubled(), input_shape=(3,))
    report = cp.check_gradients(net, X, Y[:, np.newaxis])
    assert report.origin.startswith("The error begins in ")
    assert report.origin.endswith("its dlogits are not the gradient of its losses.")


@inside
@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (Narrow(), r"Layer {}, .* gives an array of shape \(12, 1\)"),
        (NoDx(), r"backward of layer {}, .* returns nothing; .* \(12, 3\)"),
        (SummedDx(), r"backward of layer {}, .* returns an array of shape \(12,\)"),
    ],
    ids=of_class,
)
def test_a_wrong_shape_is_told_of_the_layer_inside(name, make, bad, said):
    with pytest.raises(ShapeError, match=said.format(name.replace(".", r"\."))):
        cp.check_gradients(network(make(bad)), X, Y)


def test_the_command_names_the_layer_inside(tmp_path, monkeypatch):
    net = cp.Network(
        [cp.Dense(4), cp.Residual((cp.Dense(4), cp.Tanh())), cp.Dense(1)],
        loss=cp.BinaryCrossEntropy(),
        input_shape=(2,),
    )
    recipe = cp.fit_recipe(cp.load_data("moons"))
    cp.save(tmp_path / "net.safetensors", cp.Model(net, recipe))
    monkeypatch.setattr(cp.Tanh, "backward", lambda *arguments: arguments[2])  # dy, as it is
    how = ["check", str(tmp_path / "net.safetensors"), "--data", "moons"]
    told = CliRunner().invoke(cli, how)
    assert told.exit_code == 1
    assert "The error begins in backward of layer 1.1, Tanh(): " in told.stdout


@inside
@pytest.mark.parametrize("bad", [Logarithm(), NotANumberBack()], ids=of_class)
def test_doctor_and_walk_name_the_layer_inside(name, make, bad):
    net = network(make(bad))
    entry = cp.walk(net, X, Y).first_not_finite
    assert entry is not None
    assert entry.name.startswith(f"{name}.")
    doctor = cp.Doctor()
    with pytest.raises(DivergedError):
        cp.Trainer(epochs=2).fit(net, X, Y, callbacks=[doctor])
    assert ("not_a_number", name) in [(one.illness, one.layer) for one in doctor.findings]


def test_the_doctor_tries_no_batch_norm_in_a_container_that_keeps_no_state_for_it():
    class Stateless(Branches):
        def build(self, in_shape):
            return cp.Built(in_shape, super().build(in_shape).parameters)

    net = network(Stateless(cp.Sequential((cp.Dense(3), cp.Tanh())), cp.Tanh()))
    case = Case(network=net, start=net.copy(), samples=checked_samples(net, X, Y))
    assert case.trials.reach({"batch_norm": True}).loss == np.inf
    assert case.cure({"batch_norm": True}) is None
