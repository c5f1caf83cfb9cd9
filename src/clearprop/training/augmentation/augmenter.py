"""What changes the pictures of each batch, from the seed and the number of its update alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.errors import UsageError
from clearprop.losses import Loss
from clearprop.network import Network
from clearprop.training.augmentation.base import Augmentation, Pictures, Share, all_at_once

_LOOKED_AT = 200  # pictures, evenly spread, that tell the range of pixels and what is around
_FLAT = 0.05  # of the range of pixels: the most that those of one colour differ
_WORD = 2**32


@dataclass(frozen=True)
class Augmenter:
    """Changes the pictures of batch after batch.

    Whoever asks for the same batch of the same number gets the same bits, in whatever order: so
    batches can be made ahead, and a run that goes on from a checkpoint needs nothing more.

    Parameters
    ----------
    augmentations : sequence of Augmentation
        The changes, in the order in which they are done.
    seed : int
    loss : Loss
        The loss that takes the targets.
    outputs : int
        The number K of the network's outputs.
    dtype : numpy.dtype
        The network's.
    limits : (float, float)
        The lowest and the highest number that a pixel may have.
    reflects : bool
        Whether a picture goes on as its reflection beyond its sides, not as its outermost pixels.
    """

    augmentations: Sequence[Augmentation]
    seed: int
    loss: Loss
    outputs: int
    dtype: np.dtype[Any]
    limits: tuple[float, float] = (0.0, 1.0)
    reflects: bool = True

    @classmethod
    def of(
        cls,
        augmentations: Sequence[Augmentation],
        seed: int,
        network: Network,
        loss: Loss,
        X: Any,
    ) -> "Augmenter":
        """Make one for samples X (N, *input_shape) of a network.

        Where most pictures have one colour around, as drawings and digits do, it goes on beyond
        their sides. Photographs are reflected there, which leaves no seam.

        Raises
        ------
        UsageError
            If they are no pictures, or the loss takes no mixed targets.
        """
        shape = network.input_shape
        if len(shape) not in (2, 3):
            raise UsageError(
                f"Augmentation changes pictures, of shape (H, W) or (H, W, C); the network takes "
                f"samples of shape {shape}. Leave augment out, or begin the network with pictures "
                "and Flatten()."
            )
        (outputs,) = network.output_shape
        if any(one.changes_targets for one in augmentations):
            loss.mixable(np.zeros((0, outputs)), outputs, network.dtype)
        rows = np.unique(np.linspace(0, len(X) - 1, min(_LOOKED_AT, len(X))).astype(np.int64))
        some = np.asarray(X[rows])
        limits = _range_of(some)
        reflects = not _is_flat_around(some, _FLAT * (limits[1] - limits[0]))
        return cls(augmentations, seed, loss, outputs, network.dtype, limits, reflects)

    @property
    def changes_targets(self) -> bool:
        """Whether targets become rows (B, K) of shares, whatever they were."""
        return any(one.changes_targets for one in self.augmentations)

    def __call__(
        self,
        number: int,
        x: Array,
        spare: Array,
        y: Array,
        weights: Array | None,
        share: Share = all_at_once,
    ) -> tuple[Array, Array, Array | None]:
        """Change the samples of an update.

        Parameters
        ----------
        number : int
            The number of updates before this one.
        x : ndarray, shape (B, H, W) or (B, H, W, C)
            The pictures, of the network's dtype; they are written to.
        spare : ndarray of the same shape
            Memory.
        y : ndarray, shape (B,) or (B, K)
        weights : ndarray, shape (B,), or None
        share : Share
            Shares work on pictures.

        Returns
        -------
        x, y, weights : ndarray
            The changed ones; x lies in one of both memories.
        """
        shape = (*x.shape[:3], -1)
        pictures = Pictures(
            x.reshape(shape),
            spare.reshape(shape),
            y,
            weights,
            loss=self.loss,
            outputs=self.outputs,
            limits=np.array(self.limits, self.dtype),
            reflects=self.reflects,
            share=share,
        )
        # Not the source of batches and dropout, whose draws stay those of a run without this.
        random_state = np.random.RandomState([self.seed, number % _WORD, number // _WORD])
        for one in self.augmentations:
            one.apply(pictures, random_state)
        return pictures.x.reshape(x.shape), pictures.y, pictures.weights


def _range_of(pictures: Array) -> tuple[float, float]:
    """Return the range of pixels: 0 to 1, unless some are seen beyond it."""
    low, high = float(pictures.min()), float(pictures.max())
    return (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)


def _is_flat_around(pictures: Array, most: float) -> bool:
    """Whether the outermost pixels of most pictures differ by so little."""
    x = pictures.reshape(*pictures.shape[:3], -1)
    sides = np.concatenate([x[:, 0], x[:, -1], x[:, :, 0], x[:, :, -1]], axis=1)
    return bool((np.ptp(sides, axis=1) <= most).all(axis=1).mean() > 1 / 2)
