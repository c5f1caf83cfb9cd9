"""Pictures of any kind, written as files and read."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, features

from clearprop.data.pictures.files import read_pictures

RANDOM = np.random.RandomState(7)


def noise(height: int = 8, width: int = 8) -> NDArray[np.uint8]:
    return RANDOM.randint(0, 256, size=(height, width, 3)).astype(np.uint8)


def require(suffix: str) -> None:
    if not features.check({".jp2": "jpg_2000", ".avif": "avif"}.get(suffix, "zlib")):
        pytest.skip(f"this Pillow was built without {suffix}")


def save(path: Path, pixels: NDArray[Any], **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_png(path: Path, header: tuple[int, ...], rows: bytes, *more: bytes) -> Path:
    """Write a PNG of any header (width, height, bits, colours), with further chunks."""
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", *header, 0, 0, 0))
        + b"".join(more)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return path


def read_one(path: Path, size: tuple[int, int] = (8, 8), channels: int = 3) -> NDArray[np.uint8]:
    read = read_pictures([path], size, channels)
    assert read.problems == ()
    return read.pixels[0]
