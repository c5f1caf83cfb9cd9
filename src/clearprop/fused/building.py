"""From a network and an optimizer to the arrays that compiled steps work with."""

import os
import re
from typing import Any, Final

import numpy as np

from clearprop import kernels
from clearprop.fused import chain as codes
from clearprop.fused.chain import NONE, Chain, Samples, Vectors, nothing
from clearprop.kernels import Kernel
from clearprop.layer_stack import LayerStack
from clearprop.layers import Dense, Dropout, Flatten, Layer, LeakyReLU, ReLU, Sigmoid, Tanh
from clearprop.losses import Loss
from clearprop.optimizers import Optimizer, OptimizerState
from clearprop.parameters import Array, ParameterVector
from clearprop.sample_space.layer import RotatedDense, SampleDense

_ACTIVATIONS: Final[dict[type[Layer], int]] = {
    ReLU: codes.RELU,
    LeakyReLU: codes.LEAKY_RELU,
    Sigmoid: codes.SIGMOID,
    Tanh: codes.TANH,
}
_LETTERS: Final[dict[type[Layer], str]] = {
    Flatten: "F",
    Dense: "D",
    RotatedDense: "D",
    SampleDense: "D",
    ReLU: "r",
    LeakyReLU: "r",
    Sigmoid: "s",
    Tanh: "s",
    Dropout: "x",
}
_PATTERN: Final = re.compile("F*(D(s|r?x?))*D")
_LOSSES: Final = {
    "binary cross-entropy": codes.BINARY_CROSS_ENTROPY,
    "softmax cross-entropy": codes.SOFTMAX_CROSS_ENTROPY,
    "squared error": codes.SQUARED_ERROR,
    "half squared error": codes.HALF_SQUARED_ERROR,
}
_KERNELS: Final[dict[Kernel, int]] = {
    kernels.descend: codes.DESCEND,
    kernels.push: codes.PUSH,
    kernels.look_ahead: codes.LOOK_AHEAD,
    kernels.scale: codes.SCALE,
    kernels.adapt: codes.ADAPT,
}


def is_chain(network: LayerStack, loss: Loss, optimizer: Optimizer) -> bool:
    """Whether compiled steps know how to train it, and run on this system.

    What they know is: Dense layers, above each an activation of one pass, or none, and dropout, or
    none, but not above an activation that bends (its slope is taken from what comes out on top); a
    `Flatten` below them; a loss that has a `formula`, and an optimizer that is one kernel. Layers,
    losses and optimizers of one's own are not known, even where they inherit.
    """
    return (
        _is_known(network, loss)
        and optimizer.kernel in _KERNELS
        and type(optimizer).update is Optimizer.update
        and type(optimizer).step is Optimizer.step
    )


def is_plain_chain(network: LayerStack, loss: Loss) -> bool:
    """Whether compiled passes know its gradient: that of a chain in which nothing is drawn."""
    return _is_known(network, loss) and "x" not in _letters(network)


def _is_known(network: LayerStack, loss: Loss) -> bool:
    return (
        os.name == "posix"  # threads that wait call its sched_yield, which Windows does not have
        and _PATTERN.fullmatch(_letters(network)) is not None
        and vars(type(loss)).get("formula") in _LOSSES
    )


def _letters(network: LayerStack) -> str:
    return "".join(_LETTERS.get(type(layer), "?") for layer in network.layers)


def chain_of(
    network: LayerStack,
    loss: Loss,
    optimizer: Optimizer | None,
    samples: int,
    first_squares: float = 0.0,
) -> tuple[Chain, int]:
    """Describe a network that `is_chain`.

    Parameters
    ----------
    network : LayerStack
    loss : Loss
        Its own, or one that is minimised in its place.
    optimizer : Optimizer or None
        None for its gradient alone.
    samples : int
        The most that a batch has.
    first_squares : float
        In sample space the sum of the first weights' squares.

    Returns
    -------
    chain : Chain
    memory : int
        How many numbers the memory of its steps must hold.
    """
    begins = _beginnings(network.parameters)
    rows: list[list[int]] = []
    slopes: list[float] = []
    scales: list[float] = []
    scaled_at, free, columns = NONE, 0, 0
    for place, layer in enumerate(network.layers):
        if isinstance(layer, Dense | SampleDense):
            weights = "W" if isinstance(layer, Dense) else "C"
            inputs, units = network.parameters[f"{place}.{weights}"].shape
            at = begins[f"{place}.{weights}"]
            bias = begins.get(f"{place}.b", NONE)
            # A gradient reads samples where they lie; steps gather them first.
            dz = free if optimizer is None and not rows else free + samples * inputs
            rows.append([inputs, units, at, bias, codes.IDENTITY, free, dz, NONE])
            slopes.append(0.0)
            scales.append(1.0)
            free = dz + samples * units
            scaled_at = begins.get(f"{place}.a", scaled_at)
        elif type(layer) in _ACTIVATIONS:
            rows[-1][codes.ACTIVATION] = _ACTIVATIONS[type(layer)]
            slopes[-1] = layer.slope if isinstance(layer, LeakyReLU) else 0.0
        elif isinstance(layer, Dropout):
            rows[-1][codes.KEPT] = columns
            scales[-1] = layer.scale
            columns += rows[-1][codes.UNITS]
    products_at, alpha = NONE, 0.0 if optimizer is None else float(optimizer.alpha)
    if alpha and scaled_at != NONE:
        products_at = free
        free += network.parameters["0.C"].size
    chain = Chain(
        layers=np.array(rows, np.int64),
        slopes=np.array(slopes, network.dtype),
        scales=np.array(scales, network.dtype),
        loss=_LOSSES[vars(type(loss))["formula"]],
        kernel=NONE if optimizer is None else _KERNELS[optimizer.kernel],  # type: ignore[index] # is_chain has looked it up
        cap=-float(np.log(np.finfo(network.dtype).eps)) if loss.capped else np.inf,
        scaled_at=scaled_at,
        products_at=products_at,
        first_squares=first_squares,
        alpha=alpha,
    )
    return chain, free


def samples_of(X: Array, y: Array, weights: Array | None, Z_0: Array | None = None) -> Samples:
    """Bring samples into the form that compiled code knows.

    Parameters
    ----------
    X : ndarray, shape (N, D)
        In sample space K (N, N).
    y : ndarray of int64, shape (N,), or ndarray, shape (N, K)
        Class numbers, or targets.
    weights : ndarray, shape (N,), or None
    Z_0 : ndarray, shape (N, M), or None
        In sample space what the first weights give.
    """
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
    """Gather what steps change; without an optimizer, what a gradient needs."""
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


def _beginnings(parameters: ParameterVector) -> dict[str, int]:
    sizes: list[Any] = [array.size for array in parameters.values()]
    return dict(zip(parameters, np.cumsum([0, *sizes]).tolist(), strict=False))
