"""Gradients whose numbers are right and whose shape is not."""

from collections.abc import Iterator, Sequence

import numpy as np

from clearprop.gradcheck.diagnosis.hypotheses.formulas import Formulas
from clearprop.gradcheck.diagnosis.hypotheses.guess import Step, Steps
from clearprop.gradcheck.diagnosis.network.replay import Run
from clearprop.gradcheck.subject import Arrays
from clearprop.parameters import Array


def shape_steps(
    run: Run, parameters: Arrays, analytical: Arrays, wrong: Sequence[str], steps: Steps
) -> Iterator[Step]:
    """Yield a step for every wrong shape that no other step explains.

    Parameters
    ----------
    run : Run
    parameters, analytical : mapping of str to ndarray
        In their own layout.
    wrong : sequence of str
    steps : tuple of Step
        What is known to be wrong.
    """
    told = {(step.layer, step.target) for step in steps if step.factor is None}
    for place, names in enumerate(run.plan.layers, start=1):
        at = Formulas(run.plan, place)
        for target, name in (("dW", names.W), ("db", names.b)):
            if name not in wrong or name not in analytical or (place, target) in told:
                continue
            if analytical[name].shape != parameters[name].shape:
                yield _step(at, target, analytical[name], parameters[name])


def _step(at: Formulas, target: str, found: Array, expected: Array) -> Step:
    ours = at.whole_dW() if target == "dW" else at.db()
    if target == "dW" or (found.ndim == 2 and found.shape == expected.shape[::-1]):
        name, right = ours.split(" = ", 1)
        return Step("transposed", at.layer, target, f"{name} = ({right}).T", ours, "transposed")
    total = f"np.sum({at.name('dZ')})"
    if np.ndim(found):
        turned = ", keepdims=True" if found.ndim > expected.ndim else ""
        total = f"np.sum({at.name('dZ')}, axis={0 if at.plan.form.rows else 1}{turned})"
    theirs = f"{at.name('db')} = {at.mean(total)}"
    variant = "shape" if np.ndim(found) else "all"
    return Step("bias_broadcast", at.layer, target, theirs, ours, variant)
