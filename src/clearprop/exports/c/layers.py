"""Operations as statements of C, each below a comment that names its layer."""

import math

import numpy as np

from clearprop.core import program
from clearprop.core.program import Operation
from clearprop.core.spelling import Infix, spelled
from clearprop.core.trace import Array
from clearprop.errors import UsageError
from clearprop.exports.c import text as c_text
from clearprop.exports.c.int8 import quantised
from clearprop.exports.c.memory import LOGITS, Memory
from clearprop.exports.c.source import Source, comment, loop, size_of
from clearprop.exports.description import Description


def write_operations(description: Description, memory: Memory, source: Source) -> None:
    """Add the statements and tables of a description's operations."""
    layer = None
    for operation in description.operations:
        if operation.layer != layer:
            layer = operation.layer
            source.put(f"\n{comment(_told(operation, description))}")
        _Writer(operation, memory, source).write()
    logits = memory.of(description.output)
    if logits.array != LOGITS:
        copied = loop(description.output.size, f"logits[i] = {logits.at('i')};")
        source.put(f"\n{copied}")


def _told(operation: Operation, description: Description) -> str:
    """Return the words for a layer: its place, and what it is or is in."""
    top, *inner = operation.layer.split(".")
    name = c_text.spoken(description.layers.get(top, ""))
    into, out = (size_of(one.shape) for one in (operation.inputs[0], operation.out))
    return f"{c_text.spoken(operation.layer)}{', in' if inner else ':'} {name}: {into} to {out}"


class _Writer:
    """The statements of one operation."""

    def __init__(self, operation: Operation, memory: Memory, source: Source) -> None:
        self.operation, self.memory, self.source = operation, memory, source
        self.x, self.y = memory.of(operation.inputs[0]), memory.of(operation.out)
        self.stem = f"{c_text.identifier(f'layer {operation.layer}', 'layer')}"

    def write(self) -> None:
        """Add them."""
        match self.operation:
            case program.Reshaped() | program.Part():
                pass  # the numbers stay where they are
            case program.Affine() as op:
                self._affine(op)
            case program.Convolution() as op:
                self._convolution(op)
            case program.Pooling() as op:
                self._pooling(op)
            case program.Elementwise() as op:
                self._elementwise(op)
            case program.Scaling() as op:
                factor, shift = self._table("factor", op.factor), self._table("shift", op.shift)
                self._call("scaling", self.x, op.out.size, factor, shift, len(op.factor), self.y)
            case program.Normalisation() as op:
                learned = self._table("gamma", op.gamma), self._table("beta", op.beta)
                epsilon = c_text.single(op.epsilon)
                self._call("normalisation", self.x, op.out.size, *learned, epsilon, self.y)
            case program.Added() as op:
                left, right = (self.memory.of(one).at("i") for one in op.inputs)
                self.source.put(loop(op.out.size, f"{self.y.at('i')} = {left} + {right};"))
            case program.Joined() as op:
                self._joined(op)
            case program.Waves() as op:
                self._waves(op)
            case program.Looked() as op:
                self._looked(op)
            case other:
                raise UsageError(
                    f"{type(other).__name__} of layer {other.layer} can't be written in C. Leave "
                    "the layer out, or export the model to another format."
                )

    def _affine(self, op: program.Affine) -> None:
        inputs, units = op.W.shape
        rows = op.inputs[0].size // inputs
        weights = self._weights(op.W.T)
        self._call("affine", self.x, rows, inputs, *weights, self._table("b", op.b), units, self.y)

    def _convolution(self, op: program.Convolution) -> None:
        height, width, channels = op.inputs[0].shape
        sizes = [
            *(("height", height), ("width", width), ("channels", channels)),
            *(("window_height", op.W.shape[0]), ("window_width", op.W.shape[1])),
            *(("down", op.stride[0]), ("across", op.stride[1])),
            *(("above", op.before[0]), ("left", op.before[1])),
            *(("out_height", op.out.shape[0]), ("out_width", op.out.shape[1])),
            ("filters", op.out.shape[2]),
        ]
        weights = self._weights(op.W.transpose(3, 0, 1, 2))
        name = self._sizes("convolution_sizes", sizes)
        self._call("convolution", f"&{name}", self.x, *weights, self._table("b", op.b), self.y)

    def _pooling(self, op: program.Pooling) -> None:
        _, width, channels = op.inputs[0].shape
        sizes = [
            *(("width", width), ("channels", channels)),
            *(("window_height", op.window[0]), ("window_width", op.window[1])),
            *(("down", op.stride[0]), ("across", op.stride[1])),
            *(("out_height", op.out.shape[0]), ("out_width", op.out.shape[1])),
        ]
        kind = "largest" if op.largest else "mean"
        name = self._sizes("pooling_sizes", sizes)
        self.source.call(f"{kind}_of", kind, f"&{name}", self.x, self.y)

    def _elementwise(self, op: program.Elementwise) -> None:
        arithmetic = _Arithmetic(self.source)
        formula = spelled(op.formula, "x", arithmetic)
        if formula.startswith("(") and _closing(formula) == len(formula) - 1:
            formula = formula[1:-1]
        body = f"const float x = {self.x.at('i')};\n    {self.y.at('i')} = {formula};"
        self.source.put(loop(op.out.size, body))

    def _joined(self, op: program.Joined) -> None:
        first = 0
        for value in op.inputs:
            into = f"{self.y} + {first}" if first else str(self.y)
            size = f"{value.size} * sizeof(float)"
            self.source.put(f"memcpy({into}, {self.memory.of(value)}, {size});")
            first += value.size

    def _waves(self, op: program.Waves) -> None:
        # As the layer computes it, so that both round alike: the cosine of many turns tells.
        turn = self._table("turn", 2 * np.pi * op.w1)
        others = (self._table(name, getattr(op, name)) for name in ("b1", "W2", "b2"))
        numbers, frequencies, width = op.W2.shape
        self._call("waves", self.x, numbers, frequencies, width, turn, *others, self.y)

    def _looked(self, op: program.Looked) -> None:
        rows = [*op.first.tolist(), len(op.E)]
        first = self.source.table("int32_t", f"{self.stem}_first", map(str, rows))
        table, width = self._table("E", op.E), op.E.shape[1]
        self.source.call("looked_up", "looked", self.x, op.first.size, first, table, width, self.y)

    def _call(self, function: str, *arguments: object) -> None:
        self.source.call(function, function, *arguments)

    def _table(self, name: str, values: Array) -> str:
        what = f"{name} of layer {self.operation.layer}"
        return self.source.floats(f"{self.stem}_{name}", values, what)

    def _weights(self, W: Array) -> tuple[str, ...]:
        """Add weights (units, ...); return their table, and perhaps that of their scales."""
        if not self.source.int8:
            return (self._table("W", W),)
        if not np.isfinite(W).all():
            return (self._table("W", W),)  # which says so
        q, scales = quantised(W)
        table = self.source.table("int8_t", f"{self.stem}_W", map(str, q.ravel().tolist()))
        return table, self._table("scale", scales)

    def _sizes(self, kind: str, sizes: list[tuple[str, int]]) -> str:
        name = self.source.unique(f"{self.stem}_sizes")
        fields = [f".{field} = {size}," for field, size in sizes]
        text = "\n    ".join(
            " ".join(fields[first : first + 4]) for first in range(0, len(fields), 4)
        )
        self.source.tables.append(f"static const {kind} {name} = {{\n    {text}\n}};")
        self.source.constants += 4 * len(fields)
        return name


class _Arithmetic(Infix):
    """Formulas of float32 numbers, in brackets throughout."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def number(self, value: float) -> str:
        """Return a constant."""
        text = c_text.single(value)
        return f"({text})" if math.copysign(1.0, value) < 0 else text

    def call(self, name: str, arguments: tuple[str, ...]) -> str:
        """Return what a function of <math.h> gives, or one of ours."""
        if name == "max":
            left, right = arguments
            return f"({left} > {right} ? {left} : {right})"
        if name == "Phi":
            self.source.needs.add("normal")
        found = {"abs": "fabsf", "Phi": "normal"}.get(name, f"{name}f")
        inner = arguments[0]
        is_wrapped = inner.startswith("(") and _closing(inner) == len(inner) - 1
        return f"{found}({inner[1:-1] if is_wrapped else inner})"

    def choose(self, tested: str, then: str, otherwise: str) -> str:
        """Return then where tested > 0, else otherwise."""
        return f"({tested} > 0.0f ? {then} : {otherwise})"


def _closing(text: str) -> int:
    """Return where the bracket is closed that a text begins with."""
    depth = 0
    for place, one in enumerate(text):
        depth += (one == "(") - (one == ")")
        if depth == 0:
            return place
    return len(text)
