"""Augmentations that change the look of pictures where they are, and one that mixes them."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from clearprop.core.kernels import recolour
from clearprop.training.augmentation.base import Augmentation, Pictures

_LIGHTS = ("dark", "dim", "light", "bright", "day", "night", "dawn", "dusk")

_OFTEN = 0.5  # the share of pictures of which a part is erased
_LONGEST = 3.0  # times as long as wide, the most that a part that is erased is
_LEAST = 0.02  # the share of a picture's area


@dataclass(frozen=True)
class RandomColour(Augmentation):
    """Change the brightness, the contrast and the saturation of pictures; no hue.

    Parameters
    ----------
    strength : float, default 0.2
        The largest change s: contrast and saturation become up to s less or more, and brightness up
        to s / 2 of the range of the pixels darker or lighter.

    Notes
    -----
    With the mean m of a picture, and grey the mean of a pixel's channels, its numbers become
    ``contrast (grey + saturation (x - grey) - m) + m + brightness``, kept in their range. Source:
    Howard, "Some Improvements on Deep Convolutional Neural Network Based Image Classification"
    (2013), section 2.
    """

    strength: float = 0.2

    name: ClassVar[str | None] = "colour"
    contradicts: ClassVar[frozenset[str]] = frozenset(_LIGHTS)

    def apply(self, pictures: Pictures, random_state: np.random.RandomState) -> None:
        """Change each picture by three numbers of its own."""
        x, s, (low, high) = pictures.x, self.strength, pictures.limits
        changes = random_state.uniform(-s, s, (len(x), 3))
        saturation, contrast, brightness = changes.T
        mean = x.reshape(len(x), -1).mean(axis=1)
        shift = brightness * (high - low) / 2 - contrast * mean
        colours = np.stack([1 + saturation, 1 + contrast, shift], axis=1).astype(x.dtype)
        pictures.share(lambda some: recolour(x[some], colours[some], pictures.limits), len(x))


@dataclass(frozen=True)
class RandomErasing(Augmentation):
    """Cover a rectangle of every other picture, about, with the mean of its colours.

    Parameters
    ----------
    strength : float, default 0.2
        The largest share of the picture's area that is covered.

    Notes
    -----
    The rectangle is at most three times as long as wide. Source: Zhong, Zheng, Kang, Li, Yang,
    "Random Erasing Data Augmentation" (2020), algorithm 1.
    """

    strength: float = 0.2

    name: ClassVar[str | None] = "erase"

    def apply(self, pictures: Pictures, random_state: np.random.RandomState) -> None:
        """Draw whether, how large, of which shape and where for each picture."""
        draws = random_state.uniform(size=(len(pictures), 5))
        height, width = pictures.size
        shares = min(_LEAST, self.strength) + draws[:, 1] * max(self.strength - _LEAST, 0)
        shapes = np.exp((2 * draws[:, 2] - 1) * np.log(_LONGEST))
        heights = np.minimum(np.round(np.sqrt(shares * shapes) * height), height).astype(np.int64)
        widths = np.minimum(np.round(np.sqrt(shares / shapes) * width), width).astype(np.int64)
        tops = (draws[:, 3] * (height - heights + 1)).astype(np.int64)
        lefts = (draws[:, 4] * (width - widths + 1)).astype(np.int64)
        x = pictures.x
        for n in np.flatnonzero(draws[:, 0] < _OFTEN).tolist():
            part = x[n, tops[n] : tops[n] + heights[n], lefts[n] : lefts[n] + widths[n]]
            part[...] = [channel.mean() for channel in np.moveaxis(x[n], -1, 0)]  # quicker by each


@dataclass(frozen=True)
class Mixup(Augmentation):
    """Mix each picture with another one of its batch, and the two targets in the same shares.

    Targets become rows of shares. What is counted as accuracy is then how often the class of the
    larger share is named.

    Parameters
    ----------
    strength : float, default 0.2
        The number alpha: shares are drawn from the beta distribution of (alpha, alpha). The larger
        it is, the more evenly pictures are mixed.

    Notes
    -----
    With a share s, x becomes s x_a + (1 - s) x_b and its target s y_a + (1 - s) y_b; s is that of
    the two which is larger. Source: Zhang, Cisse, Dauphin, Lopez-Paz, "mixup: Beyond Empirical Risk
    Minimization" (2018), section 2.
    """

    strength: float = 0.2

    name: ClassVar[str | None] = "mixup"
    most: ClassVar[float] = 10.0
    changes_targets: ClassVar[bool] = True

    def apply(self, pictures: Pictures, random_state: np.random.RandomState) -> None:
        """Draw a share and a partner for each picture."""
        if self.strength == 0:
            return
        share = random_state.beta(self.strength, self.strength, len(pictures))
        partners = random_state.permutation(len(pictures))
        pictures.mix(partners, np.maximum(share, 1 - share))
