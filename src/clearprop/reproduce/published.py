"""A published training as settings, which can be examined, changed and trained again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from clearprop.doctor import Doctor, Examination
from clearprop.experiment.construction import build_network, build_trainer
from clearprop.experiment.settings import Settings
from clearprop.network import Network
from clearprop.parameters import Array
from clearprop.preprocessing import ArrayRecipe, ClassTarget, Preprocessing
from clearprop.reproduce.descent import accuracy, fit
from clearprop.reproduce.pictures import Part
from clearprop.training import Callback, Trainer

Samples: TypeAlias = tuple[Array, Array]
"""X (N, D) and y (N,)."""

_SHORT = 600  # updates, which show an illness as well as thousands


@dataclass(frozen=True)
class Parts:
    """The samples of a published training.

    Parameters
    ----------
    train : (X, y)
    held_out : (X, y) or None
        For validation, where the article has some.
    test : (X, y)
    """

    train: Samples
    held_out: Samples | None
    test: Samples


@dataclass(frozen=True)
class SetUp:
    """A network and how it is trained.

    Parameters
    ----------
    network : Network
    trainer : Trainer
    callbacks : tuple of Callback
        That the training needs.
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
        As published.
    read : callable
        Takes the folder that holds the data, or None, and gives `Parts`.
    adapt : callable, optional
        Does to a `SetUp` what settings can't say.
    """

    settings: Settings
    read: Callable[[Path | None], Parts]
    adapt: Callable[[SetUp, Settings], SetUp] | None = None

    def set_up(self, settings: Settings, train: Samples) -> SetUp:
        """Make network and trainer.

        Parameters
        ----------
        settings : Settings
            The published ones, or changed ones.
        train : (X, y)

        Returns
        -------
        SetUp
        """
        X, y = train
        inputs = ArrayRecipe((X.shape[1],), (0.0,), (1.0,))  # as they are
        target = ClassTarget(tuple(map(str, range(int(y.max()) + 1))), "class")
        network = build_network(settings, Preprocessing(inputs, target))
        made = SetUp(network, build_trainer(settings, len(X)))
        return made if self.adapt is None else self.adapt(made, settings)

    def examine(self, data: Path | None, callbacks: Sequence[Callback] = ()) -> Examination:
        """Examine the training as published, cut to its first updates.

        Parameters
        ----------
        data : pathlib.Path or None
            The folder that holds the data.
        callbacks : sequence of Callback
            That watch it.

        Returns
        -------
        Examination
        """
        parts, doctor = self.read(data), Doctor()
        made = self.set_up(self.settings, parts.train)
        trainer = made.trainer
        short = replace(trainer, max_steps=min(_SHORT, trainer.max_steps or _SHORT))
        fit(
            short,
            made.network,
            *parts.train,
            validation=parts.held_out or parts.test,
            callbacks=[*made.callbacks, *callbacks, doctor],
        )
        return doctor.examination

    def test_accuracy(
        self, data: Path | None, settings: Settings, callbacks: Sequence[Callback] = ()
    ) -> float:
        """Train with some settings, to the end, and return the accuracy on the test set.

        Parameters
        ----------
        data : pathlib.Path or None
            The folder that holds the data.
        settings : Settings
            The published ones, or changed ones.
        callbacks : sequence of Callback
            That watch it.

        Returns
        -------
        float
            In per cent.
        """
        parts = self.read(data)
        made = self.set_up(settings, parts.train)
        fit(
            made.trainer,
            made.network,
            *parts.train,
            validation=parts.held_out,
            callbacks=[*made.callbacks, *callbacks],
        )
        return accuracy(made.network, *parts.test)


def by_descent(
    read: Callable[[Path | None], tuple[Part, Part]],
    hidden: Sequence[int],
    activation: str,
    init: str,
    learning_rate: float,
    iterations: int,
) -> Published:
    """Describe full-batch gradient descent on yes or no, as four of the articles have it.

    Parameters
    ----------
    read : callable
        Takes the folder that holds the data, and gives training and test set.
    hidden : sequence of int
        Units of the hidden layers.
    activation, init : str
        By the names that the command line gives them.
    learning_rate : float
    iterations : int

    Returns
    -------
    Published
    """

    def parts(data: Path | None) -> Parts:
        train, test = read(data)
        return Parts((train.X, train.y), None, (test.X, test.y))

    settings = Settings(
        data="cats",
        layers=tuple(hidden),
        activation=activation,
        init=init,
        optimizer="sgd",
        learning_rate=learning_rate,
        schedule="constant",
        epochs=iterations,
        batch_size=0,
        dtype="float64",
        seed=1,
    )
    return Published(settings, parts)
