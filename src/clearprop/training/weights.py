"""How much each sample counts."""

from collections.abc import Mapping

import numpy as np

from clearprop.errors import UsageError
from clearprop.parameters import Array


def sample_weights(
    y: Array,
    sample_weight: Array | None,
    class_weight: str | Mapping[int, float] | None,
) -> Array | None:
    """Multiply class weights into sample weights.

    Parameters
    ----------
    y : ndarray, shape (N,) or (N, K)
        Targets, as the loss takes them.
    sample_weight : ndarray, shape (N,), or None
    class_weight : "balanced", mapping of class number to weight, or None
        Balanced: N / (classes count of the class), as scikit-learn defines it. A class that the
        mapping does not name has weight 1.

    Returns
    -------
    ndarray, shape (N,), or None
        None where every sample counts alike.

    Raises
    ------
    UsageError
        If there are no classes, or the mapping names one that does not occur.
    """
    if class_weight is None:
        return sample_weight
    classes, place = np.unique(_class_numbers(y), return_inverse=True)
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise UsageError(
                f"class_weight is 'balanced', a weight for each class, or None; found "
                f"{class_weight!r}."
            )
        each = len(y) / (len(classes) * np.bincount(place))
    else:
        if unknown := sorted(set(class_weight) - set(classes.tolist())):
            raise UsageError(
                f"class_weight names the class {unknown[0]}, which does not occur; there are "
                f"{classes.tolist()}."
            )
        each = np.array([class_weight.get(number, 1.0) for number in classes.tolist()])
        if not (np.isfinite(each).all() and (each >= 0).all()):
            raise UsageError(f"Class weights are finite and not negative, found {class_weight}.")
    weights = each[place]
    return weights if sample_weight is None else weights * sample_weight


def _class_numbers(y: Array) -> Array:
    if y.ndim == 2 and y.shape[1] > 1 and np.array_equal(y.sum(axis=1), np.ones(len(y))):
        return y.argmax(axis=1)
    numbers = y.reshape(len(y), -1)[:, 0]
    if (y.ndim == 2 and y.shape[1] > 1) or not np.array_equal(numbers, np.floor(numbers)):
        raise UsageError("class_weight needs targets that are classes; weigh samples instead.")
    return numbers.astype(np.int64)
