"""Every error a user can meet, under one base class.

A message says what was found, what was expected and what to do, and names the file, column or
layer. The command line prints the message alone, without a traceback, and leaves with
``exit_code``: 2 where the command itself was wrong, 1 where a well-formed command failed.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from itertools import islice
from reprlib import Repr
from typing import Any, ClassVar

_LISTED = 30  # names in a message at most
_LONGEST = 60  # characters of one of them
_LOOKED_AT = 1000  # files for one of a name alike
_ADDRESS = re.compile("[a-z][a-z0-9+.-]+:/", re.IGNORECASE)  # a drive has one letter


class ClearpropError(Exception):
    """Base class of every error that clearprop raises on purpose."""

    exit_code: ClassVar[int] = 1


class UsageError(ClearpropError, ValueError):
    """An argument that can't be used: a size of zero, a negative rate, two options that clash."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A name that nothing goes by: of a data set, an activation, an experiment."""


class ShapeError(ClearpropError, ValueError):
    """An array whose shape does not fit the network or the other array it came with."""


class DataError(ClearpropError, ValueError):
    """Data that can't be read or can't be learned from."""


class ModelFileError(ClearpropError, ValueError):
    """A file that is not a clearprop model, or one that contradicts itself."""


class OutputError(ClearpropError, OSError):
    """A file or folder that can't be written; what stood there before is untouched."""


class ExportError(ClearpropError):
    """An export that does not do what its model does; it has not been handed over."""


class ClusterError(ClearpropError):
    """A cluster that is not there, that can't be used, or that nobody is left of."""


class DivergedError(ClearpropError, ArithmeticError):
    """A loss or weights that stopped being finite numbers.

    Parameters
    ----------
    message : str
    history : object
        The `clearprop.History` until then.
    """

    def __init__(self, message: str, history: Any) -> None:
        super().__init__(message)
        self.history = history


class MissingExtraError(ClearpropError, ImportError):
    """An optional dependency that is needed here and not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs {package}, which is not installed. "
            f"Install it with: pip install 'clearprop[{extra}]'"
        )


@contextmanager
def naming(source: str) -> Iterator[None]:
    """Put a file or data set in front of an error that only says what is wrong with its samples."""
    try:
        yield
    except (DataError, ShapeError) as error:
        if source in str(error):
            raise
        raise type(error)(f"{source}: {error}") from error


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """Make the error for a name that nothing goes by, with the nearest known one.

    Parameters
    ----------
    kind : str
        The kind of thing that is looked for, in the singular: ``"activation"``.
    name : str
        The name that was found.
    known : iterable of str
        Every name that would have done.

    Returns
    -------
    UnknownNameError
        The error, which the caller raises so that its traceback starts there.
    """
    names = sorted(known)
    hint = did_you_mean(name, names)
    return UnknownNameError(f"There is no {kind} {shortened(name)}.{hint} Known: {listed(names)}.")


def did_you_mean(name: str, known: Iterable[str], alike: float = 0.5) -> str:
    """Return a question that names the nearest known name, with a blank before it, or nothing."""
    # Two long texts are compared in the square of their length, and nobody has typed them.
    by_lower_case = {one.lower(): one for one in known if len(one) <= _LONGEST}
    wanted = name.lower() if len(name) <= _LONGEST else ""
    nearest = get_close_matches(wanted, by_lower_case, n=1, cutoff=alike)
    return f" Did you mean {by_lower_case[nearest[0]]!r}?" if nearest else ""


def is_address(path: str | os.PathLike[str]) -> bool:
    """Whether a path that leads nowhere is the address of something elsewhere."""
    return _ADDRESS.match(os.fspath(path)) is not None


def nearest_file(path: str | os.PathLike[str]) -> str:
    """Return the question for a file that is not there, with the nearest name in its folder."""
    if is_address(path):
        return " Only files are read: save what lies at that address as one, and give that."
    folder, name = os.path.split(path)
    try:
        with os.scandir(folder or ".") as entries:
            names = [entry.name for entry in islice(entries, _LOOKED_AT)]
    except (OSError, ValueError):
        return ""
    return did_you_mean(name, names, alike=0.75)  # suffixes alone make files alike


def listed(names: Iterable[object], most: int = _LISTED) -> str:
    """List names for a message: ``a, b, c and 19,997 more``.

    Parameters
    ----------
    names : iterable of object
        Any number of them, of any length; each is written as `str` does.
    most : int, default 30
        The number of names that are written out. One more is, too: it takes no more room than
        saying that it is left out.
    """
    texts = [text if len(text) <= _LONGEST else _cut(text) for text in map(str, names)]
    if len(texts) <= most + 1:
        return ", ".join(texts)
    return f"{', '.join(texts[:most])} and {len(texts) - most:,} more"


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: ``1 row``, ``1,234 rows``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shortened(value: object) -> str:
    """Write a value for a message as `repr` does, of a large one only so much that it is known.

    It is for values from outside: a text of a megabyte, a number of thousands of digits, lists in
    lists.
    """
    return _SHORT.repr(value)


def _cut(text: str) -> str:
    return f"{text[: _LONGEST * 2 // 3]}...{text[-_LONGEST // 3 :]}"


class _Short(Repr):
    """The standard library's writer of short texts, with more room, and for every number."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxdict = 3, 6
        self.maxlist = self.maxtuple = 12
        self.maxstring = self.maxother = self.maxlong = _LONGEST

    def repr_int(self, x: int, level: int) -> str:
        """Write a number, of which Python itself refuses to write thousands of digits."""
        if abs(x) >= 10**_LONGEST:
            return f"a whole number of some {int(x.bit_length() * 0.30103):,} digits"
        return repr(x)


_SHORT = _Short()
