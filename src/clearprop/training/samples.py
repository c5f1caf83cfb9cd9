"""Samples, their targets and their weights, checked once before the loop."""

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clearprop.core.blas import blas_threads
from clearprop.core.parameters import Array
from clearprop.errors import DataError, ShapeError, UsageError
from clearprop.network import Network


@dataclass(frozen=True)
class Samples:
    """Samples that a network is trained on or measured by.

    Parameters
    ----------
    X : ndarray, shape (N, *input_shape), or rows that are prepared as they are asked for
    y : ndarray, shape (N,) or (N, K)
        Targets, as the loss takes them.
    weights : ndarray, shape (N,), or None
    """

    X: Any
    y: Array
    weights: Array | None = None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def counted(self) -> float:
        """The sum of the weights; where there are none, or all are 0, the number of samples."""
        return (0.0 if self.weights is None else float(self.weights.sum())) or float(len(self))

    def take(self, rows: Array) -> "Samples":
        """Return some of them."""
        return Samples(
            self.X[rows], self.y[rows], None if self.weights is None else self.weights[rows]
        )


def checked_samples(network: Network, X: Any, y: Any, weights: Any = None) -> Samples:
    """Bring samples into the form that the loop takes.

    Parameters
    ----------
    network : Network
    X : array-like, shape (N, *input_shape), or rows that are prepared as they are asked for
    y : array-like, shape (N,) or (N, K)
    weights : array-like, shape (N,), optional

    Returns
    -------
    Samples

    Raises
    ------
    ShapeError, DataError
        If they don't fit the network, the loss or each other, if there are none, or if X is not
        finite everywhere.
    """
    if isinstance(X, np.ndarray) or not hasattr(X, "dtype"):  # a data frame has a shape, too
        X = network.inputs(X)
        _check_finite(X)
    y = network.targets(y)
    if len(X) != len(y):
        raise ShapeError(f"X has {len(X)} samples and y has {len(y)}.")
    if len(y) == 0:
        raise DataError("There are no samples to train on.")
    return Samples(X, y, None if weights is None else network.sample_weights(weights, len(y)))


def checksum(samples: Samples) -> int:
    """Return a number that tells these samples from others: the CRC-32 of their bytes.

    Rows that are prepared as they are asked for are told by their targets and weights alone.
    """
    found = 0
    for array in (samples.X, samples.y, samples.weights):
        if isinstance(array, np.ndarray):
            found = zlib.crc32(np.ascontiguousarray(array).data.cast("B"), found)
    return found


def split(
    samples: Samples, share: float, random_state: np.random.RandomState
) -> tuple[Samples, Samples]:
    """Hold a random share of the samples out.

    Parameters
    ----------
    samples : Samples
    share : float
        Above 0 and below 1.
    random_state : numpy.random.RandomState
        It is advanced.

    Returns
    -------
    kept, held_out : Samples
        Each in the order that they had. Those held out count alike.

    Raises
    ------
    UsageError
        If one of the two would be empty.
    """
    held = round(share * len(samples)) if 0 < share < 1 else 0
    if not 0 < held < len(samples):
        raise UsageError(
            f"A validation share of {share} of {len(samples)} samples leaves nothing on one side. "
            "Choose a share between 0 and 1."
        )
    order = random_state.permutation(len(samples))
    kept, held_out = samples.take(np.sort(order[held:])), samples.take(np.sort(order[:held]))
    return kept, replace(held_out, weights=None)


def class_weighted(
    y: Array,
    sample_weight: Array | None,
    class_weight: str | Mapping[int, float] | None,
) -> Array | None:
    """Multiply class weights into sample weights.

    Parameters
    ----------
    y : ndarray, shape (N,) or (N, K)
        Targets, as the loss takes them.
    sample_weight : ndarray, shape (N,), or None
    class_weight : "balanced", mapping of class number to weight, or None
        Balanced: N / (classes count of the class), as scikit-learn defines it. A class that the
        mapping does not name has weight 1.

    Returns
    -------
    ndarray, shape (N,), or None
        None where every sample counts alike.

    Raises
    ------
    UsageError
        If there are no classes, or the mapping names one that does not occur.
    """
    if class_weight is None:
        return sample_weight
    classes, place = np.unique(_class_numbers(y), return_inverse=True)
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise UsageError(
                f"class_weight is 'balanced', a weight for each class, or None; found "
                f"{class_weight!r}."
            )
        each = len(y) / (len(classes) * np.bincount(place))
    else:
        if unknown := sorted(set(class_weight) - set(classes.tolist())):
            raise UsageError(
                f"class_weight names the class {unknown[0]}, which does not occur; there are "
                f"{classes.tolist()}."
            )
        each = np.array([class_weight.get(number, 1.0) for number in classes.tolist()])
        if not (np.isfinite(each).all() and (each >= 0).all()):
            raise UsageError(f"Class weights are finite and not negative, found {class_weight}.")
    weights = each[place]
    return weights if sample_weight is None else weights * sample_weight


def _check_finite(X: Array) -> None:
    rows = X.reshape(len(X), math.prod(X.shape[1:]))
    # A matrix product reads memory fastest. A thread woken for it would spin on, and be in the way.
    with blas_threads(1), np.errstate(over="ignore", invalid="ignore"):
        sums = rows @ np.ones(rows.shape[1], rows.dtype)
    if np.isfinite(sums).all():  # a NaN or infinity anywhere would show
        return
    finite = np.isfinite(rows)
    if not finite.all():
        row, column = np.argwhere(~finite)[0].tolist()
        raise DataError(
            f"X must be finite; sample {row} has {rows[row, column]} at feature {column}. Fill "
            "missing values before training."
        )


def _class_numbers(y: Array) -> Array:
    if y.ndim == 2 and y.shape[1] > 1 and np.array_equal(y.sum(axis=1), np.ones(len(y))):
        return y.argmax(axis=1)
    numbers = y.reshape(len(y), -1)[:, 0]
    if (y.ndim == 2 and y.shape[1] > 1) or not np.array_equal(numbers, np.floor(numbers)):
        raise UsageError("class_weight needs targets that are classes; weigh samples instead.")
    return numbers.astype(np.int64)
