"""The process of a watched program: ``python -m clearprop.studio.program_child REQUEST``.

The file runs twice: first for a moment under the recorder of `check`, which tells the roles of its
arrays, then for real, without it. What is seen goes to standard output, and whatever the program
itself writes there goes to standard error.
"""

import _thread
import json
import linecache
import os
import random
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections import deque
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from clearprop.configuration import Json
from clearprop.gradcheck.learner.running import explain_error
from clearprop.gradcheck.seeing.running.arguments import Asked
from clearprop.gradcheck.seeing.running.guarded import Printed, Scratch, guarded
from clearprop.gradcheck.seeing.running.notes import Notes
from clearprop.gradcheck.seeing.running.statements import Piece, pieces_of
from clearprop.studio.parent import follow
from clearprop.studio.program_looking import Looker
from clearprop.studio.program_messages import Sender, send, written_picture
from clearprop.studio.program_places import Picture, Places, copied
from clearprop.studio.program_roles import Roles, counters_in, roles_in

_RECORDED = 8.0  # seconds of the first run
_TICK = 0.02  # seconds; the looker itself says when it is time
_SIGNAL = getattr(signal, "SIGUSR1", signal.SIGABRT)  # one that means nothing to a program
_MOST_PRINTED = 2**15  # characters that wait to be sent
_EXIT = os._exit  # itself: the program gets one that does not end the process
_OURS = str(Path(__file__).parents[1])


class _Spoken(Printed):
    """What the program prints, until it is sent."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[str] = deque()
        self._length = 0

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._waiting.append(text[:_MOST_PRINTED])
        self._length += len(text)
        while self._length > _MOST_PRINTED and len(self._waiting) > 1:
            self._length -= len(self._waiting.popleft())
        return len(text)

    def taken(self) -> str:
        """Return what was printed since the last time."""
        parts = []
        while self._waiting:
            parts.append(self._waiting.popleft())
        self._length = 0
        return "".join(parts)[-_MOST_PRINTED:]


def main(request: dict[str, Any]) -> None:
    """Run the program that is asked for."""
    follow(lambda: None, lambda: _EXIT(1))
    stream = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    file = Path(request["file"])
    roles, told, alone = _roles(file)
    send(stream, {"kind": "roles", "told": told, "printed": ""})
    files = set[str]()
    notes = Notes(files)
    pieces = list(pieces_of(file, file.name, notes))
    files |= {piece.name for piece in pieces}
    module = ModuleType("__main__")
    module.__dict__["__file__"] = str(file)
    spoken = _Spoken()

    def tell(picture: Picture) -> None:
        try:
            send(stream, *written_picture(picture, spoken.taken()))
        except OSError:
            _EXIT(1)  # nobody watches any more

    def is_own(name: str) -> bool:
        is_near = name.startswith(str(file.parent)) and "site-packages" not in name
        return name in files or is_near

    sender = Sender(tell)
    places = Places(roles, counters_in(piece.tree for piece in pieces), module.__dict__)
    looker = Looker(places, is_own, sender.show)
    sender.start()
    with tempfile.TemporaryDirectory(prefix="clearprop-", ignore_cleanup_errors=True) as name:
        scratch = Scratch(Path(name).resolve(), notes, lambda _: None)
        ended = _run(file, pieces, module, looker, scratch, spoken)
    if alone is not None:
        sender.show(alone)
    sender.finish()
    send(stream, {**ended, "printed": spoken.taken()})


def _run(
    file: Path,
    pieces: list[Piece],
    module: ModuleType,
    looker: Looker,
    scratch: Scratch,
    spoken: _Spoken,
) -> dict[str, Json]:
    """Run all of a program, looked at, and say how it ended."""
    sleep, began = time.sleep, time.perf_counter()
    stop = threading.Event()
    signal.signal(_SIGNAL, lambda _, frame: looker.tick(frame))
    try:
        asked = Asked({piece.name: piece.tree for piece in pieces})
        with guarded(scratch, file, spoken, asked):
            time.sleep = sleep
            random.seed()
            np.random.seed()
            sys.path.insert(0, str(file.parent))
            sys.modules["__main__"] = module
            threading.Thread(target=_tick, args=(stop,), daemon=True).start()
            looker.begin(sys._getframe())
            for piece in pieces:
                _compiled_into(piece, module)
    except SystemExit:
        pass
    except BaseException as error:  # whatever a learner's code raises
        looker.last()
        return {"kind": "failed", "told": _failure(error)}
    finally:
        stop.set()
        signal.signal(_SIGNAL, signal.SIG_IGN)
    looker.last()
    return {"kind": "ended", "seconds": time.perf_counter() - began}


def _compiled_into(piece: Piece, module: ModuleType) -> None:
    whole = "\n".join(piece.lines)
    # So that tracebacks, and whoever asks for the source of a function, find it.
    lines = whole.splitlines(keepends=True)
    linecache.cache[piece.name] = (len(whole), None, lines, piece.name)
    exec(compile(piece.tree, piece.name, "exec", dont_inherit=True), module.__dict__)  # noqa: S102


def _tick(stop: threading.Event) -> None:
    """Ask the interpreter again and again to look, between two steps of the program."""
    while not stop.wait(_TICK):
        _thread.interrupt_main(_SIGNAL)


def _roles(file: Path) -> tuple[Roles, str, Picture | None]:
    """Find the roles, and what is to be said of them.

    Of a file that trains nothing there is a picture of what the check calls.
    """
    try:
        roles, said, shown = roles_in(file, _RECORDED)
    except Exception:  # then all arrays are shown, without roles
        roles, said, shown = Roles(), "", []
    if said:
        picture = Picture(0.0, arrays=[copied(*one) for one in shown])
        return roles, f"It trains nothing when it is run. The check has called {said}.", picture
    everything = "No training was seen in a first short run: every array is shown."
    return roles, "" if roles.are_known else everything, None


def _failure(error: BaseException) -> str:
    """Return the program's own traceback, and what may be behind it."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith((_OURS, "<frozen")):
        frames = frames.tb_next
    lines = "".join(traceback.format_exception(type(error), error, frames)).rstrip()
    return "\n\n".join(part for part in (explain_error(error), lines) if part)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
    sys.stderr.flush()
    _EXIT(0)  # threads that the program has started are not waited for
