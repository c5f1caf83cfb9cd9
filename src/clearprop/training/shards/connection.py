"""The way to a Dask cluster, and whether its workers give the same bits as this process."""

import hashlib
import platform
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from clearprop.core.blas import blas_threads
from clearprop.core.parameters import Array
from clearprop.errors import ClusterError, MissingExtraError, UsageError
from clearprop.version import __version__

SECONDS = 60  # that a scheduler, or a worker where there is none, is waited for
# Ctrl-C in a terminal reaches all processes; this one ends its workers.
_DEAF = "import signal\n\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"


def connected(cluster: Any) -> tuple[Any, list[Any]]:
    """Return a client of a cluster, and what was made for it, which is to be closed in this order.

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
        if getattr(cluster, "asynchronous", False):
            raise UsageError(
                "Found an asynchronous client of Dask, expected Client(...) without "
                "asynchronous=True."
            )
        return cluster, []
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
            n_workers=int(count),
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",  # any port, as several may run at once
            silence_logs=50,
            preload=[_DEAF],
        )
        client = Client(local, direct_to_workers=True)  # type: ignore[no-untyped-call]
        return client, [client, local]
    try:
        client = Client(cluster, timeout=f"{SECONDS}s", direct_to_workers=True)  # type: ignore[no-untyped-call]
    except Exception as error:  # a wrong address, or nobody there
        raise ClusterError(f"No scheduler of Dask answers at {cluster}: {error}.") from error
    return client, [client]


def name_of(client: Any) -> str:
    """Return what a client's cluster goes by in messages."""
    return str(getattr(client.scheduler, "address", "") or "that was given")


def threads_of(client: Any) -> dict[str, int]:
    """Return the number of threads of each worker by its address, in a fixed order."""
    found = client.nthreads()
    return {address: found[address] for address in sorted(found)}


def require_same(client: Any, address: str) -> None:
    """Refuse a worker that has no such clearprop, or would not give the same bits as this process.

    Raises
    ------
    ClusterError
    """
    try:
        there = client.run(identity, workers=[address])[address]
    except Exception as error:  # Dask has several; what can't be imported there is named in them
        if "clearprop" not in str(error):
            raise
        raise ClusterError(
            f"The worker {address} has no clearprop, or another one than {__version__} of this "
            f"process ({error}). Install the same version where workers run, and start them anew."
        ) from error
    require_same_bits(address, own_identity(), there)


def require_same_bits(address: str, here: Mapping[str, str], there: Mapping[str, str]) -> None:
    """Refuse a worker of other versions, or whose products differ in any bit.

    Parameters
    ----------
    address : str
    here, there : mapping of str to str
        What numbers are made by in this process, and on the worker: see `identity`.

    Raises
    ------
    ClusterError
    """
    for name, own in here.items():
        if there.get(name) != own:
            raise ClusterError(
                f"The worker {address} would not give the same bits: its {name} is "
                f"{there.get(name)}, that of this process {own}. Start workers with the same "
                "versions, on processors of one kind."
            )


@cache
def own_identity() -> dict[str, str]:
    """Return what the numbers of this process are made by."""
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
