"""A learner's file run: a module, or the code cells of a notebook; and what stops it."""

import importlib.util
import json
import linecache
import re
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clearprop.errors import UsageError

SUFFIXES = (".py", ".ipynb")

_OURS = str(Path(__file__).parents[2])
_SHAPES = re.compile(r"\(\d+,(?: ?\d+)?\)")
_MISFIT = ("not aligned", "mismatch in its core dimension", "could not be broadcast together")
_TIMED = ("%%time", "%%capture")  # magics whose cells hold Python all the same


def run_file(path: Path) -> dict[str, Any]:
    """Execute everything in a ``.py`` or ``.ipynb`` file, and return the names that it defines.

    Its folder is where it imports from first, and its ``__name__`` is that of a module, so that
    what stands under ``if __name__ == "__main__"`` does not run. If it fails, the message of the
    `UsageError` ends with its traceback.
    """
    sys.path.insert(0, str(path.resolve().parent))
    sys.argv = [str(path)]
    try:
        return _run_notebook(path) if path.suffix == ".ipynb" else _run_module(path)
    except UsageError:
        raise
    except BaseException as error:  # SystemExit, too: the file is not in charge here
        text = f"{path} can't be checked, because running it fails. Its own traceback:"
        raise failure(text, error) from error


def _run_module(path: Path) -> dict[str, Any]:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is neither a .py file nor a notebook (.ipynb).")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return vars(module)


def _run_notebook(path: Path) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": path.stem}
    for number, source in enumerate(_cells(path), start=1):
        name = f"{path}, cell {number}"
        # So that tracebacks, and whoever asks for the source of a function, find it.
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        exec(compile(source, name, "exec"), namespace)  # noqa: S102 - said before it runs
    return namespace


def _cells(path: Path) -> Iterator[str]:
    """Yield the Python of each code cell, without the lines that only a notebook understands."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UsageError(f"{path} is no notebook that can be read: {error}.") from error
    for source in sources:
        first = source.lstrip().split("\n", 1)[0]
        if first.startswith("%%") and not first.startswith(_TIMED):
            yield ""  # another language
        else:
            yield "\n".join(map(_without_magic, source.split("\n")))


def _without_magic(line: str) -> str:
    bare = line.lstrip()
    if not bare.startswith(("%", "!", "?")):
        return line
    return f"{line[: len(line) - len(bare)]}pass"  # which an indented block may consist of


def failure(message: str, error: BaseException) -> UsageError:
    """Make an error of a message, what may be behind it, and last the traceback of the code.

    The frames of clearprop, which called that code, are left out.
    """
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith((_OURS, "<frozen")):
        frames = frames.tb_next
    lines = traceback.format_exception(type(error), error, frames)
    parts = (message, explain_error(error), "".join(lines).rstrip())
    return UsageError("\n\n".join(part for part in parts if part))


def explain_error(error: BaseException) -> str | None:
    """Say which mistake usually raises an exception in code for back-propagation.

    None where the exception's own words have to do.
    """
    text = str(error)
    if isinstance(error, TypeError | AttributeError) and "'tuple'" in text:
        return (
            "A function that returns a pair, such as (A, cache), is used as if it returned one "
            "array. Take the first of the two: A, cache = sigmoid(Z)."
        )
    if isinstance(error, NameError):
        return (
            f"{error.name} is used and never set. Is it another variable's name, or one of another "
            "function?"
        )
    if isinstance(error, KeyError) and re.fullmatch(r"'d?[A-Za-z]\d+'", text):
        return (
            f"There is no {text} in the dictionary. Is it stored under a key that is one beside it?"
        )
    if isinstance(error, ValueError) and any(words in text for words in _MISFIT):
        shapes = ", ".join(_SHAPES.findall(text)[:2])
        return (
            f"Two arrays that don't fit are multiplied{f': {shapes}' if shapes else ''}. dW has "
            "the shape of W, and dA that of A: write the shapes beside every factor, and transpose "
            "the one that does not fit."
        )
    return None
