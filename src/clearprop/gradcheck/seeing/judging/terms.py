"""Terms of a cost that the code does not compute, but goes back from: divergences, sparsity."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.judging.judgement import (
    CLOSE,
    Gradient,
    Judgement,
    Seen,
    fitted,
)
from clearprop.gradcheck.seeing.judging.meetings import meetings
from clearprop.gradcheck.seeing.tape import Node, ancestors, computed, depending


def without_terms(found: Judgement) -> Judgement | None:
    """Return the verdict on gradients without what is added to them and does not come of the cost.

    Such as ``mu / m`` of a Kullback-Leibler divergence, beside a cost of the reconstruction alone.
    None where there is nothing of the kind, or gradients are not all right without it.
    """
    claims = [one.claim for one in found.gradients]
    made_of = sorted(ancestors(claims, found.reached), key=lambda node: node.place)
    terms = dict(_terms(found, made_of))
    if not terms:
        return None
    known: dict[Node, Array] = {}
    moved = depending(terms, made_of, set())
    try:
        for node in made_of:
            if node in moved:
                known[node] = _computed_without(node, terms.get(node), known)
    except Exception:  # arguments of any kind fail in any way
        return None
    gradients = [_without(one, known) for one in found.gradients]
    if any(one.verdict == "wrong" for one in gradients):
        return None
    return replace(found, gradients=tuple(gradients), beside=tuple(terms))


def _computed_without(node: Node, term: Node | None, known: dict[Node, Array]) -> Array:
    def value_of(one: Node) -> Array:
        return np.zeros_like(one.value) if one is term else known.get(one, one.value)

    return np.asarray(computed(node, value_of))


def _terms(found: Judgement, made_of: list[Node]) -> Iterator[tuple[Node, Node]]:
    """Yield sums on the way back, each with what of it was made of the forward pass alone."""
    forward = ancestors(found.cost.seeds, found.reached)
    roots, met = set(found.episode.roots), meetings(made_of, found.reached)
    after, outputs = {one.at for one in met}, {one.output for one in met}
    for node in made_of:
        back = [one for one in node.parents if one in after]
        if back and node not in forward:
            after.add(node)
        if len(back) != 1 or node.name not in ("add", "subtract") or node in forward:
            continue
        for one in node.parents:
            if one in after or one not in found.reached:
                continue
            behind = ancestors([one], found.reached)
            is_own = len({part.value.size for part in behind}) == len(behind & roots) == 1  # decay
            if outputs.isdisjoint(behind) and not is_own:
                yield node, one


def _without(one: Gradient, known: dict[Node, Array]) -> Gradient:
    """Return a gradient as it is where the way back has other values."""
    bare = known.get(one.claim)
    if one.verdict == "unreached" or bare is None or bare.size != one.claimed.size:
        return one
    sign = float(np.sign(one.claim.value.ravel() @ one.claimed))
    claimed = sign * bare.ravel().astype(np.float64)
    factor, error = fitted(claimed, one.truth)
    verdict: Seen = "right" if error < CLOSE else "wrong"
    decay = one.claimed - claimed
    return replace(one, factor=factor, error=error, decay=decay, verdict=verdict)
