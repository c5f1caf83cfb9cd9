"""What became of a parameter: decay of its parts, parts that are written twice, filled data."""

import numpy as np
import pytest

from clearprop.gradcheck.seeing.judging.updates import find_updates
from clearprop.gradcheck.seeing.tape import Tape

pytestmark = pytest.mark.slow  # many programs are run and judged

FACTORS = """
import numpy as np

seen = np.array([[4, 1, 0], [0, 5, 2], [3, 0, 1.0]])
users, films = np.random.randn(3, 2) * 0.4, np.random.randn(3, 2) * 0.4
base = np.zeros(3)
for _ in range(6):
    for u, f in zip(*np.nonzero(seen)):
        off = seen[u, f] - (base[f] + users[u, :] @ films[f, :])
        base[f] += 0.1 * (off - 0.02 * base[f])
        old = users[u, :].copy()
        users[u, :] += 0.1 * (off * films[f, :] - 0.02 * users[u, :])
        films[f, :] += 0.1 * (off * old - 0.02 * films[f, :])
"""


def test_rows_that_decay_with_each_step_are_right(check):
    assert check(FACTORS)


def test_a_row_that_is_updated_before_the_other_one_takes_it_is_told(check):
    report = check(FACTORS.replace("off * old", "off * users[u, :]"))
    assert not report
    assert report.line["number"] == 12
    assert "updated before" in report.told


BATCH = """
import numpy as np

ids, marks = np.random.randint(0, 6, 40), np.random.randn(40)
given = np.random.randn(40, 3)
table = np.random.randn(6, 3)
pace = np.zeros((6, 3))
for _ in range(5):
    rows = table.take(ids, axis=0)
    off = np.sum(rows * given, 1) - marks
    each = given * off[:, None] + 0.05 * rows
    whole = np.zeros((6, 3))
    for k in range(40):
        whole[ids[k], :] += each[k]
    pace = 0.5 * pace + 0.01 * whole
    table -= pace
"""


def test_decay_that_is_summed_up_row_by_row_is_right(check):
    assert check(BATCH)


def test_a_share_of_another_array_is_no_decay(check):
    report = check(BATCH.replace("0.05 * rows", "0.05 * given"))
    assert not report
    assert report.line["number"] == 11


SPARED = """
import numpy as np

A = np.c_[np.ones((30, 1)), np.random.rand(30, 2)]
t = A @ np.array([[1.0], [2.0], [-1.0]]) + 1
w = np.random.randn(3, 1)
for _ in range(20):
    d = A @ w - t
    old = w
    w = w * (1 - 0.1 * 8 / 30) - 0.1 / 30 * (A.T @ d)
    w[0] = old[0] - 0.1 / 30 * (A[:, 0].T @ d)
    cost = (np.sum((A @ w - t) ** 2) + 8 * np.sum(w[1:] ** 2)) / 60
"""


@pytest.mark.parametrize("cost", [True, False])
def test_a_bias_that_is_written_once_more_is_right(check, cost):
    assert check(SPARED if cost else SPARED[: SPARED.index("    cost")])


def test_a_bias_that_takes_its_step_twice_is_told(check):
    report = check(SPARED.replace("= old[0]", "= w[0]"))
    assert not report
    assert report.line["number"] == 11
    assert "updated already in line 10" in report.told


SHRUNK = """
import numpy as np

A = np.random.rand(30, 4)
t = A @ np.random.rand(4, 1)
w = np.random.randn(4, 1)
for _ in range(20):
    d = A @ w - t
    cost = (d.T @ d + 8 * w.T @ w) / 60
    w = w * (1 - 0.1 * 8 / 30) - 0.1 / 30 * (A.T @ d)
"""


def test_decay_by_a_factor_is_the_gradient_of_an_l2_term(check):
    assert check(SHRUNK)


def test_decay_by_another_factor_than_that_of_the_cost_is_told(check):
    report = check(SHRUNK.replace("0.1 * 8 / 30", "0.1 * 4 / 30"))
    assert not report
    assert report.line["number"] == 10


RESHAPED = """
import numpy as np

A = np.c_[np.ones(30), np.random.randn(30, 3)]
t = (np.random.rand(30, 1) > 0.5) * 1.0


def price(w):
    w = w.reshape((4, 1))
    p = 1 / (1 + np.exp(-(A @ w)))
    J = -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p)) + np.sum(w[1:] ** 2) / 30
    bare = w.copy()
    bare[0] = 0
    slope = (p - t).T @ A / 30 + 2 / 30 * bare.T
    return J, slope.reshape((4, 1))


w = np.zeros((4, 1))
for _ in range(9):
    J, slope = price(w)
    w = w - 0.3 * slope
"""


def test_a_share_of_a_turned_parameter_is_no_update(check):
    report = check(RESHAPED)
    assert report
    assert [row.parameter for row in report.rows] == ["w"]


def test_data_that_are_filled_in_loops_take_no_room(check):
    assert check("""
import numpy as np


def rows(n):
    x, y = np.zeros((n, 9, 10)), np.zeros((n, 9, 10))
    for k in range(n):
        at = np.random.randint(9)
        for j in range(10):
            x[k, at, j] = 1
            at = (at + 1) % 9
            y[k, at, j] = 1
    return x, y


W = np.random.randn(9, 9) * 0.1
x, y = rows(1500)
for k in range(20):
    e = W @ x[k] - y[k]
    loss = np.sum(e**2)
    W -= 0.2 * e @ x[k].T
""")


RESERVOIR = """
import numpy as np
rng = np.random.RandomState(0)
U, V = rng.randn(5, 5) * 0.3, rng.randn(5, 2) * 0.3
h = np.zeros(5)
xs, ys = rng.randn(60, 5), rng.randn(60, 2)
for t in range(60):
    h = {state}
    y = h @ V
    loss = 0.5 * np.sum((y - ys[t]) ** 2)
    V -= 0.01 * np.outer(h, {miss})
"""


@pytest.mark.parametrize(
    "state",
    [
        "h + np.tanh(h @ U + xs[t])",
        "0.9 * h + np.tanh(h @ U + xs[t])",
        "0.9 * (h - np.tanh(h @ U + xs[t]))",
    ],
)
def test_a_state_that_is_added_to_is_no_parameter(check, state):
    report = check(RESERVOIR.format(state=state, miss="y - ys[t]"))
    assert report.passed
    assert [row.parameter for row in report.rows] == ["V"]
    assert check(RESERVOIR.format(state=state, miss="y + ys[t]")).line["number"] == 11


def test_an_assignment_of_which_nothing_is_kept_is_no_update():
    tape = Tape()
    tape.leaf(np.ones(3), "setitem")  # as where the tape was full
    assert find_updates(tape) == []
