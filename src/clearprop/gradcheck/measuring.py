"""The claimed gradients of each array against the slopes of the cost."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from clearprop.core.parameters import Array
from clearprop.gradcheck.differences import (
    DOUBLE,
    SINGLE,
    Precision,
    Slope,
    is_single,
    measure_slope,
)
from clearprop.gradcheck.subject import Arrays, Subject, same

_Places = NDArray[np.intp]
_WITNESSES = 3  # wrong entries that are looked at again
_ALIKE = 0.99  # of errors this close to the largest, the one of the largest entry is shown
_ROUNDINGS = 2**10  # of the largest entry, that the smallest ones may be off by
_NEAR = 1e-3  # of a parameter, or of 1: far enough for a kink to be left behind
_LAST_BITS = 2.0**-48
_SURE = 16  # times the rounding of a gradient

EACH = 128
"""Arrays of up to so many entries are checked entry by entry."""

_SAMPLE = 30


def choose_entries(size: int, random_state: np.random.RandomState) -> list[int]:
    """Choose the entries of an array to be checked one by one: their places in C order, ascending.

    They are all of a small array; of a large one the first and the last, where indices that are off
    by one show, and a random sample.
    """
    if size <= EACH:
        return list(range(size))
    drawn = random_state.randint(size, size=_SAMPLE - 2)
    return sorted({0, size - 1, *drawn.tolist()})


@dataclass(frozen=True)
class Claim:
    """A gradient that is claimed of a cost, which depends on one array.

    Parameters
    ----------
    cost : callable
        The cost of the array; it is given a new one at every call.
    array : ndarray
        The point where the gradient is checked.
    gradient : ndarray
        The claim, of the same shape; NaN where there is none.
    at_zero : float
        The cost at `array`.
    floor : float
        The rounding of the entries of `gradient`.
    precision : Precision
    """

    cost: Callable[[Array], float]
    array: Array
    gradient: Array
    at_zero: float
    floor: float
    precision: Precision

    def at(self, place: int) -> Slope:
        """Measure the slope of one entry, by its place in C order."""
        return self._along(np.ones(1), np.array([place]), self.floor)

    def through(self, line: Array, places: _Places) -> Slope:
        """Measure the slope along a line of length 1 through some entries at once."""
        usual = np.linalg.norm(self._entries(places)).item() / math.sqrt(self.array.size)
        return self._along(line[places], places, self.floor + self.precision.tolerance * usual)

    def _along(self, line: Array, places: _Places, floor: float) -> Slope:
        def shifted(shift: float) -> float:
            moved = self.array.copy()
            moved.reshape(-1)[places] += shift * line
            return self.cost(moved)

        largest = np.abs(self.array.reshape(-1)[places]).max().item()
        return measure_slope(
            shifted,
            (self._entries(places) @ line).item(),
            at_zero=self.at_zero,
            scale=2.0 ** math.ceil(math.log2(max(1.0, largest))),  # which rounds no parameter
            floor=floor,
            precision=self.precision,
        )

    def _entries(self, places: _Places) -> Array:
        return self.gradient.reshape(-1)[places].astype(np.float64)


@dataclass(frozen=True)
class Measured:
    """The outcome of one array.

    Parameters
    ----------
    numerical : ndarray
        The slope of each entry that was measured, of the array's shape; NaN for all others.
    right, wrong, skipped : int
        The number of entries that were found right, wrong, or could not be judged.
    error : float
        The largest relative error |claimed - numerical| / max(|claimed|, |numerical|); of the wrong
        entries where there are any, else of the right ones. NaN where none was judged.
    where : tuple of int or None
        The entry that has it.
    """

    numerical: Array
    right: int
    wrong: int
    skipped: int
    error: float
    where: tuple[int, ...] | None


def measure(claim: Claim, is_wrong: Callable[[int, Slope], bool]) -> Measured:
    """Measure the slopes of a cost, entry by entry.

    Of a large array only a sample is measured. A random line through all entries then shows whether
    any other is wrong, and halving the entries on it finds one. Entries that seem wrong get a
    second look by `is_wrong`; where the worst few are not, none is.
    """
    random_state = np.random.RandomState(0)
    slopes = {place: claim.at(place) for place in choose_entries(claim.array.size, random_state)}
    if claim.array.size > EACH and not _wrong(claim, slopes):
        line = random_state.standard_normal(claim.array.size)
        suspect = _hunt(claim, line / np.linalg.norm(line))
        if suspect is not None:
            slopes[suspect] = claim.at(suspect)
    wrong = _wrong(claim, slopes)
    if not any(is_wrong(place, slopes[place]) for place in wrong[:_WITNESSES]):
        slopes |= {place: replace(slopes[place], outcome="lost") for place in wrong}
    return _summed_up(claim, slopes)


def _wrong(claim: Claim, slopes: Mapping[int, Slope]) -> list[int]:
    """Return the entries that seem to be wrong, those first that are furthest off."""
    off = {
        place: abs(slope.value - claim.gradient.flat[place])
        for place, slope in slopes.items()
        if slope.outcome == "wrong"
    }
    return sorted(off, key=lambda place: -off[place])


def _hunt(claim: Claim, line: Array) -> int | None:
    """Find an entry that is wrong, if there is one, by halving those that may hold it."""
    places = np.arange(claim.array.size)
    if claim.through(line, places).outcome != "wrong":
        return None
    while len(places) > 1:
        first, second = np.array_split(places, 2)
        places = first if claim.through(line, first).outcome == "wrong" else second
    return int(places[0])


def _summed_up(claim: Claim, slopes: Mapping[int, Slope]) -> Measured:
    numerical = np.full(claim.array.shape, np.nan)
    for place, slope in slopes.items():
        if slope.outcome in ("right", "wrong", "unclaimed"):
            numerical.reshape(-1)[place] = slope.value
    outcomes = [slope.outcome for slope in slopes.values()]
    right, wrong = outcomes.count("right"), outcomes.count("wrong")
    judged = [
        place for place, slope in slopes.items() if slope.outcome == ("wrong" if wrong else "right")
    ]
    error, where = _worst(claim, numerical.reshape(-1), np.array(judged, dtype=np.intp))
    skipped = outcomes.count("kink") + outcomes.count("lost")
    return Measured(numerical, right, wrong, skipped, error, where)


def _worst(claim: Claim, numerical: Array, judged: _Places) -> tuple[float, tuple[int, ...] | None]:
    if not judged.size:
        return math.nan, None
    claimed, measured = claim.gradient.reshape(-1)[judged], numerical[judged]
    difference = np.abs(claimed - measured)
    smallest = max(claim.floor / claim.precision.tolerance, np.finfo(np.float64).tiny)
    errors = difference / np.maximum(np.maximum(np.abs(claimed), np.abs(measured)), smallest)
    worst = judged[np.argmax(np.where(errors >= _ALIKE * errors.max(), difference, -1))]
    where = tuple(int(index) for index in np.unravel_index(worst, claim.array.shape))
    return float(errors.max()), where


# All arrays, at one point.


@dataclass(frozen=True)
class Spot:
    """The point where gradients are checked: parameters, their cost, and the claims about it.

    The precision is that of the cost.
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
        """Return the claim about the cost as it depends on one parameter."""
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
        """The change of gradients with the last bits of the parameters: their rounding alone.

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
    def _nearby(self) -> "Spot":
        return self._moved(_NEAR, least=1, seed=0)

    def _moved(self, share: float, *, least: float, seed: int) -> "Spot":
        random_state = np.random.RandomState(seed)
        moved = {
            name: array
            + share * np.maximum(np.abs(array), least) * random_state.standard_normal(array.shape)
            for name, array in self.parameters.items()
        }
        cost = self.subject.cost(moved)
        return replace(self, parameters=moved, cost=cost, claimed=self.subject.gradients(moved))
