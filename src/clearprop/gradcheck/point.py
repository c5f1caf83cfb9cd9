"""Parameters, the cost there, and the gradients that are claimed of it."""

from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from clearprop.gradcheck.calling import same
from clearprop.gradcheck.differences import Slope
from clearprop.gradcheck.measuring import Claim, Measured, measure
from clearprop.gradcheck.precision import DOUBLE, SINGLE, Precision, is_single
from clearprop.gradcheck.subject import Arrays, Subject

_ROUNDINGS = 2**10  # of the largest entry, that the smallest ones may be off by
_NEAR = 1e-3  # of a parameter, or of 1: far enough for a kink to be left behind
_LAST_BITS = 2.0**-48
_SURE = 16  # times the rounding of a gradient


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
            name: measure(self.claim(name), partial(self._is_wrong, name))
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

    def _is_wrong(self, name: str, place: int, slope: Slope) -> bool:
        """Whether an entry that seems wrong is so in truth: beyond rounding, and nearby, too.

        Where many units lie on their kinks at once, as those above a dead layer without biases do,
        the cost may well have a slope that no backward pass gives. That ends a little further.
        """
        off = abs(slope.value - self.claimed[name].flat[place])
        return (
            off > _SURE * self._rounding.get(name, 0)
            and self._nearby.claim(name).at(place).outcome == "wrong"
        )

    @cached_property
    def _rounding(self) -> dict[str, float]:
        """How much gradients change with the last bits of the parameters, by their rounding alone.

        Where they change from call to call anyway, nothing is known of their rounding.
        """
        again = self.subject.gradients(self.parameters)
        if not all(same(claim, again.get(name)) for name, claim in self.claimed.items()):
            return {}
        beside = [self._moved(_LAST_BITS, least=0, seed=seed).claimed for seed in range(3)]
        with np.errstate(invalid="ignore"):  # infinity less infinity, which is no wrong entry
            return {
                name: max(float(np.abs(claim - one[name]).max(initial=0)) for one in beside)
                for name, claim in self.claimed.items()
                if all(name in one and one[name].shape == claim.shape for one in beside)
            }

    @cached_property
    def _nearby(self) -> "Point":
        return self._moved(_NEAR, least=1, seed=0)

    def _moved(self, share: float, *, least: float, seed: int) -> "Point":
        random_state = np.random.RandomState(seed)
        moved = {
            name: array
            + share * np.maximum(np.abs(array), least) * random_state.standard_normal(array.shape)
            for name, array in self.parameters.items()
        }
        cost = self.subject.cost(moved)
        return replace(self, parameters=moved, cost=cost, claimed=self.subject.gradients(moved))
