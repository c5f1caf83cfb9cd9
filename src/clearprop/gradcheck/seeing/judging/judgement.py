"""A verdict on gradients: what each is, what it should be, and of which cost."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.judging.costs import Cost
from clearprop.gradcheck.seeing.judging.episodes import Episode
from clearprop.gradcheck.seeing.tape import Node

Seen: TypeAlias = Literal["right", "wrong", "scaled", "unreached"]

CLOSE = 2e-4
"""How far a gradient may be from the truth, as a share of its length: epsilons in logarithms."""

SAME_FACTOR = 1e-3
"""How far two factors that are one may be apart."""

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
    decay : ndarray or None
        What is in the claim of the parameter itself, or of all of it but its biases.
    copies : tuple of Node
        Where weights are shared, and each that shares them holds its own: all of these.
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
    decay: Array | None = None
    copies: tuple[Node, ...] = ()
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
    beside : tuple of Node
        Sums on the way back, one summand of which comes of a cost that the code does not compute.
    given : tuple of Node
        Targets that are made of outputs, and that nothing is learned by.
    is_signed : bool
        Whether gradients that are no steps are called derivatives, and nothing adds them.
    turns : bool
        Whether all steps lead up the cost here, and down in another update by the same lines.
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
    beside: tuple[Node, ...] = ()
    given: tuple[Node, ...] = ()
    is_signed: bool = False
    turns: bool = False

    @property
    def passed(self) -> bool:
        """Whether every gradient is right, and one of them has more than one entry."""
        several = any(one.claimed.size > 1 for one in self.gradients) or len(self.gradients) > 1
        return several and all(one.verdict == "right" for one in self.gradients)

    @property
    def leads_up(self) -> bool:
        """Whether all gradients are right but for their sign."""
        steps = all(one.result is not None and one.error < CLOSE for one in self.gradients)
        return steps and all(
            one.verdict == "scaled" and (one.factor or 0) < 0 for one in self.gradients
        )

    @property
    def is_single(self) -> bool:
        """Whether a usual cost of one output of one sample fits, as then any other one does."""
        return not self.cost.is_computed and sum(map(np.size, self.cost.seeds.values())) == 1

    @cached_property
    def recognised(self) -> int:
        """The number of arrays on the way back that are derivatives of this cost."""
        by_size: dict[int, list[tuple[Array, Largest]]] = {}
        for derivative in self.derivatives.values():
            if derivative.size > 1 and derivative.any():
                known = by_size.setdefault(derivative.size, [])
                known.append((derivative, Largest.of(derivative)))
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
                flat, norm = node.value.ravel(), float(np.linalg.norm(node.value))
                alike = by_size.get(node.value.size, ())[:30]
                near = (one for one, largest in alike if largest.may_fit(flat, norm))
                count += any(fitted(flat, one)[1] < CLOSE for one in near)
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
    if claimed.size == truth.size == 1:  # as all is in an engine of single numbers
        one, other = float(claimed.item()), float(truth.item())
        if not (math.isfinite(one) and math.isfinite(other)):
            return None, np.inf
        return (one / other, 0.0) if one and other else (None, 0.0 if one == other else np.inf)
    a, b = claimed.astype(np.float64).ravel(), truth.astype(np.float64).ravel()
    if a.size != b.size or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return None, np.inf
    if not b.any() or not a.any():
        return None, 0.0 if a.any() == b.any() else np.inf
    scale = np.abs(b).max()
    factor = float(a @ (b / scale) / (b / scale @ (b / scale))) / scale
    return factor, float(np.linalg.norm(a - factor * b) / np.linalg.norm(a))


@dataclass(frozen=True, slots=True)
class Largest:
    """The two largest entries of an array, which tell quickly that another is no multiple of it.

    Parameters
    ----------
    places : tuple of int
        Where they stand, without axes.
    values : tuple of float
    """

    places: tuple[int, int]
    values: tuple[float, float]

    @classmethod
    def of(cls, array: Array) -> "Largest":
        """Find them."""
        sizes = np.abs(array.ravel())
        first = int(sizes.argmax())
        sizes[first] = -1
        places = first, int(sizes.argmax()) if sizes.size > 1 else first
        return cls(places, tuple(float(array.ravel()[one]) for one in places))  # type: ignore[arg-type]

    def may_fit(self, entries: Array, norm: float) -> bool:
        """Whether entries of some norm may be a multiple of it, but for an error below `CLOSE`."""
        (first, second), (one, other) = self.places, self.values
        apart = abs(entries.item(first) * other - entries.item(second) * one)
        return not apart > 2 * CLOSE * norm * (abs(one) + abs(other))


def is_same(one: float, other: float) -> bool:
    """Whether two factors are the same, but for their signs."""
    return abs(abs(one) - abs(other)) <= SAME_FACTOR * abs(other)
