"""Estimators handed over: to model files and to scikit-learn's own estimators, and back."""

import os
from collections.abc import Iterable, Mapping
from copy import deepcopy
from inspect import signature
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from sklearn.preprocessing import LabelBinarizer

from clearprop import layers, losses, preprocessing
from clearprop.configuration import Json, from_config, to_config
from clearprop.core import initializers, schedules
from clearprop.data.tables.table import number_text
from clearprop.errors import ModelFileError, UsageError, shortened
from clearprop.estimators.building import weights_and_biases
from clearprop.files.models import Model, save
from clearprop.training import History

if TYPE_CHECKING:
    from clearprop.estimators.estimator import Estimator

Kind = TypeVar("Kind", bound="Estimator")

_LEFT_OUT = ("callbacks", "random_state", "scoring")  # where they are no plain values
_REACHED = (
    *("n_features_in_", "n_outputs_", "n_layers_", "out_activation_", "n_iter_", "t_", "loss_"),
    *("loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_"),
    "_no_improvement_count",
)
"""The attributes that have been learned and are plain values."""
_CLASS_DTYPES = (
    *("object", "str", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"),
    *("uint64", "float32", "float64"),
)
_CLASS_TYPES = {
    "O": (str, bool, int, float),
    "U": (str,),
    "b": (bool,),
    "i": (int,),
    "u": (int,),
    "f": (float,),
}
"""The types of JSON values that a class has, by the kind of its dtype."""
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
_NAMES = [one.scikit_learn for one in layers.ACTIVATIONS.values() if one.scikit_learn is not None]
_ACTIVATIONS = ("identity", *reversed(_NAMES))
_LOSSES = tuple(kind for kind in losses.LOSSES if kind.in_scikit_learn)


def save_estimator(path: str | os.PathLike[str], estimator: "Estimator") -> None:
    """Write a fitted estimator to one ``.safetensors`` file, whole or not at all."""
    save(path, model_of(estimator))


def model_of(estimator: "Estimator") -> Model:
    """Return a fitted estimator as a model, whose record of training describes it."""
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
    return Model(estimator.network_, recipe_of(estimator), training)


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
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise ModelFileError(
            f"The description of the estimator is damaged: {shortened(error)}."
        ) from error
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


def _restore_classes(estimator: "Estimator", described: Mapping[str, Any]) -> None:
    name = described["dtype"]
    if name not in _CLASS_DTYPES:
        raise ValueError(f"classes of type {name}")
    values, kind = described["values"], np.dtype(name).kind
    if not isinstance(values, list) or not all(type(one) in _CLASS_TYPES[kind] for one in values):
        raise ValueError(f"classes of another type than {name}")
    classes = np.array(values, dtype=name)
    if len(classes) < 1 or len(set(values)) < len(values):
        raise ValueError("classes that are none, or twice the same")
    seen = np.vstack([np.zeros_like(classes), np.ones_like(classes)])
    estimator._label_binarizer = LabelBinarizer().fit(seen if described["multilabel"] else classes)
    estimator.classes_ = estimator._label_binarizer.classes_


def recipe_of(estimator: "Estimator") -> preprocessing.Preprocessing | None:
    """Return the recipe that changes nothing, and names columns and classes.

    Parameters
    ----------
    estimator : Estimator
        Fitted.

    Returns
    -------
    Preprocessing or None
        Of named columns where the estimator knows names, else of numbers in their order. None where
        no recipe can say it: several labels a sample, a single class, names that repeat.
    """
    try:
        return preprocessing.Preprocessing(_inputs(estimator), _target(estimator))
    except UsageError:
        return None


def _inputs(estimator: "Estimator") -> preprocessing.InputRecipe:
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        return preprocessing.ArrayRecipe((estimator.n_features_in_,), (0.0,), (1.0,))
    return preprocessing.TableRecipe(
        tuple(preprocessing.PlainColumn(name) for name in names.tolist())
    )


def _target(estimator: "Estimator") -> preprocessing.ClassTarget | preprocessing.ValueTarget:
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        outputs = estimator.n_outputs_
        return preprocessing.ValueTarget((0.0,) * outputs, (1.0,) * outputs, None)
    if estimator._label_binarizer.y_type_.startswith("multilabel"):
        raise UsageError("A recipe has one class a sample.")
    if np.issubdtype(classes.dtype, np.number):
        names = tuple(number_text(float(one)) for one in classes)  # as in a table: 1.0 is 1
    else:
        names = tuple(map(str, classes.tolist()))
    return preprocessing.ClassTarget(names, None)


def check_exchangeable(estimator: "Estimator") -> None:
    """Refuse what scikit-learn could not predict with.

    Raises
    ------
    ValueError
    """
    network = estimator.network_
    name = estimator.activation
    if not isinstance(name, str) or name not in _ACTIVATIONS:
        raise ValueError(
            f"scikit-learn has no activation={name!r}; it has one of {_ACTIVATIONS} for all layers."
        )
    if any(isinstance(layer, layers.BatchNorm) for layer in network.layers):
        raise ValueError("scikit-learn has no batch_norm, and can't predict without it.")
    if type(network.loss) not in _LOSSES:
        raise ValueError(f"scikit-learn has no loss={estimator.loss!r}.")


def shared_parameters(source: Any, target: type) -> dict[str, Any]:
    """Return the parameters of an estimator that another class has, too."""
    known = target._get_param_names()  # type: ignore[attr-defined] # scikit-learn ships no types
    return {name: value for name, value in source.get_params(deep=False).items() if name in known}


def copy_learned(source: Any, target: Any) -> None:
    """Give one estimator a copy of what the other has learned."""
    for name in (*_REACHED, "feature_names_in_", "classes_", "_label_binarizer"):
        if hasattr(source, name):
            setattr(target, name, deepcopy(getattr(source, name)))
    target.coefs_ = [np.array(W) for W in source.coefs_]
    target.intercepts_ = [np.array(b) for b in source.intercepts_]
