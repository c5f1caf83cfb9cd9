"""Layers built for samples of one shape: their parameters, and the passes through them."""

import math
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike

from clearprop.core.initializers import random_state_of
from clearprop.core.parameters import Array, ParameterVector
from clearprop.core.trace import Trace
from clearprop.errors import DataError, ShapeError, UsageError
from clearprop.layers import Layer, Sequential
from clearprop.network.first_values import fit_first_values
from clearprop.network.summary import Summary, summarize

ROWS = 1024
"""The number of samples that are prepared at a time for `Passes`."""


class Passes(Protocol):
    """Passes that compute in the place of a network's layers, from the same parameters."""

    def logits(self, X: Array) -> Array:
        """Return the logits (N, K) of any number of samples of the network's dtype."""


class LayerStack:
    """Layers one after the other, with one vector of what they learn and one of what they keep.

    A `Network` is such a stack, and a loss.

    Parameters
    ----------
    layers : sequence of Layer
        From input to output; the last one gives flat logits.
    input_shape : tuple of int
        The shape of one sample.
    dtype : dtype-like
        The dtype of all computation: float64 or float32.

    Attributes
    ----------
    parameters, state : ParameterVector
        The arrays that are learned, and those that are kept but not learned: zero until
        `initialize` draws them.
    passes : Passes or None
        The passes that compute logits in the layers' place, where a training has made some: they
        serve one thread after the other.
    params : dict
        The tree of all arrays that passes read: those of both vectors.
    output_shape : tuple of int
        The shape (K,) of one sample's logits.

    Raises
    ------
    ShapeError
        If a layer can't take what the layers below give, or the last one does not give flat logits.
    UsageError
        If `dtype` is neither float32 nor float64, there are no layers, or `input_shape` is no
        tuple of sizes.
    """

    def __init__(
        self, layers: Sequence[Layer], input_shape: tuple[int, ...], dtype: DTypeLike
    ) -> None:
        self.passes: Passes | None = None
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise UsageError(f"A network computes in float32 or float64, found {self.dtype}.")
        self.layers = tuple(layers)
        self.body = Sequential(self.layers)
        if not self.layers:
            raise UsageError("A network needs at least one layer.")
        self.input_shape = _checked_shape(input_shape)
        built = self.body.build(self.input_shape)
        self.output_shape = built.out_shape
        if len(self.output_shape) != 1:
            raise ShapeError(
                f"The last layer must give flat logits (K,), found {self.output_shape}. "
                "End with a Dense layer."
            )
        self.parameters = ParameterVector(built.parameters, self.dtype)
        self.state = ParameterVector(built.state, self.dtype)
        self.params = _merged(self.parameters.tree, self.state.tree)

    def initialize(self, seed: int) -> None:
        """Draw parameters and state anew, as a network made with `seed` has them."""
        self.seed = seed
        random_state = random_state_of(seed)
        self.parameters.initialize(random_state)
        self.state.initialize(random_state)

    def initialize_from(self, X: Any, random_state: np.random.RandomState) -> None:
        """Fit the first values that depend on samples to some: those of `FromData`.

        One layer after the other, each when those below it are fitted, in a pass as of training:
        dropout drops. Layers say how by `Layer.initialize_from`; without any that does, nothing
        changes.

        Parameters
        ----------
        X : array-like, shape (N, *input_shape)
            The samples that are trained on, or rows that are prepared as they are asked for. Of
            more than some ten thousand some are drawn, so that 2**22 numbers reach the widest
            layer at most.
        random_state : numpy.random.RandomState
            The source of random numbers, which is advanced.

        Raises
        ------
        ShapeError, DataError
            If the samples don't fit the network, if there are none, or if they are not finite.
        """
        fit_first_values(self, X, random_state)

    def inputs(self, X: Any) -> Array:
        """Bring samples into the form that `forward` takes.

        Parameters
        ----------
        X : array-like, shape (N, *input_shape)

        Returns
        -------
        ndarray
            The samples in the network's dtype; X itself where it has it already.

        Raises
        ------
        ShapeError
            If the samples have another shape.
        DataError
            If they are not numbers.
        """
        batch = np.asarray(X)
        if batch.dtype.kind not in "iubf":
            raise DataError(f"X must hold numbers, found {batch.dtype}.")
        if batch.shape[1:] != self.input_shape or batch.ndim == 0:
            expected = ", ".join(["N", *map(str, self.input_shape)])
            raise ShapeError(f"X has shape {batch.shape}, the network takes ({expected}).")
        if batch.dtype == self.dtype:
            return batch
        with np.errstate(over="ignore"):  # what float32 can't hold becomes infinite, as it should
            return batch.astype(self.dtype)

    def forward(self, X: Array, trace: Trace | None = None) -> Array:
        """Compute the logits of a batch in one pass.

        Parameters
        ----------
        X : ndarray, shape (N, *input_shape)
            Samples of the network's dtype; `inputs` makes them so.
        trace : Trace, optional
            The trace for all that the pass leaves behind. A fresh one unless given.

        Returns
        -------
        ndarray, shape (N, K)
            It lies in the trace's memory: a later pass with the same trace overwrites it.
        """
        return self.body.forward(self.params, X, Trace() if trace is None else trace)

    def backward(self, dlogits: Array, trace: Trace, gradient: ParameterVector) -> Array | None:
        """Compute the gradient of every parameter from that of the logits.

        Parameters
        ----------
        dlogits : ndarray, shape (N, K)
            The gradient of the loss with respect to the logits.
        trace : Trace
            The trace that `forward` filled.
        gradient : ParameterVector
            The vector to write to; ``net.parameters.like()`` makes one.

        Returns
        -------
        ndarray, shape (N, *input_shape), or None
            The gradient with respect to the input, where `trace.wants_dx` is true.
        """
        return self.body.backward(self.params, dlogits, trace, gradient.tree)

    def update_state(self, trace: Trace) -> None:
        """Let each layer update what it keeps, after a training pass that left `trace`."""
        self.body.update_state(self.params, trace)

    def squared_norm(self, vector: ParameterVector, names: Iterable[str]) -> float:
        """Return the sum of squares of some arrays of a vector of this network's parameters.

        Parameters
        ----------
        vector : ParameterVector
            Parameters, or their gradient.
        names : iterable of str
            The arrays that count.
        """
        return sum(float(np.vdot(vector[name], vector[name])) for name in names)

    @cached_property
    def widest_output(self) -> int:
        """The most numbers that a layer's output has for one sample."""
        return max(math.prod(shape) for shape in self.summary().output_shapes)

    @cached_property
    def multiplications(self) -> int:
        """The number of multiplications that one sample costs on its way up, about.

        Each parameter meets a sample once, or once at each place of a picture.
        """
        rows = self.summary().rows
        return sum(row.parameters * math.prod(row.output_shape[:-1]) for row in rows)

    def summary(self) -> Summary:
        """Return a table of the layers: shapes of parameters and output, counts and memory."""
        return summarize(self.body, self.input_shape, self.dtype)


def _checked_shape(input_shape: Any) -> tuple[int, ...]:
    sizes = tuple(input_shape) if isinstance(input_shape, tuple | list) else ()
    if not sizes or not all(isinstance(size, int | np.integer) and size > 0 for size in sizes):
        raise UsageError(
            "input_shape is the shape of one sample, such as (2,) or (64, 64, 3); found "
            f"{input_shape!r}."
        )
    return tuple(map(int, sizes))


def _merged(parameters: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    merged = dict(parameters)
    for name, kept in state.items():
        merged[name] = _merged(merged.get(name, {}), kept) if isinstance(kept, dict) else kept
    return merged
