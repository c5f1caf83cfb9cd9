"""The line that makes a gradient wrong: the first on the way back that spoils what was right."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import CodeType

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.judging.judgement import CLOSE, Gradient, Judgement, Largest, fitted
from clearprop.gradcheck.seeing.judging.meetings import meetings
from clearprop.gradcheck.seeing.judging.steps import summands
from clearprop.gradcheck.seeing.tape import Line, Node, Replay, Tape, ancestors, depending

_SECONDS = 6.0  # for the search
_EMPTY = frozenset(("zeros_like", "ones_like", "empty_like", "full_like"))
"""Operations that take nothing but a shape of an array."""

_MOST_WANTED = 40  # arrays of one shape, whose derivative a line may have to give


@dataclass(frozen=True)
class Match:
    """An array that is the derivative of the cost with respect to another one.

    Parameters
    ----------
    of : Node
    factor : float
        What that derivative was multiplied by.
    """

    of: Node
    factor: float


@dataclass(frozen=True)
class Blame:
    """The place where a gradient becomes wrong.

    Parameters
    ----------
    node : Node
        What is computed there.
    inputs : dict of Node to Match
        Those of its inputs that are derivatives of the cost, and of what.
    wanted : Node or None
        The array with respect to which it should give the derivative, where that is known.
    expected : ndarray or None
        What it should be, of its shape.
    mended : tuple of Gradient
        The gradients that would be right then.
    gradient : Gradient
        The gradient that led here.
    line : Line or None
        The line of it: where a function of the forward pass is called, the line that calls it.
    left_out : Node or None
        A sum that the array wanted goes into, and by way of which nothing comes back.
    """

    node: Node
    inputs: Mapping[Node, Match]
    wanted: Node | None
    expected: Array | None
    mended: tuple[Gradient, ...]
    gradient: Gradient
    line: Line | None = None
    left_out: Node | None = None


class Trail:
    """The way back of a judgement, on which arrays are recognised as derivatives.

    Parameters
    ----------
    tape : Tape
    judgement : Judgement
    """

    def __init__(self, tape: Tape, judgement: Judgement) -> None:
        self.tape, self.judgement = tape, judgement
        self._by_size: dict[int, list[tuple[Node, Array]]] = {}
        self._largest: dict[Node, Largest] = {}
        for node, derivative in judgement.derivatives.items():
            if np.isfinite(derivative).all() and derivative.any():
                self._by_size.setdefault(derivative.size, []).append((node, derivative))
                self._largest[node] = Largest.of(derivative)
        self._matches: dict[Node, Match | None] = {}
        self._went: set[tuple[CodeType, int]] | None = None
        self.updated = frozenset(one.result for one in judgement.gradients if one.result)
        """The parameters as they are after their update, which no gradient should be made of."""
        self.forward = frozenset(ancestors(judgement.cost.seeds))
        """All that the cost was computed from."""
        last = max(one.claim.place for one in judgement.gradients)
        before = (one for one in judgement.reached if one.place <= last)
        in_order = sorted(before, key=lambda one: one.place)
        self.met = {meeting.at for meeting in meetings(in_order, judgement.reached)}
        """Where outputs meet their targets."""
        self.factors = self._factors()
        """What the innermost claim of each gradient should be a multiple of the truth by."""
        self.sums: dict[Node, list[Node]] = {}
        """The sums that an array goes into, by array."""
        for node in judgement.derivatives:
            for part in node.parents if node.name == "add" else ():
                if part in judgement.derivatives and part.value.shape == node.value.shape:
                    self.sums.setdefault(part, []).append(node)
        self.backward = self._backward(in_order, last)
        """All that was computed of an output and its target, and is no part of the cost."""

    def line(self, node: Node) -> Line | None:
        """Return the innermost line of a node that is none of the forward pass."""
        if self._went is None:
            # Earlier steps, too, have led to the cost, and to the weights that it begins with.
            went = (one.line for one in self.forward & self.judgement.reached)
            self._went = {(one.code, one.instruction) for one in went if one is not None}
        own = (one for one in node.lines if (one.code, one.instruction) not in self._went)
        return next(own, node.line)

    def _backward(self, in_order: Sequence[Node], last: int) -> set[Node]:
        if not self.met:
            return {one for one in in_order if one not in self.forward}
        first = min(node.place for node in self.met)
        return depending(self.met, self.tape.nodes[first : last + 1], set())

    def match(self, node: Node) -> Match | None:
        """Return what a node is the derivative with respect to, if anything."""
        if node not in self._matches:
            self._matches[node] = self._find(node)
        return self._matches[node]

    def _find(self, node: Node) -> Match | None:
        value = node.value
        if not node.is_float or not value.any():
            return None
        forms = [value, value.T] if value.ndim == 2 and min(value.shape) > 1 else [value]
        flat, norm = [form.ravel() for form in forms], float(np.linalg.norm(value))
        for other, derivative in self._by_size.get(value.size, ()):
            for form, entries in zip(forms, flat, strict=True):
                if not self._largest[other].may_fit(entries, norm):
                    continue
                squeezed = np.squeeze(form).shape == np.squeeze(derivative).shape
                if not squeezed:
                    continue
                factor, error = fitted(form, derivative)
                if error >= CLOSE or factor is None:
                    continue
                if value.size == 1 and not self._is_known(factor):
                    continue
                return Match(other, factor)
        return None

    def _is_known(self, factor: float) -> bool:
        known = (1.0, self.judgement.factor or 1.0)
        return any(abs(abs(factor) - abs(one)) < 1e-4 * abs(one) for one in known)

    def of_size(self, size: int) -> list[tuple[Node, Array]]:
        """Return the arrays of so many entries, and the derivatives with respect to them."""
        return self._by_size.get(size, [])

    def fronts(self, gradient: Gradient) -> Iterator[Node]:
        """Yield where a wrong gradient begins: what is no derivative, of inputs that are."""
        stack, seen = [gradient.claim], set()
        if gradient.claim not in self.backward:  # no error has come back to it
            yield from self._above(gradient)
            return
        while stack:
            node = stack.pop()
            if node in seen or node.compute is None or node in self.updated:
                continue
            seen.add(node)
            if node.name in _EMPTY:
                continue
            given = self.updated | self.forward
            back = [one for one in node.parents if one in self.backward and one not in given]
            spoiled = [one for one in back if self.match(one) is None]
            if not spoiled:
                yield node
            stack.extend(spoiled)

    def _above(self, gradient: Gradient) -> Iterator[Node]:
        """Yield what a gradient is computed from, where it never met a target."""
        forward = self.forward
        stack, seen = [gradient.claim], set()
        while stack:
            node = stack.pop()
            if node in seen or node in forward or node not in self.judgement.reached:
                continue
            seen.add(node)
            if node.name not in _EMPTY:
                yield node
            stack.extend(node.parents)

    def whole(self, node: Node, gradient: Gradient) -> Node:
        """Return what the statement that a node is a part of computes on the way to a gradient."""
        above = ancestors([gradient.claim])
        while node is not gradient.claim:
            child = next(
                (
                    one
                    for one in self.tape.nodes[node.place + 1 : gradient.claim.place + 1]
                    if node in one.parents and one in above
                ),
                None,
            )
            if child is None or not same_line(node, child):
                break
            node = child
        return node

    def claims_with(self, node: Node, value: Array, gradient: Gradient) -> Array | None:
        """Compute a gradient anew, as if a node had another value; flat, None if that fails."""
        if gradient.claim is node:
            claimed = np.asarray(value).ravel()
        else:
            try:
                (claim,) = Replay(self.tape, [node], [gradient.claim])({node: value})
            except (ValueError, TypeError, IndexError, ArithmeticError, AttributeError):
                return None
            claimed = np.asarray(claim).ravel()
        return claimed if claimed.size == gradient.truth.size else None

    def mends(self, node: Node, value: Array, gradient: Gradient) -> bool:
        """Whether a gradient would be right if a node had another value."""
        claimed = self.claims_with(node, value, gradient)
        if claimed is None:
            return False
        factor, error = fitted(claimed, gradient.truth)
        return error < CLOSE and factor is not None and self.is_usual(factor, gradient)

    def spoils(self, node: Node, value: Array) -> bool:
        """Whether a gradient that is right would be wrong if a node had another value."""
        right = (one for one in self.judgement.gradients if one.verdict == "right")
        return not all(
            self.mends(node, value, replace(one, claim=self.innermost(one))) for one in right
        )

    def is_usual(self, factor: float, gradient: Gradient) -> bool:
        """Whether a factor is the one that a gradient should have, beside those that are right."""
        expected = self.factors.get(gradient.parameter)
        return expected is None or abs(factor - expected) <= 1e-3 * abs(expected)

    @property
    def wrong(self) -> list[Gradient]:
        """The gradients that are not right, each with its innermost claim."""
        return [
            replace(one, claim=self.innermost(one))
            for one in self.judgement.gradients
            if one.verdict in ("wrong", "scaled")
        ]

    def innermost(self, gradient: Gradient) -> Node:
        """Return the gradient itself, without the rate and whatever else is done to it."""
        levels = summands(gradient.claim, self.judgement.reached)
        met = next((k for k, one in enumerate(levels) if one in self.met), len(levels))
        levels = levels[: met + 1]  # what is less by its target is no gradient and its history
        size = gradient.claim.value.size
        fitting = [one for one in levels if one.value.size == size and one.line is not None]
        return next(iter(fitting[::-1]), gradient.claim)

    def _factors(self) -> dict[Node, float]:
        """Return for each parameter what the innermost claim of it is of the truth, if right."""
        found: dict[Node, float] = {}
        for one in self.judgement.gradients:
            claim = self.innermost(one).value.ravel()
            if one.verdict == "right":
                factor, error = fitted(claim, one.truth)
            else:
                factor, error = fitted(claim, one.claimed)
                if factor is None or self.judgement.factor is None:
                    continue
                factor *= self.judgement.factor
            if factor is not None and error < CLOSE:
                found[one.parameter] = factor
        return found


def find_blame(tape: Tape, judgement: Judgement) -> list[Blame]:
    """Find the places where gradients become wrong, the likeliest first.

    That is the one that would mend most of them; of several the first on the way back. A long way
    back, such as that of a recurrent network, is searched as far as time allows.
    """
    trail = Trail(tape, judgement)
    end = time.monotonic() + _SECONDS
    wrong = trail.wrong
    found: dict[Node, Blame] = {}
    for gradient in wrong:
        is_scaled = gradient.verdict == "scaled"
        for front in [_scaling(trail, gradient)] if is_scaled else trail.fronts(gradient):
            node = trail.whole(front, gradient)
            for one in (
                *branches(trail, node, gradient, wrong),
                _blame(trail, node, gradient, wrong, end),
                *_inputs(trail, node, gradient, wrong, end),
            ):
                if one.node not in found or len(one.mended) > len(found[one.node].mended):
                    found[one.node] = one
    # Where no error has come back, any array may be where it should have.
    sure = [one for one in found.values() if one.node in trail.backward or one.mended]
    claims = {one.claim for one in wrong}

    def worth(one: Blame) -> tuple[int, bool, bool, int]:  # a gradient alone says nothing
        mended = 0 if one.node in claims and len(one.mended) < 2 else len(one.mended)
        match = one.node in claims or bool(trail.match(one.node))
        return -mended, one.node in trail.forward, match, one.node.place

    # What no line of the code computes was put down for values that keep their own gradients.
    told = [one for one in sure if trail.line(one.node) is not None]
    told.sort(key=worth)
    return [replace(one, line=one.line or trail.line(one.node)) for one in told]


def _inputs(
    trail: Trail, node: Node, gradient: Gradient, wrong: list[Gradient], end: float
) -> Iterator[Blame]:
    """Yield the inputs of a statement that are the derivative with respect to another array.

    A delta, for instance, that was sent back through W and not through the activation.
    """
    stack, seen = [node], set()
    while stack:
        one = stack.pop()
        if one in seen or one not in trail.backward:
            continue
        seen.add(one)
        if same_line(one, node):
            stack.extend(one.parents)
            continue
        match = trail.match(one)
        if match is None or one.value.size == 1:
            continue
        if _hands_on(trail, one, match):
            yield Blame(one, {}, None, None, (), gradient)
        for of, derivative in trail.of_size(one.value.size)[:_MOST_WANTED]:
            if time.monotonic() > end:
                return
            if of is match.of or fitted(one.value, derivative)[1] < CLOSE:
                continue
            for expected in _shaped(match.factor * derivative, one.value.shape):
                mended = tuple(bad for bad in wrong if trail.mends(one, expected, bad))
                if mended and not trail.spoils(one, expected):
                    yield Blame(one, {}, of, expected, mended, gradient)


def branches(
    trail: Trail, node: Node, gradient: Gradient, wrong: list[Gradient]
) -> Iterator[Blame]:
    """Yield what comes back to an array by one way of two, where the other is a sum: a residual.

    It is no fault of the layer that it comes from, but of what calls the layer, and adds.
    """
    matches = (trail.match(one) for one in node.parents)
    factor = next((match.factor for match in matches if match is not None), 1.0)
    for of, derivative in trail.of_size(node.value.size):
        for whole in trail.sums.get(of, ()):
            rest = derivative - trail.judgement.derivatives[whole]
            if node.value.shape != rest.shape or fitted(node.value, rest)[1] >= CLOSE:
                continue
            expected = factor * derivative
            mended = tuple(one for one in wrong if trail.mends(node, expected, one))
            at = whole.line
            owners = [] if at is None else [(at.file, at.code.co_qualname.rpartition(".")[0])]
            line = next(
                (
                    one
                    for one in node.lines
                    if (one.file, one.code.co_qualname.rpartition(".")[0]) in owners
                ),
                None,
            )
            yield Blame(node, {}, of, expected, mended, gradient, line, whole)


def _hands_on(trail: Trail, node: Node, match: Match) -> bool:
    """Whether a line gives what came back to it as it was: a derivative of 1 was multiplied by."""
    if node.name not in ("multiply", "matmul", "dot") or node in trail.forward:
        return False
    came = [one for one in node.parents if one in trail.backward and not same_line(one, node)]
    return any(
        one.value.size == node.value.size
        and (before := trail.match(one)) is not None
        and before.of is match.of
        for one in came
    )


def _scaling(trail: Trail, gradient: Gradient) -> Node:
    """Return where a factor comes in that other gradients don't have."""
    usual, own = trail.factors.get(gradient.parameter), trail.match(gradient.claim)
    if usual is None or own is None:
        return gradient.claim
    excess = own.factor / usual
    changes, negative, seen = [gradient.claim], [], set()
    stack = [gradient.claim]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        match = trail.match(node)
        back = [one for one in node.parents if one in trail.backward]
        stack.extend(back)
        if match is None:
            continue
        if match.factor < 0:
            negative.append(node)
        for parent in back:
            before = trail.match(parent)
            if before is not None and abs(match.factor / before.factor / excess - 1) < 1e-3:
                changes.append(node)
    if excess < 0 and len(changes) == 1:  # the difference itself is taken the wrong way round
        changes += negative
    return min(changes, key=lambda node: node.place)


def same_line(one: Node, other: Node) -> bool:
    """Whether two nodes were computed in the same line of the same call."""
    a, b = one.line, other.line
    return a is not None and b is not None and (a.file, a.number) == (b.file, b.number)


def _blame(
    trail: Trail, node: Node, gradient: Gradient, wrong: list[Gradient], end: float
) -> Blame:
    inputs = {
        one: match
        for one in node.parents
        if one in trail.backward and (match := trail.match(one)) is not None
    }
    usual = trail.factors.get(gradient.parameter, 1.0)
    factor = next((one.factor for one in inputs.values()), usual)
    best: tuple[int, Node | None, Array | None, tuple[Gradient, ...]] = (0, None, None, ())
    for of, derivative in trail.of_size(node.value.size)[:_MOST_WANTED]:
        if time.monotonic() > end:
            break
        for expected in _shaped(factor * derivative, node.value.shape):
            mended = tuple(one for one in wrong if trail.mends(node, expected, one))
            if len(mended) > best[0]:
                best = len(mended), of, expected, mended
    return Blame(node, inputs, *best[1:], gradient)


def _shaped(array: Array, shape: tuple[int, ...]) -> Iterator[Array]:
    if array.shape == shape:
        yield array
    elif np.squeeze(array).shape == np.squeeze(np.empty(shape)).shape:
        yield array.reshape(shape)
    if array.ndim == 2 and array.T.shape == shape and array.shape[0] > 1 < array.shape[1]:
        yield array.T
