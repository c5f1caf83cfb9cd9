"""A gradient followed into its step: any rule that makes steps of gradients entry by entry.

Momentum of every kind, Adam and its kin, Rprop, clipping by norm, decay: they have in common that a
gradient turned round turns the step round, entry by entry, and that nothing else of this forward
pass takes part but other gradients' norms and the parameter itself.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.judging.judgement import CLOSE, fitted
from clearprop.gradcheck.seeing.judging.updates import Update, region
from clearprop.gradcheck.seeing.operations import MOVING
from clearprop.gradcheck.seeing.tape import Node, computed, depending

_SCALING = ("divide", "multiply", "negative")
_MOST = 80  # nodes behind a step in which its gradient is looked for
_MOST_SINGLE = 24  # where it is a single number, of which any other one is a multiple
_SHRINKING = 0.8  # of the weights, by decay; the roots of Adam turn some of them
_EXACT = 1e-5  # by which twice a gradient makes twice a step
_LEFT = 1e-9  # of the largest entry, which rounding may leave of a zero


@dataclass(frozen=True)
class Followed:
    """A gradient that was seen to become a step.

    Parameters
    ----------
    node : Node
        The gradient as the code computes it.
    sign : float
        1 where the step goes along it, and -1 where against it.
    decays : bool
        Whether the parameter itself adds to the step.
    rate : float or None
        What it is multiplied by to make the step, without its sign. None where that is no number,
        as with Adam or clipping by norm: the size of a step tells nothing of the gradient's then.
    """

    node: Node
    sign: float
    decays: bool
    rate: float | None


def followed(
    update: Update, truth: Array, reached: set[Node], forward: set[Node]
) -> Iterator[Followed]:
    """Yield what is a multiple of the truth and becomes a step as a gradient does.

    Parameters
    ----------
    update : Update
    truth : ndarray
        The derivative of the cost, flat.
    reached : set of Node
        All that was computed from the parameters before their update.
    forward : set of Node
        What the cost was computed from.
    """
    queue, seen = [update.step], set[Node]()
    most = _MOST if truth.size > 1 else _MOST_SINGLE
    while queue and len(seen) < most:
        node = queue.pop(0)
        if node in seen or node not in reached or _is_of(forward, node):
            continue
        seen.add(node)
        queue.extend(node.parents)
        if node.is_float and node.value.size == truth.size and not _is_parameter(node, reached):
            factor, error = fitted(node.value, truth)
            found = None
            if factor is not None and error < CLOSE:
                found = _way(update, node, float(np.sign(factor)), reached, forward)
            if found is not None:
                yield found


def _way(
    update: Update, gradient: Node, sense: float, reached: set[Node], forward: set[Node]
) -> Followed | None:
    """Return how a gradient becomes a step; None where it does not as a gradient should.

    `sense` is -1 where it is taken the other way round, as of the target minus the output.
    """
    way = _between(gradient, update.step)
    value = gradient.value.astype(np.float64)
    shares = {one for one in way if _is_past(one, value, reached)}
    way = _between(gradient, update.step, shares) if shares else way
    beside = {one for node in way for one in node.parents} - {gradient, *way}
    own = {one for one in beside if one in reached and is_own(one, update, reached)}
    past = {one for one in beside if _is_past(one, value, reached)}
    # What stands beside it in one array, as other gradients of one number do, may be anything.
    other = {one for one in (beside - own - past) & reached if not _is_norm(one, forward)}
    size = np.abs(value).max()
    bare = {one: np.zeros_like(one.value) for one in own}
    fresh = {one: np.zeros_like(one.value) for one in past}

    def step(known: dict[Node, Array], given: Array = value) -> Array:
        known = {**known, gradient: given}
        with np.errstate(all="ignore"):
            for node in way:
                known[node] = computed(node, lambda one: known.get(one, one.value))
        return np.asarray(known.get(update.step, update.step.value), np.float64).ravel()

    masked = value * (np.arange(value.size).reshape(value.shape) % 2)
    try:
        turned, some, twice = (
            step(bare, given) - step(bare, -given) for given in (value, masked, 2 * value)
        )
        shrunk = step(fresh) - step(fresh | bare)
        changed = step({one: -3 * one.value for one in other}) if other else step({})
        if not np.array_equal(changed, step({})):
            return None
    except Exception:  # arguments of any kind fail in any way
        return None
    flat = value.ravel()
    if turned.size != flat.size:  # broadcasting has made another shape of it
        return None
    sign = float(np.sign(turned @ flat))
    if not (sign and _goes(turned, sign * flat, size) and _goes(some, sign * masked.ravel(), size)):
        return None
    times, error = fitted(turned, flat)
    double, off = fitted(twice, turned)
    is_rate = max(error, off) < _EXACT and abs((double or 0.0) - 2) < _EXACT
    rate = abs(times or 0.0) / 2 if is_rate else None
    weights = np.asarray(update.before.value, np.float64).ravel()
    if weights.size != shrunk.size or _share(sense * sign * shrunk * weights) < _SHRINKING:
        return None  # weights that grow by it
    return Followed(gradient, sign, bool(own), rate)


def _is_of(forward: set[Node], node: Node) -> bool:
    """Whether an array is one of the forward pass, or a part of one: a row that is looked up."""
    while node not in forward and node.name in MOVING and len(node.parents) == 1:
        node = node.parents[0]
    return node in forward


def without_own(claim: Node, root: Node, reached: set[Node], forward: set[Node]) -> Array | None:
    """Return what a claim is without the shares of the parameter that are added on the way to it.

    Such as those of the rows that a batch takes, each as often as it does. None where there is
    nothing of the kind.
    """
    way = _between(root, claim)
    added = {one for node in way if node.name in ("add", "subtract") for one in node.parents}
    own = (one for one in added & set(way) - forward if _is_parameter(one, reached))
    known = {one: np.zeros_like(one.value) for one in own}
    if not known:
        return None
    moved = depending(known, way, set())
    try:
        for node in way:
            if node in moved and node not in known:
                known[node] = computed(node, lambda one: known.get(one, one.value))
    except Exception:  # arguments of any kind fail in any way
        return None
    return np.asarray(known.get(claim, claim.value), np.float64)


def _is_parameter(node: Node, reached: set[Node]) -> bool:
    """Whether it is a parameter, a part or a multiple of it: one output's gradient may be, too."""
    while inner := [one for one in node.parents if one in reached]:
        if node.name == "setitem":  # another part of it has been updated
            node = inner[0]
            continue
        rest = sum(one.value.size for one in node.parents) - inner[0].value.size
        moves = node.name in (*MOVING, "take") or (node.name in _SCALING and rest <= 1)
        if not moves or len(inner) > 1:
            return False
        node = inner[0]
    return True


def _is_past(node: Node, gradient: Array, reached: set[Node]) -> bool:
    """Whether it is what earlier gradients have left, or a share of that.

    The number that says how much may well be made of this gradient, as with conjugate gradients.
    """
    while node in reached:
        whole = [one for one in node.parents if one.value.shape == gradient.shape]
        if node.name not in _SCALING or len(whole) != 1 or gradient.size == 1:
            return False
        if any(one.value.size > 1 for one in node.parents if one is not whole[0]):
            return False
        node = whole[0]
    return bool(node.parents) and node.value.shape == gradient.shape


def _share(array: Array) -> float:
    """Return the share of entries above 0 of those that are not 0."""
    return float(np.mean(array[array != 0] > 0)) if array.any() else 1.0


def _goes(step: Array, gradient: Array, size: float) -> bool:
    """Whether a step goes along a gradient, in each entry for itself."""
    if step.size != gradient.size or not np.isfinite(step).all():
        return False
    none = np.abs(gradient) <= _LEFT * size
    still = np.abs(step) <= _LEFT * np.abs(step).max()
    return bool(np.all(np.where(gradient == 0, still, none | (step * gradient > 0))))


def _between(first: Node, last: Node, without: Set[Node] = frozenset()) -> list[Node]:
    """Return what was computed of one node on the way to another, in the order of the tape."""
    leads: dict[Node, bool] = dict.fromkeys(without, False) | {first: True}
    stack = [last]
    while stack:
        node = stack[-1]
        if node in leads:
            stack.pop()
            continue
        later = [one for one in node.parents if one.place > first.place and one not in leads]
        if later:
            stack.extend(later)
            continue
        leads[node] = any(leads.get(one, False) for one in node.parents)
        stack.pop()
    found = [node for node, does in leads.items() if does and node is not first]
    return sorted(found, key=lambda node: node.place)


def is_own(node: Node, update: Update, reached: set[Node]) -> bool:
    """Whether something was made of the parameter alone, entry by entry: decay."""
    root, own = update.root, None if update.before is update.root else region(update.before)
    stack, seen = [node], set[Node]()
    while stack:
        one = stack.pop()
        if one in seen or one is root:
            continue
        seen.add(one)
        if own is not None and one.name in MOVING and region(one) == own:
            continue  # of a part, another look at it
        inner = [parent for parent in one.parents if parent in reached]
        if not inner or one.value.size != update.before.value.size:
            return False
        stack.extend(inner)
    return True


def _is_norm(node: Node, forward: set[Node]) -> bool:
    """Whether it may be the size of gradients: of all of them, say."""
    return node.value.size == 1 and node not in forward and bool(np.all(node.value >= 0))
