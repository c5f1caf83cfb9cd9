"""L-BFGS over few samples of very many features, in the coordinates that the samples span.

With X.T = Q R, Q (D, N) orthonormal, the weights of the first layer are W = Q U + v P. P, of length
1, is what no sample sees of them before training: X W = R.T U, and only L2 pulls at v. Going from W
to (U, v) is a rotation. L-BFGS adds and scales gradients by their inner products, which a rotation
leaves alone, so that it takes the same steps, over N numbers for each unit instead of D.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.linalg import qr, solve_triangular

from clearprop.backend import blas_threads
from clearprop.estimators.fitting.objective import Objective
from clearprop.losses import Loss
from clearprop.network import Network
from clearprop.parameters import Array
from clearprop.training.samples import Samples

_VECTORS = 700  # what L-BFGS does to each weight in an iteration, in multiplications
_CONDITION = 100  # of X, whose square is lost of the precision
_COLUMNS = 1024  # features whose gradient is looked at at a time


def is_worthwhile(network: Network, X: Any, wanted: bool | str, *, iterations: int) -> bool:
    """Whether the rotation costs less than it saves.

    Parameters
    ----------
    network : Network
    X : ndarray or SparseRows, shape (N, D)
        Sparse rows are never rotated.
    wanted : "auto" or bool
        False says no; otherwise the multiplications are counted.
    iterations : int
        How many there may be.
    """
    features, units = network.parameters["0.W"].shape
    plain = iterations * units * (4 * len(X) + _VECTORS)
    saves = features > 2 * len(X) and plain > 4 * len(X) ** 2
    return saves and wanted is not False and isinstance(X, np.ndarray)


class ReducedObjective(Objective):
    """The same loss as a function of (U, v) and of the other layers' parameters.

    Parameters
    ----------
    network : Network
        It changes in `finish` only.
    loss : Loss
    samples : Samples
        Of an array.
    alpha, threads, calls
        As of `Objective`.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        samples: Samples,
        alpha: float,
        *,
        threads: int | None,
        calls: int,
    ) -> None:
        self.target = network
        self.B, self.T, R = _basis(samples.X)
        W_0 = network.parameters["0.W"]
        U = self.T.T @ (self.B @ W_0)
        self.P = W_0 - self.B.T @ (self.T @ U)
        self.v = float(np.linalg.norm(self.P))
        self.P /= self.v or 1.0
        small = Network(network.layers, loss=network.loss, input_shape=(len(samples),))
        for name, array in small.parameters.items():
            array[...] = U if name == "0.W" else network.parameters[name]
        rotated = replace(samples, X=np.ascontiguousarray(R.T))
        super().__init__(small, loss, rotated, alpha, threads=threads, calls=calls)

    def start(self) -> Array:
        """Return the vector that stands for the present parameters."""
        return np.append(super().start(), self.v)

    def __call__(self, vector: Array) -> tuple[float, Array]:
        """Return loss and gradient at a vector of parameters, and of v."""
        loss, gradient = super().__call__(vector)
        pull = self.alpha / self.total
        return loss + 0.5 * pull * self.v**2, np.append(gradient, pull * self.v)

    def move_to(self, vector: Array) -> None:
        """Write a vector into the engine."""
        self.v = float(vector[-1])
        super().move_to(vector[:-1])

    def largest_gradient(self, tolerance: float) -> float:
        """Return 0: rotated gradients have other largest numbers."""
        return 0.0

    def is_flat(self, tolerance: float) -> bool:
        """Whether no parameter of the target has a gradient above a tolerance, at the last call."""
        others = (array for name, array in self.gradient.items() if name != "0.W")
        if any(np.abs(array).max() > tolerance for array in others):
            return False
        dU, pull = self.gradient["0.W"], self.alpha / self.total * self.v
        squares = float(np.vdot(dU, dU)) + pull**2
        if squares > tolerance**2 * self.P.size:  # the largest is no less than the mean
            return False
        turned, blocks = self.T @ dU, range(0, len(self.P), _COLUMNS)
        return all(
            np.abs(self.B[:, d : d + _COLUMNS].T @ turned + pull * self.P[d : d + _COLUMNS]).max()
            <= tolerance
            for d in blocks
        )

    def finish(self, vector: Array) -> None:
        """Give the target the parameters that a vector stands for."""
        self.move_to(vector)
        for name, found in self.engine.parameters.items():
            array = self.target.parameters[name]
            if name == "0.W":
                np.matmul(self.B.T, self.T @ found, out=array)
                array += np.multiply(self.P, self.v, out=self.P)
            else:
                array[...] = found


def _basis(X: Array) -> tuple[Array, Array, Array]:
    """Return B (N, D), T (N, N) and R (N, N) with Q = B.T T, orthonormal, and X.T = Q R.

    R is the Cholesky factor of X X.T, and Q is X.T R^-1, unless samples depend on each other so
    much that squaring X loses what tells them apart.
    """
    try:
        R = np.linalg.cholesky(X @ X.T).T
        T = solve_triangular(R, np.eye(len(R)), check_finite=False)
        if np.linalg.norm(R, 1) * np.linalg.norm(T, 1) < _CONDITION:
            return X, T, R
    except np.linalg.LinAlgError:
        pass
    with blas_threads(1):  # columns wait for each other: several threads take longer
        Q, R = qr(X.T, mode="economic", check_finite=False)
    return Q.T, np.eye(len(R)), R
