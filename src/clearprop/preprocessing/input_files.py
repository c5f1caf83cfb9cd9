"""Files to predict from, as people name them: files, folders, patterns, and standard input."""

import glob
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from clearprop.data import Problem, loading
from clearprop.data.format import Format, cannot_read
from clearprop.data.pictures.formats import named_like_a_picture
from clearprop.data.tables.arrow import named_so
from clearprop.data.tables.text_file import MOST_PIPED, STDIN, require_text
from clearprop.errors import DataError, ShapeError, is_address, listed, nearest_file
from clearprop.preprocessing.input_recipes import Recipe
from clearprop.preprocessing.picture_recipe import PictureRecipe

_STEP = 2**20  # bytes
_PIPED = "standard input"
_PROSE = ".txt"  # beside a table it is about it
_KINDS = 5  # suffixes in a sentence at most
_SUFFIXES = {  # of files by their first bytes; everything else is a picture, or text
    b"PK\x03\x04": ".npz",
    b"PAR1": ".parquet",
    b"ARROW1": ".feather",
    b"\x1f\x8b": ".csv.gz",
    b"\x93NUMPY": ".npy",
}


@dataclass(frozen=True)
class InputFiles:
    """The files that are meant by some names.

    Parameters
    ----------
    groups : tuple of tuple of Path
        The files that are read together: all of the pictures, or one other file.
    problems : tuple of Problem
        The folders that can't be looked into.
    notes : tuple of str
        Sentences on files that were passed over.
    """

    groups: tuple[tuple[Path, ...], ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


@contextmanager
def found_files(names: Sequence[str | os.PathLike[str]], recipe: Recipe) -> Iterator[InputFiles]:
    """Find the files that are meant by some names, while the block lasts.

    Parameters
    ----------
    names : sequence of str or path-like
        Files; folders: every picture in them at any depth where the recipe is one of pictures, else
        their one table or array; patterns that the shell left as they are, with ``**`` for folders
        at any depth; ``-`` for standard input, whose bytes tell what it is. What folders and
        patterns bring is sorted, and what can't be input is passed over, and noted.
    recipe : Recipe
        The model's recipe of inputs.

    Raises
    ------
    DataError
        If nothing is given, a folder or pattern brings nothing, or a folder several tables; if one
        is an address; or if standard input goes on after `MOST_PIPED` bytes.
    """
    if not names:
        raise DataError("There is no file to predict from; give at least one.")
    search = _Search(isinstance(recipe, PictureRecipe))
    texts = [os.fspath(name) for name in names]
    piped = STDIN in texts
    with tempfile.TemporaryDirectory(prefix="clearprop-") if piped else nullcontext("") as kept:
        paths: list[Path] = []
        for name in texts:
            path = Path(name)
            if name == STDIN:
                paths.append(_piped(Path(kept), pictures=search.pictures))
            elif path.is_dir():
                paths += search.folder(path)
            elif glob.has_magic(name) and not path.exists():
                paths += search.pattern(name)
            elif is_address(name) and not path.exists():
                raise DataError(f"There is no file {name}.{nearest_file(name)}")
            else:
                paths.append(path)
        together = tuple(path for path in paths if search.is_picture(path))
        alone = [(path,) for path in paths if not search.is_picture(path)]
        groups = ((together,) if together else ()) + tuple(alone)
        try:
            yield InputFiles(groups, tuple(search.problems), tuple(search.notes))
        except (DataError, ShapeError) as error:
            if not piped or kept not in str(error):
                raise
            raise type(error)(str(error).replace(f"{kept}{os.sep}", "")) from error


def shown(path: Path) -> str:
    """Return a file's name for people, to whom the place of what they have piped says nothing."""
    return path.name if path.stem.split(".")[0] == _PIPED else str(path)


class _Search:
    """What is found in folders and by patterns, and what is passed over."""

    def __init__(self, pictures: bool) -> None:
        self.pictures = pictures
        self.problems: list[Problem] = []
        self.notes: list[str] = []

    def is_picture(self, path: Path) -> bool:
        """Whether a file is to be read as a picture: a picture's model tries whatever it gets."""
        return named_like_a_picture(path) or (self.pictures and loading.format_of(path) is None)

    def folder(self, folder: Path) -> list[Path]:
        """Return every picture of a folder at any depth, or its one other file of input."""
        files = [path for path in self._walk(folder) if not path.name.startswith(".")]
        return self._chosen(files, str(folder), several=False)

    def pattern(self, pattern: str) -> list[Path]:
        """Return the files that match a pattern, and what the folders that match hold."""
        matches = [Path(match) for match in glob.glob(pattern, recursive=True)]  # noqa: PTH207 - pathlib's takes no path that is absolute, or with ..
        if not matches:
            raise DataError(f"No file matches {pattern}. Check the pattern.")
        files = {path for path in matches if not path.is_dir()}
        if not files:
            files = {found for folder in matches for found in self._walk(folder)}
        return self._chosen(sorted(files), pattern, several=True)

    def _walk(self, folder: Path) -> Iterator[Path]:
        found: list[Path] = []
        seen: set[str] = set()
        for place, folders, files in os.walk(folder, onerror=self._closed, followlinks=True):
            if (real := os.path.realpath(place)) in seen:  # links may lead in a circle
                folders.clear()
                continue
            seen.add(real)
            folders[:] = [name for name in folders if not name.startswith(".")]
            found += [Path(place, name) for name in files]
        return iter(sorted(found))

    def _closed(self, error: OSError) -> None:
        reason = f"can't be looked into: {error.strerror or error}"
        self.problems.append(Problem(str(error.filename), reason))

    def _is_input(self, path: Path) -> bool:
        owner = loading.format_of(path)
        return (
            owner is not None
            and owner.takes_inputs
            and not (self.pictures and owner.has_columns)  # an array may hold pictures
        )

    def _chosen(self, files: list[Path], place: str, *, several: bool) -> list[Path]:
        """Choose among files that nobody has named one by one, and note the others."""
        owned = [path for path in files if self._is_input(path)]
        owned = [path for path in owned if path.suffix.lower() != _PROSE] or owned
        pictures = [path for path in files if named_like_a_picture(path)]
        chosen = pictures if self.pictures and pictures else owned
        expected = "picture" if self.pictures else f"{loading.suffixes(_known())} file"
        if not chosen:
            raise DataError(f"{place} has no {expected}; found {_kinds(files) or 'no file'}.")
        are_one_table = all(map(named_so, owned))  # as they are where they are learned from
        if chosen is owned and len(owned) > 1 and not (several or are_one_table):
            raise DataError(
                f"{place} holds {len(owned)} tables or arrays "
                f"({listed((path.name for path in owned), 3)}), expected one. Name those that are "
                "meant."
            )
        if passed := set(files) - set(chosen):
            self.notes.append(
                f"{place}: {len(passed)} of {len(files)} files are passed over ({_kinds(passed)})."
            )
        return chosen


def _kinds(files: Collection[Path]) -> str:
    """Count files by suffix: "48 .txt, 1 .md"."""
    kinds = Counter(path.suffix or path.name for path in files)
    ordered = sorted(kinds.items(), key=lambda one: (-one[1], one[0]))
    more = ", ..." if len(kinds) > _KINDS else ""
    return ", ".join(f"{count} {kind}" for kind, count in ordered[:_KINDS]) + more


def _known() -> list[Format]:
    return [one for one in loading.FORMATS if one.takes_inputs]


def _piped(folder: Path, *, pictures: bool) -> Path:
    """Keep standard input in a file whose suffix says what its first bytes tell."""
    if sys.stdin is None:
        raise DataError("There is no standard input to read; it is closed.")
    source, size = sys.stdin.buffer, 0
    try:
        head = source.read(_STEP)
        plain = "" if pictures else ".csv"
        suffix = next((one for start, one in _SUFFIXES.items() if head.startswith(start)), plain)
        if suffix == ".csv":
            require_text(_PIPED, head)  # else an endless one would be waited for
        path = folder / f"{_PIPED}{suffix}"
        with path.open("wb") as file:
            while head:
                size += len(head)
                if size > MOST_PIPED:
                    raise DataError(
                        f"Standard input goes on after {MOST_PIPED // 2**20} MiB. Save it to a "
                        "file, and give that."
                    )
                file.write(head)
                head = source.read(_STEP)
    except OSError as error:
        raise cannot_read(_PIPED, error) from error
    return path
