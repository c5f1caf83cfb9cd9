"""Folders of pictures: one folder a class, perhaps in folders to train, to validate and to test.

Nothing in them is lost without a word: what is no picture is counted by reason, and what was
understood of the folders' names is told in notes.
"""

import os
import re
import shlex
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from clearprop.data.class_names import alike, listed, match_names, told
from clearprop.data.dataset import Dataset, Problem
from clearprop.data.format import cannot_read
from clearprop.data.picture_depth import FULL, Depth
from clearprop.data.picture_files import DEFAULT_SIZE, read_pictures
from clearprop.data.picture_formats import named_like_a_picture
from clearprop.data.table import Table
from clearprop.errors import DataError

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

_PURPOSES = {
    "train": "to learn from",
    "val": "to validate with, unless --validation says otherwise",
    "test": "to test with",
}

_ADVICE = "Rename the folder, or remove it."

_MOST_LINKS = 2  # to folders, within each other: mutual links would have no end
_DEEPEST = 40  # folders within each other

_REASONS = 5  # for which files are passed over, that are told one by one


@dataclass(frozen=True)
class _Folder:
    """A folder with what is in it.

    Parameters
    ----------
    path : Path
    name : str
        The class that it stands for, or the part.
    folders : tuple of _Folder
    pictures : tuple of Path
        The pictures right in it.
    """

    path: Path
    name: str
    folders: tuple["_Folder", ...]
    pictures: tuple[Path, ...]

    def every_picture(self) -> Iterator[Path]:
        """Walk over the pictures at any depth."""
        yield from self.pictures
        for folder in self.folders:
            yield from folder.every_picture()

    def classes(self) -> list["_Folder"]:
        """Return the folders that hold pictures."""
        return [folder for folder in self.folders if any(folder.every_picture())]

    def unwrapped(self) -> "_Folder":
        """Go down while there is nothing but one folder of folders."""
        if len(self.folders) == 1 and not self.pictures and self.folders[0].folders:
            return self.folders[0].unwrapped()
        return self


def read_folder(
    root: Path,
    size: tuple[int, int] = DEFAULT_SIZE,
    channels: int = 3,
    depth: Depth | None = None,
) -> Dataset:
    """Read a folder whose folders are named after the classes of the pictures in them.

    Classes are the folders' names in sorted order, and so are the files of each. Pictures in
    folders of a class folder belong to the class. Where folders are named like parts of the data,
    such as ``train``, ``valid`` and ``test_set``, the classes are those in the first.

    Parameters
    ----------
    root : Path
    size : (int, int), default (64, 64)
        Height and width in pixels that every picture is brought to.
    channels : {3, 1}, default 3
        RGB or grey.
    depth : Depth, optional
        The depth of pictures of more than 8 bits; by default the one of the training pictures.

    Returns
    -------
    Dataset
        Pictures, with those to validate and to test where there are. Files that can't be read are
        its `problems`; its `notes` say what was understood, and what was passed over.

    Raises
    ------
    DataError
        If there are no class folders, a class has no readable picture, more than half of the
        pictures can't be read, or the pictures to test have a class that those to train have not.
    """
    passed: Counter[str] = Counter()
    tree = _walk(root, passed)
    top = tree.unwrapped()
    notes = [f"The pictures lie in {top.path}."] if top is not tree else []
    parts = _parts(top, notes)
    names = _class_names(parts["train"], passed, notes)
    train = _read(
        root, parts["train"], {name: name for name in names}, names, (size, channels, depth)
    )
    form = (size, channels, depth or train.depth or FULL)
    read = {
        part: _read(root, folder, matched, names, form)
        for part in ("val", "test")
        if part in parts
        for folder, matched in _labelled(parts[part], part, names, notes)
    }
    if passed:
        notes.append(_passed_over(passed))
    every_part = (train, *read.values())
    return replace(
        train,
        validation=read.get("val"),
        test=read.get("test"),
        problems=tuple(problem for one in every_part for problem in one.problems),
        notes=(*notes, *(note for one in every_part for note in one.notes)),
    )


def as_deep(dataset: Dataset, depth: Depth | None) -> Dataset:
    """Read pictures of more than 8 bits anew, as deep as a model's training pictures were.

    Parameters
    ----------
    dataset : Dataset
        A folder that `read_folder` has read, or anything else, which is returned as it is.
    depth : Depth or None
        The depth of the training pictures; None if they had 8 bits.
    """
    wanted = depth or FULL
    parts = (dataset, dataset.validation, dataset.test)
    if all(part is None or part.depth in (None, wanted) for part in parts):
        return dataset
    height, width, *channels = dataset.X.shape[1:] if not isinstance(dataset.X, Table) else ()
    return read_folder(Path(dataset.name), (height, width), 3 if channels else 1, wanted)


def _walk(root: Path, passed: Counter[str]) -> _Folder:
    """List a folder and all below it, but for what is hidden; count what is no picture."""

    def walk(path: Path, above: frozenset[tuple[int, int]], links: int, depth: int) -> _Folder:
        folders, pictures = [], []
        try:
            status = path.stat()
            with os.scandir(path) as entries:
                listing = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            raise cannot_read(path, error) from error
        above |= {(status.st_dev, status.st_ino)}
        for entry in listing:
            place = Path(entry.path)
            if entry.is_dir():
                deeper = links + entry.is_symlink()
                inside = entry.stat()
                if entry.name.startswith(".") or entry.name == "__MACOSX":
                    passed["hidden"] += 1
                elif (inside.st_dev, inside.st_ino) in above or deeper > _MOST_LINKS:
                    passed["in links that lead back"] += 1
                elif depth == _DEEPEST:
                    passed[f"below {_DEEPEST} folders"] += 1
                else:
                    folders.append(walk(place, above, deeper, depth + 1))
            elif named_like_a_picture(place):
                pictures.append(place)
            else:
                passed[_reason(entry.name)] += 1
        return _Folder(path, path.name, tuple(folders), tuple(pictures))

    return walk(root, frozenset(), 0, 0)


def _reason(name: str) -> str:
    """Say why a file is passed over, by its name."""
    if name.startswith("."):
        return "hidden"
    suffix = Path(name).suffix.lower()
    if not suffix:
        return "without a suffix"
    return suffix if re.fullmatch(r"\.\w{1,8}", suffix) else "with another suffix"


def _passed_over(passed: Counter[str]) -> str:
    told = [f"{count} {reason}" for reason, count in passed.most_common(_REASONS)]
    if rest := passed.total() - sum(passed[reason] for reason, _ in passed.most_common(_REASONS)):
        told.append(f"{rest} others")
    files = "1 file or folder was" if passed.total() == 1 else f"{passed.total()} files were"
    return f"{files} passed over: {', '.join(told)}."


def _part_of(name: str) -> str | None:
    """Say which part of the data a folder's name means: "train", "val", "test", or none."""
    words = re.findall(r"[a-z]+", name.casefold())
    words = [
        word.removesuffix("set") if word.removesuffix("set") in _PARTS else word for word in words
    ]
    parts = {_PARTS[word] for word in words if word in _PARTS}
    rest = {word for word in words if word not in _PARTS} - _BESIDE
    return parts.pop() if len(parts) == 1 and not rest else None


def _names_no_class(folder: _Folder) -> bool:
    """Whether a folder is but a wrapper: test/test, test/images, test/unknown."""
    words = re.findall(r"[a-z]+", folder.name.casefold())
    return _part_of(folder.name) is not None or (bool(words) and _NO_CLASS.issuperset(words))


def _parts(top: _Folder, notes: list[str]) -> dict[str, _Folder]:
    """Find the folders to train, to validate and to test; all is to train where there are none."""
    named: dict[str, list[_Folder]] = {}
    beside = []
    for folder in top.folders:
        part = _part_of(folder.name)
        if part is None:
            beside.append(folder)
        else:
            named.setdefault(part, []).append(folder)
    if len(named) == len(top.folders) > 1 and "train" not in named:
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
                f"be there {_PURPOSES[part]}; keep one of them."
            )
    for folder in beside:
        count = _count(list(folder.every_picture()))
        notes.append(f"{folder.path} ({count}) is no part of the data, and is left out.")
    notes.append(f"{named['train'][0].path} is there {_PURPOSES['train']}.")
    return {part: folders[0] for part, folders in named.items()}


def _parts_of_classes(top: _Folder, notes: list[str]) -> dict[str, _Folder] | None:
    """Find the parts where every class folder has folders to train, to validate and to test."""
    parts: dict[str, list[_Folder]] = {}
    for folder in top.folders:
        inside = {inner: _part_of(inner.name) for inner in folder.folders}
        if folder.pictures or "train" not in inside.values() or None in inside.values():
            return None
        for inner, part in inside.items():
            parts.setdefault(str(part), []).append(replace(inner, name=folder.name))
    if not parts:
        return None
    notes.append(f"The class folders in {top.path} hold the pictures of each part.")
    return {part: _Folder(top.path, part, tuple(inner), ()) for part, inner in parts.items()}


def _class_names(train: _Folder, passed: Counter[str], notes: list[str]) -> tuple[str, ...]:
    """Take the names of the class folders that hold pictures."""
    classes, path = train.classes(), train.path
    names = tuple(folder.name for folder in classes)
    if not classes:
        found = _count(train.pictures)
        if passed:
            found += f"; {_passed_over(passed)[:-1]}"
        shown = path.name or path
        raise DataError(
            f"{path} has no class folders. Expected pictures in {shown}/CLASS/ or "
            f"{shown}/train/CLASS/, one folder a class; found {found}."
        )
    if len(classes) < 2 <= len(train.folders):
        raise DataError(
            f"{path} has the single class {names[0]!r}: {_empty(train)}. Fill it, or remove it."
        )
    if close := alike(names):
        notes.append(f"The classes {listed(close)} differ by little; if they are one, join them.")
    if deeper := [
        path for one in classes for inner in one.folders for path in inner.every_picture()
    ]:
        notes.append(
            f"{_count(deeper)} in folders within the class folders: of the class around them."
        )
    return names


def _labelled(
    folder: _Folder, part: str, names: tuple[str, ...], notes: list[str]
) -> Iterator[tuple[_Folder, dict[str, str]]]:
    """Give the folder of a part, and the classes that its folders mean, where it has class folders.

    Raises
    ------
    DataError
        If a folder is none of the classes.
    """
    while len(folder.folders) == 1 and not folder.pictures and _names_no_class(folder.folders[0]):
        folder = folder.folders[0]
    classes, count = folder.classes(), _count(list(folder.every_picture()))
    if classes:
        try:
            matched = match_names([one.name for one in classes], names, advice=_ADVICE)
        except DataError as error:
            raise DataError(f"{folder.path}: {error}") from error
        notes.append(f"{folder.path} ({count}) is there {_PURPOSES[part]}.")
        if others := told(matched):
            notes.append(f"In {folder.path} classes were matched by name: {others}.")
        yield folder, matched
    elif folder.pictures:
        notes.append(
            f"{folder.path} ({count}) has no class folders, so it is left alone; to predict them: "
            f"clearprop predict MODEL {shlex.quote(str(folder.path))}"
        )
    else:
        notes.append(f"{folder.path} holds no pictures.")


def _read(
    root: Path,
    part: _Folder,
    matched: Mapping[str, str],
    names: tuple[str, ...],
    form: tuple[tuple[int, int], int, Depth | None],
) -> Dataset:
    """Read the pictures of a part, whose folders mean the classes that `matched` says."""
    paths: list[Path] = []
    labels: list[int] = []
    for folder in part.classes():
        found = list(folder.every_picture())
        paths += found
        labels += [names.index(matched[folder.name])] * len(found)
    read = read_pictures(paths, *form)
    y = np.array(labels, dtype=np.int64)[read.kept]
    _require_enough(
        part, read.problems, len(paths), {names[label] for label in set(labels) - set(y)}
    )
    notes = list(read.notes)
    if part.pictures:
        beside = f"beside the class folders in {part.path}"
        notes.insert(0, f"{_count(part.pictures)} {beside} without a class: left out.")
    if len(part.classes()) < len(part.folders):
        notes.insert(0, f"{_empty(part)}, and left out.")
    return Dataset(
        name=str(root),
        kind="pictures",
        X=read.pixels,
        y=y,
        class_names=names,
        sources=tuple(paths[row].relative_to(root).as_posix() for row in read.kept.tolist()),
        target_name="class",
        problems=read.problems,
        notes=tuple(notes),
        depth=read.depth,
    )


def _require_enough(
    part: _Folder, problems: Sequence[Problem], count: int, lost: Collection[str]
) -> None:
    """Raise DataError if a class has no picture left, or less than half of all are."""
    more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
    if lost:
        raise DataError(
            f"{part.path / min(lost)} has no picture that can be read: {problems[0]}{more}."
        )
    if len(problems) > count / 2:
        raise DataError(
            f"{len(problems)} of the {count} pictures in {part.path} can't be read: {problems[0]}. "
            "Check that these are the pictures you mean."
        )


def _empty(part: _Folder) -> str:
    """Say which class folders of a part hold no pictures."""
    empty = [one.name for one in part.folders if not any(one.every_picture())]
    holds = f"{part.path / empty[0]} holds" if len(empty) == 1 else f"{listed(empty)} hold"
    return f"{holds} no pictures"


def _count(pictures: Collection[Path]) -> str:
    """Count pictures: "no pictures", "1 picture, a.jpg", "12 pictures, such as a.jpg"."""
    if len(pictures) < 2:
        return "no pictures" if not pictures else f"1 picture, {next(iter(pictures)).name}"
    return f"{len(pictures)} pictures, such as {next(iter(pictures)).name}"
