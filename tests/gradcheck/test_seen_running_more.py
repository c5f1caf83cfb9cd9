"""Programs such as older NumPy ran, and loops and parts of arrays that are updated."""

import textwrap

import numpy as np
import pytest
from seen_checked import all_right

from clearprop.gradcheck.seeing.arrays import node_of, recording
from clearprop.gradcheck.seeing.judging.updates import find_updates
from clearprop.gradcheck.seeing.modules import StandInNumpy
from clearprop.gradcheck.seeing.running.run import run
from clearprop.gradcheck.seeing.tape import Tape

STAND_IN = StandInNumpy(lambda name, args, kwargs: getattr(np, name)(*args, **kwargs))


# What older NumPy did.


def test_numbers_in_arrays_of_one_entry_make_an_array(checked):
    all_right(
        checked("""
        W = np.random.rand(2, 1)
        x, t = 0.7, 0.3
        for k in range(9):
            y = np.tanh(W * x)
            e = y.sum() - t
            F = np.array([[1 - y[0] ** 2, 0], [0, 1 - y[1] ** 2]]).astype(float)
            cost = e**2
            W = W - 0.1 * F @ np.ones((2, 1)) * e * x
        """)
    )


def test_arrays_of_several_shapes_make_an_array_of_objects(checked):
    report = all_right(
        checked("""
        X, Y = np.random.rand(5, 3), np.random.rand(5, 2)
        W = np.array([np.random.rand(3, 4), np.random.rand(4, 2)], dtype=object)
        for k in range(9):
            A = np.tanh(X @ W[0])
            D = A @ W[1] - Y
            cost = np.sum(D**2)
            steps = np.array([X.T @ (D @ W[1].T * (1 - A**2)), A.T @ D])
            W = W - 0.01 * steps
        """)
    )
    assert sorted(row.shape for row in report.rows) == [(3, 4), (4, 2)]


def test_lists_of_arrays_and_what_is_empty_like_them(checked):
    report = all_right(
        checked("""
        def slopes(weights):
            made = np.empty_like(weights)
            A = np.tanh(X @ weights[0])
            D = A @ weights[1] - Y
            global loss
            loss = np.sum(D**2)
            made[0] = X.T @ (D @ weights[1].T * (1 - A**2))
            made[1] = A.T @ D
            return made / len(X)

        X, Y = np.random.rand(5, 3), np.random.rand(5, 2)
        weights = [np.random.rand(3, 4), np.random.rand(4, 2)]
        for k in range(9):
            weights -= 0.01 * slopes(weights)
        """)
    )
    assert sorted(row.shape for row in report.rows) == [(3, 4), (4, 2)]


def test_arguments_by_their_old_names():
    with recording(Tape()):
        assert STAND_IN.reshape(STAND_IN.arange(6), newshape=(2, 3)).shape == (2, 3)
        assert STAND_IN.array([1.0, 2], copy=False).shape == (2,)


# Loops and parts.


@pytest.mark.parametrize("place", ["W[i][j]", "W[i, j]"])
def test_a_matrix_whose_entries_are_updated_one_by_one(checked, place):
    report = all_right(
        checked(f"""
        X, Y = np.random.rand(5, 9), np.random.rand(5, 6)
        W = np.random.rand(9, 6)
        for k in range(3):
            P = np.tanh(X @ W)
            cost = np.sum((P - Y) ** 2)
            D = 2 * (P - Y) * (1 - P**2)
            for i in range(9):
                for j in range(6):
                    {place} = {place} - 0.1 * np.dot(X[:, i], D[:, j])
        """)
    )
    assert [(row.shape, row.checked) for row in report.rows] == [((9, 6), 54)]


def test_a_way_back_through_time_is_not_cut(checked):
    """It takes a product off what it has handed back, as a training takes one off its weights."""
    all_right(
        checked("""
        X, W = np.random.randn(250, 3), np.random.randn(3, 3) * 0.1
        for k in range(3):
            h, cost = [np.zeros(3)], 0
            for t in range(250):
                h.append(X[t] + h[-1] @ W)
                cost = cost + np.sum(h[-1] ** 2) / 2
            dW, dback = np.zeros_like(W), np.zeros(3)
            for t in reversed(range(250)):
                dback -= h[t + 1] * -1.0
                dW -= -1.0 * np.outer(h[t], dback)
                dback = dback @ W.T
            W = W - 1e-4 * dW
        """)
    )


def test_weights_of_an_earlier_sample_in_a_sum_over_samples_learn(checked):
    all_right(
        checked("""
        X, Y = np.random.randn(4, 2), np.random.randn(4, 1)
        V, W = np.random.randn(2, 3), np.random.randn(3, 1)
        for k in range(3):
            total_error = 0
            for x, y in zip(X, Y):
                x = x.reshape(1, -1)
                h = np.tanh(x @ V)
                e = y - h @ W
                step = h.T @ e
                V += 0.1 * x.T @ (e @ W.T * (1 - h**2))
                W += 0.1 * step
                total_error += np.sum(e**2)
        """)
    )


def test_a_matrix_whose_updates_are_cut_off_is_not_judged(tmp_path, monkeypatch):
    monkeypatch.setattr("clearprop.gradcheck.seeing.running.run._RAISES", 0)
    file = tmp_path / "net.py"
    file.write_text(
        textwrap.dedent("""
        import numpy as np
        X, Y = np.random.rand(5, 9), np.random.rand(5, 60)
        W = np.random.rand(9, 60)
        for k in range(3):
            D = X @ W - Y
            cost = np.sum(D**2) / 2
            for i in range(9):
                for j in range(60):
                    W[i][j] -= 0.1 * np.dot(X[:, i], D[:, j])
        """)
    )
    tape = Tape(most_nodes=1500)
    run(file, tape, 20.0)
    assert tape.cuts
    assert not find_updates(tape)


def test_a_sum_that_begins_as_another_sum_is_no_parameter(checked):
    report = all_right(
        checked("""
        X, Y = np.random.rand(5, 3), np.random.rand(5, 2)
        W = np.random.rand(3, 2)
        for k in range(4):
            whole, part = np.zeros((3, 2)), np.zeros((3, 2))
            loss = 0
            for x, y in zip(X, Y):
                d = x @ W - y
                loss = loss + np.sum(d**2)
                part = np.outer(x, d)
                whole = whole + part
            W -= 0.1 * whole
        """)
    )
    assert [row.shape for row in report.rows] == [(3, 2)]


def test_one_step_of_a_script_that_writes_its_forward_pass_twice(checked):
    forward = """
        Z = np.tanh(X @ W1 + b1)
        P = Z @ W2 + b2
        loss = np.sum((P - Y) ** 2) / 2
    """
    report = all_right(
        checked(f"""
        X, Y = np.random.rand(5, 3), np.random.rand(5, 2)
        W1, b1 = np.random.rand(3, 4), np.zeros((1, 4))
        W2, b2 = np.random.rand(4, 2), np.zeros((1, 2))
        {forward}
        D = P - Y
        back = D @ W2.T * (1 - Z**2)
        W2 -= 0.1 * Z.T @ D
        b2 -= 0.1 * D.sum(axis=0, keepdims=True)
        W1 -= 0.1 * X.T @ back
        b1 -= 0.1 * back.sum(axis=0, keepdims=True)
        {forward}
        """)
    )
    assert len(report.rows) == 4


def test_a_stream_to_which_layers_add_is_no_parameter(checked):
    report = all_right(
        checked("""
        X, Y = np.random.rand(5, 3), np.random.rand(5, 3)
        V, W = np.random.rand(3, 3), np.random.rand(3, 3)
        for k in range(3):
            one = X @ V
            two = one + np.tanh(one @ W)
            D = two + np.sin(two) - Y
            cost = np.sum(D**2) / 2
            E = D * (1 + np.cos(two))
            F = E * (1 - np.tanh(one @ W) ** 2)
            W, V = W - 0.1 * one.T @ F, V - 0.1 * X.T @ (E + F @ W.T)
        """)
    )
    assert len(report.rows) == 2


def test_shapes_that_are_changed_in_place(checked):
    report = all_right(
        checked("""
        X, Y = np.random.rand(5, 3), np.random.rand(5, 2)
        W = np.random.rand(2, 3)
        for k in range(2):
            for x, y in zip(X[:], Y[:]):
                if x.ndim == 1:
                    x.shape += (1,)
                    y.shape = (2, 1)
                D = W @ x - y
                loss = np.sum(D**2)
                W -= 0.1 * D @ x.T
        X[0] = 0.0
        assert (X[0] == 0).all() and X.shape == (5, 3)
        """)
    )
    assert [row.shape for row in report.rows] == [(2, 3)]


def test_a_view_whose_shape_is_changed_still_looks_into_its_array():
    with recording(Tape()):
        whole = STAND_IN.zeros((2, 3))
        row = whole[1]
        row.shape = (3, 1)
        row += 2.0
        assert whole.tolist() == [[0, 0, 0], [2, 2, 2]]
        assert node_of(whole).value.tolist() == [[0, 0, 0], [2, 2, 2]]


def test_quotients_of_whole_numbers_may_be_sizes_as_in_python_2(checked):
    report = all_right(
        checked("""
        X, Y = np.random.rand(8, 4), np.random.rand(8, 2)
        half = len(X) / 2
        W = np.random.rand(4, 4 / 2)
        for k in range(2):
            for i in range(len(X) / half):
                x, y = X[i * half:(i + 1) * half], Y[i * half:(i + 1) * half]
                D = x.dot(W) - y
                loss = np.sum(D**2) / 2
                W -= 0.1 * x.T.dot(D)
        """)
    )
    assert [row.shape for row in report.rows] == [(4, 2)]
