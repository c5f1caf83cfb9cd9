"""A learner's file checked in a process of its own, for a limited time."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias, get_args

import numpy as np

from clearprop.core.reading import parsed_json, read_bounded
from clearprop.errors import UsageError, nearest_file
from clearprop.gradcheck.learner.layouts import Batch
from clearprop.gradcheck.learner.running import SUFFIXES
from clearprop.gradcheck.report import Verdict

REQUEST = "request.json"
ARRAYS = "data.npz"
ANSWER = "answer.json"
HANGS = "hangs.txt"

Ended: TypeAlias = Literal["checked", "unseen", "failed", "late", "died"]
"""The end of a check: with a report, without a gradient that was seen, without one in a file that
fails somewhere, after its time, or with the process in which the file ran."""

_LARGEST_ANSWER = 2**26  # bytes
_MOST_PRINTED = 2**16  # bytes that are kept of what the file prints
_FRAME = re.compile(r'File "(.*)", line (\d+) in (.*)')
_GRACE = 10  # seconds beyond its own time limit, after which the process is ended from outside


@dataclass(frozen=True)
class FileCheck:
    """The outcome of the check of a learner's file.

    Parameters
    ----------
    printed : str
        The output of the file, of a lot only the beginning.
    text : str
        The report as a person reads it, or why there is none.
    report : mapping or None
        `Report.to_dict`; None where the file could not be checked.
    ended : Ended
    reason : str, default ""
        Where no gradient was seen, what fails in the file, or what is missing there.
    """

    printed: str
    text: str
    report: Mapping[str, Any] | None
    ended: Ended
    reason: str = ""


def require_file(file: Path) -> None:
    """Raise a `UsageError` if there is no such file, or it is no Python."""
    if not file.is_file():
        raise UsageError(f"There is no file {file}.{nearest_file(file)} Check the path.")
    if file.suffix not in SUFFIXES:
        raise UsageError(f"{file} is neither a .py file nor a notebook (.ipynb).")


def check_file(
    file: Path,
    *,
    names: Mapping[str, str],
    sizes: tuple[int, ...] | None = None,
    batch: Batch | None = None,
    timeout: float,
    confined: bool = False,
) -> FileCheck:
    """Run a learner's file in a process of its own, and check its backward pass.

    Parameters
    ----------
    file : pathlib.Path
        A module or a notebook. Everything in it is executed.
    names : mapping of str to str
        The names of its functions, by role: forward, backward, cost; what is not there is looked
        for.
    sizes : tuple of int, optional
        The features of a sample and the units of every layer.
    batch : Batch, optional
        The data; random ones unless given.
    timeout : float
        The seconds that all of it may take.
    confined : bool, default False
        Whether nothing is written where functions are called by their names, either, and memory
        and the files that are written are bounded: for files that nobody has looked into.

    Returns
    -------
    FileCheck
        The outcome, without a report where the file fails, has no such functions, runs longer, or
        its functions can't be called.
    """
    request = {"file": str(file), "names": dict(names), "sizes": sizes, "timeout": timeout}
    request["confined"] = confined
    with tempfile.TemporaryDirectory(prefix="clearprop-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / REQUEST).write_text(json.dumps(request), encoding="utf-8")
        if batch is not None:
            np.savez(folder / ARRAYS, X=batch.X, targets=batch.targets)
        exit_code, printed = _run(folder, timeout)
        try:
            return FileCheck(printed, *_answer(folder / ANSWER))
        except (OSError, LookupError, TypeError, ValueError):
            return _silent(printed, file, folder, exit_code, timeout)


def _answer(path: Path) -> tuple[str, Mapping[str, Any] | None, Ended, str]:
    """Read the child's answer, which the file that it ran may have written in its place."""
    answer = parsed_json(read_bounded(path, _LARGEST_ANSWER))
    text, report, reason = answer["text"], answer["report"], answer["reason"]
    if not isinstance(text, str) or not isinstance(reason, str):
        raise TypeError("text")
    if report is not None:
        known = [row["verdict"] in get_args(Verdict) for row in report["rows"]]
        if not all(known) or not isinstance(report["passed"], bool):
            raise ValueError("report")
    ended = answer["ended"]
    if ended not in get_args(Ended) or (report is None) is (ended == "checked"):
        raise ValueError("ended")
    return text, report, ended, reason


def _run(folder: Path, timeout: float) -> tuple[int | None, str]:
    """Run the child, and return its exit code, None if it had to be ended, and its output."""
    process = subprocess.Popen(  # noqa: S603 - this interpreter, running clearprop
        # -P: what lies in the current folder must not replace what clearprop imports
        [sys.executable, "-P", "-m", "clearprop.gradcheck.learner.child", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={
            **os.environ,
            "MPLBACKEND": "Agg",  # plots open no window
            "PYTHONIOENCODING": "utf-8",
            # What a process that is ended leaves behind goes with this folder.
            **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder)),
        },
        start_new_session=True,
    )
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    output = _Output(process.stdout)
    try:
        output.start()
        exit_code = process.wait(timeout + _GRACE)
    except RuntimeError:  # the system gives no more threads
        process.stdout.close()
        raise
    except subprocess.TimeoutExpired:
        exit_code = None
    finally:
        _end(process)
    output.join(_GRACE)
    return exit_code, output.text


class _Output(threading.Thread):
    """Read all that a process prints, so that it never waits, and keep the beginning."""

    def __init__(self, pipe: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self.pipe = pipe
        self.kept = bytearray()

    def run(self) -> None:
        with self.pipe:
            while chunk := self.pipe.read1():  # type: ignore[attr-defined] # of a buffered pipe
                self.kept += chunk[: _MOST_PRINTED - len(self.kept)]

    @property
    def text(self) -> str:
        """The output as text."""
        return self.kept.decode("utf-8", errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process with everything that it has started."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _silent(
    printed: str, file: Path, folder: Path, exit_code: int | None, timeout: float
) -> FileCheck:
    """Say why the child gave no answer."""
    hangs = folder / HANGS
    frames = (
        _FRAME.findall(hangs.read_text(encoding="utf-8", errors="replace"))
        if hangs.exists()
        else []
    )
    if not frames and exit_code is not None:
        text = (
            f"{file} ended the process that it ran in, with exit code {exit_code}, before it "
            "could be checked."
        )
        return FileCheck(printed, text, None, "died")
    return FileCheck(printed, _why_late(file, frames, timeout), None, "late")


def _why_late(file: Path, frames: list[tuple[str, str, str]], timeout: float) -> str:
    """Say where the child was when its time was over, from its frames, the innermost first."""
    paths = (str(file), str(file.resolve()), file.name)  # what is watched goes by its name
    inside = [frame for frame in frames if frame[0].startswith(paths)]
    if not inside:
        return (
            f"The check of {file} was not done after {timeout:g} s. Give it more time: --timeout "
            "SECONDS, or less data."
        )
    name, line, where = inside[0]  # the innermost
    running = f"{name} was still running after {timeout:g} s, in line {line}"
    if inside[-1][2] == "<module>":
        return (
            f"{running}, before any function was called. What trains or waits belongs under "
            'if __name__ == "__main__":, which a check does not run; or give it more time: '
            "--timeout SECONDS."
        )
    return (
        f"{running}, in {where}. Look for a loop that never ends there, or give it more time: "
        "--timeout SECONDS."
    )
