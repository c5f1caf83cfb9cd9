"""IDX files, gzipped or not: MNIST and its kin, however they were unpacked."""

import gzip
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from io import BufferedIOBase
from pathlib import Path
from typing import NamedTuple

import numpy as np

from clearprop.data.dataset import Dataset, kind_of
from clearprop.data.format import (
    DEFLATE_LIMIT,
    Format,
    Samples,
    claimed_bytes,
    foreign,
    read_claimed,
)
from clearprop.data.reading import DEFAULT, Reading
from clearprop.data.selected_rows import Array, require_finite
from clearprop.data.target import index_labels
from clearprop.errors import DataError, listed

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_NAME = re.compile(r"(?P<stem>.*)(?P<what>images|labels)[-._]?idx\d(-\w+)?(\.gz)?", re.IGNORECASE)
_PARTS = {"training": ("train",), "test": ("t10k", "test")}


class Idx(Format):
    """Files named as MNIST's are: ``train-images-idx3-ubyte.gz``."""

    otherwise = "IDX images (NAME-images-idx3-ubyte)"
    takes_folders = takes_inputs = True

    def owns(self, path: Path) -> bool:
        """Whether a file is named so."""
        return _NAME.fullmatch(path.name) is not None

    def owns_folder(self, folder: Path) -> bool:
        """Whether there are such files in a folder, or in a folder of it."""
        return bool(self.files_in(folder, inner=True))

    def read(self, path: Path, reading: Reading = DEFAULT) -> Dataset:
        """Read a file of images with the labels beside it, or a folder with training images.

        Raises
        ------
        DataError
            If there are no images, or several, or no labels; or a file is wrong.
        """
        return read_idx_folder(path) if path.is_dir() else _read_images(path)

    def read_inputs(self, path: Path, reading: Reading = DEFAULT) -> Samples:
        """Read a file of images alone.

        Raises
        ------
        DataError
            If it is one of labels, by its name, or damaged.
        """
        return Samples(_pixels(_images(path)))


class _Named(NamedTuple):
    """A file, and what its name says: ``("train", "images")`` for ``Train-Images.idx3-ubyte``."""

    path: Path
    stem: str
    what: str


def read_idx(path: Path) -> Array:
    """Read one IDX file.

    Parameters
    ----------
    path : Path
        A file, gzipped or not, whatever its name.

    Returns
    -------
    ndarray
        An array of the header's shape and dtype, in the machine's byte order. Bytes that are not
        gzipped stay in the file until they are looked at.

    Raises
    ------
    DataError
        If it can't be read, or its header does not fit its true size.

    Notes
    -----
    Two zero bytes, one for the dtype, one for the number of dimensions, then each dimension as a
    big-endian 32-bit number, then the entries (LeCun, Cortes, Burges, "The MNIST database").
    """
    with foreign(path, "IDX file"), path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if packed:
            with gzip.GzipFile(fileobj=file) as unpacked:
                shape, dtype = _read_header(unpacked, path)
                claimed = claimed_bytes(shape, dtype, size * DEFLATE_LIMIT, str(path))
                flat = np.frombuffer(read_claimed(unpacked, claimed, str(path)), dtype)
        else:
            shape, dtype = _read_header(file, path)
            start = file.tell()
            claimed = claimed_bytes(shape, dtype, size - start, str(path))
            if claimed < size - start:
                raise DataError(
                    f"{path} goes on after the {claimed} bytes that its header claims. The file is "
                    "damaged; get it anew."
                )
            flat = np.asarray(np.memmap(path, dtype, "r", start, (claimed // dtype.itemsize,)))
        return flat.astype(dtype.newbyteorder("="), copy=False).reshape(shape)


def read_idx_folder(folder: Path) -> Dataset:
    """Read training images and labels, and test images and labels if they are there.

    Each file may lie in the folder or in a folder of it, as where every one was unpacked into its
    own; of two that are named alike but for the signs between the words the outer is read. A
    folder with test images alone is read as a set of its own.

    Raises
    ------
    DataError
        If there are none, or several sets, or a file is wrong.
    """
    images: dict[str, dict[str, Path]] = {part: {} for part in _PARTS}
    notes = []
    for path, stem, what in _named_in(folder):
        part = next((part for part, ends in _PARTS.items() if stem.endswith(ends)), None)
        if what == "images" and part is not None:
            taken = images[part].setdefault(stem, path)
            if taken != path:
                notes.append(f"{path} is left out: {taken.name} is named alike.")
    for part, found in images.items():
        if len(found) > 1:
            raise DataError(
                f"{folder} has {len(found)} files of {part} images: "
                f"{listed(path.name for path in found.values())}. Give the path of "
                "the one you mean."
            )
    train, test = (next(iter(found.values()), None) for found in images.values())
    if train is None and test is None:
        raise DataError(
            f"{folder} has no training images; expected train-images-idx3-ubyte[.gz], but found "
            f"{listed(sorted(named.path.name for named in _named_in(folder)), 12)}."
        )
    if train is None:
        notes.append("There are no training images: these are the test images.")
    first = _read_images(train or test)  # type: ignore[arg-type]
    second = _read_images(test, first.class_names) if train and test else None
    return replace(first, name=str(folder), test=second, notes=(*first.notes, *notes))


def _named_in(folder: Path) -> Iterator[_Named]:
    """Walk over the files that are named so: those of the folder, then those of its folders."""
    return filter(None, map(_named, Idx().files_in(folder, inner=True)))


def _named(path: Path) -> _Named | None:
    match = _NAME.fullmatch(path.name)
    return match and _Named(path, match["stem"].lower().rstrip("-._"), match["what"].lower())


def _read_images(path: Path, class_names: tuple[str, ...] | None = None) -> Dataset:
    """Read a file of images with the labels beside it, whose classes a test set shares."""
    named = _images(path)
    labels_path = _labels_of(named)
    X, labels = _pixels(named), read_idx(labels_path)
    notes = [f"{path.name} holds the images, {labels_path} their labels."]
    if labels.ndim == 2 and labels.shape[1] == 8 and labels.dtype == np.int32:
        labels = labels[:, 0]  # Yadav and Bottou, "Cold case: the lost MNIST digits" (2019)
        notes.append("The first of QMNIST's eight numbers a digit is its label.")
    if X.ndim < 2 or labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            f"{path.name} has shape {X.shape} and {labels_path.name} {labels.shape} of "
            f"{labels.dtype}; expected (N, height, width), and (N,) whole numbers."
        )
    if _is_emnist(named):
        notes.append("EMNIST's images lie on their side: rows and columns are swapped.")
    if class_names is None:
        class_names = tuple(str(label) for label in np.unique(labels).tolist())
    y = index_labels(labels, class_names, labels_path.name)
    return Dataset(
        str(path), kind_of(X), X, y, class_names, target_name="label", notes=tuple(notes)
    )


def _images(path: Path) -> _Named:
    named = _named(path)
    if named is None or named.what != "images":
        raise DataError(
            f"{path} is not named as a file of images; expected NAME-images-idx3-ubyte[.gz]."
        )
    return named


def _is_emnist(images: _Named) -> bool:
    """Whether images are EMNIST's, whose pixels come column by column.

    Cohen, Afshar, Tapson, van Schaik, "EMNIST: an extension of MNIST to handwritten letters"
    (2017).
    """
    return images.stem.startswith("emnist")


def _pixels(images: _Named) -> Array:
    X = read_idx(images.path)
    require_finite(X, images.path.name)
    return X.swapaxes(1, 2) if _is_emnist(images) and X.ndim == 3 else X


def _labels_of(images: _Named) -> Path:
    """Find the labels of a file of images: beside it, or beside the folder that it lies in."""
    folder = images.path.parent
    outside = [folder.absolute().parent] if _NAME.fullmatch(folder.absolute().name) else []
    for place in (folder, *outside):
        for named in _named_in(place):
            if named.what == "labels" and named.stem == images.stem:
                return named.path
    raise DataError(
        f"{images.path} has no labels beside it; expected "
        f"{images.path.name.lower().split('images')[0]}labels-idx1-ubyte[.gz] in the same folder."
    )


def _read_header(stream: BufferedIOBase, path: Path) -> tuple[tuple[int, ...], np.dtype]:
    magic = _read_whole(stream, 4, path)
    if magic[:2] != b"\0\0" or magic[2] not in _DTYPES or magic[3] == 0:
        raise DataError(
            f"{path} is no IDX file: it starts with {magic.hex(' ')}, expected 00 00, a known "
            "type and the number of dimensions."
        )
    sizes = _read_whole(stream, 4 * magic[3], path)
    return tuple(np.frombuffer(sizes, dtype=">u4").tolist()), np.dtype(_DTYPES[magic[2]])


def _read_whole(stream: BufferedIOBase, size: int, path: Path) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise DataError(f"{path} ends within its header. The file is truncated; get it anew.")
    return data
