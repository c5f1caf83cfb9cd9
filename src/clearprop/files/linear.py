"""The linear model that lies beside a network: its layers, of the same inputs and outputs."""

from collections.abc import Mapping

import numpy as np

from clearprop.layers import Columns, Dense, Embedding, Flatten, Layer, Sequential
from clearprop.network import Network


def linear_network(like: Network) -> Network:
    """Return a network without hidden layers, of a network's input, outputs, loss and dtype.

    Codes, whose size says nothing, become an input of 0 or 1 for each, and none for code 0.
    """
    codes = like.body.codes(like.input_shape)
    found = Network(
        linear_layers(like.input_shape, like.output_shape[0], codes),
        loss=like.loss,
        input_shape=like.input_shape,
        seed=0,
        dtype=like.dtype,
    )
    for name, array in found.parameters.items():
        if name.endswith(".E"):
            codes, inputs = array.shape
            array[...] = np.eye(codes, inputs, k=-1)
    return found


def linear_layers(
    input_shape: tuple[int, ...], outputs: int, codes: Mapping[int, int]
) -> list[Layer]:
    """Return the layers of a linear model.

    Parameters
    ----------
    input_shape : tuple of int
        The shape of a sample.
    outputs : int
    codes : mapping of int to int
        The number of codes of each column that holds some, see `Layer.codes`.
    """
    if not codes:
        flat = [] if len(input_shape) == 1 else [Flatten()]
        return [*flat, Dense(outputs)]
    ranges, parts, done = list[tuple[int, int]](), list[Layer](), 0
    for column, size in sorted(codes.items()):
        if done < column:
            ranges.append((done, column))
            parts.append(Sequential(()))
        ranges.append((column, column + 1))
        parts.append(Embedding((size,), max(size - 1, 1)))
        done = column + 1
    if done < input_shape[0]:
        ranges.append((done, input_shape[0]))
        parts.append(Sequential(()))
    return [Columns(tuple(ranges), tuple(parts)), Dense(outputs)]
