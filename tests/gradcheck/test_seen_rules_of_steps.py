"""Gradients within steps of any rule, beside rates, decay and penalties of their own."""

import textwrap

import pytest
from seen_checked import all_right

pytestmark = pytest.mark.slow  # every rule is followed in every round of several programs


NETWORK = """
np.random.seed(1)
X, Y = np.random.randn(20, 4), np.random.randn(20, 3)
W1, b1 = np.random.randn(4, 5) * 0.5, np.zeros(5)
W2, b2 = np.random.randn(5, 3) * 0.5, np.zeros(3)
params = [W1, b1, W2, b2]
v = [np.zeros_like(p) for p in params]
s = [np.zeros_like(p) for p in params]
old = [np.zeros_like(p) for p in params]
size = [np.full_like(p, 0.01) for p in params]
lr, lr_bias = 0.01, 0.03
for t in range(1, 200):
    A = np.tanh(X @ W1 + b1)
    P = A @ W2 + b2
    loss = np.mean((P - Y) ** 2)
    d2 = 2 * (P - Y) / P.size
    d1 = d2 @ W2.T * (1 - A ** 2)
    grads = [X.T @ d1, d1.sum(axis=0), A.T @ d2, d2.sum(axis=0)]
    for i, g in enumerate(grads):
"""

ADAM = """
v[i] = 0.9 * v[i] + 0.1 * g
s[i] = 0.999 * s[i] + 0.001 * g ** 2
scale = np.sqrt(s[i] / (1 - 0.999 ** t)) + 1e-8
"""

RULES = {
    "RMSprop, the root beside the rate": """
        s[i] = 0.9 * s[i] + 0.1 * np.power(g, 2)
        params[i] -= (lr / np.sqrt(s[i] + 1e-10)) * g""",
    "Nesterov ahead": """
        v[i] = 0.9 * v[i] + g
        params[i] -= lr * (g + 0.9 * v[i])""",
    "Adam with decay beside it": f"""{textwrap.indent(ADAM, "        ")}
        params[i] -= lr * (v[i] / (1 - 0.9 ** t) / scale + 0.01 * params[i])""",
    "Nadam": f"""{textwrap.indent(ADAM, "        ")}
        params[i] -= lr / scale * (0.9 * v[i] + 0.1 * g) / (1 - 0.9 ** t)""",
    "Adamax": """
        v[i] = 0.9 * v[i] + 0.1 * g
        s[i] = np.maximum(0.999 * s[i], np.abs(g))
        params[i] -= lr / (1 - 0.9 ** t) * v[i] / (s[i] + 1e-8)""",
    "Rprop": """
        same = g * old[i]
        size[i] = np.where(same > 0, 1.2 * size[i], np.where(same < 0, 0.5 * size[i], size[i]))
        params[i] -= np.sign(g) * size[i]
        old[i] = g""",
    "Adadelta, its minus before the roots": """
        s[i] = 0.9 * s[i] + 0.1 * g ** 2
        change = -np.sqrt(v[i] + 1e-4) / np.sqrt(s[i] + 1e-4) * g
        v[i] = 0.9 * v[i] + 0.1 * change ** 2
        params[i] += change""",
    "conjugate gradients": """
        share = max(0.0, np.sum(g * (g - old[i])) / (np.sum(old[i] ** 2) + 1e-12))
        v[i] = share * v[i] - g
        old[i] = g
        params[i] += lr * v[i]""",
    "signs": """
        params[i] -= lr * np.sign(g)""",
    "clipped by its own norm": """
        n = np.linalg.norm(g)
        params[i] -= lr * (g * (0.1 / n) if n > 0.1 else g)""",
    "decay of a small bias": """
        params[i] -= lr * (g + 0.01 * params[i])""",
    "decay within Adam": """
        g = g + 0.01 * params[i] + 0.02 * np.sign(params[i])
        v[i] = 0.9 * v[i] + 0.1 * g
        s[i] = 0.999 * s[i] + 0.001 * g ** 2
        params[i] -= lr * v[i] / (np.sqrt(s[i]) + 1e-8)""",
    "signs that decay": """
        params[i] -= lr * (g + 0.01 * np.sign(params[i]))""",
    "a rate of its own for biases": """
        if i % 2:
            params[i] -= lr_bias * g
        else:
            params[i] -= lr * g""",
    "a layer that learns faster": """
        params[i] -= (0.1 if i < 2 else 0.01) * g""",
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_gradient_is_found_within_a_step_of_any_rule(checked, rule):
    text = NETWORK + textwrap.indent(textwrap.dedent(rule), "        ")
    all_right(checked(text))
    report = checked(text.replace("(1 - A ** 2)", "(1 - A)"))
    assert {row.shape for row in report.wrong} == {(4, 5), (5,)}


OTHER_STEPS = {
    "a rate that lacks": "params[i] -= g if i == 1 else lr * g",
    "a rate that lacks beside decay": "params[i] -= g if i == 1 else lr * (g + 0.01 * params[i])",
    "a factor beside a rate": "params[i] -= lr * 3 * g if i == 1 else lr * g",
    "a sum that is a mean": "params[i] -= lr * (g / 20 if i == 1 else g)",
    "turned round": "params[i] += lr * g if i == 1 else -lr * g",
    "turned round beside roots": "params[i] += (2 * (i == 1) - 1) / np.sqrt(1 + 0 * g**2) * lr * g",
    "multiplied once more": "params[i] -= lr * g * (d1**2).sum(axis=0) if i == 1 else lr * g",
    "decay that makes grow": "params[i] -= lr * (g - 0.5 * params[i]) if i == 0 else lr * g",
}


@pytest.mark.parametrize("step", OTHER_STEPS.values(), ids=OTHER_STEPS)
def test_what_one_step_does_with_its_gradient_and_others_do_not_is_wrong(checked, step):
    report = checked(NETWORK + textwrap.indent(step, "        ") + "\n")
    assert [row.shape for row in report.wrong] == [(4, 5) if "i == 0" in step else (5,)]


PENALISED = """
np.random.seed(0)
X, Y = np.random.randn(12, 4), np.eye(3)[np.arange(12) % 3]
X_test, Y_test = np.random.randn(6, 4), np.eye(3)[np.arange(6) % 3]
W = np.random.randn(4, 3)

def losses(X, Y):
    e = np.exp(X @ W)
    P = e / e.sum(axis=1, keepdims=True)
    return P, -np.sum(Y * np.log(P)) / len(X), 0.05 * np.sum(W * W)

for epoch in range(30):
    P, data_loss, penalty_loss = losses(X, Y)
    if epoch % 10 == 0:
        total_loss = data_loss + penalty_loss
    W -= 0.1 * (X.T @ (P - Y) / len(X) + 2 * 0.05 * W)
    _, test_loss, _ = losses(X_test, Y_test)
"""


def test_a_penalty_beside_a_cost_counts_where_the_code_does_not_add_them(checked):
    all_right(checked(PENALISED))
    all_right(checked(PENALISED.replace("epoch % 10 == 0", "epoch == 40")))
    assert checked(PENALISED.replace("2 * 0.05 * W", "0.05 * W")).wrong


ONE_BY_ONE = """
np.random.seed(0)
X, Y = np.random.randn(12, 4, 1), np.random.rand(12, 3, 1)
W, b = np.random.randn(3, 4), np.zeros((3, 1))

def forward(x):
    return 1 / (1 + np.exp(-(W @ x + b)))

for epoch in range(5):
    for start in range(0, 12, 4):
        dW, db = np.zeros_like(W), np.zeros_like(b)
        for x, y in zip(X[start : start + 4], Y[start : start + 4]):
            out = forward(x)
            d = (out - y) * out * (1 - out)
            dW, db = dW + d @ x.T, db + d
        W, b = W - 0.1 * dW, b - 0.1 * db
        cost = sum(np.sum((forward(x) - y) ** 2) for x, y in zip(X, Y)) / 24
"""


def test_a_cost_of_more_samples_than_the_gradients_accuses_nobody(checked):
    report = all_right(checked(ONE_BY_ONE))
    assert "squared error, which your file does not compute" in report.told
    assert checked(ONE_BY_ONE.replace("(1 - out)", "(1 + out)")).wrong


BOUNDED = """
np.random.seed(0)
X, Y = np.random.randn(20, 4), 2 * np.random.randn(20, 2)
W, b = np.random.randn(4, 2), np.zeros(2)
for epoch in range(20):
    error = X @ W + b - Y
    d = np.clip(error, -1, 1)
    W -= 0.01 * X.T @ d
    b -= 0.01 * d.sum(axis=0)
"""


def test_costs_with_bounded_derivatives_are_tried_where_bounds_are_seen(checked):
    assert "Huber loss" in all_right(checked(BOUNDED)).told
    signs = BOUNDED.replace("np.clip(error, -1, 1)", "np.sign(error)")
    assert "absolute error" in all_right(checked(signs)).told
    assert checked(BOUNDED.replace("d.sum(axis=0)", "d.mean(axis=0)")).wrong


@pytest.mark.parametrize("averaged", ["w", "b"])
def test_of_two_factors_that_of_the_rate_which_is_written_counts(check, averaged):
    """Python computes 0.1 * 2 before it runs, so that the rate is in no array."""
    steps = {"w": "X.T @ err", "b": "np.sum(err)"}
    steps[averaged] += " / 20"
    report = check(f"""
import numpy as np
X = np.random.randn(20, 4)
y = X[:, 0] * 2 + 1
w, b = np.zeros(4) + 0.1, 0.0
for epoch in range(30):
    err = X @ w + b - y
    loss = np.mean(err**2)
    w = w - 0.1 * 2 * {steps["w"]}
    b = b - 0.1 * 2 * {steps["b"]}
""")
    assert report.line["number"] == {"w": 10, "b": 9}[averaged]
    assert [row.parameter for row in report.rows if row.verdict == "wrong"] != [averaged]


AFTERWARDS = """
np.random.seed(2)
X, Y = np.random.randn(12, 4), np.random.randn(12, 3)
W1, b1 = np.random.uniform(-1, 1, (4, 5)), np.zeros(5)
W2, b2 = np.random.uniform(-1, 1, (5, 3)), np.zeros(3)
for epoch in range(20):
    A = np.tanh(X @ W1 + b1)
    P = A @ W2 + b2
    loss = np.mean((P - Y) ** 2)
    D = 2 * (P - Y) / Y.size
    E = D @ W2.T * (1 - A**2)
    v1, v2 = 0.1 * X.T @ E, 0.1 * A.T @ D
    W1 = (1 - decay) * (W1 - v1)
    W2 = (W2 - v2) * (1 - decay)
    b1 -= 0.1 * E.sum(axis=0)
    b2 -= 0.1 * D.sum(axis=0)
"""


@pytest.mark.parametrize("decay", ["0.0", "1e-4", "np.float64(0.05)"])
def test_weights_may_decay_after_their_step(checked, decay):
    text = f"decay = {decay}\n{AFTERWARDS}"
    assert len(all_right(checked(text)).rows) == 4
    wrong = checked(text.replace("A**2", "A"))
    assert wrong.line["text"] == "E = D @ W2.T * (1 - A)"
    assert {row.parameter for row in wrong.rows if row.verdict == "wrong"} == {"W1", "b1"}
