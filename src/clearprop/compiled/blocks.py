"""From the convolutions of a network to the arrays of numbers that compiled steps work with.

A block is a convolution and what follows it: a norm, the input of an earlier block where a Residual
ends, a ReLU, a pool of two by two, or none of them.
Blocks come first, then the features that they end with, flat or as means over places, and then a
chain of Dense layers, which `clearprop.compiled.building` describes.

All that blocks work with lies in one memory, and a block is a row of places in it. A feature map
lies in groups of channels, each a picture of its own, (groups, height, width, channels of a group),
with zeros where there are fewer channels; those of the pictures themselves are one group. It has a
border of zeros as wide as half of the kernel that takes it: the numbers of a group that one row of
a kernel meets at a place lie side by side, so nothing is copied for a product.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from clearprop import layers
from clearprop.compiled.building import NONE, Room, is_chain, places_of
from clearprop.core.parameters import Array
from clearprop.losses import Loss
from clearprop.network.stack import LayerStack
from clearprop.optimizers import Optimizer

(
    HEIGHT, WIDTH, SPLIT, DEPTH, FILTERS, TAKEN, GIVEN, KERNEL, POOLED, W, B,
    GAMMA, BETA, MEAN, VARIANCE, SKIP, LENT, X, Z, CODES, DY, STEP, DZ, PACKED, TURNED, GRADIENT, K,
) = range(27)  # fmt: skip
"""The columns of `Front.blocks`."""

MOMENTUM, EPSILON, FLOOR = range(3)
"""The columns of `Front.numbers`."""

GROUPS: Final = 8
"""The number of groups of a batch's samples whose gradients are summed apart, and then in order:
the bits don't depend on which thread had which group."""

ROWS: Final = 6
"""The number of rows of numbers that each channel has; see `clearprop.compiled.channels`."""
_PATTERN: Final = re.compile(r"CN?r?P?(CN?r?P?|\[(CN?r?)*CN?\]r?P?)*[FG]")


class Front(NamedTuple):
    """Blocks one after the other, and the features that they end with.

    Parameters
    ----------
    blocks : ndarray of int64, shape (L + 1, 27)
        For each block HEIGHT and WIDTH of its input, which are those of z, too; SPLIT, the number
        of groups of its input, and DEPTH, the channels of one; FILTERS, the number of groups of its
        output; TAKEN and GIVEN, the channels that the network has; KERNEL, the size; POOLED, 1 or
        0; places of W, B, GAMMA and BETA in the parameters, and of MEAN and VARIANCE in the state
        (NONE where there is none); SKIP, the block whose input is added before the ReLU, and LENT,
        the block that adds this one's (NONE); and places in the memory: X of the input of all
        samples, Z of what a norm takes (NONE without), CODES of where pooled values came from (in
        the codes), DY of the gradient of the output, with a STEP from a sample to the next, or 0 in
        a thread's own part. DZ, PACKED, TURNED and K lie in each thread's own part of the memory,
        GRADIENT in each group's of samples. The last row are the features: HEIGHT, WIDTH, SPLIT,
        DEPTH, TAKEN and X, with a KERNEL of 1.
    numbers : ndarray, shape (L, 3)
        MOMENTUM and EPSILON of the norm, and the FLOOR below which y does not go.
    averages : bool
        Whether features are means over places.
    wide : int
        The number of channels in a group.
    own_at, own : int
        The place where the first thread's part of the memory begins, and its size.
    line_at : int
        The place of one or two lines of z, of two groups, in a thread's part.
    sums_at : int
        The place of two rows of sums in a thread's part.
    groups_at, group : int
        The place where the first group's gradients begin, and their size.
    """

    blocks: Array
    numbers: Array
    averages: bool
    wide: int
    own_at: int
    own: int
    line_at: int
    sums_at: int
    groups_at: int
    group: int


def front_layers(network: LayerStack) -> int:
    """Return how many layers belong to blocks and features; 0 where compiled steps know none."""
    parts = list(_parts(network))
    found = _PATTERN.match("".join(part.letter for part in parts))
    if found is None:
        return 0
    matched = parts[: found.end()]
    befores: list[layers.Layer | None] = [None, *(part.layer for part in matched[:-1])]
    if not all(map(_is_plain, befores, matched)):
        return 0
    return int(matched[-1].name.partition(".")[0]) + 1


def is_pictures(network: LayerStack, loss: Loss, optimizer: Optimizer) -> bool:
    """Whether compiled steps of pictures know how to train it, and run on this system."""
    begin = front_layers(network)
    return begin > 0 and is_chain(network, loss, optimizer, begin)


class _Part(NamedTuple):
    """A layer in the order of passes, inside a Residual, too; brackets stand around those.

    Parameters
    ----------
    letter : str
        The kind of layer, so that a pattern can say which orders of them are known.
    name : str
        The layer's place, dotted inside a Residual.
    layer : Layer
    in_shape : tuple of int
        The shape of one sample of its input.
    """

    letter: str
    name: str
    layer: layers.Layer
    in_shape: tuple[int, ...]


def _parts(network: LayerStack) -> Iterator[_Part]:
    """Yield the layers of a network one after the other."""
    shape = network.input_shape
    for place, built in enumerate(network.body.build_each(shape)):
        layer, name = network.layers[place], str(place)
        if type(layer) is layers.Residual and "P" not in built.parameters:
            yield _Part("[", name, layer, shape)
            for inner, inside in enumerate(layer.build_each(shape)):
                one = layer.layers[inner]
                yield _Part(_letter(one), f"{name}.{inner}", one, shape)
                shape = inside.out_shape
            yield _Part("]", name, layer, shape)
        else:
            yield _Part(_letter(layer), name, layer, shape)
        shape = built.out_shape


def _is_plain(before: layers.Layer | None, part: _Part) -> bool:
    """Whether a convolution takes each place and keeps the size, and a pool is of two by two."""
    layer = part.layer
    if isinstance(layer, layers.Conv2D | layers.MaxPool2D):
        windows = layer.windows((part.in_shape[0], part.in_shape[1]))
        if isinstance(layer, layers.MaxPool2D):
            return windows.size == windows.stride == (2, 2)
        rows, columns = windows.size
        plain = layer.padding == "same" and windows.stride == (1, 1)
        return plain and rows == columns and rows % 2 == 1
    # A bias below a norm only moves its means: nobody needs both.
    return not (
        isinstance(layer, layers.BatchNorm) and isinstance(before, layers.Conv2D) and before.bias
    )


def _letter(layer: layers.Layer) -> str:
    letters = {
        layers.Conv2D: "C",
        layers.BatchNorm: "N",
        layers.ReLU: "r",
        layers.MaxPool2D: "P",
        layers.Flatten: "F",
        layers.GlobalAveragePool2D: "G",
    }
    return letters.get(type(layer), "?")


def front_of(
    network: LayerStack, samples: int, threads: int, wide: int, *, training: bool
) -> tuple[Front, int, int]:
    """Describe the blocks of a network that `is_pictures`.

    Parameters
    ----------
    samples : int
        The largest number of samples in a batch.
    threads : int
    wide : int
        The number of channels in a group.
    training : bool
        Whether norms have to see the batch.

    Returns
    -------
    front : Front
    memory, codes : int
        The numbers of numbers, and of bytes, that its steps need.
    """
    begin = front_layers(network)
    parameters, state = places_of(network.parameters), places_of(network.state)
    together, own, group, codes = Room(), Room(), Room(), Room()
    height, width, taken = (*network.input_shape, 1)[:3]
    split, depth = 1, taken
    rows: list[list[int]] = []
    numbers: list[list[float]] = []
    widest = 0
    began = NONE
    for letter, place, layer, _ in _parts(network):
        if letter == "[":
            began = len(rows)
        elif letter == "]":
            rows[-1][SKIP], rows[began][LENT] = began, len(rows) - 1
        elif letter in "FG" and letter:
            break
        elif isinstance(layer, layers.Conv2D):
            if rows:
                height, width = _after(rows[-1])
            kernel, given = network.parameters[f"{place}.W"].shape[0], layer.filters
            filters = -(-given // wide)
            row = [NONE] * 27
            row[HEIGHT], row[WIDTH], row[SPLIT], row[DEPTH] = height, width, split, depth
            row[FILTERS], row[TAKEN], row[GIVEN] = filters, taken, given
            row[KERNEL], row[POOLED] = kernel, 0
            row[W], row[B] = parameters[f"{place}.W"], parameters.get(f"{place}.b", NONE)
            weights = kernel * kernel * split * depth * filters * wide
            row[X] = together.take(samples * split * _padded(row) * depth)
            row[DZ] = own.take(filters * _padded(row) * wide)
            row[PACKED], row[TURNED] = own.take(weights), own.take(weights)
            row[K] = own.take(ROWS * filters * wide)
            row[GRADIENT] = group.take(weights + filters * wide)
            rows.append(row)
            numbers.append([0.0, 0.0, -np.inf])
            split, depth, taken = filters, wide, given
            widest = max(widest, width * wide)
        elif isinstance(layer, layers.BatchNorm):
            row = rows[-1]
            row[GAMMA], row[BETA] = parameters[f"{place}.gamma"], parameters[f"{place}.beta"]
            row[MEAN] = state[f"{place}.running_mean"]
            row[VARIANCE] = state[f"{place}.running_variance"]
            if training:
                row[Z] = together.take(samples * row[HEIGHT] * row[WIDTH] * row[FILTERS] * wide)
            numbers[-1][:2] = layer.momentum, layer.epsilon
        elif isinstance(layer, layers.ReLU):
            numbers[-1][FLOOR] = 0.0
        elif isinstance(layer, layers.MaxPool2D):
            rows[-1][POOLED] = 1
    for row in rows:
        height, width = _after(row)
        size = height * width * row[FILTERS] * wide
        row[CODES] = codes.take(samples * size)
        # Before a norm's sums over the batch are whole, no sample can go further back.
        waits = row[Z] != NONE or row[SKIP] != NONE
        row[STEP] = size if waits else 0
        row[DY] = together.take(samples * size) if waits else own.take(size)
    features = [NONE] * 27
    features[HEIGHT], features[WIDTH], features[KERNEL] = height, width, 1
    features[SPLIT], features[DEPTH], features[TAKEN] = split, depth, taken
    features[X] = together.take(samples * height * width * split * depth)
    line_at, sums_at = own.take(4 * widest), own.take(2 * wide)
    own_at = together.size
    groups_at = own_at + threads * own.size
    front = Front(
        blocks=np.array([*rows, features], np.int64),
        numbers=np.array(numbers, network.dtype),
        averages=isinstance(network.layers[begin - 1], layers.GlobalAveragePool2D),
        wide=wide,
        own_at=own_at,
        own=own.size,
        line_at=line_at,
        sums_at=sums_at,
        groups_at=groups_at,
        group=group.size,
    )
    return front, groups_at + GROUPS * group.size, codes.size


def _padded(row: list[int]) -> int:
    """Return how many places a block's input has, with its border."""
    border = row[KERNEL] - 1
    return (row[HEIGHT] + border) * (row[WIDTH] + border)


def _after(row: list[int]) -> tuple[int, int]:
    """Return height and width of a block's output."""
    by = 2 if row[POOLED] else 1
    return row[HEIGHT] // by, row[WIDTH] // by


def features_of(network: LayerStack) -> int:
    """Return how many numbers a sample has when it comes to the Dense layers."""
    begin = front_layers(network)
    shape: Any = network.body.build_each(network.input_shape)[begin - 1].out_shape
    return int(shape[0])
