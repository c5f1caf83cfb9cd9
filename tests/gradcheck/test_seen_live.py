"""Code is watched where it runs, and its gradients are judged as soon as the block ends."""

import functools
import linecache

import numpy as np
import pytest
import watched_nets
from watched_nets import Net, X, Y, drawn, wrong_net

import clearprop as cp
from clearprop.errors import UsageError
from clearprop.gradcheck.seeing.recorder import ACTIVE


def parameters_and_update(parameters, rate=0.1, factor=1.0):
    Z = X @ parameters["W"] + parameters["b"]
    P = 1 / (1 + np.exp(-Z))
    cost = -np.mean(Y_ONES * np.log(P) + (1 - Y_ONES) * np.log(1 - P))
    dZ = (P - Y_ONES) / Z.size
    parameters["W"] = parameters["W"] - rate * factor * X.T @ dZ
    parameters["b"] = parameters["b"] - rate * dZ.sum(axis=0)
    return cost


Y_ONES = (Y > 0) * 1.0


def test_a_step_of_an_object_is_right():
    net = Net()
    with cp.watch() as seen:
        net.train(X, Y)
    report = seen.report()
    assert report
    assert {row.parameter for row in report.rows} == {"W1", "b1", "W2", "b2"}
    assert all(row.verdict == "right" and row.error < 1e-6 for row in report.rows)
    assert seen.report() is report
    assert "right" in report._repr_html_()


def test_a_wrong_line_is_named():
    net = wrong_net()
    with cp.watch() as seen:
        net.train(X, Y)
    report = seen.report()
    assert not report
    assert {row.parameter for row in report.wrong} == {"W1", "b1"}
    assert report.line["file"] == watched_nets.__file__
    line = linecache.getline(watched_nets.__file__, report.line["number"]).strip()
    assert line == report.line["text"]
    assert "slope" in line or "1 - a" in line


def test_names_that_numpy_had_once_warn_of_nothing():
    net = Net()
    net.helper = lambda: None
    net.helper.__name__ = "bytes"
    with cp.watch() as seen:
        net.train(X, Y)
    assert seen.report()


def test_functions_with_a_dict_of_parameters():
    parameters = {"W": drawn(4, 3), "b": np.zeros(3)}
    with cp.watch() as seen:
        for _ in range(3):
            parameters_and_update(parameters)
    assert seen.report()
    with cp.watch() as seen:
        parameters_and_update(parameters, factor=-1.0)
    report = seen.report()
    assert not report
    assert [row.parameter for row in report.wrong] == ["W"]


def test_local_variables_of_a_function():
    W, b = drawn(4, 3), np.zeros(3)
    kept, start = W, W.copy()
    with cp.watch() as seen:
        for _ in range(2):
            error = X @ W + b - Y
            cost = np.sum(error**2) / 2
            W -= 0.01 * X.T @ error
            b = b - 0.01 * error.sum(axis=0)
    assert seen.report()
    assert W is kept
    assert not np.array_equal(W, start)
    assert {type(one) for one in (W, b, error)} == {np.ndarray}
    assert type(cost) is np.float64


def test_gradients_without_an_update():
    net = Net()
    with cp.watch() as seen:
        net.backward(X, Y)
    report = seen.report()
    assert report
    assert len(report.rows) == 4
    net = wrong_net()
    with cp.watch() as seen:
        net.backward(X, Y)
    assert {row.parameter for row in seen.report().wrong} == {"W1", "b1"}


def forward(p):
    A1 = np.tanh(X @ p["W1"])
    return A1, A1 @ p["W2"]


def backward(p, A1, A2, slope=2):
    delta = (A2 - Y) / 20
    return {"W2": A1.T @ delta, "W1": X.T @ (delta @ p["W2"].T * (1 - A1**slope))}


def test_gradients_and_parameters_under_the_same_names():
    p = {"W1": drawn(4, 5), "W2": drawn(5, 3)}
    with cp.watch() as seen:
        A1, A2 = forward(p)
        grads = backward(p, A1, A2)
    report = seen.report()
    assert report
    assert len(report.rows) == 2
    with cp.watch() as seen:
        A1, A2 = forward(p)
        grads = backward(p, A1, A2, slope=1)
    assert ["W1" in row.parameter for row in seen.report().wrong] == [True]
    assert len(grads) == 2


@pytest.mark.parametrize("again", [False, True])
def test_half_a_step_accuses_nobody(again):
    p = {"W1": drawn(4, 5), "W2": drawn(5, 3)}
    A1, A2 = forward(p)
    with cp.watch() as seen:
        grads = backward(p, A1, A2)
        for name in p:
            p[name] -= 0.1 * grads[name]
        if again:
            A1, A2 = forward(p)
            np.mean((A2 - Y) ** 2)
    with pytest.raises(UsageError, match="a whole step, forward and backward"):
        seen.report()


def test_parameters_in_one_flat_vector():
    flat = drawn(15)
    W, b = flat[:12].reshape(4, 3), flat[12:]
    step = np.zeros(15)
    with cp.watch() as seen:
        for _ in range(2):
            error = X @ W + b - Y
            cost = np.sum(error**2) / 2
            step[:12] = (X.T @ error).ravel()
            step[12:] = error.sum(axis=0)
            flat -= 0.01 * step
    assert seen.report()
    assert np.shares_memory(W, flat)
    assert cost > 0


def test_an_array_written_from_outside_is_no_mistake():
    W, b = drawn(4, 3), np.zeros(3)
    outside = memoryview(W)
    with cp.watch() as seen:
        for _ in range(3):
            error = X @ W + b - Y
            cost = np.sum(error**2) / 2
            W -= 0.01 * X.T @ error
            b -= 0.01 * error.sum(axis=0)
            outside[0, 0] = 5.0  # which nobody sees
    assert seen.report()
    assert W[0, 0] == 5
    assert cost > 0


def test_an_array_without_axes_is_changed_in_place():
    w, x, y = np.array(0.5), drawn(9), drawn(9, seed=1)
    alias, start = w, w.copy()
    with cp.watch() as seen:
        error = w * x - y
        cost = np.mean(error**2)
        w -= 0.1 * 2 * np.mean(error * x)
    assert w is alias
    assert w != start
    assert cost > 0
    assert seen.report().rows[0].verdict == "right"


def test_a_cell_of_a_notebook_has_its_text(monkeypatch):
    text = "def step():\n    global W\n    error = X @ W - Y\n    cost = np.mean(error**2)\n"
    text += "    W = W - 0.1 * X.T @ error\n"
    name = "/home/me/ipykernel_4242/17.py"
    monkeypatch.setitem(
        linecache.cache, name, (len(text), None, text.splitlines(keepends=True), name)
    )
    cell = {"np": np, "X": X, "Y": Y, "W": drawn(4, 3), "cp": cp}
    exec(compile(text, name, "exec"), cell)  # noqa: S102
    run = "with cp.watch() as seen:\n    step()\n    step()\nreport = seen.report()\n"
    exec(compile(run, "<ipython-input-3>", "exec"), cell)  # noqa: S102
    assert cell["report"]
    assert cell["report"].rows[0].parameter == "W"
    assert cell["report"].to_dict()["line"] is None
    assert "line 4" in str(cell["report"])
    assert cell["np"] is np


def test_a_report_before_the_end_is_refused():
    with cp.watch() as seen, pytest.raises(UsageError, match=r"has not ended.*after it"):
        seen.report()
    with pytest.raises(UsageError, match="has not ended"):
        cp.watch().report()


def test_nothing_seen_is_said():
    with cp.watch() as seen:
        pass
    with pytest.raises(UsageError, match=r"Nothing was computed.*cp\.watch\(net\)"):
        seen.report()
    W = drawn(4, 3)
    with cp.watch() as seen:
        error = X @ W - Y
        np.mean(error**2)
    with pytest.raises(UsageError, match=r"No gradient was seen in the \d+ operations.*W -= rate"):
        seen.report()


def test_a_watch_within_a_watch_and_a_second_block_are_refused():
    with cp.watch() as seen, pytest.raises(UsageError, match="already"), cp.watch():
        pass
    with pytest.raises(UsageError, match="already"), seen:
        pass
    assert not ACTIVE


def test_objects_that_no_variable_leads_to():
    hidden = iter([Net()])
    net = next(hidden)
    train = functools.partial(net.train, X, Y)
    del net
    with cp.watch(train.func) as seen:
        train()
    assert seen.report()
