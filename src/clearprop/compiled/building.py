"""From a network, a loss and an optimizer to the arrays of numbers that compiled steps work with.

Compiled code knows neither layers nor dictionaries, and whatever has another type is compiled for
anew, which takes seconds. So that one compilation serves all networks, everything that differs
between them is a number in an array: shapes, places in the parameter vector, and the activations,
losses and updates to call, each a place in `ACTIVATION_LOOPS`, `LOSS_LOOPS` or `KERNELS`. These
come from the classes that `clearprop.layers`, `losses` and `optimizers` name.
"""

import os
import re
from itertools import accumulate
from typing import Any, Final, NamedTuple

import numpy as np

from clearprop.configuration import own
from clearprop.core.kernels import Kernel
from clearprop.core.parameters import Array, ParameterVector
from clearprop.core.schedules import Schedule
from clearprop.layers import ACTIVATIONS, Activation, Dropout, Flatten, Layer
from clearprop.losses import LOSSES, Loss
from clearprop.network.stack import LayerStack
from clearprop.optimizers import OPTIMIZERS, Optimizer, OptimizerState

INPUTS, UNITS, W, B, ACTIVATION, X, DZ, KEPT = range(8)
"""The columns of `Chain.layers`."""

NONE = -1
"""Stands for a place, or a code, where there is nothing."""

_KINDS: Final = [type(one) for one in ACTIVATIONS.values() if own(type(one), "loop")]
ACTIVATION_LOOPS: Final = [(own(kind, "loop"), own(kind, "loop_back")) for kind in _KINDS]
LOSS_LOOPS: Final = [own(kind, "loop") for kind in LOSSES if own(kind, "loop")]
KERNELS: Final[list[Kernel]] = [
    kind.kernel for kind in OPTIMIZERS.values() if own(kind, "kernel") and len(kind.moments) <= 2
]
_PATTERN: Final = re.compile("F*(D(s|r?x?))*D")


class Chain(NamedTuple):
    """Affine layers one after the other, each with an activation, a loss, and an optimizer.

    Parameters
    ----------
    layers : ndarray of int64, shape (L, 8)
        For each layer its INPUTS and UNITS; the places where W and B begin in the parameter vector
        (B: NONE where there is none); the code of its ACTIVATION (NONE where there is none); the
        places where X, its input, and DZ, the gradient of its output before that, begin in the
        memory; and the first column of the numbers that dropout above it KEPT (NONE without).
    numbers : ndarray, shape (L,)
        The number that each activation's loops take.
    scales : ndarray, shape (L,)
        The factor by which dropout above a layer multiplies the numbers that stay.
    loss, kernel : int
        The codes of the loss and of the update.
    loss_number : float
        The number that the loss's loop takes.
    scaled_at : int
        The place of the factor of Z_0 in the parameter vector; NONE outside sample space.
    products_at : int
        The place in the memory where K C begins, by which L2 measures weights in sample space; else
        NONE.
    first_squares : float
        The sum of squares |W_0|^2 of the first weights, in sample space.
    alpha : float
        The strength of L2.
    """

    layers: Array
    numbers: Array
    scales: Array
    loss: int
    loss_number: float
    kernel: int
    scaled_at: int
    products_at: int
    first_squares: float
    alpha: float


class Samples(NamedTuple):
    """The samples of a training; an array that it does without has no numbers.

    Parameters
    ----------
    inputs : ndarray, shape (N * D,)
        X (N, D) in rows, in sample space the matrix K (N, N).
    Z_0 : ndarray, shape (N, M)
        The product X W_0 with the first weights, in sample space.
    labels : ndarray of int64, shape (N,)
    targets : ndarray, shape (N, K)
        Either labels or targets are there.
    weights : ndarray, shape (N,)
    """

    inputs: Array
    Z_0: Array
    labels: Array
    targets: Array
    weights: Array


class Vectors(NamedTuple):
    """The arrays that T threads change together.

    Parameters
    ----------
    params, gradient : ndarray, shape (P,)
    first, second : ndarray, shape (P,)
        The moments that the optimizer keeps; without numbers where it keeps less.
    memory : ndarray, shape (Q,)
        The inputs of all layers for a batch, and the gradients of their outputs.
    shares : ndarray of float64, shape (T, 8)
        The share of each thread in the loss, and in the sum of squared weights, and then nothing:
        each has a line of the cache to itself, as two that wrote to one would wait for each other.
    """

    params: Array
    gradient: Array
    first: Array
    second: Array
    memory: Array
    shares: Array


class Batches(NamedTuple):
    """Some updates that follow each other.

    Parameters
    ----------
    rows : ndarray of int64, shape (R,)
        The samples of all, one batch after the other; without any where they are all, in order.
    bounds : ndarray of int64, shape (S + 1,)
        The places where batches begin and end, in `rows` and in the logits.
    kept : ndarray of bool, shape (R, Q)
        The numbers that dropout lets stay, of all layers with dropout above them side by side.
    coefficients : ndarray, shape (S, C)
        The numbers that the optimizer's kernel takes for each update, its floor last.
    factors : ndarray, shape (S,)
        The factor of the weights before each update.
    """

    rows: Array
    bounds: Array
    kept: Array
    coefficients: Array
    factors: Array


class Room:
    """Hands out places in a memory one after the other.

    Attributes
    ----------
    size : int
        The number of numbers that were handed out.
    """

    def __init__(self) -> None:
        self.size = 0

    def take(self, count: int) -> int:
        """Return the place where so many numbers begin."""
        begin = self.size
        self.size += -(-count // 16) * 16  # lines of the cache are nobody's together
        return begin


def nothing(dtype: np.dtype[Any], dimensions: int = 1) -> Array:
    """Return an array without numbers."""
    return np.empty((0,) * dimensions, dtype)


def is_chain(network: LayerStack, loss: Loss, optimizer: Optimizer, begin: int = 0) -> bool:
    """Whether compiled steps know how to train it, from a layer on, and run on this system.

    They know Dense layers, above each an activation that has loops, or none, and dropout, or none,
    but not above an activation that bends; a `Flatten` below them; a loss that has a loop, and an
    optimizer that is one kernel, with one learning rate for all arrays. Layers, losses and
    optimizers of one's own are not known, even where they inherit.
    """
    return (
        _is_known(network, loss, begin)
        and all(rate == 1 for _, rate in network.parameters.stretches)
        and optimizer.kernel in KERNELS
        and type(optimizer).update is Optimizer.update
        and type(optimizer).step is Optimizer.step
    )


def is_plain_chain(network: LayerStack, loss: Loss) -> bool:
    """Whether compiled passes know its gradient: that of a chain in which nothing is drawn."""
    return _is_known(network, loss) and "x" not in _letters(network)


def _is_known(network: LayerStack, loss: Loss, begin: int = 0) -> bool:
    return (
        os.name == "posix"  # threads that wait call its sched_yield, which Windows does not have
        and _PATTERN.fullmatch(_letters(network)[begin:]) is not None
        and own(type(loss), "loop") in LOSS_LOOPS
    )


def _letters(network: LayerStack) -> str:
    """Write layers as letters, so that a pattern can say which orders of them are known."""
    return "".join(map(_letter, network.layers))


def _letter(layer: Layer) -> str:
    kind = type(layer)
    if isinstance(layer, Activation) and kind in _KINDS:
        return "s" if layer.bends else "r"
    if own(kind, "weights"):
        return "D"
    if isinstance(layer, Dropout) and isinstance(layer.rate, Schedule):
        return "?"  # its scale is another one in every update
    return {Flatten: "F", Dropout: "x"}.get(kind, "?")


def chain_of(
    network: LayerStack,
    loss: Loss,
    optimizer: Optimizer | None,
    samples: int,
    first_squares: float = 0.0,
    begin: int = 0,
) -> tuple[Chain, int]:
    """Describe a network that `is_chain`, from a layer on.

    Parameters
    ----------
    loss : Loss
        The network's, or one that is minimised in its place.
    optimizer : Optimizer or None
        None for its gradient alone.
    samples : int
        The largest number of samples in a batch.
    first_squares : float
        The sum of the first weights' squares, in sample space.
    begin : int, default 0
        The place of the first layer that counts.

    Returns
    -------
    chain : Chain
    memory : int
        The number of numbers that the memory of its steps must hold.
    """
    begins = places_of(network.parameters)
    rows: list[list[int]] = []
    numbers: list[float] = []
    scales: list[float] = []
    scaled_at, free, columns = NONE, 0, 0
    for place, layer in enumerate(network.layers[begin:], begin):
        if name := own(type(layer), "weights"):
            inputs, units = network.parameters[f"{place}.{name}"].shape
            at = begins[f"{place}.{name}"]
            bias = begins.get(f"{place}.b", NONE)
            # A gradient reads samples where they lie; steps gather them first.
            dz = free if optimizer is None and not rows else free + samples * inputs
            rows.append([inputs, units, at, bias, NONE, free, dz, NONE])
            numbers.append(0.0)
            scales.append(1.0)
            free = dz + samples * units
            scaled_at = begins.get(f"{place}.a", scaled_at)
        elif isinstance(layer, Activation):
            rows[-1][ACTIVATION] = _KINDS.index(type(layer))
            numbers[-1] = layer.number
        elif isinstance(layer, Dropout):
            rows[-1][KEPT] = columns
            scales[-1] = layer.scale()
            columns += rows[-1][UNITS]
    products_at, alpha = NONE, 0.0 if optimizer is None else float(optimizer.alpha)
    if alpha and scaled_at != NONE:
        products_at = free
        free += network.parameters["0.C"].size
    chain = Chain(
        layers=np.array(rows, np.int64),
        numbers=np.array(numbers, network.dtype),
        scales=np.array(scales, network.dtype),
        loss=LOSS_LOOPS.index(type(loss).loop),
        loss_number=loss.number(network.dtype),
        kernel=NONE if optimizer is None else KERNELS.index(optimizer.kernel),  # type: ignore[arg-type] # is_chain has looked it up
        scaled_at=scaled_at,
        products_at=products_at,
        first_squares=first_squares,
        alpha=alpha,
    )
    return chain, free


def samples_of(X: Array, y: Array, weights: Array | None, Z_0: Array | None = None) -> Samples:
    """Bring samples, as `FusedSteps` takes them, into the form that compiled code knows."""
    return Samples(
        inputs=X.reshape(-1),
        Z_0=nothing(X.dtype, 2) if Z_0 is None else Z_0,
        labels=_plain(y) if y.ndim == 1 else nothing(np.dtype(np.int64)),
        targets=_plain(y) if y.ndim == 2 else nothing(X.dtype, 2),
        weights=nothing(X.dtype) if weights is None else _plain(weights),
    )


def _plain(array: Array) -> Array:
    """Return it as compiled code knows arrays: every other kind would be compiled for anew."""
    return np.require(array, requirements=["C", "W"])


def vectors_of(
    network: LayerStack,
    optimizer: Optimizer | None,
    state: OptimizerState,
    memory: int,
    threads: int,
) -> Vectors:
    """Gather the arrays that steps change; without an optimizer, those that a gradient needs."""
    dtype = network.dtype
    kept = [] if optimizer is None else [state[name] for name in optimizer.moments]
    first, second = [*kept, nothing(dtype), nothing(dtype)][:2]
    parameters = network.parameters.data
    return Vectors(
        params=parameters,
        gradient=np.zeros_like(parameters),
        first=first,
        second=second,
        memory=np.empty(memory, dtype),
        shares=np.zeros((threads, 8)),
    )


def places_of(parameters: ParameterVector) -> dict[str, int]:
    """Return where each array begins in the vector."""
    sizes = (array.size for array in parameters.values())
    return dict(zip(parameters, accumulate(sizes, initial=0), strict=False))
