"""The settings by which a network is trained, and `fit`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

from clearprop.configuration import Json, to_config
from clearprop.core.blas import check_threads
from clearprop.core.initializers import random_state_of
from clearprop.errors import UsageError
from clearprop.network import Network
from clearprop.optimizers import Adam, Optimizer
from clearprop.preprocessing.blocks import Blocks
from clearprop.training.augmentation import Augmentation
from clearprop.training.checkpoint import Checkpoint, Saver, recorded
from clearprop.training.history import History
from clearprop.training.loop import Loop
from clearprop.training.plan import Choice, Plan, Training
from clearprop.training.rules import OwnRules
from clearprop.training.run import Callback, Run
from clearprop.training.samples import Samples, checked_samples, steps_per_epoch
from clearprop.training.shards import SHARDS
from clearprop.training.shards.dask_crew import DaskCrew
from clearprop.training.stopping import EarlyStopping
from clearprop.training.streaming import OnDisk, ShardedOnDisk, Streamed

_BATCH = 32


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """Everything that decides how training goes, apart from network and data.

    Parameters
    ----------
    optimizer : Optimizer, default Adam()
    epochs : int, default 20
        The number of times that every sample is seen; of iterations of `LBFGS`.
    batch_size : int, "auto" or None, default "auto"
        The number of samples that an update sees; None for all of them, in order. Auto: 32, or all
        where the optimizer is `LBFGS`.
    drop_last : bool, default False
        Whether an epoch leaves out its last batch where that is smaller than the others; other
        samples are in it the next time.
    replacement : bool, default False
        Whether each batch is drawn anew from all samples, rather than shuffled once an epoch.
    max_steps : int, optional
        The number of updates after which training ends, if the epochs have more.
    early_stopping : EarlyStopping, optional
        The rule that ends training when it gets no better, and restores the best weights.
    class_weight : "balanced" or mapping of class number to weight, optional
        Factors of the sample weights. Balanced: N / (classes count of the class).
    clip_norm : float, optional
        The longest gradient: a longer one is scaled down to it.
    augment : sequence of Augmentation, default ()
        The random changes of the pictures that an update sees, in this order, such as
        ``(RandomFlip(), RandomShift(0.1))``. They are drawn from the seed and from the number of
        the update, and made where they are in nobody's way: ahead, if a core is free.
    seed : int, default 0
        The source of batches, dropout, augmentation and the validation share.
    sample_space : "auto" or bool, default "auto"
        Whether the first Dense layer is trained in the space of the samples: with few samples of
        many features it does the same, up to rounding, in a fraction of the time. Auto: where it is
        exact and cheaper.
    threads : int, optional
        The number of threads of matrix products, at most; unless given, OPENBLAS_NUM_THREADS and
        its like decide, or else the shapes: one, or all cores where a step is large enough for
        that. The last digits of large products depend on it: the same seed gives the same bytes
        with the same number of threads, which checkpoints keep.
    shards : int, optional
        The number of virtual shards that the samples are cut into: each batch takes its share of
        all, and their gradients, each computed by one thread, are added up a fixed tree. So the
        result depends on this number, and neither on `threads` nor on `cluster`. Dropout and
        augmentation draw, and batch norm normalises, shard by shard. None: a batch is one piece;
        with a cluster 16.
    cluster : distributed.Client or str, optional
        The Dask cluster that computes the shards: a client, ``"local:4"`` for so many processes of
        this machine, or the address of a scheduler.

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
    batch_size: int | Literal["auto"] | None = "auto"
    drop_last: bool = False
    replacement: bool = False
    max_steps: int | None = None
    early_stopping: EarlyStopping | None = None
    class_weight: str | Mapping[int, float] | None = None
    clip_norm: float | None = None
    augment: Sequence[Augmentation] = ()
    seed: int = 0
    sample_space: Choice = "auto"
    threads: int | None = None
    shards: int | None = None
    cluster: Any = None

    def __post_init__(self) -> None:
        if not isinstance(self.optimizer, Optimizer):
            raise UsageError(f"optimizer is one such as Adam(0.001), found {self.optimizer!r}.")
        for name in ("epochs", "batch_size", "max_steps"):
            count = self.samples_per_update if name == "batch_size" else getattr(self, name)
            if count is not None and not (isinstance(count, int | np.integer) and count >= 1):
                raise UsageError(
                    f"Trainer needs {name} to be a whole number of at least 1, found {count!r}."
                )
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise UsageError(
                f"clip_norm is the longest gradient, a positive number; found {self.clip_norm}."
            )
        if self.optimizer.full_batch and (self.replacement or self.samples_per_update is not None):
            raise UsageError(
                f"{type(self.optimizer).__name__} sees all samples in every update: leave "
                f"{'replacement' if self.replacement else 'batch_size'} out."
            )
        if self.sample_space not in ("auto", True, False):
            raise UsageError(f"sample_space is 'auto', True or False, found {self.sample_space!r}.")
        check_threads(self.threads)
        if self.cluster is not None and self.shards is None:
            object.__setattr__(self, "shards", SHARDS)
        if self.shards is not None:
            self._check_shards()
        object.__setattr__(self, "augment", _checked_augmentations(self.augment))
        if self.augment and self.optimizer.full_batch:
            raise UsageError(
                f"{type(self.optimizer).__name__} finds its steps by looks at one and the same "
                "loss, which augmentation changes from look to look: leave augment out."
            )

    def _check_shards(self) -> None:
        is_number = isinstance(self.shards, int | np.integer) and not isinstance(self.shards, bool)
        if self.shards is None or not is_number or self.shards < 1:
            raise UsageError(
                f"shards is a whole number of at least 1, or None; found {self.shards!r}."
            )
        if self.replacement:
            raise UsageError("Shards see each sample once an epoch: leave replacement out.")

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
            The network, whose parameters and state are changed.
        X : array-like, shape (N, *input_shape)
            The samples, or rows that are prepared as they are asked for: anything with `shape` and
            `dtype` that can be indexed; or `Blocks` of samples on disk, with their targets.
        y : array-like, shape (N,) or (N, K), or None
            Targets, as the loss takes them; None where blocks have them.
        validation : float or (X, y), optional
            The samples that are measured after every epoch and not trained on: a share of X, drawn
            at random, or a set of its own.
        sample_weight : array-like, shape (N,), optional
        callbacks : sequence of Callback
        checkpoint : Checkpoint, optional
            The place where the run is saved as it goes on.
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
        if isinstance(X, Blocks):
            samples: Samples = self._streamed(X, y, network, sample_weight)
        else:
            samples = checked_samples(network, X, y, sample_weight)
        samples, held_out = self._split(network, samples, validation, random_state)
        weighted = samples.class_weighted(self.class_weight, network.dtype)
        plan = self._planned(network, weighted, held_out, checkpoint if resume else None)
        run = self._started(plan, samples, held_out, random_state)
        saver = None
        if checkpoint is not None:
            settings = {**self._settings(network), **plan.facts(), "data": weighted.checksum()}
            saver = Saver(checkpoint, run, settings, plan.notes())
            if resume and checkpoint.exists():
                saver.restore()
        rules = OwnRules(self, run, plan.samples, plan.held_out)
        step, blas_threads = plan.step(run, scores=rules.scores, goes_on=rules.goes_on)
        return Loop(run, step, rules, plan.samples, blas_threads, callbacks, saver).go()

    @property
    def samples_per_update(self) -> int | None:
        """The number of samples that an update sees; None for all."""
        if self.batch_size == "auto":
            return None if self.optimizer.full_batch else _BATCH
        return self.batch_size

    def _streamed(self, X: Blocks, y: Any, network: Network, weights: Any) -> OnDisk:
        if y is not None or weights is not None:
            raise UsageError("Blocks of samples on disk have targets and weights of their own.")
        size = self.samples_per_update
        if size is None or self.replacement:
            found = "all samples in every update" if size is None else "replacement"
            raise UsageError(
                f"Samples on disk are learned from in batches, each once an epoch; found {found}."
            )
        if self.shards is not None:
            return ShardedOnDisk.of(X, network, size, self.shards)
        return Streamed.of(X, network, size)

    def _split(
        self, network: Network, samples: Samples, validation: Any, random_state: Any
    ) -> tuple[Samples, Samples | None]:
        """Return the samples that are trained on and those that are held out."""
        if validation is None:
            return samples, None
        if isinstance(validation, tuple):
            return samples, checked_samples(network, *validation)
        return samples.split(validation, random_state)

    def _planned(
        self,
        network: Network,
        samples: Samples,
        held_out: Samples | None,
        resumed: Checkpoint | None,
    ) -> Plan:
        """Decide how it is computed: as before, where a run is resumed."""
        updates = self.epochs * self._steps_per_epoch(samples)
        return Training(
            network,
            samples,
            held_out,
            self.optimizer,
            loss=network.loss,
            batch_size=self.samples_per_update,
            updates=min(updates, self.max_steps or updates),
            sample_space=self.sample_space,
            augment=self.augment,
            seed=self.seed,
            threads=self.threads,
            shards=self.shards,
            crew=None if self.cluster is None else DaskCrew(self.cluster),
            clip_norm=self.clip_norm,
            resumed=recorded(resumed) if resumed is not None and resumed.exists() else {},
        ).plan()

    def _started(
        self,
        plan: Plan,
        samples: Samples,
        held_out: Samples | None,
        random_state: np.random.RandomState,
    ) -> Run:
        """Return a run before its first update."""
        return Run(
            trainer=self,
            engine=plan.engine,
            optimizer=self.optimizer,
            optimizer_state=self.optimizer.start(plan.engine.parameters),
            samples=samples,
            held_out=held_out,
            random_state=random_state,
            epochs=self.epochs,
            steps_per_epoch=self._steps_per_epoch(samples),
            remarks=list(plan.remarks),
        )

    def _steps_per_epoch(self, samples: Samples) -> int:
        return steps_per_epoch(len(samples), self.samples_per_update, drop_last=self.drop_last)

    def _settings(self, network: Network) -> dict[str, Json]:
        """Say what must be the same for a run to go on; its epochs and threads may change."""
        return {
            "layers": to_config(network.layers),
            "loss": to_config(network.loss),
            "input_shape": list(network.input_shape),
            "dtype": network.dtype.name,
            **{
                field.name: to_config(getattr(self, field.name))
                for field in fields(self)
                if field.name not in {"epochs", "threads", "cluster"}
            },
            "batch_size": self.samples_per_update,
            # As before there were such settings, where they are not used.
            "augment": to_config(self.augment) or None,
            "drop_last": self.drop_last or None,
            "early_stopping": _said_before(self.early_stopping),
        }


def _said_before(stopping: EarlyStopping | None) -> Json:
    said = to_config(stopping)
    if isinstance(said, dict) and not said["last"]:
        del said["last"]
    return said


def _checked_augmentations(given: Any) -> tuple[Augmentation, ...]:
    found = tuple(given) if isinstance(given, list | tuple) else (given,)
    for one in found:
        if not isinstance(one, Augmentation):
            raise UsageError(
                f"augment is a sequence of augmentations such as (RandomFlip(),), found {one!r}."
            )
    return found
