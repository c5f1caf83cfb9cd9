"""Parameters that the way back takes after their update, in the place of what they were."""

from collections.abc import Callable, Collection, Iterator

from clearprop.gradcheck.seeing.judging.changes import Change
from clearprop.gradcheck.seeing.judging.rewriting import Bench, Site
from clearprop.gradcheck.seeing.operations import MOVING
from clearprop.gradcheck.seeing.tape import Node, computed

_HOPS = 40  # from an array to the update that it was moved from


def updated(bench: Bench, site: Site) -> Iterator[Change]:
    """Yield the change that gives an expression its parameters as they were before their update.

    Parameters
    ----------
    bench : Bench
    site : Site
        The expression.
    """
    old = {
        update.result: update.before if update.before.value.size < root.value.size else root
        for claim in bench.claims
        for update in claim.updates
        for root in [update.root]
    }
    moved = (_moved_from(one, old) for node in site.nodes for one in node.parents)
    taken = [one for one in moved if one is not None]
    if not taken or site.first in old:
        return

    def make(node: Node, value_of: Callable[[Node], object]) -> object:
        def before(one: Node) -> object:
            if one in old:
                return value_of(old[one])
            return value_of(one) if _moved_from(one, old) is None else computed(one, before)

        return computed(node, before)

    update = min(taken, key=lambda one: one.place).line
    number = 0 if site.first.line is None else site.first.line.number
    why = f"It is updated before the way back takes it in line {number}."
    at = None if update is None else (update.file, update.number)
    yield Change("W_updated", make, (), why, at)


def _moved_from(node: Node, results: Collection[Node]) -> Node | None:
    """Return the updated parameter that an array is, or was moved from or written into."""
    for _ in range(_HOPS):
        if node in results:
            return node
        written = node.args[-1] if node.name == "setitem" and node.args else None
        if node.name not in MOVING or not node.parents:
            return None
        node = written if isinstance(written, Node) else node.parents[0]
    return None
