"""A run's folder: model, history, settings, checkpoint, report and pictures."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clearprop.configuration import Json
from clearprop.errors import UsageError
from clearprop.experiment.evaluation import Evaluation, evaluate
from clearprop.experiment.learning import Trained
from clearprop.files import make_folder, remove_leftovers, write_text
from clearprop.model_file import save

MODEL = "model.safetensors"
HISTORY = "history.csv"
SETTINGS = "config.toml"
CHECKPOINT = "checkpoint.safetensors"
REPORT = "report.json"
ROOT = Path("runs")


@dataclass(frozen=True)
class Measured:
    """What a trained model reached on each part of its data.

    Parameters
    ----------
    held_out, test : Evaluation or None
    """

    held_out: Evaluation | None
    test: Evaluation | None


def open_folder(out: str | None, data: str, *, resume: bool) -> Path:
    """Make the folder of a run.

    Parameters
    ----------
    out : str or None
        The folder; None for one under ``runs/`` that is called like the data.
    data : str
        A name or a path.
    resume : bool
        Whether a run may stand there already.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    UsageError
        If another run stands in `out`.
    OutputError
        If the folder can't be made or written to.
    """
    if out is None:
        name = Path(data).resolve().name if ("/" in data or "." in data) else data
        stem = Path(name).stem or "run"
        folder, number = ROOT / stem, 2
        while not resume and _holds_a_run(folder):
            folder, number = ROOT / f"{stem}-{number}", number + 1
        return make_folder(folder)
    folder = Path(out)
    if resume:
        remove_leftovers(folder)
    if not resume and _holds_a_run(folder):
        raise UsageError(
            f"{folder} holds a run already. Choose another folder with --out, or go on with it: "
            f"--resume --out {folder}"
        )
    return make_folder(folder)


def _holds_a_run(folder: Path) -> bool:
    return any((folder / name).exists() for name in (SETTINGS, MODEL, CHECKPOINT))


def measure(trained: Trained) -> Measured:
    """Measure a trained model on what was held out, and on the test set that came with the data."""
    task = trained.task
    held_out, test = (
        None if dataset is None else evaluate(trained.model, dataset)
        for dataset in (task.held_out, task.test)
    )
    return Measured(held_out, test)


def save_run(folder: Path, trained: Trained, measured: Measured) -> dict[str, Json]:
    """Write model, history and report; return the report.

    Parameters
    ----------
    folder : pathlib.Path
    trained : Trained
    measured : Measured

    Returns
    -------
    dict
        JSON values: what stands in ``report.json``.
    """
    save(folder / MODEL, trained.model)
    trained.history.save(folder / HISTORY)
    report = _report(folder, trained, measured)
    write_text(folder / REPORT, dumps(report) + "\n")
    return report


def dumps(value: Any) -> str:
    """Return JSON text; what is not finite becomes null, because JSON has no NaN."""
    return json.dumps(_finite(value), indent=2, ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _report(folder: Path, trained: Trained, measured: Measured) -> dict[str, Json]:
    task, history = trained.task, trained.history
    last = history.rows[-1] if len(history) else {}
    sets = {"validation": measured.held_out, "test": measured.test}
    return {
        "folder": str(folder),
        "model": str(folder / MODEL),
        "data": task.settings.data,
        "samples": {
            "train": len(task.train),
            **{name: found.samples for name, found in sets.items() if found is not None},
        },
        "parameters": task.network.parameters.data.size,
        "epochs": len(history),
        "stopped": history.stopped,
        "best_epoch": history.best_epoch,
        "seconds": last.get("seconds", 0.0),
        "train": {name: last[name] for name in ("loss", "accuracy", "r2") if name in last},
        **{
            name: {"loss": found.loss, found.score_name: found.score}
            for name, found in sets.items()
            if found is not None
        },
        "settings": task.settings.to_json(),
    }
