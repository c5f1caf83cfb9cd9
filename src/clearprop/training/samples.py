"""Samples, checked once before the loop, and the batches of them that updates see."""

import math
import zlib
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearprop.core.blas import blas_threads
from clearprop.core.parameters import Array
from clearprop.errors import DataError, ShapeError, UsageError
from clearprop.network import Network

Rows = slice | Array
"""A batch: a slice of neighbours, which needs no copy, or the numbers of its rows."""


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

    def batches(
        self,
        batch_size: int | None,
        *,
        replacement: bool,
        random_state: np.random.RandomState,
        drop_last: bool = False,
    ) -> Generator[Rows]:
        """Choose the batches of one epoch; see `batches`."""
        return batches(
            len(self),
            batch_size,
            replacement=replacement,
            random_state=random_state,
            drop_last=drop_last,
        )

    def at_once(self, batch_size: int) -> int:
        """Return the number of batches that may be asked for before the first is learned from."""
        return len(self)

    def to_look_at(self) -> Any:
        """Return X, or whichever part of it tells what samples look like."""
        return self.X

    def take(self, rows: Rows) -> "Samples":
        """Return some of them."""
        return Samples(
            self.X[rows], self.y[rows], None if self.weights is None else self.weights[rows]
        )

    def checksum(self) -> int:
        """Return a number that tells these samples from others: the CRC-32 of their bytes.

        Rows that are prepared as they are asked for are told by their targets and weights alone.
        """
        found = 0
        for array in (self.X, self.y, self.weights):
            if isinstance(array, np.ndarray):
                found = zlib.crc32(np.ascontiguousarray(array).data.cast("B"), found)
        return found

    def split(
        self, share: float, random_state: np.random.RandomState
    ) -> tuple["Samples", "Samples"]:
        """Hold a random share of the samples out.

        Parameters
        ----------
        share : float
            The share, above 0 and below 1.
        random_state : numpy.random.RandomState
            The source of the draw, which is advanced.

        Returns
        -------
        kept, held_out : Samples
            Each in the order that they had. Those held out count alike.

        Raises
        ------
        UsageError
            If one of the two would be empty.
        """
        held = round(share * len(self)) if 0 < share < 1 else 0
        if not 0 < held < len(self):
            raise UsageError(
                f"A validation share of {share} of {len(self)} samples leaves nothing on one side. "
                "Choose a share between 0 and 1."
            )
        order = random_state.permutation(len(self))
        kept, held_out = self.take(np.sort(order[held:])), self.take(np.sort(order[:held]))
        return kept, replace(held_out, weights=None)

    def class_weighted(
        self, class_weight: str | Mapping[int, float] | None, dtype: np.dtype[Any]
    ) -> "Samples":
        """Multiply the weights of classes into those of the samples.

        Parameters
        ----------
        class_weight : "balanced", mapping of class number to weight, or None
            Balanced: N / (classes count of the class), as scikit-learn defines it. A class that the
            mapping does not name has weight 1.
        dtype : numpy.dtype
            The dtype of the weights.

        Raises
        ------
        UsageError
            If there are no classes, or the mapping names one that does not occur.
        """
        if class_weight is None:
            return self
        classes, place = np.unique(_class_numbers(self.y), return_inverse=True)
        each = weights_of_classes(class_weight, classes, np.bincount(place))
        weights = each[place] if self.weights is None else each[place] * self.weights
        return replace(self, weights=weights.astype(dtype, copy=False))


def weights_of_classes(
    class_weight: str | Mapping[int, float], classes: Array, counts: Array
) -> NDArray[np.float64]:
    """Return the weight of each class, shape (C,); see `Samples.class_weighted`.

    Parameters
    ----------
    class_weight : "balanced", or mapping of class number to weight
    classes, counts : ndarray of int64, shape (C,)
        The numbers of the classes, and of the samples of each.

    Raises
    ------
    UsageError
        If it is neither, or the mapping names a class that does not occur.
    """
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise UsageError(
                f"class_weight is 'balanced', a weight for each class, or None; found "
                f"{class_weight!r}."
            )
        return counts.sum() / (len(classes) * counts)
    if unknown := sorted(set(class_weight) - set(classes.tolist())):
        raise UsageError(
            f"class_weight names the class {unknown[0]}, which does not occur; there are "
            f"{classes.tolist()}."
        )
    each = np.array([class_weight.get(number, 1.0) for number in classes.tolist()])
    if not (np.isfinite(each).all() and (each >= 0).all()):
        raise UsageError(f"Class weights are finite and not negative, found {class_weight}.")
    return each


def checked_samples(network: Network, X: Any, y: Any, weights: Any = None) -> Samples:
    """Bring samples into the form that the loop takes.

    They are arrays, or rows that are prepared as they are asked for, as `Trainer.fit` takes them.

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


def steps_per_epoch(samples: int, batch_size: int | None, *, drop_last: bool = False) -> int:
    """Return the number of updates in an epoch.

    The last batch may be smaller, or is left out by `drop_last` where it is, if there is another.
    """
    if batch_size is None:
        return 1
    return max(samples // batch_size, 1) if drop_last else -(-samples // batch_size)


def batches(
    samples: int,
    batch_size: int | None,
    *,
    replacement: bool,
    random_state: np.random.RandomState,
    drop_last: bool = False,
) -> Generator[Rows]:
    """Choose the batches of one epoch.

    Parameters
    ----------
    samples : int
        The number of samples.
    batch_size : int or None
        The number that a batch has; None for all of them, in order.
    replacement : bool
        Whether each batch is drawn anew from all samples. Otherwise they are shuffled once an
        epoch, and each is seen once.
    random_state : numpy.random.RandomState
        The source of the order, which is advanced.
    drop_last : bool, default False
        Whether a last batch that is smaller than the others is left out.

    Yields
    ------
    slice or ndarray of int
        The rows of each batch.
    """
    if batch_size is None:
        yield slice(0, samples)
        return
    steps = steps_per_epoch(samples, batch_size, drop_last=drop_last)
    if replacement:
        # At once, so that nothing is drawn in between, however many steps are looked ahead.
        yield from random_state.choice(samples, (steps, batch_size))
    else:
        order = random_state.permutation(samples)
        for start in range(0, steps * batch_size, batch_size):
            yield order[start : start + batch_size]


def joined(batches: Sequence[Rows]) -> tuple[Rows, list[int]]:
    """Return the rows of batches that follow each other as one, and the size of each."""
    slices = [batch for batch in batches if isinstance(batch, slice)]
    if slices:
        return slice(slices[0].start, slices[-1].stop), [one.stop - one.start for one in slices]
    arrays = [batch for batch in batches if not isinstance(batch, slice)]
    return np.concatenate(arrays), list(map(len, arrays))


class Gatherer:
    """Copies the rows of batch after batch into the same memory.

    Parameters
    ----------
    rows : ndarray, shape (N, ...), or anything that gives rows by index
    """

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        self._memory: Array | None = None

    def __call__(self, batch: Rows) -> Array:
        """Return the rows of a batch; the next call overwrites them."""
        if isinstance(batch, slice) or not isinstance(self.rows, np.ndarray):
            return self.rows[batch]
        if self._memory is None or len(self._memory) < len(batch):
            self._memory = np.empty((len(batch), *self.rows.shape[1:]), self.rows.dtype)
        # Any mode but "raise" lets take write without a buffer in between; the rows do exist.
        return np.take(self.rows, batch, axis=0, out=self._memory[: len(batch)], mode="clip")


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
