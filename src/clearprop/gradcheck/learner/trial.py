"""Finding out how a learner's functions want to be called, by calling them."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from inspect import signature
from typing import Any, TypeVar

import numpy as np

from clearprop.core.parameters import Array
from clearprop.errors import ClearpropError, listed
from clearprop.gradcheck.learner.functions import Code, Forward, Functions
from clearprop.gradcheck.learner.layouts import LAYOUTS, Batch, random_batch, random_parameters
from clearprop.gradcheck.learner.running import failure
from clearprop.gradcheck.subject import Layout

T = TypeVar("T")
_GUESSES = 12  # each of them made because of what the one before showed

_HIDDEN = (4, 6, 8, 9, 10, 11)  # no two layers are alike, so that no matrix fits by accident
_FEATURES = 5
_DEPTH = 3
_CLASSES = 3
_NUMBERED = re.compile(r"([A-Za-z_]+?)(\d+)")


@dataclass(frozen=True)
class Guess:
    """A guess of how functions want to be called.

    Parameters
    ----------
    depth : int
        The number of layers.
    layout : Layout
    sizes : tuple of int or None
        The features of a sample and the units of every layer, where they are known.
    batch : Batch or None
        The data, where they are known.
    outputs : int
        The outputs of the last layer.
    prefixes : mapping of str to str
        The names of W and b, without their number.
    """

    depth: int = _DEPTH
    layout: Layout = LAYOUTS[0]
    sizes: tuple[int, ...] | None = None
    batch: Batch | None = None
    outputs: int = 1
    prefixes: Mapping[str, str] = field(default_factory=lambda: {"W": "W", "b": "b"})

    @property
    def all_sizes(self) -> tuple[int, ...]:
        """The sizes that are known, or small ones."""
        if self.sizes is not None:
            return self.sizes
        inputs, outputs = _FEATURES, self.outputs
        if self.batch is not None:
            inputs, outputs = self.batch.X.shape[1], self.batch.targets.shape[1]
        return (inputs, *_HIDDEN[: self.depth - 1], outputs)

    @property
    def all_data(self) -> Batch:
        """The data that are known, or random ones."""
        return self.batch or random_batch(self.all_sizes[0], self.all_sizes[-1])

    @property
    def parameters(self) -> dict[str, Array]:
        """Random parameters of these sizes, in this layout."""
        return random_parameters(self.all_sizes, self.layout, self.prefixes)


class Recorded(dict[str, Array]):
    """Parameters that remember which of them were asked for.

    Attributes
    ----------
    asked : set of str
    counted : bool
        Whether somebody asked how many there are, or for all of them.
    """

    def __init__(self, parameters: Mapping[str, Array]) -> None:
        super().__init__(parameters)
        self.asked: set[str] = set()
        self.counted = False

    def __getitem__(self, name: str) -> Array:
        self.asked.add(name)
        return super().__getitem__(name)

    def __len__(self) -> int:
        self.counted = True
        return super().__len__()

    def __iter__(self) -> Iterator[str]:
        self.counted = True
        return super().__iter__()


def first_guess(
    forward: Callable[..., Any], sizes: tuple[int, ...] | None, batch: Batch | None
) -> Guess:
    """Guess from what a forward pass takes: W1, b1, W2, b2 are two layers."""
    numbers = [int(match[2]) for name in signature(forward).parameters if (match := _weight(name))]
    return Guess(depth=max(numbers, default=_DEPTH), sizes=sizes, batch=batch)


def next_guess(guess: Guess, asked: Recorded, outcome: Forward | Exception) -> Guess | None:
    """Correct a guess by what a forward pass did with it; None where there is nothing to correct.

    The outcome is its result, or the error that it raised.
    """
    if isinstance(outcome, KeyError):
        return _with_key(guess, str(outcome.args[0]) if outcome.args else "")
    if guess.sizes is not None:
        return None
    used = max((int(match[2]) for name in asked.asked if (match := _weight(name))), default=0)
    if 0 < used < guess.depth and not asked.counted:
        return replace(guess, depth=used)
    may_change = guess.batch is None and guess.outputs == 1
    if may_change and isinstance(outcome, Forward) and _says_nothing(outcome):
        return replace(guess, outputs=_CLASSES)
    return None


def _with_key(guess: Guess, key: str) -> Guess | None:
    """Return a guess with a parameter that was asked for in vain."""
    match = _weight(key)
    if match is None:
        return None
    prefix, number = match[1], int(match[2])
    if number > guess.depth:
        can_grow = guess.sizes is None and number <= len(_HIDDEN) + 1
        return replace(guess, depth=number) if can_grow else None
    if prefix in guess.prefixes.values():
        return None
    kind = "b" if prefix[0] in "bB" else "W"
    return replace(guess, prefixes={**guess.prefixes, kind: prefix})


def _weight(name: str) -> re.Match[str] | None:
    """Match what may be the name of a weight or bias: W1, b1, weights_2."""
    match = _NUMBERED.fullmatch(name)
    return match if match and match[1][0] in "wWbB" else None


def _says_nothing(passed: Forward) -> bool:
    """Whether a single output is constant, as that of a softmax over one class is."""
    if passed.outputs is None:
        return passed.cost == 0
    return bool(np.all(passed.outputs == 1))


@dataclass(frozen=True)
class _Attempt:
    """Code and parameters that it might work with."""

    code: Code
    parameters: dict[str, Array]

    def run(self, stage: int, function: Callable[..., T], parameters: dict[str, Array]) -> T:
        """Call a function of the code; what it raises stops the attempt."""
        try:
            return function(parameters)
        except Exception as error:
            raise _StoppedError(stage, self, error) from error


class _StoppedError(Exception):
    """An error that stopped an attempt, and the number of steps before it."""

    def __init__(self, stage: int, attempt: _Attempt, error: Exception) -> None:
        self.stage, self.attempt, self.error = stage, attempt, error

    def explained(self) -> ClearpropError:
        """Return what a person is told."""
        if isinstance(self.error, ClearpropError):
            return self.error
        code = self.attempt.code
        arrays = {"X": code.X, "Y": code.Y, **self.attempt.parameters}
        shapes = listed(f"{name} {array.shape}" for name, array in arrays.items())
        functions = code.functions
        function = (functions.forward, functions.cost, functions.backward)[self.stage]
        name = getattr(function, "__name__", "")
        samples = code.layout.samples_are
        return failure(
            (
                f"{name} fails in every layout that was tried; samples as {samples}, {shapes}, "
                "came furthest. Its own traceback:"
            ),
            self.error,
        )


def find_setting(
    functions: Functions, sizes: tuple[int, ...] | None = None, batch: Batch | None = None
) -> tuple[Code, dict[str, Array]]:
    """Find layout, depth and data that a learner's functions work with, and random parameters.

    Of all layouts it is the one in which most gradients have the shape of their parameter.

    Parameters
    ----------
    sizes : tuple of int, optional
        The features of a sample and the units of every layer. Unless given, small ones: three
        layers, or as many as the functions use; one output, or three for a softmax.
    batch : Batch, optional
        The samples; random ones unless given.

    Raises
    ------
    ClearpropError
        If they fail in every layout; the message ends with the traceback of the attempt that came
        furthest.
    """
    first = first_guess(functions.forward, sizes, batch)
    working: list[tuple[int, _Attempt]] = []
    stopped: list[_StoppedError] = []
    for layout in LAYOUTS:
        try:
            working.append(_try(functions, replace(first, layout=layout)))
        except _StoppedError as error:
            stopped.append(error)
    if working:
        _, best = max(working, key=lambda found: found[0])
        return best.code, best.parameters
    raise max(stopped, key=lambda error: error.stage).explained()


def _try(functions: Functions, guess: Guess) -> tuple[int, _Attempt]:
    """Return an attempt that works in one layout, and how many gradients fit in it."""
    guess = _forward(functions, guess)
    stopped: list[_StoppedError] = []
    for Y in guess.all_data.forms(guess.layout):
        attempt = _attempt(functions, guess, Y)
        code, parameters = attempt.code, attempt.parameters
        try:
            attempt.run(1, code.cost, guess.parameters)
            gradients = attempt.run(2, code.gradients, guess.parameters)
        except _StoppedError as error:
            stopped.append(error)
            continue
        fitting = sum(gradients[name].shape == parameters[name].shape for name in gradients)
        return fitting, attempt
    raise max(stopped, key=lambda error: error.stage)


def _forward(functions: Functions, guess: Guess) -> Guess:
    """Return a guess that the forward pass works with."""
    for _ in range(_GUESSES):
        attempt = _attempt(functions, guess, next(guess.all_data.forms(guess.layout)))
        asked = Recorded(attempt.parameters)
        try:
            passed = attempt.run(0, attempt.code.forward, asked)
        except _StoppedError as stopped:
            better = next_guess(guess, asked, stopped.error)
            if better is None:
                raise
        else:
            better = next_guess(guess, asked, passed)
            if better is None:
                break
        guess = better
    return guess


def _attempt(functions: Functions, guess: Guess, Y: Array) -> _Attempt:
    data = guess.all_data
    code = Code(
        functions, guess.layout, guess.all_sizes, data.samples(guess.layout), Y, len(data.X)
    )
    return _Attempt(code, guess.parameters)
