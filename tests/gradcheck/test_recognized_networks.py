"""The network behind a cost is recognized whatever its layout, activations and cost."""

from itertools import pairwise

import numpy as np
import pytest
from catalogue.learners import LEARNERS
from catalogue.trial import learners_subject
from hypothesis import given, settings
from hypothesis import strategies as st

import clearprop as cp
from clearprop.gradcheck import Subject
from clearprop.gradcheck.diagnosis.recognition import recognize

ACTIVATIONS = {
    "relu": cp.ReLU(),
    "tanh": cp.Tanh(),
    "sigmoid": cp.Sigmoid(),
    "leaky_relu": cp.LeakyReLU(0.01),
    "leaky_relu(0.2)": cp.LeakyReLU(0.2),
    "elu": cp.ELU(),
    "softplus": cp.Softplus(),
}
LOSSES = {
    "sigmoid cross-entropy": cp.BinaryCrossEntropy(),
    "softmax cross-entropy": cp.SoftmaxCrossEntropy(),
    "squares": cp.MeanSquaredError(),
}


def subject_of(widths, activation, loss, *, columns, units_first, numbered, decay=0.0):
    """Bring a network of the engine into somebody's layout; return also its own gradients."""
    random_state = np.random.RandomState(len(widths))
    layers = [layer for units in widths[1:] for layer in (cp.Dense(units), ACTIVATIONS[activation])]
    net = cp.Network(layers[:-1], loss=LOSSES[loss], input_shape=(widths[0],))
    outputs, m = widths[-1], 7
    X = random_state.standard_normal((m, widths[0]))
    classes = random_state.randint(0, max(outputs, 2), m)
    if loss == "softmax cross-entropy":
        Y = np.eye(outputs)[classes]
    elif loss == "squares":
        Y = random_state.standard_normal((m, outputs))
    else:
        Y = random_state.randint(0, 2, (m, outputs))
    names = {f"W{at // 2 + 1}": f"{at}.W" for at in range(0, len(layers), 2)}
    names |= {f"b{at // 2 + 1}": f"{at}.b" for at in range(0, len(layers), 2)}

    def turned(name, array):
        if name[0] == "b":
            return array[:, np.newaxis] if columns else array
        return array.T if units_first else array

    def back(name, array):
        return array.reshape(-1) if name[0] == "b" else array.T if units_first else array

    def at(parameters):
        net.parameters.assign({names[name]: back(name, parameters[name]) for name in names})
        loss, gradient = net.loss_and_gradient(X, Y)
        weights = [name for name in names if name[0] == "W"]
        loss += decay / 2 * sum((parameters[name] ** 2).sum() for name in weights)
        found = {name: turned(name, gradient[names[name]]).copy() for name in names}
        for name in weights:
            found[name] += decay * parameters[name]
        return loss, found

    shapes = {name: turned(name, net.parameters[names[name]]).shape for name in names}
    # No output is saturated: of such probabilities, a logarithm keeps too little to go by.
    parameters = {
        name: random_state.standard_normal(shape) / (np.sqrt(max(shape)) if name[0] == "W" else 1)
        for name, shape in shapes.items()
    }
    Y_given = classes if numbered and loss == "softmax cross-entropy" else Y.T if columns else Y
    return Subject(
        cost=lambda given: at(given)[0],
        gradients=lambda given: at(given)[1],
        parameters=parameters,
        X=X.T if columns else X,
        Y=Y_given,
    )


@given(
    widths=st.lists(st.integers(1, 5), min_size=2, max_size=5),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    loss=st.sampled_from(sorted(LOSSES)),
    columns=st.booleans(),
    units_first=st.booleans(),
    numbered=st.booleans(),
    decay=st.sampled_from([0.0, 0.1]),
)
@settings(max_examples=60)
def test_a_recognized_network_has_the_gradients_of_the_engine(
    widths, activation, loss, columns, units_first, numbered, decay
):
    if loss == "softmax cross-entropy":
        widths[-1] = max(widths[-1], 2)
    subject = subject_of(
        widths,
        activation,
        loss,
        columns=columns,
        units_first=units_first,
        numbered=numbered,
        decay=decay,
    )
    run = recognize(subject)
    assert run is not None
    right = run.plan.in_columns(subject.gradients(subject.parameters))
    largest = max(np.abs(gradient).max() for gradient in right.values())
    for name, gradient in run.gradients().items():
        assert np.abs(gradient - right[name]).max() <= 1e-6 * largest


def test_a_softmax_of_targets_that_are_no_shares_of_one_has_its_own_gradient():
    draw = np.random.RandomState(2)
    X, Y = draw.standard_normal((4, 7)), draw.randint(0, 2, (3, 7)) * 1.0
    parameters = {"W1": draw.standard_normal((3, 4)), "b1": draw.standard_normal((3, 1))}

    def softmax(p):
        e = np.exp(p["W1"] @ X + p["b1"])
        return e / e.sum(axis=0)

    def cost(p):
        return -np.sum(Y * np.log(softmax(p))) / 7

    run = recognize(Subject(cost, lambda _: {}, parameters, X, Y))
    dZ = softmax(parameters) * Y.sum(axis=0) - Y
    assert np.allclose(run.gradients()["W1"], dZ @ X.T / 7)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_activation_is_called_by_its_name(activation):
    subject = subject_of(
        (4, 5, 3, 1),
        activation,
        "sigmoid cross-entropy",
        columns=True,
        units_first=True,
        numbered=False,
    )
    assert [found.name for found in recognize(subject).plan.hidden] == [activation, activation]


def test_l2_is_measured():
    plan = recognize(learners_subject(LEARNERS["three_layers_l2"])).plan
    assert plan.decay == pytest.approx(0.7 / 7, rel=1e-9)
    assert plan.bias_decay == pytest.approx(0, abs=1e-9)


def test_dropout_is_recognized_by_its_seed():
    dropout = recognize(learners_subject(LEARNERS["three_layers_dropout"])).plan.dropout
    assert dropout.keep == 0.8
    assert dropout.scaled
    random_state = np.random.RandomState(1)
    for layer, units in ((1, 6), (2, 5)):
        assert np.array_equal(dropout.masks[layer], random_state.rand(units, 11) < 0.8)


@pytest.mark.parametrize(
    "change",
    [
        {"X": None},
        {"Y": None},
        {"X": np.zeros((3, 9))},  # fits no W1
        {"Y": np.zeros((2, 7))},
        {"cost": lambda _: float("nan")},
        {"cost": lambda parameters: float(np.sum(parameters["W1"] ** 4))},
        {"parameters": {"W1": np.ones((2, 2)), "P": np.ones(3)}},
    ],
)
def test_what_is_no_such_network_is_not_recognized(change):
    subject = learners_subject(LEARNERS["two_layers_tanh"])
    assert recognize(subject) is not None
    assert recognize(Subject(**{**vars(subject), **change})) is None


def test_code_that_fails_elsewhere_is_not_recognized():
    subject = learners_subject(LEARNERS["two_layers_tanh"])
    here = subject.parameters["W1"].sum()

    def cost(parameters):
        if parameters["W1"].sum() != here:
            raise RuntimeError("only for these parameters")
        return subject.cost(parameters)

    assert recognize(Subject(**{**vars(subject), "cost": cost})) is None


def test_every_width_is_told_from_its_neighbour():
    widths = [6, 5, 4, 3, 2]
    subject = subject_of(
        widths, "tanh", "softmax cross-entropy", columns=False, units_first=False, numbered=True
    )
    run = recognize(subject)
    shapes = [run.W[layer].shape for layer in range(1, run.L + 1)]
    assert shapes == [(units, inputs) for inputs, units in pairwise(widths)]
