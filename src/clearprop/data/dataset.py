"""A data set in its raw form: what was read, before a recipe turns it into a network's input.

And what is asked of one: which classes its labels name, two parts of it, a description.
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clearprop.configuration import Json
from clearprop.data.selected_rows import Array, SelectedRows, blocks, take_rows
from clearprop.data.table import Column, Table, as_text, is_numeric
from clearprop.errors import DataError, ShapeError, UsageError, listed

Kind: TypeAlias = Literal["pictures", "array", "table"]
Raw: TypeAlias = Array | SelectedRows | Table

MOST_CLASSES = 20
"""Whole numbers with more distinct values than this are values, not classes."""


@dataclass(frozen=True)
class Problem:
    """A file that was left out, and the reason.

    Parameters
    ----------
    source : str
        The file's name.
    reason : str
        The fault, worded so that "`source` `reason`" reads as a sentence.
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
        The name or path that it was loaded by.
    kind : {"pictures", "array", "table"}
        The kind of a row of `X`.
    X : ndarray, SelectedRows or Table, N rows
        Pictures: uint8, shape (N, H, W, 3) RGB or (N, H, W) grey. Array: numbers, shape (N, ...).
    y : ndarray
        int64 class indices, shape (N,); or float64 values, shape (N,) or (N, outputs).
    class_names : tuple of str, optional
        The classes by index. None means that `y` holds values (regression).
    feature_names : tuple of str, optional
        The names of the columns of `X`.
    sources : tuple of str, optional
        The file of each sample. None means row by row from one place.
    target_name : str, default "target"
        The name of `y`.
    test : Dataset, optional
        A test set that came with it, with the same classes.
    problems : tuple of Problem
        The files that were left out.
    validation : Dataset, optional
        Samples that came with it to validate with, with the same classes.
    notes : tuple of str
        Sentences on what was understood, changed or left out, the most important first.

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
    validation: "Dataset | None" = None
    notes: tuple[str, ...] = ()

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
        """Return the samples at `indices` (int64, or a mask), without the parts that came with it.

        Large arrays are not copied: `X` is then a `SelectedRows`.
        """
        rows = np.arange(len(self))[indices]
        return replace(
            self,
            X=self.X[rows] if isinstance(self.X, Table) else take_rows(self.X, rows),
            y=self.y[rows],
            sources=tuple(self.source(row) for row in rows.tolist()),
            test=None,
            validation=None,
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


def understand_target(
    values: NDArray[Any], name: str
) -> tuple[NDArray[Any], tuple[str, ...] | None]:
    """Decide whether a target names classes or holds values.

    Text names classes. Whole numbers do, while there are at most `MOST_CLASSES` distinct ones and
    at most half as many as samples. Everything else is values.

    Parameters
    ----------
    values : ndarray, shape (N,), (N, 1) or (N, outputs)
        Text with "" for missing, or numbers with NaN for missing.
    name : str
        The target's name, for the error.

    Returns
    -------
    y : ndarray
        int64 class indices, shape (N,); or float64 values, shape (N,) or (N, outputs).
    class_names : tuple of str or None
        The names in order, of numbers where they are numbers; None for values.

    Raises
    ------
    DataError
        If a target is missing or infinite; its row is named.
    """
    flat = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    _require_present(flat, name)
    if is_numeric(flat) and (flat.ndim > 1 or not _are_classes(flat)):
        return flat.astype(np.float64), None
    if is_numeric(flat):
        names = tuple(str(as_text(np.array([value]))[0]) for value in np.unique(flat).tolist())
    else:
        names = tuple(np.unique(as_text(flat)).tolist())
    return index_labels(flat, names, name), names


def index_labels(
    values: NDArray[Any], class_names: tuple[str, ...], name: str
) -> NDArray[np.int64]:
    """Find the class index of every label.

    Parameters
    ----------
    values : ndarray, shape (N,) or (N, 1)
        Text, or numbers that spell the class names.
    class_names : tuple of str
        The classes by index.
    name : str
        The target's name, for the error.

    Returns
    -------
    ndarray of int64, shape (N,)

    Raises
    ------
    DataError
        If a label is none of the classes; its row is named.
    """
    index = {class_name: i for i, class_name in enumerate(class_names)}
    labels, inverse = np.unique(as_text(values.reshape(-1)), return_inverse=True)
    found = np.array([index.get(label, -1) for label in labels.tolist()], dtype=np.int64)[inverse]
    if (found < 0).any():
        row = int(np.argmin(found))
        raise DataError(
            f"Row {row + 1} of {name!r} is {labels[inverse[row]]!r}, which is none of the classes "
            f"{listed(class_names)}. Correct the label, or train with samples of that class."
        )
    return found


def _are_classes(values: NDArray[Any]) -> bool:
    if values.dtype.kind == "f" and not np.array_equal(values, np.round(values)):
        return False
    return len(np.unique(values)) <= min(MOST_CLASSES, len(values) // 2)


def _require_present(values: NDArray[Any], name: str) -> None:
    if is_numeric(values):
        wrong = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
    else:
        wrong = as_text(values) == ""
    if wrong.any():
        row = int(np.argmax(wrong))
        found = "missing" if not is_numeric(values) or np.isnan(values[row]).any() else "infinite"
        raise DataError(
            f"Row {row + 1} of {name!r}, the target, is {found}. "
            "Fill it in, or remove the samples whose target is not known."
        )


def hold_out(dataset: Dataset, share: float, seed: int) -> tuple[Dataset, Dataset]:
    """Split a data set in two at random; each class in the same proportion.

    Both parts keep the order of the samples. Each side gets at least one sample of every class.

    Parameters
    ----------
    dataset : Dataset
    share : float
        The part to hold out, between 0 and 1.
    seed : int
        The seed of the `numpy.random.RandomState` that chooses.

    Returns
    -------
    train, held_out : Dataset

    Raises
    ------
    UsageError
        If `share` is not between 0 and 1.
    DataError
        If a class, or the whole of a regression set, has a single sample.
    """
    if not 0 < share < 1:
        raise UsageError(f"The share to hold out is {share}, expected a number between 0 and 1.")
    random_state = np.random.RandomState(seed)
    held = np.zeros(len(dataset), dtype=bool)
    for name, members in _strata(dataset):
        if len(members) == 1:
            raise DataError(
                f"{name} of {dataset.name} has one sample only, {dataset.source(members[0])}: it "
                "can't be both learned from and held out. Add samples, or remove the class."
            )
        count = min(max(round(share * len(members)), 1), len(members) - 1)
        held[random_state.permutation(members)[:count]] = True
    return dataset.take(~held), dataset.take(held)


def _strata(dataset: Dataset) -> list[tuple[str, NDArray[np.int64]]]:
    if dataset.class_names is None:
        return [("The whole", np.arange(len(dataset)))]
    members = [np.flatnonzero(dataset.y == index) for index in range(len(dataset.class_names))]
    return [
        (f"The class {name!r}", rows)
        for name, rows in zip(dataset.class_names, members, strict=True)
        if len(rows)
    ]


def describe(dataset: Dataset) -> dict[str, Json]:
    """Describe a data set: counts, shapes, classes, ranges, and the files left out.

    Parameters
    ----------
    dataset : Dataset

    Returns
    -------
    dict
        Ready for JSON: ``name``, ``kind``, ``samples``, ``bytes`` (of X), ``target``, ``task``
        ("classification" or "regression"), ``problems``, ``test`` (the same, or None); with
        ``classes`` (samples by class name) or ``values`` (lowest and highest); with
        ``shape`` (of one sample), ``dtype`` and ``range``, or for a table ``columns``.
    """
    task: dict[str, Json]
    if dataset.class_names is None:
        task = {"task": "regression", "values": _range(dataset.y)}
    else:
        task = {"task": "classification", "classes": dict(dataset.counts())}
    return {
        "name": dataset.name,
        "kind": dataset.kind,
        "samples": len(dataset),
        "bytes": dataset.X.nbytes,
        **_describe_inputs(dataset.X),
        "target": dataset.target_name,
        **task,
        "problems": [vars(problem) for problem in dataset.problems],
        "test": describe(dataset.test) if dataset.test else None,
    }


def _describe_inputs(X: Raw) -> dict[str, Json]:
    if isinstance(X, Table):
        return {"columns": [_describe_column(name, X.columns[name]) for name in X.names]}
    ranges = [_range(block) for _, block in blocks(X)]
    return {
        "shape": list(X.shape[1:]),
        "dtype": str(X.dtype),
        "range": [min(low for low, _ in ranges), max(high for _, high in ranges)],
    }


def _describe_column(name: str, column: Column) -> dict[str, Json]:
    if is_numeric(column):
        present = column[~np.isnan(column)]
        missing = len(column) - len(present)
        span: Json = _range(present) if len(present) else None
        return {"name": name, "kind": "numeric", "missing": missing, "range": span}
    missing, categories = int(np.sum(column == "")), len(np.unique(column[column != ""]))
    return {"name": name, "kind": "categorical", "missing": missing, "categories": categories}


def _range(values: NDArray[Any]) -> list[Any]:
    return [values.min().item(), values.max().item()]
