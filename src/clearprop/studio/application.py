"""The application: a page, what it shows, its events, and what it may ask for: nothing else.

It is one for a training and for a program that is watched. No path of a request names a file: what
is shown lies in memory.
"""

import json
from collections.abc import Callable, Mapping
from typing import Protocol

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from clearprop.configuration import Json
from clearprop.core.reading import parsed_json
from clearprop.errors import UsageError, shortened
from clearprop.page import language_of_system, pack, policy
from clearprop.studio.events import Reader, stream
from clearprop.studio.live import TooEarlyError

_MOST_PAGES = 32  # that hear events at a time


class Shown(Protocol):
    """Something that goes on, and is shown by a page.

    Attributes
    ----------
    name : str
    """

    name: str

    def page(self) -> dict[str, Json]:
        """Return the data that the page comes with: it asks for all else."""

    def to_json(self) -> Mapping[str, Json]:
        """Return all that there is to see."""

    def reader(self) -> Reader:
        """Return what tells one page what changes."""

    def ask(self, action: object, value: object = None) -> None:
        """Ask for something.

        Raises
        ------
        TooEarlyError
            If it has no meaning now.
        UsageError
            If there is no such thing to ask for.
        """


def application(shown: Shown, is_closing: Callable[[], bool]) -> Starlette:
    """Make the application of something that goes on.

    Parameters
    ----------
    shown : Shown
    is_closing : callable
        Returns whether events are to end, as the server does.
    """
    answers = _Answers(shown, is_closing)
    app = Starlette(
        routes=[
            Route("/", answers.page),
            Route("/state", answers.state),
            Route("/events", answers.events),
            Route("/control", answers.control, methods=["POST"]),
        ],
        exception_handlers={HTTPException: as_sentence},
    )
    app.router.redirect_slashes = False
    return app


class _Answers:
    """One method a route."""

    def __init__(self, shown: Shown, is_closing: Callable[[], bool]) -> None:
        self.shown, self.is_closing = shown, is_closing
        language = language_of_system()
        self._page = pack(shown.page(), title=shown.name, language=language, live=True)
        self._policy = f"{policy(live=True)}; frame-ancestors 'none'"
        self._hearing: set[_Events] = set()

    async def page(self, request: Request) -> Response:
        """Answer with the page, which asks for all else."""
        headers = {"Content-Security-Policy": self._policy}
        return Response(self._page, media_type="text/html", headers=headers)

    async def state(self, request: Request) -> Response:
        """Answer with all that there is to see, which may take some time to write out."""
        return await run_in_threadpool(self._state)

    def _state(self) -> Response:
        text = json.dumps(self.shown.to_json(), separators=(",", ":"), allow_nan=False)
        return Response(text, media_type="application/json")

    async def events(self, request: Request) -> Response:
        """Tell what happens, until the page goes."""
        if len(self._hearing) >= _MOST_PAGES:
            raise HTTPException(503, f"{_MOST_PAGES} pages hear of this already: close some.")
        return _Events(self.shown.reader(), self.is_closing, self._hearing)

    async def control(self, request: Request) -> Response:
        """Take what is asked for."""
        kind = request.headers.get("content-type", "")
        if kind.partition(";")[0].strip().lower() != "application/json":
            raise HTTPException(415, f"Expected application/json, found {shortened(kind)}.")
        try:
            asked = parsed_json(await request.body(), is_strict=True)
            if not isinstance(asked, dict) or not {"do"} <= asked.keys() <= {"do", "value"}:
                raise ValueError(f"found {shortened(asked)}")
        except ValueError as error:
            expected = 'Expected an object such as {"do": "rate", "value": 0.01}'
            raise HTTPException(400, f"{expected}: {error}.") from error
        try:
            self.shown.ask(asked["do"], asked.get("value"))
        except TooEarlyError as error:
            raise HTTPException(409, str(error)) from error
        except UsageError as error:
            raise HTTPException(400, str(error)) from error
        return Response(status_code=204)


class _Events(StreamingResponse):
    """Events for one page, which is counted as long as it hears them."""

    media_type = "text/event-stream"

    def __init__(
        self, reader: Reader, is_closing: Callable[[], bool], hearing: "set[_Events]"
    ) -> None:
        super().__init__(stream(reader, is_closing))
        self._hearing = hearing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._hearing.add(self)
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._hearing.discard(self)


async def as_sentence(_: Request, error: Exception) -> Response:
    """Answer with a sentence; those of HTTP itself are said by their names."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for these alone
    return PlainTextResponse(error.detail, error.status_code, error.headers)
