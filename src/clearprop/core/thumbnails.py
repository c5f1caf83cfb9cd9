"""Numbers as small pictures, each a PNG in a ``data:`` address."""

import base64
import io
from math import ceil

import numpy as np
from PIL import Image

from clearprop.core.parameters import Array

_LARGEST_SAMPLE = 64  # points along a side


def sample_picture(sample: Array) -> str:
    """Draw a sample, (H, W) or (H, W, 3): from 0 to 1 as it is, any other range stretched."""
    values = finite(sample)
    low, high = values.min(), values.max()
    if low < 0 or high > 1:
        values = (values / 2 - low / 2) / ((high / 2 - low / 2) or 1)  # halves can't overflow
    return address(shrunk(values, _LARGEST_SAMPLE))


def shrunk(picture: Array, largest: int) -> Image.Image:
    """Draw numbers 0..1, in at most so many points a side."""
    height, width = picture.shape[:2]
    factor = max(1, ceil(max(height, width) / largest))
    channels = picture.reshape(height, width, -1)
    small = [
        block_means(channels[:, :, channel], factor, factor) for channel in range(channels.shape[2])
    ]
    pixels = np.round(255 * np.stack(small, axis=2)).astype(np.uint8)
    return Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0])


def block_means(matrix: Array, rows: int, columns: int) -> Array:
    """Return the mean of every block of rows x columns; those at the end may be smaller."""
    if rows == columns == 1:
        return matrix
    means = matrix
    for axis, step in enumerate((rows, columns)):
        starts = np.arange(0, matrix.shape[axis], step)
        counts = np.diff(starts, append=matrix.shape[axis])
        counts = counts.reshape(-1, 1) if axis == 0 else counts
        means = np.add.reduceat(means, starts, axis=axis) / counts
    return means


def finite(values: Array) -> Array:
    """Return numbers in float64, with zero for what is not finite."""
    return np.nan_to_num(values.astype(np.float64), nan=0, posinf=0, neginf=0)


def address(image: Image.Image, **options: bytes) -> str:
    """Write a picture as an address."""
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True, **options)
    return "data:image/png;base64," + base64.b64encode(written.getvalue()).decode("ascii")
