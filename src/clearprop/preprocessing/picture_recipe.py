"""The recipe of pictures."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from clearprop.data.dataset import Raw
from clearprop.data.picture_depth import Depth
from clearprop.data.selected_rows import Array, SelectedRows, blocks
from clearprop.data.table import Table
from clearprop.errors import DataError, ShapeError, UsageError
from clearprop.preprocessing.fields import require_sizes
from clearprop.preprocessing.input_recipes import Recipe
from clearprop.preprocessing.likeness import Likeness

_WHITE = 255


@dataclass(frozen=True)
class PictureRecipe(Recipe):
    """Pictures of one size, from 0..255 to 0..1.

    Parameters
    ----------
    size : (int, int)
        Height and width in pixels.
    channels : {3, 1}
        RGB or grey.
    depth : Depth or None
        The depth of training pictures of more than 8 bits a colour; None if there were none.
    likeness : Likeness or None
        The look of the training pictures; None where nobody has looked.
    """

    size: tuple[int, int]
    channels: int
    depth: Depth | None = None
    likeness: Likeness | None = None

    def __post_init__(self) -> None:
        require_sizes(self.size, "The size of pictures")
        if len(self.size) != 2 or self.channels not in (1, 3):
            raise UsageError(
                f"Pictures of size {self.size} with {self.channels} channels can't be; expected a "
                "height and a width, and 1 or 3 channels."
            )
        if not isinstance(self.depth, Depth | None) or not isinstance(
            self.likeness, Likeness | None
        ):
            raise UsageError("The depth and the look of pictures must be a Depth and a Likeness.")

    @classmethod
    def fit(cls, pictures: Array | SelectedRows, depth: Depth | None = None) -> "PictureRecipe":
        """Take size, channels and look of training pictures, shape (N, H, W, 3) or (N, H, W)."""
        height, width = pictures.shape[1:3]
        channels = 3 if pictures.ndim == 4 else 1
        return cls((height, width), channels, depth, Likeness.fit(pictures))

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
