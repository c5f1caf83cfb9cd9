"""From the networks of tables to the arrays of numbers that compiled steps work with.

Such a network begins with `Columns` as `Columns.of_table` makes them, and a `Scale`; then come
hidden layers, each an `NTKDense`, a `Blend` of an activation, and perhaps a `Dropout`; and one
`NTKDense` more. A batch is computed in a fixed number of parts, whose sums are added up in order:
the bits don't depend on how many threads share them.
"""

import os
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np

from clearprop.compiled.building import KERNELS, LOSS_LOOPS, NONE, Room, places_of
from clearprop.configuration import own
from clearprop.core.parameters import Array
from clearprop.layers import (
    ACTIVATIONS,
    Activation,
    Blend,
    Columns,
    Dropout,
    Embedding,
    Layer,
    NTKDense,
    PeriodicEmbedding,
    Scale,
    Sequential,
)
from clearprop.losses import Loss
from clearprop.network.stack import LayerStack
from clearprop.optimizers import Optimizer

INPUTS, UNITS, W, B, ALPHA, ACTIVATION, X, DZ, CHANGE, SLOPE, KEPT, RATE = range(12)
"""The columns of `TableChain.layers`."""

BEGIN, END, SMALL_RATE, DECAYS = range(4)
"""The columns of `TableChain.small`."""

PARTS: Final = 2

_KINDS: Final = [type(one) for one in ACTIVATIONS.values() if own(type(one), "loop_bent")]
BENT_LOOPS: Final = [own(kind, "loop_bent") for kind in _KINDS]
_PATTERN: Final = re.compile("CS(NBx?)*N")


class TableFront(NamedTuple):
    """The first layer, and the factors of what it gives.

    Parameters
    ----------
    numbers, plain, codes : int
        The counts of columns.
    frequencies, width : int
        The waves of each number, and the outputs of its embedding.
    embedded : int
        The width of the embedding of each category.
    given : int
        The number of inputs of the first dense layer.
    w1_at, b1_at, W2_at, b2_at, E_at, s_at : int
        The places in the parameter vector; NONE where there is none.
    u_at, du_at : int
        The places in the memory of what `Columns` give, and of its gradient.
    cosines_at, sines_at : int
        The places of those of each part, number and wave.
    own_at, own_size : int
        The place of the first part's own room, and its size.
    """

    numbers: int
    plain: int
    codes: int
    frequencies: int
    width: int
    embedded: int
    given: int
    w1_at: int
    b1_at: int
    W2_at: int
    b2_at: int
    E_at: int
    s_at: int
    u_at: int
    du_at: int
    cosines_at: int
    sines_at: int
    own_at: int
    own_size: int


class TableChain(NamedTuple):
    """The network of a table, a loss, and an optimizer.

    Parameters
    ----------
    front : TableFront
    firsts : ndarray of int64, shape (C + 1,)
        The row where each category's table begins, and where the last one ends.
    layers : ndarray of int64, shape (L, 12)
        For each dense layer INPUTS and UNITS; the places of W, B (NONE without) and ALPHA in the
        parameter vector; the code of the ACTIVATION that is blended (NONE in the last layer); in
        the memory the places of X, its input, DZ, the gradient of its output before that, CHANGE
        and SLOPE of the activation; the first column of the numbers that dropout above it KEPT
        (NONE without); and the number of W's learning RATE.
    factors : ndarray, shape (L,)
        One over the root of each layer's inputs.
    small : ndarray of int64, shape (A, 4)
        The arrays whose gradient each part adds to: BEGIN and END in the parameter vector, the
        number of the learning rate, and whether it DECAYS.
    table_rate : int
        The number of the learning rate of E.
    loss, kernel : int
        The codes of the loss and of the update.
    loss_number : float
        The number that the loss's loop takes.
    """

    front: TableFront
    firsts: Array
    layers: Array
    factors: Array
    small: Array
    table_rate: int
    loss: int
    loss_number: float
    kernel: int


class TableBatches(NamedTuple):
    """Some updates of R different rates that follow each other; see `building.Batches`.

    Parameters
    ----------
    rows : ndarray of int64, shape (Q,)
    bounds : ndarray of int64, shape (U + 1,)
    kept : ndarray of bool, shape (Q, K)
    scales : ndarray, shape (U, L)
        The factor of the numbers that dropout above each layer lets stay.
    coefficients : ndarray, shape (U, R, C)
    factors : ndarray, shape (U, R)
        The factor of what decays, by its learning rate.
    """

    rows: Array
    bounds: Array
    kept: Array
    scales: Array
    coefficients: Array
    factors: Array


def is_table(network: LayerStack, loss: Loss, optimizer: Optimizer) -> bool:
    """Whether compiled steps of tables know how to train it."""
    return (
        os.name == "posix"  # as `building.is_chain` has it
        and _PATTERN.fullmatch("".join(map(_letter, network.layers))) is not None
        and own(type(loss), "loop") in LOSS_LOOPS
        and optimizer.kernel in KERNELS
        and not optimizer.alpha
        and type(optimizer).update is Optimizer.update
        and type(optimizer).step is Optimizer.step
    )


def _letter(layer: Layer) -> str:
    kind = type(layer)
    if kind is Columns and _is_of_table(layer):  # type: ignore[arg-type]
        return "C"
    if isinstance(layer, Blend):
        return "B" if type(layer.activation) in _KINDS else "?"
    return {Scale: "S", NTKDense: "N", Dropout: "x"}.get(kind, "?")


def _is_of_table(layer: Columns) -> bool:
    """Whether they are as `Columns.of_table` makes them."""
    numbers, passed, sizes = _groups(layer)
    if not numbers and not passed and not sizes:
        return False
    found = Columns.of_table(numbers=numbers, plain=passed - numbers, sizes=sizes)
    kinds = [type(one) for one in layer.layers]
    return kinds == [type(one) for one in found.layers] and layer.ranges == found.ranges


def _groups(layer: Columns) -> tuple[int, int, tuple[int, ...]]:
    """Return how many columns are embedded as numbers, and passed on, and the sizes of tables."""
    numbers, passed, sizes = 0, 0, tuple[int, ...]()
    for (start, stop), one in zip(layer.ranges, layer.layers, strict=True):
        if type(one) is PeriodicEmbedding:
            numbers = stop - start
        elif type(one) is Sequential and not one.layers:
            passed = stop - start
        elif type(one) is Embedding:
            sizes = one.sizes
    return numbers, max(passed, numbers), sizes


def embedding_of(network: LayerStack) -> tuple[Embedding, slice] | None:
    """Return the embedding of categories, and its columns, if there is one."""
    columns = network.layers[0]
    assert isinstance(columns, Columns)  # noqa: S101 - for the type checker: is_table has looked
    for (start, stop), one in zip(columns.ranges, columns.layers, strict=True):
        if isinstance(one, Embedding):
            return one, slice(start, stop)
    return None


def rates_of(network: LayerStack) -> list[float]:
    """Return the different factors of the learning rate."""
    return sorted({spec.rate for spec in network.parameters.specs.values()})


def table_chain_of(
    network: LayerStack, loss: Loss, optimizer: Optimizer, samples: int
) -> tuple[TableChain, int]:
    """Describe a network that `is_table`.

    Parameters
    ----------
    samples : int
        The largest number of samples in a batch.

    Returns
    -------
    chain : TableChain
    memory : int
        The number of numbers that the memory of its steps must hold.
    """
    parameters, rates = network.parameters, rates_of(network)
    begins = places_of(parameters)
    memory = Room()
    front, firsts = _front(network, memory, samples)
    layers = _dense_layers(network, memory, samples)
    large = {name for name in parameters if name.endswith((".W", ".E"))}
    small = [
        [begins[name], begins[name] + array.size, rates.index(spec.rate), int(spec.decays)]
        for name, array in parameters.items()
        if name not in large
        for spec in [parameters.specs[name]]
    ]
    tables = [spec.rate for name, spec in parameters.specs.items() if name.endswith(".E")]
    chain = TableChain(
        front=front,
        firsts=firsts,
        layers=layers,
        factors=(1 / np.sqrt(layers[:, INPUTS])).astype(network.dtype),
        small=np.array(small, np.int64).reshape(-1, 4),
        table_rate=rates.index(tables[0]) if tables else NONE,
        loss=LOSS_LOOPS.index(type(loss).loop),
        loss_number=loss.number(network.dtype),
        kernel=KERNELS.index(optimizer.kernel),  # type: ignore[arg-type] # is_table has looked it up
    )
    return chain, memory.size


def _front(network: LayerStack, memory: Room, samples: int) -> tuple[TableFront, Array]:
    begins = places_of(network.parameters)
    columns = network.layers[0]
    assert isinstance(columns, Columns)  # noqa: S101 - for the type checker: is_table has looked
    numbers, passed, sizes = _groups(columns)
    frequencies = width = embedded = 0
    at = dict.fromkeys(("w1", "b1", "W2", "b2", "E"), NONE)
    for place, one in enumerate(columns.layers):
        if isinstance(one, PeriodicEmbedding):
            frequencies, width = one.frequencies, one.width
        elif isinstance(one, Embedding):
            embedded = one.width
        at |= {name: begins[f"0.{place}.{name}"] for name in at if f"0.{place}.{name}" in begins}
    given = passed + numbers * width + len(sizes) * embedded
    waves = numbers * frequencies * samples
    # Of each number, in turn: itself beside 1, the gradients of its outputs and of its angles, and
    # the sums of these.
    own = (2 + width + frequencies) * (samples // PARTS + 1) + 2 * frequencies
    front = TableFront(
        numbers=numbers,
        plain=passed - numbers,
        codes=len(sizes),
        frequencies=frequencies,
        width=width,
        embedded=embedded,
        given=given,
        **{f"{name}_at": place for name, place in at.items()},
        s_at=begins["1.s"],
        u_at=memory.take(samples * given),
        du_at=memory.take(samples * given),
        cosines_at=memory.take(waves),
        sines_at=memory.take(waves),
        own_at=memory.take(PARTS * own),
        own_size=own,
    )
    return front, np.cumsum((0, *sizes)).astype(np.int64)


def _dense_layers(network: LayerStack, memory: Room, samples: int) -> Array:
    begins, rates = places_of(network.parameters), rates_of(network)
    specs, kept, rows = network.parameters.specs, 0, list[list[int]]()
    for place, layer, above in _with_above(network.layers):
        if isinstance(layer, NTKDense):
            inputs, units = network.parameters[f"{place}.W"].shape
            row = [NONE] * 12
            row[INPUTS], row[UNITS] = inputs, units
            row[W], row[B] = begins[f"{place}.W"], begins.get(f"{place}.b", NONE)
            row[X], row[DZ] = memory.take(samples * inputs), memory.take(samples * units)
            row[RATE] = rates.index(specs[f"{place}.W"].rate)
            if isinstance(above, Blend) and isinstance(above.activation, Activation):
                row[ALPHA] = begins[f"{place + 1}.alpha"]
                row[ACTIVATION] = _KINDS.index(type(above.activation))
                row[CHANGE] = memory.take(samples * units)
                row[SLOPE] = memory.take(samples * units)
            rows.append(row)
        elif isinstance(layer, Dropout):
            rows[-1][KEPT] = kept
            kept += rows[-1][UNITS]
    return np.array(rows, np.int64)


def _with_above(layers: Any) -> Iterator[tuple[int, Layer, Layer | None]]:
    for place, (layer, above) in enumerate(pairwise([*layers, None])):
        yield place, layer, above
