"""A script with the declarations alone that it needs, of modules that were put one after another.

The modules keep to a form that a test holds: what is declared at the top begins at the start of a
line, nothing else does but what closes it, and no name is declared twice. So a declaration is
needed if its name stands in another one that is, and to find that out no parser is needed. A word
in a text keeps a declaration that nobody calls; none that is called is ever left out.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Final

_BEGINS: Final = re.compile(r"^(?=[\w$/])", re.MULTILINE)
_DECLARES: Final = re.compile(
    r"(?:async )?(?:function\*?|class|const|let) +([\w$]+|[\[{][^=]*[\]}])"
)
_WORD: Final = re.compile(r"(?<![\w$])(?:(?<!\.)|(?<=\.\.\.))[A-Za-z_$][\w$]*")
_LIST: Final = re.compile(r"(= byClassName\()(.*?)(\);)", re.DOTALL)
_JOINED: Final = re.compile(r"""(["'])\s*\+\s*\1""")  # a text that goes on on the next line
_INDENT: Final = re.compile(r"^[ \t]+", re.MULTILINE)


def listing(text: str, types: Collection[str]) -> str:
    """Return a module whose lists of classes by name hold no others than some.

    Parameters
    ----------
    text : str
    types : collection of str
        The names of the classes that stay.
    """

    def narrowed(found: re.Match[str]) -> str:
        kept = [name for name in _WORD.findall(found[2]) if name in types]
        return f"{found[1]}{', '.join(kept)}{found[3]}"

    return _LIST.sub(narrowed, text)


def shaken(modules: Mapping[str, str], first: str) -> dict[str, str]:
    """Return modules without what the first one does not need.

    Parameters
    ----------
    modules : mapping of str to str
        The text of each module by its path, without imports.
    first : str
        The path of the module of which everything stays.

    Returns
    -------
    dict of str to str
        In the same order; a module of which nothing is needed is not there.
    """
    pieces = {name: _BEGINS.split(text) for name, text in modules.items()}
    declared = {
        name: piece for some in pieces.values() for piece in some for name in _declared(piece)
    }
    waiting = [piece for piece in pieces[first] if not piece.startswith(f"// {first}\n")]
    needed = set(waiting)
    while waiting:
        for word in _WORD.findall(waiting.pop()):
            piece = declared.get(word)
            if piece is not None and piece not in needed:
                needed.add(piece)
                waiting.append(piece)
    kept = {
        name: "".join(piece for piece in some if piece in needed).strip()
        for name, some in pieces.items()
    }
    return {name: f"// {name}\n{text}\n\n" for name, text in kept.items() if text}


def without_indents(text: str) -> str:
    """Return a script or styles whose lines begin at the left: a seventh of all there is."""
    return _INDENT.sub("", text)


def says(script: str, text: str) -> bool:
    """Whether a script has a text among its words, in one piece or over several lines."""
    whole = _joined(script)
    return json.dumps(text, ensure_ascii=False)[1:-1] in whole or text in whole


@lru_cache(maxsize=4)
def _joined(script: str) -> str:
    return _JOINED.sub("", script)


def _declared(piece: str) -> Iterator[str]:
    found = _DECLARES.match(piece)
    if found:
        yield from re.findall(r"[\w$]+", found[1])
