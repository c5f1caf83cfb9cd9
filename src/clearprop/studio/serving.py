"""The servers of pages: of what goes on, and of a studio."""

from typing import TYPE_CHECKING

from clearprop.web.server import PageServer, require_server

if TYPE_CHECKING:
    from clearprop.studio.application import Shown
    from clearprop.studio.children import Children
    from clearprop.studio.desk import Desk


def serve_live(live: "Shown", port: int | None = None) -> PageServer:
    """Serve a run while it trains, and as it was saved; or a program that is watched.

    Raises
    ------
    MissingExtraError
        If what it needs is not installed.
    UsageError
        If the port can't be had.
    """
    require_server()
    from clearprop.studio.application import application

    return PageServer(lambda is_closing: application(live, is_closing), port)


def serve_studio(desk: "Desk", children: "Children", port: int | None = None) -> PageServer:
    """Serve the pages of a studio.

    Raises
    ------
    MissingExtraError
        If what it needs is not installed.
    UsageError
        If the port can't be had.
    """
    require_server()
    from clearprop.studio import upload
    from clearprop.studio.studio import UPLOAD, studio

    return PageServer(lambda _: studio(desk, children), port, {UPLOAD: upload.LARGEST})
