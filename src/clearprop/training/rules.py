"""Rules for all that the training loop leaves open, and those of clearprop's own `Trainer`."""

import math
from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from clearprop.core.parameters import Array
from clearprop.errors import DivergedError
from clearprop.network.metrics import Tally, tally_for
from clearprop.training.engines import Engine
from clearprop.training.run import Run
from clearprop.training.samples import Rows, Samples
from clearprop.training.shards.cutting import shard_batches
from clearprop.training.stopping import SafeWeights, restore_best
from clearprop.training.streaming import ShardedOnDisk

if TYPE_CHECKING:
    from clearprop.training.trainer import Trainer


class Measured(NamedTuple):
    """The logits (H, K), the mean loss and the score of the samples that are held out."""

    logits: Array
    loss: float
    score: Tally


def measure(engine: Engine, held_out: Samples) -> Measured:
    """Predict the samples that are held out, as the engine takes them."""
    logits = engine.logits(held_out.X)
    score = tally_for(engine.loss)
    score.add(engine.loss, logits, held_out.y)
    return Measured(logits, engine.loss(logits, held_out.y, held_out.weights)[0], score)


class Rules(ABC):
    """Decisions of a training: its batches, its history, its end.

    Every method but `batches` and `end_epoch` may be left as it is.
    """

    scores: bool = True
    """Whether the score of what is trained on is wanted: each batch before its update."""

    goes_on: bool = False
    """Whether updates are done even where a loss is not finite."""

    max_steps: int | None = None
    """The number of updates after which training ends, if the epochs have more."""

    samples_per_epoch: int
    """The number of samples that a whole epoch sees, at least."""

    def begin(self, run: Run) -> None:  # noqa: B027 - not every kind has something to do
        """Get ready, before the first update; the run may be stopped already."""

    @abstractmethod
    def batches(self) -> Generator[Rows]:
        """Choose the batches of one epoch."""

    def before_updates(self) -> None:  # noqa: B027
        """Hear that some updates are to be done."""

    def after_updates(self, losses: Sequence[float]) -> None:  # noqa: B027
        """Hear what the losses were.

        Raises
        ------
        DivergedError
            If one is not finite, and that is the end.
        """

    @abstractmethod
    def end_epoch(self, run: Run, loss: float, score: Tally | None) -> None:
        """Put an epoch on record, and stop the run where that is the rule.

        Parameters
        ----------
        loss : float
            The mean loss of the batches.
        score : Tally or None
            The score of the same.
        """

    def restore(self, run: Run) -> None:
        """Put the best weights back, however training ends."""
        restore_best(run)

    def check(self, run: Run) -> None:  # noqa: B027
        """Refuse weights at the end that can't be used.

        Raises
        ------
        DivergedError
        """


class OwnRules(Rules):
    """The rules of `Trainer`.

    Parameters
    ----------
    run : Run
        A run before its first update.
    samples, held_out : Samples
        The samples as the run's engine takes them.
    """

    def __init__(
        self, trainer: "Trainer", run: Run, samples: Samples, held_out: Samples | None
    ) -> None:
        self.trainer, self.run, self.held_out = trainer, run, held_out
        self.max_steps, self.early_stopping = trainer.max_steps, trainer.early_stopping
        self.samples = samples
        size = trainer.samples_per_update
        in_batches = len(samples) if size is None else run.steps_per_epoch * size
        self.samples_per_epoch = min(len(samples), in_batches)
        self.safe = SafeWeights(run)

    def begin(self, run: Run) -> None:
        """Stop a resumed run that was at its end."""
        if self.early_stopping is not None:
            self.early_stopping.stop_if_spent(run)

    def batches(self) -> Generator[Rows]:
        """Choose all samples, or batches that are drawn or shuffled."""
        trainer, random_state = self.trainer, self.run.random_state
        if isinstance(self.samples, ShardedOnDisk):
            return self.samples.turns(random_state, drop_last=trainer.drop_last)
        if trainer.shards is not None:
            return shard_batches(
                *(len(self.samples), trainer.samples_per_update, trainer.shards, random_state),
                drop_last=trainer.drop_last,
            )
        return self.samples.batches(
            trainer.samples_per_update,
            replacement=trainer.replacement,
            random_state=random_state,
            drop_last=trainer.drop_last,
        )

    def before_updates(self) -> None:
        """Copy the weights now and then."""
        self.safe.prepare()

    def after_updates(self, losses: Sequence[float]) -> None:
        """End training by an error where a loss is not finite."""
        if math.isfinite(losses[0]):
            self.safe.confirm()
        if not math.isfinite(losses[-1]):
            raise self._diverged("The loss", self.run.epoch + 1, self.run.step + 1)

    def end_epoch(self, run: Run, loss: float, score: Tally | None) -> None:
        """Write a row of the history, and let early stopping look at it."""
        row: dict[str, float] = {"epoch": run.epoch, "step": run.step, "loss": loss}
        if score is not None:
            row[score.name] = score.value()
        if self.held_out is not None:
            measured = measure(run.engine, self.held_out)
            row["validation_loss"] = measured.loss
            row[f"validation_{measured.score.name}"] = measured.score.value()
        if not run.optimizer.full_batch:
            row["learning_rate"] = run.optimizer.rate(run.step - 1)
        row["seconds"] = run.seconds
        run.history.append(row)
        if self.early_stopping is not None:
            self.early_stopping.look(run)

    def check(self, run: Run) -> None:
        """End training by an error where the weights are not finite."""
        if not run.engine.is_finite:
            raise self._diverged("The weights", run.epoch, run.step)

    def _diverged(self, what: str, epoch: int, update: int) -> DivergedError:
        run = self.run
        kept = self.safe.put_back()
        run.stop("diverged")
        where = f"{what} stopped being finite in epoch {epoch}, update {update}"
        if run.optimizer.full_batch:
            return DivergedError(
                f"{where}; the weights after {kept} are kept. Try smaller first weights, or inputs "
                "scaled to about 1.",
                run.history,
            )
        rate = run.optimizer.rate(update - 1)
        return DivergedError(
            f"{where}, with a learning rate of {rate:g}; the weights after {kept} are kept. Try a "
            "lower learning rate, clipped gradients, or inputs scaled to about 1.",
            run.history,
        )
