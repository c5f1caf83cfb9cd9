"""What is learned of samples and of a network's own outputs is no mistake."""

import pytest
from seen_checked import check

from clearprop.gradcheck.seeing.file import check_seen

pytestmark = pytest.mark.slow  # many programs are run and judged

MACHINE = """
np.random.seed(0)
V = (np.random.rand(20, 6) > 0.5) * 1.0
W, a, b = 0.1 * np.random.randn(6, 4), np.zeros(6), np.zeros(4)

def squash(z):
    return 1 / (1 + np.exp(-z))

for epoch in range(6):
    up = squash(V @ W + b)
    states = (np.random.rand(20, 4) < up) * 1.0
    seen = squash(states @ W.T + a)
    again = squash(seen @ W + b)
    W += 0.1 * (V.T @ up - seen.T @ again) / 20
    a += 0.1 * (V - seen).mean(axis=0)
    b += 0.1 * (up - again).mean(axis=0)
"""

BOOTSTRAPPED = """
import numpy as np
np.random.seed(0)
W, b = np.random.randn(4, 3) * 0.1, np.zeros(3)
x = np.random.randn(4)
for step in range(12):
    q = x @ W + b
    a = int(np.argmax(q)) if step % 2 else np.random.randint(3)
    after = x + 0.3 * np.random.randn(4)
    goal = -np.sum(after**2) + 0.9 * np.max(after @ W + b)
    error = goal - q[a]
    W[:, a] += 0.05 * error * x
    b[a] += 0.05 * error
    x = after
"""


def test_contrastive_divergence_is_said_to_be_no_derivative(tmp_path):
    report = check(tmp_path, MACHINE)
    assert {row.verdict for row in report.rows} == {"unclear"}
    assert not report.passed
    assert any("line 12 draws samples" in note for note in report.notes), report.notes


def test_a_target_that_is_made_of_outputs_accuses_nobody(tmp_path):
    (tmp_path / "net.py").write_text(BOOTSTRAPPED)
    report, _ = check_seen(tmp_path / "net.py", 20.0)
    assert report is None or "wrong" not in {row.verdict for row in report.rows}, report


ADAM = """
np.random.seed(0)
X = np.random.randn(20, 4)
Y = np.tanh(X @ np.random.randn(4, 2))
W, b = np.random.randn(4, 2) * 0.5, np.zeros(2)
first, second = [[np.zeros((4, 2)), np.zeros(2)] for _ in range(2)]
for t in range(1, 9):
    P = np.tanh(X @ W + b)
    loss = np.mean((P - Y) ** 2)
    d = 2 * (P - Y) / Y.size * (1 - P**2)
    for k, (p, g) in enumerate(((W, X.T @ d), (b, d.sum(axis=0)))):
        first[k] = 0.9 * first[k] + 0.1 * g
        second[k] = 0.999 * second[k] + 0.001 * g**2
        step = first[k] / (1 - 0.9**t)
        p -= 0.01 * step / (np.sqrt(second[k] / (1 - 0.999**t)) + 1e-8)
"""


def test_a_rule_that_turns_steps_round_is_told_and_no_gradient_accused(tmp_path):
    assert check(tmp_path, ADAM).passed
    turned = check(tmp_path, ADAM.replace("0.9**t", "0.9 * t"))
    assert not turned.passed
    assert turned.line is None
    assert "lead down the cost at first, and up later" in turned.headline
