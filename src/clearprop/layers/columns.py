"""Layers side by side, each for its own columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from clearprop.core.formulas import Formulas
from clearprop.core.parameters import Array, Parameter, Params
from clearprop.core.program import Program, Value
from clearprop.core.symbols import dx, y
from clearprop.core.trace import Trace
from clearprop.errors import ShapeError, UsageError, listed
from clearprop.layers.base import Built, Layer, described
from clearprop.layers.column_formulas import added_up, side_by_side
from clearprop.layers.containers import Sequential
from clearprop.layers.dense import flat_size
from clearprop.layers.embedding import Embedding, PeriodicEmbedding


@dataclass(frozen=True)
class Columns(Layer):
    """Give each layer its own columns, and set what they make of them side by side.

    Ranges of columns may overlap: then several layers see the same numbers.

    Parameters
    ----------
    ranges : tuple of pair of int
        The columns of each layer, as (start, stop): those from start on, before stop.
    layers : tuple of Layer
        A layer for each range, of flat samples; an empty ``Sequential(())`` passes its columns on.
        Their names are their places: ``"0"``, ``"1"``, ...

    Raises
    ------
    ShapeError
        From `build`, if a column goes to no layer, or there is no such column.

    Notes
    -----
    y = [f_0(x[:, ranges_0]), f_1(x[:, ranges_1]), ...]. Each layer gets back its own part of dy,
    and what they make of it is added up in dx, column by column.
    """

    ranges: tuple[tuple[int, int], ...]
    layers: tuple[Layer, ...]
    names: tuple[str, ...] = field(init=False, repr=False, compare=False)

    formulas = Formulas({y: side_by_side()}, {dx: added_up()})

    def __post_init__(self) -> None:
        object.__setattr__(self, "ranges", tuple(map(_checked, self.ranges)))
        object.__setattr__(self, "layers", tuple(self.layers))
        object.__setattr__(self, "names", tuple(str(place) for place in range(len(self.layers))))
        for name, layer in zip(self.names, self.layers, strict=True):
            if not isinstance(layer, Layer):
                raise UsageError(f"Layer {name} is no layer but {layer!r}. Is a () missing?")
        if len(self.ranges) != len(self.layers) or not self.layers:
            raise UsageError(
                f"Columns needs a range of columns for each layer, and a layer; found "
                f"{len(self.ranges)} ranges and {len(self.layers)} layers."
            )

    @classmethod
    def of_table(
        cls, *, numbers: int = 0, plain: int = 0, sizes: Sequence[int] = (), rate: float = 1.0
    ) -> Self:
        """Make the first layer for rows of a table: [numbers, plain inputs, codes of categories].

        It gives [a `PeriodicEmbedding` of the numbers, the numbers, the plain inputs, an
        `Embedding` of the codes]; what has no columns is left out.

        Parameters
        ----------
        numbers : int, default 0
            The number of columns that are embedded and passed on.
        plain : int, default 0
            The number of columns that are passed on alone, such as one-hots.
        sizes : sequence of int, default ()
            The number of rows of each category's table.
        rate : float, default 1.0
            The factor of the learning rate for the `PeriodicEmbedding`. RealMLP takes 0.1.

        Returns
        -------
        Columns

        Raises
        ------
        UsageError
            If there are no columns at all.
        """
        passed = numbers + plain
        parts: list[tuple[tuple[int, int], Layer]] = []
        if numbers:
            parts.append(((0, numbers), PeriodicEmbedding(rate=rate)))
        if passed:
            parts.append(((0, passed), Sequential(())))
        if sizes:
            parts.append(((passed, passed + len(sizes)), Embedding(tuple(sizes))))
        return cls(tuple(one for one, _ in parts), tuple(layer for _, layer in parts))

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Take flat samples (D,), and give the outputs of all layers as flat ones."""
        self._check_columns(flat_size("Columns", in_shape))
        width = 0
        parameters: dict[str, Parameter] = {}
        state: dict[str, Parameter] = {}
        for name, layer, (start, stop) in zip(self.names, self.layers, self.ranges, strict=True):
            try:
                built = layer.build((stop - start,))
                width += flat_size("Columns", built.out_shape)
            except ShapeError as error:
                raise ShapeError(f"Layer {name} of Columns: {error}") from error
            parameters |= {f"{name}.{key}": spec for key, spec in built.parameters.items()}
            state |= {f"{name}.{key}": spec for key, spec in built.state.items()}
        return Built((width,), parameters, state)

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return what the layers make of their columns, side by side."""
        parts = [
            layer.forward(params.get(name, {}), x[:, start:stop], trace.child(name))
            for name, layer, (start, stop) in zip(self.names, self.layers, self.ranges, strict=True)
        ]
        trace["ends"] = ends = np.cumsum([part.shape[1] for part in parts])
        y = trace.buffer("y", (len(x), int(ends[-1])), x.dtype)
        return np.concatenate(parts, axis=1, out=y)

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        """Give each layer its part of dy; return the sum of what comes back where it is wanted."""
        dx = None
        if trace.wants_dx:
            columns = max(stop for _, stop in self.ranges)
            dx = trace.buffer("dx", (len(dy), columns), dy.dtype)
            dx[...] = 0
        parts = np.split(dy, trace["ends"][:-1], axis=1)
        for name, layer, (start, stop), part in zip(
            self.names, self.layers, self.ranges, parts, strict=True
        ):
            child = trace.child(name)
            child.wants_dx = trace.wants_dx
            back = layer.backward(params.get(name, {}), part, child, grads.get(name, {}))
            if dx is not None and back is not None:
                dx[:, start:stop] += back
        return dx

    def update_state(self, params: Params, trace: Trace) -> None:
        """Let each layer update what it keeps."""
        for name, layer in self.inner().items():
            layer.update_state(params.get(name, {}), trace.child(name))

    def inner(self) -> Mapping[str, Layer]:
        """Return the layers by their places."""
        return dict(zip(self.names, self.layers, strict=True))

    def with_inner(self, inner: Mapping[str, Layer]) -> Self:
        """Return the same ranges with other layers."""
        return replace(self, layers=tuple(inner.values()))

    def codes(self, in_shape: tuple[int, ...]) -> Mapping[int, int]:
        """Return the columns of codes of all layers."""
        return {
            start + column: size
            for layer, (start, stop) in zip(self.layers, self.ranges, strict=True)
            for column, size in layer.codes((stop - start,)).items()
        }

    def _check_columns(self, columns: int) -> None:
        stop = max(stop for _, stop in self.ranges)
        seen = {column for start, stop in self.ranges for column in range(start, stop)}
        if stop > columns:
            raise ShapeError(
                f"Columns takes samples of {stop} columns, found samples of {columns}. Let its "
                "ranges end there."
            )
        if unseen := sorted(set(range(columns)) - seen):
            raise ShapeError(
                f"Columns gives some columns of {columns} to no layer: {listed(map(str, unseen))}. "
                "Let a range hold each; an empty Sequential(()) passes columns on."
            )

    def describe(self, params: Params, x: Value, program: Program) -> Value:
        """Let each layer describe what it makes of its columns, and set these side by side."""
        parts = []
        for (name, layer), (start, stop) in zip(self.inner().items(), self.ranges, strict=True):
            with program.layer(name):
                columns = program.part(x, start, stop)
                parts.append(described(layer, params.get(name, {}), columns, program))
        return program.joined(tuple(parts))


def _checked(found: Sequence[int]) -> tuple[int, int]:
    is_pair = isinstance(found, tuple | list) and len(found) == 2
    if not is_pair or not all(isinstance(end, int | np.integer) for end in found):
        raise UsageError(f"A range of Columns is a pair (start, stop), found {found!r}.")
    start, stop = found
    if not 0 <= start < stop:
        raise UsageError(
            f"A range of Columns counts from 0, and stops behind its start; found {found!r}."
        )
    return int(start), int(stop)
