"""Kinds of values that settings take: how each is checked, and how it is typed."""

import csv
import io
import math
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from clearprop.data.named import BUILTINS, TOYS
from clearprop.data.tables.text_file import STDIN
from clearprop.errors import UsageError, shortened, unknown_name
from clearprop.experiment import layer_words
from clearprop.losses.values import is_ascending_within_1
from clearprop.preprocessing.coverage import percent

_UNITS = {"": 1, "k": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_MOST_BYTES = 2**60
_LARGEST = sys.float_info.max  # whole numbers, too, become floats sooner or later

_T = TypeVar("_T")


@dataclass(frozen=True)
class Kind:
    """A kind of values: any.

    Parameters
    ----------
    metavar : str
        The word for a value in the help of the command line.
    """

    metavar: str = ""

    def check(self, name: str, value: Any) -> Any:
        """Return a value as settings hold it.

        Raises
        ------
        UsageError
            If the setting called `name` can't have it.
        """
        return value

    def parse(self, text: str) -> Any:
        """Read a value as it is typed on the command line.

        Raises
        ------
        ValueError
            If it is none; the message says why.
        """
        return text

    def write(self, value: Any) -> str:
        """Write a value as it is typed on the command line."""
        return str(value)


class Text(Kind):
    """Any text."""

    def check(self, name: str, value: Any) -> str:
        """Refuse what is no text."""
        if not isinstance(value, str):
            raise UsageError(f"{name} takes a text in quotes, found {shortened(value)}.")
        return value


class Place(Text):
    """A file or folder, by its path."""

    def is_path(self, value: str) -> bool:
        """Whether a text is a path."""
        return True

    def absolute(self, value: str) -> str:
        """Return a path that means the same from anywhere; what is no path stays."""
        return str(Path(value).absolute()) if self.is_path(value) else value

    def last_part(self, value: str) -> str:
        """Return the last part of a path, which tells nobody where it lies."""
        if not self.is_path(value):
            return value
        path = Path(value)
        name = path.resolve().name if path.name in ("", "..") else path.name
        return name if self.is_path(name) else f"./{name}"


class Data(Place):
    """Data, by name or path."""

    def is_path(self, value: str) -> bool:
        """Whether it is neither the name of a data set nor standard input."""
        return value not in (*BUILTINS, *TOYS, STDIN)


class ShareOrData(Data):
    """A share, as the text of a number; or data, by name or path."""

    def is_path(self, value: str) -> bool:
        """Whether it is no number either."""
        try:
            float(value)
        except ValueError:
            return super().is_path(value)
        return False

    def check(self, name: str, value: Any) -> str:
        """Take a number, as one writes a share in a TOML file; True is an int to Python."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return super().check(name, str(value) if number else value)


class Bytes(Kind):
    """A number of bytes, typed as ``512MB`` or ``8GB``."""

    def check(self, name: str, value: Any) -> int:
        """Take a number of bytes, or a text with a unit."""
        found = value
        if isinstance(value, str):
            match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kMGT]?)i?B?", value.strip())
            found = None if match is None else int(float(match[1]) * _UNITS[match[2]])
        if not isinstance(found, int) or isinstance(found, bool) or not 0 < found < _MOST_BYTES:
            raise UsageError(f"{name} takes bytes such as 512MB or 8GB, found {shortened(value)}.")
        return found

    def write(self, value: int) -> str:
        """Write the largest unit that it is a whole number of."""
        unit = max(
            (one for one, size in _UNITS.items() if value % size == 0), key=lambda one: _UNITS[one]
        )
        return f"{value // _UNITS[unit]}{unit}B" if unit else str(value)


class Threshold(Text):
    """A probability, as the text of a number; or what chooses it: ``f1``, or ``cost:RATIO``."""

    def check(self, name: str, value: Any) -> str:
        """Take a number, as one writes it in a TOML file, too."""
        if value == "f1":
            return "f1"
        text = "" if isinstance(value, bool) else str(value)
        most = math.inf if text.startswith("cost:") else 1
        try:
            number = float(text.removeprefix("cost:"))
        except ValueError:
            number = math.nan
        if not 0 < number < most:
            raise UsageError(
                f"{name} takes a probability between 0 and 1, or f1, or cost:RATIO such as cost:5; "
                f"found {shortened(value)}."
            )
        return text


class Coverage(Kind):
    """A share between 0 and 1, typed as ``90%`` or ``0.9``."""

    def check(self, name: str, value: Any) -> float:
        """Take a number, or the text of one, with a percent sign or without."""
        try:
            return self.parse("" if isinstance(value, bool) else str(value))
        except ValueError as error:
            raise UsageError(f"{name}: {error}") from None

    def parse(self, text: str) -> float:
        """Read a share or a percentage; a number above 1 could mean either mistake."""
        bare = text.strip().removesuffix("%")
        try:
            number = Fraction(bare) if "/" not in bare else None
        except ValueError:
            number = None
        meant = number if bare == text.strip() or number is None else number / 100
        if meant is None or not 0 < meant < 1 or float(meant) in (0.0, 1.0):
            hint = f" Did you mean {bare}%?" if number is not None and 1 < number < 100 else ""
            raise ValueError(
                f"a share between 0 and 1, as in 90% or 0.9, is expected; found "
                f"{shortened(text)}.{hint if bare == text.strip() else ''}"
            )
        return float(meant)

    def write(self, value: float) -> str:
        """Write a percentage."""
        return percent(value)


class Levels(Kind):
    """The levels of quantiles: ascending shares on both sides of 0.5, typed as ``0.1,0.5,0.9``."""

    def check(self, name: str, value: Any) -> tuple[float, ...]:
        """Refuse what is no list of shares, or knows no median."""
        found = value if isinstance(value, list | tuple) else [value]
        levels = tuple(Coverage().check(name, one) for one in found)
        try:
            return _levels(levels)
        except ValueError as error:
            raise UsageError(f"{name}: {error}") from None

    def parse(self, text: str) -> tuple[float, ...]:
        """Read shares or percentages between commas."""
        return _levels(tuple(map(Coverage().parse, text.split(","))))

    def write(self, value: Sequence[float]) -> str:
        """Write shares between commas."""
        return ",".join(f"{level:.12g}" for level in value)


def _levels(levels: tuple[float, ...]) -> tuple[float, ...]:
    found = ",".join(f"{level:.12g}" for level in levels)
    if not is_ascending_within_1(levels):
        raise ValueError(f"levels of quantiles ascend, as in 0.1,0.5,0.9; found {found}.")
    if not levels[0] <= 0.5 <= levels[-1]:
        side = "below" if levels[-1] < 0.5 else "above"
        raise ValueError(
            f"the prediction is the median, and {found} is {side} it on one side: add 0.5."
        )
    return levels


class Flag(Kind):
    """Yes or no; an option that is given means yes, and nothing is typed behind it."""

    def check(self, name: str, value: Any) -> bool:
        """Refuse what is neither true nor false."""
        if not isinstance(value, bool):
            raise UsageError(f"{name} takes true or false, found {shortened(value)}.")
        return value

    def write(self, value: bool) -> str:
        """Write nothing."""
        return ""


class Switch(Flag):
    """Yes or no where neither is the default; ``--no-`` before the name means no."""


class Names(Kind):
    """Some names, typed between commas."""

    def check(self, name: str, value: Any) -> tuple[str, ...]:
        """Refuse what is no list of texts."""
        if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
            raise UsageError(f"{name} takes a list of texts in quotes, found {value!r}.")
        return tuple(value)

    def parse(self, text: str) -> Sequence[str]:
        """Read names between commas; quotes around one that has a comma."""
        return next(csv.reader([text], skipinitialspace=True), [])

    def write(self, value: Sequence[str]) -> str:
        """Write names between commas."""
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(value)
        return line.getvalue()


@dataclass(frozen=True)
class Choice(Kind):
    """One of several names."""

    names: tuple[str, ...] = ()

    def check(self, name: str, value: Any) -> str:
        """Refuse an unknown name, with the nearest known one."""
        if value not in self.names:
            found = value if isinstance(value, str) else shortened(value)
            raise unknown_name(name.replace("_", " "), found, self.names)
        return str(value)


@dataclass(frozen=True)
class Number(Kind):
    """A finite number of at least `least`, or above it where `why_above` tells a reason."""

    least: int = 0
    why_above: str = ""

    def check(self, name: str, value: Any) -> Any:
        """Refuse what is no number, or too small."""
        self._check_type(name, value, (int, float), "a number")
        if self.why_above and value == self.least:
            raise UsageError(f"{name} takes a number above {self.least}; {self.why_above}.")
        return value

    def _check_type(self, name: str, value: Any, types: tuple[type, ...], called: str) -> None:
        is_one = isinstance(value, types) and not isinstance(value, bool)
        if not is_one or not self.least <= value <= _LARGEST:
            raise UsageError(
                f"{name} takes {called} of at least {self.least}, found {shortened(value)}."
            )

    def parse(self, text: str) -> float:
        """Read a number."""
        return _read(text, float, f"{shortened(text)} is no number.")

    def write(self, value: float) -> str:
        """Write a number without zeros at its end."""
        return f"{value:g}"


@dataclass(frozen=True)
class WholeNumber(Number):
    """A whole number from `least` to `most`."""

    most: int = 10**15

    def check(self, name: str, value: Any) -> int:
        """Refuse what is no whole number, too small or too large."""
        self._check_type(name, value, (int,), "a whole number")
        if value > self.most:
            raise UsageError(f"{name} takes a number up to {self.most}, found {shortened(value)}.")
        return int(value)

    def parse(self, text: str) -> int:
        """Read a whole number."""
        return _read(text, int, f"{shortened(text)} is no whole number.")

    def write(self, value: float) -> str:
        """Write every digit."""
        return str(value)


class BatchSize(WholeNumber):
    """The number of samples in a batch; 0 for all of them, typed as ``full``."""

    def parse(self, text: str) -> int:
        """Read a number of samples, or ``full``."""
        if text == "full":
            return 0
        size = _read(
            text, int, f"{shortened(text)} is no batch size. Write a whole number, or full."
        )
        if size < 1:
            raise ValueError(
                f"a batch has at least one sample, found {shortened(size)}; or write full."
            )
        return size


class Layers(Kind):
    """The hidden layers, typed as ``20,7,5``, ``conv16,pool,128`` or ``none``."""

    def check(self, name: str, value: Any) -> layer_words.Words:
        """Refuse what is no list of units and words."""
        if not isinstance(value, list | tuple):
            raise UsageError(
                f"{name} takes a list of whole numbers and of words for pictures, as in "
                f'["conv16", "pool", 128]; found {shortened(value)}.'
            )
        return layer_words.checked(value)

    def parse(self, text: str) -> Sequence[int | str]:
        """Read units and words between commas, or ``none``."""
        if text == "none":
            return []
        words = [_number_or_text(word.strip()) for word in text.split(",")]
        if "" in words:
            raise ValueError(
                f"{shortened(text)} is no list of layers. Write the units of each hidden layer, as "
                "in 20,7,5; for pictures conv16,pool,conv32,pool,128; or none."
            )
        return layer_words.checked(words)

    def write(self, value: Sequence[int | str]) -> str:
        """Write units and words between commas, or ``none``."""
        return layer_words.written(value)


class PictureSize(Kind):
    """The height and width of pictures in pixels, typed as ``64x32``, or ``64`` for both."""

    def check(self, name: str, value: Any) -> tuple[int, int]:
        """Refuse what is no pair of sizes."""
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise UsageError(
                f"{name} is a height and a width, as in [64, 64]; found {shortened(value)}."
            )
        if not all(type(side) is int and 1 <= side <= layer_words.LARGEST_SIZE for side in value):
            raise UsageError(
                f"{name} takes whole numbers from 1 to {layer_words.LARGEST_SIZE}, found "
                f"{shortened(list(value))}."
            )
        return value[0], value[1]

    def parse(self, text: str) -> Sequence[int]:
        """Read one size, or two with an x between them."""
        wrong = f"{shortened(text)} is no size. Write height and width, as in 64x64."
        size = _read(text.lower().split("x"), _whole_numbers, wrong)
        if len(size) > 2:
            raise ValueError(wrong)
        if min(size) < 1:
            raise ValueError(f"a picture has at least one pixel a side, found {shortened(text)}.")
        return size[0], size[-1]

    def write(self, value: Sequence[int]) -> str:
        """Write height x width."""
        return "x".join(map(str, value))


def _read(text: Any, how: Callable[[Any], _T], otherwise: str) -> _T:
    try:
        return how(text)
    except ValueError:
        raise ValueError(otherwise) from None


def _whole_numbers(parts: list[str]) -> list[int]:
    return [int(part) for part in parts]


def _number_or_text(word: str) -> int | str:
    try:
        return int(word)
    except ValueError:
        return word
