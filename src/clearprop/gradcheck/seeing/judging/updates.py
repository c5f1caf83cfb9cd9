"""Parameters and their gradients, by what happens to them: what becomes itself and a step."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.judging.takeover import overwritten, place_of, that_take_over
from clearprop.gradcheck.seeing.operations import MOVING
from clearprop.gradcheck.seeing.tape import Node, Tape, ancestors, computed

_BY_ENTRY = frozenset(
    ("add", "clip", "divide", "multiply", "negative", "power", "sqrt", "subtract")
)
_LEARNING = frozenset(
    (
        *(
            "convolve",
            "convolve2d",
            "correlate",
            "correlate2d",
            "dot",
            "einsum",
            "exp",
            "greater",
            "inner",
            "log",
            "matmul",
        ),
        *("maximum", "mean", "multiply.outer", "outer", "sum", "add.reduce", "tanh"),
        *("tensordot", "vdot", "where", "expit"),
    )
)
"""Operations of which a step that learns has at least one."""

_JOINING = ("array", "asarray", "concatenate", "hstack", "stack", "vstack")

_OF_NUMBERS = ("cbrt", "exp", "log", "power", "sqrt", "square")

_PASSES = 4
_FEW = 12  # operations by which numbers make the bounds of first weights
_MOST_KEPT = 0.5  # of a parameter, that an update with weight decay leaves
_BESIDE = 2  # times as far as from one entry's update to the next one's
HOPS = 40  # from an array to the one that it was moved from


@dataclass(frozen=True)
class Update:
    """The change of a parameter.

    Parameters
    ----------
    result : Node
        The parameter afterwards, or the part of it that changed.
    before : Node
        The same before.
    step : Node
        The summand: minus the rate times the gradient, or what came of that.
    root : Node
        The whole parameter, of which `before` is the whole or a part.
    """

    result: Node
    before: Node
    step: Node
    root: Node

    def places(self) -> Array:
        """Return the places in the root, in C order, of what changed, in its shape."""
        numbers: Any = np.arange(self.root.value.size).reshape(self.root.value.shape)
        way, node = [], self.before
        while node is not self.root:
            way.append(node)
            known = [one for one in node.args if isinstance(one, Node)]
            if not known:
                return np.asarray(numbers)  # a view that was kept, of the same places
            node = known[0]
        for node in reversed(way):
            if node.name in MOVING and node.name != "setitem" and node.compute is not None:
                numbers = node.compute(numbers, *_plain(node.args[1:]), **node.kwargs)
        return np.asarray(numbers)

    @property
    def descent(self) -> Array:
        """What the update took away."""
        return self.before.value - np.asarray(self.result.value, np.float64)

    @property
    def sign(self) -> float:
        """1 where the step was taken away, and -1 where it was added."""
        return 1.0 if self.result.name == "subtract" else -1.0


def _plain(args: Iterable[Any]) -> list[Any]:
    return [one.value if isinstance(one, Node) else one for one in args]


def find_updates(tape: Tape, since: int = 0) -> list[Update]:
    """Find every update on a tape.

    A value is *kept* if it was there from the beginning, is an updated parameter, or was made of
    kept ones entry by entry. An update adds to a kept value what was learned by way of that value.

    Parameters
    ----------
    tape : Tape
    since : int
        The place on the tape after which an update counts.
    """
    no_update: set[Node] = set()
    for _ in range(_PASSES):
        found = _added(tape, since, no_update)
        sure = that_take_over(tape, found)
        if len(sure) == len(found):
            break
        dropped = {update.result for update in found} - {update.result for update in sure}
        # What is none in one round is none in any: each pass would come to the next round alone.
        sites = {place_of(one) for one in dropped} - {place_of(one.result) for one in sure} - {()}
        no_update |= dropped | {node for node in tape.nodes if place_of(node) in sites}
    cut_off = {root for place in tape.cuts if (root := _cut_off(sure, place)) is not None}
    sure = [update for update in sure if update.root not in cut_off]
    trials = _trials(tape, sure)
    return [update for update in sure if update not in trials]


def _trials(tape: Tape, updates: list[Update]) -> set[Update]:
    """Return steps to where a gradient is taken that the parameter then goes by from where it was.

    As with sharpness-aware minimization: they lead up, or anywhere.
    """
    by_before = {update.before: update for update in updates}
    found = set[Update]()
    for node in tape.nodes:
        if node.name in ("add", "subtract") and len(node.args) == 2:
            one, step = by_before.get(node.args[0]), node.args[1]
            is_later = one and isinstance(step, Node) and one.result.place < step.place
            if one and is_later and _learns_from(one.result, step):
                found.add(one)
    return found


def _learns_from(first: Node, step: Node) -> bool:
    """Whether a step was computed of an array, by more than entry by entry."""
    after = {first}
    for node in sorted(ancestors([step]), key=lambda one: one.place):
        if not after.isdisjoint(node.parents):
            if node.name in _LEARNING:
                return True
            after.add(node)
    return False


def _cut_off(updates: list[Update], place: int) -> Node | None:
    """Return the parameter of whose updates, entry by entry, some are missing at a place."""
    before = [update for update in updates if update.result.place < place][-2:]
    if len(before) < 2 or before[0].root is not before[1].root:
        return None
    one, last = before
    is_part = last.before.value.size < last.root.value.size
    near = place - last.result.place <= _BESIDE * (last.result.place - one.result.place)
    return last.root if is_part and near else None


def _added(tape: Tape, since: int, no_update: set[Node]) -> list[Update]:
    """Find what adds to a kept value, but for nodes that are known to be something else."""
    kept: set[Node] = set()
    own: dict[Node, int] = {}  # of a kept value: the bits of itself and of what it was moved from
    met: dict[Node, int] = {}  # of any other: the bits of kept values on the way to it
    found: list[Update] = []
    plain_starts = _plain_starts(tape)
    earlier: dict[Node, int] = {}  # of a plain start: the bits on the way to it
    written: dict[Node, Node] = {}  # of an array into which an update was written: its root
    joined: dict[tuple[Node, ...], Node] = {}  # the first array that was put together of some
    wholes: dict[Node, Update] = {}  # of a parameter that was updated as a whole
    for node in tape.nodes:
        seen = 0
        for parent in node.parents:
            seen |= own[parent] | earlier.get(parent, 0) if parent in kept else met[parent]
        update = None
        adds = node.name in ("add", "subtract") and node.place >= since
        if node.compute is not None and adds and node not in no_update:
            update = _update(node, kept, own, met, written, joined)
        if node.name == "setitem" and (whole := wholes.get(next(iter(node.parents), node))):
            update = overwritten(node, whole, found, own, met)
        if update is not None:
            found.append(update)
            written[node] = update.root
            wholes |= {node: update} if node.value.shape == update.root.value.shape else {}
        elif node.name == "setitem":
            parts = [written[one] for one in node.parents if one in written]
            written |= {node: parts[-1]} if parts else {}
        if update is not None or not node.parents:
            kept.add(node)
            own[node] = 1 << len(own)
        elif node in plain_starts:
            kept.add(node)
            own[node], earlier[node] = 1 << len(own), seen
        elif _is_kept(node, kept):
            kept.add(node)
            if node.name in _JOINING:
                joined.setdefault(node.parents, node)
            own[node] = seen | 1 << len(own)
        else:
            met[node] = seen
    return found


def _plain_starts(tape: Tape) -> set[Node]:
    """Find what was added to a plain number, such as 0, and is added to in the same place again."""
    return {
        before
        for node in tape.nodes
        if node.name in ("add", "subtract") and len(node.args) == 2
        for before in node.args
        if isinstance(before, Node)
        and before.name == node.name
        and before.line is not None
        and node.line is not None
        and (before.line.code, before.line.instruction) == (node.line.code, node.line.instruction)
        and any(isinstance(one, int | float) for one in before.args)
    }


def _update(
    node: Node,
    kept: set[Node],
    own: dict[Node, int],
    met: dict[Node, int],
    written: dict[Node, Node],
    joined: dict[tuple[Node, ...], Node],
) -> Update | None:
    operands = node.args if len(node.args) == 2 else ()
    for place, before in enumerate(operands):
        step = operands[1 - place]
        if node.name == "subtract" and place == 1:
            break
        if not (isinstance(before, Node) and isinstance(step, Node)):
            continue
        if before not in kept or step in kept or not node.is_float:
            continue
        if not _spreads(before.value.shape, node.value.shape):
            continue
        twin = joined.get(before.parents, before)
        same = twin.value.shape == before.value.shape
        if twin is not before and same and own[twin] & ~own[before] & met[step]:
            before = twin  # of neurons, each an object: put together once more for the update
        if own[before] & met[step] and _has_learned(step, kept):
            learned = _met_by_learning(step, kept, met)
            root = _root(before, learned if own[before] & learned else met[step], own, written)
            if root is not None and _goes_on(before, root):
                return Update(node, before, step, root)
    return None


def _goes_on(before: Node, root: Node) -> bool:
    """Whether most of a parameter is kept, as no ``dW + l2 * W`` does."""
    # Of a part, what it was before it was multiplied: as of ``dW[:, 1:] + l2 * W[:, 1:]``.
    way, last, node = [before], 0, before
    while node is not root and node.parents:
        node = node.parents[0]
        way.append(node)
        last = len(way) - 1 if node.value.size == before.value.size else last
    whole = way[last].value
    if whole.any():
        return bool(np.linalg.norm(before.value) > _MOST_KEPT * np.linalg.norm(whole))
    share = 1.0  # which zeros don't show, but ones do
    for one, under in pairwise(way[: last + 1]):
        if one.name in ("multiply", "divide"):
            ones = np.ones(under.value.shape)
            left = computed(one, {**{each: each.value for each in one.parents}, under: ones}.get)
            share *= float(np.linalg.norm(left)) / np.sqrt(one.value.size)
    return share > _MOST_KEPT


def _spreads(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether a shape is the same, or one to which broadcasting leads, by mistake."""
    same = zip(before[::-1], after[::-1], strict=False)
    return len(before) <= len(after) and all(a in (1, b) for a, b in same)


def _root(before: Node, met: int, own: dict[Node, int], written: dict[Node, Node]) -> Node | None:
    """Return the array that was used: an update may be of a part, or of a decayed copy.

    Parts may be updated one after the other, so that one looks into what another was written to.
    """
    node, alone = before, {}
    for _ in range(HOPS):
        moved = [one for one in node.parents if one in own and own[one] & met]
        if node.name == "setitem" and len(moved) > 1 and moved[1].parents == (moved[0],):
            moved = moved[:1]  # clipped where it stands
        if len(moved) > 1:  # the places of rows are no part of them
            moved = [one for one in moved if one.is_float]
        below = 0
        for one in node.parents:
            below |= own.get(one, 0)
        alone[node] = own[node] & ~below
        if alone[node] & met:
            break
        if node in written and own[written[node]] & met:
            root = written[node]
            is_whole = root.value.shape == node.value.shape
            return root if is_whole else _kept_view(before, met, own, written)
        if len(moved) != 1:
            break
        if moved[0] is not next((a for a in node.args if isinstance(a, Node)), None):
            return None  # a sum that began as another one's sum: no part of what was used
        node = moved[0]
    return node if alone.get(node, 0) & met else before


def _kept_view(
    before: Node, met: int, own: dict[Node, int], written: dict[Node, Node]
) -> Node | None:
    """Return the view of the same places that was used last: of one array of all parameters."""
    places = region(before)
    for one in reversed(own):
        below = 0
        for parent in one.parents:
            below |= own.get(parent, 0)
        if not own[one] & ~below & met or one.value.shape != before.value.shape:
            continue
        view = one  # or, as it is after a step, what took the step
        while view in written and view.name != "setitem":
            view = written[view]
        if view.name in MOVING and region(view) == places:
            return one
    return None


def region(view: Node) -> tuple[Node, bytes]:
    """Return the array that others were moved from, and the places of a view in it."""
    way, node = [], view
    while node.name in MOVING and node.args and isinstance(node.args[0], Node):
        way.append(node)
        node = node.args[0]
    numbers: Any = np.arange(node.value.size).reshape(node.value.shape)
    for one in reversed(way):
        if one.name != "setitem" and one.compute is not None:
            numbers = one.compute(numbers, *_plain(one.args[1:]), **one.kwargs)
    return node, np.asarray(numbers).tobytes()


def _has_learned(step: Node, kept: set[Node]) -> bool:
    """Whether a step comes of more than its parameter, entry by entry."""
    stack, seen = [step], set()
    while stack:
        node = stack.pop()
        if node in seen or node in kept:
            continue
        seen.add(node)
        if node.name in _LEARNING or len(seen) > 2:
            return True
        stack.extend(node.parents)
    return False


def _met_by_learning(step: Node, kept: set[Node], met: dict[Node, int]) -> int:
    """Return the bits on the way to a step, but for those of what only decays in it."""
    stack, seen, bits = [step], set[Node](), 0
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        learned = [one for one in node.parents if one not in kept]
        scales = node.name in ("multiply", "divide", "negative")
        if node.name in ("add", "subtract") or (scales and len(node.parents) == len(learned) == 1):
            stack += learned
        else:
            bits |= met[node]
    return bits


def _is_kept(node: Node, kept: set[Node]) -> bool:
    if node.compute is None or any(parent not in kept for parent in node.parents):
        return False
    if node.name == "multiply" and any(type(one) in (int, float) and one == 0 for one in node.args):
        return False  # no more than its shape is taken: as of W in 0 * W, as momentum may begin
    if node.name in MOVING:
        return True
    several = len(node.parents) > 1 and node.value.size == 1
    if node.name not in _BY_ENTRY or (several and not _is_number(node)):
        return False
    first = node.parents[0]
    return all(
        one is first or one.value.size <= 1 or one.value.shape == node.value.shape
        for one in node.parents
    )


def _is_number(node: Node) -> bool:
    """Whether it was computed of Python's numbers alone, as the bounds of first weights are."""
    stack, seen = [node], set[Node]()
    while stack and len(seen) < _FEW:
        one = stack.pop()
        if one.value.size > 1 or not (one.parents or one.name in _OF_NUMBERS):
            return False
        if one not in seen:
            seen.add(one)
            stack += one.parents
    return not stack
