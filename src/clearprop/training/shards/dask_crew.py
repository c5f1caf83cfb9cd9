"""Workers of a Dask cluster that compute shards: any number of them, to the same bits.

Each thread of each worker is an actor that holds the samples of neighbouring shards. For an update
it gets the weights, and gives back the sums of the largest nodes of the tree that it has all shards
of. Whose worker is gone, his shards go to the others, and what was lost is computed again.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import wait
from functools import partial
from typing import Any

from clearprop.core.parameters import Array
from clearprop.errors import ClearpropError, ClusterError
from clearprop.training.shards import connection
from clearprop.training.shards.crew import Crew
from clearprop.training.shards.member import Hired, Member
from clearprop.training.shards.shared import SharedArray
from clearprop.training.shards.worker import Asked, Found, Shard, Work
from clearprop.version import __version__

_PATIENCE, _TRIES = 0.5, 10  # seconds between looks at whether a worker is there; looks at most
_LOOK_EVERY = 20  # updates, for workers that have come late
_GO_ON = "go on from the checkpoint with --resume (resume=True in Python), if there is one"


class _GoneError(Exception):
    """A worker that is not there any more."""


class DaskCrew(Crew):
    """The workers of a Dask cluster.

    Parameters
    ----------
    cluster : distributed.Client or str
        As `connected` takes it.
    """

    def __init__(self, cluster: Any) -> None:
        super().__init__()
        self._cluster = cluster
        self.client: Any = None
        self._owned: list[Any] = []
        self._hired: list[Hired] = []
        self._refused: set[str] = set()
        self._shared: SharedArray | None = None
        self._asked = 0
        self._failed: BaseException | None = None  # what a worker that is left out ended with

    def start(self, work: Work, samples: dict[int, Shard]) -> None:
        """Hire every worker's threads, if they give the same bits as this process."""
        self._work, self._samples = work, samples
        parameters = work.network.parameters.data
        try:
            self.client, self._owned = connection.connected(self._cluster)
            self._name = connection.name_of(self.client)
            self._shared = _shared(parameters.shape, parameters.dtype)
            self._settle()
        except BaseException:
            self.close()
            raise

    def ask(self, asked: Asked) -> list[Found]:
        """Have every shard computed, whoever is there to do it."""
        began, self._asked = time.perf_counter(), self._asked + 1
        if self._asked % _LOOK_EVERY == 0:
            self._settle()
        if self._shared is not None:
            self._shared.array[...] = asked.parameters
        found: list[Found] = []
        answered: dict[str, float] = {}
        left = set(range(self._work.shards))
        while left:
            shares = {
                one: some
                for one in self._hired
                if (some := [shard for shard in one.shards if shard in left])
            }
            answers = self._answers(
                {one: partial(one.ask, asked, some) for one, some in shares.items()}
            )
            for one, (at, answer) in answers.items():
                if isinstance(answer, Exception):
                    raise answer
                found.append(one.read(answer))
                answered[one.address] = max(at, answered.get(one.address, at))
                left.difference_update(shares[one])
            if lost := shares.keys() - answers.keys():
                found = [some.copy() for some in found]  # who is asked again writes there again
                self._dismiss(lost)
        rows = sum(len(logits) for some in found for logits in some.logits.values())
        self.pace.note(began, rows, answered)
        return found

    def close(self) -> None:
        """Let the actors go, and what was made for this."""
        self._hired.clear()
        if self._shared is not None:
            self._shared.close()
        for owned in self._owned:
            owned.close()

    def _answers(self, jobs: Mapping[Hired, Callable[[], Any]]) -> dict[Hired, tuple[float, Any]]:
        """Wait for what workers answer, and note when they do; those that are gone are left out.

        Dask itself would go on trying for half a minute to reach one that is not there.
        """
        loop = self.client.loop.asyncio_loop
        whose = {
            asyncio.run_coroutine_threadsafe(_timed(job), loop): one for one, job in jobs.items()
        }
        pending = set(whose)
        try:
            while pending:
                _, pending = wait(pending, timeout=_PATIENCE)
                if pending:
                    present = self._present()
                    pending = {one for one in pending if whose[one].address in present}
        finally:
            for future in whose:
                future.cancel()
        answers = {}
        for future, one in whose.items():
            if future.cancelled():
                continue
            if (error := future.exception()) is None:
                answers[one] = future.result()
            else:
                self._failed = error
        return answers

    def _present(self) -> dict[str, int]:
        """Return the number of threads of each worker by its address, in a fixed order."""
        try:
            return connection.threads_of(self.client)
        except Exception as error:  # Dask has several for a scheduler that does not answer
            raise ClusterError(
                f"The scheduler of the cluster {self._name} does not answer any more. "
                f"Start it and its workers anew, and {_GO_ON}."
            ) from error

    def _dismiss(self, lost: Iterable[Hired]) -> None:
        """Give the shards of workers that are gone to the others."""
        gone = {one.address for one in lost}
        for _ in range(_TRIES):  # for one whom the scheduler has not missed yet
            if not gone & self._present().keys():
                break
            time.sleep(_PATIENCE)
        self._drop(gone)
        self._settle()

    def _drop(self, gone: set[str]) -> None:
        self._hired = [one for one in self._hired if one.address not in gone]
        for address in sorted(gone):
            self.remarks.append(f"The worker {address} is gone; others compute its shards.")

    def _settle(self) -> None:
        """Deal the shards out among whoever is there, though some may go meanwhile."""
        problem: Exception | None = None
        for _ in range(_TRIES):
            if not self._hired:
                self._wait()
            try:
                self._hire()
            except ClearpropError:
                raise
            except Exception as error:  # whatever Dask says of a worker that has just gone
                problem = error
                time.sleep(_PATIENCE)
            else:
                return
        if problem is not None and isinstance(problem.__cause__, ClusterError):
            raise problem.__cause__
        last = "" if self._failed is None else f" The last one ended with {self._failed!r:.200}."
        raise ClusterError(
            f"The workers of the cluster {self._name} go as soon as they come.{last} Look at their "
            "logs."
        ) from problem

    def _wait(self) -> None:
        """Wait until there is a worker."""
        try:
            self.client.wait_for_workers(1, timeout=connection.SECONDS)
        except Exception as error:  # Dask has several for a scheduler that does not answer
            raise ClusterError(
                f"The cluster {self._name} has no workers, waited {connection.SECONDS} s. "
                f"Start some, and {_GO_ON}."
            ) from error

    def _hire(self) -> None:
        """Hire threads that are not hired yet, and deal all shards out anew if there are any."""
        present = self._present()
        if not self._hired:
            self._refused.clear()  # to say again why, if nobody else comes
        known = {one.address for one in self._hired}
        new = [address for address in present if address not in known | self._refused]
        if gone := known - present.keys():
            self._drop(gone)
        if not new and not gone and self._dealt:
            return
        problems = []
        for address in new:
            try:
                connection.require_same(self.client, address)
            except ClusterError as error:
                problems.append(error)
                self._refused.add(address)
                continue
            self._hired += [self._member_of(address) for _ in range(present[address])]
            if self._asked:
                self.remarks.append(f"The worker {address} has come, and computes with the others.")
        if problems and not self._asked:
            raise problems[0]
        if not self._hired:
            raise _GoneError from (problems[0] if problems else None)
        self.remarks += [f"{error} The others go on without it." for error in problems]
        self._deal()

    def _member_of(self, address: str) -> Hired:
        """Start an actor on a worker."""
        with self.client.as_current():  # of several clients the one that an actor is bound to
            future = self.client.submit(
                Member, self._work, workers=[address], actor=True, pure=False, retries=0
            )
            while True:
                try:
                    actor = future.result(timeout=_PATIENCE)
                    break
                except TimeoutError:
                    if address not in self._present():
                        future.cancel()
                        raise _GoneError from None
                except RuntimeError as error:
                    if "deserialization" not in str(error):
                        raise
                    raise ClusterError(
                        f"The scheduler of the cluster {self._name} has no clearprop, or another "
                        f"one than {__version__} of this process. Install the same version where "
                        "it runs, and start it anew."
                    ) from error
        sums = self._memory_with(actor, address)
        return Hired(address, actor, sums)

    def _memory_with(self, actor: Any, address: str) -> Array | None:
        """Make memory for a member's sums; None where it can't share any."""
        if self._shared is None:
            return None
        parameters = self._shared.place
        sums = _shared((self._work.shards, *parameters.shape), self._shared.array.dtype)
        if sums is None:
            return None
        try:
            one = Hired(address, actor, None)
            answers = self._answers({one: partial(actor.share, parameters, sums.place)})
        finally:
            sums.close()  # whom it is for, he has it now
        if one not in answers:
            raise _GoneError
        _, is_shared = answers[one]
        return sums.array if is_shared else None

    @property
    def _dealt(self) -> bool:
        return sum(len(one.shards) for one in self._hired) == self._work.shards

    def _deal(self) -> None:
        """Give each thread neighbouring shards; those that it has already need not travel."""
        members, shards = len(self._hired), self._work.shards
        shares = {
            one: list(range(place * shards // members, (place + 1) * shards // members))
            for place, one in enumerate(self._hired)
        }
        jobs = {
            one: partial(
                one.take,
                {shard: self._samples[shard] for shard in share if shard not in one.shards},
                share,
            )
            for one, share in shares.items()
        }
        answers = self._answers(jobs)
        for one in answers:
            one.shards = shares[one]
        if lost := jobs.keys() - answers.keys():
            self._drop({one.address for one in lost})
            raise _GoneError


async def _timed(job: Callable[[], Any]) -> tuple[float, Any]:
    answer = await job()  # which raises at once where Dask knows that the worker is gone
    return time.perf_counter(), answer


def _shared(shape: tuple[int, ...], dtype: Any) -> SharedArray | None:
    try:
        return SharedArray(shape, dtype)
    except OSError:
        return None
