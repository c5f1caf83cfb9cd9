"""Parameters whose rows or entries are updated one by one, decay beside their gradient, too."""

import pytest

pytestmark = pytest.mark.slow  # many programs are run and judged

ROWS = """
import numpy as np
ratings = np.random.RandomState(0).randint(1, 6, (4, 3))
U, V = np.random.rand(4, 5), np.random.rand(3, 5)
for sweep in range(5):
    for i in range(4):
        for j in range(3):
            miss = ratings[i, j] - U[i].dot(V[j])
            user = {user}
            U[i] += 0.02 * (2 * miss * V[j] - 0.05 * U[i])
            V[j] += 0.02 * ({miss} * user - 0.05 * V[j])
"""

ENTRIES = """
import numpy as np
ratings = np.random.RandomState(0).randint(1, 6, (4, 3))
U, V = np.random.rand(4, 5), np.random.rand(5, 3)
for sweep in range(5):
    for i in range(4):
        for j in range(3):
            miss = ratings[i][j] - np.dot(U[i, :], V[:, j])
            for k in range(5):
                u = U[i][k]
                U[i][k] = U[i][k] + 0.02 * (2 * miss * V[k][j] - 0.05 * U[i][k])
                V[k][j] = V[k][j] + 0.02 * (2 * miss * {u} - 0.05 * V[k][j])
"""

ASCENDING = """
import numpy as np
X = np.random.randn(20, {inputs})
y = X[:, 0] * 2 + 1
w = np.random.randn({inputs})
for epoch in range(30):
    miss = y - X @ w
    w = w + 0.01 * (X.T @ miss {decay} 0.1 * w)
"""


@pytest.mark.parametrize(
    "code",
    [
        ROWS.format(user="U[i].copy()", miss="2 * miss"),
        ENTRIES.format(u="u"),
        ASCENDING.format(inputs=2, decay="-"),
        ASCENDING.format(inputs=5, decay="-"),
    ],
    ids=["rows", "entries", "two weights", "weights"],
)
def test_decay_of_what_is_added_is_no_part_of_the_gradient(check, code):
    report = check(code)
    assert report.passed
    assert all(row.error < 1e-6 for row in report.rows)
    assert any("weight decay" in note for note in report.notes)


@pytest.mark.parametrize(
    ("code", "number"),
    [
        (ROWS.format(user="U[i]", miss="2 * miss"), 10),
        (ASCENDING.format(inputs=5, decay="-").replace("X.T", "X.T ** 2"), 8),
        (ENTRIES.format(u="U[i][k]"), 11),
    ],
    ids=["a row after its update", "a square", "an entry after its update"],
)
def test_a_mistake_in_steps_of_rows_and_entries_has_its_line(check, code, number):
    report = check(code)
    assert not report.passed
    assert report.line["number"] == number
    assert "wrong" in [row.verdict for row in report.rows]
