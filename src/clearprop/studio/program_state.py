"""A program that is watched, as it is shown: what was told of it so far, and what a page hears."""

import json
import re
import threading
from base64 import b64encode
from collections import deque
from collections.abc import Mapping

from clearprop.configuration import Json, finite_json
from clearprop.core.printable import printable
from clearprop.errors import UsageError
from clearprop.studio.program_findings import Remarks
from clearprop.studio.program_messages import News, Seen

_MOST_ROWS = 2_000  # of what was measured; then every other one is forgotten
_MOST_PRINTED = 4_000  # characters of what the program prints last
_MOST_VALUES = 200_000  # of all lists that grow
_LOST = 20  # pictures after which an array that is seen no more is forgotten
_NUMBER = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
_PRINTED_COST = re.compile(
    r"(?:cost|loss|error|mse|co[uû]t|perte|erreur|costo|p[eé]rdida|custo|perda|kosten|verlust)"
    rf"[^\d\n.+-]{{0,40}}{_NUMBER}",
    re.IGNORECASE,
)


class ShownProgram:
    """A program that is watched, as it is shown.

    Parameters
    ----------
    name : str

    Attributes
    ----------
    name : str
    state : {"waiting", "running", "ended", "failed", "stopped", "late"}
    why : str
        What it failed with, or what else is to be said of its end.
    version : int
        The number of changes that there were.
    era : int
        The number of times that all rows were written anew.
    rows : list of dict
        What was measured, picture by picture.
    """

    def __init__(self, name: str) -> None:
        self.name = printable(name, one_line=True)
        self.state, self.why, self.note = "waiting", "", ""
        self.version = self.pictures = self.era = 0
        self.rows: list[dict[str, Json]] = []
        self.lists: dict[str, list[float | None]] = {}
        self.arrays: dict[str, Seen] = {}
        self.counters: dict[str, int] = {}
        self.printed: deque[str] = deque()
        self.verdict: dict[str, Json] | None = None
        self.remarks = Remarks()
        self._last_seen: dict[str, int] = {}
        self._printed_cost: float | None = None
        # A block may be interrupted, to be looked at, where it holds it itself.
        self._lock = threading.RLock()
        self._ended, self._closed = threading.Event(), threading.Event()

    # What is asked of it.

    def stop(self) -> None:
        """End the program, if it runs; the last picture stays."""
        raise NotImplementedError

    def ask(self, action: object, value: object = None) -> None:
        """End the program, or let go those who wait until its page is closed.

        Raises
        ------
        UsageError
            If something else is asked.
        """
        if value is not None or action not in ("stop", "close"):
            raise UsageError('Expected {"do": "stop"} or {"do": "close"}.')
        if action == "stop":
            self.stop()
        else:
            self._closed.set()

    def wait_closed(self) -> None:
        """Wait until somebody closes the page's server."""
        while not self._closed.wait(0.5):  # on Windows, Ctrl-C interrupts no longer wait
            pass

    # What it tells.

    def take(self, news: News) -> None:
        """Take what is told."""
        with self._lock:
            self._take(news)

    def judge(self, verdict: dict[str, Json]) -> None:
        """Take what the check says, as a page shows it."""
        with self._lock:
            self.verdict = verdict
            self.version += 1

    def _end(self, state: str, why: str) -> None:
        """Say that it has ended, unless that was said before."""
        with self._lock:
            if self.state in ("waiting", "running"):
                self.state, self.why = state, why
                self.version += 1
        self._ended.set()

    def _take(self, news: News) -> None:
        if self.state not in ("waiting", "running"):
            return
        self.version += 1
        self._hear(news.printed)
        if news.kind == "roles":
            self.state, self.note = "running", news.told
        elif news.kind == "failed":
            self.state, self.why = "failed", news.told
            self.remarks.settle(self.arrays)
        elif news.kind == "ended":
            self.state = "ended"
            self.remarks.settle(self.arrays)
            if not self.pictures or not self.arrays:
                self.why = "Nothing trained in it: no array was seen. Does it call what it defines?"
        else:
            self._add(news)

    def _hear(self, printed: str) -> None:
        if not printed:
            return
        self.printed.append(printed)
        while sum(map(len, self.printed)) > _MOST_PRINTED and len(self.printed) > 1:
            self.printed.popleft()
        found = _PRINTED_COST.findall(printed)
        if found:
            self._printed_cost = float(found[-1])

    def _add(self, news: News) -> None:
        self.pictures += 1
        for one in news.arrays:
            self.arrays[one.name] = one
            self._last_seen[one.name] = self.pictures
        for name in [one for one in self.arrays if self._last_seen[one] <= self.pictures - _LOST]:
            del self.arrays[name]
        self.counters |= news.counters
        room = _MOST_VALUES - sum(map(len, self.lists.values()))
        for name, first, values in news.lists:
            known = self.lists.setdefault(name, [])
            if first == len(known):
                known += values[:room]
        cost = news.cost if news.cost is not None else self._printed_cost
        row: dict[str, Json] = {"seconds": round(news.seconds, 3), "cost": cost}
        row["ratios"] = dict(news.ratios)
        row["norms"] = {one.name: one.statistics["norm"] for one in news.arrays}
        row["zeros"] = {
            one.name: one.statistics["zeros"] for one in news.arrays if one.role == "activation"
        }
        self.rows.append(row)
        if len(self.rows) > _MOST_ROWS:
            self.rows, self.era = self.rows[::2], self.era + 1
        self.remarks.learn({one.name: one for one in news.arrays}, news.ratios, cost)

    # What is shown.

    def page(self) -> dict[str, Json]:
        """Return the data that the page comes with: it asks for all else."""
        program: dict[str, Json] = {"name": self.name}
        return {"format": 1, "live": {"ended": False}, "runs": [], "program": program}

    def to_json(self) -> dict[str, Json]:
        """Return all that there is to see."""
        return {
            "format": 1,
            "live": {"ended": self._ended.is_set()},
            "runs": [],
            "program": self.told(0, {}) | {"name": self.name},
        }

    def reader(self) -> "Listener":
        """Return what tells one page what changes."""
        return Listener(self)

    def told(self, row: int, lengths: Mapping[str, int]) -> dict[str, Json]:
        """Return what there is to see, of rows and lists only what comes after some places."""
        with self._lock:
            data: dict[str, Json] = {
                "state": self.state,
                "why": self.why,
                "note": self.note,
                "verdict": self.verdict,
                "findings": [one.to_json() for one in self.remarks.now],
                "rows": list(self.rows[row:]),
                "lists": {
                    name: {
                        "first": lengths.get(name, 0),
                        "values": list(values[lengths.get(name, 0) :]),
                    }
                    for name, values in self.lists.items()
                },
                "arrays": [_shown(one) for one in self.arrays.values()],
                "counters": dict(self.counters),
                "printed": "".join(self.printed)[-_MOST_PRINTED:],
            }
        told = finite_json(data)
        assert isinstance(told, dict)  # noqa: S101 - as what was given
        return told


def _shown(one: Seen) -> Json:
    return {
        "name": one.name,
        "role": one.role,
        "of": one.of,
        "shape": list(one.shape),
        "rows": one.rows,
        "columns": one.columns,
        "bad": one.bad,
        **one.statistics,
        "counts": list(one.counts),
        "data": b64encode(one.numbers).decode(),
    }


class Listener:
    """What one page is told of a program.

    Parameters
    ----------
    program : ShownProgram
    """

    def __init__(self, program: ShownProgram) -> None:
        self.program = program
        self._version = self._era = -1
        self._row, self._lengths = 0, dict[str, int]()

    def news(self) -> list[str]:
        """Return the events since the last time; at first, and after a new era, ``state`` alone."""
        program = self.program
        if self._era != program.era:
            with program._lock:
                self._era, self._version = program.era, program.version
                self._row = len(program.rows)
                self._lengths = {name: len(one) for name, one in program.lists.items()}
            return ["event: state\ndata: {}\n\n"]
        if self._version == program.version:
            return []
        self._version = program.version
        told = program.told(self._row, self._lengths)
        rows, lists = told["rows"], told["lists"]
        assert isinstance(rows, list)  # noqa: S101 - for type checkers
        assert isinstance(lists, dict)  # noqa: S101 - for type checkers
        self._row += len(rows)
        for name, one in lists.items():
            assert isinstance(one, dict)  # noqa: S101 - for type checkers
            first, values = one["first"], one["values"]
            assert isinstance(first, int)  # noqa: S101 - for type checkers
            assert isinstance(values, list)  # noqa: S101 - for type checkers
            self._lengths[name] = first + len(values)
        data = json.dumps(told, separators=(",", ":"), allow_nan=False)
        return [f"event: program\ndata: {data}\n\n"]
