"""The ways in which learners lay out their arrays, and random data in each of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.subject import Layout

LAYOUTS = (
    Layout(rows=False, inputs_first=False, kept_axis=True),
    Layout(rows=True, inputs_first=True, kept_axis=True),
    Layout(rows=True, inputs_first=True, kept_axis=False),
    Layout(rows=False, inputs_first=True, kept_axis=True),
    Layout(rows=True, inputs_first=False, kept_axis=True),
    Layout(rows=True, inputs_first=False, kept_axis=False),
)
"""Every layout that is tried, the usual ones first."""

_SAMPLES = 7  # no layer has as many units, so that no matrix fits by accident


@dataclass(frozen=True)
class Batch:
    """Samples and their targets, as rows.

    Parameters
    ----------
    X : ndarray, shape (m, n_x)
    targets : ndarray, shape (m, K)
        The targets: zeros and ones, one-hot for classes; or values.
    """

    X: Array
    targets: Array

    def samples(self, layout: Layout) -> Array:
        """Return X in a layout."""
        return layout.samples(self.X.T).copy()

    def forms(self, layout: Layout) -> Iterator[Array]:
        """Yield Y in every form that a learner's cost may take, the likelier first."""
        yield layout.samples(self.targets.T).copy()
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
    """Draw W and b of every layer, none of them zero, under the code's prefixes for "W" and "b".

    The sizes are the features of a sample, and the units of every layer.
    """
    random_state = np.random.RandomState(1)
    parameters = {}
    for number, (inputs, units) in enumerate(pairwise(sizes), start=1):
        W = random_state.standard_normal((units, inputs)) * np.sqrt(2 / inputs)
        b = 0.1 + 0.3 * random_state.standard_normal((units, 1))
        parameters[f"{prefixes['W']}{number}"] = layout.weights(W).copy()
        b = layout.samples(b) if layout.kept_axis else b[:, 0]
        parameters[f"{prefixes['b']}{number}"] = b.copy()
    return parameters
