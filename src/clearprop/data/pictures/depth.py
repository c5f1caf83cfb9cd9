"""Pictures of more than 8 bits a colour: their values as they are stored, and what becomes white.

Pillow keeps the upper 8 bits of 16, whatever they are used for: values of a camera of 10 bits, or
of 8, would be black.
"""

import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clearprop.errors import UsageError

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_LARGEST = 2.0**128  # which no value of 32 bits exceeds
_NEARLY_ONE = 1.1  # fractions may go a little beyond 1 after filters

# The other byte of a number of 16 bits is what Pillow takes for the upper one in the other order.
_OTHER_BYTE = {"16B": "16L", "16L": "16B", "16N": "16B" if sys.byteorder == "little" else "16L"}


@dataclass(frozen=True)
class Depth:
    """The values between which pictures of more than 8 bits are spread over 0 to 255.

    Parameters
    ----------
    black, white : float
        The values that become 0 and 255; those beyond them do, too.
    """

    black: float
    white: float

    def __post_init__(self) -> None:
        numbers = (self.black, self.white)
        if not all(isinstance(one, int | float) and abs(one) <= _LARGEST for one in numbers) or (
            self.black >= self.white
        ):
            raise UsageError(
                "The depth of pictures can't be; expected two numbers, the second the larger one."
            )

    @classmethod
    def covering(cls, ranges: Iterable[tuple[float, float]]) -> "Depth":
        """Find the depth of pictures by the lowest and the highest value of each.

        White is the least power of two minus one that none exceeds: 255, 1023, 4095, 65535; and 1
        where there are only fractions. Black is 0; minus a power of two if there are values below.
        """
        lows, highs = zip(*ranges, strict=True)
        low, high = min(lows), max(highs)
        black = -_power_of_two(-low) if low < 0 else 0
        white = 1 if high <= _NEARLY_ONE else _power_of_two(high + 1) - 1
        return cls(float(black), float(white))

    def scale(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Bring values to 0 to 255: whole numbers by their upper 8 bits."""
        steps = self.white - self.black + (self.white > 1)  # 0 to 1023 are 1024 values
        scaled = values.astype(np.float32)
        scaled -= self.black
        scaled *= 256 / steps
        return scaled.clip(0, 255, out=scaled).astype(np.uint8)


FULL = Depth(0, 65535)
"""The depth of pictures of 16 bits where nothing else is known."""


def _power_of_two(number: float) -> int:
    """Return the least power of two that is not below a positive number."""
    return 1 << max(0, math.ceil(number) - 1).bit_length()


def deep_values(image: "ImageFile", anew: Callable[[], "ImageFile"]) -> NDArray[Any] | None:
    """Return the values of a picture as they are stored, or None where 8 bits hold them all.

    Parameters
    ----------
    image : PIL.ImageFile.ImageFile
        An opened picture; it is decoded if it is deep.
    anew : callable
        Opens the same picture another time.

    Returns
    -------
    ndarray, shape (H, W), (H, W, 3) or (H, W, 4), or None
    """
    if image.mode.startswith(("I", "F")):
        return np.asarray(image)
    if image.mode not in ("RGB", "RGBA") or _order_of(image) is None:
        return None
    lower = anew()
    for place, tile in enumerate(lower.tile):
        lower.tile[place] = tile._replace(args=_with_other_byte(tile.args))
    return np.asarray(image).astype(np.uint16) << 8 | np.asarray(lower)


def span_of(values: NDArray[Any]) -> tuple[float, float]:
    """Return the lowest and the highest value of a picture's colours.

    Raises
    ------
    ValueError
        If one is no finite number.
    """
    colours = values[..., :3] if values.ndim == 3 else values
    low, high = float(colours.min()), float(colours.max())
    if not (math.isfinite(low) and math.isfinite(high)):  # NaN goes through min and max
        raise ValueError("it has values that are no finite numbers")
    return low, high


def _order_of(image: "ImageFile") -> str | None:
    """Return how a file stores colours of 16 bits, in Pillow's words."""
    args = image.tile[0].args if getattr(image, "tile", None) else None
    name = args if isinstance(args, str) else args[0] if args else None
    order = str(name).partition(";")[2]
    return order if order in _OTHER_BYTE else None


def _with_other_byte(args: Any) -> Any:
    if not isinstance(args, str):
        return (_with_other_byte(args[0]), *args[1:])
    colours, _, order = args.partition(";")
    return f"{colours};{_OTHER_BYTE[order]}"
