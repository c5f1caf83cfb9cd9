"""Small pictures in many formats, whose bytes are wrong."""

import io
from collections.abc import Iterator
from functools import cache
from random import Random

import numpy as np
from mutations import changed_bytes
from PIL import Image

_FORMATS = {
    "png": ("PNG", ("RGB", "RGBA", "L", "P", "I;16", "1", "LA")),
    "jpg": ("JPEG", ("RGB", "L", "CMYK")),
    "gif": ("GIF", ("P", "L")),
    "bmp": ("BMP", ("RGB", "L", "1")),
    "webp": ("WEBP", ("RGB", "RGBA")),
    "tif": ("TIFF", ("RGB", "L", "I;16", "F", "CMYK")),
    "ppm": ("PPM", ("RGB", "L")),
}


def files(random: Random) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of files, without end."""
    while True:
        suffix, content = random.choice(_pictures())
        kind = random.random()
        if kind < 0.1:
            other, _ = random.choice(_pictures())
            yield f"picture.{other}", content
        elif kind < 0.15:
            yield f"picture.{suffix}", random.randbytes(random.choice((0, 1, 100)))
        else:
            yield f"picture.{suffix}", changed_bytes(content, random)


@cache
def _pictures() -> tuple[tuple[str, bytes], ...]:
    pixels = Image.fromarray(np.random.RandomState(0).randint(0, 256, (9, 7, 3)).astype("uint8"))
    found = []
    for suffix, (name, modes) in _FORMATS.items():
        for mode in modes:
            file, picture = io.BytesIO(), pixels.convert("L" if mode == "I;16" else mode)
            exif = Image.Exif()
            exif[0x0112] = 6  # turned by a quarter
            options = {"exif": exif} if name in ("JPEG", "PNG", "WEBP") else {}
            picture.convert(mode).save(file, name, **options)
            found.append((suffix, file.getvalue()))
    return tuple(found)
