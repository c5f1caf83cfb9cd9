"""The process in which a learner's file runs: ``python -m clearprop.gradcheck.learner.child``.

It reads a request and writes an answer, both JSON, next to each other; arrays come as NPZ. Whatever
the file prints goes to this process's own output, which carries nothing else.
"""

import faulthandler
import json
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.errors import ClearpropError
from clearprop.gradcheck.check import check_subject
from clearprop.gradcheck.learner.functions import Code, find_functions
from clearprop.gradcheck.learner.layouts import Batch
from clearprop.gradcheck.learner.process import ANSWER, ARRAYS, HANGS, REQUEST, Ended
from clearprop.gradcheck.learner.running import failure, run_file
from clearprop.gradcheck.learner.trial import find_setting
from clearprop.gradcheck.report import Report
from clearprop.gradcheck.seeing.file import check_seen, why_unseen
from clearprop.gradcheck.seeing.running.notes import told
from clearprop.gradcheck.seeing.running.run import Ran
from clearprop.gradcheck.subject import Subject, carefully, layers_of

_MEMORY = 2**32  # bytes
_FILE = 2**28


def check_code(code: Code, parameters: dict[str, Array]) -> Report:
    """Check the gradients of a learner's code at given parameters.

    The report's first note says what was found in the file, and the data it was run on.
    """

    def careful(function: Any) -> Any:
        return carefully(function, parameters, code.noticed)

    subject = Subject(
        cost=careful(code.cost),
        gradients=careful(code.gradients),
        parameters={name: parameters[name] for layer in layers_of(parameters) for name in layer},
        X=code.X,
        Y=code.Y,
        samples_are=code.layout.samples_are,
        outputs=careful(lambda given: code.forward(given).outputs),
    )
    functions = (code.functions.forward, code.functions.backward, code.functions.cost)
    found = (
        f"found {', '.join(one.__name__ for one in functions if one is not None)}; samples are "
        f"{code.layout.samples_are}, layers {', '.join(map(str, code.sizes))}, {code.m} samples."
    )
    return check_subject(
        subject, code.noticed, notes=[found], origin=lambda: _origin(code, parameters)
    )


def _origin(code: Code, parameters: dict[str, Array]) -> str:
    """Say where numbers that are not finite begin: in what forward keeps, or in the cost."""
    passed = code.forward({name: array.copy() for name, array in parameters.items()})
    forward = code.functions.forward.__name__
    for path, array in _arrays(passed.cache, "cache"):
        if not np.isfinite(array).all():
            return (
                f"It starts in {forward}, which keeps numbers that are not finite: the first are "
                f"in {path}."
            )
    if passed.outputs is None or not np.isfinite(passed.outputs).all():
        return f"It starts in {forward}, whose outputs are not finite."
    lowest, highest = passed.outputs.min(), passed.outputs.max()
    return (
        f"It starts in the cost: the outputs of {forward} are finite, from {lowest:g} to "
        f"{highest:g}. The logarithm of 0 is -inf."
    )


def _arrays(value: Any, path: str) -> Iterator[tuple[str, Array]]:
    """Yield every array of numbers in nested dictionaries and sequences, with the way to it."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _arrays(item, f"{path}[{key!r}]")
    elif isinstance(value, tuple | list):
        for place, item in enumerate(value):
            yield from _arrays(item, f"{path}[{place}]")
    elif isinstance(value, np.ndarray) and value.dtype.kind == "f":
        yield path, value


def main(folder: Path) -> None:
    """Answer the request in a folder."""
    request = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    if request["confined"]:
        _bound()
    with (folder / HANGS).open("w", encoding="utf-8") as hangs:
        faulthandler.dump_traceback_later(request["timeout"], exit=True, file=hangs)
        try:
            answer = _answer(request, folder)
        except ClearpropError as error:
            answer = _without_report(str(error), "unseen")
        except BaseException as error:  # SystemExit, too: a learner's code may raise anything
            text = (
                f"{request['file']} can't be checked, because one of its functions fails. Its own "
                "traceback:"
            )
            answer = _without_report(str(failure(text, error)), "failed", told(error))
        faulthandler.cancel_dump_traceback_later()
    (folder / ANSWER).write_text(json.dumps(answer), encoding="utf-8")


def _answer(request: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Watch the file as it runs; where something is said of it, call what was said."""
    file, batch = Path(request["file"]), _batch(folder / ARRAYS)
    sizes = request["sizes"] and tuple(request["sizes"])
    if request["names"] or sizes or batch:
        return _called(file, request["names"], sizes, batch)
    try:
        report, ran = check_seen(file, request["timeout"], alone=request["confined"])
    except (ClearpropError, MemoryError, OSError):
        raise
    except Exception as error:  # what the file raises is caught and noted; this is our own
        text = f"The check of {file} fails itself, which says nothing of the file"
        trace = "".join(traceback.format_exception(error)).rstrip()
        return _without_report(f"{text}.\n\n{trace}", "failed", f"{text}: {told(error)}")
    if report is not None:
        sys.stdout.write(ran.printed)
        return _reported(report)
    return _without_report(why_unseen(file, ran), *_ended(ran))


def _called(
    file: Path, names: Mapping[str, str], sizes: tuple[int, ...] | None, batch: Batch | None
) -> dict[str, Any]:
    functions = find_functions(run_file(file), names, file)
    code, parameters = find_setting(functions, sizes, batch)
    return _reported(check_code(code, parameters))


def _reported(report: Report) -> dict[str, Any]:
    return {"text": str(report), "report": report.to_dict(), "ended": "checked", "reason": ""}


def _without_report(text: str, ended: Ended, reason: str = "") -> dict[str, Any]:
    return {"text": text, "report": None, "ended": ended, "reason": reason}


def _ended(ran: Ran) -> tuple[Ended, str]:
    """Say how a run ended in which no gradient was seen, and which line is behind it."""
    failures = [f"{one.file}, line {one.number} failed: {one.text}" for one in ran.failures]
    failures += [note for note in ran.notes if "no Python" in note]
    late = [note for note in ran.notes if "so long that it was ended" in note]
    if late or failures:
        return ("late", late[0]) if late else ("failed", failures[0])
    missing = (note for note in ran.notes if "stand-in" in note or "stand in" in note)
    return ("unseen" if ran.sources else "failed"), next(missing, "")


def _bound() -> None:
    """Bound memory, beyond what is taken already, and the files that are written, where one can."""
    with suppress(ImportError, OSError, ValueError):  # as Windows has no limits, macOS no /proc
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        bounds = {
            resource.RLIMIT_AS: pages * resource.getpagesize() + _MEMORY,
            resource.RLIMIT_FSIZE: _FILE,
        }
        for kind, most in bounds.items():
            hard = resource.getrlimit(kind)[1]
            resource.setrlimit(kind, (most if hard < 0 else min(most, hard), hard))


def _batch(path: Path) -> Batch | None:
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as arrays:
        return Batch(arrays["X"], arrays["targets"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # threads that the file has started are not waited for
