"""What larger batches and local steps cost: the rows that a goal takes, on two sets of data.

Digits, and a table drawn from a network of random weights, a tenth of whose classes are drawn anew.
An update is plain gradient descent. Every case is trained with each of a row of learning rates and
several seeds; what counts is the rate whose mean over the seeds is best. Workers that do local
steps hold neighbouring rows, shuffle them for themselves, and average their weights.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import mean
from typing import Any

import numpy as np

import clearprop as cp
from bench.scaling.batches import critical_batch, noise_scale
from bench.timing import say
from clearprop.core.blas import blas_threads
from clearprop.core.parameters import Array

LOCAL_STEPS = (1, 2, 4, 8, 16)
WORKERS, ROWS = 16, 8  # of those that do local steps, and of each one's batch
# The likely ones first: what needs more rows than the best so far is given up early.
_RATES = sorted((2.0 ** (power / 2) for power in range(-10, 5)), key=lambda rate: abs(rate - 0.5))
_SEEDS = range(3)
_NEXT_LOOK = 1.02  # times the rows of the last one: what is counted is right to 2%


@dataclass(frozen=True, eq=False)
class Goal:
    """What is learned, and when it is learned well enough.

    Parameters
    ----------
    X, y : ndarray
        The samples that are learned from.
    hidden : int
        The units of the only hidden layer.
    shown : tuple of ndarray
        The samples whose loss is looked at: X and y.
    loss : float
        The mean loss on them at which a training ends.
    batches : tuple of int
        The rows of a batch that are tried.
    passes : int
        How often all rows are seen before a training is given up.
    """

    X: Array
    y: Array
    hidden: int
    shown: tuple[Array, Array]
    loss: float
    batches: tuple[int, ...]
    passes: int

    def network(self, seed: int) -> cp.Network:
        """Return a new network for it."""
        return cp.Network(
            [cp.Dense(self.hidden), cp.ReLU(), cp.Dense(int(self.y.max()) + 1)],
            loss=cp.SoftmaxCrossEntropy(),
            input_shape=self.X.shape[1:],
            seed=seed,
            dtype="float32",
        )

    def missing(self, network: cp.Network) -> float:
        """Return how much of its loss is above the goal."""
        X, y = self.shown
        return float(network.loss(network.logits(X), y, None)[0]) - self.loss


def digits() -> Goal:
    """Return the goal of knowing the digits: a mean loss of 0.1 on those that are learned from."""
    data = cp.load_data("digits")
    order = np.random.RandomState(0).permutation(len(data.y))  # neighbours are of one writer
    X = np.asarray(data.X, np.float32)[order].reshape(len(order), -1) / 255
    y = data.y[order]
    return Goal(X, y, 64, (X, y), 0.1, tuple(2**power for power in range(2, 11)), passes=400)


def table() -> Goal:
    """Return the goal of knowing a table of 100,000 drawn rows, by others of the same kind."""
    random = np.random.RandomState(0)
    X = random.standard_normal((102_000, 25)).astype(np.float32)
    hidden = np.maximum(X @ random.standard_normal((25, 16)), 0)
    score = hidden @ random.standard_normal(16)
    y = (score > np.median(score)).astype(int)
    drawn = random.uniform(size=len(y)) < 0.1
    y[drawn] = random.randint(0, 2, drawn.sum())
    batches = tuple(2**power for power in range(4, 13))
    return Goal(X[:100_000], y[:100_000], 64, (X[100_000:], y[100_000:]), 0.4, batches, passes=10)


GOALS: dict[str, Callable[[], Goal]] = {"digits": digits, "table": table}


def rows_in_turn(rows: Array, batch: int, random: np.random.RandomState) -> Iterator[Array]:
    """Give batches of rows without end, all rows once before one comes again."""
    while True:
        order = random.permutation(rows)
        for start in range(0, len(order) - batch + 1, batch):
            yield order[start : start + batch]


def averaged(
    goal: Goal, batch: int, rate: float, seed: int, workers: int = 1, steps: int = 1
) -> Iterator[tuple[cp.Network, int]]:
    """Train; give the network and the rows that were seen, each time that weights are averaged.

    Parameters
    ----------
    goal : Goal
    batch : int
        Rows of each worker's batch.
    rate : float
    seed : int
    workers : int
        With one it is plain gradient descent.
    steps : int
        The updates that each worker does by itself in between.
    """
    network = goal.network(seed)
    optimizer = cp.SGD(rate)
    random = np.random.RandomState(seed)
    shares = np.array_split(np.arange(len(goal.y)), workers)
    batches = [rows_in_turn(share, batch, random) for share in shares]
    total, gradient = network.parameters.like(), network.parameters.like()
    begun, state = network.parameters.copy(), optimizer.start(network.parameters)
    seen = 0
    while True:
        begun.data[...], total.data[...] = network.parameters.data, 0
        for mine in batches:
            network.parameters.data[...] = begun.data
            for _ in range(steps):
                rows = next(mine)
                network.loss_and_gradient(goal.X[rows], goal.y[rows], gradient=gradient)
                optimizer.step(network.parameters, gradient, state, 0)
            total.data[...] += network.parameters.data
        network.parameters.data[...] = total.data / workers
        seen += workers * steps * batch
        yield network, seen


def rows_to(goal: Goal, training: Iterator[tuple[cp.Network, int]], most: float) -> float:
    """Return the rows that are seen until the goal is reached; infinity if those are too many."""
    at_first, look = goal.missing(goal.network(0)), 0.0
    for network, seen in training:
        if seen < look:
            continue
        look = _NEXT_LOOK * seen
        missing = goal.missing(network)
        if missing <= 0:
            return float(seen)
        if seen >= most or not missing < 4 * at_first:
            break
    return float("inf")


def best_rate(case: Callable[[float, int, float], float], most: float) -> dict[str, float]:
    """Return the mean rows by the best rate, their standard error, and this rate.

    Parameters
    ----------
    case : callable
        Takes a rate, a seed, and the rows after which it need not go on; returns rows.
    most : float
        Such rows, as long as no rate has reached the goal.
    """
    found = {"rows": float("inf"), "error": 0.0, "rate": 0.0}
    for rate in _RATES:
        left, rows = len(_SEEDS) * min(most, found["rows"]), list[float]()
        for seed in _SEEDS:
            rows.append(case(rate, seed, left - sum(rows)))
            if not sum(rows) < left:
                break
        else:
            error = float(np.std(rows, ddof=1)) / len(rows) ** 0.5
            found = {"rows": mean(rows), "error": error, "rate": rate}
    return found


def measure(name: str) -> dict[str, Any]:
    """Return what a goal takes, by the rows of a batch, and by the local steps of workers."""
    goal = GOALS[name]()
    most = float(goal.passes * len(goal.y))

    def of(rate: float, seed: int, left: float, batch: int, **given: int) -> float:
        return rows_to(goal, averaged(goal, batch, rate, seed, **given), left)

    batches, local = {}, {}
    with blas_threads(1), np.errstate(all="ignore"):  # of rates that are too large
        for batch in goal.batches:
            batches[batch] = best_rate(partial(of, batch=batch), most)
            say(f" {name}, batches of {batch}: {batches[batch]}")
        for steps in LOCAL_STEPS:
            case = partial(of, batch=ROWS, workers=WORKERS, steps=steps)
            local[steps] = best_rate(case, most)
            say(f" {name}, {steps} local steps: {local[steps]}")
        need = critical_batch({batch: one["rows"] / batch for batch, one in batches.items()})
        noise = _noise(goal, batches[32]["rate"], need.rows)
    kept = {"batches": batches, "local": local, "noise": noise}
    return kept | {"critical": need.critical, "rows": need.rows}


def _noise(goal: Goal, rate: float, rows: float) -> dict[str, float]:
    """Return the noise scale after some shares of the rows that a goal takes."""
    training, scales = averaged(goal, 32, rate, 0), {}
    for share in (0.1, 0.5, 1.0):
        network = next(network for network, seen in training if seen >= share * rows)
        scales[f"{share:g}"] = noise_scale(network, goal.X, goal.y)
    return scales
