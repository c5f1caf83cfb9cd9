"""Networks that learn from each other, or from what they say themselves."""

import pytest
from seen_checked import all_right

pytestmark = pytest.mark.slow  # many programs are run and judged

COPIER = """
rng = np.random.RandomState(0)
maker = {"A": rng.randn(3, 6) * 0.4, "a": np.zeros(6), "B": rng.randn(6, 2) * 0.4}
judge = {"A": rng.randn(2, 7) * 0.4, "a": np.zeros(7), "B": rng.randn(7, 1) * 0.4}

def squash(x):
    return 1 / (1 + np.exp(-x))

def made(z):
    h = np.tanh(z @ maker["A"] + maker["a"])
    return h, h @ maker["B"]

def judged(x):
    h = np.tanh(x @ judge["A"] + judge["a"])
    return h, squash(h @ judge["B"])

def back(net, x, h, d):
    dh = d @ net["B"].T * (1 - h**2)
    return {"A": x.T @ dh, "a": dh.sum(axis=0), "B": h.T @ d}, dh @ net["A"].T

def step(net, grads):
    for key in net:
        net[key] -= 0.05 * grads[key]

for k in range(30):
    x, z = rng.randn(16, 2) + 2, rng.randn(16, 3)
    h, fake = made(z)
    h1, p1 = judged(x)
    h0, p0 = judged(fake)
    judge_loss = -np.mean(np.log(p1) + np.log(1 - p0))
    g1, _ = back(judge, x, h1, (p1 - 1) / 16)
    g0, _ = back(judge, fake, h0, p0 / 16)
    step(judge, {key: g1[key] + g0[key] for key in g1})
    h0, p0 = judged(fake)
    maker_loss = -np.mean(np.log(p0))
    _, dfake = back(judge, fake, h0, (p0 - 1) / 16)
    step(maker, back(maker, z, h, dfake)[0])
"""


def test_samples_that_a_judge_has_learned_from_teach_their_maker(checked):
    report = all_right(checked(COPIER))
    assert report.passed
    assert [row.shape for row in report.rows].count((7, 1)) == 1
    assert len(report.rows) == 6
    maker = checked(COPIER.replace("h0, (p0 - 1) / 16)", "h0, p0 / 16)"))
    assert maker.line["text"] == "_, dfake = back(judge, fake, h0, p0 / 16)"
    judge = checked(COPIER.replace("h0, p0 / 16)", "h0, (1 - p0) / 16)"))
    assert judge.line["text"] == "g0, _ = back(judge, fake, h0, (1 - p0) / 16)"


def test_weights_that_are_updated_too_early_belong_to_the_same_cost(checked):
    report = checked("""
    np.random.seed(0)
    X, Y = np.random.randn(12, 4), np.random.randn(12, 3)
    U, V, W = np.random.randn(4, 5), np.random.randn(5, 5), np.random.randn(5, 3)
    for k in range(20):
        A = np.tanh(X @ U)
        B = np.tanh(A @ V)
        loss = np.mean((B @ W - Y) ** 2)
        D = 2 * (B @ W - Y) / Y.size
        W -= 0.1 * B.T @ D
        D = D @ W.T * (1 - B**2)
        V -= 0.1 * A.T @ D
        D = D @ V.T * (1 - A**2)
        U -= 0.1 * X.T @ D
    """)
    assert len(report.rows) == 3
    assert report.wrong


LEARNER = """
rng = np.random.RandomState(1)
W1, b1 = rng.randn(4, 8) * 0.4, np.zeros(8)
W2, b2 = rng.randn(8, 3) * 0.4, np.zeros(3)

def values(s):
    h = np.tanh(s @ W1 + b1)
    return h, h @ W2 + b2

for k in range(40):
    s, a, s2 = rng.randn(10, 4), rng.randint(0, 3, 10), rng.randn(10, 4)
    r, ends = rng.randn(10), rng.rand(10) < 0.2
    h, q = values(s)
    TARGET
    D = np.zeros_like(q)
    D[np.arange(10), a] = error / 10
    E = D @ W2.T * (1 - h**2)
    W2 -= 0.1 * h.T @ D
    b2 -= 0.1 * D.sum(axis=0)
    W1 -= 0.1 * s.T @ E
    b1 -= 0.1 * E.sum(axis=0)
"""
TARGETS = {
    "named": """
    y = r + 0.9 * values(s2)[1].max(axis=1) * (1 - ends)
    error = q[np.arange(10), a] - y
    loss = np.mean(error**2) / 2""",
    "where it ends": """
    y = np.where(ends, r, r + 0.9 * values(s2)[1].max(axis=1))
    error = q[np.arange(10), a] - y
    loss = np.mean(error**2) / 2""",
    "without a cost": """
    y = r + 0.9 * values(s2)[1].max(axis=1)
    error = q[np.arange(10), a] - y""",
    "written into the outputs": """
    y = q.copy()
    y[np.arange(10), a] = r + 0.9 * values(s2)[1].max(axis=1)
    error = (q - y)[np.arange(10), a]""",
}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_what_an_action_is_worth_is_learned_from_targets_of_own_outputs(checked, target):
    text = LEARNER.replace("\n    TARGET", target)
    report = all_right(checked(text))
    assert any("makes of outputs is taken as given" in note for note in report.notes)
    wrong = checked(text.replace("(1 - h**2)", "(1 - h)"))
    assert {row.shape for row in wrong.wrong} == {(4, 8), (8,)}


def test_two_outputs_that_are_held_against_each_other_both_learn(checked):
    text = """
    rng = np.random.RandomState(2)
    W, V = rng.randn(4, 8) * 0.5, rng.randn(8, 3) * 0.5

    for k in range(20):
        one, other = rng.randn(10, 4), rng.randn(10, 4)
        h, g = np.tanh(one @ W), np.tanh(other @ W)
        error = h @ V - g @ V - 1
        loss = np.sum(error**2) / 2
        E, F = error @ V.T * (1 - h**2), -error @ V.T * (1 - g**2)
        V -= 0.01 * (h.T @ error - g.T @ error)
        W -= 0.01 * (one.T @ E + other.T @ F)
    """
    all_right(checked(text))
    wrong = checked(text.replace("(h.T @ error - g.T @ error)", "h.T @ error"))
    assert {row.shape for row in wrong.wrong} == {(8, 3)}


def test_a_bias_that_moves_both_of_two_outputs_learns_nothing_of_their_difference(checked):
    text = """
    rng = np.random.RandomState(5)
    W, b = rng.randn(4, 3) * 0.5, np.zeros(3)
    for k in range(20):
        one, other = rng.randn(10, 4), rng.randn(10, 4)
        error = (one @ W + b) - (other @ W + b) - 1
        loss = np.sum(error**2) / 2
        db = error.sum(axis=0) - error.sum(axis=0)
        W -= 0.01 * (one.T @ error - other.T @ error)
        b -= 0.01 * db
    """
    assert all_right(checked(text)).passed
    assert not checked(text.replace(" - error.sum(axis=0)", "")).passed


FLOW = """
rng = np.random.RandomState(3)
W, b = rng.randn(2, 5) * 0.5, np.zeros(5)
V, c = rng.randn(5, 2) * 0.5, np.zeros(2)
start = rng.randn(12, 2)
end = start @ np.array([[0.0, -1.0], [1.0, 0.0]])

def slope(y):
    h = np.tanh(y @ W + b)
    return h, h @ V + c

for k in range(20):
    states, hs = [start], []
    for _ in range(3):
        h, f = slope(states[-1])
        hs.append(h)
        states.append(states[-1] + 0.3 * f)
    loss = np.mean((states[-1] - end) ** 2)
    d = 2 * (states[-1] - end) / end.size
    dW, db, dV, dc = (np.zeros_like(one) for one in (W, b, V, c))
    for y, h in zip(states[-2::-1], hs[::-1]):
        df = 0.3 * d
        dz = df @ V.T * (1 - h**2)
        dW, db = dW + y.T @ dz, db + dz.sum(axis=0)
        dV, dc = dV + h.T @ df, dc + df.sum(axis=0)
        d = d + dz @ W.T
    for p, g in ((W, dW), (b, db), (V, dV), (c, dc)):
        p -= 0.2 * g
"""


def test_a_state_that_goes_on_by_shares_of_a_slope_is_no_parameter(checked):
    assert {row.shape for row in all_right(checked(FLOW)).rows} == {(2, 5), (5,), (5, 2), (2,)}
    assert checked(FLOW.replace("d = d + dz @ W.T", "d = dz @ W.T")).wrong


def test_blocks_that_are_computed_again_on_the_way_back_are_no_parameters(checked):
    text = """
    rng = np.random.RandomState(4)
    Ws = [rng.randn(5, 5) * 0.4 for _ in range(4)]
    V = rng.randn(5, 2) * 0.4
    X = rng.randn(12, 5)
    Y = X[:, :2] * X[:, 1:3]

    def block(x, W):
        h = np.tanh(x @ W)
        return x + h, h

    for k in range(20):
        x, kept = X, []
        for W in Ws:
            kept.append(x)
            x, _ = block(x, W)
        loss = np.mean((x @ V - Y) ** 2)
        D = 2 * (x @ V - Y) / Y.size
        d, grads = D @ V.T, []
        for x0, W in zip(kept[::-1], Ws[::-1]):
            _, h = block(x0, W)
            dz = d * (1 - h**2)
            grads.insert(0, x0.T @ dz)
            d = d + dz @ W.T
        V -= 0.1 * x.T @ D
        for i in range(4):
            Ws[i] -= 0.1 * grads[i]
    """
    assert len(all_right(checked(text)).rows) == 5
    assert checked(text.replace("d = d + dz @ W.T", "d = dz @ W.T")).wrong


def test_weights_that_begin_to_learn_before_their_bias_are_no_state(checked):
    text = """
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 5))
    y = X @ rng.standard_normal(5)
    w, b = np.zeros(5), 0.0
    for epoch in range(6):
        order = rng.permutation(40)
        for at in range(0, 40, 8):
            some = order[at : at + 8]
            gap = y[some] - (X[some] @ w + b)
            w -= 0.05 * -2 / len(some) * (X[some].T @ gap)
            b -= 0.05 * -2 / len(some) * np.sum(gap)
    """
    assert len(all_right(checked(text)).rows) == 2
