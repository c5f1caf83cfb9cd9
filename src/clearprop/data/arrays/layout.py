"""The layout of arrays: which axis is which, whether they are pictures, and whether y is one-hot.

Every rule here is about shapes and values, never about names, and what it changed is a sentence.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearprop.data.selected_rows import Array, SelectedRows, blocks, changed, on_disk

Rows = Array | SelectedRows

_WHITE = 255


def laid_out(X: Rows, samples: int | None = None) -> tuple[Rows, tuple[str, ...]]:
    """Bring samples to the layout of this package: samples first, colours last, grey (N, H, W).

    - Where the first axis does not have as many entries as there are targets, but the last has,
      samples are last, as in courses (n_x, m) and in MATLAB's files: it is moved first.
    - (N, 3, H, W) and (N, 4, H, W) whose last axis is not 1, 3 or 4 long have their colours first:
      they are moved last.
    - (N, H, W, 1) and (N, 1, H, W) are grey: the axis of 1 is taken away.
    - The fourth channel of (N, H, W, 4) is left out where all its numbers are the same: opacity
      that says nothing.
    - Pictures of other numbers than bytes become bytes where nothing is lost, because as such they
      are drawn, take an eighth of the memory, and their model takes picture files; see
      `exact_pixels`.

    Parameters
    ----------
    X : ndarray or SelectedRows of numbers
        Chosen rows are all those of an array on disk.
    samples : int, optional
        The number of targets, where it is known.

    Returns
    -------
    X : ndarray or SelectedRows, shape (N, ...)
        A view where the numbers stay as they are.
    notes : tuple of str
        A sentence for everything that was changed.
    """
    notes = []
    if X.ndim > 1 and samples not in (None, X.shape[0]) and X.shape[-1] == samples:
        notes.append(f"The samples are the last axis of {_text(X.shape)}: it is taken as first.")
        X = _samples_first(X)
    if X.ndim == 4 and X.shape[1] in (3, 4) and X.shape[3] not in (1, 3, 4):
        turned = changed(X, lambda rows: np.moveaxis(rows, 1, -1))
        notes.append(
            f"The colours come first in {_text(X.shape)}: moved last, {_text(turned.shape)}."
        )
        X = turned
    elif X.ndim == 4 and 1 in (X.shape[1], X.shape[3]):
        is_last = X.shape[3] == 1
        grey = changed(X, lambda rows: rows[..., 0] if is_last else rows[:, 0])
        notes.append(f"The one channel of {_text(X.shape)} is taken for grey: {_text(grey.shape)}.")
        X = grey
    if X.ndim == 4 and X.shape[3] == 4:
        level = X[:1][0, 0, 0, 3]
        if all((one[..., 3] == level).all() for _, one in blocks(X)):
            notes.append("The fourth channel, the same number everywhere, is left out.")
            X = changed(X, lambda rows: rows[..., :3])
    pixels = exact_pixels(X)
    if pixels is not None:
        notes.append(f"The pictures, {X.dtype} {_span(X)}, are read as bytes: nothing is lost.")
        X = pixels
    return X, tuple(notes)


def exact_pixels(X: Rows) -> Rows | None:
    """Return pictures as bytes if they were made of bytes, and every number comes back from them.

    They were where (N, H, W) or (N, H, W, 3) numbers are whole, from 0 to 255 and reach above 127;
    or where floats are multiples of 1/255 from 0 to 1, and not 0 and 1 alone, which may stand for
    anything.
    """
    if X.dtype == np.uint8 or not _like_pictures(X.shape) or X.dtype.kind not in "iuf":
        return None
    whole, scaled = True, X.dtype.kind == "f"
    between, highest = False, 0.0
    for _, block in blocks(X):
        low, high = float(block.min()), float(block.max())
        if not (low >= 0 and high <= _WHITE):
            return None
        highest = max(highest, high)
        whole = whole and bool((block == np.round(block)).all())
        if scaled:
            spread = block.astype(np.float64) * _WHITE
            near = _WHITE * float(np.finfo(X.dtype).eps)
            scaled = high <= 1 and bool((np.abs(spread - np.round(spread)) <= near).all())
            between = between or bool(((block > 0) & (block < 1)).any())
        if not (whole or scaled):
            return None
    if scaled and between:
        return _as_bytes(X, _WHITE)
    return _as_bytes(X, 1) if whole and highest > _WHITE // 2 else None


def nearest_pixels(rows: Rows) -> Rows | None:
    """Return numbers as bytes, for a model of pictures; None where they are no pixels.

    Whole numbers from 0 to 255 stay what they are; floats from 0 to 1 are spread over 0 to 255 and
    rounded.
    """
    if rows.dtype.kind not in "iuf":
        return None
    low, high, whole = np.inf, -np.inf, True
    for _, block in blocks(rows):
        low, high = min(low, float(block.min())), max(high, float(block.max()))
        whole = whole and bool((block == np.round(block)).all())
        if not (low >= 0 and high <= _WHITE):
            return None
    if rows.dtype.kind == "f" and high <= 1:
        return _as_bytes(rows, _WHITE)
    return _as_bytes(rows, 1) if whole else None


def brought_to(rows: Rows, shape: tuple[int, ...]) -> tuple[Rows, tuple[str, ...]]:
    """Bring samples to the shape of the training data's, where only the layout differs.

    A single sample gets its first axis; axes of 1 come and go; colours are moved first or last;
    flat samples are folded, and others made flat.

    Parameters
    ----------
    rows : ndarray or SelectedRows, shape (N, ...)
    shape : tuple of int
        The shape of one sample of the training data.

    Returns
    -------
    rows : ndarray or SelectedRows
        Of shape (N, *shape) if that can be, else as they were.
    notes : tuple of str
        A sentence if they were changed.
    """
    if rows.shape[1:] == shape:
        return rows, ()
    for change, what in _changes(rows, shape):
        found = changed(rows, change)
        return found, (
            f"The samples, {_text(rows.shape)}, are {what}: {_text(found.shape)}, as in training.",
        )
    return rows, ()


def _changes(rows: Rows, shape: tuple[int, ...]) -> Iterator[tuple[Callable[[Array], Array], str]]:
    """Yield every change that leads to (N, *shape), the plainest first."""
    have, size = rows.shape[1:], math.prod(shape)
    if not isinstance(rows, SelectedRows) and _without_ones(rows.shape) == _without_ones(shape):
        yield lambda base: base.reshape(1, *shape), "a single one"
    if not isinstance(rows, SelectedRows) and rows.shape[:-1] == shape:
        yield lambda base: np.moveaxis(base, -1, 0), "turned, samples first"
    if _without_ones(have) == _without_ones(shape):
        what = "given an axis of 1" if len(have) < len(shape) else "freed of an axis of 1"
        yield lambda base: base.reshape(len(base), *shape), what
    if len(shape) == len(have) == 3 and have == (shape[2], *shape[:2]):
        yield lambda base: np.moveaxis(base, 1, -1), "turned, colours last"
    if len(shape) == len(have) == 3 and have == (*shape[1:], shape[0]):
        yield lambda base: np.moveaxis(base, -1, 1), "turned, colours first"
    if have == (size,):
        yield lambda base: base.reshape(len(base), *shape), "folded row by row"
    if shape == (math.prod(have),) and have:
        yield lambda base: base.reshape(len(base), *shape), "made flat row by row"
    if not isinstance(rows, SelectedRows) and (
        rows.ndim in (1, len(shape)) or (len(shape) == 1 and math.prod(rows.shape) == size)
    ):
        for change, what in _changes(rows[np.newaxis], shape):
            yield _of_a_single_one(change), f"a single one, {what}"


def _of_a_single_one(change: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda base: change(base[np.newaxis])


def sample_count(X: tuple[int, ...], y: tuple[int, ...]) -> int:
    """Return the number of samples by the shapes of samples and targets.

    It is the length that both have: of the first axes, or, as in courses with X (n_x, m) and Y
    (1, m) or (K, m), of the last; the targets' where they have none in common.
    """
    if len(y) == 2 and X[0] != y[0] and (y[0] == 1 or y[1] in (X[0], X[-1])):
        return y[1]
    return y[1] if y[0] == 1 and y[1:] == X[-1:] else y[0]


def as_column(y: Array, samples: int) -> Array:
    """Take away the axes of 1 of targets: (N, 1) and the courses' (1, N) become (N,).

    The courses' one-hot (K, N) becomes (N, K).
    """
    if y.ndim == 2 and y.shape[0] != samples == y.shape[1]:
        y = y.T
    return y.reshape(-1) if y.ndim > 1 and math.prod(y.shape) == len(y) else y


def is_one_hot(y: Array) -> bool:
    """Whether every row of (N, K) is 1 in one place and 0 in all others."""
    return bool(
        y.ndim == 2
        and y.shape[1] > 1
        and y.dtype.kind in "biuf"
        and ((y == 0) | (y == 1)).all()
        and (np.count_nonzero(y, axis=1) == 1).all()
    )


def is_multi_label(y: Array) -> bool:
    """Whether (N, K) holds 0 and 1 alone, with rows that sum to something else than 1."""
    return bool(
        y.ndim == 2
        and y.shape[1] > 1
        and y.dtype.kind in "biuf"
        and ((y == 0) | (y == 1)).all()
        and (np.count_nonzero(y, axis=1) != 1).any()
    )


def _samples_first(X: Rows) -> Rows:
    if isinstance(X, SelectedRows):
        base = on_disk(X)
        assert base is not None  # noqa: S101 - all rows of one on disk
        return SelectedRows.all_of(base.samples_last())
    return np.moveaxis(X, -1, 0)


def _like_pictures(shape: tuple[int, ...]) -> bool:
    return (len(shape) == 3 or (len(shape) == 4 and shape[3] == 3)) and min(shape[1:3]) > 1


def _as_bytes(rows: Rows, scale: int) -> Rows:
    if on_disk(rows) is not None:
        return changed(rows, lambda some: _rounded(some, scale))
    out = np.empty(rows.shape, np.uint8)
    for where, block in blocks(rows):
        out[where] = _rounded(block, scale)
    return out


def _rounded(rows: Array, scale: int) -> NDArray[np.uint8]:
    return np.round(rows.astype(np.float64) * scale).astype(np.uint8)


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def _span(X: Rows) -> str:
    spans: list[Any] = [(block.min().item(), block.max().item()) for _, block in blocks(X)]
    return f"from {min(low for low, _ in spans):g} to {max(high for _, high in spans):g}"


def _text(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a single number"
