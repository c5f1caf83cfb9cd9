"""How gradients, places and numbers are written in a report."""

import math
from collections.abc import Iterable

from clearprop.gradcheck.words import say


def called(parameter: str) -> str:
    """Return what the gradient of a parameter is called: ``dW1``, or ``dW of layer 0``."""
    layer, _, leaf = parameter.rpartition(".")
    return say("of layer", leaf=leaf, layer=layer) if layer else f"d{leaf}"


def called_all(parameters: Iterable[str]) -> str:
    """Return what several gradients are called."""
    return ", ".join(map(called, parameters))


def place(index: tuple[int, ...] | None) -> str:
    """Write an index as it is typed: ``[0, 3]``."""
    return f"[{', '.join(map(str, index))}]" if index else ""


def number(value: float) -> str:
    """Write a number with as many digits as a person compares."""
    return "" if math.isnan(value) else f"{value:.5g}"
