"""From wrong gradients to the mistakes that made them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from clearprop.gradcheck.diagnosis.branch import UNKNOWN, Branch
from clearprop.gradcheck.diagnosis.comparing import without_network
from clearprop.gradcheck.diagnosis.diagnosis import Diagnosis, Mistake
from clearprop.gradcheck.diagnosis.hypotheses.fitting import CLOSE, LEAST, SINGLE, relative_error
from clearprop.gradcheck.diagnosis.network.recognition import recognize
from clearprop.gradcheck.diagnosis.network.replay import Run, thinned
from clearprop.gradcheck.diagnosis.readings import Reading, readings
from clearprop.gradcheck.diagnosis.search import search
from clearprop.gradcheck.diagnosis.shapes import shape_steps
from clearprop.gradcheck.diagnosis.telling import Told, tell
from clearprop.gradcheck.diagnosis.words import say
from clearprop.gradcheck.naming import called
from clearprop.gradcheck.precision import is_single
from clearprop.gradcheck.subject import Arrays, Subject

_MEASURED = 1e-2  # how far numerical gradients may be from exact ones, over the largest entry
_PLAIN = 2.2  # weight up to which gradients are taken as they came
_ROUGH = 0.1  # the same where the cost is computed in float32


def diagnose(
    subject: Subject, numerical: Arrays, analytical: Arrays, wrong: Sequence[str]
) -> Diagnosis | None:
    """Name the mistakes that give wrong gradients.

    The network is found from its cost and run again, backward with one mistake at a time, until the
    numbers are those of the code under check. Where X and Y are not known, or the network is not
    one of dense layers, the gradients are compared with the numerical ones alone.

    Parameters
    ----------
    subject : Subject
    numerical : mapping of str to ndarray
        The slopes of the cost; NaN where they were not measured.
    analytical : mapping of str to ndarray
        The gradients of the code under check as they came: shapes may be wrong, keys missing.
    wrong : sequence of str
        The parameters whose gradients are wrong, from the output back.

    Returns
    -------
    Diagnosis or None
        None where nothing is wrong.
    """
    if not wrong:
        return None
    single = any(is_single(array) for array in analytical.values())
    run = recognize(subject)
    if run is None or not _agrees(run, numerical, _ROUGH if single else _MEASURED):
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
        branches = [
            _with_shapes(branch, reading, run, subject, wrong)
            for branch in search(*thinned(run, theirs), close)
        ]
        told = Told(run, reading, theirs, branches, wrong, numerical, analytical)
        missing = {name for name in wrong if name not in {*theirs, *reading.lost}}
        slips = {step.cause for step in reading.steps}
        weight = branches[0].weight + len(slips) + UNKNOWN * len(missing)
        found.append((weight, told))
        if weight <= _PLAIN:
            break
    return min(found, key=lambda one: one[0])[1]


def _with_shapes(
    branch: Branch, reading: Reading, run: Run, subject: Subject, wrong: Sequence[str]
) -> Branch:
    more = shape_steps(run, subject.parameters, reading.arrays, wrong, branch.steps)
    return replace(branch, steps=(*branch.steps, *more))


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
    exact = told.run.gradients()
    first = told.wrong[0]
    error = max(relative_error(told.theirs[name], exact[name]) for name in told.wrong)
    evidence = say("agrees", name=called(first), error=max(error, LEAST))
    cause = "float32" if single else "rounding"
    places = tuple(map(called, told.wrong))
    return Diagnosis(first, (Mistake(cause, first, places, "", "", evidence),))
