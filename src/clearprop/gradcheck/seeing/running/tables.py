"""Reading and writing arrays as NumPy does, where files may be missing, and none is written."""

from collections.abc import Callable
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
        real = getattr(np, name)
        if not isinstance(source, str | bytes) and not hasattr(source, "__fspath__"):
            return self._cut(real(source, *rest, **options))
        place = self.scratch.found(source)
        if place is not None:
            return self._cut(real(place, *rest, **options))
        self.libraries.say_missing(source)
        if name not in _TEXTS:
            return self.libraries.data.array(str(source))
        table = self.libraries.data.table()
        columns = options.get("usecols")
        if columns is not None and np.max(columns) < table.shape[1]:
            table = table[:, columns]
        return table.T if options.get("unpack") else table

    def _saver(self, saves: Callable[..., None]) -> Callable[..., None]:
        def function(file: Any, *args: Any, **kwargs: Any) -> None:
            given = plain(list(args))
            place = file
            if isinstance(file, str) or hasattr(file, "__fspath__"):
                place = self.scratch.place(file)
                self.scratch.made(place.parent)
            saves(place, *given, **{key: plain(one) for key, one in kwargs.items()})

        return function

    def _cut(self, value: Any) -> Any:
        if isinstance(value, np.lib.npyio.NpzFile):
            return _Arrays(
                {name: watch(self.libraries.cut_all(value[name]), name) for name in value.files}
            )
        return self.libraries.cut_all(value)


class _Arrays(dict[str, Any]):
    """What was read from an ``.npz`` file."""

    @property
    def files(self) -> list[str]:
        return list(self)

    def close(self) -> None: ...

    def __enter__(self) -> "_Arrays":
        return self

    def __exit__(self, *error: object) -> None: ...
