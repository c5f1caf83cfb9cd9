"""Layers and losses checked alone: those of clearprop are right, every planted mistake is found."""

import numpy as np
import pytest
from planted_layers import (
    Adds,
    BatchNormOfConstants,
    DerivativeOfTheInput,
    ForgottenFactor,
    InvertedMask,
    MeanInsteadOfSum,
    NoDx,
    Rebinds,
    SummedDx,
)
from random_networks import ACTIVATIONS

import clearprop as cp
from clearprop import losses
from clearprop.errors import DataError, ShapeError, UsageError


@pytest.mark.parametrize(
    "layer",
    [
        *ACTIVATIONS,
        *(cp.Dense(3), cp.Dense(2, bias=False), cp.Flatten(), cp.Dropout(0.4)),
        *(cp.BatchNorm(), cp.LayerNorm(), cp.Sequential((cp.Dense(3), cp.Tanh()))),
        *(cp.NTKDense(3), cp.Scale(), cp.Blend(cp.Mish()), cp.PeriodicEmbedding(5)),
        cp.Columns(((0, 3), (1, 4)), (cp.PeriodicEmbedding(4), cp.Dense(2))),
        cp.Residual((cp.Dense(5), cp.BatchNorm(), cp.ReLU(), cp.Dense(2))),
    ],
    ids=repr,
)
def test_the_layers_of_clearprop_are_right(layer):
    report = cp.check_layer(layer, (4,))
    assert report
    assert report.rows[-1].parameter == "x"
    assert not report.notes


def test_a_layer_of_pictures_is_checked():
    assert cp.check_layer(cp.Flatten(), (2, 3, 2))
    assert cp.check_layer(cp.Tanh(), (2, 3))


@pytest.mark.parametrize("name", [n for n in losses.__dict__ if n.endswith(("Entropy", "Error"))])
def test_the_losses_of_clearprop_are_right(name):
    loss = getattr(losses, name, None)
    if isinstance(loss, type) and issubclass(loss, cp.Loss):
        assert cp.check_loss(loss(), 3)


@pytest.mark.parametrize(
    ("layer", "wrong", "verdict"),
    [
        (MeanInsteadOfSum(), "0.w", "wrong"),
        (ForgottenFactor(), "x", "wrong"),
        (Adds(), "0.w", "wrong"),
        (Rebinds(), "0.w", "missing"),
        (NoDx(), "x", "missing"),
        (SummedDx(), "x", "wrong shape"),
        (InvertedMask(), "x", "wrong"),
        (DerivativeOfTheInput(), "x", "wrong"),
        (BatchNormOfConstants(), "x", "wrong"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, cp.Layer) else value,
)
def test_a_mistake_in_a_layer_is_found(layer, wrong, verdict):
    report = cp.check_layer(layer, (3,))
    assert [(row.parameter, row.verdict) for row in report.wrong] == [(wrong, verdict)]


@pytest.mark.parametrize(
    ("layer", "note"),
    [
        (Adds(), "adds to the gradient of 0.w"),
        (Rebinds(), "never writes the gradient of 0.w"),
    ],
)
def test_what_a_layer_does_to_its_gradients_is_told(layer, note):
    assert any(note in one for one in cp.check_layer(layer, (3,)).notes)


def test_gradients_that_are_never_written_are_told_in_the_layer_s_order():
    class Silent(cp.Layer):
        def build(self, in_shape):
            return cp.Built(in_shape, {name: cp.Parameter(in_shape, cp.Zeros()) for name in "badc"})

        def forward(self, params, x, trace):
            return x + sum(params.values())

        def backward(self, params, dy, trace, grads):
            return dy

    notes = cp.check_layer(Silent(), (3,)).notes
    told = [note.split("gradient of ")[1][:3] for note in notes if "never writes" in note]
    assert told == ["0.b", "0.a", "0.d", "0.c"]


def test_a_mistake_in_a_loss_is_found():
    class Doubled(cp.Loss):
        def each(self, logits, y):
            return np.square(logits - y).sum(axis=1), logits - y

    report = cp.check_loss(Doubled(), 2)
    assert [row.parameter for row in report.wrong] == ["x"]


def test_a_layer_that_writes_into_dy_is_told():
    class Careless(cp.Tanh):
        def backward(self, params, dy, trace, grads):
            dy *= 1 - trace["y"] ** 2
            return dy

    report = cp.check_layer(Careless(), (3,))
    assert report
    assert "writes into dy" in report.notes[0]


def test_a_layer_that_gives_another_shape_than_it_said_is_refused():
    class Narrow(cp.Layer):
        def forward(self, params, x, trace):
            return x[:, :1]

        def backward(self, params, dy, trace, grads):
            return dy

    with pytest.raises(ShapeError, match=r"Layer 0, .* shape \(5, 1\); its build says \(5, 3\)"):
        cp.check_layer(Narrow(), (3,))


def test_a_loss_without_a_value_is_told():
    class Log(cp.Loss):
        def each(self, logits, y):
            with np.errstate(invalid="ignore"):
                return np.log(-np.abs(logits)).sum(axis=1), 1 / logits

    with pytest.raises(DataError, match="the logits are finite, the losses are not"):
        cp.check_loss(Log(), 2)


def test_losses_of_a_wrong_shape_are_refused():
    class Total(cp.Loss):
        def each(self, logits, y):
            return np.square(logits - y), 2 * (logits - y)

    with pytest.raises(ShapeError, match=r"losses of shape \(5, 2\), expected one a sample"):
        cp.check_loss(Total(), 2)


def test_a_loss_that_takes_no_usual_targets_is_refused():
    class Choosy(cp.MeanSquaredError):
        def targets(self, y, outputs, dtype):
            raise DataError("None of these.")

    with pytest.raises(UsageError, match=r"check_loss\(loss, outputs, y\)"):
        cp.check_loss(Choosy(), 2)


def test_more_targets_than_samples_are_refused():
    net = cp.Network([cp.Dense(1)], loss=cp.BinaryCrossEntropy(), input_shape=(2,))
    with pytest.raises(ShapeError, match="X has 2 samples and y has 40"):
        cp.check_gradients(net, np.eye(2), np.ones(40))
