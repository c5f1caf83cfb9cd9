"""Code is watched where it runs: the same bits, everything back in its place, and a verdict."""

import ast
import copy
import functools
import json
import linecache
import math
import pickle
import random
import statistics
import sys
from collections import deque, namedtuple
from contextlib import nullcontext
from types import FunctionType, ModuleType

import numpy as np
import pytest
import seen_styles
from seen_programs import COMPUTED, WRITTEN

import clearprop as cp
from clearprop.errors import UsageError
from clearprop.gradcheck.seeing.arrays import Watched
from clearprop.gradcheck.seeing.recorder import ACTIVE

Pair = namedtuple("Pair", "W b")


def drawn(*shape, seed=0):
    return np.random.RandomState(seed).randn(*shape)


X, Y = drawn(20, 4), drawn(20, 3, seed=1)


class Net:
    scale = np.ones(5)

    def __init__(self, slope=lambda a: 1 - a**2, dtype=float):
        self.W1, self.b1 = drawn(4, 5, seed=2).astype(dtype), np.zeros(5, dtype)
        self.W2, self.b2 = drawn(5, 3, seed=3).astype(dtype), np.zeros(3, dtype)
        self.slope, self.losses = slope, []

    def forward(self, X):
        self.A1 = np.tanh(X @ self.W1 + self.b1) * self.scale
        return self.A1 @ self.W2 + self.b2

    def backward(self, X, Y):
        error = self.forward(X) - Y
        self.losses.append(np.mean(error**2))
        delta = 2 * error / error.size
        self.dW2, self.db2 = self.A1.T @ delta, delta.sum(axis=0)
        back = delta @ self.W2.T * self.slope(self.A1)
        self.dW1, self.db1 = X.T @ back, back.sum(axis=0)

    def train(self, X, Y, rate=0.1):
        self.backward(X, Y)
        self.W2 -= rate * self.dW2
        self.b2 -= rate * self.db2
        self.W1 -= rate * self.dW1
        self.b1 -= rate * self.db1


def wrong_net():
    return Net(lambda a: 1 - a)


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
    assert report.line["file"] == __file__
    line = linecache.getline(__file__, report.line["number"]).strip()
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


def states():
    return random.getstate(), np.random.get_state()[1].tolist()


def trained(net, watched, times=3):
    if not watched:
        for _ in range(times):
            net.train(X.astype(net.W1.dtype), Y.astype(net.W1.dtype))
        return None
    with cp.watch() as seen:
        for _ in range(times):
            net.train(X.astype(net.W1.dtype), Y.astype(net.W1.dtype))
    return seen


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_same_bits_as_unwatched(dtype):
    one, two = Net(dtype=dtype), Net(dtype=dtype)
    assert trained(one, watched=True).report()
    trained(two, watched=False)
    assert_same(vars(one), vars(two))


def assert_same(one, two):
    assert type(one) is type(two)
    if isinstance(one, dict):
        assert list(one) == list(two)
        for name in one:
            assert_same(one[name], two[name])
    elif isinstance(one, list | tuple):
        assert len(one) == len(two)
        for first, second in zip(one, two, strict=True):
            assert_same(first, second)
    elif isinstance(one, np.ndarray | np.generic):
        assert one.dtype == two.dtype
        assert one.shape == two.shape
        assert one.tobytes() == two.tobytes()


STYLES = {
    name: text
    for name, text in vars(seen_styles).items()
    if name.isupper() and isinstance(text, str) and "import" in text
}


@pytest.mark.parametrize("name", STYLES)
def test_programs_compute_the_same_bits(name, tmp_path):
    file = tmp_path / f"{name.lower()}.py"
    file.write_text(STYLES[name])
    results = []
    for watched in (False, True):
        defines, runs = pieces(STYLES[name], str(file))
        names = {"__name__": "__main__"}
        np.random.seed(4)
        random.seed(4)
        exec(defines, names)  # noqa: S102 - our own programs
        functions = {key: names[key] for key in names if key != "__builtins__"}
        with cp.watch() if watched else nullcontext():
            exec(runs, names)  # noqa: S102
        assert all(names[key] is one for key, one in functions.items())
        found = {key: one for key, one in names.items() if not key.startswith("__")}
        results.append((numbers(found), states()))
    assert results[0][1] == results[1][1]
    assert_same(results[0][0], results[1][0])


WAYS = {**COMPUTED, **{one.__name__: one for one in WRITTEN}}


@pytest.mark.parametrize(
    ("program", "dtype"),
    [
        pytest.param(program, dtype, id=f"{name}-{dtype.__name__}")
        for name, program in WAYS.items()
        for dtype in (np.float64, np.float32)
        # In float32 it asks NumPy for what NumPy refuses.
        if (name, dtype) != ("written_by_functions", np.float32)
    ],
)
def test_every_way_to_compute_gives_the_same_bits(program, dtype):
    results = []
    for watched in (False, True):
        x, y = (1.1 + np.tanh(drawn(3, 4, seed=k)).astype(dtype) for k in (0, 1))
        np.random.seed(0)
        with cp.watch() if watched else nullcontext():
            found = program(np, x, y)
        results.append([found, x, y])
    assert_same(*results)


def pieces(text, file):
    body = ast.parse(text).body
    defining = [
        isinstance(one, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef)
        for one in body
    ]
    parts = [
        [one for one, is_one in zip(body, defining, strict=True) if is_one is first]
        for first in (True, False)
    ]
    return [compile(ast.Module(part, []), file, "exec") for part in parts]


def numbers(item, depth=0):
    """Turn everything into lists and dicts of numbers."""
    if isinstance(item, np.ndarray | np.generic | float | int | str) or depth > 6:
        return item
    if isinstance(item, dict):
        return (
            {
                key: numbers(one, depth + 1)
                for key, one in item.items()
                if key[:2] != "__"
                if not isinstance(one, type | FunctionType | ModuleType)
            }
            if all(isinstance(key, str) for key in item)
            else list(map(numbers, item.values()))
        )
    if isinstance(item, list | tuple):
        return [numbers(one, depth + 1) for one in item]
    return numbers(vars(item), depth + 1) if hasattr(item, "__dict__") else None


class Parameters(dict):
    def step(self):
        self["W"] = self["W"] - 1
        self.last = self["W"]


def test_a_dict_with_attributes_is_put_back():
    parameters = Parameters(W=drawn(3))
    parameters.first = parameters["W"]
    with cp.watch():
        parameters.step()
        assert type(parameters.first) is type(parameters.last) is Watched
    assert type(parameters.first) is type(parameters.last) is type(parameters["W"]) is np.ndarray
    assert np.array_equal(parameters.last, parameters.first - 1)


class Slotted:
    __slots__ = ("W",)

    def __init__(self, W):
        self.W = W

    def double(self):
        self.W = self.W * 2


GLOBAL = np.arange(3.0)


def test_everything_is_put_back_where_it_lay():
    W = drawn(3)
    net, slotted = Net(), Slotted(W)
    pair, plain_tuple = Pair(W, np.zeros(3)), (W, [W, {"W": W}])
    row = np.array([W, drawn(2)], dtype=object)
    line, nothing = deque([W]), drawn(0)
    local_exp, zeros, exp = math.exp, np.zeros, math.exp(1)

    def closed():
        nonlocal W
        W = W + 1
        return W

    net.loop = net
    held = [net, slotted, pair, plain_tuple, row, line, GLOBAL, nothing]
    kept = [W, pair[1], plain_tuple[1], row[1], net.W1, Net.scale]
    with cp.watch():
        assert {type(one) for one in (W, slotted.W, pair.W, row[0], line[0])} == {Watched}
        assert type(plain_tuple[1][1]["W"]) is type(GLOBAL) is type(Net.scale) is Watched
        assert pair.W is W
        assert type(np.zeros(2)) is Watched
        made, number = np.zeros(2), np.mean(W)
        net.inner = {"made": made, "exp": np.exp, "of": [W + 1]}
        closed()
        slotted.double()
        W *= 3
    assert W is not kept[0]
    assert type(W) is type(made) is type(slotted.W) is type(GLOBAL) is np.ndarray
    assert type(number) is np.float64
    assert np.array_equal(slotted.W, 2 * kept[0])
    assert np.array_equal(W, 3 * (kept[0] + 1))
    assert pair.W is plain_tuple[0] is plain_tuple[1][0] is line[0] is row[0] is kept[0]
    assert plain_tuple[1] is kept[2]
    assert row[1] is kept[3]
    assert net.W1 is kept[4]
    assert Net.scale is kept[5]
    assert net.inner["exp"] is np.exp
    assert type(net.inner["of"][0]) is np.ndarray
    assert made.flags.writeable
    assert held[2] is pair
    assert (math.exp, np.zeros) == (local_exp, zeros)
    assert sys.modules["numpy"] is np
    assert math.exp(1) == exp
    assert type(np) is type(math) is ModuleType
    assert not ACTIVE


def fail_after(step):
    step(X, Y)
    raise ZeroDivisionError


def test_an_error_in_the_block_is_the_users_own_and_all_is_put_back():
    net = Net()
    W1 = net.W1
    seen = cp.watch()
    with pytest.raises(ZeroDivisionError), seen:
        fail_after(net.train)
    assert net.W1 is W1
    assert type(net.losses[0]) is np.float64
    assert type(X) is np.ndarray
    assert not ACTIVE
    assert seen.report()


@pytest.mark.slow
def test_a_long_training_goes_on_when_the_tape_is_full():
    one, two = Net(), Net()
    report = trained(one, watched=True, times=1500).report()
    trained(two, watched=False, times=1500)
    assert report
    assert "the first 30,000 operations were looked at." in report.notes
    assert_same(vars(one), vars(two))


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


def test_scalars_of_numpy_have_powers_of_their_own():
    values = drawn(500)
    squares = [value**2 for value in values]
    with cp.watch():
        watched = [value**2 for value in values]
    assert squares == watched


def test_numbers_are_written_as_unwatched():
    values = drawn(9)

    def written():
        loss = np.mean(values)
        losses = {"loss": [loss, (loss, 1)]}
        return json.dumps(losses), statistics.mean([loss, 2.0]), pickle.dumps(losses), f"{loss:.3f}"

    unwatched = written()
    with cp.watch():
        watched = written()
    assert unwatched == watched
    assert type(json) is type(statistics) is ModuleType


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


def gradients(W, b, X, Y, factor=1):
    error = X @ W + b - Y
    cost = np.mean(error**2)
    dW = factor * 2 * X.T @ error / error.size
    db = 2 * error.sum(axis=0) / error.size
    return cost, {"dW": dW, "db": db}


def test_check_calls_a_function_with_its_arguments():
    W, b = drawn(4, 3), drawn(3)
    assert cp.check(gradients, W, b, X=X, Y=Y)
    report = cp.check(gradients, W, b, X, Y, factor=-1)
    assert [row.parameter for row in report.wrong] == ["W"]
    assert type(W) is type(X) is np.ndarray


class Callable:
    def __init__(self):
        self.W = drawn(4, 3)

    def __call__(self, X, Y):
        error = X @ self.W - Y
        self.dW = X.T @ error
        return np.sum(error**2) / 2

    @staticmethod
    def of_nothing(W, X, Y):
        cost, grads = gradients(W, 0, X, Y)
        dW = grads["dW"]
        return cost, dW


def test_check_of_what_can_be_called():
    assert cp.check(Callable(), X, Y)
    assert cp.check(functools.partial(Callable(), X), Y=Y)
    assert cp.check(Callable.of_nothing, drawn(4, 3), X, Y)
    assert cp.check(functools.wraps(gradients)(lambda *given: gradients(*given)), *some())


def some():
    return drawn(4, 3), drawn(3), X, Y


def test_check_leaves_everything_as_it_was():
    net = Net()
    before, drawing = copy.deepcopy(vars(net)), states()
    report = cp.check(net.train, X, Y, 0.5)
    assert report
    assert len(report.rows) == 4
    assert cp.check(net)
    assert_same(numbers(vars(net)), numbers(before))
    assert drawing == states()
    assert not {"float", "sum"} & set(globals())
    assert type(np) is type(math) is ModuleType


def test_check_puts_back_cells_slots_classes_and_globals():
    W, slotted = drawn(4, 3), Slotted(drawn(3))
    kept = W, slotted.W, Net.scale, GLOBAL

    def step():
        nonlocal W
        global GLOBAL, MADE
        W = W - 0.1 * 2 * X.T @ (X @ W - Y)
        slotted.double()
        Net.scale = Net.scale * 2
        GLOBAL, MADE = GLOBAL + 1, True
        Net.scale[0] = 7

    assert cp.check(step)
    assert all(one is two for one, two in zip(kept, (W, slotted.W, Net.scale, GLOBAL), strict=True))
    assert Net.scale[0] == 1
    assert "MADE" not in globals()


def test_check_of_an_object_and_of_a_class():
    assert cp.check(Net)
    assert cp.check(Net())
    assert cp.check(Net, lambda a: 1 - a**2)
    report = cp.check(wrong_net())
    assert {row.parameter for row in report.wrong} == {"W1", "b1"}
    assert any(note.startswith("called was Net(") for note in report.notes)
    assert cp.check(Net().train)


class Layer:
    def __init__(self, inputs, outputs):
        self.W, self.b = drawn(inputs, outputs, seed=outputs), np.zeros(outputs)
        self.vW = np.zeros((inputs, outputs))

    def forward(self, x):
        self.x, self.a = x, np.tanh(np.dot(x, self.W) + self.b)
        return self.a

    def backward(self, g, factor):
        g = g * (1 - self.a**2)
        self.dW, self.db = factor * self.x.T @ g, g.sum(axis=0)
        return g.dot(self.W.T)

    def update(self, rate):
        self.vW = 0.9 * self.vW - rate * self.dW
        self.W = self.W + self.vW
        self.b = self.b - rate * self.db


class Layers:
    def __init__(self):
        self.layers = [Layer(4, 5), Layer(5, 3)]

    def fit(self, X, Y, epochs=2, rate=0.1, factor=1):
        for _ in range(epochs):
            output = X
            for layer in self.layers:
                output = layer.forward(output)
            loss = ((output - Y) ** 2).mean()
            g = 2 * (output - Y) / output.size
            for layer in reversed(self.layers):
                g = layer.backward(g, factor)
            for layer in self.layers:
                layer.update(rate)
        return loss


@pytest.mark.slow
def test_check_of_layers_with_momentum_names_them_from_the_object():
    net = Layers()
    report = cp.check(net.fit, X, Y)
    assert report
    assert [row.parameter for row in report.rows if "W" in row.parameter] == [
        "layers[1].W",
        "layers[0].W",
    ]
    report = cp.check(net.fit, X, Y, factor=-1)
    assert [row.parameter for row in report.wrong] == ["layers[1].W", "layers[0].W"]
    assert "cp.check" not in str(report)
    report = cp.check(net)
    assert report
    assert len(report.rows) == 4


def test_check_of_a_function_that_needs_nothing():
    net = wrong_net()

    def step():
        net.train(X, Y)

    assert not cp.check(step)
    assert net.losses == []


def test_check_of_a_module(tmp_path, monkeypatch):
    (tmp_path / "my_functions.py").write_text(STYLES["COURSE"].split("\nX = ")[0])
    monkeypatch.syspath_prepend(tmp_path)
    import my_functions

    monkeypatch.delitem(sys.modules, "my_functions")
    assert cp.check(my_functions)
    assert my_functions.np is np


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (3, "3 is no code of yours.*Expected was a function"),
        (np.sum, "no code of yours"),
        (np, "no code of yours"),
        (X, "no code of yours"),
        ("net.py", "clearprop check FILE"),
        (cp.Dense(3), r"cp\.check_layer"),
        (cp.MeanSquaredError, r"cp\.check_loss"),
    ],
    ids=["number", "function", "module", "array", "name", "layer", "loss"],
)
def test_check_of_what_is_no_code_is_refused(what, said):
    with pytest.raises(UsageError, match=said):
        cp.check(what)


def test_check_says_that_nothing_was_seen():
    class Empty:
        def forward(self, X):
            return X

    with pytest.raises(UsageError, match=r"No gradient was seen in .*Empty.*cp\.check\(net\.train"):
        cp.check(Empty())
    with pytest.raises(UsageError, match=r"No gradient was seen in the .* of the call"):
        cp.check(Net().forward, X)
    with pytest.raises(UsageError, match=r"can't be called.*one of its methods"):
        cp.check(Net(), X)


def test_an_error_in_what_is_checked_is_its_own():
    net = Net()
    with pytest.raises(ValueError, match="matmul"):
        cp.check(net.train, drawn(2, 9), Y)
    assert not hasattr(net, "A1")
    assert type(net.W1) is np.ndarray
    assert not ACTIVE


def test_a_cost_that_does_not_move_makes_nothing_right():
    W = drawn(4, 3)
    report = cp.check_backward(
        lambda _: float(np.sum(W**2)), {"dW": np.zeros((4, 3))}, {"W": W.copy()}
    )
    assert not report
    assert report.rows[0].verdict == "unclear"
    assert any("does not change with any parameter" in note for note in report.notes)
