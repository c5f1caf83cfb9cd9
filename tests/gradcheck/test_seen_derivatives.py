"""The way back over a tape, held against central differences of the tape computed anew."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seen_differences import (
    MASK,
    V,
    W,
    X,
    Y,
    assert_operation_right,
    assert_right,
    numbers,
    recorded,
    signed,
    weights_of,
)

from clearprop.gradcheck.seeing.derivatives import derivatives
from clearprop.gradcheck.seeing.tape import Tape, filled

MEASURED = [  # no rule covers these
    (np.convolve, (V, signed(3)), {}),
    (np.correlate, (V, signed(3)), {"mode": "same"}),
    (np.hypot, (numbers(3, 1), numbers(4, seed=1)), {}),
    (np.arctan2, (V, V), {}),
    (np.tan, (signed(2, 3, seed=4) / 2,), {}),
    (np.sinc, (X,), {}),
    (np.sort, (X,), {"axis": 0}),
    (np.cumprod, (V,), {}),
    (np.diff, (X,), {}),
    (np.kron, (V, X), {}),
    (np.trace, (W,), {"offset": 1}),
    (np.median, (X,), {"axis": 1}),
    (np.linalg.inv, (W + 4 * np.eye(4),), {}),
    (np.linalg.norm, (X, np.inf), {"axis": 1}),
    (np.average, (X,), {"weights": numbers(3), "axis": 1}),
    (np.prod, (np.array([2.0, 0.0, 3.0]),), {}),
    (np.sum, (X,), {"where": MASK, "initial": 2.0}),
    (np.mean, ([numbers(), numbers(seed=1), 3.0],), {}),
    (np.clip, (X,), {"a_min": -1.0, "a_max": numbers()}),
    (np.einsum, (X, [0, 1], V[:3], [1], [0]), {}),
    (np.pad, (X, 2), {"mode": "mean"}),
    (np.pad, (np.full(4, 2.0), 1), {"mode": "mean"}),
    (np.pad, (V, 1), {"mode": "maximum"}),
    (np.where, (MASK.astype(float), X, Y), {}),
    (np.where, (MASK.astype(float), X, X.copy()), {}),
    (np.clip, (X,), {"a_min": -9.0, "a_max": X}),
    (np.linalg.norm, (X, 2), {}),
    (np.matmul, (X, W[:3]), {"axes": [(0, 1), (0, 1), (1, 0)]}),
]


@pytest.mark.parametrize("case", MEASURED, ids=lambda case: case[0].__name__)
def test_what_no_rule_covers_is_measured(case):
    compute, args, kwargs = case
    assert_operation_right(compute.__name__, compute, *args, **kwargs)


def test_a_ufunc_that_writes_where_it_is_told_is_measured():
    def add(a, b, where):
        return np.add(a, b, out=np.zeros(a.shape), where=where)

    assert_operation_right("add", add, X, Y, where=MASK)


def derivative(name, compute, *args, **kwargs):
    """Return what the sum over the result has with respect to each array."""
    tape, leaves, node = recorded(name, compute, *args, **kwargs)
    found, unknown = derivatives({node: np.ones(node.value.shape)}, tape.nodes)
    assert unknown == []
    return [found[leaf].tolist() for leaf in leaves if leaf.is_float]


AT_KINKS = [
    (np.maximum, (np.array([-1.0, 0, 1]), 0), {}, [[0, 0, 1]]),
    (np.maximum, (0.0, np.array([-1.0, 0, 1])), {}, [[0, 0, 1]]),
    (np.minimum, (np.array([-1.0, 0, 1]), 0.0), {}, [[1, 0, 0]]),
    (np.maximum, (np.array([1.0, 2]), np.array([1.0, 3])), {}, [[0.5, 0], [0.5, 1]]),
    (np.fmax, (np.array([np.nan, 1]), np.array([2.0, np.nan])), {}, [[0, 1], [1, 0]]),
    (np.absolute, (np.array([-2.0, 0, 2]),), {}, [[-1, 0, 1]]),
    (np.sign, (np.array([-2.0, 0, 2]),), {}, [[0, 0, 0]]),
    (np.floor, (np.array([0.0, 1]),), {}, [[0, 0]]),
    (np.clip, (np.array([0.0, 0.5, 1]), 0, 1), {}, [[0, 1, 0]]),
    (np.clip, (np.array([2.0]), np.array([5.0]), np.array([3.0])), {}, [[0], [0], [1]]),
    (np.max, (np.array([1.0, 3, 3]),), {}, [[0, 0.5, 0.5]]),
    (np.min, (np.array([[1.0, 3], [1, 2]]),), {"axis": 0}, [[[0.5, 0], [0.5, 1]]]),
    (np.heaviside, (np.array([0.0, 1]), np.array([0.5, 0.5])), {}, [[0, 0], [1, 0]]),
    (np.power, (np.array([0.0, 0, 0]), np.array([0.0, 1, 2])), {}, [[0, 1, 0], [0, 0, 0]]),
    (np.std, (np.array([2.0, 2]),), {}, [[0, 0]]),
    (np.linalg.norm, (np.zeros(2),), {}, [[0, 0]]),
    (np.nan_to_num, (np.array([np.nan, np.inf, 2]),), {}, [[0, 0, 1]]),
]


@pytest.mark.parametrize("case", AT_KINKS, ids=lambda case: case[0].__name__)
@pytest.mark.usefixtures("without_differences")
def test_at_a_kink_the_constant_side_counts_and_the_largest_share(case):
    compute, args, kwargs, expected = case
    assert derivative(compute.__name__, compute, *args, **kwargs) == expected


def test_no_slope_counts_where_nothing_comes_back():
    tape = Tape()
    x = tape.leaf(np.array([0.0, 2.0]), "given")
    with np.errstate(divide="ignore"):
        log = tape.record("log", np.log, (x,), {}, np.log(x.value))
    y = tape.record("where", np.where, (x.value > 0, log, 0.0), {}, [0, np.log(2)])
    found, _ = derivatives({y: np.ones(2)}, tape.nodes)
    assert found[x].tolist() == [0, 0.5]


def test_numbers_that_do_not_count_may_be_anything():
    mask = np.array([True, False])
    for other in (np.nan, np.inf, 1e300, 2):
        assert derivative("where", np.where, mask, np.array([0.3, 0.4]), other) == [[1, 0]]


def test_the_way_back_ends_at_integers_and_conditions():
    tape = Tape()
    x = tape.leaf(signed(4), "given")
    kept = tape.record("greater", np.greater, (x, 0), {}, x.value > 0)
    whole = tape.record("astype", np.ndarray.astype, (x, int), {}, x.value.astype(int))
    floats = tape.record("astype", np.ndarray.astype, (kept, float), {}, kept.value.astype(float))
    masked = tape.record("multiply", np.multiply, (x, floats), {}, x.value * floats.value)
    both = tape.record("add", np.add, (masked, whole), {}, masked.value + whole.value)
    found, unknown = derivatives({both: np.ones(4)}, tape.nodes)
    assert unknown == []
    assert set(found) == {x, floats, masked, both}
    assert found[x].tolist() == kept.value.tolist()


@pytest.mark.parametrize("name", ["copy", "exp", "sum", "getitem", "sinc", "cumprod"])
def test_single_precision_is_differentiated_as_well(name):
    computes = {"getitem": lambda x: x[1:], "sum": np.sum, "sinc": np.sinc}
    compute = computes.get(name) or getattr(np, name)
    assert_operation_right(name, compute, signed(2, 3).astype(np.float32))


def test_a_measured_operation_that_computes_in_single_precision_takes_a_wider_step():
    def half(x):
        return np.sin(x.astype(np.float32))

    (found,) = derivative("half", half, np.array([0.5, 1.0]))
    np.testing.assert_allclose(found, np.cos([0.5, 1.0]), rtol=1e-3)


def test_an_operation_on_each_entry_is_measured_at_any_size():
    x = np.linspace(-3, 3, 20_001)
    (found,) = derivative("sinc", np.sinc, x)
    slope = np.gradient(np.sinc(x), x)
    np.testing.assert_allclose(found[1:-1], slope[1:-1], atol=1e-6)


def with_three_others(x):
    """Add three other entries; in either half that one bit tells apart, they cancel."""
    place, flat = np.arange(x.size), x.ravel()
    return (flat[place ^ 1] + flat[place ^ 2] - flat[place ^ 3]).reshape(x.shape)


MIXING = [
    np.sort,
    np.cumprod,
    np.ediff1d,
    with_three_others,
    lambda x: x[::-1] ** 2,
    lambda x: x * x.flat[0],
    lambda x: x * x.flat[-1],
]


@pytest.mark.parametrize("mixing", MIXING)
@pytest.mark.parametrize("shape", [(8192,), (2, 4096)])
def test_what_is_too_dear_to_measure_is_unknown(mixing, shape):
    tape = Tape()
    x = tape.leaf(np.random.RandomState(0).standard_normal(shape), "given")
    mixed = tape.record("mixing", mixing, (x,), {}, mixing(x.value))
    double = tape.record("multiply", np.multiply, (x, 2.0), {}, x.value * 2)
    seeds = {mixed: np.ones(mixed.value.shape), double: np.ones(shape)}
    found, unknown = derivatives(seeds, tape.nodes)
    assert unknown == [mixed]
    assert (found[x] == 2).all()


def test_equal_steps_that_cancel_are_no_sign_of_independence():
    tape = Tape()
    x = tape.leaf(np.zeros(8192), "given")
    mixed = tape.record("mixing", with_three_others, (x,), {}, np.zeros(8192))
    assert derivatives({mixed: np.ones(8192)}, tape.nodes)[1] == [mixed]


def test_what_is_unknown_does_not_matter_where_nothing_comes_back():
    tape = Tape()
    x = tape.leaf(np.arange(5000.0)[::-1], "given")
    y = tape.record("sort", np.sort, (x,), {}, np.sort(x.value))
    found, unknown = derivatives({y: np.zeros(5000)}, tape.nodes)
    assert unknown == []
    assert not found[x].any()


@pytest.mark.parametrize("name", ["exp", "sum", "matmul", "where", "getitem", "mystery"])
@pytest.mark.parametrize("error", [ValueError, TypeError, IndexError, KeyError, ZeroDivisionError])
def test_nothing_is_raised(name, error):
    def compute(*_, **__):
        raise error

    tape = Tape()
    x = tape.leaf(np.ones(3), "given")
    odd = tape.record(name, compute, (x, "odd", None, x), {"odd": x}, np.ones(2))
    found, unknown = derivatives({odd: np.ones(2)}, tape.nodes)
    assert unknown == [odd]
    assert found[x].tolist() == [0, 0, 0]


def test_the_way_back_leads_through_no_other_nodes():
    tape = Tape()
    x = tape.leaf(signed(3), "given")
    y = tape.record("exp", np.exp, (x,), {}, np.exp(x.value))
    z = tape.record("multiply", np.multiply, (y, x), {}, y.value * x.value)
    late = tape.record("sin", np.sin, (z,), {}, np.sin(z.value))
    found, _ = derivatives({z: np.ones(3)}, [x, z, late])
    assert list(found) == [x, z, late]
    np.testing.assert_allclose(found[x], y.value)
    assert found[late].tolist() == [0, 0, 0]


def test_seeds_stay_as_they_are_and_add_to_what_comes_back():
    tape = Tape()
    x = tape.leaf(signed(3), "given")
    y = tape.record("copy", np.copy, (x,), {}, x.value)
    z = tape.record("copy", np.copy, (y,), {}, x.value)
    seeds = {x: np.ones(3), y: np.full(3, 10.0), z: np.full(3, 100.0)}
    found, _ = derivatives(seeds, tape.nodes)
    assert [found[node].tolist() for node in (x, y, z)] == [[111] * 3, [110] * 3, [100] * 3]
    assert [seed[0] for seed in seeds.values()] == [1, 10, 100]


def test_a_weight_may_be_an_integer_and_an_integer_has_no_slope():
    tape = Tape()
    x = tape.leaf(signed(3), "given")
    y = tape.record("copy", np.copy, (x,), {}, x.value)
    correct = tape.record("multiply", np.multiply, (x, 2), {}, np.array([1, 0, 1]))
    found, _ = derivatives({y: np.array([1, 2, 3]), correct: np.ones(3)}, tape.nodes)
    assert found[x].tolist() == [1, 2, 3]
    assert found[y].dtype == np.float64


@pytest.mark.usefixtures("without_differences")
def test_a_choice_by_numbers_stays_while_others_are_followed():
    tape = Tape()
    choice, x = tape.leaf(MASK.astype(float), "given"), tape.leaf(X, "given")
    y = tape.record("where", np.where, (choice, x, 0.5), {}, np.where(MASK, X, 0.5))
    found, unknown = derivatives({y: np.ones((2, 3))}, [x, y])
    assert unknown == []
    assert found[x].tolist() == MASK.tolist()


def test_any_ufunc_is_measured_at_any_size():
    a, b = numbers(5000, 1), numbers(2, seed=1)
    found = derivative("hypot", np.hypot, a, b)
    long = np.hypot(a, b)
    np.testing.assert_allclose(found[0], (a / long).sum(axis=1, keepdims=True), rtol=1e-6)
    np.testing.assert_allclose(found[1], (b / long).sum(axis=0), rtol=1e-6)


def test_errors_and_warnings_of_numpy_do_not_come_through():
    def warning(x):
        warnings.warn("careful", stacklevel=1)
        return x * 3

    tape = Tape()
    x = tape.leaf(np.array([0.0, 4.0]), "given")
    root = tape.record("sqrt", np.sqrt, (x,), {}, np.sqrt(x.value))
    triple = tape.record("warning", warning, (root,), {}, root.value * 3)
    with np.errstate(all="raise"):
        found, unknown = derivatives({triple: np.ones(2)}, tape.nodes)
    assert unknown == []
    np.testing.assert_allclose(found[x], [np.inf, 0.75])


def test_a_network_of_two_layers():
    tape = Tape()
    weights = [
        tape.leaf(signed(*shape, seed=k), "given")
        for k, shape in enumerate([(5, 4), (4,), (4, 3), (3,)])
    ]
    data, targets = signed(7, 5, seed=8), np.eye(3)[[0, 1, 2, 2, 1, 0, 0]]

    def put(name, compute, *args, **kwargs):
        value = compute(*filled(args, lambda node: node.value), **kwargs)
        return tape.record(name, compute, args, kwargs, value)

    scores = put("dot", np.dot, data, weights[0])
    hidden = put("maximum", np.maximum, 0, put("add", np.add, scores, weights[1]))
    logits = put("add", np.add, put("matmul", np.matmul, hidden, weights[2]), weights[3])
    largest = put("max", np.max, logits, axis=1, keepdims=True)
    exponentials = put("exp", np.exp, put("subtract", np.subtract, logits, largest))
    total = put("sum", np.sum, exponentials, 1)
    column = put("getitem", lambda x, i: x[i], total, (slice(None), None))
    outputs = put("divide", np.divide, exponentials, column)
    logs = put("log", np.log, put("clip", np.clip, outputs, 1e-12, 1.0))
    surprises = put("sum", np.sum, put("multiply", np.multiply, targets, logs), axis=-1)
    cost = put("negative", np.negative, put("mean", np.mean, surprises))
    square = put("square", np.square, weights[0])
    penalty = put("multiply", np.multiply, 0.1, put("sum", np.sum, square))
    whole = put("add", np.add, cost, penalty)

    assert_right(tape, weights, {whole: np.array(1.0)}, tolerance=1e-8)
    found, _ = derivatives({cost: np.array(1.0)}, tape.nodes)
    np.testing.assert_allclose(found[logits], (outputs.value - targets) / 7, atol=1e-12)


@st.composite
def programs(draw):
    """Put 3 to 8 operations on a tape, each on results of others."""
    tape = Tape()
    random_state = np.random.RandomState(draw(st.integers(0, 10**6)))
    rows, columns = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    shapes = [(rows, columns), (columns,), (rows, 1), ()]
    leaves = [tape.leaf(random_state.uniform(0.3, 1.5, shape), "given") for shape in shapes]

    def put(name, compute, *args, **kwargs):
        value = compute(*filled(args, lambda node: node.value), **kwargs)
        tape.record(name, compute, args, kwargs, value)

    for _ in range(draw(st.integers(3, 8))):
        a, b = (draw(st.sampled_from(tape.nodes)) for _ in range(2))
        kind = draw(st.sampled_from(["one", "two", "along", "shape", "product", "stack"]))
        axis = draw(st.integers(-a.value.ndim, a.value.ndim - 1)) if a.value.ndim else None
        if kind == "one":
            name = draw(st.sampled_from(["tanh", "sin", "negative", "arctan", "sinc", "cos"]))
            put(name, getattr(np, name), a)
        elif kind == "two":
            name = draw(st.sampled_from(["add", "subtract", "multiply", "logaddexp", "arctan2"]))
            try:
                np.broadcast_shapes(a.value.shape, b.value.shape)
            except ValueError:
                b = draw(st.sampled_from([a, 0.7]))
            put(name, getattr(np, name), a, b)
        elif kind == "along":
            name = draw(st.sampled_from(["sum", "mean", "var", "cumsum", "prod"]))
            named = {} if name == "cumsum" else {"keepdims": draw(st.booleans())}
            put(name, getattr(np, name), a, axis=axis, **named)
        elif kind == "shape":
            name = draw(st.sampled_from(["transpose", "ravel", "getitem", "flip", "repeat"]))
            if name == "getitem":
                put(name, lambda x, i: x[i], a, (..., None) if axis is None else 0)
            else:
                put(name, getattr(np, name), a, *([2] if name == "repeat" else []))
        elif kind == "product":
            outer = draw(st.booleans()) and a.value.ndim < 3 and b.value.ndim < 3
            put("tensordot", np.tensordot, a, b if outer else a, 0 if outer else a.value.ndim)
        elif kind == "stack":
            put("stack", np.stack, [a, a] if axis is None else [a, a, a], axis=0)
    return tape, leaves


@given(programs())
def test_programs_agree_with_differences(program):
    tape, leaves = program
    last = tape.nodes[-1]
    scale = 1 + np.abs(last.value).max()
    assert_right(tape, leaves, {last: weights_of(last) / scale, tape.nodes[-2]: np.ones(())})
