"""Who may ask the server for anything: whoever has the token, from this machine, by its own name.

A page elsewhere on the web can make a browser send requests to this machine, and can give this
machine a name of its own (DNS rebinding). Such requests name a foreign Host or Origin, or come
without the token, and are refused before anything looks at what they want.
"""

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY = 2**16  # bytes
NO_CONTENT = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_HEADERS = {
    b"cache-control": b"no-store",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"content-security-policy": NO_CONTENT.encode(),  # the page itself has another one
}
"""Headers of every answer that has none of that name."""


def new_token() -> str:
    """Draw a token that nobody guesses: 256 bits."""
    return secrets.token_urlsafe(32)


class Guard:
    """Stands before an application, and lets nothing through that isn't from its own page.

    Parameters
    ----------
    app : callable
        The application, as ASGI has it.
    token : str
    port : int
        The port that it is served at.
    """

    def __init__(self, app: App, *, token: str, port: int) -> None:
        self.app, self._token, self.port = app, token, port
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._origins = {f"http://{host}" for host in self._hosts}
        # A browser sends the cookies of one port to all ports of a host.
        self._cookie = f"clearprop-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have it answered."""
        if scope["type"] != "http":
            return  # a websocket, which the server has already refused
        send = _with_headers(send)
        headers = _Headers(scope)
        refused = self._refused(scope, headers)
        if refused is not None:
            await _answer(send, *refused)
            return
        if self._brings_token(scope):
            cookie = f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict"
            into = [(b"location", b"/"), (b"set-cookie", cookie.encode())]
            await _answer(send, 303, "", into)
            return
        body = await _body(receive)
        if body is None:
            await _answer(send, *_TOO_LARGE)
            return
        await self.app(scope, _again(body, receive), send)

    def _refused(self, scope: Scope, headers: "_Headers") -> "_Refusal | None":
        """Say why a request is refused, with its status; None where it is not."""
        hosts, origins = headers.all(b"host"), headers.all(b"origin")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return (
                403,
                f"This server is http://127.0.0.1:{self.port}, and answers to no other name.",
            )
        if any(origin.lower() not in self._origins for origin in origins):
            return 403, "A page from elsewhere may not ask this server for anything."
        if not (self._is_known(headers) or self._brings_token(scope)):
            return (
                401,
                "This needs the token: open the address that was printed when the server started.",
            )
        lengths = headers.all(b"content-length")
        if any(len(one) > 20 or int(one) > LARGEST_BODY for one in lengths):  # digits, by HTTP
            return _TOO_LARGE
        return None

    def _is_known(self, headers: "_Headers") -> bool:
        """Whether a request has the token as a cookie or as a bearer."""
        given = [
            text[len("bearer ") :].strip()
            for text in headers.all(b"authorization")
            if text.lower().startswith("bearer ")
        ]
        for one in "; ".join(headers.all(b"cookie")).split(";"):
            name, _, value = one.partition("=")
            if name.strip() == self._cookie:
                given.append(value.strip())
        return any(map(self._is_token, given))

    def _brings_token(self, scope: Scope) -> bool:
        """Whether somebody comes by the address that was printed."""
        if scope["path"] != "/" or scope["method"] not in ("GET", "HEAD"):
            return False
        query = parse_qs(scope["query_string"].decode("latin-1"))
        return any(map(self._is_token, query.get("token", ())))

    def _is_token(self, given: str) -> bool:
        # In a time that says nothing of where the first wrong character stands.
        return secrets.compare_digest(given.encode(), self._token.encode())


_Refusal = tuple[int, str]
_TOO_LARGE: _Refusal = 413, f"At most {LARGEST_BODY:,} bytes are taken."


class _Headers:
    """The headers of a request."""

    def __init__(self, scope: Scope) -> None:
        self._raw: list[tuple[bytes, bytes]] = list(scope["headers"])

    def all(self, name: bytes) -> list[str]:
        """Return the values of all headers of a name."""
        return [value.decode("latin-1") for key, value in self._raw if key.lower() == name]


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = list(message.get("headers", ()))
            named = {name.lower() for name, _ in own}
            more = [(name, value) for name, value in _HEADERS.items() if name not in named]
            message = {**message, "headers": [*own, *more]}
        await send(message)

    return guarded


async def _body(receive: Receive) -> bytes | None:
    """Read the body of a request; None where it is too large, which no header has to say."""
    body, is_more = bytearray(), True
    while is_more:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            return None
        is_more = message.get("more_body", False)
    return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read already, and then whatever else there is to receive."""
    is_given = False

    async def given() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return given


async def _answer(
    send: Send, status: int, text: str, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    body = text.encode()
    own = [(b"content-type", b"text/plain; charset=utf-8"), *(headers or ())]
    if status == 401:
        own.append((b"www-authenticate", b"Bearer"))
    own.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": own})
    await send({"type": "http.response.body", "body": body})
