"""A search over the settings that matter, by cross-validation: what was tried, and what came of it.

Every candidate is trained without the same folds as the defaults, which are the first of them, and
scored as `fold_scores` scores. What has chosen the best of many flatters it, so it is told by how
much it is above the defaults, fold by fold.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from clearprop.configuration import Json
from clearprop.core.reading import parsed_json, read_bounded
from clearprop.data import Dataset
from clearprop.errors import DataError, UsageError, shortened
from clearprop.experiment import fold_scores
from clearprop.experiment.fold import FoldScores, Spread, read_fold
from clearprop.experiment.folder import SEARCH, dumps
from clearprop.experiment.halving import Job, Standing, Worth, chance_of, rungs_of
from clearprop.experiment.mattered import Mattered, mattered
from clearprop.experiment.search_space import Changes, Space, space_of
from clearprop.experiment.settings import Settings
from clearprop.experiment.task import Task
from clearprop.files.written import write_text

_LARGEST = 2**28  # bytes of a file
_MOST = 500  # candidates
_QUICK = (
    "In the search a fifth of the samples that are learned from chooses the epoch; the commands "
    "have folds choose it, and learn from all. --validation 0.2 makes both the same."
)
_BY_CHANCE = 0.05  # of searches that end so well by chance: more often, it is called no better


@dataclass(frozen=True)
class Candidate:
    """A candidate, the folds that it is scored by so far, and the seconds spent on each."""

    changes: Changes
    folds: tuple[FoldScores, ...] = ()
    seconds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Search:
    """A search: what was tried, and what is to come.

    Parameters
    ----------
    base : fold_scores.CrossValidation
        The cross-validation of the settings as they were given, without its folds.
    space : Space
    budget : float
        The seconds that may be spent.
    drawn : tuple of Changes
        All that may be tried besides the defaults, in order.
    candidates : tuple of Candidate
        All that was tried: the defaults, and as many of those drawn.
    rungs : tuple of tuple of int
        See `Standing`.
    """

    base: fold_scores.CrossValidation
    space: Space
    budget: float
    drawn: tuple[Changes, ...]
    candidates: tuple[Candidate, ...] = (Candidate({}),)
    rungs: tuple[tuple[int, ...], ...] = ()

    @property
    def folds(self) -> int:
        """The number of folds."""
        return len(self.base.parts)

    def with_folds_of(self, candidate: int) -> fold_scores.CrossValidation:
        """Return the cross-validation with the folds of a candidate."""
        return replace(self.base, folds=self.candidates[candidate].folds)

    @property
    def score_name(self) -> str:
        """The score that counts: the balanced accuracy, if in any fold a class is rare."""
        every = tuple(fold for one in self.candidates for fold in one.folds)
        return replace(self.base, folds=every).score_name

    @property
    def standing(self) -> Standing:
        """How far it is."""
        name = self.score_name
        return Standing(
            self.folds,
            self.budget,
            len(self.drawn),
            tuple(tuple(_worth(fold, name) for fold in one.folds) for one in self.candidates),
            tuple(one.seconds for one in self.candidates),
            self.rungs,
        )

    def settings_of(self, candidate: int) -> Settings:
        """Return the settings that a candidate, counted from 0, the defaults, is scored with."""
        return self.space.quick(self.as_candidate(self.base.settings, candidate))

    def as_candidate(self, given: Settings, candidate: int) -> Settings:
        """Change settings as a candidate does."""
        return self.space.settings(given, self.drawn[candidate - 1]) if candidate else given

    def next(self, at_once: int) -> "tuple[Search, list[Job]]":
        """Decide what can be decided, and return the trainings that are due, none at the end."""
        standing, jobs = self.standing.next(at_once)
        return replace(self, rungs=standing.rungs), jobs

    def task(self, job: Job) -> Task:
        """Make a training ready; see `CrossValidation.task`."""
        return self._folds_for(job).task(job.fold)

    def score(self, job: Job, ready: Task | None = None) -> FoldScores:
        """Do a training and score it; of the defaults score what is to be beaten, too.

        For `ready` and what is raised see `CrossValidation.score`.
        """
        return self._folds_for(job).score(job.fold, ready, baselines=job.candidate == 0)

    def _folds_for(self, job: Job) -> fold_scores.CrossValidation:
        return replace(self.base, settings=self.settings_of(job.candidate))

    def and_of(self, jobs: Sequence[Job], scores: Sequence[FoldScores], seconds: float) -> "Search":
        """Return it with the scores of some jobs, the next of their candidates, done in a time."""
        found, share = list(self.candidates), seconds / len(jobs)
        for job, one in zip(jobs, scores, strict=True):
            if job.candidate == len(found):
                found.append(Candidate(self.drawn[job.candidate - 1]))
            before = found[job.candidate]
            found[job.candidate] = replace(
                before, folds=(*before.folds, one), seconds=(*before.seconds, share)
            )
        return replace(self, candidates=tuple(found))

    @property
    def is_whole(self) -> bool:
        """Whether the defaults are scored by every fold."""
        return len(self.candidates[0].folds) == self.folds

    @property
    def best(self) -> int:
        """The best of those that are scored by every fold; the defaults, 0, while there is none."""
        return self.standing.best

    def ranked(self) -> list[int]:
        """Return all candidates, those that are scored by more folds first, then by their score."""
        counts, standing = [len(one.folds) for one in self.candidates], self.standing
        every = range(len(counts))
        return [
            k
            for folds in sorted(set(counts), reverse=True)
            for k in standing.ordered((k for k in every if counts[k] == folds), folds)
        ]

    def scores(self, candidate: int) -> list[float]:
        """Return the score that counts of each fold that is done; NaN where there is none."""
        folds = self.candidates[candidate].folds
        return [one.scores.get(self.score_name, math.nan) for one in folds]

    def spread(self, candidate: int) -> Spread:
        """Return the mean of that score over these folds, and its standard error."""
        return Spread.of(self.scores(candidate))

    @property
    def above(self) -> Spread | None:
        """How far the best is above the defaults, fold by fold; None where it is them."""
        best = self.best
        if best == 0:
            return None
        pairs = zip(self.scores(best), self.scores(0), strict=True)
        return Spread.of([own - usual for own, usual in pairs])

    @cached_property
    def chance(self) -> float:
        """How often a search of candidates that are all alike ends with one as far above."""
        above = self.above
        if above is None:
            return 1.0
        if above.folds == 0:  # the defaults have diverged; perhaps it has, too
            return 0.0 if self.spread(self.best).folds else 1.0
        error = above.standard_error
        ratio = above.mean / error if error > 0 else math.copysign(math.inf, above.mean)
        return chance_of(ratio, [len(one) for one in self.rungs], self.folds)

    @property
    def is_better(self) -> bool:
        """Whether the best is above the defaults by more than chance makes it."""
        return self.chance < _BY_CHANCE

    @property
    def chosen(self) -> int:
        """The candidate to train: the best, where it is better than the defaults; else these, 0."""
        return self.best if self.is_better else 0

    def mattered(self) -> dict[str, Mattered]:
        """Return how the score of the first fold, which all have in common, went with each setting.

        Nothing is told of a setting that too few candidates have, or of which none is known.
        """
        scored = [one for one in self.candidates if one.folds]
        scores = [_worth(one.folds[0], self.score_name).score for one in scored]
        every = {
            name: mattered(of, [one.changes.get(name, of.usual) for one in scored], scores)
            for name, of in self.space.varied.items()
        }
        return {name: one for name, one in every.items() if one is not None}

    def goes_on(self, before: "Begun") -> "Search":
        """Return it with what was tried before; more is drawn where the budget has grown.

        Raises
        ------
        UsageError
            If that was of other data, or with other candidates.
        """
        self.base.goes_on(before.of)
        tried = [one.changes for one in before.candidates]
        if tried != [{}, *self.drawn][: len(tried)]:
            raise UsageError(
                "The search that was begun draws other candidates, as another version of clearprop "
                "does, or the file was changed. Begin anew in another folder."
            )
        rungs = () if self.budget > before.budget else before.rungs
        return replace(self, candidates=before.candidates, rungs=rungs)

    def to_json(self) -> dict[str, Json]:
        """Describe what was tried in JSON values."""
        return {
            "data": self.base.settings.data,
            "samples": len(self.base.parts.dataset),
            "checksum": self.base.checksum,
            "folds": self.folds,
            "budget": self.budget,
            "seconds": self.standing.spent,
            "score": self.score_name,
            "searched": {name: one.to_json() for name, one in self.space.varied.items()},
            "candidates": [self._candidate_to_json(k) for k in range(len(self.candidates))],
            "rungs": [list(one) for one in self.rungs],
            "notes": list(self.base.notes),
            "settings": self.base.settings.to_json(),
        }

    def outcome_to_json(self) -> dict[str, Json]:
        """Describe what came of it in JSON values."""
        above = self.above
        return {
            "best": self.best,
            "above": None if above is None else asdict(above),
            "chance": self.chance,
            "chosen": self.chosen,
            "mattered": {name: asdict(one) for name, one in self.mattered().items()},
        }

    def _candidate_to_json(self, candidate: int) -> dict[str, Json]:
        own, spread = self.candidates[candidate], self.spread(candidate)
        told = {
            name: list(one) if isinstance(one, tuple) else one for name, one in own.changes.items()
        }
        return {
            "changes": told,
            "mean": spread.mean,
            "standard_error": spread.standard_error,
            "seconds": list(own.seconds),
            "each": [asdict(one) for one in own.folds],
        }

    def save(self, folder: Path) -> None:
        """Write it beside and rename it, so that it may be gone on with whenever it ends.

        Raises
        ------
        OutputError
            If the file can't be written.
        """
        write_text(folder / SEARCH, dumps(self.to_json()) + "\n")


def _worth(fold: FoldScores, score_name: str) -> Worth:
    if fold.diverged is not None:
        return Worth(-math.inf, math.inf)
    scores = fold.scores
    tie = scores.get("log_loss", scores.get("rmse", math.nan))
    return Worth(scores.get(score_name, math.nan), tie)


@dataclass(frozen=True)
class Begun:
    """A search as a file tells it: its folds and settings, and what was tried.

    Parameters
    ----------
    of : fold_scores.Begun
        The settings as they were given, how many folds, and the number that tells the data.
    budget : float
    candidates : tuple of Candidate
    rungs : tuple of tuple of int
    """

    of: fold_scores.Begun
    budget: float
    candidates: tuple[Candidate, ...]
    rungs: tuple[tuple[int, ...], ...]


def begin_search(settings: Settings, dataset: Dataset, count: int, budget: float) -> Search:
    """Deal samples out to folds, and draw candidates.

    Raises
    ------
    UsageError
        If nothing is left to search, or training were to go on from a model.
    DataError
        If there are not as many samples, groups or times.
    """
    base, space = fold_scores.begin(settings, dataset, count), space_of(settings, dataset)
    if space.has_folds:
        base = replace(base, notes=(*base.notes, _QUICK))
    return Search(base, space, budget, tuple(islice(space.drawn(settings.seed), _MOST)))


def read_search(folder: Path) -> Begun:
    """Read a search that was begun.

    Raises
    ------
    UsageError
        If there is none in the folder.
    DataError
        If its file can't be used.
    """
    path = folder / SEARCH
    if not path.exists():
        raise UsageError(
            f"There is no search in {folder} to go on with: it has no {SEARCH}. Leave --resume out "
            "to begin one."
        )
    try:
        return _begun(parsed_json(read_bounded(path, _LARGEST)))
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise DataError(
            f"{path} can't be used: it is not as search writes it ({shortened(str(error))}). "
            "Begin anew in another folder."
        ) from error


def _begun(told: Any) -> Begun:
    own, count = told["settings"], int(told["folds"])
    settings = Settings(data=own["data"]).changed(own)
    candidates, budget = [], float(told["budget"])
    for one in told["candidates"]:
        changed = settings.changed(one["changes"])
        changes = {name: getattr(changed, name) for name in one["changes"]}
        folds = tuple(read_fold(fold) for fold in one["each"])
        candidates.append(Candidate(changes, folds, tuple(map(float, one["seconds"]))))
    if not candidates or any(len(one.folds) > count for one in candidates):
        raise ValueError("a candidate has more folds than there are, or there is none")
    if any(len(one.folds) != len(one.seconds) for one in candidates):
        raise ValueError("a fold has no time, or a time no fold")
    times = [budget, *(x for one in candidates for x in one.seconds)]
    if not all(math.isfinite(one) and one >= 0 for one in times):
        raise ValueError("a time is no number of seconds")
    rungs = tuple(tuple(map(int, one)) for one in told["rungs"])
    rivals = range(1, len(candidates))
    if len(rungs) > len(rungs_of(count)) or any(k not in rivals for one in rungs for k in one):
        raise ValueError("a rung has a candidate that there is not")
    return Begun(
        fold_scores.Begun(settings, count, int(told["checksum"]), ()),
        budget,
        tuple(candidates),
        rungs,
    )
