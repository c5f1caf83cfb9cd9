"""Costs as a learner writes them: the last activation, the sum over samples, its derivatives."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from clearprop.gradcheck.diagnosis.network.functions import Function
from clearprop.kernels import sigmoid
from clearprop.parameters import Array

_TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True)
class Cost:
    """A last activation A = g(Z) together with a sum over all samples of their losses.

    Parameters
    ----------
    name : str
    output : callable
        A of Z, shape (K, m).
    total : callable
        The sum of the losses, of A and Y.
    dA : callable
        Its derivative with respect to A, of A and Y.
    dZ : callable
        The same with respect to Z, of A and Y.
    written : str
        `dZ` as text, with ``{A}`` and ``{Y}``.
    usual : tuple of float
        By what the sum is usually multiplied, besides 1/m; the K outputs count as one.
    """

    name: str
    output: Function
    total: Callable[[Array, Array], float]
    dA: Callable[[Array, Array], Array]
    dZ: Callable[[Array, Array], Array]
    written: str
    usual: tuple[float, ...] = (1,)


def softmax(Z: Array) -> Array:
    """Return exp(Z) / sum exp(Z), the sum over the K rows."""
    shifted = np.exp(Z - Z.max(axis=0))
    return shifted / shifted.sum(axis=0)


def through_softmax(dA: Array, A: Array) -> Array:
    """Return dZ of a softmax: A (dA - sum_k A_k dA_k), the product with its full Jacobian."""
    return A * (dA - (A * dA).sum(axis=0))


def log(A: Array) -> Array:
    """Return the logarithm; that of 0 is finite, so that 0 log 0 is 0."""
    return np.log(np.maximum(A, _TINY))


def _binary(A: Array, Y: Array) -> float:
    return float(-(Y * log(A) + (1 - Y) * log(1 - A)).sum())


def _binary_dA(A: Array, Y: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):  # a saturated A explains nothing
        return -Y / A + (1 - Y) / (1 - A)


def _categorical_dA(A: Array, Y: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return -Y / A


def _squares(A: Array, Y: Array) -> float:
    return float(np.square(A - Y).sum())


def _squares_dA(A: Array, Y: Array) -> Array:
    return 2 * (A - Y)


_HALVES = (1, 0.5)  # both 1/m and 1/(2m) are in use for squares

COSTS = (
    Cost("sigmoid cross-entropy", sigmoid, _binary, _binary_dA, lambda A, Y: A - Y, "{A} - {Y}"),
    Cost(
        "softmax cross-entropy",
        softmax,
        lambda A, Y: float(-(Y * log(A)).sum()),
        _categorical_dA,
        lambda A, Y: A * Y.sum(axis=0) - Y,
        "{A} - {Y}",
    ),
    Cost(
        "squares after a sigmoid",
        sigmoid,
        _squares,
        _squares_dA,
        lambda A, Y: 2 * (A - Y) * A * (1 - A),
        "2 * ({A} - {Y}) * {A} * (1 - {A})",
        _HALVES,
    ),
    Cost(
        "squares",
        lambda Z: Z,
        _squares,
        _squares_dA,
        lambda A, Y: 2 * (A - Y),
        "2 * ({A} - {Y})",
        _HALVES,
    ),
    Cost(
        "squares after a softmax",
        softmax,
        _squares,
        _squares_dA,
        lambda A, Y: through_softmax(2 * (A - Y), A),
        "{A} * (d - np.sum({A} * d))",
        _HALVES,
    ),
    Cost(
        "squares after tanh",
        np.tanh,
        _squares,
        _squares_dA,
        lambda A, Y: 2 * (A - Y) * (1 - A**2),
        "2 * ({A} - {Y}) * (1 - {A}**2)",
        _HALVES,
    ),
)
"""What a learner's network may end in."""
