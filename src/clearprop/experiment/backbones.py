"""Pretrained networks of runs: the one that settings name, and where that of a model lies."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from clearprop.data import Dataset
from clearprop.data.pictures.backbone import Backbone, open_backbone
from clearprop.errors import ClearpropError, UsageError
from clearprop.experiment.settings import Settings, settings_in
from clearprop.files.models import Model
from clearprop.preprocessing import FeatureRecipe

_ABOUT = ("features_scale", "features_layout", "features_output")


def backbone_of(settings: Settings) -> Backbone | None:
    """Open the pretrained network that settings name; None where they name none.

    Raises
    ------
    UsageError
        If something is said of it and none is named, or something is not said that must be.
    DataError
        If its file is no network of pictures, or can't be run.
    MissingExtraError
        If onnx or onnxruntime is not installed.
    """
    if settings.features is None:
        if said := [name for name in _ABOUT if getattr(settings, name) is not None]:
            option = said[0].replace("_", "-")
            raise UsageError(f"--{option} tells of a network that --features FILE.onnx names.")
        return None
    return open_backbone(
        settings.features,
        size=settings.size,
        layout=settings.features_layout,
        scale=settings.features_scale,
        output=settings.features_output,
    )


def with_backbone(dataset: Dataset, backbone: Backbone | None) -> Dataset:
    """Return a data set whose pictures are learned from by the features of a backbone.

    Raises
    ------
    UsageError
        If it has no pictures.
    """
    if backbone is None:
        return dataset
    if dataset.kind != "pictures":
        raise UsageError(
            f"--features are those of pictures, and {dataset.name} has none: leave it out."
        )
    said = f"{backbone.features:,} features of each picture come from {backbone.file}"
    note = f"{said}, its tensor {backbone.output!r}."
    return replace(dataset, backbone=backbone, notes=(*dataset.notes, note))


def found_at(model: Model, place: str | None) -> Model:
    """Return a model whose backbone is looked for in a file first, if one is given.

    Raises
    ------
    UsageError
        If the model has no backbone.
    """
    if place is None:
        return model
    recipe = model.preprocessing
    if recipe is None or not isinstance(recipe.inputs, FeatureRecipe):
        raise UsageError(
            "--features says where a pretrained network lies, and this model needs none: leave it "
            "out."
        )
    return replace(model, preprocessing=replace(recipe, inputs=recipe.inputs.at(place)))


def remembered(model: Model, settings: Path) -> Model:
    """Return a model whose backbone is looked for where it lay when the model was trained.

    Parameters
    ----------
    model : Model
    settings : Path
        The file of its run's settings, which may not be there.
    """
    recipe = model.preprocessing
    if recipe is not None and isinstance(recipe.inputs, FeatureRecipe):
        with suppress(ClearpropError):
            return found_at(model, settings_in(settings).features)
    return model
