"""From a network and an optimizer to the arrays that compiled steps work with."""

from itertools import pairwise
from typing import Any, Final

import numpy as np

from clearprop import kernels
from clearprop.fused import chain as codes
from clearprop.fused.chain import NONE, Chain, Vectors, nothing
from clearprop.kernels import Kernel
from clearprop.layers import Dense, Flatten, Layer, LeakyReLU, ReLU, Sigmoid, Tanh
from clearprop.losses import BinaryCrossEntropy, Loss, MeanSquaredError, SoftmaxCrossEntropy
from clearprop.network import Network
from clearprop.optimizers import Optimizer, OptimizerState
from clearprop.parameters import ParameterVector
from clearprop.sample_space import SampleDense, SampleNetwork

_ACTIVATIONS: Final[dict[type[Layer], int]] = {
    ReLU: codes.RELU,
    LeakyReLU: codes.LEAKY_RELU,
    Sigmoid: codes.SIGMOID,
    Tanh: codes.TANH,
}
_LOSSES: Final[dict[type[Loss], int]] = {
    BinaryCrossEntropy: codes.BINARY_CROSS_ENTROPY,
    SoftmaxCrossEntropy: codes.SOFTMAX_CROSS_ENTROPY,
    MeanSquaredError: codes.MEAN_SQUARED_ERROR,
}
_KERNELS: Final[dict[Kernel, int]] = {
    kernels.descend: codes.DESCEND,
    kernels.push: codes.PUSH,
    kernels.look_ahead: codes.LOOK_AHEAD,
    kernels.scale: codes.SCALE,
    kernels.adapt: codes.ADAPT,
}


def is_chain(network: Network, optimizer: Optimizer) -> bool:
    """Whether compiled steps know how to train it.

    That is: Dense layers with an activation of one pass, or none, above each (a `Flatten` below
    them), one of the three losses, and an optimizer that is one kernel. Layers, losses and
    optimizers of one's own are not known, even where they inherit.
    """
    layers = [layer for layer in network.layers if type(layer) is not Flatten]
    flattened = all(type(layer) is not Flatten for layer in layers) and _flat_first(network.layers)
    kinds = [type(layer) in (Dense, SampleDense) for layer in layers]
    known = all(
        kind or type(layer) in _ACTIVATIONS for kind, layer in zip(kinds, layers, strict=True)
    )
    alternate = bool(kinds) and kinds[0] and kinds[-1] and all(a or b for a, b in pairwise(kinds))
    pulls = optimizer.alpha and isinstance(network, SampleNetwork)  # its norm is not that of C
    return (
        flattened
        and known
        and alternate
        and type(network.loss) in _LOSSES
        and optimizer.kernel in _KERNELS
        and type(optimizer).update is Optimizer.update
        and type(optimizer).step is Optimizer.step
        and not pulls
    )


def chain_of(network: Network, optimizer: Optimizer, samples: int) -> tuple[Chain, int]:
    """Describe a network that `is_chain`.

    Parameters
    ----------
    network : Network
    optimizer : Optimizer
    samples : int
        The most that a batch has.

    Returns
    -------
    chain : Chain
    memory : int
        How many numbers the memory of its steps must hold.
    """
    begins = _beginnings(network.parameters)
    rows: list[list[int]] = []
    slopes: list[float] = []
    scaled_at, free = NONE, 0
    for place, layer in enumerate(network.layers):
        if isinstance(layer, Dense | SampleDense):
            weights = "W" if isinstance(layer, Dense) else "C"
            inputs, units = network.parameters[f"{place}.{weights}"].shape
            at = begins[f"{place}.{weights}"]
            bias = begins.get(f"{place}.b", NONE)
            dz = free + samples * inputs
            rows.append([inputs, units, at, bias, codes.IDENTITY, free, dz])
            slopes.append(0.0)
            free = dz + samples * units
            scaled_at = begins.get(f"{place}.a", scaled_at)
        elif type(layer) in _ACTIVATIONS:
            rows[-1][codes.ACTIVATION] = _ACTIVATIONS[type(layer)]
            slopes[-1] = layer.slope if isinstance(layer, LeakyReLU) else 0.0
    chain = Chain(
        layers=np.array(rows, np.int64),
        slopes=np.array(slopes, network.dtype),
        loss=_LOSSES[type(network.loss)],
        kernel=_KERNELS[optimizer.kernel],  # type: ignore[index] # is_chain has looked it up
        scaled_at=scaled_at,
        alpha=float(optimizer.alpha),
    )
    return chain, free


def vectors_of(
    network: Network, optimizer: Optimizer, state: OptimizerState, memory: int, threads: int
) -> Vectors:
    """Gather what steps change."""
    dtype = network.dtype
    kept = [state[name] for name in optimizer.moments]
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


def _flat_first(layers: tuple[Layer, ...]) -> bool:
    """Whether layers that flatten stand below all others."""
    kinds = [type(layer) is Flatten for layer in layers]
    return kinds == sorted(kinds, reverse=True)


def _beginnings(parameters: ParameterVector) -> dict[str, int]:
    sizes: list[Any] = [array.size for array in parameters.values()]
    return dict(zip(parameters, np.cumsum([0, *sizes]).tolist(), strict=False))
