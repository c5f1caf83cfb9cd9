"""Units of work on a Dask cluster: folds, trainings of a search, blocks of rows.

Each is done by one thread of some worker, as one of this process would do it, and what comes of
them is given in their order: neither the number of workers nor what happens to them leaves a mark.
"""

import asyncio
import os
import pickle
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, wait
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from typing import Any, TypeVar

from clearprop.core.blas import single_threaded
from clearprop.errors import ClearpropError, ClusterError, MissingExtraError
from clearprop.training.shards import connection

S = TypeVar("S")
T = TypeVar("T")
U = TypeVar("U")

_PATIENCE = 0.5  # seconds between looks at whether there are any
_AHEAD = 2  # units that each thread has: the one that it does, and the next one
_COMPUTING = ("SciPy", "scikit-learn", "Numba")  # packages that compute, too
_KERNELS = "CLEARPROP_KERNELS"  # says whether compiled loops do


class Cluster:
    """The workers of a Dask cluster, to whom units of work are given.

    Parameters
    ----------
    client : distributed.Client

    Raises
    ------
    ClusterError
        If it has no workers, or one that would give other bits.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._name = connection.name_of(client)
        self._alone_since: float | None = None
        self._sent: tuple[Any, Any] = (None, None)
        while not self._threads():
            time.sleep(_PATIENCE)
        with self._reached():
            there = client.run(identity, on_error="return")
        for address in sorted(there):
            if isinstance(there[address], Exception):
                raise ClusterError(
                    f"The worker {address} can't do what clearprop asks: {there[address]}. Start "
                    "workers with the same versions as here."
                )
            connection.require_same_bits(address, _own_identity(), there[address])

    @property
    def at_once(self) -> int:
        """The number of units that are done at a time, at least 1."""
        return max(1, self._threads())

    def each(
        self, do: Callable[[S, U], T], shared: S, units: Iterable[tuple[str, U]]
    ) -> Generator[T]:
        """Do some units of work, and yield what comes of each, in their order.

        A unit whose worker is gone is done again by another one.

        Parameters
        ----------
        do : callable
            A function of a module, which takes what is shared, and a unit.
        shared : object
            What all units need: it travels to each worker once, until something else is shared.
        units : iterable of (str, object)
            The units, of which a few are asked for ahead, each behind its name in messages.

        Raises
        ------
        ClusterError
            If nobody is left to do them, or one unit ends one worker after the other.
        Exception
            That of the first unit that failed, in their order.
        """
        left, waiting = iter(units), deque[tuple[str, Any]]()
        try:
            while True:
                room = _AHEAD * self.at_once - len(waiting)
                for name, unit in islice(left, max(room, 0)):
                    waiting.append((name, self._asked(do, shared, unit)))
                if not waiting:
                    return
                yield self._answer(*waiting[0])
                waiting.popleft()
        finally:
            for _, asked in waiting:
                asked.cancel()

    def _asked(self, do: Callable[..., Any], shared: Any, unit: Any) -> Any:
        """Give a unit to whoever is free next.

        What is sent is the argument of a task, and not scattered, so that Dask brings it back by
        itself where the only worker that had it is gone.
        """
        from dask import config

        with (
            self._reached(),
            config.set({"distributed.admin.large-graph-warning-threshold": "1PB"}),
        ):
            if self._sent[0] is not shared:
                data = pickle.dumps(shared, pickle.HIGHEST_PROTOCOL)
                self._sent = shared, self._client.submit(_taken, data, pure=False)
            packed = pickle.dumps((do, unit), pickle.HIGHEST_PROTOCOL)
            return self._client.submit(
                _do, _own_identity(), self._sent[1], packed, pure=False, retries=0
            )

    def _answer(self, name: str, asked: Any) -> Any:
        """Wait for what comes of a unit, as long as there is somebody to do it."""
        from distributed.scheduler import KilledWorker

        # Not by Dask's own timeout, which now and then fails at the moment when it is over.
        coming = asyncio.run_coroutine_threadsafe(
            _come(self._client, asked), self._client.loop.asyncio_loop
        )
        try:
            while not wait([coming], timeout=_PATIENCE).done:
                self._threads()
            return coming.result()
        except KilledWorker as error:
            raise ClusterError(
                f"One worker after the other of the cluster {self._name} has ended over {name}: "
                "perhaps that takes more memory than they have. Look at their logs."
            ) from error
        except CancelledError as error:
            raise self._lost() from error
        finally:
            coming.cancel()

    def _threads(self) -> int:
        """Count the workers' threads; there may be none for a minute.

        Raises
        ------
        ClusterError
            If that is over.
        """
        with self._reached():
            found = sum(connection.threads_of(self._client).values())
        now = time.monotonic()
        self._alone_since = None if found else self._alone_since or now
        if self._alone_since is not None and now - self._alone_since >= connection.SECONDS:
            raise ClusterError(
                f"The cluster {self._name} has no workers, waited {connection.SECONDS} s. Start "
                "some, and begin again."
            )
        return found

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Say so where the scheduler does not answer."""
        if self._client.status != "running":  # Dask tries for half a minute to reach it again
            raise self._lost()
        try:
            yield
        except ClearpropError:
            raise
        except Exception as error:  # Dask has several for a scheduler that is gone
            if self._client.status == "running":
                raise
            raise self._lost() from error

    def _lost(self) -> ClusterError:
        return ClusterError(
            f"The scheduler of the cluster {self._name} is gone. Start it and its workers, and "
            "begin again."
        )


async def _come(client: Any, asked: Any) -> Any:
    return await client.gather(asked, asynchronous=True)


@contextmanager
def cluster_of(given: Any) -> Iterator[Cluster | None]:
    """Connect to a cluster, and close at the end what was made for that.

    Parameters
    ----------
    given : Cluster or distributed.Client or str or None
        A client; ``local:N`` for N processes of this machine, of one thread each; the address of a
        scheduler, ``tcp://host:8786``; a cluster that is there already; or None for none.

    Raises
    ------
    MissingExtraError
        If Dask is not installed.
    UsageError
        If it is none of these.
    ClusterError
        If nobody answers, it has no workers, or one that would give other bits.
    """
    if given is None or isinstance(given, Cluster):
        yield given
        return
    client, owned = connection.connected(given)
    with ExitStack() as opened:
        for one in reversed(owned):
            opened.callback(one.close)
        yield Cluster(client)


def _taken(data: bytes) -> bytes:
    """Keep what is shared on a worker; nothing of it is read before it is known who reads it."""
    return data


def _do(asker: Mapping[str, str], shared: bytes, packed: bytes) -> Any:
    """Do a unit on a worker, if it gives the same bits as who asks."""
    from distributed import get_worker

    address = get_worker().address
    connection.require_same_bits(address, asker, _own_identity())
    do, unit = pickle.loads(packed)  # noqa: S301 - from who gives this process its work
    try:
        with single_threaded():
            return do(pickle.loads(shared), unit)  # noqa: S301 - the same
    except MissingExtraError as error:  # of what is installed where this was asked
        missing = str(error)
    raise ClusterError(f"On the worker {address}: {missing}")


@cache
def _own_identity() -> dict[str, str]:
    return identity()


def identity() -> dict[str, str]:
    """Return what the numbers of a unit are made by, see `connection.identity`."""
    versions = {}
    for name in _COMPUTING:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "missing"
    return {**connection.identity(), **versions, _KERNELS: os.environ.get(_KERNELS, "auto")}
