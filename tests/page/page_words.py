"""The page's words, from its modules into the catalogues: ``python tests/page/page_words.py``.

Run it after a word of the page was added or changed. What is new stands in each language's .po
file without a translation, and what is no longer said is gone from it; the script names what is
to translate. Once that is done, run it again: it compiles the catalogues.
"""

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from clearprop.studio.program_findings import DOCTORS

PAGE = Path(__file__).parents[2] / "src" / "clearprop" / "page"
STUDIO = PAGE.parent / "studio"  # whose own pages are written in Python
WORDS = PAGE / "words"
TEMPLATE = WORDS / "page.pot"

_SAYING = {"say": (0,), "sayCount": (1, 2)}  # the places of the arguments that are texts
_SAYS = "view/words.js"  # where these functions are, which say what they are given
_CALL = re.compile(r"(?<!function )\b(say|sayCount)\(")
_COMMENT = re.compile(r"^ */\*.*?\*/|^ *//.*?$| // .*?$", re.DOTALL | re.MULTILINE)
_ONE = r"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
_STRING = re.compile(_ONE)
_TEXT = rf"\s*({_ONE}(?:\s*\+\s*{_ONE})*)\s*,?\s*"  # on several lines, too
_LITERAL = re.compile(_TEXT)
_ONE_OF_TWO = re.compile(rf"""[^?"'`]+\?{_TEXT}:{_TEXT}""")  # by a condition
_OPENING, _CLOSING = "([{", ")]}"


class Said(NamedTuple):
    """A text that the page says.

    Parameters
    ----------
    text : str or None
        None where it is no literal, so that no catalogue can know it.
    module : str
    line : int
    """

    text: str | None
    module: str
    line: int


def said_in(code: str, module: str) -> Iterator[Said]:
    """Give the texts that a module says, in their order."""
    # Lines of comments stay as empty ones: those below keep their numbers.
    code = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), code)
    for call in _CALL.finditer(code):
        line = code.count("\n", 0, call.start()) + 1
        arguments = _arguments(code, call.end())
        for place in _SAYING[call[1]]:
            for text in _texts(arguments[place] if place < len(arguments) else ""):
                yield Said(text, module, line)


def said_in_python(code: str, module: str) -> Iterator[Said]:
    """Give the texts that a module in Python says, in their order."""
    calls = [one for one in ast.walk(ast.parse(code)) if isinstance(one, ast.Call)]
    for call in sorted(calls, key=lambda one: (one.lineno, one.col_offset)):
        if call.args and getattr(call.func, "attr", getattr(call.func, "id", "")) == "say":
            text = getattr(call.args[0], "value", None)
            yield Said(text if isinstance(text, str) else None, module, call.lineno)


def said_by_page() -> list[Said]:
    """Return the texts that all modules say, and those of the studio's own pages."""
    paths = {path.relative_to(PAGE).as_posix(): path for path in PAGE.glob("*/*.js")}
    found = [
        said
        for module, path in sorted(paths.items())
        if module != _SAYS
        for said in said_in(path.read_text(encoding="utf-8"), module)
    ]
    for path in sorted(STUDIO.glob("*.py")):
        found += said_in_python(path.read_text(encoding="utf-8"), f"studio/{path.name}")
    for illness in DOCTORS:
        found += [Said(text, "doctor", 0) for text in (illness.name, illness.advice)]
    return found


def _arguments(code: str, at: int) -> list[str]:
    """Return what stands between the commas of a call, from behind its opening bracket on."""
    found, start, depth = [], at, 0
    while depth >= 0 and at < len(code):
        text = _STRING.match(code, at)
        if text:
            at = text.end()
            continue
        depth += (code[at] in _OPENING) - (code[at] in _CLOSING)
        if depth < 0 or (depth == 0 and code[at] == ","):
            found.append(code[start:at])
            start = at + 1
        at += 1
    return found


def _texts(argument: str) -> list[str | None]:
    found = _LITERAL.fullmatch(argument) or _ONE_OF_TWO.fullmatch(argument)
    return [None] if found is None else [_joined(text) for text in found.groups()]


def _joined(text: str) -> str:
    return "".join(_unquoted(one) for one in _STRING.findall(text))


def _unquoted(string: str) -> str:
    inner = string[1:-1]
    if string[0] == "'":
        inner = inner.replace("\\'", "'").replace('"', '\\"')
    return json.loads(f'"{inner}"')


def template() -> Catalog:
    """Return the catalogue without translations: every text, and the modules that say it."""
    catalog = Catalog(
        project="clearprop",
        version="page",
        msgid_bugs_address="see CONTRIBUTING.md",
        header_comment="# The words of clearprop's page.",
        last_translator="The clearprop developers",
        fuzzy=False,
        charset="utf-8",
    )
    for said in said_by_page():
        if said.text is not None:
            catalog.add(said.text, locations=[(said.module, None)])
    return catalog


def catalogue_paths() -> list[Path]:
    """Return the .po file of each language."""
    return sorted(WORDS.glob("*/LC_MESSAGES/page.po"))


def read_catalogue(path: Path) -> Catalog:
    """Read a .po file, or the template."""
    with path.open("rb") as file:
        return read_po(file, locale=None if path == TEMPLATE else path.parts[-3])


def _write(path: Path, catalog: Catalog) -> None:
    with path.open("wb") as file:
        write_po(file, catalog, width=100, ignore_obsolete=True, include_lineno=False)


def _bring_up_to_date() -> int:
    """Write all catalogues anew, and return how many texts are to be mended or translated."""
    missing = 0
    for said in said_by_page():
        if said.text is None:
            print(f"{said.module}:{said.line}: a text that is no literal can't be translated")
            missing += 1
    now, before = template(), read_catalogue(TEMPLATE)
    if {one.id for one in now} == {one.id for one in before}:
        now.creation_date = before.creation_date  # nothing is new
    _write(TEMPLATE, now)
    for path in catalogue_paths():
        catalog = read_catalogue(path)
        catalog.update(now, no_fuzzy_matching=True)
        _write(path, catalog)
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalog)
        for message in catalog:
            if message.id and not message.string:
                print(f"{path.relative_to(PAGE)}: to translate: {message.id}")
                missing += 1
    return missing


if __name__ == "__main__":
    sys.exit(1 if _bring_up_to_date() else 0)
