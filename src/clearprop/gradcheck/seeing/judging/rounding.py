"""Gradients that are zero by nature, of which rounding is left."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.judging.judgement import Gradient
from clearprop.gradcheck.seeing.judging.updates import Update
from clearprop.gradcheck.seeing.tape import Node

_ZERO = 1e-12  # the share of the largest gradient that rounding leaves of one of zeros
_SMALL = 1e-4  # the same, of single precision
_CANCELLED = 64  # roundings of its summands, that a sum of nothing may leave
_NEAR = 80  # nodes behind a step in which such a sum is looked for
_SUMS = frozenset(("add", "subtract", "sum", "add.reduce", "mean", "einsum", "dot", "matmul"))


def without_rounding(gradients: Sequence[Gradient]) -> list[Gradient]:
    """Take for zeros what is zero by nature, and of which rounding is left, in code and truth.

    Such as the gradient of a bias that all scores of a softmax share, or that batch norm takes out.
    It may be zero by chance, and another update tell more of it.
    """
    sizes = [
        (np.abs(one.claimed).max(initial=0.0), np.abs(one.truth).max(initial=0.0))
        for one in gradients
    ]
    claimed, true = (max(one[k] for one in sizes) for k in (0, 1))
    return [
        _of_nothing(one) if size[0] < _ZERO * claimed and 0 < size[1] < _ZERO * true else one
        for one, size in zip(gradients, sizes, strict=True)
    ]


def without_cancelled(
    gradients: Sequence[Gradient],
    parts: Mapping[Node, Sequence[Update]],
    forward: set[Node],
    known: Mapping[Node, Array],
) -> list[Gradient]:
    """Take for zeros what is one of zeros, though its step is none: Adam makes steps of rounding.

    Parameters
    ----------
    gradients : sequence of Gradient
    parts : mapping of Node to sequence of Update
        The updates of each parameter.
    forward : set of Node
        What the cost was computed from.
    known : mapping of Node to ndarray
        The derivatives of the cost.
    """
    levelled = {one for node in forward if _adds(node, known) for one in node.parents}
    largest = max((np.abs(one.truth).max(initial=0.0) for one in gradients), default=0.0)
    return [
        _of_nothing(one)
        if (one.parameter in levelled and not (one.claimed.any() or one.truth.any()))
        or _is_cancelled(one, parts[one.parameter], largest, forward)
        else one
        for one in gradients
    ]


def _adds(node: Node, known: Mapping[Node, Array]) -> bool:
    """Whether what is added there has derivatives, which may make nothing together.

    Such as those of a bias by which two outputs are moved that are held against each other.
    """
    return node.name in ("add", "subtract") and bool(np.any(known.get(node, 0)))


def _is_cancelled(
    one: Gradient, parts: Sequence[Update], largest: float, forward: set[Node]
) -> bool:
    """Whether a truth is rounding, and the step comes of a sum that has left nothing else."""
    most = np.abs(one.truth).max(initial=0.0)
    queue, seen = [update.step for update in parts], set[Node]()
    while 0 < most < _SMALL * largest and queue and len(seen) < _NEAR:
        node = queue.pop(0)
        if node in seen or node in forward or not node.parents:
            continue
        seen.add(node)
        queue.extend(node.parents)
        if node.name not in _SUMS or node.value.size < one.truth.size or not node.is_float:
            continue
        rounding = _CANCELLED * np.finfo(node.value.dtype).eps
        summed = max(float(np.abs(inner.value).sum()) for inner in node.parents)
        left = np.abs(node.value).max(initial=0.0)
        if left < rounding * summed and most < rounding * largest:
            return True
    return False


def _of_nothing(found: Gradient) -> Gradient:
    """Return a gradient of zeros where there should be zeros."""
    none = np.zeros(found.truth.shape)
    return replace(found, claimed=none, truth=none, factor=None, error=0.0, verdict="unreached")
