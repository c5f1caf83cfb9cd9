"""The effect of rounding alone on a training: ``python -m bench.rounding [CELL ...]``.

Each training is run as it is, with the samples of every batch in other orders, and in float64. In
exact arithmetic all would end at one loss; in float32 a ReLU that switches an update earlier, or a
weight whose first gradient is nothing but rounding, leads elsewhere in the end. The tolerances of
`bench.cells` are a few times what this finds, because so few runs do not find the worst.
"""

import argparse
import time
from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from bench.cells import CELLS, Trained
from bench.peers import Peer, installed, make
from bench.task import Task
from bench.work import FIRST

_PEERS = ("PyTorch", "scikit-learn")  # they can go on where they stopped
_ORDERS = 6
_POINTS = 8  # at which losses are compared, evenly spaced
_SECONDS = 15.0  # of one run


def main() -> None:
    """Print by how much losses differ early on, and at most until the end."""
    parser = argparse.ArgumentParser(prog="python -m bench.rounding", description=main.__doc__)
    trained = {name: cell for name, cell in CELLS.items() if isinstance(cell, Trained)}
    parser.add_argument("cells", nargs="*", metavar="CELL")
    names = parser.parse_args().cells or list(trained)
    if unknown := [name for name in names if name not in trained]:
        parser.error(f"there is no training {unknown[0]!r}; there are {', '.join(trained)}")
    entries = [entry for entry in installed() if entry.name in _PEERS]
    for name, entry in product(names, entries):
        losses = _losses(make(entry.place, ""), trained[name])
        first, *later = np.ptp(losses, axis=0) / losses[0]
        print(
            f"{name:<12} {entry.name:<13} {first:.0e} apart after {FIRST} updates, "
            f"then at most {max(later):.0e}"
        )


def _losses(peer: Peer, cell: Trained) -> NDArray[np.float64]:
    """Return losses (runs, 1 + points)."""
    task = cell.make()
    updates = _updates(peer, task, cell.until or task.rule.steps)
    precise = Task(task.rule, task.X.astype(np.float64), task.y)
    tasks = [*(_reordered(task, seed) for seed in range(_ORDERS)), precise]
    return np.array([list(_run(peer, one, updates)) for one in tasks])


def _updates(peer: Peer, task: Task, until: int) -> list[int]:
    """Return after which updates to look: the last is that for which there is time."""
    peer.load(task)
    peer.fresh()
    peer.train(0, FIRST)
    began = time.perf_counter()
    peer.train(FIRST, 2 * FIRST)
    per_update = (time.perf_counter() - began) / FIRST
    last = min(until, max(2 * FIRST, int(_SECONDS / per_update)))
    return [FIRST, *(FIRST + (last - FIRST) * point // _POINTS for point in range(1, _POINTS + 1))]


def _run(peer: Peer, task: Task, updates: list[int]) -> Iterator[float]:
    peer.load(task)
    peer.fresh()
    done = 0
    for number in updates:
        peer.train(done, number)
        done = number
        yield peer.final_loss()


def _reordered(task: Task, seed: int) -> Task:
    """Return the same task, with the samples of each batch in another order but for seed 0."""
    random_state = np.random.RandomState(seed)
    if task.rule.batch_size is None:
        order = random_state.permutation(len(task.X)) if seed else np.arange(len(task.X))
        return Task(task.rule, task.X[order], task.y[order])
    other = Task(task.rule, task.X, task.y)
    if seed:
        other.rows[:] = [random_state.permutation(row) for row in task.rows]
    return other


if __name__ == "__main__":
    main()
