"""The state of a training run: all that a checkpoint has to hold."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from clearprop.network import Network
from clearprop.optimizers import OptimizerState
from clearprop.parameters import Array
from clearprop.sample_space import SampleNetwork
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
        After which they were there; 0 before there are any.
    value : float
        Of the monitored column.
    parameters, state : ndarray, shape (P,)
        Copies of the network's vectors.
    """

    epoch: int
    value: float
    parameters: Array
    state: Array


@dataclass
class Run:
    """A training run at the end of an epoch; callbacks see it.

    Parameters
    ----------
    engine : Network
        What is trained: the network itself, or the one that stands for it in sample space.
    optimizer_state : dict of str to ndarray
    random_state : numpy.random.RandomState
        Where batches and dropout come from.
    epochs : int
        How many there are to be.
    steps_per_epoch : int
    epoch, step : int
        How many epochs, and how many updates, are done.
    loss : float
        Of the last batch.
    history : History
    best : Best or None
        What early stopping has seen.
    remarks : list of str
        What a person should be told about how it is trained.
    trainer : Trainer or None
        The settings; of an estimator's sgd and adam the same in these words; None for lbfgs.
    samples : Samples
        What is trained on, with the weights that were given for single samples.
    held_out : Samples or None
        What is measured after every epoch.
    """

    trainer: "Trainer | None"
    samples: Samples
    held_out: Samples | None
    engine: Network
    optimizer_state: OptimizerState
    random_state: np.random.RandomState
    epochs: int
    steps_per_epoch: int
    epoch: int = 0
    step: int = 0
    loss: float = float("nan")
    history: History = field(default_factory=History)
    best: Best | None = None
    stop_reason: str | None = None
    remarks: list[str] = field(default_factory=list)

    @property
    def network(self) -> Network:
        """The network with its present weights, computed now if it trains in sample space."""
        engine = self.engine
        return engine.write_back() if isinstance(engine, SampleNetwork) else engine

    def stop(self, reason: str = "asked") -> None:
        """End training after the update that is under way; `reason` goes into the history."""
        self.stop_reason = reason
