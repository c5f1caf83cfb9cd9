"""Weights for functions that are given theirs, where no function draws them."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import watch
from clearprop.gradcheck.seeing.calling.materials import Kind


def drawn(kind: Kind, names: Sequence[str], *, reading: int = 0) -> dict[str, Any]:
    """Return matrices and biases for a chain of layers, by the numbers in their names.

    Parameters
    ----------
    kind : Kind
        What the data look like that they are multiplied with.
    names : sequence of str
    reading : int
        1 for code that transposes matrices where it uses them, 2 where it transposes the data.
    """
    random = np.random.RandomState(11)
    shape: tuple[int, ...]
    matrices = sorted((one for one in names if not is_bias(one)), key=_number)
    biases = sorted((one for one in names if is_bias(one)), key=_number)
    between = [kind.hidden + place for place in range(max(len(matrices), len(biases), 1) - 1)]
    sizes = [kind.features, *between, kind.outputs]
    alone = len(matrices) <= 1 and kind.outputs == 1
    made: dict[str, Any] = {}
    if any(map(_AGAIN.match, names)):
        return _recurrent(kind, names, random, turned=reading > 0)
    if "gamma" in names:  # of batch normalization: one number a feature
        shape = (kind.features,) if kind.in_rows else (kind.features, 1)
        return {name: watch(random.randn(*shape) * 0.5, "weights") for name in names}
    for place, name in enumerate(matrices):
        shape = (sizes[place], sizes[place + 1])
        if alone and kind.targets.startswith("flat"):
            shape = shape[:1]
        if kind.in_rows == (reading > 0) and not alone:
            shape = shape[::-1]
        made[name] = watch(random.randn(*shape) * 0.5, "weights")
    for place, name in enumerate(biases):
        size = sizes[place + 1]
        if alone:
            made[name] = watch(0.3, "bias")
        else:
            shape = (1, size) if kind.in_rows != (reading == 2) else (size, 1)
            made[name] = watch(random.randn(*shape) * 0.3, "bias")
    return made


def _recurrent(
    kind: Kind, names: Sequence[str], random: np.random.RandomState, *, turned: bool
) -> dict[str, Any]:
    """Return the weights of a recurrent network: from inputs, from states, and to outputs."""
    left = kind.in_rows != turned
    made: dict[str, Any] = {}
    for name in names:
        out = _LAST.match(name) is not None
        after = kind.outputs if out else kind.hidden
        before = kind.hidden if out or _AGAIN.match(name) else kind.features
        shape = (1 if is_bias(name) else before, after)
        made[name] = watch(random.randn(*(shape if left else shape[::-1])) * 0.5, "weights")
    return made


def drawn_lists(kind: Kind, names: Sequence[str]) -> dict[str, list[Any]]:
    """Return lists of matrices and biases, one for every layer, by two names.

    Parameters
    ----------
    kind : Kind
    names : sequence of str
    """
    random = np.random.RandomState(13)
    made: dict[str, list[Any]] = {name: [] for name in names}
    left = kind.in_rows and kind.layout != "flat"
    for before, after in pairwise(kind.sizes):
        for name, layers in made.items():
            shape: tuple[int, ...] = (before, after) if left else (after, before)
            if is_bias(name):
                shape = (1, after) if left else (after,) if kind.layout == "flat" else (after, 1)
            layers.append(watch(random.randn(*shape) * 0.5, "weights"))
    return made


def drawn_tables(kind: Kind, names: Sequence[str]) -> dict[str, Any]:
    """Return tables of vectors, one for each feature, for code that chooses rows of them."""
    random, shape = np.random.RandomState(11), (kind.features, kind.hidden)
    return {name: watch(random.randn(*shape) * 0.5, "weights") for name in names}


def drawn_flat(kind: Kind, text: str) -> Any:
    """Return all weights of a network in one vector, each layer with its bias.

    Parameters
    ----------
    kind : Kind
    text : str
        The code, which tells whether there are several layers.
    """
    random = np.random.RandomState(12)
    if re.search(r"theta_?1|reshape", text, re.I):
        sizes = list(zip(kind.sizes[:-1], kind.sizes[1:], strict=True))
        return watch(random.randn(sum((a + 1) * b for a, b in sizes)) * 0.3, "theta")
    shape = (kind.features,) if kind.targets.startswith("flat") else (kind.features, kind.outputs)
    return watch(random.randn(*shape) * 0.3, "theta")


_AGAIN = re.compile(r"^(w_?hh?|w_?aa|w_?rec)$", re.I)
_LAST = re.compile(r"^(w_?(hy|ya|y|o|out)|v|b_?(y|o|out))$", re.I)


def is_weight(name: str) -> bool:
    """Whether a name, or a key, is that of a matrix or a bias."""
    return re.match(r"^(w|b|theta|weights?|bias|beta|gamma)_?\w{0,4}$", name, re.I) is not None


def is_bias(name: str) -> bool:
    """Whether a name is that of a bias."""
    return re.match(r"^b|bias|^beta|sesgo|vies", name, re.I) is not None


def _number(name: str) -> int:
    found = re.search(r"\d+", name)
    if found:
        return int(found.group())
    return 99 if re.search(r"o(ut)?$|y$", name) else 0
