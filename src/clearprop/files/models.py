"""A trained network in one file, with all that is needed to use it again."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from clearprop import layers, losses
from clearprop.configuration import Json, classes_in, from_config, to_config
from clearprop.core import initializers, schedules
from clearprop.core.parameters import Array, Parameter
from clearprop.errors import ModelFileError, UnknownNameError, UsageError, shortened
from clearprop.files import described
from clearprop.files.certainty import covering, probabilities, quantiles
from clearprop.files.linear import linear_layers, linear_network
from clearprop.files.tensors import TensorFile, open_tensors, save_tensors, tensor_bytes
from clearprop.network import Network
from clearprop.preprocessing import (
    ClassTarget,
    FeatureRecipe,
    Preprocessing,
    ValueTarget,
    prepared_from,
)
from clearprop.version import __version__

_ROWS, _NUMBERS = 2**13, 2**22  # rows of a block, and their logits, at most
_WORK = 2**34  # multiplications of a block, about: a second for one thread
_KIND = "model"
_LINEAR = (
    "linear/"  # before the names of a linear model's arrays, which no layer's name begins with
)
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
        (schedules, schedules.Schedule),
    )
    for kind in classes_in(vars(module), base)
}


@dataclass(frozen=True, repr=False)
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
    linear : Network, optional
        A linear model of the same data, which the network has to beat.
    """

    network: Network
    preprocessing: Preprocessing | None = None
    training: Mapping[str, Json] = field(default_factory=dict)
    version: str = __version__
    linear: Network | None = None

    def __repr__(self) -> str:
        return described.in_a_line(self)

    def _repr_html_(self) -> str:
        return described.drawing_of(self)

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The classes by index, or None where the network predicts values."""
        target = self.preprocessing and self.preprocessing.target
        return target.class_names if isinstance(target, ClassTarget) else None

    @property
    def constant(self) -> list[float] | None:
        """The share of each class in the training data, the mean or the quantiles, if known.

        It is what always giving the same answer knows.
        """
        told, recipe = self.training.get("constant"), self.preprocessing
        if recipe is None or not isinstance(told, list):
            return None
        names = self.class_names
        expected = self.network.output_shape[0] if names is None else len(names)
        numbers = [one for one in told if isinstance(one, float) and np.isfinite(one)]
        if not len(numbers) == len(told) == expected or (names and min(numbers) < 0):
            return None
        return numbers

    @property
    def gives_probabilities(self) -> bool:
        """Whether it has probabilities of classes: for values, or with hinge, it has none."""
        own = type(self.network.loss).predict_proba
        return self.class_names is not None and own is not losses.Loss.predict_proba

    def predict(self, X: Any) -> Array:
        """Predict samples as they are, before any preparation.

        Parameters
        ----------
        X : array-like, data frame, mapping or Table of N rows, path, or sequence of paths
            An array has the shape (N, ...) of the training data. Columns are found by name in any
            order; others are passed over with a `UserWarning`, and so are cells unlike the training
            data told. A path is a file, a folder of pictures, or a pattern. A model without
            preprocessing takes prepared arrays.

        Returns
        -------
        ndarray, shape (N,) or (N, outputs)
            The names of classes, or values on their own scale.

        Raises
        ------
        DataError, ShapeError
            If the samples can't be read, or don't fit the model; no sample is left out.
        """
        return np.concatenate([self.named(logits) for logits in self._logits(X)])

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, shape (N, K), in the order of `class_names`.

        Takes what `predict` does, and raises what it raises.

        Raises
        ------
        UsageError
            If the model predicts values, or its loss has no probabilities, as hinge.
        """
        return np.concatenate([self.shares(logits) for logits in self._logits(X)])

    def predict_set(self, X: Any) -> Array:
        """Return whether each class is in the set of each sample, bool, shape (N, K).

        Sets hold the true class for the share of samples that the training promised, with
        ``--coverage``. Takes what `predict` does, and raises what it raises.

        Raises
        ------
        UsageError
            If the model promises no coverage, or predicts values.
        """
        return self._covering(X, "sets of classes", of_classes=True)

    def predict_interval(self, X: Any) -> Array:
        """Return where the interval of each value begins and ends, shape (N, 2) or (N, 2, outputs).

        Intervals hold the true value, of several outputs all of them, for the share of samples that
        the training promised, with ``--coverage``. Takes what `predict` does, and raises what it
        raises.

        Raises
        ------
        UsageError
            If the model promises no coverage, or predicts classes.
        """
        return self._covering(X, "intervals of values", of_classes=False)

    def predict_quantiles(self, X: Any) -> Array:
        """Return the quantiles of each value, shape (N, K), in ascending order.

        Their levels are ``model.network.loss.levels``. Takes what `predict` does, and raises what
        it raises.

        Raises
        ------
        UsageError
            If the model has learned no quantiles.
        """
        found = [self.quantiles(logits) for logits in self._logits(X)]
        several = [one for one in found if one is not None]
        if len(several) < len(found):
            raise UsageError(
                "This model gives no quantiles: they come with clearprop train --quantiles "
                "0.1,0.5,0.9, for values."
            )
        return np.concatenate(several)

    def quantiles(self, logits: Array) -> Array | None:
        """Return the quantiles that logits say, shape (N, K); None where none were learned."""
        target = self.preprocessing and self.preprocessing.target
        if isinstance(target, ValueTarget):
            return quantiles(target, self.network.loss, logits)
        loss = self.network.loss
        return loss.quantiles(logits) if isinstance(loss, losses.Quantiles) else None

    def shares(self, logits: Array) -> Array:
        """Return the probability of each class, shape (N, K), that logits say."""
        target = self.preprocessing and self.preprocessing.target
        if isinstance(target, ClassTarget):
            return probabilities(target, self.network.loss, logits)
        return self.network.loss.predict_proba(logits)

    def named(self, logits: Array) -> Array:
        """Return what logits (N, K) say: names of classes, or values on their own scale."""
        loss = self.network.loss
        if self.preprocessing is None:
            return loss.predict(logits)
        target = self.preprocessing.target
        if isinstance(target, ClassTarget):
            return np.array(target.class_names)[decided(target, loss, logits)]
        return target.restore(loss.predict(logits))

    def logits_by_block(self, prepared: Any) -> Iterator[tuple[slice, Array]]:
        """Walk over prepared samples in blocks, so that any number fits in memory.

        Parameters
        ----------
        prepared : array-like or PreparedRows, shape (N, *input_shape)

        Yields
        ------
        slice, ndarray
            The places of the rows, and their logits, shape (n, K).
        """
        for where in self.blocks(len(prepared)):
            yield where, self.network.logits(prepared[where])

    def blocks(self, rows: int) -> list[slice]:
        """Cut so many rows into the blocks in which they are answered, here or elsewhere."""
        network = self.network
        work, numbers = max(1, network.multiplications), network.output_shape[0]
        step = max(1, min(_ROWS, _NUMBERS // numbers, _WORK // work))
        return [slice(start, min(start + step, rows)) for start in range(0, rows, step)]

    def _covering(self, X: Any, what: str, *, of_classes: bool) -> Array:
        target = None if self.preprocessing is None else self.preprocessing.target
        has_one = target is not None and target.coverage is not None
        if target is None or not has_one or isinstance(target, ClassTarget) != of_classes:
            raise UsageError(
                f"This model gives no {what}: those of a coverage come with clearprop train "
                f"--coverage 90%, for {'classes' if of_classes else 'values'}."
            )
        found = (covering(target, self.network.loss, logits) for logits in self._logits(X))
        return np.concatenate([one for one in found if one is not None])

    def _logits(self, X: Any) -> list[Array]:
        if self.preprocessing is None:
            parts: tuple[Any, ...] = (np.asarray(X),)
        else:
            parts = prepared_from(X, self.preprocessing, self.network.dtype)
        none = np.empty((0, *self.network.output_shape), self.network.dtype)
        return [none, *(logits for part in parts for _, logits in self.logits_by_block(part))]


def decided(target: ClassTarget, loss: losses.Loss, logits: Array) -> Array:
    """Return the class indices (N,) that logits (N, K) say: the likeliest, or by the threshold.

    Raises
    ------
    UsageError
        If there is a threshold, and the loss gives no probabilities.
    """
    if target.threshold is None:
        return loss.predict(logits)
    return named_from(target, probabilities(target, loss, logits))


def named_from(target: ClassTarget, shares: Array) -> Array:
    """Return the class indices (N,) that probabilities (N, 2) say by a threshold, or by 0.5."""
    threshold = 0.5 if target.threshold is None else target.threshold
    # As float64: rounded to the type of the shares, the threshold could pass over some of them.
    is_named = shares[:, target.positive].astype(np.float64) >= threshold
    return np.where(is_named, target.positive, 1 - target.positive)


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
    save_tensors(path, *_contents(Model(model) if isinstance(model, Network) else model))


def model_bytes(model: Model) -> bytes:
    """Return the bytes of the file that `save` writes."""
    return tensor_bytes(*_contents(model))


def _contents(model: Model) -> tuple[dict[str, Array], dict[str, Json]]:
    network = model.network
    description: dict[str, Json] = {
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
    linear = {} if model.linear is None else model.linear.parameters
    beside = {f"{_LINEAR}{name}": array for name, array in linear.items()}
    return {**network.parameters, **network.state, **beside}, description


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
        network, linear = _build(file, described["network"], types)
        recipe = described["preprocessing"]
        preprocessing = None if recipe is None else Preprocessing.from_config(recipe)
        _check_fit(network, preprocessing)
        training, version = described["training"], described["version"]
        if not isinstance(training, dict) or not isinstance(version, str):
            raise UsageError("its training is no object of JSON, or its version no text.")
        if preprocessing is not None and isinstance(preprocessing.inputs, FeatureRecipe):
            preprocessing = replace(preprocessing, inputs=preprocessing.inputs.beside(path))
        return Model(network, preprocessing, training, version, linear)
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


def _build(
    file: TensorFile, described: dict[str, Any], types: Mapping[str, type]
) -> tuple[Network, Network | None]:
    """Make the network, and the linear model that lies beside it, if one does."""
    if described["dtype"] not in _DTYPES:
        raise UsageError(
            f"it computes in {shortened(described['dtype'])}, expected {' or '.join(_DTYPES)}."
        )
    dtype = np.dtype(described["dtype"])
    chain = layers.Sequential(from_config(described["layers"], types))
    input_shape = tuple(int(size) for size in described["input_shape"])
    built = chain.build(input_shape)
    beside: Mapping[str, Parameter] = {}
    if any(name.startswith(_LINEAR) for name in file.shapes):
        codes = chain.codes(input_shape)
        linear = layers.Sequential(tuple(linear_layers(input_shape, built.out_shape[0], codes)))
        beside = linear.build(input_shape).parameters
    # What the description claims is held against what lies in the file before any of it is made.
    named = {f"{_LINEAR}{name}": parameter for name, parameter in beside.items()}
    _check_arrays(file, {**built.parameters, **built.state, **named}, dtype)
    network = Network(
        chain.layers,
        loss=from_config(described["loss"], types),
        input_shape=input_shape,
        seed=int(described["seed"]),
        dtype=dtype,
    )
    for vector in (network.parameters, network.state):
        vector.assign({name: _finite(file, name) for name in vector})
    if not beside:
        return network, None
    line = linear_network(network)
    line.parameters.assign({name: _finite(file, f"{_LINEAR}{name}") for name in beside})
    return network, line


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
    target, outputs = preprocessing.target, network.loss.answers(network.output_shape[0])
    if isinstance(target, ClassTarget) and not network.loss.classifies:
        loss = type(network.loss).__name__
        raise UsageError(f"its target has classes, and its loss {loss} is one of values.")
    needed = len(target.class_names) if isinstance(target, ClassTarget) else target.outputs
    if outputs != needed and not (outputs == 1 and needed == 2):
        raise UsageError(f"its target needs {needed} outputs, its network has {outputs}.")
