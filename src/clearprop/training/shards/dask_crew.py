"""Workers of a Dask cluster that compute shards: any number of them, to the same bits.

Each thread of each worker is an actor that holds the samples of neighbouring shards. For an update
it gets the weights, and gives back the sums of the largest nodes of the tree that it has all shards
of. Whose worker is gone, his shards go to the others, and what was lost is computed again.
"""

import hashlib
import platform
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any

import numpy as np

from clearprop.core.blas import blas_threads
from clearprop.core.parameters import Array
from clearprop.errors import ClearpropError, ClusterError, MissingExtraError, UsageError
from clearprop.training.samples import Samples
from clearprop.training.shards.crew import Crew
from clearprop.training.shards.worker import Asked, Found, Work, Worker
from clearprop.version import __version__

_SECONDS = 60  # that a cluster without workers is waited for
_PATIENCE, _TRIES = 0.5, 10  # seconds between looks at whether a worker is there; looks at most
_LOOK_EVERY = 20  # updates, for workers that have come late


class _GoneError(Exception):
    """A worker that is not there any more."""


class Member:
    """What runs on a worker: one thread's shards, and what its numbers are made by."""

    def __init__(self, work: Work) -> None:
        self._worker = Worker(work, {})

    def take(self, samples: dict[int, Samples], keeps: list[int]) -> None:
        """Take the samples of more shards, and let those go that are not kept."""
        held = self._worker.samples
        held.update(samples)
        for shard in held.keys() - set(keeps):
            del held[shard]

    def compute(self, asked: Asked) -> Found:
        """Compute the parts of its shards."""
        with blas_threads(1):
            return self._worker(asked)


@dataclass(eq=False)
class _Hired:
    """An actor, and the shards that it has."""

    address: str
    actor: Any
    shards: list[int] = field(default_factory=list)


class DaskCrew(Crew):
    """The workers of a Dask cluster.

    Parameters
    ----------
    client : distributed.Client
    owned : object, optional
        What is closed at the end: a client, and perhaps a cluster, that were made for this.
    """

    def __init__(self, client: Any, owned: Iterable[Any] = ()) -> None:
        self.client, self._owned = client, list(owned)
        self._hired: list[_Hired] = []
        self._asked = 0

    def start(self, work: Work, samples: dict[int, Samples]) -> None:
        """Hire every worker's threads, if they give the same bits as this process."""
        self._work, self._samples = work, samples
        self._settle()

    def ask(self, asked: Asked) -> list[Found]:
        """Have every shard computed, whoever is there to do it."""
        self._asked += 1
        if self._asked % _LOOK_EVERY == 0:
            self._hire()
        found: list[Found] = []
        left = set(range(self._work.shards))
        while left:
            jobs = [
                (shards, one, one.actor.compute(asked.of(shards)))
                for one in self._hired
                if (shards := [shard for shard in one.shards if shard in left])
            ]
            lost = []
            for shards, one, job in jobs:
                try:
                    found.append(self._answer(one, job))
                    left.difference_update(shards)
                except _GoneError:
                    lost.append(one)
            if lost:
                self._dismiss(lost)
        return found

    def _answer(self, one: _Hired, job: Any) -> Any:
        """Wait for what a worker answers, as long as it is there.

        Dask itself would go on trying for half a minute to reach one that is not.
        """
        for waited in count():
            try:
                return job.result(timeout=_PATIENCE)
            except TimeoutError:
                pass
            except ClearpropError:  # of what was asked, and not of who was
                raise
            except Exception:  # whatever Dask says of a worker that is gone, or is about to be
                if waited >= _TRIES:
                    raise
                time.sleep(_PATIENCE)
            if one.address not in _threads_of(self.client):
                raise _GoneError from None
        raise AssertionError

    def close(self) -> None:
        """Let the actors go, and what was made for this."""
        self._hired.clear()
        for one in self._owned:
            one.close()

    def _dismiss(self, lost: list[_Hired]) -> None:
        """Give the shards of workers that are gone to the others."""
        gone = {one.address for one in lost}
        self._hired = [one for one in self._hired if one.address not in gone]
        self._settle()

    def _settle(self) -> None:
        """Deal the shards out among whoever is there, though some may go meanwhile."""
        for _ in range(_TRIES):
            if not self._hired:
                self._wait()
            try:
                self._hire()
            except ClearpropError:
                raise
            except Exception:  # whatever Dask says of a worker that has just gone
                self._hired = []
                time.sleep(_PATIENCE)
            if self._hired:
                return
        raise ClusterError(
            f"The workers of the cluster {self._name} go as soon as they come. Look at their logs."
        )

    def _wait(self) -> None:
        """Wait until there is a worker."""
        try:
            self.client.wait_for_workers(1, timeout=_SECONDS)
        except Exception as error:  # Dask has several for a scheduler that does not answer
            raise ClusterError(
                f"The cluster {self._name} has no workers, waited {_SECONDS} s. Start some, and go "
                "on from the checkpoint with --resume (resume=True in Python), if there is one."
            ) from error

    def _hire(self) -> None:
        """Hire threads that are not hired yet, and deal all shards out anew if there are any."""
        present = _threads_of(self.client)
        before = [one for one in self._hired if one.address in present]
        known = {one.address for one in before}
        new = [address for address in present if address not in known]
        if not new and len(before) == len(self._hired) and self._dealt:
            return
        self._hired = before
        for address in new:
            _require_same(self.client, address)
            for _ in range(present[address]):
                with (
                    self.client.as_current()
                ):  # of several clients the one that an actor is bound to
                    actor = self.client.submit(
                        Member, self._work, workers=[address], actor=True, pure=False, retries=0
                    ).result()
                self._hired.append(_Hired(address, actor))
        self._deal()

    @property
    def _dealt(self) -> bool:
        return sum(len(one.shards) for one in self._hired) == self._work.shards

    def _deal(self) -> None:
        """Give each thread neighbouring shards; those that it has already need not travel."""
        members = len(self._hired)
        for place, one in enumerate(self._hired):
            shards = range(
                place * self._work.shards // members, (place + 1) * self._work.shards // members
            )
            more = {shard: self._samples[shard] for shard in shards if shard not in one.shards}
            self._answer(one, one.actor.take(more, list(shards)))
            one.shards = list(shards)

    @property
    def _name(self) -> str:
        scheduler = getattr(self.client, "scheduler", None)
        return str(getattr(scheduler, "address", "") or "that was given")


def crew_of(cluster: Any) -> Crew:
    """Return whoever computes shards on a cluster.

    Parameters
    ----------
    cluster : distributed.Client or str
        A client; ``local:N`` for N processes of this machine, of one thread each; or the address of
        a scheduler, ``tcp://host:8786``.

    Raises
    ------
    MissingExtraError
        If Dask is not installed.
    UsageError
        If it is neither.
    ClusterError
        If nobody answers.
    """
    if hasattr(cluster, "submit") and hasattr(cluster, "scheduler_info"):
        return DaskCrew(cluster)
    if not isinstance(cluster, str):
        raise UsageError(
            f"Found {type(cluster).__name__} as the cluster, expected a client of Dask, local:N "
            "with a number of processes, or the address of a scheduler such as tcp://host:8786."
        )
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise MissingExtraError("distributed", "dask", "A cluster") from error
    kind, _, count = cluster.partition(":")
    if kind == "local":
        if not count.isdecimal() or int(count) < 1:
            raise UsageError(
                f"Found {cluster}, expected local:N with a number of processes from 1."
            )
        local = LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=int(count), threads_per_worker=1, dashboard_address=None, silence_logs=50
        )
        client = Client(local, direct_to_workers=True)  # type: ignore[no-untyped-call]
        return DaskCrew(client, [client, local])
    try:
        client = Client(cluster, timeout=f"{_SECONDS}s", direct_to_workers=True)  # type: ignore[no-untyped-call]
    except Exception as error:  # a wrong address, or nobody there
        raise ClusterError(f"No scheduler of Dask answers at {cluster}: {error}.") from error
    return DaskCrew(client, [client])


def _threads_of(client: Any) -> dict[str, int]:
    """Return the number of threads of each worker by its address, in a fixed order."""
    found = client.nthreads()
    return {address: found[address] for address in sorted(found)}


def _require_same(client: Any, address: str) -> None:
    """Refuse a worker of other versions, or whose products differ in any bit.

    Raises
    ------
    ClusterError
    """
    here, there = _own_identity(), client.run(identity, workers=[address])[address]
    for name, own in here.items():
        if there.get(name) != own:
            raise ClusterError(
                f"The worker {address} would not give the same bits: its {name} is "
                f"{there.get(name)}, that of this process {own}. Start workers with the same "
                "versions, on processors of one kind."
            )


@cache
def _own_identity() -> dict[str, str]:
    return identity()


def identity() -> dict[str, str]:
    """Return what numbers are made by: versions, and a digest of products and functions."""
    random = np.random.RandomState(0)
    digest = hashlib.sha256()
    with blas_threads(1):
        for dtype in (np.float32, np.float64):
            left: Array = random.standard_normal((257, 193)).astype(dtype)
            right: Array = random.standard_normal((193, 130)).astype(dtype)
            for found in (
                left @ right,
                right.T @ left.T,
                left.sum(axis=0),
                np.exp(left),
                np.tanh(left),
                np.log(np.abs(left)),
            ):
                digest.update(np.ascontiguousarray(found).tobytes())
    return {
        "clearprop": __version__,
        "NumPy": np.__version__,
        "Python": ".".join(map(str, sys.version_info[:2])),
        f"test products on {platform.machine()}": digest.hexdigest()[:16],
    }
