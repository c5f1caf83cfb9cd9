"""Mutated files of arrays: NPY, NPZ, IDX and HDF5, small, and wrong in every way."""

import gzip
import io
import struct
import zipfile
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

import numpy as np

_EXTREME = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1)
_NUMBERS = ("0", "-1", "3", "64", "65", "1e9", "2147483648", str(2**63), "9" * 30, "9" * 5000)
_TYPES = ("<f8", ">f8", "<f2", "|u1", "|b1", "<c16", "<U1", "<U99999", "|S3", "|O", "|V8", "<M8[s]")


def files(random: Random) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of files, without end."""
    while True:
        suffix, samples = random.choice(list(_samples().items()))
        name = "train-images-idx3-ubyte" if suffix == "idx" else f"X.{suffix}"
        if suffix != "h5" and random.random() < 0.3:
            yield name, _with_another_header(suffix, random)
            continue
        content = random.choice(samples)
        for _ in range(random.choice((1, 1, 1, 2, 5))):
            content = random.choice(_MUTATIONS)(content, random, samples)
        yield name, content


def _flip(content: bytes, random: Random, _: Any) -> bytes:
    found = bytearray(content)
    for _bit in range(random.choice((1, 1, 4, 16))):
        found[random.randrange(len(found))] ^= 1 << random.randrange(8)
    return bytes(found)


def _cut(content: bytes, random: Random, _: Any) -> bytes:
    return content[: random.randrange(1, len(content) + 1)]


def _without_a_piece(content: bytes, random: Random, _: Any) -> bytes:
    start = random.randrange(len(content))
    return content[:start] + content[start + random.randrange(1, 64) :] or b"\0"


def _with_a_number(content: bytes, random: Random, _: Any) -> bytes:
    size = random.choice("BHIQ")
    number = struct.pack(
        random.choice("<>") + size, random.choice(_EXTREME) % 2 ** (8 * struct.calcsize("=" + size))
    )
    start = random.randrange(len(content))
    return content[:start] + number + content[start + len(number) :]


def _spliced(content: bytes, random: Random, samples: tuple[bytes, ...]) -> bytes:
    other = random.choice(samples)
    return content[: random.randrange(1, len(content) + 1)] + other[random.randrange(len(other)) :]


def _padded(content: bytes, random: Random, _: Any) -> bytes:
    return content + random.randbytes(random.choice((1, 8, 4096)))


_MUTATIONS = (
    _flip,
    _flip,
    _cut,
    _without_a_piece,
    _with_a_number,
    _with_a_number,
    _spliced,
    _padded,
)


def _with_another_header(suffix: str, random: Random) -> bytes:
    """Make an array whose header is well formed and lies."""
    sizes = [random.choice(_NUMBERS) for _ in range(random.choice((0, 1, 2, 2, 3, 70)))]
    if suffix == "idx":
        numbers = [random.choice(_EXTREME) % 2**32 for _ in sizes]
        header = bytes([0, 0, random.choice((8, 9, 11, 12, 13, 14)), len(sizes)])
        content = header + struct.pack(f">{len(numbers)}I", *numbers) + bytes(48)
        return gzip.compress(content) if random.random() < 0.5 else content
    shape = f"({', '.join(sizes)}{',' if sizes else ''})"
    order = random.choice(("True", "False"))
    text = f"{{'descr': '{random.choice(_TYPES)}', 'fortran_order': {order}, 'shape': {shape}}}\n"
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) % 2**16) + text.encode() + bytes(96)
    return _zipped({"X": npy, "y": _npy(np.arange(6) % 2)}) if suffix == "npz" else npy


def _npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def _zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return stream.getvalue()


@cache
def _samples() -> dict[str, tuple[bytes, ...]]:
    """Make what is mutated: by suffix, small whole files."""
    X, y = np.arange(24.0).reshape(6, 4), np.arange(6) % 2
    pictures = np.arange(6 * 4 * 4, dtype=np.uint8).reshape(6, 4, 4)
    text = np.array(["cat", "dog", "cat", "dog", "owl", "owl"])
    members = {"X": _npy(pictures), "y": _npy(text)}
    idx = struct.pack(">BBBB3I", 0, 0, 8, 3, 6, 4, 4) + pictures.tobytes()
    found = {
        "npy": (_npy(X), _npy(np.asfortranarray(X)), _npy(text), _npy(X.astype(">f4"))),
        "npz": (
            _zipped(members),
            _zipped(members, zipfile.ZIP_STORED),
            _zipped({"X_train": _npy(X), "y_train": _npy(y), "X_test": _npy(X), "y_test": _npy(y)}),
            _zipped({"arr_0": _npy(X), "arr_1": _npy(np.eye(2)[y])}),
        ),
        "idx": (idx, gzip.compress(idx)),
    }
    return found | _hdf5(X, y)


def _hdf5(X: Any, y: Any) -> dict[str, tuple[bytes, ...]]:
    try:
        import h5py
    except ImportError:
        return {}
    contents = []
    for options in ({}, {"compression": "gzip", "chunks": (3, 4)}, {"compression": "lzf"}):
        stream = io.BytesIO()
        with h5py.File(stream, "w") as file:
            file.create_dataset("X", data=X, **options)
            file["y"] = y
            file["classes"] = ["no", "yes"]  # text of any length, in the heap
        contents.append(stream.getvalue())
    return {"h5": tuple(contents)}
