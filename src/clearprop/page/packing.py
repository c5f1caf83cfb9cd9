"""One page out of its modules: a file that needs no network, no server and no build step.

The modules are plain ones, which a browser or Node loads as they lie. A page that is opened from
disk may load nothing, so here they are put one after the other, each behind those that it imports
from, without the words `import` and `export`. Their names must therefore differ, which a test
holds.
"""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import cache
from html import escape
from pathlib import Path, PurePosixPath
from string import Template
from typing import Final

from clearprop.configuration import Json
from clearprop.core.printable import printable
from clearprop.core.reading import read_bounded
from clearprop.page.languages import LANGUAGES, words_in

_HERE: Final = Path(__file__).parent
_FIRST: Final = "view/main.js"
_LARGEST: Final = 2**20  # bytes of a module
_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"([^"]+)";\n', re.MULTILINE)
_COMMENT = re.compile(r"^ */\*\*.*?\*/\n", re.MULTILINE | re.DOTALL)  # for readers of the modules
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const|let)\b)", re.MULTILINE)


def pack(data: Mapping[str, Json], *, title: str, language: str = "en", live: bool = False) -> str:
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
    """
    script, style = "".join(module_texts().values()), _styles()
    data = {**data, "words": dict(words_in(language))}
    return Template(_read("page.html")).substitute(
        language=LANGUAGES[language],
        policy=escape(policy(live=live)),
        title=escape(printable(title, one_line=True)),
        style=style,
        data=_embedded(data),
        script=script,
    )


def policy(*, live: bool) -> str:
    """Return the content security policy of a page: its own script and style by hash, no other."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {_hash(chr(10).join(['', ''.join(module_texts().values()), '']))}",
            f"style-src {_hash(chr(10).join(['', _styles(), '']))}",
            "img-src data: blob:",
            "media-src blob:",
            "connect-src " + ("'self'" if live else "'none'"),
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


@cache
def module_texts() -> dict[str, str]:
    """Return the text of each module by its path, in the order in which one script has them.

    Raises
    ------
    ValueError
        If modules import each other in a circle.
    """
    found: dict[str, str] = {}
    _follow(PurePosixPath(_FIRST), found, ())
    return found


def _follow(path: PurePosixPath, found: dict[str, str], above: tuple[str, ...]) -> None:
    name = str(path)
    if name in found:
        return
    if name in above:
        raise ValueError(f"modules import each other: {' <- '.join((*above, name))}")
    text = _read(name)
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


@cache
def _styles() -> str:
    paths = sorted((_HERE / "styles").glob("*.css"))
    return "\n".join(_read(f"styles/{path.name}").strip() for path in paths)


def _read(name: str) -> str:
    return read_bounded(_HERE / name, _LARGEST).decode()


def _embedded(data: Mapping[str, Json]) -> str:
    """Write JSON that no text in it can end, nor begin a comment or a script within."""
    return json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":")).replace(
        "<", "\\u003c"
    )


def _hash(text: str) -> str:
    digest = b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
