"""Picture files and folders of them to pixels, on every core, straight into one array."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clearprop.core.blas import available_cores
from clearprop.data.dataset import Dataset, Problem
from clearprop.data.format import cannot_read, list_folder
from clearprop.errors import DataError, UsageError, listed

if TYPE_CHECKING:
    from PIL.Image import Image

DEFAULT_SIZE = (64, 64)

PIXEL_LIMIT = 120_000_000
"""Pixels above which a picture is not decoded: more than a phone's camera takes."""

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
_READ = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"}
_NOT_READ = {".heic", ".heif", ".avif", ".tif", ".tiff"}  # named in a problem, not passed over
_BATCH = 32  # files a thread takes at a time: the pool's own work stays small beside decoding


@dataclass(frozen=True, eq=False)
class Pictures:
    """The pixels of a list of picture files.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (K, H, W, 3) or (K, H, W)
        The pictures that could be read, in the order of the files.
    kept : ndarray of int64, shape (K,)
        The places of their files in the list.
    problems : tuple of Problem
        The faults of the other files.
    """

    pixels: NDArray[np.uint8]
    kept: NDArray[np.int64]
    problems: tuple[Problem, ...]


def named_like_a_picture(path: Path) -> bool:
    """Whether a visible file's suffix says that it is a picture, readable here or not."""
    return path.suffix.lower() in _READ | _NOT_READ and not path.name.startswith(".")


def read_pictures(
    paths: Sequence[Path], size: tuple[int, int] = DEFAULT_SIZE, channels: int = 3
) -> Pictures:
    """Decode, turn upright, bring to one size.

    JPEG, PNG, WebP, BMP and GIF (its first frame) of any colour mode. Transparent parts become
    white. A picture that has the asked size keeps its pixels as they are; others are stretched or
    shrunk to it by Lanczos resampling.

    Parameters
    ----------
    paths : sequence of Path
    size : (int, int), default (64, 64)
        Height and width in pixels.
    channels : {3, 1}, default 3
        RGB or grey.

    Raises
    ------
    UsageError
        If `size` or `channels` can't be.
    DataError
        If the pixels don't fit in memory.
    """
    from concurrent.futures import ThreadPoolExecutor  # slow to import, seldom needed

    if len(size) != 2 or min(size) < 1:
        raise UsageError(f"The size of pictures is {size}, expected a height and a width above 0.")
    if channels not in (1, 3):
        raise UsageError(f"Pictures have {channels} channels, expected 3 (RGB) or 1 (grey).")
    shape = (len(paths), *size) if channels == 1 else (len(paths), *size, 3)
    try:
        pixels = np.empty(shape, dtype=np.uint8)
    except (MemoryError, ValueError) as error:
        raise DataError(
            f"{len(paths)} pictures of {size[0]}x{size[1]} need "
            f"{np.prod(shape, dtype=float) / 2**30:.1f} GiB of memory. Choose a smaller size."
        ) from error

    def decode_batch(start: int) -> list[str | None]:
        stop = min(start + _BATCH, len(paths))
        return [_decode_into(pixels[row], paths[row]) for row in range(start, stop)]

    # Pillow warns of odd metadata, which does no harm, and of large pictures, which are refused
    # below. Filters belong to the whole process: only this thread sets them, around the others.
    with warnings.catch_warnings(), ThreadPoolExecutor(available_cores()) as pool:
        warnings.simplefilter("ignore")
        batches = list(pool.map(decode_batch, range(0, len(paths), _BATCH)))
    reasons = [reason for batch in batches for reason in batch]
    kept = np.array([row for row, reason in enumerate(reasons) if reason is None], dtype=np.int64)
    for row, old in enumerate(kept.tolist()):
        if row != old:  # close the gaps in place: a copy would take the memory twice
            pixels[row] = pixels[old]
    problems = [
        Problem(str(path), reason)
        for path, reason in zip(paths, reasons, strict=True)
        if reason is not None
    ]
    return Pictures(pixels[: len(kept)], kept, tuple(problems))


def _decode_into(row: NDArray[np.uint8], path: Path) -> str | None:
    """Fill `row`, or say what is wrong with the file."""
    from PIL import Image, UnidentifiedImageError

    if path.suffix.lower() in _NOT_READ:
        return f"is in a format that is not read ({path.suffix}); save it as JPEG or PNG"
    try:
        if path.exists() and not path.is_file():  # opening a pipe would wait for ever
            return "is not a file"
        with Image.open(path, formats=_FORMATS) as image:
            if image.width * image.height > PIXEL_LIMIT:
                return _too_large()
            row[...] = np.asarray(_uniform(image, row))
    except Image.DecompressionBombError:
        return _too_large()
    except UnidentifiedImageError:
        return "is not a JPEG, PNG, WebP, BMP or GIF picture"
    except OSError as error:
        return f"can't be read: {error.strerror or error}"
    except Exception as error:  # a decoder's answer to broken bytes may be any exception
        return f"is broken: {error}"
    return None


def _too_large() -> str:
    return f"has more than {PIXEL_LIMIT // 10**6} million pixels, which is not decoded"


def _uniform(image: "Image", row: NDArray[np.uint8]) -> "Image":
    """Bring a picture upright, to the colours and the size of `row`."""
    from PIL import Image, ImageOps

    height, width = row.shape[:2]
    # A JPEG can be decoded at 1/2, 1/4 or 1/8 at a fraction of the cost. At least twice the size
    # is left to the resampling; turned pictures swap their sides.
    image.draft(None, (2 * max(height, width),) * 2)
    upright = _flat(ImageOps.exif_transpose(image)).convert("L" if row.ndim == 2 else "RGB")
    if upright.size == (width, height):
        return upright
    return upright.resize((width, height), Image.Resampling.LANCZOS)


def _flat(image: "Image") -> "Image":
    """Bring 16 bits to 8, and lay what is transparent on white."""
    from PIL import Image

    if image.mode.startswith("I"):  # Pillow would cut off at 255 instead
        return Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8))
    if not image.has_transparency_data:
        return image
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA"))


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
    from PIL import Image, ImageOps

    with Image.open(path, formats=_FORMATS) as image:
        image.draft(None, (longest, longest))
        upright = _flat(ImageOps.exif_transpose(image)).convert("RGB")
    upright.thumbnail((longest, longest))
    return np.asarray(upright)


def read_folder(root: Path, size: tuple[int, int] = DEFAULT_SIZE, channels: int = 3) -> Dataset:
    """Read a folder whose folders are named after the classes of the pictures in them.

    Classes are the folders' names in sorted order, and so are the files of each. Hidden files and
    files not named like pictures are passed over.

    Parameters
    ----------
    root : Path
    size : (int, int), default (64, 64)
        Height and width in pixels that every picture is brought to.
    channels : {3, 1}, default 3
        RGB or grey.

    Returns
    -------
    Dataset
        Pictures, with the test set where there is one. Files that can't be read are its
        `problems`.

    Raises
    ------
    DataError
        If there are no class folders, a class has no readable picture, more than half of the
        pictures can't be read, or the test set has a class that the training set has not.
    """
    parts = {folder.name: folder for folder in _folders(root)}
    split = "train" in parts and bool(_folders(parts["train"]))
    top = parts["train"] if split else root
    classes = tuple(folder.name for folder in _folders(top))
    if not classes:
        raise DataError(
            f"{root} has no class folders. Expected pictures in {root.name or root}/CLASS/ or "
            f"{root.name or root}/train/CLASS/, one folder a class."
        )
    test = None
    if split and "test" in parts:
        test = _read_part(root, parts["test"], classes, size, channels)
    return _read_part(root, top, classes, size, channels, test)


def _read_part(
    root: Path,
    top: Path,
    classes: tuple[str, ...],
    size: tuple[int, int],
    channels: int,
    test: Dataset | None = None,
) -> Dataset:
    paths: list[Path] = []
    labels: list[int] = []
    for folder in _folders(top):
        if folder.name not in classes:
            raise DataError(
                f"{folder} is a class that is not in the training set; its classes are "
                f"{listed(classes)}."
            )
        found = [path for path in list_folder(folder) if named_like_a_picture(path)]
        if not found:
            raise DataError(f"{folder} holds no pictures. Fill it, or remove the folder.")
        paths += found
        labels += [classes.index(folder.name)] * len(found)
    read = read_pictures(paths, size, channels)
    y = np.array(labels, dtype=np.int64)
    _require_enough(top, y, read.kept, classes, read.problems)
    return Dataset(
        name=str(root),
        kind="pictures",
        X=read.pixels,
        y=y[read.kept],
        class_names=classes,
        sources=tuple(paths[row].relative_to(root).as_posix() for row in read.kept.tolist()),
        target_name="class",
        test=test,
        problems=read.problems + (test.problems if test else ()),
    )


def _require_enough(
    top: Path,
    y: NDArray[np.int64],
    kept: NDArray[np.int64],
    classes: tuple[str, ...],
    problems: tuple[Problem, ...],
) -> None:
    lost = sorted(set(y.tolist()) - set(y[kept].tolist()))
    if lost:
        raise DataError(
            f"{top / classes[lost[0]]} has no picture that can be read: {problems[0]}."
            if len(problems) == 1
            else f"{top / classes[lost[0]]} has no picture that can be read; {problems[0]}, and "
            f"{len(problems) - 1} more."
        )
    if len(problems) > len(y) / 2:
        raise DataError(
            f"{len(problems)} of the {len(y)} pictures in {top} can't be read: {problems[0]}. "
            "Check that these are the pictures you mean."
        )


def _folders(root: Path) -> list[Path]:
    try:
        return [
            path for path in list_folder(root) if path.is_dir() and not path.name.startswith(".")
        ]
    except OSError as error:
        raise cannot_read(root, error) from error
