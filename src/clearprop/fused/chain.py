"""What compiled steps work with: a chain of layers, and its samples, as arrays of numbers."""

from typing import NamedTuple

import numpy as np

from clearprop.parameters import Array

IDENTITY, RELU, LEAKY_RELU, SIGMOID, TANH = range(5)
BINARY_CROSS_ENTROPY, SOFTMAX_CROSS_ENTROPY, MEAN_SQUARED_ERROR = range(3)
DESCEND, PUSH, LOOK_AHEAD, SCALE, ADAPT = range(5)

INPUTS, UNITS, W, B, ACTIVATION, Y, DY = range(7)
NONE = -1


class Chain(NamedTuple):
    """Affine layers one after the other, each with an activation, a loss, and an optimizer.

    Parameters
    ----------
    layers : ndarray of int64, shape (L, 7)
        For each layer its INPUTS and UNITS, where W and B begin in the parameter vector (B: NONE
        where there is none), the code of its ACTIVATION, and where Y, its output after that, and
        DY begin in the memory.
    slopes : ndarray, shape (L,)
        Of leaky ReLUs.
    loss, kernel : int
        Codes.
    scaled_at : int
        Where the factor of Z_0 stands in the parameter vector; NONE outside sample space.
    decayed : ndarray of int64, shape (A, 2)
        Where each of the weights that are pulled to zero begins and ends.
    alpha : float
        L2.
    """

    layers: Array
    slopes: Array
    loss: int
    kernel: int
    scaled_at: int
    decayed: Array
    alpha: float


class Vectors(NamedTuple):
    """What is changed.

    Parameters
    ----------
    params, gradient : ndarray, shape (P,)
    first, second : ndarray, shape (P,)
        What the optimizer keeps; without numbers where it keeps less.
    memory : ndarray, shape (Q,)
        What layers leave behind.
    """

    params: Array
    gradient: Array
    first: Array
    second: Array
    memory: Array


class Batches(NamedTuple):
    """The samples of some updates that follow each other, one batch after the other.

    What a training does without has no numbers.

    Parameters
    ----------
    bounds : ndarray of int64, shape (S + 1,)
        Where each batch begins and ends in what follows, R samples in all.
    X : ndarray, shape (R, D)
        In sample space rows of the matrix K (N, N).
    Z_0 : ndarray, shape (R, M)
        In sample space what the first weights give.
    rows : ndarray of int64, shape (R,)
        In sample space which of the N samples they are; without any where they are all, in order.
    labels : ndarray of int64, shape (R,)
    targets : ndarray, shape (R, K)
        Labels or targets are there.
    weights : ndarray, shape (R,)
    coefficients : ndarray, shape (S, C)
        For each update what the optimizer's kernel takes, its floor last.
    factors : ndarray, shape (S,)
        What weights are multiplied by before each update.
    """

    bounds: Array
    X: Array
    Z_0: Array
    rows: Array
    labels: Array
    targets: Array
    weights: Array
    coefficients: Array
    factors: Array


def nothing(dtype: np.dtype, dimensions: int = 1) -> Array:
    """Return an array without numbers."""
    return np.empty((0,) * dimensions, dtype)
