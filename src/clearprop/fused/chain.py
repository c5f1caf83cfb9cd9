"""What compiled steps work with: a chain of layers, and its samples, as arrays of numbers."""

from typing import NamedTuple

import numpy as np

from clearprop.parameters import Array

IDENTITY, RELU, LEAKY_RELU, SIGMOID, TANH = range(5)
BINARY_CROSS_ENTROPY, SOFTMAX_CROSS_ENTROPY, SQUARED_ERROR, HALF_SQUARED_ERROR = range(4)
DESCEND, PUSH, LOOK_AHEAD, SCALE, ADAPT = range(5)

INPUTS, UNITS, W, B, ACTIVATION, X, DZ, KEPT = range(8)
NONE = -1


class Chain(NamedTuple):
    """Affine layers one after the other, each with an activation, a loss, and an optimizer.

    Parameters
    ----------
    layers : ndarray of int64, shape (L, 8)
        For each layer its INPUTS and UNITS, where W and B begin in the parameter vector (B: NONE
        where there is none), the code of its ACTIVATION, and where X, its input, and DZ, the
        gradient of its output before that, begin in the memory; and the first column of what
        dropout above it KEPT (NONE where there is no dropout).
    slopes : ndarray, shape (L,)
        Of leaky ReLUs.
    scales : ndarray, shape (L,)
        What dropout above a layer multiplies by what stays.
    loss, kernel : int
        Codes.
    cap : float
        What a cross-entropy counts at most.
    scaled_at : int
        Where the factor of Z_0 stands in the parameter vector; NONE outside sample space.
    products_at : int
        Where K C begins in the memory, by which L2 measures weights in sample space; else NONE.
    first_squares : float
        In sample space |W_0|^2, the sum of squares of the first weights.
    alpha : float
        L2.
    """

    layers: Array
    slopes: Array
    scales: Array
    loss: int
    kernel: int
    cap: float
    scaled_at: int
    products_at: int
    first_squares: float
    alpha: float


class Samples(NamedTuple):
    """What is trained on; what a training does without has no numbers.

    Parameters
    ----------
    inputs : ndarray, shape (N * D,)
        X (N, D) in rows, in sample space the matrix K (N, N).
    Z_0 : ndarray, shape (N, M)
        In sample space what the first weights give.
    labels : ndarray of int64, shape (N,)
    targets : ndarray, shape (N, K)
        Labels or targets are there.
    weights : ndarray, shape (N,)
    """

    inputs: Array
    Z_0: Array
    labels: Array
    targets: Array
    weights: Array


class Vectors(NamedTuple):
    """What is changed, by T threads together.

    Parameters
    ----------
    params, gradient : ndarray, shape (P,)
    first, second : ndarray, shape (P,)
        What the optimizer keeps; without numbers where it keeps less.
    memory : ndarray, shape (Q,)
        Inputs of all layers for a batch, and gradients of their outputs.
    shares : ndarray of float64, shape (T, 8)
        What each thread adds to the loss, and to the sum of squared weights, and then nothing: a
        line of the cache for each.
    """

    params: Array
    gradient: Array
    first: Array
    second: Array
    memory: Array
    shares: Array


class Batches(NamedTuple):
    """Some updates that follow each other.

    Parameters
    ----------
    rows : ndarray of int64, shape (R,)
        The samples of all, one batch after the other; without any where they are all, in order.
    bounds : ndarray of int64, shape (S + 1,)
        Where each batch begins and ends, in `rows` and in the logits.
    kept : ndarray of bool, shape (R, Q)
        Which numbers dropout lets stay, of all layers with dropout above them side by side.
    coefficients : ndarray, shape (S, C)
        For each update what the optimizer's kernel takes, its floor last.
    factors : ndarray, shape (S,)
        What weights are multiplied by before each update.
    """

    rows: Array
    bounds: Array
    kept: Array
    coefficients: Array
    factors: Array


def nothing(dtype: np.dtype, dimensions: int = 1) -> Array:
    """Return an array without numbers."""
    return np.empty((0,) * dimensions, dtype)
