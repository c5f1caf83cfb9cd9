"""What an exported module or page of JavaScript computes, run by Node beside this process."""

import json
import re
import shutil
import subprocess
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event, Timer
from typing import Any, Final

import numpy as np

from clearprop.core.parameters import Array
from clearprop.core.printable import printable
from clearprop.core.reading import parsed_json, read_bounded
from clearprop.data import Raw, Table
from clearprop.data.tables.table import Column, Words
from clearprop.errors import UsageError
from clearprop.exports.target import NotRun, Ran
from clearprop.files.written import write_text

_DRIVER: Final = Path(__file__).with_name("run_script.mjs")
_SECONDS: Final = 600.0  # that Node may take
_LARGEST: Final = 2**28  # bytes that it may answer
_LONGEST: Final = 2**30  # bytes of a module or a page
_SCRIPT: Final = re.compile(r'<script type="module">\n(.*)\n</script>', re.DOTALL)
_DATA: Final = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)
_FIRST: Final = "\n// view/alone_"  # where the module begins that draws the page
_ASKED: Final = """
const provedModel = openModel(decodedBytes($file));
const provedLogits = (rows) =>
  provedModel.network.forward(provedModel.prepare(rows), rows.length);
export const logits = (rows) => [Array.from(provedLogits(rows))];
export const predict = (rows) => {
  const answers = provedModel.answers(provedLogits(rows), rows.length);
  return Array.from(answers, (answer) => provedModel.classNames?.[answer] ?? answer);
};
"""


def run_script(
    path: Path,
    rows: Raw | Sequence[Array],
    *,
    is_page: bool = False,
    seconds: float = _SECONDS,
) -> Ran | NotRun:
    """Run an exported module or page on rows.

    Of a page, the modules within it are run with the model within it, but nothing is drawn.

    Parameters
    ----------
    path : Path
        A file that `script_text` or `page_text` made.
    rows : Table, ndarray, SelectedRows or sequence of ndarray, N samples
        Samples before any preparation. Those of uint8 with a height and a width are pictures, grey
        or RGB, each of its own size; all others are numbers.
    is_page : bool, default False
        Whether it is a page.
    seconds : float
        The time that Node may take.

    Raises
    ------
    UsageError
        If the module can't be run, takes too long, or gives something else.
    """
    program = shutil.which("node")
    if program is None:
        return NotRun("Node is not installed: there is no program node.")
    with tempfile.TemporaryDirectory() as folder:
        module, asked = Path(folder, "model.mjs"), Path(folder, "rows.jsonl")
        text = read_bounded(path, _LONGEST).decode()
        write_text(module, _module_of(text, path) if is_page else text)
        with asked.open("w", encoding="ascii") as lines:
            lines.writelines(f"{json.dumps(row)}\n" for row in _told(rows))
        answered = _run([program, str(_DRIVER), str(module), str(asked)], path, seconds)
    try:
        told = parsed_json(answered)
        count, answers = int(told["rows"]), np.array(told["answers"])
        return Ran(
            _by_row(np.frombuffer(b64decode(told["data"]), "<f8").astype(np.float64), count),
            float(told["seconds"]),
            f"Node {printable(str(told['version']), one_line=True)}",
            answers if len(answers) == count else _by_row(answers, count),
        )
    except (ValueError, TypeError, LookupError) as error:
        raise UsageError(f"{path} was run by Node, and gave something else than logits.") from error


def _by_row(numbers: Array, count: int) -> Array:
    return numbers.reshape(count, -1 if count else 0)


def _run(command: list[str], path: Path, seconds: float) -> bytes:
    """Return what a process prints, within bounds of time and size."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603 - Node, as found, running a file of ours
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        )
        is_over = Event()

        def end() -> None:
            is_over.set()
            process.kill()

        clock = Timer(seconds, end)
        clock.start()
        with process:
            assert process.stdout is not None  # noqa: S101 - as it was asked for
            answered = process.stdout.read(_LARGEST + 1)
            is_too_much = len(answered) > _LARGEST
            if is_too_much:
                process.kill()
        clock.cancel()
        if process.returncode == 0 and not is_too_much:
            return answered
        errors.seek(0)
        said = errors.read(2**16).decode("utf-8", "replace")
    if is_over.is_set():
        raise UsageError(f"{path} was run by Node, and was not done in {seconds:g} seconds.")
    if is_too_much:
        raise UsageError(f"{path} was run by Node, and answered more than {_LARGEST:,} bytes.")
    reason = next((line for line in said.splitlines() if "Error:" in line), "it says no reason")
    raise UsageError(f"{path} can't be run by Node: {printable(reason, one_line=True)}")


def _module_of(page: str, path: Path) -> str:
    """Return the modules of a page without the first one, and what asks them."""
    script, data = _SCRIPT.search(page), _DATA.search(page)
    if script is None or data is None or _FIRST not in script[1]:
        raise UsageError(f"{path} is no page of one model; export it anew.")
    file = json.dumps(parsed_json(data[1])["model"])
    return script[1][: script[1].rindex(_FIRST)] + _ASKED.replace("$file", file)


def _told(rows: Raw | Sequence[Array]) -> Iterator[Mapping[str, Any]]:
    """Write each row as the driver reads it."""
    if isinstance(rows, Table):
        cells = [_cells(column) for column in rows.columns.values()]
        for row_cells in zip(*cells, strict=True):
            yield {"cells": dict(zip(rows.names, row_cells, strict=True))}
        return
    for place in range(len(rows)):
        array = np.asarray(rows[place])
        if array.dtype == np.uint8 and array.ndim >= 2:
            yield {"picture": _picture(array)}
        else:
            yield {"numbers": b64encode(array.astype("<f8").tobytes()).decode("ascii")}


def _cells(column: Column) -> list[Any]:
    if isinstance(column, Words):
        return [cell or None for cell in column.tolist()]
    if column.dtype.kind == "M":
        texts = np.datetime_as_string(column, unit="s").tolist()
        return [None if text == "NaT" else text for text in texts]
    return [None if cell != cell else cell for cell in column.tolist()]


def _picture(array: Array) -> dict[str, Any]:
    height, width = array.shape[:2]
    rgba = np.full((height, width, 4), 255, np.uint8)
    rgba[..., :3] = array.reshape(height, width, -1)
    return {"width": width, "height": height, "data": b64encode(rgba.tobytes()).decode("ascii")}
