"""Names, texts, comments and tables of C99, of whatever people call their things."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearprop.errors import UsageError, shortened

WIDTH = 100
"""The characters of a line at most."""

_LONGEST_NAME = 40  # characters: C99 tells names apart by their first 63
_LONGEST_WORD = 60  # characters of a name in a comment

_KEYWORDS = frozenset(
    # C99's, C11's and C++'s, as any may read a header, and what compilers define.
    """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t
    char32_t class co_await co_return co_yield compl complex concept const const_cast consteval
    constexpr constinit continue decltype default delete do double dynamic_cast else enum errno
    explicit export extern false far float for friend goto huge i386 if imaginary inline int
    interface linux long mutable namespace near new noexcept noreturn not not_eq nullptr operator or
    or_eq pixel private protected public register reinterpret_cast requires restrict return short
    signed sizeof small static static_assert static_cast stderr stdin stdout struct switch template
    this thread_local throw true try typedef typeid typename typeof union unix unsigned using vector
    virtual void volatile wchar_t while xor xor_eq
    """.split()  # noqa: SIM905 - a hundred words
)


class Names:
    """Identifiers that differ from each other."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def new(self, text: str, instead: str) -> str:
        """Return an identifier like a text, which may be any; like `instead` where nothing is left.

        It is in lower case, as macros are not.
        """
        wanted = identifier(text, instead)
        wanted = f"{wanted}_" if wanted in _KEYWORDS else wanted
        found, count = wanted, 1
        while found in self._taken:
            count += 1
            found = f"{wanted.rstrip('_')}_{count}"
        self._taken.add(found)
        return found


def identifier(text: str, instead: str) -> str:
    """Return a text as the letters, digits and underscores of an identifier."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:_LONGEST_NAME].rstrip("_")
    if not words:
        return instead
    return f"{instead}_{words}" if words[0].isdigit() else words


def spoken(text: str) -> str:
    """Return a text as it may stand in a comment, whatever is in it."""
    plain = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
    plain = plain.replace("\\", "\\ ")  # else at the end of a line, or before a u
    for one in ("*/", "/*", "??", "//"):
        while one in plain:  # of three question marks the last two are left
            plain = plain.replace(one, " ".join(one))
    if len(plain) > _LONGEST_WORD:
        plain = f"{plain[: _LONGEST_WORD - 3]}".rstrip("\\") + "..."
    return plain


def string(text: str, indent: str = "    ") -> str:
    """Return a text as a string of C, in UTF-8, over several lines where it is long.

    Raises
    ------
    UsageError
        If it holds what ends a string of C, a NUL.
    """
    if "\0" in text:
        raise UsageError(
            f"The text {shortened(text)} holds a NUL, which ends a text in C. Rename the class or "
            "the category, and train again."
        )
    # Three octal digits are all that an escape takes, whatever digit follows.
    pieces = [
        f"\\{chr(byte)}"
        if chr(byte) in '"\\?'
        else chr(byte)
        if 32 <= byte < 127
        else f"\\{byte:03o}"
        for byte in text.encode("utf-8", "surrogatepass")
    ]
    return f"\n{indent}".join(f'"{line}"' for line in _lines(pieces, WIDTH - len(indent) - 4, ""))


def strings(texts: Iterable[str]) -> str:
    """Return texts as the entries of a table, several a line."""
    return "\n    ".join(_lines([f"{string(text)}," for text in texts], WIDTH - 4, " "))


def single(value: float, what: str = "A constant") -> str:
    """Return a number as a float of C, in the digits that bring it back."""
    return f"{_texts(np.float32(value).reshape(1), what)[0]}f"


def double(value: float) -> str:
    """Return a number as a double of C, in the digits that bring it back."""
    return repr(float(value))


def singles(values: ArrayLike, what: str) -> list[str]:
    """Return numbers as floats of C.

    Raises
    ------
    UsageError
        If one is beyond the numbers of float32; `what` says what they are.
    """
    with np.errstate(over="ignore"):  # looked for below
        return [f"{one}f" for one in _texts(np.asarray(values).astype(np.float32).ravel(), what)]


def table(kind: str, name: str, size: str, entries: Iterable[str]) -> str:
    """Return the definition of a constant table.

    Parameters
    ----------
    kind : str
        The type of an entry: ``"float"``.
    name : str
    size : str
        What stands in its brackets.
    entries : iterable of str
    """
    texts = list(entries)
    # As many on every line: of millions of numbers that is quicker than to fill each.
    each = max(1, (WIDTH - 4) // (max(map(len, texts)) + 2))
    rows = (", ".join(texts[first : first + each]) for first in range(0, len(texts), each))
    lines = ",\n    ".join(rows)
    return f"static const {kind} {name}[{size}] = {{\n    {lines},\n}};"


def _texts(values: NDArray[np.float32], what: str) -> list[str]:
    if not np.isfinite(values).all():
        raise UsageError(
            f"{what} holds {values[~np.isfinite(values)][0]} in float32, which no table of C can. "
            "Train again, with a smaller learning rate, or scale what goes in."
        )
    # As they are, whole ones as 1.0, which a suffix can stand behind.
    texts: list[str] = values.astype(str).tolist()
    return texts


def _lines(pieces: list[str], width: int, between: str) -> Iterator[str]:
    """Join pieces to lines of a width, at least one."""
    line: list[str] = []
    length = 0
    for piece in pieces:
        if line and length + len(between) + len(piece) > width:
            yield between.join(line)
            line, length = [], 0
        length += len(piece) + (len(between) if line else 0)
        line.append(piece)
    yield between.join(line)
