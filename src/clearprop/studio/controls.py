"""What those who watch ask of the trainings: to pause, to go on, another learning rate, an end."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from clearprop.errors import UsageError, listed, shortened


@dataclass(frozen=True)
class Wish:
    """All that is wished at a time.

    Parameters
    ----------
    is_paused : bool
    steps, stops : int
        How often a single step, and an end, were asked for so far.
    rate : float or None
        The learning rate that was set, if one was.
    """

    is_paused: bool = False
    steps: int = 0
    stops: int = 0
    rate: float | None = None


_ACTIONS: dict[str, Callable[[Wish, Any], Wish]] = {
    "pause": lambda wish, _: replace(wish, is_paused=True),
    "go on": lambda wish, _: replace(wish, is_paused=False),
    "step": lambda wish, _: replace(wish, is_paused=True, steps=wish.steps + 1),
    "stop": lambda wish, _: replace(wish, is_paused=False, stops=wish.stops + 1),
    "rate": lambda wish, value: replace(wish, rate=_rate(value)),
}


class Controls:
    """The place where wishes are put, and where a paused training waits for another one.

    Attributes
    ----------
    wish : Wish
        The present one, replaced as a whole: a training looks at it without waiting for anybody.
    """

    def __init__(self) -> None:
        self.wish = Wish()
        self._changed = threading.Condition()

    def ask(self, action: object, value: object = None) -> None:
        """Ask for something.

        Parameters
        ----------
        action : {"pause", "go on", "step", "stop", "rate"}
        value : float, optional
            The learning rate, of "rate" alone.

        Raises
        ------
        UsageError
            If there is no such action, or the value is no such number.
        """
        change = _ACTIONS.get(action) if isinstance(action, str) else None
        if change is None:
            raise UsageError(
                f"A training can {listed(map(repr, _ACTIONS))}; found {shortened(action)}."
            )
        if value is not None and action != "rate":
            raise UsageError(f"{action!r} takes no value, found {shortened(value)}.")
        with self._changed:
            self.wish = change(self.wish, value)
            self._changed.notify_all()

    def wait(self, seen: Wish, seconds: float) -> None:
        """Wait for another wish than the one that was seen, so many seconds at most."""
        with self._changed:
            self._changed.wait_for(lambda: self.wish is not seen, seconds)


def _rate(value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= float(str(value)) < math.inf:
        raise UsageError(
            f"A learning rate is a number of at least 0, such as 0.01; found {shortened(value)}."
        )
    return float(str(value))
