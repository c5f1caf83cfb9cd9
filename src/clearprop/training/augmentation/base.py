"""The base of all augmentations, and a batch of pictures that they change."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np

from clearprop.core.kernels import warp
from clearprop.core.parameters import Array
from clearprop.errors import UsageError, shortened
from clearprop.losses import Loss

_WORDS = re.compile(r"[^\W\d_]+")

Share: TypeAlias = Callable[[Callable[[slice], None], int], None]
"""``share(do, count)`` calls ``do(some)`` for all of so many pictures, some in each thread."""


def all_at_once(do: Callable[[slice], None], count: int) -> None:
    """Share nothing: do all pictures in this thread."""
    do(slice(0, count))


class Pictures:
    """A batch of pictures that augmentations change, before a network sees it.

    Parameters
    ----------
    x : ndarray, shape (B, H, W, C)
        The pictures; they are written to.
    spare : ndarray, shape (B, H, W, C)
        Memory of the same dtype.
    y : ndarray, shape (B,) or (B, K)
        The targets, as the loss takes them; replaced, not written to.
    weights : ndarray, shape (B,), or None
        The same.
    loss : Loss
        The loss that takes the targets.
    outputs : int
        The number K of the network's outputs.
    limits : ndarray, shape (2,)
        The lowest and the highest number that a pixel may have.
    reflects : bool
        Whether a picture goes on as its reflection beyond its sides, not as its outermost pixels.
    share : Share
        Shares work on pictures, each of which is changed by itself.
    """

    def __init__(
        self,
        x: Array,
        spare: Array,
        y: Array,
        weights: Array | None,
        *,
        loss: Loss,
        outputs: int,
        limits: Array,
        reflects: bool,
        share: Share,
    ) -> None:
        self._x, self._spare, self.y, self.weights = x, spare, y, weights
        self.loss, self.outputs, self.limits, self.reflects = loss, outputs, limits, reflects
        self.share = share
        self._maps: Array | None = None

    def __len__(self) -> int:
        return len(self._x)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self._x.shape[1], self._x.shape[2]

    def move(self, maps: Array) -> None:
        """Move what is seen; several movements in a row are done as one, so that nothing blurs.

        Parameters
        ----------
        maps : ndarray, shape (B, 3, 3)
            The place in the old picture of each place (row, column, 1) of the new one. Both are
            counted in pixels from the middle.
        """
        self._maps = maps if self._maps is None else self._maps @ maps

    @property
    def x(self) -> Array:
        """The pictures as they are now, shape (B, H, W, C), to be written to."""
        if self._maps is not None:
            maps = self._from_corner(self._maps)
            self.share(
                lambda some: warp(self._x[some], maps[some], self.reflects, self._spare[some]),
                len(self),
            )
            self._x, self._spare, self._maps = self._spare, self._x, None
        return self._x

    def mix(self, partners: Array, share: Array) -> None:
        """Mix each picture with another one, and their targets and weights with them.

        Parameters
        ----------
        partners : ndarray of int, shape (B,)
            The other one of each.
        share : ndarray, shape (B,)
            The part that each keeps of itself, 0..1.
        """
        x = self.x.reshape(len(self), -1)
        keep = share.astype(x.dtype)[:, np.newaxis]
        others = self._spare.reshape(x.shape)
        np.take(x, partners, axis=0, out=others, mode="clip")
        others *= 1 - keep
        x *= keep
        x += others
        y = self.loss.mixable(self.y, self.outputs, x.dtype)
        self.y = keep * y + (1 - keep) * y[partners]
        if self.weights is not None:
            self.weights = keep[:, 0] * self.weights + (1 - keep[:, 0]) * self.weights[partners]

    def _from_corner(self, maps: Array) -> Array:
        """Return the same maps (B, 2, 3) of places counted from the first pixel."""
        middle = (np.array(self.size) - 1) / 2
        maps = maps[:, :2].copy()
        maps[:, :, 2] += middle - maps[:, :, :2] @ middle
        return maps.astype(self._x.dtype)


@dataclass(frozen=True)
class Augmentation(ABC):
    """Base of every augmentation: a change of pictures that leaves their classes what they are.

    One's own is a frozen dataclass with `apply` and a default for its strength.

    Parameters
    ----------
    strength : float
        How much it changes, at most; at 0 it changes nothing.
    """

    strength: float

    name: ClassVar[str | None] = None
    """The name as settings say it; None where it has none."""

    most: ClassVar[float] = 1.0
    """The largest strength."""

    contradicts: ClassVar[frozenset[str]] = frozenset()
    """Words which, in the name of a class, say that the class may not bear it."""

    changes_targets: ClassVar[bool] = False
    """Whether targets become rows of shares, which `Loss.mixable` gives."""

    def __post_init__(self) -> None:
        found = self.strength
        is_number = isinstance(found, int | float) and not isinstance(found, bool)
        if not is_number or not 0 <= found <= self.most:
            raise UsageError(
                f"The strength of {self.name or type(self).__name__} is a number from 0 to "
                f"{self.most:g}, found {shortened(found)}."
            )

    @abstractmethod
    def apply(self, pictures: Pictures, random_state: np.random.RandomState) -> None:
        """Change a batch of pictures.

        Parameters
        ----------
        pictures : Pictures
        random_state : numpy.random.RandomState
            The source of all that is drawn; the numbers of a batch come from the run's seed and
            from the number of its update alone.
        """

    @classmethod
    def not_borne(cls, class_names: Iterable[str]) -> str | None:
        """Return the name of a class that may not bear it; None where all do."""
        for name in class_names:
            if cls.contradicts.intersection(map(str.lower, _WORDS.findall(name))):
                return name
        return None
