"""How a network is trained: the settings, and `fit`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import numpy as np

from clearprop.backend import check_threads, choose_threads
from clearprop.configuration import Json, to_config
from clearprop.errors import UsageError
from clearprop.initializers import random_state_of
from clearprop.network import Network
from clearprop.optimizers import Adam, Optimizer
from clearprop.training.batches import batches, steps_per_epoch
from clearprop.training.callbacks import Callback
from clearprop.training.checkpoint import Checkpoint, Saver, was
from clearprop.training.early_stopping import EarlyStopping
from clearprop.training.engine import (
    Choice,
    choose_compiled,
    choose_sample_space,
    in_sample_space,
)
from clearprop.training.history import History
from clearprop.training.loop import Loop
from clearprop.training.run import Run
from clearprop.training.samples import checked_samples, checksum, split
from clearprop.training.step import step_of
from clearprop.training.weights import sample_weights


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """Everything that decides how training goes, apart from network and data.

    Parameters
    ----------
    optimizer : Optimizer, default Adam()
    epochs : int, default 20
        How often every sample is seen.
    batch_size : int or None, default 32
        Samples that an update sees; None for all of them, in order.
    replacement : bool, default False
        Whether each batch is drawn anew from all samples, rather than shuffled once an epoch.
    max_steps : int, optional
        Ends training after so many updates, if the epochs have more.
    early_stopping : EarlyStopping, optional
        Ends training when it gets no better, and restores the best weights.
    class_weight : "balanced" or mapping of class number to weight, optional
        Multiplied into the sample weights. Balanced: N / (classes count of the class).
    clip_norm : float, optional
        The longest gradient: a longer one is scaled down to it.
    seed : int, default 0
        Of batches, dropout and the validation share.
    sample_space : "auto" or bool, default "auto"
        Whether the first Dense layer is trained in the space of the samples
        (`clearprop.sample_space`): with few samples of many features it does the same, up to
        rounding, in a fraction of the time. Auto: where it is exact and cheaper.
    threads : int, optional
        Of matrix products, at most; unless given, OPENBLAS_NUM_THREADS and its like decide, or
        else the shapes: one, or all cores where a step is large enough for that.

    Raises
    ------
    UsageError
        If a setting can't be used.

    Examples
    --------
    >>> import clearprop as cp
    >>> moons = cp.load_data("moons")
    >>> net = cp.Network(
    ...     [cp.Dense(8), cp.Tanh(), cp.Dense(1)], loss=cp.BinaryCrossEntropy(), input_shape=(2,)
    ... )
    >>> trainer = cp.Trainer(optimizer=cp.Adam(0.01), epochs=5)
    >>> history = trainer.fit(net, moons.X, moons.y, validation=0.2)
    >>> len(history["validation_accuracy"])
    5
    """

    optimizer: Optimizer = Adam()
    epochs: int = 20
    batch_size: int | None = 32
    replacement: bool = False
    max_steps: int | None = None
    early_stopping: EarlyStopping | None = None
    class_weight: str | Mapping[int, float] | None = None
    clip_norm: float | None = None
    seed: int = 0
    sample_space: Choice = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "max_steps"):
            count = getattr(self, name)
            if count is not None and not (isinstance(count, int | np.integer) and count >= 1):
                raise UsageError(
                    f"Trainer needs {name} to be a whole number of at least 1, found {count!r}."
                )
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise UsageError(
                f"clip_norm is the longest gradient, a positive number; found {self.clip_norm}."
            )

        if self.sample_space not in ("auto", True, False):
            raise UsageError(f"sample_space is 'auto', True or False, found {self.sample_space!r}.")
        check_threads(self.threads)

    def fit(
        self,
        network: Network,
        X: Any,
        y: Any,
        *,
        validation: float | tuple[Any, Any] | None = None,
        sample_weight: Any = None,
        callbacks: Sequence[Callback] = (),
        checkpoint: Checkpoint | None = None,
        resume: bool = False,
    ) -> History:
        """Train a network in place.

        Ctrl-C ends training after the update that is under way, and keeps the weights so far.

        Parameters
        ----------
        network : Network
            Its parameters and state are changed.
        X : array-like, shape (N, *input_shape)
            Or rows that are prepared as they are asked for: anything with `shape` and `dtype` that
            can be indexed.
        y : array-like, shape (N,) or (N, K)
            Targets, as the loss takes them.
        validation : float or (X, y), optional
            What is measured after every epoch and not trained on: a share of the samples, drawn at
            random, or a set of its own.
        sample_weight : array-like, shape (N,), optional
        callbacks : sequence of Callback
        checkpoint : Checkpoint, optional
            Where the run is saved as it goes on.
        resume : bool, default False
            Go on from the checkpoint, if there is one, to the very same bits as if training had
            never ended. More epochs than before are allowed.

        Returns
        -------
        History
            A row for each epoch. ``history.stopped`` says why training ended.

        Raises
        ------
        DivergedError
            If the loss is no finite number any more. The network has the last weights that were
            copied while it was, and the error's `history` holds the rows so far.
        ShapeError, DataError
            If the samples don't fit the network, the loss or each other, or are not finite.
        UsageError
            If the checkpoint was made with other settings.
        """
        if resume and checkpoint is None:
            raise UsageError("To resume, give the checkpoint to resume from.")
        random_state = random_state_of(self.seed)
        samples = checked_samples(network, X, y, sample_weight)
        held_out = None
        if isinstance(validation, tuple):
            held_out = checked_samples(network, *validation)
        elif validation is not None:
            samples, held_out = split(samples, validation, random_state)
        weights = sample_weights(samples.y, samples.weights, self.class_weight)
        if weights is not None:
            samples = replace(samples, weights=weights.astype(network.dtype, copy=False))
        resumes = resume and checkpoint is not None and checkpoint.exists()
        steps = steps_per_epoch(len(samples), self.batch_size)
        all_steps = min(self.epochs * steps, self.max_steps or self.epochs * steps)
        choice: Choice = self.sample_space
        if choice == "auto" and resumes and checkpoint is not None:
            choice = was(checkpoint, "in sample space")  # more epochs must not change the way
        facts: dict[str, Json] = {
            "samples": len(samples),
            "validation samples": 0 if held_out is None else len(held_out),
            "in sample space": choose_sample_space(
                choice,
                network,
                self.optimizer,
                samples,
                held_out,
                self.batch_size,
                all_steps,
            ),
        }
        fingerprint = 0 if checkpoint is None else checksum(samples)
        engine, remarks = network, []
        if facts["in sample space"]:
            engine, samples, held_out = in_sample_space(network, samples, held_out)
            remarks.append(engine.remark)
        compiled = choose_compiled(engine, self.optimizer, samples, self.clip_norm, all_steps)
        if resumes and checkpoint is not None:
            compiled = compiled and was(checkpoint, "by compiled steps")
        facts["by compiled steps"] = compiled
        run = Run(
            engine=engine,
            optimizer_state=self.optimizer.start(engine.parameters),
            random_state=random_state,
            epochs=self.epochs,
            steps_per_epoch=steps,
            remarks=remarks,
        )
        saver = None
        if checkpoint is not None:
            facts["data"] = fingerprint
            saver = Saver(checkpoint, run, self._settings(network) | facts)
            if resumes:
                saver.restore()
        batch_size = self.batch_size or len(samples)
        threads = choose_threads(engine.parameters.data.size, batch_size, self.threads)
        step = step_of(
            run,
            self.optimizer,
            samples,
            self.clip_norm,
            compiled=compiled,
            batch_size=batch_size,
            threads=threads,
        )
        return Loop(
            run=run,
            optimizer=self.optimizer,
            step=step,
            samples=samples,
            held_out=held_out,
            batches=partial(
                batches,
                len(samples),
                self.batch_size,
                replacement=self.replacement,
                random_state=random_state,
            ),
            max_steps=self.max_steps,
            blas_threads=1 if compiled else threads,
            early_stopping=self.early_stopping,
            callbacks=callbacks,
            saver=saver,
        ).go()

    def _settings(self, network: Network) -> dict[str, Json]:
        """Say what must be the same for a run to go on; only its epochs may change."""
        return {
            "layers": to_config(network.layers),
            "loss": to_config(network.loss),
            "input_shape": list(network.input_shape),
            "dtype": network.dtype.name,
            **{
                field.name: to_config(getattr(self, field.name))
                for field in fields(self)
                if field.name != "epochs"
            },
        }
