"""A trained network in one file, with all that is needed to use it again."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clearprop import layers, losses
from clearprop.configuration import Json, classes_in, from_config, to_config
from clearprop.core import initializers
from clearprop.core.parameters import Array, Parameter
from clearprop.errors import ModelFileError, UnknownNameError, UsageError, shortened
from clearprop.files.tensors import TensorFile, open_tensors, save_tensors
from clearprop.network import Network
from clearprop.preprocessing import ClassTarget, Preprocessing
from clearprop.version import __version__

_KIND = "model"
_FORMAT = 1
_DTYPES = ("float32", "float64")
# Raised by classes that are built with fields of a wrong type or size.
_FAULTS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


_TYPES: dict[str, type] = {
    kind.__name__: kind
    for module, base in (
        (layers, layers.Layer),
        (losses, losses.Loss),
        (initializers, initializers.Initializer),
    )
    for kind in classes_in(vars(module), base)
}


@dataclass(frozen=True)
class Model:
    """A network with the recipe that prepares its input, and the record of its training.

    Parameters
    ----------
    network : Network
    preprocessing : Preprocessing, optional
        The recipe; a model without one takes prepared arrays.
    training : mapping
        The settings and results of training: JSON values.
    version : str
        The version of clearprop that saved it.
    """

    network: Network
    preprocessing: Preprocessing | None = None
    training: Mapping[str, Json] = field(default_factory=dict)
    version: str = __version__

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The classes by index, or None where the network predicts values."""
        target = self.preprocessing and self.preprocessing.target
        return target.class_names if isinstance(target, ClassTarget) else None


def save(path: str | os.PathLike[str], model: Model | Network) -> None:
    """Write a model to one ``.safetensors`` file, whole or not at all.

    The same model gives the same bytes.

    Parameters
    ----------
    path : path-like
    model : Model or Network

    Raises
    ------
    OutputError
        If the file can't be written; what stood there before is untouched.
    UsageError
        If a layer of one's own holds something that can't be described in JSON.
    """
    model = Model(model) if isinstance(model, Network) else model
    network = model.network
    description = {
        "kind": _KIND,
        "format": _FORMAT,
        "version": __version__,
        "network": {
            "layers": to_config(network.layers),
            "loss": to_config(network.loss),
            "input_shape": list(network.input_shape),
            "dtype": network.dtype.name,
            "seed": network.seed,
        },
        "preprocessing": to_config(model.preprocessing),
        "training": dict(model.training),
    }
    save_tensors(path, {**network.parameters, **network.state}, description)


def load(path: str | os.PathLike[str], *, custom: Iterable[type] = ()) -> Model:
    """Read a model; no code in it is ever run.

    Parameters
    ----------
    path : path-like
    custom : iterable of type
        Layers, losses and initializers of one's own that the model may contain.

    Raises
    ------
    ModelFileError
        If the file is missing, cut short, no model, of a later format, or contradicts itself.
    """
    file = open_tensors(path, _KIND)
    described = file.description
    if described.get("format") != _FORMAT:
        raise ModelFileError(
            f"{path} is of format {shortened(described.get('format'))}, written by clearprop "
            f"{shortened(described.get('version'))}; clearprop {__version__} reads format "
            f"{_FORMAT}. Upgrade clearprop, or train the model anew."
        )
    types = _TYPES | {one.__name__: one for one in custom}
    try:
        network = _build(file, described["network"], types)
        recipe = described["preprocessing"]
        preprocessing = None if recipe is None else Preprocessing.from_config(recipe)
        _check_fit(network, preprocessing)
        training, version = described["training"], described["version"]
        if not isinstance(training, dict) or not isinstance(version, str):
            raise UsageError("its training is no object of JSON, or its version no text.")
        return Model(network, preprocessing, training, version)
    except UnknownNameError as error:
        raise ModelFileError(
            f"{path} has a part that is not clearprop's: {error} To read classes of your own, give "
            "them to clearprop.load(path, custom=[...])."
        ) from error
    except _FAULTS as error:
        if isinstance(error, ModelFileError):
            raise
        reason = f"it does not say its {error}" if isinstance(error, KeyError) else error
        raise ModelFileError(f"{path} is damaged: {reason}") from error


def _build(file: TensorFile, described: dict[str, Any], types: Mapping[str, type]) -> Network:
    if described["dtype"] not in _DTYPES:
        raise UsageError(
            f"it computes in {shortened(described['dtype'])}, expected {' or '.join(_DTYPES)}."
        )
    dtype = np.dtype(described["dtype"])
    chain = layers.Sequential(from_config(described["layers"], types))
    input_shape = tuple(int(size) for size in described["input_shape"])
    built = chain.build(input_shape)
    # What the description claims is held against what lies in the file before any of it is made.
    _check_arrays(file, {**built.parameters, **built.state}, dtype)
    network = Network(
        chain.layers,
        loss=from_config(described["loss"], types),
        input_shape=input_shape,
        seed=int(described["seed"]),
        dtype=dtype,
    )
    for vector in (network.parameters, network.state):
        vector.assign({name: _finite(file, name) for name in vector})
    return network


def _check_arrays(file: TensorFile, specs: Mapping[str, Parameter], dtype: np.dtype[Any]) -> None:
    for name in sorted(specs.keys() | file.shapes.keys()):
        expected = specs[name].shape if name in specs else None
        found = file.shapes.get(name)
        if found != expected or file.dtypes[name] != dtype:
            raise ModelFileError(
                f"{file.path} contradicts itself: its layers need {name!r} as {dtype} {expected}, "
                f"it holds {file.dtypes.get(name)} {found}."
            )


def _finite(file: TensorFile, name: str) -> Array:
    array = file.read(name)
    if not np.isfinite(array).all():
        raise ModelFileError(f"{file.path}: {name!r} holds numbers that are not finite.")
    return array


def _check_fit(network: Network, preprocessing: Preprocessing | None) -> None:
    if preprocessing is None:
        return
    if preprocessing.inputs.input_shape != network.input_shape:
        raise UsageError(
            f"its preprocessing makes samples of shape {preprocessing.inputs.input_shape}, its "
            f"network takes {network.input_shape}."
        )
    target, outputs = preprocessing.target, network.output_shape[0]
    if isinstance(target, ClassTarget) and not network.loss.classifies:
        loss = type(network.loss).__name__
        raise UsageError(f"its target has classes, and its loss {loss} is one of values.")
    needed = len(target.class_names) if isinstance(target, ClassTarget) else target.outputs
    if outputs != needed and not (outputs == 1 and needed == 2):
        raise UsageError(f"its target needs {needed} outputs, its network has {outputs}.")
