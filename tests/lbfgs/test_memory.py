"""The memory against the matrix that it stands for, written down."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clearprop.training.lbfgs.minimizer import Memory, Pair


def pairs_of(seed: int, size: int, count: int) -> list[Pair]:
    """Draw steps, and what a positive curvature makes of them."""
    random_state = np.random.RandomState(seed)
    root = random_state.normal(size=(size, size))
    curvature = root @ root.T + np.eye(size)
    steps = random_state.normal(size=(count, size))
    return [Pair(s, curvature @ s, float(s @ curvature @ s)) for s in steps]


def inverse_of(pairs: list[Pair]) -> np.ndarray:
    """Update the inverse as BFGS does, pair by pair, as a matrix."""
    unit, newest = np.eye(len(pairs[0].s)), pairs[-1]
    H = newest.sy / (newest.y @ newest.y) * unit
    for s, y, sy in pairs:
        left = unit - np.outer(s, y) / sy
        H = left @ H @ left.T + np.outer(s, s) / sy
    return H


def memory_of(length: int, pairs: list[Pair]) -> Memory:
    """Take pairs in, each as a step along its own direction from where the gradient is zero."""
    size = len(pairs[0].s)
    memory = Memory(
        np.zeros((length, size)), np.zeros((length, size)), np.zeros(length), np.zeros(3, np.uint32)
    )
    for s, y, sy in pairs:
        memory.add(2 * s, 0.5, np.zeros(size), y, sy)
    return memory


@given(seed=st.integers(0, 99), size=st.integers(1, 12), count=st.integers(1, 8))
def test_the_direction_is_that_of_the_whole_matrix(seed: int, size: int, count: int) -> None:
    pairs = pairs_of(seed, size, count)
    memory = memory_of(5, pairs)
    assert len(memory) == min(count, 5)
    gradient = np.random.RandomState(seed + 1).normal(size=size)
    H = inverse_of(pairs[-5:])
    np.testing.assert_allclose(memory.direction(gradient), -H @ gradient, rtol=1e-6, atol=1e-9)


def test_the_newest_change_leads_to_the_newest_step() -> None:
    *_, newest = pairs = pairs_of(0, 6, 4)
    memory = memory_of(10, pairs)
    np.testing.assert_allclose(memory.direction(-newest.y), newest.s, rtol=1e-9)


def test_without_pairs_the_direction_is_straight_down() -> None:
    memory, gradient = memory_of(10, pairs_of(0, 2, 1)), np.array([1.0, -2.0])
    memory.clear()
    np.testing.assert_array_equal(memory.direction(gradient), [-1.0, 2.0])
    np.testing.assert_array_equal(gradient, [1.0, -2.0])
