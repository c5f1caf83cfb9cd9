"""A data set in its raw form: what was read, before a recipe turns it into a network's input."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clearprop.data.rows import Array, SelectedRows, take_rows
from clearprop.data.table import Table
from clearprop.errors import DataError, ShapeError

Kind: TypeAlias = Literal["pictures", "array", "table"]
Raw: TypeAlias = Array | SelectedRows | Table


@dataclass(frozen=True)
class Problem:
    """Something that was left out, and why.

    Parameters
    ----------
    source : str
        The file.
    reason : str
        What is wrong with it, so that "`source` `reason`" reads as a sentence.
    """

    source: str
    reason: str

    def __str__(self) -> str:
        return f"{self.source} {self.reason}"


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples with what is to be learned of them.

    Parameters
    ----------
    name : str
        What it was loaded as.
    kind : {"pictures", "array", "table"}
        What a row of `X` is.
    X : ndarray, SelectedRows or Table, N rows
        Pictures: uint8, shape (N, H, W, 3) RGB or (N, H, W) grey. Array: numbers, shape (N, ...).
    y : ndarray
        int64 class indices, shape (N,); or float64 values, shape (N,) or (N, outputs).
    class_names : tuple of str, optional
        By index. None means that `y` holds values (regression).
    feature_names : tuple of str, optional
        Of the columns of `X`.
    sources : tuple of str, optional
        Where each sample came from. None means row by row from one place.
    target_name : str, default "target"
        What `y` is called.
    test : Dataset, optional
        A test set that came with it, with the same classes.
    problems : tuple of Problem
        What was left out.

    Raises
    ------
    ShapeError
        If `X` and `y` differ in length.
    DataError
        If it is empty, or a class index has no name.
    """

    name: str
    kind: Kind
    X: Raw
    y: NDArray[Any]
    class_names: tuple[str, ...] | None
    feature_names: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None
    target_name: str = "target"
    test: "Dataset | None" = None
    problems: tuple[Problem, ...] = ()

    def __post_init__(self) -> None:
        if len(self.X) != len(self.y):
            raise ShapeError(
                f"{self.name} has {len(self.X)} samples and {len(self.y)} targets; "
                "expected as many of each."
            )
        if len(self.y) == 0:
            raise DataError(f"{self.name} holds no samples.")
        if self.class_names is not None:
            low, high, count = self.y.min(), self.y.max(), len(self.class_names)
            if low < 0 or high >= count:
                raise DataError(
                    f"{self.name} has the label {low if low < 0 else high}, which is outside its "
                    f"{count} classes; expected 0 to {count - 1}."
                )

    def __len__(self) -> int:
        return len(self.y)

    def take(self, indices: NDArray[Any]) -> "Dataset":
        """Return the samples at `indices` (int64, or a mask), without the test set.

        Large arrays are not copied: `X` is then a `SelectedRows`.
        """
        rows = np.arange(len(self))[indices]
        return replace(
            self,
            X=self.X[rows] if isinstance(self.X, Table) else take_rows(self.X, rows),
            y=self.y[rows],
            sources=tuple(self.source(row) for row in rows.tolist()),
            test=None,
        )

    def source(self, row: int) -> str:
        """Name where sample `row` came from: its file, or its row counted from 1."""
        return self.sources[row] if self.sources else f"row {row + 1}"

    def counts(self) -> dict[str, int]:
        """Count the samples of each class, in the order of the class names.

        Returns
        -------
        dict of str to int
            Empty where `y` holds values.
        """
        if self.class_names is None:
            return {}
        found = Counter(self.y.tolist())
        return {name: found[index] for index, name in enumerate(self.class_names)}


def kind_of(X: Array) -> Kind:
    """Tell pictures, uint8 (N, H, W) or (N, H, W, 3), from other arrays."""
    if X.dtype == np.uint8 and (X.ndim == 3 or (X.ndim == 4 and X.shape[3] == 3)):
        return "pictures"
    return "array"
