"""Weights of samples in a cost that the code does not compute: rewards, masks, rare classes."""

from collections.abc import Sequence

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.derivatives import derivatives
from clearprop.gradcheck.seeing.judging.meetings import Meeting
from clearprop.gradcheck.seeing.operations import MOVING
from clearprop.gradcheck.seeing.tape import Node, ancestors


def weights_of(
    met: Sequence[Meeting], backwards: Sequence[Node], reached: set[Node]
) -> dict[Node, Array]:
    """Return what the differences of outputs and targets are multiplied by before they go back.

    Parameters
    ----------
    met : sequence of Meeting
    backwards : sequence of Node
        What gradients are made of, in the order of the tape.
    reached : set of Node
        All that was computed from parameters.

    Returns
    -------
    dict of Node to ndarray
        The weights, in the shape of each difference, by the node that it is; none where there are
        none. What was made of inputs or targets is no weight, but for a mask: a mistake may be.
    """
    differences = {one.at for one in met}
    data = _origins_beside(ancestors([one.output for one in met], reached) | differences, reached)
    moved = set(differences)
    for node in backwards:
        behind = [one for one in node.parents if one in moved]
        others = [one for one in node.parents if one not in moved]
        if not behind:
            continue
        if node.name in MOVING or node.name == "negative":
            moved.add(node)
        elif node.name == "multiply" and len(behind) == len(others) == 1:
            if others[0].value.size == 1:
                moved.add(node)
            elif (
                others[0] not in reached
                and node.value.shape == behind[0].value.shape
                and data.isdisjoint(_origins(others[0]))
            ):
                found, _ = derivatives({node: np.ones(node.value.shape)}, moved)
                return {at: found[at] for at in differences if np.any(found.get(at, 0))}
    return {}


def _origins_beside(nodes: set[Node], reached: set[Node]) -> set[Node]:
    """Return the arrays that the data beside some nodes were made of."""
    beside = {one for node in nodes for one in node.parents if one not in reached}
    return {origin for one in beside for origin in _origins(one)}


def _origins(node: Node) -> set[Node]:
    """Return an array, and what it was made of, but for a mask."""
    found, stack = set[Node](), [node]
    while stack:
        one = stack.pop()
        if one not in found and one.value.dtype.kind != "b":
            stack.extend(one.parents)
        found.add(one)
    return found
