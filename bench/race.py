"""The time to a test accuracy."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench import data
from bench.cell import Bench, Cell, Job
from bench.peers import CLEARPROP, Entry
from bench.pool import PeerError
from bench.results import Figure, Line
from bench.task import Task
from bench.timing import Contender, best, failure, on_disk, say
from bench.work import Epoch, Training

TARGETS = (0.98, 0.985)
_TOLERANCE = 0.1  # of the loss after an epoch with dropout
_TRIED = 40  # updates at most on which settings are tried


@dataclass(frozen=True)
class Recipe:
    """A way to train.

    Parameters
    ----------
    words : str
        The words in the tables for those who use it; none for the first.
    make : callable
        Makes the task.
    """

    words: str
    make: Callable[[], Task]


@dataclass(frozen=True)
class Finish:
    """The course of one peer's training.

    Parameters
    ----------
    contender : Contender
    recipe : Recipe
    reached : dict of str to (float or None)
        Seconds, by target.
    accuracy : float
        The best.
    """

    contender: Contender
    recipe: Recipe
    reached: dict[str, float | None]
    accuracy: float


@dataclass(frozen=True)
class Race(Cell):
    """Train until the last target is reached: a line for each target.

    Everybody has the first recipe that they can do. Each trains once: that takes far longer than
    what disturbs it.

    Parameters
    ----------
    recipes : tuple of Recipe
        The best first.
    targets : tuple of float
        The accuracies.
    limit : float or None
        Seconds after which a training ends; None for those of the effort.
    peers : tuple of str
        The names of those who take part; all where there are none.
    """

    recipes: tuple[Recipe, ...]
    targets: tuple[float, ...] = TARGETS
    limit: float | None = None
    peers: tuple[str, ...] = ()

    def lines(self, bench: Bench) -> list[Line]:
        """Train each in turn; without the real digits there is nothing to learn.

        Raises
        ------
        PeerError
            If clearprop itself fails.
        """
        if not data.has_digits():
            say("  left out: it needs MNIST in ../shared/data")
            return []
        finished: dict[str, Finish] = {}
        failed: dict[str, Figure] = {}
        for entry in bench.entries:
            if self.peers and entry.name not in self.peers:
                continue
            try:
                finish = self._run(bench, entry)
            except PeerError as error:
                failed[entry.name] = failure(entry.name, error)
                continue
            if finish is not None:
                finished[entry.name] = finish
        return [
            Line(
                f"{self.name}-{target:g}",
                f"{self.title}{target:.1%}",
                self.table,
                "s",
                failed | _figures(finished, str(target)),
            )
            for target in self.targets
        ]

    def jobs(self) -> Iterator[Job]:
        """Train for one epoch, which lasts as long as any other."""
        if data.has_digits():
            yield Job(self.name, self._epoch)

    def _epoch(self) -> tuple[Task, Epoch]:
        task = self.recipes[0].make()
        return task, Epoch(task.every, task.X.dtype.name, _TOLERANCE)

    def _run(self, bench: Bench, entry: Entry) -> Finish | None:
        limit = min(self.limit or bench.effort.limit, 3 * bench.effort.limit)
        for recipe in self.recipes:
            task = recipe.make()
            tried = Training(min(_TRIED, task.rule.steps), task.X.dtype.name, 0.0)
            with on_disk(task) as path:
                one = best(bench, entry, path, tried)
                if one is not None and one.differs is None:
                    answer = one.remote.ask("learn", targets=self.targets, limit=limit)
                    one.remote.ask("drop")
                    say(f"  {entry.name:<18}{answer['reached']}, best {answer['best']:.2%}")
                    return Finish(one, recipe, answer["reached"], answer["best"])
        return None


def _figures(finished: dict[str, Finish], target: str) -> dict[str, Figure]:
    reference = finished[CLEARPROP.name].reached[target]
    figures = {}
    for name, one in finished.items():
        seconds = one.reached[target]
        figures[name] = Figure(
            seconds,
            seconds / reference if seconds and reference else None,
            ", ".join(filter(None, (one.recipe.words, one.contender.setting.in_words()))),
            remark="" if seconds else f"{one.accuracy:.2%} at best",
        )
    return figures
