"""What an illness is: a measurement, a threshold, and what cures it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from clearprop.doctor.case import Case, first_cause
from clearprop.doctor.finding import Changes, Finding


@dataclass(frozen=True)
class Illness(ABC):
    """Base of every illness.

    Parameters
    ----------
    threshold : float
        What is measured must lie beyond it. Why there, says `words.REASONS`.
    """

    threshold: float

    key: ClassVar[str]
    is_early: ClassVar[bool] = False
    """Whether it can be told before the first update."""

    @abstractmethod
    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Say whether a training has it.

        Parameters
        ----------
        case : Case
        found : sequence of Finding
            The more harmful illnesses that the training has.

        Returns
        -------
        Finding or None
        """

    def finding(
        self,
        measured: float,
        *,
        layer: str | None = None,
        changes: Changes | None = None,
        variant: str = "",
        threshold: float | None = None,
        **facts: Any,
    ) -> Finding:
        """Make the finding for what was measured; `facts` are for the sentences.

        A variant may have another threshold than the illness.
        """
        threshold = self.threshold if threshold is None else threshold
        return Finding(self.key, float(measured), threshold, layer, changes or {}, facts, variant)

    def proven(
        self,
        case: Case,
        found: Sequence[Finding],
        measured: float,
        cures: Sequence[Changes],
        *,
        layer: str | None = None,
        **facts: Any,
    ) -> Finding | None:
        """Make the finding if something cures it; what a cause explains needs no cure of its own.

        Parameters
        ----------
        case : Case
        found : sequence of Finding
        measured : float
        cures : sequence of mapping
            Changes, of which the one that helps most in a trial is advised.
        layer : str, optional
        **facts
            For the sentences.

        Returns
        -------
        Finding or None
            None where nothing helps: then whatever was measured does no harm.
        """
        if case.is_well:
            return None
        if cause := first_cause(found):
            return self.finding(measured, layer=layer, cause=cause.illness, **facts)
        changes = max(cures, key=lambda one: case.trials.reach(one).value)
        reached = case.cure(changes)
        if reached is None:
            return None
        trial = case.trial_facts(reached)
        return self.finding(measured, layer=layer, changes=changes, trial=trial, **facts)
