"""What a diagnosis says where there is more, less or something else than one known mistake."""

import json
import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from catalogue.learners import LEARNERS, Learner, load
from catalogue.trial import check

import clearprop
from clearprop.gradcheck import check_backward
from clearprop.gradcheck.diagnosis.mistakes import CAUSES, Diagnosis

SOURCE = Path(clearprop.__file__).parent / "gradcheck/diagnosis"


def planted(name, *changes):
    """Check a learner's network with some of its text changed."""
    learner = LEARNERS[name]
    return check(load(learner.changed(*changes)), learner, learner.samples)


def test_the_text_of_a_mistake():
    change = ("dW1 = 1 / m * np", "dW1 = np")
    diagnosis = planted("two_layers_tanh", change).diagnosis
    lines = str(diagnosis).splitlines()
    assert lines[:4] == [
        "The mistake: 1/m missing",
        "  The sum over the m samples is not divided by m.",
        "  looks like  dW1 = dZ1 @ X.T",
        "  should be   dW1 = 1/m * dZ1 @ X.T",
    ]
    evidence = r"  dW1 times 1/7 equals the numerical gradient to \d+e-\d+ in all 12 entries\."
    assert re.fullmatch(evidence, lines[4])


def test_several_mistakes_are_numbered_from_the_output_back():
    diagnosis = planted(
        "three_layers_sigmoid",
        ("dz3 = a3 - Y", "dz3 = 2 * (a3 - Y)"),
        ("np.sum(dz2, axis=1, keepdims=True) / m", "np.sum(dz2, axis=1, keepdims=True)"),
        ("* a1 * (1 - a1)", "* z1 * (1 - z1)"),
    ).diagnosis
    told = [(mistake.cause, mistake.parameter) for mistake in diagnosis.mistakes]
    assert told == [("factor_two", "W3"), ("mean_missing", "b2"), ("at_Z", "W1")]
    headings = [line for line in str(diagnosis).splitlines() if line.startswith("Mistake")]
    assert headings == [
        "Mistake 1, in dZ3: factor 2",
        "Mistake 2, in db2: 1/m missing",
        "Mistake 3, in dZ1: taken at Z instead of A",
    ]


def test_a_diagnosis_is_json():
    diagnosis = planted("two_layers_tanh", ("dZ2 = A2 - Y", "dZ2 = Y - A2")).diagnosis
    (mistake,) = json.loads(json.dumps(asdict(diagnosis)))["mistakes"]
    assert mistake["cause"] == "swapped"
    assert mistake["others"] == ["wrong sign"]


def test_corrections_are_in_the_layout_of_the_code():
    rows = planted("five_layers_tanh", (".T @ delta", ".T @ delta * n")).diagnosis
    assert rows.mistakes[0].correction == "dW5 = A4.T @ dZ5 / m"
    columns = planted("five_square_layers", (".T @ dZ\n", " @ dZ\n")).diagnosis
    assert columns.mistakes[0].correction == "dA4 = W5.T @ dZ5"


def test_corrections_are_in_the_names_of_the_code():
    learner = LEARNERS["two_layers_tanh"]
    module = load(learner.changed(("dW1 = 1 / m * np", "dW1 = np")))
    X, Y = learner.data(learner.samples)
    theirs = {"W1": "theta1", "b1": "bias1", "W2": "theta2", "b2": "bias2"}

    def own(parameters):
        return {name: parameters[theirs[name]] for name in theirs}

    def gradients(parameters):
        found = module.gradients(X, Y, own(parameters))
        return {theirs[name[1:]]: gradient for name, gradient in found.items()}

    report = check_backward(
        lambda parameters: module.cost(X, Y, own(parameters)),
        gradients,
        {theirs[name]: array for name, array in learner.parameters().items()},
        X=X,
        Y=Y,
    )
    (mistake,) = report.diagnosis.mistakes
    assert (mistake.parameter, mistake.places) == ("theta1", ("dtheta1",))
    assert mistake.correction == "dtheta1 = 1/m * dZ1 @ X.T"


def test_the_wrong_size_is_named_of_very_wide_inputs_too():
    wide = Learner("two_layers_tanh", (600, 4, 1))
    source = wide.changed(("dW1 = 1 / m * np", "dW1 = 1 / X.shape[0] * np"))
    (mistake,) = check(load(source), wide, 7).diagnosis.mistakes
    assert mistake.cause == "mean_axis"
    assert mistake.theirs == "dW1 = 1/X.shape[0] * dZ1 @ X.T"


@pytest.mark.parametrize(
    ("cost", "theirs", "correction"),
    [
        ("cost = -1 *", "dW2 = 1/m * dZ2 @ A1.T", "dW2 = dZ2 @ A1.T"),
        ("cost = -1 / (2 * m) *", "dZ2 = A2 - Y", "dZ2 = 1/2 * (A2 - Y)"),
    ],
)
def test_a_cost_of_another_scale_is_told_from_a_wrong_gradient(cost, theirs, correction):
    (mistake,) = planted("two_layers_tanh", ("cost = -1 / m *", cost)).diagnosis.mistakes
    assert mistake.cause == "other_loss"
    assert mistake.theirs == theirs
    assert mistake.correction == correction


def test_a_cost_of_the_wrong_sign_is_told_from_a_wrong_gradient():
    (mistake,) = planted("two_layers_tanh", ("cost = -1 / m", "cost = 1 / m")).diagnosis.mistakes
    assert mistake.cause == "cost_sign"


def test_a_sum_over_samples_without_biases_is_explained_in_its_own_terms():
    random_state = np.random.RandomState(3)
    X, y = random_state.standard_normal((7, 3)), random_state.randint(0, 2, (7, 1))
    shapes = {"syn0": (3, 4), "syn1": (4, 1)}

    def forward(weights):
        hidden = np.tanh(X @ weights["syn0"])
        return hidden, hidden @ weights["syn1"]

    def gradients(weights):
        hidden, found = forward(weights)
        error = found - y
        back = error @ weights["syn1"].T * (1 - hidden)
        return {"syn0": X.T @ back, "syn1": hidden.T @ error}

    report = check_backward(
        lambda weights: 0.5 * np.sum((forward(weights)[1] - y) ** 2),
        gradients,
        {name: random_state.standard_normal(shape) for name, shape in shapes.items()},
        X=X,
        Y=y,
    )
    (mistake,) = report.diagnosis.mistakes
    assert (mistake.cause, mistake.parameter) == ("slope_incomplete", "syn0")
    assert mistake.correction == "dZ0 = dA0 * (1 - A0**2)"


@pytest.mark.parametrize("rows", [False, True])
def test_the_correction_of_squares_after_a_softmax_makes_the_code_right(rows):
    draw = np.random.RandomState(5).standard_normal
    X, Y = draw((7, 4)), np.eye(3)[[0, 1, 2, 0, 1, 2, 2]]
    parameters = {"W1": draw((4, 3)), "b1": draw((1, 3))}
    if not rows:
        X, Y = X.T, Y.T
        parameters = {name: array.T for name, array in parameters.items()}
    units, samples = (1, 0) if rows else (0, 1)

    def forward(p):
        Z = (X @ p["W1"] if rows else p["W1"] @ X) + p["b1"]
        e = np.exp(Z - Z.max(axis=units, keepdims=True))
        return e / e.sum(axis=units, keepdims=True)

    def checked(line):
        def gradients(p):
            names = {"np": np, "A1": forward(p), "Y": Y}
            exec(line, names)  # noqa: S102 - a line of backward
            dZ = names["dZ1"]
            db = dZ.sum(axis=samples, keepdims=True) / 7
            return {"dW1": (X.T @ dZ if rows else dZ @ X.T) / 7, "db1": db}

        return check_backward(
            lambda p: np.sum((forward(p) - Y) ** 2) / 7, gradients, parameters, X=X, Y=Y
        )

    (mistake,) = checked("dZ1 = A1 - Y").diagnosis.mistakes
    assert mistake.cause == "other_loss"
    assert checked(mistake.correction)


# Where nothing fits.


@pytest.mark.parametrize(
    ("change", "known"),
    [
        (
            ("dW2 = dz2 @ a1.T / m", "dW2 = dz2 @ a1.T / m * np.arange(1, 7)[:, np.newaxis]"),
            "Each unit of dW2 is right but for a factor of its own: 1, 2, 3, 4, 5, 6.",
        ),
        (
            ("dW2 = dz2 @ a1.T / m", "dW2 = dz2 @ a1.T / m * np.arange(1, 5)"),
            "Each input of dW2 is right but for a factor of its own: 1, 2, 3, 4.",
        ),
        (
            ("dW2 = dz2 @ a1.T / m", "dW2 = np.abs(dz2 @ a1.T / m)"),
            "All entries have the right size; ",
        ),
        (
            ("dW2 = dz2 @ a1.T / m", "dW2 = np.tril(dz2 @ a1.T / m)"),
            "6 of its 24 entries are zero that should not be.",
        ),
        (
            ("dW2 = dz2 @ a1.T / m", "dW2 = np.sum(dz2)"),
            "dW2 has the shape (), expected (",
        ),
        (
            ("* a2 * (1 - a2)", "* np.cos(z2)"),
            "dZ2 itself is wrong: look at the lines that lead to dZ2, not at those of dW2 and db2.",
        ),
    ],
)
def test_where_nothing_fits_it_says_what_is_known(change, known):
    report = planted("three_layers_sigmoid", change)
    diagnosis = report.diagnosis
    assert diagnosis.parameter == report.wrong[0].parameter == "W2"
    assert diagnosis.cause is None
    assert "No mistake that clearprop knows gives the numbers of dW2." in diagnosis.known
    assert "dW3, db3 are right, so everything back to dZ3 is." in diagnosis.known
    assert "Forward is a network of sigmoid with softmax cross-entropy." in diagnosis.known
    assert any(line.startswith(known) for line in diagnosis.known), diagnosis.known
    assert {"wrong sign", "1/m missing", "transposed product"} <= set(diagnosis.ruled_out)
    assert "Ruled out: " in str(diagnosis)


def test_a_known_mistake_above_an_unknown_one_is_named():
    swapped, unknown = ("dz3 = a3 - Y", "dz3 = Y - a3"), ("* a1 * (1 - a1)", "* np.cos(z1)")
    diagnosis = planted("three_layers_sigmoid", swapped, unknown).diagnosis
    assert [mistake.cause for mistake in diagnosis.mistakes] == ["swapped"]
    assert "With the mistakes above, everything back to dZ2 is explained." in diagnosis.known


def test_gradients_that_are_missing_or_not_finite_are_told():
    missing = planted("three_layers_sigmoid", ('"dW2": dW2, ', "")).diagnosis
    assert missing.parameter == "W2"
    assert "dW2 was not there to be compared." in missing.known
    infinite = planted(
        "three_layers_sigmoid", ("dW2 = dz2 @ a1.T / m", "dW2 = np.inf * p['W2']")
    ).diagnosis
    assert any("dW2 is not finite" in line for line in infinite.known)


def test_every_cause_is_looked_for():
    files = [path for path in SOURCE.rglob("*.py") if path.name != "mistakes.py"]
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    unused = {cause for cause in CAUSES if f'"{cause}"' not in code}
    assert unused == {"at_A"}  # which is spelled by its array


def test_an_empty_diagnosis_has_no_cause():
    assert Diagnosis("W1").cause is None
    assert str(Diagnosis("W1")) == ""
