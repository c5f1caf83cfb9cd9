"""How many updates a goal takes, by the rows of a batch.

An update of B rows brings as much as the noise of its gradient lets it: a goal takes
``S = S_min (1 + B_crit / B)`` updates, and so ``S B = E_min (1 + B / B_crit)`` rows (McCandlish,
Kaplan, Amodei and the OpenAI Dota Team, "An Empirical Model of Large-Batch Training", 2018, section
2). A batch of the critical size takes twice the fewest updates, and twice the fewest rows.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

import clearprop as cp
from clearprop.core.parameters import Array


@dataclass(frozen=True)
class Need:
    """What a goal takes.

    Parameters
    ----------
    critical : float
        The rows of a batch of the critical size.
    rows : float
        The rows that are seen at least, in very small batches.
    """

    critical: float
    rows: float

    def updates(self, batch: float) -> float:
        """Return the updates that a goal takes in batches of a size."""
        return self.rows / self.critical * (1 + self.critical / batch)

    def rows_seen(self, batch: float) -> float:
        """Return the rows that are seen until then."""
        return batch * self.updates(batch)


def best_batch(need: Need, seconds: Callable[[int], float], batches: Iterable[int]) -> int:
    """Return the batch by which the goal is reached soonest.

    Parameters
    ----------
    need : Need
    seconds : callable
        Takes the rows of a batch, and returns the seconds of an update.
    batches : iterable of int
    """
    return min(batches, key=lambda batch: need.updates(batch) * seconds(batch))


def critical_batch(updates: Mapping[int, float]) -> Need:
    """Return the need that fits counted updates best, by least squares of relative errors.

    Parameters
    ----------
    updates : mapping of int to float
        The updates that a goal took, by the rows of a batch; of two sizes at least.
    """
    batches = np.array([*updates], float)
    counts = np.array([*updates.values()], float)
    columns = np.stack([np.ones_like(batches), 1 / batches], axis=1) / counts[:, None]
    (fewest, rows), *_ = np.linalg.lstsq(columns, np.ones_like(counts))
    return Need(critical=rows / fewest, rows=rows)


def noise_scale(
    network: cp.Network, X: Array, y: Array, rows: int = 16, draws: int = 200, seed: int = 0
) -> float:
    """Return the noise of the gradient of one row against the gradient of all, tr(Σ) / |G|².

    It says about what the critical batch is, from some small batches (McCandlish et al., appendix
    A.1: both estimates are unbiased).

    Parameters
    ----------
    network : clearprop.Network
        In the midst of its training: the noise grows as the loss falls.
    X, y : ndarray
        All samples.
    rows : int
        Of a small batch.
    draws : int
        Of these.
    seed : int
    """
    random = np.random.RandomState(seed)

    def squared_norm(some: Array | slice) -> float:
        _, gradient = network.loss_and_gradient(X[some], y[some])
        return float(np.square(gradient.data, dtype=float).sum())

    small = np.mean([squared_norm(random.choice(len(X), rows)) for _ in range(draws)])
    every = squared_norm(slice(None))
    noise = (small - every) / (1 / rows - 1 / len(X))
    signal = (len(X) * every - rows * small) / (len(X) - rows)
    return float(noise / signal)
