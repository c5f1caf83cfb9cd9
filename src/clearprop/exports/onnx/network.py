"""A network's operations as nodes of ONNX, in the network's dtype and its order of axes."""

from typing import Any

import numpy as np

from clearprop.core import program
from clearprop.core.parameters import Array
from clearprop.core.program import Operation, Pair
from clearprop.core.spelling import spelled
from clearprop.exports.description import Description
from clearprop.exports.onnx.graph import Formulas, Graph

_CHANNELS_FIRST, _CHANNELS_LAST = [0, 3, 1, 2], [0, 2, 3, 1]


def logits(graph: Graph, description: Description, x: str) -> str:
    """Add the network, and return its logits (N, K).

    Parameters
    ----------
    graph : Graph
    description : Description
    x : str
        Prepared samples.
    """
    formulas = Formulas(graph, description.dtype)
    values = {description.input.place: x}
    for op in description.operations:
        values[op.out.place] = _operation(
            graph, op, [values[one.place] for one in op.inputs], formulas
        )
    return values[description.output.place]


def _operation(graph: Graph, op: Operation, x: list[str], formulas: Formulas) -> str:
    match op:
        case program.Affine(W=W, b=b):
            product = graph.add("MatMul", x[0], graph.constant(W))
            return _shifted(graph, product, b)
        case program.Scaling(factor=factor, shift=shift):
            return _shifted(graph, graph.add("Mul", x[0], graph.constant(factor)), shift)
        case program.Normalisation():
            return _normalised(graph, op, x[0])
        case program.Elementwise(formula=formula):
            return spelled(formula, x[0], formulas)
        case program.Convolution():
            of_floats = op.W.dtype == np.float32
            return (_convolved if of_floats else _convolved_in_parts)(graph, op, x[0])
        case program.Pooling():
            return _pooled(graph, op, x[0], formulas.dtype)
        case program.Reshaped():
            return graph.add("Reshape", x[0], graph.integers(0, *op.out.shape))
        case program.Added():
            return graph.add("Add", *x)
        case program.Part():
            ends = (graph.integers(one) for one in (op.start, op.stop, 1))
            return graph.add("Slice", x[0], *ends)
        case program.Joined():
            return graph.add("Concat", *x, axis=1)
        case program.Waves():
            return _waves(graph, op, x[0], formulas)
        case program.Looked(E=E, first=first):
            rows = graph.add("Add", graph.cast(x[0], "int64"), graph.constant(first))
            found = graph.add("Gather", graph.constant(E), rows, axis=0)
            return graph.add("Reshape", found, graph.integers(0, op.out.size))
    raise TypeError(f"no node of ONNX is known for {type(op).__name__}")


def _shifted(graph: Graph, x: str, shift: Array) -> str:
    return graph.add("Add", x, graph.constant(shift)) if shift.any() else x


def _normalised(graph: Graph, op: program.Normalisation, x: str) -> str:
    away = graph.add("Sub", x, graph.add("ReduceMean", x, axes=[1], keepdims=1))
    variance = graph.add("ReduceMean", graph.add("Mul", away, away), axes=[1], keepdims=1)
    least = graph.constant(op.epsilon, op.gamma.dtype)
    deviation = graph.add("Sqrt", graph.add("Add", variance, least))
    scaled = graph.add("Mul", graph.add("Div", away, deviation), graph.constant(op.gamma))
    return _shifted(graph, scaled, op.beta)


def _convolved(graph: Graph, op: program.Convolution, x: str) -> str:
    found = graph.add(
        "Conv",
        graph.add("Transpose", x, perm=_CHANNELS_FIRST),
        graph.constant(op.W.transpose(3, 2, 0, 1)),
        graph.constant(op.b),
        kernel_shape=list(op.W.shape[:2]),
        strides=list(op.stride),
        pads=[*op.before, *op.after],
    )
    return graph.add("Transpose", found, perm=_CHANNELS_LAST)


def _convolved_in_parts(graph: Graph, op: program.Convolution, x: str) -> str:
    """Add a product of matrices for each place of the kernel: onnxruntime has no float64 Conv."""
    if any((*op.before, *op.after)):
        pads = graph.integers(0, *op.before, 0, 0, *op.after, 0)
        x = graph.add("Pad", x, pads, graph.constant(0, op.W.dtype))
    windows = _windows(graph, x, (op.W.shape[0], op.W.shape[1]), op.stride, op.out.shape)
    products = [
        graph.add("MatMul", one, graph.constant(W))
        for one, W in zip(windows, op.W.reshape(-1, *op.W.shape[2:]), strict=True)
    ]
    return _shifted(graph, graph.add("Sum", *products), op.b)


def _pooled(graph: Graph, op: program.Pooling, x: str, dtype: np.dtype[Any]) -> str:
    if op.window == op.inputs[0].shape[:2]:
        return graph.add("ReduceMax" if op.largest else "ReduceMean", x, axes=[1, 2], keepdims=1)
    if not op.largest:  # of which float64 has none in onnxruntime
        every = _windows(graph, x, op.window, op.stride, op.out.shape)
        return graph.add("Mul", graph.add("Sum", *every), graph.constant(1 / len(every), dtype))
    found = graph.add(
        "MaxPool",
        graph.add("Transpose", x, perm=_CHANNELS_FIRST),
        kernel_shape=list(op.window),
        strides=list(op.stride),
    )
    return graph.add("Transpose", found, perm=_CHANNELS_LAST)


def _windows(graph: Graph, x: str, size: Pair, stride: Pair, out: tuple[int, ...]) -> list[str]:
    """Add the numbers at each place of all windows of pictures (N, H, W, C)."""
    places = []
    for p, q in np.ndindex(*size):
        stops = (p + (out[0] - 1) * stride[0] + 1, q + (out[1] - 1) * stride[1] + 1)
        ends = (graph.integers(*one) for one in ((p, q), stops, (1, 2), stride))
        places.append(graph.add("Slice", x, *ends))
    return places


def _waves(graph: Graph, op: program.Waves, x: str, formulas: Formulas) -> str:
    numbers = graph.add("Unsqueeze", x, graph.integers(2))
    phi = graph.add("Mul", numbers, graph.constant(2 * np.pi * op.w1))
    c = formulas.call("cos", (graph.add("Add", phi, graph.constant(op.b1)),))
    rows = graph.add("Unsqueeze", c, graph.integers(2))  # (N, D, 1, F), by matrices (D, F, K)
    found = graph.add("MatMul", rows, graph.constant(op.W2))
    found = graph.add("Add", found, graph.constant(op.b2[:, np.newaxis]))
    return graph.add("Reshape", found, graph.integers(0, op.out.size))
