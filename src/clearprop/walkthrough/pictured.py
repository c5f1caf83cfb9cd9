"""Which matrices are pictures: samples, and the weights that look at them."""

from collections.abc import Iterable
from dataclasses import replace
from math import prod

from clearprop.errors import UsageError
from clearprop.layers import Dense, Dropout, Flatten
from clearprop.network import Network
from clearprop.walkthrough.notation import INPUT, Notation
from clearprop.walkthrough.quantities import Step


def picture_shape_of(network: Network, given: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """Find the shape of a network's samples as pictures.

    Parameters
    ----------
    network : Network
    given : tuple of int or None
        (H, W) or (H, W, 3).

    Returns
    -------
    tuple of int or None
        None where they are no pictures.

    Raises
    ------
    UsageError
        If `given` is no such shape, or not of as many numbers as a sample.
    """
    shape = network.input_shape if given is None else tuple(given)
    if len(shape) not in (2, 3) or shape[2:] not in ((), (3,)):
        if given is None:
            return None
        raise UsageError(f"A picture's shape is (H, W) or (H, W, 3), found {given}.")
    numbers = prod(network.input_shape)
    if prod(shape) != numbers:
        raise UsageError(
            f"A picture of shape {shape} has {prod(shape):,} numbers, a sample {numbers:,}."
        )
    return shape


def with_pictures(
    steps: Iterable[Step], network: Network, notation: Notation, shape: tuple[int, ...] | None
) -> tuple[Step, ...]:
    """Mark the samples, and the weights of a Dense layer right above them with their gradient."""
    if shape is None:
        return tuple(steps)
    keys = {notation.layers[INPUT].key("X")}
    for name, layer in zip(network.body.names, network.layers, strict=True):
        if isinstance(layer, Dense):
            keys |= {notation.layers[name].key(role) for role in ("W", "dW")}
        if not isinstance(layer, Flatten | Dropout):
            break
    return tuple(
        replace(
            step,
            quantities=tuple(
                replace(one, picture_shape=shape) if one.key in keys else one
                for one in step.quantities
            ),
        )
        for step in steps
    )
