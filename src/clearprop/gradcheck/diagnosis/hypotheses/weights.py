"""What a learner may compute for dW = 1/m dZ A_prev.T, apart from L2."""

from collections.abc import Iterator

from clearprop.gradcheck.diagnosis.hypotheses.guess import Guess, Place, Step
from clearprop.gradcheck.diagnosis.hypotheses.products import broadcast
from clearprop.parameters import Array


def weights(at: Place, dZ: Array, dA: Array) -> Iterator[Guess]:
    """Yield what dW of a layer may be, the right product first.

    Parameters
    ----------
    at : Place
    dZ, dA : ndarray, shape (n[l], m)
        As they are supposed to be here.

    Yields
    ------
    Guess
        Its value may have another shape than W.
    """
    run, m, write = at.run, at.run.m, at.formulas
    A = run.A[at.layer - 1]
    yield Guess(dZ @ A.T / m)
    d, a = write.name("dZ"), write.name("A", at.layer - 1)
    for cause, left, right, lines in (
        ("transposed", A, dZ, (a, f"{d}.T")),
        ("wrong_pair", dA, A, (write.name("dA"), f"{a}.T")),
        ("wrong_pair", dZ, run.Z[at.layer - 1], (d, f"{write.name('Z', at.layer - 1)}.T")),
        ("wrong_pair", run.A[at.layer], A, (write.name("A"), f"{a}.T")),
        ("wrong_pair", run.Z[at.layer], A, (write.name("Z"), f"{a}.T")),
        ("dropout_missing", dZ, run.H[at.layer - 1], (d, f"{a}.T, before dropout")),
    ):
        yield _guess(at, cause, left @ right.T / m, write.dW(*lines))
    samples = run.plan.form.samples
    reshaped = samples(samples(A).reshape(samples(A).shape[::-1]))
    yield _guess(at, "reshaped", dZ @ reshaped / m, write.dW(right=f"{a}.reshape({a}.T.shape)"))
    for layer in range(run.L + 1):
        if layer != at.layer - 1:
            line = write.dW(right=f"{write.name('A', layer)}.T")
            variant = f"A{layer - at.layer:+d}"
            yield _guess(at, "cache_layer", dZ @ run.A[layer].T / m, line, variant)
        if layer > at.layer:
            line = write.dW(write.name("dZ", layer))
            variant = f"dZ{layer - at.layer:+d}"
            yield _guess(at, "delta_layer", at.dZ[layer] @ A.T / m, line, variant)
            line = write.dW(write.name("dZ", layer), f"{write.name('A', layer - 1)}.T")
            value = at.dZ[layer] @ run.A[layer - 1].T / m
            yield _guess(at, "off_by_one", value, line, f"both{variant}")
    yield from _samples(at, dZ, A)
    yield from _element_wise(at, dZ, A)


def _samples(at: Place, dZ: Array, A: Array) -> Iterator[Guess]:
    """Yield sums over some of the samples only, as loops with a slip leave them."""
    m, write = at.run.m, at.formulas
    form = at.run.plan.form
    d, a = write.name("dZ"), write.name("A", at.layer - 1)
    if m < 3:
        return
    for cause, first, second in (
        ("last_sample", slice(-1, None), slice(-1, None)),
        ("last_sample", slice(0, 1), slice(0, 1)),
        ("off_by_one", slice(None, -1), slice(None, -1)),
        ("off_by_one", slice(1, None), slice(1, None)),
        ("off_by_one", slice(1, None), slice(None, -1)),
        ("off_by_one", slice(None, -1), slice(1, None)),
    ):
        one, other = _written(first), _written(second)
        line = write.dW(form.samples_from(d, one), f"{form.samples_from(a, other)}.T")
        value = dZ[:, first] @ A[:, second].T / m
        yield _guess(at, cause, value, line, f"{one} {other}")
        if cause == "last_sample":  # of which there is nothing to divide
            yield _guess(at, cause, m * value, line.replace("1/m * ", ""), f"{one} alone")


def _element_wise(at: Place, dZ: Array, A: Array) -> Iterator[Guess]:
    m, write = at.run.m, at.formulas
    d, a = write.name("dZ"), write.name("A", at.layer - 1)
    name = write.name("dW")
    for right, written in ((A, a), (A.T, f"{a}.T")):
        for shape in dict.fromkeys([(len(dZ), m), (m, m), at.run.W[at.layer].shape]):
            value = broadcast(dZ, right, shape)
            if value is not None:
                line = f"{name} = {write.mean(f'{d} * {written}')}"
                variant = written.replace(a, "A")
                yield _guess(at, "elementwise", value / m, line, variant)


def _written(samples: slice) -> str:
    start = "" if samples.start is None else samples.start
    stop = "" if samples.stop is None else samples.stop
    return f"{start}:{stop}"


def _guess(at: Place, cause: str, value: Array, theirs: str, variant: str = "") -> Guess:
    ours = at.formulas.whole_dW()
    return Guess(value, (Step(cause, at.layer, "dW", theirs, ours, variant or cause),))
