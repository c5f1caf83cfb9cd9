"""A target: which column, whether it names classes or holds values, and each label's class."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearprop.core.printable import readable
from clearprop.data.tables.table import Column, Words, as_column, as_words, is_date, is_numeric
from clearprop.data.tables.understood import UnderstoodColumn
from clearprop.errors import DataError, listed

_USUAL_TARGETS = ("target", "label", "class", "y")
MOST_CLASSES = 20
"""Whole numbers with more distinct values than this are values, unless they are called classes."""


def choose_target(
    found: Sequence[UnderstoodColumn], target: str | None
) -> tuple[UnderstoodColumn, str]:
    """Return the target, and how it was chosen."""
    if target is not None:
        [asked] = [one for one in found if one.name == target]
        return asked, "as asked"
    usual = [one for one in found if one.name.lower() in _USUAL_TARGETS]
    if len(usual) == 1:
        return usual[0], "by its name"
    fit = [one for one in found if one.is_used and one.kind != "date" and not _is_unnamed(one)]
    last_is_emptied = found[-1].kind == "empty" and found[-1].doubt.says
    if not fit or fit[-1] is found[-1] or last_is_emptied:
        return found[-1], "the last column"
    return fit[-1], f"the last column that can be learned; {found[-1].name}: {_why_not(found[-1])}"


def _is_unnamed(one: UnderstoodColumn) -> bool:
    return one.name.startswith("unnamed ")


def _why_not(one: UnderstoodColumn) -> str:
    return one.kind if not one.is_used or one.kind == "date" else "without a name"


def task_in_words(
    values: Column, class_names: tuple[str, ...] | None, task: str | None
) -> tuple[str, str]:
    """Say what is learned, and why it is taken for that."""
    if isinstance(values, Words) or class_names is not None:
        names = class_names or ()
        classes = f"{len(names):,} class{'' if len(names) == 1 else 'es'}: {listed(names, 4)}"
        if isinstance(values, Words) or task:
            return classes, ""
        return classes, "; few different whole numbers: --task regress takes them as values"
    low, high = float(values.min()), float(values.max())
    is_whole = not task and np.array_equal(values, np.trunc(values))
    why = f"; {why_values(values)}: --task classify takes them as classes" if is_whole else ""
    return f"values from {readable(low, 6)} to {readable(high, 6)}", why


def understand_target(
    values: NDArray[Any] | Words, name: str, task: str | None = None
) -> tuple[NDArray[Any], tuple[str, ...] | None]:
    """Decide whether a target names classes or holds values.

    Text names classes, as it is written. Whole numbers do, while there are at most `MOST_CLASSES`
    distinct ones and at most half as many as samples. Everything else is values. `task` overrules
    that.

    Parameters
    ----------
    values : ndarray, shape (N,), (N, 1) or (N, outputs), or Words
        Text with "" for missing, or numbers with NaN for missing.
    name : str
        The target's name, for the error.
    task : {"classify", "regress"}, optional

    Returns
    -------
    y : ndarray
        int64 class indices, shape (N,); or float64 values, shape (N,) or (N, outputs).
    class_names : tuple of str or None
        The names in order, of numbers where they are numbers; None for values.

    Raises
    ------
    DataError
        If a target is missing or infinite, its row is named; or it can't be what `task` says.
    """
    if not isinstance(values, Words) and values.ndim == 2 and values.shape[1] > 1:
        _require_finite(values, name)
        if task == "classify":
            raise DataError(f"{name!r} has {values.shape[1]} values a sample, which are no class.")
        return values.astype(np.float64), None
    column = as_column(values if isinstance(values, Words) else values.reshape(-1))
    if isinstance(column, Words):
        _require_no_gap(column.codes < 0, name)
        if task == "regress":
            raise DataError(
                f"{name!r} holds text, such as {column.texts[0]!r}, and can't be learned as "
                "values. Leave --task regress out, or name another target."
            )
        return column.codes.astype(np.int64), column.texts
    if is_date(column):
        raise DataError(f"{name!r}, the target, holds dates. Name another with --target.")
    _require_finite(column, name)
    if task == "regress" or (task is None and why_values(column)):
        return column, None
    distinct, places = np.unique(column, return_inverse=True)
    names = as_words(distinct).tolist()
    return places.astype(np.int64), tuple(names)


def why_values(column: NDArray[Any]) -> str:
    """Say why numbers are values rather than classes; nothing where they are classes."""
    if not np.array_equal(column, np.round(column)):
        return "not all are whole"
    distinct = len(np.unique(column))
    if distinct > MOST_CLASSES:
        return f"{distinct} different whole numbers"
    if distinct > len(column) // 2:
        return f"{distinct} different ones in {len(column)} rows"
    return ""


def index_labels(
    values: Column | Sequence[str], class_names: tuple[str, ...], name: str
) -> NDArray[np.int64]:
    """Find the class index of every label.

    Parameters
    ----------
    values : ndarray, shape (N,) or (N, 1), or Words
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
    column = values if isinstance(values, Words) else as_column(np.asarray(values).reshape(-1))
    words = as_words(column)
    found = words.translated({class_name: i for i, class_name in enumerate(class_names)})
    if (found < 0).any():
        row = int(np.argmin(found))
        label = words[row : row + 1].tolist()[0]
        raise DataError(
            f"Row {row + 1} of {name!r} is {label!r}, which is none of the classes "
            f"{listed(class_names)}. Correct the label, or train with samples of that class."
        )
    return found


def _require_finite(values: NDArray[Any], name: str) -> None:
    wrong = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if is_numeric(values) and wrong.any():
        row = int(np.argmax(wrong))
        if not np.isnan(values[row]).any():
            raise DataError(
                f"Row {row + 1} of {name!r}, the target, is infinite. Correct or remove it."
            )
        _require_no_gap(wrong, name)


def _require_no_gap(missing: NDArray[np.bool_], name: str) -> None:
    if missing.any():
        raise DataError(
            f"Row {int(np.argmax(missing)) + 1} of {name!r}, the target, is missing. "
            "Fill it in, or remove the samples whose target is not known."
        )
