"""Parameters that the way back takes after their update, in the place of what they were."""

from collections.abc import Callable, Iterator

from clearprop.gradcheck.seeing.judging.changes import Change
from clearprop.gradcheck.seeing.judging.rewriting import Bench, Site
from clearprop.gradcheck.seeing.tape import Node, computed


def updated(bench: Bench, site: Site) -> Iterator[Change]:
    """Yield the change that gives an expression its parameters as they were before their update.

    Parameters
    ----------
    bench : Bench
    site : Site
        The expression.
    """
    results = {one.result for claim in bench.claims for one in claim.updates}
    old = {
        one.result: one.parameter
        for one in bench.trail.judgement.gradients
        if one.result is not None
    }
    # Of a part that is updated: the whole, as it was before that was written to it, or to its row.
    written = set(results)
    for one in bench.needed:
        if one.name == "setitem" and not written.isdisjoint(one.parents[1:]):
            old[one] = one.args[0]
            written.add(one)
    # Of one that is written once more, what it was in between.
    twice = {
        one.result.args[0]: one.root
        for one in bench.trail.judgement.episode.updates
        if one.result.name == "setitem"
    }
    old |= twice
    taken = {one for node in site.nodes for one in node.parents if one in old}
    if not taken or site.first in results:
        return

    def make(node: Node, value_of: Callable[[Node], object]) -> object:
        return computed(node, lambda one: value_of(old.get(one, one)))

    update = min(taken, key=lambda one: one.place).line
    number = 0 if site.first.line is None else site.first.line.number
    why = f"It is updated before the way back takes it in line {number}."
    at = None if update is None else (update.file, update.number)
    if not taken.isdisjoint(twice):
        at, why = None, f"It is updated already in line {update.number if update else 0}."
    yield Change("W_updated", make, (), why, at)
