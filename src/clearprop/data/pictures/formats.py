"""The formats of picture files: which are read, by what names they go, and how a file is opened."""

import struct
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, TypeAlias

from clearprop.core.reading import open_to_read, read_bounded
from clearprop.data.format import DEFLATE_LIMIT

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_FORMATS = (
    *("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF", "JPEG2000", "ICO", "ICNS"),
    *("DIB", "QOI", "PSD", "DDS", "SGI", "SUN", "PCX", "XBM", "XPM", "CUR", "MSP", "PCD", "FITS"),
    "TGA",  # the last, because it has no mark at its beginning
)
"""The formats that Pillow decodes by itself; EPS and WMF start other programs."""

_SUFFIXES_OF = {"MPO": "JPEG"}  # a phone's JPEG with a second picture, which has no opener

_SAVE = "; save it as JPEG or PNG"

_NOT_READ = dict.fromkeys((".heic", ".heif", ".hif"), f"is a HEIC picture, as phones make{_SAVE}")
_NOT_READ |= dict.fromkeys(
    (".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf", ".orf", ".rw2"),
    f"is a camera's raw picture, which is not read{_SAVE}",
)
_NOT_READ |= dict.fromkeys(
    (".eps", ".wmf", ".emf", ".svg", ".svgz"), f"is a drawing, which is not read{_SAVE}"
)
_NOT_READ |= {".jxl": f"is a JPEG XL picture, which is not read{_SAVE}"}
"""Names that people give pictures, and why these are not read: named, not passed over."""

_OPTIONAL = {".avif": "AVIF", ".avifs": "AVIF", ".webp": "WebP"}
"""Formats that Pillow may have been built without: it then knows no names of theirs."""

_BEGINNINGS = (
    (b"<", "is a web page or other text under a picture's name; get the picture anew"),
    (b"version https://git-lfs", "only points to a picture in Git LFS; fetch it with git lfs pull"),
)

_MARKED = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "ICO", "PSD")
"""Formats whose files begin with a mark that no text begins with."""

_LZW_LIMIT = (
    2731  # bytes that one can stand for: twelve bits name one of 4096 texts, each a longer one
)
_RUNS_LIMIT = 64  # by the length of a run: two bytes stand for 128 at most
_MOST_PIXELS = {"PNG": 8 * DEFLATE_LIMIT, "GIF": _LZW_LIMIT, "PPM": 8, "TIFF raw": 8}
_MOST_PIXELS |= dict.fromkeys(("TGA", "PCX", "PSD", "QOI", "TIFF packbits"), 8 * _RUNS_LIMIT)
_MOST_PIXELS |= {"TIFF tiff_lzw": 8 * _LZW_LIMIT}
_MOST_PIXELS |= dict.fromkeys(("TIFF tiff_deflate", "TIFF tiff_adobe_deflate"), 8 * DEFLATE_LIMIT)
"""Pixels that a byte of a file can stand for at most, where a format sets a bound: 8 to a byte."""

_HARMLESS = 2**22
"""Pixels that a file of any size may claim: some pictures are a dot on a large sheet."""

_LARGEST_PNG = 2**30  # bytes

_PNG = b"\x89PNG\r\n\x1a\n"
_LARGEST_PNG = 2**29  # bytes: the pixels that are read at most would not fill them
_NEEDED = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}


@dataclass(frozen=True)
class PictureBytes:
    """A picture file's bytes in memory.

    Parameters
    ----------
    name : str
        The name that messages call it by.
    content : bytes
    """

    name: str
    content: bytes

    def __str__(self) -> str:
        return self.name


Source: TypeAlias = Path | PictureBytes
"""The place of a picture: a file, or memory."""


@cache
def _registry() -> tuple[tuple[str, ...], frozenset[str]]:
    """Ask Pillow for the formats that it can open, and the suffixes of their files."""
    from PIL import Image

    registered = Image.registered_extensions()  # imports the plugins first
    formats = tuple(name for name in _FORMATS if name in Image.OPEN)
    return formats, frozenset(
        suffix for suffix, name in registered.items() if _SUFFIXES_OF.get(name, name) in formats
    )


def named_like_a_picture(path: PurePath) -> bool:
    """Whether a visible file's suffix says that it is a picture, readable here or not."""
    suffix = path.suffix.lower()
    return not path.name.startswith(".") and (
        suffix in _registry()[1] or suffix in _NOT_READ or _lacking(suffix) is not None
    )


def open_picture(path: Source) -> "ImageFile":
    """Open a picture of a format that is read, whatever its name says.

    Raises
    ------
    PIL.UnidentifiedImageError
        If it is none.
    OSError
        If it can't be read.
    """
    from PIL import Image, UnidentifiedImageError

    formats, _ = _registry()
    try:
        named = BytesIO(path.content) if isinstance(path, PictureBytes) else path
        return Image.open(named, formats=formats)
    except (UnidentifiedImageError, ValueError):
        if (bare := _without_metadata(path)) is None:
            raise
        return Image.open(BytesIO(bare), formats=("PNG",))


def why_not_decoded(image: "ImageFile", size: int) -> str | None:
    """Say why no file of `size` bytes can hold the pixels that this one claims; None if it can."""
    kind = image.format or ""
    by = f"TIFF {image.info.get('compression')}" if kind == "TIFF" else kind
    pixels = image.width * image.height
    if pixels <= _HARMLESS or by not in _MOST_PIXELS or pixels <= _MOST_PIXELS[by] * size:
        return None
    return (
        f"is damaged: it claims {image.height}x{image.width} pixels, which no {kind} picture of "
        f"{size:,} bytes can hold; get it anew"
    )


def _without_metadata(path: Source) -> bytes | None:
    """Return a PNG without the chunks that don't matter to its pixels, which may be broken."""
    if _head(path, len(_PNG)) != _PNG:
        return None
    content = path.content if isinstance(path, PictureBytes) else read_bounded(path, _LARGEST_PNG)
    kept, place = [_PNG], len(_PNG)
    while place + 12 <= len(content):
        length, name = struct.unpack_from(">I4s", content, place)
        end = place + 12 + length
        if name in _NEEDED:
            kept.append(content[place:end])
        place = end
    return b"".join(kept)


def why_not(path: Source) -> str:
    """Say why a file that could not be identified is no picture that is read."""
    from PIL import Image

    suffix = "" if isinstance(path, PictureBytes) else path.suffix.lower()
    head = _head(path, 64)
    if head[4:12] in (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypmif1", b"ftypmsf1"):
        return _NOT_READ[".heic"]
    if head[4:12] in (b"ftypavif", b"ftypavis"):
        suffix = ".avif"
    elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        suffix = ".webp"
    if lacking := _lacking(suffix):
        return (
            f"is a picture in {lacking}, which the Pillow that is installed was built without; "
            f"install Pillow anew with pip, or save it as JPEG or PNG"
        )
    if suffix in _NOT_READ:
        return _NOT_READ[suffix]
    for beginning, reason in _BEGINNINGS:
        if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(beginning):
            return reason
    if not head:
        return "is empty"
    for name in _MARKED:
        accepts = Image.OPEN[name][1] if name in Image.OPEN else None
        if accepts is not None and accepts(head[:16]) is True:
            return f"is a {name} picture that is damaged or ends too early; get it anew"
    return "is not a JPEG, PNG, WebP, GIF, BMP, TIFF or other picture that is read"


def _head(path: Source, count: int) -> bytes:
    """Return the first bytes."""
    if isinstance(path, PictureBytes):
        return path.content[:count]
    with open_to_read(path) as file:
        return file.read(count)


def _lacking(suffix: str) -> str | None:
    """Return the format of a suffix that Pillow was built without."""
    return None if suffix in _registry()[1] else _OPTIONAL.get(suffix)
