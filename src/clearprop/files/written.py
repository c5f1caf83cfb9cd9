"""Files that are either whole or not there: written beside, flushed to disk, then renamed.

Only regular files are replaced. A symlink stays one, and what it leads to is written; a device, a
pipe, a socket or a folder is left as it is.
"""

import errno
import os
import re
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from clearprop.core.reading import special_kind
from clearprop.errors import OutputError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
BESIDE = ".clearprop-"
"""How files are called while they are written."""

_LONGEST_SUFFIX = 20  # that still makes a name which every file system takes
_OPEN_FILES = re.compile(r"/dev|/proc/\d+/fd")  # folders of /dev/stdout, /dev/fd/1 and the like


@contextmanager
def written_beside(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path in the same folder, and rename it to `path` on success.

    A reader, a crash or a full disk sees the old file or the new one, never a part of it.

    Parameters
    ----------
    path : path-like
        The file to write. Its folder must exist. A file that stands there keeps its permissions
        and its owner; of a symlink, the file that it leads to is written.

    Yields
    ------
    pathlib.Path
        The path to write to. It has the suffix of `path`: some writers choose a format by it.

    Raises
    ------
    OutputError
        If the file can't be written, or what stands there is no regular file. It is untouched then,
        and nothing half-written stays.
    """
    target = Path(path)
    try:
        before = _standing(target)
        target = Path(os.path.realpath(target))
        descriptor, name = tempfile.mkstemp(
            prefix=BESIDE, suffix=target.suffix[:_LONGEST_SUFFIX], dir=target.parent
        )
        os.close(descriptor)
    except OSError as error:
        raise _cannot_write(Path(path), error) from error
    beside = Path(name)
    try:
        yield beside
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        _make_like(beside, before)
        beside.replace(target)
    except OutputError:  # of another file, which is written with this one
        raise
    except OSError as error:
        raise _cannot_write(Path(path), error) from error
    finally:
        with suppress(OSError):  # already renamed, or the folder itself is gone
            beside.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove the half-written files that a killed process left in `folder`."""
    for path in folder.glob(f"{BESIDE}*"):
        with suppress(OSError):  # a folder that somebody called so, or one that can't be changed
            path.unlink()


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` as UTF-8 to `path`, whole or not at all.

    Raises
    ------
    OutputError
        If the file can't be written.
    """
    with written_beside(path) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write bytes to `path`, whole or not at all.

    Raises
    ------
    OutputError
        If the file can't be written.
    """
    with written_beside(path) as beside:
        beside.write_bytes(content)


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Write several files: none of them is touched if one can't be written.

    Raises
    ------
    OutputError
        If one can't be written.
    """
    with ExitStack() as stack:  # all lie beside before the first one is renamed
        for path, content in contents.items():
            stack.enter_context(written_beside(path)).write_bytes(content)


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


def _standing(target: Path) -> os.stat_result | None:
    """Return the state of the regular file at `target`, None for nothing; refuse all else."""
    try:
        found = target.stat()
    except FileNotFoundError:  # or a symlink that leads to nothing yet
        return None
    except ValueError as error:  # a NUL in it
        raise OSError(errno.EINVAL, "no file can have this name") from error
    if _OPEN_FILES.fullmatch(os.path.realpath(target.parent)):
        reason = "it is no file of its own; name one, and print it afterwards: cat FILE"
        raise OSError(errno.EINVAL, reason)
    if (kind := special_kind(found.st_mode)) is not None:
        raise OSError(errno.EINVAL, f"it is {kind}, expected the name of a file")
    if not os.access(target, os.W_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    return found


def _make_like(beside: Path, before: os.stat_result | None) -> None:
    """Give a new file the owner and the permissions of the one that it replaces."""
    if before is None:
        beside.chmod(0o666 & ~_umask())
        return
    if hasattr(os, "chown"):
        with suppress(OSError):  # only root can give a file away
            os.chown(beside, before.st_uid, before.st_gid)
    beside.chmod(stat.S_IMODE(before.st_mode))


def _cannot_write(path: Path, error: OSError) -> OutputError:
    reason = error.strerror or str(error)
    advice = "free some space or choose" if error.errno in _FULL else "choose"
    return OutputError(
        f"{path} can't be written: {reason}. What stands there is as it was; {advice} "
        "another place."
    )


def _umask() -> int:
    # The only way to read it is to set it; mkstemp makes files private, an output file is not.
    mask = os.umask(0)
    os.umask(mask)
    return mask
