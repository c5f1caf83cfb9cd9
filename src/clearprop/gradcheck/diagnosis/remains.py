"""What is known of a gradient that nothing explains."""

from collections.abc import Iterator

import numpy as np

from clearprop.gradcheck.diagnosis.words import say
from clearprop.parameters import Array

_ALIKE = 1e-5
_LISTED = 6


def compare(name: str, theirs: Array, right: Array) -> Iterator[str]:
    """Say in which way a gradient is wrong.

    Parameters
    ----------
    name : str
        What it is called: ``"dW2"``.
    theirs, right : ndarray
        Units as rows. Entries of `right` that are NaN are not known.

    Yields
    ------
    str
        Sentences.
    """
    if theirs.shape != right.shape:
        yield say("shape", name=name, found=theirs.shape, expected=right.shape)
        return
    finite = np.isfinite(theirs)
    if not finite.all():
        count = int((~finite).sum())
        yield say("not finite", name=name, count=count, entries=theirs.size)
        return
    known = np.isfinite(right)
    mine, true = theirs[known], right[known]
    size = np.abs(true).max(initial=0)
    zeros = (mine == 0) & (np.abs(true) > _ALIKE * size)
    if zeros.any():
        yield say("zeros", count=int(zeros.sum()), entries=mine.size)
    turned = np.sign(mine) != np.sign(true)
    if turned.any() and np.allclose(np.abs(mine), np.abs(true), rtol=_ALIKE, atol=_ALIKE * size):
        yield say("signs", count=int(turned.sum()), entries=mine.size)
        return
    limit = np.abs(mine).max(initial=0)
    if size > limit * (1 + _ALIKE) and np.allclose(np.clip(true, -limit, limit), mine, rtol=_ALIKE):
        count = int((np.abs(true) > limit).sum())
        yield say("cut off", limit=limit, count=count, entries=mine.size)
        return
    for key, axis in (("by unit", 1), ("by input", 0)):
        factors = _factors(theirs, right, axis) if known.all() else None
        if factors is not None:
            listed = ", ".join(f"{factor:.4g}" for factor in factors[:_LISTED])
            yield say(key, name=name, factors=listed + (", ..." if len(factors) > _LISTED else ""))
            return
    length, own = float(np.linalg.norm(true)), float(np.linalg.norm(mine))
    if length and own:
        cosine = float(np.clip(np.vdot(mine, true) / (length * own), -1, 1))
        yield say("angle", degrees=np.degrees(np.arccos(cosine)), ratio=own / length)


def _factors(theirs: Array, right: Array, axis: int) -> Array | None:
    """Return the factor of every row or column, if that is all that is wrong."""
    if theirs.ndim != 2 or theirs.shape[axis] < 2 or theirs.shape[1 - axis] < 2:
        return None
    squares = (right * right).sum(axis=axis, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = (theirs * right).sum(axis=axis, keepdims=True) / squares
    factors = np.where(squares > 0, factors, 1)
    if not np.allclose(factors * right, theirs, rtol=_ALIKE, atol=_ALIKE * np.abs(theirs).max()):
        return None
    return np.ravel(factors)
