"""From what was measured to the rows and notes of a report."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import prod

import numpy as np

from clearprop.gradcheck.calling import Noticed, same
from clearprop.gradcheck.measuring import Measured
from clearprop.gradcheck.naming import called, called_all, number, place
from clearprop.gradcheck.precision import SINGLE, Precision, is_single
from clearprop.gradcheck.report import Row, Verdict
from clearprop.gradcheck.subject import Arrays
from clearprop.gradcheck.words import say
from clearprop.parameters import Array


def make_row(name: str, shape: tuple[int, ...], claimed: Arrays, measured: Measured) -> Row:
    """Make the row of one parameter.

    Parameters
    ----------
    name : str
    shape : tuple of int
        Of the parameter.
    claimed : mapping of str to ndarray
        The gradients under check, of all parameters.
    measured : Measured

    Returns
    -------
    Row
    """
    claim = claimed.get(name)
    if claim is None:
        return Row(name, shape, "missing", say("missing", found=called_all(claimed)))
    if claim.shape != shape:
        fault = say("wrong shape", found=claim.shape, expected=shape, parameter=name)
        return Row(name, shape, "wrong shape", fault)
    if not np.isfinite(claim).all():
        return Row(name, shape, "not finite", say("not finite", **first_not_finite(claim)))
    verdict: Verdict = "wrong" if measured.wrong else "right" if measured.right else "unclear"
    row = Row(
        name,
        shape,
        verdict,
        checked=measured.right + measured.wrong,
        skipped=measured.skipped,
        error=measured.error,
        where=measured.where,
    )
    where = measured.where
    if where is None:
        return row
    analytical, numerical = float(claim[where]), float(measured.numerical[where])
    fault = say(
        "wrong", where=place(where), analytical=number(analytical), numerical=number(numerical)
    )
    return replace(
        row,
        fault=fault if verdict == "wrong" else "",
        analytical=analytical,
        numerical=numerical,
    )


def make_notes(
    rows: tuple[Row, ...], noticed: Noticed, first: Arrays, second: Arrays, step: Precision
) -> Iterator[str]:
    """Say what else was noticed.

    Parameters
    ----------
    rows : tuple of Row
    noticed : Noticed
    first, second : mapping of str to ndarray
        The gradients of two calls with the same parameters.
    step : Precision
        Of the cost.
    """
    if unsteady := [name for name in first if not same(first[name], second.get(name))]:
        yield say("unsteady gradients", names=called_all(unsteady))
    if noticed.draws:
        yield say("draws")
    if noticed.changes:
        yield say("changes", names=", ".join(sorted(noticed.changes)))
    if step is SINGLE:
        yield say("single cost")
    if single := [name for name, claim in second.items() if is_single(claim)]:
        yield say("single gradients", names=called_all(single))
    sampled = [row for row in rows if row.checked and row.checked + row.skipped < prod(row.shape)]
    if sampled:
        yield say("sampled", names=called_all(row.parameter for row in sampled))
    if skipped := [row for row in rows if row.skipped]:
        counts = ", ".join(f"{row.skipped} of {called(row.parameter)}" for row in skipped)
        yield say("skipped", counts=counts)


def first_not_finite(array: Array) -> Mapping[str, str]:
    """Return the first entry that is no finite number, and where it stands."""
    index = tuple(int(axis[0]) for axis in np.nonzero(~np.isfinite(array)))
    return {"value": str(array[index]), "where": place(index)}
