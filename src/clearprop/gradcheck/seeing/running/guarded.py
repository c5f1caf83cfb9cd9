"""Nothing written or deleted outside a scratch folder, nothing started, nobody connected to.

Two nets: functions that Python's code uses are replaced by ones that write into the scratch folder
or do nothing, and say so; and what passes them by is refused where the interpreter itself reports
it (``sys.addaudithook``). Compiled code of libraries passes by both.
"""

import argparse
import builtins
import io
import os
import random
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
_READERS = ("gzip", "bz2", "lzma", "codecs", "pathlib", "numpy", "PIL", "imageio", "clearprop")
_GIVEN = "3"  # several hidden units, rounds or samples show more than one
_NUMBERS: dict[Any, Any] = {int: 3, float: 0.1, bool: True}
_PARSE = argparse.ArgumentParser.parse_args  # itself, while another stands in for it
_MAKE = os.mkdir  # itself, while another stands in for it
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


class Arguments(list[str]):
    """The arguments of a program; those that are not there are given."""

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, int) and place >= len(self):
            return _GIVEN
        return super().__getitem__(place)


def parsed(parser: argparse.ArgumentParser, *args: Any, **named: Any) -> Any:
    """Parse arguments as `argparse` does; where some are missing, give all."""
    try:
        return _PARSE(parser, *args, **named)
    except SystemExit:
        actions = [one for one in parser._actions if one.default is not argparse.SUPPRESS]
        return argparse.Namespace(**{one.dest: _value(one) for one in actions})


def _value(action: argparse.Action) -> Any:
    if action.default is not None or not (action.required or not action.option_strings):
        return action.default
    value = next(iter(action.choices), None) if action.choices else None
    if value is None:
        kind: Any = action.type
        value = _NUMBERS.get(kind, action.dest if kind in (None, str) else _GIVEN)
    return [value] if action.nargs in ("+", "*") or isinstance(action.nargs, int) else value


@contextmanager
def guarded(scratch: Scratch, file: Path, printed: Printed) -> Iterator[None]:
    """Let code run that can do no harm; everything is afterwards as before.

    Parameters
    ----------
    scratch : Scratch
        Where it writes.
    file : pathlib.Path
        The file that runs, which is its only argument; it runs in that file's folder.
    printed : Printed
        Where it prints.
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

    replaced: list[tuple[Any, str, Any]] = [
        (builtins, "open", scratch.open),
        (io, "open", scratch.open),
        (os, "mkdir", scratch.made),
        (os, "makedirs", scratch.made),
        (time, "sleep", lambda *_: None),
        (sys, "setrecursionlimit", lambda *_: None),
        (sys, "settrace", lambda *_: None),
        (sys, "argv", Arguments([str(file)])),
        (argparse.ArgumentParser, "parse_args", parsed),
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
            for owner, name, value in replaced:
                setattr(owner, name, value)
            _HOOK.folders.append(scratch.folder)
            yield
    finally:
        if scratch.folder in _HOOK.folders:
            _HOOK.folders.remove(scratch.folder)
        for owner, name, value in before:
            setattr(owner, name, value)
        sys.path[:], sys.meta_path[:] = path, meta_path
        for name in set(sys.modules) - set(modules):
            if getattr(sys.modules[name], "__watched__", False):
                del sys.modules[name]
        with suppress(KeyError):
            sys.modules["__main__"] = modules["__main__"]
        random.setstate(states[0])
        np.random.set_state(states[1])
        os.chdir(folder)
