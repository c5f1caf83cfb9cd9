"""What was measured, as it is kept in `results.json`."""

import json
import math
from pathlib import Path
from typing import Any

from bench.machine import facts
from bench.scaling.batches import Need
from bench.scaling.learning import ROWS, WORKERS
from bench.scaling.model import Machine, Wire
from bench.scaling.steps import Case
from clearprop.files.written import write_text

FILE = Path(__file__).with_name("results.json")
LOCAL_BATCH = WORKERS * ROWS
"""The rows of an update of all workers, in the trainings with local steps."""


def load() -> dict[str, Any]:
    """Return all that was measured; nothing if nothing was."""
    return dict(json.loads(FILE.read_text(encoding="utf-8"))) if FILE.exists() else {}


def save(**measured: Any) -> None:
    """Put what was measured in place of what was before, with the conditions of today."""
    write_text(FILE, json.dumps(load() | measured | {"conditions": facts()}, indent=1) + "\n")


def machine(cores: float | None = None) -> Machine:
    """Return the machine as it was measured.

    Parameters
    ----------
    cores : float, optional
        Cores that all workers share; one each unless given.
    """
    return Machine(**load()["machine"], cores=cores)


def steps() -> dict[Case, float]:
    """Return the measured seconds of an update."""
    return {
        Case(tuple(widths), batch, workers, Wire(gigabits or math.inf, milliseconds)): seconds
        for widths, batch, workers, gigabits, milliseconds, seconds in load()["steps"]
    }


def as_list(measured: dict[Case, float]) -> list[Any]:
    """Return measured updates as `steps` reads them; JSON has no infinite rate."""
    return [
        [
            *(case.widths, case.batch, case.workers),
            None if math.isinf(case.wire.gigabits) else case.wire.gigabits,
            *(case.wire.milliseconds, seconds),
        ]
        for case, seconds in measured.items()
    ]


def need(name: str) -> Need:
    """Return what the goal of a name was found to need."""
    found = load()["learning"][name]
    return Need(found["critical"], found["rows"])


def local_cost(steps: int) -> float:
    """Return how many times as many rows the dearer of the goals took with local steps."""
    each = [found["local"] for found in load()["learning"].values()]
    return max(float(local[str(steps)]["rows"] / local["1"]["rows"]) for local in each)
