"""Recipes of inputs: learned from training data, and applied to samples of the same kind.

There is one for arrays of numbers, and one for pictures; that for tables has a file of its own.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from clearprop.data.dataset import Raw
from clearprop.data.selected_rows import Array, SelectedRows, blocks, require_finite
from clearprop.data.table import Table
from clearprop.errors import DataError, ShapeError, UsageError
from clearprop.preprocessing.fields import moments, require_numbers, require_sizes

MOST_MOMENTS = 10_000
"""Features above which one mean and one deviation serve all: a model file's text stays short."""

_WHITE = 255


class Recipe(ABC):
    """Base of the recipes of inputs."""

    @property
    @abstractmethod
    def input_shape(self) -> tuple[int, ...]:
        """The shape of a prepared sample."""

    def check(self, raw: Raw) -> None:
        """Check that samples are like those of the training data.

        Raises
        ------
        ShapeError
            If their shape differs.
        DataError
            If they are of another kind, or a table has other columns; their order is free.
        """
        self._checked(raw)

    @abstractmethod
    def transform(self, raw: Raw, dtype: DTypeLike) -> Array:
        """Prepare samples.

        Parameters
        ----------
        raw : ndarray, SelectedRows or Table, N rows
        dtype : dtype-like
            float32 or float64.

        Returns
        -------
        ndarray of `dtype`, shape (N, *input_shape)
            A C-contiguous array.

        Raises
        ------
        ShapeError, DataError
            For the reasons of `check`, or if a number is missing, infinite, or too far from the
            training data for `dtype`; its place is named.
        """

    @abstractmethod
    def _checked(self, raw: Raw) -> Any:
        """Return samples that `check` has nothing to say against."""


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
        require_finite(raw, "X")
        shape = raw.shape[1:]
        mean, std = moments(raw, together=math.prod(shape) > MOST_MOMENTS)
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

    def _checked(self, raw: Raw) -> Array | SelectedRows:
        if isinstance(raw, Table) or raw.dtype.kind not in "biuf":
            found = "a table" if isinstance(raw, Table) else f"an array of {raw.dtype}"
            raise DataError(f"Found {found}, expected an array of numbers.")
        if raw.shape[1:] != self.shape:
            raise ShapeError(
                f"The samples have shape {raw.shape[1:]}, expected {self.shape} as in training."
            )
        return raw

    def _spread(self, numbers: tuple[float, ...]) -> Array:
        array = np.array(numbers)
        return array.reshape(self.shape) if len(numbers) > 1 else array


def _not_finite(value: float, position: tuple[int, ...]) -> DataError:
    place = ", ".join(map(str, position))
    return DataError(
        f"X[{place}] is {value}, expected a finite number within reach of the training data. "
        "Fill or remove samples with missing and infinite values."
    )


@dataclass(frozen=True)
class PictureRecipe(Recipe):
    """Pictures of one size, from 0..255 to 0..1.

    Parameters
    ----------
    size : (int, int)
        Height and width in pixels.
    channels : {3, 1}
        RGB or grey.
    """

    size: tuple[int, int]
    channels: int

    def __post_init__(self) -> None:
        require_sizes(self.size, "The size of pictures")
        if len(self.size) != 2 or self.channels not in (1, 3):
            raise UsageError(
                f"Pictures of size {self.size} with {self.channels} channels can't be; expected a "
                "height and a width, and 1 or 3 channels."
            )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape (H, W, 3), or (H, W) for grey."""
        return self.size if self.channels == 1 else (*self.size, 3)

    def transform(self, raw: Raw, dtype: DTypeLike) -> Array:
        """Return x / 255, divided in `dtype`."""
        rows = self._checked(raw)
        out = np.empty(rows.shape, dtype=dtype)
        for where, block in blocks(rows):
            np.divide(block, out.dtype.type(_WHITE), out=out[where], dtype=out.dtype)
        return out

    def _checked(self, raw: Raw) -> Array | SelectedRows:
        if isinstance(raw, Table) or raw.dtype != np.uint8:
            found = "a table" if isinstance(raw, Table) else f"numbers of type {raw.dtype}"
            raise DataError(f"Found {found}, expected pictures (uint8, 0 to 255).")
        if raw.shape[1:] != self.input_shape:
            raise ShapeError(
                f"The pictures have shape {raw.shape[1:]}, expected {self.input_shape}: "
                "(height, width, 3) for colour, (height, width) for grey."
            )
        return raw
