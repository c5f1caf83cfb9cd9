"""Pictures as the published systems feed them: flat rows, divided by 255."""

from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from clearprop.data import Dataset
from clearprop.data.idx import read_idx_folder
from clearprop.data.picture_files import read_folder
from clearprop.errors import DataError
from clearprop.parameters import Array
from clearprop.reproduce.sources import CATS_1652, CATVNONCAT, MNIST

NOT_A_CAT_OR_CAT = ("not a cat", "cat")

COURSE_SIZES = ("209", "50", "12288")
"""The published numbers of training pictures, test pictures and features."""

_TRAINING_CATS_1652 = 1323


@dataclass(frozen=True, eq=False)
class Part:
    """The training or the test set.

    Parameters
    ----------
    X : ndarray of float64, shape (N, D)
        Pixels, 0 to 1.
    y : ndarray of int64, shape (N,)
        Class numbers; 1 is a cat.
    pictures : ndarray of uint8, shape (N, H, W, 3) or (N, H, W)
        As they were read.
    names : tuple of str, length N
        Of the files.
    """

    X: NDArray[np.float64]
    y: NDArray[np.int64]
    pictures: Array
    names: tuple[str, ...]


def course_cats(data: Path | None) -> tuple[Part, Part]:
    """Read the course's 209 training and 50 test pictures, in the course's order.

    Parameters
    ----------
    data : pathlib.Path or None
        The folder that holds ``catvnoncat``, or that folder itself. A picture's file name is its
        place in the course's order.

    Returns
    -------
    train, test : Part

    Raises
    ------
    UsageError, DataError
        If they are not there, or one can't be read.
    """
    train, test = _with_test(_whole(read_folder(CATVNONCAT.find(data))))
    return _in_course_order(train), _in_course_order(test)


def cats_1652(data: Path | None) -> tuple[Part, Part]:
    """Read 1652 pictures at 128x128, and split them at random.

    Parameters
    ----------
    data : pathlib.Path or None
        The folder that holds ``cats_1652``, or that folder itself.

    Returns
    -------
    train, test : Part
        1323 pictures, and the rest.

    Raises
    ------
    UsageError, DataError
        If they are not there, or one can't be read.
    """
    dataset = _whole(read_folder(CATS_1652.find(data), size=(128, 128)))
    order = np.random.RandomState(1).permutation(len(dataset))
    train, test = np.split(order, [_TRAINING_CATS_1652])
    if not test.size:
        raise DataError(
            f"{dataset.name} has {len(dataset)} pictures, which leaves none for the test: "
            f"{_TRAINING_CATS_1652} of 1652 are to be trained on."
        )
    return _cats(dataset.take(train), "cats"), _cats(dataset.take(test), "cats")


def mnist(data: Path | None) -> tuple[Part, Part]:
    """Read MNIST's 60000 training and 10000 test digits.

    Parameters
    ----------
    data : pathlib.Path or None
        The folder that holds ``mnist``, or that folder itself.

    Returns
    -------
    train, test : Part

    Raises
    ------
    UsageError, DataError
        If they are not there, or can't be read.
    """
    train, test = _with_test(read_idx_folder(MNIST.find(data)))
    return _part(train, train.y), _part(test, test.y)


def _whole(dataset: Dataset) -> Dataset:
    """Refuse to go on without a picture: figures would differ and nobody would know why."""
    if dataset.problems:
        raise DataError(f"{dataset.problems[0]}. Get the pictures anew.")
    return dataset


def _with_test(dataset: Dataset) -> tuple[Dataset, Dataset]:
    if dataset.test is None:
        raise DataError(f"{dataset.name} has no test set, which the experiment measures by.")
    return dataset, dataset.test


def _in_course_order(dataset: Dataset) -> Part:
    stems = [PurePath(source).stem for source in dataset.sources or ()]
    return _cats(dataset.take(np.argsort(stems, kind="stable")), "cat")


def _cats(dataset: Dataset, cat: str) -> Part:
    is_cat = dataset.y == (dataset.class_names or ()).index(cat)
    return _part(dataset, is_cat.astype(np.int64))


def _part(dataset: Dataset, y: NDArray[np.int64]) -> Part:
    pictures = np.asarray(dataset.X)
    names = tuple(dataset.source(row) for row in range(len(dataset)))
    return Part(pictures.reshape(len(pictures), -1) / 255, y, pictures, names)
