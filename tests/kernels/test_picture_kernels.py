"""Pictures are warped as SciPy warps them, and compiled loops give the bits of the formulas."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import affine_transform

from clearprop.core import kernels

SIDES = st.integers(1, 40)
DTYPES = st.sampled_from([np.float32, np.float64])


def pictures(seed: int, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    return np.random.RandomState(seed).uniform(size=shape).astype(dtype)


def maps(seed: int, count: int, side: int, dtype: Any) -> np.ndarray:
    random_state = np.random.RandomState(seed)
    drawn = random_state.uniform(-1.3, 1.3, (count, 2, 3))
    drawn[:, :, 2] = random_state.uniform(-side / 2, side, (count, 2))
    return drawn.astype(dtype)


@pytest.mark.parametrize(("reflects", "mode"), [(True, "mirror"), (False, "nearest")])
@pytest.mark.parametrize("channels", [1, 3])
def test_warping_agrees_with_scipy(channels: int, reflects: bool, mode: str) -> None:
    x = pictures(1, (9, 17, 12, channels), np.float64)
    places = maps(2, 9, 12, np.float64)
    places[:, :, :2] *= 0.3  # within one reflection: one of that is none of ours
    places[:, :, 2] /= 2
    y = np.empty_like(x)
    kernels.warp.formula(x, places, reflects, y)
    for n in range(9):
        for channel in range(channels):
            expected = affine_transform(
                x[n, :, :, channel], places[n, :, :2], places[n, :, 2], order=1, mode=mode
            )
            np.testing.assert_allclose(y[n, :, :, channel], expected, rtol=0, atol=1e-12)


def test_whole_pixels_are_moved_without_a_change_of_bits() -> None:
    x = pictures(3, (1, 6, 7, 3), np.float32)
    y = np.empty_like(x)
    mirrored = np.array([[[1, 0, 0], [0, -1, 6]]], np.float32)
    kernels.warp.formula(x, mirrored, True, y)
    np.testing.assert_array_equal(y, x[:, :, ::-1])
    shifted = np.array([[[1, 0, 2], [0, 1, -3]]], np.float32)
    kernels.warp.formula(x, shifted, True, y)
    np.testing.assert_array_equal(y[:, :-2, 3:], x[:, 2:, :-3])


@pytest.mark.slow
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, 5),
    height=SIDES,
    width=SIDES,
    channels=st.sampled_from([1, 2, 3]),
    dtype=DTYPES,
    reflects=st.booleans(),
)
def test_loops_give_the_bits_of_the_formulas(
    seed: int, count: int, height: int, width: int, channels: int, dtype: Any, reflects: bool
) -> None:
    pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")
    x = pictures(seed, (count, height, width, channels), dtype)
    places = maps(seed, count, max(height, width), dtype)
    by_formula, by_loop = np.empty_like(x), np.empty_like(x)
    kernels.warp.formula(x, places, reflects, by_formula)
    kernels.warp.twin(x)(x, places, reflects, by_loop)
    assert kernels.warp.twin(x) is not kernels.warp.formula
    np.testing.assert_array_equal(by_loop, by_formula)
    assert by_formula.size == 0 or (by_formula.min() >= 0 and by_formula.max() <= 1)

    colours = np.random.RandomState(seed).uniform(0.5, 1.5, (count, 3)).astype(dtype)
    colours[:, 2] -= 1
    limits = np.array([0, 1], dtype)
    kernels.recolour.formula(by_formula, colours, limits)
    kernels.recolour.twin(by_loop)(by_loop, colours, limits)
    np.testing.assert_array_equal(by_loop, by_formula)
    assert by_formula.size == 0 or (by_formula.min() >= 0 and by_formula.max() <= 1)
