"""The network that stands for another one, and its samples, which are row numbers."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from clearprop.layers import Dense
from clearprop.network import Network
from clearprop.parameters import Array, ParameterVector
from clearprop.sample_space.layer import SampleDense

_COLUMNS = 4096  # features that are brought to float64 at a time


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
        self.place = _place_of_dense(network)
        self.X = X.reshape(len(X), -1)
        others = self.X[:0] if held_out is None else held_out.reshape(len(held_out), -1)
        units = self._theirs("W").shape[1]
        bias = f"{self.place}.b" in network.parameters
        super().__init__(
            [SampleDense(len(X), units, bias), *network.layers[self.place + 1 :]],
            loss=network.loss,
            input_shape=(1,),
            seed=network.seed,
            dtype=np.float64,
        )
        for mine, theirs in self._shared():
            mine[...] = theirs
        self.rows = (self.X, others)
        self.K = np.zeros((len(X) + len(others), len(X)))
        for columns in _column_blocks(self.X):
            own, other = (_float64(part[:, columns]) for part in self.rows)
            self.K[: len(X)] += own @ own.T  # one and the same twice: half the work, to BLAS
            self.K[len(X) :] += other @ own.T
        self._params["0"]["K"] = self.K
        self.start_from(self._theirs("W").copy())

    @property
    def remark(self) -> str:
        """What a person should be told."""
        samples, features = self.X.shape
        return (
            f"training in sample space: {features / samples:.0f} times fewer operations in the "
            "first layer, same result"
        )

    def start_from(self, W_0: Array) -> None:
        """Take W_0 (D, M), which `a` scales: the first layer's weights before training."""
        self.W_0 = W_0
        self.Z_0 = np.zeros((len(self.K), W_0.shape[1]))
        for columns in _column_blocks(self.X):
            own, other = (_float64(part[:, columns]) for part in self.rows)
            self.Z_0[: len(own)] += own @ W_0[columns]
            self.Z_0[len(own) :] += other @ W_0[columns]
        self._params["0"]["Z_0"] = self.Z_0
        self.squared_W_0 = float(np.vdot(W_0, W_0))

    def write_back(self) -> Network:
        """Give the target the weights that this network stands for, and return it.

        W = a W_0 + X.T C costs about as much as one step of plain training.
        """
        W, a, C = self._theirs("W"), self.parameters["0.a"], self.parameters["0.C"]
        for columns in _column_blocks(self.X):
            block = _float64(self.X[:, columns])
            W[columns] = a * self.W_0[columns] + block.T @ C
        for mine, theirs in self._shared():
            theirs[...] = mine
        return self.target

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
            K, Z_0 = self.K[own], self.Z_0[own]
            total += v * v * self.squared_W_0 + 2 * v * float(np.vdot(Z_0, U))
            total += float(np.vdot(U, K @ U))
        return max(total, 0.0)  # rounding may lead just below

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
                if name not in {"0.C", "0.a"}:
                    yield array, theirs[f"{int(place) + self.place}.{rest}"]


class RowNumbers:
    """The numbers first, first + 1, ..., as samples: a batch of them is a slice or an array.

    Parameters
    ----------
    first, count : int
    """

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


def _column_blocks(X: Array) -> Iterator[slice]:
    for start in range(0, X.shape[1], _COLUMNS):
        yield slice(start, start + _COLUMNS)


def _float64(block: Array) -> Array:
    return block.astype(np.float64, copy=False)


def _place_of_dense(network: Network) -> int:
    return next(place for place, layer in enumerate(network.layers) if isinstance(layer, Dense))
