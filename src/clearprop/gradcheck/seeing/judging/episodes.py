"""Episodes of a training: the updates of all parameters that follow from one cost."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from clearprop.gradcheck.seeing.judging.updates import HOPS, Update, region
from clearprop.gradcheck.seeing.operations import MOVING
from clearprop.gradcheck.seeing.tape import Node, Tape, depending

_SHAPED = ("empty_like", "full_like", "ones_like", "zeros_like")
"""Operations that take no more of an array than its shape."""


_BOUNDING = ("clip", "maximum", "minimum")

_AXES = 3  # by one of which after the other an entry is written to


_WITHOUT_HISTORY = 4  # of the first updates of a parameter, which are looked at


_WILD = 1e3  # a weight that a training that goes well does not reach


_AFTER = 6000  # nodes after an update, among which its cost may be computed


@dataclass(frozen=True)
class Episode:
    """Updates of all parameters by one cost.

    Parameters
    ----------
    updates : tuple of Update
        In the order of the tape.
    number : int
        The updates that came before, of the same parameters.
    """

    updates: tuple[Update, ...]
    number: int

    @property
    def roots(self) -> tuple[Node, ...]:
        """The parameters, each once."""
        return tuple(dict.fromkeys(update.root for update in self.updates))

    @property
    def sites(self) -> frozenset[tuple[str, int]]:
        """The lines in which they are updated."""
        lines = (update.result.line for update in self.updates)
        return frozenset((line.file, line.number) for line in lines if line is not None)

    def until(self, tape: Tape) -> int:
        """Return the place where an updated parameter is first used, after the last update."""
        last = max(update.result.place for update in self.updates)
        moved = {update.result for update in self.updates}
        for node in tape.nodes[last + 1 : last + _AFTER]:
            if any(parent in moved for parent in node.parents):
                if node.name not in MOVING:
                    return node.place
                moved.add(node)
        return last + _AFTER

    def reached(self, tape: Tape, stop: set[Node]) -> set[Node]:
        """Return all that was computed from the parameters before their update."""
        first = min(root.place for root in self.roots)
        last = max(update.result.place for update in self.updates)
        within = tape.nodes[first : last + _AFTER]
        alike = {
            one
            for one in within
            if one.name in _SHAPED and not any(isinstance(arg, Node) for arg in one.args[1:])
        }
        return depending(self.roots, within, stop | alike)


def episodes(tape: Tape, updates: Iterable[Update]) -> Iterator[Episode]:
    """Group updates by the cost that they follow from: those between whose uses none stands."""
    used: dict[Node, int] = {}
    for node in tape.nodes:
        for parent in node.parents:
            used.setdefault(parent, node.place)
    spans = []
    for chain in _chains(updates):
        for number, round_ in enumerate(_looked_at(chain)):
            done = chain[round_ - 1][-1].result.place if round_ else -1
            for update in chain[round_]:
                end = update.result.place
                spans.append((max(used.get(update.root, end), done + 1), end, number, update))
    spans.sort(key=lambda span: span[:2])
    group: list[Update] = []
    end, first = -1, 0
    for start, stop, number, update in spans:
        before = _written_into(update.root)
        again = any(
            one.result in before or (one.root is update.root and one.before is update.before)
            for one in group
        )
        if group and (start > end or again):
            yield from _by_cost(tape, _in_order(group), first)
            group = []
        first = min(first, number) if group else number
        group.append(update)
        end = max(end, stop) if len(group) > 1 else stop
    if group:
        yield from _by_cost(tape, _in_order(group), first)


def _by_cost(tape: Tape, updates: tuple[Update, ...], number: int) -> Iterator[Episode]:
    """Yield the episodes of updates whose parameters are in use at the same time.

    What was computed by going forward through updated parameters and back again follows from
    another cost than they do: such as the updates of a generator, whose samples a discriminator
    has learned from before. What is taken on the way back alone was updated too early.
    """
    results = {update.result: at for at, update in enumerate(updates)}
    begun = 0
    moved: dict[Node, Node] = {}  # what was updated, and the same moved
    through: dict[Node, frozenset[Node]] = {}  # of each node: what of it took part
    back: set[Node] = set()
    for node in tape.nodes[updates[0].result.place : updates[-1].result.place + 1]:
        own = next((moved[one] for one in node.parents if one in moved), None)
        at = results.get(node)
        if at is not None:
            if updates[at].step in back:
                yield Episode(updates[begun:at], number)
                begun = at
                for known in (moved, through, back):
                    known.clear()
            moved[node] = node
        elif own is not None and node.name in (*MOVING, *_BOUNDING):
            moved[node] = own
        else:
            before = frozenset[Node]().union(*(through.get(one, ()) for one in node.parents))
            if own in before or not back.isdisjoint(node.parents):
                back.add(node)
            if before or own is not None:
                through[node] = before if own is None else before | {own}
    yield Episode(updates[begun:], number)


def _written_into(root: Node) -> set[Node]:
    """Return an array, and what was written into it last, by way of its rows, too."""
    found, level = {root}, [root]
    for _ in range(_AXES):
        level = [
            one for node in level if node is root or node.name in MOVING for one in node.parents
        ]
        found |= set(level)
    return found


def _looked_at(chain: Sequence[Sequence[Update]]) -> list[int]:
    """Return the numbers of the updates that are looked at: the first ones, and a late one.

    What weights near zero hide at first, such as a slope that is a quarter, shows later, unless
    the training has left all bounds by then.
    """
    first = list(range(min(len(chain), _WITHOUT_HISTORY)))
    late = len(chain) - 2
    if late <= first[-1]:
        return first
    calm = all(np.abs(one.before.value).max(initial=0.0) < _WILD for one in chain[late])
    return [*first, late] if calm else first


def _in_order(group: list[Update]) -> tuple[Update, ...]:
    return tuple(sorted(group, key=lambda update: update.result.place))


def _chains(updates: Iterable[Update]) -> list[list[list[Update]]]:
    """Return for every parameter its updates, one after the other, each in its parts."""
    chains: list[list[list[Update]]] = []
    of: dict[Node, int] = {}  # the chain of a root or result
    slices: dict[tuple[Node, bytes], int] = {}  # and of a slice of one vector of all parameters
    for update in updates:
        node: Node | None = update.root
        place = of.get(update.root)
        is_part = update.before.value.size < update.root.value.size
        if place is not None and is_part and chains[place][-1][-1].root is update.root:
            chains[place][-1].append(update)  # another part of the same
            of[update.result] = place
            continue
        where = _slice(update.root)
        place = slices.get(where) if where is not None else None
        for _ in range(HOPS if place is None else 0):
            if node is None or node in of:
                place = None if node is None else of[node]
                break
            node = _moved_from(node, of)
        if place is None:
            place = len(chains)
            chains.append([])
        if where is not None:
            slices[where] = place
        chains[place].append([update])
        of[update.root] = of[update.result] = place
    return chains


def _slice(root: Node) -> tuple[Node, bytes] | None:
    """Return the vector that a parameter is a slice of, and its places there."""
    if root.name not in MOVING or not root.value.ndim:
        return None
    vector, places = region(root)
    is_part = vector.value.ndim == 1 and root.value.size < vector.value.size
    return (vector, places) if is_part else None


def _moved_from(node: Node, of: dict[Node, int]) -> Node | None:
    if node.name not in MOVING and node.name not in ("multiply",):
        return None
    known = next((parent for parent in node.parents if parent in of), None)
    return known or next(iter(node.parents), None)
