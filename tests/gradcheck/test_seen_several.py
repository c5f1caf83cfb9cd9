"""Several updates of one training: the one that tells more decides."""

import pytest
from seen_checked import all_right

pytestmark = pytest.mark.slow  # many programs are run and judged

NORMED = """
np.random.seed(0)
X, Y = np.random.randn(10, 3), np.random.randn(10, 2)
W, b = np.random.randn(3, 4), np.zeros(4)
V = np.random.randn(4, 2)
for epoch in range(20):
    Z = X @ W + b
    centred = Z - Z.mean(axis=0)
    A = np.tanh(centred)
    cost = np.sum((A @ V - Y) ** 2) / 2
    d = A @ V - Y
    back = d @ V.T * (1 - A**2)
    back = back - back.mean(axis=0)
    V -= 0.05 * A.T @ d
    W -= 0.05 * X.T @ back
    b -= 0.05 * back.sum(axis=0)
"""


def test_a_gradient_that_is_zero_by_nature_is_right_where_the_code_says_so(checked):
    all_right(checked(NORMED))
    report = checked(NORMED.replace("back = back - back.mean(axis=0)", "pass"))
    assert not report.passed
    dead = checked(NORMED.replace("np.tanh(centred)", "1 + 0 * np.tanh(centred)"))
    assert not dead.passed
    assert not dead.wrong


AFTERWARDS = """
np.random.seed(0)
X = np.c_[np.ones(40), np.random.randn(40, 3)]
y = (np.random.rand(40, 1) > 0.5) * 1.0
theta = np.zeros((4, 1))

def cost(theta):
    h = 1 / (1 + np.exp(-X @ theta))
    data = -np.mean(y * np.log(h) + (1 - y) * np.log(1 - h))
    return data + 0.5 / 80 * np.sum(theta[1:] ** 2)

for k in range(100):
    h = 1 / (1 + np.exp(-X @ theta))
    grad = X.T @ (h - y) / 40
    grad[1:] += 0.5 / 40 * theta[1:]
    theta = theta - 0.1 * grad
    J = cost(theta)
"""


def test_a_cost_after_each_step_is_that_of_the_next_one(checked):
    assert "the cost in line 11" in all_right(checked(AFTERWARDS)).told


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(h - y) / 40", "((h - y) * h * (1 - h)) / 40"),
        ("grad[1:] +=", "grad[1:] -="),
        ("grad[1:] += 0.5 / 40 * theta[1:]", "grad += 0.5 / 40 * theta"),
        ("grad[1:] += 0.5 / 40", "grad[1:] += 0.5"),
    ],
    ids=["a slope that is a quarter at first", "a sign", "a bias that decays", "no 1/m"],
)
def test_what_weights_of_zero_hide_a_later_update_shows(checked, old, new):
    assert checked(AFTERWARDS.replace(old, new)).wrong
