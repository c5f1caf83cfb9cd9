"""What a watched program tells the process that watches it: JSON, and numbers as raw bytes.

A program may send anything in the place of what was meant: nothing that comes is executed, and what
has not the form that it should have ends the listening.
"""

import json
import math
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np

from clearprop.configuration import Json
from clearprop.core.parameters import Array
from clearprop.core.printable import printable
from clearprop.core.reading import parsed_json
from clearprop.studio.program_places import Copied, Picture

ROLES = ("parameter", "gradient", "activation", "array")
BINS = 41
"""The columns of a histogram: an odd number, so that zero has one of its own."""

_LENGTHS = struct.Struct("<II")
_LARGEST_TEXT, _LARGEST_NUMBERS = 2**23, 2**24  # bytes of a message
_MOST_SHOWN, _MOST_TOGETHER = 2**13, 2**17  # entries that a page draws, of an array and of all
_MOST_ARRAYS, _MOST_LISTS, _LONGEST_NAME = 64, 16, 80
_STATISTICS = ("low", "high", "mean", "deviation", "norm", "zeros", "dead")


class FakedError(Exception):
    """A message has not the form that it should have."""


@dataclass(frozen=True)
class Seen:
    """An array as it is shown.

    Parameters
    ----------
    name, role : str
    of : str or None
        The parameter that it is the gradient of.
    shape : tuple of int
        That of the array itself.
    rows, columns : int
        The extent of what is drawn: all of a small array, some rows and columns of a large one.
    bad : int
        The number of entries that are not finite.
    statistics : dict of str to float or None
        Of the finite entries: ``low``, ``high``, ``mean``, ``deviation``, ``norm``; the share of
        ``zeros``, and that of the rows or columns, whichever is more, that are ``dead``: all zero.
    counts : list of int
        The histogram.
    numbers : bytes
        What is drawn, as float32, little-endian, row after row.
    """

    name: str
    role: str
    of: str | None
    shape: tuple[int, ...]
    rows: int
    columns: int
    bad: int
    statistics: dict[str, float | None]
    counts: list[int]
    numbers: bytes


@dataclass(frozen=True)
class News:
    """One message.

    Parameters
    ----------
    kind : {"roles", "picture", "ended", "failed"}
    seconds : float
    told : str
        Of "failed", the error; of "roles", what was found.
    printed : str
        What the program has printed since the last message.
    cost : float or None
    counters : dict of str to int
    ratios : dict of str to float
    lists : list of (str, int, list of float or None)
    arrays : list of Seen
    """

    kind: str
    seconds: float = 0.0
    told: str = ""
    printed: str = ""
    cost: float | None = None
    counters: dict[str, int] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    lists: list[tuple[str, int, list[float | None]]] = field(default_factory=list)
    arrays: list[Seen] = field(default_factory=list)


# The side of the program.


def written_picture(picture: Picture, printed: str) -> tuple[dict[str, Json], bytes]:
    """Write a picture as the text and the numbers of a message."""
    described, numbers = list[Json](), list[bytes]()
    most = min(_MOST_SHOWN, _MOST_TOGETHER // max(1, len(picture.arrays)))
    for one in picture.arrays:
        about, shown = described_array(one, most)
        described.append(about)
        numbers.append(shown)
    text: dict[str, Json] = {
        "kind": "picture",
        "seconds": picture.seconds,
        "printed": printed,
        "cost": _finite(picture.cost),
        "counters": dict(picture.counters),
        "ratios": {name: _finite(value) for name, value in picture.ratios.items()},
        "lists": [
            [name, first, [_finite(one) for one in values]] for name, first, values in picture.lists
        ],
        "arrays": described,
    }
    return text, b"".join(numbers)


def described_array(one: Copied, most: int) -> tuple[dict[str, Json], bytes]:
    """Measure an array, and make it small enough to be drawn: of so many entries at most."""
    values = one.values
    measured: tuple[float | None, ...] = (None,) * len(_STATISTICS)
    good = values[np.isfinite(values)]
    about: dict[str, Json] = {
        "name": one.name[:_LONGEST_NAME],
        "role": one.role,
        "of": one.of,
        "shape": list(one.shape),
        "bad": int(values.size - good.size),
    }
    if good.size:
        with np.errstate(all="ignore"):
            low, high = float(good.min()), float(good.max())
            counts = (
                np.histogram(good, BINS, (low, high))[0]
                if high > low and math.isfinite(high - low)
                else np.bincount([BINS // 2], [good.size], BINS).astype(int)
            )
            scale = max(abs(low), abs(high)) or 1.0
            norm = scale * float(np.linalg.norm(good / scale))  # no square overflows
            measured = (low, high, good.mean(), good.std(), norm, np.mean(good == 0), _dead(values))
    else:
        counts = np.zeros(BINS, int)
    about |= {
        name: None if value is None else _finite(float(value))
        for name, value in zip(_STATISTICS, measured, strict=True)
    }
    shown = values
    while shown.size > most:
        shown = shown[::2] if shown.shape[0] >= shown.shape[1] else shown[:, ::2]
    about |= {"counts": counts.tolist(), "rows": shown.shape[0], "columns": shown.shape[1]}
    with np.errstate(all="ignore"):
        return about, shown.astype("<f4").tobytes()


def _dead(values: Array) -> float:
    """Return the share of the rows, or that of the columns if it is larger, that are all zero."""
    if min(values.shape) < 2:
        return 0.0
    nonzero = values != 0
    return float(max(1 - nonzero.any(axis).mean() for axis in (0, 1)))


def send(stream: IO[bytes], text: Mapping[str, Json], numbers: bytes = b"") -> None:
    """Write a message."""
    data = json.dumps(text, separators=(",", ":"), allow_nan=False).encode()
    stream.write(_LENGTHS.pack(len(data), len(numbers)) + data + numbers)
    stream.flush()


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


class Sender(threading.Thread):
    """Measures and sends the latest picture; the program never waits for it.

    Parameters
    ----------
    send : callable
        Takes each picture, in this thread.
    """

    def __init__(self, send: Callable[[Picture], None]) -> None:
        super().__init__(name="clearprop-watch", daemon=True)
        self._send = send
        self._latest: deque[Picture] = deque()
        self._there, self._ends = threading.Event(), False

    def show(self, picture: Picture) -> None:
        """Take a picture; one that was not sent yet gives what must not be lost."""
        try:
            missed = self._latest.popleft()
        except IndexError:
            pass
        else:
            picture.lists[:0] = missed.lists
            picture.ratios = missed.ratios | picture.ratios
            names = {one.name for one in picture.arrays}
            picture.arrays += [one for one in missed.arrays if one.name not in names]
            picture.cost = missed.cost if picture.cost is None else picture.cost
        self._latest.append(picture)
        self._there.set()

    def run(self) -> None:
        """Send pictures until there are no more."""
        while not self._ends or self._latest:
            self._there.wait()
            self._there.clear()
            while self._latest:
                self._send(self._latest.popleft())

    def finish(self) -> None:
        """Send what is left."""
        self._ends = True
        self._there.set()
        self.join()


# The side of the watcher.


def received(stream: IO[bytes]) -> Iterator[News]:
    """Read messages until there are no more.

    Raises
    ------
    FakedError
        If one has not the form that it should have.
    """
    while head := stream.read(_LENGTHS.size):
        try:
            length, size = _LENGTHS.unpack(head)
            if length > _LARGEST_TEXT or size > _LARGEST_NUMBERS:
                raise ValueError("it is too long")
            text, numbers = stream.read(length), stream.read(size)
            if len(text) < length or len(numbers) < size:
                return  # it was ended in the middle of it
            yield news(parsed_json(text), numbers)
        except (struct.error, LookupError, TypeError, ValueError, AttributeError) as error:
            raise FakedError(str(error)) from error


def news(text: Any, numbers: bytes) -> News:
    """Return what a message says, as `written_picture` writes one.

    Raises
    ------
    LookupError, TypeError, ValueError, AttributeError
        If it has not the form that it should have.
    """
    kind = text["kind"]
    if kind in ("roles", "failed"):
        return News(kind, told=_text(text["told"], 20_000), printed=_text(text["printed"], 2**16))
    if kind == "ended":
        return News(kind, _number(text["seconds"]), printed=_text(text["printed"], 2**16))
    if kind != "picture":
        raise ValueError("kind")
    arrays, at = [], 0
    for about in text["arrays"][:_MOST_ARRAYS]:
        rows, columns = _count(about["rows"]), _count(about["columns"])
        size = 4 * rows * columns
        if at + size > len(numbers) or rows * columns > _MOST_SHOWN:
            raise ValueError("numbers")
        arrays.append(_seen(about, rows, columns, numbers[at : at + size]))
        at += size
    return News(
        kind,
        _number(text["seconds"]),
        printed=_text(text["printed"], 2**16),
        cost=_number_or_none(text["cost"]),
        counters={_name(name): int(value) for name, value in _some(text["counters"])},
        ratios={
            _name(name): _number(one) for name, one in _some(text["ratios"]) if one is not None
        },
        lists=[
            (_name(name), _count(first), [_number_or_none(one) for one in values])
            for name, first, values in text["lists"][:_MOST_LISTS]
        ],
        arrays=arrays,
    )


def _seen(about: Mapping[str, Any], rows: int, columns: int, numbers: bytes) -> Seen:
    if about["role"] not in ROLES or len(about["counts"]) != BINS or len(about["shape"]) > 32:
        raise ValueError("array")
    return Seen(
        _name(about["name"]),
        about["role"],
        None if about["of"] is None else _name(about["of"]),
        tuple(_count(one) for one in about["shape"]),
        rows,
        columns,
        _count(about["bad"]),
        {name: _number_or_none(about[name]) for name in _STATISTICS},
        [_count(one) for one in about["counts"]],
        numbers,
    )


def _some(mapping: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return list(mapping.items())[: 2 * _MOST_ARRAYS]


def _name(value: Any) -> str:
    return _text(value, _LONGEST_NAME)


def _text(value: Any, most: int) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return printable(value[:most])


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise ValueError("count")
    return value


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError("number")
    return float(value)


def _number_or_none(value: Any) -> float | None:
    return None if value is None else _number(value)
