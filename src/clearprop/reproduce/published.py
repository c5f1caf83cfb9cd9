"""A published training as settings, which can be examined, changed and trained again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.doctor import Doctor, Examination
from clearprop.experiment.building import build_network, build_trainer
from clearprop.experiment.settings import Settings
from clearprop.network import Network
from clearprop.preprocessing import ArrayRecipe, ClassTarget, Preprocessing
from clearprop.reproduce.sources import Part
from clearprop.training import Callback, History, Trainer

_SHORT = 600  # updates, which show an illness as well as thousands


@dataclass(frozen=True)
class Parts:
    """The samples of a published training.

    Parameters
    ----------
    train, test : Part
    held_out : Part or None
        The samples for validation, where the article has some.
    """

    train: Part
    test: Part
    held_out: Part | None = None


@dataclass(frozen=True)
class SetUp:
    """A network and how it is trained.

    Parameters
    ----------
    network : Network
    trainer : Trainer
    callbacks : tuple of Callback
        The callbacks that the training needs.
    """

    network: Network
    trainer: Trainer
    callbacks: tuple[Callback, ...] = ()


@dataclass(frozen=True)
class Published:
    """A published training.

    Parameters
    ----------
    settings : Settings
        The settings as published.
    read : callable
        A function of the folder that holds the data, or None, which gives `Parts`.
    adapt : callable, optional
        A function that does to a `SetUp` what settings can't say.
    """

    settings: Settings
    read: Callable[[Path | None], Parts]
    adapt: Callable[[SetUp, Settings], SetUp] | None = None

    def set_up(self, settings: Settings, train: Part) -> SetUp:
        """Make network and trainer of the published settings, or of changed ones."""
        inputs = ArrayRecipe((train.X.shape[1],), (0.0,), (1.0,))  # as they are
        target = ClassTarget(tuple(map(str, range(int(train.y.max()) + 1))), "class")
        network = build_network(settings, Preprocessing(inputs, target))
        made = SetUp(network, build_trainer(settings, len(train.X)))
        return made if self.adapt is None else self.adapt(made, settings)

    def train(
        self,
        parts: Parts,
        settings: Settings | None = None,
        callbacks: Sequence[Callback] = (),
        **of_trainer: Any,
    ) -> tuple[Network, History]:
        """Train to the end.

        Parameters
        ----------
        parts : Parts
        settings : Settings, optional
            The changed ones; those published unless given.
        callbacks : sequence of Callback
            The callbacks that watch it.
        **of_trainer
            Fields of the trainer to change.

        Returns
        -------
        network : Network
        history : History
            The losses among it: of full batches, entry i is what the articles call the cost after
            iteration i: they compute it before the iteration's update.

        Raises
        ------
        KeyboardInterrupt
            If training was interrupted: half of it has nothing to compare.
        """
        made = self.set_up(settings or self.settings, parts.train)
        held_out = parts.held_out
        history = replace(made.trainer, **of_trainer).fit(
            made.network,
            parts.train.X,
            parts.train.y,
            validation=None if held_out is None else (held_out.X, held_out.y),
            callbacks=[*made.callbacks, *callbacks],
        )
        if history.stopped == "interrupted":
            raise KeyboardInterrupt
        return made.network, history

    def examine(self, data: Path | None, callbacks: Sequence[Callback] = ()) -> Examination:
        """Examine the training as published, cut to its first updates."""
        parts, doctor = self.read(data), Doctor()
        watched = replace(parts, held_out=parts.held_out or parts.test)
        self.train(watched, callbacks=[*callbacks, doctor], max_steps=_SHORT)
        return doctor.examination


def by_descent(
    read: Callable[[Path | None], tuple[Part, Part]],
    hidden: tuple[int, ...],
    activation: str,
    init: str,
    learning_rate: float,
    iterations: int,
    seed: int = 1,
) -> Published:
    """Describe full-batch gradient descent on yes or no, in float64, as four of the articles do.

    `read` gives training and test set of a folder of data, or of None; activation and init have the
    names of the command line; the seed is that of the first weights.
    """
    settings = Settings(
        data="cats",
        layers=hidden,
        activation=activation,
        init=init,
        optimizer="sgd",
        learning_rate=learning_rate,
        schedule="constant",
        epochs=iterations,
        batch_size=0,
        dtype="float64",
        seed=seed,
    )
    return Published(settings, lambda data: Parts(*read(data)))


def accuracy(network: Network, part: Part) -> float:
    """Return the share of right predictions in per cent; a probability over one half means 1."""
    return 100 * float(np.mean(network.predict(part.X) == part.y))
