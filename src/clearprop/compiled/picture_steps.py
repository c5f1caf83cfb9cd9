"""Compiled steps of a network of convolutions, as those who train call them."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from clearprop.compiled.blocks import GROUPS, front_layers, front_of
from clearprop.compiled.building import Samples, chain_of, nothing, vectors_of
from clearprop.compiled.runners import Draws, scheduled
from clearprop.core.parameters import Array
from clearprop.losses import Loss
from clearprop.network.stack import LayerStack
from clearprop.optimizers import Optimizer, OptimizerState


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
        from clearprop.compiled import pictures  # here: it needs Numba
        from clearprop.compiled.vectors import columns_of

        self.optimizer = optimizer
        self._code: Any = pictures
        self._threads = threads = min(threads, GROUPS)
        begin, self._dtype = front_layers(network), network.dtype
        self._front, memory, codes = front_of(
            network, batch_size, threads, columns_of(network.dtype)
        )
        self._chain, chained = chain_of(network, loss, optimizer, batch_size, begin=begin)
        self._vectors = vectors_of(network, optimizer, state, chained, threads)
        shapes = [built.out_shape for built in network.body.build_each(network.input_shape)]
        self._outputs, features = shapes[-1][0], shapes[begin - 1][0]
        blocks = self._front.blocks
        self._maps = pictures.Maps(
            memory=np.zeros(memory, self._dtype),  # borders stay zero
            codes=np.empty(codes, np.uint8),
            totals=np.zeros((len(blocks), 2, GROUPS, 2 * int(blocks[:-1, 3].max()))),
            seen=np.zeros((len(blocks), 2, int(blocks[:-1, 3].max()))),
            state=network.state.data,
            features=np.empty(batch_size * features, self._dtype),
            dfeatures=np.empty(batch_size * features, self._dtype),
        )
        self._drawn = Draws(network, random_state)
        self._others = ThreadPoolExecutor(max(threads - 1, 1))  # its threads start when needed
        nobody = np.empty((0, *network.input_shape), self._dtype)
        y = np.empty(0, np.int64)  # compiles, if that is to be done, before anything is changed
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
        size, rates = len(pictures), range(step, step + 1)
        coefficients, factors = scheduled(self.optimizer, self._vectors.params, rates)
        logits = np.empty((size, self._outputs), self._dtype)
        samples = Samples(
            inputs=self._maps.features,
            Z_0=nothing(self._dtype, 2),
            labels=_plain(y) if y.ndim == 1 else nothing(np.dtype(np.int64)),
            targets=_plain(y) if y.ndim == 2 else nothing(self._dtype, 2),
            weights=nothing(self._dtype) if weights is None else _plain(weights),
        )
        do = partial(
            self._part,
            _plain(pictures.reshape(-1)),
            samples,
            self._drawn([size] if size else []),
            (factors[0], coefficients[0]),
            logits.reshape(-1),
            np.zeros(1, np.int64),
            size,
        )
        others = [self._others.submit(do, part) for part in range(1, self._threads)]
        loss = do(0)
        for other in others:
            other.result()
        return loss, logits

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
        code, front, maps, vectors, parts = (
            self._code, self._front, self._maps, self._vectors, self._threads
        )  # fmt: skip
        met = code.rise(front, maps, vectors.params, pictures, counter, size, part, parts)
        code.through_chain(self._chain, maps, samples, vectors, kept, logits, size, part)
        met = code.descend(front, maps, vectors, counter, met, size, part, parts)
        return code.update(
            front, self._chain, maps, samples, vectors, *rate, counter, met, size, part
        )


def _plain(array: Array) -> Any:
    """Return it as compiled code knows arrays: every other kind would be compiled for anew."""
    return np.require(array, requirements=["C", "W"])
