"""A network as a table: the output, the parameters and the memory of each layer."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from clearprop.core import html
from clearprop.core.printable import aligned
from clearprop.layers import Built, Layer, Sequential
from clearprop.layers.base import StandIn, every_layer, stand_in_for


@dataclass(frozen=True)
class SummaryRow:
    """One layer.

    Parameters
    ----------
    name : str
        The layer's place, dotted where it lies inside another: ``"3.0"``.
    layer : str
        The layer's type and hyper-parameters.
    shapes : dict of str to tuple of int
        The shapes of its own arrays, by name, learned and kept.
    output_shape : tuple of int
        The shape of one sample.
    parameters : int
        The number of numbers it learns, those of inner layers not counted.
    bytes : int
        The memory of its own arrays, learned and kept.
    """

    name: str
    layer: str
    shapes: dict[str, tuple[int, ...]]
    output_shape: tuple[int, ...]
    parameters: int
    bytes: int


@dataclass(frozen=True, repr=False)
class Summary:
    """A table of layers; it is its own text, and notebooks draw it.

    Parameters
    ----------
    input_shape : tuple of int
        The shape of one sample.
    dtype : str
        The dtype of every array.
    rows : tuple of SummaryRow
        The layers from input to output; those inside a container follow it.
    """

    input_shape: tuple[int, ...]
    dtype: str
    rows: tuple[SummaryRow, ...]

    @property
    def parameters(self) -> int:
        """The number of numbers that are learned."""
        return sum(row.parameters for row in self.rows)

    @property
    def bytes(self) -> int:
        """The memory of all arrays, learned and kept."""
        return sum(row.bytes for row in self.rows)

    @property
    def output_shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shape of each layer's output for one sample."""
        return tuple(row.output_shape for row in self.rows)

    def __str__(self) -> str:
        return aligned(self._lines(), numbers=2)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html.fragment(self.table())

    def table(self) -> html.Markup:
        """Return the table as HTML."""
        header, *rows = self._lines()
        return html.table(header, rows, numbers=2)

    def _lines(self) -> list[tuple[str, ...]]:
        return [
            ("layer", "", "parameters", "output", "learned", "memory"),
            ("", "input", "", times(self.input_shape), "", ""),
            *(
                (
                    row.name,
                    row.layer,
                    ", ".join(f"{name} {times(shape)}" for name, shape in row.shapes.items()),
                    times(row.output_shape),
                    f"{row.parameters:,}" if row.shapes else "",
                    readable_bytes(row.bytes) if row.shapes else "",
                )
                for row in self.rows
            ),
            ("", "total", "", "", f"{self.parameters:,}", readable_bytes(self.bytes)),
        ]


def summarize(body: Sequential, input_shape: tuple[int, ...], dtype: np.dtype[Any]) -> Summary:
    """Make the table of a chain of layers, for samples of one shape and arrays of one dtype."""
    return Summary(input_shape, dtype.name, tuple(_rows(body, input_shape, dtype)))


def readable_bytes(count: int) -> str:
    """Return a number of bytes as people write it: ``"1.9 MiB"``."""
    if count < 1024:
        return f"{count} B"
    power = 1
    while round(count / 1024**power, 1) >= 1024 and power < 4:
        power += 1
    return f"{count / 1024**power:.1f} {'KMGT'[power - 1]}iB"


def short_name(layer: Layer) -> str:
    """Write a layer with those of its hyper-parameters that are not the default.

    Layers inside it are left out: ``Dense(units=20)``, ``Residual``.
    """
    if layer.inner() or not is_dataclass(layer):
        return type(layer).__name__
    given = (
        f"{field.name}={getattr(layer, field.name)!r}"
        for field in fields(layer)
        if field.repr and getattr(layer, field.name) != field.default
    )
    return f"{type(layer).__name__}({', '.join(given)})"


@dataclass(frozen=True, eq=False)
class _Noting(StandIn):
    """A layer that writes down what it is built to, wherever a container builds it."""

    noted: dict[str, Built]

    def build(self, in_shape: tuple[int, ...]) -> Built:
        self.noted[self.name] = built = super().build(in_shape)
        return built


def _rows(
    body: Sequential, in_shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Iterator[SummaryRow]:
    noted: dict[str, Built] = {}

    def make(layer: Layer, worker: Layer, name: str) -> _Noting:
        return _Noting(layer, worker, name, noted)

    stand_ins = {name: stand_in_for(one, name, make) for name, one in body.inner().items()}
    body.with_inner(stand_ins).build(in_shape)
    for name, layer in every_layer(body.inner()):
        if name not in noted:  # its container builds it in a way of its own
            continue
        built, inside = noted[name], layer.inner()
        # A dotted name belongs to an inner layer, which has a row of its own.
        learned, kept = (
            {key: spec.shape for key, spec in specs.items() if not (inside and "." in key)}
            for specs in (built.parameters, built.state)
        )
        shapes = learned | kept
        yield SummaryRow(
            name=name,
            layer=type(layer).__name__ if inside else repr(layer),
            shapes=shapes,
            output_shape=built.out_shape,
            parameters=sum(map(math.prod, learned.values())),
            bytes=sum(map(math.prod, shapes.values())) * dtype.itemsize,
        )


def times(shape: tuple[int, ...]) -> str:
    """Write a shape: ``"64×64×3"``."""
    return "×".join(map(str, shape))
