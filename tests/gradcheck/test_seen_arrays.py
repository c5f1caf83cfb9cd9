"""Watched arrays compute as NumPy's do, and their tape, computed anew, computes the same."""

import math
import pickle
import random
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seen_programs import COMPUTED, STATEMENTS, WRITTEN

from clearprop.gradcheck.seeing.arrays import Watched, holds_watched, node_of, recording, watch
from clearprop.gradcheck.seeing.arrays import plain as plainly
from clearprop.gradcheck.seeing.modules import (
    StandInMath,
    StandInNumpy,
    StandInRandom,
    stand_in_sum,
)
from clearprop.gradcheck.seeing.scalars import StandInFloat
from clearprop.gradcheck.seeing.tape import Replay, Tape, TapeFull

STAND_IN = StandInNumpy(lambda *_: np.ones(3))


def numbers(*shape, seed=0):
    return np.random.RandomState(seed).uniform(0.3, 1.9, shape)


@pytest.fixture
def tape():
    with recording(Tape()) as tape:
        yield tape


def assert_replayed(program, *starts, changed=None):
    """Run a program with NumPy, with watched arrays, and the tape with other numbers."""
    expected = program(np, *[start.copy() for start in starts])
    with recording(Tape()) as tape:
        watched = [watch(start) for start in starts]
        leaves = [node_of(one) for one in watched]
        found = program(STAND_IN, *watched)
        assert type(found) is Watched
        node = node_of(found)
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(plainly(found), expected, rtol=1e-12)
    np.testing.assert_array_equal(node.value, plainly(found))
    assert_every_value_again(tape)
    others = changed or [numbers(*start.shape, seed=5 + k) for k, start in enumerate(starts)]
    (again,) = Replay(tape, leaves, [node])(dict(zip(leaves, others, strict=True)))
    anew = program(np, *[other.copy() for other in others])
    assert not np.array_equal(anew, expected)
    np.testing.assert_allclose(again, anew, rtol=1e-12)


def assert_every_value_again(tape):
    leaves = [node for node in tape.nodes if node.compute is None]
    values = Replay(tape, leaves, tape.nodes)({leaf: leaf.value for leaf in leaves})
    for node, value in zip(tape.nodes, values, strict=True):
        np.testing.assert_allclose(value, node.value, rtol=1e-9, err_msg=repr(node))


@pytest.mark.parametrize("program", COMPUTED.values(), ids=COMPUTED)
def test_every_way_to_compute_is_on_the_tape(program):
    changed = None
    if program in (COMPUTED["scalar"], COMPUTED["vectorize"]):  # which branch is no computation
        changed = [1.01 * numbers(3, 4), 1.01 * numbers(3, 4, seed=1)]
        changed[0][numbers(3, 4) <= 1] = 0.5
    assert_replayed(program, numbers(3, 4), numbers(3, 4, seed=1), changed=changed)


def written(program):
    """Turn a program that writes into `x` into one that returns it."""

    def run(np, x, y):
        found = program(np, x, y)
        return x if found is None else found

    run.__name__ = program.__name__
    return run


@pytest.mark.parametrize("program", WRITTEN, ids=lambda one: one.__name__)
def test_what_is_written_is_on_the_tape(program):
    x, y = numbers(3, 4), numbers(3, 4, seed=1)
    changed = [1.1 * x, y + 0.01 * numbers(3, 4, seed=2)]  # masks stay
    changed[1][(y > 0.6) & (y < 0.7)] = 0.65
    assert_replayed(written(program), x, y, changed=changed)


MATH = {
    "exp": lambda math, a, b: math.exp(a) * math.log(b) + math.sqrt(a) / math.tanh(b),
    "pow": lambda math, a, b: math.pow(a, 2) + math.fabs(-b) * math.pi - math.floor(2.5),
    "plain": lambda math, a, b: math.exp(1.5) * a + math.factorial(3) * b,
}


@pytest.mark.parametrize("program", MATH.values(), ids=MATH)
def test_math_computes_on_the_tape(program):
    assert_replayed(
        lambda np, x, y: program(StandInMath() if np is STAND_IN else math, x[0], y[1]),
        numbers(2),
        numbers(2, seed=1),
    )


def test_what_random_draws_is_on_the_tape(tape):
    stand_in, own = StandInRandom(), StandInRandom().Random(3)
    own_random = random.Random(3)  # noqa: S311 - the module that is stood in for
    for generator, other in ((stand_in, random), (own, own_random)):
        state = random.getstate()
        drawn = [generator.random(), generator.uniform(1, 2), generator.gauss(0, 1)]
        random.setstate(state)
        assert drawn == [other.random(), other.uniform(1, 2), other.gauss(0, 1)]
        assert [node_of(one).name for one in drawn] == ["random"] * 3
    assert type(stand_in.randint(1, 6)) is int
    table = watch(np.arange(6.0).reshape(3, 2))
    stand_in.shuffle(table)
    assert sorted(plainly(table)[:, 0]) == [0, 2, 4]
    assert_every_value_again(tape)


@pytest.mark.usefixtures("tape")
def test_what_numpy_draws_is_on_the_tape():
    np.random.seed(1)
    STAND_IN.random.seed(1)
    found = [STAND_IN.random.randn(2, 3), STAND_IN.random.uniform(size=4), STAND_IN.random.rand()]
    np.random.seed(1)
    for one, other in zip(found, [np.random.randn(2, 3), np.random.uniform(size=4)], strict=False):
        np.testing.assert_array_equal(plainly(one), other)
    assert {node_of(one).name for one in found} == {"random"}
    generator = STAND_IN.random.default_rng(2)
    expected = np.random.default_rng(2).normal(size=3)
    drawn = generator.normal(size=3)
    np.testing.assert_array_equal(plainly(drawn), expected)
    rows = generator.permutation(STAND_IN.array([[1.0, 2.0], [3.0, 4.0]]))
    assert node_of(rows).name == "getitem"
    chosen = STAND_IN.random.choice(drawn, 2)
    assert node_of(drawn) in node_of(chosen).parents


@pytest.mark.usefixtures("tape")
def test_a_float_of_a_watched_number_stays_watched():
    number = watch(2.5)
    assert StandInFloat(number) is number
    row = watch(np.array([2.5]))
    assert node_of(StandInFloat(row)).parents == (node_of(row),)
    assert StandInFloat("1.5") == 1.5
    assert type(StandInFloat(3)) is float
    assert isinstance(number, StandInFloat)
    assert isinstance(1.5, StandInFloat)
    assert not isinstance(watch(np.ones(2)), StandInFloat)
    assert not isinstance(2, StandInFloat)


def test_numpy_of_before_version_2():
    with recording(Tape()):
        assert STAND_IN.float is float
        assert STAND_IN.product(STAND_IN.array([2.0, 3.0])) == 6
        assert STAND_IN.asfarray([1, 2]).dtype == np.float64
        assert STAND_IN.float64 == np.float64
        assert math.isinf(STAND_IN.Inf)
        assert isinstance(STAND_IN.zeros(2), STAND_IN.ndarray)
        assert isinstance(np.zeros(2), STAND_IN.ndarray)
        assert isinstance(STAND_IN.mat([1.0]), STAND_IN.matrix)
        with pytest.raises(AttributeError):
            STAND_IN.there_is_none_of_this_name  # noqa: B018 - which is looked up


def test_a_sum_is_on_the_tape():
    total = stand_in_sum
    assert_replayed(lambda np, x: (total if np is STAND_IN else sum)(x, 2.0), numbers(3, 2))


@pytest.mark.usefixtures("tape")
def test_empty_arrays_are_told_alike_from_run_to_run():
    assert not plainly(STAND_IN.empty((3, 2))).any()
    assert not plainly(STAND_IN.empty_like(STAND_IN.ones(3))).any()


@pytest.mark.usefixtures("tape")
def test_an_array_of_a_watched_one_is_a_copy_or_itself():
    x = watch(numbers(3))
    assert STAND_IN.asarray(x) is x
    copied = STAND_IN.array(x)
    copied += 1
    np.testing.assert_array_equal(plainly(x), numbers(3))
    assert node_of(x) in node_of(STAND_IN.asarray(x, dtype=np.float32)).parents


@pytest.mark.usefixtures("tape")
def test_arrays_from_elsewhere_are_given():
    raw, x = numbers(2, 2), watch(numbers(2, seed=1))
    first = node_of(raw @ x).parents
    assert node_of(raw * x).parents[0] is first[0]
    assert first[0].name == "given"
    raw += 1
    changed = node_of(raw * x).parents[0]
    assert changed is not first[0]
    np.testing.assert_array_equal(changed.value, raw)


@pytest.mark.usefixtures("tape")
def test_what_passes_by_the_protocols_is_unknown_and_goes_on():
    made = np.ndarray.__new__(Watched, (2,))
    made.view(np.ndarray)[...] = [1.0, 2.0]
    twice = made * 2
    (parent,) = node_of(twice).parents
    assert parent.name == "unknown"
    np.testing.assert_array_equal(parent.value, [1, 2])


@pytest.mark.usefixtures("tape")
def test_values_on_the_tape_are_copies():
    x = watch(numbers(3))
    before = node_of(x)
    x *= 2
    np.testing.assert_array_equal(before.value, numbers(3))
    np.testing.assert_array_equal(node_of(x).value, 2 * numbers(3))
    assert node_of(x).before is before


def test_lines_are_those_of_the_files_that_are_watched():
    text = "def f(x):\n    return (x + 1) * x\n\ny = f(x)\nz = y - x\n"
    with recording(Tape(["watched.py"])) as tape:
        namespace = {"x": watch(numbers(2))}
        exec(compile(text, "watched.py", "exec"), namespace)  # noqa: S102 - the text above
        y, z = node_of(namespace["y"]), node_of(namespace["z"])
    assert [(line.number, line.function) for line in y.lines] == [(2, "f"), (4, "<module>")]
    assert y.line.columns == (len("    return "), len("    return (x + 1) * x"))
    assert [line.number for line in z.lines] == [5]
    assert [node.line and node.line.number for node in tape.nodes] == [None, 2, 2, 5]


def test_no_except_clause_swallows_a_full_tape():
    def computing(x):
        for _ in range(5):
            with suppress(Exception):
                x = x + 1

    with recording(Tape(most_nodes=3)):
        x = watch(np.ones(2))
        with pytest.raises(TapeFull):
            computing(x)
    with recording(Tape(most_bytes=100)), pytest.raises(TapeFull):
        watch(np.ones(20))


def test_nothing_is_recorded_outside():
    with recording(Tape()) as tape:
        x = watch(numbers(3, 4))
        row = x[1]
    count = len(tape)
    y = np.exp(x) @ x.T
    row *= 2
    x[0] = 1
    x += 1
    np.add.at(x, 2, 1.0)
    np.copyto(x[1], 0.5)
    np.testing.assert_allclose(plainly(y), np.exp(numbers(3, 4)) @ numbers(3, 4).T)
    np.testing.assert_array_equal(plainly(row), np.full(4, 0.5))
    np.testing.assert_array_equal(plainly(x)[2], numbers(3, 4)[2] + 2)
    assert len(tape) == count
    assert type(watch(np.ones(2))) is np.ndarray
    assert watch(1.5) == 1.5


@pytest.mark.usefixtures("tape")
def test_only_numbers_are_watched():
    assert watch("text") == "text"
    assert watch(3) == 3
    assert watch(True) is True
    assert type(watch(np.array(["a"]))) is np.ndarray
    assert type(watch(np.array([1, 2.5], dtype=object))) is Watched
    assert holds_watched([1, (2, [watch(1.0)])])
    assert not holds_watched([1, (2, [1.0])])


@pytest.mark.usefixtures("tape")
def test_a_watched_array_behaves_as_one():
    x, number = watch(numbers(2, 2)), watch(0.5)
    assert f"{number:.2f} {number}" == "0.50 0.5"
    assert {number: 1}[0.5] == 1
    assert float(x[0, 0]) == numbers(2, 2)[0, 0]
    assert int(watch(2.7)) == 2
    assert [1, 2, 3][int(x.argmax()) % 3] in (1, 2, 3)
    assert numbers(2, 2)[1, 1] in x
    assert str(x) == str(numbers(2, 2))
    assert type(pickle.loads(pickle.dumps(x))) is np.ndarray  # noqa: S301 - made in this line
    assert x.shape == (2, 2)
    assert len(x) == 2
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)
    with pytest.raises(TypeError, match="0-d"):
        iter(number)


places = st.integers(0, 2)


def carried_out(np, program, starts):
    registers = list(starts)
    for k, *which in program:
        STATEMENTS[k](np, registers, *which)
    return registers


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(STATEMENTS) - 1), places, places, places),
        min_size=1,
        max_size=12,
    ),
    st.integers(0, 10**6),
)
def test_any_program_has_equal_values_and_a_tape_that_gives_them_again(program, seed):
    starts = [numbers(3, 3, seed=seed + k) for k in range(3)]
    others = [numbers(3, 3, seed=seed + k + 9) for k in range(3)]
    expected = carried_out(np, program, [one.copy() for one in starts])
    anew = carried_out(np, program, [one.copy() for one in others])
    with recording(Tape()) as tape:
        watched = [watch(one) for one in starts]
        leaves = [node_of(one) for one in watched]
        found = carried_out(STAND_IN, program, watched)
        nodes = [node_of(one) for one in found]
    for one, node, value in zip(found, nodes, expected, strict=True):
        np.testing.assert_allclose(plainly(one), value, rtol=1e-12)
        np.testing.assert_array_equal(node.value, plainly(one))
    assert_every_value_again(tape)
    again = Replay(tape, leaves, nodes)(dict(zip(leaves, others, strict=True)))
    for one, value in zip(again, anew, strict=True):
        np.testing.assert_allclose(one, value, rtol=1e-9, atol=1e-12)


@pytest.mark.usefixtures("tape")
@pytest.mark.parametrize("name", ["float16", "float32", "float64", "single", "double"])
def test_kinds_of_floats_make_watched_numbers_and_are_kinds(name):
    kind, real = getattr(STAND_IN, name), getattr(np, name)
    number = kind(2)
    assert type(number) is Watched
    assert number.dtype == real == np.dtype(kind) == np.zeros(2, dtype=kind).dtype
    assert isinstance(number, kind)
    assert isinstance(real(1), kind)
    assert not isinstance(np.int64(1), kind)
    assert np.issubdtype(real, kind)
    assert kind == real
    assert {real: 1}[kind]
    assert node_of(kind(number * 3)).parents
    assert kind([1.5, 2.5]).tolist() == [1.5, 2.5]
    assert kind("0.5") == 0.5


@pytest.mark.usefixtures("tape")
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize(
    "function",
    [np.sum, lambda row: row / np.sum(row), lambda row: np.outer(row, row)],
    ids=["a number", "a row", "a table"],
)
def test_a_function_is_applied_along_an_axis(axis, function):
    plain = numbers(2, 3, 4)
    x = watch(plain, "x")
    found = STAND_IN.apply_along_axis(function, axis, x)
    np.testing.assert_array_equal(plainly(found), np.apply_along_axis(function, axis, plain))
    assert type(found) is Watched


@pytest.mark.usefixtures("tape")
@pytest.mark.parametrize("otherwise", [(), (7.0,), (np.exp,)])
def test_pieces_are_computed_where_their_conditions_hold(otherwise):
    plain = np.random.RandomState(3).uniform(-1, 1, (3, 4))
    x = watch(plain, "x")
    pieces = [lambda x: np.log(-x), 2.0, *otherwise]
    found = STAND_IN.piecewise(x, [x < 0, (x > 0) & (x < 0.5)], pieces)
    expected = np.piecewise(plain, [plain < 0, (plain > 0) & (plain < 0.5)], pieces)
    np.testing.assert_array_equal(plainly(found), expected)
