"""Picture files to pixels, on every core, straight into one array."""

import math
import stat
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from threading import Condition
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clearprop.core.blas import available_cores
from clearprop.data.dataset import Problem
from clearprop.data.pictures.depth import FULL, Depth, deep_values, span_of
from clearprop.data.pictures.formats import (
    PictureBytes,
    Source,
    open_picture,
    why_not,
    why_not_decoded,
)
from clearprop.data.selected_rows import SelectedRows
from clearprop.errors import DataError, UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

DEFAULT_SIZE, LARGER_SIZE = (64, 64), (96, 96)
"""The sizes that pictures are brought to, where nobody says one: see `usual_size`."""

_MANY = 10_000  # pictures, which would take too long if they were larger
_LOOKED_AT = 200  # of them, evenly spread, that tell how large they are

PIXEL_LIMIT = 120_000_000
"""Pixels above which a picture is not decoded: more than a phone's camera takes."""

IN_FLIGHT = PIXEL_LIMIT
"""Pixels that are decoded at a time, by all threads of the process; a WebP takes 20 bytes each."""

_BATCH = 32  # files a thread takes at a time: the pool's own work stays small beside decoding

_MOVING = ("GIF", "PNG", "WEBP", "AVIF", "TIFF")  # a PSD has layers, a phone's JPEG a depth map

_ORIENTATION = 0x0112  # the tag of EXIF (CIPA DC-008, 4.6.4), and what undoes its values
_TURNS = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE"}
_TURNS |= {6: "ROTATE_270", 7: "TRANSVERSE", 8: "ROTATE_90"}

_OPAQUE = 255

_TOO_LARGE = f"has more than {PIXEL_LIMIT // 10**6} million pixels, which is not decoded"


@dataclass(frozen=True, eq=False)
class Pictures:
    """The pixels of a list of picture files.

    Parameters
    ----------
    pixels : ndarray or SelectedRows of uint8, shape (K, H, W, 3) or (K, H, W)
        The pictures that could be read, in the order of the files.
    kept : ndarray of int64, shape (K,)
        The places of their files in the list.
    problems : tuple of Problem
        The faults of the other files.
    depth : Depth or None
        The depth by which pictures of more than 8 bits were brought to 8; None if there are none.
    notes : tuple of str
        Sentences on what is not in the pixels.
    sizes : frozenset of (int, int)
        Every height and width that the files have, before they are turned upright.
    """

    pixels: NDArray[np.uint8] | SelectedRows
    kept: NDArray[np.int64]
    problems: tuple[Problem, ...]
    depth: Depth | None = None
    notes: tuple[str, ...] = ()
    sizes: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Look:
    """The facts of one file.

    Parameters
    ----------
    fault : str or None
        The reason why it can't be read.
    span : (float, float) or None
        The lowest and the highest value of a picture of more than 8 bits.
    moves, shows_through : bool
        Whether it has several frames, and transparent parts.
    size : (int, int) or None
        Height and width, where it can be read.
    """

    fault: str | None = None
    span: tuple[float, float] | None = None
    moves: bool = False
    shows_through: bool = False
    size: tuple[int, int] | None = None


class _Budget:
    """Permits for pixels in flight. A picture that is larger than all of them waits for all."""

    def __init__(self, pixels: int) -> None:
        self.total = self.free = pixels
        self.changed = Condition()

    @contextmanager
    def taken(self, pixels: int) -> Iterator[None]:
        share = min(pixels, self.total)
        with self.changed:
            self.changed.wait_for(lambda: self.free >= share)
            self.free -= share
        try:
            yield
        finally:
            with self.changed:
                self.free += share
                self.changed.notify_all()


@cache
def _budget_of(pixels: int) -> _Budget:
    """Return the budget that all who read pictures at the same time share."""
    return _Budget(pixels)


def usual_size(paths: Sequence[Path]) -> tuple[int, int]:
    """Return the height and width that pictures are brought to, where nobody says them.

    They are 64 pixels; 96 where there are fewer than 10,000 pictures, at least half of which have
    that many a side: what tells photographs apart is often small in them.
    """
    if len(paths) >= _MANY:
        return DEFAULT_SIZE
    with warnings.catch_warnings(action="ignore"):
        sides = [_shorter_side(path) for path in paths[:: max(len(paths) // _LOOKED_AT, 1)]]
    known = [side for side in sides if side is not None]
    return LARGER_SIZE if known and median(known) >= LARGER_SIZE[0] else DEFAULT_SIZE


def _shorter_side(path: Path) -> int | None:
    """Read from a file's beginning how large its picture is; None of what is no picture."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        with open_picture(path) as image:
            return min(image.size)
    except Exception:  # a decoder's answer to broken bytes may be any; `read_pictures` tells of it
        return None


def read_pictures(
    paths: Sequence[Source],
    size: tuple[int, int] = DEFAULT_SIZE,
    channels: int = 3,
    depth: Depth | None = None,
) -> Pictures:
    """Decode, turn upright, bring to one size.

    Any format that Pillow decodes by itself, of any colour mode; the first frame of several.
    Transparent parts become white. A picture that has the asked size keeps its pixels as they are;
    others are stretched or shrunk to it by Lanczos resampling.

    Parameters
    ----------
    paths : sequence of Path or PictureBytes
        The files, on disk or in memory.
    size : (int, int), default (64, 64)
        Height and width in pixels.
    channels : {3, 1}, default 3
        RGB or grey.
    depth : Depth, optional
        The depth of pictures of more than 8 bits; by default the one that covers all of them.

    Raises
    ------
    UsageError
        If `size` or `channels` can't be.
    DataError
        If the pixels don't fit in memory.
    """
    shape = (len(paths), *shape_of(size, channels))
    try:
        pixels = np.empty(shape, dtype=np.uint8)
    except (MemoryError, ValueError) as error:
        raise DataError(
            f"{len(paths)} pictures of {size[0]}x{size[1]} need "
            f"{np.prod(shape, dtype=float) / 2**30:.1f} GiB of memory. Choose a smaller size."
        ) from error
    places = range(len(paths))
    looks = dict(zip(places, decode(pixels, paths, places, depth), strict=True))
    spans = spans_of(looks)
    if spans and depth is None:
        covering = Depth.covering(spans.values())
        looks |= zip(spans, decode(pixels, paths, list(spans), covering), strict=True)
    kept = np.array([row for row, look in looks.items() if look.fault is None], dtype=np.int64)
    for row, old in enumerate(kept.tolist()):
        if row != old:  # close the gaps in place: a copy would take the memory twice
            pixels[row] = pixels[old]
    return pictures_of(pixels[: len(kept)], paths, looks, spans, depth)


def shape_of(size: tuple[int, int], channels: int) -> tuple[int, ...]:
    """Return the shape of a picture.

    Raises
    ------
    UsageError
        If there can't be such a picture.
    """
    if len(size) != 2 or min(size) < 1:
        raise UsageError(f"The size of pictures is {size}, expected a height and a width above 0.")
    if channels not in (1, 3):
        raise UsageError(f"Pictures have {channels} channels, expected 3 (RGB) or 1 (grey).")
    return size if channels == 1 else (*size, 3)


def spans_of(looks: Mapping[int, Look]) -> dict[int, tuple[float, float]]:
    """Return the lowest and the highest value of each picture of more than 8 bits, by its row."""
    return {row: look.span for row, look in looks.items() if look.span is not None}


def pictures_of(
    pixels: NDArray[np.uint8] | SelectedRows,
    paths: Sequence[Source],
    looks: Mapping[int, Look],
    spans: Mapping[int, tuple[float, float]],
    depth: Depth | None,
) -> Pictures:
    """Tell what was found in files whose pixels were read.

    Parameters
    ----------
    pixels : ndarray or SelectedRows of uint8
        Those of the files without a fault.
    paths : sequence of Path or PictureBytes
    looks : mapping of int to Look
        The facts of each file.
    spans : mapping of int to (float, float)
        See `spans_of`, before pictures were brought to a depth.
    depth : Depth or None
        The depth that was asked for.
    """
    notes = _noted(paths, looks, depth)
    if spans and depth is None:
        depth = Depth.covering(spans.values())
        notes.append(
            f"{_pictures(paths, spans, 'has', 'have')} more than 8 bits a colour: {depth.black:g} "
            f"to {depth.white:g} become 0 to 255."
        )
    return Pictures(
        pixels,
        np.array([row for row, look in looks.items() if look.fault is None], dtype=np.int64),
        tuple(Problem(str(paths[row]), look.fault) for row, look in looks.items() if look.fault),
        depth if spans else None,
        tuple(notes),
        frozenset(look.size for look in looks.values() if look.size),
    )


def _noted(paths: Sequence[Source], looks: Mapping[int, Look], depth: Depth | None) -> list[str]:
    """Tell of what is not in the pixels."""
    moves = [row for row, look in looks.items() if look.moves]
    through = [row for row, look in looks.items() if look.shows_through]
    beyond = [
        row for row, look in looks.items() if depth and look.span and look.span[1] > depth.white
    ]
    notes = []
    if moves:
        notes.append(f"{_pictures(paths, moves, 'has', 'have')} several frames; the first is read.")
    if through:
        notes.append(
            f"{_pictures(paths, through, 'has', 'have')} transparent parts, which become white."
        )
    if beyond and depth:
        notes.append(
            f"{_pictures(paths, beyond, 'has', 'have')} values above {depth.white:g}, which is "
            "white in the training pictures; they become white, too."
        )
    return notes


def _pictures(paths: Sequence[Source], rows: Collection[int], one: str, several: str) -> str:
    """Begin a sentence about some pictures: by name where there is one, else by their number."""
    first = paths[next(iter(rows))]
    return (
        f"{first} {one}" if len(rows) == 1 else f"{len(rows)} pictures, such as {first}, {several}"
    )


def decode(
    pixels: NDArray[np.uint8], paths: Sequence[Source], rows: Sequence[int], depth: Depth | None
) -> list[Look]:
    """Decode the pictures of some rows into them; deep ones without a depth are only looked at."""
    from concurrent.futures import ThreadPoolExecutor  # slow to import, seldom needed

    budget = _budget_of(IN_FLIGHT)

    def decode_batch(batch: Sequence[int]) -> list[Look]:
        return [_decode_into(pixels[row], paths[row], depth, budget) for row in batch]

    batches = [rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)]
    # Pillow warns of odd metadata, which does no harm, and of large pictures, which are refused
    # below. Filters belong to the whole process: only this thread sets them, around the others.
    with warnings.catch_warnings(action="ignore"):
        if len(batches) == 1:
            return decode_batch(rows)
        try:
            with ThreadPoolExecutor(available_cores()) as pool:
                looks = list(pool.map(decode_batch, batches))
        except RuntimeError:  # the system gives no more threads
            looks = list(map(decode_batch, batches))
    return [look for batch in looks for look in batch]


def _decode_into(
    row: NDArray[np.uint8], path: Source, depth: Depth | None, budget: _Budget
) -> Look:
    """Fill `row`, or say what is wrong with the file."""
    from PIL import Image, UnidentifiedImageError

    try:
        if isinstance(path, PictureBytes):
            size = len(path.content)
        elif stat.S_ISREG((about := path.stat()).st_mode):
            size = about.st_size
        else:  # opening a pipe would wait for ever
            return Look("is not a file")
        with open_picture(path) as image:
            if image.width * image.height > PIXEL_LIMIT:
                return Look(_TOO_LARGE)
            if fault := why_not_decoded(image, size):
                return Look(fault)
            stored = (image.height, image.width)
            moves = image.format in _MOVING and bool(getattr(image, "is_animated", False))
            height, width = row.shape[:2]
            # A JPEG can be decoded at 1/2, 1/4 or 1/8 at a fraction of the cost. At least twice the
            # size is left to the resampling; turned pictures swap their sides.
            image.draft(None, (2 * max(height, width),) * 2)
            # A progressive JPEG is held whole in memory, whatever size it is decoded at.
            held = stored if image.info.get("progressive") else (image.height, image.width)
            with budget.taken(math.prod(held)):
                values = deep_values(image, lambda: open_picture(path))
                span = None if values is None else span_of(values)
                if values is not None and depth is None:
                    return Look(span=span, moves=moves)
                picture, shows_through = _flat(image, values, depth)
                mode = "L" if row.ndim == 2 else "RGB"
                if picture.mode != mode:  # else it would be copied
                    picture = picture.convert(mode)
                if picture.size != (width, height):
                    picture = picture.resize((width, height), Image.Resampling.LANCZOS)
                row[...] = np.asarray(picture)
    except Image.DecompressionBombError:
        return Look(_TOO_LARGE)
    except UnidentifiedImageError:
        return Look(why_not(path))
    except MemoryError:
        return Look("does not fit in memory")
    except OSError as error:
        return Look(f"can't be read: {error.strerror or error}")
    except Exception as error:  # a decoder's answer to broken bytes may be any exception
        return Look(f"is broken: {error}")
    return Look(None, span, moves, shows_through, stored)


def _flat(image: "Image", values: NDArray[Any] | None, depth: Depth | None) -> tuple["Image", bool]:
    """Bring a picture upright and to 8 bits, and lay what is transparent on white.

    Returns
    -------
    PIL.Image.Image, bool
        The picture, and whether anything was transparent.
    """
    from PIL import Image

    image.load()  # of a TIFF, this already turns it
    try:
        turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # broken metadata, of which any exception may come
        turn = None
    if values is not None:
        if depth is None or (depth == FULL and values.dtype.kind == "f"):
            depth = Depth.covering([span_of(values)])
        image = Image.fromarray(depth.scale(values))
    shows_through = False
    if image.has_transparency_data:
        image = image.convert("RGBA")
        shows_through = image.getchannel("A").getextrema() != (_OPAQUE, _OPAQUE)
        if shows_through:
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image if turn is None else image.transpose(Image.Transpose[turn]), shows_through


def preview(path: Path, longest: int = 400) -> NDArray[np.uint8]:
    """Read one picture as a person would look at it: upright, in colour, in its own proportions.

    Parameters
    ----------
    path : Path
        A picture that `read_pictures` could read.
    longest : int, default 400
        Pixels of the longer side; a smaller picture keeps its size.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
    """
    with warnings.catch_warnings(action="ignore"), open_picture(path) as image:
        image.draft(None, (longest, longest))
        flat, _ = _flat(image, deep_values(image, lambda: open_picture(path)), None)
        picture = flat.convert("RGB")
    picture.thumbnail((longest, longest))
    return np.asarray(picture)
