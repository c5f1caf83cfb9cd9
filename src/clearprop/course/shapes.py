"""Shapes in the course's layout, checked where NumPy would broadcast a mistake or speak of axes."""

from collections.abc import Mapping

import numpy as np

from clearprop.errors import ShapeError
from clearprop.parameters import Array


def require_shape(name: str, array: Array, expected: tuple[int, ...], why: str = "") -> None:
    """Refuse an array of another shape than expected.

    Raises
    ------
    ShapeError
        It names the array and ends with `why`.
    """
    if np.shape(array) != expected:
        raise ShapeError(f"{name} has shape {np.shape(array)}, expected {expected}{why}.")


def require_columns(name: str, array: Array) -> None:
    """Refuse what is not a matrix with at least one sample, a column each.

    Raises
    ------
    ShapeError
    """
    if np.ndim(array) != 2 or np.shape(array)[1] == 0:
        raise ShapeError(
            f"{name} has shape {np.shape(array)}, expected (features, m): a column for each sample."
        )


def require_linear(W: Array, b: Array, inputs: int, below: str, place: str = "") -> None:
    """Refuse a W or b that does not fit the layer below.

    Parameters
    ----------
    W, b : ndarray
        Expected are (n, inputs) and (n, 1).
    inputs : int
    below : str
        What W is multiplied with, for the message.
    place : str, optional
        The number of the layer, likewise.

    Raises
    ------
    ShapeError
        It names ``W2`` or ``b2``, for place ``"2"``.
    """
    n = len(W) if np.ndim(W) else 1
    require_shape(f"W{place}", W, (n, inputs), f", a column for each row of {below}")
    require_shape(f"b{place}", b, (n, 1), f", a row for each row of W{place}")


def require_parameters(parameters: Mapping[str, Array], n_x: int | None = None) -> int:
    """Refuse parameters that make no network.

    Parameters
    ----------
    parameters : mapping of str to ndarray
    n_x : int, optional
        How many features it must take; as many as W1 does unless given.

    Returns
    -------
    int
        The number L of its layers.

    Raises
    ------
    ShapeError
        It names the first array that does not fit.
    """
    L = max(1, (len(parameters) + 1) // 2)
    names = [f"{kind}{layer}" for layer in range(1, L + 1) for kind in "Wb"]
    if parameters.keys() != set(names):
        raise ShapeError(
            f"parameters has {', '.join(parameters) or 'nothing'}; "
            f"a network of that many arrays has {', '.join(names)}."
        )
    inputs = np.atleast_2d(parameters["W1"]).shape[1] if n_x is None else n_x
    below = "X"
    for layer in range(1, L + 1):
        W, b = parameters[f"W{layer}"], parameters[f"b{layer}"]
        require_linear(W, b, inputs, below, str(layer))
        inputs, below = len(W), f"A{layer}"
    return L
