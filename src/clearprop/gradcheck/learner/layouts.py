"""The ways in which learners lay out their arrays, and random data in each of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from clearprop.parameters import Array


@dataclass(frozen=True)
class Layout:
    """How arrays lie.

    Parameters
    ----------
    samples_are : {"columns", "rows"}
    inputs_first : bool
        Whether W is (inputs, units), instead of (units, inputs).
    bias : {"column", "row", "flat"}
        The shape of b: (units, 1), (1, units) or (units,).
    """

    samples_are: Literal["columns", "rows"]
    inputs_first: bool
    bias: Literal["column", "row", "flat"]


LAYOUTS = (
    Layout("columns", inputs_first=False, bias="column"),
    Layout("rows", inputs_first=True, bias="row"),
    Layout("rows", inputs_first=True, bias="flat"),
    Layout("columns", inputs_first=True, bias="column"),
    Layout("rows", inputs_first=False, bias="row"),
    Layout("rows", inputs_first=False, bias="flat"),
)
"""Every layout that is tried, the usual ones first."""


@dataclass(frozen=True)
class Batch:
    """Samples and what they belong to, as rows.

    Parameters
    ----------
    X : ndarray, shape (m, n_x)
    targets : ndarray, shape (m, K)
        Zeros and ones, one-hot for classes; or values.
    """

    X: Array
    targets: Array

    def samples(self, layout: Layout) -> Array:
        """Return X in a layout."""
        return self.X.copy() if layout.samples_are == "rows" else self.X.T.copy()

    def forms(self, layout: Layout) -> Iterator[Array]:
        """Yield Y in every form that a learner's cost may take, the likelier first."""
        columns = self.targets if layout.samples_are == "rows" else self.targets.T
        yield columns.copy()
        if self.targets.shape[1] > 1:
            yield self.targets.argmax(axis=1)
            yield self.targets.argmax(axis=1)[np.newaxis, :]
        else:
            yield self.targets[:, 0].copy()


def random_batch(inputs: int, outputs: int) -> Batch:
    """Draw seven samples, of all classes."""
    random_state = np.random.RandomState(0)
    X = random_state.standard_normal((_SAMPLES, inputs))
    classes = random_state.permutation(np.arange(_SAMPLES) % max(outputs, 2))
    one_hot = np.eye(max(outputs, 2))[classes]
    return Batch(X, one_hot if outputs > 1 else one_hot[:, 1:])


def random_parameters(
    sizes: Sequence[int], layout: Layout, prefixes: Mapping[str, str]
) -> dict[str, Array]:
    """Draw W and b of every layer, none of them zero.

    Parameters
    ----------
    sizes : sequence of int
        The features of a sample, and the units of every layer.
    layout : Layout
    prefixes : mapping of str to str
        What the code calls "W" and "b".
    """
    random_state = np.random.RandomState(1)
    parameters = {}
    for number, (inputs, units) in enumerate(pairwise(sizes), start=1):
        W = random_state.standard_normal((units, inputs)) * np.sqrt(2 / inputs)
        b = 0.1 + 0.3 * random_state.standard_normal(units)
        shape = {"column": (units, 1), "row": (1, units), "flat": (units,)}[layout.bias]
        parameters[f"{prefixes['W']}{number}"] = W.T.copy() if layout.inputs_first else W
        parameters[f"{prefixes['b']}{number}"] = b.reshape(shape)
    return parameters


_SAMPLES = 7  # no layer has as many units, so that no matrix fits by accident
