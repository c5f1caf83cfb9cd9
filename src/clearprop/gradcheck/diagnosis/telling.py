"""From the best branch of a search to a diagnosis in words."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from clearprop.gradcheck.diagnosis.branch import Branch
from clearprop.gradcheck.diagnosis.diagnosis import Diagnosis, Mistake
from clearprop.gradcheck.diagnosis.hypotheses.fitting import LEAST, relative_error
from clearprop.gradcheck.diagnosis.hypotheses.formulas import Formulas, readable
from clearprop.gradcheck.diagnosis.hypotheses.guess import Step, Steps
from clearprop.gradcheck.diagnosis.naming import in_names_of
from clearprop.gradcheck.diagnosis.network.replay import Run
from clearprop.gradcheck.diagnosis.readings import Reading
from clearprop.gradcheck.diagnosis.remains import compare
from clearprop.gradcheck.diagnosis.ruled_out import tried
from clearprop.gradcheck.diagnosis.words import say, title
from clearprop.gradcheck.naming import called
from clearprop.gradcheck.subject import Arrays
from clearprop.parameters import Array

_RIVAL = 0.25  # more than the best weighs, up to which another explanation is mentioned
_MEASURED = 1e-4  # what numerical gradients are good for, at worst

Groups = dict[tuple[str, str], list[Step]]


@dataclass(frozen=True)
class Told:
    """What a diagnosis is told from.

    Parameters
    ----------
    run : Run
    reading : Reading
    theirs : mapping of str to ndarray
        Its gradients in columns.
    branches : sequence of Branch
        The best first.
    wrong : sequence of str
        The parameters whose gradients are wrong, from the output back.
    numerical, analytical : mapping of str to ndarray
        In their own layout.
    """

    run: Run
    reading: Reading
    theirs: Arrays
    branches: Sequence[Branch]
    wrong: Sequence[str]
    numerical: Arrays
    analytical: Arrays

    @property
    def steps(self) -> Steps:
        """Every line that is not as it should be, from the output back."""
        steps = (*self.reading.steps, *self.branches[0].steps)
        return tuple(sorted(steps, key=lambda step: -step.layer))

    @property
    def agrees(self) -> bool:
        """Whether every gradient is there, and right."""
        explained = self.steps or self.branches[0].unknown
        return not explained and all(name in self.theirs for name in self.wrong)


def tell(told: Told) -> Diagnosis:
    """Put an explanation into words.

    Parameters
    ----------
    told : Told

    Returns
    -------
    Diagnosis
    """
    groups = _groups(told.steps)
    mistakes = tuple(_mistake(told, key, groups) for key in groups)
    known, ruled_out = tuple(_unseen(told)), tuple[str, ...]()
    if (branch := told.branches[0]).unknown:
        layer, target = branch.unknown[0]
        known += tuple(_known(told, layer, target))
        ruled_out = tuple(map(title, tried(told.run, branch, layer, target)))
    diagnosis = Diagnosis(told.wrong[0], mistakes, known, ruled_out)
    return in_names_of(diagnosis, told.run.plan.layers)


def _groups(steps: Steps) -> Groups:
    """Put the lines together in which the same mistake was made."""
    groups: Groups = {}
    for step in steps:
        groups.setdefault((step.cause, step.variant), []).append(step)
    return groups


def _mistake(told: Told, key: tuple[str, str], groups: Groups) -> Mistake:
    steps = groups[key]
    first = steps[0]
    number = list(groups).index(key)
    others = dict.fromkeys([*map(title, first.equals), *_rivals(told, key, groups)])
    return Mistake(
        cause=first.cause,
        parameter=_parameter(told, first),
        places=tuple(dict.fromkeys(map(_place, steps))),
        theirs=first.theirs,
        correction=first.ours,
        evidence=_evidence(told, first, number),
        others=tuple(others),
    )


def _parameter(told: Told, step: Step) -> str:
    """Return the first parameter that is wrong because of a line."""
    names = told.run.plan.layers[step.layer - 1]
    if step.target in ("dW", "db"):
        return names.W if step.target == "dW" else names.b
    below = {name for layer in told.run.plan.layers[: step.layer] for name in (layer.W, layer.b)}
    return next((name for name in told.wrong if name in below), names.W)


def _place(step: Step) -> str:
    """Return what a line computes."""
    written = re.match(r"[\w.]+", step.theirs)
    return written[0] if written else step.target


def _evidence(told: Told, step: Step, number: int) -> str:
    at = Formulas(told.run.plan, step.layer)
    if told.reading.evidence and step == told.reading.steps[0]:
        return told.reading.evidence
    names = told.run.plan.layers[step.layer - 1]
    target, parameter = ("db", names.b) if step.target == "db" else ("dW", names.W)
    if step.factor and (sentence := _against_numerical(told, step, at.name(target), parameter)):
        return sentence
    error = told.branches[0].errors.get((step.layer, target))
    if error is None:
        return say("not seen", name=at.name(target))
    count = told.run.W[step.layer].size if target == "dW" else told.run.b[step.layer].size
    return say(
        "replayed after" if number else "replayed",
        name=at.name(target),
        error=max(error, LEAST),
        count=count,
    )


def _against_numerical(told: Told, step: Step, name: str, parameter: str) -> str | None:
    """Say that a gradient is the numerical one but for a factor, if this is all there is to it."""
    numerical, theirs = told.numerical.get(parameter), told.analytical.get(parameter)
    if numerical is None or theirs is None or not step.factor or numerical.shape != theirs.shape:
        return None
    known = np.isfinite(numerical)
    error = relative_error(numerical[known], theirs[known] / step.factor)
    if not known.any() or error > _MEASURED:
        return None
    return say(
        "equal to numerical",
        name=name,
        factor=readable(1 / step.factor),
        error=max(error, LEAST),
        count=int(known.sum()),
    )


def _rivals(told: Told, key: tuple[str, str], groups: Groups) -> Iterator[str]:
    """Yield what may stand in the place of one mistake, with all others as they are."""
    best = told.branches[0]
    for branch in told.branches[1:]:
        if branch.weight > best.weight + _RIVAL or branch.unknown != best.unknown:
            continue
        rival = _groups((*told.reading.steps, *branch.steps))
        instead = [another for another in rival if another not in groups]
        missing = [one for one in groups if one not in rival]
        if missing == [key] and len(instead) == 1:
            step = rival[instead[0]][0]
            if step.cause not in groups[key][0].equals:
                yield f"{title(step.cause)} ({step.theirs})"


def _unseen(told: Told) -> Iterator[str]:
    """Yield what keeps gradients from being compared at all."""
    for name in told.wrong:
        if name not in told.theirs and name not in told.reading.lost:
            array = told.analytical.get(name)
            if array is None:
                yield say("not seen", name=called(name))
            else:
                count = int((~np.isfinite(array)).sum())
                yield say("not finite", name=called(name), count=count, entries=array.size)


def _known(told: Told, layer: int, target: str) -> Iterator[str]:
    """Yield what is known of a line, or of all of a layer, that nothing explains."""
    run, branch = told.run, told.branches[0]
    at, names = Formulas(run.plan, layer), run.plan.layers[layer - 1]
    line, other = ("db", "dW") if target == "db" else ("dW", "db")
    yield say("nothing fits", name=at.name(line))
    above = [Formulas(run.plan, one) for one in range(run.L, layer, -1)]
    if above and not branch.steps:
        listed = ", ".join(one.name(symbol) for one in above for symbol in ("dW", "db"))
        yield say("right above", names=listed, delta=above[-1].name("dZ"))
    elif above:
        yield say("after mistakes", delta=above[-1].name("dZ"))
    yield say(
        "wrong dZ" if target == "dZ" else "wrong line",
        delta=at.name("dZ"),
        name=at.name(line),
        other=at.name(other),
    )
    parameter = names.b if line == "db" else names.W
    if parameter in told.theirs:
        right = _right(run, branch.dZ[layer], layer, line)
        yield from compare(at.name(line), told.theirs[parameter], right)
    hidden = dict.fromkeys(activation.name for activation in run.plan.hidden)
    listed = say("hidden and").join(hidden) or say("no hidden")
    yield say("of network", hidden=listed, cost=run.plan.cost.name)


def _right(run: Run, dZ: Array, layer: int, target: str) -> Array:
    if target == "db":
        return dZ.sum(axis=1, keepdims=True) / run.m + run.plan.bias_decay * run.b[layer]
    return dZ @ run.A[layer - 1].T / run.m + run.plan.decay * run.W[layer]
