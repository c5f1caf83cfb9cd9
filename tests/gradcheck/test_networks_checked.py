"""Networks checked: no false alarm, and every planted mistake found."""

from dataclasses import dataclass

import numpy as np
import pytest
from planted_layers import BatchNormOfConstants, ForgottenFactor, MeanInsteadOfSum
from random_networks import ACTIVATIONS

import clearprop as cp
from clearprop.errors import DataError, UsageError

RANDOM_NETWORKS = (60, pytest.param(300, marks=pytest.mark.slow))


def random_layers(draw, count):
    drawn = []
    for kind in draw.choice(["dense", "dense", "batch", "layer", "dropout", "residual"], count):
        if kind == "dense":
            dense = cp.Dense(int(draw.randint(1, 5)), bias=bool(draw.randint(2)))
            drawn += [dense, ACTIVATIONS[draw.randint(len(ACTIVATIONS))]]
        elif kind == "residual":
            drawn.append(cp.Residual(tuple(random_layers(draw, draw.randint(1, 3)))))
        else:
            drawn.append({"batch": cp.BatchNorm(), "layer": cp.LayerNorm()}.get(kind, DROPOUT))
    return drawn


DROPOUT = cp.Dropout(0.3)


def random_network(seed):
    """Draw a network, samples of any scale, targets, and perhaps weights of the samples."""
    draw = np.random.RandomState(seed)
    loss = [cp.BinaryCrossEntropy(), cp.SoftmaxCrossEntropy(), cp.MeanSquaredError()][seed % 3]
    inputs, outputs, samples = draw.randint(1, 5), draw.randint(2, 4), draw.randint(2, 6)
    net = cp.Network(
        [*random_layers(draw, draw.randint(4)), cp.Dense(int(outputs))],
        loss=loss,
        input_shape=(int(inputs),),
        seed=seed,
        dtype=["float32", "float64"][draw.randint(2)],
    )
    if draw.randint(2):  # otherwise biases are zero, and dead units lie on their kinks
        net.parameters.data[...] += 0.5 * draw.standard_normal(net.parameters.data.size)
    X = draw.standard_normal((samples, inputs)) * 10.0 ** draw.randint(-1, 3)
    classes = draw.randint(0, outputs, samples)
    y = classes if isinstance(loss, cp.SoftmaxCrossEntropy) else np.eye(outputs)[classes]
    return net, X, y, draw.uniform(size=samples) if draw.randint(2) else None


@pytest.mark.parametrize("count", RANDOM_NETWORKS)
def test_no_random_network_raises_a_false_alarm(count):
    reports = [cp.check_gradients(*random_network(seed)) for seed in range(count)]
    assert [seed for seed, report in enumerate(reports) if report.wrong] == []
    rows = [row for report in reports for row in report.rows]
    # What can't be judged is the exception: most of it are biases that a batch norm cancels.
    assert np.mean([row.verdict == "right" for row in rows]) > 0.97
    assert sum(row.skipped for row in rows) < 0.05 * sum(row.checked for row in rows)


class TestNoFalseAlarm:
    """What random networks showed to be easily taken for a mistake."""

    @pytest.mark.parametrize("seed", [2, 4, 15, 23])
    def test_units_on_their_kinks_all_at_once(self, seed):
        dead = [cp.Dense(1), cp.ReLU()]  # and no biases: all layers above give 0
        net = cp.Network(
            [*dead, cp.Dense(7), cp.ELU(), cp.Dense(6, bias=False), cp.ReLU(), cp.Dense(2)],
            loss=cp.MeanSquaredError(),
            input_shape=(2,),
            seed=seed,
        )
        net.parameters["0.W"][...] = -1
        report = cp.check_gradients(net, [[1.0, 2.0], [0.5, 0.1]], np.ones((2, 2)))
        assert not report.wrong
        assert any(row.skipped for row in report.rows)

    @pytest.mark.parametrize("seed", [8, 13, 17, 20])
    def test_gradients_that_are_nothing_but_rounding(self, seed):
        # Of a single feature layer norm makes 0, and batch norms magnify the rounding of zeros.
        constant = [cp.LayerNorm(), cp.Dense(7), cp.Dense(2), cp.Tanh()]
        net = cp.Network(
            [*constant, cp.BatchNorm(), cp.BatchNorm(), cp.BatchNorm(), cp.Dense(4)],
            loss=cp.MeanSquaredError(),
            input_shape=(1,),
            seed=seed,
        )
        draw = np.random.RandomState(seed)
        net.parameters.data[...] += 0.5 * draw.standard_normal(net.parameters.data.size)
        X, y = draw.standard_normal((8, 1)), np.eye(4)[[0, 1] * 4]
        assert not cp.check_gradients(net, X, y).wrong

    def test_a_saturated_softmax_whose_loss_is_rounded_to_0(self):
        net = cp.Network([cp.Dense(2)], loss=cp.SoftmaxCrossEntropy(), input_shape=(1,))
        net.parameters["0.W"][...] = [[60, -60]]
        assert not cp.check_gradients(net, [[1.0]], [0]).wrong


@pytest.mark.parametrize("layer", [MeanInsteadOfSum(), ForgottenFactor(), BatchNormOfConstants()])
def test_a_mistake_in_a_network_is_found_where_it_first_shows(layer):
    net = cp.Network(
        [cp.Dense(4), layer, cp.Tanh(), cp.Dense(2)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(3,),
    )
    draw = np.random.RandomState(0)
    net.parameters.data[...] += 0.3 * draw.standard_normal(net.parameters.data.size)
    report = cp.check_gradients(net, draw.standard_normal((8, 3)), draw.randint(0, 2, 8))
    first = "1.w" if isinstance(layer, MeanInsteadOfSum) else "0.W"
    assert report.wrong[0].parameter == first


def small_network(*between, dtype="float64"):
    return cp.Network(
        [cp.Dense(3), *between, cp.Dense(1)],
        loss=cp.MeanSquaredError(),
        input_shape=(2,),
        dtype=dtype,
    )


X, Y = np.array([[1.0, -2.0], [0.5, 3.0], [2.0, 0.25]]), np.array([0.0, 1.0, 2.0])


class TestNoticed:
    def test_a_layer_that_writes_into_its_input(self):
        class Halves(cp.Tanh):
            def forward(self, params, x, trace):
                x *= 0.5
                return super().forward(params, x, trace)

        notes = cp.check_gradients(small_network(Halves()), X, Y).notes
        assert any(
            "forward of layer 1, " in note and "writes into its input" in note for note in notes
        )

    def test_a_layer_with_random_numbers_of_its_own_is_held(self):
        class Noise(cp.Layer):
            def forward(self, params, x, trace):
                return x + np.random.standard_normal(x.shape)

            def backward(self, params, dy, trace, grads):
                return dy

        report = cp.check_gradients(small_network(Noise()), X, Y)
        assert report
        assert any("draws random numbers" in note for note in report.notes)

    def test_float32_is_told_with_its_rounding(self):
        notes = cp.check_gradients(small_network(cp.Tanh(), dtype="float32"), X, Y).notes
        assert "computes in float32" in notes[0]

    def test_the_network_is_not_changed(self):
        net = small_network(cp.BatchNorm())
        before = net.parameters.data.copy(), net.state.data.copy()
        cp.check_gradients(net, X, Y)
        np.testing.assert_array_equal(net.parameters.data, before[0])
        np.testing.assert_array_equal(net.state.data, before[1])

    def test_of_many_samples_some_are_drawn(self):
        many = np.tile(X, (20, 1))
        report = cp.check_gradients(small_network(), many, np.tile(Y, 20))
        assert report.notes[0] == "checked on 32 of 60 samples."

    def test_samples_without_weight_are_not_drawn(self):
        weights = np.zeros(60)
        weights[:3] = 1
        report = cp.check_gradients(small_network(), np.tile(X, (20, 1)), np.tile(Y, 20), weights)
        assert report
        assert all(row.analytical for row in report.rows)


class TestRefused:
    def test_a_loss_that_is_not_finite_is_told_with_the_layer(self):
        class Root(cp.Layer):
            def forward(self, params, x, trace):
                with np.errstate(invalid="ignore"):
                    return np.sqrt(x)

            def backward(self, params, dy, trace, grads):
                return dy

        net = small_network(Root())
        net.parameters["0.W"][...] = [[1, 1, 1], [0, 0, 0]]
        with pytest.raises(DataError, match=r"The cost is nan\. It starts in layer 1.*sample 0"):
            cp.check_gradients(net, -X, Y)

    @pytest.mark.parametrize("where", ["X", "0.W"])
    def test_what_is_not_finite_from_the_start(self, where):
        net, data = small_network(), X.copy()
        (data if where == "X" else net.parameters[where])[1, 0] = np.nan
        with pytest.raises(DataError, match=rf"{where} is nan at \[1, 0\]"):
            cp.check_gradients(net, data, Y)

    def test_a_network_that_learns_nothing(self):
        net = cp.Network([cp.Tanh()], loss=cp.MeanSquaredError(), input_shape=(2,))
        with pytest.raises(UsageError, match="learns nothing"):
            cp.check_gradients(net, X, X)


def test_one_wrong_entry_among_61440_is_found():
    @dataclass(frozen=True)
    class OneOff(cp.Dense):
        def backward(self, params, dy, trace, grads):
            dx = super().backward(params, dy, trace, grads)
            grads["W"][2500, 3] = 0
            return dx

    net = cp.Network(
        [OneOff(20), cp.Tanh(), cp.Dense(7), cp.ReLU(), cp.Dense(5), cp.ReLU(), cp.Dense(1)],
        loss=cp.BinaryCrossEntropy(),
        input_shape=(3072,),
    )
    draw = np.random.RandomState(0)
    report = cp.check_gradients(net, draw.uniform(size=(50, 3072)), draw.randint(0, 2, 50))
    assert [(row.parameter, row.where) for row in report.wrong] == [("0.W", (2500, 3))]
