"""Recipes of inputs: learned from training data, and applied to samples of the same kind.

That of pictures is here; those of arrays of numbers and of tables have a file each.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from clearprop.data.dataset import Raw
from clearprop.data.layout import brought_to, nearest_pixels
from clearprop.data.selected_rows import Array, SelectedRows, blocks
from clearprop.data.table import Table
from clearprop.errors import DataError, ShapeError, UsageError
from clearprop.preprocessing.fields import require_sizes

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

    def bring(self, raw: Raw) -> tuple[Raw, tuple[str, ...]]:
        """Bring samples to the form of the training data's, where only their layout differs.

        Returns
        -------
        raw : ndarray, SelectedRows or Table, N rows
            Samples that `check` has nothing to say against.
        notes : tuple of str
            A sentence on everything that was changed.

        Raises
        ------
        ShapeError, DataError
            For the reasons of `check`.
        """
        return self._checked(raw), ()

    @abstractmethod
    def _checked(self, raw: Raw) -> Any:
        """Return samples that `check` has nothing to say against."""


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

    def bring(self, raw: Raw) -> tuple[Array | SelectedRows, tuple[str, ...]]:
        """Turn, fold and spread numbers to pictures like the training data's."""
        if isinstance(raw, Table):
            raise DataError("Found a table, expected pictures (uint8, 0 to 255).")
        rows, notes = brought_to(raw, self.input_shape)
        if rows.shape[1:] != self.input_shape:
            raise ShapeError(
                f"The pictures have shape {raw.shape[1:]}, expected {self.input_shape}: "
                "(height, width, 3) for colour, (height, width) for grey."
            )
        if rows.dtype == np.uint8:
            return rows, notes
        pixels = nearest_pixels(rows)
        if pixels is None:
            raise DataError(
                f"Found numbers of type {rows.dtype}, expected pictures: bytes from 0 to 255, or "
                "floats from 0 to 1."
            )
        return pixels, (*notes, f"The pictures, {rows.dtype}, are read as bytes from 0 to 255.")

    def _checked(self, raw: Raw) -> Array | SelectedRows:
        return self.bring(raw)[0]
