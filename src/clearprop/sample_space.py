"""Training a first Dense layer in the space of the samples, where that is the smaller one.

Every gradient of the first layer's weights is X_B.T delta_B: a sum of samples. Gradient descent, with
momentum or without, and L2 or weight decay only ever add gradients and scale what is there, so the
weights never leave

    W_t = a_t W_0 + X.T C_t        a_t a number, C_t (N, M)

and with K = X X.T (N, N) and Z_0 = X W_0 (N, M), computed once,

    X_B W_t = a_t Z_0[B] + K[B] C_t                    the forward pass
    dC[B] = delta_B                                    the whole of the backward pass

While the N samples are few against their D features, that is D / N times less work, and nothing of
size D is touched until somebody asks for the weights. Up to rounding, the numbers are the same.

K and all that is trained here are float64, for a float32 network, too: K's entries are sums of D
products, and single precision would lose the digits in which alike samples differ.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.initializers import Constant, Zeros
from clearprop.layers import Built, Dense, Flatten, Layer
from clearprop.network import Network
from clearprop.parameters import Array, Parameter, ParameterVector, Params
from clearprop.trace import Trace

_COLUMNS = 4096  # features that are brought to float64 at a time


@dataclass(frozen=True)
class SampleDense(Layer):
    """A Dense layer of known samples, whose numbers come in: y = a Z_0[rows] + K[rows] C + b.

    Parameters
    ----------
    samples : int
        The number N that are trained on; K and Z_0 may have more rows, of samples held out.
    units : int
        The number M of outputs.
    bias : bool
    """

    samples: int
    units: int
    bias: bool

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Take the number of all samples, (R,); give (M,)."""
        rows = in_shape[0]
        parameters = {
            "C": Parameter((self.samples, self.units), Zeros(), decays=True),
            "a": Parameter((1,), Constant(1.0), decays=True),
        }
        if self.bias:
            parameters["b"] = Parameter((self.units,), Zeros())
        kept = {
            "K": Parameter((rows, self.samples), Zeros()),
            "Z_0": Parameter((rows, self.units), Zeros()),
        }
        return Built((self.units,), parameters, kept)

    def forward(self, params: Params, x: Any, trace: Trace) -> Array:
        """Return y (B, M) for a slice or an array of row numbers."""
        trace["rows"] = rows = x
        K, Z_0 = params["K"], params["Z_0"]
        if isinstance(rows, slice):
            K, Z_0 = K[rows], Z_0[rows]
        else:
            K = _take(K, rows, trace, "K")
            Z_0 = _take(Z_0, rows, trace, "Z_0")
        y = trace.buffer("y", Z_0.shape, K.dtype)
        np.matmul(K, params["C"], out=y)
        y += np.multiply(Z_0, params["a"], out=trace.buffer("aZ_0", Z_0.shape, K.dtype))
        if self.bias:
            y += params["b"]
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> None:
        """Write dC and db; samples have no gradient, and W_0 is moved by decay alone."""
        rows, dC = trace["rows"], grads["C"]
        if isinstance(rows, slice) and rows == slice(0, self.samples):
            dC[...] = dy
        else:
            dC[...] = 0
            np.add.at(dC, rows, dy)  # a batch that is drawn may hold a sample twice
        grads["a"][...] = 0
        if self.bias:
            np.sum(dy, axis=0, out=grads["b"])


class SampleNetwork(Network):
    """A network whose first Dense layer is trained in sample space; its input is row numbers.

    Parameters
    ----------
    network : Network
        The one that is to be trained. It changes in `write_back` only.
    X : ndarray, shape (N, *input_shape)
        The samples that are trained on: rows 0 to N - 1.
    held_out : ndarray, shape (H, *input_shape), optional
        Samples that are predicted meanwhile: rows N to N + H - 1.
    """

    def __init__(self, network: Network, X: Array, held_out: Array | None = None) -> None:
        self.target = network
        self.place = first_dense(network)
        self.dense = network.layers[self.place]
        self.X = X.reshape(len(X), -1)
        others = self.X[:0] if held_out is None else held_out.reshape(len(held_out), -1)
        layer = SampleDense(len(X), self.dense.units, self.dense.bias)
        super().__init__(
            [layer, *network.layers[self.place + 1 :]],
            loss=network.loss,
            input_shape=(len(X) + len(others),),
            seed=network.seed,
            dtype=np.float64,
        )
        self.W_0 = self._theirs("W").copy()
        for mine, theirs in self._shared():
            mine[...] = theirs
        own = slice(0, len(self.X))
        for rows, part in ((own, self.X), (slice(len(self.X), None), others)):
            K, Z_0 = self.state["0.K"][rows], self.state["0.Z_0"][rows]
            for columns in _column_blocks(self.X):
                block = part[:, columns].astype(np.float64, copy=False)
                theirs = self.X[:, columns].astype(np.float64, copy=False)
                K += block @ (block if part is self.X else theirs).T
                Z_0 += block @ self.W_0[columns]
        self._norm_of_W_0 = float(np.vdot(self.W_0, self.W_0))

    def write_back(self) -> None:
        """Give the target the weights that this network stands for: W = a W_0 + X.T C."""
        W, a, C = self._theirs("W"), self.parameters["0.a"], self.parameters["0.C"]
        for columns in _column_blocks(self.X):
            block = self.X[:, columns].astype(np.float64, copy=False)
            W[columns] = a * self.W_0[columns] + block.T @ C
        for mine, theirs in self._shared():
            theirs[...] = mine

    def inputs(self, X: Any) -> Any:
        """Take row numbers as they are."""
        return X

    def logits(self, X: Any) -> Array:
        """Compute the logits of a slice of row numbers, in one pass."""
        return self.forward(X[:])

    def squared_norm(self, vector: ParameterVector, names: Iterable[str]) -> float:
        """Return what the sum of squares would be for the target.

        For V = v W_0 + X.T U it is v^2 |W_0|^2 + 2 v <Z_0, U> + <U, K U>.
        """
        names = set(names)
        total = super().squared_norm(vector, names - {"0.C", "0.a"})
        if "0.C" in names:
            U, v = vector["0.C"], float(vector["0.a"][0])
            own = slice(0, len(self.X))
            K, Z_0 = self.state["0.K"][own], self.state["0.Z_0"][own]
            total += v * v * self._norm_of_W_0 + 2 * v * float(np.vdot(Z_0, U))
            total += float(np.vdot(U, K @ U))
        return total

    def _theirs(self, name: str) -> Array:
        return self.target.parameters[f"{self.place}.{name}"]

    def _shared(self) -> Iterator[tuple[Array, Array]]:
        """Pair every array that both networks have, beginning with the bias."""
        for mine, theirs in (
            (self.parameters, self.target.parameters),
            (self.state, self.target.state),
        ):
            for name, array in mine.items():
                place, _, rest = name.partition(".")
                if rest not in {"C", "a", "K", "Z_0"} or place != "0":
                    yield array, theirs[f"{int(place) + self.place}.{rest}"]


def first_dense(network: Network) -> int | None:
    """Return the place of the first Dense layer, if nothing but Flatten lies below it."""
    for place, layer in enumerate(network.layers):
        if isinstance(layer, Dense):
            return place
        if not isinstance(layer, Flatten):
            return None
    return None


def _take(array: Array, rows: Array, trace: Trace, name: str) -> Array:
    taken = trace.buffer(name, (len(rows), array.shape[1]), array.dtype)
    return np.take(array, rows, axis=0, out=taken, mode="clip")


def _column_blocks(X: Array) -> Iterator[slice]:
    for start in range(0, X.shape[1], _COLUMNS):
        yield slice(start, start + _COLUMNS)
