"""`check_backward`: what it notices beside wrong gradients, and what it refuses to check."""

import random

import numpy as np
import pytest
from own_network import OwnNetwork

import clearprop as cp
from clearprop.errors import DataError, ShapeError, UsageError


class TestNoticed:
    def test_random_numbers_are_held_and_told(self, net):
        def dropped(parameters):
            masks = {
                name: (np.random.rand(*array.shape) < 0.8) / (0.5 + random.random())  # noqa: S311 - a learner's
                for name, array in parameters.items()
            }
            return masks, {name: array * masks[name] for name, array in parameters.items()}

        def gradients(parameters):
            masks, kept = dropped(parameters)
            found = net.gradients(kept)
            return {name: found[f"d{name}"] * mask for name, mask in masks.items()}

        state, numbers = random.getstate(), np.random.get_state()[1].copy()
        report = cp.check_backward(lambda p: net.cost(dropped(p)[1]), gradients, net.parameters)
        assert report
        assert any("random numbers" in note for note in report.notes)
        assert random.getstate() == state
        np.testing.assert_array_equal(np.random.get_state()[1], numbers)

    def test_random_numbers_that_no_seed_holds_are_refused(self, net):
        draw = np.random.default_rng(0)
        with pytest.raises(UsageError, match=r"Two calls of the cost .* draws random numbers"):
            cp.check_backward(lambda p: net.cost(p) + draw.random(), net.gradients, net.parameters)

    def test_gradients_of_another_draw_are_refused(self, net):
        fixed = net.gradients(net.parameters)
        with pytest.raises(UsageError, match="Give a function of the parameters"):
            cp.check_backward(lambda p: net.cost(p) * np.random.rand(), fixed, net.parameters)

    def test_a_cost_that_writes_into_its_data_is_refused_with_the_reason(self, net):
        def cost(parameters):
            net.X /= 2
            return net.cost(parameters)

        with pytest.raises(UsageError, match="because the code writes into X"):
            cp.check_backward(cost, net.gradients, net.parameters, X=net.X, Y=net.Y)

    def test_writing_into_parameters_is_told(self, net):
        def gradients(parameters):
            found = net.gradients(parameters)
            for name in parameters:
                parameters[name] -= 0.1 * found[f"d{name}"]
            return found

        report = cp.check_backward(net.cost, gradients, net.parameters)
        assert report
        assert "W1, W2, W3, b1, b2, b3" in report.notes[0]

    def test_gradients_in_float32_are_no_fault_and_told(self, net):
        found = net.gradients(net.parameters)
        rounded = {name: gradient.astype(np.float32) for name, gradient in found.items()}
        report = cp.check_backward(net.cost, rounded, net.parameters)
        assert report
        assert "float32" in report.notes[0]
        assert not cp.check_backward(net.cost, rounded | {"dW1": -rounded["dW1"]}, net.parameters)

    def test_a_cost_in_float32_is_no_fault_and_told(self, net):
        def cost(parameters):
            return np.float32(net.cost(parameters))

        report = cp.check_backward(cost, net.gradients, net.parameters)
        assert report
        assert "the cost is computed in float32" in report.notes[0]
        wrong = net.gradients(net.parameters)
        assert not cp.check_backward(cost, wrong | {"dW3": 7 * wrong["dW3"]}, net.parameters)

    def test_entries_on_a_kink_are_left_out_and_told(self):
        net = OwnNetwork()
        net.parameters["b1"][...] = 0
        net.X[:, 0] = 0  # for this sample every unit of the first layer lies on its kink
        report = cp.check_backward(net.cost, net.gradients, net.parameters)
        assert report
        assert {row.parameter: row.skipped for row in report.rows}["b1"] > 0
        assert any(note.endswith("of db1.") for note in report.notes)

    def test_a_check_that_could_measure_nothing_has_not_passed(self):
        report = cp.check_backward(
            lambda p: float(np.maximum(p["W1"], 0).sum()),
            {"dW1": np.zeros((2, 2))},
            {"W1": np.zeros((2, 2))},
        )
        assert not report
        assert report.headline.startswith("No gradient could be measured")


class TestRefused:
    def test_whole_numbers_are_explained(self, net):
        with pytest.raises(UsageError, match=r"W1 holds whole numbers \(int64\).*astype\(float\)"):
            cp.check_backward(
                net.cost, net.gradients, net.parameters | {"W1": np.ones((4, 5), int)}
            )

    @pytest.mark.parametrize(
        ("parameters", "reason"),
        [
            ({}, "must be a dictionary of arrays"),
            ([1.0], "must be a dictionary of arrays"),
            ({"W": "big"}, "must hold numbers"),
            ({"W": [[1.0], [1.0, 2.0]]}, "must hold numbers"),
            ({"W": np.zeros((0, 3))}, r"is empty, of shape \(0, 3\)"),
        ],
    )
    def test_parameters_that_are_none(self, parameters, reason):
        with pytest.raises(UsageError, match=reason):
            cp.check_backward(lambda _: 1.0, {}, parameters)

    @pytest.mark.parametrize(
        ("value", "error", "reason"),
        [
            (None, UsageError, "found NoneType. Is a return missing"),
            (np.zeros((1, 7)), ShapeError, r"found an array of shape \(1, 7\)"),
            (np.nan, DataError, "The cost is nan"),
        ],
    )
    def test_costs_that_are_none(self, net, value, error, reason):
        with pytest.raises(error, match=reason):
            cp.check_backward(lambda _: value, net.gradients, net.parameters)

    @pytest.mark.parametrize(
        ("gradients", "reason"),
        [
            ({"dA1": 1.0}, "expected dW, db; found the keys dA1"),
            (None, "found NoneType"),
            ((np.ones(2),), "found a tuple of 1"),
            ({"dW": "steep", "db": 1.0}, "The gradient of W must hold numbers; found str"),
        ],
    )
    def test_gradients_that_are_none(self, gradients, reason):
        with pytest.raises(UsageError, match=reason):
            cp.check_backward(
                lambda p: float(p["W"] + p["b"]), lambda _: gradients, {"W": 1.0, "b": 2.0}
            )

    @pytest.mark.parametrize("name", ["W2", "X"])
    def test_what_is_not_finite_from_the_start(self, net, name):
        (net.X if name == "X" else net.parameters[name])[0, 1] = np.nan
        with pytest.raises(DataError, match=rf"{name} is nan at \[0, 1\]"):
            cp.check_backward(
                lambda _: 1.0, net.gradients(net.parameters), net.parameters, X=net.X, Y=net.Y
            )
