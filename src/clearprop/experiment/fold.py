"""The scores of a network on one fold, from which it has not learned; their spread over folds."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clearprop.configuration import Json
from clearprop.errors import shortened
from clearprop.experiment.evaluation import evaluate
from clearprop.experiment.learning import Trained
from clearprop.experiment.measuring import beside_baselines
from clearprop.preprocessing import ClassTarget


@dataclass(frozen=True)
class FoldScores:
    """The scores on a fold of a network that has not learned from it.

    Parameters
    ----------
    samples, learned : int
        The number of samples in the fold, and of those that were learned from.
    epochs : int
        The epoch that is kept.
    seconds : float
        The time of the training that is scored, without those that chose for it.
    score_name : str
        The score that counts, see `Evaluation`.
    scores : mapping of str to float
        Every score by its name; none where training diverged.
    baselines : mapping of str to mapping of str to float
        The same of what is to be beaten, ``constant`` and ``linear``.
    chosen : mapping of str to Json
        The settings that were chosen, or might have been, by samples out of the fold.
    notes : tuple of str
    diverged : str or None
        How training diverged.
    """

    samples: int
    learned: int
    epochs: int
    seconds: float
    score_name: str
    scores: Mapping[str, float]
    baselines: Mapping[str, Mapping[str, float]]
    chosen: Mapping[str, Json]
    notes: tuple[str, ...] = ()
    diverged: str | None = None


@dataclass(frozen=True)
class Spread:
    """The mean of a number over folds, and how far it spreads.

    Parameters
    ----------
    mean : float
    standard_error : float
        The standard deviation of the folds by the root of their number; NaN for fewer than two.
    least, largest : float
    folds : int
        The number of folds where it is defined; of none, all are NaN.
    """

    mean: float
    standard_error: float
    least: float
    largest: float
    folds: int

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        """Measure the values that are numbers."""
        known = [value for value in values if not math.isnan(value)]
        n, nan = len(known), math.nan
        if not known:
            return cls(nan, nan, nan, nan, 0)
        error = float(np.std(known, ddof=1)) / math.sqrt(n) if n > 1 else nan
        return cls(float(np.mean(known)), error, min(known), max(known), n)


def scores_of_fold(trained: Trained, *, baselines: bool = True) -> FoldScores:
    """Score a training without a fold on its samples, those that the task tests with.

    Parameters
    ----------
    trained : Trained
    baselines : bool, default True
        Whether what is to be beaten is fitted and scored, too.
    """
    task, history, fold = trained.task, trained.history, trained.task.test
    assert fold is not None  # noqa: S101 - as `CrossValidation.task` has made it
    target = task.recipe.target
    chosen: dict[str, Json] = {"layers": list(task.settings.layers or ()), "l2": task.settings.l2}
    if isinstance(target, ClassTarget):
        chosen |= {"threshold": target.threshold, "temperature": target.temperature}
    found = FoldScores(
        len(fold),
        len(task.train),
        history.best_epoch or len(history),
        history.rows[-1]["seconds"] if len(history) else 0.0,
        "",
        {},
        {},
        chosen,
        task.notes,
        None if trained.diverged is None else str(trained.diverged),
    )
    if found.diverged is not None:
        return found
    measured = evaluate(beside_baselines(trained) if baselines else trained.model, fold)
    covered = measured.covered
    return replace(
        found,
        score_name=measured.score_name,
        scores={**measured.scores, **({} if covered is None else {"coverage": covered.share})},
        baselines={name: dict(one) for name, one in measured.baselines.items()},
    )


def read_fold(told: dict[str, Any]) -> FoldScores:
    """Read the scores of a fold as a file tells them.

    Raises
    ------
    ValueError, KeyError, TypeError, AttributeError, OverflowError
        If it tells none.
    """

    def numbers(values: dict[str, Any]) -> dict[str, float]:
        return {str(k): math.nan if x is None else float(x) for k, x in values.items()}

    name, scores, diverged = str(told["score_name"]), numbers(told["scores"]), told["diverged"]
    if diverged is None and name not in scores:
        raise ValueError(f"a fold has no {shortened(name)}")
    return FoldScores(
        int(told["samples"]),
        int(told["learned"]),
        int(told["epochs"]),
        float(told["seconds"]),
        name,
        scores,
        {str(name): numbers(one) for name, one in told["baselines"].items()},
        dict(told["chosen"]),
        tuple(map(str, told["notes"])),
        None if diverged is None else str(diverged),
    )
