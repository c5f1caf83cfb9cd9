"""NPZ files of plain arrays."""

import math
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.data.dataset import Dataset, kind_of
from clearprop.data.format import DEFLATE_LIMIT, Format, Samples, cannot_read, read_claimed
from clearprop.data.reading import DEFAULT, Reading
from clearprop.data.selected_rows import Array, require_finite
from clearprop.data.target import index_labels, understand_target
from clearprop.errors import DataError, ShapeError

_HEADERS: dict[tuple[int, int], Callable[..., Any]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class Npz(Format):
    """NPZ files that NumPy writes; names of arrays may be written in capitals or not."""

    suffixes = (".npz",)
    takes_inputs = True

    def read(self, path: Path, reading: Reading = DEFAULT) -> Dataset:
        """Read X and y, or x_train, y_train and, where they are there, x_test and y_test.

        Returns
        -------
        Dataset
            Pictures if X is uint8 (N, H, W) or (N, H, W, 3), else an array;
            `dataset.understand_target` decides between classes and values.

        Raises
        ------
        DataError
            If an array is missing, damaged, no array of numbers, or has values that are not finite.
        ShapeError
            If X has fewer than two dimensions, or y more than two.
        """
        arrays = _read_arrays(path, ("x", "y", "x_train", "y_train", "x_test", "y_test"))
        x, y = ("x_train", "y_train") if "x_train" in arrays else ("x", "y")
        for name in (x, y):
            if name not in arrays:
                raise _missing(path, name)
        X, values = arrays[x], arrays[y]
        _check(X, values, f"{path.name}: {x}")
        indices, class_names = understand_target(values, y)
        test = None
        if "x_test" in arrays and "y_test" in arrays:
            X_test, held = arrays["x_test"], arrays["y_test"]
            _check(X_test, held, f"{path.name}: x_test")
            labels = (
                held.astype(np.float64)
                if class_names is None
                else index_labels(held, class_names, "y_test")
            )
            test = Dataset(f"{path}: test", kind_of(X_test), X_test, labels, class_names)
        return Dataset(str(path), kind_of(X), X, indices, class_names, test=test)

    def read_inputs(self, path: Path, reading: Reading = DEFAULT) -> Samples:
        """Read the array X alone, shape (N, ...).

        Raises
        ------
        DataError
            If it is missing, damaged, or no array of finite numbers.
        """
        arrays = _read_arrays(path, ("x",))
        if "x" not in arrays:
            raise _missing(path, "X")
        require_finite(arrays["x"], f"{path.name}: X")
        return Samples(arrays["x"])


def _check(X: Array, y: Array, name: str) -> None:
    if X.ndim < 2 or y.ndim not in (1, 2):
        raise ShapeError(
            f"{name} has shape {X.shape} and its targets {y.shape}; expected (N, ...) with at "
            "least one feature a sample, and (N,) or (N, outputs)."
        )
    if X.dtype.kind not in "biuf":
        raise DataError(f"{name} holds {X.dtype}, expected numbers.")
    require_finite(X, name)


def _missing(path: Path, name: str) -> DataError:
    return DataError(
        f"{path} has no array {name!r}; expected X and y, or x_train, y_train, x_test and y_test. "
        "Save them with numpy.savez(path, X=X, y=y)."
    )


def _read_arrays(path: Path, wanted: Iterable[str]) -> dict[str, Array]:
    """Read the wanted arrays that are there, by their names in small letters."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.lower(): info for info in archive.infolist()}
            return {
                name: _read(archive, members[f"{name}.npy"], f"{path}: {name}")
                for name in wanted
                if f"{name}.npy" in members
            }
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise DataError(f"{path} is no NPZ file, or damaged: {error}. Get it anew.") from error
    except OSError as error:
        raise cannot_read(path, error) from error


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Array:
    # Bytes that a member of this size can stand for: the archive's own claim is bounded by what
    # is really on disk before anything is allocated. NumPy writes no other compressions.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{name} is compressed in a way that NumPy does not use.")
    packed = info.compress_type == zipfile.ZIP_DEFLATED
    most = min(info.file_size, info.compress_size * (DEFLATE_LIMIT if packed else 1))
    with archive.open(info) as stream:
        try:
            version = np.lib.format.read_magic(stream)
            shape, fortran, dtype = _HEADERS[version](stream)
        except Exception as error:  # NumPy's parser may raise anything on a header from elsewhere
            raise DataError(f"{name} is no array that NumPy wrote: {error}.") from error
        if dtype.hasobject or dtype.kind not in "biufUS" or dtype.itemsize == 0:
            raise DataError(
                f"{name} holds {dtype}, which is not read because it can hide code or has no plain "
                "meaning here. Save numbers, or text for class labels."
            )
        claimed = math.prod(shape) * dtype.itemsize
        if min(shape, default=1) < 1 or claimed > most:
            raise DataError(
                f"{name} claims the shape {shape} of {dtype}, {claimed} bytes, which the file "
                "does not hold. It is empty or damaged; get it anew."
            )
        flat = np.frombuffer(read_claimed(stream, claimed, name), dtype=dtype)
    array = flat.reshape(shape, order="F" if fortran else "C")
    return np.ascontiguousarray(array, dtype=dtype.newbyteorder("="))
