"""The processes that measure: one for each checkout, peer, way and number of threads."""

import json
import os
import select
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.peers import Entry
from clearprop.core.blas import available_cores

ROOT = Path(__file__).parents[1]
_PATIENCE = 180.0  # seconds that one answer may take, compiling included
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")


class PeerError(Exception):
    """A peer failed, or gave no answer in time."""


@dataclass(frozen=True)
class Setting:
    """A way of using a peer.

    Parameters
    ----------
    entry : Entry
    way : str
    threads : int or None
        The number of threads; None leaves it to the peer.
    """

    entry: Entry
    way: str
    threads: int | None

    def in_words(self) -> str:
        """Describe it in a few words."""
        threads = {None: "", 1: "1 thread"}.get(self.threads, f"{self.threads} threads")
        return ", ".join(filter(None, (self.way, threads)))


def settings_of(entry: Entry, threads: int | None = None) -> list[Setting]:
    """Return every way of using a peer: by one thread, and by all the cores there are.

    Parameters
    ----------
    entry : Entry
    threads : int or None
        The number of threads that everybody is to have, clearprop, too.
    """
    counts: tuple[int | None, ...] = (threads,)
    if threads is None and not entry.is_clearprop:
        counts = tuple(sorted({1, available_cores()}))
    return [Setting(entry, way, count) for way in entry.ways for count in counts]


def source_of(root: Path) -> dict[str, str]:
    """Return the environment variable with which Python imports the clearprop of a checkout."""
    places = filter(None, (str(root / "src"), os.environ.get("PYTHONPATH")))
    return {"PYTHONPATH": os.pathsep.join(places)}


class Remote:
    """A process, and the conversation with it.

    Parameters
    ----------
    setting : Setting
    root : Path
        The checkout whose clearprop and whose `bench.worker` it runs.
    """

    def __init__(self, setting: Setting, root: Path = ROOT) -> None:
        self.setting = setting
        environment = {name: text for name, text in os.environ.items() if name not in _THREADS}
        if setting.threads is not None:
            environment |= dict.fromkeys(_THREADS, str(setting.threads))
        environment |= dict(setting.entry.variables) | source_of(root)
        self.process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "bench.worker", setting.entry.place, setting.way],
            cwd=root,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Send a command of `bench.worker.Worker`, and wait for its answer.

        Raises
        ------
        PeerError
            If it failed or took too long; the process is ended in that case.
        """
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None  # noqa: S101 - a pipe, as it was started with
        assert stdout is not None  # noqa: S101 - the same
        try:
            stdin.write(json.dumps([command, arguments]) + "\n")
            stdin.flush()
        except BrokenPipeError as error:
            raise PeerError("its process ended") from error
        ready, _, _ = select.select([stdout], [], [], _PATIENCE)
        line = stdout.readline() if ready else ""
        if not line:
            self.close()
            raise PeerError("its process ended" if ready else f"no answer in {_PATIENCE:g} s")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PeerError(answer["error"])
        return answer

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


class Pool:
    """Processes that are started when first needed, and kept, because importing takes seconds.

    Parameters
    ----------
    root : Path
        The checkout that they run.
    """

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self._remotes: dict[Setting, Remote] = {}

    def __enter__(self) -> "Pool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for remote in self._remotes.values():
            remote.close()

    def new(self, setting: Setting) -> Remote:
        """Return a new process for a setting; end the one before it."""
        if setting in self._remotes:
            self._remotes.pop(setting).close()
        return self.get(setting)

    def get(self, setting: Setting) -> Remote:
        """Return the process for a setting; a new one where the last has ended."""
        remote = self._remotes.get(setting)
        if remote is None or remote.process.poll() is not None:
            remote = self._remotes[setting] = Remote(setting, self.root)
        return remote
