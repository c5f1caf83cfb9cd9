"""A network as changed settings would have built it, to try advice before it is given."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import chain

from clearprop.configuration import Json
from clearprop.initializers import INITIALIZERS
from clearprop.layers import (
    ACTIVATIONS,
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Layer,
    Sequential,
)
from clearprop.network import Network

_OF_A_NETWORK = {"init", "activation", "batch_norm", "dropout"}


def treated(network: Network, changes: Mapping[str, Json]) -> Network:
    """Make a network with first weights of its own, and other layers where settings say so.

    Parameters
    ----------
    network : Network
        Left as it is.
    changes : mapping
        Of these ``init``, ``activation``, ``batch_norm`` and ``dropout`` concern a network.

    Returns
    -------
    Network
        A copy with the same weights, where none of these is changed.
    """
    if not _OF_A_NETWORK & changes.keys():
        return network.copy()
    layers = network.layers
    if "activation" in changes:
        layers = _with_activation(layers, ACTIVATIONS[str(changes["activation"])])
    if changes.get("batch_norm"):
        layers = _with_batch_norm(layers)
    if "dropout" in changes:
        layers = _with_dropout(layers, float(str(changes["dropout"])))
    if "init" in changes:
        layers = _with_init(layers, str(changes["init"]))
    return Network(
        layers,
        loss=network.loss,
        input_shape=network.input_shape,
        seed=network.seed,
        dtype=network.dtype,
    )


def is_activation(layer: Layer) -> bool:
    """Whether it is one of the activations that have a name."""
    return isinstance(layer, Activation)


def _with_activation(layers: Iterable[Layer], activation: Layer) -> tuple[Layer, ...]:
    return tuple(
        activation
        if is_activation(layer)
        else _inside(layer, lambda block: _with_activation(block, activation))
        for layer in layers
    )


def _with_init(layers: Iterable[Layer], name: str) -> tuple[Layer, ...]:
    return tuple(
        replace(layer, init=INITIALIZERS[name])
        if isinstance(layer, Dense)
        else _inside(layer, lambda block: _with_init(block, name))
        for layer in layers
    )


def _with_batch_norm(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    return tuple(
        chain.from_iterable(
            (BatchNorm(), layer) if is_activation(layer) else (_inside(layer, _with_batch_norm),)
            for layer in layers
        )
    )


def _with_dropout(layers: Iterable[Layer], rate: float) -> tuple[Layer, ...]:
    return tuple(
        Dropout(rate)
        if isinstance(layer, Dropout)
        else _inside(layer, lambda block: _with_dropout(block, rate))
        for layer in layers
    )


def _inside(layer: Layer, change: Callable[[Iterable[Layer]], tuple[Layer, ...]]) -> Layer:
    inner = {name: change([one]) for name, one in layer.inner().items()}
    if not inner:
        return layer
    return layer.with_inner(
        {name: one[0] if len(one) == 1 else Sequential(one) for name, one in inner.items()}
    )
