"""A model as C99: a file and its header, which allocate nothing and need <math.h> alone."""

import shutil
import tempfile
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from clearprop.exports.c.file import CFile, flash_of, prefix_of
from clearprop.exports.c.main import rows_as_bytes
from clearprop.exports.c.running import (
    CompilingError,
    Lines,
    code_size,
    compiled,
    compiler,
    printed,
    version_of,
)
from clearprop.exports.description import ClassAnswer, Description, PictureInputs
from clearprop.exports.rows import Rows
from clearprop.exports.target import NotRun, Ran, Target, Written
from clearprop.files.models import Model

_MEASURED: Final = 2**20  # bytes of constants up to which the code is compiled to be measured
_LARGE: Final = 2**20  # bytes of flash that few microcontrollers exceed
_ROUNDED: Final = 0.1
"""The share of the largest logit by which rounded weights may change it: else there is a mistake.

A 127th of a unit's largest weight is the unit of all its weights, so that a logit is off by one in
a hundred or two; what that costs is told by the answers that change.
"""


class CTarget(Target):
    """A file of C99 with its header.

    Parameters
    ----------
    int8 : bool, default False
        Whether weights are whole numbers of 8 bits, with a scale for each unit.
    """

    name: ClassVar[str] = "c"
    ending: ClassVar[str] = ".c"
    title: ClassVar[str] = "a C99 file with its header"

    def __init__(self, *, int8: bool = False) -> None:
        self.int8 = int8
        if int8:
            self.tolerance = _ROUNDED

    def write(self, model: Model, description: Description) -> Written:
        """Write ``.c`` and ``.h``, which includes the name of the description.

        Raises
        ------
        UsageError
            If a constant is beyond float32, a text holds a NUL, or the name can't be included.
        """
        file = CFile(description, int8=self.int8)
        files = {".c": file.code().encode(), ".h": file.header().encode()}
        measured = code_size(files, description.name) if file.constants < _MEASURED else None
        facts = {
            "flash": flash_of(file.constants, measured),
            "memory": f"{file.memory:,} bytes",
        }
        if self.int8:
            facts["weights"] = "bytes, with a scale for each unit; all else is float32"
        notes = []
        if file.constants > _LARGE:
            notes.append(
                f"Its constants take {file.constants / 1e6:,.1f} MB, more than the flash of most "
                "microcontrollers."
            )
        return Written(files, facts, tuple(notes))

    def run(self, path: Path, description: Description, rows: Rows) -> Ran | NotRun:
        """Compile it by CC of the environment, or cc, gcc or clang, and run it.

        Raises
        ------
        OutputError
            If the program fails.
        """
        command = compiler()
        if command is None:
            return NotRun("There is no C compiler: no cc, gcc or clang, and none that CC names.")
        with tempfile.TemporaryDirectory() as folder:
            # Called as the file includes its header, whatever they are called where they lie.
            source = Path(folder, f"{description.name}.c")
            shutil.copyfile(path, source)
            shutil.copyfile(path.with_suffix(".h"), Path(folder, f"{description.name}.h"))
            program, given = Path(folder, "program.exe"), Path(folder, "rows.bin")
            try:
                main = f"-D{prefix_of(description.name).upper()}_MAIN"
                compiled(command, source, program, main)
                runtime = version_of(command)
            except CompilingError as error:
                return NotRun(f"{command[0]} does not compile it: {error}")
            with given.open("wb") as file:
                file.writelines(rows_as_bytes(description.inputs, rows))
            lines = answered(program, given, description, rows)
            size = picture_size(description, rows)
            seconds = printed(program, str(given), "0", *size, numbers=2)["seconds"][0][0]
        logits = np.array(lines["logits"])
        return Ran(logits, seconds, runtime, _answers(lines, description))


def answered(program: Path, given: Path, description: Description, rows: Rows) -> Lines:
    """Return all that a program says of rows, which lie in a file."""
    answer, outputs = description.answer, description.output.size
    most = len(answer.names) if isinstance(answer, ClassAnswer) else 2 * len(answer.mean)
    size = picture_size(description, rows)
    numbers = rows.count * (2 * outputs + 3 * most + 8)
    return printed(program, str(given), str(rows.count), *size, numbers=numbers)


def picture_size(description: Description, rows: Rows) -> tuple[str, ...]:
    """Return height and width of pictures as a program takes them; nothing for other samples."""
    if not isinstance(description.inputs, PictureInputs) or rows.array is None:
        return ()
    height, width = rows.array.shape[1:3]
    return str(height), str(width)


def _answers(lines: Lines, description: Description) -> NDArray[Any]:
    if isinstance(description.answer, ClassAnswer):
        index = np.array(lines["class"]).astype(np.int64)[:, 0]
        return np.array(description.answer.names)[index]
    values = np.array(lines["values"])
    return values[:, 0] if values.shape[1] == 1 else values
