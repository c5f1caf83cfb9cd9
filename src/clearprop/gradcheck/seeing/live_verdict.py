"""The verdict on a block of live code that was watched."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from clearprop.errors import UsageError, listed
from clearprop.gradcheck.seeing.arrays import Watched
from clearprop.gradcheck.seeing.judging.checking import (
    Training,
    explained,
    named,
    trainings,
)
from clearprop.gradcheck.seeing.judging.claims import judge_claims
from clearprop.gradcheck.seeing.judging.seen_report import SeenReport, seen_report
from clearprop.gradcheck.seeing.judging.source import Source
from clearprop.gradcheck.seeing.judging.updates import find_updates
from clearprop.gradcheck.seeing.tape import Tape

_FEWEST = 2  # operations of a block in which anything may be seen


@dataclass(frozen=True)
class Lived:
    """What was seen of a block.

    Parameters
    ----------
    tape : Tape
    sources : mapping of str to sequence of str
        The lines of the files that were watched.
    given, left : mapping of str to Watched
        The arrays that were there before it and after it, by the way to each.
    is_whole : bool
        Whether all that it computed is on the tape.
    """

    tape: Tape
    sources: Mapping[str, Sequence[str]]
    given: Mapping[str, Watched]
    left: Mapping[str, Watched]
    is_whole: bool

    @cached_property
    def source(self) -> Source:
        """The lines as code that computes."""
        return Source(self.sources)

    @cached_property
    def trainings(self) -> list[Training]:
        """What was seen of gradients, each judged."""
        return trainings(self.tape, self.source, self.left) or _returned(self, self.source)


def verdict(lived: Lived) -> SeenReport:
    """Judge the gradients that were seen.

    Raises
    ------
    UsageError
        If there were none.
    """
    tape, source = lived.tape, lived.source
    if not lived.trainings:
        raise UsageError(_why_nothing(lived))
    found = [explained(tape, one, source) for one in lived.trainings]
    notes = []
    if not lived.is_whole:
        notes.append(f"the first {len(tape):,} operations were looked at.")
    return seen_report(tape, source, found, (), notes)


def _returned(lived: Lived, source: Source) -> list[Training]:
    """Judge gradients that lie beside parameters of their names, where nothing is updated."""
    if find_updates(lived.tape, 0):
        return []
    left = {name: one._node for name, one in lived.left.items() if one._node is not None}
    given = {name: one._node for name, one in lived.given.items() if one._node is not None}
    pairs = [
        (name, claimed)
        for claimed, claim in left.items()
        for name, node in given.items()
        if name != claimed
        and claim.parents
        and claim.is_float
        and node.is_float
        and not node.parents
        and node.place >= 0
        and _own(name) in (_own(claimed), _bare(claimed))
    ]
    parameters = {name: given[name] for name, _ in pairs}
    claims = {claimed: left[claimed] for _, claimed in pairs}
    judgement = judge_claims(lived.tape, parameters, claims, source)
    if judgement is None:
        return []
    names = {node: name for name, node in parameters.items()}
    return [named(lived.tape, judgement, source, names)]


def _why_nothing(lived: Lived) -> str:
    """Say why no gradient was seen."""
    count = sum(bool(node.parents) for node in lived.tape.nodes)
    if count < _FEWEST:
        held = f" There are arrays in {listed(list(lived.given))}." if lived.given else ""
        return (
            "Nothing was computed with arrays that were watched, so that no gradient was seen."
            f"{held} Let the block train a step, with parameters that lie in variables or objects "
            "of yours, or name these objects: cp.watch(net)."
        )
    full = ""
    if not lived.is_whole:
        full = " It computes more than can be kept: train one step, on a few samples."
    return (
        f"No gradient was seen in the {count:,} operations of the block. Expected was a parameter "
        "that becomes itself and a step, W -= rate * dW, or a gradient beside it under such a name "
        "as dW, and what they are the gradients of. Let the block train a whole step, forward and "
        "backward, with parameters that were there before it, as arrays: Python's own floats leave "
        f"no trace.{full}"
    )


def _bare(name: str) -> str:
    """Return the parameter's name in that of its gradient: W1 in net.dW1, grads.W1_grad."""
    own = re.sub(r"grads?|gradients?|nabla|delta", "", _own(name))
    return own.removeprefix("d")


def _own(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower().rsplit(".", 1)[-1])
