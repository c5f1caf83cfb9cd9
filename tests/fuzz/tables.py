"""Tables as text, packed or not, in which anything may stand."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable, Iterable, Iterator
from random import Random

_ENCODINGS = (
    *("utf-8",) * 12,
    *("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"),
    *("latin-1", "cp1252", "cp1251", "big5", "shift_jis", "cp037", "utf-7"),
)
_ENDS = (*("\n",) * 9, *("\r\n", "\r") * 3, "\n\n", "\n\r", "\x0b", "\x85", "\u2028")
_CELLS = (
    *("", " ", "NA", "N/A", "<NA>", "null", "-", "?", "1", "2.5", "-3", "007", "1e400", "nan"),
    *("inf", "True", "no", "a,b", '"', '""', '"a', 'a"b', "'", "'a'", '"two\nlines"', "\0"),
    *("34,482.64", "1.234.567", "(5)", "$5", "5 %", "1 B", "12 km/h", "٣", "1_000", "0x1f"),
    *("2020-01-01", "31/12/2020", "99/99/99", "2020-02-30T25:61", "0000-00-00", "12:99"),
    *("9" * 400, "9" * 5000, "x" * 70_000, "1" + "0" * 309, "-" * 40, "+" * 3, "e5", "."),
    *("9" * 50_000 + "x", "1" + " " * 50_000 + "2", "2020-01-01 12:00" + " " * 50_000 + "x"),
    *("\x1b]0;title\x07", "\u202egpj.exe", "\ufeff", "\ud800", "\ud800\udc00", "ß" * 40, "名前"),
    *("sep=;", "#", "%", "\t", "\\", "\\N", "=1+1", "${HOME}", "{0}", "%s"),
)
_NAMES = ("table.csv", "table.csv", "table.tsv", "table.txt", "table.data", "table.dat")
_PACKED: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zip": lambda content: _zipped([("table.csv", content)]),
}


def files(random: Random) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of files, without end."""
    before = b"a,b\n1,2\n"
    while True:
        name, content = random.choice(_NAMES), random.choice(_MAKERS)(random)
        if random.random() < 0.15:
            content = _changed(content, before, random)
        if random.random() < 0.2:
            suffix = random.choice([*_PACKED])
            name, content = name + suffix, _PACKED[suffix](content)
            if random.random() < 0.5:
                content = _changed(content, before, random)
        yield name, content
        before = content


def _table(random: Random) -> bytes:
    """Make a table of numbers, words and dates in which some cells are odd."""
    delimiter, end = random.choice(",,,;\t| "), random.choice(_ENDS)
    lines = [["x", "colour", "when", "y"]] * (random.random() < 0.8)
    lines += [
        [f"{row * 1.5}", random.choice(("red", "dark")), f"2020-01-{row % 28 + 1}", "ab"[row % 2]]
        for row in range(random.choice((0, 1, 2, 12, 12, 40, 40, 40, 300)))
    ]  # fmt: skip
    lines = [[*line] for line in lines] or [[""]]
    for _ in range(random.choice((0, 1, 2, 6))):
        line = random.choice(lines)
        line[random.randrange(len(line))] = random.choice(_CELLS)
    for _ in range(random.choice((0, 0, 0, 0, 1, 5))):
        line = random.choice(lines)
        line[:] = random.choice((line[1:] or [""], [*line, "x"], line * 3, [], [delimiter] * 50))
    if random.random() < 0.1:  # one column of odd cells from top to bottom
        odd, place = random.sample(_CELLS, 3), random.randrange(3)
        for line in lines[1:]:
            line[place:] = [random.choice(odd), *line[place + 1 :]]
    text = random.choice(("", "", "", "", "sep=;\n", "# a comment\n", "\n\n", "A title\n\n", "%\n"))
    text += end.join(delimiter.join(line) for line in lines)
    return text.encode(random.choice(_ENCODINGS), "replace")


def _odd_cells(random: Random) -> bytes:
    """Make a table of nothing but odd cells."""
    width = random.choice((1, 2, 3, 8))
    rows = [random.choices(_CELLS, k=width) for _ in range(random.randrange(30))]
    return "\n".join(random.choice(",;\t ").join(row) for row in rows).encode("utf-8", "replace")


def _wide(random: Random) -> bytes:
    count = random.choice((300, 3000))
    header = ",".join(f"c{place}" for place in range(count))
    rows = [",".join(random.choice("01x") for _ in range(count)) for _ in range(4)]
    return "\n".join([header, *rows]).encode()


def _long(random: Random) -> bytes:
    """Make a line or a cell that is far too long, or a quote that goes on to the end."""
    opened = random.choice(("", '"', "'", "#"))
    return b"x,y\n1,a\n" + (opened + random.choice("a,\n\0é") * 200_000 + ",1\nb,2\n").encode()


def _bytes(random: Random) -> bytes:
    letters = random.choice((b"01,\n", b'",;\n\r\t a', b"\xff\xfe\0\n,", bytes(range(256))))
    return bytes(random.choices(letters, k=random.choice((0, 1, 2, 10, 1000))))


def _archive(random: Random) -> bytes:
    """Make an archive of none, of several, of itself or of oddly named members."""
    members = [(random.choice(("a.csv", "../a", "b", "d/")), _table(random)) for _ in range(3)]
    return _zipped({name: (name, data) for name, data in members[: random.randrange(4)]}.values())


def _zipped(members: Iterable[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def _changed(content: bytes, other: bytes, random: Random) -> bytes:
    """Flip bits, cut, repeat, overwrite, or splice with another file: one to four times."""
    for _ in range(random.choice((1, 1, 2, 4))):
        start = random.randrange(len(content) + 1)
        end = start + random.choice((1, 2, 8, 64, 1024))
        piece = random.choice(
            (
                bytes(byte ^ 1 << random.randrange(8) for byte in content[start : start + 1]),
                b"",
                content[start:end] * 2,
                random.randbytes(end - start),
                b"\0" * (end - start),
                random.choice(_CELLS).encode("utf-8", "replace"),
            )
        )
        rest = random.choice((content[end:], content[start:], b"", other[len(other) // 2 :]))
        content = content[:start] + piece + rest
    return content


_MAKERS = (*(_table,) * 12, *(_odd_cells,) * 4, _wide, _long, *(_bytes,) * 2, _archive)
