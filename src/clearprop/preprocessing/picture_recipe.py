"""The recipe of pictures, and how training pictures look, in a few numbers.

A network answers with as much confidence where a digit is black on white, though it has only seen
white on black: pictures unlike those of the training are noticed by their look.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import DTypeLike, NDArray

from clearprop.data import Raw, Table
from clearprop.data.arrays.layout import brought_to, nearest_pixels
from clearprop.data.pictures.depth import Depth
from clearprop.data.selected_rows import Array, SelectedRows, blocks
from clearprop.errors import DataError, ShapeError, UsageError
from clearprop.preprocessing.fields import require_numbers, require_sizes
from clearprop.preprocessing.input_recipes import Recipe

_WHITE = 255

_MOST = 1000  # training pictures that are looked at, evenly spread
_TOGETHER = 2**18  # bytes of pictures that are measured at a time

_DEVIATIONS, _LEVELS = 3, 20
"""The distance from the mean, in deviations and levels of 255, up to which a picture is usual.

Of MNIST's and the course's pictures to test, 0 are further away from those to train.
"""

_FLAT = 4  # times less contrast than a training picture that has rather little of it
_ONE_SIDED = 10  # levels between middle and border that say which of both is the lighter one
_GREY = 2.0  # levels between the channels, below which a picture has no colour

_Measures = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Likeness:
    """The look of training pictures, in levels of 0 to 255: the mean and deviation over pictures.

    Parameters
    ----------
    brightness, border, contrast, saturation : (float, float)
        Of the mean level, the mean level along the four sides, the deviation of the levels within
        a picture, and the mean distance between the highest and the lowest channel.
    grey : float
        The share of pictures without colour.
    """

    brightness: tuple[float, float]
    border: tuple[float, float]
    contrast: tuple[float, float]
    saturation: tuple[float, float]
    grey: float

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            pair = (value,) if field.name == "grey" else value
            require_numbers(pair, f"The {field.name} of pictures")
            if len(pair) != (1 if field.name == "grey" else 2):
                raise UsageError(f"The {field.name} of pictures is {value}, expected two numbers.")

    @classmethod
    def fit(cls, pictures: Array | SelectedRows) -> "Likeness":
        """Look at some of the training pictures, uint8, shape (N, H, W, 3) or (N, H, W)."""
        count = min(_MOST, len(pictures))
        found = _measured(pictures, np.linspace(0, len(pictures) - 1, count).astype(np.int64))
        grey = round(float(np.mean(found["saturation"] < _GREY)), 3)
        moments = {
            name: (round(float(one.mean()), 1), round(float(one.std()), 1))
            for name, one in found.items()
        }
        return cls(**moments, grey=grey)

    def unlike(self, pictures: Array | SelectedRows, sources: Sequence[str]) -> tuple[str, ...]:
        """Say which pictures look unlike those of the training, a sentence for each kind.

        Parameters
        ----------
        pictures : ndarray or SelectedRows of uint8, shape (N, H, W, 3) or (N, H, W)
        sources : sequence of str, length N
            The names of their files.
        """
        if not len(pictures):
            return ()
        found = _measured(pictures, np.arange(len(pictures)))
        left = np.ones(len(pictures), dtype=bool)
        notes = []
        for is_so, says, measure in self._kinds(found):
            rows = np.flatnonzero(left & is_so)
            left[rows] = False  # one word about each picture is enough
            if len(rows):
                level, usual = float(np.median(found[measure][rows])), getattr(self, measure)[0]
                are = f"{sources[rows[0]]} is"
                if len(rows) > 1:
                    are = f"{len(rows)} pictures, such as {sources[rows[0]]}, are"
                notes.append(
                    f"{are} {says} ({measure} {level:.0f} of 255, there {usual:.0f}); "
                    "don't trust the answer."
                )
        return tuple(notes)

    def _kinds(self, found: _Measures) -> list[tuple[NDArray[np.bool_], str, str]]:
        """Return the pictures of each kind of unlikeness, the words for it, and its measure."""
        light, dark = "light on dark", "dark on light"
        middle = self.brightness[0] - self.border[0]
        turned = (found["brightness"] - found["border"]) * middle < 0
        turned &= abs(middle) > _ONE_SIDED
        turned &= self._above(found, "border") | self._below(found, "border")
        own, usual = (dark, light) if middle > 0 else (light, dark)
        least = (self.contrast[0] - self.contrast[1]) / _FLAT
        grey = found["saturation"] < _GREY
        coloured = self.grey == 0 and self.saturation[0] > _ONE_SIDED
        there = "than the training pictures"
        return [
            (turned, f"{own}, the training pictures {usual}; invert before predicting", "border"),
            (self._above(found, "border"), f"on a lighter background {there}", "border"),
            (self._below(found, "border"), f"on a darker background {there}", "border"),
            (self._above(found, "brightness"), f"far brighter {there}", "brightness"),
            (self._below(found, "brightness"), f"far darker {there}", "brightness"),
            (found["contrast"] < least, f"much flatter {there}", "contrast"),
            (grey & coloured, "grey, and the training pictures in colour", "saturation"),
            (self._above(found, "saturation"), f"more colourful {there}", "saturation"),
            (~grey & self._below(found, "saturation"), f"less colourful {there}", "saturation"),
        ]

    def _above(self, found: _Measures, measure: str) -> NDArray[np.bool_]:
        mean, deviation = getattr(self, measure)
        return found[measure] > mean + _DEVIATIONS * deviation + _LEVELS

    def _below(self, found: _Measures, measure: str) -> NDArray[np.bool_]:
        mean, deviation = getattr(self, measure)
        return found[measure] < mean - _DEVIATIONS * deviation - _LEVELS


def _measured(pictures: Array | SelectedRows, rows: NDArray[np.int64]) -> _Measures:
    """Measure pictures, uint8, shape (N, H, W, 3) or (N, H, W), as `Likeness` describes."""
    names = ("brightness", "border", "contrast", "saturation")
    found = {name: np.zeros(len(rows), np.float32) for name in names}
    step = max(1, _TOGETHER * len(pictures) // max(1, pictures.nbytes))
    for start in range(0, len(rows), step):
        where = slice(start, start + step)
        some = pictures[rows[where]]
        if some.ndim == 4:  # channel by channel, which is far quicker than along a short axis
            red, green, blue = (some[..., channel] for channel in range(3))
            high = np.maximum(np.maximum(red, green), blue)
            low = np.minimum(np.minimum(red, green), blue)
            found["saturation"][where] = (high - low).mean(axis=(1, 2))
            level = (red.astype(np.float32) + green + blue) / np.float32(3)
        else:
            level = some.astype(np.float32)
        sides = (level[:, 0], level[:, -1], level[:, :, 0], level[:, :, -1])
        found["brightness"][where] = level.mean(axis=(1, 2))
        found["border"][where] = np.concatenate(sides, axis=1).mean(axis=1)
        found["contrast"][where] = level.std(axis=(1, 2))
    return found


@dataclass(frozen=True)
class PictureRecipe(Recipe):
    """Pictures of one size, from 0..255 to 0..1.

    Parameters
    ----------
    size : (int, int)
        Height and width in pixels.
    channels : {3, 1}
        RGB or grey.
    depth : Depth or None
        The depth of training pictures of more than 8 bits a colour; None if there were none.
    likeness : Likeness or None
        The look of the training pictures; None where nobody has looked.
    """

    size: tuple[int, int]
    channels: int
    depth: Depth | None = None
    likeness: Likeness | None = None

    def __post_init__(self) -> None:
        require_sizes(self.size, "The size of pictures")
        if len(self.size) != 2 or self.channels not in (1, 3):
            raise UsageError(
                f"Pictures of size {self.size} with {self.channels} channels can't be; expected a "
                "height and a width, and 1 or 3 channels."
            )
        if not isinstance(self.depth, Depth | None) or not isinstance(
            self.likeness, Likeness | None
        ):
            raise UsageError("The depth and the look of pictures must be a Depth and a Likeness.")

    @classmethod
    def fit(cls, pictures: Array | SelectedRows, depth: Depth | None = None) -> "PictureRecipe":
        """Take size, channels and look of training pictures, shape (N, H, W, 3) or (N, H, W)."""
        height, width = pictures.shape[1:3]
        channels = 3 if pictures.ndim == 4 else 1
        return cls((height, width), channels, depth, Likeness.fit(pictures))

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape (H, W, 3), or (H, W) for grey."""
        return self.picture_shape

    @property
    def picture_shape(self) -> tuple[int, ...]:
        """The shape of a picture before it is prepared."""
        return self.size if self.channels == 1 else (*self.size, 3)

    def transform(self, raw: Raw, dtype: DTypeLike) -> Array:
        """Return x / 255, divided in `dtype`."""
        rows = self._checked(raw)
        out = np.empty(rows.shape, dtype=dtype)
        for where, block in blocks(rows):
            np.divide(block, out.dtype.type(_WHITE), out=out[where], dtype=out.dtype)
        return out

    def bring(self, raw: Raw) -> tuple[Array | SelectedRows, tuple[str, ...]]:
        """Turn, fold and spread numbers to pictures like the training data's."""
        if isinstance(raw, Table):
            raise DataError("Found a table, expected pictures (uint8, 0 to 255).")
        rows, notes = brought_to(raw, self.picture_shape)
        if rows.shape[1:] != self.picture_shape:
            raise ShapeError(
                f"The pictures have shape {raw.shape[1:]}, expected {self.picture_shape}: "
                "(height, width, 3) for colour, (height, width) for grey."
            )
        if rows.dtype == np.uint8:
            return rows, notes
        pixels = nearest_pixels(rows)
        if pixels is None:
            raise DataError(
                f"Found numbers of type {rows.dtype}, expected pictures: bytes from 0 to 255, or "
                "floats from 0 to 1."
            )
        return pixels, (*notes, f"The pictures, {rows.dtype}, are read as bytes from 0 to 255.")

    def _checked(self, raw: Raw) -> Array | SelectedRows:
        return self.bring(raw)[0]
