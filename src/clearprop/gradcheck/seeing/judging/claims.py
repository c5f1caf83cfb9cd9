"""The verdict on gradients that were returned, and for no update: each finds its parameter."""

import re
from collections.abc import Mapping, Sequence
from itertools import islice

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.derivatives import derivatives
from clearprop.gradcheck.seeing.judging.choosing import best_of
from clearprop.gradcheck.seeing.judging.costs import Cost, costs
from clearprop.gradcheck.seeing.judging.episodes import Episode
from clearprop.gradcheck.seeing.judging.gradient_names import is_derivative
from clearprop.gradcheck.seeing.judging.judge import MOST_COSTS, VANISHED, known_cost, with_verdict
from clearprop.gradcheck.seeing.judging.judgement import (
    CLOSE,
    Gradient,
    Judgement,
    fitted,
    is_same,
)
from clearprop.gradcheck.seeing.judging.source import Source
from clearprop.gradcheck.seeing.judging.updates import Update
from clearprop.gradcheck.seeing.tape import Node, Tape, depending


def judge_claims(
    tape: Tape,
    parameters: Mapping[str, Node],
    claims: Mapping[str, Node],
    source: Source,
    cost: Node | None = None,
) -> Judgement | None:
    """Hold gradients that were returned against the derivatives of whatever cost suits them best.

    What goes by the name of a derivative, and is nowhere added to anything, has to have its sign.

    Parameters
    ----------
    tape : Tape
    parameters : mapping of str to Node
        The parameters that the forward pass began with, by name.
    claims : mapping of str to Node
        What may be a gradient, by name.
    source : Source
    cost : Node, optional
        The cost, where it is known.
    """
    places = [node.place for node in (*parameters.values(), *claims.values())]
    if not (parameters and claims):
        return None
    pairs = [
        Update(claim, root, claim, root)
        for root in parameters.values()
        for claim in claims.values()
        if claim is not root and claim.value.size == root.value.size
    ]
    if not pairs:
        return None
    episode = Episode(tuple(pairs), 0)
    reached = depending(parameters.values(), tape.nodes[min(places) :], set())
    if cost is not None:
        known = [known_cost(cost)]
    else:
        known = list(islice(costs(episode, reached, source.text, len(tape)), MOST_COSTS))
    names = {re.split(r"\W+", name)[-1] for name in claims}
    signed = (cost is not None or all(map(is_derivative, names))) and not source.adds(names)
    tried: list[Judgement] = []
    for one in known:
        found = _judge_claims(episode, one, reached, parameters, claims, signed)
        if found is None:
            continue
        tried.append(found)
        if found.passed and (one.is_named or not one.is_computed):
            break
    return best_of(tried)


def _judge_claims(
    episode: Episode,
    cost: Cost,
    reached: set[Node],
    parameters: Mapping[str, Node],
    claims: Mapping[str, Node],
    signed: bool,
) -> Judgement | None:
    known, _ = derivatives(cost.seeds, reached)
    taken: dict[Node, tuple[Node, Array, float | None, float]] = {}
    left = {
        name: node
        for name, node in parameters.items()
        if np.abs(known.get(node, 0)).max() >= VANISHED
    }
    if not left:
        return None
    fits = sorted(
        (error, -claim.place, name, claim, factor)
        for name, root in left.items()
        for claim in claims.values()
        if claim in reached and claim.value.size == root.value.size
        for factor, error in [_fitted_shape(claim, known[root])]
        if error < CLOSE
    )
    used: set[Node] = set()
    for error, _, name, claim, factor in fits:
        if name in left and claim not in used:
            root = left.pop(name)
            taken[root] = claim, known[root], factor, error
            used.add(claim)
    for name, root in list(left.items()):
        rest = {n: claim for n, claim in claims.items() if claim not in used}
        claim_name = _named_alike(name, root, rest) or _named_alike(name, None, rest)
        if claim_name is None and len(left) == 1 == len(rest):
            (only,) = rest
            claim_name = None if _is_derivative(rest[only], known) else only
        if claim_name is not None:
            claim = claims[claim_name]
            taken[root] = claim, known[root], *_fitted_shape(claim, known[root])
            used.add(claim)
            del left[name]
    gradients = [
        Gradient(
            root,
            None,
            claim,
            np.arange(root.value.size),
            claim.value.ravel(),
            truth.ravel(),
            factor,
            error,
        )
        for root, (claim, truth, factor, error) in taken.items()
    ]
    gradients += [
        Gradient(
            root,
            None,
            root,
            np.arange(root.value.size),
            np.zeros(root.value.size),
            np.asarray(known[root]).ravel(),
            None,
            np.inf,
            verdict="unreached",
        )
        for root in left.values()
    ]
    if not taken or (2 * len(taken) < len(gradients) and not all(map(_is_close, gradients))):
        return None  # of a part, that is wrong: what was taken for gradients are none
    factor = _usual_claim_factor(gradients)
    if factor is not None and signed and not cost.is_maximised:
        factor = abs(factor)
    # What goes on to the layer before, where the cost is known, has no factor of its own.
    judged = tuple(
        with_verdict(one, 1.0 if one.parameter.name == "input" else factor) for one in gradients
    )
    return Judgement(episode, cost, judged, factor, known, reached, is_signed=signed)


def _is_close(gradient: Gradient) -> bool:
    return gradient.verdict == "unreached" or gradient.error < CLOSE


def _is_derivative(claim: Node, known: Mapping[Node, Array]) -> bool:
    """Whether an array is the derivative with respect to anything."""
    alike = (one for one in known.values() if one.size == claim.value.size and one.any())
    return any(_fitted_shape(claim, one)[1] < CLOSE for one in alike)


def _fitted_shape(claim: Node, truth: Array) -> tuple[float | None, float]:
    same = np.squeeze(claim.value).shape == np.squeeze(truth).shape
    return fitted(claim.value, truth) if same else (None, np.inf)


def _named_alike(name: str, root: Node | None, claims: Mapping[str, Node]) -> str | None:
    """Return the claim whose name ends as a parameter's does: dW1, W1_grad, nabla_W1, W1_d for W1.

    Where no parameter is given, the claim may have another size, which is wrong.
    """
    own = re.sub(r"[^a-z0-9]", "", name.lower().rsplit(".", 1)[-1])
    fitting = [
        one for one, node in claims.items() if root is None or node.value.size == root.value.size
    ]
    for one in fitting:
        other = re.sub(r"_(d|diff)$|[^a-z0-9]", "", one.lower().rsplit(".", 1)[-1])
        other = re.sub(r"grads?|gradients?|nabla|delta", "", other)
        if own and (other == own or other.removeprefix("d") == own):
            return one
    if root is None or len(fitting) != 1:
        return None
    same = np.squeeze(claims[fitting[0]].value).shape == np.squeeze(root.value).shape
    return fitting[0] if same else None


def _usual_claim_factor(gradients: Sequence[Gradient]) -> float | None:
    known = [one for one in gradients if one.factor is not None and one.error < CLOSE]

    def worth(one: Gradient) -> tuple[int, bool, bool, int]:
        own = one.factor or 0.0
        same = [
            is_same(own, other.factor or 0.0) and own * (other.factor or 0.0) > 0 for other in known
        ]
        return sum(same), own > 0, is_same(own, 1.0), one.parameter.place

    return max(known, key=worth).factor if known else None
