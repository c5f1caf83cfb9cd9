"""``numpy.matrix`` in watched code: the same numbers and shapes, and gradients that are judged."""

import numpy as np
import pytest
from seen_checked import all_right

from clearprop.gradcheck.seeing.arrays import recording
from clearprop.gradcheck.seeing.modules import StandInNumpy
from clearprop.gradcheck.seeing.tape import Tape

STAND_IN = StandInNumpy(lambda name, args, kwargs: getattr(np, name)(*args, **kwargs))

MATRICES = """
X = np.mat(np.random.randn(6, 4))
Y = np.mat(np.random.rand(6, 3))
W1 = np.mat(np.random.randn(4, 5))
b1 = np.mat(np.zeros(5))
W2 = np.matrix(np.random.randn(5, 3))
for k in range(9):
    A = np.tanh(X * W1 + b1)
    P = A * W2
    loss = np.sum(np.multiply(P - Y, P - Y)) / 2
    D = P - Y
    H = np.multiply(D * W2.T, BACK)
    W2 -= 0.1 * A.T * D
    W1 = W1 - 0.1 * (X.T * H)
    b1 -= 0.1 * H.sum(axis=0)
"""


def test_matrices_are_seen(checked):
    report = all_right(checked(MATRICES.replace("BACK", "1 - np.power(A, 2)")))
    assert sorted(row.shape for row in report.rows) == [(1, 5), (4, 5), (5, 3)]


def test_a_mistake_among_matrices_is_seen(checked):
    report = checked(MATRICES.replace("BACK", "1 - A"))
    verdicts = {row.parameter: row.verdict for row in report.rows}
    assert verdicts == {"W1": "wrong", "b1": "wrong", "W2": "right"}


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize(
    "expression",
    [
        *("m * m.T", "m * [[1], [2], [3]]", "m * np.array([[1.0], [2], [3]])", "2 * m", "m * 2"),
        *("m[0]", "m[:, 1]", "m[0, 1]", "m[1:, 2]", "m[[0, 1]]", "m[m > 2]", "m.T", "m.A1"),
        *("m.sum()", "m.sum(axis=0)", "m.sum(1)", "np.sum(m, axis=1)", "m.mean(0)", "m.max(1)"),
        *("np.exp(m)", "np.multiply(m, m)", "np.dot(m, m.T)", "m @ m.T", "m - m[0]", "-m"),
        *("np.asarray(m)[0]", "np.array(m)[0]", "m.getA()[0]", "m.A * m.A", "m.flatten()"),
        *("m.reshape(-1)", "m.ravel()", "np.vstack((m, m))", "np.hstack([m, m])", "(m * m.T).I"),
        *("np.zeros_like(m)", "np.ones(3) * m.T", "(m * m.T) ** 2", "np.matrix('1 2; 3 4') * 2"),
        *("m.argmax(axis=1)", "np.where(m > 2, m, 0)", "m.copy()[0]", "m[0].tolist()[0]"),
        *("np.linalg.norm(m)", "[row[0, 0] for row in m]", "(m[0] * m[0].T).item()", "m.shape"),
    ],
)
def test_matrices_compute_as_those_of_numpy(expression):
    def value(module):
        m = module.asmatrix(module.array([[1.0, 2, 3], [4, 5, 7]]))
        return eval(expression, {"m": m, "np": module})  # noqa: S307 - one of those above

    with recording(Tape()), np.errstate(all="ignore"):
        found = value(STAND_IN)
    known = value(np)
    assert isinstance(found, STAND_IN.matrix) == isinstance(known, np.matrix)
    assert np.shape(found) == np.shape(known)
    np.testing.assert_allclose(np.asarray(found, float), np.asarray(known, float))


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_a_column_of_a_matrix_is_written():
    with recording(Tape()):
        m = STAND_IN.asmatrix(STAND_IN.zeros((3, 2)))
        m[:, 1] = STAND_IN.asmatrix(STAND_IN.ones((3, 1)))
        m *= 2.0
        m[0] *= 3.0
    assert m.tolist() == [[0, 6], [0, 2], [0, 2]]
