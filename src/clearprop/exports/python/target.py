"""A model as one file of Python that needs NumPy alone."""

import inspect
import json
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from textwrap import indent
from types import CodeType
from typing import Any, ClassVar

import numpy as np

from clearprop.core import program
from clearprop.core.parameters import Array
from clearprop.core.printable import printable
from clearprop.core.spelling import Infix, spelled
from clearprop.errors import UsageError
from clearprop.exports.description import (
    ClassAnswer,
    Description,
    Inputs,
    PictureInputs,
    TableInputs,
)
from clearprop.exports.python import parts
from clearprop.exports.python.answers import answers_text, function_text
from clearprop.exports.rows import Rows
from clearprop.exports.target import NotRun, Ran, Target, Written
from clearprop.files.models import Model
from clearprop.preprocessing.cells import CategoryCells, DateCells, NumberCells
from clearprop.version import __version__

_FEW = 8  # numbers of an array that are written as they are
_WIDTH = 96  # characters of a line of base64
_SECONDS = 120  # that running it may take
_PASSES = 3

_IMPORTS = """
import base64
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
"""

_DRIVER = """
import importlib.machinery, json, sys, time, types
import numpy as np
module = types.ModuleType("exported")
importlib.machinery.SourceFileLoader("exported", sys.argv[1]).exec_module(module)
with np.load(sys.argv[2], allow_pickle=False) as given:
    rows = dict(given)
if "array" in rows:
    rows, count = rows["array"], len(rows["array"])
else:
    texts = json.loads(rows.pop("texts").item())
    count, order = int(rows.pop("count")), json.loads(rows.pop("order").item())
    rows = {name: texts[name] if name in texts else rows[key] for name, key in order}
logits = module.logits(rows)
times = []
for _ in range(int(sys.argv[4])):
    start = time.perf_counter()
    module.logits(rows)
    times.append(time.perf_counter() - start)
np.savez(sys.argv[3], logits=logits, answers=module.predict(rows), seconds=min(times) / count)
"""


class PythonTarget(Target):
    """A file of Python with functions that predict."""

    name: ClassVar[str] = "python"
    ending: ClassVar[str] = ".py"
    title: ClassVar[str] = "a Python module that needs NumPy alone"

    def write(self, model: Model, description: Description) -> Written:
        """Write a module with `predict`, `logits`, and what else the model answers."""
        return Written({self.ending: module_text(description).encode()})

    def run(self, path: Path, description: Description, rows: Rows) -> Ran | NotRun:
        """Run it by the Python that runs this."""
        with tempfile.TemporaryDirectory() as folder:
            given, found = Path(folder) / "rows.npz", Path(folder) / "found.npz"
            np.savez(given, **_as_arrays(description.inputs, rows))
            words = [str(path.resolve()), str(given), str(found), str(_PASSES)]
            done = subprocess.run(  # noqa: S603 - this Python, and a file that was just written
                [sys.executable, "-I", "-c", _DRIVER, *words],
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
            if done.returncode:
                said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
                raise UsageError(f"{path} could not be run: {printable(said)}")
            with np.load(found, allow_pickle=False) as result:
                logits, answers = result["logits"].astype(np.float64), result["answers"]
                seconds = float(result["seconds"])
        runtime = f"Python {sys.version.partition(' ')[0]} with NumPy {np.__version__}"
        return Ran(logits, seconds, runtime, answers)


def module_text(description: Description) -> str:
    """Return the text of the module."""
    constants: dict[str, Array] = {}
    answers, used = answers_text(description.answer, description.output.size)
    network, also_used = _network(description, constants)
    inputs, used_here = _inputs(description.inputs)
    every = {parts.array_of, *used, *also_used, *used_here}
    chunks = [
        _head(description),
        _IMPORTS,
        answers,
        inputs,
        network,
        *(inspect.getsource(one).rstrip() for one in _with_those_called(every)),
    ]
    arrays = "\n".join(_constant(name, array) for name, array in constants.items())
    return "\n\n\n".join(chunk.strip("\n") for chunk in chunks) + f"\n\n\n{arrays}\n"


def _head(description: Description) -> str:
    what = f" of {printable(description.target, one_line=True)!a}" if description.target else ""
    is_class = isinstance(description.answer, ClassAnswer)
    said = f"Predicts {'the class' if is_class else 'the value'}{what}, with NumPy alone."
    match description.inputs:
        case TableInputs(columns):
            rows = (
                "Rows are mappings of column to cell, or one mapping of column to cells, as a data "
                'frame is. A cell that is None, NaN or "" is missing.\n\nColumns:\n'
                + "\n".join(
                    f"    {printable(f'{one.name}: {one.asked}', one_line=True)}" for one in columns
                )
            )
        case PictureInputs(size, channels):
            shape = f"(N, height, width{', 3)' if channels == 3 else ')'}"
            rows = (
                f"Rows are pictures of uint8, shape {shape}, or a list of pictures of any sizes;\n"
                f"they are brought to {size[0]} x {size[1]} pixels."
            )
        case _:
            shape = ", ".join(["N", *map(str, description.input.shape)])
            rows = f"Rows are numbers, shape ({shape})."
    text = f"{said}\n\n{rows}\n\nWritten by clearprop {__version__}.\n"
    # A name may hold what ends the docstring, or begins an escape in it.
    return '"""' + text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"') + '"""'


def _inputs(inputs: Inputs) -> tuple[str, set[Callable[..., Any]]]:
    """Write `prepare`, and say which functions it needs."""
    match inputs:
        case TableInputs(columns):
            calls, used = [], set()
            for cells in columns:
                if isinstance(cells, NumberCells):
                    function: Callable[..., Any] = parts.number_inputs
                    given: list[Any] = [cells.instead, cells.centre, cells.factor]
                    given += [cells.is_pressed, cells.tells_gaps]
                elif isinstance(cells, CategoryCells):
                    function, given = parts.category_inputs, [cells.categories, cells.rows.tolist()]
                else:
                    function, given = parts.date_inputs, [cells.centres, cells.factors]
                    given += [cells.is_pressed, cells.tells_gaps]
                words = ", ".join(["rows", *(ascii(one) for one in (cells.name, *given))])
                calls.append(f"        *{function.__name__}({words}),\n")
                used.add(function)
            body = f"    columns = [\n{''.join(calls)}    ]\n    return np.column_stack(columns)"
            return function_text("prepare(rows: Any) -> Array", "Return inputs (N, D).", body), used
        case PictureInputs((height, width), channels):
            body = f"""\
    pictures = [np.asarray(picture, np.uint8) for picture in rows]
    return np.stack([resized(picture, {height}, {width}) for picture in pictures]) / 255"""
            said = f"Return pictures of numbers from 0 to 1, {channels} a pixel."
            return function_text("prepare(rows: Any) -> Array", said, body), {parts.resized}
        case other:
            numbers, said = "np.asarray(rows, np.float64)", "Return the numbers as they are."
            if other.mean.any() or (other.std != 1).any():
                mean, std = (ascii(one.tolist()) for one in (other.mean, other.std))
                numbers, said = f"({numbers} - {mean}) / {std}", "Standardise the numbers."
            return function_text(
                "prepare(rows: Any) -> Array", said, f"    return {numbers}"
            ), set()


def _network(
    description: Description, constants: dict[str, Array]
) -> tuple[str, set[Callable[..., Any]]]:
    """Write `logits`, keep its arrays, and say which functions it needs."""
    lines, used, layer = [f"x0 = prepare(rows).astype(np.{description.dtype})"], set(), ""
    for op in description.operations:
        first = op.layer.partition(".")[0]
        if first != layer:
            layer = first
            lines.append(f"# {layer}: {printable(description.layers[layer], one_line=True)}")
        names = {name: f"{name}{op.out.place}" for name in op.arrays}
        constants |= {names[name]: array for name, array in op.arrays.items()}
        text, needed = _operation(op, [f"x{value.place}" for value in op.inputs], names)
        lines.append(f"x{op.out.place} = {text}")
        used |= needed
    lines.append(f"return x{description.output.place}.astype(np.float64)")
    body = 'with np.errstate(over="ignore"):\n' + indent("\n".join(lines), "    ")
    said = "Return the output of the last layer, shape (N, K)."
    return function_text("logits(rows: Any) -> Array", said, indent(body, "    ")), used


def _operation(
    op: program.Operation, x: list[str], names: dict[str, str]
) -> tuple[str, set[Callable[..., Any]]]:
    """Write an operation, and say which functions it needs."""
    arrays = ", ".join(names.values())
    match op:
        case program.Affine(W=_, b=b):
            shift = f" + {names['b']}" if b.any() else ""
            return f"{x[0]} @ {names['W']}{shift}", set()
        case program.Scaling(factor=_, shift=shift):
            more = f" + {names['shift']}" if shift.any() else ""
            return f"{x[0]} * {names['factor']}{more}", set()
        case program.Normalisation(epsilon=epsilon):
            scaled = f"{names['gamma']} * normalised({x[0]}, {epsilon!r}) + {names['beta']}"
            return scaled, {parts.normalised}
        case program.Elementwise(formula=formula):
            text = spelled(formula, x[0], NumPyText())
            return text, {parts.phi} if "phi(" in text else set()
        case program.Convolution():
            where = f"{op.stride}, {op.before}, {op.after}"
            return f"convolution({x[0]}, {arrays}, {where})", {parts.convolution}
        case program.Pooling():
            what = "max" if op.largest else "mean"
            windows = f"windows_of({x[0]}, {op.window}, {op.stride})"
            return f"{windows}.{what}(axis=(4, 5))", {parts.windows_of}
        case program.Reshaped():
            return f"{x[0]}.reshape(-1, {', '.join(map(str, op.out.shape))})", set()
        case program.Added():
            return f"{x[0]} + {x[1]}", set()
        case program.Part():
            return f"{x[0]}[:, {op.start}:{op.stop}]", set()
        case program.Joined():
            return f"np.concatenate([{', '.join(x)}], axis=1)", set()
        case program.Waves():
            return f"waves({x[0]}, {arrays})", {parts.waves}
        case program.Looked():
            rows = f"{x[0]}.astype(np.int64) + {names['first']}"
            return f"{names['E']}[{rows}].reshape(len({x[0]}), -1)", set()
    raise TypeError(f"no Python is known for {type(op).__name__}")


class NumPyText(Infix):
    """Formulas as NumPy computes them, with every part in brackets that needs them."""

    def number(self, value: float) -> str:
        """Return a constant."""
        text = f"{value:g}" if float(f"{value:g}") == value else repr(value)
        return f"({text})" if value < 0 else text

    def add(self, left: str, right: str) -> str:
        """Return left + right, or left - what is negated."""
        negated = right[2:-1] if right.startswith("(-") and _is_one(right) else None
        return f"({left} - {negated})" if negated else f"({left} + {right})"

    def call(self, name: str, arguments: tuple[str, ...]) -> str:
        """Return NumPy's function of that name."""
        function = {"max": "np.maximum", "Phi": "phi"}.get(name, f"np.{name}")
        return f"{function}({', '.join(arguments)})"

    def choose(self, tested: str, then: str, otherwise: str) -> str:
        """Return both, by where tested > 0."""
        return f"np.where({tested} > 0, {then}, {otherwise})"


def _is_one(text: str) -> bool:
    """Whether the first bracket of a text is closed by its last one."""
    depth = 0
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return at == len(text) - 1
    return False


def _with_those_called(functions: set[Callable[..., Any]]) -> list[Callable[..., Any]]:
    """Return functions and those of `numpy_parts` that they call, in the order of its text."""
    every = [one for _, one in inspect.getmembers(parts, inspect.isfunction)]
    found = {one.__name__ for one in functions}
    while True:
        called = {
            name for one in every if one.__name__ in found for name in _names_in(one.__code__)
        }
        more = {one.__name__ for one in every} & called | found
        if more == found:
            break
        found = more
    named = [one for one in every if one.__name__ in found]
    return sorted(named, key=lambda one: one.__code__.co_firstlineno)


def _names_in(code: CodeType) -> set[str]:
    """Return the names that a function's code looks for, also in what it defines within."""
    within = (_names_in(one) for one in code.co_consts if isinstance(one, CodeType))
    return set(code.co_names).union(*within)


def _constant(name: str, array: Array) -> str:
    """Write an array: few numbers as they are, many in base64."""
    if array.size <= _FEW:
        return f"{name} = np.array({array.tolist()!r}, np.{array.dtype})"
    dtype = array.dtype.newbyteorder("<")
    text = b64encode(np.ascontiguousarray(array, dtype).tobytes()).decode()
    lines = "\n".join(text[at : at + _WIDTH] for at in range(0, len(text), _WIDTH))
    return f'{name} = array_of("""\n{lines}\n""", {array.shape}, "{dtype.str}")'


def _as_arrays(inputs: Inputs, rows: Rows) -> dict[str, Any]:
    """Return rows as arrays that no pickle is needed for: texts as JSON."""
    if not isinstance(inputs, TableInputs):
        return {"array": rows.array}
    texts = {name: cells for name, cells in rows.columns.items() if isinstance(cells, tuple)}
    order = [(cells.name, f"column{at}") for at, cells in enumerate(inputs.columns)]
    given = {"texts": json.dumps(texts), "order": json.dumps(order), "count": rows.count}
    arrays = {key: np.asarray(rows.columns[name]) for name, key in order if name not in texts}
    for cells, (_, key) in zip(inputs.columns, order, strict=True):
        if isinstance(cells, DateCells):
            seconds = arrays[key]
            dates = np.where(np.isnan(seconds), 0, seconds).astype("datetime64[s]")
            arrays[key] = np.where(np.isnan(seconds), np.datetime64("NaT", "s"), dates)
    return {**given, **arrays}
