"""Integrated gradients are integrals, and add up however often a network bends on the way."""

import numpy as np
import pytest
from table_models import model_of_classes, people

import clearprop as cp
from clearprop.explain import Asked, Embedded, integrated_gradients
from clearprop.files.models import Model
from clearprop.preprocessing import ClassTarget, Preprocessing

_PIECES = 80_000  # a kink is off by half of one at most


def network_of(activation, inputs=5, width=12):
    network = cp.Network(
        [cp.Dense(width), activation, cp.Dense(width), activation, cp.Dense(3)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(inputs,),
        seed=1,
    )
    random = np.random.RandomState(2)
    network.parameters.data[...] += 0.4 * random.standard_normal(network.parameters.data.size)
    return network


def asked_of(network):
    return Asked(network, ClassTarget(("a", "b", "c"), "y"), 1, True)


def each(inputs):
    return {str(place): np.array([place]) for place in range(inputs)}


SMOOTH = {"tanh": cp.Tanh(), "softplus": cp.Softplus(), "gelu": cp.GELU()}
BENT = {"relu": cp.ReLU(), "leaky": cp.LeakyReLU(0.3), "elu": cp.ELU(2.0)}


@pytest.mark.parametrize("name", [*SMOOTH, *BENT])
def test_they_are_the_integrals_of_the_derivatives(name):
    asked, random = asked_of(network_of((SMOOTH | BENT)[name])), np.random.RandomState(3)
    x, baseline = 2 * random.randn(5), random.randn(5)
    found = integrated_gradients(asked.slopes, x, baseline, each(5))
    assert abs(found.residual) < (1e-11 if name in SMOOTH else 1e-9)

    # By central differences of the answer, in the middles of many short pieces of the way.
    middles = (np.arange(_PIECES) + 0.5) / _PIECES
    way = baseline + middles[:, np.newaxis] * (x - baseline)
    for place in (0, 3):
        moved = 1e-5 * np.eye(5)[place]
        slopes = (asked.values(way + moved) - asked.values(way - moved)) / 2e-5
        expected = (x - baseline)[place] * slopes.mean()
        assert found.values[place] == pytest.approx(expected, abs=2e-5)


def test_of_a_linear_answer_they_are_weight_times_difference():
    weights = np.array([1.0, -2.0, 0.5])

    def slopes_of(X):
        return X @ weights, np.tile(weights, (len(X), 1))

    found = integrated_gradients(
        slopes_of, np.array([1.0, 1, 1]), np.zeros(3), {"a": np.array([0, 2]), "b": np.array([1])}
    )
    assert found.values.tolist() == pytest.approx([1.5, -2.0])
    assert (found.base, found.answer) == (0, -0.5)
    assert found.weights.sum() == pytest.approx(1)


def test_a_single_kink_is_found():
    def slopes_of(X):  # |x0 - 0.3| + x1
        return np.abs(X[:, 0] - 0.3) + X[:, 1], np.stack(
            [np.sign(X[:, 0] - 0.3), np.ones(len(X))], axis=1
        )

    found = integrated_gradients(slopes_of, np.ones(2), np.zeros(2), each(2))
    assert found.values.tolist() == pytest.approx([0.4, 1.0], abs=1e-12)
    assert len(found.nodes) < 100


def test_slopes_at_the_nodes_make_the_contribution():
    asked, random = asked_of(network_of(cp.ReLU())), np.random.RandomState(4)
    x, baseline = random.randn(5), random.randn(5)
    groups = {"a": np.array([0, 3]), "b": np.array([1, 2, 4])}
    found = integrated_gradients(asked.slopes, x, baseline, groups)
    for name, value in zip("ab", found.values, strict=True):
        slopes = found.slopes(name)
        assert slopes.shape == (len(found.nodes), len(groups[name]))
        terms = found.weights @ slopes * (x - baseline)[groups[name]]
        assert terms.sum() == pytest.approx(value, abs=1e-12)
    assert (np.diff(found.nodes) >= 0).all()


def test_what_is_too_rough_ends_and_tells_its_residual(monkeypatch):
    monkeypatch.setattr("clearprop.explain.paths._MOST_NODES", 100)

    def slopes_of(X):  # a step, whose derivative is zero where it is known
        return (X[:, 0] > 0.3).astype(float), np.zeros((len(X), 1))

    found = integrated_gradients(slopes_of, np.ones(1), np.zeros(1), each(1))
    assert found.residual == -1


class TestOfCodes:
    def model(self):
        """Two numbers, one of them embedded in waves, and two columns of codes."""
        front = cp.Columns.of_table(numbers=1, plain=1, sizes=(3, 4))
        network = cp.Network(
            [front, cp.Dense(6), cp.ReLU(), cp.Dense(2)],
            loss=cp.SoftmaxCrossEntropy(),
            input_shape=(4,),
            seed=0,
        )
        return Asked(network, ClassTarget(("a", "b"), "y"), 0, True)

    def samples(self, count=6):
        random = np.random.RandomState(0)
        codes = np.stack([random.randint(0, 3, count), random.randint(0, 4, count)], axis=1)
        return np.hstack([random.randn(count, 2), codes])

    def test_their_learned_numbers_go_the_way_and_add_up(self):
        asked, X = self.model(), self.samples()
        embedded = Embedded(asked)
        lifted = embedded.lift(X)
        assert lifted.shape == (6, 4 + 2 * 8)
        table = asked.network.parameters["0.2.E"]
        np.testing.assert_array_equal(lifted[:, 4:12], table[X[:, 2].astype(int)])
        np.testing.assert_array_equal(lifted[:, 12:], table[3 + X[:, 3].astype(int)])
        groups = embedded.groups(each(4))
        assert groups["2"].tolist() == [2, *range(4, 12)]
        assert groups["1"].tolist() == [1]
        found = integrated_gradients(embedded.slopes, lifted[0], lifted[1:].mean(axis=0), groups)
        assert found.answer == pytest.approx(asked.values(X[:1])[0])
        assert abs(found.residual) < 1e-9
        assert np.count_nonzero(np.abs(found.values) > 1e-6) == 4
        assert embedded.names(("n", "p", "c", "d"))[4] == "c: number 1"

    def test_derivatives_are_those_of_differences(self):
        asked, X = self.model(), self.samples(3)
        embedded = Embedded(asked)
        lifted = embedded.lift(X)
        values, slopes = embedded.slopes(lifted)
        np.testing.assert_allclose(values, asked.values(X))
        assert (slopes[:, 2:4] == 0).all()
        for place in [0, 1, *range(4, 20)]:
            moved = 1e-6 * np.eye(20)[place]
            ends = [embedded.slopes(lifted + sign * moved)[0] for sign in (1, -1)]
            np.testing.assert_allclose(slopes[:, place], (ends[0] - ends[1]) / 2e-6, atol=1e-8)

    def test_without_codes_nothing_is_added(self):
        table = people()
        model: Model = model_of_classes(table)
        assert isinstance(model.preprocessing, Preprocessing)
        asked = Asked.of(model, 1)
        X = model.preprocessing.inputs.transform(table, np.float64)
        embedded = Embedded(asked)
        np.testing.assert_array_equal(embedded.lift(X), X)
        np.testing.assert_array_equal(embedded.slopes(X)[1], asked.slopes(X)[1])
