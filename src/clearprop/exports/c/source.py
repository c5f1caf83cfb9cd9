"""What a file of C is put together from: constant tables, statements, and the functions called."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from numpy.typing import ArrayLike

from clearprop.exports.c import text as c_text

_BYTES = {"float": 4, "double": 8, "int8_t": 1, "int32_t": 4}


@dataclass
class Source:
    """A file as it is written.

    Parameters
    ----------
    int8 : bool
        Whether weights are whole numbers.

    Attributes
    ----------
    tables : list of str
        Definitions of constants.
    statements : list of str
        The lines of the function that makes logits of a sample.
    needs : set of str
        Names of the functions that are called.
    constants : int
        The bytes of all tables.
    """

    int8: bool
    tables: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    needs: set[str] = field(default_factory=set)
    constants: int = 0
    _taken: set[str] = field(default_factory=set)

    def put(self, text: str) -> None:
        """Add statements."""
        self.statements.extend(f"    {line}" if line else "" for line in text.splitlines())

    def call(self, function: str, needed: str, *arguments: object) -> None:
        """Add a call, broken where it is long; `needed` names the definition."""
        self.needs.add(needed)
        line, lines = f"{function}(", []
        for place, one in enumerate(map(str, arguments)):
            piece = f"{one})" if place == len(arguments) - 1 else f"{one}, "
            if len(line) + len(piece) > c_text.WIDTH - 8:
                lines.append(line.rstrip())
                line = "    "
            line += piece
        self.put("\n".join([*lines, f"{line};"]))

    def floats(self, stem: str, values: ArrayLike, what: str) -> str:
        """Add a table of floats, and return its name."""
        return self.table("float", stem, c_text.singles(values, what))

    def table(self, kind: str, stem: str, entries: Iterable[str]) -> str:
        """Add a table of any kind whose entries are numbers, and return its name."""
        found = list(entries)
        name = self.unique(stem)
        self.tables.append(c_text.table(kind, name, str(len(found)), found))
        self.constants += _BYTES[kind] * len(found)
        return name

    def texts(self, stem: str, texts: Iterable[str]) -> str:
        """Add a table of texts, and return its name."""
        found = list(texts)
        name = self.unique(stem)
        head = f"static const char *const {name}[{len(found)}]"
        self.tables.append(f"{head} = {{\n    {c_text.strings(found)}\n}};")
        self.constants += texts_size(found)
        return name

    def unique(self, stem: str) -> str:
        """Return a name that no other table has."""
        name, count = stem, 1
        while name in self._taken:
            count += 1
            name = f"{stem}_{count}"
        self._taken.add(name)
        return name


def texts_size(texts: Iterable[str]) -> int:
    """Return the bytes that texts take, with a pointer of four bytes each."""
    return sum(len(text.encode("utf-8", "surrogatepass")) + 1 + 4 for text in texts)


def loop(count: int, statement: str) -> str:
    """Return a loop over i."""
    return f"for (int i = 0; i < {count}; i++) {{\n    {statement}\n}}"


def comment(text: str) -> str:
    """Return a comment of one or several lines, whose words are all ours or `c_text.spoken`."""
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + len(word) + 1 > c_text.WIDTH - 8:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
    return "/* " + "\n   ".join([*lines, line]) + " */"


def size_of(shape: tuple[int, ...]) -> str:
    """Return a shape in words: ``28 x 28 x 1``."""
    return " x ".join(map(str, shape)) or str(math.prod(shape))
