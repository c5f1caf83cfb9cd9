"""Estimators in model files: the network as it is, and the rest as JSON values beside it."""

import os
from collections.abc import Iterable, Mapping
from inspect import signature
from typing import Any, TypeVar

import numpy as np
from sklearn.preprocessing import LabelBinarizer

from clearprop import layers, losses
from clearprop.configuration import Json, from_config, to_config
from clearprop.core import initializers, schedules
from clearprop.errors import ModelFileError, UsageError
from clearprop.estimators.building import weights_and_biases
from clearprop.estimators.interface import Estimator
from clearprop.estimators.recipe import recipe_of
from clearprop.files.models import Model, save
from clearprop.training.history import History

Kind = TypeVar("Kind", bound=Estimator)

_LEFT_OUT = ("callbacks", "random_state", "scoring")  # where they are no plain values
_REACHED = (
    *("n_features_in_", "n_outputs_", "n_layers_", "out_activation_", "n_iter_", "t_", "loss_"),
    *("loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_"),
    "_no_improvement_count",
)
_CLASS_DTYPES = (
    *("object", "str", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"),
    *("uint64", "float32", "float64"),
)
_PARTS = {
    name: part
    for module, base in (
        (layers, layers.Layer),
        (losses, losses.Loss),
        (initializers, initializers.Initializer),
        (schedules, schedules.Schedule),
    )
    for name, part in vars(module).items()
    if isinstance(part, type) and issubclass(part, base)
}


def save_estimator(path: str | os.PathLike[str], estimator: Estimator) -> None:
    """Write a fitted estimator to one ``.safetensors`` file, whole or not at all."""
    described: dict[str, Any] = {
        "class": type(estimator).__name__,
        "parameters": {
            name: _plain(name, value) for name, value in estimator.get_params(deep=False).items()
        },
        "reached": {
            name: to_config(getattr(estimator, name))
            for name in _REACHED
            if hasattr(estimator, name)
        },
        "history": to_config(estimator.history_.rows),
    }
    if hasattr(estimator, "feature_names_in_"):
        described["features"] = estimator.feature_names_in_.tolist()
    if hasattr(estimator, "classes_"):
        classes = estimator.classes_
        kind = "str" if classes.dtype.kind == "U" else classes.dtype.name
        if kind not in _CLASS_DTYPES:
            raise UsageError(
                f"Classes of type {kind} can't be saved. Fit with text or numbers in their place, "
                "for instance with y.astype(str)."
            )
        described["classes"] = {
            "dtype": kind,
            "values": classes.tolist(),
            "multilabel": estimator._label_binarizer.y_type_.startswith("multilabel"),
        }
    training = {"estimator": described}
    save(path, Model(estimator.network_, recipe_of(estimator), training))


def estimator_of(model: Model, kinds: Mapping[str, type[Kind]], custom: Iterable[type]) -> Kind:
    """Return the estimator that a model file describes.

    Parameters
    ----------
    model : Model
        Its `training` holds what `save_estimator` wrote.
    kinds : mapping of str to type
        The estimators by name.
    custom : iterable of type
        Classes of one's own that parameters may be.

    Raises
    ------
    ModelFileError
        If the description contradicts itself.
    """
    parts = _PARTS | {one.__name__: one for one in custom}
    try:
        described: Any = model.training["estimator"]
        kind = kinds[described["class"]]
        known = signature(kind).parameters
        estimator = kind(
            **{
                name: _restored(name, value, parts)
                for name, value in described["parameters"].items()
                if name in known
            }
        )
        for name, value in described["reached"].items():
            if name in _REACHED:
                setattr(estimator, name, value)
        estimator.history_ = History(described["history"])
        if "features" in described:
            estimator.feature_names_in_ = np.array(described["features"], dtype=object)
        if "classes" in described:
            _restore_classes(estimator, described["classes"])
        network = model.network
        sizes = (estimator.n_features_in_, estimator.n_outputs_)
        if sizes != (*network.input_shape, *network.output_shape):
            raise ValueError(f"{sizes} features and outputs, of another network")
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(f"The description of the estimator is damaged: {error!r}.") from error
    estimator._network = network
    estimator.coefs_, estimator.intercepts_ = weights_and_biases(network)
    return estimator


def _plain(name: str, value: Any) -> Json:
    """Describe a parameter; what is no plain value and means nothing to predictions is left out."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if name == "class_weight" and isinstance(value, dict):
        return [[to_config(label), to_config(weight)] for label, weight in value.items()]
    if name in _LEFT_OUT and not isinstance(value, str | int | np.integer):
        return None
    return to_config(value)


def _restored(name: str, value: Json, parts: Mapping[str, type]) -> Any:
    found = from_config(value, parts)
    return dict(found) if name == "class_weight" and isinstance(found, tuple) else found


def _restore_classes(estimator: Estimator, described: Mapping[str, Any]) -> None:
    name = described["dtype"]
    if name not in _CLASS_DTYPES:
        raise ValueError(f"classes of type {name}")
    classes = np.array(described["values"], dtype=name)
    seen = np.vstack([np.zeros_like(classes), np.ones_like(classes)])
    estimator._label_binarizer = LabelBinarizer().fit(seen if described["multilabel"] else classes)
    estimator.classes_ = estimator._label_binarizer.classes_
