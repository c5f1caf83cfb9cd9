"""Parameters, the cost there, and the gradients that are claimed of it."""

from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from clearprop.gradcheck.measuring import Claim, Measured, measure
from clearprop.gradcheck.precision import DOUBLE, SINGLE, Precision, is_single
from clearprop.gradcheck.subject import Arrays, Subject

_ROUNDINGS = 2**10  # of the largest entry, that the smallest ones may be off by
_NEAR = 1e-3  # far enough for a kink to be left behind


@dataclass(frozen=True)
class Point:
    """A place where gradients are checked.

    Parameters
    ----------
    subject : Subject
    parameters : mapping of str to ndarray
    cost : float
    claimed : mapping of str to ndarray
        The gradients under check.
    precision : Precision
        Of the cost.
    """

    subject: Subject
    parameters: Arrays
    cost: float
    claimed: Arrays
    precision: Precision

    def measure(self) -> dict[str, Measured]:
        """Measure every parameter's gradient."""
        return {
            name: measure(self.claim(name), partial(self._claim_nearby, name))
            for name in self.parameters
        }

    def claim(self, name: str) -> Claim:
        """Return what is claimed of the cost as it depends on one parameter."""
        array, gradient = self.parameters[name], self.claimed.get(name)
        if gradient is None or gradient.shape != array.shape:
            gradient = np.full(array.shape, np.nan)
        own = SINGLE if is_single(gradient) else DOUBLE
        return Claim(
            cost=lambda moved: self.subject.cost({**self.parameters, name: moved}),
            array=array,
            gradient=np.where(np.isfinite(gradient), gradient, np.nan),
            at_zero=self.cost,
            floor=_ROUNDINGS * own.epsilon * self._largest,
            precision=replace(
                self.precision, tolerance=max(self.precision.tolerance, own.tolerance)
            ),
        )

    @cached_property
    def _largest(self) -> float:
        return max(
            float(np.abs(claim[np.isfinite(claim)]).max(initial=0))
            for claim in self.claimed.values()
        )

    def _claim_nearby(self, name: str) -> Claim:
        return self._nearby.claim(name)

    @cached_property
    def _nearby(self) -> "Point":
        random_state = np.random.RandomState(0)
        moved = {
            name: array
            + _NEAR * np.maximum(np.abs(array), 1) * random_state.standard_normal(array.shape)
            for name, array in self.parameters.items()
        }
        return replace(
            self,
            parameters=moved,
            cost=self.subject.cost(moved),
            claimed=self.subject.gradients(moved),
        )
