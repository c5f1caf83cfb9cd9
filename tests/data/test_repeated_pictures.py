"""Pictures that are there more than once are told, and only those."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn import datasets

from clearprop import load_data
from clearprop.data import Dataset
from clearprop.data.pictures.repeated import repeated


def photos(count: int = 8, seed: int = 0) -> Dataset:
    X = np.random.RandomState(seed).randint(0, 256, (count, 4, 4, 3)).astype(np.uint8)
    sources = tuple(f"{'ab'[row % 2]}/{row}.png" for row in range(count))
    return Dataset("photos", "pictures", X, np.arange(count) % 2, ("a", "b"), sources=sources)


def with_rows(dataset: Dataset, **copies: int) -> Dataset:
    X = dataset.X.copy()
    for to, of in copies.items():
        X[int(to.removeprefix("row"))] = X[of]
    return replace(dataset, X=X)


def test_different_pictures_say_nothing() -> None:
    assert repeated(photos()) == ()


def test_one_in_two_classes_is_named() -> None:
    (told,) = repeated(with_rows(photos(), row5=2))
    assert told.startswith("1 picture stands in two classes: a/2.png and b/5.png. ")


def test_one_in_two_parts_is_named() -> None:
    data = photos()
    test = replace(photos(seed=1), sources=tuple(f"test/{row}.png" for row in range(8)))
    test.X[4] = data.X[6]
    (told,) = repeated(replace(data, test=test))
    assert told.startswith("1 picture stands in two parts of the data: a/6.png and test/4.png. ")


def test_others_are_counted() -> None:
    (told,) = repeated(with_rows(photos(), row2=0, row4=0))
    assert told.startswith("2 pictures are there more than once")


def test_without_files_rows_are_named() -> None:
    (told,) = repeated(replace(with_rows(photos(), row1=0), sources=None))
    assert "row 0 (a) and row 1 (b)" in told


@pytest.mark.parametrize("name", ["digits", "iris"])
def test_known_data_say_nothing(name: str) -> None:
    data = load_data(name)
    assert repeated(data) == ()
    if name == "digits":
        assert len({one.tobytes() for one in datasets.load_digits().images}) == len(data)
