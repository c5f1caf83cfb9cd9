"""Wrong gradients explained on their own, where the network behind them is not known.

Each is held against the numerical gradients: a factor, a transposition, an L2 term, the gradient of
another parameter. An error spreads downwards, so that below the first wrong gradient only the same
mistake, made again, can be told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.diagnosis.factors import LEAST, Fit, fit
from clearprop.gradcheck.diagnosis.formulas import value_of, whole
from clearprop.gradcheck.diagnosis.mistakes import CAUSES, Diagnosis, Mistake
from clearprop.gradcheck.subject import Arrays, Subject, called

_LISTED = 6  # factors
_ALIKE = 1e-5  # of the largest entry: numerical gradients have their own rounding
_TRIED = (
    *("sign", "factor_two", "mean_missing", "mean_twice", "transposed", "off_by_one", "zero"),
    *("bias_broadcast", "bias_averaged", "l2_extra", "l2_missing", "l2_bias"),
)


@dataclass(frozen=True)
class _Found:
    """A cause that explains one gradient, the right side of its line, and how closely it fits."""

    cause: str
    written: str
    fit: Fit


def without_network(
    subject: Subject, numerical: Arrays, analytical: Arrays, wrong: Sequence[str]
) -> Diagnosis:
    """Explain gradients, in their own layout, by the numerical ones alone; NaN is not known.

    The `wrong` parameters come from the output back.
    """
    known = [
        "X and Y are not known, so that backward could not be replayed: give them as X=... and "
        "Y=... to learn more."
        if subject.X is None or subject.Y is None
        else "The cost could not be repeated from X and Y, so that only its gradients were "
        "compared."
    ]
    each = {name: next(_explain(subject, name, numerical, analytical), None) for name in wrong}
    first = each[wrong[0]]
    if first is None:
        theirs, right = analytical.get(wrong[0]), numerical[wrong[0]]
        ruled_out = tuple(CAUSES[cause].title for cause in _TRIED)
        facts = [] if theirs is None else compare(called(wrong[0]), theirs, right)
        return Diagnosis(wrong[0], (), (*facts, *known), ruled_out)
    alike = takewhile(lambda name: (one := each[name]) and one.cause == first.cause, wrong)
    return Diagnosis(wrong[0], (_mistake(first, list(alike), numerical),), tuple(known))


def _explain(
    subject: Subject, name: str, numerical: Arrays, analytical: Arrays
) -> Iterator[_Found]:
    theirs, right = analytical.get(name), numerical[name]
    if theirs is None or not np.isfinite(theirs).all():
        return
    for cause, value, written in _values(name, numerical, subject.parameters[name]):
        exact = _fit(theirs, value) if theirs.shape == value.shape else None
        if exact and abs(exact.factor - 1) < _ALIKE:
            yield _Found(cause, written, exact)
    if theirs.shape == right.shape:
        yield from _affine(subject, name, theirs, right)


def _values(name: str, numerical: Arrays, parameter: Array) -> Iterator[tuple[str, Array, str]]:
    """Yield other arrays than the gradient that may stand in its place."""
    right = numerical[name]
    is_bias = parameter.ndim == 1 or 1 in parameter.shape
    for cause, written, possible in (
        ("zero", "0", True),
        ("transposed", "(...).T", right.ndim == 2 and 1 not in right.shape),
        ("bias_broadcast", "np.sum(...)", is_bias and right.size > 1),
        ("bias_averaged", "np.mean(...)", is_bias and right.size > 1),
    ):
        if possible:
            value = value_of(written.replace("...", "right"), {"right": right})
            yield cause, value, written
            if not value.ndim:  # spread by broadcasting
                yield cause, np.full(right.shape, value), written
    for other, gradient in numerical.items():
        if other != name and gradient.shape == right.shape:
            yield "off_by_one", gradient, called(other)


def _affine(subject: Subject, name: str, theirs: Array, right: Array) -> Iterator[_Found]:
    """Yield a factor of the gradient, or a multiple of the parameter that is added to it."""
    fitted = _fit(theirs, right)
    if fitted and (abs(fitted.factor - 1) > _ALIKE):
        for cause in _causes(fitted, subject):
            yield _Found(cause, f"{fitted.factor:.6g} * ...", fitted)
    parameter, known = subject.parameters[name], np.isfinite(right)
    added = fit(theirs[known], right[known], free=parameter[known], close=_ALIKE)
    if added and abs(added.free) > _ALIKE:
        is_bias = parameter.ndim == 1 or 1 in parameter.shape
        cause = "l2_missing" if added.free < 0 else "l2_bias" if is_bias else "l2_extra"
        sign = "-" if added.free < 0 else "+"
        yield _Found(cause, f"... {sign} {abs(added.free):.6g} * {name}", added)


def _causes(fitted: Fit, subject: Subject) -> Iterator[str]:
    factor = fitted.factor
    sizes = [] if subject.X is None else [size for size in subject.X.shape if size > 2]
    for cause, value in (("sign", -1.0), ("factor_two", 2.0), ("factor_two", 0.5)):
        if abs(factor - value) < _ALIKE:
            yield cause
    for cause, value in (("mean_missing", factor), ("mean_twice", 1 / factor)):
        of_size = any(abs(value / size - 1) < _ALIKE for size in sizes)
        if of_size or (not sizes and fitted.telling and (whole(value) or 0) > 2):
            yield cause
    if fitted.telling:
        yield "factor"


def _fit(theirs: Array, value: Array) -> Fit | None:
    known = np.isfinite(value)
    return fit(theirs[known], value[known], close=_ALIKE) if known.any() else None


def _mistake(found: _Found, names: Sequence[str], numerical: Arrays) -> Mistake:
    name = called(names[0])
    return Mistake(
        cause=found.cause,
        parameter=names[0],
        places=tuple(map(called, names)),
        theirs=f"{name} = {found.written}",
        correction="",
        evidence=(
            f"{name} is yours to {max(found.fit.error, LEAST):.0e} in all "
            f"{int(np.isfinite(numerical[names[0]]).sum())} entries that were measured."
        ),
    )


# Facts about a gradient that nothing explains.


def compare(name: str, theirs: Array, right: Array) -> Iterator[str]:
    """Say in sentences in which way a gradient such as ``"dW2"`` is wrong.

    Units are rows of both arrays; entries of `right` that are NaN are not known.
    """
    if theirs.shape != right.shape:
        yield f"{name} has the shape {theirs.shape}, expected {right.shape}."
        return
    if not np.isfinite(theirs).all():
        yield not_finite(name, theirs)
        return
    known = np.isfinite(right)
    mine, true = theirs[known], right[known]
    size = np.abs(true).max(initial=0)
    zeros = (mine == 0) & (np.abs(true) > _ALIKE * size)
    if zeros.any():
        yield f"{zeros.sum()} of its {mine.size} entries are zero that should not be."
    turned = np.sign(mine) != np.sign(true)
    if turned.any() and np.allclose(np.abs(mine), np.abs(true), rtol=_ALIKE, atol=_ALIKE * size):
        yield (
            f"All entries have the right size; {turned.sum()} of {mine.size} have the wrong sign."
        )
        return
    limit = np.abs(mine).max(initial=0)
    if size > limit * (1 + _ALIKE) and np.allclose(np.clip(true, -limit, limit), mine, rtol=_ALIKE):
        count = int((np.abs(true) > limit).sum())
        yield f"It is right, but cut off at {limit:.4g}: {count} of {mine.size} entries."
        return
    for kind, axis in (("unit", 1), ("input", 0)):
        factors = _factors(theirs, right, axis) if known.all() else None
        if factors is not None:
            listed = ", ".join(f"{factor:.4g}" for factor in factors[:_LISTED])
            more = ", ..." if len(factors) > _LISTED else ""
            yield f"Each {kind} of {name} is right but for a factor of its own: {listed}{more}."
            return
    length, own = float(np.linalg.norm(true)), float(np.linalg.norm(mine))
    if length and own:
        cosine = float(np.clip(np.vdot(mine, true) / (length * own), -1, 1))
        yield (
            f"It points {np.degrees(np.arccos(cosine)):.0f} degrees away from the right gradient, "
            f"and is {own / length:.3g} times as long."
        )


def _factors(theirs: Array, right: Array, axis: int) -> Array | None:
    """Return the factor of every row or column, if nothing else is wrong."""
    if theirs.ndim != 2 or theirs.shape[axis] < 2 or theirs.shape[1 - axis] < 2:
        return None
    squares = (right * right).sum(axis=axis, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = (theirs * right).sum(axis=axis, keepdims=True) / squares
    factors = np.where(squares > 0, factors, 1)
    if not np.allclose(factors * right, theirs, rtol=_ALIKE, atol=_ALIKE * np.abs(theirs).max()):
        return None
    return np.ravel(factors)


def not_finite(name: str, gradient: Array) -> str:
    """Say how much of a gradient is not finite."""
    count = int((~np.isfinite(gradient)).sum())
    return f"{name} is not finite at {count} of {gradient.size} entries."
