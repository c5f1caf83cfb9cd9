"""Workers of virtual shards against one process: ``python -m bench.sharded``.

A network [784, 1024, 1024, 10] on batches of 4,096 drawn numbers: the time of an update with one
worker of one thread, with two, with one and two threads of one process, and of a plain training
with two threads. They take turns, some updates each, for many rounds: in every round each has its
quickest update, and the ratios are those of one and the same round, of which the median is told.
"""

import argparse
import statistics
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np

import clearprop as cp

_SAMPLES, _BATCH, _UPDATES, _LEFT_OUT = 8192, 4096, 8, 2
_ROUNDS = 15

_ONE, _TWO = "one worker of one thread", "two workers of one thread"
_BEST = "one process, two threads"


class _Clock(cp.Callback):
    """Notes when each update ends."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_step_end(self, run: cp.Run) -> None:
        """Note the time."""
        self.times.append(time.perf_counter())


def update_seconds(given: Mapping[str, Any]) -> float:
    """Return the time of the quickest of some updates, from one to the next, in seconds."""
    random = np.random.RandomState(0)
    X = random.standard_normal((_SAMPLES, 784)).astype(np.float32)
    y = random.randint(0, 10, _SAMPLES)
    layers = [cp.Dense(1024), cp.ReLU(), cp.Dense(1024), cp.ReLU(), cp.Dense(10)]
    net = cp.Network(
        layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(784,), seed=0, dtype="float32"
    )
    clock = _Clock()
    trainer = cp.Trainer(batch_size=_BATCH, epochs=_UPDATES * _BATCH // _SAMPLES, **given)
    trainer.fit(net, X, y, callbacks=[clock])
    return float(np.diff(clock.times)[_LEFT_OUT:].min())


def main() -> None:
    """Measure each, and print it beside the others."""
    from distributed import Client, LocalCluster

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    rounds = parser.parse_args().rounds
    with ExitStack() as stack:
        clients = []
        for workers in (1, 2):
            cluster = stack.enter_context(
                LocalCluster(  # type: ignore[no-untyped-call]
                    n_workers=workers,
                    threads_per_worker=1,
                    dashboard_address=":0",
                    silence_logs=50,
                )
            )
            client = Client(cluster, direct_to_workers=True)  # type: ignore[no-untyped-call]
            clients.append(stack.enter_context(client))
        cases: dict[str, dict[str, Any]] = {
            _ONE: {"shards": 8, "cluster": clients[0]},
            _TWO: {"shards": 8, "cluster": clients[1]},
            "one process, 8 shards, one thread": {"shards": 8, "threads": 1},
            "one process, 8 shards, two threads": {"shards": 8, "threads": 2},
            _BEST: {"threads": 2},
        }
        found: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(rounds):
            for name, given in cases.items():
                found[name].append(update_seconds(given))
    for name, seconds in found.items():
        print(f"{name:36}{min(seconds) * 1e3:8.0f} ms")
    for said, other in (("one", _ONE), ("the best single process on both cores", _BEST)):
        ratios = [a / b for a, b in zip(found[other], found[_TWO], strict=True)]
        least = min(found[other]) / min(found[_TWO])
        print(
            f"two workers are {statistics.median(ratios):.2f} times as fast as {said}; "
            f"{least:.2f} by the least times"
        )


if __name__ == "__main__":
    main()
