"""Updates with workers of unequal speed, drawn from a seed.

The model's arithmetic, with a time of its own for each worker and update: a star takes answers in
the order in which they come, a tree passes a sum on when both of its parts are there, and halving
goes on when all are. Without stragglers it is the closed form, which a test holds it to.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.scaling.model import Job, Machine, Way, Wire, step

_EXCHANGES = 400


@dataclass(frozen=True)
class Stragglers:
    """How much longer than usual a worker computes.

    Parameters
    ----------
    spread : float
        The standard deviation of the logarithm of the time: 0.05 is about 5%.
    slow : float
        The share of workers that are slow in an update.
    factor : float
        The number of times longer that these take.
    """

    spread: float = 0.0
    slow: float = 0.0
    factor: float = 1.0

    def factors(self, random: np.random.RandomState, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Draw times of updates, where 1 is usual."""
        usual = np.exp(self.spread * random.standard_normal(shape))
        return usual * np.where(random.uniform(size=usual.shape) < self.slow, self.factor, 1.0)


def simulate(
    job: Job,
    machine: Machine,
    wire: Wire,
    workers: int,
    way: Way,
    stragglers: Stragglers,
    local_steps: int = 1,
    exchanges: int = _EXCHANGES,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return the seconds of updates, as the mean over those of each exchange.

    Parameters
    ----------
    job, machine, wire, workers, way, local_steps
        As `model.step` takes them.
    stragglers : Stragglers
    exchanges : int
        How often weights or gradients are exchanged.
    seed : int

    Returns
    -------
    ndarray, shape (exchanges,)
    """
    workers = min(workers, job.shards)
    known = step(job, machine, wire, workers, way, local_steps)
    drawn = stragglers.factors(np.random.RandomState(seed), (exchanges, local_steps, workers))
    computed = known.computing * drawn.sum(axis=1)
    up = local_steps * known.up
    rest = local_steps * (known.down + known.waiting + known.asking)
    if way == "star":
        gathered = _one_by_one(computed, up)
    elif way == "tree":
        gathered = _up_a_tree(computed, up)
    else:
        gathered = computed.max(axis=1) + up
    return (gathered + rest) / local_steps


def _one_by_one(computed: NDArray[np.float64], up: float) -> NDArray[np.float64]:
    """Take one answer after the other, each as soon as it is there and the one before is taken."""
    workers = computed.shape[1]
    left = up / workers * np.arange(workers, 0, -1)  # of taking an answer and those behind it
    return (np.sort(computed, axis=1) + left).max(axis=1)


def _up_a_tree(computed: NDArray[np.float64], up: float) -> NDArray[np.float64]:
    """Pass sums on in rounds; the asking process, who computes nothing, is the first place."""
    steps, workers = computed.shape
    there = np.concatenate([np.zeros((steps, 1)), computed], axis=1)
    rounds = workers.bit_length()
    for number in range(rounds):
        apart = 2**number
        to = np.arange(0, workers + 1, 2 * apart)
        to = to[to + apart <= workers]
        there[:, to] = np.maximum(there[:, to], there[:, to + apart]) + up / rounds
    return there[:, 0]
