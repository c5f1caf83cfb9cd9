"""How fast the workers of a cluster are, and which of them the others wait for."""

from collections import defaultdict, deque
from collections.abc import Mapping

from clearprop.errors import counted

_UPDATES = 50  # the last ones, which are told of
_WORTH_TELLING = 0.05  # the share of the time


class Pace:
    """The last updates: who answered when."""

    def __init__(self) -> None:
        self._updates: deque[tuple[float, int, Mapping[str, float]]] = deque(maxlen=_UPDATES)

    def note(self, began: float, rows: int, answered: Mapping[str, float]) -> None:
        """Note an update.

        Parameters
        ----------
        began : float
            The time at which it was asked for, in seconds.
        rows : int
            The samples that it saw.
        answered : mapping of str to float
            The time at which each worker's last thread had answered, by its address.
        """
        self._updates.append((began, rows, answered))

    def __call__(self) -> str:
        """Say how many workers there are, their rate, and for whom the others wait."""
        if not self._updates:
            return ""
        first, _, _ = self._updates[0]
        _, _, answered = self._updates[-1]
        ended = max(answered.values())
        rate = sum(rows for _, rows, _ in self._updates) / max(ended - first, 1e-9)
        return (
            f"{counted(len(answered), 'worker')}, {rate:,.0f} rows/s{self._waited(ended - first)}"
        )

    def _waited(self, seconds: float) -> str:
        """Say for whom the others have waited, where that is a good part of the time."""
        waited: defaultdict[str, float] = defaultdict(float)
        for _, _, answered in self._updates:
            if len(answered) > 1:
                (_, before), (address, last) = sorted(answered.items(), key=lambda one: one[1])[-2:]
                waited[address] += last - before
        address = max(waited, key=waited.__getitem__, default="")
        if waited[address] <= _WORTH_TELLING * seconds:
            return ""
        return f", waited {waited[address] / seconds:.0%} for {address}"
