"""What dZ of a layer may be: the way from the cost or from the layer above, with slips in it."""

from collections.abc import Iterator
from typing import TypeAlias

from clearprop.gradcheck.diagnosis.hypotheses.fitting import CLOSE, fit
from clearprop.gradcheck.diagnosis.hypotheses.guess import Guess, Place
from clearprop.gradcheck.diagnosis.hypotheses.outputs import outputs, upstream
from clearprop.gradcheck.diagnosis.hypotheses.products import products
from clearprop.gradcheck.diagnosis.hypotheses.slopes import slopes
from clearprop.parameters import Array

Asked: TypeAlias = tuple[Array | None, Array | None]
"""Their dW and db of a layer, in columns."""


def deltas(at: Place, mistakes: int, asked: Asked) -> Iterator[tuple[Guess, Array]]:
    """Yield what dZ may be after so many mistakes.

    Parameters
    ----------
    at : Place
    mistakes : int
    asked : tuple of ndarray or None
        Some mistakes have a number, such as a learning rate, that only their gradients tell.

    Yields
    ------
    guess : Guess
        Its value is dZ, shape (n[l], m).
    dA : ndarray, shape (n[l], m)
        What it was made of.
    """
    every = _of_output(at) if at.layer == at.run.L else _of_hidden(at, asked)
    right, right_dA, _ = next(every)
    if not mistakes:
        yield right, right_dA
        return
    for guess, dA, count in every:
        if count == mistakes and not _are_alike(right.value, guess.value):
            yield guess, dA


def _are_alike(right: Array, value: Array) -> bool:
    """Say whether a guess gives the right numbers, or those of a wrong sign, which has a name."""
    fitted = fit(right, value)
    return fitted is not None and abs(abs(fitted.factor) - 1) < CLOSE


def _of_output(at: Place) -> Iterator[tuple[Guess, Array, int]]:
    dA = upstream(at)
    for guess in outputs(at):
        yield guess, dA, len(guess.steps)


def _of_hidden(at: Place, asked: Asked) -> Iterator[tuple[Guess, Array, int]]:
    for one in products(at):
        for another in slopes(at, one.value):
            mistakes = sum(bool(part.steps) or part.free is not None for part in (one, another))
            guess = Guess(one.value * another.value, one.steps + another.steps)
            if one.free is None and another.free is None:
                yield guess, one.value, mistakes
            elif another.free is None and one.free is not None:
                freed = _freed(at, guess, one, one.free * another.value, asked)
                for found, number in freed:
                    yield found, one.value + number * one.free, mistakes
            elif one.free is None and another.free is not None:
                for found, _ in _freed(at, guess, another, one.value * another.free, asked):
                    yield found, one.value, mistakes


def _freed(
    at: Place, guess: Guess, part: Guess, free: Array, asked: Asked
) -> Iterator[tuple[Guess, float]]:
    """Yield a guess with its free number, if there is one that gives their dW."""
    run, m = at.run, at.run.m
    A, W, theirs = run.A[at.layer - 1], run.W[at.layer], asked[0]
    if theirs is None or theirs.shape != W.shape or part.name is None:
        return
    data = theirs - run.plan.decay * W
    fitted = fit(data, guess.value @ A.T / m, free=free @ A.T / m, close=at.close)
    if fitted and (steps := part.name(fitted.free)):
        yield Guess(guess.value + fitted.free * free, guess.steps + steps), fitted.free
