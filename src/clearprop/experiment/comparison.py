"""Several architectures on the same data, trained side by side."""

import math
import multiprocessing
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from clearprop.configuration import Json
from clearprop.core.blas import available_cores, blas_threads
from clearprop.experiment.layer_words import Words
from clearprop.experiment.learning import learn
from clearprop.experiment.loading import load_dataset
from clearprop.experiment.measuring import Part, measure
from clearprop.experiment.settings import Settings
from clearprop.experiment.task import set_task
from clearprop.experiment.values import Layers

_load_once = cache(load_dataset)


@dataclass(frozen=True)
class Trial:
    """One training of one architecture.

    Parameters
    ----------
    layers : tuple of int or str
        The hidden layers: units, and words for pictures.
    seed : int
    parameters : int
        The count of numbers that it learns.
    part : {"test", "folds", "validation", "train"}
        The samples that are scored: those that were held out and have chosen nothing, if there are
        any.
    score_name : {"accuracy", "balanced_accuracy", "r2"}
    score : float
        NaN where training diverged.
    seconds : float
    baselines : mapping of str to float
        The score of always the same answer, ``constant``, and of a ``linear`` model.
    """

    layers: Words
    seed: int
    parameters: int
    part: Part
    score_name: str
    score: float
    seconds: float
    baselines: Mapping[str, float]


@dataclass(frozen=True)
class Architecture:
    """The trials of one architecture, one for each seed, in order."""

    trials: tuple[Trial, ...]

    @property
    def label(self) -> str:
        """The hidden layers as they are written: ``20,7,5``, ``conv16,pool,128``, or ``none``."""
        return Layers().write(self.trials[0].layers)

    @property
    def scores(self) -> list[float]:
        """The score of each trial."""
        return [trial.score for trial in self.trials]

    @property
    def ended(self) -> list[Trial]:
        """The trials that did not diverge."""
        return [trial for trial in self.trials if not math.isnan(trial.score)]

    @property
    def first(self) -> Trial:
        """The first trial that did not diverge, if there is one: one that did may lack a part."""
        return (self.ended or self.trials)[0]

    @property
    def mean(self) -> float:
        """The mean score of the trials that ended; NaN where none did."""
        return float(np.mean([one.score for one in self.ended])) if self.ended else math.nan

    @property
    def spread(self) -> float:
        """The standard deviation of their scores, of the sample; NaN for fewer than two."""
        scores = [one.score for one in self.ended]
        return float(np.std(scores, ddof=1)) if len(scores) > 1 else math.nan

    @property
    def baselines(self) -> dict[str, float]:
        """The mean score of each baseline on the samples of the trials that did not diverge."""
        return {
            name: float(np.mean([one.baselines[name] for one in self.ended]))
            for name in self.first.baselines
            if all(name in one.baselines for one in self.ended) and self.ended
        }

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values."""
        first = self.first
        return {
            "layers": list(first.layers),
            "parameters": first.parameters,
            "part": first.part,
            "score": first.score_name,
            "scores": list(self.scores),
            "mean": self.mean,
            "spread": self.spread,
            "seconds": [trial.seconds for trial in self.trials],
            "baselines": dict(self.baselines),
        }


def compare(settings: Settings, every: Sequence[Words], repeats: int) -> Iterator[Architecture]:
    """Train each architecture with seeds 0, 1, ..., on all cores, one process a core.

    Parameters
    ----------
    settings : Settings
        The settings but for the layers; the seeds count up from its seed.
    every : sequence of tuple of int or str
        The hidden layers of each architecture.
    repeats : int
        The number of seeds. A seed decides what is held out, too, alike for all architectures.

    Yields
    ------
    Architecture
        One after the other in the order given, each as soon as it and those before it are done.
    """
    jobs = [
        replace(settings, layers=tuple(layers), seed=settings.seed + repeat)
        for layers in every
        for repeat in range(repeats)
    ]
    # Spawned, not forked: a fork in the middle of a threaded matrix product may never come back.
    context = multiprocessing.get_context("spawn")
    processes = min(len(jobs), available_cores())
    with context.Pool(processes, initializer=_leave_interrupts_to_parent) as pool:
        trials = pool.imap(_train, jobs)
        for _ in every:
            yield Architecture(tuple(next(trials) for _ in range(repeats)))


def _train(settings: Settings) -> Trial:
    with blas_threads(1):
        task = set_task(settings, _load_once(replace(settings, layers=None, seed=0)))
        trained = learn(task)
        measured = measure(trained)
    part, found = next(iter(measured.parts.items()))
    diverged = trained.diverged is not None or not len(trained.history)
    return Trial(
        layers=settings.layers or (),
        seed=settings.seed,
        parameters=task.network.parameters.data.size,
        part=part,
        score_name=found.score_name,
        score=float("nan") if diverged else found.score,
        seconds=0.0 if diverged else trained.history.rows[-1]["seconds"],
        baselines={name: one[found.score_name] for name, one in found.baselines.items()},
    )


def _leave_interrupts_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
