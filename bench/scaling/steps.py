"""The time of an update with 1 to 8 workers: on loopback, and over a wire with rate and delay.

Workers have process numbers of their own (a PID namespace), so that they share no memory with the
asking process: all goes through the network, as between machines. That needs Linux and root. Of
every case the least time counts, over rounds in which all are measured in turns, by new processes.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from bench.scaling.constants import LARGE, SMALL, TINY, Task, Widths, update_seconds
from bench.scaling.link import FAR, NEAR, linked
from bench.scaling.model import LOOPBACK, Job, Wire
from bench.timing import say

SHARDS = 8
_PORT, _HERE = 18_786, "127.0.0.1"
_APART = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
_WORKERS = (1, 2, 3, 4, 8)
_JOBS = ((LARGE, 4096), (LARGE, 512), (SMALL, 4096), (TINY, 4096))
_FAR_WORKERS = (1, 2, 4)
_FAR_JOBS = ((LARGE, 512), (SMALL, 4096), (TINY, 4096))
_WIRES = (Wire(1, 1), Wire(1, 20))
_ROUNDS = 3


@dataclass(frozen=True)
class Case:
    """What is measured.

    Parameters
    ----------
    widths : tuple of int
    batch, workers : int
    wire : Wire
    """

    widths: Widths
    batch: int
    workers: int
    wire: Wire

    @property
    def job(self) -> Job:
        """The job that is done."""
        return Job.dense(self.widths, self.batch, SHARDS)


def measure() -> dict[Case, float]:
    """Measure all cases on loopback and over wires.

    Raises
    ------
    SystemExit
        If this is not Linux, or not root.
    """
    if sys.platform != "linux" or os.geteuid():
        raise SystemExit("Steps are measured in namespaces of their own: by root, on Linux.")
    found: dict[Case, float] = {}
    for number in range(_ROUNDS):
        for case, seconds in _a_round():
            found[case] = min(seconds, found.get(case, seconds))
            say(f" round {number + 1}: {case} {1e3 * seconds:.1f} ms")
    return found


def _a_round() -> Iterator[tuple[Case, float]]:
    for workers in _WORKERS:
        yield from _cases(_JOBS, workers, LOOPBACK, _taken([], [], _HERE, _HERE, workers, _JOBS))
    for wire in _WIRES:
        for workers in _FAR_WORKERS:
            with linked(wire) as (near, far):
                taken = _taken(near, far, NEAR, FAR, workers, _FAR_JOBS)
            yield from _cases(_FAR_JOBS, workers, wire, taken)


def _cases(
    jobs: Sequence[Task], workers: int, wire: Wire, taken: Sequence[float]
) -> Iterator[tuple[Case, float]]:
    for job, seconds in zip(jobs, taken, strict=True):
        yield Case(*job, workers, wire), seconds


def _taken(
    near: list[str],
    far: list[str],
    host: str,
    far_host: str,
    workers: int,
    jobs: Sequence[Task],
) -> list[float]:
    """Start a scheduler and an asking process near, and workers far; return what updates take.

    Parameters
    ----------
    near, far : list of str
        What goes before their commands.
    host, far_host : str
    workers : int
    jobs : sequence of (widths, batch)
    """
    address = f"tcp://{host}:{_PORT}"
    scheduler = ["scheduler", "--host", host, "--port", str(_PORT)]
    worker = ["worker", address, "--host", far_host, "--nthreads", "1", "--nworkers", str(workers)]
    with ExitStack() as stack:
        for before, command in ((near, scheduler), ([*far, *_APART], worker)):
            process = subprocess.Popen(  # noqa: S603 - our own command
                [*before, sys.executable, "-m", "dask", *command, "--no-dashboard"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(
                process.kill
            )  # `unshare` hears nothing else, and takes the workers along
        done = subprocess.run(  # noqa: S603 - our own command
            [*near, sys.executable, "-m", "bench.scaling.steps", address, str(workers)],
            input=json.dumps(jobs),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    return list(json.loads(done.stdout))


def main(arguments: Sequence[str]) -> None:
    """Print what updates take by the workers of a scheduler, of the jobs on standard input."""
    from distributed import Client

    address, workers = arguments
    jobs = [(tuple(widths), batch) for widths, batch in json.load(sys.stdin)]
    with Client(address, direct_to_workers=True) as client:  # type: ignore[no-untyped-call]
        client.wait_for_workers(int(workers), timeout=120)
        taken = [update_seconds(*job, shards=SHARDS, cluster=client) for job in jobs]
    print(json.dumps(taken))


if __name__ == "__main__":
    main(sys.argv[1:])
