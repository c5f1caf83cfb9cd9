"""Files that are either whole or not there: written beside, flushed to disk, then renamed."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from clearprop.errors import OutputError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BESIDE = ".clearprop-"  # how files are called while they are written


@contextmanager
def written_beside(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path in the same folder, and rename it to `path` on success.

    A reader, a crash or a full disk sees the old file or the new one, never a part of it.

    Parameters
    ----------
    path : path-like
        The file to write. Its folder must exist.

    Yields
    ------
    pathlib.Path
        The path to write to. It has the suffix of `path`: some writers choose a format by it.

    Raises
    ------
    OutputError
        If the file can't be written. What stood at `path` before is untouched, and nothing
        half-written stays.
    """
    target = Path(path)
    try:
        descriptor, name = tempfile.mkstemp(
            prefix=f"{_BESIDE}{target.stem}-", suffix=target.suffix, dir=target.parent
        )
        os.close(descriptor)
    except OSError as error:
        raise _cannot_write(target, error) from error
    beside = Path(name)
    try:
        yield beside
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        beside.chmod(0o666 & ~_umask())
        beside.replace(target)
    except OSError as error:
        raise _cannot_write(target, error) from error
    finally:
        with suppress(OSError):  # already renamed, or the folder itself is gone
            beside.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove the half-written files that a killed process left in `folder`."""
    for path in folder.glob(f"{_BESIDE}*"):
        path.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` as UTF-8 to `path`, whole or not at all.

    Raises
    ------
    OutputError
        If the file can't be written.
    """
    with written_beside(path) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Make the folder `path` and its parents where they are missing, and return it.

    Raises
    ------
    OutputError
        If it can't be made, or can't be written to.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{folder} can't be written to. Choose another folder with --out.")
    return folder


def _cannot_write(path: Path, error: OSError) -> OutputError:
    reason = error.strerror or str(error)
    advice = "free some space or choose" if error.errno in _FULL else "choose"
    return OutputError(
        f"{path} can't be written: {reason}. Nothing was changed; {advice} another place."
    )


def _umask() -> int:
    # The only way to read it is to set it; mkstemp makes files private, an output file is not.
    mask = os.umask(0)
    os.umask(mask)
    return mask
