"""The way back run anew with one expression changed: how many gradients would be right then."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.judging.blame import Trail
from clearprop.gradcheck.seeing.judging.followed import is_own
from clearprop.gradcheck.seeing.judging.forms import with_decay
from clearprop.gradcheck.seeing.judging.judgement import CLOSE, Gradient, fitted
from clearprop.gradcheck.seeing.judging.steps import signed_summands
from clearprop.gradcheck.seeing.judging.updates import Update
from clearprop.gradcheck.seeing.tape import Node, ancestors, computed, depending

ValueOf: TypeAlias = Callable[[Node], Any]
"""A function that gives the value of a node as it would be."""

Make: TypeAlias = Callable[[Node, ValueOf], Any]
"""A function that computes a node of a changed expression anew."""

_SAME = 1e-3  # between factors that are one
_GROWN = 4  # times the bytes of what is computed anew, and
_ROOM = 2**26  # more of them, that a change may take
_MOST_PARTS = 6  # of a parameter whose entries are updated one by one


@dataclass(frozen=True)
class Site:
    """An expression, and all that it computed on the way back.

    Parameters
    ----------
    nodes : tuple of Node
        One for every time that it ran, in the order of the tape.
    """

    nodes: tuple[Node, ...]

    @property
    def first(self) -> Node:
        """What it computed the first time."""
        return self.nodes[0]


@dataclass(frozen=True)
class Standing:
    """Which gradients are right together.

    Parameters
    ----------
    right : frozenset of int
        The numbers of the gradients that have one factor, which leads down the cost.
    close : frozenset of int
        Those that have any factor.
    factor : float
    """

    right: frozenset[int]
    close: frozenset[int]
    factor: float = 0.0


@dataclass(frozen=True)
class _Claimed:
    """A gradient in all forms in which it may be held against the truth."""

    gradient: Gradient
    updates: tuple[Update, ...]
    levels: tuple[tuple[Node, ...], ...]
    """The gradient within the step, from outside in; of that of plain descent none."""
    signs: tuple[float, ...]
    """Of each level: 1 where it is taken away from the parameter, -1 where it is added."""
    within: tuple[Node, ...]
    """All levels, of a gradient that is updated at once."""

    @property
    def nodes(self) -> set[Node]:
        """All that is read."""
        found = {node for level in self.levels for node in level}
        return found | {update.result for update in self.updates}

    def forms(self, value_of: ValueOf) -> Iterator[tuple[Array, float]]:
        """Yield the gradient in all forms, flat, each with its sign as of what is taken away."""
        if self.updates:
            parts = [
                value_of(one.before) - np.asarray(value_of(one.result), np.float64)
                for one in self.updates
            ]
            yield _flat(parts), 1.0
        for level, sign in zip(self.levels, self.signs, strict=True):
            yield _flat([np.asarray(value_of(one), np.float64) for one in level]), sign

    def factors(self, value_of: ValueOf) -> list[float]:
        """Return what the truth is multiplied by, in every form that is a multiple of it."""
        found, truth = [], self.gradient.truth
        for form, sign in self.forms(value_of):
            if form.size != truth.size:
                continue
            factor, error = fitted(form, truth)
            if error >= CLOSE and self.gradient.decay is not None:
                decayed = with_decay(replace(self.gradient, claimed=form))
                factor, error = decayed.factor, decayed.error
            if factor and error < CLOSE:
                found.append(factor * sign)
        return found


def _flat(parts: Sequence[Array]) -> Array:
    return np.concatenate([part.ravel() for part in parts])


class Bench:
    """The way back of a judgement, to be run anew with changes.

    Parameters
    ----------
    trail : Trail
    """

    def __init__(self, trail: Trail) -> None:
        self.trail = trail
        judgement = trail.judgement
        self.claims = _all_claimed(trail)
        cost = judgement.cost
        steps = any(claim.updates for claim in self.claims)
        self._falls = not cost.is_maximised and (steps or judgement.is_signed)
        targets = {node for claim in self.claims for node in claim.nodes}
        self.first = min(root.place for root in judgement.episode.roots)
        # Earlier steps of the same lines lie behind the parameters: they are given.
        given = ancestors(judgement.episode.roots)
        self._since = frozenset(trail.tape.nodes[self.first :]) - given
        self.needed = sorted(self._made_of(targets), key=lambda node: node.place)
        """All that the gradients were computed from, in the order of the tape."""
        # What a layer that is called alone hands on has no factor of its own.
        self._exact = frozenset(
            k
            for k, claim in enumerate(self.claims)
            if claim.gradient.result is None and claim.gradient.parameter.name == "input"
        )
        self._fits = [claim.factors(lambda node: node.value) for claim in self.claims]
        self.now = self._standing(self._fits)
        """Which gradients are right as it is."""

    def _made_of(self, nodes: Iterable[Node]) -> set[Node]:
        return ancestors(nodes, self._since)

    def sites(self) -> list[Site]:
        """Return the expressions of the way back whose change may mend something, the last first.

        An expression that a right gradient was computed by, too, is no place of a mistake.
        """
        forward = self.trail.forward
        by_place: dict[object, list[Node]] = {}
        for node in self.needed:
            if node.compute is not None and node.line is not None:
                key = node.line.code, node.line.instruction, node.name
                by_place.setdefault(key, []).append(node)
        found = [
            Site(tuple(nodes))
            for nodes in by_place.values()
            if not any(node in forward for node in nodes)
        ]
        return [site for site in found if self._may_mend(site)]

    def _may_mend(self, site: Site) -> bool:
        trial = self.trial(site)
        # Where all have a factor, and not the same, any of them may be the wrong one.
        all_close = len(self.now.close) == len(self.claims)
        several = {k for k in self.now.right if self.claims[k].gradient.truth.size > 1}
        sure = frozenset[int]() if all_close or not several else self.now.right
        touched = trial.touched
        if touched <= sure:
            return False
        if not touched & sure:
            return True
        random = np.random.RandomState(0)

        def shaken(node: Node, _: ValueOf) -> Any:
            if node.value.dtype.kind == "b":
                return ~node.value
            size = float(np.abs(node.value).max(initial=0.0)) or 1.0
            return node.value * (1 + 0.3 * random.rand(*node.value.shape)) + size * (
                0.1 * random.rand(*node.value.shape)
            )

        after = trial(shaken)
        return after is None or sure <= after.close

    def trial(self, site: Site, reads: Iterable[Node] = ()) -> "Trial":
        """Return the steps that follow from an expression, and from what it newly reads."""
        more = self._made_of(reads) - set(self.needed)
        among = sorted({*self.needed, *more}, key=lambda node: node.place) if more else self.needed
        return Trial(self, site.nodes, among)

    def following(self, nodes: Sequence[Node], among: Sequence[Node]) -> list[Node]:
        """Return what was computed from some nodes, they included, on the way to a gradient."""
        first = min(node.place for node in nodes)
        later = [node for node in among if node.place >= first]
        moved = depending(nodes, later, set())
        return [node for node in later if node in moved]

    def standing(self, known: Mapping[Node, Any], touched: Iterable[int]) -> Standing:
        """Return which gradients are right where some nodes have other values."""

        def value_of(node: Node) -> Any:
            return known.get(node, node.value)

        fits = list(self._fits)
        for k in touched:
            fits[k] = self.claims[k].factors(value_of)
        return self._standing(fits)

    def _standing(self, fits: Sequence[Sequence[float]]) -> Standing:
        close = frozenset(k for k, some in enumerate(fits) if some)
        usual = self.trail.judgement.factor
        best, most = frozenset[int](), 0.0
        for factor in {f for some in fits for f in some}:
            if self._falls and factor < 0:
                continue
            alike = frozenset(
                k
                for k, some in enumerate(fits)
                if any(abs(f / (1.0 if k in self._exact else factor) - 1) < _SAME for f in some)
            )
            is_usual = usual is not None and abs(factor / usual - 1) < _SAME
            old_usual = usual is not None and most != 0 and abs(most / usual - 1) < _SAME
            if (len(alike), is_usual) > (len(best), old_usual):
                best, most = alike, factor
        return Standing(best, close, most)


class Trial:
    """The steps from some nodes to the gradients.

    Parameters
    ----------
    bench : Bench
    nodes : sequence of Node
        Those that are computed otherwise.
    among : sequence of Node
        What the gradients are computed from, in the order of the tape.
    """

    def __init__(self, bench: Bench, nodes: Sequence[Node], among: Sequence[Node]) -> None:
        self.bench, self.nodes = bench, frozenset(nodes)
        self.steps = bench.following(nodes, among)
        self.room = _GROWN * sum(node.value.nbytes for node in self.steps) + _ROOM
        moved = set(self.steps)
        self.touched = frozenset(
            k for k, claim in enumerate(bench.claims) if not moved.isdisjoint(claim.nodes)
        )

    def __call__(self, make: Make) -> Standing | None:
        """Return which gradients would be right; None where the way back fails, or is the same."""
        known: dict[Node, Any] = {}

        def value_of(node: Node) -> Any:
            return known.get(node, node.value)

        changed, room = False, self.room
        try:
            with np.errstate(all="ignore"):
                for node in self.steps:
                    if node not in self.nodes:
                        known[node] = computed(node, value_of)
                        room -= getattr(known[node], "nbytes", 0)
                        if room < 0:  # a wider one is inserted again and again: it doubles
                            return None
                        continue
                    made = np.asarray(make(node, value_of))
                    changed = changed or not np.array_equal(made, node.value)
                    if made.dtype.kind not in "fiub" or (not changed and len(self.nodes) == 1):
                        return None
                    known[node] = made
                return self.bench.standing(known, self.touched) if changed else None
        except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, MemoryError):
            return None


def _all_claimed(trail: Trail) -> list[_Claimed]:
    """Return the gradients in the forms that count.

    Where steps are no plain descent, those within them count, as deep as the right ones are found.
    """
    gradients = [one for one in trail.judgement.gradients if one.verdict != "unreached"]
    found = [part for one in gradients for part in _parts(_claimed(trail, one))]
    right = [one for one in found if one.gradient.verdict in ("right", "scaled")]
    deep = max((_depth(one) for one in right or found), default=0)
    return [
        replace(one, levels=one.levels[:deep], signs=one.signs[:deep]) if one.updates else one
        for one in found
    ]


def _parts(claim: _Claimed) -> Iterator[_Claimed]:
    """Yield the gradients of entries that are updated one by one, each in its own line."""
    sizes = [update.places().size for update in claim.updates]
    gradient = claim.gradient
    if not 1 < len(sizes) <= _MOST_PARTS or gradient.truth.size != sum(sizes):
        yield claim
        return
    for k, (size, end) in enumerate(zip(sizes, np.cumsum(sizes), strict=True)):
        some = slice(end - size, end)
        own = replace(
            gradient,
            places=gradient.places[some],
            claimed=gradient.claimed[some],
            truth=gradient.truth[some],
        )
        levels = tuple(level[k : k + 1] for level in claim.levels)
        yield replace(claim, gradient=own, updates=claim.updates[k : k + 1], levels=levels)


def _depth(claim: _Claimed) -> int:
    """Return how deep in its step a gradient is found: 0 where the step is a multiple of it."""
    truth = claim.gradient.truth
    if claim.gradient.verdict == "wrong":  # then that of which the step is a multiple will do
        truth = _flat([np.asarray(one.value, np.float64) for one in claim.levels[-1]])
    for depth, (form, _) in enumerate(claim.forms(lambda node: node.value)):
        if form.size == truth.size and fitted(form, truth)[1] < CLOSE:
            return depth
    return len(claim.levels)


def _claimed(trail: Trail, gradient: Gradient) -> _Claimed:
    judgement = trail.judgement
    if gradient.result is None:  # it was returned
        return _Claimed(gradient, (), ((gradient.claim,),), (1.0,), (gradient.claim,))
    updates = tuple(one for one in judgement.episode.updates if one.root is gradient.parameter)
    decays = any(one.decay is not None for one in judgement.gradients)

    def levels_of(update: Update) -> list[tuple[Node, float]]:
        def is_decay(node: Any) -> bool:
            return decays and isinstance(node, Node) and is_own(node, update, judgement.reached)

        return signed_summands(update.step, judgement.reached, is_decay)

    every = [levels_of(update) for update in updates]
    depths = range(min(map(len, every)))
    levels = tuple(tuple(one[k][0] for one in every) for k in depths)
    signs = tuple(every[0][k][1] * updates[0].sign for k in depths)
    within = tuple(one for level in levels for one in level) if len(updates) == 1 else ()
    return _Claimed(gradient, updates, levels, signs, within)
