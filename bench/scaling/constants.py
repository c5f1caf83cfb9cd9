"""The constants of the model, each by a measurement of its own, none by whole updates on a cluster.

Of every figure the least of many rounds counts, all being measured in turns: what else a machine
does only adds to a time. Where one thread works alone its processor time is measured, in which
waiting for a core is not counted.
"""

import time
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import Any, TypeAlias, TypeVar

import numpy as np
from scipy.optimize import nnls

import clearprop as cp
from bench.scaling.model import Job, Machine
from clearprop.core.blas import blas_threads
from clearprop.core.parameters import Array
from clearprop.training.samples import Samples
from clearprop.training.shards.worker import Asked, Work, Worker

Widths: TypeAlias = tuple[int, ...]
"""The units of each layer, inputs first."""

Task: TypeAlias = tuple[Widths, int]
"""A network, and the rows of a batch."""

TINY: Widths = (25, 64, 2)
SMALL: Widths = (784, 256, 10)
LARGE: Widths = (784, 1024, 1024, 10)
_PARTS: list[Task] = [(TINY, 8), (TINY, 512), (TINY, 16_384), (SMALL, 8), (SMALL, 64), (SMALL, 512)]
_PARTS += [(LARGE, 8), (LARGE, 64), (LARGE, 512)]
_UPDATES: list[Task] = [(TINY, 8), (TINY, 16_384), (LARGE, 8)]
_ROUNDS = 12
_STEPS = 4  # of an epoch
_BYTES = 8_000_000  # of a message; Dask hands those from 10 MiB to another thread

Key = TypeVar("Key", bound=Hashable)


def least(work: Mapping[Key, Callable[[], float]], rounds: int = _ROUNDS) -> dict[Key, float]:
    """Return the least seconds of each piece of work, all being done in turns.

    Parameters
    ----------
    work : mapping of callable
        Each does its work, and returns the seconds.
    rounds : int
    """
    found = dict.fromkeys(work, float("inf"))
    for _ in range(rounds):
        for name, once in work.items():
            found[name] = min(found[name], once())
    return found


def seconds(once: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the time that something takes, by a clock."""
    began = clock()
    once()
    return clock() - began


def network(widths: Widths) -> cp.Network:
    """Return a network of dense layers with ReLUs between."""
    hidden = [layer for width in widths[1:-1] for layer in (cp.Dense(width), cp.ReLU())]
    return cp.Network(
        [*hidden, cp.Dense(widths[-1])],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=widths[:1],
        seed=0,
        dtype="float32",
    )


def samples(widths: Widths, rows: int) -> tuple[Array, Array]:
    """Draw rows and classes."""
    random = np.random.RandomState(0)
    X = random.standard_normal((rows, widths[0])).astype(np.float32)
    return X, random.randint(0, widths[-1], rows)


class Clock(cp.Callback):
    """Notes when each update ends."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.times: list[float] = []

    def on_step_end(self, run: cp.Run) -> None:
        """Note the time."""
        self.times.append(self.now())


def update_seconds(
    widths: Widths,
    batch: int,
    updates: int = 24,
    clock: Callable[[], float] = time.perf_counter,
    **given: Any,
) -> float:
    """Return the least time from the end of an update to that of the next.

    Parameters
    ----------
    widths : tuple of int
    batch : int
    updates : int
        The first of them, in which much is done once, are not counted.
    clock : callable
    **given
        Settings of the trainer.
    """
    noted = Clock(clock)
    trainer = cp.Trainer(batch_size=batch, epochs=updates // _STEPS, **given)
    trainer.fit(network(widths), *samples(widths, _STEPS * batch), callbacks=[noted])
    return float(np.diff(noted.times)[_STEPS:].min())


def machine() -> tuple[Machine, dict[str, float]]:
    """Measure the machine; return it, and how far its parts are from those that were measured."""
    with blas_threads(1):
        parts = least({case: _part(*case) for case in _PARTS}, rounds=40)
        updates = least(
            {
                case: partial(update_seconds, *case, shards=1, threads=1, clock=time.process_time)
                for case in _UPDATES
            }
        )
        add = least({"add": _addition()})["add"]
    of_parts, errors = _fit_parts(parts)
    tiny, rows, large = (updates[case] - parts[case] for case in _UPDATES)
    of_row = (rows - tiny) / (_UPDATES[1][1] - _UPDATES[0][1])
    sizes = [Job.dense(widths, 8).parameters for widths in (TINY, LARGE)]
    of_parameter = (large - tiny) / (sizes[1] - sizes[0])
    found = Machine(
        **of_parts,
        add=add,
        update=of_parameter,
        row=of_row,
        step=tiny - sizes[0] * of_parameter - _UPDATES[0][1] * of_row,
        **_messages(),
    )
    named = {f"{list(widths)}, {rows} rows": error for (widths, rows), error in errors.items()}
    return found, named


def _part(widths: Widths, rows: int) -> Callable[[], float]:
    """Return what computes one shard's part of a batch, as a worker does, and times it."""
    net = network(widths)
    X, y = samples(widths, rows)
    worker = Worker(Work(net, net.loss, 1, 0), {0: Samples(X, y, None)})
    asked = Asked(0, net.parameters.data, net.state.data, [0], {0: np.arange(rows)}, float(rows))
    once = partial(seconds, partial(worker, asked), time.thread_time)
    return lambda: min(once() for _ in range(3))  # of which the first has to fill the caches


def _addition() -> Callable[[], float]:
    """Return what adds a gradient to another one, and tells the seconds of a parameter."""
    count = Job.dense(LARGE, 8).parameters
    one, other = (np.zeros(count, np.float32) for _ in range(2))
    return lambda: seconds(partial(np.add, one, other, one), time.thread_time) / count


def _fit_parts(parts: Mapping[Task, float]) -> tuple[dict[str, float], dict[Task, float]]:
    """Fit what a part consists of, none of it below zero; return it, and relative errors.

    A layer's own time is that of a tiny network on few rows, which is little else. The rest goes by
    least squares of errors over the root of a time: absolute ones would say nothing of small parts,
    relative ones too little of large ones, into which time goes.
    """
    jobs = [Job.dense(widths, rows, shards=1) for widths, rows in parts]
    layers = np.array([job.layers for job in jobs])
    columns = np.array(
        [(job.batch * job.flops, job.batch * job.numbers, job.parameters) for job in jobs]
    )
    taken = np.array([*parts.values()])
    layer = parts[TINY, 8] / jobs[0].layers
    weights = 1 / np.sqrt(taken)
    weighted = columns * weights[:, None]
    largest = weighted.max(axis=0)
    scaled, _ = nnls(weighted / largest, np.maximum(taken - layer * layers, 0) * weights)
    found = scaled / largest
    errors = (columns @ found + layer * layers) / taken - 1
    of_parts = dict(zip(("flop", "number", "weight"), found.tolist(), strict=True))
    return of_parts | {"layer": layer}, dict(zip(parts, errors.tolist(), strict=True))


class Echo:
    """What runs on a worker: it hears numbers, and tells some."""

    def hear(self, numbers: Array) -> int:
        """Take them."""
        return len(numbers)

    def tell(self, count: int) -> Array:
        """Give as many."""
        return np.empty(count, np.float32)


def _messages() -> dict[str, float]:
    """Measure calls and bytes between processes of one machine, by Dask."""
    from distributed import Client, LocalCluster

    count = 4
    empty, full = np.zeros(0, np.float32), np.zeros(_BYTES // 4, np.float32)
    with (
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=count, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as cluster,
        Client(cluster, direct_to_workers=True) as client,  # type: ignore[no-untyped-call]
    ):
        actors = [
            client.submit(Echo, workers=[address], actor=True, pure=False).result()
            for address in client.nthreads()
        ]

        def all_of(some: list[Any], what: str, given: Any) -> Callable[[], None]:
            def once() -> None:
                for job in [getattr(actor, what)(given) for actor in some]:
                    job.result()

            return once

        found = least(
            {
                "one": partial(seconds, all_of(actors[:1], "hear", empty)),
                "all": partial(seconds, all_of(actors, "hear", empty)),
                "down": partial(seconds, all_of(actors, "hear", full)),
                "up": partial(seconds, all_of(actors, "tell", len(full))),
            },
            rounds=60,
        )
    call = (found["all"] - found["one"]) / (count - 1)
    byte = (found["down"] + found["up"] - 2 * found["all"]) / (2 * count * _BYTES)
    return {"answer": found["one"] - call, "call": call, "byte": byte}
