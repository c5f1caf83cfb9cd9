"""What a run has not shown: functions that go back, and that nothing has called."""

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from clearprop.gradcheck.seeing.judging.called import Fruitless, driven
from clearprop.gradcheck.seeing.judging.checking import Training
from clearprop.gradcheck.seeing.judging.source import Source
from clearprop.gradcheck.seeing.tape import Tape

_BACKWARD = re.compile(r"(?<!for_)(back_?ward|back_?prop|bprop|retro)", re.IGNORECASE)
"""Names of functions that go back, in the languages that learners write."""

_GRADIENT = re.compile(r"^_*((get|calc|compute)_)?(gradients?|grads?)\b(?!.*check)", re.IGNORECASE)
"""Names of functions that may go back, and may measure gradients instead."""

_ROUNDS = 4  # in which what is left is called


def never_called(
    tape: Tape, source: Source, found: Sequence[Training], *, maybe: bool = False
) -> list[str]:
    """Name the functions that go back, and that no training which was judged has called.

    `maybe` are also those that go by a gradient. Of a program that defines none itself, and of
    which parts alone were called, those of its modules are named.
    """
    called = {
        line.code.co_qualname
        for training in found
        for node in tape.nodes[slice(*training.span)]
        for line in node.lines
    }
    called |= {name for training in found for name in training.unwatched}
    names = list(source.functions())
    if not maybe and all(one.is_part for one in found) and not any(map(_BACKWARD.search, names)):
        names = list(source.functions(everywhere=True))
    return [
        name if maybe else name.replace(".<locals>", "")
        for name in names
        if name not in called and (_goes_back(name) or (maybe and _is_gradient(name)))
    ]


def _goes_back(name: str) -> bool:
    """Whether a function is called so; not one within such a function, as what sorts a graph is."""
    return _BACKWARD.search(name.rsplit("<locals>.", 1)[-1]) is not None


def _is_gradient(name: str) -> bool:
    return _GRADIENT.search(name.rsplit(".", 1)[-1]) is not None


def completed(
    tape: Tape,
    source: Source,
    namespace: Mapping[str, Any],
    found: Sequence[Training],
    seconds: float,
    fruitless: Fruitless,
) -> list[Training]:
    """Call what goes back and has not been called, and add what comes of it.

    Parameters
    ----------
    tape : Tape
    source : Source
    namespace : mapping of str to object
        The names of the file after it ran.
    found : sequence of Training
    seconds : float
        The time that it may take.
    fruitless : Fruitless
        What came of the calls that have shown nothing is added.
    """
    whole, end = list(found), time.monotonic() + seconds
    for _ in range(_ROUNDS):
        left = never_called(tape, source, whole, maybe=True)
        lasts = end - time.monotonic()
        if not left or lasts <= 0:
            break
        shown = [one for one in source.functions() if "." in one or _BACKWARD.search(one)]
        done = {*map(_owner, shown), *_begun(tape, whole)} - set(map(_owner, left))
        rest = {name: item for name, item in namespace.items() if name not in done}
        called = driven(tape, source, rest, lasts, fruitless, wanted=left)
        more = [one for one in called if _calls(tape, one, left)]
        if not more:
            break
        whole += more
    return whole


def _begun(tape: Tape, found: Sequence[Training]) -> set[str]:
    """Return the classes and functions with which the calls of trainings began."""
    return {
        _owner(node.lines[-1].code.co_qualname)
        for one in found
        if one.how
        for node in tape.nodes[slice(*one.span)]
        if node.lines
    }


def _owner(name: str) -> str:
    """Return the class of a method, or a function itself."""
    return name.split(".", 1)[0]


def _calls(tape: Tape, training: Training, names: Sequence[str]) -> bool:
    nodes = tape.nodes[slice(*training.span)]
    return any(line.code.co_qualname in names for node in nodes for line in node.lines)
