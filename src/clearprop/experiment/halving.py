"""Successive halving: which candidates are trained without which folds, in a budget of seconds.

Every candidate is scored by one fold, the better third by three, the better third of these by nine,
and so on up to all: no training is cut short. The number of candidates follows from the budget and
the time that trainings take. Source: Jamieson and Talwalkar, "Non-stochastic Best Arm
Identification and Hyperparameter Optimization" (2016); Li et al., "Hyperband" (2018), section 2.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

_KEPT = 3  # candidates, of which one goes on
_PLAYED = 2000  # searches among candidates that are all alike


class Worth(NamedTuple):
    """What a fold tells of a candidate.

    Parameters
    ----------
    score : float
        The score that counts, the higher the better; NaN where it is not defined, minus infinity
        where training diverged.
    tie : float
        What decides between equal scores, the lower the better.
    """

    score: float
    tie: float = 0.0


class Job(NamedTuple):
    """A training that is due: of a candidate, without a fold, both counted from 0."""

    candidate: int
    fold: int


def rungs_of(folds: int) -> tuple[int, ...]:
    """Return the number of folds that a candidate has after each rung: 1, 3, 9, ... and all."""
    found = [1]
    while found[-1] * _KEPT < folds:
        found.append(found[-1] * _KEPT)
    return (*found, folds)


def going_on(members: int) -> int:
    """Return how many of the members of a rung are in the next one."""
    return -(-members // _KEPT)


@dataclass(frozen=True)
class Standing:
    """How far a search is.

    Parameters
    ----------
    folds : int
        The number of all folds, at least 2.
    budget : float
        The seconds that may be spent.
    most : int
        The number of candidates that there are besides the defaults.
    done : tuple of tuple of Worth
        The folds that are done of each candidate, the first of which are the defaults.
    seconds : tuple of tuple of float
        The time spent on each of these.
    rungs : tuple of tuple of int
        The candidates in each rung that is decided, without the defaults; of the first, once no
        more are drawn.
    """

    folds: int
    budget: float
    most: int
    done: tuple[tuple[Worth, ...], ...]
    seconds: tuple[tuple[float, ...], ...]
    rungs: tuple[tuple[int, ...], ...] = ()

    @property
    def spent(self) -> float:
        """The seconds spent so far."""
        return math.fsum(map(math.fsum, self.seconds))

    @property
    def per_training(self) -> float:
        """The mean time of a training of candidates, or before there are any of the defaults.

        The slowest tenth is left out, one at least: in a few, code may be compiled.
        """
        every = sorted(one for of_candidate in self.seconds[1:] for one in of_candidate)
        every = every or sorted(self.seconds[0])
        usual = every[: min(len(every) - 1, math.floor(0.9 * len(every)))] or every
        return math.fsum(usual) / max(len(usual), 1)

    @property
    def least_budget(self) -> float:
        """The seconds for the defaults and one candidate, each without every fold, at the least."""
        return 2 * self.folds * min(self.seconds[0], default=0.0)

    @property
    def best(self) -> int:
        """The best of those that are scored by every fold; the defaults, 0, while there is none."""
        whole = [k for k, one in enumerate(self.done) if len(one) == self.folds]
        return self.ordered(whole, self.folds)[0] if whole else 0

    def ordered(self, candidates: Iterable[int], folds: int) -> list[int]:
        """Return candidates from the best to the worst by so many folds; of equals, by number."""
        return sorted(candidates, key=lambda k: (*self._badness(k, folds), k))

    def _badness(self, candidate: int, folds: int) -> tuple[float, float]:
        known = [one for one in self.done[candidate][:folds] if not math.isnan(one.score)]
        if not known:
            return math.inf, math.inf
        ties = [one.tie for one in known if not math.isnan(one.tie)]
        tie = math.fsum(ties) / len(ties) if ties else math.inf
        return -sum(one.score for one in known) / len(known), tie

    def next(self, at_once: int) -> "tuple[Standing, list[Job]]":
        """Decide what can be decided, and return the trainings that are due.

        Parameters
        ----------
        at_once : int
            The number of trainings at most that are done before anybody looks at the clock again.

        Returns
        -------
        standing : Standing
            The same with the rungs that are decided now.
        jobs : list of Job
            None at the end of the search.
        """
        left = [Job(0, fold) for fold in range(len(self.done[0]), self.folds)]
        if left:
            return self, left[: at_once if self.done[0] else 1]  # the first one tells the time
        if self.rungs:
            return self._climb(at_once)
        tried = len(self.done) - 1
        more = min(at_once, self.most - tried)
        while more > 0 and not self._has_time(more + self._after(tried + more)):
            more -= 1
        if more > 0:
            return self, [Job(1 + tried + k, 0) for k in range(more)]
        if not tried:
            return self, []
        first = tuple(self.ordered(range(1, 1 + tried), 1))
        return replace(self, rungs=(first,))._climb(at_once)

    def _climb(self, at_once: int) -> "tuple[Standing, list[Job]]":
        levels, found = rungs_of(self.folds), self
        while True:
            members, folds = found.rungs[-1], levels[len(found.rungs) - 1]
            whole = tuple(k for k in members if len(self.done[k]) >= folds)
            left = [Job(k, n) for k in members for n in range(len(self.done[k]), folds)]
            if left and found._may_go_on(whole):
                return found, left[:at_once]
            if left:
                found = replace(found, rungs=(*found.rungs[:-1], whole))
            if not whole or folds == self.folds:
                return found, []
            found = replace(found, rungs=(*found.rungs, found._promoted(whole, folds)))

    def _may_go_on(self, whole: tuple[int, ...]) -> bool:
        """Whether there is time to go on in a rung, and, once one is whole, to the end with it."""
        if not whole:
            return self.spent < self.budget
        to_the_end = self.folds - len(self.done[whole[0]])
        return self._has_time(1 + to_the_end)

    def _promoted(self, members: tuple[int, ...], folds: int) -> tuple[int, ...]:
        """Return those of a rung that go on: the better third, or as many as there is time for."""
        count = going_on(len(members))
        while count > 1 and not self._has_time(self._from(count, folds)):
            count -= 1
        return tuple(self.ordered(members, folds)[:count])

    def _has_time(self, trainings: int) -> bool:
        return self.spent + trainings * self.per_training <= self.budget

    def _after(self, candidates: int) -> int:
        """Return the trainings that candidates of the first rung take later on."""
        return self._from(going_on(candidates), 1)

    def _from(self, members: int, done: int) -> int:
        """Return the trainings from the rung on that so many enter with `done` folds."""
        total = 0
        for before, folds in pairwise(rungs_of(self.folds)):
            if before >= done:
                total += members * (folds - before)
                members = going_on(members)
        return total


def chance_of(ratio: float, members: Sequence[int], folds: int) -> float:
    """Return how often a search among candidates that are all alike ends as well as by a ratio.

    Scores of folds are drawn from one normal distribution for all, the defaults among them; what
    the folds themselves add is the same for all, and makes no difference.

    Parameters
    ----------
    ratio : float
        By how many of its standard errors the best is above the defaults, fold by fold.
    members : sequence of int
        The number of candidates in each rung.
    folds : int
        The number of all folds.

    Returns
    -------
    float
        The share of 2,000 such searches where the ratio is as large or larger.
    """
    random_state, levels = np.random.RandomState(0), rungs_of(folds)
    scores = random_state.randn(_PLAYED, members[0], 1)
    for place, count in enumerate(members[1:], start=1):
        order = np.argsort(-scores.mean(axis=2), axis=1)[:, :count, np.newaxis]
        scores = np.take_along_axis(scores, order, axis=1)
        more = random_state.randn(_PLAYED, count, levels[place] - levels[place - 1])
        scores = np.concatenate([scores, more], axis=2)
    best = scores.mean(axis=2).argmax(axis=1)[:, np.newaxis, np.newaxis]
    own = np.take_along_axis(scores, best, axis=1)[:, 0]
    above = own - random_state.randn(*own.shape)
    ratios = above.mean(axis=1) / (above.std(axis=1, ddof=1) / math.sqrt(folds))
    return float(np.mean((above.mean(axis=1) > 0) & (ratios >= ratio)))
