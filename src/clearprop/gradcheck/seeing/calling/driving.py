"""A learner's functions and classes called, where running their file has shown no training."""

import random
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, islice
from typing import Any, TypeAlias

import numpy as np

from clearprop.gradcheck.seeing.arrays import Watched, node_of
from clearprop.gradcheck.seeing.calling.arguments import NoArgumentError, NoSuchWayError
from clearprop.gradcheck.seeing.calling.defined import Defined
from clearprop.gradcheck.seeing.calling.driven_alone import single_layers
from clearprop.gradcheck.seeing.calling.driven_classes import (
    backward_by_methods,
    candidates,
    trained,
)
from clearprop.gradcheck.seeing.calling.driven_functions import (
    backward_by_functions,
    trained_by_functions,
    unrolled,
    with_gradients,
)
from clearprop.gradcheck.seeing.calling.driven_kept import kept_passes
from clearprop.gradcheck.seeing.calling.driven_layers import layers_or_none, teaches
from clearprop.gradcheck.seeing.calling.driven_pairs import function_pairs
from clearprop.gradcheck.seeing.calling.driven_values import expressions
from clearprop.gradcheck.seeing.calling.lessons import outer_sum
from clearprop.gradcheck.seeing.calling.limits import limited, loops_of
from clearprop.gradcheck.seeing.calling.materials import (
    ONE_OUTPUT,
    ONE_SAMPLE,
    SEVERAL_OUTPUTS,
    Kind,
    kinds,
)
from clearprop.gradcheck.seeing.calling.roles import trains
from clearprop.gradcheck.seeing.calling.workplace import Found, Workplace
from clearprop.gradcheck.seeing.judging.source import Source
from clearprop.gradcheck.seeing.running.loops import OutOfTime
from clearprop.gradcheck.seeing.running.notes import told
from clearprop.gradcheck.seeing.tape import Node, Tape, TapeFull

_NODES = 15_000  # of one attempt
_TRIES = 4  # times as many where arguments are changed
_BYTES = 5 * 10**8  # of all attempts
_SECONDS = 4.0  # of one attempt
_PLAINLY = 0.7  # of the time, at most, before arguments are changed where calls fail
_PATIENCE = 4  # equal failures of a way that computes nothing, after which it is not tried again
_NOTHING = 3  # nodes
_READINGS = 6  # of code that can be read in several ways
_BROKEN = 8  # ranks that an attempt loses that did not come to its end
_ENDED = "it computes so much that it was ended", "it took so long that it was ended"
_MOVING = ("getitem", "transpose", "reshape", "astype", "ravel", "flatten", "copy", "array")
_TAUGHT = (
    ("rows", "one-hot"),
    ("columns", "one-hot"),
    ("letters", "letters"),
    ("rows", "labels"),
    ("rows", "binary"),
)
"""Layouts and targets from which arguments are made by what fails."""

BROADCAST = 4  # ranks that data lose whose targets were spread over the outputs

Way: TypeAlias = Callable[[Workplace], None]


@dataclass
class Attempt:
    """What came of calling a learner's code with one kind of data.

    Parameters
    ----------
    words : str
        What was called, and with what data, for people.
    since : int
        The length of the tape before; for a layer alone, before its way back.
    rank : int
        How rich the data are: 0 is several samples and several outputs, 1 several samples, 2
        samples one by one, 3 one sample; 4 more where targets were spread over the outputs by
        broadcasting, as happens to data of another layout than the code wants; 8 more where it
        failed before its end, so that gradients may be half done.
    parameters : dict of str to Node
        What takes part in the forward pass and was not computed from data, before the backward
        pass, by name.
    claims : dict of str to Node
        The gradients that calls returned, or left in objects and dicts, by name; none where the
        code updates its parameters, which is on the tape.
    cost : Node or None
        The number whose derivatives the claims should be, where it is known: the output times a
        random upstream gradient that backward was given.
    held : mapping of str to object
        Where parameters lie, by name.
    alone : str
        The layer that was called on its own, where it is no whole network: the verdicts on several
        layers stand beside each other.
    error : str or None
        Why it failed, for people.
    is_stopped : bool
        Whether that was in a layer that had gone forward, and only needed a gradient to go back.
    is_late : bool
        Whether it is an expression that nothing else shows, and that there was no time for.
    is_taught : bool
        Whether arguments were changed where calls failed.
    unwatched : tuple of str
        The functions that went back with numbers that are not watched.
    """

    words: str
    since: int
    rank: int
    parameters: dict[str, Node] = field(default_factory=dict)
    claims: dict[str, Node] = field(default_factory=dict)
    cost: Node | None = None
    held: Mapping[str, Any] = field(default_factory=dict)
    alone: str = ""
    error: str | None = None
    is_stopped: bool = False
    is_late: bool = False
    is_taught: bool = False
    unwatched: tuple[str, ...] = ()


def attempts(
    namespace: Mapping[str, Any],
    source: Source,
    tape: Tape,
    seconds: float = 15.0,
    wanted: Iterable[str] = (),
) -> Iterator[Attempt]:
    """Call what a file defines, in every way that networks are written, the richest data first.

    The caller holds ``recording(tape)``, and stops when an attempt has shown enough. An attempt
    with poorer data hides mistakes that one with richer data shows: among several, that of the
    lowest rank decides.

    Parameters
    ----------
    namespace : mapping of str to object
        The names of the file after it ran.
    source : Source
    tape : Tape
        Its `files` are those whose functions and classes count.
    seconds : float
        The time that all of it may take.
    wanted : iterable of str
        The functions and methods that should be called rather than others of their kind.
    """
    defined = Defined(namespace, source, tape, wanted=frozenset(wanted))
    begun = time.monotonic()
    driver = _Driver(defined, begun + _PLAINLY * seconds)
    known = sum(node.value.nbytes for node in tape.nodes)
    tape.most_bytes = max(tape.most_bytes, known + _BYTES)
    own = list(
        kinds(
            defined.layers,
            defined.batch or 6,
            defined.classes_said,
            recurrent=defined.is_recurrent,
        )
    )
    has_trainers = _has_trainers(defined)
    if not has_trainers:
        # Of values that differentiate themselves nothing else is seen, though much might be tried.
        yield from driver.all(own[0], expressions(defined), are_parts=True)
    for rank in range(ONE_SAMPLE):
        yield from driver.each(own, rank, _ways)
    # Layers on their own are called before poor data take the time that is left.
    yield from driver.all(own[0], _layers(driver.defined))
    if has_trainers:
        yield from driver.all(own[0], expressions(defined), are_parts=True)
    yield from driver.each(own, ONE_SAMPLE, _ways)
    driver.end = begun + seconds
    yield from driver.learning([one for one in own if (one.layout, one.targets) in _TAUGHT])


def _has_trainers(defined: Defined) -> bool:
    """Whether a function or a class trains."""
    return any(trains(name, one) for name, one in defined.functions.items()) or any(
        teaches(defined, kind) for kind in defined.classes.values()
    )


class _Driver:
    def __init__(self, defined: Defined, end: float) -> None:
        self.defined, self.end = defined, end
        self.loops = loops_of(defined.namespace)
        self.failures: dict[str, list[str]] = {}
        self.done: set[str] = set()

    def each(
        self, kinds: Sequence[Kind], rank: int, ways: Callable[[Defined], Iterable[tuple[str, Way]]]
    ) -> Iterator[Attempt]:
        """Try all ways with all kinds of data of a rank."""
        for kind in kinds:
            if kind.rank == rank:
                yield from self.all(kind, ways(self.defined))

    def all(
        self, kind: Kind, ways: Iterable[tuple[str, Way]], *, are_parts: bool = False
    ) -> Iterator[Attempt]:
        """Try all ways with one kind of data.

        Where a way fails and the code can be read in several ways, it is tried with the others.
        Of ways that are a part of the verdict each, those that there was no time for are yielded,
        too.
        """
        for name, way in ways:
            readings = [kind]
            for number, one in enumerate(islice(iter(readings), _READINGS)):
                attempt = self._one(one, f"{name}{one.options}{one.layers}", name, way)
                if attempt is None:
                    if are_parts and time.monotonic() >= self.end:
                        yield Attempt(name, 0, kind.rank, error=_ENDED[1], is_late=True)
                    break
                if are_parts and attempt.error in _ENDED:
                    attempt.words, attempt.is_late = name, True
                yield attempt
                if attempt.error is None:
                    self.done.add(name)
                    break
                if not number:
                    readings += [
                        replace(kind, options=((key, place),))
                        for key, several in self.defined.doubts.items()
                        for place in range(1, several)
                    ]
                    if not self.defined.layers_said:
                        readings.append(replace(kind, layers=2))

    def learning(self, kinds: Sequence[Kind]) -> Iterator[Attempt]:
        """Try the ways that came to no end with any data, with arguments that failures teach."""
        for kind in kinds:
            one = replace(kind, options=(("lessons", 1),))
            ways = chain(_ways(self.defined), _layers(self.defined) if kind is kinds[0] else ())
            for name, way in ways:
                attempt = None if name in self.done else self._one(one, f"{name}+", name, way)
                if attempt is not None and attempt.error in (None, *_ENDED):
                    self.done.add(name)
                    yield attempt

    def _one(self, kind: Kind, key: str, name: str, way: Way) -> Attempt | None:
        """Try one way; None where there is no time, or where it has nothing to call."""
        tape, left = self.defined.tape, self.end - time.monotonic()
        failures = self.failures.setdefault(key, [])
        if left <= 0 or len(failures) >= _PATIENCE:
            return None
        begun = len(tape)
        attempt = Attempt(name, begun, kind.rank, is_taught=kind.learns)
        self.defined.doubts.clear()
        try:
            nodes = _NODES * (_TRIES if kind.learns else 1)
            with limited(tape, self.loops, min(_SECONDS, left), nodes), _kept(self.defined):
                place = Workplace(self.defined, kind, layers_or_none)
                begun = len(tape)
                applies = _try(attempt, way, place)
                late = self.loops is not None and time.monotonic() > self.loops.deadline
        except TapeFull:  # by what was there before
            return None
        if late and not (kind.learns or "training" in name):
            # Loops have ended that may add up a gradient: what there is of it tells nothing.
            attempt.since, attempt.claims, attempt.error = len(tape), {}, attempt.error or _ENDED[1]
        if not applies:
            self.failures[key] = ["there is nothing to call"] * _PATIENCE
            return None
        if attempt.error is None or len(tape) - begun >= _NOTHING:
            failures.clear()
        elif attempt.error in failures or not failures:
            failures.append(attempt.error)
        return attempt


@contextmanager
def _kept(defined: Defined) -> Iterator[None]:
    """Put lists and dicts that classes hold back to what they were: all objects share them."""
    before = [
        (kind, name, one, copy(one))
        for kind in defined.classes.values()
        for name, one in vars(kind).items()
        if isinstance(one, list | dict) and not name.startswith("__")
    ]
    try:
        yield
    finally:
        for kind, name, one, items in before:
            one.clear()
            if isinstance(one, list):
                one.extend(items)
            else:
                one.update(items)
            setattr(kind, name, one)


def _ways(defined: Defined) -> Iterator[tuple[str, Way]]:
    """Yield ways of calling, each with its name: whole trainings, then single passes."""
    for name, one in candidates(defined):
        yield f"{name}: training", partial(trained, kind=one)
        yield f"{name}: backward", partial(backward_by_methods, kind=one)
    if defined.functions:
        yield "training function", trained_by_functions
        yield "forward and backward functions", backward_by_functions
        yield from with_gradients(defined)
        yield "cost with gradient of a flat vector", unrolled


def _layers(defined: Defined) -> Iterator[tuple[str, Way]]:
    yield from function_pairs(defined)
    yield from kept_passes(defined)
    yield from single_layers(defined)


def _try(attempt: Attempt, way: Way, place: Workplace) -> bool:
    """Run a way, and keep what it has found, also where it has failed later on.

    Returns whether the code has something to be called in that way.
    """
    states = random.getstate(), np.random.get_state()
    random.seed(1)
    np.random.seed(1)
    try:
        with np.errstate(all="ignore"):
            way(place)
    except TapeFull:
        attempt.error = _ENDED[0]
    except OutOfTime:
        attempt.error = _ENDED[1]
    except NoSuchWayError:
        return False
    except NoArgumentError as error:
        attempt.error = str(error)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit, too: watched code is not in charge here
        attempt.error = _where(error, place.defined.tape) + told(error)
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
    _settle(attempt, place.found, place)
    return True


def _settle(attempt: Attempt, found: Found, place: Workplace) -> None:
    tape = place.defined.tape
    attempt.since = max(attempt.since, found.since)
    try:
        place.settle(attempt.since)
    except TapeFull:
        return
    if found.alone and place.claims_from is not None:
        attempt.since = place.claims_from  # a layer takes its steps going back
    attempt.parameters, attempt.claims = found.parameters, found.claims
    if found.adds_penalty and found.claims:
        attempt.since = len(tape)
    attempt.cost, attempt.held, attempt.alone = found.cost, found.held, found.alone
    attempt.is_stopped, attempt.unwatched = found.is_stopped, found.unwatched
    called = f"{found.words}, " if found.words else f"{attempt.words}, "
    attempt.words = called + (found.data or place.kind.words)
    if attempt.error is not None:
        attempt.rank += _BROKEN
        if outer_sum(tape, attempt.since) is not None:
            # It failed with data of another layout than it wants: what it did tells nothing.
            attempt.since, attempt.claims = len(tape), {}
    shapes = [node.value.shape for node in attempt.parameters.values()]
    several = not shapes or any(place.data.kind.outputs in shape for shape in shapes)
    if attempt.rank == SEVERAL_OUTPUTS and not several and not attempt.alone:
        attempt.rank = ONE_OUTPUT  # the code has one, whatever targets it is given
    targets = place.data.targets
    if found.is_spread or (
        type(targets) is Watched
        and _is_spread(tape, attempt.since, node_of(targets), len(place.data.pairs))
    ):
        attempt.rank += BROADCAST


def _is_spread(tape: Tape, since: int, targets: Node, samples: int) -> bool:
    """Whether targets met outputs of another shape, and broadcasting has made them fit."""
    moved, square = {targets}, (samples, samples)
    for node in tape.nodes[since:]:
        if node.name in _MOVING and any(one in moved for one in node.parents):
            moved.add(node)
        if node.name not in ("subtract", "multiply", "add", "divide") or len(node.parents) != 2:
            continue
        a, b = node.parents
        sizes = {a.value.size, b.value.size}
        if samples > 1 and node.value.shape == square and sizes == {samples}:
            return True
        if (a in moved) != (b in moved):
            target, output = (a, b) if a in moved else (b, a)
            if 1 < output.value.size < node.value.size:
                return True
            if node.name == "subtract" and target.value.size < output.value.size:
                return True  # a class, as a number, for all outputs
    return False


def _where(error: BaseException, tape: Tape) -> str:
    """Return the innermost line of watched code in which an error arose, for people."""
    lines = [
        (frame.f_code.co_filename, number)
        for frame, number in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename in tape.files
    ]
    return f"{lines[-1][0]}, line {lines[-1][1]}: " if lines else ""
