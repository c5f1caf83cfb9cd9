"""Several updates: which of them show one training, and which judgement is to be believed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.judging.episodes import Episode
from clearprop.gradcheck.seeing.judging.forgotten import beginnings
from clearprop.gradcheck.seeing.judging.judgement import CLOSE, Judgement, fitted
from clearprop.gradcheck.seeing.tape import Node, ancestors

_STEADY = 0.9  # the share of the largest rate that the smallest one of some updates is


Kind: TypeAlias = tuple[frozenset[tuple[str, int]], frozenset[tuple[str, str, int]]]
"""The lines in which parameters are updated, and those that have it done."""


@dataclass
class Kinds:
    """The kinds of trainings that were seen, and what their parameters once were."""

    known: dict[Kind, set[Node]] = field(default_factory=dict)
    same: dict[Kind, Kind] = field(default_factory=dict)

    def of(self, episode: Episode) -> Kind:
        """Return the kind of an episode: that of the first one with its lines and parameters."""
        own = episode.sites, _callers(episode)
        if own not in self.same:
            begun = beginnings(set(episode.roots))
            alike = (
                kind
                for kind, parameters in self.known.items()
                if kind[0] == own[0]
                and _functions(kind[1]) == _functions(own[1])
                and not parameters.isdisjoint(begun)
            )
            self.same[own] = next(alike, own)
            self.known.setdefault(self.same[own], begun)
        return self.same[own]


def is_within(one: Episode, other: Episode) -> bool:
    """Whether fewer of the same lines have updated parameters."""
    if one.sites == other.sites:
        return _callers(one) < _callers(other)
    return one.sites < other.sites


def _functions(callers: frozenset[tuple[str, str, int]]) -> frozenset[str]:
    return frozenset(function for _, function, _ in callers)


def _callers(episode: Episode) -> frozenset[tuple[str, str, int]]:
    """Return the lines that have steps computed: one update may serve several backward passes."""
    found = set[tuple[str, str, int]]()
    for update in episode.updates:
        own = next(((one.file, one.number) for one in update.step.lines), None)
        outside = (one for one in update.step.lines if (one.file, one.number) != own)
        found.update((one.file, one.function, one.number) for one in list(outside)[:1])
    return frozenset(found)


def of_one_cost(costs: Mapping[str, Sequence[Judgement]]) -> Judgement:
    """Return the judgement for the usual cost whose factor is the same in all updates.

    One output of one sample has a gradient of one direction, which any cost gives: only that its
    size is the rate's each time tells one cost from another, and from none.
    """
    several = max(len(found) for found in costs.values())
    for found in costs.values():
        factors = [abs(one.factor or 0.0) for one in found]
        if len(found) == several and min(factors) > _STEADY * max(factors):
            return found[0]
    return _doubted(next(iter(costs.values()))[0])


def believed(found: Judgement, passed: Sequence[Judgement], missed: int) -> Judgement:
    """Return a judgement, or doubt it where one update alone is right for a number without a name.

    With weights of zero all samples have one output, and gradients are multiples of those of many
    numbers. `missed` is the number of updates for which no cost was beyond doubt.
    """
    is_any = found.cost.is_computed and not found.cost.is_named
    return _doubted(found) if is_any and len(passed) == 1 and missed > 1 else found


def _doubted(found: Judgement) -> Judgement:
    gradients = tuple(replace(one, verdict="unreached") for one in found.gradients)
    return replace(found, gradients=gradients)


def tells_more(found: Judgement, known: Judgement) -> bool:
    """Whether a judgement of the same training is to be believed rather than the one before.

    One update that is wrong decides over those that are right, what is known over what is not, and
    a cost that the code computes over a usual one: at weights of zero several usual ones fit, and a
    cost that is computed after each step is that of the next one alone.
    """
    sizes = len(found.gradients), len(known.gradients)
    if sizes[0] != sizes[1]:
        return (found.passed, sizes[0]) > (known.passed, sizes[1])
    same = found.cost.words == known.cost.words
    nearer = found.cost.is_computed and not known.cost.is_computed
    if known.passed:
        wrong = found.leads_up or not (found.passed or _goes_by_history(found))
        return found.known == known.known and (nearer or (same and wrong))
    if found.passed:
        farther = known.cost.is_computed and not found.cost.is_computed
        return not ((same or farther) and _is_wrong(known) and known.known >= found.known)
    return found.known > known.known


def settled(found: Judgement) -> Judgement:
    """Call right what was zero but for rounding, in code and truth, whenever it was looked at."""
    gradients = tuple(
        replace(one, verdict="right") if one.verdict == "unreached" and not one.error else one
        for one in found.gradients
    )
    return replace(found, gradients=gradients)


def _is_wrong(judgement: Judgement) -> bool:
    return any(one.verdict in ("wrong", "scaled") for one in judgement.gradients)


def _goes_by_history(judgement: Judgement) -> bool:
    """Whether steps are made of the right gradients, and of earlier ones in a way of their own.

    As those of quasi-Newton methods are: where the first step is right, no later one is wrong.
    """
    steps = {update.root: update.step for update in judgement.episode.updates}
    outside = ancestors(steps.values()) - set(steps)
    return all(
        _is_made_of(ancestors([steps[one.parameter]], outside), one.truth, judgement.reached)
        for one in judgement.gradients
        if one.verdict in ("wrong", "scaled")
    )


def _is_made_of(behind: set[Node], truth: Array, reached: set[Node]) -> bool:
    alike = [one for one in behind if one.is_float and one.value.size == truth.size]
    past = any(one not in reached and one.parents for one in alike)
    return past and any(fitted(one.value, truth)[1] < CLOSE for one in alike if one in reached)
