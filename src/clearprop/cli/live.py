"""A command that shows its run live: its options, and the page beside it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from clearprop.cli import output
from clearprop.experiment import Task, Trained
from clearprop.studio.by_hand import in_words
from clearprop.studio.children import PAGE, STAYS
from clearprop.studio.live import Live
from clearprop.studio.serving import serve_live
from clearprop.web.server import PageServer

_Command = TypeVar("_Command", bound=Callable[..., Any])


def live_options(command: _Command) -> _Command:
    """Add ``--live`` and ``--port``."""
    command = click.option(
        "--port",
        type=click.IntRange(1, 65535),
        metavar="N",
        help="The port of the live page.  [default: a free one]",
    )(command)
    return click.option(
        "--live",
        "is_live",
        is_flag=True,
        help="Show the training in a browser on this machine as it goes on, and steer it there.",
    )(command)


@dataclass(frozen=True)
class LivePage:
    """The live page of a command's run.

    Parameters
    ----------
    live : Live
    server : PageServer
    """

    live: Live
    server: PageServer

    def stay(self) -> None:
        """Serve the page until it is closed, in the browser or by Ctrl-C, which is no error."""
        output.tell(
            f"{PAGE}{self.server.address}\n{STAYS}Ctrl-C here, or until it is closed there."
        )
        try:
            self.live.wait_closed()
        except KeyboardInterrupt:
            output.note("Closed.")


@contextmanager
def shown_live(
    task: Task, folder: Path, command: str, labels: Sequence[str], port: int | None
) -> Iterator[LivePage]:
    """Serve the page of a run while it trains, and say where.

    Parameters
    ----------
    task : Task
    folder : Path
        The folder of the run.
    command : str
        The command that repeats it.
    labels : sequence of str
        The names of the trainings without a fold.
    port : int or None

    Raises
    ------
    MissingExtraError
        If what it needs is not installed.
    UsageError
        If the port can't be had.
    """
    every = [*labels, "all samples"] if labels else [""]
    live = Live(task, name=folder.name, command=command, labels=every)
    with serve_live(live, port) as server:
        output.tell(
            f"{PAGE}{server.address}\n"
            "Whoever has this address can look and steer, from this machine alone."
        )
        yield LivePage(live, server)


def with_what_was_done_by_hand(trained: Trained, page: LivePage | None) -> Trained:
    """Note in a run what was set by hand while it trained, now or before it was interrupted."""
    optimizer = trained.task.trainer().optimizer
    done = in_words(trained.history.rows, optimizer)
    done += [] if page is None else page.live.watching.notes
    return replace(trained, task=replace(trained.task, how=(*trained.task.how, *done)))
