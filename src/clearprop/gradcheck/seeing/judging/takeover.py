"""What takes over from a parameter after its update, and what only looks like an update."""

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from clearprop.gradcheck.seeing.operations import MOVING, set_item
from clearprop.gradcheck.seeing.tape import Node, Tape, ancestors, beside, filled

if TYPE_CHECKING:
    from clearprop.gradcheck.seeing.judging.updates import Update

_LOOKING = frozenset(
    ("around", "equal", "greater", "isfinite", "isnan", "less", "not_equal", "round")
)
"""Operations by which code shows or watches an array, and does not use it."""

_MASKS = ("greater", "less")
"""Those of them whose results are used where a ReLU goes back."""

_PRODUCTS = frozenset(
    ("dot", "einsum", "inner", "matmul", "multiply", "outer", "tensordot", "vdot")
)
_LEAST_LEFT = 0.9  # of a parameter, that weight decay after its update leaves
_NEAR = 6  # that are made of an update, among which a further step is looked for
_FOLLOWED = 300  # arrays that a value was moved to


def that_take_over(tape: Tape, updates: "list[Update]") -> "list[Update]":
    """Leave out what is used in other places than the parameter: the state of a recurrent cell.

    So is what is multiplied by it: ``error = y - X @ w``, of which ``X.T @ error`` is made, would
    else be an update of X where y was made of it.

    A place is a line, or an operation with the same array of data. A script that writes its forward
    pass twice uses all but its first weights in places that are only alike: they count beside
    others, where these don't depend on them.
    """
    children: dict[Node, list[Node]] = {}
    for node in tape.nodes:
        for parent in node.parents:
            children.setdefault(parent, []).append(node)

    def uses(node: Node, *, decayed: bool = False) -> tuple[set[object], set[object]]:
        """Return where a value, or one that it was moved to, is used, and in what way."""
        places, ways = set[object](), set[object]()
        queue, seen = deque([node]), set[Node]()  # the nearest first
        while queue and len(seen) < _FOLLOWED:
            one = queue.popleft()
            if one in seen:
                continue
            seen.add(one)
            for child in children.get(one, ()):
                if child.name in MOVING or (decayed and _decays(child, one)):
                    queue.append(child)
                elif child.name not in _LOOKING or (child.name in _MASKS and child in children):
                    others = [other for other in child.parents if other is not one]
                    places.add((child.name, place_of(child)))
                    places |= {(child.name, other) for other in others if not other.parents}
                    ways.add((child.name, *(other.value.shape for other in others)))
        return places, ways

    begun: dict[object, Update] = {}
    for one in updates:
        begun.setdefault(place_of(one.result), one)
    states = {site for site, one in begun.items() if _is_state(one, updates, tape)}
    updates = [
        one
        for one in updates
        if place_of(one.result) not in states and not _is_multiplied(one, children)
    ]
    results = {update.result for update in updates}
    known = {node: uses(node) for node in {update.root for update in updates} | results}

    def shares(one: Node, other: Node, kind: int) -> bool:
        return bool(known[one][kind] & known[other][kind])

    sure = {one for one in updates if shares(one.root, one.result, 0)}
    first: dict[object, Update] = {}
    for one in updates:
        if one not in sure and known[one.root][0] & uses(one.result, decayed=True)[0]:
            first.setdefault(place_of(one.result), one)
    decaying = {site for site, one in first.items() if not _fed(one, updates, tape)}
    sure |= {one for one in updates if place_of(one.result) in decaying}
    if len(sure) < len(updates):
        made_of = ancestors([one.step for one in sure])
        functions = {place_of(one.result)[:2] for one in sure}
        sure |= {
            one
            for one in updates
            if one.result not in made_of
            and place_of(one.result)[:2] in functions
            and shares(one.root, one.result, 1)
            and not _is_step(one, children)
        }
    sites = {place_of(one.result) for one in sure}
    used = {place_of(one.result) for one in updates if known[one.result][0]}
    return [
        one
        for one in updates
        if one in sure
        or place_of(one.result) in sites
        # What is never used may be the last update, though no time was left to use a state there;
        # by what comes of itself alone, such as its mean, it is none.
        or not (place_of(one.result) in used or _data([one.step]) <= _data([one.root]))
    ]


def _is_multiplied(update: "Update", children: "dict[Node, list[Node]]") -> bool:
    """Whether an updated parameter, or a part of one, is multiplied by what it was before."""
    queue, seen = deque([update.result]), set[Node]()
    while queue and len(seen) < _NEAR:
        node = queue.popleft()
        for child in children.get(node, ()):
            others = [one for one in child.parents if one is not node]
            if child.name in _PRODUCTS and any(_is_moved(one, update.root) for one in others):
                return True
            if child.name in MOVING and child not in seen:
                seen.add(child)
                queue.append(child)
    return False


def _is_moved(node: Node, root: Node) -> bool:
    while node is not root and node.name in MOVING and len(node.parents) == 1:
        node = node.parents[0]
    return node is root


def overwritten(
    node: Node,
    whole: "Update",
    found: "list[Update]",
    own: dict[Node, int],
    met: dict[Node, int],
) -> "Update | None":
    """Return the update of a parameter of which a part is written once more, of the same pass.

    Such as that of a bias among the weights, which does not decay. Both updates make way for it.
    """
    _, index, value = node.args
    if not isinstance(value, Node) or whole not in found:
        return None
    part = next((one for one in reversed(found) if one.result is value), None)
    is_own = part is not None and part.root is whole.root
    if not (is_own or own[whole.root] & met.get(value, 0)):
        return None
    before = whole.before
    if part is not None:
        found.remove(part)
        if before is not whole.root:
            places = filled(index, lambda one: one.value)
            before = beside(before, set_item(before.value, places, part.before.value))
    found.remove(whole)
    step = beside(whole.step, node.value - before.value)
    return replace(whole, result=node, before=before, step=step)


def _decays(child: Node, one: Node) -> bool:
    """Whether it is most of a value, by a number: ``(1 - decay) * (W - step)``, or clipped."""
    if child.name == "clip":
        return child.args[0] is one
    others = [other for other in child.args if other is not one]
    if child.name == "subtract" and child.args[0] is one:  # ``W - step - decay * W``
        return len(others) == 1 and _is_little(others[0], one)
    if child.name != "multiply" or len(others) != 1:
        return False
    factor = np.ravel(others[0].value if isinstance(others[0], Node) else others[0])
    is_number = factor.size == 1 and factor.dtype.kind in "fiub"
    return is_number and bool(_LEAST_LEFT <= factor[0] <= 1)


def _is_little(term: object, updated: Node) -> bool:
    """Whether it is a number times what an updated parameter was before."""
    before = term.parents if isinstance(term, Node) and term.name == "multiply" else ()
    return len(before) == 1 and before[0] in updated.parents


def _fed(update: "Update", updates: "list[Update]", tape: Tape) -> "list[Node]":
    """Return the steps of its round that are made of what it gives, but for its own place's."""
    sites, steps, own = set[object](), list[Node](), place_of(update.result)
    begun = {one.root for one in updates} - {one.result for one in updates}
    known = _data([update.step, *begun])
    for one in updates:
        is_later, place = one.result.place > update.result.place, place_of(one.result)
        if is_later and place == own and not steps and _data([one.step]) <= known:
            continue  # such as those of a state that goes on several times, and of no other batch
        if is_later and place in sites:
            break  # in the next round
        sites.add(place)
        if is_later:
            steps.append(one.step)
    among = set(tape.nodes[update.result.place :])
    return [step for step in steps if update.result in ancestors([step], among)]


def _is_state(update: "Update", updates: "list[Update]", tape: Tape) -> bool:
    """Whether it goes forward, as the state of a recurrent cell: ``h = h + tanh(h @ U + x)``.

    Then steps are made of it, and of data besides, that it knows nothing of: targets.
    """
    known = _data([update.step])
    return any(not _data([step]) <= known for step in _fed(update, updates, tape))


def _data(nodes: "list[Node]") -> set[Node]:
    """Return the arrays that others were made of in the end, but for numbers and zeros."""
    leaves = (one for one in ancestors(nodes) if not one.parents and one.value.size > 1)
    return {one for one in leaves if one.value.dtype.kind in "fiu" and np.ptp(one.value)}


def _is_step(update: "Update", children: "dict[Node, list[Node]]") -> bool:
    """Whether what it gives is subtracted from the same parameter: ``W - rate * (W - g)``."""
    queue, seen = [update.result], set[Node]()
    while queue and len(seen) < _NEAR:
        node = queue.pop(0)
        for child in children.get(node, ()):
            if child.name in ("add", "subtract") and update.before in child.args:
                return True
            if child not in seen:
                seen.add(child)
                queue.append(child)
    return False


def place_of(node: Node) -> tuple[object, ...]:
    """Return the place in the code where an array was computed, and nothing where none is known."""
    line = node.line
    return (line.file, line.function, line.number, line.instruction) if line else ()
