"""Examining a network, with whatever is known of its training."""

from typing import Any

from clearprop.doctor.callback import Doctor
from clearprop.doctor.case import Case
from clearprop.doctor.catalogue import look
from clearprop.doctor.finding import Examination
from clearprop.errors import DivergedError
from clearprop.network import Network
from clearprop.training import History, Trainer
from clearprop.training.samples import checked_samples


def examine(
    network: Network,
    X: Any,
    y: Any,
    *,
    validation: tuple[Any, Any] | None = None,
    trainer: Trainer | None = None,
    history: History | None = None,
    start: Network | None = None,
) -> Examination:
    """Say what is wrong with a training, after it or before it.

    Nothing of the network changes. Advice is tried before it is given: short trials of at most 300
    updates on copies of the network, where something looks wrong.

    Parameters
    ----------
    network : Network
        With the weights that it has now.
    X : array-like, shape (N, *input_shape)
        What it is trained on.
    y : array-like, shape (N,) or (N, K)
        Targets, as the loss takes them.
    validation : (X, y), optional
        Samples that it is not trained on.
    trainer : Trainer, optional
        How it is trained. Without one the learning rate and the size of batches are not examined.
    history : History, optional
        What training reached. If it diverged and `trainer` is given, training is repeated up to
        there, to find the first operation whose result was not finite.
    start : Network, optional
        With the weights that it began with; drawn anew from the network's seed unless given.

    Returns
    -------
    Examination
        The findings, the most harmful first.

    Raises
    ------
    ShapeError, DataError
        If the samples don't fit the network, the loss or each other, or are not finite.
    """
    if start is None:
        start = network.copy()
        start.initialize(network.seed)
    history = History() if history is None else history  # an empty one may say why it ended
    samples = checked_samples(network, X, y)
    if trainer is not None and history.stopped == "diverged":
        doctor = Doctor()
        try:
            trainer.fit(start.copy(), X, y, validation=validation, callbacks=[doctor])
        except DivergedError:
            return doctor.examination
    return look(
        Case(
            network=network.copy(),
            start=start,
            samples=samples,
            held_out=None if validation is None else checked_samples(network, *validation),
            trainer=trainer,
            history=history,
        )
    )
