"""Ways to read what a backward pass returned: as it is, or as a slip in keeping it would have it.

Gradients can be right and stand in the wrong place: under the key of another layer, on top of those
of the call before, or in a pair with something else.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.diagnosis.factors import CLOSE, LEAST, relative_error
from clearprop.gradcheck.diagnosis.networks import Lines
from clearprop.gradcheck.diagnosis.replay import Run, Step, Steps
from clearprop.gradcheck.subject import Arrays, Subject


@dataclass(frozen=True)
class Reading:
    """One way to read gradients.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        The gradients by parameter, in their own layout, without those that are lost.
    steps : tuple of Step
        The slip that would lead here; empty for what was returned as it is.
    lost : frozenset of str
        The parameters whose gradients would be nowhere.
    evidence : str
        A sentence that speaks for the slip.
    """

    arrays: Mapping[str, Array]
    steps: Steps = ()
    lost: frozenset[str] = frozenset()
    evidence: str = ""


def readings(subject: Subject, run: Run, analytical: Arrays) -> Iterator[Reading]:
    """Yield the ways to read gradients as they came, in their own layout; as they are first."""
    base = _grown(subject, run, analytical) or _paired(run, analytical) or Reading(analytical)
    yield base
    if any(name not in analytical for name in subject.parameters):  # it stands somewhere else
        yield from _moved(run, base)


def _grown(subject: Subject, run: Run, analytical: Arrays) -> Reading | None:
    """Return what each further call adds, if every call adds the same."""
    # The gradients under check may hold the sum of any number of calls: what is added shows.
    calls = [dict(subject.gradients(subject.parameters)) for _ in range(3)]
    growth: dict[str, Array] = {}
    error = 0.0
    for name in analytical.keys() & calls[0].keys() & calls[1].keys() & calls[2].keys():
        first, second, third = (np.asarray(call[name], np.float64) for call in calls)
        if not first.shape == second.shape == third.shape or not np.isfinite(third).all():
            return None
        if np.any(third - second):
            growth[name] = third - second
            error = max(error, relative_error(growth[name], second - first))
    if not growth or not error <= CLOSE:
        return None
    steps: Steps = ()
    for layer in range(run.L, 0, -1):
        lines, names = Lines(run.plan, layer), run.plan.layers[layer - 1]
        for target, name in (("dW", names.W), ("db", names.b)):
            if name in growth:
                ours = lines.right(target)
                theirs = ours.replace(" = ", " += ", 1)
                steps += (Step("accumulated", lines.layer, target, theirs, ours),)
    place = Lines(run.plan, steps[0].layer).notation.name(steps[0].target)
    evidence = (
        f"Every further call adds the same to {place}, to {max(error, LEAST):.0e} in all entries."
    )
    return Reading({**analytical, **growth}, steps, evidence=evidence)


def _paired(run: Run, analytical: Arrays) -> Reading | None:
    """Return the first of two arrays wherever there are two."""
    parameters = [name for layer in run.plan.layers for name in (layer.W, layer.b)]
    pairs = [
        name
        for name in parameters
        if name in analytical and analytical[name].ndim == 3 and len(analytical[name]) == 2
    ]
    weights = {layer.W for layer in run.plan.layers}
    if not weights.intersection(pairs):
        return None
    first = {name: array[0] if name in pairs else array for name, array in analytical.items()}
    lost = frozenset(name for name in pairs if name not in weights)
    theirs = {name: array for name, array in first.items() if name not in lost}
    step = Step("pair", run.L, "dZ", "A = sigmoid(Z)", "A, cache = sigmoid(Z)")
    dW = Lines(run.plan, run.L).notation.name("dW")
    evidence = f"Of the two arrays in {dW}, the first has the shape of {run.plan.layers[-1].W}."
    return Reading(theirs, (step,), lost, evidence)


def _moved(run: Run, base: Reading) -> Iterator[Reading]:
    """Yield the gradients of the layers as if they stood under the keys of their neighbours."""
    layers = run.plan.layers
    every = {name: name for layer in layers for name in (layer.W, layer.b)}
    for shift, count, kinds in product((-1, 1), (len(layers) - 1, len(layers)), ("Wb", "W", "b")):
        moved = {
            name: key
            for place in range(count)  # the last is often stored apart
            for kind, name, key in zip(
                "Wb", _names(run, place), _names(run, place + shift), strict=True
            )
            if kind in kinds
        }
        gone = {name for name in every if name not in moved and name in moved.values()}
        keys = {name: key for name, key in (every | moved).items() if name not in gone}
        found = {name: base.arrays[key] for name, key in keys.items() if key in base.arrays}
        unread = (every.keys() & base.arrays.keys()) - set(keys.values())
        if unread or not found.keys() & moved.keys():
            continue
        lost = base.lost | gone | (moved.keys() - found.keys())
        names = layers[count - 1]
        target, name = ("db", names.b) if kinds == "b" else ("dW", names.W)
        theirs, ours = (f'grads["d{key}"] = {target}' for key in (moved[name], name))
        step = Step("off_by_one", count, target, theirs, ours, f"{shift:+d}")
        yield Reading(found, (*base.steps, step), lost, base.evidence)


def _names(run: Run, place: int) -> tuple[str, str]:
    """Return the names of the parameters at a place, which may lie one outside the network."""
    layers = run.plan.layers
    if 0 <= place < len(layers):
        return layers[place].W, layers[place].b
    nearest = layers[min(max(place, 0), len(layers) - 1)]
    if not nearest.number.isdigit():
        return "", ""
    number = str(int(nearest.number) + (1 if place > 0 else -1))
    W, b = (number.join(name.rsplit(nearest.number, 1)) for name in (nearest.W, nearest.b))
    return W, b


def shape_steps(
    run: Run, parameters: Arrays, analytical: Arrays, wrong: Sequence[str], steps: Steps
) -> Iterator[Step]:
    """Yield a step for every wrong shape, in its own layout, that no other step explains."""
    told = {(step.layer, step.target) for step in steps if step.factor is None}
    for place, names in enumerate(run.plan.layers, start=1):
        lines = Lines(run.plan, place)
        for target, name in (("dW", names.W), ("db", names.b)):
            if name not in wrong or name not in analytical or (place, target) in told:
                continue
            found, expected = analytical[name], parameters[name]
            # A dW of another size is no turned one: nothing is known of it.
            if found.shape != expected.shape and (target == "db" or found.size == expected.size):
                yield _shape_step(lines, target, found, expected)


def _shape_step(lines: Lines, target: str, found: Array, expected: Array) -> Step:
    ours = lines.right(target)
    if target == "dW" or (found.ndim == 2 and found.shape == expected.shape[::-1]):
        theirs = f"{target} = ({ours.partition(' = ')[2]}).T"
        return Step("transposed", lines.layer, target, theirs, ours, "transposed")
    total, variant = "np.sum(dZ)", "all"
    if np.ndim(found):
        kept = ", keepdims=True" if found.ndim > expected.ndim else ""
        total, variant = f"np.sum(dZ, axis=1{kept})", "shape"
    theirs = lines.gradient(target, total)
    return Step("bias_broadcast", lines.layer, target, theirs, ours, variant)
