"""The events that a page hears: what changed since it was told last, as server-sent events.

Each page has its own place in what there is. So a slow one misses what lies between and hears of
the latest, and one that was away starts anew from the state.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from clearprop.configuration import Json, finite_json
from clearprop.studio.mailbox import Mailbox, Snapshot, Watched

_TICK = 0.1  # seconds
_ALIVE = 15.0  # seconds after which something is said, so that a page that is gone is noticed
_MOST_ROWS = 2_000  # of one training at a time: a page further behind fetches the state instead


@dataclass
class _Place:
    """What a page knows of one training."""

    rows: int
    latest: Snapshot
    told: dict[str, Json]


class Reader(Protocol):
    """What tells one page what changes."""

    def news(self) -> Iterable[str]:
        """Give the events since the last time."""


@dataclass(eq=False)
class RunReader:
    """What one page is told of a run.

    Parameters
    ----------
    mailbox : Mailbox
    """

    mailbox: Mailbox

    _places: list[_Place] = field(default_factory=list, init=False)
    _saved: bool | None = field(default=None, init=False)

    def news(self) -> Iterator[str]:
        """Give what there is to tell since the last time."""
        saved, trainings = self.mailbox.saved is not None, tuple(self.mailbox.trainings)
        is_behind = any(
            len(one.rows) - place.rows > _MOST_ROWS
            for one, place in zip(trainings, self._places, strict=False)
        )
        if saved is not self._saved or len(trainings) != len(self._places) or is_behind:
            # What happens from here on comes as events, and what was before is in the state.
            self._saved = saved
            self._places = [_Place(len(one.rows), one.latest, {}) for one in trainings]
            yield "event: state\ndata: {}\n\n"
        if saved:
            return
        for number, (one, place) in enumerate(zip(trainings, self._places, strict=True)):
            yield from _of_training(number, one, place)


def _of_training(number: int, one: Watched, place: _Place) -> Iterator[str]:
    latest, told, rows = one.latest, one.told(), one.rows
    for row in rows[place.rows :]:
        place.rows += 1
        yield event("row", number, row)
    if latest is not place.latest:
        place.latest = latest
        yield written("kept", number, latest.text)
    if told != place.told:
        place.told = told
        yield event("told", number, told)


def event(name: str, run: int, data: Mapping[str, Json]) -> str:
    """Write an event of a training; null stands for what is not finite."""
    return written(name, run, json.dumps(finite_json(dict(data)), separators=(",", ":")))


def written(name: str, run: int, text: str) -> str:
    """Write an event whose data are an object of JSON, and put the place of its training first.

    JSON has no line break, so no text in it ends an event.
    """
    return f'event: {name}\ndata: {{"run":{run},{text[1:]}\n\n'


async def stream(reader: Reader, is_closing: Callable[[], bool]) -> AsyncIterator[str]:
    """Give all news of a reader as they come, until the server closes."""
    loop = asyncio.get_running_loop()
    said = loop.time()
    yield "retry: 1000\n\n"
    while not is_closing():
        text = "".join(reader.news())
        if text or loop.time() - said > _ALIVE:
            said = loop.time()
            yield text or ": still here\n\n"
        await asyncio.sleep(_TICK)
    yield "".join(reader.news())  # how it has ended
