"""The application of a watched program: its page, its state, its events, and what ends it."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from clearprop.core.reading import parsed_json
from clearprop.page import language_of_system, pack, policy
from clearprop.studio.application import as_sentence
from clearprop.studio.events import stream
from clearprop.studio.programs import Listener, Program

_MOST_PAGES = 16  # that hear events at a time


def program_application(program: Program, is_closing: Callable[[], bool]) -> Starlette:
    """Make the application of a watched program.

    Parameters
    ----------
    program : Program
    is_closing : callable
        Returns whether events are to end, as the server does.
    """
    page = pack(program.page(), title=program.name, language=language_of_system(), live=True)
    headers = {"Content-Security-Policy": f"{policy(live=True)}; frame-ancestors 'none'"}
    hearing: set[_Events] = set()

    async def show(_: Request) -> Response:
        return Response(page, media_type="text/html", headers=headers)

    async def state(_: Request) -> Response:
        text = await run_in_threadpool(
            lambda: json.dumps(program.to_json(), separators=(",", ":"), allow_nan=False)
        )
        return Response(text, media_type="application/json")

    async def events(_: Request) -> Response:
        if len(hearing) >= _MOST_PAGES:
            raise HTTPException(503, f"{_MOST_PAGES} pages watch already: close some.")
        listener: Any = Listener(program)  # a reader of another mailbox
        return _Events(stream(listener, is_closing), hearing)

    async def control(request: Request) -> Response:
        expected = 'Expected {"do": "stop"} or {"do": "close"}.'
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise HTTPException(415, expected)
        try:
            asked = parsed_json(await request.body())
        except ValueError as error:
            raise HTTPException(400, expected) from error
        if asked == {"do": "stop"}:
            program.stop()
        elif asked == {"do": "close"}:
            program.ask_to_close()
        else:
            raise HTTPException(400, expected)
        return Response(status_code=204)

    app = Starlette(
        routes=[
            Route("/", show),
            Route("/state", state),
            Route("/events", events),
            Route("/control", control, methods=["POST"]),
        ],
        exception_handlers={HTTPException: as_sentence},
    )
    app.router.redirect_slashes = False
    return app


class _Events(StreamingResponse):
    """Events for one page, which is counted as long as it hears them."""

    media_type = "text/event-stream"

    def __init__(self, told: AsyncIterator[str], hearing: "set[_Events]") -> None:
        super().__init__(told)
        self._hearing = hearing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._hearing.add(self)
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._hearing.discard(self)
