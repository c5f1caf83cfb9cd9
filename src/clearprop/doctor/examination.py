"""Examining a training: by a callback that watches it, or before or after it."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from clearprop.doctor.case import Case, Crash
from clearprop.doctor.catalogue import look
from clearprop.doctor.illness import Examination, Finding
from clearprop.errors import DivergedError, UsageError
from clearprop.network import Network
from clearprop.training import Callback, History, Run, Trainer
from clearprop.training.samples import checked_samples

_NOTHING = 0.1  # of what lies between guessing and perfect
_TOLD_AFTER = 4  # a network that knows nothing after this part of the epochs is examined already


class Doctor(Callback):
    """Watch a training and say what is wrong with it.

    The weights are copied after every update, so that the first operation that makes a number
    which is not finite can be found.

    Parameters
    ----------
    tell : callable, optional
        A function that gets each finding as soon as it is made: some before the first update,
        others after a quarter of the epochs if nothing is learned by then, the rest at the end.
        Unless given, nothing is examined before `examination` or `findings` is asked for.

    Examples
    --------
    >>> import clearprop as cp
    >>> moons = cp.load_data("moons")
    >>> net = cp.Network(
    ...     [cp.Dense(8, cp.Zeros()), cp.Tanh(), cp.Dense(1, cp.Zeros())],
    ...     loss=cp.BinaryCrossEntropy(),
    ...     input_shape=(2,),
    ... )
    >>> doctor = cp.Doctor()
    >>> history = cp.Trainer(epochs=2).fit(net, moons.X, moons.y, callbacks=[doctor])
    >>> print(doctor.findings[0].name)
    Equal weights
    """

    def __init__(self, tell: Callable[[Finding], None] | None = None) -> None:
        self.tell = tell
        self._told: set[str] = set()
        self._case: Case | None = None

    @cached_property
    def examination(self) -> Examination:
        """The findings, made when they are first asked for after training.

        Raises
        ------
        UsageError
            If nothing was trained with this callback.
        """
        if self._case is None:
            raise UsageError(
                "This doctor has seen no training to its end. Give it to one: "
                "trainer.fit(network, X, y, callbacks=[doctor])"
            )
        return look(self._case)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings, the most harmful first."""
        return self.examination.findings

    def on_train_begin(self, run: Run) -> None:
        """Keep the first weights."""
        self.__dict__.pop("examination", None)
        self._case, self._told = None, set()
        self._start = run.write_back().copy()
        if run.step:  # a resumed run: what it began with is drawn once more
            self._start.initialize(self._start.seed)
        self._weights = _LastWeights(run)
        if self.tell is not None:
            self._tell(look(self._seen(run), early=True))

    def on_step_end(self, run: Run) -> None:
        """Keep the weights of the last two updates."""
        self._weights.keep(run)

    def on_epoch_end(self, run: Run) -> None:
        """Examine a training that has come to nothing after a quarter of its epochs."""
        if self.tell is not None and run.epoch == max(run.epochs // _TOLD_AFTER, 1):
            case = self._seen(run)
            if case.score.value < _NOTHING:
                self._tell(look(case))

    def on_train_end(self, run: Run) -> None:
        """Keep what is to be examined."""
        self._case = self._seen(run)
        if self.tell is not None:
            self._tell(self.examination)

    def _seen(self, run: Run) -> Case:
        diverged = run.history.stopped == "diverged"
        return Case(
            network=run.write_back().copy(),
            start=self._start,
            samples=run.samples,
            held_out=run.held_out,
            trainer=run.trainer,
            history=run.history,
            crash=self._weights.crash(run) if diverged else None,
        )

    def _tell(self, examination: Examination) -> None:
        for finding in examination:
            if self.tell is not None and finding.illness not in self._told:
                self._told.add(finding.illness)
                self.tell(finding)


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
        The network with its present weights.
    X : array-like, shape (N, *input_shape)
        The samples that it is trained on.
    y : array-like, shape (N,) or (N, K)
        The targets, as the loss takes them.
    validation : (X, y), optional
        Samples that it is not trained on.
    trainer : Trainer, optional
        The trainer; without one the learning rate and the size of batches are not examined.
    history : History, optional
        If it says that training diverged and `trainer` is given, training is repeated up to there,
        to find the first operation whose result was not finite.
    start : Network, optional
        The network with its first weights; drawn anew from the network's seed unless given.

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


class _LastWeights:
    """The weights after each of the last two updates."""

    def __init__(self, run: Run) -> None:
        self._before, self._last = run.engine.weights(), run.engine.weights()

    def keep(self, run: Run) -> None:
        """Copy the present weights over the older ones."""
        self._before, self._last = self._last, self._before
        np.copyto(self._last.parameters, run.engine.parameters.data)
        np.copyto(self._last.state, run.engine.state.data)

    def crash(self, run: Run) -> Crash:
        """Make networks of the kept weights; the run's own stay as they are."""
        before, last = map(run.engine.network_with, (self._before, self._last))
        return Crash(run.step + 1, before, last)
