"""The forms that a gradient may have within its step: through its rate, momentum, decay."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.judging.costs import Cost
from clearprop.gradcheck.seeing.judging.followed import Followed, followed, without_own
from clearprop.gradcheck.seeing.judging.judgement import (
    CLOSE,
    Gradient,
    fitted,
    is_same,
)
from clearprop.gradcheck.seeing.judging.steps import signed_summands
from clearprop.gradcheck.seeing.judging.updates import Update
from clearprop.gradcheck.seeing.operations import MOVING
from clearprop.gradcheck.seeing.tape import Node, Tape, depending

_FEW = 4  # entries, of which any numbers may be a multiple
_ALIKE = 2e-3  # the difference of the logarithms of two factors that are one


@dataclass(frozen=True)
class Forms:
    """The steps that parameters take, and the forms which their gradients may have within.

    parts
        The updates of each parameter.
    reached, forward
        The arrays that depend on a parameter, and those of them that the cost is computed from.
    penalised
        The parameters whose size the cost takes into account, which no decay is looked for in.
    """

    parts: Mapping[Node, list[Update]]
    reached: set[Node]
    forward: set[Node]
    penalised: set[Node]
    _known: dict[Node, list[Followed]] = field(default_factory=dict)

    def have_rates(self, gradients: Sequence[Gradient]) -> bool:
        """Whether the sizes of steps tell those of their gradients."""
        ways = (way for one in gradients if one.factor for way in self._followed(one, decays=False))
        return all(way.rate is not None for way in ways)

    def by_rates(self, gradients: Sequence[Gradient]) -> list[Gradient]:
        """Return gradients times their rates, where each step is one, beside decay and history.

        Empty where one of them is not: so a rate that one step lacks is seen, beside momentum, too.
        """
        found: dict[Node, Followed] = {}
        for one in gradients:
            if one.verdict == "unreached":
                continue
            ways = list(self._followed(one, decays=self._may_decay(one)))
            if len(self.parts[one.parameter]) > 1 or not ways or ways[-1].rate is None:
                return []
            # The innermost: history that goes along the gradient fits the truth, and adds to its
            # size.
            found[one.parameter] = ways[-1]
        rates = [way.rate or 0.0 for way in found.values()]
        differ = not all(is_same(rate, rates[0]) for rate in rates)
        return [
            self._through(one, way, (way.rate or 0.0) if differ else 1.0)
            if (way := found.get(one.parameter)) is not None
            else one
            for one in gradients
        ]

    def of_steps(self, gradients: Sequence[Gradient]) -> list[Gradient]:
        """Look for the gradients within the steps: what has a factor that most others have, too.

        Outside it a step may fit by chance, as the signs do that Adagrad begins with.
        """
        options = [
            [one] if one.verdict == "unreached" else list(self._of_one(one)) for one in gradients
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

    def _may_decay(self, one: Gradient) -> bool:
        return one.parameter not in self.penalised

    def _followed(self, one: Gradient, *, decays: bool) -> Iterator[Followed]:
        if one.parameter not in self._known:
            first = self.parts[one.parameter][0]
            ways = followed(first, one.truth, self.reached, self.forward)
            self._known[one.parameter] = list(ways)
        return (way for way in self._known[one.parameter] if decays or not way.decays)

    def _through(self, one: Gradient, way: Followed, rate: float = 1.0) -> Gradient:
        """Return a gradient that was followed into its step, times its rate there."""
        sign = way.sign * self.parts[one.parameter][0].sign
        claimed = rate * sign * way.node.value.ravel().astype(np.float64)
        factor, error = fitted(claimed, one.truth)
        decay = np.zeros(claimed.shape) if way.decays else None  # which the claim is without
        return replace(
            one, claim=way.node, claimed=claimed, factor=factor, error=error, decay=decay
        )

    def _of_one(self, one: Gradient) -> Iterator[Gradient]:
        """Yield a gradient in all forms that it may have, from outside in."""
        parts, decays = self.parts[one.parameter], self._may_decay(one)
        found = [one, *_within(one, parts, self.reached)]
        for inner in found:
            yield inner
            if decays:
                yield with_decay(inner)
        if len(parts) > 1:
            if decays and one.error >= CLOSE:
                yield from self._bare(one, [(part.step, part.sign) for part in parts])
            return
        if one.truth.size >= _FEW and any(form.error < CLOSE for form in found):
            return
        for way in self._followed(one, decays=decays):
            yield self._through(one, way)
        if decays and not any(form.error < CLOSE for form in found):
            for inner in (form for form in found if form.claim.value.size == form.claimed.size):
                sign = float(np.sign(inner.claim.value.ravel() @ inner.claimed))
                yield from self._bare(inner, [(inner.claim, sign)])

    def _bare(self, found: Gradient, claims: Sequence[tuple[Node, float]]) -> Iterator[Gradient]:
        """Yield a gradient to which shares of the parameter are added where its parts are summed.

        `claims` are its parts, each with 1 where it goes along the step, and -1 where against it.
        """
        parts = [
            (without_own(claim, found.parameter, self.reached, self.forward), sign)
            for claim, sign in claims
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


def penalised_roots(
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
