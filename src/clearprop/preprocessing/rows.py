"""Prepared samples, whole or as they are asked for."""

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from clearprop.data.dataset import Raw
from clearprop.data.rows import Array
from clearprop.preprocessing.recipe import InputRecipe

WHOLE_LIMIT = 2**30
"""Bytes below which samples are prepared once, as a whole."""


class PreparedRows:
    """Samples that a recipe prepares when they are indexed, so that no whole copy is needed.

    Parameters
    ----------
    raw : ndarray, SelectedRows or Table, N rows
    recipe : PictureRecipe, ArrayRecipe or TableRecipe
    dtype : dtype-like
        float32 or float64.

    Raises
    ------
    ShapeError, DataError
        If `raw` does not fit the recipe.
    """

    def __init__(self, raw: Raw, recipe: InputRecipe, dtype: DTypeLike) -> None:
        recipe.check(raw)
        self.raw = raw
        self.recipe = recipe
        self.dtype: np.dtype[Any] = np.dtype(dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, *input_shape)."""
        return (len(self.raw), *self.recipe.input_shape)

    def __len__(self) -> int:
        return len(self.raw)

    def __getitem__(self, rows: slice | NDArray[Any]) -> Array:
        return self.recipe.transform(self.raw[rows], self.dtype)


def prepare(raw: Raw, recipe: InputRecipe, dtype: DTypeLike) -> Array | PreparedRows:
    """Prepare samples: as an array while that takes less than `WHOLE_LIMIT`, else when indexed.

    Parameters
    ----------
    raw : ndarray, SelectedRows or Table, N rows
    recipe : PictureRecipe, ArrayRecipe or TableRecipe
    dtype : dtype-like
        float32 or float64.

    Returns
    -------
    ndarray or PreparedRows, shape (N, *input_shape)

    Raises
    ------
    ShapeError, DataError
        If `raw` does not fit the recipe.
    """
    rows = PreparedRows(raw, recipe, dtype)
    if math.prod(rows.shape) * rows.dtype.itemsize < WHOLE_LIMIT:
        return recipe.transform(raw, rows.dtype)
    return rows
