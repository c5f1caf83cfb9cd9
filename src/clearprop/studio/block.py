"""A block of a user's own program that is shown by a page while it runs."""

import _thread
import ast
import atexit
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from clearprop.configuration import Json
from clearprop.errors import UsageError
from clearprop.gradcheck.learner.running import explain_error
from clearprop.gradcheck.seeing.judging.seen_report import SeenReport
from clearprop.gradcheck.seeing.judging.updates import find_updates
from clearprop.gradcheck.seeing.live import Watch
from clearprop.gradcheck.seeing.reaching import is_own
from clearprop.studio.hand_log import HandLog
from clearprop.studio.program_looking import Looker
from clearprop.studio.program_messages import News, Sender, news, written_picture
from clearprop.studio.program_places import Picture, Places
from clearprop.studio.program_roles import Roles, counters_in, roles_of
from clearprop.studio.program_state import ShownProgram
from clearprop.studio.serving import serve_live
from clearprop.web.server import PageServer

_TICK = 0.02  # seconds; the looker itself says when it is time
_RECORDED = 0.5, 1.0, 2.0, 4.0, 8.0  # seconds after which enough may have been recorded
_ENOUGH = 3  # updates of one parameter
_PATIENCE = 10.0  # seconds that the end of a block waits for the roles of its arrays
_SIGNALS = ("SIGUSR1", "SIGUSR2", "SIGABRT")  # that mean nothing to most programs

_SETTLED = 2  # times that arrays are put back within the block
_ASKED_AGAIN = 0.5  # seconds until a block that is still there is asked to end once more
_PASSED_BY = 25  # ticks that find the program within an operation of an array

_WHO = (
    "Whoever has this address can look, and end the block, from this machine alone. The page goes "
    "with the program; wait() after the block keeps it."
)
_ELSEWHERE = (
    "Its variables can be looked at in the main thread alone, and while a signal is free for that: "
    "what is logged by hand is shown, and not checked."
)
_NO_TRAINING = "No training was seen in its first moments: every array is shown."
_NOT_CHECKED = "No training was seen in its first moments, so that no gradient is checked."

_OPEN: list["LiveWatch"] = []
"""Those whose page is served."""


class _StoppedError(BaseException):
    """The block is ended from its page; no ``except Exception`` within it may swallow that."""


class LiveWatch:
    """A block of code that is shown by a page in the browser while it runs.

    Parameters
    ----------
    frame : frame
        Where the block stands.
    objects : tuple
        What is watched beside its variables.
    port : int or None
        The port of the page; a free one where it is None.

    Attributes
    ----------
    address : str
        The address of the page, once the block has begun.
    """

    def __init__(self, frame: FrameType, objects: tuple[Any, ...], port: int | None) -> None:
        self.address = ""
        self._frame: FrameType | None = frame
        self._objects, self._port = objects, port
        self._block = _Block(_name_of(frame))
        self._sender = Sender(self._block.measure)
        self._log = HandLog(self._sender.show)
        self._looker: Looker | None = None
        self._server: PageServer | None = None
        self._watch: Watch | None = None
        self._ticks = _Ticks(self._tick)
        # Nothing here waits for a lock that the block may hold where it is interrupted to be looked
        # at: not even a thread is started then.
        self._judging = threading.Thread(target=self._judge, name="clearprop-judge", daemon=True)
        self._is_recorded, self._are_roles_known = threading.Event(), threading.Event()
        self._due, self._settled, self._passed_by = [*_RECORDED], 0, 0
        self._is_inside = self._is_logged = False
        self._stop_from = 0.0

    # The block.

    def __enter__(self) -> "LiveWatch":
        if self._frame is None or self._server is not None:
            raise UsageError("This watch has watched a block already. Write cp.watch() for each.")
        for one in [one for one in _OPEN if not one._is_inside]:
            one.close()  # the page of an earlier block
        self._server = serve_live(self._block, self._port)
        self.address = self._server.address
        try:
            if self._ticks.can_start:
                self._watch = Watch(self._frame, self._objects).__enter__()
        except BaseException:
            self._server.close()
            raise
        _OPEN.append(self)
        atexit.register(self.close)
        print(f"Live page: {self.address}\n{_WHO}", file=sys.stderr)
        self._began = time.perf_counter()
        self._log = HandLog(self._sender.show)
        self._sender.start()
        self._is_inside = True
        if self._watch is None:
            self._block.judge(_no_verdict(_ELSEWHERE))
            self._block.take(News("roles", told=_ELSEWHERE))
            self._are_roles_known.set()
        else:
            self._judging.start()
            self._ticks.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self._is_inside = False
        self._ticks.stop()
        try:
            if self._looker is not None:
                self._looker.end()
        finally:
            if self._watch is not None:
                self._watch.__exit__(kind, error, trace)
        self._is_recorded.set()
        self._are_roles_known.wait(_PATIENCE)
        if self._looker is not None and not self._is_logged:
            self._looker.last(self._frame)
        with suppress(UsageError):  # which must not hide an error of the block's own
            self._log.finish()
        self._sender.finish()
        self._looker = self._frame = None
        self._block.end(error, time.perf_counter() - self._began)
        threading.Thread(target=self._close_when_asked, daemon=True).start()
        return isinstance(error, _StoppedError)

    def log(
        self,
        *,
        cost: Any = None,
        parameters: Mapping[str, Any] | None = None,
        gradients: Mapping[str, Any] | None = None,
        activations: Mapping[str, Any] | None = None,
    ) -> None:
        """Show arrays of one step, in the place of those that are found: once a step, in the block.

        Most calls cost nothing but the cost's place in a list: ten times a second arrays are
        copied, and of two calls that follow each other is seen what one update changes.

        Parameters
        ----------
        cost : number
        parameters, gradients, activations : mapping of str to array
            Arrays of NumPy, or tensors of PyTorch, by their names. A gradient goes by the name of
            its parameter, or by one such as ``dW1``; those of PyTorch's parameters are found.

        Raises
        ------
        UsageError
            If something is no mapping, or holds what is no array of numbers.
        """
        if not self._is_inside:
            raise UsageError("log() stands within the block: with cp.watch(live=True) as live: ...")
        if not self._is_logged:
            self._is_logged = True
            if self._looker is not None:
                self._looker.end()  # so that no line of what is shown here is followed
            self._block.take(News("roles"))
        self._log.log(cost, parameters, gradients, activations)
        self._stop_if_asked()

    # After it.

    def report(self) -> SeenReport:
        """Return what the check says of the gradients in the first updates.

        Raises
        ------
        UsageError
            If no gradient was seen in them.
        """
        if self._watch is None or not self._is_recorded.is_set():
            raise UsageError(
                "There is no report: nothing was recorded yet. Call report() after the block."
            )
        self._judging.join()
        return self._watch.report()

    def wait(self) -> None:
        """Keep the page until it is closed in the browser, or by Ctrl-C."""
        with suppress(KeyboardInterrupt):
            self._block.wait_closed()
        self.close()

    def close(self) -> None:
        """Close the page; one that is open in the browser keeps its last picture."""
        atexit.unregister(self.close)
        if self in _OPEN:
            _OPEN.remove(self)
        if self._server is not None:
            self._server.close()

    def _close_when_asked(self) -> None:
        self._block.wait_closed()
        self.close()

    # Within it.

    def _tick(self, frame: FrameType) -> None:
        """Look, in the thread of the block, between two of its steps."""
        if not self._is_inside or self._watch is None or not self._holds(frame):
            return
        self._stop_if_asked()
        try:
            if self._looker is not None and not self._is_logged:
                self._looker.tick(frame)
                if self._looker.error is not None:
                    raise self._looker.error
            elif self._settled < _SETTLED and self._is_time_to_settle(self._watch, frame):
                # Again, for what a step that was under way has put where it lay.
                self._watch.settle(frame)
                self._settled += 1
                self._is_recorded.set()
        except Exception as error:  # whatever happens here must not end what is watched
            self._looker = None
            self._block.take(News("roles", told=f"It can't be looked at any more: {error}"))

    def _holds(self, frame: FrameType) -> bool:
        """Whether a frame was called in the block: in a coroutine other code may run meanwhile."""
        each: FrameType | None = frame
        while each is not None and each is not self._frame:
            each = each.f_back
        return each is not None

    def _is_time_to_settle(self, watch: Watch, frame: FrameType) -> bool:
        """Whether the recording may end: it has seen some updates, or all that it can."""
        if self._settled:
            return True
        if not is_own(frame.f_code.co_filename) and self._passed_by < _PASSED_BY:
            self._passed_by += 1  # soon there comes a moment between two operations of an array
            return False
        if watch.is_full:
            return True
        if time.perf_counter() - self._began < self._due[0]:
            return False
        self._due.pop(0)
        lines = Counter(one.result.line for one in find_updates(watch.tape))
        return not self._due or max(lines.values(), default=0) >= _ENOUGH

    def _stop_if_asked(self) -> None:
        now = time.perf_counter()
        if self._block.is_asked_to_stop and now >= self._stop_from:
            # Once more later: what is raised between any two steps may be lost on its way.
            self._stop_from = now + _ASKED_AGAIN
            raise _StoppedError

    def _judge(self) -> None:
        """Find the roles of arrays, and then what is wrong with the gradients."""
        self._is_recorded.wait()
        watch = self._watch
        assert watch is not None  # noqa: S101 - it has recorded
        lived, roles, trees = watch.lived(), Roles(), dict[str, ast.AST]()
        for file, lines in lived.sources.items():
            with suppress(SyntaxError, ValueError):
                trees[file] = ast.parse("\n".join(lines))
        with suppress(Exception):  # then all arrays are shown, without roles
            roles = roles_of(lived.trainings, lived.tape, lived.source, trees)
        frame = self._frame
        if frame is not None:
            places = Places(roles, counters_in(trees.values()), frame.f_globals)
            if not self._is_logged:
                self._block.take(News("roles", told="" if roles.are_known else _NO_TRAINING))
            self._looker = Looker(places, is_own, self._sender.show, frame)
        self._are_roles_known.set()
        try:
            self._block.judge(_verdict(watch.report()))
        except UsageError:
            self._block.judge(_no_verdict(_NOT_CHECKED))
        except Exception as error:
            self._block.judge(_no_verdict(f"The check has failed: {error}"))
        watch.release()


class _Block(ShownProgram):
    """What is shown of a block.

    Attributes
    ----------
    is_asked_to_stop : bool
        Whether its page asks that it be left.
    """

    is_asked_to_stop = False

    def stop(self) -> None:
        """Ask that the block be left; the program goes on behind it."""
        self.is_asked_to_stop = True

    def measure(self, picture: Picture) -> None:
        """Take a picture."""
        self.take(news(*written_picture(picture, "")))

    def end(self, error: BaseException | None, seconds: float) -> None:
        """Say how the block has ended."""
        if isinstance(error, _StoppedError | KeyboardInterrupt):
            self._end("stopped", "")
        elif error is None:
            self.take(News("ended", seconds))
        else:
            lines = "".join(traceback.format_exception(error)).rstrip()
            told = "\n\n".join(part for part in (explain_error(error), lines) if part)
            self.take(News("failed", told=told))
        self._ended.set()


class _Ticks:
    """Asks the main thread again and again to look, between two steps of what runs there.

    Parameters
    ----------
    look : callable
        Takes the frame that runs.
    """

    def __init__(self, look: Callable[[FrameType], None]) -> None:
        self._look = look
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clearprop-ticks", daemon=True)
        signals = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
        free = (one for one in signals if signal.getsignal(one) in (signal.SIG_DFL, signal.SIG_IGN))
        self._signal = next(free, None)
        self._before: Any = None
        self._is_looking = False

    @property
    def can_start(self) -> bool:
        """Whether this is the main thread, and a signal is free that means nothing yet."""
        is_main = threading.current_thread() is threading.main_thread()
        return is_main and self._signal is not None

    def start(self) -> None:
        """Begin to ask."""
        assert self._signal is not None  # noqa: S101 - it can start
        self._before = signal.signal(self._signal, self._handle)
        self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        if self._before is None or self._signal is None:
            return
        self._stop.set()
        self._thread.join()  # and what was asked last is handled before the next line
        signal.signal(self._signal, self._before)

    def _handle(self, _: int, frame: FrameType | None) -> None:
        # A look that is longer than a tick is interrupted by the next, perhaps where it holds a
        # lock that no thread may take twice.
        if frame is None or self._is_looking:
            return
        self._is_looking = True
        try:
            self._look(frame)
        finally:
            self._is_looking = False

    def _run(self) -> None:
        assert self._signal is not None  # noqa: S101 - it has started
        while not self._stop.wait(_TICK):
            _thread.interrupt_main(self._signal)


def _verdict(report: SeenReport) -> dict[str, Json]:
    """Return what a check says, as a page shows it."""
    line: Any = report.line
    rows: list[Json] = [{"parameter": row.parameter, "verdict": row.verdict} for row in report.rows]
    return {"passed": report.passed, "told": str(report), "line": line, "rows": rows}


def _no_verdict(told: str) -> dict[str, Json]:
    return {"passed": None, "told": told, "line": None, "rows": []}


def _name_of(frame: FrameType) -> str:
    """Return what a page calls a block: the file in which it stands."""
    path = Path(frame.f_code.co_filename)
    if path.is_file():
        return path.name
    return "notebook" if "ipykernel" in sys.modules else "block"
