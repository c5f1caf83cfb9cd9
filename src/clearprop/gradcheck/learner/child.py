"""The process in which a learner's file runs: ``python -m clearprop.gradcheck.learner.child``.

It reads a request and writes an answer, both JSON, next to each other; arrays come as NPZ. Whatever
the file prints goes to this process's own output, which carries nothing else.
"""

import faulthandler
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.errors import ClearpropError
from clearprop.gradcheck.learner.checking import check_code
from clearprop.gradcheck.learner.exchange import ANSWER, ARRAYS, HANGS, REQUEST
from clearprop.gradcheck.learner.failures import failure
from clearprop.gradcheck.learner.layouts import Batch
from clearprop.gradcheck.learner.names import find_functions
from clearprop.gradcheck.learner.source import run_file
from clearprop.gradcheck.learner.trial import find_setting
from clearprop.gradcheck.learner.words import say


def main(folder: Path) -> None:
    """Answer the request in a folder."""
    request = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    with (folder / HANGS).open("w", encoding="utf-8") as hangs:
        faulthandler.dump_traceback_later(request["timeout"], exit=True, file=hangs)
        try:
            answer = _answer(request, folder)
        except ClearpropError as error:
            answer = {"text": str(error), "report": None}
        except BaseException as error:  # SystemExit, too: a learner's code may raise anything
            text = str(failure(say("fails", file=request["file"]), error))
            answer = {"text": text, "report": None}
        faulthandler.cancel_dump_traceback_later()
    (folder / ANSWER).write_text(json.dumps(answer), encoding="utf-8")


def _answer(request: dict[str, Any], folder: Path) -> dict[str, Any]:
    file = Path(request["file"])
    functions = find_functions(run_file(file), request["names"], file)
    sizes = request["sizes"] and tuple(request["sizes"])
    code, parameters = find_setting(functions, sizes, _batch(folder / ARRAYS))
    report = check_code(code, parameters)
    return {"text": str(report), "report": report.to_dict()}


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
