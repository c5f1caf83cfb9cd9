"""The verdict on gradients that were seen: each against the true derivative of the cost."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Literal, TypeAlias

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.derivatives import derivatives
from clearprop.gradcheck.seeing.judging.costs import Cost, costs
from clearprop.gradcheck.seeing.judging.forgotten import forgotten
from clearprop.gradcheck.seeing.judging.steps import rates, signed_summands, summands
from clearprop.gradcheck.seeing.judging.updates import Episode, Update
from clearprop.gradcheck.seeing.tape import Line, Node, Tape, ancestors, depending

Seen: TypeAlias = Literal["right", "wrong", "scaled", "unreached"]

CLOSE = 2e-4
"""How far a gradient may be from the truth, as a share of its length: epsilons in logarithms."""

SAME_FACTOR = 1e-3
"""How far two factors that are one may be apart."""

MOST_COSTS = 60
_EPSILON = 0.02  # what 1e-5 in a logarithm makes of a derivative, at most
_NOISE, _TINY = 0.01, 1e-6  # an error that rounding makes of derivatives so small
VANISHED = 1e-25  # below it exponentials have left nothing that could be compared
_RIVALS = 4
_LOOKED_AT = 200  # arrays on the way back


@dataclass(frozen=True)
class Gradient:
    """A gradient that was seen, and the true one.

    Parameters
    ----------
    parameter : Node
    result : Node or None
        The updated parameter, where it was seen to be updated.
    claim : Node
        The gradient as the code computes it.
    places : ndarray of int
        The places in the parameter, in C order, of its entries.
    claimed, truth : ndarray
        Of the parameter's entries, flat: what the code says, or takes away from the parameter, and
        the derivative of the cost.
    factor : float or None
        What the truth is to be multiplied by to become the claim, where that is possible.
    error : float
        The distance of the claim from that multiple, as a share of its length.
    decay : float or None
        The share of the parameter itself that is in the claim, in the same unit.
    verdict : {"right", "wrong", "scaled", "unreached"}
        ``scaled`` is right but for a factor that others don't have.
    """

    parameter: Node
    result: Node | None
    claim: Node
    places: Array
    claimed: Array
    truth: Array
    factor: float | None
    error: float
    decay: float | None = None
    verdict: Seen = "wrong"


@dataclass(frozen=True)
class Judgement:
    """The verdict on the gradients of an episode, for one cost.

    Parameters
    ----------
    episode : Episode
    cost : Cost
    gradients : tuple of Gradient
    factor : float or None
        The factor that most of the gradients have.
    derivatives : mapping of Node to ndarray
        The derivative of the cost with respect to all that was computed from the parameters.
    reached : set of Node
    forgotten : tuple of Node
        The weights and biases of the forward pass that were not seen to be updated.
    others : tuple of Cost
        The costs that the code computes, and that the gradients are not of.
    rivals : tuple of Judgement
        The same for other usual costs, of which one is as likely.
    """

    episode: Episode
    cost: Cost
    gradients: tuple[Gradient, ...]
    factor: float | None
    derivatives: Mapping[Node, Array]
    reached: set[Node] = field(repr=False)
    forgotten: tuple[Node, ...] = ()
    others: tuple[Cost, ...] = ()
    rivals: tuple["Judgement", ...] = field(default=(), repr=False)

    @property
    def passed(self) -> bool:
        """Whether every gradient is right, and one of them has more than one entry."""
        several = any(one.claimed.size > 1 for one in self.gradients) or len(self.gradients) > 1
        return several and all(one.verdict == "right" for one in self.gradients)

    @property
    def is_single(self) -> bool:
        """Whether a usual cost of one output of one sample fits, as then any other one does."""
        return not self.cost.is_computed and sum(map(np.size, self.cost.seeds.values())) == 1

    @cached_property
    def recognised(self) -> int:
        """The number of arrays on the way back that are derivatives of this cost."""
        by_size: dict[int, list[Array]] = {}
        for derivative in self.derivatives.values():
            if derivative.size > 1 and derivative.any():
                by_size.setdefault(derivative.size, []).append(derivative)
        first = min(seed.place for seed in self.cost.seeds)
        stack = [one.claim for one in self.gradients]
        seen: set[Node] = set()
        count = 0
        while stack and len(seen) < _LOOKED_AT:
            node = stack.pop()
            if node in seen or node not in self.reached or node in self.cost.seeds:
                continue
            seen.add(node)
            stack.extend(node.parents)
            if (node.is_float and node not in self.derivatives) or node.place > first:
                alike = by_size.get(node.value.size, ())
                count += any(fitted(node.value, one)[1] < CLOSE for one in alike[:30])
        return count

    @property
    def is_recognised(self) -> bool:
        """Whether a usual cost of outputs fits some of what was computed on the way back."""
        several = any(one.verdict == "right" and one.claimed.size > 1 for one in self.gradients)
        return not self.cost.is_computed and (several or self.recognised > 0)

    @cached_property
    def begins_right(self) -> bool:
        """Whether the gradient next to the output, with which the way back begins, is right."""
        used = {
            parent: node.place
            for node in sorted(self.reached, key=lambda node: node.place)
            if np.any(self.derivatives.get(node, 0))
            for parent in node.parents
        }
        known = [one for one in self.gradients if one.verdict != "unreached"]
        last = max(known, key=lambda one: used.get(one.parameter, 0), default=None)
        return last is not None and last.verdict == "right"

    @property
    def right(self) -> float:
        """The number of gradients that are right, a scaled one counting half."""
        counts = Counter(one.verdict for one in self.gradients)
        return counts["right"] + counts["scaled"] / 2

    @property
    def known(self) -> int:
        """The number of gradients that the cost depends on."""
        return sum(one.verdict != "unreached" for one in self.gradients)


def fitted(claimed: Array, truth: Array) -> tuple[float | None, float]:
    """Return the multiple of the truth that is closest to a claim, and how far that is."""
    a, b = claimed.astype(np.float64).ravel(), truth.astype(np.float64).ravel()
    if a.size != b.size or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return None, np.inf
    if not b.any() or not a.any():
        return None, 0.0 if a.any() == b.any() else np.inf
    scale = np.abs(b).max()
    factor = float(a @ (b / scale) / (b / scale @ (b / scale))) / scale
    return factor, float(np.linalg.norm(a - factor * b) / np.linalg.norm(a))


def judge(
    tape: Tape,
    episode: Episode,
    updates: Sequence[Update],
    text: Callable[[Line], str],
    cost: Node | None = None,
) -> Judgement | None:
    """Hold the gradients of an episode against the derivatives of whatever cost suits them best.

    `cost` is given where it is known. Returns None where nothing was found that may be the cost.
    """
    reached = episode.reached(tape, {update.result for update in updates})
    if cost is not None:
        return _judge(episode, known_cost(cost), reached, set())
    every = list(islice(costs(episode, reached, text, episode.until(tape)), MOST_COSTS))
    penalised = _penalised(tape, episode.roots, reached, every)
    tried: list[Judgement] = []
    for one in every:
        found = _judge(episode, one, reached, penalised)
        if found is None:
            continue
        tried.append(found)
        if found.passed and (one.is_named or not one.is_computed) and not found.is_single:
            break
    best = best_of(tried)
    if best is not None and best.passed and best.is_single:
        rivals = [
            one for one in tried if one.cost is not best.cost and one.passed and one.is_single
        ]
        return replace(best, rivals=tuple(rivals))
    return best


def known_cost(cost: Node) -> Cost:
    """Return a number that is known to be the cost."""
    return Cost("the cost", {cost: np.ones(cost.value.shape)}, True, True)


def best_of(tried: Sequence[Judgement]) -> Judgement | None:
    """Return the judgement whose cost suits the gradients best; None where none is beyond doubt."""
    if not tried:
        return None
    passed = next((one for one in tried if one.passed), None)
    if passed is None:
        # To call a gradient wrong, the cost has to be beyond doubt: the code calls it so, or much
        # of what the code computes are its derivatives.
        sure = [
            one for one in tried if one.cost.is_named or one.cost.is_summed or one.is_recognised
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
        return best if best.cost.is_computed else replace(best, rivals=tuple(rivals[:_RIVALS]))
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
        if not (passed.cost.is_computed or one.cost.is_watched) and _share_a_pass(one, passed)
    ]
    if own:  # the code computes a cost, and its gradients are those of another one
        return max(own, key=lambda one: one.right)
    return replace(passed, others=tuple(one.cost for one in others))


def _is_alike(one: Judgement, other: Judgement) -> bool:
    """Whether two costs have the same derivatives, but for what an epsilon in a logarithm does."""
    pairs = zip(one.gradients, other.gradients, strict=True)
    return all(fitted(a.truth, b.truth)[1] < _EPSILON for a, b in pairs)


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


def _judge(
    episode: Episode, cost: Cost, reached: set[Node], penalised: set[Node]
) -> Judgement | None:
    known, _ = derivatives(cost.seeds, reached)
    parts: dict[Node, list[Update]] = {}
    for update in episode.updates:
        parts.setdefault(update.root, []).append(update)
    gradients = [_of_change(root, some, known) for root, some in parts.items()]
    if all(one.verdict == "unreached" for one in gradients):
        return None
    if any(one.error >= CLOSE for one in gradients):  # through momentum, Adam, or wrong
        gradients = _of_steps(gradients, parts, reached, penalised)
    factor = _usual_factor(gradients, parts, reached)
    if factor is not None and not cost.is_maximised:
        factor = abs(factor)  # all steps may lead up: then all of them have the wrong sign
    judged = tuple(with_verdict(one, factor) for one in gradients)
    return Judgement(
        episode,
        cost,
        judged,
        factor,
        known,
        reached,
        forgotten(reached, known, set(episode.roots)),
    )


def _of_change(root: Node, parts: Sequence[Update], known: Mapping[Node, Array]) -> Gradient:
    """Take what the updates of a parameter took away as its gradient."""
    where = np.concatenate([update.places().ravel() for update in parts])
    descent = np.concatenate([update.descent.ravel() for update in parts])
    result, step = parts[-1].result, parts[0].step
    truth = known.get(root)
    if truth is not None and np.abs(truth).max() < VANISHED:
        truth = None
    if descent.size != where.size:  # broadcasting has made another shape of it
        true = np.zeros(root.value.size) if truth is None else np.asarray(truth).ravel()
        return Gradient(root, result, step, where, descent, true, None, np.inf)
    if truth is None or not np.any(truth):
        nothing = np.zeros(descent.shape)
        return Gradient(
            root, result, step, where, descent, nothing, None, np.inf, verdict="unreached"
        )
    true = np.asarray(truth, np.float64).ravel()[where]
    return Gradient(root, result, step, where, descent, true, *fitted(descent, true))


def _of_steps(
    gradients: Sequence[Gradient],
    parts: Mapping[Node, list[Update]],
    reached: set[Node],
    penalised: set[Node],
) -> list[Gradient]:
    """Look for the gradients within the steps: what has a factor that most others have, too.

    Outside it a step may fit by chance, as the signs do that Adagrad begins with.
    """
    options = [
        [one] if one.verdict == "unreached" else list(_forms(one, parts, reached, penalised))
        for one in gradients
    ]
    factors = [
        {round(math.log(abs(one.factor)), 3) for one in some if one.error < CLOSE and one.factor}
        for some in options
    ]

    def worth(one: Gradient) -> tuple[bool, int, float]:
        fits = one.error < CLOSE
        if not fits or not one.factor:
            return fits, 0, -one.error
        own = round(math.log(abs(one.factor)), 3)
        return True, sum(any(abs(own - f) < 2e-3 for f in some) for some in factors), 0.0

    return [max(some, key=worth) for some in options]


def _forms(
    one: Gradient, parts: Mapping[Node, list[Update]], reached: set[Node], penalised: set[Node]
) -> Iterator[Gradient]:
    """Yield a gradient in all forms that it may have, from outside in."""
    yield one
    if one.parameter not in penalised:
        yield with_decay(one)
    for inner in _within(one, parts[one.parameter], reached):
        yield inner
        if one.parameter not in penalised:
            yield with_decay(inner)


def _penalised(
    tape: Tape, roots: Sequence[Node], reached: set[Node], every: Sequence[Cost]
) -> set[Node]:
    """Return the parameters whose size a cost of the code takes into account: L2, L1."""
    named = {seed for cost in every if cost.is_named for seed in cost.seeds}
    last = max((seed.place for seed in named), default=-1)
    found = set()
    for node in reached:
        root = next((one for one in node.parents if one in roots), None)
        is_size = node.name in ("square", "power", "norm", "absolute") or node.args == (root, root)
        if root is None or not is_size or node.place > last:
            continue
        if depending([node], tape.nodes[node.place : last + 1], set()) & named:
            found.add(root)
    return found


def _within(found: Gradient, parts: Sequence[Update], reached: set[Node]) -> Iterator[Gradient]:
    """Yield what may be the gradient in a step, from outside in."""
    levels = [signed_summands(update.step, reached) for update in parts]
    sizes = [update.before.value.size for update in parts]
    for depth in range(min(map(len, levels))):
        claims = [level[depth] for level in levels]
        if any(claim.value.size != size for (claim, _), size in zip(claims, sizes, strict=True)):
            continue
        down = [
            sign * update.sign * claim.value.ravel()
            for (claim, sign), update in zip(claims, parts, strict=True)
        ]
        claimed = np.concatenate(down).astype(np.float64)
        factor, error = fitted(claimed, found.truth)
        yield replace(found, claim=claims[0][0], claimed=claimed, factor=factor, error=error)


def with_decay(found: Gradient) -> Gradient:
    """Take the parameter itself out of a claim, where that makes it right: decay of the weights."""
    weights = found.parameter.value.ravel()[found.places].astype(np.float64)
    both = np.c_[found.truth, weights]
    alike = 4 <= found.truth.size == found.claimed.size
    if not (alike and np.isfinite(found.claimed).all() and np.isfinite(both).all()):
        return found
    (factor, share), _, rank, _ = np.linalg.lstsq(both, found.claimed, rcond=None)
    length = max(float(np.linalg.norm(found.claimed)), 1e-300)
    error = float(np.linalg.norm(both @ (factor, share) - found.claimed)) / length
    if (
        error >= CLOSE
        or rank < 2
        or factor * share <= 0
        or abs(factor) * np.linalg.norm(found.truth) < 1e-3 * length
    ):
        return found
    return replace(found, factor=float(factor), error=float(error), decay=float(share))


def _usual_factor(
    gradients: Sequence[Gradient], parts: Mapping[Node, list[Update]], reached: set[Node]
) -> float | None:
    """Return the factor that most of the gradients have.

    Of factors that are as frequent, that of an exact derivative counts, or else that of the
    gradient next to the output, to which the way back is short.
    """
    known = [one for one in gradients if one.factor is not None and one.error < CLOSE]
    if not known:
        return None

    def worth(one: Gradient) -> tuple[int, bool, int]:
        alike = sum(is_same(one.factor or 0.0, other.factor or 0.0) for other in known)
        used = next((n.place for n in reached_in_order if one.parameter in n.parents), 0)
        if sum(other.factor is not None for other in known) == alike:
            return alike, True, used
        levels = summands(parts[one.parameter][0].step, reached)
        inner = [n for n in levels if n.value.size == one.truth.size]
        exact = bool(inner) and is_same(fitted(inner[-1].value, one.truth)[0] or 0.0, 1.0)
        exact = exact or any(is_same(one.factor or 0.0, rate) for rate in rates(levels[0]))
        return alike, exact, used

    reached_in_order = sorted(reached, key=lambda node: node.place)
    return max(known, key=worth).factor


def is_same(one: float, other: float) -> bool:
    """Whether two factors are the same, but for their signs."""
    return abs(abs(one) - abs(other)) <= SAME_FACTOR * abs(other)


def with_verdict(found: Gradient, factor: float | None) -> Gradient:
    """Return a gradient with its verdict, beside others that mostly have one factor."""
    if found.verdict == "unreached":
        return found
    if found.error >= CLOSE:
        is_noise = found.error < _NOISE and np.abs(found.truth).max() < _TINY
        return replace(found, verdict="unreached" if is_noise else "wrong")
    if factor is not None and found.factor is not None:
        off = abs(found.factor / factor - 1)
        same = off <= (_NOISE if np.abs(found.truth).max() < _TINY else SAME_FACTOR)
        return replace(found, verdict="right" if same else "scaled")
    return replace(found, verdict="right")
