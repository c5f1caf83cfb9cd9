"""The programs about a file: those that import it, and show how what it defines is used."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from clearprop.core.reading import read_bounded
from clearprop.gradcheck.seeing.running.imports import NOT_OWN, folders_of

_IMPORT = re.compile(  # a line, of a module or as notebooks keep it
    r"""^[\s"]*(?:from\s+\.*([\w.]*)\s+import\b[ (]*([\w, ]*)|import\s+([\w., ]+))""", re.M
)
_TESTS = re.compile(r"^tests?(_|$)|_tests?$", re.IGNORECASE)
_TEST = re.compile(r"^\s*def test|\b(unittest|pytest)\b", re.MULTILINE)
"""Names of files that may be tests, and what is in these: other ones may train."""

_NONE = re.compile(r"^(conftest|setup)$", re.IGNORECASE)
"""Names of files that train nothing."""

_MAIN = re.compile(r"main|train|run|demo|example|mnist|xor|digits|net", re.IGNORECASE)
"""Names of files that may well train something."""

_MOST_FILES = 300
_LARGEST = 2**20  # bytes
_MOST = 4


def programs_with(file: Path) -> list[Path]:
    """Return the programs near a file that import it, themselves or by way of others.

    Those that no other file imports go first.

    Parameters
    ----------
    file : pathlib.Path
        A module.

    Returns
    -------
    list of pathlib.Path
        Modules and notebooks, a few at most.
    """
    file = file.resolve()
    if file.suffix != ".py":
        return []
    imported = {one: _imported(text) for one, text in _near(file)}
    levels = _levels(file, imported)
    if len(levels) == 1:  # as they are found where capitals are not told apart
        levels = _levels(file, imported, str.lower)
    every = set().union(*imported.values())
    distance = {one: number for number, level in enumerate(levels) for one in level}

    def worth(one: Path) -> tuple[bool, bool, bool, int, str]:
        tests, trains = _TESTS.search(one.stem), _MAIN.search(one.stem)
        return _name(one) in every, tests is not None, trains is None, distance[one], str(one)

    return sorted(distance.keys() - {file}, key=worth)[:_MOST]


def _levels(
    file: Path, imported: Mapping[Path, set[str]], spelt: Callable[[str], str] = str
) -> list[set[Path]]:
    """Return the file, then what imports it, then what imports those, and so on."""
    levels, known = [{file}], {file}
    while levels[-1]:
        names = {spelt(_name(one)) for one in levels[-1]}
        above = {one for one, found in imported.items() if names & set(map(spelt, found))} - known
        known |= above
        levels.append(above)
    return levels[:-1]


def _near(file: Path) -> Iterator[tuple[Path, str]]:
    """Yield the modules and notebooks beside a file, above it, and in the folders there."""
    count = 0
    met = {file}
    for folder in folders_of(file):
        for where in (folder, *_folders(folder)):
            for one in sorted((*where.glob("*.py"), *where.glob("*.ipynb"))):
                if one in met or _NONE.search(one.stem) or not one.is_file():
                    continue
                met.add(one)
                count += 1
                if count > _MOST_FILES:
                    return
                text = _text(one)
                if not (_TESTS.search(one.stem) and _TEST.search(text)):
                    yield one, text


def _folders(folder: Path) -> list[Path]:
    return sorted(one for one in folder.iterdir() if one.is_dir() and not NOT_OWN.search(one.name))


def _name(file: Path) -> str:
    """Return the last part of the name that a file is imported by."""
    return file.parent.name if file.stem == "__init__" else file.stem


def _text(file: Path) -> str:
    with suppress(OSError):
        if file.stat().st_size <= _LARGEST:
            return read_bounded(file, _LARGEST).decode("utf-8", errors="replace")
    return ""


def _imported(text: str) -> set[str]:
    """Return all parts of the names that a text may import."""
    return {part for name in imports_in(text) for part in name.split(".")}


def imports_in(text: str) -> Iterator[str]:
    """Yield the names of all modules that the text of a module or notebook may import."""
    for module, names, modules in _IMPORT.findall(text):
        if module:
            yield module
        for name in f"{names},{modules}".split(","):
            yield ".".join(filter(None, (module, *name.split()[:1])))
