"""The state of a training run, all that a checkpoint has to hold, and the callbacks that see it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from clearprop.network import Network
from clearprop.optimizers import Optimizer, OptimizerState
from clearprop.training.engines import Engine, Weights
from clearprop.training.history import History
from clearprop.training.samples import Samples

if TYPE_CHECKING:
    from clearprop.training.trainer import Trainer


@dataclass
class Best:
    """The weights that early stopping would restore.

    Parameters
    ----------
    epoch : int
        The epoch after which they were there; 0 before there are any.
    value : float
        The value of the monitored column.
    weights : Weights
    """

    epoch: int
    value: float
    weights: Weights


@dataclass
class Run:
    """A training run at the end of an epoch; callbacks see it.

    Parameters
    ----------
    engine : Engine
        The network that is trained, or an engine that stands in for it.
    optimizer : Optimizer
        The optimizer of the next update.
    optimizer_state : dict of str to ndarray
    samples : Samples
        The samples that are trained on, with the weights that were given for single ones.
    held_out : Samples or None
        The samples that are measured after every epoch.
    random_state : numpy.random.RandomState
        The source of batches and dropout.
    epochs : int
        The number of epochs that there are to be.
    steps_per_epoch : int
    trainer : Trainer or None
        The settings; those of an estimator in these words.
    epoch, step : int
        The numbers of epochs and of updates that are done.
    loss : float
        The loss of the last batch.
    history : History
    best : Best or None
        The best epoch that early stopping has seen.
    stop_reason : str or None
        The reason to end training after the update that is under way.
    remarks : list of str
        Sentences about how it is trained, for whoever watches.
    pace : callable
        Says in a few words who computes, and how fast, where that is not this process alone.
    """

    engine: Engine
    optimizer: Optimizer
    optimizer_state: OptimizerState
    samples: Samples
    held_out: Samples | None
    random_state: np.random.RandomState
    epochs: int
    steps_per_epoch: int
    trainer: "Trainer | None" = None
    epoch: int = 0
    step: int = 0
    loss: float = float("nan")
    history: History = field(default_factory=History)
    best: Best | None = None
    stop_reason: str | None = None
    remarks: list[str] = field(default_factory=list)
    pace: Callable[[], str] = str

    _started: float = field(default=0.0, init=False, repr=False)

    def start_clock(self) -> None:
        """Count the seconds from now on; a resumed run counts its own on."""
        before = self.history.rows[-1]["seconds"] if self.epoch else 0.0
        self._started = time.perf_counter() - before

    @property
    def seconds(self) -> float:
        """The time since training began."""
        return time.perf_counter() - self._started

    def write_back(self) -> Network:
        """Return the network, with its present weights written into it.

        In sample space they are computed now, at about the cost of a plain update.
        """
        return self.engine.write_back()

    def stop(self, reason: str = "asked") -> None:
        """End training after the update that is under way; `reason` goes into the history."""
        self.stop_reason = reason


class Callback:
    """Base of every callback: override what you need; each method gets the run.

    ``run.history`` holds the rows so far, ``run.write_back()`` returns the network with its present
    weights, and ``run.stop()`` ends training. A callback's own memory is no part of a checkpoint.
    """

    @property
    def wants_every_step(self) -> bool:
        """Whether `on_step_end` is to come after each update, not after some tenths of a second.

        Unless overridden: where the class has one of its own.
        """
        return type(self).on_step_end is not Callback.on_step_end

    def on_train_begin(self, run: Run) -> None:
        """Before the first update, or before the first one after a checkpoint."""

    def on_step_end(self, run: Run) -> None:
        """After every update; ``run.loss`` is that of its batch."""

    def on_epoch_end(self, run: Run) -> None:
        """After every epoch, when its row stands in the history."""

    def on_train_end(self, run: Run) -> None:
        """At the end, however training ended: by an error, too."""
