"""The cost that suits the gradients best, of all that were held against them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from clearprop.gradcheck.seeing.judging.judgement import Judgement, fitted
from clearprop.gradcheck.seeing.judging.terms import without_terms
from clearprop.gradcheck.seeing.operations import MOVING
from clearprop.gradcheck.seeing.tape import Node, ancestors

_EPSILON = 0.02  # what 1e-5 in a logarithm makes of a derivative, at most
_RIVALS = 4
_PRODUCTS = frozenset(("dot", "einsum", "inner", "matmul", "multiply", "tensordot"))


def best_of(tried: Sequence[Judgement]) -> Judgement | None:
    """Return the judgement whose cost suits the gradients best; None where none is beyond doubt."""
    if not tried:
        return None
    passed = next((one for one in tried if one.passed), None)
    if passed is None:
        # To call a gradient wrong, the cost has to be beyond doubt: the code calls it so, or much
        # of what the code computes are its derivatives.
        sure = [
            one
            for one in tried
            if (one.cost.is_named and _is_of_its_data(one))
            or one.cost.is_summed
            or (one.is_recognised and not _has_other_outputs(one))
        ]
        # What is a part of another cost, without its L2 term, is none.
        whole = [one for one in sure if not any(_is_part(one, other) for other in sure)]
        if not whole:
            return None
        best = max(
            whole,
            key=lambda one: (
                one.known,
                one.right,
                one.cost.is_named,
                one.begins_right,
                one.recognised,
                one.cost.is_computed,
            ),
        )
        rivals = [one for one in tried if one is not best and not one.cost.is_computed]
        if best.cost.is_computed:
            return without_terms(best) or best
        return without_terms(best) or replace(best, rivals=tuple(rivals[:_RIVALS]))
    others = [
        one
        for one in tried
        if one.cost.is_named and one.known == len(one.gradients) and not one.passed
    ]
    for one in others:  # a cost that this one is a part of, with an L2 term beside it
        if _is_part(passed, one):
            return one
    others = [one for one in others if not _is_alike(one, passed)]
    own = [
        one
        for one in others
        if not (passed.cost.is_computed or one.cost.is_watched)
        and _share_a_pass(one, passed)
        and _is_of_its_data(one)
    ]
    if own:  # the code computes a cost, and its gradients are those of another one
        return max(own, key=lambda one: one.right)
    return replace(passed, others=tuple(one.cost for one in others))


def _has_other_outputs(one: Judgement) -> bool:
    """Whether to gradients something is added that comes of outputs which this cost does not know.

    Such as those of negative samples: products of a parameter that the forward pass has not
    computed, and that the way back does not come by.
    """
    forward = ancestors(one.cost.seeds, one.reached)
    known = {np.sort(node.value.ravel()).tobytes() for node in forward}
    after, moved, outputs = set(one.cost.seeds), set(one.episode.roots), set[Node]()
    made_of = ancestors([gradient.claim for gradient in one.gradients], one.reached)
    for node in sorted(made_of - moved, key=lambda node: node.place):
        added = node.name in ("add", "subtract") and not outputs.isdisjoint(node.parents)
        if any(parent in after for parent in node.parents):
            if added:
                return True
            after.add(node)
        elif node.name in MOVING and any(parent in moved for parent in node.parents):
            moved.add(node)
        elif not outputs.isdisjoint(node.parents):
            outputs.add(node)
        elif node not in forward and node.name in _PRODUCTS:
            others = [parent for parent in node.parents if parent not in moved]
            several = len(node.parents) > 1 and all(each.value.size > 1 for each in others)
            is_product = several and len(others) < len(node.parents)
            if is_product and np.sort(node.value.ravel()).tobytes() not in known:
                outputs.add(node)
    return False


def _is_alike(one: Judgement, other: Judgement) -> bool:
    """Whether two costs have the same derivatives, but for what an epsilon in a logarithm does."""
    pairs = zip(one.gradients, other.gradients, strict=True)
    return all(fitted(a.truth, b.truth)[1] < _EPSILON for a, b in pairs)


def _is_of_its_data(one: Judgement) -> bool:
    """Whether a cost was computed of the data that the gradients are of, no more and no fewer."""
    own = _inputs(one, [update.step for update in one.episode.updates])
    of_cost = _inputs(one, one.cost.seeds)
    return not own or of_cost == own


def _inputs(found: Judgement, nodes: Iterable[Node]) -> set[bytes]:
    """Return the data that meet parameters on the way to some nodes, in no order of its own."""
    moved = set(found.episode.roots)
    data: dict[Node, None] = {}
    for node in sorted(ancestors(nodes, found.reached), key=lambda node: node.place):
        if node.name in MOVING and any(one in moved for one in node.parents):
            moved.add(node)
        elif any(one in moved for one in node.parents):
            data |= {one: None for one in node.parents if one not in found.reached}
    return {np.sort(one.value.ravel()).tobytes() for one in data if one.value.size > 1}


def _share_a_pass(one: Judgement, other: Judgement) -> bool:
    """Whether two costs were computed from the same data, and not one of all, one of a sample."""

    def passed(found: Judgement) -> set[bytes]:
        inner = ancestors(found.cost.seeds, found.reached) - set(found.episode.roots)
        return {node.value.tobytes() for node in inner if node.is_float}

    a, b = passed(one), passed(other)
    return not (a and b) or not a.isdisjoint(b)


def _is_part(one: Judgement, other: Judgement) -> bool:
    """Whether a cost that the code computes goes into another one that it calls so."""
    if one is other or not (one.cost.is_computed and other.cost.is_named):
        return False
    inner = [seed for seed in one.cost.seeds if seed not in other.cost.seeds]
    at_least = other.known >= one.known
    return at_least and any(np.any(other.derivatives.get(seed, 0)) for seed in inner)
