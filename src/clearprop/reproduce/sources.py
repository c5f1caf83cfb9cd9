"""The data of the published systems: where they lie, and how the systems are fed with them.

Pictures become flat rows, divided by 255. Each reader takes the folder that holds the data's own
folder, or that folder itself, and raises UsageError for None, and DataError where the data are not
there, or one of them can't be read.
"""

from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from clearprop.core.parameters import Array
from clearprop.data import Dataset
from clearprop.data.arrays.idx import read_idx_folder
from clearprop.data.pictures.folders import read_folder
from clearprop.errors import DataError, UsageError

_TRAINING_CATS_1652 = 1323


@dataclass(frozen=True)
class Source:
    """A folder of data that experiments need.

    Parameters
    ----------
    name : str
        The name of the folder.
    sign : str
        A glob pattern of something that lies in it.
    what : str
        The content, in words.
    """

    name: str
    sign: str
    what: str

    def find(self, data: Path | None) -> Path:
        """Return the folder itself.

        Parameters
        ----------
        data : pathlib.Path or None
            The folder that holds it, or the folder itself.

        Raises
        ------
        UsageError
            If `data` is None.
        DataError
            If it is not there.
        """
        if data is None:
            raise UsageError(
                f"This experiment needs {self.what}. Give the folder that holds {self.name} with "
                "--data DIR."
            )
        for folder in (data / self.name, data):
            if any(folder.glob(self.sign)):
                return folder
        raise DataError(
            f"{data} does not hold {self.what}: looked for {data / self.name / self.sign} and "
            f"{data / self.sign}. Give the folder that holds {self.name} with --data."
        )

    def is_in(self, data: Path | None) -> bool:
        """Whether `find` would find it."""
        try:
            self.find(data)
        except (DataError, UsageError):
            return False
        return True


CATVNONCAT = Source(
    "catvnoncat", "train/cat", "the course's 209 + 50 pictures, train and test by class"
)
MNIST = Source("mnist", "train*images*idx3-ubyte*", "the four IDX files of MNIST")
CATS_1652 = Source("cats_1652", "cats", "852 pictures in cats/ and 800 in random_images/")


@dataclass(frozen=True, eq=False)
class Part:
    """The training, held-out or test set.

    Parameters
    ----------
    X : ndarray of float64, shape (N, D)
    y : ndarray of int64, shape (N,)
        The class numbers; 1 is a cat.
    """

    X: Array
    y: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pictures(Part):
    """Pictures, of which X holds the pixels, 0 to 1.

    Parameters
    ----------
    pictures : ndarray of uint8, shape (N, H, W, 3) or (N, H, W)
        The pictures as they were read.
    names : tuple of str, length N
        The names of the files.
    """

    pictures: Array
    names: tuple[str, ...]


def course_cats(data: Path | None) -> tuple[Pictures, Pictures]:
    """Read the course's 209 training and 50 test pictures, in the course's order.

    A picture's file name is its place in that order.
    """
    train, test = _with_test(_whole(read_folder(CATVNONCAT.find(data))))
    return _in_course_order(train), _in_course_order(test)


def cats_1652(data: Path | None) -> tuple[Pictures, Pictures]:
    """Read 1652 pictures at 128x128, and split them at random: 1323 to train on, and the rest."""
    dataset = _whole(read_folder(CATS_1652.find(data), size=(128, 128)))
    order = np.random.RandomState(1).permutation(len(dataset))
    train, test = np.split(order, [_TRAINING_CATS_1652])
    if not test.size:
        raise DataError(
            f"{dataset.name} has {len(dataset)} pictures, which leaves none for the test: "
            f"{_TRAINING_CATS_1652} of 1652 are to be trained on."
        )
    return _cats(dataset.take(train), "cats"), _cats(dataset.take(test), "cats")


def mnist(data: Path | None) -> tuple[Pictures, Pictures]:
    """Read MNIST's 60000 training and 10000 test digits."""
    train, test = _with_test(read_idx_folder(MNIST.find(data)))
    return _pictures(train, train.y), _pictures(test, test.y)


def _whole(dataset: Dataset) -> Dataset:
    """Refuse to go on without a picture: figures would differ and nobody would know why."""
    if dataset.problems:
        raise DataError(f"{dataset.problems[0]}. Get the pictures anew.")
    return dataset


def _with_test(dataset: Dataset) -> tuple[Dataset, Dataset]:
    if dataset.test is None:
        raise DataError(f"{dataset.name} has no test set, which the experiment measures by.")
    return dataset, dataset.test


def _in_course_order(dataset: Dataset) -> Pictures:
    stems = [PurePath(source).stem for source in dataset.sources or ()]
    return _cats(dataset.take(np.argsort(stems, kind="stable")), "cat")


def _cats(dataset: Dataset, cat: str) -> Pictures:
    is_cat = dataset.y == (dataset.class_names or ()).index(cat)
    return _pictures(dataset, is_cat.astype(np.int64))


def _pictures(dataset: Dataset, y: NDArray[np.int64]) -> Pictures:
    pictures = np.asarray(dataset.X)
    names = tuple(dataset.source(row) for row in range(len(dataset)))
    return Pictures(pictures.reshape(len(pictures), -1) / 255, y, pictures, names)
