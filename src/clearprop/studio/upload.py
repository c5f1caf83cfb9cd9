"""A table that comes from the start page: a form with one file, written as it comes.

It goes into a folder of its own within the studio's, under its cleaned name, and in the place of
nothing. Whatever is no such form, no table by its name, or too large leaves nothing behind.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path

from clearprop.data.loading import FORMATS
from clearprop.data.tables.text_file import PACKED
from clearprop.errors import OutputError, UsageError
from clearprop.files.written import make_folder, written_beside

LARGEST = 200_000_000
"""The bytes of an upload at most."""

FOLDER = "uploads"
"""The folder within the studio's that tables come into."""

_TABLES = [one for one in FORMATS if one.has_columns]
SUFFIXES = tuple(dict.fromkeys(suffix for one in _TABLES for suffix in one.suffixes))
"""The ends of names that are tables."""

ACCEPTED = ",".join((*SUFFIXES, *PACKED))
"""The ends of all names that are taken, as a form has them."""

_LONGEST_HEAD, _LONGEST_NAME = 4_096, 80  # bytes of a part's headers, characters of a name
_MOST_ALIKE = 1_000  # names that differ by their number
_BOUNDARY = re.compile(r'multipart/form-data\s*;\s*boundary="?([\w\'()+,./:=?-]{1,70})"?', re.ASCII)
_DISPOSITION = re.compile(
    rb'content-disposition:\s*form-data;\s*name="file";\s*filename="([^"\r\n]*)"', re.IGNORECASE
)
_ODD = re.compile(r"[^\w .()+-]")


class TooLargeError(UsageError):
    """More bytes than are taken."""


async def receive(kind: str, body: AsyncIterator[bytes], folder: Path) -> str:
    """Write the file of a form into a folder's folder of uploads.

    Parameters
    ----------
    kind : str
        The form's content type.
    body : async iterator of bytes
    folder : Path

    Returns
    -------
    str
        The name of the file, from `folder` on.

    Raises
    ------
    TooLargeError
        If there are more bytes than `LARGEST`.
    UsageError
        If it is no such form, or no table by its name.
    OutputError
        If it can't be written.
    """
    found = _BOUNDARY.fullmatch(kind.strip())
    if found is None:
        raise UsageError("This is no form with a file.")
    form = _Form(_bounded(body), b"--" + found[1].encode())
    name = cleaned(await form.file_name())
    uploads = folder / FOLDER
    if uploads.is_symlink():
        raise UsageError(f"{FOLDER} leads elsewhere. Remove the link, so that it can be a folder.")
    target = free_path(make_folder(uploads), name)
    is_ours = False
    try:
        with written_beside(target) as beside:
            with beside.open("wb") as file:
                async for piece in form.content():
                    file.write(piece)
            target.touch(exist_ok=False)  # so that two of one name do not replace each other
            is_ours = True
    except OutputError:
        if is_ours:
            target.unlink(missing_ok=True)
        raise
    return f"{FOLDER}/{target.name}"


async def _bounded(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    size = 0
    async for piece in body:
        size += len(piece)
        if size > LARGEST:
            raise TooLargeError(f"At most {LARGEST:,} bytes are taken.")
        yield piece


class _Form:
    """A form with one file, read as it comes (RFC 7578).

    Parameters
    ----------
    body : async iterator of bytes
    boundary : bytes
        What stands before and after each part.
    """

    def __init__(self, body: AsyncIterator[bytes], boundary: bytes) -> None:
        self._body, self._boundary = body, boundary
        self._waiting = b""

    async def file_name(self) -> str:
        """Read up to the content of the file, and return its name."""
        while b"\r\n\r\n" not in self._waiting and len(self._waiting) < _LONGEST_HEAD:
            if not await self._more():
                break
        head, end, self._waiting = self._waiting.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        found = [name for line in lines if (name := _DISPOSITION.fullmatch(line))]
        if first != self._boundary or not end or len(found) != 1:
            raise UsageError("This is no form with a file.")
        try:
            return found[0][1].decode().replace("%22", '"')  # as browsers write it
        except UnicodeDecodeError as error:
            raise UsageError("The name of the file is no text.") from error

    async def content(self) -> AsyncIterator[bytes]:
        """Give the content of the file, in pieces."""
        mark = b"\r\n" + self._boundary
        while mark not in self._waiting:
            known = len(self._waiting) - len(mark)
            if known > 0:
                yield self._waiting[:known]
                self._waiting = self._waiting[known:]
            if not await self._more():
                raise UsageError("The form ends in the middle of its file.")
        last, _, rest = self._waiting.partition(mark)
        yield last
        self._waiting = rest
        while await self._more():
            if len(self._waiting) > _LONGEST_HEAD:
                break
        if self._waiting.rstrip(b"\r\n") != b"--":
            raise UsageError("Expected one file, found more in the form.")

    async def _more(self) -> bool:
        piece = await anext(self._body, None)
        self._waiting += piece or b""
        return piece is not None


def cleaned(name: str) -> str:
    """Return a name of a file that is one in any folder, and no path.

    Raises
    ------
    UsageError
        If it is none of a table.
    """
    last = _ODD.sub("_", re.split(r"[/\\]", name)[-1]).strip(" .")
    path = Path(last)
    if not any(one.owns(path) for one in _TABLES) or not path.stem.strip(" ._"):
        raise UsageError(
            f"{last or 'A file without a name'} is no table by its name: expected one that ends "
            f"with {', '.join(SUFFIXES)}, or these packed ({', '.join(PACKED)})."
        )
    suffix = "".join(path.suffixes[-2:]) if path.suffix.lower() in PACKED else path.suffix
    return f"{last.removesuffix(suffix)[:_LONGEST_NAME].strip()}{suffix}"


def free_path(folder: Path, name: str) -> Path:
    """Return the path of a name in a folder, with a number where one of that name is there.

    Raises
    ------
    UsageError
        If too many are.
    """
    stem, dot, suffixes = name.partition(".")
    for number in range(1, _MOST_ALIKE):
        path = folder / (name if number == 1 else f"{stem}-{number}{dot}{suffixes}")
        if not path.exists() and not path.is_symlink():
            return path
    raise UsageError(f"There are too many files of the name {name} already.")
