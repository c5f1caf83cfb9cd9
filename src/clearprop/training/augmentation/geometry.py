"""Augmentations that move what is seen: each a linear map of places, a batch of them one map."""

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from clearprop.core.parameters import Array
from clearprop.training.augmentation.base import Augmentation, Pictures

_SIDES = (
    *("left", "right", "west", "east", "links", "rechts", "gauche", "droite", "izquierda"),
    *("derecha", "sinistra", "destra", "handed", "mirror", "mirrored", "flipped", "reversed"),
    *("clockwise", "anticlockwise", "counterclockwise"),
)
_SIGNS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("digit", "digits", "number", "letter", "letters", "character", "characters", "alphabet"),
    *("word", "words", "text"),
)
_SIZES = ("tiny", "small", "smaller", "large", "larger", "big", "bigger", "huge")
_TURNS = ("upright", "straight", "tilted", "slanted", "rotated")

_MOST_DEGREES = 180.0
_SHORT = 3  # characters of the name of a sign, such as a, B, 7 or 042


@dataclass(frozen=True)
class Moved(Augmentation):
    """Base of the augmentations that move what is seen."""

    def apply(self, pictures: Pictures, random_state: np.random.RandomState) -> None:
        """Move every picture by a map of its own."""
        maps = np.tile(np.eye(3), (len(pictures), 1, 1))
        self.draw(maps, pictures.size, random_state)
        pictures.move(maps)

    @abstractmethod
    def draw(self, maps: Array, size: tuple[int, int], random_state: np.random.RandomState) -> None:
        """Write a map for each picture.

        Parameters
        ----------
        maps : ndarray, shape (B, 3, 3)
            The array that takes them, as `Pictures.move` does: (row, column, 1) of the new picture,
            counted from the middle, to those of the old one. They come as the map that moves
            nothing.
        size : (int, int)
            Height and width in pixels.
        random_state : numpy.random.RandomState
        """


@dataclass(frozen=True)
class RandomFlip(Moved):
    """Mirror pictures, so that left is right.

    Parameters
    ----------
    strength : float, default 0.5
        The share of the pictures that are mirrored.
    """

    strength: float = 0.5

    name: ClassVar[str | None] = "flip"
    contradicts: ClassVar[frozenset[str]] = frozenset((*_SIDES, *_SIGNS))

    def draw(self, maps: Array, size: tuple[int, int], random_state: np.random.RandomState) -> None:
        """Turn the columns of some round."""
        maps[random_state.uniform(size=len(maps)) < self.strength, 1, 1] = -1

    @classmethod
    def not_borne(cls, class_names: Iterable[str]) -> str | None:
        """Return the name of a class that may not bear it: one that tells sides, or of signs.

        Classes are signs, such as digits and letters, where each is called by a number or by a
        single letter.
        """
        names = list(class_names)
        if names and all(map(_is_sign, names)):
            return names[0]
        return super().not_borne(names)


@dataclass(frozen=True)
class RandomShift(Moved):
    """Shift pictures up or down, and to the left or right.

    Parameters
    ----------
    strength : float, default 0.1
        The longest shift each way, as a share of the side; every one up to it is as likely.
    """

    strength: float = 0.1

    name: ClassVar[str | None] = "shift"

    def draw(self, maps: Array, size: tuple[int, int], random_state: np.random.RandomState) -> None:
        """Shift each by as many pixels."""
        shifts = random_state.uniform(-self.strength, self.strength, (len(maps), 2))
        maps[:, :2, 2] = shifts * size


@dataclass(frozen=True)
class RandomRotation(Moved):
    """Turn pictures a little, about their middle.

    Parameters
    ----------
    strength : float, default 10.0
        The largest angle to either side, in degrees; every one up to it is as likely.
    """

    strength: float = 10.0

    name: ClassVar[str | None] = "rotate"
    most: ClassVar[float] = _MOST_DEGREES
    contradicts: ClassVar[frozenset[str]] = frozenset(_TURNS)

    def draw(self, maps: Array, size: tuple[int, int], random_state: np.random.RandomState) -> None:
        """Turn each by an angle."""
        angles = np.radians(random_state.uniform(-self.strength, self.strength, len(maps)))
        maps[:, 0, 0] = maps[:, 1, 1] = np.cos(angles)
        maps[:, 0, 1] = np.sin(angles)
        maps[:, 1, 0] = -maps[:, 0, 1]


@dataclass(frozen=True)
class RandomScale(Moved):
    """Make what is seen larger or smaller, about the middle.

    Parameters
    ----------
    strength : float, default 0.1
        The largest change s: sizes lie between 1 / (1 + s) and 1 + s times what they were.
    """

    strength: float = 0.1

    name: ClassVar[str | None] = "scale"
    contradicts: ClassVar[frozenset[str]] = frozenset(_SIZES)

    def draw(self, maps: Array, size: tuple[int, int], random_state: np.random.RandomState) -> None:
        """Scale each by a factor, whose logarithm is uniform."""
        most = np.log1p(self.strength)
        maps[:, 0, 0] = maps[:, 1, 1] = np.exp(random_state.uniform(-most, most, len(maps)))


@dataclass(frozen=True)
class RandomCrop(Moved):
    """See a part of each picture, brought to its whole size.

    Parameters
    ----------
    strength : float, default 0.25
        The largest share of a side that is cut off; every share up to it, and every place of the
        part, is as likely.

    Notes
    -----
    Source: Szegedy and others, "Going Deeper with Convolutions" (2015), section 6; the shape of the
    part is that of the picture here.
    """

    strength: float = 0.25

    name: ClassVar[str | None] = "crop"
    most: ClassVar[float] = 0.9
    contradicts: ClassVar[frozenset[str]] = frozenset(_SIZES)

    def draw(self, maps: Array, size: tuple[int, int], random_state: np.random.RandomState) -> None:
        """Choose a part of each."""
        cut = random_state.uniform(0, self.strength, len(maps))
        places = random_state.uniform(-0.5, 0.5, (len(maps), 2))
        maps[:, 0, 0] = maps[:, 1, 1] = 1 - cut
        maps[:, :2, 2] = places * cut[:, np.newaxis] * (np.array(size) - 1)


def _is_sign(name: str) -> bool:
    found = name.strip()
    return (len(found) == 1 and found.isalnum()) or (found.isdecimal() and len(found) <= _SHORT)
