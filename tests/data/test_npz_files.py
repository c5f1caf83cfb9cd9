"""NPZ files."""

import io
import pickle
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from clearprop.data import load
from clearprop.data.arrays.npz import Npz
from clearprop.errors import DataError, ShapeError

X = np.arange(12, dtype=np.float64).reshape(6, 2)
Y = np.array([0, 1, 0, 1, 0, 1])


def save(path: Path, **held: Any) -> Path:
    np.savez(path, **held)
    return path


def npy_header(shape: tuple[int, ...], descr: str = "<f8") -> bytes:
    stream = io.BytesIO()
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue()


def save_member(path: Path, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("X.npy", content)
        whole = io.BytesIO()
        np.save(whole, Y)
        archive.writestr("y.npy", whole.getvalue())
    return path


@given(
    array=arrays.arrays(
        st.sampled_from(["u1", "i2", "<i8", ">i4", "f4", ">f8", "?"]),
        arrays.array_shapes(min_dims=2, max_dims=4, max_side=5),
        elements={"allow_nan": False, "allow_infinity": False},
    ),
    fortran=st.booleans(),
    packed=st.booleans(),
)
def test_every_dtype_shape_and_order_comes_back(
    tmp_path_factory: pytest.TempPathFactory, array: NDArray[Any], fortran: bool, packed: bool
) -> None:
    path = tmp_path_factory.mktemp("npz") / "data.npz"
    write = np.savez_compressed if packed else np.savez
    write(path, X=np.asfortranarray(array) if fortran else array)
    read = Npz().read_inputs(path).raw
    assert isinstance(read, np.ndarray)
    np.testing.assert_array_equal(read, array)
    assert read.flags.c_contiguous
    assert read.dtype.isnative


def test_x_and_y_are_a_set(tmp_path: Path) -> None:
    dataset = load(save(tmp_path / "a.npz", X=X, y=Y))
    assert dataset.kind == "array"
    assert dataset.class_names == ("0", "1")
    np.testing.assert_array_equal(dataset.X, X)
    assert dataset.y.tolist() == Y.tolist()


def test_four_arrays_are_a_set_with_its_test_set(tmp_path: Path) -> None:
    pictures = np.zeros((6, 4, 4), dtype=np.uint8)
    labels = np.array(["b", "a", "b", "a", "c", "c"])
    dataset = load(
        save(
            tmp_path / "a.npz",
            x_train=pictures,
            y_train=labels,
            x_test=pictures[:2],
            y_test=labels[4:],
        )
    )
    assert dataset.kind == "pictures"
    assert dataset.class_names == ("a", "b", "c")
    assert dataset.test is not None
    assert dataset.test.y.tolist() == [2, 2]


def test_values_with_several_outputs_are_regression(tmp_path: Path) -> None:
    values = np.linspace(0, 1, 12).reshape(6, 2)
    dataset = load(save(tmp_path / "a.npz", X=X, y=values))
    assert dataset.class_names is None
    np.testing.assert_array_equal(dataset.y, values)
    column = load(save(tmp_path / "b.npz", X=X, y=values[:, :1]))
    np.testing.assert_array_equal(column.y, values[:, 0])


def test_a_label_that_only_the_test_set_has_is_named(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", x_train=X, y_train=Y, x_test=X, y_test=Y + 1)
    with pytest.raises(DataError, match="Row 2 of 'y_test' is '2', which is none of the classes"):
        load(path)


@pytest.mark.parametrize(
    ("held", "error", "message"),
    [
        ({"X": X}, DataError, r"has samples, but no targets: X \(6x2\)\. Expected X and y"),
        (
            {"left": X, "right": X},
            DataError,
            r"has left \(6x2\), right \(6x2\), which does not say",
        ),
        ({"X": X, "y": Y[:5]}, ShapeError, "6 samples and 5 targets"),
        ({"X": X[:, 0], "y": Y}, ShapeError, r"X \(6\) and its targets y \(6\)"),
        ({"X": X, "y": np.float64(3)}, ShapeError, "6 samples and 1 targets"),
        ({"X": X.astype(str), "y": Y}, DataError, "expected numbers"),
        ({"X": X.astype(complex), "y": Y}, DataError, "complex128, which is not read"),
        ({"X": X[:0], "y": Y[:0]}, DataError, "shape 0x2 .*empty or damaged"),
        ({"X": X, "y": np.where(Y, np.nan, 1)}, DataError, "Row 2 of 'y', the target, is missing"),
        ({"X": X, "y": np.where(Y, np.inf, 1)}, DataError, "Row 2 of 'y', the target, is infinite"),
    ],
)
def test_arrays_that_can_t_be_learned_from_are_refused(
    tmp_path: Path, held: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        load(save(tmp_path / "a.npz", **held))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_named_by_its_position(tmp_path: Path, value: float) -> None:
    wrong = X.copy()
    wrong[3, 1] = value
    with pytest.raises(DataError, match=rf"\[3, 1\] is {value}"):
        load(save(tmp_path / "a.npz", X=wrong, y=Y))


class Planted:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("packed", [True, False])
def test_an_array_of_objects_is_refused_and_never_unpickled(tmp_path: Path, packed: bool) -> None:
    trace = tmp_path / "trace"
    pickle.loads(pickle.dumps(Planted(trace)))  # noqa: S301 - shows that the trap works
    assert trace.exists()
    trace.unlink()
    objects = np.empty((1, 1), dtype=object)
    objects[0, 0] = Planted(trace)
    write = np.savez_compressed if packed else np.savez
    write(tmp_path / "a.npz", X=objects, y=Y)
    with pytest.raises(DataError, match="can hide code"):
        load(tmp_path / "a.npz")
    assert not trace.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no array that NumPy wrote"),
        (b"not an array", "no array that NumPy wrote"),
        (npy_header((6, 2))[:40], "no array that NumPy wrote"),
        (npy_header((6, 2)).replace(b"'descr'", b"((((((("), "no array that NumPy wrote"),
        (npy_header((6, 2)) + bytes(95), "can't hold|header claims 96"),
        (npy_header((6, 2)) + bytes(97), "goes on after the 96 bytes"),
        (npy_header((10**9, 10**9)) + bytes(96), "can't hold"),
        (npy_header((-6, 2)) + bytes(96), "can't hold"),
        (npy_header((10**15, 10**3), "<U0") + bytes(96), "not read"),
        (npy_header((6, 2), "|V8") + bytes(96), "not read"),
    ],
)
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_header_that_does_not_fit_is_refused(
    tmp_path: Path, content: bytes, message: str, method: int
) -> None:
    with pytest.raises(DataError, match=message):
        load(save_member(tmp_path / "a.npz", content, method))


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = save_member(tmp_path / "a.npz", npy_header((6, 2)) + bytes(2**26))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="goes on after"):
            load(path)
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()


def test_compressions_that_numpy_does_not_write_are_refused(tmp_path: Path) -> None:
    path = save_member(tmp_path / "a.npz", npy_header((6, 2)) + bytes(96), zipfile.ZIP_BZIP2)
    with pytest.raises(DataError, match="NumPy does not use"):
        load(path)


def test_a_truncated_or_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", X=X, y=Y)
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    with pytest.raises(DataError, match="no NPZ file, or damaged"):
        load(path)
    place = whole.index(X.tobytes())
    path.write_bytes(whole[: place + 8] + b"\x07" + whole[place + 9 :])
    with pytest.raises(DataError, match="Bad CRC"):
        load(path)
    path.write_bytes(b"text")
    with pytest.raises(DataError, match="no NPZ file"):
        load(path)


def test_inputs_alone_are_read_without_targets(tmp_path: Path) -> None:
    np.testing.assert_array_equal(Npz().read_inputs(save(tmp_path / "a.npz", X=X)).raw, X)
    with pytest.raises(DataError, match="no array 'X'"):
        Npz().read_inputs(save(tmp_path / "b.npz", y=Y))


def test_names_and_places_that_no_archive_has_are_refused(tmp_path: Path) -> None:
    whole = save(tmp_path / "a.npz", X=X, y=Y).read_bytes()
    entry = whole.index(b"PK\x01\x02")
    flagged = bytearray(whole)
    flagged[entry + 8 : entry + 10] = (0x800).to_bytes(2, "little")  # the name is UTF-8,
    flagged[entry + 46] = 0xFF  # which it is not
    far = bytearray(whole)
    far[entry + 42 : entry + 46] = b"\xff" * 4  # the member's place is in an extra field,
    extra = (1).to_bytes(2, "little") + (8).to_bytes(2, "little") + (2**63).to_bytes(8, "little")
    far[entry + 30 : entry + 32] = len(extra).to_bytes(2, "little")
    name_end = entry + 46 + len("X.npy")
    far[name_end:name_end] = extra
    end = far.rindex(b"PK\x05\x06")
    size = int.from_bytes(far[end + 12 : end + 16], "little") + len(extra)
    far[end + 12 : end + 16] = size.to_bytes(4, "little")
    for content in (flagged, far):
        (tmp_path / "b.npz").write_bytes(content)
        with pytest.raises(DataError, match="no NPZ file, or damaged"):
            load(tmp_path / "b.npz")


def test_an_array_that_is_not_asked_for_may_be_of_objects(tmp_path: Path) -> None:
    meta = np.array([{"made": "by hand"}], dtype=object)
    dataset = load(save(tmp_path / "a.npz", X=X, y=Y, meta=meta))
    assert dataset.notes[1] == "Not used: meta (1 of Python objects)."


def test_a_folder_has_a_file_for_each_part(tmp_path: Path) -> None:
    for part, rows in (("train", 6), ("valid", 4), ("test", 2)):
        save(tmp_path / f"{part}.npz", features=X[:rows], targets=Y[:rows], names=Y[:rows])
    dataset = load(tmp_path)
    assert dataset.validation is not None
    assert dataset.test is not None
    assert [len(part) for part in (dataset, dataset.validation, dataset.test)] == [6, 4, 2]
    assert dataset.notes[-1] == "Not used: test/names (2), train/names (6), valid/names (4)."
    (tmp_path / "valid.npz").unlink()
    (tmp_path / "test.npz").unlink()
    assert len(load(tmp_path)) == 6
    (tmp_path / "cats").mkdir()
    with pytest.raises(DataError, match="picture"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n", "git lfs pull"),
        (b"\n\n<!DOCTYPE html>\n<html>", "it is a web page"),
    ],
)
@pytest.mark.parametrize("name", ["a.npz", "a.npy", "a.h5"])
def test_what_a_download_left_instead_is_named(
    tmp_path: Path, content: bytes, word: str, name: str
) -> None:
    if name == "a.h5":
        pytest.importorskip("h5py", reason="the extra h5 is not installed")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=word):
        load(tmp_path / name)
