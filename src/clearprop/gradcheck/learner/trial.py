"""Finding out how a learner's functions want to be called, by calling them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from clearprop.errors import ClearpropError
from clearprop.gradcheck.learner.code import Code
from clearprop.gradcheck.learner.failures import failure
from clearprop.gradcheck.learner.guesses import Guess, Recorded, first_guess, next_guess
from clearprop.gradcheck.learner.layouts import LAYOUTS, Batch
from clearprop.gradcheck.learner.names import Functions
from clearprop.gradcheck.learner.words import say
from clearprop.parameters import Array

T = TypeVar("T")

_GUESSES = 12  # each of them made because of what the one before showed


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
    """What stopped an attempt, and after how many steps."""

    def __init__(self, stage: int, attempt: _Attempt, error: Exception) -> None:
        self.stage, self.attempt, self.error = stage, attempt, error

    def explained(self) -> ClearpropError:
        """Return what a person is told."""
        if isinstance(self.error, ClearpropError):
            return self.error
        code = self.attempt.code
        arrays = {"X": code.X, "Y": code.Y, **self.attempt.parameters}
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        functions = code.functions
        function = (functions.forward, functions.cost, functions.backward)[self.stage]
        name = getattr(function, "__name__", "")
        samples = code.layout.samples_are
        return failure(
            say("fails when called", name=name, arrays=shapes, samples=samples), self.error
        )


def find_setting(
    functions: Functions, sizes: tuple[int, ...] | None = None, batch: Batch | None = None
) -> tuple[Code, dict[str, Array]]:
    """Find layout, depth and data that a learner's functions work with.

    Parameters
    ----------
    functions : Functions
    sizes : tuple of int, optional
        The features of a sample and the units of every layer. Unless given, small ones: three
        layers, or as many as the functions use; one output, or three for a softmax.
    batch : Batch, optional
        Random samples unless given.

    Returns
    -------
    code : Code
        In the layout in which most gradients have the shape of their parameter.
    parameters : dict of str to ndarray
        Random ones.

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
