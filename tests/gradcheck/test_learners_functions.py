"""Functions in every usual style are called as they want to be, and their gradients checked."""
# ruff: noqa: ARG001 - functions take what learners give them, used or not

from functools import wraps

import numpy as np
import pytest
from learned_styles import STYLES, course

from clearprop.errors import ClearpropError, DataError, UsageError
from clearprop.gradcheck.learner.child import check_code
from clearprop.gradcheck.learner.functions import Functions, find_functions
from clearprop.gradcheck.learner.layouts import Batch
from clearprop.gradcheck.learner.trial import find_setting


def by_name(style):
    return style.__name__


def changed(function, change):
    """A function of the same arguments, whose results are changed."""
    # ruff: noqa: ARG001 - functions take what learners give them, used or not
    return wraps(function)(lambda *args, **named: change(function(*args, **named)))


def doubled(returned):
    if isinstance(returned, dict):
        return {name: doubled(value) for name, value in returned.items()}
    if isinstance(returned, tuple | list):
        return type(returned)(map(doubled, returned))
    return 2 * returned


@pytest.mark.parametrize("style", STYLES, ids=by_name)
def test_a_right_backward_pass_is_right(style):
    code, parameters = find_setting(style())
    report = check_code(code, parameters)
    assert report
    assert (code.layout.samples_are, code.sizes) == STYLES[style]
    assert {row.verdict for row in report.rows} == {"right"}
    assert all(np.any(code.gradients(parameters)[name]) for name in parameters)


@pytest.mark.parametrize("style", STYLES, ids=by_name)
def test_a_wrong_one_is_wrong(style):
    right = style()
    wrong = Functions(right.forward, changed(right.backward, doubled), right.cost)
    report = check_code(*find_setting(wrong))
    assert {row.verdict for row in report.rows} == {"wrong"}


def test_sizes_and_data_may_be_given():
    batch = Batch(np.random.RandomState(0).standard_normal((9, 3)), np.eye(2)[[0, 1, 1] * 3])
    code, parameters = find_setting(course(), (3, 8, 2), batch)
    assert parameters["W1"].shape == (8, 3)
    assert (code.X.shape, code.Y.shape) == ((3, 9), (2, 9))
    assert check_code(code, parameters)


def test_what_the_functions_write_into_is_told():
    right = course()

    def compute_cost(AL, Y):
        cost = right.cost(AL, Y)
        Y[...] = 0
        return cost

    report = check_code(*find_setting(Functions(right.forward, right.backward, compute_cost)))
    assert any("writes into arrays that it was given: Y" in note for note in report.notes)


def test_names_are_found_whatever_their_case_and_underscores():
    right = course()
    namespace = {
        "numpy": np,
        "linear_forward": max,
        "ForwardPropagation": right.forward,
        "backprop": right.backward,
        "compute_Cost": right.cost,
    }
    assert find_functions(namespace, {}, "mine.py") == right


def test_a_name_that_was_given_goes_before_the_usual_ones():
    right, other = course(), course()
    namespace = {"forward": right.forward, "run": other.forward, "backward": right.backward}
    assert find_functions(namespace, {"forward": "run"}, "mine.py").forward is other.forward
    with pytest.raises(UsageError, match=r"no function 'runn'\. Did you mean 'run'"):
        find_functions(namespace, {"forward": "runn"}, "mine.py")


@pytest.mark.parametrize("role", ["forward", "backward"])
def test_missing_functions_are_told_with_the_names_that_were_looked_for(role):
    right = course()
    namespace = {"forward": right.forward, "backward": right.backward, "train": course}
    del namespace[role]
    with pytest.raises(UsageError, match=rf"L_model_{role}.*It defines: .*train.*--{role} NAME"):
        find_functions(namespace, {}, "mine.py")


def fails_with(functions, match):
    with pytest.raises(ClearpropError, match=match) as caught:
        find_setting(functions)
    return str(caught.value)


def test_an_argument_that_means_nothing_is_named():
    right = course()

    def L_model_backward(AL, Y, caches, secret):  # noqa: N802 - the course's names
        return right.backward(AL, Y, caches)

    message = "L_model_backward takes an argument secret"
    fails_with(Functions(right.forward, L_model_backward, right.cost), message)


def test_a_function_that_fails_is_told_with_its_own_traceback_last():
    right = course()

    def L_model_backward(AL, Y, caches):  # noqa: N802 - the course's names
        return caches[0][17]

    text = fails_with(
        Functions(right.forward, L_model_backward, right.cost), "L_model_backward fails"
    )
    assert "W1 (4, 5), b1 (4, 1)" in text
    assert text.endswith("IndexError: tuple index out of range")
    assert "learner/trial.py" not in text


def test_outputs_of_a_wrong_shape_are_told_with_what_was_expected():
    right = course()
    summed = changed(right.forward, lambda passed: (passed[0].sum(axis=1), passed[1]))
    fails_with(
        Functions(summed, right.backward, right.cost),
        "expected the outputs of the last layer, 1 for each of 7 samples",
    )


def test_a_missing_cost_is_told():
    right = course()
    fails_with(Functions(right.forward, right.backward, None), "--cost NAME")


def test_a_cost_that_returns_nothing_is_told():
    right = course()
    nothing = changed(right.cost, lambda _: None)
    fails_with(Functions(right.forward, right.backward, nothing), "Is a return missing")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda passed: (passed[0], [(passed[1][0][0], passed[1][0][1] * np.nan)]), "cache"),
        (lambda passed: (passed[0] * np.nan, passed[1]), "whose outputs are not finite"),
        (lambda passed: (np.round(passed[0]), passed[1]), "finite, from 0 to 1"),
    ],
)
def test_where_nan_begins_is_told(change, match):
    right = course()

    def cost(AL, Y):
        with np.errstate(divide="ignore", invalid="ignore"):
            return right.cost(AL, Y) * (np.nan if match == "cache" else 1)

    def backward(Y, caches):
        return {"dW1": 0.0}

    functions = Functions(changed(right.forward, change), backward, cost)
    with pytest.raises(DataError, match=match):
        check_code(*find_setting(functions))
