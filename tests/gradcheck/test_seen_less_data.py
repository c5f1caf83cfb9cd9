"""Programs that are run with less data, or other data, than they were written for."""

import textwrap

import pytest
from seen_checked import STEPS, all_right, check, said

from clearprop.gradcheck.seeing.running.forms import SMALL
from clearprop.gradcheck.seeing.running.run import run
from clearprop.gradcheck.seeing.running.stand_ins import Data
from clearprop.gradcheck.seeing.tape import Tape

pytestmark = pytest.mark.slow  # many programs are run and judged

RECURRENT = """
W = np.random.randn(5, 4) * 0.3
U = np.random.randn(4, 4) * 0.3
b = np.zeros((1, 4))
V = np.random.randn(4, 3) * 0.3
X, T = np.random.randn(6, 1, 5), np.arange(6) % 3
def relu(z):
    return z * (z > 0)
def cross_entropy_d(p, t):
    d = p.copy()
    d[0, t] -= 1
    return d
def both_ways():
    h, p, loss = {-1: np.ones((1, 4))}, {}, 0
    for t in range(6):
        h[t] = relu(X[t] @ W + h[t - 1] @ U + b)
        e = np.exp(h[t] @ V)
        p[t] = e / e.sum()
        loss += -np.log(p[t][0, T[t]])
    dW, dU, dV, db = (np.zeros_like(one) for one in (W, U, V, b))
    dnext = np.zeros((1, 4))
    for t in reversed(range(6)):
        dy = cross_entropy_d(p[t], T[t])
        dV += h[t].T @ dy
        dz = (X[t] @ W + h[t - 1] @ U + b > 0) * (dy @ V.T + dnext)
        dW += X[t].T @ dz
        dU += h[t - 1].T @ dz
        db += dz.sum(0)
        dnext = dz @ U.T
    return loss, dW, dU, dV, db
"""


def test_parts_of_well_known_data_leave_some_for_each_other(runs):
    ran = runs(
        """
        import pickle
        import numpy as np
        def cifar(num_training=49000, num_validation=1000, num_test=500):
            parts = []
            for k in range(1, 6):
                with open(f"cifar-10/data_batch_{k}", "rb") as file:
                    parts.append(pickle.load(file, encoding="bytes")[b"data"])
            X = np.concatenate(parts).reshape(50000, 3, 32, 32)
            return X[range(num_training)], X[range(num_training, num_training + num_validation)]
        train, validation = cifar()
        """
    )
    assert not ran.failures
    assert (len(train := ran.namespace["train"]), len(ran.namespace["validation"])) == (23, 2)
    assert train.shape[1:] == (3, 32, 32)
    assert [Data("mnist").scaled(one) for one in (60_000, 59_000, 50_000, 1_000)] == [24, 22, 20, 2]


def test_data_without_their_mean_are_no_update(tmp_path):
    text = """
    A = np.random.randn(30, 4)
    loss = np.sum(A**2)
    B = A[5:12]
    B -= A.mean(axis=0)
    """
    with pytest.raises(AssertionError, match=r"\[\], \[\]"):
        check(tmp_path, text)


def test_what_takes_too_long_is_run_once_more_with_less(tmp_path):
    text = """
    import numpy as np
    n_samples, batch_size = 100_000, 64
    X = np.random.randn(n_samples, 4)
    any(np.sum(np.sqrt(np.abs(row))) > 100 for row in X)
    X = X[:batch_size]
    """
    file = tmp_path / "net.py"
    file.write_text(textwrap.dedent(text) + STEPS)
    ran = run(file, Tape(), 60.0)
    assert ran.was_ended
    ran = run(file, Tape(), 60.0, SMALL)
    assert not ran.was_ended
    assert ran.namespace["X"].shape == (8, 4)
    assert said(ran, "line 3", "as it takes long", "100,000")


def test_of_few_samples_the_last_class_is_one():
    data = Data("mnist", SMALL)
    assert data.labels().tolist() == [0, 3, 6, 9]
    assert data.pictures().shape == (4, 28, 28)


def test_texts_are_decoded_as_in_python_2(checked, tmp_path):
    (tmp_path / "words.txt").write_text("abcab" * 20)
    text = """
    text = open("words.txt").read().decode("utf-8").encode("ascii", "ignore")
    letters = sorted(set(text))
    X = np.eye(len(letters))[[letters.index(one) for one in text]]
    assert "".join(letters) == "abc"
    """
    all_right(checked(textwrap.dedent(text) + STEPS))


def test_a_package_in_a_folder_for_sources_is_found(tmp_path):
    package = tmp_path / "src" / "tinylib"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from .data import rows\n")
    (package / "data.py").write_text(
        "import numpy as np\ndef rows(): return np.random.rand(9, 4)\n"
    )
    (tmp_path / "setup.py").touch()
    folder = tmp_path / "examples"
    folder.mkdir()
    all_right(check(folder, "import tinylib as tl\nX = tl.rows()\n" + STEPS))


@pytest.mark.parametrize(
    "steps",
    [
        "for p in (W, b):\n        np.clip(p, -1, 1, out=p)\n    W -= 0.1 * X.T @ D",
        "W -= 0.1 * X.T @ D\n    W = np.clip(W, -0.5, 0.5)",
        "W = W - 0.1 * X.T @ D - 1e-4 * W",
    ],
)
def test_weights_may_be_clipped_or_decay_on_their_own(checked, steps):
    text = "X = np.random.randn(9, 4)\n" + STEPS.replace("W -= 0.1 * X.T @ D", steps)
    assert len(all_right(checked(text)).rows) == 2
    report = checked(text.replace("* (1 - P**2)", "* (1 - P)"))
    assert not report.passed
    assert report.line is not None
    assert "(1 - P)" in report.line["text"]


def test_a_state_that_is_computed_again_going_back_is_no_parameter(checked, tmp_path):
    loop = """
for k in range(5):
    loss, dW, dU, dV, db = both_ways()
    W -= 0.1 * dW
    U -= 0.1 * dU
    V -= 0.1 * dV
    b -= 0.1 * db
"""
    report = all_right(checked(RECURRENT + loop))
    assert [row.shape for row in report.rows].count((1, 4)) == 1
    with pytest.raises(AssertionError):  # of what is not stepped along, nothing is said
        check(tmp_path, RECURRENT + "both_ways()\n")
