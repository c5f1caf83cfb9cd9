"""The recipe of RealMLP: the layers of a network of tables, and how it is trained.

Source: Holzmüller, Grinsztajn, Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted
Trees on Tabular Data" (2024), table A.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.core.blas import blas_threads
from clearprop.core.initializers import FromData
from clearprop.core.schedules import CosLogSchedule, FlatCosineSchedule, Schedule
from clearprop.layers import Blend, Columns, Dropout, Layer, NTKDense, Scale
from clearprop.losses import Loss, SmoothedCrossEntropy
from clearprop.network import Network
from clearprop.optimizers import AdamW
from clearprop.training.samples import steps_per_epoch
from clearprop.training.stopping import EarlyStopping
from clearprop.training.trainer import Trainer

HIDDEN = (256, 256, 256)
EPOCHS, BATCH_SIZE, DROPOUT = 256, 256, 0.15
SMOOTHED = SmoothedCrossEntropy(0.1)
"""The loss of classes, where the share of right answers is what counts."""

_FACTOR = 0.1  # of the learning rate: of biases, of the embedding of numbers, of Blend
_SCALE_FACTOR = 6.0
_DECAY, _BETA_2 = 0.02, 0.95


@dataclass(frozen=True)
class Usual:
    """What differs between classes and values: the activation, by its name, and the peak rate."""

    activation: str
    learning_rate: float


FOR_CLASSES, FOR_VALUES = Usual("selu", 0.04), Usual("mish", 0.2)


@dataclass(frozen=True, kw_only=True)
class TableTraining:
    """A training by the recipe: its schedules are laid out for the rows that are learned from.

    Parameters
    ----------
    rows : int
        The number of rows that are learned from.
    batch_size : int, default 256
        The number of samples that an update sees; all, where there are fewer.
    epochs : int, default 256
        The number of epochs.
    dropout : float, default 0.15
        The share of units that the first half of the training drops.
    """

    rows: int
    batch_size: int = BATCH_SIZE
    epochs: int = EPOCHS
    dropout: float = DROPOUT

    @property
    def epochs_at_ends(self) -> tuple[int, ...]:
        """The epochs nearest to the ends of the rate's swings, but for the first, a short one."""
        return tuple(sorted({max(round(end * self.epochs), 1) for end in CosLogSchedule.ends[1:]}))

    @property
    def samples_per_update(self) -> int:
        """The number of samples that an update sees."""
        return min(self.batch_size, self.rows)

    @property
    def steps(self) -> int:
        """The number of updates in all; an epoch leaves out its last batch if that is smaller."""
        return self.epochs * steps_per_epoch(self.rows, self.samples_per_update, drop_last=True)

    def layers(
        self,
        groups: tuple[int, int, Sequence[int]],
        hidden: Sequence[int],
        activation: Layer,
        outputs: int,
    ) -> list[Layer]:
        """Make the layers.

        Parameters
        ----------
        groups : tuple of (int, int, sequence of int)
            The counts of inputs, as `TableRecipe.groups` tells them.
        hidden : sequence of int
            The units of each hidden layer.
        activation : Layer
        outputs : int
        """
        numbers, plain, sizes = groups
        first = Columns.of_table(numbers=numbers, plain=plain, sizes=sizes, rate=_FACTOR)
        layers: list[Layer] = [first, Scale(rate=_SCALE_FACTOR)]
        for units in hidden:
            layers += [
                NTKDense(units, FromData(), bias_rate=_FACTOR),
                Blend(activation, rate=_FACTOR),
                Dropout(FlatCosineSchedule(self.dropout, self.steps)),
            ]
        return [*layers, NTKDense(outputs, FromData(), bias_rate=_FACTOR)]

    def trainer(
        self,
        rate: float | Schedule,
        *,
        alpha: float = 0.0,
        stopping: EarlyStopping | None = None,
        seed: int = 0,
        threads: int | None = None,
    ) -> Trainer:
        """Make the trainer.

        Parameters
        ----------
        rate : float or Schedule
            The peak of the learning rate, which swings four times; or a schedule in its place.
        alpha : float, default 0.0
            L2, beside the weight decay of the recipe.
        stopping : EarlyStopping, optional
        seed : int, default 0
        threads : int, optional
        """
        schedule = rate if isinstance(rate, Schedule) else CosLogSchedule(rate, self.steps)
        decay = FlatCosineSchedule(_DECAY, self.steps)
        return Trainer(
            optimizer=AdamW(schedule, alpha=alpha, beta_2=_BETA_2, weight_decay=decay),
            epochs=self.epochs,
            batch_size=self.samples_per_update,
            drop_last=True,
            early_stopping=stopping,
            seed=seed,
            threads=threads,
        )


def stopping_for(loss: Loss, patience: int) -> EarlyStopping:
    """Keep the last of the best epochs: by the share of right answers where labels are smoothed.

    Elsewhere, of values and where the log loss is what counts, the loss chooses.
    """
    monitor = "validation_accuracy" if counts_right(loss) else "validation_loss"
    return EarlyStopping(patience, monitor, last=True)


def counts_right(loss: Loss) -> bool:
    """Whether it is the share of right answers that counts, and so what chooses the epoch."""
    return isinstance(loss, SmoothedCrossEntropy)


def fit_to_rows(network: Network, rows: Any) -> None:
    """Give a network of `TableTraining.layers` the first values that its seed draws for rows.

    Parameters
    ----------
    network : Network
    rows : ndarray or PreparedRows, shape (N, D)
        The rows that are learned from.
    """
    # By one thread: so a member begins with the same bits, whatever trains beside it.
    with blas_threads(1):
        network.initialize_from(rows, np.random.RandomState(network.seed))
