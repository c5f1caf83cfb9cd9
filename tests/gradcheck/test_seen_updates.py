"""Updates are found by what happens to parameters, whatever they are called and however written."""

from itertools import pairwise

import numpy as np
import pytest
from seen_updated import Seen

from clearprop.gradcheck.seeing.judging.steps import summands


def assert_chain_of(seen, name, count, shape=(3, 2)):
    """Check that a parameter was updated so many times, from its begin to its end."""
    own = [one for one in seen.updates if one.root.value.shape == shape]
    assert len(own) == count
    for one, after in pairwise(own):
        assert after.root is one.result
    assert own[-1].result is seen.ends[name]
    for one in own:
        np.testing.assert_allclose(one.before.value - one.descent, one.result.value)
        decays = "(1 - 0.01)" in seen.text
        assert np.array_equal(one.before.value, one.root.value) != decays


def assert_gradient_within(seen, name, updates):
    """Check that the gradient, as the program kept it, is one of the levels of its step."""
    for update, node in zip(updates, seen.kept[name], strict=True):
        (episode,) = [one for one in seen.episodes if update in one.updates]
        reached = episode.reached(seen.tape, {one.result for one in seen.updates})
        assert node in summands(update.step, reached)


ONE_AFTER_THE_OTHER = {
    "plain": "W = W - 0.1 * g",
    "in place": "W -= 0.1 * g",
    "added": "W += -0.1 * g",
    "rate behind": "W = W - g * 0.1",
    "rate divided by the samples": "W = W - 0.1 / len(X) * g",
    "sum first": "W = -0.1 * g + W",
    "written by a ufunc": "np.subtract(W, 0.1 * g, out=W)",
    "written into its place": "W[:] = W - 0.1 * g",
    "through a copy": "new = W.copy()\n    new -= 0.1 * g\n    W = new",
    "through a function": "W = step(W, g)",
    "transposed": "W = (W.T - 0.1 * g.T).T",
    "decay": "W = W * (1 - 0.01) - 0.1 * g",
    "decay added": "W = W - 0.1 * (g + 0.01 * W)",
    "clipped": "W = W - 0.1 * np.clip(g, -1, 1)",
    "momentum": "v = 0.9 * v + g\n    W = W - 0.1 * v",
    "momentum with its rate": "v = 0.9 * v - 0.1 * g\n    W = W + v",
    "momentum in place": "v *= 0.9\n    v += 0.1 * g\n    W -= v",
    "Nesterov": "last = v\n    v = 0.9 * v - 0.1 * g\n    W += -0.9 * last + 1.9 * v",
    "RMSprop": "v = 0.9 * v + 0.1 * g ** 2\n    W = W - 0.1 * g / (np.sqrt(v) + 1e-8)",
    "Adagrad": "v += g * g\n    W += -0.1 * g / np.sqrt(v + 1e-8)",
}


@pytest.mark.parametrize("update", ONE_AFTER_THE_OTHER.values(), ids=ONE_AFTER_THE_OTHER)
def test_an_update_is_found_with_its_parameter_and_its_gradient(update):
    seen = Seen(f"""
def step(w, gradient):
    return w - 0.1 * gradient

v = np.zeros_like(W)
for _ in range(3):
    d = X @ W - Y
    g = X.T @ d
    keep(g=g)
    {update}
""")
    assert len(seen.updates) == 3
    assert [(len(one.updates), one.number) for one in seen.episodes] == [(1, 0), (1, 1), (1, 2)]
    if "W.T" in update:  # of which the parameter is a view
        return
    if "W[:]" not in update:
        assert_chain_of(seen, "W", 3)
    if "0.01 * W" not in update:
        assert_gradient_within(seen, "g", seen.updates)


ADAM = """
m, v = np.zeros_like(W), np.zeros_like(W)
for t in range(1, 4):
    g = X.T @ (X @ W - Y)
    keep(g=g)
    m = 0.9 * m + (1 - 0.9) * g
    v = 0.999 * v + (1 - 0.999) * g ** 2
    m_hat, v_hat = m / (1 - 0.9 ** t), v / (1 - 0.999 ** t)
    W = W - 0.1 * m_hat / (np.sqrt(v_hat) + 1e-8)
"""


def test_in_adam_the_parameter_is_updated_and_the_moments_are_not():
    seen = Seen(ADAM)
    assert seen.lines == ["W = W - 0.1 * m_hat / (np.sqrt(v_hat) + 1e-8)"]
    assert_chain_of(seen, "W", 3)
    assert_gradient_within(seen, "g", seen.updates)


NO_UPDATES = {
    "the state of a recurrent cell": """
        U, h = np.random.randn(2, 2), np.zeros((1, 2))
        for t in range(5):
            h = np.tanh(X[t:t + 1] @ W + h @ U)
    """,
    "the state of a long short-term memory": """
        U, c, h = np.random.randn(2, 2), np.zeros((1, 2)), np.zeros((1, 2))
        for t in range(5):
            z = X[t:t + 1] @ W + h @ U
            gate = 1 / (1 + np.exp(-z))
            c = gate * c + (1 - gate) * np.tanh(z)
            h = gate * np.tanh(c)
    """,
    "a running sum of arrays": """
        total = np.zeros(2)
        for t in range(5):
            total = total + np.tanh(X[t] @ W)
    """,
    "a cost that adds up": """
        cost = 0
        for t in range(5):
            cost += ((X[t] @ W - Y[t]) ** 2).sum()
        cost = cost / 5
    """,
    "gradients that add up": """
        g = np.zeros_like(W)
        for t in range(5):
            g += np.outer(X[t], X[t] @ W - Y[t])
    """,
    "a residual": """
        h = np.tanh(X @ W)
        for _ in range(3):
            h = h + np.tanh(h @ np.random.randn(2, 2))
    """,
    "features that are normalised": """
        X = X - X.mean(axis=0)
        X = X / X.std(axis=0)
    """,
    "a bias that is added": """
        b = np.random.randn(2)
        out = X @ W + b
    """,
}


@pytest.mark.parametrize("text", NO_UPDATES.values(), ids=NO_UPDATES)
def test_it_is_no_update(text):
    assert Seen(text).updates == []


def test_beside_a_recurrent_state_the_updates_are_those_of_the_weights():
    seen = Seen("""
    U = np.random.randn(2, 2)
    for _ in range(2):
        h, hs = np.zeros((1, 2)), []
        for t in range(5):
            hs.append(h)
            h = np.tanh(X[t:t + 1] @ W + h @ U)
        dW, dU, dh = np.zeros_like(W), np.zeros_like(U), h - Y[:1]
        for t in reversed(range(5)):
            after = hs[t + 1] if t < 4 else h
            dz = dh * (1 - after ** 2)
            dW += X[t:t + 1].T @ dz
            dU += hs[t].T @ dz
            dh = dz @ U.T
        W -= 0.1 * dW
        U -= 0.1 * dU
    """)
    assert seen.lines == ["W -= 0.1 * dW", "U -= 0.1 * dU"]
    assert [len(one.updates) for one in seen.episodes] == [2, 2]


def test_an_average_of_costs_beside_an_update_is_none():
    seen = Seen("""
    average = 0.0
    for _ in range(4):
        d = X @ W - Y
        average = 0.9 * average + 0.1 * (d ** 2).mean()
        W = W - 0.1 * X.T @ d
    """)
    assert seen.lines == ["W = W - 0.1 * X.T @ d"]
    assert_chain_of(seen, "W", 4)


def test_a_bias_that_begins_as_a_number_is_found_from_its_second_update_on():
    seen = Seen("""
    b = 0
    for _ in range(4):
        d = X @ W + b - Y
        W = W - 0.1 * X.T @ d
        b = b - 0.1 * d.sum()
    """)
    assert seen.lines == ["W = W - 0.1 * X.T @ d", "b = b - 0.1 * d.sum()"]
    assert_chain_of(seen, "W", 4)
    assert_chain_of(seen, "b", 3, ())
    assert [len(one.updates) for one in seen.episodes[-2:]] == [2, 2]


def test_an_update_that_broadcasts_its_parameter_to_another_shape_is_found():
    seen = Seen("""
    b = np.zeros(2)
    for _ in range(2):
        d = X @ W + b - Y
        b = b - 0.1 * d
    """)
    first = seen.updates[0]
    assert first.root.value.shape == (2,)
    assert first.result.value.shape == (5, 2)
    assert first.places().size == 2
    assert first.descent.size == 10
