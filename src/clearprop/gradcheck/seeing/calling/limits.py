"""A call of watched code that ends: in time, in memory, and quietly."""

import io
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

from clearprop.gradcheck.seeing.running.clock import Watchdog
from clearprop.gradcheck.seeing.running.loops import FOR, Loops
from clearprop.gradcheck.seeing.tape import Tape


def loops_of(namespace: Mapping[str, Any]) -> Loops | None:
    """Return what counts the rounds of the loops of watched code, where they are counted."""
    for value in list(namespace.values()):
        scope = getattr(value, "__globals__", None)
        for one in vars(value).values() if isinstance(value, type) else ():
            scope = scope or getattr(getattr(one, "__func__", one), "__globals__", None)
        built_in = scope.get("__builtins__") if isinstance(scope, dict) else None
        counting = built_in.get(FOR) if isinstance(built_in, dict) else None
        owner = getattr(counting, "__self__", None)
        if isinstance(owner, Loops):
            return owner
    return None


@contextmanager
def limited(tape: Tape, loops: Loops | None, seconds: float, nodes: int) -> Iterator[None]:
    """Let watched code compute for some seconds, and put down some nodes.

    Raises
    ------
    OutOfTime, TapeFull
        If it computes longer, or more.
    """
    most, deadline, depth = tape.most_nodes, 0.0, 0
    tape.most_nodes = len(tape) + nodes
    if loops is not None:
        deadline, depth = loops.deadline, loops.depth
        # Loops that train end before all does.
        loops.deadline, loops.depth = time.monotonic() + 0.75 * seconds, 0
    quiet, watchdog = io.StringIO(), Watchdog()
    try:
        with (
            redirect_stdout(quiet),
            redirect_stderr(quiet),
            watchdog.watching(),
            watchdog.armed_for(seconds),
        ):
            yield
    finally:
        tape.most_nodes = max(most, len(tape))
        if loops is not None:
            loops.deadline, loops.depth = deadline, depth


def attempted(function: Callable[..., Any]) -> tuple[Any, Exception | None]:
    """Return what a function returns, or None and its error.

    Of code that leaves the program where something fails it is what has failed.
    """
    try:
        return function(), None
    except SystemExit as error:
        before = error.__context__
        return None, before if isinstance(before, Exception) else RuntimeError("it leaves")
    except Exception as error:
        return None, error
