"""Formulas of one array, element by element."""

import numpy as np

from clearprop.parameters import Array


def sigmoid(x: Array, out: Array | None = None) -> Array:
    """Return 1 / (1 + exp(-x)), to the last bits at both ends.

    Parameters
    ----------
    x : ndarray of float
    out : ndarray, optional
        Where to write; a new array otherwise.

    Returns
    -------
    ndarray
        Of the shape and dtype of `x`. Far below zero exp(-x) overflows to infinity, and its
        reciprocal is the right 0.
    """
    y = np.negative(x, out=out)
    with np.errstate(over="ignore"):
        np.exp(y, out=y)
    y += 1
    return np.reciprocal(y, out=y)
