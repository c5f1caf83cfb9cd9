"""Gradients of networks that take codes, by which there is no derivative: all else is checked."""

import numpy as np
import pytest

import clearprop as cp


class ForgottenTwice(cp.Embedding):
    """A category that comes twice in a batch gets the gradient of its last sample alone."""

    def backward(self, params, dy, trace, grads):
        grads["E"][...] = 0
        rows = trace["rows"]
        grads["E"][rows] = dy.reshape(*rows.shape, self.width)
        return np.zeros(rows.shape)


class Shifted(cp.Columns):
    """What comes back for a column is added to the one before it."""

    def backward(self, params, dy, trace, grads):
        dx = super().backward(params, dy, trace, grads)
        return None if dx is None else np.roll(dx, -1, axis=1)


class HalvedBack(cp.Tanh):
    def backward(self, params, dy, trace, grads):
        return super().backward(params, dy, trace, grads) / 2


COLUMNS = ((0, 2), (0, 3), (3, 5))


def parts(embedding=cp.Embedding):
    return (cp.PeriodicEmbedding(4), cp.Sequential(()), embedding((2, 2), 3))


@pytest.mark.parametrize(
    ("layer", "arrays"),
    [
        (cp.Embedding((2, 3, 4, 1, 2), 2), ["0.E"]),
        (cp.Columns(COLUMNS, parts()), ["0.2.E", "0.0.w1", "0.0.b1", "0.0.W2", "0.0.b2", "x"]),
        (cp.Sequential((cp.Columns(((0, 5),), (cp.Embedding((2,) * 5, 2),)),)), ["0.0.0.E"]),
    ],
    ids=["embedding", "beside numbers", "in a chain"],
)
def test_codes_are_drawn_and_left_where_they_are(layer, arrays):
    report = cp.check_layer(layer, (5,))
    assert report
    assert [row.parameter for row in report.rows] == arrays


def test_of_the_input_all_but_the_codes_is_checked():
    report = cp.check_layer(cp.Columns(COLUMNS, parts()), (5,))
    assert report.rows[-1].shape == (5, 3)


@pytest.mark.parametrize(
    ("layer", "wrong"),
    [
        (ForgottenTwice((2, 2, 2, 2, 2), 3), "0.E"),
        (cp.Columns(COLUMNS, parts(ForgottenTwice)), "0.2.E"),
        (Shifted(COLUMNS, parts()), "x"),
    ],
    ids=["embedding", "inner embedding", "columns"],
)
def test_a_mistake_in_a_layer_of_codes_is_found(layer, wrong):
    report = cp.check_layer(layer, (5,))
    assert [row.parameter for row in report.wrong] == [wrong]


def test_a_mistake_above_codes_is_named():
    net = cp.Network(
        [cp.Columns(COLUMNS, parts()), cp.Dense(3), HalvedBack(), cp.Dense(2)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(5,),
    )
    random_state = np.random.RandomState(0)
    X = np.hstack([random_state.standard_normal((6, 3)), random_state.randint(0, 2, (6, 2))])
    report = cp.check_gradients(net, X, [0, 1, 0, 1, 1, 0])
    assert {row.parameter for row in report.wrong} >= {"1.W", "0.2.E", "0.0.w1"}
    assert "begins in backward of layer 2" in report.origin
