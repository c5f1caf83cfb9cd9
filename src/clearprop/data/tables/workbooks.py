"""Excel and OpenDocument workbooks: their first table, read as if it were saved as CSV."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clearprop.core.reading import open_to_read
from clearprop.data.dataset import Dataset
from clearprop.data.format import Samples, cannot_read
from clearprop.data.reading import DEFAULT, Reading, TextForm
from clearprop.data.tables.delimited import source_of
from clearprop.data.tables.dialect import Dialect, cells_of
from clearprop.data.tables.tabular import RowSource, TableFormat
from clearprop.data.tables.text_file import TextFile
from clearprop.errors import DataError, MissingExtraError, UnknownNameError, counted, listed

_PROGRAM = Path(__file__).with_name("first_sheet.py")
_SMALL = 2**26  # bytes that any workbook may unpack to
_PACKED = 100  # times that cells as XML are smaller when they are packed, at most
_MEMORY = 2**30  # bytes that reading any workbook may take
_MEMORY_OF_BYTE = 150  # more for each byte of a workbook: a packed cell takes two at least


class Workbook(TableFormat):
    """Workbooks of spreadsheet programs, of which the first sheet with a table is read."""

    suffixes = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")

    def read(self, path: Path, reading: Reading = DEFAULT) -> Dataset:
        """Read a table, as every format does; an error names the sheets."""
        with _naming_sheets(path):
            return super().read(path, reading)

    def read_inputs(self, path: Path, reading: Reading = DEFAULT) -> Samples:
        """Read the columns alone, as every format does; an error names the sheets."""
        with _naming_sheets(path):
            return super().read_inputs(path, reading)

    def source(self, path: Path, form: TextForm) -> RowSource:
        """Read a sheet; whatever holds of rows of text holds of its rows.

        Raises
        ------
        MissingExtraError
            If python-calamine is not installed.
        DataError
            If the file can't be read, is protected or damaged, or unpacks to what no workbook does.
        """
        try:
            import python_calamine  # noqa: F401 - for the program that reads
        except ImportError as error:
            raise MissingExtraError(
                "python-calamine", "excel", "Reading Excel and OpenDocument files"
            ) from error
        try:
            _require_workbook(path)
            _require_moderate(path)
        except OSError as error:
            raise cannot_read(path, error) from error
        about, text = _first_sheet(path)
        remarks = _chosen(about)
        if about["astray"]:
            remarks.append(
                f"{counted(about['astray'], 'filled row')} far from the table, passed over."
            )
        file = TextFile(path, "utf-8-sig", piped=text)
        rows = tuple(cells_of(file.first_lines(), ","))
        if not rows:
            raise DataError(f"{path} has no filled cell; expected a table.")
        return source_of(file, Dialect(",", 0, "", rows), form, remarks)


def _chosen(about: dict[str, Any]) -> list[str]:
    """Say which sheet is read, where there are several."""
    sheets = about["sheets"]
    if len(sheets) < 2:
        return []
    return [
        f"Sheet {about['sheet']!r} is read, the first with a table of {len(sheets)}: "
        f"{listed(sheets, 8)}. Save another one on its own to read it."
    ]


@contextmanager
def _naming_sheets(path: Path) -> Iterator[None]:
    """Add to an error in a sheet that there are others."""
    try:
        yield
    except (DataError, UnknownNameError) as error:
        try:
            _require_workbook(path)
            _require_moderate(path)
            about, _ = _first_sheet(path)
        except (DataError, OSError):  # none can be read
            raise error from None
        raise type(error)(" ".join([str(error), *_chosen(about)])) from error


def _require_workbook(path: Path) -> None:
    """Refuse text and pages, which many programs write under the name of a workbook."""
    with open_to_read(path) as file:
        head = file.read(2**10)
    if not head:
        raise DataError(f"{path} is empty.")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise DataError(
            f"{path} is a web page or XML, not a workbook. Open it in a spreadsheet program, and "
            "save it as CSV."
        )
    if b"\0" not in head and not head.startswith(b"PK"):
        raise DataError(f"{path} is text, not a workbook; give it a name that ends in .csv.")


def _require_moderate(path: Path) -> None:
    """Refuse an archive that claims to hold more than cells can be packed into."""
    if not zipfile.is_zipfile(path):  # .xls, or damaged, as is told where it is read
        return
    try:
        with zipfile.ZipFile(path) as archive:
            claimed = sum(info.file_size for info in archive.infolist())
    except zipfile.BadZipFile as error:
        raise _damaged(path, str(error)) from error
    size = path.stat().st_size
    if claimed > max(_SMALL, _PACKED * size):
        raise DataError(
            f"{path} unpacks to {claimed:,} bytes, over {_PACKED} times its size, which no "
            "workbook does. Save it as CSV if you trust it."
        )


def _first_sheet(path: Path) -> tuple[dict[str, Any], bytes]:
    """Have a process of its own read a workbook; return what it says of it, and rows as CSV."""
    memory = _MEMORY + _MEMORY_OF_BYTE * path.stat().st_size
    done = subprocess.run(  # noqa: S603 - this interpreter, running a file of ours
        [sys.executable, "-P", str(_PROGRAM), str(path.resolve()), str(memory)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    line, _, text = done.stdout.partition(b"\n")
    about: dict[str, Any] = json.loads(line) if done.returncode == 0 else _ended(done.stderr)
    wrong = about.get("wrong")
    if wrong == "password":
        raise DataError(f"{path} is protected by a password. Save it without one.")
    if wrong == "memory":
        raise DataError(
            f"{path} needs more than {memory:,} bytes of memory, perhaps for cells that lie far "
            "apart. Save the table alone, as CSV."
        )
    if wrong is not None:
        raise _damaged(path, wrong)
    return about, text


def _ended(said: bytes) -> dict[str, Any]:
    """Describe why the process that reads came to an end of its own."""
    return {"wrong": "memory" if b"memory" in said else "it can't be read"}


def _damaged(path: Path, why: str) -> DataError:
    return DataError(f"{path} is no workbook, or damaged: {why[:200]}. Save it anew, or as CSV.")
