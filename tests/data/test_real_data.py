"""The real data sets beside the project."""

from pathlib import Path

import numpy as np
import pytest

from clearprop.data import load


@pytest.mark.parametrize("part", ["train", "test"])
def test_the_course_s_pictures_equal_its_hdf5_arrays_bit_for_bit(
    shared_data: Path, part: str
) -> None:
    pytest.importorskip("h5py", reason="the extra h5 is not installed")
    folders = load(shared_data / "catvnoncat")
    arrays = load(shared_data / "catvnoncat" / "h5")
    pictures, course = (folders.test, arrays.test) if part == "test" else (folders, arrays)
    assert pictures is not None
    assert course is not None
    assert pictures.sources is not None
    places = np.array([int(Path(source).stem) for source in pictures.sources])
    assert sorted(places.tolist()) == list(range(len(course)))
    np.testing.assert_array_equal(pictures.X, np.asarray(course.X)[places])
    is_cat = pictures.y == 0
    np.testing.assert_array_equal(is_cat, course.y[places] == 1)
    assert pictures.class_names == ("cat", "noncat")
    assert course.class_names == ("non-cat", "cat")


def test_mnist_has_its_known_counts_and_first_labels(shared_data: Path) -> None:
    dataset = load(shared_data / "mnist")
    assert np.shape(dataset.X) == (60000, 28, 28)
    assert dataset.y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert dataset.counts()["1"] == 6742
    assert dataset.test is not None
    assert len(dataset.test) == 10000
    assert dataset.test.y[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.asarray(dataset.X).mean() == pytest.approx(33.3184, abs=1e-3)


def test_the_photographs_have_their_counts(shared_data: Path) -> None:
    dataset = load(shared_data / "cats_1652", size=(32, 32))
    assert dataset.counts() == {"cats": 852, "random_images": 800}
    assert dataset.problems == ()
    assert np.shape(dataset.X) == (1652, 32, 32, 3)
