"""The meaning of a target: classes by name, or values."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearprop.data.table import as_text, is_numeric
from clearprop.errors import DataError

MOST_CLASSES = 20
"""Whole numbers with more distinct values than this are values, not classes."""


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
            f"{', '.join(class_names)}. Correct the label, or train with samples of that class."
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
