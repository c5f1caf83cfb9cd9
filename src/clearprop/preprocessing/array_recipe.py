"""The recipe of arrays of numbers."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from clearprop.data import Raw, Table
from clearprop.data.arrays.layout import brought_to
from clearprop.data.selected_rows import Array, SelectedRows, blocks, require_finite
from clearprop.errors import DataError, ShapeError, UsageError
from clearprop.preprocessing.fields import moments, require_numbers, require_sizes
from clearprop.preprocessing.input_recipes import Recipe

MOST_MOMENTS = 10_000
"""Features above which one mean and one deviation serve all: a model file's text stays short."""


@dataclass(frozen=True)
class ArrayRecipe(Recipe):
    """Numbers standardised by the training data: z = (x - mean) / std.

    Parameters
    ----------
    shape : tuple of int
        The shape of one sample.
    mean, std : tuple of float
        A number for each feature, in C order; or one for all, where there are more than
        `MOST_MOMENTS` features.
    """

    shape: tuple[int, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        require_sizes(self.shape, "The shape of a sample")
        require_numbers(self.mean, "The mean")
        require_numbers(self.std, "The standard deviation", positive=True)
        if not len(self.mean) == len(self.std) or len(self.mean) not in (1, math.prod(self.shape)):
            raise UsageError(
                f"Found {len(self.mean)} means and {len(self.std)} standard deviations for samples "
                f"of shape {self.shape}; expected one of each a feature, or one for all."
            )

    @classmethod
    def fit(cls, raw: Raw) -> "ArrayRecipe":
        """Learn mean and standard deviation from training data, shape (N, ...)."""
        if isinstance(raw, Table):
            raise DataError("Found a table, expected an array of numbers.")
        shape = raw.shape[1:]
        with np.errstate(all="ignore"):  # of numbers that are not finite, which are named below
            mean, std = moments(raw, together=math.prod(shape) > MOST_MOMENTS)
        if not np.isfinite(mean).all():
            require_finite(raw, "X")
        return cls(shape, tuple(mean.ravel().tolist()), tuple(std.ravel().tolist()))

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of a sample."""
        return self.shape

    def transform(self, raw: Raw, dtype: DTypeLike) -> Array:
        """Return (x - mean) / std, computed in float64."""
        rows = self._checked(raw)
        mean, std = (self._spread(numbers) for numbers in (self.mean, self.std))
        out = np.empty(rows.shape, dtype=dtype)
        with np.errstate(over="ignore", invalid="ignore"):  # looked for below, and named
            for where, block in blocks(rows):
                out[where] = (block - mean) / std
                finite = np.isfinite(out[where])
                if not finite.all():
                    row, *rest = np.argwhere(~finite)[0].tolist()
                    raise _not_finite(block[(row, *rest)], (where.start + row, *rest))
        return out

    def bring(self, raw: Raw) -> tuple[Array | SelectedRows, tuple[str, ...]]:
        """Turn and fold samples to the shape of the training data's."""
        if isinstance(raw, Table) or raw.dtype.kind not in "biuf":
            found = "a table" if isinstance(raw, Table) else f"an array of {raw.dtype}"
            raise DataError(f"Found {found}, expected an array of numbers.")
        rows, notes = brought_to(raw, self.shape)
        if rows.shape[1:] != self.shape:
            raise ShapeError(
                f"The samples have shape {raw.shape[1:]}, expected {self.shape} as in training."
            )
        return rows, notes

    def _checked(self, raw: Raw) -> Array | SelectedRows:
        return self.bring(raw)[0]

    def _spread(self, numbers: tuple[float, ...]) -> Array:
        array = np.array(numbers)
        return array.reshape(self.shape) if len(numbers) > 1 else array


def _not_finite(value: float, position: tuple[int, ...]) -> DataError:
    place = ", ".join(map(str, position))
    return DataError(
        f"X[{place}] is {value}, expected a finite number within reach of the training data. "
        "Fill or remove samples with missing and infinite values."
    )
