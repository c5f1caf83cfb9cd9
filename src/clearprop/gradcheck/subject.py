"""What is checked, in one form: a cost and its gradients as functions of named parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from clearprop.parameters import Array

Arrays: TypeAlias = Mapping[str, Array]
"""Arrays by the name of a parameter: ``"W1"``, ``"b1"``, or ``"0.W"``."""


@dataclass(frozen=True)
class Subject:
    """Code whose gradients are checked.

    Its functions work on copies, so that no call changes what the next one gives.

    Parameters
    ----------
    cost : callable
        The cost at given parameters.
    gradients : callable
        What the code under check claims to be the gradient of each parameter, at given parameters,
        keyed by the parameter's own name: ``"W1"``, not ``"dW1"``.
    parameters : mapping of str to ndarray
        Where the gradients are checked: float64, from the input to the output.
    X, Y : ndarray, optional
        The data of the cost, in the layout of the code under check, where they are known.
    samples_are : {"rows", "columns"}, optional
        What a sample is in X and Y, where that is known.
    outputs : callable, optional
        What the last layer gives at given parameters, where the code shows it: probabilities, or
        logits.
    """

    cost: Callable[[Arrays], float]
    gradients: Callable[[Arrays], Arrays]
    parameters: Arrays
    X: Array | None = None
    Y: Array | None = None
    samples_are: Literal["rows", "columns"] | None = None
    outputs: Callable[[Arrays], Array] | None = None
