"""A graph of ONNX as it is put together: nodes by their operators, and constants once each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clearprop.errors import MissingExtraError
from clearprop.exports.normal_distribution import normal_distribution
from clearprop.version import __version__

Array: TypeAlias = NDArray[Any]
Shape: TypeAlias = tuple[int | str, ...]
"""The axes of a tensor: a number, or the name of a size that a run decides."""

OPSET, ML_OPSET, IR_VERSION = 13, 2, 7
"""The versions that a graph asks for, of 2020: each onnxruntime of today takes them. Older opsets
want the axes of sums and squeezes in another place."""

_ML = "ai.onnx.ml"
_OPERATORS_OF_ML = ("LabelEncoder",)
_KINDS = {
    "float32": 1, "uint8": 2, "int64": 7, "str": 8, "bool": 9, "float64": 11,
}  # fmt: skip
"""The numbers of ONNX's element types."""


@dataclass(frozen=True)
class Port:
    """What goes into a graph, or comes out.

    Parameters
    ----------
    name : str
    kind : str
        The type of its elements, one of `_KINDS`.
    shape : tuple of int and str
    said : str
        What it is, in a sentence.
    """

    name: str
    kind: str
    shape: Shape
    said: str


class Graph:
    """Nodes in the order of computing; `add` adds one, and returns the name of what it gives.

    Parameters
    ----------
    taken : iterable of str
        The names of what goes in and comes out, which no inner name may be.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._nodes: list[tuple[str, tuple[str, ...], str, dict[str, Any]]] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], tuple[str, Array]] = {}
        self._count = [0]
        self._prefix = "_"
        while any(name.startswith(self._prefix) for name in taken):
            self._prefix += "_"

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node, and return the name of its output, of several the first.

        Attributes are those of the operator; an attribute that is a `Graph` is a branch of `If`.
        """
        name = self._new_name()
        self._nodes.append((operator, inputs, name, attributes))
        return name

    def give(self, name: str, value: str) -> None:
        """Call a value by the name of what comes out."""
        self._nodes.append(("Identity", (value,), name, {}))

    def constant(self, value: Any, dtype: Any = None) -> str:
        """Return the name of a constant array: the same one for the same numbers."""
        array = np.ascontiguousarray(value, dtype)
        array = array.reshape(np.shape(value))  # which is () of a number, rather than (1,)
        key = (str(array.dtype), array.shape, repr(array.tolist()).encode())
        if array.dtype.kind != "U":
            key = (*key[:2], array.tobytes())
        if key not in self._constants:
            self._constants[key] = (self._new_name(), array)
        return self._constants[key][0]

    def integers(self, *numbers: int) -> str:
        """Return the name of a constant vector of int64."""
        return self.constant(np.array(numbers, np.int64))

    def cast(self, value: str, kind: str) -> str:
        """Bring a value to another element type."""
        return self.add("Cast", value, to=_KINDS[kind])

    def choose(self, condition: str, then: Callable[["Graph"], str], otherwise: Any) -> str:
        """Compute one of two, by a condition of one number.

        Parameters
        ----------
        condition : str
            A value of type bool with one element.
        then, otherwise : callable
            Functions that add to the graph of a branch, and return what it gives.
        """
        return self.add("If", condition, then=self._branch(then), otherwise=self._branch(otherwise))

    def model(self, inputs: list[Port], outputs: list[Port], name: str, said: str) -> Any:
        """Return it as an `onnx.ModelProto`, checked.

        Raises
        ------
        MissingExtraError
            If the package onnx is not installed.
        """
        onnx = library()
        graph = onnx.helper.make_graph(
            self._written(onnx),
            name,
            [_port(onnx, one) for one in inputs],
            [_port(onnx, one) for one in outputs],
            [_tensor(onnx, *one) for one in self._constants.values()],
            doc_string=said,
        )
        opsets = [("", OPSET)]
        if any(operator in _OPERATORS_OF_ML for operator, *_ in self._nodes):
            opsets.append((_ML, ML_OPSET))
        model = onnx.helper.make_model(
            graph,
            opset_imports=[onnx.helper.make_opsetid(*one) for one in opsets],
            ir_version=IR_VERSION,
            producer_name="clearprop",
            producer_version=__version__,
        )
        onnx.checker.check_model(model, full_check=True)
        return model

    def _new_name(self) -> str:
        self._count[0] += 1
        return f"{self._prefix}{self._count[0]}"

    def _branch(self, fill: Callable[["Graph"], str]) -> tuple["Graph", str]:
        branch = Graph()
        branch._prefix, branch._count = self._prefix, self._count
        branch._constants = self._constants  # which a branch sees
        return branch, fill(branch)

    def _written(self, onnx: Any) -> list[Any]:
        """Return its nodes as ONNX keeps them."""
        nodes = []
        for operator, inputs, name, attributes in self._nodes:
            outputs = [name]
            if operator == "If":
                kept = {
                    f"{key}_branch": _branch_graph(onnx, *attributes[word])
                    for key, word in (("then", "then"), ("else", "otherwise"))
                }
            else:
                kept = attributes
                if operator == "TopK":  # which gives the places, too
                    outputs.append(f"{name} places")
            domain = _ML if operator in _OPERATORS_OF_ML else ""
            nodes.append(
                onnx.helper.make_node(operator, list(inputs), outputs, domain=domain, **kept)
            )
        return nodes


class Formulas:
    """Formulas of one element type as nodes of a graph.

    Parameters
    ----------
    graph : Graph
    dtype : numpy.dtype
        float32 or float64.
    """

    def __init__(self, graph: Graph, dtype: Any) -> None:
        self._graph, self.dtype = graph, np.dtype(dtype)

    def number(self, value: float) -> str:
        """Return a constant."""
        return self._graph.constant(value, self.dtype)

    def add(self, left: str, right: str) -> str:
        """Return left + right."""
        return self._graph.add("Add", left, right)

    def multiply(self, left: str, right: str) -> str:
        """Return left * right."""
        return self._graph.add("Mul", left, right)

    def divide(self, left: str, right: str) -> str:
        """Return left / right."""
        return self._graph.add("Div", left, right)

    def negative(self, one: str) -> str:
        """Return -one."""
        return self._graph.add("Neg", one)

    def call(self, name: str, arguments: tuple[str, ...]) -> str:
        """Return the operator of that name."""
        x, is_double = arguments[0], self.dtype == np.float64
        if name == "cos" and is_double:  # which onnxruntime 1.20 lacks, and has sin
            return self._graph.add("Sin", self.add(x, self.number(np.pi / 2)))
        if name != "Phi":
            return self._graph.add(name.capitalize(), *arguments)
        if is_double:  # of which it has no Erf
            return normal_distribution(x, self)
        erf = self._graph.add("Erf", self.multiply(x, self.number(0.5**0.5)))
        return self.multiply(self.number(0.5), self.add(self.number(1), erf))

    def choose(self, tested: str, then: str, otherwise: str) -> str:
        """Return both, by where tested > 0."""
        return self._graph.add(
            "Where", self._graph.add("Greater", tested, self.number(0)), then, otherwise
        )


def library() -> Any:
    """Return the package onnx.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    try:
        import onnx  # here, because it is an extra
    except ImportError as error:
        raise MissingExtraError("onnx", "onnx", "Writing .onnx") from error
    return onnx


def _port(onnx: Any, port: Port) -> Any:
    kind = _KINDS[port.kind]
    return onnx.helper.make_tensor_value_info(port.name, kind, port.shape, doc_string=port.said)


def _tensor(onnx: Any, name: str, array: Array) -> Any:
    if array.dtype.kind != "U":
        return onnx.numpy_helper.from_array(array, name)
    texts = [text.encode() for text in array.ravel().tolist()]
    return onnx.helper.make_tensor(name, _KINDS["str"], array.shape, texts)


def _branch_graph(onnx: Any, branch: Graph, gives: str) -> Any:
    value = onnx.ValueInfoProto()
    value.name = gives
    return onnx.helper.make_graph(branch._written(onnx), "branch", [], [value])
