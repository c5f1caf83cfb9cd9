"""L-BFGS over few samples of very many features, in the coordinates that the samples span.

With X.T = Q R, Q (D, N) orthonormal, the weights of the first layer are W = Q U + v P. P, of length
1, is the part of them that no sample sees before training: X W = R.T U, and only L2 pulls at v.
Going from W to (U, v) is a rotation. L-BFGS adds and scales gradients by their inner products,
which a rotation leaves alone, so that it takes the same steps, over N numbers for each unit instead
of D.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from clearprop.core.blas import blas_threads
from clearprop.core.initializers import Constant
from clearprop.core.parameters import Array, Parameter, ParameterVector, Params
from clearprop.core.trace import Trace
from clearprop.layers import Built, Dense
from clearprop.losses import Loss
from clearprop.network import LayerStack, Network
from clearprop.training.engines.base import Engine

_ITERATIONS = 50  # that L-BFGS takes, or fewer, to where it ends
_VECTORS = 700  # what it does to each weight in one of them, in multiplications
_BY_PRODUCTS, _BY_COLUMNS = 3, 16  # what a basis costs for each feature, times samples squared
_CONDITION = 100  # of X, whose square is lost of the precision
_POWERS = 20
_COLUMNS = 1024  # features whose gradient is looked at at a time


class Basis(NamedTuple):
    """X.T = Q R with Q = B.T T, orthonormal: B has shape (N, D), T and R have (N, N)."""

    B: Array
    T: Array
    R: Array


@dataclass(frozen=True)
class RotatedDense(Dense):
    """A Dense layer in the coordinates of its samples, beside whose weights there is a v (1,).

    v scales the part of the weights that no sample sees: it has no part in y, and only L2 pulls at
    it.
    """

    weights: ClassVar[str] = "W"

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Take flat samples (N,), give (M,)."""
        built = super().build(in_shape)
        v = Parameter((1,), Constant(1.0), decays=True)
        return Built(built.out_shape, {**built.parameters, "v": v})

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        """Write dW, db and dv; return dx where it is wanted."""
        grads["v"][...] = 0
        return super().backward(params, dy, trace, grads)


class RotatedEngine(Engine):
    """An engine whose first weights are (U, v).

    Parameters
    ----------
    network : Network
        A network whose first layer is Dense. It changes in `write_back` only.
    basis : Basis
        The coordinates of the samples that are trained on.
    """

    is_in_sample_space: ClassVar[bool] = True

    def __init__(self, network: Network, loss: Loss, basis: Basis) -> None:
        self._B, self._T, R = basis
        W_0, rest = network.parameters["0.W"], network.layers[1:]
        first = RotatedDense(W_0.shape[1], bias="0.b" in network.parameters)
        X = np.ascontiguousarray(R.T)
        stack = LayerStack([first, *rest], (len(R),), network.dtype)
        super().__init__(network, loss, X, stack=stack)
        U = self._T.T @ (self._B @ W_0)
        self._P = W_0 - self._B.T @ (self._T @ U)
        length = float(np.linalg.norm(self._P))
        self._P /= length or 1.0
        for name, array in self.parameters.items():
            if name not in {"0.W", "0.v"}:
                array[...] = network.parameters[name]
        self.parameters["0.W"][...], self.parameters["0.v"][...] = U, length
        self.state.data[...] = network.state.data

    def is_flat(self, gradient: ParameterVector, tolerance: float) -> bool:
        """Whether no parameter of the network has a gradient above a tolerance."""
        dU, dv = gradient["0.W"], float(gradient["0.v"][0])
        others = (array for name, array in gradient.items() if name not in {"0.W", "0.v"})
        if any(np.abs(array).max() > tolerance for array in others):
            return False
        squares = float(np.vdot(dU, dU)) + dv**2
        if squares > tolerance**2 * self._P.size:  # the largest is no less than the mean
            return False
        turned, blocks = self._T @ dU, range(0, len(self._P), _COLUMNS)
        return all(
            np.abs(self._B[:, d : d + _COLUMNS].T @ turned + dv * self._P[d : d + _COLUMNS]).max()
            <= tolerance
            for d in blocks
        )

    def kept(self) -> dict[str, Array]:
        """Return P; the rest of the basis follows from the samples."""
        return {"P": self._P}

    def write_back(self) -> Network:
        """Give the network the weights W = Q U + v P, at about the cost of a plain step."""
        for name, array in self.parameters.items():
            if name == "0.W":
                W = np.matmul(self._B.T, self._T @ array, out=self.network.parameters[name])
                W += self._P * self.parameters["0.v"]
            elif name != "0.v":
                self.network.parameters[name][...] = array
        self.network.state.data[...] = self.state.data
        return self.network


def basis_of(network: Network, X: object, iterations: int, threads: int) -> Basis | None:
    """Return the coordinates of samples; None where finding them would not pay.

    Parameters
    ----------
    X : ndarray, shape (N, D)
        Rows of other kinds are never rotated.
    iterations : int
        The number that L-BFGS may take.
    threads : int
        The number of threads of matrix products.
    """
    if not isinstance(X, np.ndarray) or type(network.layers[0]) is not Dense:
        return None
    N, (features, units) = len(X), network.parameters["0.W"].shape
    saved = min(iterations, _ITERATIONS) * units * (4 * N + _VECTORS)
    if features <= 2 * N or saved <= _BY_PRODUCTS * N**2:
        return None
    with blas_threads(threads), np.errstate(over="ignore", invalid="ignore"):
        basis = _by_products(X)
        if basis is None and saved > _BY_COLUMNS * N**2:
            basis = _by_columns(X)
        return basis


def _by_products(X: Array) -> Basis | None:
    """Find R as the Cholesky factor of X X.T, and Q as X.T R^-1.

    None where samples depend on each other so much that squaring X loses what tells them apart.
    """
    from scipy.linalg import solve_triangular  # here, so that importing clearprop stays quick

    try:
        R = np.linalg.cholesky(X @ X.T).T
        T = solve_triangular(R, np.eye(len(R)), check_finite=False)
    except np.linalg.LinAlgError:
        return None
    return Basis(X, T, R) if _norm(R) * _norm(T) < _CONDITION else None


def _by_columns(X: Array) -> Basis:
    """Find Q and R one column after the other, which is exact for any X, and slow."""
    from scipy.linalg import qr

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
