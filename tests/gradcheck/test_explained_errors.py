"""Mistakes that stop the code are told from what it raises."""

import numpy as np
import pytest

from clearprop.gradcheck.learner.running import explain_error


@pytest.mark.parametrize(
    ("stop", "said"),
    [
        (lambda: 1 - (1, 2), "a pair"),
        (lambda: (1, 2).T, "a pair"),
        (lambda: A_prev, "A_prev is used and never set"),  # noqa: F821 - this is the mistake
        (lambda: {"dW1": 0}["dW2"], "There is no 'dW2' in the dictionary"),
        (lambda: np.dot(np.ones((3, 4)), np.ones((3, 4))), "multiplied: (3,4), (3,4)"),
        (lambda: np.ones((3, 4)) @ np.ones((3, 4)), "multiplied"),
        (lambda: np.ones((3, 4)) * np.ones((3, 5)), "multiplied: (3,4), (3,5)"),
        (lambda: int("a"), None),
        (lambda: {}["key"], None),
    ],
)
def test_usual_mistakes_are_told_from_what_they_raise(stop, said):
    with pytest.raises(Exception) as stopped:  # noqa: PT011 - of any kind
        stop()
    explained = explain_error(stopped.value)
    assert (explained is None) if said is None else (said in explained)
