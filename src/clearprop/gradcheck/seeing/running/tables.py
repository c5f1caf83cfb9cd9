"""Reading and writing arrays as NumPy does, where files may be missing, and none is written."""

from collections.abc import Callable
from gzip import GzipFile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import plain, watch
from clearprop.gradcheck.seeing.running.guarded import Scratch
from clearprop.gradcheck.seeing.running.libraries import Libraries

_TEXTS = ("loadtxt", "genfromtxt")
_WRITERS = ("save", "savez", "savez_compressed", "savetxt")


class Files:
    """The functions of NumPy that read and write.

    Parameters
    ----------
    scratch : Scratch
        Where files are written.
    libraries : Libraries
        Where it is said what stands in for a missing file.
    """

    def __init__(self, scratch: Scratch, libraries: Libraries) -> None:
        self.scratch, self.libraries = scratch, libraries

    def writers(self) -> dict[str, Callable[..., None]]:
        """Return the functions that write, by their names."""
        return {name: self._saver(getattr(np, name)) for name in _WRITERS}

    def load(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Read as a function of NumPy does, or give something in the place of a missing file."""
        options = {key: plain(one) for key, one in kwargs.items()}
        source = args[0] if args else options.pop("fname", options.pop("file", None))
        rest = plain(args[1:])
        if not isinstance(source, str | bytes) and not hasattr(source, "__fspath__"):
            if name == "fromfile" and isinstance(source, BytesIO | GzipFile):
                return _of_bytes(source.read(), *rest, **options)
            return self._read(name, source, rest, options)
        place = self.scratch.found(source)
        if place is not None:
            return self._read(name, place, rest, options)
        self.libraries.say_missing(source)
        content = self.libraries.data.contents(Path(str(source))) if name == "fromfile" else None
        if content is not None:
            return _of_bytes(content, *rest, **options)
        if name not in _TEXTS:
            return self.libraries.data.array(str(source))
        table = self.libraries.data.table()
        columns = options.get("usecols")
        if columns is not None and np.max(columns) < table.shape[1]:
            table = table[:, columns]
        return table.T if options.get("unpack") else table

    def _read(self, name: str, source: Any, rest: Any, options: dict[str, Any]) -> Any:
        """Read what is there; of rows some, of numbers that stand one after the other all.

        What the program itself has written is read whole: weights may have very many rows.
        """
        value = getattr(np, name)(source, *rest, **options)
        is_own = isinstance(source, Path) and source.is_relative_to(self.scratch.folder)
        return value if name == "fromfile" else self._cut(value, is_own)

    def _saver(self, saves: Callable[..., None]) -> Callable[..., None]:
        def function(file: Any, *args: Any, **kwargs: Any) -> None:
            given = plain(list(args))
            place = file
            if isinstance(file, str) or hasattr(file, "__fspath__"):
                place = self.scratch.place(file)
                self.scratch.made(place.parent)
            saves(place, *given, **{key: plain(one) for key, one in kwargs.items()})

        return function

    def _cut(self, value: Any, is_own: bool) -> Any:
        if isinstance(value, np.lib.npyio.NpzFile):
            return _Arrays(
                {name: watch(self._cut(value[name], is_own), name) for name in value.files}
            )
        return value if is_own else self.libraries.cut_all(value)


def _of_bytes(
    content: bytes, dtype: Any = float, count: int = -1, _: str = "", offset: int = 0
) -> Any:
    """Return what ``numpy.fromfile`` reads of a file that lies in memory alone."""
    kind = np.dtype(dtype)
    left = (len(content) - offset) // kind.itemsize
    return np.frombuffer(content, kind, left if count < 0 else min(count, left), offset).copy()


class _Arrays(dict[str, Any]):
    """What was read from an ``.npz`` file."""

    @property
    def files(self) -> list[str]:
        return list(self)

    def close(self) -> None: ...

    def __enter__(self) -> "_Arrays":
        return self

    def __exit__(self, *error: object) -> None: ...
