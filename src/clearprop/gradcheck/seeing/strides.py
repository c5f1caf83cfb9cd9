"""Windows into arrays by strides, which NumPy makes without telling anybody of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.arrays import Watched, noted, plain, watch


def strided(
    x: Any, shape: Any = None, strides: Any = None, *_: Any, writeable: bool = True, **__: Any
) -> Any:
    """Do what ``numpy.lib.stride_tricks.as_strided`` does; of a watched array, watched.

    Parameters
    ----------
    x : array_like
    shape, strides : sequence of int, optional
        Those of the result; those of `x` where they are None.
    writeable : bool
        As NumPy has it.

    Returns
    -------
    Any
        A view of the array. It is computed anew from the entries of `x`, wherever these lie; where
        it reaches beyond them, it has no past.
    """
    array = np.asarray(plain(x))
    shape = array.shape if shape is None else tuple(plain(tuple(shape)))
    strides = array.strides if strides is None else tuple(plain(tuple(strides)))
    made = as_strided(array, shape, strides, writeable=writeable)
    places = _places(array, shape, strides)
    if type(x) is not Watched or places is None:
        return watch(made)
    return noted("as_strided", lambda one: one.reshape(-1)[places], (x,), {}, made)


def _places(array: Array, shape: Sequence[int], strides: Sequence[int]) -> Array | None:
    """Return which entry of an array, in C order, each one of a view is; None of others."""
    own = _offsets(array.shape, array.strides).reshape(-1)
    asked = _offsets(shape, strides)
    if not own.size:
        return None
    order = np.argsort(own)
    places = order[np.searchsorted(own, asked, sorter=order).clip(max=own.size - 1)]
    return places if (own[places] == asked).all() else None


def _offsets(shape: Sequence[int], strides: Sequence[int]) -> Array:
    """Return how many bytes each entry of an array lies behind its first."""
    offsets: Array = np.zeros((), int)
    for count, stride in zip(shape, strides, strict=True):
        offsets = np.add.outer(offsets, np.arange(count) * stride)
    return offsets
