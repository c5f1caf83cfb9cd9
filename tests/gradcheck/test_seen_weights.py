"""Weights in forms of their own: drawn, looked up, made of others."""

import pytest
from seen_checked import all_right

pytestmark = pytest.mark.slow  # many programs are run and judged

TRAINED = """
X, Y = np.random.randn(12, 4), np.random.randn(12, 3)
for k in range(20):
    H = np.tanh(X @ W)
    P = H @ V
    loss = np.mean((P - Y) ** 2)
    D = 2 * (P - Y) / Y.size
    E = D @ V.T * (1 - H**2)
    W -= 0.1 * X.T @ E
    V -= 0.1 * H.T @ D
"""


@pytest.mark.parametrize(
    "start",
    [
        "r = np.sqrt(6) / np.sqrt(4 + 5 + 1)\nW = np.random.rand(4, 5) * 2 * r - r",
        "r = np.sqrt(6.0) / np.sqrt(9)\nW = (2 * np.random.rand(4, 5) - 1) * r",
        "r = np.exp(-1) * np.sqrt(3)\nW = r * np.random.randn(4, 5)",
    ],
)
def test_first_weights_may_have_bounds_of_two_numbers(checked, start):
    text = f"np.random.seed(0)\n{start}\nV = np.random.randn(5, 3)\n{TRAINED}"
    assert {row.shape for row in all_right(checked(text)).rows} == {(4, 5), (5, 3)}
    assert checked(text.replace("(1 - H**2)", "(1 - H)")).wrong


def test_rows_that_an_array_names_are_parts_of_their_table(checked):
    text = """
    rng = np.random.RandomState(0)
    A, B = rng.randn(8, 4) * 0.4, rng.randn(8, 4) * 0.4
    seen_A, seen_B = np.full((8, 4), 1e-4), np.full((8, 4), 1e-4)
    for k in range(60):
        word, true = rng.randint(8, size=2)
        others = np.concatenate([[true], rng.permutation([n for n in range(8) if n != true])[:3]])
        label = np.array([1.0, 0, 0, 0])
        a, b = A[word], B[others]
        p = 1 / (1 + np.exp(-(b @ a)))
        loss = -np.log(p[0]) - np.sum(np.log(1 - p[1:]))
        d = p - label
        da, db = d @ b, np.outer(d, a)
        seen_A[word] += da**2
        seen_B[others] += db**2
        B[others] -= 0.1 * db / np.sqrt(seen_B[others])
        A[word] -= 0.1 * da / np.sqrt(seen_A[word])
    """
    assert [row.shape for row in all_right(checked(text)).rows] == [(8, 4), (8, 4)]
    assert checked(text.replace("np.outer(d, a)", "np.outer(p, a)")).wrong


def test_weights_by_their_length_make_no_weights_of_the_data(checked):
    text = """
    rng = np.random.RandomState(0)
    X, Y = rng.normal(size=(12, 4)), rng.normal(size=(12, 3))
    v, g = rng.normal(size=(3, 4)), np.ones(3)
    for k in range(20):
        length = np.linalg.norm(v, axis=1, keepdims=True)
        P = X @ (g[:, None] * v / length).T
        loss = np.mean((P - Y) ** 2)
        D = 2 * (P - Y) / Y.size
        dw, unit = D.T @ X, v / length
        dg = np.sum(dw * unit, axis=1)
        dv = g[:, None] / length * (dw - dg[:, None] * unit)
        v -= 0.1 * dv
        g -= 0.1 * dg
    """
    report = all_right(checked(text))
    assert report.passed
    assert checked(text.replace("(dw - dg[:, None] * unit)", "dw")).wrong
