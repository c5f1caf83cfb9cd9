"""Real Dask processes for tests, and callbacks that kill them or bring others in."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import clearprop as cp


@contextmanager
def cluster_of(workers: int, **given: Any) -> Iterator[tuple[Any, Any]]:
    """Start a scheduler and workers of one thread each; give the cluster and a client."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=workers,
            dashboard_address="127.0.0.1:0",
            silence_logs=50,
            **{"threads_per_worker": 1, **given},
        ) as cluster,
        Client(cluster) as client,
    ):
        yield cluster, client


def kill_one(client: Any) -> None:
    """Kill the worker of the first address, before it can say anything to anybody."""
    processes = client.run(os.getpid)
    os.kill(processes[min(processes)], signal.SIGKILL)


class After(cp.Callback):
    """Does something after each of some updates.

    Parameters
    ----------
    steps : collection of int
    do : callable

    Attributes
    ----------
    done : int
        How often it did.
    """

    def __init__(self, steps: Any, do: Any) -> None:
        self.steps, self.do, self.done = steps, do, 0

    def on_step_end(self, run: cp.Run) -> None:
        """Do it, if it is time to."""
        if run.step in self.steps:
            self.do()
            self.done += 1


_SCHEDULER = """
import asyncio, sys
for name in sys.argv[2:]:
    sys.modules[name] = None  # as if it was not installed
from distributed import Scheduler

async def main():
    async with Scheduler(host="127.0.0.1", port=int(sys.argv[1]), dashboard=False) as one:
        print(one.address, flush=True)
        await one.finished()

asyncio.run(main())
"""

_WORKER = """
import asyncio, sys
for name in sys.argv[2:]:
    sys.modules[name] = None  # as if it was not installed
from distributed import Worker

async def main():
    async with Worker(sys.argv[1], nthreads=1, host="127.0.0.1", dashboard=False) as one:
        print(one.address, flush=True)
        await one.finished()

asyncio.run(main())
"""


@contextmanager
def scheduler(port: int = 0, *without: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a scheduler that lacks some packages; give the process and its address."""
    with _process(_SCHEDULER, str(port), *without) as found:
        yield found


@contextmanager
def worker(address: str, *without: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a worker that lacks some packages; give the process and its address."""
    with _process(_WORKER, address, *without) as found:
        yield found


@contextmanager
def _process(code: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert address, "it has ended before it was there"
            yield process, address
        finally:
            process.kill()
