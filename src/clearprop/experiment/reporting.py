"""A run as a page: what of it is shown, from what was just trained or from its folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clearprop.configuration import Json
from clearprop.core.parameters import Array
from clearprop.data import Dataset
from clearprop.errors import ClearpropError, DataError, listed
from clearprop.experiment.epochs_kept import read_kept
from clearprop.experiment.folder import beside, dumps
from clearprop.experiment.learning import Trained
from clearprop.experiment.loading import load_dataset
from clearprop.experiment.measuring import Measured
from clearprop.experiment.runs import HISTORY, KEPT, REPORT, Saved, read_report
from clearprop.experiment.task import Task, set_task
from clearprop.files.models import Model
from clearprop.files.written import write_text
from clearprop.report import RunPage
from clearprop.training import History

_DOCTOR, _WORDS = "doctor", ("illness", "finding", "advice")  # as ``train --json`` tells a finding


def page_of_training(
    folder: Path,
    trained: Trained,
    measured: Measured,
    *,
    report: Mapping[str, Json],
    kept: Sequence[tuple[int, Array]],
    doctor: Mapping[str, Json] | None,
) -> RunPage:
    """Return what the page of a run shows that has just ended.

    Parameters
    ----------
    folder : Path
        Its folder, after which it is called.
    trained : Trained
    measured : Measured
    report : mapping
        What its ``report.json`` holds.
    kept : sequence of (int, ndarray)
        Some epochs, and what the network was after each, as `KeptEpochs` has it.
    doctor : mapping or None
        The doctor's first finding.
    """
    return RunPage(
        name=folder.name,
        command=str(report["command"]),
        model=measured.model,
        history=trained.history,
        report=report,
        samples=shown_part(trained.task),
        kept=kept,
        doctor=doctor,
    )


def page_of(
    saved: Saved, data: str | None, otherwise: str, *, embeds: bool
) -> tuple[RunPage, list[str]]:
    """Read a run's folder for a page, and say what is left out, and why.

    Parameters
    ----------
    saved : Saved
    data : str or None
        Where its data lie now, if elsewhere.
    otherwise : str
        The command that repeats it, where its report has none.
    embeds : bool
        Whether the samples that were learned from are put in.

    Raises
    ------
    UsageError
        If the data are not there, and are to be put in.
    DataError
        If its report is damaged.
    """
    folder, model = saved.file.parent, saved.model
    samples, train, noted = None, None, list[str]()
    try:
        settings = saved.on(data)
        task = set_task(settings, load_dataset(settings, kept_in=beside(folder)))
        _require_classes(task, model)
        samples, train = shown_part(task), task.train if embeds else None
    except ClearpropError as error:
        if embeds:
            raise
        noted.append(f"The page of {folder} shows no samples. {error}")
    told, kept = read_report(folder / REPORT), read_kept(folder / KEPT, model.network)
    if not kept and (folder / KEPT).exists():
        noted.append(f"{folder / KEPT} is damaged, or of another network: no epochs are shown.")
    run = RunPage(
        name=folder.name,
        command=str(told.get("command") or otherwise),
        model=model,
        history=History.load(folder / HISTORY),
        report=told,
        samples=samples,
        train=train,
        kept=kept,
        doctor=finding_in(told),
    )
    return run, noted


def keep_finding(folder: Path, doctor: Mapping[str, Json]) -> None:
    """Put the doctor's first finding into the report of a run, for pages that are written later."""
    path = folder / REPORT
    write_text(path, dumps(read_report(path) | {_DOCTOR: dict(doctor)}) + "\n")


def finding_in(report: Mapping[str, Any]) -> dict[str, Json] | None:
    """Return the finding that `keep_finding` has put there, if it is one."""
    found = report.get(_DOCTOR)
    if not isinstance(found, dict) or not all(isinstance(found.get(one), str) for one in _WORDS):
        return None
    command = found.get("command")
    return {**found, "command": command if isinstance(command, str) else None}


def _require_classes(task: Task, model: Model) -> None:
    """Refuse samples of other classes than the model's: each would be shown as another's."""
    names, known = task.train.class_names, model.class_names
    if names != known:
        raise DataError(
            f"Its data have the classes {listed(names or ('none',))} now, and the model knows "
            f"{listed(known or ('none',))}. Give those that it was trained on with --data."
        )


def shown_part(task: Task) -> tuple[str, Dataset]:
    """Return the part whose samples are shown: where there is one, one not learned from."""
    if task.test is not None:
        return "test", task.test
    if task.validation is not None:
        return "validation", task.validation
    return "train", task.train
