"""The values that parameters and samples may have; others are refused.

Where scikit-learn's words leave it open what to do, ours say it.
"""

from collections.abc import Hashable, Mapping, Sequence
from math import inf
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer_names
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import validate_data

from clearprop.core import initializers, schedules
from clearprop.core.parameters import Array
from clearprop.estimators.building import ACTIVATIONS
from clearprop.layers import Layer
from clearprop.training import Callback

DTYPES = (np.float64, np.float32)
STOCHASTIC = ("sgd", "adam")

CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions(set(ACTIVATIONS)), Layer, "array-like"],
    "solver": [StrOptions({"lbfgs", *STOCHASTIC})],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"}), schedules.Schedule],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "n_iter_no_change": [
        Interval(Integral, 1, None, closed="left"),
        Options(Real, {np.inf}),
    ],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
    # scikit-learn lacks these.
    "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
    "batch_norm": ["boolean"],
    "init": [initializers.Initializer, None],
    "weight_decay": [Interval(Real, 0, None, closed="left")],
    "scoring": [StrOptions({"loss", *get_scorer_names()}), callable, None],
    "callbacks": [list, tuple, None],
    "sample_space": [StrOptions({"auto"}), "boolean"],
    "threads": [Interval(Integral, 1, None, closed="left"), None],
}
"""The values of each parameter that both estimators have."""


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
