"""Updates that belong together: of one parameter, of one step, of one training."""

import numpy as np
import pytest
from seen_checked import all_right, check
from seen_updated import Seen

from clearprop.gradcheck.seeing.judging.updates import find_updates


def test_entries_updated_one_by_one_are_parts_of_one_parameter():
    seen = Seen("""
    start = W.copy()
    for _ in range(2):
        g = X.T @ (X @ W - Y)
        for i in range(3):
            for j in range(2):
                W[i, j] -= 0.1 * g[i, j]
    """)
    assert [len(one.updates) for one in seen.episodes] == [6, 6]
    assert [len(one.roots) for one in seen.episodes] == [1, 1]
    first, second = seen.episodes
    assert [int(one.places()) for one in first.updates] == list(range(6))
    changes = np.array([float(-one.descent) for one in (*first.updates, *second.updates)])
    total = changes.reshape(2, 3, 2).sum(axis=0)
    np.testing.assert_allclose(seen.ends["start"].value + total, seen.ends["W"].value)


def test_rows_updated_one_by_one_are_parts_of_one_parameter():
    seen = Seen("""
    for _ in range(2):
        g = X.T @ (X @ W - Y)
        for i in range(3):
            W[i] = W[i] - 0.1 * g[i]
    """)
    assert [[one.places().tolist() for one in some.updates] for some in seen.episodes] == [
        [[0, 1], [2, 3], [4, 5]],
        [[0, 1], [2, 3], [4, 5]],
    ]


@pytest.mark.parametrize(
    ("start", "use", "update"),
    [
        (
            "p = {'W': W, 'b': np.zeros(2)}",
            ("p['W']", "p['b']"),
            "for k in p: p[k] = p[k] - 0.1 * g[k]",
        ),
        (
            "p = {'W': W, 'b': np.zeros(2)}",
            ("p['W']", "p['b']"),
            "p = {k: p[k] - 0.1 * g[k] for k in p}",
        ),
        (
            "p = [W, np.zeros(2)]",
            ("p[0]", "p[1]"),
            "p = [a - 0.1 * b for a, b in zip(p, g.values())]",
        ),
        (
            "p = [W, np.zeros(2)]",
            ("p[0]", "p[1]"),
            "for a, b in zip(p, g.values()): a -= 0.1 * b",
        ),
        (
            "p = type('Net', (), {})(); p.W, p.b = W, np.zeros((1, 2))",
            ("p.W", "p.b"),
            "p.W -= 0.1 * g['W']; p.b -= 0.1 * g['b']",
        ),
    ],
)
def test_parameters_of_dicts_lists_and_objects_are_updated_together(start, use, update):
    seen = Seen(f"""
    {start}
    for _ in range(3):
        d = X @ {use[0]} + {use[1]} - Y
        g = {{'W': X.T @ d, 'b': d.sum(axis=0)}}
        {update}
    """)
    assert [len(one.roots) for one in seen.episodes] == [2, 2, 2]
    assert [one.number for one in seen.episodes] == [0, 1, 2]
    shapes = [[root.value.size for root in one.roots] for one in seen.episodes]
    assert shapes == [[6, 2]] * 3


def test_two_trainings_in_one_file_are_episodes_of_their_own():
    seen = Seen("""
    for _ in range(2):
        W = W - 0.1 * X.T @ (X @ W - Y)
    V = np.random.randn(3, 2)
    for _ in range(3):
        h = np.tanh(X @ V)
        V = V - 0.1 * X.T @ ((h - Y) * (1 - h ** 2))
    """)
    assert [one.number for one in seen.episodes] == [0, 1, 0, 1, 2]
    sites = [one.sites for one in seen.episodes]
    assert sites[0] == sites[1] != sites[2] == sites[3] == sites[4]
    ends = [one.result for one in seen.updates]
    assert ends[1] is seen.ends["W"]
    assert ends[4] is seen.ends["V"]


def test_an_update_of_a_name_that_never_takes_effect_is_found():
    seen = Seen("""
    weights = [W, np.random.randn(2, 2)]
    for _ in range(2):
        h = np.tanh(X @ weights[0])
        d = h @ weights[1] - Y
        grads = [X.T @ (d @ weights[1].T * (1 - h ** 2)), h.T @ d]
        for w, g in zip(weights, grads):
            w = w - 0.1 * g
    """)
    assert seen.lines == ["w = w - 0.1 * g"]
    assert len(seen.updates) == 4
    assert len({one.root for one in seen.updates}) == 2
    assert [len(one.roots) for one in seen.episodes] == [2, 2]
    assert {one.before for one in seen.updates} == {one.root for one in seen.updates}


def test_an_episode_ends_where_the_updated_parameter_is_used():
    seen = Seen("""
    for _ in range(2):
        d = X @ W - Y
        W = W - 0.1 * X.T @ d
        cost = (d ** 2).sum()
    """)
    first, second = seen.episodes
    used = seen.tape.nodes[first.until(seen.tape)]
    assert used.name == "matmul"
    assert first.updates[0].result in used.parents
    assert second.until(seen.tape) > seen.ends["cost"].place
    reached = first.reached(seen.tape, {one.result for one in seen.updates})
    costs = [node for node in seen.tape.nodes if node.name == "sum"]
    assert costs[0] in reached
    assert costs[1] not in reached


def test_updates_before_a_place_on_the_tape_do_not_count():
    seen = Seen("""
    for _ in range(2):
        W = W - 0.1 * X.T @ (X @ W - Y)
    V = np.random.randn(3, 2)
    for _ in range(3):
        V = V - 0.1 * X.T @ (X @ V - Y)
    """)
    last = seen.ends["W"].place
    later = [one.result for one in find_updates(seen.tape, since=last + 1)]
    assert later == [one.result for one in seen.updates[2:]]
    assert find_updates(seen.tape, since=len(seen.tape)) == []


def test_views_of_one_array_are_found_by_their_places(tmp_path):
    text = """
    np.random.seed(0)
    X, Y = np.random.randn(7, 4), np.random.rand(7, 3)
    theta = np.random.randn(15)
    class Layer:
        def __init__(self, W, b):
            self.W, self.b = W, b
            self.W.shape = (3, 4)
    layer = Layer(theta[:12], theta[12:])
    for _ in range(6):
        P = 1 / (1 + np.exp(-np.einsum("ji,li->lj", layer.W, X) - layer.b))
        cost = np.sum((P - Y) ** 2) / 2
        d = (P - Y) * P * (1 - P)
        layer.W -= 0.1 * np.dot(d.T, X)
        layer.b -= 0.1 * np.sum(d, axis=0)
    """
    assert len(all_right(check(tmp_path, text)).rows) == 2
    wrong = check(tmp_path, text.replace("np.sum(d, axis=0)", "np.sum(d * d, axis=0)"))
    assert sorted(row.verdict for row in wrong.rows) == ["right", "wrong"]


SLICES = """
np.random.seed(1)
X, Y = np.random.rand(24, 4), np.random.rand(24, 3)
theta = np.random.uniform(-1, 1, 43)
W1, b1, W2, b2 = theta[:20], theta[20:25], theta[25:40], theta[40:]
W1.shape, W2.shape = (4, 5), (5, 3)
for epoch in range(6):
    for k in range(0, 24, 8):
        x, y = X[k : k + 8], Y[k : k + 8]
        h = np.tanh(x @ W1 + b1)
        d = h @ W2 + b2 - y
        loss = np.sum(d ** 2) / 2
        back = d @ W2.T * (1 - h ** 2)
        W2 -= 0.01 * h.T @ d
        b2 -= 0.01 * d.sum(axis=0)
        W1 -= 0.01 * x.T @ back
        b1 -= 0.01 * back.sum(axis=0)
"""


def test_slices_of_one_vector_are_the_parameters_in_every_round(tmp_path):
    assert len(all_right(check(tmp_path, SLICES)).rows) == 4
    late = SLICES.replace("back = d @ W2.T", "back = d @ W2.T * (1 + (epoch > 0))")
    assert [row.verdict for row in check(tmp_path, late).rows].count("right") < 4


@pytest.mark.parametrize("kind", ["float64", "float32"])
def test_the_rounding_of_a_bias_before_a_batch_norm_is_not_called_wrong(tmp_path, kind):
    text = f"""
    np.random.seed(0)
    X, Y = np.random.randn(16, 4).astype("{kind}"), np.random.randn(16, 5).astype("{kind}")
    W, b = np.random.randn(4, 5).astype("{kind}"), np.random.randn(5).astype("{kind}")
    g, e = np.ones(5, "{kind}"), np.zeros(5, "{kind}")
    parameters = [W, b, g, e]
    past = [[np.zeros_like(p), np.zeros_like(p)] for p in parameters]
    for t in range(1, 9):
        W, b, g, e = parameters
        Z = X @ W + b
        s = 1 / np.sqrt(Z.var(axis=0) + np.array(1e-5, "{kind}"))
        H = (Z - Z.mean(axis=0)) * s
        D = g * H + e - Y
        cost = np.sum(D ** 2) / 2
        dH = D * g
        dZ = s * (dH - dH.mean(axis=0) - H * (dH * H).mean(axis=0))
        gradients = [X.T @ dZ, dZ.sum(axis=0), (D * H).sum(axis=0), D.sum(axis=0)]
        for k, d in enumerate(gradients):
            m, v = past[k]
            past[k] = m, v = 0.9 * m + 0.1 * d, 0.999 * v + 0.001 * d ** 2
            step = 0.01 * (m / (1 - 0.9 ** t)) / (np.sqrt(v / (1 - 0.999 ** t)) + 1e-8)
            parameters[k] = parameters[k] - step
    """
    seen = check(tmp_path, text)
    assert "wrong" not in {row.verdict for row in seen.rows}, seen
    assert sum(row.verdict == "right" for row in seen.rows) >= 3
    wrong = check(tmp_path, text.replace("dZ.sum(axis=0)", "dH.sum(axis=0)"))
    assert not wrong.passed


def test_copies_of_shared_weights_are_held_against_their_sum(tmp_path):
    text = """
    np.random.seed(0)
    x = np.random.randn(6)
    shared = np.random.randn(3)
    copies = [shared[:] for _ in range(4)]
    for _ in range(6):
        out = [np.tanh(np.sum(w * x[k:k + 3])) for k, w in enumerate(copies)]
        loss = 0.5 * (sum(out) - 1) ** 2
        d = [(sum(out) - 1) * (1 - o ** 2) for o in out]
        step = np.zeros(3)
        for k in range(4):
            step = step + d[k] * x[k:k + 3]
        copies = [w - 0.1 * step for w in copies]
    """
    all_right(check(tmp_path, text))
    wrong = check(tmp_path, text.replace("(1 - o ** 2)", "(1 - o)"))
    assert not wrong.passed
