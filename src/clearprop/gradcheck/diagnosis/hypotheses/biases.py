"""What a learner may compute for db = 1/m sum(dZ) over the samples, apart from L2."""

from collections.abc import Iterator

import numpy as np

from clearprop.gradcheck.diagnosis.hypotheses.guess import Guess, Place, Step
from clearprop.parameters import Array


def biases(at: Place, dZ: Array, dA: Array) -> Iterator[Guess]:
    """Yield what db of a layer may be, the right sum first.

    Parameters
    ----------
    at : Place
    dZ, dA : ndarray, shape (n[l], m)
        As they are supposed to be here.

    Yields
    ------
    Guess
        Its value may have another shape than b.
    """
    run, m, write = at.run, at.run.m, at.formulas
    form, name, d = run.plan.form, write.name("db"), write.name("dZ")
    units = len(dZ)
    yield Guess(_sum(dZ) / m)

    over_units = f"{name} = {write.mean(form.sum_over_units(d))}"
    yield _guess(at, "bias_axis", dZ.sum(axis=0, keepdims=True) / m, over_units)
    everything = f"{name} = {write.mean(f'np.sum({d})')}"
    yield _guess(at, "bias_broadcast", np.array(dZ.sum() / m), everything, "all")
    yield _guess(at, "bias_broadcast", np.full((units, 1), dZ.sum() / m), everything, "filled")
    mean = f"{name} = np.mean({d})"
    yield _guess(at, "bias_averaged", np.array(dZ.mean()), mean, "all")
    yield _guess(at, "bias_averaged", np.full((units, 1), dZ.mean()), mean, "filled")
    over_units = f"{name} = np.mean({d}, axis={1 if form.rows else 0})"
    yield _guess(at, "bias_axis", dZ.mean(axis=0, keepdims=True), over_units, "mean")
    unsummed = f"{name} = {write.mean(d)}"
    yield _guess(at, "bias_broadcast", dZ / m, unsummed, "unsummed")

    yield _guess(at, "wrong_pair", _sum(dA) / m, write.db(write.name("dA")))
    yield _guess(at, "wrong_pair", _sum(run.A[at.layer]) / m, write.db(write.name("A")))
    yield _guess(at, "wrong_pair", _sum(run.Z[at.layer]) / m, write.db(write.name("Z")))
    for layer in range(at.layer + 1, run.L + 1):
        line = write.db(write.name("dZ", layer))
        yield _guess(at, "delta_layer", _sum(at.dZ[layer]) / m, line, f"{layer - at.layer:+d}")
    if m > 2:
        for cause, samples, written in (
            ("last_sample", dZ[:, -1:], "-1:"),
            ("last_sample", dZ[:, :1], ":1"),
            ("off_by_one", dZ[:, :-1], ":-1"),
            ("off_by_one", dZ[:, 1:], "1:"),
        ):
            line = write.db(form.samples_from(d, written))
            yield _guess(at, cause, _sum(samples) / m, line, written)
            if cause == "last_sample":  # of which there is nothing to divide
                line = f"{name} = {form.samples_from(d, written)}"
                yield _guess(at, cause, _sum(samples), line, f"{written} alone")


def _sum(array: Array) -> Array:
    return array.sum(axis=1, keepdims=True)


def _guess(at: Place, cause: str, value: Array, theirs: str, variant: str = "") -> Guess:
    return Guess(value, (Step(cause, at.layer, "db", theirs, at.formulas.db(), variant or cause),))
