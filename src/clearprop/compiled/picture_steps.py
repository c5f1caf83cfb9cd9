"""Compiled steps and forward passes of a network of convolutions, as those who train call them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import Any

import numpy as np

from clearprop.compiled.blocks import FILTERS, GROUPS, front_layers, front_of
from clearprop.compiled.building import KEPT, NONE, Samples, Vectors, chain_of, nothing, vectors_of
from clearprop.compiled.runners import Draws, scheduled
from clearprop.core.blas import blas_threads
from clearprop.core.parameters import Array
from clearprop.losses import Loss
from clearprop.network.stack import LayerStack
from clearprop.optimizers import Optimizer, OptimizerState


class _Passes:
    """The arrays and threads that compiled passes of one network work with.

    Parameters
    ----------
    network : LayerStack
        `is_pictures` must hold.
    loss : Loss
    optimizer : Optimizer or None
        None for forward passes alone, outside training.
    state : dict of str to ndarray
        The moments that the optimizer keeps.
    batch_size : int
        The largest number of samples in a batch.
    threads : int
        The number of threads that work on a batch together.
    """

    def __init__(
        self,
        network: LayerStack,
        loss: Loss,
        optimizer: Optimizer | None,
        state: OptimizerState,
        batch_size: int,
        threads: int,
    ) -> None:
        # Here, as they need Numba; first the steps of Dense layers, as code is known on disk by all
        # that was compiled before it.
        from clearprop.compiled import crew, pictures  # noqa: F401
        from clearprop.compiled.vectors import group_of

        self.code: Any = pictures
        self.threads = threads = min(threads, GROUPS)
        self.dtype, self.input_shape = network.dtype, network.input_shape
        wide, training = group_of(network.dtype), optimizer is not None
        begin = front_layers(network)
        self.front, memory, codes = front_of(network, batch_size, threads, wide, training=training)
        self.chain, chained = chain_of(network, loss, optimizer, batch_size, begin=begin)
        if not training:
            self.chain.layers[:, KEPT] = NONE
        self.vectors: Vectors = vectors_of(network, optimizer, state, chained, threads)
        shapes = [built.out_shape for built in network.body.build_each(network.input_shape)]
        self.outputs, features = shapes[-1][0], shapes[begin - 1][0]
        blocks = self.front.blocks
        most = int(blocks[:-1, FILTERS].max()) * wide
        self.maps = pictures.Maps(
            memory=np.zeros(memory, self.dtype),  # borders stay zero
            codes=np.empty(codes, np.uint8),
            totals=np.zeros((len(blocks), 2, GROUPS, 2, most)),
            seen=np.zeros((len(blocks), 2, most)),
            state=network.state.data,
            features=np.empty(batch_size * features, self.dtype),
            dfeatures=np.empty(batch_size * features, self.dtype),
        )
        self.others = ThreadPoolExecutor(max(threads - 1, 1))  # its threads start when needed

    def samples(self, y: Array | None, weights: Array | None) -> Samples:
        """Return a batch as the Dense layers see it: their inputs are the features."""
        return Samples(
            inputs=self.maps.features,
            Z_0=nothing(self.dtype, 2),
            labels=nothing(np.dtype(np.int64)) if y is None or y.ndim == 2 else _plain(y),
            targets=nothing(self.dtype, 2) if y is None or y.ndim == 1 else _plain(y),
            weights=nothing(self.dtype) if weights is None else _plain(weights),
        )

    def together(self, do: Any) -> Any:
        """Call ``do(part)`` in every thread, and return what the first part gives."""
        others = [self.others.submit(do, part) for part in range(1, self.threads)]
        found = do(0)
        for other in others:
            other.result()
        return found


class PictureSteps:
    """Compiled steps of one network and one optimizer, on batches of pictures that are given.

    Parameters
    ----------
    network : LayerStack
        The layers, whose parameters and state are changed; `is_pictures` must hold.
    loss : Loss
        The network's, or one that is minimised in its place.
    state : dict of str to ndarray
        The moments that the optimizer keeps, changed.
    batch_size : int
        The largest number of samples in a batch.
    threads : int
        The number of threads that work on a batch together.
    random_state : numpy.random.RandomState
        The source from which dropout draws.

    Attributes
    ----------
    optimizer : Optimizer
        It may be replaced by another one of its kind, with another learning rate.

    Raises
    ------
    Exception
        If Numba is broken: whatever it raises.
    """

    def __init__(
        self,
        network: LayerStack,
        loss: Loss,
        optimizer: Optimizer,
        state: OptimizerState,
        batch_size: int,
        threads: int,
        random_state: np.random.RandomState,
    ) -> None:
        self.optimizer = optimizer
        self._on = _Passes(network, loss, optimizer, state, batch_size, threads)
        self._drawn = Draws(network, random_state)
        # Compiles, if that is to be done, before anything is changed.
        nobody, y = np.empty((0, *network.input_shape), network.dtype), np.empty(0, np.int64)
        self(0, nobody, y, None)

    def __call__(
        self, step: int, pictures: Array, y: Array, weights: Array | None
    ) -> tuple[float, Array]:
        """Do an update, or none where the batch's loss is not finite.

        Parameters
        ----------
        step : int
            The number of updates done before.
        pictures : ndarray, shape (B, H, W, C) or (B, H, W)
        y : ndarray of int64, shape (B,), or ndarray, shape (B, K)
        weights : ndarray, shape (B,), or None

        Returns
        -------
        loss : float
        logits : ndarray, shape (B, K)
        """
        on, size = self._on, len(pictures)
        coefficients, factors = scheduled(self.optimizer, on.vectors.params, range(step, step + 1))
        logits = np.empty((size, on.outputs), on.dtype)
        do = partial(
            self._part,
            _plain(pictures.reshape(-1)),
            on.samples(y, weights),
            self._drawn([size] if size else []),
            (factors[0], coefficients[0]),
            logits.reshape(-1),
            np.zeros(1, np.int64),
            size,
        )
        return on.together(do), logits

    def share(self, do: Callable[[slice], None], count: int) -> None:
        """Call ``do(some)`` in every thread, each with some of so many samples."""
        parts = self._on.threads
        self._on.together(
            lambda part: do(slice(count * part // parts, count * (part + 1) // parts))
        )

    def _part(
        self,
        pictures: Array,
        samples: Samples,
        kept: Array,
        rate: tuple[Array, Array],
        logits: Array,
        counter: Array,
        size: int,
        part: int,
    ) -> float:
        """Do a thread's part of an update: as one call, it would take longer to compile."""
        on, code = self._on, self._on.code
        front, chain, maps, vectors = on.front, on.chain, on.maps, on.vectors
        met = code.rise(front, maps, vectors.params, pictures, counter, size, part, on.threads)
        code.through_chain(chain, maps, samples, vectors, kept, logits, size, part)
        met = code.descend(front, maps, vectors, counter, met, size, part, on.threads)
        return code.update(front, chain, maps, samples, vectors, *rate, counter, met, size, part)


class PicturePasses:
    """Compiled forward passes of one network, outside training.

    Parameters
    ----------
    network : LayerStack
        The layers; their parameters and state may change between two calls; `is_pictures` must
        hold.
    loss : Loss
    threads : int
        The number of threads that work on a chunk together.
    """

    _CHUNK = 64  # pictures at a time, whose feature maps stay in the processor's cache

    def __init__(self, network: LayerStack, loss: Loss, threads: int) -> None:
        self._on = _Passes(network, loss, None, {}, self._CHUNK, threads)
        self._lock = Lock()

    def logits(self, pictures: Array) -> Array:
        """Return the logits (N, K) of any number of pictures of the network's dtype."""
        # Threads that each ask the library for threads would wait for each other.
        with self._lock, blas_threads(1):
            return self._logits(pictures)

    def _logits(self, pictures: Array) -> Array:
        on = self._on
        logits = np.empty((len(pictures), on.outputs), on.dtype)
        for start in range(0, len(pictures), self._CHUNK):
            some = pictures[start : start + self._CHUNK]
            do = partial(
                on.code.predict,
                on.front,
                on.chain,
                on.maps,
                on.samples(None, None),
                on.vectors,
                _plain(some.reshape(-1)),
                logits[start : start + len(some)].reshape(-1),
                len(some),
                on.threads,
            )
            on.together(do)
        return logits


def _plain(array: Array) -> Any:
    """Return it as compiled code knows arrays: every other kind would be compiled for anew."""
    return np.require(array, requirements=["C", "W"])
