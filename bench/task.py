"""One training, described so that every peer does the very same: data, weights, batches, rule."""

import json
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from bench import fronts
from bench.fronts import Front

Array: TypeAlias = NDArray[Any]
Weights: TypeAlias = list[tuple[Array, Array]]
"""Weights: for each Dense layer, from the input on, W (inputs, units) and b (units,).

Those of a front come first, as `bench.fronts.shapes` has them.
"""

MOMENTUM = 0.9

NEGLIGIBLE = 1e-16
"""An epsilon of Adam so small that it does not matter where it stands.

Algorithm 1 of Adam's paper adds it to the root of the corrected second moment, and so do clearprop
and PyTorch; scikit-learn and Keras add it to the root of the moment itself, as the paper's text
proposes. With the usual 1e-8 that is another training, 3e-4 apart after ten updates.
"""


@dataclass(frozen=True)
class Rule:
    """A network and its training; hidden layers are ReLU, the loss is that of the outputs.

    Parameters
    ----------
    widths : tuple of int
        Units of every layer: a last 1 means one sigmoid output, more mean softmax.
    steps : int
        Updates in all.
    batch_size : int or None
        The samples of a batch; None for all samples, in order.
    optimizer : str
        "sgd", "momentum" (0.9) or "adam" (0.9, 0.999, `epsilon`).
    learning_rate : float
    he : bool
        Whether first weights have variance 2 / inputs, rather than 1 / inputs.
    dropout : float
        Share of hidden units dropped, for peers that can.
    epsilon : float
        Adam's.
    front : sequence
        Convolutions before the Dense layers, of pictures; see `bench.fronts.Front`.
    cycle : bool
        Whether the learning rate rises first, and then falls: `clearprop.OneCycleSchedule`.
    every : int or None
        The updates between two looks at the test set; those of an epoch where it is None.
    """

    widths: tuple[int, ...]
    steps: int
    batch_size: int | None
    optimizer: str
    learning_rate: float
    he: bool = True
    dropout: float = 0.0
    epsilon: float = 1e-8
    front: Front = ()
    cycle: bool = False
    every: int | None = None


@dataclass(frozen=True, eq=False)
class Task:
    """A rule and the arrays it is applied to.

    Parameters
    ----------
    rule : Rule
    X : ndarray, shape (N, D), or (N, H, W, C) where there is a front, float32 or float64
    y : ndarray of int64, shape (N,)
        Class numbers.
    X_test, y_test : ndarray
        The samples to predict; empty where there are none.
    """

    rule: Rule
    X: Array
    y: Array
    X_test: Array = field(default_factory=lambda: np.empty((0, 0)))
    y_test: Array = field(default_factory=lambda: np.empty(0, np.int64))

    @cached_property
    def weights(self) -> Weights:
        """The first weights: normal, drawn as (units, inputs) from seed 1, as was published."""
        random_state = np.random.RandomState(1)
        drawn: Weights = []
        front, picture = self.rule.front, self.X.shape[1:]
        for shape, biases in fronts.shapes(front, picture) if front else ():
            scale = np.sqrt(2.0 / np.prod(shape[:-1]))
            W = random_state.standard_normal(shape) * scale if len(shape) > 1 else np.ones(shape)
            drawn.append((W.astype(self.X.dtype), np.zeros(biases, self.X.dtype)))
        inputs = prod(fronts.features(front, picture) if front else picture)
        for units in self.rule.widths:
            scale = np.sqrt((2.0 if self.rule.he else 1.0) / inputs)
            W = random_state.standard_normal((units, inputs)).T * scale
            drawn.append((np.ascontiguousarray(W, self.X.dtype), np.zeros(units, self.X.dtype)))
            inputs = units
        return drawn

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """The samples (steps, batch_size) of every update: shuffled once an epoch from seed 0."""
        size = self.rule.batch_size
        if size is None:
            raise ValueError("Training on all samples at once has no batches.")
        random_state = np.random.RandomState(0)
        epochs = -(-self.rule.steps // self.steps_per_epoch)
        order = [random_state.permutation(len(self.X)) for _ in range(epochs)]
        return np.concatenate(order).reshape(-1, size)[: self.rule.steps]

    @property
    def steps_per_epoch(self) -> int:
        """Updates that see every sample once; batches divide the samples evenly."""
        return 1 if self.rule.batch_size is None else len(self.X) // self.rule.batch_size

    @property
    def every(self) -> int:
        """The updates between two looks at the test set."""
        return self.rule.every or self.steps_per_epoch

    def epochs(self, first: int, last: int) -> list[slice]:
        """Cut the updates `first` to `last` where epochs end."""
        return _cut(first, last, self.steps_per_epoch)

    def stretches(self, first: int, last: int) -> list[slice]:
        """Cut the updates `first` to `last` where the test set is looked at."""
        return _cut(first, last, self.every)

    def rate(self, first: int) -> float:
        """Return the learning rate of the stretch that begins with update `first`.

        It is constant but where there is dropout, which long trainings have: then it falls along
        half a cosine. Of a cycle it is the one in the middle of the stretch.
        """
        rate = self.rule.learning_rate
        if self.rule.cycle:
            # Not above: others' processes, whose memory is measured, have no need of it.
            from clearprop.core.schedules import OneCycleSchedule

            return OneCycleSchedule(rate, self.rule.steps)(first + self.every // 2)
        if not self.rule.dropout:
            return rate
        return rate * 0.5 * float(1 + np.cos(np.pi * first / self.rule.steps))

    def shortened(self, samples: int, steps: int) -> "Task":
        """Return the same task on its first samples, for fewer updates."""
        rule = replace(self.rule, steps=min(steps, self.rule.steps))
        return Task(rule, self.X[:samples], self.y[:samples], self.X_test, self.y_test)

    def save(self, path: Path) -> None:
        """Write it to a file, so that every process reads the same numbers."""
        arrays = {"X": self.X, "y": self.y, "X_test": self.X_test, "y_test": self.y_test}
        contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        save_file(contiguous, path, {"rule": json.dumps(asdict(self.rule))})

    @classmethod
    def load(cls, path: Path) -> "Task":
        """Read what `save` wrote."""
        with safe_open(path, "numpy") as file:
            rule = json.loads(file.metadata()["rule"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
        plain = {"widths": tuple(rule["widths"]), "front": fronts.frozen(rule["front"])}
        return cls(Rule(**rule | plain), **arrays)


def _cut(first: int, last: int, size: int) -> list[slice]:
    """Cut `first` to `last` at the multiples of a size."""
    return [
        slice(max(start, first), min(start + size, last))
        for start in range(first // size * size, last, size)
    ]


def logits_of(weights: Weights, X: Array, front: Front = ()) -> NDArray[np.float64]:
    """Compute the logits (N, K) in float64, by the formula alone."""
    a = X.astype(np.float64, copy=False)
    if front:
        a = fronts.features_of(front, weights, a)
        weights = weights[len(list(fronts.shapes(front, X.shape[1:]))) :]
    for W, b in weights[:-1]:
        a = np.maximum(a @ W.astype(np.float64) + b, 0)
    W, b = weights[-1]
    return a @ W.astype(np.float64) + b


def loss_of(weights: Weights, X: Array, y: Array, front: Front = ()) -> float:
    """Compute the mean cross-entropy in float64: what the peers' results are compared by."""
    z = logits_of(weights, X, front)
    if z.shape[1] == 1:
        z = np.hstack([np.zeros_like(z), z])
    return float(np.mean(np.logaddexp.reduce(z, axis=1) - z[np.arange(len(z)), y]))
