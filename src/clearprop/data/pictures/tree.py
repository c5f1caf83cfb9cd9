"""Folders as they are found: what is in them, and which part of the data each one names."""

import os
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from clearprop.data.format import cannot_read
from clearprop.data.pictures.formats import named_like_a_picture
from clearprop.errors import DataError, listed

_PARTS = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "validate", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "tst", "eval", "evaluation"), "test"),
}
"""The words that name a part of the data."""

_BESIDE = {"set", "data", "dataset", "image", "images", "pictures", "samples", "seg", "split"}
"""The words that may stand beside one of them: training_set, test-images."""

_NO_CLASS = _BESIDE | {"all", "unknown", "unlabelled", "unlabeled", "none"}
"""The words for folders of pictures whose class is not known."""

PURPOSES = {
    "train": "to learn from",
    "val": "to validate with",
    "test": "to test with",
}

_TABLES = {".csv", ".tsv", ".xlsx", ".xls", ".json", ".jsonl", ".parquet"}  # perhaps of labels
_MOST_LINKS = 2  # to folders, within each other: mutual links would have no end
_DEEPEST = 40  # folders within each other

_REASONS = 5  # for which files are passed over, that are told one by one


class Files(Sequence[Path]):
    """Files by folder, of which a path is made when it is asked for: there may be millions.

    Parameters
    ----------
    parts : sequence of (Path, sequence of str)
        Folders, and the names of the files in each.
    """

    def __init__(self, parts: Sequence[tuple[Path, Sequence[str]]]) -> None:
        self.parts = parts
        self._ends = [0, *accumulate(len(names) for _, names in parts)]

    @classmethod
    def joined(cls, several: Iterable["Files"]) -> "Files":
        """Return the files of several, one after the other."""
        return cls([part for one in several for part in one.parts])

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, at: Any) -> Any:
        places = range(len(self))[at]
        return [*map(self._path, places)] if isinstance(places, range) else self._path(places)

    def _path(self, place: int) -> Path:
        part = bisect_right(self._ends, place) - 1
        folder, names = self.parts[part]
        return folder / names[place - self._ends[part]]


@dataclass(frozen=True)
class Folder:
    """A folder with what is in it.

    Parameters
    ----------
    path : Path
    name : str
        The class that it stands for, or the part.
    folders : tuple of Folder
    pictures : Files
        The pictures right in it.
    """

    path: Path
    name: str
    folders: tuple["Folder", ...]
    pictures: Files

    def every_picture(self) -> Files:
        """Return the pictures at any depth."""
        return Files.joined([self.pictures, *(one.every_picture() for one in self.folders)])

    def classes(self) -> list["Folder"]:
        """Return the folders that hold pictures."""
        return [folder for folder in self.folders if folder.every_picture()]

    def unwrapped(self) -> "Folder":
        """Go down while there is nothing but one folder of folders."""
        if len(self.folders) == 1 and not self.pictures and self.folders[0].folders:
            return self.folders[0].unwrapped()
        return self


def walk_folder(root: Path, passed: Counter[str]) -> Folder:
    """List a folder and all below it, but for what is hidden; count what is no picture."""

    def walk(path: Path, above: frozenset[tuple[int, int]], links: int, depth: int) -> Folder:
        folders, pictures = list[Folder](), list[str]()
        try:
            status = path.stat()
            with os.scandir(path) as entries:
                listing = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            raise cannot_read(path, error) from error
        above |= {(status.st_dev, status.st_ino)}
        for entry in listing:
            place = Path(entry.path)
            # A link may lead nowhere, or to itself: then it is a file that can't be read.
            if entry.is_dir(follow_symlinks=False) or (entry.is_symlink() and place.is_dir()):
                deeper = links + entry.is_symlink()
                inside = place.stat()
                if entry.name.startswith(".") or entry.name == "__MACOSX":
                    passed["hidden"] += 1
                elif (inside.st_dev, inside.st_ino) in above or deeper > _MOST_LINKS:
                    passed["in links that lead back"] += 1
                elif depth == _DEEPEST:
                    passed[f"below {_DEEPEST} folders"] += 1
                else:
                    folders.append(walk(place, above, deeper, depth + 1))
            elif named_like_a_picture(place):
                pictures.append(entry.name)
            else:
                passed[_reason(entry.name)] += 1
        return Folder(path, path.name, tuple(folders), Files([(path, pictures)]))

    return walk(root, frozenset(), 0, 0)


def _reason(name: str) -> str:
    """Say why a file is passed over, by its name."""
    if name.startswith("."):
        return "hidden"
    suffix = Path(name).suffix.lower()
    if not suffix:
        return "without a suffix"
    return suffix if re.fullmatch(r"\.\w{1,8}", suffix) else "with another suffix"


def passed_over(passed: Counter[str]) -> str:
    """Say how many files were passed over, and why."""
    most = dict(passed.most_common(_REASONS))
    told = [f"{count} {reason}" for reason, count in most.items()]
    if rest := passed.total() - sum(most.values()):
        told.append(f"{rest} others")
    files = "1 file was" if passed.total() == 1 else f"{passed.total()} files were"
    tables = sorted(_TABLES & passed.keys())
    beside = f" No classes are read from {listed(tables)}: folders name them." if tables else ""
    return f"{files} passed over: {', '.join(told)}.{beside}"


def _part_of(name: str) -> str | None:
    """Say which part of the data a folder's name means: "train", "val", "test", or none."""
    words = re.findall(r"[a-z]+", name.casefold())
    words = [
        word.removesuffix("set") if word.removesuffix("set") in _PARTS else word for word in words
    ]
    parts = {_PARTS[word] for word in words if word in _PARTS}
    rest = {word for word in words if word not in _PARTS} - _BESIDE
    return parts.pop() if len(parts) == 1 and not rest else None


def names_no_class(folder: Folder) -> bool:
    """Whether a folder is but a wrapper: test/test, test/images, test/unknown."""
    words = re.findall(r"[a-z]+", folder.name.casefold())
    return _part_of(folder.name) is not None or (bool(words) and _NO_CLASS.issuperset(words))


def wrappers_among(classes: Sequence[Folder]) -> list[str]:
    """Say which of the class folders hold what look like the classes: dataset/cat, fold1/cat."""
    names = {folder.name for folder in classes}
    inside = [{inner.name for inner in folder.classes()} for folder in classes]
    notes = [
        f"{folder.path} is taken for a class, but holds folders named like those beside it, "
        f"{listed(sorted(own & names), 4)}. If it is a copy or holds the classes, remove it or "
        "give its path."
        for folder, own in zip(classes, inside, strict=True)
        if own & names
    ]
    shared = set.intersection(*inside) if len(inside) > 1 else set()
    if len(shared) > 1:
        notes.append(
            f"Each of the classes {listed(sorted(names), 4)} holds folders "
            f"{listed(sorted(shared), 4)}. If those are the classes, put the pictures of each into "
            "one folder."
        )
    return notes


def find_parts(top: Folder, notes: list[str]) -> dict[str, Folder]:
    """Find the folders to train, to validate and to test; all is to train where there are none."""
    named: dict[str, list[Folder]] = {}
    beside = []
    for folder in top.folders:
        part = _part_of(folder.name)
        if part is None:
            beside.append(folder)
        else:
            named.setdefault(part, []).append(folder)
    if not beside and len(top.folders) > 1 and "train" not in named:
        raise DataError(
            f"{top.path} has {listed([folder.name for folder in top.folders])}, but no folder to "
            "train on. Name it train, or give the path of one of them."
        )
    if "train" not in named or (beside and not named["train"][0].folders):
        return _parts_of_classes(top, notes) or {"train": top}
    for part, folders in named.items():
        if len(folders) > 1:
            raise DataError(
                f"{top.path} has {listed([folder.name for folder in folders])}, which all seem to "
                f"be there {PURPOSES[part]}; keep one of them."
            )
    for folder in beside:
        count = count_of(folder.every_picture())
        notes.append(f"{folder.path} ({count}) is no part of the data, and is left out.")
    notes.append(f"{named['train'][0].path} is there {PURPOSES['train']}.")
    return {part: folders[0].unwrapped() for part, folders in named.items()}


def _parts_of_classes(top: Folder, notes: list[str]) -> dict[str, Folder] | None:
    """Find the parts where every class folder has folders to train, to validate and to test."""
    parts: dict[str, list[Folder]] = {}
    for folder in top.folders:
        inside = {inner: _part_of(inner.name) for inner in folder.folders}
        if folder.pictures or "train" not in inside.values() or None in inside.values():
            return None
        for inner, part in inside.items():
            parts.setdefault(str(part), []).append(replace(inner, name=folder.name))
    if not parts:
        return None
    notes.append(f"The class folders in {top.path} hold the pictures of each part.")
    return {part: Folder(top.path, part, tuple(inner), Files(())) for part, inner in parts.items()}


def count_of(pictures: Collection[Path]) -> str:
    """Count pictures: "no pictures", "1 picture", "12 pictures"."""
    return f"{len(pictures) or 'no'} picture{'s' if len(pictures) != 1 else ''}"


def told(pictures: Collection[Path]) -> str:
    """Count pictures, and name the first: "12 pictures (a.jpg, ...)"."""
    more = ", ..." if len(pictures) > 1 else ""
    return count_of(pictures) + (f" ({next(iter(pictures)).name}{more})" if pictures else "")
