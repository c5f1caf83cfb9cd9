"""What is written where it should not be, and what is scaled, cut or written otherwise."""

from textwrap import dedent

import pytest

pytestmark = pytest.mark.slow  # many programs are run and judged

ENTRIES = """
import numpy as np

X = np.c_[np.ones(20), np.random.randn(20, 2)]
y = X @ np.array([[1.0], [2.0], [-1.0]])
w = np.random.randn(3, 1)
for _ in range(20):
    new = w.copy()
    cost = np.sum((X @ w - y) ** 2) / 40
    for j in range(3):
        new[j] = w[j] - 0.1 * np.sum((X @ w - y) * X[:, [j]]) / 20
    w = new
"""

SPARED = """
import numpy as np

X = np.c_[np.ones(30), np.random.randn(30, 3)]
t = (X[:, 1] > 0.2).astype(float)


def step(w, decay):
    p = 1 / (1 + np.exp(-X @ w))
    shrunk = w.copy()
    shrunk[0] = 0
    loss = -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p)) + decay / 2 * np.sum(w[1:] ** 2)
    return loss, X.T @ (p - t) / 30 + decay * shrunk


w = np.random.randn(4)
for _ in range(20):
    loss, slope = step(w, 0.1)
    w = w - 0.2 * slope
"""


@pytest.mark.parametrize(("text", "line"), [(ENTRIES, 8), (SPARED, 10)])
def test_another_name_that_is_no_copy_is_told(check, text, line):
    assert check(text)
    report = check(text.replace("w.copy()", "w"))
    assert not report
    assert report.line["number"] == line
    assert report.line["instead"].endswith("= w.copy()")


def test_a_step_that_is_taken_from_another_entry_is_told(check):
    text = dedent("""
    import numpy as np

    X, t = np.random.randn(20, 3), np.random.randn(20)
    w = np.random.randn(3)
    for _ in range(20):
        e = X @ w - t
        cost = np.mean(e**2) / 2
        first = w[0] - 0.1 * np.mean(e * X[:, 0])
        second = w[1] - 0.1 * np.mean(e * X[:, 1])
        third = w[2] - 0.1 * np.mean(e * X[:, 2])
        w[0], w[1], w[2] = first, second, third
    """)
    assert check(text)
    report = check(text.replace("w[2] - 0.1", "w[1] - 0.1"))
    assert not report
    assert report.line["number"] == 11


SUMMED = """
import numpy as np

X, T = np.random.randn(25, 3), np.random.randn(25, 2)
net = {"W": np.random.randn(3, 2), "b": np.zeros(2)}
slopes = {key: np.zeros_like(one) for key, one in net.items()}
for _ in range(20):
    for key in slopes:
        slopes[key] *= 0
    off = X @ net["W"] + net["b"] - T
    loss = np.mean(off**2)
    slopes["W"] += 2 * X.T @ off / off.size
    slopes["b"] += 2 * off.sum(axis=0) / off.size
    for key in net:
        net[key] = net[key] - 0.1 * slopes[key]
"""


@pytest.mark.parametrize("kept", ["*= 0", "*= 0.9"])
def test_sums_that_fade_are_steps_of_gradients(check, kept):
    assert check(SUMMED.replace("*= 0", kept))


def test_sums_that_are_never_set_to_0_are_told(check):
    report = check(SUMMED.replace("*= 0", "*= 1").replace("slopes[key] *= 1", "pass"))
    assert not report
    assert report.line["number"] == 12
    assert "nothing sets it to 0" in report.told


def test_an_average_that_moves_towards_gradients_is_no_sum_of_them(check):
    text = SUMMED.replace("        slopes[key] *= 0", "        pass")
    text = text.replace(
        "+= 2 * X.T @ off / off.size", '+= 0.1 * (2 * X.T @ off / off.size - slopes["W"])'
    )
    text = text.replace(
        "+= 2 * off.sum(axis=0) / off.size",
        '+= 0.1 * (2 * off.sum(axis=0) / off.size - slopes["b"])',
    )
    assert check(text)


MASKED = """
import numpy as np

X, T = np.random.randn(30, 4), np.random.randn(30, 2)
V, W = np.random.randn(4, 6), np.random.randn(6, 2)
stay = 0.7
for _ in range(10):
    A = np.tanh(X @ V)
    kept = np.random.rand(30, 6) < stay
    B = A * kept / stay
    off = B @ W - T
    loss = np.mean(off**2)
    D = 2 * off / off.size
    dB = D @ W.T
    dA = dB * kept / stay
    dV = X.T @ (dA * (1 - A**2))
    W = W - 0.1 * B.T @ D
    V = V - 0.1 * dV
"""


@pytest.mark.parametrize(
    ("wrong", "line", "instead"),
    [
        ("dA = dB * kept", 15, "dA = dB * kept / 0.7"),
        ("dA = dB + 0", 16, "dV = X.T @ (dA * (1 - A**2) * kept / stay)"),
    ],
)
def test_what_the_forward_pass_is_scaled_by_is_looked_for(check, wrong, line, instead):
    assert check(MASKED)
    report = check(MASKED.replace("dA = dB * kept / stay", wrong))
    assert not report
    assert (report.line["number"], report.line["instead"]) == (line, instead)


def test_of_gradients_that_differ_by_a_factor_those_that_lack_it_are_wrong(check):
    text = dedent("""
    import numpy as np

    X, T = np.random.randn(6, 5), np.random.randn(6, 5)
    Q, K, V = (np.random.randn(5, 5) * 0.5 for _ in range(3))
    wide = 5
    for _ in range(10):
        A, B, C = X @ Q, X @ K, X @ V
        S = A @ B.T / np.sqrt(wide)
        off = S @ C - T
        loss = np.sum(off**2) / 2
        dS = off @ C.T
        dP = dS / np.sqrt(wide)
        V = V - 0.01 * X.T @ (S.T @ off)
        Q, K = Q - 0.01 * X.T @ (dP @ B), K - 0.01 * X.T @ (dP.T @ A)
    """)
    assert check(text)
    report = check(text.replace("dP = dS / np.sqrt(wide)", "dP = 1 * dS"))
    assert not report
    assert report.line["instead"] == "dP = 1 * dS / np.sqrt(wide)"
    assert [row.verdict for row in report.rows].count("wrong") == 2


def test_a_number_that_is_written_into_a_slope_is_told(check):
    text = dedent("""
    import numpy as np

    X, T = np.random.randn(30, 3), np.random.randn(30, 1)
    V, W = np.random.randn(3, 5), np.random.randn(5, 1)


    def slope(z, low):
        given = np.ones_like(z)
        given[z < 0] = low
        return given


    for _ in range(10):
        Z = X @ V
        A = np.where(Z > 0, Z, 0.1 * Z)
        off = A @ W - T
        loss = np.mean(off**2)
        D = 2 * off / off.size
        dZ = D @ W.T * slope(Z, 0.1)
        W = W - 0.1 * A.T @ D
        V = V - 0.1 * X.T @ dZ
    """)
    assert check(text)
    report = check(text.replace("= low", "= -low"))
    assert not report
    assert (report.line["number"], report.line["instead"]) == (10, "given[z < 0] = low")


JOINED = """
import numpy as np

xs, ts = np.random.randn(12, 3, 1), np.random.randn(12, 3, 1)
U, V = np.random.randn(3, 6) * 0.4, np.random.randn(3, 3) * 0.4
for _ in range(10):
    hs, zs, loss = [np.zeros((3, 1))], [], 0
    for x, t in zip(xs, ts):
        zs.append(np.vstack((hs[-1], x)))
        hs.append(np.tanh(U @ zs[-1]))
        loss = loss + np.sum((V @ hs[-1] - t) ** 2) / 2
    dU, dV, carried = np.zeros_like(U), np.zeros_like(V), np.zeros((3, 1))
    for k in range(11, -1, -1):
        off = V @ hs[k + 1] - ts[k]
        dV += off @ hs[k + 1].T
        dZ = (V.T @ off + carried) * (1 - hs[k + 1] ** 2)
        dU += dZ @ zs[k].T
        both = U.T @ dZ
        carried = both[:3]
    U, V = U - 0.05 * dU, V - 0.05 * dV
"""


def test_another_part_of_what_was_joined_is_told_in_every_round(check):
    assert check(JOINED)
    report = check(JOINED.replace("both[:3]", "both[-3:]"))
    assert not report
    assert (report.line["number"], report.line["instead"]) == (19, "carried = both[:3]")


def test_the_sign_of_a_step_is_wrong_where_the_gradient_is_none(check):
    text = dedent("""
    import numpy as np

    X, T = np.random.randn(20, 3), np.random.randn(20, 2)
    W = np.random.randn(3, 2)
    for _ in range(20):
        P = np.tanh(X @ W)
        slope = X.T @ ((P - T) * (1 - P**2))
        W -= slope
    """)
    assert check(text)
    report = check(text.replace("W -=", "W +="))
    assert not report
    assert (report.line["number"], report.line["instead"]) == (9, "W -= slope")


def test_the_size_of_a_step_fails_whatever_the_data_are(check):
    text = dedent("""
    import numpy as np

    X = np.loadtxt("rows.txt")
    T = np.tanh(X @ np.random.randn(X.shape[1], 2))
    V, W, b = np.random.randn(X.shape[1], 7), np.random.randn(7, 2), np.zeros(7)
    for _ in range(20):
        A = np.tanh(X @ V + b)
        D = A @ W - T
        loss = np.mean(D**2)
        G = D @ W.T * (1 - A**2)
        db = G.sum(axis=0)
        b -= 0.01 * db
        W -= 0.01 * A.T @ D
        V -= 0.01 * X.T @ G
    """)
    assert check(text)
    report = check(text.replace("axis=0", "axis=1"))
    assert not report
    assert report.line["number"] == 12


def test_another_operator_has_the_brackets_that_it_needs(check):
    text = dedent("""
    import numpy as np

    np.random.seed(0)
    X, T, B = np.random.randn(12, 3), np.random.randn(12, 4), np.random.randn(12, 4)
    W = np.random.randn(3, 4)
    for _ in range(5):
        Z = X @ W
        off = Z - Z**2 / 2 + B * Z - T
        loss = np.mean(off**2)
        dZ = 2 * off / off.size * (1 - (Z - B))
        W = W - 0.01 * X.T @ dZ
    """)
    assert check(text)
    report = check(text.replace("(Z - B)", "Z * B"))
    assert report.line["instead"] == "dZ = 2 * off / off.size * (1 - (Z - B))"
