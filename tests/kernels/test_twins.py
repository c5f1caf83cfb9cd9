"""Every compiled loop gives the bits of its formula."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from clearprop.core import kernels
from clearprop.core.kernels import Kernel

pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")

SIZES = st.one_of(st.integers(0, 40), st.sampled_from([8191, 8192, 8193, 20_001]))
DTYPES = st.sampled_from([np.float32, np.float64])
SPECIAL = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e4, -1e4, 1e-39, -1e-39, 5e-324, 1e-308, 3e38]


@st.composite
def numbers(draw: st.DrawFn, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Draw ordinary numbers, with special ones among them."""
    random_state = np.random.RandomState(draw(st.integers(0, 2**32 - 1)))
    array = random_state.standard_normal(shape) * 10.0 ** random_state.randint(-6, 5, shape)
    if array.size:
        places = draw(st.lists(st.integers(0, array.size - 1), max_size=8))
        for place in places:
            array.reshape(-1)[place] = draw(st.sampled_from(SPECIAL))
    return array.astype(dtype)


def assert_same_bits(kernel: Kernel, arguments: list[Any], results: list[int]) -> None:
    by_formula, by_loop = ([np.copy(a) if np.ndim(a) else a for a in arguments] for _ in "ab")
    with np.errstate(all="ignore"):
        kernel.formula(*by_formula)
        kernel.twin(by_loop[0])(*by_loop)
    assert kernel.twin(by_loop[0]) is not kernel.formula
    for place in results:
        # As numbers: of -0 and 0 the larger is either, and NaNs differ in bits that mean nothing.
        np.testing.assert_array_equal(by_loop[place], by_formula[place])


RATES = st.floats(0, 1, allow_subnormal=False)
UPDATES: dict[str, tuple[Kernel, int, int]] = {  # with the number of means and of rates
    "descend": (kernels.descend, 0, 1),
    "push": (kernels.push, 1, 2),
    "look_ahead": (kernels.look_ahead, 1, 2),
    "scale": (kernels.scale, 1, 4),
    "adapt": (kernels.adapt, 2, 7),
}


@pytest.mark.parametrize("name", UPDATES)
@given(data=st.data(), size=SIZES, dtype=DTYPES, step=st.sampled_from([1, 16]))
def test_updates(name: str, data: st.DataObject, size: int, dtype: Any, step: int) -> None:
    kernel, means, rates = UPDATES[name]
    arrays = [data.draw(numbers((size,), dtype)) for _ in range(2 + means)]
    with np.errstate(all="ignore"):
        arrays[-1] = np.abs(arrays[-1]) if means else arrays[-1]  # a mean of squares
    chosen = [data.draw(RATES) for _ in range(rates)]
    floor = [kernels.flush_below(arrays[0], step)]
    scratch = np.empty(size, dtype)
    changed = [0, *range(2, 2 + means)]
    assert_same_bits(kernel, [*arrays, *chosen, *floor, scratch], changed)


@given(data=st.data(), size=SIZES, dtype=DTYPES)
def test_relu(data: st.DataObject, size: int, dtype: Any) -> None:
    x, dy = (data.draw(numbers((size,), dtype)) for _ in range(2))
    assert_same_bits(kernels.relu, [x, np.empty_like(x)], [1])
    alive = np.empty(size, np.bool_)
    assert_same_bits(kernels.relu_backward, [x, dy, np.empty_like(x), alive], [2])


@given(data=st.data(), rows=st.integers(0, 40), classes=st.integers(2, 20), dtype=DTYPES)
def test_softmax(data: st.DataObject, rows: int, classes: int, dtype: Any) -> None:
    logits = data.draw(numbers((rows, classes), dtype))
    shifted = np.empty_like(logits)
    assert_same_bits(kernels.softmax_shift, [logits, shifted], [1])
    with np.errstate(all="ignore"):
        kernels.softmax_shift.formula(logits, shifted)
        p = np.exp(shifted)
        total = p.sum(axis=1)
        losses = np.log(total)
    labels = np.array(data.draw(st.lists(st.integers(0, classes - 1), min_size=rows)))[:rows]
    labels = labels.astype(np.int64)
    assert_same_bits(kernels.softmax_pick, [p, shifted, total, labels, losses], [0, 4])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_zeros_of_either_sign_come_out_as_the_formula_writes_them(dtype: Any) -> None:
    x = np.array([0.0, -0.0] * 33, dtype)
    formula, loop = np.empty_like(x), np.empty_like(x)
    kernels.relu.formula(x, formula)
    kernels.relu.twin(x)(x, loop)
    np.testing.assert_array_equal(np.signbit(loop), np.signbit(formula))


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "strided": lambda array: array[::2],
    "reversed": lambda array: array[::-1],
    "columns first": lambda array: np.asfortranarray(array.reshape(-1, 2))[:, 0],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_other_layouts_and_dtypes_are_left_to_the_formula(
    layout: str, dtype: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clearprop.core.kernels.kernel._mode.compiles", True)
    x = LAYOUTS[layout](np.linspace(-1, 1, 20, dtype=dtype))
    y = np.empty_like(x)
    kernels.relu(x, y)
    np.testing.assert_array_equal(y, np.where(x > 0, x, 0))


@pytest.mark.parametrize("compiles", [False, True], ids=["formula", "loop"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_means_that_became_denormal_are_zero_after_sixteen_steps(
    compiles: bool, dtype: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clearprop.core.kernels.kernel._mode.compiles", compiles)
    tiny = np.finfo(dtype).tiny
    w, g, scratch = np.ones(3, dtype), np.zeros(3, dtype), np.empty(3, dtype)
    v = np.array([tiny / 2, -tiny / 2, 2 * tiny], dtype)
    for step in range(1, 17):
        assert v[0] != 0
        kernels.push(w, g, v, 0.1, 0.999, kernels.flush_below(w, step), scratch)
    np.testing.assert_array_equal(v != 0, [False, False, True])


@given(
    data=st.data(),
    rows=st.integers(0, 12),
    features=st.integers(1, 30),
    units=st.integers(1, 20),
    share=st.floats(0, 0.6),
    dtype=DTYPES,
)
def test_sparse_products(
    data: st.DataObject, rows: int, features: int, units: int, share: float, dtype: Any
) -> None:
    random_state = np.random.RandomState(data.draw(st.integers(0, 2**32 - 1)))
    X = csr_matrix(
        random_state.standard_normal((20, features)) * (random_state.rand(20, features) < share)
    )
    batch = random_state.permutation(20)[:rows]
    arrays = [X.data.astype(dtype), X.indices, X.indptr, batch]
    W, dy = (
        random_state.standard_normal(shape).astype(dtype)
        for shape in ((features, units), (rows, units))
    )
    y, dW = np.empty_like(dy), np.empty_like(W)
    assert_same_bits(kernels.sparse_multiply, [*arrays, W, y], [5])
    assert_same_bits(kernels.sparse_multiply_transposed, [*arrays, dy, dW], [5])
    kernels.sparse_multiply(*arrays, W, y)
    kernels.sparse_multiply_transposed(*arrays, dy, dW)
    dense = X.toarray()[batch].astype(dtype)
    np.testing.assert_allclose(y, dense @ W, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(dW, dense.T @ dy, rtol=1e-4, atol=1e-4)
