"""What L-BFGS minimises: the loss of all samples as a function of one vector."""

from typing import Any

import numpy as np

from clearprop.backend import choose_threads
from clearprop.estimators.fitting.passes import LayerPasses
from clearprop.estimators.rows import chunk_rows
from clearprop.fused import FusedGradient, is_plain_chain
from clearprop.kernels import compile_if_worthwhile, give_up_compiling
from clearprop.losses import Loss
from clearprop.network import Network
from clearprop.parameters import Array
from clearprop.training.samples import Samples


class Objective:
    """The loss of all samples, with L2, and its gradient, as functions of one vector.

    Parameters
    ----------
    engine : Network
        Its parameters are those of the last call.
    loss : Loss
    samples : Samples
        Of an array or `SparseRows`.
    alpha : float
        L2, as scikit-learn scales it.
    threads : int, optional
        How many are asked for.
    calls : int, default 1
        How many there may be.

    Attributes
    ----------
    passes : LayerPasses or FusedGradient
        Compiled passes where they pay and know the network.
    blas_threads : int
        How many threads a product is to have meanwhile.
    """

    def __init__(
        self,
        engine: Network,
        loss: Loss,
        samples: Samples,
        alpha: float,
        *,
        threads: int | None = None,
        calls: int = 1,
    ) -> None:
        self.engine, self.alpha = engine, alpha
        X, y, weights = samples.X, samples.y, samples.weights
        self.total = float(len(y)) if weights is None else float(weights.sum())
        parameters, chunks = engine.parameters.data.size, -(-len(y) // chunk_rows(engine))
        compiles = compile_if_worthwhile(parameters, calls * chunks)
        flat = isinstance(X, np.ndarray) and X.flags.c_contiguous
        self.passes = _passes(
            *(engine, loss, X, y, weights),
            choose_threads(parameters, len(y), threads),
            compiled=compiles and flat and is_plain_chain(engine, loss),
        )
        self.gradient, self.blas_threads = self.passes.gradient, self.passes.blas_threads

    def __call__(self, vector: Array) -> tuple[float, Array]:
        """Return the loss, and a new array, its gradient, at a vector of parameters."""
        self.move_to(vector)
        loss = self.passes() + self._regularize()
        return loss, self.gradient.data.copy()

    def start(self) -> Array:
        """Return the vector that stands for the present parameters."""
        return self.engine.parameters.data.copy()

    def is_flat(self, gradient: Array, tolerance: float) -> bool:
        """Whether no parameter has a gradient above a tolerance."""
        return bool(max(gradient.max(), -gradient.min()) <= tolerance)

    def move_to(self, vector: Array) -> None:
        """Write a vector of parameters into the engine."""
        self.engine.parameters.data[...] = vector

    def finish(self, vector: Array) -> None:
        """Leave the parameters of a vector in the network."""
        self.move_to(vector)

    def _regularize(self) -> float:
        """Add L2's gradient, and return what it adds to the loss."""
        parameters = self.engine.parameters
        for name in parameters.decayed:
            self.gradient[name][...] += self.alpha / self.total * parameters[name]
        squares = self.engine.squared_norm(parameters, parameters.decayed)
        return 0.5 * self.alpha / self.total * squares


def _passes(*given: Any, compiled: bool) -> LayerPasses | FusedGradient:
    """Make the passes; those of the layers, with a warning, where compiling fails."""
    if compiled:
        try:
            return FusedGradient(*given)
        except Exception as error:  # a broken Numba may raise anything
            give_up_compiling(error)
    return LayerPasses(*given)
