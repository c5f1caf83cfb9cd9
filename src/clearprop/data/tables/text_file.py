"""A file of text, however it is packed and encoded, as lines that can be walked again and again."""

import bz2
import codecs
import gzip
import io
import lzma
import re
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from clearprop.core.reading import open_to_read
from clearprop.data.format import DEFLATE_LIMIT, cannot_read
from clearprop.errors import DataError, listed

STDIN = "-"

MOST_PIPED = 2**30
"""Bytes that are taken from standard input at most."""

PACKED = (".gz", ".bz2", ".xz", ".zip")
"""The suffixes of packed files."""

_SAMPLE = 2**18  # bytes or characters that are looked at to find out what a file is
_FEW = 2**12  # bytes that tell what a text is, however many comments it begins with
_MOST_LINES = 200
_LONGEST_LINE = 2**25  # characters: more than 100,000 columns have
_SMALL = 2**26  # bytes that any packed file may hold
_PACKED: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ELSEWHERE = ("gb18030", "big5", "shift_jis", "euc_jp", "euc_kr", "cp1251", "koi8-r", "cp1256")
_NO_TEXT = {
    b"\x28\xb5\x2f\xfd": "is packed by zstd; unpack it with: zstd -d FILE",
    b"7z\xbc\xaf": "is a 7z archive; unpack it with: 7z x FILE",
    b"Rar!": "is a RAR archive; unpack it with: unrar x FILE",
    b"PAR1": "is a Parquet file; give it a name that ends in .parquet",
    b"ARROW1": "is a Feather file; give it a name that ends in .feather",
    b"\x89HDF": "is an HDF5 file; give it a name that ends in .h5",
    b"%PDF": "is a PDF document; save its table as CSV",
    b"\xd0\xcf\x11\xe0": "is an old Excel file; give it a name that ends in .xls",
    b"SQLite format 3": "is an SQLite database; export its table as CSV",
    b"\x89PNG": "is a picture",
    b"\xff\xd8\xff": "is a picture",
}


_OTHER_TEXT = {  # a comment ends with its line, so that there is one way to match it
    r"(?:%[^\n]*\n\s*)*@relation\s": "is an ARFF file of Weka; save it as CSV there",
    r"\+(?:-{2,}\+)+\s*$": "is a table that a database client has drawn; have it write CSV",
    r"(?:(?:--|/\*|set )[^\n]*\n\s*)*(?:insert into|create table|drop table)\s": (
        "holds SQL statements; load them into a database, and export the table as CSV"
    ),
}


@dataclass(frozen=True)
class TextFile:
    """Text in a file, in a packed file, or from standard input.

    Parameters
    ----------
    path : Path
        `STDIN` for standard input.
    encoding : str
    remarks : tuple of str
        What was found out about it that is not as usual.
    piped : bytes, optional
        What came from standard input, which can be read only once.
    """

    path: Path
    encoding: str
    remarks: tuple[str, ...] = ()
    piped: bytes | None = None

    @contextmanager
    def lines(self, skipped: int = 0, comment: str = "") -> "Iterator[Lines]":
        """Give the lines, but for some at the beginning and those that begin with a sign.

        Raises
        ------
        DataError
            If the file can't be read, is damaged, or holds a line that no table has.
        """
        with _reading(self.path), _unpacked(self.path, self.piped) as stream:
            # Errors were looked for when the encoding was chosen.
            text = io.TextIOWrapper(stream, self.encoding, "replace", newline="")
            yield Lines(text, self.path, skipped, comment)

    def first_lines(self) -> list[str]:
        """Return the first lines, without their ends: three at least, if there are as many."""
        found: list[str] = []
        left = _SAMPLE
        with self.lines() as lines:
            for line in lines:
                found.append(line.rstrip("\r\n"))
                left -= len(line)
                if len(found) >= _MOST_LINES or (left < 0 and len(found) > 2):
                    break
        return found


class Lines:
    """The lines of a text, each with its end.

    Attributes
    ----------
    at : int
        The number in the file of the line that was taken last.
    last : str
        That line.
    odd : int
        The number of lines so far that have an underscore, or more than ASCII.
    """

    def __init__(self, text: io.TextIOWrapper, path: Path, skipped: int, comment: str) -> None:
        self._text, self._path, self._skipped, self._comment = text, path, skipped, comment
        self.at, self.last, self.odd = 0, "", 0

    def __iter__(self) -> Iterator[str]:
        readline, skipped, comment = self._text.readline, self._skipped, self._comment
        while line := readline(_LONGEST_LINE):
            self.at += 1
            if len(line) == _LONGEST_LINE:
                raise DataError(
                    f"Line {self.at} of {self._path} has over {_LONGEST_LINE:,} characters; "
                    "expected a table, one row a line."
                )
            if self.at > skipped and not (comment and line.startswith(comment)):
                self.last = line
                self.odd += "_" in line or not line.isascii()
                yield line


def shown(path: Path) -> Path:
    """Return a path as messages name it."""
    return Path("standard input") if str(path) == STDIN else path


def bare_suffix(path: Path) -> str:
    """Return the suffix in small letters of what is packed in a file, or of the file itself."""
    packed = path.suffix.lower() in PACKED
    return (path.with_suffix("") if packed else path).suffix.lower()


def open_text(path: Path, encoding: str | None = None) -> TextFile:
    """Find out how a file is packed and encoded.

    UTF-8, UTF-16 and UTF-32 are recognised by their byte order mark, UTF-8 and UTF-16 without one
    by their bytes; everything else is taken for Windows-1252, or Latin-1 where that has no
    character for a byte.

    Parameters
    ----------
    path : Path
        `STDIN` for standard input. Files of gzip, bzip2 and xz, and ZIP archives with one file in
        them, are unpacked on the way.
    encoding : str, optional
        The encoding that somebody has named.

    Raises
    ------
    DataError
        If it can't be read, is no text, or is not in the encoding that was named.
    """
    piped = _standard_input() if str(path) == STDIN else None
    path = shown(path)
    with _reading(path):
        with _unpacked(path, piped) as stream:
            head = stream.read(_SAMPLE)
        require_text(path, head)
        found = encoding or _encoding_of(head)
        with _unpacked(path, piped) as stream:
            other = _first_other(stream, found)
        remarks = []
        if encoding is not None and other is not None:
            raise DataError(
                f"{path} is not text in {encoding}: {other}. Name its encoding with --encoding, or "
                "leave that out."
            )
        if other is not None:
            found, remark = _eight_bits(path, piped)
            remarks.append(remark)
        elif found not in ("utf-8", "utf-8-sig") and encoding is None:
            remarks.append(f"Its encoding is {found.upper()}.")
    return TextFile(path, found, tuple(remarks), piped)


def _encoding_of(head: bytes) -> str:
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    few = head[:4096]
    for name, nulls in (("utf-16-le", few[1::2]), ("utf-16-be", few[0::2])):
        if len(few) >= 4 and nulls.count(0) > len(nulls) / 2 and few.count(0) <= len(nulls):
            return name
    return "utf-8"


def _first_other(stream: IO[bytes], encoding: str) -> str | None:
    """Say which bytes are none of an encoding; None where all are."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        while block := stream.read(2**20):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeError as error:
        return str(error)
    return None


def _eight_bits(path: Path, piped: bytes | None) -> tuple[str, str]:
    """Choose between the encodings of western Europe, and say so with a word that shows it.

    Raises
    ------
    DataError
        If the text is of another alphabet, whose encoding can't be told from it.
    """
    with _unpacked(path, piped) as stream:
        found = "cp1252" if _first_other(stream, "cp1252") is None else "latin-1"
    with _unpacked(path, piped) as stream:
        few = b"".join(line for line, _ in zip(_beyond_ascii(stream), range(50), strict=False))
    text = few.decode(found, "replace")
    beyond = [letter for letter in text if not letter.isascii()]
    in_runs = sum(len(run) for run in re.findall(r"[^\x00-\x7f]{3,}", text))
    if in_runs > len(beyond) / 4:
        others = ", ".join(
            f"{name} ({word})" for name in _ELSEWHERE if (word := _first_word(few, name))
        )
        raise DataError(
            f"{path} is not in UTF-8, and not in an alphabet of western Europe. Name its encoding "
            f"with --encoding; its first word would be in {others or 'none that is tried here'}."
        )
    return found, (
        f"It is not in UTF-8; read as {found}, in which its first word beyond ASCII is "
        f"{_first_word(few, found)!r}. Another one is named with --encoding."
    )


def _beyond_ascii(stream: IO[bytes]) -> Iterator[bytes]:
    return (line for line in stream if not line.isascii())


def _first_word(data: bytes, encoding: str) -> str:
    """Return the first word that is not ASCII; nothing where the bytes are none of an encoding."""
    try:
        words = re.split(r"[\s,;|\"]+", data.decode(encoding))
    except UnicodeError:
        return ""
    return next((word[:20] for word in words if not word.isascii()), "")


def require_text(path: str | Path, head: bytes) -> None:
    """Refuse what begins as no text; files that people take for tables are called by their kind.

    Raises
    ------
    DataError
    """
    for magic, reason in _NO_TEXT.items():
        if head.startswith(magic):
            raise DataError(f"{path} {reason}.")
    start = head[:200].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<?xml")):
        raise DataError(
            f"{path} is a web page or XML, not a table. Perhaps the download gave a page that "
            "links to the file: get the file itself."
        )
    if start.startswith(b"version https://git-lfs"):
        raise DataError(f"{path} is a pointer of Git LFS. Get the file itself: git lfs pull")
    text = head[:_FEW].decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    for pattern, reason in _OTHER_TEXT.items():
        if re.match(pattern, text, re.IGNORECASE | re.MULTILINE):
            raise DataError(f"{path} {reason}.")
    if b"\0" in head and _encoding_of(head) in ("utf-8", "utf-8-sig"):
        raise DataError(f"{path} is no text: it holds zero bytes. Expected a table as text.")


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn what goes wrong while a file is read into one error."""
    try:
        yield
    except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError) as error:
        raise DataError(f"{path} is damaged: {error}. Get it anew.") from error
    except (gzip.BadGzipFile, OSError) as error:
        if isinstance(error, DataError):
            raise
        if error.errno is None:  # of the bzip2 and gzip readers
            raise DataError(f"{path} is damaged: {error}. Get it anew.") from error
        raise cannot_read(path, error) from error


@contextmanager
def _unpacked(path: Path, piped: bytes | None) -> Iterator[IO[bytes]]:
    """Open a file, and unpack it on the way, if it is packed, up to a bound."""
    with open_to_read(path) if piped is None else io.BytesIO(piped) as file:
        start = file.read(6)
        file.seek(0, io.SEEK_END)
        most = max(_SMALL, file.tell() * DEFLATE_LIMIT)
        file.seek(0)
        if start.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(file) as archive, archive.open(_only_member(archive, path)) as one:
                yield _Bounded(one, most, path)  # type: ignore[misc]
            return
        for magic, opened in _PACKED.items():
            if start.startswith(magic):
                with opened(file, "rb") as unpacked:
                    yield _Bounded(unpacked, most, path)  # type: ignore[misc]
                return
        yield file


def _only_member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    members = [
        info
        for info in archive.infolist()
        if not info.is_dir() and not info.filename.startswith(("__MACOSX", "."))
    ]
    if any(info.filename == "[Content_Types].xml" for info in members):
        raise DataError(f"{path} is an Excel file; give it a name that ends in .xlsx.")
    if len(members) != 1:
        names = listed((info.filename for info in members), 5)
        raise DataError(
            f"{path} holds {len(members)} files{f' ({names})' if names else ''}; expected one "
            "table. Unpack it, and give the path of the file you mean."
        )
    return members[0]


class _Bounded(io.RawIOBase):
    """A stream that ends with an error after so many bytes: a packed file may stand for any."""

    def __init__(self, stream: Any, most: int, path: Path) -> None:
        self.stream, self.left, self.path = stream, most, path

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data: bytes = self.stream.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise DataError(
                f"{self.path} unpacks to more than {DEFLATE_LIMIT} times its size, which no table "
                "does. Unpack it yourself if you trust it."
            )
        return data

    read1 = read

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _standard_input() -> bytes:
    """Return what is piped, up to a bound; what begins as no text is not waited for."""
    if sys.stdin is None:
        raise DataError("There is no standard input to read; it is closed.")
    head = sys.stdin.buffer.read(_SAMPLE)
    require_text("Standard input", head)
    data = head + sys.stdin.buffer.read(MOST_PIPED + 1 - len(head))
    if len(data) > MOST_PIPED:
        raise DataError(
            f"Standard input goes on after {MOST_PIPED // 2**20} MiB. Save it to a file, and give "
            "that."
        )
    return data
