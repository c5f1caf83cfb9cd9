"""Folders of pictures: one folder a class, perhaps in folders to train, to validate and to test.

Nothing in them is lost without a word: what is no picture is counted by reason, and what was
understood of the folders' names is told in notes.
"""

import shlex
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from clearprop.data.class_names import alike_in_words, match_names, told
from clearprop.data.dataset import Dataset
from clearprop.data.pictures import tree
from clearprop.data.pictures.decoded import read_or_decode
from clearprop.data.pictures.depth import FULL, Depth
from clearprop.data.pictures.files import usual_size
from clearprop.data.selected_rows import on_disk
from clearprop.data.tables.table import Table
from clearprop.data.whole import whole
from clearprop.data.whole.whole import Memory
from clearprop.errors import DataError, listed

_ADVICE = "Rename the folder, or remove it."


def read_folder(
    root: Path,
    size: tuple[int, int] | None = None,
    channels: int = 3,
    depth: Depth | None = None,
    memory: Memory = whole.DEFAULT,
) -> Dataset:
    """Read a folder whose folders are named after the classes of the pictures in them.

    Classes are the folders' names in sorted order, and so are the files of each. Pictures in
    folders of a class folder belong to the class. Where folders are named like parts of the data,
    such as ``train``, ``valid`` and ``test_set``, the classes are those in the first.

    Parameters
    ----------
    root : Path
    size : (int, int), optional
        Height and width in pixels that every picture is brought to; by default that of
        `usual_size` for the pictures to train on.
    channels : {3, 1}, default 3
        RGB or grey.
    depth : Depth, optional
        The depth of pictures of more than 8 bits; by default the one of the training pictures.
    memory : Memory
        What pictures may take: more are decoded into a file where it keeps some.

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
    found = tree.walk_folder(root, passed)
    top = found.unwrapped()
    notes: list[str] = []
    parts = tree.find_parts(top, notes)
    if top is not found and len(parts) == 1:
        notes.append(f"The class folders lie in {top.path}.")
    names = _class_names(parts["train"], len(parts) > 1, passed, notes)
    size = size or usual_size(
        tree.Files.joined(one.every_picture() for one in parts["train"].classes())
    )
    as_named = {name: name for name in names}
    train, sizes = _read(root, parts["train"], as_named, names, (size, channels, depth), memory)
    if lost := [name for name, count in train.counts().items() if not count]:
        place = parts["train"].path / lost[0]
        faults = [problem for problem in train.problems if problem.source.startswith(str(place))]
        raise DataError(
            f"{place} has no picture that can be read: {(faults or train.problems)[0]}."
        )
    form = (size, channels, depth or train.depth or FULL)
    others: dict[str, Dataset] = {}
    for part in ("val", "test"):
        if part in parts and (labelled := _labelled(parts[part], part, names, notes)):
            others[part], more = _read(root, *labelled, names, form, memory)
            sizes |= more
    if sizes - {size}:
        notes.append(_brought_to(sizes, size))
    every_part = (train, *others.values())
    notes += dict.fromkeys(note for one in every_part for note in one.notes)
    if passed:
        notes.append(tree.passed_over(passed))
    return replace(
        train,
        validation=others.get("val"),
        test=others.get("test"),
        problems=tuple(problem for one in every_part for problem in one.problems),
        notes=tuple(notes),
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
    base = on_disk(dataset.X)
    memory = whole.DEFAULT if base is None else Memory(base.memory, base.path.parent)
    return read_folder(Path(dataset.name), (height, width), 3 if channels else 1, wanted, memory)


def _class_names(
    train: tree.Folder, is_part: bool, passed: Counter[str], notes: list[str]
) -> tuple[str, ...]:
    """Take the names of the class folders that hold pictures."""
    classes, path = train.classes(), train.path
    names = tuple(folder.name for folder in classes)
    if not classes:
        found = tree.told(train.pictures)
        if passed:
            found += f"; {tree.passed_over(passed)[:-1]}"
        predict = f" To predict them: {_predict(path)}" if train.pictures else ""
        shown = path.name or path
        expected = f"{shown}/CLASS/" + ("" if is_part else f" or {shown}/train/CLASS/")
        raise DataError(
            f"{path} has no class folders. Expected pictures in {expected}, one folder a class; "
            f"found {found}.{predict}"
        )
    if len(classes) < 2 <= len(train.folders):
        raise DataError(
            f"{path} has pictures in one folder only, {names[0]}; {_empty(train)}. "
            "Expected one folder a class."
        )
    notes += [*alike_in_words(names), *tree.wrappers_among(classes)]
    inside = [inner for folder in classes for inner in folder.folders]
    if deeper := tree.Files.joined(inner.every_picture() for inner in inside):
        lie = f"{tree.told(deeper)} lie in folders within the class folders"
        notes.append(f"{lie}: they belong to the class around them.")
    return names


def _labelled(
    folder: tree.Folder, part: str, names: tuple[str, ...], notes: list[str]
) -> tuple[tree.Folder, dict[str, str]] | None:
    """Return the folder of a part, and the classes that its folders mean, where it has any.

    Raises
    ------
    DataError
        If a folder is none of the classes.
    """
    while not folder.pictures and len(folder.folders) == 1:
        if not tree.names_no_class(folder.folders[0]):
            break
        folder = folder.folders[0]
    classes, count = folder.classes(), tree.count_of(folder.every_picture())
    if classes:
        try:
            matched = match_names([one.name for one in classes], names, advice=_ADVICE)
        except DataError as error:
            raise DataError(f"{folder.path}: {error}") from error
        notes.append(f"{folder.path} ({count}) is there {tree.PURPOSES[part]}.")
        if others := told(matched):
            notes.append(f"In {folder.path} classes were matched by name: {others}.")
        return folder, matched
    if folder.pictures:
        notes.append(
            f"{folder.path} ({count}) has no class folders, so it is left alone. To predict them: "
            f"{_predict(folder.path)}"
        )
    else:
        notes.append(f"{folder.path} holds no pictures.")
    return None


def _read(
    root: Path,
    part: tree.Folder,
    matched: Mapping[str, str],
    names: tuple[str, ...],
    form: tuple[tuple[int, int], int, Depth | None],
    memory: Memory,
) -> tuple[Dataset, frozenset[tuple[int, int]]]:
    """Read the pictures of a part, whose folders mean the classes that `matched` says.

    Returns
    -------
    Dataset, frozenset of (int, int)
        The pictures, and the sizes that they had.
    """
    places = {name: place for place, name in enumerate(names)}
    each = [folder.every_picture() for folder in part.classes()]
    classes = np.array([places[matched[folder.name]] for folder in part.classes()], np.int64)
    labels, paths = np.repeat(classes, [*map(len, each)]), tree.Files.joined(each)
    read = read_or_decode(paths, root, *form, memory)
    if len(read.problems) > len(paths) / 2:
        raise DataError(
            f"{len(read.problems)} of the {len(paths)} pictures in {part.path} can't be read: "
            f"{read.problems[0]}. Check that these are the pictures you mean."
        )
    notes = list(read.notes)
    if part.pictures:
        beside = f"beside the class folders in {part.path}"
        notes.insert(0, f"{tree.told(part.pictures)} {beside} without a class: left out.")
    if len(part.classes()) < len(part.folders):
        notes.insert(0, f"{_empty(part)}: left out.")
    dataset = Dataset(
        name=str(root),
        kind="pictures",
        X=read.pixels,
        y=labels[read.kept],
        class_names=names,
        sources=tuple(paths[row].relative_to(root).as_posix() for row in read.kept.tolist()),
        target_name="class",
        problems=read.problems,
        notes=tuple(notes),
        depth=read.depth,
    )
    return dataset, read.sizes


def _brought_to(sizes: Collection[tuple[int, int]], size: tuple[int, int]) -> str:
    """Say which sizes of pictures are changed."""
    small, large = (f"{height}x{width}" for height, width in (min(sizes), max(sizes)))
    which = f"{len(sizes)} sizes, from {small} to {large}," if len(sizes) > 1 else small
    return f"Pictures of {which} are brought to {size[0]}x{size[1]}."


def _empty(part: tree.Folder) -> str:
    """Say which class folders of a part hold no pictures."""
    empty = [one.name for one in part.folders if not one.every_picture()]
    holds = f"{part.path / empty[0]} holds" if len(empty) == 1 else f"{listed(empty)} hold"
    return f"{holds} no pictures"


def _predict(folder: Path) -> str:
    return f"clearprop predict MODEL {shlex.quote(str(folder))}"
