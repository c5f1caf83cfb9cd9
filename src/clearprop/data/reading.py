"""What is said about a file beforehand: how its text is to be read, and what its columns are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from clearprop.errors import UsageError, did_you_mean

Role: TypeAlias = Literal["number", "category", "date"]
TASKS = ("classify", "regress")

MEMORY = 2**30
"""Bytes of numbers up to which data are read into memory, unless somebody says others."""


@dataclass(frozen=True)
class TextForm:
    """How text becomes cells, as far as somebody has said it; None is found out.

    Parameters
    ----------
    encoding : str or None
        A name that Python knows.
    delimiter : str or None
        One character; a space stands for any number of spaces and tabs.
    decimal : {".", ","} or None
        The sign before a number's fraction.
    missing : tuple of str
        Cells that stand for a missing value in every column, beside the empty one.
    header : bool or None
        Whether the first line holds the columns' names.
    day_first : bool or None
        Whether 1/2/2020 is the first of February: a model knows it of its training data.
    """

    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    missing: tuple[str, ...] = ()
    header: bool | None = None
    day_first: bool | None = None

    def __post_init__(self) -> None:
        if self.delimiter is not None and len(self.delimiter) != 1:
            raise UsageError(f"A delimiter is one character, found {self.delimiter!r}.")
        if self.decimal not in (None, ".", ","):
            raise UsageError(f"The decimal sign is . or , found {self.decimal!r}.")
        if self.encoding is not None:
            _require_encoding(self.encoding)


@dataclass(frozen=True)
class Reading:
    """How a file is to be read; without anything said, all is found out.

    Parameters
    ----------
    text : TextForm
    target : str or None
        The column that is to be learned.
    task : {"classify", "regress"} or None
        Whether whole numbers in the target are classes or values.
    drop, keep, category, number : tuple of str
        The columns that are left out, that are used though they look of no use, that are
        categories, and that are numbers.
    roles : mapping of str to {"number", "category", "date"}, optional
        The columns that a model takes, and as what: all others are passed over.
    memory : int
        Bytes of samples in an array above which they stay in their file.
    """

    text: TextForm = TextForm()
    target: str | None = None
    task: str | None = None
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    number: tuple[str, ...] = ()
    roles: Mapping[str, Role] | None = field(default=None)
    memory: int = MEMORY

    def __post_init__(self) -> None:
        for one, other in (
            ("drop", "keep"),
            ("drop", "category"),
            ("drop", "number"),
            ("category", "number"),
        ):
            if both := sorted(set(getattr(self, one)) & set(getattr(self, other))):
                raise UsageError(f"The column {both[0]!r} is named by --{one} and by --{other}.")
        if self.target in self.drop:
            raise UsageError(f"The column {self.target!r} is the target, and can't be dropped.")
        if self.task is not None and self.task not in TASKS:
            raise UsageError(f"A task is {' or '.join(TASKS)}, found {self.task!r}.")


DEFAULT = Reading()
"""Nothing is said: all is found out."""


_ENCODINGS = ("utf-8", "cp1252", "latin-1", "utf-16", "gb18030", "shift-jis")


def _require_encoding(name: str) -> None:
    try:
        "".encode(name)
    except (LookupError, UnicodeError, ValueError) as error:
        raise UsageError(
            f"There is no encoding {name!r}.{did_you_mean(name, _ENCODINGS)} Expected a name such "
            f"as {', '.join(_ENCODINGS)}."
        ) from error
