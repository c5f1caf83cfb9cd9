"""The words that name layers, ``conv16,pool,conv32,pool,128``, and the layers that they make.

A number is a dense layer of so many units. The words for pictures come before the numbers:
``conv16`` is a convolution of 16 filters of 3x3, ``conv16x5`` one of 5x5, ``conv16s2`` one that
takes every second place; ``pool`` the largest and ``avgpool`` the mean of 2x2 places; ``globalavg``
the mean of all places of a channel.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from clearprop.core.initializers import Initializer
from clearprop.errors import UnknownNameError, UsageError, did_you_mean, shortened
from clearprop.layers import AveragePool2D, Conv2D, GlobalAveragePool2D, Layer, MaxPool2D

Words: TypeAlias = tuple[int | str, ...]
"""The units of a dense layer, or the word for a layer of pictures; from input to output."""

LARGEST_SIZE = 10**7  # of a layer: products of two stay within what NumPy can count
_LARGEST_WINDOW = 1000  # pixels a side, more than pictures are brought to

POOLS: Mapping[str, Layer] = {
    "pool": MaxPool2D(),
    "avgpool": AveragePool2D(),
    "globalavg": GlobalAveragePool2D(),
}
"""The layers of words that have no number in them."""

_CONVOLUTION = re.compile("conv([0-9]{1,9})(?:x([0-9]{1,9}))?(?:s([0-9]{1,9}))?", re.ASCII)
_SPELT = ("conv16", "conv16x5", "conv16s2", *POOLS)
_KNOWN = (
    "Known: numbers of units such as 128, conv16 for 16 filters of 3x3, conv16x5 for 5x5, conv16s2 "
    f"with steps of 2, {', '.join(POOLS)}"
)
_PLACES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


class Convolution(NamedTuple):
    """The numbers of a word for a convolution.

    Parameters
    ----------
    filters, kernel, stride : int
    """

    filters: int
    kernel: int = 3
    stride: int = 1

    @property
    def word(self) -> str:
        """The word, as short as it can be."""
        kernel = "" if self.kernel == 3 else f"x{self.kernel}"
        return f"conv{self.filters}{kernel}{'' if self.stride == 1 else f's{self.stride}'}"


def convolution(word: int | str) -> Convolution | None:
    """Read the word for a convolution; None where it means another layer, or none."""
    found = _CONVOLUTION.fullmatch(word) if isinstance(word, str) else None
    if found is None:
        return None
    filters, kernel, stride = found.groups()
    return Convolution(int(filters), int(kernel or 3), int(stride or 1))


def is_convolution(words: Sequence[int | str] | None) -> bool:
    """Whether words name a layer of pictures, so that samples keep their shape."""
    return any(isinstance(word, str) for word in words or ())


def written(words: Sequence[object]) -> str:
    """Write words as they are typed: between commas, or ``none``."""
    return ",".join(map(str, words)) or "none"


def checked(words: Sequence[object]) -> Words:
    """Return words as settings hold them, each as short as it can be.

    Raises
    ------
    UsageError
        If there is no such layer, or one of pictures stands behind one that gives none.
    """
    found: list[int | str] = []
    for place, word in enumerate(words):
        one = _checked_word(word, place, words)
        flat = next((one for one in found if one == "globalavg" or isinstance(one, int)), None)
        if isinstance(one, str) and flat is not None:
            given = "means of whole channels" if flat == "globalavg" else f"{flat} units"
            raise UsageError(
                f"{one} stands behind {flat} in {shortened(written(words))}, and takes pictures, "
                f"where {given} have no places. Write the layers of pictures first, then numbers "
                "of units, as in conv16,pool,128."
            )
        found.append(one)
    return tuple(found)


def _checked_word(word: object, place: int, words: Sequence[object]) -> int | str:
    if isinstance(word, str):
        if word in POOLS:
            return word
        numbers = convolution(word)
        if numbers is not None:
            _require(numbers.filters, LARGEST_SIZE, "filters", word)
            _require(numbers.kernel, _LARGEST_WINDOW, "places a side", word)
            _require(numbers.stride, _LARGEST_WINDOW, "places a step", word)
            return numbers.word
    elif type(word) is int and 1 <= word <= LARGEST_SIZE:
        return word
    which = f", the {_PLACES[place]} of" if place < len(_PLACES) else f", number {place + 1} of"
    where = f"{which} {shortened(written(words))}" if len(words) > 1 else ""
    if isinstance(word, int) and not isinstance(word, bool):
        raise UsageError(
            f"layers takes whole numbers from 1 to {LARGEST_SIZE} as units, found "
            f"{shortened(word)}{where}."
        )
    hint = did_you_mean(word, _SPELT) if isinstance(word, str) else ""
    raise UnknownNameError(f"layers knows no layer {shortened(word)}{where}.{hint} {_KNOWN}.")


def _require(number: int, most: int, what: str, word: str) -> None:
    if not 1 <= number <= most:
        raise UsageError(
            f"{shortened(word)} asks for {shortened(number)} {what}; expected 1 to {most}."
        )


def layer_of(word: str, init: Initializer, *, bias: bool) -> Layer:
    """Make the layer of a word for pictures."""
    numbers = convolution(word)
    if numbers is None:
        return POOLS[word]
    filters, kernel, stride = numbers
    return Conv2D(filters, kernel, stride, init=init, bias=bias)
