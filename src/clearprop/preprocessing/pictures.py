"""Pictures to a network's input."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from clearprop.data.dataset import Raw
from clearprop.data.rows import Array, SelectedRows, blocks
from clearprop.data.table import Table
from clearprop.errors import DataError, ShapeError, UsageError
from clearprop.preprocessing.validation import require_sizes

_WHITE = 255


@dataclass(frozen=True)
class PictureRecipe:
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
        """(H, W, 3), or (H, W) for grey."""
        return self.size if self.channels == 1 else (*self.size, 3)

    def check(self, raw: Raw) -> None:
        """Check that pictures have the size and the channels of the training data.

        Raises
        ------
        ShapeError
            If they have not.
        DataError
            If they are not bytes, or no pictures at all.
        """
        self._checked(raw)

    def transform(self, raw: Raw, dtype: DTypeLike) -> Array:
        """Return ``x / 255``, divided in `dtype`.

        Parameters
        ----------
        raw : ndarray of uint8, shape (N, *input_shape)
        dtype : dtype-like
            float32 or float64.

        Returns
        -------
        ndarray of `dtype`, shape (N, *input_shape)
            C-contiguous.

        Raises
        ------
        ShapeError, DataError
            As `check`.
        """
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
