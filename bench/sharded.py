"""Workers of virtual shards against one process: ``python -m bench.sharded``.

A network [784, 1024, 1024, 10] on batches of 4,096 drawn numbers: the time of an update with one
worker of one thread, with two, with two threads of one process, and of a plain training with the
threads of one process that do it soonest. Whole updates are timed, from one step to the next.
"""

import statistics
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

import clearprop as cp

_SAMPLES, _BATCH, _STEPS, _LEFT_OUT = 8192, 4096, 14, 4


class _Clock(cp.Callback):
    """Notes when each update ends."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_step_end(self, run: cp.Run) -> None:
        """Note the time."""
        self.times.append(time.perf_counter())


def update_seconds(given: Mapping[str, Any]) -> float:
    """Return the median time of an update, in seconds."""
    random = np.random.RandomState(0)
    X = random.standard_normal((_SAMPLES, 784)).astype(np.float32)
    y = random.randint(0, 10, _SAMPLES)
    layers = [cp.Dense(1024), cp.ReLU(), cp.Dense(1024), cp.ReLU(), cp.Dense(10)]
    net = cp.Network(
        layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(784,), seed=0, dtype="float32"
    )
    clock = _Clock()
    trainer = cp.Trainer(batch_size=_BATCH, epochs=_STEPS * _BATCH // _SAMPLES, **given)
    trainer.fit(net, X, y, callbacks=[clock])
    return statistics.median(np.diff(clock.times)[_LEFT_OUT:])


def main() -> None:
    """Measure each, and print it beside the others."""
    cases: dict[str, dict[str, Any]] = {
        "one worker of one thread": {"shards": 8, "cluster": "local:1"},
        "two workers of one thread": {"shards": 8, "cluster": "local:2"},
        "one process, shards, one thread": {"shards": 8, "threads": 1},
        "one process, shards, two threads": {"shards": 8, "threads": 2},
        "one process, two threads": {"threads": 2},
    }
    found = {name: update_seconds(given) for name, given in cases.items()}
    for name, seconds in found.items():
        print(f"{name:34}{seconds * 1e3:8.0f} ms")
    one, two = found["one worker of one thread"], found["two workers of one thread"]
    print(f"two workers are {one / two:.2f} times as fast as one")
    best = found["one process, two threads"]
    print(f"and {best / two:.2f} times as fast as the best single process on both cores")


if __name__ == "__main__":
    main()
