"""Models exported to C, compiled with every warning an error and memory watched, and run."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_networks import randomized

import clearprop as cp
from clearprop.exports.c.file import CFile, prefix_of
from clearprop.exports.c.main import rows_as_bytes
from clearprop.exports.c.running import CompilingError, compiled, compiler, printed
from clearprop.exports.c.target import answered
from clearprop.exports.description import Description, describe
from clearprop.exports.rows import Rows
from clearprop.files.models import Model
from clearprop.network import Network
from clearprop.preprocessing import Preprocessing

TOLERANCE = 1e-5

WARNINGS = (
    *("-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Wshadow", "-Wdouble-promotion"),
    *("-Wtrigraphs", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Wcast-qual", "-Werror"),
)
WATCHED = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")

needs_compiler = pytest.mark.skipif(compiler() is None, reason="there is no C compiler")


class Program:
    """The compiled program of a description."""

    def __init__(
        self, description: Description, folder: Path, *, int8: bool = False, watches: bool = True
    ) -> None:
        self.description = description
        self.source = written(description, folder, int8=int8)
        self.path, command = self.source.with_suffix(".exe"), compiler()
        assert command is not None
        main = f"-D{prefix_of(description.name).upper()}_MAIN"
        how = ("-O1", *watched()) if watches else ("-O0",)  # watching takes long to compile
        compiled(command, self.source, self.path, main, *how, *WARNINGS)

    def says(self, rows: Rows) -> dict[str, np.ndarray]:
        """Return what it prints of rows: rows of numbers by word."""
        given = self.source.with_suffix(".rows")
        given.write_bytes(b"".join(rows_as_bytes(self.description.inputs, rows)))
        lines = answered(self.path, given, self.description, rows)
        return {word: np.array(numbers) for word, numbers in lines.items()}


def written(description: Description, folder: Path, *, int8: bool = False) -> Path:
    """Write both files, and return the one of C."""
    file = CFile(description, int8=int8)
    source = folder / f"{description.name}.c"
    source.write_text(file.code(), encoding="utf-8")
    (folder / f"{description.name}.h").write_text(file.header(), encoding="utf-8")
    return source


def ran(
    model: Model, raw: Any, *, name: str = "model", int8: bool = False, watches: bool = True
) -> dict[str, np.ndarray]:
    """Return what the program of a model says of samples as they are: rows of numbers by word."""
    description = describe(model, name)
    with tempfile.TemporaryDirectory() as folder:
        program = Program(description, Path(folder), int8=int8, watches=watches)
        return program.says(Rows.of(description.inputs, raw))


@cache
def watched() -> tuple[str, ...]:
    """Return the flags that watch memory, where compiler and machine have it."""
    command = compiler()
    assert command is not None
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "empty.c"), Path(folder, "empty.exe")
        source.write_text('#include <stdio.h>\nint main(void) { return puts("x 1") < 0; }\n')
        try:
            compiled(command, source, program, *WATCHED)
            return WATCHED if printed(program, numbers=1) == {"x": [[1.0]]} else ()
        except (CompilingError, OSError):
            return ()


def model_of(
    layers: list[cp.Layer],
    shape: tuple[int, ...],
    *,
    loss: cp.Loss | None = None,
    dtype: str = "float32",
    recipe: Preprocessing | None = None,
) -> Model:
    """Return a model with random numbers throughout."""
    loss = cp.MeanSquaredError() if loss is None else loss
    net = Network(layers, loss=loss, input_shape=shape, dtype=dtype)
    return Model(randomized(net, np.random.RandomState(5)), recipe)


def assert_near(logits: np.ndarray, expected: np.ndarray, tolerance: float = TOLERANCE) -> None:
    """Hold logits to a share of the largest one."""
    assert logits.shape == expected.shape
    error, largest = np.abs(logits - expected.astype(np.float64)).max(), np.abs(expected).max()
    assert error <= tolerance * largest, f"{error} of {largest}"
