"""The search for the fewest mistakes that give their numbers, from the output back to the input.

A *branch* is one way of explaining the layers above. At each layer every branch goes on with every
dZ and every line that gives their dW and db, first without a mistake, then with one, then with two;
what was wrong above stays wrong below, so that a mistake is counted where it is made and not where
it shows. The branches with the fewest different mistakes survive.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain, product

import numpy as np

from clearprop.gradcheck.diagnosis.branch import Branch, best
from clearprop.gradcheck.diagnosis.hypotheses.deltas import Asked, deltas
from clearprop.gradcheck.diagnosis.hypotheses.factors import meanings, parts_of
from clearprop.gradcheck.diagnosis.hypotheses.guess import Guess, Place, Steps
from clearprop.gradcheck.diagnosis.hypotheses.lines import Line, explain
from clearprop.gradcheck.diagnosis.network.replay import Run
from clearprop.parameters import Array

_TIERS = (  # mistakes in dZ; lines that are right but for a factor; what it costs at least
    (0, 0, 0.0),
    (1, 2, 1.0),
    (1, 1, 1.9),
    (2, 2, 1.9),
    (1, 0, 2.8),
)
_TRIED = 3  # explanations of a line, for each dZ


def search(run: Run, theirs: Mapping[str, Array], close: float) -> list[Branch]:
    """Explain their gradients.

    Parameters
    ----------
    run : Run
    theirs : mapping of str to ndarray
        Their gradients in columns. A parameter that is missing is not explained.
    close : float
        The largest difference that counts as rounding, over the largest entry.

    Returns
    -------
    list of Branch
        The one that needs the fewest mistakes first.
    """
    branches = [Branch()]
    for layer in range(run.L, 0, -1):
        extended = chain.from_iterable(_extend(run, theirs, one, layer, close) for one in branches)
        branches = best(extended)
    return branches


def _extend(
    run: Run, theirs: Mapping[str, Array], branch: Branch, layer: int, close: float
) -> list[Branch]:
    """Return the branches that go on from one."""
    if (layer + 1, "dZ") in branch.unknown:
        return [replace(branch, unknown=(*branch.unknown, (layer, "dZ")))]
    dW = {
        above: theirs[names.W]
        for above, names in enumerate(run.plan.layers, start=1)
        if above > layer and names.W in theirs
    }
    at = Place(run, layer, branch.dZ, branch.dA, dW, close)
    names = run.plan.layers[layer - 1]
    asked = (theirs.get(names.W), theirs.get(names.b))
    found: list[Branch] = []
    for mistakes, right, least in _TIERS:
        if found and min(one.weight for one in found) - branch.weight <= least:
            break
        for guess, dA in deltas(at, mistakes, asked):
            found += _match(at, branch, guess, dA, asked, right)
    return found or [_partly(at, branch, asked)]


def _match(
    at: Place, branch: Branch, guess: Guess, dA: Array, asked: Asked, right: int
) -> Iterator[Branch]:
    """Yield the ways in which a dZ and a line for each of dW and db give their numbers.

    At least so many of the two lines have to be right, but for a factor.
    """
    targets = dict(zip(("dW", "db"), asked, strict=True))
    lines = {
        target: explain(at, target, theirs, guess.value, dA, plain=True)
        for target, theirs in targets.items()
    }
    if sum(map(bool, lines.values())) < right:
        return
    for target, theirs in targets.items():
        lines[target] = lines[target] or explain(at, target, theirs, guess.value, dA, plain=False)
    for line_W, line_b in product(*(found[:_TRIED] for found in lines.values())):
        yield from _with_factors(at, branch, guess, dA, line_W, line_b)


def _with_factors(
    at: Place, branch: Branch, guess: Guess, dA: Array, line_W: Line, line_b: Line
) -> Iterator[Branch]:
    """Yield the ways to put the factors of dW and db down to dZ, to the lines, or to both."""
    above = "dZ" if at.layer == at.run.L else "dA"
    lines = {"dW": line_W, "db": line_b}
    errors = {target: line.error for target, line in lines.items()}
    known = [line.factor for line in lines.values() if line.factor is not None]
    split = chain.from_iterable(parts_of(factor, at, above) for factor in known)
    for factor in dict.fromkeys((1.0, *known, *split)):
        own = [
            meanings(line.factor / factor, at, target, telling=line.telling)
            if line.factor is not None
            else [()]
            for target, line in lines.items()
        ]
        both = line_W.telling and np.allclose(known, factor, rtol=at.close)
        for steps in product(meanings(factor, at, above, telling=both), *own):
            every = (*chain.from_iterable(steps), *line_W.steps, *line_b.steps)
            yield _onward(at, branch, guess, dA, factor, every, errors)


def _onward(
    at: Place,
    branch: Branch,
    guess: Guess,
    dA: Array,
    factor: float,
    steps: Steps,
    errors: Mapping[str, float],
    unknown: tuple[str, ...] = (),
) -> Branch:
    return Branch(
        (*branch.steps, *guess.steps, *steps),
        (*branch.unknown, *((at.layer, target) for target in unknown)),
        {**branch.dZ, at.layer: factor * guess.value},
        {**branch.dA, at.layer: factor * dA},
        {**branch.errors, **{(at.layer, target): error for target, error in errors.items()}},
    )


def _partly(at: Place, branch: Branch, asked: Asked) -> Branch:
    """Return the branch of the right dZ in which one line, or all of the layer, is unknown."""
    guess, dA = next(deltas(at, 0, asked))
    steps: Steps = ()
    errors: dict[str, float] = {}
    unknown: list[str] = []
    for target, theirs in zip(("dW", "db"), asked, strict=True):
        lines = explain(at, target, theirs, guess.value, dA, plain=False)
        line = next(iter(lines), Line(()))
        factors = meanings(line.factor or 1, at, target, telling=line.telling)
        if lines and factors:
            steps += (*line.steps, *factors[0])
            errors[target] = line.error
        else:
            unknown.append(target)
    nothing = len(unknown) == len(asked)
    return _onward(at, branch, guess, dA, 1, steps, errors, ("dZ",) if nothing else (*unknown,))
