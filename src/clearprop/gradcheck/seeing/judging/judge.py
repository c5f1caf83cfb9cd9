"""The verdict on gradients that were seen: each against the true derivative of the cost."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.derivatives import derivatives
from clearprop.gradcheck.seeing.judging.bootstrapped import bootstrapped, is_tried
from clearprop.gradcheck.seeing.judging.choosing import best_of
from clearprop.gradcheck.seeing.judging.costs import Cost, costs
from clearprop.gradcheck.seeing.judging.episodes import Episode
from clearprop.gradcheck.seeing.judging.forgotten import forgotten
from clearprop.gradcheck.seeing.judging.forms import (
    Forms,
    penalised_roots,
)
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
from clearprop.gradcheck.seeing.judging.sampled import sampled
from clearprop.gradcheck.seeing.judging.steps import rates, summands
from clearprop.gradcheck.seeing.judging.updates import Update
from clearprop.gradcheck.seeing.tape import Line, Node, Tape, ancestors, beside

MOST_COSTS = 60
_SMALL = 1e-4  # derivatives below it may be off by that without a mistake: an epsilon is more
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
    results = {update.result for update in updates}
    reached = episode.reached(tape, results)
    if cost is not None:
        return _judge(episode, known_cost(cost), reached, set(), text)
    best = _best(tape, episode, reached, text)
    if best is not None and best.passed:
        return best
    if is_tried((update.step for update in episode.updates), reached, episode.roots):
        return None
    given = bootstrapped(reached, text)
    if given:
        less = _best(tape, episode, episode.reached(tape, results | given), text)
        if less is not None and (best is None or less.passed or less.right >= best.right):
            return replace(less, given=tuple(given))
    return best


def _best(
    tape: Tape, episode: Episode, reached: set[Node], text: Callable[[Line], str]
) -> Judgement | None:
    every = list(islice(costs(episode, reached, text, episode.until(tape)), MOST_COSTS))
    penalised = penalised_roots(tape, episode.roots, reached, every)
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
    if best is not None and not best.passed and sampled(best) is not None:
        unclear = (replace(one, verdict="unreached") for one in best.gradients)
        return replace(best, gradients=tuple(unclear))
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
    gradients = without_cancelled(gradients, parts, forward, known)
    if all(one.verdict == "unreached" for one in gradients):
        return None
    is_within = any(one.error >= CLOSE for one in gradients)  # through momentum, Adam, or wrong
    if is_within or not _are_alike(gradients):
        forms = Forms(parts, reached, forward, penalised)
        direct = forms.by_rates(gradients)
        if direct and (is_within or _are_alike(direct)):
            gradients = direct
        elif is_within or not forms.have_rates(gradients):
            gradients = forms.of_steps(gradients)
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
