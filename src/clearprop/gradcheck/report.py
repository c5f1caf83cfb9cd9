"""What a gradient check found: a table from the output back to the input."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from clearprop.gradcheck.diagnosis import Diagnosis
from clearprop.gradcheck.naming import called, called_all, number, place
from clearprop.gradcheck.words import say

Verdict: TypeAlias = Literal["right", "wrong", "wrong shape", "missing", "not finite", "unclear"]
"""What is said of one gradient; ``"unclear"`` where no entry could be measured."""

_PASSING = ("right", "unclear")


@dataclass(frozen=True)
class Row:
    """One parameter.

    Parameters
    ----------
    parameter : str
    shape : tuple of int
        Of the parameter, which is that of its gradient.
    verdict : str
        See `Verdict`.
    fault : str, default ""
        What is wrong, as a sentence that goes on after the gradient's name.
    checked : int, default 0
        The entries that were held against a numerical gradient.
    skipped : int, default 0
        The entries that lie on a kink, or whose difference is lost in rounding.
    error : float, default NaN
        The largest relative error: |analytical - numerical| over the larger of both.
    where : tuple of int or None
        The entry that has it.
    analytical, numerical : float, default NaN
        Its gradients.
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


@dataclass(frozen=True)
class Report:
    """The outcome of a gradient check; it is true where the check has passed.

    Parameters
    ----------
    rows : tuple of Row
        From the output back to the input: an error spreads downwards, so the first wrong gradient
        is the one to look at.
    notes : tuple of str
        What else was noticed.
    diagnosis : Diagnosis or None
        What the mistake is, where the numbers tell.
    """

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    diagnosis: Diagnosis | None = None

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
                return say("right" if count == 1 else "all right", count=count)
            if len(unclear) == count:
                return say("nothing measured")
            names = called_all(unclear)
            return say("right but unclear", right=count - len(unclear), count=count, names=names)
        first, *others = self.wrong
        line = say(
            "first wrong" if others else "only wrong",
            name=called(first.parameter),
            fault=first.fault,
        )
        if not others:
            return line
        more = say(
            "others wrong",
            count=len(self.wrong),
            all=count,
            names=called_all(row.parameter for row in self.wrong),
            name=called(first.parameter),
        )
        return f"{line}\n{more}"

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        parts = [self.headline, _table(self.rows)]
        parts += ["\n".join(say("note", text=note) for note in self.notes)] if self.notes else []
        parts += [] if self.diagnosis is None else [str(self.diagnosis)]
        return "\n\n".join(parts)

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


def _table(rows: Iterable[Row]) -> str:
    header = tuple(say(f"column {name}") for name in _COLUMNS)
    lines = [
        (
            row.parameter,
            "×".join(map(str, row.shape)),
            _checked(row),
            "" if math.isnan(row.error) else f"{row.error:.1e}",
            place(row.where),
            number(row.analytical),
            number(row.numerical),
            say(f"verdict {row.verdict}"),
        )
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(header, *lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (header, *lines)
    )


_COLUMNS = (
    "parameter",
    "shape",
    "checked",
    "error",
    "where",
    "analytical",
    "numerical",
    "verdict",
)


def _checked(row: Row) -> str:
    if not row.checked and not row.skipped:
        return ""
    entries = math.prod(row.shape)
    return say(
        "checked all" if row.checked == entries else "checked some",
        checked=row.checked,
        entries=entries,
    )
