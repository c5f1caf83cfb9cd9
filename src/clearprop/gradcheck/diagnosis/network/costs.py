"""Costs as a learner writes them: the last activation, the sum over samples, its derivatives."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from clearprop.gradcheck.diagnosis.network.functions import IDENTITY, SIGMOID, TANH, Activation
from clearprop.parameters import Array

_TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True)
class Cost:
    """A last activation A = g(Z) together with a sum over all samples of their losses.

    Parameters
    ----------
    name : str
    activation : Activation or None
        The last one; None for a softmax, which is not element-wise.
    total : callable
        The sum of the losses, of A and Y.
    dA : callable
        Its derivative with respect to A, of A and Y.
    dZ : callable
        The same with respect to Z, of A and Y.
    written_dA, written_dZ : str
        The same as text, with ``{A}``.
    usual : tuple of float
        By what the sum is usually multiplied, besides 1/m; the K outputs count as one.
    """

    name: str
    activation: Activation | None
    total: Callable[[Array, Array], float]
    dA: Callable[[Array, Array], Array]
    dZ: Callable[[Array, Array], Array]
    written_dA: str
    written_dZ: str
    usual: tuple[float, ...] = (1,)

    def output(self, Z: Array) -> Array:
        """Return A of Z, shape (K, m)."""
        return self.activation.g(Z) if self.activation else softmax(Z)


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

_CROSS_ENTROPY = "-Y / {A} + (1 - Y) / (1 - {A})"
_SQUARES = "2 * ({A} - Y)"

COSTS = (
    Cost(
        "sigmoid cross-entropy",
        SIGMOID,
        _binary,
        _binary_dA,
        lambda A, Y: A - Y,
        _CROSS_ENTROPY,
        "{A} - Y",
    ),
    Cost(
        "softmax cross-entropy",
        None,
        lambda A, Y: float(-(Y * log(A)).sum()),
        _categorical_dA,
        lambda A, Y: A * Y.sum(axis=0) - Y,
        "-Y / {A}",
        "{A} - Y",
    ),
    Cost(
        "squares after a sigmoid",
        SIGMOID,
        _squares,
        _squares_dA,
        lambda A, Y: 2 * (A - Y) * A * (1 - A),
        _SQUARES,
        "2 * ({A} - Y) * {A} * (1 - {A})",
        _HALVES,
    ),
    Cost(
        "squares",
        IDENTITY,
        _squares,
        _squares_dA,
        lambda A, Y: 2 * (A - Y),
        _SQUARES,
        "2 * ({A} - Y)",
        _HALVES,
    ),
    Cost(
        "squares after a softmax",
        None,
        _squares,
        _squares_dA,
        lambda A, Y: through_softmax(2 * (A - Y), A),
        _SQUARES,
        "2 * {A} * ({A} - Y - np.sum({A} * ({A} - Y)))",
        _HALVES,
    ),
    Cost(
        "squares after tanh",
        TANH,
        _squares,
        _squares_dA,
        lambda A, Y: 2 * (A - Y) * (1 - A**2),
        _SQUARES,
        "2 * ({A} - Y) * (1 - {A}**2)",
        _HALVES,
    ),
)
"""What a learner's network may end in."""
