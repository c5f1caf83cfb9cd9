"""IDX files, gzipped or not: MNIST and its kin."""

import gzip
import math
import re
import zlib
from dataclasses import replace
from io import BufferedIOBase
from pathlib import Path

import numpy as np

from clearprop.data.dataset import Dataset, kind_of
from clearprop.data.format import DEFLATE_LIMIT, Format, cannot_read, list_folder, read_claimed
from clearprop.data.reading import DEFAULT, Reading
from clearprop.data.selected_rows import Array, require_finite
from clearprop.data.target import index_labels
from clearprop.errors import DataError

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_NAME = re.compile(r"(?P<stem>.*)(?P<what>images|labels)[-.]idx\d-ubyte(\.gz)?")


class Idx(Format):
    """Files named as MNIST's are: ``train-images-idx3-ubyte.gz``."""

    otherwise = "IDX images (NAME-images-idx3-ubyte)"
    takes_folders = True

    def owns(self, path: Path) -> bool:
        """Whether a file is named so."""
        return _NAME.fullmatch(path.name) is not None

    def read(self, path: Path, reading: Reading = DEFAULT) -> Dataset:
        """Read a file of images with the labels beside it, or a folder with training images.

        Raises
        ------
        DataError
            If there are no images, or several, or no labels; or a file is wrong.
        """
        return read_idx_folder(path) if path.is_dir() else _read_images(path)


def read_idx(path: Path) -> Array:
    """Read one IDX file.

    Parameters
    ----------
    path : Path
        A file, gzipped or not, whatever its name.

    Returns
    -------
    ndarray
        An array of the header's shape and dtype, in the machine's byte order.

    Raises
    ------
    DataError
        If it can't be read, or its header does not fit its true size.

    Notes
    -----
    Two zero bytes, one for the dtype, one for the number of dimensions, then each dimension as a
    big-endian 32-bit number, then the entries (LeCun, Cortes, Burges, "The MNIST database").
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            size = path.stat().st_size
            if not packed:
                return _read(file, size, path)
            with gzip.GzipFile(fileobj=file) as unpacked:
                return _read(unpacked, size * DEFLATE_LIMIT, path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is damaged: {error}. Get it anew.") from error
    except OSError as error:
        raise cannot_read(path, error) from error


def read_idx_folder(folder: Path) -> Dataset:
    """Read a folder with training images and labels, and test images and labels if it has them.

    Raises
    ------
    DataError
        If the training images are missing or not the only ones, or a file is wrong.
    """
    images = {
        part: [path for path in list_folder(folder) if _is_images(path, stems)]
        for part, stems in (("training", ("train",)), ("test", ("t10k", "test")))
    }
    for part, found in images.items():
        if len(found) > 1:
            raise DataError(
                f"{folder} has {len(found)} files of {part} images: "
                f"{', '.join(path.name for path in found)}. Give the path of the one you mean."
            )
    if not images["training"]:
        raise DataError(f"{folder} has no training images; expected train-images-idx3-ubyte[.gz].")
    train = _read_images(images["training"][0])
    test = _read_images(images["test"][0], train.class_names) if images["test"] else None
    return replace(train, name=str(folder), test=test)


def _read_images(path: Path, class_names: tuple[str, ...] | None = None) -> Dataset:
    """Read a file of images with the labels beside it, whose classes a test set shares."""
    labels_path = _labels_beside(path)
    X, labels = read_idx(path), read_idx(labels_path)
    if X.ndim < 2 or labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            f"{path.name} has shape {X.shape} and {labels_path.name} {labels.shape} of "
            f"{labels.dtype}; expected (N, height, width), and (N,) whole numbers."
        )
    require_finite(X, path.name)
    if class_names is None:
        class_names = tuple(str(label) for label in np.unique(labels).tolist())
    y = index_labels(labels, class_names, labels_path.name)
    return Dataset(str(path), kind_of(X), X, y, class_names, target_name="label")


def _read(stream: BufferedIOBase, most: int, path: Path) -> Array:
    magic = _read_header(stream, 4, path)
    if magic[:2] != b"\0\0" or magic[2] not in _DTYPES or magic[3] == 0:
        raise DataError(
            f"{path} is no IDX file: it starts with {magic.hex(' ')}, expected 00 00, a known "
            "type and the number of dimensions."
        )
    dtype = np.dtype(_DTYPES[magic[2]])
    sizes = _read_header(stream, 4 * magic[3], path)
    shape = tuple(np.frombuffer(sizes, dtype=">u4").tolist())
    claimed = math.prod(shape) * dtype.itemsize
    if not 0 < claimed <= most:
        raise DataError(
            f"{path} claims the shape {shape}, {claimed} bytes, which a file of its size can't "
            "hold. The file is damaged; get it anew."
        )
    flat = np.frombuffer(read_claimed(stream, claimed, str(path)), dtype=dtype)
    return flat.astype(dtype.newbyteorder("="), copy=False).reshape(shape)


def _read_header(stream: BufferedIOBase, size: int, path: Path) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise DataError(f"{path} ends within its header. The file is truncated; get it anew.")
    return data


def _is_images(path: Path, stems: tuple[str, ...]) -> bool:
    match = _NAME.fullmatch(path.name)
    return (
        match is not None
        and match["what"] == "images"
        and match["stem"].endswith(tuple(f"{stem}{sign}" for stem in stems for sign in "-_."))
    )


def _labels_beside(images: Path) -> Path:
    match = _NAME.fullmatch(images.name)
    if match is None or match["what"] != "images":
        raise DataError(
            f"{images} is not named as a file of images; expected NAME-images-idx3-ubyte[.gz]."
        )
    for path in list_folder(images.parent):
        other = _NAME.fullmatch(path.name)
        if other and other["what"] == "labels" and other["stem"] == match["stem"]:
            return path
    raise DataError(
        f"{images} has no labels beside it; expected {match['stem']}labels-idx1-ubyte[.gz] in the "
        "same folder."
    )
