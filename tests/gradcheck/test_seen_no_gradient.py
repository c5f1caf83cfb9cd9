"""Rules of learning whose steps are no gradients of a cost, or not at their own place."""

from pathlib import Path
from textwrap import dedent

import pytest
from seen_checked import all_right

from clearprop.gradcheck.seeing.file import check_seen

pytestmark = pytest.mark.slow  # many programs are run and judged

RULES = {
    "contrastive divergence": """
data = (rng.rand(40, 6) > 0.5) * 1.0
W, a, b = rng.randn(6, 4) * 0.1, np.zeros(6), np.zeros(4)
for k in range(20):
    h = 1 / (1 + np.exp(-(data @ W + b)))
    drawn = (rng.rand(*h.shape) < h) * 1.0
    v = 1 / (1 + np.exp(-(drawn @ W.T + a)))
    h1 = 1 / (1 + np.exp(-(v @ W + b)))
    error = np.mean((data - v) ** 2)
    W += 0.1 * (data.T @ h - v.T @ h1) / 40
    a += 0.1 * np.mean(data - v, axis=0)
    b += 0.1 * np.mean(h - h1, axis=0)
""",
    "evolution": """
best, w = np.array([0.5, 0.1, -0.3]), rng.randn(3)
for k in range(20):
    noise, reward = rng.randn(12, 3), np.zeros(12)
    for j in range(12):
        reward[j] = -np.sum((best - (w + 0.1 * noise[j])) ** 2)
    w = w + 0.01 * noise.T @ ((reward - reward.mean()) / reward.std())
""",
    "sharpness-aware minimization": """
X, Y = rng.randn(30, 4), rng.randn(30, 2)
p = {"W": rng.randn(4, 5) * 0.4, "V": rng.randn(5, 2) * 0.4}
def slopes(p):
    h = np.tanh(X @ p["W"])
    loss = np.mean((h @ p["V"] - Y) ** 2)
    d = 2 * (h @ p["V"] - Y) / Y.size
    return loss, {"W": X.T @ (d @ p["V"].T * (1 - h**2)), "V": h.T @ d}
for k in range(20):
    loss, g = slopes(p)
    size = np.sqrt(sum(np.sum(one**2) for one in g.values()))
    up = {key: p[key] + 0.05 * g[key] / size for key in p}
    _, g = slopes(up)
    p = {key: p[key] - 0.1 * g[key] for key in p}
""",
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_what_is_no_gradient_at_its_place_is_not_called_wrong(tmp_path, rule):
    file = Path(tmp_path, "rule.py")
    file.write_text(f"import numpy as np\nrng = np.random.RandomState(0)\n{rule}")
    report, _ = check_seen(file, 20.0)
    assert report is None or not report.wrong


NEWTON = """
rng = np.random.RandomState(4)
X = rng.randn(60, 5)
y = (X @ rng.randn(5) > 0) * 1.0

def valued(w):
    z = X @ w
    p = 1 / (1 + np.exp(-z))
    cost = np.mean(np.log(1 + np.exp(z)) - y * z)
    return cost, X.T @ (p - y) / 60

w = rng.randn(5) * 0.1
moves, turns = [], []
cost, g = valued(w)
for k in range(8):
    q, shares = g.copy(), []
    for s, d in zip(moves[::-1], turns[::-1]):
        share = s @ q / (d @ s)
        q = q - share * d
        shares.append(share)
    if moves:
        q = q * (moves[-1] @ turns[-1] / (turns[-1] @ turns[-1]))
    for s, d, share in zip(moves, turns, shares[::-1]):
        q = q + s * (share - d @ q / (d @ s))
    new = w - 0.5 * q
    cost, g_new = valued(new)
    moves.append(new - w)
    turns.append(g_new - g)
    w, g = new, g_new
"""


def test_directions_of_quasi_newton_methods_are_no_wrong_gradients(checked):
    assert not checked(NEWTON).wrong
    assert all_right(checked(NEWTON))
    assert checked(NEWTON.replace("(p - y) / 60", "((p - y) * (1 + p)) / 60")).wrong


def test_targets_of_weights_that_follow_slowly_are_given(checked):
    text = """
    rng = np.random.RandomState(2)
    W, V = rng.randn(4, 6) * 0.3, rng.randn(6, 1) * 0.3
    W_old, V_old, gamma = W.copy(), V.copy(), 0.9
    for k in range(30):
        s, s2 = rng.randn(12, 4), rng.randn(12, 4)
        y = s[:, :1] + gamma * np.tanh(s2 @ W_old) @ V_old
        h = np.tanh(s @ W)
        loss = np.mean((h @ V - y) ** 2)
        d = 2 * (h @ V - y) / 12
        gW, gV = s.T @ (d @ V.T * (1 - h**2)), h.T @ d
        W -= 0.1 * gW
        V -= 0.1 * gV
        W_old, V_old = 0.05 * W + 0.95 * W_old, 0.05 * V + 0.95 * V_old
    """
    all_right(checked(text))
    assert [row.shape for row in checked(text.replace("(1 - h**2)", "(1 - h)")).wrong] == [(4, 6)]


def test_a_penalty_of_weights_of_zero_is_no_update(tmp_path):
    text = """
    import numpy as np
    def cost_and_slope(X, y, w, l2):
        p = 1 / (1 + np.exp(-X @ w))
        cost = -(y @ np.log(p) + (1 - y) @ np.log(1 - p)) / len(y)
        cost = cost + l2 * (w[1:] @ w[1:]) / (2 * len(y))
        slope = X.T @ (p - y) / len(y)
        slope[1:] = slope[1:] + l2 * w[1:] / len(y)
        return cost, slope
    rng = np.random.RandomState(0)
    X, y = rng.randn(12, 3), (rng.rand(12) > 0.5) * 1.0
    cost, slope = cost_and_slope(X, y, np.zeros(3), 1)
    """
    file = tmp_path / "net.py"
    file.write_text(dedent(text))
    report, _ = check_seen(file, 40.0)
    assert report is None or not report.wrong
