"""Wrong input, refused in words that say what to do where scikit-learn's leave it open."""

from collections.abc import Hashable, Mapping, Sequence
from math import inf
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from clearprop.core.parameters import Array
from clearprop.estimators.interface import Estimator
from clearprop.training.run import Callback


def checked_data(estimator: Any, X: Any, *y: Any, **how: Any) -> Any:
    """Check samples, and perhaps targets, as scikit-learn does; a column of text is named.

    Parameters
    ----------
    estimator : BaseEstimator
    X : array-like, sparse matrix or data frame
    *y : array-like
    **how : dict
        As `sklearn.utils.validation.validate_data` takes it.

    Raises
    ------
    ValueError, TypeError
    """
    try:
        return validate_data(estimator, X, *y, **how)
    except (ValueError, TypeError) as error:
        columns = list(getattr(X, "columns", ()))
        others = [] if how.get("reset", True) else getattr(estimator, "feature_names_in_", columns)
        if len(others) and list(others) != columns:
            raise  # that is what it says
        for name in columns:
            cells = _no_numbers(X[name])
            if len(cells):
                kind = TypeError if isinstance(error, TypeError) else ValueError
                raise kind(
                    f"{type(estimator).__name__} takes numbers, and column {name!r} holds "
                    f"{str(cells[0])!r}. Encode it, for instance by "
                    "sklearn.preprocessing.OneHotEncoder, or leave it out."
                ) from error
        raise


def hidden_units(sizes: Any) -> list[int]:
    """Return the units of each hidden layer, of `hidden_layer_sizes`.

    Raises
    ------
    TypeError
        If one is no whole number.
    ValueError
        If one is below 1.
    """
    units = list(sizes) if hasattr(sizes, "__iter__") else [sizes]
    for size in units:
        if not isinstance(size, Integral) or isinstance(size, bool):
            raise TypeError(
                f"hidden_layer_sizes must hold whole numbers, such as (100, 50), got {size!r}."
            )
    if any(size <= 0 for size in units):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {units}.")
    return [int(size) for size in units]


def check_callbacks(callbacks: Sequence[Any] | None) -> None:
    """Refuse what can't listen.

    Raises
    ------
    TypeError
        If one is no instance of `Callback`.
    """
    for one in callbacks or ():
        if not isinstance(one, Callback):
            raise TypeError(
                f"callbacks must hold instances of clearprop.Callback, such as ProgressLine(), "
                f"got {one!r}."
            )


def pair_of(eval_set: Any) -> tuple[Any, Any]:
    """Return X and y of an evaluation set.

    Raises
    ------
    TypeError
        If it is no pair.
    """
    if not isinstance(eval_set, tuple) or len(eval_set) != 2:
        found = f"a {type(eval_set).__name__}"
        found += f" of {len(eval_set)}" if isinstance(eval_set, tuple | list) else ""
        raise TypeError(f"eval_set must be a pair, eval_set=(X_val, y_val), got {found}.")
    return eval_set


def check_for_lbfgs(estimator: Estimator) -> None:
    """Refuse what lbfgs can't train with.

    Raises
    ------
    ValueError
    """
    for name in ("dropout", "batch_norm"):
        if np.any(getattr(estimator, name)):
            raise ValueError(
                "solver='lbfgs' needs a loss that stays the same from one look to the next, which "
                f"it does not with {name}={getattr(estimator, name)!r}. Use 'sgd' or 'adam'."
            )
    if estimator.weight_decay:
        raise ValueError(
            f"weight_decay={estimator.weight_decay!r} shrinks weights in every update of 'sgd' and "
            "'adam'; solver='lbfgs' has none. alpha pulls weights to zero with every solver."
        )


def check_one_type(labels: Array) -> None:
    """Refuse labels that can't be sorted.

    Raises
    ------
    TypeError
        If some are text and others are not, or the like.
    """
    kinds = {str if isinstance(one, str) else type(one) for one in labels.ravel().tolist()}
    if len(kinds) > 1 and not all(issubclass(kind, Real) for kind in kinds):
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise TypeError(
            f"y must hold labels of one type, got {names}. Bring them to one, for instance by "
            "y.astype(str)."
        )


def check_class_weight(given: Mapping[Hashable, Any], classes: Array) -> None:
    """Refuse weights of unknown classes, and what is no weight.

    Parameters
    ----------
    given : mapping of label to weight
    classes : ndarray, shape (K,)
        The labels that there are.

    Raises
    ------
    ValueError
    """
    for label, weight in given.items():
        if label not in classes.tolist():
            raise ValueError(
                f"class_weight has a weight for {label!r}; the classes are {classes.tolist()}."
            )
        if not (isinstance(weight, Real) and 0 <= float(weight) < inf):
            raise ValueError(
                f"class_weight must hold finite numbers of at least 0, got {weight!r} for "
                f"{label!r}."
            )


def _no_numbers(column: Any) -> list[Any]:
    """Return the cells of a column that can't be numbers."""
    cells = np.asarray(column)
    if cells.dtype.kind in "biuf":
        return []
    return [cell for cell in cells.ravel().tolist() if cell is not None and not _is_number(cell)]


def _is_number(cell: Any) -> bool:
    try:
        float(cell)
    except (TypeError, ValueError):
        return False
    return True
