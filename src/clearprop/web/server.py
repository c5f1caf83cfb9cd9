"""The server: a thread of its own with its own event loop, on this machine alone."""

import errno
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from clearprop.errors import MissingExtraError, UsageError
from clearprop.web.security import App, Guard, new_token

if TYPE_CHECKING:
    import uvicorn

HOST = "127.0.0.1"
"""The loopback address, at which no other machine can ask."""

_WAITING = 64  # connections that are not taken yet
_SECONDS = 5  # for answers that are under way when it closes


def require_server(port: int | None = None) -> None:
    """Check that what it needs is installed, and that a port can be had.

    Raises
    ------
    MissingExtraError, UsageError
        If it is not, or can't.
    """
    for package in ("starlette", "uvicorn"):
        try:
            __import__(package)
        except ImportError as error:
            raise MissingExtraError(package, "live", "The live page") from error
    if port is not None:
        _listening(port).close()


class PageServer:
    """Serves an application, from its making until it is closed.

    Parameters
    ----------
    make : callable
        Makes the application, given a function that says whether answers are to end.
    port : int, optional
        The port; a free one unless given.

    Attributes
    ----------
    port : int
    address : str
        The address that opens the page, with the token.

    Raises
    ------
    UsageError
        If the port can't be had.
    """

    def __init__(self, make: Callable[[Callable[[], bool]], App], port: int | None) -> None:
        self._socket = _listening(port)
        self.port: int = self._socket.getsockname()[1]
        token = new_token()
        self.address = f"http://{HOST}:{self.port}/?token={token}"
        self._closing = threading.Event()
        try:
            app = make(self._closing.is_set)
            self._server = _server(Guard(app, token=token, port=self.port))
        except BaseException:
            self._socket.close()
            raise
        # Connections wait until the thread takes them: nothing here has to wait for it.
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="clearprop-live", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> "PageServer":
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

    def close(self) -> None:
        """End all answers, and the thread."""
        self._closing.set()
        self._server.should_exit = True
        self._thread.join(2 * _SECONDS)


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


def _listening(port: int | None) -> socket.socket:
    """Open the socket."""
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows, where two could have one port
            found.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:  # a port whose last connections are but winding down
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((HOST, port or 0))
        found.listen(_WAITING)
    except OSError as error:
        found.close()
        in_use = error.errno == errno.EADDRINUSE
        why = "is in use, perhaps by another live page" if in_use else f"can't be had: {error}"
        raise UsageError(
            f"Port {port} {why}. Port {_free_port()} is free; without --port a free one is taken."
        ) from error
    return found


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])
