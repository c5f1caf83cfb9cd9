"""Running a learner's file: a module, or the code cells of a notebook."""

import importlib.util
import json
import linecache
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clearprop.errors import UsageError
from clearprop.gradcheck.learner.failures import failure
from clearprop.gradcheck.learner.words import say

SUFFIXES = (".py", ".ipynb")

_TIMED = ("%%time", "%%capture")  # magics whose cells hold Python all the same


def run_file(path: Path) -> dict[str, Any]:
    """Execute everything in a file, and return the names that it defines.

    Its folder is where it imports from first, and its ``__name__`` is that of a module, so that
    what stands under ``if __name__ == "__main__"`` does not run.

    Parameters
    ----------
    path : pathlib.Path
        A ``.py`` or ``.ipynb`` file.

    Returns
    -------
    dict

    Raises
    ------
    UsageError
        If it fails; the message ends with its traceback.
    """
    sys.path.insert(0, str(path.resolve().parent))
    sys.argv = [str(path)]
    try:
        return _run_notebook(path) if path.suffix == ".ipynb" else _run_module(path)
    except UsageError:
        raise
    except BaseException as error:  # SystemExit, too: the file is not in charge here
        raise failure(say("fails to run", file=path), error) from error


def _run_module(path: Path) -> dict[str, Any]:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise UsageError(say("other file", file=path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return vars(module)


def _run_notebook(path: Path) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": path.stem}
    for number, source in enumerate(_cells(path), start=1):
        name = say("cell", file=path, number=number)
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
        raise UsageError(say("no notebook", file=path, reason=error)) from error
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
