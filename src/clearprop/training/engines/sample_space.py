"""Training the first Dense layer in the space of the samples, where that is the smaller one.

Every gradient of the first layer's weights is X_B.T delta_B: a sum of samples. Gradient descent,
with momentum or without, and L2 or weight decay only ever add gradients and scale what is there, so
the weights never leave

    W_t = a_t W_0 + X.T C_t        a_t a number, C_t (N, M)

and with K = X X.T (N, N) and Z_0 = X W_0 (N, M), computed once,

    X_B W_t = a_t Z_0[B] + K[B] C_t                    the forward pass
    dC[B] = delta_B                                    the whole of the backward pass

While the N samples are few against their D features, that is D / N times less work, and nothing of
size D is touched until somebody asks for the weights. Up to rounding, the numbers are the same.

K and all that is trained here are float64, for a float32 network, too: K's entries are sums of D
products, and single precision would lose the digits in which alike samples differ.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from clearprop.configuration import own
from clearprop.core.initializers import Constant, Zeros
from clearprop.core.parameters import Array, Parameter, ParameterVector, Params
from clearprop.core.trace import Trace
from clearprop.layers import Built, Dense, Flatten, Layer
from clearprop.losses import Loss
from clearprop.network import LayerStack, Network
from clearprop.optimizers import OPTIMIZERS, Optimizer
from clearprop.training.engines.base import CompiledInputs, Engine

_COLUMNS = 4096  # features that are brought to float64 at a time
_MOST_BYTES = 2**30  # that K may take unasked
_UPDATE = 10  # what an optimizer does to one weight in a step, in multiplications
_LARGEST = 1e140  # whose square can be added up over any number of features
_MARGIN = 1.5  # by how much it must be cheaper: setting it up has a price of its own


@dataclass(frozen=True)
class SampleDense(Layer):
    """A Dense layer of known samples, whose numbers come in: y = a Z_0[rows] + K[rows] C + b.

    K (R, N) and Z_0 (R, M) come with the parameters; R - N rows may be of samples held out.

    Parameters
    ----------
    samples : int
        The number N that are trained on.
    units : int
        The number M of outputs.
    """

    samples: int
    units: int
    bias: bool

    weights: ClassVar[str] = "C"

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Take a row number, give (M,)."""
        parameters = {
            "C": Parameter((self.samples, self.units), Zeros(), decays=True),
            "a": Parameter((1,), Constant(1.0), decays=True),
        }
        if self.bias:
            parameters["b"] = Parameter((self.units,), Zeros())
        return Built((self.units,), parameters)

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


class SampleSpaceEngine(Engine):
    """An engine that trains the first Dense layer in sample space; its rows are row numbers.

    Parameters
    ----------
    network : Network
        It changes in `write_back` only.
    X : ndarray, shape (N, *input_shape)
        The samples that are trained on: rows 0 to N - 1.
    held_out : ndarray, shape (H, *input_shape), optional
        Samples that are predicted meanwhile: rows N to N + H - 1.
    """

    is_in_sample_space: ClassVar[bool] = True

    def __init__(self, network: Network, loss: Loss, X: Array, held_out: Array | None) -> None:
        self._place = next(
            place for place, layer in enumerate(network.layers) if isinstance(layer, Dense)
        )
        W_0 = network.parameters[f"{self._place}.W"]
        bias = f"{self._place}.b" in network.parameters
        self._samples = X.reshape(len(X), -1)
        self._others = others = (
            self._samples[:0] if held_out is None else held_out.reshape(len(held_out), -1)
        )
        N = len(X)
        first = SampleDense(N, W_0.shape[1], bias)
        super().__init__(
            network,
            loss,
            RowNumbers(0, N),
            RowNumbers(N, len(others)),
            stack=LayerStack([first, *network.layers[self._place + 1 :]], (1,), np.float64),
        )
        samples, features = self._samples.shape
        self.remark = (
            f"training in sample space: {features / samples:.0f} times fewer operations in the "
            "first layer, same result"
        )
        self.parameters["0.a"][...] = 1.0
        for mine, theirs in self._shared():
            mine[...] = theirs
        self._K = np.zeros((N + len(others), N))
        for columns in self._blocks():
            own, other = _float64(self._samples[:, columns]), _float64(self._others[:, columns])
            self._K[:N] += own @ own.T  # one and the same twice: half the work, to BLAS
            self._K[N:] += other @ own.T
        self._W_0 = W_0.copy()
        self.take_up()

    def take_up(self) -> None:
        """Compute what follows from W_0 (D, M), the first layer's weights before training."""
        N = len(self._samples)
        self._Z_0 = np.zeros((len(self._K), self._W_0.shape[1]))
        for columns in self._blocks():
            W_0 = self._W_0[columns]
            self._Z_0[:N] += _float64(self._samples[:, columns]) @ W_0
            self._Z_0[N:] += _float64(self._others[:, columns]) @ W_0
        self._squared_W_0 = float(np.vdot(self._W_0, self._W_0))
        self.stack.params["0"] |= {"K": self._K, "Z_0": self._Z_0}

    def kept(self) -> dict[str, Array]:
        """Return W_0."""
        return {"W_0": self._W_0}

    def inputs(self, x: Any) -> Any:
        """Take row numbers as they are."""
        return x

    def logits(self, X: Any) -> Array:
        """Compute the logits of all rows in one pass."""
        return self.forward(X[:], Trace())

    def squared_norm(self, vector: ParameterVector, names: Iterable[str]) -> float:
        """Return the sum of squares that some arrays have for the network.

        For V = v W_0 + X.T U it is v^2 |W_0|^2 + 2 v <Z_0, U> + <U, K U>.
        """
        names = set(names)
        total = super().squared_norm(vector, names - {"0.C", "0.a"})
        if "0.C" in names:
            U, v = vector["0.C"], float(vector["0.a"][0])
            own = slice(0, len(self._samples))
            K, Z_0 = self._K[own], self._Z_0[own]
            total += v * v * self._squared_W_0 + 2 * v * float(np.vdot(Z_0, U))
            total += float(np.vdot(U, K @ U))
        return max(total, 0.0)  # rounding may lead just below

    def write_back(self) -> Network:
        """Give the network the weights W = a W_0 + X.T C, at about the cost of a plain step."""
        W, a, C = self._weights_below(), self.parameters["0.a"], self.parameters["0.C"]
        for columns in self._blocks():
            block = _float64(self._samples[:, columns])
            W[columns] = a * self._W_0[columns] + block.T @ C
        for mine, theirs in self._shared():
            theirs[...] = mine
        return self.network

    def moments(self, state: Mapping[str, Array]) -> dict[str, Array]:
        """Return the moments of the network's weights: sums of gradients, as weights are."""
        learned, found = self.parameters.data.copy(), {}
        for name, moment in state.items():
            self.parameters.data[...] = moment
            found[name] = self.write_back().parameters.data.copy()
        self.parameters.data[...] = learned
        self.write_back()
        return found

    def compiled_inputs(self) -> CompiledInputs:
        """Return K and Z_0 of the samples and of those held out."""
        return CompiledInputs(self._K, self._Z_0, self._squared_W_0)

    def _weights_below(self) -> Array:
        return self.network.parameters[f"{self._place}.W"]

    def _blocks(self) -> Iterator[slice]:
        for start in range(0, self._samples.shape[1], _COLUMNS):
            yield slice(start, start + _COLUMNS)

    def _shared(self) -> Iterator[tuple[Array, Array]]:
        """Pair every array that both have with the network's, beginning with the bias."""
        network = self.network
        for mine, theirs in ((self.parameters, network.parameters), (self.state, network.state)):
            for name, array in mine.items():
                place, _, rest = name.partition(".")
                if name not in {"0.C", "0.a"}:
                    yield array, theirs[f"{int(place) + self._place}.{rest}"]


class RowNumbers:
    """The numbers first, first + 1, ..., as samples: a batch of them is a slice or an array."""

    def __init__(self, first: int, count: int) -> None:
        self.first = first
        self.shape = (count,)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, batch: slice | Array) -> slice | Array:
        if isinstance(batch, slice):
            start, stop, _ = batch.indices(len(self))
            return slice(self.first + start, self.first + stop)
        return self.first + batch


def why_not_exact(network: Network, optimizer: Optimizer, X: object) -> str | None:
    """Return the reason why training in sample space is not exact: a clause, "because ...".

    None where it is. X are samples (N, *input_shape), or rows that are prepared as they are asked
    for.
    """
    for layer in network.layers:
        if type(layer) is Dense:  # one that inherits may compute something else
            break
        if type(layer) is not Flatten:
            return f"because {type(layer).__name__} lies below the first Dense layer"
    else:
        return "because there is no Dense layer"
    if not own(type(optimizer), "is_linear"):
        *some, last = (kind.__name__ for kind in OPTIMIZERS.values() if own(kind, "is_linear"))
        return (
            f"because the updates of {type(optimizer).__name__} are not linear in the gradients; "
            f"those of {', '.join(some)} and {last} are"
        )
    if any(rate != 1 for _, rate in network.parameters.stretches):
        return "because not all arrays of the network have the same learning rate"
    if not isinstance(X, np.ndarray):
        return "because the samples are too large to be prepared as a whole"
    largest = max(float(X.max()), -float(X.min()))
    if largest > _LARGEST:
        return f"because products of numbers as large as {largest:.3g} overflow"
    return None


def kernel_bytes(samples: int, held_out: int) -> int:
    """Return the size of the kernel matrix in bytes."""
    return 8 * samples * (samples + held_out)


def fits(samples: int, held_out: int) -> bool:
    """Whether the kernel matrix fits into half of the machine's memory."""
    pages = os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    memory = pages * os.sysconf("SC_PAGE_SIZE") if pages > 0 else 2**32
    return kernel_bytes(samples, held_out) <= memory / 2


def is_cheaper(
    features: int, units: int, samples: int, held_out: int, batch_size: int, updates: int
) -> bool:
    """Whether a whole training costs less in sample space, and its matrix is no burden.

    Parameters
    ----------
    features, units : int
        D and M of the first Dense layer.
    batch_size : int
        The number of samples that an update sees.
    updates : int
        The number of updates that there are to be.

    Returns
    -------
    bool
        True where the multiplications of the first layer, forward, backward and in the optimizer,
        are fewer by half, those that set it up counted, and K takes 1 GiB at most.
    """
    if kernel_bytes(samples, held_out) > _MOST_BYTES:
        return False
    plain = updates * features * units * (2 * batch_size + _UPDATE)
    once = features * (samples * (samples + held_out) + units * (2 * samples + held_out))
    own = updates * samples * units * (batch_size + _UPDATE)
    return plain > _MARGIN * (own + once)


def _float64(block: Array) -> Array:
    return block.astype(np.float64, copy=False)


def _take(array: Array, rows: Array, trace: Trace, name: str) -> Array:
    taken = trace.buffer(name, (len(rows), array.shape[1]), array.dtype)
    return np.take(array, rows, axis=0, out=taken, mode="clip")
