"""Folders of pictures: ``root/CLASS/*``, or ``root/train/CLASS/*`` with ``root/test/CLASS/*``."""

from pathlib import Path

import numpy as np

from clearprop.data.dataset import Dataset, Problem
from clearprop.data.format import cannot_read, list_folder
from clearprop.data.pictures import DEFAULT_SIZE, named_like_a_picture, read_pictures
from clearprop.errors import DataError


def read_folder(root: Path, size: tuple[int, int] = DEFAULT_SIZE, channels: int = 3) -> Dataset:
    """Read a folder whose folders are named after the classes of the pictures in them.

    Classes are the folders' names in sorted order, and so are the files of each. Hidden files and
    files not named like pictures are passed over.

    Parameters
    ----------
    root : Path
    size : (int, int), default (64, 64)
        Height and width in pixels that every picture is brought to.
    channels : {3, 1}, default 3
        RGB or grey.

    Returns
    -------
    Dataset
        Of pictures, with the test set where there is one. Pictures that can't be read are its
        `problems`.

    Raises
    ------
    DataError
        If there are no class folders, a class has no readable picture, more than half of the
        pictures can't be read, or the test set has a class that the training set has not.
    """
    parts = {folder.name: folder for folder in _folders(root)}
    split = "train" in parts and bool(_folders(parts["train"]))
    top = parts["train"] if split else root
    classes = tuple(folder.name for folder in _folders(top))
    if not classes:
        raise DataError(
            f"{root} has no class folders. Expected pictures in {root.name or root}/CLASS/ or "
            f"{root.name or root}/train/CLASS/, one folder a class."
        )
    test = None
    if split and "test" in parts:
        test = _read_part(root, parts["test"], classes, size, channels)
    return _read_part(root, top, classes, size, channels, test)


def _read_part(
    root: Path,
    top: Path,
    classes: tuple[str, ...],
    size: tuple[int, int],
    channels: int,
    test: Dataset | None = None,
) -> Dataset:
    paths: list[Path] = []
    labels: list[int] = []
    for folder in _folders(top):
        if folder.name not in classes:
            raise DataError(
                f"{folder} is a class that is not in the training set; its classes are "
                f"{', '.join(classes)}."
            )
        found = [path for path in list_folder(folder) if named_like_a_picture(path)]
        if not found:
            raise DataError(f"{folder} holds no pictures. Fill it, or remove the folder.")
        paths += found
        labels += [classes.index(folder.name)] * len(found)
    read = read_pictures(paths, size, channels)
    y = np.array(labels, dtype=np.int64)
    _require_enough(top, y, read.kept, classes, read.problems)
    return Dataset(
        name=str(root),
        kind="pictures",
        X=read.pixels,
        y=y[read.kept],
        class_names=classes,
        sources=tuple(paths[row].relative_to(root).as_posix() for row in read.kept.tolist()),
        target_name="class",
        test=test,
        problems=read.problems + (test.problems if test else ()),
    )


def _require_enough(
    top: Path,
    y: np.ndarray[tuple[int], np.dtype[np.int64]],
    kept: np.ndarray[tuple[int], np.dtype[np.int64]],
    classes: tuple[str, ...],
    problems: tuple[Problem, ...],
) -> None:
    lost = sorted(set(y.tolist()) - set(y[kept].tolist()))
    if lost:
        raise DataError(
            f"{top / classes[lost[0]]} has no picture that can be read: {problems[0]}."
            if len(problems) == 1
            else f"{top / classes[lost[0]]} has no picture that can be read; {problems[0]}, and "
            f"{len(problems) - 1} more."
        )
    if len(problems) > len(y) / 2:
        raise DataError(
            f"{len(problems)} of the {len(y)} pictures in {top} can't be read: {problems[0]}. "
            "Check that these are the pictures you mean."
        )


def _folders(root: Path) -> list[Path]:
    try:
        return [
            path for path in list_folder(root) if path.is_dir() and not path.name.startswith(".")
        ]
    except OSError as error:
        raise cannot_read(root, error) from error
