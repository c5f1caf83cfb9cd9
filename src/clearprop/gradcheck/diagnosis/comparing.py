"""What wrong gradients say on their own, where the network behind them is not known.

Each is held against the numerical gradients: a factor, a transposition, an L2 term, the gradient of
another parameter. An error spreads downwards, so that below the first wrong gradient only the same
mistake, made again, can be told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from clearprop.gradcheck.diagnosis.diagnosis import Diagnosis, Mistake
from clearprop.gradcheck.diagnosis.hypotheses.fitting import LEAST, Fit, fit
from clearprop.gradcheck.diagnosis.remains import compare
from clearprop.gradcheck.diagnosis.words import say, title
from clearprop.gradcheck.naming import called
from clearprop.gradcheck.subject import Arrays, Subject
from clearprop.parameters import Array

_CLOSE = 1e-5  # of the largest entry: numerical gradients have their own rounding
_TRIED = (
    *("sign", "factor_two", "mean_missing", "mean_twice", "transposed", "off_by_one", "zero"),
    *("bias_broadcast", "bias_averaged", "l2_extra", "l2_missing", "l2_bias"),
)


@dataclass(frozen=True)
class _Found:
    """A cause that explains one gradient, what it looks like, and how closely it fits."""

    cause: str
    written: str
    fit: Fit


def without_network(
    subject: Subject, numerical: Arrays, analytical: Arrays, wrong: Sequence[str]
) -> Diagnosis:
    """Explain gradients by the numerical ones alone.

    Parameters
    ----------
    subject : Subject
    numerical, analytical : mapping of str to ndarray
        In their own layout. Numerical entries that are NaN are not known.
    wrong : sequence of str
        The parameters whose gradients are wrong, from the output back.

    Returns
    -------
    Diagnosis
    """
    known = [say("no data" if subject.X is None or subject.Y is None else "no network")]
    each = {name: next(_explain(subject, name, numerical, analytical), None) for name in wrong}
    first = each[wrong[0]]
    if first is None:
        theirs, right = analytical.get(wrong[0]), numerical[wrong[0]]
        facts = [] if theirs is None else compare(called(wrong[0]), theirs, right)
        return Diagnosis(wrong[0], (), (*facts, *known), tuple(map(title, _TRIED)))
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
        if exact and abs(exact.factor - 1) < _CLOSE:
            yield _Found(cause, written, exact)
    if theirs.shape == right.shape:
        yield from _affine(subject, name, theirs, right)


def _values(name: str, numerical: Arrays, parameter: Array) -> Iterator[tuple[str, Array, str]]:
    """Yield other arrays than the gradient that may stand in its place."""
    right = numerical[name]
    yield "zero", np.zeros_like(right), "0"
    if right.ndim == 2 and 1 not in right.shape:
        yield "transposed", right.T, f"({called(name)}).T"
    if parameter.ndim == 1 or 1 in parameter.shape:
        for cause, number, written in (
            ("bias_broadcast", right.sum(), "np.sum(...)"),
            ("bias_averaged", right.mean(), "np.mean(...)"),
        ):
            if right.size > 1:
                yield cause, np.array(number), written
                yield cause, np.full(right.shape, number), written
    for other, gradient in numerical.items():
        if other != name and gradient.shape == right.shape:
            yield "off_by_one", gradient, called(other)


def _affine(subject: Subject, name: str, theirs: Array, right: Array) -> Iterator[_Found]:
    """Yield a factor of the gradient, or a multiple of the parameter that is added to it."""
    fitted = _fit(theirs, right)
    if fitted and (abs(fitted.factor - 1) > _CLOSE):
        for cause in _causes(fitted, subject):
            yield _Found(cause, f"{fitted.factor:.6g} * ...", fitted)
    parameter, known = subject.parameters[name], np.isfinite(right)
    added = fit(theirs[known], right[known], free=parameter[known], close=_CLOSE)
    if added and abs(added.free) > _CLOSE:
        is_bias = parameter.ndim == 1 or 1 in parameter.shape
        cause = "l2_missing" if added.free < 0 else "l2_bias" if is_bias else "l2_extra"
        sign = "-" if added.free < 0 else "+"
        yield _Found(cause, f"... {sign} {abs(added.free):.6g} * {name}", added)


def _causes(fitted: Fit, subject: Subject) -> Iterator[str]:
    factor = fitted.factor
    sizes = [] if subject.X is None else [size for size in subject.X.shape if size > 2]
    for cause, value in (("sign", -1.0), ("factor_two", 2.0), ("factor_two", 0.5)):
        if abs(factor - value) < _CLOSE:
            yield cause
    for cause, value in (("mean_missing", factor), ("mean_twice", 1 / factor)):
        is_whole = round(value) > 2 and abs(value - round(value)) < _CLOSE * value
        if is_whole and (round(value) in sizes if sizes else fitted.telling):
            yield cause
    if fitted.telling:
        yield "factor"


def _fit(theirs: Array, value: Array) -> Fit | None:
    known = np.isfinite(value)
    return fit(theirs[known], value[known], close=_CLOSE) if known.any() else None


def _mistake(found: _Found, names: Sequence[str], numerical: Arrays) -> Mistake:
    name = called(names[0])
    return Mistake(
        cause=found.cause,
        parameter=names[0],
        places=tuple(map(called, names)),
        theirs=f"{name} = {found.written}",
        correction="",
        evidence=say(
            "compared",
            name=name,
            error=max(found.fit.error, LEAST),
            count=int(np.isfinite(numerical[names[0]]).sum()),
        ),
    )
