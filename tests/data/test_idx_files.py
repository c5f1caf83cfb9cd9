"""IDX files."""

import gzip
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from clearprop.data import load
from clearprop.data.arrays.idx import Idx, read_idx
from clearprop.errors import DataError

CODES = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}


def idx_bytes(array: NDArray[Any], shape: tuple[int, ...] | None = None) -> bytes:
    shape = array.shape if shape is None else shape
    code = CODES[array.dtype.str[1:]]
    header = struct.pack(f">BBBB{len(shape)}I", 0, 0, code, len(shape), *shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write_mnist_like(folder: Path, zipped: bool = True, sign: str = "-") -> NDArray[np.uint8]:
    images = np.arange(6 * 4 * 5, dtype=np.uint8).reshape(6, 4, 5)
    labels = np.array([3, 5, 3, 5, 7, 7], dtype=np.uint8)
    pack, end = (gzip.compress, ".gz") if zipped else (bytes, "")
    for part, rows in (("train", slice(0, 6)), ("t10k", slice(0, 3))):
        for what, array in (("images", images[rows]), ("labels", labels[rows])):
            name = f"{part}-{what}{sign}idx{array.ndim}-ubyte{end}"
            (folder / name).write_bytes(pack(idx_bytes(array)))
    return images


@given(
    array=arrays.arrays(
        st.sampled_from(sorted(CODES)), arrays.array_shapes(min_dims=1, max_dims=4, max_side=5)
    ),
    zipped=st.booleans(),
)
def test_every_dtype_and_shape_comes_back(
    tmp_path_factory: pytest.TempPathFactory, array: NDArray[Any], zipped: bool
) -> None:
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(gzip.compress(idx_bytes(array)) if zipped else idx_bytes(array))
    read = read_idx(path)
    np.testing.assert_array_equal(read, array)
    assert read.dtype == array.dtype
    assert read.dtype.isnative


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("sign", ["-", "."])
def test_a_folder_of_the_four_files_is_a_set_with_its_test_set(
    tmp_path: Path, zipped: bool, sign: str
) -> None:
    images = write_mnist_like(tmp_path, zipped, sign)
    dataset = load(tmp_path)
    assert dataset.kind == "pictures"
    assert dataset.class_names == ("3", "5", "7")
    assert dataset.y.tolist() == [0, 1, 0, 1, 2, 2]
    np.testing.assert_array_equal(dataset.X, images)
    assert dataset.test is not None
    assert dataset.test.y.tolist() == [0, 1, 0]


def test_a_file_of_images_finds_its_labels(tmp_path: Path) -> None:
    write_mnist_like(tmp_path)
    dataset = load(tmp_path / "t10k-images-idx3-ubyte.gz")
    assert len(dataset) == 3
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match="no labels beside it; expected t10k-labels-idx1"):
        load(tmp_path / "t10k-images-idx3-ubyte.gz")


def test_a_file_of_labels_is_not_taken_for_images(tmp_path: Path) -> None:
    write_mnist_like(tmp_path)
    with pytest.raises(DataError, match="not named as a file of images"):
        load(tmp_path / "train-labels-idx1-ubyte.gz")


def test_a_label_that_only_the_test_set_has_is_named(tmp_path: Path) -> None:
    write_mnist_like(tmp_path)
    path = tmp_path / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(idx_bytes(np.array([3, 9, 3], dtype=np.uint8))))
    with pytest.raises(DataError, match=r"Row 2 of 't10k-labels.*is '9', which is none of the"):
        load(tmp_path)


def test_as_many_labels_as_images_are_expected(tmp_path: Path) -> None:
    write_mnist_like(tmp_path)
    path = tmp_path / "train-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(idx_bytes(np.array([3, 5], dtype=np.uint8))))
    with pytest.raises(ValueError, match="6 samples and 2 targets"):
        load(tmp_path)


def test_two_files_of_training_images_ask_for_a_choice(tmp_path: Path) -> None:
    write_mnist_like(tmp_path)
    (tmp_path / "letters-train-images-idx3-ubyte").write_bytes(b"")
    with pytest.raises(DataError, match="2 files of training images"):
        load(tmp_path)


ZEROS = np.zeros((10, 4), dtype=np.uint8)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "ends within its header"),
        (b"\0\0", "ends within its header"),
        (b"\0\0\x08\x03\0\0", "ends within its header"),
        (b"PK\x03\x04" + bytes(20), "no IDX file: it starts with 50 4b 03 04"),
        (b"\0\0\x07\x01" + bytes(20), "no IDX file"),
        (b"\0\0\x08\x00" + bytes(20), "no IDX file"),
        (idx_bytes(ZEROS)[:-1], "can't hold|header claims 40"),
        (idx_bytes(ZEROS) + b"\0", "goes on after the 40 bytes"),
        (idx_bytes(ZEROS, (0, 4)), "can't hold"),
        (idx_bytes(ZEROS, (2**32 - 1, 2**32 - 1)), "can't hold"),
        (idx_bytes(ZEROS, (2**32 - 1,) * 255), "claims 255 dimensions, expected at most 64"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_a_header_that_does_not_fit_the_file_is_refused(
    tmp_path: Path, content: bytes, message: str, zipped: bool
) -> None:
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(DataError, match=message):
        read_idx(path)


@pytest.mark.parametrize("cut", [5, 15, -4])
def test_a_truncated_gzip_file_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "file"
    noise = np.random.RandomState(0).randint(0, 256, size=(20, 20)).astype(np.uint8)
    path.write_bytes(gzip.compress(idx_bytes(noise))[:cut])
    with pytest.raises(DataError, match=r"damaged|truncated"):
        read_idx(path)


def test_a_claim_is_not_allocated_and_a_bomb_not_unpacked(tmp_path: Path) -> None:
    lying = tmp_path / "lying"
    # 64 KiB of real data behind a claim of 60 MB, which deflate could just have reached.
    lying.write_bytes(gzip.compress(idx_bytes(ZEROS, (60_000_000,)) + np.random.bytes(2**16)))
    bomb = tmp_path / "bomb"
    bomb.write_bytes(gzip.compress(idx_bytes(ZEROS) + bytes(2**26)))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="header claims 60000000"):
            read_idx(lying)
        with pytest.raises(DataError, match="goes on after the 40 bytes"):
            read_idx(bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * 2**20


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone can't be read: No such file"):
        read_idx(tmp_path / "gone")


def test_what_kaggle_packs_is_read_by_any_of_its_names(tmp_path: Path) -> None:
    images = write_mnist_like(tmp_path, zipped=False, sign=".")
    for file in list(tmp_path.iterdir()):  # and a folder beside each, with a copy of the file in it
        name = file.name.replace(".idx", "-idx")
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_bytes(file.read_bytes())
    whole = load(tmp_path)
    assert whole.test is not None
    assert (len(whole), len(whole.test)) == (6, 3)
    assert len([note for note in whole.notes if "is left out" in note]) == 2
    for name in (
        "train-images.idx3-ubyte",
        "train-images-idx3-ubyte",
        "train-images-idx3-ubyte/train-images-idx3-ubyte",
    ):
        dataset = load(tmp_path / name)
        np.testing.assert_array_equal(dataset.X, images)
        assert dataset.y.tolist() == [0, 1, 0, 1, 2, 2]
    assert len(load(tmp_path / "t10k-images-idx3-ubyte")) == 3
    for file in [path for path in tmp_path.iterdir() if path.is_file()]:
        file.unlink()
    assert len(load(tmp_path)) == 6  # the folders alone
    assert len(load(tmp_path / "train-images-idx3-ubyte")) == 6


def test_files_may_lie_in_a_folder_of_any_name(tmp_path: Path) -> None:
    (tmp_path / "MNIST/raw").mkdir(parents=True)
    write_mnist_like(tmp_path / "MNIST/raw")
    assert len(load(tmp_path / "MNIST")) == 6


def test_images_alone_are_predicted_from(tmp_path: Path) -> None:
    images = write_mnist_like(tmp_path)
    read = Idx().read_inputs(tmp_path / "t10k-images-idx3-ubyte.gz").raw
    np.testing.assert_array_equal(read, images[:3])


def test_emnist_lies_on_its_side_and_counts_from_1(tmp_path: Path) -> None:
    images = np.arange(4 * 3 * 5, dtype=np.uint8).reshape(4, 3, 5)
    stem = tmp_path / "emnist-letters-train"
    Path(f"{stem}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx_bytes(images)))
    labels = np.array([1, 26, 1, 26], dtype=np.uint8)
    Path(f"{stem}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(labels)))
    dataset = load(tmp_path)
    np.testing.assert_array_equal(dataset.X, images.transpose(0, 2, 1))
    assert dataset.class_names == ("1", "26")
    assert dataset.notes[1].startswith("EMNIST's images lie on their side")


def test_the_first_of_qmnist_s_numbers_is_the_label(tmp_path: Path) -> None:
    images = np.zeros((3, 2, 2), np.uint8)
    numbers = np.arange(24, dtype=np.int32).reshape(3, 8)
    (tmp_path / "qmnist-train-images-idx3-ubyte").write_bytes(idx_bytes(images))
    (tmp_path / "qmnist-train-labels-idx2-int.gz").write_bytes(gzip.compress(idx_bytes(numbers)))
    assert load(tmp_path).class_names == ("0", "8", "16")


def test_a_folder_without_images_lists_what_was_found(tmp_path: Path) -> None:
    (tmp_path / "train-labels-idx1-ubyte").touch()
    with pytest.raises(
        DataError, match=r"no training images; .* but found train-labels-idx1-ubyte"
    ):
        load(tmp_path)
