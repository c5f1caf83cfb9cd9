"""The base of the recipes of inputs, which are learned from training data.

Those of arrays of numbers, of pictures and of tables have a file each.
"""

from abc import ABC, abstractmethod
from typing import Any

from numpy.typing import DTypeLike

from clearprop.data.dataset import Raw
from clearprop.data.selected_rows import Array


class Recipe(ABC):
    """Base of the recipes of inputs."""

    @property
    @abstractmethod
    def input_shape(self) -> tuple[int, ...]:
        """The shape of a prepared sample."""

    @property
    def input_names(self) -> tuple[str, ...]:
        """The name of each of a prepared sample's numbers; none where they have no names."""
        return ()

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
