"""The plan of a training: the engine, the kind of step, and the number of threads.

Nobody else decides on any of these.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Literal, TypeAlias, TypeVar

from clearprop.compiled import FusedGradient, is_chain, is_pictures, is_plain_chain, is_table
from clearprop.configuration import Json
from clearprop.core.blas import choose_threads, threads_for_resuming
from clearprop.core.kernels import compile_if_worthwhile, give_up_compiling
from clearprop.errors import ClearpropError, UsageError
from clearprop.layers.base import every_layer
from clearprop.losses import Loss
from clearprop.network import Network
from clearprop.network.summary import readable_bytes
from clearprop.optimizers import LBFGS, Optimizer
from clearprop.training import engines
from clearprop.training.augmentation import Augmentation, Augmenter
from clearprop.training.engines.sample_space import fits, is_cheaper, kernel_bytes, why_not_exact
from clearprop.training.feeding import Feed
from clearprop.training.lbfgs import LayerPasses, LBFGSStep
from clearprop.training.run import Run
from clearprop.training.samples import Samples
from clearprop.training.shards import Crew, ShardedStep, ThreadCrew, Work
from clearprop.training.step import CompiledStep, PictureStep, PlainStep, Step
from clearprop.training.streaming import OnDisk, Streamed

Choice: TypeAlias = Literal["auto"] | bool
Made = TypeVar("Made")

# Multiplications that NumPy does in the time of an updated number, of convolutions; and of tables,
# whose networks do a lot to each number between products.
_PER_NUMBER, _PER_NUMBER_OF_TABLE = 50, 6

_IN_SAMPLE_SPACE, _COMPILED, _THREADS = "in sample space", "by compiled steps", "threads"


@dataclass(frozen=True)
class Plan:
    """The decisions about one training.

    Parameters
    ----------
    training : Training
        The training that they are about.
    samples : Samples
        The samples that are trained on, as the engine takes them.
    held_out : Samples or None
        The samples that are measured after every epoch, as the engine takes them.
    compiled : bool
        Whether updates, or passes of all samples, run as compiled functions.
    threads : int
        The number of threads that a step may have.
    remarks : tuple of str
        Sentences about these decisions, for whoever watches.
    """

    training: "Training"
    engine: engines.Engine
    samples: Samples
    held_out: Samples | None
    compiled: bool
    threads: int
    remarks: tuple[str, ...]

    def facts(self) -> dict[str, Json]:
        """Return the decisions that a checkpoint must repeat to go on to the same bits."""
        return {
            "samples": len(self.samples),
            "validation samples": 0 if self.held_out is None else len(self.held_out),
            _IN_SAMPLE_SPACE: self.engine.is_in_sample_space,
            _COMPILED: self.compiled,
        }

    def notes(self) -> dict[str, Json]:
        """Return the decisions that a resumed run repeats where it can, and says where not."""
        return {_THREADS: self.threads}

    def step(self, run: Run, *, scores: bool, goes_on: bool) -> tuple[Step, int]:
        """Make the step, and say how many threads matrix products are to have meanwhile.

        Parameters
        ----------
        run : Run
            With this plan's engine.
        scores : bool
            Whether the logits of what is trained on are wanted.
        goes_on : bool
            Whether updates are done even where a loss is not finite.
        """
        training, samples, threads = self.training, self.samples, self.threads
        if training.shards is not None:
            crew = training.crew or ThreadCrew(threads)
            work = Work(
                *(training.network, training.loss, training.shards, training.seed),
                training.augmenter(),
            )
            return ShardedStep(run, samples, work, crew, training.clip_norm), 1
        inputs = self.engine.compiled_inputs() if self.compiled else None
        if isinstance(training.optimizer, LBFGS):
            passes: LayerPasses | FusedGradient | None = None
            if inputs is not None:
                stack, loss = self.engine.stack, self.engine.loss
                given = stack, loss, inputs.X, samples.y, samples.weights, threads
                passes = _unless_broken(lambda: FusedGradient(*given))
            passes = passes or LayerPasses(self.engine, samples, threads)
            step = LBFGSStep(
                run, samples, training.optimizer, passes, scores=scores, goes_on=goes_on
            )
            return step, passes.blas_threads
        if isinstance(samples, Streamed):
            run.pace = samples.stream.window.pace
        feed = Feed(samples, training.augmenter())
        plain = PlainStep(run, feed, training.clip_norm, goes_on=goes_on)
        size = training.largest_batch
        compiled: Step | None = None
        if self.compiled and training.is_of_pictures(self.engine):
            compiled = _unless_broken(lambda: PictureStep(plain, size, threads))
        elif inputs is not None:
            afterwards = plain if goes_on else None
            compiled = _unless_broken(
                lambda: CompiledStep(run, samples, inputs, size, threads, afterwards)
            )
        if compiled is None:
            return plain, threads
        compiled.at_once = min(compiled.at_once, samples.at_once(size))
        return compiled, 1


@dataclass(frozen=True)
class Training:
    """A training that is to be planned.

    Parameters
    ----------
    samples : Samples
        The samples that are trained on.
    held_out : Samples or None
        The samples that are measured after every epoch.
    loss : Loss
        The loss that is minimised: the network's, or one that is reported in its place.
    batch_size : int or None
        None for all samples.
    updates : int
        The number of updates that there are to be.
    sample_space : "auto" or bool
        Auto: where it is exact and, by the rule of `is_cheaper`, costs less.
    threads : int, optional
        The number that is asked for.
    augment : sequence of Augmentation
        The random changes of the pictures that an update sees.
    seed : int
        The source of these.
    shards : int, optional
        The number of virtual shards; without any, a batch is one piece.
    crew : Crew, optional
        Whoever computes the shards; threads of this process unless given.
    clip_norm : float, optional
    resumed : mapping
        The facts and notes of the checkpoint that is gone on from, if there is one: other numbers
        of epochs must not change the way.
    """

    network: Network
    samples: Samples
    held_out: Samples | None
    optimizer: Optimizer
    _: KW_ONLY
    loss: Loss
    batch_size: int | None
    updates: int
    sample_space: Choice
    threads: int | None
    augment: Sequence[Augmentation] = ()
    seed: int = 0
    shards: int | None = None
    crew: Crew | None = None
    clip_norm: float | None = None
    resumed: Mapping[str, Json] = field(default_factory=dict)

    @property
    def largest_batch(self) -> int:
        """The most samples that an update sees."""
        return len(self.samples) if self.batch_size is None else self.batch_size

    def augmenter(self) -> Augmenter | None:
        """Return what changes the pictures of each batch, if anything does."""
        if not self.augment:
            return None
        shown = self.samples.to_look_at()
        return Augmenter.of(self.augment, self.seed, self.network, self.loss, shown)

    def plan(self) -> Plan:
        """Decide how it is computed.

        Raises
        ------
        UsageError
            If `sample_space` is True where it would not be exact, or needs more memory than there
            is; or if the optimizer can't train such a network.
        """
        if isinstance(self.optimizer, LBFGS):
            self._check_deterministic()
        engine, held_out = self._engine(), self.held_out
        remarks = [] if engine.remark is None else [engine.remark]
        threads = choose_threads(engine.multiplications, self.largest_batch, self.threads)
        before = self.resumed.get(_THREADS)
        if isinstance(before, int):
            threads = threads_for_resuming(before, threads, self.threads)
            if threads != before:
                remarks.append(
                    f"the checkpoint was made with {before} threads and this run has {threads}: "
                    "from here on numbers may differ in their last digits from those of a whole run"
                )
        return Plan(
            training=self,
            engine=engine,
            samples=replace(self.samples, X=engine.X),
            held_out=None if held_out is None else replace(held_out, X=engine.held_out),
            compiled=self._compiles(engine) and self.resumed.get(_COMPILED, True) is True,
            threads=threads,
            remarks=tuple(remarks),
        )

    def _engine(self) -> engines.Engine:
        """Choose what trains: the network, or what does the same for less."""
        X, others = self.samples.X, None if self.held_out is None else self.held_out.X
        if isinstance(self.samples, OnDisk):
            self._check_on_disk()
            return engines.Engine(self.network, self.loss, X, others)
        if self.shards is not None:
            self._check_shards()
            return engines.Engine(self.network, self.loss, X, others)
        if isinstance(X, engines.SparseRows):
            if self.sample_space is True:
                raise UsageError(
                    "Training in coordinates of the samples needs arrays, found a sparse matrix. "
                    "Use sample_space='auto', or X.toarray()."
                )
            return engines.SparseEngine(self.network, self.loss, X, others)
        before, choice = self.resumed.get(_IN_SAMPLE_SPACE), self.sample_space
        if choice == "auto" and before is not None:
            choice = before is True
        if isinstance(self.optimizer, LBFGS):
            if choice is not False and others is None:
                cores = choose_threads(self.network.parameters.data.size, len(X), self.threads)
                updates = sys.maxsize if before is True else self.updates
                basis = engines.basis_of(self.network, X, updates, cores)
                if basis is not None:
                    return engines.RotatedEngine(self.network, self.loss, basis)
            if self.sample_space is True:
                raise UsageError(
                    "Training in coordinates of the samples can't be had here: with L-BFGS it "
                    "needs few samples of many features, enough iterations to pay for it, and none "
                    "held out. Use sample_space='auto'."
                )
        elif choice is not False and self._is_in_sample_space(asked=choice is True):
            return engines.SampleSpaceEngine(self.network, self.loss, X, others)
        return engines.Engine(self.network, self.loss, X, others)

    def _is_in_sample_space(self, *, asked: bool) -> bool:
        """Decide whether to train in sample space, which the user may have asked for."""
        network, N, others = self.network, len(self.samples), len(self.held_out or ())
        if not asked:
            if self.augment:
                return False
            first = next((name for name in network.parameters if name.endswith(".W")), None)
            if first is None or network.parameters[first].ndim != 2:  # the filters of a convolution
                return False
            features, units = network.parameters[first].shape
            # In this order, as whether it is exact takes a look at all of X.
            cheaper = is_cheaper(features, units, N, others, self.largest_batch, self.updates)
            return cheaper and why_not_exact(network, self.optimizer, self.samples.X) is None
        reason = why_not_exact(network, self.optimizer, self.samples.X)
        if self.augment:
            reason = "as augmentation changes the samples"
        if reason is not None:
            raise UsageError(
                f"Training in sample space would not be exact, {reason}. Use sample_space='auto'."
            )
        if not fits(N, others):
            raise UsageError(
                f"Training {N} samples in sample space needs a matrix of "
                f"{readable_bytes(kernel_bytes(N, others))}, more than half of this "
                "machine's memory. Use sample_space='auto'."
            )
        return True

    def _compiles(self, engine: engines.Engine) -> bool:
        """Decide whether to compile: by shapes and kinds alone.

        It is done where Numba is there, the training is long enough, and every part of it is known
        to compiled code.
        """
        passes = sys.maxsize if self.resumed.get(_COMPILED) is True else self.updates
        weights, pictures = engine.parameters.data.size, self.is_of_pictures(engine)
        if isinstance(self.optimizer, LBFGS):
            passes *= -(-len(self.samples) // engine.chunk)
            known = is_plain_chain(engine.stack, engine.loss)
        elif pictures:
            weights += self.largest_batch * engine.multiplications // _PER_NUMBER
            known = self.clip_norm is None
        else:
            given = engine.stack, engine.loss, self.optimizer
            if of_table := is_table(*given):
                weights += self.largest_batch * engine.multiplications // _PER_NUMBER_OF_TABLE
            known = self.clip_norm is None and not self.augment
            known = known and (of_table or is_chain(*given))
        if self.shards is not None:
            return False
        worthwhile = compile_if_worthwhile(weights, passes)
        return worthwhile and known and (pictures or engine.compiled_inputs() is not None)

    def is_of_pictures(self, engine: engines.Engine) -> bool:
        """Whether compiled steps know its network as one of convolutions."""
        return is_pictures(engine.stack, engine.loss, self.optimizer)

    def _check_shards(self) -> None:
        """Refuse what can't be computed in shards."""
        found = None
        if isinstance(self.optimizer, LBFGS):
            found = "LBFGS, which looks at all samples at once"
        elif isinstance(self.samples.X, engines.SparseRows):
            found = "a sparse matrix"
        elif self.sample_space is True:
            found = "sample_space=True"
        if found is not None:
            raise UsageError(
                f"Training in shards can't be had with {found}. Leave one of them out."
            )

    def _check_on_disk(self) -> None:
        """Refuse what needs all samples in memory."""
        found = None
        if self.batch_size is None:
            found = "LBFGS" if isinstance(self.optimizer, LBFGS) else "batches of all samples"
        elif self.sample_space is True:
            found = "sample_space=True"
        if found is not None:
            raise UsageError(
                f"Training on data that stay on disk can't be had with {found}. Leave that out, or "
                "let the data take more memory."
            )

    def _check_deterministic(self) -> None:
        """Refuse what L-BFGS can't train with: a loss that changes from one look to the next."""
        for _, layer in every_layer(self.network.body.inner()):
            if not layer.repeatable:
                raise UsageError(
                    "LBFGS needs a loss that stays the same from one look to the next, which it "
                    f"does not with {type(layer).__name__}. Train with another optimizer, or "
                    "without it."
                )
        if self.clip_norm is not None:
            raise UsageError("LBFGS finds the length of its steps by itself: leave clip_norm out.")


def _unless_broken(make: Callable[[], Made]) -> Made | None:
    """Make something of compiled code; None, with a warning, where compiling fails."""
    try:
        return make()
    except ClearpropError:  # of the samples
        raise
    except Exception as error:  # a broken Numba may raise anything
        give_up_compiling(error)
        return None
