"""Costs that the code names, or does not, and what they say of gradients."""

import pytest
from seen_checked import all_right

pytestmark = pytest.mark.slow  # many programs are run and judged

FOCUSED = """
np.random.seed(7)
X = np.random.randn(60, 4)
y = (X @ np.array([1.0, -2.0, 0.5, 0.0]) > 0.8).astype(float)
w, b = np.zeros(4), np.zeros(1)

def COST(p):
    right = np.where(y == 1, p, 1 - p)
    return np.mean(-((1 - right) ** 2) * np.log(right))

for k in range(60):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    number = COST(p)
    right, side = np.where(y == 1, p, 1 - p), np.where(y == 1, 1.0, -1.0)
    d = side * (1 - right) ** 2 * (2 * right * np.log(right) - (1 - right)) / 60
    w -= 0.5 * X.T @ d
    b -= 0.5 * d.sum()
"""


NAMES = ["loss", "损失", "потери", "손실", "some"]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_weights_of_zero_make_no_wrong_gradient_right(checked, name):
    text = FOCUSED.replace("COST", name)
    assert all_right(checked(text)).passed
    report = checked(text.replace("- (1 - right))", "+ (1 - right))"))
    assert not report.passed
    assert bool(report.wrong) == (name != "some")


BENT = """
np.random.seed(1)
X, Y = np.random.randn(30, 4), 3 * np.random.randn(30, 2)
W, b = np.random.randn(4, 2), np.zeros(2)
for epoch in range(20):
    r = X @ W + b - Y
    size = np.abs(r)
    loss = np.where(size <= 1, 0.5 * r**2, size - 0.5).sum() / 30
    d = np.clip(r, -1, 1) / 30
    W -= 0.1 * X.T @ d
    b -= 0.1 * d.sum(axis=0)
"""


def test_a_cost_of_squares_and_absolute_values_does_not_only_watch(checked):
    assert all_right(checked(BENT)).passed
    assert len(checked(BENT.replace("np.clip(r, -1, 1)", "np.sign(r)")).wrong) == 2
    watched = BENT.replace("np.where(size <= 1, 0.5 * r**2, size - 0.5)", "size")
    assert "squared error" in all_right(checked(watched.replace("np.clip(r, -1, 1)", "r"))).told


def test_trainings_that_one_comprehension_updates_are_judged_each(checked):
    text = """
    rng = np.random.RandomState(0)
    X, Y = rng.randn(20, 4), rng.randn(20, 2)

    def fit(slope):
        p = {"W": rng.randn(4, 2), "b": np.zeros(2)}
        for k in range(10):
            r = X @ p["W"] + p["b"] - Y
            d = slope(r) / 20
            g = {"W": X.T @ d, "b": d.sum(axis=0)}
            p = {key: value - 0.1 * g[key] for key, value in p.items()}
        return p

    fit(lambda r: r)
    fit(np.sign)
    """
    report = all_right(checked(text))
    assert len(report.rows) == 4
    assert "squared error" in report.told
    assert "absolute error" in report.told
