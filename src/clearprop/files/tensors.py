"""Named arrays with a JSON description in one safetensors file: data only, never code.

Reading goes in two steps: what the file claims is compared with its true size and shown first, and
an array is allocated only when somebody has found its shape and dtype to be right.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.core.reading import parsed_json, require_regular
from clearprop.errors import ModelFileError, nearest_file, shortened
from clearprop.files.written import written_beside

_KEY = "clearprop"  # one metadata key: the format does not fix the order of several
_LONGEST_DESCRIPTION = 2**26  # characters: enough for a million columns
_DTYPES = {"F32": np.float32, "F64": np.float64, "U32": np.uint32}


@dataclass(frozen=True)
class TensorFile:
    """The claims of a file, checked against its size; `read` gets one array.

    Parameters
    ----------
    path : pathlib.Path
    description : dict
        The JSON object that was saved with the arrays.
    shapes : dict of str to tuple of int
        The shape of every array, by name.
    dtypes : dict of str to numpy.dtype
    """

    path: Path
    description: dict[str, Any]
    shapes: dict[str, tuple[int, ...]]
    dtypes: dict[str, np.dtype[Any]]

    def read(self, name: str) -> Array:
        """Return one array, newly allocated.

        Raises
        ------
        ModelFileError
            If there is none of that name.
        """
        from safetensors import safe_open

        if name not in self.shapes:
            raise ModelFileError(f"{self.path} holds no array {name!r}.")
        with safe_open(self.path, framework="numpy") as file:
            return file.get_tensor(name)


def save_tensors(
    path: str | os.PathLike[str], arrays: Mapping[str, Array], description: Mapping[str, Any]
) -> None:
    """Write what `tensor_bytes` makes to `path`, whole or not at all.

    Raises
    ------
    OutputError
        If the file can't be written; what stood there before is untouched.
    """
    data = tensor_bytes(arrays, description)
    with written_beside(path) as beside:
        beside.write_bytes(data)


def tensor_bytes(arrays: Mapping[str, Array], description: Mapping[str, Any]) -> bytes:
    """Return the bytes of a file of arrays and a description, the same for the same ones.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Arrays of float32, float64 or uint32.
    description : mapping
        Anything that JSON can hold; a NaN is allowed.
    """
    from safetensors.numpy import save

    return save(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()},
        metadata={_KEY: json.dumps(description)},
    )


def open_tensors(path: str | os.PathLike[str], kind: str) -> TensorFile:
    """Read the description of a file, without its arrays.

    Parameters
    ----------
    path : path-like
    kind : str
        The kind of file that is expected, for messages: ``"model"``.

    Raises
    ------
    ModelFileError
        If there is no such file, it is no safetensors file, is cut short, claims more than it
        holds, holds other dtypes than float32, float64 and uint32, or has no description.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise ModelFileError(f"{path} can't be read: {error.strerror}.") from error
    if is_folder:
        raise ModelFileError(f"{path} is a folder; name the {kind} file in it.")
    try:
        require_regular(path)
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - no dict
            shapes = {name: tuple(piece.get_shape()) for name, piece in slices.items()}
            codes = {name: piece.get_dtype() for name, piece in slices.items()}
    except FileNotFoundError as error:
        raise ModelFileError(f"There is no {kind} file {path}.{nearest_file(path)}") from error
    except OSError as error:
        raise ModelFileError(f"{path} can't be read: {error.strerror or error}.") from error
    except SafetensorError as error:
        raise ModelFileError(
            f"{path} is no clearprop {kind} file, or was cut short ({error})."
        ) from error
    if odd := sorted(name for name, code in codes.items() if code not in _DTYPES):
        raise ModelFileError(
            f"{path}: the array {shortened(odd[0])} is of type {codes[odd[0]]}; a clearprop {kind} "
            f"file holds only {', '.join(_DTYPES)}."
        )
    if _KEY not in metadata:
        raise ModelFileError(
            f"{path} is a safetensors file, but no clearprop {kind} file: it has no description "
            f"under {_KEY!r}."
        )
    if len(metadata[_KEY]) > _LONGEST_DESCRIPTION:
        raise ModelFileError(
            f"{path}: its description has {len(metadata[_KEY]):,} characters, at most "
            f"{_LONGEST_DESCRIPTION:,} are read."
        )
    try:
        description = parsed_json(metadata[_KEY])
    except ValueError as error:
        raise ModelFileError(
            f"{path}: its description is no JSON that can be used: {error}."
        ) from error
    if not isinstance(description, dict) or description.get("kind") != kind:
        found = description.get("kind") if isinstance(description, dict) else description
        raise ModelFileError(
            f"{path} is no clearprop {kind} file: it says it is {shortened(found)}."
        )
    dtypes = {name: np.dtype(_DTYPES[code]) for name, code in codes.items()}
    return TensorFile(path, description, shapes, dtypes)
