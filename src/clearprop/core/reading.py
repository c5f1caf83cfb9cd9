"""Reading files that may be anything: none that never ends, none that is more than it may be.

What can't be read is an `OSError` whose `strerror` completes "FILE can't be read: ...", so that
each reader says it in its own words; what can't be understood is a `ValueError`.
"""

import errno
import json
import os
import stat
import tomllib
from collections.abc import Callable
from functools import partial
from typing import IO, Any

from clearprop.errors import shortened

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
_DEEPEST = 64  # lists and objects in each other: a network in containers has some twenty
_LARGEST = 2**64  # every whole number that an array can hold is below
_TOO_DEEP = f"it is nested deeper than {_DEEPEST} levels"
_TOO_LARGE = "it holds a whole number beyond 2^64"


class _OutOfBoundsError(ValueError):
    """A text that is well written, and holds what nobody can use."""


def special_kind(mode: int) -> str | None:
    """Say which special kind of file a mode tells, such as "a pipe"; None for a regular file."""
    return None if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "a special file")


def open_to_read(path: str | os.PathLike[str]) -> IO[bytes]:
    """Open a regular file for reading; neither a pipe nor a device is ever waited for.

    Raises
    ------
    OSError
        If it can't be opened, or is no regular file.
    """
    try:
        # A pipe without a writer would be waited for.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags)
    except ValueError as error:  # a NUL in it
        raise _refused(path, "no file can have this name") from error
    kind = special_kind(os.fstat(descriptor).st_mode)
    if kind is not None:
        os.close(descriptor)
        raise _refused(path, f"it is {kind}, expected a file")
    return os.fdopen(descriptor, "rb")


def require_regular(path: str | os.PathLike[str]) -> None:
    """Refuse what `open_to_read` refuses, for a library that opens files by their names.

    Raises
    ------
    OSError
    """
    open_to_read(path).close()


def read_bounded(path: str | os.PathLike[str], most: int) -> bytes:
    """Read a whole regular file of at most `most` bytes.

    Raises
    ------
    OSError
        If it can't be read, is no regular file, or has more.
    """
    with open_to_read(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise _refused(path, f"it has more than {most:,} bytes, which is no file of this kind")
    return data


def parsed_json(text: str | bytes, *, is_strict: bool = False) -> Any:
    """Return the value of a JSON text from outside; NaN is allowed.

    Parameters
    ----------
    text : str or bytes
    is_strict : bool, default False
        Whether an object may have each name only once: otherwise the last one counts.

    Raises
    ------
    ValueError
        If it is none, holds a whole number beyond 2^64, or is nested deeper than 64 levels.
    """
    return _parsed(partial(json.loads, object_pairs_hook=_each_once if is_strict else None), text)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _OutOfBoundsError(f"it has {shortened(name)} twice")
        found[name] = value
    return found


def parsed_toml(text: str) -> dict[str, Any]:
    """Return the table of a TOML text from outside, with the bounds of `parsed_json`.

    Raises
    ------
    ValueError
        If it is none, or exceeds a bound.
    """
    return _parsed(tomllib.loads, text)


def _parsed(how: Callable[[Any], Any], text: str | bytes) -> Any:
    try:
        return _bounded(how(text))
    except (json.JSONDecodeError, tomllib.TOMLDecodeError, _OutOfBoundsError):
        raise
    except RecursionError as error:
        raise _OutOfBoundsError(_TOO_DEEP) from error
    except ValueError as error:  # Python itself reads no whole number of thousands of digits
        raise _OutOfBoundsError(_TOO_LARGE) from error


def _bounded(value: Any) -> Any:
    level, depth = [value], 0
    while level:
        if depth > _DEEPEST:
            raise _OutOfBoundsError(_TOO_DEEP)
        for one in level:
            if isinstance(one, int) and not -_LARGEST < one < _LARGEST:
                raise _OutOfBoundsError(_TOO_LARGE)
        level = [
            item
            for one in level
            if isinstance(one, dict | list)
            for item in (one.values() if isinstance(one, dict) else one)
        ]
        depth += 1
    return value


def _refused(path: str | os.PathLike[str], reason: str) -> OSError:
    return OSError(errno.EINVAL, reason, os.fspath(path))
