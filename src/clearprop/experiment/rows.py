"""Rows that a model answers block by block: in threads of this process, or on a cluster.

A block is answered by one thread, and has as many rows wherever it is: the digits of a product
depend on both.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from clearprop.core.blas import choose_threads, single_threaded
from clearprop.core.parameters import Array
from clearprop.files.models import Model
from clearprop.network import Network
from clearprop.preprocessing import PreparedRows
from clearprop.training.together import together
from clearprop.training.units import Cluster


def logits_by_block(
    model: Model, prepared: Array | PreparedRows, cluster: Cluster | None = None
) -> Iterator[tuple[slice, Array]]:
    """Let a model answer prepared samples, several blocks at a time.

    Parameters
    ----------
    model : Model
    prepared : ndarray or PreparedRows, shape (N, *input_shape)
    cluster : Cluster, optional
        Who does it; threads of this process unless given.

    Yields
    ------
    slice, ndarray
        The places of the rows, in order, and their logits, shape (n, K).
    """
    network, blocks = model.network, model.blocks(len(prepared))
    # What training has compiled for a network stays with it: elsewhere there are its layers.
    if cluster is not None and network.passes is None:
        named = ((f"rows {one.start + 1:,} to {one.stop:,}", prepared[one]) for one in blocks)
        yield from zip(blocks, cluster.each(_logits, network, named), strict=True)
        return
    threads = choose_threads(network.multiplications, len(prepared))
    for start in range(0, len(blocks), threads):
        some = blocks[start : start + threads]
        jobs = [partial(_logits, network, prepared[one]) for one in some]
        yield from zip(some, together(jobs, threads), strict=True)


def _logits(network: Network, X: Array) -> Array:
    with single_threaded(), np.errstate(over="ignore", invalid="ignore"):  # if it diverged
        return network.logits(X)
