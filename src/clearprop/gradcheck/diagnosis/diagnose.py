"""The way from wrong gradients to the mistakes that made them, told in words."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from clearprop.gradcheck.diagnosis.comparing import compare, not_finite, without_network
from clearprop.gradcheck.diagnosis.factors import CLOSE, LEAST, SINGLE, relative_error
from clearprop.gradcheck.diagnosis.formulas import readable
from clearprop.gradcheck.diagnosis.mistakes import CAUSES, Diagnosis, Mistake
from clearprop.gradcheck.diagnosis.networks import Lines
from clearprop.gradcheck.diagnosis.readings import Reading, readings, shape_steps
from clearprop.gradcheck.diagnosis.recognition import recognize
from clearprop.gradcheck.diagnosis.replay import Place, Run, Step, Steps, thinned
from clearprop.gradcheck.diagnosis.search import UNKNOWN, Branch, search, tried
from clearprop.gradcheck.differences import is_single
from clearprop.gradcheck.subject import Arrays, Subject, called

_AGREES = 1e-2  # how far numerical gradients may be from exact ones, over the largest entry
_PLAIN = 2.2  # weight up to which gradients are taken as they came
_ROUGH = 0.1  # the same where the cost is computed in float32
_RIVAL = 0.25  # more than the best weighs, up to which another explanation is mentioned
_MEASURED = 1e-4  # what numerical gradients are good for, at worst

_Groups = dict[tuple[str, str], list[Step]]


@dataclass(frozen=True)
class Told:
    """The explanation that a diagnosis is told from.

    Parameters
    ----------
    run : Run
    reading : Reading
    theirs : mapping of str to ndarray
        The gradients of this reading, in columns.
    branches : sequence of Branch
        The explanations, the best first.
    wrong : sequence of str
        The parameters whose gradients are wrong, from the output back.
    numerical, analytical : mapping of str to ndarray
        The gradients in their own layout.
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


def diagnose(
    subject: Subject, numerical: Arrays, analytical: Arrays, wrong: Sequence[str]
) -> Diagnosis | None:
    """Name the mistakes that give wrong gradients; None where nothing is wrong.

    The network is found from its cost and run again, backward with one mistake at a time, until the
    numbers are those of the code under check. Where X and Y are not known, or the network is not
    one of dense layers, the gradients are compared with the numerical ones alone.

    Parameters
    ----------
    numerical : mapping of str to ndarray
        The slopes of the cost; NaN where they were not measured.
    analytical : mapping of str to ndarray
        The gradients of the code under check as they came: shapes may be wrong, keys missing.
    wrong : sequence of str
        The parameters whose gradients are wrong, from the output back.
    """
    if not wrong:
        return None
    single = any(is_single(array) for array in analytical.values())
    run = recognize(subject)
    if run is None or not _agrees(run, numerical, _ROUGH if single else _AGREES):
        return without_network(subject, numerical, analytical, wrong)
    told = _explain(subject, run, numerical, analytical, wrong, SINGLE if single else CLOSE)
    if told.branches[0].unknown and not single:  # a part of the code may compute in float32
        roughly = _explain(subject, run, numerical, analytical, wrong, SINGLE)
        told = told if roughly.branches[0].unknown else roughly
    if told.agrees:
        return _no_mistake(told, single=single)
    return tell(told)


def _explain(
    subject: Subject,
    run: Run,
    numerical: Arrays,
    analytical: Arrays,
    wrong: Sequence[str],
    close: float,
) -> Told:
    """Return the reading of their gradients that needs the fewest mistakes."""
    found: list[tuple[float, Told]] = []
    for reading in readings(subject, run, analytical):
        finite = {name: one for name, one in reading.arrays.items() if np.isfinite(one).all()}
        theirs = run.plan.in_columns(finite)
        branches = []
        for branch in search(*thinned(run, theirs), close):
            known = branch.steps
            shapes = shape_steps(run, subject.parameters, reading.arrays, wrong, known)
            branches.append(replace(branch, steps=(*known, *shapes)))
        told = Told(run, reading, theirs, branches, wrong, numerical, analytical)
        missing = {name for name in wrong if name not in {*theirs, *reading.lost}}
        slips = {step.cause for step in reading.steps}
        weight = branches[0].weight + len(slips) + UNKNOWN * len(missing)
        found.append((weight, told))
        if weight <= _PLAIN:  # nobody keeps gradients in the wrong place and errs so little
            break
    return min(found, key=lambda one: one[0])[1]


def _agrees(run: Run, numerical: Arrays, close: float) -> bool:
    """Say whether the network that was found has the slopes that were measured."""
    exact, measured = run.gradients(), run.plan.in_columns(numerical)
    largest = max(float(np.abs(array).max(initial=0)) for array in exact.values())
    return all(
        np.abs(array - exact[name])[np.isfinite(array)].max(initial=0) <= close * largest
        for name, array in measured.items()
    )


def _no_mistake(told: Told, *, single: bool) -> Diagnosis:
    """Say how close the gradients are that were called wrong."""
    exact, first = told.run.gradients(), told.wrong[0]
    error = max(relative_error(told.theirs[name], exact[name]) for name in told.wrong)
    evidence = (
        f"{called(first)} agrees with the exact gradient to {max(error, LEAST):.0e} of the largest "
        "entry."
    )
    cause = "float32" if single else "rounding"
    places = tuple(map(called, told.wrong))
    return Diagnosis(first, (Mistake(cause, first, places, "", "", evidence),))


def tell(told: Told) -> Diagnosis:
    """Put an explanation into words."""
    groups = _groups(told.steps)
    mistakes = tuple(_mistake(told, key, groups) for key in groups)
    known, ruled_out = tuple(_unseen(told)), tuple[str, ...]()
    if (branch := told.branches[0]).unknown:
        layer, target = branch.unknown[0]
        known += tuple(_known(told, layer, target))
        ruled_out = tuple(CAUSES[cause].title for cause in tried(told.run, branch, layer, target))
    return Diagnosis(told.wrong[0], mistakes, known, ruled_out)


def _groups(steps: Steps) -> _Groups:
    """Put the lines together in which the same mistake was made."""
    groups: _Groups = {}
    for step in steps:
        groups.setdefault((step.cause, step.variant), []).append(step)
    return groups


def _mistake(told: Told, key: tuple[str, str], groups: _Groups) -> Mistake:
    steps = groups[key]
    first = steps[0]
    number = list(groups).index(key)
    equal = (CAUSES[cause].title for cause in first.equals)
    write = Lines(told.run.plan, first.layer).notation.write
    return Mistake(
        cause=first.cause,
        parameter=_parameter(told, first),
        places=tuple(dict.fromkeys(_place(told, step) for step in steps)),
        theirs=write(first.theirs),
        correction=write(first.ours),
        evidence=_evidence(told, first, number),
        others=tuple(dict.fromkeys([*equal, *_rivals(told, key, groups)])),
    )


def _parameter(told: Told, step: Step) -> str:
    """Return the first parameter that is wrong because of a line."""
    names = told.run.plan.layers[step.layer - 1]
    if step.target in ("dW", "db"):
        return names.W if step.target == "dW" else names.b
    below = {name for layer in told.run.plan.layers[: step.layer] for name in (layer.W, layer.b)}
    return next((name for name in told.wrong if name in below), names.W)


def _place(told: Told, step: Step) -> str:
    """Return the name of the array that a line computes."""
    target = re.match(r"\w+", step.theirs)
    return Lines(told.run.plan, step.layer).notation.name(target[0] if target else step.target)


def _evidence(told: Told, step: Step, number: int) -> str:
    """Say how closely a mistake gives their numbers."""
    if told.reading.evidence and step == told.reading.steps[0]:
        return told.reading.evidence
    names = told.run.plan.layers[step.layer - 1]
    target, parameter = ("db", names.b) if step.target == "db" else ("dW", names.W)
    name = Lines(told.run.plan, step.layer).notation.name(target)
    if step.factor and (sentence := _against_numerical(told, step, name, parameter)):
        return sentence
    error = told.branches[0].errors.get((step.layer, target))
    if error is None:
        return f"{name} was not there to be compared."
    count = told.run.W[step.layer].size if target == "dW" else told.run.b[step.layer].size
    after = " and the mistakes before it" if number else ""
    return (
        f"Replayed with this line{after}, {name} comes out as yours to {max(error, LEAST):.0e} in "
        f"all {count} entries."
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
    return (
        f"{name} times {readable(1 / step.factor)} equals the numerical gradient to "
        f"{max(error, LEAST):.0e} in all {int(known.sum())} entries."
    )


def _rivals(told: Told, key: tuple[str, str], groups: _Groups) -> Iterator[str]:
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
                line = Lines(told.run.plan, step.layer).notation.write(step.theirs)
                yield f"{CAUSES[step.cause].title} ({line})"


def _unseen(told: Told) -> Iterator[str]:
    """Yield the reasons why gradients can't be compared at all."""
    for name in told.wrong:
        if name not in told.theirs and name not in told.reading.lost:
            array = told.analytical.get(name)
            if array is None:
                yield f"{called(name)} was not there to be compared."
            else:
                yield not_finite(called(name), array)


def _known(told: Told, layer: int, target: str) -> Iterator[str]:
    """Yield the facts about a line, or about all of a layer, that nothing explains."""
    run, branch = told.run, told.branches[0]
    at = Place(run, layer, branch.dZ, branch.dA)
    name, names = at.lines.notation.name, run.plan.layers[layer - 1]
    line, other = ("db", "dW") if target == "db" else ("dW", "db")
    yield f"No mistake that clearprop knows gives the numbers of {name(line)}."
    above = [Lines(run.plan, one).notation for one in range(run.L, layer, -1)]
    if above and not branch.steps:
        listed = ", ".join(one.name(symbol) for one in above for symbol in ("dW", "db"))
        yield f"{listed} are right, so everything back to {above[-1].name('dZ')} is."
    elif above:
        yield f"With the mistakes above, everything back to {above[-1].name('dZ')} is explained."
    if target == "dZ":
        yield (
            f"{name('dZ')} itself is wrong: look at the lines that lead to {name('dZ')}, not at "
            f"those of {name(line)} and {name(other)}."
        )
    else:
        yield (
            f"{name(other)} is right, and so very likely {name('dZ')}, of which both are made: "
            f"look at the line that computes {name(line)}."
        )
    parameter = names.b if line == "db" else names.W
    if parameter in told.theirs:
        yield from compare(name(line), told.theirs[parameter], at.value(at.lines.right(line)))
    hidden = " and ".join(dict.fromkeys(one.name for one in run.plan.hidden)) or "one layer"
    yield f"Forward is a network of {hidden} with {run.plan.cost.name}."
