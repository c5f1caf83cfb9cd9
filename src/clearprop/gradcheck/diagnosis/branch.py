"""One way of explaining gradients, and how much has to be believed for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from clearprop.gradcheck.diagnosis.hypotheses.guess import Steps
from clearprop.parameters import Array

_AGAIN = 0.02  # what a mistake costs that is made in another layer, too
_BOTH_LINES = 0.4  # what it costs that is made in dW and in db
_RARE = {  # mistakes that are less usual than others that give the same numbers
    "factor": 1.6,
    "slope_incomplete": 1.2,
    "slope_twice": 1.2,
    "W_missing": 1.1,
    "thresholded": 1.1,
    "leaky_slope": 1.1,
    "l2_extra": 1.1,
}
UNKNOWN = 3.0
"""What a line that nothing explains costs, in mistakes."""
_KEPT = 12  # branches
_WORSE = 1.5  # than the best, beyond which a branch is given up


@dataclass(frozen=True)
class Branch:
    """One way of explaining the layers so far.

    Parameters
    ----------
    steps : tuple of Step
        The mistakes, from the output back.
    unknown : tuple of (int, str)
        The lines that nothing explains: ``(2, "dW")``.
    dZ, dA : dict of int to ndarray
        As the code under check has them, if this is what it does.
    errors : dict of (int, str) to float
        How far its lines are from theirs, over their largest entry.
    """

    steps: Steps = ()
    unknown: tuple[tuple[int, str], ...] = ()
    dZ: Mapping[int, Array] = field(default_factory=dict)
    dA: Mapping[int, Array] = field(default_factory=dict)
    errors: Mapping[tuple[int, str], float] = field(default_factory=dict)

    @property
    def weight(self) -> float:
        """How much has to be believed: about the number of different mistakes."""
        groups = {(step.cause, step.variant): {step.target} for step in self.steps}
        for step in self.steps:
            groups[step.cause, step.variant].add(step.target)
        return (
            sum(
                _RARE.get(cause, 1) * (1 + _BOTH_LINES * (len(targets) - 1))
                for (cause, _), targets in groups.items()
            )
            + _AGAIN * len(self.steps)
            + UNKNOWN * len(self.unknown)
        )


def best(branches: Iterable[Branch]) -> list[Branch]:
    """Return the branches that are worth going on with, the best first."""
    different = {(one.steps, one.unknown): one for one in branches}
    ordered = sorted(different.values(), key=lambda one: one.weight)
    return [one for one in ordered[:_KEPT] if one.weight <= ordered[0].weight + _WORSE]
