"""The work of a turn: a training, or some calls that predict."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.pool import Remote

_FEW = 2  # updates that warm up

FIRST = 10
"""Updates after which losses are compared for the first time: rounding has not grown yet."""

FIRST_TOLERANCE = {"float64": 1e-9, "float32": 3e-5}
"""By how much, relative to it, a peer's loss may then differ from clearprop's.

Adam with another formula is 3e-4 apart by then; with the same one, in float32, 5e-6 at most.
"""


@dataclass(frozen=True)
class Effort:
    """The time that is given to measuring.

    Parameters
    ----------
    rounds : int
        The number of turns of every peer.
    turn : float
        Seconds that a turn may take; a longer training is cut and its time scaled up.
    trial : float
        Seconds in which a setting is tried.
    limit : float
        Seconds after which a training to a given accuracy ends.
    settings : int or None
        The number of ways of using a peer that are tried; None for all.
    """

    rounds: int
    turn: float
    trial: float
    limit: float
    settings: int | None = None


FULL = Effort(rounds=5, turn=1.0, trial=0.3, limit=45.0)
QUICK = Effort(rounds=2, turn=0.2, trial=0.05, limit=4.0, settings=1)


@dataclass(frozen=True)
class Check:
    """A number that all peers must agree in.

    Parameters
    ----------
    updates : int
        The number of updates after which it is looked at.
    tolerance : float
        The difference from clearprop's number that is allowed, relative to that.
    """

    updates: int
    tolerance: float


class Stored(Protocol):
    """A task that can be handed to a process."""

    def save(self, path: Path) -> None:
        """Write it to a file."""


class Work(Protocol):
    """Work that is timed. A turn has a size, because slow peers can't do all of it."""

    def try_out(self, remote: Remote, effort: Effort) -> tuple[float, int]:
        """Warm up; return how slow the peer is, and the size of its turns."""

    def turn(self, remote: Remote, size: int, effort: Effort) -> float:
        """Return the seconds that the whole work takes, measured on a turn of that size."""

    def is_cut(self, size: int) -> bool:
        """Whether a turn of that size is less than the whole work."""

    def checks(self, size: int) -> tuple[Check, ...]:
        """Return what is compared after turns of that size, the most telling number last."""

    def outcome(self, remote: Remote, updates: int) -> float:
        """Return the number that all peers must agree in after so many updates."""


@dataclass(frozen=True)
class Training:
    """So many updates, of which a turn does as many as it has time for; the outcome is the loss.

    Parameters
    ----------
    steps : int
    dtype : str
        The dtype in which everybody computes.
    tolerance : float
        The tolerance of the last loss: rounding alone leads two trainings so far apart.
    until : int or None
        The update after which losses are compared for the last time; None for the last timed.
    """

    steps: int
    dtype: str
    tolerance: float
    until: int | None = None

    def try_out(self, remote: Remote, effort: Effort) -> tuple[float, int]:
        """Time a few updates, then some; clearprop, which has but one setting, does all."""
        if remote.setting.entry.is_clearprop:
            return remote.ask("train", steps=self.steps)["seconds"], self.steps
        return self._try_some(remote, effort)

    def turn(self, remote: Remote, size: int, effort: Effort) -> float:
        """Train from the first weights on."""
        return float(remote.ask("train", steps=size)["seconds"] * self.steps / size)

    def is_cut(self, size: int) -> bool:
        """Whether there are more updates than that."""
        return size < self.steps

    def checks(self, size: int) -> tuple[Check, ...]:
        """Return the loss early on, when all must agree closely, and the last to be compared."""
        last = min(size, self.until or size)
        first = Check(min(FIRST, last), FIRST_TOLERANCE[self.dtype])
        return (first,) if last <= FIRST else (first, Check(last, self.tolerance))

    def outcome(self, remote: Remote, updates: int) -> float:
        """Return the loss of all samples."""
        return float(remote.ask("loss", steps=updates)["loss"])

    def _try_some(self, remote: Remote, effort: Effort) -> tuple[float, int]:
        few = min(_FEW, self.steps)
        remote.ask("train", steps=few)
        per_step = remote.ask("train", steps=few)["seconds"] / few
        some = self._fitting(effort.trial, per_step)
        per_step = remote.ask("train", steps=some)["seconds"] / some
        return per_step, self._fitting(effort.turn, per_step)

    def _fitting(self, seconds: float, per_step: float) -> int:
        return min(max(_FEW, int(seconds / per_step)), self.steps)


@dataclass(frozen=True)
class Step(Training):
    """One update, the mean of those that a turn has time for; clearprop gains by no more of them.

    Parameters
    ----------
    first : float
        The tolerance of the loss after the first updates. Adam moves a weight whose first gradient
        is nothing but rounding as far as any other, and a convolution uses it at every place.
    """

    first: float = FIRST_TOLERANCE["float32"]

    def try_out(self, remote: Remote, effort: Effort) -> tuple[float, int]:
        """Time a few updates, then some."""
        return self._try_some(remote, effort)

    def turn(self, remote: Remote, size: int, effort: Effort) -> float:
        """Return the mean of the updates."""
        return float(remote.ask("train", steps=size)["seconds"] / size)

    def checks(self, size: int) -> tuple[Check, ...]:
        """Return the loss after a few updates alone, however many were timed."""
        return (Check(min(FIRST, self.steps), self.first),)


@dataclass(frozen=True)
class Epoch(Training):
    """The first of many epochs; `steps` are the updates of one."""

    def try_out(self, remote: Remote, effort: Effort) -> tuple[float, int]:
        """Train for an epoch."""
        return self.turn(remote, self.steps, effort), self.steps

    def turn(self, remote: Remote, size: int, effort: Effort) -> float:
        """Train until a test accuracy is reached that every network has."""
        return float(remote.ask("learn", targets=[0.0], limit=0.0)["seconds"])


@dataclass(frozen=True)
class Predicting:
    """Calls with all test samples, by the first weights; the outcome is how certain answers are."""

    def try_out(self, remote: Remote, effort: Effort) -> tuple[float, int]:
        """Time some calls."""
        return self.turn(remote, 1, effort), 1

    def turn(self, remote: Remote, size: int, effort: Effort) -> float:
        """Return the seconds of one call, the mean of many."""
        return float(remote.ask("predict", seconds=effort.trial)["seconds"])

    def is_cut(self, size: int) -> bool:
        """Never."""
        return False

    def checks(self, size: int) -> tuple[Check, ...]:
        """Return the one number there is; a forward pass leaves little to rounding."""
        return (Check(0, 1e-5),)

    def outcome(self, remote: Remote, updates: int) -> float:
        """Return the mean logarithm of the largest probability."""
        return float(remote.ask("certainty")["certainty"])
