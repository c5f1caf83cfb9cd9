"""What the recipes share: yes-or-no networks, and full-batch gradient descent."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from clearprop.initializers import Initializer
from clearprop.layers import Dense, Layer
from clearprop.losses import BinaryCrossEntropy
from clearprop.network import Network
from clearprop.optimizers import SGD
from clearprop.parameters import Array
from clearprop.training import Callback, History, Trainer
from clearprop.training.plan import Choice


def yes_or_no(
    inputs: int,
    hidden: Sequence[int],
    activation: Layer,
    init: Initializer,
    seed: int = 1,
) -> Network:
    """Make a network of [Dense, activation] for each hidden layer, and one logit, in float64.

    Parameters
    ----------
    inputs : int
        Features of a sample.
    hidden : sequence of int
        Units of the hidden layers.
    activation : Layer
        Of the hidden layers.
    init : Initializer
        Of every layer's weights.
    seed : int, default 1

    Returns
    -------
    Network
    """
    layers: list[Layer] = []
    for units in hidden:
        layers += [Dense(units, init=init), activation]
    layers.append(Dense(1, init=init))
    return Network(layers, loss=BinaryCrossEntropy(), input_shape=(inputs,), seed=seed)


def descend(
    network: Network,
    X: Array,
    y: Array,
    learning_rate: float,
    iterations: int,
    callbacks: Sequence[Callback] = (),
    sample_space: Choice = "auto",
) -> list[float]:
    """Train by gradient descent on all samples at once.

    Parameters
    ----------
    network : Network
        Trained in place.
    X : ndarray, shape (N, D)
    y : ndarray, shape (N,)
    learning_rate : float
    iterations : int
    callbacks : sequence of Callback
    sample_space : "auto" or bool, default "auto"
        As `Trainer` takes it.

    Returns
    -------
    list of float, length `iterations`
        Entry i is what the articles call the cost after iteration i: they compute it before the
        iteration's update.

    Raises
    ------
    KeyboardInterrupt
        If training was interrupted.
    """
    trainer = Trainer(
        optimizer=SGD(learning_rate),
        epochs=iterations,
        batch_size=None,
        sample_space=sample_space,
    )
    return fit(trainer, network, X, y, callbacks=callbacks)["loss"]


def fit(trainer: Trainer, network: Network, X: Array, y: Array, **settings: Any) -> History:
    """Call `Trainer.fit`; half a training has nothing to compare, so Ctrl-C ends all of it.

    Raises
    ------
    KeyboardInterrupt
        If training was interrupted.
    """
    history = trainer.fit(network, X, y, **settings)
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    return history


def accuracy(network: Network, X: Array, y: Array) -> float:
    """Return the share of right predictions in per cent; a probability over one half means 1."""
    return 100 * float(np.mean(network.predict(X) == y))
