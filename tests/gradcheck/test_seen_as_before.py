"""Code that is watched computes the same bits, and everything is back in its place."""

import ast
import json
import math
import pickle
import random
import statistics
import sys
from collections import deque, namedtuple
from contextlib import nullcontext
from types import ModuleType

import numpy as np
import pytest
from seen_programs import COMPUTED, WRITTEN
from watched_nets import STYLES, Net, Slotted, X, Y, assert_same, drawn, numbers, states

import clearprop as cp
from clearprop.gradcheck.seeing.arrays import Watched
from clearprop.gradcheck.seeing.recorder import ACTIVE

Pair = namedtuple("Pair", "W b")


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
