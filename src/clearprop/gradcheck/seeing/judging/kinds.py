"""Which episodes show the same training: by their lines, their callers, and their parameters."""

from dataclasses import dataclass, field
from typing import TypeAlias

from clearprop.gradcheck.seeing.judging.episodes import Episode
from clearprop.gradcheck.seeing.judging.forgotten import beginnings
from clearprop.gradcheck.seeing.tape import Node

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
