"""Sets and intervals: those of MAPIE, with the guarantee, the smallest there are."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import clearprop as cp
from clearprop.data import Dataset
from clearprop.files.certainty import covering, holds, odds_against, probabilities, scores
from clearprop.preprocessing import ClassTarget, Coverage, PowerScale, ValueTarget
from clearprop.preprocessing.coverage import LEVEL

GOLDEN = load_file(Path(__file__).parents[1] / "golden/coverage.safetensors")
FITTED = 60  # of its rows; the others are asked for
SHARES = {"60": 0.6, "80": 0.8, "90": 0.9, "95": 0.95}
FOUR, TWO, VALUE = cp.SoftmaxCrossEntropy(), cp.BinaryCrossEntropy(), cp.MeanSquaredError()
NAMES = ("a", "b", "c", "d")


def of_classes(y, names=NAMES):
    return Dataset("some", "array", np.zeros((len(y), 1)), np.asarray(y), names)


def of_values(y):
    return Dataset("some", "array", np.zeros((len(y), 1)), np.asarray(y, np.float64), None)


def covered_by(share, target, loss, logits, dataset):
    """Return the target with the coverage that rows of known truth give it."""
    fitted = Coverage.fit(share, scores(target, loss, logits, dataset, share))
    return replace(target, coverage=fitted)


@pytest.mark.parametrize("name", SHARES)
def test_sets_are_those_of_mapie(name):
    logits, classes = GOLDEN["logits"], GOLDEN["classes"]
    known = of_classes(classes[:FITTED])
    target = covered_by(SHARES[name], ClassTarget(NAMES, "y"), FOUR, logits[:FITTED], known)
    found = covering(target, FOUR, logits[FITTED:])
    np.testing.assert_array_equal(found, GOLDEN[f"lac/{name}"].astype(bool))


@pytest.mark.parametrize("name", SHARES)
def test_intervals_are_those_of_mapie(name):
    answers, values = GOLDEN["answers"][:, np.newaxis], GOLDEN["values"]
    target = ValueTarget((0.0,), (1.0,), "y")
    target = covered_by(SHARES[name], target, VALUE, answers[:FITTED], of_values(values[:FITTED]))
    found = covering(target, VALUE, answers[FITTED:])
    np.testing.assert_allclose(found, GOLDEN[f"intervals/{name}"], rtol=1e-12)


def test_sets_of_summed_probabilities_would_be_larger():
    """Which is why they are not what is made: adaptive sets, of the same rows and shares."""
    sizes = {
        kind: np.mean([GOLDEN[f"{kind}/{name}"].sum(axis=1).mean() for name in SHARES])
        for kind in ("lac", "aps")
    }
    assert sizes["lac"] < 0.95 * sizes["aps"]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("outputs", [1, 4])
def test_odds_are_those_of_the_probabilities(temperature, outputs):
    logits = 3 * np.random.RandomState(1).randn(50, outputs)
    loss, names = (TWO, ("a", "b")) if outputs == 1 else (FOUR, NAMES)
    p = probabilities(ClassTarget(names, "y", temperature=temperature), loss, logits)
    np.testing.assert_allclose(odds_against(loss, logits, temperature), np.log((1 - p) / p))


def test_odds_keep_their_digits_where_probabilities_are_one():
    logits = np.array([[60.0, 0.0, 1.0], [900.0, 0.0, -900.0]], np.float32)
    found = odds_against(FOUR, logits)
    assert found[0, 0] == pytest.approx(np.log(1 + np.e) - 60)
    assert found[1] == pytest.approx([-900, 900, 1800])


def test_temperature_divides_the_logits_and_one_changes_no_bit():
    logits = np.random.RandomState(0).randn(9, 4).astype(np.float32)
    same = probabilities(ClassTarget(NAMES, "y"), FOUR, logits)
    np.testing.assert_array_equal(same, FOUR.predict_proba(logits))
    warm = probabilities(ClassTarget(NAMES, "y", temperature=2.0), FOUR, logits)
    np.testing.assert_array_equal(warm, FOUR.predict_proba(logits / 2))
    assert warm.dtype == np.float32


def drawn(random_state, n, kind):
    """Draw rows whose answers are somewhat right: logits and truth, all rows alike."""
    if kind == "classes":
        logits = 2 * random_state.randn(n, 4)
        p = FOUR.predict_proba(0.7 * logits)  # the network is too sure
        y = (p.cumsum(axis=1) < random_state.rand(n, 1)).sum(axis=1).clip(0, 3)
        return logits.astype(np.float32), of_classes(y)
    if kind == "two classes":
        logits = 2 * random_state.randn(n, 1)
        y = (random_state.rand(n) < 1 / (1 + np.exp(-logits[:, 0]))).astype(int)
        return logits, of_classes(y, ("a", "b"))
    if kind == "values":
        answers = random_state.randn(n, 1)
        return answers, of_values(7 + 3 * (answers[:, 0] + random_state.standard_t(3, n)))
    if kind == "several values":
        answers = random_state.randn(n, 2)
        noise = random_state.randn(n, 2) * (0.2, 1.0)
        return answers, of_values((answers + noise) * (1.0, 100.0) + (5.0, -3.0))
    answers = random_state.randn(n, 1)  # on a scale of logarithms
    return answers, of_values(50 * np.exp(0.8 * (answers[:, 0] + 0.5 * random_state.randn(n))))


CASES = {
    "classes": (ClassTarget(NAMES, "y", temperature=1.3), FOUR),
    "two classes": (ClassTarget(("a", "b"), "y"), TWO),
    "values": (ValueTarget((7.0,), (3.0,), "y"), VALUE),
    "several values": (ValueTarget((5.0, -3.0), (1.0, 100.0), "y"), VALUE),
    "logarithms": (
        # A few of the rows lie beyond the bound, which no interval reaches.
        ValueTarget((0.0,), (0.8,), "y", PowerScale(0.0, 0, 50.0, (0.0, 400.0))),
        VALUE,
    ),
}


@pytest.mark.parametrize("share", [0.8, 0.9])
@pytest.mark.parametrize("kind", CASES)
def test_the_promise_is_kept(kind, share):
    """Rows drawn alike, over and over: the covered share is as beta and beta-binomial say."""
    target, loss = CASES[kind]
    random_state = np.random.RandomState(1)
    n, m, repeats = 60, 200, 400
    low, high = Coverage(share, n, 0.0).between(m)
    measured = []
    for _ in range(repeats):
        sure = covered_by(share, target, loss, *drawn(random_state, n, kind))
        logits, dataset = drawn(random_state, m, kind)
        truth = sure.encode(dataset) if loss.classifies else sure.truth(dataset)
        measured.append(holds(sure, covering(sure, loss, logits), truth).mean())
    expected = np.ceil((n + 1) * share) / (n + 1)
    error = 4 * np.std(measured) / np.sqrt(repeats)
    assert abs(np.mean(measured) - expected) < error
    assert np.mean([low <= one <= high for one in measured]) > LEVEL - 0.02


def test_an_interval_goes_through_the_inverse_of_the_scale():
    scale = PowerScale(0.0, 0, 10.0, (0.0, 1e6))
    target = ValueTarget((0.0,), (1.0,), "y", scale, Coverage(0.9, 20, np.log(2)))
    found = covering(target, VALUE, np.array([[0.0], [np.log(3)]]))
    np.testing.assert_allclose(found, [[5, 20], [15, 60]])


def test_intervals_of_several_values_hold_all_of_them():
    target = ValueTarget((0.0, 10.0), (1.0, 2.0), "y", coverage=Coverage(0.9, 20, 1.5))
    found = covering(target, VALUE, np.array([[0.0, 1.0]]))
    np.testing.assert_allclose(found, [[[-1.5, 9.0], [1.5, 15.0]]])
    truth = np.array([[0.0, 12.0], [2.0, 12.0], [0.0, 16.0]])
    assert holds(target, found.repeat(3, axis=0), truth).tolist() == [True, False, False]


def test_without_a_coverage_nothing_is_held():
    assert covering(ClassTarget(NAMES, "y"), FOUR, np.zeros((2, 4))) is None
