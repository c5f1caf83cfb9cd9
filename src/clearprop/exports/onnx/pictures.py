"""Pictures of any size in a graph of ONNX, brought to the network's as Pillow does, to the bit.

Pillow weighs by whole numbers of 22 binary digits, and rounds after each of two passes. Their sums
stay below 2^53, where float64 holds every whole number: they are computed in that, by products of
matrices.
"""

import numpy as np

from clearprop.exports.description import PictureInputs
from clearprop.exports.onnx.graph import Graph

_ONE = 2.0**22  # the weights add up to, as in Pillow's Resample.c
_REACH = 3.0  # of Lanczos's filter


def prepared_pictures(graph: Graph, pictures: str, inputs: PictureInputs, dtype: str) -> str:
    """Add what makes x = byte / 255 of pictures (N, H, W, 3) or (N, H, W) of uint8."""
    height, width = inputs.size
    shape = graph.add("Shape", pictures)
    own = graph.add("Gather", shape, graph.integers(1, 2), axis=0)
    is_equal = graph.add("Equal", own, graph.integers(height, width))
    is_so = graph.add("ReduceMin", graph.cast(is_equal, "int64"), keepdims=0)

    def resized(inside: Graph) -> str:
        return _resized(inside, pictures, own, inputs)

    def alike(inside: Graph) -> str:
        return inside.cast(pictures, "float64")

    levels = graph.choose(graph.cast(is_so, "bool"), alike, resized)
    sizes = (0, height, width, *((3,) if inputs.channels == 3 else ()))
    levels = graph.add("Reshape", levels, graph.integers(*sizes))
    white = graph.constant(255, dtype)
    return graph.add("Div", graph.cast(levels, dtype), white)


def _resized(graph: Graph, pictures: str, own: str, inputs: PictureInputs) -> str:
    """Add two passes, one along each axis."""
    counts = [
        graph.add("Gather", graph.cast(own, "float64"), graph.integers(at), axis=0) for at in (0, 1)
    ]
    of_height, of_width = (
        _weights(graph, count, wanted) for count, wanted in zip(counts, inputs.size, strict=True)
    )
    lower, narrower = (
        graph.add("Sub", count, graph.constant(float(wanted)))
        for count, wanted in zip(counts, inputs.size, strict=True)
    )
    # Levels are rounded after each pass, so that their order counts; it is that of Pillow 13.
    is_down_first = graph.add(
        "And",
        graph.add("Greater", lower, graph.constant(0.0)),
        graph.add("Greater", lower, graph.add("Mul", narrower, graph.constant(2.0))),
    )
    levels = graph.cast(pictures, "float64")
    if inputs.channels == 1:
        levels = graph.add("Unsqueeze", levels, graph.integers(3))

    def down(inside: Graph, x: str) -> str:
        lines = inside.add("Reshape", x, inside.integers(0, 0, -1))
        found = _rounded(inside, inside.add("MatMul", of_height, lines))
        sizes = (0, inputs.size[0], -1, inputs.channels)
        return inside.add("Reshape", found, inside.integers(*sizes))

    def across(inside: Graph, x: str) -> str:
        return _rounded(inside, inside.add("MatMul", of_width, x))

    return graph.choose(
        is_down_first,
        lambda inside: across(inside, down(inside, levels)),
        lambda inside: down(inside, across(inside, levels)),
    )


def _rounded(graph: Graph, sums: str) -> str:
    """Add the nearest levels of sums of levels by weights."""
    half_up = graph.add(
        "Add", graph.add("Mul", sums, graph.constant(1 / _ONE)), graph.constant(0.5)
    )
    above = graph.add("Max", graph.add("Floor", half_up), graph.constant(0.0))
    return graph.add("Min", above, graph.constant(255.0))


def _weights(graph: Graph, count: str, wanted: int) -> str:
    """Add the weights (wanted, count) of each old pixel of a line in each new one."""

    def number(value: float) -> str:
        return graph.constant(float(value))

    def within(low: str, x: str, high: str) -> str:
        """Whether low <= x < high."""
        is_above = graph.add("Not", graph.add("Less", x, low))
        return graph.add("And", is_above, graph.add("Less", x, high))

    scale = graph.add("Div", count, number(wanted))
    stretch = graph.add("Max", scale, number(1))
    reach = graph.add("Mul", number(_REACH), stretch)
    middle = graph.add("Mul", graph.constant(np.arange(wanted)[:, np.newaxis] + 0.5), scale)
    start, stop = (
        graph.add("Floor", graph.add("Add", graph.add(operator, middle, reach), number(0.5)))
        for operator in ("Sub", "Add")
    )
    start = graph.add("Max", start, number(0))
    last = graph.add("Reshape", count, graph.constant(np.zeros(0, np.int64)))
    old = graph.add("Range", number(0), last, number(1))
    away = graph.add("Add", graph.add("Sub", old, middle), number(0.5))
    x = graph.add("Mul", away, graph.add("Div", number(1), stretch))
    lanczos = graph.add("Mul", _sinc(graph, x), _sinc(graph, graph.add("Div", x, number(_REACH))))
    counts = graph.add("And", within(start, old, stop), within(number(-_REACH), x, number(_REACH)))
    shares = graph.add("Where", counts, lanczos, number(0))
    total = graph.add("ReduceSum", shares, graph.integers(1), keepdims=1)
    scaled = graph.add("Mul", graph.add("Div", shares, total), number(_ONE))
    size = graph.add("Floor", graph.add("Add", graph.add("Abs", scaled), number(0.5)))
    return graph.add("Mul", graph.add("Sign", scaled), size)


def _sinc(graph: Graph, x: str) -> str:
    """Add sin(pi x) / (pi x), which is 1 at 0."""
    zero, one = graph.constant(0.0), graph.constant(1.0)
    is_zero = graph.add("Equal", x, zero)
    angle = graph.add("Mul", graph.add("Where", is_zero, one, x), graph.constant(np.pi))
    return graph.add("Where", is_zero, one, graph.add("Div", graph.add("Sin", angle), angle))
