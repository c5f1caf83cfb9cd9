"""Changed workbooks: their bytes, the XML within, and cells that claim to lie anywhere."""

import io
import re
import zipfile
from collections.abc import Iterator
from functools import cache
from random import Random

import openpyxl
from mutations import ODD_TEXTS, changed_bytes

_PLACES = (b"A0", b"A1048576", b"XFD1048576", b"ZZZZZZ9", b"A99999999999", b"1", b"", b"B2:C3")
_NUMBERS = (b"-1", b"0", b"99", b"1048577", b"4294967296", b"9" * 30, b"1e999", b"nan", b"x")


def files(random: Random) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of files, without end."""
    while True:
        content = _workbook()
        if random.random() < 0.3:
            yield (
                random.choice(("table.xlsx", "table.xls", "table.ods")),
                changed_bytes(content, random),
            )
        else:
            yield "table.xlsx", _with_another_member(content, random)


def _with_another_member(content: bytes, random: Random) -> bytes:
    """Change one file of the archive, and pack them again."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        chosen = random.choice([name for name in old.namelist() if not name.startswith("docProps")])
        for name in old.namelist():
            data = old.read(name)
            if name == chosen:
                change = random.choice((changed_bytes, _odd_attribute, _odd_text))
                data = change(data, random)
            new.writestr(name, data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _odd_attribute(data: bytes, random: Random) -> bytes:
    """Put a place or number that nothing has into an attribute."""
    found = list(re.finditer(rb'="([^"]*)"', data))
    if not found:
        return data
    one = random.choice(found)
    return data[: one.start(1)] + random.choice(_PLACES + _NUMBERS) + data[one.end(1) :]


def _odd_text(data: bytes, random: Random) -> bytes:
    """Put an odd text or number between two tags."""
    found = list(re.finditer(rb">([^<]+)<", data))
    if not found:
        return data
    one = random.choice(found)
    odd = random.choice((*(text.encode("utf-8", "replace") for text in ODD_TEXTS), *_NUMBERS))
    return data[: one.start(1)] + odd + data[one.end(1) :]


@cache
def _workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["x", "colour", "day", "y"])
    for row in range(30):
        day = f"=DATE(2020,1,{row + 1})" if row % 5 == 0 else f"2020-01-{row + 1:02}"
        sheet.append([row * 1.5, ("red", "green")[row % 2], day, row % 3])
    book.create_sheet("notes")["C7"] = "a note"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
