"""Who may ask the server for anything: whoever has the token, from this machine, by its own name.

A page elsewhere on the web can make a browser send requests to this machine, and can give this
machine a name of its own (DNS rebinding). Such requests name a foreign Host or Origin, or come
without the token, and are refused before anything looks at what they want.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY = 2**16  # bytes
_MOST_DIGITS = 9  # of the length of a body that is read to its end, though it be refused
_PASSED_BY = 2**20  # bytes that are read of another one, once it is answered
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


def as_text(_: int, sentence: str) -> tuple[str, bytes]:
    """Write the sentence of a refusal as plain text: its media type, and its bytes."""
    return "text/plain; charset=utf-8", sentence.encode()


@dataclass(frozen=True, kw_only=True)
class Access:
    """Who is let in, by which names, and with how much.

    Parameters
    ----------
    token : str or None
        None lets in whoever asks by one of its names.
    names : tuple of str
        Names that it may be asked by at any port, in small letters, beside its own.
    open_paths : tuple of str
        Paths that are answered whoever asks, and by whatever name.
    for_page : bool
        Whether the address with the token leads to a page, for which a cookie holds it.
    largest : int
        The bytes of a body at most.
    streamed : mapping of str to int
        Paths whose bodies the application reads as they come, and the bytes of each at most; of one
        that does not say how many there are it has to count them itself.
    at_once : int, optional
        Requests at most that are answered at a time. None: any number.
    how : str
        How one brings the token.
    renamed : str
        How the server gets another name, if it can.
    written : callable
        Writes a refusal, given its status and its sentence: returns its media type and its bytes.
    """

    token: str | None
    names: tuple[str, ...] = ()
    open_paths: tuple[str, ...] = ()
    for_page: bool = True
    largest: int = LARGEST_BODY
    streamed: Mapping[str, int] = field(default_factory=dict)
    at_once: int | None = None
    how: str = "open the address that was printed when the server started"
    renamed: str = ""
    written: Callable[[int, str], tuple[str, bytes]] = as_text


def new_token() -> str:
    """Draw a token that nobody guesses: 256 bits."""
    return secrets.token_urlsafe(32)


class Guard:
    """Stands before an application, and lets nothing through that may not come in.

    Parameters
    ----------
    app : callable
        The application, as ASGI has it.
    access : Access
    port : int
        The port that it is served at.
    """

    def __init__(self, app: App, *, access: Access, port: int) -> None:
        self.app, self.access, self.port = app, access, port
        ports = ("", f":{port}") if port == 80 else (f":{port}",)  # which clients leave out
        self._hosts = {f"{name}{end}" for name in ("127.0.0.1", "localhost") for end in ports}
        self._origins = {f"http://{host}" for host in self._hosts}
        # A browser sends the cookies of one port to all ports of a host.
        self._cookie = f"clearprop-{port}"
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have it answered."""
        if scope["type"] != "http":
            return  # a websocket, which the server has already refused
        headers = _Headers(scope)
        if headers.may_be_endless():
            last = _Last(receive, send)
            receive, send = last.receive, last.send
        send = _with_headers(send)
        if scope["path"] in self.access.open_paths:
            await self.app(scope, receive, send)
            return
        refused = self._refused(scope, headers)
        if refused is not None:
            await self._refuse(send, *refused)
            return
        if self._brings_token(scope):
            cookie = f"{self._cookie}={self.access.token}; Path=/; HttpOnly; SameSite=Strict"
            into = [(b"location", b"/"), (b"set-cookie", cookie.encode())]
            await _answer(send, 303, *as_text(303, ""), into)
            return
        self._under_way += 1
        try:
            await self._let_in(scope, receive, send)
        finally:
            self._under_way -= 1

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        at_once = self.access.at_once
        if at_once is not None and self._under_way > at_once:
            await self._refuse(send, 503, f"{at_once} requests are under way: ask again later.")
            return
        if scope["path"] in self.access.streamed:
            await self.app(scope, receive, send)
            return
        body = await _body(receive, self.access.largest)
        if body is None:
            await self._refuse(send, *too_large(self.access.largest))
            return
        await self.app(scope, _again(body, receive), send)

    async def _refuse(self, send: Send, status: int, sentence: str) -> None:
        more = {401: (b"www-authenticate", b"Bearer"), 503: (b"retry-after", b"1")}
        headers = [more[status]] if status in more else []
        await _answer(send, status, *self.access.written(status, sentence), headers)

    def _refused(self, scope: Scope, headers: "_Headers") -> "_Refusal | None":
        """Say why a request is refused, with its status; None where it is not."""
        hosts, origins = headers.all(b"host"), headers.all(b"origin")
        host = hosts[0].lower() if len(hosts) == 1 else ""
        is_named = _without_port(host) in self.access.names
        if host not in self._hosts and not is_named:
            return (
                403,
                f"This server is http://127.0.0.1:{self.port}, and answers to no other name"
                f"{self.access.renamed}.",
            )
        own = {f"http://{host}", f"https://{host}"} if is_named else self._origins
        if any(origin.lower() not in own for origin in origins):
            return 403, "A page from elsewhere may not ask this server for anything."
        if not (self._is_known(headers) or self._brings_token(scope)):
            return 401, f"This needs the token: {self.access.how}."
        lengths = headers.all(b"content-length")
        most = self.access.streamed.get(scope["path"], self.access.largest)
        if any(len(one) > 20 or int(one) > most for one in lengths):  # digits
            return too_large(most)
        return None

    def _is_known(self, headers: "_Headers") -> bool:
        """Whether a request has the token as a cookie or as a bearer, if there is one."""
        if self.access.token is None:
            return True
        given = [
            text[len("bearer ") :].strip()
            for text in headers.all(b"authorization")
            if text.lower().startswith("bearer ")
        ]
        for one in "; ".join(headers.all(b"cookie")).split(";"):
            name, _, value = one.partition("=")
            if name.strip() == self._cookie and self.access.for_page:
                given.append(value.strip())
        return any(map(self._is_token, given))

    def _brings_token(self, scope: Scope) -> bool:
        """Whether somebody comes by the address that was printed."""
        is_page = self.access.for_page and scope["path"] == "/"
        if not is_page or scope["method"] not in ("GET", "HEAD"):
            return False
        query = parse_qs(scope["query_string"].decode("latin-1"))
        return any(map(self._is_token, query.get("token", ())))

    def _is_token(self, given: str) -> bool:
        # In a time that says nothing of where the first wrong character stands.
        token = self.access.token
        return token is not None and secrets.compare_digest(given.encode(), token.encode())


_Refusal = tuple[int, str]


def too_large(most: int) -> _Refusal:
    """Return the status and the sentence for a body of more bytes."""
    return 413, f"At most {most:,} bytes are taken."


class _Headers:
    """The headers of a request."""

    def __init__(self, scope: Scope) -> None:
        self._raw: list[tuple[bytes, bytes]] = list(scope["headers"])

    def all(self, name: bytes) -> list[str]:
        """Return the values of all headers of a name."""
        return [value.decode("latin-1") for key, value in self._raw if key.lower() == name]

    def may_be_endless(self) -> bool:
        """Whether a body follows of which nobody says when it ends, or so late as never."""
        lengths = self.all(b"content-length")
        is_long = any(len(one) > _MOST_DIGITS for one in lengths)
        return is_long or bool(self.all(b"transfer-encoding"))


class _Last:
    """A request after whose answer its connection is closed, for its body may have no end.

    Else a server would read what is left of it, and throw it away, for ever. Some of that is read
    all the same: many a client sends all before it looks for an answer.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._is_read = False

    async def receive(self) -> Message:
        """Receive a piece of the body."""
        message = await self._receive()
        self._is_read = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), (b"connection", b"close")]
            message = {**message, "headers": headers}
        elif not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            left = _PASSED_BY
            while left > 0 and not self._is_read:
                left -= len((await self.receive()).get("body", b""))
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = list(message.get("headers", ()))
            named = {name.lower() for name, _ in own}
            more = [(name, value) for name, value in _HEADERS.items() if name not in named]
            message = {**message, "headers": [*own, *more]}
        await send(message)

    return guarded


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host


async def _body(receive: Receive, largest: int) -> bytes | None:
    """Read the body of a request; None where it is too large, which no header has to say."""
    body, is_more = bytearray(), True
    while is_more:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > largest:
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
    send: Send, status: int, kind: str, body: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    own = [(b"content-type", kind.encode()), *headers]
    own.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": own})
    await send({"type": "http.response.body", "body": body})
