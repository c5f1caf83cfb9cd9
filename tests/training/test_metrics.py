"""Scores added up over batches, against scikit-learn's of the whole."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, r2_score

import clearprop as cp
from clearprop.core.parameters import Array
from clearprop.network.metrics import Tally, tally_for

_seeds = st.integers(0, 10_000)
_cuts = st.lists(st.integers(1, 29), max_size=4, unique=True).map(sorted)


def added_up(loss: cp.Loss, logits: Array, y: Array, cuts: list[int]) -> Tally:
    tally = tally_for(loss)
    y = loss.targets(y, logits.shape[1], logits.dtype)
    for some, of_them in zip(np.split(logits, cuts), np.split(y, cuts), strict=True):
        tally.add(loss, some, of_them)
    return tally


@given(seed=_seeds, cuts=_cuts, outputs=st.integers(1, 4))
def test_accuracy_of_yes_or_no_counts_every_output(
    seed: int, cuts: list[int], outputs: int
) -> None:
    random_state = np.random.RandomState(seed)
    logits = random_state.standard_normal((30, outputs))
    y = random_state.randint(0, 2, (30, outputs))
    tally = added_up(cp.BinaryCrossEntropy(), logits, y, cuts)
    assert tally.name == "accuracy"
    assert tally.value() == pytest.approx(accuracy_score(y.ravel(), logits.ravel() > 0))


@given(seed=_seeds, cuts=_cuts, classes=st.integers(2, 5), one_hot=st.booleans())
def test_accuracy_of_classes(seed: int, cuts: list[int], classes: int, one_hot: bool) -> None:
    random_state = np.random.RandomState(seed)
    logits = random_state.standard_normal((30, classes))
    y = random_state.randint(0, classes, 30)
    expected = accuracy_score(y, logits.argmax(axis=1))
    targets = np.eye(classes)[y] if one_hot else y
    tally = added_up(cp.SoftmaxCrossEntropy(), logits, targets, cuts)
    assert tally.value() == pytest.approx(expected)


@given(
    seed=_seeds,
    cuts=_cuts,
    outputs=st.integers(1, 3),
    offset=st.sampled_from([0.0, 1e4]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_r2_of_values_also_far_from_zero(
    seed: int, cuts: list[int], outputs: int, offset: float, dtype: type
) -> None:
    random_state = np.random.RandomState(seed)
    y = (offset + 0.01 * random_state.standard_normal((30, outputs))).astype(dtype)
    logits = (y + 0.005 * random_state.standard_normal(y.shape)).astype(dtype)
    tally = added_up(cp.MeanSquaredError(), logits, y, cuts)
    exact = y.astype(np.float64).ravel(), logits.astype(np.float64).ravel()
    assert tally.name == "r2"
    assert tally.value() == pytest.approx(r2_score(*exact), rel=1e-6)


def test_a_score_that_is_not_defined_is_nan() -> None:
    assert math.isnan(tally_for(cp.BinaryCrossEntropy()).value())
    assert math.isnan(tally_for(cp.MeanSquaredError()).value())
    equal = added_up(cp.MeanSquaredError(), np.zeros((3, 1)), np.ones(3), [])
    assert math.isnan(equal.value())
