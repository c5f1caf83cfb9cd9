"""`check_backward`: a backward pass of one's own, right and wrong, and the report of it."""

import json

import numpy as np
import pytest
from own_network import OwnNetwork

import clearprop as cp


def rows(report):
    return {row.parameter: row for row in report.rows}


class TestRight:
    def test_a_function_of_the_parameters(self, net):
        report = cp.check_backward(net.cost, net.gradients, net.parameters)
        assert report
        assert all(row.verdict == "right" and row.error < 1e-6 for row in report.rows)
        assert all(row.checked == net.parameters[row.parameter].size for row in report.rows)

    def test_a_dictionary(self, net):
        assert cp.check_backward(net.cost, net.gradients(net.parameters), net.parameters)

    def test_keys_without_d(self, net):
        gradients = {
            f"{name}": net.gradients(net.parameters)[f"d{name}"] for name in net.parameters
        }
        assert cp.check_backward(net.cost, gradients, net.parameters)

    @pytest.mark.parametrize(
        "order",
        [
            ["W1", "b1", "W2", "b2", "W3", "b3"],
            ["W3", "b3", "W2", "b2", "W1", "b1"],
            ["b1", "W1", "b2", "W2", "b3", "W3"],
            ["W1", "W2", "W3", "b1", "b2", "b3"],
            ["W3", "W2", "W1", "b3", "b2", "b1"],
        ],
    )
    def test_a_tuple_in_any_usual_order(self, net, order):
        def gradients(parameters):
            return tuple(net.gradients(parameters)[f"d{name}"] for name in order)

        assert cp.check_backward(net.cost, gradients, net.parameters)

    def test_a_list_of_pairs(self, net):
        def gradients(parameters):
            found = net.gradients(parameters)
            return [(found[f"dW{layer}"], found[f"db{layer}"]) for layer in (1, 2, 3)]

        assert cp.check_backward(net.cost, gradients, net.parameters)

    def test_a_cost_of_shape_1_1_and_scalar_parameters(self):
        def cost(p):
            return np.array([[(p["w"] - 3) ** 2 + p["b"]]])

        assert cp.check_backward(
            cost, lambda p: {"w": 2 * (p["w"] - 3), "b": 1.0}, {"w": 0.5, "b": 0.1}
        )

    def test_nothing_that_was_given_is_changed(self, net):
        before = {name: array.copy() for name, array in net.parameters.items()}
        cp.check_backward(net.cost, net.gradients, net.parameters, X=net.X, Y=net.Y)
        for name, array in net.parameters.items():
            np.testing.assert_array_equal(array, before[name])


class TestWrong:
    @pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2", "W3", "b3"])
    @pytest.mark.parametrize("mistake", [lambda g: -g, lambda g: 1.01 * g, lambda g: g + 1e-4])
    def test_each_parameter_alone(self, net, name, mistake):
        def gradients(parameters):
            found = net.gradients(parameters)
            return found | {f"d{name}": mistake(found[f"d{name}"])}

        report = cp.check_backward(net.cost, gradients, net.parameters)
        assert not report
        assert [row.parameter for row in report.wrong] == [name]
        assert report.headline.startswith(f"d{name} is wrong: at [")
        wrong = report.wrong[0]
        assert wrong.analytical == pytest.approx(gradients(net.parameters)[f"d{name}"][wrong.where])
        assert wrong.numerical == pytest.approx(
            net.gradients(net.parameters)[f"d{name}"][wrong.where], rel=1e-6
        )

    def test_one_entry_of_many_is_found(self):
        net = OwnNetwork((300, 20, 1))
        places = np.random.RandomState(1).permutation(6000)[:5]
        for place in places:

            def gradients(parameters, place=place):
                found = net.gradients(parameters)
                found["dW1"].flat[place] *= 1.5
                return found

            report = cp.check_backward(net.cost, gradients, net.parameters)
            at = np.unravel_index(place, (20, 300))
            if net.gradients(net.parameters)["dW1"][at]:  # else half more of it is right
                assert [(row.parameter, row.where) for row in report.wrong] == [("W1", at)]

    def test_the_first_on_the_way_back_is_the_headline(self, net):
        def gradients(parameters):
            found = net.gradients(parameters)
            return found | {"dW1": 2 * found["dW1"], "db2": 2 * found["db2"]}

        report = cp.check_backward(net.cost, gradients, net.parameters)
        assert [row.parameter for row in report.rows] == ["W3", "b3", "W2", "b2", "W1", "b1"]
        assert report.headline.startswith("db2 is the first wrong gradient on the way back")
        assert "2 of 6 gradients are wrong: db2, dW1" in report.headline

    def test_a_shape_is_told_with_the_one_expected(self, net):
        def gradients(parameters):
            found = net.gradients(parameters)
            return found | {"db2": found["db2"][:, 0]}

        row = rows(cp.check_backward(net.cost, gradients, net.parameters))["b2"]
        assert row.verdict == "wrong shape"
        assert row.fault == "it has the shape (3,), expected (3, 1), that of b2."

    def test_a_missing_key_is_told_with_those_that_are_there(self, net):
        def gradients(parameters):
            found = net.gradients(parameters)
            return {f"d{name}": found[f"d{name}"] for name in ("W1", "b1", "W2", "b2", "W3")}

        row = rows(cp.check_backward(net.cost, gradients, net.parameters))["b3"]
        assert row.verdict == "missing"
        assert "dW1, db1, dW2, db2, dW3" in row.fault

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_numbers_that_are_not_finite_are_told_with_their_place(self, net, value):
        def gradients(parameters):
            found = net.gradients(parameters)
            found["dW2"][1, 2] = value
            return found

        report = cp.check_backward(net.cost, gradients, net.parameters)
        assert [row.parameter for row in report.wrong] == ["W2"]
        assert report.headline == f"dW2 is wrong: it is {value} at [1, 2]."

    def test_a_gradient_that_is_added_up_from_call_to_call(self, net):
        kept = {}

        def gradients(parameters):
            for name, gradient in net.gradients(parameters).items():
                kept[name] = kept.get(name, 0) + gradient
            return dict(kept)

        report = cp.check_backward(net.cost, gradients, net.parameters)
        assert len(report.wrong) == 6
        assert "a second call with the same parameters" in report.notes[0]


class TestReport:
    def test_the_table_has_a_line_for_each_parameter_from_the_output_back(self, net):
        lines = str(cp.check_backward(net.cost, net.gradients, net.parameters)).splitlines()
        assert lines[0] == "All 6 gradients are right."
        assert [line.split()[0] for line in lines[3:]] == ["W3", "b3", "W2", "b2", "W1", "b1"]
        assert all(line.endswith("right") for line in lines[3:])

    def test_the_dictionary_is_json(self, net):
        wrong = net.gradients(net.parameters)
        wrong["dW2"] *= -1
        report = cp.check_backward(net.cost, wrong, net.parameters, X=net.X, Y=net.Y)
        said = json.loads(json.dumps(report.to_dict()))
        assert said["passed"] is False
        assert [row["verdict"] for row in said["rows"]].count("wrong") == 1
        assert said["diagnosis"]["parameter"] == "W2"

    def test_layers_by_other_names_are_walked_back_too(self):
        names = ["W_hidden", "b_hidden", "W_out", "b_out"]
        report = cp.check_backward(
            lambda p: float(sum(p[name] ** 2 for name in names)),
            lambda p: {name: 2 * p[name] for name in names},
            dict.fromkeys(names, 0.5),
        )
        assert [row.parameter for row in report.rows] == [
            *("W_out", "b_out"),
            *("W_hidden", "b_hidden"),
        ]

    def test_parameters_come_in_the_order_of_their_own_dictionary(self, net):
        swapped = {name: net.parameters[name] for name in ("b3", "W3", "W1", "b1", "W2", "b2")}
        seen = []
        cp.check_backward(lambda p: seen.append(list(p)) or net.cost(p), net.gradients, swapped)
        assert set(map(tuple, seen)) == {tuple(swapped)}
