"""The verdict on gradients that were seen: each against the true derivative of the cost."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.derivatives import derivatives
from clearprop.gradcheck.seeing.judging.choosing import best_of
from clearprop.gradcheck.seeing.judging.costs import Cost, costs
from clearprop.gradcheck.seeing.judging.followed import Followed, followed, without_own
from clearprop.gradcheck.seeing.judging.forgotten import forgotten
from clearprop.gradcheck.seeing.judging.judgement import (
    CLOSE,
    SAME_FACTOR,
    Gradient,
    Judgement,
    fitted,
    is_same,
)
from clearprop.gradcheck.seeing.judging.rates import of_own_rates
from clearprop.gradcheck.seeing.judging.rounding import without_cancelled, without_rounding
from clearprop.gradcheck.seeing.judging.steps import rates, signed_summands, summands
from clearprop.gradcheck.seeing.judging.updates import Episode, Update
from clearprop.gradcheck.seeing.operations import MOVING
from clearprop.gradcheck.seeing.tape import Line, Node, Tape, ancestors, beside, depending

MOST_COSTS = 60
_SMALL = 1e-4  # derivatives below it may be off by that without a mistake: an epsilon is more
_FEW = 4  # entries, of which any numbers may be a multiple
_ALIKE = 2e-3  # the difference of the logarithms of two factors that are one
_NOISE, _TINY = 0.01, 1e-6  # an error that rounding makes of derivatives so small
_RATE = re.compile(r"(?<![\w.])(?:\d*\.\d+(?:e-?\d+)?|\d+e-\d+)\b")  # a number with a point
VANISHED = 1e-25  # below it exponentials have left nothing that could be compared


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
        return _judge(episode, known_cost(cost), reached, set(), text)
    every = list(islice(costs(episode, reached, text, episode.until(tape)), MOST_COSTS))
    penalised = _penalised(tape, episode.roots, reached, every)
    episode = replace(episode, updates=tuple(_whole(one, penalised) for one in episode.updates))
    tried: list[Judgement] = []
    for one in every:
        found = _judge(episode, one, reached, penalised, text)
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


def _whole(update: Update, penalised: set[Node]) -> Update:
    """Return an update with its decay, which is a part of the gradient where the cost has it."""
    root = update.root
    if root not in penalised or update.before is root or update.before.value.size < root.value.size:
        return update
    change = update.sign * (root.value - update.result.value)
    return replace(update, before=root, step=beside(update.step, change))


def known_cost(cost: Node) -> Cost:
    """Return a number that is known to be the cost."""
    return Cost("the cost", {cost: np.ones(cost.value.shape)}, True, True)


def _judge(
    episode: Episode,
    cost: Cost,
    reached: set[Node],
    penalised: set[Node],
    text: Callable[[Line], str],
) -> Judgement | None:
    if not all(np.isfinite(seed.value).all() for seed in cost.seeds):
        return None
    known, _ = derivatives(cost.seeds, reached)
    parts: dict[Node, list[Update]] = {}
    for update in episode.updates:
        parts.setdefault(update.root, []).append(update)
    tied = _tied(parts, known)
    known |= {root: np.sum([known[one] for one in copies], axis=0) for root, copies in tied.items()}
    gradients: Sequence[Gradient] = without_rounding(
        [
            replace(_of_change(root, some, known), copies=tied.get(root, ()))
            for root, some in parts.items()
        ]
    )
    forward = ancestors(cost.seeds, reached)
    gradients = without_cancelled(gradients, parts, forward)
    if all(one.verdict == "unreached" for one in gradients):
        return None
    is_within = any(one.error >= CLOSE for one in gradients)  # through momentum, Adam, or wrong
    if is_within or not _are_alike(gradients):
        direct = _by_rates(gradients, parts, reached, forward, penalised)
        if direct and (is_within or _are_alike(direct)):
            gradients = direct
        elif is_within or not _have_rates(gradients, parts, reached, forward):
            gradients = _of_steps(gradients, parts, reached, forward, penalised)
        if all(one.error < CLOSE for one in gradients):
            gradients = of_own_rates(gradients, parts, text)
    factor = _usual_factor(gradients, parts, reached, text)
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


def _tied(
    parts: Mapping[Node, list[Update]], known: Mapping[Node, Array]
) -> dict[Node, tuple[Node, ...]]:
    """Return the copies of shared weights, which take the same steps: that of all of them.

    Such as those of neurons of a convolution, each of which is an object of its own.
    """
    alike: dict[tuple[bytes, bytes], list[Node]] = {}
    for root, some in parts.items():
        if len(some) == 1 and root in known and root.value.size > 1 and np.ptp(root.value):
            key = root.value.tobytes(), some[0].descent.tobytes()
            alike.setdefault(key, []).append(root)
    found: dict[Node, tuple[Node, ...]] = {}
    for copies in alike.values():
        whole = sum((known[root] for root in copies), np.zeros(()))
        if len(copies) > 1 and fitted(parts[copies[0]][0].descent, whole)[1] < CLOSE:
            found |= dict.fromkeys(copies, tuple(copies))
    return found


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


def _are_alike(gradients: Sequence[Gradient]) -> bool:
    """Whether gradients have one factor."""
    factors = [one.factor for one in gradients if one.factor]
    return all(is_same(factor, factors[0]) for factor in factors)


def _have_rates(
    gradients: Sequence[Gradient],
    parts: Mapping[Node, list[Update]],
    reached: set[Node],
    forward: set[Node],
) -> bool:
    """Whether the sizes of steps tell those of their gradients."""
    ways = (
        way
        for one in gradients
        if one.factor
        for way in followed(parts[one.parameter][0], one.truth, reached, forward, decays=False)
    )
    return all(way.rate is not None for way in ways)


def _by_rates(
    gradients: Sequence[Gradient],
    parts: Mapping[Node, list[Update]],
    reached: set[Node],
    forward: set[Node],
    penalised: set[Node],
) -> list[Gradient]:
    """Return gradients times their rates, where each step is one, beside decay and history.

    Empty where one of them is not: so a rate that one step lacks is seen, beside momentum, too.
    """
    found: dict[Node, Followed] = {}
    for one in gradients:
        some = parts[one.parameter]
        if one.verdict == "unreached":
            continue
        decays = one.parameter not in penalised
        ways = list(followed(some[0], one.truth, reached, forward, decays=decays))
        if len(some) > 1 or not ways or ways[-1].rate is None:
            return []
        # The innermost: history that goes along the gradient fits the truth, and adds to its size.
        found[one.parameter] = ways[-1]
    rates = [way.rate or 0.0 for way in found.values()]
    differ = not all(is_same(rate, rates[0]) for rate in rates)
    return [
        _through(one, way, parts[one.parameter][0], (way.rate or 0.0) if differ else 1.0)
        if (way := found.get(one.parameter)) is not None
        else one
        for one in gradients
    ]


def _through(one: Gradient, way: Followed, update: Update, rate: float = 1.0) -> Gradient:
    """Return a gradient that was followed into its step, times its rate there."""
    claimed = rate * way.sign * update.sign * way.node.value.ravel().astype(np.float64)
    factor, error = fitted(claimed, one.truth)
    decay = np.zeros(claimed.shape) if way.decays else None  # which the claim is without
    return replace(one, claim=way.node, claimed=claimed, factor=factor, error=error, decay=decay)


def _of_steps(
    gradients: Sequence[Gradient],
    parts: Mapping[Node, list[Update]],
    reached: set[Node],
    forward: set[Node],
    penalised: set[Node],
) -> list[Gradient]:
    """Look for the gradients within the steps: what has a factor that most others have, too.

    Outside it a step may fit by chance, as the signs do that Adagrad begins with.
    """
    options = [
        [one]
        if one.verdict == "unreached"
        else list(_forms(one, parts[one.parameter], reached, forward, penalised))
        for one in gradients
    ]

    def suits(one: Gradient, factor: float) -> bool:
        fits = one.error < CLOSE and one.factor
        return bool(fits and abs(math.log(abs(one.factor or 1.0) / factor)) < _ALIKE)

    factors = dict.fromkeys(
        abs(one.factor) for some in options for one in some if one.error < CLOSE and one.factor
    )
    common = max(
        factors,
        key=lambda factor: sum(any(suits(one, factor) for one in some) for some in options),
        default=1.0,
    )

    def worth(one: Gradient) -> tuple[bool, bool, float]:
        fits = one.error < CLOSE
        return suits(one, common), fits, 0.0 if fits else -one.error

    return [max(some, key=worth) for some in options]


def _forms(
    one: Gradient,
    parts: Sequence[Update],
    reached: set[Node],
    forward: set[Node],
    penalised: set[Node],
) -> Iterator[Gradient]:
    """Yield a gradient in all forms that it may have, from outside in."""
    found = [one, *_within(one, parts, reached)]
    decays = one.parameter not in penalised
    for inner in found:
        yield inner
        if decays:
            yield with_decay(inner)
    if len(parts) > 1:
        if decays and one.error >= CLOSE:
            yield from _bare(one, [(part.step, part.sign) for part in parts], reached, forward)
        return
    if one.truth.size >= _FEW and any(form.error < CLOSE for form in found):
        return
    for way in followed(parts[0], one.truth, reached, forward, decays=decays):
        yield _through(one, way, parts[0])
    if decays and not any(form.error < CLOSE for form in found):
        for inner in (form for form in found if form.claim.value.size == form.claimed.size):
            sign = float(np.sign(inner.claim.value.ravel() @ inner.claimed))
            yield from _bare(inner, [(inner.claim, sign)], reached, forward)


def _bare(
    found: Gradient, claims: Sequence[tuple[Node, float]], reached: set[Node], forward: set[Node]
) -> Iterator[Gradient]:
    """Yield a gradient to which shares of the parameter are added where its parts are summed up.

    `claims` are its parts, each with 1 where it goes along the step, and -1 where against it.
    """
    parts = [
        (without_own(claim, found.parameter, reached, forward), sign) for claim, sign in claims
    ]
    bare = [sign * part.ravel() for part, sign in parts if part is not None]
    if len(bare) < len(parts):
        return
    claimed = np.concatenate(bare)
    if not claimed.size == found.truth.size == found.claimed.size:
        return
    decay = found.claimed - claimed
    factor, error = fitted(claimed, found.truth)
    shrinks = (factor or 0.0) * decay * found.parameter.value.ravel()[found.places] >= 0
    if error < CLOSE and np.all(shrinks):
        yield replace(found, factor=factor, error=error, decay=decay)


def _penalised(
    tape: Tape, roots: Sequence[Node], reached: set[Node], every: Sequence[Cost]
) -> set[Node]:
    """Return the parameters whose size a cost of the code takes into account: L2, L1."""
    named = {seed for cost in every if cost.is_named for seed in cost.seeds}
    last = max((seed.place for seed in named), default=-1)
    whose: dict[Node, Node] = {root: root for root in roots}  # of a parameter, or a part of one
    found = set()
    for node in sorted(reached, key=lambda one: one.place):
        part = next((one for one in node.parents if one in whose), None)
        if part is None or node.place > last:
            continue
        args = [one for one in node.args if isinstance(one, Node) and one.value.size > 1]
        scales = node.name in ("multiply", "divide") and len(args) == 1
        if (node.name in MOVING or scales) and node not in whose:
            whose[node] = whose[part]
        both = len(args) == 2 and all(whose.get(one) is whose[part] for one in args)
        is_size = node.name in ("square", "power", "norm", "absolute") or (
            both and node.name in ("multiply", "dot", "matmul", "inner", "vdot")
        )
        if is_size and depending([node], tape.nodes[node.place : last + 1], set()) & named:
            found.add(whose[part])
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
    """Take the parameter itself out of a claim, where that makes it right: decay of the weights.

    A column or a row of biases among the weights may be left without it.
    """
    alike = 4 <= found.truth.size == found.claimed.size
    if not (alike and np.isfinite(found.claimed).all()):
        return found
    for weights in _decaying(found):
        both = np.c_[found.truth, weights]
        if not np.isfinite(both).all():
            return found
        (factor, share), _, rank, _ = np.linalg.lstsq(both, found.claimed, rcond=None)
        length = max(float(np.linalg.norm(found.claimed)), 1e-300)
        error = float(np.linalg.norm(both @ (factor, share) - found.claimed)) / length
        if (
            error < CLOSE
            and rank == 2
            and factor * share > 0
            and abs(factor) * np.linalg.norm(found.truth) >= 1e-3 * length
        ):
            decay = float(share) * weights
            return replace(found, factor=float(factor), error=error, decay=decay)
    return found


def _decaying(found: Gradient) -> Iterator[Array]:
    """Yield what of a parameter may decay: all of it, or all but its first column or row."""
    whole = found.parameter.value.astype(np.float64)
    yield whole.ravel()[found.places]
    for axis in (1, 0) if whole.ndim == 2 else ():
        if whole.shape[axis] > 1:
            part = whole.copy()
            np.moveaxis(part, axis, 0)[0] = 0
            yield part.ravel()[found.places]


def _usual_factor(
    gradients: Sequence[Gradient],
    parts: Mapping[Node, list[Update]],
    reached: set[Node],
    text: Callable[[Line], str],
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
        # Python has computed 0.1 * 2 before it runs: the rate itself stands in the text alone.
        written = [
            float(found) for line in levels[0].lines[:1] for found in _RATE.findall(text(line))
        ]
        known_rates = (*rates(levels[0]), *written)
        exact = exact or any(is_same(one.factor or 0.0, rate) for rate in known_rates)
        return alike, exact, used

    reached_in_order = sorted(reached, key=lambda node: node.place)
    return max(known, key=worth).factor


def with_verdict(found: Gradient, factor: float | None) -> Gradient:
    """Return a gradient with its verdict, beside others that mostly have one factor."""
    if found.verdict == "unreached":
        return found
    if found.error >= CLOSE:
        is_noise = found.error < _NOISE and np.abs(found.truth).max() < _TINY
        return replace(found, verdict="unreached" if is_noise else "wrong")
    if factor is not None and found.factor is not None:
        off = abs(found.factor / factor - 1)
        same = off <= (_NOISE if np.abs(found.truth).max() < _SMALL else SAME_FACTOR)
        return replace(found, verdict="right" if same else "scaled")
    return replace(found, verdict="right")
