"""Reading ONNX files: which pictures a network takes, and which of its numbers are features.

Only the file itself is read: no weights that lie elsewhere, and no library of somebody's own.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import ModuleType
from typing import Any

from clearprop.core.reading import read_bounded
from clearprop.errors import DataError, MissingExtraError, listed, nearest_file, shortened

LARGEST_FILE = 2**30
"""Bytes of a network at most: as much again is needed to run it."""

_KINDS = {1: "float32", 10: "float16", 11: "float64"}  # of numbers, as TensorProto counts them
_OWN = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc")
_ENDINGS = ("Softmax", "LogSoftmax", "Sigmoid", "Identity", "Flatten", "Squeeze", "Add", "Cast")
_WEIGHED = ("Gemm", "MatMul")
_RANGES = {
    "NominalRange_0_255": "0-255",
    "Normalized_0_1": "0-1",
    "Normalized_1_1": "-1-1",
}


@dataclass(frozen=True, eq=False)
class OnnxFile:
    """A network as its file describes it.

    Parameters
    ----------
    path : str
    sha256 : str
        The digest of the file's bytes.
    model : onnx.ModelProto
    input : str
        The name of its only input.
    kind : str
        The type of the numbers that it takes: ``float32``, ``float16`` or ``float64``.
    shape : tuple of int or None, length 4
        The sizes of its input, None where they may be any.
    """

    path: str
    sha256: str
    model: Any
    input: str
    kind: str
    shape: tuple[int | None, ...]

    @property
    def tensors(self) -> list[str]:
        """The names of everything that it computes, in order."""
        return [name for node in self.model.graph.node for name in node.output if name]

    @property
    def scale(self) -> str | None:
        """The scale of its pictures, where its metadata say one."""
        return _RANGES.get(self._metadata.get("Image.NominalPixelRange", ""))

    @property
    def is_bgr(self) -> bool:
        """Whether its metadata say that blue comes first."""
        return self._metadata.get("Image.BitmapPixelFormat", "").startswith("Bgr")

    @property
    def _metadata(self) -> Mapping[str, str]:
        return {one.key: one.value for one in self.model.metadata_props}

    def penultimate(self) -> str:
        """Return the name of the tensor that the last layer of weights takes.

        Where the network does not end with such a layer, it is the output itself.
        """
        graph = self.model.graph
        made = {name: node for node in graph.node for name in node.output}
        fixed = {one.name for one in graph.initializer}
        fixed |= {name for node in graph.node if node.op_type == "Constant" for name in node.output}
        output = name = graph.output[0].name
        while (node := made.get(name)) is not None:
            inputs = [one for one in node.input if one and one not in fixed]
            if node.op_type in _WEIGHED and len(inputs) == 1:
                return str(inputs[0])
            if node.op_type not in _ENDINGS or len(inputs) != 1:
                break
            name = inputs[0]
        return str(output)

    def giving(self, tensor: str) -> bytes:
        """Return the file's bytes with that tensor for its only output.

        Raises
        ------
        DataError
            If it computes no such tensor.
        """
        if tensor not in self.tensors:
            raise DataError(
                f"{self.path} computes no tensor {shortened(tensor)}. The last of those that it "
                f"does: {listed(self.tensors[-8:])}."
            )
        onnx = _library()
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        del model.graph.output[:]
        model.graph.output.add(name=tensor)
        found: bytes = model.SerializeToString()
        return found


def read_onnx(path: str | os.PathLike[str]) -> OnnxFile:
    """Read an ONNX file, and refuse what is no network of pictures.

    Raises
    ------
    MissingExtraError
        If onnx is not installed.
    DataError
        If the file can't be read, is no ONNX, needs other files or a library of its own, or takes
        something else than pictures.
    """
    onnx = _library()
    try:
        data = read_bounded(path, LARGEST_FILE)
    except OSError as error:
        hint = nearest_file(path) if isinstance(error, FileNotFoundError) else ""
        raise DataError(f"{path} can't be read: {error.strerror}.{hint}") from error
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except Exception as error:  # protobuf's own, of which there are several
        raise DataError(f"{path} is no ONNX file. {_HOW}") from error
    graph = model.graph
    if not graph.node or not graph.output or not model.ir_version:
        raise DataError(f"{path} is no ONNX file: it describes no network. {_HOW}")
    if any(one.data_location == onnx.TensorProto.EXTERNAL for one in graph.initializer):
        raise DataError(
            f"{path} keeps its weights in other files. Save it as one: onnx.save(onnx.load(path), "
            "'whole.onnx')."
        )
    if foreign := sorted({node.domain for node in graph.node} - {*_OWN}):
        raise DataError(
            f"{path} needs operations of {listed(foreign)}, which come with a library of their "
            "own; none is ever loaded. Give a network of ONNX's own operations."
        )
    return OnnxFile(str(path), sha256(data).hexdigest(), model, *_input_of(path, graph))


_HOW = (
    "Expected a network of pictures, as PyTorch, TensorFlow or a collection of models export it "
    "with the suffix .onnx."
)


def _input_of(path: object, graph: Any) -> tuple[str, str, tuple[int | None, ...]]:
    """Return name, kind and sizes of the only input, which takes pictures."""
    fixed = {one.name for one in graph.initializer}
    inputs = [one for one in graph.input if one.name not in fixed]
    if len(inputs) != 1:
        raise DataError(
            f"{path} takes {len(inputs)} inputs ({listed(one.name for one in inputs)}), expected "
            "one: pictures."
        )
    tensor = inputs[0].type.tensor_type
    shape = tuple(
        one.dim_value if one.HasField("dim_value") and one.dim_value > 0 else None
        for one in tensor.shape.dim
    )
    sizes = " x ".join("any" if one is None else str(one) for one in shape) or "no sizes"
    if tensor.elem_type not in _KINDS or len(shape) != 4:
        kind = "floats" if tensor.elem_type in _KINDS else "what is no float"
        raise DataError(
            f"{path} is no network of pictures: its input {shortened(inputs[0].name)} has "
            f"{counted_axes(len(shape))} ({sizes}) of {kind}; expected "
            "four (pictures, channels, height, width) of floats."
        )
    return inputs[0].name, _KINDS[tensor.elem_type], shape


def counted_axes(number: int) -> str:
    """Write how many axes there are."""
    return f"{number} ax{'i' if number == 1 else 'e'}s"


def _library() -> ModuleType:
    try:
        import onnx  # here, because it is an extra
    except ImportError as error:
        raise MissingExtraError("onnx", "onnx", "--features") from error
    return onnx
