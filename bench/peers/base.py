"""The abilities of every peer."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from bench.task import Array, Task, Weights, loss_of

Asked = TypeVar("Asked")


class Contestant(ABC, Generic[Asked]):
    """One way of doing what a task of some kind asks for; it lives in a process of its own.

    Parameters
    ----------
    way : str
        The way it is used, where there is more than one.
    """

    task: Asked

    def __init__(self, way: str) -> None:
        self.way = way

    @abstractmethod
    def read(self, path: Path) -> Asked:
        """Read a task from its file."""

    def can(self, task: Asked) -> bool:
        """Whether it is able to do the task."""
        return True

    def differs(self, task: Asked) -> str | None:
        """Say why its result can't be the others' result, or None where it must be."""
        return None

    @abstractmethod
    def load(self, task: Asked) -> None:
        """Set `task`, and bring its data into the peer's own form; not timed."""

    @abstractmethod
    def fresh(self) -> None:
        """Go back to the first weights; not timed."""

    @abstractmethod
    def train(self, first: int, last: int) -> None:
        """Do the updates `first` to `last` - 1, after those before them; timed."""

    @abstractmethod
    def final_loss(self) -> float:
        """Return the loss of all samples: what must be everybody's."""


class Peer(Contestant[Task]):
    """One way of training a network."""

    def read(self, path: Path) -> Task:
        """Read weights, batches and rule."""
        return Task.load(path)

    def final_loss(self) -> float:
        """Compute it in float64."""
        return loss_of(self.weights(), self.task.X, self.task.y, self.task.rule.front)

    @abstractmethod
    def weights(self) -> Weights:
        """Return what was learned."""

    @abstractmethod
    def predict(self, X: Array) -> Array:
        """Return the probability of each class (N, K), or of class 1 (N, 1); timed."""

    def learn(self, look: Callable[[], bool]) -> None:
        """Train from one look at the test set to the next, until `look` says that it is enough."""
        for stretch in self.task.stretches(0, self.task.rule.steps):
            self.train(stretch.start, stretch.stop)
            if look():
                return
