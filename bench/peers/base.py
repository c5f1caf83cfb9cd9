"""What every peer can do."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from bench.task import Array, Task, Weights


class Peer(ABC):
    """One way of training a network; an object lives in a process of its own.

    Parameters
    ----------
    way : str
        How it is used, where there is more than one way.
    """

    task: Task

    def __init__(self, way: str) -> None:
        self.way = way

    def can(self, task: Task) -> bool:
        """Whether it is able to do the task."""
        return True

    def differs(self, task: Task) -> str | None:
        """Say why its result can't be the others' result, or None where it must be."""
        return None

    @abstractmethod
    def load(self, task: Task) -> None:
        """Set `task`, and bring its data into the peer's own form; not timed."""

    @abstractmethod
    def fresh(self) -> None:
        """Go back to the first weights; not timed."""

    @abstractmethod
    def train(self, first: int, last: int) -> None:
        """Do the updates `first` to `last` - 1, after those before them; timed."""

    @abstractmethod
    def weights(self) -> Weights:
        """Return what was learned."""

    @abstractmethod
    def predict(self, X: Array) -> Array:
        """Return the probability of each class (N, K), or of class 1 (N, 1); timed."""

    def learn(self, after_epoch: Callable[[], bool]) -> None:
        """Train epoch by epoch until `after_epoch` says that it is enough; timed."""
        for epoch in self.task.epochs(0, self.task.rule.steps):
            self.train(epoch.start, epoch.stop)
            if after_epoch():
                return
