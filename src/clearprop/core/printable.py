r"""Text from outside, as a terminal or a page can show it: nothing hidden, nothing obeyed.

Names of files, columns and classes, and whatever a file says, may hold characters that a terminal
obeys, that turn the order of the others around, or that nobody sees. They are shown by their code
points: ``\x1b``, ``\u202e``. Letters of all languages, and emoji, stay as they are.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence

_HIDDEN = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"))  # categories of Unicode
_KEPT_FORMATS = frozenset(
    # Arabic, Syriac and Kaithi signs of numbers and verses: format characters that are seen.
    (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD)
)
_FILLERS = frozenset((0x115F, 0x1160, 0x3164, 0xFFA0))  # letters of Hangul that show nothing
# Set aside for emoji and ideographs: a later Unicode than Python's may have filled them.
_SET_ASIDE = (range(0x1F000, 0x1FB00), range(0x20000, 0x2FFFE), range(0x30000, 0x3FFFE))

_JOINERS = (0x200C, 0x200D)
_LOOSE_JOINER = re.compile(
    # Persian, Indic scripts and emoji need them between two of their own; elsewhere they hide.
    "(?<![^\\x00-\\x7f\u200c\u200d])[\u200c\u200d]|[\u200c\u200d](?![^\\x00-\\x7f\u200c\u200d])"
)


class _Escapes(dict[int, int | str]):
    """A table for `str.translate` that finds out about a character when it first appears."""

    def __init__(self, write: Callable[[int], str], kept: str) -> None:
        super().__init__({ord(one): one for one in kept})
        self.write = write

    def __missing__(self, code: int) -> int | str:
        self[code] = found = self.write(code) if _is_hidden(code) else code
        return found

    def apply(self, text: str) -> str:
        text = text.translate(self)
        return _LOOSE_JOINER.sub(lambda found: self.write(ord(found[0])), text)


def _is_hidden(code: int) -> bool:
    if code in _JOINERS or code in _KEPT_FORMATS:
        return False
    category = unicodedata.category(chr(code))
    if category == "Cn" and any(code in one for one in _SET_ASIDE):
        return False
    return category in _HIDDEN or code in _FILLERS


def _in_python(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _in_json(code: int) -> str:
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)  # a pair of surrogates, as UTF-16 has it
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


_TEXT = _Escapes(_in_python, kept="\n\t")
_LINE = _Escapes(_in_python, kept="")
_JSON = _Escapes(_in_json, kept="\n\t")


def printable(text: str, *, one_line: bool = False) -> str:
    """Return a text with every character visible by its code point that would be obeyed or hidden.

    Parameters
    ----------
    text : str
        Any text: lone surrogates, which names that are not UTF-8 become, are allowed.
    one_line : bool, default False
        Whether line breaks and tabs are escaped, too: in a name within a line or a table.

    Returns
    -------
    str
        The text, which can be encoded as UTF-8. Control, format, private and unassigned characters,
        separators of lines and lone surrogates are escaped; all others are as they were.
    """
    return (_LINE if one_line else _TEXT).apply(text)


def printable_json(text: str) -> str:
    """Return JSON text that means the same, and in which nothing is obeyed or hidden."""
    return _JSON.apply(text)


def aligned(rows: Sequence[Sequence[str]], numbers: int = 0) -> str:
    """Set rows of cells out as a table; its last columns, so many of them, are set to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    to_the_left = len(widths) - numbers
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < to_the_left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def fitted(text: str, most: int) -> str:
    """Return a text of at most so many characters: the middle makes way for an ellipsis."""
    head = (most - 1) * 2 // 3
    return text if len(text) <= most else f"{text[:head]}…{text[head + 1 - most :]}"


def readable(value: float, digits: int = 4) -> str:
    """Write a number as people do, no digit before the point lost: ``1,234,567``, ``0.01235``."""
    if 10 ** (digits - 1) <= abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value + 0.0:.{digits}g}"  # a negative zero is a zero
