"""What a learner may compute for dA = W.T dZ of the layer above."""

from collections.abc import Iterator

import numpy as np

from clearprop.gradcheck.diagnosis.hypotheses.guess import Guess, Place, Step
from clearprop.parameters import Array


def products(at: Place) -> Iterator[Guess]:
    """Yield what dA of a hidden layer may be, the right product first.

    Parameters
    ----------
    at : Place

    Yields
    ------
    Guess
        Its value is dA, shape (n[l], m).
    """
    run, above = at.run, at.layer + 1
    W, dZ = run.W[above], at.dZ[above]
    yield _guess(at, W.T @ dZ)
    yield from _dropouts(at, W.T @ dZ)
    write = at.formulas
    w, d = write.name("W", above), write.name("dZ", above)
    for cause, left, right, lines in (
        ("transposed", W, dZ, (w, d)),
        ("wrong_pair", W.T, at.dA[above], (f"{w}.T", write.name("dA", above))),
        ("wrong_pair", W.T, run.A[above], (f"{w}.T", write.name("A", above))),
        ("wrong_pair", W.T, run.Z[above], (f"{w}.T", write.name("Z", above))),
    ):
        if _fits(at, left, right):
            yield _guess(at, left @ right, cause, write.dA(*lines))
    if above in at.dW and _fits(at, at.dW[above].T, dZ):
        line = write.dA(f"{write.name('dW', above)}.T")
        yield _guess(at, at.dW[above].T @ dZ, "wrong_pair", line, "dW")
    line = f"{write.name('dA')} = 1"
    yield _guess(at, np.ones_like(run.Z[at.layer]), "dA_missing", line)
    yield from _elsewhere(at)
    yield from _element_wise(at)
    if min(W.shape) > 1:
        form = run.plan.form
        reshaped = form.weights(form.weights(W).reshape(form.weights(W).shape[::-1]))
        line = write.dA(f"{w}.reshape({w}.T.shape)")
        yield _guess(at, reshaped @ dZ, "reshaped", line)
    if above in at.dW and at.dW[above].shape == W.shape:
        yield _updated(at)


def _elsewhere(at: Place) -> Iterator[Guess]:
    run, write, above = at.run, at.formulas, at.layer + 1
    for layer in range(1, run.L + 1):
        if layer == above:
            continue
        variant, W = f"{layer - above:+d}", run.W[layer]
        w, d = write.name("W", layer), write.name("dZ", layer)
        if _fits(at, W.T, at.dZ[above]):
            line = write.dA(f"{w}.T")
            yield _guess(at, W.T @ at.dZ[above], "W_layer", line, variant)
        if _fits(at, W, at.dZ[above]):
            yield _guess(at, W @ at.dZ[above], "W_layer", write.dA(w), f"turned{variant}")
        if layer > above and _fits(at, run.W[above].T, at.dZ[layer]):
            line = write.dA(right=d)
            yield _guess(at, run.W[above].T @ at.dZ[layer], "delta_layer", line, variant)
        if layer > above and _fits(at, W.T, at.dZ[layer]):
            line = write.dA(f"{w}.T", d)
            yield _guess(at, W.T @ at.dZ[layer], "delta_layer", line, f"both{variant}")
        if layer >= above and at.dA[layer].shape == run.Z[at.layer].shape:
            name = write.name("dA", layer)
            line = f"{write.name('dA')} = {name}"
            yield _guess(at, at.dA[layer], "delta_layer", line, f"dA{variant}")
    if at.dZ[above].shape == run.Z[at.layer].shape:
        line = f"{write.name('dA')} = {write.name('dZ', above)}"
        yield _guess(at, at.dZ[above], "W_missing", line)


def _element_wise(at: Place) -> Iterator[Guess]:
    above, write = at.layer + 1, at.formulas
    w, d = write.name("W", above), write.name("dZ", above)
    for W, name in ((at.run.W[above].T, f"{w}.T"), (at.run.W[above], w)):
        value = broadcast(W, at.dZ[above], at.run.Z[at.layer].shape)
        if value is not None:
            line = f"{write.name('dA')} = {name} * {d}"
            yield _guess(at, value, "elementwise", line, name.replace(w, "W"))


def _updated(at: Place) -> Guess:
    """Return W after a step of unknown learning rate, with the gradient that they computed."""
    above, write = at.layer + 1, at.formulas
    dZ, dropout = at.dZ[above], at.run.plan.dropout
    w, dw = write.name("W", above), write.name("dW", above)

    def name(rate: float) -> tuple[Step, ...] | None:
        if not 1e-6 < rate < 1e3:
            return None
        line = write.dA(f"({w} - {rate:.4g} * {dw}).T")
        return (Step("W_updated", at.layer, "dA", line, write.dA(), f"{rate:.4g}"),)

    moved = -at.dW[above].T @ dZ
    right = at.run.W[above].T @ dZ
    return Guess(dropout.apply(at.layer, right), (), dropout.apply(at.layer, moved), name)


def _dropouts(at: Place, dA: Array) -> Iterator[Guess]:
    dropout, write, layer = at.run.plan.dropout, at.formulas, at.layer
    if layer not in dropout.masks:
        return
    mask, keep, name = dropout.masks[layer], dropout.keep, write.name("D")
    scale = " / keep_prob"
    for cause, value, after in (
        ("dropout_missing", dA, ""),
        ("dropout_missing", dA / keep, scale),
        ("dropout_scale", dA * mask, f" * {name}"),
        ("dropout_scale", dA * mask / keep, f" * {name}{scale}"),
        ("dropout_scale", dA * mask * keep, f" * {name} * keep_prob"),
        ("dropout_scale", dA * mask / keep**2, f" * {name}{scale}**2"),
    ):
        if after != write.dropout():
            step = Step(
                cause, layer, "dA", write.dA(after=after), write.dA(), after.replace(name, "D")
            )
            yield Guess(value, (step,))
    for other, another in dropout.masks.items():
        if other != layer and another.shape == mask.shape:
            after = write.dropout().replace(name, write.name("D", other))
            value = dA * another / (keep if dropout.scaled else 1)
            line = write.dA(after=after)
            yield Guess(value, (Step("cache_layer", layer, "dA", line, write.dA(), "D"),))


def _guess(at: Place, value: Array, cause: str = "", theirs: str = "", variant: str = "") -> Guess:
    dropped = at.run.plan.dropout.apply(at.layer, value)
    if not cause:
        return Guess(dropped)
    return Guess(
        dropped, (Step(cause, at.layer, "dA", theirs, at.formulas.dA(), variant or cause),)
    )


def _fits(at: Place, left: Array, right: Array) -> bool:
    """Say whether a product exists and has the shape of dA."""
    return left.shape[1:] == right.shape[:1] and len(left) == len(at.run.Z[at.layer])


def broadcast(one: Array, other: Array, shape: tuple[int, ...]) -> Array | None:
    """Return the element-wise product where NumPy lets it pass and it has the given shape."""
    try:
        value: Array = np.multiply(one, other)
    except ValueError:
        return None
    return value if value.shape == shape else None
