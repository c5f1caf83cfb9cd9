"""The published code with tanh, with the mistakes that it was printed with, named one by one."""

import pytest
from catalogue import trial
from catalogue.learners import Learner, load

from clearprop.gradcheck.learner.running import explain_error

LEARNER = Learner("published_tanh", (6, 5, 4, 3, 1))

PAIR = ("    s, _ = sigmoid(Z)\n", "    s = sigmoid(Z)\n")
TANH = ("    t = np.tanh(Z)\n", "    t, _ = sigmoid(Z)\n")
MOVED = [(f'"d{kind}" + str(l + 1)', f'"d{kind}" + str(l)') for kind in "Wb"]
CACHE = ("    cache = (A, W, b)\n", "    cache = (A_prev, W, b)\n")

# Where nothing stops at the pair, both of its arrays go on, one beside the other.
UNSTOPPED = ("return dA * s * (1 - s)", "return dA * np.multiply(s, np.subtract(1, s))")
PRODUCTS = [("np.dot(dZ, A_prev.T)", "dZ @ A_prev.T"), ("np.dot(W.T, dZ)", "W.T @ dZ")]


def check(*mistakes):
    return trial.check(load(LEARNER.changed(*mistakes)), LEARNER, LEARNER.samples)


def causes(report):
    return [mistake.cause for mistake in report.diagnosis.mistakes]


def test_corrected_it_is_right():
    assert check().passed


def test_the_missing_variable_of_the_cache_is_named():
    with pytest.raises(NameError) as stopped:
        check(CACHE)
    assert "A_prev is used and never set" in explain_error(stopped.value)


def test_the_pair_stops_the_code_and_is_named():
    with pytest.raises(TypeError) as stopped:
        check(PAIR)
    assert "A function that returns a pair" in explain_error(stopped.value)


def test_a_pair_that_goes_on_is_named():
    report = check(PAIR, UNSTOPPED, *PRODUCTS)
    assert causes(report) == ["pair"]
    assert report.diagnosis.mistakes[0].correction == "A4, cache = sigmoid(Z4)"
    assert report.diagnosis.parameter == "W4"


def test_tanh_by_sigmoid_is_named():
    report = check(TANH)
    assert causes(report) == ["other_activation"]
    (mistake,) = report.diagnosis.mistakes
    assert (mistake.parameter, mistake.places) == ("W3", ("dZ3", "dZ2", "dZ1"))
    assert mistake.theirs == "dZ3 = dA3 * (1 - sigmoid(Z3)**2)"
    assert mistake.correction == "dZ3 = dA3 * (1 - A3**2)"


def test_gradients_one_index_off_are_named():
    report = check(*MOVED)
    assert causes(report) == ["off_by_one"]
    (mistake,) = report.diagnosis.mistakes
    assert mistake.parameter == report.wrong[0].parameter == "W3"
    assert mistake.theirs == 'grads["dW2"] = dW3'
    assert mistake.correction == 'grads["dW3"] = dW3'


def test_tanh_and_the_index_are_named_one_by_one():
    assert set(causes(check(TANH, *MOVED))) == {"other_activation", "off_by_one"}


@pytest.mark.parametrize("others", [(), (TANH,), tuple(MOVED), (TANH, *MOVED)])
def test_with_a_pair_that_goes_on_every_mistake_is_named(others):
    expected = {"pair"} | ({"other_activation"} if TANH in others else set())
    expected |= {"off_by_one"} if MOVED[0] in others else set()
    assert set(causes(check(PAIR, UNSTOPPED, *PRODUCTS, *others))) == expected


def test_all_as_printed_are_named_each_once_the_one_before_is_corrected():
    printed = [CACHE, PAIR, TANH, *MOVED]
    with pytest.raises(NameError):
        check(*printed)
    with pytest.raises(TypeError) as stopped:
        check(*printed[1:])
    assert explain_error(stopped.value) is not None
    report = check(*printed[2:])
    assert report.wrong[0].parameter == report.diagnosis.parameter == "W3"
    assert set(causes(report)) == {"other_activation", "off_by_one"}
