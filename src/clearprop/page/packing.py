"""One page out of its modules: a file that needs no network, no server and no build step.

The modules are plain ones, which a browser or Node loads as they lie. A page that is opened from
disk may load nothing, so here they are put one after the other, each behind those that it imports
from, without the words `import` and `export`. Their names must therefore differ, which a test
holds. A page of a model alone has only the declarations that it needs; see `shaking`.
"""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path, PurePosixPath
from string import Template
from typing import Final

from clearprop.configuration import Json
from clearprop.core.printable import printable
from clearprop.core.reading import read_bounded
from clearprop.page.languages import LANGUAGES, words_in
from clearprop.page.shaking import listing, says, shaken, without_indents

_HERE: Final = Path(__file__).parent
_FIRST: Final = "view/main.js"
_LARGEST: Final = 2**20  # bytes of a module
_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"([^"]+)";\n', re.MULTILINE)
_COMMENT = re.compile(r"^ */\*\*.*?\*/\n", re.MULTILINE | re.DOTALL)  # for readers of the modules
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const|let)\b)", re.MULTILINE)


@dataclass(frozen=True)
class Parts:
    """The script and the styles of a page."""

    script: str
    style: str


@cache
def whole_page() -> Parts:
    """Return the parts of the page that shows runs."""
    script = "".join(module_texts().values())
    return Parts(without_indents(script), without_indents(_styles()))


def parts_alone(first: str, types: Collection[str], styles: Collection[str] = ()) -> Parts:
    """Return the parts of a page, or a script, that computes one model.

    Parameters
    ----------
    first : str
        The module that it begins with: ``"view/alone_rows.js"``.
    types : collection of str
        The names of the layers, losses and other classes that the model's description has.
    styles : collection of str
        The names of the files of its styles.
    """
    texts = {name: listing(text, types) for name, text in module_texts(first).items()}
    script = without_indents("".join(shaken(texts, first).values()))
    return Parts(script, without_indents(_styles(styles)))


def pack(
    data: Mapping[str, Json],
    *,
    title: str,
    language: str = "en",
    live: bool = False,
    parts: Parts | None = None,
) -> str:
    """Return a page as one file of HTML.

    Parameters
    ----------
    data : mapping
        What the page shows, in JSON values: `clearprop.report.page_data`.
    title : str
        The title of the browser's window.
    language : str, default "en"
        The language of its words, by its name in `LANGUAGES`.
    live : bool, default False
        Whether it may ask the server that it came from for more.
    parts : Parts, optional
        Its script and styles: those of `whole_page` unless given.
    """
    words = words_in(language)
    if parts is None:
        parts = whole_page()
    else:
        words = {text: told for text, told in words.items() if says(parts.script, text)}
    return Template(text_of("page.html")).substitute(
        language=LANGUAGES[language],
        policy=escape(policy(live=live, parts=parts)),
        title=escape(printable(title, one_line=True)),
        style=parts.style,
        data=_embedded({**data, "words": dict(words)}),
        script=parts.script,
    )


def policy(*, live: bool, parts: Parts | None = None) -> str:
    """Return the content security policy of a page: its own script and style by hash, no other."""
    parts = whole_page() if parts is None else parts
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {_hash(chr(10).join(['', parts.script, '']))}",
            f"style-src {_hash(chr(10).join(['', parts.style, '']))}",
            "img-src data: blob:",
            "media-src blob:",
            "connect-src " + ("'self'" if live else "'none'"),
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


@cache
def module_texts(first: str = _FIRST) -> dict[str, str]:
    """Return the text of each module by its path, in the order in which one script has them.

    Parameters
    ----------
    first : str
        The module from which all others are reached; it is the last one.

    Raises
    ------
    ValueError
        If modules import each other in a circle.
    """
    found: dict[str, str] = {}
    _follow(PurePosixPath(first), found, ())
    return found


def _follow(path: PurePosixPath, found: dict[str, str], above: tuple[str, ...]) -> None:
    name = str(path)
    if name in found:
        return
    if name in above:
        raise ValueError(f"modules import each other: {' <- '.join((*above, name))}")
    text = text_of(name)
    for _, other in imports(text):
        _follow(_beside(path, other), found, (*above, name))
    for kind in (_COMMENT, _IMPORT, _EXPORT):
        text = kind.sub("", text)
    found[name] = f"// {name}\n{text.strip()}\n\n"


def imports(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Give the names that a module imports, and the path that each line imports from."""
    for names, path in _IMPORT.findall(text):
        yield tuple(name.strip() for name in names.split(",") if name.strip()), path


def _beside(path: PurePosixPath, other: str) -> PurePosixPath:
    parts: list[str] = []
    for part in (*path.parent.parts, *PurePosixPath(other).parts):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return PurePosixPath(*parts)


def _styles(names: Collection[str] = ()) -> str:
    """Return the styles of some files, in the order of their names; unless given of all."""
    paths = sorted((_HERE / "styles").glob("*.css"))
    shown = [path.name for path in paths if not names or path.stem in names]
    return "\n".join(text_of(f"styles/{name}").strip() for name in shown)


def text_of(name: str) -> str:
    """Return the text of a file of the page, by its path in the folder of the package."""
    return read_bounded(_HERE / name, _LARGEST).decode()


def _embedded(data: Mapping[str, Json]) -> str:
    """Write JSON that no text in it can end, nor begin a comment or a script within."""
    return json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":")).replace(
        "<", "\\u003c"
    )


def _hash(text: str) -> str:
    digest = b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
