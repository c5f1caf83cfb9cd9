"""The report of a gradient check: a table from the output back to the input."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from math import prod
from typing import Any, Literal, TypeAlias

import numpy as np

from clearprop.core import html
from clearprop.core.parameters import Array
from clearprop.core.printable import aligned
from clearprop.gradcheck.diagnosis.mistakes import Diagnosis
from clearprop.gradcheck.differences import SINGLE, Precision, is_single
from clearprop.gradcheck.measuring import Measured
from clearprop.gradcheck.subject import Arrays, Noticed, called, called_all, same

Verdict: TypeAlias = Literal["right", "wrong", "wrong shape", "missing", "not finite", "unclear"]
"""The verdict on one gradient; ``"unclear"`` where no entry could be measured."""

_PASSING = ("right", "unclear")


@dataclass(frozen=True)
class Row:
    """One parameter.

    Parameters
    ----------
    parameter : str
    shape : tuple of int
        The shape of the parameter, and of its gradient.
    verdict : Verdict
    fault : str, default ""
        The fault, as a sentence that goes on after the gradient's name.
    checked : int, default 0
        The entries that were held against a numerical gradient.
    skipped : int, default 0
        The entries that lie on a kink, or whose difference is lost in rounding.
    error : float, default NaN
        The largest relative error: |analytical - numerical| over the larger of both.
    where : tuple of int or None
        The entry that has it.
    analytical, numerical : float, default NaN
        The gradients of that entry.
    """

    parameter: str
    shape: tuple[int, ...]
    verdict: Verdict
    fault: str = ""
    checked: int = 0
    skipped: int = 0
    error: float = math.nan
    where: tuple[int, ...] | None = None
    analytical: float = math.nan
    numerical: float = math.nan

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong with this gradient."""
        return self.verdict in _PASSING


@dataclass(frozen=True, repr=False)
class Report:
    """The outcome of a gradient check; it is true where the check has passed.

    Parameters
    ----------
    rows : tuple of Row
        The parameters from the output back to the input: an error spreads downwards, so the first
        wrong gradient is the one to look at.
    notes : tuple of str
        Other observations.
    diagnosis : Diagnosis or None
        The mistakes, where the numbers tell.
    origin : str, default ""
        A sentence about the layer or the loss where the error begins, where that is known.
    """

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    diagnosis: Diagnosis | None = None
    origin: str = ""

    @property
    def passed(self) -> bool:
        """Whether no gradient is wrong, and at least one was measured."""
        return not self.wrong and any(row.verdict == "right" for row in self.rows)

    @property
    def wrong(self) -> tuple[Row, ...]:
        """The gradients that are not right, from the output back."""
        return tuple(row for row in self.rows if not row.passed)

    @property
    def headline(self) -> str:
        """The outcome in a sentence: the first wrong gradient on the way back."""
        count = len(self.rows)
        if not self.wrong:
            unclear = [row.parameter for row in self.rows if row.verdict == "unclear"]
            if not unclear:
                return (
                    "The gradient is right." if count == 1 else f"All {count} gradients are right."
                )
            if len(unclear) == count:
                return (
                    "No gradient could be measured, so that this says nothing of the code. Draw "
                    "the parameters at random, biases too, not far from 1."
                )
            names = called_all(unclear)
            return (
                f"{count - len(unclear)} of {count} gradients are right; of {names} nothing could "
                "be measured."
            )
        first, *others = self.wrong
        name = called(first.parameter)
        if not others:
            return " ".join(filter(None, (f"{name} is wrong: {first.fault}", self.origin)))
        every = called_all(row.parameter for row in self.wrong)
        return (
            f"{name} is the first wrong gradient on the way back: {first.fault}\n"
            f"{len(self.wrong)} of {count} gradients are wrong: {every}. "
            f"{self.origin or f'Correct {name} first.'}"
        )

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        parts = [self.headline, *([aligned(_lines(self.rows))] if self.rows else [])]
        parts += ["\n".join(f"Note: {note}" for note in self.notes)] if self.notes else []
        parts += [] if self.diagnosis is None else [str(self.diagnosis)]
        return "\n\n".join(parts)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        header, *lines = _lines(self.rows)
        rows = [
            (*cells, html.element("span", verdict, "good" if row.passed else "bad"))
            for row, (*cells, verdict) in zip(self.rows, lines, strict=True)
        ]
        parts = [html.element("p", html.element("strong", self.headline))]
        parts += [html.table(header, rows)] if rows else []
        parts += [html.element("p", f"Note: {note}", "faint") for note in self.notes]
        parts += [] if self.diagnosis is None else [html.element("pre", self.diagnosis)]
        return html.fragment(*parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the report in values that JSON has, but for NaN."""
        diagnosis = self.diagnosis
        return {
            "passed": self.passed,
            "headline": self.headline,
            "rows": [asdict(row) for row in self.rows],
            "notes": list(self.notes),
            "diagnosis": diagnosis and {"text": str(diagnosis), **asdict(diagnosis)},
        }


def place(index: tuple[int, ...] | None) -> str:
    """Write an index as it is typed: ``[0, 3]``."""
    return f"[{', '.join(map(str, index))}]" if index else ""


def number(value: float) -> str:
    """Write a number with as many digits as a person compares."""
    return "" if math.isnan(value) else f"{value + 0.0:.5g}"  # a negative zero is a zero


def _lines(rows: Iterable[Row]) -> list[tuple[str, ...]]:
    header = ("parameter", "shape", "checked", "relative error", "at", "yours", "numerical", "")
    lines = [
        (
            row.parameter,
            "×".join(map(str, row.shape)),
            _checked(row),
            "" if math.isnan(row.error) else f"{row.error:.1e}",
            place(row.where),
            number(row.analytical),
            number(row.numerical),
            row.verdict if row.passed else row.verdict.upper(),
        )
        for row in rows
    ]
    return [header, *lines]


def _checked(row: Row) -> str:
    if not row.checked and not row.skipped:
        return ""
    entries = math.prod(row.shape)
    return f"all {entries}" if row.checked == entries else f"{row.checked} of {entries}"


# Rows and notes, from what was measured.


def make_row(name: str, shape: tuple[int, ...], claimed: Arrays, measured: Measured) -> Row:
    """Make the row of one parameter, of its shape and of the gradients of all that are claimed."""
    claim = claimed.get(name)
    if claim is None:
        return Row(name, shape, "missing", f"it is missing; there are {called_all(claimed)}.")
    if claim.shape != shape:
        fault = f"it has the shape {claim.shape}, expected {shape}, that of {name}."
        return Row(name, shape, "wrong shape", fault)
    if not np.isfinite(claim).all():
        return Row(name, shape, "not finite", f"it is {first_not_finite(claim)}.")
    verdict: Verdict = "wrong" if measured.wrong else "right" if measured.right else "unclear"
    where, fault, analytical, numerical = measured.where, "", math.nan, math.nan
    if where is not None:
        analytical, numerical = float(claim[where]), float(measured.numerical[where])
    if verdict == "wrong":
        fault = (
            f"at {place(where)} it is {number(analytical)}, and the numerical gradient is "
            f"{number(numerical)}."
        )
    checked = measured.right + measured.wrong
    counts = (checked, measured.skipped, measured.error)
    return Row(name, shape, verdict, fault, *counts, where, analytical, numerical)


def make_notes(
    rows: tuple[Row, ...], noticed: Noticed, first: Arrays, second: Arrays, step: Precision
) -> Iterator[str]:
    """Say what else was noticed.

    The `first` and `second` gradients are those of two calls with the same parameters, and `step`
    is the precision of the cost.
    """
    if unsteady := [name for name in first if not same(first[name], second.get(name))]:
        yield (
            "a second call with the same parameters gives other gradients "
            f"({called_all(unsteady)}), which is what was checked. Gradients that are added to "
            "those of the call before have to start from zero."
        )
    if noticed.draws:
        yield (
            "the code draws random numbers (dropout?). For this check numpy.random.seed(0) is "
            "called before every call, so that all of them draw the same."
        )
    if noticed.changes:
        yield (
            "the code writes into arrays that it was given: "
            f"{', '.join(sorted(noticed.changes))}. Here it got copies; elsewhere the next step "
            "would start from the changed ones."
        )
    if step is SINGLE:
        yield (
            "the cost is computed in float32, which holds seven digits: differences of up to "
            "0.5% count as its rounding. In float64 the check is closer."
        )
    if single := [name for name, claim in second.items() if is_single(claim)]:
        yield (
            f"{called_all(single)} hold float32 numbers, of seven digits: differences of up to "
            "0.5% count as its rounding. In float64 the check is closer."
        )
    sampled = [row for row in rows if row.checked and row.checked + row.skipped < prod(row.shape)]
    if sampled:
        yield (
            f"of {called_all(row.parameter for row in sampled)} a sample was checked entry by "
            "entry, and all entries at once along a random line."
        )
    if skipped := [row for row in rows if row.skipped]:
        counts = ", ".join(f"{row.skipped} of {called(row.parameter)}" for row in skipped)
        yield (
            "entries that could not be judged, because they lie on a kink or are too small "
            f"beside the rounding of the cost: {counts}."
        )


def first_not_finite(array: Array) -> str:
    """Return the first entry that is no finite number, and where it stands."""
    index = tuple(int(axis[0]) for axis in np.nonzero(~np.isfinite(array)))
    return f"{array[index]} at {place(index)}"
