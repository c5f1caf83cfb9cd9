"""Nothing written or deleted outside a scratch folder, nothing started, nobody connected to.

Two nets: functions that Python's code uses are replaced by ones that write into the scratch folder
or do nothing, and say so; and what passes them by is refused where the interpreter itself reports
it (``sys.addaudithook``). Compiled code of libraries passes by both.
"""

import argparse
import builtins
import collections
import collections.abc
import fractions
import glob
import inspect
import io
import math
import os
import random
import re
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.running.arguments import Arguments, Asked
from clearprop.gradcheck.seeing.running.notes import Notes

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PATHS = {  # events, and how many of their arguments are paths
    "os.remove": 1,
    "os.rmdir": 1,
    "os.mkdir": 1,
    "os.truncate": 1,
    "os.chmod": 1,
    "os.chown": 1,
    "os.utime": 1,
    "os.rename": 2,
    "os.link": 2,
    "os.symlink": 2,
    "os.setxattr": 1,
    "os.removexattr": 1,
    "sqlite3.connect": 1,
    "dbm.open": 1,
}
_REFUSED = (
    *("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn"),
    *("os.spawn", "os.startfile", "os.kill", "os.killpg", "pty.spawn", "signal.pthread_kill"),
    *("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname"),
    *("socket.sendto", "socket.sendmsg", "urllib.Request", "webbrowser.open"),
)
_DELETING = ("remove", "unlink", "rmdir", "removedirs", "rename", "renames", "replace")
_CHANGING = ("chmod", "chown", "link", "symlink", "truncate", "utime", "mkfifo", "mknod")
_STARTING = ("system", "popen", "kill", "killpg", "startfile", "nice")
_ENDING = ("_exit", "abort", "fork", "forkpty", "posix_spawn", "execv", "execve", "execvp")
_LOST: tuple[tuple[Any, str, Any], ...] = (
    (time, "clock", time.perf_counter),
    (inspect, "getargspec", inspect.getfullargspec),
    (fractions, "gcd", math.gcd),
    *((collections, name, getattr(collections.abc, name)) for name in collections.abc.__all__),
)
"""What Python had once."""

_READERS = ("gzip", "bz2", "lzma", "codecs", "pathlib", "numpy", "PIL", "imageio", "clearprop")
_MAKE, _GLOB = os.mkdir, glob.iglob  # themselves, while others stand in for them
_LISTED = 3  # files whose names match a pattern, where there are none
_COPIED = 2**26  # bytes of a file that is copied because something is appended to it
_POINTER = b"version https://git-lfs."  # how a file begins that Git keeps elsewhere
_HOLLOW = 1000  # bytes that such a file has at most


class _Hook:
    """The hook that the interpreter asks; it stays for good, so that it is told when to listen."""

    def __init__(self) -> None:
        self.folders: list[Path] = []
        self.installed = False

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.folders:
            return
        if event == "open":
            path, _, flags = args
            if isinstance(flags, int) and flags & _WRITING:
                self._require_inside(event, path)
        elif event in _PATHS:
            for path in args[: _PATHS[event]]:
                self._require_inside(event, path)
        elif event in _REFUSED:
            raise PermissionError(f"{event} is refused to code that is checked")

    def _require_inside(self, event: str, path: Any) -> None:
        if isinstance(path, int) or path in (os.devnull, ":memory:"):
            return
        try:
            whole = Path(os.path.realpath(os.fsdecode(path)))
        except TypeError:
            raise PermissionError(f"{event} is refused to code that is checked") from None
        if not any(whole.is_relative_to(folder) for folder in self.folders):
            raise PermissionError(f"{event} of {whole} is refused to code that is checked")


_HOOK = _Hook()


class Printed(io.StringIO):
    """What is printed: of a lot only the beginning.

    Parameters
    ----------
    most : int
        The number of characters that are kept.
    """

    def __init__(self, most: int = 8192) -> None:
        super().__init__()
        self.most, self.length = most, 0

    @property
    def is_full(self) -> bool:
        """Whether nothing more is kept."""
        return self.length >= self.most

    def write(self, text: str) -> int:
        """Keep a text, as far as there is room for it."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        kept = text[: self.most - self.length]
        self.length += len(kept)
        super().write(kept)
        return len(text)


class Scratch:
    """The folder in which files of watched code are written.

    Parameters
    ----------
    folder : pathlib.Path
    notes : Notes
    missing : callable
        A function of the path of a file that is not there, which gives the bytes that
        stand in for it, or None.
    """

    def __init__(self, folder: Path, notes: Notes, missing: Callable[[Path], bytes | None]) -> None:
        self.folder, self.notes, self.missing = folder, notes, missing
        self.real_open = io.open
        self.importing = 0  # of libraries, which look for files of their own

    def place(self, path: Any) -> Path:
        """Return where a file is written that is to be written at a path."""
        whole = Path(os.path.realpath(os.fsdecode(path)))
        if whole.is_relative_to(self.folder):
            return whole
        return self.folder / "files" / whole.relative_to(whole.anchor)

    def found(self, path: Any) -> Path | None:
        """Return where a file is to be read from; None where it is not there."""
        written = self.place(path)
        if written.exists():
            return written
        whole = Path(os.fsdecode(path))
        return whole if whole.exists() and not self._is_hollow(whole) else None

    def _is_hollow(self, path: Path) -> bool:
        """Whether a file holds nothing, or only where its content is kept, as Git LFS has it."""
        if not path.is_file() or path.stat().st_size > _HOLLOW:
            return False
        with self.real_open(path, "rb") as file:
            beginning = file.read(len(_POINTER))
        return beginning in (b"", _POINTER)

    def open(self, file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        """Open a file as ``open`` does; what is written goes to the scratch folder."""
        if isinstance(file, int) or self.importing or self.notes.watched_frame() is None:
            return self.real_open(file, mode, *args, **kwargs)
        try:
            os.fsdecode(file)
        except TypeError:
            return self.real_open(file, mode, *args, **kwargs)
        if set(mode) & set("wax+"):
            place = self.place(file)
            _make_all(place.parent)
            whole = Path(os.fsdecode(file))
            if not set(mode) & set("wx") and not place.exists() and whole.is_file():
                if whole.stat().st_size > _COPIED:
                    raise PermissionError(f"{file} is too large to be copied")
                shutil.copyfile(whole, place)
            if place != whole:
                self.notes.say(f"{whole.name} was written to a scratch folder.", once=str(whole))
            return self.real_open(place, mode, *args, **kwargs)
        found = self.found(file)
        if found is None and self._asked_by_watched():
            data = self.missing(Path(os.fsdecode(file)))
            if data is not None:
                return _opened(data, mode, *args, **kwargs)
        return self.real_open(found or file, mode, *args, **kwargs)

    def _asked_by_watched(self) -> bool:
        """Whether watched code opens a file, by itself or through what only reads for it."""
        frame = sys._getframe(2)
        while frame is not None and frame.f_code.co_filename not in self.notes.files:
            if frame.f_globals.get("__name__", "").split(".")[0] not in _READERS:
                return False
            frame = frame.f_back  # type: ignore[assignment]
        return frame is not None

    def matching(self, pattern: Any, *args: Any, **named: Any) -> list[str]:
        """Return the files whose names match a pattern; where there are none, names that could."""
        found = list(_GLOB(pattern, *args, **named))
        parts = re.match(r"(.*)\*(\.\w+)$", str(pattern))
        if found or parts is None or self.importing or not self._asked_by_watched():
            return found
        start = parts[1].replace("**/", "").replace("*", "1")
        names = [f"{start}{number}{parts[2]}" for number in range(1, 1 + _LISTED)]
        return [] if self.missing(Path(names[0])) is None else names

    def made(self, path: Any, *_: Any, **options: Any) -> None:
        """Make a folder, in the scratch folder."""
        _make_all(self.place(path))


def _make_all(folder: Path) -> None:
    for each in reversed((folder, *folder.parents)):
        if not each.exists():
            _MAKE(each)


def _opened(data: bytes, mode: str, *_: Any, **options: Any) -> Any:
    stream = io.BytesIO(data)
    if "b" in mode:
        return stream
    return io.TextIOWrapper(stream, encoding="utf-8", newline=options.get("newline"))


@contextmanager
def guarded(scratch: Scratch, file: Path, printed: Printed, asked: Asked) -> Iterator[None]:
    """Let code run that can do no harm; everything is afterwards as before.

    Parameters
    ----------
    scratch : Scratch
        Where it writes.
    file : pathlib.Path
        The file that runs, which is its only argument; it runs in that file's folder.
    printed : Printed
        Where it prints.
    asked : Asked
        What it asks for on its command line.
    """
    say = scratch.notes.say

    def refused(name: str) -> Callable[..., Any]:
        def function(*_: Any, **__: Any) -> int:
            say(f"{name} was not done.", once=f"refused {name}")
            return 0

        return function

    def ends(name: str) -> Callable[..., Any]:
        def function(*_: Any, **__: Any) -> int:
            raise SystemExit(f"{name} was refused")

        return function

    def exists(really: Callable[..., bool]) -> Callable[..., bool]:
        def function(path: Any, *args: Any, **named: Any) -> bool:
            frame = sys._getframe(1)
            file, line = frame.f_code.co_filename, frame.f_lineno
            return really(path, *args, **named) or (
                file in scratch.notes.files and asked.needs(file, line)
            )

        return function

    replaced: list[tuple[Any, str, Any]] = [
        (builtins, "open", scratch.open),
        (io, "open", scratch.open),
        (glob, "glob", scratch.matching),
        (glob, "iglob", lambda *args, **named: iter(scratch.matching(*args, **named))),
        (os, "mkdir", scratch.made),
        (os, "makedirs", scratch.made),
        *((os.path, name, exists(getattr(os.path, name))) for name in ("exists", "isfile")),
        *((Path, name, exists(getattr(Path, name))) for name in ("exists", "is_file")),
        (time, "sleep", lambda *_: None),
        (sys, "setrecursionlimit", lambda *_: None),
        (sys, "settrace", lambda *_: None),
        (sys, "argv", Arguments([str(file)], asked)),
        (
            argparse.ArgumentParser,
            "parse_known_args",
            lambda *args, **named: asked.parsed(*args, **named),
        ),
        (sys, "stdout", printed),
        (sys, "stderr", printed),
        (sys, "stdin", io.StringIO("1\n" * 100)),
        (sys, "dont_write_bytecode", True),
        (tempfile, "tempdir", str(scratch.folder)),
        *((os, name, refused(f"os.{name}")) for name in (*_DELETING, *_CHANGING, *_STARTING)),
        *((os, name, ends(f"os.{name}")) for name in _ENDING),
        *((shutil, name, refused(f"shutil.{name}")) for name in ("rmtree", "move", "chown")),
    ]
    replaced = [one for one in replaced if hasattr(one[0], one[1])]
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in replaced]
    lost = [one for one in _LOST if not hasattr(one[0], one[1])]
    states = random.getstate(), np.random.get_state()
    folder, path, modules = Path.cwd(), list(sys.path), dict(sys.modules)
    meta_path = list(sys.meta_path)
    if not _HOOK.installed:
        sys.addaudithook(_HOOK)
        _HOOK.installed = True
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            os.chdir(file.parent)
            random.seed(1)
            np.random.seed(1)
            for owner, name, value in (*replaced, *lost):
                setattr(owner, name, value)
            _HOOK.folders.append(scratch.folder)
            yield
    finally:
        if scratch.folder in _HOOK.folders:
            _HOOK.folders.remove(scratch.folder)
        for owner, name, value in before:
            setattr(owner, name, value)
        for owner, name, _ in lost:
            delattr(owner, name)
        sys.path[:], sys.meta_path[:] = path, meta_path
        for name in set(sys.modules) - set(modules):
            if getattr(sys.modules[name], "__watched__", False):
                del sys.modules[name]
        with suppress(KeyError):
            sys.modules["__main__"] = modules["__main__"]
        random.setstate(states[0])
        np.random.set_state(states[1])
        os.chdir(folder)
