"""Costs that the code does not compute, and that are none of the usual ones: weights, masks."""

import pytest

pytestmark = pytest.mark.slow  # many programs are run and judged

REWARDED = """
import numpy as np
rng = np.random.RandomState(0)
class Policy:
    def __init__(self, inputs, hidden, actions):
        self.V = rng.randn(inputs, hidden) / np.sqrt(inputs)
        self.U = rng.randn(hidden{out}) / np.sqrt(hidden)

    def forward(self, x):
        h = np.maximum(0, x @ self.V)
        z = h @ self.U
        return {chance}, h

policy = Policy(5, 7, 3)
for game in range(6):
    xs, hs, misses, rewards = [], [], [], []
    for step in range(9):
        x = rng.randn(5)
        p, h = policy.forward(x)
        {act}
        xs.append(x); hs.append(h); misses.append(taken - p); rewards.append(rng.randn())
    x, h, miss = np.vstack(xs), np.vstack(hs), np.vstack(misses)
    miss = miss * np.array(rewards)[:, None]
    dU = h.T @ miss
    dh = {back}
    dh[h <= 0] = 0
    policy.V += 0.01 * x.T @ dh
    policy.U += 0.01 * dU{ravel}
"""
SEVERAL = {
    "out": ", actions",
    "chance": "np.exp(z) / np.exp(z).sum()",
    "act": "taken = np.eye(3)[rng.choice(3, p=p)]",
    "ravel": "",
}
SINGLE = {
    "out": "",
    "chance": "1 / (1 + np.exp(-z))",
    "act": "taken = 1.0 if rng.rand() < p else 0.0",
    "ravel": ".ravel()",
}

MASKED = """
import numpy as np
ratings = np.random.RandomState(1).randint(0, 6, (12, 8)) * 1.0
known = ratings > 0
U, V = np.random.rand(12, 3), np.random.rand(8, 3)
for epoch in range(20):
    miss = (U @ V.T - ratings) * known
    dU, dV = {dU}, miss.T @ U
    U -= 0.01 * dU
    V -= 0.01 * dV
"""

NEWTON = """
import numpy as np
X = np.c_[np.ones(50), np.random.RandomState(2).randn(50, 3)]
y = (X[:, 1] + 0.5 * X[:, 2] ** 3 > 0) * 1.0
theta = np.zeros(4)
for step in range(5):
    h = 1 / (1 + np.exp(-X @ theta))
    cost = -np.mean(y * np.log(h) + (1 - y) * np.log(1 - h))
    slope = X.T @ ({miss}) / len(y)
    curvature = (X.T * (h * (1 - h))) @ X / len(y)
    theta = theta - {step}
"""

OF_TARGETS = """
import numpy as np
X, y = np.random.randn(20, 4), np.random.rand(20, 3)
W = np.random.randn(4, 3)
for epoch in range(20):
    a = 1 / (1 + np.exp(-X @ W))
    delta = (a - y) * y * (1 - y)
    W -= 0.1 * X.T @ delta
"""

NEGATIVES = """
import numpy as np
rng = np.random.RandomState(0)
centre, context = rng.randn(20, 6), rng.randn(20, 6)
words = rng.randint(0, 20, 60)
for place in range(1, 59):
    v, u, others = words[place], words[place + 1], rng.randint(0, 20, 4)
    hidden = centre[v].copy()
    near = 1 / (1 + np.exp(-context[u] @ hidden)) - 1
    far = 1 / (1 + np.exp(-context[others] @ hidden))
    back = near * context[u] + far @ context[others]
    context[u] -= 0.05 * near * hidden
    context[others] -= 0.05 * far[:, None] * hidden
    centre[v] -= 0.05 * back
"""


@pytest.mark.parametrize(
    "code",
    [
        REWARDED.format(back="miss @ policy.U.T", **SEVERAL),
        REWARDED.format(back="np.outer(miss, policy.U)", **SINGLE),
        MASKED.format(dU="miss @ V"),
    ],
    ids=["rewards of several actions", "rewards of one", "a mask"],
)
def test_samples_may_have_weights(check, code):
    report = check(code)
    assert report.passed
    assert "each sample times its weight" in report.headline


@pytest.mark.parametrize(
    ("code", "number"),
    [
        (REWARDED.format(back="miss @ policy.U.T * h", **SEVERAL), 25),
        (MASKED.format(dU="miss @ V * U"), 8),
        (OF_TARGETS, 7),
    ],
    ids=["rewards", "a mask", "targets are no weights"],
)
def test_a_mistake_beside_weights_has_its_line(check, code, number):
    report = check(code)
    assert not report.passed
    assert report.line["number"] == number


@pytest.mark.parametrize(
    "step", ["np.linalg.solve(curvature, slope)", "np.linalg.inv(curvature) @ slope"]
)
def test_the_gradient_within_newtons_step_is_seen(check, step):
    report = check(NEWTON.format(miss="h - y", step=step))
    assert report.passed
    assert any("Newton" in note for note in report.notes)
    report = check(NEWTON.format(miss="h + y", step=step))
    assert report.line["number"] == 9


def test_outputs_that_meet_no_target_accuse_nobody(check):
    report = check(NEGATIVES)
    assert report is None or all(row.verdict != "wrong" for row in report.rows)


DIVERGENCE = """
import numpy as np
rng = np.random.RandomState(0)
x = rng.rand(10, 8)
A, B = rng.randn(8, 3) * 0.4, rng.randn(8, 3) * 0.4
D = rng.randn(3, 8) * 0.4
for epoch in range(6):
    mu, s = x @ A, x @ B
    noise = rng.randn(10, 3)
    z = mu + np.exp(s / 2) * noise
    loss = np.sum((z @ D - x) ** 2) / 2{cost}
    back = z @ D - x
    dz = back @ D.T
    d_mu = {mu}
    d_s = dz * noise * np.exp(s / 2) / 2 - (1 - np.exp(s)) / 2
    D -= 0.01 * z.T @ back
    A -= 0.01 * x.T @ d_mu
    B -= 0.01 * x.T @ d_s
"""


def test_what_is_added_of_a_cost_that_is_not_computed_is_told_and_not_wrong(check):
    computed = " - np.sum(1 + s - mu**2 - np.exp(s)) / 2"
    assert check(DIVERGENCE.format(cost=computed, mu="dz + mu")).passed
    report = check(DIVERGENCE.format(cost="", mu="dz + mu"))
    assert not report.passed
    assert [row.verdict for row in report.rows] == ["right"] * 3
    assert report.unseen == ("what line 14 adds", "what line 15 adds")
    assert any("comes of no cost that was seen" in note for note in report.notes)
    report = check(DIVERGENCE.format(cost="", mu="dz * mu"))
    assert report.wrong
