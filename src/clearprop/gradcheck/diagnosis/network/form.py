"""How the code under check lays out its arrays, and how formulas are written in that layout.

Everything here computes in one form, that of the course: samples are columns, W is (units, inputs),
b is (units, 1). A `Form` leads there and back.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from clearprop.gradcheck.subject import Subject
from clearprop.parameters import Array


@dataclass(frozen=True)
class Form:
    """A layout.

    Parameters
    ----------
    rows : bool
        Whether samples are rows of X, instead of columns.
    inputs_first : bool
        Whether W is (inputs, units), instead of (units, inputs).
    kept_axis : bool
        Whether b is a matrix with one row or column, instead of (units,).
    """

    rows: bool
    inputs_first: bool
    kept_axis: bool

    def samples(self, array: Array) -> Array:
        """Turn what has an axis of samples so that they are columns."""
        return array.T if self.rows else array

    def weights(self, array: Array) -> Array:
        """Turn weights, or their gradient, so that a row is a unit."""
        return array.T if self.inputs_first else array

    def bias(self, array: Array) -> Array:
        """Turn a bias, or its gradient of whatever shape, so that a row is a unit."""
        if array.ndim == 1:
            return array[:, np.newaxis]
        return array.T if self.rows else array

    def bias_of(self, parameters: Mapping[str, Array], layer: "Dense", units: int) -> Array:
        """Return the bias of a layer in columns; zeros where it has none."""
        return self.bias(parameters[layer.b]) if layer.b else np.zeros((units, 1))

    def product(self, left: str, right: str, *, weights: bool = False) -> str:
        """Write a matrix product.

        Parameters
        ----------
        left, right : str
            The factors as they stand where samples are columns: ``"dZ2"``, ``"A1.T"``, ``"W2.T"``.
        weights : bool, default False
            Whether the product has the shape of weights, instead of samples.
        """
        left, right = self._turned(left), self._turned(right)
        if self.inputs_first if weights else self.rows:
            left, right = _transpose(right), _transpose(left)
        return f"{left} @ {right}"

    def sum_over_samples(self, array: str) -> str:
        """Write a sum that leaves a number for each unit."""
        return self._sum(array, 0 if self.rows else 1)

    def sum_over_units(self, array: str) -> str:
        """Write a sum that leaves a number for each sample."""
        return self._sum(array, 1 if self.rows else 0)

    def samples_from(self, array: str, start: str) -> str:
        """Write a choice of samples: ``start`` is a slice or an index."""
        return f"{array}[{start}]" if self.rows else f"{array}[:, {start}]"

    def _sum(self, array: str, axis: int) -> str:
        return f"np.sum({array}, axis={axis}{', keepdims=True' if self.kept_axis else ''})"

    def _turned(self, factor: str) -> str:
        stored_turned = self.inputs_first if factor.startswith("W") else self.rows
        return _transpose(factor) if stored_turned else factor


@dataclass(frozen=True)
class Dense:
    """The parameters of one layer.

    Parameters
    ----------
    W, b : str
        Their names; that of b is empty where there is no bias.
    number : str
        What the layer is called in formulas.
    """

    W: str
    b: str
    number: str


def dense_layers(parameters: Mapping[str, Array]) -> list[Dense] | None:
    """Pair the weights and biases of a chain of layers, or None where there is no such chain."""
    groups: dict[str, list[str]] = {}
    for name in parameters:
        numbers = re.findall(r"\d+", name)
        groups.setdefault(".".join(numbers), []).append(name)
    if len(groups) == 1 and len(parameters) > 2:
        names = list(parameters)
        groups = {str(at // 2 + 1): names[at : at + 2] for at in range(0, len(names), 2)}
    counted = all(re.fullmatch(r"[A-Za-z_]+\d+", name) for name in parameters)
    layers = []
    for place, (number, names) in enumerate(groups.items(), start=1):
        biases = [name for name in names if _is_bias(name, parameters[name])]
        weights = [name for name in names if name not in biases]
        if len(biases) > 1 or len(weights) != 1 or parameters[weights[0]].ndim != 2:
            return None
        bias = biases[0] if biases else ""
        layers.append(Dense(weights[0], bias, number if counted else str(place)))
    return layers


def possible_forms(subject: Subject, layers: list[Dense]) -> Iterator[Form]:
    """Yield every layout in which the shapes fit together, the likelier first."""
    if subject.X is None or subject.X.ndim != 2:
        return
    parameters = subject.parameters
    W = [parameters[layer.W] for layer in layers]
    kept_axis = any(parameters[layer.b].ndim == 2 for layer in layers if layer.b)
    for rows in (False, True):
        if subject.samples_are not in (None, "rows" if rows else "columns"):
            continue
        for inputs_first in (rows, not rows):
            form = Form(rows, inputs_first, kept_axis)
            widths = [len(form.samples(subject.X)), *(len(form.weights(one)) for one in W)]
            if all(
                form.weights(parameters[layer.W]).shape == (units, inputs)
                and form.bias_of(parameters, layer, units).shape == (units, 1)
                for layer, inputs, units in zip(layers, widths, widths[1:], strict=False)
            ):
                yield form


def _is_bias(name: str, array: Array) -> bool:
    leaf = re.sub(r"[\d_.]", "", name.rsplit(".", 1)[-1]).lower()
    return leaf.startswith("b") or array.ndim == 1


def _transpose(factor: str) -> str:
    return factor[:-2] if factor.endswith(".T") else f"{factor}.T"
