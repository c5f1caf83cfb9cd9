"""Small data, small networks, and rows that remember who asked for them."""

from typing import Any

import numpy as np

import clearprop as cp
from clearprop.core.parameters import Array
from clearprop.network import Network


def two_classes(samples: int = 23, features: int = 3) -> tuple[Array, Array]:
    """Return X (N, D) and y (N,) of 0 and 1, which overlap."""
    random_state = np.random.RandomState(5)
    X = random_state.standard_normal((samples, features))
    y = (X[:, 0] + 0.5 * random_state.standard_normal(samples) > 0).astype(np.int64)
    return X, y


def small_network(
    *layers: cp.Layer, inputs: int = 3, seed: int = 1, dtype: Any = np.float64
) -> Network:
    """Return a network of one logit; without layers it has one hidden layer of four units."""
    body = layers or (cp.Dense(4), cp.Tanh())
    return Network(
        [*body, cp.Dense(1)],
        loss=cp.BinaryCrossEntropy(),
        input_shape=(inputs,),
        seed=seed,
        dtype=dtype,
    )


class RecordedRows:
    """Rows that are prepared as they are asked for, with a record of which were.

    Parameters
    ----------
    rows : ndarray, shape (N, D)

    Attributes
    ----------
    asked : list of list of int
        The row numbers of each request.
    """

    def __init__(self, rows: Array) -> None:
        self.rows = rows
        self.shape = rows.shape
        self.dtype = rows.dtype
        self.asked: list[list[int]] = []

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: slice | Array) -> Array:
        self.asked.append(np.arange(len(self))[rows].tolist())
        return self.rows[rows]


class Recorder(cp.Callback):
    """Keeps the weights and the state after every epoch, and the loss of every update."""

    def __init__(self) -> None:
        self.weights: list[Array] = []
        self.states: list[Array] = []
        self.losses: list[float] = []

    def on_step_end(self, run: cp.Run) -> None:
        self.losses.append(run.loss)

    def on_epoch_end(self, run: cp.Run) -> None:
        self.weights.append(run.write_back().parameters.data.copy())
        self.states.append(run.write_back().state.data.copy())


def without_seconds(history: cp.History) -> list[dict[str, float]]:
    """Return the rows without the one column that no two runs share."""
    return [
        {name: value for name, value in row.items() if name != "seconds"} for row in history.rows
    ]
