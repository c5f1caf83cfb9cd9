"""Arithmetic is written so that it reads as it is computed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.core.expressions import Expression, Number, Style, constant, number_text, series
from clearprop.core.symbols import Symbol, absolute, exp, log, maximum, sqrt

NAMES = {"exp": np.exp, "log": np.log, "sqrt": np.sqrt, "abs": np.abs, "max": np.maximum}

leaves = st.floats(-3, 3).map(lambda value: Number(round(value, 2), f"v[{value}]"))
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a + b, inner, inner),
        st.builds(lambda a, b: a - b, inner, inner),
        st.builds(lambda a, b: a * b, inner, inner),
        st.builds(lambda a, b: a / b, inner, inner),
        st.builds(lambda a: -a, inner),
        st.builds(lambda a: a**2, inner),
        st.builds(lambda a: a**3, inner),
        st.builds(lambda a: 1 - a, inner),
        st.builds(lambda a: 2 / a, inner),
        st.builds(exp, inner),
        st.builds(lambda a: sqrt(absolute(a)), inner),
        st.builds(lambda a: log(absolute(a) + 1), inner),
        st.builds(maximum, inner, inner),
    ),
    max_leaves=8,
)


def read(text: str) -> float:
    """Compute what is written, as Python reads it."""
    with np.errstate(all="ignore"):
        return float(eval(text, {"__builtins__": {}}, NAMES))  # noqa: S307 - our own text


@given(expressions)
def test_python_reads_what_is_written_as_it_is_computed(expression: Expression) -> None:
    written = expression.write(Style(lambda leaf: f"np64({leaf.number!r})"))
    with np.errstate(all="ignore"):
        found = eval(  # noqa: S307 - our own text
            written, {"__builtins__": {}, "np64": np.float64}, NAMES
        )
    assert np.isclose(expression.value, found, rtol=1e-9, atol=1e-300, equal_nan=True)


@given(expressions)
def test_brackets_are_where_negative_numbers_need_them(expression: Expression) -> None:
    written = expression.write(Style(lambda leaf: repr(leaf.number)))
    try:
        found = read(written)
    except ZeroDivisionError:  # of Python's own floats
        return
    except OverflowError:
        return
    assert np.isclose(expression.value, found, rtol=1e-9, atol=1e-300, equal_nan=True)


A, B, C = map(Symbol, "ABC")


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ((A**2) ** 3, "(A**2)**3"),
        ((A * B) @ C, "(A * B) C"),
        (A @ (B * C), "A (B * C)"),
        ((A / B) @ C, "(A / B) C"),
        ((A @ B) * C, "A B * C"),
        (A @ B / C, "A B / C"),
        (A @ B @ C, "A B C"),
    ],
)
def test_a_product_of_matrices_holds_tighter_than_one_by_entries(
    formula: Expression, text: str
) -> None:
    assert formula.write(Style(lambda leaf: leaf.symbol, None, " * ")) == text


def test_a_short_sum_is_written_whole() -> None:
    values = np.array([0.5, -0.25, 2.0])
    found = series(lambda i: Number(values[i], f"x[{i}]") * Number(2.0, f"w[{i}]"), 2 * values)
    assert found.symbols() == "x[0]*w[0] + x[1]*w[1] + x[2]*w[2]"
    assert found.numbers() == "0.5*2 + (-0.25)*2 + 2*2"
    assert found.value == 4.5


def test_a_long_sum_says_what_the_terms_left_out_come_to() -> None:
    values = np.random.RandomState(0).standard_normal(12_288)
    found = series(lambda i: Number(values[i], f"x[{i}]"), values)
    first = " + ".join(f"x[{i}]" for i in range(4))
    assert found.symbols() == f"{first} + ... + x[12287]"
    rest = math.fsum(values[4:-1])
    assert f"[12,283\N{NO-BREAK SPACE}more:\N{NO-BREAK SPACE}{rest:.4g}]" in found.numbers()
    assert math.isclose(found.value, math.fsum(values), rel_tol=1e-12)


def test_a_sum_of_one_term_is_the_term() -> None:
    assert series(lambda _: constant(0.5), np.array([0.5])).numbers() == "0.5"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.18734, "0.1873"),
        (-0.0, "0"),
        (60_000.0, "60000"),
        (12_345.5, "1.235e+04"),
        (1e12, "1e+12"),
        (1.2e-5, "1.2e-05"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
    ],
)
def test_numbers_have_four_digits_and_whole_ones_all_of_theirs(value: float, text: str) -> None:
    assert number_text(value) == text


def test_division_by_zero_and_overflow_give_what_numpy_gives() -> None:
    assert math.isnan((constant(0.0) / constant(0.0)).value)
    assert (constant(1.0) / constant(0.0)).value == math.inf
    assert exp(constant(1000.0)).value == math.inf
    assert math.isnan((exp(constant(1000.0)) - exp(constant(1000.0))).value)
