"""Whether layers fit the samples they are for, and a batch of them this machine's memory."""

import os
from collections.abc import Sequence
from math import prod

import numpy as np

from clearprop.errors import ShapeError, UsageError
from clearprop.experiment.layer_words import written
from clearprop.experiment.settings import Settings
from clearprop.layers import Layer, Sequential
from clearprop.network.summary import Summary, readable_bytes, summarize, times

_PASSES = 2  # every layer keeps its output for backward, which has a gradient of the same size
_VECTORS = 4  # parameters, their gradient, and two moments of an optimizer
_SHARE = 2  # the part of memory that training may take


def require_fit(
    layers: Sequence[Layer], settings: Settings, input_shape: tuple[int, ...], samples: int
) -> None:
    """Refuse layers of pictures that are too small for them, and more of them than memory holds.

    Parameters
    ----------
    layers : sequence of Layer
    settings : Settings
        Resolved settings.
    input_shape : tuple of int
        The shape of one sample.
    samples : int
        The samples that are trained on, in one batch where settings say none.

    Raises
    ------
    UsageError
    """
    if len(input_shape) == 1:
        return
    try:
        found = summarize(Sequential(tuple(layers)), input_shape, np.dtype(settings.dtype))
    except ShapeError as error:
        raise UsageError(
            f"--layers {written(settings.layers or ())} can't be made for pictures of "
            f"{times(input_shape)}: {error} Leave a pool out, or bring them to a larger --size."
        ) from error
    batch = min(settings.batch_size or samples, samples)
    taken, there = _bytes_of(found, batch), _memory()
    if there and taken > there // _SHARE:
        raise UsageError(
            f"To train with batches of {batch} needs about {readable_bytes(taken)} for the "
            f"parameters and what the layers give, and may take half of the "
            f"{readable_bytes(there)} that this machine has. Lower --batch-size or --size, or take "
            "fewer filters with --layers."
        )


def _bytes_of(found: Summary, batch: int) -> int:
    """Estimate the memory that training takes beside its samples."""
    numbers = sum(map(prod, found.output_shapes)) * batch
    return numbers * np.dtype(found.dtype).itemsize * _PASSES + found.bytes * _VECTORS


def _memory() -> int:
    """Return the bytes of memory that there are; 0 where the system does not say."""
    if not hasattr(os, "sysconf"):
        return 0
    return max(os.sysconf("SC_PHYS_PAGES"), 0) * os.sysconf("SC_PAGE_SIZE")
