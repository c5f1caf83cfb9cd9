"""The hand-ins in folders: which files are checked, and which are left out, with the reason."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from clearprop.core.reading import read_bounded, special_kind
from clearprop.errors import UsageError, listed
from clearprop.gradcheck.learner.process import require_file
from clearprop.gradcheck.learner.running import SUFFIXES
from clearprop.gradcheck.seeing.running.programs import imports_in

_LIBRARIES = ("site-packages", "node_modules", "__pycache__", "__MACOSX")
_LISTED = 4
_LARGEST = 2**24  # bytes
_ENVIRONMENT = ("pyvenv.cfg", "conda-meta")  # in a folder that is one


@dataclass
class HandIns:
    """The files that were found.

    Parameters
    ----------
    files : list of pathlib.Path
        Modules and notebooks, sorted by their paths, each once.
    left_out : dict of str to list of str
        Folders and files that are left out though they may hold code, by the reason.
    others : Counter of str
        The files that are neither, counted by suffix.
    """

    files: list[Path] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)

    def leave_out(self, path: str | os.PathLike[str], reason: str) -> None:
        """Note that a folder or a file is left out."""
        self.left_out.setdefault(reason, []).append(os.fspath(path))

    @property
    def told(self) -> list[str]:
        """What is not checked, in sentences."""
        told = [
            f"Left out, {reason}: {listed(paths, _LISTED)}."
            for reason, paths in self.left_out.items()
        ]
        if self.others:
            told.append(f"Neither .py nor .ipynb: {self._kinds}.")
        return told

    @property
    def _kinds(self) -> str:
        return listed(f"{number} {suffix}" for suffix, number in self.others.most_common())


def find_hand_ins(places: Sequence[str | os.PathLike[str]]) -> HandIns:
    """Find every ``.py`` file and notebook in folders and among files.

    Folders are looked through at any depth. Left out are hidden files and folders, what packages
    and interpreters keep, virtual environments, links, which may lead anywhere, and the empty files
    that mark packages.

    Parameters
    ----------
    places : sequence of path-like
        Folders, which may be links, and files.

    Raises
    ------
    UsageError
        If one of them does not exist.
    """
    found, files = HandIns(), list[Path]()
    for place in map(Path, places):
        if place.is_dir():
            files += _walked(place, found)
        elif not place.exists():
            require_file(place)
        elif place.suffix not in SUFFIXES:
            found.others[_kind(place.name)] += 1
        elif (kind := special_kind(place.stat().st_mode)) is not None:
            found.leave_out(place, kind)
        else:
            files.append(place)
    once: dict[str, Path] = {}
    for file in sorted(files, key=lambda path: path.parts):
        once.setdefault(os.path.realpath(file), file)
    found.files = list(once.values())
    return found


def require_hand_ins(found: HandIns, places: Sequence[str]) -> None:
    """Raise a `UsageError` if there are none."""
    if found.files:
        return
    several = "have" if len(places) > 1 else "has"
    raise UsageError(
        f"{listed(places, _LISTED)} {several} nothing to grade: no .py file and no notebook "
        f"(.ipynb), at any depth. {' '.join(found.told) or 'There is no file.'} Name the folder "
        "that the hand-ins lie in, unpacked."
    )


def _walked(root: Path, found: HandIns) -> Iterator[Path]:
    """Yield the hand-ins in a folder, and note what is left out."""

    def closed(error: OSError) -> None:
        found.leave_out(error.filename, f"unreadable ({error.strerror or error})")

    for name, folders, files in os.walk(root, onerror=closed):
        place = Path(name)
        kept = []
        for folder in sorted(folders):
            if (why := _not_entered(place / folder)) is None:
                kept.append(folder)
            else:
                found.leave_out(place / folder, why)
        folders[:] = kept
        for file in sorted(files):
            path = place / file
            if not file.endswith(SUFFIXES):
                found.others[_kind(file)] += 1
            elif (why := _not_read(path)) is None:
                yield path
            else:
                found.leave_out(path, why)


def _not_entered(folder: Path) -> str | None:
    if folder.is_symlink():
        return "a link"
    if folder.name.startswith("."):
        return "hidden"
    if folder.name in _LIBRARIES:
        return "made by other programs"
    if any((folder / mark).exists() for mark in _ENVIRONMENT):
        return "a virtual environment"
    return None


def _not_read(file: Path) -> str | None:
    if file.name.startswith("."):
        return "hidden"
    try:
        about = file.lstat()
    except OSError as error:
        return f"unreadable ({error.strerror or error})"
    if file.is_symlink():
        return "a link"
    if (kind := special_kind(about.st_mode)) is not None:
        return kind
    if file.name == "__init__.py" and not about.st_size:
        return "the empty mark of a package"
    return None


def _kind(name: str) -> str:
    return Path(name).suffix or "without a suffix"


def importers_of(files: Iterable[Path]) -> dict[Path, Path]:
    """Find the modules that other hand-ins import, from their own folder or the one above.

    Returns
    -------
    dict of pathlib.Path to pathlib.Path
        The first of the files that imports it, by the module.
    """
    every, found = {os.path.normpath(file): file for file in files}, dict[Path, Path]()
    for file in every.values():
        text = ""
        with suppress(OSError):
            text = read_bounded(file, _LARGEST).decode("utf-8", errors="replace")
        for name in imports_in(text):
            for folder in (file.parent, file.parent / ".."):
                module = every.get(os.path.normpath(folder / f"{name.replace('.', '/')}.py"))
                if module not in (None, file):
                    found.setdefault(module, file)
    return found
