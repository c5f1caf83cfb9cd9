"""A model as a graph of ONNX: the whole recipe, the network, and all that is answered."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from clearprop.errors import UsageError
from clearprop.exports.description import ClassAnswer, Description, TableInputs
from clearprop.exports.onnx import inputs as onnx_inputs
from clearprop.exports.onnx.answers import answered
from clearprop.exports.onnx.graph import IR_VERSION, ML_OPSET, OPSET, Graph, Port
from clearprop.exports.onnx.network import logits
from clearprop.exports.rows import Rows
from clearprop.exports.target import NotRun, Ran, Target, Written
from clearprop.files.models import Model
from clearprop.preprocessing.cells import DateCells

_MOST_BYTES = 2**31 - 2**20  # of a file of protobuf, and room for the rest of the graph
_BLOCK_BYTES = 2**26  # of rows that are given at a time, with their numbers in the widest layer
_WIDEST = 8  # bytes of a number
_PASSES = 3


class OnnxTarget(Target):
    """A graph of ONNX."""

    name: ClassVar[str] = "onnx"
    ending: ClassVar[str] = ".onnx"
    title: ClassVar[str] = "a graph of ONNX"

    def write(self, model: Model, description: Description) -> Written:
        """Write a graph that takes rows as they are."""
        size = description.parameters * description.dtype.itemsize
        if size > _MOST_BYTES:
            raise UsageError(
                f"The network's {description.parameters:,} parameters take {size:,} bytes, and a "
                f"file of ONNX holds {_MOST_BYTES:,} at most. Train a smaller network, or export "
                "it to another format."
            )
        graph, inputs, outputs = graph_of(description)
        what = "class" if isinstance(description.answer, ClassAnswer) else "value"
        of = f" of {description.target}" if description.target else ""
        made = graph.model(inputs, outputs, "clearprop", f"Predicts the {what}{of}.")
        facts = {"versions": f"opset {OPSET}, ai.onnx.ml {ML_OPSET}, IR version {IR_VERSION}"}
        return Written({self.ending: made.SerializeToString()}, facts)

    def run(self, path: Path, description: Description, rows: Rows) -> Ran | NotRun:
        """Run it by onnxruntime, on one thread."""
        try:
            import onnxruntime  # here, because it is an extra
        except ImportError:
            return NotRun("onnxruntime is not installed: pip install 'clearprop[onnx]' brings it.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        answer = "label" if isinstance(description.answer, ClassAnswer) else "value"
        blocks = list(_blocks(description, rows))
        times, found = [], []
        try:
            session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"], enable_fallback=0
            )
            for _ in range(_PASSES):
                start = time.perf_counter()
                found = [session.run(["logits", answer], block) for block in blocks]
                times.append(time.perf_counter() - start)
        except Exception as error:  # onnxruntime's own, of which each has its class
            raise UsageError(f"{path} could not be run by onnxruntime: {error}") from error
        every, answers = (np.concatenate(parts) for parts in zip(*found, strict=True))
        runtime = f"onnxruntime {onnxruntime.__version__}"
        seconds = min(times) / max(rows.count, 1)
        return Ran(every.astype(np.float64), seconds, runtime, np.array(answers.tolist()))


def graph_of(description: Description) -> tuple[Graph, list[Port], list[Port]]:
    """Return a graph, what goes in and what comes out.

    Raises
    ------
    UsageError
        If the name of a column, class or category is no text that a file can hold.
    """
    for name in onnx_inputs.input_names(description.inputs):
        onnx_inputs.require_text(name, "The column")
    onnx_inputs.require_text(description.target, "The target")
    inputs = onnx_inputs.ports_of(description.inputs, description.input.shape)
    graph = Graph([*(port.name for port in inputs), *onnx_inputs.OUTPUTS])
    x = onnx_inputs.prepared(graph, description.inputs, description.dtype.name)
    z = logits(graph, description, x)
    outputs = answered(graph, description.answer, z, description.output.size)
    graph.give("logits", z)
    said = "The network's outputs."
    kind, count = description.dtype.name, description.output.size
    outputs.append(Port("logits", kind, (onnx_inputs.ROWS, count), said))
    return graph, inputs, outputs


def given(description: Description, rows: Rows) -> Mapping[str, Any]:
    """Return rows as a graph takes them, by the names of its inputs."""
    inputs = description.inputs
    if not isinstance(inputs, TableInputs):
        return {onnx_inputs.INPUT: rows.array}
    names, found = onnx_inputs.input_names(inputs), {}
    for cells in inputs.columns:
        column = rows.columns[cells.name]
        if isinstance(column, tuple):
            array = np.array([text or "" for text in column], dtype=object)
        else:
            # The recipe reads dates to the second.
            array = np.trunc(column) if isinstance(cells, DateCells) else column
        found[names[cells.name]] = array.reshape(-1, 1)
    return found


def _blocks(description: Description, rows: Rows) -> Iterator[Mapping[str, Any]]:
    """Give some rows at a time: the numbers of a layer are kept for each."""
    every = given(description, rows)
    widest = max(op.out.size for op in description.operations) if description.operations else 1
    size = sum(array[:1].nbytes for array in every.values()) + widest * _WIDEST
    step = max(1, _BLOCK_BYTES // size)
    for start in range(0, max(rows.count, 1), step):
        yield {name: array[start : start + step] for name, array in every.items()}
