"""What runs on a worker of a Dask cluster, and its likeness in the process that asks."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from clearprop.core.blas import blas_threads
from clearprop.core.parameters import Array
from clearprop.training.shards.shared import Place
from clearprop.training.shards.worker import Asked, Found, Shard, Work, Worker

_NOWHERE = np.empty(0)  # in place of parameters that lie in shared memory


class Member:
    """One thread of a worker, with the samples of its shards."""

    def __init__(self, work: Work) -> None:
        self._worker = Worker(work, {})
        # Its own, as Dask has a single one for all actors of a worker.
        self._thread = ThreadPoolExecutor(1, "clearprop-shards")
        self._parameters: Array | None = None
        self._sums: Array | None = None

    def share(self, parameters: Place, sums: Place) -> bool:
        """Read parameters and write sums where the asking process does; say whether that can be."""
        self._parameters, self._sums = parameters.open(), sums.open()
        return self._parameters is not None and self._sums is not None

    def take(self, samples: dict[int, Shard], keeps: list[int]) -> None:
        """Take the samples of more shards, and let those go that are not kept."""
        held = self._worker.samples
        held.update(samples)
        for shard in held.keys() - set(keeps):
            del held[shard]

    async def compute(self, asked: Asked) -> Found | Exception:
        """Compute the parts of its shards, while other members of the same worker do so, too.

        What goes wrong is returned: so whatever is raised is Dask's, about a worker that is gone.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._found, asked)

    def _found(self, asked: Asked) -> Found | Exception:
        try:
            with blas_threads(1):
                if self._parameters is None or self._sums is None:
                    return self._worker(asked)
                return self._in_shared_memory(asked, self._parameters, self._sums)
        except Exception as error:
            return error

    def _in_shared_memory(self, asked: Asked, parameters: Array, sums: Array) -> Found:
        found = self._worker(replace(asked, parameters=parameters))
        for row, (node, part) in zip(sums, found.parts.items(), strict=False):
            if part is not None:
                row[...] = part.gradient
                found.parts[node] = replace(part, gradient=row[:0])
        return found


@dataclass(eq=False)
class Hired:
    """A member as the asking process knows it.

    Parameters
    ----------
    address : str
        That of its worker.
    actor : distributed.Actor
    sums : ndarray or None
        The memory for its sums, shape (shards, P), where both are on one machine.
    shards : list of int
        The shards that it has.
    """

    address: str
    actor: Any
    sums: Array | None
    shards: list[int] = field(default_factory=list)

    def take(self, samples: dict[int, Shard], keeps: list[int]) -> Any:
        """Give it the samples of more shards; what comes back is a future of Dask's."""
        return self.actor.take(samples, keeps)

    def ask(self, asked: Asked, shards: list[int]) -> Any:
        """Ask for some of its shards; what comes back is a future of Dask's."""
        asked = asked.of(shards)
        if self.sums is not None:
            asked = replace(asked, parameters=_NOWHERE)
        return self.actor.compute(asked)

    def read(self, found: Found) -> Found:
        """Return what it has found, with sums that lie in shared memory."""
        if self.sums is not None:
            rows = zip(self.sums, found.parts.items(), strict=False)
            for row, (node, part) in rows:
                if part is not None:
                    found.parts[node] = replace(part, gradient=row)
        return found
