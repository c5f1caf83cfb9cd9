"""A network as a table: the output, the parameters and the memory of each layer."""

import math
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from clearprop.layers import Layer, Residual, Sequential


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


@dataclass(frozen=True)
class Summary:
    """A table of layers; ``print(net.summary())`` shows it.

    Parameters
    ----------
    input_shape : tuple of int
        The shape of one sample.
    dtype : str
        The dtype of every array.
    rows : tuple of SummaryRow
        From input to output; the layers inside a `Residual` or `Sequential` follow it.
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
        header = ("layer", "", "parameters", "output", "learned", "memory")
        lines = [
            ("", "input", "", _times(self.input_shape), "", ""),
            *(
                (
                    row.name,
                    row.layer,
                    ", ".join(f"{name} {_times(shape)}" for name, shape in row.shapes.items()),
                    _times(row.output_shape),
                    f"{row.parameters:,}" if row.shapes else "",
                    readable_bytes(row.bytes) if row.shapes else "",
                )
                for row in self.rows
            ),
            ("", "total", "", "", f"{self.parameters:,}", readable_bytes(self.bytes)),
        ]
        widths = [max(map(len, column)) for column in zip(header, *lines, strict=True)]
        justify = (str.ljust, str.ljust, str.ljust, str.ljust, str.rjust, str.rjust)
        return "\n".join(
            "  ".join(
                place(cell, width) for place, cell, width in zip(justify, line, widths, strict=True)
            ).rstrip()
            for line in (header, *lines)
        )


def summarize(body: Sequential, input_shape: tuple[int, ...], dtype: np.dtype[Any]) -> Summary:
    """Make the table of a chain of layers.

    Parameters
    ----------
    body : Sequential
    input_shape : tuple of int
        The shape of one sample.
    dtype : numpy.dtype
        The dtype of every array.

    Returns
    -------
    Summary
    """
    return Summary(input_shape, dtype.name, tuple(_rows(body, input_shape, dtype, "")))


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
    if _chain_inside(layer) or not is_dataclass(layer):
        return type(layer).__name__
    given = (
        f"{field.name}={getattr(layer, field.name)!r}"
        for field in fields(layer)
        if field.repr and getattr(layer, field.name) != field.default
    )
    return f"{type(layer).__name__}({', '.join(given)})"


def _rows(
    body: Sequential, in_shape: tuple[int, ...], dtype: np.dtype[Any], prefix: str
) -> list[SummaryRow]:
    rows = []
    for name, layer, built in zip(body.names, body.layers, body.build_each(in_shape), strict=True):
        inside = _chain_inside(layer)
        # A dotted name belongs to an inner layer, which may have a row of its own.
        learned, kept = (
            {key: spec.shape for key, spec in specs.items() if not (inside and "." in key)}
            for specs in (built.parameters, built.state)
        )
        shapes = learned | kept
        rows.append(
            SummaryRow(
                name=prefix + name,
                layer=type(layer).__name__ if inside else repr(layer),
                shapes=shapes,
                output_shape=built.out_shape,
                parameters=sum(map(math.prod, learned.values())),
                bytes=sum(map(math.prod, shapes.values())) * dtype.itemsize,
            )
        )
        if inside:
            rows += _rows(inside, in_shape, dtype, f"{prefix}{name}.")
        in_shape = built.out_shape
    return rows


def _chain_inside(layer: Layer) -> Sequential | None:
    if isinstance(layer, Residual):
        return layer.block
    return layer if isinstance(layer, Sequential) else None


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
