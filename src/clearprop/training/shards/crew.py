"""Who computes the shards: threads of this process, or whoever else answers in the same way."""

from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from clearprop.training.shards.pace import Pace
from clearprop.training.shards.worker import Asked, Found, Shard, Work, Worker


class Crew(ABC):
    """Base of those who compute shards.

    Attributes
    ----------
    pace : Pace
        How fast they are, where they are workers of a cluster.
    remarks : list of str
        Sentences about who has come and gone, for whoever watches; he takes them out.
    """

    def __init__(self) -> None:
        self.pace = Pace()
        self.remarks: list[str] = []

    @abstractmethod
    def start(self, work: Work, samples: dict[int, Shard]) -> None:
        """Hear what is to be done, and take the samples of every shard.

        Raises
        ------
        ClusterError
            If some of those who are to compute would not give the same bits.
        """

    @abstractmethod
    def ask(self, asked: Asked) -> list[Found]:
        """Return what is found out of all shards for one update, whoever does it.

        Raises
        ------
        ClusterError
            If nobody is left to do it.
        """

    def close(self) -> None:  # noqa: B027 - not every kind holds on to something
        """Let go of what is held."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class ThreadCrew(Crew):
    """Threads of this process, each with every so-many-th shard.

    Parameters
    ----------
    threads : int
    """

    def __init__(self, threads: int) -> None:
        super().__init__()
        self.threads = threads
        self._workers: list[Worker] = []
        self._pool: ThreadPoolExecutor | None = None

    def start(self, work: Work, samples: dict[int, Shard]) -> None:
        """Give each thread neighbouring shards, whose sums it can make."""
        count = min(self.threads, work.shards)
        shares = [
            range(i * work.shards // count, (i + 1) * work.shards // count) for i in range(count)
        ]
        self._workers = [
            Worker(work, {shard: samples[shard] for shard in share}) for share in shares
        ]
        self._pool = ThreadPoolExecutor(count, "clearprop-shards") if count > 1 else None

    def ask(self, asked: Asked) -> list[Found]:
        """Let each thread compute its shards."""
        jobs = [(worker, asked.of([*worker.samples])) for worker in self._workers]
        if self._pool is None:
            return [worker(one) for worker, one in jobs]
        return [job.result() for job in [self._pool.submit(one, part) for one, part in jobs]]

    def close(self) -> None:
        """End the threads, and let go of the samples."""
        if self._pool is not None:
            self._pool.shutdown()
        self._workers.clear()
