"""The recipe of pictures that are learned from by the features of a pretrained network."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from clearprop.data import Raw
from clearprop.data.pictures.backbone import Backbone
from clearprop.data.pictures.depth import Depth
from clearprop.data.selected_rows import Array, SelectedRows, blocks
from clearprop.errors import DataError, UsageError
from clearprop.preprocessing.array_recipe import ArrayRecipe
from clearprop.preprocessing.picture_recipe import PictureRecipe


@dataclass(frozen=True)
class FeatureRecipe(PictureRecipe):
    """Pictures of one size, from which a backbone makes features, standardised by the training.

    The backbone's own weights never change, and do not lie in the model's file: that knows the
    name and the digest of the file that it needs.

    Parameters
    ----------
    size, channels, depth, likeness
        Of the pictures, as `PictureRecipe` has them.
    backbone : Backbone
    scaled : ArrayRecipe
        The mean and deviation of the training pictures' features, shape (D,).
    """

    backbone: Backbone | None = None
    scaled: ArrayRecipe | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.backbone, Backbone) or not isinstance(self.scaled, ArrayRecipe):
            raise UsageError("A recipe of features needs a Backbone, and an ArrayRecipe of them.")
        if self.scaled.shape != (self.backbone.features,) or self.size != self.backbone.size:
            raise UsageError(
                f"Found {self.scaled.shape} features of pictures of {self.size}, expected "
                f"({self.backbone.features},) of {self.backbone.size}, as the backbone makes them."
            )

    @classmethod
    def of(
        cls, backbone: Backbone, pictures: Array | SelectedRows, depth: Depth | None = None
    ) -> "FeatureRecipe":
        """Learn the look of training pictures, and the moments of their features.

        Parameters
        ----------
        backbone : Backbone
        pictures : ndarray or SelectedRows of uint8, shape (N, H, W, 3) or (N, H, W)
        depth : Depth, optional

        Raises
        ------
        DataError
            If they are of another size than the backbone takes.
        """
        if pictures.shape[1:3] != backbone.size:
            raise DataError(
                f"{backbone.file} takes pictures of {backbone.size[0]}x{backbone.size[1]}, found "
                f"{' x '.join(map(str, pictures.shape[1:]))}. Give a folder of pictures, which are "
                "brought to any size."
            )
        own = PictureRecipe.fit(pictures, depth)
        features = _features_of(backbone, pictures)
        return cls(
            own.size, own.channels, own.depth, own.likeness, backbone, ArrayRecipe.fit(features)
        )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape (D,) of a picture's features."""
        return self._scaled.shape

    def transform(self, raw: Raw, dtype: DTypeLike) -> Array:
        """Return the features, standardised."""
        return self._scaled.transform(_features_of(self._backbone, self._checked(raw)), dtype)

    def at(self, *places: str | os.PathLike[str]) -> "FeatureRecipe":
        """Return the same recipe, whose backbone is looked for in these files first."""
        return replace(self, backbone=self._backbone.at(*places))

    def beside(self, path: str | os.PathLike[str]) -> "FeatureRecipe":
        """Return the same recipe, whose backbone is looked for in the folder of a file, too."""
        return self.at(Path(path).parent / self._backbone.file)

    @property
    def _backbone(self) -> Backbone:
        assert self.backbone is not None  # noqa: S101 - see __post_init__
        return self.backbone

    @property
    def _scaled(self) -> ArrayRecipe:
        assert self.scaled is not None  # noqa: S101 - see __post_init__
        return self.scaled


def _features_of(backbone: Backbone, pictures: Array | SelectedRows) -> Array:
    """Compute the features of any number of pictures, float32, shape (N, D)."""
    found = np.empty((len(pictures), backbone.features), np.float32)
    for rows, block in blocks(pictures):
        found[rows] = backbone.features_of(np.asarray(block))
    return found
