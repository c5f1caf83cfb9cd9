"""The way back: from the output to the input."""

import re
from collections.abc import Iterable
from itertools import groupby

_NUMBERED = re.compile(r"\D*(\d+)\D*")


def layers_of(names: Iterable[str]) -> list[list[str]]:
    """Group the names of parameters by layer, in forward order.

    Parameters
    ----------
    names : iterable of str
        ``"W1"``, ``"b1"``, ... in any order, or dotted names such as ``"3.0.W"`` in forward order.
        Of others, in forward order, a layer begins where the first letter of one comes again:
        ``"W_hidden"``, ``"b_hidden"``, ``"W_out"``, ``"b_out"``.

    Returns
    -------
    list of list of str
    """
    every = list(names)
    numbers = [_NUMBERED.fullmatch(name) for name in every]
    if all(numbers):
        by_layer = {
            name: int(number[1]) for name, number in zip(every, numbers, strict=True) if number
        }
        every.sort(key=by_layer.__getitem__)
        return [list(layer) for _, layer in groupby(every, by_layer.__getitem__)]
    if any("." in name for name in every):
        return [list(layer) for _, layer in groupby(every, lambda name: name.rpartition(".")[0])]
    layers: list[list[str]] = []
    for name in every:
        if not layers or name[:1] in {known[:1] for known in layers[-1]}:
            layers.append([])
        layers[-1].append(name)
    return layers


def backward_order(names: Iterable[str]) -> list[str]:
    """Return the names of parameters from the last layer to the first."""
    return [name for layer in reversed(layers_of(names)) for name in layer]
