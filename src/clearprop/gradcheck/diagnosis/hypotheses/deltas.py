"""What dZ of a layer may be: the way from the cost or from the layer above, with slips in it."""

from collections.abc import Iterator
from typing import TypeAlias

from clearprop.gradcheck.diagnosis.hypotheses.fitting import CLOSE, fit
from clearprop.gradcheck.diagnosis.hypotheses.guess import Guess, Place
from clearprop.gradcheck.diagnosis.hypotheses.outputs import outputs
from clearprop.gradcheck.diagnosis.hypotheses.products import products
from clearprop.gradcheck.diagnosis.hypotheses.slopes import slopes, unbracketed
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
    every = outputs(at) if at.layer == at.run.L else _of_hidden(at, asked)
    right, right_dA = next(every)
    if not mistakes:
        yield right, right_dA
        return
    for guess, dA in every:
        if len(guess.steps) == mistakes and not _are_alike(right.value, guess.value):
            yield guess, dA


def _are_alike(right: Array, value: Array) -> bool:
    """Say whether a guess gives the right numbers, or those of a wrong sign, which has a name."""
    fitted = fit(right, value)
    return fitted is not None and abs(abs(fitted.factor) - 1) < CLOSE


def _of_hidden(at: Place, asked: Asked) -> Iterator[tuple[Guess, Array]]:
    own = at.run.plan.hidden[at.layer - 1]
    for one in products(at):
        for another in slopes(at, one.value):
            guess = Guess(one.value * another.value, one.steps + another.steps)
            if one.free is None and another.free is None:
                yield guess, one.value
            elif another.free is None and one.free is not None:
                for found, number in _freed(at, guess, one, one.free * another.value, asked):
                    yield found, one.value + number * one.free
            elif one.free is None and another.free is not None:
                for found, _ in _freed(at, guess, another, one.value * another.free, asked):
                    yield found, one.value
        for dZ in unbracketed(at, own, one.value) if one.free is None else ():
            yield Guess(dZ.value, one.steps + dZ.steps), one.value


def _freed(
    at: Place, guess: Guess, part: Guess, free: Array, asked: Asked
) -> Iterator[tuple[Guess, float]]:
    """Yield a guess with its free number, if one gives their dW or their db."""
    run, layer = at.run, at.layer
    lines = (_dW, run.plan.decay * run.W[layer]), (_db, run.plan.bias_decay * run.b[layer])
    for theirs, (line, penalty) in zip(asked, lines, strict=True):
        if theirs is None or theirs.shape != penalty.shape or part.name is None:
            continue
        value, direction = line(at, guess.value), line(at, free)
        fitted = fit(theirs - penalty, value, free=direction, close=at.close)
        if fitted and (steps := part.name(fitted.free)):
            yield Guess(guess.value + fitted.free * free, guess.steps + steps), fitted.free
            return


def _dW(at: Place, dZ: Array) -> Array:
    return dZ @ at.run.A[at.layer - 1].T / at.run.m


def _db(at: Place, dZ: Array) -> Array:
    return dZ.sum(axis=1, keepdims=True) / at.run.m
