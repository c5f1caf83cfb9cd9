"""Hand-ins graded: each file checked on its own, and what came of it as a row for a teacher."""

import csv
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from clearprop.core.printable import fitted, printable
from clearprop.errors import counted, listed
from clearprop.files.written import written_beside
from clearprop.gradcheck.diagnosis.mistakes import CAUSES
from clearprop.gradcheck.learner.process import FileCheck, check_file

Outcome: TypeAlias = Literal["right", "wrong", "part", "nothing seen", "failed", "too slow"]
"""What is known of a hand-in: all gradients are right; one is wrong; none is wrong, and of a part
nothing was seen; of none anything was seen; the same, and the code fails; it did not end."""

_OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
_LONGEST = 300  # characters of a message or a line
_MOST = 8  # names in a cell
# What a spreadsheet takes for a formula, at the beginning of a cell, or of one that it makes itself
# where it cuts lines at semicolons.
_FORMULA = re.compile("(^|;)(?=\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20])")


@dataclass(frozen=True)
class Grade:
    """What came of one hand-in: a row.

    Parameters
    ----------
    file : str
        The path, as ``clearprop check`` takes it.
    outcome : Outcome
    right, checked : int
        The gradients that are right, and those that could be judged.
    line : str
        The line at fault: its number, in a notebook with its cell, and with its file where that is
        another one.
    text : str
        The text of that line.
    instead : str
        The text that would make it right.
    mistake : str
        The mistake in words.
    cause : str
        The mistake's key, which stays the same in any language.
    unseen : str
        The parameters and functions of which no gradient could be judged.
    seconds : float
        The time that the check has taken.
    message : str
        The outcome in a sentence.
    """

    file: str
    outcome: Outcome
    right: int = 0
    checked: int = 0
    line: str = ""
    text: str = ""
    instead: str = ""
    mistake: str = ""
    cause: str = ""
    unseen: str = ""
    seconds: float = 0.0
    message: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the row in values that JSON has."""
        return asdict(self)


def grade(file: Path, timeout: float, importer: Path | None = None) -> Grade:
    """Check a hand-in in a process of its own, and grade what came of it, whatever it is.

    Parameters
    ----------
    file : pathlib.Path
        A module or a notebook. Everything in it is executed; it can write nothing, and memory is
        bounded.
    timeout : float
        The seconds that it may take.
    importer : pathlib.Path, optional
        Another hand-in that imports it: where nothing is seen in a module, this is why.
    """
    began = time.monotonic()
    try:
        done = check_file(file, names={}, timeout=timeout, confined=True)
    except (MemoryError, OSError, RuntimeError) as error:  # no process, no thread, no room
        done = FileCheck("", f"The system refuses what is needed: {error}.", None, "failed")
    facts: dict[str, Any]
    try:
        facts = _unchecked(done, file) if done.report is None else _checked(done.report, file)
    except (AttributeError, LookupError, TypeError, ValueError):  # the file may have written it
        facts = {"outcome": "failed", "message": "The answer of the check can't be understood."}
    if facts["outcome"] == "nothing seen" and importer is not None:
        facts["message"] = f"{_short(str(importer))} imports it. {facts['message']}"
    return Grade(str(file), seconds=round(time.monotonic() - began, 1), **facts)


def _unchecked(done: FileCheck, file: Path) -> dict[str, Any]:
    outcomes: dict[str, Outcome] = {"unseen": "nothing seen", "late": "too slow"}
    message = (done.reason or done.text.split("\n\n")[0]).replace(str(file), file.name)
    if done.reason:
        message = f"{message.rstrip('.')}."
    elif done.ended == "late":  # what follows is advice to the one who wrote it
        message = f"{message.split('. ')[0].rstrip('.')}."
    elif done.ended == "unseen":
        message = "No gradient was seen."
    return {"outcome": outcomes.get(done.ended, "failed"), "message": _short(message)}


def _checked(report: Mapping[str, Any], file: Path) -> dict[str, Any]:
    rows, line = report["rows"], report.get("line") or {}
    verdicts = Counter(row["verdict"] for row in rows)
    right, judged = verdicts["right"], len(rows) - verdicts["unclear"]
    outcome: Outcome = "nothing seen"
    if report["passed"]:
        outcome = "right"
    elif right < judged or line:  # a line may also fail, for the shapes of its arrays
        outcome = "wrong"
    elif right:
        outcome = "part"
    mistakes = (report["diagnosis"] or {}).get("mistakes") or [{}]
    cause = mistakes[0].get("cause", "")
    unclear = [row["parameter"] for row in rows if row["verdict"] == "unclear"]
    unseen = list(dict.fromkeys((*unclear, *report.get("unseen", ()))))
    return {
        "outcome": outcome,
        "right": right,
        "checked": judged,
        "line": _place(line, file) if line else "",
        "text": _short(line.get("text") or mistakes[0].get("theirs", "")),
        "instead": _short(line.get("instead") or mistakes[0].get("correction", "")),
        "mistake": CAUSES[cause].title if cause in CAUSES else "",
        "cause": str(cause),
        "unseen": listed(unseen, _MOST),
        "message": _short(report["headline"].split("\n")[0]),
    }


def _place(line: Mapping[str, Any], file: Path) -> str:
    """Write where a line stands: in a module of one's own its number is enough."""
    within = line["file"].removeprefix(file.name).removeprefix(", ")
    return f"{within}, line {line['number']}" if within else str(line["number"])


def _short(text: str) -> str:
    return fitted(" ".join(text.split()), _LONGEST)


@contextmanager
def written_grades(path: Path) -> Iterator[Callable[[Grade], None]]:
    """Write rows to a CSV file, whole or not at all.

    Text is escaped as for a terminal, and what a spreadsheet would take for a formula begins with
    an apostrophe.

    Yields
    ------
    callable
        A function that writes the row of a `Grade`.

    Raises
    ------
    OutputError
        If the file can't be written; what stood there before is untouched.
    """
    with written_beside(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(field.name for field in fields(Grade))
        yield lambda grade: rows.writerow(map(cell, grade.to_dict().values()))
        file.flush()


def cell(value: str | float) -> str:
    """Write a value so that a spreadsheet shows it and computes nothing."""
    if not isinstance(value, str):
        return str(value)
    return _FORMULA.sub(r"\1'", printable(value, one_line=True))


class Tally:
    """How many hand-ins came out how, and which mistakes they have in common."""

    def __init__(self) -> None:
        self.outcomes: Counter[Outcome] = Counter()
        self.causes: Counter[str] = Counter()
        self.imported = 0

    def add(self, grade: Grade, *, is_imported: bool = False) -> None:
        """Count a hand-in, which others may import."""
        self.outcomes[grade.outcome] += 1
        self.imported += is_imported and grade.outcome == "nothing seen"
        if grade.outcome == "wrong":
            self.causes[grade.cause] += 1

    @property
    def mistakes(self) -> list[tuple[str, str, int]]:
        """The mistakes in words, their keys, and how many files have them, the most common first.

        Those that nothing explains come last, and have no key.
        """
        ordered = sorted(self.causes.most_common(), key=lambda one: not one[0])
        return [
            (CAUSES[cause].title if cause in CAUSES else "not explained", cause, files)
            for cause, files in ordered
        ]

    def __str__(self) -> str:
        told = [f"{self.outcomes[one]} {one}" for one in _OUTCOMES if self.outcomes[one]]
        more = f" Of those in which nothing is seen, others import {self.imported}."
        return (
            f"{counted(self.outcomes.total(), 'file')}: {', '.join(told)}."
            f"{more if self.imported else ''}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the counts in values that JSON has."""
        return {
            "files": self.outcomes.total(),
            "outcomes": {one: self.outcomes[one] for one in _OUTCOMES},
            "imported": self.imported,
            "mistakes": [
                {"mistake": mistake, "cause": cause or None, "files": files}
                for mistake, cause, files in self.mistakes
            ],
        }
