"""Functions that a Python export is put together from: their very text is copied into it.

They need NumPy and each other alone, and their comments are for whoever reads the export.
"""

import base64
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

# Copied, too: spellings, and what it calls.
from clearprop.data.tables.table import number, number_text, spelled, spellings  # noqa: F401

Array = np.ndarray[Any, Any]


def cells_of(rows: Any, name: str) -> list[Any]:
    """Return a column's cells, of a mapping of columns (a data frame, too) or a list of rows."""
    if isinstance(rows, Sequence) and all(isinstance(row, Mapping) for row in rows):
        cells = [row.get(name) for row in rows]
    else:
        if name not in rows:
            raise KeyError(
                f"There is no column {name!r}. Leave its cells empty if nothing is known."
            )
        cells = list(rows[name])
    return [None if is_missing(cell) else cell for cell in cells]


def is_missing(cell: Any) -> bool:
    """Whether a cell is None, "", NaN, pandas's NA, or pandas's or NumPy's "not a time"."""
    # NA is neither equal nor unequal to anything. The others are unequal to themselves.
    return cell is None or type(cell).__name__ == "NAType" or bool(cell == "" or cell != cell)


def number_inputs(
    rows: Any,
    name: str,
    instead: float | None,
    centre: float,
    factor: float,
    is_pressed: bool,
    tells_gaps: bool,
) -> list[Array]:
    """Return (x - centre) factor of a column of numbers, and perhaps which of them are missing."""
    numbers = np.array(read(cells_of(rows, name), name, float, "a plain number", math.nan))
    missing = np.isnan(numbers)
    if instead is None and missing.any():
        raise ValueError(f"Row {int(missing.argmax()) + 1} of column {name!r} is missing.")
    filled = numbers if instead is None else np.where(missing, instead, numbers)
    z = (filled - centre) * factor
    if not np.isfinite(z).all():
        raise ValueError(f"Column {name!r} holds a number that is not finite.")
    inputs = [pressed(z) if is_pressed else z]
    return [*inputs, np.where(missing, 1.0, -1.0)] if tells_gaps else inputs


def category_inputs(
    rows: Any, name: str, categories: Sequence[str], table: Sequence[Sequence[float]]
) -> list[Array]:
    """Return each category's row of a table; the first is that of a missing or unknown one."""
    place = {category: at + 1 for at, category in enumerate(categories)}
    texts = ["" if cell is None else str(cell) for cell in cells_of(rows, name)]
    known = {
        text: next((place[one] for one in spellings(text) if one in place), 0)
        for text in set(texts)
    }
    return list(np.array(table, dtype=np.float64)[[known[text] for text in texts]].T)


def date_inputs(
    rows: Any,
    name: str,
    centres: Sequence[float],
    factors: Sequence[float],
    is_pressed: bool,
    tells_gaps: bool,
) -> list[Array]:
    """Return (part - centre) factor of days since 1970, year, month, weekday and perhaps hour."""
    nothing = np.datetime64("NaT", "s")
    cells = cells_of(rows, name)
    dates = np.array(read(cells, name, as_seconds, "a date such as 2024-01-31", nothing))
    missing = np.isnat(dates)
    known = dates[~missing]
    days, months, years = (known.astype(f"datetime64[{unit}]") for unit in "DMY")
    hour, day = (known - days).astype(np.float64) / 3600, days.astype(np.int64)
    year, month = years.astype(np.int64) + 1970, (months - years).astype(np.int64) + 1
    parts = np.column_stack([day + hour / 24, year, month, (day + 3) % 7, hour])
    z = (parts[:, : len(centres)] - np.array(centres)) * np.array(factors)
    inputs = np.zeros((len(dates), len(centres)))
    inputs[~missing] = pressed(z) if is_pressed else z
    return [*inputs.T, np.where(missing, 1.0, -1.0)] if tells_gaps else list(inputs.T)


def as_seconds(cell: Any) -> Any:
    """Return a date to the second."""
    return np.datetime64(cell, "s")


def read(cells: list[Any], name: str, reader: Any, expected: str, nothing: Any) -> list[Any]:
    """Read every cell, with `nothing` for a missing one."""
    found = []
    for row, cell in enumerate(cells, 1):
        try:
            found.append(nothing if cell is None else reader(cell))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"Row {row} of column {name!r} is {cell!r}, expected {expected}."
            ) from error
    return found


def pressed(z: Any) -> Any:
    """Return z / sqrt(1 + (z / 3)^2): between -3 and 3, and z where it is small."""
    return z / np.hypot(1.0, z / 3)


def resized(picture: Array, height: int, width: int) -> Array:
    """Bring a picture of bytes to a size by Lanczos's filter, as Pillow does, to the last bit."""
    # Levels are rounded after each of the two, so that their order counts.
    narrower, lower = picture.shape[1] - width, picture.shape[0] - height
    axes = [(1, width), (0, height)]
    for axis, wanted in axes[::-1] if lower > 0 and lower > 2 * narrower else axes:
        if picture.shape[axis] == wanted:
            continue
        weights = lanczos_weights(picture.shape[axis], wanted)
        lines = np.moveaxis(picture, axis, 0).astype(np.int64)
        sums = np.tensordot(weights, lines, axes=1) + 2**21
        picture = np.moveaxis(np.clip(sums >> 22, 0, 255), 0, axis).astype(np.uint8)
    return picture


def lanczos_weights(count: int, wanted: int) -> Array:
    """Return the weight of each old pixel of a line in each new one, in units of 2^-22."""
    scale = count / wanted
    stretch = max(scale, 1.0)
    weights = np.zeros((wanted, count), np.int64)
    for i in range(wanted):
        middle = (i + 0.5) * scale
        first = max(int(middle - 3 * stretch + 0.5), 0)
        stop = min(int(middle + 3 * stretch + 0.5), count)
        x = (np.arange(first, stop) - middle + 0.5) / stretch
        shares = np.where((x >= -3) & (x < 3), np.sinc(x) * np.sinc(x / 3), 0.0)
        scaled = shares / sum(shares.tolist()) * 2**22
        weights[i, first:stop] = np.trunc(scaled + np.where(scaled < 0, -0.5, 0.5))
    return weights


def windows_of(x: Array, size: tuple[int, int], stride: tuple[int, int]) -> Array:
    """Return the windows (N, I, J, C, p, q) of pictures (N, H, W, C)."""
    every = np.lib.stride_tricks.sliding_window_view(x, size, axis=(1, 2))
    return every[:, :: stride[0], :: stride[1]]


def convolution(
    x: Array,
    W: Array,
    b: Array,
    stride: tuple[int, int],
    before: tuple[int, int],
    after: tuple[int, int],
) -> Array:
    """Return y[n, i, j] = b + sum_pq x[n, i s + p, j t + q] W[p, q], of x with its border."""
    border = ((0, 0), (before[0], after[0]), (before[1], after[1]), (0, 0))
    windows = windows_of(np.pad(x, border), W.shape[:2], stride)
    return np.asarray(np.einsum("nijcpq,pqcf->nijf", windows, W, optimize=True) + b)


def normalised(x: Array, epsilon: float) -> Array:
    """Return (x - mean) / sqrt(variance + epsilon), by the moments of each sample."""
    away = x - x.mean(axis=1, keepdims=True)
    return np.asarray(away / np.sqrt((away**2).mean(axis=1, keepdims=True) + epsilon))


def waves(x: Array, w1: Array, b1: Array, W2: Array, b2: Array) -> Array:
    """Return cos(2 pi w1 x + b1) W2 + b2 of each number, one after the other."""
    c = np.cos(x[:, :, None] * (2 * np.pi * w1) + b1)
    return np.asarray((np.einsum("ndf,dfk->ndk", c, W2) + b2).reshape(len(x), -1))


def phi(x: Array) -> Array:
    """Return the normal distribution function."""
    halves = [0.5 * math.erfc(-z / math.sqrt(2)) for z in x.ravel().tolist()]
    return np.array(halves, x.dtype).reshape(x.shape)


def softmax(z: Array) -> Array:
    """Return exp(z) / sum(exp(z)) of each row."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def odds_against(z: Array) -> Array:
    """Return log((1 - p) / p) of each class by a softmax of z, from z: p itself may be 1."""
    against = np.empty_like(z)
    for k in range(z.shape[1]):
        others = np.delete(z, k, axis=1)
        largest = others.max(axis=1, keepdims=True)
        against[:, k] = np.log(np.exp(others - largest).sum(axis=1)) + largest[:, 0] - z[:, k]
    return against


def array_of(text: str, shape: tuple[int, ...], dtype: str) -> Array:
    """Return the numbers that a text in base64 holds."""
    return np.frombuffer(base64.b64decode(text), dtype).reshape(shape)
