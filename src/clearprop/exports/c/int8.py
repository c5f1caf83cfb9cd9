"""Weights as whole numbers of 8 bits, with a scale for each unit: a quarter of the memory.

Biases, scales and what runs through the network stay float32. That needs no sample to be fitted to,
errs far less than whole numbers throughout, and a microcontroller's memory is full of weights.
Source: Krishnamoorthi, "Quantizing Deep Convolutional Networks for Efficient Inference" (2018),
sections 2.1.2 and 3.1.1, for symmetric scales of each channel.
"""

import numpy as np
from numpy.typing import NDArray

from clearprop.core.trace import Array

_MOST = 127


def quantised(weights: Array) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return whole numbers q and scales s such that weights are about s q.

    Parameters
    ----------
    weights : ndarray, shape (M, ...)
        The weights of each unit or filter.

    Returns
    -------
    q : ndarray of int8, shape (M, ...)
        Numbers from -127 to 127.
    s : ndarray of float32, shape (M,)
        A hundred-and-twenty-seventh of each unit's largest weight.
    """
    units = weights.reshape(len(weights), -1).astype(np.float64)
    largest = np.abs(units).max(axis=1, initial=0.0)
    # Of no weights but zeros any scale is right; of the least of numbers the scale itself is zero.
    scales = np.where(largest > 0, largest / _MOST, 1.0).astype(np.float32)
    divided = units / np.where(scales > 0, scales, np.float32(1))[:, np.newaxis].astype(np.float64)
    q = np.clip(np.rint(divided), -_MOST, _MOST).astype(np.int8)
    return q.reshape(weights.shape), scales
