"""The server: a thread of its own with its own event loop."""

import errno
import socket
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from clearprop.errors import MissingExtraError, UsageError
from clearprop.web.security import Access, App, Guard, new_token

if TYPE_CHECKING:
    import uvicorn

HOST = "127.0.0.1"
"""The loopback address, at which no other machine can ask."""

_WAITING = 64  # connections that are not taken yet
_SECONDS = 5  # for answers that are under way when it closes


def require_server(port: int | None = None, purpose: str = "The live page") -> None:
    """Check that what it needs is installed for a purpose, and that a port can be had.

    Raises
    ------
    MissingExtraError, UsageError
        If it is not, or can't.
    """
    for package in ("starlette", "uvicorn"):
        try:
            __import__(package)
        except ImportError as error:
            raise MissingExtraError(package, "live", purpose) from error
    if port is not None:
        _listening(HOST, port).close()


class Server:
    """Serves an application, from its making until it is closed.

    Parameters
    ----------
    make : callable
        Makes the application, given a function that says whether answers are to end.
    port : int, optional
        The port; a free one unless given.
    access : Access
        Who is let in.
    host : str, default "127.0.0.1"
        The IPv4 address that it listens at; other machines reach none that is loopback.

    Attributes
    ----------
    port : int
    address : str

    Raises
    ------
    UsageError
        If the port can't be had.
    """

    def __init__(
        self,
        make: Callable[[Callable[[], bool]], App],
        port: int | None,
        access: Access,
        host: str = HOST,
    ) -> None:
        self._socket = _listening(host, port)
        self.port: int = self._socket.getsockname()[1]
        self.address = f"http://{host}:{self.port}"
        self._closing = threading.Event()
        try:
            app = make(self._closing.is_set)
            self._server = _server(Guard(app, access=access, port=self.port))
        except BaseException:
            self._socket.close()
            raise
        # Connections wait until the thread takes them: nothing here has to wait for it.
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="clearprop-live", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def wait(self) -> None:
        """Wait until it is closed, from another thread or by Ctrl-C."""
        while not self._closing.wait(1.0):  # on Windows, Ctrl-C interrupts no longer wait
            pass

    def end(self) -> None:
        """Let whoever waits go on, to close it."""
        self._closing.set()

    def close(self) -> None:
        """End all answers, and the thread."""
        self._closing.set()
        self._server.should_exit = True
        self._thread.join(2 * _SECONDS)


class PageServer(Server):
    """Serves a page, to whoever has its address.

    Parameters
    ----------
    make : callable
        As of `Server`.
    port : int, optional
        The port; a free one unless given.
    streamed : mapping of str to int, optional
        As of `Access`.

    Attributes
    ----------
    address : str
        The address that opens the page, with the token.
    """

    def __init__(
        self,
        make: Callable[[Callable[[], bool]], App],
        port: int | None,
        streamed: Mapping[str, int] | None = None,
    ) -> None:
        token = new_token()
        super().__init__(make, port, Access(token=token, streamed=streamed or {}))
        self.address = f"{self.address}/?token={token}"


def _server(app: Guard) -> "uvicorn.Server":
    import uvicorn

    return uvicorn.Server(
        uvicorn.Config(
            app,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,  # addresses hold the token
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_SECONDS,
        )
    )


def _listening(host: str, port: int | None) -> socket.socket:
    """Open the socket."""
    # Where it says TCP, asyncio sends small answers at once; else each would take 40 ms.
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows, where two could have one port
            found.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:  # a port whose last connections are but winding down
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port or 0))
        found.listen(_WAITING)
    except OSError as error:
        found.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise UsageError(
                f"This machine has no address {host}. {HOST} is itself, 0.0.0.0 all it has."
            ) from error
        in_use = error.errno == errno.EADDRINUSE
        why = "is in use, perhaps by another server of clearprop" if in_use else "can't be had"
        why += "" if in_use else f": {error.strerror or error}"
        raise UsageError(
            f"Port {port} {why}. Port {_free_port()} is free; without --port a free one is taken."
        ) from error
    return found


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])
