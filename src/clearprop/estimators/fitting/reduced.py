"""L-BFGS over few samples of very many features, in the coordinates that the samples span.

With X.T = Q R, Q (D, N) orthonormal, the weights of the first layer are W = Q U + v P. P, of length
1, is what no sample sees of them before training: X W = R.T U, and only L2 pulls at v. Going from W
to (U, v) is a rotation. L-BFGS adds and scales gradients by their inner products, which a rotation
leaves alone, so that it takes the same steps, over N numbers for each unit instead of D.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.linalg import qr, solve_triangular

from clearprop.backend import blas_threads, choose_threads
from clearprop.estimators.fitting.objective import Objective
from clearprop.estimators.interface import Estimator
from clearprop.losses import Loss
from clearprop.network import Network
from clearprop.parameters import Array
from clearprop.training.samples import Samples

_ITERATIONS = 50  # that L-BFGS takes, or fewer, to where it ends
_VECTORS = 700  # what it does to each weight in one of them, in multiplications
_BY_PRODUCTS, _BY_COLUMNS = 3, 16  # what a basis costs for each feature, times samples squared
_CONDITION = 100  # of X, whose square is lost of the precision
_POWERS = 20
_COLUMNS = 1024  # features whose gradient is looked at at a time


def reduced(
    estimator: Estimator, network: Network, loss: Loss, samples: Samples
) -> "ReducedObjective | None":
    """Return the objective in the samples' coordinates; None where finding those does not pay.

    Parameters
    ----------
    estimator : Estimator
        With `sample_space=False` it never pays.
    network : Network
    loss : Loss
    samples : Samples
        Sparse rows are never rotated.
    """
    X, N = samples.X, len(samples)
    if estimator.sample_space is False or not isinstance(X, np.ndarray):
        return None
    features, units = network.parameters["0.W"].shape
    saved = min(estimator.max_iter, _ITERATIONS) * units * (4 * N + _VECTORS)
    if features <= 2 * N or saved <= _BY_PRODUCTS * N**2:
        return None
    threads = choose_threads(network.parameters.data.size, N, estimator.threads)
    with blas_threads(threads), np.errstate(over="ignore", invalid="ignore"):
        basis = _by_products(X)
        if basis is None and saved > _BY_COLUMNS * N**2:
            basis = _by_columns(X)
        if basis is None:
            return None
        return ReducedObjective(
            basis,
            network,
            loss,
            samples,
            estimator.alpha,
            threads=estimator.threads,
            calls=estimator.max_iter,
        )


class Basis(NamedTuple):
    """X.T = Q R with Q = B.T T, orthonormal: B has shape (N, D), T and R have (N, N)."""

    B: Array
    T: Array
    R: Array


class ReducedObjective(Objective):
    """The same loss as a function of (U, v) and of the other layers' parameters.

    Parameters
    ----------
    basis : Basis
        Of the samples.
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
        basis: Basis,
        network: Network,
        loss: Loss,
        samples: Samples,
        alpha: float,
        *,
        threads: int | None,
        calls: int,
    ) -> None:
        self.target, (self.B, self.T, R) = network, basis
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

    def is_flat(self, gradient: Array, tolerance: float) -> bool:
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


def _by_products(X: Array) -> Basis | None:
    """Find R as the Cholesky factor of X X.T, and Q as X.T R^-1.

    None where samples depend on each other so much that squaring X loses what tells them apart.
    """
    try:
        R = np.linalg.cholesky(X @ X.T).T
        T = solve_triangular(R, np.eye(len(R)), check_finite=False)
    except np.linalg.LinAlgError:
        return None
    return Basis(X, T, R) if _norm(R) * _norm(T) < _CONDITION else None


def _by_columns(X: Array) -> Basis:
    """Find Q and R one column after the other, which is exact for any X, and slow."""
    with blas_threads(1):  # columns wait for each other: several threads take longer
        Q, R = qr(X.T, mode="economic", check_finite=False)
    return Basis(Q.T, np.eye(len(R)), R)


def _norm(A: Array) -> float:
    """Estimate the largest singular value, by powers of A.T A."""
    v, length = np.ones(len(A)), 0.0
    for _ in range(_POWERS):
        v = A.T @ (A @ v)
        length = float(np.linalg.norm(v))
        v /= length
    return length**0.5
