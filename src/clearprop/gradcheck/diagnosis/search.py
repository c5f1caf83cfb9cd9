"""The search for the fewest mistakes that give their numbers, from the output back to the input.

A *branch* is one way of explaining the layers above. At each layer every branch goes on with every
dZ and every line that gives their dW and db, first without a mistake, then with one, then with two;
what was wrong above stays wrong below, so that a mistake is counted where it is made and not where
it shows. The branches with the fewest different mistakes survive.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, product

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.diagnosis.deltas import (
    Asked,
    deltas,
    outputs,
    products,
    slopes,
    without_slope,
)
from clearprop.gradcheck.diagnosis.factors import CLOSE, meanings, parts_of, usual_causes
from clearprop.gradcheck.diagnosis.lines import Line, explain, sums
from clearprop.gradcheck.diagnosis.mistakes import CAUSES
from clearprop.gradcheck.diagnosis.replay import Guess, Place, Run, Steps

_TIERS = (  # mistakes in dZ; lines that are right but for a factor; what it costs at least
    (0, 0, 0.0),
    (1, 2, 1.0),
    (1, 1, 1.9),
    (2, 2, 1.9),
    (1, 0, 2.8),
)
_TRIED = 3  # explanations of a line, for each dZ
_KEPT = 12  # branches
_WORSE = 1.5  # than the best, beyond which a branch is given up
_AGAIN = 0.02  # what a mistake costs that is made in another layer, too
_BOTH_LINES = 0.4  # what it costs that is made in dW and in db

UNKNOWN = 3.0
"""The cost of a line that nothing explains, in mistakes."""


@dataclass(frozen=True)
class Branch:
    """One way of explaining the layers so far.

    Parameters
    ----------
    steps : tuple of Step
        The mistakes, from the output back.
    unknown : tuple of (int, str)
        The lines that nothing explains: ``(2, "dW")``.
    dZ, dA : dict of int to ndarray
        The arrays as the code under check has them, if this is what it does.
    errors : dict of (int, str) to float
        The distance of its lines from theirs, over their largest entry.
    """

    steps: Steps = ()
    unknown: tuple[tuple[int, str], ...] = ()
    dZ: Mapping[int, Array] = field(default_factory=dict)
    dA: Mapping[int, Array] = field(default_factory=dict)
    errors: Mapping[tuple[int, str], float] = field(default_factory=dict)

    @property
    def weight(self) -> float:
        """The weight of what has to be believed: about the number of different mistakes."""
        groups = {(step.cause, step.variant): {step.target} for step in self.steps}
        for step in self.steps:
            groups[step.cause, step.variant].add(step.target)
        return (
            sum(
                CAUSES[cause].rarity * (1 + _BOTH_LINES * (len(targets) - 1))
                for (cause, _), targets in groups.items()
            )
            + _AGAIN * len(self.steps)
            + UNKNOWN * len(self.unknown)
        )


def best(branches: Iterable[Branch]) -> list[Branch]:
    """Return the branches that are worth going on with, the best first."""
    # Several ways through the search lead to the same mistakes, and would crowd out others.
    different = {(one.steps, one.unknown): one for one in branches}
    ordered = sorted(different.values(), key=lambda one: one.weight)
    return [one for one in ordered[:_KEPT] if one.weight <= ordered[0].weight + _WORSE]


def search(run: Run, theirs: Mapping[str, Array], close: float) -> list[Branch]:
    """Explain their gradients, in columns, by branches: the one of the fewest mistakes first.

    A difference of up to `close`, over the largest entry, is rounding. A gradient that is missing
    is not explained.
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
    if (layer + 1, "dZ") in branch.unknown:  # what it sends back is not known either
        return [replace(branch, unknown=(*branch.unknown, (layer, "dZ")))]
    dW = {
        above: theirs[names.W]
        for above, names in enumerate(run.plan.layers, start=1)
        if above > layer and names.W in theirs
    }
    at = Place(run, layer, branch.dZ, branch.dA, dW, close)
    names = run.plan.layers[layer - 1]
    asked = {"dW": theirs.get(names.W), "db": theirs.get(names.b)}
    found: list[Branch] = []
    for mistakes, right, least in _TIERS:
        if found and min(one.weight for one in found) - branch.weight <= least:
            break
        for guess, dA in deltas(at, mistakes, asked):
            found += _match(at.given(dA=dA, dZ=guess.value), branch, guess.steps, asked, right)
    return found or [_partly(at, branch, asked)]


def _match(at: Place, branch: Branch, above: Steps, asked: Asked, right: int) -> Iterator[Branch]:
    """Yield the ways in which a dZ and a line for each of dW and db give their numbers.

    At least so many of the two lines have to be right, but for a factor.
    """
    lines = {target: explain(at, target, theirs, plain=True) for target, theirs in asked.items()}
    if sum(map(bool, lines.values())) < right:
        return
    for target, theirs in asked.items():
        lines[target] = lines[target] or explain(at, target, theirs, plain=False)
    # A slip in dW and another in db are tried in every pair: they may be one and the same.
    for line_W, line_b in product(*(found[:_TRIED] for found in lines.values())):
        for factor, steps in _with_factors(at, line_W, line_b):
            errors = {"dW": line_W.error, "db": line_b.error}
            yield _onward(at, branch, (*above, *steps), errors, factor)


def _with_factors(at: Place, line_W: Line, line_b: Line) -> Iterator[tuple[float, Steps]]:
    """Yield the ways to put the factors of dW and db down to dZ, to the lines, or to both.

    Each is the factor of dZ, and the mistakes of all three.
    """
    above = "dZ" if at.is_last else "dA"
    lines = {"dW": line_W, "db": line_b}
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
            yield factor, (*chain.from_iterable(steps), *line_W.steps, *line_b.steps)


def _onward(
    at: Place,
    branch: Branch,
    steps: Steps,
    errors: Mapping[str, float],
    factor: float = 1,
    unknown: tuple[str, ...] = (),
) -> Branch:
    """Return a branch that goes on with dZ and dA of a place, times a factor."""
    layer = at.layer
    return Branch(
        (*branch.steps, *steps),
        (*branch.unknown, *((layer, target) for target in unknown)),
        {**branch.dZ, layer: factor * at.dZ[layer]},
        {**branch.dA, layer: factor * at.dA[layer]},
        {**branch.errors, **{(layer, target): error for target, error in errors.items()}},
    )


def _partly(at: Place, branch: Branch, asked: Asked) -> Branch:
    """Return the branch of the right dZ in which one line, or all of the layer, is unknown."""
    at = at.right()
    steps: Steps = ()
    errors: dict[str, float] = {}
    unknown: list[str] = []
    for target, theirs in asked.items():
        lines = explain(at, target, theirs, plain=False)
        line = next(iter(lines), Line(()))
        factors = meanings(line.factor or 1, at, target, telling=line.telling)
        if lines and factors:
            steps += (*line.steps, *factors[0])
            errors[target] = line.error
        else:
            unknown.append(target)
    nothing = len(unknown) == len(asked)
    return _onward(at, branch, steps, errors, unknown=("dZ",) if nothing else (*unknown,))


def tried(run: Run, branch: Branch, layer: int, target: str) -> list[str]:
    """Return the causes that were tried on a line, so that a learner need not look there.

    The target is dW or db, or dZ for all of the layer; the branch explains the layers above.
    """
    at = Place(run, layer, branch.dZ, branch.dA, close=CLOSE)
    guesses: list[Guess] = []
    if target == "dZ" and at.is_last:
        guesses += [guess for guess, _ in outputs(at)]
    elif target == "dZ":
        guesses += chain(products(at), slopes(at), without_slope(at))
    for line in ("dW", "db"):
        guesses += sums(at, line) if target in (line, "dZ") else []
    causes = [step.cause for guess in guesses for step in guess.steps]
    return list(dict.fromkeys([*usual_causes(at, "db" if target == "db" else "dW"), *causes]))
